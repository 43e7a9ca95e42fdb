"""The inventory mutations: all or nothing, exact codes and paths, idempotency keys."""

from __future__ import annotations

import pytest
from sandbox_desk import ADJUST, adjustment


def test_an_adjustment_moves_available_and_on_hand(desk, shop) -> None:
    payload = desk.adjust(desk.change("PRINT-S", -2, compare=30), desk.change("MUG", 5, "Till"))
    rows = payload["inventoryAdjustmentGroup"]["changes"]
    assert [(row["name"], row["delta"], row["quantityAfterChange"]) for row in rows] == [
        ("available", -2, None),
        ("available", 5, None),
        ("on_hand", -2, None),
        ("on_hand", 5, None),
    ]
    assert rows[0]["item"] == {"id": shop.item("PRINT-S").gid}
    assert rows[3]["location"] == {"id": shop.location("Till").gid}
    assert (shop.available("PRINT-S"), shop.available("MUG", "Till"), shop.available("MUG")) == (
        28,
        25,
        20,
    )
    assert shop.level("PRINT-S").on_hand == 28


def test_available_may_become_negative(desk, shop) -> None:
    desk.adjust(desk.change("PRINT-S", -40))
    assert shop.available("PRINT-S") == -10


def test_one_bad_row_refuses_the_whole_call(desk, shop) -> None:
    bad = {**desk.change("PRINT-M", -1), "inventoryItemId": "gid://shopify/InventoryItem/1"}
    assert desk.codes(desk.change("PRINT-S", -1), bad) == [
        ("INVALID_INVENTORY_ITEM", ["input", "changes", "1", "inventoryItemId"])
    ]
    assert shop.availables("PRINT-S", "PRINT-M") == [30, 30]
    assert shop.trail.ledger == []


def test_one_row_can_draw_several_errors(desk) -> None:
    row = {**desk.change("PRINT-S", -1), "inventoryItemId": "gid://shopify/InventoryItem/1"}
    payload = desk.adjust({**row, "locationId": "gid://shopify/Location/1"})
    assert payload["inventoryAdjustmentGroup"] is None
    assert payload["userErrors"] == [
        {
            "code": "INVALID_INVENTORY_ITEM",
            "field": ["input", "changes", "0", "inventoryItemId"],
            "message": "The specified inventory item could not be found.",
        },
        {
            "code": "INVALID_LOCATION",
            "field": ["input", "changes", "0", "locationId"],
            "message": "The specified location could not be found.",
        },
    ]


def test_a_stale_comparison_is_refused_row_by_row(desk, shop) -> None:
    shop.sell("PRINT-S")
    shop.sell("PRINT-L")
    changes = [desk.change(sku, 1, compare=30) for sku in ("PRINT-S", "PRINT-M", "PRINT-L")]
    assert desk.codes(*changes) == [
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "changes", "0", "changeFromQuantity"]),
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "changes", "2", "changeFromQuantity"]),
    ]
    assert shop.availables("PRINT-S", "PRINT-M", "PRINT-L") == [29, 30, 29]


def test_a_comparison_with_null_is_no_comparison(desk, shop) -> None:
    shop.sell("PRINT-S", 7)
    desk.adjust(desk.change("PRINT-S", -1, compare=None))
    assert shop.available("PRINT-S") == 22


def test_an_adjustment_of_which_nobody_knows_what_it_does_is_refused(desk, shop) -> None:
    shop.set_tracked("PRINT-L", False)
    for changes, what in (
        ([], "an adjustment without changes"),
        ([desk.change("PRINT-S", -1)] * 2, "a level twice in an adjustment"),
        ([desk.change("PRINT-L", -1)], "an adjustment of an item that is not tracked"),
    ):
        answer = desk.ask(ADJUST, {"key": "k", "input": adjustment(changes)})
        (error,) = answer["errors"]
        assert error["message"].startswith(f"The sandbox refuses {what}: ")
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        assert answer["data"] == {"inventoryAdjustQuantities": None}
    assert shop.availables("PRINT-S", "PRINT-L") == [30, 30]


def test_bundle_parents_are_not_mutable(desk) -> None:
    assert desk.codes(desk.change("DUO-S", -1)) == [
        ("NON_MUTABLE_INVENTORY_ITEM", ["input", "changes", "0", "inventoryItemId"])
    ]


def test_a_closed_location_is_not_found(desk, shop) -> None:
    row = desk.change("MUG", -1, "Till")
    shop.close_location("Till")
    assert desk.codes(row) == [("INVALID_LOCATION", ["input", "changes", "0", "locationId"])]


@pytest.mark.parametrize(
    ("delta", "code"),
    [(2_000_000_000, "INVALID_QUANTITY_TOO_HIGH"), (-2_000_000_031, "INVALID_QUANTITY_TOO_LOW")],
)
def test_a_quantity_stays_within_two_thousand_million(desk, delta: int, code: str) -> None:
    assert desk.codes(desk.change("PRINT-S", delta)) == [(code, ["input", "changes", "0", "delta"])]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"reason": "because"}, ("INVALID_REASON", ["input", "reason"])),
        ({"reason": ""}, ("INVALID_REASON", ["input", "reason"])),
        ({"name": "on_hand"}, ("INVALID_QUANTITY_NAME", ["input", "name"])),
        ({"name": "committed"}, ("INVALID_QUANTITY_NAME", ["input", "name"])),
        (
            {"referenceDocumentUri": "run 7"},
            ("INVALID_REFERENCE_DOCUMENT", ["input", "referenceDocumentUri"]),
        ),
        (
            {"referenceDocumentUri": "gid://i/7"},
            ("INVALID_REFERENCE_DOCUMENT", ["input", "referenceDocumentUri"]),
        ),
    ],
)
def test_a_wrong_call_is_refused_where_it_is_wrong(desk, shop, given: dict, error: tuple) -> None:
    assert desk.codes(desk.change("PRINT-S", -1), **given) == [error]
    assert shop.available("PRINT-S") == 30


@pytest.mark.parametrize(
    "uri", ["gid://invsync/Run/0f3c", "https://example.com/run/7", "invsync:run-7"]
)
def test_a_reference_document_is_any_uri_and_is_kept_in_the_ledger(desk, shop, uri: str) -> None:
    desk.adjust(desk.change("PRINT-S", -1), referenceDocumentUri=uri)
    assert shop.trail.ledger[-1]["reference_document_uri"] == uri


@pytest.mark.parametrize(
    ("name", "document", "code"),
    [
        ("available", "gid://x/Y/1", "INVALID_AVAILABLE_DOCUMENT"),
        ("damaged", None, "INVALID_QUANTITY_DOCUMENT"),
        ("damaged", "gid://shopify/Order/1", "INTERNAL_LEDGER_DOCUMENT"),
        ("damaged", "one", "INVALID_LEDGER_DOCUMENT"),
    ],
)
def test_ledger_documents_belong_to_every_name_but_available(
    desk, name: str, document: str, code: str
) -> None:
    row = {**desk.change("PRINT-S", 1), "ledgerDocumentUri": document}
    if document is None:
        del row["ledgerDocumentUri"]
    assert desk.codes(row, name=name) == [(code, ["input", "changes", "0", "ledgerDocumentUri"])]


def test_damaged_units_count_as_on_hand_and_leave_available_alone(desk, shop) -> None:
    row = {**desk.change("PRINT-S", 2), "ledgerDocumentUri": "gid://x/Y/1"}
    changes = desk.adjust(row, name="damaged", reason="damaged")["inventoryAdjustmentGroup"][
        "changes"
    ]
    assert [row["name"] for row in changes] == ["damaged", "on_hand"]
    level = shop.level("PRINT-S")
    assert (level.available, level.quantity("damaged"), level.on_hand) == (30, 2, 32)
    assert shop.trail.ledger == [], "only available quantities are in the ledger"


def test_all_deltas_zero_is_a_success_without_a_group(desk) -> None:
    payload = desk.adjust(desk.change("PRINT-S", 0), desk.change("PRINT-M", 0))
    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_zero_rows_beside_others_are_left_out_of_the_answer(desk, shop) -> None:
    changes = desk.adjust(desk.change("PRINT-S", 0), desk.change("PRINT-M", 1))[
        "inventoryAdjustmentGroup"
    ]["changes"]
    assert {row["item"]["id"] for row in changes} == {shop.item("PRINT-M").gid}


def test_more_than_250_rows_are_refused_before_anything_runs(desk, shop) -> None:
    variables = {"key": "k", "input": adjustment([desk.change("PRINT-S", -1)] * 251)}
    (error,) = desk.ask(ADJUST, variables)["errors"]
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert shop.available("PRINT-S") == 30
    skus = [f"MANY-{number}" for number in range(250)]
    shop.add_product("Many", skus, available=30)
    desk.adjust(*[desk.change(sku, -1) for sku in skus])
    assert shop.availables(*skus) == [29] * 250


# -- what the versions differ in -------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2026-04", "2026-07", "2026-10"])
def test_the_comparison_must_be_there_from_2026_04_on(desk, shop, version: str) -> None:
    desk.version = version
    row = desk.change("PRINT-S", -1)
    del row["changeFromQuantity"]
    answer = desk.ask(ADJUST, {"key": "k", "input": adjustment([row])})
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    (error,) = answer["errors"]
    assert (
        error["message"]
        == "InventoryChangeInput must include the following argument: changeFromQuantity."
    )
    assert error["path"] == ["inventoryAdjustQuantities"]
    assert error["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert shop.available("PRINT-S") == 30


@pytest.mark.parametrize("version", ["2026-04", "2026-07", "2026-10"])
def test_the_key_must_be_there_from_2026_04_on(desk, shop, version: str) -> None:
    desk.version = version
    keyless = ADJUST.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    answer = desk.ask(keyless, {"input": adjustment([desk.change("PRINT-S", -1)])})
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    (error,) = answer["errors"]
    assert (
        error["message"]
        == "The @idempotent directive is required for this mutation but was not provided."
    )
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert shop.available("PRINT-S") == 30


def test_in_2026_01_neither_key_nor_comparison_is_needed(desk, shop) -> None:
    desk.version = "2026-01"
    keyless = ADJUST.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    row = desk.change("PRINT-S", -1)
    del row["changeFromQuantity"]
    desk.data(keyless, {"input": adjustment([row])})
    assert shop.available("PRINT-S") == 29


def test_an_unstocked_item_is_refused_in_2026_01_and_stocked_inactively_later(desk, shop) -> None:
    row = desk.change("PRINT-S", 3, "Till")
    desk.version = "2026-01"
    assert desk.codes(row) == [
        ("ITEM_NOT_STOCKED_AT_LOCATION", ["input", "changes", "0", "locationId"])
    ]
    desk.version = "2026-10"
    desk.adjust(row, key="later")
    level = shop.level("PRINT-S", "Till")
    assert (level.available, level.active) == (3, False)


def test_an_inactive_level_can_be_adjusted(desk, shop) -> None:
    desk.adjust(desk.change("GALLERY-XL", 4))
    level = shop.level("GALLERY-XL")
    assert (level.available, level.active) == (6, False)


# -- idempotency keys ------------------------------------------------------------------------------


def test_a_key_used_again_gives_the_first_answer_and_changes_nothing(desk, shop, clock) -> None:
    change = desk.change("PRINT-S", -2)
    first = desk.adjust(change, key="k")
    shop.sell("PRINT-S")
    clock.pass_(86_399)
    assert desk.adjust(change, key="k") == first
    assert shop.available("PRINT-S") == 27


def test_a_key_with_other_parameters_is_refused(desk, shop) -> None:
    desk.adjust(desk.change("PRINT-S", -2), key="k")
    mismatch = [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]
    assert desk.codes(desk.change("PRINT-S", -3), key="k") == mismatch
    assert desk.codes(desk.change("PRINT-S", -2, compare=30), key="k") == mismatch
    assert (
        desk.codes(desk.change("PRINT-S", -2), key="k", referenceDocumentUri="gid://a/B/1")
        == mismatch
    )
    assert shop.available("PRINT-S") == 28


def test_a_key_whose_first_attempt_failed_is_used_up(desk, shop) -> None:
    stale = desk.change("PRINT-S", 1, compare=29)
    assert desk.codes(stale, key="k")[0][0] == "CHANGE_FROM_QUANTITY_STALE"
    shop.sell("PRINT-S")
    assert desk.codes(stale, key="k") == [("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", None)]
    assert shop.available("PRINT-S") == 29


def test_after_the_retention_time_the_write_runs_again(desk, shop, clock) -> None:
    change = desk.change("PRINT-S", -2)
    first = desk.adjust(change, key="k")
    clock.pass_(86_400)
    assert desk.adjust(change, key="k") != first
    assert shop.available("PRINT-S") == 26
    shop.settings.key_retention = 60
    clock.pass_(60)
    desk.adjust(change, key="k")
    assert shop.available("PRINT-S") == 24


def test_a_refusal_at_the_top_level_does_not_use_up_the_key(desk, shop) -> None:
    change = desk.change("PRINT-S", -2)
    without = {name: value for name, value in change.items() if name != "changeFromQuantity"}
    assert desk.ask(ADJUST, {"key": "k", "input": adjustment([without])})["errors"]
    desk.adjust(change, key="k")
    assert shop.available("PRINT-S") == 28


def test_a_replay_names_no_item_that_was_deleted_since(desk, shop) -> None:
    change = desk.change("PRINT-S", -2)
    desk.adjust(change, key="k")
    shop.delete_variant("PRINT-S")
    changes = desk.adjust(change, key="k")["inventoryAdjustmentGroup"]["changes"]
    assert changes[0]["item"] is None


def test_a_key_may_be_written_into_the_document_but_not_be_blank(desk, shop) -> None:
    change = desk.change("PRINT-S", -2)
    for key, applied in (("abc", True), ("abc", True), (" ", False)):
        document = ADJUST.replace("$key)", f'"{key}")').replace(", $key: String!", "")
        assert ("errors" not in desk.ask(document, {"input": adjustment([change])})) is applied
    assert shop.available("PRINT-S") == 28


# -- the ledger ------------------------------------------------------------------------------------


def test_the_ledger_tells_who_moved_what(desk, shop, clock) -> None:
    shop.sell("PRINT-S", 3)
    shop.set_available("PRINT-S", 50)
    shop.restock("PRINT-S", 1)
    desk.adjust(desk.change("PRINT-S", -2), key="k", referenceDocumentUri="gid://invsync/Run/1")
    moves = [
        (entry["by"], entry["before"], entry["delta"], entry["after"])
        for entry in shop.trail.ledger
    ]
    assert moves == [
        ("customer", 30, -3, 27),
        ("clerk", 27, 23, 50),
        ("clerk", 50, 1, 51),
        ("app", 51, -2, 49),
    ]
    assert shop.trail.ledger[-1] == {
        "time": clock.now,
        "by": "app",
        "item": shop.item("PRINT-S").gid,
        "sku": "PRINT-S",
        "location": shop.primary.gid,
        "location_name": "Warehouse",
        "before": 51,
        "delta": -2,
        "after": 49,
        "idempotency_key": "k",
        "reference_document_uri": "gid://invsync/Run/1",
    }


# -- setting and activating ------------------------------------------------------------------------

SET = """mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta } } userErrors { code field } } }"""


def test_setting_quantities_compares_and_sets(desk, shop) -> None:
    def send(key: str, **row) -> dict:
        place = {"inventoryItemId": shop.item("PRINT-S").gid, "locationId": shop.primary.gid}
        rows = [{**place, "changeFromQuantity": None, **row}]
        given = {"name": "available", "reason": "correction", "quantities": rows}
        return desk.data(SET, {"key": key, "input": given})["inventorySetQuantities"]

    assert send("a", quantity=50)["inventoryAdjustmentGroup"]["changes"][0] == {
        "name": "available",
        "delta": 20,
    }
    assert shop.available("PRINT-S") == 50
    assert send("b", quantity=50) == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert send("c", quantity=5, changeFromQuantity=30)["userErrors"] == [
        {
            "code": "CHANGE_FROM_QUANTITY_STALE",
            "field": ["input", "quantities", "0", "changeFromQuantity"],
        }
    ]


def test_a_pair_that_is_set_twice_is_refused_at_both_places(desk, shop) -> None:
    row = {
        "inventoryItemId": shop.item("PRINT-S").gid,
        "locationId": shop.primary.gid,
        "quantity": 1,
        "changeFromQuantity": None,
    }
    given = {"name": "available", "reason": "correction", "quantities": [row, row]}
    errors = desk.data(SET, {"key": "k", "input": given})["inventorySetQuantities"]["userErrors"]
    assert [error["field"][2] for error in errors] == ["0", "1"]
    assert {error["code"] for error in errors} == {"NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"}


def test_activating_a_level_revives_it_with_its_quantity(desk, shop) -> None:
    document = """mutation ($i: ID!, $l: ID!) {
        inventoryActivate(inventoryItemId: $i, locationId: $l)
        @idempotent(key: "k") { inventoryLevel { id isActive } userErrors { field message } } }"""
    kept = shop.level("GALLERY-XL")
    given = {"i": kept.item.gid, "l": kept.location.gid}
    payload = desk.data(document, given)["inventoryActivate"]
    assert payload == {"inventoryLevel": {"id": kept.gid, "isActive": True}, "userErrors": []}
    assert kept.available == 2
