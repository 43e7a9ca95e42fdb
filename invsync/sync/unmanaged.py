"""A pool without a quantity: first sight, adoption, out of sync, left alone; and 0.1.0's memory.

Where a person's numbers are taken, the reserve is not read into them.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from invsync.sync.level import agreed, change_of
from invsync.sync.words import (
    NONE,
    PLAIN,
    Align,
    Level,
    LevelId,
    Managed,
    Note,
    Plan,
    Pool,
    Reading,
    Rules,
    Units,
    Unmanaged,
    Why,
    adjustments,
    told,
    within_bounds,
)


def adopt(
    seen: Mapping[LevelId, Reading],
    rules: Rules = PLAIN,
) -> Plan | None:
    """Put a pool under management at the number that its levels agree on; None where they don't.

    A person typed it: the reserve is not read into it.
    """
    number = agreed(seen, rules)
    if number is None:
        return None
    return _bring_anew(None, seen, rules, number, "adopted", Note("adopted", _shown(seen), number))


def align(
    seen: Mapping[LevelId, Reading],
    to: Align,
    rules: Rules = PLAIN,
) -> Plan:
    """Adopt a pool at the lowest or the highest of what its levels read, in units."""
    units = (now.available * rules.size(at) for at, now in seen.items())
    quantity = (min if to == "lowest" else max)(units)
    return within_bounds(_bring_anew(None, seen, rules, quantity, "aligned"), None)


def as_set(
    pool: Pool | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules = PLAIN,
) -> Plan | None:
    """A person's word that levels which agree are right as they stand; None where they don't."""
    before = pool.quantity if isinstance(pool, Managed) else None
    number = agreed(seen, rules, quantity=before)
    if number is None:
        return None
    return within_bounds(_bring_anew(before, seen, rules, number, "as_set"), pool)


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
    sent = adjustments(seen, {at: rules.due(at, quantity) for at in seen})
    pool = Managed(quantity, levels, reserve=rules.reserve)
    return Plan(before, pool, seen, sent, notes=notes, why=why)


def first_sight(seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
    """A pool that is not remembered: adopted where its levels agree, else out of sync.

    Stock at one location and none at the others, of an item made since the last run, was typed in
    there: that location is its source.
    """
    stocked = [at for at, now in seen.items() if now.available]
    typed_in = len(stocked) == 1 and seen[stocked[0]].available > 0
    if len(seen) > 1 and typed_in and rules.follow and rules.fresh:
        nowhere = Unmanaged({at: now.adjusted(-now.available) for at, now in seen.items()})
        return without_quantity(nowhere, seen, rules)
    return adopt(seen, rules) or _out_of_sync(Unmanaged(seen), seen)


def _out_of_sync(pool: Unmanaged, seen: Mapping[LevelId, Reading]) -> Plan:
    return Plan(None, pool, seen, notes=(Note("out_of_sync", _shown(seen)),))


def without_quantity(pool: Unmanaged, seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
    """A pool that is remembered without a quantity: left alone, adopted, followed, or passed on."""
    changes = {at: change_of(pool.levels[at], now) for at, now in seen.items() if at in pool.levels}
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
    notes = told(
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
    return replace(made, adjustments=adjustments(seen, to_read), movements=moved, why=why)


def first_edition(
    quantity: int | None,
    accounted: Units,
    held: Units = NONE,
    braked: Units = NONE,
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
