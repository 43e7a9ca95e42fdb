"""What of a change of inventory may be refused, in Shopify's codes, paths and words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from invsync.sandbox import idempotency
from invsync.sandbox.byid import by_gid
from invsync.sandbox.context import Context
from invsync.sandbox.failures import failure, never_seen
from invsync.sandbox.things import Item, Location

#: What a quantity may be after an adjustment, either way; and the most that it may be set to.
ADJUST_BOUND = 2_000_000_000
SET_BOUND = 1_000_000_000

ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
SETTABLE = ("available", "on_hand")

REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)

#: From this version on a level is made, inactive, where an item is not stocked; before, that is
#: refused.
STOCKS_BY_ITSELF_FROM = "2026-04"
#: From this version on `changeFromQuantity` must be there.
COMPARE_REQUIRED_FROM = "2026-04"

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//)?\S+")
_GID_URI = re.compile(r"gid://[^/\s]+/[^/\s]+/\S+")

MESSAGES = idempotency.MESSAGES | {
    "ADJUST_QUANTITIES_FAILED": "The quantities couldn't be adjusted. Try again.",
    "CHANGE_FROM_QUANTITY_STALE": "The specified changeFromQuantity does not match the current "
    "quantity.",
    "INTERNAL_LEDGER_DOCUMENT": "Internal (gid://shopify/) ledger documents are not allowed to be "
    "adjusted via API.",
    "INVALID_AVAILABLE_DOCUMENT": "A ledger document URI is not allowed when adjusting available.",
    "INVALID_INVENTORY_ITEM": "The specified inventory item could not be found.",
    "INVALID_LEDGER_DOCUMENT": "The specified ledger document is invalid.",
    "INVALID_LOCATION": "The specified location could not be found.",
    "INVALID_NAME": "The quantity name must be either 'available' or 'on_hand'.",
    "INVALID_QUANTITY_DOCUMENT": "A ledger document URI is required except when adjusting "
    "available.",
    "INVALID_QUANTITY_NAME": "The specified quantity name is invalid. Valid values are: "
    f"{', '.join(ADJUSTABLE)}.",
    "INVALID_QUANTITY_NEGATIVE": "The quantity can't be negative.",
    "INVALID_QUANTITY_TOO_HIGH": "The quantity is too high.",
    "INVALID_QUANTITY_TOO_LOW": "The quantity is too low.",
    "INVALID_REASON": f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}.",
    "INVALID_REFERENCE_DOCUMENT": "The specified reference document is invalid.",
    "ITEM_NOT_STOCKED_AT_LOCATION": "The specified inventory item is not stocked at the location.",
    "MAX_ONE_LEDGER_DOCUMENT": "All changes must have the same ledger document URI or, in the case "
    "of adjusting available, no ledger document URI.",
    "NON_MUTABLE_INVENTORY_ITEM": "The specified inventory item is not allowed to be adjusted via "
    "API.",
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": "The combination of inventoryItemId and "
    "locationId must be unique.",
    "COMPARE_QUANTITY_REQUIRED": "The compareQuantity argument must be given unless "
    "ignoreCompareQuantity is true.",
    "COMPARE_QUANTITY_STALE": "The specified compareQuantity does not match the current quantity.",
    "SERVICE_UNAVAILABLE": "Service is temporarily unavailable. Try again later.",
}


def user_error(code: str, *path: str | int, message: str | None = None) -> dict[str, Any]:
    """A user error in Shopify's shape: the path in strings, indexes too; no path at all is null."""
    return {
        "code": code,
        "field": [str(step) for step in path] or None,
        "message": message or MESSAGES.get(code, code),
    }


@dataclass(slots=True)
class Row:
    """One row that could be applied: how far the quantity moves."""

    item: Item
    location: Location
    delta: int
    ledger_document: str | None = None


@dataclass(slots=True)
class Check:
    """What was found wrong so far, and the rows that stood."""

    errors: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def require_compare(kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rows without `changeFromQuantity`. Raises GraphQLError."""
    if any("changeFromQuantity" not in row for row in rows):
        raise failure(
            f"{kind} must include the following argument: changeFromQuantity.",
            "INVALID_FIELD_ARGUMENTS",
        )


def refuse_never_seen(ctx: Context, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an adjustment of which nobody knows what Shopify makes."""
    levels = [(row["inventoryItemId"], row["locationId"]) for row in rows]
    items = (by_gid(ctx, row["inventoryItemId"], "InventoryItem") for row in rows)
    refused = {
        "an adjustment without changes": not levels,
        "a level twice in an adjustment": len(set(levels)) < len(levels),
        "an adjustment of an item that is not tracked": any(
            item is not None and not item.tracked for item in items
        ),
    }
    for what, so in refused.items():
        if so:
            raise never_seen(what)


def check_adjustment(ctx: Context, given: Mapping[str, Any]) -> Check:
    """What is wrong with the input of `inventoryAdjustQuantities`, and its rows that stand."""
    check = Check()
    name = given["name"]
    if name not in ADJUSTABLE:
        check.errors.append(user_error("INVALID_QUANTITY_NAME", "input", "name"))
        return check
    _check_call(check, given)
    _check_ledger_documents(check, name, given["changes"])
    for index, row in enumerate(given["changes"]):
        path = ("input", "changes", index)
        found = _check_place(ctx, check, row, path)
        if found is None:
            continue
        item, location = found
        before = _current(item, location, name)
        after = before + row["delta"]
        wanted = row.get("changeFromQuantity")
        if wanted is not None and wanted != before:
            check.errors.append(
                user_error("CHANGE_FROM_QUANTITY_STALE", *path, "changeFromQuantity")
            )
        elif after > ADJUST_BOUND:
            check.errors.append(user_error("INVALID_QUANTITY_TOO_HIGH", *path, "delta"))
        elif after < -ADJUST_BOUND:
            check.errors.append(user_error("INVALID_QUANTITY_TOO_LOW", *path, "delta"))
        else:
            check.rows.append(Row(item, location, row["delta"], row.get("ledgerDocumentUri")))
    return check


def check_setting(ctx: Context, given: Mapping[str, Any]) -> Check:
    """What is wrong with the input of `inventorySetQuantities`, and its rows that stand."""
    check = Check()
    name, seen = given["name"], set[tuple[str, str]]()
    if name not in SETTABLE:
        check.errors.append(user_error("INVALID_NAME", "input", "name"))
        return check
    _check_call(check, given)
    pairs = [(row["inventoryItemId"], row["locationId"]) for row in given["quantities"]]
    seen.update(pair for pair in pairs if pairs.count(pair) > 1)
    for index, row in enumerate(given["quantities"]):
        path = ("input", "quantities", index)
        if pairs[index] in seen:
            check.errors.append(
                user_error("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", *path, "locationId")
            )
            continue
        found = _check_place(ctx, check, row, path)
        if found is None:
            continue
        item, location = found
        before = _current(item, location, name)
        quantity = row["quantity"]
        code = _compare_refusal(row, given, before)
        if code is not None:
            place = (
                "changeFromQuantity" if code == "CHANGE_FROM_QUANTITY_STALE" else "compareQuantity"
            )
            check.errors.append(user_error(code, *path, place))
        elif quantity > SET_BOUND:
            said = f"The quantity can't be higher than {SET_BOUND:,}."
            check.errors.append(
                user_error("INVALID_QUANTITY_TOO_HIGH", *path, "quantity", message=said)
            )
        elif quantity < -SET_BOUND and name == "available":
            said = f"The quantity can't be lower than -{SET_BOUND:,}."
            check.errors.append(
                user_error("INVALID_QUANTITY_TOO_LOW", *path, "quantity", message=said)
            )
        elif quantity < 0 and name == "on_hand":
            check.errors.append(user_error("INVALID_QUANTITY_NEGATIVE", *path, "quantity"))
        else:
            check.rows.append(Row(item, location, quantity - before))
    return check


def _compare_refusal(row: Mapping[str, Any], given: Mapping[str, Any], before: int) -> str | None:
    if "changeFromQuantity" in row:
        wanted = row["changeFromQuantity"]
        return "CHANGE_FROM_QUANTITY_STALE" if wanted is not None and wanted != before else None
    if given.get("ignoreCompareQuantity"):
        return None
    compare = row.get("compareQuantity")
    if compare is None:
        return "COMPARE_QUANTITY_REQUIRED"
    return "COMPARE_QUANTITY_STALE" if compare != before else None


def _check_call(check: Check, given: Mapping[str, Any]) -> None:
    if given["reason"] not in REASONS:
        check.errors.append(user_error("INVALID_REASON", "input", "reason"))
    reference = given.get("referenceDocumentUri")
    if reference is not None and not _is_document(reference):
        check.errors.append(
            user_error("INVALID_REFERENCE_DOCUMENT", "input", "referenceDocumentUri")
        )


def _check_ledger_documents(check: Check, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    documents = set()
    for index, row in enumerate(rows):
        document = row.get("ledgerDocumentUri")
        path = ("input", "changes", index, "ledgerDocumentUri")
        if name == "available":
            if document is not None:
                check.errors.append(user_error("INVALID_AVAILABLE_DOCUMENT", *path))
        elif document is None:
            check.errors.append(user_error("INVALID_QUANTITY_DOCUMENT", *path))
        elif document.startswith("gid://shopify/"):
            check.errors.append(user_error("INTERNAL_LEDGER_DOCUMENT", *path))
        elif not _is_document(document):
            check.errors.append(user_error("INVALID_LEDGER_DOCUMENT", *path))
        else:
            documents.add(document)
    if len(documents) > 1:
        check.errors.append(user_error("MAX_ONE_LEDGER_DOCUMENT", "input", "changes"))


def _is_document(uri: str) -> bool:
    return bool((_GID_URI if uri.startswith("gid:") else _URI).fullmatch(uri))


def _check_place(
    ctx: Context, check: Check, row: Mapping[str, Any], path: tuple[str | int, ...]
) -> tuple[Item, Location] | None:
    """The row's item and location; None once an error was noted."""
    item = by_gid(ctx, row["inventoryItemId"], "InventoryItem")
    location = by_gid(ctx, row["locationId"], "Location")
    before = len(check.errors)
    refused = ctx.interference.refused
    if item is None:
        check.errors.append(user_error("INVALID_INVENTORY_ITEM", *path, "inventoryItemId"))
    elif item.gid in refused or item.sku in refused:
        code, named = refused[item.gid] if item.gid in refused else refused[item.sku]
        check.errors.append(
            user_error(code, *(path if named else ()), *(("inventoryItemId",) if named else ()))
        )
    elif any(variant.requires_components for variant in item.variants):
        check.errors.append(user_error("NON_MUTABLE_INVENTORY_ITEM", *path, "inventoryItemId"))
    if location is None or not location.active:
        check.errors.append(user_error("INVALID_LOCATION", *path, "locationId"))
    elif item is not None and ctx.version < STOCKS_BY_ITSELF_FROM:
        level = item.levels.get(location.id)
        if level is None or not level.active:
            check.errors.append(user_error("ITEM_NOT_STOCKED_AT_LOCATION", *path, "locationId"))
    if item is None or location is None or len(check.errors) > before:
        return None
    return item, location


def _current(item: Item, location: Location, name: str) -> int:
    level = item.levels.get(location.id)
    return level.quantity(name) if level is not None else 0
