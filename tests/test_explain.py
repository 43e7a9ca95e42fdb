"""`invsync explain`: which pool is meant, and its story."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from command_line import BOTH, Place
from pseudo_terminal import Window

from invsync import explain
from invsync.commands.explain import sparkline
from invsync.config.settings import load as load_config

SUNSET = "gid://shopify/Product/1004"


@pytest.fixture
def day(place: Place) -> Place:
    """Sales, a restock, two restocks at once, and a sale at the till."""
    place.run("variants", "--init", exit_code=3)
    place.run("locations", "--init", exit_code=3)
    for sold in ({"PRINT-S": 3, "PRINT-M": 2}, {"PRINT-L": 1}):
        with place.shop() as shop:
            for sku, units in sold.items():
                shop.sell(sku, units)
        place.run("variants", exit_code=3)
    for restocked in ({"PRINT-M": 36}, {"PRINT-S": 10, "PRINT-L": 5}):
        with place.shop() as shop:
            for sku, units in restocked.items():
                shop.restock(sku, units)
        place.run("variants", exit_code=3)
    with place.shop() as shop:
        shop.sell("MUG", 2, "Till")
    place.run("locations", exit_code=3)
    return place


def told(place: Place, *args: str) -> dict[str, Any]:
    """The one pool that is told of."""
    (pool,) = place.run("explain", "--json", *args).document["pools"]
    found: dict[str, Any] = pool
    return found


def write_history(place: Place, *lines: Any, name: str = "history.jsonl") -> None:
    place.state.mkdir(mode=0o700, exist_ok=True)
    with (place.state / name).open("a", encoding="utf-8") as file:
        for line in lines:
            file.write(
                (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n"
            )


def story(
    pool: int, before: int | None, after: int | None, *, title: str = "", **more: Any
) -> dict[str, Any]:
    """A line of what moved: one level, by the difference."""
    moved = [
        {
            "item": f"gid://shopify/InventoryItem/{pool}1",
            "sku": f"S{pool}",
            "location": "gid://shopify/Location/1",
        }
    ]
    moved[0]["movement"] = (after or 0) - (before or 0)  # type: ignore[assignment]
    return {
        "at": "2026-11-22T12:00:00Z",
        "run": "0123456789",
        "pool": f"gid://shopify/Product/{pool}",
        "title": title or f"Print {pool}",
        "why": "falls",
        "quantity": {"from": before, "to": after},
        "moved": moved,
        **more,
    }


def adjustment(pool: int, level: int, before: int, delta: int, **more: Any) -> dict[str, Any]:
    """A line of what was sent."""
    return {
        "at": "2026-11-22T12:00:00Z",
        "run": "0123456789",
        "batch": "key",
        "pool": f"gid://shopify/Product/{pool}",
        "title": f"Print {pool}",
        "item": f"gid://shopify/InventoryItem/{pool}{level}",
        "sku": f"S{pool}-{level}",
        "location": "gid://shopify/Location/1",
        "before": before,
        "delta": delta,
        "after": before + delta,
        "why": "falls",
        **more,
    }


# -- the story -------------------------------------------------------------------------------------


def test_what_moved_which_rule_counted_it_and_what_was_sent(day: Place) -> None:
    pool = told(day, "PRINT-S")
    assert (pool["command"], pool["pool"], pool["quantity"], pool["managed"]) == (
        "variants",
        SUNSET,
        65,
        True,
    )
    events = pool["events"]
    assert [(event["quantity"]["from"], event["quantity"]["to"]) for event in events] == [
        (30, 25),
        (25, 24),
        (24, 60),
        (60, 65),
    ]
    assert [event["rule"] for event in events] == [
        "falls: all counted",
        "falls: all counted",
        "one rise: counted",
        "several rises: smallest counted",
    ]
    assert {level["sku"]: level["movement"] for level in events[0]["moved"]} == {
        "PRINT-S": -3,
        "PRINT-M": -2,
    }
    assert {level["sku"]: level["delta"] for level in events[0]["sent"]} == {
        "PRINT-S": -2,
        "PRINT-M": -3,
        "PRINT-L": -5,
        "PRINT-XL": -5,
    }
    assert len({event["run"] for event in events}) == 4


def test_the_story_is_told_with_the_newest_last(day: Place) -> None:
    out = day.run("explain", "PRINT-S").out
    lines = out.splitlines()
    assert lines[0] == f"Sunset over the harbour (variants, {SUNSET}): quantity 65"
    assert lines[1] == "30 ▂▁▁▇█ 65 (lowest 24, highest 65)"
    assert re.fullmatch(r".* UTC  30 → 25  falls: all counted", lines[3])
    assert lines[4].startswith("  moved  PRINT-S -3 ordered, PRINT-M -2 ordered")
    assert lines[5].startswith("  sent   ")
    assert re.fullmatch(r"  run    [0-9a-f]{8}", lines[6])
    assert "60 → 65" in lines[-5]
    assert lines[-2].startswith("  told   several variants rose between two runs (PRINT-S +10, ")


@pytest.mark.parametrize("columns", [60, 80])
def test_a_name_and_its_number_stay_on_one_line(day: Place, columns: int) -> None:
    shown = Window(day.folder, columns).run("explain", "PRINT-S")
    assert shown.too_wide == []
    for level in ("PRINT-S -2", "PRINT-M -3", "PRINT-XL -5"):
        assert level in shown.text


def test_locations_are_called_by_their_names(day: Place) -> None:
    out = day.run("explain", "mug").out
    assert out.startswith("Mug (locations, gid://shopify/InventoryItem/")
    assert "Till -2" in out
    assert "Warehouse -2" in out


def test_the_last_events_only(day: Place) -> None:
    pool = told(day, "PRINT-S", "-n", "1")
    assert (len(pool["events"]), pool["earlier"]) == (1, 3)
    assert "3 earlier: -n 4 shows them all" in day.run("explain", "PRINT-S", "--last", "1").out


def test_a_pool_that_waits_says_so(day: Place) -> None:
    out = day.run("explain", "Lighthouse").out
    assert "(variants, gid://shopify/Product/1024): no quantity yet" in out
    assert "LIGHT-S 10, LIGHT-M 7" in out
    assert "  told\n  told   its variants differ (" in out


def test_a_run_that_was_cut_off_left_only_what_was_sent(place: Place) -> None:
    write_history(
        place,
        adjustment(7, 1, 30, -3),
        adjustment(7, 2, 28, -1),
        adjustment(7, 1, 27, -2, run="9876543210", title="Print 7"),
        story(7, 27, 25, run="9876543210"),
        adjustment(7, 3, 24, -1, run="5555555555"),
    )
    events = told(place, "Print 7")["events"]
    assert [(event["run"][0], event["recovered"], len(event["sent"])) for event in events] == [
        ("0", True, 2),
        ("9", False, 1),
        ("5", True, 1),
    ]
    assert [event["quantity"]["to"] for event in events] == [27, 25, 23]
    assert "(not recorded: the run" in place.run("explain", "Print 7", columns=200).out


def test_where_no_name_was_kept_locations_go_by_their_number(place: Place) -> None:
    line = {**adjustment(7, 1, 30, -3), "pool": "gid://shopify/InventoryItem/71"}
    write_history(place, line, {**line, "location": "gid://shopify/Location/2"})
    assert "location 1 -3" in place.run("explain", "71", columns=200).out


def test_a_pool_that_left_is_told_of_by_its_history(place: Place) -> None:
    write_history(place, story(7, 30, 25))
    assert told(place, "7")["managed"] is False
    assert "no longer managed" in place.run("explain", "7").out


def test_the_story_does_not_need_a_cache(day: Place) -> None:
    (day.state / "variants.json").write_text("{")
    assert told(day, "PRINT-S")["managed"] is None
    assert "how it stands can't be told" in day.run("explain", "PRINT-S").out


@pytest.mark.parametrize(
    ("why", "movements", "after", "says"),
    [
        ("falls", (-3, 5), 27, "falls: all counted; rises wait"),
        ("rise", (-3, 5), 32, "one rise and all falls: counted"),
        ("nothing", (5, 6), 30, "not counted: waits for a person"),
        ("nothing", (-3, -3), None, "without a quantity: left alone"),
        ("released", (), 40, "what waited: counted"),
        ("something new", (), 40, "something new"),
    ],
)
def test_rules_in_words(
    place: Place, why: str, movements: tuple[int, ...], after: int | None, says: str
) -> None:
    line = story(7, 30, after, why=why)
    line["moved"] = [{**line["moved"][0], "movement": movement} for movement in movements]
    write_history(place, line)
    assert told(place, "7")["events"][0]["rule"] == says


# -- the whole shop --------------------------------------------------------------------------------


def test_without_a_name_it_tells_of_the_whole_shop_the_newest_last(day: Place) -> None:
    document = day.run("explain", "--json").document
    assert (document["asked"], document["earlier"]) == (None, 0)
    told = [(event["title"], event["quantity"]["to"]) for event in document["events"]]
    assert told[-5:] == [
        ("Sunset over the harbour", 25),
        ("Sunset over the harbour", 24),
        ("Sunset over the harbour", 60),
        ("Sunset over the harbour", 65),
        ("Mug", 18),
    ]
    assert [event["at"] for event in document["events"]] == sorted(
        event["at"] for event in document["events"]
    )
    assert {event["command"] for event in document["events"]} == {"variants", "locations"}
    out = day.run("explain").out
    assert re.search(r"UTC  Sunset over the harbour: 24 → 60  one rise: counted\n", out)
    assert out.index("60 → 65") < out.index("Mug: 20 → 18")


def test_of_the_whole_shop_the_last_events_only(day: Place) -> None:
    document = day.run("explain", "-n", "2", "--json").document
    assert [event["title"] for event in document["events"]] == ["Sunset over the harbour", "Mug"]
    assert document["earlier"] == 5
    assert "5 earlier: -n 7 shows them all" in day.run("explain", "-n", "2").out


def test_none_from_further_back(place: Place) -> None:
    now = datetime.now(UTC)
    for days, pool in ((9, 7), (3, 7), (1, 8), (1, 7)):
        at = (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        write_history(place, story(pool, 30 + days, 30, at=at, run=f"run-{days}-{pool}"))

    def befores(*args: str) -> list[int]:
        document = place.run("explain", "--json", *args).document
        events = document["events"] if "events" in document else document["pools"][0]["events"]
        return [event["quantity"]["from"] for event in events]

    assert befores("--since", "2d") == [31, 31]
    assert befores("--since", "80h") == [33, 31, 31]
    assert befores("7", "--since", "5d") == [33, 31]
    assert befores("--since", "30m") == []
    assert place.run("explain", "--since", "30m").out.startswith("nothing has happened since ")


def test_before_the_first_run_nothing_has_happened(place: Place) -> None:
    ran = place.run("explain")
    assert ran.out.startswith("nothing has happened yet; begin with `invsync ")
    assert ran.out.rstrip().endswith("variants --init`")


def test_runs_that_were_cut_off_are_told_as_far_as_they_are_known(place: Place) -> None:
    write_history(
        place,
        adjustment(7, 1, 30, -3),
        adjustment(8, 1, 12, -1),
        story(8, 13, 12),
        adjustment(9, 1, 5, 2, run="1111111111"),
    )
    events = place.run("explain", "--json").document["events"]
    assert [(event["title"], event["recovered"]) for event in events] == [
        ("Print 8", False),
        ("Print 7", True),
        ("Print 9", True),
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["-1"],
        ["--since", "2"],
        ["--since", "-1d"],
        ["--since", "2 weeks"],
        ["--since", "999999999d"],
        ["--since", "²d"],
        ["--since", ""],
        ["-n", "0"],
        ["-n", "many"],
        ["--last"],
        [""],
        ["  "],
        ["a\nb"],
        ["\udce9"],
        ["x" * 5000],
    ],
)
def test_odd_input_is_one_line(day: Place, args: list[str]) -> None:
    ran = day.run("explain", *args, exit_code=2)
    assert ran.out == ""
    assert re.fullmatch(r"invsync: \S[^\n]*\n", ran.err)


# -- what was told ---------------------------------------------------------------------------------


def test_a_sku_that_a_report_named_is_known_though_it_never_moved(day: Place) -> None:
    pool = told(day, "LIGHT-S")
    assert (pool["title"], pool["quantity"]) == ("Lighthouse (counts differ)", None)
    ((kind, message),) = [(each["kind"], each["message"]) for each in pool["events"][0]["told"]]
    assert kind == "out_of_sync"
    assert "LIGHT-S 10, LIGHT-M 7" in message


def test_a_problem_that_stands_is_told_once_not_at_every_run(day: Place) -> None:
    before = day.run("explain", "Lighthouse", "--json").document
    for _ in range(3):
        day.run("variants", exit_code=3)
    assert day.run("explain", "Lighthouse", "--json").document == before


def test_a_pool_that_left_says_so(day: Place) -> None:
    with day.shop() as shop:
        shop.set_status("Fog on the river", "ARCHIVED")
    day.configure(BOTH.replace("[Print]", "[Print]\n  only_active: true"))
    day.run("variants", exit_code=3)
    last = told(day, "Fog on the river")["events"][-1]
    assert [each["kind"] for each in last["told"]] == ["left"]


# -- which pool ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        ("Sunset over the harbour",),
        ("Sunset", "over", "the", "harbour"),
        ("SUNSET OVER",),
        ("harbour",),
        ("print-xl",),
        ("PRINT-",),
        (SUNSET,),
        ("1004",),
        ("gid://shopify/InventoryItem/1005",),
        ("1005",),
    ],
)
def test_a_pool_answers_to_title_sku_id_and_number(day: Place, asked: tuple[str, ...]) -> None:
    assert told(day, *asked)["pool"] == SUNSET


def test_a_pool_of_which_nothing_moved_answers_to_title_and_number(day: Place) -> None:
    assert (
        told(day, "fog on the")["pool"] == told(day, "1017")["pool"] == "gid://shopify/Product/1017"
    )


def test_a_name_like_no_other_brings_near_ones(day: Place) -> None:
    ran = day.run("explain", "PRNT-S", exit_code=2)
    assert (
        ran.err
        == "invsync: nothing is known of 'PRNT-S'; did you mean PRINT-S, PRINT-M, PRINT-L or "
        "PRINT-XL?\n"
    )
    assert ran.out == ""
    assert "A SKU is known once its pool has moved" in day.run("explain", "???", exit_code=2).err
    assert "an empty name names no pool" in day.run("explain", "", exit_code=2).err


def test_before_the_first_run_nothing_is_known(place: Place) -> None:
    line = place.run("explain", "x", exit_code=2).err
    assert f"begin with `invsync --config {place.config} variants --init`" in line
    assert not place.state.exists()


def test_a_part_that_several_have_is_asked_back(place: Place) -> None:
    write_history(
        place, *(story(pool, 30, 25, title=f"Print of number {pool}") for pool in range(1, 9))
    )
    error = place.run("explain", "of number", exit_code=2).err
    assert "'of number' fits 8 pools: Print of number 1 (1)," in error
    assert "and 3 more; give a whole title, a SKU or a number" in error
    assert told(place, "print of number 3")["pool"].endswith("/3")


def test_a_sku_used_twice_tells_of_both(place: Place) -> None:
    write_history(place, story(1, 30, 25), story(2, 12, 11))
    for pool in (1, 2):
        write_history(place, adjustment(pool, 1, 3, 1, sku="TWICE"))
    pools = place.run("explain", "twice", "--json").document["pools"]
    assert [pool["title"] for pool in pools] == ["Print 1", "Print 2"]
    assert place.run("explain", "twice").out.count("no longer managed") == 2


def test_a_number_is_not_part_of_another(place: Place) -> None:
    write_history(place, story(1, 30, 25), story(11, 12, 11))
    assert told(place, "1")["pool"].endswith("Product/1")
    assert len(told(place, "gid://shopify/Product/1")["events"]) == 1


def test_a_product_keeps_its_story_under_a_new_title(place: Place) -> None:
    write_history(place, story(7, 30, 25, title="Old name"), story(7, 25, 24, title="New name"))
    assert told(place, "old name") == told(place, "new name")
    assert told(place, "old name")["title"] == "New name"


def test_titles_of_any_kind(place: Place) -> None:
    title = 'Größe "L"\t\x1b[31m\\ é'
    write_history(place, story(7, 30, 25, title=title))
    assert told(place, 'grösse "l"')["title"] == title
    out = place.run("explain", title).out
    assert "\x1b" not in out


# -- the files -------------------------------------------------------------------------------------


def test_the_file_that_was_set_aside_comes_first(place: Place) -> None:
    write_history(place, story(7, 25, 24))
    write_history(place, story(7, 30, 25), name="history.jsonl.1")
    assert [event["quantity"]["to"] for event in told(place, "7")["events"]] == [25, 24]
    (place.state / "history.jsonl").unlink()
    assert len(told(place, "7")["events"]) == 1


def test_lines_that_are_torn_or_changed_are_passed_over(place: Place) -> None:
    whole = story(7, 25, 24)
    write_history(
        place, story(7, 30, 25), "{", "[]", '"Print 7"', '{"pool": "gid://shopify/Product/7"}'
    )
    write_history(
        place,
        {**whole, "moved": 7},
        {**whole, "moved": [{}]},
        {**whole, "quantity": 7},
        {**whole, "at": 7},
    )
    write_history(place, whole, json.dumps(whole)[:100])
    assert [event["quantity"]["to"] for event in told(place, "print 7")["events"]] == [25, 24]


def test_a_history_that_cannot_be_read_is_one_line(place: Place) -> None:
    (place.state / "history.jsonl").mkdir(parents=True)
    assert "history.jsonl" in place.run("explain", "7", exit_code=1).err


def test_a_long_history_is_never_in_memory(place: Place) -> None:
    others = "".join(json.dumps(story(pool, 30, 25)) + "\n" for pool in range(100, 400))
    place.state.mkdir(mode=0o700)
    with (place.state / "history.jsonl").open("w") as file:
        file.write(json.dumps(story(7, 30, 29)) + "\n")
        for _ in range(50):
            file.write(others)
        file.write(json.dumps(story(7, 29, 28)) + "\n")
    size = (place.state / "history.jsonl").stat().st_size
    settings = load_config(place.config, os.environ)
    tracemalloc.start()
    try:
        (found,) = explain.read_stories(settings, "print 7", 50)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.events) == 2
    assert peak < size / 10


def test_it_writes_nothing(day: Place) -> None:
    before = day.state_files()
    day.run("explain", "PRINT-S")
    day.run("explain", "nobody", exit_code=2)
    assert day.state_files() == before


# -- the sparkline ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([30, 21], "█▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([5, 5], "▄▄"),
        ([-7, 0], "▁█"),
        ([3], "▄"),
    ],
)
def test_sparkline(numbers: list[int], shown: str) -> None:
    assert sparkline(numbers) == shown


def test_configuration_is_needed_for_the_state_folder(place: Place) -> None:
    place.configure(BOTH + "mistake: 1\n")
    assert "mistake" in place.run("explain", "x", exit_code=2).err
