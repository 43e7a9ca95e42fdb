"""The starting shop, which tells the story, and generated shops of any size."""

from __future__ import annotations

import time
from collections.abc import Callable

from invsync.sandbox.shop import Item, Level, Product, Shop, Variant

#: Quantity of every level in a generated shop.
GENERATED_QUANTITY = 30


def starting_shop(
    domain: str = "sandbox.myshopify.com", *, now: Callable[[], float] = time.time
) -> Shop:
    """The shop that the sandbox begins with.

    A print in four variants at 30, and beside it everything that a real shop has and invsync must
    leave alone or ask about: products out of step, archived, draft, untracked, of a look-alike
    type, with one variant, a gift card, a bundle, variants that the default location does not
    stock; three locations.
    """
    shop = Shop(domain, now=now)
    warehouse = shop.add_location("Warehouse")
    till = shop.add_location("Till")
    popup = shop.add_location("Pop-up")
    here = (warehouse,)

    shop.add_product(
        "Sunset over the harbour",
        ["PRINT-S", "PRINT-M", "PRINT-L", "PRINT-XL"],
        product_type="Print",
        tags=["art", "shared-stock"],
        available=30,
        locations=here,
    )
    shop.add_product(
        "Fog on the river",
        ["FOG-S", "FOG-M"],
        product_type="Print",
        tags=["art", "shared-stock"],
        available=12,
        locations=here,
    )
    shop.add_product(
        "Lighthouse (counts differ)",
        ["LIGHT-S", "LIGHT-M", "LIGHT-L"],
        product_type="Print",
        tags=["art"],
        available=[10, 7, 10],
        locations=here,
    )
    shop.add_product(
        "Old town (archived)",
        ["TOWN-S", "TOWN-M"],
        product_type="Print",
        status="ARCHIVED",
        available=4,
        locations=here,
    )
    shop.add_product(
        "Winter pier (draft)",
        ["PIER-S", "PIER-M"],
        product_type="Print",
        status="DRAFT",
        available=15,
        locations=here,
    )
    shop.add_product(
        "Digital wallpaper (untracked)",
        ["WALL-4K", "WALL-8K"],
        product_type="Print",
        tracked=False,
        locations=here,
    )
    shop.add_product(
        "Postcard", ["CARD-1"], product_type="Print", tags=["art"], available=80, locations=here
    )
    shop.add_product(
        "Ink and paper",
        ["INK-BLACK", "INK-BLUE"],
        product_type="Print Supplies",
        available=[25, 40],
        locations=here,
    )
    shop.add_product(
        "Zine", ["ZINE-1", "ZINE-2"], product_type="print", available=[6, 9], locations=here
    )
    shop.add_product(
        "Gift card",
        ["GIFT-25", "GIFT-50"],
        product_type="Print",
        gift_card=True,
        tracked=False,
        locations=here,
    )

    bundle = shop.add_product("Harbour duo (bundle)", product_type="Print")
    shop.add_variant(bundle, "DUO-S", available=12, locations=here, requires_components=True)
    shop.add_variant(bundle, "DUO-M", available=12, locations=here, requires_components=True)

    gallery = shop.add_product("Gallery edition", product_type="Print", tags=["shared-stock"])
    shop.add_variant(gallery, "GALLERY-S", available=5, locations=here)
    shop.add_variant(gallery, "GALLERY-M", available=5, locations=here)
    shop.add_variant(gallery, "GALLERY-L", available=9, locations=(till,))
    shop.add_variant(gallery, "GALLERY-XL", available=2, locations=here)
    shop.deactivate_level("GALLERY-XL", warehouse)

    shop.add_product(
        "Mug",
        ["MUG"],
        product_type="Kitchen",
        tags=["shared-stock"],
        available=20,
        locations=(warehouse, till),
    )
    shop.add_product(
        "Tote bag",
        ["TOTE"],
        product_type="Kitchen",
        available=14,
        locations=(warehouse, till, popup),
    )
    apron = shop.add_product(
        "Apron", ["APRON"], product_type="Kitchen", available=8, locations=(warehouse, till)
    )
    shop.set_available("APRON", 3, till)
    shop.retag(apron, "linen")
    shop.ledger.clear()
    shop.bucket.at = now()
    return shop


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
