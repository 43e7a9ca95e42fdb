"""`invsync explain`: the story of a pool."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from invsync.explain import Event, Story, read_stories
from invsync.invocation import Invocation
from invsync.tell.times import local, moment
from invsync.tell.words import came_about

if TYPE_CHECKING:
    from invsync.config.settings import Settings

#: Levels that a cell of the table spells out; --json has them all.
_IN_A_CELL = 8
_BLOCKS = "▁▂▃▄▅▆▇█"
#: Keeps a name and its number on one line of a cell.
_TIE = "\N{NO-BREAK SPACE}"


def explain(
    invocation: Invocation, settings: Settings, name: str, *, last: int, as_json: bool
) -> None:
    """Print the last events of each pool that the name means."""
    stories = read_stories(settings, name, last)
    if as_json:
        click.echo(json.dumps(_document(name, stories), ensure_ascii=False, indent=2))
        return
    columns = shutil.get_terminal_size((100, 24)).columns
    invocation.tell("\n\n".join(_text(story, columns) for story in stories))


# --- As JSON --------------------------------------------------------------------------------------


def _document(asked: str, stories: Sequence[Story]) -> dict[str, Any]:
    """The JSON document."""
    return {
        "asked": asked,
        "pools": [
            {
                "command": story.command,
                "pool": story.pool,
                "title": story.title,
                "managed": story.managed,
                "quantity": story.quantity,
                "problem": story.problem,
                "earlier": story.earlier,
                "events": [_event_document(event) for event in story.events],
            }
            for story in stories
        ],
    }


def _event_document(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "run": event.run,
        "why": event.why,
        "rule": event.rule,
        "quantity": {"from": event.before, "to": event.after},
        "recovered": event.recovered,
        "moved": [
            {
                "item": level.item,
                "sku": level.sku,
                "name": level.name,
                "location": level.location,
                "movement": level.movement,
                "how": level.how,
            }
            for level in event.moved
        ],
        "sent": [
            {
                "item": level.item,
                "sku": level.sku,
                "name": level.name,
                "location": level.location,
                "before": level.before,
                "delta": level.delta,
                "after": level.after,
            }
            for level in event.sent
        ],
    }


# --- As text --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Column:
    """A column of the table.

    Its heading, its cells, whether they may be wrapped, and how wide it gets.
    """

    heading: str
    cells: list[str]
    wraps: bool = False
    width: int = field(init=False)

    def __post_init__(self) -> None:
        self.width = max(map(len, (self.heading, *self.cells)))

    def lines(self, row: int) -> list[str]:
        wrapped = textwrap.wrap(self.cells[row], self.width, break_on_hyphens=False)
        return [line.replace(_TIE, " ") for line in wrapped] or [""]


def _text(story: Story, width: int) -> str:
    """A pool's story as a table of at most `width` columns, where that is possible at all."""
    lines = [f"{_printable(story.title)} ({story.command}, {story.pool}): {_standing(story)}"]
    if story.problem:
        since = moment(story.problem.get("since"))
        when = "" if since is None else f"since {local(since)}: "
        lines.append(_printable(f"{when}{story.problem.get('message')}"))
    if not story.events:
        return "\n".join([*lines, "nothing has moved yet since it is known"])
    if len(story.quantities) > 1:
        quantities = story.quantities[-max(8, width - 40) :]
        lines.append(
            f"{quantities[0]} {sparkline(quantities)} {quantities[-1]}   "
            f"(lowest {min(quantities)}, highest {max(quantities)})"
        )
    lines += ["", *_table(story.events, width)]
    if story.earlier:
        lines += [
            "",
            f"{story.earlier} earlier: -n {len(story.events) + story.earlier} shows them all",
        ]
    return "\n".join(lines)


def _standing(story: Story) -> str:
    if story.managed is None:
        return "how it stands can't be told, `invsync status` says why"
    if not story.managed:
        return "no longer managed"
    return "no quantity yet" if story.quantity is None else f"quantity {story.quantity}"


def sparkline(numbers: Sequence[int]) -> str:
    """A block for each number, from the lowest block for the lowest to the highest."""
    low, high = min(numbers), max(numbers)
    if low == high:
        return _BLOCKS[3] * len(numbers)
    return "".join(
        _BLOCKS[round((number - low) / (high - low) * (len(_BLOCKS) - 1))] for number in numbers
    )


def _table(events: Sequence[Event], width: int) -> list[str]:
    columns = [
        _Column("WHEN (UTC)", [event.at[:16].replace("T", " ") for event in events]),
        _Column("MOVED", [_moved(event) for event in events], wraps=True),
        _Column("COUNTED BY", [event.rule for event in events], wraps=True),
        _Column(
            "QUANTITY", [f"{_known(event.before)} → {_known(event.after)}" for event in events]
        ),
        _Column("SENT", [_sent(event) for event in events], wraps=True),
        _Column("RUN", [event.run[:8] for event in events]),
    ]
    flexible = [column for column in columns if column.wraps]
    excess = sum(column.width + 2 for column in columns) - 2 - width
    for _ in range(max(0, excess)):
        widest = max(flexible, key=lambda column: column.width)
        if widest.width <= 12:
            break
        widest.width -= 1
    rows = [_row([column.heading for column in columns], columns)]
    for row in range(len(events)):
        cells = [column.lines(row) for column in columns]
        for line in range(max(map(len, cells))):
            rows.append(_row([cell[line] if line < len(cell) else "" for cell in cells], columns))
    return rows


def _row(cells: Sequence[str], columns: Sequence[_Column]) -> str:
    return "  ".join(
        cell.ljust(column.width) for cell, column in zip(cells, columns, strict=True)
    ).rstrip()


def _moved(event: Event) -> str:
    if event.recovered:
        return "(not recorded: the run was cut off)"
    return _shortened(
        [_tied(level.name, level.movement) + came_about(level.how) for level in event.moved]
    )


def _sent(event: Event) -> str:
    deltas = {level.delta for level in event.sent}
    moved = {(level.item, level.location) for level in event.moved}
    others = moved and moved.isdisjoint((level.item, level.location) for level in event.sent)
    if others and len(event.sent) > 2 and len(deltas) == 1:
        return _tied(f"{len(event.sent)} others", deltas.pop())
    return _shortened([_tied(level.name, level.delta) for level in event.sent])


def _shortened(cells: Sequence[str]) -> str:
    if len(cells) > _IN_A_CELL:
        return f"{', '.join(cells[:_IN_A_CELL])} and {len(cells) - _IN_A_CELL} more"
    return ", ".join(cells)


def _tied(name: str, units: int) -> str:
    return f"{_printable(name)} {units:+d}".replace(" ", _TIE)


def _printable(words: str) -> str:
    """Without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in words)


def _known(quantity: int | None) -> str:
    return "?" if quantity is None else str(quantity)
