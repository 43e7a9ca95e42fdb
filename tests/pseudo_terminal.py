"""The real program at a terminal that is none: what it shows in a window of some width."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

#: Plays several command lines in one process: what each prints, then how it ended.
_SEVERAL = """
import json, sys
from invsync.cli import main
for args in json.loads(sys.argv[1]):
    try:
        main(args, prog_name="invsync")
    except SystemExit as end:
        print("@@", end.code or 0, flush=True)
"""
_ONE = "from invsync.cli import main; main(prog_name='invsync')"
#: Without the line on what takes long: on a busy machine anything does.
_AT_ONCE = "import invsync.progress; invsync.progress.PATIENCE = float('inf')\n"


@dataclass
class Shown:
    """What a terminal of so many columns was sent by a program that has ended."""

    columns: int
    raw: str
    exit_code: int | None

    @property
    def text(self) -> str:
        """Without colour."""
        return click.unstyle(self.raw)

    @property
    def lines(self) -> list[str]:
        return self.text.rstrip("\n").split("\n")

    @property
    def too_wide(self) -> list[str]:
        """Lines that don't fit, but for suggested commands, which stand alone."""
        return [
            line
            for line in self.lines
            if cells(line) > self.columns and not line.lstrip().startswith(("invsync ", "sudo "))
        ]


def cells(line: str) -> int:
    """The cells of a terminal that a line takes, by Unicode's own tables."""
    return sum(
        0 if unicodedata.category(sign) in ("Mn", "Me", "Cf") else 1 + wide(sign) for sign in line
    )


def wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in ("W", "F")


@dataclass
class Window:
    """A terminal of some size, and the programs in it. `environ`: what differs from the usual."""

    folder: Path
    columns: int = 80
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *args: str, answer: str = "", timeout: float = 60, first: str = "") -> Shown:
        """`invsync ARGS`, as a person starts it here. `first`: Python, to be run before."""
        return self._played(f"{_AT_ONCE}{first}\n{_ONE}", args, answer, timeout)

    def play(self, *commands: Sequence[str], answer: str = "", timeout: float = 60) -> list[Shown]:
        """What each of these commands shows, one after another in one process."""
        whole = self._played(_AT_ONCE + _SEVERAL, [json.dumps(commands)], answer, timeout)
        *each, rest = re.split(r"@@ (\d+)\n", whole.raw)
        assert rest == "", rest
        shown = zip(each[::2], each[1::2], strict=True)
        return [Shown(self.columns, raw, int(code)) for raw, code in shown]

    def _played(self, program: str, args: Sequence[str], answer: str, timeout: float) -> Shown:
        with self.started(*args, program=program) as (process, ours):
            os.write(ours, answer.encode())
            raw = read_all(ours)
            process.wait(timeout)
        return Shown(self.columns, raw, process.returncode)

    @contextlib.contextmanager
    def started(
        self, *args: str, program: str = _ONE
    ) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """A program at work in the window, and our end of it."""
        ours, theirs = pty.openpty()
        resize(ours, self.columns)
        usual = {
            name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
        }
        environ = usual | {"TERM": "xterm", "LANG": "C.UTF-8", "NO_PROXY": "*"} | self.environ
        environ["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
        with subprocess.Popen(
            [sys.executable, "-c", program, *args],
            cwd=self.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield process, ours
            finally:
                process.kill()
                os.close(ours)


def resize(descriptor: int, columns: int) -> None:
    """Make the window so wide."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))


def read_all(descriptor: int) -> str:
    """What is shown until the other end is closed."""
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(descriptor, 10_000):
            shown += piece
    return shown.decode().replace("\r\n", "\n")
