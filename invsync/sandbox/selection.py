"""What a selection set selects on an object: its fields, those of its fragments included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    is_abstract_type,
)
from graphql.language import SelectionNode, ValueNode
from graphql.utilities import value_from_ast_untyped


def fields_of(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    kind: GraphQLObjectType,
    selections: SelectionSetNode,
    leaves_out: Callable[[SelectionNode], bool] = lambda node: False,
) -> Iterator[FieldNode]:
    """The field nodes that apply to an object of type `kind`, in order.

    A fragment on another type has none. `leaves_out`: whether a selection does not count.
    """
    for node in selections.selections:
        if leaves_out(node):
            continue
        if isinstance(node, FieldNode):
            yield node
            continue
        if isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            condition, inner = fragment.type_condition.name.value, fragment.selection_set
        else:
            assert isinstance(node, InlineFragmentNode)
            condition = node.type_condition.name.value if node.type_condition else kind.name
            inner = node.selection_set
        wanted = schema.type_map[condition]
        if wanted is kind or (is_abstract_type(wanted) and schema.is_sub_type(wanted, kind)):
            yield from fields_of(schema, fragments, kind, inner, leaves_out)


def conditions_of(node: SelectionNode) -> list[tuple[bool, ValueNode]]:
    """What has to be so for a selection to count: each value, and whether it is to be true."""
    return [
        (directive.name.value == "include", directive.arguments[0].value)
        for directive in node.directives or ()
        if directive.name.value in ("include", "skip") and directive.arguments
    ]


def is_left_out(node: SelectionNode, variables: Mapping[str, Any]) -> bool:
    """Whether `@skip` or `@include` leave a selection out."""
    return any(
        bool(value_from_ast_untyped(value, dict(variables))) is not wanted
        for wanted, value in conditions_of(node)
    )
