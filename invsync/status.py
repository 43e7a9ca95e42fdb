"""`invsync status`.

What the state folder tells, without asking the shop and without writing anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from invsync.axis import axis_of
from invsync.config.settings import Settings
from invsync.errors import StateError
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files, look_over
from invsync.state.journal import belongs, read_journal
from invsync.state.last import read_last
from invsync.state.lock import holder
from invsync.state.values import utc_text

#: Pools that wait for a person which the text lists, those that wait longest.
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pool that needs a person, and since when (UTC text)."""

    pool: str
    title: str
    kind: str
    since: str
    message: str


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

    `managed`: pools with a quantity, `units` all of those quantities together; `single`: products
    (or variants) with one level only, remembered in case that a second one comes. `seeded`: whether
    there is a cache. `reconcile_by`: when the next complete scan is due, by the shop's clock.
    `running`: the run at work, in its own words. `error`: why nothing more can be told.
    """

    command: Command
    configured: bool
    seeded: bool = False
    managed: int = 0
    units: int = 0
    single: int = 0
    waiting: tuple[Waiting, ...] = ()
    scanned_at: str | None = None
    reconcile_by: str | None = None
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


def read_status(settings: Settings) -> Status:
    """Look at the state folder; what can't be read is told in the result."""
    found = [_command_status(settings, command) for command in COMMANDS]
    told = tuple(
        each
        for each in found
        if each.configured or each.seeded or each.last or each.journal or each.error
    )
    return Status(settings.shop, str(settings.state_dir), told)


def _command_status(settings: Settings, command: Command) -> CommandStatus:
    files = Files(settings.state_dir, command)
    section = getattr(settings, command)
    configured = section is not None
    try:
        look_over(files)
        running = holder(files)
        last = read_last(files)
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
        return CommandStatus(command, configured, last=last, journal=journal, running=running)
    managed = [
        entry for entry in cache.pools.values() if entry.several and entry.quantity is not None
    ]
    return CommandStatus(
        command,
        configured,
        seeded=True,
        managed=len(managed),
        units=sum(entry.quantity or 0 for entry in managed),
        single=sum(not entry.several for entry in cache.pools.values()),
        waiting=_waiting(cache),
        scanned_at=cache.scanned_at,
        reconcile_by=_reconcile_by(cache, section.reconcile_every if configured else None),
        last=last,
        journal=journal,
        running=running,
    )


def _waiting(cache: Cache) -> tuple[Waiting, ...]:
    found = (
        Waiting(pool_id, entry.title, told.kind, told.since, told.message)
        for pool_id, entry in cache.pools.items()
        if (told := entry.problem) is not None
    )
    return tuple(sorted(found, key=lambda waiting: waiting.since))


def _reconcile_by(cache: Cache, every: float | None) -> str | None:
    scanned = _moment(cache.scanned_at)
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


# --- As JSON --------------------------------------------------------------------------------------


def document(status: Status) -> dict[str, Any]:
    """The JSON document."""
    return {
        "shop": status.shop,
        "state_dir": status.state_dir,
        "exit": status.exit_code,
        "commands": [
            {
                "command": each.command,
                "configured": each.configured,
                "error": each.error,
                "pools": {
                    "managed": each.managed,
                    "units": each.units,
                    "waiting": len(each.waiting),
                },
                "single": each.single,
                "last_run": each.last,
                "scanned_at": each.scanned_at,
                "reconcile_by": each.reconcile_by,
                "journal": each.journal
                and {
                    "run": each.journal.run,
                    "sent_at": each.journal.sent_at,
                    "batches": each.journal.batches,
                    "unsettled": each.journal.unsettled,
                },
                "running": each.running,
                "problems": [
                    {
                        "kind": waiting.kind,
                        "pool": waiting.pool,
                        "title": waiting.title,
                        "since": waiting.since,
                        "message": waiting.message,
                    }
                    for waiting in each.waiting
                ],
            }
            for each in status.commands
        ],
    }


# --- As text --------------------------------------------------------------------------------------


def text(status: Status, now: datetime) -> str:
    """For people; `now` (UTC) makes ages of times."""
    lines = [f"{status.shop}, state in {status.state_dir}"]
    for each in status.commands:
        lines += ["", *_command_lines(each, now)]
    if not status.commands:
        lines += [
            "",
            "neither variants nor locations is configured, and nothing is remembered of either",
        ]
    return "\n".join(lines)


def _command_lines(each: CommandStatus, now: datetime) -> list[str]:
    aside = "" if each.configured else " (no longer in the configuration)"
    if each.error:
        return [f"{each.command}{aside}: can't be told: {each.error}"]
    if each.seeded:
        counts = [f"{_count(each.managed, 'pool')} managed, {each.units} units in all"]
        if each.single:
            counts.append(f"{each.single} with one {axis_of(each.command, ()).one} only")
        counts.append(f"{len(each.waiting) or 'nothing'} waiting for a person")
        lines = [f"{each.command}{aside}: {'; '.join(counts)}"]
    else:
        lines = [
            f"{each.command}{aside}: nothing is managed yet; begin with `invsync {each.command} "
            "--init`"
        ]
    rows = [("last run", _last_run(each.last, now))]
    if each.seeded and each.configured:
        rows.append(("next reconcile", _next_scan(each, now)))
    if each.running:
        rows.append(("at work now", each.running))
    if each.journal:
        rows.append(("open journal", _journal(each.journal, running=each.running is not None)))
    rows += [
        (waiting.kind.replace("_", " "), f"{_since(waiting.since, now)}: {waiting.message}")
        for waiting in each.waiting[:_SHOWN]
    ]
    if len(each.waiting) > _SHOWN:
        rows.append(
            (
                "",
                f"and {len(each.waiting) - _SHOWN} more, that wait for a shorter time; --json "
                "lists them all",
            )
        )
    return lines + [f"  {label:15} {told}" for label, told in rows]


def _last_run(last: Mapping[str, Any] | None, now: datetime) -> str:
    if last is None:
        return "none that is known of"
    code = last.get("exit")
    if code == 0:
        ended = "done"
    elif code == 3:
        ended = "done, but a person is needed"
    elif isinstance(code, int) and code >= 128:
        ended = f"stopped by signal {code - 128}"
    else:
        said = " ".join(str(last.get("error") or "no message").split())
        ended = f"FAILED (exit {code}): {said}"
    mode = " --init" if last.get("mode") == "init" else ""
    counts = (
        f"{_count(last.get('changes', 0), 'change')}, {_count(last.get('problems', 0), 'problem')}"
    )
    return f"{_ago(last.get('started_at'), now)}{mode}: {ended}; {counts}, {last.get('seconds')} s"


def _next_scan(each: CommandStatus, now: datetime) -> str:
    due = _moment(each.reconcile_by)
    if due is None:
        return "with the next run"
    if due <= now:
        return "due, with the next run"
    return f"a complete scan by {due:%Y-%m-%d %H:%M} UTC, in {_span(due - now)}"


def _journal(journal: OpenJournal, *, running: bool) -> str:
    batches = (
        f"{_count(journal.batches, 'batch', 'batches')}, {journal.unsettled} of unknown outcome"
    )
    then = "in use by the run at work" if running else "the next run settles them first"
    return f"{batches}, sent from {journal.sent_at} on by run {journal.run[:8]}; {then}"


def _ago(text: object, now: datetime) -> str:
    then = _moment(text)
    return (
        "at an unknown time"
        if then is None
        else f"{then:%Y-%m-%d %H:%M} UTC ({_span(now - then)} ago)"
    )


def _since(text: object, now: datetime) -> str:
    then = _moment(text)
    return "" if then is None else f"since {then:%Y-%m-%d %H:%M} UTC ({_span(now - then)})"


def _span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    minutes = max(0, int(length.total_seconds())) // 60
    if not minutes:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
