"""What 0.1.0 left in its state folder is read, and finished: an upgrade loses nothing.

The folders were made by 0.1.0 (`tests/state/make_v0_1_0.py`).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from program_world import NOON, TOKEN, World

from invsync import connect
from invsync.admin.auth import AccessToken
from invsync.admin.client import Client
from invsync.admin.documents import load
from invsync.state.cache import read_cache
from invsync.state.files import Command, Files
from invsync.state.journal import read_journal
from invsync.sync import Managed, Unmanaged

FOLDERS = Path(__file__).parent.parent / "state" / "v0.1.0"
COMMANDS: tuple[Command, ...] = ("variants", "locations")


def take_up(world: World, name: str) -> dict[str, dict[str, Any]]:
    """The state folder of that name in the world, and the shop as it read then.

    Titles → products.
    """
    about = json.loads((FOLDERS / name / "shop.json").read_text(encoding="utf-8"))
    assert about["made_by"] == "0.1.0"
    world.time.pass_by(seconds=about["at"] - NOON)
    world.state.mkdir(mode=0o700)
    for path in (FOLDERS / name).iterdir():
        if path.name != "shop.json":
            shutil.copyfile(path, world.state / path.name)
            (world.state / path.name).chmod(0o600)
    places = {place.name: place for place in world.shop.locations.values()}
    for product in about["products"]:
        first = product["items"][0]["levels"]
        skus = " ".join(item["sku"] for item in product["items"])
        made = world.add(product["title"], skus, 0, locations=[places[name] for name in first])
        assert made.gid == product["gid"]
        for item in product["items"]:
            assert world.shop.item(item["sku"]).gid == item["gid"]
            for place, units in item["levels"].items():
                world.shop.set_available(item["sku"], units, place)
    keys = {"product_types": ["Print"], "several_rises": "hold"}
    world.configure(variants=keys, locations=keys)
    return {product["title"]: product for product in about["products"]}


def levels(world: World, product: dict[str, Any]) -> list[int]:
    """What the levels of a product read, in the order in which it was told."""
    return [
        world.shop.level(item["sku"], place).available
        for item in product["items"]
        for place in item["levels"]
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_kind_of_pool_is_read(tmp_path: Path, command: Command) -> None:
    cache = read_cache(Files(FOLDERS / f"{command}-waiting", command))
    assert cache is not None
    pools = {cache.title(pool_id): cache.get(pool_id) for pool_id in cache.pools}
    problems = {entry.title: entry.problem and entry.problem.kind for entry in cache.pools.values()}
    assert len(pools) == 21 + 8
    braked = [pools[f"Braked {number:02}"] for number in range(1, 22)]
    assert [pool.on_release for pool in braked if isinstance(pool, Managed)] == [5] * 21
    numbers = {
        title: pool.quantity if isinstance(pool, Managed) else None for title, pool in pools.items()
    }
    assert numbers["Plain größer"] == 27
    assert numbers["Held"] == 10
    assert numbers["Count"] == 3
    assert numbers["Single"] == 4
    held, count, alone, apart = (pools[title] for title in ("Held", "Count", "Alone", "Apart"))
    assert isinstance(held, Managed)
    assert sorted(held.held.values()) == [2, 3]
    assert held.on_release == 2, "let through, they count as the smallest"
    assert isinstance(count, Managed)
    assert not count.held, "a stock count is no longer held: it counts as a fall"
    assert {level.last.available for level in count.levels.values()} == {3}
    assert {level.last.on_hand for level in count.levels.values()} == {None}
    assert isinstance(alone, Unmanaged)
    assert alone.left_alone
    assert isinstance(apart, Unmanaged)
    assert not apart.left_alone
    assert problems["Apart"] == "out_of_sync"
    assert problems["Refused"] == "refused"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_goes_on_with_what_waits(world: World, command: Command) -> None:
    products = take_up(world, f"{command}-waiting")
    told = {product: levels(world, products[product]) for product in products}
    world.run("status", exit_code=3)
    assert "30 → 27" in world.run("explain", "Plain größer").out
    document = world.run(command, "--json", exit_code=3).document
    assert not any(warning["kind"] == "left" for warning in document["warnings"])
    changed = {change["title"] for change in document["changes"]}
    assert {"Plain größer", "Held", "Alone", "Apart", "Single", *told} - changed >= {
        "Plain größer",
        "Alone",
        "Apart",
        "Single",
    }
    for title in ("Plain größer", "Alone", "Apart", "Single"):
        assert levels(world, products[title]) == told[title], title
    sku, place = where(products["Plain größer"], 1)
    world.shop.sell(sku, 2, place)
    world.run(command, exit_code=3)
    assert levels(world, products["Plain größer"]) == [25] * 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stock_count_that_was_held_counts_as_falls_and_is_told(
    world: World, command: Command
) -> None:
    products = take_up(world, f"{command}-waiting")
    assert levels(world, products["Count"]) == [1, 1]
    document = world.run(command, "--json", exit_code=3).document
    told = {one["kind"]: one["message"] for one in document["problems"] if one["title"] == "Count"}
    assert sorted(told) == ["fell_alike", "oversold"]
    assert "to 1 in Shopify" in told["fell_alike"]
    assert levels(world, products["Count"]) == [-1, -1]
    sku, place = where(products["Count"], 0)
    world.shop.set_available(sku, 1, place)
    world.run(command, exit_code=3)
    assert levels(world, products["Count"]) == [1, 1], "as the message says"


def where(product: dict[str, Any], at: int) -> tuple[str, str]:
    """SKU and location of a product's level."""
    return [(item["sku"], place) for item in product["items"] for place in item["levels"]][at]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_waits_for_force_is_let_through(world: World, command: Command) -> None:
    products = take_up(world, f"{command}-waiting")
    world.run(command, "--force", exit_code=3)
    for number in range(1, 22):
        assert levels(world, products[f"Braked {number:02}"]) == [15, 15]


def arrive(world: World, variables: dict[str, Any]) -> None:
    """The call arrived at the shop, and was answered to nobody.

    What it changed reads so already.
    """
    for change in variables["input"]["changes"]:
        item = next(
            one for one in world.shop.items.values() if one.gid == change["inventoryItemId"]
        )
        world.shop.set_available(
            item.sku,
            level_of(world, item.sku, change["locationId"]) - change["delta"],
            change["locationId"],
        )
    assert world.server is not None
    client = Client(
        endpoint=world.server.url,
        api_version="2026-10",
        credentials=AccessToken(TOKEN),
        session=requests.Session(),
        clock=connect.RunClock(60.0),
    )
    client.execute(load("adjust"), variables, cost=10)


def level_of(world: World, sku: str, location: str) -> int:
    return world.shop.level(sku, location).available


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_was_cut_off_is_finished(world: World, command: Command) -> None:
    products = take_up(world, f"{command}-cut-off")
    journal = read_journal(Files(world.state, command), "sandbox.myshopify.com")
    assert journal is not None
    assert [batch.applied for batch in journal.batches] == [True, False, None]
    assert [batch.here for batch in journal.batches] == [None] * 3
    read = {title: levels(world, products[title]) for title in products}
    assert read == {
        "Applied": [27, 27],
        "Refused": [27, 30],
        "Open": [27, 27],
        "Later": [27, 30],
    }
    (left,) = journal.open
    arrive(world, left.variables)
    assert {title: levels(world, products[title]) for title in products} == read
    world.run("status", exit_code=3)
    world.run(command)
    for title in products:
        assert levels(world, products[title]) == [27, 27], title
    assert not world.place(command, "journal").exists()
    calls = [one.graphql["variables"] for one in world.asked if one.operation == "Adjust"]
    assert calls[0] == left.variables
    lines = (world.state / "history.jsonl").read_text(encoding="utf-8").splitlines()
    sent = [line for line in map(json.loads, lines) if "delta" in line]
    assert sorted(line["title"] for line in sent) == ["Applied", "Later", "Open", "Refused"]
    for title in products:
        assert "30 → 27" in world.run("explain", title).out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_batch_that_never_arrived_is_sent(world: World, command: Command) -> None:
    products = take_up(world, f"{command}-cut-off")
    sku, place = where(products["Open"], 1)
    world.shop.set_available(sku, 30, place)
    world.run(command)
    for title in products:
        assert levels(world, products[title]) == [27, 27], title


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_was_killed_before_it_wrote_its_cache_is_finished(
    world: World, command: Command
) -> None:
    products = take_up(world, f"{command}-unwritten")
    assert levels(world, products["Applied"]) == [27] * 3
    world.run(command)
    assert world.batches == []
    assert levels(world, products["Applied"]) == [27] * 3
    sku, place = where(products["Applied"], 2)
    world.shop.sell(sku, 1, place)
    world.run(command)
    assert levels(world, products["Applied"]) == [26] * 3
    assert "27 → 26" in world.run("explain", "Applied").out
