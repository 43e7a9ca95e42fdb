"""What a customer and a clerk do by hand, as plain documents: the commands print them, the server carries them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from invsync.sandbox.shop import Level, NotInShop, Shop
from invsync.sandbox.starting import generated_shop, starting_shop
from invsync.sandbox.state import Home


class CannotDo(Exception):
    """The clerk was asked for something impossible; `str()` is one line."""


def do(home: Home, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out `show`, `sell`, `set` or `reset`. Raises CannotDo, UnreadableState."""
    if action == "reset":
        return _reset(home, given)
    with home.open() as shop:
        try:
            if action == "sell":
                return _moved(shop, "sold", given)
            if action == "set":
                return _moved(shop, "set", given)
        except NotInShop as error:
            raise CannotDo(str(error)) from None
        if action == "show":
            return shown(shop, given.get("limit"), given.get("word"))
    raise CannotDo(f'the sandbox has no action "{action}"')


def shown(shop: Shop, limit: int | None = None, word: str | None = None) -> dict[str, Any]:
    """Every variant with what it reads at each location; null where it is not stocked.

    `limit`: no more than so many. `word`: only those whose SKU, product or type holds it.
    """
    places = list(shop.locations.values())
    wanted = (word or "").casefold()
    variants = [
        variant
        for product in shop.products.values()
        for variant in product.variants
        if wanted in f"{variant.sku} {product.title} {product.product_type}".casefold()
    ]
    return {
        "total": len(variants),
        "shop": shop.domain,
        "locations": [
            {"id": place.gid, "name": place.name, "active": place.active} for place in places
        ],
        "variants": [
            {
                "product": variant.product.title,
                "product_id": variant.product.gid,
                "type": variant.product.product_type,
                "tags": list(variant.product.tags),
                "status": variant.product.status,
                "gift_card": variant.product.gift_card,
                "variant": variant.title,
                "sku": variant.sku,
                "item": variant.item.gid,
                "tracked": variant.item.tracked,
                "bundle": variant.requires_components,
                "available": {
                    place.name: _reading(variant.item.levels.get(place.id)) for place in places
                },
                "inactive": [
                    level.location.name for level in variant.item.levels.values() if not level.live
                ],
            }
            for variant in islice(variants, limit)
        ],
    }


def _reading(level: Level | None) -> int | None:
    return None if level is None else level.available


def _moved(shop: Shop, what: str, given: Mapping[str, Any]) -> dict[str, Any]:
    sku, units, location = str(given["sku"]), int(given["units"]), given.get("location")
    item = shop.item(sku)
    variant = item.variants[0]
    if what == "sold":
        sold = shop.sell(item, units, location)
        before = sold.available + (units if item.tracked else 0)
        level = sold
    else:
        level = shop.level(item, location)
        before = level.available
        shop.set_available(item, units, location)
    return {
        "action": what,
        "units": units,
        "product": variant.product.title,
        "variant": variant.title,
        "sku": item.sku,
        "location": level.location.name,
        "before": before,
        "after": level.available,
        "tracked": item.tracked,
    }


def _reset(home: Home, given: Mapping[str, Any]) -> dict[str, Any]:
    products, variants, locations = (
        given.get("products"),
        given.get("variants"),
        given.get("locations"),
    )
    if products is None and variants is None and locations is None:
        shop = home.replace(lambda now: starting_shop(now=now))
    else:
        shop = home.replace(
            lambda now: generated_shop(products or 1, variants or 4, locations or 1, now=now)
        )
    return {
        "action": "reset",
        "products": len(shop.products),
        "variants": len(shop.variants),
        "locations": len(shop.locations),
    }
