"""A run's outcome as a person at a terminal sees it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, TextIO

import click

from invsync.axis import axis_of
from invsync.state.files import Command
from invsync.tell.lines import (
    NAMED,
    addressed,
    clean,
    isolated,
    middle_cut,
    shortened,
    width_of,
    wrapped,
)
from invsync.tell.mail import problem_lines, quantity_of, summary, warning_lines
from invsync.tell.outcome import Change, Outcome

#: The narrowest screen that a table is laid out for, and the widest on which a paragraph is good to
#: read.
_NARROWEST, _WIDEST = 60, 100

#: Lines that the title of a pool may take in a table.
_TITLE_LINES = 3

#: The columns of a table that hold numbers, and so end alike; what stands between columns; how
#: heads look.
_NUMBERS = (1, 3, 4)

_GAP = "  "

_BOLD = {"bold": True}


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal that the report is laid out for. `width`: columns."""

    width: int
    colour: bool

    def style(self, words: str, **how: Any) -> str:
        """The words in colour (`how`: as `click.style` takes it), where there is colour."""
        return click.style(words, **how) if self.colour and words and how else words


def screen(stream: TextIO, environ: Mapping[str, str]) -> Screen | None:
    """The terminal behind `stream`; None if there is none.

    `NO_COLOR` (https://no-color.org) and TERM=dumb count.
    """
    if not stream.isatty():
        return None
    colour = not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
    return Screen(shutil.get_terminal_size().columns, colour)


def text(outcome: Outcome, terminal: Screen, *, invsync: str = "invsync") -> str:
    """The report for a terminal. `invsync`: as in a mail."""
    return "\n".join(_screenful(outcome, terminal, invsync))


def table(
    changes: Sequence[Change], terminal: Screen, *, command: Command, dry_run: bool
) -> list[str]:
    """The changes as the lines of a table.

    A row a pool, in it a line for each level that moved or was adjusted.
    """
    one, send = axis_of(command, ()).one.upper(), "TO SEND" if dry_run else "SENT"
    head = _Row("PRODUCT", "QUANTITY", ((one, "MOVED", send),))
    rows = [
        _Row(clean(change.title), quantity_of(change), tuple(_level_cells(change, dry_run)))
        for change in changes
    ]
    widths = _widths([head, *rows], terminal.width)
    lines = [
        _table_line((head.title, head.quantity, *head.levels[0]), widths, [_BOLD] * 5, terminal)
    ]
    for row in rows:
        titles = shortened(wrapped(row.title, widths[0]), _TITLE_LINES, widths[0])
        for at, (title, cells) in enumerate(zip_longest(titles, row.levels)):
            label, moved, sent = cells or ("", "", "")
            words = (
                title or "",
                "" if at else row.quantity,
                middle_cut(label, widths[2]),
                moved,
                sent,
            )
            loud = {"fg": "red" if sent.startswith("not sent") else "cyan"}
            lines.append(
                _table_line(words, widths, [_BOLD, _BOLD, {}, {"fg": "yellow"}, loud], terminal)
            )
    return lines


@dataclass(frozen=True, slots=True)
class _Row:
    """A pool in the table. `levels`: what each is called, how it moved, what was sent for it."""

    title: str
    quantity: str
    levels: tuple[tuple[str, str, str], ...]


def _widths(rows: Sequence[_Row], screen_width: int) -> tuple[int, ...]:
    """How wide the columns are.

    As their content, but for titles and levels, which share what room there is.
    """
    title, quantity = (
        max(map(width_of, words))
        for words in zip(*((row.title, row.quantity) for row in rows), strict=True)
    )
    level, moved, sent = (
        max(map(width_of, cells))
        for cells in zip(*chain(*(row.levels for row in rows)), strict=True)
    )
    room = max(screen_width, _NARROWEST) - quantity - moved - sent - 4 * len(_GAP)
    if title + level > room:
        level = max(min(level, room * 2 // 5), room - title)
        title = room - level
    return title, quantity, level, moved, sent


def _table_line(
    cells: Sequence[str],
    widths: Sequence[int],
    styles: Sequence[Mapping[str, Any]],
    terminal: Screen,
) -> str:
    printed = []
    for at, (words, width, how) in enumerate(zip(cells, widths, styles, strict=True)):
        blanks, styled = " " * (width - width_of(words)), terminal.style(isolated(words), **how)
        printed.append(blanks + styled if at in _NUMBERS else styled + blanks)
    return _GAP.join(printed).rstrip()


def _screenful(outcome: Outcome, terminal: Screen, invsync: str) -> Iterator[str]:
    """What a person at a terminal sees."""
    if outcome.dry_run:
        yield terminal.style("DRY RUN: nothing is sent or written", fg="magenta", bold=True)
        yield ""
    if outcome.changes:
        yield from table(
            outcome.changes, terminal, command=outcome.command, dry_run=outcome.dry_run
        )
        yield ""
    told = [("PROBLEM", "red", line) for line in problem_lines(outcome)]
    told += [("WARNING", "yellow", line) for line in warning_lines(outcome)]
    for tag, colour, line in told:
        yield from _paragraph(tag, colour, addressed(line, invsync), terminal, invsync)
        yield ""
    bad = outcome.problems or outcome.error is not None
    closing = wrapped(summary(outcome), max(terminal.width, _NARROWEST))
    yield from (
        terminal.style(
            line, fg="red" if bad else "yellow" if outcome.warnings else "green", bold=True
        )
        for line in closing
    )


def _paragraph(tag: str, colour: str, line: str, terminal: Screen, invsync: str) -> Iterator[str]:
    """A tagged paragraph.

    The command that it ends with on a line of its own, whole, to be copied.
    """
    said, command = line, ""
    start = line.rfind(f"`{invsync} ")
    if start > 0 and line.endswith("`"):
        said, command = line[:start].rstrip(), line[start + 1 : -1]
    margin = len(tag) + 2
    width = max(min(terminal.width, _WIDEST), _NARROWEST) - margin
    for at, part in enumerate(wrapped(said, width)):
        yield (terminal.style(tag, fg=colour, bold=True) + "  " if at == 0 else " " * margin) + part
    if command:
        yield " " * (margin + 2) + terminal.style(command, fg="cyan", bold=True)


def _level_cells(change: Change, dry_run: bool) -> Iterator[tuple[str, str, str]]:
    """What each level is called, how it moved, what was sent for it: those that moved first."""
    levels = sorted(change.levels, key=lambda level: not level.movement)
    named = levels if len(levels) <= NAMED else levels[: NAMED - 1]
    for level in named:
        unsent = "not sent " if not (level.applied or dry_run) else ""
        yield (
            clean(level.label),
            f"{level.movement:+d}" if level.movement else "",
            f"{unsent}{level.delta:+d}" if level.delta else "",
        )
    if len(named) < len(levels):
        yield f"and {len(levels) - len(named)} more", "", ""
