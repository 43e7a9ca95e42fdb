"""Documents that are not valid against the schema, refused in Shopify's words and codes."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError

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
        r"Field '(?P<name>\w+)' argument '(?P<arguments>\w+)' of type .* is required",
        "Field '{name}' is missing required arguments: {arguments}",
        "missingRequiredArguments",
        ("name", "arguments"),
    ),
    (
        r"Argument '(?:\w+\.)?(?P<name>\w+)\((?P<arguments>\w+):\)' of type .* is required",
        "Field '{name}' is missing required arguments: {arguments}",
        "missingRequiredArguments",
        ("name", "arguments"),
    ),
    (
        r"Variable '\$(?P<variableName>\w+)' is never used",
        "Variable ${variableName} is declared by anonymous query but not used",
        "variableNotUsed",
        ("variableName",),
    ),
    (
        r"Variable '\$(?P<variableName>\w+)' is not defined",
        "Variable ${variableName} is used by anonymous query but not declared",
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


#: How graphql-core complains of a value that is written out in the document.
_LITERAL = re.compile(
    r"Expected value|cannot represent|does not exist in '\w+' enum|is not defined by type"
)


def validation_error(error: GraphQLError) -> dict[str, Any]:
    """An error of graphql-core's validation as Shopify would show it."""
    for pattern, message, code, named in _TRANSLATIONS:
        match = re.match(pattern, error.message)
        if match:
            found = match.groupdict()
            extensions = {"code": code, **{name: found[name] for name in named}}
            return {
                "message": message.format(**found),
                **_locations(error),
                "extensions": extensions,
            }
    code = "argumentLiteralsIncompatible" if _LITERAL.search(error.message) else "invalidDocument"
    return {"message": error.message, **_locations(error), "extensions": {"code": code}}


def syntax_error(error: GraphQLError) -> dict[str, Any]:
    """Text that is no GraphQL at all."""
    return {"message": error.message.replace("Syntax Error:", "syntax error,"), **_locations(error)}


def _locations(error: GraphQLError) -> dict[str, Any]:
    return {
        "locations": [
            {"line": place.line, "column": place.column} for place in error.locations or ()
        ]
    }
