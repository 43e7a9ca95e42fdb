"""The words of the rule as values: what is read, remembered, in force, planned and told.

All of them are frozen. *Pieces* are what a level shows, *units* what the stock is counted in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

SeveralRises = Literal["smallest", "freed", "sum", "hold"]
Align = Literal["lowest", "highest"]
#: How a movement came about, as far as the witnesses show it.
How = Literal["unknown", "ordered", "off_shelf", "partly_ordered", "cancelled", "restocked"]

NoteKind = Literal[
    # kind              levels: of each level …           units: …
    "adopted",  #         what it reads                   the quantity
    "out_of_sync",  #     what it reads                   –
    "new_level_stock",  # its own units, not counted      –
    "size_changed",  #    its size before                 –
    "loose_units",  #     typed up in packs: loose units  –
    "last_falls",  #      what it fell by before leaving  the quantity
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
    "not_as_set",  #      what it reads: no number fits   –
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
    "leaves",
]

#: Shopify takes no adjustment that leads beyond this, in either direction.
BOUND = 2_000_000_000
#: Units of our own lowerings, undone exactly in two rises running, that are no chance any more.
SURELY_UNDONE = 3
#: Units per level from which a fall of all levels alike is worth a warning.
FELL_ALIKE_WARNS = 5


class LevelId(NamedTuple):
    """What identifies a level: an inventory item at a location (both Shopify gids)."""

    item: str
    location: str


Units = Mapping[LevelId, int]
#: No units of any level.
NONE: Units = {}


class Reading(Struct, frozen=True):
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

    def joined(self, other: Reading) -> Reading:
        """What this level reads once the stock and the orders of another are moved to it."""
        known = self.shelf is not None and other.shelf is not None
        shelf = max(0, (self.shelf or 0) + (other.shelf or 0)) if known else None
        committed = (self.committed or 0) + (other.committed or 0) if known else None
        return Reading(self.available + other.available, shelf, committed)

    def adjusted(self, delta: int) -> Reading:
        """The same after an adjustment: it moves available and on_hand alike."""
        on_hand = None if self.shelf is None else max(0, self.shelf + delta)
        return Reading(self.available + delta, on_hand, self.committed)


class Level(Struct, frozen=True):
    """What is remembered of a level of a managed pool; all but `last` in units.

    `last`: what it read when the last run left it. For the two alarms: `sent`, our adjustments that
    another program would not have answered yet; `ours`, those since it last rose; `undone`, those
    before it that its last rises, running, undid exactly; `refused`, such rises that were not
    counted, until a person says that it was seen (`--force`).
    """

    last: Reading
    size: int = 1
    held: int = 0
    sent: int = 0
    ours: int = 0
    undone: int = 0
    refused: int = 0

    def adjusted(self, delta: int) -> Level:
        """The same after an adjustment of `delta` pieces."""
        units = delta * self.size
        last = self.last.adjusted(delta)
        return replace(self, last=last, sent=self.sent + units, ours=min(0, self.ours + units))


class Echoes(Struct, frozen=True):
    """How often another program showed, runs with movements since then, units that it took."""

    heard: int = 0
    since: int = 0
    units: int = 0


class Managed(Struct, frozen=True):
    """A pool under management. `on_release`: what the quantity rises by once nothing is held.

    `reserve`: the one that was in force when the last run left it.
    """

    quantity: int
    levels: Mapping[LevelId, Level]
    on_release: int = 0
    echoes: Echoes = Echoes()
    reserve: int = 0

    @property
    def held(self) -> Units:
        """The units that wait for a person, of each level of which some do."""
        return {at: level.held for at, level in self.levels.items() if level.held}

    def adjusted(self, deltas: Units) -> Managed:
        """The same after these adjustments, in pieces."""
        moved = {at: self.levels[at].adjusted(delta) for at, delta in deltas.items()}
        return replace(self, levels={**self.levels, **moved})


class Unmanaged(Struct, frozen=True):
    """A pool that was never adopted, or that is left alone since another program works on it."""

    levels: Mapping[LevelId, Reading]
    left_alone: bool = False
    ran_down: int = 0

    def adjusted(self, deltas: Units) -> Unmanaged:
        """The same after these adjustments, in pieces."""
        moved = {at: self.levels[at].adjusted(delta) for at, delta in deltas.items()}
        return replace(self, levels={**self.levels, **moved})


Pool = Managed | Unmanaged


def due(quantity: int, size: int = 1, reserve: int = 0) -> int:
    """The pieces that a quantity comes to; units that are owed show on every level."""
    return quantity // size if quantity < 0 else max(0, quantity - reserve) // size


class Rules(Struct, frozen=True):
    """The rules in force for one pool in one run.

    `brake`: rises are held. `release`: what is held is let through (`--force`). `follow`: a pool
    without a quantity follows what a person types, and passes its falls on (the locations of one
    variant). `fresh`: a pool that is not remembered was made since the last run. `sizes`: units per
    piece, where that is not 1. `reserve`: units that no level shows. `closed`: locations that are
    open no longer.
    """

    several_rises: SeveralRises = "smallest"
    brake: bool = False
    release: bool = False
    follow: bool = False
    fresh: bool = False
    sizes: Units = {}
    reserve: int = 0
    closed: frozenset[str] = frozenset()

    def size(self, at: LevelId) -> int:
        """Units per piece of a level."""
        return self.sizes.get(at, 1)

    def due(self, at: LevelId, quantity: int) -> int:
        """What a level is to read while nothing is held of it, in pieces."""
        return due(quantity, self.size(at), self.reserve)


#: Nothing but the defaults.
PLAIN = Rules()


class Adjustment(Struct, frozen=True):
    """A delta for one level, in pieces, planned from the reading `observed`."""

    level: LevelId
    observed: int
    delta: int

    @property
    def change_from(self) -> int | None:
        """What Shopify compares with before it applies a raise; a lowering commutes with sales."""
        return self.observed if self.delta > 0 else None


class Note(Struct, frozen=True):
    """Something to tell; `NoteKind` says what `levels` and `units` hold.

    `cancelled`: those of its levels whose rise is a cancelled order, by the witnesses.
    """

    kind: NoteKind
    levels: Units
    units: int = 0
    cancelled: frozenset[LevelId] = frozenset()


class Plan(Struct, frozen=True):
    """What follows from one reading of a pool.

    `before`: the quantity it started from. `unsent`: what to remember if no adjustment takes
    effect. `movements`: what each level did, in units (0 left out), and `how`. `risen`: units of
    rises that are counted in, or that a source lifts others by: what the brake looks at.
    """

    before: int | None
    unsent: Pool
    seen: Mapping[LevelId, Reading]
    adjustments: tuple[Adjustment, ...] = ()
    movements: Units = {}
    how: Mapping[LevelId, How] = {}
    risen: int = 0
    notes: tuple[Note, ...] = ()
    why: Why = "nothing"

    @property
    def after(self) -> int | None:
        """The quantity that it comes to; None where it has none."""
        return self.unsent.quantity if isinstance(self.unsent, Managed) else None

    @property
    def left_alone(self) -> bool:
        """Whether the pool is left alone, since another program works on it."""
        return isinstance(self.unsent, Unmanaged) and self.unsent.left_alone

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


def adjustments(seen: Mapping[LevelId, Reading], to_read: Units) -> tuple[Adjustment, ...]:
    """What brings every level to the pieces that it is to read."""
    deltas = {at: to_read[at] - now.available for at, now in seen.items()}
    return tuple(Adjustment(at, seen[at].available, delta) for at, delta in deltas.items() if delta)


def told(*notes: Note) -> Iterator[Note]:
    """Those that are about any level."""
    return (note for note in notes if note.levels)


def within_bounds(made: Plan, pool: Pool | None) -> Plan:
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
