"""What each note of the rule says to a person, and that what it advises works.

Every sentence here is about a plan that the rule made of a story, never about one made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from msgspec import structs

from invsync.axis import axis_of
from invsync.sync import (
    How,
    Level,
    LevelId,
    Managed,
    Note,
    NoteKind,
    Plan,
    Pool,
    Reading,
    Rules,
    Unmanaged,
    Why,
    as_they_stand,
    leave,
    plan,
)
from invsync.tell import words
from invsync.tell.sentences import About

A, B, C = (LevelId(f"gid://item/{name}", "gid://here") for name in "ABC")
LABELS = {A: "P-A", B: "P-B", C: "P-C"}
POOL = "gid://shopify/Product/7"
Seen = Mapping[LevelId, Reading]


def reads(**pieces: int | tuple[int, int, int]) -> dict[LevelId, Reading]:
    """Readings by the last letter of their level: available, or with on_hand and committed."""
    by_letter = {at.item[-1]: at for at in LABELS}
    return {
        by_letter[letter]: Reading(*given) if isinstance(given, tuple) else Reading(given, given, 0)
        for letter, given in pieces.items()
    }


def managed(quantity: int, seen: Seen, on_release: int = 0, **held: int) -> Managed:
    """A pool whose levels last read so."""
    levels = {at: Level(now, held=held.get(at.item[-1], 0)) for at, now in seen.items()}
    return Managed(quantity, levels, on_release)


def at_thirty(number: int = 3) -> Managed:
    """A pool of 30 units, in step."""
    return managed(30, reads(**dict.fromkeys("ABC"[:number], 30)))


PLAIN = Rules()


@dataclass(frozen=True)
class Story:
    """A pool, what its levels read next, and what is said of it.

    `advised`: what a person then types, by what the sentence says; `comes_to`: the quantity that
    they meant.
    """

    kind: NoteKind
    pool: Pool | None
    seen: Seen
    says: str
    rules: Rules = PLAIN
    command: Any = "variants"
    weight: str = "problem"
    title: str = "Print"
    advised: Mapping[LevelId, int] = field(default_factory=dict)
    comes_to: int = 0
    leaves: bool = False

    @property
    def made(self) -> Plan:
        if self.leaves:
            assert isinstance(self.pool, Managed)
            return leave(self.pool, self.seen)
        said = self.kind == "not_as_set"  # by a person, with `resume --as-set`
        return (as_they_stand if said else plan)(self.pool, self.seen, self.rules)

    def about(self, made: Plan) -> About:
        (note,) = (each for each in made.notes if each.kind == self.kind)
        axis = axis_of(self.command, ())
        return About(note, made, self.title, LABELS, axis, self.rules.several_rises, POOL)


HOLD = Rules(several_rises="hold")
FOLLOW = Rules(follow=True)
TWICE_UNDONE = Managed(
    12,
    {
        A: Level(Reading(12, 12, 0)),
        B: Level(Reading(10, 10, 0), ours=-2, undone=2),
    },
)
STORIES = [
    Story(
        "out_of_sync",
        None,
        reads(A=4, B=7),
        "its variants differ (P-A 4, P-B 7), so it is left alone. Set all variants to the right "
        "number in Shopify, and the next run takes it from there; or have the lowest number taken "
        "(you are shown what changes, and asked): "
        "`invsync variants --init --align lowest --only 7`",
        advised={A: 5, B: 5},
        comes_to=5,
    ),
    Story(
        "out_of_sync",
        Unmanaged(reads(A=6, B=2)),
        reads(A=6, B=1),
        "its locations differ (P-A 6, P-B 1), so it is left alone. Raise one location to the right "
        "number in Shopify, and the others follow; until then what is sold at one is taken off "
        "the others; or have the lowest number taken (you are shown what changes, and asked): "
        "`invsync locations --init --align lowest --only 7`",
        rules=FOLLOW,
        command="locations",
        advised={A: 9},
        comes_to=9,
    ),
    Story(
        "several_rises",
        at_thirty(),
        reads(A=40, B=55, C=30),
        "several variants rose between two runs (P-A +10, P-B +25), and only the smallest is "
        "counted (30 → 40). If they were separate restocks, raise one variant by 25 in Shopify. "
        "What led to it: `invsync explain 7`",
        title="Bob's print",
        advised={C: 65},
        comes_to=65,
    ),
    Story(
        "several_rises",
        at_thirty(),
        reads(A=40, B=40, C=30),
        "several variants rose between two runs (P-A +10, P-B +10), and all are counted (30 → 50). "
        "If it was one restock, typed in at each variant, lower one variant by what is too much in "
        "Shopify. What led to it: `invsync explain 7`",
        rules=Rules(several_rises="sum"),
        advised={C: 40},
        comes_to=40,
    ),
    Story(
        "several_rises",
        at_thirty(),
        reads(A=50, B=50, C=50),
        "several variants rose between two runs (P-A +20, P-B +20, P-C +20) and agree now: taken "
        "for one import (30 → 50). If they were separate restocks, raise one variant by what the "
        "others rose in Shopify. What led to it: `invsync explain 7`",
        advised={A: 90},
        comes_to=90,
    ),
    Story(
        "several_rises",
        managed(28, reads(A=(28, 30, 2), B=(28, 29, 1), C=28)),
        reads(A=(29, 30, 1), B=(29, 29, 0), C=28),
        "several variants rose between two runs (P-A +1, P-B +1), P-A, P-B by cancelled orders, "
        "and only the smallest is counted (28 → 29). If they were separate orders, raise one "
        "variant by 1 in Shopify. What led to it: `invsync explain 7`",
        advised={C: 30},
        comes_to=30,
    ),
    Story(
        "several_rises",
        managed(28, reads(A=(28, 30, 2), B=(28, 29, 1), C=28)),
        reads(A=(29, 30, 1), B=(29, 29, 0), C=28),
        "several variants rose between two runs (P-A +1, P-B +1), P-A, P-B by cancelled orders, "
        "and all of it is counted (28 → 30). What led to it: `invsync explain 7`",
        rules=Rules(several_rises="freed"),
    ),
    Story(
        "several_rises",
        at_thirty(),
        reads(A=40, B=55, C=30),
        "several variants rose between two runs (P-A +10, P-B +25), and none is counted yet: they "
        "are held, without them its quantity is 30. If they are wrong, take them back in Shopify; "
        "or set all its variants to the right number, raising at least one, and that is taken; or "
        "let through all that is held, and it rises by 10: "
        "`invsync variants --force --only 7`",
        rules=HOLD,
        advised={A: 65, B: 65, C: 65},
        comes_to=65,
    ),
    Story(
        "held",
        at_thirty(),
        reads(A=40, B=30, C=28),
        "its rises are held (P-A +10); without them its quantity is 28. If they are wrong, take "
        "them back in Shopify; or set all its locations to the right number, raising at least one, "
        "and that is taken; or let through all that is held, and it rises by 10: "
        "`invsync locations --force --only 7`",
        rules=Rules(brake=True),
        command="locations",
        advised={A: 38, B: 38, C: 38},
        comes_to=38,
    ),
    Story(
        "taken_back",
        managed(30, reads(A=40, B=30), on_release=10, A=10),
        reads(A=30, B=30),
        "rises that were held are gone again (P-A 10): taken for a mistake that was taken back, "
        "and not counted as sales. If they were sold off the shelf, lower one variant by 10 in "
        "Shopify. What led to it: `invsync explain 7`",
        weight="warning",
        advised={B: 20},
        comes_to=20,
    ),
    Story(
        "settled",
        managed(30, reads(A=40, B=30), on_release=10, A=10),
        reads(A=40, B=40),
        "somebody made its variants agree while rises were held (P-A 10): that is its quantity now "
        "(30 → 40). If that is wrong, set one variant to the right number in Shopify: the others "
        "follow",
        weight="warning",
        advised={B: 35},
        comes_to=35,
    ),
    Story(
        "stock_moved",
        Managed(
            14,
            {
                LevelId(A.item, place): Level(Reading(14, 14, 0))
                for place in ("gid://here", "gid://fair")
            },
        ),
        reads(A=28),
        "a level left that held 14, and its stock came to P-A +14: taken for the same stock, moved "
        "by Shopify, and not counted; it stays at 14. If it was a restock, raise one location by "
        "14 in Shopify",
        command="locations",
        advised={A: 28},
        comes_to=28,
    ),
    Story(
        "stock_moved",
        Managed(
            14,
            {
                LevelId(A.item, place): Level(Reading(14, 14, 0))
                for place in ("gid://here", "gid://fair")
            },
        ),
        reads(A=26),
        "a level left that held 14, and its stock came to P-A +14: taken for the same stock, moved "
        "by Shopify, and not counted; it comes to 12. If it was a restock, raise one location by "
        "14 in Shopify",
        rules=Rules(closed=frozenset({"gid://fair"})),
        command="locations",
        advised={A: 26},
        comes_to=26,
    ),
    Story(
        "overwritten",
        TWICE_UNDONE,
        reads(A=12, B=12),
        "another program writes its own number over what invsync sends (2 units so far): not "
        "counted, and lowered again to 12. Take this product out of that program, or out of the "
        "filter here. If the rises were restocks, raise one variant by another number; that you "
        "have seen this: `invsync variants --force --only 7`",
    ),
    Story(
        "fell_alike",
        at_thirty(),
        reads(A=24, B=24, C=24),
        "all its variants fell alike, off the shelf (P-A -6, P-B -6, P-C -6): counted as sales "
        "(30 → 12). If it was a count typed into all, set one variant to 24 in Shopify: the others "
        "follow",
        weight="warning",
        advised={B: 24},
        comes_to=24,
    ),
    Story(
        "fell_alike",
        managed(12, reads(A=12, B=12)),
        reads(A=4, B=4),
        "all its variants fell alike, off the shelf (P-A -8, P-B -8), 4 more than there were: "
        "counted as sales (12 → -4). If it was a count typed into all, set one variant to 4 in "
        "Shopify: the others follow",
        advised={B: 4},
        comes_to=4,
    ),
    Story(
        "oversold",
        managed(3, reads(A=3, B=3)),
        reads(A=(1, 3, 2), B=(1, 3, 2)),
        "more was sold than there was (P-A -2, P-B -2; 3 → -1): 1 units are owed. Restock one "
        "variant, or cancel orders, in Shopify: the others follow",
        advised={A: 9},
        comes_to=9,
    ),
    Story(
        "new_level_stock",
        at_thirty(2),
        reads(A=30, B=30, C=5),
        "a new variant came with stock of its own (P-C 5), which is not added: it is brought to "
        "30. If these are further units, raise one variant by 5 in Shopify",
        weight="warning",
        advised={A: 35},
        comes_to=35,
    ),
    Story(
        "new_level_stock",
        at_thirty(2),
        reads(A=30, B=30, C=-2),
        "a new variant came with stock of its own (P-C -2), which is not added: it is brought to "
        "30",
        weight="warning",
    ),
    Story(
        "raise_closed",
        managed(30, reads(A=30, B=10)),
        reads(A=30, B=20),
        "variants that invsync had yet to raise were raised by somebody (P-B +10), which is taken "
        "for that raise and not counted; brought to 30. If these are further units, raise "
        "one variant by 10 in Shopify",
        weight="warning",
        advised={A: 40},
        comes_to=40,
    ),
    Story(
        "several_sources",
        Unmanaged(reads(A=6, B=2, C=0)),
        reads(A=8, B=8, C=0),
        "several locations were raised (P-A +2, P-B +6) before any had set the number: the "
        "smallest is taken, 8. If that is wrong, set one location to the right number in Shopify: "
        "the others follow",
        rules=FOLLOW,
        command="locations",
        weight="warning",
        advised={C: 10},
        comes_to=10,
    ),
    Story(
        "lifted",
        Unmanaged(reads(A=6, B=2, C=0)),
        reads(A=8, B=2, C=0),
        "the location that was raised by 2 sets the number, 8, and lifts others by more than that "
        "(P-B +6, P-C +8). If they hold less, set one location to the right number in Shopify: the "
        "others follow",
        rules=FOLLOW,
        command="locations",
        advised={C: 3},
        comes_to=3,
    ),
    Story(
        "loose_units",
        Managed(13, {A: Level(Reading(13, 13, 0)), B: Level(Reading(2, 2, 0), size=6)}),
        reads(A=13, B=3),
        "packs were typed up; the loose units beside them are kept (P-B 1), so it comes to 19. If "
        "they were counted in, lower one variant by as many in Shopify",
        rules=Rules(sizes={B: 6}),
        weight="warning",
        advised={A: 18},
        comes_to=18,
    ),
    Story(
        "size_changed",
        Managed(13, {A: Level(Reading(13, 13, 0)), B: Level(Reading(2, 2, 0), size=6)}),
        reads(A=13, B=2),
        "the size of a pack is another than at the last run (it was P-B 6): what was sold counts "
        "with the larger of the two, what came in with the smaller. Look whether 13 is right",
        rules=Rules(sizes={B: 4}),
        weight="warning",
    ),
    Story(
        "beyond_bounds",
        at_thirty(2),
        reads(A=30, B=2_000_000_010),
        "would have to read more than Shopify can hold (P-A 2000000010), so nothing is sent or "
        "counted for it. Set its variants to the right number in Shopify",
    ),
    Story(
        "last_falls",
        at_thirty(),
        reads(A=28, B=30, C=30),
        "it is kept in step no longer; what was sold of it until then (P-A -2) is taken off its "
        "other variants for the last time (30 → 28)",
        weight="warning",
        leaves=True,
    ),
    Story("adopted", None, reads(A=4, B=4), "adopted at 4", weight="silent"),
    Story(
        "not_as_set",
        at_thirty(2),
        reads(A=28, B=29),
        "its variants do not agree (P-A 28, P-B 29), so they can't all be right as they stand: "
        "what moved was counted as sales and restocks (30 → 27). If that is wrong, set one variant "
        "to the right number in Shopify: the others follow",
    ),
    Story(
        "another_program",
        Unmanaged(reads(A=12, B=12), left_alone=True, ran_down=16),
        reads(A=11, B=12),
        "another program answers whatever invsync sends, and ran it down by 16 units, so it is "
        "left alone. Stop that program, set all its variants to the right number in Shopify, then "
        "run: `invsync variants --init --only 7`",
    ),
]


def name(story: Any) -> str:
    return f"{story.kind}: {story.says[:40]}" if isinstance(story, Story) else ""


@pytest.mark.parametrize("story", STORIES, ids=name)
def test_a_note_says_what_happened_and_what_to_do(story: Story) -> None:
    assert words.sentence(story.about(story.made)) == f"{story.title}: {story.says}"


@pytest.mark.parametrize("story", STORIES, ids=name)
def test_a_note_is_told_with_its_weight(story: Story) -> None:
    told = {each.kind: each for each in words.told([story.about(story.made)], ())}
    assert {kind: type(each).__name__.lower() for kind, each in told.items()} == (
        {} if story.weight == "silent" else {story.kind: story.weight}
    )


def test_every_kind_of_note_has_a_story() -> None:
    assert {story.kind for story in STORIES} == set(get_args(NoteKind)) == set(words.MEANINGS)


@pytest.mark.parametrize("story", [each for each in STORIES if each.advised], ids=name)
def test_what_a_note_advises_comes_to_what_was_meant(story: Story) -> None:
    made = story.made
    deltas = {one.level: one.delta for one in made.adjustments}
    left = {at: now.adjusted(deltas.get(at, 0)) for at, now in story.seen.items()}
    typed = {
        at: now.adjusted(story.advised.get(at, now.available) - now.available)
        for at, now in left.items()
    }
    after = plan(made.pool, typed, structs.replace(story.rules, brake=False))
    assert after.after == story.comes_to


def test_what_each_rule_did_has_its_words() -> None:
    assert set(words.RULES) == set(get_args(Why))
    assert set(words.HOW) == set(get_args(How))
    assert words.counted("stock_count", (), 30) == "stock_count"


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (reads(A=27, B=30, C=30), "P-A -3 off the shelf; falls: all counted, 30 → 27"),
        (
            reads(A=(27, 30, 3), B=(28, 29, 1), C=34),
            "P-A -3 ordered, P-B -2 ordered and off the shelf, P-C +4; one rise and all falls: "
            "counted, 30 → 29",
        ),
    ],
)
def test_a_line_of_the_log_tells_what_moved_how_and_what_came_of_it(
    seen: Mapping[LevelId, Reading], says: str
) -> None:
    assert words.story(plan(at_thirty(), seen), LABELS) == says


def test_a_fall_alike_of_a_few_units_is_only_for_the_history() -> None:
    made = plan(at_thirty(), reads(A=27, B=27, C=27))
    (note,) = made.notes
    about = About(note, made, "Print", LABELS, axis_of("variants", ()), "smallest", POOL)
    assert note.kind == "fell_alike"
    assert words.told([about], ()) == ()


def test_a_message_of_many_levels_names_eight_and_counts_the_rest() -> None:
    levels = {LevelId(str(at), ""): Reading(at) for at in range(20)}
    made, labels = plan(None, levels), {each: f"P-{each.item}" for each in levels}
    (note,) = made.notes
    about = About(note, made, "Print", labels, axis_of("variants", ()), "smallest", POOL)
    assert "P-6 6, P-7 7 and 12 more)" in words.sentence(about)


@pytest.mark.parametrize("command", ["variants", "locations"])
@pytest.mark.parametrize("kind", get_args(NoteKind))
@pytest.mark.parametrize("policy", ["smallest", "freed", "sum", "hold"])
def test_every_sentence_is_one_line(kind: NoteKind, policy: Any, command: Any) -> None:
    made = plan(at_thirty(), reads(A=40, B=55, C=30), Rules(several_rises=policy))
    note = Note(kind, {A: 1, B: 2}, 3, frozenset({A}))
    about = About(note, made, "Print", LABELS, axis_of(command, ()), policy, POOL)
    assert words.sentence(about).startswith("Print: ")
    assert "\n" not in words.sentence(about)
