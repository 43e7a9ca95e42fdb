"""Documents that are not valid against the schema, refused in Shopify's words and codes."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from graphql.language import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    Lexer,
    Node,
    OperationDefinitionNode,
    Source,
    SourceLocation,
    TokenKind,
    VariableDefinitionNode,
)

#: graphql-core's message → Shopify's message, code, and what `extensions` says beside it.
_TRANSLATIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        r"Cannot query field '(?P<fieldName>\w+)' on type '(?P<typeName>\w+)'",
        "Field '{fieldName}' doesn't exist on type '{typeName}'",
        "undefinedField",
        ("typeName", "fieldName"),
    ),
    (
        r"Field '(?P<fieldName>\w+)' of type '(?P<typeName>[^']+)' must have a selection of "
        r"subfields",
        "Field must have selections (field '{fieldName}' returns {typeName} but has no selections."
        " Did you mean '{fieldName} {{ ... }}'?)",
        "selectionMismatch",
        (),
    ),
    (
        r"Field '(?P<fieldName>\w+)' must not have a selection since type '(?P<typeName>[^']+)' "
        r"has no subfields",
        "Selections can't be made on scalars (field '{fieldName}' returns {typeName} but has "
        "selections)",
        "selectionMismatch",
        (),
    ),
    (
        r"Unknown argument '(?P<argumentName>\w+)' on field '(?P<typeName>\w+)\.(?P<name>\w+)'",
        "Field '{name}' doesn't accept argument '{argumentName}'",
        "argumentNotAccepted",
        ("name", "typeName", "argumentName"),
    ),
    (
        r"Unknown argument '(?P<argumentName>\w+)' on directive '@(?P<name>\w+)'",
        "Directive '{name}' doesn't accept argument '{argumentName}'",
        "argumentNotAccepted",
        ("name", "argumentName"),
    ),
    (
        r"Variable '\$(?P<variableName>\w+)' is never used",
        "Variable ${variableName} is declared by {operation} but not used",
        "variableNotUsed",
        ("variableName",),
    ),
    (
        r"Variable '\$(?P<variableName>\w+)' is not defined",
        "Variable ${variableName} is used by {operation} but not declared",
        "variableNotDefined",
        ("variableName",),
    ),
    (
        r"Variable '\$(?P<variableName>\w+)' of type '(?P<typeName>[^']+)' used in position "
        r"expecting type",
        "Type mismatch on variable ${variableName} ({typeName})",
        "variableMismatch",
        ("variableName", "typeName"),
    ),
    (
        r"Fragment '(?P<fragmentName>\w+)' is never used",
        "Fragment {fragmentName} was defined, but not used",
        "useAndDefineFragment",
        ("fragmentName",),
    ),
    (
        r"Unknown fragment '(?P<fragmentName>\w+)'",
        "Fragment {fragmentName} was used, but not defined",
        "useAndDefineFragment",
        ("fragmentName",),
    ),
    (
        r"Unknown directive '@(?P<directiveName>\w+)'",
        "Directive @{directiveName} is not defined",
        "undefinedDirective",
        ("directiveName",),
    ),
    (
        r"Unknown type '(?P<typeName>\w+)'",
        "{typeName} isn't a defined input type",
        "undefinedType",
        ("typeName",),
    ),
)


def validation_error(error: GraphQLError, document: DocumentNode) -> dict[str, Any]:
    """An error of a document's validation as Shopify would show it."""
    node = error.nodes[0] if error.nodes else None
    operation = _operation_of(document, node)
    if isinstance(node, VariableDefinitionNode):
        node = operation
    # Recorded: a written value that does not fit is placed where its field begins.
    holder = error.nodes[1] if error.nodes and len(error.nodes) > 1 else None
    placed = GraphQLError("", holder) if isinstance(holder, FieldNode) else error
    where = {**_locations(placed, node), "path": _path(document, node)}
    if error.extensions:
        return {"message": error.message, **where, "extensions": error.extensions}
    for pattern, message, code, named in _TRANSLATIONS:
        match = re.match(pattern, error.message)
        if match:
            found = {**match.groupdict(), "operation": _name(operation)}
            extensions = {"code": code, **{name: found[name] for name in named}}
            if code == "argumentNotAccepted" and "typeName" in extensions:
                extensions["typeName"] = "Field"
            return {"message": message.format(**found), **where, "extensions": extensions}
    return {"message": error.message, **where, "extensions": {"code": "invalidDocument"}}


def syntax_error(error: GraphQLSyntaxError) -> dict[str, Any]:
    """Text that is no GraphQL at all.

    Recorded for text that ends too early: its end is placed where its last word begins.
    """
    found = re.search(r"(?:found|Unexpected) (.+?)\.?$", error.description)
    said = f"unexpected {found[1]}" if found else error.description.removesuffix(".")
    place = error.locations[0] if error.locations else None
    if error.source and place and said == "unexpected <EOF>":
        said, place = "unexpected end of file", _last_token(error.source) or place
    where = [{"line": place.line, "column": place.column}] if place else []
    at = f" at [{place.line}, {place.column}]" if place else ""
    return {
        "message": f"syntax error, {said}{at}",
        "locations": where,
        "extensions": {"code": "PARSE_ERROR"},
    }


def _last_token(source: Source) -> SourceLocation | None:
    """Where the last token of a text begins that ends too early."""
    lexer, last = Lexer(source), None
    while (token := lexer.advance()).kind != TokenKind.EOF:
        last = SourceLocation(token.line, token.column)
    return last


def _locations(error: GraphQLError, node: Node | None) -> dict[str, Any]:
    if isinstance(node, OperationDefinitionNode) and node.loc:
        token = node.loc.start_token
        return {"locations": [{"line": token.line, "column": token.column}]}
    places = error.locations or ()
    return {"locations": [{"line": place.line, "column": place.column} for place in places[:1]]}


def _name(operation: OperationDefinitionNode | None) -> str:
    return operation.name.value if operation and operation.name else "anonymous query"


def _operation_of(document: DocumentNode, node: Node | None) -> OperationDefinitionNode | None:
    """The operation in which a node stands, or the only one there is."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return next(
        (one for one in operations if _way(one, node) is not None),
        operations[0] if len(operations) == 1 else None,
    )


def _path(document: DocumentNode, node: Node | None) -> list[str]:
    """Where a node stands, as recorded.

    `["query Name", "products", "... on Product", "argument"]`.
    """
    ways = (_way(one, node) for one in document.definitions)
    return next((way for way in ways if way is not None), [])


def _way(here: Node, wanted: Node | None) -> list[str] | None:
    step = _step(here)
    if here is wanted:
        return step
    for key in here.keys:
        held = getattr(here, key)
        for below in held if isinstance(held, tuple | list) else (held,):
            way = _way(below, wanted) if isinstance(below, Node) else None
            if way is not None:
                return [*step, *way]
    return None


def _step(node: Node) -> list[str]:
    if isinstance(node, OperationDefinitionNode):
        name = f" {node.name.value}" if node.name else ""
        return [f"{node.operation.value}{name}"]
    if isinstance(node, FragmentDefinitionNode):
        return [f"fragment {node.name.value}"]
    if isinstance(node, InlineFragmentNode):
        return [f"... on {node.type_condition.name.value}" if node.type_condition else "..."]
    if isinstance(node, FieldNode):
        return [node.alias.value if node.alias else node.name.value]
    return [node.name.value] if isinstance(node, ArgumentNode) else []
