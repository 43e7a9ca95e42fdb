"""`invsync variants` and `invsync locations`: one run, shown, and told to the watchdog."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from invsync import run
from invsync.axis import axis_of
from invsync.connect import RunClock, section_of
from invsync.invocation import Invocation, complain
from invsync.order import Options
from invsync.ping import Ping
from invsync.tell import document, mail
from invsync.tell.lines import encodable
from invsync.tell.terminal import Terminal, terminal_of

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
    invocation.warn_of(settings)
    clock = _clock(settings.max_run_time)
    # Of a run that looks at some pools alone nobody can tell how the others are.
    silent = options.dry_run or bool(options.only)
    ping = Ping(None if silent else settings.ping_url)
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
    try:
        _show(invocation, outcome, as_json=as_json)
    finally:
        ping.end(outcome.exit_code, mail.summary(outcome), outcome.error)
    return outcome.exit_code


def _clock(budget: float) -> RunClock:
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


def _show(invocation: Invocation, outcome: Outcome, *, as_json: bool) -> None:
    terminal = terminal_of(sys.stdout)
    called = invocation.called(at_a_terminal=terminal is not None)
    if as_json:
        click.echo(document.to_json(outcome, sys.stdout.encoding))
    elif not invocation.quiet and (outcome.eventful or terminal or invocation.verbose):
        click.echo(encodable(_text(outcome, terminal, called), sys.stdout.encoding))
    if outcome.error is not None:
        complain(invocation, outcome.error)


def _text(outcome: Outcome, terminal: Terminal | None, called: str) -> str:
    """The report for a terminal, or as cron mails it."""
    if terminal is None:
        return mail.text(outcome, invsync=called)
    from invsync.tell import screen

    return screen.text(outcome, terminal, invsync=called)
