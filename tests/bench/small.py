"""Small worlds, all of them, and large ones at random: is every unit counted, or told?

    python -m tests.bench.small [--seed 0] [--worlds 20000] [--deep]

Small: pools of two and three listings, sizes 1 to 3, reserves 0 to 2. Everything that can happen to
them before a run (up to two things), every part of the push that may fail, a sale while it is on
its way, and one more thing before the next run. Large: up to six listings, twelve runs, anything.

After each run the quantity is held against what is really there (where packs and reserves show
several quantities alike, any of them). *Exact*: the same. Otherwise two true stories read the same,
and the rule took the lower: *indistinguishable*, listed by kind, each with the smallest example. A
kind that no note tells is named for what happened. More than there is (*above*) must not happen
(exit code 1), but where it can't be seen. A number is written on all listings, and before the run
looks, more of one is sold, and no witness shows it, than that raised it by: it reads as a delivery
and a sale. A number below what is due is written onto a level that still waits for our raise: told
(`raise_closed`). Packs that are typed up keep the loose units: told (`loose_units`).
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from invsync.sync import Level, LevelId, Managed, Plan, Reading, Rules, plan

#: Something that happens: to which listing (None: to all), what, and how many pieces.
Event = tuple[int | None, str, int]
#: Notes that say that what was counted may not be what happened, strongest first.
TELLING = (
    "another_program",
    "settled",
    "overwritten",
    "several_rises",
    "fell_alike",
    "taken_back",
    "raise_closed",
)


@dataclass(frozen=True)
class World:
    """A pool and its truth: what is really there, in units, the lowest and the highest."""

    pool: Managed
    levels: Mapping[LevelId, Reading]
    true: tuple[int, int]
    rules: Rules


def opened(sizes: Sequence[int], reserve: int, start: int) -> World:
    ids = [LevelId(f"item {number}", "here") for number in range(len(sizes))]
    rules = Rules(sizes=dict(zip(ids, sizes, strict=True)), reserve=reserve)
    levels = {at: reading(rules.due(at, start), 1) for at in ids}
    known = {at: Level(now, rules.size(at)) for at, now in levels.items()}
    return World(Managed(start, known, reserve=reserve), levels, (start, start), rules)


def reading(available: int, committed: int) -> Reading:
    return Reading(available, max(0, available + committed), committed)


def happens(world: World, event: Event) -> World:
    """The world after it; every listing has one open order from the start."""
    number, kind, pieces = event
    levels, true = dict(world.levels), world.true
    if number is None:
        # Somebody writes what is due of one number on all listings: that is what is there.
        number = world.pool.quantity + pieces
        for at, now in levels.items():
            levels[at] = reading(world.rules.due(at, number), now.committed or 0)
        if levels == world.levels:
            return world  # nobody can see it
        alike = [
            other
            for other in range(number - 13, number + 14)
            if all(world.rules.due(at, other) == now.available for at, now in levels.items())
        ]
        return World(world.pool, levels, (min(alike), max(alike)), world.rules)
    at = list(levels)[number]
    now = levels[at]
    committed = now.committed or 0
    if kind in ("cancel", "ship") and committed < pieces:
        return world
    available = {"order": -pieces, "till": -pieces, "ship": 0}.get(kind, pieces)
    committed += {"order": pieces, "cancel": -pieces, "ship": -pieces}.get(kind, 0)
    levels[at] = reading(now.available + available, committed)
    units = available * world.rules.size(at)
    return World(world.pool, levels, (true[0] + units, true[1] + units), world.rules)


def pushed(world: World, made: Plan, fails: frozenset[LevelId], late: Event | None) -> World:
    """After the push: a late sale comes first; a raise that is compared with what is gone fails."""
    if late:
        world = happens(world, late)
    levels = dict(world.levels)
    applied = []
    for one in made.adjustments:
        now = levels[one.level]
        if one.level not in fails and one.change_from in (None, now.available):
            levels[one.level] = reading(now.available + one.delta, now.committed or 0)
            applied.append(one.level)
    settled = made.settle(applied)
    assert isinstance(settled, Managed)
    return World(settled, levels, world.true, world.rules)


@dataclass
class Tally:
    """What came of the steps."""

    steps: int = 0
    exact: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)

    def judge(self, world: World, made: Plan, story: Sequence[object]) -> World | None:
        """Count a step. The world to go on with, its truth as a person would then set it right."""
        self.steps += 1
        after = made.pool
        told: set[str] = {note.kind for note in made.notes}
        lowest, highest = world.true
        quantity = after.quantity + after.on_release if isinstance(after, Managed) else lowest
        if isinstance(after, Managed) and lowest <= quantity <= highest:
            self.exact += 1
            return World(world.pool, world.levels, (quantity, quantity), world.rules)
        if quantity > highest:
            hidden = why_hidden(world, told, story[-1])
            kind = f"above: {hidden or 'else'}"
            if not hidden:
                self.above.append(f"{quantity} for {world.true}: {tale(world, story)}")
        else:
            untold = f"untold: {what_happened(story)}"
            kind = next((name for name in TELLING if name in told), untold)
        self.kinds[kind] += 1
        there = str(lowest) if lowest == highest else f"{lowest} to {highest}"
        example = f"{quantity} of {there}: {tale(world, story)}"
        length = sum(len(part) for part in story if isinstance(part, tuple))
        if kind not in self.examples or self.examples[kind][0] > length:
            self.examples[kind] = (length, example)
        if not isinstance(after, Managed):
            return None
        return World(world.pool, world.levels, (quantity, quantity), world.rules)


def why_hidden(world: World, told: set[str], events: object) -> str | None:
    """Why a step that counts more than there is can't be told from one that does not."""
    assert isinstance(events, tuple)
    for kind in ("raise_closed", "loose_units", "taken_back"):
        if kind in told:
            return kind
    if written_then_sold(events):
        return "written on all, then sold unseen"
    packs = any(world.rules.size(at) > 1 for at in world.levels)
    if packs and any(event[0] is None for event in events):
        return "written on packs, which show several quantities alike"
    return None


def written_then_sold(events: Sequence[Event]) -> bool:
    """Whether a number was written on all, and then something was sold that no witness shows.

    At the till, or by an order while as many others of the same listing were shipped or cancelled.
    """
    written = next((at for at, event in enumerate(events) if event[0] is None), len(events))
    freed = {event[0] for event in events if event[1] in ("ship", "cancel")}
    return any(
        event[1] in ("till", "ship") or (event[1] == "order" and event[0] in freed)
        for event in events[written:]
    )


def what_happened(story: Sequence[object]) -> str:
    parts = [event for part in story if isinstance(part, tuple) for event in part]
    on_all = any(number is None for number, _, _ in parts)
    return "a number written on all while something else moved" if on_all else "something else"


def tale(world: World, story: Sequence[object]) -> str:
    sizes = "/".join(str(world.rules.size(at)) for at in world.levels)
    return f"sizes {sizes}, reserve {world.rules.reserve}, {'; '.join(map(str, story))}"


def step(
    world: World, events: tuple[Event, ...], tally: Tally, story: list[object]
) -> tuple[World, Plan] | None:
    for event in events:
        world = happens(world, event)
    made = plan(world.pool, world.levels, world.rules)
    on = tally.judge(world, made, [*story, events])
    return (on, made) if on else None


def vocabulary(count: int) -> list[Event]:
    single: list[Event] = [
        (number, kind, pieces)
        for number in range(count)
        for kind, pieces in (("order", 1), ("till", 1), ("till", 2), ("restock", 1), ("cancel", 1))
    ]
    return [*single, (None, "count on all", -1), (None, "import on all", 3)]


def small(tally: Tally, shapes: Sequence[tuple[int, ...]]) -> None:
    """Every small world."""
    for sizes in shapes:
        words = vocabulary(len(sizes))
        happenings = [
            (),
            *((one,) for one in words),
            *itertools.combinations(words, 2),
            *((one, one) for one in words),
        ]
        for reserve, start in itertools.product((0, 1, 2), (0, 2, 5)):
            world = opened(sizes, reserve, start)
            for events in happenings:
                after_one(world, events, words, tally, [f"start {start}"])


def after_one(
    world: World,
    events: tuple[Event, ...],
    words: Sequence[Event],
    tally: Tally,
    story: list[object],
) -> None:
    made = step(world, events, tally, story)
    if made is None:
        return
    on, first = made
    sent = [one.level for one in first.adjustments]
    lates: list[Event | None] = [None, (0, "till", 1), (len(on.levels) - 1, "order", 1)]
    for fails in subsets(sent):
        for late in lates:
            left = pushed(on, first, fails, late)
            names = [at.item for at in fails]
            told = [*story, events, f"fails {names}", f"meanwhile {late}"]
            for event in words if not late else words[:4]:
                step(left, (event,), tally, told)


def subsets(levels: Sequence[LevelId]) -> Iterator[frozenset[LevelId]]:
    for count in range(len(levels) + 1):
        for some in itertools.combinations(levels, count):
            yield frozenset(some)


def large(tally: Tally, numbers: Iterable[int], seed: int) -> None:
    """Worlds at random."""
    for number in numbers:
        random_ = random.Random(f"{seed}/{number}")
        sizes = [random_.choice((1, 1, 1, 2, 3, 6)) for _ in range(random_.randint(2, 6))]
        world = opened(sizes, random_.choice((0, 0, 1, 4)), random_.randint(-3, 60))
        words = [*vocabulary(len(sizes)), *((at, "ship", 1) for at in range(len(sizes)))]
        story: list[object] = [f"world {seed}/{number}"]
        for _ in range(random_.randint(3, 12)):
            some = random_.sample(
                words[:-2] if random_.random() < 0.9 else words, random_.randint(0, 3)
            )
            made = step(world, tuple(some), tally, story)
            if made is None:
                break
            world, planned = made
            sent = [one.level for one in planned.adjustments]
            fails = frozenset(at for at in sent if random_.random() < 0.2)
            late = random_.choice([*words[:3], None, None]) if random_.random() < 0.5 else None
            world = pushed(world, planned, fails, late)
            story = [*story[-3:], tuple(some), f"fails {len(fails)}", f"meanwhile {late}"]


def show(name: str, tally: Tally) -> None:
    print(f"\n{name}: {tally.steps:,} steps, {tally.exact:,} exact, {len(tally.above)} above")
    print("\n| indistinguishable | steps | smallest example: quantity of what is there |")
    print("| --- | --- | --- |")
    for kind, count in tally.kinds.most_common():
        print(f"| {kind} | {count:,} | {tally.examples[kind][1]} |")
    for example in tally.above[:10]:
        print(f"ABOVE {example}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worlds", type=int, default=20_000, help="large worlds at random")
    parser.add_argument("--deep", action="store_true", help="three listings of three sizes too")
    options = parser.parse_args()
    began = time.monotonic()
    shapes: list[tuple[int, ...]] = [(1, 1), (1, 2), (2, 3), (1, 1, 1)]
    few, many = Tally(), Tally()
    small(few, [*shapes, (1, 2, 3)] if options.deep else shapes)
    show("small worlds", few)
    large(many, range(options.worlds), options.seed)
    show("large worlds", many)
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)
    return bool(few.above or many.above)


if __name__ == "__main__":
    sys.exit(main())
