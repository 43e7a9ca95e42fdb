"""A line at the terminal that always moves while something takes long.

It tells what is waited for, how far that is, since when, and why the shop has to be asked again.
It stands on stderr, is drawn by rich from a thread of its own, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.live import Live

    from invsync.tell.terminal import Terminal

#: Seconds that something takes before it is worth a line, and between two looks of that line; and
#: for how long it keeps away from what else is printed.
PATIENCE = 2.0
_BETWEEN = 0.2
_AWAY = 0.5
_TURNS = "-\\|/"


class Use(Protocol):
    """What a client tells of itself as it goes."""

    @property
    def waits_for(self) -> str:
        """Why it waits before it asks again; empty while it does not."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What is done, and how far it is; `total`: None where nobody knows of how many."""

    what: str = "asking the shop"
    done: int = 0
    total: int | None = None

    def line(self, seconds: float, waits_for: str = "") -> str:
        """`reading: 1,250 of 5,000 (25 %), 0:42`; below it why the shop is not asked just now."""
        told = f"{self.done:,}" if self.done else ""
        if self.total and self.done <= self.total:
            told = f"{self.done:,} of {self.total:,} ({100 * self.done // self.total} %)"
        elapsed = f"{int(seconds) // 60}:{int(seconds) % 60:02}"
        line = ", ".join(filter(None, (f"{self.what}: {told}" if told else self.what, elapsed)))
        turn = _TURNS[round(seconds / _BETWEEN) % len(_TURNS)]
        return f"{turn} {line}" + (f"\n  waiting: {waits_for}" if waits_for else "")


class Progress:
    """Told what is being done and how far it is, shows a line of it after `PATIENCE` seconds.

    A context manager: whatever comes after it finds the line cleared.
    """

    def __init__(
        self,
        stream: TextIO,
        terminal: Terminal | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`terminal`: what `stream` is shown on; without one on which a line moves, none is drawn.

        `clock`: seconds.
        """
        self._stream = stream
        self._terminal = terminal if terminal and terminal.moves else None
        self._clock = clock
        self._began = clock()
        self._not_before = self._began + PATIENCE
        self._doing = Doing()
        self._use: Use | None = None
        self._live: Live | None = None
        self._drawing = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_moving, daemon=True)

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` are done, where it is known of how many."""
        self._doing = Doing(what, done, total)

    def watch(self, use: Use) -> None:
        """Tell from now on what this client waits for."""
        self._use = use

    def tick(self) -> None:
        """Draw the line, where it is time for one."""
        if self._terminal is None or self._clock() <= self._not_before:
            return
        from rich.text import Text

        with self._drawing:
            now = self._clock()
            if now <= self._not_before:
                return
            waits_for = self._use.waits_for if self._use else ""
            line = self._doing.line(now - self._began, waits_for)
            if self._live is None:
                self._live = _live(self._stream, self._terminal)
                self._live.start()
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

    def clear(self) -> None:
        """Take the line away, before anything else is printed; it comes back by itself."""
        with self._drawing:
            self._not_before = max(self._not_before, self._clock() + _AWAY)
            if self._live is not None:
                self._live.stop()
                self._live = None

    def make_way(self, _record: logging.LogRecord) -> bool:
        """Clear the line for one of the log.

        A filter for its handlers that lets everything pass.
        """
        self.clear()
        return True

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """No line within: somebody is asked something."""
        with self._drawing:
            self.clear()
            yield
            self.clear()

    def __enter__(self) -> Progress:
        if self._terminal is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.clear()

    def _keep_moving(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # who can't be told, is not
            while not self._over.wait(_BETWEEN):
                self.tick()


def _live(stream: TextIO, terminal: Terminal) -> Live:
    """One line on the stream, which is gone when it is stopped; as wide as the window is then."""
    from rich.console import Console
    from rich.live import Live

    class Steady(Console):
        """Leaves the cursor as it is: a run that is killed can't bring it back."""

        def show_cursor(self, show: bool = True) -> bool:
            return False

    console = Steady(
        file=stream,
        force_terminal=True,
        color_system="standard" if terminal.colour else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    return Live(
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
