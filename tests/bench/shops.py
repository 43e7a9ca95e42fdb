"""Weeks of simulated shops: this rule beside the hosted task's, as a Markdown table.

    python -m tests.bench.shops [--weeks 1] [--pools 4] [--seed 0] [--only WORLD]

A shop has one physical stock and two to four listings of it; a run looks every ten minutes. What
customers want is drawn once and offered to both rules. A listing sells while it shows something.

*Oversold beyond*: units sold that were not there, where even listings that all read the truth at
the last run would have refused. *Too few*: customers sent away whom those would have served. What
sells twice between two runs is in neither: no rule can help it.

The hosted task counts every movement, sums them, and takes what other programs adjust for
movements; as a second program on our pools it does just that.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsync.sync import (
    FELL_ALIKE_WARNS,
    Level,
    LevelId,
    Managed,
    Plan,
    Pool,
    Reading,
    Rules,
    SeveralRises,
    Unmanaged,
    plan,
)

#: One every ten minutes.
RUNS_A_DAY = 144
RUNS_A_WEEK = 7 * RUNS_A_DAY
#: Notes that a person has to act on or look at.
PROBLEMS = {"several_rises", "oversold", "another_program", "stock_moved", "held", "taken_back"}
RATES = (0.05, 0.3, 1.0, 3.0)
LEVELS = (2, 3, 4)


@dataclass(frozen=True)
class World:
    """A kind of shop. `rate`: customers per level and run. `shelf`: the share that is no order.

    Per day: `pairs`, orders of two listings at once, at the till; `cancelled`, orders of two
    listings that are cancelled; `returns`, one to three units that are typed back. `counts`: how a
    person counts every week ("one", "all"), after `shrinks` units were lost. `imports`: once a day
    the true number is written on all listings. `erp`: every how many runs another system writes its
    own number on the first listing. `second`: every how many runs another program syncs the same
    pool. `heeds`: a person does what a problem says within two hours (raises one by what was left
    out, types the true number into one), or a day (turns off the system that overwrites).
    `tops_up`: the first listing never sells, and is filled up every week to the same number.
    """

    name: str
    count: int = 2
    rate: float = 0.3
    shelf: float = 0.0
    pairs: float = 0
    cancelled: float = 0
    counts: str = ""
    shrinks: int = 0
    imports: bool = False
    erp: int = 0
    second: int = 0
    policy: SeveralRises = "smallest"
    heeds: bool = False
    returns: float = 0
    tops_up: bool = False


@dataclass
class Shop:
    """What the listings read, and what is really there."""

    world: World
    true: int
    available: list[int]
    on_hand: list[int]
    committed: list[int]
    wanted: list[int] = field(default_factory=list)
    sold: list[int] = field(default_factory=list)
    allowed: list[int] = field(default_factory=list)
    erp: int = 0
    oversold: int = 0
    beyond: int = 0
    too_few: int = 0
    waits: int = 0
    overwrites: bool = True

    @classmethod
    def opened(cls, world: World, stock: int) -> Shop:
        count = world.count
        shop = cls(world, stock, [stock] * count, [stock] * count, [0] * count, erp=stock)
        shop.look()
        return shop

    def look(self) -> None:
        """A run is over: what listings that read the truth would sell until the next."""
        self.sold = [0] * self.world.count
        self.allowed = [max(0, self.true)] * self.world.count

    def customer(self, at: int, shelf: bool) -> bool:
        """Somebody wants one of a listing; whether it is sold."""
        if self.available[at] <= 0:
            self.too_few += self.sold[at] < self.allowed[at] and self.true > 0
            return False
        self.true -= 1
        self.available[at] -= 1
        if shelf:
            self.on_hand[at] -= 1
        else:
            self.committed[at] += 1
        if self.true < 0:
            self.oversold += 1
            self.beyond += self.sold[at] >= self.allowed[at]
        self.sold[at] += 1
        self.erp -= at == 0
        return True

    def cancel(self, at: int) -> None:
        """A customer's order is undone."""
        if self.committed[at] > 0:
            self.true += 1
            self.available[at] += 1
            self.committed[at] -= 1
            self.allowed[at] += 1
            self.erp += at == 0

    def ship(self) -> None:
        """All orders leave the house."""
        for at, pieces in enumerate(self.committed):
            self.on_hand[at] -= pieces
            self.committed[at] = 0

    def set_to(self, at: int, number: int) -> None:
        """A number is typed, or written by a program."""
        self.adjust(at, number - self.available[at])

    def adjust(self, at: int, delta: int) -> None:
        self.available[at] += delta
        self.on_hand[at] += delta

    def restock(self, at: int, lot: int) -> None:
        """A delivery, typed onto one listing."""
        self.true += lot
        self.adjust(at, lot)
        self.allowed[at] += lot
        self.erp += lot * (at == 0)

    def readings(self) -> list[Reading]:
        return [
            Reading(available, max(0, on_hand), committed)
            for available, on_hand, committed in zip(
                self.available, self.on_hand, self.committed, strict=True
            )
        ]


@dataclass
class Ours:
    """This rule at work on a shop."""

    shop: Shop
    pool: Pool = field(init=False)
    ids: list[LevelId] = field(init=False)
    last: list[Reading] = field(init=False)
    told: Counter[str] = field(default_factory=Counter)
    advice: list[tuple[int, str, int]] = field(default_factory=list)
    release: bool = False

    def __post_init__(self) -> None:
        self.ids = [LevelId(f"item {at}", "here") for at in range(self.shop.world.count)]
        self.last = self.shop.readings()
        levels = dict(zip(self.ids, map(Level, self.last), strict=True))
        self.pool = Managed(self.shop.true, levels)

    @property
    def frozen(self) -> bool:
        return isinstance(self.pool, Unmanaged)

    def run(self, number: int) -> None:
        if self.shop.world.heeds:
            self._heed(number)
        seen = self.shop.readings()
        if self.frozen or seen == self.last:
            return
        rules = Rules(several_rises=self.shop.world.policy, release=self.release)
        self.release = False
        made = plan(self.pool, dict(zip(self.ids, seen, strict=True)), rules)
        for one in made.adjustments:
            self.shop.adjust(self.ids.index(one.level), one.delta)
        self._tell(made, number)
        self.pool = made.pool
        self.last = self.shop.readings()

    def _tell(self, made: Plan, number: int) -> None:
        for note in made.notes:
            self.told["problems"] += note.kind in PROBLEMS
            if note.kind == "overwritten" and note.units:
                self.told["problems"] += 1
                self.told["overwritten"] += 1
                if not any(what == "stop" for _, what, _ in self.advice):
                    self.advice.append((number + RUNS_A_DAY, "stop", 0))
            if note.kind == "several_rises" and note.units and note.cancelled:
                self.advice.append((number + 12, "raise", note.units))
            if note.kind == "fell_alike":
                worth = min(map(abs, note.levels.values())) >= FELL_ALIKE_WARNS
                self.told["warnings"] += worth
                if worth or note.units:
                    self.advice.append((number + 12, "count", 0))

    def _heed(self, number: int) -> None:
        """What a person does who was told two hours ago."""
        while self.advice and self.advice[0][0] <= number:
            _, what, units = self.advice.pop(0)
            shop = self.shop
            if what == "raise":
                shop.adjust(0, units)
            elif what == "stop":
                shop.overwrites, self.release = False, True
                self.advice.append((number, "count", 0))
            elif shop.sold == [0] * shop.world.count:
                shop.set_to(0, shop.true)
            else:
                self.advice.insert(0, (number + 1, what, 0))
                return


@dataclass
class Hosted:
    """The hosted task: all movements, whoever made them, go to all other levels."""

    shop: Shop
    its: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.its = list(self.shop.available)

    def run(self) -> None:
        now = self.shop.available
        moved = [read - was for read, was in zip(now, self.its, strict=True)]
        total = sum(moved)
        for at, own in enumerate(moved):
            if total != own:
                self.shop.adjust(at, total - own)
        self.its = list(now)


@dataclass(frozen=True)
class Drawn:
    """What happens before one run, whatever the rule."""

    customers: Sequence[tuple[int, bool]]
    pair: bool
    cancels: bool
    restock_on: int
    returned: int


def customers_of(random_: random.Random, rate: float) -> int:
    """A Poisson draw."""
    left, count = math.exp(-rate), 0
    chance = random_.random()
    while chance > left:
        chance *= random_.random()
        count += 1
    return count


def draw(random_: random.Random, world: World) -> Drawn:
    wanted = [
        (at, random_.random() < world.shelf)
        for at in range(world.tops_up, world.count)
        for _ in range(customers_of(random_, world.rate))
    ]
    random_.shuffle(wanted)
    return Drawn(
        wanted,
        random_.random() < world.pairs / RUNS_A_DAY,
        random_.random() < world.cancelled / RUNS_A_DAY,
        random_.randrange(world.count),
        random_.randint(1, 3) if random_.random() < world.returns / RUNS_A_DAY else 0,
    )


def happens(shop: Shop, number: int, drawn: Drawn, lot: int) -> None:
    """One interval between two runs."""
    world = shop.world
    daily = number % RUNS_A_DAY == 0
    middle = len(drawn.customers) // 2
    for at, shelf in drawn.customers[:middle]:
        shop.customer(at, shelf)
    if world.imports and daily:
        if shop.true < lot // 2:
            shop.true += lot
        for at in range(world.count):
            shop.set_to(at, shop.true)
            shop.allowed[at] = max(shop.allowed[at], shop.true)
    for at, shelf in drawn.customers[middle:]:
        shop.customer(at, shelf)
    if drawn.pair:
        shop.customer(0, True)
        shop.customer(1, True)
    if drawn.cancels:
        # An order of two listings comes, and is cancelled some days later: what counts is the end.
        shop.cancel(0)
        shop.cancel(1)
    if number % RUNS_A_DAY == RUNS_A_DAY // 2:
        shop.ship()
    if world.tops_up and number % RUNS_A_WEEK == 0:
        shop.restock(0, lot - shop.available[0])
    elif not world.imports and not world.tops_up:
        restock(shop, drawn.restock_on, lot)
    if drawn.returned:
        shop.restock(drawn.restock_on, drawn.returned)
    if world.shrinks and number % RUNS_A_WEEK == RUNS_A_WEEK // 2:
        shop.true -= min(world.shrinks, max(0, shop.true))
        for at in range(world.count if world.counts == "all" else 1):
            shop.set_to(at, shop.true)
    if world.erp and shop.overwrites and number % world.erp == 0:
        shop.set_to(0, shop.erp)


def restock(shop: Shop, at: int, lot: int) -> None:
    """A delivery comes two hours after the shelf is, or looks, empty."""
    if shop.true <= 0 or max(shop.available) <= 0:
        shop.waits += 1
        if shop.waits > 12:
            shop.waits = 0
            shop.restock(at, lot)


@dataclass
class Row:
    """What came of some pools of one world, summed."""

    name: str
    weeks: float = 0
    pools: int = 0
    frozen: int = 0
    caught_after: list[int] = field(default_factory=list)
    ran_down: list[int] = field(default_factory=list)
    ours: Counter[str] = field(default_factory=Counter)
    hosted: Counter[str] = field(default_factory=Counter)

    def cells(self) -> list[str]:
        def a_week(number: float) -> str:
            return f"{number / self.weeks:.2f}".rstrip("0").rstrip(".") if self.weeks else "–"

        figures = [self.name, f"{self.weeks:.0f}", str(self.frozen)]
        for what in ("beyond", "oversold", "too_few"):
            figures += [a_week(self.ours[what]), a_week(self.hosted[what])]
        return figures + [
            a_week(self.ours[what]) for what in ("problems", "overwritten", "warnings")
        ]


def play(world: World, weeks: int, seed: str, row: Row) -> None:
    """One pool for some weeks, under both rules; what came of it is added to `row`."""
    random_ = random.Random(seed)
    lot = max(20, round(world.rate * world.count * RUNS_A_DAY / 2)) * (10 if world.tops_up else 1)
    stock = lot * (10 if world.second else 1)
    ours, hosted = Ours(Shop.opened(world, stock)), Hosted(Shop.opened(world, stock))
    second = Hosted(ours.shop) if world.second else None
    row.pools += 1
    for number in range(1, weeks * RUNS_A_WEEK + 1):
        drawn = draw(random_, world)
        happens(ours.shop, number, drawn, lot)
        if second and number % world.second == 0:
            second.run()
        ours.run(number)
        ours.shop.look()
        if not second:
            happens(hosted.shop, number, drawn, lot)
            hosted.run()
            hosted.shop.look()
        if isinstance(ours.pool, Unmanaged):
            row.frozen += 1
            row.caught_after.append(number)
            break
    row.ran_down.append(ours.shop.true - max(ours.shop.available))
    row.weeks += number / RUNS_A_WEEK
    row.ours.update(figures_of(ours.shop))
    row.ours.update(ours.told)
    row.hosted.update(figures_of(hosted.shop))


def figures_of(shop: Shop) -> dict[str, int]:
    return {"beyond": shop.beyond, "oversold": shop.oversold, "too_few": shop.too_few}


KINDS: Mapping[str, float] = {"online": 0.0, "till": 1.0, "fulfilled at once": 0.9, "mixed": 0.5}


def everyday() -> Iterator[World]:
    """Shops without anything odd."""
    for kind, shelf in KINDS.items():
        for rate in RATES:
            for count in LEVELS:
                yield World(f"{kind}, {rate}", count, rate, shelf)


def odd() -> Iterator[World]:
    """Shops in which something else goes on."""
    for count in LEVELS:
        base = World("", count, 0.3, 0.5)
        for kind, shelf in KINDS.items():
            yield replace(base, name=f"daily imports, {kind}", imports=True, shelf=shelf)
        cancels = replace(base, name="cancelled orders of two, 6 a day", cancelled=6, shelf=0.0)
        yield cancels
        yield replace(cancels, name=f"{cancels.name}, a person heeds", heeds=True)
        yield replace(cancels, name=f"{cancels.name}, freed", policy="freed")
        yield replace(base, name="5 lost a week, count typed into one", shrinks=5, counts="one")
        alike = replace(base, name="5 lost a week, count typed into all", shrinks=5, counts="all")
        yield alike
        yield replace(alike, name=f"{alike.name}, a person heeds", heeds=True)
        for every in (1, 6):
            erp = replace(base, name=f"an ERP overwrites one, every {every} runs", erp=every)
            yield erp
            yield replace(erp, name=f"{erp.name}, a person heeds", heeds=True)
        yield replace(base, name="3 returns a day", returns=3)
        yield replace(
            base, name="one that never sells is topped up weekly", tops_up=True, rate=0.05
        )
    for pairs in (14, 43):
        yield World(f"pairs at the till, {pairs} a day", 2, 0.05, 1.0, pairs=pairs)


def seconds() -> Iterator[World]:
    """Shops with a second program."""
    for speed, rate in (("quiet", 0.05), ("busy", 3.0)):
        for every in (1, 2, 6):
            for count in LEVELS:
                name = f"second program, {speed}, every {every}, {count} levels"
                yield World(name, count, rate, 0.5, second=every)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def play_all(
    worlds: Iterator[World], options: argparse.Namespace, done: Callable[[str], None]
) -> list[Row]:
    rows: dict[str, Row] = {}
    for world in worlds:
        if options.only and options.only not in world.name:
            continue
        row = rows.setdefault(world.name, Row(world.name))
        for number in range(options.pools):
            play(world, options.weeks, f"{options.seed}/{world}/{number}", row)
        done(world.name)
    return list(rows.values())


HEAD = (
    "shop (sales per level and run)",
    "pool-weeks",
    "frozen",
    "beyond: ours",
    "hosted",
    "oversold: ours",
    "hosted",
    "too few: ours",
    "hosted",
    "problems",
    "of these overwritten",
    "fell alike, from 5",
)
SECOND_HEAD = ("second program", "pools", "caught", "after runs", "units run down")


def second_cells(row: Row) -> list[str]:
    def span(some: Sequence[int]) -> str:
        return f"{min(some)} to {max(some)}" if some else "–"

    return [
        row.name.removeprefix("second program, "),
        str(row.pools),
        str(row.frozen),
        span(row.caught_after),
        span(row.ran_down),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weeks", type=int, default=1, help="weeks that each pool is played")
    parser.add_argument("--pools", type=int, default=4, help="pools of each world and size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    options = parser.parse_args()
    began = time.monotonic()

    def done(name: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{time.monotonic() - began:5.0f} s {name:60}", end="", file=sys.stderr)

    for worlds in (everyday(), odd()):
        rows = play_all(worlds, options, done)
        print(table(HEAD, [row.cells() for row in rows]), end="\n\n", flush=True)
    print("All figures but pool-weeks and frozen are a week and pool.\n")
    rows = play_all(seconds(), options, done)
    print(table(SECOND_HEAD, [second_cells(row) for row in rows]))
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
