"""The rule as a table of stories, each named in plain words.

A story is a pool as it is remembered, and then run by run: what every level reads when the run
looks, and what must come of it: the pool's quantity, what every level reads once the adjustments
that took effect are applied, what is held, and which notes the report gets with which units.

What a level reads is told in pieces; `committed` says how many pieces of it are in orders that are
not shipped: what leaves a level without being committed left the shelf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from invsync.sync import (
    BOUND,
    Adjustment,
    Echoes,
    Level,
    LevelId,
    Managed,
    Note,
    Plan,
    Pool,
    Reading,
    Rules,
    Unmanaged,
    adopt,
    align,
    as_set,
    due,
    first_edition,
    last_fall,
    leave,
    plan,
)

Units = Mapping[str, int]


def level(name: str) -> LevelId:
    """A level named for what it is in the story: a variant's letter, or "item@place"."""
    item, _, place = name.partition("@")
    return LevelId(f"item {item}", place or "here")


def levels(units: Units) -> dict[LevelId, int]:
    return {level(name): count for name, count in units.items()}


def name_of(at: LevelId) -> str:
    item = at.item.removeprefix("item ")
    return item if at.location == "here" else f"{item}@{at.location}"


def names(units: Mapping[LevelId, int]) -> dict[str, int]:
    return {name_of(at): count for at, count in units.items()}


def all_at(count: int, letters: str) -> dict[str, int]:
    return dict.fromkeys(letters, count)


def reading(available: int, committed: int = 0) -> Reading:
    """On the shelf lies what can be sold and what is ordered; Shopify shows no less than 0."""
    return Reading(available, max(0, available + committed), committed)


def readings(reads: Units, committed: Units | None = None) -> dict[LevelId, Reading]:
    ordered = committed or {}
    return {level(name): reading(read, ordered.get(name, 0)) for name, read in reads.items()}


def managed(quantity: int, letters: str, sizes: Units | None = None, reserve: int = 0) -> Managed:
    """A pool that the last run left in step."""
    size = {letter: (sizes or {}).get(letter, 1) for letter in letters}
    read = {letter: due(quantity, size[letter], reserve) for letter in letters}
    return Managed(
        quantity,
        {level(letter): Level(reading(read[letter]), size[letter]) for letter in letters},
        reserve=reserve,
    )


def unmanaged(**reads: int) -> Unmanaged:
    """A pool that is known but has no quantity yet."""
    return Unmanaged(readings(reads))


@dataclass(frozen=True)
class Run:
    """One run of a story. `after`: what the levels read when it is over; a number is for all.

    `notes`: kind → the units it names per level, or only the kinds, parted by blanks; `units`: kind
    → its one number. `fails`: levels whose adjustment is refused. `sold`: what is bought (at the
    till) between the reading and the push. `rules`: what this run passes to the rule.
    """

    reads: Units
    quantity: int | None
    after: int | Units
    notes: str | Mapping[str, Units] = ""
    held: Units = field(default_factory=dict)
    on_release: int = 0
    left_alone: bool = False
    why: str | None = None
    committed: Units = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
    cancelled: str | None = None
    fails: str = ""
    sold: Units = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


def story(name: str, start: Pool | None, *runs: Run, **rules: Any) -> Any:
    """A named story, every run of it under `rules`."""
    if "sizes" in rules:
        rules["sizes"] = levels(rules["sizes"])
    return pytest.param(start, runs, rules, id=name)


#: Every level reads at the end of the run what it read at its beginning.
AS_READ: Units = {}
#: Left alone, and nothing that another program may have done.
QUIET: Mapping[str, Units] = {"another_program": {}}
BRAKE = {"brake": True}
RELEASE = {"release": True}

FALLS_AND_SINGLE_RISES = (
    story(
        "the worked example: three of four variants sold three times each from 30 makes 21",
        managed(30, "abcd"),
        Run({"a": 27, "b": 27, "c": 27, "d": 30}, 21, 21, why="falls"),
        Run(all_at(21, "abcd"), 21, 21, why="nothing"),
    ),
    story(
        "nothing moved, nothing is sent",
        managed(30, "abcd"),
        Run(all_at(30, "abcd"), 30, 30, why="nothing"),
    ),
    story(
        "a pair sells one of each, then two of each: all falls count",
        managed(30, "ab"),
        Run(all_at(29, "ab"), 28, 28, {"fell_alike": all_at(-1, "ab")}, why="falls"),
        Run(all_at(26, "ab"), 24, 24, {"fell_alike": all_at(-2, "ab")}, why="falls"),
    ),
    story(
        "the same as orders: it is no count, so nothing is told",
        managed(30, "ab"),
        Run(all_at(29, "ab"), 28, 28, committed=all_at(1, "ab")),
        Run(all_at(26, "ab"), 24, 24, committed=all_at(3, "ab")),
    ),
    story(
        "both of a pair sell two of the last three: oversold, and both say so",
        managed(3, "ab"),
        Run(
            all_at(1, "ab"),
            -1,
            -1,
            {"oversold": all_at(-2, "ab")},
            committed=all_at(2, "ab"),
            units={"oversold": 1},
        ),
    ),
    story(
        "both of a pair sell the last one; then ten are typed onto one of them",
        managed(1, "ab"),
        Run(all_at(0, "ab"), -1, -1, "oversold", committed=all_at(1, "ab")),
        Run({"a": 10, "b": -1}, 10, 10, committed=all_at(1, "ab"), why="rise"),
    ),
    story(
        "a count typed into both is two falls, and says so; typed into one it is the stock",
        managed(12, "ab"),
        Run(
            all_at(6, "ab"),
            0,
            0,
            {"fell_alike": all_at(-6, "ab")},
            units={"fell_alike": 0},
        ),
        Run({"a": 6, "b": 0}, 6, 6, why="rise"),
    ),
    story(
        "a count typed into all takes the quantity below 0, and says by how much",
        managed(12, "abc"),
        Run(
            all_at(6, "abc"),
            -6,
            -6,
            {"fell_alike": all_at(-6, "abc"), "oversold": all_at(-6, "abc")},
            units={"fell_alike": 6, "oversold": 6},
        ),
    ),
    story(
        "counted and partly ordered is not alike off the shelf",
        managed(12, "ab"),
        Run(all_at(6, "ab"), 0, 0, committed={"a": 1}),
    ),
    story(
        "one sold, one restocked: they cancel out, and both are counted",
        managed(30, "abc"),
        Run({"a": 31, "b": 29, "c": 30}, 30, 30),
    ),
    story(
        "five restocked on one, two sold of another",
        managed(10, "abc"),
        Run({"a": 15, "b": 8, "c": 10}, 13, 13, why="rise"),
    ),
    story(
        "one variant sold, the others follow",
        managed(10, "ab"),
        Run({"a": 7, "b": 10}, 7, 7, why="falls"),
    ),
    story(
        "one variant restocked, the others follow",
        managed(10, "abc"),
        Run({"a": 10, "b": 35, "c": 10}, 35, 35, why="rise"),
        Run(all_at(35, "abc"), 35, 35, why="nothing"),
    ),
    story(
        "a person sets the stock by changing one variant to zero",
        managed(10, "abc"),
        Run({"a": 0, "b": 10, "c": 10}, 0, 0),
    ),
    story(
        "a sale and a restock of the same variant between two runs count as their difference",
        managed(10, "ab"),
        Run({"a": 25, "b": 10}, 25, 25, committed={"a": 3}),
    ),
    story(
        "a sale between the reading and the push is counted by the next run",
        managed(30, "abc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, {"a": 27, "b": 25, "c": 27}, sold={"b": 2}),
        Run({"a": 27, "b": 25, "c": 27}, 25, 25),
    ),
    story(
        "an order that ships moves nothing that can be sold, and is remembered",
        managed(30, "ab"),
        Run({"a": 27, "b": 30}, 27, 27, committed={"a": 3}),
        Run(all_at(27, "ab"), 27, 27, why="nothing"),
        Run({"a": 26, "b": 27}, 26, 26, committed={"a": 1}),
    ),
    story(
        "a pool may be sold below zero where the shop goes on selling",
        managed(1, "ab"),
        Run({"a": -2, "b": 1}, -2, -2, "oversold"),
        Run({"a": -2, "b": -3}, -3, -3, {"oversold": {"b": -1}}, units={"oversold": 3}),
        Run({"a": 7, "b": -3}, 7, 7, why="rise"),
    ),
    story(
        "sold out is a number like any other: the last one went",
        managed(1, "abc"),
        Run({"a": 0, "b": 1, "c": 1}, 0, 0),
        Run(all_at(0, "abc"), 0, 0, why="nothing"),
    ),
    story(
        "a pool of one follows its only variant and sends nothing",
        managed(10, "a"),
        Run({"a": 7}, 7, 7),
        Run({"a": 40}, 40, 40),
        Run({"a": -1}, -1, -1, "oversold"),
    ),
)

NEW_AND_VANISHED = (
    story(
        "a new variant at 0 drags nobody down",
        managed(30, "ab"),
        Run({"a": 30, "b": 30, "new": 0}, 30, 30, why="finish"),
        Run({"a": 30, "b": 30, "new": 30}, 30, 30, why="nothing"),
    ),
    story(
        "a new variant with stock of its own is brought to the quantity, and its units are named",
        managed(30, "ab"),
        Run({"a": 30, "b": 30, "new": 12}, 30, 30, {"new_level_stock": {"new": 12}}),
        Run({"a": 30, "b": 30, "new": 30}, 30, 30),
    ),
    story(
        "two new variants, one of them oversold before it came: neither moves the pool",
        managed(3, "ab"),
        Run({"a": 3, "b": 2, "new": 0, "odd": -4}, 2, 2, {"new_level_stock": {"odd": -4}}),
    ),
    story(
        "the newcomer sells before its raise arrives: that sale counts at the next run",
        managed(30, "ab"),
        Run(
            {"a": 30, "b": 30, "new": 0},
            30,
            {"a": 30, "b": 30, "new": -2},
            fails="new",
            sold={"new": 2},
        ),
        Run({"a": 30, "b": 30, "new": -2}, 28, 28),
    ),
    story(
        "a newcomer whose raise is refused is no new movement later",
        managed(30, "ab"),
        Run({"a": 30, "b": 30, "new": 0}, 30, AS_READ, fails="new"),
        Run({"a": 30, "b": 30, "new": 0}, 30, 30, why="finish"),
    ),
    story(
        "a variant is deleted while another sells",
        managed(30, "abc"),
        Run({"a": 28, "b": 30}, 28, 28),
    ),
    story(
        "a variant is deleted while another is restocked: that is no stock that moved",
        managed(30, "abc"),
        Run({"a": 35, "b": 30}, 35, 35, why="rise"),
    ),
    story(
        "a variant that was deleted and comes back is a new one",
        managed(30, "abc"),
        Run({"a": 28, "b": 30}, 28, 28),
        Run({"a": 28, "b": 28, "c": 30}, 28, 28, {"new_level_stock": {"c": 30}}),
    ),
    story(
        "all variants were replaced by new ones: a pool seen for the first time",
        managed(12, "ab"),
        Run({"x": 5, "y": 5}, 5, 5, {"adopted": {"x": 5, "y": 5}}, why="adopted"),
    ),
    story(
        "all variants were replaced, and the new ones differ",
        managed(12, "ab"),
        Run({"x": 5, "y": 3}, None, AS_READ, "out_of_sync"),
    ),
    story(
        "all locations of an item were replaced: none of them is a source",
        managed(12, "ab"),
        Run({"x": 5, "y": 0}, None, AS_READ, "out_of_sync"),
        follow=True,
        fresh=True,
    ),
    story(
        "a product with one variant is remembered, and a second variant joins it",
        None,
        Run({"a": 14}, 14, 14, {"adopted": {"a": 14}}),
        Run({"a": 13}, 13, 13),
        Run({"a": 13, "second": 0}, 13, 13, why="finish"),
        Run({"a": 13, "second": 12}, 12, 12),
    ),
)

HELD_PAIR = Run(
    {"a": 15, "b": 17, "c": 10},
    10,
    AS_READ,
    {"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
    held={"a": 5, "b": 7},
    on_release=5,
    units={"several_rises": 7, "held": 5},
)

SEVERAL_RISES = (
    *(
        story(
            f"an import that sets every variant from 10 to 50 ends at 50, also under {policy}",
            managed(10, "abcd"),
            Run(
                all_at(50, "abcd"),
                50,
                50,
                {"several_rises": all_at(40, "abcd")},
                why="import",
                units={"several_rises": 120},
            ),
            Run(all_at(50, "abcd"), 50, 50, why="nothing"),
            several_rises=policy,
        )
        for policy in ("smallest", "freed", "hold")
    ),
    story(
        "under sum an import is what sum says: every rise is a delivery of its own",
        managed(10, "ab"),
        Run(all_at(50, "ab"), 90, 90, {"several_rises": all_at(40, "ab")}, why="sum_of_rises"),
        several_rises="sum",
    ),
    story(
        "an import while one sells is not all alike: the smallest rise counts",
        managed(10, "abc"),
        Run({"a": 50, "b": 50, "c": 9}, 49, 49, {"several_rises": {"a": 40, "b": 40}}),
    ),
    story(
        "two restocks under smallest: the smaller one is added, and what to raise is named",
        managed(10, "abc"),
        Run(
            {"a": 12, "b": 13, "c": 10},
            12,
            12,
            {"several_rises": {"a": 2, "b": 3}},
            why="smallest_rise",
            units={"several_rises": 3},
            cancelled="",
        ),
        Run({"a": 12, "b": 15, "c": 12}, 15, 15, why="rise"),
    ),
    story(
        "two restocks under sum: both are added, and a person is still asked",
        managed(10, "abc"),
        Run({"a": 15, "b": 17, "c": 10}, 22, 22, "several_rises", why="sum_of_rises"),
        several_rises="sum",
    ),
    story(
        "a cancelled order of two variants under smallest: its cause is named",
        managed(30, "abc"),
        Run({"a": 29, "b": 29, "c": 30}, 28, 28, committed={"a": 1, "b": 1}),
        Run(
            {"a": 29, "b": 29, "c": 28},
            29,
            29,
            {"several_rises": {"a": 1, "b": 1}},
            why="smallest_rise",
            units={"several_rises": 1},
            cancelled="ab",
        ),
    ),
    story(
        "a cancelled order of two variants under freed: both are back",
        managed(30, "abc"),
        Run({"a": 29, "b": 29, "c": 30}, 28, 28, committed={"a": 1, "b": 1}),
        Run(
            {"a": 29, "b": 29, "c": 28},
            30,
            30,
            {"several_rises": {"a": 1, "b": 1}},
            why="freed_rises",
            units={"several_rises": 0},
            cancelled="ab",
        ),
        several_rises="freed",
    ),
    story(
        "a cancelled order of all variants under freed is no import",
        managed(30, "ab"),
        Run(all_at(29, "ab"), 28, 28, committed=all_at(1, "ab")),
        Run(all_at(29, "ab"), 30, 30, "several_rises", why="freed_rises"),
        several_rises="freed",
    ),
    story(
        "freed: one cancelled, two restocked: it and the smallest of the rest",
        managed(30, "abc"),
        Run({"a": 29, "b": 30, "c": 30}, 29, 29, committed={"a": 1}),
        Run(
            {"a": 30, "b": 32, "c": 33},
            33,
            33,
            {"several_rises": {"a": 1, "b": 3, "c": 4}},
            cancelled="a",
            units={"several_rises": 4},
        ),
        several_rises="freed",
    ),
    story(
        "an import, and five of one variant ordered before the run looks: it was typed up as well",
        managed(10, "ab"),
        Run(
            {"a": 13, "b": 8},
            8,
            8,
            {"several_rises": {"a": 3, "b": 3}},
            committed={"b": 5},
        ),
    ),
    story(
        "two restocks and a sale under smallest: the sale is counted whole",
        managed(10, "abc"),
        Run({"a": 15, "b": 17, "c": 8}, 13, 13, {"several_rises": {"a": 5, "b": 7}}),
    ),
    story(
        "held rises: an order of a held variant is a sale, and the rise is still held",
        managed(12, "abc"),
        Run({"a": 11, "b": 11, "c": 12}, 10, 10, committed={"a": 1, "b": 1}),
        Run(
            {"a": 11, "b": 11, "c": 10},
            10,
            AS_READ,
            "several_rises held",
            {"a": 1, "b": 1},
            1,
        ),
        Run(
            {"a": 10, "b": 11, "c": 10},
            9,
            {"a": 10, "b": 10, "c": 9},
            {"held": {"a": 1, "b": 1}},
            {"a": 1, "b": 1},
            1,
            committed={"a": 1},
        ),
        several_rises="hold",
    ),
    story(
        "held rises, and sales that make all agree: nothing is settled, nobody raised a level",
        managed(6, "abc"),
        Run({"a": 6, "b": 7, "c": 7}, 6, AS_READ, "several_rises held", {"b": 1, "c": 1}, 1),
        Run(
            all_at(5, "abc"),
            1,
            {"a": 1, "b": 2, "c": 2},
            {"held": {"b": 1, "c": 1}},
            {"b": 1, "c": 1},
            1,
            committed={"a": 1, "b": 2, "c": 2},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: a cancelled order that makes all agree settles nothing",
        managed(7, "abc"),
        Run({"a": 6, "b": 7, "c": 7}, 6, 6, committed={"a": 1}),
        Run(
            {"a": 6, "b": 7, "c": 7},
            6,
            AS_READ,
            "several_rises held",
            {"b": 1, "c": 1},
            1,
            committed={"a": 1},
        ),
        Run(all_at(7, "abc"), 7, {"a": 7, "b": 8, "c": 8}, "held", {"b": 1, "c": 1}, 1),
        several_rises="hold",
    ),
    story(
        "two restocks and a sale under hold: the sale goes out, the risen keep their rise",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 8},
            8,
            {"a": 13, "b": 15, "c": 8},
            {"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
            5,
        ),
        Run(
            {"a": 13, "b": 15, "c": 8},
            8,
            AS_READ,
            {"held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
            5,
        ),
        several_rises="hold",
    ),
    story(
        "held rises: once a person has made all variants read the same, that is the quantity",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            all_at(17, "abc"),
            17,
            17,
            {"settled": {"a": 5, "b": 7}},
            why="settled",
            units={"settled": 17},
        ),
        Run({"a": 17, "b": 16, "c": 17}, 16, 16),
        several_rises="hold",
    ),
    story(
        "held rises: a person made all read 17, and one was ordered before the run looked",
        managed(10, "abc"),
        HELD_PAIR,
        Run({"a": 17, "b": 17, "c": 16}, 16, 16, "several_rises", committed={"c": 1}, why="import"),
        several_rises="hold",
    ),
    story(
        "held rises: a person may settle on a lower number too",
        managed(10, "abc"),
        HELD_PAIR,
        Run(all_at(15, "abc"), 15, 15, "settled", why="settled"),
        several_rises="hold",
    ),
    story(
        "held rises: made alike by lowering alone, they are taken back",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            all_at(10, "abc"),
            10,
            10,
            {"taken_back": {"a": 5, "b": 7}},
            units={"taken_back": 5},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: a single rise later counts at once",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 15, "b": 17, "c": 12},
            12,
            {"a": 17, "b": 19, "c": 12},
            {"held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
            5,
        ),
        several_rises="hold",
    ),
    story(
        "held rises: one taken back is no sale; it may have been what counts, and that is told",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 15, "b": 10, "c": 10},
            10,
            AS_READ,
            {"held": {"a": 5}, "taken_back": {"b": 7}},
            {"a": 5},
            units={"taken_back": 5, "held": 0},
        ),
        Run(all_at(15, "abc"), 15, 15, "settled", why="settled"),
        several_rises="hold",
    ),
    story(
        "held rises: taken back and one more gone is one sale",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 9, "b": 17, "c": 10},
            9,
            {"a": 9, "b": 16, "c": 9},
            {"held": {"b": 7}, "taken_back": {"a": 5}},
            {"b": 7},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: taken back while one of it was ordered",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 9, "b": 17, "c": 10},
            9,
            {"a": 9, "b": 16, "c": 9},
            {"held": {"b": 7}, "taken_back": {"a": 5}},
            {"b": 7},
            committed={"a": 1},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: a new variant joins at the quantity, without them",
        managed(10, "ab"),
        Run({"a": 15, "b": 17}, 10, AS_READ, "several_rises held", {"a": 5, "b": 7}, 5),
        Run(
            {"a": 15, "b": 17, "new": 0},
            10,
            {"a": 15, "b": 17, "new": 10},
            "held",
            {"a": 5, "b": 7},
            5,
        ),
        several_rises="hold",
    ),
    story(
        "held rises: an adjustment that fails is finished by the next run",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 8},
            8,
            {"a": 15, "b": 15, "c": 8},
            "several_rises held",
            {"a": 5, "b": 7},
            5,
            fails="a",
        ),
        Run(
            {"a": 15, "b": 15, "c": 8},
            8,
            {"a": 13, "b": 15, "c": 8},
            "held",
            {"a": 5, "b": 7},
            5,
            why="finish",
        ),
        several_rises="hold",
    ),
    story(
        "held rises that vanish with their variants are told, and what the others sell counts",
        managed(10, "abcd"),
        Run(
            {"a": 15, "b": 16, "c": 10, "d": 10},
            10,
            AS_READ,
            "several_rises held",
            {"a": 5, "b": 6},
            5,
        ),
        Run(
            {"c": 9, "d": 9},
            8,
            8,
            {"taken_back": {"a": 5, "b": 6}, "fell_alike": {"c": -1, "d": -1}},
        ),
        several_rises="hold",
    ),
    story(
        "a changed policy lets nothing through",
        managed(10, "abc"),
        replace(HELD_PAIR, rules={"several_rises": "hold"}),
        Run({"a": 15, "b": 17, "c": 10}, 10, AS_READ, "held", {"a": 5, "b": 7}, 5),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            "held",
            {"a": 5, "b": 7},
            5,
            rules={"several_rises": "sum"},
        ),
        Run({"a": 15, "b": 17, "c": 10}, 15, 15, rules=RELEASE, why="released"),
    ),
)

BRAKED_RISE = Run(
    {"a": 30, "b": 10, "c": 10},
    10,
    AS_READ,
    {"held": {"a": 20}},
    {"a": 20},
    20,
    rules=BRAKE,
)
BRAKED_IMPORT = Run(
    all_at(50, "abcd"),
    10,
    50,
    {"several_rises": all_at(40, "abcd"), "held": all_at(40, "abcd")},
    all_at(40, "abcd"),
    40,
    rules=BRAKE,
)

THE_BRAKE = (
    story(
        "the brake keeps a rise back and reports it at every run; --force adds it, once",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 30, "b": 10, "c": 10}, 10, AS_READ, {"held": {"a": 20}}, {"a": 20}, 20),
        Run({"a": 30, "b": 10, "c": 10}, 30, 30, rules=RELEASE, why="released"),
        Run(all_at(30, "abc"), 30, 30, why="nothing", rules=RELEASE),
    ),
    story(
        "a rise of two under the brake, from 30; --force makes it 32",
        managed(30, "ab"),
        Run({"a": 32, "b": 30}, 30, AS_READ, "held", {"a": 2}, 2, rules=BRAKE),
        Run({"a": 32, "b": 30}, 32, 32, rules=RELEASE),
    ),
    story(
        "the brake lets out what was ordered of the very variant that rose",
        managed(10, "ab"),
        Run(
            {"a": 27, "b": 10},
            7,
            {"a": 27, "b": 7},
            {"held": {"a": 20}},
            {"a": 20},
            20,
            committed={"a": 3},
            rules=BRAKE,
        ),
        Run({"a": 27, "b": 7}, 27, 27, rules=RELEASE, committed={"a": 3}),
    ),
    story(
        "the brake lets falls out, in the same run and later",
        managed(10, "abc"),
        Run(
            {"a": 30, "b": 8, "c": 10},
            8,
            {"a": 28, "b": 8, "c": 8},
            {"held": {"a": 20}},
            {"a": 20},
            20,
            rules=BRAKE,
        ),
        Run(
            {"a": 27, "b": 8, "c": 7},
            6,
            {"a": 26, "b": 6, "c": 6},
            {"held": {"a": 20}},
            {"a": 20},
            20,
        ),
        Run({"a": 26, "b": 6, "c": 6}, 26, 26, rules=RELEASE),
    ),
    story(
        "a rise that comes after the braked one is added at once, and the two are not several",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 30, "b": 15, "c": 10},
            15,
            {"a": 35, "b": 15, "c": 15},
            {"held": {"a": 20}},
            {"a": 20},
            20,
            why="rise",
        ),
        Run({"a": 35, "b": 15, "c": 15}, 35, 35, rules=RELEASE),
    ),
    story(
        "a rise in the run that releases is added on top, and the two are not several",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 30, "b": 15, "c": 10}, 35, 35, rules=RELEASE),
    ),
    story(
        "the same variant rises again in the run that releases",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 37, "b": 10, "c": 10}, 37, 37, rules=RELEASE),
    ),
    story(
        "two rises braked in two runs are both added once released",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 30, "b": 15, "c": 10},
            10,
            AS_READ,
            {"held": {"a": 20, "b": 5}},
            {"a": 20, "b": 5},
            25,
            rules=BRAKE,
        ),
        Run({"a": 30, "b": 15, "c": 10}, 35, 35, rules=RELEASE),
    ),
    story(
        "two rises under the brake: the smallest is what is released",
        managed(10, "abc"),
        replace(HELD_PAIR, rules=BRAKE),
        Run({"a": 15, "b": 17, "c": 10}, 15, 15, rules=RELEASE),
    ),
    story(
        "two rises under the brake and sum: both are released",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            "several_rises held",
            {"a": 5, "b": 7},
            12,
            rules=BRAKE,
        ),
        Run({"a": 15, "b": 17, "c": 10}, 22, 22, rules=RELEASE),
        several_rises="sum",
    ),
    story(
        "an import that was braked ends at 50 once released",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(all_at(50, "abcd"), 50, 50, rules=RELEASE),
    ),
    story(
        "an import that the brake saw in two halves ends at 50 once released, not at 90",
        managed(10, "abcd"),
        Run(
            {"a": 50, "b": 50, "c": 10, "d": 10},
            10,
            AS_READ,
            "several_rises held",
            all_at(40, "ab"),
            40,
            rules=BRAKE,
        ),
        replace(BRAKED_IMPORT, units={"several_rises": 80}),
        Run(all_at(50, "abcd"), 50, 50, rules=RELEASE),
    ),
    story(
        "an import in two halves under the brake, some of it ordered meanwhile",
        managed(10, "abc"),
        Run({"a": 50, "b": 50, "c": 10}, 10, AS_READ, "several_rises held", all_at(40, "ab"), 40),
        Run(
            {"a": 48, "b": 50, "c": 49},
            7,
            {"a": 47, "b": 47, "c": 47},
            "several_rises held",
            all_at(40, "abc"),
            40,
            committed={"a": 2, "c": 1},
        ),
        Run(all_at(47, "abc"), 47, 47, rules=RELEASE, committed={"a": 2, "c": 1}),
        **BRAKE,
    ),
    story(
        "an import that the brake saw in three parts is one import as well",
        managed(10, "abc"),
        Run({"a": 30, "b": 10, "c": 10}, 10, AS_READ, "held", {"a": 20}, 20, rules=BRAKE),
        Run({"a": 30, "b": 30, "c": 10}, 10, AS_READ, "held", all_at(20, "ab"), 40, rules=BRAKE),
        Run(
            all_at(30, "abc"),
            10,
            AS_READ,
            {"several_rises": all_at(20, "abc"), "held": all_at(20, "abc")},
            all_at(20, "abc"),
            20,
            rules=BRAKE,
            units={"several_rises": 40},
        ),
        Run(all_at(30, "abc"), 30, 30, rules=RELEASE),
    ),
    story(
        "an import that was braked in part, and then goes on without the brake: settled",
        managed(10, "abcd"),
        Run(
            {"a": 50, "b": 50, "c": 10, "d": 10},
            10,
            AS_READ,
            "several_rises held",
            all_at(40, "ab"),
            40,
            rules=BRAKE,
        ),
        Run(all_at(50, "abcd"), 50, 50, {"settled": all_at(40, "ab")}, why="settled"),
    ),
    story(
        "an import that was braked and taken back leaves nothing to release",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(all_at(10, "abcd"), 10, 10, {"taken_back": all_at(40, "abcd")}),
        Run(all_at(10, "abcd"), 10, 10, rules=RELEASE, why="nothing"),
    ),
    story(
        "a braked rise is taken back while another variant sells",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 10, "b": 7, "c": 10}, 7, 7, {"taken_back": {"a": 20}}),
        Run(all_at(7, "abc"), 7, 7, rules=RELEASE, why="nothing"),
    ),
    story(
        "a braked variant loses more off the shelf than there was to sell: taken back in part",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 15, "b": 10, "c": 10},
            10,
            AS_READ,
            {"held": {"a": 5}, "taken_back": {"a": 15}},
            {"a": 5},
            5,
            units={"taken_back": 15},
        ),
        Run({"a": 15, "b": 10, "c": 10}, 15, 15, rules=RELEASE),
    ),
    story(
        "a braked variant is sold by order to more than the quantity: released, the sum is right",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 15, "b": 10, "c": 10},
            -5,
            {"a": 15, "b": -5, "c": -5},
            "held oversold",
            {"a": 20},
            20,
            committed={"a": 15},
        ),
        Run({"a": 15, "b": -5, "c": -5}, 15, 15, rules=RELEASE, committed={"a": 15}),
    ),
    story(
        "a braked variant is deleted: its rise goes with it, told, and the quantity stays",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"b": 10, "c": 10}, 10, 10, {"taken_back": {"a": 20}}),
        Run({"b": 10, "c": 10}, 10, 10, rules=RELEASE, why="nothing"),
    ),
    story(
        "a new variant joins a braked pool at the quantity, without the rise",
        managed(10, "ab"),
        Run({"a": 30, "b": 10}, 10, AS_READ, "held", {"a": 20}, 20, rules=BRAKE),
        Run(
            {"a": 30, "b": 10, "new": 0},
            10,
            {"a": 30, "b": 10, "new": 10},
            "held",
            {"a": 20},
            20,
        ),
        Run({"a": 30, "b": 10, "new": 10}, 30, 30, rules=RELEASE),
    ),
    story(
        "a release whose push fails in part is finished by the next run",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 30, "b": 10, "c": 10}, 30, {"a": 30, "b": 30, "c": 10}, rules=RELEASE, fails="c"),
        Run({"a": 30, "b": 30, "c": 10}, 30, 30, why="finish"),
    ),
    story(
        "each variant sold one at the till while an import is braked",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(
            all_at(49, "abcd"),
            6,
            46,
            {"held": all_at(40, "abcd"), "fell_alike": all_at(-1, "abcd")},
            all_at(40, "abcd"),
            40,
        ),
        Run(all_at(46, "abcd"), 46, 46, rules=RELEASE),
    ),
    story(
        "while the brake is on, levels that agree settle nothing",
        managed(10, "ab"),
        Run({"a": 30, "b": 10}, 10, AS_READ, "held", {"a": 20}, 20, rules=BRAKE),
        Run(
            all_at(30, "ab"),
            10,
            AS_READ,
            {"several_rises": all_at(20, "ab"), "held": all_at(20, "ab")},
            all_at(20, "ab"),
            20,
            rules=BRAKE,
        ),
    ),
    story(
        "a typed-in item under the brake waits, and is not lost",
        None,
        Run({"a": 12, "b": 0}, None, AS_READ, "out_of_sync", rules=BRAKE),
        Run({"a": 12, "b": 0}, 12, 12, why="source"),
        follow=True,
        fresh=True,
    ),
    story(
        "a source that would lift the others waits under the brake; falls are passed on meanwhile",
        unmanaged(a=5, b=3, c=2),
        Run({"a": 8, "b": 3, "c": 1}, None, {"a": 7, "b": 2, "c": 1}, "out_of_sync", rules=BRAKE),
        Run(
            {"a": 7, "b": 2, "c": 1},
            7,
            7,
            {"lifted": {"b": 5, "c": 6}},
            units={"lifted": 3},
            why="source",
        ),
        follow=True,
    ),
)

EXPLAINED = (
    story(
        "a location is closed and its stock moved: nothing came in",
        Managed(
            14, {level(f"v@{place}"): Level(reading(14)) for place in ("home", "till", "fair")}
        ),
        Run(
            {"v@home": 28, "v@till": 14},
            14,
            14,
            {"stock_moved": {"v@home": 14}},
            units={"stock_moved": 14},
        ),
        Run({"v@home": 14, "v@till": 14}, 14, 14, why="nothing"),
        follow=True,
    ),
    story(
        "two are sold off the shelf of a location before it is closed: they are missing at home",
        Managed(14, {level(f"v@{place}"): Level(reading(14)) for place in ("home", "fair")}),
        Run(
            {"v@home": 26},
            12,
            12,
            {"stock_moved": {"v@home": 14}},
            units={"stock_moved": 14},
            rules={"closed": frozenset({"fair"})},
        ),
        follow=True,
    ),
    story(
        "two are ordered of a location before it is closed: the order moves as well",
        Managed(14, {level(f"v@{place}"): Level(reading(14)) for place in ("home", "fair")}),
        Run(
            {"v@home": 26},
            12,
            12,
            {"stock_moved": {"v@home": 14}},
            committed={"v@home": 2},
            rules={"closed": frozenset({"fair"})},
        ),
        follow=True,
    ),
    story(
        "what is owed at a location goes along when it is closed, with its orders",
        Managed(-8, {level(f"v@{place}"): Level(reading(-8, 9)) for place in ("home", "fair")}),
        Run(
            {"v@home": -19},
            -11,
            -11,
            {"stock_moved": {"v@home": -8}, "oversold": {"v@home": -3}},
            committed={"v@home": 18},
            rules={"closed": frozenset({"fair"})},
        ),
        follow=True,
    ),
    story(
        "a location with open orders is closed while another sells",
        Managed(
            12, {level(f"v@{place}"): Level(reading(12, 2)) for place in ("home", "till", "fair")}
        ),
        Run(
            {"v@home": 24, "v@till": 9},
            9,
            9,
            {"stock_moved": {"v@home": 12}},
            committed={"v@home": 4, "v@till": 5},
            rules={"closed": frozenset({"fair"})},
        ),
        follow=True,
    ),
    story(
        "an item is unstocked, and three restocked elsewhere: nothing is missing",
        Managed(14, {level(f"v@{place}"): Level(reading(14)) for place in ("home", "fair")}),
        Run({"v@home": 17}, 14, 14, {"stock_moved": {"v@home": 3}}),
        follow=True,
    ),
    story(
        "a location is closed, its stock moved, and five more are restocked there",
        Managed(14, {level(f"v@{place}"): Level(reading(14)) for place in ("home", "fair")}),
        Run({"v@home": 33}, 19, 19, {"stock_moved": {"v@home": 14}}, why="rise"),
    ),
    story(
        "a reserve that is not full hides what was written: an import counts no more than it rose",
        managed(0, "ab", reserve=2),
        Run(all_at(1, "ab"), 1, 0, {"several_rises": all_at(1, "ab")}, why="import"),
        reserve=2,
    ),
    story(
        "an item is unstocked somewhere, another item of the pool is restocked: that is a rise",
        Managed(
            14,
            {level(name): Level(reading(14)) for name in ("a@home", "a@fair", "b@home", "b@fair")},
        ),
        Run({"a@home": 14, "b@home": 20, "b@fair": 14}, 20, 20, why="rise"),
    ),
    story(
        "an ERP writes 12 back after each of our lowerings: counted once, then refused",
        managed(12, "ab"),
        Run({"a": 12, "b": 11}, 11, 11),
        Run({"a": 12, "b": 11}, 12, 12, why="rise"),
        Run({"a": 12, "b": 10}, 10, 10),
        Run({"a": 12, "b": 10}, 10, 10, {"overwritten": {"a": 2}}),
        Run(all_at(10, "ab"), 10, 10, {"overwritten": {"a": 2}}),
        Run({"a": 12, "b": 9}, 9, 9, {"overwritten": {"a": 4}}, units={"overwritten": 2}),
        Run({"a": 11, "b": 9}, 9, 9, {"overwritten": {"a": 6}}),
        Run({"a": 14, "b": 9}, 12, 12, {"overwritten": {"a": 8}}, why="rise"),
    ),
    story(
        "one unit undone exactly, twice running, may be chance; a third time it is not",
        managed(12, "ab"),
        Run({"a": 12, "b": 11}, 11, 11),
        Run({"a": 12, "b": 11}, 12, 12),
        Run({"a": 12, "b": 11}, 11, 11),
        Run({"a": 12, "b": 11}, 12, 12, why="rise"),
        Run({"a": 12, "b": 11}, 11, 11),
        Run({"a": 12, "b": 11}, 11, 11, {"overwritten": {"a": 1}}),
    ),
    story(
        "an ERP that was turned off: --force says that a person has seen it",
        managed(12, "ab"),
        Run({"a": 12, "b": 11}, 11, 11),
        Run({"a": 12, "b": 11}, 12, 12),
        Run({"a": 12, "b": 10}, 10, 10),
        Run({"a": 12, "b": 10}, 10, 10, "overwritten"),
        Run(all_at(10, "ab"), 10, 10, rules=RELEASE),
        Run(all_at(10, "ab"), 10, 10),
    ),
    story(
        "a cancelled order is no overwriting, however exactly it fits",
        managed(12, "ab"),
        Run({"a": 11, "b": 11}, 10, 10, committed={"a": 1, "b": 1}),
        Run({"a": 11, "b": 10}, 11, 11, committed={"b": 1}),
        Run({"a": 10, "b": 10}, 9, 9, committed={"a": 1, "b": 2}),
        Run({"a": 10, "b": 9}, 10, 10, committed={"b": 2}),
    ),
)

RAISES_THAT_FAILED = (
    story(
        "our raise failed, an import writes the same number, and one is sold online meanwhile",
        Managed(50, {level("a"): Level(reading(10)), level("b"): Level(reading(50))}),
        Run(
            {"a": 49, "b": 50},
            49,
            49,
            {"raise_closed": {"a": 40}},
            committed={"a": 1},
        ),
    ),
    story(
        "our raise of M by 3 failed; somebody types 33 on M",
        Managed(33, {level("s"): Level(reading(33)), level("m"): Level(reading(30))}),
        Run({"s": 33, "m": 33}, 33, 33, {"raise_closed": {"m": 3}}, why="nothing"),
    ),
    story(
        "our raise failed, and somebody raises it by less: only the gap is smaller",
        Managed(33, {level("s"): Level(reading(33)), level("m"): Level(reading(30))}),
        Run({"s": 33, "m": 32}, 33, 33, {"raise_closed": {"m": 2}}, why="finish"),
    ),
    story(
        "our raise failed, and somebody raises it by more: the rest is a rise",
        Managed(33, {level("s"): Level(reading(33)), level("m"): Level(reading(30))}),
        Run({"s": 33, "m": 40}, 40, 40, {"raise_closed": {"m": 3}}, why="rise"),
    ),
    story(
        "our raise failed, and an order of it is cancelled: that is a rise",
        Managed(33, {level("s"): Level(reading(33)), level("m"): Level(reading(30, 1))}),
        Run({"s": 33, "m": 31}, 34, 34, why="rise"),
    ),
    story(
        "every adjustment fails: the next run sends the same, and counts nothing twice",
        managed(30, "abc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, AS_READ, fails="bc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, AS_READ, fails="bc", why="finish"),
        Run({"a": 27, "b": 30, "c": 30}, 27, 27, why="finish"),
    ),
    story(
        "one write refused, then the next run: 29, not 31",
        managed(30, "abc"),
        Run({"a": 29, "b": 30, "c": 30}, 29, {"a": 29, "b": 30, "c": 29}, fails="b"),
        Run({"a": 29, "b": 30, "c": 29}, 29, 29, why="finish"),
    ),
    story(
        "one adjustment fails, and that level sells before the next run",
        managed(30, "abc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, {"a": 27, "b": 30, "c": 27}, fails="b"),
        Run({"a": 27, "b": 29, "c": 27}, 26, 26),
    ),
    story(
        "a raise is refused since its level sold meanwhile: both count at the next run",
        managed(10, "abc"),
        Run({"a": 30, "b": 10, "c": 10}, 30, {"a": 30, "b": 8, "c": 30}, fails="b", sold={"b": 2}),
        Run({"a": 30, "b": 8, "c": 30}, 28, 28),
    ),
    story(
        "a restock whose push fails, then another restock elsewhere: each is one rise",
        managed(10, "abc"),
        Run({"a": 30, "b": 10, "c": 10}, 30, AS_READ, fails="bc"),
        Run({"a": 35, "b": 10, "c": 10}, 35, 35),
    ),
    story(
        "a level that always fails falls behind, and catches up whole",
        managed(10, "ab"),
        Run({"a": 8, "b": 10}, 8, AS_READ, fails="b"),
        Run({"a": 7, "b": 10}, 7, AS_READ, fails="b"),
        Run({"a": 7, "b": 9}, 6, {"a": 6, "b": 9}, fails="b"),
        Run({"a": 6, "b": 9}, 6, 6),
    ),
    story(
        "a level whose push failed is deleted: nothing is left of it",
        managed(10, "abc"),
        Run({"a": 8, "b": 10, "c": 10}, 8, {"a": 8, "b": 10, "c": 8}, fails="b"),
        Run({"a": 8, "c": 8}, 8, 8, why="nothing"),
    ),
)

PACKS = {"s": 1, "m": 6, "l": 12}
OF_50 = managed(50, "sml", PACKS)
packs = partial(story, sizes=PACKS)

SIZES_AND_RESERVE = (
    packs(
        "packs of 1, 6 and 12, 50 units: one 6-pack sold",
        OF_50,
        Run({"s": 50, "m": 7, "l": 4}, 44, {"s": 44, "m": 7, "l": 3}),
        Run({"s": 44, "m": 8, "l": 3}, 50, {"s": 50, "m": 8, "l": 4}, {"loose_units": {"m": 2}}),
    ),
    packs(
        "five singles, a 6 and a 12 in one order",
        OF_50,
        Run(
            {"s": 45, "m": 7, "l": 3},
            27,
            {"s": 27, "m": 4, "l": 2},
            committed={"s": 5, "m": 1, "l": 1},
        ),
    ),
    packs(
        "that 6-pack comes back: a cancelled order keeps the loose units without a word",
        managed(44, "sml", PACKS),
        Run({"s": 44, "m": 6, "l": 3}, 38, {"s": 38, "m": 6, "l": 3}, committed={"m": 1}),
        Run({"s": 38, "m": 7, "l": 3}, 44, {"s": 44, "m": 7, "l": 3}, why="rise"),
    ),
    packs(
        "24 singles delivered",
        OF_50,
        Run({"s": 74, "m": 8, "l": 4}, 74, {"s": 74, "m": 12, "l": 6}),
    ),
    packs(
        "two cases of 12 delivered: the two loose units are kept, and told",
        OF_50,
        Run({"s": 50, "m": 8, "l": 6}, 74, {"s": 74, "m": 12, "l": 6}, {"loose_units": {"l": 2}}),
    ),
    packs(
        "a count typed into all packs is all falls, and alike: the readings agree",
        OF_50,
        Run(
            {"s": 44, "m": 7, "l": 3},
            26,
            {"s": 26, "m": 4, "l": 2},
            {"fell_alike": {"s": -6, "m": -6, "l": -12}},
        ),
    ),
    packs(
        "an import of 100 units onto all packs",
        OF_50,
        Run({"s": 100, "m": 16, "l": 8}, 100, AS_READ, "several_rises", why="import"),
    ),
    story(
        "the single listing is deleted: three loose units are kept until they are sold",
        managed(13, "sfx", {"s": 1, "f": 4, "x": 6}),
        Run({"f": 3, "x": 2}, 13, AS_READ),
        Run({"f": 2, "x": 2}, 9, {"f": 2, "x": 1}),
        Run({"f": 2, "x": 0}, 3, {"f": 0, "x": 0}),
        Run({"f": 0, "x": 0}, 3, AS_READ, why="nothing"),
        Run({"f": 0, "x": 1}, 9, {"f": 2, "x": 1}, {"loose_units": {"x": 3}}),
        sizes={"f": 4, "x": 6},
    ),
    packs(
        "four singles and the 6-pack sold of six: owed on every listing; then a case arrives",
        managed(6, "sml", PACKS),
        Run({"s": 2, "m": 0, "l": 0}, -4, {"s": -4, "m": -1, "l": -1}, "oversold"),
        Run({"s": -4, "m": -1, "l": 0}, 8, {"s": 8, "m": 1, "l": 0}),
    ),
    packs(
        "first sight of packs that agree",
        None,
        Run({"s": 50, "m": 8, "l": 4}, 50, AS_READ, "adopted"),
    ),
    packs(
        "first sight of packs that fit no number",
        None,
        Run({"s": 50, "m": 8, "l": 5}, None, AS_READ, "out_of_sync"),
    ),
    story(
        "first sight of 3/3 with a reserve of 1: three units, and the levels show two",
        None,
        Run({"a": 3, "b": 3}, 3, 2, "adopted", why="adopted"),
        Run(all_at(2, "ab"), 3, 2, why="nothing"),
        Run({"a": 1, "b": 2}, 2, 1),
        Run({"a": 5, "b": 1}, 6, 5),
        reserve=1,
    ),
    story(
        "with a reserve, what is owed shows whole, and the reserve fills up first",
        managed(3, "ab", reserve=2),
        Run({"a": -1, "b": 1}, 1, 0),
        Run({"a": -2, "b": 0}, -1, -1, "oversold"),
        Run({"a": 3, "b": -1}, 3, 1),
        reserve=2,
    ),
    story(
        "a reserve that is set later lowers all listings, and no unit is counted",
        managed(10, "ab"),
        Run(all_at(10, "ab"), 10, 7, why="finish"),
        Run(all_at(7, "ab"), 10, 7, why="nothing"),
        reserve=3,
    ),
    story(
        "a reserve that is lifted raises all listings; what came in and was sold meanwhile counts",
        managed(10, "abc", reserve=2),
        Run({"a": 11, "b": 7, "c": 8}, 12, 12, why="rise"),
        Run(all_at(12, "abc"), 12, 12, why="nothing"),
    ),
    story(
        "an import written over what a larger reserve showed is read with that reserve",
        managed(10, "ab", reserve=2),
        Run(all_at(50, "ab"), 52, 51, "several_rises", why="import"),
        reserve=1,
    ),
    story(
        "a size that changed: what was sold meanwhile counts with the larger",
        managed(24, "ab", {"a": 1, "b": 6}),
        Run(
            {"a": 24, "b": 3},
            12,
            {"a": 12, "b": 1},
            {"size_changed": {"b": 6}},
        ),
        sizes={"b": 12},
    ),
    story(
        "a size that changed: what rose meanwhile counts with the smaller",
        managed(24, "ab", {"a": 1, "b": 12}),
        Run({"a": 24, "b": 3}, 30, {"a": 30, "b": 5}, {"size_changed": {"b": 12}}),
        sizes={"b": 6},
    ),
    packs(
        "a rise of packs that is held shows in packs",
        OF_50,
        Run(
            {"s": 50, "m": 10, "l": 4},
            50,
            AS_READ,
            "held loose_units",
            {"m": 12},
            12,
            rules=BRAKE,
        ),
        Run(
            {"s": 44, "m": 10, "l": 4},
            44,
            {"s": 44, "m": 9, "l": 3},
            "held",
            {"m": 12},
            12,
        ),
        Run({"s": 44, "m": 9, "l": 3}, 56, {"s": 56, "m": 9, "l": 4}, rules=RELEASE),
    ),
    story(
        "over two variants and two locations: two sold here, three there, from 30",
        Managed(
            30,
            {level(f"{v}@{place}"): Level(reading(30)) for v in "ab" for place in ("home", "till")},
        ),
        Run(
            {"a@home": 28, "b@home": 30, "a@till": 30, "b@till": 27},
            25,
            25,
        ),
    ),
)

FIRST_SIGHT = (
    story(
        "first sight, all equal: adopted, nothing sent",
        None,
        Run(all_at(30, "abcd"), 30, 30, {"adopted": all_at(30, "abcd")}, why="adopted"),
        Run({**all_at(30, "abc"), "d": 29}, 29, 29),
    ),
    story(
        "first sight, all below 0: adopted too",
        None,
        Run(all_at(-2, "ab"), -2, -2, "adopted"),
        Run({"a": 5, "b": -2}, 5, 5, why="rise"),
    ),
    story(
        "first sight, variants that differ: reported, left alone however they move",
        None,
        Run({"a": 5, "b": 3}, None, AS_READ, {"out_of_sync": {"a": 5, "b": 3}}),
        Run({"a": 4, "b": 3}, None, AS_READ, {"out_of_sync": {"a": 4, "b": 3}}),
        Run({"a": 4, "b": 9}, None, AS_READ, "out_of_sync"),
        Run(all_at(7, "ab"), 7, 7, "adopted"),
    ),
    story(
        "first sight, a variant with stock beside one at 0 is no source",
        None,
        Run({"a": 5, "b": 0}, None, AS_READ, "out_of_sync"),
        fresh=True,
    ),
    story(
        "variants out of sync, and --force does not change that",
        unmanaged(a=5, b=3),
        Run({"a": 5, "b": 3}, None, AS_READ, "out_of_sync", rules=RELEASE),
    ),
    story(
        "a pool left alone stays so, and says which falls may be the other program's",
        Unmanaged(readings({"a": 50, "b": 50}), left_alone=True, ran_down=16),
        Run(
            all_at(49, "ab"),
            None,
            49,
            {"another_program": all_at(-1, "ab")},
            left_alone=True,
            units={"another_program": 16},
        ),
        Run(all_at(49, "ab"), None, 49, QUIET, left_alone=True),
        Run({"a": 48, "b": 49}, None, AS_READ, QUIET, committed={"a": 1}, left_alone=True),
        Run({"a": 50, "b": 80}, None, AS_READ, QUIET, left_alone=True, rules=RELEASE),
    ),
)

at_locations = partial(story, follow=True)

LOCATIONS = (
    at_locations(
        "never adopted: one sold at the till is passed on, and destroys nothing",
        unmanaged(home=6, till=2, fair=0),
        Run(
            {"home": 6, "till": 1, "fair": 0},
            None,
            {"home": 5, "till": 1, "fair": 0},
            {"out_of_sync": {"home": 6, "till": 1, "fair": 0}},
            why="passed_on",
        ),
        Run({"home": 5, "till": 1, "fair": 0}, None, AS_READ, "out_of_sync", why="nothing"),
    ),
    at_locations(
        "never adopted: eight typed at the warehouse are the quantity, and what they lift is told",
        unmanaged(home=6, till=2, fair=0),
        Run(
            {"home": 8, "till": 2, "fair": 0},
            8,
            8,
            {"lifted": {"till": 6, "fair": 8}},
            why="source",
        ),
    ),
    at_locations(
        "a source counts less by what fell elsewhere in the same run",
        unmanaged(home=6, till=2, fair=0),
        Run({"home": 8, "till": 1, "fair": 0}, 7, 7, "lifted", why="source"),
    ),
    at_locations(
        "a passed-on fall that fails is not owed",
        unmanaged(home=6, till=2),
        Run({"home": 6, "till": 1}, None, AS_READ, "out_of_sync", fails="home"),
        Run({"home": 6, "till": 1}, None, AS_READ, "out_of_sync", why="nothing"),
    ),
    at_locations(
        "falls at two places are passed on to each other",
        unmanaged(home=6, till=4, fair=0),
        Run(
            {"home": 5, "till": 2, "fair": 0},
            None,
            {"home": 3, "till": 1, "fair": 0},
            "out_of_sync",
        ),
    ),
    at_locations(
        "a cancelled order is no source",
        Unmanaged(readings({"home": 6, "till": 2}, {"till": 1})),
        Run({"home": 6, "till": 3}, None, AS_READ, "out_of_sync", why="nothing"),
    ),
    at_locations(
        "a rise is the source even when it stays below another",
        unmanaged(home=5, till=3),
        Run({"home": 5, "till": 4}, 4, 4, why="source"),
    ),
    at_locations(
        "several rose at once: the smallest of them, told",
        unmanaged(home=5, till=3, fair=1),
        Run(
            {"home": 12, "till": 9, "fair": 1},
            9,
            9,
            {"several_sources": {"home": 7, "till": 6}, "lifted": {"fair": 8}},
            why="source",
            units={"several_sources": 9, "lifted": 6},
        ),
    ),
    at_locations(
        "a person makes them equal",
        unmanaged(home=5, till=3),
        Run({"home": 9, "till": 9}, 9, 9, "adopted", why="adopted"),
    ),
    at_locations(
        "a source whose push fails in part is finished by the next run",
        unmanaged(home=5, till=3, fair=1),
        Run(
            {"home": 5, "till": 3, "fair": 20},
            20,
            {"home": 20, "till": 3, "fair": 20},
            "",
            fails="till",
        ),
        Run({"home": 20, "till": 3, "fair": 20}, 20, 20, why="finish"),
    ),
    at_locations(
        "a newly stocked one has no movement and is no source",
        unmanaged(home=5, till=3),
        Run({"home": 5, "till": 3, "fair": 9}, None, AS_READ, "out_of_sync"),
        Run({"home": 5, "till": 3, "fair": 11}, 11, 11, "lifted", why="source"),
    ),
    at_locations(
        "a new item typed in at one location sets the others",
        None,
        Run({"home": 0, "till": 12, "fair": 0}, 12, 12, why="source"),
        fresh=True,
    ),
    at_locations(
        "a new item typed in at two locations is out of sync",
        None,
        Run({"home": 3, "till": 12, "fair": 0}, None, AS_READ, "out_of_sync"),
        fresh=True,
    ),
    at_locations(
        "a new item oversold at one location is no source",
        None,
        Run({"home": 0, "till": -2}, None, AS_READ, "out_of_sync"),
        fresh=True,
    ),
    at_locations(
        "an item that existed before, with stock at one location only, is out of sync",
        None,
        Run({"home": 0, "till": 12}, None, AS_READ, "out_of_sync"),
    ),
    at_locations(
        "a new item at one location only is adopted",
        None,
        Run({"home": 12}, 12, 12, "adopted"),
        fresh=True,
    ),
    at_locations(
        "managed locations follow the same rule as variants",
        managed(30, "abc"),
        Run({"a": 28, "b": 30, "c": 29}, 27, 27),
        Run({"a": 27, "b": 27, "c": 40}, 40, 40),
        Run({"a": 40, "b": 40, "c": 40, "new": 0}, 40, 40),
        Run({"a": 45, "b": 47, "c": 40, "new": 40}, 45, 45, {"several_rises": {"a": 5, "b": 7}}),
        Run({"a": 45, "c": 45, "new": 45}, 45, 45),
    ),
)

STORIES = (
    *FALLS_AND_SINGLE_RISES,
    *NEW_AND_VANISHED,
    *SEVERAL_RISES,
    *THE_BRAKE,
    *EXPLAINED,
    *RAISES_THAT_FAILED,
    *SIZES_AND_RESERVE,
    *FIRST_SIGHT,
    *LOCATIONS,
)


def told(made: Plan) -> dict[str, Note]:
    return {note.kind: note for note in made.notes}


def check_adjustments(made: Plan) -> None:
    """What holds of every plan's adjustments, whatever the story."""
    sent = [adjustment.level for adjustment in made.adjustments]
    assert len(sent) == len(set(sent)) <= len(made.seen)
    for adjustment in made.adjustments:
        assert adjustment.delta != 0
        assert adjustment.observed == made.seen[adjustment.level].available
        assert adjustment.change_from == (adjustment.observed if adjustment.delta > 0 else None)


def check_notes(run: Run, made: Plan, where: str) -> None:
    notes = told(made)
    if isinstance(run.notes, str):
        assert sorted(notes) == sorted(run.notes.split()), where
    else:
        assert {kind: names(note.levels) for kind, note in notes.items()} == run.notes, where
    assert {kind: notes[kind].units for kind in run.units} == run.units, where
    if run.cancelled is not None:
        assert notes["several_rises"].cancelled == set(map(level, run.cancelled)), where


def fails(run: Run) -> set[str]:
    """The levels of a run whose adjustment fails: named whole, or letter by letter."""
    return {run.fails} if run.fails in run.reads else set(run.fails)


def available(pool: Pool) -> dict[str, int]:
    if isinstance(pool, Managed):
        return {name_of(at): one.last.available for at, one in pool.levels.items()}
    return {name_of(at): last.available for at, last in pool.levels.items()}


@pytest.mark.parametrize(("start", "runs", "rules"), STORIES)
def test_story(start: Pool | None, runs: tuple[Run, ...], rules: Mapping[str, Any]) -> None:
    pool = start
    for number, run in enumerate(runs, start=1):
        where = f"run {number}"
        seen = readings(run.reads, run.committed)
        made = plan(pool, seen, Rules(**{**rules, **run.rules}))
        check_adjustments(made)

        applied = {a.level for a in made.adjustments if name_of(a.level) not in fails(run)}
        shop = dict(run.reads)
        for adjustment in made.adjustments:
            if adjustment.level in applied:
                shop[name_of(adjustment.level)] += adjustment.delta
        pool = made.settle(applied)
        assert available(pool) == shop or rules.get("follow"), where

        for name, units in run.sold.items():
            shop[name] -= units
        after = dict.fromkeys(run.reads, run.after) if isinstance(run.after, int) else run.after
        assert shop == (after or run.reads), where
        if isinstance(pool, Managed):
            assert pool.quantity == run.quantity, where
            assert (names(pool.held), pool.on_release) == (run.held, run.on_release), where
        else:
            assert (run.quantity, pool.left_alone) == (None, run.left_alone), where
        check_notes(run, made, where)
        assert pool.levels.keys() == seen.keys(), where
        if run.why is not None:
            assert made.why == run.why, where


def test_the_stories_have_names_of_their_own() -> None:
    told_as = [one.id for one in STORIES]
    assert len(told_as) == len(set(told_as))


# Another program.


def play_beside_another_program(
    count: int, quiet: int = 0, start: int = 1000, each: int = 1
) -> tuple[int, Pool, Plan]:
    """One sale, and then a program at our own pace that takes our adjustments for movements."""
    read = dict.fromkeys("abcdef"[:count], start)
    pool: Pool = managed(start, "".join(read))
    its = dict(read)
    read["a"] -= each
    for run in range(1, 60):
        # It looks first: each level's movement goes to all the others.
        moved = {name: now - its[name] for name, now in read.items()}
        read = {name: now + sum(moved.values()) - moved[name] for name, now in read.items()}
        its = dict(read)
        made = plan(pool, readings(read))
        pool = made.pool
        read = {name: pool_reads(pool)[name] for name in read}
        if isinstance(pool, Unmanaged):
            return run, pool, made
    return 0, pool, made


def pool_reads(pool: Pool) -> dict[str, int]:
    return available(pool)


@pytest.mark.parametrize(("count", "shown", "lost"), [(2, 15, 16), (3, 28, 30), (4, 117, 120)])
def test_another_program_at_our_own_pace_is_caught(count: int, shown: int, lost: int) -> None:
    """Its first answer, to the sale itself, is no answer to us: it can't be told from sales."""
    runs, pool, made = play_beside_another_program(count)
    assert isinstance(pool, Unmanaged)
    assert pool.left_alone
    note = told(made)["another_program"]
    assert 999 - pool.levels[level("a")].available == lost
    assert note.units == pool.ran_down == shown
    assert set(names(note.levels)) == set("abcd"[:count])
    assert made.adjustments == ()
    assert runs <= 12


def test_a_pool_that_it_runs_down_below_0_is_caught_too() -> None:
    """There on_hand stops at 0, and available and committed tell what left the shelf."""
    _, pool, _ = play_beside_another_program(2, start=3)
    assert isinstance(pool, Unmanaged)


def sent(pool: Managed, **units: int) -> Managed:
    marked = {
        at: structs.replace(one, sent=units.get(name_of(at), 0)) for at, one in pool.levels.items()
    }
    return structs.replace(pool, levels=marked)


@pytest.mark.parametrize(
    ("reads", "committed", "heard"),
    [
        ({"a": 97, "b": 98}, {}, 1),  # each lost what we sent to the other
        ({"a": 90, "b": 98}, {}, 1),  # and something was sold besides
        ({"a": 97, "b": 98}, {"a": 1}, 0),  # one of those was an order
        ({"a": 97, "b": 99}, {}, 0),
        ({"a": 98, "b": 97}, {}, 0),
        ({"a": 96, "b": 98}, {"a": 1}, 1),
    ],
)
def test_an_echo_is_what_another_program_would_take(
    reads: Units, committed: Units, heard: int
) -> None:
    before = sent(managed(100, "ab"), a=-2, b=-3)
    made = plan(before, readings(reads, committed))
    assert isinstance(made.pool, Managed)
    assert made.pool.echoes.heard == heard
    unknown = {at: Reading(now.available) for at, now in readings(reads).items()}
    proves_nothing = plan(before, unknown).pool
    assert isinstance(proves_nothing, Managed)
    assert proves_nothing.echoes == Echoes()


def test_what_was_sent_fades_while_something_else_moves() -> None:
    before = sent(managed(100, "ab"), a=-5, b=5)
    idle, moved = (
        plan(before, readings(all_at(100, "ab"))),
        plan(before, readings({"a": 98, "b": 100})),
    )
    assert [one.sent for one in idle.pool.levels.values()] == [-5, 5]  # type: ignore[union-attr]
    assert [one.sent for one in moved.pool.levels.values()] == [-2, 0]  # type: ignore[union-attr]


def test_a_pair_needs_its_echoes_running_and_more_levels_two_within_twelve_runs() -> None:
    echo = readings({"a": 98, "b": 98})
    pair = structs.replace(sent(managed(100, "ab"), a=-2, b=-2), echoes=Echoes(7, 0, 21))
    caught = plan(pair, echo).pool
    assert caught == Unmanaged(echo, left_alone=True, ran_down=23)
    other = plan(pair, readings({"a": 99, "b": 100})).pool
    assert isinstance(other, Managed)
    assert other.echoes == Echoes()

    three = structs.replace(sent(managed(100, "abc"), a=-2, b=-2, c=-2), echoes=Echoes(1, 11, 6))
    assert isinstance(plan(three, readings(all_at(96, "abc"))).pool, Unmanaged)
    late = plan(three, readings({"a": 99, "b": 100, "c": 100})).pool
    assert isinstance(late, Managed)
    assert late.echoes == Echoes()


# Beside the stories.


def test_a_pool_of_2048_levels() -> None:
    everything = {
        LevelId(f"gid://shopify/InventoryItem/{n}", "here"): reading(30) for n in range(2048)
    }
    pool = Managed(30, {at: Level(now) for at, now in everything.items()})
    sold = list(everything)[7]
    made = plan(pool, {**everything, sold: reading(27)})
    assert made.pool.quantity == 27  # type: ignore[union-attr]
    assert len(made.adjustments) == 2047
    assert {adjustment.delta for adjustment in made.adjustments} == {-3}

    imported = plan(made.pool, dict.fromkeys(everything, reading(50)))
    assert imported.pool.quantity == 50  # type: ignore[union-attr]
    assert imported.adjustments == ()


@pytest.mark.parametrize(
    ("reads", "left", "after"),
    [
        # Seen from 50 units in packs of 1, 6 and 12.
        ({"s": 44, "m": 8, "l": 4}, {"s": 44, "m": 7, "l": 3}, 44),
        ({"s": 50, "m": 7, "l": 4}, {"s": 44, "m": 7, "l": 3}, 44),
        ({"s": 49, "m": 8, "l": 4}, {"s": 49, "m": 8, "l": 4}, 49),
        ({"s": 60, "m": 7, "l": 4}, {"s": 54, "m": 7, "l": 3}, 44),
        ({"s": 0, "m": 7, "l": 4}, {"s": 0, "m": 0, "l": 0}, -6),
        ({"s": -2, "m": 8, "l": 4}, {"s": -2, "m": 0, "l": 0}, -2),
        ({"s": 50, "m": 8, "l": 4}, {"s": 50, "m": 8, "l": 4}, 50),
    ],
)
def test_a_pool_that_leaves_whole_has_its_falls_taken_off_its_other_levels(
    reads: Units, left: Units, after: int
) -> None:
    made = leave(managed(50, "sml", PACKS), readings(reads))
    check_adjustments(made)
    assert available(made.pool) == left
    assert made.after == after
    assert names(told(made)["last_falls"].levels if made.movements else {}) == names(made.movements)
    # Where nothing of it takes effect, or all of it does, the next try comes to the same.
    for tried in (made.unsent, made.pool):
        assert isinstance(tried, Managed)
        last = {at: one.last for at, one in tried.levels.items()}
        assert available(leave(tried, last).pool) == left


def test_what_a_plan_says_of_a_run() -> None:
    made = plan(managed(30, "abc"), readings({"a": 27, "b": 35, "c": 30}))
    assert made.before == 30
    assert names(made.movements) == {"a": -3, "b": 5}
    assert made.risen == 5
    assert [(a.level, a.observed, a.delta, a.change_from) for a in made.adjustments] == [
        (level("a"), 27, 5, 27),
        (level("b"), 35, -3, None),
        (level("c"), 30, 2, 30),
    ]


@pytest.mark.parametrize(
    ("reads", "rules", "risen"),
    [
        ({"a": 8, "b": 10}, {}, 0),
        ({"a": 15, "b": 10}, {}, 5),
        ({"a": 15, "b": 17}, {}, 5),
        ({"a": 15, "b": 15}, {}, 5),
        ({"a": 15, "b": 17}, {"several_rises": "sum"}, 12),
        ({"a": 15, "b": 17}, {"several_rises": "hold"}, 0),
        ({"a": 15, "b": 10}, {"brake": True}, 0),
        ({"a": 10, "b": 10, "new": 0}, {}, 0),
    ],
)
def test_the_brake_is_told_which_pools_rise(
    reads: Units, rules: Mapping[str, Any], risen: int
) -> None:
    assert plan(managed(10, "ab"), readings(reads), Rules(**rules)).risen == risen


@pytest.mark.parametrize(
    ("reads", "risen"), [({"a": 9, "b": 3}, 6), ({"a": 5, "b": 4}, 0), ({"a": 4, "b": 3}, 0)]
)
def test_a_source_that_lifts_others_counts_as_a_rise(reads: Units, risen: int) -> None:
    made = plan(unmanaged(a=5, b=3), readings(reads), Rules(follow=True))
    assert made.risen == risen


def test_what_is_remembered_is_the_reading_and_the_delta_that_was_applied() -> None:
    seen = readings({"a": 27, "b": 30, "c": 30}, {"a": 3, "b": 5})
    made = plan(managed(30, "abc"), seen)
    assert made.settle({level("b"), level("c")}) == made.pool
    assert made.settle(()) == made.unsent
    partly = made.settle({level("b")})
    assert isinstance(partly, Managed)
    assert {name_of(at): one.last for at, one in partly.levels.items()} == {
        "a": Reading(27, 30, 3),
        "b": Reading(27, 32, 5),
        "c": Reading(30, 30, 0),
    }
    assert {name_of(at): one.sent for at, one in partly.levels.items()} == {"a": 0, "b": -3, "c": 0}
    assert partly.quantity == 27


@pytest.mark.parametrize(
    ("before", "delta", "after"),
    [
        (Reading(5, 8, 3), -2, Reading(3, 6, 3)),
        (Reading(5), -2, Reading(3)),
        (Reading(5, 5), -2, Reading(3, None)),
        (Reading(1, 1, 0), -4, Reading(-3, 0, 0)),
        (Reading(-3, 0, 0), 5, Reading(2, 2, 0)),
        (Reading(-39, 0, 12), 40, Reading(1, 13, 12)),
    ],
)
def test_our_delta_moves_available_and_on_hand_alike(
    before: Reading, delta: int, after: Reading
) -> None:
    assert before.adjusted(delta).available == after.available
    assert before.adjusted(delta).on_hand == after.on_hand


@pytest.mark.parametrize(
    ("before", "now", "movement", "how"),
    [
        # What was reserved (a transfer, a draft order) becomes an order: nothing came in or left.
        (Reading(10, 15, 0), Reading(10, 15, 5), 0, None),
        (Reading(10, 15, 0), Reading(9, 15, 6), -1, "ordered"),
        # Damaged stock is thrown away beside an order, and beside a sale at the till.
        (Reading(10, 15, 0), Reading(9, 10, 1), -1, "ordered"),
        (Reading(10, 15, 0), Reading(9, 9, 0), -1, "off_shelf"),
        # A transfer is made ready, beside a sale at the till.
        (Reading(10, 10, 0), Reading(6, 9, 0), -4, "partly_ordered"),
        # Typed onto the level, and ordered as much.
        (Reading(10, 10, 0), Reading(10, 15, 5), 0, None),
    ],
)
def test_what_is_set_aside_is_no_sale_and_no_restock(
    before: Reading, now: Reading, movement: int, how: str | None
) -> None:
    pool = Managed(10, {level("a"): Level(before), level("b"): Level(reading(10))})
    made = plan(pool, {level("a"): now, level("b"): reading(10)})
    assert made.movements.get(level("a"), 0) == movement
    assert made.how.get(level("a")) == how
    braked = plan(pool, {level("a"): now, level("b"): reading(10)}, Rules(brake=True))
    was_typed = before.on_hand == 10 and now.on_hand == 15
    assert names(braked.pool.held) == ({"a": 5} if was_typed else {})  # type: ignore[union-attr]


def test_adopt_takes_levels_that_agree_only() -> None:
    made = adopt(readings(all_at(4, "ab")))
    assert made is not None
    assert (made.before, made.pool, made.adjustments) == (None, managed(4, "ab"), ())
    assert names(told(made)["adopted"].levels) == all_at(4, "ab")
    assert adopt(readings({"a": 4, "b": 5})) is None


@pytest.mark.parametrize(("to", "quantity"), [("lowest", -1), ("highest", 9)])
def test_align_brings_all_levels_to_one_of_their_numbers(to: Any, quantity: int) -> None:
    made = align(readings({"a": 4, "b": 9, "c": -1}), to)
    check_adjustments(made)
    assert made.before is None
    assert available(made.pool) == all_at(quantity, "abc")
    assert made.why == "aligned"


def test_align_takes_packs_for_what_they_hold() -> None:
    rules = Rules(sizes=levels(PACKS), reserve=2)
    reads = readings({"s": 50, "m": 8, "l": 5})
    lowest, highest = align(reads, "lowest", rules), align(reads, "highest", rules)
    assert (lowest.pool.quantity, highest.pool.quantity) == (48, 60)  # type: ignore[union-attr]
    assert available(highest.pool) == {"s": 58, "m": 9, "l": 4}


def test_align_that_fails_in_part_is_finished_by_the_next_run() -> None:
    pool = align(readings({"a": 4, "b": 9, "c": 2}), "lowest").settle({level("a")})
    made = plan(pool, readings({"a": 2, "b": 9, "c": 2}))
    assert isinstance(made.pool, Managed)
    assert made.pool.quantity == 2
    assert made.adjustments == (Adjustment(level("b"), 9, -7),)


def test_as_set_takes_levels_that_agree_for_right_as_they_stand() -> None:
    """Paused at 10, all typed from 10 to 8."""
    before = structs.replace(managed(10, "ab"), on_release=0)
    made = as_set(before, readings(all_at(8, "ab")))
    assert made is not None
    assert (made.before, made.pool, made.why) == (10, managed(8, "ab"), "as_set")
    assert as_set(before, readings({"a": 8, "b": 9})) is None
    reserved = as_set(managed(10, "ab", reserve=2), readings(all_at(8, "ab")), Rules(reserve=2))
    assert reserved is not None
    assert available(reserved.pool) == all_at(6, "ab")


def test_as_set_keeps_loose_units_that_the_levels_cannot_show() -> None:
    sizes = levels({"f": 4, "x": 6})
    made = as_set(
        managed(13, "fx", {"f": 4, "x": 6}), readings({"f": 3, "x": 2}), Rules(sizes=sizes)
    )
    assert made is not None
    assert made.pool.quantity == 13  # type: ignore[union-attr]


def test_sold_in_a_pause_counts_as_ever() -> None:
    made = plan(managed(10, "ab"), readings({"a": 9, "b": 10}))
    assert isinstance(made.pool, Managed)
    assert made.pool.quantity == 9


def test_rises_that_were_held_settle_at_no_more_than_all_that_moved() -> None:
    """Sales bring two levels down to what somebody typed on a third, which had lagged behind."""
    stuck = Managed(
        10,
        {
            level("a"): Level(reading(11), held=1),
            level("b"): Level(reading(10)),
            level("c"): Level(reading(4)),
        },
        on_release=1,
    )
    made = plan(stuck, readings(all_at(5, "abc"), {"a": 6, "b": 5}))
    assert isinstance(made.pool, Managed)
    assert (made.why, made.pool.quantity) == ("settled", 1)


def test_a_fall_of_a_level_outside_the_pool_counts_where_it_is_said_to() -> None:
    pool = managed(30, "abc")
    gone, now = level("c"), reading(28)
    assert last_fall(pool, gone, now) == -2
    assert last_fall(pool, gone, reading(33)) == 0
    made = plan(pool, readings(all_at(30, "ab")), also_fell={gone: last_fall(pool, gone, now)})
    assert available(made.pool) == all_at(28, "ab")
    assert names(made.movements) == {"c": -2}


def test_what_shopify_would_refuse_is_told_and_not_sent() -> None:
    pool = managed(BOUND, "ab")
    seen = readings({"a": BOUND + 5, "b": BOUND})
    made = plan(pool, seen)
    assert (made.pool, made.adjustments) == (pool, ())
    assert told(made)["beyond_bounds"].levels == {level("b"): BOUND + 5}
    assert plan(pool, readings({"a": BOUND - 5, "b": BOUND})).adjustments
    apart = align(readings({"a": -BOUND, "b": BOUND}), "lowest")
    assert (apart.adjustments, set(told(apart))) == ((), {"beyond_bounds"})
    assert isinstance(apart.pool, Unmanaged)


def test_an_unknown_witness_proves_nothing() -> None:
    """No order, so a held rise that fell is taken back; no cancelled order, so it is a restock."""
    unknown = {at: Reading(now.available) for at, now in readings({"a": 10, "b": 10}).items()}
    held = Managed(10, {level("a"): Level(Reading(12), held=2), level("b"): Level(Reading(10))}, 2)
    made = plan(held, unknown)
    assert isinstance(made.pool, Managed)
    assert (made.pool.quantity, made.pool.on_release) == (10, 0)
    assert set(told(made)) == {"taken_back"}
    risen = plan(
        unmanaged(a=9, b=3), {level("a"): Reading(9), level("b"): Reading(4)}, Rules(follow=True)
    )
    assert risen.pool.quantity == 4  # type: ignore[union-attr]


# What 0.1.0 remembered.


def test_a_pool_of_the_first_edition_is_taken_up_as_it_was() -> None:
    old = first_edition(30, levels({"a": 30, "b": 27}))
    assert isinstance(old, Managed)
    made = plan(old, readings({"a": 30, "b": 27}))
    assert isinstance(made.pool, Managed)
    assert (made.pool.quantity, made.movements) == (30, {})
    assert made.adjustments == (Adjustment(level("b"), 27, 3),)


def test_what_was_held_and_braked_is_one_holding() -> None:
    old = first_edition(
        10,
        levels(all_at(10, "abc")),
        held=levels({"a": 5, "b": 7}),
        braked=levels({"a": 20}),
        pending=20,
    )
    seen = readings({"a": 35, "b": 17, "c": 10})
    made = plan(old, seen)
    assert isinstance(made.pool, Managed)
    assert (names(made.pool.held), made.pool.on_release) == ({"a": 25, "b": 7}, 25)
    assert (made.adjustments, made.movements, made.pool.quantity) == ((), {}, 10)
    released = plan(old, seen, Rules(release=True)).pool
    assert released.quantity == 35  # type: ignore[union-attr]


def test_a_stock_count_that_was_held_becomes_a_counted_fall_and_is_told() -> None:
    old = first_edition(30, levels(all_at(30, "ab")), held=levels(all_at(-20, "ab")))
    made = plan(old, readings(all_at(10, "ab")))
    assert isinstance(made.pool, Managed)
    assert made.pool.quantity == -10
    assert set(told(made)) == {"fell_alike", "oversold"}
    assert names(told(made)["fell_alike"].levels) == all_at(-20, "ab")


def test_what_was_left_alone_or_unmanaged_stays_so() -> None:
    reads = levels({"a": 50, "b": 49})
    assert first_edition(None, reads, left_alone=True) == Unmanaged(
        {at: Reading(read) for at, read in reads.items()}, left_alone=True
    )
    assert first_edition(None, reads) == Unmanaged(
        {at: Reading(read) for at, read in reads.items()}
    )


def test_a_reading_without_levels_is_no_reading() -> None:
    with pytest.raises(ValueError, match="at least one level"):
        plan(managed(30, "abc"), {})
