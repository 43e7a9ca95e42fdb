"""The starting shop, which tells the story, and generated shops of any size."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Item, Level, Location, Product, Variant

#: Quantity of every level in a generated shop.
GENERATED_QUANTITY = 30


def starting_shop(
    domain: str = "sandbox.myshopify.com", *, now: Callable[[], float] = time.time
) -> Shop:
    """The shop that the sandbox begins with.

    A print in four variants at 30, a cookie in packs of 1, 6 and 12, a print on three products with
    one SKU, and beside them everything that a real shop has and invsync must leave alone or ask
    about: products out of step, archived, draft, untracked, of a look-alike type, with one variant,
    a gift card, a bundle, variants that the default location does not stock; three locations.
    """
    shop = Shop(domain, now=now)
    warehouse = shop.add_location("Warehouse")
    till = shop.add_location("Till")
    popup = shop.add_location("Pop-up")
    for title, skus, available, told in _PRINTS:
        shop.add_product(
            title,
            skus,
            available=available,
            locations=(warehouse,),
            **{"product_type": "Print", **told},
        )
    _bundle(shop, warehouse)
    _gallery(shop, warehouse, till)
    _kitchen(shop, warehouse, till, popup)
    _cookie(shop, warehouse)
    _birch(shop, warehouse)
    shop.trail.ledger.clear()
    shop.account.bucket.at = now()
    return shop


#: Products that are stocked at the first location only: title, SKUs, quantities, and the rest that
#: `add_product` is told.
_PRINTS: tuple[tuple[str, tuple[str, ...], int | tuple[int, ...], Mapping[str, Any]], ...] = (
    (
        "Sunset over the harbour",
        ("PRINT-S", "PRINT-M", "PRINT-L", "PRINT-XL"),
        30,
        {"tags": ("art", "shared-stock")},
    ),
    ("Fog on the river", ("FOG-S", "FOG-M"), 12, {"tags": ("art", "shared-stock")}),
    (
        "Lighthouse (counts differ)",
        ("LIGHT-S", "LIGHT-M", "LIGHT-L"),
        (10, 7, 10),
        {"tags": ("art",)},
    ),
    ("Old town (archived)", ("TOWN-S", "TOWN-M"), 4, {"status": "ARCHIVED"}),
    ("Winter pier (draft)", ("PIER-S", "PIER-M"), 15, {"status": "DRAFT"}),
    ("Digital wallpaper (untracked)", ("WALL-4K", "WALL-8K"), 0, {"tracked": False}),
    ("Postcard", ("CARD-1",), 80, {"tags": ("art",)}),
    ("Ink and paper", ("INK-BLACK", "INK-BLUE"), (25, 40), {"product_type": "Print Supplies"}),
    ("Zine", ("ZINE-1", "ZINE-2"), (6, 9), {"product_type": "print"}),
    ("Gift card", ("GIFT-25", "GIFT-50"), 0, {"gift_card": True, "tracked": False}),
)


def _bundle(shop: Shop, warehouse: Location) -> None:
    bundle = shop.add_product("Harbour duo (bundle)", product_type="Print")
    for sku in ("DUO-S", "DUO-M"):
        shop.add_variant(
            bundle, sku, available=12, locations=(warehouse,), requires_components=True
        )


def _gallery(shop: Shop, warehouse: Location, till: Location) -> None:
    """Variants that the first location does not stock, or no more."""
    gallery = shop.add_product("Gallery edition", product_type="Print", tags=["shared-stock"])
    shop.add_variant(gallery, "GALLERY-S", available=5, locations=(warehouse,))
    shop.add_variant(gallery, "GALLERY-M", available=5, locations=(warehouse,))
    shop.add_variant(gallery, "GALLERY-L", available=9, locations=(till,))
    shop.add_variant(gallery, "GALLERY-XL", available=2, locations=(warehouse,))
    shop.deactivate_level("GALLERY-XL", warehouse)


def _kitchen(shop: Shop, warehouse: Location, till: Location, popup: Location) -> None:
    """Products that several locations stock, in step but for the apron."""
    kitchen: tuple[tuple[str, str, int, tuple[str, ...], tuple[Location, ...]], ...] = (
        ("Mug", "MUG", 20, ("shared-stock",), (warehouse, till)),
        ("Tote bag", "TOTE", 14, (), (warehouse, till, popup)),
        ("Apron", "APRON", 8, ("linen",), (warehouse, till)),
    )
    for title, sku, available, tags, places in kitchen:
        shop.add_product(
            title, [sku], product_type="Kitchen", tags=tags, available=available, locations=places
        )
    shop.set_available("APRON", 3, till)


def _cookie(shop: Shop, warehouse: Location) -> None:
    """One stock of 50, in packs; how large one is stands in an option and in a metafield."""
    cookie = shop.add_product("Oat cookie", product_type="Cookie")
    for size, pack, whole in ((1, "Single", 50), (6, "Half dozen", 8), (12, "12-pack", 4)):
        variant = shop.add_variant(
            cookie,
            f"COOKIE-{size}",
            options={"Pack size": pack},
            available=whole,
            locations=(warehouse,),
        )
        shop.set_metafield(variant, "custom.pack_size", str(size))


def _birch(shop: Shop, warehouse: Location) -> None:
    """One stock of a print, shown on three products under one SKU."""
    for frame in ("unframed", "black frame", "oak frame"):
        shop.add_product(
            f"Birch forest, {frame}",
            ["BIRCH-A4"],
            product_type="Wall art",
            available=30,
            locations=(warehouse,),
        )


def generated_shop(
    products: int,
    variants: int,
    locations: int,
    domain: str = "sandbox.myshopify.com",
    *,
    now: Callable[[], float] = time.time,
) -> Shop:
    """A shop of that many products, variants a product and locations.

    Type `Print`, all levels equal.

    SKUs run `P00001-1`, `P00001-2`, …; every variant is stocked at every location.
    """
    shop = Shop(domain, now=now)
    names = [
        "Warehouse",
        "Till",
        "Pop-up",
        *(f"Location {number}" for number in range(4, locations + 1)),
    ]
    places = [shop.add_location(name) for name in names[:locations]]
    at = int(now())
    number = shop.last_id
    width = max(5, len(str(products)))
    for p in range(1, products + 1):
        number += 1
        product = Product(
            number,
            f"Print {p}",
            f"print-{p}",
            "Print",
            ("shared-stock",),
            created_at=at,
            updated_at=at,
        )
        shop.products[number] = product
        for v in range(1, variants + 1):
            sku = f"P{p:0{width}}-{v}"
            item = Item(number + 1, sku, True, at, at)
            variant = Variant(
                number + 2,
                product,
                item,
                f"Size {v}",
                sku,
                (("Size", f"Size {v}"),),
                v,
                False,
                at,
                at,
            )
            number += 2
            shop.items[item.id] = item
            shop.variants[variant.id] = variant
            product.variants.append(variant)
            item.variants.append(variant)
            for place in places:
                number += 1
                level = Level(number, item, place, GENERATED_QUANTITY, 0, True, at, at)
                item.levels[place.id] = shop.levels[number] = level
    shop.last_id = number
    shop.changed()
    return shop
