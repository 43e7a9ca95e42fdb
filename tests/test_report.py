"""What people read: a screen at 80 columns, cron's mail."""

from __future__ import annotations

import getpass
import io
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pseudo_terminal import Window
from rich.cells import cell_len

from invsync.axis import axis_of
from invsync.cli import main
from invsync.errors import ShopError
from invsync.tell import mail
from invsync.tell import screen as at_a_terminal
from invsync.tell.document import document
from invsync.tell.lines import addressed, encodable
from invsync.tell.mail import change_line, headline, summary, unsent_line
from invsync.tell.outcome import Change, LevelChange, Outcome, Problem, Shown, Warning
from invsync.tell.screen import draw
from invsync.tell.terminal import Terminal, terminal_of

#: As terminals know colours (ECMA-48, SGR).
RED, GREEN, YELLOW = 31, 32, 33

PLAIN = Terminal(80, colour=False)
COLOUR = Terminal(80, colour=True)


def text(told: Outcome, terminal: Terminal | None = None, **called: str) -> str:
    """As at a terminal, or as a mail."""
    return at_a_terminal.text(told, terminal, **called) if terminal else mail.text(told, **called)


def table(changes: Sequence[Change], terminal: Terminal, **how: Any) -> list[str]:
    """The lines of the table of these changes."""
    how["axis"] = axis_of(how.pop("command"), ())
    return draw(at_a_terminal.table(changes, terminal, **how), terminal, "invsync").split("\n")


def outcome(**given: Any) -> Outcome:
    some: dict[str, Any] = {
        "command": "variants",
        "shop": "shop.myshopify.com",
        "mode": "sync",
        "dry_run": False,
        "started_at": "2026-07-01T12:00:00Z",
        "seconds": 0.14,
        "seen": 5,
        "requests": 4,
        "points": 30,
    }
    return Outcome(**{**some, **given})


def level(label: str, movement: int, delta: int, *, applied: bool = True) -> LevelChange:
    return LevelChange("gid://i", label, label, "gid://l", 0, movement, delta, applied)


def change(
    title: str, before: int | None, after: int | None, *levels: LevelChange, pool: str = ""
) -> Change:
    return Change(pool or f"gid://shopify/Product/{title}", title, before, after, "falls", levels)


SUNSET = change(
    "Sunset over the harbour",
    30,
    21,
    level("PRINT-S", -3, -6),
    level("PRINT-M", -3, -6),
    level("PRINT-L", -3, -6),
    level("PRINT-XL", 0, -9),
    pool="gid://shopify/Product/7",
)
DIFFERENT = Problem(
    "out_of_sync",
    "gid://shopify/Product/8",
    "Lighthouse",
    "Lighthouse: its variants differ (L-S 10, L-M 7), so it is left alone. Set all variants to the "
    "right number in "
    "Shopify, or run: `invsync variants --init --align lowest`",
    (Shown("item-1", "L-S", "here", 10), Shown("item-2", "L-M", "here", 7)),
)
ALIKE = Warning(
    "fell_alike", "gid://shopify/Product/7", "Sunset over the harbour: all its variants fell alike"
)


def eventful(**given: Any) -> Outcome:
    return outcome(
        changes=[SUNSET],
        problems=[DIFFERENT],
        warnings=[ALIKE],
        standings=Counter(adjusted=1, out_of_sync=1),
        **given,
    )


def visible(words: str) -> int:
    """The columns that a terminal gives to the words, for the signs that these tests use."""
    width = 0
    for sign in click.unstyle(words):
        if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
            continue
        width += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
    return width


# --- On a terminal --------------------------------------------------------------------------------


def test_a_screen_has_a_table_then_what_needs_a_person_then_the_counts() -> None:
    assert text(eventful(), PLAIN) == (
        "PRODUCT                  QUANTITY  VARIANT   MOVED  SENT\n"
        "Sunset over the harbour   30 → 21  PRINT-S      -3    -6\n"
        "                                   PRINT-M      -3    -6\n"
        "                                   PRINT-L      -3    -6\n"
        "                                   PRINT-XL           -9\n"
        "\n"
        "PROBLEM  Lighthouse (product 8): its variants differ (L-S 10, L-M 7), so it is\n"
        "         left alone. Set all variants to the right number in Shopify, or run:\n"
        "           invsync variants --init --align lowest\n"
        "\n"
        "WARNING  Sunset over the harbour (product 7): all its variants fell alike\n"
        "\n"
        "variants: 5 pools: 3 in step, 1 adjusted, 1 out of sync; 4 requests, 30 points,\n"
        "0.1 s"
    )


def test_a_dry_run_says_so_first_and_last() -> None:
    planned = change("Print", 30, 27, level("P-S", -3, 0), level("P-M", 0, -3, applied=False))
    told = text(outcome(dry_run=True, changes=[planned], standings=Counter(adjusted=1)), PLAIN)
    assert told == (
        "DRY RUN: nothing is sent or written\n"
        "\n"
        "PRODUCT  QUANTITY  VARIANT  MOVED  TO SEND\n"
        "Print     30 → 27  P-S         -3\n"
        "                   P-M                  -3\n"
        "\n"
        "variants: DRY RUN, nothing was sent or written; 5 pools: 4 in step, 1 to adjust;\n"
        "4 requests, 30 points, 0.1 s\n"
        "\n"
        "NEXT     if that is right, do it. From then on cron does it, every ten minutes\n"
        "         (crontab.example):\n"
        "           invsync variants"
    )


def test_what_was_not_sent_stands_out() -> None:
    refused = change("Print", 30, 27, level("P-S", -3, 0), level("P-M", 0, -3, applied=False))
    assert table([refused], PLAIN, command="variants", dry_run=False) == [
        "PRODUCT  QUANTITY  VARIANT  MOVED         SENT",
        "Print     30 → 27  P-S         -3",
        "                   P-M             not sent -3",
    ]
    assert click.style("not sent -3", fg="red") in "".join(
        table([refused], COLOUR, command="variants", dry_run=False),
    )


def test_numbers_stand_below_each_other_and_a_pool_without_an_earlier_one_says_none() -> None:
    rows = [
        change("Mug", 1200, 1185, level("Till", -15, 0), level("Warehouse", 0, -15)),
        change("Apron", None, 3, level("Warehouse", 0, -5)),
        change("Tote", 14, 14, level("Till", 0, 1)),
    ]
    assert table(rows, PLAIN, command="locations", dry_run=False) == [
        "PRODUCT     QUANTITY  LOCATION   MOVED  SENT",
        "Mug      1200 → 1185  Till         -15",
        "                      Warehouse          -15",
        "Apron       none → 3  Warehouse           -5",
        "Tote              14  Till                +1",
    ]


def test_a_long_title_goes_on_in_the_next_lines_and_long_skus_keep_their_ends() -> None:
    title = (
        "A very long title of a print that goes on about the harbour at sunset, its boats, "
        "its "
        "gulls and its rust"
    )
    long = change(
        title, 30, 29, level("GALLERY-EDITION-FRAMED-OAK-LARGE", -1, 0), level("SHORT", 0, -1)
    )
    assert table([long], PLAIN, command="variants", dry_run=False) == [
        "PRODUCT                            QUANTITY  VARIANT                 MOVED  SENT",
        "A very long title of a print that   30 → 29  GALLERY-EDI…-OAK-LARGE     -1",
        "goes on about the harbour at                 SHORT                            -1",
        "sunset, its boats, its gulls and",
        "its rust",
    ]


def test_of_many_levels_those_that_moved_come_first_and_the_rest_is_counted() -> None:
    many = [level(f"P-{at:02}", 0, -2) for at in range(40)] + [level("LAST", -2, 0)]
    lines = table([change("Print", 30, 28, *many)], PLAIN, command="variants", dry_run=False)
    assert lines[1].split() == ["Print", "30", "→", "28", "LAST", "-2"]
    assert [line.split()[0] for line in lines[2:8]] == [
        "P-00",
        "P-01",
        "P-02",
        "P-03",
        "P-04",
        "P-05",
    ]
    assert lines[8].strip() == "and 34 more"
    assert len(lines) == 9


def test_eight_levels_are_all_named() -> None:
    eight = [level(f"P-{at}", 0, -2) for at in range(8)]
    assert (
        len(table([change("Print", 30, 28, *eight)], PLAIN, command="variants", dry_run=False)) == 9
    )


def test_of_very_many_pools_the_first_are_shown_and_what_all_come_to() -> None:
    many = [
        change(f"Print {at}", None, at % 2, level("A", 0, -at), level("B", 0, 1), pool=f"p{at}")
        for at in range(1, 151)
    ]
    lines = table(many, PLAIN, command="locations", dry_run=True)
    assert sum(line.startswith("Print ") for line in lines) == 100
    assert "and 50 more; --json lists them all" in lines
    told = " ".join(lines[-2:])
    assert "in all: 300 levels by -11,175 units" in told
    assert "75 pools come to 0, and nothing of it can be sold" in told


def test_wide_and_combining_characters_keep_the_columns() -> None:
    rows = [
        change("夕焼けの港", 30, 29, level("港-小", -1, 0)),
        change("Cafe\N{COMBINING ACUTE ACCENT} print", 30, 29, level("C", -1, 0)),
        change("Plain", 30, 29, level("P-S", -1, 0)),
    ]
    lines = table(rows, PLAIN, command="variants", dry_run=False)
    assert {visible(line[: line.index("30 → 29")]) for line in lines[1:]} == {13}
    assert {visible(line) for line in lines[1:]} == {
        visible("PRODUCT     QUANTITY  VARIANT  MOVED")
    }


def test_text_from_right_to_left_is_fenced_off_lest_the_numbers_turn_around() -> None:
    isolated = "\N{FIRST STRONG ISOLATE}שקיעה\N{POP DIRECTIONAL ISOLATE}"
    hebrew = change("שקיעה", 30, 21, level("P-S", -9, 0))
    assert (
        table([hebrew], PLAIN, command="variants", dry_run=False)[1]
        == f"{isolated}     30 → 21  P-S         -9"
    )
    assert change_line(hebrew, dry_run=False) == f"{isolated}: 30 → 21; moved P-S -9"


def test_a_title_cannot_steer_the_terminal() -> None:
    evil = change(
        "Red\x1b[31m\nalert\x07 \N{RIGHT-TO-LEFT OVERRIDE}txt", 3, 2, level("S\r\x1b[2K", -1, 0)
    )
    problem = Problem(
        "refused",
        "gid://shopify/Product/1",
        evil.title,
        f"{evil.title}: refused \x1b]0;hi\x07 `invsync x`",
    )
    for told in (
        text(outcome(changes=[evil], problems=[problem]), PLAIN),
        text(outcome(changes=[evil], problems=[problem])),
    ):
        assert {sign for sign in told if not sign.isprintable()} == {"\n"}
        assert "Red [31m alert" in told


@given(
    titles=st.lists(st.text(max_size=90), min_size=1, max_size=3),
    labels=st.lists(st.text(max_size=40), max_size=3),
    width=st.integers(60, 140),
)
def test_no_line_of_a_table_is_wider_than_the_screen(
    titles: list[str], labels: list[str], width: int
) -> None:
    levels = [level(label, -1, 5) for label in labels]
    rows = [change(title, 30, 29, *levels, pool="p") for title in titles]
    for line in table(rows, Terminal(width, colour=False), command="variants", dry_run=False):
        assert cell_len(line) <= width


def test_paragraphs_are_wrapped_to_the_screen_and_never_wider_than_is_good_to_read() -> None:
    told = Problem("x", "gid://shopify/Product/1", "T", "T: " + "word " * 80 + "港" * 90)
    for width, widest in ((80, 80), (64, 64), (300, 120)):
        lines = (
            text(outcome(problems=[told]), Terminal(width, colour=False))
            .split("\n\n")[0]
            .splitlines()
        )
        assert max(map(visible, lines)) in (widest, widest - 1, widest - 2, widest - 3)


def test_a_command_is_never_broken_over_lines() -> None:
    long = Problem("x", None, None, "Print: it needs you: `invsync variants --init --align lowest`")
    invsync = (
        "/opt/invsync/bin/invsync --config '/srv/shops/the one with the very long name/config.yaml'"
    )
    lines = text(outcome(problems=[long]), PLAIN, invsync=invsync).splitlines()
    assert lines[:2] == [
        "PROBLEM  Print: it needs you:",
        f"           {invsync} variants --init --align lowest",
    ]


def test_nothing_to_tell_is_a_sentence() -> None:
    assert (
        text(outcome(), PLAIN)
        == "variants: no changes; 5 pools: 5 in step; 4 requests, 30 points, 0.1 s"
    )


# --- Colour ---------------------------------------------------------------------------------------


class Stream(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], colour: bool) -> None:
    assert terminal_of(Stream(tty=True), environ | {"COLUMNS": "91"}) == Terminal(
        91, colour, moves=environ.get("TERM") in ("xterm", "xterm-256color")
    )


def test_no_terminal_no_screen() -> None:
    assert terminal_of(Stream(tty=False), {"TERM": "xterm"}) is None


def test_colour_changes_nothing_but_the_colour() -> None:
    told = text(eventful(), COLOUR)
    assert click.unstyle(told) == text(eventful(), PLAIN)
    assert "\x1b[1;31mPROBLEM" in told
    assert "\x1b[1;33mWARNING" in told
    assert "\x1b[1;36m  invsync variants --init --align lowest\x1b[0m" in told


def test_without_colour_there_is_no_escape_at_all() -> None:
    assert "\x1b" not in text(eventful(dry_run=True), PLAIN)
    assert "\x1b" not in text(eventful(dry_run=True))


@pytest.mark.parametrize(
    ("ran", "colour"),
    [
        (outcome(), GREEN),
        (outcome(warnings=[ALIKE]), YELLOW),
        (outcome(problems=[DIFFERENT], warnings=[ALIKE]), RED),
        (outcome(error=ShopError("gone")), RED),
    ],
)
def test_the_closing_line_has_the_colour_of_the_outcome(ran: Outcome, colour: int) -> None:
    assert text(ran, COLOUR).splitlines()[-1].startswith(f"\x1b[1;{colour}m")


# --- Under cron -----------------------------------------------------------------------------------


def test_a_mail_begins_with_its_subject_and_ends_with_the_counts() -> None:
    moon = change("Moon", 12, 10, level("MOON-S", -2, 0))
    told = eventful()
    told.changes.append(moon)
    assert text(told) == (
        "invsync variants, shop.myshopify.com: 1 needs a person, 1 changed, 1 warning\n"
        "\n"
        "Changed:\n"
        "Moon: 12 → 10; moved MOON-S -2\n"
        "\n"
        "Needs a person:\n"
        "Lighthouse (product 8): its variants differ (L-S 10, L-M 7), so it is left alone. Set all "
        "variants to the "
        "right number in Shopify, or run: `invsync variants --init --align lowest`\n"
        "\n"
        "To know:\n"
        "Sunset over the harbour (product 7): all its variants fell alike\n"
        "\n"
        "variants: 5 pools: 3 in step, 1 adjusted, 1 out of sync; 4 requests, 30 points, 0.1 s"
    )


def test_a_mail_about_a_dry_run_says_so_first_and_last() -> None:
    lines = text(eventful(dry_run=True)).splitlines()
    assert lines[0].startswith(
        "invsync variants, shop.myshopify.com (DRY RUN): 1 needs a person, 1 to change"
    )
    assert "DRY RUN, nothing was sent or written" in lines[-1]
    assert "Changed:" not in lines
    assert "To change:" in lines


def test_the_commands_in_a_mail_can_be_typed_as_they_are() -> None:
    told = text(eventful(), invsync="/opt/bin/invsync --config /etc/b.yaml")
    assert "`/opt/bin/invsync --config /etc/b.yaml variants --init --align lowest`" in told
    assert addressed("a `invsync x` or `invsync y`", "inv") == "a `inv x` or `inv y`"


def test_a_mail_about_a_run_that_failed_says_so_first_and_last() -> None:
    told = text(
        outcome(error=ShopError("gone"), seen=0, changes=[SUNSET], standings=Counter(adjusted=1))
    )
    assert told.splitlines()[0] == "invsync variants, shop.myshopify.com: not finished, 1 changed"
    assert told.splitlines()[-1].startswith("variants: not finished; ")


def test_nothing_that_happened_makes_no_mail() -> None:
    assert not outcome().eventful
    assert not outcome(error=ShopError("gone")).eventful  # its one line is on stderr
    for given_ in (
        {"changes": [SUNSET]},
        {"problems": [DIFFERENT]},
        {"warnings": [ALIKE]},
        {"standings": Counter(adopted=1)},
    ):
        assert outcome(**given_).eventful


def test_a_pool_that_only_has_to_be_finished_stays_at_its_quantity() -> None:
    told = change("Print", 21, 21, level("P-S", 0, -6), level("P-M", 0, -9, applied=False))
    assert change_line(told, dry_run=False) == "Print: stays 21; sent P-S -6"
    assert unsent_line(told) == "Print: P-M -9; the next run tries again"
    assert change_line(told, dry_run=True) == "Print: stays 21; sent P-S -6; to send P-M -9"


def test_a_line_of_many_levels_names_eight_and_counts_the_rest() -> None:
    many = change("Print", 30, 28, *[level(f"P-{at}", 0, -2) for at in range(2048)])
    assert change_line(many, dry_run=False).endswith("P-6 -2, P-7 -2 and 2040 more")


def test_a_problem_at_several_locations_names_the_sku() -> None:
    told = Problem(
        "out_of_sync",
        "gid://shopify/InventoryItem/4",
        "Mug",
        "Mug: its locations differ",
        (Shown("item-4", "MUG-1", "here", 8), Shown("item-4", "MUG-1", "there", 3)),
    )
    assert "\nMug (MUG-1, item 4): its locations differ\n" in text(
        outcome(command="locations", problems=[told])
    )


def test_a_problem_of_no_pool_is_told_as_it_is() -> None:
    assert "\nSomething: else\n" in text(
        outcome(problems=[Problem("x", None, None, "Something: else")])
    )


def test_an_old_locale_is_no_reason_to_fail() -> None:
    assert encodable("Größe: 30 → 21 …", "utf-8") == "Größe: 30 → 21 …"
    assert encodable("Größe: 30 → 21 …", "latin-1") == "Größe: 30 -> 21 ..."
    assert encodable("Größe 港", "ascii") == "Gr??e ?"


# --- The counts -----------------------------------------------------------------------------------


def test_the_counts_of_the_closing_line_add_up() -> None:
    standings = Counter(adopted=1, adjusted=2, out_of_sync=3, held=4, failed=5)
    ran = outcome(
        seen=120, standings=standings, requests=1, points=1, seconds=61.25, waited_seconds=12.3
    )
    assert summary(ran) == (
        "variants: 120 pools: 105 in step, 1 adopted, 2 adjusted, 3 out of sync, 4 held, 5 failed; "
        "1 request, 1 point, 61.2 s, waited 12 s for Shopify"
    )
    counts = ran.pools
    assert counts.pop("seen") == sum(counts.values())


@pytest.mark.parametrize(
    ("ran", "line"),
    [
        (outcome(seen=1), "no changes; 1 pool: 1 in step; "),
        (outcome(seen=0), "no changes; 0 pools: none; "),
        (
            outcome(standings=Counter(out_of_sync=1)),
            "no changes; 5 pools: 4 in step, 1 out of sync; ",
        ),
        (outcome(standings=Counter(adopted=5)), "5 pools: 5 adopted; "),
        (
            outcome(standings=Counter(adopted=5), dry_run=True),
            "DRY RUN, nothing was sent or written; 5 pools: 5 to adopt; ",
        ),
        (outcome(seen=0, error=ShopError("x")), "not finished; no changes; 4 requests"),
        (
            outcome(error=ShopError("x"), standings=Counter(held=1)),
            "not finished; no changes; 5 pools: 4 in step, 1 held",
        ),
    ],
)
def test_the_closing_line_says_how_it_went(ran: Outcome, line: str) -> None:
    assert summary(ran).startswith(f"variants: {line}")


def test_a_pool_with_two_problems_needs_one_person() -> None:
    ran = outcome(mode="init", problems=[DIFFERENT, DIFFERENT, Problem("x", None, None, "a")])
    assert headline(ran) == "invsync variants --init, shop.myshopify.com: 2 need a person"


def test_the_document_has_what_stopped_the_run_as_a_problem() -> None:
    (problem,) = document(outcome(error=ShopError("gone: try later")))["problems"]
    assert problem == {
        "kind": "stopped",
        "pool": None,
        "title": None,
        "message": "gone: try later",
        "since": "2026-07-01T12:00:00Z",
        "levels": [],
    }


# --- Through the command line ---------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sandbox's starting shop, configured in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(
        "shop: sandbox\nvariants: {product_types: [Print]}\n", encoding="utf-8"
    )
    return tmp_path


def test_a_terminal_shows_the_plan_of_align_asks_and_then_reports(shop: Path) -> None:
    shown = Window(shop).run("variants", "--init", "--align", "lowest", answer="y\n")
    plan, _, report = shown.raw.partition("Bring this pool to the quantity shown? [y/N]: ")
    assert click.style("TO SEND", bold=True) in plan
    assert "none → 7  LIGHT-S              -3\n" in click.unstyle(plan)
    assert "none → 7  LIGHT-S           -3\n" in click.unstyle(report)
    assert "variants: 6 pools: 5 adopted, 1 adjusted; " in click.unstyle(report)


def test_a_mail_gives_the_command_for_the_configuration_that_was_used(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mailed(*args: str, argv: str = "invsync") -> str:
        monkeypatch.setattr(sys, "argv", [argv])
        return str(CliRunner().invoke(main, [*args, "variants", "--init"]).output)

    (shop / "config.yaml").rename(shop / "my shop.yaml")
    there = f"--config '{shop}/my shop.yaml' variants --init --align lowest --only "
    monkeypatch.setenv("PATH", str(shop))
    assert f"`{shop}/bin/invsync {there}" in mailed("--config", "my shop.yaml", argv="bin/invsync")
    (shop / "invsync").write_text("#!/bin/sh\n")
    (shop / "invsync").chmod(0o755)
    assert f"`{shop}/invsync {there}" in mailed("--config", "my shop.yaml")
    monkeypatch.setenv("INVSYNC_CONFIG", "my shop.yaml")
    assert f"`{shop}/invsync {there}" in mailed()
    monkeypatch.delenv("INVSYNC_CONFIG")
    (shop / "my shop.yaml").rename(shop / "config.yaml")
    there = f"--config {shop}/config.yaml variants --init --align lowest --only "
    assert f"`{shop}/invsync {there}" in mailed()
    monkeypatch.setenv("MAILTO", "stock@example.com")
    assert f"`sudo -u {getpass.getuser()} {shop}/invsync {there}" in mailed()
    monkeypatch.setenv("MAILTO", getpass.getuser())
    assert f"`{shop}/invsync {there}" in mailed()
