"""A run's outcome as JSON. The keys are a public interface."""

from __future__ import annotations

import json
from typing import Any

from invsync.tell.outcome import Change, Outcome, Problem


def document(outcome: Outcome) -> dict[str, Any]:
    """The JSON document of a run."""
    problems = outcome.problems
    if outcome.error is not None:
        problems = [*problems, Problem("stopped", None, None, str(outcome.error))]
    return {
        "command": outcome.command,
        "shop": outcome.shop,
        "mode": outcome.mode,
        "dry_run": outcome.dry_run,
        "scan": outcome.scan,
        "scan_why": outcome.scan_why,
        "started_at": outcome.started_at,
        "seconds": round(outcome.seconds, 3),
        "pools": outcome.pools,
        "skipped": dict(sorted(outcome.skipped.items())),
        "changes": [_change(change) for change in outcome.changes],
        "problems": [_problem(problem, outcome) for problem in problems],
        "warnings": [
            {
                "kind": warning.kind,
                "pool": warning.pool,
                "message": warning.message,
                "since": outcome.warnings_since.get(
                    (warning.kind, warning.pool), outcome.started_at
                ),
            }
            for warning in outcome.warnings
        ],
        "api": {
            "requests": outcome.requests,
            "points": outcome.points,
            "throttled": outcome.throttled,
            "waited_seconds": round(outcome.waited_seconds, 3),
        },
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "pool": change.pool,
        "title": change.title,
        "quantity": {"from": change.before, "to": change.after},
        "levels": [
            {
                "item": level.item,
                "sku": level.sku,
                "location": level.location,
                "observed": level.observed,
                "movement": level.movement,
                "delta": level.delta,
                "size": level.size,
                "applied": level.applied,
            }
            for level in change.levels
        ],
    }


def _problem(problem: Problem, outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": problem.kind,
        "pool": problem.pool,
        "title": problem.title,
        "message": problem.message,
        "since": outcome.problems_since.get((problem.kind, problem.pool), outcome.started_at),
        "levels": [
            {
                "item": level.item,
                "sku": level.sku,
                "location": level.location,
                "observed": level.observed,
            }
            for level in problem.levels
        ],
    }


def to_json(outcome: Outcome, encoding: str = "utf-8") -> str:
    """The JSON document as text."""
    return json.dumps(
        document(outcome), ensure_ascii=encoding.lower().replace("-", "") != "utf8", indent=2
    )
