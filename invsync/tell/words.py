"""What each note of the rule means for a person: one table, and the sentences that it names."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from invsync.axis import Axis
from invsync.sync import LevelId, Note, NoteKind, Plan, SeveralRises, Why
from invsync.tell.lines import listed
from invsync.tell.outcome import Problem, Shown, Standing, Warning

#: A `problem` needs a person and makes the run exit 3; a `silent` note is not told.
Weight = Literal["problem", "warning", "silent"]


@dataclass(frozen=True, slots=True)
class About:
    """What a sentence speaks of: a note of a plan for a pool.

    `policy`: the `several_rises` in force.
    """

    note: Note
    plan: Plan
    title: str
    labels: Mapping[LevelId, str]
    axis: Axis
    policy: SeveralRises

    @property
    def units(self) -> str:
        """The levels of the note with their units."""
        return listed([f"{self.labels[level]} {n}" for level, n in self.note.levels.items()])

    @property
    def signed(self) -> str:
        """The levels of the note with their units as movements."""
        return listed([f"{self.labels[level]} {n:+d}" for level, n in self.note.levels.items()])

    @property
    def one(self) -> str:
        """What a person calls a level."""
        return self.axis.one

    @property
    def after(self) -> int | None:
        """The quantity that the plan comes to."""
        return self.plan.pool.quantity

    @property
    def move(self) -> str:
        """The quantity before and after."""
        return f"{self.plan.before} → {self.after}"

    @property
    def story(self) -> str:
        """How to see what led to it."""
        return f"What led to it: `invsync explain {shlex.quote(self.title)}`"

    def command(self, options: str = "") -> str:
        """The command that a person is to run."""
        return f"`invsync {self.axis.command}{options}`"


def _out_of_sync(about: About) -> str:
    levels = about.note.levels
    mend = (
        f"Set all {about.one}s to the right number in Shopify, and the next run takes it from there"
    )
    if about.axis.follows:
        lowest = about.labels[min(levels, key=lambda level: levels[level])]
        mend = f"Set {lowest}, the lowest, to the right number in Shopify, and the others follow"
    return (
        f"its {about.one}s differ ({about.units}), so it is left alone. {mend}; or have every pool "
        "that is out of sync brought to its lowest number (you are shown which, and asked): "
        f"{about.command(' --init --align lowest')}"
    )


def _several_rises(about: About) -> str:
    rose = f"several {about.one}s rose between two runs ({about.signed}), and"
    total, smallest = sum(about.note.levels.values()), min(about.note.levels.values())
    if about.policy == "hold":
        return (
            f"{rose} none is counted (several_rises: hold). Set all its {about.one}s to the right "
            f"number in Shopify, then run: {about.command()}"
        )
    if about.plan.pool.braked:
        return (
            f"{rose} too many pools rose in this run: none is counted yet. If they are right, let "
            f"through all that is held, and it rises by {about.plan.pool.pending}: "
            f"{about.command(' --force')}"
        )
    if about.policy == "sum":
        return (
            f"{rose} all are counted ({about.move}). If it was one restock, typed in at each "
            f"{about.one}, lower one {about.one} by {total - smallest} in Shopify. {about.story}"
        )
    return (
        f"{rose} only the smallest rise is counted ({about.move}). If they were separate restocks, "
        f"raise one {about.one} by {total - about.plan.risen} in Shopify. {about.story}"
    )


def _held(about: About) -> str:
    if about.plan.pool.braked:
        return (
            f"its rises are held, since too many pools rose in one run ({about.signed}); without "
            f"them its quantity is {about.after}. If they are wrong, take them back in Shopify; if "
            f"all that is held is right, let it through: {about.command(' --force')}"
        )
    return (
        f"its rises are held, since several {about.one}s rose ({about.signed}); without them its "
        f"quantity is {about.after}. Set all its {about.one}s to the right number in Shopify, then "
        f"run: {about.command()}"
    )


def _stock_count(about: About) -> str:
    count = (about.after or 0) + min(about.note.levels.values())
    return (
        f"all its {about.one}s fell alike ({about.signed}), together by more than the "
        f"{about.after} there were, as after a stock count: held, nothing is counted. If it was "
        f"not one, set one {about.one} in Shopify to what is there, and the others follow; if it "
        f"was, let it through (with all that is held), and the quantity is {count}: "
        f"{about.command(' --force')}"
    )


def _count_believed(about: About) -> str:
    oversold = max(about.note.levels.values())
    return (
        f"its {about.one}s had all fallen alike, and then one rose: taken for a stock count that "
        f"was set right ({about.after}). If all that had been sold instead, {oversold} units too "
        f"many are shown: lower one {about.one} by {oversold} in Shopify. {about.story}"
    )


def _another_program(about: About) -> str:
    mend = (
        f"Stop that program, set all its {about.one}s to the right number in Shopify, then run: "
        f"{about.command(' --init')}"
    )
    if about.plan.before is None:
        return (
            "it is left alone, since another program seemed to adjust it too; it reads "
            f"{about.units}. {mend}"
        )
    return (
        f"all its {about.one}s keep falling alike ({about.signed}): another program seems to "
        f"adjust them too, so it is left alone from now on. {mend}"
    )


def _fell_alike(about: About) -> str:
    read = set(about.plan.observed.values())
    number = f"back to {read.pop()}" if len(read) == 1 else "to the right number"
    return (
        f"all its {about.one}s fell alike ({about.signed}), counted as sales ({about.move}). If it "
        f"was a stock count, set one {about.one} {number} in Shopify: the others follow"
    )


def _new_level_stock(about: About) -> str:
    further = sum(about.note.levels.values())
    mend = (
        f". If these are further units, raise one {about.one} by {further} in Shopify"
        if further > 0
        else ""
    )
    return (
        f"a new {about.one} came with stock of its own ({about.units}), which is not added: it is "
        f"brought to {about.after}{mend}"
    )


def _raise_closed(about: About) -> str:
    return (
        f"{about.one}s that invsync had yet to raise rose by themselves ({about.signed}), which is "
        f"taken for that raise and not counted; all are brought to {about.after}. If these are "
        f"further units, raise one {about.one} by {sum(about.note.levels.values())} in Shopify"
    )


def _several_sources(about: About) -> str:
    return (
        f"several {about.one}s changed ({about.signed}) before any had set the number: the "
        f"smallest is taken, {about.after}. If that is wrong, set one {about.one} to the right "
        "number in Shopify: the others follow"
    )


def _adopted(about: About) -> str:
    return f"adopted at {about.after}"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of note means.

    `standing`: how its pool is counted for it. `passing`: it is over once it is told; else it
    stands until a person acts. `told_with`: in text, the note of the same pool that tells it
    already. `many`: in text, what a great number of such pools is summed up as.
    """

    weight: Weight
    sentence: Callable[[About], str]
    standing: Standing | None = None
    passing: bool = False
    told_with: NoteKind | None = None
    many: str | None = None


MEANINGS: Mapping[NoteKind, Meaning] = {
    "adopted": Meaning("silent", _adopted),
    "out_of_sync": Meaning("problem", _out_of_sync),
    "several_rises": Meaning("problem", _several_rises, passing=True),
    "held": Meaning(
        "problem",
        _held,
        standing="held",
        told_with="several_rises",
        many="more pools whose rises are held",
    ),
    "stock_count": Meaning("problem", _stock_count, standing="held"),
    "count_believed": Meaning("problem", _count_believed, passing=True),
    "another_program": Meaning("problem", _another_program, standing="held"),
    "fell_alike": Meaning("warning", _fell_alike),
    "new_level_stock": Meaning("warning", _new_level_stock),
    "raise_closed": Meaning("warning", _raise_closed),
    "several_sources": Meaning("warning", _several_sources),
}

#: What each rule did, in words.
WHY: Mapping[Why, str] = {
    "nothing": "nothing moved",
    "adopted": "all its levels are equal: adopted",
    "falls": "its falls were counted",
    "rise": "one rise was counted",
    "smallest_rise": "the smallest of several rises was counted",
    "sum_of_rises": "all of several rises were counted",
    "released": "what was held was counted",
    "settled": "a person made its levels equal: taken as they are",
    "source": "the level that moved set the quantity",
    "aligned": "brought to one number",
    "finish": "an earlier push is finished",
}

_BY_NAME: Mapping[str, Meaning] = {str(kind): meaning for kind, meaning in MEANINGS.items()}


def sentence(about: About) -> str:
    """What a note means for who reads it, as a line that begins with the pool's title."""
    return f"{about.title}: {MEANINGS[about.note.kind].sentence(about)}"


def told(
    pool: str, about: Sequence[About], levels: tuple[Shown, ...]
) -> tuple[Problem | Warning, ...]:
    """The notes of a plan, as what has to be told. `levels`: what each level of the pool read."""
    notes: list[Problem | Warning] = []
    for each in about:
        kind = each.note.kind
        weight = MEANINGS[kind].weight
        if weight == "problem":
            notes.append(Problem(kind, pool, each.title, sentence(each), levels))
        elif weight == "warning":
            notes.append(Warning(kind, pool, sentence(each)))
    return tuple(notes)


def meaning_of(kind: str) -> Meaning | None:
    """What a kind of note means; None for a problem or a warning that is no note of the rule."""
    return _BY_NAME.get(kind)


def stands(problem: Problem) -> bool:
    """Whether a problem stands until a person acts, rather than being over once it is told."""
    meaning = meaning_of(problem.kind)
    return meaning is None or not meaning.passing


def waits(kind: str) -> bool:
    """Whether a note says what waits for a person, rather than what happened."""
    meaning = meaning_of(kind)
    return meaning is not None and meaning.standing == "held"
