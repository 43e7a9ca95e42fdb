"""The stories of the owner's page are what the rule makes of them.

A row tells what the levels read before, what happens, and what they read after the next run. What
happens is said in words there, and as events here; the numbers are taken from the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from docs_pages import COUNTING, README, Page, rows
from msgspec.structs import replace

from invsync.sync import Level, LevelId, Managed, Plan, Pool, Reading, Rules, Unmanaged, plan

#: What happens to which listing: "order", "till" or "cancel" of so many, "set" to a number,
#: "new" at a number, or "closed", its units moved to the first location.
Event = tuple[str, int, int]

HAPPENS: Mapping[str, Sequence[Event]] = {
    "three of them sell 3 each": [("order", 0, 3), ("order", 1, 3), ("order", 2, 3)],
    "each sells 1": [("order", 0, 1), ("order", 1, 1)],
    "you set the first to 6": [("set", 0, 6)],
    "you set both to 6": [("set", 0, 6), ("set", 1, 6)],
    "you set the second to 40, and the first sells 1": [("set", 1, 40), ("order", 0, 1)],
    "you raise the first by 5, and the second sells 2": [("set", 0, 15), ("order", 1, 2)],
    "you raise the first by 1, and the second sells 1": [("set", 0, 31), ("order", 1, 1)],
    "you raise the first by 2 and the second by 3": [("set", 0, 12), ("set", 1, 13)],
    "an import writes 50 on all": [("set", at, 50) for at in range(4)],
    "an order of the first two is cancelled": [("cancel", 0, 1), ("cancel", 1, 1)],
    "both sell the last one": [("order", 0, 1), ("order", 1, 1)],
    "you set the first to 10": [("set", 0, 10)],
    "a new listing is made, at 0": [("new", 2, 0)],
    "a new listing comes with 7 of its own": [("new", 2, 7)],
    "one is sold at the till": [("till", 1, 1)],
    "you set the warehouse to 8": [("set", 0, 8)],
    "the second location is closed, and its 14 are moved to the first": [("closed", 1, 14)],
}
#: What the mails of the page are, in the rule's words: the kind, and the units that are named.
MAILS: Mapping[str, tuple[str, int | None]] = {
    "a mail: all fell alike": ("fell_alike", None),
    "a mail: raise one by 3": ("several_rises", 3),
    "a mail": ("several_rises", None),
    "a mail: raise one by 1": ("several_rises", 1),
    "a mail: one is owed": ("oversold", 1),
    "a mail: raise one by 7": ("new_level_stock", 7),
    "a mail: the others were lifted": ("lifted", None),
    "a mail: the same stock": ("stock_moved", 14),
    "still out of step": ("out_of_sync", None),
}


def listing(number: int) -> LevelId:
    """A location of one variant; the rule asks only which levels hold one item."""
    return LevelId("item", f"location {number}")


def after_it(before: Mapping[LevelId, Reading], events: Sequence[Event]) -> dict[LevelId, Reading]:
    """What the listings read when the run looks."""
    seen = dict(before)
    for what, number, units in events:
        if what == "closed":
            del seen[listing(number)]
            first = seen[listing(0)]
            seen[listing(0)] = Reading(first.available + units, (first.shelf or 0) + units, 5)
            continue
        at = listing(number)
        now = seen.get(at, Reading(0, 0, 0))
        shelf, committed = now.shelf or 0, now.committed or 0
        seen[at] = {
            "order": replace(now, available=now.available - units, committed=committed + units),
            "cancel": replace(now, available=now.available + units, committed=committed - units),
            "till": replace(now, available=now.available - units, on_hand=shelf - units),
            "set": Reading(units, shelf + units - now.available, committed),
            "new": Reading(units, units, 0),
        }[what]
    return seen


def numbers(text: str) -> list[int]:
    return [int(found.replace("−", "-")) for found in re.findall(r"−?\d+", text)]


def run(before: Sequence[int], events: Sequence[Event], *, in_step: bool) -> Plan:
    read = {listing(n): Reading(units, units + 5, 5) for n, units in enumerate(before)}
    pool: Pool = Unmanaged(read)
    if in_step:
        pool = Managed(before[0], {at: Level(now) for at, now in read.items()})
    return plan(pool, after_it(read, events), Rules(follow=not in_step))


def stories() -> list[list[str]]:
    return [row for row in rows(COUNTING.text) if len(row) == 3 and row[1] in HAPPENS]


@pytest.mark.parametrize("story", stories(), ids=lambda story: f"{story[0]}: {story[1]}")
def test_the_rule_makes_of_a_story_what_the_page_tells(story: list[str]) -> None:
    before, what, after = story
    made = run(numbers(before), HAPPENS[what], in_step="/" in before)
    told, *mails = re.split(r", (?:and )?", after, maxsplit=1)
    deltas = {one.level: one.delta for one in made.adjustments}
    reads = [now.available + deltas.get(at, 0) for at, now in made.seen.items()]
    assert reads == numbers(told)
    notes = {note.kind: (note.units, sum(note.levels.values())) for note in made.notes}
    for mail in mails:
        kind, units = MAILS[mail]
        assert kind in notes
        assert units is None or units in notes[kind]
    if not mails:
        assert notes.keys() <= {"fell_alike"}  # which is told in a mail from some units on only


def test_every_story_is_played_and_every_event_told() -> None:
    told = [
        row[1]
        for heading in ("How it counts", "Listings that do not agree", "When a location is closed")
        for row in rows(COUNTING.section(heading))
    ]
    assert set(told) == set(HAPPENS)


@pytest.mark.parametrize("page", [README, COUNTING], ids=lambda page: page.name)
def test_the_example_in_numbers_is_what_the_rule_sends(page: Page) -> None:
    """The table of the three sales: what each of the four variants reads, moves, and is sent."""
    lines = {row[0]: row[1:5] for row in rows(page.text) if len(row) in (5, 6)}
    first, *_ = numbers(lines["after the last run"][0])
    sold = [sum(numbers(cell)) for cell in lines["sold"]]
    made = run([first] * 4, [("order", n, -units) for n, units in enumerate(sold)], in_step=True)
    sent = lines.get("sent by invsync", lines.get("sent", []))
    assert [one.delta for one in made.adjustments] == [
        number for cell in sent for number in numbers(cell)
    ]
    deltas = {one.level: one.delta for one in made.adjustments}
    assert [str(now.available + deltas[at]) for at, now in made.seen.items()] == lines["reads"]
