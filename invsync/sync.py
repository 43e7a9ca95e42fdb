"""The rule: what a pool's levels did since the last run, and what follows from it.

Pure: values in, values out. No I/O, no clock, no configuration, no logging; nothing of the project
is imported.

The invariant that everything here keeps, with `start` the quantity at adoption:

    quantity + pending + what `held` keeps back = start + every movement counted

and each level, once its adjustment is applied, reads `quantity + held + braked` of that level,
where `held` and `braked` are 0 for all levels but those that wait for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

SeveralRises = Literal["smallest", "sum", "hold"]
Align = Literal["lowest", "highest"]

NoteKind = Literal[
    "adopted",  # first sight, all levels equal
    "out_of_sync",  # never adopted, its levels differ: left alone
    "several_rises",  # two or more rises between two runs: a person should look
    "held",  # rises wait for a person
    "stock_count",  # all levels fell alike, by more than there was: waits for a person
    "count_believed",  # a stock count that waited was taken for true, since a level rose after it
    "fell_alike",  # all of three or more levels fell alike: counted as sales, may have been a stock count
    "another_program",  # something else adjusts the same pool: left alone
    "new_level_stock",  # a level that joined the pool came with units of its own
    "raise_closed",  # a level that waited to be raised rose by itself, but not to the quantity: not counted
    "several_sources",  # several levels of a pool without a quantity moved: the smallest was taken
]

Why = Literal[
    "nothing",
    "adopted",
    "falls",
    "rise",
    "smallest_rise",
    "sum_of_rises",
    "released",
    "settled",
    "source",
    "aligned",
    "finish",
]


class LevelId(NamedTuple):
    """What identifies a level: an inventory item at a location (both Shopify gids)."""

    item: str
    location: str


@dataclass(frozen=True, slots=True)
class FellAlike:
    """All levels of the pool fell by the same `fall` (negative) at the last run, `runs` runs running."""

    fall: int
    runs: int


_NONE: Mapping[LevelId, int] = {}


@dataclass(frozen=True, slots=True)
class Pool:
    """What is remembered of a pool between two runs.

    `quantity` is None for a pool that was never adopted (or is left alone: `left_alone`); its
    `accounted` is then simply what each level last read. `held` are units by which a level reads
    above (or, after a stock count, below) the quantity and which wait for a person; `braked` are
    the same, kept back by the brake, and `pending` is what the quantity rises by once the brake is
    released.
    """

    quantity: int | None
    accounted: Mapping[LevelId, int]
    held: Mapping[LevelId, int] = field(default_factory=lambda: _NONE)
    braked: Mapping[LevelId, int] = field(default_factory=lambda: _NONE)
    pending: int = 0
    fell_alike: FellAlike | None = None
    left_alone: bool = False

    @property
    def waits(self) -> bool:
        """Whether anything of this pool waits for a person."""
        return bool(self.held or self.braked)

    def offset(self, level: LevelId) -> int:
        """By how much the level is meant to differ from the quantity, since that much waits for a person."""
        return self.held.get(level, 0) + self.braked.get(level, 0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A delta for one level, planned from the reading `observed`."""

    level: LevelId
    observed: int
    delta: int

    @property
    def change_from(self) -> int | None:
        """The quantity to compare with before applying: for a raise what it was planned from, else nothing.

        A delta that lowers commutes with sales; one that raises does not commute with an import
        that is half done.
        """
        return self.observed if self.delta > 0 else None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know of. `levels`: the units of each level that it is about."""

    kind: NoteKind
    levels: Mapping[LevelId, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from one reading of a pool.

    `before` is the quantity the plan started from, `pool` what to remember once every adjustment is
    applied, `movements` what each known level did (0 left out), `risen` how many units of rises are
    counted in.
    """

    before: int | None
    pool: Pool
    observed: Mapping[LevelId, int]
    adjustments: tuple[Adjustment, ...] = ()
    movements: Mapping[LevelId, int] = field(default_factory=lambda: _NONE)
    risen: int = 0
    notes: tuple[Note, ...] = ()
    why: Why = "nothing"

    def settle(self, applied: Collection[LevelId]) -> Pool:
        """The pool to remember when only the adjustments of the levels in `applied` took effect.

        Accounted is what was observed plus the delta applied, never a later reading: that could
        hold a sale in between. The next run sees the levels that failed away from the quantity and
        finishes the job.
        """
        failed = [a for a in self.adjustments if a.level not in applied]
        if not failed:
            return self.pool
        accounted = dict(self.pool.accounted)
        for adjustment in failed:
            accounted[adjustment.level] = adjustment.observed - self.pool.offset(adjustment.level)
        return replace(self.pool, accounted=accounted)


def plan(
    pool: Pool | None,
    observed: Mapping[LevelId, int],
    *,
    several_rises: SeveralRises = "smallest",
    follow: bool = False,
    seeded: bool = True,
    brake: bool = False,
    release: bool = False,
) -> Plan:
    """What `observed`, a whole and fresh reading of the pool's levels (at least one), makes of `pool`.

    `pool` is None for a pool that the cache does not hold. `follow`: a pool without a quantity
    takes it from the first of its levels that moves (the locations of one variant), else it waits
    until all its levels are equal (the variants of one product). `seeded`: the cache already
    existed, so that an unknown pool is a new one. `brake`: rises are kept back. `release`: what the
    brake keeps back is counted, and a stock count that waits is believed.
    """
    if not observed:
        raise ValueError("a pool has at least one level")
    if pool is None:
        return _first_sight(observed, follow and seeded, brake)
    if pool.quantity is None:
        return _without_quantity(pool, observed, follow, brake)
    return _Move(pool, pool.quantity, observed).plan(several_rises, brake, release)


def adopt(observed: Mapping[LevelId, int]) -> Plan | None:
    """Put a pool under management at the number that all its levels read; None if they differ."""
    if not _equal(observed):
        return None
    return Plan(
        None,
        Pool(next(iter(observed.values())), dict(observed)),
        observed,
        notes=(Note("adopted", observed),),
        why="adopted",
    )


def align(observed: Mapping[LevelId, int], to: Align) -> Plan:
    """Bring the levels of a pool that was never adopted to their lowest or highest number, and adopt it."""
    quantity = (min if to == "lowest" else max)(observed.values())
    return _bring(None, quantity, observed, why="aligned")


def _equal(observed: Mapping[LevelId, int]) -> bool:
    return len(set(observed.values())) == 1


def _put(waiting: dict[LevelId, int], level: LevelId, units: int) -> None:
    if units:
        waiting[level] = units
    else:
        waiting.pop(level, None)


def _any_rise(held: Mapping[LevelId, int]) -> bool:
    return any(units > 0 for units in held.values())


def _adjustments(
    observed: Mapping[LevelId, int], pool: Pool, quantity: int
) -> tuple[Adjustment, ...]:
    deltas = ((level, quantity + pool.offset(level) - now) for level, now in observed.items())
    return tuple(Adjustment(level, observed[level], delta) for level, delta in deltas if delta)


def _bring(
    before: int | None,
    quantity: int,
    observed: Mapping[LevelId, int],
    *,
    movements: Mapping[LevelId, int] = _NONE,
    risen: int = 0,
    notes: tuple[Note, ...] = (),
    why: Why,
) -> Plan:
    """Every level to `quantity`, with nothing held."""
    pool = Pool(quantity, dict.fromkeys(observed, quantity))
    return Plan(
        before, pool, observed, _adjustments(observed, pool, quantity), movements, risen, notes, why
    )


def _out_of_sync(
    observed: Mapping[LevelId, int], accounted: Mapping[LevelId, int] | None = None
) -> Plan:
    pool = Pool(None, dict(observed if accounted is None else accounted))
    return Plan(None, pool, observed, notes=(Note("out_of_sync", observed),))


def _first_sight(observed: Mapping[LevelId, int], new_here: bool, brake: bool) -> Plan:
    if adopted := adopt(observed):
        return adopted
    stocked = [level for level, quantity in observed.items() if quantity]
    if new_here and len(stocked) == 1 and observed[stocked[0]] > 0:
        # Typed in at one location; a reading from 0 makes the same of it later, should the brake be
        # on now.
        nowhere = Pool(None, dict.fromkeys(observed, 0))
        return _without_quantity(nowhere, observed, follow=True, brake=brake)
    return _out_of_sync(observed)


def _without_quantity(
    pool: Pool, observed: Mapping[LevelId, int], follow: bool, brake: bool
) -> Plan:
    if pool.left_alone:
        kept = replace(pool, accounted=dict(observed))
        return Plan(None, kept, observed, notes=(Note("another_program", observed),))
    if adopted := adopt(observed):
        return adopted
    moved = {lv: now - pool.accounted[lv] for lv, now in observed.items() if lv in pool.accounted}
    moved = {level: movement for level, movement in moved.items() if movement}
    if not (follow and moved):
        return _out_of_sync(observed)
    fell = any(movement < 0 for movement in moved.values())
    # A sale must not raise another location, so a fall only ever pulls down.
    known = [now for level, now in observed.items() if level in pool.accounted]
    quantity = min(known) if fell else min(observed[level] for level in moved)
    notes = (Note("several_sources", moved),) if len(moved) > 1 else ()
    risen = 0 if fell else max(0, quantity - min(observed.values()))
    if risen and brake:
        return _out_of_sync(
            observed, {level: pool.accounted.get(level, now) for level, now in observed.items()}
        )
    return _bring(None, quantity, observed, movements=moved, risen=risen, notes=notes, why="source")


@dataclass(slots=True)
class _Move:
    """One step of an adopted pool. Holds the working values of a single call of `plan`."""

    before: Pool
    quantity: int
    observed: Mapping[LevelId, int]
    held: dict[LevelId, int] = field(default_factory=dict)
    braked: dict[LevelId, int] = field(default_factory=dict)
    pending: int = 0
    movements: dict[LevelId, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    why: Why = "nothing"

    def plan(self, several_rises: SeveralRises, brake: bool, release: bool) -> Plan:
        self._settle_equal()
        self._look()
        rose = any(movement > 0 for movement in self.movements.values())
        waited = {
            level: units for level, units in self.before.held.items() if level in self.observed
        }
        if self.before.waits and _equal(self.observed) and (rose or _any_rise(waited)):
            quantity = next(iter(self.observed.values()))
            return _bring(
                self.before.quantity,
                quantity,
                self.observed,
                movements=self.movements,
                why="settled",
            )
        alike = self._fell_alike()
        if alike and self._is_another_program(alike):
            pool = Pool(None, dict(self.observed), left_alone=True)
            note = Note("another_program", self.movements)
            return Plan(self.quantity, pool, self.observed, movements=self.movements, notes=(note,))
        if release:
            self._release()
        risen = self._count(several_rises, brake, release, alike)
        return self._finish(risen, alike)

    def _settle_equal(self) -> None:
        """If all levels read the same when the last run was over, that is the quantity, whatever was sold since."""
        before = self.before
        readings = {
            accounted + before.offset(level) for level, accounted in before.accounted.items()
        }
        if before.braked or len(readings) != 1 or not _any_rise(before.held):
            return
        self.quantity = readings.pop()
        self.before = replace(
            before, accounted=dict.fromkeys(before.accounted, self.quantity), held=_NONE
        )
        self.why = "settled"

    def _look(self) -> None:
        """Work out the movements, and which of what waits was taken back."""
        pool, taken = self.before, 0
        short: dict[LevelId, int] = {}
        self.held = {level: units for level, units in pool.held.items() if level in self.observed}
        self.braked = {
            level: units for level, units in pool.braked.items() if level in self.observed
        }
        for level, now in self.observed.items():
            if level not in pool.accounted:
                continue
            accounted, offset = pool.accounted[level], pool.offset(level)
            movement = now - accounted - offset
            if movement > 0 and accounted < self.quantity:
                # Its raise failed. Whoever brings it up to the quantity (an import's other half, a
                # person who mends it by hand) finishes that raise; only what goes beyond is a rise.
                counted = max(0, now - self.quantity - offset)
                if now < self.quantity + offset:
                    short[level] = movement
                movement = counted
            braked = self.braked.get(level, 0)
            gone = now <= accounted or (braked > 0 and -movement > max(self.quantity, 0))
            if offset > 0 and movement < 0 and gone:
                # The rise that waited is gone, or more went than there was to sell: taken back, not
                # sold.
                left = max(0, now - accounted)
                _put(self.braked, level, min(braked, left))
                _put(self.held, level, left - min(braked, left))
                taken += braked - min(braked, left)
                movement = min(0, now - accounted)
            if movement:
                self.movements[level] = movement
        self.pending = min(max(0, pool.pending - taken), sum(self.braked.values()))
        if short:
            self.notes.append(Note("raise_closed", short))

    def _held_count(self) -> int:
        """What a stock count that waits took off every level (negative), or 0."""
        return min(0, min(self.held.values(), default=0))

    def _fell_alike(self) -> FellAlike | None:
        known = [level for level in self.observed if level in self.before.accounted]
        falls = {self.movements.get(level, 0) for level in known}
        if len(known) < 2 or len(falls) != 1 or (fall := falls.pop()) >= 0:
            return None
        earlier = self.before.fell_alike
        return FellAlike(fall, 1 + (earlier.runs if earlier else 0))

    def _is_another_program(self, alike: FellAlike) -> bool:
        # Two programs that take each other's adjustments for sales: each round falls alike on every
        # level, n - 1 times as much as the round before; a pool of two repeats the same fall.
        earlier = self.before.fell_alike
        return earlier is not None and (alike.fall <= 2 * earlier.fall or alike.runs >= 4)

    def _release(self) -> None:
        if self.braked:
            self.quantity += self.pending
            self.braked, self.pending = {}, 0
            self.why = "released"
        self._believe_count()

    def _believe_count(self) -> None:
        if count := self._held_count():
            self.quantity += count
            self.held = {}
            self.why = "released"

    def _count(
        self, several_rises: SeveralRises, brake: bool, release: bool, alike: FellAlike | None
    ) -> int:
        """Fold the movements into the quantity; returns how many units of rises were counted."""
        falls = sum(movement for movement in self.movements.values() if movement < 0)
        rises = {level: movement for level, movement in self.movements.items() if movement > 0}
        if alike and not self.braked and not _any_rise(self.held) and self._is_stock_count(falls):
            self.held = {
                level: self.held.get(level, 0) + units for level, units in self.movements.items()
            }
            if release:
                self._believe_count()
            return 0
        if alike and len(self.movements) >= 3:
            self.notes.append(Note("fell_alike", self.movements))
        if rises and self._held_count():
            # A person who changes one level has set the count. A delivery looks the same, so what
            # is left out is said.
            oversold = dict.fromkeys(self.held, self._held_count() - sum(self.held.values()))
            self.notes.append(Note("count_believed", oversold))
            self._believe_count()
        if _any_rise(self.held) and several_rises != "hold":
            rises = {
                level: rises.get(level, 0) + self.held.get(level, 0)
                for level in {**self.held, **rises}
            }
            self.held = {}
        if falls:
            self.why = "falls"
        self.quantity += falls
        return self._count_rises(rises, several_rises, brake) if rises else 0

    def _is_stock_count(self, falls: int) -> bool:
        return self.quantity + self._held_count() + falls < 0 and all(
            quantity >= 0 for quantity in self.observed.values()
        )

    def _count_rises(
        self, rises: dict[LevelId, int], several_rises: SeveralRises, brake: bool
    ) -> int:
        several = len(rises) > 1 or bool(self.held)
        if several:
            self.notes.append(Note("several_rises", rises))
        if several and several_rises == "hold":
            for level, units in rises.items():
                self.held[level] = self.held.get(level, 0) + units
            return 0
        counted = sum(rises.values()) if several_rises == "sum" else min(rises.values())
        if brake:
            for level, units in rises.items():
                self.braked[level] = self.braked.get(level, 0) + units
            self.pending += counted
            return 0
        self.quantity += counted
        self.why = (
            "rise" if not several else "sum_of_rises" if several_rises == "sum" else "smallest_rise"
        )
        return counted

    def _finish(self, risen: int, alike: FellAlike | None) -> Plan:
        fresh = {
            level: now for level, now in self.observed.items() if level not in self.before.accounted
        }
        if count := self._held_count():
            self.held.update(dict.fromkeys(fresh, count))
        if stock := {level: now for level, now in fresh.items() if now}:
            self.notes.append(Note("new_level_stock", stock))
        if waiting := {
            level: self.held.get(level, 0) + self.braked.get(level, 0) for level in self.observed
        }:
            waiting = {level: units for level, units in waiting.items() if units}
        if waiting:
            self.notes.append(Note("stock_count" if self._held_count() else "held", waiting))
        pool = Pool(
            self.quantity,
            dict.fromkeys(self.observed, self.quantity),
            self.held,
            self.braked,
            self.pending,
            alike,
        )
        adjustments = _adjustments(self.observed, pool, self.quantity)
        if adjustments and self.why == "nothing":
            self.why = "finish"
        return Plan(
            self.before.quantity,
            pool,
            self.observed,
            adjustments,
            self.movements,
            risen,
            tuple(self.notes),
            self.why,
        )
