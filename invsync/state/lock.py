"""The lock: one run per command at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator

from invsync.errors import LockHeld, StateError
from invsync.state.files import Files, open_file, read_bytes, replace_file, said
from invsync.state.values import object_of, parsed, whole_of

#: Runs in a row that find the same one at work, from which on something is wrong with it.
LONG = 3


@contextlib.contextmanager
def lock(files: Files, started_at: str) -> Iterator[None]:
    """Hold the lock; raises `LockHeld`, saying who has it.

    The kernel lets go of it when the process ends.
    """
    with said(files.lock):
        descriptor = open_file(files.lock, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise StateError(
                    f"{files.lock}: can't be locked ({error.strerror}); use a local disk"
                ) from error
            told = os.read(descriptor, 500).decode(errors="replace").strip()
            raise _held(files, told or "somebody") from None
        with said(files.waiting):
            files.waiting.unlink(missing_ok=True)
        with said(files.lock):
            os.ftruncate(descriptor, 0)
            os.write(
                descriptor,
                f"process {os.getpid()} on {socket.gethostname()} since {started_at}\n".encode(),
            )
        yield
    finally:
        os.close(descriptor)


def _held(files: Files, told: str) -> LockHeld:
    """The error of a run that finds another one at work.

    That it did is counted, for each holder.
    """
    times = 1
    with contextlib.suppress(StateError, ValueError, TypeError, KeyError):
        before = object_of(parsed(read_bytes(files.waiting) or b"{}"))
        if before.get("holder") == told:
            times += whole_of(before["times"])
    with contextlib.suppress(StateError):
        count = {"holder": told, "times": times}
        replace_file(files.waiting, json.dumps(count, ensure_ascii=False).encode() + b"\n")
    what = f"another run of `invsync {files.command}` is at work ({told}); nothing was done. "
    if times < LONG:
        return LockHeld(f"{what}It lets go when it ends: try again later", times)
    return LockHeld(
        f"{what}That was so {times} times running: unless max_run_time is longer than that, it "
        "hangs. Look at that process, and end it",
        times,
    )


def holder(files: Files) -> str | None:
    """Who holds the lock, in the holder's own words; None if nobody does.

    Writes nothing and waits for nothing.

    The lock is only tried where whoever wrote its name may still be alive: in the moment of trying
    it, a run that starts would be turned away.
    """
    with said(files.lock):
        try:
            descriptor = open_file(files.lock, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            told = os.read(descriptor, 500).decode(errors="replace").strip()
            if not _may_live(told):
                return None
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return told or "somebody"
        finally:
            os.close(descriptor)
    return None


def _may_live(told: str) -> bool:
    """Whether the process that wrote its name into a lock can be alive.

    One on another machine can't be asked.
    """
    named = re.match(r"process (\d{1,9}) on (\S+) since", told)
    if named is None or named[2] != socket.gethostname():
        return True
    try:
        os.kill(int(named[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
