"""What an answer to an adjustment says, and what the program makes of it.

Applied, not applied, or not known.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from program_world import Ran, World
from tampering import Tamper, Tampering

from invsync.sandbox.api import as_faults

ANSWER = tuple[int, Any]


def user_error(code: str, message: str, field: Sequence[str] | None = None) -> ANSWER:
    error = {"code": code, "field": field, "message": message}
    payload = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
    return 200, {"data": {"inventoryAdjustQuantities": payload}}


def top_level(code: str, message: str, **extensions: object) -> ANSWER:
    error = {"message": message, "extensions": {"code": code, **extensions}}
    return 200, {"errors": [error]}


def denied() -> ANSWER:
    error = {
        "message": "Access denied for inventoryAdjustQuantities field. Required access: "
        "`write_inventory` access scope.",
        "path": ["inventoryAdjustQuantities"],
        "extensions": {"code": "ACCESS_DENIED"},
    }
    return 200, {"data": {"inventoryAdjustQuantities": None}, "errors": [error]}


INTERNAL = top_level("INTERNAL_SERVER_ERROR", "Internal error. Looks like something went wrong.")


def items_of(variables: Mapping[str, Any]) -> set[str]:
    return {change["inventoryItemId"] for change in variables["input"]["changes"]}


def at_item(world: World, sku: str, answer: ANSWER) -> Tamper:
    """That answer to every call that holds the item."""
    gid = world.shop.item(sku).gid

    def tamper(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        return answer if operation == "Adjust" and gid in items_of(variables) else None

    return tamper


def always(answer: ANSWER) -> Tamper:
    return lambda operation, variables: answer if operation == "Adjust" else None


@contextmanager
def tampered(world: World, tamper: Tamper) -> Iterator[Tampering]:
    """The program talks to the shop through somebody who tampers with its answers."""
    assert world.server is not None
    with Tampering(world.server.url, tamper) as between:
        world.configure(api_url=between.url)
        yield between
    world.configure()


def thirty(world: World) -> list[str]:
    """Thirty pools of two, adopted at 30; one is sold of each. The titles."""
    titles = [f"Print {number}" for number in range(30)]
    for number, title in enumerate(titles):
        world.add(title, f"P{number}-A P{number}-B")
    world.run("variants", "--init")
    world.sell(" ".join(f"P{number}-A" for number in range(30)))
    return titles


def document_of(ran: Ran) -> dict[str, Any]:
    return json.loads(ran.out)  # type: ignore[no-any-return]


def kinds(document: Mapping[str, Any]) -> list[str]:
    return [problem["kind"] for problem in document["problems"]]


# -- one item spoils its whole call ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            user_error("ADJUST_QUANTITIES_FAILED", "The quantities couldn't be adjusted."),
            "The quantities couldn't be adjusted. (ADJUST_QUANTITIES_FAILED)",
        ),
        (
            user_error("SERVICE_UNAVAILABLE", "Service is temporarily unavailable."),
            "Service is temporarily unavailable. (SERVICE_UNAVAILABLE)",
        ),
        (
            user_error("SOMETHING_NEW", "No.", ["input"]),
            "No. (SOMETHING_NEW)",
        ),
        (
            top_level(
                "INVALID_VARIABLE",
                "Variable $input of type InventoryAdjustQuantitiesInput! was provided invalid "
                "value for changes.0.inventoryItemId (Invalid global id)",
            ),
            "Invalid global id",
        ),
        (top_level("BAD_REQUEST", "The request could not be understood."), "could not be"),
    ],
    ids=["adjust_failed", "unavailable", "unknown code", "invalid_variable", "bad_request"],
)
def test_one_item_that_spoils_its_call_takes_its_own_pool_out(
    world: World, answer: ANSWER, says: str
) -> None:
    titles = thirty(world)
    with tampered(world, at_item(world, "P7-B", answer)) as between:
        document = document_of(world.run("variants", "--json", exit_code=3))
        (problem,) = document["problems"]
        assert problem["kind"] == "refused"
        assert problem["title"] == "Print 7"
        assert says in problem["message"]
        assert document["pools"] == {
            "seen": 30, "in_step": 0, "adopted": 0, "adjusted": 29,
            "out_of_sync": 0, "held": 0, "failed": 1, "paused": 0,
        }  # fmt: skip
        assert between.asked.count("Adjust") <= 5 + 2 * 5  # bounded retries, then halves
        assert not world.place("variants", "journal").exists()
        for number, title in enumerate(titles):
            if title != "Print 7":
                assert world.reads(f"P{number}-A P{number}-B") == [29, 29]
        assert world.reads("P7-A P7-B") == [29, 30]

        # Every run tries again, and tells; the others go on.
        world.sell("P3-B P7-A", 2)
        again = document_of(world.run("variants", "--json", exit_code=3))
        assert kinds(again) == ["refused"]
        assert again["pools"]["in_step"] == 28
        assert world.reads("P3-A P3-B P7-A P7-B") == [27, 27, 27, 30]
    world.run("variants")
    assert world.reads("P7-A P7-B") == [27, 27]


@pytest.mark.parametrize("code", ["ADJUST_QUANTITIES_FAILED", "SERVICE_UNAVAILABLE"])
@pytest.mark.parametrize("named", [True, False])
def test_an_item_that_spoils_its_call_is_found_where_shopify_remembers_the_key_as_failed(
    world: World, code: str, named: bool
) -> None:
    """The same key again is then answered by `IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED`."""
    titles = thirty(world)
    assert world.server is not None
    rule = {"fault": "refuse", "items": ["P7-B"], "code": code, "named": named}
    world.server.sandbox.faults = as_faults([rule])
    document = document_of(world.run("variants", "--json", exit_code=3))
    (problem,) = document["problems"]
    assert (problem["kind"], problem["title"]) == ("refused", "Print 7")
    assert code in problem["message"]
    assert not document["warnings"]
    assert (document["pools"]["adjusted"], document["pools"]["failed"]) == (29, 1)
    for number, title in enumerate(titles):
        assert world.reads(f"P{number}-A P{number}-B") == [29, 30 if title == "Print 7" else 29]
    world.server.sandbox.faults = as_faults([])
    world.run("variants")
    assert world.reads("P7-A P7-B") == [29, 29]


@pytest.mark.parametrize("pools", [1, 3])
def test_what_shopify_remembers_as_failed_is_sent_with_a_new_key(world: World, pools: int) -> None:
    """Once: it goes through. Every time: it is refused, and no level is said to have moved."""
    failed = user_error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "The previous attempt failed.")
    for number in range(pools):
        world.add(f"Print {number}", f"P{number}-A P{number}-B")
    world.run("variants", "--init")
    world.sell(" ".join(f"P{number}-A" for number in range(pools)))
    answers = [failed]

    def once(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        return answers.pop() if operation == "Adjust" and answers else None

    with tampered(world, once) as between:
        assert document_of(world.run("variants", "--json"))["pools"]["adjusted"] == pools
    assert world.reads("P0-A P0-B") == [29, 29]
    world.sell("P0-B")
    with tampered(world, always(failed)) as between:
        document = document_of(world.run("variants", "--json", exit_code=3))
    assert (kinds(document), document["warnings"]) == (["refused"], [])
    keys = [variables["key"] for variables in between.tampered]
    assert len(keys) == len({*keys}) == 2
    world.run("variants")
    assert world.reads("P0-A P0-B") == [28, 28]


def test_what_passes_in_time_is_sent_again_with_the_same_key(world: World) -> None:
    thirty(world)
    answers = [user_error("ADJUST_QUANTITIES_FAILED", "Try later.")] * 3

    def tamper(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        return answers.pop() if operation == "Adjust" and answers else None

    with tampered(world, tamper) as between:
        document = document_of(world.run("variants", "--json"))
    assert document["pools"]["adjusted"] == 30
    assert between.asked.count("Adjust") == 4
    assert len({variables["key"] for variables in between.tampered}) == 1


# -- nothing was carried out, and the run ends -----------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"errors": "[API] Invalid API key or access token"}),
        (402, {"errors": "Unavailable Shop"}),
        (403, {"errors": "Forbidden"}),
        (404, {"errors": "Not Found"}),
        (423, {"errors": "Locked"}),
        (429, {"errors": "Too many requests"}),
        (430, {"errors": "Shopify Security Rejection"}),
        denied(),
        top_level("THROTTLED", "Throttled"),
    ],
    ids=["401", "402", "403", "404", "423", "429", "430", "denied", "throttled"],
)
def test_what_says_that_nothing_was_executed_is_recorded_so_and_later_exact(
    world: World, answer: ANSWER
) -> None:
    """Frozen, say, and paid days later: one more sale of the other variant meanwhile."""
    world.add("Print", "P-A P-B", available=12)
    world.run("variants", "--init")
    world.sell("P-A")
    with tampered(world, always(answer)):
        ran = world.run("variants", exit_code=1)
        assert ran.problem
        assert not world.place("variants", "journal").exists()
        world.time.pass_by(hours=1)
        world.sell("P-B")
        world.time.pass_by(hours=30)
    document = world.variants()
    assert document["problems"] == []
    assert world.reads("P-A P-B") == [10, 10]


NOT_NOW = {
    "throttled": top_level("THROTTLED", "Throttled"),
    "429": (429, {"errors": "Too many requests"}),
    "unavailable": user_error("SERVICE_UNAVAILABLE", "Service is temporarily unavailable."),
}


@pytest.mark.parametrize("not_now", NOT_NOW)
@pytest.mark.parametrize("end", ["max_run_time", "signal"])
def test_a_run_that_ends_while_a_call_waits_for_another_try_records_it_as_not_applied(
    not_now: str, end: str, world: World
) -> None:
    world.add("Print", "P-A P-B", available=12)
    world.run("variants", "--init")
    world.sell("P-A")

    def tamper(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        if operation != "Adjust":
            return None
        if end == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        return NOT_NOW[not_now]

    with tampered(world, tamper) as between:
        world.configure(api_url=between.url, max_run_time="10s")
        ran = world.run("variants", exit_code=1 if end == "max_run_time" else 143)
        assert "max_run_time" in ran.problem if end == "max_run_time" else "signal" in ran.problem
        assert between.tampered
    assert not world.place("variants", "journal").exists()
    world.time.pass_by(hours=1)
    world.sell("P-B")
    world.time.pass_by(hours=30)
    assert world.variants()["problems"] == []
    assert world.reads("P-A P-B") == [10, 10]


@pytest.mark.parametrize("end", ["max_run_time", "signal"])
def test_one_that_may_have_been_carried_out_before_it_was_throttled_is_not_known(
    end: str, world: World
) -> None:
    world.add("Print", "P-A P-B", available=12)
    world.run("variants", "--init")
    world.sell("P-A")
    answers = [INTERNAL]

    def tamper(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        if operation != "Adjust":
            return None
        if answers:
            return answers.pop()
        if end == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        return NOT_NOW["throttled"]

    with tampered(world, tamper) as between:
        world.configure(api_url=between.url, max_run_time="10s")
        world.run("variants", exit_code=1 if end == "max_run_time" else 143)
    assert world.place("variants", "journal").exists()
    world.run("variants")
    assert world.reads("P-A P-B") == [11, 11]


def test_what_went_out_before_the_end_is_remembered(world: World) -> None:
    """A run that is refused at its second batch keeps what its first has done."""
    many = " ".join(f"L-{number}" for number in range(252))
    world.add("Large", many)
    world.run("variants", "--init")
    world.sell("L-0", 2)
    calls = iter(range(99))

    def tamper(operation: str, variables: dict[str, Any]) -> ANSWER | None:
        return (402, {}) if operation == "Adjust" and next(calls) == 1 else None

    with tampered(world, tamper):
        world.run("variants", exit_code=1)
    assert sorted(world.reads(many)) == [28] * 251 + [30]
    world.sell("L-9", 1)
    world.run("variants")
    assert world.reads(many) == [27] * 252


# -- an outcome that nobody knows ------------------------------------------------------------------


def unknown_twice(world: World) -> None:
    """Two runs that end since nobody knows what became of Print's adjustment."""
    for _ in range(2):
        ran = world.run("variants", exit_code=1)
        assert "INTERNAL_SERVER_ERROR" in ran.problem
        assert world.place("variants", "journal").exists()
        world.time.pass_by(minutes=10)


@pytest.fixture
def three(world: World) -> World:
    """Three pools of two at 30; one of Print is sold."""
    for name in ("Print", "Other", "Third"):
        world.add(name, f"{name}-A {name}-B")
    world.run("variants", "--init")
    world.sell("Print-A")
    world.time.pass_by(minutes=1)
    return world


def test_an_outcome_unknown_for_the_third_run_running_holds_back_its_own_pools(
    three: World,
) -> None:
    world = three
    with tampered(world, at_item(world, "Print-B", INTERNAL)):
        unknown_twice(world)
        world.sell("Other-A", 3)
        world.sell("Print-A", 1)
        for _ in range(2):
            document = document_of(world.run("variants", "--json", exit_code=3))
            assert kinds(document) == ["unsettled"]
            assert document["problems"][0]["title"] == "Print"
            assert document["pools"]["failed"] == 1
            assert world.reads("Other-A Other-B") == [27, 27]
            assert world.reads("Print-A Print-B") == [28, 30]
            assert world.place("variants", "journal").exists()
            world.time.pass_by(minutes=10)
        world.sell("Third-B", 2)
        world.run("variants", exit_code=3)
        assert world.reads("Third-A Third-B") == [28, 28]
        assert "open journal" in world.run("status", exit_code=3).out
    # As soon as it is known, all that happened meanwhile is counted.
    document = document_of(world.run("variants", "--json"))
    assert document["problems"] == []
    assert world.reads("Print-A Print-B") == [28, 28]
    assert not world.place("variants", "journal").exists()


def test_what_is_waited_for_too_long_is_left_to_a_person(three: World) -> None:
    world = three
    with tampered(world, at_item(world, "Print-B", INTERNAL)):
        unknown_twice(world)
        world.run("variants", exit_code=3)
        world.sell("Print-B")  # looks as if the batch was applied, but much later
        world.time.pass_by(hours=20)
        world.sell("Other-B", 2)
        document = document_of(world.run("variants", "--json", exit_code=3))
        assert world.reads("Other-A Other-B") == [28, 28]
    assert kinds(document) == ["old_journal"]
    assert world.cached()["Print"]["quantity"] is None
    assert not world.place("variants", "journal").exists()
    # Its levels are equal; it is a person who says that they are right.
    assert world.reads("Print-A Print-B") == [29, 29]
    assert kinds(world.variants(exit_code=3)) == ["old_journal"]
    assert world.variants("--init")["pools"]["adopted"] == 1
    assert world.variants()["pools"]["in_step"] == 3


def test_what_is_waited_for_too_long_and_reads_as_before_was_not_applied(three: World) -> None:
    world = three
    with tampered(world, at_item(world, "Print-B", INTERNAL)):
        unknown_twice(world)
        world.run("variants", exit_code=3)
    world.time.pass_by(hours=20)
    document = document_of(world.run("variants", "--json"))
    assert document["pools"]["adjusted"] == 1
    assert world.reads("Print-A Print-B") == [29, 29]


def test_different_failures_are_not_alike(three: World) -> None:
    world = three
    with tampered(world, at_item(world, "Print-B", INTERNAL)):
        unknown_twice(world)
    with tampered(world, at_item(world, "Print-B", (502, {}))):
        world.sell("Other-A", 3)
        ran = world.run("variants", exit_code=1)
        assert "502" in ran.problem
    world.run("variants")
    assert world.reads("Print-A Print-B Other-A Other-B") == [29, 29, 27, 27]


def test_a_new_beginning_forgets_what_is_waited_for(three: World) -> None:
    world = three
    with tampered(world, at_item(world, "Print-B", INTERNAL)):
        unknown_twice(world)
        world.run("variants", exit_code=3)
    world.run("variants", "--init", "--reset", exit_code=3)
    assert not world.place("variants", "journal").exists()
