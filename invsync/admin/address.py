"""Web addresses that can be read in one way only. Pure.

The client's parser and others differ on what stands before an `@` or a backslash, on blanks and on
letters beyond ASCII: an address that holds any of those is none here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from invsync.errors import ConfigError

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:[/?#][!-\[\]-~]*)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A web address and its parts.

    `host`: in small letters, without brackets; `netloc`: host and port as they were written;
    `rest`: the path and what follows it.
    """

    url: str
    scheme: str
    host: str
    netloc: str
    rest: str

    @property
    def loopback(self) -> bool:
        """Whether it never leaves this machine."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def private(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.scheme == "https" or self.loopback


def address_of(url: str) -> Address | None:
    """The parts of `url`.

    None if it is no web address, or one that two readers may read differently.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None or int(found["port"] or 0) > 65535:
        return None
    netloc = url[len(found["scheme"]) + 3 : len(url) - len(found["rest"])]
    host = found["host"].strip("[]").lower()
    return Address(url, found["scheme"].lower(), host, netloc, found["rest"])


def shop_address(endpoint: str) -> Address:
    """The address of a shop; raises `ConfigError` where a token may not go there."""
    address = address_of(endpoint)
    if address is None or set("?#") & set(address.rest):
        raise ConfigError(
            "the shop's address is not a web address of the form https://host: check api_url"
        )
    if not address.private:
        raise ConfigError(
            f"{address.scheme}://{address.netloc} would carry the access token in the clear: use "
            "https (plain http is for loopback addresses only); check api_url"
        )
    return address
