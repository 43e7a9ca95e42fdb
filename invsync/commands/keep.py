"""`invsync variants` and `invsync locations`: one run, shown, and told to the watchdog."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from invsync import run
from invsync.axis import axis_of
from invsync.connect import RunClock, section_of
from invsync.errors import StateError, Stopped
from invsync.invocation import Invocation, complain
from invsync.order import Options
from invsync.ping import Ping
from invsync.state.files import Files
from invsync.state.told import Memory, read_told, write_told
from invsync.tell import document, mail
from invsync.tell.lines import encodable
from invsync.tell.news import News, date, mailed, remember
from invsync.tell.news import news as news_of
from invsync.tell.outcome import Warning
from invsync.tell.terminal import Terminal, terminal_of

log = logging.getLogger("invsync")

if TYPE_CHECKING:
    from invsync.config.settings import Settings
    from invsync.progress import Progress
    from invsync.state.files import Command
    from invsync.tell.outcome import Change, Outcome


def keep(
    invocation: Invocation,
    settings: Settings,
    command: Command,
    options: Options,
    *,
    agreed: bool,
    as_json: bool,
) -> int:
    """Keep in step what the command is about; returns the exit code.

    `agreed`: nobody has to be asked. Raises `ConfigError` where the configuration has no section
    for the command.
    """
    section_of(settings, command)
    unwatched = not (as_json or invocation.quiet or invocation.verbose) and _is_job(options)
    unwatched = unwatched and terminal_of(sys.stdout) is None
    if unwatched:
        invocation.start_log()
    else:
        invocation.warn_of(settings)
    clock = clock_of(settings.max_run_time)
    # Of a run that looks at some pools alone nobody can tell how the others are.
    silent = options.dry_run or bool(options.only)
    ping = Ping(None if silent else settings.ping_url, loud=not unwatched)
    with ping.failures(), invocation.progress() as bar:
        outcome = run.run(
            settings,
            command,
            options,
            clock=clock,
            confirm=_confirm(command, bar, agreed=agreed, as_json=as_json),
            progress=bar,
            begun=ping.start,
            watch=bar.watch,
        )
    if unwatched:
        outcome.warnings += (Warning("config", None, told) for told in settings.warnings)
    try:
        tell(invocation, settings, outcome, options, as_json=as_json)
    finally:
        ping.end(outcome.exit_code, mail.summary(outcome), outcome.error)
    return outcome.exit_code


def clock_of(budget: float) -> RunClock:
    """The clock of a run, which SIGTERM and SIGINT stop."""
    clock = RunClock(budget)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda number, _: clock.stop(number))
    return clock


def _confirm(
    command: Command, bar: Progress, *, agreed: bool, as_json: bool
) -> Callable[[Sequence[Change]], bool]:
    """Asks whether pools may be aligned, unless that is agreed already."""

    def confirm(changes: Sequence[Change]) -> bool:
        if agreed:
            return True
        from invsync.tell import screen

        terminal = terminal_of(sys.stdout) or Terminal(80, colour=False)
        plan = screen.table(changes, terminal, axis=axis_of(command, ()), dry_run=True)
        drawn = screen.draw(plan, terminal, "invsync")
        these = "this pool" if len(changes) == 1 else f"these {len(changes)} pools"
        with bar.away():
            click.echo(encodable(drawn, sys.stdout.encoding), err=as_json)
            return click.confirm(f"Bring {these} to the quantity shown?", err=as_json)

    return confirm


def tell(
    invocation: Invocation, settings: Settings, outcome: Outcome, options: Options, *, as_json: bool
) -> None:
    """Show how the run went, and remember what was told."""
    files = Files(settings.state_dir, outcome.command)
    regular = _is_job(options)
    before = _recall(files)
    memory = before if options.dry_run else remember(before, outcome, regular=regular)
    date(outcome, memory)
    terminal = terminal_of(sys.stdout)
    unwatched = not (as_json or terminal or invocation.quiet)
    news = None
    if unwatched and regular and not invocation.verbose:
        every = timedelta(seconds=settings.remind_every)
        news = news_of(memory, outcome, every, changes=settings.report == "changes")
    _show(invocation, outcome, terminal, news, as_json=as_json)
    if options.dry_run:
        return
    if unwatched:
        told = news or News(fresh=outcome.problems, failure=memory.failing)
        memory = mailed(memory, told, outcome.started_at)
    if memory != before:
        try:
            write_told(files, memory)
        except StateError as error:
            log.warning("%s; what was told just now may be told again", error)


def _is_job(options: Options) -> bool:
    """Whether it is what cron runs, rather than what a person asks for."""
    return not (options.dry_run or options.init or options.only or options.as_set)


def _recall(files: Files) -> Memory:
    """What was told. Where that can't be read, everything is told once more."""
    try:
        return read_told(files)
    except StateError as error:
        log.warning("%s", error)
        return Memory()


def _show(
    invocation: Invocation,
    outcome: Outcome,
    terminal: Terminal | None,
    news: News | None,
    *,
    as_json: bool,
) -> None:
    called = invocation.called(at_a_terminal=terminal is not None)
    if as_json:
        click.echo(document.to_json(outcome, sys.stdout.encoding))
    elif not invocation.quiet and (_is_worth_it(outcome, news) or terminal or invocation.verbose):
        click.echo(encodable(_text(outcome, terminal, called, news), sys.stdout.encoding))
    if outcome.error is None:
        return
    if news is None:
        complain(invocation, outcome.error)
    elif news.failure is not None:
        complain(invocation, mail.failed(news.failure))
    elif isinstance(outcome.error, Stopped):
        complain(invocation, outcome.error)


def _is_worth_it(outcome: Outcome, news: News | None) -> bool:
    """Whether there is anything to print where nobody waits for it."""
    if news is None:
        return outcome.eventful
    changed = bool(outcome.changes or outcome.standings["adopted"])
    return news.any or (news.changes and changed)


def _text(outcome: Outcome, terminal: Terminal | None, called: str, news: News | None) -> str:
    """The report for a terminal, or as cron mails it."""
    if terminal is None:
        return mail.text(outcome, invsync=called, news=news)
    from invsync.tell import screen

    return screen.text(outcome, terminal, invsync=called)
