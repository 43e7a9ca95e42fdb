"""The grammar of Shopify's searches: terms, comparators, quotes, AND, OR, NOT.

Terms side by side must all match; AND binds tighter than OR. Malformed text is never refused.

Source: https://shopify.dev/docs/api/usage/search-syntax; what becomes of unquoted times was seen in
live answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_COMPARATOR = re.compile(r"[<>]=?")


@dataclass(frozen=True, slots=True)
class Term:
    """One `field:value`; without a field it is looked for in the resource's default fields."""

    field: str | None
    comparator: str
    value: str
    quoted: bool = False
    #: `value*`; with an empty value it asks whether the field is there at all.
    prefix: bool = False

    def __str__(self) -> str:
        value = f"'{self.value}'" if self.quoted else self.value + ("*" if self.prefix else "")
        return f"{self.field}:{self.comparator}{value}" if self.field else value


@dataclass(frozen=True, slots=True)
class Both:
    """Every part must match (`and`), or at least one (`or`)."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not match."""

    part: Node


Node = Term | Both | Not


def parse(text: str) -> Node | None:
    """The query as a tree; None if it says nothing."""
    return _Parser(text).either()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def either(self) -> Node | None:
        parts = [self._all()]
        while self._keyword("OR"):
            parts.append(self._all())
        return _joined("or", parts)

    def _all(self) -> Node | None:
        parts: list[Node | None] = []
        while True:
            if self._keyword("AND"):
                continue
            if self._ahead() in ("", ")") or self._next_is("OR"):
                return _joined("and", parts)
            parts.append(self._one())

    def _one(self) -> Node | None:
        if self._keyword("NOT"):
            return _negated(self._one() if self._ahead() not in ("", ")") else None)
        first = self._ahead()
        if first == "-":
            self._at += 1
            return _negated(self._one() if self._ahead() not in ("", ")") else None)
        if first == "(":
            self._at += 1
            inner = self.either()
            if self._ahead() == ")":
                self._at += 1
            return inner
        return self._term()

    def _term(self) -> Node | None:
        if self._text[self._at] in "'\"":
            return Term(None, "", self._quoted(), quoted=True)
        word, prefix = self._word()
        if not self._text.startswith(":", self._at):
            return Term(None, "", word, prefix=prefix) if word or prefix else None
        self._at += 1
        comparator = _COMPARATOR.match(self._text, self._at)
        if comparator:
            self._at = comparator.end()
        sign = comparator[0] if comparator else ""
        if self._text[self._at : self._at + 1] in ("'", '"'):
            return Term(word, sign, self._quoted(), quoted=True)
        value, prefix = self._word()
        if self._text.startswith(":", self._at):
            # An unquoted time: its colons split it, and the rest is read as a field of that name.
            self._at += 1
        if not word:
            return None
        return Term(word, sign, value, prefix=prefix and not sign)

    def _word(self) -> tuple[str, bool]:
        """Characters up to a space, colon or parenthesis; and whether an asterisk ends them."""
        found: list[str] = []
        prefix = False
        while self._at < len(self._text):
            character = self._text[self._at]
            if character.isspace() or character in ":()":
                break
            if character == "\\" and self._at + 1 < len(self._text):
                self._at += 1
                character = self._text[self._at]
                prefix = False
            else:
                prefix = character == "*"
            found.append(character)
            self._at += 1
        if prefix:
            found.pop()
        return "".join(found), prefix

    def _quoted(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        found: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == quote:
                break
            if character == "\\" and self._at < len(self._text):
                character = self._text[self._at]
                self._at += 1
            found.append(character)
        return "".join(found)

    def _ahead(self) -> str:
        """The next character that is no space; empty at the end."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _next_is(self, keyword: str) -> bool:
        self._ahead()
        end = self._at + len(keyword)
        follows = self._text[end : end + 1]
        return self._text[self._at : end] == keyword and (
            not follows or follows.isspace() or follows in "()"
        )

    def _keyword(self, keyword: str) -> bool:
        if not self._next_is(keyword):
            return False
        self._at += len(keyword)
        return True


def _joined(word: str, parts: Iterable[Node | None]) -> Node | None:
    kept = tuple(part for part in parts if part is not None)
    if len(kept) < 2:
        return kept[0] if kept else None
    return Both(word, kept)


def _negated(part: Node | None) -> Node | None:
    return None if part is None else Not(part)
