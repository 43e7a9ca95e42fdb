"""Tokens, the client credentials grant, and scopes.

Any token is taken for an admin-made app's, except one that begins with `invalid`; a granted token
works until it expires.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from invsync.sandbox.shop import Shop

#: How granted tokens begin.
GRANTED_PREFIX = "sandboxgrant_"

#: What it takes to read each type (https://shopify.dev/docs/api/usage/access-scopes).
READ_SCOPES = {
    "Product": "read_products",
    "ProductVariant": "read_products",
    "InventoryItem": "read_inventory",
    "InventoryLevel": "read_inventory",
    "InventoryQuantity": "read_inventory",
    "Location": "read_locations",
}

#: What it takes to call each mutation.
WRITE_SCOPES = {
    "inventoryActivate": "write_inventory",
    "inventoryAdjustQuantities": "write_inventory",
    "inventorySetQuantities": "write_inventory",
}

#: The body that comes with a 401.
REFUSED_TOKEN = {
    "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)",
}


def accepts(shop: Shop, token: str | None) -> bool:
    """Whether the API answers a request with this token."""
    if not token or token.startswith("invalid"):
        return False
    if token.startswith(GRANTED_PREFIX):
        return shop.account.tokens.get(token, 0.0) > shop.now()
    return True


def grant(
    shop: Shop, body: bytes, *, new_token: Callable[[], str] = lambda: secrets.token_hex(16)
) -> tuple[int, dict[str, Any]]:
    """The answer to a client credentials grant: status and JSON."""
    fields = _fields(body)
    if fields.get("grant_type") != "client_credentials":
        return 400, _error("unsupported_grant_type", "The grant type is not supported.")
    secret = fields.get("client_secret", "")
    if not fields.get("client_id") or not secret or secret.startswith("invalid"):
        return 400, _error("invalid_client", "Client authentication failed.")
    token = GRANTED_PREFIX + new_token()
    now = shop.now()
    shop.account.tokens = {
        known: until for known, until in shop.account.tokens.items() if until > now
    }
    shop.account.tokens[token] = now + shop.settings.token_lifetime
    shop.changed()
    return 200, {
        "access_token": token,
        "scope": ",".join(shop.settings.scopes),
        "expires_in": int(shop.settings.token_lifetime),
    }


def _fields(body: bytes) -> Mapping[str, str]:
    """The fields of a form or JSON body; empty if it is neither."""
    try:
        text = body.decode()
        if text.lstrip().startswith("{"):
            return {str(name): str(value) for name, value in json.loads(text).items()}
        return {name: values[-1] for name, values in parse_qs(text).items()}
    except ValueError:
        return {}


def _error(code: str, description: str) -> dict[str, Any]:
    return {"error": code, "error_description": description}
