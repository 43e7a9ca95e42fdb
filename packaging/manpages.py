"""A man page for each command, from what its `--help` says.

Walks the commands by click's own methods, since some are loaded only when they are asked for;
click-man's own walk would miss those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
from click_man.man import ManPage

from invsync import __version__
from invsync.cli import main


def write_pages(folder: Path) -> None:
    """Write `invsync.1`, `invsync-variants.1`, … into the folder."""
    for name, page in pages():
        (folder / f"{name}.1").write_text(page, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Of each command the name of its page and the page."""
    yield from _pages(click.Context(main, info_name="invsync", **main.context_settings))


def _pages(context: click.Context) -> Iterator[tuple[str, str]]:
    inner = list(_inner(context))
    name = context.command_path.replace(" ", "-")
    # Of a group in a group click-man would name `invsync config-example` as the page to see.
    yield name, _page(context, inner).replace(rf"\fB{context.command_path}-", rf"\fB{name}-")
    for each in inner:
        yield from _pages(each)


def _inner(context: click.Context) -> Iterator[click.Context]:
    """The commands of a group that are shown."""
    command = context.command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield click.Context(found, info_name=name, parent=context)


def _page(context: click.Context, inner: list[click.Context]) -> str:
    command = context.command
    page = ManPage(context.command_path)
    page.version = f"invsync {__version__}"
    page.short_help = _plain(_summary(command))
    page.synopsis = " ".join(command.collect_usage_pieces(context))
    page.description = "\n\n".join(map(_paragraph, cleandoc(command.help or "").split("\n\n")))
    page.options = [
        (spelled, _plain(what))
        for option in command.get_params(context)
        if isinstance(option, click.Option)
        for spelled, what in [option.get_help_record(context) or ("", "")]
        if spelled
    ]
    page.commands = [(str(each.info_name), _plain(_summary(each.command))) for each in inner]
    return str(page)


def _summary(command: click.Command) -> str:
    return command.get_short_help_str(limit=200).rstrip(".")


def _paragraph(text: str) -> str:
    """A paragraph of a help text as roff: one that click may not wrap stays as it stands."""
    if text.startswith("\b\n"):
        return f".nf\n{_plain(text.removeprefix(chr(8)).strip())}\n.fi"
    return _plain(text)


def _plain(text: str) -> str:
    r"""A text whose signs mean nothing to roff: `\`, `-`, and a `.` or `'` that begins a line."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)
