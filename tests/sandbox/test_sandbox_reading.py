"""Reading: pages and cursors, ids, versions, errors, tokens and scopes."""

from __future__ import annotations

import base64
import json

import pytest
from sandbox_desk import ADJUST, adjustment

from invsync.sandbox.exchange import VERSIONS
from invsync.sandbox.starting import generated_shop

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String,
                $reverse: Boolean, $sort: ProductSortKeys) {
  products(first: $first, after: $after, last: $last, before: $before,
           reverse: $reverse, sortKey: $sort) {
    edges { cursor node { id title } } nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def codes(answer: dict) -> list:
    return [error.get("extensions", {}).get("code") for error in answer["errors"]]


# -- pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["ID", "TITLE", "UPDATED_AT", "PRODUCT_TYPE", "INVENTORY_TOTAL"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 4, 250])
def test_walking_the_pages_meets_every_product_once(
    desk, shop, sort: str, reverse: bool, size: int
) -> None:
    met, after = [], None
    while True:
        given = {"first": size, "after": after, "reverse": reverse, "sort": sort}
        page = desk.data(PAGE, given)["products"]
        met += [node["id"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
    assert sorted(met) == sorted(product.gid for product in shop.products.values())
    if sort == "ID":
        assert met == sorted(met, reverse=reverse)


def test_pages_can_be_walked_backwards(desk, shop) -> None:
    met, before = [], None
    while True:
        page = desk.data(PAGE, {"last": 4, "before": before})["products"]
        met = [node["id"] for node in page["nodes"]] + met
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert met == [product.gid for product in shop.products.values()]


def test_a_cursor_survives_the_deletion_of_its_product(desk, shop) -> None:
    first = desk.data(PAGE, {"first": 2})["products"]
    shop.delete_product("Fog on the river")
    second = desk.data(PAGE, {"first": 1, "after": first["pageInfo"]["endCursor"]})["products"]
    assert [edge["node"]["title"] for edge in second["edges"]] == ["Lighthouse (counts differ)"]


def test_cursors_are_opaque_base64_of_an_id_and_a_value(desk, shop) -> None:
    cursor = desk.data(PAGE, {"first": 1, "sort": "TITLE"})["products"]["pageInfo"]["endCursor"]
    assert json.loads(base64.b64decode(cursor)) == {
        "last_id": shop.product("Apron").id,
        "last_value": "apron",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 251", "first cannot exceed 250"),
        ("last: 251", "last cannot exceed 250"),
        ("first: -1", "first cannot be negative"),
        ('after: "x"', "you must provide one of first or last"),
        ("first: 1, last: 1", "providing both first and last"),
        ('first: 1, after: "nonsense"', "Invalid cursor"),
    ],
)
def test_a_page_that_cannot_be_is_refused(desk, arguments: str, message: str) -> None:
    answer = desk.ask(f"{{ products({arguments}) {{ nodes {{ id }} }} }}")
    assert codes(answer) == ["BAD_REQUEST"]
    assert answer["errors"][0]["message"].startswith(message)
    assert answer["data"] is None


def test_a_cursor_of_another_sort_key_is_refused(desk) -> None:
    cursor = desk.data(PAGE, {"first": 1, "sort": "TITLE"})["products"]["pageInfo"]["endCursor"]
    assert codes(desk.ask(PAGE, {"first": 1, "after": cursor, "sort": "UPDATED_AT"})) == [
        "BAD_REQUEST"
    ]


def test_paging_ends_at_25_000_objects_of_one_result_set(clock, new_desk) -> None:
    shop = generated_shop(25_250, 1, 1, now=clock)
    desk = new_desk(shop)
    ids = list(shop.products)
    query = """query ($after: String, $q: String) { products(first: 250, after: $after, query: $q) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""

    def after(index: int) -> str:
        return base64.b64encode(
            json.dumps({"last_id": ids[index], "last_value": ids[index]}).encode()
        ).decode()

    last = desk.data(query, {"after": after(24_749)})["products"]
    assert (len(last["nodes"]), last["pageInfo"]["hasNextPage"]) == (250, True)
    beyond = desk.ask(query, {"after": last["pageInfo"]["endCursor"]})
    assert codes(beyond) == ["BAD_REQUEST"]
    assert "25000" in beyond["errors"][0]["message"]
    narrowed = desk.data(query, {"q": f"id:>{ids[24_999]}"})["products"]
    assert [node["id"] for node in narrowed["nodes"]] == [
        f"gid://shopify/Product/{number}" for number in ids[25_000:]
    ]


def test_a_page_of_250_products_with_their_variants_is_read_whole(clock, new_desk) -> None:
    desk = new_desk(generated_shop(300, 4, 3, now=clock))
    data = desk.data(
        """query ($l: ID!) { products(first: 250, query: "product_type:'Print'") { nodes { id
            variants(first: 10) { nodes { sku inventoryItem { tracked
              inventoryLevel(locationId: $l) {
              quantities(names: ["available"]) { quantity } } } } } } } }""",
        {"l": desk.shop.primary.gid},
    )
    variants = [
        variant for product in data["products"]["nodes"] for variant in product["variants"]["nodes"]
    ]
    assert (len(variants), variants[0]["sku"], variants[-1]["sku"]) == (
        1000,
        "P00001-1",
        "P00250-4",
    )
    assert {
        variant["inventoryItem"]["inventoryLevel"]["quantities"][0]["quantity"]
        for variant in variants
    } == {30}


# -- by id -----------------------------------------------------------------------------------------


def test_nodes_answers_in_place_and_null_for_what_is_missing(desk, shop) -> None:
    product, level = shop.product("Mug"), shop.level("MUG")
    ids = [
        level.gid,
        "gid://shopify/Product/1",
        product.gid,
        shop.primary.gid,
        "gid://shopify/Metafield/7",
    ]
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on Product { title } ... on InventoryLevel { item { sku } } } }"""
    assert desk.data(query, {"ids": ids})["nodes"] == [
        {"__typename": "InventoryLevel", "id": level.gid, "item": {"sku": "MUG"}},
        None,
        {"__typename": "Product", "id": product.gid, "title": "Mug"},
        {"__typename": "Location", "id": shop.primary.gid},
        None,
    ]


def test_more_than_250_ids_are_too_many(desk, shop) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert len(desk.data(query, {"ids": [shop.primary.gid] * 250})["nodes"]) == 250
    answer = desk.ask(query, {"ids": [shop.primary.gid] * 251})
    assert codes(answer) == ["MAX_INPUT_SIZE_EXCEEDED"]
    literal = ",".join([f'"{shop.primary.gid}"'] * 251)
    assert codes(desk.ask(f"{{ nodes(ids: [{literal}]) {{ id }} }}")) == ["MAX_INPUT_SIZE_EXCEEDED"]


def test_a_level_is_named_by_its_own_number_and_its_item(desk, shop) -> None:
    level = shop.level("MUG")
    assert level.gid == f"gid://shopify/InventoryLevel/{level.id}?inventory_item_id={level.item.id}"
    query = "query ($id: ID!) { inventoryLevel(id: $id) { id isActive location { name } } }"
    assert desk.data(query, {"id": level.gid})["inventoryLevel"]["location"] == {
        "name": "Warehouse"
    }
    other = level.gid.replace(f"={level.item.id}", "=1")
    assert desk.data(query, {"id": other}) == {"inventoryLevel": None}


def test_a_location_without_id_is_the_primary_one(desk) -> None:
    data = desk.data("{ location { name isPrimary isActive isFulfillmentService } }")
    assert data["location"] == {
        "name": "Warehouse",
        "isPrimary": True,
        "isActive": True,
        "isFulfillmentService": False,
    }


def test_closed_and_fulfillment_service_locations_are_shown_when_asked_for(desk, shop) -> None:
    shop.close_location("Till")
    shop.add_location("Dropship", fulfillment_service=True)

    def names(arguments: str) -> list[str]:
        data = desk.data(f"{{ locations(first: 9, {arguments}) {{ nodes {{ name }} }} }}")
        return [node["name"] for node in data["locations"]["nodes"]]

    assert names("sortKey: ID") == ["Warehouse", "Pop-up"]
    assert names("includeInactive: true") == ["Pop-up", "Till", "Warehouse"]
    assert names("includeLegacy: true") == ["Dropship", "Pop-up", "Warehouse"]


def test_inactive_levels_and_levels_of_closed_locations_are_hidden(desk, shop) -> None:
    query = """query ($i: ID!, $l: ID!, $all: Boolean!) { inventoryItem(id: $i) {
        inventoryLevel(locationId: $l, includeInactive: $all) {
          isActive quantities(names: ["available"]) { quantity } }
        inventoryLevels(first: 9, includeInactive: $all) { nodes { location { id } } } } }"""
    item = shop.item("GALLERY-XL")
    given = {"i": item.gid, "l": shop.primary.gid, "all": False}
    hidden = {"inventoryLevel": None, "inventoryLevels": {"nodes": []}}
    assert desk.data(query, given)["inventoryItem"] == hidden
    shown = desk.data(query, {**given, "all": True})["inventoryItem"]
    assert shown["inventoryLevel"] == {"isActive": False, "quantities": [{"quantity": 2}]}
    shop.close_location("Till")
    mug = {"i": shop.item("MUG").gid, "l": shop.location("Till").gid, "all": True}
    assert desk.data(query, mug)["inventoryItem"]["inventoryLevel"] is None


def test_the_levels_of_a_location_come_in_the_order_of_their_ids(desk, shop) -> None:
    query = "query ($l: ID!) { location(id: $l) { inventoryLevels(first: 250) { nodes { id } } } }"
    shown = [
        node["id"]
        for node in desk.data(query, {"l": shop.location("Till").gid})["location"][
            "inventoryLevels"
        ]["nodes"]
    ]
    assert shown == [level.gid for level in shop.levels.values() if level.location.name == "Till"]


def test_quantities_have_a_time_only_for_available(desk, shop, clock) -> None:
    clock.pass_(90)
    shop.sell("MUG", 2)
    query = """query ($id: ID!) { inventoryLevel(id: $id) { updatedAt
        quantities(names: ["available", "committed", "on_hand", "damaged"]) {
          name quantity updatedAt } } }"""
    at = "2026-11-22T10:01:30Z"
    assert desk.data(query, {"id": shop.level("MUG").gid})["inventoryLevel"] == {
        "updatedAt": at,
        "quantities": [
            {"name": "available", "quantity": 18, "updatedAt": at},
            {"name": "committed", "quantity": 2, "updatedAt": None},
            {"name": "on_hand", "quantity": 20, "updatedAt": None},
            {"name": "damaged", "quantity": 0, "updatedAt": None},
        ],
    }


def test_two_variants_can_share_one_item(desk, shop) -> None:
    mug = shop.product("Mug")
    twin = shop.add_variant(mug, "MUG-GIFT", title="Gift box", item=shop.item("MUG"))
    query = (
        "query ($id: ID!) { product(id: $id) { variants(first: 9) { nodes { sku inventoryItem "
        "{ id } } } } }"
    )
    nodes = desk.data(query, {"id": mug.gid})["product"]["variants"]["nodes"]
    assert [node["sku"] for node in nodes] == ["MUG", "MUG-GIFT"]
    assert {node["inventoryItem"]["id"] for node in nodes} == {twin.item.gid}


def test_the_installation_lists_what_was_granted(desk) -> None:
    data = desk.data("{ currentAppInstallation { accessScopes { handle } } }")
    handles = [scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]]
    assert handles == ["read_locations", "read_products", "write_inventory"]


# -- versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_version_answers_for_itself(desk, version: str) -> None:
    desk.version = version
    desk.data("{ shop { name myshopifyDomain ianaTimezone plan { publicDisplayName } } }")
    assert desk.answer.headers["X-Shopify-API-Version"] == version


@pytest.mark.parametrize("version", ["2024-07", "2025-10", "unstable"])
def test_a_retired_version_is_answered_by_the_oldest_one(desk, version: str) -> None:
    desk.version = version
    desk.data("{ shop { name } }")
    assert desk.answer.headers["X-Shopify-API-Version"] == "2026-01"


def test_a_field_of_a_later_version_does_not_exist_before(desk, shop) -> None:
    query = f'{{ inventoryLevel(id: "{shop.level("MUG").gid}") {{ isActive }} }}'
    assert desk.data(query)["inventoryLevel"] == {"isActive": True}
    desk.version = "2026-01"
    assert codes(desk.ask(query)) == ["undefinedField"]


def test_deprecated_members_are_named_in_a_header(desk) -> None:
    desk.data("{ location { isPrimary } currentBulkOperation { id } }")
    assert (
        desk.answer.headers["X-Shopify-API-Deprecated-Reason"]
        == "Location.isPrimary, QueryRoot.currentBulkOperation"
    )
    desk.data("{ location { name } }")
    assert "X-Shopify-API-Deprecated-Reason" not in desk.answer.headers


# -- wrong requests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ("{ shop { colour } }", "undefinedField", "Field 'colour' doesn't exist on type 'Shop'"),
        ("{ prodcts(first: 1) { nodes { id } } }", "undefinedField", "Field 'prodcts' doesn't "
                                                                     "exist"),
        ("{ shop }", "selectionMismatch", "Field must have selections (field 'shop' returns Shop! "
                                          "but"),
        ("{ shop { name { x } } }", "selectionMismatch", "Selections can't be made on scalars"),
        ("{ products(frist: 1) { nodes { id } } }", "argumentNotAccepted", "Field 'products' "
                                                                           "doesn't accept"),
        ("{ node { id } }", "missingRequiredArguments", "Field 'node' is missing required "
                                                        "arguments: id"),
        ('{ products(first: "1") { nodes { id } } }', "argumentLiteralsIncompatible", ""),
        ("query ($a: Int) { shop { name } }", "variableNotUsed", "Variable $a is declared"),
        ("{ products(first: $a) { nodes { id } } }", "variableNotDefined", "Variable $a is used"),
        ("query ($a: String) { products(first: $a) { nodes { id } } "
         "}", "variableMismatch", "Type mismatch on"),
        ("{ shop { ...F } }", "useAndDefineFragment", "Fragment F was used"),
        ("{ shop @often { name } }", "undefinedDirective", "Directive @often is not defined"),
    ],
)  # fmt: skip
def test_an_invalid_document_is_refused_in_shopifys_words(
    desk, document: str, code: str, message: str
) -> None:
    answer = desk.ask(document)
    assert codes(answer)[0] == code
    assert answer["errors"][0]["message"].startswith(message)
    assert answer["errors"][0]["locations"]
    assert "data" not in answer


def test_an_undefined_field_says_where(desk) -> None:
    (error,) = desk.ask("{\n  shop {\n    colour\n  }\n}")["errors"]
    assert error["locations"] == [{"line": 3, "column": 5}]
    assert error["extensions"] == {
        "code": "undefinedField",
        "typeName": "Shop",
        "fieldName": "colour",
    }


@pytest.mark.parametrize(
    ("value", "path", "explanation"),
    [
        (None, [], "Expected value to not be null"),
        ({"reason": "correction", "changes": []}, ["name"], "Expected value to not be null"),
        ({"name": "a", "reason": "b", "changes": [], "x": 1}, ["x"],
         "Field is not defined on InventoryAdjustQuantitiesInput"),
        (
            {"name": "a", "reason": "b", "changes": [{"delta": 1.5, "inventoryItemId": "gid://shopify/InventoryItem/1",
             "locationId": "gid://shopify/Location/1"}]},
            ["changes", 0, "delta"], "Could not coerce value 1.5 to Int",
        ),
        (
            {"name": "a", "reason": "b", "changes": [{"delta": 1, "inventoryItemId": "1",
             "locationId": "gid://shopify/Location/1"}]},
            ["changes", 0, "inventoryItemId"], "Invalid global id '1'",
        ),
    ],
)  # fmt: skip
def test_a_variable_of_the_wrong_shape_is_explained(
    desk, value: object, path: list, explanation: str
) -> None:
    document = """mutation ($input: InventoryAdjustQuantitiesInput!) {
        inventoryAdjustQuantities(input: $input) @idempotent(key: "k") { userErrors { code } } }"""
    answer = desk.ask(document, {"input": value})
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    told = {"path": path, "explanation": explanation}
    if explanation.startswith("Invalid global id"):
        told["message"] = explanation
    assert told in error["extensions"]["problems"]
    assert error["message"].startswith(
        "Variable $input of type InventoryAdjustQuantitiesInput! was provided invalid"
    )
    assert "data" not in answer


def test_text_that_is_no_graphql_is_a_syntax_error(desk) -> None:
    answer = desk.ask("{ shop {")
    assert "syntax error" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"nonsense", {}),
        (b"[]", {}),
        (b'{"query": ""}', {}),
        (b'{"query": "{shop{name}}"}', {"content-type": "text/plain"}),
    ],
)
def test_a_body_without_a_query_is_a_bad_request(desk, body: bytes, headers: dict) -> None:
    answer = desk.send("POST", "/admin/api/2026-10/graphql.json", body, **headers)
    assert (answer.status, json.loads(answer.body)) == (
        400,
        {"errors": {"query": "Required parameter missing or invalid"}},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/admin/api/graphql.json"), ("GET", "/"), ("GET", "/admin/api/2026-10/graphql.json")],
)
def test_a_path_that_does_not_exist_is_not_found(desk, method: str, path: str) -> None:
    answer = desk.send(method, path)
    assert (answer.status, json.loads(answer.body)) == (404, {"errors": "Not Found"})


def test_every_answer_carries_the_clock_and_a_request_id(desk, clock) -> None:
    desk.send("GET", "/nowhere")
    assert desk.answer.headers["Date"] == "Sun, 22 Nov 2026 10:00:00 GMT"
    first = desk.answer.headers["X-Request-Id"]
    clock.pass_(61)
    desk.send("GET", "/nowhere")
    assert desk.answer.headers["Date"] == "Sun, 22 Nov 2026 10:01:01 GMT"
    assert desk.answer.headers["X-Request-Id"] != first


# -- tokens and scopes -----------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "invalid", "invalid-token"])
def test_without_a_good_token_nothing_is_answered(desk, token: str | None) -> None:
    desk.token = token
    answer = desk.send("POST", "/admin/api/2026-10/graphql.json", {"query": "{ shop { name } }"})
    assert (answer.status, json.loads(answer.body)) == (
        401,
        {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"},
    )


def grant(desk, **fields: str):
    given = {
        "grant_type": "client_credentials",
        "client_id": "id",
        "client_secret": "secret",
        **fields,
    }
    body = "&".join(f"{name}={value}" for name, value in given.items()).encode()
    answer = desk.send(
        "POST",
        "/admin/oauth/access_token",
        body,
        **{"content-type": "application/x-www-form-urlencoded"},
    )
    return answer.status, json.loads(answer.body)


def test_a_granted_token_works_until_it_expires(desk, clock) -> None:
    status, document = grant(desk)
    assert status == 200
    assert document["scope"] == "read_products,read_locations,write_inventory"
    assert document["expires_in"] == 86_399
    desk.token = document["access_token"]
    clock.pass_(86_398)
    desk.data("{ shop { name } }")
    clock.pass_(1)
    assert (
        desk.send("POST", "/admin/api/2026-10/graphql.json", {"query": "{ shop { name } }"}).status
        == 401
    )


def test_a_grant_may_be_asked_for_in_json_and_each_gives_another_token(desk, shop) -> None:
    shop.settings.token_lifetime = 60
    given = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
    tokens = {
        json.loads(desk.send("POST", "/admin/oauth/access_token", given).body)["access_token"]
        for _ in range(3)
    }
    assert len(tokens) == 3
    for token in tokens:
        desk.token = token
        desk.data("{ shop { name } }")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_secret": "invalid-secret"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_grant_with_wrong_credentials_is_refused(desk, fields: dict, error: str) -> None:
    status, document = grant(desk, **fields)
    assert (status, document["error"]) == (400, error)


def test_a_granted_token_that_nobody_granted_is_refused(desk) -> None:
    _, document = grant(desk)
    desk.token = document["access_token"] + "x"
    assert (
        desk.send("POST", "/admin/api/2026-10/graphql.json", {"query": "{ shop { name } }"}).status
        == 401
    )


def test_a_missing_scope_denies_the_field_and_nothing_else(desk, shop) -> None:
    shop.settings.scopes = ("read_products", "write_inventory")
    query = (
        "query ($i: ID!) { inventoryItem(id: $i) { sku inventoryLevels(first: 1) { nodes { "
        "location { name } } } } }"
    )
    answer = desk.ask(query, {"i": shop.item("MUG").gid})
    (error,) = answer["errors"]
    assert (
        error["message"]
        == "Access denied for location field. Required access: `read_locations` access scope."
    )
    assert error["extensions"] == {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "`read_locations` access scope.",
    }
    assert error["path"] == ["inventoryItem", "inventoryLevels", "nodes", 0, "location"]
    assert answer["data"] == {"inventoryItem": None}


def test_the_id_of_a_nested_location_needs_no_scope(desk, shop) -> None:
    shop.settings.scopes = ("read_products", "read_inventory")
    query = (
        "query ($id: ID!) { inventoryLevel(id: $id) { location { ...Id } } } fragment Id on "
        "Location { id }"
    )
    assert desk.data(query, {"id": shop.level("MUG").gid})["inventoryLevel"] == {
        "location": {"id": shop.primary.gid}
    }


@pytest.mark.parametrize(
    ("scopes", "query", "field", "scope"),
    [
        ((), "{ products(first: 1) { nodes { id } } }", "products", "read_products"),
        ((), "{ locations(first: 1) { nodes { id } } }", "locations", "read_locations"),
        ((), '{ node(id: "gid://shopify/Location/1001") { id } }', "node", "read_locations"),
        ((), '{ nodes(ids: ["gid://shopify/Location/1001"]) { id } }', "nodes", "read_locations"),
        ((), "{ inventoryItems(first: 1) { nodes { id } } }", "inventoryItems", "read_inventory"),
        (
            ("read_products",),
            "{ productVariants(first: 1) { nodes { inventoryItem { id } } } }",
            "inventoryItem",
            "read_inventory",
        ),
    ],
)
def test_each_kind_of_object_needs_its_scope(
    desk, shop, scopes: tuple, query: str, field: str, scope: str
) -> None:
    shop.settings.scopes = scopes
    answer = desk.ask(query)
    assert (
        answer["errors"][0]["message"]
        == f"Access denied for {field} field. Required access: `{scope}` access scope."
    )
    assert answer["data"] in (None, {"node": None})


def test_writing_needs_the_writing_scope(desk, shop) -> None:
    shop.settings.scopes = ("read_products", "read_locations", "read_inventory")
    answer = desk.ask(ADJUST, {"key": "k", "input": adjustment([desk.change("MUG", -1)])})
    assert codes(answer) == ["ACCESS_DENIED"]
    assert shop.available("MUG") == 20


def test_a_field_denied_below_a_mutation_does_not_undo_it(desk, shop) -> None:
    shop.settings.scopes = ("write_inventory",)
    document = ADJUST.replace("location { id }", "location { name }")
    answer = desk.ask(document, {"key": "k", "input": adjustment([desk.change("MUG", -1)])})
    assert codes(answer) == ["ACCESS_DENIED", "ACCESS_DENIED"]
    assert (
        answer["data"]["inventoryAdjustQuantities"]["inventoryAdjustmentGroup"]["changes"][0][
            "location"
        ]
        is None
    )
    assert shop.available("MUG") == 19


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("{ products(first: 0) { nodes { id } } }", "first: 0"),
        ("{ products(last: 0) { nodes { id } } }", "last: 0"),
        ("{ nodes(ids: []) { id } }", "an empty list of ids"),
        (
            "{ location { inventoryLevels(first: 1) "
            "{ nodes { quantities(names: []) { name } } } } }",
            "an empty list of names",
        ),
        (
            "{ productVariants(first: 1, sortKey: POPULAR) { nodes { id } } }",
            "the order POPULAR of productVariants",
        ),
    ],
)
def test_what_nobody_has_seen_shopify_answer_is_refused(desk, query: str, what: str) -> None:
    answer = desk.ask(query)
    (error,) = answer["errors"]
    assert error["message"] == (
        f"The sandbox refuses {what}: nobody has seen what Shopify makes of it."
    )
    assert not any((answer["data"] or {}).values())
