"""What Shopify's nodes look like, and what they are made into.

Products, items, and what their levels read.

A node is checked whole as it is taken: one that is not of the shape that the schema promises
raises `ShopError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from invsync.errors import ShopError

#: Pages of one connection: Shopify pages no deeper than 25,000 objects
#: (https://shopify.dev/docs/api/usage/limits), 250 at once.
DEEPEST_PAGES = 100

# An id tells what it is of, and a number of at most 64 bits
# (https://shopify.dev/docs/api/usage/gids); one of another kind would be looked up, and written to,
# in its place.
_NUMBER = r"[1-9][0-9]{0,18}\Z"
ShopId = Annotated[str, Meta(pattern="^gid://shopify/Shop/" + _NUMBER)]
LocationId = Annotated[str, Meta(pattern="^gid://shopify/Location/" + _NUMBER)]
ProductId = Annotated[str, Meta(pattern="^gid://shopify/Product/" + _NUMBER)]
VariantId = Annotated[str, Meta(pattern="^gid://shopify/ProductVariant/" + _NUMBER)]
ItemId = Annotated[str, Meta(pattern="^gid://shopify/InventoryItem/" + _NUMBER)]
OperationId = Annotated[str, Meta(pattern="^gid://shopify/BulkOperation/" + _NUMBER)]

#: A quantity. Shopify's Int has 32 bits (https://spec.graphql.org/October2021/#sec-Int); what is
#: beyond them is read as it is, up to what a state file may hold.
_Units = Annotated[int, Meta(ge=-(10**12), le=10**12)]

_NO_LEVELS: Mapping[str, Quantities] = MappingProxyType({})

N = TypeVar("N")
P = TypeVar("P", bound="Page")


# What the program gets to see


class Quantities(Struct, frozen=True, gc=False):
    """What one level reads, in units.

    `on_hand` and `committed`, the witnesses, are None where they are not known. `touched`: when
    `available` last changed (Shopify's text, UTC), where that was read and is known.
    """

    available: int
    on_hand: int | None = None
    committed: int | None = None
    touched: str | None = None


class Product(
    Struct,
    frozen=True,
    rename={"product_type": "productType", "gift_card": "isGiftCard"},
):
    """What decides whether a product matches, and what people call it."""

    id: ProductId
    title: str
    product_type: str
    tags: tuple[str, ...]
    status: str
    gift_card: bool


class Item(Struct, frozen=True, gc=False):
    """An inventory item as one of its variants shows it.

    `levels`: location id → what it reads, for the locations that were read and stock it. `variant`:
    the id of that variant.
    """

    id: str
    sku: str
    title: str
    tracked: bool
    bundle: bool
    levels: Mapping[str, Quantities]
    variant: str


class Listed(Item, frozen=True, gc=False):
    """An item with what may decide its pool and its size.

    `sells_on`: whether it sells when out of stock. `options`: name → value. `pool` and `pack`: the
    values of the metafields that were asked for, None where it has none.
    """

    sells_on: bool
    options: Mapping[str, str]
    pool: str | None = None
    pack: str | None = None


class Listing(Struct, frozen=True, gc=False):
    """A product with those of its items that were read.

    All of them (products), or just one (variants, items).
    """

    product: Product
    items: tuple[Item, ...]


# What Shopify sends


class Node(Struct, rename="camel", gc=False):
    """What Shopify sends; its names as Python writes them."""


class PageInfo(Node):
    """Whether a connection goes on, and from where.

    A cursor is there only where it was asked for.
    """

    has_next_page: bool
    end_cursor: str | None = None


class Page(Protocol):
    """One page of a connection."""

    @property
    def page_info(self) -> PageInfo:
        """Whether it goes on."""


class ItemReference(Node):
    """An item of which only the id was asked for."""

    id: ItemId


class LocationReference(Node):
    """A location of which only the id was asked for."""

    id: LocationId


class QuantityNode(Node):
    """One of a level's quantities."""

    name: str
    quantity: _Units | None
    updated_at: str | None = None


class LevelNode(Node):
    """A level whose item and location are known."""

    quantities: list[QuantityNode]


class LevelAtNode(LevelNode):
    """A level that tells its location."""

    location: LocationReference


class LevelPage(Node):
    """Levels of one item."""

    nodes: list[LevelAtNode]
    page_info: PageInfo


class ItemNode(Node):
    """An item with its level at one location, null where it is not stocked there."""

    id: ItemId
    sku: str | None
    tracked: bool
    inventory_level: LevelNode | None


class SpreadItemNode(Node):
    """An item with its levels at all locations."""

    id: ItemId
    sku: str | None
    tracked: bool
    inventory_levels: LevelPage


class VariantNode(Node):
    """A variant with its item at one location."""

    id: VariantId
    title: str
    requires_components: bool
    inventory_item: ItemNode


class VariantPage(Node):
    """Variants of one product."""

    nodes: list[VariantNode]
    page_info: PageInfo


def of(operation: str, node: Any, shape: type[N]) -> N:
    """`node` as `shape`; raises `ShopError` where it is none."""
    with shaped(operation):
        return msgspec.convert(node, shape)


def quantities_of(level: LevelNode) -> Quantities:
    """What a level reads; raises `ValueError` where it does not tell what is available."""
    available = on_hand = committed = touched = None
    for one in level.quantities:
        if one.name == "available":
            available, touched = one.quantity, one.updated_at
        elif one.name == "on_hand":
            on_hand = one.quantity
        elif one.name == "committed":
            committed = one.quantity
    if available is None:
        raise ValueError("a level that does not tell what is available")
    if touched is not None and datetime.fromisoformat(touched).tzinfo is None:
        raise ValueError(f"the moment {touched!r} has no zone")
    return Quantities(available, on_hand, committed, touched)


def item_at(location: str, variant: str, title: str, bundle: bool, node: ItemNode) -> Item:
    """An item of which only the level at `location` was asked for."""
    level = node.inventory_level
    levels = _NO_LEVELS if level is None else {location: quantities_of(level)}
    return Item(node.id, node.sku or "", title, node.tracked, bundle, levels, variant)


def pages(operation: str, first: P, more: Callable[[str], P]) -> Iterator[P]:
    """The pages of a connection from its `first` on; `more` reads the one after a cursor.

    Raises `ShopError` for a cursor that does not go on.
    """
    seen: set[str] = set()
    page = first
    while True:
        yield page
        if not page.page_info.has_next_page:
            return
        with shaped(operation):
            cursor = page.page_info.end_cursor
            if cursor is None or cursor in seen or len(seen) == DEEPEST_PAGES:
                raise ValueError("a page that does not go on from the one before it")
        seen.add(cursor)
        page = more(cursor)


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
                f"({type(error).__name__}: {said(error)}); nothing was concluded from it. Try "
                "again; if it stays, report it"
            ) from error


def said(error: Exception) -> str:
    """What a misshapen answer raised, in words."""
    return re.sub(
        r"Expected `str` matching regex '\^gid://shopify/(\w+)/.*?'( - |$)",
        r"Expected the id of one \1\2",
        str(error),
    )
