"""One run, start to end.

lock → load cache → finish what the journal left → find what may have moved → read it by id → plan →
push → write cache → report
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from invsync import find
from invsync.admin import adjust, levels
from invsync.admin.client import Client
from invsync.config import LocationsSettings, Settings, VariantsSettings
from invsync.connect import RunClock, connect, scope_of, search_terms, section_of
from invsync.errors import InvsyncError, OutOfTime, ShopError, StateError
from invsync.find import Found
from invsync.listings import Listings, listings_of
from invsync.pools import Name, Scope, Sight, see
from invsync.push import Work, push
from invsync.recover import finish
from invsync.state import history
from invsync.state.cache import Cache, read_cache, take_up, write_cache
from invsync.state.files import Command, Files, prepare
from invsync.state.history import append_history, history_tail
from invsync.state.journal import Journal, belongs, journal_run, read_journal, remove_journal
from invsync.state.last import write_last
from invsync.state.lock import holder, lock
from invsync.state.values import utc_text
from invsync.sync import Adjustment, Align, LevelId, Plan, Pool, adopt, align, plan
from invsync.tell import words
from invsync.tell.outcome import Change, LevelChange, Outcome, Problem, Shown, Standing, Warning

log = logging.getLogger("invsync")

#: How often a raise whose level moved meanwhile is read and planned again before it is left to the
#: next run.
STALE_TRIES = 3
#: Brakes look at shares only where there are at least this many: rises in one run, pools known to
#: the cache.
FEW_RISES = 20
FEW_POOLS = 10
#: Titles that a warning about many pools spells out.
NAMED = 8
#: How long the mark of the feed may stay where it is while nothing moves.
LONGEST_STAY = timedelta(hours=1)

Confirm = Callable[[Sequence[Change]], bool]
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for on the command line."""

    dry_run: bool = False
    force: bool = False
    init: bool = False
    reset: bool = False
    align: Align | None = None


def run(
    settings: Settings,
    command: Command,
    options: Options,
    *,
    clock: RunClock,
    confirm: Confirm,
    progress: Progress,
    begun: Callable[[], None] = lambda: None,
) -> Outcome:
    """Do one run and tell how it went; an error that ends it early is in the outcome.

    Raises only what comes before it began: `LockHeld`, `StateError` for the state folder. `confirm`
    is asked with the changes that `--align` would make; `progress` is told of what takes long
    (what, done, of how many); `begun` is called once nothing stands in the way of the run.
    """
    started = clock.monotonic()
    run_id = str(uuid.uuid4())
    outcome = Outcome(
        command=command,
        shop=settings.shop,
        mode="init" if options.init else "sync",
        dry_run=options.dry_run,
        started_at=utc_text(datetime.fromtimestamp(clock.now(), UTC)),
    )
    files = Files(settings.state_dir, command)
    with contextlib.ExitStack() as held:
        if not options.dry_run:
            prepare(files)
            held.enter_context(lock(files, outcome.started_at))
        begun()
        client = connect(settings, clock, clock.deadline, keep_token=not options.dry_run)
        this = _Run(settings, files, options, client, clock, confirm, progress, run_id, outcome)
        try:
            this.go()
        except InvsyncError as error:
            outcome.error = error
        outcome.requests, outcome.points = client.use.requests, client.use.points
        outcome.throttled, outcome.waited_seconds = client.use.throttled, client.use.waited_seconds
        outcome.seconds = clock.monotonic() - started
        if not options.dry_run:
            this.remember()
    return outcome


@dataclass(slots=True)
class _Run:
    """The values that one run carries from step to step."""

    settings: Settings
    files: Files
    options: Options
    client: Client
    clock: RunClock
    confirm: Confirm
    progress: Progress
    run_id: str
    outcome: Outcome
    scope: Scope = field(init=False)
    cache: Cache = field(init=False)
    journal: Journal = field(init=False)
    listings: Listings = field(init=False)
    seeded: bool = False
    on_disk: bool = False
    brake: bool = False
    risen: int = 0
    may_rise: int = 0
    held_back: int = 0
    gone: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    began: datetime = field(init=False)
    left_over: bool = False
    stirred: bool = False
    feed: find.FeedCheck | None = None
    still: Mapping[str, None] = field(default_factory=dict)
    lines: list[dict[str, object]] = field(default_factory=list)

    def go(self) -> None:
        """All steps; what was done is on disk when this returns or raises."""
        known = None if self.options.reset else read_cache(self.files)
        shop = levels.read_shop(self.client)
        if shop.domain != self.settings.shop:
            raise ShopError(
                f"{self.settings.endpoint} is the shop {shop.domain}, but the configuration says "
                f"{self.settings.shop}; "
                f"nothing was read or sent. Correct `shop` in {self.settings.file}"
            )
        self.scope = scope_of(self.settings, self.files.command, shop)
        self.listings = listings_of(self.scope, self.client, len(shop.locations))
        self.load(known, shop)
        if not self.options.reset:
            self.finish_journal()
        self.journal = Journal(
            self.files, run=self.run_id, shop=shop.domain, continues=self.cache.run
        )
        try:
            candidates = self.find()
        except InvsyncError:
            self.outcome.standings.clear()  # nothing of what was found is kept
            raise
        if self.options.reset and not self.options.dry_run:
            self.cache.finished = journal_run(self.files)
            self.write()
            self.journal = Journal(
                self.files, run=self.run_id, shop=shop.domain, continues=self.cache.run
            )
        try:
            self.settle(candidates)
        except BaseException:
            cut_off = self.cache.pools.keys() & set(candidates) - self.kept
            self.outcome.left = sum(
                len(self.cache.pools[pool_id]["levels"]) > 1 for pool_id in cut_off
            )
            self.close(whole=False)
            raise
        finally:
            self.outcome.seen = self.count_pools()
        self.close(whole=True)

    def count_pools(self) -> int:
        """How many pools the cache knows; a single level is none."""
        return sum(len(entry["levels"]) > 1 for entry in self.cache.pools.values())

    def load(self, known: Cache | None, shop: levels.Shop) -> None:
        """Take up the cache, or begin one."""
        locations = tuple(self.scope.locations)
        loaded = known and take_up(known, self.files, shop.domain, locations)
        # What a first run that was cut off has left is no knowledge of which items are new.
        self.seeded = loaded is not None and loaded.scanned_at is not None
        self.on_disk = loaded is not None
        self.cache = loaded or Cache(self.files.command, shop.domain, locations, changed=True)

    def finish_journal(self) -> None:
        """Finish what an earlier run left in the journal."""
        left = read_journal(self.files, self.cache.shop)
        if left is None or not belongs(left, self.cache if self.on_disk else None, self.files):
            if not self.options.dry_run:
                remove_journal(self.files)
            return
        if self.options.dry_run:
            who = holder(self.files)
            self.warn(
                "open_journal",
                None,
                f"a run is at work ({who}): this shows the shop as it is now, in the middle of it"
                if who
                else f"{self.files.journal}: an earlier run was cut off, {len(left.open)} of its "
                "batches unsettled, "
                "and this dry run looks past it. To finish it, run: `invsync "
                f"{self.files.command}`",
            )
            return
        finished = finish(left, self.cache, self.client, self.clock, self.read)
        for note in finished.notes.values():
            self.report(note)
        self.cache.finished = left.run
        # What is told already, was told by a run that was cut off just before it wrote its cache.
        told = {history.identity(line) for line in history_tail(self.files)}
        self.lines += [line for line in finished.history if history.identity(line) not in told]
        if self.cache.scanned_at is None:
            self.seeded = False  # what was forgotten just now is not new
        self.write()

    def find(self) -> list[str]:
        """The ids of the pools to read by id. Pools that need nothing sent are concluded on the way."""
        self.began = self.client.server_now()
        choice = find.choose(
            self.section.scan,
            self.cache,
            seeded=self.seeded,
            init=self.options.init,
            matches=self.scope.matches,
            reconcile_every=self.section.reconcile_every,
            now=self.began,
        )
        moved = (
            find.changed(self.scope, self.cache, self.client, self.listings)
            if choice.kind == "changes"
            else None
        )
        if choice.kind == "changes" and moved is None:
            choice = find.Choice("complete", "much changed at once")
        self.outcome.scan, self.outcome.scan_why = choice.kind, choice.why
        if choice.kind == "complete" and self.cache.watermark is not None:
            self.feed = find.check_feed(
                self.scope, self.cache, self.client, self.listings, choice, self.began
            )
        if moved is None:
            candidates = self.scan_all()
        else:
            candidates, self.may_rise, self.still = (
                [*moved.levels, *moved.others],
                len(moved.rising),
                moved.others,
            )
            self.stirred = moved.stirred
        log.info(
            "scan: %s (%s); to read by id: %d", choice.kind, self.outcome.scan_why, len(candidates)
        )
        return candidates

    def scan_all(self) -> list[str]:
        """A complete scan: whatever does not read as the cache has it, and whatever it did not find."""
        found = Found()
        candidates: list[str] = []
        known, spent = len(self.cache.pools), self.client.use.points
        terms = search_terms(self.scope, self.settings)
        listings = find.listings(
            self.listings, self.client, terms, self.cache.scan_points, found, self.heed
        )
        for sight in find.sights(self.scope, self.cache, self.watched(listings, known), found):
            work = self.plan(sight)
            if work is None:
                continue
            before = self.cache.get(sight.id)
            taken_back = (
                before is not None and before.quantity is not None and work.plan.pool != before
            )
            if work.plan.adjustments or work.plan.movements or taken_back:
                candidates.append(sight.id)
                self.may_rise += work.rises
            else:
                self.keep(work)
        self.check_found(found, known)
        if found.warning:
            self.warn("bulk_failed", None, found.warning)
        self.outcome.scan_why += f"; by {found.by}"
        self.outcome.skipped = found.skipped
        if found.skipped:
            left_out = ", ".join(
                f"{count} {reason.replace('_', ' ')}"
                for reason, count in sorted(found.skipped.items())
            )
            log.info("left out of what matches: %s", left_out)
        paged = self.client.use.points - spent
        self.cache.scan_points = (
            paged if found.by == "pages" else max(self.cache.scan_points, find.DEAR_POINTS + 1)
        )
        if not self.options.init:
            candidates += [pool_id for pool_id in self.cache.pools if pool_id not in found.ids]
        return candidates

    def watched(self, listings: Iterable[levels.Listing], known: int) -> Iterator[levels.Listing]:
        """The listings, with a look at the clock and a word on progress now and then."""
        for count, listing in enumerate(listings):
            if count % levels.PAGE == 0:
                self.heed("reading", count, known or None)
            yield listing

    def heed(self, what: str, done: int, total: int | None) -> None:
        """See whether the run has to stop, and tell how far it is."""
        self.clock.check()
        self.progress(what, done, total)

    def check_found(self, found: Found, known: int) -> None:
        """Refuse to conclude from a scan that found nothing, or much less than is known."""
        filters = ", ".join(self.scope.matches) or "every product"
        section = self.settings.file, self.scope.command
        if not found.ids:
            raise ShopError(
                f"nothing in the shop matches ({filters}), so nothing was done. Check "
                "product_types, product_tags and "
                f"location under `{section[1]}` in {section[0]}"
            )
        if known >= FEW_POOLS and found.known < known / 2 and not self.options.force:
            raise ShopError(
                f"only {found.known} of the {known} pools that are known still match ({filters}), "
                "so nothing was done. "
                f"Check product_types and product_tags under `{section[1]}` in {section[0]}; if "
                "that is right, run "
                "once with --force"
            )

    def settle(self, candidates: Sequence[str]) -> None:
        """Read the candidates by id, plan and push them, some at a time so that each is pushed from a fresh reading."""
        if not candidates:
            return
        limit = max(FEW_RISES, int(self.section.max_rising * self.count_pools()) + 1)
        self.brake = not self.options.force and self.may_rise >= limit
        if self.options.align:
            candidates = self.approve(candidates)
        done = 0
        for some in self.portions(candidates):
            self.progress("pushing", done, len(candidates))
            try:
                self.clock.check()
                self.settle_some(some, limit)
            except OutOfTime as error:
                left = len(candidates) - done
                raise OutOfTime(
                    f"{error}; {left} of {len(candidates)} pools are left to the next run. Raise "
                    "max_run_time in "
                    f"{self.settings.file} if this happens often"
                ) from error
            done += len(some)
        if self.gone:
            named, more = ", ".join(self.gone[:NAMED]), len(self.gone) - NAMED
            self.warn(
                "left",
                None,
                f"no longer in the shop, or not what {self.settings.file} asks for: {named}"
                f"{f' and {more} more' if more > 0 else ''}; forgotten, and judged afresh if they "
                "return",
            )
        if self.held_back:
            self.warn(
                "brake",
                None,
                f"the brake: {self.held_back} of {self.count_pools()} pools would have risen in "
                "this run, more than "
                f"max_rising ({self.section.max_rising:.0%}) lets through at once, so their rises "
                "are held; falls went "
                f"out. If the rises are right, run: `invsync {self.scope.command} --force`",
            )

    def settle_some(self, ids: Sequence[str], limit: int) -> None:
        """Read, plan and push these pools; those whose levels moved meanwhile are read and planned again."""
        for attempt in range(STALE_TRIES):
            works = self.plan_all(ids)
            if not self.options.force and self.risen + sum(work.rises for work in works) >= limit:
                self.brake = True
                works = [self.replan(work) for work in works]
            try:
                if not self.options.dry_run:
                    push(
                        [work for work in works if work.plan.adjustments],
                        self.client,
                        self.journal,
                        self.cache,
                        self.run_id,
                        self.clock,
                        self.clock.check,
                        self.tell,
                    )
            except BaseException:
                # What took effect has to be remembered and told; a batch of unknown outcome keeps
                # the cache unwritten.
                for work in works:
                    if work.applied:
                        self.keep(work)
                raise
            for work in works:
                if not work.again:
                    self.keep(work)
                elif work.applied:
                    self.carry(work)
            ids = [work.id for work in works if work.again]
            if not ids:
                return
            log.info(
                "%d pools moved while they were pushed; reading them again (%d)",
                len(ids),
                attempt + 1,
            )
        self.left_over = True
        for work in works:
            if work.again:
                if work.applied:
                    self.keep(work)
                self.warn(
                    "stale",
                    work.id,
                    f"{work.title}: its levels kept moving while they were raised; nothing was "
                    "lost, and the next "
                    "run goes on from there",
                )

    def plan_all(self, ids: Sequence[str]) -> list[Work]:
        """Plan from a fresh reading; a pool that is really gone leaves the cache."""
        works = []
        for pool_id, sight in self.read(ids).items():
            if sight is None:
                if pool_id in self.cache.pools:
                    self.gone.append(self.cache.title(pool_id))
                    self.cache.remove(pool_id)
            elif work := self.plan(sight):
                works.append(work)
                self.check_feed(sight, work)
        return works

    def check_feed(self, sight: Sight, work: Work) -> None:
        """In a complete scan, see whether the feed should have shown this movement."""
        if self.feed is None:
            return
        for level in work.plan.movements:
            touched = sight.touched(level)
            if touched and self.feed.missed(work.id, datetime.fromisoformat(touched)):
                self.cache.feed_trusted = False
                self.warn(
                    "feed_missed",
                    work.id,
                    f"{work.title}: moved at {touched}, which Shopify's feed of changes did not "
                    "show; it is counted "
                    "now. With `scan: auto` this shop is scanned completely from now on",
                )
                return

    def read(self, ids: Sequence[str]) -> dict[str, Sight | None]:
        """Read pools whole and by id: id → what was seen, None for one that is no pool of ours any more."""
        widest = max(
            (len(self.cache.pools[i]["levels"]) for i in ids if i in self.cache.pools), default=0
        )
        found = self.listings.by_id(ids, widest)
        return {pool_id: see(self.scope, shown) for pool_id, shown in found.items()}

    def plan(self, sight: Sight) -> Work | None:
        """What the reading makes of the pool; None where `--init` has nothing to say of it."""
        observed = sight.observed(self.scope)
        pool = self.cache.get(sight.id)
        if self.options.init:
            if pool is not None and pool.quantity is not None:
                return None
            made = adopt(observed) or (
                align(observed, self.options.align) if self.options.align else None
            )
            made = made or plan(None, observed, seeded=False)
        else:
            made = self.judge(pool, observed)
        return self.work(sight.id, sight.title, made, sight.names(self.scope))

    def work(self, pool_id: str, title: str, made: Plan, names: Mapping[LevelId, Name]) -> Work:
        """A plan with what it has to tell."""
        labels = {level: name.label for level, name in names.items()}
        policy = self.section.several_rises
        about = [
            words.About(note, made, title, labels, self.scope.axis, policy) for note in made.notes
        ]
        notes = words.told(pool_id, about, _shown(made, names))
        return Work(pool_id, title, made, names, notes)

    def replan(self, work: Work) -> Work:
        """The same reading, now that the brake is on."""
        made = self.judge(self.cache.get(work.id), work.plan.observed)
        return self.work(work.id, work.title, made, work.names)

    def judge(self, pool: Pool | None, observed: Mapping[LevelId, int]) -> Plan:
        """The rule, as the configuration and the command line set it."""
        return plan(
            pool,
            observed,
            several_rises=self.section.several_rises,
            follow=self.scope.axis.follows,
            seeded=self.seeded,
            brake=self.brake and len(observed) > 1,
            release=self.options.force,
        )

    @property
    def section(self) -> VariantsSettings | LocationsSettings:
        """The configuration of this command."""
        return section_of(self.settings, self.scope.command)

    def portions(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """Ids in portions that one call can read, and whose adjustments are likely to fill one batch."""
        some: list[str] = []
        room = adjust.BATCH
        for pool_id in ids:
            size = len(self.cache.pools.get(pool_id, {}).get("levels", ())) or 4
            if pool_id in self.still:
                size = 0  # not seen to have moved: likely there is nothing to send
            if some and (size > room or len(some) == levels.PAGE):
                yield some
                some, room = [], adjust.BATCH
            some.append(pool_id)
            room -= size
        if some:
            yield some

    def approve(self, candidates: Sequence[str]) -> Sequence[str]:
        """Show what `--align` would change, and go on only if it is wanted."""
        works = [work for some in self.portions(candidates) for work in self.plan_all(some)]
        changes = [self.change(work) for work in works]
        if not changes or self.options.dry_run or self.confirm(changes):
            return candidates
        for work in works:
            self.keep(
                self.work(
                    work.id, work.title, plan(None, work.plan.observed, seeded=False), work.names
                )
            )
        self.warn("not_aligned", None, "nothing was aligned, since you said no")
        return []

    def tell(self, key: str, work: Work, adjustment: Adjustment) -> None:
        """Note an adjustment that took effect, for the history."""
        level, told, now = (
            adjustment.level,
            work.told(adjustment),
            utc_text(self.client.server_now()),
        )
        pool = {"pool": work.id, "title": work.title, "why": work.plan.why}
        self.lines.append(history.sent(now, self.run_id, key, pool, level, told, adjustment.delta))

    def keep(self, work: Work) -> None:
        """Remember a pool as this run leaves it, and report it."""
        made = work.plan
        self.kept.add(work.id)
        self.risen += work.rises
        self.held_back += self.brake and any(
            made.movements.get(level, 0) > 0 for level in made.pool.braked
        )
        if made.why != "nothing":
            before = "" if made.before is None else f"{made.before} → "
            log.info("%s: %s, %s%s", work.title, words.WHY[made.why], before, made.pool.quantity)
        standing_ones = (
            note for note in work.notes if isinstance(note, Problem) and words.stands(note)
        )
        problem = next(standing_ones, None)
        standing: Standing = "in_step"
        for note in work.notes:
            self.report(note)
        if work.refused is not None:
            standing = "failed"
            problem = Problem(
                "refused",
                work.id,
                work.title,
                f"{work.title}: Shopify refused its adjustments: {work.refused}. Every run tries "
                "again; mend the "
                "product in Shopify or take it out of the filter, then run: `invsync "
                f"{self.scope.command}`",
                _shown(made, work.names),
            )
            self.report(problem)
        elif any(words.waits(note.kind) for note in made.notes):
            standing = "held"
        elif made.pool.quantity is None:
            standing = "out_of_sync"
        elif made.why == "adopted":
            standing = "adopted"
        elif made.adjustments or made.before != made.pool.quantity:
            standing = "adjusted"
        several = len(made.observed) > 1
        if several:
            self.outcome.standings[standing] += 1
            if standing in ("adjusted", "failed") or made.adjustments:
                self.outcome.changes.append(self.change(work))
        counted = made.before is not None and made.before != made.pool.quantity
        if several and (made.movements or work.applied or counted):
            now = utc_text(self.client.server_now())
            self.lines.append(history.moved(now, self.run_id, work.id, work.record()))
        self.store(work, problem)

    def carry(self, work: Work) -> None:
        """Remember a pool that is planned again after a part of it was applied; what is over is told now."""
        for note in work.notes:
            if not words.waits(note.kind):
                self.report(note)
        self.lines.append(
            history.moved(utc_text(self.client.server_now()), self.run_id, work.id, work.record())
        )
        self.store(work)

    def store(self, work: Work, problem: Problem | None = None) -> None:
        """Remember a pool as things stand."""
        entry = self.cache.encode(work.title, work.pool, self.standing_problem(work.id, problem))
        if entry != self.cache.pools.get(work.id):
            self.cache.put(work.id, entry)

    def standing_problem(self, pool_id: str, problem: Problem | None) -> dict[str, str] | None:
        """The problem as the cache keeps it for `invsync status`, with the time since when it stands."""
        if problem is None:
            return None
        earlier = self.cache.pools.get(pool_id, {}).get("problem", {})
        since = earlier.get("since") if earlier.get("kind") == problem.kind else None
        return {
            "kind": problem.kind,
            "since": since or self.outcome.started_at,
            "message": problem.message,
        }

    def change(self, work: Work) -> Change:
        """A pool's row in the report."""
        made = work.plan
        deltas = {adjustment.level: adjustment.delta for adjustment in made.adjustments}
        rows = tuple(
            LevelChange(
                level.item,
                work.names[level].sku,
                work.names[level].label,
                level.location,
                observed,
                made.movements.get(level, 0),
                deltas.get(level, 0),
                level not in deltas or level in work.applied,
            )
            for level, observed in made.observed.items()
            if level in deltas or level in made.movements
        )
        return Change(work.id, work.title, made.before, made.pool.quantity, made.why, rows)

    def warn(self, kind: str, pool: str | None, message: str) -> None:
        """Add a warning to the report."""
        self.report(Warning(kind, pool, message))

    def report(self, note: Problem | Warning) -> None:
        """Add a problem or a warning to the report."""
        if isinstance(note, Problem):
            self.outcome.problems.append(note)
        else:
            self.outcome.warnings.append(note)

    def close(self, *, whole: bool) -> None:
        """Write down where the run got to. A batch of unknown outcome leaves everything to the journal."""
        if self.options.dry_run or self.journal.open:
            return
        if whole and not self.left_over:
            self.advance()
        if self.cache.changed or self.journal.begun:
            self.write()

    def advance(self) -> None:
        """Everything up to the beginning of this run is settled.

        A run to which the feed showed nothing leaves the mark where it is, and the cache unwritten:
        reading the feed from a little further back costs nothing, writing a large cache every ten
        minutes does.
        """
        if self.options.init and self.on_disk:
            return  # the pools that are managed were not looked at
        complete = self.outcome.scan == "complete"
        if complete:
            self.cache.matches = self.scope.matches
            self.cache.scanned_at = utc_text(self.began)
        if complete or self.cache.changed or self.stirred or self.is_far_behind():
            self.cache.watermark = utc_text(self.began)
            self.cache.changed = True
        self.cache.fed = not complete

    def is_far_behind(self) -> bool:
        """Whether the mark has stayed so long that the next feeds would show much again."""
        mark = datetime.fromisoformat(self.cache.watermark or self.outcome.started_at)
        return self.began - mark > LONGEST_STAY

    def write(self) -> None:
        """History, cache, and only then the journal's end."""
        append_history(self.files, self.lines)
        self.lines.clear()
        write_cache(self.files, self.cache, self.run_id)
        remove_journal(self.files)

    def remember(self) -> None:
        """Keep how the run ended, for `invsync status`; that it could not be kept is no reason to fail."""
        outcome = self.outcome
        record = {
            "run": self.run_id,
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
            write_last(self.files, record)


def _shown(made: Plan, names: Mapping[LevelId, Name]) -> tuple[Shown, ...]:
    """The levels of a problem, as the report shows them."""
    return tuple(
        Shown(level.item, names[level].sku or names[level].label, level.location, observed)
        for level, observed in made.observed.items()
    )
