"""Reading variants, each with what decides its pool and its size besides its levels.

As `levels` does it, in all that it promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from invsync.admin.budget import connection_cost
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.levels import LEVEL_COST, LEVELS_A_PAGE, all_variants, levels_of
from invsync.admin.nodes import (
    ItemId,
    ItemNode,
    LevelNode,
    Listed,
    Listing,
    Node,
    PageInfo,
    Product,
    Quantities,
    SpreadItemNode,
    VariantId,
    of,
    quantities_of,
    shaped,
)
from invsync.admin.paging import PAGE, ById, Gone, by_id, pages_by_id, read_all
from invsync.admin.search import beyond, since_moment

#: Variants of one item that a reading by id asks for.
_SHARING = 10


class Want(Struct, frozen=True):
    """What is read of a variant. `location`: the one whose level is, or one of several.

    `places`: how many the shop has, where the levels at all of them are read; 0: only at
    `location`. `options`: whether its options are; `pool` and `pack`: metafields
    (`namespace.key`), "" for none.
    """

    location: str
    places: int = 0
    options: bool = False
    pool: str = ""
    pack: str = ""

    @property
    def also(self) -> tuple[str, ...]:
        """What the documents are to ask besides, as `load` takes it."""
        return (
            "inventoryPolicy",
            *(("selectedOptions { name value }",) if self.options else ()),
            *(
                f"{alias}: {_metafield(name)}"
                for alias, name in (("pool", self.pool), ("pack", self.pack))
                if name
            ),
        )

    @property
    def points(self) -> int:
        """What that costs besides, of each variant."""
        return len(self.also) - 1  # the policy is free

    @property
    def levels(self) -> int:
        """Levels of an item that a page asks for."""
        return min(PAGE, max(1, self.places))


def _metafield(name: str) -> str:
    namespace, _, key = name.rpartition(".")
    asked = f"namespace: {json.dumps(namespace)}, key: {json.dumps(key)}"
    return f"metafield({asked}) {{ value }}"


class ChosenNode(Node):
    """The value that a variant has of one of its product's options."""

    name: str
    value: str


class MetafieldNode(Node):
    """A metafield of a variant."""

    value: str


class _Variant(Node):
    """A variant without its item and its product."""

    id: VariantId
    title: str
    requires_components: bool
    inventory_policy: str
    selected_options: tuple[ChosenNode, ...] = ()
    pool: MetafieldNode | None = None
    pack: MetafieldNode | None = None


class VariantNode(_Variant, kw_only=True):
    """A variant of which the item is known."""

    product: Product


class BareItem(Node):
    """An item without its levels."""

    id: ItemId
    sku: str | None
    tracked: bool


class _OfOne(VariantNode, kw_only=True):
    inventory_item: ItemNode


class _OfAll(VariantNode, kw_only=True):
    inventory_item: SpreadItemNode


class _Variants(Node):
    nodes: list[VariantNode]


class _ItemAt(ItemNode):
    variants: _Variants | None


class _ItemEverywhere(SpreadItemNode):
    variants: _Variants | None


class _Changed(_Variant, kw_only=True):
    inventory_item: BareItem


class _ChangedPage(Node):
    nodes: list[_Changed]
    page_info: PageInfo


def find_variants(client: Client, terms: str, want: Want) -> Iterator[Listing]:
    """Every variant that the index finds for `terms`, with its levels."""
    everywhere = want.places > 0
    name, operation = (
        ("find_items", "FindItems") if everywhere else ("find_variants", "FindVariants")
    )
    where = {"levels": want.levels} if everywhere else {"location": want.location}
    below = connection_cost(want.levels, LEVEL_COST) if everywhere else LEVEL_COST
    document = load(name, want.also)

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {"query": beyond(terms, after), "variants": first, **where},
            cost=connection_cost(first, 1 + 1 + want.points + below),
        )

    most = max(1, min(PAGE, LEVELS_A_PAGE // want.levels))
    for nodes in pages_by_id(operation, "productVariants", page, most):
        for node in nodes:
            shape: type[_OfAll | _OfOne] = _OfAll if everywhere else _OfOne
            variant = of(operation, node, shape)
            item = variant.inventory_item
            try:
                read = _levels(operation, client, item, want)
            except Gone:
                continue
            with shaped(operation):
                yield listing(variant, item, read)


def read_variants(client: Client, ids: Sequence[str], want: Want) -> ById:
    """Inventory items whole and by id: id → a listing for each variant that shows it.

    None for one that is gone.
    """
    everywhere = want.places > 0
    name, operation = (
        ("read_items", "ReadItems") if everywhere else ("read_variants", "ReadVariants")
    )
    where = {"levels": want.levels} if everywhere else {"location": want.location}
    below = connection_cost(want.levels, LEVEL_COST) if everywhere else LEVEL_COST
    shape: type[_ItemEverywhere | _ItemAt] = _ItemEverywhere if everywhere else _ItemAt

    def listings(node: Any) -> tuple[Listing, ...]:
        if node is None:
            return ()
        item = of(operation, node, shape)
        try:
            read = _levels(operation, client, item, want)
        except Gone:
            return ()
        variants = item.variants.nodes if item.variants is not None else ()
        with shaped(operation):
            return tuple(listing(variant, item, read) for variant in variants)

    def read(some: Sequence[str]) -> ById:
        answer = client.execute(
            load(name, want.also),
            {"ids": list(some), **where},
            cost=1 + connection_cost(_SHARING, 1 + want.points) + below,
        )
        return {gid: listings(node) for gid, node in by_id(operation, answer, some)}

    return read_all(read, ids, want.levels)


def changed_variants(client: Client, since: str, want: Want) -> Iterator[Listing]:
    """Products that changed since a moment (UTC text), by the search index, without any levels."""
    document = load("changed_variants", want.also)

    def page(first: int, after: int) -> dict[str, Any]:
        return client.execute(
            document,
            {"query": beyond(since_moment(since), after), "products": first, "variants": PAGE},
            cost=connection_cost(first, connection_cost(PAGE, 1 + want.points)),
        )

    for nodes in pages_by_id("ChangedVariants", "products", page, PAGE):
        for node in nodes:
            product = of("ChangedVariants", node, Product)
            first = of("ChangedVariants", node.get("variants"), _ChangedPage)
            yield Listing(product, tuple(_changed(client, product.id, first, want)))


def _changed(client: Client, product: str, first: _ChangedPage, want: Want) -> Iterator[Listed]:
    """A product's variants; of one that vanishes on the way those that were read until then."""
    pages = all_variants(client, product, first, want.location, _ChangedPage, want.also)
    try:
        for page in pages:
            with shaped("ChangedVariants"):
                shown = [_listed(one, one.inventory_item, {}) for one in page.nodes]
            yield from shown
    except Gone:
        return


def _levels(
    operation: str, client: Client, item: ItemNode | SpreadItemNode, want: Want
) -> Mapping[str, Quantities]:
    """What an item reads; raises `Gone` where it vanishes on the way."""
    if isinstance(item, SpreadItemNode):
        return levels_of(operation, client, item)
    with shaped(operation):
        return level_at(want.location, item.inventory_level)


def level_at(location: str, level: LevelNode | None) -> Mapping[str, Quantities]:
    """What a level at a location reads; none where it is not stocked there."""
    return {} if level is None else {location: quantities_of(level)}


def listing(
    variant: VariantNode,
    item: ItemNode | SpreadItemNode | BareItem,
    read: Mapping[str, Quantities],
) -> Listing:
    """A variant as a listing; raises `ValueError` for what the schema does not know."""
    return Listing(variant.product, (_listed(variant, item, read),))


def _listed(
    variant: _Variant,
    item: ItemNode | SpreadItemNode | BareItem,
    read: Mapping[str, Quantities],
) -> Listed:
    return Listed(
        item.id,
        item.sku or "",
        variant.title,
        item.tracked,
        variant.requires_components,
        read,
        variant.id,
        variant.inventory_policy == "CONTINUE",
        {one.name: one.value for one in variant.selected_options},
        variant.pool.value if variant.pool else None,
        variant.pack.value if variant.pack else None,
    )
