"""Operations run as graphql-core runs them, whatever they select: data, nulls, errors and places.

Documents are made by dice from the schema itself. The other side is graphql-core's own executor,
asked through resolvers that read the same tables.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    execute,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)

from invsync.sandbox.access import READ_SCOPES
from invsync.sandbox.byid import type_name
from invsync.sandbox.context import Context
from invsync.sandbox.execution import _shown, prepare
from invsync.sandbox.failures import access_denied
from invsync.sandbox.fields import reading
from invsync.sandbox.published import published

VERSION = "2026-10"


@pytest.fixture(scope="module")
def reference() -> GraphQLSchema:
    """The schema, with resolvers for graphql-core's executor."""
    place = resources.files("invsync.sandbox").joinpath("schema", f"admin-{VERSION}.graphql")
    schema = build_schema(place.read_text("utf-8"))
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLInterfaceType):
            kind.resolve_type = lambda thing, info, abstract: type_name(thing)
        elif isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                attach(name, field_name, field)
    return schema


def attach(parent: str, name: str, field: Any) -> None:
    answer, returned = reading(parent, name), get_named_type(field.type).name
    scope = READ_SCOPES.get(returned.removesuffix("Connection"))
    if parent.endswith(("Connection", "Edge")):
        scope = None

    def resolve(thing: Any, info: Any, **args: Any) -> Any:
        ctx = info.context
        if args:
            ctx.path = info.path.as_list
        if scope is not None and not ctx.may(scope) and not only_id(returned, info):
            raise access_denied(name, scope)
        return answer(thing, args, ctx)

    field.resolve = resolve


def only_id(returned: str, info: Any) -> bool:
    """Whether of a location nothing but its id is asked; the dice make no fragments on others."""
    asked = [one for node in info.field_nodes for one in names_in(node.selection_set, info)]
    return returned == "Location" and set(asked) <= {"id", "__typename"}


def names_in(selections: Any, info: Any) -> Iterator[str]:
    for node in selections.selections if selections else ():
        if node.kind == "field":
            yield node.name.value
        elif node.kind == "inline_fragment":
            yield from names_in(node.selection_set, info)
        else:
            yield from names_in(info.fragments[node.name.value].selection_set, info)


class Dice:
    """Makes documents."""

    def __init__(self, seed: int, schema: GraphQLSchema, ids: list[str]) -> None:
        self.dice = random.Random(seed)
        self.schema, self.ids = schema, ids
        self.fragments: list[str] = []
        self.keys = 0

    def document(self) -> str:
        root = self.schema.query_type
        assert root is not None
        body = self.selection(root, 0)
        begin = "query Q($yes: Boolean = true) { __typename @include(if: $yes) ..."
        return "\n".join([f"{begin} on {root.name} {body} }}", *self.fragments])

    def selection(self, kind: Any, depth: int) -> str:
        if isinstance(kind, GraphQLInterfaceType):
            possible = self.schema.get_possible_types(kind)
            some = self.dice.sample(list(possible), min(3, len(possible)))
            parts = [f"... on {one.name} {self.selection(one, depth)}" for one in some]
            return "{ __typename id " + " ".join(parts) + " }"
        names = list(kind.fields)
        some = self.dice.sample(names, min(len(names), self.dice.randint(1, 4)))
        parts = [self.field(kind, name, depth) for name in some] + ["__typename"]
        inner = " ".join(filter(None, parts))
        match self.dice.randrange(8):
            case 0:
                self.fragments.append(f"fragment F{len(self.fragments)} on {kind.name} {{{inner}}}")
                return f"{{ ...F{len(self.fragments) - 1} }}"
            case 1:
                return f"{{ ... on {kind.name} {{ {inner} }} {inner} }}"
            case 2:
                return f"{{ {inner} ... @skip(if: $yes) {{ {inner} }} }}"
        return f"{{ {inner} }}"

    def field(self, kind: Any, name: str, depth: int) -> str:
        field = kind.fields[name]
        inner = get_named_type(field.type)
        if not is_leaf_type(inner) and depth > 4:
            return ""
        self.keys += 1
        given = self.arguments(field)
        condition = self.dice.choice(["", "", "", "@include(if: $yes)", "@skip(if: $yes)"])
        below = "" if is_leaf_type(inner) else self.selection(inner, depth + 1)
        return f"k{self.keys}: {name}{given} {condition} {below}"

    def arguments(self, field: Any) -> str:
        given = []
        for name, argument in field.args.items():
            must = is_non_null_type(argument.type)
            if name != "first" and not must:
                continue
            if (value := self.value(name, argument.type)) is not None:
                given.append(f"{name}: {value}")
        return f"({', '.join(given)})" if given else ""

    def value(self, name: str, kind: Any) -> str:
        if is_non_null_type(kind):
            kind = kind.of_type
        if is_list_type(kind):
            return f"[{', '.join(self.value(name, kind.of_type) for _ in range(3))}]"
        match get_named_type(kind).name:
            case "Int":
                return str(self.dice.randint(1, 4))
            case "ID":
                return f'"{self.dice.choice(self.ids)}"'
            case "Boolean":
                return "true"
        if name == "names":
            return self.dice.choice(['"available"', '"on_hand"', '"committed"', '"none"'])
        return '"wrong"'


def seen(result: Any) -> tuple[Any, list[Any]]:
    errors = [_shown(error) for error in result.errors or ()]
    return result.data, sorted(errors, key=repr)


SCOPES = ("read_products", "read_inventory", "read_locations")


@pytest.mark.parametrize("seed", range(60))
def test_it_answers_as_graphql_core_does(seed: int, shop: Any, reference: GraphQLSchema) -> None:
    things = [*shop.products.values(), *shop.variants.values(), *shop.levels.values()]
    ids = [one.gid for one in (*things, *shop.items.values(), *shop.locations.values())]
    dice = Dice(seed, reference, [*ids, "gid://shopify/Product/1"])
    text = dice.document()
    document = parse(text)
    assert validate(reference, document) == []
    scopes = frozenset(dice.dice.sample(SCOPES, dice.dice.randint(0, 3)))
    ready = prepare(VERSION, text)
    for variables in ({}, {"yes": False}):
        whole = {"yes": True, **variables}
        ours = ready.executor(published(VERSION), "Q", whole)
        other = execute(
            reference,
            document,
            context_value=Context(shop, VERSION, scopes),
            variable_values=variables,
        )
        assert seen(ours.run(Context(shop, VERSION, scopes), variables)) == seen(other)


def test_the_dice_reach_everything(shop: Any, reference: GraphQLSchema) -> None:
    texts = [Dice(seed, reference, ["no id"]).document() for seed in range(60)]
    for word in ("fragment", "@skip", "@include", "edges", "nodes", "pageInfo", "quantities"):
        assert any(word in text for text in texts), word


@pytest.mark.parametrize(
    "text",
    [
        '{ __type(name: "Product") { kind name fields(includeDeprecated: true) { name } } }',
        "{ __schema { queryType { name } types { name kind } } shop { name } }",
    ],
)
def test_the_schema_tells_of_itself(text: str, shop: Any, reference: GraphQLSchema) -> None:
    ctx = Context(shop, VERSION, frozenset(SCOPES))
    other = execute(reference, parse(text), context_value=ctx)
    ours = prepare(VERSION, text).executor(published(VERSION), "", {})
    assert seen(ours.run(ctx, {})) == seen(other)
