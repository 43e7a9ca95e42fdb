"""`exclude`: what is left out although it matches, as if it did not."""

from __future__ import annotations

from typing import Any

import pytest
from program_world import World


def excluding(world: World, command: str = "variants", **exclude: Any) -> None:
    keys: dict[str, Any] = {"exclude": exclude}
    if command == "variants":
        keys["product_types"] = ["Print"]
    world.configure(**{command: keys})


def two(world: World) -> None:
    """A product that is left out, and one that is not."""
    world.add("Out", "O-1 O-2", tags=["One-off"], available=[30, 30])
    world.add("In", "I-1 I-2")


@pytest.mark.parametrize(
    "exclude",
    [
        {"product_tags": [" one-OFF"]},
        {"product_types": ["Cafe\u0301"]},
        {"skus": ["O-*"]},
        {"skus": ["O-1", "O-2"]},
        {"ids": ["Product"]},
        {"ids": ["ProductVariant"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("gid", [True, False])
def test_what_is_excluded_is_left_alone(world: World, exclude: dict[str, Any], gid: bool) -> None:
    two(world)
    out = world.shop.product("Out")
    if "product_types" in exclude:
        world.shop.retype("Out", "Caf\u00e9")
        world.shop.retype("In", "Print")
        types = ["Print", "Caf\u00e9"]
    else:
        types = ["Print"]
    if exclude.get("ids") == ["Product"]:
        exclude = {"ids": [out.gid if gid else out.gid.rpartition("/")[2]]}
    elif "ids" in exclude:
        exclude = {"ids": [one.gid if gid else one.gid.rpartition("/")[2] for one in out.variants]}
    world.configure(variants={"product_types": types, "exclude": exclude})
    document = world.variants("--init")
    assert document["skipped"] == {"excluded": 2}
    world.sell("O-1 I-1", 3)
    document = world.variants()
    assert world.reads("O-1 O-2 I-1 I-2") == [27, 30, 27, 27]
    assert document["pools"]["seen"] == 1


def test_the_sku_is_compared_exactly_but_for_blanks_and_the_form_of_its_signs(world: World) -> None:
    world.add("Sunset", ["Cafe\u0301-1", " S-2 ", "s-2", "S-20", "M"])
    excluding(world, skus=["Caf\u00e9-*", "S-2"])
    assert world.variants("--init")["skipped"] == {"excluded": 2}
    world.sell("M", 3)
    world.run("variants")
    assert world.reads("s-2 S-20 M") == [27, 27, 27]


def test_one_variant_of_a_pool_can_be_left_out(world: World) -> None:
    world.add("Sunset", "S M TEST-1", available=[30, 30, 5])
    excluding(world, skus=["TEST-*"])
    assert world.variants("--init")["problems"] == []
    world.sell("S TEST-1", 2)
    world.run("variants")
    assert world.reads("S M TEST-1") == [28, 28, 3]


def test_a_variant_that_is_excluded_later_leaves_and_the_others_go_on(world: World) -> None:
    world.add("Sunset", "S M L")
    world.run("variants")
    excluding(world, skus=["L"])
    world.run("variants")
    world.sell("S L", 2)
    world.run("variants")
    assert world.reads("S M L") == [28, 28, 28]
    assert world.cached()["Sunset"]["quantity"] == 28


def test_its_last_fall_is_counted_and_a_rise_is_not(world: World) -> None:
    world.add("Sunset", "S M L")
    world.add("Fog", "F G H")
    world.run("variants")
    world.sell("L", 2)
    world.shop.restock("H", 5)
    excluding(world, skus=["L", "H"])
    world.run("variants")
    assert world.reads("S M L") == [28, 28, 28]
    assert world.reads("F G H") == [30, 30, 35]
    world.sell("L", 1)
    assert world.variants()["changes"] == []


def test_what_is_no_longer_excluded_joins(world: World) -> None:
    world.add("Sunset", "S M L")
    excluding(world, skus=["L"])
    world.run("variants")
    world.sell("S", 2)
    world.run("variants")
    excluding(world, skus=[])
    world.run("variants")
    assert world.reads("S M L") == [28, 28, 28]


def test_a_product_that_is_excluded_by_its_tag_leaves_without_a_changed_file(world: World) -> None:
    two(world)
    world.shop.retag("Out", "later")
    excluding(world, product_tags=["one-off"])
    world.run("variants")
    assert set(world.cached()) == {"Out", "In"}
    world.shop.retag("Out", "one-off")
    document = world.variants()
    assert [warning["kind"] for warning in document["warnings"]] == ["left"]
    assert set(world.cached()) == {"In"}


def test_a_changed_exclude_is_a_changed_filter(world: World) -> None:
    two(world)
    world.configure(variants={"product_types": ["Print"], "scan": "changes"})
    world.run("variants")
    world.time.pass_by(minutes=30)
    assert world.variants()["scan"] == "changes"
    exclude = {"product_tags": ["one-off"]}
    world.configure(variants={"product_types": ["Print"], "scan": "changes", "exclude": exclude})
    document = world.variants()
    assert document["scan_why"].startswith("the filter in the configuration was changed")
    assert set(world.cached()) == {"In"}
    world.time.pass_by(minutes=30)
    assert world.variants()["scan"] == "changes"


def test_locations_leave_out_variants_and_products_too(world: World) -> None:
    everywhere = tuple(world.shop.locations.values())
    world.add("Out", "O-1 O-2", tags=["one-off"], locations=everywhere)
    world.add("In", "I-1 TEST-1", locations=everywhere)
    excluding(world, "locations", product_tags=["one-off"], skus=["TEST-*"])
    assert world.locations("--init")["skipped"] == {"excluded": 3}
    world.sell("O-1 TEST-1 I-1", 3, "Till")
    world.run("locations")
    assert world.reads("O-1 TEST-1 I-1", "Warehouse") == [30, 30, 27]


def test_a_filter_that_leaves_nothing_is_refused_with_what_it_is(world: World) -> None:
    two(world)
    excluding(world, product_types=["Print"])
    ran = world.run("variants", exit_code=1)
    assert "nothing in the shop matches (type Print, no type Print)" in ran.problem
    assert "exclude" in ran.problem


def test_check_counts_what_is_excluded(world: World) -> None:
    two(world)
    excluding(world, product_tags=["one-off"])
    out = world.run("check").out
    assert "1 products match (type Print, no tag one-off)" in out
    assert "left out: 2 excluded" in out
