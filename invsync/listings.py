"""The shop as a command reads it: products at one location, items at all of theirs, or variants.

One class a way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from invsync.admin import changes, levels, variants
from invsync.admin.client import Client
from invsync.admin.nodes import Listed, Listing
from invsync.admin.paging import ById
from invsync.admin.variants import Want
from invsync.axis import ByProduct, Grouped
from invsync.order import Known
from invsync.pools import Scope, Sight, homes, see, see_group, see_whole, why_not
from invsync.sync import LevelId
from invsync.ways import ByMetafield

Heed = Callable[[str, int, int | None], None]


class Listings(Protocol):
    """A way to read what pools are made of."""

    def found(self, terms: str) -> Iterator[Listing]:
        """Every listing that the search index finds, by pages."""

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """The same by a bulk operation.

        `heed` is told how far it is, and may raise to stop there.
        """

    def sights(
        self, listed: Iterable[Listing], known: Known, skipped: Counter[str]
    ) -> Iterator[tuple[str, Sight | None]]:
        """The pools among these listings, each by its id once; None for what makes none.

        What is left out though it matches is counted in `skipped` by its reason.
        """

    def read(
        self, ids: Sequence[str], known: Known, skipped: Counter[str] | None = None
    ) -> dict[str, Sight | None]:
        """Pools whole and by id: id → what was seen, None for one that is not there any more.

        Others, to which their items went or from which they came, are read with them. `skipped`: as
        in `sights`.
        """

    def pools(self, shown: Iterable[tuple[str, str]], known: Known) -> Iterator[str]:
        """The ids of the pools that hold these products' items (ids of both)."""

    def changed(self, since: str, known: Known) -> Iterator[tuple[str, ...]]:
        """Of each product that changed since a moment (UTC text) the pools that it may concern."""


class Products(Struct, frozen=True):
    """Whole products, with their variants' levels at one location."""

    client: Client
    scope: Scope
    location: str

    def found(self, terms: str) -> Iterator[Listing]:
        """See `Listings`."""
        return levels.find_products(self.client, terms, self.location)

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """See `Listings`."""
        from invsync.admin.bulk import bulk_products

        return bulk_products(self.client, terms, self.location, heed)

    def sights(
        self, listed: Iterable[Listing], known: Known, skipped: Counter[str]
    ) -> Iterator[tuple[str, Sight | None]]:
        """See `Listings`."""
        done: set[str] = set()
        for listing in listed:
            if (gid := listing.product.id) not in done:
                done.add(gid)
                yield gid, see(self.scope, (listing,), skipped)

    def read(
        self, ids: Sequence[str], known: Known, skipped: Counter[str] | None = None
    ) -> dict[str, Sight | None]:
        """See `Listings`."""
        most = known.widest(ids) + 2
        found = levels.read_products(self.client, ids, self.location, variants=most)
        return {pool: see_whole(self.scope, pool, one, skipped) for pool, one in found.items()}

    def pools(self, shown: Iterable[tuple[str, str]], known: Known) -> Iterator[str]:
        """See `Listings`."""
        return (product for product, _ in shown)

    def changed(self, since: str, known: Known) -> Iterator[tuple[str, ...]]:
        """See `Listings`."""
        for product, _ in changes.changed_products(self.client, since, items_at=None):
            if product.id in known.cache.pools or self.scope.wants(product):
                yield (product.id,)
            else:
                yield ()


class Items(Struct, frozen=True):
    """Items with their levels everywhere.

    `location`: one of those that count; `places`: how many the shop has.
    """

    client: Client
    scope: Scope
    location: str
    places: int

    def found(self, terms: str) -> Iterator[Listing]:
        """See `Listings`."""
        return levels.find_items(self.client, terms, self.places)

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """See `Listings`."""
        from invsync.admin.bulk import bulk_items

        return bulk_items(self.client, terms, heed)

    def sights(
        self, listed: Iterable[Listing], known: Known, skipped: Counter[str]
    ) -> Iterator[tuple[str, Sight | None]]:
        """See `Listings`: of several variants that show an item, the first that matches counts."""
        seen: set[str] = set()
        left_out: set[tuple[str, str]] = set()
        for listing in listed:
            gid = listing.items[0].id
            if gid in seen or (listing.product.id, gid) in left_out:
                continue
            sight = see(self.scope, (listing,), skipped)
            if sight is None:
                left_out.add((listing.product.id, gid))
            else:
                seen.add(gid)
            yield gid, sight

    def read(
        self, ids: Sequence[str], known: Known, skipped: Counter[str] | None = None
    ) -> dict[str, Sight | None]:
        """See `Listings`."""
        found = levels.read_items(self.client, ids, self.places)
        return {pool: see_whole(self.scope, pool, one, skipped) for pool, one in found.items()}

    def pools(self, shown: Iterable[tuple[str, str]], known: Known) -> Iterator[str]:
        """See `Listings`."""
        return (item for _, item in shown)

    def changed(self, since: str, known: Known) -> Iterator[tuple[str, ...]]:
        """See `Listings`."""
        pools = known.cache.pools
        for product, items in changes.changed_products(self.client, since, items_at=self.location):
            wanted = self.scope.wants(product)
            yield tuple(item for item in items if wanted or item in pools)


class Variants(Struct, frozen=True):
    """Variants of any products, which are pooled by what they are: by SKU, say.

    `places`: how many locations the shop has.
    """

    client: Client
    scope: Scope
    axis: Grouped
    places: int

    @property
    def want(self) -> Want:
        """What is read of a variant."""
        pack, way = self.scope.pack, self.scope.way
        return Want(
            self.axis.location,
            0 if self.axis.settled else self.places,
            options=pack is not None and not pack.metafield,
            pool=way.metafield if isinstance(way, ByMetafield) else "",
            pack=pack.metafield if pack is not None else "",
        )

    def found(self, terms: str) -> Iterator[Listing]:
        """See `Listings`."""
        return variants.find_variants(self.client, terms, self.want)

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """See `Listings`."""
        from invsync.admin.bulk import bulk_variants

        return bulk_variants(self.client, terms, self.want, heed)

    def sights(
        self, listed: Iterable[Listing], known: Known, skipped: Counter[str]
    ) -> Iterator[tuple[str, Sight | None]]:
        """As in `Listings`; nothing is known of any pool before all listings are read."""
        pools: dict[str, dict[str, Listing]] = {}
        shown: dict[str, Listing] = {}
        shared: dict[str, dict[str, Listing]] = {}
        left_out: dict[str, str] = {}
        for listing in listed:
            (item,) = listing.items
            gid = variant_of(listing)
            first = shown.setdefault(item.id, listing)
            if (other := variant_of(first)) != gid:
                shared.setdefault(item.id, {other: first})[gid] = listing
            of = homes(self.scope, listing.product, item)
            known.members.named.update(self.scope.way.named(listing.product, item) if of else ())
            for pool in of:
                pools.setdefault(pool, {})[gid] = listing
                known.members.note(pool, item.id)
            if not of and (why := why_not(self.scope, listing.product, item)):
                left_out[gid] = why
        skipped.update(left_out.values())
        for pool, listings in pools.items():
            for listing in list(listings.values()) if shared else ():
                listings |= shared.get(listing.items[0].id, {})
            yield pool, see_group(self.scope, pool, listings.values())

    def read(
        self, ids: Sequence[str], known: Known, skipped: Counter[str] | None = None
    ) -> dict[str, Sight | None]:
        """See `Listings`."""
        members, found = known.members, ById()
        to_read, pools = dict.fromkeys(ids), dict[str, None]()
        while to_read:
            items = {item: None for pool in to_read for item in members.items(pool)}
            new = [item for item in items if item not in found]
            found |= variants.read_variants(self.client, new, self.want)
            pools |= to_read
            also = {pool: None for item in items for pool in self._linked(found[item], known)}
            to_read = {pool: None for pool in also if pool not in pools and not known.aside(pool)}
        return {
            pool: see_group(
                self.scope, pool, [one for item in members.items(pool) for one in found[item]]
            )
            for pool in pools
        }

    def pools(self, shown: Iterable[tuple[str, str]], known: Known) -> Iterator[str]:
        """See `Listings`."""
        items = dict.fromkeys(item for _, item in shown)
        for listings in variants.read_variants(self.client, list(items), self.want).values():
            for listing in listings:
                (item,) = listing.items
                for pool in homes(self.scope, listing.product, item):
                    known.members.note(pool, item.id)
                    yield pool

    def _linked(self, listings: Iterable[Listing], known: Known) -> Iterator[str]:
        """The pools that an item belongs to and was in, where these are not the same."""
        members = known.members
        for listing in listings:
            (item,) = listing.items
            of = homes(self.scope, listing.product, item)
            for pool in of:
                members.note(pool, item.id)
            levels_here = [LevelId(item.id, at) for at in item.levels if at in self.scope.locations]
            was = {home for level in levels_here if (home := members.home(level))}
            if not was <= set(of) or not was:
                yield from was
                yield from of

    def changed(self, since: str, known: Known) -> Iterator[tuple[str, ...]]:
        """See `Listings`."""
        members, scope = known.members, self.scope
        for listing in variants.changed_variants(self.client, since, self.want):
            pools: dict[str, None] = {}
            for item in listing.items:
                key = scope.way.key(listing.product, item) if scope.wants(listing.product) else None
                members.named.update(scope.way.named(listing.product, item) if key else ())
                for at in scope.locations:
                    if home := members.home(LevelId(item.id, at)):
                        pools[home] = None
                    if key is not None:
                        pool = self.axis.pool(key, at)
                        members.note(pool, item.id)
                        pools[pool] = None
            yield tuple(pool for pool in pools if not known.aside(pool))


def variant_of(listing: Listing) -> str:
    """The id of the variant that a listing of one item is of."""
    (item,) = listing.items
    return item.variant if isinstance(item, Listed) else item.id


class Source(Struct, frozen=True):
    """The shop, as a command reads it."""

    client: Client
    scope: Scope
    listings: Listings

    def read(self, ids: Sequence[str], known: Known) -> dict[str, Sight | None]:
        """Pools whole and by id; see `Listings.read`."""
        return self.listings.read(ids, known)


def listings_of(scope: Scope, client: Client, places: int) -> Listings:
    """The way to read what the scope asks for. `places`: how many locations the shop has."""
    axis, location = scope.axis, next(iter(scope.locations))
    if isinstance(axis, ByProduct):
        return Products(client, scope, location)
    if isinstance(axis, Grouped):
        return Variants(client, scope, axis, places)
    return Items(client, scope, location, places)
