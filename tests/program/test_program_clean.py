"""Nothing that the shop says steers the terminal, wherever it is printed: report, log or error."""

from __future__ import annotations

import unicodedata

import pytest
from program_world import Ran, World

#: Colour, a bell, a C1 control, turned-around text, a line separator, a line break, half a line
#: wiped.
NASTY = "Pr\x1b[31mi\x07n\x9b2Jt \u202etxet\u2066 \u2028next\r\nx \x85 \x1b[2K"
DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
CALM = "P-S P-M"


def steering(text: str) -> set[str]:
    """The signs of a text that a terminal acts on, but for the breaks between lines."""
    return {
        sign
        for sign in text.replace("\n", "")
        if unicodedata.category(sign) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(sign) in DIRECTING
    }


def clean(ran: Ran) -> Ran:
    assert steering(ran.out) == set(), ran.out
    assert steering(ran.err) == set(), ran.err
    return ran


@pytest.fixture
def nasty(world: World) -> World:
    world.add(NASTY, CALM)
    world.add(f"{NASTY} two", "Q-S Q-M")
    world.run("variants", "--init")
    world.sell("P-S", 3)
    return world


@pytest.mark.parametrize("much", ["-v", "-vv"])
def test_the_log_is_clean(nasty: World, much: str) -> None:
    ran = clean(nasty.run(much, "variants"))
    assert "[31mi" in ran.err  # the title is told


def test_a_refusal_that_quotes_the_shop_is_clean(nasty: World) -> None:
    for location in nasty.shop.locations.values():
        location.name = f"{location.name} {NASTY}"
    nasty.configure(variants={"product_types": ["Print"], "location": "nowhere"})
    ran = clean(nasty.run("variants", exit_code=2))
    assert len(ran.err.splitlines()) == 1
    assert "[31mi" in ran.err
    clean(nasty.run("check", exit_code=1))


def test_a_failure_that_quotes_the_shop_is_clean(nasty: World) -> None:
    nasty.shop.domain = f"other{NASTY}"
    ran = clean(nasty.run("variants", exit_code=1))
    assert "[31mi" in ran.err
    assert ran.err.count("invsync: ") == 1
    clean(nasty.run("check", exit_code=1))
    clean(nasty.run("status", exit_code=3))


def test_what_explain_tells_is_clean(nasty: World) -> None:
    nasty.run("variants")
    clean(nasty.run("explain", "P-S"))
    clean(nasty.run("explain", "print", exit_code=2))
    assert "[31mi" in clean(nasty.run("explain", "next", exit_code=2)).err


def test_state_files_that_somebody_wrote_into_are_quoted_clean(nasty: World) -> None:
    for suffix in ("json", "journal"):
        nasty.place("variants", suffix).touch(0o600)
    nasty.place("variants", "journal").write_text(f'{{"journal": "{NASTY}"\n')
    clean(nasty.run("variants", exit_code=1))
    nasty.place("variants").write_text('{"format": "\\u001b[31m\\u202e"}')
    clean(nasty.run("variants", exit_code=1))
    clean(nasty.run("status", exit_code=1))
