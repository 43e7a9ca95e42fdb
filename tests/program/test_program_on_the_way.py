"""What goes wrong in the middle of a scan.

Pages that lead nowhere, what is gone before it is asked for, bulk operations that end badly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from program_world import World
from tampering import Tamper, Tampering

from invsync import find

MANY = [f"M-{number}" for number in range(35)]

PRINTS = {"product_types": ["Print"]}

Change = Callable[[bytes], bytes]


@contextmanager
def tampered(world: World, tamper: Tamper, **section: Any) -> Iterator[Tampering]:
    """The program talks to the shop through somebody who tampers with its answers."""
    assert world.server is not None
    keys = {**PRINTS, **section}
    with Tampering(world.server.url, tamper) as between:
        world.configure(api_url=between.url, variants=keys, locations=keys)
        yield between
    world.configure(variants=PRINTS, locations=PRINTS)


def ready(world: World, command: str) -> None:
    """A pool of 35 variants, one of which was sold at the default location since the last run."""
    world.configure(variants=PRINTS, locations=PRINTS)
    world.add("Many", MANY, locations=None)
    world.run(command, "--init")
    world.time.pass_by(hours=1)
    world.sell("M-0", 3)


def counted(world: World, command: str) -> bool:
    """Whether the sale was counted, and once only."""
    if command == "locations":
        return all(world.reads("M-0", place) == [27] for place in ("Warehouse", "Till", "Pop-up"))
    return world.reads(" ".join(MANY)) == [27] * 35


def more(body: bytes) -> bytes:
    """A page that says of all its lists, but the outermost, that they go on."""
    document = json.loads(body)

    def go_on(node: Any, depth: int) -> None:
        if isinstance(node, dict):
            info = node.get("pageInfo")
            if isinstance(info, dict) and "endCursor" in info and depth > 1:
                info["hasNextPage"] = True
            for each in node.values():
                go_on(each, depth + 1)
        elif isinstance(node, list):
            for each in node:
                go_on(each, depth + 1)

    go_on(document["data"], 0)
    return json.dumps(document).encode()


def endless(operation: str) -> tuple[Tamper, list[bytes]]:
    """The same page of `operation` again and again, and what leads to it."""
    given: list[bytes] = []

    def again(body: bytes) -> bytes:
        if given:
            given.append(given[0])
            return given[0]
        page = b'"hasNextPage":true,"endCursor":"again"'
        ends = list(re.finditer(rb'"hasNextPage": ?false(,"endCursor":[^}]*)?', body))
        given.append(body[: ends[-1].start()] + page + body[ends[-1].end() :])
        return given[0]

    def tamper(asked: str, variables: dict[str, Any]) -> Change | None:
        if asked == operation:
            return again
        leads = {"MoreLevels": ("FindItems", "ReadItems"), "ChangedLevels": ()}
        return more if asked in leads.get(operation, ()) else None

    return tamper, given


@pytest.mark.parametrize(
    ("command", "operation", "scan"),
    [
        ("variants", "Shop", "complete"),
        ("variants", "FindProducts", "complete"),
        ("variants", "MoreVariants", "complete"),
        ("variants", "ChangedLevels", "changes"),
        ("locations", "FindItems", "complete"),
        ("locations", "MoreLevels", "complete"),
        ("locations", "ChangedLevelsEverywhere", "changes"),
    ],
)
def test_pages_that_repeat_end_the_run_with_one_line(
    world: World, command: str, operation: str, scan: str
) -> None:
    ready(world, command)
    tamper, pages = endless(operation)
    with tampered(world, tamper, scan=scan) as between:
        ran = world.run(command, exit_code=1)
        assert "does not go on from the one before it" in ran.problem
        assert operation in ran.problem
    assert between.asked.count(operation) == len(pages) == 2
    assert "Adjust" not in between.asked
    world.run(command)
    assert counted(world, command)


GONE = {
    "MoreVariants": {"product": None},
    "MoreLevels": {"inventoryItem": None},
    "ChangedLevels": {"location": None},
}


@pytest.mark.parametrize(
    ("command", "operation", "scan"),
    [
        ("variants", "MoreVariants", "complete"),
        ("locations", "MoreLevels", "complete"),
        ("variants", "ChangedLevels", "changes"),
    ],
)
def test_what_is_gone_before_it_is_asked_for_is_no_misshapen_answer(
    world: World, command: str, operation: str, scan: str
) -> None:
    """Deleted between two calls; what is read of it by id after that is there."""
    ready(world, command)

    def tamper(asked: str, variables: dict[str, Any]) -> Any:
        if asked == operation:
            return 200, {"data": GONE[operation]}
        return more if (asked, operation) == ("FindItems", "MoreLevels") else None

    with tampered(world, tamper, scan=scan) as between:
        ran = world.run(command, exit_code=None)
        assert operation in between.asked
    assert "shape" not in ran.err
    world.run(command)
    assert counted(world, command)


# -- bulk operations -------------------------------------------------------------------------------


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every complete scan by a bulk operation."""
    monkeypatch.setattr(find, "DEAR_POINTS", -1)


def by_pages(world: World, command: str, tamper: Tamper) -> str:
    """Why the catalogue was read by pages, in a run that counted the sale all the same."""
    ready(world, command)
    with tampered(world, tamper, scan="complete"):
        document = json.loads(world.run(command, "--json").out)
    (warning,) = document["warnings"]
    assert warning["kind"] == "bulk_failed"
    assert counted(world, command)
    message: str = warning["message"]
    return message


@pytest.mark.usefixtures("in_bulk")
@pytest.mark.parametrize("command", ["variants", "locations"])
def test_a_bulk_operation_that_is_gone_is_done_without(world: World, command: str) -> None:
    def tamper(asked: str, variables: dict[str, Any]) -> Any:
        return (200, {"data": {"bulkOperation": None}}) if asked == "BulkStatus" else None

    assert "is gone" in by_pages(world, command, tamper)


@pytest.mark.usefixtures("in_bulk")
def test_all_reasons_for_refusing_a_bulk_operation_are_told(world: World) -> None:
    errors = [
        {"field": None, "message": "", "code": None},
        {"field": ["query"], "message": "Too deep.", "code": "INVALID"},
        {"field": None, "message": None, "code": "LIMIT_REACHED"},
        {"field": None, "message": "Come back.", "code": None},
    ]
    payload = {"bulkOperation": None, "userErrors": errors}

    def tamper(asked: str, variables: dict[str, Any]) -> Any:
        refused = (200, {"data": {"bulkOperationRunQuery": payload}})
        return refused if asked == "StartBulk" else None

    said = by_pages(world, "variants", tamper)
    assert "Too deep. (INVALID); (LIMIT_REACHED); Come back." in said
    assert "None" not in said


@pytest.mark.usefixtures("in_bulk")
@pytest.mark.parametrize(
    "address",
    ["http://evil\\\\@{host}/x", "http://{host}\\\\@evil.example/x", "http://evil@{host}/x"],
)
def test_a_result_is_not_fetched_from_where_two_readers_differ(world: World, address: str) -> None:
    assert world.server is not None
    host = world.server.url.removeprefix("http://")
    url = b'"url":"%s"' % address.format(host=host).encode()

    def elsewhere(body: bytes) -> bytes:
        return re.sub(rb'"url": ?"http[^"]*"', lambda _: url, body)

    def tamper(asked: str, variables: dict[str, Any]) -> Change | None:
        return elsewhere if asked == "BulkStatus" else None

    assert "address" in by_pages(world, "variants", tamper)
    assert not [one for one in world.asked if one.method == "GET"]
