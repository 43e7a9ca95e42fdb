"""What Shopify was recorded to answer: judged by the client, and held against the sandbox.

The recordings are no part of the project. Where they lie is told by INVSYNC_RECORDED, or they lie
beside the repository; without them these tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asked_forms import forms
from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, parse
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from recorded_shop import nodes, seed
from sandbox_desk import Clock, Desk

from invsync.admin import adjust, bulk
from invsync.admin import nodes as readers
from invsync.admin.access import read_access
from invsync.admin.judge import Answer, Call, Denied, judge
from invsync.admin.terms import SENT, Evidence
from invsync.errors import CallRefused, ShopError
from invsync.sandbox.execution import prepare
from invsync.sandbox.shop import Shop
from invsync.sandbox.walker import refusals

Exchange = Mapping[str, Any]

_PROJECT = Path(__file__).parents[2]
FILE = Path(os.environ.get("INVSYNC_RECORDED", _PROJECT.parent / "shared/recorded"))
FILE /= "exchanges.jsonl"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no recordings at {FILE}")


@cache
def exchanges() -> tuple[Exchange, ...]:
    """All of them, in their order."""
    return tuple(json.loads(line) for line in FILE.read_text("utf-8").splitlines())


def numbered(*numbers: int) -> list[Exchange]:
    by_number = {one["n"]: one for one in exchanges()}
    return [by_number[number] for number in numbers]


def all_of_them() -> list[Any]:
    if not FILE.is_file():
        return []
    return [pytest.param(one, id=f"{one['n']}-{one['kind']}") for one in exchanges()]


def operation_of(exchange: Exchange) -> OperationDefinitionNode:
    """The one operation of a request."""
    definitions = parse(exchange["query"]).definitions
    (found,) = (one for one in definitions if isinstance(one, OperationDefinitionNode))
    return found


# The client


def judged(exchange: Exchange) -> dict[str, Any]:
    """What the client takes an answer for; raises as it does for all that is no data."""
    operation = operation_of(exchange)
    name = operation.name.value if operation.name else "?"
    is_query = operation.operation.value == "query"
    call = Call("shop", name, is_query, 1, exchange["api_version"], str)
    body = json.dumps(exchange["answer"]).encode()
    answer = Answer(200, {}, body, json.loads(body))
    return judge(call, answer, datetime(2026, 11, 25, tzinfo=UTC))


#: Recorded top-level code → what the client takes the answer for.
_REFUSED = {
    "ACCESS_DENIED": Denied,
    "NOT_FOUND": ShopError,
}


@pytest.mark.parametrize("exchange", all_of_them())
def test_the_client_judges_every_answer_as_it_is(exchange: Exchange) -> None:
    """Data for data, user errors among it; a warned search and a refused call for what they are."""
    answer = exchange["answer"]
    if exchange["kind"] in ("plain", "user errors"):
        assert judged(exchange) == answer["data"]
        return
    with pytest.raises(ShopError) as raised:
        judged(exchange)
    if exchange["kind"] == "search warning":
        warned = answer["extensions"]["search"][0]
        assert f"does not understand the term {warned['warnings'][0]['field']}" in str(raised.value)
        assert warned["query"] in str(raised.value)
        return
    code = answer["errors"][0]["extensions"]["code"]
    assert type(raised.value) is _REFUSED.get(code, CallRefused)
    said = code if code == "ACCESS_DENIED" else answer["errors"][0]["message"]
    assert said in str(raised.value)


class Said:
    """A client whose answers were recorded, judged as they came."""

    def __init__(self, **answers: Exchange) -> None:
        self._answers = answers

    def execute(self, document: Any, variables: Any, *, cost: int) -> dict[str, Any]:
        found = self._answers.get(document.operation)
        if found is None:
            raise Reached(document.operation, variables)
        return judged(found)

    def wait(self, seconds: float, why: str) -> None:
        raise Reached("wait", why)

    def fetch_lines(self, url: str) -> Iterator[bytes]:
        raise Reached("download", url)


class Reached(Exception):
    """What was asked for next."""


def readable(value: Any) -> Iterator[tuple[Any, type[Any]]]:
    """The parts of an answer that invsync has a reader for, where they hold all that it asks."""
    for node in nodes(value):
        names = {one.get("name") for one in node.get("quantities") or ()}
        if {"available", "on_hand", "committed"} <= names:
            yield node, readers.LevelNode
        if {"hasNextPage", "endCursor"} <= node.keys():
            yield node, readers.PageInfo
        if {"status", "objectCount", "errorCode", "url"} <= node.keys():
            yield node, bulk._Operation
        if {"id", "title", "productType", "tags", "status", "isGiftCard"} <= node.keys():
            yield node, readers.Product
        if {"bulkOperation", "userErrors"} <= node.keys():
            yield node, bulk._Started


def test_the_readers_take_every_object_that_they_are_made_for() -> None:
    taken: Counter[str] = Counter()
    for exchange in exchanges():
        for node, shape in readable(exchange["answer"].get("data")):
            made = readers.of(f"exchange {exchange['n']}", node, shape)
            taken[shape.__name__] += 1
            if shape is readers.LevelNode:
                read = readers.quantities_of(made)
                by_name = {one["name"]: one["quantity"] for one in node["quantities"]}
                assert (read.available, read.on_hand, read.committed) == (
                    by_name["available"],
                    by_name["on_hand"],
                    by_name["committed"],
                )
            if shape is bulk._Operation:
                assert made.count == int(node["objectCount"])
    print(dict(taken))
    assert taken == TAKEN


@pytest.mark.parametrize("number", [58, 59])
def test_an_adjustment_that_was_applied_is_applied(number: int) -> None:
    (exchange,) = numbered(number) if FILE.is_file() else (None,)
    client: Any = Said(Adjust=exchange)
    assert adjust.adjust(client, exchange["variables"]) == ()


def test_an_adjustment_that_was_refused_is_told_row_by_row() -> None:
    unknown, reason, name = numbered(252, 253, 251)

    def told(exchange: Exchange) -> list[tuple[str, int | None]]:
        client: Any = Said(Adjust=exchange)
        return [(one.answer, one.index) for one in adjust.adjust(client, exchange["variables"])]

    assert told(unknown) == [("refused", 0), ("refused", 0)]
    assert told(reason) == [("ours", None)]
    assert told(name) == [("refused", None)], "recorded without its code"


def test_a_bulk_operation_that_was_started_is_waited_for() -> None:
    started, created, running, completed, gone = numbered(29, 3, 8, 4, 11)

    def next_of(**answers: Exchange) -> tuple[Any, ...]:
        client: Any = Said(StartBulk=started, **answers)
        with pytest.raises(Reached) as reached:
            list(bulk.bulk_items(client, "", lambda *_: None))
        return reached.value.args

    assert next_of() == ("BulkStatus", {"id": "gid://shopify/BulkOperation/8066659025202"})
    assert next_of(BulkStatus=created) == ("wait", "a bulk operation is still running")
    assert next_of(BulkStatus=running) == ("wait", "a bulk operation is still running")
    assert next_of(BulkStatus=completed)[0] == "download"
    client: Any = Said(StartBulk=started, BulkStatus=gone)
    with pytest.raises(bulk.BulkFailed, match="is gone"):
        list(bulk.bulk_items(client, "", lambda *_: None))


def test_a_bulk_operation_that_was_cancelled_is_not_believed_though_it_has_a_url() -> None:
    (started, listed) = numbered(29, 38)
    operation = listed["answer"]["data"]["bulkOperations"]["nodes"][0]
    assert (operation["status"], bool(operation["url"])) == ("CANCELED", True)
    answer = {"data": {"bulkOperation": operation}}
    client: Any = Said(StartBulk=started, BulkStatus={**started, "answer": answer})
    with pytest.raises(bulk.BulkFailed, match="ended as CANCELED"):
        list(bulk.bulk_items(client, "", lambda *_: None))


@pytest.mark.parametrize("number", [238, 239, 240, 241, 242, 243])
def test_a_bulk_operation_that_was_refused_is_told_with_all_its_reasons(number: int) -> None:
    (exchange,) = numbered(number)
    client: Any = Said(StartBulk=exchange)
    with pytest.raises(bulk.BulkFailed) as raised:
        list(bulk.bulk_items(client, "", lambda *_: None))
    for error in exchange["answer"]["data"]["bulkOperationRunQuery"]["userErrors"]:
        assert error["message"] in str(raised.value)


def test_what_was_granted_is_read() -> None:
    (exchange,) = numbered(49)
    data = {**exchange["answer"]["data"], "shop": {"myshopifyDomain": "a.myshopify.com"}}
    client: Any = Said(Access={**exchange, "answer": {"data": data}})
    scopes = {one["handle"] for one in data["currentAppInstallation"]["accessScopes"]}
    assert read_access(client).scopes == scopes != set()


# The table


def test_the_exchanges_that_the_table_names_show_what_it_says() -> None:
    """The same argument in the same form, wherever in the document it stands."""
    shown = {one["n"]: forms_in(one) for one in exchanges()}
    for row in SENT:
        if row.evidence is Evidence.RECORDED:
            argument = re.split(r"[.\]]", row.place)[-1].strip()
            for number in row.exchanges:
                assert (argument, row.form) in shown[number], (row, number)


def forms_in(exchange: Exchange) -> set[tuple[str, str]]:
    """Each argument of a request without the way to it, and its form."""
    try:
        found = forms(exchange["query"], exchange["variables"])
    except (ValueError, AssertionError):  # fragments with names, of which invsync writes none
        return set()
    return {(re.split(r"[.\]]", place)[-1].strip(), form) for place, form in found}


# The sandbox

#: Why an exchange can't be held against the sandbox.
MISPAIRED = "the answer that was recorded is to another request"
SCHEMA = "asks for fields that the sandbox's part of the schema has not"
BULK_SCHEMA = "starts a bulk query of fields that the sandbox's part of the schema has not"
INTROSPECTION = "asks for the schema itself"
CURSORS = "carries a cursor that only that shop can read"

#: How many of the recordings go which way; a change is to be looked at.
REPLAYED = "replayed"
WAYS = {
    SCHEMA: 147,
    REPLAYED: 104,
    MISPAIRED: 17,
    BULK_SCHEMA: 4,
    INTROSPECTION: 2,
    CURSORS: 2,
}
#: What the readers take in all of them.
TAKEN = {"PageInfo": 101, "_Operation": 48, "_Started": 38, "LevelNode": 34}


def way(exchange: Exchange) -> str:
    """Whether an exchange can be replayed, or why not."""
    document = parse(exchange["query"])
    ready = prepare(version(exchange), exchange["query"])
    if not shows_what_was_asked(exchange, document):
        return MISPAIRED
    if beyond_schema(exchange, ready.errors):
        return SCHEMA
    if re.search(r"\b__(type|schema)\b", exchange["query"]):
        return INTROSPECTION
    if exchange["variables"].keys() & {"after", "afterCursor", "before", "beforeCursor"} and any(
        value for name, value in exchange["variables"].items() if re.match("after|before", name)
    ):
        return CURSORS
    bulk_query = exchange["variables"].get("query")
    started = (exchange["answer"].get("data") or {}).get("bulkOperationRunQuery") or {}
    if started.get("bulkOperation") and refusals(version(exchange), bulk_query):
        return BULK_SCHEMA
    return REPLAYED


def version(exchange: Exchange) -> str:
    """The version that answers: the oldest that is served, for one that is none any more."""
    return max(exchange["api_version"], "2026-01")


def beyond_schema(exchange: Exchange, errors: list[dict[str, Any]]) -> bool:
    """Whether the sandbox refuses a document for what it lacks, which Shopify has."""
    lacking = {"undefinedField", "undefinedType", "selectionMismatch"}
    said = {one["message"] for one in exchange["answer"].get("errors") or ()}
    return any(
        one["extensions"]["code"] in lacking and one["message"] not in said for one in errors
    )


def shows_what_was_asked(exchange: Exchange, document: DocumentNode) -> bool:
    """Whether an answer holds nothing but what its request selects."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }

    def selected(selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from selected(fragments[node.name.value].selection_set)
            elif isinstance(node, InlineFragmentNode):
                yield from selected(node.selection_set)

    def fits(value: Any, holders: list[SelectionSetNode | None]) -> bool:
        if isinstance(value, list):
            return all(fits(one, holders) for one in value)
        if not isinstance(value, dict):
            return True
        below: dict[str, list[SelectionSetNode | None]] = {}
        for holder in holders:
            for field in selected(holder):
                key = field.alias.value if field.alias else field.name.value
                below.setdefault(key, []).append(field.selection_set)
        return all(
            key in below and (all(one is None for one in below[key]) or fits(inner, below[key]))
            for key, inner in value.items()
        )

    return fits(exchange["answer"].get("data"), [operation_of(exchange).selection_set])


def asked_of_the_sandbox(exchange: Exchange) -> dict[str, Any]:
    """What a sandbox answers that holds what the exchange presupposes."""
    clock = Clock()
    shop = Shop(now=clock)
    seed(shop, exchange)
    desk = Desk(shop, clock)
    desk.version = version(exchange)
    return desk.ask(exchange["query"], exchange["variables"])


#: Where a text is Shopify's own, not of that one shop. The `type` of a bulk operation is left out:
#: some recorded ones are mutations, of which the sandbox has none.
_WORDS = {"errors", "userErrors", "warnings", "parsed", "code", "status", "errorCode"}


def differences(
    recorded: Any, answered: Any, *, trimmed: bool, way: tuple[str, ...] = ()
) -> Iterator[str]:
    """Where two answers differ in their keys, in what is null, and in Shopify's own words."""
    at = ".".join(way)
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for key in sorted(recorded.keys() ^ answered.keys()):
            yield f"{at}.{key}: only {'recorded' if key in recorded else 'answered'}"
        for key in recorded.keys() & answered.keys():
            if (way[-1:], key) == (("cost",), "throttleStatus"):
                continue
            yield from differences(recorded[key], answered[key], trimmed=trimmed, way=(*way, key))
    elif isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered) and not trimmed:
            yield f"{at}: {len(recorded)} recorded, {len(answered)} answered"
        for index, (one, other) in enumerate(zip(recorded, answered, strict=False)):
            yield from differences(one, other, trimmed=trimmed, way=(*way, str(index)))
    elif (recorded is None) is not (answered is None):
        if not _by_history(way):
            yield f"{at}: {recorded!r} recorded, {answered!r} answered"
    elif _WORDS & set(way) and recorded != answered:
        yield f"{at}: {recorded!r} recorded, {answered!r} answered"


def _by_history(way: tuple[str, ...]) -> bool:
    """When a quantity was last touched depends on what happened to it before."""
    return way[-1] == "updatedAt" and "quantities" in way


@pytest.mark.parametrize("exchange", all_of_them())
def test_the_sandbox_answers_as_shopify_did(exchange: Exchange) -> None:
    recorded, answered = exchange["answer"], asked_of_the_sandbox(exchange)
    how = way(exchange)
    if how == BULK_SCHEMA:
        payload = answered["data"]["bulkOperationRunQuery"]
        assert payload["bulkOperation"] is None
        assert payload["userErrors"]
        return
    if how == SCHEMA:
        assert answered["errors"]
        assert "data" not in answered
        return
    if how != REPLAYED:
        return
    if "extensions" not in recorded:  # they were not always kept
        answered.pop("extensions", None)
    found = list(differences(recorded, answered, trimmed=bool(exchange.get("trimmed"))))
    assert not found, found


@pytest.mark.parametrize("exchange", all_of_them())
def test_the_sandbox_gives_no_data_where_shopify_refused(exchange: Exchange) -> None:
    """Of those too that it can't replay: it may refuse for another reason, never answer."""
    answered = asked_of_the_sandbox(exchange)
    if exchange["kind"] == "top-level errors":
        assert answered["errors"]
        data = exchange["answer"].get("data")
        if data is None or not any(data.values()):
            assert not any((answered.get("data") or {}).values())
    if exchange["kind"] == "search warning":
        assert answered["extensions"]["search"]
    if exchange["kind"] == "user errors":
        payloads = (answered.get("data") or {}).values()
        assert answered.get("errors") or all(
            payload[name] for payload in payloads for name in payload if name.endswith("rrors")
        )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("data", "inventoryAdjustQuantities", "userErrors", 0, "code"), "OTHER"),
        (("data", "inventoryAdjustQuantities", "userErrors", 1, "message"), "Other."),
        (("data", "inventoryAdjustQuantities", "userErrors"), []),
        (("data", "inventoryAdjustQuantities", "inventoryAdjustmentGroup"), {"id": "1"}),
        (("data",), {}),
        (("errors",), []),
    ],
)
def test_a_difference_would_be_noticed(path: tuple[Any, ...], value: Any) -> None:
    (exchange,) = numbered(252)
    altered = json.loads(json.dumps(exchange["answer"]))
    assert not list(differences(exchange["answer"], altered, trimmed=False))
    holder = altered
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    assert list(differences(exchange["answer"], altered, trimmed=False))


def test_how_many_are_replayed_and_why_the_others_are_not() -> None:
    ways = Counter(way(one) for one in exchanges())
    for reason, count in ways.most_common():
        print(f"{count:4} {reason}")
    assert ways == WAYS
    assert ways.total() == len(exchanges())
