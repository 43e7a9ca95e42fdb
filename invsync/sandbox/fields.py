"""What each field of the published schema answers.

Type → field → function of (object, arguments, context).

Both executors read this table: `executor.py` for requests, `walker.py` for bulk operations. Objects
that are built for one answer (payloads, groups, counts) are plain dicts with GraphQL's own field
names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invsync.sandbox import bulk
from invsync.sandbox.account import BulkJob
from invsync.sandbox.byid import at_root, by_gid, readable
from invsync.sandbox.connections import Ordered, Page, check_size, cursor, page
from invsync.sandbox.context import Context
from invsync.sandbox.failures import failure, never_seen
from invsync.sandbox.gids import gid, timestamp
from invsync.sandbox.indexes import has_only_default_variant
from invsync.sandbox.lists import CONNECTIONS, product_total, total_of, visible
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import SET_ASIDE, Item, Level, Location, Product, Variant

Args = Mapping[str, Any]
Field = Callable[[Any, Args, Context], Any]

#: Every name that `quantities(names:)` knows.
QUANTITY_NAMES = ("available", "committed", "incoming", "on_hand", *SET_ASIDE)


def connection(whole: Callable[[Any, Args, Context], Ordered]) -> Field:
    """The field that cuts pages from a list."""

    def answer(thing: Any, args: Args, ctx: Context) -> Page:
        check_size(args.get("first"), args.get("last"))
        return page(whole(thing, args, ctx), args)

    return answer


# -- single objects --------------------------------------------------------------------------------


def _level_at(item: Item, args: Args, ctx: Context) -> Level | None:
    location = by_gid(ctx, args["locationId"], "Location")
    level = item.levels.get(location.id) if location else None
    return level if level is not None and visible(level, args) else None


def _level_of(location: Location, args: Args, ctx: Context) -> Level | None:
    item = by_gid(ctx, args["inventoryItemId"], "InventoryItem")
    level = item.levels.get(location.id) if item else None
    return level if level is not None and visible(level, args) else None


def _quantities(level: Level, args: Args, ctx: Context) -> list[dict[str, Any]]:
    shown = []
    gid = f"gid://shopify/InventoryQuantity/{level.id}?inventory_item_id={level.item.id}"
    if not args["names"]:
        raise never_seen("an empty list of names")
    for name in args["names"]:
        if name not in QUANTITY_NAMES:
            raise failure(f"The quantity name {name} is not valid.", "INVALID_FIELD_ARGUMENTS")
        shown.append(
            {
                "id": f"{gid}&name={name}",
                "name": name,
                "quantity": level.quantity(name),
                "updatedAt": timestamp(level.updated_at) if name == "available" else None,
            }
        )
    return shown


def _metafield(owner: Product | Variant, args: Args, ctx: Context) -> dict[str, Any] | None:
    """A metafield by its name; null where there is none (recorded)."""
    namespace, key = args.get("namespace"), args["key"]
    if namespace is None:
        raise never_seen("a metafield without a namespace")
    found = (owner.metafields or {}).get(f"{namespace}.{key}")
    return found and {
        "id": gid("Metafield", found.id),
        "namespace": namespace,
        "key": key,
        "type": "single_line_text_field",
        "value": found.value,
        "updatedAt": timestamp(found.updated_at),
    }


def _duplicate_sku_count(item: Item, args: Args, ctx: Context) -> int:
    raise never_seen("duplicateSkuCount: nobody knows whether an item counts itself")


def _location(_: Any, args: Args, ctx: Context) -> Location | None:
    if args.get("id") is None:
        return (
            ctx.shop.primary
            if any(place.primary for place in ctx.shop.locations.values())
            else None
        )
    found = at_root(ctx, args["id"], "Location")
    return found if isinstance(found, Location) else None


def _app_installation(_: Any, args: Args, ctx: Context) -> dict[str, Any]:
    return {
        "id": gid("AppInstallation", 1),
        "app": {
            "id": gid("App", 1),
            "apiKey": "sandbox",
            "handle": "sandbox",
            "title": "Sandbox app",
        },
        "accessScopes": [
            {"handle": scope, "description": scope.replace("_", " ").capitalize()}
            for scope in sorted(ctx.scopes)
        ],
    }


def _current_bulk_operation(_: Any, args: Args, ctx: Context) -> BulkJob | None:
    if args.get("type") == "MUTATION":
        return None
    return next((job for job in reversed(ctx.shop.account.jobs.values()) if not job.foreign), None)


def _perhaps(show: Callable[[Any], str], value: Any) -> str | None:
    return None if value is None else show(value)


def _plan(shop: Shop, args: Args, ctx: Context) -> dict[str, Any]:
    return {
        "displayName": "Sandbox",
        "publicDisplayName": "Sandbox",
        "partnerDevelopment": True,
        "shopifyPlus": False,
    }


def _count(number: int) -> dict[str, Any]:
    return {"count": number, "precision": "EXACT"}


# -- the table -------------------------------------------------------------------------------------


def _get(name: str) -> Field:
    def read(thing: Any, args: Args, ctx: Context) -> Any:
        return getattr(thing, name)

    return read


def _time(name: str) -> Field:
    def read(thing: Any, args: Args, ctx: Context) -> str:
        return timestamp(getattr(thing, name))

    return read


def _find(kind: str) -> Field:
    return lambda _, args, ctx: at_root(ctx, args["id"], kind)


def _nodes(_: Any, args: Args, ctx: Context) -> list[Any]:
    if not args["ids"]:
        raise never_seen("an empty list of ids")
    return [readable(ctx, by_gid(ctx, one), "nodes") for one in args["ids"]]


_STAMPS: dict[str, Field] = {
    "id": _get("gid"),
    "createdAt": _time("created_at"),
    "updatedAt": _time("updated_at"),
    "legacyResourceId": lambda thing, args, ctx: str(thing.id),
}

FIELDS: dict[str, dict[str, Field]] = {
    "QueryRoot": {
        "shop": lambda _, args, ctx: ctx.shop,
        "location": _location,
        "product": _find("Product"),
        "productVariant": _find("ProductVariant"),
        "inventoryItem": _find("InventoryItem"),
        "inventoryLevel": _find("InventoryLevel"),
        "node": lambda _, args, ctx: readable(ctx, by_gid(ctx, args["id"]), "node"),
        "nodes": _nodes,
        "currentAppInstallation": _app_installation,
        "bulkOperation": _find("BulkOperation"),
        "currentBulkOperation": _current_bulk_operation,
    },
    "Shop": {
        "id": lambda shop, args, ctx: gid("Shop", 1),
        "name": lambda shop, args, ctx: "Sandbox",
        "myshopifyDomain": _get("domain"),
        "ianaTimezone": lambda shop, args, ctx: shop.settings.time_zone,
        "currencyCode": lambda shop, args, ctx: "USD",
        "plan": _plan,
    },
    "Location": _STAMPS
    | {
        "name": _get("name"),
        "isActive": _get("active"),
        "isPrimary": _get("primary"),
        "isFulfillmentService": _get("fulfillment_service"),
        "fulfillsOnlineOrders": _get("active"),
        "shipsInventory": _get("active"),
        "hasActiveInventory": lambda location, args, ctx: any(
            level.live and level.location is location for level in ctx.shop.levels.values()
        ),
        "inventoryLevel": _level_of,
    },
    "Product": _STAMPS
    | {
        "title": _get("title"),
        "handle": _get("handle"),
        "productType": _get("product_type"),
        "tags": lambda product, args, ctx: sorted(product.tags, key=str.casefold),
        "status": _get("status"),
        "isGiftCard": _get("gift_card"),
        "vendor": _get("vendor"),
        "hasOnlyDefaultVariant": lambda product, args, ctx: has_only_default_variant(product),
        "metafield": _metafield,
        "totalInventory": lambda product, args, ctx: product_total(product),
        "tracksInventory": lambda product, args, ctx: any(
            variant.item.tracked for variant in product.variants
        ),
        "variantsCount": lambda product, args, ctx: _count(len(product.variants)),
    },
    "ProductVariant": _STAMPS
    | {
        "title": _get("title"),
        "displayName": lambda variant, args, ctx: f"{variant.product.title} - {variant.title}",
        "sku": _get("sku"),
        "barcode": lambda variant, args, ctx: None,
        "position": _get("position"),
        "product": _get("product"),
        "inventoryItem": _get("item"),
        "inventoryPolicy": _get("policy"),
        "inventoryQuantity": lambda variant, args, ctx: total_of(variant.item),
        "requiresComponents": _get("requires_components"),
        "metafield": _metafield,
        "selectedOptions": lambda variant, args, ctx: [
            {"name": name, "value": value} for name, value in variant.options
        ],
    },
    "InventoryItem": _STAMPS
    | {
        "sku": _get("sku"),
        "tracked": _get("tracked"),
        "duplicateSkuCount": _duplicate_sku_count,
        "inventoryHistoryUrl": lambda item, args, ctx: None,
        "inventoryLevel": _level_at,
        "locationsCount": lambda item, args, ctx: _count(
            sum(level.live for level in item.levels.values())
        ),
        "variant": lambda item, args, ctx: item.variants[0],
    },
    "InventoryLevel": {
        "id": _get("gid"),
        "createdAt": _time("created_at"),
        "updatedAt": _time("updated_at"),
        "canDeactivate": lambda level, args, ctx: level.available == 0,
        "isActive": _get("live"),
        "item": _get("item"),
        "location": _get("location"),
        "quantities": _quantities,
    },
    "BulkOperation": {
        "id": lambda job, args, ctx: gid("BulkOperation", job.id),
        "query": _get("query"),
        "type": lambda job, args, ctx: "QUERY",
        "createdAt": _time("created_at"),
        "completedAt": lambda job, args, ctx: _perhaps(timestamp, bulk.completed_at(ctx.shop, job)),
        "status": lambda job, args, ctx: bulk.status(ctx.shop, job),
        "errorCode": lambda job, args, ctx: bulk.error_code(ctx.shop, job),
        "objectCount": lambda job, args, ctx: str(bulk.found(job).get("objects", 0)),
        "rootObjectCount": lambda job, args, ctx: str(bulk.found(job).get("roots", 0)),
        "fileSize": lambda job, args, ctx: _perhaps(str, bulk.found(job).get("bytes")),
        "url": lambda job, args, ctx: bulk.url(ctx, job, partial=False),
        "partialDataUrl": lambda job, args, ctx: bulk.url(ctx, job, partial=True),
    },
    "PageInfo": {
        "hasNextPage": _get("has_next"),
        "hasPreviousPage": _get("has_previous"),
        "startCursor": lambda one, args, ctx: cursor(one.keys[0]) if one.keys else None,
        "endCursor": lambda one, args, ctx: cursor(one.keys[-1]) if one.keys else None,
    },
}

#: Every connection type answers alike.
CONNECTION_FIELDS: dict[str, Field] = {
    "nodes": _get("nodes"),
    "edges": lambda one, args, ctx: [
        {"node": node, "cursor": cursor(key)} for node, key in zip(one.nodes, one.keys, strict=True)
    ],
    "pageInfo": lambda one, args, ctx: one,
}

for (_type, _name), _whole in CONNECTIONS.items():
    FIELDS[_type][_name] = connection(_whole)


def reading(parent: str, name: str) -> Field:
    """What answers a field that is read: its own function, or the key of its name in a dict."""
    found = FIELDS.get(parent, {}).get(name)
    if found is None and parent.endswith("Connection"):
        found = CONNECTION_FIELDS.get(name)
    return found or (lambda thing, args, ctx: thing.get(name) if isinstance(thing, dict) else None)
