"""Bulk operations: what may be asked, how they live, what they leave, and how they go wrong."""

from __future__ import annotations

import gc
import json
import time
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
import requests

from invsync.sandbox.server import running
from invsync.sandbox.starting import generated_shop
from invsync.sandbox.transport import SandboxAdapter

RUN = """mutation ($query: String!, $grouped: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status } userErrors { code field message } } }"""

POLL = """query ($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl createdAt completedAt
  query type } }"""

PRODUCTS = """{ products(query: "product_type:'Print'") { edges { node { id title status
  variants { edges { node { id sku inventoryItem { tracked inventoryLevels { edges { node {
    id location { id } quantities(names: ["available"]) { name quantity } } } } } } } } } } } }"""


class Bulk:
    """Runs bulk operations at a desk."""

    def __init__(self, desk, clock) -> None:
        self.desk, self.clock = desk, clock

    def start(self, query: str = PRODUCTS, grouped: bool = False) -> dict:
        payload = self.desk.data(RUN, {"query": query, "grouped": grouped})["bulkOperationRunQuery"]
        assert (payload["bulkOperation"] is None) is bool(payload["userErrors"])
        return payload

    def poll(self, number: str) -> dict:
        return self.desk.data(POLL, {"id": number})["bulkOperation"]

    def finished(self, query: str = PRODUCTS, grouped: bool = False) -> dict:
        number = self.start(query, grouped)["bulkOperation"]["id"]
        self.clock.pass_(10)
        return self.poll(number)

    def fetch(self, url: str) -> tuple[int, list[dict]]:
        parts = urlsplit(url)
        self.desk.token = None
        answer = self.desk.send("GET", f"{parts.path}?{parts.query}")
        self.desk.token = "shpat_test"
        if answer.status != 200:
            return answer.status, []
        raw = answer.body if isinstance(answer.body, bytes) else answer.body.read_bytes()
        return 200, [json.loads(line) for line in raw.splitlines()]

    def lines(self, query: str = PRODUCTS, grouped: bool = False) -> list[dict]:
        operation = self.finished(query, grouped)
        status, lines = self.fetch(operation["url"])
        assert status == 200
        assert operation["objectCount"] == str(len(lines))
        assert operation["rootObjectCount"] == str(sum("__parentId" not in line for line in lines))
        return lines


@pytest.fixture
def bulk(desk, clock):
    return Bulk(desk, clock)


@pytest.fixture
def new_bulk(new_desk, clock):
    return lambda **options: Bulk(new_desk(**options), clock)


def refusal(bulk, query: str) -> str:
    errors = bulk.start(query)["userErrors"]
    assert {(error["code"], *error["field"]) for error in errors} == {("INVALID", "query")}
    return " ".join(error["message"] for error in errors)


# -- the life of an operation ----------------------------------------------------------------------


def test_an_operation_is_created_then_running_then_completed(bulk, clock) -> None:
    started = bulk.start()["bulkOperation"]
    assert started["status"] == "CREATED"
    clock.pass_(0.1)
    running_ = bulk.poll(started["id"])
    assert (running_["status"], running_["objectCount"], running_["url"]) == ("RUNNING", "0", None)
    assert running_["completedAt"] is None
    clock.pass_(0.2)
    done = bulk.poll(started["id"])
    assert (done["status"], done["errorCode"], done["partialDataUrl"]) == ("COMPLETED", None, None)
    assert (done["type"], done["query"]) == ("QUERY", PRODUCTS)
    assert int(done["fileSize"]) > 1000
    assert bulk.poll(started["id"]) == done


def test_starting_and_polling_cost_ten_points_and_one(bulk) -> None:
    cost = bulk.desk.ask(RUN, {"query": PRODUCTS})["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (10, 10)
    cost = bulk.desk.ask(POLL, {"id": "gid://shopify/BulkOperation/1"})["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 1


def test_the_result_is_the_shop_when_the_operation_ran(bulk, shop, clock) -> None:
    number = bulk.start()["bulkOperation"]["id"]
    shop.sell("PRINT-S", 3)
    clock.pass_(10)
    url = bulk.poll(number)["url"]
    shop.sell("PRINT-S", 3)
    (line,) = [line for line in bulk.fetch(url)[1] if line.get("sku") == "PRINT-S"]
    levels = [one for one in bulk.fetch(url)[1] if one.get("__parentId") == line["id"]]
    assert levels[0]["quantities"] == [{"name": "available", "quantity": 27}]


def test_no_more_than_five_run_at_once(bulk, clock) -> None:
    running = [bulk.start()["bulkOperation"]["id"] for _ in range(5)]
    (error,) = bulk.start()["userErrors"]
    assert (error["code"], error["field"]) == ("OPERATION_IN_PROGRESS", None)
    assert (
        error["message"] == "A bulk query operation for this app and shop is already in progress: "
        f"{', '.join(running)}."
    )
    clock.pass_(10)
    assert bulk.start()["bulkOperation"]


def test_operations_are_listed_and_found_by_status(bulk, clock) -> None:
    done = bulk.finished()["id"]
    fresh = bulk.start()["bulkOperation"]["id"]
    clock.pass_(0.1)

    def listed(query: str | None) -> list[str]:
        data = bulk.desk.data(
            "query ($q: String) { bulkOperations(first: 9, query: $q) { nodes { id } } }",
            {"q": query},
        )
        return [node["id"] for node in data["bulkOperations"]["nodes"]]

    assert listed(None) == [fresh, done], "the newest first, as recorded"
    assert listed("status:running operation_type:query") == [fresh]
    assert listed("status:COMPLETED") == [done]
    assert listed("operation_type:mutation") == []
    assert bulk.desk.data("{ currentBulkOperation { id } }") == {
        "currentBulkOperation": {"id": fresh}
    }
    data = bulk.desk.data(
        "query ($id: ID!) { node(id: $id) { ... on BulkOperation { status } } }", {"id": fresh}
    )
    assert data["node"] == {"status": "RUNNING"}


def test_an_operation_can_be_cancelled_while_it_runs(bulk, clock) -> None:
    cancel = """mutation ($id: ID!) { bulkOperationCancel(id: $id) {
        bulkOperation { status url completedAt } userErrors { field message } } }"""
    number = bulk.start()["bulkOperation"]["id"]
    payload = bulk.desk.data(cancel, {"id": number})["bulkOperationCancel"]
    assert payload == {
        "bulkOperation": {"status": "CANCELING", "url": None, "completedAt": None},
        "userErrors": [],
    }
    clock.pass_(1)
    assert bulk.poll(number)["status"] == "CANCELED"
    assert bulk.poll(number)["completedAt"] is None
    done = bulk.finished()["id"]
    assert bulk.desk.data(cancel, {"id": done})["bulkOperationCancel"]["userErrors"]
    missing = bulk.desk.data(cancel, {"id": "gid://shopify/BulkOperation/1"})["bulkOperationCancel"]
    assert missing["userErrors"] == [{"field": ["id"], "message": "Bulk operation does not exist"}]


def test_operations_survive_between_processes_and_results_as_long_as_who_made_them(
    tmp_path, new_bulk
) -> None:
    path = tmp_path / "sandbox.json"
    number = new_bulk(home=path).start()["bulkOperation"]["id"]
    looking = new_bulk(home=path)
    looking.clock.pass_(10)
    url = looking.poll(number)["url"]
    assert new_bulk(home=path).fetch(url)[1]
    del looking
    gc.collect()
    later = new_bulk(home=path)
    assert later.poll(number)["status"] == "COMPLETED"
    assert later.fetch(url) == (404, [])


# -- the result ------------------------------------------------------------------------------------


def test_children_name_the_node_that_they_hang_on(bulk, shop) -> None:
    lines = bulk.lines()
    product = shop.product("Gallery edition")
    assert {"id": product.gid, "title": "Gallery edition", "status": "ACTIVE"} in lines
    variant = shop.variant("GALLERY-L")
    assert {
        "id": variant.gid,
        "sku": "GALLERY-L",
        "inventoryItem": {"tracked": True},
        "__parentId": product.gid,
    } in lines
    level = shop.level("GALLERY-L", "Till")
    assert {
        "id": level.gid,
        "location": {"id": level.location.gid},
        "quantities": [{"name": "available", "quantity": 9}],
        "__parentId": variant.gid,
    } in lines
    assert all(line.get("__parentId") != shop.variant("GALLERY-XL").gid for line in lines), (
        "inactive levels are hidden"
    )


@pytest.mark.parametrize("order", ["grouped", "apart", "shuffled"])
def test_in_any_order_parents_come_before_their_children(bulk, shop, order: str) -> None:
    shop.settings.bulk_order = order
    lines = bulk.lines()
    seen: set[str] = set()
    for line in lines:
        assert line.get("__parentId") in seen | {None}
        seen.add(line["id"])
    kinds = [line["id"].split("/")[3] for line in lines]
    blocks = sum(one != other for one, other in pairwise(kinds))
    assert (blocks == 2) is (order == "apart")
    grouped = bulk.lines(grouped=True)
    assert sorted(line["id"] for line in grouped) == sorted(line["id"] for line in lines)
    assert (grouped == lines) is (order == "grouped")
    assert grouped[1]["__parentId"] == grouped[0]["id"]


def test_paging_arguments_are_ignored_and_filters_are_not(bulk, shop) -> None:
    lines = bulk.lines(
        '{ products(first: 2, query: "status:archived") { edges { cursor node { id } } pageInfo { '
        "hasNextPage } } }"
    )
    assert lines == [{"id": shop.product("Old town (archived)").gid}]
    assert len(bulk.lines("{ products(first: 1) { edges { node { id } } } }")) == len(shop.products)
    assert len(bulk.lines("{ locations(includeInactive: true) { edges { node { id } } } }")) == 3


def test_aliases_fragments_and_single_objects_are_read(bulk, shop) -> None:
    lines = bulk.lines(
        """{ productVariants(query: "sku:MUG") { edges { node { id __typename code: sku ...P
            inventoryItem { inventoryLevel(locationId: "TILL") { isActive } } } } } }
            fragment P on ProductVariant { product { id tags }
              selectedOptions { name } }""".replace("TILL", shop.location("Till").gid)
    )
    assert lines == [
        {
            "id": shop.variant("MUG").gid,
            "__typename": "ProductVariant",
            "code": "MUG",
            "product": {"id": shop.product("Mug").gid, "tags": ["shared-stock"]},
            "selectedOptions": [{"name": "Title"}],
            "inventoryItem": {"inventoryLevel": {"isActive": True}},
        }
    ]


def test_one_object_at_the_top_gives_the_nodes_of_its_connection(bulk, shop) -> None:
    till = shop.location("Till")
    lines = bulk.lines(
        f'{{ location(id: "{till.gid}") {{ inventoryLevels {{ edges {{ node {{ id }} }} }} }} }}'
    )
    assert [line["id"] for line in lines] == [
        level.gid for level in shop.levels.values() if level.location is till
    ]


def test_a_result_without_objects_has_no_url(bulk) -> None:
    done = bulk.finished('{ products(query: "tag:nothing") { edges { node { id } } } }')
    assert (done["status"], done["objectCount"], done["url"]) == ("COMPLETED", "0", None)


def test_a_url_works_without_a_token_and_for_seven_days(bulk, clock) -> None:
    done = bulk.finished()
    assert bulk.fetch(done["url"].replace("Signature=", "Signature=0"))[0] == 403
    assert bulk.fetch(done["url"].replace("bulk-", "bulk-9"))[0] == 404
    assert bulk.fetch(done["url"].partition("?")[0])[0] == 403
    clock.pass_(604_000)
    assert bulk.fetch(done["url"])[0] == 200
    clock.pass_(1_000)
    assert bulk.fetch(done["url"])[0] == 403
    assert (bulk.poll(done["id"])["status"], bulk.poll(done["id"])["url"]) == ("EXPIRED", None)


@pytest.mark.parametrize("door", ["in the process", "over HTTP"])
def test_a_result_is_streamed_through_both_doors(shop, clock, door: str) -> None:
    def run(session: requests.Session, url: str) -> list[bytes]:
        session.headers["X-Shopify-Access-Token"] = "t"
        api = f"{url}/admin/api/2026-10/graphql.json"
        body = {"query": RUN, "variables": {"query": PRODUCTS}}
        started = session.post(api, json=body, timeout=10).json()["data"]["bulkOperationRunQuery"][
            "bulkOperation"
        ]
        clock.pass_(10)
        body = {"query": POLL, "variables": {"id": started["id"]}}
        done = session.post(api, json=body, timeout=10).json()["data"]["bulkOperation"]
        assert done["url"].startswith(f"{url}/")
        del session.headers["X-Shopify-Access-Token"]
        with session.get(done["url"], stream=True, timeout=10) as response:
            lines = list(response.iter_lines())
        assert len(lines) == int(done["objectCount"])
        return lines

    with requests.Session() as session:
        if door == "in the process":
            address = "https://sandbox.myshopify.com"
            session.mount(address, SandboxAdapter(shop, now=clock))
            assert run(session, address)
        else:
            with running(shop, now=clock) as served:
                assert run(session, served.url)


# -- what may not be asked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ products(first: 1) { nodes { id } } }",
         "All connection fields in a bulk query must select their contents using "
         "'edges' > 'node', e.g: "
         "'products { edges { node {'. Selecting via "
         "'nodes' is not supported. Invalid connection fields: 'products'."),
        ("{ shop { name } }", "Bulk queries must contain at least one connection."),
        ('{ node(id: "gid://shopify/Product/1") { id } }',
         "Bulk queries cannot contain a top level `node` field. Bulk queries must contain at "
         "least one connection."),
        ('{ nodes(ids: ["gid://shopify/Product/1"]) { id } }',
         "Bulk queries cannot contain a top level `nodes` field."),
        (
            "{ a: products { edges { node { id } } } b: products { edges { node { id } } } }",
            "Invalid bulk query: only one top-level field is allowed.",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field without an "
            "alias",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field without an "
            "alias and must be of 'ID' return type. Connection fields without 'id': products.",
        ),
        (
            "{ products { edges { node { key: id variants { edges { node { id } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field without an "
            "alias",
        ),
        ("mutation { bulkOperationCancel(id: \"x\") { userErrors { message } } "
         "}", "Invalid bulk query: it must"),
        ("query ($q: String) { products(query: $q) { edges { node { id } } } }",
         "Invalid bulk query: variables"),
        ("{ products { edges { node { colour } } } }", "Invalid bulk query: Cannot query field "
                                                       "'colour'"),
        ("{ products {", "Invalid bulk query: Syntax Error"),
        (
            "{ products { edges { node { id variants { edges { node { id inventoryItem { "
            "inventoryLevels { edges {"
            " node { id item { variants { edges { node { id } } } } } } } } } } } } } } }",
            "Bulk queries cannot contain connections nested more than 2 levels deep.",
        ),
        (
            "{ products { edges { node { id " + " ".join(
                f"v{n}: variants {{ edges {{ node {{ id }} }} }}" for n in range(5)) + " } } } }",
            "Bulk queries cannot contain more than 5 connections.",
        ),
        ("{ products { edges { node { id } } } } #" + "x" * 65_535,
         "Query is too large (65575 bytes; maximum is 65535 bytes)"),
    ],
)  # fmt: skip
def test_a_query_that_breaks_the_rules_is_refused(bulk, query: str, message: str) -> None:
    assert refusal(bulk, query).startswith(message)


def test_a_missing_scope_fails_the_operation(bulk, shop) -> None:
    shop.settings.scopes = ("read_products",)
    done = bulk.finished()
    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "ACCESS_DENIED", None)


# -- how it goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["FAILED", "CANCELED", "EXPIRED"])
@pytest.mark.parametrize("partial", [True, False])
def test_an_operation_can_end_badly_with_or_without_a_part(
    new_bulk, ends: str, partial: bool
) -> None:
    bulk = new_bulk(faults=[{"fault": "bulk_ends", "ends": ends, "partial": partial, "times": 1}])
    bad, good = bulk.finished(), bulk.finished()
    assert bad["status"] == ends
    assert (bad["errorCode"] is not None) is (ends == "FAILED")
    assert (bad["partialDataUrl"] is not None) is (partial and ends == "FAILED")
    assert (bad["url"] is not None) is (partial and ends == "CANCELED"), "as recorded"
    if part := bad["partialDataUrl"] or bad["url"]:
        status, lines = bulk.fetch(part)
        assert (status, len(lines)) == (200, int(good["objectCount"]) // 2)
    assert good["status"] == "COMPLETED"


@pytest.mark.parametrize("search", ["updated_at:>=yesterday", "tag:>x", "updated_at:>", " "])
def test_a_search_that_is_refused_elsewhere_starts_no_operation(bulk, search: str) -> None:
    payload = bulk.start(f'{{ products(query: "{search}") {{ edges {{ node {{ id }} }} }} }}')
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["query"])
    assert error["message"].startswith("Invalid bulk query: the sandbox refuses ")


def test_another_apps_operations_can_fill_every_place(new_bulk, clock) -> None:
    bulk = new_bulk(faults=[{"fault": "bulk_busy", "seconds": 60, "times": 1}])
    assert bulk.start()["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    clock.pass_(59)
    assert bulk.start()["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    assert (
        bulk.desk.data("{ bulkOperations(first: 9) { nodes { id } } }")["bulkOperations"]["nodes"]
        == []
    )
    clock.pass_(1)
    assert bulk.start()["bulkOperation"]


def test_a_completed_operation_can_lack_its_url(new_bulk) -> None:
    done = new_bulk(faults=[{"fault": "bulk_no_url"}]).finished()
    assert (done["status"], done["url"]) == ("COMPLETED", None)
    assert int(done["objectCount"]) > 10


def test_a_url_can_be_expired_when_it_is_given_out(new_bulk) -> None:
    bulk = new_bulk(
        faults=[{"fault": "bulk_url_expired", "operation": "bulkOperation", "times": 1}]
    )
    done = bulk.finished()
    assert bulk.fetch(done["url"])[0] == 403
    assert bulk.fetch(bulk.poll(done["id"])["url"])[0] == 200


def test_a_result_can_be_cut_short(new_bulk) -> None:
    bulk = new_bulk(
        faults=[{"fault": "truncated", "operation": "bulk_result", "silent": True, "at": 100}]
    )
    done = bulk.finished()
    parts = urlsplit(done["url"])
    answer = bulk.desk.send("GET", f"{parts.path}?{parts.query}")
    assert (len(answer.body), answer.truncate_at) == (100, None)


def test_a_large_result_takes_little_time(clock, new_bulk) -> None:
    bulk = new_bulk(home=generated_shop(5_000, 4, 1, now=clock))
    number = bulk.start()["bulkOperation"]["id"]
    clock.pass_(10)
    started = time.process_time()
    assert bulk.poll(number)["objectCount"] == str(5_000 * 9)
    assert time.process_time() - started < 3


def test_bulk_operations_and_requests_read_the_same_shop(bulk, shop) -> None:
    """The lean reader and graphql-core's executor can't drift apart: one query, both ways."""
    shop.retitle("Mug", "マグ “☕”")
    node = """id title productType tags status isGiftCard totalInventory createdAt
      variantsCount { count }
      variants(first: 250) { edges { node { id sku position displayName requiresComponents
        selectedOptions { name value }
        inventoryItem { id tracked updatedAt
          inventoryLevel(locationId: "HERE") { isActive item { sku }
            quantities(names: ["available", "on_hand"]) { id name quantity updatedAt } } } } } }"""
    query = "{ products(first: 250) { edges { node { NODE } } } }".replace("NODE", node)
    query = query.replace("HERE", shop.primary.gid)
    paged = []
    for edge in bulk.desk.data(query)["products"]["edges"]:
        product = edge["node"]
        variants = product.pop("variants")["edges"]
        paged.append(product)
        paged += [{**variant["node"], "__parentId": product["id"]} for variant in variants]
    assert bulk.lines(query, grouped=True) == paged


def test_what_groups_listings_stands_beside_what_they_read(bulk, shop) -> None:
    shop.set_metafield("MUG", "custom.stock_pool", "mugs")
    url = bulk.finished(
        f"""{{ productVariants(query: "tag:'shared-stock'") {{ edges {{ node {{
            id selectedOptions {{ name value }} inventoryPolicy
            pool: metafield(namespace: "custom", key: "stock_pool") {{ value }}
            product {{ productType tags }}
            inventoryItem {{ sku inventoryLevel(locationId: "{shop.primary.gid}") {{
                quantities(names: ["available", "on_hand"]) {{ name quantity }} }} }} }} }} }} }}"""
    )["url"]
    rows = {row["inventoryItem"]["sku"]: row for row in bulk.fetch(url)[1]}
    assert rows["MUG"]["pool"] == {"value": "mugs"}
    assert rows["PRINT-S"]["pool"] is None
    assert rows["PRINT-S"]["selectedOptions"] == [{"name": "Size", "value": "S"}]
    assert rows["PRINT-S"]["inventoryItem"]["inventoryLevel"]["quantities"] == [
        {"name": "available", "quantity": 30},
        {"name": "on_hand", "quantity": 30},
    ]
