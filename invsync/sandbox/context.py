"""What the fields of one operation know beside their own object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from invsync.sandbox.results import InMemory, Results
from invsync.sandbox.shop import Shop


@dataclass(slots=True)
class Interference:
    """What a fault rule does to mutations of inventory."""

    #: Answer as if the bucket were empty.
    throttled: bool = False
    #: A user error for the whole call; and whether the call is applied all the same.
    user_error: str | None = None
    user_error_applied: bool = False
    #: Refused items: SKU or global id → (code, whether `field` is given).
    refused: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    #: Whether a top-level error stands beside the applied change.
    error_beside_data: bool = False
    #: From now on, how long idempotency keys are remembered, in seconds.
    key_retention: float | None = None
    #: How a bulk operation that is started now will end, and whether it leaves a part of its
    #: result.
    bulk_ends: str | None = None
    bulk_partial: bool = True
    #: Bulk operations of another app fill all places for so many seconds.
    bulk_busy: float | None = None
    #: The URL of a bulk result is left out, or has expired.
    bulk_no_url: bool = False
    bulk_url_expired: bool = False


@dataclass(slots=True)
class Context:
    """The shop, the version that answers, what the token may do, and the notes taken on the way."""

    shop: Shop
    version: str
    scopes: frozenset[str]
    variables: Mapping[str, Any] = field(default_factory=dict)
    interference: Interference = field(default_factory=Interference)
    #: Where results of bulk operations are kept, and the address that they are fetched from.
    results: Results = field(default_factory=InMemory)
    base_url: str = ""
    #: Response path of the connection that is being resolved.
    path: Callable[[], list[str | int]] = list
    searches: list[dict[str, Any]] = field(default_factory=list)
    #: Set once a change was applied that an error is to stand beside.
    beside_data: bool = False
    #: Whether searches without a warning are shown, too.
    search_debug: bool = False

    def may(self, scope: str) -> bool:
        """Whether the token carries the scope; writing includes reading."""
        return scope in self.scopes or scope.replace("read_", "write_", 1) in self.scopes
