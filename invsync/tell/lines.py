"""Words in lines and columns: cleaned, counted, listed, measured, wrapped.

Titles come in any script, and may hold what would steer a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: Levels that a message spells out before it only counts the rest.
NAMED = 8

_DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def addressed(message: str, invsync: str) -> str:
    """The message with its commands as they have to be typed here; `invsync`: how it is called."""
    return re.sub(
        r"`(sudo -u \S+ )?invsync ",
        lambda found: f"`{found[1] or ''}{invsync} ",
        message,
    )


def encodable(words: str, encoding: str) -> str:
    """The words as a stream of this encoding can take them.

    A cron with an old locale is no reason to fail.
    """
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        plain = words.replace("→", "->").replace("…", "...")
        return plain.encode(encoding, "replace").decode(encoding)
    return words


def counted(number: int, noun: str) -> str:
    """A number of things: `1 pool`, `2 pools`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """The parts in a row; of many only the first, and how many more."""
    if len(parts) <= NAMED:
        return ", ".join(parts)
    return f"{', '.join(parts[:NAMED])} and {len(parts) - NAMED} more"


def clean(words: str) -> str:
    """The words in one line, without what would steer a terminal.

    Control characters and marks of direction.
    """
    kept = (
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign
        for sign in words
        if unicodedata.bidirectional(sign) not in _DIRECTING
    )
    return "".join(kept)


def isolated(words: str) -> str:
    """Words that read from right to left, fenced off: else they turn numbers around (30 → 21).

    Unicode's isolates: https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
    """
    if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in words):
        return f"\N{FIRST STRONG ISOLATE}{words}\N{POP DIRECTIONAL ISOLATE}"
    return words


def width_of(words: str) -> int:
    """The columns that the words take."""
    return sum(_sign_width(sign) for sign in words)


def _sign_width(sign: str) -> int:
    if sign.isascii():
        return 1
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1


def cut(words: str, width: int) -> int:
    """How many signs of the words fit, with the marks that belong to the last of them."""
    used = 0
    for at, sign in enumerate(words):
        used += _sign_width(sign)
        if used > width:
            return at
    return len(words)


def wrapped(words: str, width: int) -> list[str]:
    """The words in lines of at most `width` columns, broken at blanks where that is possible."""
    lines: list[str] = []
    line = ""
    for word in words.split():
        if line and width_of(line) + 1 + width_of(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while width_of(word) > width:
            at = max(cut(word, width), 1)
            lines.append(word[:at])
            word = word[at:]
        line = word
    return [*lines, line] if line or not lines else lines


def shortened(lines: Sequence[str], limit: int, width: int) -> list[str]:
    """At most `limit` lines; the last ends with … where some are left out."""
    if len(lines) <= limit:
        return list(lines)
    last = lines[limit - 1]
    return [*lines[: limit - 1], last[: cut(last, width - 1)].rstrip() + "…"]


def middle_cut(words: str, width: int) -> str:
    """The words in `width` columns, cut in the middle: SKUs of one product differ at their ends."""
    if width_of(words) <= width:
        return words
    start = words[: cut(words, width // 2)]
    end = words[::-1][: cut(words[::-1], width - 1 - width_of(start))][::-1]
    while end and _sign_width(end[0]) == 0:
        end = end[1:]
    return f"{start}…{end}"
