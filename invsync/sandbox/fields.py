"""What each field of the published schema answers.

Type → field → function of (object, arguments, context).

Both executors read this table: graphql-core for requests, `walker.py` for bulk operations. Objects
that are built for one answer (payloads, groups, counts) are plain dicts with GraphQL's own field
names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from invsync.sandbox import bulk
from invsync.sandbox.access import READ_SCOPES
from invsync.sandbox.connections import Ordered, Page, check_size, cursor, page
from invsync.sandbox.context import Context
from invsync.sandbox.failures import access_denied, failure, internal_error, never_seen
from invsync.sandbox.gids import gid, is_global_id, parse_gid, timestamp
from invsync.sandbox.indexes import has_only_default_variant, search
from invsync.sandbox.search import BadTimestamp, NeverSeen, SearchBroke
from invsync.sandbox.shop import SET_ASIDE, BulkJob, Item, Level, Location, Product, Shop, Variant

Args = Mapping[str, Any]
Field = Callable[[Any, Args, Context], Any]

#: Every name that `quantities(names:)` knows.
QUANTITY_NAMES = ("available", "committed", "incoming", "on_hand", *SET_ASIDE)

#: Which GraphQL type a Python object is.
TYPE_NAMES: dict[type[Any], str] = {
    Shop: "Shop",
    Location: "Location",
    Product: "Product",
    Variant: "ProductVariant",
    Item: "InventoryItem",
    Level: "InventoryLevel",
    BulkJob: "BulkOperation",
}


def type_name(thing: Any) -> str:
    """The GraphQL type of an object behind the `Node` interface."""
    return str(thing["__typename"]) if isinstance(thing, dict) else TYPE_NAMES[type(thing)]


# -- finding objects by id -------------------------------------------------------------------------


def by_gid(ctx: Context, text: str, kind: str | None = None) -> Any:
    """The object with that global id, or None.

    Raises GraphQLError for text that is no global id.
    """
    if not is_global_id(text):
        raise failure(
            f"Invalid global id '{text}'", "argumentLiteralsIncompatible", typeName="CoercionError"
        )
    parsed = parse_gid(text)
    if parsed is None or (kind is not None and parsed[0] != kind):
        return None
    found, number = parsed
    shop = ctx.shop
    match found:
        case "Product":
            return shop.products.get(number)
        case "ProductVariant":
            return shop.variants.get(number)
        case "InventoryItem":
            return shop.items.get(number)
        case "InventoryLevel":
            level = shop.levels.get(number)
            return level if level is not None and level.gid == text else None
        case "Location":
            return shop.locations.get(number)
        case "Shop":
            return shop if number == 1 else None
        case "BulkOperation":
            job = shop.jobs.get(number)
            return None if job is None or job.foreign else job
    return None


def _readable(ctx: Context, thing: Any, field: str) -> Any:
    """The object, which may be of any kind, if the token may read it. Raises GraphQLError."""
    scope = READ_SCOPES.get(type_name(thing)) if thing is not None else None
    if scope is not None and not ctx.may(scope):
        raise access_denied(field, scope)
    return thing


# -- connections -----------------------------------------------------------------------------------


def _wanted(ctx: Context, resource: str, query: str | None, things: Iterable[Any]) -> Iterable[Any]:
    """The things that match a search, noting what Shopify would warn of."""
    if query is None:
        return things
    found = searched(ctx, resource, query)
    return filter(found.matches, things)


def searched(ctx: Context, resource: str, query: str) -> Any:
    """A search made ready; its warnings are noted for `extensions.search`. Raises GraphQLError."""
    if not query.strip():
        raise never_seen("an empty search")
    try:
        found = search(ctx.shop, resource, query)
    except BadTimestamp as refused:
        raise failure(str(refused), "BAD_REQUEST") from None
    except NeverSeen as refused:
        raise never_seen(str(refused)) from None
    except SearchBroke:
        broken = internal_error("sandbox")["errors"][0]
        raise failure(broken["message"], **broken["extensions"]) from None
    if found.warnings or ctx.search_debug:
        note: dict[str, Any] = {"path": ctx.path(), "query": query, "parsed": found.parsed}
        if found.warnings:
            note["warnings"] = found.warnings
        if note not in ctx.searches:
            ctx.searches.append(note)
    return found


def _remembered(ctx: Context, key: tuple[Any, ...], make: Callable[[], Ordered]) -> Ordered:
    """A list in order, made once for as long as the shop stays as it is."""
    shop = ctx.shop
    if shop.shadows:
        return make()
    found = shop.remembered.get(key)
    if found is not None and found[0] == shop.catalogue_revision:
        return found[1]  # type: ignore[no-any-return]
    if len(shop.remembered) > 32:
        shop.remembered.clear()
    made = make()
    shop.remembered[key] = (shop.catalogue_revision, made)
    return made


def _searched_list(
    ctx: Context,
    args: Args,
    resource: str,
    things: Iterable[Any],
    sorts: Mapping[str, Callable[[Any], Any] | None],
    *scope: Any,
) -> Ordered:
    """What a search over things finds, in order; `scope` tells one set of things from another."""
    query, sort = args.get("query"), args.get("sortKey")
    if query is not None:
        searched(ctx, resource, query)
    if sort not in (None, "ID", *sorts):
        raise never_seen(f"the order {sort} of {resource}")
    value = sorts.get(sort) if sort else None
    return _remembered(
        ctx,
        (resource, query, sort, *scope),
        lambda: Ordered(_wanted(ctx, resource, query, things), value),
    )


def _total(item: Item) -> int:
    return sum(level.available for level in item.levels.values() if level.live)


def _product_total(product: Product) -> int:
    return sum(
        _total(item)
        for item in {variant.item.id: variant.item for variant in product.variants}.values()
    )


PRODUCT_SORTS: dict[str, Callable[[Any], Any] | None] = {
    "CREATED_AT": lambda product: product.created_at,
    "PUBLISHED_AT": lambda product: product.created_at,
    "UPDATED_AT": lambda product: product.updated_at,
    "TITLE": lambda product: product.title.casefold(),
    "PRODUCT_TYPE": lambda product: product.product_type.casefold(),
    "VENDOR": lambda product: product.vendor.casefold(),
    "INVENTORY_TOTAL": _product_total,
}

VARIANT_SORTS: dict[str, Callable[[Any], Any] | None] = {
    "POSITION": lambda variant: variant.position,
    "SKU": lambda variant: variant.sku,
    "TITLE": lambda variant: variant.title.casefold(),
    "NAME": lambda variant: variant.title.casefold(),
    "FULL_TITLE": lambda variant: f"{variant.product.title} {variant.title}".casefold(),
    "INVENTORY_QUANTITY": lambda variant: _total(variant.item),
    "INVENTORY_LEVELS_AVAILABLE": lambda variant: _total(variant.item),
}


def _products(_: Any, args: Args, ctx: Context) -> Ordered:
    return _searched_list(ctx, args, "products", ctx.shop.products.values(), PRODUCT_SORTS)


def _product_variants(_: Any, args: Args, ctx: Context) -> Ordered:
    return _searched_list(ctx, args, "productVariants", ctx.shop.variants.values(), VARIANT_SORTS)


def _inventory_items(_: Any, args: Args, ctx: Context) -> Ordered:
    return _searched_list(ctx, args, "inventoryItems", ctx.shop.items.values(), {})


def _locations(_: Any, args: Args, ctx: Context) -> Ordered:
    inactive, legacy = bool(args.get("includeInactive")), bool(args.get("includeLegacy"))
    shown = (
        place
        for place in ctx.shop.locations.values()
        if (place.active or inactive) and (legacy or not place.fulfillment_service)
    )
    by_name = {"NAME": lambda place: place.name.casefold()}
    return _searched_list(ctx, args, "locations", shown, by_name, inactive, legacy)


def _variants_of_product(product: Product, args: Args, ctx: Context) -> Ordered:
    return Ordered(product.variants, VARIANT_SORTS.get(args.get("sortKey") or "POSITION"))


def _variants_of_item(item: Item, args: Args, ctx: Context) -> Ordered:
    return Ordered(item.variants)


def visible(level: Level, args: Args) -> bool:
    """Whether reads show the level: inactive ones only when asked for."""
    return level.live or bool(args.get("includeInactive") and level.location.active)


def _levels_of_item(item: Item, args: Args, ctx: Context) -> Ordered:
    shown = [level for level in item.levels.values() if visible(level, args)]
    return Ordered(_wanted(ctx, "inventoryLevels", args.get("query"), shown))


def _levels_of_location(location: Location, args: Args, ctx: Context) -> Ordered:
    here = (
        level
        for level in ctx.shop.levels.values()
        if level.location is location and visible(level, args)
    )
    inactive = bool(args.get("includeInactive"))
    return _searched_list(ctx, args, "inventoryLevels", here, {}, location.id, inactive)


def _bulk_operations(_: Any, args: Args, ctx: Context) -> Ordered:
    own = [job for job in ctx.shop.jobs.values() if not job.foreign]
    # Recorded: the newest first, and those that were never completed last.
    sorts: dict[str, Callable[[Any], Any]] = {
        "CREATED_AT": lambda job: -job.created_at,
        "COMPLETED_AT": lambda job: -(bulk.completed_at(ctx.shop, job) or 0.0),
    }
    return Ordered(
        _wanted(ctx, "bulkOperations", args.get("query"), own), sorts.get(args.get("sortKey") or "")
    )


#: Every connection: type and field → the whole list that pages are cut from.
CONNECTIONS: dict[tuple[str, str], Callable[[Any, Args, Context], Ordered]] = {
    ("QueryRoot", "products"): _products,
    ("QueryRoot", "productVariants"): _product_variants,
    ("QueryRoot", "inventoryItems"): _inventory_items,
    ("QueryRoot", "locations"): _locations,
    ("QueryRoot", "bulkOperations"): _bulk_operations,
    ("Product", "variants"): _variants_of_product,
    ("InventoryItem", "variants"): _variants_of_item,
    ("InventoryItem", "inventoryLevels"): _levels_of_item,
    ("Location", "inventoryLevels"): _levels_of_location,
}


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


def _location(_: Any, args: Args, ctx: Context) -> Location | None:
    if args.get("id") is None:
        return (
            ctx.shop.primary
            if any(place.primary for place in ctx.shop.locations.values())
            else None
        )
    found = _at_root(ctx, args["id"], "Location")
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
    return next((job for job in reversed(ctx.shop.jobs.values()) if not job.foreign), None)


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
    return lambda _, args, ctx: _at_root(ctx, args["id"], kind)


def _nodes(_: Any, args: Args, ctx: Context) -> list[Any]:
    if not args["ids"]:
        raise never_seen("an empty list of ids")
    return [_readable(ctx, by_gid(ctx, one), "nodes") for one in args["ids"]]


def _at_root(ctx: Context, text: str, kind: str) -> Any:
    """What a root field is asked for by id; null where it is gone.

    Raises GraphQLError for a gid of another type, as recorded.
    """
    parsed = parse_gid(text)
    if is_global_id(text) and (parsed is None or parsed[0] != kind):
        raise failure(f"Invalid id: {text}", "RESOURCE_NOT_FOUND")
    return by_gid(ctx, text, kind)


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
        "node": lambda _, args, ctx: _readable(ctx, by_gid(ctx, args["id"]), "node"),
        "nodes": _nodes,
        "currentAppInstallation": _app_installation,
        "bulkOperation": _find("BulkOperation"),
        "currentBulkOperation": _current_bulk_operation,
    },
    "Shop": {
        "id": lambda shop, args, ctx: gid("Shop", 1),
        "name": _get("name"),
        "myshopifyDomain": _get("domain"),
        "ianaTimezone": _get("time_zone"),
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
        "metafield": lambda product, args, ctx: None,
        "totalInventory": lambda product, args, ctx: _product_total(product),
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
        "inventoryPolicy": lambda variant, args, ctx: "DENY",
        "inventoryQuantity": lambda variant, args, ctx: _total(variant.item),
        "requiresComponents": _get("requires_components"),
        "metafield": lambda variant, args, ctx: None,
        "selectedOptions": lambda variant, args, ctx: [
            {"name": name, "value": value} for name, value in variant.options
        ],
    },
    "InventoryItem": _STAMPS
    | {
        "sku": _get("sku"),
        "tracked": _get("tracked"),
        "duplicateSkuCount": lambda item, args, ctx: 0,
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
