"""Broken answers: from what comes back against the schema's promises nothing is concluded.

The answers are the sandbox's own, with one thing wrong.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import responses
from program_world import TOKEN, Time, World, new_shop

from invsync.sandbox import state
from invsync.sandbox.api import Sandbox
from invsync.sandbox.exchange import Request
from invsync.sandbox.shop import Shop

URL = "https://shop.example"

Steps = tuple[str | int, ...]
Tamper = Callable[[str, bytes], "bytes | tuple[int, dict[str, str], bytes] | Exception"]


class Door:
    """Answers at `URL` as the sandbox does, but for bodies with which `tamper` has its way."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.tamper: Tamper = lambda operation, body: body
        self.asked: list[Request] = []

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], Any]:
        url = urlsplit(str(request.url))
        body = request.body or b""
        asked = Request(
            request.method or "POST",
            url.path,
            {name.lower(): value for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else bytes(body),
            URL,
        )
        self.asked.append(asked)
        answer = Sandbox(self.shop).answer(asked)
        assert isinstance(answer.body, bytes)
        tampered = self.tamper(asked.operation or "", answer.body)
        headers = {
            name: value for name, value in answer.headers.items() if name != "Content-Length"
        }
        if isinstance(tampered, Exception):
            return 200, {}, tampered
        if isinstance(tampered, tuple):
            return tampered[0], headers | tampered[1], tampered[2]
        return answer.status, headers, tampered


@pytest.fixture
def door(time: Time) -> Iterator[Door]:
    door = Door(new_shop(time))
    with responses.RequestsMock() as mock:
        mock.add_callback(responses.POST, re.compile(re.escape(URL)), callback=door)
        yield door


@pytest.fixture
def behind(door: Door, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose shop is asked through `door`."""
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path, time, door.shop, asked=door.asked)
    world.configure(
        api_url=URL, variants={"product_types": ["Print"], "scan": "complete"}, locations={}
    )
    return world


def sold(world: World, command: str) -> None:
    """A pool that is adopted, and was then sold from."""
    if command == "variants":
        world.add("Print", "P-S P-M", tags=["art"])
    else:
        world.add("Print", "P-S", locations=("Warehouse", "Till"), tags=["art"])
    world.run(command, "--init")
    world.time.pass_by(minutes=30)
    world.shop.sell("P-S", 3)


def stock(shop: Shop) -> dict[str, int]:
    return {level.gid: level.available for level in shop.levels.values()}


def fails_cleanly(world: World, command: str) -> str:
    """The run ends with one line and exit 1; nothing was sent, and the cache is as it was."""
    before = world.place(command).read_bytes(), stock(world.shop)
    ran = world.run(command, exit_code=1)
    assert ran.out == ""
    assert (world.place(command).read_bytes(), stock(world.shop)) == before
    assert not world.place(command, "journal").exists()
    return ran.problem


# --- Bodies that are not what they should be ------------------------------------------------------

READS = {
    "variants": ["Shop", "FindProducts", "ReadProducts"],
    "locations": ["Shop", "FindItems", "ReadItems"],
}
ALL_READS = [
    (command, operation) for command, operations in READS.items() for operation in operations
]

BODIES: dict[str, Callable[[bytes], Any]] = {
    "empty": lambda body: b"",
    "HTML": lambda body: b"<html><body>Something went wrong</body></html>",
    "truncated": lambda body: body[: len(body) // 2],
    "truncated at its last byte": lambda body: body[:-1],
    "not UTF-8": lambda body: body.replace(b"gid", b"\xff\xfe\xfd", 1),
    "two documents": lambda body: body + body,
    "a list": lambda body: b"[" + body + b"]",
    "null": lambda body: b"null",
    "a number": lambda body: b"5",
    "an empty object": lambda body: b"{}",
    "data is null": lambda body: b'{"data": null}',
    "data is a list": lambda body: b'{"data": []}',
    "data is empty": lambda body: b'{"data": {}}',
    "errors beside data": lambda body: body[:-1] + b',"errors":[{"message":"odd"}]}',
    "errors is text": lambda body: body[:-1] + b',"errors":"odd"}',
    "errors is an object": lambda body: body[:-1] + b',"errors":{"base":["odd"]}}',
    "errors holds null": lambda body: body[:-1] + b',"errors":[null]}',
    "nested beyond reason": lambda body: b'{"data": ' + b"[" * 100_000,
    "a number beyond reason": lambda body: b'{"data": ' + b"9" * 10_000 + b"}",
    "gzip that is none": lambda body: (200, {"Content-Encoding": "gzip"}, body),
    "an unknown status": lambda body: (299, {}, b"<html>"),
    "a teapot": lambda body: (418, {}, b"short and stout"),
    "bad gateway": lambda body: (502, {}, b"<html>Bad Gateway</html>"),
    "moved elsewhere": lambda body: (302, {"Location": "https://elsewhere.example/"}, b""),
    "a broken connection": lambda body: requests.ConnectionError("Connection aborted."),
    "no answer in time": lambda body: requests.ReadTimeout("timed out"),
    "another version": lambda body: (200, {"X-Shopify-API-Version": "2027-01"}, body),
    "a search warning": lambda body: (
        body[:-1]
        + b',"extensions":{"search":[{"query":"q","warnings":'
        + b'[{"field":"product_type","message":"odd"}]}]}}'
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(("command", "operation"), ALL_READS)
def test_an_answer_that_can_not_be_read_fails_the_run(
    behind: World, door: Door, command: str, operation: str, body: Callable[[bytes], Any]
) -> None:
    sold(behind, command)
    door.tamper = lambda asked, answer: body(answer) if asked == operation else answer
    line = fails_cleanly(behind, command)
    assert operation in line or "shop.example" in line
    assert "<html>" not in line


#: Of these, those that leave the payload of a mutation as it is: it tells what happened.
BESIDE = {
    "errors beside data",
    "errors is text",
    "errors is an object",
    "errors holds null",
    "another version",
    "a search warning",
}


@pytest.mark.parametrize("beside", sorted(BESIDE))
def test_an_adjustment_is_known_to_be_applied_whatever_stands_beside_its_payload(
    behind: World, door: Door, beside: str
) -> None:
    sold(behind, "variants")
    body = BODIES[beside]
    door.tamper = lambda asked, answer: body(answer) if asked == "Adjust" else answer
    behind.variants()
    assert behind.reads("P-S P-M") == [27, 27]
    assert not behind.place("variants", "journal").exists()
    door.tamper = lambda asked, answer: answer
    behind.run("variants", "-q")
    assert behind.batches == []


#: And these say that nothing was carried out.
SETTLED = {"moved elsewhere"}


@pytest.mark.parametrize("body", [BODIES[name] for name in BODIES if name not in BESIDE | SETTLED])
def test_an_adjustment_whose_answer_can_not_be_read_is_counted_once(
    behind: World, door: Door, body: Callable[[bytes], Any]
) -> None:
    sold(behind, "variants")
    before = behind.place("variants").read_bytes()
    door.tamper = lambda asked, answer: body(answer) if asked == "Adjust" else answer
    ran = behind.run("variants", exit_code=1)
    assert "<html>" not in ran.problem
    assert behind.reads("P-S P-M") == [27, 27]  # it was applied, though nobody could know
    assert behind.place("variants").read_bytes() == before
    assert behind.place("variants", "journal").exists()
    door.tamper = lambda asked, answer: answer
    behind.shop.sell("P-M", 2)
    behind.run("variants")
    assert behind.reads("P-S P-M") == [25, 25]
    behind.run("variants", "-q")
    assert behind.batches == []


def test_an_answer_that_breaks_once_is_asked_for_again(behind: World, door: Door) -> None:
    sold(behind, "variants")
    broken: list[str] = []

    def once(asked: str, answer: bytes) -> bytes:
        if asked in broken:
            return answer
        broken.append(asked)
        return answer[:-5]

    door.tamper = once
    document = behind.variants()
    assert broken == ["Shop", "FindProducts", "ReadProducts", "Adjust"]
    assert behind.reads("P-S P-M") == [27, 27]
    assert document["api"]["requests"] == 8


def test_an_answer_that_repeats_the_token_does_not_show_it(behind: World, door: Door) -> None:
    sold(behind, "variants")
    echo = json.dumps(
        {"errors": [{"message": f"no access with {TOKEN}", "extensions": {"code": "X"}}]}
    ).encode()
    door.tamper = lambda asked, answer: echo
    assert "no access with" in fails_cleanly(behind, "variants")
    # World.run looks for the token in everything that was printed or written.


# --- Shapes that are not what they should be ------------------------------------------------------

MISSING = object()
#: Values of a wrong type that are taken for false, or for true, where nobody looks closely.
FALSE: dict[str, Any] = {"an empty list": [], "an empty object": {}, "an empty text": ""}
TRUE: dict[str, Any] = {"a text": "text", "a number": 5, "a list": [None]}


#: What the schema lets be null, and what it means then: no SKU, not stocked there, gone, no default
#: location.
MAY_BE_NULL = re.compile(
    r"\.sku$|\.inventoryLevel$|^nodes\.\d+$|^location$|\.updatedAt$|\.endCursor$|\.variants$|\.message$"
)


def places(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """The way to every value in a document, of a list only through its first element."""
    if steps:
        yield steps
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:1])
        if isinstance(value, list)
        else ()
    )
    for step, one in inner:
        yield from places(one, (*steps, step))


def put(document: Any, steps: Sequence[str | int], value: Any) -> Any:
    """A copy of the document with another value there."""
    changed = copy.deepcopy(document)
    holder = changed
    for step in steps[:-1]:
        holder = holder[step]
    if value is MISSING:
        del holder[steps[-1]]
    else:
        holder[steps[-1]] = value
    return changed


def is_wrong(document: Any, steps: Steps, value: Any) -> bool:
    """Whether the schema does not allow that value there."""
    right: Any = document
    for step in steps:
        right = right[step]
    path = ".".join(map(str, steps))
    if value is None and MAY_BE_NULL.search(path):
        return False
    if value is MISSING and isinstance(steps[-1], int):
        return False  # a shorter list
    return (
        value is MISSING
        or type(value) is not type(right)
        or (isinstance(value, dict) and bool(right))
    )


def wrong_values(document: Any) -> Iterator[tuple[Steps, str, Any]]:
    """For every place: nothing, null, and in turns a false and a true value that is wrong there."""
    for turn, steps in enumerate(places(document)):
        yield from ((steps, name, value) for name, value in (("missing", MISSING), ("null", None)))
        for values in (FALSE, TRUE):
            wrong = [
                (name, value) for name, value in values.items() if is_wrong(document, steps, value)
            ]
            yield (steps, *wrong[turn % len(wrong)])


class Frozen:
    """A world as it was, to go back to."""

    def __init__(self, world: World, door: Door) -> None:
        self._world, self._door = world, door
        self._shop = state.dumps(world.shop)
        self._files = world.folder / "kept"
        shutil.copytree(world.state, self._files)

    def thaw(self) -> None:
        self._door.shop = self._world.shop = state.loads(self._shop, now=self._world.time.time)
        shutil.rmtree(self._world.state)
        shutil.copytree(self._files, self._world.state)
        self._door.tamper = lambda asked, answer: answer


def every_wrong_shape(world: World, door: Door, command: str, operation: str) -> list[str]:
    """Runs with one wrong value in the operation's first answer, for every place and kind.

    Each must end in exit 1 with nothing sent and nothing forgotten, or do what an undisturbed run
    does. Returns what did neither.
    """
    frozen = Frozen(world, door)
    answers: list[bytes] = []
    door.tamper = lambda asked, answer: (
        answers.append(answer) or answer if asked == operation else answer
    )  # type: ignore[func-returns-value]
    world.run(command, exit_code=None)
    undisturbed = stock(world.shop)
    genuine = json.loads(answers[0])
    unsafe, changed = [], True
    for steps, name, value in wrong_values(genuine["data"]):
        if not is_wrong(genuine["data"], steps, value):
            continue
        if changed:
            frozen.thaw()
            changed = False
        tampered = json.dumps({**genuine, "data": put(genuine["data"], steps, value)}).encode()
        once = iter([tampered])
        door.tamper = lambda asked, answer, once=once: (
            next(once, answer) if asked == operation else answer
        )
        before = world.place(command).read_bytes(), stock(world.shop)
        what = f"{'.'.join(map(str, steps))}: {name}"
        try:
            ran = world.run(command, exit_code=None)
        except AssertionError as error:
            unsafe.append(f"{what}: {error}")
            changed = True
            continue
        after = world.place(command).read_bytes(), stock(world.shop)
        changed = after != before
        if ran.exit_code in (1, 2):
            assert len(ran.err.splitlines()) == 1
            if changed:
                unsafe.append(f"{what}: failed, but changed something: {ran.err}")
        elif after[1] != undisturbed or ran.exit_code != 0:
            unsafe.append(f"{what}: exit {ran.exit_code} {ran.out}")
    return unsafe


@pytest.mark.parametrize(
    "moment", ['"yesterday"', '"2026-11-22T12:00:00"', "5", '"2026-13-45T12:00:00Z"', '""']
)
@pytest.mark.parametrize(
    ("command", "operation"), [("variants", "ReadProducts"), ("locations", "ReadItems")]
)
def test_a_moment_that_is_none_is_refused(
    behind: World, door: Door, command: str, operation: str, moment: str
) -> None:
    behind.configure(
        api_url=URL,
        variants={"product_types": ["Print"], "scan": "changes", "reconcile_every": "1h"},
        locations={"scan": "changes", "reconcile_every": "1h"},
    )
    sold(behind, command)
    behind.run(command)
    behind.time.pass_by(hours=2)  # a complete scan is due, which checks the feed by these moments
    behind.shop.sell("P-S", 3)
    says = f'"updatedAt":{moment}'.encode()
    door.tamper = lambda asked, given: (
        re.sub(rb'"updatedAt":"[^"]*"', says, given) if asked == operation else given
    )
    fails_cleanly(behind, command)


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("variants", "Shop"),
        ("variants", "FindProducts"),
        ("variants", "ReadProducts"),
        ("locations", "Shop"),
        ("locations", "FindItems"),
        ("locations", "ReadItems"),
    ],
)
def test_nothing_is_concluded_from_a_misshapen_answer(
    behind: World, door: Door, command: str, operation: str
) -> None:
    sold(behind, command)
    assert every_wrong_shape(behind, door, command, operation) == []


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("variants", "ChangedLevels"),
        ("variants", "ChangedProducts"),
        ("locations", "ChangedLevelsEverywhere"),
        ("locations", "ChangedProducts"),
    ],
)
def test_nothing_is_concluded_from_a_misshapen_feed(
    behind: World, door: Door, command: str, operation: str
) -> None:
    section = {
        "variants": {"product_types": ["Print"], "scan": "changes"},
        "locations": {"scan": "changes"},
    }
    behind.configure(api_url=URL, **section)
    sold(behind, command)
    assert every_wrong_shape(behind, door, command, operation) == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"inventoryAdjustQuantities": None},
        {"inventoryAdjustQuantities": []},
        {"inventoryAdjustQuantities": {}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": None}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": {}}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": "odd"}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [None]}},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": ["odd"]}},
        {"inventoryAdjustQuantities": {"userErrors": [[]]}},
    ],
    ids=json.dumps,
)
def test_a_misshapen_answer_to_an_adjustment_leaves_its_outcome_open(
    behind: World, door: Door, answer: dict[str, Any]
) -> None:
    sold(behind, "variants")
    before = behind.place("variants").read_bytes()
    broken = json.dumps({"data": answer}).encode()
    door.tamper = lambda asked, given: broken if asked == "Adjust" else given
    behind.run("variants", exit_code=1)
    assert behind.place("variants", "journal").exists()
    assert behind.place("variants").read_bytes() == before
    door.tamper = lambda asked, given: given
    behind.shop.sell("P-M", 2)
    behind.run("variants")
    assert behind.reads("P-S P-M") == [25, 25]


@pytest.mark.parametrize(
    "error",
    [
        {"message": "odd"},
        {"field": None, "message": None, "code": None},
        {"field": "input", "message": "odd", "code": "SOMETHING_NEW"},
        {
            "field": ["input", "changes", "99", "delta"],
            "message": "odd",
            "code": "INVALID_LOCATION",
        },
        {"field": ["input", "changes", "x"], "message": ["odd"], "code": 5},
        {"field": ["input", "changes", -1], "message": "odd", "code": "INVALID_LOCATION"},
        {"field": [None, None, None], "message": "odd", "code": "INVALID_LOCATION"},
        {"field": ["input", "changes", "²"], "message": "odd", "code": "INVALID_LOCATION"},
        {"field": ["input", "changes", "9" * 5_000], "message": "odd", "code": "INVALID_LOCATION"},
    ],
    ids=lambda error: json.dumps(error)[:80],
)
def test_an_odd_refusal_blames_the_pool_and_takes_nothing_for_applied(
    behind: World, door: Door, error: dict[str, Any]
) -> None:
    sold(behind, "variants")
    refusal = {
        "data": {
            "inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [error]}
        }
    }

    def refuse(asked: str, given: bytes) -> bytes:
        if asked != "Adjust":
            return given
        door.shop.restock("P-M", 3)  # what the sandbox has applied is taken back: Shopify refused
        return json.dumps(refusal).encode()

    door.tamper = refuse
    document = behind.run("variants", "--json", exit_code=3).document
    assert document["pools"]["failed"] == 1
    assert behind.reads("P-S P-M") == [27, 30]
    door.tamper = lambda asked, given: given
    behind.run("variants")
    assert behind.reads("P-S P-M") == [27, 27]


def test_other_objects_than_those_asked_for_are_refused(behind: World, door: Door) -> None:
    behind.add("Card", "C-S C-M", available=7)
    sold(behind, "variants")
    behind.shop.sell("C-S", 2)

    def swapped(asked: str, given: bytes) -> bytes:
        document = json.loads(given)
        if asked == "ReadProducts":
            document["data"]["nodes"].reverse()
        return json.dumps(document).encode()

    door.tamper = swapped
    assert "ReadProducts" in fails_cleanly(behind, "variants")


@pytest.mark.parametrize("how", ["too few", "too many", "another type"])
def test_more_or_fewer_or_other_objects_are_refused(behind: World, door: Door, how: str) -> None:
    sold(behind, "variants")

    def other(asked: str, given: bytes) -> bytes:
        document = json.loads(given)
        if asked == "ReadProducts":
            nodes = document["data"]["nodes"]
            document["data"]["nodes"] = {
                "too few": nodes[:-1],
                "too many": [*nodes, nodes[0]],
                "another type": [{"id": "gid://shopify/Location/1"} for _ in nodes],
            }[how]
        return json.dumps(document).encode()

    door.tamper = other
    assert "ReadProducts" in fails_cleanly(behind, "variants")


def test_pages_that_go_round_in_circles_are_refused(behind: World, door: Door) -> None:
    sold(behind, "variants")
    first: list[bytes] = []

    def again(asked: str, given: bytes) -> bytes:
        if asked == "FindProducts":
            first.append(given.replace(b'"hasNextPage":false', b'"hasNextPage":true'))
            return first[0]
        return given

    door.tamper = again
    assert "FindProducts" in fails_cleanly(behind, "variants")


def test_a_page_in_the_middle_that_fails_for_good_concludes_nothing(
    behind: World, door: Door
) -> None:
    for number in range(260):
        behind.add(f"Print {number:03}", [f"P{number:03}-A", f"P{number:03}-B"])
    behind.run("variants", "--init")
    behind.shop.sell("P000-A", 3)
    seen: list[str] = []

    def second_fails(asked: str, given: bytes) -> Any:
        seen.append(asked)
        if asked == "FindProducts" and seen.count("FindProducts") > 1:
            return 503, {}, b"unavailable"
        return given

    door.tamper = second_fails
    assert "503" in fails_cleanly(behind, "variants")


@pytest.mark.parametrize("more", ["null", '""', "0", "[]"])
@pytest.mark.parametrize(
    ("command", "operation"), [("variants", "FindProducts"), ("locations", "FindItems")]
)
def test_whether_there_is_another_page_must_be_said(
    behind: World, door: Door, command: str, operation: str, more: str
) -> None:
    for number in range(260):
        behind.add(f"Print {number:03}", [f"P{number:03}"], locations=("Warehouse", "Till"))
    says = f'"hasNextPage":{more}'.encode()

    def unsaid(asked: str, given: bytes) -> bytes:
        last = given.rpartition(b'"hasNextPage":true')
        return last[0] + says + last[2] if asked == operation and last[1] else given

    door.tamper = unsaid
    behind.run(command, "--init", exit_code=1)
    assert not behind.place(command).exists()


def test_a_title_with_half_a_character_is_no_traceback(behind: World, door: Door) -> None:
    sold(behind, "variants")
    door.tamper = lambda asked, given: given.replace(b'"title":"Print"', b'"title":"Pr\\ud83dint"')
    ran = behind.run("variants", exit_code=None)
    assert ran.exit_code in (0, 1)
    door.tamper = lambda asked, given: given
    behind.run("variants")
    assert behind.reads("P-S P-M") == [27, 27]


def test_a_title_can_not_move_the_cursor_of_the_terminal(behind: World) -> None:
    behind.add("Print \x1b[2J\x1b]0;owned\x07 \r\nfake line", "P-S P-M")
    behind.run("variants", "--init")
    behind.shop.sell("P-S", 3)
    ran = behind.run("variants")
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
    assert "\nfake line" not in ran.out.replace("\r", "\n")


# --- Witnesses that are not there, or absurd ------------------------------------------------------


def witnesses(on_hand: int | None, committed: int | None) -> Tamper:
    """Every level says this in place of what is on hand and committed."""
    told = {"on_hand": on_hand, "committed": committed}

    def tamper(operation: str, body: bytes) -> bytes:
        document = json.loads(body)
        put_in(document)
        return json.dumps(document).encode()

    def put_in(node: Any) -> None:
        for each in node.values() if isinstance(node, dict) else node:
            if isinstance(each, dict | list):
                put_in(each)
        if isinstance(node, dict) and node.get("name") in told:
            node["quantity"] = told[node["name"]]

    return tamper


@pytest.mark.parametrize(
    ("on_hand", "committed"),
    [(None, None), (7, None), (None, 7), (-40, 3), (30, -9), (2**36, 2**36), (-(2**36), -(2**36))],
)
def test_without_witnesses_or_with_absurd_ones_the_rule_goes_on(
    behind: World, door: Door, on_hand: int | None, committed: int | None
) -> None:
    door.tamper = witnesses(on_hand, committed)
    behind.add("Print", "P-S P-M P-L", 30)
    behind.run("variants", "--init")
    behind.sell("P-S", 3)
    behind.variants()
    assert behind.reads("P-S P-M P-L") == [27] * 3
    behind.shop.restock("P-M", 5)
    behind.variants()
    assert behind.reads("P-S P-M P-L") == [32] * 3
    door.tamper = witnesses(None, None)
    behind.sell("P-L", 2)
    behind.variants()
    assert behind.reads("P-S P-M P-L") == [30] * 3


def test_a_quantity_beyond_what_shopify_takes_is_told_and_its_pool_left_out(
    behind: World, door: Door
) -> None:
    behind.add("Print", "P-S P-M", 30)
    behind.add("Poster", "Q-S Q-M", 30)
    behind.run("variants", "--init")
    behind.sell("Q-S", 3)
    read = behind.shop.item("P-S").gid

    def tamper(operation: str, body: bytes) -> bytes:
        document = json.loads(body)
        for node in variants_in(document):
            if node["inventoryItem"]["id"] == read:
                for one in node["inventoryItem"]["inventoryLevel"]["quantities"]:
                    one["quantity"] = 2**33
        return json.dumps(document).encode()

    door.tamper = tamper
    document = behind.variants(exit_code=3)
    assert [one["kind"] for one in document["problems"]] == ["beyond_bounds"]
    assert behind.reads("P-S P-M Q-S Q-M") == [30, 30, 27, 27]
    door.tamper = lambda operation, body: body
    assert behind.variants()["problems"] == []


def variants_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every variant of an answer."""
    if isinstance(node, dict) and "inventoryItem" in node:
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from variants_in(each)
