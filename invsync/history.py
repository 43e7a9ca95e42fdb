"""The lines of the history, which `invsync explain` reads: what was sent, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invsync.sync import LevelId


def sent(
    at: str,
    run: str,
    batch: str,
    pool: Mapping[str, str],
    level: LevelId,
    told: Mapping[str, Any],
    delta: int,
) -> dict[str, Any]:
    """An adjustment that was applied. `pool`: id, title and why; `told`: the level's sku, name and reading before."""
    return {
        "at": at,
        "run": run,
        "batch": batch,
        "pool": pool["pool"],
        "title": pool["title"],
        "item": level.item,
        "sku": told["sku"],
        "name": told["name"],
        "location": level.location,
        "before": told["observed"],
        "delta": delta,
        "after": told["observed"] + delta,
        "why": pool["why"],
    }


def moved(at: str, run: str, pool: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What moved in a pool, and what its quantity became for that."""
    return {
        "at": at,
        "run": run,
        "pool": pool,
        "title": record["title"],
        "why": record["why"],
        "quantity": record["quantity"],
        "moved": record["moved"],
    }


def identity(line: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two lines tell the same."""
    return (
        line.get("run"),
        line.get("batch"),
        line.get("pool"),
        line.get("item"),
        line.get("location"),
    )
