"""The files of the state folder: where each lies, and bytes written whole or not at all.

Per command (`variants`, `locations`) the state folder holds

    variants.json      the cache: every pool's quantity and accounted levels, as readable JSON
    variants.journal   the batches that were sent, or about to be, since the cache was last written
    variants.lock      flock'ed while a run is at work; says who holds it
    variants.last      how the last run ended, for `invsync status`
    variants.told      what the readers of the mail were told, and what happened in the last days
    variants.waiting   how many runs in a row have found the lock held, while one does

and, shared by both, `history.jsonl` and `paused.json`. Files are 0600, the folder 0700. Nothing
else than a file is opened: no link, pipe, folder or device in place of one. Whatever can't be read
or written is a `StateError`, one line with the file and the way on; nothing on disk was changed by
then.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from invsync.errors import StateError

Command = Literal["variants", "locations"]
COMMANDS: tuple[Command, ...] = ("variants", "locations")

#: The format of the state files; and that of 0.1.0, which is read and written as today's.
FORMAT = 2
FIRST_FORMAT = 1
#: A history file is set aside as `history.jsonl.1` once it is larger than this, and the one before
#: it goes.
HISTORY_BYTES = 20_000_000
#: Room that must be free before anything is sent, beside what the cache takes now.
SPARE_BYTES = 1_000_000
#: No state file is larger: a cache of a million pools takes a third of it.
LARGEST_BYTES = 1 << 30
#: Opened so, a link is an error, and a pipe or a device keeps nobody waiting.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: Files in the state folder that belong to no command, or to other rooms of the program.
_OTHERS = ("history.jsonl", "history.jsonl.1", "paused.json", "token.json", "sandbox.json")


class Files(Struct, frozen=True):
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
    def told(self) -> Path:
        """What the readers of the mail were told."""
        return self.folder / f"{self.command}.told"

    @property
    def waiting(self) -> Path:
        """How many runs in a row have found the lock held."""
        return self.folder / f"{self.command}.waiting"

    @property
    def history(self) -> Path:
        """Every applied adjustment."""
        return self.folder / "history.jsonl"

    @property
    def start_over(self) -> str:
        """The command that forgets everything and adopts afresh."""
        return f"`invsync {self.command} --init --reset`"


def prepare(files: Files) -> tuple[str, ...]:
    """Make the state folder, and see that it is fit to be written to.

    Returns what is unwise about it.

    Raises `StateError` before anything is read or sent: for a folder that is another user's or open
    to others, for what is no file in place of one, and where there is no room.
    """
    with said(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_foreign(files.folder, files.command)
    warnings = look_over(files)
    probe = files.folder / f".{files.command}.room"
    with said(files.folder):
        room = SPARE_BYTES + 2 * (files.cache.stat().st_size if files.cache.exists() else 0)
        descriptor = _new(probe)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, room)
            elif os.fstatvfs(descriptor).f_bavail * os.fstatvfs(descriptor).f_frsize < room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)
    return warnings


def is_own(folder: Path) -> bool:
    """Whether a folder is this user's, or is not there yet: only then is anything written to it."""
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return True


def look_over(files: Files) -> tuple[str, ...]:
    """See that the folder can be relied on, if there is one; returns what is unwise about it.

    Raises `StateError` where others can write to it, and for a link, a pipe, a device or a folder
    in place of any state file.
    """
    folder = files.folder
    with said(folder):
        try:
            mode = folder.stat().st_mode
        except FileNotFoundError:
            return ()
    if mode & stat.S_IWOTH:
        mend = (
            "It is meant for everybody: set state_dir to a folder of its own"
            if mode & stat.S_ISVTX
            else f"Look at what is in it, then run: chmod 700 {quote(str(folder))}"
        )
        raise StateError(
            f"{folder}: everybody on this machine can write to it, so nothing in it can be relied "
            f"on; nothing was read. {mend}"
        )
    ours = [
        place
        for command in COMMANDS
        for each in (Files(folder, command),)
        for place in (each.cache, each.journal, each.lock, each.last, each.told, each.waiting)
    ]
    for place in (*ours, *(folder / name for name in _OTHERS)):
        with said(place), contextlib.suppress(FileNotFoundError):
            _refuse_no_file(place, place.lstat().st_mode)
    if mode & stat.S_IWGRP:
        return (
            f"{folder}: its group can write to it; unless that is meant, run: "
            f"chmod 700 {quote(str(folder))}",
        )
    return ()


def refuse_foreign(folder: Path, command: str) -> None:
    """Raise `StateError` where a folder is another user's.

    What is written there would shut its owner out.

    `command`: what was to be run, for the message.
    """
    if is_own(folder):
        return
    with said(folder):
        owner = _user(folder.stat().st_uid)
    raise StateError(
        f"{folder}: belongs to {owner}, and this is {_user(os.geteuid())}; nothing was read or "
        f"sent. Run as that user: `sudo -u {quote(owner)} invsync {command}`"
    )


class Owner(NamedTuple):
    """Whose a folder is."""

    uid: int
    name: str


def owner_of(folder: Path) -> Owner | None:
    """Whose a folder is; None where there is none, or none that may be looked at."""
    try:
        uid = folder.stat().st_uid
    except OSError:
        return None
    return Owner(uid, _user(uid))


def _user(uid: int) -> str:
    """What a user is called, or #number, which sudo takes as well."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _refuse_no_file(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise StateError(
            f"{path}: is {what}, not a file, and invsync follows none; nothing was read from it or "
            "written to it. Move it out of the state folder"
        )


def open_file(path: Path, flags: int) -> int:
    """Open a state file; returns its descriptor. A file that is made is the owner's alone (0600).

    Raises `StateError` for what is no file, and `FileNotFoundError` where nothing is.
    """
    try:
        descriptor = os.open(path, flags | _SAFELY, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        with contextlib.suppress(OSError):
            _refuse_no_file(path, path.lstat().st_mode)  # it says so better than the system
        raise StateError(f"{path}: {_what(path, error)}") from error
    try:
        _refuse_no_file(path, os.fstat(descriptor).st_mode)
    except StateError:
        os.close(descriptor)
        raise
    return descriptor


def _new(path: Path) -> int:
    """Make a file where none of this name is left; returns its descriptor."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)


def append_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append JSON lines to a file, on disk when this returns."""
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    if not content:
        return
    with said(path):
        new = not path.exists()
        descriptor = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
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
    """Replace a file atomically.

    Whoever looks sees the old content or the new, also after a crash.
    """
    temporary = path.with_name(f".{path.name}.new")
    with said(path):
        try:
            descriptor = _new(temporary)
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
            descriptor = open_file(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > LARGEST_BYTES:
                raise StateError(
                    f"{path}: is larger than anything that invsync writes there; it was kept. Move "
                    "it out of the state folder"
                )
            return file.read()


@contextlib.contextmanager
def said(path: Path) -> Iterator[None]:
    """Turns what the operating system says into a line that names the file, and the mend."""
    try:
        yield
    except OSError as error:
        raise StateError(f"{path}: {_what(path, error)}") from error


def _what(path: Path, error: OSError) -> str:
    where = Path(error.filename) if isinstance(error.filename, str) else path
    happened = f"{error.strerror or error} ({where.name}); what was there is kept"
    if isinstance(error, PermissionError):
        with contextlib.suppress(OSError):
            owner = where.lstat().st_uid
            if owner != os.geteuid():
                return (
                    f"{happened}. It belongs to {_user(owner)}: run as that user, or give it back "
                    f"with: sudo chown {quote(_user(os.geteuid()))} {quote(str(where))}"
                )
    return f"{happened}. Make the state folder writable, with room on its disk"
