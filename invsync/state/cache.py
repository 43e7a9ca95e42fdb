"""The cache: what is remembered of every pool between two runs."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invsync.errors import StateError
from invsync.state.files import FORMAT, Command, Files, read_text, replace_file
from invsync.state.values import (
    LARGEST,
    flag_of,
    list_of,
    moment_of,
    object_of,
    parsed,
    shown,
    text_of,
    whole_of,
)
from invsync.sync import FellAlike, LevelId, Pool


@dataclass(slots=True)
class Cache:
    """Every pool's quantity and accounted levels.

    Pools stay as parsed JSON until they are asked for.

    `shop`: the domain of the shop, `shop_id` its id ("" until that was read). `locations`: the ids
    of the locations whose levels it holds; `places`: what each was called. `skew`: seconds by which
    the shop's clock was ahead of this machine's, None until that is known. `run`: the run that
    wrote it, empty for one that was never written; `finished`: the run whose journal it has taken
    in, or forgotten. `matches`: what the filter was. `scanned_at`: when the last complete scan was
    done, `scan_points`: what it cost by pages. `watermark`: the moment up to which changes are
    known; `fed`: whether the last run relied on the feed of changes for that; `feed_trusted`:
    whether the feed showed what it should have, as far as is known. Moments are by the server's
    clock, as UTC text.
    """

    command: Command
    shop: str
    locations: tuple[str, ...]
    matches: list[str] = field(default_factory=list)
    run: str = ""
    finished: str = ""
    scanned_at: str | None = None
    scan_points: int = 0
    watermark: str | None = None
    fed: bool = False
    feed_trusted: bool = True
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    shop_id: str = ""
    places: dict[str, str] = field(default_factory=dict)
    skew: int | None = None
    changed: bool = False

    def get(self, pool_id: str) -> Pool | None:
        """What is remembered of a pool; raises `StateError` for an entry that can't be one."""
        entry = self.pools.get(pool_id)
        return None if entry is None else self.decode(pool_id, entry)

    def put(self, pool_id: str, entry: dict[str, Any]) -> None:
        """Remember a pool by its entry, as `encode` gives it."""
        self.pools[pool_id] = entry
        self.changed = True

    def remove(self, pool_id: str) -> None:
        """Forget a pool, so that it is judged afresh if it ever returns."""
        if self.pools.pop(pool_id, None) is not None:
            self.changed = True

    def title(self, pool_id: str) -> str:
        """What people call the pool, or its id."""
        return str(self.pools.get(pool_id, {}).get("title") or pool_id)

    def level(self, pool_id: str, key: str) -> LevelId:
        """The level that the entry of a pool names by `key`.

        An item (variants) or a location (locations).
        """
        return (
            LevelId(key, self.locations[0]) if self.command == "variants" else LevelId(pool_id, key)
        )

    def key(self, level: LevelId) -> str:
        """How the entry of a pool names a level."""
        return level.item if self.command == "variants" else level.location

    def encode(
        self, title: str, pool: Pool, problem: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The entry of a pool.

        `problem`: what a person is asked to look at (kind, since, message).
        """
        entry: dict[str, Any] = {
            "title": title,
            "quantity": pool.quantity,
            "levels": {self.key(level): accounted for level, accounted in pool.accounted.items()},
        }
        if pool.held:
            entry["held"] = {self.key(level): units for level, units in pool.held.items()}
        if pool.braked:
            entry["braked"] = {self.key(level): units for level, units in pool.braked.items()}
            entry["pending"] = pool.pending
        if pool.fell_alike:
            entry["fell_alike"] = [pool.fell_alike.fall, pool.fell_alike.runs]
        if pool.left_alone:
            entry["left_alone"] = True
        if problem:
            entry["problem"] = dict(problem)
        return entry

    def decode(self, pool_id: str, entry: Mapping[str, Any]) -> Pool:
        """The pool of an entry; raises `StateError` for one that can't be."""
        try:
            alike = entry.get("fell_alike")
            return Pool(
                None if entry["quantity"] is None else whole_of(entry["quantity"]),
                self._units(pool_id, entry["levels"]),
                self._units(pool_id, entry.get("held", {})),
                self._units(pool_id, entry.get("braked", {})),
                whole_of(entry.get("pending", 0)),
                FellAlike(whole_of(alike[0]), whole_of(alike[1])) if alike else None,
                bool(entry.get("left_alone")),
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise StateError(
                f"{self.command}.json: pool {pool_id} can't be read ({error}); the file was kept. "
                f"Mend it, or start over with `invsync {self.command} --init --reset`"
            ) from error

    def _units(self, pool_id: str, entry: Mapping[str, Any]) -> dict[LevelId, int]:
        return {self.level(pool_id, key): whole_of(units) for key, units in entry.items()}


def read_cache(files: Files) -> Cache | None:
    """The cache as it is on disk, of whichever shop; None if there is none."""
    way_on = (
        f"the file was kept. Start over with {files.start_over}, which takes the levels as they are"
    )
    collecting = gc.isenabled()
    gc.disable()  # nothing of a cache is garbage yet, and looking for it takes a fifth of the time
    try:
        text = read_text(files.cache)
        if text is None:
            return None
        document = parsed(text)
    except ValueError as error:
        raise StateError(f"{files.cache}: is not JSON ({error}); {way_on}") from error
    finally:
        gc.freeze()  # and nothing will be, up to the end of the process
        if collecting:
            gc.enable()
    if not isinstance(document, dict) or "format" not in document:
        raise StateError(f"{files.cache}: is not a cache of invsync; {way_on}")
    if document["format"] is not FORMAT:
        raise StateError(
            f"{files.cache}: has format {shown(document['format'])}, this invsync knows {FORMAT}; "
            "the file was kept. "
            f"Install the invsync that wrote it, or start over with {files.start_over}"
        )
    try:
        cache = Cache(
            command=files.command,
            shop=text_of(document["shop"]),
            locations=tuple(text_of(location) for location in list_of(document["locations"])),
            matches=[text_of(term) for term in list_of(document["matches"])],
            run=text_of(document["run"]),
            finished=text_of(document["finished"]),
            scanned_at=moment_of(document["scanned_at"]),
            scan_points=whole_of(document["scan_points"]),
            watermark=moment_of(document["watermark"]),
            fed=flag_of(document["fed"]),
            feed_trusted=flag_of(document["feed_trusted"]),
            pools=object_of(document["pools"]),
            # 0.1.0 knew none of these.
            shop_id=text_of(document.get("shop_id", "")),
            places={
                gid: text_of(name) for gid, name in object_of(document.get("places", {})).items()
            },
            skew=None if document.get("skew") is None else whole_of(document["skew"]),
        )
        if not cache.locations or len(set(cache.locations)) < len(cache.locations):
            raise ValueError("it is of no location, or of one twice")
        if document["command"] != files.command:
            raise TypeError(f"it is one of {shown(document['command'])}")
        for pool_id, entry in cache.pools.items():
            if not _is_plain(entry):
                _check_pool(pool_id, entry)
    except KeyError as error:
        raise StateError(
            f"{files.cache}: is damaged (the key {error} is missing); {way_on}"
        ) from error
    except (TypeError, ValueError) as error:
        raise StateError(f"{files.cache}: is damaged ({error}); {way_on}") from error
    return cache


def _is_plain(entry: Any) -> bool:
    """Whether it is the entry of a pool with nothing special to tell, as nearly all are."""
    if type(entry) is not dict or len(entry) != 3:
        return False
    levels, quantity = entry.get("levels"), entry.get("quantity")
    return (
        type(entry.get("title")) is str
        and type(levels) is dict
        and type(quantity) is int
        and -LARGEST <= quantity <= LARGEST
        and all(
            type(units) is int and -LARGEST <= units <= LARGEST and key.startswith("gid://")
            for key, units in levels.items()
        )
    )


def _check_pool(pool_id: str, entry: Any) -> None:
    try:
        check_entry(entry)
    except KeyError as error:
        raise TypeError(f"pool {pool_id} lacks the key {error}") from error
    except (TypeError, ValueError) as error:
        raise TypeError(f"pool {pool_id}: {error}") from error


def check_entry(value: Any) -> dict[str, Any]:
    """The entry of a pool, all of it looked at.

    Raises `KeyError`, `TypeError` or `ValueError` for what is none.
    """
    entry = object_of(value)
    text_of(entry["title"])
    if entry["quantity"] is not None:
        whole_of(entry["quantity"])
    for units in (entry["levels"], entry.get("held", {}), entry.get("braked", {})):
        for key, each in object_of(units).items():
            whole_of(each)
            if not key.startswith("gid://"):
                raise ValueError(f"{shown(key)} names no level")
    whole_of(entry.get("pending", 0))
    alike = entry.get("fell_alike")
    if alike is not None:
        if type(alike) is not list or len(alike) != 2:
            raise TypeError("fell_alike is not two numbers")
        fall, runs = map(whole_of, alike)
        if fall >= 0 or runs < 1:
            raise ValueError("fell_alike is no fall, or of no run")
    flag_of(entry.get("left_alone", False))
    if "problem" in entry:
        problem = object_of(entry["problem"])
        text_of(problem["kind"]), text_of(problem["message"]), text_of(moment_of(problem["since"]))
    return entry


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
        "scanned_at": cache.scanned_at,
        "scan_points": cache.scan_points,
        "watermark": cache.watermark,
        "fed": cache.fed,
        "feed_trusted": cache.feed_trusted,
        "skew": cache.skew,
        "pools": cache.pools,
    }
    # A line an entry, for people; the separators keep json's fast encoder, which `indent` would
    # not.
    replace_file(
        files.cache,
        json.dumps(document, ensure_ascii=False, separators=(",\n", ": ")).encode() + b"\n",
    )
    cache.changed = False
