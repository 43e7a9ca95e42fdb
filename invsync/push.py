"""Pushing the plans of a run: batches, each written in the journal before it leaves, and what is refused isolated.

A call is all or nothing. When it is refused, the pools that Shopify names are taken out whole and
the rest goes again with a new key; where none is named, halves are tried. One bad product never
stops the others.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from invsync.admin import adjust
from invsync.admin.client import Client, Clock
from invsync.connect import RunClock
from invsync.errors import ShopError
from invsync.planning import Work
from invsync.state import history
from invsync.state.cache import Cache
from invsync.state.journal import Journal
from invsync.state.values import utc_text
from invsync.sync import Adjustment

#: How often a call is repeated, same key, while Shopify says that it is busy; and the seconds
#: between.
BUSY_TRIES = 5
BUSY_SECONDS = 3.0

Batch = list[tuple[Work, tuple[Adjustment, ...]]]
Rows = list[tuple[Work, Adjustment]]


@dataclass(frozen=True, slots=True)
class Pushing:
    """What a push needs beside the works: whom to send to, and where to write it down first."""

    client: Client
    clock: RunClock
    journal: Journal
    cache: Cache
    run_id: str

    def push(self, works: Iterable[Work]) -> None:
        """Send every adjustment of `works`, noting in each what was applied, and how it ended.

        A signal or the time budget stops it between two batches. Any other exception means that the
        outcome of the batch in flight is unknown; the journal holds it.
        """
        queue = deque(_pack(works))
        while queue:
            batch = [(work, some) for work, some in queue.popleft() if work.goes_on]
            if not batch:
                continue
            self.clock.check()
            if self._sent(batch):
                continue
            rest = [(work, some) for work, some in batch if work.goes_on]
            if len(rest) < len(batch):
                queue.appendleft(rest)
            else:
                half = len(rest) // 2
                queue.extendleft((rest[half:], rest[:half]))

    def _sent(self, batch: Batch) -> bool:
        """Send a batch. Whether it was applied; if not, the works that have to come out of it know so."""
        rows = [(work, adjustment) for work, some in batch for adjustment in some]
        key = str(uuid.uuid4())
        changes = [
            adjust.change(a.level.item, a.level.location, a.delta, a.change_from) for _, a in rows
        ]
        variables = adjust.call(changes, self.run_id, key)
        # Here, so that no time budget runs out over a batch that the journal holds.
        self.client.pace("Adjust", adjust.COST)
        self.journal.sending(
            key, utc_text(self.client.server_now()), variables, _records(rows, self.cache)
        )
        refusals = send(self.client, variables, self.clock)
        self.journal.outcome(key, not refusals)
        if refusals:
            _blame(refusals, batch, rows)
            return False
        for work, adjustment in rows:
            self._note(key, work, adjustment)
        return True

    def _note(self, key: str, work: Work, adjustment: Adjustment) -> None:
        """Note an adjustment that took effect."""
        work.applied.add(adjustment.level)
        now, told = utc_text(self.client.server_now()), work.told(adjustment)
        pool = {"pool": work.id, "title": work.title, "why": work.plan.why}
        work.sent.append(
            history.sent(now, self.run_id, key, pool, adjustment.level, told, adjustment.delta)
        )


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


def send(client: Client, variables: Mapping[str, Any], clock: Clock) -> tuple[adjust.Refusal, ...]:
    """Send one call, and again with the same key while Shopify is busy; raises when its outcome stays unknown."""
    for _ in range(BUSY_TRIES):
        refusals = adjust.adjust(client, variables)
        if not any(refusal.answer == "busy" for refusal in refusals):
            return refusals
        clock.sleep(BUSY_SECONDS)
    raise ShopError(
        f"Shopify is too busy to adjust quantities ({refusals[0].message}); whether the last batch "
        "was applied is not known. It stays in the journal, and the next run finishes it"
    )


def _records(rows: Rows, cache: Cache) -> dict[str, dict[str, Any]]:
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


def _blame(refusals: tuple[adjust.Refusal, ...], batch: Batch, rows: Rows) -> None:
    """Mark the pools that have to come out of the batch; none, when nothing says which."""
    if all(refusal.answer == "ours" for refusal in refusals):
        raise ShopError(
            f"Shopify refuses the call itself: {refusals[0].message}; nothing of this batch was "
            "applied. This is a fault of invsync: report it"
        )
    if any(refusal.answer == "failed_before" for refusal in refusals):
        for work, _ in batch:
            work.end = "again"
        return
    for refusal in refusals:
        if refusal.index is not None and refusal.index < len(rows):
            _mark(rows[refusal.index][0], refusal)
        elif len(batch) == 1:  # no row is named, or none of ours
            _mark(batch[0][0], refusal)


def _mark(work: Work, refusal: adjust.Refusal) -> None:
    if refusal.answer != "stale":
        work.refused, work.end = refusal.message, "whole"
    elif work.refused is None:
        work.end = "again"
