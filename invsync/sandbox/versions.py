"""The published schemas with this shop's answers attached; built when first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
)
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode

from invsync.sandbox.access import READ_SCOPES, WRITE_SCOPES
from invsync.sandbox.byid import type_name
from invsync.sandbox.context import Context
from invsync.sandbox.failures import access_denied
from invsync.sandbox.fields import reading
from invsync.sandbox.mutations import MUTATION_FIELDS, PAYLOAD_FIELDS
from invsync.sandbox.published import published


@cache
def schema_for(version: str) -> GraphQLSchema:
    """The schema of a served version, ready to execute."""
    schema = published(version)
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLEnumType) and name.endswith("UserErrorCode"):
            # A fault may answer with a code that no schema knows yet, as Shopify itself may.
            for method in ("serialize", "coerce_output_value"):
                setattr(kind, method, str)
        elif isinstance(kind, GraphQLInterfaceType):
            kind.resolve_type = lambda thing, info, abstract: type_name(thing)
        elif isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                _attach(name, field_name, field)
    return schema


def _attach(parent: str, name: str, field: GraphQLField) -> None:
    changing = MUTATION_FIELDS if parent == "Mutation" else PAYLOAD_FIELDS.get(parent, {})
    answer = changing.get(name) or reading(parent, name)
    returned = get_named_type(field.type).name
    connection = returned.endswith("Connection")
    if parent == "Mutation":
        scope = WRITE_SCOPES.get(name)
    elif parent.endswith(("Connection", "Edge")):
        scope = None  # asked for once, at the connection
    else:
        scope = READ_SCOPES.get(returned.removesuffix("Connection"))
    if scope is None and not connection and parent != "Mutation":
        field.resolve = lambda thing, info, **args: answer(thing, args, info.context)
        return

    def resolve(thing: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        ctx: Context = info.context
        if (
            scope is not None
            and not ctx.may(scope)
            and not (returned == "Location" and _only_id(info))
        ):
            raise access_denied(name, scope)
        ctx.path = info.path.as_list
        if parent == "Mutation":
            args["@idempotent"] = _idempotency_key(info, ctx)
        return answer(thing, args, ctx)

    field.resolve = resolve


def _idempotency_key(info: GraphQLResolveInfo[Any], ctx: Context) -> str | None:
    """The key of the field's `@idempotent` directive; None without one."""
    for directive in info.field_nodes[0].directives or ():
        if directive.name.value == "idempotent":
            value: Any = next(iter(directive.arguments or ())).value
            key = ctx.variables.get(value.name.value) if value.kind == "variable" else value.value
            return str(key)
    return None


def _only_id(info: GraphQLResolveInfo[Any]) -> bool:
    """Whether nothing but `id` is asked of the object."""
    waiting = [node.selection_set for node in info.field_nodes]
    while waiting:
        selections = waiting.pop()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode) and node.name.value not in ("id", "__typename"):
                return False
            if isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                waiting.append(info.fragments[node.name.value].selection_set)
    return True
