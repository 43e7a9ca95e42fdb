"""What a person at a terminal sees, drawn by rich.

Imported where there is a terminal only: cron does not pay for it. Widths are those of the
terminal's cells. Nothing is wider than the window but a suggested command, which stands on a line
of its own and is never broken, to be copied.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invsync.axis import Axis, axis_of
from invsync.tell.aside import apart, next_step, sums, together
from invsync.tell.lines import BLANK, NAMED, TIE, Paragraph, addressed, clean, isolated
from invsync.tell.mail import problem_lines, quantity_of, summary, warning_lines
from invsync.tell.outcome import Change, Outcome
from invsync.tell.terminal import Terminal
from invsync.tell.words import can_be_aligned

#: The widest on which a paragraph is good to read.
_WIDEST = 120
#: Pools that a table shows: nobody reads more, and --json has them all.
SHOWN = 100
#: Stands for a blank at which a line is not broken; no text of people has it.
_GLUE = "\ue000"
_COMMAND = "bold cyan"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table, in rich's words for its style."""

    words: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `numbers`: columns that end alike and are never broken."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()


Part = Paragraph | Grid


def draw(parts: Iterable[Part], terminal: Terminal, invsync: str) -> str:
    """The parts below each other, as lines for this terminal.

    `invsync`: how this very program and configuration are called, for the commands that a person
    copies.
    """
    console = Console(
        file=io.StringIO(),
        width=terminal.width,
        force_terminal=True,
        force_interactive=False,
        color_system="standard" if terminal.colour else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    with console.capture() as drawn:
        for part in parts:
            if isinstance(part, Grid):
                console.print(_table(part))
            else:
                for line in _lines(part, console, invsync):
                    console.print(line, soft_wrap=True)
    lines = drawn.get().replace(_GLUE, " ").split("\n")
    return "\n".join(line.rstrip() for line in lines).removesuffix("\n")


def text(outcome: Outcome, terminal: Terminal, *, invsync: str = "invsync") -> str:
    """A run's report."""
    return draw(_screenful(outcome, terminal), terminal, invsync)


def table(
    changes: Sequence[Change],
    terminal: Terminal,
    *,
    axis: Axis,
    dry_run: bool,
    places: Mapping[str, str] = MappingProxyType({}),
) -> list[Part]:
    """The changes as a table.

    A row a pool, in it a line for each level that moved or was adjusted; below many of them what
    they come to. `places`: the locations, by id, with their names.
    """
    one, send = axis.one.upper(), "TO SEND" if dry_run else "SENT"
    room = max(10, (terminal.width - 36) // 2)
    rows = [_row(change, room, dry_run=dry_run) for change in changes[:SHOWN]]
    heads = ("PRODUCT", "QUANTITY", one, "MOVED", send)
    parts: list[Part] = [Grid(heads, rows, numbers=frozenset((1, 3, 4)))]
    if len(changes) > SHOWN:
        parts.append(Paragraph(f"and {len(changes) - SHOWN:,} more; --json lists them all"))
    if summed_up := sums(changes, places):
        parts += [BLANK, Paragraph(summed_up, style="bold")]
    return parts


# --- A paragraph ----------------------------------------------------------------------------------


def _lines(told: Paragraph, console: Console, invsync: str) -> Iterator[Text]:
    """Its lines: a tag that would leave too little room stands above the words."""
    tag, margin = Text(clean(told.tag), told.tag_style), cell_len(told.tag)
    margin += 1 if margin else 0
    if margin > console.width // 3:
        yield tag
        tag, margin = Text(), 4
    width = min(console.width, max(_WIDEST, margin * 3)) - margin
    lead = tag + Text(" " * (margin - tag.cell_len))
    for command, words in _split(addressed(told.words, invsync), invsync):
        if command:
            yield lead + Text(f"  {words}", _COMMAND)
            lead = Text(" " * margin)
            continue
        glued = clean(words).replace(TIE, _GLUE)
        for line in Text(glued, told.style).wrap(console, width, overflow="fold"):
            line.rstrip()
            yield lead + line
            lead = Text(" " * margin)
    if not told.words:
        yield lead


def _split(words: str, invsync: str) -> Iterator[tuple[bool, str]]:
    """The words, without the commands in them, and these, in their order. Told first: which."""
    quoted = r"""'[^']*'|"[^"]*"|[^`'"]"""
    begins = rf"(?:sudo -u \S+ )?{re.escape(invsync)} |uv pip |\S+ -m pip "
    pattern = rf"`((?:{begins})(?:{quoted})*)`"
    for at, part in enumerate(re.split(pattern, words)):
        said = clean(part) if at % 2 else part.strip().lstrip(",;. " if at else "")
        if said:
            yield bool(at % 2), said


# --- A table --------------------------------------------------------------------------------------


def _table(grid: Grid) -> Table:
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for at, head in enumerate(grid.heads):
        number = at in grid.numbers
        made.add_column(
            Text(head), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in grid.rows:
        made.add_row(*(Text.assemble((cell.words, cell.style)) for cell in row))
    return made


def _row(change: Change, room: int, *, dry_run: bool) -> list[Cell]:
    """A pool in the table. `room`: the cells that the name of a level may take."""
    levels = list(_level_cells(change, dry_run))
    labels = "\n".join(isolated(_middle_cut(label, room)) for label, _, _ in levels)
    sent = [sent for _, _, sent in levels]
    refused = any(words.startswith("not sent") for words in sent)
    return [
        Cell(isolated(clean(change.title)), "bold"),
        Cell(quantity_of(change), "bold"),
        Cell(labels),
        Cell("\n".join(moved for _, moved, _ in levels), "yellow"),
        Cell("\n".join(sent), "red" if refused else "cyan"),
    ]


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


def _middle_cut(words: str, room: int) -> str:
    """The words in `room` cells, cut in the middle: SKUs of one product differ at their ends."""
    if cell_len(words) <= room:
        return words
    start = set_cell_size(words, room // 2).rstrip()
    end = words
    while cell_len(end) > room - 1 - cell_len(start):
        end = end[1:]
    while end and not cell_len(end[0]):  # half a sign
        end = end[1:]
    return f"{start}…{end}"


# --- A run's report -------------------------------------------------------------------------------


def _screenful(outcome: Outcome, terminal: Terminal) -> Iterator[Part]:
    """What a person at a terminal sees."""
    if outcome.dry_run:
        yield Paragraph("DRY RUN: nothing is sent or written", style="bold magenta")
        yield BLANK
    if outcome.changes:
        yield from table(
            outcome.changes,
            terminal,
            axis=outcome.axis or axis_of(outcome.command, ()),
            dry_run=outcome.dry_run,
            places=outcome.places,
        )
        yield BLANK
    many = apart(outcome)
    others = copy(outcome)
    if many:
        others.problems = [one for one in outcome.problems if not can_be_aligned(one.kind)]
    problems = [*([together(outcome, many)] if many else []), *problem_lines(others)]
    for tag, style, lines in (
        ("PROBLEM ", "bold red", problems),
        ("WARNING ", "bold yellow", warning_lines(outcome)),
    ):
        for line in lines:
            yield Paragraph(line, tag, tag_style=style)
            yield BLANK
    bad = outcome.problems or outcome.error is not None
    colour = "red" if bad else "yellow" if outcome.warnings else "green"
    yield Paragraph(summary(outcome), style=f"bold {colour}")
    if step := next_step(outcome):
        yield BLANK
        yield Paragraph(step, "NEXT    ", tag_style="bold green")
