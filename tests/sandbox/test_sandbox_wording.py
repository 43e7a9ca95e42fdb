"""In Shopify's own words: what live answers were recorded to say."""

from __future__ import annotations

import pytest

REFERENCE = {"name": "available", "reason": "correction"}


def only(answer: dict) -> dict:
    (error,) = answer["errors"]
    assert "data" not in answer
    return error


@pytest.mark.parametrize(
    ("document", "message", "extensions", "path"),
    [
        (
            'query Q { bulkOperation(id: "not-a-gid") { id } }',
            "Invalid global id 'not-a-gid'",
            {"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"},
            ["query Q", "bulkOperation", "id"],
        ),
        (
            "query Q { bulkOperations(first: 5, sortKey: ID) { nodes { id } } }",
            "Argument 'sortKey' on Field 'bulkOperations' has an invalid value (ID). Expected type "
            "'BulkOperationsSortKeys'.",
            {
                "code": "argumentLiteralsIncompatible",
                "typeName": "Field",
                "argumentName": "sortKey",
            },
            ["query Q", "bulkOperations", "sortKey"],
        ),
        (
            "mutation M { bulkOperationRunQuery(query: null) { userErrors { message } } }",
            "Argument 'query' on Field 'bulkOperationRunQuery' has an invalid value (null). "
            "Expected type 'String!'.",
            {"code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": "query"},
            ["mutation M", "bulkOperationRunQuery", "query"],
        ),
        (
            "query Q { bulkOperation { id } }",
            "Field 'bulkOperation' is missing required arguments: id",
            {
                "code": "missingRequiredArguments",
                "className": "Field",
                "name": "bulkOperation",
                "arguments": "id",
            },
            ["query Q", "bulkOperation"],
        ),
        (
            "mutation M { inventoryActivate { userErrors { message } } }",
            "Field 'inventoryActivate' is missing required arguments: inventoryItemId, locationId",
            {
                "code": "missingRequiredArguments",
                "className": "Field",
                "name": "inventoryActivate",
                "arguments": "inventoryItemId, locationId",
            },
            ["mutation M", "inventoryActivate"],
        ),
        (
            "mutation M($input: InventoryAdjustQuantitiesInput!) { inventoryAdjustQuantities("
            "input: $input) @idempotent { userErrors { code } } }",
            "Directive 'idempotent' is missing required arguments: key",
            {
                "code": "missingRequiredArguments",
                "className": "Directive",
                "name": "idempotent",
                "arguments": "key",
            },
            ["mutation M", "inventoryAdjustQuantities"],
        ),
        (
            'mutation M { inventoryAdjustQuantities(input: {name: "available", changes: []}) '
            '@idempotent(key: "k") { userErrors { code } } }',
            "Argument 'reason' on InputObject 'InventoryAdjustQuantitiesInput' is required. "
            "Expected type String!",
            {
                "code": "missingRequiredInputObjectAttribute",
                "argumentName": "reason",
                "argumentType": "String!",
                "inputObjectType": "InventoryAdjustQuantitiesInput",
            },
            ["mutation M", "inventoryAdjustQuantities", "input"],
        ),
        (
            'mutation M { inventoryAdjustQuantities(input: {name: "available", reason: "other", '
            'colour: "red", changes: []}) @idempotent(key: "k") { userErrors { code } } }',
            "InputObject 'InventoryAdjustQuantitiesInput' doesn't accept argument 'colour'",
            {
                "code": "argumentNotAccepted",
                "name": "InventoryAdjustQuantitiesInput",
                "typeName": "InputObject",
                "argumentName": "colour",
            },
            ["mutation M", "inventoryAdjustQuantities", "input"],
        ),
        (
            'mutation M { inventoryAdjustQuantities(input: {name: null, reason: "other", '
            'changes: []}) @idempotent(key: "k") { userErrors { code } } }',
            "Argument 'name' on InputObject 'InventoryAdjustQuantitiesInput' has an invalid value "
            "(null). Expected type 'String!'.",
            {
                "code": "argumentLiteralsIncompatible",
                "typeName": "InputObject",
                "argumentName": "name",
            },
            ["mutation M", "inventoryAdjustQuantities", "input"],
        ),
        (
            "query Named($x: String) { shop { name } }",
            "Variable $x is declared by Named but not used",
            {"code": "variableNotUsed", "variableName": "x"},
            ["query Named"],
        ),
        (
            "query Q { products(first: 1) { nodes { id colour } } }",
            "Field 'colour' doesn't exist on type 'Product'",
            {"code": "undefinedField", "typeName": "Product", "fieldName": "colour"},
            ["query Q", "products", "nodes", "colour"],
        ),
    ],
)
def test_what_is_written_wrongly(
    desk, document: str, message: str, extensions: dict, path: list[str]
) -> None:
    error = only(desk.ask(document))
    assert error["message"] == message
    assert error["extensions"] == extensions
    assert error["path"] == path


@pytest.mark.parametrize(
    ("text", "at"),
    [("query { not real syntax", "[1, 18]"), ("query {\n  shop {\n    name", "[3, 5]")],
)
def test_text_that_ends_too_early_is_told_where_its_last_word_begins(
    desk, text: str, at: str
) -> None:
    error = only(desk.ask(text))
    assert error["extensions"] == {"code": "PARSE_ERROR"}
    assert error["message"] == f"syntax error, unexpected end of file at {at}"


def test_text_that_is_no_graphql(desk) -> None:
    error = only(desk.ask("query { shop ] }"))
    assert error["extensions"] == {"code": "PARSE_ERROR"}
    assert error["message"] == "syntax error, unexpected ']' at [1, 14]"


def test_a_written_value_that_does_not_fit_is_placed_where_its_field_begins(desk) -> None:
    error = only(desk.ask('{\n  bulkOperation(id: "not-a-gid") { id } }'))
    assert error["locations"] == [{"line": 2, "column": 3}]


def test_a_variable_that_only_a_refused_argument_uses_is_not_used(desk) -> None:
    document = """query Q($first: Int!, $colour: String) {
        products(first: $first, colour: $colour) { nodes { id } } }"""
    errors = desk.ask(document, {"first": 1, "colour": "red"})["errors"]
    assert [(one["message"], one["extensions"]["code"]) for one in errors] == [
        ("Field 'products' doesn't accept argument 'colour'", "argumentNotAccepted"),
        ("Variable $colour is declared by Q but not used", "variableNotUsed"),
    ]


def test_a_variable_wrong_as_a_whole_says_why_only_in_its_problems(desk) -> None:
    error = only(
        desk.ask("query Q($id: ID!) { bulkOperation(id: $id) { id } }", {"id": "not-a-shopify-gid"})
    )
    assert error["message"] == "Variable $id of type ID! was provided invalid value"
    assert error["extensions"] == {
        "code": "INVALID_VARIABLE",
        "value": "not-a-shopify-gid",
        "problems": [
            {
                "path": [],
                "explanation": "Invalid global id 'not-a-shopify-gid'",
                "message": "Invalid global id 'not-a-shopify-gid'",
            }
        ],
    }


def test_a_variable_wrong_in_several_places_is_one_error_that_names_them_all(desk) -> None:
    document = """mutation ($input: InventoryAdjustQuantitiesInput!) {
        inventoryAdjustQuantities(input: $input) @idempotent(key: "k") { userErrors { code } } }"""
    given = {**REFERENCE, "reason": None, "changes": [{"delta": "x"}]}
    error = only(desk.ask(document, {"input": given}))
    assert 'changes.0.delta (Could not coerce value "x" to Int)' in error["message"]
    assert ", reason (Expected value to not be null)" in error["message"]


@pytest.mark.parametrize(
    "root",
    ["product", "inventoryItem", "location", "productVariant", "inventoryLevel", "bulkOperation"],
)
def test_by_id_what_is_gone_is_null_and_another_type_an_error(desk, root: str) -> None:
    kinds = {
        "product": "Product",
        "inventoryItem": "InventoryItem",
        "location": "Location",
        "productVariant": "ProductVariant",
        "inventoryLevel": "InventoryLevel",
        "bulkOperation": "BulkOperation",
    }
    query = f"query ($id: ID!) {{ {root}(id: $id) {{ id }} }}"
    gone = desk.ask(query, {"id": f"gid://shopify/{kinds[root]}/999999"})
    assert gone["data"] == {root: None}
    assert "errors" not in gone
    other = desk.ask(query, {"id": "gid://shopify/Order/1"})
    assert other["data"] == {root: None}
    assert other["errors"][0]["message"] == "Invalid id: gid://shopify/Order/1"
    assert other["errors"][0]["extensions"] == {"code": "RESOURCE_NOT_FOUND"}


SET = """mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) {
      userErrors { code field message } } }"""


def set_quantities(desk, *rows: tuple[str, int]) -> list[dict]:
    quantities = [
        {
            "inventoryItemId": item,
            "locationId": desk.shop.primary.gid,
            "quantity": quantity,
            "changeFromQuantity": None,
        }
        for item, quantity in rows
    ]
    payload = desk.data(SET, {"key": repr(rows), "input": {**REFERENCE, "quantities": quantities}})
    return payload["inventorySetQuantities"]["userErrors"]


def test_the_bounds_of_a_set(desk, shop) -> None:
    def said(quantity: int) -> str:
        return set_quantities(desk, (shop.item("PRINT-S").gid, quantity))[0]["message"]

    assert said(1_000_000_001) == "The quantity can't be higher than 1,000,000,000."
    assert said(-1_000_000_001) == "The quantity can't be lower than -1,000,000,000."


def test_the_same_level_twice_in_a_set(desk, shop) -> None:
    gid = shop.item("PRINT-S").gid
    errors = set_quantities(desk, (gid, 1), (gid, 2))
    assert [(error["code"], error["field"], error["message"]) for error in errors] == [
        (
            "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
            ["input", "quantities", str(row), "locationId"],
            "The combination of inventoryItemId and locationId must be unique.",
        )
        for row in range(2)
    ]


@pytest.mark.parametrize(
    ("documents", "code", "field", "message"),
    [
        (
            ["gid://shopify/Order/1"],
            "INTERNAL_LEDGER_DOCUMENT",
            ["input", "changes", "0", "ledgerDocumentUri"],
            "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.",
        ),
        (
            ["ledger://a/1", "ledger://a/2"],
            "MAX_ONE_LEDGER_DOCUMENT",
            ["input", "changes"],
            "All changes must have the same ledger document URI or, in the case of adjusting "
            "available, no ledger document URI.",
        ),
    ],
)
def test_ledger_documents(desk, documents, code: str, field: list[str], message: str) -> None:
    skus = ["PRINT-S", "PRINT-M"]
    changes = [
        {**desk.change(sku, 1), "ledgerDocumentUri": uri}
        for sku, uri in zip(skus, documents, strict=False)
    ]
    (error,) = desk.adjust(*changes, name="damaged")["userErrors"]
    assert (error["code"], error["field"], error["message"]) == (code, field, message)


ACTIVATE = """mutation ($item: ID!, $place: ID!, $available: Int, $onHand: Int) {
    inventoryActivate(inventoryItemId: $item, locationId: $place, available: $available,
      onHand: $onHand) @idempotent(key: "k") {
        inventoryLevel { id } userErrors { field message } } }"""


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (
            {"available": 3},
            "Not allowed to set available quantity when the item is already active at the "
            "location.",
        ),
        (
            {"onHand": 3},
            "Not allowed to set an on_hand quantity when the item is already active at the "
            "location.",
        ),
    ],
)
def test_activating_what_is_active_already(desk, shop, quantity: dict, said: str) -> None:
    given = {"item": shop.item("PRINT-S").gid, "place": shop.primary.gid, **quantity}
    payload = desk.data(ACTIVATE, given)["inventoryActivate"]
    assert payload["userErrors"] == [{"field": list(quantity), "message": said}]
    assert shop.available("PRINT-S") == 30


@pytest.mark.parametrize(
    ("quantities", "why"),
    [
        (
            {"available": 3, "onHand": 4},
            "not allowed to set available and on_hand quantities at the same time.",
        ),
        ({"onHand": 1_000_000_001}, "the quantity needs to be between -1 billion and 1 billion."),
    ],
)
def test_activating_with_quantities_that_can_not_be(desk, shop, quantities: dict, why: str) -> None:
    given = {"item": shop.item("PRINT-S").gid, "place": shop.add_location("New").gid, **quantities}
    payload = desk.data(ACTIVATE, given)["inventoryActivate"]
    assert payload == {
        "inventoryLevel": None,
        "userErrors": [
            {"field": [name], "message": f"The product couldn't be stocked at New because {why}"}
            for name in quantities
        ],
    }


def test_activating_with_a_quantity_on_hand(desk, shop) -> None:
    place = shop.add_location("New")
    given = {"item": shop.item("PRINT-S").gid, "place": place.gid, "onHand": 7}
    assert desk.data(ACTIVATE, given)["inventoryActivate"]["userErrors"] == []
    assert shop.available("PRINT-S", place) == 7


def test_activating_at_an_unknown_location(desk, shop) -> None:
    given = {"item": shop.item("PRINT-S").gid, "place": "gid://shopify/Location/999999"}
    payload = desk.data(ACTIVATE, given)["inventoryActivate"]
    assert payload["userErrors"] == [
        {
            "field": ["locationId"],
            "message": "The product couldn't be stocked because the location wasn't found.",
        }
    ]


def test_a_product_s_tags_come_sorted_without_regard_to_case(desk, shop) -> None:
    shop.retag("Mug", "b", "C", "A")
    data = desk.data('{ products(first: 1, query: "sku:MUG") { nodes { tags } } }')
    assert data["products"]["nodes"] == [{"tags": ["A", "b", "C"]}]
