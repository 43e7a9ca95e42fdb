"""What can be searched: each resource's fields, as the (possibly lagging) index shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from invsync.sandbox import bulk
from invsync.sandbox.matchers import (
    Matcher,
    boolean,
    identifier,
    keyword,
    moment,
    negated,
    number,
    one_of,
    reference,
    text,
    text_list,
)
from invsync.sandbox.search import Search, compile_search
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import STATUSES, Item, Level, Location, Product, Variant


@dataclass(frozen=True, slots=True)
class Index:
    """The searchable fields of one resource."""

    fields: Mapping[str, Matcher]
    default: Matcher


def search(shop: Shop, resource: str, query: str) -> Search:
    """Make a query on a resource (`products`, `inventoryLevels`, …) ready; it matches live objects.

    What is compared is what the index shows of them. Raises what `compile_search` raises.
    """
    index = INDEXES[resource](shop)
    found = compile_search(query, index.fields, index.default, ZoneInfo(shop.settings.time_zone))
    if not shop.trail.shadows:
        return found
    if resource == "bulkOperations":
        return found
    matches, seen = found.matches, shop.as_indexed

    def lagging(thing: Any) -> bool:
        indexed = seen(thing)
        return indexed is not None and matches(indexed)

    found.matches = lagging
    return found


def _products(shop: Shop) -> Index:
    def skus(product: Product) -> Iterator[str]:
        return (variant.sku for variant in product.variants)

    def total(product: Product) -> Iterator[int]:
        yield sum(
            level.available
            for item in _items(product)
            for level in item.levels.values()
            if level.live
        )

    tags = text(lambda product: product.tags)
    return Index(
        {
            "id": identifier(lambda product: int(product.id)),
            "title": text(lambda product: (product.title,)),
            "handle": keyword(lambda product: (product.handle,)),
            "product_type": text(lambda product: (product.product_type,)),
            "tag": tags,
            "tag_not": negated(tags),
            "status": one_of(STATUSES, lambda product: str(product.status)),
            "vendor": text(lambda product: (product.vendor,)),
            "sku": keyword(skus),
            "variant_id": reference(lambda product: (variant.id for variant in product.variants)),
            "variant_title": text(lambda product: (variant.title for variant in product.variants)),
            "gift_card": boolean(lambda product: bool(product.gift_card)),
            "has_only_default_variant": boolean(lambda product: has_only_default_variant(product)),
            "has_variant_with_components": boolean(
                lambda product: any(variant.requires_components for variant in product.variants)
            ),
            "inventory_total": number(total),
            "created_at": moment(lambda product: int(product.created_at)),
            "updated_at": moment(lambda product: int(product.updated_at)),
        },
        text(
            lambda product: (
                product.title,
                product.product_type,
                product.vendor,
                *product.tags,
                *skus(product),
            )
        ),
    )


def _variants(shop: Shop) -> Index:
    def product(variant: Variant) -> Product:
        """The variant's product as the index shows it; an unseen one is shown as it is."""
        return shop.as_indexed(variant.product) or variant.product

    def of_product(read: Callable[[Product], Any], variant: Variant) -> Any:
        return read(product(variant))

    def stocked(variant: Variant) -> Iterator[int]:
        for level in variant.item.levels.values():
            indexed = shop.as_indexed(level)
            if indexed is not None and indexed.active:
                yield level.location.id

    def sellable(variant: Variant) -> Iterator[int]:
        yield sum(level.available for level in variant.item.levels.values() if level.live)

    def option(position: int, variant: Variant) -> tuple[str, ...]:
        return (variant.options[position][1],) if position < len(variant.options) else ()

    tags = text(partial(of_product, lambda one: one.tags))
    return Index(
        {
            "id": identifier(lambda variant: int(variant.id)),
            "title": text(lambda variant: (variant.title,)),
            "sku": text(lambda variant: (variant.sku,)),  # not recorded: an index cuts to words
            "product_id": reference(lambda variant: (variant.product.id,)),
            "product_ids": reference(lambda variant: (variant.product.id,), several=True),
            "product_type": text_list(partial(of_product, lambda one: (one.product_type,))),
            "product_status": one_of(STATUSES, partial(of_product, lambda one: one.status)),
            "tag": tags,
            "tag_not": negated(tags),
            "vendor": text(partial(of_product, lambda one: (one.vendor,))),
            "gift_card": boolean(partial(of_product, lambda one: bool(one.gift_card))),
            "location_id": reference(stocked),
            "requires_components": boolean(lambda variant: bool(variant.requires_components)),
            "exclude_variants_with_components": _only_if_true(
                lambda variant: not variant.requires_components
            ),
            "inventory_quantity": number(sellable),
            "option1": text(partial(option, 0)),
            "option2": text(partial(option, 1)),
            "option3": text(partial(option, 2)),
            "updated_at": moment(lambda variant: int(variant.updated_at)),
        },
        text(lambda variant: (product(variant).title, variant.title, variant.sku)),
    )


def _inventory_items(shop: Shop) -> Index:
    sku = keyword(lambda item: (item.sku,), exact_case=True)
    return Index(
        {
            "id": identifier(lambda item: int(item.id)),
            "sku": sku,
            "created_at": moment(lambda item: int(item.created_at)),
            "updated_at": moment(lambda item: int(item.updated_at)),
        },
        sku,
    )


def _inventory_levels(shop: Shop) -> Index:
    def item(level: Level) -> tuple[int, ...]:
        return (level.item.id,)

    return Index(
        {
            "id": identifier(lambda level: int(level.id)),
            "inventory_item_id": reference(item),
            "inventory_group_id": reference(lambda level: (level.id,)),
            "created_at": moment(lambda level: int(level.created_at)),
            "updated_at": moment(lambda level: int(level.updated_at)),
        },
        reference(item),
    )


def _locations(shop: Shop) -> Index:
    names = text(lambda location: (location.name,))
    numbers = reference(lambda location: (location.id,))
    return Index(
        {
            "id": identifier(lambda one: int(one.id)),
            "location_id": numbers,
            "name": names,
            "active": boolean(lambda location: bool(location.active)),
            "legacy": boolean(lambda location: bool(location.fulfillment_service)),
            "created_at": moment(lambda location: int(location.created_at)),
        },
        names,
    )


def _bulk_operations(shop: Shop) -> Index:
    numbers = reference(lambda job: (job.id,))
    return Index(
        {
            "id": identifier(lambda one: int(one.id)),
            "created_at": moment(lambda job: int(job.created_at)),
            "completed_at": moment(lambda job: int(bulk.completed_at(shop, job) or 0)),
            "operation_type": one_of(("query", "mutation"), lambda job: "query"),
            "status": one_of(
                (status for status in bulk.STATUSES if status != "EXPIRED"),  # recorded
                lambda job: bulk.status(shop, job),
            ),
        },
        numbers,
    )


def _only_if_true(read: Callable[[Any], bool]) -> Matcher:
    """A filter that narrows when it is `true`, and does nothing when it is `false`."""
    flag = boolean(lambda thing: True)

    def make(term: Any, zone: ZoneInfo) -> Callable[[Any], bool]:
        wanted = flag.make(term, zone)(None)
        return read if wanted else lambda thing: True

    return Matcher(make)


def _items(product: Product) -> list[Item]:
    return list({variant.item.id: variant.item for variant in product.variants}.values())


def has_only_default_variant(product: Product) -> bool:
    """Whether the product has just the one variant that Shopify makes by itself."""
    return len(product.variants) == 1 and product.variants[0].title == "Default Title"


#: How to search each resource.
INDEXES: dict[str, Callable[[Shop], Index]] = {
    "products": _products,
    "productVariants": _variants,
    "inventoryItems": _inventory_items,
    "inventoryLevels": _inventory_levels,
    "locations": _locations,
    "bulkOperations": _bulk_operations,
}

#: What a resource holds.
Searchable = Product | Variant | Item | Level | Location
