"""The feed: levels and products that changed since a moment, by the search index."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from invsync.admin.budget import connection_cost
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.levels import all_variants
from invsync.admin.nodes import (
    ItemReference,
    LevelNode,
    LocationId,
    Node,
    PageInfo,
    Product,
    Quantities,
    of,
    pages,
    quantities_of,
    shaped,
)
from invsync.admin.paging import PAGE, Gone, pages_by_id
from invsync.admin.search import beyond, since_moment
from invsync.errors import CallRefused, NotExecuted, ShopError

_log = logging.getLogger("invsync")

#: Points of a level's own fields: item, quantities.
_LEVEL_COST = 1 + 1


class ChangedLevel(Struct, frozen=True):
    """A level that the feed shows: what it reads there is a hint, not a reading."""

    item: str
    location: str
    quantities: Quantities

    @property
    def available(self) -> int:
        """What can be sold, as the index has it."""
        return self.quantities.available


class _Level(LevelNode):
    item: ItemReference


class _Levels(Node):
    nodes: list[_Level]
    page_info: PageInfo


class _Location(Node):
    id: LocationId
    inventory_levels: _Levels


class _Locations(Node):
    nodes: list[_Location]
    page_info: PageInfo


class _Variant(Node):
    inventory_item: ItemReference


class _Variants(Node):
    nodes: list[_Variant]
    page_info: PageInfo


class _TooMuchAtOnce(Exception):
    """Shopify does not answer for all locations at once."""


def changed_levels(client: Client, locations: Sequence[str], since: str) -> Iterator[ChangedLevel]:
    """Levels at `locations` that changed since the moment `since` (UTC text), by the search index.

    Levels come in the order of their ids, across locations in none: what was read says nothing
    about the moment up to which it is complete before the last page of the last location
    (https://github.com/airbytehq/airbyte/issues/32817). Some may come twice. A location that is
    gone shows none.
    """
    query = since_moment(since)
    if len(locations) > 1:
        try:
            yield from _everywhere(client, frozenset(locations), query)
        except _TooMuchAtOnce as refused:
            _log.info("%s: the locations are asked one after the other", refused)
        else:
            return
    for location in locations:
        yield from _rest(client, location, query, None)


def changed_products(
    client: Client, since: str, *, items_at: str | None
) -> Iterator[tuple[Product, tuple[str, ...]]]:
    """Products that changed since the moment `since` (UTC text), by the search index.

    `items_at`: a location; with one, the ids of all items of each product come with it, without
    one, none.
    """
    variants = PAGE if items_at else 1

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            load("changed_products"),
            {
                "query": beyond(since_moment(since), after),
                "products": first,
                "variants": variants,
            },
            cost=connection_cost(first, connection_cost(variants, 1)),
        )

    for nodes in pages_by_id("ChangedProducts", "products", page, PAGE):
        for node in nodes:
            product = of("ChangedProducts", node, Product)
            first = of("ChangedProducts", node.get("variants"), _Variants)
            yield product, tuple(_items(client, product.id, first, items_at)) if items_at else ()


def _items(client: Client, product: str, first: _Variants, location: str) -> Iterator[str]:
    """The ids of a product's items.

    Of one that vanishes on the way those that were read until then.
    """
    try:
        for page in all_variants(client, product, first, location, _Variants):
            yield from (variant.inventory_item.id for variant in page.nodes)
    except Gone:
        return


def _everywhere(client: Client, wanted: frozenset[str], query: str) -> Iterator[ChangedLevel]:
    """The feeds of all locations at once.

    Nobody has seen Shopify take this query at its size: raises `_TooMuchAtOnce` where it is
    refused, or not answered.
    """
    cost = connection_cost(PAGE, connection_cost(PAGE, _LEVEL_COST))

    def ask(after: str | None) -> _Locations:
        variables = {"query": query, "locations": PAGE}
        if after is not None:
            variables["after"] = after
        try:
            answer = client.execute(load("changed_levels_everywhere"), variables, cost=cost)
        except CallRefused as refused:
            raise _TooMuchAtOnce(str(refused)) from refused
        except NotExecuted:
            raise
        except ShopError as failure:
            raise _TooMuchAtOnce(str(failure)) from failure
        with shaped("ChangedLevelsEverywhere"):
            node = answer["locations"]
        return of("ChangedLevelsEverywhere", node, _Locations)

    for places in pages("ChangedLevelsEverywhere", ask(None), ask):
        for location in places.nodes:
            if location.id not in wanted:
                continue
            page = location.inventory_levels
            yield from _shown(location.id, page)
            if page.page_info.has_next_page:
                yield from _rest(client, location.id, query, page.page_info.end_cursor)


def _rest(client: Client, location: str, query: str, after: str | None) -> Iterator[ChangedLevel]:
    """The feed of one location, from a cursor on."""

    def ask(after: str | None) -> _Levels:
        answer = client.execute(
            load("changed_levels"),
            {"location": location, "query": query, "after": after},
            cost=1 + connection_cost(PAGE, _LEVEL_COST),
        )
        with shaped("ChangedLevels"):
            node = answer["location"]
            if node is None:
                raise Gone
            page = node["inventoryLevels"]
        return of("ChangedLevels", page, _Levels)

    try:
        for page in pages("ChangedLevels", ask(after), ask):
            yield from _shown(location, page)
    except Gone:
        return


def _shown(location: str, page: _Levels) -> Iterator[ChangedLevel]:
    with shaped("ChangedLevels"):
        shown = [
            ChangedLevel(level.item.id, location, quantities_of(level)) for level in page.nodes
        ]
    yield from shown
