"""Values written out in a document, and missing arguments, refused in Shopify's words.

graphql-core's own rules for both are left out, since Shopify tells other codes: recorded are
`argumentLiteralsIncompatible`, `argumentNotAccepted`, `missingRequiredArguments` and
`missingRequiredInputObjectAttribute`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_required_argument,
    is_required_input_field,
    specified_rules,
)
from graphql.language import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    print_ast,
)
from graphql.validation import (
    ProvidedRequiredArgumentsRule,
    ValidationContext,
    ValidationRule,
    ValuesOfCorrectTypeRule,
)

from invsync.sandbox.gids import is_global_id


class WrittenValuesRule(ValidationRule):
    """Every value written out fits what it is given to, and no required argument is missing."""

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        """A field's arguments."""
        field = self.context.get_field_def()
        if field is not None:
            self._arguments("Field", node.name.value, field.args, node)

    def leave_directive(self, node: DirectiveNode, *_: Any) -> None:
        """A directive's arguments."""
        directive = self.context.get_directive()
        if directive is not None:
            self._arguments("Directive", node.name.value, directive.args, node)

    def _arguments(
        self,
        owner: str,
        name: str,
        known: Mapping[str, GraphQLArgument],
        node: FieldNode | DirectiveNode,
    ) -> None:
        self._holder = node
        given = {argument.name.value: argument for argument in node.arguments or ()}
        missing = ", ".join(
            argument
            for argument, kind in known.items()
            if argument not in given and is_required_argument(kind)
        )
        if missing:
            said = {"className": owner, "name": name, "arguments": missing}
            self._refuse(
                f"{owner} '{name}' is missing required arguments: {missing}",
                "missingRequiredArguments",
                node,
                said,
            )
        for argument, found in given.items():
            if argument in known:
                kind = known[argument].type
                self._value(kind, found.value, (owner, name, argument), found)

    def _value(
        self, kind: Any, value: ValueNode, at: tuple[str, str, str], node: ArgumentNode
    ) -> None:
        """`at`: what kind of thing has the argument, its name, the argument's."""
        if isinstance(value, VariableNode):
            return
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(value, NullValueNode):
            if isinstance(kind, GraphQLNonNull):
                self._unfit(kind, value, at, node)
        elif isinstance(inner, GraphQLList):
            each = value.values if isinstance(value, ListValueNode) else [value]
            for one in each:
                self._value(inner.of_type, one, at, node)
        elif isinstance(inner, GraphQLInputObjectType):
            self._object(inner, value, at, node)
        elif inner.name == "ID" and isinstance(value, StringValueNode):
            if not is_global_id(value.value):
                self._refuse(
                    f"Invalid global id '{value.value}'",
                    "argumentLiteralsIncompatible",
                    node,
                    {"typeName": "CoercionError"},
                )
        elif _parsed(inner, value) is Undefined:
            self._unfit(kind, value, at, node)

    def _object(
        self,
        kind: GraphQLInputObjectType,
        value: ValueNode,
        at: tuple[str, str, str],
        node: ArgumentNode,
    ) -> None:
        if not isinstance(value, ObjectValueNode):
            self._unfit(kind, value, at, node)
            return
        given = {field.name.value: field for field in value.fields}
        for name, field in kind.fields.items():
            if name not in given and is_required_input_field(field):
                self._refuse(
                    f"Argument '{name}' on InputObject '{kind.name}' is required. Expected type "
                    f"{field.type}",
                    "missingRequiredInputObjectAttribute",
                    node,
                    {
                        "argumentName": name,
                        "argumentType": str(field.type),
                        "inputObjectType": kind.name,
                    },
                )
        for name, found in given.items():
            if name not in kind.fields:
                self._refuse(
                    f"InputObject '{kind.name}' doesn't accept argument '{name}'",
                    "argumentNotAccepted",
                    node,
                    {"name": kind.name, "typeName": "InputObject", "argumentName": name},
                )
                continue
            self._value(kind.fields[name].type, found.value, ("InputObject", kind.name, name), node)

    def _unfit(
        self, kind: Any, value: ValueNode, at: tuple[str, str, str], node: ArgumentNode
    ) -> None:
        owner, name, argument = at
        self._refuse(
            f"Argument '{argument}' on {owner} '{name}' has an invalid value "
            f"({print_ast(value)}). Expected type '{kind}'.",
            "argumentLiteralsIncompatible",
            node,
            {"typeName": owner, "argumentName": argument},
        )

    def _refuse(self, message: str, code: str, node: Node, said: Mapping[str, str]) -> None:
        self.report_error(
            GraphQLError(message, [node, self._holder], extensions={"code": code, **said})
        )


class RefusedUsesRule(ValidationRule):
    """A variable that only refused arguments and directives use is not used (recorded)."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._refused: set[str] = set()
        self._used: set[str] = set()
        self._declared: dict[str, VariableDefinitionNode] = {}

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        """What is declared."""
        self._declared[node.variable.name.value] = node

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """An argument, and the variables in what it is given."""
        unknown_field = self.context.get_field_def() is None
        kept = unknown_field or self.context.get_argument() is not None
        (self._used if kept else self._refused).update(_variables(node.value))

    def leave_document(self, *_: Any) -> None:
        """Every use is known."""
        for name in self._refused - self._used:
            if node := self._declared.get(name):
                self.report_error(GraphQLError(f"Variable '${name}' is never used", node))


def _variables(node: ValueNode) -> Iterator[str]:
    """The names of the variables in a value."""
    if isinstance(node, VariableNode):
        yield node.name.value
    elif isinstance(node, ListValueNode):
        for one in node.values:
            yield from _variables(one)
    elif isinstance(node, ObjectValueNode):
        for field in node.fields:
            yield from _variables(field.value)


def _parsed(kind: Any, value: ValueNode) -> Any:
    try:
        return kind.parse_literal(value)
    except (GraphQLError, TypeError, ValueError):
        return Undefined


#: What a document is validated by.
RULES = (
    *(
        rule
        for rule in specified_rules
        if rule not in (ValuesOfCorrectTypeRule, ProvidedRequiredArgumentsRule)
    ),
    WrittenValuesRule,
    RefusedUsesRule,
)
