"""What matches: the exact type or tag, whatever its signs and whatever the index thinks of it."""

from __future__ import annotations

from typing import Any

import pytest
from program_world import World

ODD = [
    "Print",
    "Poster's",
    'Poster "framed"',
    "back\\slash",
    "trailing\\",
    "a:b",
    "type:Print",
    "-Print",
    "(Print)",
    "Print)",
    "Print OR Mug",
    "NOT Print",
    "AND",
    "Pr*nt",
    "*",
    "a, b",
    "50% cotton",
    "<b>&amp;</b>",
    "C++ & C#",
    "Ölgemälde für Übergrößen",
    "🎨",
    "👩‍🎨 prints",
    "印刷物",
    "ポスター",
    "مطبوعات فنية",
    "הדפסים",
    "\u202eright-to-left override",
    "e\u0301cole",
    "id:>0",
    "x' OR product_type:'Mug",
    "two  blanks",
    "null",
    "${not a variable}",
]


@pytest.mark.parametrize("name", ODD)
def test_a_type_may_be_made_of_anything(world: World, name: str) -> None:
    world.configure(variants={"product_types": [name.replace("${", "$${")]})
    world.add("Wanted", "W-1 W-2", product_type=name)
    world.add("Mug", "MUG-1 MUG-2", available=[1, 2], product_type="Mug")
    world.run("variants", "--init")
    world.sell("W-1", 3)
    document = world.variants()
    assert world.reads("W-1 W-2 MUG-1 MUG-2") == [27, 27, 1, 2]
    assert document["pools"]["seen"] == 1


@pytest.mark.parametrize("name", ODD)
def test_a_tag_may_be_made_of_anything(world: World, name: str) -> None:
    world.configure(variants={"product_tags": [name.replace("${", "$${")]})
    world.add("Wanted", "W-1 W-2", tags=["new", name])
    world.add("Mug", "MUG-1 MUG-2", available=[1, 2], tags=["new"])
    world.run("variants", "--init")
    world.sell("W-1", 3)
    document = world.variants()
    assert world.reads("W-1 W-2 MUG-1 MUG-2") == [27, 27, 1, 2]
    assert document["pools"]["seen"] == 1


def test_look_alike_types_are_left_out(world: World) -> None:
    world.add("Wanted", "W-1 W-2")
    for number, name in enumerate(
        ["print", "PRINT", "Prints", "Print Supplies", "Fine Print", "Print.", "Prınt", ""]
    ):
        world.add(
            f"Other {number}", [f"O{number}-1", f"O{number}-2"], available=[5, 9], product_type=name
        )
    document = world.variants("--init")
    assert document["pools"]["seen"] == 1
    assert document["skipped"] == {}
    assert set(world.cached()) == {"Wanted"}


def test_look_alike_tags_are_left_out(world: World) -> None:
    world.configure(variants={"product_tags": ["shared-stock"]})
    world.add("Wanted", "W-1 W-2", tags=["shared-stock"])
    looks = [
        "shared stock",
        "shared_stock",
        "sharedstock",
        "shared-stock-2",
        "not-shared-stock",
        "shared",
        "stock",
    ]
    for number, tag in enumerate(looks):
        world.add(f"Other {number}", [f"O{number}-1", f"O{number}-2"], available=[5, 9], tags=[tag])
    document = world.variants("--init")
    assert document["pools"]["seen"] == 1
    assert set(world.cached()) == {"Wanted"}


def test_shopify_takes_tags_that_differ_in_case_for_the_same(world: World) -> None:
    world.configure(variants={"product_tags": ["Shared-Stock "]})
    world.add("Wanted", "W-1 W-2", tags=["shared-stock"])
    assert world.variants("--init")["pools"]["adopted"] == 1


def test_several_types_are_all_kept_in_step(world: World) -> None:
    world.configure(variants={"product_types": ["Print", 'It\'s \\ a ("poster"): 50%']})
    world.add("One", "A-1 A-2")
    world.add("Two", "B-1 B-2", product_type='It\'s \\ a ("poster"): 50%')
    world.add("Three", "C-1 C-2", product_type="poster")
    assert world.variants("--init")["pools"]["adopted"] == 2


def test_several_tags_are_all_kept_in_step_and_a_product_with_both_is_one_pool(
    world: World,
) -> None:
    world.configure(variants={"product_tags": ["art", "it's new"]})
    world.add("One", "A-1 A-2", tags=["art"])
    world.add("Two", "B-1 B-2", tags=["it's new"])
    world.add("Three", "C-1 C-2", tags=["it's new", "art"])
    assert world.variants("--init")["pools"]["seen"] == 3


def test_what_is_left_out_is_counted_by_its_reason(story: World) -> None:
    expected = {"bundle": 2, "gift_card": 2, "not_stocked": 2, "untracked": 2}
    document = story.variants("--init", exit_code=3)
    assert document["skipped"] == expected
    assert story.variants(exit_code=3)["skipped"] == expected


@pytest.mark.parametrize("only_active", [False, True])
@pytest.mark.parametrize(
    ("status", "reason"),
    [("DRAFT", "not_active"), ("ARCHIVED", "archived"), ("UNLISTED", None), ("ACTIVE", None)],
)
def test_only_active_leaves_out_drafts_and_what_is_archived(
    world: World, only_active: bool, status: str, reason: str | None
) -> None:
    """A product that is unlisted sells by its link (https://shopify.dev/changelog/new-unlisted-product-status)."""
    world.configure(variants={"product_types": ["Print"], "only_active": only_active})
    world.add("Other", "O-1 O-2")
    world.add("Print", "P-1 P-2", status=status)
    document = world.variants("--init")
    kept = reason is None or not only_active
    assert set(world.cached()) == ({"Other", "Print"} if kept else {"Other"})
    assert document["skipped"] == ({} if kept else {reason: 2})
    world.sell("P-1", 4)
    world.run("variants")
    assert world.reads("P-1 P-2") == ([26, 26] if kept else [26, 30])


def test_verbose_says_what_was_left_out_and_why(story: World) -> None:
    ran = story.run("variants", "--init", "-v", exit_code=3)
    for reason in ("bundle", "gift card", "not stocked", "untracked"):
        assert reason in (ran.out + ran.err).replace("_", " ")


def test_an_inactive_level_is_not_stocked(world: World) -> None:
    world.add("Print", "P-S P-M P-L")
    world.shop.deactivate_level("P-L")
    document = world.variants("--init")
    assert document["skipped"] == {"not_stocked": 1}
    assert document["pools"]["adopted"] == 1


def test_titles_and_skus_of_any_script_are_shown_and_kept(world: World) -> None:
    title = 'Größe „L“ 🖼️ ملصق "x"'
    world.add(title, ["سكو-1", "СКУ-2"])
    world.run("variants", "--init")
    world.sell("سكو-1", 3)
    ran = world.run("variants")
    assert title in ran.out
    assert "سكو-1" in ran.out
    assert "СКУ-2" in ran.out
    assert title in world.cached()
    assert "Größe „L“ 🖼️ ملصق" in world.place("variants").read_text(
        encoding="utf-8"
    )  # for people, not escaped


def test_variants_without_a_sku_are_shown_by_their_title(world: World) -> None:
    product = world.add("Print", [])
    for size in ("Small", "Large"):
        world.shop.add_variant(
            product, "", title=size, available=30, locations=(world.shop.primary,)
        )
    world.run("variants", "--init")
    world.shop.sell(product.variants[0], 3)
    ran = world.run("variants")
    assert "Small" in ran.out
    assert "Large" in ran.out


# --- Names that look the same

COMPOSED, APART = "Poster caf\u00e9", "Poster cafe\u0301"


@pytest.mark.parametrize("written", [COMPOSED, APART])
@pytest.mark.parametrize("stored", [COMPOSED, APART])
@pytest.mark.parametrize("by", ["product_types", "product_tags"])
def test_a_type_or_tag_is_the_same_however_its_signs_are_typed(
    world: World, by: str, stored: str, written: str
) -> None:
    about: dict[str, Any] = (
        {"product_type": stored} if by == "product_types" else {"tags": (stored,)}
    )
    world.add("Print", "P-S P-M", **about)
    world.configure(variants={by: [written]})
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads("P-S P-M") == [27, 27]


@pytest.mark.parametrize(
    ("called", "written"),
    [
        ("Main  Street 1", "Main Street 1"),
        ("Main Street 1", " Main   Street 1 "),
        ("Main\u00a0Street 1 ", "Main Street 1"),
        (COMPOSED, APART),
        (APART, COMPOSED),
    ],
)
def test_a_location_is_found_though_its_blanks_differ(
    world: World, called: str, written: str
) -> None:
    world.shop.primary.name = called
    world.add("Print", "P-S P-M")
    world.configure(
        variants={"product_types": ["Print"], "location": written},
        locations={"locations": [written, "Till"]},
    )
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.run("variants")
    assert world.reads("P-S P-M") == [27, 27]
    assert "variants.location" in world.run("check", exit_code=None).out
