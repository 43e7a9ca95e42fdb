"""`invsync pause` and `invsync resume` on the command line."""

from __future__ import annotations

import click

from invsync.invocation import Invocation


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A length of time, written as in the configuration."""
    if value is None:
        return None
    from invsync.config.values import DURATION, Key, Mistake, Scalar

    try:
        key = Key("for", DURATION, "", default="2h")
        seconds = float(DURATION.read(Scalar(value, value, "str", False), key))
    except Mistake as mistake:
        raise click.BadParameter(str(mistake)) from None
    if seconds > 366 * 86_400:
        raise click.BadParameter(f"{value} is more than a year; leave --for out, and resume it")
    return seconds


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from invsync.complete import names

    return names(ctx, param, incomplete)


_names_argument = click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_complete)


def _check_names(command: str, names: tuple[str, ...], *, everything: bool) -> None:
    if bool(names) == everything:
        given = "--all and names don't go together" if names else "which pools?"
        raise click.UsageError(f"{given} Write: `invsync {command} NAME`, or: --all")


@click.command()
@_names_argument
@click.option("--all", "everything", is_flag=True, help="Everything, of both commands.")
@click.option(
    "--for", "length", metavar="TIME", callback=_seconds, help="For so long: 90m, 2h, 1d."
)
@click.pass_context
def pause(
    ctx: click.Context, names: tuple[str, ...], everything: bool, length: float | None
) -> None:
    """Leave pools alone: to count stock, or to run an import.

    Nothing is sent for them, and what they sell meanwhile counts once they are resumed. NAME is a
    title, a SKU or an id; the same stock is paused for both commands.

    \b
    Examples:
      invsync pause PRINT-S
      invsync pause "Sunset over the harbour" --for 2h
      invsync pause --all
    """
    _check_names("pause", names, everything=everything)
    from invsync.commands import pause as desk

    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    ctx.exit(desk.pause(invocation, settings, names, length=length))


@click.command()
@_names_argument
@click.option("--all", "everything", is_flag=True, help="Everything, of both commands.")
@click.option(
    "--as-set", is_flag=True, help="Levels that agree are right as they stand: take them so."
)
@click.pass_context
def resume(ctx: click.Context, names: tuple[str, ...], everything: bool, as_set: bool) -> None:
    """End a pause.

    The next run counts what was sold and restocked meanwhile. With --as-set, which is your word
    that the levels are right as they stand, they are read here and now, and what the levels of a
    pool agree on is its quantity; where they don't agree, it is as without it, and exit 3.

    \b
    Examples:
      invsync resume PRINT-S
      invsync resume "Sunset over the harbour" --as-set     after a count, or an import
      invsync resume --all
    """
    _check_names("resume", names, everything=everything)
    from invsync.commands import pause as desk

    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    ctx.exit(desk.resume(invocation, settings, names, as_set=as_set))
