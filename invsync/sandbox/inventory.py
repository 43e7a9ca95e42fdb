"""The inventory mutations: all or nothing, with Shopify's user error codes and field paths.

Sources: the mutations' pages of Shopify's documentation and, for paths and messages, public
recordings of live answers. Where both are silent, what the docstrings and tests here say is a
careful guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from invsync.sandbox import idempotency
from invsync.sandbox.byid import by_gid
from invsync.sandbox.context import Context
from invsync.sandbox.gids import gid, timestamp
from invsync.sandbox.refusals import (
    COMPARE_REQUIRED_FROM,
    SET_BOUND,
    Check,
    Row,
    check_adjustment,
    check_setting,
    refuse_never_seen,
    require_compare,
    user_error,
)
from invsync.sandbox.things import Level

#: What `inventoryActivate` says to a quantity for a level that is active (recorded).
ALREADY_ACTIVE = {
    "available": "Not allowed to set available quantity when the item is already active at the "
    "location.",
    "onHand": "Not allowed to set an on_hand quantity when the item is already active at the "
    "location.",
}


def adjust(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`inventoryAdjustQuantities`. Raises GraphQLError."""
    given = args["input"]
    idempotency.require_key(ctx, args["@idempotent"])
    if ctx.version >= COMPARE_REQUIRED_FROM:
        require_compare("InventoryChangeInput", given["changes"])
    refuse_never_seen(ctx, given["changes"])
    return _keyed(ctx, "inventoryAdjustQuantities", args, lambda: check_adjustment(ctx, given))


def set_quantities(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`inventorySetQuantities`. Raises GraphQLError."""
    given = args["input"]
    idempotency.require_key(ctx, args["@idempotent"])
    if ctx.version >= COMPARE_REQUIRED_FROM:
        require_compare("InventoryQuantityInput", given["quantities"])
    return _keyed(ctx, "inventorySetQuantities", args, lambda: check_setting(ctx, given))


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
    checked: Check = check()
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


# -- applying --------------------------------------------------------------------------------------


def _apply(
    ctx: Context, given: Mapping[str, Any], rows: Sequence[Row], key: str | None
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
