"""The cache: what is remembered of every pool between two runs."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from invsync.axis import Axis, axis_of
from invsync.errors import StateError
from invsync.state.entries import Entry, Standing, entries_of, entry_of, pool_of
from invsync.state.files import FIRST_FORMAT, FORMAT, Command, Files, read_text, replace_file
from invsync.state.values import (
    flag_of,
    list_of,
    moment_of,
    object_of,
    parsed,
    shown,
    text_of,
    whole_of,
)
from invsync.sync import LevelId, Pool


@dataclass(frozen=True, slots=True)
class Scans:
    """What is known of the scans so far; moments are by the server's clock, as UTC text.

    `complete`: when the last complete one was done, `points`: what it cost by pages. `watermark`:
    the moment up to which changes are known; `fed`: whether the last run relied on the feed of
    changes for that; `trusted`: whether the feed showed what it should have, as far as is known.
    """

    complete: str | None = None
    points: int = 0
    watermark: str | None = None
    fed: bool = False
    trusted: bool = True


@dataclass(slots=True)
class Cache:
    """Every pool's quantity and what its levels last read, as entries.

    `shop`: the domain of the shop, `shop_id` its id ("" until that was read). `locations`: the ids
    of the locations whose levels it holds; `places`: what each was called. `skew`: seconds by which
    the shop's clock was ahead of this machine's, None until that is known. `run`: the run that
    wrote it, empty for one that was never written; `finished`: the run whose journal it has taken
    in, or forgotten. `matches`: what the filter was.
    """

    command: Command
    shop: str
    locations: tuple[str, ...]
    matches: list[str] = field(default_factory=list)
    run: str = ""
    finished: str = ""
    scans: Scans = Scans()
    pools: dict[str, Entry] = field(default_factory=dict)
    shop_id: str = ""
    places: dict[str, str] = field(default_factory=dict)
    skew: int | None = None
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
        return axis_of(self.command, self.locations)

    def encode(self, title: str, pool: Pool, problem: Standing | None = None) -> Entry:
        """The entry of a pool. `problem`: what a person is asked to look at."""
        return entry_of(title, pool, self._axis.key, problem)

    def decode(self, pool_id: str, entry: Entry) -> Pool:
        """The pool of an entry."""
        return pool_of(entry, partial(self._axis.level, pool_id))


def read_cache(files: Files) -> Cache | None:
    """The cache as it is on disk, of whichever shop; None if there is none."""
    way_on = (
        f"the file was kept. Start over with {files.start_over}, which takes the levels as they are"
    )
    try:
        document = _document(files)
    except ValueError as error:
        raise StateError(f"{files.cache}: is not JSON ({error}); {way_on}") from error
    if document is None:
        return None
    if not isinstance(document, dict) or "format" not in document:
        raise StateError(f"{files.cache}: is not a cache of invsync; {way_on}")
    if document["format"] not in (FIRST_FORMAT, FORMAT):
        raise StateError(
            f"{files.cache}: has format {shown(document['format'])}, this invsync knows {FORMAT}; "
            "the file was kept. "
            f"Install the invsync that wrote it, or start over with {files.start_over}"
        )
    try:
        return _cache(document, files.command)
    except KeyError as error:
        raise StateError(
            f"{files.cache}: is damaged (the key {error} is missing); {way_on}"
        ) from error
    except (TypeError, ValueError) as error:
        raise StateError(f"{files.cache}: is damaged ({error}); {way_on}") from error


def _document(files: Files) -> Any:
    """The JSON document of the cache; None where there is no file."""
    collecting = gc.isenabled()
    gc.disable()  # nothing of a cache is garbage yet, and looking for it takes a fifth of the time
    try:
        text = read_text(files.cache)
        return None if text is None else (parsed(text) or {})
    finally:
        gc.freeze()  # and nothing will be, up to the end of the process
        if collecting:
            gc.enable()


def _cache(document: dict[str, Any], command: Command) -> Cache:
    """All of it decoded; raises `KeyError`, `TypeError` or `ValueError` for what is no cache."""
    cache = Cache(
        command=command,
        shop=text_of(document["shop"]),
        locations=tuple(text_of(location) for location in list_of(document["locations"])),
        matches=[text_of(term) for term in list_of(document["matches"])],
        run=text_of(document["run"]),
        finished=text_of(document["finished"]),
        scans=_scans(document),
        pools=entries_of(document["pools"], first=document["format"] == FIRST_FORMAT),
        # 0.1.0 knew none of these.
        shop_id=text_of(document.get("shop_id", "")),
        places={gid: text_of(name) for gid, name in object_of(document.get("places", {})).items()},
        skew=None if document.get("skew") is None else whole_of(document["skew"]),
    )
    if not cache.locations or len(set(cache.locations)) < len(cache.locations):
        raise ValueError("it is of no location, or of one twice")
    if document["command"] != command:
        raise TypeError(f"it is one of {shown(document['command'])}")
    return cache


def _scans(document: dict[str, Any]) -> Scans:
    return Scans(
        complete=moment_of(document["scanned_at"]),
        points=whole_of(document["scan_points"]),
        watermark=moment_of(document["watermark"]),
        fed=flag_of(document["fed"]),
        trusted=flag_of(document["feed_trusted"]),
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
        "run": run,
        "finished": cache.finished,
        "scanned_at": cache.scans.complete,
        "scan_points": cache.scans.points,
        "watermark": cache.scans.watermark,
        "fed": cache.scans.fed,
        "feed_trusted": cache.scans.trusted,
        "skew": cache.skew,
    }
    head = json.dumps(document, ensure_ascii=False, separators=(",\n", ": ")).encode()
    encode = msgspec.json.Encoder().encode
    pools = b",\n".join(encode(one) + b": " + encode(entry) for one, entry in cache.pools.items())
    replace_file(files.cache, head[:-1] + b',\n"pools": {\n' + pools + b"\n}}\n")
    cache.changed = False
