"""What tells listings of one stock: SKUs, options, metafields, items that variants share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invsync.sandbox.clerk import CannotDo, do
from invsync.sandbox.columns import dumps, loads
from invsync.sandbox.execution import requested_cost
from invsync.sandbox.state import StateFile

PACKS = {"A pack of": "6 cookies", "Filling": "Jam"}

SHOWN = """id title sku inventoryPolicy
    selectedOptions { name value }
    pool: metafield(namespace: "custom", key: "stock_pool") { value }
    pack: metafield(namespace: "custom", key: "pack_size") { id namespace key value updatedAt }"""

VARIANTS = f"""query ($query: String, $location: ID!, $n: Int!) {{
    productVariants(first: $n, query: $query, sortKey: ID) {{
        nodes {{ {SHOWN} product {{ id title productType tags status isGiftCard }}
            inventoryItem {{ id sku tracked inventoryLevel(locationId: $location) {{
                quantities(names: ["available", "on_hand", "committed"]) {{ name quantity }}
            }} }} }}
        pageInfo {{ hasNextPage }} }} }}"""


def shown(desk, sku: str) -> dict[str, object]:
    query = f"query ($id: ID!) {{ productVariant(id: $id) {{ {SHOWN} }} }}"
    return desk.data(query, {"id": desk.shop.variant(sku).gid})["productVariant"]


def found(desk, query: str) -> list[str]:
    given = {"query": query, "location": desk.shop.primary.gid, "n": 250}
    answer = desk.ask(VARIANTS, given)
    assert "search" not in answer["extensions"], answer["extensions"]
    return [node["sku"] for node in answer["data"]["productVariants"]["nodes"]]


def test_a_variant_shows_its_options_and_is_titled_by_them(desk, shop) -> None:
    shop.add_variant(shop.product("Zine"), "ZINE-6", options=PACKS)
    seen = shown(desk, "ZINE-6")
    assert seen["title"] == "6 cookies / Jam"
    assert seen["selectedOptions"] == [
        {"name": name, "value": value} for name, value in PACKS.items()
    ]
    shop.set_options("ZINE-6", {"A pack of": "12 cookies", "Filling": "Jam"})
    assert shown(desk, "ZINE-6")["title"] == "12 cookies / Jam"


def test_a_metafield_is_null_until_it_is_written_and_after_it_is_cleared(desk, shop, clock) -> None:
    assert shown(desk, "PRINT-S")["pack"] is None
    shop.set_metafield("PRINT-S", "custom.pack_size", "6")
    clock.pass_(60)
    seen = shown(desk, "PRINT-S")
    assert seen["pack"] | {"id": None} == {
        "id": None,
        "namespace": "custom",
        "key": "pack_size",
        "value": "6",
        "updatedAt": "2026-11-22T10:00:00Z",
    }
    assert seen["pool"] is None
    assert shown(desk, "PRINT-M")["pack"] is None
    shop.set_metafield("PRINT-S", "custom.pack_size", None)
    assert shown(desk, "PRINT-S")["pack"] is None


def test_a_product_has_metafields_of_its_own(desk, shop) -> None:
    shop.set_metafield(shop.product("Mug"), "custom.stock_pool", "mugs")
    query = """query ($id: ID!) { product(id: $id) {
        metafield(namespace: "custom", key: "stock_pool") { value }
        variants(first: 1) { nodes { metafield(namespace: "custom", key: "stock_pool") { value } } }
    } }"""
    seen = desk.data(query, {"id": shop.product("Mug").gid})["product"]
    assert seen["metafield"] == {"value": "mugs"}
    assert seen["variants"]["nodes"] == [{"metafield": None}]


@pytest.mark.parametrize(
    "asked", ['metafield(key: "x") { value }', "inventoryItem { duplicateSkuCount }"]
)
def test_what_nobody_has_seen_is_refused(desk, shop, asked: str) -> None:
    answer = desk.ask(f'{{ productVariant(id: "{shop.variant("PRINT-S").gid}") {{ {asked} }} }}')
    assert "sandbox" in answer["errors"][0]["message"]


def test_an_edit_of_the_clerk_moves_the_variants_and_the_products_time(desk, shop, clock) -> None:
    edits = [
        lambda: shop.set_sku("PRINT-S", "PRINT-XS"),
        lambda: shop.set_metafield("PRINT-XS", "custom.stock_pool", "a"),
        lambda: shop.set_options("PRINT-XS", {"Size": "XS"}),
        lambda: shop.set_policy("PRINT-XS", "CONTINUE"),
    ]
    for edit in edits:
        clock.pass_(60)
        edit()
        variant = shop.variant("PRINT-XS")
        assert variant.updated_at == variant.product.updated_at == int(clock.now)
    assert shown(desk, "PRINT-XS")["inventoryPolicy"] == "CONTINUE"
    assert shown(desk, "PRINT-M")["inventoryPolicy"] == "DENY"


def test_a_changed_sku_is_the_items_and_is_found_by(desk, shop) -> None:
    shop.set_sku("FOG-S", "PRINT-S")
    assert found(desk, "sku:'PRINT-S'") == ["PRINT-S", "PRINT-S"]
    query = "query { inventoryItems(first: 5, query: \"sku:'FOG-S'\") { nodes { id } } }"
    assert desk.data(query)["inventoryItems"]["nodes"] == []


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("sku:'print-s'", ["PRINT-S"]),
        ("sku:'MUG'", ["MUG", "MUG-6"]),  # words, so more than was asked for
        ("(sku:'PRINT-S' OR sku:'FOG-M')", ["PRINT-S", "FOG-M"]),
        ("(sku:'PRINT-S' OR id:{tote} OR product_id:{zine})",
         ["PRINT-S", "ZINE-1", "ZINE-2", "TOTE"]),
        ("(sku:'PRINT-S' OR product_id:{zine}) id:>{zine1}", ["ZINE-2"]),
        ("product_type:'Kitchen' id:>{tote}", ["APRON", "MUG-6"]),
        ("tag:'linen'", ["APRON"]),
    ],
)  # fmt: skip
def test_variants_are_found_by_what_groups_them(desk, shop, query: str, skus: list[str]) -> None:
    shop.add_variant(shop.product("Mug"), "MUG-6", options={"Pack size": "Half dozen"})
    query = query.format(
        tote=shop.variant("TOTE").id,
        zine=shop.product("Zine").id,
        zine1=shop.variant("ZINE-1").id,
    )
    assert found(desk, query) == skus


def test_a_page_of_variants_costs_what_was_measured() -> None:
    plain = """query ($n: Int!, $location: ID!) { productVariants(first: $n, sortKey: ID) {
        nodes { id title requiresComponents ALSO product { id title productType tags }
            inventoryItem { id sku tracked inventoryLevel(locationId: $location) {
                quantities(names: ["available", "on_hand", "committed"]) { name quantity }
            } } } } }"""
    given = {"n": 250, "location": "gid://shopify/Location/1"}
    metafield = 'pool: metafield(namespace: "custom", key: "stock_pool") { value }'
    for also, points in [("", 57), ("selectedOptions { name value }", 68), (metafield, 68)]:
        assert requested_cost("2026-10", plain.replace("ALSO", also), given) == points


def test_an_item_that_two_variants_share_shows_both_and_is_sold_once(desk, shop) -> None:
    other = shop.add_variant(shop.product("Zine"), "MUG", item=shop.item("MUG"))
    query = """query ($ids: [ID!]!, $location: ID!) { nodes(ids: $ids) { id ... on InventoryItem {
        sku tracked variants(first: 10) { nodes { id title product { title } } }
        inventoryLevel(locationId: $location) { quantities(names: ["available"]) { quantity } }
        } } }"""
    given = {"ids": [shop.item("MUG").gid], "location": shop.primary.gid}
    (item,) = desk.data(query, given)["nodes"]
    assert [node["product"]["title"] for node in item["variants"]["nodes"]] == ["Mug", "Zine"]
    shop.sell(other, 3)
    assert shop.available("MUG") == 17
    shop.set_sku("MUG", "CUP")
    assert [variant.sku for variant in shop.item("CUP").variants] == ["CUP", "CUP"]


def test_all_of_it_survives_being_written_and_read(shop) -> None:
    shop.add_variant(shop.product("Zine"), "ZINE-6", options=PACKS)
    shop.set_metafield("ZINE-6", "custom.pack_size", "6")
    shop.set_metafield(shop.product("Mug"), "custom.stock_pool", "mugs")
    shop.set_policy("MUG", "CONTINUE")
    again = loads(dumps(shop))
    assert again.variant("ZINE-6").options == tuple(PACKS.items())
    assert again.variant("ZINE-6").metafields == shop.variant("ZINE-6").metafields
    assert again.product("Mug").metafields["custom.stock_pool"].value == "mugs"
    assert again.variant("MUG").policy == "CONTINUE"


def test_a_shop_that_was_written_before_all_this_is_read(shop) -> None:
    written = json.loads(dumps(shop))
    written["products"], written["variants"] = written["products"][:-1], written["variants"][:-2]
    again = loads(json.dumps(written))
    assert again.product("Mug").metafields is None
    assert again.variant("MUG").policy == "DENY"


def test_a_sku_of_several_products_is_sold_of_the_one_that_is_named(tmp_path: Path) -> None:
    home = StateFile(tmp_path / "sandbox.json")
    with home.open() as shop:
        shop.set_sku("FOG-S", "PRINT-S")
    with pytest.raises(CannotDo, match="--product TITLE"):
        do(home, "sell", {"sku": "PRINT-S", "units": 1})
    done = do(home, "sell", {"sku": "PRINT-S", "units": 1, "product": "Fog on the river"})
    assert (done["product"], done["before"], done["after"]) == ("Fog on the river", 12, 11)
    with pytest.raises(CannotDo, match='no variant of "Mug" has SKU "PRINT-S"'):
        do(home, "sell", {"sku": "PRINT-S", "units": 1, "product": "Mug"})


def test_a_transfer_on_its_way_is_neither_here_nor_there(shop) -> None:
    def at(place: str | None) -> tuple[int, ...]:
        level = shop.level("MUG", place)
        names = ("available", "on_hand", "reserved", "incoming")
        return tuple(level.quantity(name) for name in names)

    shop.ready_transfer("MUG", 3, None)
    assert at(None) == (17, 20, 3, 0)
    shop.cancel_transfer("MUG", 3, None)
    assert at(None) == (20, 20, 0, 0)
    shop.ready_transfer("MUG", 3, None)
    shop.send_transfer("MUG", 3, None, "Till")
    assert (at(None), at("Till")) == ((17, 17, 0, 0), (20, 20, 0, 3))
    shop.receive_transfer("MUG", 3, "Till")
    assert (at(None), at("Till")) == ((17, 17, 0, 0), (23, 23, 0, 0))
