"""The lean reader behind bulk operations.

A query compiled once to plain calls, then run over the whole shop.

graphql-core parses and validates the query; executing it a hundred thousand times over would take
minutes. What each field answers comes from the same table that requests are answered from.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from graphql.execution.values import get_argument_values
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from invsync.sandbox.access import READ_SCOPES
from invsync.sandbox.connections import Ordered
from invsync.sandbox.context import Context
from invsync.sandbox.fields import reading
from invsync.sandbox.indexes import search
from invsync.sandbox.lists import CONNECTIONS
from invsync.sandbox.matchers import BadTimestamp, NeverSeen
from invsync.sandbox.published import published
from invsync.sandbox.search import SearchBroke
from invsync.sandbox.selection import fields_of
from invsync.sandbox.shop import Shop

#: The most that a bulk query may hold (source: as in bulk.py).
MAX_CONNECTIONS = 5
MAX_DEPTH = 2
MAX_BYTES = 65_535

Getter = Callable[[Any, Context], Any]

_NO_CONNECTION = "Bulk queries must contain at least one connection."

#: What the root fields are read from.
_ROOT = object()


class Refused(ValueError):
    """The query can't be run in bulk; `args` are Shopify's messages."""


@dataclass(slots=True)
class _Level:
    """One connection of the query.

    Where its nodes come from, what a node's line holds, what hangs below it.
    """

    things: Callable[[Any, Context], Ordered]
    getters: list[tuple[str, Getter]] = field(default_factory=list)
    #: Connections below a node, each with the way from the node to the object that has it.
    below: list[tuple[Getter, _Level]] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    #: The topmost connections, each with the way from the root to the object that has it.
    tops: list[tuple[Getter, _Level]]
    scopes: set[str] = field(default_factory=set)


def refusals(version: str, text: str) -> tuple[str, ...]:
    """Why the query can't be run in bulk, in Shopify's words; empty if it can."""
    try:
        _compiled(version, text)
    except Refused as error:
        return error.args
    return ()


def scopes(version: str, text: str) -> frozenset[str]:
    """What a token needs for this query."""
    return frozenset(_compiled(version, text).scopes)


def lines(ctx: Context, version: str, text: str, *, order: str) -> tuple[list[str], int]:
    """The result: JSON lines, each with its line end, and how many of them are roots.

    `order`: `grouped` (children right after their parent), `apart` (a whole depth after the other)
    or `shuffled` (any order that keeps parents before their children). Raises Refused.
    """
    plan = _compiled(version, text)
    emitted = list(_walk(ctx, plan))
    roots = sum(1 for depth, _ in emitted if depth == 0)
    if order == "apart":
        emitted.sort(key=lambda one: one[0])
    elif order == "shuffled":
        emitted = _shuffled(emitted)
    return [line for _, line in emitted], roots


def _walk(ctx: Context, plan: _Plan) -> Iterator[tuple[int, str]]:
    plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def encode(row: dict[str, Any]) -> str:
        return plain(row).replace("/", "\\/")  # as live files were seen to be

    def emit(
        level: _Level, owner: Any, parent: str | None, depth: int
    ) -> Iterator[tuple[int, str]]:
        for thing in level.things(owner, ctx).things:
            row = {key: get(thing, ctx) for key, get in level.getters}
            if parent is not None:
                row["__parentId"] = parent
            yield depth, encode(row) + "\n"
            for way, below in level.below:
                holder = way(thing, ctx)
                if holder is not None:
                    yield from emit(below, holder, row["id"], depth + 1)

    for way, top in plan.tops:
        owner = way(_ROOT, ctx)
        if owner is not None:
            yield from emit(top, owner, None, 0)


def _shuffled(emitted: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Any order that keeps each line behind its parent's; the same for the same lines."""
    chance = random.Random(0)
    ranks: list[float] = []
    last_at: dict[int, float] = {}
    for depth, _ in emitted:
        least = last_at[depth - 1] if depth else 0.0
        rank = least + chance.random()
        last_at[depth] = rank
        ranks.append(rank)
    return [line for _, line in sorted(zip(ranks, emitted, strict=True), key=lambda one: one[0])]


# -- compiling -------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _compiled(version: str, text: str) -> _Plan:
    size = len(text.encode())
    if size > MAX_BYTES:
        raise Refused(f"Query is too large ({size} bytes; maximum is {MAX_BYTES} bytes)")
    schema = published(version)
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        raise Refused(f"Invalid bulk query: {error.message}") from None
    errors = validate(schema, document)
    if errors:
        raise Refused(f"Invalid bulk query: {errors[0].message}")
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    if len(operations) != 1 or operations[0].operation.value != "query":
        raise Refused("Invalid bulk query: it must hold one query.")
    if operations[0].variable_definitions:
        raise Refused("Invalid bulk query: variables are not supported.")
    return _Compiler(schema, document).plan(operations[0])


def _require_searchable(resource: str, query: str | None) -> None:
    """Refuse a search that would be refused outside of a bulk query; raises Refused."""
    if query is None:
        return
    if not query.strip():
        raise Refused("Invalid bulk query: the sandbox refuses an empty search.")
    try:
        search(Shop(), resource, query)
    except (BadTimestamp, NeverSeen, SearchBroke) as error:
        raise Refused(f"Invalid bulk query: the sandbox refuses the search ({error}).") from None


class _Compiler:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._connections = 0
        self._scopes: set[str] = set()

    def plan(self, operation: OperationDefinitionNode) -> _Plan:
        root = self._schema.query_type
        assert root is not None
        nodes = list(fields_of(self._schema, self._fragments, root, operation.selection_set))
        if len(nodes) != 1:
            raise Refused("Invalid bulk query: only one top-level field is allowed.")
        name = nodes[0].name.value
        if name in ("node", "nodes"):
            raise Refused(
                f"Bulk queries cannot contain a top level `{name}` field.", _NO_CONNECTION
            )
        top = _Level(lambda owner, ctx: Ordered(()))
        self._getters(root, operation.selection_set, top, lambda thing, ctx: thing, -1)
        if not top.below:
            raise Refused(_NO_CONNECTION)
        if self._connections > MAX_CONNECTIONS:
            raise Refused(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
        return _Plan(top.below, self._scopes)

    def _level(self, parent: GraphQLObjectType, node: FieldNode, depth: int) -> _Level:
        self._connections += 1
        if depth > MAX_DEPTH:
            raise Refused(
                f"Bulk queries cannot contain connections nested more than {MAX_DEPTH} levels deep."
            )
        name = node.name.value
        whole = CONNECTIONS.get((parent.name, name))
        if whole is None:
            raise Refused(f"Invalid bulk query: the connection '{name}' is not supported.")
        args = self._args(parent, node)
        for unused in ("first", "last", "after", "before"):
            args.pop(unused, None)
        _require_searchable(name, args.get("query"))
        level = _Level(lambda owner, ctx: whole(owner, args, ctx))
        kind = get_named_type(parent.fields[name].type)
        assert isinstance(kind, GraphQLObjectType)
        self._need(kind.name.removesuffix("Connection"))
        assert node.selection_set is not None
        for part in fields_of(self._schema, self._fragments, kind, node.selection_set):
            if part.name.value == "nodes":
                raise Refused(
                    "All connection fields in a bulk query must select their contents using "
                    "'edges' > 'node', e.g: 'products { edges { node {'. Selecting via 'nodes' "
                    f"is not supported. Invalid connection fields: '{name}'."
                )
            if part.name.value != "edges" or part.selection_set is None:
                continue
            edge = get_named_type(kind.fields["edges"].type)
            assert isinstance(edge, GraphQLObjectType)
            for inner in fields_of(self._schema, self._fragments, edge, part.selection_set):
                if inner.name.value == "node" and inner.selection_set is not None:
                    of = get_named_type(edge.fields["node"].type)
                    assert isinstance(of, GraphQLObjectType)
                    self._node(level, of, name, inner.selection_set, depth)
        return level

    def _node(
        self,
        level: _Level,
        kind: GraphQLObjectType,
        connection: str,
        selections: SelectionSetNode,
        depth: int,
    ) -> None:
        level.getters += self._getters(kind, selections, level, lambda thing, ctx: thing, depth)
        if level.below and all(key != "id" for key, _ in level.getters):
            raise Refused(
                "The parent 'node' field for a nested connection must select the 'id' field "
                "without an alias"
                f" and must be of 'ID' return type. Connection fields without 'id': {connection}."
            )

    def _getters(
        self,
        kind: GraphQLObjectType,
        selections: SelectionSetNode,
        level: _Level,
        way: Getter,
        depth: int,
    ) -> list[tuple[str, Getter]]:
        """How to read each selected field of an object.

        Connections are hung below the level instead.
        """
        found: list[tuple[str, Getter]] = []
        for node in fields_of(self._schema, self._fragments, kind, selections):
            name = node.name.value
            key = node.alias.value if node.alias else name
            if name == "__typename":
                found.append((key, lambda thing, ctx: kind.name))
                continue
            if name.startswith("__"):
                raise Refused("Invalid bulk query: introspection is not supported.")
            if self._is_connection(kind, node):
                level.below.append((way, self._level(kind, node, depth + 1)))
                continue
            found.append((key, self._getter(kind, node, level, way, depth)))
        return found

    def _getter(
        self, kind: GraphQLObjectType, node: FieldNode, level: _Level, way: Getter, depth: int
    ) -> Getter:
        name = node.name.value
        answer, args = reading(kind.name, name), self._args(kind, node)

        def read(thing: Any, ctx: Context) -> Any:
            return answer(thing, args, ctx)

        if node.selection_set is None:
            return read
        returned = kind.fields[name].type
        inner = get_named_type(returned)
        if not isinstance(inner, GraphQLObjectType):
            raise Refused(f"Invalid bulk query: the field '{name}' is not supported.")
        if inner.name != "Location" or self._asks_more_than_id(inner, node.selection_set):
            self._need(inner.name)
        many = is_list_type(returned.of_type if is_non_null_type(returned) else returned)

        def onward(thing: Any, ctx: Context) -> Any:
            held = way(thing, ctx)
            return None if held is None else read(held, ctx)

        hanging = len(level.below)
        getters = self._getters(inner, node.selection_set, level, onward, depth)
        if many and len(level.below) > hanging:
            raise Refused("Invalid bulk query: a connection can't be nested in a list field.")

        def one(held: Any, ctx: Context) -> Any:
            return None if held is None else {key: get(held, ctx) for key, get in getters}

        if many:
            return lambda thing, ctx: [one(held, ctx) for held in read(thing, ctx)]
        return lambda thing, ctx: one(read(thing, ctx), ctx)

    def _is_connection(self, kind: GraphQLObjectType, node: FieldNode) -> bool:
        field_ = kind.fields.get(node.name.value)
        return field_ is not None and get_named_type(field_.type).name.endswith("Connection")

    def _asks_more_than_id(self, kind: GraphQLObjectType, selections: SelectionSetNode) -> bool:
        return any(
            node.name.value not in ("id", "__typename")
            for node in fields_of(self._schema, self._fragments, kind, selections)
        )

    def _need(self, type_name: str) -> None:
        if type_name in READ_SCOPES:
            self._scopes.add(READ_SCOPES[type_name])

    def _args(self, kind: GraphQLObjectType, node: FieldNode) -> dict[str, Any]:
        try:
            return dict(get_argument_values(kind.fields[node.name.value], node))
        except GraphQLError as error:
            raise Refused(f"Invalid bulk query: {error.message}") from None
