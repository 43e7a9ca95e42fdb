"""One operation, from its text to the answer's JSON: validate, charge, execute, settle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    parse,
    validate,
)
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    ListValueNode,
    OperationDefinitionNode,
    Visitor,
    visit,
)
from graphql.validation import NoDeprecatedCustomRule

from invsync.sandbox import bulk_work, cost
from invsync.sandbox.context import Context
from invsync.sandbox.executor import Executor
from invsync.sandbox.failures import LIMIT_DOCS, error_answer, internal_error, too_many
from invsync.sandbox.invalid import syntax_error, validation_error
from invsync.sandbox.literals import RULES
from invsync.sandbox.published import published
from invsync.sandbox.variables import invalid_variables, longest_array, with_defaults

#: The most elements that one input array may have.
INPUT_LIMIT = 250


@dataclass(slots=True)
class Prepared:
    """A document made ready for one version: parsed, validated, its costs known."""

    errors: list[dict[str, Any]]
    operations: dict[str, OperationDefinitionNode] = field(default_factory=dict)
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    costs: dict[str, cost.CostPlan] = field(default_factory=dict)
    longest_literal: int = 0
    #: Deprecated members that the document uses, such as `Location.isPrimary`.
    deprecated: tuple[str, ...] = ()
    _executors: dict[tuple[Any, ...], Executor] = field(default_factory=dict)

    def chosen(self, name: str | None) -> str | None:
        """The name of the operation to run (empty for an unnamed one).

        None if that is not clear.
        """
        if name:
            return name if name in self.operations else None
        return next(iter(self.operations)) if len(self.operations) == 1 else None

    def executor(self, schema: GraphQLSchema, name: str, variables: Mapping[str, Any]) -> Executor:
        """What carries out the operation, made once for what its true and false variables say."""
        said = (
            name,
            *((key, value) for key, value in variables.items() if isinstance(value, bool)),
        )
        if said not in self._executors:
            operation = self.operations[name]
            self._executors[said] = Executor(schema, self.fragments, operation, variables)
        return self._executors[said]

    def root_fields(self, name: str) -> list[str]:
        """The names of the operation's top-level fields."""
        nodes = self.operations[name].selection_set.selections
        return [node.name.value for node in nodes if isinstance(node, FieldNode)]


@lru_cache(maxsize=256)
def prepare(version: str, text: str) -> Prepared:
    """Parse and validate a document, once for its text."""
    schema = published(version)
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        return Prepared([syntax_error(error)])
    errors = validate(schema, document, RULES)
    if errors:
        return Prepared([validation_error(error, document) for error in errors])
    operations = {
        node.name.value if node.name else "": node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    costs = {name: cost.cost_plan(schema, document, node) for name, node in operations.items()}
    stale = validate(schema, document, [NoDeprecatedCustomRule])
    members = dict.fromkeys(
        name for error in stale for name in re.findall(r"The field (\w+\.\w+) ", error.message)
    )
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    longest = _longest_literal(document)
    return Prepared([], operations, fragments, costs, longest, tuple(members))


@lru_cache(maxsize=256)
def named(text: str) -> tuple[str, ...]:
    """The names of a document's operations, then of their top-level fields.

    Empty for text that is none.
    """
    try:
        document = parse(text)
    except GraphQLSyntaxError:
        return ()
    nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    names = [node.name.value for node in nodes if node.name]
    fields = [
        one.name.value
        for node in nodes
        for one in node.selection_set.selections
        if isinstance(one, FieldNode)
    ]
    return (*names, *fields)


def requested_cost(version: str, text: str, variables: Mapping[str, Any] | None = None) -> int:
    """What the only operation of a document costs before it runs.

    Raises ValueError for an invalid one.
    """
    ready = prepare(version, text)
    name = ready.chosen(None)
    if name is None:
        raise ValueError(ready.errors or "the document must hold one operation")
    return ready.costs[name].requested(with_defaults(ready.operations[name], variables or {}))


def run(
    ctx: Context, text: str, variables: Mapping[str, Any], operation_name: str | None = None
) -> dict[str, Any]:
    """Run one operation and give the answer's JSON document."""
    ready = prepare(ctx.version, text)
    if ready.errors:
        return {"errors": ready.errors}
    name = ready.chosen(operation_name)
    if name is None:
        return error_answer("An operation name is required", "BAD_REQUEST")
    operation = ready.operations[name]
    schema = published(ctx.version)
    errors = invalid_variables(schema, operation, variables)
    if errors:
        return {"errors": errors}
    ctx.variables = with_defaults(operation, variables)
    longest = max(longest_array(ctx.variables), ready.longest_literal)
    if longest > INPUT_LIMIT:
        return too_many(longest, ready.root_fields(name)[:1])
    plan = ready.costs[name]
    requested = plan.requested(ctx.variables)
    if ctx.interference.throttled:
        cost.drain(ctx.shop.account.bucket, ctx.shop.now())
    refused = _charge(ctx, requested)
    if refused is not None:
        return refused
    bulk_work.settle(ctx)
    result = ready.executor(schema, name, ctx.variables).run(ctx, variables)
    return _settled(ctx, plan, result)


def _charge(ctx: Context, requested: int) -> dict[str, Any] | None:
    """Refuse what costs more than a query may, or than is in the bucket; None if it may run."""
    if requested > cost.QUERY_LIMIT:
        return error_answer(
            f"Query cost is {requested}, which exceeds the single query max cost limit "
            f"({cost.QUERY_LIMIT}).",
            "MAX_COST_EXCEEDED",
            cost=requested,
            maxCost=cost.QUERY_LIMIT,
            documentation=LIMIT_DOCS,
        )
    shop = ctx.shop
    cost.refill(shop.account.bucket, shop.settings, shop.now())
    return (
        throttled(ctx, requested)
        if shop.account.bucket.available + cost.ROUNDING < requested
        else None
    )


def throttled(ctx: Context, requested: int) -> dict[str, Any]:
    """The answer to a request that the bucket can't pay for: status 200 and no data."""
    answer = error_answer("Throttled", "THROTTLED", documentation=LIMIT_DOCS)
    answer["extensions"] = {
        "cost": cost.shown(ctx.shop.account.bucket, ctx.shop.settings, requested, None)
    }
    return answer


def _settled(ctx: Context, plan: cost.CostPlan, result: ExecutionResult) -> dict[str, Any]:
    shop = ctx.shop
    actual = plan.actual(result.data, ctx.variables)
    shop.account.bucket.available -= actual
    answer: dict[str, Any] = {"data": result.data}
    errors = [_shown(error) for error in result.errors or ()]
    if ctx.beside_data:
        errors += internal_error("sandbox")["errors"]
    if errors:
        answer = {"errors": errors, **answer}
    answer["extensions"] = {
        "cost": cost.shown(
            shop.account.bucket, shop.settings, plan.requested(ctx.variables), actual
        )
    }
    if ctx.searches:
        answer["extensions"]["search"] = ctx.searches
    return answer


def _shown(error: GraphQLError) -> dict[str, Any]:
    """An error of a field, in Shopify's shape."""
    original = error.original_error
    if original is not None and not isinstance(original, GraphQLError):
        raise original
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [
            {"line": place.line, "column": place.column} for place in error.locations
        ]
    if error.path:
        shown["path"] = error.path
    extensions = error.extensions or (original.extensions if original is not None else None)
    if extensions:
        shown["extensions"] = extensions
    return shown


class _Lists(Visitor):
    """Finds the longest list that is written out in a document."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0

    def enter_list_value(self, node: ListValueNode, *_: Any) -> None:
        self.longest = max(self.longest, len(node.values))


def _longest_literal(document: DocumentNode) -> int:
    lists = _Lists()
    visit(document, lists)
    return lists.longest
