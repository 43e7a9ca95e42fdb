"""Listings of one stock on several products: what the tests of the groupings play with."""

from __future__ import annotations

from typing import Any

from program_world import World

from invsync.sandbox.things import Product, Variant


def listing(world: World, title: str, sku: str, available: Any = 30, **options: Any) -> Variant:
    """A product with one variant."""
    product: Product = world.add(title, [sku], available, **options)
    return product.variants[0]


def reads(*variants: Variant, at: str | None = None) -> list[int]:
    """What the variants have available."""
    found = (v.product.variants[v.position - 1].item for v in variants)
    return [levels_at(item, at) for item in found]


def levels_at(item: Any, at: str | None) -> int:
    """What an item has available, at the default location unless told otherwise."""
    for level in item.levels.values():
        if at in (None, level.location.name):
            return int(level.available)
    raise AssertionError(f"not stocked at {at}")


def resku(world: World, variant: Variant, sku: str) -> None:
    """A person types another SKU."""
    world.shop.set_sku(variant, sku)


def story(document: dict[str, Any], kind: str) -> list[str]:
    """The messages of one kind, of problems and warnings."""
    told = [*document["problems"], *document["warnings"]]
    return [one["message"] for one in told if one["kind"] == kind]
