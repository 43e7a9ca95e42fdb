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
from difflib import get_close_matches
from typing import Any

import msgspec

from invsync.config.settings import Settings
from invsync.errors import InvsyncError, StateError
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files, look_over
from invsync.state.history import history_lines
from invsync.state.records import Adjusted, Counted, Movement, line_of
from invsync.tell import words

#: Pools whose stories are told at once, where several are asked for by one exact name.
_TOLD = 5
#: Pools that are noted while looking for a part of a name, and names that are looked through for a
#: near one.
_NOTED = 1_000
_NAMES = 20_000
#: Names that a message spells out.
_NAMED = 5


class NotFound(InvsyncError):
    """No pool, or not just one, is called so."""


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
            return "without a quantity: left alone"
        return words.counted(self.why)


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
                items = tuple(cache.level(pool_id, key).item for key in entry.levels)
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
