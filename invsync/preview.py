"""What a configuration would pool, counted by the first pages of a complete scan; for `check`."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from msgspec import Struct, field

from invsync import grouping
from invsync.admin.client import Client
from invsync.admin.nodes import Listed
from invsync.listings import listings_of
from invsync.members import Members
from invsync.order import Known
from invsync.pools import Scope, Sight
from invsync.state.cache import Cache
from invsync.sync import agree
from invsync.tell.lines import listed

#: How many products (or variants) are counted before it is left at "at least": a few pages.
COUNTED = 1000
#: Pools that are named as the largest.
_LARGEST = 3


class Preview(Struct):
    """What was counted. `sizes`: pool → its levels; `titles`: pool → what people call it.

    `apart`: titles of those whose levels agree on no number; `barred`: of those that can't be
    adopted as they are; `mixed`: of those of which some listings sell on when out of stock, and
    some don't. `skipped`: what is left out, by reason; `more`: there is more than was counted;
    `named`: what the configuration names one by one, and was seen.
    """

    sizes: dict[str, int] = {}
    titles: dict[str, str] = {}
    apart: list[str] = []
    barred: list[str] = []
    mixed: list[str] = []
    skipped: Counter[str] = field(default_factory=Counter)
    more: bool = False
    named: set[str] = set()

    @property
    def single(self) -> int:
        """Pools of one level, which are none."""
        return sum(size == 1 for size in self.sizes.values())

    @property
    def notable(self) -> str:
        """What a person should see of pools that reach over products, before any is adopted."""
        largest = Counter(self.sizes).most_common(_LARGEST)
        named = [f"{self.titles[pool]} ({size})" for pool, size in largest if size > 1]
        parts = (
            ("the largest", named),
            ("can't be adopted", self.barred),
            ("some sell on when out of stock, some don't", self.mixed),
        )
        return "".join(f"; {what}: {listed(titles)}" for what, titles in parts if titles)


def preview(client: Client, scope: Scope, places: int) -> Preview:
    """Look at what matches; of a large shop only in part."""
    way = listings_of(scope, client, places)
    cache = Cache(scope.command, "", tuple(scope.locations), grouping=scope.grouping)
    seen, found = Preview(), way.found(scope.terms)
    known = Known(cache, Members(scope.axis, cache))
    for pool, sight in way.sights(islice(found, COUNTED), known, seen.skipped):
        if sight is not None:
            _count(seen, pool, sight, scope)
    seen.named = known.members.named
    seen.more = next(found, None) is not None
    return seen


def _count(seen: Preview, pool: str, sight: Sight, scope: Scope) -> None:
    seen.sizes[pool], seen.titles[pool] = len(sight.levels), sight.title
    if grouping.barred(sight, scope, None):
        seen.barred.append(sight.title)
        return
    read = sight.seen(scope)
    if agree((now.available, sight.sizes.get(at, 1)) for at, now in read.items()) is None:
        seen.apart.append(sight.title)
    policies = {
        item.sells_on
        for listing in sight.listings
        for item in listing.items
        if isinstance(item, Listed)
    }
    if len(policies) > 1:
        seen.mixed.append(sight.title)
