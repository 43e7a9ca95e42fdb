"""Everything that invsync ever asks Shopify for, and what is known of Shopify taking it. Pure.

One row for each search term and each form of an argument: a test collects what the program really
sends, and fails on what has no row here, and on a row that nothing sends. What was seen on one
store, or read in somebody's program, is evidence; that it works on the sandbox is none.

A place is the way from the root to an argument, without `nodes` and `edges`: in
`nodes[Product].variants(first:)`, `[Product]` is the fragment. `bulk …` is inside the document that
a bulk operation is started with. In a form `N` stands for a positive number, `TEXT` for any text in
single quotes, `TIME` for a moment in UTC to the second.

Sources: `recorded` rows name exchanges of the public recordings of live answers in
https://github.com/airhorns/shopify-draft-proxy, by their numbers in the selection that
tests/sandbox/test_recorded.py replays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Evidence(Enum):
    """How it is known that Shopify takes a form."""

    RECORDED = "a live answer to this form was recorded"
    DOCUMENTED = "Shopify's documentation or its published schema says so"
    USED = "another public program sends this form"
    NONE = "nobody's evidence: an assumption"


@dataclass(frozen=True, slots=True)
class Sent:
    """A form in which something is asked at a place.

    `source`: an address, or what is known. `refused`: what happens where Shopify refuses the form,
    warns of it or finds it too dear. `exchanges`: those that show it, of a recorded one.
    """

    place: str
    form: str
    evidence: Evidence
    source: str
    refused: str
    exchanges: tuple[int, ...] = ()


_DOCS = "https://shopify.dev/docs/api"
_SCHEMA = f"{_DOCS}/admin-graphql"
_SEARCH = f"{_DOCS}/usage/search-syntax"
_PAGING = f"{_DOCS}/usage/pagination-graphql"
_LIMITS = f"{_DOCS}/usage/limits"
_VARIANTS = f"{_SCHEMA}/latest/queries/productVariants"
_KEYS = f"{_DOCS}/usage/implementing-idempotency"
_BULK = f"{_DOCS}/usage/bulk-operations/queries"
_ADJUST = f"{_SCHEMA}/latest/mutations/inventoryAdjustQuantities"
_COMPARE = (
    "https://shopify.dev/changelog/"
    "compare-and-swap-for-inventory-mutations-with-change-from-quantity"
)
_GRANT = "https://shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant"
_TAP = "https://github.com/singer-io/tap-shopify"
_AIRBYTE = "https://github.com/airbytehq/airbyte/pull/32883"
_SKUVAULT = "https://github.com/skuvault-integrations/shopifyAccess"
_MECHANIC = "https://github.com/lightward/mechanic-tasks"

#: What happens where Shopify refuses a form, unless its row says otherwise.
_ENDED = "the run ends with Shopify's words; nothing more is sent"
_HALVED = f"too dear or too slow: asked for again at half the size, down to one; else {_ENDED}"
_PAGES = "the bulk operation is given up, and the catalogue read by pages"
_ONE_BY_ONE = "the locations are asked one after the other"
_ISOLATED = "the call is refused whole: its batch is halved until what is refused stands alone"

_SIZE = "1 to 250"
_NAMES = "available and on_hand and committed"
_WORD_BY_WORD = f"other names and orders recorded, each name among them; {_SCHEMA}"


def _recorded(
    place: str, form: str, *exchanges: int, source: str = _SCHEMA, refused: str = _ENDED
) -> Sent:
    return Sent(place, form, Evidence.RECORDED, source, refused, exchanges)


def _documented(place: str, form: str, source: str, refused: str = _ENDED) -> Sent:
    return Sent(place, form, Evidence.DOCUMENTED, source, refused)


def _used(place: str, form: str, source: str, refused: str = _ENDED) -> Sent:
    return Sent(place, form, Evidence.USED, source, refused)


def _assumed(place: str, form: str, known: str, refused: str) -> Sent:
    return Sent(place, form, Evidence.NONE, known, refused)


def _metafield(place: str, refused: str = _ENDED) -> tuple[Sent, ...]:
    """One metafield of a variant, whichever the configuration names."""
    known = f"{_SCHEMA}/latest/objects/ProductVariant; recorded of locations and products"
    return tuple(
        _documented(f"{place}.metafield({name}:)", "a name", known, refused)
        for name in ("namespace", "key")
    )


#: The shop, its locations, what the app may do (no arguments).
_SHOP = (
    _recorded("locations(first:)", _SIZE, 43, 145, 146),
    _documented("locations(after:)", "a cursor", _PAGING),
    _documented("locations(sortKey:)", "ID", f"{_SCHEMA}/latest/enums/LocationSortKeys"),
    _documented(
        "POST /admin/oauth/access_token", "client_id and client_secret and grant_type", _GRANT
    ),
)

#: A complete scan by pages.
_PAGED = (
    _recorded("products(first:)", _SIZE, 43, 147, 188, refused=_HALVED),
    _documented("products(sortKey:)", "ID", _PAGING),
    _documented(
        "products(query:)",
        "product_type:'TEXT'",
        f"{_SEARCH}; recorded with double quotes, single quotes on other fields",
    ),
    _documented(
        "products(query:)",
        "tag:'TEXT'",
        f"{_SEARCH}; recorded without quotes and with double ones",
    ),
    _documented(
        "products(query:)", "(… OR …)", f"{_SEARCH}; recorded on `locations`, without parentheses"
    ),
    _documented(
        "products(query:)", "id:>N", f"{_PAGING}; recorded on `inventoryItems` with >= and <="
    ),
    _documented("products(query:)", "product_type:'TEXT' id:>N", _SEARCH),
    _documented("products(query:)", "(… OR …) id:>N", _SEARCH),
    _recorded("products.variants(first:)", _SIZE, 174, 188, refused=_HALVED),
    _recorded(
        "products.variants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        *(51, 67, 68),
    ),
    _documented(
        "products.variants.inventoryItem.inventoryLevel.quantities(names:)", _NAMES, _WORD_BY_WORD
    ),
    _recorded("productVariants(first:)", _SIZE, 183, 211, refused=_HALVED),
    _recorded("productVariants(sortKey:)", "ID", 211),
    _used(
        "productVariants(query:)",
        "product_type:'TEXT'",
        f"{_MECHANIC} (hosted tasks filter so); no query on this field was recorded",
    ),
    _used(
        "productVariants(query:)",
        "null",
        "https://github.com/airbytehq/airbyte/pull/33827; recorded 106 times without the argument",
    ),
    _used(
        "productVariants(query:)",
        "tag:'TEXT'",
        f"{_MECHANIC} (hosted tasks filter so); no query on this field was recorded",
    ),
    _documented("productVariants(query:)", "(… OR …)", _SEARCH),
    _documented("productVariants(query:)", "id:>N", f"{_PAGING}; {_SCHEMA} lists the field"),
    _documented("productVariants(query:)", "product_type:'TEXT' id:>N", _SEARCH),
    _documented("productVariants(query:)", "(… OR …) id:>N", _SEARCH),
    _documented("productVariants(query:)", "tag:'TEXT' id:>N", _SEARCH),
    _documented("productVariants(query:)", "sku:'TEXT' id:>N", _SEARCH),
    _documented("productVariants(query:)", "product_id:N", f"{_VARIANTS} lists the field"),
    _documented("productVariants(query:)", "product_id:N id:>N", _SEARCH),
    _documented("productVariants(query:)", "id:N", f"{_VARIANTS} lists the field"),
    *_metafield("productVariants"),
    _documented(
        "productVariants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        f"{_SCHEMA}; recorded below `products`",
    ),
    _documented(
        "productVariants.inventoryItem.inventoryLevel.quantities(names:)", _NAMES, _WORD_BY_WORD
    ),
    _recorded(
        "productVariants.inventoryItem.inventoryLevels(first:)", _SIZE, 50, 175, refused=_HALVED
    ),
    _documented(
        "productVariants.inventoryItem.inventoryLevels.quantities(names:)", _NAMES, _WORD_BY_WORD
    ),
)

#: Reading by id.
_BY_ID = (
    _documented(
        "nodes(ids:)",
        "1 to 250 of gid://shopify/Product/…",
        f"{_LIMITS}; recorded with up to 8 ids, at a cost that does not grow with them",
        refused=_HALVED,
    ),
    _documented(
        "nodes(ids:)",
        "1 to 250 of gid://shopify/InventoryItem/…",
        f"{_LIMITS}; recorded with up to 8 ids, at a cost that does not grow with them",
        refused=_HALVED,
    ),
    _recorded("nodes[Product].variants(first:)", _SIZE, 149, refused=_HALVED),
    _recorded(
        "nodes[Product].variants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        *(51, 67, 68),
    ),
    _documented(
        "nodes[Product].variants.inventoryItem.inventoryLevel.quantities(names:)",
        _NAMES,
        _WORD_BY_WORD,
    ),
    _documented(
        "nodes[InventoryItem].variants(first:)",
        _SIZE,
        "https://shopify.dev/changelog/inventory-item-variant-field-deprecation",
    ),
    _recorded(
        "nodes[InventoryItem].inventoryLevels(first:)", _SIZE, 151, 154, 155, refused=_HALVED
    ),
    _documented("nodes[InventoryItem].inventoryLevels.quantities(names:)", _NAMES, _WORD_BY_WORD),
    _recorded(
        "nodes[InventoryItem].inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        *(51, 67, 68),
    ),
    _documented("nodes[InventoryItem].inventoryLevel.quantities(names:)", _NAMES, _WORD_BY_WORD),
    *_metafield("nodes[InventoryItem].variants"),
    *_metafield("product.variants"),
    _recorded("product(id:)", "gid://shopify/Product/…", 40, 42, 70),
    _recorded("product.variants(first:)", _SIZE, 50, 175),
    _documented("product.variants(after:)", "a cursor", _PAGING),
    _recorded(
        "product.variants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        *(51, 67, 68),
    ),
    _documented(
        "product.variants.inventoryItem.inventoryLevel.quantities(names:)", _NAMES, _WORD_BY_WORD
    ),
    _recorded("inventoryItem(id:)", "gid://shopify/InventoryItem/…", 50, 51, 64),
    _recorded("inventoryItem.inventoryLevels(first:)", _SIZE, 50, 64, 67),
    _recorded("inventoryItem.inventoryLevels(after:)", "a cursor", 64),
    _documented("inventoryItem.inventoryLevels.quantities(names:)", _NAMES, _WORD_BY_WORD),
)

#: What a person calls a pool.
_CALLED = (
    _documented(
        "productVariants(query:)",
        "sku:'TEXT'",
        f"{_SEARCH}; {_SCHEMA} lists the field; recorded without quotes",
    ),
    _documented(
        "nodes(ids:)",
        "1 to 250 of gid://shopify/ProductVariant/…",
        f"{_LIMITS}; recorded with up to 8 ids, at a cost that does not grow with them",
    ),
)

#: The feed of changes.
_FEED = (
    _recorded("location(id:)", "gid://shopify/Location/…", 100, 101, 102),
    _recorded("location.inventoryLevels(first:)", _SIZE, 100, 101, 102),
    _recorded("location.inventoryLevels(after:)", "a cursor", 103),
    _documented(
        "location.inventoryLevels(after:)", "null", f"{_PAGING}; recorded on other connections"
    ),
    _used(
        "location.inventoryLevels(query:)",
        "updated_at:>='TIME'",
        f"{_TAP}, {_AIRBYTE}; not recorded, and no recording shows the field itself",
    ),
    _documented("location.inventoryLevels.quantities(names:)", _NAMES, _WORD_BY_WORD),
    _assumed(
        "locations.inventoryLevels(first:)",
        _SIZE,
        "nobody was seen to nest pages of 250 levels in a page of 250 locations",
        _ONE_BY_ONE,
    ),
    _assumed(
        "locations.inventoryLevels(query:)",
        "updated_at:>='TIME'",
        "other programs nest it, with one location a page",
        _ONE_BY_ONE,
    ),
    _documented("locations.inventoryLevels.quantities(names:)", _NAMES, _WORD_BY_WORD),
    _used(
        "products(query:)",
        "updated_at:>='TIME'",
        f"{_AIRBYTE}; recorded without quotes only, which Shopify splits at the colons",
    ),
    _assumed(
        "products(query:)",
        "updated_at:>='TIME' id:>N",
        f"{_PAGING} warns that a filter and an order of different fields can be slow",
        _HALVED,
    ),
    *_metafield("products.variants"),
)

#: Bulk operations.
_IN_BULK = (
    _documented("bulk productVariants(query:)", "tag:'TEXT'", _BULK, refused=_PAGES),
    _documented("bulk productVariants(query:)", "sku:'TEXT'", _BULK, refused=_PAGES),
    _documented("bulk productVariants(query:)", "product_id:N", _BULK, refused=_PAGES),
    _documented("bulk productVariants(query:)", "id:N", _BULK, refused=_PAGES),
    *_metafield("bulk productVariants", refused=_PAGES),
    _documented(
        "bulk productVariants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        _SCHEMA,
        refused=_PAGES,
    ),
    _documented(
        "bulk productVariants.inventoryItem.inventoryLevel.quantities(names:)",
        _NAMES,
        _SCHEMA,
        refused=_PAGES,
    ),
    _recorded("bulkOperationRunQuery(query:)", "a document", 21, 22, 23, refused=_PAGES),
    _recorded(
        "bulkOperation(id:)",
        "gid://shopify/BulkOperation/…",
        *(1, 2, 3),
        refused=f"gone: {_PAGES}; else {_ENDED}",
    ),
    _documented("bulk products(query:)", "product_type:'TEXT'", _BULK, refused=_PAGES),
    _documented(
        "bulk products(query:)", "tag:'TEXT'", f"{_BULK}; recorded without quotes", refused=_PAGES
    ),
    _documented("bulk products(query:)", "(… OR …)", f"{_BULK}; {_SEARCH}", refused=_PAGES),
    _documented(
        "bulk products.variants.inventoryItem.inventoryLevel(locationId:)",
        "gid://shopify/Location/…",
        _SCHEMA,
        refused=_PAGES,
    ),
    _documented(
        "bulk products.variants.inventoryItem.inventoryLevel.quantities(names:)",
        _NAMES,
        _SCHEMA,
        refused=_PAGES,
    ),
    _documented("bulk productVariants(query:)", "product_type:'TEXT'", _BULK, refused=_PAGES),
    _documented("bulk productVariants(query:)", "(… OR …)", f"{_BULK}; {_SEARCH}", refused=_PAGES),
    _used(
        "bulk productVariants.inventoryItem.inventoryLevels.quantities(names:)",
        _NAMES,
        _SKUVAULT,
        refused=_PAGES,
    ),
)

#: The adjustment. Recorded with one to three rows, of tracked items at active levels.
_ADJUSTMENT = (
    _recorded("inventoryAdjustQuantities(input: name)", "available", 58, 59, source=_ADJUST),
    _recorded("inventoryAdjustQuantities(input: reason)", "correction", 58, 59, source=_ADJUST),
    _documented(
        "inventoryAdjustQuantities(input: referenceDocumentUri)",
        "gid://invsync/Run/…",
        f"{_ADJUST}: gid://app/Entity/id preferred; recorded with other schemes",
    ),
    _documented(
        "inventoryAdjustQuantities(input: changes)",
        "1 to 250 rows",
        f"{_LIMITS}; recorded with one to three rows",
        refused=_ISOLATED,
    ),
    _recorded(
        "inventoryAdjustQuantities(input: changes. inventoryItemId)",
        "gid://shopify/InventoryItem/…",
        *(58, 59),
        source=_ADJUST,
        refused=_ISOLATED,
    ),
    _recorded(
        "inventoryAdjustQuantities(input: changes. locationId)",
        "gid://shopify/Location/…",
        *(58, 59),
        source=_ADJUST,
        refused=_ISOLATED,
    ),
    _recorded(
        "inventoryAdjustQuantities(input: changes. delta)",
        "a number above 0",
        *(58, 59),
        source=_ADJUST,
        refused=_ISOLATED,
    ),
    _documented(
        "inventoryAdjustQuantities(input: changes. delta)",
        "a number below 0",
        _ADJUST,
        refused=_ISOLATED,
    ),
    _documented(
        "inventoryAdjustQuantities(input: changes. changeFromQuantity)",
        "null",
        _COMPARE,
        refused=_ISOLATED,
    ),
    _recorded(
        "inventoryAdjustQuantities(input: changes. changeFromQuantity)",
        "a number above 0",
        *(59, 253),
        source=_COMPARE,
        refused=_ISOLATED,
    ),
    _recorded(
        "inventoryAdjustQuantities(input: changes. changeFromQuantity)",
        "0",
        *(65, 79, 252),
        source=f"{_COMPARE}; recorded as taken in a set",
        refused=_ISOLATED,
    ),
    _documented(
        "inventoryAdjustQuantities(input: changes. changeFromQuantity)",
        "a number below 0",
        f"{_COMPARE}; recorded quantities go below 0, no comparison does",
        refused=_ISOLATED,
    ),
    _documented("inventoryAdjustQuantities @idempotent(key:)", "a UUID", _KEYS),
)

#: All of it.
SENT: tuple[Sent, ...] = (*_SHOP, *_PAGED, *_BY_ID, *_CALLED, *_FEED, *_IN_BULK, *_ADJUSTMENT)
