"""The command line: options in, text and exit codes out.

Nothing heavy is imported before a command needs it: cron pays for every import, every ten minutes.
"""

from __future__ import annotations

import errno
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

    from invsync.config import Settings
    from invsync.state.files import Command
    from invsync.tell.outcome import Change, Outcome

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
        """Where the sandbox keeps its shop.

        As the configuration says, or in this folder without one.
        """
        from invsync import config

        try:
            file = config.find(self.config, os.environ, Path())
        except ConfigError:
            if self.config or os.environ.get("INVSYNC_CONFIG"):
                raise
            return SandboxPlace(Path("invsync-state/sandbox.json"), None, API_VERSIONS[-1])
        settings = config.load(file, os.environ)
        if settings.shop != "sandbox.myshopify.com":
            raise ConfigError(
                f"{settings.file}: shop is {settings.shop}, a real shop; the sandbox commands need "
                "`shop: sandbox`"
            )
        from invsync.state.files import refuse_foreign

        url = None if settings.sandbox else settings.endpoint
        if url is None:
            refuse_foreign(settings.state_dir, "sandbox …")
        return SandboxPlace(settings.state_dir / "sandbox.json", url, settings.api_version)

    def start_log(self) -> None:
        """Send the log to stderr, as much of it as was asked for."""
        import logging

        from invsync.tell.lines import clean

        class OneLine(logging.Formatter):
            """What the shop says comes in here too, and must not steer the terminal."""

            def format(self, record: logging.LogRecord) -> str:
                return clean(super().format(record))

        level = [logging.WARNING, logging.INFO, logging.DEBUG][min(self.verbose, 2)]
        logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(OneLine("%(message)s"))
        logging.getLogger("invsync").setLevel(logging.ERROR if self.quiet else level)


class SandboxPlace:
    """Where the sandbox keeps its shop, or where one is served, and which API version it speaks."""

    def __init__(self, state_file: Path, url: str | None, api_version: str) -> None:
        self.state_file = state_file
        self.url = url
        self.api_version = api_version


#: Commands that are loaded when asked for, with their own short help: a list needs no more.
_LATER = {
    "config": "A configuration to begin with, and whether one is good.",
    "sandbox": "A shop in a box: sell, count and look around without a real shop.",
}


class _Cli(click.Group):
    """Loads some commands only when asked for; turns every error into a line and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "sandbox":
            from invsync.sandbox.commands import sandbox

            return cast(click.Command, sandbox)
        if cmd_name == "config":
            from invsync.commands.config import config

            return cast(click.Command, config)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted([*rows, *_LATER.items()]))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InvsyncError as error:
            _complain(ctx.obj, error)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read has gone: click knows what to do
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # nor can the rest be, at the end
            _complain(
                ctx.obj,
                f"the output could not be written ({error.strerror}); what was done is recorded, "
                "look with `invsync status`",
            )
            ctx.exit(1)


def _complain(invocation: Invocation | None, error: Exception | str) -> None:
    """Print an error on stderr: the one place that does, a line for each thing that is wrong.

    What the shop says is in there, and must not steer the terminal.
    """
    from invsync.tell.lines import addressed, clean, encodable

    called = (
        _called(invocation, at_a_terminal=sys.stdout.isatty())
        if isinstance(invocation, Invocation)
        else "invsync"
    )
    for line in error.problems if isinstance(error, ConfigError) else (str(error),):
        told = f"invsync: {addressed(clean(line), called)}"
        click.echo(encodable(told, sys.stderr.encoding), err=True)


_VERSION_HELP = "Show the version, and that of the Admin API in use, and exit."


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from invsync import config

    in_use = API_VERSIONS[-1]
    try:
        written = config.find(ctx.params.get("config"), os.environ, Path()).read_text(
            encoding="utf-8"
        )
    except (ConfigError, OSError, ValueError):
        written = ""
    # A glance, not a reading: parsing YAML would take longer than all the rest.
    for line in written.splitlines():
        key, _colon, value = line.partition(":")
        if (
            key == "api_version"
            and (given := value.partition("#")[0].strip(" \"'")) in API_VERSIONS
        ):
            in_use = given
    click.echo(f"invsync {__version__} (Admin API {in_use})")
    ctx.exit()


@click.group(cls=_Cli, context_settings=_CONTEXT)
@click.option(
    "--config",
    metavar="FILE",
    is_eager=True,  # --version looks into it
    help="Configuration file (default: $INVSYNC_CONFIG, ./config.yaml, …).",
)
@click.option("-v", "--verbose", count=True, help="Explain decisions; -vv shows each request.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing but errors; the exit code tells the rest."
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help=_VERSION_HELP,
)
@click.pass_context
def main(ctx: click.Context, config: str | None, verbose: int, quiet: bool) -> None:
    """Keep Shopify inventory in step where several listings stand for one physical stock.

    \b
    Examples:
      invsync demo                  the whole story, without a shop
      invsync check                 is everything set up?
      invsync variants --dry-run    what would a run do?
      invsync variants              what cron runs
      invsync status                what is managed, and what waits for a person
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open to the end
    ctx.obj = Invocation(config, verbose, quiet)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both commands take."""
    options = [
        click.option("--dry-run", is_flag=True, help="Look and plan; send and write nothing."),
        click.option(
            "--init", is_flag=True, help="Adopt what is equal, list what is not; send nothing."
        ),
        click.option(
            "--reset", is_flag=True, help="With --init: forget everything that is remembered first."
        ),
        click.option(
            "--align",
            type=click.Choice(["lowest", "highest"]),
            help="With --init: bring what is not equal to its lowest or highest number.",
        ),
        click.option("--yes", is_flag=True, help="With --align: don't ask."),
        click.option("--force", is_flag=True, help="Let through what a brake holds back."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
        ),
        click.option(
            "-v", "--verbose", count=True, help="Explain decisions; -vv shows each request."
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            help="Print nothing but errors; the exit code tells the rest.",
        ),
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


_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)


@main.command()
@_json_option
@click.option("-v", "--verbose", count=True, help="Show each request.")
@click.pass_context
def check(ctx: click.Context, as_json: bool, verbose: int) -> None:
    """Check configuration, credentials, scopes, locations and what matches.

    A line for each check, with what to do where it fails; changes nothing. Exit 0, or 1 if a check
    failed.

    \b
    Examples:
      invsync check                              before the first run
      invsync --config other-shop.yaml check     of another shop
      invsync check --json                       for a program to read
    """
    invocation: Invocation = ctx.obj
    invocation.verbose = 1 + max(
        invocation.verbose, verbose
    )  # who waits here wants to know for what
    settings = invocation.settings()
    invocation.start_log()
    import json

    from invsync import check as checking
    from invsync.connect import RunClock
    from invsync.tell.lines import addressed, clean, encodable

    called = _called(invocation, at_a_terminal=sys.stdout.isatty())
    done = []
    for each in checking.checks(settings, RunClock(checking.PATIENCE)):
        done.append(each)
        if not as_json and (each.result == "failed" or not invocation.quiet):
            click.echo(
                encodable(addressed(clean(checking.text_line(each)), called), sys.stdout.encoding)
            )
    if as_json:
        click.echo(json.dumps(checking.document(settings, done), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        click.echo(checking.summary(done))
    if failed := checking.failed(done):
        _complain(invocation, f"{len(failed)} of {len(done)} checks failed: {', '.join(failed)}")
        ctx.exit(1)


@main.command()
@_json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what is managed, how the last run ended, and what waits for a person.

    Looks at the state folder only: works without network, and while a run is at work. Exit 0 if all
    is well, 3 if something needs a person (a pool, or a run that failed), 1 if the state can't be
    read.

    \b
    Examples:
      invsync status
      invsync status --json
      invsync -q status || echo "look at the stock"
    """
    from datetime import UTC, datetime

    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    import json

    from invsync import status as knowing

    known = knowing.read_status(settings)
    if as_json:
        click.echo(json.dumps(knowing.document(known), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        from invsync.tell.lines import addressed, clean, encodable

        told = "\n".join(clean(line) for line in knowing.text(known, datetime.now(UTC)).split("\n"))
        told = addressed(told, _called(invocation, at_a_terminal=sys.stdout.isatty()))
        click.echo(encodable(told, sys.stdout.encoding))
    for each in known.commands:
        if each.error:
            _complain(invocation, each.error)
    ctx.exit(known.exit_code)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from invsync.complete import names

    return names(ctx, param, incomplete)


@main.command()
@click.argument("name", metavar="PRODUCT|SKU", nargs=-1, required=True, shell_complete=_complete)
@click.option(
    "-n",
    "--last",
    metavar="N",
    type=click.IntRange(min=1),
    default=50,
    help="How many events (50).",
)
@_json_option
@click.pass_context
def explain(ctx: click.Context, name: tuple[str, ...], last: int, as_json: bool) -> None:
    """Tell a pool's story: what moved, which rule counted it, what was sent.

    PRODUCT is a title (or a part of it that no other has), an id or its number; so is SKU. The
    newest event is last.

    \b
    Examples:
      invsync explain PRINT-S
      invsync explain Sunset over the harbour
      invsync explain gid://shopify/Product/1004 --last 10
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    import json
    import shutil

    from invsync import explain as telling
    from invsync.tell.lines import addressed, encodable

    asked = " ".join(name)
    stories = telling.read_stories(settings, asked, last)
    if as_json:
        click.echo(json.dumps(telling.document(asked, stories), ensure_ascii=False, indent=2))
        return
    told = "\n\n".join(
        telling.text(story, shutil.get_terminal_size((100, 24)).columns) for story in stories
    )
    called = _called(invocation, at_a_terminal=sys.stdout.isatty())
    click.echo(encodable(addressed(told, called), sys.stdout.encoding))


@main.command()
def demo() -> None:
    """Play the whole story on the sandbox, in a temporary folder.

    \b
    Example:
      invsync demo
    """
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
    if yes and not align:
        raise click.UsageError(
            f"--yes goes with --align: `invsync {command} --init --align lowest --yes`"
        )
    if align and not (yes or dry_run or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise click.UsageError(
            "--align changes stock and there is nobody to ask: look with --dry-run, then add --yes"
        )
    settings = invocation.settings()
    if getattr(settings, command) is None:
        from invsync.config import section_missing

        raise section_missing(settings, command)
    invocation.start_log()
    import logging
    import signal

    from invsync import run
    from invsync.connect import RunClock
    from invsync.order import Options
    from invsync.ping import Ping
    from invsync.progress import Progress
    from invsync.tell import screen
    from invsync.tell.lines import encodable
    from invsync.tell.mail import summary

    for warning in settings.warnings:
        logging.getLogger("invsync").warning("%s", warning)
    clock = RunClock(settings.max_run_time)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda number, _: clock.stop(number))

    def confirm(changes: Sequence[Change]) -> bool:
        if yes:
            return True
        bar.clear()
        terminal = screen.screen(sys.stdout, os.environ) or screen.Screen(80, colour=False)
        plan = screen.table(changes, terminal, command=command, dry_run=True)
        click.echo(encodable("\n".join(plan), sys.stdout.encoding), err=as_json)
        these = "this pool" if len(changes) == 1 else f"these {len(changes)} pools"
        return click.confirm(f"Bring {these} to the quantity shown?", err=as_json)

    seen_by = None if invocation.quiet else screen.screen(sys.stderr, os.environ)
    ping = Ping(None if dry_run else settings.ping_url)
    with ping.failures(), Progress(sys.stderr, seen_by) as bar:
        for handler in logging.getLogger().handlers:
            handler.addFilter(bar.make_way)
        outcome = run.run(
            settings,
            command,
            Options(dry_run, force, init, reset, align),
            clock=clock,
            confirm=confirm,
            progress=bar,
            begun=ping.start,
        )
    try:
        _show(invocation, outcome, as_json)
    finally:
        ping.end(outcome.exit_code, summary(outcome), outcome.error)
    ctx.exit(outcome.exit_code)


def _show(invocation: Invocation, outcome: Outcome, as_json: bool) -> None:
    from invsync.tell import document, mail, screen
    from invsync.tell.lines import encodable

    terminal = screen.screen(sys.stdout, os.environ)
    called = _called(invocation, at_a_terminal=terminal is not None)
    if as_json:
        click.echo(document.to_json(outcome, sys.stdout.encoding))
    elif not invocation.quiet and (outcome.eventful or terminal or invocation.verbose):
        told = (
            screen.text(outcome, terminal, invsync=called)
            if terminal
            else mail.text(outcome, invsync=called)
        )
        click.echo(encodable(told, sys.stdout.encoding))
    if outcome.error is not None:
        _complain(invocation, outcome.error)


def _called(invocation: Invocation, *, at_a_terminal: bool) -> str:
    """How the reader of a report calls this very program with this very configuration.

    Who reads cron's mail is in another folder, and has neither cron's environment nor, maybe, a
    PATH to invsync.
    """
    import shlex
    import shutil

    started = Path(sys.argv[0])
    known = started.name != "invsync" or shutil.which("invsync")
    program = "invsync" if known else shlex.quote(str(started.absolute()))
    if at_a_terminal:
        config = invocation.config
    else:
        given = invocation.config or os.environ.get("INVSYNC_CONFIG")
        config = str(Path(given).absolute()) if given else None
    return f"{program} --config {shlex.quote(config)}" if config else program
