"""A pool's story from the history, read line by line.

Two kinds of lines make it (`invsync/run.py` writes them): an adjustment that took effect, and,
after those of the same run and pool, what moved and what was counted. Adjustments of a run that was
cut off stand alone: what had moved is not known any more.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from invsync.config.settings import Settings
from invsync.errors import StateError
from invsync.names import Caches, Mention, NotFound, caches_of, matches, several, unknown
from invsync.state.cache import Cache
from invsync.state.files import Command, Files, look_over
from invsync.state.history import history_lines
from invsync.state.records import Adjusted, Counted, Movement, line_of
from invsync.tell import words

#: Pools whose stories are told at once, where several are asked for by one exact name.
_TOLD = 5


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
        return words.counted(self.why, (level.movement for level in self.moved), self.after)


@dataclass(frozen=True, slots=True)
class Story:
    """A pool of a command, what is remembered of it, and its last events, the newest last.

    `kept_back`: units of the quantity that no level shows. `managed`: whether the cache holds it,
    None if that can't be read; `earlier`: how many events came before these.
    """

    command: Command
    pool: str
    title: str
    quantity: int | None
    kept_back: int
    managed: bool | None
    problem: Mapping[str, Any] | None
    events: tuple[Event, ...]
    earlier: int

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
    caches = caches_of(files)
    chosen = _choose(asked.strip(), files, caches)
    return [_story(mention, files, caches, last) for mention in chosen.values()]


# --- Which pool -----------------------------------------------------------------------------------


def _choose(asked: str, files: Files, caches: Caches) -> dict[str, Mention]:
    """Those that are meant: all that are called just so, or the one that has a name like that."""
    matching = matches(asked, files, caches)
    found = dict(matching.exact or matching.partly)
    if not found:
        raise NotFound(unknown(asked, files, caches))
    titles = {mention.title.casefold() for mention in found.values()}
    if len(found) > _TOLD or (len(titles) > 1 and not matching.exact):
        mend = "give a whole title, a SKU or a number"
        raise NotFound(several(asked, found.values(), mend))
    return found


# --- Its story ------------------------------------------------------------------------------------


def _story(mention: Mention, files: Files, caches: Caches, last: int) -> Story:
    pool_id = mention.pool
    events: deque[Event] = deque(maxlen=last)
    count = 0
    for event in _events(pool_id, history_lines(files)):
        events.append(event)
        count += 1
    cache = caches[mention.command]
    entry = cache.pools.get(pool_id) if isinstance(cache, Cache) else None
    last_title = events[-1].title if events else mention.title
    return Story(
        mention.command,
        pool_id,
        entry.title if entry else last_title,
        entry.quantity if entry else None,
        entry.kept_back if entry else 0,
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
    if level.item == pool_id:
        return f"location {level.location.rpartition('/')[2]}"
    return level.sku or level.item


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
