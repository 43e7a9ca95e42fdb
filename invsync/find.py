"""Finding the pools that may have moved: which kind of scan, and what it shows.

Nothing is concluded here that a later reading by id does not confirm. A search index may show
yesterday's number, and a phantom rise would oversell: so a scan only names candidates, and what it
did not find is a candidate too. The exception is a pool of which nothing is to be sent and nothing
moved, such as one that is seen for the first time: concluding that from an old reading loses
nothing, since whatever it missed is a movement next time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

from invsync.admin import levels
from invsync.admin.client import Client
from invsync.admin.levels import Listing
from invsync.axis import Axis
from invsync.errors import QueryTooLarge
from invsync.listings import Heed, Listings
from invsync.pools import Scope, Sight, see
from invsync.state.cache import Cache
from invsync.state.values import utc_text
from invsync.sync import LevelId

log = logging.getLogger("invsync")

#: Points that a complete scan by pages may cost for `auto` to do one every run.
CHEAP_POINTS = 150
#: Points after which a complete scan by pages gives up and has a bulk operation do it.
DEAR_POINTS = 600
#: Levels that the feed may show before a complete scan is the cheaper way to read them.
MUCH = 4000
#: How far behind the last run the feed is read again: the search index lags by seconds to minutes.
OVERLAP = timedelta(minutes=10)

Kind = Literal["complete", "changes"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which scan, and why. `checks_feed`: whether it also tells if the feed of changes can be relied on."""

    kind: Kind
    why: str
    checks_feed: bool = False


def choose(
    wanted: Literal["auto", "complete", "changes"],
    cache: Cache,
    *,
    seeded: bool,
    init: bool,
    matches: list[str],
    reconcile_every: float,
    now: datetime,
) -> Choice:
    """The scan of this run: what was asked for, else by what the last complete scan cost and how long ago it was."""
    if init or not seeded or cache.scanned_at is None:
        return Choice("complete", "the first look at this shop")
    if cache.watermark is None:
        return Choice("complete", "the feed of changes has no moment to start from")
    if wanted == "complete":
        return Choice("complete", "scan: complete")
    if cache.matches != matches:
        return Choice("complete", "the filter in the configuration was changed")
    since = now - datetime.fromisoformat(cache.scanned_at)
    if since >= timedelta(seconds=reconcile_every):
        relies = wanted == "changes" or (cache.feed_trusted and cache.scan_points > CHEAP_POINTS)
        ago = str(since).partition(".")[0]
        return Choice(
            "complete", f"reconcile_every: the last complete scan was {ago} ago", checks_feed=relies
        )
    if wanted == "changes":
        return Choice("changes", "scan: changes")
    if cache.scan_points <= CHEAP_POINTS:
        return Choice("complete", f"the last complete scan took {cache.scan_points} points only")
    if not cache.feed_trusted:
        return Choice("complete", "the feed of changes missed a movement in this shop")
    known = (
        f"{cache.scan_points}" if cache.scan_points <= DEAR_POINTS else f"more than {DEAR_POINTS}"
    )
    return Choice("changes", f"a complete scan by pages takes {known} points")


@dataclass(slots=True)
class Found:
    """What a complete scan found.

    `ids`: every pool that was found, of one level too; `known`: how many of them the cache knows.
    `by`: pages or a bulk operation.
    """

    ids: set[str] = field(default_factory=set)
    known: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    by: str = "pages"
    warning: str | None = None


def listings(
    way: Listings, client: Client, terms: str, points: int, found: Found, heed: Heed
) -> Iterator[Listing]:
    """Every listing that matches `terms`: by pages, and by a bulk operation once they have become dear.

    `points`: what the last complete scan is known to have cost by pages, 0 if that is not known.
    After a change of means everything is handed out again. `heed` is told how far a bulk operation
    is, and may raise to stop there.
    """
    paged = 0
    if points <= DEAR_POINTS:
        spent = client.use.points
        for listing in way.found(terms):
            if client.use.points - spent > DEAR_POINTS:
                log.info(
                    "more than %d points for the pages so far: a bulk operation takes over",
                    DEAR_POINTS,
                )
                break
            paged += 1
            yield listing
        else:
            return
    from invsync.admin.bulk import BulkFailed

    found.by = "a bulk operation"
    in_bulk = 0
    try:
        for in_bulk, listing in enumerate(way.in_bulk(terms, heed), 1):  # noqa: B007 - counted to its end
            yield listing
        if in_bulk < paged:
            raise BulkFailed(
                f"the bulk operation found {in_bulk} objects where pages had found {paged} already"
            )
    except BulkFailed as error:
        found.by = "pages, since a bulk operation failed"
        found.warning = f"{error}; the catalogue was read by pages instead, which costs more points"
        yield from way.found(terms)


def sights(scope: Scope, cache: Cache, listed: Iterable[Listing], found: Found) -> Iterator[Sight]:
    """The pools among the listings that are not simply in step; everything is counted in `found`."""
    left_out: set[tuple[str, str]] = set()
    axis = scope.axis
    for listing in listed:
        gid = axis.pool(listing.product.id, listing.items[0].id if listing.items else "")
        if gid in found.ids or (listing.product.id, gid) in left_out:
            continue
        sight = see(scope, (listing,), found.skipped)
        if sight is None:
            left_out.add((listing.product.id, gid))
            continue
        found.ids.add(gid)
        if entry := cache.pools.get(gid):
            found.known += 1
            if entry["levels"] == sight.levels and settled(entry):
                continue
        yield sight


@dataclass(slots=True)
class Moved:
    """What the feed shows.

    `levels`: pools whose levels seem to have moved; `rising`: those that seem to have risen.
    `others`: pools of which something is left to do, and those whose product changed, maybe by a
    sale only: new ones and new variants are adopted so, those that no longer match leave, and a
    movement that the levels did not show is found. `stirred`: it shows anything at all, and would
    again from the same mark.
    """

    levels: dict[str, None] = field(default_factory=dict)
    rising: set[str] = field(default_factory=set)
    others: dict[str, None] = field(default_factory=dict)
    stirred: bool = False


def changed(scope: Scope, cache: Cache, client: Client, way: Listings) -> Moved | None:
    """The pools that the feed shows to have changed; None when that is so much that a complete scan is cheaper."""
    try:
        return _changed(scope, cache, client, way)
    except QueryTooLarge as error:
        log.info("%s", error)
        return None


def _changed(scope: Scope, cache: Cache, client: Client, way: Listings) -> Moved | None:
    since = utc_text(_mark(cache) - OVERLAP)
    shown = list(islice(levels.changed_levels(client, tuple(scope.locations), since), MUCH))
    if len(shown) == MUCH:
        return None
    moved = Moved()
    axis = scope.axis
    home = _homes(axis, cache) if shown else {}
    for level in shown:
        key = axis.key(LevelId(level.item, level.location))
        pool_id = home.get(level.item)
        entry = cache.pools.get(pool_id) if pool_id else None
        if pool_id is None or entry is None:
            continue  # not ours, or so new that its product is among those that changed
        accounted = entry["levels"].get(key)
        if accounted != level.available:
            moved.levels[pool_id] = None
            if accounted is not None and level.available > accounted and len(entry["levels"]) > 1:
                moved.rising.add(pool_id)
    moved.stirred = bool(shown)
    others = dict.fromkeys(unsettled(cache))
    for count, (product, pools) in enumerate(way.changed(since)):
        if count == MUCH:
            return None
        moved.stirred = True
        for gid in pools:
            if gid in cache.pools or scope.wants(product):
                others[gid] = None
    moved.others = {gid: None for gid in others if gid not in moved.levels}
    return moved


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """What the feed shows while a complete scan is done: each of its movements should be there, or should have been.

    `shown`: the pools, None where the feed was not asked or shows too much. `since`: from when on;
    `until`: what moved later, the index may not have noticed. `fed`: whether what came earlier was
    left to the feed.
    """

    shown: frozenset[str] | None
    since: datetime
    until: datetime
    fed: bool

    def missed(self, pool_id: str, touched: datetime) -> bool:
        """Whether the feed did not show a pool, a level of which last changed at `touched`."""
        if touched < self.since:
            return self.fed
        return touched < self.until and self.shown is not None and pool_id not in self.shown


def check_feed(
    scope: Scope, cache: Cache, client: Client, way: Listings, choice: Choice, now: datetime
) -> FeedCheck:
    """What can be held against the feed in a complete scan at `now`; it is asked where `choice` says so."""
    moved = changed(scope, cache, client, way) if choice.checks_feed else None
    shown = None if moved is None else frozenset((*moved.levels, *moved.others))
    return FeedCheck(shown, _mark(cache) - OVERLAP, now - OVERLAP, cache.fed)


def _mark(cache: Cache) -> datetime:
    assert cache.watermark is not None
    return datetime.fromisoformat(cache.watermark)


def settled(entry: Mapping[str, Any]) -> bool:
    """Whether nothing of a pool is left to do: no push to finish, nothing held, out of sync or being watched."""
    return len(entry) == 3 and set(entry["levels"].values()) == {entry["quantity"]}


def unsettled(cache: Cache) -> list[str]:
    """The pools that every run looks at, whatever moved."""
    return [pool_id for pool_id, entry in cache.pools.items() if not settled(entry)]


def _homes(axis: Axis, cache: Cache) -> dict[str, str]:
    return axis.homes((pool_id, entry["levels"]) for pool_id, entry in cache.pools.items())
