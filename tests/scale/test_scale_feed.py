"""The feed of changes: what it shows, what it can't show, and when it is believed."""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scale_world import LONG_AGO, World, kinds

from invsync import find
from invsync.axis import ByProduct
from invsync.config.settings import load as load_config
from invsync.members import Members
from invsync.order import Known, Options, Order
from invsync.state.cache import Cache, Scans, read_cache
from invsync.tell.document import document

BOTH = pytest.mark.parametrize("command", ["variants", "locations"])


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sell(world: World, command: str, product: int = 0, units: int = 3) -> None:
    """A sale at a place where both commands see it."""
    world.shop.sell(f"P{product:04}-0", units, "Warehouse")


def followed(world: World, command: str, product: int = 0) -> bool:
    """Whether the rest of the pool followed the sale."""
    if command == "variants":
        return world.reads(f"P{product:04}-1") == [27]
    return world.reads(f"P{product:04}-0", location="Till") == [27]


class TestNothingMoved:
    @BOTH
    def test_three_requests_and_ten_points(self, world: World, command: str) -> None:
        world.stock(40)
        world.init(command)
        world.time.pass_by(minutes=11)
        outcome = world.good(command)
        assert outcome.scan == "changes"
        assert outcome.requests <= 3
        assert outcome.points <= 10

    @BOTH
    def test_the_cache_is_not_written_and_the_mark_stays(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        before = world.cache(command)
        world.time.pass_by(minutes=11)
        world.good(command)
        assert world.cache(command) == before

    @BOTH
    def test_but_no_longer_than_an_hour(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=61)
        at = world.time.at
        world.good(command)
        assert world.cache(command)["watermark"] == moment(at)


class TestSomethingMoved:
    @BOTH
    def test_is_read_by_id_and_pushed(self, world: World, command: str) -> None:
        world.stock(40)
        world.init(command)
        world.time.pass_by(minutes=11)
        sell(world, command)
        outcome = world.good(command)
        assert outcome.scan == "changes"
        assert followed(world, command)
        assert [change.title for change in outcome.changes] == [
            "Print 0000" if command == "variants" else "Print 0000 / 0"
        ]

    @BOTH
    def test_the_mark_moves_to_the_beginning_of_the_run(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        sell(world, command)
        at = world.time.at
        world.good(command)
        assert world.cache(command)["watermark"] == moment(at)

    @BOTH
    def test_fifty_sales_take_six_requests_and_ninety_points(
        self, world: World, command: str
    ) -> None:
        world.stock(60, 4)
        world.init(command)
        world.time.pass_by(minutes=11)
        for product in range(50):
            sell(world, command, product)
        outcome = world.good(command)
        assert all(followed(world, command, product) for product in range(50))
        assert outcome.requests <= 6
        assert outcome.points <= 90

    @BOTH
    def test_more_than_a_page_at_each_location(self, world: World, command: str) -> None:
        skus = world.stock(130)
        world.init(command)
        world.time.pass_by(minutes=11)
        for sku in skus:
            for place in ("Warehouse", "Till"):
                world.shop.sell(sku, 1, place)
        outcome = world.run(command)
        assert outcome.scan == "changes"
        expected = 28  # two sold, of each variant (variants) or at each of two locations
        assert set(world.reads(*skus)) == {expected}

    @BOTH
    def test_is_found_too_where_only_the_product_shows_it(self, world: World, command: str) -> None:
        """Nobody has written whether a level's `updated_at` moves with a sale.

        That the product's does is known.
        """
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        hide(world, "P0000-0", product=False)
        sell(world, command)
        assert world.good(command).scan == "changes"
        assert followed(world, command)

    @BOTH
    def test_the_run_before_is_not_paid_for_again(self, world: World, command: str) -> None:
        world.stock(110, 4)
        world.init(command)
        for half in (range(50), range(50, 100)):
            world.time.pass_by(minutes=10)
            for product in half:
                sell(world, command, product)
            outcome = world.good(command)
            assert outcome.requests <= 6
            assert outcome.points <= 90
        assert all(followed(world, command, product) for product in range(100))

    def test_many_rises_are_braked_before_the_first_of_them_is_sent(self, world: World) -> None:
        world.stock(60, 9)
        world.init()
        world.time.pass_by(minutes=11)
        for product in range(50):
            world.shop.restock(f"P{product:04}-0", 5, "Warehouse")
        outcome = world.run()
        assert outcome.scan == "changes"
        assert outcome.exit_code == 3
        assert outcome.pools["held"] == 50
        assert "Adjust" not in world.operations

    @BOTH
    def test_much_at_once_is_a_complete_scan(self, world: World, command: str) -> None:
        world.much = 5
        world.stock(8)
        world.init(command)
        world.time.pass_by(minutes=11)
        for product in range(6):
            sell(world, command, product)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert outcome.scan_why is not None
        assert outcome.scan_why.startswith("much changed at once")
        assert all(followed(world, command, product) for product in range(6))

    @BOTH
    @pytest.mark.parametrize("operation", ["feed", "ChangedProducts"])
    def test_so_is_a_feed_for_which_shopify_runs_out_of_time(
        self, world: World, command: str, operation: str
    ) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        sell(world, command)
        feeds = ["ChangedLevels", "ChangedLevelsEverywhere"]
        world.faults({"fault": "timeout", "operation": feeds if operation == "feed" else operation})
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert followed(world, command)

    @pytest.mark.parametrize(
        "fault",
        [
            {"fault": "timeout"},
            {"fault": "internal_error"},
            {"fault": "status", "code": 504},
            {"fault": "cut_after"},
        ],
        ids=lambda fault: fault.get("code", fault["fault"]),
    )
    def test_a_feed_of_all_locations_that_is_refused_is_asked_one_after_the_other(
        self, world: World, fault: dict[str, Any]
    ) -> None:
        world.stock(3)
        world.init("locations")
        world.time.pass_by(minutes=11)
        sell(world, "locations")
        world.faults({**fault, "operation": "ChangedLevelsEverywhere"})
        outcome = world.good("locations")
        assert outcome.scan == "changes"
        assert world.operations.count("ChangedLevels") == 3
        assert followed(world, "locations")

    @pytest.mark.parametrize("code", [402, 429])
    def test_but_not_where_no_call_is_carried_out(self, world: World, code: int) -> None:
        world.stock(3)
        world.init("locations")
        world.time.pass_by(minutes=11)
        world.faults({"fault": "status", "code": code, "operation": "ChangedLevelsEverywhere"})
        outcome = world.run("locations")
        assert outcome.exit_code == 1
        assert "ChangedLevels" not in world.operations


class TestLowStock:
    """Where the last units are, no index is trusted."""

    def low(self, world: World, products: int, units: int, variants: int = 2) -> list[str]:
        """Products of long ago with so many units, among forty with thirty; their first SKUs."""
        world.stock(40)
        now, world.shop.now = world.shop.now, lambda: LONG_AGO
        for number in range(products):
            skus = " ".join(f"L{number:04}-{one}" for one in range(variants))
            world.add(f"Low {number:04}", skus, units)
        world.shop.now = now
        return [f"L{number:04}-0" for number in range(products)]

    @BOTH
    @pytest.mark.parametrize(("units", "found"), [(10, True), (11, False)])
    def test_is_looked_at_whatever_the_index_shows(
        self, world: World, command: str, units: int, found: bool
    ) -> None:
        world.configure(scan="changes")
        (sku,) = self.low(world, 1, units)
        world.init(command)
        world.time.pass_by(minutes=11)
        hide(world, sku)
        world.shop.sell(sku, 3, "Warehouse")
        assert world.good(command).scan == "changes"
        others = ("L0000-1", "Warehouse") if command == "variants" else (sku, "Till")
        assert world.levels()[others] == (units - 3 if found else units)

    def test_also_where_a_complete_scan_shows_yesterdays_number(self, world: World) -> None:
        world.configure(scan="complete", low_stock=5)
        self.low(world, 2, 5)
        world.init()
        world.time.pass_by(minutes=11)
        world.lag(minutes=5)
        world.shop.sell("L0000-0", 2, "Warehouse")
        world.good()
        assert world.reads("L0000-0", "L0000-1") == [3, 3]

    @BOTH
    @pytest.mark.parametrize(("low", "points"), [(0, 9), (1, 20), (250, 20), (251, 32)])
    def test_costs_one_reading_by_id_for_each_250(
        self, world: World, command: str, low: int, points: int
    ) -> None:
        self.low(world, low, 10, 1 if command == "locations" else 2)
        world.init(command)
        world.time.pass_by(minutes=11)
        outcome = world.good(command)
        assert outcome.scan == "changes"
        assert outcome.requests <= 3 + math.ceil(low / 250)
        assert outcome.points <= points

    def test_at_most_a_thousand_pools_the_lowest_first(self, world: World) -> None:
        world.configure(scan="changes", low_stock=4)
        for number, units in enumerate((4, 2, 5, 1, 3, -1, 30)):
            world.add(f"Low {number}", f"{number}-S {number}-M", units)
        world.init()
        world.time.pass_by(minutes=11)
        settings = load_config(world.folder / "config.yaml", {})
        order = Order(settings, "variants", Options(), "run", moment(world.time.at))
        cache = read_cache(order.files)
        assert cache is not None
        known = Known(cache, Members(ByProduct("here"), cache), on_disk=True)
        assert find.MOST_LOW == 1000
        with mock.patch.object(find, "MOST_LOW", 4):
            titles = [known.cache.title(pool) for pool in find.low_stock(order, known)]
        assert titles == ["Low 5", "Low 3", "Low 1", "Low 4"]

    def test_none_at_all_with_0(self, world: World) -> None:
        world.configure(low_stock=0)
        self.low(world, 3, 0)
        world.init()
        world.time.pass_by(minutes=11)
        assert world.good().requests <= 3

    def test_a_single_listing_is_not_looked_at(self, world: World) -> None:
        self.low(world, 3, 1, variants=1)
        world.init()
        world.time.pass_by(minutes=11)
        assert world.good().requests <= 3


class TestProducts:
    def test_come_and_go_in_one_run(self, world: World) -> None:
        world.stock(2)
        for name in ("archived", "retyped", "untagged", "shrunk", "grown"):
            world.add(name, f"{name}-S {name}-M {name}-L")
        world.add("joins", "joins-S joins-M", product_type="Other")
        world.add("single", "single-S")
        world.init()
        world.time.pass_by(minutes=11)
        world.add("new", "new-S new-M", 12)
        world.add("new and unequal", "unequal-S unequal-M", [1, 2])
        world.shop.archive("archived")
        world.shop.retype("retyped", "Other")
        world.shop.retype("joins", "Print")
        world.shop.delete_variant("shrunk-L")
        world.shop.add_variant(world.shop.product("grown"), "grown-XL")
        world.shop.add_variant(world.shop.product("single"), "single-M", available=4)
        outcome = world.run()
        assert outcome.scan == "changes"
        assert kinds(outcome.problems) == ["out_of_sync"]
        pools = world.pools()
        assert pools.keys() == {
            *(
                "Print 0000",
                "Print 0001",
                "archived",
                "untagged",
                "shrunk",
                "grown",
                "joins",
                "single",
                "new",
                "new and unequal",
            )
        }
        assert pools["new"] == {
            "quantity": 12,
            "levels": {"new-S": [12, 12, 0], "new-M": [12, 12, 0]},
        }
        assert pools["shrunk"]["levels"] == {"shrunk-S": [30, 30, 0], "shrunk-M": [30, 30, 0]}
        assert pools["grown"]["levels"] == {
            f"grown-{size}": [30, 30, 0] for size in ("S", "M", "L", "XL")
        }
        assert pools["single"]["levels"] == {"single-S": [30, 30, 0], "single-M": [30, 30, 0]}

    def test_that_lost_their_tag_leave(self, world: World) -> None:
        world.configure({"product_tags": ["shared"]})
        for name in ("stays", "leaves"):
            world.add(name, f"{name}-S {name}-M", tags=["shared"])
        world.add("comes", "comes-S comes-M")
        world.init()
        world.time.pass_by(minutes=11)
        world.shop.retag("leaves", "unshared")
        world.shop.retag("comes", "Shared", "new")
        assert world.good().scan == "changes"
        assert world.pools().keys() == {"stays", "comes"}

    def test_items_of_new_products_are_adopted_by_locations(self, world: World) -> None:
        world.stock(2)
        world.init("locations")
        world.time.pass_by(minutes=11)
        world.add("new", "new-S new-M", 12)
        world.add("typed in at one", "one", 0)
        world.shop.set_available("one", 7, "Till")
        assert world.good("locations").scan == "changes"
        pools = world.pools("locations")
        assert pools["new / S"] == {
            "quantity": 12,
            "levels": {key: [12, 12, 0] for key in ("Warehouse", "Till", "Pop-up")},
        }
        assert pools["typed in at one"]["quantity"] == 7
        assert world.reads("one", location="Pop-up") == [7]

    @BOTH
    def test_that_were_deleted_leave_at_the_next_complete_scan(
        self, world: World, command: str
    ) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        world.shop.delete_product("Print 0001")
        world.good(command)
        assert any(title.startswith("Print 0001") for title in world.pools(command))
        world.time.pass_by(hours=6)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert not any(title.startswith("Print 0001") for title in world.pools(command))
        assert [warning.kind for warning in outcome.warnings] == ["left"]

    def test_with_many_variants_are_read_whole(self, world: World) -> None:
        skus = [f"wide-{number}" for number in range(260)]
        world.add("wide", " ".join(skus))
        world.init()
        world.init("locations")
        world.time.pass_by(minutes=11)
        world.shop.sell("wide-255", 4, "Warehouse")
        world.good()
        assert set(world.reads(*skus)) == {26}
        world.time.pass_by(minutes=1)
        world.good("locations")
        assert set(world.levels().values()) == {26}


class TestLocations:
    def test_a_location_that_opens_is_looked_at_completely(self, world: World) -> None:
        world.stock(3)
        world.shop.close_location("Pop-up")
        world.init("locations")
        world.time.pass_by(hours=1)
        world.shop.sell("P0000-0", 3, "Warehouse")
        world.good("locations")
        assert world.reads("P0000-0", location="Pop-up") == [30]
        world.shop.open_location("Pop-up")
        world.time.pass_by(hours=1)
        outcome = world.run("locations")
        assert outcome.scan == "complete"
        assert world.reads("P0000-0", location="Pop-up") == [27]
        world.time.pass_by(minutes=11)
        assert world.good("locations").scan == "changes"


class TestLag:
    @BOTH
    def test_within_the_overlap_is_caught_by_the_feed(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        world.lag(8)
        world.time.pass_by(minutes=20)
        sell(world, command, 0)
        world.time.pass_by(minutes=1)
        world.good(command)
        assert not followed(world, command, 0)
        world.lag(0)
        sell(world, command, 1)  # which moves the mark beyond the first sale
        world.lag(8)
        world.good(command)
        assert followed(world, command, 1)
        world.time.pass_by(minutes=8)
        outcome = world.good(command)
        assert outcome.scan == "changes"
        assert followed(world, command, 0)

    @BOTH
    def test_beyond_the_overlap_is_caught_by_the_next_complete_scan(
        self, world: World, command: str
    ) -> None:
        self.miss(world, command)
        world.time.pass_by(hours=5)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert followed(world, command, 0)
        assert kinds(outcome.warnings) == ["feed_missed"]
        assert "Print 0000" in outcome.warnings[0].message
        assert not world.cache(command)["feed_trusted"]

    @BOTH
    def test_after_that_auto_does_without_the_feed(self, world: World, command: str) -> None:
        self.miss(world, command)
        world.time.pass_by(hours=5)
        world.good(command)
        world.time.pass_by(minutes=11)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert outcome.scan_why is not None
        assert "the feed of changes missed a movement" in outcome.scan_why
        world.configure(scan="changes")
        assert world.good(command).scan == "changes"

    def miss(self, world: World, command: str) -> None:
        """A sale that the index shows so late that the mark has moved beyond it."""
        world.stock(4)
        world.init(command)
        world.time.pass_by(minutes=60)
        world.lag(40)
        sell(world, command, 0)
        for product in (1, 2, 3):
            world.time.pass_by(minutes=15)
            lag, world.shop.settings.index_lag = world.shop.settings.index_lag, 0
            sell(world, command, product)
            world.shop.settings.index_lag = lag
            assert world.good(command).scan == "changes"
            assert followed(world, command, product)
            assert not followed(world, command, 0)

    @BOTH
    def test_what_came_before_is_reported_too_where_the_feed_now_shows_too_much(
        self, world: World, command: str
    ) -> None:
        self.miss(world, command)
        world.lag(0)
        world.much = 3
        for product in (1, 2, 3):
            sell(world, command, product)
        outcome = world.good(command)
        assert outcome.scan_why == "much changed at once; by pages"
        assert followed(world, command, 0)
        assert kinds(outcome.warnings) == ["feed_missed"]

    @BOTH
    def test_a_movement_that_the_feed_never_shows_is_reported(
        self, world: World, command: str
    ) -> None:
        """Nothing else moves, so that the mark has not.

        The feed is asked at the complete scan itself.
        """
        world.stock(3)
        world.configure(reconcile_every="30m")
        world.init(command)
        world.time.pass_by(minutes=5)
        hide(world, "P0000-0")
        sell(world, command)
        for _ in range(2):
            world.time.pass_by(minutes=10)
            outcome = world.good(command)
            assert (outcome.scan, outcome.changes) == ("changes", [])
        world.time.pass_by(minutes=10)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert followed(world, command)
        assert kinds(outcome.warnings) == ["feed_missed"]
        assert not world.cache(command)["feed_trusted"]

    @BOTH
    def test_a_movement_that_the_feed_shows_is_not_held_against_it(
        self, world: World, command: str
    ) -> None:
        world.stock(3)
        world.configure(reconcile_every="30m")
        world.init(command)
        world.time.pass_by(minutes=20)
        world.good(command)
        sell(world, command, 0)
        world.time.pass_by(minutes=19)
        sell(world, command, 1)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert followed(world, command, 0)
        assert followed(world, command, 1)
        assert not outcome.warnings
        assert world.cache(command)["feed_trusted"]

    @BOTH
    def test_nor_is_one_that_the_index_may_not_know_yet(self, world: World, command: str) -> None:
        world.stock(3)
        world.configure(reconcile_every="30m")
        world.init(command)
        world.time.pass_by(minutes=25)
        hide(world, "P0000-0")
        sell(world, command)
        world.time.pass_by(minutes=8)
        outcome = world.good(command)
        assert outcome.scan == "complete"
        assert followed(world, command)
        assert not outcome.warnings


def hide(world: World, sku: str, *, product: bool = True) -> None:
    """The feed is never to show a level of this item again, nor its product; all else does."""
    item = world.shop.item(sku)
    for level in item.levels.values():
        world.shop.trail.shadows["Level", level.id] = [(math.inf, copy.copy(level))]
    if product:
        world.shop.trail.shadows["Product", item.variants[0].product.id] = [
            (math.inf, copy.copy(item.variants[0].product))
        ]


class TestMark:
    @BOTH
    def test_stays_when_a_later_page_of_levels_fails(self, world: World, command: str) -> None:
        world.stock(130)
        world.init(command)
        world.time.pass_by(minutes=11)
        for product in range(130):
            for which in (0, 1):
                world.shop.sell(f"P{product:04}-{which}", 1, "Warehouse")
        before = world.cache(command)
        second = (
            {"operation": "ChangedLevels", "nth": [2]}
            if command == "variants"
            else {"operation": "ChangedLevels"}
        )
        world.faults({"fault": "status", "code": 402, **second})
        outcome = world.run(command)
        assert outcome.exit_code == 1
        assert outcome.changes == []
        assert world.cache(command) == before
        world.faults()
        world.good(command)
        assert {entry["quantity"] for entry in world.pools(command).values()} == {
            28 if command == "variants" else 29
        }

    @BOTH
    def test_stays_when_the_products_fail(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        sell(world, command)
        before = world.cache(command)
        world.faults({"fault": "status", "code": 402, "operation": "ChangedProducts"})
        assert world.run(command).exit_code == 1
        assert world.cache(command) == before

    @BOTH
    def test_stays_when_a_part_of_what_moved_can_not_be_read(
        self, world: World, command: str
    ) -> None:
        world.stock(200)
        world.init(command)
        world.time.pass_by(minutes=11)
        for product in range(200):
            sell(world, command, product)
        before = world.cache(command)
        world.faults(
            {"fault": "status", "code": 402, "operation": ["ReadProducts", "ReadItems"], "nth": [2]}
        )
        assert world.run(command).exit_code == 1
        after = world.cache(command)
        assert after["pools"] != before["pools"]
        assert after["watermark"] == before["watermark"]
        world.faults()
        world.time.pass_by(hours=1)
        world.good(command)
        assert all(followed(world, command, product) for product in range(200))

    @BOTH
    def test_tells_whether_it_was_left_to_the_feed(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        assert world.cache(command)["fed"] is False
        world.time.pass_by(minutes=11)
        sell(world, command)
        world.good(command)
        assert world.cache(command)["fed"] is True
        world.time.pass_by(hours=6)
        assert world.good(command).scan == "complete"
        assert world.cache(command)["fed"] is False

    @BOTH
    def test_stays_when_not_everything_was_settled(self, world: World, command: str) -> None:
        world.stock(200)
        world.init(command)
        world.time.pass_by(minutes=11)
        for product in range(200):
            sell(world, command, product)
        before = world.cache(command)["watermark"]
        world.faults({"fault": "status", "code": 402, "operation": "Adjust", "nth": [2]})
        outcome = world.run(command)
        assert outcome.exit_code == 1
        assert world.cache(command)["watermark"] == before
        world.faults()
        world.time.pass_by(hours=1)
        world.good(command)
        assert all(followed(world, command, product) for product in range(200))

    @BOTH
    def test_stays_in_a_dry_run_and_in_an_init_of_what_is_managed(
        self, world: World, command: str
    ) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(hours=2)
        sell(world, command)
        before = world.cache(command)
        world.run(command, dry_run=True)
        assert world.cache(command) == before
        world.time.pass_by(hours=1)
        world.good(command, init=True)
        assert world.cache(command)["watermark"] == before["watermark"]
        world.time.pass_by(hours=1)
        outcome = world.good(command)
        assert outcome.scan == "changes"
        assert followed(world, command)
        assert not outcome.warnings


class TestUnsettled:
    @BOTH
    def test_a_refused_pool_is_tried_by_every_run(self, world: World, command: str) -> None:
        world.stock(3)
        world.init(command)
        world.time.pass_by(minutes=11)
        sell(world, command)
        refused = "P0000-1" if command == "variants" else "P0000-0"
        world.faults({"fault": "refuse", "items": [refused], "code": "NON_MUTABLE_INVENTORY_ITEM"})
        for _ in range(4):
            outcome = world.run(command)
            assert outcome.scan == "changes"
            assert outcome.exit_code == 3
            assert kinds(outcome.problems) == ["refused"]
            world.time.pass_by(minutes=40)
        world.faults()
        assert world.good(command).scan == "changes"
        assert followed(world, command)

    def test_a_pool_out_of_sync_is_told_of_by_every_run_and_adopted_once_it_is_equal(
        self, world: World
    ) -> None:
        world.stock(3)
        world.add("unequal", "un-S un-M", [1, 2])
        assert world.run(init=True).exit_code == 3
        for _ in range(3):
            world.time.pass_by(minutes=50)
            outcome = world.run()
            assert outcome.scan == "changes"
            assert kinds(outcome.problems) == ["out_of_sync"]
        world.shop.set_available("un-S", 2)
        world.time.pass_by(minutes=1)
        assert world.good().pools["adopted"] == 1


class TestChoice:
    NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def choose(
        self,
        wanted: str = "auto",
        *,
        init: bool = False,
        seeded: bool = True,
        matches: str = "type Print",
        **scans: Any,
    ) -> find.Choice:
        usual = {
            "complete": "2026-11-22T10:00:00Z",
            "watermark": "2026-11-22T11:50:00Z",
            "points": 5_000,
        }
        path = Path(__file__).parents[1] / "exactly_once" / "config.yaml"
        settings = load_config(path, {})
        assert settings.variants is not None
        section = replace(settings.variants, scan=wanted, reconcile_every=6 * 3_600)  # type: ignore[arg-type]
        settings = replace(settings, variants=section)
        order = Order(settings, "variants", Options(init=init), "run", "2026-11-22T12:00:00Z")
        cache = Cache("variants", "sandbox.myshopify.com", ("here",), matches=[matches])
        cache.scans = Scans(**{**usual, **scans})
        known = Known(cache, Members(ByProduct("here"), cache), on_disk=seeded)
        return find.choose(order, known, ["type Print"], self.NOW)

    def test_changes_where_a_complete_scan_is_dear(self) -> None:
        choice = self.choose()
        assert choice.kind == "changes"
        assert "more than 600 points" in choice.why
        assert "321 points" in self.choose(points=321).why

    @pytest.mark.parametrize(
        ("cache", "why"),
        [
            ({"points": 100}, "100 points only"),
            ({"complete": "2026-11-22T06:00:00Z"}, "reconcile_every"),
            ({"matches": "type Poster"}, "filter"),
            ({"trusted": False}, "missed a movement"),
            ({"watermark": None}, "no moment to start from"),
            ({"complete": None}, "first look"),
        ],
    )
    def test_complete_where(self, cache: dict[str, Any], why: str) -> None:
        choice = self.choose(**cache)
        assert choice.kind == "complete"
        assert why in choice.why

    def test_complete_for_init_and_for_a_shop_that_is_not_known(self) -> None:
        assert self.choose(init=True).kind == "complete"
        assert self.choose(seeded=False).kind == "complete"

    def test_forced(self) -> None:
        assert self.choose("complete").kind == "complete"
        assert self.choose("changes", points=10).kind == "changes"
        assert self.choose("changes", trusted=False).kind == "changes"

    def test_forced_changes_are_reconciled_all_the_same(self) -> None:
        assert self.choose("changes", complete="2026-11-22T06:00:00Z").kind == "complete"

    def test_is_told_in_the_log_and_in_the_document(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.stock(3)
        caplog.set_level(logging.INFO, "invsync")
        first = world.init()
        assert "scan: complete (the first look at this shop; by pages)" in caplog.text
        assert document(first)["scan"] == "complete"
        caplog.clear()
        world.time.pass_by(minutes=11)
        outcome = world.good()
        assert "scan: changes (a complete scan by pages takes" in caplog.text
        assert outcome.scan_why is not None
        assert "a complete scan by pages takes" in outcome.scan_why
        assert document(outcome)["scan"] == "changes"
        assert document(outcome)["scan_why"] == outcome.scan_why

    def test_a_small_shop_is_read_completely_every_time(self, world: World) -> None:
        world.cheap = 150
        world.stock(3)
        world.init()
        world.time.pass_by(hours=7)
        outcome = world.good()
        assert outcome.scan == "complete"
        world.time.pass_by(minutes=11)
        assert world.good().scan == "complete"
        assert world.operations == ["Shop", "FindProducts"]
