"""The stories of the rule through the whole program: what is told apart by what a shop shows.

Each is played on the sandbox: orders, sales at a till, cancelled orders, numbers that are typed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from program_world import World

from invsync.sandbox.api import Phase, as_faults
from invsync.sandbox.exchange import Request

PLACES = ("Warehouse", "Till", "Fair")


@dataclass(frozen=True)
class Now:
    """What happens before one run, and what that run leads to.

    `left`: what the levels read after it; `told`: kinds of problems and warnings; `says`: a part of
    one of their messages; `moved`: how `explain` tells of what moved; `refused`: the SKU whose
    adjustments Shopify refuses in this run.
    """

    happens: Callable[[World], object]
    left: list[int]
    told: str = ""
    says: str = ""
    moved: str = ""
    options: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Story:
    """A pool that starts in step at `units`, of one SKU a letter, and what happens to it.

    `then`: its SKUs afterwards, where they are others.
    """

    units: int
    runs: tuple[Now, ...]
    skus: str = "S M"
    policy: str = "smallest"
    then: str = ""


def nothing(world: World) -> None:
    """Time passes."""


def ordered(**units: int) -> Callable[[World], object]:
    """Orders, by the last letter of their SKU."""
    return lambda world: [world.shop.sell(sku, count) for sku, count in units.items()]


def at_the_till(**units: int) -> Callable[[World], object]:
    """Sales that leave the shelf at once."""
    return lambda world: [world.shop.sell(sku, count, shipped=True) for sku, count in units.items()]


def shipped(**units: int) -> Callable[[World], object]:
    """What was ordered leaves the house; nobody has seen Shopify touch the product for that."""

    def ship(world: World) -> None:
        product = world.shop.product("Print")
        touched = product.updated_at
        for sku, count in units.items():
            world.shop.ship(sku, count)
        product.updated_at = touched

    return ship


def cancelled(**units: int) -> Callable[[World], object]:
    return lambda world: [world.shop.cancel(sku, count) for sku, count in units.items()]


def typed(**numbers: int) -> Callable[[World], object]:
    return lambda world: [world.shop.set_available(sku, units) for sku, units in numbers.items()]


def replaced(units: int, skus: str) -> Callable[[World], object]:
    """All variants of the product are deleted, and others made."""

    def replace(world: World) -> None:
        product = world.shop.product("Print")
        old = list(product.variants)
        for sku in skus.split():
            world.shop.add_variant(product, sku, available=units, locations=(world.shop.primary,))
        for variant in old:
            world.shop.delete_variant(variant)

    return replace


def both(*happen: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [one(world) for one in happen]


STORIES = {
    "1+1 sold, next run 2+2: all falls count": Story(
        30,
        (
            Now(ordered(S=1, M=1), [28, 28], moved="S -1 ordered"),
            Now(ordered(S=2, M=2), [24, 24], moved="M -2 ordered"),
        ),
    ),
    "the same at the till": Story(
        30,
        (
            Now(at_the_till(S=1, M=1), [28, 28], moved="S -1 off_shelf"),
            Now(at_the_till(S=2, M=2), [24, 24]),
        ),
    ),
    "sold online, shipped, and sold online again": Story(
        30,
        (
            Now(ordered(S=5, M=5), [20, 20], moved="S -5 ordered"),
            Now(nothing, [20, 20]),
            Now(shipped(S=5, M=5), [20, 20]),
            Now(ordered(S=5, M=5), [10, 10], moved="S -5 ordered"),
            Now(both(shipped(S=5), cancelled(M=5)), [15, 15], moved="M +5 cancelled"),
            Now(ordered(S=5), [10, 10], moved="S -5 ordered"),
        ),
    ),
    "both sell 2 of 3": Story(
        3, (Now(ordered(S=2, M=2), [-1, -1], "oversold", "1 units are owed"),)
    ),
    "both sell the last one; then 10 arrive": Story(
        1,
        (
            Now(ordered(S=1, M=1), [-1, -1], "oversold"),
            Now(typed(S=10), [10, 10]),
        ),
    ),
    "6 typed into both, then into one": Story(
        12,
        (
            Now(typed(S=6, M=6), [0, 0], "fell_alike", "set one variant to 6 in Shopify"),
            Now(typed(S=6), [6, 6]),
        ),
    ),
    "two orders cancelled": Story(
        30,
        (
            Now(ordered(S=1, M=1), [28, 28]),
            Now(cancelled(S=1, M=1), [29, 29], "several_rises", "by cancelled orders"),
        ),
    ),
    "two orders cancelled, freed": Story(
        30,
        (
            Now(ordered(S=1, M=1), [28, 28]),
            Now(
                cancelled(S=1, M=1),
                [30, 30],
                "several_rises",
                "all of it is counted (28 → 30)",
                moved="S +1 cancelled",
            ),
        ),
        policy="freed",
    ),
    "an order of one that rose and waits is a sale, and takes nothing back": Story(
        10,
        (
            Now(typed(S=11, M=11), [11, 11, 10], "held several_rises"),
            Now(ordered(S=1), [10, 10, 9], "held", "without them its quantity is 9"),
            Now(nothing, [10, 10, 10], "released", options="--force"),
        ),
        skus="S M L",
        policy="hold",
    ),
    "orders that make all read the same settle nothing": Story(
        6,
        (
            Now(typed(M=7, L=7), [6, 7, 7], "held several_rises"),
            Now(ordered(S=1, M=2, L=2), [1, 2, 2], "held", "without them its quantity is 1"),
        ),
        skus="S M L",
        policy="hold",
    ),
    "a rise that waits, taken back": Story(
        10,
        (
            Now(typed(S=15, M=12), [15, 12, 10], "held several_rises"),
            Now(typed(S=10, M=10), [10, 10, 10], "taken_back"),
        ),
        skus="S M L",
        policy="hold",
    ),
    "one order beside an import": Story(
        10,
        (
            Now(
                both(typed(S=50, M=50, L=50), ordered(S=1)),
                [49, 49, 49],
                "several_rises",
                "taken for one import (10 → 49)",
            ),
        ),
        skus="S M L",
    ),
    "a person makes all agree while rises wait": Story(
        10,
        (
            Now(typed(S=15, M=12), [15, 12, 10], "held several_rises"),
            Now(typed(S=17, M=17, L=17), [17, 17, 17], "settled", "(10 → 17)"),
        ),
        skus="S M L",
        policy="hold",
    ),
    "a raise that was refused, and an import of the same number beside an order": Story(
        10,
        (
            Now(typed(S=50), [50, 10], "refused", refused="M"),
            Now(both(typed(M=50), ordered(M=1)), [49, 49], "raise_closed", "brought to 49"),
        ),
    ),
    "a raise that was refused, and is made by somebody": Story(
        30,
        (
            Now(typed(S=33), [33, 30], "refused", refused="M"),
            Now(typed(M=33), [33, 33], "raise_closed"),
        ),
    ),
    "one write refused, then the next run": Story(
        30,
        (
            Now(ordered(S=1), [29, 30], "refused", refused="M"),
            Now(nothing, [29, 29]),
        ),
    ),
    "all variants are made anew": Story(12, (Now(replaced(5, "S2 M2"), [5, 5]),), then="S2 M2"),
    "another program writes its number back": Story(
        12,
        (
            Now(ordered(S=2), [10, 10]),
            Now(typed(M=12), [12, 12]),
            Now(ordered(S=2), [10, 10]),
            Now(typed(M=12), [10, 10], "overwritten", "another program writes its own number"),
            Now(ordered(S=1), [9, 9], "overwritten"),
        ),
    ),
}


@pytest.mark.parametrize("scan", ["complete", "changes"])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_story(world: World, story: Story, scan: str) -> None:
    wanted = {"product_types": ["Print"], "several_rises": story.policy, "scan": scan}
    world.configure(variants=wanted)
    world.add("Print", story.skus, story.units)
    world.run("variants", "--init")
    for number, now in enumerate(story.runs, start=1):
        now.happens(world)
        world.time.pass_by(minutes=30)  # more than what the feed shows again
        where = f"run {number}"
        document = refusing(world, now.refused, *now.options.split())
        assert world.reads(story.then or story.skus) == now.left, where
        told = [*document["problems"], *document["warnings"]]
        assert sorted({one["kind"] for one in told}) == sorted(now.told.split()), where
        assert any(now.says in one["message"] for one in told) or not now.says, (where, told)
        if now.moved:
            assert now.moved in explained(world), where


def refusing(world: World, sku: str, *args: str) -> dict[str, Any]:
    """The document of a run in which Shopify refuses the adjustments of a SKU, if of any."""
    assert world.server is not None
    rules = [{"fault": "refuse", "items": [sku], "operation": "Adjust"}] if sku else []
    world.server.sandbox.faults = as_faults(rules)
    document = world.variants(*args, exit_code=None)
    world.server.sandbox.faults = as_faults([])
    return document


def test_the_log_tells_ordered_from_off_the_shelf(world: World) -> None:
    world.add("Print", "S M", 30)
    world.run("variants", "--init")
    both(ordered(S=2), at_the_till(M=3))(world)
    said = world.run("variants", "-v").err
    assert "Print: S -2 ordered, M -3 off the shelf; falls: all counted, 30 → 25\n" in said


def explained(world: World) -> list[str]:
    """What `explain` says of how each level moved, last."""
    (pool,) = world.run("explain", "Print", "--json").document["pools"]
    moved = pool["events"][-1]["moved"]
    return [f"{one['sku']} {one['movement']:+d} {one['how']}" for one in moved]


def test_a_location_closes_and_its_stock_is_moved(world: World) -> None:
    """Shopify adds it at the destination: the same stock, no restock."""
    world.configure(locations={"product_types": ["Kitchen"]})
    world.shop.add_location("Fair")
    world.add("Mug", ["MUG"], 14, product_type="Kitchen", locations=PLACES)
    world.run("locations", "--init")
    world.shop.close_location("Fair", move_to="Warehouse")
    assert world.reads("MUG", "Warehouse") == [28]
    document = world.locations(exit_code=3)
    assert [one["kind"] for one in document["problems"]] == ["stock_moved"]
    assert [world.reads("MUG", place) for place in PLACES[:2]] == [[14], [14]]
    assert world.locations()["problems"] == []


def test_a_sale_where_the_locations_differ_is_passed_on(world: World) -> None:
    """It sets no number: 6 at the warehouse, 2 at the till, none at the fair; one sold."""
    world.configure(locations={"product_types": ["Kitchen"]})
    world.shop.add_location("Fair")
    world.add("Mug", ["MUG"], 0, product_type="Kitchen", locations=PLACES)
    for place, units in zip(PLACES, (6, 2, 0), strict=True):
        world.shop.set_available("MUG", units, place)
    world.run("locations", "--init", exit_code=3)
    world.shop.sell("MUG", 1, "Till")
    document = world.locations(exit_code=3)
    assert [one["kind"] for one in document["problems"]] == ["out_of_sync"]
    assert [world.reads("MUG", place) for place in PLACES] == [[5], [1], [0]]
    world.shop.set_available("MUG", 8, "Warehouse")
    world.locations(exit_code=3)
    assert [world.reads("MUG", place) for place in PLACES] == [[8], [8], [8]]


def test_a_scan_alone_sets_no_witness(world: World) -> None:
    """A search index may show numbers of another moment; what is remembered was read by id."""

    def at_another_moment(request: Request, phase: Phase) -> None:
        if request.operation == "FindProducts":
            for sku in ("S", "M"):
                world.shop.level(sku).committed += -5 if phase == "before" else 5

    world.configure(variants={"product_types": ["Print"], "scan": "complete"})
    world.add("Print", "S M", 30)
    world.run("variants", "--init")
    ordered(S=5, M=5)(world)
    world.variants()
    world.hook = at_another_moment
    world.variants()
    world.hook = None
    ordered(S=5, M=5)(world)
    assert world.variants()["problems"] == []
    assert "S -5 ordered" in explained(world)
