"""The command line: options in, text and exit codes out.

Nothing heavy is imported before a command needs it: cron pays for every import, every ten minutes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from invsync import API_VERSIONS, __version__
from invsync.errors import ConfigError, InvsyncError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invsync.cache import Command
    from invsync.config import Settings
    from invsync.report import Change, Outcome

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Invocation:
    """What stands before the command: which configuration, and how much to say."""

    def __init__(self, config: str | None, verbose: int, quiet: bool) -> None:
        self.config = config
        self.verbose = verbose
        self.quiet = quiet

    def settings(self) -> Settings:
        """The configuration; raises `ConfigError`."""
        from invsync import config

        return config.load(config.find(self.config, os.environ, Path()), os.environ)

    def sandbox_place(self) -> SandboxPlace:
        """Where the sandbox keeps its shop: as the configuration says, or in this folder without one."""
        try:
            settings = self.settings()
        except ConfigError:
            if self.config or "INVSYNC_CONFIG" in os.environ or Path("config.yaml").exists():
                raise
            return SandboxPlace(Path("invsync-state/sandbox.json"), None, API_VERSIONS[-1])
        if settings.shop != "sandbox.myshopify.com":
            raise ConfigError(
                f"{settings.file}: shop is {settings.shop}, a real shop; the sandbox commands need `shop: sandbox`"
            )
        url = None if settings.sandbox else settings.endpoint
        return SandboxPlace(settings.state_dir / "sandbox.json", url, settings.api_version)

    def start_log(self) -> None:
        """Send the log to stderr, as much of it as was asked for."""
        import logging

        level = [logging.WARNING, logging.INFO, logging.DEBUG][min(self.verbose, 2)]
        logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
        logging.getLogger("invsync").setLevel(logging.ERROR if self.quiet else level)


class SandboxPlace:
    """Where the sandbox keeps its shop, or at which URL one is served, and which API version it speaks."""

    def __init__(self, state_file: Path, url: str | None, api_version: str) -> None:
        self.state_file = state_file
        self.url = url
        self.api_version = api_version


class _Cli(click.Group):
    """Loads the sandbox only when it is asked for, and turns every error into one line and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "sandbox"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "sandbox":
            from invsync.sandbox.commands import sandbox

            return cast(click.Command, sandbox)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InvsyncError as error:
            for line in str(error).splitlines():
                click.echo(f"invsync: {line}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Cli, context_settings=_CONTEXT)
@click.option("--config", metavar="FILE", help="Configuration file (default: $INVSYNC_CONFIG, ./config.yaml, …).")
@click.option("-v", "--verbose", count=True, help="Explain decisions; -vv shows each request.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors; the exit code tells the rest.")
@click.version_option(__version__, message=f"%(prog)s %(version)s (Admin API {API_VERSIONS[-1]})")
@click.pass_context
def main(ctx: click.Context, config: str | None, verbose: int, quiet: bool) -> None:
    """Keep Shopify inventory in step where several listings stand for one physical stock."""
    ctx.obj = Invocation(config, verbose, quiet)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both commands take."""
    options = [
        click.option("--dry-run", is_flag=True, help="Look and plan; send and write nothing."),
        click.option("--init", is_flag=True, help="Adopt what is equal, list what is not; send nothing."),
        click.option("--reset", is_flag=True, help="With --init: forget everything that is remembered first."),
        click.option(
            "--align",
            type=click.Choice(["lowest", "highest"]),
            help="With --init: bring what is not equal to its lowest or highest number.",
        ),
        click.option("--yes", is_flag=True, help="With --align: don't ask."),
        click.option("--force", is_flag=True, help="Let through what a brake holds back."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text."),
        click.option("-v", "--verbose", count=True, help="Explain decisions; -vv shows each request."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors; the exit code tells the rest."),
    ]
    for option in reversed(options):
        command = option(command)
    return click.pass_context(command)


@main.command()
@_run_options
def variants(ctx: click.Context, **options: Any) -> None:
    """Keep all variants of a product at one quantity, at one location.

    \b
    Examples:
      invsync variants --init       adopt the products whose variants are equal
      invsync variants --dry-run    look first
      invsync variants              what cron runs
    """
    _run(ctx, "variants", **options)


@main.command()
@_run_options
def locations(ctx: click.Context, **options: Any) -> None:
    """Keep each variant at one quantity across its locations.

    \b
    Examples:
      invsync locations --init      adopt the variants whose locations are equal
      invsync locations --dry-run   look first
      invsync locations             what cron runs
    """
    _run(ctx, "locations", **options)


@main.command()
def demo() -> None:
    """Play the whole story on the sandbox, in a temporary folder."""
    from invsync.demo import play

    play(click.echo)


def _run(
    ctx: click.Context,
    command: Command,
    *,
    dry_run: bool,
    init: bool,
    reset: bool,
    align: Any,
    yes: bool,
    force: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
) -> None:
    invocation: Invocation = ctx.obj
    invocation.verbose = max(invocation.verbose, verbose)
    invocation.quiet = invocation.quiet or quiet
    for given, name in ((reset, "--reset"), (align, "--align")):
        if given and not init:
            raise click.UsageError(f"{name} goes with --init: `invsync {command} --init {name}`")
    if align and not (yes or dry_run or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise click.UsageError("--align changes stock and there is nobody to ask: look with --dry-run, then add --yes")
    settings = invocation.settings()
    if getattr(settings, command) is None:
        from invsync.config import section_missing

        raise section_missing(settings, command)
    invocation.start_log()
    import signal

    from invsync import run

    clock = run.RunClock(settings.max_run_time)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda number, _: clock.stop(number))

    def confirm(changes: Sequence[Change]) -> bool:
        from invsync.report import change_line

        for change in changes:
            click.echo(change_line(change, dry_run=True))
        return yes or click.confirm(f"Bring these {len(changes)} pools to one number each?")

    outcome = run.run(
        settings,
        command,
        run.Options(dry_run, force, init, reset, align),
        clock=clock,
        confirm=confirm,
        progress=lambda what, done, total: None,
    )
    _show(invocation, outcome, as_json)
    ctx.exit(outcome.exit_code)


def _show(invocation: Invocation, outcome: Outcome, as_json: bool) -> None:
    from invsync import report

    if as_json:
        click.echo(report.to_json(outcome))
    elif not invocation.quiet and (outcome.eventful or sys.stdout.isatty() or invocation.verbose):
        click.echo(report.text(outcome))
    if outcome.error is not None:
        for line in str(outcome.error).splitlines():
            click.echo(f"invsync: {line}", err=True)
