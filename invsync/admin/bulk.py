"""Complete scans by bulk operation: the whole catalogue outside the point budget.

https://shopify.dev/docs/api/usage/bulk-operations/queries. The result is believed only once it has
been read to its end and counted: a file that is short would make whole pools vanish.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.levels import (
    Item,
    Listing,
    Product,
    available_of,
    item_of,
    listed,
    product_of,
    shaped,
)
from invsync.errors import ShopError

#: Seconds between two looks at a running operation: doubled each time, up to the longest.
FIRST_LOOK = 0.5
LONGEST_LOOK = 15.0

#: Objects of a result between two words on how far it is read.
OBJECTS_BETWEEN = 1_000

_RUNNING = {"CREATED", "RUNNING", "CANCELING"}

#: Told what is being done and how far it is: what, done, of how many if that is known; may raise to
#: stop there.
Heed = Callable[[str, int, int | None], None]


class BulkFailed(ShopError):
    """The operation could not be started, or did not deliver: read by pages instead."""


def bulk_products(client: Client, terms: str, location: str, heed: Heed) -> Iterator[Listing]:
    """As `levels.find_products`, by a bulk operation; raises `BulkFailed` before anything is handed out."""
    text = load("bulk_products").text.replace('"LOCATION"', json.dumps(location))
    products: dict[str, tuple[Product, list[Item]]] = {}
    with _whole():
        for row in _rows(client, text, terms, heed):
            parent = row.get("__parentId")
            if parent is None:
                products[row["id"]] = (product_of(row), [])
            else:
                products[parent][1].append(item_of(row, row["inventoryItem"], location))
    for product, items in products.values():
        yield Listing(product, tuple(items))


def bulk_items(client: Client, terms: str, heed: Heed) -> Iterator[Listing]:
    """As `levels.find_items`, by a bulk operation; raises `BulkFailed` before anything is handed out."""
    products: dict[str, Product] = {}
    variants: list[tuple[Product, Item]] = []
    # Whether the variant or its item counts as the parent of a level is not written anywhere.
    levels: dict[str, dict[str, int]] = {}
    places: dict[str, str] = {}
    with _whole():
        for row in _rows(client, load("bulk_items").text, terms, heed):
            parent = row.get("__parentId")
            if parent is not None:
                location = row["location"]["id"]
                levels[parent][places.setdefault(location, location)] = available_of(row)[0]
                continue
            of = row["product"]["id"]
            product = products.get(of) or products.setdefault(of, product_of(row["product"]))
            item = row["inventoryItem"]
            here = levels[row["id"]] = levels.setdefault(item["id"], {})
            variants.append((product, listed(row, item, here)))
    for product, found in variants:
        yield Listing(product, (found,))


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """While a result is gathered: what does not fit together is not believed, and nothing of it is garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BulkFailed(
            "the objects of the bulk operation's file do not fit together "
            f"({type(error).__name__}: {error})"
        ) from error
    finally:
        if collecting:
            gc.enable()


def _rows(client: Client, text: str, terms: str, heed: Heed) -> Iterator[dict[str, Any]]:
    """The objects of a finished operation, parents before their children; counted at the end."""
    operation = _start(client, text.replace('"TERMS"', json.dumps(terms, ensure_ascii=False)))
    result = _wait(client, operation, heed)
    with shaped("BulkStatus"):
        expected = int(result["objectCount"])
    if result["url"] is None:
        if expected:
            raise BulkFailed(f"the bulk operation counted {expected} objects, but gave no file")
        return
    count = 0
    decode = json.JSONDecoder().decode
    try:
        for line in client.fetch_lines(result["url"]):
            if count % OBJECTS_BETWEEN == 0:
                heed("downloading", count, expected)
            count += 1
            row = decode(line.decode())
            if not isinstance(row, dict):
                raise BulkFailed("the bulk operation's file holds something else than objects")
            yield row
    except (ValueError, RecursionError) as error:
        raise BulkFailed(
            f"the bulk operation's file can't be read at line {count} ({error})"
        ) from error
    except BulkFailed:
        raise
    except ShopError as error:
        raise BulkFailed(f"the bulk operation's file could not be read: {error}") from error
    if count != expected:
        raise BulkFailed(f"the bulk operation's file ends after {count} of {expected} objects")


def _start(client: Client, text: str) -> str:
    data = client.execute(load("start_bulk"), {"query": text}, cost=10)
    with shaped("StartBulk"):
        answer = data["bulkOperationRunQuery"]
        if answer["userErrors"]:
            said = answer["userErrors"][0]
            raise BulkFailed(
                f"Shopify did not start a bulk operation: {said.get('message')} "
                f"({said.get('code')})"
            )
        return str(answer["bulkOperation"]["id"])


def _wait(client: Client, operation: str, heed: Heed) -> dict[str, Any]:
    pause = FIRST_LOOK
    while True:
        data = client.execute(load("bulk_status"), {"id": operation}, cost=1)
        with shaped("BulkStatus"):
            result: dict[str, Any] = data["bulkOperation"]
            status, counted = result["status"], int(result["objectCount"])
        if status == "COMPLETED":
            return result
        if status not in _RUNNING:
            why = f", {result['errorCode']}" if result.get("errorCode") else ""
            raise BulkFailed(f"the bulk operation ended as {status}{why}")
        heed("reading in bulk", counted, None)
        client.wait(pause, "a bulk operation is still running")
        pause = min(LONGEST_LOOK, pause * 2)
