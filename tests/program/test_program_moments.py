"""Clocks that are wrong.

No moment from outside makes a run blind, and no batch is sent twice for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from program_world import NOON, Time, World, new_shop

from invsync import connect
from invsync.sandbox import api
from invsync.sandbox.server import SandboxServer

FOUR = "P-S P-M P-L P-XL"
HOUR, DAY, YEAR = 3_600.0, 86_400.0, 365 * 86_400.0


class Clocks:
    """Three clocks.

    The true one, by which the shop notes what happens, its `Date`, and this machine's.
    """

    def __init__(self, true: Time) -> None:
        self.true = true
        self.date = 0.0
        self.once: float | None = None
        self.here = 0.0

    def dated(self, now: float, *, usegmt: bool) -> str:
        """The `Date` of an answer; `once`: of the next one only."""
        ahead, self.once = self.date if self.once is None else self.once, None
        return formatdate(now + ahead, usegmt=usegmt)

    def time(self) -> float:
        return self.true.time() + self.here

    def monotonic(self) -> float:
        return self.true.monotonic()

    def sleep(self, seconds: float) -> None:
        self.true.sleep(seconds)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks(Time())
    monkeypatch.setattr(connect, "time", clocks)
    monkeypatch.setattr(api, "formatdate", clocks.dated)
    return clocks


@pytest.fixture
def world(clocks: Clocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A shop of one pool, adopted, of which every run reads what changed only."""
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path, clocks.true, new_shop(clocks.true))
    with SandboxServer(world.shop, now=clocks.true.time, on_request=world.note) as world.server:
        world.configure(variants={"product_types": ["Print"], "scan": "changes"})
        world.add("Print", FOUR)
        world.run("variants", "--init")
        clocks.true.pass_by(hours=1)
        assert world.variants()["scan"] == "changes"
        yield world


def run_later(world: World, minutes: float = 10) -> dict[str, Any]:
    """A run some minutes later, in which one was sold just before; it must not be missed."""
    world.time.pass_by(minutes=minutes)
    before = world.reads(FOUR)
    world.sell("P-S")
    document = world.variants()
    assert world.reads(FOUR) == [before[0] - 1] * 4
    return document


def kinds(document: dict[str, Any]) -> list[str]:
    return [warning["kind"] for warning in document["warnings"]]


def mark(world: World) -> float:
    """The moment from which the feed is asked next, in seconds from the true time on."""
    text = json.loads(world.place("variants").read_bytes())["watermark"]
    return datetime.fromisoformat(text).timestamp() - world.time.time()


AHEAD = [2 * HOUR, 3 * DAY, YEAR]


@pytest.mark.parametrize("seconds", AHEAD)
def test_one_run_that_is_told_a_later_time_does_not_blind_the_next(
    world: World, clocks: Clocks, seconds: float
) -> None:
    clocks.date = seconds
    told = run_later(world)
    assert (told["scan"], kinds(told)) == ("complete", ["clock"])
    assert mark(world) <= 0
    clocks.date = 0.0
    after = run_later(world)
    assert (after["scan"], kinds(after)) == ("complete", ["clock"])
    assert mark(world) <= 0
    quiet = run_later(world)
    assert (quiet["scan"], kinds(quiet)) == ("changes", [])


@pytest.mark.parametrize("seconds", [*AHEAD, -2 * HOUR, -3 * DAY, -YEAR])
def test_the_first_answers_date_alone_shifts_nothing(
    world: World, clocks: Clocks, seconds: float
) -> None:
    for _ in range(2):
        clocks.once = seconds
        told = run_later(world)
        assert (told["scan"], kinds(told)) == ("changes", [])
        assert -HOUR / 2 < mark(world) <= 0
    clocks.once = seconds
    world.run("variants", "--init", "--reset")
    document = json.loads(world.place("variants").read_bytes())
    for key in ("watermark", "scanned_at"):
        assert datetime.fromisoformat(document[key]).timestamp() == world.time.time()
    quiet = run_later(world)
    assert (quiet["scan"], kinds(quiet)) == ("changes", [])


@pytest.mark.parametrize("seconds", AHEAD)
def test_a_date_that_stays_wrong_never_makes_the_feed_quiet(
    world: World, clocks: Clocks, seconds: float
) -> None:
    clocks.date = seconds
    for _ in range(4):
        told = run_later(world)
        assert (told["scan"], kinds(told)) == ("complete", ["clock"])
    clocks.date = 0.0
    run_later(world)
    assert run_later(world)["scan"] == "changes"


@pytest.mark.parametrize("seconds", [20 * 60.0, 50 * 60.0])
def test_a_date_that_is_somewhat_ahead_hides_nothing(
    world: World, clocks: Clocks, seconds: float
) -> None:
    for clocks.date in (seconds, seconds, seconds, 0.0, 0.0, seconds, 0.0):
        run_later(world, 25)
        assert mark(world) <= 0


@pytest.mark.parametrize("seconds", [YEAR, 3 * DAY, -3 * DAY, -YEAR])
def test_a_clock_of_this_machine_that_was_wrong_hides_nothing(
    world: World, clocks: Clocks, seconds: float
) -> None:
    clocks.here = seconds
    for _ in range(3):
        run_later(world)
        assert mark(world) <= 0
    clocks.here = 0.0
    told = run_later(world)
    assert kinds(told) == ["clock"]
    assert run_later(world)["scan"] == "changes"


def test_both_clocks_a_year_ahead_hide_nothing_once_they_are_right(
    world: World, clocks: Clocks
) -> None:
    clocks.here = clocks.date = YEAR
    run_later(world)
    clocks.here = clocks.date = 0.0
    told = run_later(world)
    assert (told["scan"], kinds(told)) == ("complete", ["clock"])
    assert mark(world) <= 0
    assert run_later(world)["scan"] == "changes"


@pytest.mark.parametrize("key", ["watermark", "scanned_at"])
@pytest.mark.parametrize("seconds", [HOUR, YEAR, 100 * YEAR])
def test_a_mark_that_lies_ahead_is_set_right(world: World, key: str, seconds: float) -> None:
    place = world.place("variants")
    document = json.loads(place.read_bytes())
    ahead = datetime.fromtimestamp(world.time.time() + seconds, UTC)
    document[key] = ahead.strftime("%Y-%m-%dT%H:%M:%SZ")
    place.write_text(json.dumps(document))
    told = run_later(world)
    assert (told["scan"], kinds(told)) == ("complete", ["clock"])
    assert mark(world) <= 0
    assert run_later(world)["scan"] == "changes"


def test_answers_without_a_date_leave_nothing_to_the_feed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invsync.admin.clock.http_date", lambda text: None)
    for _ in range(3):
        assert run_later(world)["scan"] == "complete"


def test_a_date_beyond_reason_is_none(world: World, clocks: Clocks) -> None:
    clocks.date = datetime(9999, 12, 31, 23, 0, tzinfo=UTC).timestamp() - NOON - 2 * HOUR
    run_later(world)
    clocks.date = 0.0
    run_later(world)
    assert run_later(world)["scan"] == "changes"


# --- Batches


@pytest.mark.parametrize("seconds", [HOUR, DAY, YEAR])
def test_a_batch_whose_moment_lies_ahead_is_never_repeated(
    world: World, clocks: Clocks, seconds: float
) -> None:
    """Sent while the `Date` was wrong: how old its key is can't be told."""
    world.sell("P-S", 3)
    clocks.date = seconds
    world.cut_off("variants", after=True)
    assert world.reads(FOUR) == [27] * 4
    clocks.date = 0.0
    world.time.pass_by(hours=30)
    world.run("variants", exit_code=None)
    keys = [one.graphql["variables"]["key"] for one in world.asked if one.operation == "Adjust"]
    assert keys == []
    assert world.reads(FOUR) == [27] * 4


def test_a_batch_that_the_shop_has_forgotten_is_not_repeated_though_its_date_went_back(
    world: World, clocks: Clocks
) -> None:
    world.sell("P-S", 3)
    world.cut_off("variants", after=True)
    world.time.pass_by(hours=40)
    clocks.date = -35 * HOUR  # five hours, by the shop's answers
    world.run("variants", exit_code=None)
    assert world.reads(FOUR) == [27] * 4


def test_a_batch_is_repeated_though_this_machine_woke_up_long_ago(
    world: World, clocks: Clocks
) -> None:
    """Power failed with a batch on its way, and the clock begins at 2001 again."""
    world.sell("P-S", 3)
    world.cut_off("variants")
    clocks.here = datetime(2001, 1, 1, tzinfo=UTC).timestamp() - NOON
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert not world.place("variants", "journal").exists()


@pytest.mark.parametrize("seconds", [YEAR, 30 * HOUR, -30 * HOUR, -YEAR])
def test_a_batch_is_repeated_whatever_the_first_answers_date_says(
    world: World, clocks: Clocks, seconds: float
) -> None:
    """By that alone it would lie ahead, or its key be long forgotten."""
    world.sell("P-S", 3)
    world.cut_off("variants", after=True)
    world.time.pass_by(minutes=10)
    clocks.once = seconds
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert not world.place("variants", "journal").exists()
    assert world.variants()["changes"] == []
