"""`reserve`: units that no listing offers, and what a person's numbers mean beside them."""

from __future__ import annotations

from typing import Any

import pytest
from program_world import World


def reserving(units: int, **variants: Any) -> dict[str, Any]:
    """The configuration of both commands."""
    shared = {"reserve": units, **variants}
    return {"variants": {"product_types": ["Print"], **shared}, "locations": shared}


def test_what_is_first_seen_is_what_there_is_and_the_levels_show_less(world: World) -> None:
    world.configure(**reserving(1))
    world.add("Sunset", "S M", available=3)
    world.variants()
    assert world.cached()["Sunset"]["quantity"] == 3
    assert world.reads("S M") == [2, 2]
    assert world.variants()["changes"] == []
    world.sell("S", 1)
    world.variants()
    assert world.cached()["Sunset"]["quantity"] == 2
    assert world.reads("S M") == [1, 1]


def test_so_for_the_locations_of_a_variant(world: World) -> None:
    world.configure(**reserving(1))
    world.add("Sunset", "S", available=3, locations=tuple(world.shop.locations.values()))
    world.locations()
    assert [world.reads("S", place) for place in ("Warehouse", "Till", "Pop-up")] == [[2], [2], [2]]
    world.sell("S", 2, "Till")
    world.locations()
    assert [world.reads("S", place) for place in ("Warehouse", "Till", "Pop-up")] == [[0], [0], [0]]
    assert world.cached("locations")["Sunset"]["quantity"] == 1


def test_init_sends_nothing_and_the_next_run_lowers_the_levels(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=10)
    world.variants("--init")
    assert world.batches == []
    assert world.cached()["Sunset"]["quantity"] == 10
    world.variants()
    assert world.reads("S M") == [8, 8]


def test_init_again_leaves_a_managed_pool_alone(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=10)
    world.variants()
    world.variants("--init")
    assert world.cached()["Sunset"]["quantity"] == 10


@pytest.mark.parametrize(("to", "units", "shown"), [("lowest", 5, 3), ("highest", 9, 7)])
def test_align_reads_no_reserve_into_the_numbers(
    world: World, to: str, units: int, shown: int
) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=[5, 9])
    world.variants("--init", "--align", to, "--yes")
    assert world.cached()["Sunset"]["quantity"] == units
    assert world.reads("S M") == [shown, shown]


def test_nor_into_those_that_settle_what_was_held(world: World) -> None:
    world.configure(**reserving(2, several_rises="hold"))
    world.add("Sunset", "S M L", available=10)
    world.variants()
    world.shop.restock("S", 1)
    world.shop.restock("M", 2)
    world.variants(exit_code=3)
    for sku in ("S", "M", "L"):
        world.shop.set_available(sku, 11)
    world.variants()
    assert world.cached()["Sunset"]["quantity"] == 11
    assert world.reads("S M L") == [9, 9, 9]


def test_nor_into_those_of_a_pool_that_was_out_of_sync(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=[5, 9])
    world.variants(exit_code=3)
    world.shop.set_available("M", 5)
    world.variants()
    assert world.cached()["Sunset"]["quantity"] == 5
    assert world.reads("S M") == [3, 3]


def test_the_reserve_is_never_sold_but_what_is_owed_shows_whole(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=3)
    world.variants()
    assert world.reads("S M") == [1, 1]
    world.sell("S M", 1)
    world.variants()
    assert world.cached()["Sunset"]["quantity"] == 1
    assert world.reads("S M") == [0, 0]
    world.sell("S M", 1)
    told = world.variants(exit_code=3)
    assert [problem["kind"] for problem in told["problems"]] == ["oversold"]
    assert world.reads("S M") == [-1, -1]


@pytest.mark.parametrize("scan", ["complete", "changes"])
@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 0), (3, 1)])
def test_a_changed_reserve_brings_all_levels_to_what_is_due_and_counts_nothing(
    world: World, scan: str, before: int, after: int
) -> None:
    world.configure(**reserving(before, scan=scan))
    world.add("Sunset", "S M", available=30)
    world.add("Fog", "F G", available=2)
    world.variants()
    world.variants()
    world.time.pass_by(minutes=30)
    world.configure(**reserving(after, scan=scan))
    changes = world.variants()["changes"]
    assert {(one["quantity"]["from"], one["quantity"]["to"]) for one in changes} <= {
        (30, 30),
        (2, 2),
    }
    assert world.reads("S M F G") == [30 - after] * 2 + [max(0, 2 - after)] * 2
    assert world.variants()["changes"] == []


@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 0)])
def test_what_is_sold_and_delivered_as_it_is_changed_counts_whole(
    world: World, before: int, after: int
) -> None:
    world.configure(**reserving(before))
    world.add("Sunset", "S M L", available=30)
    world.variants()
    world.configure(**reserving(after))
    world.shop.restock("S", 5)
    world.sell("M", 2)
    assert world.variants()["warnings"] == []
    assert world.cached()["Sunset"]["quantity"] == 33
    assert world.reads("S M L") == [33 - after] * 3


def test_a_raise_by_a_changed_reserve_that_is_cut_off_is_finished(world: World) -> None:
    world.configure(**reserving(3))
    world.add("Sunset", "S M", available=30)
    world.variants()
    world.configure(**reserving(0))
    world.cut_off("variants")
    world.sell("S", 1)
    world.run("variants")
    world.run("variants")
    assert world.cached()["Sunset"]["quantity"] == 29
    assert world.reads("S M") == [29, 29]


@pytest.mark.parametrize("scan", ["complete", "changes"])
def test_a_single_variant_is_no_pool_and_shows_all_there_is_until_another_comes(
    world: World, scan: str
) -> None:
    world.configure(**reserving(2, scan=scan))
    sunset = world.add("Sunset", "S", available=30)
    world.variants()
    assert world.reads("S") == [30]
    world.shop.add_variant(sunset, "M")
    world.variants()
    assert world.reads("S M") == [28, 28]
    world.shop.delete_variant("M")
    world.variants()
    assert world.variants()["changes"] == []
    assert world.reads("S") == [28]
    world.configure(**reserving(0, scan=scan))
    world.time.pass_by(minutes=30)
    world.variants()
    world.shop.add_variant(sunset, "L")
    world.variants()
    assert world.reads("S L") == [30, 30]


def test_a_message_says_what_a_level_is_brought_to_not_what_there_is(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=30)
    world.variants()
    world.shop.add_variant(world.shop.product("Sunset"), "L", available=7)
    (warning,) = world.variants()["warnings"]
    assert "L 7" in warning["message"]
    assert "brought to 28" in warning["message"]
    assert world.reads("S M L") == [28, 28, 28]


def test_status_and_explain_say_how_much_is_kept_back(world: World) -> None:
    world.configure(**reserving(2))
    world.add("Sunset", "S M", available=30)
    world.add("Fog", "F G", available=1)
    world.variants()
    world.sell("S", 1)
    world.variants()
    assert "2 pools managed, 30 units in all, 3 of them kept back" in world.run("status").out
    assert "quantity 29, 2 of them kept back" in world.run("explain", "Sunset").out
    assert world.run("explain", "Sunset", "--json").document["pools"][0]["kept_back"] == 2
