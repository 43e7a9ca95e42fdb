"""`invsync explain`: the story of a pool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from invsync.explain import Event, Story, read_stories
from invsync.invocation import Invocation
from invsync.tell.lines import BLANK, TIE, Paragraph
from invsync.tell.times import local, moment
from invsync.tell.words import came_about

if TYPE_CHECKING:
    from invsync.config.settings import Settings

#: Levels that a line spells out; --json has them all.
_NAMED = 8
#: Quantities that a story draws, the last ones.
_BARS = 32
_BLOCKS = "▁▂▃▄▅▆▇█"


def explain(
    invocation: Invocation, settings: Settings, name: str, *, last: int, as_json: bool
) -> None:
    """Print the last events of each pool that the name means."""
    stories = read_stories(settings, name, last)
    if as_json:
        click.echo(json.dumps(_document(name, stories), ensure_ascii=False, indent=2))
        return
    told = [line for story in stories for line in (BLANK, *_text(story))]
    invocation.tell(*told[1:])


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
                "kept_back": story.kept_back,
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


def _text(story: Story) -> list[Paragraph]:
    """A pool's story: how it stands, then its events."""
    waits = "yellow" if story.problem else ""
    title = f"{story.title} ({story.command}, {story.pool}): {_standing(story)}"
    lines = [Paragraph(title, style=f"bold {waits}".strip())]
    if story.problem:
        since = moment(story.problem.get("since"))
        when = "" if since is None else f"since {local(since)}: "
        lines.append(Paragraph(f"{when}{story.problem.get('message')}"))
    if not story.events:
        return [*lines, Paragraph("nothing has moved yet since it is known")]
    if len(story.quantities) > 1:
        quantities = story.quantities[-_BARS:]
        drawn = f"{quantities[0]} {sparkline(quantities)} {quantities[-1]}"
        lines.append(Paragraph(f"{drawn} (lowest {min(quantities)}, highest {max(quantities)})"))
    for event in story.events:
        lines += [BLANK, *_event(event)]
    if story.earlier:
        all_of_them = len(story.events) + story.earlier
        lines += [BLANK, Paragraph(f"{story.earlier} earlier: -n {all_of_them} shows them all")]
    return lines


def _event(event: Event) -> Iterator[Paragraph]:
    """When, from and to which quantity, by which rule; then what moved, and what was sent."""
    then = moment(event.at)
    at = event.at if then is None else local(then)
    quantity = f"{_known(event.before)} → {_known(event.after)}".replace(" ", TIE)
    waits = "yellow" if event.why == "nothing" else "bold"
    yield Paragraph(f"{at}  {quantity}  {event.rule}", style=waits)
    for label, told in (("moved", _moved(event)), ("sent", _sent(event)), ("run", event.run[:8])):
        if told:
            yield Paragraph(told, f"  {label:5} ")


def _standing(story: Story) -> str:
    if story.managed is None:
        return "how it stands can't be told, `invsync status` says why"
    if not story.managed:
        return "no longer managed"
    if story.quantity is None:
        return "no quantity yet"
    kept_back = f", {story.kept_back} of them kept back" if story.kept_back else ""
    return f"quantity {story.quantity}{kept_back}"


def sparkline(numbers: Sequence[int]) -> str:
    """A block for each number, from the lowest block for the lowest to the highest."""
    low, high = min(numbers), max(numbers)
    if low == high:
        return _BLOCKS[3] * len(numbers)
    return "".join(
        _BLOCKS[round((number - low) / (high - low) * (len(_BLOCKS) - 1))] for number in numbers
    )


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
    if len(cells) > _NAMED:
        return f"{', '.join(cells[:_NAMED])} and {len(cells) - _NAMED} more"
    return ", ".join(cells)


def _tied(name: str, units: int) -> str:
    return f"{name} {units:+d}".replace(" ", TIE)


def _known(quantity: int | None) -> str:
    return "?" if quantity is None else str(quantity)
