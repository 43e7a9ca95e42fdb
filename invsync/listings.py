"""The shop as a command reads it: products at one location, or items at all of theirs.

One class a way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from invsync.admin import changes, levels
from invsync.admin.client import Client
from invsync.admin.nodes import Listing, Product
from invsync.axis import ByProduct
from invsync.pools import Scope, Sight, see

Heed = Callable[[str, int, int | None], None]


class Listings(Protocol):
    """A way to read what pools are made of."""

    def found(self, terms: str) -> Iterator[Listing]:
        """Every listing that the search index finds, by pages."""

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """The same by a bulk operation.

        `heed` is told how far it is, and may raise to stop there.
        """

    def by_id(self, ids: Sequence[str], widest: int) -> Mapping[str, tuple[Listing, ...]]:
        """Pools whole: id → their listings, none for one that is gone.

        `widest`: the levels of the largest.
        """

    def changed(self, since: str) -> Iterator[tuple[Product, tuple[str, ...]]]:
        """Products that changed since a moment (UTC text), with the ids of their pools."""


class Products(Struct, frozen=True):
    """Whole products, with their variants' levels at one location."""

    client: Client
    location: str

    def found(self, terms: str) -> Iterator[Listing]:
        """See `Listings`."""
        return levels.find_products(self.client, terms, self.location)

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """See `Listings`."""
        from invsync.admin.bulk import bulk_products

        return bulk_products(self.client, terms, self.location, heed)

    def by_id(self, ids: Sequence[str], widest: int) -> Mapping[str, tuple[Listing, ...]]:
        """See `Listings`."""
        return levels.read_products(self.client, ids, self.location, variants=widest + 2)

    def changed(self, since: str) -> Iterator[tuple[Product, tuple[str, ...]]]:
        """See `Listings`."""
        for product, _ in changes.changed_products(self.client, since, items_at=None):
            yield product, (product.id,)


class Items(Struct, frozen=True):
    """Items with their levels everywhere.

    `location`: one of those that count; `places`: how many the shop has.
    """

    client: Client
    location: str
    places: int

    def found(self, terms: str) -> Iterator[Listing]:
        """See `Listings`."""
        return levels.find_items(self.client, terms, self.places)

    def in_bulk(self, terms: str, heed: Heed) -> Iterator[Listing]:
        """See `Listings`."""
        from invsync.admin.bulk import bulk_items

        return bulk_items(self.client, terms, heed)

    def by_id(self, ids: Sequence[str], widest: int) -> Mapping[str, tuple[Listing, ...]]:
        """See `Listings`."""
        return levels.read_items(self.client, ids, self.places)

    def changed(self, since: str) -> Iterator[tuple[Product, tuple[str, ...]]]:
        """See `Listings`."""
        return changes.changed_products(self.client, since, items_at=self.location)


class Source(Struct, frozen=True):
    """The shop, as a command reads it."""

    client: Client
    scope: Scope
    listings: Listings

    def read(self, ids: Sequence[str], widest: int) -> dict[str, Sight | None]:
        """Pools whole and by id.

        Id → what was seen, None for one that is no pool of ours any more.
        """
        found = self.listings.by_id(ids, widest)
        return {pool: see(self.scope, listings) for pool, listings in found.items()}


def listings_of(scope: Scope, client: Client, places: int) -> Listings:
    """The way to read what the scope asks for. `places`: how many locations the shop has."""
    if isinstance(scope.axis, ByProduct):
        return Products(client, scope.axis.location)
    return Items(client, next(iter(scope.locations)), places)
