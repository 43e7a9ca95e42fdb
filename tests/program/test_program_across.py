"""Listings at several locations: a stock at each, or one over all of them."""

from __future__ import annotations

from typing import Any

import pytest
from group_world import listing, story
from program_world import World

from invsync.sandbox.things import Variant

SCANS = pytest.mark.parametrize("scan", ["complete", "changes"])
PLACES = ("Warehouse", "Till")


def at(variant: Variant, place: str) -> int:
    found = {level.location.name: level.available for level in variant.item.levels.values()}
    return found[place]


def everywhere(world: World, title: str, skus: str, available: int = 30) -> list[Variant]:
    places = [world.shop.location(name) for name in PLACES]
    return list(world.add(title, skus, available, locations=places).variants)


def configure(world: World, scan: str = "auto", **keys: Any) -> None:
    keys = {"product_types": ["Print"], "locations": list(PLACES), "scan": scan, **keys}
    world.configure(variants=keys)


@SCANS
def test_each_location_has_a_stock_of_its_own(world: World, scan: str) -> None:
    configure(world, scan)
    two = everywhere(world, "Birch", "B-S B-M")
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.sell(two[0].item, 2, "Warehouse")
    world.shop.sell(two[1].item, 3, "Till")
    document = world.variants()
    assert [at(one, "Warehouse") for one in two] == [28, 28]
    assert [at(one, "Till") for one in two] == [27, 27]
    assert document["pools"]["seen"] == 2
    warehouse = world.shop.location("Warehouse")
    (told,) = [one for one in document["changes"] if one["quantity"]["to"] == 28]
    assert told["pool"] == f"{two[0].product.gid}@{warehouse.gid}"
    assert told["title"] == "Birch at Warehouse"
    assert world.variants()["changes"] == []


@SCANS
@pytest.mark.parametrize("by", ["product", "sku"])
def test_one_stock_over_all_locations(world: World, scan: str, by: str) -> None:
    configure(world, scan, across_locations=True, pool_by=by)
    if by == "product":
        two = everywhere(world, "Birch", "B-S B-M")
    else:
        two = [*everywhere(world, "Birch plain", "A"), *everywhere(world, "Birch black", "A")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.sell(two[0].item, 2, "Warehouse")
    world.shop.sell(two[1].item, 3, "Till")
    document = world.variants()
    assert [at(one, place) for one in two for place in PLACES] == [25] * 4
    assert document["pools"]["seen"] == 1
    assert world.variants()["changes"] == []


def test_what_is_not_stocked_somewhere_has_no_level_there(world: World) -> None:
    configure(world, across_locations=True)
    two = everywhere(world, "Birch", "B-S B-M")
    third = world.shop.add_variant(
        two[0].product, "B-L", available=30, locations=(world.shop.location("Warehouse"),)
    )
    world.run("variants", "--init")
    world.shop.sell(two[0].item, 4, "Till")
    world.variants()
    assert [at(one, place) for one in two for place in PLACES] == [26] * 4
    assert [level.available for level in third.item.levels.values()] == [26]


def test_a_call_that_was_cut_off_is_finished_exactly_once(world: World) -> None:
    configure(world, across_locations=True)
    two = everywhere(world, "Birch", "B-S B-M")
    world.run("variants", "--init")
    world.shop.sell(two[0].item, 2, "Warehouse")
    world.cut_off("variants", after=True)
    world.variants()
    assert [at(one, place) for one in two for place in PLACES] == [28] * 4


@pytest.mark.parametrize("each", [True, False])
def test_a_cut_off_run_at_each_location(world: World, each: bool) -> None:
    configure(world, across_locations=not each)
    two = everywhere(world, "Birch", "B-S B-M")
    world.run("variants", "--init")
    world.shop.sell(two[0].item, 2, "Warehouse")
    world.shop.sell(two[0].item, 5, "Till")
    world.cut_off("variants")
    world.variants()
    expected = [28, 25] * 2 if each else [23] * 4
    assert [at(one, place) for one in two for place in PLACES] == expected


def test_locations_leaves_out_what_variants_keeps_over_all_of_them(world: World) -> None:
    configure(world, across_locations=True)
    everywhere(world, "Birch", "B-S B-M")
    places = [world.shop.location(name) for name in PLACES]
    mug = world.add("Mug", ["MUG"], 5, product_type="Mug", locations=places).variants[0]
    world.run("variants", "--init")
    document = world.locations("--init")
    assert document["skipped"]["in_variants"] == 2
    assert document["pools"]["seen"] == 1
    world.shop.sell(mug.item, 1, "Till")
    world.locations()
    assert [at(mug, place) for place in PLACES] == [4, 4]
    found = {one["check"]: one for one in world.run("check", "--json").document["checks"]}
    assert "2 in variants" in found["locations.pools"]["message"]


def test_another_spread_over_locations_is_refused(world: World) -> None:
    configure(world)
    everywhere(world, "Birch", "B-S B-M")
    world.run("variants", "--init")
    configure(world, across_locations=True)
    told = world.run("variants", exit_code=1)
    assert "product at each location, not by product across locations" in told.problem


def test_a_location_that_joins_has_stocks_of_its_own(world: World) -> None:
    configure(world, locations=["Warehouse"])
    two = everywhere(world, "Birch", "B-S B-M")
    world.run("variants", "--init")
    configure(world)
    world.run("variants")
    world.shop.sell(two[0].item, 2, "Till")
    world.variants()
    assert [at(one, "Till") for one in two] == [28, 28]
    assert [at(one, "Warehouse") for one in two] == [30, 30]


def test_a_listing_that_changes_its_sku_does_so_at_each_location(world: World) -> None:
    configure(world, pool_by="sku")
    birch = [*everywhere(world, "Birch plain", "A"), *everywhere(world, "Birch black", "A")]
    oak = [*everywhere(world, "Oak plain", "B", 7), *everywhere(world, "Oak black", "B", 7)]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.sell(oak[0].item, 2, "Till")
    world.shop.set_sku(oak[0], "A")
    document = world.variants()
    assert [at(one, "Warehouse") for one in (*birch, *oak)] == [30, 30, 30, 7]
    assert [at(one, "Till") for one in (*birch, *oak)] == [28, 28, 28, 5]
    assert len(story(document, "changed_pool")) == 2
    assert listing(world, "Alone", "C").sku == "C"


def test_an_idle_run_costs_nothing_more(world: World) -> None:
    configure(world, "changes", across_locations=True)
    for number in range(20):
        everywhere(world, f"Birch {number}", f"B{number}-S B{number}-M")
    world.time.pass_by(hours=1)
    world.run("variants", "--init")
    world.time.pass_by(hours=1)
    assert world.variants()["api"]["requests"] == 3
