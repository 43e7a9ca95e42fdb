"""Words for the messages of the configuration: on one line, short, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence


def holds_secret(text: str) -> bool:
    """Whether anything in it looks like a secret of Shopify's, or a URL with a password."""
    return re.search(r"shp[a-z]{2}_|[0-9a-f]{24}|://[^/]*@", text, re.IGNORECASE) is not None


def plain(text: object) -> str:
    """On one line, whatever is in it."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(text)
    )


def short(text: str) -> str:
    """At most 60 characters of it, and a sign that there is more."""
    return text if len(text) <= 60 else f"{text[:60]}…"


def quoted(text: str) -> str:
    """As YAML's (and JSON's) double-quoted text, shortened."""
    inner = short(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain(inner)}"'


def joined(where: str, name: str) -> str:
    """The dotted path of the key `name` in the section `where` (none: at the top)."""
    shown = "…" if holds_secret(name) else plain(short(name)) or '""'
    return f"{where}.{shown}" if where else shown


def listed(words: Sequence[str], last: str) -> str:
    """As in a sentence: `a, b {last} c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def yaml_list(words: Sequence[str]) -> str:
    """As a list in the file; only plain words go without quotes."""
    return f"[{', '.join(map(yaml_text, words))}]"


def yaml_text(word: str) -> str:
    """A text as it may be written in the file."""
    return word if re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]*", word) else quoted(word)


def nearest(word: str, words: Sequence[str]) -> str | None:
    """Which of the words was meant, if one looks like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower().replace("-", "_"), words, n=1)), None)
