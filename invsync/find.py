"""Finding the pools that may have moved: which kind of scan, and what it shows.

Nothing is concluded here that a later reading by id does not confirm. A search index may show
yesterday's number, and a phantom rise would oversell: so a scan only names candidates, and what it
did not find is a candidate too. The exception is a pool of which nothing is to be sent and nothing
moved, such as one that is seen for the first time: concluding that from an old reading loses
nothing, since whatever it missed is a movement next time. Of a pool that is remembered nothing is
taken from a scan, not even that an order was shipped: an index that shows a state from before the
last reading would set the witnesses back, and the next order would read like something else.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Literal

from msgspec import Struct, field

from invsync import grouping, only
from invsync.admin import paging
from invsync.admin.nodes import Listing
from invsync.errors import ShopError
from invsync.feed import FeedCheck, Moved, changed, check_feed, doubted
from invsync.listings import Heed, Source
from invsync.order import Known, Order
from invsync.planning import Paused, Planning, Work
from invsync.pools import Sight

log = logging.getLogger("invsync")

#: Points that a complete scan by pages may cost for `auto` to do one every run.
CHEAP_POINTS = 150
#: Points after which a complete scan by pages gives up and has a bulk operation do it.
DEAR_POINTS = 600
#: Pools of low stock that a run looks at, those with the fewest units.
MOST_LOW = 1000
#: Known pools from which on a scan that finds less than half of them is not believed.
FEW_POOLS = 3

Kind = Literal["complete", "changes", "only"]


class Choice(Struct, frozen=True):
    """Which scan, and why.

    `checks_feed`: whether it also tells if the feed of changes can be relied on.
    """

    kind: Kind
    why: str
    checks_feed: bool = False


class Look(Struct, frozen=True):
    """The scan that a run does. `matches`: the filter as text; `began`: when, by the shop's clock.

    `moved`: what the feed shows, where that is the scan; `only`: the pools that are looked at
    alone, where none is done; `feed`: what a complete scan can hold against the feed. `skew`: by
    how many seconds the shop's clock is ahead of this machine's;
    `doubt`: why neither clock can be relied on.
    """

    choice: Choice
    matches: Sequence[str]
    began: datetime
    moved: Moved | None = None
    only: tuple[str, ...] | None = None
    feed: FeedCheck | None = None
    skew: float | None = None
    doubt: str | None = None


class Found(Struct, frozen=True):
    """What a scan found. `to_read`: the ids of the pools to read by id, and to plan from that.

    `rising`: how many of them seem to rise; `still`: those not seen to have moved. `skipped`: what
    was left out though it matches, by reason. `by`: the means; `warning`: what went wrong with
    them. `points`: what it costs by pages, as far as that is known. `missing`: what
    the configuration names and the shop does not show; `notes`: what is to be told of the shop.
    """

    to_read: list[str]
    rising: int = 0
    still: Mapping[str, None] = {}
    skipped: Mapping[str, int] = {}
    by: str | None = None
    warning: str | None = None
    points: int = 0
    missing: tuple[str, ...] = ()
    notes: tuple[grouping.Note, ...] = ()


def look(order: Order, source: Source, known: Known) -> Look:
    """Choose the scan of this run, and ask the feed of changes where that is part of it.

    Raises `NotFound` where what is to be looked at alone can't be found.
    """
    cache, began, skew = known.cache, source.client.server_now(), source.client.clock_skew
    matches = source.scope.matches
    if order.options.only:
        pools = only.chosen(order, source, known)
        return Look(Choice("only", "--only"), matches, began, only=pools, skew=skew)
    if order.options.as_set:
        pools = tuple(one for one in order.options.as_set if one in cache.pools)
        return Look(Choice("only", "resume --as-set"), matches, began, only=pools, skew=skew)
    if doubt := doubted(source.client, cache):
        why = "the clocks can't be relied on"
        return Look(Choice("complete", why), matches, began, skew=skew, doubt=doubt)
    choice = choose(order, known, matches, began)
    if choice.kind == "changes":
        if moved := changed(source, known):
            return Look(choice, matches, began, moved, skew=skew)
        choice = Choice("complete", "much changed at once")
    if cache.scans.watermark is None:
        return Look(choice, matches, began, skew=skew)
    feed = check_feed(source, known, began, ask=choice.checks_feed)
    return Look(choice, matches, began, feed=feed, skew=skew)


def choose(order: Order, known: Known, matches: list[str], now: datetime) -> Choice:
    """The scan of this run.

    What was asked for, else by what the last complete scan cost and how long ago it was.
    """
    cache, wanted = known.cache, order.section.scan
    if order.options.init or not known.seeded or cache.scans.complete is None:
        return Choice("complete", "the first look at this shop")
    if cache.scans.watermark is None:
        return Choice("complete", "the feed of changes has no moment to start from")
    if wanted == "complete":
        return Choice("complete", "scan: complete")
    if cache.matches != matches:
        return Choice("complete", "the filter in the configuration was changed")
    since = now - datetime.fromisoformat(cache.scans.complete)
    if since >= timedelta(seconds=order.section.reconcile_every):
        relies = wanted == "changes" or (cache.scans.trusted and cache.scans.points > CHEAP_POINTS)
        ago = str(since).partition(".")[0]
        return Choice(
            "complete", f"reconcile_every: the last complete scan was {ago} ago", checks_feed=relies
        )
    if wanted == "changes":
        return Choice("changes", "scan: changes")
    return _cheapest(cache.scans.points, trusted=cache.scans.trusted)


def _cheapest(points: int, *, trusted: bool) -> Choice:
    if points <= CHEAP_POINTS:
        return Choice("complete", f"the last complete scan took {points} points only")
    if not trusted:
        return Choice("complete", "the feed of changes missed a movement in this shop")
    known = f"{points}" if points <= DEAR_POINTS else f"more than {DEAR_POINTS}"
    return Choice("changes", f"a complete scan by pages takes {known} points")


def find(
    order: Order, source: Source, known: Known, seen: Look, planning: Planning, heed: Heed
) -> Generator[Work | Paused, None, Found]:
    """The pools to read by id; those that need nothing sent are concluded on the way, and yielded.

    `heed` is told how far a long scan is, and may raise to stop there. Raises `ShopError` where too
    little was found to conclude anything.
    """
    if seen.only is not None:
        found = Found([one for one in seen.only if one not in known.waiting])
    elif seen.moved is None:
        found = yield from _scan_all(order, source, known, planning, heed)
    else:
        moved = seen.moved
        yield from map(planning.aside, list(known.cache.pools.aside))
        still = _without(moved.levels, (*moved.others, *low_stock(order, known)))
        to_read = _askable((*moved.levels, *still), known)
        missing = tuple(sorted(set(known.cache.scans.missing) - known.members.named))
        notes = grouping.of_shop(source.scope, missing, ())
        found = Found(to_read, len(moved.rising), still, missing=missing, notes=notes)
    log.info(
        "scan: %s (%s%s); to read by id: %d",
        seen.choice.kind,
        seen.choice.why,
        f"; by {found.by}" if found.by else "",
        len(found.to_read),
    )
    return found


def low_stock(order: Order, known: Known) -> list[str]:
    """The pools that are nearly sold out, and so read by id whatever an index shows."""
    most = order.section.low_stock
    if not most or order.options.init:
        return []
    units = known.cache.pools.quantities
    low = [pool_id for pool_id, quantity in units.items() if quantity <= most]
    return nsmallest(MOST_LOW, low, key=units.__getitem__)


def _askable(ids: Iterable[str], known: Known) -> list[str]:
    """Those that wait for no earlier batch.

    Nor those of which it is known already that they moved while everything is paused.
    """
    still = known.pauses.everything is not None
    return [
        pool_id
        for pool_id in ids
        if pool_id not in known.waiting and not (still and pool_id in known.cache.pools.paused)
    ]


def _without(these: Container[str], ids: Iterable[str]) -> dict[str, None]:
    """Each of the ids once, but for these."""
    return {pool_id: None for pool_id in ids if pool_id not in these}


class _Scan(Struct):
    """What a complete scan has found so far.

    `ids`: every pool, of one level too; `known`: how many of them the cache knows. `by`: pages or a
    bulk operation.
    """

    ids: set[str] = set()
    known: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    by: str = "pages"
    warning: str | None = None


def _scan_all(
    order: Order, source: Source, known: Known, planning: Planning, heed: Heed
) -> Generator[Work | Paused, None, Found]:
    """Whatever does not read as the cache has it, and whatever a complete scan did not find."""
    cache, scan, spent = known.cache, _Scan(), source.client.use.points
    low = dict.fromkeys(_askable(low_stock(order, known), known))
    to_read: dict[str, None] = {}
    rising, pools_known = 0, len(cache.pools)
    listed = _watched(listings(source, cache.scans.points, scan, heed), pools_known, heed)
    for sight in sights(source, known, listed, scan):
        work = planning.work(sight)
        if isinstance(work, Paused):
            yield work
        if not isinstance(work, Work):
            continue
        before = cache.get(sight.id)
        changed = before is not None and work.plan.pool != before
        regrouped = changed or known.members.regrouped(sight.id, sight.levels)
        moved = work.plan.adjustments or work.plan.movements or regrouped or sight.id in low
        if moved and not work.given.barred:
            to_read[sight.id] = None
            rising += work.rises
        else:
            yield work
    _check_found(order, source, scan, pools_known)
    if not order.options.init:
        unseen = (pool_id for pool_id in cache.pools if pool_id not in scan.ids)
        to_read |= dict.fromkeys(_askable(unseen, known))
    still = _without(to_read, low)
    paged = source.client.use.points - spent
    points = paged if scan.by == "pages" else max(cache.scans.points, DEAR_POINTS + 1)
    missing = grouping.missing(source.scope, known.members.named)
    return Found(
        [*to_read, *still],
        rising,
        still,
        scan.skipped,
        by=scan.by,
        warning=scan.warning,
        points=points,
        missing=missing,
        notes=grouping.of_shop(source.scope, missing, scan.ids),
    )


def _watched(listed: Iterable[Listing], known: int, heed: Heed) -> Iterator[Listing]:
    """The listings, with a look at the clock and a word on progress now and then."""
    for count, listing in enumerate(listed):
        if count % paging.PAGE == 0:
            heed("reading", count, known or None)
        yield listing


def _check_found(order: Order, source: Source, scan: _Scan, known: int) -> None:
    """Refuse to conclude from a scan that found nothing, or much less than is known."""
    filters = ", ".join(source.scope.matches) or "every product"
    command, file = order.command, order.settings.file
    if not scan.ids:
        raise ShopError(
            f"nothing in the shop matches ({filters}), so nothing was done. Check product_types, "
            f"product_tags, exclude and location under `{command}` in {file}"
        )
    if known >= FEW_POOLS and scan.known < known / 2 and not order.options.force:
        raise ShopError(
            f"only {scan.known} of the {known} pools that are known still match ({filters}), so "
            "nothing was done. Check product_types, product_tags and exclude under "
            f"`{command}` in {file}; if that is right, run once with --force"
        )


def listings(source: Source, points: int, scan: _Scan, heed: Heed) -> Iterator[Listing]:
    """Every listing that matches: by pages, and by a bulk operation once they have become dear.

    `points`: what the last complete scan is known to have cost by pages, 0 if that is not known.
    After a change of means everything is handed out again. `heed` is told how far a bulk operation
    is, and may raise to stop there.
    """
    paged = 0
    if points <= DEAR_POINTS:
        spent = source.client.use.points
        for listing in source.listings.found(source.scope.terms):
            if source.client.use.points - spent > DEAR_POINTS:
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

    scan.by = "a bulk operation"
    in_bulk = 0
    try:
        for listing in source.listings.in_bulk(source.scope.terms, heed):
            in_bulk += 1
            yield listing
        if in_bulk < paged:
            raise BulkFailed(
                f"the bulk operation found {in_bulk} objects where pages had found {paged} already"
            )
    except BulkFailed as error:
        scan.by = "pages, since a bulk operation failed"
        scan.warning = f"{error}; the catalogue was read by pages instead, which costs more points"
        yield from source.listings.found(source.scope.terms)


def sights(source: Source, known: Known, listed: Iterable[Listing], scan: _Scan) -> Iterator[Sight]:
    """The pools among the listings that are not simply in step; everything is counted in `scan`."""
    pools = known.cache.pools
    for gid, sight in source.listings.sights(listed, known, scan.skipped):
        if sight is None:
            continue
        scan.ids.add(gid)
        if entry := pools.get(gid):
            scan.known += 1
            settled = entry.settled and entry.has_reserve(source.scope.reserve)
            if settled and sight.is_as(entry, source.scope) and not sight.paused:
                continue
        if gid in known.waiting:
            continue
        yield sight
