"""`invsync locations` from the command line to the shop and back.

One variant, one number, wherever it is stocked.
"""

from __future__ import annotations

from typing import Any

import pytest
from program_world import World

PLACES = ("Warehouse", "Till", "Pop-up")


def stocked(world: World, sku: str, *available: int) -> None:
    """A product of one variant, stocked at as many of the places as there are numbers."""
    world.add(sku.title(), [sku], available=0, locations=PLACES[: len(available)])
    for place, quantity in zip(PLACES, available, strict=False):
        world.shop.set_available(sku, quantity, place)


def at(world: World, sku: str) -> list[int]:
    """What the item reads at each place that stocks it."""
    return [level.available for level in world.shop.item(sku).levels.values()]


def seeded(world: World) -> None:
    """A mug that reads 20 at two locations, adopted."""
    stocked(world, "MUG", 20, 20)
    world.run("locations", "--init")


def kinds(document: dict[str, Any]) -> list[str]:
    return [problem["kind"] for problem in document["problems"]]


# --- Mirrored stock -------------------------------------------------------------------------------


def test_a_sale_at_the_till_lowers_the_warehouse(world: World) -> None:
    seeded(world)
    world.sell("MUG", 2, location="Till")
    document = world.locations()
    assert at(world, "MUG") == [18, 18]
    (change,) = document["changes"]
    assert change["title"] == "Mug"
    assert change["quantity"] == {"from": 20, "to": 18}
    assert [
        (level["location"], level["movement"], level["delta"]) for level in change["levels"]
    ] == [
        (world.shop.location("Warehouse").gid, 0, -2),
        (world.shop.location("Till").gid, -2, 0),
    ]


def test_a_second_run_sends_nothing_and_says_nothing(world: World) -> None:
    seeded(world)
    world.sell("MUG", 2, location="Till")
    world.run("locations")
    ran = world.run("locations", "-q")
    assert (ran.out, ran.err) == ("", "")
    assert world.batches == []


def test_sales_at_several_locations_add_up(world: World) -> None:
    stocked(world, "MUG", 20, 20, 20)
    world.run("locations", "--init")
    world.sell("MUG", 2, location="Till")
    world.sell("MUG", 3, location="Pop-up")
    world.run("locations")
    assert at(world, "MUG") == [15, 15, 15]


def test_a_delivery_to_the_warehouse_lifts_the_till(world: World) -> None:
    seeded(world)
    world.shop.restock("MUG", 30, "Warehouse")
    world.run("locations")
    assert at(world, "MUG") == [50, 50]


def test_each_variant_of_a_product_is_a_stock_of_its_own(world: World) -> None:
    world.add("Shirt", "SHIRT-S SHIRT-M", available=10, locations=PLACES[:2])
    world.run("locations", "--init")
    world.sell("SHIRT-S", 4, location="Till")
    document = world.locations()
    assert (at(world, "SHIRT-S"), at(world, "SHIRT-M")) == ([6, 6], [10, 10])
    assert [change["title"] for change in document["changes"]] == ["Shirt / S"]
    assert document["pools"]["seen"] == 2


def test_variants_and_locations_keep_their_own_caches(world: World) -> None:
    world.add("Print", "P-S P-M", available=10, locations=PLACES[:2])
    world.run("variants", "--init")
    world.run("locations", "--init")
    assert {path.name for path in world.state.glob("*.json")} == {"variants.json", "locations.json"}
    world.run("locations", "--init", "--reset")
    assert set(world.cached("variants")) == {"Print"}


# --- Unequal ones ---------------------------------------------------------------------------------


def test_unequal_locations_are_remembered_and_listed(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    ran = world.run("locations", "--init", exit_code=3)
    assert "Apron" in ran.out
    assert "Warehouse 8, Till 3" in ran.out
    assert at(world, "APRON") == [8, 3]
    assert world.cached("locations")["Apron"]["quantity"] is None


def test_the_first_location_that_rises_is_the_source(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    world.run("locations", "--init", exit_code=3)
    world.shop.restock("APRON", 4, "Warehouse")
    world.run("locations", exit_code=3)  # lifts the till by more than the warehouse rose
    assert at(world, "APRON") == [12, 12]


def test_a_sale_at_unequal_locations_raises_none_of_them(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    world.run("locations", "--init", exit_code=3)
    world.sell("APRON", 1, location="Warehouse")
    world.run("locations", exit_code=3)
    assert at(world, "APRON") == [7, 2], "passed on, and still out of sync"
    world.run("locations", exit_code=3)
    assert at(world, "APRON") == [7, 2]


def test_several_locations_that_moved_give_the_smallest_with_a_warning(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    world.run("locations", "--init", exit_code=3)
    world.shop.set_available("APRON", 15, "Warehouse")
    world.shop.set_available("APRON", 11, "Till")
    document = world.locations()
    assert at(world, "APRON") == [11, 11]
    assert [warning["kind"] for warning in document["warnings"]] == ["several_sources"]


def test_unequal_locations_stay_alone_until_one_moves(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    world.run("locations", "--init", exit_code=3)
    assert kinds(world.locations(exit_code=3)) == ["out_of_sync"]
    assert world.batches == []


def test_locations_that_were_made_equal_are_adopted(world: World) -> None:
    stocked(world, "APRON", 8, 3)
    world.run("locations", "--init", exit_code=3)
    world.shop.set_available("APRON", 8, "Till")
    assert world.locations()["pools"]["adopted"] == 1


# --- New items ------------------------------------------------------------------------------------


def test_a_new_item_typed_in_at_one_location_spreads_to_the_others(world: World) -> None:
    seeded(world)
    stocked(world, "CUP", 0, 0, 12)
    world.run("locations")
    assert at(world, "CUP") == [12, 12, 12]


def test_a_new_item_with_different_numbers_waits(world: World) -> None:
    seeded(world)
    stocked(world, "CUP", 5, 12)
    assert kinds(world.locations(exit_code=3)) == ["out_of_sync"]
    assert at(world, "CUP") == [5, 12]


def test_an_item_typed_in_at_one_location_before_the_first_run_waits(world: World) -> None:
    stocked(world, "CUP", 0, 12)
    world.run("locations", "--init", exit_code=3)
    assert at(world, "CUP") == [0, 12]


def test_a_new_item_that_is_0_everywhere_is_adopted_at_0(world: World) -> None:
    seeded(world)
    stocked(world, "CUP", 0, 0)
    assert world.locations()["pools"]["adopted"] == 1
    world.shop.restock("CUP", 6, "Till")
    world.run("locations")
    assert at(world, "CUP") == [6, 6]


# --- Locations that come and go -------------------------------------------------------------------


def test_a_newly_stocked_location_is_brought_to_the_quantity(world: World) -> None:
    seeded(world)
    world.shop.stock("MUG", "Pop-up", 0)
    assert world.locations()["warnings"] == []
    assert at(world, "MUG") == [20, 20, 20]


def test_a_new_location_of_the_shop_joins(world: World) -> None:
    seeded(world)
    world.shop.add_location("Market")
    world.run("locations", "-q")
    world.shop.stock("MUG", "Market", 0)
    world.sell("MUG", 5, location="Warehouse")
    world.run("locations")
    assert at(world, "MUG") == [15, 15, 15]


def test_a_closed_location_leaves_and_the_quantity_stays(world: World) -> None:
    stocked(world, "MUG", 20, 20, 20)
    world.run("locations", "--init")
    world.shop.close_location("Pop-up")
    assert world.locations()["changes"] == []
    world.sell("MUG", 5, location="Till")
    world.run("locations")
    assert at(world, "MUG") == [15, 15, 20]


def test_a_location_that_opens_again_is_brought_to_the_quantity_and_said(world: World) -> None:
    stocked(world, "MUG", 20, 20, 20)
    world.run("locations", "--init")
    world.shop.close_location("Pop-up")
    world.sell("MUG", 5, location="Till")
    world.run("locations")
    world.shop.open_location("Pop-up")
    document = world.locations()
    assert at(world, "MUG") == [15, 15, 15]
    assert [warning["kind"] for warning in document["warnings"]] == ["new_level_stock"]


def test_an_inactive_level_is_left_out(world: World) -> None:
    stocked(world, "MUG", 20, 20, 20)
    world.shop.deactivate_level("MUG", "Pop-up")
    world.run("locations", "--init")
    world.sell("MUG", 1, location="Till")
    world.run("locations")
    assert at(world, "MUG") == [19, 19, 20]


def test_a_location_of_a_fulfilment_service_is_left_out(world: World) -> None:
    service = world.shop.add_location("Far away Fulfilment", fulfillment_service=True)
    seeded(world)
    world.shop.stock("MUG", service, 500)
    world.sell("MUG", 2, location="Till")
    assert world.locations()["problems"] == []
    assert at(world, "MUG") == [18, 18, 500]


def test_named_locations_are_the_only_ones(world: World) -> None:
    stocked(world, "MUG", 20, 20, 7)
    till = world.shop.location("Till")
    world.configure(locations={"locations": ["Warehouse", str(till.id)]})
    world.run("locations", "--init")
    world.sell("MUG", 2, location="Till")
    world.sell("MUG", 3, location="Pop-up")
    world.run("locations")
    assert at(world, "MUG") == [18, 18, 4]


def test_an_item_at_one_location_is_remembered_and_joined_by_a_second(world: World) -> None:
    stocked(world, "MUG", 20)
    stocked(world, "CUP", 5, 5)
    world.run("locations", "--init")
    world.sell("MUG", 1)
    assert world.locations()["changes"] == []
    world.shop.stock("MUG", "Till", 0)
    world.run("locations")
    assert at(world, "MUG") == [19, 19]


def test_an_item_at_250_locations(world: World) -> None:
    places = [world.shop.location(name) for name in PLACES]
    places += [world.shop.add_location(f"Shelf {number:03}") for number in range(247)]
    world.add("Mug", ["MUG"], available=20, locations=places)
    world.run("locations", "--init")
    world.sell("MUG", 2, location="Shelf 246")
    world.run("locations")
    assert set(at(world, "MUG")) == {18}
    assert [len(batch) for batch in world.batches] == [249]


# --- Which products -------------------------------------------------------------------------------


def test_no_types_means_every_product_and_types_only_those(world: World) -> None:
    stocked(world, "MUG", 20, 20)
    world.add("Tea", ["TEA"], product_type="Food", available=9, locations=PLACES[:2])
    assert world.locations("--init")["pools"]["seen"] == 2
    world.configure(locations={"product_types": ["Food"]})
    assert world.locations("--init", "--reset")["pools"]["seen"] == 1
    assert set(world.cached("locations")) == {"Tea"}


def test_what_can_not_be_kept_in_step_is_counted_by_its_reason(world: World) -> None:
    stocked(world, "MUG", 20, 20)
    world.add("Wallpaper", ["WALL"], tracked=False, locations=PLACES[:2])
    world.add("Old", ["OLD"], status="ARCHIVED", available=7, locations=PLACES[:2])
    world.add("Gift card", ["GIFT"], gift_card=True, locations=PLACES[:2])
    bundle = world.add("Duo", [])
    world.shop.add_variant(bundle, "DUO", requires_components=True, locations=PLACES[:2])
    world.add("Nowhere", ["NOWHERE"], locations=())
    document = world.locations("--init")
    assert document["skipped"] == {
        "bundle": 1,
        "gift_card": 1,
        "not_stocked": 1,
        "untracked": 1,
    }
    assert set(world.cached("locations")) == {"Mug", "Old"}  # archived, and kept in step


def test_an_item_that_two_variants_share_is_one_stock(world: World) -> None:
    stocked(world, "MUG", 20, 20)
    gift = world.add("Mug in a box", [])
    world.shop.add_variant(gift, "MUG-BOX", item=world.shop.item("MUG"), locations=())
    assert world.locations("--init")["pools"]["seen"] == 1
    world.sell("MUG", 2, location="Till")
    world.run("locations")
    assert at(world, "MUG") == [18, 18]
    assert [len(batch) for batch in world.batches] == [1]


def test_a_deleted_or_retyped_product_leaves(world: World) -> None:
    world.configure(locations={"product_types": ["Print"]})
    seeded(world)
    stocked(world, "CUP", 5, 5)
    stocked(world, "POT", 6, 6)
    stocked(world, "PAN", 7, 7)
    world.run("locations")
    world.shop.delete_product("Cup")
    world.shop.retype("Pot", "Poster")
    assert world.locations()["problems"] == []
    assert set(world.cached("locations")) == {"Mug", "Pan"}


def test_a_product_that_is_archived_stays_in_step(world: World) -> None:
    seeded(world)
    stocked(world, "CUP", 5, 5)
    world.run("locations")
    world.shop.archive("Cup")
    world.sell("CUP", 1, location="Till")
    world.run("locations")
    assert at(world, "CUP") == [4, 4]


def test_a_product_that_leaves_and_returns_is_judged_afresh(world: World) -> None:
    world.configure(locations={"product_types": ["Print"]})
    seeded(world)
    stocked(world, "CUP", 5, 5)
    world.run("locations")
    world.shop.retype("Cup", "Poster")
    world.run("locations")
    world.sell("CUP", 1, location="Till")
    world.shop.retype("Cup", "Print")
    assert kinds(world.locations(exit_code=3)) == ["out_of_sync"]
    assert at(world, "CUP") == [5, 4]


# --- The rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "after"), [("smallest", [24, 24, 24]), ("sum", [30, 30, 30]), ("hold", [24, 26, 20])]
)
def test_several_rises_follow_the_policy(world: World, policy: str, after: list[int]) -> None:
    world.configure(locations={"several_rises": policy})
    stocked(world, "MUG", 20, 20, 20)
    world.run("locations", "--init")
    world.shop.restock("MUG", 4, "Warehouse")
    world.shop.restock("MUG", 6, "Till")
    document = world.locations(exit_code=3)
    assert at(world, "MUG") == after
    (message,) = [
        problem["message"] for problem in document["problems"] if problem["kind"] == "several_rises"
    ]
    assert "Warehouse +4, Till +6" in message


def test_rises_of_too_many_items_are_held(world: World) -> None:
    for number in range(21):
        stocked(world, f"MUG{number:02}", 20, 20)
    world.run("locations", "--init")
    for number in range(20):
        world.shop.restock(f"MUG{number:02}", 5, "Warehouse")
    assert world.locations(exit_code=3)["pools"]["held"] == 20
    assert at(world, "MUG00") == [25, 20]
    assert world.locations("--force")["pools"]["adjusted"] == 20
    assert at(world, "MUG00") == [25, 25]


def test_too_many_first_sources_are_held_too(world: World) -> None:
    for number in range(20):
        stocked(world, f"MUG{number:02}", 20, 10)
    world.run("locations", "--init", exit_code=3)
    for number in range(20):
        world.shop.restock(f"MUG{number:02}", 5, "Warehouse")
    world.run("locations", exit_code=3)
    assert at(world, "MUG00") == [25, 10]
    world.run("locations", "--force", exit_code=3)
    assert at(world, "MUG00") == [25, 25]


def test_a_new_item_typed_in_at_the_same_time_as_a_sale_elsewhere(world: World) -> None:
    seeded(world)
    stocked(world, "CUP", 12, 0)
    world.sell("CUP", 3, location="Warehouse")
    world.sell("MUG", 1, location="Warehouse")
    world.run("locations")
    assert (at(world, "CUP"), at(world, "MUG")) == ([9, 9], [19, 19])
