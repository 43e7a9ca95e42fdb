"""`invsync pause` and `resume`, and the tag that pauses: books stand still, nothing is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from program_world import World

from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.state.files import Command, Files
from invsync.state.lock import lock

TAG = "invsync-pause"


def seeded(world: World, units: int = 10, skus: str = "S M L") -> None:
    """A product that is managed, and another."""
    world.add("Sunset", skus, available=units)
    world.add("Fog", "F G", available=20)
    world.run("variants", "--init")


def type_in(world: World, skus: str, units: int) -> None:
    """A count, or an import: the number is typed into each."""
    for sku in skus.split():
        world.shop.set_available(sku, units)


def quantity(world: World, title: str = "Sunset", command: str = "variants") -> Any:
    return world.cached(command)[title]["quantity"]


# --- The stories ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scan", ["complete", "changes"])
def test_all_variants_are_counted_while_it_is_paused(world: World, scan: str) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    seeded(world)
    world.run("pause", "Sunset")
    type_in(world, "S M L", 8)
    world.time.pass_by(minutes=30)
    assert world.variants()["pools"]["paused"] == 1
    assert world.batches == []
    world.run("resume", "Sunset", "--as-set")
    assert quantity(world) == 8
    world.time.pass_by(minutes=30)
    document = world.variants()
    assert (document["changes"], document["problems"], document["warnings"]) == ([], [], [])
    assert world.reads("S M L") == [8, 8, 8]


@pytest.mark.parametrize("scan", ["complete", "changes"])
@pytest.mark.parametrize("runs", [0, 1, 3])
def test_what_is_sold_while_it_is_paused_counts_afterwards(
    world: World, scan: str, runs: int
) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    seeded(world)
    world.run("pause", "Sunset")
    world.sell("S", 1)
    for _ in range(runs):
        world.time.pass_by(minutes=60)
        assert world.variants()["changes"] == []
    assert world.reads("S M L") == [9, 10, 10]
    world.run("resume", "Sunset")
    world.time.pass_by(minutes=60)
    assert world.variants()["warnings"] == []
    assert world.reads("S M L") == [9, 9, 9]
    assert quantity(world) == 9


def test_other_pools_go_on(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.sell("S F", 2)
    pools = world.variants()["pools"]
    assert (pools["paused"], pools["adjusted"], pools["seen"]) == (1, 1, 2)
    assert world.reads("S M F G") == [8, 10, 18, 18]


def test_levels_that_do_not_agree_are_counted_as_always_and_a_person_is_needed(
    world: World,
) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.shop.set_available("S", 8)
    world.shop.set_available("M", 9)
    ran = world.run("resume", "Sunset", "--as-set", exit_code=3)
    assert "do not agree (S 8, M 9, L 10)" in ran.out
    assert "10 → 7" in ran.out
    assert world.reads("S M L") == [7, 7, 7]
    assert world.variants()["problems"] == []
    assert world.variants()["pools"]["paused"] == 0


def test_a_sale_between_the_count_and_the_word_makes_them_disagree_and_counts_once(
    world: World,
) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    type_in(world, "S M L", 10)
    world.sell("S", 1)
    world.run("resume", "Sunset", "--as-set", exit_code=3)
    assert world.reads("S M L") == [9, 9, 9]


# --- An import, and a kill in the middle of resuming ----------------------------------------------


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("reserve", [0, 2])
def test_an_import_and_a_cut_while_it_is_resumed(world: World, after: bool, reserve: int) -> None:
    """With a reserve something has to be sent, and the connection is cut there."""
    world.configure(variants={"product_types": ["Print"], "reserve": reserve})
    seeded(world, 12)
    world.run("variants")
    world.run("pause", "Sunset")
    type_in(world, "S M L", 50)

    if reserve:
        world.cut_off("resume", "Sunset", "--as-set", after=after)
    assert world.variants()["pools"]["paused"] == 1
    world.run("resume", "Sunset", "--as-set")
    assert world.variants()["problems"] == []
    assert quantity(world) == 50
    assert world.reads("S M L") == [50 - reserve] * 3


# --- What pausing is about ------------------------------------------------------------------------


def test_the_accounted_numbers_stand_still(world: World) -> None:
    seeded(world)
    world.run("variants")
    before = world.cached()["Sunset"]
    world.run("pause", "Sunset")
    world.sell("S", 3)
    world.shop.restock("M", 5)
    for _ in range(2):
        world.run("variants")
        world.time.pass_by(hours=7)
    after = world.cached()["Sunset"]
    assert after.pop("paused") == {"since": "2026-11-22T12:00:00Z"}
    assert after == before


@pytest.mark.parametrize("name", ["sunset", "S", "id", "number", "item"])
def test_a_pool_is_named_by_what_a_person_calls_it(world: World, name: str) -> None:
    seeded(world)
    world.sell("S", 1)  # so that its SKU is known
    world.run("variants")
    sunset = world.shop.product("Sunset")
    names = {
        "id": sunset.gid,
        "number": sunset.gid.rpartition("/")[2],
        "item": world.shop.item("M").gid,
    }
    world.run("pause", names.get(name, name))
    world.sell("L", 1)
    assert world.variants()["pools"]["paused"] == 1
    world.run("resume", names.get(name, name))
    assert world.variants()["pools"]["paused"] == 0
    assert world.reads("S M L") == [8, 8, 8]


def test_the_same_stock_is_paused_for_both_commands(world: World) -> None:
    everywhere = tuple(world.shop.locations.values())
    world.add("Sunset", "S M", available=10, locations=everywhere)
    world.add("Fog", "F G", available=20, locations=everywhere)
    world.run("variants", "--init")
    world.run("locations", "--init")
    world.run("pause", "Sunset")
    assert world.variants()["pools"]["paused"] == 1
    assert world.locations()["pools"]["paused"] == 2
    for place in everywhere:
        for sku in ("S", "M"):
            world.shop.set_available(sku, 7, place)
    world.run("variants")
    world.run("locations")
    world.run("resume", "Sunset", "--as-set")
    assert (quantity(world), quantity(world, "Sunset / S", "locations")) == (7, 7)
    assert world.variants()["changes"] == []
    assert world.locations()["changes"] == []
    assert world.reads("S M", "Till") == [7, 7]


def test_one_variant_that_is_paused_for_locations_pauses_its_product(world: World) -> None:
    everywhere = tuple(world.shop.locations.values())
    world.add("Sunset", "S M", available=10, locations=everywhere)
    world.run("variants", "--init")
    world.run("locations", "--init")
    world.run("pause", "Sunset / S")
    assert world.variants()["pools"]["paused"] == 1
    assert world.locations()["pools"]["paused"] == 1


def test_everything_can_be_paused_also_what_comes_meanwhile(world: World) -> None:
    seeded(world)
    world.run("pause", "--all")
    world.sell("S F", 2)
    world.add("New", "N-1 N-2", available=[4, 9])
    document = world.variants()
    assert world.batches == []
    assert document["pools"]["paused"] == document["pools"]["seen"] == 3
    assert document["problems"] == []
    world.run("resume", "--all")
    document = world.variants(exit_code=3)
    assert [problem["title"] for problem in document["problems"]] == ["New"]
    assert world.reads("S M L F G N-1 N-2") == [8, 8, 8, 18, 18, 4, 9]


def test_everything_is_as_it_stands(world: World) -> None:
    seeded(world)
    world.run("pause", "--all")
    type_in(world, "S M L", 8)
    type_in(world, "F G", 25)
    world.run("variants")
    world.run("resume", "--all", "--as-set")
    assert (quantity(world), quantity(world, "Fog")) == (8, 25)
    assert world.variants()["changes"] == []


def test_a_pause_for_some_time_ends_by_itself(world: World) -> None:
    seeded(world)
    assert "until 2026-11-22 14:00 UTC" in world.run("pause", "Sunset", "--for", "2h").out
    world.sell("S", 1)
    world.time.pass_by(minutes=119)
    assert world.variants()["pools"]["paused"] == 1
    world.time.pass_by(minutes=1)
    assert world.variants()["pools"]["paused"] == 0
    assert world.reads("S M L") == [9, 9, 9]


def test_paused_again_it_lasts_as_long_as_was_said_last(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset", "--for", "2h")
    world.run("pause", "Sunset")
    world.time.pass_by(hours=3)
    assert world.variants()["pools"]["paused"] == 1


def test_a_pause_of_more_than_a_day_is_a_warning(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.time.pass_by(hours=23)
    assert world.variants()["warnings"] == []
    world.time.pass_by(hours=2)
    (warning,) = world.variants()["warnings"]
    assert warning["kind"] == "paused"
    assert warning["pool"] == world.shop.product("Sunset").gid
    assert "is paused since 2026-11-22 12:00 UTC (25 h 0 min)" in warning["message"]
    assert "`invsync resume Sunset`" in warning["message"]
    world.run("pause", "--all")
    world.time.pass_by(hours=24)
    messages = [warning["message"] for warning in world.variants()["warnings"]]
    assert any("everything is paused since" in message for message in messages)


# --- By a tag -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scan", ["complete", "changes"])
@pytest.mark.parametrize("tag", [TAG, " INVSYNC-Pause "])
def test_a_tag_pauses_and_taking_it_off_resumes(world: World, scan: str, tag: str) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    seeded(world)
    world.time.pass_by(minutes=30)
    world.shop.retag("Sunset", tag)
    world.sell("S", 1)
    for _ in range(3):
        assert world.variants()["pools"]["paused"] == 1
        world.time.pass_by(minutes=30)
    assert world.reads("S M L") == [9, 10, 10]
    world.shop.retag("Sunset")
    world.variants()
    assert world.reads("S M L") == [9, 9, 9]
    assert world.variants()["pools"]["paused"] == 0


def test_the_tag_is_what_the_configuration_says(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "pause_tag": "Counting"})
    seeded(world)
    world.shop.retag("Sunset", "counting")
    world.shop.retag("Fog", TAG)
    world.sell("S F", 1)
    world.run("variants")
    assert world.reads("S M L F G") == [9, 10, 10, 19, 19]


def test_a_new_product_with_the_tag_is_adopted_when_it_is_taken_off(world: World) -> None:
    seeded(world)
    world.add("New", "N-1 N-2", available=5, tags=[TAG])
    assert world.variants()["pools"]["paused"] == 1
    assert quantity(world, "New") is None
    type_in(world, "N-1 N-2", 6)
    world.shop.retag("New")
    assert world.variants()["pools"]["adopted"] == 1
    assert quantity(world, "New") == 6


def test_a_new_variant_with_the_tag_is_no_source_when_it_is_taken_off(world: World) -> None:
    """It was there before the last run: nobody typed its stock in since."""
    everywhere = tuple(world.shop.locations.values())
    world.add("Old", "O", available=5, locations=everywhere)
    world.run("locations", "--init")
    world.add("New", "N", available=0, locations=everywhere, tags=[TAG])
    world.shop.set_available("N", 7, "Till")
    world.run("locations")
    world.shop.retag("New")
    problems = world.locations(exit_code=3)["problems"]
    assert [problem["kind"] for problem in problems] == ["out_of_sync"]
    assert world.reads("N", "Warehouse") == [0]


def test_a_tagged_pool_is_taken_as_it_stands_before_its_tag_is_taken_off(world: World) -> None:
    seeded(world)
    world.shop.retag("Sunset", TAG)
    type_in(world, "S M L", 8)
    world.run("variants")
    ran = world.run("resume", "Sunset", "--as-set", exit_code=3)
    assert "still paused by the tag invsync-pause" in ran.out
    assert quantity(world) == 8
    world.sell("S", 1)
    assert world.variants()["pools"]["paused"] == 1
    world.shop.retag("Sunset")
    world.run("variants")
    assert world.reads("S M L") == [7, 7, 7]


def test_resume_says_that_only_shopify_can_take_the_tag_off(world: World) -> None:
    seeded(world)
    world.shop.retag("Sunset", TAG)
    world.run("variants")
    assert "Take it off in Shopify" in world.run("resume", "Sunset", exit_code=3).out
    assert world.variants()["pools"]["paused"] == 1


# --- Beside everything else -----------------------------------------------------------------------


def test_a_paused_pool_is_not_adopted_aligned_or_let_through(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": "hold"})
    seeded(world)
    world.add("Apart", "A-1 A-2", available=[4, 9])
    world.run("variants", exit_code=3)
    world.shop.restock("S", 1)
    world.shop.restock("M", 2)
    world.run("variants", exit_code=3)
    world.run("pause", "Sunset")
    world.run("pause", "Apart")
    for options in ((), ("--force",), ("--init",), ("--init", "--align", "lowest", "--yes")):
        document = world.variants(*options)
        assert (document["pools"]["paused"], document["problems"]) == (2, [])
        assert world.batches == []
    assert world.cached()["Sunset"]["held"] != {}
    world.run("resume", "Sunset")
    assert [one["kind"] for one in world.variants(exit_code=3)["problems"]] == ["held"]
    world.variants("--force")
    assert world.reads("S M L") == [11, 11, 11]


def test_what_was_held_is_settled_by_the_word(world: World) -> None:
    world.configure(variants={"product_types": ["Print"], "several_rises": "hold"})
    seeded(world)
    world.shop.restock("S", 1)
    world.shop.restock("M", 2)
    world.run("variants", exit_code=3)
    world.run("pause", "Sunset")
    type_in(world, "S M L", 14)
    world.run("resume", "Sunset", "--as-set")
    document = world.variants()
    assert document["problems"] == []
    assert (quantity(world), world.reads("S M L")) == (14, [14, 14, 14])


def test_a_pool_that_was_out_of_sync_is_adopted_by_the_word(world: World) -> None:
    seeded(world)
    world.add("Apart", "A-1 A-2", available=[4, 9])
    world.run("variants", exit_code=3)
    world.run("pause", "Apart")
    type_in(world, "A-1 A-2", 6)
    world.run("resume", "Apart", "--as-set")
    assert quantity(world, "Apart") == 6


def test_an_import_on_many_products_at_once_meets_no_brake_when_it_is_as_set(world: World) -> None:
    for number in range(30):
        world.add(f"P{number}", f"{number}-S {number}-M", available=10)
    world.run("variants", "--init")
    world.run("pause", "--all")
    for number in range(30):
        type_in(world, f"{number}-S {number}-M", 50)
    world.run("variants")
    world.run("resume", "--all", "--as-set")
    document = world.variants()
    assert (document["problems"], document["changes"]) == ([], [])
    assert {entry["quantity"] for entry in world.cached().values()} == {50}


def test_without_the_word_the_brake_holds_what_rose(world: World) -> None:
    for number in range(30):
        world.add(f"P{number}", f"{number}-S {number}-M", available=10)
    world.run("variants", "--init")
    world.run("pause", "--all")
    for number in range(30):
        world.shop.restock(f"{number}-S", 5)
    world.run("variants")
    world.run("resume", "--all")
    assert world.variants(exit_code=3)["pools"]["held"] == 30


def test_a_paused_pool_that_is_gone_keeps_its_books_until_it_is_resumed(world: World) -> None:
    """An import may take a product away, and bring it back."""
    seeded(world)
    world.run("pause", "Sunset")
    world.shop.retype("Sunset", "Poster")
    assert world.variants()["warnings"] == []
    world.sell("S", 1)
    world.shop.retype("Sunset", "Print")
    world.run("variants")
    world.run("resume", "Sunset")
    world.run("variants")
    assert world.reads("S M L") == [9, 9, 9]


def test_a_paused_pool_that_was_deleted_leaves_once_it_is_resumed(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.shop.delete_product("Sunset")
    assert world.variants()["pools"]["paused"] == 1
    world.run("resume", "Sunset")
    document = world.variants()
    assert [warning["kind"] for warning in document["warnings"]] == ["left"]
    assert set(world.cached()) == {"Fog"}


def test_the_feed_is_not_blamed_for_what_moved_while_it_was_paused(world: World) -> None:
    world.configure(
        variants={"product_types": ["Print"], "scan": "changes", "reconcile_every": "6h"}
    )
    seeded(world)
    world.run("pause", "Sunset")
    world.time.pass_by(minutes=30)
    world.sell("S", 1)
    for _ in range(5):
        world.time.pass_by(hours=1)
        world.run("variants")
    world.run("resume", "Sunset")
    world.time.pass_by(hours=2)
    document = world.variants()
    assert document["scan"] == "complete"
    assert document["warnings"] == []
    assert world.reads("S M L") == [9, 9, 9]


def test_a_dry_run_shows_what_is_paused_and_changes_nothing(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.sell("S", 1)
    before = world.files()
    document = world.variants("--dry-run")
    assert (document["pools"]["paused"], document["changes"]) == (1, [])
    assert world.files() == before


def test_what_an_earlier_run_left_is_finished_and_pausing_says_so(world: World) -> None:
    seeded(world)
    world.sell("S", 1)
    world.cut_off("variants", after=True)
    told = world.run("pause", "Sunset").out
    assert "An earlier run was cut off" in told
    assert told.endswith("config.yaml variants`\n")
    world.run("variants")
    assert world.reads("S M L") == [9, 9, 9]
    type_in(world, "S M L", 5)
    world.run("variants")
    world.run("resume", "Sunset", "--as-set")
    assert quantity(world) == 5
    assert world.variants()["changes"] == []


def test_pausing_says_nothing_of_a_run_that_is_finished(world: World) -> None:
    seeded(world)
    assert "cut off" not in world.run("pause", "Sunset").out


def test_a_shop_that_is_out_of_reach_leaves_all_paused(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    type_in(world, "S M L", 8)

    def cut(request: Request, phase: Phase) -> None:
        raise ConnectionResetError("cut by the test")

    world.hook = cut
    world.run("resume", "Sunset", "--as-set", exit_code=1)
    world.hook = None
    assert world.variants()["pools"]["paused"] == 1
    world.run("resume", "Sunset", "--as-set")
    assert quantity(world) == 8


@pytest.mark.parametrize("command", ["variants", "locations"])
@pytest.mark.parametrize("args", [["pause", "Sunset"], ["resume", "--all", "--as-set"]])
def test_a_run_at_work_is_not_disturbed(world: World, command: Command, args: list[str]) -> None:
    seeded(world)
    before = world.cached()
    with lock(Files(world.state, command), "2026-11-22T12:00:00Z"):
        problem = world.run(*args, exit_code=75).problem
    assert problem.startswith(f"another run of `invsync --config {world.config} {command}` is at")
    assert not (world.state / "paused.json").exists()
    assert world.cached() == before


# --- What is told ---------------------------------------------------------------------------------


def test_status_explain_and_check_tell_what_is_paused(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    world.sell("S", 1)
    world.run("variants")
    world.shop.retag("Fog", TAG)
    world.run("variants")
    told = world.run("status").out
    assert "): Sunset" in told
    assert "): Fog, by its tag" in told
    (variants,) = (
        each
        for each in world.run("status", "--json").document["commands"]
        if each["command"] == "variants"
    )
    assert variants["pools"]["paused"] == 2
    assert [(one["title"], one["tag"]) for one in variants["paused"]] == [
        ("Sunset", False),
        ("Fog", True),
    ]
    assert "paused since 2026-11-22 12:00 UTC" in world.run("explain", "Sunset").out
    assert "2 pools paused: Sunset, Fog" in world.run("check").out
    world.run("pause", "--all")
    assert "everything is paused since 2026-11-22 12:00 UTC" in world.run("status").out
    assert "everything is paused since 2026-11-22 12:00 UTC" in world.run("check").out


def test_pausing_and_resuming_say_what_comes_next(world: World) -> None:
    seeded(world)
    told = world.run("pause", "Sunset").out
    assert "paused: Sunset" in told
    assert "resume Sunset --as-set" in told
    told = world.run("resume", "Sunset").out
    assert "resumed: Sunset" in told
    assert "The next run counts what was sold and restocked meanwhile" in told
    assert world.run("resume", "--all").out == "nothing was paused\n"
    assert world.run("-q", "pause", "Sunset").out == ""


# --- Mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["pause"], "which pools?"),
        (["resume"], "which pools?"),
        (["pause", "Sunset", "--all"], "--all and names don't go together"),
        (["pause", "Sunset", "--for", "2"], "2 has no unit; write 2s, 2m, 2h or 2d"),
        (["pause", "Sunset", "--for", "soon"], "is not a length of time above 0"),
        (["pause", "Sunsett"], "did you mean Sunset?"),
        (["pause", ""], "nothing is known of"),
        (["pause", "Twice"], "fits 2 pools"),
        (["resume", "Sunset"], "Sunset: is not paused, nor is anything else"),
        (["resume", "Sunset", "--as-set"], "Sunset: is not paused, nor is anything else"),
    ],
)
def test_a_mistake_is_exit_2_and_changes_nothing(world: World, args: list[str], says: str) -> None:
    seeded(world)
    world.add("Twice", "T-1 T-2")
    world.add("Twice", "T-3 T-4")
    world.run("variants")
    before = world.files()
    ran = world.run(*args, exit_code=2)
    assert says in ran.err
    assert ran.out == ""
    after = world.files()
    assert {name: one.content for name, one in before.items() if not name.endswith(".lock")} == {
        name: one.content for name, one in after.items() if not name.endswith(".lock")
    }


def test_resuming_another_names_what_is_paused(world: World) -> None:
    seeded(world)
    world.run("pause", "Sunset")
    assert world.run("resume", "Fog", exit_code=2).problem == (
        "Fog: is not paused; paused are: Sunset"
    )


def test_one_pool_is_not_resumed_while_everything_is_paused(world: World) -> None:
    seeded(world)
    world.run("pause", "--all")
    problem = world.run("resume", "Sunset", exit_code=2).problem
    assert problem.startswith("everything is paused since 2026-11-22 12:00 UTC")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 1, "all": 1, "pools": {}}',
        '{"format": 1, "all": null, "pools": {"gid://shopify/Product/1": {}}}',
        '{"format": 1, "all": {"since": "yesterday"}, "pools": {}}',
        '{"format": 1, "all": {"since": "2026-11-22T12:00:00Z", "until": 5}, "pools": {}}',
        '{"format": 1, "all": null, "pools": []}',
    ],
)
@pytest.mark.parametrize("args", [["variants"], ["pause", "Sunset"], ["resume", "--all"]])
def test_a_damaged_file_ends_the_run_before_anything_is_sent(
    world: World, content: str, args: list[str]
) -> None:
    seeded(world)
    world.sell("S", 1)
    place = world.state / "paused.json"
    place.write_text(content)
    place.chmod(0o600)
    problem = world.run(*args, exit_code=1).problem
    assert problem.startswith(f"{place}: is damaged (")
    assert world.batches == []
    assert place.read_text() == content


def test_one_of_a_newer_format_is_kept_too(world: World) -> None:
    seeded(world)
    place = world.state / "paused.json"
    place.write_text(json.dumps({"format": 2, "all": None, "pools": {}}))
    place.chmod(0o600)
    assert "has format 2, this invsync knows 1" in world.run("variants", exit_code=1).problem


def test_a_link_in_its_place_is_not_followed(world: World) -> None:
    seeded(world)
    (world.state / "paused.json").symlink_to(world.folder / "elsewhere")
    assert "is a link, not a file" in world.run("variants", exit_code=1).problem


def test_a_stock_at_one_location_is_paused_and_said_to_be_right_by_itself(world: World) -> None:
    """Its listings are those of the stock at the other location, whose sales go on counting."""
    places = [world.shop.location(name) for name in ("Warehouse", "Till")]
    world.configure(
        variants={"product_types": ["Print"], "locations": [place.name for place in places]}
    )
    world.add("Sunset", "S M", available=10, locations=places)
    world.run("variants", "--init")
    pool = f"{world.shop.product('Sunset').gid}@{world.shop.location('Warehouse').gid}"
    world.run("pause", pool)
    for sku in ("S", "M"):
        world.shop.sell(sku, 1, "Till")
        world.shop.set_available(sku, 30, "Warehouse")
    world.run("resume", pool, "--as-set")
    world.variants()
    assert [world.shop.available(sku, "Warehouse") for sku in ("S", "M")] == [30, 30]
    assert [world.shop.available(sku, "Till") for sku in ("S", "M")] == [8, 8]
