"""Pushing the plans of a run.

Batches, each written in the journal before it leaves, and what is refused isolated.

A call is all or nothing. When it is refused, the pools that Shopify names are taken out whole and
the rest goes again with a new key; where none is named, halves are tried. One bad product never
stops the others. Every outcome is known or unknown, and nothing else: an answer that says that
nothing was carried out settles the batch there and then, also when it ends the run.
"""

from __future__ import annotations

import re
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from invsync.admin import adjust
from invsync.admin.client import Client
from invsync.connect import RunClock
from invsync.errors import CallRefused, Ended, NotExecuted, ShopError
from invsync.planning import Work
from invsync.state.cache import Cache
from invsync.state.history import adjusted
from invsync.state.journal import Journal, Sent
from invsync.state.records import Call, Pending, typed
from invsync.state.values import utc_text
from invsync.sync import Adjustment

#: How often a call is sent, same key, while Shopify says to try later, and the seconds between;
#: once it is halved, each half is sent once.
BUSY_TRIES = 5
BUSY_SECONDS = 3.0

Batch = list[tuple[Work, tuple[Adjustment, ...]]]
Rows = list[tuple[Work, Adjustment]]
Refusals = tuple[adjust.Refusal, ...]


class Pushing(Struct, frozen=True):
    """What a push needs beside the works: whom to send to, and where to write it down first."""

    client: Client
    clock: RunClock
    journal: Journal
    cache: Cache
    run_id: str

    def push(self, works: Iterable[Work]) -> None:
        """Send every adjustment of `works`, noting in each what was applied, and how it ended.

        A signal or the time budget stops it between two batches. `NotExecuted` ends it with nothing
        of the batch in flight applied, and so does an `Ended` that is not in flight; after any
        other exception its outcome is unknown, and the journal holds it.
        """
        queue = deque((batch, BUSY_TRIES) for batch in _pack(works))
        while queue:
            batch, tries = queue.popleft()
            batch = [(work, some) for work, some in batch if work.goes_on]
            if not batch:
                continue
            self.clock.check()
            refusals = self._sent(batch, tries)
            if not refusals:
                continue
            _blame(refusals, batch, last=tries == 1)
            rest = [(work, some) for work, some in batch if work.goes_on]
            if len(rest) < len(batch):
                queue.appendleft((rest, tries))
            else:
                # Whole, it was tried often enough while Shopify was busy.
                busy = any(refusal.answer == "busy" for refusal in refusals)
                tries = 1 if busy or _failed_before(refusals) else tries
                half = len(rest) // 2
                queue.extendleft(((rest[half:], tries), (rest[:half], tries)))

    def _sent(self, batch: Batch, tries: int) -> Refusals:
        """Send a batch: nothing where it was applied, else why nothing of it was."""
        rows, pools = _rows(batch), _pending(batch, self.cache)
        key = str(uuid.uuid4())
        changes = [
            adjust.change(a.level.item, a.level.location, a.delta, a.change_from) for _, a in rows
        ]
        variables = adjust.call(changes, self.run_id, key)
        # Here, so that no time budget runs out over a batch that the journal holds.
        self.client.pace("Adjust", adjust.COST)
        self.journal.sending(
            Sent(
                key,
                utc_text(self.client.server_now()),
                typed(variables, Call),
                pools,
                here=utc_text(datetime.fromtimestamp(self.clock.now(), UTC)),
            )
        )
        refusals = self._answered(key, variables, tries)
        self.journal.outcome(key, not refusals)
        if not refusals:
            self._note(key, rows, pools)
        return refusals

    def _answered(self, key: str, variables: Mapping[str, Any], tries: int) -> Refusals:
        try:
            return send(self.client, variables, tries)
        except CallRefused as error:
            return (adjust.Refusal("refused", None, str(error)),)
        except NotExecuted:
            self.journal.outcome(key, applied=False)
            raise
        except Ended as end:
            if not end.in_flight:
                self.journal.outcome(key, applied=False)
            raise
        except ShopError as error:
            self.journal.failed(key, how(error))
            raise

    def _note(self, key: str, rows: Rows, pools: Mapping[str, Pending]) -> None:
        """Note the adjustments of a batch that took effect."""
        now = utc_text(self.client.server_now())
        for work, one in rows:
            work.applied.add(one.level)
            told, read = pools[work.id], work.read(one)
            work.sent.append(
                adjusted(now, self.run_id, key, work.id, told, one.level, read, one.delta)
            )


def _pack(works: Iterable[Work]) -> list[Batch]:
    """Batches of at most 250.

    A pool's adjustments stay in one batch where they fit, the lowering ones first.
    """
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


def send(client: Client, variables: Mapping[str, Any], tries: int) -> Refusals:
    """Send one call, up to so many times with the same key while Shopify says to try later.

    What still says so after that has changed nothing. Raises `NotExecuted`, or an `Ended` that is
    not in flight, where nothing was carried out, and `ShopError` where that is not known.
    """
    concurrent = False
    for left in reversed(range(tries)):
        try:
            refusals = adjust.adjust(client, variables)
            concurrent = concurrent or any(refusal.still_running for refusal in refusals)
            if all(refusal.answer != "busy" for refusal in refusals):
                return refusals
            if left:
                client.wait(
                    BUSY_SECONDS, "Shopify is busy, and the adjustment has to be sent again"
                )
        except NotExecuted as error:
            if concurrent:  # it speaks of this request, not of the one that was at work
                raise _doubtful(str(error)) from error
            raise
        except Ended as end:
            end.in_flight |= concurrent
            raise
    if concurrent:
        raise _doubtful(refusals[0].message)
    return refusals


def _doubtful(said: str) -> ShopError:
    return ShopError(
        f"an adjustment is still at work in Shopify ({said}); whether it was applied is not known. "
        "It stays in the journal, and the next run finishes it"
    )


def how(error: ShopError) -> str:
    """What failed, without what differs from one time to the next.

    Numbers and the ids of requests.
    """
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}(?:-\d+)?|\d+(?:\.\d+)?", "#", str(error))


def _rows(batch: Batch) -> Rows:
    return [(work, adjustment) for work, some in batch for adjustment in some]


def _pending(batch: Batch, cache: Cache) -> dict[str, Pending]:
    """What the journal keeps of each pool of a batch: enough to finish it without this process."""
    found: dict[str, Pending] = {}
    for work, sending in batch:
        account = work.account()
        levels = {one.level for one in sending}
        found[work.id] = Pending(
            title=account.title,
            why=account.why,
            quantity=account.quantity,
            moved=account.moved,
            notes=account.notes,
            levels={cache.key(one.level): work.read(one) for one in sending},
            after=cache.encode(work.title, work.plan.settle(work.applied | levels)),
        )
    return found


def _blame(refusals: Refusals, batch: Batch, *, last: bool) -> None:
    """Mark the pools that have to come out of the batch; none, when nothing says which.

    `last`: whether what may pass was waited for before.
    """
    rows = _rows(batch)
    if all(refusal.answer == "ours" for refusal in refusals):
        raise NotExecuted(
            f"Shopify refuses the call itself: {refusals[0].message}; nothing of this batch was "
            "applied. This is a fault of invsync: report it"
        )
    if _failed_before(refusals) and not last:
        return
    for refusal in refusals:
        if refusal.index is not None and refusal.index < len(rows):
            _mark(rows[refusal.index][0], refusal)
        elif len(batch) == 1:  # no row is named, or none of ours
            _mark(batch[0][0], refusal)


def _failed_before(refusals: Refusals) -> bool:
    return any(refusal.answer == "failed_before" for refusal in refusals)


def _mark(work: Work, refusal: adjust.Refusal) -> None:
    if refusal.answer != "stale":
        work.refused, work.end = refusal.message, "whole"
    elif work.refused is None:
        work.end = "again"
