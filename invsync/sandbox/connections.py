"""Cursor pages, and Shopify's limits: `first`, `last`, `after`, `before` and `reverse`."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from invsync.sandbox.failures import failure, never_seen

#: The most that one page may hold, and the deepest that paging goes into one result set.
PAGE_LIMIT = 250
DEPTH_LIMIT = 25_000


class Ordered:
    """Things in the order of a sort key; ties are broken by their number."""

    __slots__ = ("keys", "things")

    def __init__(self, things: Iterable[Any], value: Callable[[Any], Any] | None = None) -> None:
        """`value`: what to sort by; None sorts by number."""
        if value is None:
            self.things = sorted(things, key=lambda thing: thing.id)
            self.keys = [(thing.id, thing.id) for thing in self.things]
        else:
            keyed = sorted(((value(thing), thing.id), thing) for thing in things)
            self.things = [thing for _, thing in keyed]
            self.keys = [key for key, _ in keyed]


@dataclass(slots=True)
class Page:
    """One page of a connection; `keys` are the sort keys of its nodes."""

    nodes: list[Any]
    keys: list[tuple[Any, int]]
    has_next: bool
    has_previous: bool


def page(ordered: Ordered, args: Mapping[str, Any]) -> Page:
    """The page that the arguments ask for. Raises GraphQLError with Shopify's codes."""
    first, last = args.get("first"), args.get("last")
    check_size(first, last)
    keys, count = ordered.keys, len(ordered.keys)
    start, end = 0, count
    backwards = bool(args.get("reverse"))
    if args.get("after") is not None:
        key = _read_cursor(args["after"])
        start = (
            count - _place(bisect_left, keys, key) if backwards else _place(bisect_right, keys, key)
        )
    if args.get("before") is not None:
        key = _read_cursor(args["before"])
        end = (
            count - _place(bisect_right, keys, key) if backwards else _place(bisect_left, keys, key)
        )
    end = max(start, end)
    if first is not None:
        if start >= DEPTH_LIMIT:
            raise failure(
                f"Cannot page beyond {DEPTH_LIMIT} objects of one result set.", "BAD_REQUEST"
            )
        stop = min(start + first, end, DEPTH_LIMIT)
        has_next, has_previous = stop < end, start > 0
        begin = start
    else:
        assert last is not None
        begin, stop = max(start, end - last), end
        if count - begin > DEPTH_LIMIT and begin != start:
            raise failure(
                f"Cannot page beyond {DEPTH_LIMIT} objects of one result set.", "BAD_REQUEST"
            )
        has_next, has_previous = stop < count, begin > start
    if backwards:
        nodes = ordered.things[count - stop : count - begin][::-1]
        chosen = keys[count - stop : count - begin][::-1]
    else:
        nodes, chosen = ordered.things[begin:stop], keys[begin:stop]
    return Page(nodes, chosen, has_next, has_previous)


def check_size(first: int | None, last: int | None) -> None:
    """Exactly one of the two, from 1 to 250. Raises GraphQLError."""
    if first is None and last is None:
        raise failure("you must provide one of first or last", "BAD_REQUEST")
    if first is not None and last is not None:
        raise failure("providing both first and last is not supported", "BAD_REQUEST")
    name, size = ("first", first) if first is not None else ("last", last)
    assert size is not None
    if size > PAGE_LIMIT:
        raise failure(f"{name} cannot exceed {PAGE_LIMIT}. You supplied: {size}", "BAD_REQUEST")
    if size < 0:
        raise failure(f"{name} cannot be negative", "BAD_REQUEST")
    if size == 0:
        raise never_seen(f"{name}: 0")


def cursor(key: tuple[Any, int]) -> str:
    """An opaque cursor: base64 of `{"last_id": …, "last_value": …}`."""
    value, number = key
    return base64.b64encode(json.dumps({"last_id": number, "last_value": value}).encode()).decode()


def _read_cursor(text: str) -> tuple[Any, int]:
    try:
        written = json.loads(base64.b64decode(text, validate=True))
        return written["last_value"], int(written["last_id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise _bad_cursor() from None


def _place(
    find: Callable[[list[Any], Any], int], keys: list[tuple[Any, int]], key: tuple[Any, int]
) -> int:
    try:
        return find(keys, key)
    except TypeError:  # a cursor of another sort key
        raise _bad_cursor() from None


def _bad_cursor() -> Exception:
    return failure("Invalid cursor for current pagination sort.", "BAD_REQUEST")
