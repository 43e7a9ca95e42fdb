"""Shopify's search grammar.

Terms, comparators, quotes, AND, OR, NOT, and warnings for unknown fields.

Terms side by side must all match; AND binds tighter than OR. A term on a field that the resource
does not have is dropped, so it matches everything, and only `extensions.search[].warnings` tells.
Malformed text is never refused. A form of a term of which nobody has seen what Shopify makes of it
is refused here, whatever Shopify does.

Source: https://shopify.dev/docs/api/usage/search-syntax; what unknown fields, impossible values and
unquoted times do was seen in live answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_WORD = re.compile(r"\w+")
_COMPARATOR = re.compile(r"[<>]=?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_CUT_AT_THE_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d?)")
_RANGE_NAMES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class SearchBroke(Exception):
    """A search that Shopify answers with an internal error, such as `updated_at:>`."""


class BadTimestamp(Exception):
    """A time that is none: the whole query is refused, in Shopify's words (recorded)."""

    def __init__(self, term: Term) -> None:
        super().__init__(f"Invalid timestamp for query filter `{term.field}`.")


class NeverSeen(Exception):
    """A form of a term of which nobody knows what Shopify makes of it."""

    def __init__(self, term: Term) -> None:
        super().__init__(f"the term `{term}`")


class InvalidValue(ValueError):
    """A value that the field can't have: nothing matches, and a warning says so."""

    def __init__(self, value: str) -> None:
        super().__init__(f"Input `{value}` is not an accepted value.")
        self.code: str | None = "invalid_value"


class InvalidId(InvalidValue):
    """A value of the field `id` that is no positive integer or UUID: its warning has no code.

    Recorded for `id:0` and `id:<0` on two resources.
    """

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.args = (f"Expected field to be a positive integer or UUID, received `{value}`.",)
        self.code = None


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

    def parsed(self, matchers: Mapping[str, Matcher], zone: ZoneInfo) -> dict[str, Any]:
        """The term as `extensions.search[].parsed` shows it: comparators flat, as recorded."""
        shown: dict[str, Any] = {} if self.field is None else {"field": self.field}
        matcher = matchers.get((self.field or "").lower())
        if self.comparator:
            sign, bound = matcher.bound(self, zone) if matcher else (self.comparator, self.value)
            return shown | {f"range_{_RANGE_NAMES[sign]}": bound}
        if self.prefix:
            return shown | ({"prefix": self.value} if self.value else {"exists": True})
        return shown | {"match_phrase" if self.quoted else "match_all": self.value}


@dataclass(frozen=True, slots=True)
class Both:
    """Every part must match (`and`), or at least one (`or`)."""

    word: str
    parts: tuple[Node, ...]

    def parsed(self, matchers: Mapping[str, Matcher], zone: ZoneInfo) -> dict[str, Any]:
        """As `extensions.search[].parsed` shows it."""
        return {self.word: [part.parsed(matchers, zone) for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not match."""

    part: Node

    def parsed(self, matchers: Mapping[str, Matcher], zone: ZoneInfo) -> dict[str, Any]:
        """As `extensions.search[].parsed` shows it."""
        return {"not": self.part.parsed(matchers, zone)}


Node = Term | Both | Not
#: Whether an object matches.
Predicate = Callable[[Any], bool]
#: Makes a predicate from a term; raises InvalidValue, BadTimestamp and NeverSeen. The zone is the
#: shop's.
Maker = Callable[[Term, ZoneInfo], Predicate]


def _as_written(term: Term, zone: ZoneInfo) -> tuple[str, Any]:
    return term.comparator, term.value


@dataclass(frozen=True, slots=True)
class Matcher:
    """How a field is matched. `bound`: the comparator and bound as `parsed` shows them."""

    make: Maker
    bound: Callable[[Term, ZoneInfo], tuple[str, Any]] = _as_written


@dataclass(slots=True)
class Search:
    """A query made ready: what matches, what Shopify would warn of, how it was understood."""

    matches: Predicate
    warnings: list[dict[str, str]] = field(default_factory=list)
    parsed: dict[str, Any] | None = None


def compile_search(
    text: str, matchers: Mapping[str, Matcher], default: Matcher, zone: ZoneInfo
) -> Search:
    """Make a query ready for a resource with these searchable fields.

    Raises SearchBroke, BadTimestamp and NeverSeen.
    """
    tree = parse(text)
    if tree is None:
        return Search(lambda thing: True)
    search = Search(lambda thing: True, parsed=tree.parsed(matchers, zone))
    predicate = _compile(tree, matchers, default, zone, search.warnings)
    if predicate is not None:
        search.matches = predicate
    return search


def _compile(
    node: Node,
    matchers: Mapping[str, Matcher],
    default: Matcher,
    zone: ZoneInfo,
    warnings: list[dict[str, str]],
) -> Predicate | None:
    """The node's predicate; None for one that was dropped."""
    match node:
        case Both(word, nodes):
            made = [_compile(part, matchers, default, zone, warnings) for part in nodes]
            kept = [part for part in made if part is not None]
            if word == "and":
                if len(kept) == 1:
                    return kept[0]
                return (lambda thing: all(part(thing) for part in kept)) if kept else None
            return (
                (lambda thing: any(part(thing) for part in kept))
                if len(kept) == len(made)
                else None
            )
        case Not(part):
            inner = _compile(part, matchers, default, zone, warnings)
            return None if inner is None else lambda thing: not inner(thing)
    if node.comparator and not node.value:
        raise SearchBroke(f"{node.field}:{node.comparator}")
    matcher = default if node.field is None else matchers.get(node.field.lower())
    if matcher is None:
        warnings.append(
            {
                "field": node.field or "",
                "message": "Invalid search field for this query.",
                "code": "invalid_field",
            }
        )
        return None
    try:
        return matcher.make(node, zone)
    except InvalidValue as error:
        warning = {"field": node.field or "", "message": str(error)}
        warnings.append(warning if error.code is None else warning | {"code": error.code})
        return lambda thing: False


# -- reading the text ------------------------------------------------------------------------------


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


# -- matching values -------------------------------------------------------------------------------


def _seen(term: Term, *, compared: bool = False, begun: bool = False) -> None:
    """Refuse a comparator, or the beginning of a value, where nobody has seen one.

    `field:*`, which asks whether the field is there at all, is documented for every field.
    """
    if (term.comparator and not compared) or (term.prefix and term.value and not begun):
        raise NeverSeen(term)


@lru_cache(maxsize=65_536)
def tokens(text: str) -> tuple[str, ...]:
    """The words of a text as the index keeps them: case folded, punctuation gone."""
    folded = unicodedata.normalize("NFC", text).casefold()
    words = tuple(_WORD.findall(folded))
    return words or ((folded.strip(),) if folded.strip() else ())


def text(read: Callable[[Any], Iterable[str]]) -> Matcher:
    """Words: all of them in any order, or side by side where quoted; in any one of the values."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term, begun=True)
        wanted = tokens(term.value)
        if term.prefix and not term.value:
            return lambda thing: any(read(thing))
        if not wanted:
            return lambda thing: not any(read(thing))
        if term.prefix:
            *whole, last = wanted
            return lambda thing: any(
                all(word in words for word in whole)
                and any(word.startswith(last) for word in words)
                for words in map(tokens, read(thing))
            )
        if not term.quoted:
            needed = set(wanted)
            return lambda thing: any(needed.issubset(tokens(value)) for value in read(thing))
        length = len(wanted)
        return lambda thing: any(
            wanted == words
            or any(words[at : at + length] == wanted for at in range(len(words) - length + 1))
            for words in map(tokens, read(thing))
        )

    return Matcher(make)


def text_list(read: Callable[[Any], Iterable[str]]) -> Matcher:
    """Words, where an unquoted value may be several, separated by commas."""
    one = text(read)

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        if term.quoted or "," not in term.value:
            return one.make(term, zone)
        each = [
            one.make(Term(term.field, "", part), zone) for part in term.value.split(",") if part
        ]
        return lambda thing: any(part(thing) for part in each)

    return Matcher(make)


def negated(matcher: Matcher) -> Matcher:
    """Matches what the other does not (`tag_not`)."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        inner = matcher.make(term, zone)
        return lambda thing: not inner(thing)

    return Matcher(make)


def keyword(read: Callable[[Any], Iterable[str]], *, exact_case: bool = False) -> Matcher:
    """A value that is one piece, such as a SKU; `*` matches its beginning."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term, begun=True)
        fold = str if exact_case else str.casefold
        wanted = fold(term.value)
        if term.prefix:
            return lambda thing: any(
                value and fold(value).startswith(wanted) for value in read(thing)
            )
        return lambda thing: any(fold(value) == wanted for value in read(thing))

    return Matcher(make)


def one_of(allowed: Iterable[str], read: Callable[[Any], str]) -> Matcher:
    """A value from a fixed set, or several, separated by commas."""
    accepted = {value.casefold() for value in allowed}

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term)
        if term.prefix:
            return lambda thing: True
        wanted = {part.strip().casefold() for part in term.value.split(",")}
        if not wanted <= accepted:
            raise InvalidValue(term.value)
        return lambda thing: read(thing).casefold() in wanted

    return Matcher(make)


def boolean(read: Callable[[Any], bool]) -> Matcher:
    """`true` or `false`."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term)
        if term.value.casefold() not in ("true", "false"):
            raise NeverSeen(term)
        wanted = term.value.casefold() == "true"
        return lambda thing: read(thing) is wanted

    return Matcher(make)


def number(read: Callable[[Any], Iterable[int]]) -> Matcher:
    """A count of units, not below 0; comparators."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term, compared=True)
        if term.prefix:
            return lambda thing: any(True for _ in read(thing))
        if not _is_number(term.value):
            raise NeverSeen(term)
        wanted = int(term.value)
        compare = _COMPARE[term.comparator or "="]
        return lambda thing: any(compare(value, wanted) for value in read(thing))

    return Matcher(make)


def reference(read: Callable[[Any], Iterable[int]], *, several: bool = False) -> Matcher:
    """The number of another object, such as `inventory_item_id`; `several`: separated by commas.

    Recorded with positive numbers only. What the field `id` makes of others is known, what these
    do is not.
    """

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term)
        if term.prefix:
            return lambda thing: any(True for _ in read(thing))
        each = term.value.split(",") if several else [term.value]
        if not all(_is_number(one) and int(one) for one in each):
            raise NeverSeen(term)
        among = set(map(int, each))
        return lambda thing: any(value in among for value in read(thing))

    return Matcher(make)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def identifier(read: Callable[[Any], int]) -> Matcher:
    """The field `id`: a positive integer or a UUID, with comparators; warned of otherwise."""

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term, compared=True)
        if term.prefix:
            return lambda thing: True
        if _UUID.fullmatch(term.value):
            return lambda thing: False
        if not (_is_number(term.value) and int(term.value)):
            raise InvalidId(term.value)
        wanted = int(term.value)
        compare = _COMPARE[term.comparator or "="]
        return lambda thing: compare(read(thing), wanted)

    def bound(term: Term, zone: ZoneInfo) -> tuple[str, Any]:
        return term.comparator, int(term.value) if _is_number(term.value) else term.value

    return Matcher(make, bound)


def moment(read: Callable[[Any], int]) -> Matcher:
    """A time, exact to the second; a date alone is the shop's day.

    An unquoted time is cut at its first colon, so at the hour, and `<` is then read as `<=`.
    """

    def make(term: Term, zone: ZoneInfo) -> Predicate:
        _seen(term, compared=True)
        if term.prefix:
            return lambda thing: True
        sign, text = bound(term, zone)
        try:
            start, end = time_span(text, zone)
        except ValueError:
            raise BadTimestamp(term) from None
        if not sign:
            return lambda thing: start <= read(thing) < end
        compare = _COMPARE[sign]
        return lambda thing: compare(read(thing), start)

    def bound(term: Term, zone: ZoneInfo) -> tuple[str, str]:
        cut = None if term.quoted else _CUT_AT_THE_HOUR.fullmatch(term.value)
        if cut is None:
            return term.comparator, term.value
        hour = datetime.fromisoformat(f"{cut[1]}T{cut[2]:0>2}:00:00").replace(tzinfo=zone)
        return {"<": "<=", ">": ">="}.get(term.comparator, term.comparator), hour.isoformat()

    return Matcher(make, bound)


def time_span(text: str, zone: ZoneInfo) -> tuple[float, float]:
    """When a written time begins and ends, in unix seconds.

    A day, or a moment with its zone, as live searches were seen to have them; raises ValueError
    for any other text.
    """
    day, moment = _DAY.fullmatch(text), _MOMENT.fullmatch(text)
    if day is None and moment is None:
        raise ValueError(text)
    written = datetime.fromisoformat(text)
    start = written if written.tzinfo else written.replace(tzinfo=zone)
    end = start + (timedelta(days=1) if day else timedelta(seconds=1))
    return start.astimezone(UTC).timestamp(), end.astimezone(UTC).timestamp()
