"""Variables, checked against the schema, with Shopify's words for what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
)
from graphql.language import OperationDefinitionNode, print_ast
from graphql.utilities import type_from_ast, value_from_ast_untyped

from invsync.sandbox.gids import is_global_id

Problem = tuple[list[str | int], str]


def with_defaults(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that the operation declares, its defaults filled in."""
    values: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in given:
            values[name] = given[name]
        elif definition.default_value is not None:
            values[name] = value_from_ast_untyped(definition.default_value)
    return values


def invalid_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One error per variable that has the wrong shape (`INVALID_VARIABLE`).

    Empty if all are right.
    """
    errors = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = cast("GraphQLInputType | None", type_from_ast(schema, definition.type))
        if kind is None or (name not in given and definition.default_value is not None):
            continue
        value = given.get(name)
        problems = _problems(kind, value, [])
        if problems:
            line, column = _position(definition)
            errors.append(
                {
                    "message": f"Variable ${name} of type {print_ast(definition.type)} was "
                    f"provided invalid value{_places(problems)}",
                    "locations": [{"line": line, "column": column}],
                    "extensions": {
                        "code": "INVALID_VARIABLE",
                        "value": value,
                        "problems": [_shown(path, told) for path, told in problems],
                    },
                }
            )
    return errors


def _places(problems: Sequence[Problem]) -> str:
    """Where a value is wrong, and why; of one that is wrong as a whole only `problems` tells."""
    places = [f"{'.'.join(map(str, path))} ({told})" for path, told in problems if path]
    return f" for {', '.join(places)}" if places else ""


def _shown(path: list[str | int], told: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": path, "explanation": told}
    return shown | {"message": told} if told.startswith("Invalid global id") else shown


def longest_array(value: Any) -> int:
    """The length of the longest list anywhere in a value."""
    if isinstance(value, Mapping):
        return max(map(longest_array, value.values()), default=0)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(not isinstance(one, (Mapping, list)) for one in value):
            return len(value)
        return max(len(value), max(map(longest_array, value), default=0))
    return 0


def _position(definition: Any) -> tuple[int, int]:
    source = definition.loc.source.body
    before = source[: definition.loc.start]
    return before.count("\n") + 1, definition.loc.start - before.rfind("\n")


def _problems(kind: GraphQLInputType, value: Any, path: list[str | int]) -> list[Problem]:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            return [(path, "Expected value to not be null")]
        return _problems(kind.of_type, value, path)
    if value is None:
        return []
    if isinstance(kind, GraphQLList):
        if not isinstance(value, list):
            return _problems(kind.of_type, value, path)
        return [
            problem
            for index, one in enumerate(value)
            for problem in _problems(kind.of_type, one, [*path, index])
        ]
    if isinstance(kind, GraphQLInputObjectType):
        return _object_problems(kind, value, path)
    if isinstance(kind, GraphQLEnumType):
        if value in kind.values:
            return []
        return [(path, f"Expected {json.dumps(value)} to be one of: {', '.join(kind.values)}")]
    assert isinstance(kind, GraphQLScalarType)
    if kind.name == "ID":
        text = str(value)
        return [] if is_global_id(text) else [(path, f"Invalid global id '{text}'")]
    try:
        if kind.parse_value(value) is not Undefined:
            return []
    except (GraphQLError, TypeError, ValueError):
        pass
    return [(path, f"Could not coerce value {json.dumps(value)} to {kind.name}")]


def _object_problems(
    kind: GraphQLInputObjectType, value: Any, path: list[str | int]
) -> list[Problem]:
    if not isinstance(value, Mapping):
        return [(path, f"Expected {json.dumps(value)} to be a key-value object.")]
    problems: list[Problem] = [
        ([*path, name], f"Field is not defined on {kind.name}")
        for name in value
        if name not in kind.fields
    ]
    for name, field in kind.fields.items():
        if name not in value and field.default_value is not Undefined:
            continue
        problems += _problems(field.type, value.get(name), [*path, name])
    return problems
