"""The public interface: the JSON document, the exit codes, and what is printed where."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from program_world import NOON, TOKEN, World

from invsync import API_VERSIONS, __version__

FOUR = "P-S P-M P-L P-XL"


def shape(value: Any) -> Any:
    """The names and types of a document; of a list its first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)


POOLS = dict.fromkeys(
    ("seen", "in_step", "adopted", "adjusted", "out_of_sync", "held", "paused", "failed"), int
)
LEVEL = {
    "item": str,
    "sku": str,
    "location": str,
    "observed": int,
    "movement": int,
    "delta": int,
    "size": int,
    "applied": bool,
}
DOCUMENT = {
    "command": str,
    "shop": str,
    "mode": str,
    "dry_run": bool,
    "scan": str,
    "scan_why": str,
    "started_at": str,
    "seconds": float,
    "pools": POOLS,
    "skipped": {"untracked": int},
    "changes": [
        {"pool": str, "title": str, "quantity": {"from": int, "to": int}, "levels": [LEVEL]}
    ],
    "problems": [
        {
            "kind": str,
            "pool": str,
            "title": str,
            "message": str,
            "levels": [{"item": str, "sku": str, "location": str, "observed": int}],
            "since": str,
        },
    ],
    "warnings": [{"kind": str, "pool": str, "message": str, "since": str}],
    "api": {"requests": int, "points": int, "throttled": int, "waited_seconds": float},
}


def eventful(world: World) -> None:
    """One product to adjust, one with a warning, one out of step, one untracked."""
    world.add("Print", FOUR)
    world.add("Poster", "POSTER-A POSTER-B", available=9)
    world.add("Wallpaper", "WALL-A", tracked=False)
    world.run("variants", "--init")
    world.add("Lighthouse", "L-A L-B", available=[4, 7])
    world.shop.add_variant(
        world.shop.product("Poster"), "POSTER-C", available=2, locations=(world.shop.primary,)
    )
    world.sell("P-S P-M P-L", 3)


# --- The JSON document ----------------------------------------------------------------------------


def test_the_document_has_these_keys_and_types_in_this_order(world: World) -> None:
    eventful(world)
    document = world.variants(exit_code=3)
    assert shape(document) == DOCUMENT
    assert list(document) == list(DOCUMENT)
    assert list(document["pools"]) == list(POOLS)
    assert list(document["changes"][0]["levels"][0]) == list(LEVEL)


def test_the_document_tells_what_happened(world: World) -> None:
    eventful(world)
    document = world.variants(exit_code=3)
    pool = world.shop.product("Print")
    here = world.shop.primary.gid
    assert document["command"] == "variants"
    assert document["shop"] == "sandbox.myshopify.com"
    assert document["mode"] == "sync"
    assert document["dry_run"] is False
    assert document["scan"] == "complete"
    assert document["started_at"] == datetime.fromtimestamp(NOON, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert document["pools"] == {
        "seen": 3,
        "in_step": 0,
        "adopted": 0,
        "adjusted": 2,
        "out_of_sync": 1,
        "held": 0,
        "failed": 0,
        "paused": 0,
    }
    assert document["skipped"] == {"untracked": 1}
    change = next(change for change in document["changes"] if change["title"] == "Print")
    assert change["pool"] == pool.gid
    assert change["quantity"] == {"from": 30, "to": 21}
    rows = zip(FOUR.split(), (27, 27, 27, 30), (-3, -3, -3, 0), (-6, -6, -6, -9), strict=True)
    assert change["levels"] == [
        {
            "item": world.shop.item(sku).gid,
            "sku": sku,
            "location": here,
            "observed": observed,
            "movement": movement,
            "delta": delta,
            "size": 1,
            "applied": True,
        }
        for sku, observed, movement, delta in rows
    ]
    (problem,) = document["problems"]
    assert problem["kind"] == "out_of_sync"
    assert problem["pool"] == world.shop.product("Lighthouse").gid
    assert problem["title"] == "Lighthouse"
    assert problem["levels"] == [
        {"item": world.shop.item("L-A").gid, "sku": "L-A", "location": here, "observed": 4},
        {"item": world.shop.item("L-B").gid, "sku": "L-B", "location": here, "observed": 7},
    ]
    (warning,) = document["warnings"]
    assert warning["kind"] == "new_level_stock"
    assert warning["pool"] == world.shop.product("Poster").gid


def test_requests_and_points_are_what_the_shop_counted(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.shop.settings.restore_rate = 0.0
    before = world.shop.account.bucket.available
    document = world.variants()
    assert document["api"]["requests"] == len(world.asked)
    assert document["api"]["points"] == before - world.shop.account.bucket.available
    assert (document["api"]["throttled"], document["api"]["waited_seconds"]) == (0, 0.0)


def test_a_short_budget_is_waited_for_and_counted(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S", 3)
    world.shop.settings.bucket_size = 310.0
    world.shop.settings.restore_rate = 1.0
    world.shop.account.bucket.available = 302.0
    document = world.variants()
    assert world.reads(FOUR) == [27] * 4
    assert document["api"]["waited_seconds"] == pytest.approx(sum(world.time.slept), abs=0.01)
    assert document["api"]["waited_seconds"] > 0
    assert document["seconds"] >= document["api"]["waited_seconds"]


def test_init_and_dry_run_are_named(world: World) -> None:
    world.add("Print", FOUR)
    document = world.variants("--init")
    assert (document["mode"], document["dry_run"]) == ("init", False)
    world.sell("P-S", 3)
    document = world.variants("--dry-run")
    assert (document["mode"], document["dry_run"]) == ("sync", True)
    assert {level["applied"] for level in document["changes"][0]["levels"] if level["delta"]} == {
        False
    }


def test_a_pool_without_an_earlier_quantity_comes_from_null(world: World) -> None:
    world.add("Apron", "APRON", available=8, locations=("Warehouse", "Till"))
    world.shop.set_available("APRON", 3, "Till")
    world.run("locations", "--init", exit_code=3)
    world.shop.restock("APRON", 1, "Warehouse")
    document = world.locations(exit_code=3)
    assert [problem["kind"] for problem in document["problems"]] == ["lifted"]
    assert document["changes"][0]["quantity"] == {"from": None, "to": 9}


def test_the_document_is_readable_text(world: World) -> None:
    world.add("Größe 🖼️ ملصق", "P-S P-M", available=[1, 2])
    ran = world.run("variants", "--init", "--json", exit_code=3)
    assert "Größe 🖼️ ملصق" in ran.out
    assert ran.out.startswith("{\n")
    assert ran.err == ""


def test_a_failed_run_prints_its_document_and_its_line(world: World) -> None:
    world.add("Mug", "MUG-A MUG-B", product_type="Mug")
    ran = world.run("variants", "--json", exit_code=1)
    assert shape(ran.document) == {
        **DOCUMENT,
        "skipped": {},
        "changes": [],
        "problems": [
            {
                "kind": str,
                "pool": type(None),
                "title": type(None),
                "message": str,
                "levels": [],
                "since": str,
            }
        ],
        "warnings": [],
    }
    assert ran.document["problems"][0]["message"] == ran.problem


def test_json_stays_one_document_under_v_and_q(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init")
    for flags in (("-v",), ("-vv",), ("-q",)):
        assert json.loads(world.run("variants", "--json", *flags).out)["pools"]["seen"] == 1


# --- Text -----------------------------------------------------------------------------------------


def test_a_row_names_product_variants_and_numbers_but_no_ids(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S P-M P-L", 3)
    ran = world.run("variants")
    (row,) = [line for line in ran.out.splitlines() if "P-XL" in line]
    for part in ("Print", "30", "21", "P-S -3", "P-M -3", "P-L -3", "P-XL -9"):
        assert part in row
    assert "gid://" not in ran.out
    assert ran.err == ""


def test_init_names_what_differs_by_title_and_sku(story: World) -> None:
    ran = story.run("variants", "--init", exit_code=3)
    for part in ("Lighthouse (counts differ)", "LIGHT-S 10", "LIGHT-M 7", "LIGHT-L 10"):
        assert part in ran.out
    assert "gid://" not in ran.out
    assert "6 pools: 5 adopted, 1 out of sync;" in ran.out.splitlines()[-1]


def test_quiet_says_nothing_even_where_a_person_is_needed(story: World) -> None:
    for args in (
        ("variants", "-q", "--init"),
        ("-q", "variants", "--init"),
        ("variants", "--quiet"),
    ):
        ran = story.run(*args, exit_code=3)
        assert (ran.out, ran.err) == ("", "")


def test_quiet_still_tells_what_failed(world: World) -> None:
    ran = world.run("variants", "-q", exit_code=1)
    assert ran.out == ""
    assert "nothing in the shop matches" in ran.problem


def test_nothing_is_printed_where_nothing_happened(world: World) -> None:
    world.add("Print", FOUR)
    assert "1 adopted" in world.run("variants").out
    ran = world.run("variants")
    assert (ran.out, ran.err) == ("", "")


def test_verbose_prints_a_countable_line_though_nothing_happened(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init")
    ran = world.run("variants", "-v")
    assert re.search(r"1 pools?: 1 in step; 2 requests, \d+ points, ", ran.out.splitlines()[-1])
    assert "complete" in ran.err


def test_very_verbose_shows_each_request_but_no_secret(world: World) -> None:
    world.add("Print", FOUR)
    ran = world.run("variants", "--init", "-vv")
    lines = [line for line in ran.err.splitlines() if "points" in line]
    assert [line.split(":")[0] for line in lines] == world.operations
    assert TOKEN not in ran.err


def test_a_change_of_many_variants_stays_one_readable_row(world: World) -> None:
    skus = [f"P-{number:03}" for number in range(100)]
    world.add("Print", skus)
    world.run("variants", "--init")
    world.sell("P-000", 3)
    ran = world.run("variants")
    (row,) = [line for line in ran.out.splitlines() if "P-001" in line]
    assert len(row) < 250
    assert "91 more" in row


# --- Exit codes -----------------------------------------------------------------------------------


def test_0_when_everything_is_in_step(world: World) -> None:
    world.add("Print", FOUR)
    world.run("variants", "--init", exit_code=0)
    world.run("variants", exit_code=0)


def test_1_when_nothing_more_could_be_done(world: World) -> None:
    world.run("variants", exit_code=1)


@pytest.mark.parametrize(
    "args",
    [
        ("variant",),
        ("variants", "--dry"),
        ("variants", "--reset"),
        ("variants", "--align", "lowest"),
        ("variants", "--init", "--align", "middle"),
        ("variants", "--init", "--align", "lowest"),  # nobody to ask
        ("variants", "extra"),
    ],
)
def test_2_for_what_was_mistyped(world: World, args: tuple[str, ...]) -> None:
    ran = world.run(*args, exit_code=2)
    assert world.asked == []
    assert ran.out == ""
    assert not world.state.exists()


def test_3_when_a_person_is_needed(story: World) -> None:
    story.run("variants", exit_code=3)


def test_the_version_tells_the_api_version(world: World) -> None:
    ran = world.run("--version")
    assert ran.out == f"invsync {__version__} (Admin API {API_VERSIONS[-1]})\n"


@pytest.mark.parametrize(
    "command", [(), ("variants",), ("locations",), ("demo",), ("sandbox",), ("sandbox", "sell")]
)
def test_every_command_has_help(world: World, command: tuple[str, ...]) -> None:
    ran = world.run(*command, "--help")
    assert ran.out.startswith("Usage: ")
    assert world.asked == []
