"""Which shop and which location the state is of: a name may change, an id does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from program_world import World

FOUR = "P-S P-M P-L P-XL"
OLD, NEW = "sandbox.myshopify.com", "better-prints.myshopify.com"


def ready(world: World) -> None:
    """A pool that is adopted, and was then sold from."""
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S", 3)


def rewrite(world: World, suffix: str = "json", **changes: Any) -> None:
    """The cache (or the header of the journal) with some keys changed; `...` leaves a key out."""
    place = world.place("variants", suffix)
    first, newline, rest = place.read_bytes().partition(b"\n" if suffix == "journal" else b"\x00")
    document = {**json.loads(first), **changes}
    kept = {key: value for key, value in document.items() if value is not ...}
    place.write_bytes(json.dumps(kept).encode() + newline + rest)


#: What 0.1.0 did not write.
UNKNOWN: dict[str, Any] = {"shop_id": ..., "places": ..., "skew": ...}


@pytest.mark.parametrize("by_0_1_0", [False, True])
@pytest.mark.parametrize("cut_off", [False, True])
def test_a_shop_that_changed_its_domain_goes_on_with_its_state(
    world: World, by_0_1_0: bool, cut_off: bool
) -> None:
    ready(world)
    if cut_off:
        world.cut_off("variants", after=True)
    if by_0_1_0:
        rewrite(world, **UNKNOWN)
        if cut_off:
            rewrite(world, "journal", shop_id=...)
    world.shop.domain = NEW
    before = world.files()
    line = world.run("variants", exit_code=1).problem
    for part in (OLD, f"shop: {NEW}", str(world.config)):
        assert part in line
    assert world.operations == ["Shop"]
    assert before["invsync-state/variants.json"] == world.files()["invsync-state/variants.json"]

    world.configure(shop=NEW)
    assert f"`invsync --config {world.config} variants`" in world.run("status", exit_code=1).err
    world.run("check")
    assert "shop_renamed" in kinds(world.variants("--dry-run"))
    document = world.variants()
    assert kinds(document) == ["shop_renamed"]
    assert OLD in document["warnings"][0]["message"]
    assert world.reads(FOUR) == [27] * 4

    world.sell("P-M", 2)
    assert kinds(world.variants()) == []
    assert world.reads(FOUR) == [25] * 4
    world.run("status")


def kinds(document: dict[str, Any]) -> list[str]:
    return [warning["kind"] for warning in document["warnings"]]


def test_another_shop_of_the_same_domain_is_another_shop(world: World) -> None:
    ready(world)
    rewrite(world, shop_id="gid://shopify/Shop/77")
    before = world.place("variants").read_bytes()
    line = world.run("variants", exit_code=1).problem
    assert "belongs to the shop" in line
    assert "gid://shopify/Shop/77" in line
    assert world.batches == []
    assert world.place("variants").read_bytes() == before


def test_a_cache_of_0_1_0_of_another_shop_is_refused(world: World) -> None:
    ready(world)
    rewrite(world, **UNKNOWN, shop="other.myshopify.com", locations=["gid://shopify/Location/77"])
    line = world.run("variants", exit_code=1).problem
    assert "belongs to the shop other.myshopify.com, not to sandbox.myshopify.com" in line


def test_another_shop_at_the_address_is_no_renamed_one(world: World) -> None:
    ready(world)
    world.shop.domain = NEW
    rewrite(world, shop_id="gid://shopify/Shop/77")
    line = world.run("variants", exit_code=1).problem
    assert f"is the shop {NEW}, but the configuration says {OLD}" in line


# --- The default location


def test_a_default_that_moved_names_both_and_what_to_write(world: World) -> None:
    ready(world)
    make_primary(world, "Till")
    before = world.place("variants").read_bytes()
    line = world.run("variants", exit_code=1).problem
    for part in (
        "was made for Warehouse",
        "default location is Till now",
        f"write location: Warehouse under variants in {world.config}",
        "--init --reset",
    ):
        assert part in line
    assert "gid://" not in line
    assert "set variants.location back" not in line.lower()
    assert world.batches == []
    assert world.place("variants").read_bytes() == before
    assert "Warehouse" in world.run("check", exit_code=1).out

    world.configure(variants={"product_types": ["Print"], "location": "Warehouse"})
    world.run("variants")
    assert world.reads(FOUR, "Warehouse") == [27] * 4


def make_primary(world: World, name: str) -> None:
    (place,) = (one for one in world.shop.locations.values() if one.name == name)
    for one in world.shop.locations.values():
        one.primary = one is place
    world.shop.changed()


def test_a_cache_of_0_1_0_names_the_location_as_the_shop_does(world: World) -> None:
    ready(world)
    rewrite(world, **UNKNOWN)
    make_primary(world, "Till")
    assert "was made for Warehouse" in world.run("variants", exit_code=1).problem


def test_a_location_that_was_renamed_since_is_written_as_it_is_called_now(world: World) -> None:
    ready(world)
    warehouse = world.shop.primary
    make_primary(world, "Till")
    warehouse.name = "Hall: 3"
    line = world.run("variants", exit_code=1).problem
    assert "was made for Warehouse" in line
    assert 'write location: "Hall: 3" under' in line


def test_of_two_locations_of_one_name_the_number_is_written(world: World) -> None:
    ready(world)
    warehouse = world.shop.primary
    world.shop.add_location("Warehouse")
    make_primary(world, "Till")
    number = warehouse.gid.rpartition("/")[2]
    assert f"write location: {number} under" in world.run("variants", exit_code=1).problem
    world.configure(variants={"product_types": ["Print"], "location": int(number)})
    world.run("variants")


def test_a_default_that_was_closed_can_only_be_left(world: World) -> None:
    ready(world)
    warehouse = world.shop.primary
    make_primary(world, "Till")
    warehouse.active = False
    line = world.run("variants", exit_code=1).problem
    assert "Warehouse is closed or gone" in line
    assert "write location" not in line
    assert "--init --reset" in line


def test_a_location_that_was_changed_in_the_configuration_says_how_to_go_back(
    world: World,
) -> None:
    ready(world)
    world.configure(variants={"product_types": ["Print"], "location": "Till"})
    line = world.run("variants", exit_code=1).problem
    for part in ("was made for Warehouse, not for Till", "write location: Warehouse"):
        assert part in line
