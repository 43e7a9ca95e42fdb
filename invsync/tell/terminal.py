"""The terminal that something is printed on, if there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

#: What a window has that does not tell its width, and the narrowest that text is laid out for.
_USUAL, _NARROWEST = 80, 20


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal. `width`: its columns; `moves`: whether a line can be written over."""

    width: int
    colour: bool
    moves: bool = True


def terminal_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Terminal | None:
    """The terminal behind `stream`; None if there is none.

    `NO_COLOR` (https://no-color.org), TERM=dumb and COLUMNS count.
    """
    if not stream.isatty():
        return None
    moves = environ.get("TERM", "dumb") != "dumb"
    return Terminal(_width(stream, environ), moves and not environ.get("NO_COLOR"), moves)


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    given = environ.get("COLUMNS", "")
    columns = int(given) if given.isdecimal() else 0
    if not columns:
        try:
            columns = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # a stream without a window
            columns = 0
    return max(columns or _USUAL, _NARROWEST)
