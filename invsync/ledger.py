"""The one thing that a run changes.

What it remembers (cache, history), and what it tells (outcome).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from invsync.errors import InvsyncError
from invsync.find import Found, Look
from invsync.order import Known, Order
from invsync.paused import paused_ids, reminders
from invsync.planning import Paused, Work
from invsync.settle import Gone, Settled, brake_limit
from invsync.state.cache import write_cache
from invsync.state.entries import Standing as Kept
from invsync.state.entries import StoodStill
from invsync.state.history import append_history, counted, history_tail, noted
from invsync.state.journal import Journal, journal_run, leave_waiting
from invsync.state.records import Line, Told
from invsync.state.values import utc_text
from invsync.sync import Unmanaged
from invsync.tell import sentences, words
from invsync.tell.lines import listed
from invsync.tell.outcome import Outcome, Problem, Standing, Warning

log = logging.getLogger("invsync")

#: How long the mark of the feed may stay where it is while nothing moves.
LONGEST_STAY = timedelta(hours=1)
#: Of how many things the history keeps that a run has told them: a first run lists half a shop.
MOST_NOTED = 1_000


class Ledger(Struct):
    """What a run remembers and tells. `now`: the shop's clock.

    `lines`: what the history has yet to get; `kept`: the pools that were dealt with; `gone`: the
    titles of those that left; `held_back`: how many the brake kept from rising; `risen`: how many
    rose; `left_over`: whether a pool kept moving, and is left to the next run; `noted`: how much of
    what was told the history gets.
    """

    order: Order
    known: Known
    outcome: Outcome
    now: Callable[[], datetime]
    lines: list[Line] = []
    kept: set[str] = set()
    gone: list[str] = []
    held_back: int = 0
    risen: int = 0
    left_over: bool = False
    noted: int = 0

    # -- what is told

    def report(self, note: Problem | Warning) -> None:
        """Tell a problem or a warning."""
        if isinstance(note, Problem):
            self.outcome.problems.append(note)
        else:
            self.outcome.warnings.append(note)
        if note.pool is not None and self._is_news(note, note.pool):
            self._note(note, note.pool)

    def _is_news(self, note: Problem | Warning, pool: str) -> bool:
        """Whether that was not told at the last run already, as a problem that stands is."""
        entry = self.known.cache.pools.get(pool)
        if words.meaning_of(note.kind) is None and (entry is None or isinstance(note, Warning)):
            return False
        earlier = entry.problem if entry else None
        return earlier is None or earlier.kind != note.kind

    def _note(self, note: Problem | Warning, pool: str) -> None:
        """Have the history tell it, too: whoever asks for it by a name in it finds it there."""
        if self.noted >= MOST_NOTED:
            return
        levels = note.levels if isinstance(note, Problem) else ()
        title = (note.title if isinstance(note, Problem) else None) or self.known.cache.title(pool)
        told = Told(note.kind, note.message, isinstance(note, Problem))
        skus = (level.sku for level in levels)
        self.noted += 1
        self.lines.append(noted(self._stamp(), self.order.run_id, pool, title, told, skus))

    def warn(self, kind: str, pool: str | None, message: str) -> None:
        """Tell a warning."""
        self.report(Warning(kind, pool, message))

    # -- the steps of a run

    def taken_in(self, run: str, lines: Iterable[Line]) -> None:
        """The journal of an earlier run is finished: remember what became of it."""
        self.known.cache.finished = run
        # What is told already, was told by a run that was cut off just before it wrote its cache.
        told = {line.identity for line in history_tail(self.order.files)}
        self.lines += [line for line in lines if line.identity not in told]
        self._write(run)

    def looked(self, seen: Look) -> None:
        """Tell which scan is done, and why."""
        self.outcome.scan, self.outcome.scan_why = seen.choice.kind, seen.choice.why
        if seen.doubt:
            self.warn(
                "clock",
                None,
                f"{seen.doubt}: one of the two clocks is wrong, or was. So everything was looked "
                "at, not only what changed. Set this machine's clock by NTP (timedatectl set-ntp "
                "true, on most systems); if it is right, there is nothing to do",
            )

    def found(self, finding: Generator[Work | Paused, None, Found]) -> Found:
        """Keep what was concluded while finding; nothing of it where finding fails."""
        try:
            found = _drained(finding, self.keep)
        except InvsyncError:
            self.outcome.standings.clear()
            raise
        for note in found.notes:
            self.report(note)
        if found.missing != self.known.cache.scans.missing:
            cache = self.known.cache
            cache.scans, cache.changed = replace(cache.scans, missing=found.missing), True
        if found.by is None:
            return found
        cache = self.known.cache
        cache.scans = replace(cache.scans, points=found.points)
        self.outcome.scan_why += f"; by {found.by}"
        self.outcome.skipped.update(found.skipped)
        if found.warning:
            self.warn("bulk_failed", None, found.warning)
        if found.skipped:
            left_out = (
                f"{n} {reason.replace('_', ' ')}" for reason, n in sorted(found.skipped.items())
            )
            log.info("left out of what matches: %s", ", ".join(left_out))
        return found

    def begin_afresh(self) -> None:
        """What earlier runs knew and left is forgotten, in favour of what was found."""
        self.known.cache.finished = journal_run(self.order.files)
        self._write(str(uuid.uuid4()))  # by no run whose journal could be taken for this one's

    @contextmanager
    def closing(self, journal: Journal, seen: Look, found: Found) -> Iterator[None]:
        """Settle within: whatever ends that, where it got to is written down and told."""
        whole = False
        try:
            yield
            self._sum_up()
            whole = True
        finally:
            pools = self.known.cache.pools
            self.outcome.standings["failed"] += sum(
                pools[one].several for one in self.known.waiting if one in pools
            )
            cut_off: set[str] = set()
            if not whole:
                cut_off = pools.keys() & set(found.to_read) - self.kept
                self.outcome.left = sum(pools[one].several for one in cut_off)
            self._count_paused(cut_off)
            self.outcome.seen = self.known.count(seen.only)
            self.outcome.dealt |= self.kept - pools.paused.keys()
            self.outcome.known = pools
            # A batch of unknown outcome leaves everything to the journal.
            if not (self.order.options.dry_run or journal.open):
                if whole and not self.left_over:
                    self._advance(seen)
                if self.known.cache.changed or journal.begun:
                    self._write(self.order.run_id)

    def keep_all(self, works: Iterable[Settled]) -> None:
        """Keep everything as it comes."""
        for work in works:
            self.keep(work)

    def _count_paused(self, cut_off: Iterable[str]) -> None:
        """Count what is paused, but for what is counted otherwise already."""
        if self.order.options.as_set:
            return
        known = self.known
        otherwise = {*known.waiting, *known.doubted, *cut_off}
        paused = paused_ids(known.cache, known.pauses)
        self.outcome.standings["paused"] = len(set(paused) - otherwise)

    # -- a pool

    def keep(self, work: Settled) -> None:
        """Remember a pool as far as it got, and tell of it."""
        if isinstance(work, Warning):
            self.report(work)
            return
        if isinstance(work, Gone):
            self._forget(work.id)
            return
        if isinstance(work, Paused):
            self._stand_still(work)
            return
        if work.unshown:
            self._distrust_feed(work)
        if work.end == "again":
            if work.applied:
                self._carry(work)
            return
        self.kept.add(work.id)
        if work.end == "left":
            self._leave_over(work)
            if not work.applied:
                self._count(work)
                return
        self.held_back += work.brake and work.holds_back
        problem = self._tell(work)
        self._count(work)
        self._record(work)
        if work.over:
            self._forget(work.id)
        else:
            self._store(work, problem)

    def _stand_still(self, work: Paused) -> None:
        """Note that a pool was left alone: what it does from here on is yet to be counted."""
        self.kept.add(work.id)
        cache = self.known.cache
        stood = self._stood_still(work.id, tag=work.tag)
        if stood != cache.pools.paused.get(work.id):
            entry = cache.pools.get(work.id) or cache.encode(work.title, Unmanaged(work.seen))
            cache.put(work.id, replace(entry, paused=stood))

    def _stood_still(self, pool_id: str, *, tag: bool) -> StoodStill:
        """Since when a pool is left alone."""
        before = self.known.cache.pools.paused.get(pool_id)
        return StoodStill(before.since if before else self.outcome.started_at, tag)

    def _forget(self, pool_id: str) -> None:
        """Forget a pool that left; what is paused may come back."""
        cache = self.known.cache
        self.outcome.dealt.add(pool_id)
        if pool_id in cache.pools and self.known.pauses.of(pool_id) is None:
            self.gone.append(cache.title(pool_id))
            message = f"{cache.title(pool_id)}: no longer in the shop, or not what is asked for"
            self._note(Warning("left", pool_id, message), pool_id)
            cache.remove(pool_id)

    def _distrust_feed(self, work: Work) -> None:
        cache = self.known.cache
        cache.scans = replace(cache.scans, trusted=False)
        self.warn(
            "feed_missed",
            work.id,
            f"{work.title}: moved at {work.unshown}, which Shopify's feed of changes did not show; "
            "it is counted now. With `scan: auto` this shop is scanned completely from now on",
        )

    def _leave_over(self, work: Work) -> None:
        self.left_over = True
        self.warn(
            "stale",
            work.id,
            f"{work.title}: its levels kept moving while they were raised; nothing was lost, and "
            "the next run goes on from there",
        )

    def _carry(self, work: Work) -> None:
        """A pool that is planned again after a part of it was applied; what is over is told now."""
        for note in work.notes:
            if not words.waits(note.kind):
                self.report(note)
        self.lines += work.sent
        self.lines.append(counted(self._stamp(), self.order.run_id, work.id, work.account()))
        self._store(work)

    def _tell(self, work: Work) -> Problem | None:
        """Tell what there is to tell of a pool; returns the problem that stands."""
        made = work.plan
        if log.isEnabledFor(logging.INFO) and (made.why != "nothing" or made.movements):
            labels = {level: name.label for level, name in work.names.items()}
            log.info("%s: %s", work.title, words.story(made, labels))
        for note in work.notes:
            self.report(note)
        if made.why == "released":
            told = sentences.released(made.before, made.after).of(work.title, work.id)
            self.warn("released", work.id, told)
        self.risen += work.rises
        if work.refused is None:
            problems = (note for note in work.notes if isinstance(note, Problem))
            return next((problem for problem in problems if words.stands(problem)), None)
        why = work.refused
        said = sentences.refused(why, self.order.command)
        line = said.of(work.title, work.id)
        refused = Problem("refused", work.id, work.title, line, work.shown, said.mend, why)
        self.report(refused)
        return refused

    def _count(self, work: Work) -> None:
        """Count how a pool stands; a single level is none."""
        made = work.plan
        if len(made.seen) < 2:
            if work.applied:  # the rest of a pool, whose other levels left with a last fall
                self.outcome.changes.append(work.change())
            return
        standing = _standing(work)
        self.outcome.standings[standing] += not work.over  # one that leaves is no pool any more
        sent = work.applied or work.end == "whole"
        if sent and (standing in ("adjusted", "failed") or made.adjustments):
            self.outcome.changes.append(work.change())

    def _record(self, work: Work) -> None:
        """Have the history tell what was sent, moved and counted."""
        made = work.plan
        self.lines += work.sent
        changed = made.before is not None and made.before != made.after
        if len(made.seen) > 1 and (made.movements or work.applied or changed):
            self.lines.append(counted(self._stamp(), self.order.run_id, work.id, work.account()))

    def _store(self, work: Work, problem: Problem | None = None) -> None:
        cache = self.known.cache
        entry = cache.encode(work.title, work.pool, self._standing_problem(work, problem))
        if work.paused:
            entry = replace(entry, paused=self._stood_still(work.id, tag=True))
        if entry != cache.pools.get(work.id):
            cache.put(work.id, entry)

    def _standing_problem(self, work: Work, problem: Problem | None) -> Kept | None:
        """The problem as the cache keeps it for `invsync status`, with since when it stands."""
        if problem is None:
            return None
        entry, now = self.known.cache.pools.get(work.id), self.outcome.started_at
        earlier = entry.problem if entry else None
        if earlier is None or earlier.kind != problem.kind:
            earlier = Kept(problem.kind, now, problem.message, now)
        heard = now if any(note.levels for note in work.plan.notes) else earlier.heard or now
        left_alone = work.plan.left_alone and work.plan.notes
        return Kept(problem.kind, earlier.since, problem.message, heard if left_alone else None)

    # -- the end

    def _sum_up(self) -> None:
        """What is told once for many pools."""
        settings, section = self.order.settings, self.order.section
        known, now = self.known, datetime.fromisoformat(self.order.started_at)
        for pool_id, message in reminders(known.cache, known.pauses, section.pause_tag, now):
            self.warn("paused", pool_id, message)
        if self.gone:
            self.warn(
                "left",
                None,
                f"no longer in the shop, or not what {settings.file} asks for: "
                f"{listed(self.gone)}; forgotten, and judged afresh if they return",
            )
        if self.order.options.force and self.risen >= brake_limit(self.order, self.known):
            self.warn(
                "released",
                None,
                f"--force: {self.risen} of {self.known.count()} pools rose in this run, more than "
                f"max_rising ({section.max_rising:.0%}) lets through at once. If an import was "
                "wrong, put it right in Shopify: what falls is counted too",
            )
        if self.held_back:
            self.warn(
                "brake",
                None,
                f"the brake: {self.held_back} of {self.known.count()} pools would have risen in "
                f"this run, more than max_rising ({section.max_rising:.0%}) lets through at once, "
                "so their rises are held; falls went out. If the rises are right, run: `invsync "
                f"{self.order.command} --force`",
            )

    def _advance(self, seen: Look) -> None:
        """Everything up to the beginning of this run is settled.

        A run to which the feed showed nothing leaves the mark where it is, and the cache unwritten:
        reading the feed from a little further back costs nothing, writing a large cache every ten
        minutes does.
        """
        if self.order.options.init and self.known.on_disk:
            return  # the pools that are managed were not looked at
        if seen.only is not None:
            return  # and so were not all others
        cache, began = self.known.cache, seen.began
        complete = seen.moved is None
        if complete:
            cache.matches = list(seen.matches)
            cache.scans = replace(cache.scans, complete=utc_text(began))
        behind = began - datetime.fromisoformat(cache.scans.watermark or self.order.started_at)
        stirred = seen.moved is not None and seen.moved.stirred
        if complete or cache.changed or stirred or behind > LONGEST_STAY:
            # By the clock that is behind, if they differ: too early costs some points, too late
            # would hide what moved.
            here = datetime.fromisoformat(self.order.started_at)
            cache.scans = replace(cache.scans, watermark=utc_text(min(began, here)))
            skew = None if seen.skew is None else round(seen.skew)
            cache.scans = replace(cache.scans, skew=skew)
            cache.changed = True
        cache.scans = replace(cache.scans, fed=not complete)

    def _write(self, run: str) -> None:
        """History, the cache as of `run`, and only then the journal's end, but for what waits."""
        files, cache = self.order.files, self.known.cache
        append_history(files, self.lines)
        self.lines.clear()
        write_cache(files, cache, run)
        leave_waiting(
            files,
            self.known.batches,
            run=self.order.run_id,
            shop=cache.shop,
            shop_id=cache.shop_id,
            continues=run,
        )

    def _stamp(self) -> str:
        return utc_text(self.now())


def _drained(
    finding: Generator[Work | Paused, None, Found], keep: Callable[[Work | Paused], None]
) -> Found:
    """Keep what a generator yields; returns what it returns."""
    while True:
        try:
            work = next(finding)
        except StopIteration as end:
            found: Found = end.value
            return found
        keep(work)


def _standing(work: Work) -> Standing:
    """How a pool is counted: by the first of these that is true of it."""
    made = work.plan
    if work.refused is not None or work.end == "left":
        return "failed"
    barred = work.given.barred and made.after is not None
    if barred or any(words.waits(note.kind) for note in made.notes):
        return "held"
    if made.after is None:
        return "out_of_sync"
    if made.why == "adopted":
        return "adopted"
    if made.adjustments or made.before != made.after:
        return "adjusted"
    return "in_step"
