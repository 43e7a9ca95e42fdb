"""What a managed pool is seen to have done: its levels' moves, before any story is told of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from invsync.sync.level import Move, change_of, move_of
from invsync.sync.words import NONE, How, LevelId, Managed, Reading, Rules, Units


class Sight(Struct, frozen=True):
    """A managed pool and what its known levels did.

    `echo`: what another program took from each. `stirred`: whether any shows more or less than it
    was left with. `moved`: of a location that was closed → the level to which its stock was moved.
    """

    pool: Managed
    seen: Mapping[LevelId, Reading]
    rules: Rules
    moves: Mapping[LevelId, Move]
    also_fell: Units
    echo: Units
    stirred: bool
    moved: Mapping[LevelId, LevelId]

    @property
    def movements(self) -> Units:
        """Units by which each level moved, those that left included."""
        moved = {at: move.fell + move.rose for at, move in self.moves.items()}
        return {at: units for at, units in {**moved, **self.also_fell}.items() if units}

    @property
    def falls(self) -> Units:
        """Units (negative) of each fall that counts."""
        fell = {at: move.fell for at, move in self.moves.items()}
        return {at: units for at, units in {**fell, **self.also_fell}.items() if units}

    @property
    def rises(self) -> Units:
        """Units that each level rose by."""
        return {at: move.rose for at, move in self.moves.items() if move.rose}

    @property
    def how(self) -> Mapping[LevelId, How]:
        """How each movement came about."""
        return {at: move.change.how for at, move in self.moves.items() if at in self.movements}

    @property
    def cancelled(self) -> frozenset[LevelId]:
        """The levels whose rise is a cancelled order."""
        return frozenset(at for at, move in self.moves.items() if move.change.cancelled)

    @property
    def taken(self) -> Units:
        """Units that were held and are gone, with their level or without it."""
        return {
            at: units
            for at, held in self.pool.held.items()
            if (units := self.moves[at].taken if at in self.moves else held)
        }


def look(pool: Managed, seen: Mapping[LevelId, Reading], rules: Rules, also_fell: Units) -> Sight:
    """What the levels of a managed pool did; see `sync.plan`."""
    closed = [at for at in pool.levels if at.location in rules.closed]
    moved = _moved(pool, seen, [at for at in closed if at not in seen and at not in also_fell])
    joined: dict[LevelId, Reading] = {}
    for left, at in moved.items():
        last = joined.get(at, pool.levels[at].last)
        joined[at] = last.joined(pool.levels[left].last)
    moves = {
        at: move_of(
            pool.levels[at], now, rules.size(at), pool.quantity, pool.reserve, joined.get(at)
        )
        for at, now in seen.items()
        if at in pool.levels
    }
    stirred = any(move.change.available for move in moves.values())
    return Sight(pool, seen, rules, moves, also_fell, _echo(pool, moves), stirred, moved)


def _moved(
    pool: Managed, seen: Mapping[LevelId, Reading], closed: list[LevelId]
) -> dict[LevelId, LevelId]:
    """Where the stock of closed locations went: to the level of its item that it explains best.

    Shopify closes no location before all of its stock, and its orders, have gone to another
    (https://shopify.dev/docs/api/admin-graphql/latest/mutations/locationDeactivate). What is
    missing there was sold. Nowhere, where it would explain nothing.
    """
    moved: dict[LevelId, LevelId] = {}
    for left in closed:
        explained = {
            at: change_of(pool.levels[at].last, now).far
            - change_of(pool.levels[at].last.joined(pool.levels[left].last), now).far
            for at, now in seen.items()
            if at in pool.levels and at.item == left.item
        }
        best = max(explained, key=lambda at: (explained[at], at), default=None)
        if best is not None and explained[best] > 0:
            moved[left] = best
    return moved


def _echo(pool: Managed, moves: Mapping[LevelId, Move]) -> Units:
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
            return NONE
        took[at] = pieces * level.size
    return took
