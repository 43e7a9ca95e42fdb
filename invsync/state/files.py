"""The files of the state folder: where each lies, and bytes written whole or not at all.

Per command (`variants`, `locations`) the state folder holds

    variants.json      the cache: every pool's quantity and accounted levels, as JSON that a person can read
    variants.journal   the batches that were sent, or about to be, since the cache was last written
    variants.lock      flock'ed while a run is at work; says who holds it
    variants.last      how the last run ended, for `invsync status`

and, shared by both, `history.jsonl`. Files are 0600, the folder 0700. Whatever can't be read or
written is a `StateError`, one line with the file and the way on; nothing on disk was changed by
then.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from invsync.errors import StateError

Command = Literal["variants", "locations"]

FORMAT = 1
#: A history file is set aside as `history.jsonl.1` once it is larger than this, and the one before
#: it goes.
HISTORY_BYTES = 20_000_000
#: Room that must be free before anything is sent, beside what the cache takes now.
SPARE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Files:
    """Where one command keeps its state."""

    folder: Path
    command: Command

    @property
    def cache(self) -> Path:
        """The cache."""
        return self.folder / f"{self.command}.json"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / f"{self.command}.journal"

    @property
    def lock(self) -> Path:
        """The lock."""
        return self.folder / f"{self.command}.lock"

    @property
    def last(self) -> Path:
        """How the last run ended."""
        return self.folder / f"{self.command}.last"

    @property
    def history(self) -> Path:
        """Every applied adjustment."""
        return self.folder / "history.jsonl"

    @property
    def start_over(self) -> str:
        """The command that forgets everything and adopts afresh."""
        return f"`invsync {self.command} --init --reset`"


def prepare(files: Files) -> None:
    """Make the state folder, and see that there is room: raises `StateError` before anything is sent."""
    with said(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = files.folder / f".{files.command}.room"
    with said(files.folder):
        room = SPARE_BYTES + 2 * (files.cache.stat().st_size if files.cache.exists() else 0)
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(descriptor, 0, room)
                elif os.fstatvfs(descriptor).f_bavail * os.fstatvfs(descriptor).f_frsize < room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(descriptor)
        finally:
            probe.unlink(missing_ok=True)


def append_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append JSON lines to a file, on disk when this returns."""
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    if not content:
        return
    with said(path):
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                content = b"\n" + content  # a line that was cut off takes no other with it
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: whoever looks sees the old content or the new, also after a crash."""
    temporary = path.with_name(f".{path.name}.new")
    with said(path):
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            try:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(path)
            sync_folder(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Put the entries of a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> bytes | None:
    """What a file holds; None if there is none."""
    with said(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def read_text(path: Path) -> str | None:
    """What a file says, without its bytes kept beside that; raises `ValueError` where they are no UTF-8."""
    content = read_bytes(path)
    return None if content is None else content.decode("utf-8-sig")


@contextlib.contextmanager
def said(path: Path) -> Iterator[None]:
    """Turns what the operating system says into a line that names the file."""
    try:
        yield
    except OSError as error:
        where = Path(error.filename).name if isinstance(error.filename, str) else path.name
        raise StateError(
            f"{path}: {error.strerror or error} ({where}); what was there is kept. Make the state "
            "folder writable, "
            "with room on its disk"
        ) from error
