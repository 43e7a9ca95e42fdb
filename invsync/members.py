"""Which items are known, or were found in this run, to belong to which pools.

A pool that reads by variants has no name in the shop: by id it is read as the items that belong to
it. An item that changed its pool is read with both, before either is adjusted: what it fell counts
in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct, field

from invsync.axis import Axis, Grouped
from invsync.pools import Sight
from invsync.state.cache import Cache
from invsync.state.pools import Pools
from invsync.sync import LevelId, Managed, Reading, last_fall


class Members(Struct):
    """Items by pool and levels by pool, as the run began; and what was found since.

    `found`: pool → items that were seen to belong to it. `first`: what levels that left their pool
    read before this run adjusted them anywhere. `named`: what the configuration names and was seen.
    """

    axis: Axis
    cache: Cache
    found: dict[str, dict[str, None]] = {}
    first: dict[LevelId, Reading] = {}
    named: set[str] = set()
    _entries: Pools = field(default_factory=Pools)
    _homes: Mapping[str, str] | None = None
    _twice: frozenset[str] = frozenset()

    def forget(self) -> None:
        """Look at the cache afresh: what an earlier run left was taken into it."""
        self._homes, self._twice = None, frozenset()

    @property
    def homes(self) -> Mapping[str, str]:
        """Level, as the axis names it, → the pool that it was in as the run began."""
        if self._homes is None:
            self._entries = self.cache.pools.as_now()
            listed: list[int] = []
            self._homes = self.axis.homes(self._counted(listed))
            if sum(listed) > len(self._homes):
                self._twice = self._in_two()
        return self._homes

    def _counted(self, listed: list[int]) -> Iterator[tuple[str, Collection[str]]]:
        for pool, entry in self._entries.items():
            listed.append(len(entry.levels))
            yield pool, entry.levels

    def _in_two(self) -> frozenset[str]:
        """The levels that two pools have.

        A run was cut off after one took it, before the other had let it go: what that would take
        for a fall may be what we sent for the first.
        """
        counts: Counter[str] = Counter()
        for pool, entry in self._entries.items():
            counts.update(self.axis.homes([(pool, entry.levels)]).keys())
        return frozenset(level for level, pools in counts.items() if pools > 1)

    def note(self, pool: str, item: str) -> None:
        """An item was seen to belong to a pool."""
        self.found.setdefault(pool, {})[item] = None

    def items(self, pool: str) -> list[str]:
        """The items that a pool is read as."""
        entry = self.cache.pools.get(pool)
        known = {self.axis.level(pool, key).item: None for key in entry.levels} if entry else {}
        return list(known | self.found.get(pool, {}))

    def home(self, level: LevelId) -> str | None:
        """The pool that a level was in as the run began; None where it was a placeholder's."""
        home = self.homes.get(self.axis.home(level))
        return None if home is None or home in self._entries.aside else home

    def regrouped(self, pool: str, keys: Collection[str]) -> bool:
        """Whether levels seen in a pool came from another one, or one of its own was not seen.

        By id it is to be read then, whatever else.
        """
        if not isinstance(self.axis, Grouped):
            return False
        entry = self.cache.pools.get(pool)
        if entry and not entry.levels.keys() <= set(keys):
            return True
        came = (self.home(self.axis.level(pool, key)) for key in keys)
        return any(home not in (None, pool) for home in came)

    def fell(self, pool: str, level: LevelId, now: Reading) -> int:
        """The units (0 or negative) by which a level fell that was in this pool as the run began.

        0 where nothing tells: the pool had no quantity, or another one has the level already.
        """
        if self.home(level) != pool or self.axis.home(level) in self._twice:
            return 0
        entry = self._entries[pool]
        if entry.quantity is None:
            return 0
        was = self.cache.decode(pool, entry)
        return last_fall(was, level, now) if isinstance(was, Managed) else 0

    def left(self, pool: str, level: LevelId, now: Reading) -> int:
        """The same of one that left the pool, by what it read before it was adjusted elsewhere."""
        return self.fell(pool, level, self.first.setdefault(level, now))

    def renamed(self, sights: Mapping[str, Sight | None]) -> list[tuple[str, str]]:
        """Pools of which all that is left has one new key, which was not known: old id, new id."""
        taken: dict[str, str] = {}
        for old, sight in sights.items() if isinstance(self.axis, Grouped) else ():
            entry = self.cache.pools.get(old)
            if (sight is not None and not sight.leaves) or entry is None:
                continue
            known = {self.axis.level(old, key) for key in entry.levels}
            of = {
                new
                for new, other in sights.items()
                if other is not None and not known.isdisjoint(other.seen_at(self.axis))
            }
            new = of.pop() if len(of) == 1 else None
            if new and new not in self.cache.pools and new not in taken:
                taken[new] = old
        return [(old, new) for new, old in taken.items()]

    def rename(self, old: str, new: str) -> None:
        """Carry a pool over whole: all that is left of it has another key now."""
        self.cache.put(new, self.cache.pools[old])
        self.cache.remove(old)
        self.forget()
