"""The history: every applied adjustment and every counted movement, a JSON line each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invsync.state.files import HISTORY_BYTES, Files, append_lines, open_file, said
from invsync.state.values import object_of, parsed
from invsync.sync import LevelId

#: Bytes of a line: a pool of a thousand levels takes a quarter of it. A longer one is read in
#: parts, none of which makes sense.
LONGEST_LINE = 1_000_000


def append_history(files: Files, lines: Iterable[Mapping[str, Any]]) -> None:
    """Add to the history; a file that has grown large is set aside first."""
    with said(files.history):
        if files.history.exists() and files.history.stat().st_size > HISTORY_BYTES:
            files.history.replace(files.history.with_name("history.jsonl.1"))
    append_lines(files.history, lines)


def history_tail(files: Files) -> list[dict[str, Any]]:
    """The lines in the last million bytes of the history; those that can't be read are left out."""
    with said(files.history):
        try:
            descriptor = open_file(files.history, os.O_RDONLY)
        except FileNotFoundError:
            return []
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 1_000_000))
            lines = file.read().splitlines()
    told = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            told.append(object_of(parsed(line)))
    return told


def history_lines(files: Files) -> Iterator[bytes]:
    """The lines of the history, oldest first, one at a time: the file that was set aside, then the one in use."""
    for path in (files.history.with_name("history.jsonl.1"), files.history):
        try:
            descriptor = open_file(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        with said(path), os.fdopen(descriptor, "rb") as file:
            while line := file.readline(LONGEST_LINE):
                yield line


def sent(
    at: str,
    run: str,
    batch: str,
    pool: Mapping[str, str],
    level: LevelId,
    told: Mapping[str, Any],
    delta: int,
) -> dict[str, Any]:
    """An adjustment that was applied. `pool`: id, title and why; `told`: the level's sku, name and reading before."""
    return {
        "at": at,
        "run": run,
        "batch": batch,
        "pool": pool["pool"],
        "title": pool["title"],
        "item": level.item,
        "sku": told["sku"],
        "name": told["name"],
        "location": level.location,
        "before": told["observed"],
        "delta": delta,
        "after": told["observed"] + delta,
        "why": pool["why"],
    }


def moved(at: str, run: str, pool: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What moved in a pool, and what its quantity became for that."""
    return {
        "at": at,
        "run": run,
        "pool": pool,
        "title": record["title"],
        "why": record["why"],
        "quantity": record["quantity"],
        "moved": record["moved"],
    }


def identity(line: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes two lines tell the same."""
    return tuple(str(line.get(key)) for key in ("run", "batch", "pool", "item", "location"))
