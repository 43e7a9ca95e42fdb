"""The cache: what is remembered of every pool between two runs."""

from __future__ import annotations

import codecs
import json
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct, field

from invsync.axis import PLAIN, Axis, axis_of
from invsync.errors import StateError
from invsync.state.entries import Entry, Number, Standing, entry_of, pool_of
from invsync.state.files import FIRST_FORMAT, FORMAT, Command, Files, read_bytes, replace_file
from invsync.state.pools import Pools
from invsync.state.values import moment_of, shown
from invsync.sync import LevelId, Pool


class Scans(Struct, frozen=True):
    """What is known of the scans so far; moments are by the server's clock, as UTC text.

    `complete`: when the last complete one was done, `points`: what it cost by pages. `watermark`:
    the moment up to which changes are known; `fed`: whether the last run relied on the feed of
    changes for that; `trusted`: whether the feed showed what it should have, as far as is known.
    `skew`: seconds by which the shop's clock was ahead of this machine's, None until that is known.
    `missing`: what the configuration names that the shop did not show.
    """

    complete: str | None = None
    points: int = 0
    watermark: str | None = None
    fed: bool = False
    trusted: bool = True
    skew: int | None = None
    missing: tuple[str, ...] = ()


class Cache(Struct):
    """Every pool's quantity and what its levels last read, as entries.

    `shop`: the domain of the shop, `shop_id` its id ("" until that was read). `locations`: the ids
    of the locations whose levels it holds; `places`: what each was called. `run`: the run that
    wrote it, empty for one that was never written; `finished`: the run whose journal it has taken
    in, or forgotten. `matches`: what the filter was; `grouping`: what was one stock.
    """

    command: Command
    shop: str
    locations: tuple[str, ...]
    matches: list[str] = []
    run: str = ""
    finished: str = ""
    scans: Scans = Scans()
    pools: Pools = field(default_factory=Pools)
    shop_id: str = ""
    places: dict[str, str] = {}
    grouping: str = PLAIN
    changed: bool = False

    def get(self, pool_id: str) -> Pool | None:
        """What is remembered of a pool."""
        entry = self.pools.get(pool_id)
        return None if entry is None else self.decode(pool_id, entry)

    def put(self, pool_id: str, entry: Entry) -> None:
        """Remember a pool by its entry, as `encode` gives it."""
        self.pools[pool_id] = entry
        self.changed = True

    def remove(self, pool_id: str) -> None:
        """Forget a pool, so that it is judged afresh if it ever returns."""
        if self.pools.pop(pool_id, None) is not None:
            self.changed = True

    def title(self, pool_id: str) -> str:
        """What people call the pool, or its id."""
        return self.pools[pool_id].title if pool_id in self.pools else pool_id

    def level(self, pool_id: str, key: str) -> LevelId:
        """The level that the entry of a pool names by `key`.

        An item (variants) or a location (locations).
        """
        return self._axis.level(pool_id, key)

    def key(self, level: LevelId) -> str:
        """How the entry of a pool names a level."""
        return self._axis.key(level)

    @property
    def _axis(self) -> Axis:
        return axis_of(self.command, self.locations, self.grouping)

    def encode(self, title: str, pool: Pool, problem: Standing | None = None) -> Entry:
        """The entry of a pool. `problem`: what a person is asked to look at."""
        return entry_of(title, pool, self._axis.key, problem)

    def decode(self, pool_id: str, entry: Entry) -> Pool:
        """The pool of an entry."""
        return pool_of(entry, partial(self._axis.level, pool_id))


class _Marked(msgspec.Struct):
    """What tells which invsync wrote a document."""

    format: Any


class _Document(msgspec.Struct):
    """A cache as it is on disk; 0.1.0 knew no `shop_id`, `places`, `skew`, `grouping`."""

    command: str
    shop: str
    locations: tuple[str, ...]
    matches: list[str]
    run: str
    finished: str
    scanned_at: str | None
    scan_points: Number
    watermark: str | None
    fed: bool
    feed_trusted: bool
    pools: dict[str, msgspec.Raw]
    shop_id: str = ""
    places: dict[str, str] = {}
    skew: Number | None = None
    grouping: str = PLAIN
    missing: tuple[str, ...] = ()

    @property
    def scans(self) -> Scans:
        """Raises `ValueError` for what are no moments."""
        return Scans(
            moment_of(self.scanned_at),
            self.scan_points,
            moment_of(self.watermark),
            self.fed,
            self.feed_trusted,
            self.skew,
            self.missing,
        )


def read_cache(files: Files) -> Cache | None:
    """The cache as it is on disk, of whichever shop; None if there is none."""
    content = read_bytes(files.cache)
    if content is None:
        return None
    content = content.removeprefix(codecs.BOM_UTF8)  # of an editor that somebody used
    way_on = (
        f"the file was kept. Start over with {files.start_over}, which takes the levels as they are"
    )
    try:
        mark = msgspec.json.decode(content, type=_Marked).format
    except msgspec.ValidationError as error:
        raise StateError(f"{files.cache}: is not a cache of invsync; {way_on}") from error
    except (ValueError, RecursionError) as error:
        raise StateError(f"{files.cache}: is not JSON ({error}); {way_on}") from error
    if mark not in (FIRST_FORMAT, FORMAT):
        raise StateError(
            f"{files.cache}: has format {shown(mark)}, this invsync knows {FORMAT}; "
            "the file was kept. "
            f"Install the invsync that wrote it, or start over with {files.start_over}"
        )
    try:
        return _cache(content, files.command, first=mark == FIRST_FORMAT)
    except ValueError as error:
        raise StateError(f"{files.cache}: is damaged ({error}); {way_on}") from error


def _cache(content: bytes, command: Command, *, first: bool) -> Cache:
    """All of it looked at; raises `ValueError` for what is no cache."""
    document = msgspec.json.decode(content, type=_Document)
    if document.command != command:
        raise ValueError(f"it is one of {shown(document.command)}")
    if not document.locations or len(set(document.locations)) < len(document.locations):
        raise ValueError("it is of no location, or of one twice")
    return Cache(
        command=command,
        shop=document.shop,
        locations=document.locations,
        matches=document.matches,
        run=document.run,
        finished=document.finished,
        scans=document.scans,
        pools=Pools.read(document.pools, first=first),
        shop_id=document.shop_id,
        places=document.places,
        grouping=document.grouping,
    )


def write_cache(files: Files, cache: Cache, run: str) -> None:
    """Put the cache on disk as `run` leaves it: whole, or not at all."""
    cache.run = run
    document = {
        "format": FORMAT,
        "command": cache.command,
        "shop": cache.shop,
        "shop_id": cache.shop_id,
        "locations": cache.locations,
        "places": cache.places,
        "matches": cache.matches,
        "grouping": cache.grouping,
        "run": run,
        "finished": cache.finished,
        "scanned_at": cache.scans.complete,
        "scan_points": cache.scans.points,
        "watermark": cache.scans.watermark,
        "fed": cache.scans.fed,
        "feed_trusted": cache.scans.trusted,
        "skew": cache.scans.skew,
        "missing": cache.scans.missing,
    }
    head = json.dumps(document, ensure_ascii=False, separators=(",\n", ": ")).encode()
    pools = cache.pools.encoded()
    replace_file(files.cache, b"".join([head[:-1], b',\n"pools": ', pools, b"}\n"]))
    cache.changed = False
