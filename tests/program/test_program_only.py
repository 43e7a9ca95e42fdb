"""`--only`: a run that looks at the named pools, and at no others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from program_world import World


@pytest.fixture
def two(world: World) -> World:
    """Two products that are in step, each of which sells something after the last run."""
    world.add("Sunset", "S-1 S-2")
    world.add("Moon", "M-1 M-2", available=12)
    world.run("variants", "--init")
    world.sell("S-1", 3)
    world.sell("M-1", 2)
    return world


@pytest.mark.parametrize("by", ["title", "TITLE", "sku", "gid", "number", "item", "variant"])
def test_a_pool_is_named_by_whatever_it_is_called(two: World, by: str) -> None:
    product = two.shop.product("Sunset")
    variant = product.variants[0]
    name = {
        "title": "Sunset",
        "TITLE": " SUNSET ",
        "sku": "S-1",
        "gid": product.gid,
        "number": str(product.id),
        "item": variant.item.gid,
        "variant": variant.gid,
    }[by]
    document = two.variants("--only", name)
    assert [change["title"] for change in document["changes"]] == ["Sunset"]
    assert document["pools"]["seen"] == 1
    assert document["scan"] == "only"
    assert two.reads("S-1 S-2 M-1 M-2") == [27, 27, 10, 12]


def test_nothing_is_scanned_and_the_next_run_finds_what_was_not_looked_at(two: World) -> None:
    before = two.cached()["Moon"]
    two.run("variants", "--only", "Sunset")
    assert set(two.operations) == {"Shop", "ReadProducts", "Adjust"}
    assert two.cached()["Moon"] == before
    two.run("variants")
    assert two.reads("S-1 S-2 M-1 M-2") == [27, 27, 10, 10]


def test_the_mark_of_the_feed_and_the_last_complete_scan_stay(two: World) -> None:
    def marks() -> dict[str, Any]:
        document = json.loads(two.place("variants").read_bytes())
        return {key: document[key] for key in ("watermark", "scanned_at", "fed", "scan_points")}

    before = marks()
    two.time.pass_by(hours=9)
    two.run("variants", "--only", "Sunset")
    assert marks() == before


def test_how_the_last_run_of_all_pools_ended_stays(two: World) -> None:
    before = two.place("variants", "last").read_bytes()
    two.run("variants", "--only", "Sunset")
    assert two.place("variants", "last").read_bytes() == before


def test_several_may_be_named_each_once(two: World) -> None:
    document = two.variants("--only", "Sunset", "--only", "M-2", "--only", "Moon")
    assert sorted(change["title"] for change in document["changes"]) == ["Moon", "Sunset"]
    assert two.reads("S-1 S-2 M-1 M-2") == [27, 27, 10, 10]


def test_a_dry_run_of_one_pool_writes_nothing(two: World) -> None:
    before = two.files()
    document = two.variants("--only", "Sunset", "--dry-run")
    assert [change["title"] for change in document["changes"]] == ["Sunset"]
    assert two.files() == before
    assert "Adjust" not in two.operations


@pytest.mark.parametrize("by", ["sku", "gid", "number"])
def test_a_product_that_no_run_has_seen_is_adopted_alone(two: World, by: str) -> None:
    new = two.add("Dawn", "D-1 D-2", available=5)
    two.add("Dusk", "U-1 U-2", available=6)
    name = {"sku": "D-2", "gid": new.gid, "number": str(new.id)}[by]
    document = two.variants("--init", "--only", name)
    assert document["pools"]["adopted"] == 1
    assert "Dusk" not in two.cached()
    assert two.cached()["Dawn"]["quantity"] == 5


def test_before_any_run_one_product_can_be_adopted_alone(world: World) -> None:
    world.add("Sunset", "S-1 S-2")
    world.add("Moon", "M-1 M-2")
    world.run("variants", "--init", "--only", "S-1")
    assert set(world.cached()) == {"Sunset"}
    world.run("variants")
    assert set(world.cached()) == {"Sunset", "Moon"}


def test_one_pool_is_aligned_and_the_others_stay_as_they_are(world: World) -> None:
    world.add("Sunset", "S-1 S-2", available=[4, 6])
    world.add("Moon", "M-1 M-2", available=[1, 2])
    world.run("variants", "--init", exit_code=3)
    world.run("variants", "--init", "--align", "lowest", "--yes", "--only", "Sunset")
    assert world.reads("S-1 S-2 M-1 M-2") == [4, 4, 1, 2]


def test_what_is_held_is_let_through_for_one_pool(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": "hold"})
    for title, skus in (("Sunset", "S-1 S-2"), ("Moon", "M-1 M-2")):
        world.add(title, skus, available=10)
    world.run("variants", "--init")
    for sku in ("S-1", "M-1"):
        world.shop.restock(sku, 2)
    for sku in ("S-2", "M-2"):
        world.shop.restock(sku, 3)
    world.run("variants", exit_code=3)
    world.run("variants", "--force", "--only", "Sunset")
    assert world.cached()["Sunset"]["quantity"] == 12
    assert world.cached()["Moon"]["quantity"] == 10


def test_a_product_stands_for_all_its_variants_where_each_is_a_pool(world: World) -> None:
    places = ("Warehouse", "Till")
    product = world.add("Bag", "B-1 B-2", available=9, locations=places)
    world.add("Cup", "C-1", available=9, locations=places)
    document = world.locations("--init", "--only", product.gid)
    assert document["pools"]["adopted"] == 2
    world.sell("B-1 B-2 C-1")
    document = world.locations("--only", str(product.id))
    assert len(document["changes"]) == 2
    assert len(world.locations("--only", "B-1")["changes"]) == 0


# --- Names that stand for nothing, or for too much ------------------------------------------------


def test_a_name_that_nothing_has_is_a_usage_error_with_near_ones(two: World) -> None:
    before = two.files()
    ran = two.run("variants", "--only", "Sunsett", exit_code=2)
    assert ran.problem == "nothing is known of 'Sunsett'; did you mean Sunset?"
    assert two.files().keys() - before.keys() <= {"invsync-state/variants.lock"}
    assert "Adjust" not in two.operations
    ran = two.run("variants", "--only", "987654321", exit_code=2)
    assert "nothing is known of '987654321'" in ran.problem
    ran = two.run("variants", "--only", " ", exit_code=2)
    assert "nothing is known of ' '" in ran.problem


def test_a_mistyped_name_among_good_ones_keeps_all_from_being_done(two: World) -> None:
    two.run("variants", "--only", "Sunset", "--only", "zzz", exit_code=2)
    assert two.reads("S-1 S-2") == [27, 30]


def test_a_name_that_several_have_is_asked_back(two: World) -> None:
    two.add("Sunset", "X-1 X-2")
    two.add("Copy", "S-1 S-9")
    two.run("variants", "--init")
    first, second = (one.id for one in two.shop.products.values() if one.title == "Sunset")
    assert two.run("variants", "--only", "Sunset", exit_code=2).problem == (
        f"'Sunset' fits 2 pools: Sunset ({first}) and Sunset ({second}); give the id of one"
    )
    assert "'S-1' fits 2 pools: " in two.run("variants", "--only", "S-1", exit_code=2).problem
    two.run("variants", "--only", str(first))
    assert two.reads("S-2 X-1") == [27, 30]


def test_what_the_filter_leaves_out_is_said_to_be_left_out(two: World) -> None:
    two.add("Cup", "C-1 C-2", product_type="Mug")
    ran = two.run("variants", "--only", "C-1", exit_code=2)
    assert "'C-1' is in the shop, but not what" in ran.problem
    assert two.cached().keys() == {"Sunset", "Moon"}


def test_a_known_pool_that_is_gone_is_forgotten_as_in_any_run(two: World) -> None:
    two.shop.delete_product("Sunset")
    ran = two.run("variants", "--only", "Sunset")
    assert "no longer in the shop" in ran.out
    assert two.cached().keys() == {"Moon"}


def test_everything_cannot_be_forgotten_for_one_pool(two: World) -> None:
    before = two.files()
    ran = two.run("variants", "--init", "--reset", "--only", "Sunset", exit_code=2)
    assert "--reset forgets every pool" in ran.err
    assert two.files() == before
