"""A line on the terminal that tells how far a long read or push has come."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from invsync.tell.terminal import Terminal

#: Seconds that something takes before it is worth a line, and between two looks of that line.
PATIENCE = 2.0
_BETWEEN = 0.1
_BAR = 20
#: Back to the start of the line, and empty it.
_WIPE = "\r\x1b[K"


class Progress:
    """Told what is being done and how far it is.

    Shows a line once that has taken more than `PATIENCE`.

    A context manager: whatever comes after it finds the line cleared.
    """

    def __init__(
        self,
        stream: TextIO,
        terminal: Terminal | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`terminal`: what `stream` is shown on; without one, or colour, no line is drawn.

        `clock`: seconds.
        """
        self._stream = stream
        self._width = terminal.width if terminal and terminal.colour else 0
        self._clock = clock
        self._what: str | None = None
        self._began = clock()
        self._drawn_at: float | None = None

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` are done, where it is known of how many."""
        now = self._clock()
        if what != self._what:
            # What comes first began with the run: the first word of it comes with its first answer.
            self._began = self._began if self._what is None else now
            self._what = what
        seconds = now - self._began
        rested = self._drawn_at is None or now - self._drawn_at >= _BETWEEN
        if self._width and seconds > PATIENCE and rested:
            self._drawn_at = now
            self._stream.write(_WIPE + _line(what, done, total, done / seconds)[: self._width - 1])
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away, before anything else is printed."""
        if self._drawn_at is not None:
            self._drawn_at = None
            self._stream.write(_WIPE)
            self._stream.flush()

    def make_way(self, _record: logging.LogRecord) -> bool:
        """Clear the line for one of the log.

        A filter for its handlers that lets everything pass.
        """
        self.clear()
        return True

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.clear()


def _line(what: str, done: int, total: int | None, rate: float) -> str:
    """`reading  [#####---------------]  1,250 of 5,000  208/s`.

    Without the bar where `total` can't be right.
    """
    speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    if not total or done > total:
        return f"{what}  {done:,}  {speed}"
    filled = _BAR * done // total
    return f"{what}  [{'#' * filled}{'-' * (_BAR - filled)}]  {done:,} of {total:,}  {speed}"
