"""What cron mails: what is news to a person, once, then now and then, then that it is over."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from program_world import World

from invsync.config.settings import load as load_config
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.status import read_status


@pytest.fixture
def world(world: World) -> World:
    """As it is by default: a run tells what is news."""
    world.remembers = True
    world.configure(report=None)
    return world


@pytest.fixture
def unequal(world: World) -> World:
    """A product that is in step, and one whose variants differ, which a mail has told."""
    world.add("Sunset", "S-1 S-2")
    world.add("Moon", "M-1 M-2", available=[4, 7])
    world.run("variants", "--init", exit_code=3)
    return world


def mail(world: World, command: str = "variants", *, exit_code: int | None = None) -> str:
    """What the next run of cron has mailed: both of its streams."""
    world.time.pass_by(minutes=10)
    ran = world.run(command, exit_code=exit_code)
    return ran.out + ran.err


def memory(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.place("variants", "told").read_bytes())
    return found


# --- A problem that stands ------------------------------------------------------------------------


def test_a_problem_is_told_once_then_once_a_day_then_that_it_is_over(unequal: World) -> None:
    for _ in range(143):
        assert mail(unequal, exit_code=3) == ""
    reminder = mail(unequal, exit_code=3)
    assert reminder.startswith(
        "invsync variants, sandbox.myshopify.com: 1 still open\n\nStill open:"
    )
    assert "Moon (product " in reminder
    assert "(open since 2026-11-22 12:00 UTC)" in reminder
    assert mail(unequal, exit_code=3) == ""
    unequal.shop.set_available("M-1", 7)
    over = mail(unequal, exit_code=0)
    assert over.startswith("invsync variants, sandbox.myshopify.com: 1 resolved, 1 adopted\n")
    assert "Moon (product " in over
    assert "out of sync, since 2026-11-22 12:00 UTC" in over
    assert mail(unequal, exit_code=0) == ""


def test_what_comes_back_is_told_again(world: World) -> None:
    world.add("Bag", "B-1 B-2", locations=("Warehouse", "Till"), available=9)
    world.configure(report=None, variants={"product_types": ["Print"], "several_rises": "hold"})
    world.run("variants", "--init")
    for _ in range(2):
        for sku in ("B-1", "B-2"):
            world.shop.restock(sku, 3 if sku == "B-1" else 2)
        told = mail(world, exit_code=3)
        assert "1 needs a person" in told
        assert mail(world, exit_code=3) == ""
        for sku in ("B-1", "B-2"):
            world.shop.restock(sku, -3 if sku == "B-1" else -2)
        assert "1 resolved" in mail(world, exit_code=0)


def test_a_problem_that_changed_is_told_at_once(world: World) -> None:
    world.configure(report=None, variants={"product_types": ["Print"], "several_rises": "hold"})
    world.add("Sunset", "S-1 S-2 S-3", available=10)
    world.run("variants", "--init")
    for sku, units in (("S-1", 2), ("S-2", 3)):
        world.shop.restock(sku, units)
    assert "it rises by 2" in mail(world, exit_code=3)
    world.sell("S-3")
    assert mail(world, exit_code=3) == ""
    for sku, units in (("S-1", 5), ("S-2", 5)):
        world.shop.restock(sku, units)
    assert "it rises by 7" in mail(world, exit_code=3)


def test_reminders_come_together(unequal: World) -> None:
    unequal.time.pass_by(hours=5)
    unequal.add("Dawn", "D-1 D-2", available=[1, 2])
    assert "1 needs a person" in mail(unequal)
    unequal.time.pass_by(hours=20)
    assert "2 still open" in mail(unequal)
    unequal.time.pass_by(hours=5)
    assert mail(unequal) == ""


def test_one_is_reminded_as_often_as_the_configuration_says(unequal: World) -> None:
    unequal.configure(report=None, remind_every="3h")
    assert mail(unequal) == ""
    unequal.time.pass_by(hours=3)
    assert "1 still open" in mail(unequal)


def test_problems_of_one_kind_with_one_mend_are_one_paragraph(world: World) -> None:
    ids = [world.add(title, f"{title}-1 {title}-2", available=[1, 2]).id for title in "AB"]
    told = world.run("variants", exit_code=3).out
    assert told.splitlines()[2:7] == [
        "Needs a person:",
        "2 pools, out of sync:",
        f"- A (product {ids[0]}): its variants differ (A-1 1, A-2 2), so it is left alone",
        f"- B (product {ids[1]}): its variants differ (B-1 1, B-2 2), so it is left alone",
        "Set all variants to the right number in Shopify, and the next run takes it from there; or "
        "have the lowest number taken (you are shown what changes, and asked): "
        f"`invsync --config {world.config} variants --init --align lowest --only {ids[0]} --only "
        f"{ids[1]}`",
    ]


def test_of_a_great_many_eight_are_named(world: World) -> None:
    for number in range(30):
        world.add(f"P{number:02}", f"P-{number}-1 P-{number}-2", available=[1, 2])
    told = world.run("variants", exit_code=3).out
    assert "30 pools, out of sync:" in told
    assert "- and 22 more: `invsync" in told
    assert "--align lowest`" in told
    assert len(told) < 3000


def refusing(world: World, sku: str) -> None:
    """From now on Shopify refuses every adjustment of this item."""
    item, items = world.shop.item(sku), world.shop.items

    def gone(request: Request, phase: Phase) -> None:
        if request.operation == "Adjust":
            items.pop(item.id, None)
            if phase == "after":
                items[item.id] = item

    world.hook = gone


def test_what_is_not_sent_is_no_change_and_each_pool_is_listed_once(world: World) -> None:
    world.configure(report="changes")
    world.add("Sunset", "S-1 S-2")
    world.add("Moon", "M-1 M-2", available=12)
    world.run("variants", "--init")
    world.sell("S-1 M-1", 3)
    refusing(world, "S-2")
    told = mail(world, exit_code=3)
    assert told.startswith("invsync variants, sandbox.myshopify.com: 1 needs a person, 1 changed\n")
    assert "\nChanged:\nMoon: 12 → 9; moved M-1 -3; sent M-2 -3\n\nNeeds a person:\nSunset" in told
    assert told.count("Sunset") == told.count("Moon") == 1
    assert "not sent" not in told.lower()
    world.sell("M-1")
    told = mail(world, exit_code=3)
    assert told.startswith("invsync variants, sandbox.myshopify.com: 2 changed\n")
    assert (
        "\nChanged:\nMoon: 9 → 8; moved M-1 -1; sent M-2 -1\n\nNot sent:\nSunset: S-2 -3;" in told
    )
    world.hook = None
    assert "1 resolved" in mail(world, exit_code=0)


# --- What happened --------------------------------------------------------------------------------


def test_what_happened_is_told_once_and_stays_in_status_for_seven_days(world: World) -> None:
    world.add("Sunset", "S-1 S-2 S-3", available=10)
    world.run("variants", "--init")
    for sku, units in (("S-1", 2), ("S-2", 3)):
        world.shop.restock(sku, units)
    told = mail(world, exit_code=3)
    assert "1 needs a person" in told
    assert "several variants rose" in told
    assert mail(world, exit_code=0) == ""
    (event,) = memory(world)["happened"]
    assert event["kind"] == "several_rises"
    world.time.pass_by(hours=24 * 7)
    world.sell("S-1", 14)
    assert "2 units are owed" in mail(world, exit_code=3)
    assert [event["kind"] for event in memory(world)["happened"]] == ["oversold"]


def test_sales_are_mailed_only_where_that_is_asked_for(unequal: World) -> None:
    unequal.sell("S-1", 3)
    assert mail(unequal, exit_code=3) == ""
    unequal.configure(report="changes")
    unequal.sell("S-1", 3)
    told = mail(unequal, exit_code=3)
    assert told.startswith(
        "invsync variants, sandbox.myshopify.com: 1 changed\n\nChanged:\nSunset:"
    )
    assert "Moon" not in told
    assert mail(unequal, exit_code=3) == ""


def test_a_warning_is_never_mailed_alone(world: World) -> None:
    world.add("Sunset", "S-1 S-2", available=20)
    world.run("variants", "--init")
    for sku in ("S-1", "S-2"):
        world.shop.set_available(sku, 12)
    assert mail(world, exit_code=0) == ""
    assert [event["kind"] for event in memory(world)["happened"]] == ["fell_alike"]


# --- A run that fails -----------------------------------------------------------------------------


def test_a_run_that_fails_again_and_again_is_one_mail_and_one_more_when_it_works(
    unequal: World,
) -> None:
    def unreachable(request: Request, phase: Phase) -> None:
        raise ConnectionResetError("cut by the test")

    unequal.hook = unreachable
    first = mail(unequal, exit_code=1)
    assert first.startswith("invsync: ")
    for _ in range(11):
        assert mail(unequal, exit_code=1) == ""
    unequal.time.pass_by(hours=23)
    reminder = mail(unequal, exit_code=1)
    assert "(this is so since 2026-11-22 12:1" in reminder
    assert "for 13 runs)" in reminder
    unequal.hook = None
    told = mail(unequal, exit_code=3)
    assert told.startswith("invsync variants, sandbox.myshopify.com: works again")
    assert "13 runs had failed since 2026-11-22 12:1" in told
    assert mail(unequal, exit_code=3) == ""


def test_another_failure_is_told_at_once(unequal: World) -> None:
    def unreachable(request: Request, phase: Phase) -> None:
        raise ConnectionResetError("cut by the test")

    unequal.hook = unreachable
    assert mail(unequal, exit_code=1) != ""
    assert mail(unequal, exit_code=1) == ""
    unequal.hook = None
    unequal.configure(report=None, variants={"product_types": ["Nothing"]})
    assert "nothing in the shop matches" in mail(unequal, exit_code=1)
    assert mail(unequal, exit_code=1) == ""


def test_while_runs_fail_nothing_is_called_resolved(unequal: World) -> None:
    def unreachable(request: Request, phase: Phase) -> None:
        raise ConnectionResetError("cut by the test")

    unequal.hook = unreachable
    mail(unequal, exit_code=1)
    unequal.hook = None
    assert "resolved" not in mail(unequal, exit_code=3)


# --- Who else looks -------------------------------------------------------------------------------


def test_json_has_everything_at_every_run_with_since_when(unequal: World) -> None:
    unequal.time.pass_by(hours=2)
    (problem,) = unequal.variants(exit_code=3)["problems"]
    assert problem["since"] == "2026-11-22T12:00:00Z"
    (problem,) = unequal.variants("--dry-run", exit_code=3)["problems"]
    assert problem["since"] == "2026-11-22T12:00:00Z"


def test_what_a_mail_has_not_told_is_told_by_the_next(world: World) -> None:
    """Somebody looked at it as JSON; whoever reads the mail knows nothing of that."""
    world.add("Moon", "M-1 M-2", available=[4, 7])
    world.variants(exit_code=3)
    assert "1 needs a person" in mail(world, exit_code=3)
    assert mail(world, exit_code=3) == ""


def test_a_dry_run_prints_all_and_remembers_nothing(unequal: World) -> None:
    before = unequal.files()
    assert "Moon" in unequal.run("variants", "--dry-run", exit_code=3).out
    assert unequal.files() == before
    assert "Moon" in unequal.run("-v", "variants", exit_code=3).out


def test_a_problem_that_one_pool_alone_was_rid_of_is_resolved_in_the_next_mail(
    unequal: World,
) -> None:
    unequal.run("variants", "--json", "--init", "--align", "lowest", "--yes", "--only", "Moon")
    assert "1 resolved" in mail(unequal, exit_code=0)
    assert mail(unequal, exit_code=0) == ""


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"problems": 3}', '{"problems": [{"kind": "x"}]}', "[" * 100_000]
)
def test_a_damaged_memory_costs_no_more_than_another_mail(unequal: World, content: str) -> None:
    unequal.place("variants", "told").write_text(content)
    told = mail(unequal, exit_code=3)
    assert "is damaged" in told
    assert "1 needs a person" in told
    assert mail(unequal, exit_code=3) == ""


# --- What status tells of it ----------------------------------------------------------------------


def looked_up(world: World, *, exit_code: int) -> tuple[dict[str, Any], str]:
    """What `invsync status` tells, as JSON and as text."""
    (each,) = json.loads(world.run("status", "--json", exit_code=exit_code).out)["commands"][:1]
    return each, world.run("status", exit_code=exit_code).out


def test_status_tells_what_happened_and_what_is_owed_and_nobody_is_waited_for(
    world: World,
) -> None:
    world.configure(report=None, locations=None)
    world.add("Sunset", "S-1 S-2", available=10)
    world.run("variants", "--init")
    world.sell("S-1", 12)
    assert "2 units are owed" in mail(world, exit_code=3)
    assert mail(world, exit_code=0) == ""
    told, text = looked_up(world, exit_code=0)
    (owing,) = told["owing"]
    assert (owing["title"], owing["units"]) == ("Sunset", 2)
    assert [event["kind"] for event in told["happened"]] == ["oversold"]
    assert re.search(r"^  owed +Sunset: 2 units$", text, re.MULTILINE)
    assert "more was sold than there was (S-1 -12; 10 → -2): 2 units are owed" in text
    world.shop.restock("S-2", 5)
    mail(world, exit_code=0)
    told, text = looked_up(world, exit_code=0)
    assert told["owing"] == []
    assert [event["kind"] for event in told["happened"]] == ["oversold"]


def test_what_happened_is_forgotten_after_seven_days(world: World) -> None:
    world.configure(report=None, locations=None)
    world.add("Sunset", "S-1 S-2", available=10)
    world.run("variants", "--init")
    world.sell("S-1", 12)
    mail(world, exit_code=3)
    settings = load_config(world.config, {})
    then = datetime(2026, 11, 22, 12, 10, tzinfo=UTC)
    for days, remembered in ((6.9, 1), (7.1, 0)):
        (each,) = read_status(settings, then + timedelta(days=days)).commands
        assert len(each.happened) == remembered
