"""`invsync variants` from the command line to the shop and back.

What is sold once is counted once.
"""

from __future__ import annotations

from typing import Any

import pytest
from program_world import World

FOUR = "P-S P-M P-L P-XL"


def seeded(world: World) -> None:
    """One print in four variants at 30, adopted."""
    world.add("Print", FOUR)
    world.run("variants", "--init")


# --- The rule, through everything -----------------------------------------------------------------


def test_three_of_four_variants_sold_three_times_each_end_at_21(world: World) -> None:
    seeded(world)
    world.sell("P-S P-M P-L", 3)
    document = world.variants()
    assert world.reads(FOUR) == [21, 21, 21, 21]
    assert world.sent == {"P-S": -6, "P-M": -6, "P-L": -6, "P-XL": -9}
    assert document["changes"][0]["quantity"] == {"from": 30, "to": 21}


def test_single_sales_one_after_another_are_each_counted_once(world: World) -> None:
    seeded(world)
    for left in (29, 28, 27):
        world.sell("P-M")
        world.run("variants")
        assert world.reads(FOUR) == [left] * 4


def test_a_second_run_sends_nothing_and_says_nothing(world: World) -> None:
    seeded(world)
    world.sell("P-S", 3)
    world.run("variants")
    ran = world.run("variants", "-q")
    assert (ran.out, ran.err) == ("", "")
    assert world.batches == []
    assert world.run("variants").out == ""  # not even without -q, where nobody looks on


def test_a_sale_between_reading_and_sending_is_counted_by_the_next_run(world: World) -> None:
    seeded(world)
    world.sell("P-S", 3)

    def buy_once(request: object, phase: str) -> None:
        if phase == "before" and getattr(request, "operation", "") == "Adjust" and not bought:
            bought.append(1)
            world.shop.sell("P-L", 5)

    bought: list[int] = []
    world.hook = buy_once
    world.run("variants")
    assert world.reads(FOUR) == [27, 27, 22, 27]
    world.run("variants")
    assert world.reads(FOUR) == [22, 22, 22, 22]


def test_one_restocked_variant_lifts_the_others(world: World) -> None:
    seeded(world)
    world.shop.restock("P-L", 20)
    document = world.variants()
    assert world.reads(FOUR) == [50] * 4
    assert document["pools"]["adjusted"] == 1
    assert {change["changeFromQuantity"] for change in world.batches[0]} == {30}


def test_what_lowers_is_sent_without_comparing(world: World) -> None:
    seeded(world)
    world.sell("P-L", 2)
    world.run("variants")
    assert [change["changeFromQuantity"] for change in world.batches[0]] == [None, None, None]


def test_sales_and_a_restock_between_two_runs_all_count(world: World) -> None:
    seeded(world)
    world.sell("P-S P-M", 4)
    world.shop.restock("P-L", 10)
    world.run("variants")
    assert world.reads(FOUR) == [32] * 4


def test_a_pool_may_go_below_zero_and_come_back(world: World) -> None:
    world.add("Print", "P-S P-M", available=2)
    world.run("variants", "--init")
    world.sell("P-S", 2)
    world.sell("P-M", 1)
    document = world.variants(exit_code=3)
    assert world.reads("P-S P-M") == [-1, -1]
    assert [problem["kind"] for problem in document["problems"]] == ["oversold"]
    assert "1 units are owed" in document["problems"][0]["message"]
    assert world.variants()["problems"] == []
    world.shop.restock("P-S", 11)
    world.run("variants")
    assert world.reads("P-S P-M") == [10, 10]


def test_sold_out_is_a_number_like_any_other(world: World) -> None:
    world.add("Print", "P-S P-M", available=3)
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads("P-S P-M") == [0, 0]
    assert world.variants()["pools"]["in_step"] == 1


def test_a_uniform_import_of_50_ends_at_50(world: World) -> None:
    world.add("Print", FOUR, available=10)
    world.run("variants", "--init")
    for sku in FOUR.split():
        world.shop.set_available(sku, 50)
    document = world.variants(exit_code=3)
    assert world.reads(FOUR) == [50] * 4
    assert world.batches == []
    assert [problem["kind"] for problem in document["problems"]] == ["several_rises"]
    assert world.variants()["problems"] == []
    assert world.reads(FOUR) == [50] * 4


@pytest.mark.parametrize(
    ("policy", "after"),
    [("smallest", [34, 34, 34, 34]), ("sum", [40, 40, 40, 40]), ("hold", [34, 36, 30, 30])],
)
def test_two_restocks_between_two_runs_follow_several_rises(
    world: World, policy: str, after: list[int]
) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": policy})
    seeded(world)
    world.shop.restock("P-S", 4)
    world.shop.restock("P-M", 6)
    document = world.variants(exit_code=3)
    assert world.reads(FOUR) == after
    several = [problem for problem in document["problems"] if problem["kind"] == "several_rises"]
    (problem,) = several
    assert problem["title"] == "Print"
    assert "P-S +4" in problem["message"]
    assert "P-M +6" in problem["message"]
    assert [(level["sku"], level["observed"]) for level in problem["levels"]] == [
        ("P-S", 34),
        ("P-M", 36),
        ("P-L", 30),
        ("P-XL", 30),
    ]


def test_held_rises_keep_asking_while_sales_go_on(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": "hold"})
    seeded(world)
    world.shop.restock("P-S", 4)
    world.shop.restock("P-M", 6)
    assert world.variants(exit_code=3)["pools"]["held"] == 1
    world.sell("P-L", 5)
    document = world.variants(exit_code=3)
    assert world.reads(FOUR) == [29, 31, 25, 25]
    assert document["pools"]["held"] == 1
    for sku in FOUR.split():
        world.shop.set_available(sku, 33)
    assert world.variants()["pools"]["held"] == 0
    assert world.cached()["Print"]["quantity"] == 33


def test_a_cancelled_order_of_two_variants_asks_for_a_person(world: World) -> None:
    seeded(world)
    world.sell("P-S P-M")
    world.run("variants")
    world.shop.cancel("P-S")
    world.shop.cancel("P-M")
    document = world.variants(exit_code=3)
    assert world.reads(FOUR) == [29] * 4
    assert "P-S +1, P-M +1" in document["problems"][0]["message"]
    assert "raise one variant by 1" in document["problems"][0]["message"]


def test_a_pair_that_sells_alike_run_after_run_stays_in_step(world: World) -> None:
    world.add("Print", "P-S P-M", available=30)
    world.run("variants", "--init")
    for units, left in ((1, 28), (2, 24), (2, 20), (2, 16)):
        world.sell("P-S P-M", units)
        assert world.variants()["warnings"] == []
        assert world.reads("P-S P-M") == [left, left]


def test_orders_for_all_levels_alike_are_no_count(world: World) -> None:
    seeded(world)
    world.sell(FOUR, 6)
    assert world.variants()["warnings"] == []
    assert world.reads(FOUR) == [6] * 4


def test_a_count_typed_into_all_levels_counts_as_falls_and_is_told(world: World) -> None:
    seeded(world)
    for sku in FOUR.split():
        world.shop.set_available(sku, 25)
    document = world.variants()
    assert world.reads(FOUR) == [10] * 4
    assert [warning["kind"] for warning in document["warnings"]] == ["fell_alike"]
    assert "set one variant to 25 in Shopify" in document["warnings"][0]["message"]
    world.shop.set_available("P-S", 25)
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4


def test_a_count_that_leaves_less_than_nothing_is_a_problem(world: World) -> None:
    seeded(world)
    for sku in FOUR.split():
        world.shop.set_available(sku, 5)
    document = world.variants(exit_code=3)
    assert world.reads(FOUR) == [-70] * 4
    assert [problem["kind"] for problem in document["problems"]] == ["fell_alike", "oversold"]
    world.shop.set_available("P-S", 5)
    world.run("variants")
    assert world.reads(FOUR) == [5] * 4


# --- Variants that come and go --------------------------------------------------------------------


def test_a_new_variant_at_0_drags_nobody_down(world: World) -> None:
    seeded(world)
    world.shop.add_variant(
        world.shop.product("Print"), "P-XXL", available=0, locations=(world.shop.primary,)
    )
    document = world.variants()
    assert world.reads(f"{FOUR} P-XXL") == [30] * 5
    assert world.sent == {"P-XXL": 30}
    assert document["warnings"] == []


def test_a_new_variant_at_0_and_a_sale_at_the_same_time(world: World) -> None:
    seeded(world)
    world.shop.add_variant(
        world.shop.product("Print"), "P-XXL", available=0, locations=(world.shop.primary,)
    )
    world.sell("P-S", 4)
    world.run("variants")
    assert world.reads(f"{FOUR} P-XXL") == [26] * 5


def test_a_new_variant_with_stock_of_its_own_is_brought_to_the_quantity_and_said(
    world: World,
) -> None:
    seeded(world)
    world.shop.add_variant(
        world.shop.product("Print"), "P-XXL", available=7, locations=(world.shop.primary,)
    )
    document = world.variants()
    assert world.reads(f"{FOUR} P-XXL") == [30] * 5
    (warning,) = document["warnings"]
    assert warning["kind"] == "new_level_stock"
    assert "P-XXL 7" in warning["message"]


def test_a_single_variant_is_remembered_and_joined_by_a_second(world: World) -> None:
    world.add("Postcard", "CARD-1", available=80)
    world.add("Print", "P-S P-M")
    world.run("variants", "--init")
    world.sell("CARD-1", 5)
    assert world.variants()["changes"] == []
    world.shop.add_variant(
        world.shop.product("Postcard"), "CARD-2", available=0, locations=(world.shop.primary,)
    )
    document = world.variants()
    assert world.reads("CARD-1 CARD-2") == [75, 75]
    assert document["pools"]["seen"] == 2


def test_a_deleted_variant_leaves_and_the_quantity_stays(world: World) -> None:
    seeded(world)
    world.shop.delete_variant("P-XL")
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads("P-S P-M P-L") == [27] * 3
    assert len(world.cached()["Print"]["levels"]) == 3


def test_a_variant_that_is_no_longer_tracked_leaves_and_comes_back(world: World) -> None:
    seeded(world)
    world.shop.set_tracked("P-XL", False)
    world.sell("P-S", 3)
    assert world.variants()["skipped"] == {"untracked": 1}
    assert world.reads(FOUR) == [27, 27, 27, 30]
    world.shop.set_tracked("P-XL", True)
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_a_variant_that_is_no_longer_stocked_here_is_left_alone(world: World) -> None:
    seeded(world)
    world.shop.deactivate_level("P-XL")
    world.sell("P-S", 3)
    assert world.variants()["skipped"] == {"not_stocked": 1}
    assert world.reads(FOUR) == [27, 27, 27, 30]


def test_a_new_product_with_equal_variants_is_adopted(world: World) -> None:
    seeded(world)
    world.add("Poster", "POSTER-A POSTER-B", available=9)
    document = world.variants()
    assert document["pools"]["adopted"] == 1
    assert world.batches == []
    world.sell("POSTER-A")
    world.run("variants")
    assert world.reads("POSTER-A POSTER-B") == [8, 8]


def test_a_new_product_with_unequal_variants_is_left_alone_until_they_are_equal(
    world: World,
) -> None:
    seeded(world)
    world.add("Poster", "POSTER-A POSTER-B", available=[9, 4])
    for _ in range(2):
        document = world.variants(exit_code=3)
        assert document["pools"]["out_of_sync"] == 1
        assert world.reads("POSTER-A POSTER-B") == [9, 4]
    world.sell("POSTER-A")
    world.run("variants", exit_code=3)
    assert world.reads("POSTER-A POSTER-B") == [8, 4]
    world.shop.set_available("POSTER-A", 4)
    assert world.variants()["pools"]["adopted"] == 1
    world.sell("POSTER-B")
    world.run("variants")
    assert world.reads("POSTER-A POSTER-B") == [3, 3]


# --- Products that leave and return ---------------------------------------------------------------


def _retype(world: World, back: bool) -> None:
    world.shop.retype("Print", "Print" if back else "Poster")


def _archive(world: World, back: bool) -> None:
    world.configure(variants={"product_types": ["Print"], "only_active": True})
    world.shop.set_status("Print", "ACTIVE" if back else "ARCHIVED")


@pytest.mark.parametrize("move", [_retype, _archive], ids=["retyped", "archived"])
def test_a_product_that_left_is_judged_afresh_when_it_returns(world: World, move: object) -> None:
    assert callable(move)
    seeded(world)
    world.add("Other", "O-1 O-2")
    world.run("variants")
    move(world, back=False)
    document = world.variants()
    assert "Print" not in world.cached()
    assert document["pools"]["seen"] == 1
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads(FOUR) == [27, 30, 30, 30]
    move(world, back=True)
    document = world.variants(exit_code=3)
    assert document["problems"][0]["kind"] == "out_of_sync"
    assert world.reads(FOUR) == [27, 30, 30, 30]


def test_an_untagged_product_leaves_and_a_tagged_one_joins(world: World) -> None:
    world.configure(variants={"product_tags": ["shared-stock"]})
    world.add("Mug", "MUG-A MUG-B", tags=["shared-stock", "new"])
    world.add("Cup", "CUP-A CUP-B", tags=["new"])
    world.run("variants", "--init")
    world.shop.retag("Mug", "new")
    world.shop.retag("Cup", "new", "shared-stock")
    document = world.variants()
    assert document["pools"]["adopted"] == 1
    assert set(world.cached()) == {"Cup"}


def test_a_deleted_product_leaves_the_cache(world: World) -> None:
    seeded(world)
    world.add("Other", "O-1 O-2")
    world.run("variants")
    world.shop.delete_product("Print")
    assert world.variants()["problems"] == []
    assert set(world.cached()) == {"Other"}


def test_a_product_that_the_search_index_hides_does_not_lose_its_sales(world: World) -> None:
    seeded(world)
    world.add("Other", "O-1 O-2")
    world.run("variants")
    world.shop.retype("Print", "Poster")
    world.shop.settings.index_lag = 300.0
    world.shop.retype("Print", "Print")  # the index shows the old type for five minutes
    world.sell("P-S", 3)
    document = world.variants()
    assert world.reads(FOUR) == [27] * 4
    assert document["pools"]["adjusted"] == 1


# --- Location -------------------------------------------------------------------------------------


def test_variants_keep_in_step_at_the_location_of_the_configuration_only(world: World) -> None:
    everywhere = (world.shop.location("Warehouse"), world.shop.location("Till"))
    world.add("Print", FOUR, locations=everywhere)
    world.configure(variants={"product_types": ["Print"], "location": "Till"})
    world.run("variants", "--init")
    world.sell("P-S", 3, location="Till")
    world.sell("P-M", 4, location="Warehouse")
    world.run("variants")
    assert world.reads(FOUR, "Till") == [27] * 4
    assert world.reads(FOUR, "Warehouse") == [30, 26, 30, 30]


@pytest.mark.parametrize("spelling", ["number", "gid"])
def test_a_location_may_be_given_by_its_id(world: World, spelling: str) -> None:
    till = world.shop.location("Till")
    world.add("Print", FOUR, locations=(till,))
    location = str(till.id) if spelling == "number" else till.gid
    world.configure(variants={"product_types": ["Print"], "location": location})
    world.run("variants", "--init")
    world.sell("P-S", 3, location="Till")
    world.run("variants")
    assert world.reads(FOUR, "Till") == [27] * 4


def test_only_active_leaves_drafts_out(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "only_active": True})
    world.add("Print", FOUR)
    world.add("Sketch", "SK-1 SK-2", status="DRAFT")
    document = world.variants("--init")
    assert document["pools"]["seen"] == 1
    assert document["skipped"] == {"not_active": 2}


def test_drafts_are_kept_in_step_too(world: World) -> None:
    world.add("Sketch", "SK-1 SK-2", status="DRAFT")
    world.run("variants", "--init")
    world.sell("SK-1")
    world.run("variants")
    assert world.reads("SK-1 SK-2") == [29, 29]


# --- More than one product ------------------------------------------------------------------------


def test_each_product_is_a_stock_of_its_own(world: World) -> None:
    for number in range(5):
        world.add(f"Print {number}", [f"P{number}-A", f"P{number}-B"], available=10 * number)
    world.run("variants", "--init")
    world.sell("P1-A P3-B", 2)
    document = world.variants()
    assert [change["title"] for change in document["changes"]] == ["Print 1", "Print 3"]
    assert world.reads("P0-A P1-A P1-B P2-A P3-A P3-B P4-A") == [0, 8, 8, 20, 28, 28, 40]
    assert len(world.batches) == 1


def test_two_variants_that_share_one_inventory_item(world: World) -> None:
    product = world.add("Print", "P-S P-M")
    world.shop.add_variant(product, "P-S-GIFT", item=world.shop.item("P-S"), locations=())
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads("P-S P-M") == [27, 27]
    assert world.sent == {"P-M": -3}
    world.run("variants")
    assert world.batches == []


# --- Brakes ---------------------------------------------------------------------------------------


def many(world: World, count: int, available: int = 10) -> None:
    for number in range(count):
        world.add(f"Print {number:02}", [f"P{number:02}-A", f"P{number:02}-B"], available=available)
    world.run("variants", "--init")


def test_more_rises_than_allowed_are_held_and_the_falls_go_out(world: World) -> None:
    many(world, 24)
    for number in range(20):
        world.shop.restock(f"P{number:02}-A", 5)
    world.sell("P23-A", 4)
    document = world.variants(exit_code=3)
    assert document["pools"]["held"] == 20
    assert document["pools"]["adjusted"] == 1
    assert {problem["kind"] for problem in document["problems"]} == {"held"}
    assert "invsync variants --force" in document["problems"][0]["message"]
    assert world.reads("P00-A P00-B P23-A P23-B") == [15, 10, 6, 6]

    assert world.variants(exit_code=3)["pools"]["held"] == 20  # it keeps asking
    assert world.batches == []

    assert world.variants("--force")["pools"]["adjusted"] == 20
    assert world.reads("P00-A P00-B P19-A P19-B") == [15] * 4
    assert world.variants()["pools"]["in_step"] == 24


def test_fewer_than_twenty_rises_are_never_held(world: World) -> None:
    many(world, 21)
    for number in range(19):
        world.shop.restock(f"P{number:02}-A", 5)
    assert world.variants()["pools"]["adjusted"] == 19


def test_max_rising_is_the_share_of_pools_that_may_rise(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "max_rising": "100%"})
    many(world, 22)
    for number in range(22):
        world.shop.restock(f"P{number:02}-A", 5)
    assert world.variants()["pools"]["adjusted"] == 22


def test_rises_that_wait_let_sales_through(world: World) -> None:
    many(world, 20)
    for number in range(20):
        world.shop.restock(f"P{number:02}-A", 5)
    world.run("variants", exit_code=3)
    world.sell("P00-B", 3)
    world.run("variants", exit_code=3)
    assert world.reads("P00-A P00-B") == [12, 7]
    world.run("variants", "--force")
    assert world.reads("P00-A P00-B") == [12, 12]


def test_a_scan_that_finds_less_than_half_of_what_is_known_concludes_nothing(world: World) -> None:
    many(world, 12)
    before = world.files()
    for number in range(7):
        world.shop.retype(f"Print {number:02}", "Poster")
    world.sell("P11-A", 2)
    ran = world.run("variants", exit_code=1)
    assert "only 5 of the 12 pools" in ran.problem
    assert "type Print" in ran.problem
    assert "--force" in ran.problem
    assert world.batches == []
    assert world.files()["invsync-state/variants.json"] == before["invsync-state/variants.json"]
    document = world.variants("--force")
    assert document["pools"]["seen"] == 5
    assert len(world.cached()) == 5
    assert world.reads("P11-A P11-B") == [8, 8]


def test_a_scan_that_finds_nothing_concludes_nothing_not_even_by_force(world: World) -> None:
    seeded(world)
    before = world.place("variants").read_bytes()
    world.shop.retype("Print", "Poster")
    for force in ((), ("--force",)):
        ran = world.run("variants", *force, exit_code=1)
        assert "nothing in the shop matches (type Print)" in ran.problem
        assert str(world.config) in ran.problem
        assert world.place("variants").read_bytes() == before
        assert world.batches == []


# --- Another program at work ----------------------------------------------------------------------


def left_alone(world: World) -> dict[str, Any]:
    """A pool that another program works on until it is left alone: the document that tells so."""
    seeded(world)
    for sku in FOUR.split():
        world.shop.set_available(sku, 900)
    world.run("variants", "--init", "--reset")
    skus, last = FOUR.split(), dict.fromkeys(FOUR.split(), 900)
    world.sell("P-S")
    document = world.variants()
    for _ in range(4):
        if document["problems"]:
            break
        moved = {sku: world.shop.available(sku) - last[sku] for sku in skus}
        for sku in skus:  # the other program takes whatever moved for sales of one stock
            world.shop.restock(sku, sum(moved.values()) - moved[sku])
        last = {sku: world.shop.available(sku) for sku in skus}
        document = world.variants(exit_code=None)
    return document


def test_another_program_at_work_is_noticed_and_the_pool_left_alone(world: World) -> None:
    (problem,) = left_alone(world)["problems"]
    assert problem["kind"] == "another_program"
    assert "ran it down by" in problem["message"]
    left = world.reads(FOUR)
    world.sell("P-S", 2)
    assert world.variants(exit_code=3)["pools"]["held"] == 1
    assert world.batches == []
    for sku in FOUR.split():
        world.shop.set_available(sku, left[0])
    world.run("variants", "--init")
    world.sell("P-S", 2)
    world.run("variants")
    assert world.reads(FOUR) == [left[0] - 2] * 4


def test_a_pool_left_alone_can_be_taken_up_after_a_quiet_day(world: World) -> None:
    """Quiet: nothing fell off the shelf, which the program may have done; orders don't count."""

    def quiet() -> str:
        """The command that `check` says takes it up again, if it does."""
        assert world.run("variants", exit_code=3)
        checks = world.run("check", "--json", exit_code=None).document["checks"]
        (mend,) = [one["mend"] for one in checks if one["check"] == "variants.left_alone"] or [""]
        return str(mend)

    left_alone(world)
    world.sell("P-S P-M P-L P-XL", 1)
    for sku in FOUR.split():
        world.shop.set_available(sku, 700)
    world.time.pass_by(hours=20)
    assert quiet() == ""  # somebody, or something, lowered all of them
    world.time.pass_by(hours=23)
    world.sell(FOUR)
    assert quiet() == ""
    world.time.pass_by(hours=2)
    world.sell("P-S")
    assert quiet() == ""  # they do not agree
    world.shop.restock("P-S", 1)
    mend = quiet()
    assert mend.startswith("run: `invsync variants --init --only ")
    world.run(*mend.rpartition("`invsync ")[2].rstrip("`").split())
    world.sell("P-S", 2)
    world.run("variants")
    assert world.reads(FOUR) == [697] * 4


# --- Raises that met an import --------------------------------------------------------------------


def test_a_raise_whose_level_moved_meanwhile_is_planned_again(world: World) -> None:
    seeded(world)
    world.shop.restock("P-S", 10)

    def import_once(request: object, phase: str) -> None:
        if phase == "before" and getattr(request, "operation", "") == "Adjust" and not imported:
            imported.append(1)
            for sku in FOUR.split()[1:]:
                world.shop.set_available(sku, 40)

    imported: list[int] = []
    world.hook = import_once
    world.run("variants", exit_code=3)
    assert world.reads(FOUR) == [40] * 4


def test_levels_that_keep_moving_are_left_to_the_next_run(world: World) -> None:
    seeded(world)
    world.shop.restock("P-S", 10)

    def keep_selling(request: object, phase: str) -> None:
        if phase == "before" and getattr(request, "operation", "") == "Adjust":
            world.shop.sell("P-M")

    world.hook = keep_selling
    document = world.variants()
    assert [warning["kind"] for warning in document["warnings"]] == ["stale"]
    assert document["changes"] == []
    assert (document["pools"]["in_step"], document["pools"]["failed"]) == (0, 1)
    world.hook = None
    world.run("variants")
    assert world.reads(FOUR) == [37] * 4


# --- What is held of a level that leaves ----------------------------------------------------------


def test_a_variant_whose_rise_was_held_is_deleted(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": "hold"})
    seeded(world)
    world.shop.restock("P-S", 5)
    world.shop.restock("P-M", 3)
    world.run("variants", exit_code=3)
    world.shop.delete_variant("P-S")
    document = world.variants(exit_code=3)
    (taken_back,) = (one for one in document["warnings"] if one["kind"] == "taken_back")
    assert "(a variant that left 5)" in taken_back["message"]
    assert world.reads("P-M P-L P-XL") == [33, 30, 30]
    world.run("variants", "--force")
    assert world.reads("P-M P-L P-XL") == [30, 30, 30]
