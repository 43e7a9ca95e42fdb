"""Bulk operations: their life by the clock, and where their results are fetched.

Source of the rules: https://shopify.dev/docs/api/usage/bulk-operations/queries.

An operation is CREATED, then RUNNING, then over; what it reads is the shop as it is when the next
request after that comes (`bulk_work.py`). Its result is fetched without a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invsync.sandbox.account import BulkJob
from invsync.sandbox.context import Context
from invsync.sandbox.results import Results
from invsync.sandbox.shop import Shop

#: Every status that a bulk operation can have.
STATUSES = ("CANCELED", "CANCELING", "COMPLETED", "CREATED", "EXPIRED", "FAILED", "RUNNING")

#: Where results are fetched from, below the shop's address.
RESULTS = "/sandbox-files/"


def status(shop: Shop, job: BulkJob) -> str:
    """The operation's status now."""
    if job.cancelled_at is not None:
        stopped = job.cancelled_at + shop.settings.bulk_queue_time
        return "CANCELED" if shop.now() >= stopped else "CANCELING"
    if job.foreign:
        return "RUNNING" if shop.now() < job.until else "COMPLETED"
    if shop.now() < job.created_at + shop.settings.bulk_queue_time:
        return "CREATED"
    if job.result is None:
        return "RUNNING"
    if job.ends_as is not None:
        return job.ends_as
    expired = shop.now() >= _end(shop, job) + shop.settings.url_lifetime
    return "EXPIRED" if expired else "COMPLETED"


def is_due(shop: Shop, job: BulkJob) -> bool:
    """Whether the operation's time is over, and what came out of it not known yet."""
    open_ = job.result is None and job.cancelled_at is None and not job.foreign
    return open_ and shop.now() >= _end(shop, job)


def completed_at(shop: Shop, job: BulkJob) -> float | None:
    """When the operation was over; None while it runs, and where it was cancelled (recorded)."""
    if status(shop, job) in ("CREATED", "RUNNING", "CANCELING", "CANCELED"):
        return None
    return _end(shop, job)


def _end(shop: Shop, job: BulkJob) -> float:
    return job.created_at + shop.settings.bulk_queue_time + shop.settings.bulk_run_time


def error_code(shop: Shop, job: BulkJob) -> str | None:
    """Why it failed; None unless it did."""
    return job.error_code or "INTERNAL_SERVER_ERROR" if status(shop, job) == "FAILED" else None


def running(shop: Shop) -> list[BulkJob]:
    """The operations that are not over."""
    return [
        job for job in shop.account.jobs.values() if status(shop, job) in ("CREATED", "RUNNING")
    ]


# -- the result ------------------------------------------------------------------------------------


def found(job: BulkJob) -> Mapping[str, Any]:
    """What came out of the operation; empty before its end."""
    return job.result or {}


def name(job: BulkJob) -> str:
    """What its result is called."""
    return f"bulk-{job.id}.jsonl"


def url(ctx: Context, job: BulkJob, *, partial: bool) -> str | None:
    """Where the result is fetched; None while there is none, or where nothing matched.

    What one that was cancelled had read by then is shown as if it were its result (recorded).
    """
    ended = status(ctx.shop, job)
    hidden = job.no_url or ctx.interference.bulk_no_url
    if (
        not found(job).get("objects")
        or (ended not in ("COMPLETED", "CANCELED")) is not partial
        or ended == "EXPIRED"
        or hidden
    ):
        return None
    expired = job.url_expired or ctx.interference.bulk_url_expired
    end = completed_at(ctx.shop, job) or ctx.shop.now()
    expires = int(ctx.shop.now() - 1 if expired else end + ctx.shop.settings.url_lifetime)
    signature = found(job)["signature"]
    return f"{ctx.base_url}{RESULTS}{name(job)}?Expires={expires}&Signature={signature}"


def result_for(
    shop: Shop, results: Results, path: str, query: Mapping[str, str]
) -> tuple[int, bytes | Path | None]:
    """The answer to a request for a result: status, and the result where that is 200."""
    digits = path.removeprefix(f"{RESULTS}bulk-").removesuffix(".jsonl")
    job = shop.account.jobs.get(int(digits)) if digits.isdecimal() else None
    result = None if job is None or job.result is None else results.find(name(job))
    if job is None or result is None:
        return 404, None
    expires = query.get("Expires", "")
    if query.get("Signature") != found(job).get("signature") or not expires.isdecimal():
        return 403, None
    return (200, result) if shop.now() < int(expires) else (403, None)
