"""What happens beside a run and between its steps.

Edits in the shop, both commands, budgets, clocks, other folders.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program_world import World

FOUR = "P-S P-M P-L P-XL"


def seeded(world: World) -> None:
    """Two prints, adopted; the first one was then sold from."""
    world.add("Print", FOUR)
    world.add("Card", "C-S C-M", available=7)
    world.run("variants", "--init")
    world.sell("P-S", 3)


def just_before(world: World, operation: str, act: Callable[[], Any]) -> None:
    """Have something happen in the shop the first time that an operation arrives."""
    done: list[str] = []

    def hook(request: Any, phase: str) -> None:
        if phase == "before" and request.operation == operation and not done:
            done.append(operation)
            act()

    world.hook = hook


# --- Between finding and reading ------------------------------------------------------------------


def test_a_product_deleted_after_it_was_found_leaves(world: World) -> None:
    seeded(world)
    just_before(world, "ReadProducts", lambda: world.shop.delete_product("Print"))
    document = world.variants()
    assert (document["changes"], document["problems"]) == ([], [])
    assert set(world.cached()) == {"Card"}


def test_a_product_retyped_after_it_was_found_leaves_with_its_sales(world: World) -> None:
    seeded(world)
    just_before(world, "ReadProducts", lambda: world.shop.retype("Print", "Poster"))
    world.run("variants", "-q")
    assert world.reads(FOUR) == [27] * 4
    assert set(world.cached()) == {"Card"}


def test_a_variant_added_after_the_product_was_found_is_brought_along(world: World) -> None:
    seeded(world)
    here = world.shop.primary
    just_before(
        world,
        "ReadProducts",
        lambda: world.shop.add_variant(
            world.shop.product("Print"), "P-NEW", available=0, locations=(here,)
        ),
    )
    world.run("variants")
    assert world.reads(f"{FOUR} P-NEW") == [27] * 5


def test_a_sale_after_the_product_was_found_counts_in_the_same_run(world: World) -> None:
    seeded(world)
    just_before(world, "ReadProducts", lambda: world.sell("P-M", 2))
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4


def test_a_product_whose_movement_was_undone_after_it_was_found_needs_nothing(world: World) -> None:
    seeded(world)
    just_before(world, "ReadProducts", lambda: world.shop.cancel("P-S", 3))
    assert world.variants()["changes"] == []
    assert world.batches == []


# --- Between reading and sending ------------------------------------------------------------------


def test_a_product_deleted_after_it_was_read_fails_alone_and_leaves_with_the_next_run(
    world: World,
) -> None:
    seeded(world)
    world.sell("C-S", 2)
    just_before(world, "Adjust", lambda: world.shop.delete_product("Print"))
    document = world.variants(exit_code=3)
    assert (document["pools"]["failed"], document["pools"]["adjusted"]) == (1, 1)
    assert world.reads("C-S C-M") == [5, 5]
    assert world.variants()["problems"] == []
    assert set(world.cached()) == {"Card"}


def test_a_location_closed_after_it_was_read_fails_the_item_and_not_the_run(world: World) -> None:
    world.add("Mug", ["MUG"], available=20, locations=("Warehouse", "Till"))
    world.run("locations", "--init")
    world.sell("MUG", 2, location="Warehouse")
    just_before(world, "Adjust", lambda: world.shop.close_location("Till"))
    world.run("locations", exit_code=None)
    world.hook = None
    world.run("locations")
    assert world.shop.available("MUG", "Warehouse") == 18
    world.shop.open_location("Till")
    world.run("locations")
    assert world.shop.available("MUG", "Till") == 18


def test_what_others_change_while_it_is_sent_is_added_to_and_not_overwritten(world: World) -> None:
    seeded(world)
    just_before(world, "Adjust", lambda: world.sell(FOUR, 1))
    world.run("variants")
    assert world.reads(FOUR) == [26] * 4
    world.run("variants")
    assert world.reads(FOUR) == [23] * 4  # 30, less three, less four


# --- Both commands on the same stock --------------------------------------------------------------


def test_a_sale_anywhere_lowers_every_variant_at_every_location_once(world: World) -> None:
    world.configure(locations={"product_types": ["Print"]})
    world.add("Print", "P-S P-M P-L", locations=("Warehouse", "Till"))
    world.run("variants", "--init")
    world.run("locations", "--init")
    left = 30
    for sku, place, units in [
        ("P-S", "Warehouse", 3),
        ("P-M", "Till", 2),
        ("P-L", "Till", 1),
        ("P-L", "Warehouse", 4),
    ]:
        world.sell(sku, units, location=place)
        left -= units
        for _ in range(2):  # a sale at the till takes its way over the warehouse
            world.run("locations", exit_code=0)
            world.run("variants", exit_code=0)
        world.run("locations")
        assert {level.available for level in world.shop.levels.values()} == {left}
    assert world.variants()["changes"] == []
    assert world.locations()["changes"] == []


# --- Budgets --------------------------------------------------------------------------------------


def test_a_run_whose_time_is_up_stops_between_batches_and_says_what_is_left(world: World) -> None:
    world.configure(max_run_time="10m")
    for number in range(3):
        world.add(f"Print {number}", [f"P{number}-{one:03}" for one in range(200)])
    world.run("variants", "--init")
    for number in range(3):
        world.sell(f"P{number}-000", 3)

    def slow(request: Any, phase: str) -> None:
        if phase == "before" and request.operation == "Adjust":
            world.time.pass_by(minutes=6)

    world.hook = slow
    ran = world.run("variants", "--json", exit_code=1)
    assert "max_run_time" in ran.problem
    assert "1 of 3 pools" in ran.problem
    assert ran.document["pools"]["adjusted"] == 2
    world.hook = None
    document = world.variants()
    assert [change["title"] for change in document["changes"]] == ["Print 2"]
    assert {level.available for level in world.shop.levels.values()} == {27}


def test_a_budget_that_another_app_has_used_up_is_waited_for(world: World) -> None:
    seeded(world)
    world.shop.account.bucket.available = 0.0
    world.shop.account.bucket.at = world.time.time()
    document = world.variants()
    assert world.reads(FOUR) == [27] * 4
    assert document["api"]["throttled"] >= 1
    assert document["api"]["waited_seconds"] > 0


def test_a_push_larger_than_the_budget_is_never_refused_for_going_too_fast(world: World) -> None:
    for number in range(120):
        world.add(f"Print {number:03}", [f"P{number:03}-{one}" for one in range(10)])
    world.run("variants", "--init")
    for number in range(120):
        world.sell(f"P{number:03}-0", 2)
    world.shop.settings.bucket_size = 320.0
    world.shop.settings.restore_rate = 2.0
    world.configure(max_run_time="3h")
    document = world.variants()
    assert {level.available for level in world.shop.levels.values()} == {28}
    assert document["api"]["throttled"] <= 1  # the first answer tells how much there is


# --- Clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-50, -1, 1, 50])
@pytest.mark.parametrize("scan", ["complete", "changes"])
def test_a_machine_whose_clock_is_wrong(world: World, scan: str, hours: int) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    shop_time = world.time.time
    world.shop.now = lambda: shop_time() + 3_600 * hours
    world.shop.account.bucket.at = world.shop.now()
    seeded(world)
    for left in (27, 24, 21):
        world.time.pass_by(minutes=12)
        world.run("variants")
        assert world.reads(FOUR) == [left] * 4
        world.sell("P-M", 3)
    world.time.pass_by(minutes=5)
    world.cut_off("variants")
    world.time.pass_by(hours=2)
    world.run("variants")
    assert world.reads(FOUR) == [18] * 4


# --- Where it is started --------------------------------------------------------------------------


def test_the_state_is_beside_the_configuration_wherever_the_program_is_started(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    seeded(world)
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert list(elsewhere.iterdir()) == []
    assert world.place("variants").exists()


def test_a_state_folder_of_its_own(world: World, tmp_path: Path) -> None:
    world.configure(state_dir=str(tmp_path / "var" / "lib" / "prints"))
    world.add("Print", FOUR)
    world.run("variants", "--init")
    assert (tmp_path / "var" / "lib" / "prints" / "variants.json").exists()
    assert not world.state.exists()


def test_two_shops_with_folders_of_their_own_share_nothing(world: World, tmp_path: Path) -> None:
    seeded(world)
    world.configure(state_dir="other-state", variants={"product_types": ["Poster"]})
    world.add("Poster", "A-1 A-2", product_type="Poster")
    world.run("variants", "--init")
    world.configure()
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert set(world.cached()) == {"Print", "Card"}


# --- A changed filter -----------------------------------------------------------------------------


def test_a_filter_that_was_widened_adopts_what_it_now_matches(world: World) -> None:
    seeded(world)
    world.add("Poster", "A-1 A-2", product_type="Poster")
    world.configure(variants={"product_types": ["Print", "Poster"], "scan": "changes"})
    document = world.variants()
    assert (document["scan"], document["pools"]["adopted"]) == ("complete", 1)
    assert world.reads(FOUR) == [27] * 4


def test_a_filter_that_was_narrowed_lets_the_rest_go(world: World) -> None:
    seeded(world)
    world.add("Poster", "A-1 A-2", product_type="Poster")
    world.configure(variants={"product_types": ["Print", "Poster"]})
    world.run("variants")
    world.configure(variants={"product_types": ["Print"]})
    world.run("variants")
    assert set(world.cached()) == {"Print", "Card"}


@pytest.mark.parametrize(("known", "left"), [(3, 1), (9, 4), (30, 14)])
def test_less_than_half_of_what_is_known_is_not_believed(
    world: World, known: int, left: int
) -> None:
    for number in range(known):
        world.add(f"Print {number}", [f"P{number}-A", f"P{number}-B"])
    world.run("variants", "--init")
    for number in range(known - left):
        world.shop.retype(f"Print {number}", "Poster")
    ran = world.run("variants", exit_code=1)
    assert f"only {left} of the {known} pools that are known still match (type Print)" in ran.err
    assert len(world.cached()) == known
    world.run("variants", "--force")
    assert len(world.cached()) == left


@pytest.mark.parametrize(("known", "left"), [(2, 1), (4, 2)])
def test_half_of_what_is_known_may_go(world: World, known: int, left: int) -> None:
    for number in range(known):
        world.add(f"Print {number}", [f"P{number}-A", f"P{number}-B"])
    world.run("variants", "--init")
    for number in range(known - left):
        world.shop.retype(f"Print {number}", "Poster")
    assert world.variants()["pools"]["seen"] == left
