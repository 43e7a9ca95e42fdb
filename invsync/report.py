"""A run's outcome, as a person reads it and as JSON.

The JSON keys are a public interface. Messages name titles and SKUs, say what happened, and end with what to do next.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from invsync.sync import Note, Plan

#: How each pool that was looked at is counted: exactly once, by the first of these that is true of it.
Standing = Literal["failed", "held", "out_of_sync", "adopted", "adjusted", "in_step"]

#: Levels that a message spells out before it only counts the rest.
_NAMED = 8


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What one level read, how it moved since the last run, and what was sent for it. `location`: its name."""

    item: str
    sku: str
    name: str
    location: str
    observed: int
    movement: int
    delta: int
    applied: bool

    @property
    def label(self) -> str:
        """What people call the level."""
        return self.name


@dataclass(frozen=True, slots=True)
class Change:
    """A pool whose quantity changed, or for which adjustments were planned."""

    pool: str
    title: str
    before: int | None
    after: int | None
    why: str
    levels: tuple[LevelChange, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs a person; the run exits 3. `levels`: (label, observed)."""

    kind: str
    pool: str | None
    title: str | None
    message: str
    levels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that a person should know."""

    kind: str
    pool: str | None
    message: str


@dataclass(slots=True)
class Outcome:
    """All that a run did, filled in as it goes. `error` is what ended it early; `exit_code` follows from it all."""

    command: str
    shop: str
    mode: str
    dry_run: bool
    started_at: str
    scan: str = "complete"
    scan_why: str = ""
    seconds: float = 0.0
    seen: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    requests: int = 0
    points: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    error: Exception | None = None

    @property
    def exit_code(self) -> int:
        """0 in step, 3 when a person is needed, else what the error says."""
        if self.error is not None:
            return int(getattr(self.error, "exit_code", 1))
        return 3 if self.problems else 0

    @property
    def pools(self) -> dict[str, int]:
        """How the pools stand, a pool counted once."""
        counts = {kind: self.standings[kind] for kind in ("adopted", "adjusted", "out_of_sync", "held", "failed")}
        return {"seen": self.seen, "in_step": max(0, self.seen - sum(counts.values())), **counts}

    @property
    def eventful(self) -> bool:
        """Whether there is anything that cron's mail should tell."""
        return bool(self.changes or self.problems or self.warnings or self.standings["adopted"] or self.error)


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
        "changes": [
            {
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
                        "applied": level.applied,
                    }
                    for level in change.levels
                ],
            }
            for change in outcome.changes
        ],
        "problems": [
            {
                "kind": problem.kind,
                "pool": problem.pool,
                "title": problem.title,
                "message": problem.message,
                "levels": [{"sku": label, "observed": observed} for label, observed in problem.levels],
            }
            for problem in problems
        ],
        "warnings": [
            {"kind": warning.kind, "pool": warning.pool, "message": warning.message} for warning in outcome.warnings
        ],
        "api": {
            "requests": outcome.requests,
            "points": outcome.points,
            "throttled": outcome.throttled,
            "waited_seconds": round(outcome.waited_seconds, 3),
        },
    }


def to_json(outcome: Outcome) -> str:
    """The JSON document as text."""
    return json.dumps(document(outcome), ensure_ascii=False, indent=2)


def text(outcome: Outcome) -> str:
    """The report: a row per changed pool, what needs a person, what to know, and one countable line."""
    lines = [change_line(change, dry_run=outcome.dry_run) for change in outcome.changes]
    lines += [f"PROBLEM  {problem.message}" for problem in outcome.problems]
    lines += [f"WARNING  {warning.message}" for warning in outcome.warnings]
    lines.append(summary(outcome))
    return "\n".join(lines)


def summary(outcome: Outcome) -> str:
    """The closing line."""
    pools = outcome.pools
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in pools.items() if count and kind != "seen")
    planned = " (dry run: nothing was sent or written)" if outcome.dry_run else ""
    return (
        f"{outcome.command}: {pools['seen']} pools: {counts or 'none'}{planned}; "
        f"{outcome.requests} requests, {outcome.points} points, {outcome.seconds:.1f} s"
    )


def change_line(change: Change, *, dry_run: bool) -> str:
    """A pool's row: what it is, from and to which quantity, what moved, what was sent."""
    moved = [f"{level.label} {level.movement:+d}" for level in change.levels if level.movement]
    sent = [f"{level.label} {level.delta:+d}" for level in change.levels if level.delta and level.applied]
    unsent = [f"{level.label} {level.delta:+d}" for level in change.levels if level.delta and not level.applied]
    parts = [f"{change.title}: {'?' if change.before is None else change.before} → {change.after}"]
    if moved:
        parts.append(f"moved {_list(moved)}")
    if sent:
        parts.append(f"sent {_list(sent)}")
    if unsent:
        parts.append(f"{'to send' if dry_run else 'not sent'} {_list(unsent)}")
    return "; ".join(parts)


def _list(parts: Sequence[str]) -> str:
    if len(parts) <= _NAMED:
        return ", ".join(parts)
    return f"{', '.join(parts[:_NAMED])} and {len(parts) - _NAMED} more"


def explain_note(note: Note, plan: Plan, title: str, labels: Mapping[Any, str], command: str, rule: str) -> str:
    """What a note of the rule means for the person who reads it. `rule`: the `several_rises` in force."""
    units = _list([f"{labels[level]} {count}" for level, count in note.levels.items()])
    signed = _list([f"{labels[level]} {count:+d}" for level, count in note.levels.items()])
    one = "variant" if command == "variants" else "location"
    before, after = plan.before, plan.pool.quantity
    if note.kind == "out_of_sync":
        waits = (
            "Set all of them to the right number in Shopify and the next run takes it from there"
            if command == "variants"
            else "The first of them that changes from now on sets the number for all"
        )
        return (
            f"{title}: its {one}s differ ({units}), it is left alone. {waits}; or run "
            f"`invsync {command} --init --align lowest` (or `highest`)"
        )
    if note.kind == "several_rises":
        total, counted = sum(note.levels.values()), plan.risen
        did = {
            "smallest": f"only the smallest rise was counted ({before} → {after}). If these were separate restocks, "
            f"raise one {one} by {total - counted} more",
            "sum": f"all were counted ({before} → {after}). If it was one restock typed in at each {one}, lower one "
            f"{one} by what is too much",
            "hold": f"none was counted. Set all {one}s to the right number and the next run takes it from there",
        }[rule]
        return f"{title}: several {one}s rose between two runs ({signed}): {did}"
    if note.kind == "held":
        braked = plan.pool.braked
        way = (
            f"If the rises are right, run `invsync {command} --force`; if not, take them back in Shopify"
            if braked
            else f"Set all {one}s to the right number and the next run takes it from there"
        )
        why = "too many pools rose in one run" if braked else "several rose"
        return f"{title}: rises wait for a person, {why} ({signed}); the quantity is {after} without them. {way}"
    if note.kind == "stock_count":
        return (
            f"{title}: all its {one}s fell alike ({signed}), by more than the {after} there were: that looks like a "
            f"stock count, and nothing was counted. To confirm it run `invsync {command} --force`, or change one {one} "
            "to the right number"
        )
    if note.kind == "fell_alike":
        return (
            f"{title}: all its {one}s fell alike ({signed}), counted as sales ({before} → {after}). If it was a stock "
            f"count, change one {one} to the right number: the others follow"
        )
    if note.kind == "another_program":
        return (
            f"{title}: all its {one}s keep falling alike ({signed}): another program seems to adjust them too, it is "
            f"left alone. Stop the other program, set all {one}s to the right number, then run "
            f"`invsync {command} --init`"
        )
    if note.kind == "new_level_stock":
        return (
            f"{title}: a new {one} came with stock of its own ({units}), which was not added: it was brought to "
            f"{after}. If these are further units, raise one {one} by them"
        )
    if note.kind == "several_sources":
        return (
            f"{title}: several {one}s changed ({signed}) before any had set the number: the smallest was taken, "
            f"{after}. If that is wrong, change one {one} to the right number"
        )
    return f"{title}: adopted at {after}"
