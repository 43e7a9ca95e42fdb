"""A sandbox without HTTP between: ask it, look at the shop, move the clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invsync.sandbox.api import Sandbox
from invsync.sandbox.exchange import Answer, Request
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import ItemLike, LocationLike

#: 2026-11-22T10:00:00Z
NOON = 1_795_341_600.0

ADJUST = """
mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt
      changes { name delta quantityAfterChange item { id } location { id } } }
    userErrors { code field message }
  }
}"""


class Clock:
    """Time that only moves when a test says so."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Desk:
    """Asks one sandbox, in the process, and keeps the last answer."""

    def __init__(self, home: Shop | Path, clock: Clock, **options: Any) -> None:
        self.sandbox = Sandbox(home, now=clock, **options)
        self.clock = clock
        self.version = "2026-10"
        self.token: str | None = "shpat_test"
        self.answer = Answer()

    @property
    def shop(self) -> Shop:
        with self.sandbox.home.open() as shop:
            return shop

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if self.token is not None:
            headers.setdefault("x-shopify-access-token", self.token)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _, query = path.partition("?")
        headers = {"content-type": "application/json", **headers}
        self.answer = self.sandbox.answer(Request(method, path, headers, raw, query_string=query))
        return self.answer

    def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """The whole answer to a GraphQL request."""
        path = f"/admin/api/{self.version}/graphql.json"
        answer = self.send("POST", path, {"query": query, "variables": variables or {}}, **headers)
        assert answer.status == 200, answer
        assert isinstance(answer.body, bytes)
        return dict(json.loads(answer.body))

    def data(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.ask(query, variables)
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def change(
        self, item: ItemLike, delta: int, location: LocationLike = None, compare: int | None = None
    ) -> dict[str, Any]:
        """One row of an adjustment."""
        where = self.shop.location(location)
        return {
            "inventoryItemId": self.shop.item(item).gid,
            "locationId": where.gid,
            "delta": delta,
            "changeFromQuantity": compare,
        }

    def adjust(
        self, *changes: Mapping[str, Any], key: str = "key-1", **given: Any
    ) -> dict[str, Any]:
        """The payload of an adjustment."""
        payload = self.data(ADJUST, {"key": key, "input": adjustment(changes, **given)})[
            "inventoryAdjustQuantities"
        ]
        return dict(payload)

    def codes(
        self, *changes: Mapping[str, Any], key: str = "key-1", **given: Any
    ) -> list[tuple[str, Any]]:
        """The user errors of an adjustment: code and path."""
        payload = self.adjust(*changes, key=key, **given)
        assert not payload["userErrors"] or payload["inventoryAdjustmentGroup"] is None
        return [(error["code"], error["field"]) for error in payload["userErrors"]]


def adjustment(changes: Sequence[Mapping[str, Any]], **given: Any) -> dict[str, Any]:
    """The input of an adjustment."""
    return {"name": "available", "reason": "correction", "changes": list(changes), **given}
