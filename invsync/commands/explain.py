"""`invsync explain`: the story of a pool, or what happened in the whole shop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from invsync.explain import Event, Story, Told, read_all, read_stories
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
    invocation: Invocation,
    settings: Settings,
    name: str,
    *,
    last: int,
    since: timedelta | None,
    as_json: bool,
) -> None:
    """Print the last events of each pool that the name means; without a name, of the whole shop.

    `since`: how far back, at most.
    """
    begins = None if since is None else datetime.now(UTC) - since
    if not name:
        found = read_all(settings, last, begins)
        document, told = _document_of_all(found), _all(found, settings, begins)
    else:
        stories = read_stories(settings, name, last, begins)
        document = _document(name, stories)
        told = [line for story in stories for line in (BLANK, *_text(story))][1:]
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        invocation.tell(*told)


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
                "paused": story.paused,
                "problem": story.problem,
                "earlier": story.earlier,
                "events": [_event_document(event) for event in story.events],
            }
            for story in stories
        ],
    }


def _document_of_all(told: Told) -> dict[str, Any]:
    """The JSON document of the whole shop."""
    return {
        "asked": None,
        "earlier": told.earlier,
        "events": [
            {
                "command": event.command,
                "pool": event.pool,
                "title": event.title,
                **_event_document(event),
            }
            for event in told.events
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
        "told": [{"kind": kind, "message": message} for kind, message in event.told.items()],
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
    lines += _paused(story)
    if not story.events:
        return [*lines, Paragraph("nothing has moved yet since it is known")]
    if len(story.quantities) > 1:
        quantities = story.quantities[-_BARS:]
        drawn = f"{quantities[0]} {sparkline(quantities)} {quantities[-1]}"
        lines.append(Paragraph(f"{drawn} (lowest {min(quantities)}, highest {max(quantities)})"))
    for event in story.events:
        lines += [BLANK, *_event(event)]
    return [*lines, *_earlier(len(story.events), story.earlier)]


def _all(told: Told, settings: Settings, begins: datetime | None) -> list[Paragraph]:
    """What happened in the whole shop."""
    lines: list[Paragraph] = []
    for event in told.events:
        lines += [*_event(event, event.title), BLANK]
    if not lines and begins is not None:
        return [Paragraph(f"nothing has happened since {local(begins)}")]
    if not lines:
        command = "variants" if settings.variants is not None else "locations"
        begin = f"nothing has happened yet; begin with `invsync {command} --init`"
        return [Paragraph(begin)]
    return [*lines[:-1], *_earlier(len(told.events), told.earlier)]


def _earlier(shown: int, earlier: int) -> list[Paragraph]:
    if not earlier:
        return []
    return [BLANK, Paragraph(f"{earlier} earlier: -n {shown + earlier} shows them all")]


def _event(event: Event, title: str = "") -> Iterator[Paragraph]:
    """When, from and to which quantity, by which rule; then what moved, was sent, and was told."""
    then = moment(event.at)
    at = event.at if then is None else local(then)
    quantity = f"{_known(event.before)} → {_known(event.after)}".replace(" ", TIE)
    counted = f"{quantity}  {event.rule}" if event.rule else "told"
    waits = "yellow" if event.why in ("nothing", "") else "bold"
    yield Paragraph(f"{at}  {title}{': ' if title else ''}{counted}", style=waits)
    rows = [("moved", _moved(event)), ("sent", _sent(event))]
    rows += [("told", message) for message in event.told.values()]
    for label, words in (*rows, ("run", event.run[:8])):
        if words:
            yield Paragraph(words, f"  {label:5} ")


def _standing(story: Story) -> str:
    if story.managed is None:
        return "how it stands can't be told, `invsync status` says why"
    if not story.managed:
        return "no longer managed"
    if story.quantity is None:
        return "no quantity yet"
    kept_back = f", {story.kept_back} of them kept back" if story.kept_back else ""
    return f"quantity {story.quantity}{kept_back}"


def _paused(story: Story) -> Iterator[Paragraph]:
    if since := moment(story.paused):
        yield Paragraph(
            f"paused since {local(since)}: nothing is sent for it, and what it did since then is "
            "yet to be counted"
        )


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
