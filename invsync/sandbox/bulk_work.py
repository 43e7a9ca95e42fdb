"""Bulk operations at work: started, cancelled, and carried out once their time is over.

Source of the rules: as in `bulk.py`, which tells how they stand.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from invsync.sandbox import bulk, walker
from invsync.sandbox.account import BulkJob
from invsync.sandbox.context import Context
from invsync.sandbox.gids import gid, number_of


def run_query(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`bulkOperationRunQuery`."""
    shop, interference, query = ctx.shop, ctx.interference, args["query"]
    if interference.bulk_busy is not None:
        until = shop.now() + interference.bulk_busy
        for _place in range(shop.settings.bulk_limit - len(bulk.running(shop))):
            number = shop.new_id()
            shop.account.jobs[number] = BulkJob(
                number, "", ctx.version, False, shop.now(), foreign=True, until=until
            )
        shop.changed()
    problems = walker.refusals(ctx.version, query)
    if problems:
        return _started(None, "INVALID", ["query"], *problems)
    busy = bulk.running(shop)
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
    shop.account.jobs[job.id] = job
    shop.changed()
    return {"bulkOperation": job, "userErrors": []}


def cancel(_: Any, args: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """`bulkOperationCancel`."""
    job = ctx.shop.account.jobs.get(number_of(args["id"], "BulkOperation") or 0)
    if job is None or job.foreign:
        return {
            "bulkOperation": None,
            "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
        }
    if bulk.status(ctx.shop, job) not in ("CREATED", "RUNNING"):
        message = (
            f"A bulk operation cannot be canceled when it is {bulk.status(ctx.shop, job).lower()}"
        )
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


def settle(ctx: Context) -> None:
    """Carry out the operations whose time is over, on the shop as it is now."""
    for job in ctx.shop.account.jobs.values():
        if bulk.is_due(ctx.shop, job):
            job.result = _carried_out(ctx, job)
            ctx.shop.changed()


def _carried_out(ctx: Context, job: BulkJob) -> dict[str, Any]:
    whole = job.ends_as is None
    if not whole and not job.partial:
        return {"objects": 0, "roots": 0}
    order = "grouped" if job.grouped else ctx.shop.settings.bulk_order
    lines, roots = walker.lines(ctx, job.version, job.query, order=order)
    if not whole:
        lines = lines[: len(lines) // 2]
    size = ctx.results.keep(bulk.name(job), lines)
    return {
        "objects": len(lines),
        "roots": min(roots, len(lines)),
        "bytes": size if whole else None,
        "signature": secrets.token_hex(20),
    }
