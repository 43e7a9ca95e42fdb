"""What a request really asks, taken apart: each argument's place and form, each search term's.

A place is the way from the root to the argument, without `nodes` and `edges`, which are only the
two ways to write one thing: `products.variants(first:)`, `nodes[Product].variants(first:)`. The
document that a bulk operation is started with is taken apart too, as `bulk products(query:)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from graphql import parse
from graphql.language import (
    FieldNode,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from invsync.admin.terms import SENT
from invsync.sandbox import grammar
from invsync.sandbox.exchange import Request

#: A place and the form of what is given there, as the rows of `invsync.admin.terms.SENT` have it.
Form = tuple[str, str]

#: The table.
ROWS = frozenset((row.place, row.form) for row in SENT)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_GID = re.compile(r"gid://(shopify/\w+|invsync/Run)/(\d+|" + _UUID.pattern + ")")
_ABSENT = object()


def asked(request: Request) -> frozenset[Form]:
    """Every form in a request to the shop; none in the download of a bulk result."""
    if "graphql.json" in request.path:
        return forms(request.graphql["query"], request.graphql.get("variables") or {})
    if request.method != "POST":
        return frozenset()
    return frozenset(
        {(f"POST {request.path}", " and ".join(sorted(parse_qs(request.body.decode()))))}
    )


def unlisted(requests: Iterable[Request]) -> dict[Form, str]:
    """What requests ask that no row of the table has, and the operation that did."""
    return {
        form: request.operation or request.path
        for request in requests
        for form in asked(request) - ROWS
    }


def forms(document: str, variables: Mapping[str, Any]) -> frozenset[Form]:
    """Every argument that a request gives, and every term of its searches, each with its form."""
    (operation,) = parsed(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return frozenset(_of_selections("", operation.selection_set, variables))


@lru_cache(maxsize=64)
def parsed(text: str) -> Any:
    """A document, parsed once for its text."""
    return parse(text)


def _of_selections(
    way: str, selections: SelectionSetNode | None, variables: Mapping[str, Any]
) -> Iterator[Form]:
    for node in selections.selections if selections else ():
        if isinstance(node, InlineFragmentNode):
            assert node.type_condition is not None
            kind = node.type_condition.name.value
            yield from _of_selections(f"{way}[{kind}]", node.selection_set, variables)
            continue
        assert isinstance(node, FieldNode), "invsync writes no named fragments"
        name = node.name.value
        place = way if way and name in ("nodes", "edges", "node") else f"{way}.{name}".lstrip(".")
        yield from _of_field(place, node, variables)
        yield from _of_selections(place, node.selection_set, variables)


def _of_field(place: str, node: FieldNode, variables: Mapping[str, Any]) -> Iterator[Form]:
    for argument in node.arguments or ():
        value = _value(argument.value, variables)
        if value is not _ABSENT:
            yield from _of_argument(place, argument.name.value, value)
    for directive in node.directives or ():
        for argument in directive.arguments or ():
            at = f"{place} @{directive.name.value}({argument.name.value}:)"
            yield at, form_of(_value(argument.value, variables))


def _of_argument(place: str, name: str, value: Any) -> Iterator[Form]:
    at = f"{place}({name}:)"
    if name == "query" and place == "bulkOperationRunQuery":
        yield at, "a document"
        yield from ((f"bulk {there}", form) for there, form in forms(value, {}))
    elif name == "query" and value is not None:
        yield from ((at, form) for form in term_forms(value))
    elif name in ("first", "last"):
        yield at, "1 to 250" if 1 <= value <= 250 else f"{value}"
    elif name == "after":
        yield at, "a cursor" if isinstance(value, str) and value else form_of(value)
    elif place.endswith(".metafield"):
        yield at, "a name"
    elif isinstance(value, dict):
        yield from _of_input(f"{place}({name}:", value)
    else:
        yield at, form_of(value)


def _of_input(place: str, value: Mapping[str, Any]) -> Iterator[Form]:
    for name, given in value.items():
        at = f"{place} {name}"
        if isinstance(given, list) and given and isinstance(given[0], dict):
            yield f"{at})", "1 to 250 rows" if len(given) <= 250 else f"{len(given)} rows"
            for row in given:
                yield from _of_input(f"{at}.", row)
        else:
            yield f"{at})", form_of(given)


def form_of(value: Any) -> str:
    """The form of a value: what it is, without which one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return "0" if value == 0 else "a number below 0" if value < 0 else "a number above 0"
    if isinstance(value, list):
        inner = {form_of(one) for one in value}
        many = "1 to 250" if 1 <= len(value) <= 250 else f"{len(value)}"
        return f"{many} of {' or '.join(sorted(inner))}" if len(inner) == 1 else " and ".join(value)
    assert isinstance(value, str)
    if _UUID.fullmatch(value):
        return "a UUID"
    if gid := _GID.fullmatch(value):
        return f"gid://{gid[1]}/…"
    return value


def term_forms(text: str) -> Iterator[str]:
    """The forms of a search's terms, and of how they are put together."""
    tree = grammar.parse(text)
    if tree is None:
        yield "empty"
        return
    yield from _of_terms(tree)


def _of_terms(node: grammar.Node) -> Iterator[str]:
    if isinstance(node, grammar.Term):
        yield f"{node.field}:{node.comparator}{_term_value(node)}"
        return
    if isinstance(node, grammar.Not):
        yield "NOT …"
        yield from _of_terms(node.part)
        return
    if node.word == "or":
        yield "(… OR …)"
    else:
        yield " ".join(next(_of_terms(part)) for part in node.parts)
    for part in node.parts:
        yield from _of_terms(part)


def _term_value(term: grammar.Term) -> str:
    quoted = f"'{'TIME' if _MOMENT.fullmatch(term.value) else 'TEXT'}'"
    if term.quoted:
        return quoted
    number = term.value.isascii() and term.value.isdecimal() and int(term.value) > 0
    return ("N" if number else term.value) + ("*" if term.prefix else "")


def _value(node: ValueNode | Node, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, _ABSENT)
    if isinstance(node, ListValueNode):
        return [_value(one, variables) for one in node.values]
    if isinstance(node, ObjectValueNode):
        return {one.name.value: _value(one.value, variables) for one in node.fields}
    kind, written = node.kind, getattr(node, "value", None)
    if kind == "int_value":
        return int(str(written))
    return None if kind == "null_value" else written
