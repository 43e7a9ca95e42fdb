"""Misbehaviour on demand: which request goes wrong, how, and whether it was applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from sandbox_desk import ADJUST, adjustment

from invsync.sandbox.faults import BadRules, read_file, read_rules
from invsync.sandbox.server import running
from invsync.sandbox.transport import SandboxAdapter

SHOP = {"query": "{ shop { name } }"}
PATH = "/admin/api/2026-10/graphql.json"
URL = "https://sandbox.myshopify.com"


def statuses(desk, count: int, body=SHOP) -> list:
    answers = [desk.send("POST", PATH, body) for _ in range(count)]
    return ["cut" if answer.cut else answer.status for answer in answers]


def adjust(desk, key: str = "k", sku: str = "PRINT-S"):
    """Send an adjustment by −2; the answer as it arrives."""
    return desk.send(
        "POST",
        PATH,
        {"query": ADJUST, "variables": {"key": key, "input": adjustment([desk.change(sku, -2)])}},
    )


# -- which request ---------------------------------------------------------------------------------


def test_a_rule_without_conditions_strikes_always(new_desk) -> None:
    assert statuses(new_desk(faults=[{"fault": 503}]), 3) == [503, 503, 503]


def test_a_rule_can_name_requests_by_their_running_number(new_desk) -> None:
    desk = new_desk(faults=[{"fault": 503, "request": [2, 4]}])
    assert statuses(desk, 5) == [200, 503, 200, 503, 200]


def test_a_rule_can_be_used_up(new_desk) -> None:
    assert statuses(new_desk(faults=[{"fault": 503, "times": 2}]), 4) == [503, 503, 200, 200]


@pytest.mark.parametrize("name", ["Adjust", "inventoryAdjustQuantities"])
def test_a_rule_can_name_an_operation_or_a_field(new_desk, name: str) -> None:
    desk = new_desk(faults=[{"fault": 502, "operation": name, "nth": 2}])
    assert statuses(desk, 2) == [200, 200]
    assert [adjust(desk, key).status for key in "abc"] == [200, 502, 200]


def test_a_rule_can_strike_by_chance_and_always_alike(new_desk) -> None:
    rules = {"seed": 7, "rules": [{"fault": 503, "probability": 0.5}]}
    first = statuses(new_desk(faults=read_rules(rules)), 40)
    assert 10 < first.count(503) < 30
    assert statuses(new_desk(faults=read_rules(rules)), 40) == first
    assert statuses(new_desk(faults=read_rules({**rules, "seed": 8})), 40) != first


def test_a_rule_can_name_the_grant(new_desk) -> None:
    desk = new_desk(faults=[{"fault": 500, "operation": "access_token"}])
    assert statuses(desk, 1) == [200]
    assert desk.send("POST", "/admin/oauth/access_token", b"").status == 500


# -- how it goes wrong -----------------------------------------------------------------------------


def test_latency_is_slept_before_the_request_and_adds_up_with_other_faults(new_desk) -> None:
    slept: list[float] = []
    desk = new_desk(
        faults=[{"fault": "latency", "seconds": 2.5}, {"fault": 503, "request": 2}],
        sleep=slept.append,
    )
    assert statuses(desk, 2) == [200, 503]
    assert slept == [2.5, 2.5]


def test_an_answer_slower_than_the_caller_waits_is_a_timeout_of_an_applied_request(
    shop, clock
) -> None:
    rules = [{"fault": "latency", "seconds": 30}]
    session = requests.Session()
    session.headers["X-Shopify-Access-Token"] = "t"
    session.mount(URL, SandboxAdapter(shop, now=clock, faults=rules, sleep=clock.pass_))
    row = {
        "inventoryItemId": shop.item("MUG").gid,
        "locationId": shop.primary.gid,
        "delta": -1,
        "changeFromQuantity": 20,
    }
    body = {"query": ADJUST, "variables": {"key": "k", "input": adjustment([row])}}
    with pytest.raises(requests.ReadTimeout):
        session.post(URL + PATH, json=body, timeout=(5, 29))
    assert shop.available("MUG") == 19
    assert session.post(URL + PATH, json=body, timeout=31).ok


@pytest.mark.parametrize(
    ("code", "errors"),
    [
        (401, "[API] Invalid API key or access token (unrecognized login or wrong password)"),
        (402, "This shop's plan does not have access to this feature"),
        (403, "Unavailable Shop"),
        (423, "This shop is unavailable"),
        (500, "Internal Server Error"),
    ],
)
def test_a_status_comes_with_its_documented_body(new_desk, code: int, errors: str) -> None:
    desk = new_desk(faults=[{"fault": code}])
    assert statuses(desk, 1) == [code]
    assert json.loads(desk.answer.body) == {"errors": errors}


@pytest.mark.parametrize("code", [502, 503, 504])
def test_a_gateway_answers_with_html_or_with_nothing(new_desk, code: int) -> None:
    desk = new_desk(faults=[{"fault": code}, {"fault": code, "body": "empty"}])
    desk.send("POST", PATH, SHOP)
    assert desk.answer.headers["Content-Type"].startswith("text/html")
    assert desk.answer.body.startswith(b"<!DOCTYPE html>")
    empty = new_desk(faults=[{"fault": "status", "code": code, "body": "empty"}])
    assert empty.send("POST", PATH, SHOP).body == b""


def test_429_says_when_to_come_back_in_seconds_or_as_a_date(new_desk) -> None:
    desk = new_desk(faults=[{"fault": 429, "retry_after": 2}])
    assert (statuses(desk, 1), desk.answer.headers["Retry-After"]) == ([429], "2.0")
    desk = new_desk(faults=[{"fault": 429, "retry_after": 30, "as_date": True}])
    desk.send("POST", PATH, SHOP)
    assert desk.answer.headers["Retry-After"] == "Sun, 22 Nov 2026 10:00:30 GMT"


@pytest.mark.parametrize("fault", ["garbage", "html"])
def test_a_200_may_hold_no_json(new_desk, fault: str) -> None:
    desk = new_desk(faults=[{"fault": fault}])
    assert statuses(desk, 1) == [200]
    with pytest.raises(ValueError, match=r"."):
        json.loads(desk.answer.body)


def test_a_throttled_request_finds_the_bucket_empty(new_desk, clock) -> None:
    desk = new_desk(faults=[{"fault": "throttled", "times": 1}])
    answer = json.loads(adjust(desk).body)
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 0
    assert desk.shop.available("PRINT-S") == 30
    clock.pass_(0.13)
    desk.adjust(desk.change("PRINT-S", -2), key="k")
    assert desk.shop.available("PRINT-S") == 28


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("internal_error", "INTERNAL_SERVER_ERROR"),
        ("timeout", None),
        (502, None),
        ("garbage", None),
    ],
)
def test_an_answer_can_be_lost_before_or_after_the_change(
    new_desk, fault, code, applied: bool
) -> None:
    desk = new_desk(faults=[{"fault": fault, "applied": applied, "times": 1}])
    answer = adjust(desk)
    if code:
        (error,) = json.loads(answer.body)["errors"]
        assert error["extensions"]["code"] == code
        assert error["extensions"]["requestId"] == answer.headers["X-Request-Id"]
    assert desk.shop.available("PRINT-S") == (28 if applied else 30)
    desk.adjust(desk.change("PRINT-S", -2), key="k")
    assert desk.shop.available("PRINT-S") == 28, (
        "the same key applies it once, whatever happened before"
    )


def test_a_connection_can_be_cut_before_or_after_the_change(new_desk) -> None:
    desk = new_desk(
        faults=[{"fault": "cut_before", "request": 1}, {"fault": "cut_after", "request": 2}]
    )
    assert adjust(desk).cut
    assert desk.shop.available("PRINT-S") == 30
    assert adjust(desk).cut
    assert desk.shop.available("PRINT-S") == 28


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, ["input", "changes", "1", "inventoryItemId"]),
        ({"named": False}, None),
        ({"code": "INVALID_LOCATION"}, ["input", "changes", "1", "inventoryItemId"]),
    ],
)
def test_an_item_can_be_refused_with_any_code_and_with_or_without_its_row(
    new_desk, shop, rule: dict, field
) -> None:
    desk = new_desk(
        faults=[{"fault": "refuse", "items": ["PRINT-M", shop.item("PRINT-L").gid], **rule}]
    )
    code = rule.get("code", "NON_MUTABLE_INVENTORY_ITEM")
    changes = [desk.change(sku, -1) for sku in ("PRINT-S", "PRINT-M")]
    assert desk.codes(*changes) == [(code, field)]
    assert desk.codes(desk.change("PRINT-L", -1), key="other")[0][0] == code
    assert shop.availables("PRINT-S", "PRINT-M") == [30, 30]
    desk.adjust(desk.change("PRINT-S", -1), key="third")


@pytest.mark.parametrize(
    "code", ["SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"]
)
@pytest.mark.parametrize("applied", [False, True])
def test_a_call_can_be_refused_for_now(new_desk, shop, code: str, applied: bool) -> None:
    desk = new_desk(faults=[{"fault": "user_error", "code": code, "times": 1, "applied": applied}])
    change = desk.change("PRINT-S", -2)
    assert desk.codes(change, key="k") == [(code, None)]
    assert shop.available("PRINT-S") == (28 if applied else 30)
    assert desk.adjust(change, key="k")["inventoryAdjustmentGroup"]
    assert shop.available("PRINT-S") == 28


def test_a_key_that_was_applied_gives_its_answer_again_whatever_would_be_refused_now(
    new_desk, shop
) -> None:
    desk = new_desk(faults=[{"fault": "user_error", "code": "INVALID_LOCATION", "nth": 2}])
    change = desk.change("PRINT-S", -2)
    assert desk.codes(change, key="k") == []
    assert desk.codes(change, key="k") == []
    assert shop.available("PRINT-S") == 28


def test_a_code_that_the_schema_does_not_know_is_answered_all_the_same(new_desk) -> None:
    desk = new_desk(faults=[{"fault": "user_error", "code": "BRAND_NEW_CODE"}])
    assert desk.codes(desk.change("PRINT-S", -2)) == [("BRAND_NEW_CODE", None)]


def test_an_error_can_stand_beside_an_applied_change(new_desk, shop) -> None:
    desk = new_desk(faults=[{"fault": "error_beside_data"}])
    given = {"key": "k", "input": adjustment([desk.change("PRINT-S", -2)])}
    answer = desk.ask(ADJUST, given)
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert answer["data"]["inventoryAdjustQuantities"]["inventoryAdjustmentGroup"]
    assert shop.available("PRINT-S") == 28


def test_keys_can_be_forgotten_early(new_desk, shop, clock) -> None:
    desk = new_desk(faults=[{"fault": "key_retention", "seconds": 60, "times": 1}])
    change = desk.change("PRINT-S", -2)
    for key_age in (0, 59, 2):
        clock.pass_(key_age)
        desk.adjust(change, key="k")
    assert shop.available("PRINT-S") == 26


def test_an_answer_can_be_truncated_with_or_without_a_trace(new_desk) -> None:
    whole = new_desk().send("POST", PATH, SHOP).size()
    desk = new_desk(
        faults=[
            {"fault": "truncated", "at": 10, "request": 1},
            {"fault": "truncated", "silent": True, "request": 2},
        ]
    )
    assert (desk.send("POST", PATH, SHOP).truncate_at, desk.answer.size()) == (10, whole)
    assert (desk.send("POST", PATH, SHOP).truncate_at, desk.answer.size()) == (None, whole // 2)


# -- what a client sees of it ----------------------------------------------------------------------


@pytest.fixture(params=["in the process", "over HTTP"])
def send(request, shop, clock):
    """Sends one request to a shop with the given rules."""

    def through(rules):
        with requests.Session() as session:
            session.headers["X-Shopify-Access-Token"] = "t"
            if request.param == "in the process":
                session.mount(URL, SandboxAdapter(shop, now=clock, faults=rules))
                return session.post(URL + PATH, json=SHOP, timeout=10)
            with running(shop, now=clock, faults=rules) as served:
                return session.post(served.url + PATH, json=SHOP, timeout=10)

    return through


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_cut_is_a_connection_error(send, fault: str) -> None:
    with pytest.raises(requests.ConnectionError):
        send([{"fault": fault}])


def test_a_truncated_answer_is_a_broken_body(send) -> None:
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        send([{"fault": "truncated"}])


def test_a_silently_truncated_answer_is_no_json(send) -> None:
    response = send([{"fault": "truncated", "silent": True}])
    assert response.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_a_status_arrives_with_its_headers(send) -> None:
    response = send([{"fault": 429, "retry_after": 1.5}])
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1.5")


# -- the file --------------------------------------------------------------------------------------


def test_rules_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        """
        - fault: cut_after
          operation: inventoryAdjustQuantities
          nth: [1, 2]
        - {fault: 502, body: html, probability: 0.1, times: 3}
        - {fault: refuse, items: [PRINT-S], named: false}
        """
    )
    rules = read_file(path).rules
    assert [rule.fault for rule in rules] == ["cut_after", "status", "refuse"]
    assert (rules[0].operation, rules[0].nth) == (("inventoryAdjustQuantities",), (1, 2))
    assert (rules[1].code, rules[1].probability, rules[1].times) == (502, 0.1, 3)
    path.write_text("")
    assert read_file(path).rules == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (5, "must be a list of rules"),
        ({"rule": []}, "must be a list of rules"),
        ({"rules": [], "seed": "x"}, "must be a list of rules"),
        (["cut"], "rule 1: must be a mapping with the key `fault`"),
        (
            [{"fault": "cut_after"}, {"fault": "lag"}],
            "rule 2: there is no fault 'lag'; there are a status such as 502, lat",
        ),
        (
            [{"fault": "cut_after", "opration": "x"}],
            "rule 1: the fault cut_after has no `opration`; it reads nth, oper",
        ),
        (
            [{"fault": "latency", "seconds": "long"}],
            "rule 1: `seconds` must be a number of seconds",
        ),
        (
            [{"fault": "latency", "request": 0}],
            "rule 1: `request` must be a number from 1, or a list of them",
        ),
        (
            [{"fault": "latency", "operation": 5}],
            "rule 1: `operation` must be a name, or a list of them",
        ),
        ([{"fault": "latency", "probability": 2}], "rule 1: `probability` must be between 0 and 1"),
        ([{"fault": "latency", "times": -1}], "rule 1: `times` must be a whole number"),
        ([{"fault": 502, "body": "pdf"}], "rule 1: `body` must be json, html or empty"),
        ([{"fault": 502, "applied": "yes"}], "rule 1: `applied` must be true or false"),
        ([{"fault": 200}], "rule 1: `code` must be a status from 400 to 599"),
        ([{"fault": "refuse"}], "rule 1: `items` must name at least one SKU or item id"),
        ([{"fault": "user_error"}], "rule 1: `code` must be a code of a user error"),
        (
            [{"fault": "bulk_ends", "ends": "WELL"}],
            "rule 1: `ends` must be FAILED, CANCELED or EXPIRED",
        ),
    ],
)
def test_a_wrong_rule_is_refused_in_one_line_that_says_where(
    document: object, message: str
) -> None:
    with pytest.raises(BadRules) as refused:
        read_rules(document, "faults.yaml")
    assert str(refused.value).startswith(f"faults.yaml: {message}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file or directory"),
        (b"- a: [", "line 1: is not YAML"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "faults.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRules) as refused:
        read_file(path)
    assert str(refused.value) == f"{path}: {message}"
