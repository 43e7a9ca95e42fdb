"""Searching as Shopify's index does: tokens, grammar, warnings, dates, and a lag."""

from __future__ import annotations

import re

import pytest

from invsync.sandbox.grammar import Both, Not, Term, parse
from invsync.sandbox.matchers import tokens

PRODUCTS = "query ($q: String) { products(first: 250, query: $q) { nodes { title } } }"


@pytest.fixture
def found(desk):
    """Finds product titles."""

    def find(query: str | None, known: bool = True) -> list[str]:
        answer = desk.ask(PRODUCTS, {"q": query})
        assert ("search" not in answer["extensions"]) is known, answer["extensions"]
        return [node["title"] for node in answer["data"]["products"]["nodes"]]

    return find


@pytest.fixture
def catalogue(shop):
    """Products whose types and tags are hard to search for."""
    shop.delete_product("Zine")
    for title, kind, tags in (
        ("A", "Hall Art: Large", ("o'neil", "50% off")),
        ("B", 'The "Big" One', ("back\\slash",)),
        ("C", "版画", ("オレンジ",)),
        ("D", "Print, framed", ("shared stock",)),
        ("E", "✿", ("⭐",)),
    ):
        shop.add_product(title, [f"{title}-1", f"{title}-2"], product_type=kind, tags=tags)
    return shop


def test_text_is_matched_by_words_whatever_their_case(found) -> None:
    titles = found("product_type:'Print'")
    assert {"Ink and paper", "Zine", "Sunset over the harbour"} <= set(titles)
    assert "Mug" not in titles
    assert titles == found('product_type:"PRINT"') == found("product_type:print")
    assert found("product_type:'Print Supplies'") == ["Ink and paper"]
    assert found("product_type:'Supplies Print'") == []
    assert found("product_type:'Prin'") == []
    assert found("product_type:Suppl*") == ["Ink and paper"]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("product_type:'Hall Art: Large'", ["A"]),
        ("product_type:'hall art large'", ["A"]),
        ("product_type:'The \"Big\" One'", ["B"]),
        ('product_type:"The \\"Big\\" One"', ["B"]),
        ("tag:'o\\'neil'", ["A"]),
        ("tag:'back\\\\slash'", ["B"]),
        ("product_type:'版画'", ["C"]),
        ("tag:'オレンジ'", ["C"]),
        ("product_type:'✿'", ["E"]),
        ("tag:'⭐'", ["E"]),
        ("tag:'50% off'", ["A"]),
        ("product_type:Hall\\ Art", ["A"]),
    ],
)
def test_odd_characters_in_quotes_find_what_they_name(
    catalogue, found, query: str, titles: list[str]
) -> None:
    assert found(query) == titles


def test_a_tag_matches_its_look_alikes_too(catalogue, found) -> None:
    assert set(found("tag:'shared-stock'")) >= {"Mug", "D"}


def test_terms_side_by_side_must_all_match_and_and_binds_tighter_than_or(found) -> None:
    both = found("status:archived product_type:Print")
    assert both == ["Old town (archived)"]
    assert found("status:archived AND product_type:Print") == both
    assert set(found("status:archived OR status:draft")) == {
        "Old town (archived)",
        "Winter pier (draft)",
    }
    assert found("status:archived OR status:draft title:pier") == [
        "Old town (archived)",
        "Winter pier (draft)",
    ]
    assert found("(status:archived OR status:draft) title:pier") == ["Winter pier (draft)"]


def test_not_and_minus_turn_a_term_round(found) -> None:
    everything = found(None)
    active = found("status:active")
    assert (
        found("-status:active")
        == found("NOT status:active")
        == [one for one in everything if one not in active]
    )
    assert found("-(status:active OR status:draft)") == ["Old town (archived)"]


def test_a_field_may_be_a_list_a_prefix_or_just_present(found) -> None:
    assert found("status:draft,archived") == found("status:DRAFT OR status:ARCHIVED")
    assert found("tag:linen") == ["Apron"]
    assert found("tag:lin*") == ["Apron"]
    assert "Postcard" in found("tag:*")
    assert "Ink and paper" not in found("tag:*")
    assert found("gift_card:true") == ["Gift card"]
    assert found("sku:mug") == ["Mug"]
    assert found("sku:PRINT-*") == ["Sunset over the harbour"]


def test_a_bare_word_is_looked_for_in_the_default_fields(found) -> None:
    assert found("lighthouse") == ["Lighthouse (counts differ)"]
    assert found('"fog on"') == ["Fog on the river"]
    assert found("product_type:Kitchen tote") == ["Tote bag"]


def test_ids_can_be_compared(found, shop) -> None:
    everything = found(None)
    second = shop.product("Fog on the river")
    assert found(f"id:{second.id}") == ["Fog on the river"]
    assert found(f"id:>{second.id}") == everything[2:]
    assert found(f"id:<={second.id}") == everything[:2]
    assert found(f"id:>{second.id} id:<={shop.product('Postcard').id}")[-1] == "Postcard"


def test_an_unknown_field_matches_everything_and_only_warns(desk) -> None:
    answer = desk.ask('{ inventoryItems(first: 1, query: "tracked:false") { nodes { tracked } } }')
    assert "errors" not in answer
    assert answer["data"]["inventoryItems"]["nodes"] == [{"tracked": True}]
    assert answer["extensions"]["search"] == [
        {
            "path": ["inventoryItems"],
            "query": "tracked:false",
            "parsed": {"field": "tracked", "match_all": "false"},
            "warnings": [
                {
                    "field": "tracked",
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            ],
        }
    ]


def test_an_unknown_field_beside_a_known_one_drops_only_itself(found) -> None:
    assert found("sku:MUG colour:red", known=False) == ["Mug"]
    assert found("-colour:red sku:MUG", known=False) == ["Mug"]


def test_an_alias_and_a_nested_connection_are_named_in_the_warning(desk, shop) -> None:
    query = """query ($l: ID!) {
        here: location(id: $l) {
          inventoryLevels(first: 1, query: "location_id:1") { nodes { id } } } }"""
    answer = desk.ask(query, {"l": shop.primary.gid})
    assert answer["extensions"]["search"][0]["path"] == ["here", "inventoryLevels"]


@pytest.mark.parametrize(
    ("resource", "term"),
    [
        ("products", "status:asleep"),
        ("productVariants", "product_status:asleep"),
        ("bulkOperations", "operation_type:EXPORT"),
        ("bulkOperations", "status:EXPIRED"),
    ],
)
def test_an_impossible_value_matches_nothing_and_warns(desk, resource: str, term: str) -> None:
    query = f"query ($q: String) {{ {resource}(first: 50, query: $q) {{ nodes {{ id }} }} }}"
    answer = desk.ask(query, {"q": term})
    field, value = term.split(":")
    assert answer["data"][resource]["nodes"] == []
    assert answer["extensions"]["search"][0]["warnings"] == [
        {
            "field": field,
            "message": f"Input `{value}` is not an accepted value.",
            "code": "invalid_value",
        }
    ]


@pytest.mark.parametrize(
    "value",
    [
        "not-a-date",
        ">=not-a-date",
        ">='2026-13-01T00:00:00Z'",
        ">='2026-11-22T10:00'",
        ">='2026-11-22 10:00:00Z'",
        ">='2026-W47'",
        ">='now'",
        ">=''",
        ">'0'",
    ],
)
@pytest.mark.parametrize("field", ["updated_at", "created_at"])
def test_a_time_that_is_none_refuses_the_whole_query(desk, field: str, value: str) -> None:
    answer = desk.ask(PRODUCTS, {"q": f"tag:x {field}:{value}"})
    (error,) = answer["errors"]
    if value == ">=''":  # nothing to compare with breaks Shopify
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    else:
        assert error["message"] == f"Invalid timestamp for query filter `{field}`."
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        assert error["path"] == ["products"]
    assert answer["data"] is None


@pytest.mark.parametrize(
    ("resource", "term"),
    [
        ("products", "tag:>x"),
        ("products", "title:<='x'"),
        ("products", "status:>active"),
        ("products", "status:act*"),
        ("products", "gift_card:perhaps"),
        ("products", "gift_card:>true"),
        ("products", "sku:>A"),
        ("products", "id:10*"),
        ("products", "updated_at:2026*"),
        ("products", "inventory_total:many"),
        ("products", "inventory_total:-1"),
        ("products", "inventory_total:1,2"),
        ("products", "variant_id:0"),
        ("productVariants", "product_id:0"),
        ("productVariants", "product_id:>0"),
        ("productVariants", "product_id:>5"),
        ("productVariants", "product_id:1,2"),
        ("productVariants", "product_id:gid://shopify/Product/1"),
        ("productVariants", "product_ids:1,0"),
        ("productVariants", "location_id:0"),
        ("productVariants", "location_id:-1"),
        ("productVariants", "location_id:till"),
        ("productVariants", "location_id:<5"),
        ("inventoryItems", "sku:>=A"),
        ("locations", "name:>T"),
        ("locations", "active:maybe"),
        ("bulkOperations", "status:run*"),
    ],
)
def test_a_form_of_a_term_that_nobody_has_seen_shopify_take_is_refused(
    desk, resource: str, term: str
) -> None:
    query = f"query ($q: String) {{ {resource}(first: 50, query: $q) {{ nodes {{ id }} }} }}"
    answer = desk.ask(query, {"q": term})
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert re.fullmatch(
        r"The sandbox refuses the term `\S+`: nobody has seen what Shopify makes of it\.",
        error["message"],
    )


@pytest.mark.parametrize("text", ["", "  "])
def test_a_search_for_nothing_is_refused(desk, text: str) -> None:
    answer = desk.ask(PRODUCTS, {"q": text})
    assert (answer["data"], answer["errors"][0]["message"]) == (
        None,
        "The sandbox refuses an empty search: nobody has seen what Shopify makes of it.",
    )


@pytest.mark.parametrize("term", ["inventory_item_id:0", "inventory_item_id:>1", "nothing"])
def test_a_level_is_searched_by_its_item_s_number_only(desk, shop, term: str) -> None:
    query = """query ($l: ID!, $q: String) {
        location(id: $l) { inventoryLevels(first: 5, query: $q) { nodes { id } } } }"""
    (error,) = desk.ask(query, {"l": shop.primary.gid, "q": term})["errors"]
    assert "nobody has seen" in error["message"]


def test_how_a_query_was_understood_is_shown_when_asked_for(desk) -> None:
    query = "sku:'A B' updated_at:>='2026-01-01' OR title:a*"
    answer = desk.ask(PRODUCTS, {"q": query}, **{"shopify-search-query-debug": "1"})
    assert answer["extensions"]["search"][0]["parsed"] == {
        "or": [
            {
                "and": [
                    {"field": "sku", "match_phrase": "A B"},
                    {"field": "updated_at", "range_gte": "2026-01-01"},
                ]
            },
            {"field": "title", "prefix": "a"},
        ]
    }


def test_a_quoted_time_is_exact_to_the_second(found, shop, clock) -> None:
    clock.pass_(3600)
    shop.retag("Mug", "new")
    assert found("updated_at:>='2026-11-22T11:00:00Z'") == ["Mug"]
    assert found("updated_at:>'2026-11-22T11:00:00Z'") == []
    assert "Mug" not in found("updated_at:<'2026-11-22T11:00:00Z'")
    assert found("updated_at:'2026-11-22T11:00:00Z'") == ["Mug"]


def test_an_unquoted_time_is_split_at_its_colons(desk, shop) -> None:
    """Recorded: cut at the hour, in the shop's time, `<` made `<=`, and the rest a bogus field."""
    answer = desk.ask(PRODUCTS, {"q": "updated_at:<2000-01-01T00:00:00Z"})
    assert answer["data"]["products"]["nodes"] == []
    assert answer["extensions"]["search"] == [
        {
            "path": ["products"],
            "query": "updated_at:<2000-01-01T00:00:00Z",
            "parsed": {
                "and": [
                    {"field": "updated_at", "range_lte": "2000-01-01T00:00:00-05:00"},
                    {"field": "00", "match_all": "00Z"},
                ]
            },
            "warnings": [
                {
                    "field": "00",
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            ],
        }
    ]


@pytest.mark.parametrize("resource", ["products", "productVariants", "inventoryItems", "locations"])
@pytest.mark.parametrize(
    ("term", "received"),
    [
        ("id:0", "0"),
        ("id:<0", "0"),
        ("id:>0", "0"),
        ("id:>=0", "0"),
        ("id:-1", "-1"),
        ("id:gid://shopify/Product/1001", "gid"),
        ("id:'gid://shopify/Product/1001'", "gid://shopify/Product/1001"),
        ("id:many", "many"),
    ],
)
def test_an_id_that_is_no_positive_number_matches_nothing_and_warns_without_a_code(
    desk, resource: str, term: str, received: str
) -> None:
    query = f"query ($q: String) {{ {resource}(first: 50, query: $q) {{ nodes {{ id }} }} }}"
    answer = desk.ask(query, {"q": term})
    assert answer["data"][resource]["nodes"] == []
    assert answer["extensions"]["search"][0]["warnings"] == [
        {
            "field": "id",
            "message": f"Expected field to be a positive integer or UUID, received `{received}`.",
        }
    ]


def test_an_id_between_positive_numbers_is_no_matter(desk, shop) -> None:
    answer = desk.ask(PRODUCTS, {"q": "id:>1"}, **{"shopify-search-query-debug": "1"})
    assert len(answer["data"]["products"]["nodes"]) == len(shop.products)
    assert answer["extensions"]["search"][0]["parsed"] == {"field": "id", "range_gt": 1}
    assert "warnings" not in answer["extensions"]["search"][0]


def test_a_date_alone_is_a_day_of_the_shop(found, shop, clock) -> None:
    shop.settings.time_zone = "Pacific/Auckland"  # 23:00 there, so still the 22nd
    clock.pass_(2 * 3600)
    shop.retag("Mug", "new")
    assert found("updated_at:2026-11-23") == ["Mug"]
    assert found("updated_at:>=2026-11-23") == ["Mug"]
    assert found("updated_at:>='2026-11-23'") == ["Mug"]


def test_a_comparison_with_nothing_breaks_shopify(desk) -> None:
    answer = desk.ask(PRODUCTS, {"q": "updated_at:>"})
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize(
    "query", ["(", ")", "OR", "a OR", "NOT", "-", "'", "''", ":", "title:", "((title:a", "\\"]
)
def test_malformed_text_is_never_refused(desk, query: str) -> None:
    assert "errors" not in desk.ask(PRODUCTS, {"q": query})


def test_variants_can_be_searched_by_their_product_and_place(desk, shop) -> None:
    def skus(query: str) -> list[str]:
        data = desk.data(
            "query ($q: String) { productVariants(first: 250, query: $q) { nodes { sku } } }",
            {"q": query},
        )
        return [node["sku"] for node in data["productVariants"]["nodes"]]

    till = shop.location("Till")
    assert skus(f"location_id:{till.id}") == ["GALLERY-L", "MUG", "TOTE", "APRON"]
    assert skus("product_type:Kitchen,Supplies") == [
        "INK-BLACK",
        "INK-BLUE",
        "MUG",
        "TOTE",
        "APRON",
    ]
    assert skus(f"product_id:{shop.product('Mug').id}") == ["MUG"]
    assert skus(f"product_ids:{shop.product('Mug').id},{shop.product('Apron').id}") == [
        "MUG",
        "APRON",
    ]
    assert skus("product_status:archived") == ["TOWN-S", "TOWN-M"]
    assert skus("requires_components:true") == ["DUO-S", "DUO-M"]
    assert skus("sku:DUO-* exclude_variants_with_components:true") == []
    assert skus("sku:mug") == ["MUG"]


def test_levels_and_items_can_be_searched_by_item_and_time(desk, shop, clock) -> None:
    query = """query ($l: ID!, $q: String) {
        location(id: $l) { inventoryLevels(first: 250, query: $q) { nodes { item { sku } } } } }"""
    clock.pass_(60)
    shop.sell("MUG")
    data = desk.data(query, {"l": shop.primary.gid, "q": "updated_at:>='2026-11-22T10:01:00Z'"})
    assert data["location"]["inventoryLevels"]["nodes"] == [{"item": {"sku": "MUG"}}]
    item = shop.item("TOTE")
    data = desk.data(query, {"l": shop.primary.gid, "q": f"inventory_item_id:{item.id}"})
    assert data["location"]["inventoryLevels"]["nodes"] == [{"item": {"sku": "TOTE"}}]
    items = desk.data(
        '{ inventoryItems(first: 5, query: "sku:mug OR sku:TOTE") { nodes { sku } } }'
    )
    assert items["inventoryItems"]["nodes"] == [{"sku": "TOTE"}], (
        "the SKU of an item is case-sensitive"
    )


def test_locations_can_be_searched_by_name(desk) -> None:
    data = desk.data('{ locations(first: 5, query: "name:till") { nodes { name } } }')
    assert data["locations"]["nodes"] == [{"name": "Till"}]


# -- a lagging index -------------------------------------------------------------------------------


def test_a_lagging_index_filters_by_the_past_and_shows_the_present(
    found, desk, shop, clock
) -> None:
    shop.settings.index_lag = 60
    clock.pass_(100)
    shop.sell("PRINT-S", 3)
    shop.retype("Mug", "Cup")
    query = "updated_at:>='2026-11-22T10:01:40Z'"
    assert found(query) == []
    assert found("product_type:Kitchen") == ["Mug", "Tote bag", "Apron"]
    shown = desk.data(
        '{ products(first: 1, query: "product_type:Kitchen") { nodes { productType } } }'
    )
    assert shown["products"]["nodes"] == [{"productType": "Cup"}]
    clock.pass_(59)
    assert found(query) == []
    clock.pass_(1)
    assert found(query) == ["Sunset over the harbour", "Mug"]
    assert found("product_type:Kitchen") == ["Tote bag", "Apron"]


def test_a_lagging_index_does_not_know_new_products_and_never_shows_deleted_ones(
    found, shop, clock
) -> None:
    shop.settings.index_lag = 60
    clock.pass_(100)
    shop.add_product("Scarf", ["SCARF"], product_type="Kitchen")
    shop.delete_product("Tote bag")
    assert found("product_type:Kitchen") == ["Mug", "Apron"]
    clock.pass_(60)
    assert found("product_type:Kitchen") == ["Mug", "Apron", "Scarf"]


def test_a_lagging_index_hides_several_changes_one_after_the_other(found, shop, clock) -> None:
    shop.settings.index_lag = 10
    for tag in ("one", "two", "three"):
        shop.retag("Mug", tag)
        clock.pass_(4)
    assert found("tag:one") == ["Mug"]
    clock.pass_(3)
    assert (found("tag:one"), found("tag:two")) == ([], ["Mug"])
    clock.pass_(10)
    assert (found("tag:two"), found("tag:three")) == ([], ["Mug"])


def test_reads_by_id_are_never_late(desk, shop, clock) -> None:
    shop.settings.index_lag = 1e6
    shop.sell("PRINT-S", 3)
    query = """query ($i: ID!, $l: ID!) { inventoryItem(id: $i) { inventoryLevel(locationId: $l) {
        quantities(names: ["available"]) { quantity } } } }"""
    data = desk.data(query, {"i": shop.item("PRINT-S").gid, "l": shop.primary.gid})
    assert data["inventoryItem"]["inventoryLevel"]["quantities"] == [{"quantity": 27}]


# -- the grammar by itself -------------------------------------------------------------------------


def test_a_query_becomes_a_tree() -> None:
    assert parse("a:1 (b:>=2 OR -c:'x y')") == Both(
        "and",
        (
            Term("a", "", "1"),
            Both("or", (Term("b", ">=", "2"), Not(Term("c", "", "x y", quoted=True)))),
        ),
    )
    assert parse("  ") is None
    assert parse("a\\:b") == Term(None, "", "a:b")
    assert parse("a:b\\*") == Term("a", "", "b*")
    assert parse("ORANGE") == Term(None, "", "ORANGE")


def test_words_are_folded_and_freed_of_punctuation() -> None:
    assert tokens("Wall-Art: GROSSE Straße") == ("wall", "art", "grosse", "strasse")
    assert tokens("…") == ("…",)
    assert tokens("  ") == ()
