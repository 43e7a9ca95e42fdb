"""What the state folder tells, without asking the shop and without writing anything."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from invsync.config.settings import Settings
from invsync.errors import StateError
from invsync.paused import Paused, paused_alone, paused_ids
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files, look_over
from invsync.state.journal import belongs, read_journal
from invsync.state.last import read_last
from invsync.state.lock import holder
from invsync.state.pauses import Pause, read_pauses
from invsync.state.told import Happened, read_told
from invsync.state.values import utc_text
from invsync.tell.lines import number_of
from invsync.tell.news import recent
from invsync.tell.times import moment


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pool that needs a person, and since when (UTC text).

    `again`: whether it was left alone for another program, and can be taken up again now.
    """

    command: Command
    pool: str
    title: str
    kind: str
    since: str
    message: str
    again: bool = False

    @property
    def quiet(self) -> str:
        """Why it can be taken up again."""
        return (
            "for a whole day nothing was seen of the program that it was left alone for, and all "
            "read alike: it can be taken up again"
        )

    @property
    def mend(self) -> str:
        """What takes it up again."""
        return f"run: `invsync {self.command} --init --only {shlex.quote(number_of(self.pool))}`"


@dataclass(frozen=True, slots=True)
class Owing:
    """A pool that is sold out and more: so many units are owed."""

    pool: str
    title: str
    units: int


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """What an unfinished run left.

    Its id, its batches, and those of whose outcome nothing is known.
    """

    run: str
    sent_at: str
    batches: int
    unsettled: int


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """What is known of one command.

    `managed`: pools with a quantity, `units` all of those quantities together, of which no listing
    shows `kept_back`; `single`: products
    (or variants) with one level only, remembered in case that a second one comes. `seeded`: whether
    there is a cache. `owing`: pools below 0; `happened`: what needed a person in the last seven
    days, and is over. `reconcile_by`: when the next complete scan is due, by the shop's clock.
    `everything_paused`: that everything is; `paused`: what is so by itself; `paused_pools`: how
    many in all. `running`: the run at work, in its own words. `error`: why nothing more can be
    told.
    """

    command: Command
    configured: bool
    seeded: bool = False
    managed: int = 0
    units: int = 0
    kept_back: int = 0
    single: int = 0
    waiting: tuple[Waiting, ...] = ()
    owing: tuple[Owing, ...] = ()
    happened: tuple[Happened, ...] = ()
    scanned_at: str | None = None
    reconcile_by: str | None = None
    everything_paused: Pause | None = None
    paused: tuple[Paused, ...] = ()
    paused_pools: int = 0
    last: Mapping[str, Any] | None = None
    journal: OpenJournal | None = None
    running: str | None = None
    error: str | None = None

    @property
    def needs_person(self) -> bool:
        """Whether something waits for a person: a pool, or a run that failed or asked for one."""
        ended = self.last.get("exit") if self.last else 0
        return bool(self.waiting) or (isinstance(ended, int) and 0 < ended < 128)


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of all commands that are configured or have left something."""

    shop: str
    state_dir: str
    commands: tuple[CommandStatus, ...]

    @property
    def exit_code(self) -> int:
        """1 when state can't be read, 3 when something needs a person, else 0."""
        if any(command.error for command in self.commands):
            return 1
        return 3 if any(command.needs_person for command in self.commands) else 0


def read_status(settings: Settings, now: datetime) -> Status:
    """Look at the state folder; what can't be read is told in the result. `now`: UTC."""
    found = [_command_status(settings, command, now) for command in COMMANDS]
    told = tuple(
        each
        for each in found
        if each.configured or each.seeded or each.last or each.journal or each.error
    )
    return Status(settings.shop, str(settings.state_dir), told)


def to_take_up(settings: Settings, now: datetime) -> list[Waiting]:
    """The pools that were left alone for another program, and can be taken up again."""
    known = read_status(settings, now).commands
    return [waiting for each in known for waiting in each.waiting if waiting.again]


def _command_status(settings: Settings, command: Command, now: datetime) -> CommandStatus:
    files = Files(settings.state_dir, command)
    section = getattr(settings, command)
    configured = section is not None
    try:
        look_over(files)
        running = holder(files)
        last = read_last(files)
        happened = recent(read_told(files).happened, now)
        pauses = read_pauses(settings.state_dir, now)
        cache = read_cache(files)
        if cache is not None and cache.shop != settings.shop:
            raise StateError(
                f"{files.cache}: belongs to the shop {cache.shop}, not to {settings.shop}. If that "
                f"is its new name, the next run goes on: `invsync {command}`; else give each shop "
                "a `state_dir` of its own in the configuration"
            )
        journal = _open_journal(files, settings.shop, cache)
    except StateError as error:
        return CommandStatus(command, configured, error=str(error))
    if cache is None:
        return CommandStatus(
            command,
            configured,
            happened=tuple(happened),
            everything_paused=pauses.everything,
            last=last,
            journal=journal,
            running=running,
        )
    return CommandStatus(
        command,
        configured,
        seeded=True,
        managed=len(cache.pools.quantities),
        units=sum(cache.pools.quantities.values()),
        kept_back=cache.pools.kept_back,
        single=len(cache.pools.single),
        waiting=_waiting(cache, now),
        owing=_owing(cache),
        happened=tuple(happened),
        everything_paused=pauses.everything,
        paused=tuple(paused_alone(cache, pauses)),
        paused_pools=len(paused_ids(cache, pauses)),
        scanned_at=cache.scans.complete,
        reconcile_by=_reconcile_by(cache, section.reconcile_every if configured else None),
        last=last,
        journal=journal,
        running=running,
    )


def _waiting(cache: Cache, now: datetime) -> tuple[Waiting, ...]:
    found = (
        Waiting(
            cache.command,
            pool_id,
            entry.title,
            told.kind,
            told.since,
            told.message,
            entry.can_be_taken_up(now),
        )
        for pool_id, entry in cache.pools.items()
        if (told := entry.problem) is not None
    )
    return tuple(sorted(found, key=lambda waiting: waiting.since))


def _owing(cache: Cache) -> tuple[Owing, ...]:
    """The pools below 0, those that owe most first."""
    found = (
        Owing(pool_id, cache.title(pool_id), -quantity)
        for pool_id, quantity in cache.pools.quantities.items()
        if quantity < 0
    )
    return tuple(sorted(found, key=lambda owing: -owing.units))


def _reconcile_by(cache: Cache, every: float | None) -> str | None:
    scanned = moment(cache.scans.complete)
    return (
        None if scanned is None or every is None else utc_text(scanned + timedelta(seconds=every))
    )


def _open_journal(files: Files, shop: str, cache: Cache | None) -> OpenJournal | None:
    journal = read_journal(files, *((cache.shop, cache.shop_id) if cache else (shop,)))
    if journal is None or not belongs(journal, cache, files):
        return None
    return OpenJournal(
        journal.run, journal.batches[0].sent_at, len(journal.batches), len(journal.open)
    )
