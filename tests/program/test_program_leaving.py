"""What was sold of what leaves: the last fall of a level, and of a whole pool, counts as any other.

Each scan: the feed of changes shows that a product changed, a complete scan that it is no longer
what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from program_world import World

PLACES = ("Warehouse", "Till", "Pop-up")
SKUS = "S M L"


@pytest.fixture(params=["complete", "changes"])
def scan(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def variants(world: World, scan: str, **keys: Any) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan, **keys})
    world.add("Print", SKUS, 30)
    world.add("Other", "O P", 30)
    world.add("Third", "Q R", 30)
    world.run("variants", "--init")
    world.time.pass_by(minutes=30)


def kinds(document: dict[str, Any]) -> list[str]:
    return sorted(one["kind"] for one in (*document["problems"], *document["warnings"]))


def quiet(document: dict[str, Any]) -> bool:
    return document["changes"] == document["warnings"] == document["problems"] == []


def test_a_variant_that_is_tracked_no_more_leaves_its_sales(world: World, scan: str) -> None:
    variants(world, scan)
    world.sell("S", 2)
    world.sell("M", 1)
    world.shop.set_tracked("S", False)
    document = world.variants()
    assert document["changes"][0]["quantity"] == {"from": 30, "to": 27}
    assert world.reads(SKUS) == [28, 27, 27]
    (pool,) = world.run("explain", "Print", "--json").document["pools"]
    moved = {one["sku"]: one["movement"] for one in pool["events"][-1]["moved"]}
    assert moved == {"S": -2, "M": -1}
    world.time.pass_by(minutes=30)
    assert quiet(world.variants())


def retyped(world: World) -> None:
    world.shop.retype("Print", "Poster")


def made_a_draft(world: World) -> None:
    world.shop.set_status("Print", "DRAFT")


@pytest.mark.parametrize("leaves", [retyped, made_a_draft])
def test_a_product_that_is_asked_for_no_more_leaves_in_step(
    world: World, scan: str, leaves: Callable[[World], None]
) -> None:
    variants(world, scan, only_active=True)
    world.sell("S", 2)
    world.shop.set_available("L", 35)
    leaves(world)
    shown = world.variants("--dry-run")
    document = world.variants()
    assert [one["quantity"] for one in shown["changes"]] == [{"from": 30, "to": 28}]
    assert kinds(document) == ["last_falls", "left"]
    assert "(S -2) is taken off its other variants" in document["warnings"][0]["message"]
    assert world.reads(SKUS) == [28, 28, 33]
    assert "Print" not in world.cached()
    world.time.pass_by(minutes=30)
    world.sell("S", 1)
    assert quiet(world.variants())
    assert world.reads(SKUS) == [27, 28, 33]


def test_it_leaves_none_below_0(world: World, scan: str) -> None:
    variants(world, scan)
    for sku in SKUS.split():
        world.sell(sku, 12)
    retyped(world)
    world.variants()
    assert world.reads(SKUS) == [0, 0, 0]


def test_a_product_that_leaves_and_did_not_move_is_not_touched(world: World, scan: str) -> None:
    variants(world, scan)
    world.shop.set_available("L", 35)
    retyped(world)
    assert kinds(world.variants()) == ["left"]
    assert world.batches == []
    assert world.reads(SKUS) == [30, 30, 35]


def untracked(world: World) -> None:
    for sku in SKUS.split():
        world.shop.set_tracked(sku, False)


def deleted(world: World) -> None:
    world.shop.delete_product("Print")


@pytest.mark.parametrize("goes", [untracked, deleted])
def test_of_what_can_not_be_adjusted_nothing_is_sent(
    world: World, goes: Callable[[World], None]
) -> None:
    variants(world, "complete")
    world.sell("S", 2)
    goes(world)
    assert kinds(world.variants()) == ["left"]
    assert world.batches == []


@pytest.mark.parametrize("after", [False, True])
def test_a_last_adjustment_that_is_cut_off_counts_once(
    world: World, scan: str, after: bool
) -> None:
    variants(world, scan)
    world.sell("S", 2)
    retyped(world)
    world.cut_off("variants", after=after)
    world.time.pass_by(minutes=30)
    assert "left" in kinds(world.variants())
    assert world.reads(SKUS) == [28, 28, 28]
    assert "Print" not in world.cached()


def test_a_filter_that_asks_for_less_leaves_what_it_left_in_step(world: World, scan: str) -> None:
    variants(world, scan)
    world.shop.retag("Other", "keep")
    world.shop.retag("Third", "keep")
    world.sell("S", 2)
    world.configure(variants={"product_tags": ["keep"], "scan": scan})
    assert kinds(world.variants()) == ["last_falls", "left"]
    assert world.reads(SKUS) == [28, 28, 28]


def mug(world: World, **keys: Any) -> None:
    world.configure(locations={"product_types": ["Kitchen"], **keys})
    world.add("Mug", ["MUG"], 14, product_type="Kitchen", locations=PLACES)
    world.run("locations", "--init")


def places(world: World, *names: str) -> list[int]:
    return [world.shop.available("MUG", place) for place in names]


def test_a_location_that_counts_no_more_leaves_its_sales(world: World) -> None:
    mug(world, locations=list(PLACES))
    world.shop.sell("MUG", 2, "Pop-up", shipped=True)
    world.shop.set_available("MUG", 17, "Till")
    world.configure(locations={"product_types": ["Kitchen"], "locations": list(PLACES[:2])})
    assert kinds(world.locations()) == []
    assert places(world, *PLACES) == [15, 15, 12]


@pytest.mark.parametrize("shipped", [False, True])
def test_what_was_sold_at_a_location_before_it_closed_counts(world: World, shipped: bool) -> None:
    """Ordered or off the shelf: what is missing of the stock that Shopify moved."""
    mug(world)
    world.shop.sell("MUG", 2, "Pop-up", shipped=shipped)
    world.shop.close_location("Pop-up", move_to="Warehouse")
    document = world.locations(exit_code=3)
    assert kinds(document) == ["stock_moved"]
    assert places(world, *PLACES[:2]) == [12, 12]
    assert quiet(world.locations())


def test_an_item_that_is_unstocked_takes_no_stock_along(world: World) -> None:
    """Its level can't be read any more; a restock beside it is told of, and nothing else counts."""
    mug(world)
    world.shop.unstock("MUG", "Pop-up")
    world.shop.set_available("MUG", 17, "Till")
    assert kinds(world.locations(exit_code=3)) == ["stock_moved"]
    assert places(world, *PLACES[:2]) == [14, 14]
