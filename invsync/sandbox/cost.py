"""What an operation costs: requested before it runs, actual after, and the leaky bucket.

The rules were read off public recordings of live answers: a scalar 0, an object (or a list of
objects) 1 plus its fields, an interface its dearest branch, a connection `2 + f(n) × (1 + cost of a
node's fields)` with `f(n) = max(1, ⌊2 ln n⌋)`, a mutation 10 plus what is selected below its
payload's own fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
)
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.utilities import value_from_ast_untyped

from invsync.sandbox.account import Bucket, Settings
from invsync.sandbox.selection import conditions_of, fields_of, is_left_out

#: The most that one query may cost, as requested.
QUERY_LIMIT = 1_000

#: What the bucket may lack through rounding: a client that waits exactly as long as it must is not
#: refused.
ROUNDING = 1e-6

Variables = Mapping[str, Any]


def page_factor(size: int) -> int:
    """f(n): how many nodes a page of n is charged for."""
    return max(1, math.floor(2 * math.log(size))) if size > 0 else 1


@dataclass(slots=True)
class _Field:
    """One selected field that costs something, and what is selected below it."""

    key: str
    #: Its own cost; a connection's is 2.
    own: int
    children: list[_Field] = field(default_factory=list)
    #: For an abstract type: the fields by concrete type; the dearest counts.
    branches: list[list[_Field]] | None = None
    #: For a connection: the page size, and where its nodes are in the answer.
    size: Callable[[Variables], int] | None = None
    node_paths: tuple[tuple[str, str | None, list[_Field]], ...] = ()
    included: Callable[[Variables], bool] | None = None

    def requested(self, variables: Variables) -> int:
        if self.size is not None:
            nodes = sum(1 + _sum(children, variables) for *_, children in self.node_paths)
            return self.own + page_factor(self.size(variables)) * nodes
        if self.branches is not None:
            return self.own + max((_sum(branch, variables) for branch in self.branches), default=0)
        return self.own + _sum(self.children, variables)

    def actual(self, answer: Any, variables: Variables) -> float:
        if answer is None:
            return 0
        if self.size is not None:
            size = max(1, self.size(variables))
            total = 0.0
            for key, node_key, children in self.node_paths:
                rows = answer.get(key) or []
                if node_key is not None:
                    rows = [edge.get(node_key) for edge in rows]
                total += sum(
                    1 + _sum_actual(children, row, variables) for row in rows if row is not None
                )
            return self.own + page_factor(size) / size * total
        children = (
            self.children
            if self.branches is None
            else [one for branch in self.branches for one in branch]
        )
        if isinstance(answer, list):
            rows = [row for row in answer if row is not None]
            if not rows:
                return 0
            return self.own + max(_sum_actual(children, row, variables) for row in rows)
        return self.own + _sum_actual(children, answer, variables)


def _sum(fields: Sequence[_Field], variables: Variables) -> int:
    return sum(
        one.requested(variables)
        for one in fields
        if one.included is None or one.included(variables)
    )


def _sum_actual(fields: Sequence[_Field], answer: Mapping[str, Any], variables: Variables) -> float:
    if not fields:
        return 0
    seen = set()
    total = 0.0
    for one in fields:
        if one.key in answer and one.key not in seen:
            seen.add(one.key)
            total += one.actual(answer[one.key], variables)
    return total


@dataclass(slots=True)
class CostPlan:
    """What an operation's fields cost, worked out once for its text."""

    fields: list[_Field]

    def requested(self, variables: Variables) -> int:
        """The cost that must be in the bucket before the operation runs."""
        return max(1, _sum(self.fields, variables))

    def actual(self, answer: Mapping[str, Any] | None, variables: Variables) -> int:
        """The cost of what came back; never above what was requested."""
        total = _sum_actual(self.fields, answer, variables) if answer else 0
        for one in self.fields:  # a mutation that answered null was still a mutation
            if one.own == 10 and (not answer or answer.get(one.key) is None):
                total += 10
        return min(self.requested(variables), max(1, math.floor(total + 0.5)))


def cost_plan(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> CostPlan:
    """The costs of a valid operation."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    mutation = operation.operation.value == "mutation"
    root = schema.mutation_type if mutation else schema.query_type
    assert root is not None
    return CostPlan(
        _Builder(schema, fragments).selected(
            root, operation.selection_set, payload=mutation, top=True
        )
    )


class _Builder:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments

    def selected(
        self,
        parent: GraphQLObjectType,
        selections: SelectionSetNode,
        *,
        payload: bool = False,
        top: bool = False,
    ) -> list[_Field]:
        """The costly fields of a selection, as far as it applies to this type."""
        found: dict[str, _Field] = {}
        for node in fields_of(self._schema, self._fragments, parent, selections):
            key = node.alias.value if node.alias else node.name.value
            made = self._field(parent, node, key, payload=payload, top=top)
            if made is None:
                continue
            if key in found:
                found[key].children += made.children
            else:
                found[key] = made
        return list(found.values())

    def _field(
        self, parent: GraphQLObjectType, node: FieldNode, key: str, *, payload: bool, top: bool
    ) -> _Field | None:
        name = node.name.value
        if node.selection_set is None or name.startswith("__") or name == "pageInfo":
            return None
        kind = get_named_type(parent.fields[name].type)
        if top and not payload and name.endswith("Count"):
            return _Field(key, 10, included=_included(node))
        if kind.name.endswith("Connection"):
            return self._connection(kind, node, key)
        own = (10 if top else 0) if payload else 1
        made = _Field(key, own, included=_included(node))
        if is_abstract_type(kind):
            possible = self._schema.get_possible_types(kind)
            made.branches = [self.selected(one, node.selection_set) for one in possible]
        elif isinstance(kind, GraphQLObjectType):
            made.children = self.selected(kind, node.selection_set, payload=payload and top)
        return made

    def _connection(self, kind: GraphQLNamedType, node: FieldNode, key: str) -> _Field:
        assert isinstance(kind, GraphQLObjectType)
        assert node.selection_set is not None
        paths: list[tuple[str, str | None, list[_Field]]] = []
        for part in fields_of(self._schema, self._fragments, kind, node.selection_set):
            part_key = part.alias.value if part.alias else part.name.value
            if part.name.value == "nodes" and part.selection_set:
                inner = get_named_type(kind.fields["nodes"].type)
                assert isinstance(inner, GraphQLObjectType)
                paths.append((part_key, None, self.selected(inner, part.selection_set)))
            elif part.name.value == "edges" and part.selection_set:
                edge = get_named_type(kind.fields["edges"].type)
                assert isinstance(edge, GraphQLObjectType)
                for below in fields_of(self._schema, self._fragments, edge, part.selection_set):
                    if below.name.value == "node" and below.selection_set:
                        inner = get_named_type(edge.fields["node"].type)
                        assert isinstance(inner, GraphQLObjectType)
                        node_key = below.alias.value if below.alias else "node"
                        paths.append(
                            (part_key, node_key, self.selected(inner, below.selection_set))
                        )
        return _Field(
            key, 2, size=_page_size(node), node_paths=tuple(paths), included=_included(node)
        )


def _page_size(node: FieldNode) -> Callable[[Variables], int]:
    values = {
        one.name.value: one.value
        for one in node.arguments or ()
        if one.name.value in ("first", "last")
    }

    def size(variables: Variables) -> int:
        for value in values.values():
            number = value_from_ast_untyped(value, dict(variables))
            if isinstance(number, int):
                return number
        return 0

    return size


def _included(node: FieldNode) -> Callable[[Variables], bool] | None:
    """Whether `@skip` and `@include` leave the field in; None if it has neither."""
    if not conditions_of(node):
        return None
    return lambda variables: not is_left_out(node, variables)


# -- the bucket ------------------------------------------------------------------------------------


def refill(bucket: Bucket, settings: Settings, now: float) -> None:
    """Let the points that came back since then into the bucket."""
    if now > bucket.at:
        bucket.available += settings.restore_rate * (now - bucket.at)
    bucket.at = now
    bucket.available = min(bucket.available, settings.bucket_size)


def drain(bucket: Bucket, now: float) -> None:
    """Empty the bucket, as other processes of the same app would."""
    bucket.available, bucket.at = 0.0, now


def shown(bucket: Bucket, settings: Settings, requested: int, actual: int | None) -> dict[str, Any]:
    """`extensions.cost`."""
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {
            "maximumAvailable": settings.bucket_size,
            "currentlyAvailable": math.floor(bucket.available + ROUNDING),
            "restoreRate": settings.restore_rate,
        },
    }
