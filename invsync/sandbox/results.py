"""Where the results of bulk operations lie for as long as anybody can fetch them.

A shop that lives in a file keeps them in a folder beside it: a large one has results of hundreds of
megabytes. A shop that lives in memory keeps them there. Neither knows the temporary folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class Results(Protocol):
    """Results by name, until they are cleared."""

    def keep(self, name: str, lines: Iterable[str]) -> int:
        """Keep the lines, each of which has its end; returns how many bytes they are."""

    def find(self, name: str) -> bytes | Path | None:
        """A result, or the file that holds it; None if there is none."""

    def clear(self) -> None:
        """Forget all of them."""


class InMemory:
    """Results that end with this object."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def keep(self, name: str, lines: Iterable[str]) -> int:
        """Keep the lines."""
        self._held[name] = "".join(lines).encode()
        return len(self._held[name])

    def find(self, name: str) -> bytes | None:
        """A result."""
        return self._held.get(name)

    def clear(self) -> None:
        """Forget all of them."""
        self._held.clear()


class InFolder:
    """Results as files of a folder, shared with the other processes that have the shop open.

    Whoever keeps one there holds a lock on the folder until it ends, however it ends: what nobody
    holds was left behind, and goes at the next start. All calls are made with the shop locked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._release: weakref.finalize[..., InFolder] | None = None

    def keep(self, name: str, lines: Iterable[str]) -> int:
        """Keep the lines, in a file of the owner's alone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._hold()
        path = self._folder / name
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        return path.stat().st_size

    def find(self, name: str) -> Path | None:
        """The file that holds a result."""
        path = self._folder / name
        return path if path.exists() else None

    def clear(self) -> None:
        """Forget all of them, whoever keeps them."""
        if self._release is not None:
            self._release()
            self._release = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self) -> None:
        """Clear what was left behind, at the start of a process."""
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(self._folder, ignore_errors=True)
            finally:
                os.close(descriptor)

    def _hold(self) -> None:
        if self._release is None:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            self._release = weakref.finalize(self, os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
