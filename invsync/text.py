"""Texts as people compare them: what looks the same is the same."""

from __future__ import annotations

import unicodedata


def composed(text: str) -> str:
    """The text in Unicode's NFC: `é` may be typed as one sign or as two, and looks the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def forms(text: str) -> tuple[str, ...]:
    """The ways in which a text may be stored elsewhere.

    Composed, and taken apart where that differs.
    """
    return tuple(dict.fromkeys((composed(text), unicodedata.normalize("NFD", text))))


def evened(text: str) -> str:
    """The text composed, with one blank between words and none around them."""
    return " ".join(composed(text).split())
