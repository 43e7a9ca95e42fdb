"""Settling the pools that may have moved: read by id, planned, braked, pushed, a portion at a time.

Each pool is yielded as far as it got; where a push is cut off, what took effect is yielded before
the exception passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence

from msgspec import Struct

from invsync.admin import adjust, paging
from invsync.errors import OutOfTime
from invsync.feed import FeedCheck
from invsync.find import Found
from invsync.listings import Heed, Source
from invsync.order import Known, Order
from invsync.planning import Paused, Planning, Work
from invsync.pools import Sight
from invsync.push import Pushing
from invsync.tell.outcome import Change, Warning

log = logging.getLogger("invsync")

#: How often a raise whose level moved meanwhile is read and planned again before it is left to the
#: next run.
STALE_TRIES = 3
#: The brake looks at the share of pools that rise only where at least this many do.
FEW_RISES = 20

Confirm = Callable[[Sequence[Change]], bool]


def brake_limit(order: Order, known: Known) -> int:
    """How many pools may not rise in one run without somebody having looked."""
    return max(FEW_RISES, int(order.section.max_rising * known.count()) + 1)


class Gone(Struct, frozen=True):
    """A pool that is no longer in the shop, or not what the configuration asks for."""

    id: str


#: What settling comes to: a pool as far as it got, one that is paused, one that left, or what is to
#: be told beside.
Settled = Work | Paused | Gone | Warning


class Brake(Struct):
    """Whether so many pools rise in one run that no rise is let through.

    `risen`: how many did so far.
    """

    limit: int
    on: bool = False
    risen: int = 0

    @classmethod
    def of(cls, order: Order, known: Known, rising: int) -> Brake | None:
        """The brake of a run in which as many pools seem to rise; None where it is let off."""
        if order.options.force:
            return None
        limit = brake_limit(order, known)
        return cls(limit, on=rising >= limit)

    def holds(self, works: Sequence[Work]) -> bool:
        """Whether it is on, or comes on with these works."""
        if self.risen + sum(work.rises for work in works) >= self.limit:
            self.on = True
        return self.on


class Settling(Struct, frozen=True):
    """What settling a pool takes. `pushing`: None in a dry run."""

    order: Order
    source: Source
    known: Known
    planning: Planning
    pushing: Pushing | None
    feed: FeedCheck | None = None

    def settle(self, found: Found, confirm: Confirm, heed: Heed) -> Iterator[Settled]:
        """Bring what was found in step, and yield each pool as far as it got.

        `confirm` is asked with the changes that `--align` would make.
        """
        ids: Sequence[str] = found.to_read
        brake = Brake.of(self.order, self.known, found.rising)
        if ids and self.order.options.align:
            ids = yield from self._approved(ids, found, confirm)
        done, what = 0, "planning" if self.pushing is None else "sending"
        dealt: set[str] = set()
        for some in self._portions(ids, found):
            try:
                heed(what, done, len(ids))
                yield from self._portion(some, brake, dealt)
            except OutOfTime as error:
                raise OutOfTime(
                    f"{error}; {len(ids) - done} of {len(ids)} pools are left to the next run. "
                    f"Raise max_run_time in {self.order.settings.file} if this happens often"
                ) from error
            done += len(some)

    def _portion(
        self, ids: Sequence[str], brake: Brake | None, dealt: set[str]
    ) -> Iterator[Settled]:
        """Read, plan and push these pools, and those that have to do with them.

        Those whose levels moved meanwhile are read and planned again. `dealt`: the pools that the
        run has dealt with.
        """
        ids = [one for one in ids if one not in dealt]
        if not ids:
            return
        for attempt in range(1, STALE_TRIES + 1):
            works = yield from self._planned(ids, dealt, on=brake is not None and brake.on)
            if brake and brake.holds(works):
                works = [
                    work if work.brake or work.leaves else self.planning.braked(work)
                    for work in works
                ]
            yield from self._pushed(works)
            ids = [work.id for work in works if work.end == "again"]
            for work in works:
                if work.end == "again" and attempt == STALE_TRIES:
                    work.end = "left"
                elif brake and work.end == "whole":
                    brake.risen += work.rises
                yield work
            if not ids:
                return
            log.info("%d pools moved while they were pushed (%d)", len(ids), attempt)

    def _planned(
        self, ids: Sequence[str], dealt: set[str], *, on: bool
    ) -> Generator[Gone | Paused, None, list[Work]]:
        """Plan from a fresh reading; a pool that is really gone, or paused, is yielded.

        `dealt`: those that are read along, and need nothing more, unless a level came to them
        meanwhile; `on`: whether the brake is.
        """
        works: list[Work] = []
        sights = self.source.read(ids, self.known)
        asked = frozenset(ids)
        for old, new in self.known.members.renamed(sights):
            self.known.members.rename(old, new)
            del sights[old]
            dealt.add(old)
        for pool_id, sight in sights.items():
            if pool_id in dealt and pool_id not in asked and not self._gained(sight):
                continue
            dealt.add(pool_id)
            if sight is None or sight.leaves:
                if sight is not None and (last := self.planning.last(sight)):
                    works.append(last)
                else:
                    yield Gone(pool_id)
                continue
            work = self.planning.work(sight, brake=on)
            if isinstance(work, Paused):
                yield work
            elif work is not None:
                if self.feed is not None and pool_id not in self.known.cache.pools.paused:
                    work.unshown = self.feed.unshown(sight, work.plan)
                works.append(work)
        return works

    def _gained(self, sight: Sight | None) -> bool:
        """Whether a pool that was dealt with shows a level now that it took from another since.

        That one lets it go now, and would be the last to know what it sells.
        """
        if sight is None or self.pushing is None:
            return False
        pool, members = self.known.cache.get(sight.id), self.known.members
        new = sight.seen_at(self.source.scope.axis).difference(pool.levels if pool else ())
        return any(members.home(level) not in (None, sight.id) for level in new)

    def _pushed(self, works: Sequence[Work]) -> Iterator[Work]:
        """Push; whatever cuts it off, what took effect is yielded first."""
        if self.pushing is None:
            return
        try:
            self.pushing.push(work for work in works if work.plan.adjustments)
        except BaseException:
            for work in works:
                if work.applied:
                    work.end = "whole"
                    yield work
            raise

    def _portions(self, ids: Sequence[str], found: Found) -> Iterator[list[str]]:
        """Ids in portions that one call can read, and whose adjustments likely fill one batch."""
        some: list[str] = []
        room = adjust.BATCH
        for pool_id in ids:
            # Of one not seen to have moved there is likely nothing to send.
            size = 0 if pool_id in found.still else self.known.widest([pool_id]) or 4
            if some and (size > room or len(some) == paging.PAGE):
                yield some
                some, room = [], adjust.BATCH
            some.append(pool_id)
            room -= size
        if some:
            yield some

    def _approved(
        self, ids: Sequence[str], found: Found, confirm: Confirm
    ) -> Generator[Settled, None, Sequence[str]]:
        """Show what `--align` would change, and go on only if it is wanted."""
        works: list[Work] = []
        for some in self._portions(ids, found):
            works += yield from self._planned(some, set(), on=False)
        changes = [work.change() for work in works]
        if not changes or self.order.options.dry_run or confirm(changes):
            return ids
        for work in works:
            yield self.planning.unaligned(work)
        yield Warning("not_aligned", None, "nothing was aligned, since you said no")
        return []
