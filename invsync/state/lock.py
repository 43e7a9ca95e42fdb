"""The lock: one run per command at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
from collections.abc import Iterator

from invsync.errors import LockHeld, StateError
from invsync.state.files import Files, open_file, said


@contextlib.contextmanager
def lock(files: Files, started_at: str) -> Iterator[None]:
    """Hold the lock; raises `LockHeld`, saying who has it. The kernel lets go of it when the process ends."""
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
            holder = os.read(descriptor, 500).decode(errors="replace").strip() or "somebody"
            raise LockHeld(
                f"another run of `invsync {files.command}` is at work ({holder}); nothing was "
                "done. "
                "It lets go when it ends: try again later"
            ) from None
        with said(files.lock):
            os.ftruncate(descriptor, 0)
            os.write(
                descriptor,
                f"process {os.getpid()} on {socket.gethostname()} since {started_at}\n".encode(),
            )
        yield
    finally:
        os.close(descriptor)


def holder(files: Files) -> str | None:
    """Who holds the lock, in the holder's own words; None if nobody does. Writes nothing and waits for nothing.

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
    """Whether the process that wrote its name into a lock can be alive; one on another machine can't be asked."""
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
