"""What a run that was cut off leaves behind, and what the next one makes of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_world import Disk, Ended, Hook, Left, Prints, SmallWorld

from invsync.sandbox import state
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request

CUT_BEFORE = {"fault": "cut_before", "operation": "Adjust"}
CUT_AFTER = {"fault": "cut_after", "operation": "Adjust"}


def at_adjust(nth: int, phase: Phase, do: Callable[[], object]) -> Hook:
    """Do something at the n-th call that adjusts."""
    seen = {"before": 0, "after": 0}

    def hook(request: Request, now: Phase) -> None:
        if request.operation == "Adjust":
            seen[now] += 1
            if now == phase and seen[now] == nth:
                do()

    return hook


def cut_off(world: SmallWorld, *, applied: bool) -> Ended:
    """A run that never hears what became of its only batch."""
    ended = world.run(faults=[CUT_AFTER if applied else CUT_BEFORE])
    assert ended.exit_code == 1
    assert world.files().journal.exists()
    return ended


def left_alone(world: SmallWorld, ended: Ended, before: Left) -> None:
    """The run sent nothing, and what stood in its way is still there."""
    assert ended.exit_code == 1
    assert ended.sent == 0
    after = Left.by(world)
    assert after.shop == before.shop
    for name in ("variants.json", "variants.journal", "history.jsonl"):
        assert after.files.get(name) == before.files.get(name)


# -- the answer that was never heard ---------------------------------------------------------------


@pytest.mark.parametrize("applied", [False, True])
def test_the_same_call_with_the_same_key(prints: Prints, applied: bool) -> None:
    world = prints(A=3, B=2)
    world.shop.sell("A-1", 3)
    first = cut_off(world, applied=applied)
    world.shop.sell("A-2", 1)  # in between: counted by the next run, once
    after = world.run()
    assert after.exit_code == 0, after.message
    assert after.keys[0] == first.keys[0]
    assert world.reads("A") == [26] * 3


@pytest.mark.parametrize("applied", [False, True])
def test_concurrent_request_is_asked_again_with_the_same_key(prints: Prints, applied: bool) -> None:
    world = prints(A=3)
    world.shop.sell("A-1", 3)
    first = cut_off(world, applied=applied)
    busy = {
        "fault": "user_error",
        "code": "IDEMPOTENCY_CONCURRENT_REQUEST",
        "operation": "Adjust",
        "times": 2,
    }
    after = world.run(faults=[busy])
    assert after.exit_code == 0, after.message
    assert set(after.keys) == {first.keys[0]}
    assert world.reads("A") == [27] * 3


def test_concurrent_request_that_does_not_end_is_left_to_the_next_run(prints: Prints) -> None:
    world = prints(A=3)
    world.shop.sell("A-1", 3)
    cut_off(world, applied=False)
    before = world.files().journal.read_bytes()
    busy = {"fault": "user_error", "code": "IDEMPOTENCY_CONCURRENT_REQUEST", "operation": "Adjust"}
    ended = world.run(faults=[busy])
    assert ended.exit_code == 1
    assert world.files().journal.read_bytes().startswith(before)
    assert world.run().exit_code == 0
    assert world.reads("A") == [27] * 3


def test_previous_attempt_failed_means_that_nothing_was_applied(prints: Prints) -> None:
    """The batch is over; its pools are planned afresh, in the same run and with a new key."""
    world = prints(A=3, B=2)
    world.shop.sell("A-1", 3)
    world.shop.restock("B-1", 5)
    first = cut_off(world, applied=False)
    world.shop.sell("A-2", 1)
    failed = {
        "fault": "user_error",
        "code": "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
        "operation": "Adjust",
        "nth": 1,
    }
    after = world.run(faults=[failed])
    assert after.exit_code == 0, after.message
    assert after.keys[0] == first.keys[0]
    assert after.keys[1] not in first.keys
    assert world.reads("A") == [26] * 3
    assert world.reads("B") == [35] * 2
    assert after.warnings("replay_refused")


def test_a_replay_that_shopify_refuses_had_not_been_applied(prints: Prints) -> None:
    world = prints(A=3, B=2)
    world.shop.sell("A-1", 3)
    world.shop.sell("B-1", 1)
    cut_off(world, applied=False)
    world.shop.delete_variant("B-2")
    after = world.run()
    assert after.exit_code == 0, after.message
    assert world.reads("A") == [27] * 3
    assert world.reads("B") == [29]


def test_parameter_mismatch_stops_everything(prints: Prints) -> None:
    world = prints(A=3, B=2)
    world.shop.sell("A-1", 3)
    cut_off(world, applied=True)
    world.shop.sell("B-1", 1)
    mismatch = {
        "fault": "user_error",
        "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        "operation": "Adjust",
    }
    journal = world.files().journal.read_bytes()
    # A key that has done its work answers with it: so that the fault strikes, Shopify has to have
    # forgotten it.
    world.shop.account.keys.clear()
    ended = world.run(faults=[mismatch])
    assert ended.exit_code == 1
    assert "key" in ended.message
    assert ended.sent == 1
    assert world.files().journal.read_bytes().startswith(journal)
    assert world.reads("B") == [29, 30]


def test_a_signal_while_the_outcome_is_unknown_leaves_the_journal(prints: Prints) -> None:
    world = prints(batch=2, A=3, B=3)
    world.shop.sell("A-1", 3)
    world.shop.sell("B-1", 1)
    ended = world.run(faults=[{**CUT_AFTER, "nth": [2, 3, 4, 5, 6, 7]}], stop_at=7)
    assert ended.exit_code == 128 + signal.SIGTERM
    assert world.files().journal.exists()
    assert world.run().exit_code == 0
    assert world.reads("A") == [27] * 3
    assert world.reads("B") == [29] * 3


def test_what_a_cut_off_run_had_to_say_is_said_by_the_next(prints: Prints) -> None:
    """Units that were left out of account are never left out in silence."""
    world = prints(A=3)
    world.shop.restock("A-1", 5)
    world.shop.restock("A-2", 2)
    disk = Disk(world.folder)
    assert world.run(disk=disk, hook=at_adjust(1, "after", disk.kill)).killed
    after = world.run()
    assert world.reads("A") == [32] * 3
    assert after.exit_code == 3
    assert after.problems("several_rises")


# -- stopped at every request ----------------------------------------------------------------------


def busy_world(prints: Prints) -> SmallWorld:
    """A run with several batches: one is part of a large pool, and one is refused."""
    world = prints(batch=3, A=3, B=3, Large=8, C=2)
    world.shop.sell("A-1", 3)
    world.shop.restock("B-2", 4)
    world.shop.sell("Large-5", 2)
    world.shop.sell("C-1", 1)
    return world


REFUSED = {"fault": "refuse", "operation": "Adjust", "items": ["C-2"], "named": False}


def in_step(world: SmallWorld) -> None:
    assert world.reads("A") == [27] * 3
    assert world.reads("B") == [34] * 3
    assert world.reads("Large") == [28] * 8
    assert world.reads("C") == [29] * 2


def test_stopped_by_a_signal_at_every_request(prints: Prints) -> None:
    world = busy_world(prints)
    before = Left.by(world)
    undisturbed = before.world(world.folder, world).run(faults=[REFUSED])
    assert undisturbed.exit_code == 3
    stopped = 0
    for number in range(1, len(undisturbed.requests) + 1):
        world = before.world(world.folder, world)
        ended = world.run(faults=[REFUSED], stop_at=number)
        assert ended.exit_code in (3, 128 + signal.SIGTERM)
        stopped += ended.exit_code != 3
        assert not world.files().journal.exists()
        assert world.until_rest()[-1].exit_code == 0
        in_step(world)
    assert stopped >= 8


def test_out_of_time_at_every_request(prints: Prints) -> None:
    """The run stops between two batches, keeps what it did, and says what is left."""
    world = busy_world(prints)
    before = Left.by(world)
    undisturbed = before.world(world.folder, world).run(faults=[REFUSED])
    told = 0
    for number in range(1, len(undisturbed.requests) + 1):
        world = before.world(world.folder, world)

        def late(
            request: Request, now: Phase, number: int = number, world: SmallWorld = world
        ) -> None:
            if request.number == number and now == "after":
                world.time.pass_by(hours=1)

        ended = world.run(faults=[REFUSED], hook=late)
        assert ended.exit_code in (1, 3)
        assert not world.files().journal.exists()
        if ended.exit_code == 1:
            assert "time budget" in ended.message
            told += "left to the next run" in ended.message
        world.shop.sell("A-2", 1)
        assert world.until_rest()[-1].exit_code == 0
        assert world.reads("A") == [26] * 3
        assert world.reads("Large") == [28] * 8
        assert world.reads("B") == [34] * 3
        assert world.reads("C") == [29] * 2
    assert told >= 6


def test_a_full_disk_at_every_write(prints: Prints) -> None:
    """An error, the old files whole, and the next run ends where it would have ended."""
    world = busy_world(prints)
    before = Left.by(world)
    undisturbed = before.world(world.folder, world).run()
    assert undisturbed.exit_code == 0
    failed = 0
    for step in range(1, len(undisturbed.steps) + 1):
        world = before.world(world.folder, world)
        ended = world.run(disk=Disk(world.folder, full_from=step))
        assert ended.exit_code in (0, 1), (
            ended.exit_code
        )  # 0: nothing was to be written but how the run ended
        failed += ended.exit_code == 1
        if ended.exit_code == 1:
            assert "with room on its disk" in ended.message
        json.loads(world.files().cache.read_bytes())
        after = world.run()
        assert after.exit_code == 0, (
            f"full from step {step} ({undisturbed.steps[step - 1]}): {after.message}"
        )
        in_step(world)
    assert failed >= 30


# -- a journal too old to replay -------------------------------------------------------------------


def test_old_journal_as_before(prints: Prints) -> None:
    world = prints(A=3)
    world.shop.sell("A-1", 3)
    world.time.pass_by(minutes=1)
    cut_off(world, applied=False)
    world.time.pass_by(hours=21)
    ended = world.run()
    assert ended.exit_code == 0, ended.message
    assert not ended.warnings("old_journal")
    assert world.reads("A") == [27] * 3


def test_old_journal_as_after(prints: Prints) -> None:
    world = prints(A=3)
    world.shop.sell("A-1", 3)
    world.time.pass_by(minutes=1)
    first = cut_off(world, applied=True)
    world.time.pass_by(hours=21)
    ended = world.run()
    assert ended.exit_code == 0, ended.message
    assert not ended.warnings("old_journal")
    assert not set(ended.keys) & set(first.keys)
    assert world.reads("A") == [27] * 3
    world.shop.sell("A-2", 1)
    assert world.run().exit_code == 0
    assert world.reads("A") == [26] * 3


@pytest.mark.parametrize("applied", [False, True])
def test_old_journal_neither_is_left_to_a_person(prints: Prints, applied: bool) -> None:
    world = prints(A=3, B=3)
    world.shop.sell("A-1", 3)
    world.shop.sell("B-1", 1)
    world.time.pass_by(minutes=1)
    first = cut_off(world, applied=applied)
    world.time.pass_by(hours=1)
    world.shop.sell("A-2", 5)
    world.time.pass_by(hours=20)
    ended = world.run()
    assert ended.exit_code == 3
    (problem,) = ended.problems("old_journal")
    assert problem.startswith("A:")
    number = world.shop.product("A").gid.rpartition("/")[2]
    assert problem.endswith(f"`invsync variants --init --only {number}`")
    assert not set(ended.keys) & set(first.keys)
    assert world.reads("B") == [29] * 3
    assert world.cached()["A"]["quantity"] is None
    # Left alone, and told, also when its levels happen to be equal, until a person says so.
    for sku in ("A-1", "A-2", "A-3"):
        world.shop.set_available(sku, 22)
    for _ in range(2):
        again = world.run()
        assert again.exit_code == 3
        assert again.problems("old_journal") == [problem]
        assert not again.sent
    assert world.cached()["A"]["problem"]["kind"] == "old_journal"
    assert world.run(init=True).exit_code == 0
    assert world.cached()["A"]["quantity"] == 22
    world.shop.sell("A-1", 1)
    assert world.run().exit_code == 0
    assert world.reads("A") == [21] * 3


@pytest.mark.parametrize("applied", [False, True])
def test_old_journal_is_not_fooled_by_sales_that_look_like_the_batch(
    prints: Prints, applied: bool
) -> None:
    """What reads as after the batch (or as before it, by a restock) was not touched about then."""
    world = prints(A=2)
    world.shop.sell("A-1", 3)
    world.time.pass_by(minutes=1)
    cut_off(world, applied=applied)
    world.time.pass_by(hours=3)
    if applied:
        world.shop.restock("A-2", 3)
        assert world.reads("A") == [27, 30]
    else:
        world.shop.sell("A-2", 3)
        assert world.reads("A") == [27, 27]
    world.time.pass_by(hours=18)
    ended = world.run()
    assert ended.problems("old_journal")
    assert ended.exit_code == 3
    assert world.run().exit_code == 3  # not adopted though it reads the same


def test_what_is_left_alone_is_aligned_when_a_person_asks_for_it(prints: Prints) -> None:
    world = prints(A=2)
    world.shop.sell("A-1", 3)
    cut_off(world, applied=True)
    world.time.pass_by(hours=1)
    world.shop.sell("A-2", 1)
    world.time.pass_by(hours=20)
    assert world.run().problems("old_journal")
    assert world.run(init=True).problems("out_of_sync")
    assert world.run(init=True, align="lowest").exit_code == 0
    assert world.reads("A") == [26, 26]


@pytest.mark.parametrize("applied", [False, True])
def test_a_batch_from_the_future_is_never_replayed(prints: Prints, applied: bool) -> None:
    world = prints(A=3)
    world.shop.sell("A-1", 3)
    first = cut_off(world, applied=applied)
    journal = world.files().journal
    header, batch, *_ = lines_of(journal)
    write_lines(journal, header, {**batch, "sent_at": "2027-11-22T12:00:00Z"})
    before = world.reads("A")
    ended = world.run()
    assert ended.exit_code == 3  # when it went out is not known, so nor what was before and after
    assert not set(ended.keys) & set(first.keys)
    assert ended.problems("old_journal")
    assert world.reads("A") == before


def test_a_key_is_still_good_after_nineteen_hours(prints: Prints) -> None:
    world = prints(A=2)
    world.shop.sell("A-1", 3)
    first = cut_off(world, applied=True)
    world.time.pass_by(hours=19)
    ended = world.run()
    assert ended.exit_code == 0
    assert ended.keys == [first.keys[0]]
    assert world.reads("A") == [27] * 2


def test_a_journal_of_which_only_a_part_is_old(prints: Prints) -> None:
    """Recorded outcomes are believed, however old; only the open batch is settled by reading."""
    world = prints(batch=3, Large=8)
    world.shop.sell("Large-1", 2)
    world.time.pass_by(minutes=1)
    # 7 adjustments in three batches: the first is applied and known to be, of the second nobody
    # knows.
    ended = world.run(faults=[{**CUT_AFTER, "nth": list(range(2, 20))}])
    assert ended.exit_code == 1
    assert world.reads("Large") == [28] * 7 + [30]
    world.time.pass_by(hours=21)
    after = world.run()
    assert after.exit_code == 0, after.message
    assert world.reads("Large") == [28] * 8


def test_a_forgotten_pool_is_no_new_one(prints: Prints) -> None:
    """0 and 5 after all of it was sold at one location: no reason to put 5 there again."""
    world = prints(A=1)
    till = world.shop.add_location("Till")
    for title in ("Cup", "Bowl"):
        world.shop.add_product(title, [title], product_type="Kitchen", available=5)
    assert world.run("locations", init=True).exit_code == 0
    world.shop.sell("Cup", 5, "Warehouse")
    world.time.pass_by(minutes=1)
    assert world.run("locations", faults=[CUT_BEFORE]).exit_code == 1
    world.time.pass_by(hours=1)
    world.shop.sell("Cup", 1, till)
    world.shop.cancel("Cup", 1, till)
    world.time.pass_by(hours=20)
    ended = world.run("locations")
    assert ended.problems("old_journal")
    assert world.shop.available("Cup", "Warehouse") == 0
    assert ended.exit_code == 3


# -- bad input -------------------------------------------------------------------------------------


def with_open_journal(prints: Prints) -> SmallWorld:
    world = prints(A=3, B=3)
    world.shop.sell("A-1", 3)
    cut_off(world, applied=True)
    world.shop.sell("B-1", 1)
    return world


def lines_of(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def write_lines(journal: Path, *lines: dict[str, Any]) -> None:
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


def names_file_and_way_on(ended: Ended, journal: Path) -> None:
    assert str(journal) in ended.message
    assert "--init --reset" in ended.message
    assert "\n" not in ended.message


@pytest.mark.parametrize("torn", [b"", b'{"ba', b'{"outcome": "x", "applied": tr', b"\0\0\0\0"])
def test_a_torn_last_line_was_never_acted_on(prints: Prints, torn: bytes) -> None:
    world = with_open_journal(prints)
    journal = world.files().journal
    journal.write_bytes(journal.read_bytes() + torn)
    assert world.run().exit_code == 0
    assert world.reads("A") == [27] * 3
    assert world.reads("B") == [29] * 3


def test_a_journal_that_is_only_a_torn_line(prints: Prints) -> None:
    world = prints(A=3)
    world.files().journal.write_bytes(b'{"journal": 1, "comm')
    world.shop.sell("A-1", 3)
    assert world.run().exit_code == 0
    assert world.reads("A") == [27] * 3


def test_a_journal_of_another_shop(prints: Prints) -> None:
    world = with_open_journal(prints)
    journal = world.files().journal
    header, *rest = lines_of(journal)
    write_lines(
        journal,
        {**header, "shop": "other.myshopify.com", "shop_id": "gid://shopify/Shop/77"},
        *rest,
    )
    before = Left.by(world)
    ended = world.run()
    left_alone(world, ended, before)
    names_file_and_way_on(ended, journal)
    assert "other.myshopify.com" in ended.message


def test_a_journal_of_the_other_command(prints: Prints) -> None:
    world = with_open_journal(prints)
    journal = world.files().journal
    header, *rest = lines_of(journal)
    write_lines(journal, {**header, "command": "locations"}, *rest)
    before = Left.by(world)
    ended = world.run()
    left_alone(world, ended, before)
    names_file_and_way_on(ended, journal)


def test_a_journal_without_a_cache(prints: Prints) -> None:
    world = with_open_journal(prints)
    world.files().cache.unlink()
    before = Left.by(world)
    ended = world.run()
    left_alone(world, ended, before)
    names_file_and_way_on(ended, world.files().journal)


def test_a_cache_newer_than_the_journal(prints: Prints) -> None:
    world = with_open_journal(prints)
    left = world.files().journal.read_bytes()
    assert world.run().exit_code == 0
    world.shop.sell("A-1", 1)
    cut_off(world, applied=True)
    assert world.run().exit_code == 0
    world.files().journal.write_bytes(left)
    before = Left.by(world)
    ended = world.run()
    left_alone(world, ended, before)
    names_file_and_way_on(ended, world.files().journal)


@pytest.mark.parametrize(
    "bad", [b"not json\n", b'["a", "list"]\n', b"{}\n", b'{"batch": "x"}\n', b"\n"]
)
@pytest.mark.parametrize("at", [0, 1])
def test_a_bad_line_in_the_middle(prints: Prints, bad: bytes, at: int) -> None:
    world = with_open_journal(prints)
    journal = world.files().journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:at], bad, *lines[at:]]))
    before = Left.by(world)
    ended = world.run()
    left_alone(world, ended, before)
    names_file_and_way_on(ended, journal)


def test_starting_over_takes_the_levels_as_they_are(prints: Prints) -> None:
    """The way on that all those messages name."""
    world = with_open_journal(prints)
    world.files().cache.unlink()
    ended = world.run(init=True, reset=True)
    assert ended.exit_code == 3  # B is not equal
    assert not world.files().journal.exists()
    assert world.cached()["A"]["quantity"] == 27
    assert world.cached()["B"]["quantity"] is None
    world.shop.sell("A-2", 1)
    assert world.run().exit_code == 3
    assert world.reads("A") == [26] * 3


@pytest.mark.parametrize("align", ["lowest", None])
def test_starting_over_may_be_killed_anywhere(prints: Prints, align: str | None) -> None:
    """With a journal left open by a run before: nothing of it is taken for the new one's."""
    world = with_open_journal(prints)
    before = Left.by(world)
    options = {"init": True, "reset": True, "align": align}
    undisturbed = before.world(world.folder, world).run(**options)
    for step in range(1, len(undisturbed.steps) + 1):
        world = before.world(world.folder, world)
        assert world.run(disk=Disk(world.folder, at=step), **options).killed
        ended = world.run()
        assert ended.exit_code in (0, 3), (
            f"killed at step {step} ({undisturbed.steps[step - 1]}): {ended.message}"
        )
        assert world.reads("A") == [27] * 3
        assert world.reads("B") in ([29, 30, 30], [29] * 3)


# -- moved while it was pushed ---------------------------------------------------------------------


def test_a_stale_raise_is_read_and_planned_again(prints: Prints) -> None:
    """An import that is half done when it is seen, and whole when the raise arrives: 50, not 70."""
    world = prints(A=2, B=3)
    world.shop.set_available("A-1", 50)
    world.shop.sell("B-1", 1)
    ended = world.run(hook=at_adjust(1, "before", lambda: world.shop.set_available("A-2", 50)))
    assert ended.exit_code == 3  # which says that several rose
    assert world.reads("A") == [50, 50]
    assert world.reads("B") == [29] * 3
    assert len(set(ended.keys)) == ended.sent


def test_a_sale_meets_a_raise(prints: Prints) -> None:
    world = prints(A=3)
    world.shop.restock("A-1", 10)
    ended = world.run(hook=at_adjust(1, "before", lambda: world.shop.sell("A-2", 1)))
    assert ended.exit_code == 0
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") == [39] * 3


@pytest.mark.parametrize("batch", [250, 2])
def test_raises_that_stay_stale_are_left_to_the_next_run(prints: Prints, batch: int) -> None:
    world = prints(batch=batch, A=5, B=3)
    world.shop.restock("A-1", 10)
    world.shop.sell("B-1", 1)

    def busy(request: Request, phase: Phase) -> None:
        if request.operation == "Adjust" and phase == "before":
            world.shop.sell("A-4", 1)
            world.shop.sell("A-5", 1)

    ended = world.run(hook=busy)
    assert ended.exit_code == 0
    assert ended.warnings("stale")
    assert not world.files().journal.exists()
    assert world.reads("B") == [29] * 3
    sold = 2 * ended.sent
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") == [40 - sold] * 5


def test_several_rises_are_told_though_the_raise_was_stale(prints: Prints) -> None:
    """The pool of several batches is planned again from where the first one brought it."""
    world = prints(batch=2, A=7)
    world.shop.restock("A-1", 9)
    world.shop.restock("A-2", 5)
    ended = world.run(hook=at_adjust(3, "before", lambda: world.shop.sell("A-6", 1)))
    assert world.reads("A") == [34] * 7
    assert ended.problems("several_rises")
    assert ended.exit_code == 3


@pytest.mark.parametrize("units", [31, 33, 35, 36])
def test_what_is_held_is_settled_by_one_number_everywhere(prints: Prints, units: int) -> None:
    """As the report asks for: set all variants to the right number, raising at least one."""
    world = held_rises(prints)
    for sku in ("A-1", "A-2", "A-3"):
        world.shop.set_available(sku, units)
    assert world.run().exit_code == 0
    assert world.cached()["A"]["quantity"] == units
    assert world.reads("A") == [units] * 3


@pytest.mark.parametrize("units", [28, 10])
def test_what_is_held_is_taken_back_and_one_variant_set(prints: Prints, units: int) -> None:
    """As the report asks for where all of it was wrong."""
    world = held_rises(prints)
    for sku in ("A-1", "A-2"):
        world.shop.set_available(sku, 30)
    assert world.run().exit_code == 0
    world.shop.set_available("A-2", units)
    world.run()
    assert world.cached()["A"]["quantity"] == units
    assert world.reads("A") == [units] * 3


def held_rises(prints: Prints) -> SmallWorld:
    """Three variants at 30, of which two rose, and wait for a person."""
    world = prints(A=3)
    world.configure("variants", several_rises="hold")
    world.shop.restock("A-1", 5)
    world.shop.restock("A-2", 3)
    assert world.run().problems("several_rises")
    return world


# -- not alone -------------------------------------------------------------------------------------


def test_two_runs_at_once(prints: Prints) -> None:
    """The second is turned away before it reads or sends anything, wherever the first one is."""
    world = prints(batch=2, A=3, B=3)
    world.shop.sell("A-1", 3)
    world.shop.sell("B-1", 1)
    second: list[Ended] = []

    def start(request: Request, phase: Phase) -> None:
        before = Left.by(world)
        second.append(world.run())
        assert Left.by(world) == before

    ended = world.run(hook=start)
    assert ended.exit_code == 0
    assert len(second) >= 10
    assert {run.exit_code for run in second} == {75}
    assert not any(run.requests for run in second)
    assert world.reads("A") == [27] * 3
    assert world.reads("B") == [29] * 3


@pytest.mark.parametrize("size", [2, 3, 4])
def test_two_installations_do_not_run_the_stock_down(
    prints: Prints, folder: Path, size: int
) -> None:
    """Each takes the other's adjustments for sales, until one sees it and leaves the pool alone."""
    one = prints(A=size, available=1000)
    other = SmallWorld(folder / "other", one.shop, one.time, runs=500)
    assert other.run(init=True).exit_code == 0
    one.shop.sell("A-1", 1)
    reported: list[str] = []
    for _ in range(12):
        for world in (one, other):
            world.time.pass_by(minutes=5)
            reported += world.run().problems("another_program")
    assert reported
    (quantity,) = set(one.reads("A"))
    assert quantity > 1000 - 60
    settled = one.reads("A")
    for world in (one, other, one, other):
        world.run()
    assert one.reads("A") == settled


def test_other_adjustments_between_reading_and_pushing_commute(prints: Prints) -> None:
    world = prints(A=4)
    world.shop.sell("A-1", 3)
    ended = world.run(hook=at_adjust(1, "before", lambda: world.shop.sell("A-2", 2)))
    assert ended.exit_code == 0
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") == [25] * 4


def test_an_item_that_two_products_share(prints: Prints) -> None:
    """One level in two pools: what is sold of any of them reaches all, once."""
    world = prints(A=2, B=2)
    shop = world.shop
    shop.add_variant(shop.product("B"), "A-1", item=shop.item("A-1"))
    assert world.run().exit_code == 0
    shop.sell("A-2", 3)
    shop.sell("B-1", 2)
    shop.sell("A-1", 1)
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") + world.reads("B") == [24] * 5
    shop.restock("B-2", 10)
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") + world.reads("B") == [34] * 5


# -- a first run that did not come to its end ------------------------------------------------------


def test_init_that_ran_out_of_time_is_no_knowledge_of_what_is_new(prints: Prints) -> None:
    """9 at one location and 0 at the other, never looked at: no reason to make 18 of it."""
    world = prints(batch=1, A=1)
    till = world.shop.add_location("Till")
    for title, counts in (("Cup", (9, 4)), ("Bowl", (9, 0))):
        world.shop.add_product(title, [title], product_type="Kitchen", available=counts[0])
        world.shop.set_available(title, counts[1], till)
    late = at_adjust(1, "after", lambda: world.time.pass_by(hours=1))
    assert world.run("locations", init=True, align="lowest", hook=late).exit_code == 1
    ended = world.run("locations")
    assert ended.exit_code == 3
    assert world.shop.available("Bowl", till) == 0
    assert ended.sent == 0


def test_init_does_not_pass_over_sales_of_managed_pools(prints: Prints) -> None:
    """`--init` looks at no managed pool, so it is no reason for the feed to begin later."""
    world = prints(A=3)
    world.configure("variants", scan="changes")
    assert world.run().outcome is not None
    world.time.pass_by(minutes=30)
    world.shop.sell("A-1", 3)
    world.time.pass_by(minutes=30)
    assert world.run(init=True).exit_code == 0
    world.time.pass_by(minutes=10)
    ended = world.run()
    assert ended.outcome is not None
    assert ended.outcome.scan == "changes"
    assert world.reads("A") == [27] * 3


# -- what the search index shows -------------------------------------------------------------------


def test_an_index_that_does_not_show_a_variant_yet_costs_none_of_its_sales(prints: Prints) -> None:
    world = prints(A=3)
    yesterday = state.loads(state.dumps(world.shop), now=world.time.time)
    world.shop.add_variant(world.shop.product("A"), "A-4", available=30)
    assert world.run().exit_code == 0
    world.shop.sell("A-4", 2)
    world.run(shown=yesterday)
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") == [28] * 4


def test_an_index_that_shows_yesterdays_numbers_raises_nothing(prints: Prints) -> None:
    world = prints(A=3, B=3)
    world.shop.restock("A-1", 9)
    yesterday = state.loads(state.dumps(world.shop), now=world.time.time)
    world.shop.sell("A-1", 9)
    world.shop.sell("B-1", 1)
    ended = world.run(shown=yesterday)
    assert ended.exit_code == 0
    assert world.until_rest()[-1].exit_code == 0
    assert world.reads("A") == [30] * 3
    assert world.reads("B") == [29] * 3
