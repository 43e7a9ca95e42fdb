from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests
import responses
from requests import PreparedRequest

from invsync.admin import client as client_module
from invsync.admin import wire
from invsync.admin.again import MAX_SLOW_TRIES, MAX_THROTTLED_TRIES, MAX_TRIES
from invsync.admin.auth import AccessToken
from invsync.admin.client import Client
from invsync.admin.documents import Document
from invsync.errors import (
    CallRefused,
    ConfigError,
    NotExecuted,
    OutOfTime,
    QueryTooLarge,
    ShopError,
    Stopped,
)

SHOP = "print-shop.myshopify.com"
GRAPHQL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
BULK = "https://storage.googleapis.com/bulk/result.jsonl"
SECRET = "shpat_do_not_show_this"

QUERY = Document("read", "query Read { shop { id } }")
IDEMPOTENT = Document(
    "adjust", "mutation Adjust($key: String!) { adjust @idempotent(key: $key) { id } }"
)
ONCE = Document("bulk", "mutation Bulk { bulkOperationRunQuery { id } }")

DATA = {"shop": {"id": "gid://shopify/Shop/1"}}
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """Time passes only while somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.passed = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        return NOON.timestamp() + self.passed

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def check(self) -> None:
        """Nothing ends the run."""

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self.slept.append(seconds)
        self.passed += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def connect(clock: FakeClock, *, endpoint: str = f"https://{SHOP}", **options: Any) -> Client:
    options = {"api_version": "2026-10", "jitter": lambda: 0.0, **options}
    return Client(
        endpoint=endpoint,
        credentials=AccessToken(SECRET),
        session=requests.Session(),
        clock=clock,
        **options,
    )


@pytest.fixture
def client(clock: FakeClock) -> Client:
    return connect(clock)


def status(left: float, maximum: float = 2000.0, rate: float = 100.0) -> dict[str, float]:
    return {"maximumAvailable": maximum, "currentlyAvailable": left, "restoreRate": rate}


def good(cost: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
    return {"data": DATA, **({"extensions": {"cost": cost}} if cost else {}), **body}


def error(code: str | None, message: str = "made up", **extensions: Any) -> dict[str, Any]:
    inner = {**({"code": code} if code else {}), **extensions}
    return {"errors": [{"message": message, **({"extensions": inner} if inner else {})}]}


def throttled(
    requested: float, left: float, rate: float = 100.0, maximum: float = 2000.0
) -> dict[str, Any]:
    cost = {
        "requestedQueryCost": requested,
        "actualQueryCost": None,
        "throttleStatus": status(left, maximum, rate),
    }
    return {**error("THROTTLED", "Throttled"), "extensions": {"cost": cost}}


def run(client: Client, document: Document = QUERY, cost: int = 10) -> dict[str, Any]:
    return client.execute(document, {"key": "k", "first": 250}, cost=cost)


# What is sent, what comes back


def test_a_call_carries_token_document_and_variables_and_returns_the_data(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, json=good())
    assert run(client) == DATA
    request = shop.calls[0].request
    assert request.headers["X-Shopify-Access-Token"] == SECRET
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or "") == {
        "query": QUERY.text,
        "variables": {"key": "k", "first": 250},
    }


def test_no_password_out_of_netrc_is_sent(
    shop: responses.RequestsMock, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    shop.post(GRAPHQL, json=good())
    shop.get(BULK, body="{}\n")
    run(client)
    list(client.fetch_lines(BULK))
    assert all("Authorization" not in call.request.headers for call in shop.calls)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:8787",
        "http://127.9.9.9",
        "http://[::1]:8787",
        "http://localhost:80",
        "https://a.myshopify.com/",
    ],
)
def test_https_and_loopback_endpoints_are_taken(endpoint: str, clock: FakeClock) -> None:
    connect(clock, endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        f"http://{SHOP}",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://128.0.0.1",
        "http://0.0.0.0:8787",
        "ftp://127.0.0.1",
        "print-shop.myshopify.com",
        "https://",
        "https://host:port",
        f"https://me:{SECRET}@{SHOP}",
        f"https://{SHOP}?token={SECRET}",
        "http://[::1",
        "",
    ],
)
def test_any_other_endpoint_is_refused_before_anything_is_sent(
    endpoint: str, clock: FakeClock
) -> None:
    with pytest.raises(ConfigError, match="check api_url") as refused:
        connect(clock, endpoint=endpoint)
    assert SECRET not in str(refused.value)


def test_requests_and_actual_points_are_counted(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(
        GRAPHQL,
        json=good(
            {"requestedQueryCost": 46, "actualQueryCost": 31, "throttleStatus": status(1969)}
        ),
    )
    shop.post(GRAPHQL, status=502)
    shop.post(GRAPHQL, json=good({"requestedQueryCost": 46, "actualQueryCost": 2.0}))
    run(client)
    run(client)
    assert (client.use.requests, client.use.points, client.use.throttled) == (3, 33, 0)


# Never partial truth


def test_errors_beside_filled_data_are_a_failure(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, json={"data": DATA, **error("ACCESS_DENIED", "Access denied for x field.")})
    with pytest.raises(ShopError, match="ACCESS_DENIED"):
        run(client)


def test_an_empty_list_of_errors_is_none(shop: responses.RequestsMock, client: Client) -> None:
    shop.post(GRAPHQL, json=good(errors=[]))
    assert run(client) == DATA


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            error("ACCESS_DENIED", "Denied", requiredAccess="`read_locations` access scope."),
            f"{SHOP} refused Read: the app lacks the scope read_locations (ACCESS_DENIED); add it "
            "to the app",
        ),
        (
            error(
                "ACCESS_DENIED",
                "Access denied. Required access: `read_a` or `read_b` access scope.",
            ),
            "lacks the scope read_a or read_b",
        ),
        (error("ACCESS_DENIED", "No."), "the app lacks access (No.)"),
        (error("SHOP_INACTIVE"), "the shop is not active"),
        (
            error("BAD_REQUEST", "first cannot exceed\n250"),
            "Read: first cannot exceed 250 (BAD_REQUEST); this is a fault",
        ),
        (
            error("undefinedField", "no"),
            "no (undefinedField); this is a fault of invsync; please report it",
        ),
        (error(None, "odd"), "refused Read: odd; this is a fault of invsync"),
        ({"errors": "Not Found"}, "refused Read: Not Found; this is a fault"),
        ({"errors": {"query": "missing"}}, 'refused Read: {"query": "missing"}; this is a fault'),
        ({"errors": [None]}, "refused Read: null; this is a fault"),
        (
            {"errors": [{"message": ["x"], "extensions": "y"}]},
            'refused Read: ["x"]; this is a fault',
        ),
        (
            {"errors": error("THROTTLED")["errors"] + error("BAD_REQUEST", "no")["errors"]},
            "no (BAD_REQUEST)",
        ),
    ],
)
def test_errors_that_cannot_get_better_fail_at_once(
    body: dict[str, Any], says: str, shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, json=body, headers={"X-Request-Id": "req-7"})
    with pytest.raises(ShopError) as failed:
        run(client)
    assert says in str(failed.value)
    assert str(failed.value).endswith("[request req-7]")
    assert "\n" not in str(failed.value)
    assert (len(shop.calls), clock.slept) == (1, [])


def test_a_search_warning_is_an_error_that_names_term_and_query(
    shop: responses.RequestsMock, client: Client
) -> None:
    warning = {
        "field": "tracked",
        "message": "Invalid search field for this query.",
        "code": "invalid_field",
    }
    search = [
        {"path": ["a"], "query": "id:>1"},
        {"path": ["b"], "query": "tracked:false", "warnings": [warning]},
    ]
    shop.post(GRAPHQL, json=good(extensions={"search": search}))
    with pytest.raises(
        ShopError,
        match=r"the term tracked of the search tracked:false \(Read, Invalid search field",
    ):
        run(client)


@pytest.mark.parametrize(
    "extensions",
    [{"search": [{"query": "a", "warnings": []}]}, {"search": None}, {"search": "x"}, None],
)
def test_a_search_without_warnings_is_fine(
    extensions: Any, shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, json=good(extensions=extensions))
    assert run(client) == DATA


# Statuses that can't get better


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (400, "fault of invsync"),
        (401, "check access_token"),
        (402, "bill"),
        (403, "installed"),
        (404, "check shop, api_url and api_version"),
        (406, "fault of invsync"),
        (409, "check shop"),
        (414, "fault of invsync"),
        (415, "fault of invsync"),
        (422, "fault of invsync"),
        (423, "locked"),
        (430, "malicious"),
        (501, "does not offer"),
        (783, "fault of invsync"),
    ],
)
@pytest.mark.parametrize("document", [QUERY, IDEMPOTENT, ONCE])
def test_statuses_that_cannot_get_better_fail_at_once_with_the_mend(
    code: int,
    says: str,
    document: Document,
    shop: responses.RequestsMock,
    client: Client,
    clock: FakeClock,
) -> None:
    shop.post(
        GRAPHQL,
        status=code,
        json={"errors": f"no, not with {SECRET}"},
        headers={"X-Request-Id": "req-7"},
    )
    with pytest.raises(ShopError, match=str(code)) as failed:
        run(client, document)
    assert says in str(failed.value)
    assert "[request req-7]" in str(failed.value)
    assert SHOP in str(failed.value)
    assert SECRET not in str(failed.value)
    assert (len(shop.calls), clock.slept) == (1, [])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    code: int, shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, status=code, headers={"Location": "https://www.print-shop.example/x?y"})
    shop.post("https://www.print-shop.example/x", json=good())
    shop.get("https://www.print-shop.example/x", json=good())
    with pytest.raises(ShopError, match=rf"www\.print-shop\.example \({code}\).* set shop"):
        run(client)
    assert len(shop.calls) == 1


@pytest.mark.parametrize(
    ("asked", "answered", "says"),
    [
        (
            "2025-10",
            "2026-07",
            "answered with API version 2026-07, since 2025-10 is retired: set api_version to "
            "2026-07 or ",
        ),
        (
            "2026-10",
            "2099-01",
            "answered with API version 2099-01, since 2026-10 is retired: look for a newer invsync",
        ),
        ("2026-10", "2026-04", "since 2026-10 is not served: set api_version to 2026-04 or "),
    ],
)
def test_an_answer_by_another_version_is_an_error_that_says_which(
    asked: str, answered: str, says: str, shop: responses.RequestsMock, clock: FakeClock
) -> None:
    shop.post(
        GRAPHQL.replace("2026-10", asked), json=good(), headers={"X-Shopify-API-Version": answered}
    )
    with pytest.raises(ShopError, match=says):
        run(connect(clock, api_version=asked))


def test_an_answer_by_the_version_asked_for_is_fine_in_any_case_of_letters(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, json=good(), headers={"x-shopify-api-version": "2026-10"})
    assert run(client) == DATA


# What may pass

PASSING_BUT_MAY_HAVE_RUN: dict[str, dict[str, Any]] = {
    **{
        str(code): {"status": code, "body": "<html>no</html>"}
        for code in (500, 502, 503, 504, 520, 530, 540)
    },
    "empty 502": {"status": 502},
    "read timeout": {"body": requests.ReadTimeout("slow")},
    "reset": {
        "body": requests.ConnectionError(
            "Connection aborted.", ConnectionResetError(104, "Connection reset")
        )
    },
    "cut body": {"body": requests.exceptions.ChunkedEncodingError("IncompleteRead")},
    "bad gzip": {"body": requests.exceptions.ContentDecodingError("gzip")},
    "html in a 200": {"body": "<!DOCTYPE html>"},
    "half a body": {"body": '{"data": {"shop"'},
    "empty 200": {"body": ""},
    "bytes that are no text": {"body": b"\xff\xfe\x00"},
    "a list": {"json": []},
    "null": {"body": "null"},
    "no data": {"json": {}},
    "null data": {"json": {"data": None}},
    "data of another kind": {"json": {"data": "yes"}},
    "internal error": {"json": error("INTERNAL_SERVER_ERROR", requestId="r")},
}
NEVER_STARTED: dict[str, dict[str, Any]] = {
    "throttled": {"json": throttled(50, 20)},
    "429": {"status": 429, "headers": {"Retry-After": "2.0"}},
    "429 without more": {"status": 429},
    "connect timeout": {"body": requests.ConnectTimeout("slow")},
}


def named(cases: dict[str, Any]) -> list[Any]:
    return [pytest.param(case, id=name) for name, case in cases.items()]


def named_pairs(cases: dict[str, tuple[Any, Any]]) -> list[Any]:
    return [pytest.param(*case, id=name) for name, case in cases.items()]


@pytest.mark.parametrize("document", [QUERY, IDEMPOTENT])
@pytest.mark.parametrize("failure", named(PASSING_BUT_MAY_HAVE_RUN | NEVER_STARTED))
def test_what_may_pass_is_tried_again_with_the_same_body(
    failure: dict[str, Any],
    document: Document,
    shop: responses.RequestsMock,
    client: Client,
    clock: FakeClock,
) -> None:
    shop.post(GRAPHQL, **failure)
    shop.post(GRAPHQL, json=good())
    assert run(client, document) == DATA
    assert shop.calls[0].request.body == shop.calls[1].request.body
    assert len(clock.slept) == 1
    assert client.use.waited_seconds == sum(clock.slept) > 0


@pytest.mark.parametrize(
    "failure", named(PASSING_BUT_MAY_HAVE_RUN | {"timeout": {"json": error(None, "Timeout")}})
)
def test_a_mutation_without_a_key_is_not_repeated_when_it_may_have_run(
    failure: dict[str, Any], shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, **failure)
    with pytest.raises(ShopError, match=r"\(Bulk\): it may have been done all the same"):
        run(client, ONCE)
    assert (len(shop.calls), clock.slept) == (1, [])


@pytest.mark.parametrize("failure", named(NEVER_STARTED))
def test_a_mutation_without_a_key_is_repeated_when_it_never_started(
    failure: dict[str, Any], shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, **failure)
    shop.post(GRAPHQL, json=good())
    assert run(client, ONCE) == DATA


@pytest.mark.parametrize("code", ["ACCESS_DENIED", "THROTTLED", "INTERNAL_SERVER_ERROR"])
def test_a_mutation_whose_payload_is_filled_was_carried_out_whatever_stands_beside_it(
    code: str, shop: responses.RequestsMock, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    shop.post(GRAPHQL, json={"data": DATA, **error(code, "Access denied for staffMember")})
    assert run(client, ONCE) == DATA
    assert len(shop.calls) == 1
    assert caplog.messages == [
        "Bulk was carried out, and told an error: Access denied for staffMember"
    ]


@pytest.mark.parametrize(
    ("failure", "tries", "kind", "says"),
    [
        (
            {"status": 502},
            MAX_TRIES,
            ShopError,
            rf"answered 502 \(Read, {MAX_TRIES} tries\): try again later.*\[request r\]",
        ),
        ({"body": requests.ReadTimeout()}, MAX_TRIES, ShopError, "gave no answer within 30 s"),
        ({"body": "<html>"}, MAX_TRIES, ShopError, "that is not JSON"),
        ({"json": {}}, MAX_TRIES, ShopError, "without data"),
        (
            {"json": throttled(50, 20)},
            MAX_THROTTLED_TRIES,
            NotExecuted,
            "other programs seem to use up",
        ),
        ({"status": 429}, MAX_THROTTLED_TRIES, NotExecuted, "429"),
        ({"status": 504}, MAX_SLOW_TRIES, QueryTooLarge, "504.*asks for too much at once"),
        ({"json": error(None, "Timeout")}, 1, QueryTooLarge, "ran out of time"),
        (
            {"json": error("MAX_COST_EXCEEDED", "Query cost is 1293")},
            1,
            QueryTooLarge,
            "Query cost is 1293",
        ),
        (
            {"json": throttled(50, 20, maximum=40)},
            1,
            QueryTooLarge,
            "costs 50 points, and .* more than 40",
        ),
        (
            {"status": 429, "headers": {"Retry-After": "3600"}},
            1,
            NotExecuted,
            "asks to wait for 3600 s",
        ),
    ],
)
def test_tries_are_bounded(
    failure: dict[str, Any],
    tries: int,
    kind: type[Exception],
    says: str,
    shop: responses.RequestsMock,
    client: Client,
) -> None:
    headers = {"X-Request-Id": "r", **failure.get("headers", {})}
    shop.post(GRAPHQL, **{**failure, "headers": headers})
    with pytest.raises(kind, match=says) as failed:
        run(client)
    assert type(failed.value) is kind
    assert len(shop.calls) == tries == client.use.requests


def test_a_mutation_that_timed_out_is_never_too_large(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, status=504)
    with pytest.raises(ShopError) as failed:
        run(client, IDEMPOTENT)
    assert type(failed.value) is ShopError
    assert len(shop.calls) == MAX_TRIES


# Whether anything was carried out

DENIED = error("ACCESS_DENIED", "No", requiredAccess="`write_inventory` access scope.")
NOT_EXECUTED: dict[str, tuple[dict[str, Any], type[ShopError]]] = {
    **{
        str(code): ({"status": code, "json": {"errors": "no"}}, NotExecuted)
        for code in (401, 402, 403, 404, 406, 414, 415, 423, 430, 501, 783)
    },
    "400": ({"status": 400, "json": {"errors": "no"}}, CallRefused),
    "422": ({"status": 422, "json": {"errors": "no"}}, CallRefused),
    "429 to the end": ({"status": 429}, NotExecuted),
    "429 for hours": ({"status": 429, "headers": {"Retry-After": "3600"}}, NotExecuted),
    "throttled to the end": ({"json": throttled(50, 20)}, NotExecuted),
    "dearer than the bucket": ({"json": throttled(50, 20, maximum=40)}, NotExecuted),
    "not reached": ({"body": requests.ConnectTimeout("slow")}, NotExecuted),
    "denied": ({"json": DENIED}, NotExecuted),
    "shop inactive": ({"json": error("SHOP_INACTIVE")}, NotExecuted),
    "too dear": ({"json": error("MAX_COST_EXCEEDED")}, CallRefused),
    **{
        code: ({"json": error(code)}, CallRefused)
        for code in (
            "BAD_REQUEST",
            "INVALID_VARIABLE",
            "INVALID_FIELD_ARGUMENTS",
            "PARSE_ERROR",
            "MAX_INPUT_SIZE_EXCEEDED",
            "RESOURCE_NOT_FOUND",
            "undefinedField",
            "selectionMismatch",
            "missingRequiredInputObjectAttribute",
        )
    },
    "no code": ({"json": error(None, "odd")}, ShopError),
    "a code of its own": ({"json": error("SOMETHING_ELSE")}, ShopError),
    "a teapot": ({"status": 418}, ShopError),
    "502 to the end": ({"status": 502}, ShopError),
    "slow to the end": ({"status": 504}, ShopError),
}


@pytest.mark.parametrize("document", [IDEMPOTENT, ONCE])
@pytest.mark.parametrize(("answer", "kind"), named_pairs(NOT_EXECUTED))
def test_a_mutation_tells_whether_nothing_was_carried_out(
    answer: dict[str, Any],
    kind: type[ShopError],
    document: Document,
    shop: responses.RequestsMock,
    client: Client,
) -> None:
    shop.post(GRAPHQL, **answer)
    with pytest.raises(ShopError) as failed:
        run(client, document)
    told = [isinstance(failed.value, one) for one in (NotExecuted, CallRefused)]
    assert told == [issubclass(kind, one) for one in (NotExecuted, CallRefused)]


def test_a_refusal_says_nothing_of_an_earlier_try_that_may_have_run(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, status=502)
    shop.post(GRAPHQL, status=402)
    with pytest.raises(ShopError, match="402") as failed:
        run(client, IDEMPOTENT)
    assert type(failed.value) is ShopError


# How long it waits


def test_back_off_doubles_and_half_of_it_is_jitter(
    shop: responses.RequestsMock, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, status=500)
    for jitter, waits in ((0.0, [0.5, 1, 2, 4, 8]), (1.0, [1, 2, 4, 8, 16])):
        clock.slept.clear()
        with pytest.raises(ShopError):
            run(connect(clock, jitter=lambda jitter=jitter: jitter))
        assert clock.slept == waits


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        (throttled(862, 572, 200.0, 4000.0), 1.45),
        (throttled(50, 0, 50), 1.0),
        (throttled(50, 20), 0.3),
        (throttled(50, 60), 0.0),
        (throttled(50, 0, 0), 1.0),
        (error("THROTTLED"), 1.0),
        ({**error("THROTTLED"), "extensions": {"cost": {"requestedQueryCost": 50}}}, 1.0),
        (
            {
                **error("THROTTLED"),
                "extensions": {
                    "cost": {"throttleStatus": {"currentlyAvailable": 5, "restoreRate": 5}}
                },
            },
            1.0,
        ),
    ],
)
def test_a_throttled_call_waits_for_the_points_it_lacks(
    body: dict[str, Any],
    waits: float,
    shop: responses.RequestsMock,
    client: Client,
    clock: FakeClock,
) -> None:
    shop.post(GRAPHQL, json=body)
    shop.post(GRAPHQL, json=good())
    run(client, cost=10)
    assert clock.slept[0] == pytest.approx(waits)
    assert client.use.throttled == 1


def test_a_wait_that_was_not_enough_draws_more_jitter(
    shop: responses.RequestsMock, clock: FakeClock
) -> None:
    for _ in range(3):
        shop.post(GRAPHQL, json=throttled(50, 60))
    shop.post(GRAPHQL, json=good())
    run(connect(clock, jitter=lambda: 1.0))
    assert clock.slept == pytest.approx([0.5, 1.0, 1.5])


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [
        ("2.0", 2.0),
        ("0", 0.0),
        (format_datetime(NOON.replace(second=7), usegmt=True), 7.0),
        (format_datetime(NOON.replace(hour=11), usegmt=True), 0.0),
        ("-5", 0.0),
        ("soon", 0.5),
        ("inf", 0.5),
        ("nan", 0.5),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(
    code: int,
    retry_after: str,
    waits: float,
    shop: responses.RequestsMock,
    client: Client,
    clock: FakeClock,
) -> None:
    shop.post(GRAPHQL, status=code, headers={"Retry-After": retry_after})
    shop.post(GRAPHQL, json=good())
    run(client)
    assert clock.slept == [waits]


def test_a_retry_after_date_is_read_by_the_shops_clock(
    shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    an_hour_behind = {"Date": format_datetime(NOON.replace(hour=11), usegmt=True)}
    until = format_datetime(NOON.replace(hour=11, second=9), usegmt=True)
    shop.post(GRAPHQL, status=429, headers={**an_hour_behind, "Retry-After": until})
    shop.post(GRAPHQL, json=good())
    run(client)
    assert clock.slept == [9.0]


@pytest.mark.parametrize(
    ("told", "cost", "waits"),
    [
        (status(1969), 46, 0),
        (status(20), 46, 0.26),
        (status(0), 46, 0.46),
        (status(0.5, 1000, 50.0), 100, 1.99),
        ({"maximumAvailable": 2000, "currentlyAvailable": 0, "restoreRate": 100}, 50, 0.5),
        (status(0, 100), 5000, 1.0),
        (status(0, rate=0), 50, 1.0),
        (status(-50), 50, 1.0),
        ({"currentlyAvailable": 0}, 50, 0.5),
        ({"maximumAvailable": 2000.0, "restoreRate": 100.0}, 50, 0),
        ({"currentlyAvailable": "7"}, 50, 0),
        ({"currentlyAvailable": True}, 50, 0),
        ({"currentlyAvailable": 10**400}, 50, 0),
        (None, 5000, 0),
    ],
)
def test_a_call_waits_for_its_points_before_it_is_sent(
    told: Any,
    cost: int,
    waits: float,
    shop: responses.RequestsMock,
    client: Client,
    clock: FakeClock,
) -> None:
    shop.post(GRAPHQL, json=good({"actualQueryCost": 1, "throttleStatus": told}))
    run(client, cost=5000)
    assert clock.slept == []
    run(client, cost=cost)
    assert sum(clock.slept) == pytest.approx(waits, abs=0.011)
    assert (sum(clock.slept) > 0) == (waits > 0)


def test_points_come_back_with_time_but_never_beyond_the_bucket(
    shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, json=good({"throttleStatus": status(0, 200)}))
    run(client)
    clock.passed += 1.5
    run(client, cost=150)
    assert clock.slept == []
    clock.passed += 3600
    run(client, cost=10_000)
    assert clock.slept == []


def test_the_last_answer_is_believed_for_others_may_use_the_bucket(
    shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, json=good({"throttleStatus": status(2000)}))
    shop.post(GRAPHQL, json=good({"throttleStatus": status(3)}))
    shop.post(GRAPHQL, json=good())
    for _ in range(3):
        run(client, cost=13)
    assert clock.slept == [pytest.approx(0.1, abs=0.011)]


def test_a_steady_stream_of_calls_loses_hardly_any_time_to_pacing(clock: FakeClock) -> None:
    """A shop that counts in whole points, 1,000 of them at 100 a second, and 400 calls of 13."""
    level, at, refused = 1000.0, clock.monotonic(), 0

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        nonlocal level, at, refused
        clock.passed += 0.02
        level, at = min(1000.0, level + (clock.monotonic() - at) * 100), clock.monotonic()
        if int(level) < 13:
            refused += 1
            return 200, {}, json.dumps(throttled(13, int(level), maximum=1000))
        level -= 13
        return (
            200,
            {},
            json.dumps(good({"actualQueryCost": 13, "throttleStatus": status(int(level), 1000)})),
        )

    with responses.RequestsMock() as shop:
        shop.add_callback("POST", GRAPHQL, answer)
        client = connect(clock)
        for _ in range(400):
            run(client, IDEMPOTENT, cost=13)
    assert refused == 0
    assert (400 * 13 - 1000) / 100 / clock.passed > 0.95


def test_no_wait_begins_that_the_time_budget_does_not_hold(
    shop: responses.RequestsMock, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, status=502)
    client = connect(clock, deadline=clock.monotonic() + 3)
    with pytest.raises(
        OutOfTime,
        match=r"max_run_time.*answered 502 \(Read\) and has to be asked again.* 2\.0 s more",
    ):
        run(client)
    assert clock.slept == [0.5, 1.0]
    assert client.use.waited_seconds == 1.5


def test_waiting_for_points_keeps_to_the_time_budget_too(
    shop: responses.RequestsMock, clock: FakeClock
) -> None:
    shop.post(GRAPHQL, json=good({"throttleStatus": status(0)}))
    client = connect(clock, deadline=clock.monotonic() + 3)
    run(client)
    with pytest.raises(OutOfTime, match="Read has to wait for 500 points"):
        run(client, cost=500)
    assert (len(shop.calls), clock.slept) == (1, [])


def test_a_caller_can_wait_within_the_time_budget(clock: FakeClock) -> None:
    client = connect(clock, deadline=clock.monotonic() + 3)
    client.wait(2.5, "the bulk operation is still running")
    with pytest.raises(OutOfTime, match="the bulk operation is still running"):
        client.wait(1, "the bulk operation is still running")
    assert client.use.waited_seconds == 2.5


@pytest.mark.parametrize("failure", [{"status": 502}, {"json": throttled(10, 0)}])
def test_a_signal_during_a_wait_passes_straight_through(
    failure: dict[str, Any], shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    def stop() -> None:
        raise Stopped(15)

    shop.post(GRAPHQL, json=good({"throttleStatus": status(2000)}))
    shop.post(GRAPHQL, **failure)
    run(client)
    clock.on_sleep = stop
    with pytest.raises(Stopped):
        run(client)
    assert len(shop.calls) == 2


# The shop's clock, deprecations


def test_the_shops_clock_is_known_from_its_last_answer(
    shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    assert (client.clock_skew, client.server_now()) == (None, NOON)
    shop.post(GRAPHQL, json=good(), headers={"Date": "Sun, 22 Nov 2026 12:05:00 GMT"})
    run(client)
    assert client.clock_skew == 300
    clock.passed += 60
    assert client.server_now() == NOON.replace(minute=6)
    shop.post(GRAPHQL, json=good(), headers={"Date": "whenever"})
    run(client)
    assert client.clock_skew == 300


def test_a_deprecation_is_collected_and_told_once(
    shop: responses.RequestsMock, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    shop.post(GRAPHQL, json=good(), headers={"X-Shopify-API-Deprecated-Reason": "Shop.products"})
    run(client)
    run(client)
    assert client.deprecations == {"Shop.products"}
    warnings = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert warnings == [
        f"{SHOP}: invsync uses what Shopify has deprecated (Shop.products): look for a newer one"
    ]


# The log


def test_each_request_is_one_line_at_debug_and_each_new_try_one_at_info(
    shop: responses.RequestsMock, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "invsync")
    shop.post(GRAPHQL, status=502)
    shop.post(
        GRAPHQL,
        json=good(
            {"requestedQueryCost": 46, "actualQueryCost": 31, "throttleStatus": status(1969)}
        ),
    )
    run(client, cost=46)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "Read: 502 in 0.00 s; points: 46 asked, - spent, - left; waited 0.00 s"),
        ("INFO", f"Read: {SHOP} answered 502; trying again in 0.5 s (2 of {MAX_TRIES})"),
        ("DEBUG", "Read: 200 in 0.00 s; points: 46 asked, 31 spent, 1969 left; waited 0.00 s"),
    ]


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def our_locals(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        if "invsync/admin" in traceback.tb_frame.f_code.co_filename:
            yield repr(traceback.tb_frame.f_locals)
        traceback = traceback.tb_next


REFUSED: dict[str, dict[str, Any]] = {
    **{str(code): {"status": code, "json": {"errors": "no"}} for code in (301, 400, 401, 403, 404)},
    "denied": {"json": error("ACCESS_DENIED")},
    "bad request": {"json": error("BAD_REQUEST")},
    "odd failure": {"body": requests.exceptions.InvalidURL("x")},
}
ECHOES: dict[str, dict[str, Any]] = {
    **{
        str(code): {"status": code, "json": {"errors": f"who is {SECRET}?"}}
        for code in (400, 401, 403, 502)
    },
    "denied": {"json": error("ACCESS_DENIED", f"who is {SECRET}?")},
    "bad request": {"json": error("BAD_REQUEST", f"who is {SECRET}?")},
    "odd failure": {"body": requests.exceptions.InvalidURL(f"x{SECRET}")},
    "request id": {"status": 502, "headers": {"X-Request-Id": SECRET}},
    "version": {"json": good(), "headers": {"X-Shopify-API-Version": SECRET}},
    "deprecation": {"status": 402, "headers": {"X-Shopify-API-Deprecated-Reason": SECRET}},
}


@pytest.mark.parametrize("failure", named(PASSING_BUT_MAY_HAVE_RUN | NEVER_STARTED | REFUSED))
def test_a_failure_leaves_the_token_in_no_traceback_of_ours(
    failure: dict[str, Any], shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, **failure)
    with pytest.raises(ShopError) as failed:
        run(client)
    texts = [
        text
        for error in chain_of(failed.value)
        for text in (repr(error), *our_locals(error.__traceback__))
    ]
    assert len(texts) > 1
    assert not any(SECRET in text for text in texts)


@pytest.mark.parametrize("failure", named(ECHOES))
def test_a_token_that_an_answer_repeats_is_in_no_message_or_log(
    failure: dict[str, Any],
    shop: responses.RequestsMock,
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    shop.post(GRAPHQL, **failure)
    with pytest.raises(ShopError) as failed:
        run(client)
    assert SECRET not in str(failed.value) + caplog.text + repr(client) + repr(vars(client))
    assert "250" not in caplog.text  # variables are nobody's business either


# Bulk results


def test_a_bulk_result_comes_line_by_line_and_is_asked_for_without_the_token(
    shop: responses.RequestsMock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PIECE_BYTES", 7)
    lines = [
        json.dumps({"id": n, "title": "ü\u2028" * n}, ensure_ascii=False).encode()
        for n in range(20)
    ]
    for body in (b"\n".join(lines), b"\n".join(lines) + b"\n", b"\n\n".join(lines)):
        shop.get(BULK, body=body)
        assert list(client.fetch_lines(BULK)) == lines
    assert all("X-Shopify-Access-Token" not in call.request.headers for call in shop.calls)
    assert client.use.requests == 3


def test_a_compressed_bulk_result_is_unpacked(shop: responses.RequestsMock, client: Client) -> None:
    body = gzip.compress(b"{}\n[]\n")
    shop.get(
        BULK, body=body, headers={"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    )
    assert list(client.fetch_lines(BULK)) == [b"{}", b"[]"]


def test_an_empty_bulk_result_has_no_lines(shop: responses.RequestsMock, client: Client) -> None:
    shop.get(BULK, body=b"")
    assert list(client.fetch_lines(BULK)) == []


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_an_expired_bulk_result_says_so(
    code: int, shop: responses.RequestsMock, client: Client
) -> None:
    shop.get(BULK, status=code, body="<Error/>")
    with pytest.raises(ShopError, match=rf"storage\.googleapis\.com has expired \({code}\)"):
        list(client.fetch_lines(BULK))
    assert len(shop.calls) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.googleapis.com/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "x",
        "http://[::1",
    ],
)
def test_a_bulk_result_elsewhere_than_behind_https_or_loopback_is_refused(
    url: str, client: Client
) -> None:
    with pytest.raises(ShopError, match="not https"):
        list(client.fetch_lines(url))


@pytest.mark.parametrize(
    "failure", [{"status": 503}, {"status": 429}, {"body": requests.ReadTimeout()}]
)
def test_a_bulk_result_is_asked_for_again_before_its_first_line(
    failure: dict[str, Any], shop: responses.RequestsMock, client: Client, clock: FakeClock
) -> None:
    shop.get(BULK, **failure)
    shop.get(BULK, body="{}\n")
    assert list(client.fetch_lines(BULK)) == [b"{}"]
    assert len(clock.slept) == 1


def test_an_endless_line_is_not_read_to_its_end(
    shop: responses.RequestsMock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PIECE_BYTES", 10)
    monkeypatch.setattr(client_module, "LONGEST_LINE_BYTES", 100)
    shop.get(BULK, body=b"x" * 1000)
    with pytest.raises(ShopError, match="not lines of JSON"):
        list(client.fetch_lines(BULK))


# Real sockets: what requests makes of them is not ours to imagine


@contextmanager
def loopback(*replies: bytes) -> Iterator[str]:
    """A server that gives each connection one of `replies`, then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for reply in replies:
                connection, _ = server.accept()
                with connection:
                    received = b""
                    while b"\r\n\r\n" not in received:
                        received += connection.recv(65536)
                    headers, _, body = received.partition(b"\r\n\r\n")
                    length = headers.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                    while len(body) < int(length or 0):
                        body += connection.recv(65536)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


def http(body: bytes, length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
        announced,
        body,
    )


GOOD = http(json.dumps(good()).encode())


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="closed without a word"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="cut in the headers"),
        pytest.param(http(b'{"data": {', 500), id="cut in the body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", id="cut in a chunk"
        ),
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            id="not the gzip it says",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}", id="of two lengths"),
    ],
)
def test_a_broken_connection_is_tried_again_or_not_like_any_unknown_outcome(
    broken: bytes, clock: FakeClock
) -> None:
    with loopback(broken, GOOD, broken) as endpoint:
        client = connect(clock, endpoint=endpoint)
        assert run(client) == DATA
        with pytest.raises(ShopError, match=r"\(Bulk\): it may have been done all the same"):
            run(client, ONCE)


def test_an_answer_in_specks_takes_little_more_memory_than_in_one_piece(clock: FakeClock) -> None:
    body = json.dumps(good()).encode() + b" " * 400_000
    specks = b"".join(b"2\r\n%s\r\n" % body[at : at + 2] for at in range(0, len(body) - 1, 2))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with loopback(head + specks + b"0\r\n\r\n") as endpoint:
        client = connect(clock, endpoint=endpoint)
        tracemalloc.start()
        try:
            assert run(client) == DATA
            assert tracemalloc.get_traced_memory()[1] < 6 * len(body)
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("length", ["\xb2", "-1", "x", "", "0" * 50 + "{}", "9" * 5_000])
def test_a_length_that_is_none_is_one_more_broken_answer_or_none(
    length: str, clock: FakeClock
) -> None:
    body = json.dumps(good()).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length.format(len(body))}\r\n\r\n"
    with loopback(head.encode("latin-1") + body, GOOD) as endpoint:
        assert run(connect(clock, endpoint=endpoint)) == DATA


def test_a_refused_connection_is_tried_again_even_for_a_mutation_without_a_key(
    clock: FakeClock,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(
        ShopError, match=rf"can't be reached.* \(Bulk, {MAX_TRIES} tries\): check the"
    ):
        run(connect(clock, endpoint=endpoint), ONCE)
    assert len(clock.slept) == MAX_TRIES - 1


@pytest.mark.parametrize(
    "odd", [requests.RequestException("no state file"), OSError("no CA bundle at x")]
)
def test_a_request_that_cannot_be_made_at_all_fails_at_once_and_says_why(
    odd: Exception, shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, body=odd)
    with pytest.raises(ShopError, match=f"{SHOP} can't be asked: {odd}"):
        run(client)
    assert len(shop.calls) == 1


@pytest.mark.parametrize("document", [QUERY, ONCE])
def test_a_certificate_that_cannot_be_trusted_fails_at_once(
    document: Document, shop: responses.RequestsMock, client: Client
) -> None:
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    shop.post(GRAPHQL, body=requests.exceptions.SSLError(untrusted))
    with pytest.raises(ShopError, match="certificate that can't be trusted"):
        run(client, document)
    assert len(shop.calls) == 1


def test_a_bulk_result_cut_before_its_first_line_is_read_again_and_afterwards_is_an_error(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PIECE_BYTES", 8)
    with loopback(http(b'{"id":', 100), http(b'{"id":1}\n{"id":2}\n{"i', 100)) as endpoint:
        lines = connect(clock, endpoint=endpoint).fetch_lines(f"{endpoint}/bulk")
        assert next(lines) == b'{"id":1}'
        with pytest.raises(ShopError, match="broke off before its end: nothing of it can be used"):
            list(lines)


def test_a_bulk_result_with_nothing_missing_but_the_announced_length_is_not_believed(
    shop: responses.RequestsMock, client: Client
) -> None:
    shop.get(BULK, body=b"{}\n", headers={"Content-Length": "3000"})
    with pytest.raises(ShopError, match="broke off"):
        list(client.fetch_lines(BULK))


# Answers that take too long, proxies


@contextmanager
def stalled(*beginnings: bytes) -> Iterator[str]:
    """A server that sends each connection the beginning of an answer, and no more until the end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            held = []
            for beginning in beginnings:
                connection, _ = server.accept()
                held.append(connection)
                connection.recv(65536)
                connection.sendall(beginning)
            over.wait()
            for connection in held:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join(5)


BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 2", BEGUN], ids=["silence", "head", "body"])
def test_an_answer_that_takes_too_long_is_asked_for_again(
    beginning: bytes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.05)
    with stalled(beginning, GOOD) as endpoint:
        assert run(connect(clock, endpoint=endpoint), IDEMPOTENT) == DATA
    with stalled(beginning) as endpoint, pytest.raises(ShopError, match=r"not done answering"):
        run(connect(clock, endpoint=endpoint), ONCE)


def test_a_bulk_result_that_stalls_is_an_error(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(wire, "PIECE_BYTES", 9)
    with stalled(BEGUN + b"}\n{}\n{}\n{}") as endpoint:
        lines = connect(clock, endpoint=endpoint).fetch_lines(f"{endpoint}/bulk")
        assert next(lines) == b"{}"
        with pytest.raises(ShopError, match=r"not done answering .* before its end"):
            list(lines)


PROXY = "http://me:pass-of-the-proxy@127.0.0.1:1"


@pytest.fixture
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("HTTP_PROXY", PROXY)


@pytest.mark.parametrize("document", [QUERY, ONCE])
@pytest.mark.usefixtures("dead_proxy")
def test_a_dead_proxy_is_named_as_the_proxy(document: Document, clock: FakeClock) -> None:
    with pytest.raises(NotExecuted) as failed:
        run(connect(clock), document)
    assert f"the proxy http://127.0.0.1:1 did not pass on a request to {SHOP}" in str(failed.value)
    assert str(failed.value).endswith(
        "check HTTPS_PROXY and NO_PROXY in the environment, and the proxy"
    )
    assert "pass-of-the-proxy" not in str(failed.value)


@pytest.mark.parametrize(
    ("answer", "says", "tries"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "(it answered 407)", 1),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "(it answered 403)", 1),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "(it answered 502)", MAX_TRIES),
    ],
)
def test_a_proxy_that_refuses_is_named_too(
    answer: bytes, says: str, tries: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    with loopback(*[answer] * tries) as proxy:
        where = proxy.removeprefix("http://")
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass-of-the-proxy@{where}")
        client = connect(clock)
        with pytest.raises(NotExecuted) as failed:
            run(client, ONCE)
    assert f"the proxy {proxy} did not pass on a request to {SHOP} {says}" in str(failed.value)
    assert "pass-of-the-proxy" not in str(failed.value)
    assert client.use.requests == tries


@pytest.mark.parametrize(
    "proxy", ["http://me:pass-of-the-proxy@[::1", "socks9://me:pass-of-the-proxy@x"]
)
def test_a_proxy_that_is_no_address_is_told_without_its_password(
    proxy: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ShopError) as failed:
        run(connect(clock))
    assert "proxy" in str(failed.value).lower()
    assert "pass-of-the-proxy" not in str(failed.value)


@pytest.mark.usefixtures("dead_proxy")
def test_on_loopback_nothing_passes_a_proxy(clock: FakeClock) -> None:
    with loopback(GOOD) as endpoint:
        assert run(connect(clock, endpoint=endpoint)) == DATA


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_no_answer(
    encoding: str, shop: responses.RequestsMock, client: Client
) -> None:
    shop.post(GRAPHQL, body=b"{}", headers={"Content-Encoding": encoding})
    with pytest.raises(ShopError, match="encoding that was not asked for"):
        run(client)


def test_gzip_in_several_parts_is_unpacked_whole(clock: FakeClock) -> None:
    body = json.dumps(good()).encode()
    packed = gzip.compress(body[:9]) + gzip.compress(body[9:])
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n"
    with loopback(
        b"%sContent-Length: %d\r\n\r\n%s" % (head, len(packed), packed),
        b"%sContent-Length: %d\r\n\r\n%s" % (head, len(packed) - 9, packed[:-9]),
        GOOD,
    ) as endpoint:
        assert run(connect(clock, endpoint=endpoint)) == DATA
        client = connect(clock, endpoint=endpoint)
        assert run(client) == DATA
        assert client.use.requests == 2  # the second answer was cut off
