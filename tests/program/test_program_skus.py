"""One SKU on several products is one stock."""

from __future__ import annotations

import pytest
from group_world import listing, reads, resku, story
from program_world import World

from invsync.sandbox.things import Variant

SCANS = pytest.mark.parametrize("scan", ["complete", "changes"])


def by_sku(world: World, scan: str = "auto", **keys: object) -> None:
    world.configure(variants={"skus": "all", "scan": scan, **keys})


@SCANS
def test_a_sku_on_three_products_and_a_fourth_sells_from_one_stock(world: World, scan: str) -> None:
    by_sku(world, scan)
    four = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black", "white", "oak")]
    other = listing(world, "Oak", "B", 7)
    world.run("variants", "--init")
    for sold in four[:3]:
        world.shop.sell(sold.item, 3)
    document = world.variants()
    assert reads(*four, other) == [21, 21, 21, 21, 7]
    assert document["pools"]["seen"] == 1
    (change,) = document["changes"]
    assert (change["pool"], change["title"]) == ("sku:A", "A")
    assert change["quantity"] == {"from": 30, "to": 21}
    assert world.variants()["changes"] == []


@SCANS
def test_a_new_listing_joins_at_what_the_others_read(world: World, scan: str) -> None:
    by_sku(world, scan)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    third = listing(world, "Birch white", " A ", 0)
    world.variants()
    assert reads(*two, third) == [30, 30, 30]


@SCANS
def test_a_listing_that_gets_another_sku_joins_and_its_stock_is_named(
    world: World, scan: str
) -> None:
    by_sku(world, scan)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    others = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    resku(world, others[0], "A")
    document = world.variants()
    assert reads(*two, *others) == [30, 30, 30, 7]
    (told,) = story(document, "changed_pool")
    assert "Oak plain from B, where it reads 7" in told
    world.time.pass_by(minutes=1)
    again = world.variants()
    assert again["changes"] == again["warnings"] == []


@SCANS
def test_what_a_listing_sold_before_it_changed_its_sku_counts_in_both(
    world: World, scan: str
) -> None:
    by_sku(world, scan)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    others = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black", "white")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.sell(others[0].item, 2)
    resku(world, others[0], "A")
    world.variants()
    assert reads(*two, *others) == [28, 28, 28, 5, 5]


@SCANS
def test_a_rise_of_a_listing_that_changed_its_sku_counts_in_neither(
    world: World, scan: str
) -> None:
    by_sku(world, scan)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    others = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black", "white")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.set_available(others[0].item, 9)
    resku(world, others[0], "A")
    world.variants()
    assert reads(*two, *others) == [30, 30, 30, 7, 7]


@SCANS
def test_two_listings_that_swap_their_skus(world: World, scan: str) -> None:
    by_sku(world, scan)
    birch = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    oak = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    resku(world, birch[0], "B")
    resku(world, oak[0], "A")
    world.shop.sell(birch[0].item, 1)
    world.variants()
    assert reads(birch[0], oak[1]) == [6, 6]
    assert reads(birch[1], oak[0]) == [29, 29]


@SCANS
def test_a_sku_that_is_spelled_anew_on_all_its_listings_is_carried_over_whole(
    world: World, scan: str
) -> None:
    by_sku(world, scan)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    listing(world, "Oak", "B", 7)
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    for one in two:
        resku(world, one, "BIRCH-A")
    world.shop.sell(two[0].item, 4)
    document = world.variants()
    assert reads(*two) == [26, 26]
    (change,) = document["changes"]
    assert change["pool"] == "sku:BIRCH-A"
    assert change["quantity"] == {"from": 30, "to": 26}
    assert set(world.cached()) == {"BIRCH-A", "B"}


def test_a_write_that_is_refused_is_made_up_for_by_the_next_run(world: World) -> None:
    by_sku(world)
    three = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black", "white")]
    world.run("variants", "--init")
    world.shop.sell(three[0].item)
    world.cut_off("variants")
    world.variants()
    assert reads(*three) == [29, 29, 29]


def test_listings_without_a_sku_are_left_out_and_counted(world: World) -> None:
    by_sku(world)
    for frame in ("plain", "black"):
        listing(world, f"Birch {frame}", "A")
    listing(world, "Gift wrap", "  ", 5)
    document = world.variants("--init")
    assert document["skipped"] == {"no_sku": 1}
    assert document["pools"]["seen"] == 1


def test_a_placeholder_is_no_stock(world: World) -> None:
    by_sku(world)
    many = [listing(world, f"Print {number}", "TBD", 5) for number in range(120)]
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    document = world.variants("--init", exit_code=3)
    (problem,) = document["problems"]
    assert (problem["kind"], problem["pool"]) == ("too_many", "sku:TBD")
    assert "120 levels share it" in problem["message"]
    world.shop.sell(many[0].item)
    world.shop.sell(two[0].item)
    document = world.variants(exit_code=3)
    assert [problem["kind"] for problem in document["problems"]] == ["too_many"]
    assert reads(*many[:3], *two) == [4, 5, 5, 29, 29]


def test_only_the_skus_that_are_listed(world: World) -> None:
    world.configure(variants={"skus": ["A", "C"]})
    birch = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    oak = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]
    other = [listing(world, f"Other {frame}", "a", 9) for frame in ("plain", "black")]
    ash = [listing(world, f"Ash {frame}", "C", 5) for frame in ("plain", "black")]
    world.run("variants", "--init")
    for one in (birch, oak, other, ash):
        world.shop.sell(one[0].item)
    document = world.variants()
    assert reads(*birch, *oak, *other, *ash) == [29, 29, 6, 7, 8, 9, 4, 4]
    assert document["pools"]["seen"] == 2


def test_skus_of_products_of_a_type(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "pool_by": "sku"})
    here = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    mug = listing(world, "Birch mug", "A", product_type="Mug")
    world.run("variants", "--init")
    world.shop.sell(here[0].item, 2)
    world.shop.sell(mug.item, 5)
    world.variants()
    assert reads(*here, mug) == [28, 28, 25]


@SCANS
def test_a_listing_whose_product_no_longer_matches_leaves_with_its_last_fall(
    world: World, scan: str
) -> None:
    world.configure(variants={"product_types": ["Print"], "pool_by": "sku", "scan": scan})
    three = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black", "white")]
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    world.shop.sell(three[0].item, 2)
    world.shop.retype(three[0].product, "Mug")
    world.variants()
    assert reads(*three) == [28, 28, 28]
    world.shop.sell(three[0].item, 2)
    world.variants()
    assert reads(*three) == [26, 28, 28]


def test_an_idle_run_costs_what_it_costs_by_product(world: World) -> None:
    by_sku(world, "changes")
    for number in range(300):
        for frame in ("plain", "black"):
            listing(world, f"Print {number} {frame}", f"P-{number}")
    world.time.pass_by(hours=1)
    world.run("variants", "--init")
    world.time.pass_by(hours=1)
    document = world.variants()
    assert (document["api"]["requests"], document["api"]["points"]) == (3, 9)


def test_what_is_spelled_in_two_ways_and_what_nothing_has_is_told(world: World) -> None:
    world.configure(variants={"skus": ["A", "a", "GONE"]})
    for sku in "Aa":
        for frame in ("plain", "black"):
            listing(world, f"{sku} {frame}", sku)
    document = world.variants("--init")
    (spelled,), (missing,) = story(document, "sku_spelling"), story(document, "sku_not_found")
    assert "A and a" in spelled
    assert "GONE" in missing
    assert document["pools"]["seen"] == 2


def test_a_placeholder_costs_nothing_between_two_complete_scans(world: World) -> None:
    by_sku(world, "changes")
    many = [listing(world, f"Print {number}", "TBD", 5) for number in range(300)]
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    world.time.pass_by(hours=1)
    world.run("variants", "--init", exit_code=3)
    world.time.pass_by(hours=1)
    document = world.variants(exit_code=3)
    assert (document["api"]["requests"], document["api"]["points"]) == (3, 9)
    assert [problem["kind"] for problem in document["problems"]] == ["too_many"]
    assert document["pools"] == {**document["pools"], "seen": 2, "in_step": 1, "out_of_sync": 1}
    world.shop.sell(many[0].item)
    resku(world, many[1], "A")
    world.variants(exit_code=3)
    assert reads(*two, *many[:3]) == [30, 30, 4, 30, 5]
    assert "ReadVariants" in world.operations


def test_another_grouping_is_refused_with_the_way_on(world: World) -> None:
    by_sku(world)
    for frame in ("plain", "black"):
        listing(world, f"Birch {frame}", "A")
    world.run("variants", "--init")
    world.configure(variants={"product_types": ["Print"]})
    before = world.files()
    told = world.run("variants", exit_code=1)
    assert "was made for one stock by sku, not by product; nothing was changed" in told.problem
    assert "start over with" in told.problem
    kept = "invsync-state/variants.json"
    assert world.files()[kept] == before[kept]
    world.run("variants", "--init", "--reset")


def test_all_of_a_type_is_one_stock(world: World) -> None:
    world.configure(variants={"product_types": ["Blank"], "pool_by": "product_type"})
    blanks = [listing(world, f"{motif} shirt", motif, 40, product_type="Blank") for motif in "XYZ"]
    world.run("variants", "--init")
    world.shop.sell(blanks[1].item, 6)
    document = world.variants()
    assert reads(*blanks) == [34, 34, 34]
    assert document["changes"][0]["pool"] == "type:Blank"


def test_two_pools_that_show_one_item_are_left_alone(world: World) -> None:
    by_sku(world)
    two = [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black")]
    oak = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]
    shared = world.shop.add_variant(oak[0].product, "B2", item=two[0].item)
    world.shop._by_sku = None
    world.configure(variants={"product_types": ["Print"], "pool_by": "product_type"})
    world.shop.retype(oak[0].product, "Print, large")
    world.configure(
        variants={"product_types": ["Print", "Print, large"], "pool_by": "product_type"}
    )
    document = world.variants("--init", exit_code=3)
    kinds = {(problem["kind"], problem["pool"]) for problem in document["problems"]}
    assert ("shared_item", "type:Print") in kinds
    assert ("shared_item", "type:Print, large") in kinds
    assert shared.item is two[0].item
    world.shop.sell(two[0].item)
    world.run("variants", exit_code=3)
    assert reads(*two, *oak) == [29, 30, 7, 7]


def test_check_lists_what_would_be_pooled_before_anything_is(world: World) -> None:
    world.configure(variants={"skus": "all"}, locations=None)
    for frame in ("plain", "black", "white"):
        listing(world, f"Birch {frame}", "A")
    oak = [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]
    world.shop.set_policy(oak[0], "CONTINUE")
    listing(world, "Alone", "C")
    listing(world, "Bare", "")
    for number in range(101):
        listing(world, f"Print {number}", "TBD")
    found = {one["check"]: one for one in world.run("check", "--json").document["checks"]}
    told = found["variants.pools"]
    assert told["result"] == "warning"
    assert told["counts"] == {"found": 4, "pools": 3, "out_of_step": 0, "complete": 1}
    for part in (
        "4 pools match (every SKU), 1 of them with one listing only",
        "the largest: TBD (101), A (3), B (2)",
        "can't be adopted: TBD",
        "some sell on when out of stock, some don't: B",
        "left out: 1 no sku",
    ):
        assert part in told["message"]


def test_a_mail_says_which_sku_and_which_listings_differ(world: World) -> None:
    world.configure(variants={"skus": "all"}, locations=None)
    listing(world, "Birch plain", "BOX/A", 3)
    listing(world, "Birch black", "BOX/A", 5)
    out = world.run("variants", "--init", exit_code=3).out
    assert "BOX/A (sku:BOX/A): its listings differ (Birch plain 3, Birch black 5)" in out


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sold", [0, 2])
def test_a_run_cut_off_while_a_listing_changed_its_sku_counts_nothing_twice(
    world: World, *, after: bool, turned: bool, sold: int
) -> None:
    by_sku(world)

    def birches() -> list[Variant]:
        return [listing(world, f"Birch {frame}", "A") for frame in ("plain", "black", "white")]

    def oaks() -> list[Variant]:
        return [listing(world, f"Oak {frame}", "B", 7) for frame in ("plain", "black")]

    if turned:
        oak, birch = oaks(), birches()
    else:
        birch, oak = birches(), oaks()
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    if sold:
        world.shop.sell(birch[0].item, sold)
    resku(world, birch[0], "B")
    world.cut_off("variants", after=after)
    world.run("variants")
    assert reads(*birch[1:]) == [30 - sold] * 2
    assert reads(birch[0], *oak) == [7 - sold] * 3
    assert world.variants()["changes"] == []
