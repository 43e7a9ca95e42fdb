"""The granted access token in the state folder, shared by both commands and by runs at once."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from pathlib import Path

from invsync.errors import StateError
from invsync.state.files import read_bytes

_log = logging.getLogger("invsync")


class TokenFile:
    """`token.json` of a state folder, 0600: bytes, whole or none.

    A token can be asked for anew, so nothing here ends a run: a file that can't be read is as good
    as none, and one that can't be written draws a warning.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "token.json"

    def read(self) -> bytes | None:
        """What is kept; None where nothing is, or it can't be read."""
        try:
            return read_bytes(self._path)
        except StateError:
            return None

    def write(self, content: bytes) -> None:
        """Replace the file in one step; no fsync: one lost in a crash costs one more request."""
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # 0600 from its first byte, and of a name of its own: runs may write at once.
            handle, name = tempfile.mkstemp(prefix=".token-", dir=folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            _log.warning(
                "can't keep the access token in %s (%s): every run asks for a new one; check "
                "state_dir",
                self._path,
                error.strerror,
            )

    def remove(self) -> None:
        """Let go of what is kept."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
