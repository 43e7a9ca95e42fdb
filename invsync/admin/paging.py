"""Pages by id ranges, and reading by id: as much at once as Shopify takes, less where that is much.

Pages are id ranges rather than cursors: Shopify pages no deeper than 25,000 objects of one result
set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from invsync.admin.nodes import Listing, PageInfo, ProductId, VariantId, of, shaped
from invsync.admin.search import number
from invsync.errors import QueryTooLarge

#: The largest page, and the most ids that one call may name.
PAGE = 250
#: Rows that one reading by id may bring, which bounds the size of an answer.
ROWS_A_CALL = 20_000

T = TypeVar("T")

#: Id → the listings that were asked for by it; none for one that is gone.
ById = dict[str, tuple[Listing, ...]]


class Gone(Exception):
    """What was asked for by id is not there any more; it never leaves the readers."""


_IDS = {"products": ProductId, "productVariants": VariantId}


def pages_by_id(
    operation: str, connection: str, page: Callable[[int, int], dict[str, Any]], first: int
) -> Iterator[list[Any]]:
    """The nodes of every page of a connection of `_IDS`.

    A page that is too much for Shopify is asked for again at half the size.

    `page` asks for so many objects beyond an id.
    """
    after, kind = 0, _IDS[connection]
    while True:
        most, answer = halving(page, first, after)
        first = min(first, most)
        with shaped(operation):
            nodes: list[Any] = answer[connection]["nodes"]
            if not isinstance(nodes, list):
                raise TypeError(f"{nodes!r} where a list belongs")
            more = of(operation, answer[connection]["pageInfo"], PageInfo).has_next_page
            last = number(msgspec.convert(nodes[-1]["id"], kind)) if nodes else after
            if more and last <= after:
                raise ValueError("a page that does not go on from the one before it")
        yield nodes
        if not more:
            return
        after = last


def halving(ask: Callable[[int, int], T], first: int, after: int) -> tuple[int, T]:
    """What `ask` answers for so many after a place; half as many as long as that is too much."""
    while True:
        try:
            return first, ask(first, after)
        except QueryTooLarge:
            if first == 1:
                raise
            first = (first + 1) // 2


def read_all(read: Callable[[Sequence[str]], ById], ids: Sequence[str], rows: int) -> ById:
    """What `read` finds of all `ids`; each may bring so many rows."""
    found: ById = {}
    size, start = min(PAGE, ROWS_A_CALL // rows), 0
    while start < len(ids):
        ask = partial(_slice, read, ids)
        size, some = halving(ask, min(size, len(ids) - start), start)
        found |= some
        start += size
    return found


def _slice(
    read: Callable[[Sequence[str]], ById], ids: Sequence[str], size: int, start: int
) -> ById:
    return read(ids[start : start + size])


def by_id(operation: str, answer: dict[str, Any], ids: Sequence[str]) -> list[tuple[str, Any]]:
    """Each id with its node, null where it is gone."""
    with shaped(operation):
        nodes = answer["nodes"]
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise ValueError("other objects than those asked for")
        found = list(zip(ids, nodes, strict=True))
        if any(node is not None and node["id"] != gid for gid, node in found):
            raise ValueError("other objects than those asked for")
    return found
