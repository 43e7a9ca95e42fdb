"""Which pool is meant: what it answers to, and what is said where nothing or several fit."""

from __future__ import annotations

import json

import pytest
from command_line import Place

from invsync.names import NotFound, caches_of, managed_as
from invsync.state.files import COMMANDS, Command, Files

SUNSET = "gid://shopify/Product/1004"


@pytest.fixture
def known(place: Place) -> Place:
    """A shop that both commands have looked at, and of which each has counted a sale."""
    place.run("variants", "--init", exit_code=3)
    place.run("locations", "--init", exit_code=3)
    with place.shop() as shop:
        shop.sell("PRINT-S", 1)
        shop.sell("MUG", 1)
    place.run("variants", exit_code=3)
    place.run("locations", exit_code=3)
    return place


def meant(place: Place, asked: str, *commands: Command) -> str:
    files = Files(place.state, "variants")
    caches = caches_of(files)
    mention = managed_as(asked, files, {one: caches[one] for one in commands or COMMANDS})
    return mention.pool


@pytest.mark.parametrize(
    "asked",
    [
        "Sunset over the harbour",
        " sunset OVER the harbour ",
        "PRINT-S",
        "print-xl",
        SUNSET,
        "1004",
        "gid://shopify/InventoryItem/1005",
        "1005",
    ],
)
def test_a_pool_answers_to_its_title_its_skus_and_its_ids(known: Place, asked: str) -> None:
    assert meant(known, asked) == meant(known, asked, "variants") == SUNSET


def test_an_accent_may_be_typed_as_one_sign_or_as_two(known: Place) -> None:
    cache = known.state / "variants.json"
    text = cache.read_text(encoding="utf-8")
    cache.write_text(text.replace("Sunset over", "Caf\u00e9 by"), encoding="utf-8")
    assert meant(known, "Cafe\u0301 by the harbour") == SUNSET


def test_a_part_of_a_name_is_not_enough_to_act_on(known: Place) -> None:
    with pytest.raises(NotFound, match="nothing is known of 'Sunset'"):
        meant(known, "Sunset")


def test_what_no_pool_is_called_brings_near_names(known: Place) -> None:
    with pytest.raises(NotFound, match="did you mean Sunset over the harbour") as raised:
        meant(known, "Sunset over the harbor")
    assert raised.value.exit_code == 2


def test_what_several_are_called_brings_their_names(known: Place) -> None:
    cache = known.state / "variants.json"
    document = json.loads(cache.read_text(encoding="utf-8"))
    document["pools"]["gid://shopify/Product/1017"]["title"] = "Sunset over the harbour"
    cache.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(NotFound) as raised:
        meant(known, "Sunset over the harbour")
    assert str(raised.value) == (
        "'Sunset over the harbour' fits 2 pools: Sunset over the harbour (1004) and Sunset over "
        "the harbour (1017); give the id of one"
    )
    assert meant(known, "1017") == "gid://shopify/Product/1017"


def test_only_pools_of_the_commands_that_are_looked_in(known: Place) -> None:
    assert meant(known, "MUG") == meant(known, "MUG", "locations")
    with pytest.raises(NotFound):
        meant(known, "MUG", "variants")


def test_a_pool_that_is_gone_is_not_meant(known: Place) -> None:
    cache = known.state / "variants.json"
    document = json.loads(cache.read_text(encoding="utf-8"))
    del document["pools"][SUNSET]
    cache.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(NotFound):
        meant(known, "PRINT-S")
