"""What each note of the rule says to a person: what is so, what to do about it, where to look."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from invsync.axis import Axis
from invsync.state.files import Command
from invsync.sync import LevelId, Managed, Note, Plan, SeveralRises
from invsync.tell.lines import listed, number_of

#: Stands in a command for the pools that it is about; no title, SKU or message holds it.
ONLY = "\x00"


def for_pools(mend: str, pools: Sequence[str]) -> str:
    """What to do, with the ids of the pools that it is about in its command."""
    only = "".join(f" --only {shlex.quote(number_of(pool))}" for pool in pools)
    return mend.replace(ONLY, only)


@dataclass(frozen=True, slots=True)
class About:
    """What a sentence speaks of: a note of a plan for a pool.

    `policy`: the `several_rises` in force; `pool`: the id of the pool.
    """

    note: Note
    plan: Plan
    title: str
    labels: Mapping[LevelId, str]
    axis: Axis
    policy: SeveralRises
    pool: str

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
    def to_read(self) -> str:
        """What the levels of the note read once the plan is done, in pieces."""
        pool = self.plan.pool
        assert isinstance(pool, Managed)
        reads = {level: pool.levels[level].last.available for level in self.note.levels}
        if len(set(reads.values())) == 1:
            return str(min(reads.values()))
        return listed([f"{self.labels[level]} {n}" for level, n in reads.items()])

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
        return f"What led to it: `invsync explain {shlex.quote(number_of(self.pool))}`"

    def command(self, options: str) -> str:
        """The command that a person is to run for this pool."""
        return f"`invsync {self.axis.command}{options}{ONLY}`"


class Said(NamedTuple):
    """What a note says: what is so, what to do about it, and where to look besides.

    `mend`: the same for every pool of which the same is to be done; a command in it names the pools
    by `ONLY`.
    """

    what: str
    mend: str = ""
    beside: str = ""

    def of(self, title: str, pool: str) -> str:
        """As a line on a pool."""
        parts = (f"{title}: {self.what}", for_pools(self.mend, [pool]), self.beside)
        return ". ".join(part for part in parts if part)


def out_of_sync(about: About) -> Said:
    """Of the note `out_of_sync`."""
    mend = (
        f"Set all {about.one}s to the right number in Shopify, and the next run takes it from there"
    )
    if about.axis.follows:
        mend = (
            f"Raise one {about.one} to the right number in Shopify, and the others follow; until "
            f"then what is sold at one is taken off the others"
        )
    return Said(
        f"its {about.one}s differ ({about.units}), so it is left alone",
        f"{mend}; or have the lowest number taken (you are shown what changes, and asked): "
        f"{about.command(' --init --align lowest')}",
    )


def several_rises(about: About) -> Said:
    """Of the note `several_rises`."""
    cancelled = about.note.cancelled
    rose = f"several {about.one}s rose between two runs ({about.signed})"
    if cancelled:
        whose = listed([about.labels[level] for level in about.note.levels if level in cancelled])
        rose += f", {whose} by cancelled orders"
    left_out = about.note.units
    if about.plan.why == "import":
        return Said(
            f"{rose} and agree now: taken for one import ({about.move})",
            f"If they were separate restocks, raise one {about.one} by what the others rose in "
            "Shopify",
            about.story,
        )
    if about.holds:
        return Said(
            f"{rose}, and none is counted yet: they are held, without them its quantity is "
            f"{about.after}",
            about.ways_out,
        )
    if about.policy == "sum":
        return Said(
            f"{rose}, and all are counted ({about.move})",
            f"If it was one restock, typed in at each {about.one}, lower one {about.one} by what "
            "is too much in Shopify",
            about.story,
        )
    counted = "what was cancelled and the smallest of the rest" if cancelled else "the smallest"
    if about.policy != "freed":
        counted = "the smallest"
    what = "orders" if cancelled >= about.note.levels.keys() else "restocks"
    if not left_out:
        return Said(f"{rose}, and all of it is counted ({about.move})", beside=about.story)
    return Said(
        f"{rose}, and only {counted} is counted ({about.move})",
        f"If they were separate {what}, raise one {about.one} by {left_out} in Shopify",
        about.story,
    )


def held(about: About) -> Said:
    """Of the note `held`."""
    return Said(
        f"its rises are held ({about.signed}); without them its quantity is {about.after}",
        about.ways_out,
    )


def taken_back(about: About) -> Said:
    """Of the note `taken_back`."""
    return Said(
        f"rises that were held are gone again ({about.units}): taken for a mistake that was taken "
        "back, and not counted as sales",
        f"If they were sold off the shelf, lower one {about.one} by "
        f"{sum(about.note.levels.values())} in Shopify",
        about.story,
    )


def settled(about: About) -> Said:
    """Of the note `settled`."""
    return Said(
        f"somebody made its {about.one}s agree while rises were held ({about.units}): that is its "
        f"quantity now ({about.move})",
        f"If that is wrong, set one {about.one} to the right number in Shopify: the others follow",
    )


def stock_moved(about: About) -> Said:
    """Of the note `stock_moved`."""
    came = sum(about.note.levels.values())
    stays = about.plan.before == about.after
    was, so = ("a restock", "raise") if came > 0 else ("sold", "lower")
    return Said(
        f"a level left that held {about.note.units}, and its stock came to {about.signed}: taken "
        f"for the same stock, moved by Shopify, and not counted; "
        f"{'it stays at' if stays else 'it comes to'} {about.after}",
        f"If it was {was}, {so} one {about.one} by {abs(came)} in Shopify",
    )


def last_falls(about: About) -> Said:
    """Of the note `last_falls`."""
    return Said(
        f"it is kept in step no longer; what was sold of it until then ({about.signed}) is taken "
        f"off its other {about.one}s for the last time ({about.move})"
    )


def overwritten(about: About) -> Said:
    """Of the note `overwritten`."""
    refused = sum(about.note.levels.values())
    return Said(
        f"another program writes its own number over what invsync sends ({refused} units so "
        f"far): not counted, and lowered again to {about.to_read}",
        "Take this product out of that program, or out of the filter here. If the rises were "
        f"restocks, raise one {about.one} by another number; that you have seen this: "
        f"{about.command(' --force')}",
    )


def another_program(about: About) -> Said:
    """Of the note `another_program`."""
    ran_down = f", and ran it down by {about.note.units} units" if about.note.units else ""
    return Said(
        f"another program answers whatever invsync sends{ran_down}, so it is left alone",
        f"Stop that program, set all its {about.one}s to the right number in Shopify, then run: "
        f"{about.command(' --init')}",
    )


def fell_alike(about: About) -> Said:
    """Of the note `fell_alike`."""
    below = f", {about.note.units} more than there were" if about.note.units else ""
    read = {now.available for now in about.plan.seen.values()}
    number = f"to {read.pop()}" if len(read) == 1 else "to the right number"
    return Said(
        f"all its {about.one}s fell alike, off the shelf ({about.signed}){below}: counted as sales "
        f"({about.move})",
        f"If it was a count typed into all, set one {about.one} {number} in Shopify: the others "
        "follow",
    )


def oversold(about: About) -> Said:
    """Of the note `oversold`."""
    return Said(
        f"more was sold than there was ({about.signed}; {about.move}): {about.note.units} units "
        "are owed",
        f"Restock one {about.one}, or cancel orders, in Shopify: the others follow",
    )


def new_level_stock(about: About) -> Said:
    """Of the note `new_level_stock`."""
    further = sum(about.note.levels.values())
    return Said(
        f"a new {about.one} came with stock of its own ({about.units}), which is not added: it is "
        f"brought to {about.to_read}",
        f"If these are further units, raise one {about.one} by {further} in Shopify"
        if further > 0
        else "",
    )


def raise_closed(about: About) -> Said:
    """Of the note `raise_closed`."""
    return Said(
        f"{about.one}s that invsync had yet to raise were raised by somebody ({about.signed}), "
        f"which is taken for that raise and not counted; brought to {about.to_read}",
        f"If these are further units, raise one {about.one} by {sum(about.note.levels.values())} "
        "in Shopify",
    )


def several_sources(about: About) -> Said:
    """Of the note `several_sources`."""
    return Said(
        f"several {about.one}s were raised ({about.signed}) before any had set the number: the "
        f"smallest is taken, {about.after}",
        f"If that is wrong, set one {about.one} to the right number in Shopify: the others follow",
    )


def lifted(about: About) -> Said:
    """Of the note `lifted`."""
    return Said(
        f"the {about.one} that was raised by {about.note.units} sets the number, {about.after}, "
        f"and lifts others by more than that ({about.signed})",
        f"If they hold less, set one {about.one} to the right number in Shopify: the others follow",
    )


def loose_units(about: About) -> Said:
    """Of the note `loose_units`."""
    return Said(
        f"packs were typed up; the loose units beside them are kept ({about.units}), so it comes "
        f"to {about.after}",
        f"If they were counted in, lower one {about.one} by as many in Shopify",
    )


def size_changed(about: About) -> Said:
    """Of the note `size_changed`."""
    return Said(
        f"the size of a pack is another than at the last run (it was {about.units}): what was sold "
        "counts with the larger of the two, what came in with the smaller",
        f"Look whether {about.after} is right",
    )


def beyond_bounds(about: About) -> Said:
    """Of the note `beyond_bounds`."""
    return Said(
        f"would have to read more than Shopify can hold ({about.units}), so nothing is sent or "
        "counted for it",
        f"Set its {about.one}s to the right number in Shopify",
    )


def not_as_set(about: About) -> Said:
    """Of the note `not_as_set`."""
    return Said(
        f"its {about.one}s do not agree ({about.units}), so they can't all be right as they stand: "
        f"what moved was counted as sales and restocks ({about.move})",
        f"If that is wrong, set one {about.one} to the right number in Shopify: the others follow",
    )


def adopted(about: About) -> Said:
    """Of the note `adopted`."""
    return Said(f"adopted at {about.after}")


def refused(why: str, command: Command) -> Said:
    """What is said of a pool whose adjustments Shopify refused. `why`: Shopify's message."""
    return Said(
        f"Shopify refused its adjustments: {why}",
        "Every run tries again; mend the product in Shopify or take it out of the filter, then "
        f"run: `invsync {command}{ONLY}`",
    )


def released(before: int | None, after: int | None) -> Said:
    """What is said of a pool of which `--force` let through what was held."""
    return Said(
        f"what was held is let through by --force ({before} → {after}); of several rises that were "
        "held at once, the smallest",
        "If they were separate restocks, or that is wrong otherwise, set one of its levels to the "
        "right number in Shopify: the others follow",
    )
