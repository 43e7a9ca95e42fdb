"""What the app may do in the shop, and until when Shopify speaks each version of its API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.admin.nodes import shaped

#: The scopes that invsync needs and no more, each with what for
#: (https://shopify.dev/docs/api/usage/access-scopes).
NEEDED: Mapping[str, str] = {
    "read_products": "to find products and their variants",
    "read_locations": "to know the shop's locations",
    "write_inventory": "to read quantities and to adjust them",
}

#: Until when each version of the API is served; later, a newer one answers in its stead, by its own
#: rules (https://shopify.dev/docs/api/usage/versioning, as of October 2026).
SERVED_UNTIL: Mapping[str, datetime] = {
    "2026-01": datetime(2027, 1, 16, 15, tzinfo=UTC),
    "2026-04": datetime(2027, 4, 16, 15, tzinfo=UTC),
    "2026-07": datetime(2027, 7, 16, 15, tzinfo=UTC),
    "2026-10": datetime(2027, 10, 16, 15, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Which shop answered (its `*.myshopify.com` domain), and which scopes the app has there."""

    shop: str
    scopes: frozenset[str]


def read_access(client: Client) -> Access:
    """Ask who answers and what was granted; raises what `Client.execute` raises."""
    answer = client.execute(load("access"), {}, cost=1 + 1 + 1)
    with shaped("Access"):
        granted = answer["currentAppInstallation"]["accessScopes"]
        return Access(
            str(answer["shop"]["myshopifyDomain"]),
            frozenset(str(scope["handle"]) for scope in granted),
        )


def missing(granted: Collection[str]) -> tuple[str, ...]:
    """The needed scopes that `granted` does not cover; `write_x` covers `read_x`."""
    return tuple(scope for scope in NEEDED if not covers(granted, scope))


def covers(granted: Collection[str], scope: str) -> bool:
    """Whether `scope` is granted, by itself or with the right to write."""
    return scope in granted or scope.replace("read_", "write_", 1) in granted
