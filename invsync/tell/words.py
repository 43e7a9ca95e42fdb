"""What each note of the rule means for a person: one table, and the sentences that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from invsync.sync import FELL_ALIKE_WARNS, How, LevelId, Note, NoteKind, Plan, Why
from invsync.tell import sentences
from invsync.tell.lines import listed
from invsync.tell.outcome import Problem, Shown, Standing, Warning
from invsync.tell.sentences import About, Said

#: A `problem` needs a person and makes the run exit 3; a `silent` note is not told.
Weight = Literal["problem", "warning", "silent"]


class Meaning(Struct, frozen=True):
    """What a kind of note means.

    `standing`: how its pool is counted for it. `passing`: it is over once it is told; else it
    stands until a person acts. `told_with`: in text, the note of the same pool that tells it
    already. `many`: in text, what a great number of such pools is summed up as. `aligns`:
    whether `--align` ends it.
    """

    weight: Weight
    said: Callable[[About], Said]
    standing: Standing | None = None
    passing: bool = False
    told_with: NoteKind | None = None
    many: str | None = None
    aligns: bool = False


MEANINGS: Mapping[NoteKind, Meaning] = {
    "adopted": Meaning("silent", sentences.adopted),
    "out_of_sync": Meaning("problem", sentences.out_of_sync, aligns=True),
    "several_rises": Meaning("problem", sentences.several_rises, passing=True),
    "held": Meaning(
        "problem",
        sentences.held,
        standing="held",
        told_with="several_rises",
        many="more pools whose rises are held",
    ),
    "taken_back": Meaning("warning", sentences.taken_back),
    "settled": Meaning("warning", sentences.settled),
    "stock_moved": Meaning("problem", sentences.stock_moved, passing=True),
    "overwritten": Meaning("problem", sentences.overwritten),
    "another_program": Meaning("problem", sentences.another_program, standing="held"),
    "fell_alike": Meaning("warning", sentences.fell_alike),
    "oversold": Meaning("problem", sentences.oversold, passing=True),
    "new_level_stock": Meaning("warning", sentences.new_level_stock),
    "last_falls": Meaning("warning", sentences.last_falls),
    "raise_closed": Meaning("warning", sentences.raise_closed),
    "several_sources": Meaning("warning", sentences.several_sources),
    "lifted": Meaning("problem", sentences.lifted, passing=True),
    "loose_units": Meaning("warning", sentences.loose_units),
    "size_changed": Meaning("warning", sentences.size_changed),
    "beyond_bounds": Meaning("problem", sentences.beyond_bounds),
    "not_as_set": Meaning("problem", sentences.not_as_set, passing=True),
}

#: What each rule did, by the name that a history holds.
RULES: Mapping[Why, str] = {
    "nothing": "not counted: waits for a person",
    "adopted": "adopted",
    "falls": "falls: all counted",
    "rise": "one rise: counted",
    "smallest_rise": "several rises: smallest counted",
    "freed_rises": "cancelled orders and the smallest rise: counted",
    "sum_of_rises": "several rises: all counted",
    "import": "one import: counted",
    "released": "what waited: counted",
    "settled": "all levels read the same: taken",
    "source": "first to be raised: taken",
    "passed_on": "falls: passed on to the others",
    "aligned": "brought to one number (--align)",
    "as_set": "right as they are: a person said so",
    "finish": "levels brought to the quantity",
    "leaves": "it leaves; its last falls: counted",
}

#: How a movement came about, as the witnesses tell it.
HOW: Mapping[How, str] = {
    "unknown": "",
    "ordered": " ordered",
    "partly_ordered": " ordered and off the shelf",
    "off_shelf": " off the shelf",
    "cancelled": " cancelled",
    "restocked": "",
}

# By the names that a file holds, which may be others.
_RULES: Mapping[str, str] = {str(why): words for why, words in RULES.items()}
_HOW: Mapping[str, str] = {str(how): words for how, words in HOW.items()}
_BY_NAME: Mapping[str, Meaning] = {str(kind): meaning for kind, meaning in MEANINGS.items()}


def counted(why: str, movements: Iterable[int], after: int | None) -> str:
    """What a rule did with the movements of a pool, in a few words; `after`: its quantity then.

    An old history may name a rule that is gone.
    """
    moved = list(movements)
    if why == "falls" and any(units > 0 for units in moved):
        return "falls: all counted; rises wait"
    if why == "rise" and any(units < 0 for units in moved):
        return "one rise and all falls: counted"
    if why == "nothing" and after is None:
        return "without a quantity: left alone"
    return _RULES.get(why, why)


def came_about(how: str) -> str:
    """How a movement came about, as it follows its number; nothing where that is not known."""
    return _HOW.get(how, "")


def story(made: Plan, labels: Mapping[LevelId, str]) -> str:
    """What a plan made of what moved, on one line: for the log."""
    moved = [
        f"{labels[at]} {units:+d}{came_about(made.how.get(at, 'unknown'))}"
        for at, units in made.movements.items()
    ]
    rule = counted(made.why, made.movements.values(), made.after)
    before = "" if made.before is None else f"{made.before} → "
    return "; ".join(filter(None, (listed(moved), f"{rule}, {before}{made.after}")))


def sentence(about: About) -> str:
    """What a note means for who reads it, as a line that begins with the pool's title."""
    return MEANINGS[about.note.kind].said(about).of(about.title, about.pool)


def told(about: Sequence[About], levels: tuple[Shown, ...]) -> tuple[Problem | Warning, ...]:
    """The notes of a plan, as what has to be told. `levels`: what each level of the pool read."""
    notes: list[Problem | Warning] = []
    for each in about:
        kind, weighs = each.note.kind, weight(each.note, each.plan.before)
        if weighs == "silent":
            continue
        said = MEANINGS[kind].said(each)
        line = said.of(each.title, each.pool)
        if weighs == "problem":
            notes.append(Problem(kind, each.pool, each.title, line, levels, said.mend, said.mend))
        else:
            notes.append(Warning(kind, each.pool, line))
    return tuple(notes)


def weight(note: Note, before: int | None) -> Weight:
    """How much a note weighs. `before`: the pool's quantity before its plan.

    A fall of all levels alike is told from some units on. What fell below 0 is a problem when it
    does; where it falls on from there, the person knows.
    """
    known = before is not None and before < 0
    if note.kind == "oversold":
        return "warning" if known else MEANINGS[note.kind].weight
    if note.kind != "fell_alike":
        return MEANINGS[note.kind].weight
    if note.units and not known:
        return "problem"
    return "warning" if min(note.levels.values()) <= -FELL_ALIKE_WARNS else "silent"


def meaning_of(kind: str) -> Meaning | None:
    """What a kind of note means; None for a problem or a warning that is no note of the rule."""
    return _BY_NAME.get(kind)


def can_be_aligned(kind: str) -> bool:
    """Whether a problem ends once its pool is brought to one number."""
    meaning = meaning_of(kind)
    return meaning is not None and meaning.aligns


def stands(problem: Problem) -> bool:
    """Whether a problem stands until a person acts, rather than being over once it is told."""
    meaning = meaning_of(problem.kind)
    return meaning is None or not meaning.passing


def waits(kind: str) -> bool:
    """Whether a note says what waits for a person, rather than what happened."""
    meaning = meaning_of(kind)
    return meaning is not None and meaning.standing == "held"
