"""One refused adjustment takes its own pool out, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from small_world import Prints, SmallWorld

from invsync import push
from invsync.admin import adjust

MESSAGE = "The specified inventory item is not allowed to be adjusted via API."


def refuse(*skus: str, **which: Any) -> dict[str, Any]:
    return {"fault": "refuse", "items": list(skus), "operation": "Adjust", **which}


def sell_one_of_each(world: SmallWorld, titles: str) -> None:
    for title in titles:
        world.shop.sell(f"{title}-1")


def in_step(world: SmallWorld, titles: Iterable[str], quantity: int) -> None:
    for title in titles:
        assert set(world.reads(title)) == {quantity}, (title, world.reads(title))
        assert world.cached()[title]["quantity"] == quantity


def refused_only(world: SmallWorld, titles: str, others: str, faults: list[dict[str, Any]]) -> int:
    """Sales of every pool; those of `titles` are refused, and named.

    Returns how many calls that took.
    """
    sell_one_of_each(world, titles + others)
    ended = world.run(faults=faults)
    assert ended.exit_code == 3
    for title in titles:
        assert world.reads(title) == [29, *[30] * (len(world.reads(title)) - 1)]
        assert world.cached()[title]["quantity"] == 29
    in_step(world, others, 29)
    messages = ended.problems("refused")
    assert len(messages) == len(titles)
    assert all(MESSAGE in message for message in messages)
    assert {message.split()[0].rstrip(":") for message in messages} == set(titles)
    # Nothing of it is lost: sales go on, and when Shopify relents the pool is brought in step.
    sell_one_of_each(world, titles)
    assert world.run(faults=faults).exit_code == 3
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, titles, 28)
    in_step(world, others, 29)
    return ended.sent


@pytest.mark.parametrize("named", [True, False])
def test_one_of_many_is_refused(prints: Prints, named: bool) -> None:
    world = prints(**dict.fromkeys("ABCDEFGH", 3))
    sent = refused_only(world, "C", "ABDEFGH", [refuse("C-2", named=named)])
    assert sent == 2 if named else sent <= 7


@pytest.mark.parametrize("named", [True, False])
def test_several_are_refused_at_once(prints: Prints, named: bool) -> None:
    world = prints(**dict.fromkeys("ABCDEFGH", 3))
    sent = refused_only(world, "ADH", "BCEFG", [refuse("A-2", "D-3", "H-2", named=named)])
    assert sent == 2 if named else sent <= 15


def test_named_and_unnamed_refusals_in_one_answer(prints: Prints) -> None:
    world = prints(**dict.fromkeys("ABCDEFGH", 3))
    faults = [refuse("A-2"), refuse("D-3", named=False)]
    refused_only(world, "AD", "BCEFGH", faults)


def test_a_refusal_that_appears_only_in_the_second_try(prints: Prints) -> None:
    world = prints(**dict.fromkeys("ABCD", 3))
    sell_one_of_each(world, "ABCD")
    ended = world.run(faults=[refuse("A-2", nth=1), refuse("C-2", nth=[2, 3, 4, 5])])
    assert ended.exit_code == 3
    assert len(ended.problems("refused")) == 2
    assert len(set(ended.keys)) == ended.sent == 3
    in_step(world, "BD", 29)
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, "ABCD", 29)


def test_all_of_a_batch_is_refused(prints: Prints) -> None:
    world = prints(**dict.fromkeys("ABC", 2))
    sell_one_of_each(world, "ABC")
    ended = world.run(faults=[refuse("A-2", "B-2", "C-2", named=False)])
    assert len(ended.problems("refused")) == 3
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, "ABC", 29)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("raised", [False, True])
def test_a_pool_of_several_batches_refused_in_its_second(
    prints: Prints, named: bool, raised: bool
) -> None:
    world = prints(batch=4, Large=10, Other=3)
    start = 30
    if raised:
        world.shop.restock("Large-1", 5)
        start = 35
    else:
        world.shop.sell("Large-1", 2)
        start = 28
    world.shop.sell("Other-1")
    ended = world.run(faults=[refuse("Large-8", named=named)])
    assert ended.exit_code == 3
    assert world.reads("Large") == [start] * 5 + [30] * 5
    assert world.cached()["Large"]["quantity"] == start
    in_step(world, ["Other"], 29)
    world.shop.sell("Large-2", 1)
    world.shop.sell("Large-9", 1)
    assert world.run(faults=[refuse("Large-8", named=named)]).exit_code == 3
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, ["Large"], start - 2)


def test_a_pool_of_more_than_250_levels(prints: Prints) -> None:
    world = prints(Large=260, Other=2)
    world.shop.sell("Large-1", 2)
    world.shop.sell("Other-1")
    ended = world.run(faults=[refuse("Large-258")])
    assert ended.exit_code == 3
    assert world.reads("Large") == [28] * 251 + [30] * 9
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, ["Large"], 28)
    in_step(world, ["Other"], 29)


@pytest.mark.parametrize(
    "code", ["SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"]
)
@pytest.mark.parametrize("applied", [False, True])
def test_shopify_is_busy(prints: Prints, code: str, applied: bool) -> None:
    """The same call with the same key, whether the first was applied or not; not in halves yet."""
    world = prints(**dict.fromkeys("ABCD", 3))
    sell_one_of_each(world, "ABCD")
    busy = {
        "fault": "user_error",
        "code": code,
        "operation": "Adjust",
        "times": 2,
        "applied": applied,
    }
    ended = world.run(faults=[busy])
    assert ended.exit_code == 0, ended.message
    assert ended.sent == (2 if applied else 3)  # a key that did its work answers with it
    assert len(set(ended.keys)) == 1
    assert not ended.outcome or not ended.outcome.problems
    in_step(world, "ABCD", 29)


@pytest.mark.parametrize("code", ["SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED"])
def test_shopify_stays_busy(prints: Prints, code: str) -> None:
    """Nothing was applied: halves are tried once each, every pool is told, and nothing is lost."""
    world = prints(**dict.fromkeys("ABCD", 3))
    sell_one_of_each(world, "ABCD")
    busy = {"fault": "user_error", "code": code, "operation": "Adjust"}
    ended = world.run(faults=[busy])
    assert ended.exit_code == 3
    assert len(ended.problems("refused")) == 4
    assert all(code in message for message in ended.problems("refused"))
    assert ended.sent == push.BUSY_TRIES + 2 + 4
    assert len(set(ended.keys)) == 1 + 2 + 4
    assert not world.files().journal.exists()
    sell_one_of_each(world, "AB")
    after = world.run()
    assert after.exit_code == 0, after.message
    assert not set(after.keys) & set(ended.keys)
    in_step(world, "AB", 28)
    in_step(world, "CD", 29)


def test_an_adjustment_that_stays_at_work_is_of_unknown_outcome(prints: Prints) -> None:
    world = prints(**dict.fromkeys("ABCD", 3))
    sell_one_of_each(world, "ABCD")
    busy = {"fault": "user_error", "code": "IDEMPOTENCY_CONCURRENT_REQUEST", "operation": "Adjust"}
    ended = world.run(faults=[busy])
    assert ended.exit_code == 1
    assert "still at work" in ended.message
    assert len(set(ended.keys)) == 1
    sell_one_of_each(world, "AB")
    after = world.run()
    assert after.exit_code == 0, after.message
    assert after.keys[0] in ended.keys
    in_step(world, "AB", 28)
    in_step(world, "CD", 29)


def test_an_index_that_is_none_of_ours_is_no_index(
    prints: Prints, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = prints(**dict.fromkeys("AB", 3))
    sell_one_of_each(world, "AB")
    monkeypatch.setattr(adjust, "_index", lambda field: 99)
    ended = world.run(faults=[refuse("A-2")], budget=60.0)
    assert ended.exit_code == 3
    assert len(ended.problems("refused")) == 1
    in_step(world, "B", 29)
    monkeypatch.undo()
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, "AB", 29)


def test_a_fault_of_ours_stops_the_run_and_loses_nothing(prints: Prints) -> None:
    world = prints(batch=2, **dict.fromkeys("ABC", 3))
    sell_one_of_each(world, "ABC")
    ours = {
        "fault": "user_error",
        "code": "INVALID_REFERENCE_DOCUMENT",
        "operation": "Adjust",
        "nth": 2,
    }
    ended = world.run(faults=[ours])
    assert ended.exit_code == 1
    assert "report it" in ended.message
    sell_one_of_each(world, "A")
    assert world.until_rest()[-1].exit_code == 0
    in_step(world, "A", 28)
    in_step(world, "BC", 29)


def test_the_last_adjustment_of_a_product_that_leaves_is_tried_again(prints: Prints) -> None:
    world = prints(A=3, B=3, C=3)
    world.shop.sell("C-1")
    world.shop.retype("C", "Poster")
    ended = world.run(faults=[refuse("C-2")])
    assert ended.exit_code == 3
    assert len(ended.problems("refused")) == 1
    assert world.reads("C") == [29, 30, 30]
    assert "C" in world.cached()
    assert world.run().exit_code == 0
    assert world.reads("C") == [29, 29, 29]
    assert "C" not in world.cached()
