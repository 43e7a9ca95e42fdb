"""Pushing the plans of a run: batches, each written in the journal before it leaves, and what is refused isolated.

A call is all or nothing. When it is refused, the pools that Shopify names are taken out whole and
the rest goes again with a new key; where none is named, halves are tried. One bad product never
stops the others.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from invsync.admin import adjust
from invsync.admin.client import Client, Clock
from invsync.errors import ShopError
from invsync.pools import Name
from invsync.state.cache import Cache
from invsync.state.journal import Journal
from invsync.state.values import utc_text
from invsync.sync import Adjustment, LevelId, Plan, Pool
from invsync.tell.outcome import Problem, Warning

#: How often a call is repeated, same key, while Shopify says that it is busy; and the seconds
#: between.
BUSY_TRIES = 5
BUSY_SECONDS = 3.0


@dataclass(slots=True)
class Work:
    """A planned pool on its way: what of it was applied, and how it ended. `notes`: what the plan has to tell.

    `refused`: Shopify's message; `again`: the levels moved meanwhile (or an earlier attempt
    failed), so that it has to be read and planned afresh.
    """

    id: str
    title: str
    plan: Plan
    names: Mapping[LevelId, Name]
    notes: tuple[Problem | Warning, ...] = ()
    applied: set[LevelId] = field(default_factory=set)
    refused: str | None = None
    again: bool = False

    @property
    def rises(self) -> bool:
        """Whether the plan counts a rise that raises other levels."""
        return self.plan.risen > 0 and len(self.plan.observed) > 1

    @property
    def pool(self) -> Pool:
        """What to remember of the pool, as things stand."""
        return self.plan.settle(self.applied)

    def record(self) -> dict[str, Any]:
        """What the journal and the history keep of the plan."""
        return {
            "title": self.title,
            "why": self.plan.why,
            "quantity": {"from": self.plan.before, "to": self.plan.pool.quantity},
            "moved": [
                {
                    "item": level.item,
                    "sku": self.names[level].sku,
                    "name": self.names[level].label,
                    "location": level.location,
                    "movement": movement,
                }
                for level, movement in self.plan.movements.items()
            ],
            "notes": [
                {"kind": note.kind, "message": note.message, "problem": isinstance(note, Problem)}
                for note in self.notes
            ],
        }

    def told(self, adjustment: Adjustment) -> dict[str, Any]:
        """What the journal and the history keep of a level."""
        name = self.names[adjustment.level]
        return {"sku": name.sku, "name": name.label, "observed": adjustment.observed}


Batch = list[tuple[Work, tuple[Adjustment, ...]]]


def push(
    works: Iterable[Work],
    client: Client,
    journal: Journal,
    cache: Cache,
    run_id: str,
    clock: Clock,
    check: Callable[[], None],
    applied: Callable[[str, Work, Adjustment], None],
) -> None:
    """Send every adjustment of `works`, noting in each how it ended; `applied` is told of each that took effect.

    `check` is called before each batch and may raise to stop there. Any other exception means that
    the outcome of the batch in flight is unknown; the journal holds it.
    """
    queue = deque(_pack(works))
    while queue:
        batch = [(work, some) for work, some in queue.popleft() if not (work.refused or work.again)]
        if not batch:
            continue
        check()
        rows = [(work, adjustment) for work, some in batch for adjustment in some]
        refusals, key = _send(rows, client, journal, cache, run_id, clock)
        if not refusals:
            for work, adjustment in rows:
                work.applied.add(adjustment.level)
                applied(key, work, adjustment)
            continue
        _blame(refusals, batch, rows)
        rest = [(work, some) for work, some in batch if not (work.refused or work.again)]
        if len(rest) < len(batch):
            queue.appendleft(rest)
        else:
            half = len(rest) // 2
            queue.extendleft((rest[half:], rest[:half]))


def _pack(works: Iterable[Work]) -> list[Batch]:
    """Batches of at most 250; a pool's adjustments stay in one batch where they fit, the lowering ones first."""
    batches: list[Batch] = []
    room = 0
    for work in works:
        rows = sorted(work.plan.adjustments, key=lambda adjustment: adjustment.delta)
        for start in range(0, len(rows), adjust.BATCH):
            some = tuple(rows[start : start + adjust.BATCH])
            if len(some) > room:
                batches.append([])
                room = adjust.BATCH
            batches[-1].append((work, some))
            room -= len(some)
    return batches


def _send(
    rows: list[tuple[Work, Adjustment]],
    client: Client,
    journal: Journal,
    cache: Cache,
    run_id: str,
    clock: Clock,
) -> tuple[tuple[adjust.Refusal, ...], str]:
    key = str(uuid.uuid4())
    changes = [
        adjust.change(a.level.item, a.level.location, a.delta, a.change_from) for _, a in rows
    ]
    variables = adjust.call(changes, run_id, key)
    client.pace(
        "Adjust", adjust.COST
    )  # here, so that no time budget runs out over a batch that the journal holds
    journal.sending(key, utc_text(client.server_now()), variables, _pools(rows, cache))
    refusals = send(client, variables, clock)
    journal.outcome(key, not refusals)
    if refusals and all(refusal.answer == "ours" for refusal in refusals):
        raise ShopError(
            f"Shopify refuses the call itself: {refusals[0].message}; nothing of this batch was "
            "applied. "
            "This is a fault of invsync: report it"
        )
    return refusals, key


def send(client: Client, variables: Mapping[str, Any], clock: Clock) -> tuple[adjust.Refusal, ...]:
    """Send one call, and again with the same key while Shopify is busy; raises when its outcome stays unknown."""
    for _ in range(BUSY_TRIES):
        refusals = adjust.adjust(client, variables)
        if not any(refusal.answer == "busy" for refusal in refusals):
            return refusals
        clock.sleep(BUSY_SECONDS)
    raise ShopError(
        f"Shopify is too busy to adjust quantities ({refusals[0].message}); whether the last batch "
        "was applied is not "
        "known. It stays in the journal, and the next run finishes it"
    )


def _pools(rows: list[tuple[Work, Adjustment]], cache: Cache) -> dict[str, dict[str, Any]]:
    """What the journal keeps of each pool of a batch: enough to finish it without this process."""
    works = {work.id: work for work, _ in rows}
    records: dict[str, dict[str, Any]] = {}
    for work in works.values():
        sending = [adjustment for owner, adjustment in rows if owner is work]
        levels = {adjustment.level for adjustment in sending}
        records[work.id] = {
            **work.record(),
            "levels": {
                cache.key(adjustment.level): work.told(adjustment) for adjustment in sending
            },
            "after": cache.encode(work.title, work.plan.settle(work.applied | levels)),
        }
    return records


def _blame(
    refusals: tuple[adjust.Refusal, ...], batch: Batch, rows: list[tuple[Work, Adjustment]]
) -> None:
    """Mark the pools that have to come out of the batch; none, when nothing says which."""
    if any(refusal.answer == "failed_before" for refusal in refusals):
        for work, _ in batch:
            work.again = True
        return
    for refusal in refusals:
        if refusal.index is not None and refusal.index < len(rows):
            _mark(rows[refusal.index][0], refusal)
        elif len(batch) == 1:  # no row is named, or none of ours
            _mark(batch[0][0], refusal)


def _mark(work: Work, refusal: adjust.Refusal) -> None:
    if refusal.answer == "stale":
        work.again = work.refused is None
    else:
        work.refused, work.again = refusal.message, False
