"""What a selection set selects on an object: its fields, those of its fragments included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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


def fields_of(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    kind: GraphQLObjectType,
    selections: SelectionSetNode,
) -> Iterator[FieldNode]:
    """The field nodes that apply to an object of type `kind`, in order.

    A fragment on another type has none.
    """
    for node in selections.selections:
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
            yield from fields_of(schema, fragments, kind, inner)
