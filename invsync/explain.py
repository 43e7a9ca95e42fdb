"""`invsync explain`: a pool's story from the history, read line by line.

Two kinds of lines make it (`invsync/run.py` writes them): an adjustment that took effect, and,
after those of the same run and pool, what moved and what was counted. Adjustments of a run that was
cut off stand alone: what had moved is not known any more.
"""

from __future__ import annotations

import json
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import msgspec

from invsync.config.settings import Settings
from invsync.errors import InvsyncError, StateError
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files, look_over
from invsync.state.history import history_lines
from invsync.state.records import Adjusted, Counted, Movement, line_of

#: Pools whose stories are told at once, where several are asked for by one exact name.
_TOLD = 5
#: Pools that are noted while looking for a part of a name, and names that are looked through for a
#: near one.
_NOTED = 1_000
_NAMES = 20_000
#: Names that a message spells out.
_NAMED = 5

#: Levels that a cell of the table spells out; --json has them all.
_IN_A_CELL = 8

_BLOCKS = "▁▂▃▄▅▆▇█"
#: Keeps a name and its number on one line of a cell.
_TIE = "\N{NO-BREAK SPACE}"


class NotFound(InvsyncError):
    """No pool, or not just one, is called so."""


#: How a movement came about, as the witnesses told it.
_HOW = {
    "ordered": " ordered",
    "off_shelf": " off the shelf",
    "cancelled": " cancelled",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """How one level moved between two runs. `name`: its SKU or variant, or its location."""

    item: str
    sku: str
    name: str
    location: str
    movement: int
    how: str = "unknown"


@dataclass(frozen=True, slots=True)
class Sent:
    """An adjustment that took effect."""

    item: str
    sku: str
    name: str
    location: str
    before: int
    delta: int
    after: int


@dataclass(frozen=True, slots=True)
class Event:
    """What one run made of a pool, `title` being what it was called then.

    `recovered`: of a run that was cut off, so that only what was sent is known.
    """

    at: str
    run: str
    title: str
    why: str
    before: int | None
    after: int | None
    moved: tuple[Moved, ...] = ()
    sent: tuple[Sent, ...] = ()
    recovered: bool = False

    @property
    def rule(self) -> str:
        """Which rule counted it, in words."""
        rose = any(level.movement > 0 for level in self.moved)
        if self.why == "falls" and rose:
            return "falls: all counted; rises wait"
        if self.why == "rise" and any(level.movement < 0 for level in self.moved):
            return "one rise and all falls: counted"
        if self.why == "nothing" and self.after is None:
            return "another program at work: left alone"
        return _RULES.get(self.why, self.why)


_RULES = {
    "nothing": "not counted: waits for a person",
    "adopted": "adopted",
    "falls": "falls: all counted",
    "rise": "one rise: counted",
    "smallest_rise": "several rises: smallest counted",
    "sum_of_rises": "several rises: all counted",
    "released": "what waited: counted",
    "settled": "all levels read the same: taken",
    "source": "first to change: taken",
    "aligned": "brought to one number (--align)",
    "finish": "levels brought to the quantity",
}


@dataclass(frozen=True, slots=True)
class Story:
    """A pool, what is remembered of it, and its last events, the newest last.

    `managed`: whether the cache holds it, None if that can't be read; `earlier`: how many events
    came before these.
    """

    pool: str
    title: str
    quantity: int | None
    managed: bool | None
    problem: Mapping[str, Any] | None
    events: tuple[Event, ...]
    earlier: int

    @property
    def command(self) -> Command:
        """The command that it is a pool of."""
        return _command_of(self.pool)

    @property
    def quantities(self) -> list[int]:
        """The quantity before the first event and after each, where it is known."""
        first = [self.events[0].before] if self.events else []
        return [
            quantity
            for quantity in (*first, *(event.after for event in self.events))
            if quantity is not None
        ]


def read_stories(settings: Settings, asked: str, last: int) -> list[Story]:
    """The stories of the pool that is called so.

    By title, SKU, id or its number, or by a part of title or SKU.

    Several only where the name fits several exactly (a SKU used twice, or a pool of each command).
    `last`: how many events of each. Raises `NotFound`, and `StateError` where the history can't be
    read.
    """
    files = Files(settings.state_dir, "variants")
    look_over(files)
    caches = {command: _cache(Files(settings.state_dir, command)) for command in COMMANDS}
    chosen = _choose(asked.strip(), files, caches)
    return [_story(pool_id, title, files, caches, last) for pool_id, title in chosen.items()]


#: Of each command its cache, or None if there is none, or why it can't be read: a story can do
#: without.
_Caches = Mapping[Command, Cache | StateError | None]


def _cache(files: Files) -> Cache | StateError | None:
    try:
        return read_cache(files)
    except StateError as error:
        return error


def _command_of(pool_id: str) -> Command:
    return "variants" if pool_id.startswith("gid://shopify/Product/") else "locations"


# --- Which pool -----------------------------------------------------------------------------------


def _choose(asked: str, files: Files, caches: _Caches) -> dict[str, str]:
    """Pool id → title of those that are meant."""
    wanted = asked.casefold()
    exact: dict[str, str] = {}
    partly: dict[str, str] = {}
    for mention in _mentions(wanted, files, caches):
        if wanted in mention.exactly:
            exact[mention.pool] = mention.title
        elif mention.pool in partly or (len(partly) < _NOTED and mention.has(wanted)):
            partly[mention.pool] = mention.title
    if not wanted or not (exact or partly):
        raise NotFound(_unknown(asked, files, caches))
    found = exact or partly
    titles = set(map(str.casefold, found.values()))
    if len(found) > _TOLD or (len(titles) > 1 and not exact):
        some = [f"{title} ({pool_id.rpartition('/')[2]})" for pool_id, title in found.items()]
        raise NotFound(
            f"{asked!r} fits {len(found)} pools: {_listed(some)}; give a whole title, a SKU or a "
            "number"
        )
    return found


@dataclass(frozen=True, slots=True)
class _Mention:
    """What speaks of a pool, and what that calls it and its levels."""

    pool: str
    title: str
    items: tuple[str, ...]
    skus: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The title, and the SKUs."""
        return (self.title, *filter(None, self.skus))

    @property
    def exactly(self) -> set[str]:
        """Everything that the pool answers to.

        Title, SKUs, ids and their numbers, in lower case.
        """
        ids = (self.pool, *self.items)
        numbers = (gid.rpartition("/")[2] for gid in ids)
        return {name.casefold() for name in (*self.names, *ids, *numbers)}

    def has(self, wanted: str) -> bool:
        """Whether that is a part of a name."""
        return any(wanted in name.casefold() for name in self.names)


def _mentions(wanted: str, files: Files, caches: _Caches) -> Iterator[_Mention]:
    """What may speak of it: lines of the history, oldest first, then the pools of the caches."""
    needle = json.dumps(wanted, ensure_ascii=False)[1:-1].casefold()
    for text in history_lines(files):
        if needle in text.decode("utf-8", "replace").casefold() and (line := line_of(text)):
            levels = (line,) if isinstance(line, Adjusted) else line.moved
            items, skus = (tuple(level.item for level in levels), tuple(one.sku for one in levels))
            yield _Mention(line.pool, line.title, items, skus)
    for cache in caches.values():
        if isinstance(cache, Cache):
            for pool_id, entry in cache.pools.items():
                items = tuple(entry.levels) if cache.command == "variants" else ()
                yield _Mention(pool_id, cache.title(pool_id), items)


def _unknown(asked: str, files: Files, caches: _Caches) -> str:
    """The message for a name that nothing has, with those that come near."""
    names: dict[str, str] = {}
    for mention in _mentions("", files, caches):
        names.update((name.casefold(), name) for name in mention.names)
        if len(names) > _NAMES:
            break
    if not names:
        return (
            f"nothing is known of {asked!r}: no run has left anything yet; begin with `invsync "
            "variants --init`"
        )
    near = [names[name] for name in get_close_matches(asked.casefold(), names, n=_NAMED)]
    if near:
        return f"nothing is known of {asked!r}; did you mean {_listed(near, 'or')}?"
    return (
        f"nothing is known of {asked!r}. A SKU is known once its pool has moved; before that give "
        "the product's title "
        "or number"
    )


def _listed(names: Sequence[str], last: str = "and") -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


# --- Its story ------------------------------------------------------------------------------------


def _story(pool_id: str, title: str, files: Files, caches: _Caches, last: int) -> Story:
    events: deque[Event] = deque(maxlen=last)
    count = 0
    for event in _events(pool_id, history_lines(files)):
        events.append(event)
        count += 1
    cache = caches[_command_of(pool_id)]
    entry = cache.pools.get(pool_id) if isinstance(cache, Cache) else None
    last_title = events[-1].title if events else title
    return Story(
        pool_id,
        entry.title if entry else last_title,
        entry.quantity if entry else None,
        None if isinstance(cache, StateError) else entry is not None,
        msgspec.to_builtins(entry.problem) if entry and entry.problem else None,
        tuple(events),
        count - len(events),
    )


def _events(pool_id: str, texts: Iterable[bytes]) -> Iterator[Event]:
    """The events of one pool, oldest first."""
    mark = json.dumps(pool_id).encode()
    sent: list[Adjusted] = []
    for text in texts:
        line = line_of(text) if mark in text else None
        if line is None or line.pool != pool_id:
            continue
        if sent and line.run != sent[0].run:
            yield _recovered(sent)
            sent = []
        if isinstance(line, Adjusted):
            sent.append(line)
        else:
            yield _counted(line, sent)
            sent = []
    if sent:
        yield _recovered(sent)


def _called(level: Adjusted | Movement, pool_id: str) -> str:
    """What a level is called. A run that was finished by another one left no names of locations."""
    if level.name:
        return level.name
    if _command_of(pool_id) == "variants":
        return level.sku or level.item
    return f"location {level.location.rpartition('/')[2]}"


def _sent_levels(sent: Iterable[Adjusted]) -> tuple[Sent, ...]:
    return tuple(
        Sent(
            level.item,
            level.sku,
            _called(level, level.pool),
            level.location,
            level.before,
            level.delta,
            level.after,
        )
        for level in sent
    )


def _counted(line: Counted, sent: Sequence[Adjusted]) -> Event:
    moved = tuple(
        Moved(
            level.item,
            level.sku,
            _called(level, line.pool),
            level.location,
            level.movement,
            level.how,
        )
        for level in line.moved
    )
    before, after = line.quantity.before, line.quantity.after
    return Event(line.at, line.run, line.title, line.why, before, after, moved, _sent_levels(sent))


def _recovered(sent: Sequence[Adjusted]) -> Event:
    reached = {level.after for level in sent}
    after = reached.pop() if len(reached) == 1 else None
    last = sent[-1]
    levels = _sent_levels(sent)
    return Event(last.at, last.run, last.title, last.why, None, after, (), levels, recovered=True)


# --- As JSON --------------------------------------------------------------------------------------


def document(asked: str, stories: Sequence[Story]) -> dict[str, Any]:
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


def text(story: Story, width: int) -> str:
    """A pool's story as a table of at most `width` columns, where that is possible at all."""
    lines = [f"{_printable(story.title)} ({story.command}, {story.pool}): {_standing(story)}"]
    if story.problem:
        since = str(story.problem.get("since")).replace("T", " ")[:16]
        lines.append(_printable(f"since {since} UTC: {story.problem.get('message')}"))
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
        [
            _tied(level.name, level.movement) + _HOW.get(level.how, "").replace(" ", _TIE)
            for level in event.moved
        ]
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
