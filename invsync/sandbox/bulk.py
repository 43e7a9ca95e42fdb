"""Bulk operations: their life by the clock, their result as a file of JSON lines.

Source of the rules: https://shopify.dev/docs/api/usage/bulk-operations/queries.

An operation is CREATED, then RUNNING, then over; what it reads is the shop as it is when somebody
first looks after that. Its result is kept beside the shop's state and fetched without a token.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invsync.sandbox.context import Context
from invsync.sandbox.gids import gid, number_of
from invsync.sandbox.shop import BulkJob, Shop

#: Every status that a bulk operation can have.
STATUSES = ("CANCELED", "CANCELING", "COMPLETED", "CREATED", "EXPIRED", "FAILED", "RUNNING")

#: Where results are fetched from, below the shop's address.
RESULTS = "/sandbox-files/"


def status(shop: Shop, job: BulkJob) -> str:
    """The operation's status now."""
    if job.cancelled_at is not None:
        stopped = job.cancelled_at + shop.settings.bulk_queue_time
        return "CANCELED" if shop.now() >= stopped else "CANCELING"
    settings, age = shop.settings, shop.now() - job.created_at
    if job.foreign:
        return "RUNNING" if shop.now() < job.until else "COMPLETED"
    if age < settings.bulk_queue_time:
        return "CREATED"
    run = settings.bulk_queue_time + settings.bulk_run_time
    if age < run:
        return "RUNNING"
    if job.ends_as is not None:
        return job.ends_as
    return "EXPIRED" if age >= run + settings.url_lifetime else "COMPLETED"


def completed_at(shop: Shop, job: BulkJob) -> float | None:
    """When the operation was over; None while it runs, and for one that was cancelled (recorded)."""
    if status(shop, job) in ("CREATED", "RUNNING", "CANCELING", "CANCELED"):
        return None
    return job.created_at + shop.settings.bulk_queue_time + shop.settings.bulk_run_time


def error_code(shop: Shop, job: BulkJob) -> str | None:
    """Why it failed; None unless it did."""
    return job.error_code or "INTERNAL_SERVER_ERROR" if status(shop, job) == "FAILED" else None


def running(shop: Shop) -> list[BulkJob]:
    """The operations that are not over."""
    return [job for job in shop.jobs.values() if status(shop, job) in ("CREATED", "RUNNING")]


# -- the mutations ---------------------------------------------------------------------------------


def run_query(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`bulkOperationRunQuery`."""
    from invsync.sandbox import walker

    shop, interference, query = ctx.shop, ctx.interference, args["query"]
    if interference.bulk_busy is not None:
        until = shop.now() + interference.bulk_busy
        for _place in range(shop.settings.bulk_limit - len(running(shop))):
            number = shop.new_id()
            shop.jobs[number] = BulkJob(
                number, "", ctx.version, False, shop.now(), foreign=True, until=until
            )
        shop.changed()
    problems = walker.refusals(ctx.version, query)
    if problems:
        return _started(None, "INVALID", ["query"], *problems)
    busy = running(shop)
    if len(busy) >= shop.settings.bulk_limit:
        message = (
            "A bulk query operation for this app and shop is already in progress: "
            f"{', '.join(map(_gid, busy))}."
        )
        return _started(None, "OPERATION_IN_PROGRESS", None, message)
    job = BulkJob(shop.new_id(), query, ctx.version, args["groupObjects"], shop.now())
    job.ends_as, job.partial = interference.bulk_ends, interference.bulk_partial
    job.no_url, job.url_expired = interference.bulk_no_url, interference.bulk_url_expired
    if any(not ctx.may(scope) for scope in walker.scopes(ctx.version, query)):
        job.ends_as, job.error_code, job.partial = "FAILED", "ACCESS_DENIED", False
    shop.jobs[job.id] = job
    shop.changed()
    return {"bulkOperation": job, "userErrors": []}


def cancel(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`bulkOperationCancel`."""
    job = ctx.shop.jobs.get(number_of(args["id"], "BulkOperation") or 0)
    if job is None or job.foreign:
        return {
            "bulkOperation": None,
            "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
        }
    if status(ctx.shop, job) not in ("CREATED", "RUNNING"):
        message = f"A bulk operation cannot be canceled when it is {status(ctx.shop, job).lower()}"
        return {"bulkOperation": job, "userErrors": [{"field": None, "message": message}]}
    job.cancelled_at, job.partial = ctx.shop.now(), False
    ctx.shop.changed()
    return {"bulkOperation": job, "userErrors": []}


def _started(
    job: BulkJob | None, code: str, path: list[str] | None, *messages: str
) -> dict[str, Any]:
    errors = [{"code": code, "field": path, "message": message} for message in messages]
    return {"bulkOperation": job, "userErrors": errors}


def _gid(job: BulkJob) -> str:
    return gid("BulkOperation", job.id)


# -- the result ------------------------------------------------------------------------------------


def settled(ctx: Context, job: BulkJob) -> Mapping[str, Any]:
    """What came out of the operation.

    Written when it is first looked at after its end, empty before that.
    """
    if job.result is None:
        ended = status(ctx.shop, job)
        if ended in ("CREATED", "RUNNING"):
            return {}
        whole = ended == "COMPLETED"
        job.result = (
            _write(ctx, job, whole=whole) if whole or job.partial else {"objects": 0, "roots": 0}
        )
        ctx.shop.changed()
    return job.result


def _write(ctx: Context, job: BulkJob, *, whole: bool) -> dict[str, Any]:
    from invsync.sandbox import walker

    order = "grouped" if job.grouped else ctx.shop.settings.bulk_order
    lines, roots = walker.lines(ctx, job.version, job.query, order=order)
    if not whole:
        lines = lines[: len(lines) // 2]
    ctx.bulk_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = result_path(ctx.bulk_folder, job)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    size = path.stat().st_size
    return {
        "objects": len(lines),
        "roots": min(roots, len(lines)),
        "bytes": size if whole else None,
        "signature": secrets.token_hex(20),
    }


def result_path(folder: Path, job: BulkJob) -> Path:
    """The file that holds the operation's lines."""
    return folder / f"bulk-{job.id}.jsonl"


def url(ctx: Context, job: BulkJob, *, partial: bool) -> str | None:
    """Where the result is fetched; None while there is none, or where nothing matched.

    What one that was cancelled had read by then is shown as if it were its result (recorded).
    """
    found = settled(ctx, job)
    ended = status(ctx.shop, job)
    hidden = job.no_url or ctx.interference.bulk_no_url
    if (
        not found.get("objects")
        or (ended not in ("COMPLETED", "CANCELED")) is not partial
        or ended == "EXPIRED"
        or hidden
    ):
        return None
    expired = job.url_expired or ctx.interference.bulk_url_expired
    end = completed_at(ctx.shop, job) or ctx.shop.now()
    expires = int(ctx.shop.now() - 1 if expired else end + ctx.shop.settings.url_lifetime)
    name = f"bulk-{job.id}.jsonl?Expires={expires}&Signature={found['signature']}"
    return f"{ctx.base_url}{RESULTS}{name}"


def result_for(
    shop: Shop, folder: Path, path: str, query: Mapping[str, str]
) -> tuple[int, Path | None]:
    """The answer to a request for a result: status, and the file where that is 200."""
    name = path.removeprefix(RESULTS)
    digits = name.removeprefix("bulk-").removesuffix(".jsonl")
    job = shop.jobs.get(int(digits)) if digits.isdecimal() else None
    if job is None or job.result is None or not result_path(folder, job).exists():
        return 404, None
    expires = query.get("Expires", "")
    if query.get("Signature") != job.result.get("signature") or not expires.isdecimal():
        return 403, None
    return (200, result_path(folder, job)) if shop.now() < int(expires) else (403, None)
