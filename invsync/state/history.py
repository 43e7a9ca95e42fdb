"""The history: every applied adjustment and every counted movement, a JSON line each."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invsync.state.files import HISTORY_BYTES, Files, append_lines, said
from invsync.state.values import object_of
from invsync.sync import LevelId


def append_history(files: Files, lines: Iterable[Mapping[str, Any]]) -> None:
    """Add to the history; a file that has grown large is set aside first."""
    with said(files.history):
        if files.history.exists() and files.history.stat().st_size > HISTORY_BYTES:
            files.history.replace(files.history.with_name("history.jsonl.1"))
    append_lines(files.history, lines)


def history_tail(files: Files) -> list[dict[str, Any]]:
    """The lines in the last million bytes of the history; those that can't be read are left out."""
    with said(files.history):
        if not files.history.exists():
            return []
        with files.history.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 1_000_000))
            lines = file.read().splitlines()
    told = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            told.append(object_of(json.loads(line)))
    return told


def history_lines(files: Files) -> Iterator[bytes]:
    """The lines of the history, oldest first, one at a time: the file that was set aside, then the one in use."""
    for path in (files.history.with_name("history.jsonl.1"), files.history):
        with said(path), contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            yield from file


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


def identity(line: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two lines tell the same."""
    return (
        line.get("run"),
        line.get("batch"),
        line.get("pool"),
        line.get("item"),
        line.get("location"),
    )
