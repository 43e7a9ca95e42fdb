"""Opening the state: the cache taken up, and what an earlier run left in its journal finished.

Every batch counts exactly once. One with a recorded outcome needs nothing from Shopify. One without
is sent again with the same key and the same variables: Shopify then either applies it or gives the
first answer again, for 24 hours (https://shopify.dev/docs/api/usage/implementing-idempotency).
After that only the levels themselves can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from invsync.admin.client import Clock
from invsync.admin.shop import Shop
from invsync.ledger import Ledger
from invsync.listings import Source
from invsync.order import Known, Order
from invsync.pools import Sight
from invsync.push import send
from invsync.state import history
from invsync.state.cache import Cache, take_up
from invsync.state.journal import JournalContent, Sent, belongs, read_journal, remove_journal
from invsync.state.lock import holder
from invsync.sync import LevelId
from invsync.tell.outcome import Problem, Warning

#: Shopify keeps a key for 24 hours; a replay that late would be applied a second time.
KEY_LIFE = timedelta(hours=20)
#: How long after a batch went out its levels may have been touched by it.
ABOUT_THEN = timedelta(minutes=15)


def open_cache(order: Order, source: Source, shop: Shop, remembered: Cache | None) -> Known:
    """What was remembered, if it is of this shop, or a beginning; raises `StateError` for another's."""
    places = tuple(source.scope.locations)
    if remembered is None:
        return Known(Cache(order.command, shop.domain, places, changed=True))
    return Known(take_up(remembered, order.files, shop.domain, places), on_disk=True)


def recover(order: Order, source: Source, known: Known, ledger: Ledger, clock: Clock) -> None:
    """Finish what an earlier run left in the journal, and remember that; a dry run only tells of it."""
    files, cache = order.files, known.cache
    left = read_journal(files, cache.shop)
    if left is None or not belongs(left, cache if known.on_disk else None, files):
        if not order.options.dry_run:
            remove_journal(files)
        return
    if order.options.dry_run:
        ledger.warn("open_journal", None, _looked_past(order, left))
        return
    finished = _Finishing(left.run, source, known, clock)
    for batch in left.batches:
        finished.finish(batch)
    for note in finished.notes.values():
        ledger.report(note)
    ledger.taken_in(left.run, finished.history)


def _looked_past(order: Order, left: JournalContent) -> str:
    if who := holder(order.files):
        return f"a run is at work ({who}): this shows the shop as it is now, in the middle of it"
    return (
        f"{order.files.journal}: an earlier run was cut off, {len(left.open)} of its batches "
        "unsettled, and this dry run looks past it. To finish it, run: `invsync "
        f"{order.command}`"
    )


@dataclass(slots=True)
class _Finishing:
    """Brings the cache to where a run's batches have brought the shop; nothing is written here.

    `history`: lines for the history; `notes`: what to tell, by pool (or batch) and kind.
    """

    run: str
    source: Source
    known: Known
    clock: Clock
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[tuple[str, str], Problem | Warning] = field(default_factory=dict)

    def finish(self, batch: Sent) -> None:
        """Take a batch in as what became of it."""
        now = self.source.client.server_now()
        if batch.applied is None and now - _moment(batch.sent_at) > KEY_LIFE:
            self._settle_by_reading(batch)
        elif batch.applied or (batch.applied is None and self._replay(batch)):
            for pool_id in batch.pools:
                self._take(batch, pool_id)

    def _replay(self, batch: Sent) -> bool:
        refusals = send(self.source.client, batch.variables, self.clock)
        if refusals:
            self.notes[batch.key, "replay_refused"] = Warning(
                "replay_refused",
                None,
                "a batch of an earlier run that was cut off had changed nothing "
                f"({refusals[0].message}); its {len(batch.pools)} pools are planned afresh, there "
                "is nothing to do",
            )
        return not refusals

    def _take(self, batch: Sent, pool_id: str) -> None:
        """The batch was applied: its pool stands as planned."""
        record, cache = batch.pools[pool_id], self.known.cache
        cache.put(pool_id, record["after"])
        for level, delta in self._deltas(batch, pool_id).items():
            told = record["levels"][cache.key(level)]
            pool = {"pool": pool_id, "title": record["title"], "why": record["why"]}
            self.history.append(
                history.sent(batch.sent_at, self.run, batch.key, pool, level, told, delta)
            )
        if record["moved"]:
            self.history.append(history.moved(batch.sent_at, self.run, pool_id, record))
        for note in record["notes"]:
            kind, message = note["kind"], note["message"]
            self.notes[pool_id, kind] = (
                Problem(kind, pool_id, record["title"], message)
                if note["problem"]
                else Warning(kind, pool_id, message)
            )

    def _deltas(self, batch: Sent, pool_id: str) -> dict[LevelId, int]:
        """What the batch sent for this pool."""
        levels, cache = batch.pools[pool_id]["levels"], self.known.cache
        sent = {
            LevelId(change["inventoryItemId"], change["locationId"]): change["delta"]
            for change in batch.variables["input"]["changes"]
        }
        return {
            level: delta
            for level, delta in sent.items()
            if cache.key(level) in levels and cache.level(pool_id, cache.key(level)) == level
        }

    def _settle_by_reading(self, batch: Sent) -> None:
        """Too old to replay: believe levels that read exactly as before the batch, or exactly as after it."""
        cache = self.known.cache
        ids = list(batch.pools)
        sights = self.source.read(ids, self.known.widest(ids))
        for pool_id, record in batch.pools.items():
            became = self._became(batch, pool_id, sights.get(pool_id))
            if became == "after":
                self._take(batch, pool_id)
            if became != "unknown":
                continue
            cache.remove(pool_id)
            cache.scanned_at = None  # only a complete scan finds it again
            self.notes[pool_id, "old_journal"] = Warning(
                "old_journal",
                pool_id,
                f"{record['title']}: whether the adjustments sent at {batch.sent_at} were applied "
                "can't be told any more; the pool was forgotten and is judged afresh. Check its "
                f"stock in Shopify; what led to it: `invsync explain '{record['title']}'`",
            )

    def _became(self, batch: Sent, pool_id: str, sight: Sight | None) -> str:
        """What a reading shows of a batch: `before`, `after`, or `unknown`."""
        record, cache = batch.pools[pool_id], self.known.cache
        sent, deltas = _moment(batch.sent_at), self._deltas(batch, pool_id)
        before = {level: record["levels"][cache.key(level)]["observed"] for level in deltas}
        now = {level: sight and sight.levels.get(cache.key(level)) for level in before}
        touched = [_touched(sight, level) for level in before]
        if now == before and all(when is not None and when < sent for when in touched):
            return "before"
        after = {level: observed + deltas[level] for level, observed in before.items()}
        if now == after and all(
            when is not None and sent <= when <= sent + ABOUT_THEN for when in touched
        ):
            return "after"
        return "unknown"


def _touched(sight: Sight | None, level: LevelId) -> datetime | None:
    when = sight.touched(level) if sight else None
    return _moment(when) if when else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
