"""Stocks by hand, by a metafield, and in packs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from group_world import listing, reads, story
from program_world import World

from invsync.sandbox.things import Variant

SCANS = pytest.mark.parametrize("scan", ["complete", "changes"])

PACKS = {"option": "Pack size", "sizes": {"Half dozen": 6}}


def cookies(
    world: World, available: Sequence[int], sizes: Sequence[str] = ("Single", "Half dozen", "12er")
) -> list[Variant]:
    """One cookie in packs, as variants of one product."""
    product = world.add("Cookie", [])
    return [
        world.shop.add_variant(
            product,
            f"COOKIE-{size}",
            options={"Pack size": size},
            available=number,
            locations=(world.shop.primary,),
        )
        for number, size in zip(available, sizes, strict=True)
    ]


def in_packs(world: World, scan: str = "auto", **keys: Any) -> None:
    sizes = {"Single": 1, **PACKS["sizes"]}  # type: ignore[dict-item]
    pack = {**PACKS, "sizes": sizes}
    world.configure(variants={"product_types": ["Print"], "scan": scan, "pack_size": pack, **keys})


def sell(world: World, variant: Variant, units: int = 1) -> None:
    world.shop.sell(variant.item, units)


# Packs


@SCANS
@pytest.mark.parametrize(
    ("start", "happens", "after"),
    [
        # 50 units; one 6-pack sold
        ((50, 8, 4), (0, 1, 0), (44, 7, 3)),
        # from 44, 5 singles, a 6 and a 12 in one order
        ((44, 7, 3), (5, 1, 1), (21, 3, 1)),
        # from 50, the same
        ((50, 8, 4), (5, 1, 1), (27, 4, 2)),
        # the 6-pack comes back
        ((44, 7, 3), (0, -1, 0), (50, 8, 4)),
        # 24 singles delivered; or two cases of 12
        ((50, 8, 4), (-24, 0, 0), (74, 12, 6)),
        ((50, 8, 4), (0, 0, -2), (74, 12, 6)),
        # 6 left: 4 singles and the 6-pack sold
        ((6, 1, 0), (4, 1, 0), (-4, -1, -1)),
    ],
)
def test_packs_sell_from_one_stock_of_units(
    world: World,
    scan: str,
    start: tuple[int, ...],
    happens: tuple[int, ...],
    after: tuple[int, ...],
) -> None:
    in_packs(world, scan)
    packs = cookies(world, start)
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    for pack, pieces in zip(packs, happens, strict=True):
        if pieces > 0:
            sell(world, pack, pieces)
        elif pieces < 0:
            world.shop.restock(pack.item, -pieces)
    world.variants(exit_code=None)
    assert tuple(reads(*packs)) == after
    assert world.variants(exit_code=None)["changes"] == []


def test_owed_units_are_paid_by_the_next_case(world: World) -> None:
    in_packs(world)
    packs = cookies(world, (6, 1, 0))
    world.run("variants", "--init")
    sell(world, packs[0], 4)
    sell(world, packs[1])
    world.variants(exit_code=3)
    assert reads(*packs) == [-4, -1, -1]
    world.shop.restock(packs[2].item, 1)
    world.variants()
    assert reads(*packs) == [8, 1, 0]


def test_loose_units_are_kept_when_the_single_listing_is_deleted(world: World) -> None:
    in_packs(world)
    packs = cookies(world, (13, 3, 2), ("Single", "4 pieces", "6 pieces"))
    world.run("variants", "--init")
    world.shop.delete_variant(packs[0])
    world.variants()
    sell(world, packs[1])
    world.variants()
    assert reads(*packs[1:]) == [2, 1]
    sell(world, packs[2])
    world.variants()
    assert reads(*packs[1:]) == [0, 0]
    assert world.cached()["Cookie"]["quantity"] == 3


def test_packs_that_no_number_fits_are_out_of_sync(world: World) -> None:
    in_packs(world)
    cookies(world, (50, 8, 5))
    document = world.variants("--init", exit_code=3)
    assert [problem["kind"] for problem in document["problems"]] == ["out_of_sync"]


@SCANS
@pytest.mark.parametrize("size", ["Box", "6 of 12", "0 pieces", ""])
def test_a_new_product_with_a_pack_of_no_size_is_not_adopted(
    world: World, scan: str, size: str
) -> None:
    in_packs(world, scan)
    packs = cookies(world, (12, 2, 1), ("Single", "Half dozen", size or "x"))
    world.run("variants", "--init", exit_code=3)
    sell(world, packs[0])
    document = world.variants(exit_code=3)
    assert [problem["kind"] for problem in document["problems"]] == ["no_pack_size"]
    assert reads(*packs) == [11, 2, 1]


@SCANS
def test_a_pack_that_loses_its_size_leaves_with_its_last_fall(world: World, scan: str) -> None:
    in_packs(world, scan)
    packs = cookies(world, (50, 8, 4))
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    sell(world, packs[1])
    world.shop.set_options(packs[1], {"Pack size": "Box"})
    document = world.variants(exit_code=3)
    assert [problem["kind"] for problem in document["problems"]] == ["no_pack_size"]
    assert reads(*packs) == [44, 7, 3]
    sell(world, packs[0], 2)
    world.variants(exit_code=3)
    assert reads(*packs) == [42, 7, 3]
    world.shop.set_options(packs[1], {"Pack size": "Half dozen"})
    world.variants()
    assert reads(*packs) == [42, 7, 3]
    assert world.variants()["problems"] == []


def test_a_pack_typed_up_keeps_the_loose_units(world: World) -> None:
    in_packs(world)
    packs = cookies(world, (50, 8, 4))
    world.run("variants", "--init")
    world.shop.set_available(packs[2].item, 6)
    document = world.variants()
    assert story(document, "loose_units")
    assert reads(*packs) == [74, 12, 6]


def test_a_size_that_changed_is_told(world: World) -> None:
    in_packs(world)
    packs = cookies(world, (48, 8, 4))
    world.run("variants", "--init")
    world.shop.set_options(packs[1], {"Pack size": "8 pieces"})
    sell(world, packs[1])
    document = world.variants()
    assert story(document, "size_changed")
    assert reads(*packs) == [40, 5, 3]


def test_a_size_may_stand_in_a_metafield(world: World) -> None:
    pack = {"metafield": "custom.pack_size"}
    world.configure(variants={"skus": ["A", "B"], "pool_by": "sku", "pack_size": pack})
    single, six = listing(world, "Tea", "A", 20), listing(world, "Tea, box", "A", 3)
    for variant, size in ((single, "1"), (six, "6-pack")):
        world.shop.set_metafield(variant, "custom.pack_size", size)
    world.run("variants", "--init")
    sell(world, six)
    world.variants()
    assert reads(single, six) == [14, 2]


def test_what_a_document_tells_of_packs(world: World) -> None:
    in_packs(world)
    packs = cookies(world, (50, 8, 4))
    world.run("variants", "--init")
    sell(world, packs[1])
    (change,) = world.variants()["changes"]
    told = {
        level["sku"]: (level["size"], level["movement"], level["delta"])
        for level in change["levels"]
    }
    assert change["quantity"] == {"from": 50, "to": 44}
    assert told == {
        "COOKIE-Single": (1, 0, -6),
        "COOKIE-Half dozen": (6, -6, 0),
        "COOKIE-12er": (12, 0, -1),
    }


# By hand


def by_hand(world: World, pools: Any, scan: str = "auto") -> None:
    world.configure(variants={"pools": pools, "scan": scan})


@SCANS
def test_a_list_by_hand_by_sku_variant_and_product(world: World, scan: str) -> None:
    birch, sixes = listing(world, "Birch", "BIRCH", 30), listing(world, "Birch six", "BIRCH-6", 5)
    framed = listing(world, "Birch framed", "FRAMED", 30)
    product = world.add("Birch shapes", "ROUND SQUARE", 30)
    other = listing(world, "Oak", "OAK", 7)
    pools = {
        "Birch blank": [
            "BIRCH",
            {"sku": "BIRCH-6", "size": 6},
            framed.gid,
            product.gid,
        ]
    }
    by_hand(world, pools, scan)
    world.run("variants", "--init")
    world.time.pass_by(minutes=1)
    sell(world, framed, 2)
    sell(world, sixes)
    sell(world, product.variants[1])
    document = world.variants()
    assert reads(birch, sixes, framed, *product.variants, other) == [21, 3, 21, 21, 21, 7]
    (change,) = document["changes"]
    assert (change["pool"], change["title"]) == ("list:Birch blank", "Birch blank")


@SCANS
def test_what_a_list_names_and_nothing_is_needs_a_person_until_it_comes(
    world: World, scan: str
) -> None:
    two = [listing(world, f"Birch {frame}", f"BIRCH-{frame}") for frame in "AB"]
    by_hand(world, {"Birch": ["BIRCH-A", "BIRCH-B", "BIRCH-C"]}, scan)
    document = world.variants("--init", exit_code=3)
    (told,) = story(document, "list_incomplete")
    assert "BIRCH-C (Birch)" in told
    sell(world, two[0])
    assert story(world.variants(exit_code=3), "list_incomplete")
    assert reads(*two) == [29, 29]
    world.time.pass_by(minutes=1)
    third = listing(world, "Birch C", "BIRCH-C", 0)
    world.variants()
    assert reads(*two, third) == [29, 29, 29]


def test_many_lists_are_found_without_a_search_for_each(world: World) -> None:
    pools = {f"Stock {number}": [f"S{number}-A", f"S{number}-B"] for number in range(30)}
    variants = [listing(world, sku, sku, 5) for skus in pools.values() for sku in skus]
    by_hand(world, pools)
    world.run("variants", "--init")
    sell(world, variants[0])
    world.variants()
    assert reads(*variants[:4]) == [4, 4, 5, 5]


# By a metafield


@SCANS
def test_listings_with_one_value_of_a_metafield(world: World, scan: str) -> None:
    world.configure(
        variants={
            "product_types": ["Print"],
            "pool_by": "metafield",
            "pool_metafield": "custom.stock_pool",
            "scan": scan,
        }
    )
    three = [listing(world, f"Birch {frame}", f"B-{frame}") for frame in "ABC"]
    bare = listing(world, "Bare", "BARE", 5)
    for variant in three[:2]:
        world.shop.set_metafield(variant, "custom.stock_pool", "birch")
    document = world.variants("--init")
    assert document["skipped"] == {"no_metafield": 2}
    sell(world, three[0], 3)
    document = world.variants()
    assert reads(*three, bare) == [27, 27, 30, 5]
    assert document["changes"][0]["pool"] == "metafield:birch"
    world.time.pass_by(minutes=1)
    world.shop.set_metafield(three[2], "custom.stock_pool", "birch")
    world.variants()
    assert reads(*three, bare) == [27, 27, 27, 5]
