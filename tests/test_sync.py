"""The rule as a table of stories, each named in plain words.

A story is a pool as it is remembered, and then run by run: what every level reads when the run
looks, and what must come of it: the pool's quantity, what every level reads once the adjustments
that took effect are applied, what is held or braked, and which notes the report gets with which
units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from invsync.sync import Adjustment, LevelId, Plan, Pool, adopt, align, plan

Units = Mapping[str, int]


def level(name: str) -> LevelId:
    """A level named for what it is in the story: a variant's letter, or a place."""
    return LevelId(f"item {name}", "here")


def levels(units: Units) -> dict[LevelId, int]:
    return {level(name): count for name, count in units.items()}


def names(units: Mapping[LevelId, int]) -> dict[str, int]:
    return {at.item.removeprefix("item "): count for at, count in units.items()}


def all_at(count: int, letters: str) -> dict[str, int]:
    return dict.fromkeys(letters, count)


def managed(quantity: int, letters: str) -> Pool:
    """A pool that the last run left in step."""
    return Pool(quantity, levels(all_at(quantity, letters)))


def unmanaged(**reads: int) -> Pool:
    """A pool that is known but has no quantity yet."""
    return Pool(None, levels(reads))


@dataclass(frozen=True)
class Run:
    """One run of a story. `after`: what the levels read when it is over; a number means all of them.

    `notes`: kind → the units it names per level, or only the kinds, parted by blanks. `fails`:
    levels whose adjustment is refused. `sold`: what is bought between the reading and the push.
    `options`: what this run passes to the rule.
    """

    reads: Units
    quantity: int | None
    after: int | Units
    notes: str | Mapping[str, Units] = ""
    held: Units = field(default_factory=dict)
    braked: Units = field(default_factory=dict)
    pending: int = 0
    left_alone: bool = False
    why: str | None = None
    fails: str = ""
    sold: Units = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def story(name: str, start: Pool | None, *runs: Run, fault: str = "", **options: Any) -> Any:
    """A named story, every run of it with `options`. `fault`: what the rule does not keep yet."""
    marks = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=fault)] if fault else []
    return pytest.param(start, runs, options, id=name, marks=marks)


#: Every level reads at the end of the run what it read at its beginning.
AS_READ: Units = {}
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
        "one restocked while the others sell: everything is counted",
        managed(10, "abc"),
        Run({"a": 30, "b": 8, "c": 9}, 27, 27),
    ),
    story(
        "a sale and a restock of the same variant between two runs count as their difference",
        managed(10, "ab"),
        Run({"a": 25, "b": 10}, 25, 25),
    ),
    story(
        "a sale between the reading and the push is counted by the next run",
        managed(30, "abc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, {"a": 27, "b": 25, "c": 27}, sold={"b": 2}),
        Run({"a": 27, "b": 25, "c": 27}, 25, 25),
    ),
    story(
        "all of three variants fell alike: summed as sales, with a warning that names the falls",
        managed(30, "abc"),
        Run(all_at(27, "abc"), 21, 21, notes={"fell_alike": all_at(-3, "abc")}),
        Run(all_at(21, "abc"), 21, 21),
    ),
    story(
        "after a warned fall a person sets the count by changing one variant",
        managed(30, "abc"),
        Run(all_at(27, "abc"), 21, 21, notes="fell_alike"),
        Run({"a": 21, "b": 27, "c": 21}, 27, 27, why="rise"),
    ),
    story(
        "two variants that fell alike are everyday sales, no warning",
        managed(30, "ab"),
        Run(all_at(28, "ab"), 26, 26),
    ),
    story(
        "three fell, but not alike: no warning",
        managed(30, "abc"),
        Run({"a": 27, "b": 28, "c": 27}, 22, 22),
    ),
    story(
        "a pool may be sold below zero where the shop goes on selling",
        managed(1, "ab"),
        Run({"a": -2, "b": 1}, -2, -2),
        Run({"a": -2, "b": -3}, -3, -3),
        Run({"a": 7, "b": -3}, 7, 7, why="rise"),
    ),
    story(
        "fell alike to below zero is oversold, not a stock count",
        managed(1, "ab"),
        Run(all_at(-1, "ab"), -3, -3),
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
        Run({"a": -1}, -1, -1),
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
        Run({"a": 30, "b": 30, "new": 12}, 30, 30, notes={"new_level_stock": {"new": 12}}),
        Run({"a": 30, "b": 30, "new": 30}, 30, 30),
    ),
    story(
        "a new variant with more stock than the pool does not raise it",
        managed(3, "ab"),
        Run({"a": 3, "b": 3, "new": 50}, 3, 3, notes={"new_level_stock": {"new": 50}}),
    ),
    story(
        "two new variants, one of them oversold before it came: neither moves the pool",
        managed(3, "ab"),
        Run({"a": 3, "b": 2, "new": 0, "odd": -4}, 2, 2, notes={"new_level_stock": {"odd": -4}}),
    ),
    story(
        "a new variant comes while another sells: the sale counts, the newcomer does not",
        managed(30, "ab"),
        Run({"a": 28, "b": 30, "new": 0}, 28, 28),
    ),
    story(
        "the newcomer's first sale counts",
        managed(30, "ab"),
        Run({"a": 30, "b": 30, "new": 0}, 30, 30),
        Run({"a": 30, "b": 30, "new": 29}, 29, 29),
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
        "a deleted variant leaves, the quantity stays",
        managed(30, "abc"),
        Run({"a": 30, "b": 30}, 30, 30, why="nothing"),
    ),
    story(
        "a variant is deleted while another sells",
        managed(30, "abc"),
        Run({"a": 28, "b": 30}, 28, 28),
    ),
    story(
        "a variant that was deleted and comes back is a new one",
        managed(30, "abc"),
        Run({"a": 28, "b": 30}, 28, 28),
        Run({"a": 28, "b": 28, "c": 30}, 28, 28, notes={"new_level_stock": {"c": 30}}),
    ),
    story(
        "all variants were replaced by new ones: the quantity stays",
        managed(30, "ab"),
        Run({"x": 0, "y": 0}, 30, 30),
    ),
    story(
        "a product with one variant is remembered, and a second variant joins it",
        None,
        Run({"a": 14}, 14, 14, notes={"adopted": {"a": 14}}),
        Run({"a": 13}, 13, 13),
        Run({"a": 13, "second": 0}, 13, 13, why="finish"),
        Run({"a": 13, "second": 12}, 12, 12),
    ),
    story(
        "a second variant that comes with stock of its own joins at the first one's quantity",
        None,
        Run({"a": 14}, 14, 14, notes="adopted"),
        Run({"a": 14, "second": 14}, 14, 14, notes={"new_level_stock": {"second": 14}}),
    ),
)

HELD_PAIR = Run(
    {"a": 15, "b": 17, "c": 10},
    10,
    AS_READ,
    {"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
    held={"a": 5, "b": 7},
)

SEVERAL_RISES = (
    story(
        "an import that sets every variant from 10 to 50 ends at 50, by the smallest rise",
        managed(10, "abcd"),
        Run(
            all_at(50, "abcd"),
            50,
            50,
            notes={"several_rises": all_at(40, "abcd")},
            why="smallest_rise",
        ),
        Run(all_at(50, "abcd"), 50, 50, why="nothing"),
    ),
    story(
        "an import that sets every variant from 10 to 50 ends at 50 under hold, one look later",
        managed(10, "abcd"),
        Run(
            all_at(50, "abcd"),
            10,
            50,
            notes={"several_rises": all_at(40, "abcd"), "held": all_at(40, "abcd")},
            held=all_at(40, "abcd"),
        ),
        Run(all_at(50, "abcd"), 50, 50, why="settled"),
        Run(all_at(50, "abcd"), 50, 50, why="nothing"),
        several_rises="hold",
    ),
    story(
        "under sum an import is what sum says: every rise is a delivery of its own",
        managed(10, "ab"),
        Run(
            all_at(50, "ab"), 90, 90, notes={"several_rises": all_at(40, "ab")}, why="sum_of_rises"
        ),
        several_rises="sum",
    ),
    story(
        "two restocks under smallest: the smaller one is added, the other is named",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            15,
            15,
            notes={"several_rises": {"a": 5, "b": 7}},
            why="smallest_rise",
        ),
        Run(all_at(15, "abc"), 15, 15),
    ),
    story(
        "two restocks under sum: both are added, and a person is still asked",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            22,
            22,
            notes={"several_rises": {"a": 5, "b": 7}},
            why="sum_of_rises",
        ),
        Run(all_at(22, "abc"), 22, 22),
        several_rises="sum",
    ),
    story(
        "a cancelled order with two variants under smallest",
        managed(8, "abc"),
        Run({"a": 9, "b": 9, "c": 8}, 9, 9, notes={"several_rises": {"a": 1, "b": 1}}),
    ),
    story(
        "two restocks and a sale under smallest: the sale is counted whole",
        managed(10, "abc"),
        Run({"a": 15, "b": 17, "c": 8}, 13, 13, notes={"several_rises": {"a": 5, "b": 7}}),
    ),
    story(
        "two restocks and a sale under hold: the sale goes out, the risen keep their rise",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 8},
            8,
            {"a": 13, "b": 15, "c": 8},
            notes={"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
            held={"a": 5, "b": 7},
        ),
        Run(
            {"a": 13, "b": 15, "c": 8},
            8,
            AS_READ,
            notes={"held": {"a": 5, "b": 7}},
            held={"a": 5, "b": 7},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: later sales of any variant still go out",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 15, "b": 17, "c": 9},
            9,
            {"a": 14, "b": 16, "c": 9},
            {"held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
        ),
        Run(
            {"a": 13, "b": 16, "c": 9},
            8,
            {"a": 13, "b": 15, "c": 8},
            {"held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: once a person has made all variants read the same, that is the quantity",
        managed(10, "abc"),
        HELD_PAIR,
        Run(all_at(22, "abc"), 22, 22, why="settled"),
        Run({"a": 22, "b": 21, "c": 22}, 21, 21),
        several_rises="hold",
    ),
    story(
        "held rises: a person may settle on a lower number too",
        managed(10, "abc"),
        HELD_PAIR,
        Run(all_at(10, "abc"), 10, 10),
        Run({"a": 9, "b": 10, "c": 10}, 9, 9),
        several_rises="hold",
    ),
    story(
        "held rises: another rise waits with them",
        managed(10, "abc"),
        HELD_PAIR,
        Run(
            {"a": 15, "b": 17, "c": 12},
            10,
            AS_READ,
            {"several_rises": {"c": 2}, "held": {"a": 5, "b": 7, "c": 2}},
            {"a": 5, "b": 7, "c": 2},
        ),
        several_rises="hold",
    ),
    story(
        "held rises: one taken back to what it was waits no more and is no sale",
        managed(10, "abc"),
        HELD_PAIR,
        Run({"a": 10, "b": 17, "c": 10}, 10, AS_READ, {"held": {"b": 7}}, {"b": 7}),
        several_rises="hold",
    ),
    story(
        "held rises: taken back and one sold on top is one sale",
        managed(10, "abc"),
        HELD_PAIR,
        Run({"a": 9, "b": 17, "c": 10}, 9, {"a": 9, "b": 16, "c": 9}, {"held": {"b": 7}}, {"b": 7}),
        several_rises="hold",
    ),
    story(
        "held rises: a new variant joins at the quantity, without them",
        managed(10, "ab"),
        Run({"a": 15, "b": 17}, 10, AS_READ, "several_rises held", {"a": 5, "b": 7}),
        Run(
            {"a": 15, "b": 17, "new": 0},
            10,
            {"a": 15, "b": 17, "new": 10},
            "held",
            {"a": 5, "b": 7},
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
            fails="a",
        ),
        Run(
            {"a": 15, "b": 15, "c": 8},
            8,
            {"a": 13, "b": 15, "c": 8},
            "held",
            {"a": 5, "b": 7},
            why="finish",
        ),
        several_rises="hold",
    ),
    story(
        "one rise is added under hold too: it is not ambiguous",
        managed(10, "abc"),
        Run({"a": 10, "b": 35, "c": 10}, 35, 35, why="rise"),
        several_rises="hold",
    ),
    story(
        "each sold one while a uniform import waits for its second look under hold",
        managed(10, "abcd"),
        Run(all_at(50, "abcd"), 10, 50, "several_rises held", all_at(40, "abcd")),
        Run(all_at(49, "abcd"), 46, 46, {"fell_alike": all_at(-1, "abcd")}),
        several_rises="hold",
    ),
    story(
        "held rises that vanish with their variants: what the others sell is still counted",
        managed(10, "abcd"),
        Run(
            {"a": 15, "b": 16, "c": 10, "d": 10},
            10,
            AS_READ,
            "several_rises held",
            {"a": 5, "b": 6},
        ),
        Run({"c": 9, "d": 9}, 8, 8),
        several_rises="hold",
    ),
    story(
        "more of a held variant is sold than the quantity, but less than it shows",
        managed(10, "abc"),
        Run({"a": 50, "b": 50, "c": 10}, 10, AS_READ, "several_rises held", {"a": 40, "b": 40}),
        Run(
            {"a": 38, "b": 50, "c": 10}, -2, {"a": 38, "b": 38, "c": -2}, "held", {"a": 40, "b": 40}
        ),
        several_rises="hold",
    ),
)

HELD_THEN_POLICY = (
    story(
        "what was held is added by its smallest rise once the policy is smallest",
        Pool(10, levels(all_at(10, "abc")), held=levels({"a": 5, "b": 7})),
        Run({"a": 15, "b": 17, "c": 10}, 15, 15, {"several_rises": {"a": 5, "b": 7}}),
    ),
    story(
        "what was held is added whole once the policy is sum",
        Pool(10, levels(all_at(10, "abc")), held=levels({"a": 5, "b": 7})),
        Run({"a": 15, "b": 17, "c": 10}, 22, 22, {"several_rises": {"a": 5, "b": 7}}),
        several_rises="sum",
    ),
    story(
        "--force does not decide what several_rises: hold keeps for a person",
        Pool(10, levels(all_at(10, "abc")), held=levels({"a": 5, "b": 7})),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            {"held": {"a": 5, "b": 7}},
            {"a": 5, "b": 7},
            options=RELEASE,
        ),
        several_rises="hold",
    ),
)

BRAKED_RISE = Run(
    {"a": 30, "b": 10, "c": 10},
    10,
    AS_READ,
    {"held": {"a": 20}},
    braked={"a": 20},
    pending=20,
    options=BRAKE,
)
BRAKED_IMPORT = Run(
    all_at(50, "abcd"),
    10,
    50,
    {"several_rises": all_at(40, "abcd"), "held": all_at(40, "abcd")},
    braked=all_at(40, "abcd"),
    pending=40,
    options=BRAKE,
)

THE_BRAKE = (
    story(
        "the brake keeps a rise back and reports it at every run; --force adds it",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 30, "b": 10, "c": 10},
            10,
            AS_READ,
            {"held": {"a": 20}},
            braked={"a": 20},
            pending=20,
        ),
        Run({"a": 30, "b": 10, "c": 10}, 30, 30, options=RELEASE, why="released"),
        Run(all_at(30, "abc"), 30, 30, why="nothing"),
    ),
    story(
        "the brake lets falls out, in the same run and later",
        managed(10, "abc"),
        Run(
            {"a": 30, "b": 8, "c": 10},
            8,
            {"a": 28, "b": 8, "c": 8},
            {"held": {"a": 20}},
            braked={"a": 20},
            pending=20,
            options=BRAKE,
        ),
        Run(
            {"a": 27, "b": 8, "c": 7},
            6,
            {"a": 26, "b": 6, "c": 6},
            {"held": {"a": 20}},
            braked={"a": 20},
            pending=20,
        ),
        Run({"a": 26, "b": 6, "c": 6}, 26, 26, options=RELEASE),
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
            braked={"a": 20},
            pending=20,
            why="rise",
        ),
        Run({"a": 35, "b": 15, "c": 15}, 35, 35, options=RELEASE),
    ),
    story(
        "a rise in the run that releases is added on top, and the two are not several",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 30, "b": 15, "c": 10}, 35, 35, options=RELEASE),
    ),
    story(
        "the same variant rises again in the run that releases",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 37, "b": 10, "c": 10}, 37, 37, options=RELEASE),
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
            braked={"a": 20, "b": 5},
            pending=25,
            options=BRAKE,
        ),
        Run({"a": 30, "b": 15, "c": 10}, 35, 35, options=RELEASE),
    ),
    story(
        "two rises under the brake: the smallest is what is released",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            {"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
            braked={"a": 5, "b": 7},
            pending=5,
            options=BRAKE,
        ),
        Run({"a": 15, "b": 17, "c": 10}, 15, 15, options=RELEASE),
    ),
    story(
        "two rises under the brake and sum: both are released",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            {"several_rises": {"a": 5, "b": 7}, "held": {"a": 5, "b": 7}},
            braked={"a": 5, "b": 7},
            pending=12,
            options=BRAKE,
        ),
        Run({"a": 15, "b": 17, "c": 10}, 22, 22, options=RELEASE),
        several_rises="sum",
    ),
    story(
        "two rises under the brake and hold wait for their own reason, which --force does not "
        "decide",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            "several_rises held",
            {"a": 5, "b": 7},
            options=BRAKE,
        ),
        Run({"a": 15, "b": 17, "c": 10}, 10, AS_READ, "held", {"a": 5, "b": 7}, options=RELEASE),
        several_rises="hold",
    ),
    story(
        "a uniform import that was braked ends at 50 once released",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(all_at(50, "abcd"), 50, 50, options=RELEASE),
    ),
    story(
        "a uniform import that was braked and taken back leaves nothing to release",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(all_at(10, "abcd"), 10, 10),
        Run(all_at(10, "abcd"), 10, 10, options=RELEASE, why="nothing"),
    ),
    story(
        "a braked rise that was taken back leaves nothing to release, and is no sale",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(all_at(10, "abc"), 10, 10),
        Run(all_at(10, "abc"), 10, 10, options=RELEASE, why="nothing"),
    ),
    story(
        "a braked rise is taken back while another variant sells",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"a": 10, "b": 7, "c": 10}, 7, 7),
        Run(all_at(7, "abc"), 7, 7, options=RELEASE, why="nothing"),
    ),
    story(
        "a braked variant sells, and is released",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 27, "b": 10, "c": 10},
            7,
            {"a": 27, "b": 7, "c": 7},
            "held",
            braked={"a": 20},
            pending=20,
        ),
        Run({"a": 27, "b": 7, "c": 7}, 27, 27, options=RELEASE),
    ),
    story(
        "a braked variant sells more than the quantity: released, the sum is right",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 15, "b": 10, "c": 10}, 10, AS_READ, {"held": {"a": 5}}, braked={"a": 5}, pending=5
        ),
        Run({"a": 15, "b": 10, "c": 10}, 15, 15, options=RELEASE),
    ),
    story(
        "a braked variant is deleted: its rise goes with it, the quantity stays",
        managed(10, "abc"),
        BRAKED_RISE,
        Run({"b": 10, "c": 10}, 10, 10),
        Run({"b": 10, "c": 10}, 10, 10, options=RELEASE, why="nothing"),
    ),
    story(
        "an import that arrives in two halves while braked: once all read the same, that is the "
        "quantity",
        managed(10, "abcd"),
        Run(
            {"a": 50, "b": 50, "c": 10, "d": 10},
            10,
            AS_READ,
            "several_rises held",
            braked=all_at(40, "ab"),
            pending=40,
            options=BRAKE,
        ),
        Run(all_at(50, "abcd"), 50, 50, options=BRAKE, why="settled"),
    ),
    story(
        "a new variant joins a braked pool at the quantity, without the rise",
        managed(10, "ab"),
        Run({"a": 30, "b": 10}, 10, AS_READ, "held", braked={"a": 20}, pending=20, options=BRAKE),
        Run(
            {"a": 30, "b": 10, "new": 0},
            10,
            {"a": 30, "b": 10, "new": 10},
            "held",
            braked={"a": 20},
            pending=20,
        ),
        Run({"a": 30, "b": 10, "new": 10}, 30, 30, options=RELEASE),
    ),
    story(
        "a release whose push fails in part is finished by the next run",
        managed(10, "abc"),
        BRAKED_RISE,
        Run(
            {"a": 30, "b": 10, "c": 10}, 30, {"a": 30, "b": 30, "c": 10}, options=RELEASE, fails="c"
        ),
        Run({"a": 30, "b": 30, "c": 10}, 30, 30, why="finish"),
    ),
    story(
        "a typed-in item under the brake waits, and is not lost",
        None,
        Run({"a": 12, "b": 0}, None, AS_READ, "out_of_sync", options=BRAKE),
        Run({"a": 12, "b": 0}, 12, 12, why="source"),
        follow=True,
    ),
    story(
        "a source that would lift the others waits under the brake, and is not lost",
        unmanaged(a=5, b=3),
        Run({"a": 8, "b": 3}, None, AS_READ, "out_of_sync", options=BRAKE),
        Run({"a": 8, "b": 3}, 8, 8, why="source"),
        follow=True,
    ),
    story(
        "a source that only pulls down passes the brake",
        unmanaged(a=5, b=3),
        Run({"a": 4, "b": 3}, 3, 3, why="source", options=BRAKE),
        follow=True,
    ),
    story(
        "each variant sold one while a uniform import is braked",
        managed(10, "abcd"),
        BRAKED_IMPORT,
        Run(
            all_at(49, "abcd"),
            6,
            46,
            {"held": all_at(40, "abcd"), "fell_alike": all_at(-1, "abcd")},
            braked=all_at(40, "abcd"),
            pending=40,
        ),
        Run(all_at(46, "abcd"), 46, 46, options=RELEASE),
    ),
    story(
        "all variants sell to the same number while one of them is braked",
        managed(10, "ac"),
        Run({"a": 50, "c": 10}, 10, AS_READ, "held", braked={"a": 40}, pending=40, options=BRAKE),
        Run({"a": 9, "c": 9}, 8, 8),
    ),
    story(
        "more of one variant is sold than the quantity while a uniform import is braked",
        managed(10, "ab"),
        Run(
            all_at(50, "ab"),
            10,
            50,
            "several_rises held",
            braked=all_at(40, "ab"),
            pending=40,
            options=BRAKE,
        ),
        Run({"a": 38, "b": 50}, 38, 38, options=RELEASE),
    ),
    story(
        "one of three braked rises is taken back: it is not released out of what the others rose "
        "by",
        managed(10, "abc"),
        Run(
            {"a": 15, "b": 17, "c": 10},
            10,
            AS_READ,
            "several_rises held",
            braked={"a": 5, "b": 7},
            pending=5,
            options=BRAKE,
        ),
        Run(
            {"a": 15, "b": 17, "c": 20},
            10,
            AS_READ,
            "held",
            braked={"a": 5, "b": 7, "c": 10},
            pending=15,
            options=BRAKE,
        ),
        Run({"a": 15, "b": 17, "c": 10}, 15, 15, options=RELEASE),
    ),
)

COUNT_WAITS = Run(
    all_at(10, "abcd"), 30, 10, {"stock_count": all_at(-20, "abcd")}, held=all_at(-20, "abcd")
)

STOCK_COUNT = (
    story(
        "all variants fell alike by more than there was, none below 0: a stock count, held and "
        "reported",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            all_at(10, "abcd"),
            30,
            10,
            {"stock_count": all_at(-20, "abcd")},
            held=all_at(-20, "abcd"),
            why="nothing",
        ),
    ),
    story(
        "a held stock count is believed with --force",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(all_at(10, "abcd"), 10, 10, options=RELEASE, why="released"),
        Run(all_at(10, "abcd"), 10, 10, why="nothing"),
    ),
    story(
        "a held stock count is confirmed by raising one variant",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            {"a": 12, "b": 10, "c": 10, "d": 10},
            12,
            12,
            {"count_believed": all_at(60, "abcd")},
            why="rise",
        ),
        Run(all_at(12, "abcd"), 12, 12, why="nothing"),
    ),
    story(
        "a held stock count that was taken back: the pool is what it was",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(all_at(30, "abcd"), 30, 30, why="settled"),
    ),
    story(
        "a held stock count that was counted again, higher",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(all_at(12, "abcd"), 12, 12, why="settled"),
    ),
    story(
        "sales go on while a stock count waits",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            {"a": 9, "b": 10, "c": 10, "d": 8},
            27,
            7,
            "stock_count",
            held=all_at(-20, "abcd"),
            why="falls",
        ),
        Run(all_at(7, "abcd"), 7, 7, options=RELEASE),
    ),
    story(
        "a new variant joins while a stock count waits: at what the others read",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            {**all_at(10, "abcd"), "new": 0},
            30,
            10,
            "stock_count",
            held={**all_at(-20, "abcd"), "new": -20},
        ),
        Run({**all_at(10, "abcd"), "new": 10}, 10, 10, options=RELEASE),
    ),
    story(
        "a variant is deleted while a stock count waits",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(all_at(10, "abc"), 30, 10, "stock_count", held=all_at(-20, "abc")),
        Run(all_at(10, "abc"), 10, 10, options=RELEASE),
    ),
    story(
        "two variants with three left sold two each: more than there was, so it is asked",
        managed(3, "ab"),
        Run(all_at(1, "ab"), 3, 1, {"stock_count": all_at(-2, "ab")}, held=all_at(-2, "ab")),
    ),
    story(
        "all fell alike to exactly what sales could have done: summed",
        managed(4, "ab"),
        Run(all_at(2, "ab"), 0, 0),
    ),
    story(
        "counted down to 0 everywhere",
        managed(30, "abc"),
        Run(all_at(0, "abc"), 30, 0, {"stock_count": all_at(-30, "abc")}, held=all_at(-30, "abc")),
        Run(all_at(0, "abc"), 0, 0, options=RELEASE),
    ),
    story(
        "two rises while a stock count waits confirm it, and are several",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            {"a": 13, "b": 15, "c": 10, "d": 10},
            13,
            13,
            {"several_rises": {"a": 3, "b": 5}, "count_believed": all_at(60, "abcd")},
        ),
    ),
    story(
        "a rise under the brake confirms the count and waits itself",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            {"a": 15, "b": 10, "c": 10, "d": 10},
            10,
            AS_READ,
            {"held": {"a": 5}, "count_believed": all_at(60, "abcd")},
            braked={"a": 5},
            pending=5,
            options=BRAKE,
        ),
        Run({"a": 15, "b": 10, "c": 10, "d": 10}, 15, 15, options=RELEASE),
    ),
    story(
        "each variant sold one while a stock count waits",
        managed(30, "abcd"),
        COUNT_WAITS,
        Run(
            all_at(9, "abcd"),
            26,
            6,
            {"stock_count": all_at(-20, "abcd"), "fell_alike": all_at(-1, "abcd")},
            held=all_at(-20, "abcd"),
        ),
    ),
)

ANOTHER_PROGRAM = (
    story(
        "another program doubles the fall from run to run: left alone, nothing is sent",
        managed(1000, "abc"),
        Run(all_at(999, "abc"), 997, 997, "fell_alike"),
        Run(all_at(995, "abc"), None, 995, {"another_program": all_at(-2, "abc")}, left_alone=True),
        Run(all_at(980, "abc"), None, 980, "another_program", left_alone=True),
    ),
    story(
        "alike twice running, but by less than twice as much, is sales",
        managed(1000, "abc"),
        Run(all_at(998, "abc"), 994, 994, "fell_alike"),
        Run(all_at(991, "abc"), 985, 985, "fell_alike"),
    ),
    story(
        "alike by twice as much, but with a quiet run between, is sales",
        managed(1000, "abc"),
        Run(all_at(999, "abc"), 997, 997, "fell_alike"),
        Run(all_at(997, "abc"), 997, 997),
        Run(all_at(994, "abc"), 988, 988, "fell_alike"),
    ),
    story(
        "alike by twice as much, but with another movement between, is sales",
        managed(1000, "abc"),
        Run(all_at(999, "abc"), 997, 997, "fell_alike"),
        Run({"a": 990, "b": 997, "c": 997}, 990, 990),
        Run(all_at(970, "abc"), 930, 930, "fell_alike"),
    ),
    story(
        "a pool of two does not double: alike in four runs running is another program",
        managed(100, "ab"),
        Run(all_at(99, "ab"), 98, 98),
        Run(all_at(97, "ab"), 96, 96),
        Run(all_at(95, "ab"), 94, 94),
        Run(all_at(93, "ab"), None, 93, {"another_program": all_at(-1, "ab")}, left_alone=True),
    ),
    story(
        "a pool of two alike in three runs and then not: sales",
        managed(100, "ab"),
        Run(all_at(99, "ab"), 98, 98),
        Run(all_at(97, "ab"), 96, 96),
        Run(all_at(95, "ab"), 94, 94),
        Run({"a": 93, "b": 94}, 93, 93),
        Run(all_at(92, "ab"), 91, 91),
    ),
    story(
        "a pool of three alike in four runs running, never doubling",
        managed(1000, "abc"),
        Run(all_at(998, "abc"), 994, 994, "fell_alike"),
        Run(all_at(991, "abc"), 985, 985, "fell_alike"),
        Run(all_at(983, "abc"), 979, 979, "fell_alike"),
        Run(all_at(977, "abc"), None, 977, "another_program", left_alone=True),
    ),
    story(
        "a pool left alone stays so, even when all its levels are equal and move",
        Pool(None, levels(all_at(50, "ab")), left_alone=True),
        Run(all_at(50, "ab"), None, 50, {"another_program": all_at(50, "ab")}, left_alone=True),
        Run({"a": 50, "b": 80}, None, AS_READ, "another_program", left_alone=True),
        Run({"a": 50, "b": 80}, None, AS_READ, "another_program", left_alone=True, options=RELEASE),
    ),
    story(
        "a pool left alone stays so for locations too",
        Pool(None, levels({"a": 50, "b": 60}), left_alone=True),
        Run({"a": 49, "b": 60}, None, AS_READ, "another_program", left_alone=True),
        follow=True,
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
        "first sight, all at 0 or all below: adopted too",
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
    ),
    story(
        "variants out of sync, and --force does not change that",
        unmanaged(a=5, b=3),
        Run({"a": 5, "b": 3}, None, AS_READ, "out_of_sync", options=RELEASE),
    ),
)

at_locations = partial(story, follow=True)

LOCATIONS = (
    at_locations(
        "locations that differ are remembered without a quantity",
        None,
        Run({"shop": 5, "depot": 3}, None, AS_READ, {"out_of_sync": {"shop": 5, "depot": 3}}),
        Run({"shop": 5, "depot": 3}, None, AS_READ, "out_of_sync"),
    ),
    at_locations(
        "locations: the first that rises is the source",
        unmanaged(shop=5, depot=3, till=1),
        Run({"shop": 5, "depot": 3, "till": 20}, 20, 20, why="source"),
        Run({"shop": 19, "depot": 20, "till": 20}, 19, 19, why="falls"),
    ),
    at_locations(
        "locations: a rise is the source even when it stays below another",
        unmanaged(shop=5, depot=3),
        Run({"shop": 5, "depot": 4}, 4, 4, why="source"),
    ),
    at_locations(
        "locations: a sale at the fullest pulls down to the smallest, and raises nobody",
        unmanaged(shop=5, depot=3),
        Run({"shop": 4, "depot": 3}, 3, 3, why="source"),
    ),
    at_locations(
        "locations: a sale at the emptiest pulls the others down to it",
        unmanaged(shop=5, depot=3),
        Run({"shop": 5, "depot": 2}, 2, 2, why="source"),
    ),
    at_locations(
        "locations: several rose at once: the smallest of them, with a warning",
        unmanaged(shop=5, depot=3, till=1),
        Run(
            {"shop": 12, "depot": 9, "till": 1},
            9,
            9,
            {"several_sources": {"shop": 7, "depot": 6}},
            why="source",
        ),
    ),
    at_locations(
        "locations: one rose, one fell: the smallest of all, with a warning",
        unmanaged(shop=5, depot=3, till=1),
        Run(
            {"shop": 12, "depot": 2, "till": 1}, 1, 1, {"several_sources": {"shop": 7, "depot": -1}}
        ),
    ),
    at_locations(
        "locations: two fell: the smallest of all, with a warning",
        unmanaged(shop=5, depot=3, till=1),
        Run(
            {"shop": 4, "depot": 2, "till": 1}, 1, 1, {"several_sources": {"shop": -1, "depot": -1}}
        ),
    ),
    at_locations(
        "locations: a person makes them equal",
        unmanaged(shop=5, depot=3),
        Run({"shop": 9, "depot": 9}, 9, 9, "adopted", why="adopted"),
    ),
    at_locations(
        "locations: a source whose push fails in part is finished by the next run",
        unmanaged(shop=5, depot=3, till=1),
        Run(
            {"shop": 5, "depot": 3, "till": 20},
            20,
            {"shop": 20, "depot": 3, "till": 20},
            fails="depot",
        ),
        Run({"shop": 20, "depot": 3, "till": 20}, 20, 20, why="finish"),
    ),
    at_locations(
        "locations: a newly stocked one has no movement and is no source",
        unmanaged(shop=5, depot=3),
        Run({"shop": 5, "depot": 3, "till": 9}, None, AS_READ, "out_of_sync"),
        Run({"shop": 5, "depot": 3, "till": 11}, 11, 11, why="source"),
    ),
    at_locations(
        "locations: one that closes without a quantity leaves nothing behind",
        unmanaged(shop=5, depot=3, till=1),
        Run({"shop": 5, "depot": 3}, None, AS_READ, "out_of_sync"),
    ),
    at_locations(
        "a new item typed in at one location sets the others",
        None,
        Run({"shop": 0, "depot": 12, "till": 0}, 12, 12, why="source"),
    ),
    at_locations(
        "a new item typed in at two locations is out of sync",
        None,
        Run({"shop": 3, "depot": 12, "till": 0}, None, AS_READ, "out_of_sync"),
    ),
    at_locations(
        "a new item oversold at one location is no source",
        None,
        Run({"shop": 0, "depot": -2}, None, AS_READ, "out_of_sync"),
    ),
    at_locations(
        "while the cache is being seeded, stock at one location only is out of sync",
        None,
        Run({"shop": 0, "depot": 12}, None, AS_READ, "out_of_sync", options={"seeded": False}),
        Run({"shop": 0, "depot": 11}, 0, 0, why="source"),
    ),
    at_locations(
        "a new item at one location only is adopted", None, Run({"shop": 12}, 12, 12, "adopted")
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

FAILED_PUSHES = (
    story(
        "every adjustment fails: the next run sends the same, and counts nothing twice",
        managed(30, "abc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, AS_READ, fails="bc"),
        Run({"a": 27, "b": 30, "c": 30}, 27, AS_READ, fails="bc", why="finish"),
        Run({"a": 27, "b": 30, "c": 30}, 27, 27, why="finish"),
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
    story(
        "an import's second half arrives at a level whose raise had failed: it is the same 50, not "
        "40 more",
        managed(10, "abc"),
        Run({"a": 50, "b": 10, "c": 10}, 50, {"a": 50, "b": 50, "c": 10}, fails="c"),
        Run(all_at(50, "abc"), 50, 50),
    ),
)

STORIES = (
    *FALLS_AND_SINGLE_RISES,
    *NEW_AND_VANISHED,
    *SEVERAL_RISES,
    *HELD_THEN_POLICY,
    *THE_BRAKE,
    *STOCK_COUNT,
    *ANOTHER_PROGRAM,
    *FIRST_SIGHT,
    *LOCATIONS,
    *FAILED_PUSHES,
)


def told(made: Plan) -> dict[str, dict[str, int]]:
    return {note.kind: names(note.levels) for note in made.notes}


def check_adjustments(made: Plan) -> None:
    """What holds of every plan's adjustments, whatever the story."""
    sent = [adjustment.level for adjustment in made.adjustments]
    assert len(sent) == len(set(sent)) <= len(made.observed)
    for adjustment in made.adjustments:
        assert adjustment.delta != 0
        assert adjustment.observed == made.observed[adjustment.level]
        assert adjustment.change_from == (adjustment.observed if adjustment.delta > 0 else None)


@pytest.mark.parametrize(("start", "runs", "options"), STORIES)
def test_story(start: Pool | None, runs: tuple[Run, ...], options: Mapping[str, Any]) -> None:
    pool = start
    for number, run in enumerate(runs, start=1):
        observed = levels(run.reads)
        made = plan(pool, observed, **{**options, **run.options})
        check_adjustments(made)
        applied = {
            a.level for a in made.adjustments if names({a.level: 0}).keys().isdisjoint(fails(run))
        }
        shop = dict(observed)
        for name, units in run.sold.items():
            shop[level(name)] -= units
        for adjustment in made.adjustments:
            if adjustment.level in applied:
                shop[adjustment.level] += adjustment.delta
        pool = made.settle(applied)

        where = f"run {number}"
        after = (
            dict.fromkeys(run.reads, run.after)
            if isinstance(run.after, int)
            else run.after or run.reads
        )
        assert pool.quantity == run.quantity, where
        assert names(shop) == after, where
        assert names(pool.held) == run.held, where
        assert names(pool.braked) == run.braked, where
        assert pool.pending == run.pending, where
        assert pool.left_alone == run.left_alone, where
        assert pool.waits == bool(run.held or run.braked), where
        if isinstance(run.notes, str):
            assert sorted(told(made)) == sorted(run.notes.split()), where
        else:
            assert told(made) == run.notes, where
        assert pool.accounted.keys() == observed.keys(), where
        if run.why is not None:
            assert made.why == run.why, where


def fails(run: Run) -> set[str]:
    """The levels of a run whose adjustment fails: named whole, or letter by letter."""
    return {run.fails} if run.fails in run.reads else set(run.fails)


def test_the_stories_have_names_of_their_own() -> None:
    told_as = [one.id for one in STORIES]
    assert len(told_as) == len(set(told_as))


def test_a_pool_of_2048_levels() -> None:
    everything = {
        LevelId(f"gid://shopify/InventoryItem/{number}", "here"): 30 for number in range(2048)
    }
    pool = Pool(30, everything)
    sold = list(everything)[7]
    made = plan(pool, {**everything, sold: 27})
    assert made.pool.quantity == 27
    assert len(made.adjustments) == 2047
    assert {adjustment.delta for adjustment in made.adjustments} == {-3}
    assert sold not in {adjustment.level for adjustment in made.adjustments}

    imported = plan(made.pool, dict.fromkeys(everything, 50))
    assert imported.pool.quantity == 50
    assert imported.adjustments == ()


def test_what_a_plan_says_of_a_run() -> None:
    made = plan(managed(30, "abc"), levels({"a": 27, "b": 35, "c": 30}))
    assert made.before == 30
    assert names(made.movements) == {"a": -3, "b": 5}
    assert made.risen == 5
    assert [(a.level, a.observed, a.delta, a.change_from) for a in made.adjustments] == [
        (level("a"), 27, 5, 27),
        (level("b"), 35, -3, None),
        (level("c"), 30, 2, 30),
    ]


@pytest.mark.parametrize(
    ("reads", "options", "risen"),
    [
        ({"a": 8, "b": 10}, {}, 0),
        ({"a": 15, "b": 10}, {}, 5),
        ({"a": 15, "b": 17}, {}, 5),
        ({"a": 15, "b": 17}, {"several_rises": "sum"}, 12),
        ({"a": 15, "b": 17}, {"several_rises": "hold"}, 0),
        ({"a": 15, "b": 10}, {"brake": True}, 0),
        ({"a": 10, "b": 10, "new": 0}, {}, 0),
    ],
)
def test_the_brake_is_told_which_pools_rise(
    reads: Units, options: Mapping[str, Any], risen: int
) -> None:
    assert plan(managed(10, "ab"), levels(reads), **options).risen == risen


@pytest.mark.parametrize(
    ("reads", "risen"), [({"a": 9, "b": 3}, 6), ({"a": 5, "b": 4}, 0), ({"a": 4, "b": 3}, 0)]
)
def test_a_source_that_lifts_others_counts_as_a_rise(reads: Units, risen: int) -> None:
    assert plan(unmanaged(a=5, b=3), levels(reads), follow=True).risen == risen


def test_accounted_is_what_a_level_reads_once_its_adjustment_is_applied() -> None:
    made = plan(managed(30, "abc"), levels({"a": 27, "b": 30, "c": 30}))
    assert made.settle({level("b"), level("c")}) == made.pool
    assert names(made.settle({level("b")}).accounted) == {"a": 27, "b": 27, "c": 30}
    assert names(made.settle(set()).accounted) == {"a": 27, "b": 30, "c": 30}
    assert made.settle(set()).quantity == 27


def test_adopt_takes_equal_levels_only() -> None:
    made = adopt(levels(all_at(4, "ab")))
    assert made is not None
    assert (made.before, made.pool, made.adjustments) == (None, managed(4, "ab"), ())
    assert told(made) == {"adopted": all_at(4, "ab")}
    assert adopt(levels({"a": 4, "b": 5})) is None


def test_init_adopts_a_pool_that_was_left_alone() -> None:
    """`--init` passes nothing of what is remembered."""
    made = plan(None, levels(all_at(50, "ab")), seeded=False)
    assert made.pool == managed(50, "ab")


@pytest.mark.parametrize(("to", "quantity"), [("lowest", -1), ("highest", 9)])
def test_align_brings_all_levels_to_one_of_their_numbers(to: Any, quantity: int) -> None:
    made = align(levels({"a": 4, "b": 9, "c": -1}), to)
    check_adjustments(made)
    assert made.before is None
    assert made.pool == managed(quantity, "abc")
    assert {a.observed + a.delta for a in made.adjustments} == {quantity}
    assert made.why == "aligned"


def test_align_that_fails_in_part_is_finished_by_the_next_run() -> None:
    reads = levels({"a": 4, "b": 9, "c": 2})
    pool = align(reads, "lowest").settle({level("a")})
    made = plan(pool, levels({"a": 2, "b": 9, "c": 2}))
    assert made.pool.quantity == 2
    assert made.adjustments == (Adjustment(level("b"), 9, -7),)


def test_a_reading_without_levels_is_no_reading() -> None:
    with pytest.raises(ValueError, match="at least one level"):
        plan(managed(30, "abc"), {})


def test_planning_changes_nothing_it_was_given() -> None:
    pool = Pool(10, levels(all_at(10, "abc")), held=levels({"a": 5, "b": 7}))
    observed = levels({"a": 14, "b": 17, "c": 12})
    plan(pool, observed, brake=True)
    assert pool == Pool(10, levels(all_at(10, "abc")), held=levels({"a": 5, "b": 7}))
    assert names(observed) == {"a": 14, "b": 17, "c": 12}
