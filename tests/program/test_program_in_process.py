"""The door in the process: `shop: sandbox`, with the shop in a file beside the cache."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from program_world import World, clean_environment

from invsync.sandbox.state import StateFile

CONFIG = (
    "shop: sandbox\nvariants: {product_types: [Print]}\nlocations: {product_types: [Kitchen]}\n"
)
PRINTS = ("PRINT-S", "PRINT-M", "PRINT-L", "PRINT-XL")


@pytest.fixture
def boxed(world: World) -> World:
    """A world whose configuration names no address: the shop is the one in `sandbox.json`."""
    world.configure(CONFIG)
    return world


def reads(world: World, *skus: str, location: str | None = None) -> list[int]:
    with StateFile(world.state / "sandbox.json").open() as shop:
        return shop.availables(*skus, location=location)


def test_the_worked_example_played_from_the_command_line(boxed: World) -> None:
    boxed.run("variants", "--init", exit_code=3)
    for sku in PRINTS[:3]:
        assert "30 → 27" in boxed.run("sandbox", "sell", sku, "3").out
    document = boxed.variants("--dry-run", exit_code=3)
    assert document["changes"][0]["quantity"] == {"from": 30, "to": 21}
    assert reads(boxed, *PRINTS) == [27, 27, 27, 30]
    boxed.run("variants", exit_code=3)
    assert reads(boxed, *PRINTS) == [21] * 4
    assert boxed.variants(exit_code=3)["changes"] == []
    shown = json.loads(boxed.run("sandbox", "show", "--json").out)
    assert {one["available"]["Warehouse"] for one in shown["variants"] if one["sku"] in PRINTS} == {
        21
    }


def test_locations_played_from_the_command_line(boxed: World) -> None:
    boxed.run("locations", "--init", exit_code=3)
    boxed.run("sandbox", "sell", "MUG", "2", "--location", "Till")
    boxed.run("locations", exit_code=3)
    assert reads(boxed, "MUG") == reads(boxed, "MUG", location="Till") == [18]
    boxed.run("sandbox", "set", "APRON", "6", "--location", "Till")
    boxed.run("locations")
    assert reads(boxed, "APRON") == reads(boxed, "APRON", location="Till") == [6]


def test_a_sandbox_that_is_damaged_is_one_line_that_says_what_to_do(boxed: World) -> None:
    boxed.run("variants", exit_code=3)
    place = boxed.state / "sandbox.json"
    place.write_text("{")
    for args in (
        ("variants",),
        ("variants", "--dry-run"),
        ("sandbox", "show"),
        ("sandbox", "sell", "MUG", "1"),
    ):
        ran = boxed.run(*args, exit_code=1)
        assert "sandbox.json" in ran.problem
        assert "sandbox reset`" in ran.problem
    assert place.read_text() == "{"
    boxed.run("sandbox", "reset")
    boxed.run("variants", "--init", "--reset", exit_code=3)


def test_a_sandbox_without_graphql_core_says_what_to_install(boxed: World) -> None:
    program = (
        "import sys; sys.modules['graphql'] = None; from invsync.cli import main; "
        "main(sys.argv[1:])"
    )
    for args in (["variants"], ["sandbox", "serve"], ["demo"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *args],
            cwd=boxed.folder,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode in (1, 2)
        (line,) = done.stderr.splitlines()
        assert line.endswith(f"`{sys.executable} -m pip install graphql-core`")


@pytest.mark.parametrize(
    "args",
    [("sell", "NOBODY", "1"), ("set", "MUG", "1", "--location", "Moon"), ("sell", "MUG", "0")],
)
def test_the_clerk_says_what_can_not_be_done(boxed: World, args: tuple[str, ...]) -> None:
    ran = boxed.run("sandbox", *args, exit_code=None)
    assert ran.exit_code in (1, 2)
    assert ran.out == ""


def test_a_shop_of_any_size(boxed: World) -> None:
    boxed.run("sandbox", "reset", "--products", "30", "--variants", "3", "--locations", "2")
    assert boxed.variants("--init")["pools"]["adopted"] == 30
    boxed.configure(CONFIG.replace("Kitchen", "Print"))
    assert boxed.locations("--init")["pools"]["adopted"] == 90


def test_the_sandbox_commands_refuse_a_real_shop(world: World) -> None:
    world.configure(shop="my-shop.myshopify.com")
    ran = world.run("sandbox", "sell", "MUG", "1", exit_code=2)
    assert "my-shop.myshopify.com" in ran.problem
    assert world.asked == []
