"""What happened to a pool, or in the whole shop, from the history, read line by line.

Three kinds of lines make it (`invsync/ledger.py` writes them): what was told of a pool, an
adjustment that took effect, and, after those of the same run and pool, what moved and what was
counted. Adjustments of a run that was cut off stand alone: what had moved is not known any more.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from invsync.config.settings import Settings
from invsync.errors import StateError
from invsync.names import (
    Caches,
    Mention,
    NotFound,
    caches_of,
    command_of,
    matches,
    several,
    unknown,
)
from invsync.state.cache import Cache
from invsync.state.entries import Entry
from invsync.state.files import Command, Files, look_over
from invsync.state.history import history_lines
from invsync.state.pauses import Pauses, read_pauses
from invsync.state.records import Adjusted, Counted, Line, Movement, Noted, line_of
from invsync.tell import words
from invsync.tell.times import moment

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

    `told`: what was told of it, kind → message. `recovered`: of a run that was cut off, so that
    only what was sent is known.
    """

    at: str
    run: str
    command: Command
    pool: str
    title: str
    why: str
    before: int | None
    after: int | None
    moved: tuple[Moved, ...] = ()
    sent: tuple[Sent, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    recovered: bool = False

    @property
    def rule(self) -> str:
        """Which rule counted it, in words; empty where nothing but a word of it was told."""
        if not self.why:
            return ""
        return words.counted(self.why, (level.movement for level in self.moved), self.after)


@dataclass(frozen=True, slots=True)
class Story:
    """A pool of a command, what is remembered of it, and its last events, the newest last.

    `kept_back`: units of the quantity that no level shows. `paused`: since when it is (UTC text).
    `managed`: whether the cache holds it, None if that can't be read; `earlier`: how many events
    came before these.
    """

    command: Command
    pool: str
    title: str
    quantity: int | None
    kept_back: int
    paused: str | None
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


@dataclass(frozen=True, slots=True)
class Told:
    """The last events of the whole shop, the newest last; `earlier`: how many came before these."""

    events: tuple[Event, ...]
    earlier: int


def read_all(settings: Settings, last: int, since: datetime | None = None) -> Told:
    """What happened in the whole shop. Raises `StateError` where the history can't be read."""
    files = Files(settings.state_dir, "variants")
    look_over(files)
    return Told(*_last(_events(history_lines(files)), last, since))


def read_stories(
    settings: Settings, asked: str, last: int, since: datetime | None = None
) -> list[Story]:
    """The stories of the pool that is called so.

    By title, SKU, id or its number, or by a part of title or SKU.

    Several only where the name fits several exactly (a SKU used twice, or a pool of each command).
    `last`: how many events of each, none from before `since`. Raises `NotFound`, and `StateError`
    where the history can't be read.
    """
    files = Files(settings.state_dir, "variants")
    look_over(files)
    caches = caches_of(files)
    chosen = _choose(asked.strip(), files, caches)
    pauses = read_pauses(settings.state_dir, datetime.now(UTC))
    return [_story(mention, files, caches, pauses, last, since) for mention in chosen.values()]


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


def _story(
    mention: Mention,
    files: Files,
    caches: Caches,
    pauses: Pauses,
    last: int,
    since: datetime | None,
) -> Story:
    pool_id = mention.pool
    events, earlier = _last(_events(_naming(pool_id, history_lines(files))), last, since)
    cache = caches[mention.command]
    entry = cache.pools.get(pool_id) if isinstance(cache, Cache) else None
    last_title = events[-1].title if events else mention.title
    return Story(
        mention.command,
        pool_id,
        entry.title if entry else last_title,
        entry.quantity if entry else None,
        entry.kept_back if entry else 0,
        _paused(pool_id, entry, pauses),
        None if isinstance(cache, StateError) else entry is not None,
        msgspec.to_builtins(entry.problem) if entry and entry.problem else None,
        events,
        earlier,
    )


def _paused(pool_id: str, entry: Entry | None, pauses: Pauses) -> str | None:
    """Since when a pool is paused (UTC text), by a person or by its tag."""
    if pause := pauses.of(pool_id):
        return pause.since
    stood = entry.paused if entry else None
    return stood.since if stood and stood.tag else None


def _last(
    events: Iterable[Event], last: int, since: datetime | None
) -> tuple[tuple[Event, ...], int]:
    """The last of them that are not from before `since`, and how many came before those."""
    kept: deque[Event] = deque(maxlen=last)
    count = 0
    for event in events:
        count += 1
        if since is None or ((at := moment(event.at)) is not None and at >= since):
            kept.append(event)
    return tuple(kept), count - len(kept)


def _naming(pool_id: str, texts: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that name a pool, and maybe others."""
    mark = json.dumps(pool_id).encode()
    for text in texts:
        if mark in text and (line := line_of(text)) is not None and line.pool == pool_id:
            yield text


@dataclass(slots=True)
class _Open:
    """What a run is known to have done with a pool, before it is known what it counted."""

    sent: list[Adjusted] = field(default_factory=list)
    told: list[Noted] = field(default_factory=list)

    def event(self, counted: Counted | None = None) -> Event:
        """All of it, with what was counted, where a line tells."""
        last: Line = counted or (self.sent[-1] if self.sent else self.told[-1])
        why = self.sent[-1].why if self.sent else ""
        before = after = None
        moved: tuple[Moved, ...] = ()
        if counted:
            why, before, after = counted.why, counted.quantity.before, counted.quantity.after
            moved = tuple(_moved(level, counted.pool) for level in counted.moved)
        elif len(reached := {level.after for level in self.sent}) == 1:
            after = reached.pop()
        return Event(
            last.at,
            last.run,
            command_of(last.pool),
            last.pool,
            last.title,
            why,
            before,
            after,
            moved,
            tuple(map(_sent, self.sent)),
            {note.kind: note.message.removeprefix(f"{note.title}: ") for note in self.told},
            recovered=counted is None and bool(self.sent),
        )


def _events(texts: Iterable[bytes]) -> Iterator[Event]:
    """The events of all pools, oldest first, as far as the lines tell.

    A run writes its lines together: what is open when another one's begin is all that will be known
    of it. So this keeps no more than a run leaves open.
    """
    pools: dict[str, _Open] = {}
    run = ""
    for text in texts:
        line = line_of(text)
        if line is None:
            continue
        if run != line.run:
            yield from (each.event() for each in pools.values())
            pools.clear()
            run = line.run
        if isinstance(line, Counted):
            yield pools.pop(line.pool, _Open()).event(line)
        elif isinstance(line, Adjusted):
            pools.setdefault(line.pool, _Open()).sent.append(line)
        else:
            pools.setdefault(line.pool, _Open()).told.append(line)
    yield from (each.event() for each in pools.values())


def _called(level: Adjusted | Movement, pool_id: str) -> str:
    """What a level is called. A run that was finished by another one left no names of locations."""
    if level.name:
        return level.name
    if level.item == pool_id:
        return f"location {level.location.rpartition('/')[2]}"
    return level.sku or level.item


def _sent(level: Adjusted) -> Sent:
    return Sent(
        level.item,
        level.sku,
        _called(level, level.pool),
        level.location,
        level.before,
        level.delta,
        level.after,
    )


def _moved(level: Movement, pool: str) -> Moved:
    name = _called(level, pool)
    return Moved(level.item, level.sku, name, level.location, level.movement, level.how)
