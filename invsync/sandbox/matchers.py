"""How a searchable field is matched, and which values it warns of or refuses.

A form of a term of which nobody has seen what Shopify makes of it is refused here, whatever Shopify
does. What impossible values and unquoted times do was seen in live answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from invsync.sandbox.grammar import Term

_WORD = re.compile(r"\w+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_CUT_AT_THE_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d?)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


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
