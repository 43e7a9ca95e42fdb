"""One level: what it shows of a quantity, and what it did since the last run.

A witness that is unknown proves nothing: no order, no cancelled order, no other program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from invsync.sync.words import SURELY_UNDONE, How, Level, LevelId, Reading, Rules, due


def agree(
    shown: Iterable[tuple[int, int]], reserve: int = 0, remembered: int | None = None
) -> int | None:
    """The quantity that makes all of `shown` (pieces, size) due; None where no quantity does.

    Several may: the remembered one if it is among them, else the lowest.
    """
    fitting = [_fitting(pieces, size, reserve) for pieces, size in set(shown)]
    lowest, highest = max(low for low, _ in fitting), min(high for _, high in fitting)
    if lowest > highest:
        return None
    return remembered if remembered is not None and lowest <= remembered <= highest else lowest


def _fitting(pieces: int, size: int, reserve: int) -> tuple[int, int]:
    """The lowest and the highest quantity that come to these pieces."""
    lowest = pieces * size + (reserve if pieces > 0 else 0)
    highest = pieces * size + size - 1 + (reserve if pieces >= 0 else 0)
    return lowest, highest


def agreed(
    seen: Mapping[LevelId, Reading], rules: Rules, reserve: int = 0, quantity: int | None = None
) -> int | None:
    """The quantity that the readings of some levels agree on; see `agree`."""
    return agree(((now.available, rules.size(at)) for at, now in seen.items()), reserve, quantity)


class Change(NamedTuple):
    """By how many pieces a level's numbers changed; a witness that is not known is None."""

    available: int
    shelf: int | None
    committed: int | None

    @property
    def cancelled(self) -> bool:
        """A rise that is a cancelled order: back for sale, never off the shelf."""
        return self.available > 0 and self.shelf == 0 and self.committed == -self.available

    @property
    def _set_aside(self) -> int:
        """What lies on the shelf, but is neither for sale nor committed: reserved, damaged."""
        return (self.shelf or 0) - self.available - (self.committed or 0)

    @property
    def off_shelf(self) -> int:
        """The part of a fall (0 or negative) that is no order: it left the shelf."""
        if self.shelf is None:
            return min(0, self.available)
        return min(0, max(self.available, self.shelf - min(0, self._set_aside)))

    @property
    def how(self) -> How:
        """What it was."""
        if self.shelf is None:
            return "unknown"
        if self.available > 0:
            return "cancelled" if self.cancelled else "restocked"
        if self.off_shelf == 0:
            return "ordered"
        return "off_shelf" if self.off_shelf == self.available else "partly_ordered"

    @property
    def far(self) -> int:
        """How much there is of it to explain."""
        return abs(self.available) + abs(self.committed or 0)

    @property
    def ordered(self) -> int:
        """What was newly committed, but for what had been set aside for it."""
        return max(0, self.committed + min(0, self._set_aside)) if self.committed else 0

    @property
    def typed(self) -> int:
        """By how much somebody raised it, though some was ordered meanwhile."""
        return 0 if self.cancelled else max(0, self.available + self.ordered)

    @property
    def rose(self) -> int:
        """What came in, typed or cancelled. What it did besides, it fell by: orders are sales."""
        return self.available if self.cancelled else self.typed


def change_of(last: Reading, now: Reading) -> Change:
    """By how much a level's numbers changed since it last read `last`."""
    known = last.shelf is not None and now.shelf is not None
    shelf = (now.shelf or 0) - (last.shelf or 0) if known else None
    committed = (now.committed or 0) - (last.committed or 0) if known else None
    return Change(now.available - last.available, shelf, committed)


class Move(Struct, frozen=True):
    """What one level did. `fell` (0 or negative) and `rose` count, and are its movement.

    What does not: `taken` were held and are taken back; `closed` only closed the gap of a raise of
    ours that had failed; `refused` is our own lowerings undone again. `held` wait on. `gap`: the
    pieces by which it was to be raised yet.
    """

    change: Change
    fell: int
    rose: int
    held: int
    gap: int
    taken: int = 0
    closed: int = 0
    refused: int = 0


def move_of(
    level: Level,
    now: Reading,
    size: int,
    quantity: int,
    reserve: int,
    joined: Reading | None = None,
) -> Move:
    """The table "what one level did", for a level that is known.

    `joined`: what it would have read last with the stock that Shopify has moved to it since.
    """
    change, shown = change_of(joined or level.last, now), level.held // level.size
    gap = due(quantity, level.size, reserve) + shown - level.last.available
    # Where the size changed, a fall counts with the larger, a rise with the smaller.
    fell = (change.available - change.rose) * max(size, level.size)
    unit = min(size, level.size)

    undone = undid(level, change)
    if undone and (level.refused or (level.undone and level.undone + undone >= SURELY_UNDONE)):
        rose = (change.rose - undone // level.size) * unit
        return Move(change, fell, rose, level.held, gap, refused=undone)

    if gap > 0 and change.typed:
        closed = min(gap, change.typed)
        rose = (change.rose - closed) * unit
        return Move(change, fell, rose, level.held, gap, closed=closed * level.size)

    lost = -change.off_shelf
    if shown and lost and (lost >= shown or lost * level.size > max(quantity, 0)):
        left = max(0, shown - lost) * level.size
        fell += min(shown, lost) * max(size, level.size)
        return Move(change, fell, 0, left, gap, taken=level.held - left)

    return Move(change, fell, change.rose * unit, level.held, gap)


def undid(level: Level, change: Change) -> int:
    """The units of our own lowerings, since it last rose, that somebody wrote onto a level again.

    All of them, exactly: else it is another matter. Once that was told, as many as it rose by: the
    same program, and something sold at the till.
    """
    lowered, rose = -level.ours // level.size, change.typed
    if rose != lowered and not level.refused:
        return 0
    return max(0, min(rose, lowered)) * level.size
