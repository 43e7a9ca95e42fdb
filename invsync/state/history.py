"""The history: every applied adjustment and every counted movement, a JSON line each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from invsync.state.files import HISTORY_BYTES, Files, append_lines, open_file, said
from invsync.state.records import (
    Account,
    Adjusted,
    Counted,
    Line,
    Noted,
    Observed,
    Told,
    line_of,
    plain,
)
from invsync.sync import LevelId

#: Bytes of a line: a pool of a thousand levels takes a quarter of it. A longer one is read in
#: parts, none of which makes sense.
LONGEST_LINE = 1_000_000


def append_history(files: Files, lines: Iterable[Line]) -> None:
    """Add to the history; a file that has grown large is set aside first."""
    with said(files.history):
        if files.history.exists() and files.history.stat().st_size > HISTORY_BYTES:
            files.history.replace(files.history.with_name("history.jsonl.1"))
    append_lines(files.history, map(plain, lines))


def history_tail(files: Files) -> list[Line]:
    """The lines in the last million bytes of the history; those that can't be read are left out."""
    with said(files.history):
        try:
            descriptor = open_file(files.history, os.O_RDONLY)
        except FileNotFoundError:
            return []
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 1_000_000))
            lines = file.read().splitlines()
    return [line for text in lines if (line := line_of(text)) is not None]


def history_lines(files: Files) -> Iterator[bytes]:
    """The lines of the history as they are, oldest first, one at a time, from both its files.

    Not read into values: who looks for one pool among a hundred thousand lines looks at few.
    """
    for path in (files.history.with_name("history.jsonl.1"), files.history):
        try:
            descriptor = open_file(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        with said(path), os.fdopen(descriptor, "rb") as file:
            while line := file.readline(LONGEST_LINE):
                yield line


def adjusted(
    at: str,
    run: str,
    batch: str,
    pool: str,
    account: Account,
    level: LevelId,
    read: Observed,
    delta: int,
) -> Adjusted:
    """An adjustment that was applied. `read`: its level before it."""
    return Adjusted(
        at=at,
        run=run,
        batch=batch,
        pool=pool,
        title=account.title,
        item=level.item,
        sku=read.sku,
        name=read.name,
        location=level.location,
        before=read.observed,
        delta=delta,
        after=read.observed + delta,
        why=account.why,
    )


def noted(at: str, run: str, pool: str, title: str, told: Told, skus: Iterable[str] = ()) -> Noted:
    """What was told of a pool. `skus`: those of the levels in it."""
    return Noted(
        at=at,
        run=run,
        pool=pool,
        title=title,
        kind=told.kind,
        message=told.message,
        problem=told.problem,
        skus=tuple(dict.fromkeys(skus)),
    )


def counted(at: str, run: str, pool: str, account: Account) -> Counted:
    """What moved in a pool, and what its quantity became for that."""
    return Counted(at, run, pool, account.title, account.why, account.quantity, account.moved)
