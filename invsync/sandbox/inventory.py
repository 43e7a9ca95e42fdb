"""The inventory mutations: all or nothing, with Shopify's user error codes and field paths.

Sources: the mutations' pages of Shopify's documentation and, for paths and messages, public
recordings of live answers. Where both are silent, what the docstrings and tests here say is a
careful guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from invsync.sandbox import idempotency
from invsync.sandbox.context import Context
from invsync.sandbox.failures import failure, never_seen
from invsync.sandbox.fields import by_gid
from invsync.sandbox.gids import gid, timestamp
from invsync.sandbox.shop import Item, Level, Location

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

#: What `inventoryActivate` says to a quantity for a level that is active (recorded).
ALREADY_ACTIVE = {
    "available": "Not allowed to set available quantity when the item is already active at the "
    "location.",
    "onHand": "Not allowed to set an on_hand quantity when the item is already active at the "
    "location.",
}


def user_error(code: str, *path: str | int, message: str | None = None) -> dict[str, Any]:
    """A user error in Shopify's shape: the path in strings, indexes too; no path at all is null."""
    return {
        "code": code,
        "field": [str(step) for step in path] or None,
        "message": message or MESSAGES.get(code, code),
    }


@dataclass(slots=True)
class _Row:
    """One row that could be applied: how far the quantity moves."""

    item: Item
    location: Location
    delta: int
    ledger_document: str | None = None


@dataclass(slots=True)
class _Check:
    """What was found wrong so far, and the rows that stood."""

    errors: list[dict[str, Any]] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)


def adjust(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`inventoryAdjustQuantities`. Raises GraphQLError."""
    given = args["input"]
    idempotency.require_key(ctx, args["@idempotent"])
    if ctx.version >= COMPARE_REQUIRED_FROM:
        _require_compare("InventoryChangeInput", given["changes"])
    _refuse_never_seen(ctx, given["changes"])
    return _keyed(ctx, "inventoryAdjustQuantities", args, lambda: _check_adjustment(ctx, given))


def set_quantities(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`inventorySetQuantities`. Raises GraphQLError."""
    given = args["input"]
    idempotency.require_key(ctx, args["@idempotent"])
    if ctx.version >= COMPARE_REQUIRED_FROM:
        _require_compare("InventoryQuantityInput", given["quantities"])
    return _keyed(ctx, "inventorySetQuantities", args, lambda: _check_setting(ctx, given))


def activate(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`inventoryActivate`: plain user errors without a code. Raises GraphQLError."""
    idempotency.require_key(ctx, args["@idempotent"])
    item = by_gid(ctx, args["inventoryItemId"], "InventoryItem")
    location = by_gid(ctx, args["locationId"], "Location")
    if item is None and location is not None:
        said = (
            f"The product couldn't be stocked at {location.name} because the product was deleted."
        )
        return _activated(None, ("inventoryItemId", said))
    if location is None or item is None or not location.active:
        said = "The product couldn't be stocked because the location wasn't found."
        return _activated(None, ("locationId", said))
    quantities = {
        name: args[name] for name in ("available", "onHand") if args.get(name) is not None
    }
    refused = f"The product couldn't be stocked at {location.name} because "
    if len(quantities) > 1:
        said = refused + "not allowed to set available and on_hand quantities at the same time."
        return _activated(None, *((name, said) for name in quantities))
    level = item.levels.get(location.id)
    if level is not None and level.active:
        return _activated(level, *((name, ALREADY_ACTIVE[name]) for name in quantities))
    quantity = next(iter(quantities.values()), 0)
    if abs(quantity) > SET_BOUND:
        said = refused + "the quantity needs to be between -1 billion and 1 billion."
        return _activated(None, *((name, said) for name in quantities))
    return _activated(ctx.shop.stock(item, location, quantity))


def _activated(level: Level | None, *errors: tuple[str, str]) -> dict[str, Any]:
    """The payload; each error is an argument's name and what is wrong with it."""
    said = [{"field": [name], "message": message} for name, message in errors]
    return {"inventoryLevel": level, "userErrors": said}


# -- one call, with its key ------------------------------------------------------------------------

_BUSY = {"SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"}


def _keyed(ctx: Context, mutation: str, args: Mapping[str, Any], check: Any) -> dict[str, Any]:
    key = args["@idempotent"]
    given = args["input"]
    interference = ctx.interference
    call = idempotency.fingerprint(mutation, given)
    earlier = idempotency.recall(ctx, key)
    # A key that is known has its answer; only being busy comes before that.
    heard = earlier is None or interference.user_error in _BUSY
    if interference.user_error is not None and not interference.user_error_applied and heard:
        return _refused([user_error(interference.user_error)])
    if earlier is not None:
        refusal = idempotency.refusal(earlier, call)
        if refusal is not None:
            return _refused([user_error(refusal)])
        assert earlier.outcome is not None
        return _done(ctx, earlier.outcome)
    checked: _Check = check()
    if checked.errors:
        idempotency.remember(ctx, key, call, None)
        return _refused(checked.errors)
    outcome = _apply(ctx, given, checked.rows, key)
    idempotency.remember(ctx, key, call, outcome)
    if interference.user_error is not None:
        return _refused([user_error(interference.user_error)])
    ctx.beside_data = interference.error_beside_data
    return _done(ctx, outcome)


def _refused(errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _require_compare(kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if any("changeFromQuantity" not in row for row in rows):
        raise failure(
            f"{kind} must include the following argument: changeFromQuantity.",
            "INVALID_FIELD_ARGUMENTS",
        )


def _refuse_never_seen(ctx: Context, rows: Sequence[Mapping[str, Any]]) -> None:
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


# -- what may be refused ---------------------------------------------------------------------------


def _check_adjustment(ctx: Context, given: Mapping[str, Any]) -> _Check:
    check = _Check()
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
            check.rows.append(_Row(item, location, row["delta"], row.get("ledgerDocumentUri")))
    return check


def _check_setting(ctx: Context, given: Mapping[str, Any]) -> _Check:
    check = _Check()
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
            check.rows.append(_Row(item, location, quantity - before))
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


def _check_call(check: _Check, given: Mapping[str, Any]) -> None:
    if given["reason"] not in REASONS:
        check.errors.append(user_error("INVALID_REASON", "input", "reason"))
    reference = given.get("referenceDocumentUri")
    if reference is not None and not _is_document(reference):
        check.errors.append(
            user_error("INVALID_REFERENCE_DOCUMENT", "input", "referenceDocumentUri")
        )


def _check_ledger_documents(check: _Check, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
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
    ctx: Context, check: _Check, row: Mapping[str, Any], path: tuple[str | int, ...]
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


# -- applying --------------------------------------------------------------------------------------


def _apply(
    ctx: Context, given: Mapping[str, Any], rows: Sequence[_Row], key: str | None
) -> dict[str, Any]:
    """Apply what was checked; the outcome as the key's memory keeps it."""
    shop, name, reference = ctx.shop, given["name"], given.get("referenceDocumentUri")
    kept = []
    for row in rows:
        if row.delta == 0:
            continue
        level = row.item.levels.get(row.location.id)
        if level is None:
            level = shop.stock(row.item, row.location, active=False)
        if name in ("available", "on_hand"):
            shop.move(level, row.delta, by="app", key=key, reference=reference)
        else:
            shop.set_aside(level, name, row.delta)
        kept.append([row.item.id, row.location.id, row.delta, row.ledger_document])
    return {
        "id": shop.new_id(),
        "at": shop.now(),
        "name": name,
        "reason": given["reason"],
        "reference": reference,
        "rows": kept,
    }


def _done(ctx: Context, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a call that was applied, now or when its key was first used."""
    if not outcome["rows"]:
        return {"inventoryAdjustmentGroup": None, "userErrors": []}
    group = {
        "__typename": "InventoryAdjustmentGroup",
        "id": gid("InventoryAdjustmentGroup", outcome["id"]),
        "createdAt": timestamp(outcome["at"]),
        "reason": outcome["reason"],
        "referenceDocumentUri": outcome["reference"],
        "app": {
            "id": gid("App", 1),
            "apiKey": "sandbox",
            "handle": "sandbox",
            "title": "Sandbox app",
        },
        "name": outcome["name"],
        "rows": outcome["rows"],
    }
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def changes(
    group: Mapping[str, Any], args: Mapping[str, Any], ctx: Context
) -> list[dict[str, Any]]:
    """The rows of an adjustment group, by name: first all of `available`, then all of `on_hand`."""
    name = group["name"]
    names = (
        (name,) if name == "incoming" else (name, "available" if name == "on_hand" else "on_hand")
    )
    shown = []
    for moved, (item_id, location_id, delta, document) in product(sorted(names), group["rows"]):
        item, location = ctx.shop.items.get(item_id), ctx.shop.locations.get(location_id)
        if (
            args.get("inventoryItemIds")
            and gid("InventoryItem", item_id) not in args["inventoryItemIds"]
        ):
            continue
        if args.get("locationIds") and gid("Location", location_id) not in args["locationIds"]:
            continue
        if args.get("quantityNames") and moved not in args["quantityNames"]:
            continue
        shown.append(
            {
                "name": moved,
                "delta": delta,
                "item": item,
                "location": location,
                "ledgerDocumentUri": document,
                "quantityAfterChange": None,
            }
        )
    return shown
