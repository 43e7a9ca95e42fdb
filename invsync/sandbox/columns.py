"""A whole shop as one JSON text, and back: columns, which are quick to read and to write."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from invsync.sandbox.account import BulkJob, Remembered, Settings
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import (
    Item,
    Level,
    Location,
    Metafield,
    Metafields,
    Product,
    Stored,
    Variant,
)

#: Number of the file's format; a file of another number is refused.
FORMAT = 1


def dumps(shop: Shop) -> str:
    """The shop as JSON, in columns: one list per attribute, which loads and saves quickly."""
    shadows = [
        [kind, number, [[at, None if before is None else _row(before)] for at, before in trail]]
        for (kind, number), trail in shop.trail.shadows.items()
        if shop.has(kind, number)
    ]
    return json.dumps(
        {
            "format": FORMAT,
            "domain": shop.domain,
            "settings": asdict(shop.settings),
            "last_id": shop.last_id,
            "locations": _columns(Location, shop.locations.values()),
            "products": _columns(Product, shop.products.values()),
            "items": _columns(Item, shop.items.values()),
            "variants": _columns(Variant, shop.variants.values()),
            "levels": _columns(Level, shop.levels.values()),
            "shadows": shadows,
            "bucket": [shop.account.bucket.available, shop.account.bucket.at],
            "keys": {
                key: [used.fingerprint, used.at, used.outcome]
                for key, used in shop.account.keys.items()
                if used.at + shop.settings.key_retention > shop.now()
            },
            "jobs": [asdict(job) for job in shop.account.jobs.values()],
            "tokens": shop.account.tokens,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def loads(text: str | bytes, *, now: Callable[[], float] = time.time) -> Shop:
    """A shop from `dumps`.

    Raises ValueError, KeyError, TypeError or IndexError for anything else.
    """
    collecting = gc.isenabled()
    gc.disable()  # half a million new objects, none of them garbage
    try:
        return _from_columns(json.loads(text), now)
    finally:
        if collecting:
            gc.enable()


#: The attributes of each kind that are written; references are written as numbers.
_WRITTEN: dict[type[Stored], tuple[str, ...]] = {
    Location: (
        "id",
        "name",
        "active",
        "fulfillment_service",
        "primary",
        "created_at",
        "updated_at",
    ),
    Product: (
        *("id", "title", "handle", "product_type", "tags", "status"),
        *("gift_card", "vendor", "created_at", "updated_at", "metafields"),
    ),
    Item: ("id", "sku", "tracked", "created_at", "updated_at"),
    Variant: (
        *("id", "product.id", "item.id", "title", "sku", "options", "position"),
        *("requires_components", "created_at", "updated_at", "policy", "metafields"),
    ),
    Level: (
        *("id", "item.id", "location.id", "available", "committed"),
        *("active", "created_at", "updated_at", "others"),
    ),
}


def _columns(kind: type[Stored], things: Iterable[Stored]) -> list[list[Any]]:
    held = list(things)
    return [list(map(attrgetter(name), held)) for name in _WRITTEN[kind]]


def _row(thing: Stored) -> list[Any]:
    return [attrgetter(name)(thing) for name in _WRITTEN[type(thing)]]


def _from_columns(document: dict[str, Any], now: Callable[[], float]) -> Shop:
    if document["format"] != FORMAT:
        raise ValueError("another format")
    shop = Shop(document["domain"], now=now)
    known = {setting.name for setting in fields(Settings)}
    shop.settings = Settings(
        **{name: value for name, value in document["settings"].items() if name in known}
    )
    shop.settings.scopes = tuple(shop.settings.scopes)
    shop.last_id = document["last_id"]
    shop.locations = {place.id: place for place in map(Location, *document["locations"])}
    shop.products = {product.id: product for product in map(_product, *document["products"])}
    shop.items = {item.id: item for item in map(Item, *document["items"])}
    read = _Reader(shop)
    for variant in map(read.variant, *document["variants"]):
        shop.variants[variant.id] = variant
        variant.product.variants.append(variant)
        variant.item.variants.append(variant)
    for level in map(read.level, *document["levels"]):
        shop.levels[level.id] = level
        level.item.levels[level.location.id] = level
    for product in shop.products.values():
        if len(product.variants) > 1:
            product.variants.sort(key=attrgetter("position"))
    for kind, number, trail in document["shadows"]:
        shop.trail.shadows[kind, number] = [
            (at, None if row is None else read.shadow(kind, row)) for at, row in trail
        ]
    shop.account.bucket.available, shop.account.bucket.at = document["bucket"]
    shop.account.keys = {key: Remembered(*used) for key, used in document["keys"].items()}
    shop.account.jobs = {job["id"]: BulkJob(**job) for job in document["jobs"]}
    shop.account.tokens = document["tokens"]
    return shop


def _product(
    number: int, title: str, handle: str, kind: str, tags: list[str], *rest: Any
) -> Product:
    made = Product(number, title, handle, kind, tuple(tags), *rest)
    made.metafields = _metafields(made.metafields)
    return made


def _metafields(written: Mapping[str, Iterable[Any]] | None) -> Metafields:
    return {name: Metafield(*row) for name, row in written.items()} if written else None


class _Reader:
    """Turns rows into objects that refer to each other."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def variant(
        self,
        number: int,
        product: int,
        item: int,
        title: str,
        sku: str,
        options: list[list[str]],
        *rest: Any,
    ) -> Variant:
        pairs = tuple((name, value) for name, value in options)
        made = Variant(
            number, self._shop.products[product], self._shop.items[item], title, sku, pairs, *rest
        )
        made.metafields = _metafields(made.metafields)
        return made

    def level(self, number: int, item: int, location: int, *rest: Any) -> Level:
        return Level(number, self._shop.items[item], self._shop.locations[location], *rest)

    def shadow(self, kind: str, row: list[Any]) -> Stored | None:
        """An object as it was; None if what it belonged to is gone: nothing can find it then."""
        try:
            match kind:
                case "Location":
                    return Location(*row)
                case "Product":
                    return _product(*row)
                case "Item":
                    return Item(*row)
                case "Variant":
                    return self.variant(*row)
                case _:
                    return self.level(*row)
        except KeyError:
            return None
