"""Looking first: `--dry-run` changes nothing; `--init` sends nothing, touches no managed pool."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_world import World

from invsync.state.files import Files
from invsync.state.lock import lock

FOUR = "P-S P-M P-L P-XL"


def ready(world: World, command: str = "variants") -> None:
    """A pool that is adopted, and was then sold from."""
    places = (world.shop.primary,) if command == "variants" else ("Warehouse", "Till")
    world.add("Print", FOUR, locations=places)
    world.run(command, "--init")
    world.sell("P-S", 3)


# --- Dry run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["variants", "locations"])
def test_a_dry_run_leaves_every_file_as_it_is(world: World, command: str) -> None:
    ready(world, command)
    before = world.files()
    ran = world.run(command, "--dry-run")
    assert world.files() == before
    assert "Adjust" not in world.operations
    assert "dry run" in ran.out.lower()
    assert "to send" in ran.out


@pytest.mark.parametrize("command", ["variants", "locations"])
def test_a_dry_run_on_an_unseeded_shop_does_not_even_make_the_state_folder(
    world: World, command: str
) -> None:
    world.add("Print", FOUR, available=[1, 2, 3, 4])
    before = world.files()
    for args in (
        (),
        ("--init",),
        ("--init", "--reset"),
        ("--init", "--align", "lowest"),
        ("--force",),
    ):
        world.run(command, "--dry-run", *args, exit_code=None)
        assert world.files() == before
        assert "Adjust" not in world.operations
    assert not world.state.exists()


def test_a_dry_run_works_where_nothing_may_be_written(world: World, tmp_path: Path) -> None:
    ready(world)
    (world.state / "variants.lock").unlink()
    world.state.chmod(0o500)
    try:
        world.run("variants", "--dry-run")
        assert not (world.state / "variants.lock").exists()
    finally:
        world.state.chmod(0o700)


def test_a_dry_run_reports_what_the_run_then_does(world: World) -> None:
    ready(world)
    world.add("Poster", "A-1 A-2", available=[1, 2])
    world.add("Card", "C-1 C-2", available=7)
    looked = world.variants("--dry-run", exit_code=3)
    done = world.variants(exit_code=3)
    for level in (level for change in looked["changes"] for level in change["levels"]):
        assert level["applied"] is (level["delta"] == 0)
        level["applied"] = True
    assert looked["changes"] == done["changes"]
    assert looked["problems"] == done["problems"]
    assert looked["pools"] == done["pools"]
    assert looked["skipped"] == done["skipped"]


def test_two_dry_runs_say_the_same(world: World) -> None:
    ready(world)
    first, second = (world.variants("--dry-run") for _ in range(2))
    assert first["changes"] == second["changes"]
    assert world.reads(FOUR) == [27, 30, 30, 30]


def test_a_dry_run_takes_no_lock_and_heeds_none(world: World) -> None:
    ready(world)
    with lock(Files(world.state, "variants"), "2026-11-22T12:00:00Z"):
        assert world.variants("--dry-run")["pools"]["adjusted"] == 1
        world.run("variants", exit_code=75)


def test_a_dry_run_of_init_lists_what_would_be_adopted(world: World) -> None:
    world.add("Print", FOUR)
    document = world.variants("--init", "--dry-run")
    assert document["pools"]["adopted"] == 1
    assert not world.state.exists()


def test_a_dry_run_with_a_granted_token_writes_no_token_file(world: World) -> None:
    world.add("Print", FOUR)
    world.configure(access_token=None, client_id="app", client_secret="secret-of-the-app")
    world.run("variants", "--dry-run")
    assert "/admin/oauth/access_token" in world.operations
    assert not world.state.exists()
    world.state.mkdir(mode=0o700)
    world.run("variants", "--dry-run")
    assert list(world.state.iterdir()) == []


# --- Init -----------------------------------------------------------------------------------------


def test_init_adopts_what_is_equal_and_lists_what_is_not(story: World) -> None:
    document = story.variants("--init", exit_code=3)
    assert document["pools"] == {
        "seen": 6,
        "in_step": 0,
        "adopted": 5,
        "adjusted": 0,
        "out_of_sync": 1,
        "held": 0,
        "paused": 0,
        "failed": 0,
    }
    assert [problem["title"] for problem in document["problems"]] == ["Lighthouse (counts differ)"]
    assert document["changes"] == []
    assert "Adjust" not in story.operations


def test_init_twice_says_again_what_is_out_of_step_and_nothing_else(story: World) -> None:
    story.variants("--init", exit_code=3)
    before = story.place("variants").read_bytes()
    document = story.variants("--init", exit_code=3)
    assert document["pools"]["adopted"] == 0
    assert document["pools"]["in_step"] == 5
    assert [problem["kind"] for problem in document["problems"]] == ["out_of_sync"]
    after = story.place("variants").read_bytes()
    assert before.partition(b'"pools"')[2] == after.partition(b'"pools"')[2]


def test_init_never_touches_a_managed_pool(world: World) -> None:
    ready(world)
    document = world.variants("--init")
    assert document["changes"] == []
    assert world.batches == []
    assert world.reads(FOUR) == [27, 30, 30, 30]
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_init_adopts_what_was_made_equal_since(story: World) -> None:
    story.variants("--init", exit_code=3)
    story.shop.set_available("LIGHT-M", 10)
    assert story.variants("--init")["pools"]["adopted"] == 1


def test_init_keeps_a_pool_whose_product_is_gone_from_the_search(world: World) -> None:
    ready(world)
    world.add("Other", "O-1 O-2")
    world.shop.retype("Print", "Poster")
    world.run("variants", "--init")
    assert set(world.cached()) == {"Print", "Other"}


def test_reset_forgets_everything_first(world: World) -> None:
    ready(world)
    document = world.variants("--init", "--reset", exit_code=3)
    assert document["pools"]["out_of_sync"] == 1
    assert world.batches == []
    assert world.cached()["Print"]["quantity"] is None
    for sku in FOUR.split():
        world.shop.set_available(sku, 27)
    assert world.variants("--init", "--reset")["pools"]["adopted"] == 1


def test_a_reset_that_finds_nothing_keeps_what_is_remembered(world: World) -> None:
    ready(world)
    before = world.place("variants").read_bytes()
    world.shop.retype("Print", "Poster")
    world.run("variants", "--init", "--reset", exit_code=1)
    assert world.place("variants").read_bytes() == before


def test_a_sale_before_an_init_is_seen_by_the_feed_afterwards(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": "changes"})
    ready(world)
    world.time.pass_by(minutes=30)
    world.run("variants", "--init")
    assert world.variants()["scan"] == "changes"
    assert world.reads(FOUR) == [27] * 4


def test_the_first_run_without_init_adopts_as_well(story: World) -> None:
    document = story.variants(exit_code=3)
    assert document["pools"]["adopted"] == 5
    assert story.batches == []


@pytest.mark.parametrize(("to", "after"), [("lowest", [7, 7, 7]), ("highest", [10, 10, 10])])
def test_align_brings_the_unequal_ones_to_one_number(
    story: World, to: str, after: list[int]
) -> None:
    story.run("variants", "--init", "--align", to, "--yes")
    assert story.reads("LIGHT-S LIGHT-M LIGHT-L") == after
    story.sell("LIGHT-S", 1)
    story.run("variants")
    assert story.reads("LIGHT-S LIGHT-M LIGHT-L") == [number - 1 for number in after]


def test_align_in_a_dry_run_shows_what_it_would_do(story: World) -> None:
    document = story.variants("--init", "--align", "lowest", "--dry-run")
    assert [change["title"] for change in document["changes"]] == ["Lighthouse (counts differ)"]
    assert story.reads("LIGHT-S LIGHT-M LIGHT-L") == [10, 7, 10]


def test_align_with_json_prints_one_document(story: World) -> None:
    document = story.variants("--init", "--align", "lowest", "--yes")
    assert [change["quantity"] for change in document["changes"]] == [{"from": None, "to": 7}]
    assert document["pools"]["adjusted"] == 1
    assert story.batches == [
        [
            {
                "inventoryItemId": story.shop.item(sku).gid,
                "locationId": story.shop.primary.gid,
                "delta": -3,
                "changeFromQuantity": None,
            }
            for sku in ("LIGHT-S", "LIGHT-L")
        ]
    ]


def test_align_touches_no_managed_pool(world: World) -> None:
    ready(world)
    world.add("Other", "O-1 O-2", available=[1, 4])
    world.run("variants", "--init", "--align", "highest", "--yes")
    assert world.reads("O-1 O-2") == [4, 4]
    assert world.reads(FOUR) == [27, 30, 30, 30]
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_align_where_all_is_equal_sends_nothing(world: World) -> None:
    world.add("Print", FOUR)
    assert world.variants("--init", "--align", "highest", "--yes")["pools"]["adopted"] == 1
    assert world.batches == []


def test_align_brings_locations_to_one_number(world: World) -> None:
    world.add("Apron", ["APRON"], available=8, locations=("Warehouse", "Till"))
    world.shop.set_available("APRON", 3, "Till")
    world.run("locations", "--init", "--align", "lowest", "--yes")
    assert [level.available for level in world.shop.item("APRON").levels.values()] == [3, 3]
    world.sell("APRON", 1, location="Till")
    world.run("locations")
    assert [level.available for level in world.shop.item("APRON").levels.values()] == [2, 2]
