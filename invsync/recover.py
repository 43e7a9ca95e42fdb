"""Opening the state: the cache taken up, and what an earlier run left in its journal finished.

Every batch counts exactly once. One with a recorded outcome needs nothing from Shopify. One without
is sent again with the same key and the same variables: Shopify then either applies it or gives the
first answer again, for 24 hours (https://shopify.dev/docs/api/usage/implementing-idempotency).
After that only the levels themselves can tell.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from shlex import quote

from msgspec import Struct
from msgspec.structs import replace

from invsync.admin.client import Clock
from invsync.admin.shop import Shop
from invsync.config.settings import Settings
from invsync.config.words import yaml_text
from invsync.errors import CallRefused, NotExecuted, ShopError, StateError
from invsync.feed import AT_ONCE
from invsync.ledger import Ledger
from invsync.listings import Source
from invsync.members import Members
from invsync.order import Known, Order
from invsync.planning import untold
from invsync.pools import Scope, Sight
from invsync.push import BUSY_TRIES, how, send
from invsync.state.cache import Cache
from invsync.state.entries import Standing
from invsync.state.files import Files
from invsync.state.history import adjusted, counted
from invsync.state.journal import (
    JournalContent,
    Sent,
    belongs,
    note_failure,
    note_waiting,
    read_journal,
    remove_journal,
)
from invsync.state.lock import holder
from invsync.state.pauses import Pauses
from invsync.state.records import Line
from invsync.sync import LevelId, Unmanaged
from invsync.tell.lines import number_of
from invsync.tell.outcome import Problem, Warning

#: Shopify keeps a key for 24 hours; a replay that late would be applied a second time.
KEY_LIFE = timedelta(hours=20)
#: Runs running in which the outcome of a batch can't be learned, alike, before only its pools wait.
ALIKE = 3
#: How long after a batch went out its levels may have been touched by it.
ABOUT_THEN = timedelta(minutes=15)


def open_cache(
    order: Order, source: Source, shop: Shop, remembered: Cache | None, pauses: Pauses
) -> Known:
    """What was remembered, if it is of this shop, or a beginning.

    Raises `StateError` for another's.
    """
    if remembered is None:
        places, grouping = tuple(source.scope.locations), source.scope.grouping
        cache = Cache(
            order.command, shop.domain, places, grouping=grouping, shop_id=shop.id, changed=True
        )
        return Known(cache, Members(source.scope.axis, cache), pauses=pauses)
    take_up(remembered, order.settings, source.scope, shop)
    return Known(remembered, Members(source.scope.axis, remembered), on_disk=True, pauses=pauses)


def is_same_shop(cache: Cache, shop: Shop) -> bool:
    """Whether a cache is of this shop: by its id, which stays when its domain is changed.

    0.1.0 knew no id; the ids of locations are unique among all shops, and prove the same.
    """
    if cache.shop_id:
        return cache.shop_id == shop.id
    return cache.shop == shop.domain or any(one.id in cache.locations for one in shop.locations)


def take_up(cache: Cache, settings: Settings, scope: Scope, shop: Shop) -> None:
    """Take up what was remembered.

    Raises `StateError` where that is of another shop or location.
    """
    files = Files(settings.state_dir, scope.command)
    if not is_same_shop(cache, shop):
        other = cache.shop if cache.shop != shop.domain else f"{cache.shop} ({cache.shop_id})"
        raise StateError(
            f"{files.cache}: belongs to the shop {other}, not to {shop.domain}; nothing was "
            "changed. Give each shop a `state_dir` of its own in the configuration"
        )
    locations = tuple(scope.locations)
    if cache.grouping != scope.grouping:
        raise StateError(f"{files.cache}: {_regrouped(cache, settings, scope)}")
    if scope.axis.settled and cache.locations != locations:
        raise StateError(f"{files.cache}: {_moved(cache, settings, scope, shop)}")
    if set(cache.locations) != set(locations):
        # The levels of a location that opened are old: no feed shows them.
        cache.scans = replace(cache.scans, watermark=None)
    cache.locations = locations


def _regrouped(cache: Cache, settings: Settings, scope: Scope) -> str:
    """That what is one stock is another thing than it was, and the way on."""
    start_over = Files(settings.state_dir, scope.command).start_over
    return (
        f"was made for one stock by {cache.grouping}, not by {scope.grouping}; nothing was "
        f"changed. To go on as before, put the old setting back under {scope.command} in "
        f"{settings.file}; to change it, put it back, run once (so that all that was sold is "
        f"counted), set the new one, and start over with {start_over}"
    )


def _moved(cache: Cache, settings: Settings, scope: Scope, shop: Shop) -> str:
    """That the one location is another than it was, and what to write."""
    was, name = cache.locations[0], next(iter(scope.locations.values()))
    open_ones = {one.id: one.name for one in shop.locations if one.active}
    called = cache.places.get(was) or open_ones.get(was) or f"location {was.rpartition('/')[2]}"
    section = settings.variants  # no other has just one
    by_default = section is not None and section.location == "default"
    what = (
        f"was made for {called}, and the shop's default location is {name} now"
        if by_default
        else f"was made for {called}, not for {name}"
    )
    start_over = Files(settings.state_dir, scope.command).start_over
    if was not in open_ones:
        return (
            f"{what}; nothing was changed. {called} is closed or gone: to go on at {name}, start "
            f"over with {start_over}"
        )
    named = list(open_ones.values()).count(open_ones[was]) == 1
    to_write = yaml_text(open_ones[was]) if named else was.rpartition("/")[2]
    return (
        f"{what}; nothing was changed. To stay at {called}, write location: {to_write} under "
        f"variants in {settings.file}; to go on at {name}, start over with {start_over}"
    )


def settle_in(known: Known, scope: Scope, shop: Shop, ledger: Ledger) -> None:
    """Remember what the shop and its locations are called now; a new domain is told once."""
    cache = known.cache
    if cache.shop != shop.domain:
        ledger.warn(
            "shop_renamed",
            None,
            f"the shop {cache.shop} is called {shop.domain} now; all that was remembered of it "
            "goes on, there is nothing to do",
        )
        cache.shop, cache.changed = shop.domain, True
    cache.shop_id, cache.places = shop.id, dict(scope.locations)


def recover(order: Order, source: Source, known: Known, ledger: Ledger, clock: Clock) -> None:
    """Finish what earlier runs left in the journal, and remember that; a dry run only tells of it.

    Where the outcome of a batch can't be learned for the third run running, its pools are put into
    `known.waiting`. Raises `ShopError` where it can't be learned before that.
    """
    files, cache = order.files, known.cache
    left = read_journal(files, cache.shop, cache.shop_id)
    batches = _open_batches(order, known, left) if left else ()
    if left is None or not batches:
        if not order.options.dry_run:
            remove_journal(files)
        return
    if order.options.dry_run:
        ledger.warn("open_journal", None, _looked_past(order, left))
        return
    finishing = _Finishing(order, left.run, source, known, clock)
    for batch in batches:
        finishing.finish(batch)
    for note in finishing.notes.values():
        ledger.report(note)
    ledger.taken_in(left.run, finishing.history)


def _open_batches(order: Order, known: Known, left: JournalContent) -> tuple[Sent, ...]:
    """The batches that the cache does not hold yet."""
    if belongs(left, known.cache if known.on_disk else None, order.files):
        return left.batches
    return tuple(batch for batch in left.open if batch.waits)


def _looked_past(order: Order, left: JournalContent) -> str:
    if who := holder(order.files):
        return f"a run is at work ({who}): this shows the shop as it is now, in the middle of it"
    return (
        f"{order.files.journal}: an earlier run was cut off, {len(left.open)} of its batches "
        "unsettled, and this dry run looks past it. To finish it, run: `invsync "
        f"{order.command}`"
    )


class _Finishing(Struct):
    """Brings the cache to where a run's batches have brought the shop; nothing is written here.

    `history`: lines for the history; `notes`: what to tell, by pool (or batch) and kind.
    """

    order: Order
    run: str
    source: Source
    known: Known
    clock: Clock
    history: list[Line] = []
    notes: dict[tuple[str, str], Problem | Warning] = {}

    def finish(self, batch: Sent) -> None:
        """Take a batch in as what became of it."""
        if batch.applied is None and self._is_too_old(batch):
            self._settle_by_reading(batch)
        elif batch.applied or (batch.applied is None and self._replay(batch)):
            for pool_id in batch.pools:
                self._take(batch, pool_id)

    def _is_too_old(self, batch: Sent) -> bool:
        """Whether a replay might be applied a second time, whichever of the two clocks is right.

        A moment in the future tells no age at all.
        """
        ages = [self.source.client.server_now() - _moment(batch.sent_at)]
        if batch.here is not None:
            here = datetime.fromtimestamp(self.clock.now(), UTC)
            ages.append(here - _moment(batch.here))
        return ages[0] < -AT_ONCE or max(ages) > KEY_LIFE

    def _replay(self, batch: Sent) -> bool:
        """Send it again with the same key: whether it is applied now, or was already."""
        try:
            refusals = send(self.source.client, batch.variables, BUSY_TRIES)
            if any(refusal.answer == "busy" for refusal in refusals):
                # It speaks of this request, not of the one before it.
                raise ShopError(
                    "Shopify is too busy to say what became of an adjustment "
                    f"({refusals[0].message}); it stays in the journal, and the next run asks again"
                )
        except CallRefused as error:
            self._wait_for(batch, error)
            return False
        except NotExecuted:
            raise
        except ShopError as error:
            self._wait_for(batch, error)
            return False
        if refusals:
            self.notes[batch.key, "replay_refused"] = Warning(
                "replay_refused",
                None,
                "a batch of an earlier run that was cut off had changed nothing "
                f"({refusals[0].message}); its {len(batch.pools)} pools are planned afresh, there "
                "is nothing to do",
            )
        return not refusals

    def _wait_for(self, batch: Sent, error: ShopError) -> None:
        """Nothing was learned.

        The run ends, but from the third time alike on only the batch's pools wait.
        """
        files, same = self.order.files, how(error)
        note_failure(files, batch.key, same)
        failures = (*batch.failures, same)
        alike = len(failures) >= ALIKE and len(set(failures[-ALIKE:])) == 1
        if not (alike or batch.waits):
            raise error
        if not batch.waits:
            note_waiting(files, batch.key)
        waiting = replace(batch, failures=failures[-ALIKE:], waits=True)
        for pool_id, pending in batch.pools.items():
            self.known.waiting[pool_id] = waiting
            title = pending.title
            self.notes[pool_id, "unsettled"] = Problem(
                "unsettled",
                pool_id,
                title,
                f"{title}: whether the adjustments sent at {batch.sent_at} were applied can't be "
                f"learned ({error}), so nothing is counted or sent for it until that is known. "
                "Every run asks again, and 20 hours after they were sent its levels have to tell; "
                "what is open: `invsync status`",
            )

    def _take(self, batch: Sent, pool_id: str) -> None:
        """The batch was applied: its pool stands as planned."""
        pending, cache, at = batch.pools[pool_id], self.known.cache, batch.sent_at
        cache.put(pool_id, pending.after)
        for level, delta in self._deltas(batch, pool_id).items():
            read = pending.levels[cache.key(level)]
            self.history.append(
                adjusted(at, self.run, batch.key, pool_id, pending, level, read, delta)
            )
        if pending.moved:
            self.history.append(counted(at, self.run, pool_id, pending))
        for note in pending.notes:
            self.notes[pool_id, note.kind] = (
                Problem(note.kind, pool_id, pending.title, note.message)
                if note.problem
                else Warning(note.kind, pool_id, note.message)
            )

    def _deltas(self, batch: Sent, pool_id: str) -> dict[LevelId, int]:
        """What the batch sent for this pool."""
        levels, cache = batch.pools[pool_id].levels, self.known.cache
        sent = {
            LevelId(change.inventory_item_id, change.location_id): change.delta
            for change in batch.call.input.changes
        }
        return {
            level: delta
            for level, delta in sent.items()
            if cache.key(level) in levels and cache.level(pool_id, cache.key(level)) == level
        }

    def _settle_by_reading(self, batch: Sent) -> None:
        """Believe levels that read exactly as before the batch, or exactly as after it.

        No others.
        """
        ids = list(batch.pools)
        for pool_id in ids:
            for level in self._deltas(batch, pool_id):
                self.known.members.note(pool_id, level.item)
        sights = self.source.read(ids, self.known)
        for pool_id in ids:
            sight = sights.get(pool_id)
            became = self._became(batch, pool_id, sight)
            if became == "after":
                self._take(batch, pool_id)
            elif became == "unknown":
                self._leave_alone(batch, pool_id, sight)

    def _leave_alone(self, batch: Sent, pool_id: str, sight: Sight | None) -> None:
        """What became of the batch is lost for good.

        A person has to say what the pool's number is.
        """
        cache, title = self.known.cache, batch.pools[pool_id].title
        if sight is None or sight.leaves:
            cache.remove(pool_id)
            return
        one = self.source.scope.axis.one
        message = (
            f"{title}: whether the adjustments sent at {batch.sent_at} were applied can't be told "
            f"any more, so it is no longer managed. Set all its {one}s to the right number in "
            f"Shopify, then run: `invsync {self.order.command} --init --only "
            f"{quote(number_of(pool_id))}`"
        )
        left = untold(pool_id, title, message)
        self.known.doubted.add(pool_id)  # and told, since it is looked at in this run
        pool = Unmanaged(sight.seen(self.source.scope), left_alone=True)
        problem = Standing(left.kind, self.order.started_at, message)
        cache.put(pool_id, cache.encode(title, pool, problem))

    def _became(self, batch: Sent, pool_id: str, sight: Sight | None) -> str:
        """What a reading shows of a batch: `before`, `after`, or `unknown`."""
        pending, cache = batch.pools[pool_id], self.known.cache
        sent, deltas = _moment(batch.sent_at), self._deltas(batch, pool_id)
        if sent > self.source.client.server_now() + AT_ONCE:
            return "unknown"  # when it was sent can't be told, so nor what came before and after
        before = {level: pending.levels[cache.key(level)].observed for level in deltas}
        here = sight.levels if sight else {}
        now = {
            level: here[key].available if (key := cache.key(level)) in here else None
            for level in before
        }
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
