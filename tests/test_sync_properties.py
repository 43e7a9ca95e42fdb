"""The rule against a small shop: whatever is sold, restocked and refused, what must hold of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from invsync.sync import (
    BOUND,
    Level,
    LevelId,
    Managed,
    Plan,
    Pool,
    Reading,
    Rules,
    SeveralRises,
    Unmanaged,
    adopt,
    agree,
    align,
    as_set,
    due,
    first_edition,
    plan,
)

quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

POLICIES: tuple[SeveralRises, ...] = ("smallest", "freed", "sum", "hold")

Kind = Literal["order", "till", "ship", "cancel", "type"]


def level(number: int) -> LevelId:
    return LevelId(f"item {number}", "here")


@dataclass
class Shop:
    """What the levels really hold, in pieces, and every unit that ever moved by anyone but us."""

    levels: dict[LevelId, Reading]
    sizes: dict[LevelId, int]
    moved: int = 0

    def happens(self, at: LevelId, kind: Kind, pieces: int) -> None:
        """An order, a sale at the till, a shipment, a cancelled order, or a rise that is typed."""
        now = self.levels[at]
        committed = now.committed or 0
        if kind in ("ship", "cancel"):
            pieces = min(pieces, committed)
        available = {"order": -pieces, "till": -pieces, "ship": 0}.get(kind, pieces)
        committed += {"order": pieces, "ship": -pieces, "cancel": -pieces}.get(kind, 0)
        self.levels[at] = whole(now.available + available, committed)
        self.moved += available * self.sizes.get(at, 1)

    def push(self, made: Plan, refused: Collection[LevelId] = ()) -> set[LevelId]:
        """Apply the adjustments but those refused, and those that compare with what is gone."""
        applied = set()
        for adjustment in made.adjustments:
            now = self.levels[adjustment.level]
            stale = adjustment.change_from not in (None, now.available)
            if not stale and adjustment.level not in refused:
                after = whole(now.available + adjustment.delta, now.committed or 0)
                self.levels[adjustment.level] = after
                applied.add(adjustment.level)
        return applied


def whole(available: int, committed: int) -> Reading:
    """A reading whose witnesses fit: Shopify shows no less than 0 on hand."""
    return Reading(available, max(0, available + committed), committed)


def planned(pool: Pool | None, seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
    """A plan, with what holds of every plan of a managed pool."""
    made = plan(pool, dict(seen), rules)
    sent = [adjustment.level for adjustment in made.adjustments]
    assert len(sent) == len(set(sent))
    assert set(sent) <= seen.keys()
    for adjustment in made.adjustments:
        assert adjustment.delta != 0
        assert adjustment.observed == seen[adjustment.level].available
        assert adjustment.change_from == (adjustment.observed if adjustment.delta > 0 else None)
    after = made.pool
    assert after.levels.keys() == seen.keys()
    if isinstance(after, Managed):
        for at, one in after.levels.items():
            shown = rules.due(at, after.quantity) + one.held // one.size
            assert one.last.available == shown
            assert one.held % one.size == 0
            assert one.held >= 0
        assert 0 <= after.on_release <= sum(after.held.values())
        assert bool(after.held) == any(note.kind == "held" for note in made.notes)
    assert all(note.levels or note.kind == "another_program" for note in made.notes)
    return made


def noted(made: Plan, kind: str) -> int:
    """The sum over the levels of a kind of note."""
    return sum(sum(note.levels.values()) for note in made.notes if note.kind == kind)


def unit_of(made: Plan, kind: str) -> int:
    """The one number of a kind of note."""
    return sum(note.units for note in made.notes if note.kind == kind)


@dataclass(frozen=True)
class Event:
    number: int
    kind: Kind
    pieces: int


@dataclass(frozen=True)
class Happening:
    """What happens around one run: before its reading, before its push, and to its push."""

    before: Sequence[Event] = ()
    late: Sequence[Event] = ()
    refused: frozenset[int] = frozenset()
    policy: SeveralRises = "smallest"
    brake: bool = False
    release: bool = False
    joins: bool = False
    leaves: int | None = None


@dataclass(frozen=True)
class History:
    sizes: tuple[int, ...]
    reserve: int
    start: int
    runs: list[Happening] = field(default_factory=list)

    def rules(self, what: Happening, sizes: Mapping[LevelId, int]) -> Rules:
        return Rules(
            several_rises=what.policy,
            brake=what.brake,
            release=what.release,
            sizes=sizes,
            reserve=self.reserve,
        )

    def opened(self) -> tuple[Shop, Managed]:
        sizes = {level(number): size for number, size in enumerate(self.sizes)}
        levels = {at: whole(due(self.start, size, self.reserve), 0) for at, size in sizes.items()}
        kept = {at: Level(now, sizes[at]) for at, now in levels.items()}
        return Shop(levels, sizes), Managed(self.start, kept, reserve=self.reserve)


def events(count: int, kinds: Sequence[Kind], most: int = 12) -> st.SearchStrategy[Event]:
    return st.builds(Event, st.integers(0, count - 1), st.sampled_from(kinds), st.integers(1, most))


@st.composite
def histories(
    draw: st.DrawFn,
    kinds: Sequence[Kind] = ("order", "till", "ship"),
    *,
    wild: bool = False,
    plain: bool = False,
) -> History:
    """A pool, and what happens to it in a few runs; `wild`: brakes, levels come and go."""
    size = st.just(1) if plain else st.integers(1, 4)
    sizes = tuple(draw(st.lists(size, min_size=1, max_size=5)))
    some = st.lists(events(len(sizes), kinds), max_size=4)
    flag = st.booleans() if wild else st.just(False)
    runs = st.builds(
        Happening,
        before=some,
        late=st.lists(events(len(sizes), ("order", "till"), 4), max_size=2),
        refused=st.frozensets(st.integers(0, len(sizes) - 1)),
        policy=st.sampled_from(POLICIES),
        brake=flag,
        release=flag,
        joins=flag,
        leaves=st.none() | st.integers(0, len(sizes) - 1) if wild else st.none(),
    )
    reserve = 0 if plain else draw(st.integers(0, 4))
    start = draw(st.integers(-5, 60))
    return History(sizes, reserve, start, draw(st.lists(runs, min_size=1, max_size=8)))


def play_events(shop: Shop, some: Sequence[Event]) -> None:
    for event in some:
        at = level(event.number)
        if at in shop.levels:
            shop.happens(at, event.kind, event.pieces)


@quick
@given(histories())
def test_falls_are_counted_exactly_once_whatever_fails(history: History) -> None:
    """Any sizes and reserves, any part applied, sold between reading and push."""
    shop, pool = history.opened()
    for what in history.runs:
        play_events(shop, what.before)
        made = planned(pool, shop.levels, history.rules(what, shop.sizes))
        if isinstance(made.pool, Unmanaged):
            assert any(note.kind == "another_program" for note in made.notes)
            return
        assert made.pool.quantity == history.start + shop.moved
        play_events(shop, what.late)
        settled = made.settle(shop.push(made, {level(number) for number in what.refused}))
        assert isinstance(settled, Managed)
        pool = settled
    calm = history.rules(Happening(), shop.sizes)
    for _ in range(2):
        made = planned(pool, shop.levels, calm)
        shop.push(made)
        if isinstance(made.pool, Unmanaged):
            return
        pool = made.pool
    assert pool.quantity == history.start + shop.moved
    for at, now in shop.levels.items():
        assert now.available == due(pool.quantity, shop.sizes[at], history.reserve)


@quick
@given(histories(), st.lists(st.tuples(st.integers(0, 4), st.integers(1, 40)), max_size=8))
def test_a_single_rise_counts_exactly_or_is_told(
    history: History, rises: list[tuple[int, int]]
) -> None:
    """One restock a run, of a level that is not waiting to be raised; only orders besides."""
    shop, pool = history.opened()
    refused = 0
    for number, what in enumerate(history.runs):
        play_events(shop, [replace(event, kind="order") for event in what.before])
        if number < len(rises):
            which, pieces = rises[number]
            at = level(which % len(history.sizes))
            last = pool.levels[at].last.available
            if last >= due(pool.quantity, shop.sizes[at], history.reserve):
                shop.happens(at, "type", pieces + last - shop.levels[at].available)
        made = planned(pool, shop.levels, history.rules(what, shop.sizes))
        assert isinstance(made.pool, Managed)
        refused += unit_of(made, "overwritten")
        assert made.pool.quantity == history.start + shop.moved - refused
        assert "several_rises" not in {note.kind for note in made.notes}
        settled = made.settle(shop.push(made, {level(one) for one in what.refused}))
        assert isinstance(settled, Managed)
        pool = settled


def counted_by_hand(made: Plan) -> int:
    """By how much quantity and what is to be released moved, as the notes and movements tell it."""
    return (
        sum(made.movements.values())
        - unit_of(made, "several_rises")
        - noted(made, "stock_moved")
        - unit_of(made, "taken_back")
    )


@quick
@given(histories(("order", "till", "ship", "cancel", "type", "type"), wild=True))
def test_no_unit_is_lost_or_doubled_beyond_what_is_told(history: History) -> None:
    """Holding, brake, --force, changed policies, levels that join and leave, in any order."""
    shop, pool = history.opened()
    told = 0
    for number, what in enumerate(history.runs):
        play_events(shop, what.before)
        if what.leaves is not None and len(shop.levels) > 1:
            lost = shop.levels.pop(level(what.leaves), None)
            if lost is not None and level(what.leaves) in pool.levels:
                last = pool.levels[level(what.leaves)].last.available
                shop.moved -= (lost.available - last) * shop.sizes[level(what.leaves)]
        if what.joins:
            shop.levels[level(100 + number)] = whole(number, 0)
            shop.sizes[level(100 + number)] = 1 + number % 3
        if shop.levels.keys().isdisjoint(pool.levels):
            return
        made = planned(pool, shop.levels, history.rules(what, shop.sizes))
        after = made.pool
        if isinstance(after, Unmanaged):
            assert any(note.kind == "another_program" for note in made.notes)
            return

        if made.why == "settled":
            # A person's word; never more than everything that moved.
            told = history.start + shop.moved - after.quantity
        else:
            moved = after.quantity + after.on_release - pool.quantity - pool.on_release
            assert moved == counted_by_hand(made)
            total = sum(made.movements.values())
            told += total - moved
            # What was taken back, or only closed a gap, moved and is no movement.
            taken = {
                at: n.levels[at] for n in made.notes if n.kind == "taken_back" for at in n.levels
            }
            told += noted(made, "raise_closed") + unit_of(made, "overwritten")
            told -= sum(units for at, units in taken.items() if at in shop.levels)
        assert after.quantity + after.on_release == history.start + shop.moved - told
        play_events(shop, what.late)
        settled = made.settle(shop.push(made, {level(one) for one in what.refused}))
        assert isinstance(settled, Managed)
        pool = settled


@quick
@given(histories(("order", "till", "ship", "cancel", "type"), wild=True))
def test_planning_twice_sends_nothing(history: History) -> None:
    shop, pool = history.opened()
    for what in history.runs:
        play_events(shop, what.before)
        rules = history.rules(what, shop.sizes)
        made = planned(pool, shop.levels, rules)
        shop.push(made)
        # A rise that is held in the very run of a --force waits for the next one.
        if what.release and isinstance(made.pool, Managed) and made.pool.held:
            return
        again = planned(made.pool, shop.levels, rules)
        assert (again.adjustments, again.movements) == ((), {})
        if isinstance(made.pool, Unmanaged):
            return
        assert isinstance(again.pool, Managed)
        assert again.pool.levels == made.pool.levels or what.release
        assert again.pool.quantity == made.pool.quantity
        pool = made.pool


@quick
@given(histories(("order", "till", "ship", "cancel", "type"), wild=True), st.data())
def test_a_failed_push_is_finished_and_changes_no_number(
    history: History, data: st.DataObject
) -> None:
    """Refused as often as it may be: the end is the same as if all had gone through at once."""
    shop, pool = history.opened()
    for what in history.runs:
        play_events(shop, what.before)
        rules = history.rules(what, shop.sizes)
        made = planned(pool, shop.levels, rules)
        if isinstance(made.pool, Unmanaged):
            return
        smooth = made
        for _ in range(3):
            refused = data.draw(st.frozensets(st.sampled_from(sorted(shop.levels))))
            settled = made.settle(shop.push(made, refused))
            made = planned(settled, shop.levels, structs.replace(rules, release=False))
            assert isinstance(made.pool, Managed)
            assert made.movements == {}
            assert made.pool.quantity == smooth.pool.quantity  # type: ignore[union-attr]
        shop.push(made)
        assert isinstance(made.pool, Managed)
        assert isinstance(smooth.pool, Managed)
        assert {at: one.last for at, one in made.pool.levels.items()} == shop.levels
        assert made.pool.levels == smooth.pool.levels or smooth.why != "nothing"
        pool = made.pool


@quick
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 7)), min_size=1, max_size=4),
    st.integers(0, 4),
    st.none() | st.integers(-70, 70),
)
def test_agree_is_what_trying_every_quantity_finds(
    shown: list[tuple[int, int]], reserve: int, remembered: int | None
) -> None:
    fit = [
        quantity
        for quantity in range(-80, 90)
        if all(due(quantity, size, reserve) == pieces for pieces, size in shown)
    ]
    expected = remembered if remembered in fit else min(fit, default=None)
    assert agree(shown, reserve, remembered) == expected


@quick
@given(
    st.integers(-5, 40),
    st.lists(st.integers(-12, 20), min_size=1, max_size=6),
    st.sampled_from(POLICIES),
)
def test_in_single_pieces_without_a_reserve_it_is_the_simple_rule(
    start: int, moves: list[int], policy: SeveralRises
) -> None:
    pool = Managed(start, {level(n): Level(whole(start, 0)) for n in range(len(moves))})
    seen = {level(n): whole(start + units, 0) for n, units in enumerate(moves)}
    made = planned(pool, seen, Rules(several_rises=policy))
    assert isinstance(made.pool, Managed)
    rises = [units for units in moves if units > 0]
    one_number = len(rises) == len(moves) and len(set(rises)) == 1
    waits = policy == "hold" and len(rises) > 1 and not one_number
    counted = sum(rises) if policy == "sum" else min(rises, default=0)
    expected = start + sum(units for units in moves if units < 0) + (0 if waits else counted)
    assert made.pool.quantity == expected
    assert made.pool.on_release == (counted if waits else 0)
    assert (len(rises) > 1) == any(note.kind == "several_rises" for note in made.notes)


@quick
@given(
    histories(("order", "till", "ship", "cancel", "type"), wild=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_levels_does_not_matter(history: History, random: Any) -> None:
    def shuffled(some: Mapping[LevelId, Any]) -> dict[LevelId, Any]:
        rows = list(some.items())
        random.shuffle(rows)
        return dict(rows)

    shop, pool = history.opened()
    for what in history.runs:
        play_events(shop, what.before)
        rules = history.rules(what, shop.sizes)
        one = planned(pool, shop.levels, rules)
        two = planned(
            structs.replace(pool, levels=shuffled(pool.levels)), shuffled(shop.levels), rules
        )
        assert two.pool == one.pool
        assert set(two.adjustments) == set(one.adjustments)
        assert two.movements == one.movements
        assert (two.risen, two.why) == (one.risen, one.why)
        assert {note.kind: note for note in two.notes} == {note.kind: note for note in one.notes}
        settled = one.settle(shop.push(one, {level(number) for number in what.refused}))
        if isinstance(settled, Unmanaged):
            return
        pool = settled


@quick
@given(histories(("order", "till", "type"), wild=True))
def test_hold_counts_no_more_than_smallest_and_smallest_no_more_than_sum(history: History) -> None:
    shop, pool = history.opened()
    for what in history.runs:
        play_events(shop, what.before)
        made = {
            policy: planned(
                pool,
                shop.levels,
                structs.replace(history.rules(what, shop.sizes), several_rises=policy),
            )
            for policy in POLICIES
        }
        pools = {policy: one.pool for policy, one in made.items()}
        quantities = {at: one.quantity for at, one in pools.items() if isinstance(one, Managed)}
        if len(quantities) < len(POLICIES):
            assert not quantities
            return
        assert quantities["hold"] <= quantities["smallest"] <= quantities["sum"]
        assert quantities["smallest"] <= quantities["freed"] <= quantities["sum"]
        settled = made[what.policy].settle(shop.push(made[what.policy]))
        assert isinstance(settled, Managed)
        pool = settled


numbers = st.none() | st.integers(-(10**12), 10**12) | st.integers(-3, 12)
odd_readings = st.builds(
    Reading, st.integers(-(10**12), 10**12) | st.integers(-5, 60), numbers, numbers
)
odd_levels = st.dictionaries(st.integers(0, 4).map(level), odd_readings, min_size=1)


@st.composite
def odd_pools(draw: st.DrawFn) -> Pool | None:
    units = st.dictionaries(st.integers(0, 4).map(level), st.integers(-30, 30))
    kind = draw(st.sampled_from(["none", "unmanaged", "managed", "first"]))
    if kind == "none":
        return None
    if kind == "unmanaged":
        return Unmanaged(draw(odd_levels), draw(st.booleans()))
    if kind == "first":
        return first_edition(
            draw(st.none() | st.integers(-5, 60)),
            draw(units),
            draw(units),
            draw(units),
            draw(st.integers(-5, 30)),
            draw(st.booleans()),
        )
    levels = {
        at: Level(last, draw(st.integers(1, 7)), sent=draw(st.integers(-9, 9)))
        for at, last in draw(odd_levels).items()
    }
    return Managed(draw(st.integers(-(10**10), 10**10)), levels)


@quick
@given(
    odd_pools(),
    odd_levels,
    st.builds(
        Rules,
        several_rises=st.sampled_from(POLICIES),
        brake=st.booleans(),
        release=st.booleans(),
        follow=st.booleans(),
        fresh=st.booleans(),
        sizes=st.dictionaries(st.integers(0, 4).map(level), st.integers(1, 12)),
        reserve=st.integers(0, 9),
    ),
)
def test_whatever_is_read_nothing_crashes_and_nothing_beyond_shopifys_bounds_is_sent(
    pool: Pool | None, seen: dict[LevelId, Reading], rules: Rules
) -> None:
    for made in (plan(pool, seen, rules), align(seen, "highest", rules), as_set(pool, seen, rules)):
        if made is None:
            continue
        for one in made.adjustments:
            assert max(abs(one.observed), abs(one.delta), abs(one.observed + one.delta)) <= BOUND
        assert made.pool.levels.keys() == seen.keys() or made.pool == pool
        assert made.settle(()) == made.unsent


@quick
@given(
    st.dictionaries(st.integers(0, 5).map(level), st.integers(-3, 30), min_size=1),
    st.dictionaries(st.integers(0, 5).map(level), st.integers(-9, 15).filter(bool), max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_a_pool_without_a_quantity_destroys_nothing_but_what_was_sold(
    reads: dict[LevelId, int], moves: dict[LevelId, int], follow: bool, brake: bool
) -> None:
    moved = {at: units for at, units in moves.items() if at in reads}
    seen = {at: whole(read + moved.get(at, 0), 0) for at, read in reads.items()}
    pool = Unmanaged({at: whole(read, 0) for at, read in reads.items()})
    made = planned(pool, seen, Rules(follow=follow, brake=brake))
    rises = {at: units for at, units in moved.items() if units > 0}
    falls = {at: units for at, units in moved.items() if units < 0}
    deltas = {one.level: one.delta for one in made.adjustments}
    if len({now.available for now in seen.values()}) == 1:
        assert isinstance(made.pool, Managed)
        assert not deltas
    elif made.why == "source":
        assert isinstance(made.pool, Managed)
        assert rises
        assert not (brake and any(delta > 0 for delta in deltas.values()))
        smallest = min(seen[at].available for at in rises)
        assert made.pool.quantity == smallest + sum(falls.values())
    else:
        assert isinstance(made.pool, Unmanaged)
        assert brake or not (follow and rises)
        for at, now in seen.items():
            elsewhere = sum(falls.values()) - falls.get(at, 0) if follow else 0
            assert deltas.get(at, 0) == max(elsewhere, min(0, -now.available))


@quick
@given(
    st.dictionaries(st.integers(0, 5).map(level), st.integers(-3, 30), min_size=1),
    st.integers(0, 4),
)
def test_what_a_person_agrees_on_is_taken_without_the_reserve(
    reads: dict[LevelId, int], reserve: int
) -> None:
    seen = {at: whole(read, 0) for at, read in reads.items()}
    rules = Rules(reserve=reserve)
    adopted, set_so = adopt(seen, rules), as_set(None, seen, rules)
    if len(set(reads.values())) > 1:
        assert adopted is None
        assert set_so is None
        return
    for made in (adopted, set_so, align(seen, "lowest", rules)):
        assert made is not None
        assert isinstance(made.pool, Managed)
        assert made.pool.quantity == next(iter(reads.values()))
        assert {one.last.available for one in made.pool.levels.values()} == {
            due(made.pool.quantity, 1, reserve)
        }
