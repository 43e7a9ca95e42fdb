"""`invsync status`: what is managed, and what waits for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from invsync.axis import axis_of
from invsync.invocation import Invocation, complain
from invsync.paused import Paused
from invsync.status import CommandStatus, OpenJournal, Status, Waiting, read_status
from invsync.tell.lines import BLANK, Paragraph
from invsync.tell.times import local, moment, span

if TYPE_CHECKING:
    from invsync.config.settings import Settings

#: Pools that wait for a person which the text lists, those that wait longest.
_SHOWN = 30


def status(invocation: Invocation, settings: Settings, *, as_json: bool) -> int:
    """Print what the state folder tells; returns the exit code: 3 for a person, 1 unreadable."""
    now = datetime.now(UTC)
    known = read_status(settings, now)
    if as_json:
        click.echo(json.dumps(_document(known), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        invocation.tell(*_text(known, now))
    for each in known.commands:
        if each.error:
            complain(invocation, each.error)
    return known.exit_code


# --- As JSON --------------------------------------------------------------------------------------


def _document(known: Status) -> dict[str, Any]:
    """The JSON document."""
    return {
        "shop": known.shop,
        "state_dir": known.state_dir,
        "exit": known.exit_code,
        "commands": [_of_command(each) for each in known.commands],
    }


def _of_command(each: CommandStatus) -> dict[str, Any]:
    return {
        "command": each.command,
        "configured": each.configured,
        "error": each.error,
        "pools": {
            "managed": each.managed,
            "units": each.units,
            "kept_back": each.kept_back,
            "waiting": len(each.waiting),
            "paused": each.paused_pools,
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
        "everything_paused_since": each.everything_paused and each.everything_paused.since,
        "paused": [_paused_pool(one) for one in each.paused],
        "problems": [
            {
                "kind": waiting.kind,
                "pool": waiting.pool,
                "title": waiting.title,
                "since": waiting.since,
                "message": waiting.message,
                "can_be_taken_up": waiting.again,
            }
            for waiting in each.waiting
        ],
        "owing": [
            {"pool": owing.pool, "title": owing.title, "units": owing.units} for owing in each.owing
        ],
        "happened": [
            {
                "kind": event.kind,
                "pool": event.pool,
                "title": event.title,
                "at": event.at,
                "message": event.message,
            }
            for event in each.happened
        ],
    }


def _paused_pool(one: Paused) -> dict[str, Any]:
    return {
        "pool": one.pool,
        "title": one.title,
        "since": one.since,
        "until": one.until,
        "tag": one.tag,
    }


# --- As text --------------------------------------------------------------------------------------


def _text(known: Status, now: datetime) -> list[Paragraph]:
    """For people; `now` (UTC) makes ages of times."""
    lines = [Paragraph(f"{known.shop}, state in {known.state_dir}")]
    for each in known.commands:
        lines += [BLANK, *_command_lines(each, now)]
    if not known.commands:
        nothing = (
            "neither variants nor locations is configured, and nothing is remembered of either"
        )
        lines += [BLANK, Paragraph(nothing)]
    return lines


def _command_lines(each: CommandStatus, now: datetime) -> list[Paragraph]:
    aside = "" if each.configured else " (no longer in the configuration)"
    if each.error:
        return [Paragraph(f"{each.command}{aside}: can't be told: {each.error}", style="red")]
    last = each.last
    rows = [_row("last run", _last_run(last, now), "red" if _failed(last) else "")]
    if each.seeded and each.configured:
        rows.append(_row("next reconcile", _next_scan(each, now)))
    if each.running:
        rows.append(_row("at work now", each.running))
    if each.journal:
        rows.append(_row("open journal", _journal(each.journal, running=each.running is not None)))
    rows += _paused(each, now)
    rows += [
        _row(
            waiting.kind.replace("_", " "),
            f"{_since(waiting.since, now)}: {waiting.message}{_again(waiting)}",
            "bold yellow",
        )
        for waiting in each.waiting[:_SHOWN]
    ]
    if len(each.waiting) > _SHOWN:
        more = len(each.waiting) - _SHOWN
        rows.append(
            _row("", f"and {more} more, that wait for a shorter time; --json lists them all")
        )
    rows += [_row(label, told) for label, told in _looking_back(each, now)]
    return [Paragraph(f"{each.command}{aside}: {_standing(each)}", style="bold"), *rows]


def _again(waiting: Waiting) -> str:
    return f". Now: {waiting.quiet}; {waiting.mend}" if waiting.again else ""


def _looking_back(each: CommandStatus, now: datetime) -> Iterator[tuple[str, str]]:
    """What is owed, and what happened in the last days: no person is waited for."""
    for owing in each.owing[:_SHOWN]:
        yield "owed", f"{owing.title}: {_count(owing.units, 'unit')}"
    if len(each.owing) > _SHOWN:
        yield "", f"and {len(each.owing) - _SHOWN} more that owe less; --json lists them all"
    for event in each.happened[-_SHOWN:]:
        yield "happened", f"{_ago(event.at, now)}: {event.message}"


def _standing(each: CommandStatus) -> str:
    """How many pools stand how."""
    if not each.seeded:
        return f"nothing is managed yet; begin with `invsync {each.command} --init`"
    kept_back = f", {each.kept_back} of them kept back" if each.kept_back else ""
    units = f"{each.units} units in all{kept_back}"
    counts = [f"{_count(each.managed, 'pool')} managed, {units}"]
    if each.single:
        counts.append(f"{each.single} with one {axis_of(each.command, ()).one} only")
    counts.append(f"{len(each.waiting) or 'nothing'} waiting for a person")
    return "; ".join(counts)


def _paused(each: CommandStatus, now: datetime) -> Iterator[Paragraph]:
    """What is paused, since when, until when or by what."""
    if (everything := each.everything_paused) is not None:
        until = _until(everything.until)
        yield _row("paused", f"everything is paused {_since(everything.since, now)}{until}")
    for one in each.paused[:_SHOWN]:
        how = ", by its tag" if one.tag else _until(one.until)
        yield _row("paused", f"{_since(one.since, now)}: {one.title}{how}")
    if len(each.paused) > _SHOWN:
        yield _row("", f"and {len(each.paused) - _SHOWN} more are paused; --json lists them all")


def _until(text: str | None) -> str:
    then = moment(text)
    return "" if then is None else f", until {local(then)}"


def _row(label: str, words: str, tag_style: str = "") -> Paragraph:
    return Paragraph(words, f"  {label:15}", tag_style=tag_style)


def _failed(last: Mapping[str, Any] | None) -> bool:
    code = last.get("exit") if last else 0
    return code not in (0, 3)


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
    due = moment(each.reconcile_by)
    if due is None:
        return "with the next run"
    if due <= now:
        return "due, with the next run"
    return f"a complete scan by {local(due)}, in {span(due - now)}"


def _journal(journal: OpenJournal, *, running: bool) -> str:
    batches = (
        f"{_count(journal.batches, 'batch', 'batches')}, {journal.unsettled} of unknown outcome"
    )
    then = "in use by the run at work" if running else "the next run settles them first"
    sent = moment(journal.sent_at)
    since = journal.sent_at if sent is None else local(sent)
    return f"{batches}, sent from {since} on by run {journal.run[:8]}; {then}"


def _ago(text: object, now: datetime) -> str:
    then = moment(text)
    return "at an unknown time" if then is None else f"{local(then)} ({span(now - then)} ago)"


def _since(text: object, now: datetime) -> str:
    then = moment(text)
    return "" if then is None else f"since {local(then)} ({span(now - then)})"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
