"""What each note of the rule means for a person: one table, and the sentences that it names."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from invsync.axis import Axis
from invsync.sync import (
    FELL_ALIKE_WARNS,
    How,
    LevelId,
    Managed,
    Note,
    NoteKind,
    Plan,
    SeveralRises,
    Why,
)
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
        return self.plan.after

    @property
    def holds(self) -> bool:
        """Whether something waits for a person once the plan is done."""
        return isinstance(self.plan.pool, Managed) and bool(self.plan.pool.held)

    @property
    def ways_out(self) -> str:
        """What a person can do about what is held."""
        pool = self.plan.pool
        rises = pool.on_release if isinstance(pool, Managed) else 0
        return (
            "If they are wrong, take them back in Shopify; or set all its "
            f"{self.one}s to the right number, raising at least one, and that is taken; or let "
            f"through all that is held, and it rises by {rises}: {self.command(' --force')}"
        )

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
    mend = (
        f"Set all {about.one}s to the right number in Shopify, and the next run takes it from there"
    )
    if about.axis.follows:
        mend = (
            f"Raise one {about.one} to the right number in Shopify, and the others follow; until "
            f"then what is sold at one is taken off the others"
        )
    return (
        f"its {about.one}s differ ({about.units}), so it is left alone. {mend}; or have every pool "
        "that is out of sync brought to its lowest number (you are shown which, and asked): "
        f"{about.command(' --init --align lowest')}"
    )


def _several_rises(about: About) -> str:
    cancelled = about.note.cancelled
    rose = f"several {about.one}s rose between two runs ({about.signed})"
    if cancelled:
        whose = listed([about.labels[level] for level in about.note.levels if level in cancelled])
        rose += f", {whose} by cancelled orders"
    left_out = about.note.units
    if about.plan.why == "import":
        return (
            f"{rose} and agree now: taken for one import ({about.move}). If they were separate "
            f"restocks, raise one {about.one} by what the others rose in Shopify. {about.story}"
        )
    if about.holds:
        return (
            f"{rose}, and none is counted yet: they are held, without them its quantity is "
            f"{about.after}. {about.ways_out}"
        )
    if about.policy == "sum":
        return (
            f"{rose}, and all are counted ({about.move}). If it was one restock, typed in at each "
            f"{about.one}, lower one {about.one} by what is too much in Shopify. {about.story}"
        )
    counted = "what was cancelled and the smallest of the rest" if cancelled else "the smallest"
    if about.policy != "freed":
        counted = "the smallest"
    what = "orders" if cancelled >= about.note.levels.keys() else "restocks"
    if not left_out:
        return f"{rose}, and all of it is counted ({about.move}). {about.story}"
    return (
        f"{rose}, and only {counted} is counted ({about.move}). If they were separate {what}, "
        f"raise one {about.one} by {left_out} in Shopify. {about.story}"
    )


def _held(about: About) -> str:
    return (
        f"its rises are held ({about.signed}); without them its quantity is {about.after}. "
        f"{about.ways_out}"
    )


def _taken_back(about: About) -> str:
    return (
        f"rises that were held are gone again ({about.units}): taken for a mistake that was taken "
        "back, and not counted as sales. If they were sold off the shelf, lower one "
        f"{about.one} by {sum(about.note.levels.values())} in Shopify. {about.story}"
    )


def _settled(about: About) -> str:
    return (
        f"somebody made its {about.one}s agree while rises were held ({about.units}): that is its "
        f"quantity now ({about.move}). If that is wrong, set one {about.one} to the right number "
        "in Shopify: the others follow"
    )


def _stock_moved(about: About) -> str:
    return (
        f"a level left that held {about.note.units}, and its stock came to {about.signed}: taken "
        f"for the same stock, moved by Shopify, and not counted; it stays at {about.after}. If it "
        f"was a restock, raise one {about.one} by {sum(about.note.levels.values())} in Shopify"
    )


def _overwritten(about: About) -> str:
    refused = sum(about.note.levels.values())
    return (
        f"another program writes its own number over what invsync sends ({refused} units so "
        f"far): not counted, and lowered again to {about.after}. Take this product out of that "
        "program, or out of the filter here. If the rises were restocks, raise one "
        f"{about.one} by another number; that you have seen this: {about.command(' --force')}"
    )


def _another_program(about: About) -> str:
    ran_down = f", and ran it down by {about.note.units} units" if about.note.units else ""
    return (
        f"another program answers whatever invsync sends{ran_down}, so it is left alone. Stop that "
        f"program, set all its {about.one}s to the right number in Shopify, then run: "
        f"{about.command(' --init')}"
    )


def _fell_alike(about: About) -> str:
    below = f", {about.note.units} more than there were" if about.note.units else ""
    read = {now.available for now in about.plan.seen.values()}
    number = f"to {read.pop()}" if len(read) == 1 else "to the right number"
    return (
        f"all its {about.one}s fell alike, off the shelf ({about.signed}){below}: counted as sales "
        f"({about.move}). If it was a count typed into all, set one {about.one} {number} in "
        "Shopify: the others follow"
    )


def _oversold(about: About) -> str:
    return (
        f"more was sold than there was ({about.signed}; {about.move}): {about.note.units} units "
        f"are owed. Restock one {about.one}, or cancel orders, in Shopify: the others follow"
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
        f"{about.one}s that invsync had yet to raise were raised by somebody ({about.signed}), "
        f"which is taken for that raise and not counted; all are brought to {about.after}. If "
        f"these are further units, raise one {about.one} by {sum(about.note.levels.values())} "
        "in Shopify"
    )


def _several_sources(about: About) -> str:
    return (
        f"several {about.one}s were raised ({about.signed}) before any had set the number: the "
        f"smallest is taken, {about.after}. If that is wrong, set one {about.one} to the right "
        "number in Shopify: the others follow"
    )


def _lifted(about: About) -> str:
    return (
        f"the {about.one} that was raised by {about.note.units} sets the number, {about.after}, "
        f"and lifts others by more than that ({about.signed}). If they hold less, set one "
        f"{about.one} to the right number in Shopify: the others follow"
    )


def _loose_units(about: About) -> str:
    return (
        f"packs were typed up; the loose units beside them are kept ({about.units}), so it comes "
        f"to {about.after}. If they were counted in, lower one {about.one} by as many in Shopify"
    )


def _size_changed(about: About) -> str:
    return (
        f"the size of a pack is another than at the last run (it was {about.units}): what was sold "
        f"counts with the larger of the two, what came in with the smaller. Look whether "
        f"{about.after} is right"
    )


def _beyond_bounds(about: About) -> str:
    return (
        f"would have to read more than Shopify can hold ({about.units}), so nothing is sent or "
        f"counted for it. Set its {about.one}s to the right number in Shopify"
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
    "taken_back": Meaning("warning", _taken_back),
    "settled": Meaning("warning", _settled),
    "stock_moved": Meaning("problem", _stock_moved, passing=True),
    "overwritten": Meaning("problem", _overwritten),
    "another_program": Meaning("problem", _another_program, standing="held"),
    "fell_alike": Meaning("warning", _fell_alike),
    "oversold": Meaning("problem", _oversold, passing=True),
    "new_level_stock": Meaning("warning", _new_level_stock),
    "raise_closed": Meaning("warning", _raise_closed),
    "several_sources": Meaning("warning", _several_sources),
    "lifted": Meaning("problem", _lifted, passing=True),
    "loose_units": Meaning("warning", _loose_units),
    "size_changed": Meaning("warning", _size_changed),
    "beyond_bounds": Meaning("problem", _beyond_bounds),
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
    return f"{about.title}: {MEANINGS[about.note.kind].sentence(about)}"


def told(
    pool: str, about: Sequence[About], levels: tuple[Shown, ...]
) -> tuple[Problem | Warning, ...]:
    """The notes of a plan, as what has to be told. `levels`: what each level of the pool read."""
    notes: list[Problem | Warning] = []
    for each in about:
        kind, weighs = each.note.kind, weight(each.note)
        if weighs == "problem":
            notes.append(Problem(kind, pool, each.title, sentence(each), levels))
        elif weighs == "warning":
            notes.append(Warning(kind, pool, sentence(each)))
    return tuple(notes)


def weight(note: Note) -> Weight:
    """How much a note weighs.

    A fall of all levels alike is told from some units on, and is a problem below 0.
    """
    if note.kind != "fell_alike":
        return MEANINGS[note.kind].weight
    if note.units:
        return "problem"
    return "warning" if min(note.levels.values()) <= -FELL_ALIKE_WARNS else "silent"


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
