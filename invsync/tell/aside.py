"""What a person at a terminal is told beside the report.

What bringing many pools to one number would send, and which step comes next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from invsync.axis import axis_of
from invsync.tell import words
from invsync.tell.lines import NAMED, clean, counted, listed
from invsync.tell.outcome import Change, Outcome, Problem


@dataclass(slots=True)
class Sums:
    """What adjustments come to: how many levels, by how many units, at each location.

    `emptied`: pools that come to 0 or less.
    """

    places: Mapping[str, str]
    levels: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    emptied: int = 0

    def add(self, location: str, delta: int) -> None:
        """Count an adjustment."""
        if delta:
            self.levels[location] += 1
            self.units[location] += delta

    @property
    def words(self) -> str:
        """`5 levels by -31 units (Till 3 by -20, Fair 2 by -11), 2 pools come to 0`."""
        total = sum(self.units.values())
        told = f"{counted(self.levels.total(), 'level')} by {total:+,} units"
        if len(self.places) > 1:
            each = (
                f"{clean(self.places.get(place, place))} {levels:,} by {self.units[place]:+,}"
                for place, levels in self.levels.most_common()
            )
            told += f" ({listed(list(each))})"
        if self.emptied:
            come = "comes" if self.emptied == 1 else "come"
            told += f"; {counted(self.emptied, 'pool')} {come} to 0, and nothing of it can be sold"
        return told


def sums(changes: Sequence[Change], places: Mapping[str, str]) -> str:
    """What a table of many changes comes to; empty for few."""
    if len(changes) <= NAMED:
        return ""
    found = Sums(places)
    for change in changes:
        found.emptied += change.after is not None and change.after <= 0
        for level in change.levels:
            found.add(level.location, level.delta)
    return f"in all: {found.words}" if found.levels else ""


def apart(outcome: Outcome) -> Sequence[Problem]:
    """The pools of many that are out of sync, which are told of together; none of few."""
    found = [problem for problem in outcome.problems if words.can_be_aligned(problem.kind)]
    return found if len(found) > NAMED else ()


def together(outcome: Outcome, pools: Sequence[Problem]) -> str:
    """What there is to say of many pools that are out of sync, with what `--align` would send."""
    axis = outcome.axis or axis_of(outcome.command, ())
    named = listed([f"{clean(one.title or '')} ({_readings(one)})" for one in pools])
    by_hand = f"set all {axis.one}s to the right number in Shopify"
    if axis.follows:
        by_hand = f"raise one {axis.one} to the right number in Shopify, and the others follow"
    told = (
        f"{len(pools):,} of {outcome.pools['seen']:,} pools are out of sync, so they are left "
        f"alone: their {axis.one}s differ, and only you can tell which is right: {named}. Of "
        f"those that you count, {by_hand}. All others can be brought to their lowest number, or "
        "to their highest"
    )
    if outcome.plain:
        told += f". To the lowest: {_aligned(outcome, pools, min)}"
        told += f". To the highest: {_aligned(outcome, pools, max)}"
    command = f"invsync {outcome.command} --init --align lowest --dry-run"
    return f"{told}. Look at it first, nothing is sent: `{command}`"


def _readings(problem: Problem) -> str:
    return "/".join(str(level.observed) for level in problem.levels[:NAMED])


def _aligned(
    outcome: Outcome, pools: Sequence[Problem], number: Callable[[Iterable[int]], int]
) -> str:
    found = Sums(outcome.places)
    for pool in pools:
        to = number(level.observed for level in pool.levels)
        found.emptied += to <= 0
        for level in pool.levels:
            found.add(level.location, to - level.observed)
    return found.words


def next_step(outcome: Outcome) -> str:
    """The step of the first day that comes after this one; empty where none does."""
    run = f"invsync {outcome.command}"
    if outcome.error is not None or not (outcome.dry_run or outcome.mode == "init"):
        return ""
    if not outcome.dry_run:
        return f"what a run would do, nothing is sent: `{run} --dry-run`"
    command = f"`{run}{outcome.asked}`"
    if outcome.mode != "init":
        step = "if that is right, do it. From then on cron does it, every ten minutes"
        return f"{step} (crontab.example): {command}"
    if outcome.changes:
        return f"if these are the right numbers, bring them there: {command}"
    return f"adopt what is in step, nothing is sent: {command}" if outcome.pools["adopted"] else ""
