"""What a customer and a clerk do by hand, as plain documents.

The commands print them, the server carries them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from invsync.sandbox.holdings import Ambiguous, NotInShop
from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import generated_shop, starting_shop
from invsync.sandbox.state import Home
from invsync.sandbox.things import Level


class CannotDo(Exception):
    """The clerk was asked for something impossible; `str()` is one line."""


def do(home: Home, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out an action: `show`, `reset`, or what a customer or a clerk does to stock.

    Raises CannotDo, UnreadableState.
    """
    if action == "reset":
        return _reset(home, given)
    with home.open() as shop:
        try:
            if action in ("sell", "ship", "cancel", "set"):
                return _moved(shop, action, given)
            if action == "close":
                return _closed(shop, given)
        except Ambiguous as error:
            raise CannotDo(f"{error}; say which with --product TITLE") from None
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


def _moved(shop: Shop, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a customer or a clerk does to one level. `units`: null with `ship` for all there is."""
    sku, title, place = str(given["sku"]), given.get("product"), given.get("location")
    variant = shop.variant_of(title, sku) if title else shop.item(sku).variants[0]
    item = variant.item
    level = shop.level_for_order(item, place) if action != "set" else shop.level(item, place)
    before, committed = level.available, level.committed
    everything = action == "ship" and given.get("units") is None
    units = committed if everything else int(given["units"])
    if action in ("ship", "cancel") and not 0 < units <= committed:
        waits = f"{committed} units of" if committed else "no unit of"
        raise CannotDo(f'{waits} "{item.sku}" wait at "{level.location.name}" in open orders')
    if action == "sell":
        shop.sell(item, units, level.location, shipped=bool(given.get("shipped")))
    elif action == "ship":
        shop.ship(item, units, level.location)
    elif action == "cancel":
        shop.cancel(item, units, level.location)
    else:
        shop.set_available(item, units, level.location)
    return {
        "action": action,
        "units": units,
        "product": variant.product.title,
        "variant": variant.title,
        "sku": item.sku,
        "location": level.location.name,
        "before": before,
        "after": level.available,
        "committed": level.committed,
        "on_hand": level.on_hand,
        "tracked": item.tracked,
    }


def _closed(shop: Shop, given: Mapping[str, Any]) -> dict[str, Any]:
    """A location is deactivated. As in Shopify's admin it says first where its stock goes."""
    location, move_to = shop.location(given["location"]), given.get("move_to")
    stock = shop.stock_at(location)
    if location.primary:
        raise CannotDo(f'"{location.name}" is the primary location: it can\'t be closed')
    if not location.active:
        raise CannotDo(f'"{location.name}" is closed already')
    if stock and move_to is None:
        raise CannotDo(
            f'"{location.name}" holds stock of {len(stock)} items: say where it goes with --move-to'
        )
    if move_to is not None and not shop.location(move_to).active:
        raise CannotDo(f'"{shop.location(move_to).name}" is closed: name another for --move-to')
    if move_to is not None and shop.location(move_to) is location:
        raise CannotDo(f'"{location.name}" can\'t take its own stock: name another for --move-to')
    shop.close_location(location, move_to=move_to)
    return {
        "action": "close",
        "location": location.name,
        "moved_to": None if move_to is None else shop.location(move_to).name,
        "items": len(stock),
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
