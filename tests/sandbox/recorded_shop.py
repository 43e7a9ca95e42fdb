"""A shop that holds what a recorded exchange presupposes, with the numbers that it has there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from invsync.sandbox.account import BulkJob
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Item, Level, Location, Product, Variant

_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(?:\?inventory_item_id=(\d+))?")
_UNKNOWN = re.compile(r"could not be found|does not exist|because the product was deleted")
_PLACE = re.compile(r"couldn't be stocked at (.+?) because")

#: Kind, number and, of a level, its item's number.
Gid = tuple[str, int, int | None]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, those that hold others before them."""
    if isinstance(value, dict):
        yield value
    for below in _below(value):
        yield from nodes(below)


def gids(value: Any) -> Iterator[Gid]:
    """Every global id in a JSON value."""
    if isinstance(value, str) and (match := _GID.fullmatch(value)):
        yield match[1], int(match[2]), int(match[3]) if match[3] else None
    for below in _below(value):
        yield from gids(below)


def _below(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if _is_list(value) else []


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _number(node: Any, kind: str) -> int | None:
    """The number of an object that an answer shows, if it is of that kind."""
    match = _GID.fullmatch(str(node.get("id"))) if isinstance(node, dict) else None
    return int(match[2]) if match and match[1] == kind else None


def seed(shop: Shop, exchange: Mapping[str, Any]) -> None:
    """Put everything into an empty shop that the answer shows, and that the request names.

    But for what the answer says is not there.
    """
    _Seed(shop, exchange).sow()


class _Seed:
    def __init__(self, shop: Shop, exchange: Mapping[str, Any]) -> None:
        self.shop = shop
        self.variables = exchange["variables"]
        self.answer = exchange["answer"].get("data") or {}
        self.shown = list(nodes(self.answer))
        self.errors = [one for one in self.shown if "message" in one]
        missing = self._missing()
        named = sorted({*gids(self.answer), *gids(self.variables)} - missing, key=str)
        self.named = {kind: [one for one in named if one[0] == kind] for kind, _, _ in named}

    def sow(self) -> None:
        """Locations and items first, then what shows them."""
        for _, number, _ in self.named.get("Location", []):
            self._location(number)
        if not self.shop.locations:
            self._location(1)
        for _, number, _ in self.named.get("InventoryItem", []):
            self._item(number)
        for node in self.shown:
            self._variants(node)
        for _, number, _ in self.named.get("Product", []):
            self._product(number)
        for node in self.shown:
            self._describe(node)
        for _, number, item in self.named.get("InventoryLevel", []):
            if item and not any(level.id == number for level in self.shop.levels.values()):
                self._level(self._item(item), None, number)
        self._levels(self.answer, self._only("InventoryItem"), self._only("Location"))
        self._rows()
        self._jobs()

    # -- one of each -------------------------------------------------------------------------------

    def _location(self, number: int) -> Location:
        places = self.shop.locations
        if number not in places:
            places[number] = Location(number, f"Place {number}", primary=not places)
        return places[number]

    def _product(self, number: int | None) -> Product:
        number = number or self.shop.new_id()
        at = int(self.shop.now())
        return self.shop.products.setdefault(
            number, Product(number, f"P {number}", f"p-{number}", created_at=at, updated_at=at)
        )

    def _item(self, number: int | None) -> Item:
        number = number or self.shop.new_id()
        at = int(self.shop.now())
        return self.shop.items.setdefault(number, Item(number, f"SKU-{number}", True, at, at))

    def _variant(self, number: int | None, item: Item, product: Product) -> None:
        number = number or self.shop.new_id()
        if number in self.shop.variants or item.variants:
            return
        made = Variant(number, product, item, "Default Title", item.sku, (("Title", "Default"),))
        self.shop.variants[number] = made
        product.variants.append(made)
        item.variants.append(made)

    def _level(self, item: Item, place: Location | None, number: int | None = None) -> Level:
        where = place or next(iter(self.shop.locations.values()))
        if where.id not in item.levels:
            at = int(self.shop.now())
            # One that is activated well was not active before.
            active = "inventoryActivate" not in self.answer or bool(self.errors)
            made = Level(number or self.shop.new_id(), item, where, 0, 0, active, at, at)
            self.shop.levels[made.id] = item.levels[where.id] = made
        return item.levels[where.id]

    def _only(self, kind: str) -> int | None:
        """The number of the only object of a kind that the request names."""
        found = {number for one, number, _ in gids(self.variables) if one == kind}
        return next(iter(found)) if len(found) == 1 else None

    # -- what the answer shows ---------------------------------------------------------------------

    def _variants(self, node: dict[str, Any]) -> None:
        """Variants with the items and products that the answer shows around them."""
        if "variant" in node and (number := _number(node, "InventoryItem")):
            variant = node["variant"] or {}
            product = self._product(_number(variant.get("product"), "Product"))
            self._variant(_number(variant, "ProductVariant"), self._item(number), product)
        if number := _number(node, "ProductVariant"):
            item = self._item(_number(node.get("inventoryItem"), "InventoryItem"))
            product = self._product(_number(node.get("product"), "Product"))
            self._variant(number, item, product)
        if number := _number(node, "Product"):
            for one in (node.get("variants") or {}).get("nodes") or []:
                item = self._item(_number(one.get("inventoryItem"), "InventoryItem"))
                self._variant(_number(one, "ProductVariant"), item, self._product(number))

    def _describe(self, node: dict[str, Any]) -> None:
        """What the answer tells of an object."""
        shop = self.shop
        if number := _number(node, "InventoryItem"):
            item = shop.items[number]
            item.tracked, item.sku = node.get("tracked", item.tracked), node.get("sku") or item.sku
        if (number := _number(node, "ProductVariant")) and node.get("sku"):
            variant = shop.variants[number]
            variant.sku = variant.item.sku = node["sku"]
        if number := _number(node, "Product"):
            shop.products[number].status = node.get("status") or "ACTIVE"
        if number := _number(node, "Location"):
            place = self._location(number)
            place.name, place.active = node.get("name", place.name), node.get("isActive", True)
        place_number = self._only("Location")
        if (match := _PLACE.search(str(node.get("message")))) and place_number:
            shop.locations[place_number].name = match[1]

    def _levels(self, value: Any, item: int | None, place: int | None) -> None:
        """The levels that an answer shows, below whatever has them."""
        if isinstance(value, dict):
            item = (
                _number(value, "InventoryItem")
                or _number(value.get("item"), "InventoryItem")
                or item
            )
            place = (
                _number(value, "Location") or _number(value.get("location"), "Location") or place
            )
            if "quantities" in value:
                self._level_shown(value, item, place)
        for below in _below(value):
            self._levels(below, item, place)

    def _level_shown(self, node: dict[str, Any], item: int | None, place: int | None) -> None:
        match = _GID.fullmatch(str(node.get("id")))
        number = int(match[2]) if match else None
        item = int(match[3]) if match and match[3] else item
        if item is None:
            return
        level = self._level(self._item(item), self.shop.locations.get(place or 0), number)
        read = {one["name"]: one["quantity"] for one in node["quantities"]}
        level.available = read.get("available", level.available)
        level.committed = read.get("committed", level.committed)
        level.active = level.active and node.get("isActive", True)

    # -- what the request presupposes --------------------------------------------------------------

    def _rows(self) -> None:
        """The levels of an adjustment or a set, which read what they are compared with."""
        given = self.variables.get("input") or {}
        for row in [*(given.get("changes") or []), *(given.get("quantities") or [])]:
            if "locationId" not in row:
                continue  # a move, which the sandbox does not know
            ((_, item, _),) = gids(row["inventoryItemId"])
            ((_, place, _),) = gids(row["locationId"])
            if item in self.shop.items and place in self.shop.locations:
                level = self._level(self.shop.items[item], self.shop.locations[place])
                level.available = row.get("changeFromQuantity") or 0

    def _jobs(self) -> None:
        """Bulk operations, as old as their order in time asks for."""
        shown = {number: node for node in self.shown if (number := _number(node, "BulkOperation"))}
        known = {number for _, number, _ in self.named.get("BulkOperation", [])}
        running = {
            int(match[2])
            for error in self.errors
            if "already in progress" in error["message"]
            for match in _GID.finditer(error["message"])
        }
        if "bulkOperationRunQuery" in self.answer:
            known -= shown.keys()  # they come into being by the call
            self.shop.settings.bulk_limit = len(running) or self.shop.settings.bulk_limit
        by_age = sorted(known | running, key=lambda one: shown.get(one, {}).get("createdAt") or "")
        for rank, number in enumerate(by_age):
            node = shown.get(number, {})
            self._job(number, node, self.shop.now() - 60.0 * (len(by_age) - rank))

    def _job(self, number: int, node: dict[str, Any], at: float) -> None:
        now, settings = self.shop.now(), self.shop.settings
        status = node.get("status")
        if "completed" in "".join(one["message"] for one in self.errors):
            status = "COMPLETED"
        ages = {"RUNNING": settings.bulk_queue_time + 0.01, "COMPLETED": now - at}
        job = BulkJob(number, node.get("query") or "", "2026-04", False, now - ages.get(status, 0))
        self.shop.account.jobs[number] = job
        if status == "CANCELED":
            job.created_at = job.cancelled_at = at
        if status in ("COMPLETED", "CANCELED"):
            job.result = {
                "objects": int(node.get("objectCount") or 0) if node.get("url") else 0,
                "roots": int(node.get("rootObjectCount") or 0),
                "bytes": int(node["fileSize"]) if node.get("fileSize") else None,
                "signature": "0",
            }

    # -- what is not there -------------------------------------------------------------------------

    def _missing(self) -> set[Gid]:
        """What is null by its id, and what a user error says is not there."""
        missing: set[Gid] = set()
        if any(value is None for value in self.answer.values()):
            missing |= set(gids(self.variables)) - set(gids(self.answer))
        for error in self.errors:
            if _UNKNOWN.search(error["message"]):
                missing |= set(gids(self._at(error["field"] or [])))
        return missing

    def _at(self, field: list[Any]) -> Any:
        """What of the request a user error is about; None where it does not say."""
        value: Any = self.variables
        for step in field:
            try:
                value = value[int(step)] if _is_list(value) else value[step]
            except (KeyError, TypeError, IndexError, ValueError):
                return None
        return value if field else None
