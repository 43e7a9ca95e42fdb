"""Finishing what an earlier run left in its journal, so that every batch counts exactly once.

A batch with a recorded outcome needs nothing from Shopify. One without is sent again with the same
key and the same variables: Shopify then either applies it or gives the first answer again, for 24
hours (https://shopify.dev/docs/api/usage/implementing-idempotency). After that only the levels
themselves can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from invsync.admin.client import Client, Clock
from invsync.pools import Sight
from invsync.push import send
from invsync.state import history
from invsync.state.cache import Cache
from invsync.state.journal import JournalContent, Sent
from invsync.sync import LevelId
from invsync.tell.outcome import Problem, Warning

#: Shopify keeps a key for 24 hours; a replay that late would be applied a second time.
KEY_LIFE = timedelta(hours=20)
#: How long after a batch went out its levels may have been touched by it.
ABOUT_THEN = timedelta(minutes=15)

Read = Callable[[Sequence[str]], Mapping[str, Sight | None]]


@dataclass(slots=True)
class Finished:
    """What became of the journal: lines for the history, and what to tell, some of it by pool and kind."""

    history: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[tuple[str, str], Problem | Warning] = field(default_factory=dict)


def finish(
    journal: JournalContent, cache: Cache, client: Client, clock: Clock, read: Read
) -> Finished:
    """Bring the cache to where the journal's batches have brought the shop; nothing is written here."""
    finished = Finished()
    for batch in journal.batches:
        if batch.applied is None and client.server_now() - _moment(batch.sent_at) > KEY_LIFE:
            _settle_by_reading(batch, journal.run, cache, read, finished)
        elif batch.applied or (batch.applied is None and _replay(batch, client, clock, finished)):
            for pool_id in batch.pools:
                _take(batch, pool_id, journal.run, cache, finished)
    return finished


def _replay(batch: Sent, client: Client, clock: Clock, finished: Finished) -> bool:
    refusals = send(client, batch.variables, clock)
    if refusals:
        finished.notes[batch.key, "replay_refused"] = Warning(
            "replay_refused",
            None,
            "a batch of an earlier run that was cut off had changed nothing "
            f"({refusals[0].message}); its "
            f"{len(batch.pools)} pools are planned afresh, there is nothing to do",
        )
    return not refusals


def _take(batch: Sent, pool_id: str, run: str, cache: Cache, finished: Finished) -> None:
    """The batch was applied: its pool stands as planned."""
    record = batch.pools[pool_id]
    cache.put(pool_id, record["after"])
    for level, delta in _deltas(batch, pool_id, cache).items():
        told = record["levels"][cache.key(level)]
        pool = {"pool": pool_id, "title": record["title"], "why": record["why"]}
        finished.history.append(
            history.sent(batch.sent_at, run, batch.key, pool, level, told, delta)
        )
    if record["moved"]:
        finished.history.append(history.moved(batch.sent_at, run, pool_id, record))
    for note in record["notes"]:
        kind, message = note["kind"], note["message"]
        finished.notes[pool_id, kind] = (
            Problem(kind, pool_id, record["title"], message)
            if note["problem"]
            else Warning(kind, pool_id, message)
        )


def _deltas(batch: Sent, pool_id: str, cache: Cache) -> dict[LevelId, int]:
    """What the batch sent for this pool."""
    levels = batch.pools[pool_id]["levels"]
    sent = {
        LevelId(change["inventoryItemId"], change["locationId"]): change["delta"]
        for change in batch.variables["input"]["changes"]
    }
    return {
        level: delta
        for level, delta in sent.items()
        if cache.key(level) in levels and cache.level(pool_id, cache.key(level)) == level
    }


def _settle_by_reading(batch: Sent, run: str, cache: Cache, read: Read, finished: Finished) -> None:
    """Too old to replay: believe levels that read exactly as before the batch, or exactly as after it."""
    sent = _moment(batch.sent_at)
    sights = read(list(batch.pools))
    for pool_id, record in batch.pools.items():
        sight = sights.get(pool_id)
        deltas = _deltas(batch, pool_id, cache)
        before = {level: record["levels"][cache.key(level)]["observed"] for level in deltas}
        now = {level: sight and sight.levels.get(cache.key(level)) for level in before}
        touched = [_touched(sight, level) for level in before]
        if now == before and all(when is not None and when < sent for when in touched):
            continue
        after = {level: observed + deltas[level] for level, observed in before.items()}
        if now == after and all(
            when is not None and sent <= when <= sent + ABOUT_THEN for when in touched
        ):
            _take(batch, pool_id, run, cache, finished)
            continue
        cache.remove(pool_id)
        cache.scanned_at = None  # only a complete scan finds it again
        finished.notes[pool_id, "old_journal"] = Warning(
            "old_journal",
            pool_id,
            f"{record['title']}: whether the adjustments sent at {batch.sent_at} were applied "
            "can't be told any more; "
            "the pool was forgotten and is judged afresh. Check its stock in Shopify; what led to "
            "it: "
            f"`invsync explain '{record['title']}'`",
        )


def _touched(sight: Sight | None, level: LevelId) -> datetime | None:
    when = sight.touched(level) if sight else None
    return _moment(when) if when else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
