"""The memory of idempotency keys.

Source: https://shopify.dev/docs/api/usage/implementing-idempotency.

A key used again with the same parameters, within the retention time, gets the first answer again
and changes nothing; with other parameters, or after a first attempt that ended in user errors, it
is refused. After the retention time the key is new again, and the write runs again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from invsync.sandbox.account import Remembered
from invsync.sandbox.context import Context
from invsync.sandbox.failures import failure

#: First version in which the inventory mutations refuse to run without a key.
REQUIRED_FROM = "2026-04"

MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"

MESSAGES = {
    MISMATCH: "The same idempotency key cannot be used with different operation parameters.",
    FAILED_BEFORE: "The previous attempt with this idempotency key failed. Use a new key to try "
    "again.",
    "IDEMPOTENCY_CONCURRENT_REQUEST": "A request with the same idempotency key is being processed.",
}


def require_key(ctx: Context, key: str | None) -> None:
    """Refuse a mutation without a key where the version demands one. Raises GraphQLError."""
    if key is None and ctx.version >= REQUIRED_FROM:
        raise failure(
            "The @idempotent directive is required for this mutation but was not provided.",
            "BAD_REQUEST",
        )
    if key is not None and not key.strip():
        raise failure("The idempotency key cannot be blank.", "BAD_REQUEST")


def fingerprint(mutation: str, parameters: Mapping[str, Any]) -> str:
    """What a key is bound to: the mutation and its parameters."""
    return hashlib.sha256(f"{mutation} {json.dumps(parameters)}".encode()).hexdigest()


def recall(ctx: Context, key: str | None) -> Remembered | None:
    """What the key was used for within the retention time; None for a new key."""
    if key is None:
        return None
    shop = ctx.shop
    found = shop.account.keys.get(key)
    if found is None:
        return None
    if shop.now() >= found.at + shop.settings.key_retention:
        del shop.account.keys[key]
        return None
    return found


def refusal(found: Remembered, call: str) -> str | None:
    """The user error code for a key that can't be used (again); None if its first answer stands."""
    if found.fingerprint != call:
        return MISMATCH
    return FAILED_BEFORE if found.outcome is None else None


def remember(ctx: Context, key: str | None, call: str, outcome: dict[str, Any] | None) -> None:
    """Keep how the call ended; None: in user errors."""
    if key is not None:
        ctx.shop.account.keys[key] = Remembered(call, ctx.shop.now(), outcome)
        ctx.shop.changed()
