"""The feed of changes: what it shows to have changed, and whether it can be trusted.

What it shows is a hint, never a reading: each pool that it names is read by id.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import islice

from msgspec import Struct

from invsync.admin.changes import ChangedLevel, changed_levels
from invsync.admin.client import Client
from invsync.errors import QueryTooLarge
from invsync.listings import Source
from invsync.order import Known
from invsync.pools import Sight
from invsync.state.cache import Cache
from invsync.state.values import utc_text
from invsync.sync import LevelId, Plan

log = logging.getLogger("invsync")

#: Levels that the feed may show before a complete scan is the cheaper way to read them.
MUCH = 4000
#: How far behind the last run the feed is read again: the search index lags by seconds to minutes.
OVERLAP = timedelta(minutes=10)
#: By how much a moment may be ahead that is not: answers come from many machines. It is less than
#: the feed is read again.
AT_ONCE = timedelta(minutes=5)
#: By how much the shop's clock may be ahead of this machine's until neither is believed.
FAR_AHEAD = timedelta(hours=1)


class Moved(Struct):
    """What the feed shows.

    `levels`: pools whose levels seem to have moved; `rising`: those that seem to have risen.
    `others`: pools of which something is left to do, and those whose product changed, maybe by a
    sale only: new ones and new variants are adopted so, those that no longer match leave, and a
    movement that the levels did not show is found. `stirred`: it shows anything at all, and would
    again from the same mark.
    """

    levels: dict[str, None] = {}
    rising: set[str] = set()
    others: dict[str, None] = {}
    stirred: bool = False


def changed(source: Source, known: Known) -> Moved | None:
    """The pools that the feed shows to have changed.

    None when that is so much that a complete scan is cheaper.
    """
    try:
        return _changed(source, known)
    except QueryTooLarge as error:
        log.info("%s", error)
        return None


def _changed(source: Source, known: Known) -> Moved | None:
    cache = known.cache
    since = utc_text(_mark(cache) - OVERLAP)
    places = tuple(source.scope.locations)
    shown = list(islice(changed_levels(source.client, places, since), MUCH))
    if len(shown) == MUCH:
        return None
    moved = Moved(stirred=bool(shown))
    _note_levels(known, shown, moved)

    others = dict.fromkeys(unsettled(cache, source.scope.reserve))
    for count, pools in enumerate(source.listings.changed(since, known)):
        if count == MUCH:
            return None
        moved.stirred = True
        others |= dict.fromkeys(pools)
    moved.others = {gid: None for gid in others if gid not in moved.levels}
    return moved


def _note_levels(known: Known, shown: list[ChangedLevel], moved: Moved) -> None:
    """Note the pools whose levels read otherwise than the cache has them.

    Nothing is remembered from here, not even that something was shipped: the index may show a
    state from before the last reading, and what it took for shipped would be counted with twice.
    """
    members, pools = known.members, known.cache.pools
    for level in shown:
        at = LevelId(level.item, level.location)
        pool_id = members.home(at)
        if pool_id is None:
            continue  # not ours, or so new that its product is among those that changed
        entry = pools[pool_id]
        last = entry.levels.get(members.axis.key(at))
        if last is None or not last.reads(level.quantities):
            moved.levels[pool_id] = None
            if last is not None and level.available > last.available and entry.several:
                moved.rising.add(pool_id)


class FeedCheck(Struct, frozen=True):
    """What the feed shows while a complete scan is done.

    Each of its movements should be there, or should have been.

    `shown`: the pools, None where the feed was not asked or shows too much. `since`: from when on;
    `until`: what moved later, the index may not have noticed. `fed`: whether what came earlier was
    left to the feed.
    """

    shown: frozenset[str] | None
    since: datetime
    until: datetime
    fed: bool

    def unshown(self, sight: Sight, made: Plan) -> str | None:
        """When a level of a pool moved of which the feed should have shown something but didn't."""
        for level in made.movements:
            touched = sight.touched(level)
            if touched and self._missed(sight.id, datetime.fromisoformat(touched)):
                return touched
        return None

    def _missed(self, pool_id: str, touched: datetime) -> bool:
        if touched < self.since:
            return self.fed
        return touched < self.until and self.shown is not None and pool_id not in self.shown


def check_feed(source: Source, known: Known, now: datetime, *, ask: bool) -> FeedCheck:
    """What can be held against the feed in a complete scan at `now`.

    `ask`: whether it is asked for that.
    """
    cache, moved = known.cache, changed(source, known) if ask else None
    shown = None if moved is None else frozenset((*moved.levels, *moved.others))
    return FeedCheck(shown, _mark(cache) - OVERLAP, now - OVERLAP, cache.scans.fed)


def doubted(client: Client, cache: Cache) -> str | None:
    """Why no moment can be relied on in this run, so that nothing is left to the feed.

    None where all is well.

    The feed is asked from a moment on that an earlier run was told. If either clock was wrong then,
    or is now, that moment may lie ahead, and the feed would be quiet for as long.
    """
    now, skew = client.server_now(), client.clock_skew
    if skew is None:
        return "Shopify's answers tell no time"
    if skew > FAR_AHEAD.total_seconds():
        return f"by Shopify's answers it is {now:%Y-%m-%d %H:%M} UTC, later than here"
    marks = [
        datetime.fromisoformat(text)
        for text in (cache.scans.watermark, cache.scans.complete)
        if text
    ]
    if marks and max(marks) > now + AT_ONCE:
        return f"an earlier run was told that it was {max(marks):%Y-%m-%d %H:%M} UTC"
    if client.clock_jumped(cache.scans.skew):
        return "since the last run the shop's clock and this machine's moved differently"
    return None


def _mark(cache: Cache) -> datetime:
    assert cache.scans.watermark is not None
    return datetime.fromisoformat(cache.scans.watermark)


def unsettled(cache: Cache, reserve: int) -> list[str]:
    """The pools that every run looks at, whatever moved. `reserve`: the one that is in force."""
    pools = cache.pools
    left = (pools.unsettled | pools.with_other_reserve(reserve)) - pools.aside
    return [pool_id for pool_id in pools if pool_id in left]
