from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses
from requests import PreparedRequest

from invsync.admin.again import MAX_TRIES
from invsync.admin.auth import AccessToken, ClientCredentials, GrantedToken, credentials_for
from invsync.admin.client import Client
from invsync.admin.documents import Document
from invsync.errors import ConfigError, OutOfTime, ShopError
from invsync.state.token import TokenFile

SHOP = "print-shop.myshopify.com"
GRAPHQL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
GRANT = f"https://{SHOP}/admin/oauth/access_token"
SECRET = "do_not_show_this_secret"
APP = ClientCredentials("app-1", SECRET)
QUERY = Document("read", "query Read { shop { id } }")
ONCE = Document("bulk", "mutation Bulk { bulkOperationRunQuery { id } }")
DATA = {"shop": {"id": "gid://shopify/Shop/1"}}
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DAY = 86_399


class FakeClock:
    def __init__(self, local: float = NOON.timestamp()) -> None:
        self.local = local
        self.passed = 0.0

    def now(self) -> float:
        return self.local + self.passed

    def monotonic(self) -> float:
        return self.passed

    def check(self) -> None:
        """Nothing ends the run."""

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


class FakeShop:
    """Grants `token-1`, `token-2`, …; takes those that are in `valid`."""

    def __init__(self, mock: responses.RequestsMock, clock: FakeClock) -> None:
        self.mock = mock
        self.clock = clock
        self.granted = 0
        self.valid: set[str] = set()
        self.expires_in: Any = DAY
        self.takes_new_tokens = True
        mock.add_callback("POST", GRANT, self._grant)
        mock.add_callback("POST", GRAPHQL, self._answer)

    def _headers(self) -> dict[str, str]:
        date = datetime.fromtimestamp(NOON.timestamp() + self.clock.passed, UTC)
        return {"Date": format_datetime(date, usegmt=True)}

    def _grant(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.granted += 1
        token = f"token-{self.granted}-granted"
        if self.takes_new_tokens:
            self.valid.add(token)
        body = {
            "access_token": token,
            "scope": "read_products,write_inventory",
            "expires_in": self.expires_in,
        }
        return 200, self._headers(), json.dumps(body)

    def _answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        if request.headers["X-Shopify-Access-Token"] not in self.valid:
            return (
                401,
                self._headers(),
                json.dumps({"errors": "[API] Invalid API key or access token"}),
            )
        return 200, self._headers(), json.dumps({"data": DATA})

    @property
    def sent(self) -> list[str]:
        """Tokens of the GraphQL calls, oldest first."""
        calls = [call.request for call in self.mock.calls]
        return [
            request.headers["X-Shopify-Access-Token"] for request in calls if request.url == GRAPHQL
        ]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def shop(mock: responses.RequestsMock, clock: FakeClock) -> FakeShop:
    return FakeShop(mock, clock)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "invsync-state"


def connect(
    clock: FakeClock, state_dir: Path | None, app: ClientCredentials = APP, **options: Any
) -> Client:
    return Client(
        endpoint=options.pop("endpoint", f"https://{SHOP}"),
        api_version="2026-10",
        credentials=credentials_for(app, None if state_dir is None else TokenFile(state_dir)),
        session=requests.Session(),
        clock=clock,
        jitter=lambda: 0.0,
        **options,
    )


def run(client: Client, document: Document = QUERY) -> dict[str, Any]:
    return client.execute(document, {}, cost=10)


def kept(state_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((state_dir / "token.json").read_text())
    return content


# Access tokens


def test_credentials_show_no_secret() -> None:
    assert repr(AccessToken(SECRET)) == "AccessToken()"
    assert repr(APP) == "ClientCredentials(client_id='app-1')"
    assert repr(GrantedToken(APP, None)) == "GrantedToken(ClientCredentials(client_id='app-1'))"


@pytest.mark.parametrize(
    "token", ["", " ", "shpat_x ", "shpat_x\n", "shpat x", "shpat_ü", "shpat_\x00"]
)
def test_what_cannot_be_a_token_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ConfigError, match="access_token is empty or holds") as refused:
        AccessToken(token)
    assert not token.strip() or token.strip() not in str(refused.value)


def test_an_access_token_has_no_scopes_to_tell_and_no_replacement() -> None:
    token = AccessToken("shpat_made_up")
    assert credentials_for(token, None) is token
    assert token.scopes is None
    token.forget()


# Asking for a token


def test_a_token_is_asked_for_with_id_and_secret_in_a_form(
    shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    client = connect(clock, state_dir)
    assert run(client) == DATA
    request = shop.mock.calls[0].request
    assert request.url == GRANT
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "X-Shopify-Access-Token" not in request.headers
    assert parse_qs(str(request.body)) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app-1"],
        "client_secret": [SECRET],
    }
    assert shop.sent == ["token-1-granted"]
    assert client.use.requests == 2


def test_the_granted_scopes_are_known(shop: FakeShop, clock: FakeClock, state_dir: Path) -> None:
    for _ in range(2):  # granted, then read from the file
        credentials = credentials_for(APP, TokenFile(state_dir))
        assert credentials.scopes is None
        client = Client(
            endpoint=f"https://{SHOP}",
            api_version="2026-10",
            credentials=credentials,
            session=requests.Session(),
            clock=clock,
        )
        run(client)
        assert credentials.scopes == {"read_products", "write_inventory"}
    assert shop.granted == 1


def test_the_token_file_holds_what_is_needed_and_never_the_secret(
    shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    run(connect(clock, state_dir))
    assert kept(state_dir) == {
        "shop": SHOP,
        "client_id": "app-1",
        "scope": ["read_products", "write_inventory"],
        "expires_at": "2026-11-23T11:59:59+00:00",
        "token": "token-1-granted",
    }
    assert stat.S_IMODE((state_dir / "token.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    assert [path.name for path in state_dir.iterdir()] == ["token.json"]


def test_without_a_state_folder_the_token_is_kept_in_memory(
    shop: FakeShop, clock: FakeClock
) -> None:
    client = connect(clock, None)
    run(client)
    run(client)
    assert shop.granted == 1


@pytest.mark.parametrize(("age", "granted"), [(0, 1), (DAY - 61, 1), (DAY - 60, 2), (DAY + 1, 2)])
def test_a_token_is_used_until_a_minute_before_it_expires(
    age: float, granted: int, shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    client = connect(clock, state_dir)
    run(client)
    clock.passed += age
    run(client)
    assert (shop.granted, len(shop.sent)) == (granted, 2)


@pytest.mark.parametrize(("age", "granted"), [(DAY - 62, 1), (DAY - 59, 2)])
def test_the_next_run_uses_the_kept_token_until_then_too(
    age: float, granted: int, shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    run(connect(clock, state_dir))
    clock.passed += age
    run(connect(clock, state_dir))
    assert (shop.granted, len(shop.sent)) == (granted, 2)


def test_expiry_goes_by_the_shops_clock(shop: FakeShop, state_dir: Path) -> None:
    """A local clock that is two days behind writes the same file as a right one."""
    wrong = FakeClock(NOON.timestamp() - 2 * 86_400)
    run(connect(wrong, state_dir))
    assert kept(state_dir)["expires_at"] == "2026-11-23T11:59:59+00:00"


@pytest.mark.parametrize("expires_in", [None, "soon", -1, 0, 1e300, [1]])
def test_a_grant_that_does_not_say_when_it_ends_is_used_for_a_while(
    expires_in: Any, shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    shop.expires_in = expires_in
    client = connect(clock, state_dir)
    run(client)
    run(client)
    assert shop.granted == 1
    assert kept(state_dir)["expires_at"] == "2026-11-22T13:00:00+00:00"


# The file


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"shop": "print-shop.myshopify.com", "client_id": "app-1"}',
        b"[" * 100_000,
    ],
)
def test_a_corrupt_token_file_is_as_good_as_none(
    content: bytes, shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    state_dir.mkdir()
    (state_dir / "token.json").write_bytes(content)
    assert run(connect(clock, state_dir)) == DATA
    assert kept(state_dir)["token"] == "token-1-granted"


@pytest.mark.parametrize(
    "change",
    [
        {"shop": "another.myshopify.com"},
        {"client_id": "app-2"},
        {"expires_at": "2026-11-22T11:00:00+00:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"expires_at": 1},
        {"token": None},
        {"token": "two words"},
        {"scope": None},
    ],
)
def test_a_token_of_another_shop_or_app_or_time_is_not_used(
    change: dict[str, Any], shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    run(connect(clock, state_dir))
    (state_dir / "token.json").write_text(json.dumps({**kept(state_dir), **change}))
    run(connect(clock, state_dir))
    assert shop.sent == ["token-1-granted", "token-2-granted"]


def test_a_folder_that_cannot_be_written_is_only_a_warning(
    shop: FakeShop, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    client = connect(clock, tmp_path / "file" / "state")
    run(client)
    run(client)
    assert shop.granted == 1
    [warning] = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert "can't keep the access token in" in warning
    assert "check state_dir" in warning


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(
    shop: FakeShop, clock: FakeClock, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(connect(clock, state_dir))
    clock.passed += DAY

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fdopen", full)
    run(connect(clock, state_dir))
    assert kept(state_dir)["token"] == "token-1-granted"
    assert [path.name for path in state_dir.iterdir()] == ["token.json"]


# Refused tokens


@pytest.mark.parametrize("document", [QUERY, ONCE])
def test_a_refused_token_is_asked_for_again_and_the_call_repeated(
    document: Document, shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    client = connect(clock, state_dir)
    run(client)
    shop.valid.clear()
    assert run(client, document) == DATA
    assert shop.sent == ["token-1-granted", "token-1-granted", "token-2-granted"]
    assert kept(state_dir)["token"] == "token-2-granted"
    assert client.use.waited_seconds == 0


def test_a_token_refused_again_is_given_up(
    shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    shop.takes_new_tokens = False
    with pytest.raises(
        ShopError, match=r"refuses the access token \(401\): .*app is still installed"
    ):
        run(connect(clock, state_dir))
    assert shop.sent == ["token-1-granted", "token-2-granted"]


def test_a_token_that_another_run_has_renewed_meanwhile_is_taken_from_the_file(
    shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    first, second = connect(clock, state_dir), connect(clock, state_dir)
    run(first)
    run(second)
    shop.valid.clear()
    run(second)
    run(first)
    assert shop.granted == 2
    assert shop.sent[-1] == "token-2-granted"
    clock.passed += DAY
    run(second)
    run(first)
    assert shop.granted == 3


def test_a_dead_token_in_the_file_still_leaves_one_request_for_a_new_one(
    shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    first, second = connect(clock, state_dir), connect(clock, state_dir)
    run(first)
    shop.valid.clear()
    run(second)
    shop.valid.clear()
    assert run(first) == DATA
    assert shop.sent[-3:] == ["token-1-granted", "token-2-granted", "token-3-granted"]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 403, "json": {"errors": "Unavailable Shop"}},
        {"json": {"errors": [{"message": "Denied", "extensions": {"code": "ACCESS_DENIED"}}]}},
    ],
)
def test_a_token_whose_scopes_do_not_suffice_is_not_kept_for_it_would_never_gain_any(
    refusal: dict[str, Any], shop: FakeShop, clock: FakeClock, state_dir: Path
) -> None:
    run(connect(clock, state_dir))
    shop.mock.upsert("POST", GRAPHQL, **refusal)
    with pytest.raises(ShopError):
        run(connect(clock, state_dir))
    assert not (state_dir / "token.json").exists()


# Refused grants


def oauth_page(text: str) -> dict[str, Any]:
    return {"status": 400, "body": f"<html><title>Oauth error {text}</title></html>"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            oauth_page("shop_not_permitted: Client credentials cannot be performed on this shop."),
            "organization",
        ),
        ({"status": 400, "json": {"error": "shop_not_permitted"}}, "organization"),
        (oauth_page("app_not_installed"), "install the app"),
        (
            {"status": 400, "json": {"error": "invalid_client"}},
            "client_id or client_secret is wrong",
        ),
        (
            {"status": 401, "json": {"error": "invalid_client", "error_description": SECRET}},
            "client_id or client_secret",
        ),
        ({"status": 404, "body": "<html>Not Found</html>"}, "check shop, there seems to be none"),
        ({"status": 400, "body": "Bad Request"}, r"check that shop is the \*\.myshopify\.com name"),
        ({"status": 401}, "client_id and client_secret"),
        (
            {"status": 400, "json": {"error": "odd", "error_description": f"a\nb {SECRET}"}},
            r"\(400, odd: a b …\): check",
        ),
        ({"status": 402}, "frozen"),
        ({"status": 403}, "installed"),
        ({"status": 423}, "locked"),
        (
            {"status": 302, "headers": {"Location": "https://elsewhere.example"}},
            "elsewhere.example",
        ),
        ({"json": {"scope": "a"}}, "without one: check shop and api_url"),
        ({"json": {"access_token": None}}, "without one"),
        ({"json": {"access_token": "two words"}}, "without one"),
    ],
)
def test_a_refused_grant_is_one_sentence_with_the_mend_and_no_secret(
    answer: dict[str, Any],
    says: str,
    mock: responses.RequestsMock,
    clock: FakeClock,
    state_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    mock.post(
        GRANT, **{**answer, "headers": {"X-Request-Id": "req-7", **answer.get("headers", {})}}
    )
    with pytest.raises(ShopError, match=says) as failed:
        run(connect(clock, state_dir))
    message = str(failed.value)
    assert SHOP in message
    assert message.endswith("[request req-7]")
    assert "\n" not in message
    assert SECRET not in message + caplog.text
    assert len(mock.calls) == 1
    assert not state_dir.exists()


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 502, "body": "<html>"},
        {"status": 429},
        {"body": requests.ConnectionError()},
        {"body": "<html>"},
    ],
)
@pytest.mark.parametrize("document", [QUERY, ONCE])
def test_asking_for_a_token_is_tried_again_like_any_request(
    failure: dict[str, Any],
    document: Document,
    mock: responses.RequestsMock,
    clock: FakeClock,
    state_dir: Path,
) -> None:
    mock.post(GRANT, **failure)
    mock.post(GRANT, json={"access_token": "token-1-granted"})
    mock.post(GRAPHQL, json={"data": DATA})
    assert run(connect(clock, state_dir), document) == DATA


def test_asking_for_a_token_ends_too(
    mock: responses.RequestsMock, clock: FakeClock, state_dir: Path
) -> None:
    mock.post(GRANT, status=504)
    with pytest.raises(
        ShopError, match=rf"answered 504 \(TokenGrant, {MAX_TRIES} tries\)"
    ) as failed:
        run(connect(clock, state_dir))
    assert type(failed.value) is ShopError
    with pytest.raises(OutOfTime):
        run(connect(clock, state_dir, deadline=clock.monotonic() + 1))


def test_neither_secret_nor_token_is_in_a_log_or_a_traceback_of_ours(
    shop: FakeShop, clock: FakeClock, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(clock, state_dir)
    run(client)
    shop.takes_new_tokens = False
    shop.valid.clear()
    with pytest.raises(ShopError) as failed:
        run(client)
    seen = [caplog.text, str(failed.value), repr(vars(client))]
    traceback = failed.value.__traceback__
    while traceback is not None:
        if "invsync/admin" in traceback.tb_frame.f_code.co_filename:
            seen.append(repr(traceback.tb_frame.f_locals))
        traceback = traceback.tb_next
    assert len(seen) > 3
    assert not any(secret in text for text in seen for secret in (SECRET, "-granted"))


@pytest.mark.parametrize("broken", [requests.ConnectionError(), requests.ReadTimeout()])
def test_a_failed_request_for_a_token_leaves_the_secret_in_no_exception(
    broken: Exception, mock: responses.RequestsMock, clock: FakeClock, state_dir: Path
) -> None:
    mock.post(GRANT, body=broken)
    with pytest.raises(ShopError) as failed:
        run(connect(clock, state_dir))
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


def test_plain_http_is_refused_for_grants_too(clock: FakeClock, state_dir: Path) -> None:
    with pytest.raises(ConfigError):
        connect(clock, state_dir, endpoint=f"http://{SHOP}")
