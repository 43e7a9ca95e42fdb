"""Global ids and times, in Shopify's spelling."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/(\d+)(?:\?inventory_item_id=(\d+))?")
_ANY_GID = re.compile(r"gid://[A-Za-z][\w-]*/\w+/.+")


def gid(kind: str, number: int) -> str:
    """The global id of an object: `gid://shopify/Product/7`."""
    return f"gid://shopify/{kind}/{number}"


def level_gid(number: int, item: int) -> str:
    """A level's global id, which names its item too.

    `gid://shopify/InventoryLevel/555?inventory_item_id=11`.
    """
    return f"gid://shopify/InventoryLevel/{number}?inventory_item_id={item}"


def parse_gid(text: str) -> tuple[str, int] | None:
    """Kind and number of a global id of this shop; None for anything else."""
    match = _GID.fullmatch(text)
    return (match[1], int(match[2])) if match else None


def number_of(text: str, kind: str) -> int | None:
    """The number in a global id of that kind; None for any other text."""
    parsed = parse_gid(text)
    return parsed[1] if parsed and parsed[0] == kind else None


def is_global_id(text: str) -> bool:
    """Whether Shopify would take the text for a global id, known or not."""
    return _ANY_GID.fullmatch(text) is not None


def timestamp(seconds: float) -> str:
    """A time as the API shows it: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
