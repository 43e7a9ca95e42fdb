"""What each connection of the published schema lists: searched, in order, whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from invsync.sandbox import bulk
from invsync.sandbox.connections import Ordered
from invsync.sandbox.context import Context
from invsync.sandbox.failures import failure, internal_error, never_seen
from invsync.sandbox.indexes import search
from invsync.sandbox.matchers import BadTimestamp, NeverSeen
from invsync.sandbox.search import SearchBroke
from invsync.sandbox.things import Item, Level, Location, Product

Args = Mapping[str, Any]


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
    if shop.trail.shadows:
        return make()
    found = shop.trail.remembered.get(key)
    if found is not None and found[0] == shop.trail.catalogue_revision:
        return found[1]  # type: ignore[no-any-return]
    if len(shop.trail.remembered) > 32:
        shop.trail.remembered.clear()
    made = make()
    shop.trail.remembered[key] = (shop.trail.catalogue_revision, made)
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


def total_of(item: Item) -> int:
    """Units that can be sold of the item."""
    return sum(level.available for level in item.levels.values() if level.live)


def product_total(product: Product) -> int:
    """Units that can be sold of the product; an item that variants share counts once."""
    return sum(
        total_of(item)
        for item in {variant.item.id: variant.item for variant in product.variants}.values()
    )


PRODUCT_SORTS: dict[str, Callable[[Any], Any] | None] = {
    "CREATED_AT": lambda product: product.created_at,
    "PUBLISHED_AT": lambda product: product.created_at,
    "UPDATED_AT": lambda product: product.updated_at,
    "TITLE": lambda product: product.title.casefold(),
    "PRODUCT_TYPE": lambda product: product.product_type.casefold(),
    "VENDOR": lambda product: product.vendor.casefold(),
    "INVENTORY_TOTAL": product_total,
}

VARIANT_SORTS: dict[str, Callable[[Any], Any] | None] = {
    "POSITION": lambda variant: variant.position,
    "SKU": lambda variant: variant.sku,
    "TITLE": lambda variant: variant.title.casefold(),
    "NAME": lambda variant: variant.title.casefold(),
    "FULL_TITLE": lambda variant: f"{variant.product.title} {variant.title}".casefold(),
    "INVENTORY_QUANTITY": lambda variant: total_of(variant.item),
    "INVENTORY_LEVELS_AVAILABLE": lambda variant: total_of(variant.item),
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
    own = [job for job in ctx.shop.account.jobs.values() if not job.foreign]
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
