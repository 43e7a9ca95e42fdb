"""What a person sees at a terminal: the real program in windows of several widths.

Titles and SKUs are of all kinds: wide signs, emoji, combined signs, right to left, and long.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from command_line import Place
from pseudo_terminal import Shown, Window, cells, resize

from invsync.cli import main

HARBOUR = "夕焼けの港 🌅 とても長い題名のポスター、額縁つき"
LONG = "A print of the harbour at sunset with all its boats, its gulls and its rust, framed in oak"

#: What is typed, with the exit code that it has to end with.
SESSION: Sequence[tuple[int, Sequence[str]]] = (
    (0, ["config", "validate"]),
    (0, ["check"]),
    (3, ["variants", "--init"]),
    (3, ["locations", "--init"]),
    (0, ["variants", "--init", "--align", "lowest", "--dry-run"]),
    (0, ["variants", "--init", "--align", "lowest"]),
    (0, ["sandbox", "sell", "港-小🌅", "3"]),
    (0, ["sandbox", "sell", "GALLERY-EDITION-FRAMED-OAK-EXTRA-LARGE-2026", "3"]),
    (0, ["variants", "--dry-run"]),
    (0, ["variants", "-v"]),
    (0, ["sandbox", "set", "港-小🌅", "40"]),
    (0, ["sandbox", "set", "港-大🌅", "45"]),
    (3, ["variants", "-vv"]),
    (3, ["status"]),
    (0, ["explain", "港-小🌅"]),
    (0, ["explain", LONG]),
    (0, ["explain", "Apron"]),
    (2, ["explain", "nothing that is called so, in the whole of the shop or near it"]),
    (2, ["explain", "-1"]),
    (2, ["variants", "--reset"]),
    (2, ["--config", "wrong.yaml", "config", "validate"]),
    (2, ["--config", "missing/in/a/folder/that/is/not/there/config.yaml", "variants"]),
    (1, ["sandbox", "sell", "NO-SUCH-SKU-ANYWHERE-IN-THE-WHOLE-OF-THE-SANDBOX-SHOP", "1"]),
    (0, ["sandbox", "show"]),
    (0, ["sandbox", "show", "no variant has this"]),
    (0, ["sandbox", "reset", "--products", "3", "--locations", "40"]),
    (0, ["sandbox", "show"]),
    (0, ["--version"]),
)


@pytest.fixture
def shop(place: Place) -> Place:
    """The sandbox's shop, with names that are hard to lay out."""
    (place.folder / "wrong.yaml").write_text(
        "shop: sandbox\nvariants:\n  product_typos: [a, b]\n  max_rising: many\ncolour: 'red'\n"
    )
    with place.shop() as shop:
        here = (shop.primary,)
        for title, skus in (
            (HARBOUR, ["港-小🌅", "港-中🌅", "港-大🌅"]),
            (LONG, ["GALLERY-EDITION-FRAMED-OAK-EXTRA-LARGE-2026", "GALLERY-2", "GALLERY-3"]),
            ("Cafe\N{COMBINING ACUTE ACCENT} cre\N{COMBINING GRAVE ACCENT}me", ["CC-1", "CC-2"]),
            ("שקיעה בנמל", ["HE-1", "HE-2"]),
        ):
            shop.add_product(title, skus, product_type="Print", available=30, locations=here)
    return place


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_nothing_is_wider_than_the_window(shop: Place, columns: int) -> None:
    shown = Window(shop.folder, columns).play(*(args for _, args in SESSION), answer="y\n")
    told = {" ".join(args): each for (_, args), each in zip(SESSION, shown, strict=True)}
    for (code, args), each in zip(SESSION, shown, strict=True):
        assert each.exit_code == code, f"{args}:\n{each.text}"
        assert [line for line in each.too_wide if "[y/N]" not in line] == [], args
        assert "Traceback" not in each.text
    assert aligned(told["variants --dry-run"]), told["variants --dry-run"].text
    assert re.search(r"\n           invsync explain \d+\n", told["variants -vv"].text)


def aligned(shown: Shown) -> bool:
    """Whether the quantities of a table end where their heading does."""
    (head,) = (line for line in shown.lines if line.startswith("PRODUCT"))
    rows = [line for line in shown.lines if " → 27" in line]
    ends = {cells(line[: line.index(" → ") + len(" → 00")]) for line in rows}
    return len(rows) == 2 and ends == {head.index("QUANTITY") + len("QUANTITY")}


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All commands, groups included."""
    found = [path]
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            found += commands(below, (*path, name))
    return found


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_help_of_every_command_fits(tmp_path: Path, columns: int) -> None:
    asked = [[*path, "--help"] for path in commands(main)]
    assert len(asked) > 15
    for args, shown in zip(asked, Window(tmp_path, columns).play(*asked), strict=True):
        assert shown.exit_code == 0
        assert shown.text.startswith("Usage: invsync"), shown.text
        assert shown.too_wide == [], args


#: A story that is told sooner.
SHORT_DEMO = """
from invsync.commands import demo
sale = ("Three are sold, which Shopify counts for this variant only, and no other:",)
demo._STORY = (demo._STORY[0], (*sale, ("sandbox sell PRINT-S 9", "variants --dry-run")))
"""


def test_the_demo_fits(tmp_path: Path) -> None:
    shown = Window(tmp_path, 60).run("demo", first=SHORT_DEMO)
    assert shown.exit_code == 0, shown.text
    assert shown.too_wide == []
    assert " 30 → 21  PRINT-S " in shown.text
    assert "\x1b[1;31mPROBLEM" in shown.raw


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_is_off_where_it_is_not_wanted(shop: Place, environ: dict[str, str]) -> None:
    asked = [list(args) for _, args in SESSION if args[0] != "--version"]
    for args, shown in zip(
        asked, Window(shop.folder, 80, environ).play(*asked, answer="y\n"), strict=True
    ):
        assert "\x1b" not in shown.raw, args


def test_colour_tells_what_waits(shop: Place) -> None:
    init, status, check = Window(shop.folder, 80).play(
        ["variants", "--init"], ["status"], ["check"]
    )
    assert "\x1b[1;31mPROBLEM" in init.raw
    assert "\x1b[1;33m  out of sync" in status.raw
    assert "\x1b[32mok" in check.raw
    assert "\x1b[1;33mwarning" in check.raw


def test_a_window_that_is_made_smaller_meanwhile_is_no_trouble(shop: Place) -> None:
    window = Window(shop.folder, 120)
    with window.started("check") as (process, ours):
        shown = b""
        for columns in (90, 40, 10, 1, 200):
            shown += os.read(ours, 200)
            resize(ours, columns)
        while True:
            try:
                piece = os.read(ours, 10_000)
            except OSError:
                break
            shown += piece
        process.wait(60)
    assert process.returncode == 0, shown.decode()
    assert b"Traceback" not in shown


@pytest.mark.parametrize("columns", [1, 19])
def test_a_window_in_which_nothing_fits_is_no_trouble(shop: Place, columns: int) -> None:
    for shown in Window(shop.folder, columns).play(["variants", "--init"], ["status"]):
        assert shown.exit_code == 3
        assert "Traceback" not in shown.text


@pytest.mark.parametrize("args", [["check"], ["sandbox", "show"], ["status"], ["variants", "-vv"]])
def test_a_reader_that_goes_away_is_no_trouble(shop: Place, args: Sequence[str]) -> None:
    """`| head`: the reader of stdout has gone before the first word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "invsync", *args],
        cwd=shop.folder,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
