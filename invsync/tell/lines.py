"""Words in lines: cleaned, counted, listed, and what a terminal may lay out.

Titles come in any script, and may hold what would steer a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Levels that a message spells out before it only counts the rest.
NAMED = 8

#: Keeps two words on one line of a terminal; elsewhere a blank.
TIE = "\N{NO-BREAK SPACE}"

_DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line for people, which a terminal breaks at its width.

    `tag` stands before it, and is not broken. `style`, `tag_style`: in rich's words, where there is
    colour.
    """

    words: str
    tag: str = ""
    style: str = ""
    tag_style: str = ""

    @property
    def plain(self) -> str:
        """As it is printed where there is no terminal."""
        line = f"{self.tag} {self.words}" if self.tag else self.words
        return clean(line).replace(TIE, " ").rstrip()


BLANK = Paragraph("")


def addressed(message: str, invsync: str) -> str:
    """The message with its commands as they have to be typed here; `invsync`: how it is called.

    A command that says as whom it is to be run is taken at its word.
    """
    plain = re.sub(r"^sudo -u \S+ ", "", invsync)
    return re.sub(
        r"`(sudo -u \S+ )?invsync ",
        lambda found: f"`{found[1]}{plain} " if found[1] else f"`{invsync} ",
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


def number_of(pool_id: str) -> str:
    """The number of a gid, by which a person may name it; what is no gid stays as it is."""
    return pool_id.rpartition("/")[2] if pool_id.startswith("gid://") else pool_id


def isolated(words: str) -> str:
    """Words that read from right to left, fenced off: else they turn numbers around (30 → 21).

    Unicode's isolates: https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
    """
    if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in words):
        return f"\N{FIRST STRONG ISOLATE}{words}\N{POP DIRECTIONAL ISOLATE}"
    return words
