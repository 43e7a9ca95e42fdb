"""Top-level GraphQL errors in Shopify's shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

ACCESS_DOCS = "https://shopify.dev/api/usage/access-scopes"
LIMIT_DOCS = "https://shopify.dev/api/usage/rate-limits"


def failure(message: str, code: str, **extensions: Any) -> GraphQLError:
    """An error that nulls its field and carries `extensions.code`."""
    return GraphQLError(message, extensions={"code": code, **extensions})


def never_seen(what: str) -> GraphQLError:
    """The sandbox's own refusal: nobody knows what Shopify makes of this."""
    return failure(
        f"The sandbox refuses {what}: nobody has seen what Shopify makes of it.", "BAD_REQUEST"
    )


def access_denied(field: str, scope: str) -> GraphQLError:
    """The field needs a scope that the token does not carry.

    https://shopify.dev/docs/api/usage/access-scopes
    """
    required = f"`{scope}` access scope."
    return failure(
        f"Access denied for {field} field. Required access: {required}",
        "ACCESS_DENIED",
        documentation=ACCESS_DOCS,
        requiredAccess=required,
    )


def internal_error(request_id: str) -> dict[str, Any]:
    """Shopify broke; the answer as a whole, with status 200."""
    return error_answer(
        f"Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id} "
        "(include this in"
        " support requests).",
        "INTERNAL_SERVER_ERROR",
        requestId=request_id,
    )


def error_answer(message: str, code: str | None, **extensions: Any) -> dict[str, Any]:
    """An answer that holds one error and no data."""
    error: dict[str, Any] = {"message": message}
    if code is not None:
        error["extensions"] = {"code": code, **extensions}
    return {"errors": [error]}


def too_many(size: int, path: Sequence[str | int]) -> dict[str, Any]:
    """An input array of more than 250 elements; nothing is executed."""
    answer = error_answer(
        f"The input array size of {size} is greater than the maximum allowed of 250.",
        "MAX_INPUT_SIZE_EXCEEDED",
    )
    answer["errors"][0]["path"] = list(path)
    return answer
