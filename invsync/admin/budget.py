"""The shop's budget of points: what its last answer told, filling up since. Pure.

https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

#: Points a second of the smallest plan, where Shopify tells the bucket's level but not how fast it
#: fills.
STANDARD_RESTORE_RATE = 100.0
#: Shopify's advice for a throttled call, where nothing tells how many points are missing.
UNKNOWN_WAIT_SECONDS = 1.0
#: Seconds added to a wait for points, since Shopify may count in whole ones.
ROUNDING_SECONDS = 0.01


class Cost(Struct, frozen=True):
    """`extensions.cost` of one answer; None for what it does not tell.

    `requested`: points asked for; `spent`: what was really taken; `maximum`, `left`, `rate`: of
    the bucket, in points and points a second.
    """

    requested: float | None = None
    spent: float | None = None
    maximum: float | None = None
    left: float | None = None
    rate: float | None = None

    def seconds_until(self, requested: float) -> float:
        """How long to wait after this answer refused a call for want of `requested` points."""
        if self.left is None or not self.rate:
            return UNKNOWN_WAIT_SECONDS
        return max(0.0, requested - self.left) / self.rate


def cost_of(payload: Any) -> Cost:
    """What an answer tells of costs; whatever it holds that is no number counts as not told."""
    cost = _inner(_inner(payload, "extensions"), "cost")
    status = _inner(cost, "throttleStatus")
    return Cost(
        number(cost.get("requestedQueryCost")),
        number(cost.get("actualQueryCost")),
        number(status.get("maximumAvailable")),
        number(status.get("currentlyAvailable")),
        number(status.get("restoreRate")),
    )


def connection_cost(first: int, node: int) -> int:
    """Points that Shopify asks for a connection of `first` nodes, each of whose fields cost `node`.

    Inferred from what Shopify was recorded to ask; no page gives the formula.
    """
    return 2 + max(1, math.floor(2 * math.log(first))) * (1 + node)


class Bucket:
    """The shop's point bucket as its last answer told, filling up since."""

    def __init__(self) -> None:
        self.maximum: float | None = None
        self._rate = STANDARD_RESTORE_RATE
        self._level: float | None = None
        self._at = 0.0

    def note(self, cost: Cost, now: float) -> None:
        """Believe the answer that came at `now`: another process may use the same bucket.

        What it does not tell stays.
        """
        self.maximum = self.maximum if cost.maximum is None else cost.maximum
        self._rate = self._rate if cost.rate is None else cost.rate
        if cost.left is not None:
            self._level, self._at = cost.left, now

    def left(self, now: float) -> float | None:
        """Points at `now`; None before the shop has told."""
        if self._level is None:
            return None
        full = math.inf if self.maximum is None else self.maximum
        return min(full, self._level + self._rate * (now - self._at))

    def missing_seconds(self, cost: float, now: float) -> float:
        """How long until `cost` points are there, or the bucket is full if it holds fewer."""
        left = self.left(now)
        wanted = cost if self.maximum is None else min(cost, self.maximum)
        if left is None or left >= wanted:
            return 0.0
        if self._rate <= 0:
            return UNKNOWN_WAIT_SECONDS
        return (wanted - left) / self._rate + ROUNDING_SECONDS


def number(value: Any) -> float | None:
    """A finite number that an answer holds; 0 is one, true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _inner(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
