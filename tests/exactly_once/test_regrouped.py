"""A listing gets another SKU in the middle of a run, between the two stocks that it concerns."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_world import SmallWorld, Time

from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Variant


def on_products(world: SmallWorld, sku: str, listings: int) -> list[Variant]:
    """Listings of one SKU at 30, on a product each."""
    add = world.shop.add_product
    made = [add(f"{sku}{n}", [sku], available=30) for n in range(listings)]
    return [product.variants[0] for product in made]


@pytest.mark.parametrize("scan", ["complete", "changes"])
def test_what_a_listing_sells_once_its_old_stock_let_it_go_counts_in_the_new_one(
    folder: Path, scan: str
) -> None:
    time = Time()
    world = SmallWorld(folder, Shop(now=time.time), time, batch=2)
    world.shop.add_location("Warehouse")
    world.configure("variants", product_types=(), skus="all", pool_by="sku", scan=scan)
    a, b = on_products(world, "A", 2), on_products(world, "B", 3)
    world.until_rest()
    time.pass_by(minutes=15)
    world.shop.sell(a[0], 1)
    world.shop.sell(b[0], 1)
    moved = b[2]

    def hook(request: Request, phase: Phase) -> None:
        if request.operation == "Adjust" and phase == "after" and moved.sku == "B":
            time.pass_by(seconds=2)
            world.shop.set_sku(moved, "A")

    ended = world.run(hook=hook)
    time.pass_by(minutes=15)
    world.shop.sell(moved, 4)
    told = ended.warnings("changed_pool")
    told += [one for run in world.until_rest() for one in run.warnings("changed_pool")]
    assert world.shop.availables(*a, moved) == [25, 25, 25]
    assert world.shop.availables(*b[:2]) == [29, 29]
    assert len(told) == 1
