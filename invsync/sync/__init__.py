"""The rule: what a pool's levels did since the last run, and what follows from it.

Pure: values in, values out. No I/O, no clock, no configuration, no logging; nothing else of the
project is imported. `words`: the values. `level`: what one level shows and did. `sight`: what all
of a pool did. `managed`: the stories of a pool with a quantity. `unmanaged`: a pool without one.
Read them in this order.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from invsync.sync.level import agree, change_of
from invsync.sync.managed import judge, last_fall, leave
from invsync.sync.unmanaged import (
    adopt,
    align,
    as_set,
    first_edition,
    first_sight,
    without_quantity,
)
from invsync.sync.words import (
    BOUND,
    FELL_ALIKE_WARNS,
    NONE,
    PLAIN,
    Adjustment,
    Align,
    Echoes,
    How,
    Level,
    LevelId,
    Managed,
    Note,
    NoteKind,
    Plan,
    Pool,
    Reading,
    Rules,
    SeveralRises,
    Units,
    Unmanaged,
    Why,
    due,
    within_bounds,
)

__all__ = [
    "BOUND",
    "FELL_ALIKE_WARNS",
    "PLAIN",
    "Adjustment",
    "Align",
    "Echoes",
    "How",
    "Level",
    "LevelId",
    "Managed",
    "Note",
    "NoteKind",
    "Plan",
    "Pool",
    "Reading",
    "Rules",
    "SeveralRises",
    "Units",
    "Unmanaged",
    "Why",
    "adopt",
    "agree",
    "align",
    "as_set",
    "as_they_stand",
    "due",
    "first_edition",
    "last_fall",
    "leave",
    "plan",
]


def plan(
    pool: Pool | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules = PLAIN,
    also_fell: Units = NONE,
) -> Plan:
    """What `seen`, a whole and fresh reading of a pool's levels (at least one), makes of `pool`.

    `pool` is None for one that is not remembered. `also_fell`: falls, in units, of levels that are
    not (or no longer) in the pool and count all the same; 0 of one that left and is known to read
    what it did.
    """
    if not seen:
        raise ValueError("a pool has at least one level")
    if pool is None or seen.keys().isdisjoint(pool.levels):
        made = first_sight(seen, rules if pool is None else replace(rules, fresh=False))
    elif isinstance(pool, Unmanaged):
        made = without_quantity(pool, seen, rules)
    else:
        made = judge(pool, seen, rules, also_fell)
    how = made.how or _how(pool, made)
    return within_bounds(replace(made, how=how) if how else made, pool)


def as_they_stand(
    pool: Pool | None,
    seen: Mapping[LevelId, Reading],
    rules: Rules = PLAIN,
    also_fell: Units = NONE,
) -> Plan:
    """A person's word that the levels are right; where no number fits them, what `plan` makes.

    So where they read what was left there: that is no person's number, and said twice, the word
    changes nothing.
    """
    made = plan(pool, seen, rules, also_fell)
    if isinstance(pool, Managed) and _is_left(pool, seen):
        return made
    if by_word := as_set(pool, seen, rules):
        moved = _moved(pool, seen, rules)
        by_word = replace(by_word, movements=moved)
        return replace(by_word, how=_how(pool, by_word))
    differ = Note("not_as_set", {at: now.available for at, now in seen.items()})
    return replace(made, notes=(*made.notes, differ))


def _moved(pool: Pool | None, seen: Mapping[LevelId, Reading], rules: Rules) -> Units:
    """The units by which the levels differ from what is remembered of them."""
    last = _last(pool)
    pieces = {at: now.available - last[at].available for at, now in seen.items() if at in last}
    return {at: count * rules.size(at) for at, count in pieces.items() if count}


def _last(pool: Pool | None) -> Mapping[LevelId, Reading]:
    """What each level of a pool last read."""
    levels = pool.levels if pool else {}
    return {at: one.last if isinstance(one, Level) else one for at, one in levels.items()}


def _is_left(pool: Managed, seen: Mapping[LevelId, Reading]) -> bool:
    """Whether a pool reads what was left there, and nothing is left to do."""
    return seen.keys() == pool.levels.keys() and all(
        level.last.available == seen[at].available == due(pool.quantity, level.size, pool.reserve)
        for at, level in pool.levels.items()
    )


def _how(pool: Pool | None, made: Plan) -> Mapping[LevelId, How]:
    """How each level moved that is left of the pool."""
    last = _last(pool)
    moved = made.movements.keys() & last.keys() & made.seen.keys()
    return {at: change_of(last[at], made.seen[at]).how for at in moved}
