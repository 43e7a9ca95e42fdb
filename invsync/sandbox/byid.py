"""Objects asked for by their global id."""

from __future__ import annotations

from typing import Any

from invsync.sandbox.access import READ_SCOPES
from invsync.sandbox.account import BulkJob
from invsync.sandbox.context import Context
from invsync.sandbox.failures import access_denied, failure
from invsync.sandbox.gids import is_global_id, parse_gid
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Item, Level, Location, Product, Variant

#: Which GraphQL type a Python object is.
TYPE_NAMES: dict[type[Any], str] = {
    Shop: "Shop",
    Location: "Location",
    Product: "Product",
    Variant: "ProductVariant",
    Item: "InventoryItem",
    Level: "InventoryLevel",
    BulkJob: "BulkOperation",
}


def type_name(thing: Any) -> str:
    """The GraphQL type of an object behind the `Node` interface."""
    return str(thing["__typename"]) if isinstance(thing, dict) else TYPE_NAMES[type(thing)]


def by_gid(ctx: Context, text: str, kind: str | None = None) -> Any:
    """The object with that global id, or None.

    Raises GraphQLError for text that is no global id.
    """
    if not is_global_id(text):
        raise failure(
            f"Invalid global id '{text}'", "argumentLiteralsIncompatible", typeName="CoercionError"
        )
    parsed = parse_gid(text)
    if parsed is None or (kind is not None and parsed[0] != kind):
        return None
    found, number = parsed
    shop = ctx.shop
    match found:
        case "Product":
            return shop.products.get(number)
        case "ProductVariant":
            return shop.variants.get(number)
        case "InventoryItem":
            return shop.items.get(number)
        case "InventoryLevel":
            level = shop.levels.get(number)
            return level if level is not None and level.gid == text else None
        case "Location":
            return shop.locations.get(number)
        case "Shop":
            return shop if number == 1 else None
        case "BulkOperation":
            job = shop.account.jobs.get(number)
            return None if job is None or job.foreign else job
    return None


def readable(ctx: Context, thing: Any, field: str) -> Any:
    """The object, which may be of any kind, if the token may read it. Raises GraphQLError."""
    scope = READ_SCOPES.get(type_name(thing)) if thing is not None else None
    if scope is not None and not ctx.may(scope):
        raise access_denied(field, scope)
    return thing


def at_root(ctx: Context, text: str, kind: str) -> Any:
    """What a root field is asked for by id; null where it is gone.

    Raises GraphQLError for a gid of another type, as recorded.
    """
    parsed = parse_gid(text)
    if is_global_id(text) and (parsed is None or parsed[0] != kind):
        raise failure(f"Invalid id: {text}", "RESOURCE_NOT_FOUND")
    return by_gid(ctx, text, kind)
