"""The first day of a shop at a terminal.

Each step names the next, and that works as it is printed.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import BOTH, Place
from pseudo_terminal import Shown, Window


def next_of(shown: Shown) -> list[str]:
    """The command that the end of what is shown suggests: what stands after `invsync`."""
    commands = [line.strip() for line in shown.lines if re.match(r" +invsync ", line)]
    assert commands, shown.text
    return shlex.split(commands[-1])[1:]


def test_each_step_names_the_next(tmp_path: Path) -> None:
    window = Window(tmp_path, 60)
    missing = window.run("variants")
    assert missing.exit_code == 2
    assert "invsync config example" in missing.text

    example = window.run("config", "example").text
    assert "Then:  invsync config validate" in example
    (tmp_path / "config.yaml").write_text(
        "shop: sandbox\nvariants: {product_types: [Print]}\n", encoding="utf-8"
    )
    steps = []
    args = ["config", "validate"]
    for _ in range(4):
        shown = window.run(*args)
        steps.append(args)
        assert shown.exit_code in (0, 3), shown.text
        args = next_of(shown)
    assert steps == [
        ["config", "validate"],
        ["check"],
        ["variants", "--init"],
        ["variants", "--dry-run"],
    ]
    assert args == ["variants"]
    assert "every ten minutes" in " ".join(shown.text.split())
    done = window.run(*args)
    assert "NEXT" not in done.text
    assert "\nnext, " not in window.run("check").text


@pytest.fixture
def unequal(place: Place) -> Place:
    """A shop of which most variants read differently at their locations, some 0 at one."""
    place.configure(BOTH)
    with place.shop() as shop:
        here, till = list(shop.locations.values())[:2]
        for at in range(20):
            shop.add_product(
                f"Mug {at}",
                [f"MUG-{at}"],
                product_type="Kitchen",
                available=10 + at,
                locations=(here, till),
            )
            shop.set_available(f"MUG-{at}", at % 5, till.name)
    return place


def test_a_shop_of_which_most_is_unequal_is_led_to_align_with_what_would_be_sent(
    unequal: Place,
) -> None:
    window = Window(unequal.folder, 80)
    shown = window.run("locations", "--init")
    told = " ".join(shown.text.split())
    assert shown.exit_code == 3
    assert shown.text.count("PROBLEM") == 1
    assert "21 of 23 pools are out of sync" in told
    assert "raise one location to the right number" in told
    assert " --init --align lowest --dry-run" in told

    for number in ("lowest", "highest"):
        args = ("locations", "--init", "--align", number, "--dry-run")
        document = unequal.run(*args, "--json", exit_code=None).document
        rows = [level["delta"] for each in document["changes"] for level in each["levels"]]
        deltas = [delta for delta in rows if delta]
        summed = f"{len(deltas)} levels by {sum(deltas):+,} units"
        assert f"To the {number}: {summed} (" in told
        plan = window.run(*args)
        assert f"in all: {summed} (" in " ".join(plan.text.split())
        assert plan.too_wide == []
        assert next_of(plan) == ["locations", "--init", "--align", number]
        if number == "lowest":
            empty = sum(each["quantity"]["to"] == 0 for each in document["changes"])
            assert empty == 4
            assert f"; {empty} pools come to 0, and nothing of it can be sold" in told


def test_with_a_reserve_no_numbers_are_told_that_would_not_be_sent(unequal: Place) -> None:
    unequal.configure(BOTH.replace("[Kitchen]", "[Kitchen]\n  reserve: 1"))
    shown = Window(unequal.folder, 80).run("locations", "--init")
    assert "pools are out of sync" in shown.text
    assert "To the lowest" not in shown.text
    assert next_of(shown) == ["locations", "--dry-run"]


def test_few_that_are_unequal_are_told_one_by_one(place: Place) -> None:
    shown = Window(place.folder, 80).run("locations", "--init")
    assert "Apron (APRON, item " in shown.text
    assert "can be brought to" not in shown.text
