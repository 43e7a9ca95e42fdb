"""What a person's word for a product or a variant stands for in the shop: a SKU, or an id.

Everything here returns what was found, or raises what `Client.execute` raises, and `ShopError` for
an answer that is not of the shape the schema promises. A search index proposes only: what it finds
is compared again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from invsync.admin.budget import connection_cost
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.nodes import ItemId, Node, PageInfo, ProductId, of, shaped
from invsync.admin.search import quote

#: Variants that are read of one product, and of one SKU: the largest page.
PAGE = 250

_KINDS = ("Product", "ProductVariant", "InventoryItem")
_GID = re.compile(rf"gid://shopify/({'|'.join(_KINDS)})/[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Shown:
    """An inventory item, and a product that shows it; both ids."""

    product: str
    item: str


class _Product(Node):
    id: ProductId


class _Item(Node):
    id: ItemId
    sku: str | None = None


class _Variant(Node):
    product: _Product
    inventory_item: _Item


class _Found(Node):
    nodes: list[_Variant]


class _ItemOfVariant(Node):
    inventory_item: _Item


class _ItemsOfProduct(Node):
    nodes: list[_ItemOfVariant]
    page_info: PageInfo


class _WholeProduct(Node):
    id: ProductId
    variants: _ItemsOfProduct


class _ProductOfVariant(Node):
    product: _Product


class _ProductsOfItem(Node):
    nodes: list[_ProductOfVariant]


class _WholeItem(Node):
    id: ItemId
    shown_by: _ProductsOfItem


def by_sku(client: Client, sku: str, same: Callable[[str, str], bool]) -> list[Shown]:
    """The variants whose SKU is this one, by `same`; as many as one page holds."""
    answer = client.execute(
        load("called"),
        {"query": f"sku:{quote(sku)}", "variants": PAGE},
        cost=connection_cost(PAGE, 2),
    )
    with shaped("Called"):
        found = of("Called", answer["productVariants"], _Found)
    return [
        Shown(variant.product.id, variant.inventory_item.id)
        for variant in found.nodes
        if same(variant.inventory_item.sku or "", sku)
    ]


def by_id(client: Client, given: str) -> list[Shown]:
    """What an id, or the number of one, stands for; nothing where it is none, or of nothing."""
    if given.isascii() and given.isdigit() and not given.startswith("0"):
        return [
            shown for kind in _KINDS for shown in _named(client, f"gid://shopify/{kind}/{given}")
        ]
    return list(_named(client, given)) if _GID.fullmatch(given) else []


def _named(client: Client, gid: str) -> Iterator[Shown]:
    answer = client.execute(
        load("named"),
        {"ids": [gid], "variants": PAGE},
        cost=1 + connection_cost(PAGE, 1),
    )
    with shaped("Named"):
        (node,) = answer["nodes"]
        if node is not None and node["id"] != gid:
            raise ValueError("another object than the one asked for")
    if node is None:
        return
    if gid.startswith("gid://shopify/Product/"):
        product = of("Named", node, _WholeProduct)
        for one in product.variants.nodes:
            yield Shown(product.id, one.inventory_item.id)
    elif gid.startswith("gid://shopify/InventoryItem/"):
        item = of("Named", node, _WholeItem)
        for shows in item.shown_by.nodes:
            yield Shown(shows.product.id, item.id)
    else:
        variant = of("Named", node, _Variant)
        yield Shown(variant.product.id, variant.inventory_item.id)
