"""Large products, large pushes, large catalogues.

More than fits on a page, in a call, or under Shopify's limits.
"""

from __future__ import annotations

import pytest
from program_world import World

from invsync.sandbox import connections


def skus(count: int, prefix: str = "P") -> list[str]:
    return [f"{prefix}-{number:04}" for number in range(count)]


def test_a_product_of_2000_variants(world: World) -> None:
    names = skus(2000)
    world.add("Print", names)
    world.run("variants", "--init")
    world.sell(f"{names[0]} {names[999]} {names[1999]}", 3)
    document = world.variants()
    assert set(world.reads(" ".join(names))) == {21}
    assert [len(batch) for batch in world.batches] == [250] * 8
    assert len(document["changes"][0]["levels"]) == 2000
    world.run("variants")
    assert world.batches == []


def test_more_than_250_adjustments_go_out_in_several_calls(world: World) -> None:
    for number in range(90):
        world.add(f"Print {number:02}", skus(4, f"P{number:02}"))
    world.run("variants", "--init")
    for number in range(90):
        world.sell(f"P{number:02}-0000", 2)
    document = world.variants()
    assert document["pools"]["adjusted"] == 90
    assert sum(len(batch) for batch in world.batches) == 270
    assert all(len(batch) <= 250 for batch in world.batches)
    for number in range(90):
        assert world.reads(" ".join(skus(4, f"P{number:02}"))) == [28] * 4


def test_a_pool_stays_in_one_call_where_it_fits(world: World) -> None:
    sizes = [101, 120, 60, 200, 251, 3, 249]
    for number, size in enumerate(sizes):
        world.add(f"Print {number}", skus(size, f"P{number}"))
    world.run("variants", "--init")
    for number in range(len(sizes)):
        world.sell(f"P{number}-0000", 2)
    world.run("variants")
    pool_of = {item.gid: item.variants[0].product.title for item in world.shop.items.values()}
    batches = [{pool_of[change["inventoryItemId"]] for change in batch} for batch in world.batches]
    assert all(len(batch) <= 250 for batch in world.batches)
    for number in range(len(sizes)):
        assert sum(f"Print {number}" in batch for batch in batches) == 1, number
        assert set(world.reads(" ".join(skus(sizes[number], f"P{number}")))) == {28}


def test_the_calls_of_one_run_have_keys_of_their_own_and_name_the_same_run(world: World) -> None:
    world.add("Print", skus(600))
    world.run("variants", "--init")
    world.sell("P-0000", 2)
    world.run("variants")
    calls = [
        request.graphql["variables"] for request in world.asked if request.operation == "Adjust"
    ]
    assert len({call["key"] for call in calls}) == 3
    (reference,) = {call["input"]["referenceDocumentUri"] for call in calls}
    assert reference.startswith("gid://invsync/Run/")
    assert {call["input"]["reason"] for call in calls} == {"correction"}
    assert {
        entry["reference_document_uri"]
        for entry in world.shop.trail.ledger
        if entry["by"] != "customer"
    } == {reference}


def test_a_catalogue_deeper_than_shopify_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "DEPTH_LIMIT", 300)
    for number in range(700):
        world.add(f"Print {number:03}", skus(2, f"P{number:03}"))
    document = world.variants("--init")
    assert document["pools"]["adopted"] == 700
    world.sell("P699-0001 P300-0000 P000-0000", 2)
    world.run("variants")
    assert world.reads("P699-0000 P300-0001 P000-0001") == [28, 28, 28]
    document = world.locations("--init")
    assert document["pools"]["seen"] == 0  # each is stocked at one location only
    assert len(world.cached("locations")) == 1400


def test_a_product_with_more_variants_than_a_page_holds_deep_in_the_catalogue(world: World) -> None:
    for number in range(260):
        world.add(f"Print {number:03}", skus(2, f"P{number:03}"))
    world.add("Large", skus(70, "L"))
    document = world.variants("--init")
    assert document["pools"]["adopted"] == 261
    world.sell("L-0069", 2)
    world.run("variants")
    assert set(world.reads(" ".join(skus(70, "L")))) == {28}


def test_more_than_250_products_that_moved_are_read_in_several_calls(world: World) -> None:
    for number in range(300):
        world.add(f"Print {number:03}", skus(2, f"P{number:03}"))
    world.run("variants", "--init")
    for number in range(300):
        world.sell(f"P{number:03}-0000")
    document = world.variants()
    assert document["pools"]["adjusted"] == 300
    assert {level.available for level in world.shop.levels.values()} == {29}
    assert all(len(batch) <= 250 for batch in world.batches)


def test_the_largest_numbers_that_shopify_takes(world: World) -> None:
    world.add("Print", "P-S P-M", available=1_000_000_000)
    world.run("variants", "--init")
    world.sell("P-S", 999_999_999)
    world.run("variants")
    assert world.reads("P-S P-M") == [1, 1]
