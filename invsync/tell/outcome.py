"""What a run comes to, as values: every pool, change, problem and warning, filled in as it goes.

A message is one line: it begins with the pool's title, says what happened, names levels by SKU or
location, and ends with what to do next; a command to run stands last, in backticks, so that a
terminal can show it on a line of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct, field

from invsync.axis import Axis
from invsync.state.files import Command

#: How each pool that was looked at is counted: exactly once, by the first of these that is true of
#: it.
Standing = Literal["failed", "paused", "held", "out_of_sync", "adopted", "adjusted", "in_step"]


class LevelChange(Struct, frozen=True):
    """What one level read, how it moved since the last run, and what was sent for it.

    `location`: its name; `size`: the units of one piece.
    """

    item: str
    sku: str
    name: str
    location: str
    observed: int
    movement: int
    delta: int
    applied: bool
    size: int = 1

    @property
    def label(self) -> str:
        """What people call the level."""
        return self.name


class Change(Struct, frozen=True):
    """A pool whose quantity changed, or for which adjustments were planned."""

    pool: str
    title: str
    before: int | None
    after: int | None
    why: str
    levels: tuple[LevelChange, ...]


class Shown(Struct, frozen=True):
    """A level of a problem.

    Its item, SKU (or, without one, its name) and location, and what it read.
    """

    item: str
    sku: str
    location: str
    observed: int


class Problem(Struct, frozen=True):
    """Something that needs a person; the run exits 3.

    `levels`: what each reads, and what people call it. `mend`: what to do about it, the end of the
    message as `Said` has it; "" where that is of no use to another pool. `gist`: by what a problem
    that stands is seen to have changed.
    """

    kind: str
    pool: str | None
    title: str | None
    message: str
    levels: tuple[Shown, ...] = ()
    mend: str = ""
    gist: str = ""


class Warning(Struct, frozen=True):
    """Something that a person should know."""

    kind: str
    pool: str | None
    message: str


class Outcome(Struct):
    """All that a run did, filled in as it goes; `exit_code` follows from it.

    `asked`: the options, as they are typed for a run that is no dry one; `places`: the locations,
    by id, with their names; `axis`: how it pools; `plain`: whether a level is to read what the
    quantity is. `error` is what ended it early, `left` how many pools it had still to deal with
    then; `dealt`: the ids of those that it has dealt with, `known` of all that are remembered.
    `…_since`: kind and pool → since when it is so (UTC text), where that is not since this run.
    """

    command: Command
    shop: str
    mode: str
    dry_run: bool
    started_at: str
    scan: str = "complete"
    scan_why: str = ""
    asked: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    axis: Axis | None = None
    plain: bool = True
    seconds: float = 0.0
    seen: int = 0
    left: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = []
    problems: list[Problem] = []
    warnings: list[Warning] = []
    requests: int = 0
    points: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    error: Exception | None = None
    dealt: set[str] = set()
    known: Collection[str] = ()
    problems_since: Mapping[tuple[str, str | None], str] = {}
    warnings_since: Mapping[tuple[str, str | None], str] = {}

    @property
    def exit_code(self) -> int:
        """0 in step, 3 when a person is needed, else what the error says."""
        if self.error is not None:
            return int(getattr(self.error, "exit_code", 1))
        return 3 if self.problems else 0

    @property
    def pools(self) -> dict[str, int]:
        """How the pools stand, a pool counted once."""
        counts = {
            kind: self.standings[kind]
            for kind in ("adopted", "adjusted", "out_of_sync", "held", "paused", "failed")
        }
        return {
            "seen": self.seen,
            "in_step": max(0, self.seen - sum(counts.values()) - self.left),
            **counts,
        }

    @property
    def eventful(self) -> bool:
        """Whether cron's mail has anything to tell, beside the line of an error on stderr."""
        return bool(self.changes or self.problems or self.warnings or self.standings["adopted"])
