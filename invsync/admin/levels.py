"""Reading levels: products with their variants at one location, or items at all their locations.

Everything here either returns what was asked for, whole, or raises: `ShopError` for an answer that
is not of the shape the schema promises, and whatever `Client.execute` raises. What is asked for by
id and answers null is gone, perhaps while it was read: it is left out. Quantities are in units.

The shapes of the pages follow Shopify's cost curve: a connection of n costs 2 + max(1, floor(2 ln
n)) x (1 + one node), so that the largest page is the cheapest per row, and one query may ask for
1,000 points at most (https://shopify.dev/docs/api/usage/limits).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from invsync.admin.budget import connection_cost
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.nodes import (
    Item,
    LevelPage,
    Listing,
    Node,
    P,
    Product,
    Quantities,
    SpreadItemNode,
    VariantId,
    VariantPage,
    item_at,
    of,
    pages,
    quantities_of,
    shaped,
)
from invsync.admin.paging import PAGE, ById, Gone, by_id, pages_by_id, read_all
from invsync.admin.search import beyond

#: Variants that come with each product of a page; a product with more is completed by id.
VARIANTS_BESIDE = 30
#: Levels that one page of items may hold, which bounds the size of an answer.
LEVELS_A_PAGE = 5000

#: Points of a variant's own fields (item, level, quantities), and of a level's (location,
#: quantities).
VARIANT_COST = 1 + 1 + 1
LEVEL_COST = 1 + 1


class _Variant(Node):
    """A variant without its item."""

    id: VariantId
    title: str
    requires_components: bool
    product: Product


class _ItemVariant(_Variant):
    inventory_item: SpreadItemNode


class _Variants(Node):
    nodes: list[_Variant]


class _WholeItem(SpreadItemNode):
    variants: _Variants | None


def find_products(client: Client, terms: str, location: str) -> Iterator[Listing]:
    """Every product that the index finds for `terms`, with its variants' levels at `location`."""
    document = load("find_products")
    variants = VARIANTS_BESIDE

    def cost(first: int) -> int:
        return connection_cost(first, connection_cost(variants, VARIANT_COST))

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {
                "query": beyond(terms, after),
                "products": first,
                "variants": variants,
                "location": location,
            },
            cost=cost(first),
        )

    for nodes in pages_by_id("FindProducts", "products", page, PAGE):
        for node in nodes:
            if (listing := _product("FindProducts", client, node, location)) is not None:
                yield listing


def find_items(client: Client, terms: str, locations: int) -> Iterator[Listing]:
    """Every variant that the index finds for `terms`, with its item's levels at all locations.

    `locations`: how many the shop has, which decides how many levels a page asks for.
    """
    document = load("find_items")
    levels = min(PAGE, max(1, locations))
    most = max(1, min(PAGE, LEVELS_A_PAGE // levels))

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {"query": beyond(terms, after), "variants": first, "levels": levels},
            cost=connection_cost(first, 1 + 1 + connection_cost(levels, LEVEL_COST)),
        )

    for nodes in pages_by_id("FindItems", "productVariants", page, most):
        for node in nodes:
            variant = of("FindItems", node, _ItemVariant)
            item = variant.inventory_item
            try:
                read = levels_of("FindItems", client, item)
            except Gone:
                continue
            yield _listing(variant, item, read)


def read_products(
    client: Client, ids: Sequence[str], location: str, *, variants: int = VARIANTS_BESIDE
) -> ById:
    """Products whole and by id: id → its listing, or nothing for one that is gone.

    `variants`: how many to ask for beside each product; one with more is completed by further
    calls.
    """
    first = min(PAGE, max(1, variants))

    def read(some: Sequence[str]) -> ById:
        answer = client.execute(
            load("read_products"),
            {"ids": list(some), "variants": first, "location": location},
            cost=1 + connection_cost(first, VARIANT_COST),
        )
        return {
            gid: () if (one := _product("ReadProducts", client, node, location)) is None else (one,)
            for gid, node in by_id("ReadProducts", answer, some)
        }

    return read_all(read, ids, first)


def read_items(client: Client, ids: Sequence[str], locations: int) -> ById:
    """Inventory items whole and by id: id → a listing for each variant that shows it.

    None for one that is gone.
    """
    levels = min(PAGE, max(1, locations))

    def listings(node: Any) -> tuple[Listing, ...]:
        if node is None:
            return ()
        item = of("ReadItems", node, _WholeItem)
        try:
            read = levels_of("ReadItems", client, item)
        except Gone:
            return ()
        variants = item.variants.nodes if item.variants is not None else ()
        return tuple(_listing(variant, item, read) for variant in variants)

    def read(some: Sequence[str]) -> ById:
        answer = client.execute(
            load("read_items"),
            {"ids": list(some), "levels": levels},
            cost=1 + connection_cost(10, 1) + connection_cost(levels, LEVEL_COST),
        )
        return {gid: listings(node) for gid, node in by_id("ReadItems", answer, some)}

    return read_all(read, ids, levels)


# One product, one item


def _product(operation: str, client: Client, node: Any, location: str) -> Listing | None:
    """A product with its variants, those that did not fit on its page included.

    None if it is gone.
    """
    if node is None:
        return None
    product = of(operation, node, Product)
    first = of(operation, node.get("variants"), VariantPage)
    items: list[Item] = []
    try:
        for page in all_variants(client, product.id, first, location, VariantPage):
            with shaped(operation):
                items += [
                    item_at(
                        location, each.id, each.title, each.requires_components, each.inventory_item
                    )
                    for each in page.nodes
                ]
    except Gone:
        return None
    return Listing(product, tuple(items))


def all_variants(
    client: Client,
    product: str,
    first: P,
    location: str,
    shape: type[P],
    also: tuple[str, ...] = (),
) -> Iterator[P]:
    """The pages of a product's variants from the `first` on; `also`: as `load` takes it.

    The first of these costs nothing (see `Want.points`).
    Raises `Gone` where it vanishes on the way.
    """

    def more(after: str) -> P:
        answer = client.execute(
            load("more_variants", also),
            {"id": product, "after": after, "location": location},
            cost=1 + connection_cost(PAGE, VARIANT_COST + len(also[1:])),
        )
        return of("MoreVariants", _still("MoreVariants", answer, "product", "variants"), shape)

    return pages("MoreVariants", first, more)


def levels_of(operation: str, client: Client, item: SpreadItemNode) -> Mapping[str, Quantities]:
    """What an item reads at each location; raises `Gone` where it vanishes on the way."""

    def more(after: str) -> LevelPage:
        answer = client.execute(
            load("more_levels"),
            {"id": item.id, "after": after},
            cost=1 + connection_cost(PAGE, LEVEL_COST),
        )
        node = _still("MoreLevels", answer, "inventoryItem", "inventoryLevels")
        return of("MoreLevels", node, LevelPage)

    found: dict[str, Quantities] = {}
    for page in pages("MoreLevels", item.inventory_levels, more):
        with shaped(operation):
            found |= {level.location.id: quantities_of(level) for level in page.nodes}
    return found


def _listing(variant: _Variant, item: SpreadItemNode, read: Mapping[str, Quantities]) -> Listing:
    shown = Item(
        item.id,
        item.sku or "",
        variant.title,
        item.tracked,
        variant.requires_components,
        read,
        variant.id,
    )
    return Listing(variant.product, (shown,))


def _still(operation: str, answer: dict[str, Any], name: str, connection: str) -> Any:
    """A connection of the object that was asked for by id; raises `Gone` where that is null."""
    with shaped(operation):
        node = answer[name]
        if node is None:
            raise Gone
        return node[connection]
