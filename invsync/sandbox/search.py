"""A search made ready: what matches it, what Shopify warns of, how it was understood.

A term on a field that the resource does not have is dropped, so it matches everything, and only
`extensions.search[].warnings` tells (seen in live answers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from invsync.sandbox.grammar import Both, Node, Not, parse
from invsync.sandbox.matchers import InvalidValue, Matcher, Predicate

_RANGE_NAMES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class SearchBroke(Exception):
    """A search that Shopify answers with an internal error, such as `updated_at:>`."""


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
    search = Search(lambda thing: True, parsed=_parsed(tree, matchers, zone))
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


def _parsed(node: Node, matchers: Mapping[str, Matcher], zone: ZoneInfo) -> dict[str, Any]:
    """The query as `extensions.search[].parsed` shows it: comparators flat, as recorded."""
    match node:
        case Both(word, parts):
            return {word: [_parsed(part, matchers, zone) for part in parts]}
        case Not(part):
            return {"not": _parsed(part, matchers, zone)}
    shown: dict[str, Any] = {} if node.field is None else {"field": node.field}
    matcher = matchers.get((node.field or "").lower())
    if node.comparator:
        sign, bound = matcher.bound(node, zone) if matcher else (node.comparator, node.value)
        return shown | {f"range_{_RANGE_NAMES[sign]}": bound}
    if node.prefix:
        return shown | ({"prefix": node.value} if node.value else {"exists": True})
    return shown | {"match_phrase" if node.quoted else "match_all": node.value}
