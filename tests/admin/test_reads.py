"""Reading by answers that a test writes.

What is gone, what does not go on, and what no level reads so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from requests import PreparedRequest

from invsync.admin import paging
from invsync.admin.auth import AccessToken
from invsync.admin.bulk import BulkFailed, bulk_items, bulk_products
from invsync.admin.changes import changed_levels, changed_products
from invsync.admin.client import Client
from invsync.admin.levels import find_items, find_products, read_items, read_products
from invsync.admin.nodes import DEEPEST_PAGES, Quantities
from invsync.admin.shop import read_shop
from invsync.errors import ShopError
from tests.admin.test_client import FakeClock

SHOP = "a.myshopify.com"
GRAPHQL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
RESULT = "https://storage.googleapis.com/result.jsonl"

#: What the shop answers to an operation: its data, or a whole body.
Says = Callable[[str, dict[str, Any]], Any]


class Desk:
    """A shop that answers as a test says."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.says: dict[str, Any] = {}
        mock.add_callback("POST", GRAPHQL, self._answer)
        self.client = Client(
            endpoint=f"https://{SHOP}",
            api_version="2026-10",
            credentials=AccessToken("shpat_x"),
            session=requests.Session(),
            clock=FakeClock(),
        )

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    def _answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent = json.loads(request.body or "")
        operation = sent["query"].partition("(")[0].split()[-1].strip("{ \n")
        self.asked.append((operation, sent["variables"]))
        said = self.says[operation]
        data = said(sent["variables"]) if callable(said) else said
        body = data if isinstance(data, dict) and "errors" in data else {"data": data}
        return 200, {}, json.dumps(body)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def desk(mock: responses.RequestsMock) -> Desk:
    return Desk(mock)


def quantities(available: Any = 30, **others: Any) -> dict[str, Any]:
    named = [{"name": "available", "quantity": available}]
    return {
        "quantities": named + [{"name": name, "quantity": units} for name, units in others.items()]
    }


def info(cursor: str | None = None) -> dict[str, Any]:
    return {"hasNextPage": cursor is not None, "endCursor": cursor}


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/InventoryItem/{number}",
        "sku": f"S{number}",
        "tracked": True,
        "inventoryLevel": quantities(),
        **fields,
    }


def variant(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "title": "A4",
        "requiresComponents": False,
        "inventoryItem": item(number),
        **fields,
    }


def product(number: int, variants: list[Any], cursor: str | None = None) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Product/{number}",
        "title": f"Print {number}",
        "productType": "Print",
        "tags": [],
        "status": "ACTIVE",
        "isGiftCard": False,
        "variants": {"nodes": variants, "pageInfo": info(cursor)},
    }


def spread(number: int, cursor: str | None = None) -> dict[str, Any]:
    """An item with its levels at all locations."""
    levels = [{"location": {"id": PLACE}, **quantities()}]
    fields = {key: value for key, value in item(number).items() if key != "inventoryLevel"}
    return {**fields, "inventoryLevels": {"nodes": levels, "pageInfo": info(cursor)}}


def of_product(number: int) -> dict[str, Any]:
    return {key: value for key, value in product(number, []).items() if key != "variants"}


ONE, TWO = "gid://shopify/Product/1", "gid://shopify/Product/2"
PLACE = "gid://shopify/Location/1"
ITEM, OTHER = "gid://shopify/InventoryItem/1", "gid://shopify/InventoryItem/2"


# Gone


def test_a_product_that_vanishes_while_it_is_read_by_id_is_gone(desk: Desk) -> None:
    desk.says = {
        "ReadProducts": {"nodes": [product(1, [variant(1)], "more"), product(2, [variant(2)])]},
        "MoreVariants": {"product": None},
    }
    found = read_products(desk.client, [ONE, TWO], PLACE)
    assert found[ONE] == ()
    assert len(found[TWO]) == 1


def test_a_product_that_vanishes_in_a_scan_is_not_found(desk: Desk) -> None:
    desk.says = {
        "FindProducts": {
            "products": {
                "nodes": [product(1, [variant(1)], "more"), product(2, [variant(2)])],
                "pageInfo": {"hasNextPage": False},
            }
        },
        "MoreVariants": {"product": None},
    }
    found = list(find_products(desk.client, "", PLACE))
    assert [listing.product.id for listing in found] == [TWO]


def test_an_item_that_vanishes_while_it_is_read_by_id_is_gone(desk: Desk) -> None:
    shown = {
        "nodes": [{**variant(1), "product": of_product(1)}],
    }
    desk.says = {
        "ReadItems": {
            "nodes": [{**spread(1, "more"), "variants": shown}, {**spread(2), "variants": shown}]
        },
        "MoreLevels": {"inventoryItem": None},
    }
    found = read_items(desk.client, [ITEM, OTHER], 1)
    assert found[ITEM] == ()
    assert [one.items[0].levels for one in found[OTHER]] == [{PLACE: Quantities(30)}]


def test_an_item_that_vanishes_in_a_scan_is_not_found(desk: Desk) -> None:
    desk.says = {
        "FindItems": {
            "productVariants": {
                "nodes": [
                    {**variant(1, inventoryItem=spread(1, "more")), "product": of_product(1)},
                    {**variant(2, inventoryItem=spread(2)), "product": of_product(1)},
                ],
                "pageInfo": {"hasNextPage": False},
            }
        },
        "MoreLevels": {"inventoryItem": None},
    }
    found = list(find_items(desk.client, "", 1))
    assert [listing.items[0].id for listing in found] == [OTHER]


def test_a_location_that_vanishes_shows_no_changes(desk: Desk) -> None:
    desk.says = {"ChangedLevels": {"location": None}}
    assert list(changed_levels(desk.client, [PLACE], "2026-11-22T12:00:00Z")) == []


def test_a_product_that_vanishes_from_the_feed_is_shown_with_what_was_read_of_it(
    desk: Desk,
) -> None:
    desk.says = {
        "ChangedProducts": {
            "products": {
                "nodes": [product(1, [variant(1)], "more")],
                "pageInfo": {"hasNextPage": False},
            }
        },
        "MoreVariants": {"product": None},
    }
    ((shown, items),) = changed_products(desk.client, "2026-11-22T12:00:00Z", items_at=PLACE)
    assert (shown.id, items) == (ONE, (ITEM,))


@pytest.mark.parametrize("answer", [{}, {"product": []}, {"product": {"variants": None}}])
def test_what_is_misshapen_is_not_gone(answer: Any, desk: Desk) -> None:
    desk.says = {
        "ReadProducts": {"nodes": [product(1, [variant(1)], "more")]},
        "MoreVariants": answer,
    }
    with pytest.raises(ShopError, match=r"MoreVariants.*not the shape"):
        read_products(desk.client, [ONE], PLACE)


# Pages that do not go on

SINCE = "2026-11-22T12:00:00Z"
LOCATION = {"id": PLACE, "name": "W", "isActive": True, "isFulfillmentService": False}


def endless(
    cursor: Callable[[int], str],
) -> dict[str, tuple[dict[str, Any], Callable[[Client], Any]]]:
    """Every walk by cursors: what the shop says, the cursors being those of a test.

    And who walks.
    """
    count = iter(range(10**6))

    def page(nodes: list[Any]) -> dict[str, Any]:
        return {"nodes": nodes, "pageInfo": info(cursor(next(count)))}

    changed = [{"item": {"id": ITEM}, **quantities()}]
    shop = {"id": "gid://shopify/Shop/1", "myshopifyDomain": SHOP}
    return {
        "Shop": (
            {
                "Shop": lambda _: {
                    "shop": shop,
                    "location": LOCATION,
                    "locations": page([LOCATION]),
                }
            },
            read_shop,
        ),
        "MoreVariants": (
            {
                "ReadProducts": {"nodes": [product(1, [variant(1)], "first")]},
                "MoreVariants": lambda _: {"product": {"variants": page([variant(1)])}},
            },
            lambda client: read_products(client, [ONE], PLACE),
        ),
        "MoreLevels": (
            {
                "ReadItems": {
                    "nodes": [
                        {**spread(1, "first"), "variants": {"nodes": []}},
                    ]
                },
                "MoreLevels": lambda _: {
                    "inventoryItem": {
                        "inventoryLevels": page([{"location": {"id": PLACE}, **quantities()}])
                    }
                },
            },
            lambda client: read_items(client, [ITEM], 1),
        ),
        "ChangedLevels": (
            {"ChangedLevels": lambda _: {"location": {"inventoryLevels": page(changed)}}},
            lambda client: list(changed_levels(client, [PLACE], SINCE)),
        ),
        "ChangedLevelsEverywhere": (
            {
                "ChangedLevelsEverywhere": lambda _: {
                    "locations": page(
                        [{"id": PLACE, "inventoryLevels": {"nodes": [], "pageInfo": info()}}]
                    )
                }
            },
            lambda client: list(changed_levels(client, [PLACE, f"{PLACE}0"], SINCE)),
        ),
    }


WALKS = ["Shop", "MoreVariants", "MoreLevels", "ChangedLevels", "ChangedLevelsEverywhere"]


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize(
    ("cursor", "most"),
    [
        (lambda n: "same", 3),
        (lambda n: f"one of two {n % 2}", 4),
        (lambda n: f"new {n}", DEEPEST_PAGES + 3),
    ],
    ids=["the same", "in turns", "always new"],
)
def test_a_walk_whose_cursor_does_not_go_on_ends(
    walk: str, cursor: Callable[[int], str], most: int, desk: Desk
) -> None:
    desk.says, ask = endless(cursor)[walk]
    with pytest.raises(ShopError, match=f"{walk}.*does not go on"):
        ask(desk.client)
    assert len(desk.asked) <= most


@pytest.mark.parametrize("walk", WALKS)
def test_a_page_that_goes_on_but_has_no_cursor_is_misshapen(walk: str, desk: Desk) -> None:
    desk.says, ask = endless(lambda n: "x")[walk]
    answer = {name: _no_cursor(said) for name, said in desk.says.items()}
    desk.says = answer
    with pytest.raises(ShopError, match=r"does not go on|not the shape"):
        ask(desk.client)
    assert len(desk.asked) <= 2


def _no_cursor(said: Any) -> Any:
    def without(variables: Any) -> Any:
        text = json.dumps(said(variables) if callable(said) else said)
        return json.loads(text.replace('"endCursor": "x"', '"endCursor": null'))

    return without


def test_a_scan_whose_ids_do_not_go_on_ends(desk: Desk) -> None:
    desk.says = {
        "FindProducts": {
            "products": {"nodes": [product(1, [variant(1)])], "pageInfo": {"hasNextPage": True}}
        }
    }
    with pytest.raises(ShopError, match=r"FindProducts.*does not go on"):
        list(find_products(desk.client, "", PLACE))
    assert [variables["query"] for _, variables in desk.asked] == [None, "id:>1"]


# Witnesses


@pytest.mark.parametrize(
    ("read", "quantities"),
    [
        (quantities(5, on_hand=7, committed=2), Quantities(5, 7, 2)),
        (quantities(-3, on_hand=0, committed=3), Quantities(-3, 0, 3)),
        (quantities(5), Quantities(5)),
        (quantities(5, committed=2), Quantities(5, None, 2)),
        (quantities(5, incoming=9, on_hand=6), Quantities(5, 6)),
        (
            {"quantities": list(reversed(quantities(5, on_hand=7, committed=2)["quantities"]))},
            Quantities(5, 7, 2),
        ),
    ],
)
def test_what_a_level_reads(read: Any, quantities: Quantities, desk: Desk) -> None:
    node = variant(1, inventoryItem=item(1, inventoryLevel=read))
    desk.says = {"ReadProducts": {"nodes": [product(1, [node])]}}
    (listing,) = read_products(desk.client, [ONE], PLACE)[ONE]
    assert listing.items[0].levels == {PLACE: quantities}


@pytest.mark.parametrize(
    "read",
    [
        {"quantities": []},
        {"quantities": None},
        {"quantities": [{"name": "on_hand", "quantity": 5}]},
        {"quantities": [{"quantity": 5}]},
        quantities(None),
        quantities("5"),
        quantities(5.0),
        quantities(True),
        quantities(10**30),
        quantities(5, on_hand="7"),
        {"quantities": [{"name": "available", "quantity": 5, "updatedAt": "yesterday"}]},
        {"quantities": [{"name": "available", "quantity": 5, "updatedAt": "2026-11-22T12:00:00"}]},
        {},
        [],
        5,
    ],
)
def test_what_is_no_reading_of_a_level(read: Any, desk: Desk) -> None:
    node = variant(1, inventoryItem=item(1, inventoryLevel=read))
    desk.says = {"ReadProducts": {"nodes": [product(1, [node])]}}
    with pytest.raises(ShopError, match="not the shape"):
        read_products(desk.client, [ONE], PLACE)


def test_a_witness_that_is_null_is_not_known(desk: Desk) -> None:
    read = quantities(5, on_hand=None, committed=2)
    node = variant(1, inventoryItem=item(1, inventoryLevel=read))
    desk.says = {"ReadProducts": {"nodes": [product(1, [node])]}}
    (listing,) = read_products(desk.client, [ONE], PLACE)[ONE]
    assert listing.items[0].levels == {PLACE: Quantities(5, None, 2)}


def test_every_document_that_reads_a_level_asks_for_its_witnesses() -> None:
    names = 'quantities(names: ["available", "on_hand", "committed"])'
    texts = [path.read_text("utf-8") for path in Path(paging.__file__).parent.glob("*.graphql")]
    reading = [text for text in texts if "quantities(" in text]
    assert len(reading) == 13
    assert all(text.count("quantities(") == text.count(names) for text in reading)


# Bulk operations


def started(*errors: Any, operation: Any = ...) -> dict[str, Any]:
    given = {"id": "gid://shopify/BulkOperation/1"} if operation is ... else operation
    return {"bulkOperationRunQuery": {"bulkOperation": given, "userErrors": [*errors]}}


def ended(status: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    operation = {"status": status, "errorCode": None, "objectCount": "1", "url": RESULT, **fields}
    return {"bulkOperation": operation}


def bulk(desk: Desk) -> list[Any]:
    return list(bulk_products(desk.client, "", PLACE, lambda what, done, total: None))


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        (
            [{"code": None, "field": None, "message": ""}, {"code": "INVALID", "message": "Bad."}],
            "operation: Bad. (INVALID)",
        ),
        (
            [{"code": "INVALID", "message": "One."}, {"code": "INVALID", "message": "Two."}],
            "operation: One. (INVALID); Two. (INVALID)",
        ),
        ([{"code": "INVALID", "message": "One."}] * 2, "operation: One. (INVALID)"),
        ([{"code": "LIMIT_REACHED", "message": None}], "operation: (LIMIT_REACHED)"),
        ([{}], "operation: it gives no reason"),
    ],
)
def test_all_that_the_refusal_of_a_bulk_operation_says_is_shown(
    errors: list[Any], says: str, desk: Desk
) -> None:
    desk.says = {"StartBulk": started(*errors, operation=None)}
    with pytest.raises(BulkFailed) as failed:
        bulk(desk)
    assert str(failed.value).endswith(says)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"bulkOperation": None}, "is gone"),
        (ended("CANCELED"), "ended as CANCELED"),
        (ended("FAILED", errorCode="ACCESS_DENIED"), "ended as FAILED, ACCESS_DENIED"),
        (ended("EXPIRED"), "ended as EXPIRED"),
        (ended("completed"), "ended as completed"),
        (ended(url=None), "counted 1 objects, but gave no file"),
        (ended(objectCount="0"), "more than the 0 objects"),
        (ended(objectCount="2"), "after 1 of 2"),
        (ended(url=""), "not https"),
        (ended(url="http://evil\\@127.0.0.1/"), "not https"),
    ],
)
def test_a_bulk_operation_that_does_not_deliver_is_no_reading(
    status: Any, says: str, desk: Desk, mock: responses.RequestsMock
) -> None:
    row = {key: value for key, value in product(1, []).items() if key != "variants"}
    mock.get(RESULT, body=json.dumps(row))
    desk.says = {"StartBulk": started(), "BulkStatus": status}
    with pytest.raises(BulkFailed, match=says):
        bulk(desk)


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"bulkOperation": []},
        ended(objectCount=1),
        ended(objectCount="many"),
        ended(objectCount=None),
        ended(status=None),
        ended(url=5),
    ],
)
def test_a_misshapen_status_is_not_gone(status: Any, desk: Desk) -> None:
    desk.says = {"StartBulk": started(), "BulkStatus": status}
    with pytest.raises(ShopError, match=r"BulkStatus.*not the shape") as failed:
        bulk(desk)
    assert not isinstance(failed.value, BulkFailed)


@pytest.mark.parametrize("count", ["0", "00"])
def test_nothing_that_was_counted_as_nothing_is_nothing(
    count: str, desk: Desk, mock: responses.RequestsMock
) -> None:
    mock.get(RESULT, body="")
    desk.says = {"StartBulk": started(), "BulkStatus": ended(objectCount=count)}
    assert bulk(desk) == []


def test_half_a_character_in_a_bulk_result_is_mended(
    desk: Desk, mock: responses.RequestsMock
) -> None:
    row = {**of_product(1), "title": "Print \ud83d"}
    mock.get(RESULT, body=json.dumps(row))
    desk.says = {"StartBulk": started(), "BulkStatus": ended()}
    (listing,) = bulk(desk)
    assert listing.product.title == "Print ?"


# Ids

SHOP_ID, VARIANT = "gid://shopify/Shop/1", "gid://shopify/ProductVariant/1"
PRODUCT_ROWS = [of_product(1), {**variant(1), "__parentId": ONE}]
ITEM_ROWS = [
    {
        **{key: value for key, value in variant(1).items() if key != "inventoryItem"},
        "product": of_product(1),
        "inventoryItem": {"id": ITEM, "sku": "S1", "tracked": True},
    },
    {
        "id": "gid://shopify/InventoryLevel/1?inventory_item_id=1",
        "location": {"id": PLACE},
        "__parentId": ITEM,
        **quantities(),
    },
]
#: Every reading: what the shop says (of a bulk operation: the rows), who reads, and which ids.
READINGS: dict[str, tuple[dict[str, Any] | list[Any], Callable[[Client], Any], set[str]]] = {
    "Shop": (
        {
            "Shop": {
                "shop": {"id": SHOP_ID, "myshopifyDomain": SHOP},
                "location": LOCATION,
                "locations": {"nodes": [LOCATION], "pageInfo": info()},
            }
        },
        read_shop,
        {SHOP_ID, PLACE},
    ),
    "FindProducts": (
        {"FindProducts": {"products": {"nodes": [product(1, [variant(1)])], "pageInfo": info()}}},
        lambda client: list(find_products(client, "", PLACE)),
        {ONE, ITEM},
    ),
    "FindItems": (
        {
            "FindItems": {
                "productVariants": {
                    "nodes": [
                        {
                            **variant(1),
                            "product": of_product(1),
                            "inventoryItem": {**spread(1), "variants": {"nodes": []}},
                        }
                    ],
                    "pageInfo": info(),
                }
            }
        },
        lambda client: list(find_items(client, "", 1)),
        {ONE, ITEM, PLACE, VARIANT},
    ),
    "ReadProducts": (
        {"ReadProducts": {"nodes": [product(1, [variant(1)])]}},
        lambda client: read_products(client, [ONE], PLACE),
        {ONE, ITEM},
    ),
    "ReadItems": (
        {
            "ReadItems": {
                "nodes": [
                    {
                        **spread(1),
                        "variants": {"nodes": [{**variant(1), "product": of_product(1)}]},
                    }
                ]
            }
        },
        lambda client: read_items(client, [ITEM], 1),
        {ONE, ITEM, PLACE},
    ),
    "ChangedProducts": (
        {
            "ChangedProducts": {
                "products": {"nodes": [product(1, [variant(1)])], "pageInfo": info()}
            }
        },
        lambda client: list(changed_products(client, SINCE, items_at=PLACE)),
        {ONE, ITEM},
    ),
    "ChangedLevels": (
        {
            "ChangedLevels": {
                "location": {
                    "inventoryLevels": {
                        "nodes": [{"item": {"id": ITEM}, **quantities()}],
                        "pageInfo": info(),
                    }
                }
            }
        },
        lambda client: list(changed_levels(client, [PLACE], SINCE)),
        {ITEM},
    ),
    "bulk products": (
        PRODUCT_ROWS,
        lambda client: list(bulk_products(client, "", PLACE, lambda what, done, total: None)),
        {ONE, ITEM},
    ),
    "bulk items": (
        ITEM_ROWS,
        lambda client: list(bulk_items(client, "", lambda what, done, total: None)),
        {ONE, ITEM, PLACE},
    ),
}
NO_IDS = [
    "{kind}/0",
    "{kind}/",
    "{kind}/1?inventory_item_id=1",
    "{kind}/01",
    "{kind}/1_0",
    "{kind}/" + 30 * "9",
    "{kind}/1\n",
    "{kind}/\u0663",
    " {kind}/1",
    "gid://shopify/Metafield/1",
    "1",
    "",
    None,
    1,
]


def with_id(said: Any, gid: str, other: Any) -> Any:
    """The answer with another id in place of one."""
    return json.loads(json.dumps(said).replace(json.dumps(gid), json.dumps(other)))


@pytest.mark.parametrize("other", NO_IDS)
@pytest.mark.parametrize(
    ("reading", "gid"),
    [(name, gid) for name, (_, _, ids) in READINGS.items() for gid in sorted(ids)],
)
def test_what_is_no_id_of_its_kind_is_misshapen(
    reading: str, gid: str, other: Any, desk: Desk, mock: responses.RequestsMock
) -> None:
    said, read, _ = READINGS[reading]
    given = other.replace("{kind}", gid.rpartition("/")[0]) if isinstance(other, str) else other
    let_say(desk, mock, said)
    assert read(desk.client)
    let_say(desk, mock, with_id(said, gid, given))
    with pytest.raises(ShopError) as failed:
        read(desk.client)
    told = str(failed.value)
    assert "\n" not in told
    assert "regex" not in told
    assert isinstance(said, list) == isinstance(failed.value, BulkFailed)
    assert "shape that its schema promises" in told or isinstance(said, list)


def let_say(desk: Desk, mock: responses.RequestsMock, said: dict[str, Any] | list[Any]) -> None:
    if isinstance(said, dict):
        desk.says = said
        return
    count = str(len(said))
    desk.says = {"StartBulk": started(), "BulkStatus": ended(objectCount=count)}
    mock.upsert("GET", RESULT, body="\n".join(map(json.dumps, said)))


def test_a_bulk_operation_without_an_id_of_its_kind_is_misshapen(desk: Desk) -> None:
    desk.says = {"StartBulk": started(operation={"id": ONE})}
    with pytest.raises(ShopError, match=r"StartBulk.*Expected the id of one BulkOperation"):
        bulk(desk)


# How much at once


@pytest.mark.parametrize(
    ("variants", "calls"), [(30, [250, 250]), (80, [250, 250]), (250, 6 * [80] + [20])]
)
def test_no_more_rows_are_asked_for_at_once_than_an_answer_may_hold(
    variants: int, calls: list[int], desk: Desk
) -> None:
    def say(asked: dict[str, Any]) -> dict[str, Any]:
        assert len(asked["ids"]) * asked["variants"] <= paging.ROWS_A_CALL
        return {"nodes": [product(int(gid.rpartition("/")[2]), []) for gid in asked["ids"]]}

    desk.says = {"ReadProducts": say}
    ids = [f"gid://shopify/Product/{number}" for number in range(1, 501)]
    assert list(read_products(desk.client, ids, PLACE, variants=variants)) == ids
    assert [len(asked["ids"]) for _, asked in desk.asked] == calls
