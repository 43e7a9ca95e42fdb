"""One run, start to end.

lock → load cache → finish what the journal left → find what may have moved → read it by id → plan →
push → write cache → report
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import requests

from invsync import find
from invsync.admin.client import ApiUse, Client
from invsync.admin.shop import Shop, read_shop
from invsync.config.settings import Settings
from invsync.connect import RunClock, connect, scope_of
from invsync.errors import InvsyncError, ShopError, StateError
from invsync.ledger import Ledger
from invsync.listings import Heed, Source, listings_of
from invsync.names import NotFound
from invsync.order import Options, Order
from invsync.planning import Planning
from invsync.push import Pushing
from invsync.recover import is_same_shop, open_cache, recover, settle_in
from invsync.settle import Confirm, Settling
from invsync.state.cache import Cache, read_cache
from invsync.state.files import Command, look_over, prepare
from invsync.state.journal import Journal
from invsync.state.last import write_last
from invsync.state.lock import lock
from invsync.state.pauses import read_pauses
from invsync.state.values import utc_text
from invsync.tell.outcome import Outcome, Warning


def run(
    settings: Settings,
    command: Command,
    options: Options,
    *,
    clock: RunClock,
    confirm: Confirm,
    progress: Heed,
    begun: Callable[[], None] = lambda: None,
    watch: Callable[[ApiUse], None] = lambda _: None,
    locked: bool = False,
) -> Outcome:
    """Do one run and tell how it went; an error that ends it early is in the outcome.

    Raises only what comes before it began: `LockHeld`, `StateError` for the state folder, and
    `NotFound` where what is to be looked at alone is nowhere. `confirm`
    is asked with the changes that `--align` would make; `progress` is told of what takes long
    (what, done, of how many). Once nothing stands in the way of the run, `begun` is called, and
    `watch`, with what the client takes as it goes.
    `locked`: whoever calls holds the lock.
    """
    run_id, now = str(uuid.uuid4()), datetime.fromtimestamp(clock.now(), UTC)
    order = Order(settings, command, options, run_id, utc_text(now))
    outcome = Outcome(
        command=command,
        shop=settings.shop,
        mode="init" if options.init else "sync",
        dry_run=options.dry_run,
        started_at=order.started_at,
        asked=options.for_real,
    )

    def heed(what: str, done: int, total: int | None) -> None:
        clock.check()
        progress(what, done, total)

    with _held(order, locked=locked) as unwise, requests.Session() as session:
        outcome.warnings += (Warning("state_dir", None, message) for message in unwise)
        begun()
        keep_token = not options.dry_run
        client = connect(settings, session, clock, clock.deadline, keep_token=keep_token)
        watch(client.use)
        with _told(order, outcome, client, clock):
            _go(order, outcome, client, clock, confirm, heed)
    return outcome


def _go(
    order: Order,
    outcome: Outcome,
    client: Client,
    clock: RunClock,
    confirm: Confirm,
    heed: Heed,
) -> None:
    """All steps; what was done is on disk when this returns or raises."""
    options = order.options
    remembered = None if options.reset else read_cache(order.files)
    pauses = read_pauses(order.files.folder, datetime.fromtimestamp(clock.now(), UTC))
    shop = _own_shop(order, client, remembered)
    scope = scope_of(order.settings, order.command, shop)
    outcome.places, outcome.axis, outcome.plain = scope.locations, scope.axis, scope.plain
    listings = listings_of(scope, client, len(shop.locations))
    source = Source(client, scope, listings)

    known = open_cache(order, source, shop, remembered, pauses)
    ledger = Ledger(order, known, outcome, client.server_now)
    if not options.reset:
        recover(order, source, known, ledger, clock)
        known.members.forget()
    settle_in(known, scope, shop, ledger)

    planning = Planning(order, scope, known)
    seen = find.look(order, source, known)
    ledger.looked(seen)
    found = ledger.found(find.find(order, source, known, seen, planning, heed))
    if options.reset and not options.dry_run:
        ledger.begin_afresh()

    cache = known.cache
    journal = Journal(
        order.files,
        run=order.run_id,
        shop=shop.domain,
        shop_id=shop.id,
        continues=cache.run,
        waiting=known.batches,
    )
    pushing = None if options.dry_run else Pushing(client, clock, journal, cache, order.run_id)
    settling = Settling(order, source, known, planning, pushing, seen.feed)
    with ledger.closing(journal, seen, found):
        ledger.keep_all(settling.settle(found, confirm, heed))


def _own_shop(order: Order, client: Client, remembered: Cache | None) -> Shop:
    """Who answers; raises `ShopError` where that is not the shop of the configuration."""
    shop, settings = read_shop(client), order.settings
    if client.clock_jumped(None if remembered is None else remembered.scans.skew):
        shop = read_shop(client)  # what one answer says of the time is no proof, what two say is
    if shop.domain == settings.shop:
        return shop
    if remembered is not None and is_same_shop(remembered, shop):
        raise ShopError(
            f"the shop {settings.shop} is called {shop.domain} now; nothing was read or sent. "
            f"Write shop: {shop.domain} in {settings.file}: what is remembered of it goes on"
        )
    raise ShopError(
        f"{settings.endpoint} is the shop {shop.domain}, but the configuration says "
        f"{settings.shop}; nothing was read or sent. Correct `shop` in {settings.file}"
    )


@contextlib.contextmanager
def _held(order: Order, *, locked: bool) -> Iterator[tuple[str, ...]]:
    """Have the state folder for this run alone, and say what is unwise about it.

    A dry run only looks.
    """
    if order.options.dry_run or locked:
        yield look_over(order.files)
        return
    unwise = prepare(order.files)
    with lock(order.files, order.started_at):
        yield unwise


@contextlib.contextmanager
def _told(order: Order, outcome: Outcome, client: Client, clock: RunClock) -> Iterator[None]:
    """Whatever ends the run within.

    It is told, with what it took, and kept for `invsync status`.
    """
    started = clock.monotonic()
    try:
        yield
    except NotFound:
        raise  # a word that was mistyped is no run that failed
    except InvsyncError as error:
        outcome.error = error
    use = client.use
    outcome.requests, outcome.points = use.requests, use.points
    outcome.throttled, outcome.waited_seconds = use.throttled, use.waited_seconds
    outcome.seconds = clock.monotonic() - started
    if not (order.options.dry_run or order.options.only):
        _keep_for_status(order, outcome)


def _keep_for_status(order: Order, outcome: Outcome) -> None:
    """Keep how the run ended; that it could not be kept is no reason to fail."""
    record = {
        "run": order.run_id,
        "started_at": outcome.started_at,
        "seconds": round(outcome.seconds, 3),
        "mode": outcome.mode,
        "scan": outcome.scan,
        "exit": outcome.exit_code,
        "error": str(outcome.error) if outcome.error else None,
        "pools": outcome.pools,
        "changes": len(outcome.changes),
        "problems": len(outcome.problems),
        "messages": [problem.message for problem in outcome.problems[:20]],
    }
    with contextlib.suppress(StateError):
        write_last(order.files, record)
