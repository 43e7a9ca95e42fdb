"""What an answer means: the whole table, without HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

import pytest

from invsync.admin.adjust import outcome_of
from invsync.admin.answer import Answer, Call, Passing, answer_of
from invsync.admin.judge import beside, is_throttled, judge
from invsync.errors import CallRefused, NotExecuted, QueryTooLarge, ShopError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUERY = Call("a.myshopify.com", "Read", True, 46, "2026-10", lambda text: text)
ADJUST = replace(QUERY, operation="Adjust", is_query=False, cost=10)

#: How an answer is told: the data; "again": asked again, and it may have been carried out; "later":
#: asked again, and it was not; "unknown": an end without a known outcome; the other ends.
Told = Literal["data", "again", "later", "slow", "refused", "ended", "smaller", "unknown"]

APPLIED = {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": {"id": "g"}, "userErrors": []}}
NOTHING = {"inventoryAdjustQuantities": None}
COST = {
    "cost": {
        "requestedQueryCost": 862,
        "actualQueryCost": None,
        "throttleStatus": {
            "maximumAvailable": 4000.0,
            "currentlyAvailable": 572,
            "restoreRate": 200.0,
        },
    }
}


def told(call: Call, answer: Answer) -> Told:
    """Which way of the table an answer takes."""
    try:
        judge(call, answer, NOW)
    except Passing as failure:
        if failure.kind == "slow":
            return "slow"
        return "again" if failure.ran else "later"
    except CallRefused:
        return "refused"
    except NotExecuted:
        return "ended"
    except QueryTooLarge:
        return "smaller"
    except ShopError:
        return "unknown"
    return "data"


def said(status: int, body: Any = b"", **headers: str) -> Answer:
    """An answer with the JSON of `body`, or its bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer_of(status, headers, raw)


def failed(code: str | None, message: str = "made up", *, data: Any = ..., path: Any = None) -> Any:
    """The body of a GraphQL answer with one error; without data unless it is given."""
    entry: dict[str, Any] = {"message": message}
    if code:
        entry["extensions"] = {"code": code}
    if path is not None:
        entry["path"] = path
    return {"errors": [entry], **({} if data is ... else {"data": data})}


def both(*codes: str) -> Any:
    return {"errors": [failed(code)["errors"][0] for code in codes]}


AT_THE_MUTATION = ["inventoryAdjustQuantities"]
BELOW = ["inventoryAdjustQuantities", "inventoryAdjustmentGroup", "staffMember"]

#: What it is: the answer, and what it means to a query and to a mutation.
TABLE: dict[str, tuple[Answer, Told, Told]] = {
    # Data
    "data": (said(200, {"data": APPLIED}), "data", "data"),
    "201": (said(201, {"data": APPLIED}), "data", "data"),
    "no errors, as a list": (said(200, {"data": APPLIED, "errors": []}), "data", "data"),
    "no errors, as null": (said(200, {"data": APPLIED, "errors": None}), "data", "data"),
    "a group that is null": (
        said(200, {"data": {"inventoryAdjustQuantities": {"userErrors": []}}}),
        "data",
        "data",
    ),
    # Errors beside data: a denied field is resolved after the write
    "denied below, data": (
        said(200, failed("ACCESS_DENIED", data=APPLIED, path=BELOW)),
        "ended",
        "data",
    ),
    "denied, data, no path": (said(200, failed("ACCESS_DENIED", data=APPLIED)), "ended", "data"),
    "internal, data": (said(200, failed("INTERNAL_SERVER_ERROR", data=APPLIED)), "again", "data"),
    "throttled, data": (said(200, failed("THROTTLED", data=APPLIED)), "later", "data"),
    "odd, data": (said(200, {"data": APPLIED, "errors": "odd"}), "unknown", "data"),
    "null, data": (said(200, {"data": APPLIED, "errors": [None]}), "unknown", "data"),
    # 3.5: throttled
    "throttled": (said(200, {**failed("THROTTLED"), "extensions": COST}), "later", "later"),
    "throttled, no costs": (said(200, failed("THROTTLED")), "later", "later"),
    "throttled, data null": (said(200, failed("THROTTLED", data=None)), "later", "later"),
    "throttled, root null": (said(200, failed("THROTTLED", data=NOTHING)), "later", "later"),
    "dearer than the bucket": (
        said(
            200,
            {
                **failed("THROTTLED"),
                "extensions": {"cost": {"throttleStatus": {"maximumAvailable": 5}}},
            },
        ),
        "smaller",
        "ended",
    ),
    "dear": (said(200, failed("MAX_COST_EXCEEDED")), "smaller", "refused"),
    # 3.6: top-level codes
    "internal": (said(200, failed("INTERNAL_SERVER_ERROR")), "again", "again"),
    "internal, root null": (
        said(200, failed("INTERNAL_SERVER_ERROR", data=NOTHING)),
        "again",
        "again",
    ),
    "denied": (said(200, failed("ACCESS_DENIED", path=AT_THE_MUTATION)), "ended", "ended"),
    "denied, root null": (
        said(200, failed("ACCESS_DENIED", data=NOTHING, path=AT_THE_MUTATION)),
        "ended",
        "ended",
    ),
    "denied below, data null": (
        said(200, failed("ACCESS_DENIED", data=None, path=BELOW)),
        "ended",
        "unknown",
    ),
    "denied below, root null": (
        said(200, failed("ACCESS_DENIED", data=NOTHING, path=BELOW)),
        "ended",
        "unknown",
    ),
    "inactive": (said(200, failed("SHOP_INACTIVE")), "ended", "ended"),
    **{
        code: (said(200, failed(code, data=NOTHING, path=AT_THE_MUTATION)), "refused", "refused")
        for code in ("BAD_REQUEST", "INVALID_FIELD_ARGUMENTS", "RESOURCE_NOT_FOUND")
    },
    **{
        code: (said(200, failed(code)), "refused", "refused")
        for code in (
            "INVALID_VARIABLE",
            "MAX_INPUT_SIZE_EXCEEDED",
            "PARSE_ERROR",
            "undefinedField",
            "undefinedDirective",
            "selectionMismatch",
            "argumentLiteralsIncompatible",
            "argumentNotAccepted",
            "missingRequiredArguments",
            "missingRequiredInputObjectAttribute",
            "variableNotUsed",
        )
    },
    "a code of its own": (said(200, failed("NEVER_SEEN")), "unknown", "unknown"),
    "timeout": (said(200, failed(None, "Timeout")), "smaller", "again"),
    "timed out": (said(200, failed(None, "timeout of 10 s")), "smaller", "again"),
    "no code": (said(200, failed(None)), "unknown", "unknown"),
    # Several at once: nothing is known to be undone that one of them leaves open
    "throttled and bad": (said(200, both("THROTTLED", "BAD_REQUEST")), "refused", "refused"),
    "internal and bad": (
        said(200, both("INTERNAL_SERVER_ERROR", "BAD_REQUEST")),
        "unknown",
        "unknown",
    ),
    "internal and denied": (
        said(200, both("INTERNAL_SERVER_ERROR", "ACCESS_DENIED")),
        "unknown",
        "unknown",
    ),
    "denied and bad": (said(200, both("ACCESS_DENIED", "BAD_REQUEST")), "ended", "ended"),
    "throttled and internal": (
        said(200, both("THROTTLED", "INTERNAL_SERVER_ERROR")),
        "again",
        "again",
    ),
    "odd and bad": (said(200, both("NEVER_SEEN", "BAD_REQUEST")), "unknown", "unknown"),
    # Odd shapes
    "errors: text": (said(200, {"errors": "Not Found"}), "unknown", "unknown"),
    "errors: object": (said(200, {"errors": {"query": "missing"}}), "unknown", "unknown"),
    "errors: number": (said(200, {"errors": 7}), "unknown", "unknown"),
    "errors: nulls": (said(200, {"errors": [None, None]}), "unknown", "unknown"),
    "errors: lists": (said(200, {"errors": [["a"], []]}), "unknown", "unknown"),
    "errors: message a list": (said(200, {"errors": [{"message": ["x"]}]}), "unknown", "unknown"),
    "errors: extensions a text": (
        said(200, {"errors": [{"message": "m", "extensions": "y"}]}),
        "unknown",
        "unknown",
    ),
    "errors: code a number": (
        said(200, {"errors": [{"extensions": {"code": 5}}]}),
        "unknown",
        "unknown",
    ),
    "errors: path a text": (said(200, failed("ACCESS_DENIED", path="a.b")), "ended", "ended"),
    "errors empty, data null": (said(200, {"errors": [], "data": None}), "again", "again"),
    "errors: an empty text": (said(200, {"errors": "", "data": APPLIED}), "data", "data"),
    "data null": (said(200, {"data": None}), "again", "again"),
    "data a text": (said(200, {"data": "yes"}), "again", "again"),
    "data a list": (said(200, {"data": [APPLIED]}), "again", "again"),
    "data missing": (said(200, {}), "again", "again"),
    "empty": (said(200, b""), "again", "again"),
    "HTML": (said(200, b"<!DOCTYPE html>"), "again", "again"),
    "cut off": (said(200, b'{"data": {"inventoryAdj'), "again", "again"),
    "no text": (said(200, b"\xff\xfe\x00"), "again", "again"),
    "a list": (said(200, [1]), "again", "again"),
    "a number": (said(200, 1), "again", "again"),
    "null": (said(200, None), "again", "again"),
    "a number beyond reason": (said(200, b'{"data": ' + b"9" * 10_000 + b"}"), "again", "again"),
    "too deep": (said(200, b"[" * 100_000), "again", "again"),
    # 3.7: statuses
    "204": (said(204), "again", "again"),
    **{str(code): (said(code), "ended", "ended") for code in (307, 308)},
    **{str(code): (said(code), "unknown", "unknown") for code in (301, 302, 303)},
    **{str(code): (said(code, {"errors": "no"}), "refused", "refused") for code in (400, 413, 422)},
    **{
        str(code): (said(code, {"errors": "no"}), "ended", "ended")
        for code in (402, 403, 404, 406, 414, 415, 423, 430, 501, 783)
    },
    "402 as HTML": (said(402, b"<html>"), "ended", "ended"),
    "409": (said(409), "unknown", "unknown"),
    "418": (said(418), "unknown", "unknown"),
    "429": (said(429, {"errors": "slow"}), "later", "later"),
    "504": (said(504), "slow", "again"),
    **{
        str(code): (said(code, b"<html>no</html>"), "again", "again")
        for code in (500, 502, 503, 520, 530, 540)
    },
    "500 with data": (said(500, {"data": APPLIED}), "again", "again"),
    # What makes data of a query unfit to be used
    "another version": (
        said(200, {"data": APPLIED}, **{"X-Shopify-API-Version": "2026-04"}),
        "unknown",
        "data",
    ),
    "a search warning": (
        said(
            200,
            {
                "data": APPLIED,
                "extensions": {"search": [{"query": "id:>0", "warnings": [{"field": "id"}]}]},
            },
        ),
        "unknown",
        "data",
    ),
    "a search without warnings": (
        said(200, {"data": APPLIED, "extensions": {"search": [{"warnings": []}, None, "x"]}}),
        "data",
        "data",
    ),
}


def rows(table: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name)
        for name, row in table.items()
    ]


@pytest.mark.parametrize(("answer", "query", "mutation"), rows(TABLE))
def test_what_an_answer_means(answer: Answer, query: Told, mutation: Told) -> None:
    assert (told(QUERY, answer), told(ADJUST, answer)) == (query, mutation)


def test_the_table_is_as_large_as_it_has_to_be() -> None:
    assert len(TABLE) >= 60


@pytest.mark.parametrize(("answer", "query", "mutation"), rows(TABLE))
def test_what_is_said_is_one_line_that_names_who_and_what(
    answer: Answer, query: Told, mutation: Told
) -> None:
    for call in (QUERY, ADJUST):
        try:
            judge(call, answer, NOW)
        except Passing as failure:
            line = str(failure.given_up(call.operation, repeatable=True, tries=6))
        except ShopError as failure:
            line = str(failure)
        else:
            continue
        assert line.isprintable()
        assert "a.myshopify.com" in line
        assert "version" in line or call.operation in line


def test_the_scope_that_is_missing_is_named() -> None:
    body = failed(
        "ACCESS_DENIED", "Access denied. Required access: `write_inventory` access scope."
    )
    with pytest.raises(NotExecuted, match="lacks the scope write_inventory") as denied:
        judge(ADJUST, said(200, body), NOW)
    assert "have the shop accept it" in str(denied.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2.0"}, 2.0),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": format_datetime(NOW.replace(second=9), usegmt=True)}, 9.0),
        (
            {
                "Retry-After": format_datetime(NOW.replace(year=2027, second=9), usegmt=True),
                "Date": format_datetime(NOW.replace(year=2027), usegmt=True),
            },
            9.0,
        ),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(Passing) as failure:
        judge(QUERY, said(429, **headers), NOW)
    assert failure.value.wait == seconds


def test_errors_beside_the_data_of_a_mutation_are_told() -> None:
    answer = said(200, failed("ACCESS_DENIED", "Access denied for staffMember", data=APPLIED))
    assert beside(ADJUST, answer) == "Access denied for staffMember"
    assert beside(ADJUST, said(200, {"data": APPLIED})) == ""


def test_what_says_to_slow_down() -> None:
    assert is_throttled(said(429))
    assert is_throttled(said(200, failed("THROTTLED")))
    assert not is_throttled(said(200, {"data": APPLIED}))
    assert not is_throttled(said(502))


def test_half_a_character_is_mended_wherever_it_stands() -> None:
    body = b'{"data": {"a": ["x\\ud83dy", {"b\\uDE00": "\\ud83d\\ude00"}]}}'
    assert said(200, body).payload == {"data": {"a": ["x?y", {"b?": "\N{GRINNING FACE}"}]}}


# The payload of an adjustment


def payload(*errors: Any) -> Any:
    return {
        "inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [*errors]}
    }


def user_error(code: Any, field: Any = ..., message: Any = "made up") -> dict[str, Any]:
    at = ["input", "changes", "3", "inventoryItemId"] if field is ... else field
    return {"code": code, "field": at, "message": message}


#: Every code of the enum of 2026-10, and those of older versions.
CODES: dict[str, str] = {
    **dict.fromkeys(
        (
            "INVALID_INVENTORY_ITEM",
            "INVALID_LOCATION",
            "NON_MUTABLE_INVENTORY_ITEM",
            "INVALID_QUANTITY_TOO_HIGH",
            "INVALID_QUANTITY_TOO_LOW",
            "ITEM_NOT_STOCKED_AT_LOCATION",
            "NEVER_SEEN",
        ),
        "refused",
    ),
    **dict.fromkeys(
        (
            "INVALID_QUANTITY_NAME",
            "INVALID_REASON",
            "INVALID_REFERENCE_DOCUMENT",
            "INVALID_LEDGER_DOCUMENT",
            "INVALID_AVAILABLE_DOCUMENT",
            "INVALID_QUANTITY_DOCUMENT",
            "INTERNAL_LEDGER_DOCUMENT",
            "MAX_ONE_LEDGER_DOCUMENT",
        ),
        "ours",
    ),
    **dict.fromkeys(
        ("ADJUST_QUANTITIES_FAILED", "SERVICE_UNAVAILABLE", "IDEMPOTENCY_CONCURRENT_REQUEST"),
        "busy",
    ),
    "CHANGE_FROM_QUANTITY_STALE": "stale",
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": "failed_before",
}


@pytest.mark.parametrize(("code", "answer"), CODES.items())
def test_what_a_user_error_means(code: str, answer: str) -> None:
    (refusal,) = outcome_of(payload(user_error(code)))
    assert (refusal.answer, refusal.index) == (answer, 3)
    assert refusal.message == f"made up ({code})"


def test_only_a_key_that_is_still_at_work_leaves_the_outcome_open() -> None:
    open_ones = {code for code in CODES if outcome_of(payload(user_error(code)))[0].still_running}
    assert open_ones == {"IDEMPOTENCY_CONCURRENT_REQUEST"}


def test_no_user_error_means_that_it_was_applied() -> None:
    assert outcome_of(payload()) == ()
    assert outcome_of(APPLIED) == ()


@pytest.mark.parametrize(
    ("field", "index"),
    [
        (["input", "changes", "0"], 0),
        (["input", "changes", "249", "locationId"], 249),
        (["input", "changes", 7, "locationId"], 7),
        (["input", "changes"], None),
        (["input", "reason"], None),
        (["input"], None),
        ([], None),
        (None, None),
        ("input.changes.3", None),
        (["input", "changes", "x"], None),
        (["input", "changes", "-1"], None),
        (["input", "changes", "²"], None),
        (["input", "changes", None], None),
    ],
)
def test_which_row_a_user_error_names(field: Any, index: int | None) -> None:
    (refusal,) = outcome_of(payload(user_error("INVALID_LOCATION", field)))
    assert refusal.index == index


@pytest.mark.parametrize(("code", "message"), [(None, "made up"), ("X", None), ("X", 5), ("X", "")])
def test_a_user_error_without_code_or_message_is_a_refusal_all_the_same(
    code: Any, message: Any
) -> None:
    (refusal,) = outcome_of(payload(user_error(code, message=message)))
    assert refusal.answer == "refused"
    assert refusal.message


def test_a_key_known_with_other_adjustments_ends_the_run() -> None:
    with pytest.raises(ShopError, match=r"idempotency key.*nothing more was sent"):
        outcome_of(payload(user_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)))


@pytest.mark.parametrize(
    "data",
    [
        {},
        NOTHING,
        {"inventoryAdjustQuantities": {}},
        {"inventoryAdjustQuantities": {"userErrors": None}},
        {"inventoryAdjustQuantities": {"userErrors": {}}},
        {"inventoryAdjustQuantities": {"userErrors": ["x"]}},
        {"inventoryAdjustQuantities": {"userErrors": [None]}},
        {"inventoryAdjustQuantities": [[]]},
    ],
)
def test_a_misshapen_payload_leaves_the_outcome_unknown(data: Any) -> None:
    with pytest.raises(ShopError, match="not known") as failure:
        outcome_of(data)
    assert not isinstance(failure.value, NotExecuted)
