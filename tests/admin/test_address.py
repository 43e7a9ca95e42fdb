from __future__ import annotations

import pytest
from urllib3.util import parse_url

from invsync.admin.address import address_of

GOOGLE = (
    "https://storage.googleapis.com/shopify-tiers/x%2Fy.jsonl?GoogleAccessId=a%40b.iam&Expires=17"
    "&Signature=Ab%2Bc%3D&response-content-disposition=attachment%3B+filename%3D%22bulk.jsonl%22"
)


@pytest.mark.parametrize(
    ("url", "host", "netloc", "loopback"),
    [
        ("https://a.myshopify.com", "a.myshopify.com", "a.myshopify.com", False),
        ("HTTPS://A.myshopify.com/", "a.myshopify.com", "A.myshopify.com", False),
        (GOOGLE, "storage.googleapis.com", "storage.googleapis.com", False),
        ("http://127.0.0.1:8787/x?y#z", "127.0.0.1", "127.0.0.1:8787", True),
        ("http://127.9.9.9", "127.9.9.9", "127.9.9.9", True),
        ("http://[::1]:80/", "::1", "[::1]:80", True),
        ("http://localhost", "localhost", "localhost", True),
        ("http://localhost.example.com", "localhost.example.com", "localhost.example.com", False),
        ("http://10.0.0.1", "10.0.0.1", "10.0.0.1", False),
        ("http://0.0.0.0", "0.0.0.0", "0.0.0.0", False),
        ("http://2130706433/", "2130706433", "2130706433", False),
        ("http://0x7f.1/", "0x7f.1", "0x7f.1", False),
        ("http://127.1/", "127.1", "127.1", False),
        ("https://a.example/@127.0.0.1", "a.example", "a.example", False),
        ("https://a.example?@127.0.0.1", "a.example", "a.example", False),
    ],
)
def test_an_address_is_read_as_the_client_reads_it(
    url: str, host: str, netloc: str, loopback: bool
) -> None:
    address = address_of(url)
    assert address is not None
    assert (address.url, address.host, address.netloc) == (url, host, netloc)
    assert address.loopback == loopback
    assert address.private == (loopback or url.lower().startswith("https"))
    assert (parse_url(url).host or "").strip("[]") == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://:80",
        "https://a.example:",
        "https://a.example:port",
        "https://a.example:99999",
        "https://a.example:80:80",
        "http://[::1",
        "http://::1/",
        "http://evil\\@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1\\.evil.example/",
        "https://a.example/\\evil",
        "http://me@127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:80@evil.example/",
        "https://me:pass@a.example/",
        " https://a.example",
        "https://a.example ",
        "https://a.example/a b",
        "https://a.ex\tample/",
        "https://a.example/\n",
        "https://a.example/\r\nHost: b",
        "https://a.example/\x00",
        "https://\u24d0.example/",
        "https://127.0.0.1\uff0fevil.example/",
        "http://127\u30020\u30020\u30021/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "https://a.example/\u00fc",
        "https://a%2eexample/",
        "https://-a.example/",
    ],
)
def test_what_two_readers_could_read_differently_is_no_address(url: str) -> None:
    assert address_of(url) is None
