"""What is asked of the shop stands in one table, with what is known of Shopify taking it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from asked_forms import ROWS, Form, asked, forms
from program_world import World

from invsync import find
from invsync.admin.terms import SENT, Evidence


def play(world: World, monkeypatch: pytest.MonkeyPatch) -> Mapping[Form, set[str]]:
    """Every command, by every scan, filter and outcome that asks the shop for anything.

    What was asked: each form, with the operations that did.
    """
    add, shop = world.add, world.shop
    sent: dict[Form, set[str]] = defaultdict(set)

    places = [shop.add_location(f"Shelf {number:03}") for number in range(255)]
    add("Print", "P-S P-M", tags=["shared", "a"])
    add("Cup", "C-S C-M", product_type="Mug", tags=["b"])
    add("Large", [f"L-{number:03}" for number in range(290)], product_type="Large")
    add("Tea", ["TEA"], product_type="Kitchen", locations=places)

    def run(command: str, *args: str, **keys: Any) -> None:
        if keys:
            world.configure(**{command: keys})
        world.run(command, *args, exit_code=None)
        note()
        world.time.pass_by(minutes=1)

    def note() -> None:
        for request in world.asked:
            for form in asked(request):
                sent[form].add(request.operation or request.path)

    def in_step(command: str, sku: str, **keys: Any) -> None:
        """Adopt, follow a sale by pages, look, follow one by the feed."""
        run(command, "--init", "--reset", **keys)
        shop.sell(sku)
        run(command, **keys, scan="complete")
        shop.sell(sku)
        run(command, "--dry-run", **keys, scan="changes")
        run(command, **keys, scan="changes")
        assert '"in_step": 1' in world.run(command, "--json").out

    in_step("variants", "P-S", product_types=["Print"])
    in_step("variants", "L-000", product_types=["Large"])
    run("variants", "--init", "--reset", product_types=["Print", "Mug"])
    run("variants", "--init", "--reset", product_tags=["shared"])
    run("variants", "--init", "--reset", product_tags=["a", "b"])
    in_step("locations", "TEA", product_types=["Kitchen"])
    run("locations", "--init", "--reset", product_types=["Kitchen", "Mug"])
    run("locations", "--init", "--reset", product_types=[])
    for command in ("check", "status", "explain"):
        run(command)

    variant = shop.variant("P-S")
    for name in ("P-S", variant.gid, variant.item.gid, shop.product("Print").gid):
        run("variants", "--only", name, product_types=["Print"])

    # Listings of several products, pooled by what they are.
    add("Print again", "P-S P-M C-S", tags=["shared"])
    add("Same", ["SAME"] * 260, product_type="Same")
    large = shop.product("Large")
    for variant in large.variants[:2]:
        shop.set_metafield(variant, "custom.stock", "large")
    grouped: tuple[dict[str, Any], ...] = (
        {"skus": ["P-S"]},
        {"skus": ["P-S", "P-M"]},
        {"skus": "all"},
        {"product_tags": ["shared"], "pool_by": "sku"},
        {"skus": ["SAME"]},
        {"product_types": ["Large"], "pool_by": "metafield", "pool_metafield": "custom.stock"},
        {"pools": {"One": ["P-S", "P-M"], "Two": [shop.product("Cup").gid]}},
        {"pools": {"Large": [shop.product("Large").gid]}},
        {"pools": {"Two": [large.variants[0].gid, large.variants[1].gid]}},
    )
    for keys in grouped:
        run("variants", "--init", "--reset", **keys)
        shop.retag("Print", "shared", "a")
        shop.retag("Large", "large")
        run("variants", **keys, scan="changes")
        shop.set_available(shop.product("Print").variants[0].item, 25)
        run("variants", **keys, scan="complete")
    shop.delete_product("Print again")
    for sku in ("P-S", "P-M"):
        shop.set_available(sku, 28)

    # A call whose answer is lost is sent again.
    run("variants", "--init", "--reset", product_types=["Print"])
    world.sell("P-S", 2)
    world.cut_off("variants")
    note()
    run("variants")
    assert world.reads("P-S P-M") == [26] * 2

    # Raised from above 0, from 0 and from below.
    for available, counted in ((30, 30), (0, 5), (-2, 4)):
        for sku in ("P-S", "P-M"):
            shop.set_available(sku, available)
        run("variants", "--init", "--reset")
        shop.set_available("P-S", counted + 1)
        run("variants")
        assert world.reads("P-S P-M") == [counted + 1] * 2

    world.configure(
        access_token=None, client_id="id", client_secret="secret", variants={"product_tags": ["a"]}
    )
    run("check")

    with monkeypatch.context() as dear:
        dear.setattr(find, "DEAR_POINTS", 0)  # pages are dear from the second one on
        for number in range(260):
            add(f"Print {number}", f"N-{number}-1 N-{number}-2")
        for kinds in (["Print"], ["Print", "Mug"]):
            run("variants", "--init", "--reset", product_types=kinds)
            run("locations", "--init", "--reset", product_types=kinds)
        for tags in (["a"], ["a", "b"]):
            run("variants", "--init", "--reset", product_tags=tags)
        run("locations", "--init", "--reset", product_types=[])
        for keys in grouped:
            run("variants", "--init", "--reset", **keys)
            run("variants", "--init")  # pages are known to be dear
    for kinds in (["Print"], ["Print", "Mug"]):
        run("variants", "--init", "--reset", product_types=kinds)
        run("locations", "--init", "--reset", product_types=kinds)
    run("variants", product_types=["Print", "Mug"])
    for number in range(260):
        shop.retag(f"Print {number}", "c")
    run("variants", product_types=["Print", "Mug"], scan="changes")
    run("variants", "--init", "--reset", product_tags=["c"], pool_by="sku")
    return sent


def test_what_is_asked_and_the_table_of_it_are_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = play(world, monkeypatch)
    unlisted = {form: operations for form, operations in sent.items() if form not in ROWS}
    assert not unlisted, "asked, but without a row in invsync/admin/terms.py"
    assert not ROWS - sent.keys(), "a row of invsync/admin/terms.py, but never asked"


def test_every_row_stands_once_and_says_what_it_rests_on() -> None:
    assert len(ROWS) == len(SENT)
    for row in SENT:
        assert row.source, row
        assert row.refused, row
        assert bool(row.exchanges) is (row.evidence is Evidence.RECORDED), row
        if row.evidence in (Evidence.DOCUMENTED, Evidence.USED):
            assert re.search(r"https://\S+\.\w+/\S", row.source), row


def test_what_has_no_row_is_noticed() -> None:
    """The collector itself: whatever differs from a row is another form."""
    odd = """query ($q: String, $n: Int!) { products(first: $n, query: $q, sortKey: TITLE) {
        nodes { id variants(first: 5, reverse: true) { nodes { id } } } } }"""
    asked_for = forms(odd, {"q": "id:>0 tag:print OR sku:'A*'", "n": 251})
    assert asked_for - ROWS == {
        ("products(first:)", "251"),
        ("products(query:)", "id:>0 tag:print"),
        ("products(query:)", "id:>0"),
        ("products(query:)", "tag:print"),
        ("products(query:)", "sku:'TEXT'"),
        ("products(sortKey:)", "TITLE"),
        ("products.variants(reverse:)", "true"),
    }
