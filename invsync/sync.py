"""The rule: what a pool's levels did since the last run, and what follows from it.

Pure: values in, values out. No I/O, no clock, no configuration, no logging; nothing of the project
is imported. Read from the top: the words, what is remembered, what one level did, the stories of a
pool (the first that fits; the last takes everything), a pool without a quantity.

What everything here keeps, with `start` the quantity at adoption:

    quantity + what is let through on release = start + every movement that is counted

and each level, once its adjustment is applied, reads `due(quantity)` and what is held of it. All
falls count, always. A witness that is unknown proves nothing: no order, no cancelled order, no
other program. *Pieces* are what a level shows, *units* what the stock is counted in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

SeveralRises = Literal["smallest", "freed", "sum", "hold"]
Align = Literal["lowest", "highest"]

NoteKind = Literal[
    # kind              levels: of each level …           units: …
    "adopted",  #         what it reads                   the quantity
    "out_of_sync",  #     what it reads                   –
    "new_level_stock",  # its own units, not counted      –
    "size_changed",  #    its size before                 –
    "loose_units",  #     typed up in packs: loose units  –
    "raise_closed",  #    units that only closed a gap    –
    "several_rises",  #   what it rose by (`cancelled`)   that are left out: "raise one by 3"
    "held",  #            units held                      that the quantity rises by on release
    "taken_back",  #      units held that are gone        that the quantity rises by less
    "settled",  #         units that were held            the quantity
    "stock_moved",  #     units that Shopify moved there  that left the pool's other level
    "overwritten",  #     units refused since it began    of these in this run
    "another_program",  # falls that may be its work      that it ran down (0: not known)
    "fell_alike",  #      what it fell by                 below 0 by it, if so
    "oversold",  #        what it fell by                 owed
    "several_sources",  # what it rose by                 the quantity taken
    "lifted",  #          what it is lifted by            that its source rose by: less than that
    "beyond_bounds",  #   pieces it would have to read    –
]

Why = Literal[
    "nothing",
    "adopted",
    "falls",
    "rise",
    "smallest_rise",
    "freed_rises",
    "sum_of_rises",
    "import",
    "released",
    "settled",
    "source",
    "passed_on",
    "aligned",
    "as_set",
    "finish",
]

#: Shopify takes no adjustment that leads beyond this, in either direction.
BOUND = 2_000_000_000
#: Units per level from which a fall of all levels alike is worth a warning.
FELL_ALIKE_WARNS = 5


class LevelId(NamedTuple):
    """What identifies a level: an inventory item at a location (both Shopify gids)."""

    item: str
    location: str


Units = Mapping[LevelId, int]
_NONE: Units = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a level reads, in pieces: what can be sold, and two witnesses (None: not known)."""

    available: int
    on_hand: int | None = None
    committed: int | None = None

    @property
    def shelf(self) -> int | None:
        """What lies on the shelf: on_hand, which Shopify stops at 0, with what it hides below."""
        if self.on_hand is None or self.committed is None:
            return None
        if self.on_hand > 0:
            return self.on_hand
        return min(self.on_hand, self.available + self.committed)

    def adjusted(self, delta: int) -> Reading:
        """The same after an adjustment: it moves available and on_hand alike."""
        on_hand = None if self.shelf is None else max(0, self.shelf + delta)
        return Reading(self.available + delta, on_hand, self.committed)


@dataclass(frozen=True, slots=True)
class Level:
    """What is remembered of a level of a managed pool; all but `last` in units.

    `last`: what it read when the last run left it. For the two alarms: `sent`, our adjustments that
    another program would not have answered yet; `ours`, those since it last rose; `undone`, whether
    that rise undid exactly those before it; `refused`, such rises that were not counted, until a
    person says that it was seen (`--force`).
    """

    last: Reading
    size: int = 1
    held: int = 0
    sent: int = 0
    ours: int = 0
    undone: bool = False
    refused: int = 0

    def adjusted(self, delta: int) -> Level:
        """The same after an adjustment of `delta` pieces."""
        units = delta * self.size
        last = self.last.adjusted(delta)
        return replace(self, last=last, sent=self.sent + units, ours=min(0, self.ours + units))


@dataclass(frozen=True, slots=True)
class Echoes:
    """How often another program showed, runs with movements since then, units that it took."""

    heard: int = 0
    since: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class Managed:
    """A pool under management. `on_release`: what the quantity rises by once nothing is held."""

    quantity: int
    levels: Mapping[LevelId, Level]
    on_release: int = 0
    echoes: Echoes = Echoes()

    @property
    def held(self) -> Units:
        """The units that wait for a person, of each level of which some do."""
        return {at: level.held for at, level in self.levels.items() if level.held}

    def adjusted(self, deltas: Units) -> Managed:
        """The same after these adjustments, in pieces."""
        levels = {at: level.adjusted(deltas.get(at, 0)) for at, level in self.levels.items()}
        return replace(self, levels=levels)


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A pool that was never adopted, or that is left alone since another program works on it."""

    levels: Mapping[LevelId, Reading]
    left_alone: bool = False
    ran_down: int = 0

    def adjusted(self, deltas: Units) -> Unmanaged:
        """The same after these adjustments, in pieces."""
        levels = {at: last.adjusted(deltas.get(at, 0)) for at, last in self.levels.items()}
        return replace(self, levels=levels)


Pool = Managed | Unmanaged


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force for one pool in one run.

    `brake`: rises are held. `release`: what is held is let through (`--force`). `follow`: a pool
    without a quantity follows what a person types, and passes its falls on (the locations of one
    variant). `fresh`: a pool that is not remembered was made since the last run. `sizes`: units per
    piece, where that is not 1. `reserve`: units that no level shows.
    """

    several_rises: SeveralRises = "smallest"
    brake: bool = False
    release: bool = False
    follow: bool = False
    fresh: bool = False
    sizes: Units = field(default_factory=dict)
    reserve: int = 0

    def size(self, at: LevelId) -> int:
        """Units per piece of a level."""
        return self.sizes.get(at, 1)

    def due(self, at: LevelId, quantity: int) -> int:
        """What a level is to read while nothing is held of it, in pieces."""
        return due(quantity, self.size(at), self.reserve)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A delta for one level, in pieces, planned from the reading `observed`."""

    level: LevelId
    observed: int
    delta: int

    @property
    def change_from(self) -> int | None:
        """What Shopify compares with before it applies a raise; a lowering commutes with sales."""
        return self.observed if self.delta > 0 else None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell; `NoteKind` says what `levels` and `units` hold.

    `cancelled`: those of its levels whose rise is a cancelled order, by the witnesses.
    """

    kind: NoteKind
    levels: Units
    units: int = 0
    cancelled: frozenset[LevelId] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from one reading of a pool.

    `before`: the quantity it started from. `unsent`: what to remember if no adjustment takes
    effect. `movements`: what each level did, in units (0 left out). `risen`: units of rises that
    are counted in, or that a source lifts others by: what the brake looks at.
    """

    before: int | None
    unsent: Pool
    seen: Mapping[LevelId, Reading]
    adjustments: tuple[Adjustment, ...] = ()
    movements: Units = field(default_factory=dict)
    risen: int = 0
    notes: tuple[Note, ...] = ()
    why: Why = "nothing"

    @property
    def pool(self) -> Pool:
        """What to remember once every adjustment took effect."""
        return self.settle([adjustment.level for adjustment in self.adjustments])

    def settle(self, applied: Collection[LevelId]) -> Pool:
        """What to remember when only the adjustments of the levels in `applied` took effect.

        Each is what was observed plus the delta that was applied, never a later reading: that could
        hold a sale in between. The next run finds the others away from what is due, and finishes.
        """
        deltas = {one.level: one.delta for one in self.adjustments if one.level in applied}
        return self.unsent.adjusted(deltas) if deltas else self.unsent


# What a level shows.


def due(quantity: int, size: int = 1, reserve: int = 0) -> int:
    """The pieces that a quantity comes to; units that are owed show on every level."""
    return quantity // size if quantity < 0 else max(0, quantity - reserve) // size


def agree(
    shown: Iterable[tuple[int, int]], reserve: int = 0, remembered: int | None = None
) -> int | None:
    """The quantity that makes all of `shown` (pieces, size) due; None where no quantity does.

    Several may: the remembered one if it is among them, else the lowest.
    """
    fitting = [_fitting(pieces, size, reserve) for pieces, size in shown]
    lowest, highest = max(low for low, _ in fitting), min(high for _, high in fitting)
    if lowest > highest:
        return None
    return remembered if remembered is not None and lowest <= remembered <= highest else lowest


def _fitting(pieces: int, size: int, reserve: int) -> tuple[int, int]:
    """The lowest and the highest quantity that come to these pieces."""
    lowest = pieces * size + (reserve if pieces > 0 else 0)
    highest = pieces * size + size - 1 + (reserve if pieces >= 0 else 0)
    return lowest, highest


def _agree(
    seen: Mapping[LevelId, Reading], rules: Rules, reserve: int = 0, quantity: int | None = None
) -> int | None:
    return agree(((now.available, rules.size(at)) for at, now in seen.items()), reserve, quantity)


# What one level did.


class _Change(NamedTuple):
    """By how many pieces a level's numbers changed; a witness that is not known is None."""

    available: int
    shelf: int | None
    committed: int | None

    @property
    def cancelled(self) -> bool:
        """A rise that is a cancelled order: back for sale, never off the shelf."""
        return self.available > 0 and self.shelf == 0 and self.committed == -self.available

    @property
    def off_shelf(self) -> int:
        """The part of a fall (0 or negative) that is no order: it left the shelf."""
        return min(0, self.available if self.shelf is None else max(self.available, self.shelf))

    @property
    def typed(self) -> int:
        """By how much somebody raised it, though some was ordered meanwhile."""
        return 0 if self.cancelled else max(0, self.available + max(0, self.committed or 0))

    @property
    def rose(self) -> int:
        """What came in, typed or cancelled. What it did besides, it fell by: orders are sales."""
        return self.available if self.cancelled else self.typed


def _change(last: Reading, now: Reading) -> _Change:
    known = last.shelf is not None and now.shelf is not None
    shelf = (now.shelf or 0) - (last.shelf or 0) if known else None
    committed = (now.committed or 0) - (last.committed or 0) if known else None
    return _Change(now.available - last.available, shelf, committed)


@dataclass(frozen=True, slots=True)
class _Move:
    """What one level did. `fell` (0 or negative) and `rose` count, and are its movement.

    What does not: `taken` were held and are taken back; `closed` only closed the gap of a raise of
    ours that had failed; `refused` is our own lowerings undone again. `held` wait on. `gap`: the
    pieces by which it was to be raised yet.
    """

    change: _Change
    fell: int
    rose: int
    held: int
    gap: int
    taken: int = 0
    closed: int = 0
    refused: int = 0


def _move(level: Level, now: Reading, size: int, quantity: int, reserve: int) -> _Move:
    """The table "what one level did", for a level that is known."""
    change, shown = _change(level.last, now), level.held // level.size
    gap = due(quantity, level.size, reserve) + shown - level.last.available
    # Where the size changed, a fall counts with the larger, a rise with the smaller.
    fell = (change.available - change.rose) * max(size, level.size)
    unit = min(size, level.size)

    if (undid := _undid(level, change)) and (level.undone or level.refused):
        rose, refused = (change.rose - undid) * unit, undid * level.size
        return _Move(change, fell, rose, level.held, gap, refused=refused)

    if gap > 0 and change.typed:
        closed = min(gap, change.typed)
        rose = (change.rose - closed) * unit
        return _Move(change, fell, rose, level.held, gap, closed=closed * level.size)

    lost = -change.off_shelf
    if shown and lost and (lost >= shown or lost * level.size > max(quantity, 0)):
        left = max(0, shown - lost) * level.size
        fell += min(shown, lost) * max(size, level.size)
        return _Move(change, fell, 0, left, gap, taken=level.held - left)

    return _Move(change, fell, change.rose * unit, level.held, gap)


def _undid(level: Level, change: _Change) -> int:
    """The pieces of our own lowerings, since it last rose, that somebody wrote onto a level again.

    All of them, exactly: else it is another matter. Once that was told, as many as it rose by: the
    same program, and something sold at the till.
    """
    lowered, rose = -level.ours // level.size, change.typed
    return max(0, min(rose, lowered)) if rose == lowered or level.refused else 0


@dataclass(frozen=True, slots=True)
class _Sight:
    """A managed pool and what its known levels did. `echo`: what another program took."""

    pool: Managed
    seen: Mapping[LevelId, Reading]
    rules: Rules
    moves: Mapping[LevelId, _Move]
    also_fell: Units
    echo: Units

    @property
    def stirred(self) -> bool:
        return any(move.change.available for move in self.moves.values())

    @property
    def movements(self) -> Units:
        moved = {at: move.fell + move.rose for at, move in self.moves.items()}
        return {at: units for at, units in {**moved, **self.also_fell}.items() if units}

    @property
    def falls(self) -> Units:
        fell = {at: move.fell for at, move in self.moves.items() if move.fell}
        return {**fell, **self.also_fell}

    @property
    def rises(self) -> Units:
        return {at: move.rose for at, move in self.moves.items() if move.rose}

    @property
    def cancelled(self) -> frozenset[LevelId]:
        return frozenset(at for at, move in self.moves.items() if move.change.cancelled)

    @property
    def taken(self) -> Units:
        """Units that were held and are gone, with their level or without it."""
        return {
            at: units
            for at, held in self.pool.held.items()
            if (units := self.moves[at].taken if at in self.moves else held)
        }


def _look(pool: Managed, seen: Mapping[LevelId, Reading], rules: Rules, also_fell: Units) -> _Sight:
    moves = {
        at: _move(pool.levels[at], now, rules.size(at), pool.quantity, rules.reserve)
        for at, now in seen.items()
        if at in pool.levels
    }
    return _Sight(pool, seen, rules, moves, also_fell, _echo(pool, moves))


# The stories.


def plan(
    pool: Pool | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules = Rules(),
    also_fell: Units = _NONE,
) -> Plan:
    """What `seen`, a whole and fresh reading of a pool's levels (at least one), makes of `pool`.

    `pool` is None for one that is not remembered. `also_fell`: falls, in units, of levels that are
    not (or no longer) in the pool and count all the same.
    """
    if not seen:
        raise ValueError("a pool has at least one level")
    if pool is None or seen.keys().isdisjoint(pool.levels):
        made = _first_sight(seen, rules if pool is None else replace(rules, fresh=False))
    elif isinstance(pool, Unmanaged):
        made = _without_quantity(pool, seen, rules)
    else:
        sight = _look(pool, seen, rules, also_fell)
        made = _settled(sight) or _another_program(sight) or _sales_and_restocks(sight)
    return _within_bounds(made, pool)


def last_fall(pool: Managed, at: LevelId, now: Reading) -> int:
    """The units (0 or negative) by which a level fell that is about to leave its pool."""
    level = pool.levels[at]
    return _move(level, now, level.size, pool.quantity, 0).fell


def _settled(sight: _Sight) -> Plan | None:
    """Rises were held, a person raised a level, and now all agree: that is the quantity."""
    moves, rules = sight.moves, sight.rules
    held = {at: sight.pool.levels[at].held for at in moves if sight.pool.levels[at].held}
    raised = any(move.change.typed for move in moves.values())
    if not held or rules.brake or not raised:
        return None

    number = _agree(sight.seen, rules, quantity=sight.pool.quantity)
    if number is None:
        return None

    moved = sum(move.change.available * sight.pool.levels[at].size for at, move in moves.items())
    quantity = min(number, sight.pool.quantity + sum(held.values()) + moved)
    return _bring(sight, quantity, notes=(Note("settled", held, quantity),), why="settled")


def _another_program(sight: _Sight) -> Plan | None:
    """Often enough, the levels lost what a program takes that answers our own adjustments."""
    echoes = _listen(sight)
    if not sight.echo or echoes.heard < (8 if len(sight.moves) == 2 else 2):
        return None

    # What it took before was counted once for each level; what it took now, only where it took it.
    ran_down = sight.pool.echoes.units + max(sight.echo.values())
    pool = Unmanaged(sight.seen, left_alone=True, ran_down=ran_down)
    note = Note("another_program", sight.falls, ran_down)
    return Plan(sight.pool.quantity, pool, sight.seen, movements=sight.movements, notes=(note,))


def _sales_and_restocks(sight: _Sight) -> Plan:
    """All falls count; of the rises that nothing explains, what the policy says."""
    rules = sight.rules
    moved_here = _stock_moved(sight)
    left = {at: units - moved_here.get(at, 0) for at, units in sight.rises.items()}
    rises = {at: units for at, units in left.items() if units}

    held = Counter({at: move.held for at, move in sight.moves.items()})
    on_release = _still_on_release(sight)
    counted, why = _count(sight, rises, on_release)
    notes = list(_notes_of_rises(sight, rises, counted, why, moved_here))

    quantity = sight.pool.quantity + sum(sight.falls.values())
    if rules.release:
        quantity, on_release, held = quantity + on_release, 0, Counter()
        why = "released" if sight.pool.held and not rises else why
    if rises and _must_wait(rules, rises, why):
        held, on_release, counted = held + Counter(rises), on_release + counted, 0
        why = "falls" if sight.falls else "nothing"

    quantity += counted
    notes += _notes_of_falls(sight, quantity)
    return _bring(sight, quantity, held, on_release, tuple(notes), why, counted)


def _must_wait(rules: Rules, rises: Units, why: Why) -> bool:
    if rules.brake and not rules.release:
        return True
    return rules.several_rises == "hold" and len(rises) > 1 and why != "import"


def _bring(
    sight: _Sight,
    quantity: int,
    held: Units = _NONE,
    on_release: int = 0,
    notes: tuple[Note, ...] = (),
    why: Why = "nothing",
    risen: int = 0,
) -> Plan:
    """Every level to what is due of `quantity`, and what is held of it."""
    rules = sight.rules
    levels = {at: _remember(sight, at, held.get(at, 0)) for at in sight.seen}
    unsent = Managed(quantity, levels, on_release, _listen(sight))
    adjustments = _adjustments(
        sight.seen,
        {at: rules.due(at, quantity) + held.get(at, 0) // rules.size(at) for at in sight.seen},
    )
    if adjustments and why == "nothing":
        why = "finish"
    notes = (*notes, *_notes_of_levels(sight, unsent))
    before = sight.pool.quantity
    return Plan(before, unsent, sight.seen, adjustments, sight.movements, risen, notes, why)


def _remember(sight: _Sight, at: LevelId, held: int) -> Level:
    """A level as it was observed, with what the alarms remember of it."""
    now, size = sight.seen[at], sight.rules.size(at)
    if at not in sight.moves:
        return Level(now, size)
    level, move = sight.pool.levels[at], sight.moves[at]
    halved = level.sent // 2 if level.sent > 0 else -(-level.sent // 2)
    sent = 0 if sight.echo else halved if sight.stirred else level.sent
    refused = 0 if sight.rules.release else level.refused
    kept = Level(now, size, held, sent, level.ours, level.undone, refused)
    if move.change.typed:
        undone = _undid(level, move.change) > 0
        kept = replace(kept, ours=0, undone=undone, refused=refused + move.refused)
    return kept


def _adjustments(seen: Mapping[LevelId, Reading], to_read: Units) -> tuple[Adjustment, ...]:
    deltas = {at: to_read[at] - now.available for at, now in seen.items()}
    return tuple(Adjustment(at, seen[at].available, delta) for at, delta in deltas.items() if delta)


def _within_bounds(made: Plan, pool: Pool | None) -> Plan:
    """The plan, or where Shopify would refuse an adjustment of it: nothing is sent or counted."""
    beyond = {
        one.level: one.observed + one.delta
        for one in made.adjustments
        if max(abs(one.observed), abs(one.delta), abs(one.observed + one.delta)) > BOUND
    }
    if not beyond:
        return made
    kept = Unmanaged(made.seen) if pool is None else pool
    return Plan(made.before, kept, made.seen, notes=(Note("beyond_bounds", beyond),))


# Rises.


def _stock_moved(sight: _Sight) -> Units:
    """What Shopify moved off a level that left the pool, to others of the same item."""
    left = _stock_that_left(sight)
    moved: dict[LevelId, int] = {}
    for at, units in sorted(sight.rises.items(), key=lambda rise: (-rise[1], rise[0])):
        if at not in sight.cancelled and (here := min(units, left[at.item])):
            moved[at] = here
            left[at.item] -= here
    return moved


def _stock_that_left(sight: _Sight) -> Counter[str]:
    left: Counter[str] = Counter()
    for at, level in sight.pool.levels.items():
        if at not in sight.seen:
            left[at.item] += max(0, level.last.available) * level.size
    return left


def _still_on_release(sight: _Sight) -> int:
    """What is let through on release once what was taken back is gone.

    Less by what was taken; but where more was held than would have counted, not less than the
    smallest of what is left.
    """
    before, taken = sight.pool.on_release, sum(sight.taken.values())
    left = [move.held for move in sight.moves.values() if move.held]
    return max(before - taken, min(before, min(left, default=0)))


def _count(sight: _Sight, rises: Units, on_release: int) -> tuple[int, Why]:
    """How many units of `rises` count, and why."""
    policy = sight.rules.several_rises
    if not rises:
        return 0, "falls" if sight.falls else "nothing"
    if (number := _import(sight, rises)) is not None:
        return max(0, number - sight.pool.quantity - on_release), "import"
    if len(rises) == 1:
        return sum(rises.values()), "rise"
    if policy == "sum":
        return sum(rises.values()), "sum_of_rises"
    if policy == "freed" and (freed := rises.keys() & sight.cancelled):
        rest = [units for at, units in rises.items() if at not in freed]
        return sum(rises[at] for at in freed) + min(rest, default=0), "freed_rises"
    return min(rises.values()), "smallest_rise"


def _import(sight: _Sight, rises: Units) -> int | None:
    """The number that one import wrote on all levels, if that is what the rises are.

    Several rose, now or (held) before, of a pool that was in step but for those; nothing fell; and
    now the readings agree. Never more than the largest rise makes it: a reserve that is not full
    shows nothing, and is not read into what was written.
    """
    moves, held = sight.moves.values(), sight.pool.held
    together = {at: held.get(at, 0) + rises.get(at, 0) for at in {**held, **rises}}
    in_step = not any(move.gap or move.taken or move.refused for move in moves)
    if len(together) < 2 or not in_step or sight.falls or sight.rules.several_rises == "sum":
        return None
    if rises.keys() & sight.cancelled or len(rises) < len(sight.rises):
        return None
    known = {at: now for at, now in sight.seen.items() if at in sight.moves}
    number = _agree(known, sight.rules, sight.rules.reserve)
    return None if number is None else min(number, sight.pool.quantity + max(together.values()))


# The two alarms: another program, listened for here; overwritten, among the rises.


def _echo(pool: Managed, moves: Mapping[LevelId, _Move]) -> Units:
    """What another program took from each level, if this run shows that one takes from all.

    One that takes our adjustments for movements answers each level by the sum of all of ours less
    that level's own, in whole pieces. Empty unless every level left the shelf by at least as much.
    """
    sent = sum(pool.levels[at].sent for at in moves)
    took: dict[LevelId, int] = {}
    for at, move in moves.items():
        level = pool.levels[at]
        pieces = (level.sent - sent) // level.size
        if pieces <= 0 or move.change.shelf is None or -move.change.off_shelf < pieces:
            return _NONE
        took[at] = pieces * level.size
    return took


def _listen(sight: _Sight) -> Echoes:
    """Echoes after this run: two levels have to show them running, more levels within 12 runs."""
    before = sight.pool.echoes
    if sight.echo:
        return Echoes(before.heard + 1, 0, before.units + sum(sight.echo.values()))
    if not sight.stirred or not before.heard:
        return before
    if len(sight.moves) == 2 or before.since + 1 >= 12:
        return Echoes()
    return replace(before, since=before.since + 1)


# What is told.


def _told(*notes: Note) -> Iterator[Note]:
    """Those that are about any level."""
    return (note for note in notes if note.levels)


def _notes_of_rises(
    sight: _Sight, rises: Units, counted: int, why: Why, moved_here: Units
) -> Iterator[Note]:
    several = {**sight.pool.held, **rises} if why == "import" else rises
    left_out = sum(rises.values()) - counted
    cancelled = sight.cancelled & several.keys()
    typed = [at for at in rises if at not in sight.cancelled]
    stock = max(0, sight.pool.quantity - sight.rules.reserve)
    loose = {at: stock % sight.rules.size(at) for at in typed if why != "import"}
    return _told(
        Note("several_rises", several if len(several) > 1 and rises else {}, left_out, cancelled),
        Note("stock_moved", moved_here, sum(_stock_that_left(sight).values())),
        Note("loose_units", {at: units for at, units in loose.items() if units}),
        Note("taken_back", sight.taken, sight.pool.on_release - _still_on_release(sight)),
    )


def _notes_of_falls(sight: _Sight, quantity: int) -> Iterator[Note]:
    went_below = quantity < min(0, sight.pool.quantity)
    alike = sight.falls if _fell_alike(sight) else {}
    return _told(
        Note("fell_alike", alike, max(0, -quantity)),
        Note("oversold", sight.falls if went_below else {}, -quantity),
    )


def _fell_alike(sight: _Sight) -> bool:
    """All known levels fell, none of it ordered, by the same units or to one number."""
    moves = sight.moves.values()
    if len(moves) < 2 or any(not m.fell or m.change.off_shelf > m.change.available for m in moves):
        return False
    known = {at: now for at, now in sight.seen.items() if at in sight.moves}
    alike = len({move.fell for move in moves}) == 1
    return alike or _agree(known, sight.rules, sight.rules.reserve) is not None


def _notes_of_levels(sight: _Sight, after: Managed) -> Iterator[Note]:
    rules, known = sight.rules, sight.pool.levels
    fresh = {
        at: now.available * rules.size(at) for at, now in sight.seen.items() if at not in known
    }
    sizes = {at: known[at].size for at in sight.moves if known[at].size != rules.size(at)}
    refused = {at: level.refused for at, level in after.levels.items() if level.refused}
    return _told(
        Note("raise_closed", {at: move.closed for at, move in sight.moves.items() if move.closed}),
        Note("new_level_stock", {at: units for at, units in fresh.items() if units}),
        Note("size_changed", sizes),
        Note("held", after.held, after.on_release),
        Note("overwritten", refused, sum(move.refused for move in sight.moves.values())),
    )


# A pool without a quantity.


def adopt(
    seen: Mapping[LevelId, Reading],
    rules: Rules = Rules(),
) -> Plan | None:
    """Put a pool under management at the number that its levels agree on; None where they don't.

    A person typed it: the reserve is not read into it.
    """
    number = _agree(seen, rules)
    if number is None:
        return None
    return _bring_anew(None, seen, rules, number, "adopted", Note("adopted", _shown(seen), number))


def align(
    seen: Mapping[LevelId, Reading],
    to: Align,
    rules: Rules = Rules(),
) -> Plan:
    """Adopt a pool at the lowest or the highest of what its levels read, in units."""
    units = (now.available * rules.size(at) for at, now in seen.items())
    quantity = (min if to == "lowest" else max)(units)
    return _within_bounds(_bring_anew(None, seen, rules, quantity, "aligned"), None)


def as_set(
    pool: Pool | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules = Rules(),
) -> Plan | None:
    """A person's word that levels which agree are right as they stand; None where they don't."""
    before = pool.quantity if isinstance(pool, Managed) else None
    number = _agree(seen, rules, quantity=before)
    if number is None:
        return None
    return _within_bounds(_bring_anew(before, seen, rules, number, "as_set"), pool)


def _shown(seen: Mapping[LevelId, Reading]) -> Units:
    return {at: now.available for at, now in seen.items()}


def _bring_anew(
    before: int | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules,
    quantity: int,
    why: Why,
    *notes: Note,
) -> Plan:
    """A managed pool of which nothing but its quantity is remembered."""
    levels = {at: Level(now, rules.size(at)) for at, now in seen.items()}
    adjustments = _adjustments(seen, {at: rules.due(at, quantity) for at in seen})
    return Plan(before, Managed(quantity, levels), seen, adjustments, notes=notes, why=why)


def _first_sight(seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
    stocked = [at for at, now in seen.items() if now.available]
    typed_in = len(stocked) == 1 and seen[stocked[0]].available > 0
    if len(seen) > 1 and typed_in and rules.follow and rules.fresh:
        nowhere = Unmanaged({at: now.adjusted(-now.available) for at, now in seen.items()})
        return _without_quantity(nowhere, seen, rules)
    return adopt(seen, rules) or _out_of_sync(Unmanaged(seen), seen)


def _out_of_sync(pool: Unmanaged, seen: Mapping[LevelId, Reading]) -> Plan:
    return Plan(None, pool, seen, notes=(Note("out_of_sync", _shown(seen)),))


def _without_quantity(pool: Unmanaged, seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
    changes = {at: _change(pool.levels[at], now) for at, now in seen.items() if at in pool.levels}
    moved = {at: one.available * rules.size(at) for at, one in changes.items() if one.available}
    if pool.left_alone:
        falls = {at: moved[at] for at, change in changes.items() if change.off_shelf}
        note = Note("another_program", falls, pool.ran_down)
        return Plan(None, replace(pool, levels=seen), seen, movements=moved, notes=(note,))
    if made := adopt(seen, rules):
        return replace(made, movements=moved)
    if not rules.follow:
        return replace(_out_of_sync(Unmanaged(seen), seen), movements=moved)

    typed = {at: units for at, units in moved.items() if units > 0 and not changes[at].cancelled}
    if typed:
        made = _follow(seen, rules, moved, typed)
        if not (rules.brake and made.risen):
            return made
    return _pass_on(pool, seen, rules, moved, typed)


def _follow(seen: Mapping[LevelId, Reading], rules: Rules, moved: Units, typed: Units) -> Plan:
    """What a person typed is the quantity: the smallest of several, less what fell elsewhere."""
    source = min(typed, key=lambda at: (seen[at].available * rules.size(at), at))
    falls = sum(units for units in moved.values() if units < 0)
    quantity = seen[source].available * rules.size(source) + falls
    made = _bring_anew(None, seen, rules, quantity, "source")
    lifts = {one.level: one.delta * rules.size(one.level) for one in made.adjustments}
    lifted = {at: units for at, units in lifts.items() if units > typed[source]}
    notes = _told(
        Note("several_sources", typed if len(typed) > 1 else {}, quantity),
        Note("lifted", lifted, typed[source]),
        Note("oversold", moved if quantity < 0 else {}, -quantity),
    )
    risen = max(0, *lifts.values()) if lifts else 0
    return replace(made, movements=moved, risen=risen, notes=tuple(notes))


def _pass_on(
    pool: Unmanaged, seen: Mapping[LevelId, Reading], rules: Rules, moved: Units, kept: Units
) -> Plan:
    """Every other level is lowered by what fell, none below 0; the pool stays out of sync.

    `kept`: rises that the brake keeps back; they are seen again by the next run.
    """
    falls = {at: units for at, units in moved.items() if units < 0}
    to_read = {
        at: now.available
        + max((sum(falls.values()) - falls.get(at, 0)) // rules.size(at), min(0, -now.available))
        for at, now in seen.items()
    }
    unsent = Unmanaged({at: pool.levels[at] if at in kept else now for at, now in seen.items()})
    made = _out_of_sync(unsent, seen)
    why: Why = "passed_on" if falls else "nothing"
    return replace(made, adjustments=_adjustments(seen, to_read), movements=moved, why=why)


def first_edition(
    quantity: int | None,
    accounted: Units,
    held: Units = _NONE,
    braked: Units = _NONE,
    pending: int = 0,
    left_alone: bool = False,
) -> Pool:
    """What version 0.1.0 remembered of a pool: witnesses unknown, `held` and `braked` one holding.

    A stock count that was held (negative) is not taken over: the level is remembered as it was
    before it, so that the next plan counts it as a fall of all levels alike.
    """
    if quantity is None:
        return Unmanaged({at: Reading(read) for at, read in accounted.items()}, left_alone)
    waits = {at: max(0, held.get(at, 0)) + max(0, braked.get(at, 0)) for at in accounted}
    levels = {
        at: Level(Reading(read + waits[at]), held=waits[at]) for at, read in accounted.items()
    }
    rises = [units for at, units in held.items() if units > 0 and at in accounted]
    on_release = min(max(0, pending) + min(rises, default=0), sum(waits.values()))
    return Managed(quantity, levels, on_release)
