"""Reading levels: products with their variants at one location, or items at all their locations.

Everything here either returns what was asked for, whole, or raises: `ShopError` for an answer that
is not of the shape the schema promises, and whatever `Client.execute` raises. Quantities are
`available` units.

The shapes of the pages follow Shopify's cost curve: a connection of n costs 2 + max(1, floor(2 ln
n)) x (1 + one node), so that the largest page is the cheapest per row, and one query may ask for
1,000 points at most (https://shopify.dev/docs/api/usage/limits).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.errors import QueryTooLarge, ShopError

#: The largest page, and the most ids that one call may name.
PAGE = 250
#: Variants that come with each product of a page; a product with more is completed by id.
VARIANTS_BESIDE = 30
#: Levels that one page of items may hold, which bounds the size of an answer.
LEVELS_A_PAGE = 5000

_VARIANT_COST = 1 + 1 + 1 + 1  # variant, item, level, quantities
_LEVEL_COST = 1 + 1 + 1  # level, location, quantities

T = TypeVar("T")

#: When levels were touched, where that was not read: one for all items, of which there can be many.
_UNKNOWN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Location:
    """A place where stock is kept."""

    id: str
    name: str
    active: bool
    fulfilment_service: bool


@dataclass(frozen=True, slots=True)
class Shop:
    """Who answered (its `*.myshopify.com` domain), its default location, and all its active locations."""

    domain: str
    default: Location | None
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """What decides whether a product matches, and what people call it."""

    id: str
    title: str
    product_type: str
    tags: tuple[str, ...]
    status: str
    gift_card: bool


@dataclass(frozen=True, slots=True)
class Item:
    """An inventory item as one of its variants shows it.

    `levels`: location id → available, for the locations that were read and stock it. `touched`:
    location id → when `available` last changed there (Shopify's text, UTC), where that was read and
    is known.
    """

    id: str
    sku: str
    title: str
    tracked: bool
    bundle: bool
    levels: Mapping[str, int]
    touched: Mapping[str, str] = field(default_factory=lambda: _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Listing:
    """A product with those of its items that were read: all of them (variants), or just one (locations)."""

    product: Product
    items: tuple[Item, ...]


def connection_cost(first: int, node: int) -> int:
    """Points that Shopify asks for a connection of `first` nodes, each of whose fields cost `node`."""
    return 2 + max(1, math.floor(2 * math.log(first))) * (1 + node)


def read_shop(client: Client) -> Shop:
    """Who answers at this endpoint, and where it keeps stock."""
    document = load("shop")
    cost = 1 + 1 + connection_cost(PAGE, 0)
    locations: list[Location] = []
    variables: dict[str, Any] = {}
    while True:
        answer = client.execute(document, variables, cost=cost)
        with shaped("Shop"):
            page = answer["locations"]
            locations += [_location(node) for node in nodes_of(page)]
            shop = Shop(
                _text(answer["shop"]["myshopifyDomain"]),
                _location(answer["location"]) if answer["location"] else None,
                tuple(locations),
            )
            after = next_page(page)
        if after is None:
            return shop
        variables = {"after": after}


def find_products(client: Client, terms: str, location: str) -> Iterator[Listing]:
    """Every product that the search index finds for `terms`, with all its variants' levels at `location`.

    Pages are id ranges rather than cursors: Shopify pages no deeper than 25,000 objects of one
    result set.
    """
    document = load("find_products")
    variants = VARIANTS_BESIDE

    def cost(first: int) -> int:
        return connection_cost(first, connection_cost(variants, _VARIANT_COST - 1))

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {
                "query": _range(terms, after),
                "products": first,
                "variants": variants,
                "location": location,
            },
            cost=cost(first),
        )

    for nodes in _pages("FindProducts", "products", page, PAGE):
        for node in nodes:
            with shaped("FindProducts"):
                listing = _product_listing(client, node, location)
            yield listing


def find_items(client: Client, terms: str, locations: int) -> Iterator[Listing]:
    """Every variant that the search index finds for `terms`, with its item's levels at all locations.

    `locations`: how many the shop has, which decides how many levels a page asks for.
    """
    document = load("find_items")
    levels = min(PAGE, max(1, locations))
    most = max(1, min(PAGE, LEVELS_A_PAGE // levels))

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {"query": _range(terms, after), "variants": first, "levels": levels},
            cost=connection_cost(first, 1 + 1 + connection_cost(levels, _LEVEL_COST - 1)),
        )

    for nodes in _pages("FindItems", "productVariants", page, most):
        for node in nodes:
            with shaped("FindItems"):
                product = product_of(node["product"])
                listing = Listing(product, (_item(client, node, node["inventoryItem"]),))
            yield listing


def read_products(
    client: Client, ids: Sequence[str], location: str, *, variants: int = VARIANTS_BESIDE
) -> dict[str, tuple[Listing, ...]]:
    """Products whole and by id: id → its listing, or nothing for one that is gone.

    `variants`: how many to ask for beside each product; one with more is completed by further
    calls.
    """
    first = min(PAGE, max(1, variants))

    def read(some: Sequence[str]) -> dict[str, tuple[Listing, ...]]:
        answer = client.execute(
            load("read_products"),
            {"ids": list(some), "variants": first, "location": location},
            cost=1 + connection_cost(first, _VARIANT_COST - 1),
        )
        return _by_id(
            "ReadProducts", answer, some, lambda node: (_product_listing(client, node, location),)
        )

    return _read("ReadProducts", read, ids)


def read_items(
    client: Client, ids: Sequence[str], locations: int
) -> dict[str, tuple[Listing, ...]]:
    """Inventory items whole and by id: id → a listing for each variant that shows the item; none for one gone."""
    levels = min(PAGE, max(1, locations))

    def listings(node: Any) -> tuple[Listing, ...]:
        variants = nodes_of(node["variants"]) if node["variants"] is not None else []
        return tuple(
            Listing(product_of(variant["product"]), (_item(client, variant, node),))
            for variant in variants
        )

    def read(some: Sequence[str]) -> dict[str, tuple[Listing, ...]]:
        answer = client.execute(
            load("read_items"),
            {"ids": list(some), "levels": levels},
            cost=1 + connection_cost(10, 1) + connection_cost(levels, _LEVEL_COST - 1),
        )
        return _by_id("ReadItems", answer, some, listings)

    return _read("ReadItems", read, ids)


@dataclass(frozen=True, slots=True)
class ChangedLevel:
    """A level that the feed shows: what it reads there is a hint, not a reading."""

    item: str
    location: str
    available: int


def changed_levels(client: Client, locations: Sequence[str], since: str) -> Iterator[ChangedLevel]:
    """Levels at `locations` that changed since the moment `since` (UTC text), by the search index.

    Levels come in the order of their ids, across locations in none: what was read says nothing
    about the moment up to which it is complete before the last page of the last location
    (https://github.com/airbytehq/airbyte/issues/32817).
    """
    query = f"updated_at:>='{since}'"
    if len(locations) == 1:
        yield from _changed_at(client, locations[0], query, None)
        return
    places, levels_cost = PAGE, connection_cost(PAGE, 1 + 1)
    wanted = set(locations)
    variables: dict[str, Any] = {"query": query, "locations": places}
    while True:
        answer = client.execute(
            load("changed_levels_everywhere"), variables, cost=connection_cost(places, levels_cost)
        )
        with shaped("ChangedLevelsEverywhere"):
            page = answer["locations"]
            for node in nodes_of(page):
                if node["id"] not in wanted:
                    continue
                yield from _changed(node["id"], node["inventoryLevels"])
                if after := next_page(node["inventoryLevels"]):
                    yield from _changed_at(client, node["id"], query, after)
            after = next_page(page)
        if after is None:
            return
        variables = {**variables, "after": after}


def _changed_at(
    client: Client, location: str, query: str, after: str | None
) -> Iterator[ChangedLevel]:
    while True:
        answer = client.execute(
            load("changed_levels"),
            {"location": location, "query": query, "after": after},
            cost=1 + connection_cost(PAGE, 1 + 1),
        )
        with shaped("ChangedLevels"):
            page = answer["location"]["inventoryLevels"]
            yield from _changed(location, page)
            after = next_page(page)
        if after is None:
            return


def _changed(location: str, page: Any) -> Iterator[ChangedLevel]:
    for node in nodes_of(page):
        yield ChangedLevel(_text(node["item"]["id"]), location, available_of(node)[0])


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
                "query": _range(f"updated_at:>='{since}'", after),
                "products": first,
                "variants": variants,
            },
            cost=connection_cost(first, connection_cost(variants, 1)),
        )

    for nodes in _pages("ChangedProducts", "products", page, PAGE):
        for node in nodes:
            with shaped("ChangedProducts"):
                product = product_of(node)
                variant_nodes = (
                    list(_all_variants(client, product, node["variants"], items_at))
                    if items_at
                    else []
                )
                items = tuple(_text(variant["inventoryItem"]["id"]) for variant in variant_nodes)
            yield product, items


def quote(term: str) -> str:
    """`term` as one phrase of Shopify's search syntax (https://shopify.dev/docs/api/usage/search-syntax)."""
    return "'" + term.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(field_name: str, values: Iterable[str]) -> str:
    """Search terms for objects whose `field_name` is one of `values`; empty for no values."""
    terms = [f"{field_name}:{quote(value)}" for value in values]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})" if terms else ""


def number(gid: str) -> int:
    """The number in `gid://shopify/Product/123`."""
    return int(gid.rpartition("/")[2])


class shaped:  # noqa: N801 - reads as a statement
    """Turns what a misshapen answer raises into one clear sentence."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | IndexError | AttributeError):
            raise ShopError(
                f"{self._operation}: Shopify's answer has not the shape that its schema promises "
                f"({type(error).__name__}: {error}); nothing was concluded from it. Try again; if "
                "it stays, report it"
            ) from error


def _range(terms: str, after: int) -> str:
    return f"{terms} id:>{after}".strip()


def _pages(
    operation: str, connection: str, page: Callable[[int, int], dict[str, Any]], first: int
) -> Iterator[list[Any]]:
    """The nodes of every page; a page that is too much for Shopify is asked for again at half the size."""
    after = 0
    while True:
        answer = _halving(page, first, after)
        first = min(first, answer[0])
        with shaped(operation):
            nodes = nodes_of(answer[1][connection])
            more = _flag(answer[1][connection]["pageInfo"]["hasNextPage"])
            last = number(nodes[-1]["id"]) if nodes else after
            if more and last <= after:
                raise ValueError("a page that does not go on from the one before it")
        yield nodes
        if not more:
            return
        after = last


def _halving(ask: Callable[[int, int], T], first: int, after: int) -> tuple[int, T]:
    while True:
        try:
            return first, ask(first, after)
        except QueryTooLarge:
            if first == 1:
                raise
            first = (first + 1) // 2


def _read(
    operation: str,
    read: Callable[[Sequence[str]], dict[str, tuple[Listing, ...]]],
    ids: Sequence[str],
) -> dict[str, tuple[Listing, ...]]:
    found: dict[str, tuple[Listing, ...]] = {}
    size, start = PAGE, 0
    while start < len(ids):
        ask = partial(_slice, read, ids)
        size, some = _halving(ask, min(size, len(ids) - start), start)
        found |= some
        start += size
    return found


def _slice(
    read: Callable[[Sequence[str]], dict[str, tuple[Listing, ...]]],
    ids: Sequence[str],
    size: int,
    start: int,
) -> dict[str, tuple[Listing, ...]]:
    return read(ids[start : start + size])


def _by_id(
    operation: str,
    answer: dict[str, Any],
    ids: Sequence[str],
    listings: Callable[[Any], tuple[Listing, ...]],
) -> dict[str, tuple[Listing, ...]]:
    with shaped(operation):
        nodes = nodes_of(answer)
        wrong = (
            node is not None and node["id"] != gid for gid, node in zip(ids, nodes, strict=False)
        )
        if len(nodes) != len(ids) or any(wrong):
            raise ValueError("other objects than those asked for")
        return {
            gid: () if node is None else listings(node)
            for gid, node in zip(ids, nodes, strict=True)
        }


def _product_listing(client: Client, node: Any, location: str) -> Listing:
    product = product_of(node)
    nodes = _all_variants(client, product, node["variants"], location)
    return Listing(
        product, tuple(item_of(variant, variant["inventoryItem"], location) for variant in nodes)
    )


def _all_variants(client: Client, product: Product, page: Any, location: str) -> Iterator[Any]:
    """The variants of `page`, and those that did not fit on it."""
    while True:
        yield from nodes_of(page)
        after = next_page(page)
        if after is None:
            return
        answer = client.execute(
            load("more_variants"),
            {"id": product.id, "after": after, "location": location},
            cost=1 + connection_cost(PAGE, _VARIANT_COST - 1),
        )
        if answer["product"] is None:
            raise ShopError(
                f"{product.title} ({product.id}) was deleted while it was read; the next run reads "
                "afresh"
            )
        page = answer["product"]["variants"]


def _location(node: Any) -> Location:
    return Location(
        _text(node["id"]),
        _text(node["name"]),
        _flag(node["isActive"]),
        _flag(node.get("isFulfillmentService", False)),
    )


def product_of(node: Any) -> Product:
    """A product from its node."""
    return Product(
        _text(node["id"]),
        _text(node["title"]),
        _text(node["productType"]),
        tuple(_text(tag) for tag in node["tags"]),
        _text(node["status"]),
        _flag(node["isGiftCard"]),
    )


def item_of(variant: Any, item: Any, location: str) -> Item:
    """An item from the nodes of its variant and itself, with its level at `location`."""
    level = item["inventoryLevel"]
    if level is None:
        return listed(variant, item, {})
    available, touched = available_of(level)
    return listed(
        variant, item, {location: available}, {location: touched} if touched else _UNKNOWN
    )


def _item(client: Client, variant: Any, item: Any) -> Item:
    levels: dict[str, int] = {}
    touched: dict[str, str] = {}
    page = item["inventoryLevels"]
    while True:
        for node in nodes_of(page):
            location = _text(node["location"]["id"])
            levels[location], when = available_of(node)
            if when is not None:
                touched[location] = when
        after = next_page(page)
        if after is None:
            return listed(variant, item, levels, touched)
        answer = client.execute(
            load("more_levels"),
            {"id": _text(item["id"]), "after": after},
            cost=1 + connection_cost(PAGE, _LEVEL_COST - 1),
        )
        page = answer["inventoryItem"]["inventoryLevels"]


def listed(
    variant: Any, item: Any, levels: Mapping[str, int], touched: Mapping[str, str] = _UNKNOWN
) -> Item:
    """An item from the nodes of its variant and itself, with these levels."""
    return Item(
        _text(item["id"]),
        item["sku"] or "",
        _text(variant["title"]),
        _flag(item["tracked"]),
        _flag(variant["requiresComponents"]),
        levels,
        touched,
    )


def available_of(level: Any) -> tuple[int, str | None]:
    """What the node of a level reads, and when that last changed, where it was asked for and is known."""
    (quantity,) = level["quantities"]
    available = quantity["quantity"]
    if type(available) is not int:
        raise TypeError(f"a quantity of {available!r}")
    touched = quantity.get("updatedAt")
    if touched is not None and datetime.fromisoformat(touched).tzinfo is None:
        raise ValueError(f"the moment {touched!r} has no zone")
    return available, touched


def nodes_of(connection: Any) -> list[Any]:
    """The nodes of a connection; raises `TypeError` where there is no list of them."""
    nodes = connection["nodes"]
    if not isinstance(nodes, list):
        raise TypeError(f"{nodes!r} where a list belongs")
    return nodes


def next_page(connection: Any) -> str | None:
    """The cursor to go on from; None after the last page."""
    return (
        _text(connection["pageInfo"]["endCursor"])
        if _flag(connection["pageInfo"]["hasNextPage"])
        else None
    )


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} where true or false belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        return _mended(value)
    return value


def _mended(value: Any) -> str:
    """A text that can be written down: half a character, as JSON can hold it, becomes a question mark."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text belongs")
    return value.encode("utf-8", "replace").decode()
