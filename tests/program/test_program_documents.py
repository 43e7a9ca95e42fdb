"""Every GraphQL document.

Valid against every schema that Shopify publishes for it, and known by its price.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from group_world import listing
from program_world import World

import invsync.admin
import invsync.sandbox
from invsync import API_VERSIONS, find
from invsync.admin.client import Client
from invsync.admin.documents import Document, load
from invsync.admin.levels import VARIANTS_BESIDE
from invsync.sandbox.exchange import Answer, Request

DOCUMENTS = sorted(path.stem for path in Path(invsync.admin.__file__).parent.glob("*.graphql"))
SCHEMAS = Path(invsync.sandbox.__file__).parent / "schema"


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, GraphQLSchema]:
    """Version → Shopify's published schema, as far as it is copied into the package."""
    return {
        path.stem.removeprefix("admin-"): build_schema(path.read_text(encoding="utf-8"))
        for path in sorted(SCHEMAS.glob("admin-*.graphql"))
    }


def test_there_is_a_schema_for_every_version_that_may_be_configured(
    schemas: Mapping[str, GraphQLSchema],
) -> None:
    assert tuple(schemas) == API_VERSIONS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_against_every_version(
    name: str, schemas: Mapping[str, GraphQLSchema]
) -> None:
    document = parse(load(name).text)
    problems = {version: validate(schema, document) for version, schema in schemas.items()}
    assert not any(problems.values()), problems


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_holds_exactly_one_operation_with_a_name_of_its_own(name: str) -> None:
    (definition,) = parse(load(name).text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name is not None
    assert (
        definition.name.value
        == load(name).operation
        == "".join(word.title() for word in name.split("_"))
    )


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if load(name).is_query])
def test_only_the_adjustment_and_the_start_of_a_bulk_operation_change_anything(name: str) -> None:
    assert {other for other in DOCUMENTS if not load(other).is_query} == {"adjust", "start_bulk"}
    assert load(name).repeatable


def test_the_adjustment_carries_its_key() -> None:
    assert load("adjust").repeatable
    assert re.search(r"@idempotent\(key: \$key\)", load("adjust").text)
    assert not load("start_bulk").repeatable


# --- Prices ---------------------------------------------------------------------------------------


def prices(world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Filled with every call.

    Its operation, what the client takes it to cost, and what the shop says it asked.
    """
    expected: list[tuple[str, int]] = []
    seen: list[tuple[str, int, int]] = []
    assert world.server is not None
    sandbox, execute = world.server.sandbox, Client.execute
    answer = sandbox.answer

    def priced(
        self: Client, document: Document, variables: Mapping[str, Any], *, cost: int
    ) -> dict[str, Any]:
        expected.append((document.name, cost))
        return execute(self, document, variables, cost=cost)

    def answered(request: Request) -> Answer:
        given = answer(request)
        if "graphql.json" in request.path:
            assert isinstance(given.body, bytes)
            asked = json.loads(given.body)["extensions"]["cost"]["requestedQueryCost"]
            seen.append((*expected[-1], asked))
        return given

    monkeypatch.setattr(Client, "execute", priced)
    monkeypatch.setattr(sandbox, "answer", answered)
    return seen


def test_the_client_knows_what_each_operation_costs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = prices(world, monkeypatch)
    large = [f"L-{number:03}" for number in range(VARIANTS_BESIDE + 300)]
    world.add("Large", large)
    places = [world.shop.add_location(f"Shelf {number:03}") for number in range(260)]
    world.add("Print", "P-S P-M P-L", locations=places[:6])
    world.add("Tea", ["TEA"], locations=places)
    world.run("check", exit_code=None)
    for scan in ("complete", "changes"):
        world.configure(
            variants={"product_types": ["Print"], "scan": scan, "location": "Shelf 000"},
            locations={"scan": scan},
        )
        for command in ("variants", "locations"):
            world.run(command, exit_code=None)
            world.shop.sell("P-S", 1, places[0])
            world.shop.sell("TEA", 1, places[-1])
            world.time.pass_by(minutes=1)
            world.run(command, exit_code=None)
    world.configure(variants={"product_types": ["Print"]})
    world.run("variants", "--init", "--reset")
    world.sell("L-000", 2)
    world.run("variants")
    assert set(world.reads(" ".join(large))) == {28}
    twins = [listing(world, f"Twin {number}", "TWIN") for number in (1, 2)]
    for scan in ("complete", "changes"):
        world.configure(variants={"skus": "all", "scan": scan})
        world.run("variants", "--init", "--reset", exit_code=None)
        world.shop.sell(twins[0].item, 1)
        world.time.pass_by(minutes=1)
        world.run("variants", exit_code=None)
    monkeypatch.setattr(find, "DEAR_POINTS", 0)
    world.run("variants", "--init", "--reset", exit_code=None)
    world.configure(variants={"product_types": ["Print"]})
    world.run("variants", "--init", "--reset")
    world.run("locations", "--init", "--reset", exit_code=None)

    for name in ("P-S", world.shop.variant("P-S").gid):
        world.run("locations", "--only", name, exit_code=None)

    assert {call for call in seen if call[1] != call[2]} == set()
    # The bulk queries are sent inside `start_bulk`.
    bulk = {"bulk_products", "bulk_items", "bulk_variants"}
    assert {name for name, _, _ in seen} == set(DOCUMENTS) - bulk
    assert max(asked for _, _, asked in seen) <= 1000


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_whole_job_works_with_every_version(world: World, version: str) -> None:
    world.configure(api_version=version)
    world.add("Print", "P-S P-M P-L", locations=("Warehouse", "Till"))
    for command in ("variants", "locations"):
        world.run(command, "--init")
    world.sell("P-S P-M", 3)
    world.run("variants")
    assert world.reads("P-S P-M P-L") == [24] * 3
    world.run("locations")
    assert world.reads("P-S P-M P-L", "Till") == [24] * 3
    assert {request.path for request in world.asked} == {f"/admin/api/{version}/graphql.json"}
