"""What the people who read the mail were told, and when; and what happened in the last days.

A run tells a problem when it is new, reminds of it now and then, and says when it is over: this
file is how the next run knows. It holds no stock: where it is lost, everything is told once more.
"""

from __future__ import annotations

import json

import msgspec

from invsync.errors import StateError
from invsync.state.files import Files, read_bytes, replace_file
from invsync.state.values import moment_of


class Open(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem or a warning that stands. Moments are UTC text.

    `since`: when it was first seen; `told`: when a mail last told it; `over`: since when it is
    resolved, of one that a mail has yet to call so. `gist`: by what it is seen to have changed.
    """

    kind: str
    pool: str | None
    title: str | None
    since: str
    gist: str = ""
    told: str | None = None
    over: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What makes it the same in two runs."""
        return self.kind, self.pool


class Happened(msgspec.Struct, frozen=True):
    """What happened and is over, so that no pool shows it any more."""

    kind: str
    pool: str | None
    title: str | None
    at: str
    message: str


class Failing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Runs in a row that failed alike. Moments as of `Open`."""

    message: str
    gist: str
    since: str
    runs: int = 1
    told: str | None = None
    over: str | None = None


class Memory(msgspec.Struct, frozen=True):
    """All that was told."""

    problems: tuple[Open, ...] = ()
    warnings: tuple[Open, ...] = ()
    happened: tuple[Happened, ...] = ()
    failing: Failing | None = None


def read_told(files: Files) -> Memory:
    """What was told; nothing where there is no file.

    Raises `StateError` for what invsync never wrote.
    """
    content = read_bytes(files.told)
    if content is None:
        return Memory()
    try:
        memory = msgspec.json.decode(content, type=Memory)
        for each in (*memory.problems, *memory.warnings):
            _moments(each.since, each.told, each.over)
        for event in memory.happened:
            _moments(event.at)
        if memory.failing is not None:
            _moments(memory.failing.since, memory.failing.told, memory.failing.over)
    except (ValueError, TypeError, RecursionError) as error:
        raise StateError(
            f"{files.told}: is damaged ({error}), so what was told already is not known; the next "
            f"run of `invsync {files.command}` tells everything once more, and writes it anew"
        ) from error
    return memory


def _moments(*texts: str | None) -> None:
    for text in texts:
        if text is not None:
            moment_of(text)


def write_told(files: Files, memory: Memory) -> None:
    """Keep what was told: whole, or not at all."""
    document = msgspec.to_builtins(memory)
    replace_file(files.told, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
