"""Complete scans by bulk operation: the whole catalogue outside the point budget.

https://shopify.dev/docs/api/usage/bulk-operations/queries. The result is believed only once it has
been read to its end and counted: a file that is short would make whole pools vanish.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from invsync.admin.answer import mended
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.nodes import (
    Item,
    ItemId,
    ItemNode,
    LevelNode,
    Listing,
    LocationReference,
    Node,
    OperationId,
    Product,
    ProductId,
    Quantities,
    QuantityNode,
    item_at,
    of,
    quantities_of,
    said,
    shaped,
)
from invsync.admin.variants import (
    BareItem,
    ChosenNode,
    MetafieldNode,
    VariantNode,
    Want,
    level_at,
    listing,
)
from invsync.errors import CallRefused, NotExecuted, ShopError

#: Seconds between two looks at a running operation: doubled each time, up to the longest.
FIRST_LOOK = 0.5
LONGEST_LOOK = 15.0

#: Objects of a result between two words on how far it is read.
OBJECTS_BETWEEN = 1_000

_RUNNING = {"CREATED", "RUNNING", "CANCELING"}

#: Told what is being done and how far it is: what, done, of how many if that is known; may raise to
#: stop there.
Heed = Callable[[str, int, int | None], None]


R = TypeVar("R")


class BulkFailed(ShopError):
    """The operation could not be started, or did not deliver: read by pages instead."""


class _Row(Node):
    """An object of a result. `parent`: the object of a row before it, whose connection it is on."""

    id: str
    parent: str | None = msgspec.field(default=None, name="__parentId")


class _ProductRow(_Row):
    """A product, or one of its variants."""

    title: str = ""
    product_type: str | None = None
    tags: tuple[str, ...] | None = None
    status: str | None = None
    is_gift_card: bool | None = None
    requires_components: bool | None = None
    inventory_item: ItemNode | None = None


class _BareItem(Node):
    id: ItemId
    sku: str | None
    tracked: bool


class _VariantRow(_Row):
    """A variant, or one of its item's levels."""

    title: str | None = None
    requires_components: bool | None = None
    product: Product | None = None
    inventory_item: _BareItem | None = None
    location: LocationReference | None = None
    quantities: list[QuantityNode] | None = None


class _RowItem(BareItem):
    inventory_level: LevelNode | None = None


class _ListedRow(_Row):
    """A variant with what decides its pool, or one of its item's levels."""

    title: str | None = None
    requires_components: bool | None = None
    inventory_policy: str | None = None
    selected_options: tuple[ChosenNode, ...] = ()
    pool: MetafieldNode | None = None
    pack: MetafieldNode | None = None
    product: Product | None = None
    inventory_item: _RowItem | None = None
    location: LocationReference | None = None
    quantities: list[QuantityNode] | None = None

    def variant(self) -> VariantNode:
        """The variant; raises `ValueError` where it is none."""
        known = (self.title, self.requires_components, self.inventory_policy, self.product)
        title, bundle, policy, product = known
        if title is None or bundle is None or policy is None or product is None:
            raise ValueError("an object that is neither a variant nor a level")
        return VariantNode(
            id=self.id,
            title=title,
            requires_components=bundle,
            inventory_policy=policy,
            selected_options=self.selected_options,
            pool=self.pool,
            pack=self.pack,
            product=product,
        )


class _Operation(Node):
    """A bulk operation; its count is text, as all of Shopify's large numbers."""

    status: str
    object_count: str
    error_code: str | None
    url: str | None

    @property
    def count(self) -> int:
        return int(self.object_count)


class _UserError(Node):
    code: str | None = None
    message: str | None = None


class _OperationReference(Node):
    id: OperationId


class _Started(Node):
    bulk_operation: _OperationReference | None
    user_errors: list[_UserError]


def bulk_products(client: Client, terms: str, location: str, heed: Heed) -> Iterator[Listing]:
    """As `levels.find_products`, by a bulk operation.

    Raises `BulkFailed` before anything is handed out.
    """
    text = load("bulk_products").text.replace('"LOCATION"', json.dumps(location))
    products: dict[str, tuple[Product, list[Item]]] = {}
    titles: dict[str, str] = {}  # a shop has many variants, and few that are called otherwise
    with _whole():
        for row in _rows(client, text, terms, heed, _ProductRow):
            if row.parent is None:
                products[row.id] = (_product(row), [])
                continue
            bundle, item = row.requires_components, row.inventory_item
            if bundle is None or item is None:
                raise ValueError("an object that is neither a product nor a variant")
            title = titles.setdefault(row.title, row.title)
            products[row.parent][1].append(item_at(location, row.id, title, bundle, item))
    for gid in tuple(products):  # let go of as it is handed out: what is made of it takes its room
        product, items = products.pop(gid)
        yield Listing(product, tuple(items))


def bulk_items(client: Client, terms: str, heed: Heed) -> Iterator[Listing]:
    """As `levels.find_items`, by a bulk operation.

    Raises `BulkFailed` before anything is handed out.
    """
    products: dict[str, Product] = {}
    variants: list[Listing] = []
    # Whether the variant or its item counts as the parent of a level is not written anywhere.
    levels: dict[str, dict[str, Quantities]] = {}
    places: dict[str, str] = {}
    with _whole():
        for row in _rows(client, load("bulk_items").text, terms, heed, _VariantRow):
            if row.parent is not None:
                if row.location is None or row.quantities is None:
                    raise ValueError("an object that is neither a variant nor a level")
                at = row.location.id
                levels[row.parent][places.setdefault(at, at)] = quantities_of(
                    LevelNode(row.quantities)
                )
                continue
            title, bundle, of_product, item = (
                row.title,
                row.requires_components,
                row.product,
                row.inventory_item,
            )
            if title is None or bundle is None or of_product is None or item is None:
                raise ValueError("an object that is neither a variant nor a level")
            product = products.setdefault(of_product.id, of_product)
            here = levels[row.id] = levels.setdefault(item.id, {})
            shown = Item(item.id, item.sku or "", title, item.tracked, bundle, here, row.id)
            variants.append(Listing(product, (shown,)))
    yield from variants


def bulk_variants(client: Client, terms: str, want: Want, heed: Heed) -> Iterator[Listing]:
    """As `variants.find_variants`, by a bulk operation.

    Raises `BulkFailed` before anything is handed out.
    """
    name = "bulk_items" if want.places else "bulk_variants"
    text = load(name, want.also).text.replace('"LOCATION"', json.dumps(want.location))
    products: dict[str, Product] = {}
    found: list[Listing] = []
    levels: dict[str, dict[str, Quantities]] = {}
    with _whole():
        for row in _rows(client, text, terms, heed, _ListedRow):
            if row.parent is not None:
                if row.location is None or row.quantities is None:
                    raise ValueError("an object that is neither a variant nor a level")
                levels[row.parent][row.location.id] = quantities_of(LevelNode(row.quantities))
                continue
            variant = row.variant()
            variant.product = products.setdefault(variant.product.id, variant.product)
            item = row.inventory_item
            if item is None:
                raise ValueError("a variant without an item")
            here = dict(level_at(want.location, item.inventory_level))
            levels[row.id] = here = levels.setdefault(item.id, here)
            found.append(listing(variant, item, here))
    yield from found


def _product(row: _ProductRow) -> Product:
    kind, tags, status, gift = row.product_type, row.tags, row.status, row.is_gift_card
    if kind is None or tags is None or status is None or gift is None:
        raise ValueError("an object that is neither a product nor a variant")
    gid = msgspec.convert(row.id, ProductId)
    return Product(gid, row.title, kind, tags, status, gift)


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """While a result is gathered.

    What does not fit together is not believed, and nothing of it is garbage.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BulkFailed(
            "the objects of the bulk operation's file do not fit together "
            f"({type(error).__name__}: {said(error)})"
        ) from error
    finally:
        if collecting:
            gc.enable()


def _rows(client: Client, text: str, terms: str, heed: Heed, shape: type[R]) -> Iterator[R]:
    """The objects of a finished operation, parents before their children; counted at the end."""
    searched = f"(query: {json.dumps(terms, ensure_ascii=False)})" if terms else ""
    operation = _start(client, text.replace('(query: "TERMS")', searched))
    result = _wait(client, operation, heed)
    with shaped("BulkStatus"):
        expected = result.count
    if result.url is None:
        if expected:
            raise BulkFailed(f"the bulk operation counted {expected} objects, but gave no file")
        return
    count = 0
    decode = msgspec.json.Decoder(shape).decode
    try:
        for line in client.fetch_lines(result.url):
            if count % OBJECTS_BETWEEN == 0:
                heed("downloading", count, expected)
            count += 1
            if count > expected:
                raise BulkFailed(
                    f"the bulk operation's file holds more than the {expected} objects that were "
                    "counted"
                )
            try:
                row = decode(line)
            except ValueError:  # half a character in a text, for one: what this decoder refuses
                row = msgspec.convert(mended(json.loads(line)), shape)
            yield row
    except (ValueError, RecursionError) as error:
        raise BulkFailed(
            f"the bulk operation's file can't be read at line {count} ({said(error)})"
        ) from error
    except BulkFailed:
        raise
    except ShopError as error:
        raise BulkFailed(f"the bulk operation's file could not be read: {error}") from error
    if count != expected:
        raise BulkFailed(f"the bulk operation's file ends after {count} of {expected} objects")


def _start(client: Client, text: str) -> str:
    try:
        data = client.execute(load("start_bulk"), {"query": text}, cost=10)
    except CallRefused as refused:
        raise BulkFailed(str(refused)) from refused
    except NotExecuted:
        raise
    except ShopError as failure:
        raise BulkFailed(str(failure)) from failure
    started = of("StartBulk", data.get("bulkOperationRunQuery"), _Started)
    if started.user_errors or started.bulk_operation is None:
        raise BulkFailed(f"Shopify did not start a bulk operation: {_said(started.user_errors)}")
    return started.bulk_operation.id


def _said(errors: list[_UserError]) -> str:
    """What several errors say, of which the first can be empty."""
    said = [
        " ".join(filter(None, (error.message, f"({error.code})" if error.code else "")))
        for error in errors
    ]
    return "; ".join(dict.fromkeys(filter(None, said))) or "it gives no reason"


def _wait(client: Client, operation: str, heed: Heed) -> _Operation:
    pause = FIRST_LOOK
    while True:
        data = client.execute(load("bulk_status"), {"id": operation}, cost=1)
        with shaped("BulkStatus"):
            node: Any = data["bulkOperation"]
        if node is None:
            raise BulkFailed(f"the bulk operation {operation} is gone")
        result = of("BulkStatus", node, _Operation)
        with shaped("BulkStatus"):
            counted = result.count
        if result.status == "COMPLETED":
            return result
        if result.status not in _RUNNING:
            why = f", {result.error_code}" if result.error_code else ""
            raise BulkFailed(f"the bulk operation ended as {result.status}{why}")
        heed("reading in bulk", counted, None)
        client.wait(pause, "a bulk operation is still running")
        pause = min(LONGEST_LOOK, pause * 2)
