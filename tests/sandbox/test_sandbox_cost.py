"""What operations cost: the figures of the published recordings."""

from __future__ import annotations

import pytest
from sandbox_desk import ADJUST, adjustment

from invsync.sandbox.cost import page_factor
from invsync.sandbox.execution import requested_cost
from invsync.sandbox.starting import generated_shop

LEVELS = """($l: ID!) { location(id: $l) { inventoryLevels(first: 250) {
    nodes { id updatedAt isActive item { id } quantities(names: ["available"]) { name quantity } }
    pageInfo { hasNextPage endCursor } } } }"""


def variants(inner: str) -> str:
    return f"{{ productVariants(first: 250) {{ nodes {{ id sku {inner} }} }} }}"


@pytest.mark.parametrize(
    ("n", "factor"),
    [
        (1, 1),
        (2, 1),
        (3, 2),
        (5, 3),
        (10, 4),
        (20, 5),
        (25, 6),
        (50, 7),
        (75, 8),
        (100, 9),
        (150, 10),
        (200, 10),
        (250, 11),
    ],
)
def test_a_page_of_n_nodes_is_charged_as_the_recordings_show(n: int, factor: int) -> None:
    assert page_factor(n) == factor
    assert (
        requested_cost("2026-10", f"{{ products(first: {n}) {{ nodes {{ id title }} }} }}")
        == 2 + factor
    )


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("query " + LEVELS, 36),
        (variants('inventoryItem { id tracked inventoryLevel(locationId: '
                  '"gid://shopify/Location/1") {'
                  ' quantities(names: ["available"]) { name quantity } } }'), 46),
        (variants("inventoryItem { id tracked inventoryLevels(first: 10) {"
                  ' nodes { location { id } quantities(names: ["available"]) { name quantity } } } '
                  '}'), 178),
        (variants("product { id } inventoryItem { id tracked inventoryLevels(first: 50) {"
                  ' nodes { location { id } quantities(names: ["available"]) { name quantity } } } '
                  '}'), 288),
        (ADJUST, 13),
        ("mutation { bulkOperationRunQuery(query: \"x\") { bulkOperation { id status } userErrors "
         "{ message } } }", 10),
        ("{ __typename }", 1),
        ("{ shop { name } }", 1),
        ("{ shop { name plan { displayName } } }", 2),
        ("{ products(first: 250) { pageInfo { hasNextPage } nodes { id } } }", 13),
        ("{ products(first: 250) { edges { cursor node { id } } } }", 13),
        ("{ products(first: 250) { edges { node { id } } nodes { id } } }", 24),
        ('query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Product { title } } }', 1),
        ('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { id variants(first: 250) { '
         'nodes { id } } }'
         " ... on InventoryItem { variant { id } } } }", 14),
        ("query ($n: Int = 10) { products(first: $n) { nodes { id } } }", 6),
        ("{ a: products(first: 1) { nodes { id } } b: products(first: 1) { nodes { id } } }", 6),
        ("{ products(first: 1) { nodes { ...F } } } fragment F on Product { variants(first: 1) { "
         "nodes { id } } }", 6),
    ],
)  # fmt: skip
def test_the_requested_cost_follows_the_published_rules(query: str, cost: int) -> None:
    assert requested_cost("2026-10", query) == cost


def test_the_requested_cost_knows_the_variables() -> None:
    query = "query ($n: Int!) { products(first: $n) { nodes { id } } }"
    assert requested_cost("2026-10", query, {"n": 1}) == 3
    assert requested_cost("2026-10", query, {"n": 250}) == 13


@pytest.mark.parametrize(
    ("products", "first", "actual"),
    [(62, 250, 5), (208, 250, 11), (1, 250, 2), (85, 100, 10), (250, 250, 13)],
)
def test_the_actual_cost_shrinks_with_what_came_back(
    clock, new_desk, products: int, first: int, actual: int
) -> None:
    desk = new_desk(generated_shop(products, 1, 1, now=clock))
    answer = desk.ask(f"{{ products(first: {first}) {{ nodes {{ id title }} }} }}")
    assert answer["extensions"]["cost"]["actualQueryCost"] == actual


def test_the_actual_cost_is_scaled_at_every_depth_and_never_above_the_requested(
    clock, new_desk
) -> None:
    desk = new_desk(generated_shop(10, 4, 1, now=clock))
    cost = desk.ask(
        "{ products(first: 250) { nodes { id variants(first: 100) { nodes { id } } } } }"
    )["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + 11 * (1 + 2 + 9)
    # Each product: 1 + (2 + 4 nodes of 100 at 9), ten of 250 products at 11.
    assert cost["actualQueryCost"] == round(2 + 11 * 10 / 250 * (1 + 2 + 9 * 4 / 100))


def test_a_mutation_that_changes_nothing_costs_ten(desk) -> None:
    desk.adjust(desk.change("PRINT-S", -1))
    desk.codes(desk.change("PRINT-S", -1), key="other", reason="bogus")
    spent = [json_cost(desk, change, key) for change, key in ((0, "zero"), (-1, "one"))]
    assert spent == [(13, 10), (13, 13)]


def json_cost(desk, delta: int, key: str) -> tuple[int, int]:
    given = {"key": key, "input": adjustment([desk.change("PRINT-S", delta)])}
    cost = desk.ask(ADJUST, given)["extensions"]["cost"]
    return cost["requestedQueryCost"], cost["actualQueryCost"]


def test_the_difference_is_refunded_at_once_and_the_bucket_refills(desk, clock) -> None:
    def available() -> int:
        status = desk.ask("{ shop { name } }")["extensions"]["cost"]["throttleStatus"]
        assert (status["maximumAvailable"], status["restoreRate"]) == (2000, 100)
        return int(status["currentlyAvailable"])

    assert available() == 1999
    cost = desk.ask("{ products(first: 250) { nodes { id } } }")["extensions"]["cost"]
    assert cost["throttleStatus"]["currentlyAvailable"] == 1999 - cost["actualQueryCost"]
    clock.pass_(0.01)
    before = available()
    clock.pass_(3600)
    assert (before, available()) == (1999 - cost["actualQueryCost"], 1999)


def test_what_the_bucket_cannot_pay_is_throttled_and_not_run(desk, shop) -> None:
    shop.account.bucket.available = 12.5
    answer = desk.ask("{ products(first: 250) { nodes { id } } }")
    assert answer["errors"] == [
        {
            "message": "Throttled",
            "extensions": {
                "code": "THROTTLED",
                "documentation": "https://shopify.dev/api/usage/rate-limits",
            },
        }
    ]
    assert "data" not in answer
    assert answer["extensions"]["cost"] == {
        "requestedQueryCost": 13,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 12, "restoreRate": 100},
    }


def test_a_throttled_adjustment_is_not_applied_and_leaves_its_key_new(desk, shop, clock) -> None:
    given = {"key": "k", "input": adjustment([desk.change("PRINT-S", -2)])}
    shop.account.bucket.available = 0
    assert desk.ask(ADJUST, given)["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert shop.available("PRINT-S") == 30
    clock.pass_(1)
    desk.adjust(desk.change("PRINT-S", -2), key="k")
    assert shop.available("PRINT-S") == 28


def test_a_query_of_more_than_a_thousand_points_is_refused(desk) -> None:
    levels = "inventoryItem { inventoryLevels(first: 250) { nodes { id } } }"
    variants = f"variants(first: 250) {{ nodes {{ {levels} }} }}"
    query = f"{{ products(first: 250) {{ nodes {{ {variants} }} }} }}"
    answer = desk.ask(query)
    (error,) = answer["errors"]
    requested = requested_cost("2026-10", query)
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert (error["extensions"]["cost"], error["extensions"]["maxCost"]) == (requested, 1000)
    assert "data" not in answer
    assert "extensions" not in answer


def test_the_bucket_is_as_large_as_the_settings_say(desk, shop, clock) -> None:
    shop.settings.bucket_size, shop.settings.restore_rate = 1000.0, 50.0
    clock.pass_(1)
    status = desk.ask("{ shop { name } }")["extensions"]["cost"]["throttleStatus"]
    assert status == {"maximumAvailable": 1000, "currentlyAvailable": 999, "restoreRate": 50}
