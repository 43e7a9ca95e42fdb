"""How a shop behaves towards its callers, and what it keeps of them: points, keys, jobs, tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Settings:
    """How this shop behaves; part of the state, so that every door obeys it.

    Times are in seconds.
    """

    #: What a time without a zone is read in.
    time_zone: str = "America/New_York"
    #: How long the search index takes to notice a change.
    index_lag: float = 0.0
    #: How long an idempotency key is remembered (Shopify: 24 h).
    key_retention: float = 86_400.0
    #: Size of the point bucket, and points restored per second.
    bucket_size: float = 2_000.0
    restore_rate: float = 100.0
    #: How long a bulk operation is CREATED, and how long it is RUNNING after that.
    bulk_queue_time: float = 0.05
    bulk_run_time: float = 0.2
    #: Bulk queries that may run at once.
    bulk_limit: int = 5
    #: Order of a bulk result: `grouped`, `apart` (children after all parents) or `shuffled`.
    #: `groupObjects: true` always gives `grouped`.
    bulk_order: str = "apart"
    #: How long the URL of a bulk result works (Shopify: 7 days).
    url_lifetime: float = 604_800.0
    #: How long a granted token works, and what it (or an admin-made app's token) may do.
    token_lifetime: float = 86_399.0
    scopes: tuple[str, ...] = ("read_products", "read_locations", "write_inventory")


@dataclass(slots=True)
class Bucket:
    """The leaky bucket of points: what was available, and when that was so."""

    available: float = 2_000.0
    at: float = 0.0


@dataclass(slots=True)
class Remembered:
    """What an idempotency key was used for: fingerprint of the call, when, and how it ended."""

    fingerprint: str
    at: float
    #: None for a call that ended in user errors.
    outcome: dict[str, Any] | None


@dataclass(slots=True)
class BulkJob:
    """A bulk operation, from its start to its result."""

    id: int
    query: str
    version: str
    grouped: bool
    created_at: float
    #: Another app's operation: it counts against nothing but is seen in lists.
    foreign: bool = False
    cancelled_at: float | None = None
    #: When another app's operation is over.
    until: float = 0.0
    #: How it is made to end, if not well (FAILED, CANCELED, EXPIRED), with which error, and whether
    #: it leaves a part.
    ends_as: str | None = None
    error_code: str | None = None
    partial: bool = True
    #: Faults of its URL: never given out, or expired from the start.
    no_url: bool = False
    url_expired: bool = False
    #: Once it is over: numbers of objects, roots and bytes, and the signature of its URL; None
    #: while it runs.
    result: dict[str, Any] | None = None


@dataclass(slots=True)
class Account:
    """What a shop remembers of those who call it.

    `keys`: by idempotency key. `jobs`: by number. `tokens`: granted ones, and until when they work.
    """

    bucket: Bucket
    keys: dict[str, Remembered] = field(default_factory=dict)
    jobs: dict[int, BulkJob] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
