"""Pushing adjustments: one `inventoryAdjustQuantities` call, all of it or nothing.

https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventoryAdjustQuantities
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.errors import ShopError

#: Adjustments in one call: Shopify takes no longer list
#: (https://shopify.dev/docs/api/usage/limits).
BATCH = 250

#: Requested points of one call, however many rows it has: those of a mutation that asks for nothing
#: dear.
COST = 10

Answer = Literal["refused", "stale", "busy", "failed_before", "ours"]

#: Codes that say nothing about the adjustments: the same call may go through later.
_BUSY = {"SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"}


#: Codes about what is the same in every call that invsync makes.
_OURS = {
    "INTERNAL_LEDGER_DOCUMENT",
    "INVALID_AVAILABLE_DOCUMENT",
    "INVALID_LEDGER_DOCUMENT",
    "INVALID_QUANTITY_DOCUMENT",
    "INVALID_QUANTITY_NAME",
    "INVALID_REASON",
    "INVALID_REFERENCE_DOCUMENT",
    "MAX_ONE_LEDGER_DOCUMENT",
}


class Refusal(Struct, frozen=True):
    """Why a call changed nothing, or (busy and `still_running`) may yet.

    `index`: which adjustment of the call it is about, None when Shopify names none. `message` is
    Shopify's own. `still_running`: an earlier call with the same key is at work still, so that the
    outcome is open.
    """

    answer: Answer
    index: int | None
    message: str
    still_running: bool = False


def change(item: str, location: str, delta: int, change_from: int | None) -> dict[str, Any]:
    """One row of a call. `change_from` None is sent as an explicit null: no comparison."""
    return {
        "inventoryItemId": item,
        "locationId": location,
        "delta": delta,
        "changeFromQuantity": change_from,
    }


def call(changes: Sequence[Mapping[str, Any]], run_id: str, key: str) -> dict[str, Any]:
    """The variables of one call.

    To be kept, and sent again unchanged with the same key, if its answer is lost.
    """
    return {
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": f"gid://invsync/Run/{run_id}",
            "changes": list(changes),
        },
        "key": key,
    }


def adjust(client: Client, variables: Mapping[str, Any]) -> tuple[Refusal, ...]:
    """Send one call; an empty tuple means that it was applied, otherwise nothing of it was.

    Raises `CallRefused` where Shopify refuses the call as it stands and `NotExecuted` where it
    carries out no call now: nothing of this one was applied. Any other exception means that the
    outcome is unknown: the same variables can be sent again, within the 24 hours for which Shopify
    remembers the key (https://shopify.dev/docs/api/usage/implementing-idempotency).
    """
    return outcome_of(client.execute(load("adjust"), dict(variables), cost=COST))


def outcome_of(data: Mapping[str, Any]) -> tuple[Refusal, ...]:
    """What the data of an answer tells, as `adjust` returns it. Pure."""
    try:
        errors = data["inventoryAdjustQuantities"]["userErrors"]
        if not isinstance(errors, list):
            raise TypeError("userErrors is no list")
        return tuple(_refusal(error) for error in errors)
    except (KeyError, TypeError, AttributeError) as error:
        raise ShopError(
            "Adjust: Shopify's answer has not the shape that its schema promises; whether the "
            "adjustments were applied is not known, the next run finds out"
        ) from error


def _refusal(error: Any) -> Refusal:
    code, field, message = error.get("code"), error.get("field"), _message(error)
    if code == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH":
        raise ShopError(
            f"Shopify knows the idempotency key of this batch with other adjustments ({message}); "
            "nothing more was sent. This is a fault of invsync: keep the state folder and report it"
        )
    answer: Answer = "refused"
    if code in _BUSY:
        answer = "busy"
    elif code == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED":
        answer = "failed_before"
    elif code == "CHANGE_FROM_QUANTITY_STALE":
        answer = "stale"
    elif code in _OURS:
        answer = "ours"
    running = code == "IDEMPOTENCY_CONCURRENT_REQUEST"
    return Refusal(answer, _index(field), f"{message} ({code})" if code else message, running)


def _message(error: Mapping[str, Any]) -> str:
    return str(error.get("message") or "Shopify gives no reason")


def _index(field: Any) -> int | None:
    """The row in `["input", "changes", "3", …]`.

    A list of fields with no row in it is about the whole call.
    """
    if not isinstance(field, list) or field[:2] != ["input", "changes"] or len(field) < 3:
        return None
    return int(field[2]) if re.fullmatch("[0-9]{1,9}", str(field[2])) else None
