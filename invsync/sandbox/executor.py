"""A valid operation carried out: compiled to plain calls once, then run for every request.

graphql-core parses and validates; its own executor finds out anew for each object what can be known
once for a text, which takes most of the time that a request takes. What a field answers comes from
the tables of `fields.py` and `mutations.py`. Errors, and the nulls that they leave, are those of
https://spec.graphql.org/October2021/#sec-Handling-Field-Errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    get_named_type,
    is_abstract_type,
    located_error,
)
from graphql.execution.values import get_argument_values, get_variable_values

from invsync.sandbox.access import READ_SCOPES, WRITE_SCOPES
from invsync.sandbox.byid import type_name
from invsync.sandbox.context import Context
from invsync.sandbox.failures import access_denied
from invsync.sandbox.fields import Field, reading
from invsync.sandbox.mutations import MUTATION_FIELDS, PAYLOAD_FIELDS
from invsync.sandbox.selection import fields_of, is_left_out

#: The fields that tell of the schema itself.
_META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}

#: Where in the answer something stands: the key, and where that stands.
Path = tuple[Any, str | int] | None


@dataclass(slots=True)
class _Run:
    """One request: what its fields know, its variables as graphql-core takes them, its errors."""

    ctx: Context
    variables: Any
    errors: list[GraphQLError] = field(default_factory=list)
    args: dict[int, dict[str, Any]] = field(default_factory=dict)


#: Makes of what a field answers what stands in the answer.
Complete = Callable[[Any, _Run, Path], Any]


class Executor:
    """One operation of a document, ready to run.

    `variables`: those of a request that decide what `@skip` and `@include` leave in.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._operation = operation
        root = schema.get_root_type(operation.operation)
        assert root is not None
        self._whole = _Compiler(schema, fragments, variables).of_object(
            root, [operation.selection_set]
        )

    def run(self, ctx: Context, variables: Mapping[str, Any]) -> ExecutionResult:
        """What the operation answers, with every error on the way."""
        definitions = self._operation.variable_definitions or ()
        coerced: Any = get_variable_values(self._schema, definitions, dict(variables))
        if isinstance(coerced, list):
            return ExecutionResult(None, coerced)
        run = _Run(ctx, coerced)
        try:
            data = self._whole(None, run, None)
        except GraphQLError as error:
            run.errors.append(error)
            data = None
        return ExecutionResult(data, run.errors or None)


class _Compiler:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    # -- what is selected

    def of_object(self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> Complete:
        """Reads the selected fields of an object of a type."""
        by_key: dict[str, list[FieldNode]] = {}
        for node in {id(node): node for node in self._nodes(kind, sets)}.values():
            by_key.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        steps = [(key, self._step(kind, nodes)) for key, nodes in by_key.items()]

        def whole(thing: Any, run: _Run, path: Path) -> dict[str, Any]:
            return {key: step(thing, run, (path, key)) for key, step in steps}

        return whole

    def _nodes(
        self, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode]
    ) -> Iterator[FieldNode]:
        leaves_out = partial(is_left_out, variables=self._variables)
        for selections in sets:
            yield from fields_of(self._schema, self._fragments, kind, selections, leaves_out)

    def _of_abstract(self, sets: Sequence[SelectionSetNode]) -> Complete:
        """Reads an object whose type shows when it is there."""
        known: dict[str, Complete] = {}

        def whole(thing: Any, run: _Run, path: Path) -> Any:
            name = type_name(thing)
            if name not in known:
                kind = self._schema.type_map[name]
                assert isinstance(kind, GraphQLObjectType)
                known[name] = self.of_object(kind, sets)
            return known[name](thing, run, path)

        return whole

    # -- one field

    def _step(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Complete:
        """Reads one field of an object, with the errors that it makes."""
        name = nodes[0].name.value
        if name == "__typename":
            return lambda thing, run, path: kind.name
        definition = _META.get(name) or kind.fields[name]
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        answer = self._guarded(kind.name, name, definition, nodes)
        arguments = self._arguments(definition, nodes[0])
        complete = self._completing(f"{kind.name}.{name}", definition.type, nodes, sets)
        must = isinstance(definition.type, GraphQLNonNull)
        tells_its_place = bool(definition.args)

        def step(thing: Any, run: _Run, path: Path) -> Any:
            try:
                if tells_its_place:
                    run.ctx.path = partial(_as_list, path)
                return complete(answer(thing, arguments(run), run.ctx), run, path)
            except GraphQLError as error:
                return _failed(error, nodes, run, path, must=must)

        return step

    def _arguments(
        self, definition: GraphQLField, node: FieldNode
    ) -> Callable[[_Run], dict[str, Any]]:
        """The field's arguments, worked out once for a request."""
        if not definition.args:
            return lambda run: {}
        number = id(node)

        def arguments(run: _Run) -> dict[str, Any]:
            if number not in run.args:
                run.args[number] = get_argument_values(definition, node, run.variables)
            return run.args[number]

        return arguments

    def _guarded(
        self, parent: str, name: str, definition: GraphQLField, nodes: list[FieldNode]
    ) -> Field:
        """What answers the field, to those who may ask."""
        if name in _META or parent.startswith("__"):
            about, resolve = SimpleNamespace(schema=self._schema), definition.resolve
            assert resolve is not None
            return lambda thing, args, ctx: resolve(thing, about, **args)
        if parent == "Mutation":
            return _changing(MUTATION_FIELDS.get(name) or reading(parent, name), name, nodes[0])
        answer = PAYLOAD_FIELDS.get(parent, {}).get(name) or reading(parent, name)
        returned = get_named_type(definition.type).name
        scope = READ_SCOPES.get(returned.removesuffix("Connection"))
        if scope is None or parent.endswith(("Connection", "Edge")):  # asked at the connection
            return answer
        if returned == "Location" and self._only_id(nodes):
            return answer
        needed = scope

        def guarded(thing: Any, args: Mapping[str, Any], ctx: Context) -> Any:
            if not ctx.may(needed):
                raise access_denied(name, needed)
            return answer(thing, args, ctx)

        return guarded

    def _only_id(self, nodes: Iterable[FieldNode]) -> bool:
        """Whether nothing but `id` is asked of the location, also in what is left out."""
        location = self._schema.type_map["Location"]
        assert isinstance(location, GraphQLObjectType)
        asked = (
            one.name.value
            for node in nodes
            if node.selection_set is not None
            for one in fields_of(self._schema, self._fragments, location, node.selection_set)
        )
        return all(name in ("id", "__typename") for name in asked)

    # -- what it answers

    def _completing(
        self, where: str, kind: Any, nodes: list[FieldNode], sets: list[SelectionSetNode]
    ) -> Complete:
        if isinstance(kind, GraphQLNonNull):
            return _required(where, self._completing(where, kind.of_type, nodes, sets))
        if isinstance(kind, GraphQLList):
            one = self._completing(where, kind.of_type, nodes, sets)
            return _of_list(one, nodes, must=isinstance(kind.of_type, GraphQLNonNull))
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return _of_leaf(kind)
        if is_abstract_type(kind):
            return _or_null(self._of_abstract(sets))
        return _or_null(self.of_object(kind, sets))


def _changing(answer: Field, name: str, node: FieldNode) -> Field:
    """What a mutation answers; its idempotency key is among its arguments, as `@idempotent`."""
    scope = WRITE_SCOPES.get(name)

    def changing(thing: Any, args: Mapping[str, Any], ctx: Context) -> Any:
        if scope is not None and not ctx.may(scope):
            raise access_denied(name, scope)
        return answer(thing, {**args, "@idempotent": _idempotency_key(node, ctx)}, ctx)

    return changing


def _idempotency_key(node: FieldNode, ctx: Context) -> str | None:
    """The key of the field's `@idempotent` directive; None without one."""
    for directive in node.directives or ():
        if directive.name.value == "idempotent":
            value: Any = next(iter(directive.arguments or ())).value
            key = ctx.variables.get(value.name.value) if value.kind == "variable" else value.value
            return str(key)
    return None


def _required(where: str, inner: Complete) -> Complete:
    def complete(value: Any, run: _Run, path: Path) -> Any:
        made = inner(value, run, path)
        if made is None:
            raise GraphQLError(f"Cannot return null for non-nullable field {where}.")
        return made

    return complete


def _or_null(inner: Complete) -> Complete:
    return lambda value, run, path: None if value is None else inner(value, run, path)


def _of_list(one: Complete, nodes: list[FieldNode], *, must: bool) -> Complete:
    def item(value: Any, run: _Run, path: Path) -> Any:
        try:
            return one(value, run, path)
        except GraphQLError as error:
            return _failed(error, nodes, run, path, must=must)

    def complete(values: Any, run: _Run, path: Path) -> Any:
        if values is None:
            return None
        return [item(value, run, (path, number)) for number, value in enumerate(values)]

    return complete


def _of_leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Complete:
    if kind.name.endswith("UserErrorCode"):
        # A fault may answer with a code that no schema knows yet, as Shopify itself may.
        return lambda value, run, path: None if value is None else str(value)
    serialize = kind.serialize
    return lambda value, run, path: None if value is None else serialize(value)


def _failed(
    error: GraphQLError, nodes: list[FieldNode], run: _Run, path: Path, *, must: bool
) -> None:
    """Note an error with its place; raises it where null may not stand in place of the value."""
    located = located_error(error, nodes, _as_list(path))
    if must:
        raise located
    run.errors.append(located)


def _as_list(path: Path) -> list[str | int]:
    found: list[str | int] = []
    while path is not None:
        path, key = path
        found.append(key)
    return found[::-1]
