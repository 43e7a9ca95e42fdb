"""Complete scans by bulk operation: every way in which one can go wrong.

From none is too little concluded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from scale_world import World, kinds

from invsync.admin.bulk import BulkFailed, bulk_items, bulk_products
from invsync.admin.client import Client
from invsync.admin.documents import Document
from invsync.admin.nodes import Quantities
from invsync.errors import Stopped
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request

BOTH = pytest.mark.parametrize("command", ["variants", "locations"])


@pytest.fixture
def bulk(world: World) -> World:
    """A world in which pages are always dear, with a pool that moves between two runs."""
    world.dear = 0
    world.stock(12)
    return world


def sell(world: World) -> None:
    world.time.pass_by(hours=7)
    world.shop.sell("P0003-0", 3, "Warehouse")


def followed(world: World, command: str) -> bool:
    """Whether the sale was found, and nothing else was made of the scan."""
    other = (
        world.reads("P0003-1") if command == "variants" else world.reads("P0003-0", location="Till")
    )
    rest = world.reads("P0002-0", "P0004-1")
    return (
        other == [27]
        and rest == [30, 30]
        and len(world.pools(command)) == (12 if command == "variants" else 24)
    )


class TestWell:
    @BOTH
    @pytest.mark.parametrize("order", ["grouped", "apart", "shuffled"])
    def test_by_whatever_order_the_objects_come_in(
        self, bulk: World, command: str, order: str
    ) -> None:
        bulk.shop.settings.bulk_order = order
        outcome = bulk.init(command)
        assert outcome.pools["adopted"] == (12 if command == "variants" else 24)
        assert outcome.scan_why == "the first look at this shop; by a bulk operation"
        sell(bulk)
        outcome = bulk.good(command)
        assert outcome.scan == "complete"
        assert followed(bulk, command)

    @BOTH
    def test_is_the_reconcile_of_a_large_shop(self, bulk: World, command: str) -> None:
        bulk.init(command)
        bulk.time.pass_by(minutes=11)
        assert bulk.good(command).scan == "changes"
        assert "StartBulk" not in bulk.operations
        bulk.time.pass_by(hours=6)
        outcome = bulk.good(command)
        assert outcome.scan_why is not None
        assert outcome.scan_why.startswith("reconcile_every")
        assert outcome.scan_why.endswith("by a bulk operation")

    @BOTH
    def test_takes_over_from_pages_that_become_dear(self, world: World, command: str) -> None:
        world.stock(300)
        world.dear = 60 if command == "variants" else 150
        outcome = world.init(command)
        assert outcome.scan_why is not None
        assert outcome.scan_why.endswith("by a bulk operation")
        assert outcome.pools["adopted"] == (300 if command == "variants" else 600)
        page = "FindProducts" if command == "variants" else "FindItems"
        assert page in world.operations
        world.time.pass_by(hours=7)
        world.good(command)
        assert "StartBulk" in world.operations
        assert page not in world.operations

    @BOTH
    def test_waits_for_one_that_takes_long_with_longer_and_longer_pauses(
        self, bulk: World, command: str
    ) -> None:
        bulk.shop.settings.bulk_queue_time = 20
        bulk.shop.settings.bulk_run_time = 100
        bulk.init(command)
        assert bulk.operations.count("BulkStatus") < 16

    @BOTH
    def test_that_takes_too_long_is_left_when_the_time_is_up(
        self, bulk: World, command: str
    ) -> None:
        bulk.shop.settings.bulk_run_time = 10_000
        outcome = bulk.run(command, init=True)
        assert outcome.exit_code == 1
        assert "bulk operation is still running" in str(outcome.error)
        assert not (bulk.folder / "invsync-state" / f"{command}.json").exists()

    def test_a_shop_in_which_nothing_matches_is_refused(self, bulk: World) -> None:
        bulk.configure({"product_types": ["Poster"]})
        outcome = bulk.run(init=True)
        assert outcome.exit_code == 1
        assert "nothing in the shop matches" in str(outcome.error)

    @BOTH
    def test_shared_items_are_one_pool(self, bulk: World, command: str) -> None:
        item = bulk.shop.item("P0000-0")
        bulk.shop.add_variant(bulk.shop.product("Print 0001"), "P0000-0", title="shared", item=item)
        bulk.init(command)
        assert (
            bulk.pools(command)["Print 0001" if command == "variants" else "Print 0000 / 0"][
                "quantity"
            ]
            == 30
        )


FATES: dict[str, list[dict[str, Any]]] = {
    "failed with a part of its result": [{"fault": "bulk_ends", "ends": "FAILED", "partial": True}],
    "failed with nothing": [{"fault": "bulk_ends", "ends": "FAILED", "partial": False}],
    "canceled": [{"fault": "bulk_ends", "ends": "CANCELED", "partial": True}],
    "expired": [{"fault": "bulk_ends", "ends": "EXPIRED", "partial": False}],
    "all places taken": [{"fault": "bulk_busy", "seconds": 10_000}],
    "objects, but no file": [{"fault": "bulk_no_url"}],
    "an expired address": [{"fault": "bulk_url_expired"}],
    "a file cut off": [{"fault": "truncated", "operation": "bulk_result"}],
    "a file cut off at the first object": [
        {"fault": "truncated", "operation": "bulk_result", "at": 20}
    ],
    "an empty file": [{"fault": "truncated", "operation": "bulk_result", "at": 0, "silent": True}],
    "a file cut off unnoticed": [
        {"fault": "truncated", "operation": "bulk_result", "silent": True}
    ],
    "bytes that are no text": [{"fault": "garbage", "operation": "bulk_result"}],
    "a page of HTML": [{"fault": "html", "operation": "bulk_result"}],
    "no download": [{"fault": 404, "operation": "bulk_result"}],
    "a download that always fails": [{"fault": 503, "operation": "bulk_result"}],
}


class TestFates:
    """Where a bulk operation fails, pages do: with a warning, and to the same end."""

    @BOTH
    @pytest.mark.parametrize("fate", FATES)
    def test_the_same_by_pages(self, bulk: World, command: str, fate: str) -> None:
        bulk.init(command)
        sell(bulk)
        bulk.faults(*FATES[fate])
        outcome = bulk.good(command)
        assert kinds(outcome.warnings) == ["bulk_failed"]
        assert "by pages" in outcome.warnings[0].message
        assert "\n" not in outcome.warnings[0].message
        assert outcome.scan_why is not None
        assert outcome.scan_why.endswith("by pages, since a bulk operation failed")
        assert followed(bulk, command)

    @BOTH
    @pytest.mark.parametrize(
        "fate", ["failed with a part of its result", "a file cut off unnoticed"]
    )
    def test_adopts_everything_all_the_same(self, bulk: World, command: str, fate: str) -> None:
        bulk.faults(*FATES[fate])
        outcome = bulk.good(command, init=True)
        assert outcome.pools["adopted"] == (12 if command == "variants" else 24)

    @BOTH
    @pytest.mark.parametrize("fate", FATES)
    def test_and_nothing_where_pages_fail_too(self, bulk: World, command: str, fate: str) -> None:
        bulk.init(command)
        sell(bulk)
        before = bulk.cache(command)
        bulk.faults(
            *FATES[fate],
            {"fault": "status", "code": 402, "operation": ["FindProducts", "FindItems"]},
        )
        outcome = bulk.run(command)
        assert outcome.exit_code == 1
        assert bulk.cache(command) == before
        assert bulk.reads("P0003-1") == [30]
        assert "Adjust" not in bulk.operations

    @BOTH
    def test_a_start_whose_answer_is_lost_has_the_catalogue_read_by_pages(
        self, bulk: World, command: str
    ) -> None:
        bulk.init(command)
        sell(bulk)
        bulk.faults({"fault": "cut_after", "operation": "StartBulk"})
        outcome = bulk.good(command)
        assert kinds(outcome.warnings) == ["bulk_failed"]
        assert bulk.operations.count("StartBulk") == 1
        assert followed(bulk, command)

    @BOTH
    def test_an_answer_that_is_lost_is_told_of(self, bulk: World, command: str) -> None:
        bulk.init(command)
        sell(bulk)
        before = bulk.cache(command)
        bulk.faults({"fault": "cut_after", "operation": "BulkStatus"})
        outcome = bulk.run(command)
        assert outcome.exit_code == 1
        assert bulk.cache(command) == before

    @BOTH
    def test_lines_that_change_on_the_way(self, bulk: World, command: str) -> None:
        """Every line is whole JSON, and their number is right."""
        bulk.init(command)
        sell(bulk)
        self.rewrite(
            bulk,
            lambda lines: [
                *lines[:-1],
                b'{"id": "gid://shopify/Unknown/1", "__parentId": "none"}\n',
            ],
        )
        outcome = bulk.good(command)
        assert kinds(outcome.warnings) == ["bulk_failed"]
        assert "do not fit together" in outcome.warnings[0].message
        assert followed(bulk, command)

    @BOTH
    @pytest.mark.parametrize(
        "line", [b"[]\n", b"{\n", b"null\n", b"\xff\xfe\n", b"{}\n", b"[" * 100_000 + b"\n"]
    )
    def test_garbage_among_the_lines(self, bulk: World, command: str, line: bytes) -> None:
        bulk.init(command)
        sell(bulk)
        self.rewrite(bulk, lambda lines: [*lines[:5], line, *lines[6:]])
        outcome = bulk.good(command)
        assert kinds(outcome.warnings) == ["bulk_failed"]
        assert followed(bulk, command)

    @BOTH
    def test_an_operation_that_counts_nothing_where_pages_found_much(
        self, world: World, command: str
    ) -> None:
        world.stock(300)
        world.dear = 60 if command == "variants" else 150

        def forget(request: Request, phase: Phase) -> None:
            for job in world.shop.account.jobs.values():
                job.result = {"objects": 0, "roots": 0}

        world.adapter.sandbox.on_request = forget
        outcome = world.good(command, init=True)
        assert kinds(outcome.warnings) == ["bulk_failed"]
        assert outcome.pools["adopted"] == (300 if command == "variants" else 600)

    def rewrite(self, world: World, change: Callable[[list[bytes]], list[bytes]]) -> None:
        results = world.adapter.sandbox.home.results
        results.clear()

        def on_request(request: Request, phase: Phase) -> None:
            if request.operation is None and phase == "before":
                name = request.path.rpartition("/")[2]
                lines = change(results.find(name).splitlines(keepends=True))
                results.keep(name, [line.decode() for line in lines])

        world.adapter.sandbox.on_request = on_request


class _Shop:
    """A client of a shop whose only bulk operation has just ended with these objects."""

    def __init__(
        self,
        objects: list[Mapping[str, Any]],
        *,
        count: int | None = None,
        url: str | None = "there",
    ) -> None:
        self.lines = [json.dumps(each).encode() for each in objects]
        self.status = {
            "status": "COMPLETED",
            "errorCode": None,
            "objectCount": str(len(objects) if count is None else count),
            "url": url,
        }

    def execute(
        self, document: Document, variables: Mapping[str, Any], *, cost: int
    ) -> dict[str, Any]:
        if document.name == "start_bulk":
            return {
                "bulkOperationRunQuery": {
                    "bulkOperation": {"id": "gid://shopify/BulkOperation/1"},
                    "userErrors": [],
                }
            }
        return {"bulkOperation": self.status}

    def fetch_lines(self, url: str) -> Iterator[bytes]:
        yield from self.lines


def client(*objects: Mapping[str, Any], **settings: Any) -> Client:
    return cast(Client, _Shop(list(objects), **settings))


def heed(what: str, done: int, total: int | None) -> None:
    """Nobody is told."""


P1 = "gid://shopify/Product/1"
P2 = "gid://shopify/Product/2"
V1 = "gid://shopify/ProductVariant/1"
V2 = "gid://shopify/ProductVariant/2"
I2 = "gid://shopify/InventoryItem/2"
I9 = "gid://shopify/InventoryItem/9"
L1 = "gid://shopify/Location/1"
L2 = "gid://shopify/Location/2"

PRODUCT = {
    "id": P1,
    "title": "Print",
    "productType": "Print",
    "tags": [],
    "status": "ACTIVE",
    "isGiftCard": False,
}


def variant(number: int, item: str | None = None) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "title": f"Size {number}",
        "requiresComponents": False,
        "product": PRODUCT,
        "inventoryItem": {
            "id": item or f"gid://shopify/InventoryItem/{number}",
            "sku": None,
            "tracked": True,
        },
    }


def level(location: str, available: Any, parent: str) -> dict[str, Any]:
    return {
        "id": "gid://shopify/InventoryLevel/1?inventory_item_id=1",
        "location": {"id": location},
        "quantities": [{"name": "available", "quantity": available}],
        "__parentId": parent,
    }


class TestObjects:
    def test_levels_belong_to_the_variant_or_to_its_item(self) -> None:
        found = bulk_items(
            client(variant(1), variant(2), level(L1, 5, V1), level(L1, 0, I2)), "", heed
        )
        assert [item.levels for listing in found for item in listing.items] == [
            {L1: Quantities(5)},
            {L1: Quantities(0)},
        ]

    def test_levels_of_a_shared_item_are_those_of_both_its_variants(self) -> None:
        found = bulk_items(
            client(variant(1, I9), level(L1, 5, I9), variant(2, I9), level(L2, 6, I9)),
            "",
            heed,
        )
        assert [item.levels for listing in found for item in listing.items] == [
            {L1: Quantities(5), L2: Quantities(6)}
        ] * 2

    def test_an_item_without_levels_has_none(self) -> None:
        (found,) = bulk_items(client(variant(1)), "", heed)
        assert found.items[0].levels == {}
        assert found.items[0].sku == ""

    @pytest.mark.parametrize("available", [None, "5", 5.5, True, 10**30])
    def test_what_is_no_quantity_is_not_taken_for_one(self, available: Any) -> None:
        with pytest.raises(BulkFailed, match=r"do not fit|can't be read at line 2"):
            list(bulk_items(client(variant(1), level(L1, available, V1)), "", heed))

    def test_a_level_without_its_variant(self) -> None:
        with pytest.raises(BulkFailed, match="do not fit together"):
            list(bulk_items(client(variant(1), level(L1, 5, V2)), "", heed))

    def test_a_variant_without_its_product(self) -> None:
        one = variant(1)
        one["inventoryItem"]["inventoryLevel"] = None
        with pytest.raises(BulkFailed, match="do not fit together"):
            list(bulk_products(client({**one, "__parentId": P2}), "", L1, heed))

    def test_a_product_without_variants(self) -> None:
        (found,) = bulk_products(client(PRODUCT), "", L1, heed)
        assert found.items == ()

    def test_nothing_at_all(self) -> None:
        assert list(bulk_items(client(url=None), "", heed)) == []

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_a_count_that_is_not_met(self, count: int) -> None:
        with pytest.raises(BulkFailed, match=f"(2 of|more than the) {count} objects"):
            list(bulk_items(client(variant(1), variant(2), count=count), "", heed))

    def test_objects_without_a_file(self) -> None:
        with pytest.raises(BulkFailed, match="gave no file"):
            list(bulk_items(client(count=7, url=None), "", heed))

    def test_nothing_is_handed_out_of_what_is_not_whole(self) -> None:
        found = bulk_items(client(variant(1), variant(2), count=3), "", heed)
        with pytest.raises(BulkFailed):
            next(found)

    def test_how_far_it_is_is_told_and_whoever_is_told_may_stop_it(self) -> None:
        told: list[tuple[str, int, int | None]] = []

        def heed(what: str, done: int, total: int | None) -> None:
            told.append((what, done, total))
            if done >= 2_000:
                raise Stopped(15)

        with pytest.raises(Stopped):
            list(bulk_items(client(*(variant(number) for number in range(1, 2_501))), "", heed))
        assert told == [("downloading", done, 2_500) for done in (0, 1_000, 2_000)]

    def test_terms_with_every_kind_of_quote_stay_text(self) -> None:
        sent: list[str] = []

        class Listening(_Shop):
            def execute(
                self, document: Document, variables: Mapping[str, Any], *, cost: int
            ) -> dict[str, Any]:
                sent.append(variables.get("query", ""))
                return super().execute(document, variables, cost=cost)

        terms = """product_type:'it\\'s "A"\\\\'"""
        list(bulk_items(cast(Client, Listening([], url=None)), terms, heed))
        from graphql import parse

        (argument,) = parse(sent[0]).definitions[0].selection_set.selections[0].arguments  # type: ignore[attr-defined]
        assert argument.value.value == terms
