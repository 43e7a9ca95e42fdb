"""The command line: options in, text and exit codes out.

Nothing heavy is imported before a command needs it: cron pays for every import, every ten minutes.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from invsync.errors import InvsyncError
from invsync.invocation import Invocation, complain

if TYPE_CHECKING:
    from datetime import timedelta

    from invsync.state.files import Command

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


#: Commands that are loaded when asked for, with their own short help: a list needs no more.
_LATER = {
    "pause": "Leave pools alone: to count stock, or to run an import.",
    "resume": "End a pause.",
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
        if cmd_name in ("pause", "resume"):
            from invsync.commands import pausing

            return cast(click.Command, getattr(pausing, cmd_name))
        if cmd_name == "config":
            from invsync.commands.config import config

            return cast(click.Command, config)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted([*rows, *_LATER.items()]))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _complain_of(error, None)
            ctx.exit(error.exit_code)
        except OSError as error:  # help and version are printed here
            _no_output(ctx, error, "")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _complain_of(error, ctx.obj)
            ctx.exit(error.exit_code)
        except InvsyncError as error:
            complain(ctx.obj, error)
            ctx.exit(error.exit_code)
        except OSError as error:
            _no_output(ctx, error, "; what was done is recorded, look with `invsync status`")


def _no_output(ctx: click.Context, error: OSError, done: str) -> NoReturn:
    """End where nothing can be printed; `done`: what to say of what was done."""
    if error.errno == errno.EPIPE:
        raise error  # whoever read has gone: click knows what to do
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # nor can the rest be, at the end
    complain(ctx.obj, f"the output could not be written ({error.strerror}){done}")
    ctx.exit(1)


def _complain_of(error: click.ClickException, invocation: Invocation | None) -> None:
    """Say in a line what is wrong with a command line, and where to read how it should be."""
    if isinstance(error, click.UsageError) and type(error).show is not click.UsageError.show:
        raise error  # a group without a command, whose help says more
    told, ctx = error.format_message(), getattr(error, "ctx", None)
    if ctx is not None and "`" not in told:
        told = f"{told.rstrip('.')}; see `{_path(ctx)} --help`"
    complain(invocation, told)


def _path(ctx: click.Context) -> str:
    """How a command is called, without options."""
    return "invsync" if ctx.parent is None else f"{_path(ctx.parent)} {ctx.info_name}"


_VERSION_HELP = "Show the version, and that of the Admin API in use, and exit."


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from invsync.commands.version import text

    click.echo(text(ctx.params.get("config")))
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
      invsync demo                the story, without a shop
      invsync check               is everything set up?
      invsync variants --dry-run  what would a run do?
      invsync variants            what cron runs
      invsync status              what waits for a person
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open to the end
    ctx.obj = Invocation(config, verbose, quiet)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from invsync.complete import names

    return names(ctx, param, incomplete)


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
            "--only",
            metavar="PRODUCT|SKU|ID",
            multiple=True,
            shell_complete=_complete,
            help="Look at this pool alone; may be given several times.",
        ),
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
      invsync variants --init     adopt what is equal
      invsync variants --dry-run  look first
      invsync variants            what cron runs
    """
    _keep(ctx, "variants", **options)


@main.command()
@_run_options
def locations(ctx: click.Context, **options: Any) -> None:
    """Keep each variant at one quantity across its locations.

    \b
    Examples:
      invsync locations --init     adopt what is equal
      invsync locations --dry-run  look first
      invsync locations            what cron runs
    """
    _keep(ctx, "locations", **options)


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
      invsync check                      before the first run
      invsync --config other.yaml check  of another shop
      invsync check --json               for a program to read
    """
    invocation: Invocation = ctx.obj
    invocation.also(verbose=verbose)
    invocation.verbose += 1  # who waits here wants to know for what
    settings = invocation.settings()
    from invsync.commands.check import check

    ctx.exit(check(invocation, settings, as_json=as_json))


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
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    from invsync.commands.status import status

    ctx.exit(status(invocation, settings, as_json=as_json))


@main.command()
@click.argument("name", metavar="[PRODUCT|SKU]", nargs=-1, shell_complete=_complete)
@click.option(
    "-n",
    "--last",
    metavar="N",
    type=click.IntRange(min=1),
    default=50,
    help="How many events (50).",
)
@click.option(
    "--since",
    metavar="TIME",
    callback=lambda _ctx, _param, given: None if given is None else _length(given),
    help="None from further back than that: 30m, 12h, 2d.",
)
@_json_option
@click.pass_context
def explain(
    ctx: click.Context, name: tuple[str, ...], last: int, since: timedelta | None, as_json: bool
) -> None:
    """Tell what happened: what moved, which rule counted it, what was sent, and what was told.

    Of one pool, or without a name of the whole shop. PRODUCT is a title (or a part of it that no
    other has), an id or its number; so is SKU. The newest event is last.

    \b
    Examples:
      invsync explain --since 2d
      invsync explain PRINT-S
      invsync explain Sunset over the harbour
      invsync explain gid://shopify/Product/1004 --last 10
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    from invsync.commands.explain import explain

    asked = " ".join(name).strip()
    if name and not asked:
        raise click.UsageError("an empty name names no pool; leave it out for the whole shop")
    explain(invocation, settings, asked, last=last, since=since, as_json=as_json)


def _length(given: str) -> timedelta:
    """A length of time as the command line has it."""
    from datetime import timedelta

    units = {"m": 60, "h": 3600, "d": 86400}
    number, unit = given[:-1], given[-1:]
    if not (number.isascii() and number.isdecimal() and len(number) <= 5 and unit in units):
        raise click.BadParameter(f"{given!r} is no length of time; write one like 30m, 12h or 2d")
    return timedelta(seconds=int(number) * units[unit])


@main.command()
def demo() -> None:
    """Play the whole story on the sandbox, in a temporary folder.

    \b
    Example:
      invsync demo
    """
    from invsync.commands.demo import play
    from invsync.tell.terminal import terminal_of

    play(click.echo, terminal_of(sys.stdout))


@contextmanager
def _loading() -> Iterator[None]:
    """While modules are loaded: all of that stays to the end, and no look for garbage finds any."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _keep(
    ctx: click.Context,
    command: Command,
    *,
    dry_run: bool,
    init: bool,
    reset: bool,
    align: Any,
    yes: bool,
    force: bool,
    only: tuple[str, ...],
    as_json: bool,
    verbose: int,
    quiet: bool,
) -> None:
    invocation: Invocation = ctx.obj
    invocation.also(verbose=verbose, quiet=quiet)
    for given, name in ((reset, "--reset"), (align, "--align")):
        if given and not init:
            raise click.UsageError(f"{name} goes with --init: `invsync {command} --init {name}`")
    if reset and only:
        raise click.UsageError(
            "--reset forgets every pool, and --only looks at some alone: give one of the two"
        )
    if yes and not align:
        raise click.UsageError(
            f"--yes goes with --align: `invsync {command} --init --align lowest --yes`"
        )
    if align and not (yes or dry_run or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise click.UsageError(
            "--align changes stock and there is nobody to ask: look with --dry-run, then add --yes"
        )
    with _loading():
        settings = invocation.settings()
        from invsync.commands.keep import keep
        from invsync.order import Options

    options = Options(dry_run, force, init, reset, align, only)
    ctx.exit(keep(invocation, settings, command, options, agreed=yes, as_json=as_json))
