"""Which pool is meant: by what a person calls it, as far as the state folder knows.

A pool answers to its title, its id, and the SKUs and ids of what it shows; an id may be given whole
or as its number. Titles come from the caches, SKUs from the history. How listings are pooled makes
no difference here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from invsync.errors import InvsyncError, StateError
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files
from invsync.state.history import history_lines
from invsync.state.records import line_of, named_in
from invsync.tell.lines import number_of
from invsync.text import composed

#: Pools that are noted while looking for a part of a name, and names that are looked through for a
#: near one.
_NOTED = 1_000
_NAMES = 20_000
#: Names that a message spells out.
_NAMED = 5


class NotFound(InvsyncError):
    """No pool, or not just one, is called so."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """What speaks of a pool of a command, and what that calls it and what it shows.

    `ids`: of its levels' items.
    """

    command: Command
    pool: str
    title: str
    ids: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The title, and the SKUs."""
        return (self.title, *filter(None, self.skus))

    @property
    def exactly(self) -> set[str]:
        """Everything that the pool answers to, as `folded` gives it."""
        ids = (self.pool, *self.ids)
        return {folded(name) for name in (*self.names, *ids, *map(number_of, ids))}

    def has(self, wanted: str) -> bool:
        """Whether that is a part of a name."""
        return any(wanted in folded(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Matches:
    """The pools that a name fits: pool id → what speaks of it, the newest word last.

    `exact`: those that are called just so; `partly`: those of whose names it is a part.
    """

    exact: Mapping[str, Mention]
    partly: Mapping[str, Mention]


#: Of each command its cache, or None if there is none, or why it can't be read.
Caches = Mapping[Command, Cache | StateError | None]


def folded(name: str) -> str:
    """A name as names are compared: whatever its case, and however its accents are typed."""
    return composed(name.strip()).casefold()


def command_of(pool_id: str) -> Command:
    """The command whose pools have such ids."""
    return "locations" if pool_id.startswith("gid://shopify/InventoryItem/") else "variants"


def caches_of(files: Files) -> Caches:
    """The caches of a state folder."""
    return {command: _cache(Files(files.folder, command)) for command in COMMANDS}


def _cache(files: Files) -> Cache | StateError | None:
    try:
        return read_cache(files)
    except StateError as error:
        return error


def managed_as(asked: str, files: Files, caches: Caches) -> Mention:
    """The one pool of a cache that is called so; pools that are gone don't count.

    `caches`: those in which to look. Raises `NotFound` where nothing or several fit, with their
    names, and the `StateError` of a cache that can't be read.
    """
    unreadable = [cache for cache in caches.values() if isinstance(cache, StateError)]
    if unreadable:
        raise unreadable[0]
    exact = {
        pool: mention
        for pool, mention in matches(asked, files, caches).exact.items()
        if isinstance(cache := caches.get(mention.command), Cache) and pool in cache.pools
    }
    if not exact:
        raise NotFound(unknown(asked, files, caches))
    if len(exact) > 1:
        raise NotFound(several(asked, exact.values(), "give the id of one"))
    (mention,) = exact.values()
    return mention


def called_in(asked: str, caches: Caches) -> dict[str, Mention]:
    """The pools of the caches that are called so, by title or id: pool id → what it is called."""
    wanted = folded(asked)
    return _most_exact(wanted, _remembered(caches)) if wanted else {}


def matches(asked: str, files: Files, caches: Caches) -> Matches:
    """The pools that the name fits, those that are gone too, as far as the history tells."""
    wanted = folded(asked)
    exact: list[Mention] = []
    partly: dict[str, Mention] = {}
    for mention in _mentions(wanted, files, caches) if wanted else ():
        if wanted in mention.exactly:
            exact.append(mention)
        elif mention.pool in partly or (len(partly) < _NOTED and mention.has(wanted)):
            partly[mention.pool] = mention
    return Matches(_most_exact(wanted, exact), partly)


def _most_exact(wanted: str, mentions: Iterable[Mention]) -> dict[str, Mention]:
    """Those that are called just so; a pool's own id counts more than that of what it shows."""
    exact = {mention.pool: mention for mention in mentions if wanted in mention.exactly}
    own = {
        pool: mention
        for pool, mention in exact.items()
        if wanted in (folded(pool), folded(number_of(pool)))
    }
    return own or exact


def _mentions(wanted: str, files: Files, caches: Caches) -> Iterator[Mention]:
    """What may speak of it: lines of the history, oldest first, then the caches."""
    needle = json.dumps(wanted, ensure_ascii=False)[1:-1]
    for text in history_lines(files):
        if needle in folded(text.decode("utf-8", "replace")) and (line := line_of(text)):
            ids, skus = named_in(line)
            if (command := command_of(line.pool)) in caches:
                yield Mention(command, line.pool, line.title, ids, skus)
    yield from _remembered(caches)


def _remembered(caches: Caches) -> Iterator[Mention]:
    """The pools of the caches."""
    for command, cache in caches.items():
        if isinstance(cache, Cache):
            for pool_id, entry in cache.pools.items():
                items = tuple(cache.level(pool_id, key).item for key in entry.levels)
                yield Mention(command, pool_id, entry.title, items)


def several(asked: str, found: Iterable[Mention], mend: str) -> str:
    """The message for a name that fits several. `mend`: what to do about it."""
    some = [f"{mention.title} ({number_of(mention.pool)})" for mention in found]
    return f"{asked!r} fits {len(some)} pools: {_listed(some)}; {mend}"


#: What to do about a SKU that no run has noted.
_NOT_NOTED = (
    "A SKU is known once its pool has moved; before that give the product's title or number"
)


def unknown(asked: str, files: Files, caches: Caches, mend: str = _NOT_NOTED) -> str:
    """The message for a name that nothing has, with those that come near.

    `mend`: what to do where none does.
    """
    names: dict[str, str] = {}
    for mention in _mentions("", files, caches):
        names.update((folded(name), name) for name in mention.names)
        if len(names) > _NAMES:
            break
    if not names:
        return (
            f"nothing is known of {asked!r}: no run has left anything yet; begin with `invsync "
            f"{next(iter(caches))} --init`"
        )
    near = [names[name] for name in get_close_matches(folded(asked), names, n=_NAMED)]
    if near:
        return f"nothing is known of {asked!r}; did you mean {_listed(near, 'or')}?"
    return f"nothing is known of {asked!r}. {mend}"


def _listed(names: Sequence[str], last: str = "and") -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))
