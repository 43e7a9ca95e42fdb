"""What the cache keeps of a pool, as JSON that a person can read.

`{"title": …, "quantity": 30, "levels": {"<item or location>": [30, 33, 3]}}`: what each level last
read, on hand and committed beside available (null where they are unknown). What else there is to
remember stands there only where it is so. Format 1, which 0.1.0 wrote, is read and written as 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

import msgspec

from invsync.state.values import LARGEST, moment_of, shown
from invsync.sync import (
    Echoes,
    Level,
    LevelId,
    Managed,
    Pool,
    Reading,
    Unmanaged,
    due,
    first_edition,
)

#: How long nothing may be seen of another program until its pool can be taken up again.
QUIET = timedelta(days=1)

#: A number that a state file may hold.
Number = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
Size = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Reserve = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class Readable(Protocol):
    """What tells what a level reads, in pieces; a witness that is not known is None."""

    @property
    def available(self) -> int:
        """The available quantity."""

    @property
    def on_hand(self) -> int | None:
        """What is on hand."""

    @property
    def committed(self) -> int | None:
        """What orders hold."""


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a level last read, in pieces."""

    available: Number
    on_hand: Number | None = None
    committed: Number | None = None

    def reads(self, now: Readable) -> bool:
        """Whether a level reads as it last did; where a witness is unknown, the rest tells.

        The witnesses count: what is shipped is no longer available as before, and a level that
        is remembered as it was before that would make the next order look like one off the shelf.
        """
        return (
            self.available == now.available
            and (self.on_hand == now.on_hand or self.on_hand is None or now.on_hand is None)
            and (self.committed == now.committed or self.committed is None or now.committed is None)
        )


class Alarm(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the two alarms remember of a level; see `sync.Level`."""

    sent: Number = 0
    ours: Number = 0
    undone: Number = 0
    refused: Number = 0


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How often another program showed; see `sync.Echoes`."""

    heard: Number = 0
    since: Number = 0
    units: Number = 0


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a person is asked to look at. `since`: UTC text.

    `heard`: when another program was last seen at work, where that is what it is about.
    """

    kind: str
    since: str
    message: str
    heard: str | None = None


class LeftAlone(msgspec.Struct, frozen=True, gc=False):
    """That a pool is left to a person; `ran_down`: units that another program took from it."""

    ran_down: Number = 0


class StoodStill(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Since when (UTC text) runs have left a pool alone since it is paused; by its tag, or not."""

    since: str
    tag: bool = False


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A pool as the cache keeps it; levels are named by the keys of its axis.

    `held`: units that wait for a person; `on_release`: what the quantity rises by once they are let
    through. `reserve`: the one that was in force when the last run left it. `paused`: runs have
    left it alone, and what it did since then is yet to be counted.
    """

    title: str
    quantity: Number | None
    levels: dict[str, Kept]
    sizes: dict[str, Size] = {}
    held: dict[str, Number] = {}
    on_release: Number = 0
    alarms: dict[str, Alarm] = {}
    echoes: Heard | None = None
    left_alone: LeftAlone | None = None
    problem: Standing | None = None
    reserve: Reserve = 0
    paused: StoodStill | None = None

    @property
    def several(self) -> bool:
        """Whether it is a pool at all: a single level is none."""
        return len(self.levels) > 1

    @property
    def kept_back(self) -> int:
        """The units of it that no level shows."""
        return max(0, min(self.quantity or 0, self.reserve))

    def has_reserve(self, reserve: int) -> bool:
        """Whether it was left with this one; what has one level only keeps what it has."""
        return self.reserve == reserve or not self.several

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do: none to send, nothing held, out of sync or watched.

        As far as the reserve is still the one that it has.
        """
        if self.quantity is None or self.held or self.problem or self.paused:
            return False
        if not self.sizes:
            shown = due(self.quantity, 1, self.reserve)
            return {kept.available for kept in self.levels.values()} <= {shown}
        return all(
            kept.available == due(self.quantity, self.sizes.get(key, 1), self.reserve)
            for key, kept in self.levels.items()
        )

    @property
    def aside(self) -> bool:
        """Whether only a complete scan looks at it: a placeholder, of any number of levels."""
        return self.problem is not None and self.problem.kind == "too_many"

    def can_be_taken_up(self, now: datetime) -> bool:
        """Whether it was left alone for another program of which a whole day shows nothing.

        And its levels agree; of packs, which do not read alike, that is not known here.
        """
        heard = self.problem.heard if self.problem else None
        if heard is None or len({kept.available for kept in self.levels.values()}) != 1:
            return False
        return now - datetime.fromisoformat(heard) >= QUIET

    def reads(self, levels: Mapping[str, Readable]) -> bool:
        """Whether these levels, and no others, read as they last did."""
        return len(levels) == len(self.levels) and all(
            key in self.levels and self.levels[key].reads(now) for key, now in levels.items()
        )


def entry_of(
    title: str, pool: Pool, key: Callable[[LevelId], str], problem: Standing | None = None
) -> Entry:
    """The entry of a pool."""
    if isinstance(pool, Unmanaged):
        return Entry(
            title,
            None,
            {key(at): _kept(last) for at, last in pool.levels.items()},
            left_alone=LeftAlone(pool.ran_down) if pool.left_alone else None,
            problem=problem,
        )
    levels = {key(at): level for at, level in pool.levels.items()}
    return Entry(
        title,
        pool.quantity,
        {k: _kept(level.last) for k, level in levels.items()},
        sizes={k: level.size for k, level in levels.items() if level.size != 1},
        held={k: level.held for k, level in levels.items() if level.held},
        on_release=pool.on_release,
        alarms={
            k: Alarm(level.sent, level.ours, level.undone, level.refused)
            for k, level in levels.items()
            if level.sent or level.ours or level.undone or level.refused
        },
        echoes=None if pool.echoes == Echoes() else _heard(pool.echoes),
        problem=problem,
        reserve=pool.reserve,
    )


def pool_of(entry: Entry, level: Callable[[str], LevelId]) -> Pool:
    """The pool of an entry. `level`: from a key of the entry to the level that it names."""
    if entry.quantity is None:
        levels = {level(key): _reading(kept) for key, kept in entry.levels.items()}
        alone = entry.left_alone
        return Unmanaged(levels, alone is not None, alone.ran_down if alone else 0)
    heard = entry.echoes or Heard()
    return Managed(
        entry.quantity,
        {level(key): _level(entry, key, kept) for key, kept in entry.levels.items()},
        entry.on_release,
        Echoes(heard.heard, heard.since, heard.units),
        entry.reserve,
    )


def _level(entry: Entry, key: str, kept: Kept) -> Level:
    alarm = entry.alarms.get(key, Alarm())
    return Level(
        _reading(kept),
        entry.sizes.get(key, 1),
        entry.held.get(key, 0),
        alarm.sent,
        alarm.ours,
        alarm.undone,
        alarm.refused,
    )


def _heard(echoes: Echoes) -> Heard:
    return Heard(echoes.heard, echoes.since, echoes.units)


def _kept(last: Reading) -> Kept:
    return Kept(last.available, last.on_hand, last.committed)


def _reading(kept: Kept) -> Reading:
    return Reading(kept.available, kept.on_hand, kept.committed)


# Format 1


class FirstEntry(msgspec.Struct, frozen=True):
    """A pool as 0.1.0 kept it."""

    title: str
    quantity: Number | None
    levels: dict[str, Number]
    held: dict[str, Number] = {}
    braked: dict[str, Number] = {}
    pending: Number = 0
    fell_alike: Any = None
    left_alone: bool = False
    problem: Standing | None = None

    def taken_over(self) -> Entry:
        """The same as an entry of today; what a held stock count waited for is counted next."""

        def named(units: Mapping[str, int]) -> dict[LevelId, int]:
            return {LevelId(key, ""): count for key, count in units.items()}

        pool = first_edition(
            self.quantity,
            named(self.levels),
            named(self.held),
            named(self.braked),
            self.pending,
            self.left_alone,
        )
        return entry_of(self.title, pool, lambda level: level.item, self.problem)


def check(pool_id: str, entry: Entry) -> None:
    """See that an entry names levels, and its moment is one; raises `ValueError`."""
    if strange := [key for key in entry.levels if not key.startswith("gid://")]:
        raise ValueError(f"pool {pool_id}: {shown(strange[0])} names no level")
    if not entry.levels.keys() >= {*entry.held, *entry.alarms, *entry.sizes}:
        raise ValueError(f"pool {pool_id}: it tells of a level that it lacks")
    try:
        moment_of(entry.paused and entry.paused.since)
        moment_of(entry.problem and entry.problem.since)
        moment_of(entry.problem and entry.problem.heard)
    except ValueError as error:
        raise ValueError(f"pool {pool_id}: {error}") from None
