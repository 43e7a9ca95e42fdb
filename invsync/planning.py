"""From a sight to a plan.

The rule as the configuration and the command line set it, and what it has to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from invsync.order import Known, Order
from invsync.pools import Name, Scope, Sight
from invsync.state.records import Account, Adjusted, Movement, Observed, Quantity, Told
from invsync.sync import (
    Adjustment,
    LevelId,
    Managed,
    Plan,
    Pool,
    Reading,
    Rules,
    Unmanaged,
    adopt,
    align,
    plan,
)
from invsync.tell import words
from invsync.tell.outcome import Change, LevelChange, Problem, Shown, Warning
from invsync.tell.sentences import About

#: `whole`: as planned, or refused; `again`: it moved meanwhile, and is read and planned afresh;
#: `left`: it moved each time, and is left to the next run.
End = Literal["whole", "again", "left"]


class Work(Struct):
    """A planned pool on its way: what of it was applied, and how it ended.

    `notes`: what the plan has to tell; `brake`: the brake was on when it was planned; `unshown`:
    when a level moved of which the feed of changes showed nothing. `sent`: the history's lines of
    what was applied; `refused`: Shopify's message.
    """

    id: str
    title: str
    plan: Plan
    names: Mapping[LevelId, Name]
    notes: tuple[Problem | Warning, ...] = ()
    brake: bool = False
    unshown: str | None = None
    applied: set[LevelId] = set()
    sent: list[Adjusted] = []
    refused: str | None = None
    end: End = "whole"

    @property
    def goes_on(self) -> bool:
        """Whether its adjustments are still to be sent."""
        return self.refused is None and self.end == "whole"

    @property
    def rises(self) -> bool:
        """Whether the plan counts a rise that raises other levels."""
        return self.plan.risen > 0 and len(self.plan.seen) > 1

    @property
    def holds_back(self) -> bool:
        """Whether a rise of this run waits for a person."""
        held = self.plan.pool.held if isinstance(self.plan.pool, Managed) else {}
        return any(self.plan.movements.get(level, 0) > 0 for level in held)

    @property
    def pool(self) -> Pool:
        """What to remember of the pool, as things stand."""
        return self.plan.settle(self.applied)

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The levels, as a problem shows them."""
        return shown(self.plan, self.names)

    def change(self) -> Change:
        """Its row in the report."""
        made = self.plan
        deltas = {adjustment.level: adjustment.delta for adjustment in made.adjustments}
        rows = tuple(
            LevelChange(
                level.item,
                self.names[level].sku,
                self.names[level].label,
                level.location,
                now.available,
                made.movements.get(level, 0),
                deltas.get(level, 0),
                level not in deltas or level in self.applied,
            )
            for level, now in made.seen.items()
            if level in deltas or level in made.movements
        )
        return Change(self.id, self.title, made.before, made.after, made.why, rows)

    def account(self) -> Account:
        """What the journal and the history keep of the plan."""
        return Account(
            title=self.title,
            why=self.plan.why,
            quantity=Quantity(self.plan.before, self.plan.after),
            moved=tuple(
                Movement(
                    item=level.item,
                    sku=self.names[level].sku,
                    name=self.names[level].label,
                    location=level.location,
                    movement=movement,
                    how=self.plan.how.get(level, "unknown"),
                )
                for level, movement in self.plan.movements.items()
            ),
            notes=tuple(
                Told(note.kind, note.message, isinstance(note, Problem)) for note in self.notes
            ),
        )

    def read(self, adjustment: Adjustment) -> Observed:
        """What the journal and the history keep of a level."""
        name = self.names[adjustment.level]
        return Observed(name.sku, name.label, adjustment.observed)


class Planning(Struct, frozen=True):
    """The rule, as the configuration and the command line set it."""

    order: Order
    scope: Scope
    known: Known

    def work(self, sight: Sight, *, brake: bool = False) -> Work | None:
        """What a reading makes of a pool; None where `--init` has nothing to say of it."""
        seen, pool = sight.seen(self.scope), self.known.cache.get(sight.id)
        if not self.order.options.init or sight.id in self.known.doubted:
            made = plan(pool, seen, self._rules(pool, seen, brake=brake))
        elif isinstance(pool, Managed):
            return None
        else:
            made = self._first(seen, self._rules(pool, seen, brake=False))
        return self._told(sight.id, sight.title, made, self._names(sight, pool), brake=brake)

    def _names(self, sight: Sight, pool: Pool | None) -> dict[LevelId, Name]:
        """What people call the levels, also those that the pool had and that are gone."""
        gone = Name("", f"a {self.scope.axis.one} that left")
        return {**dict.fromkeys(pool.levels if pool else (), gone), **sight.names(self.scope)}

    def braked(self, work: Work) -> Work:
        """The same reading, now that the brake is on."""
        pool, seen = self.known.cache.get(work.id), work.plan.seen
        made = plan(pool, seen, self._rules(pool, seen, brake=True))
        held = self._told(work.id, work.title, made, work.names, brake=True)
        held.unshown = work.unshown
        return held

    def unaligned(self, work: Work) -> Work:
        """The same reading, where nothing is to be aligned."""
        made = plan(None, work.plan.seen)
        return self._told(work.id, work.title, made, work.names)

    def _first(self, seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
        """A pool that is not managed, in `--init`: adopted where its levels agree, nothing sent."""
        if made := adopt(seen, rules):
            return replace(made, adjustments=())
        to = self.order.options.align
        return align(seen, to, rules) if to else plan(None, seen)

    def _rules(self, pool: Pool | None, seen: Mapping[LevelId, Reading], *, brake: bool) -> Rules:
        """The rules in force. A single level is no pool: what is kept back of it stays so."""
        kept = pool.reserve if isinstance(pool, Managed) else 0
        reserve = self.scope.reserve if len(seen) > 1 else kept
        return Rules(
            several_rises=self.order.section.several_rises,
            brake=brake and len(seen) > 1,
            release=self.order.options.force,
            follow=self.scope.axis.follows,
            fresh=self.known.seeded,
            reserve=reserve,
        )

    def _told(
        self,
        pool: str,
        title: str,
        made: Plan,
        names: Mapping[LevelId, Name],
        *,
        brake: bool = False,
    ) -> Work:
        """A plan with what it has to tell."""
        if left := self._untold(pool, title, made, names):
            return Work(pool, title, replace(made, notes=()), names, (left,))
        if all(words.weight(note) == "silent" for note in made.notes):
            return Work(pool, title, made, names, (), brake)  # nearly all pools, at `--init`
        labels = {level: name.label for level, name in names.items()}
        policy = self.order.section.several_rises
        about = [
            About(note, made, title, labels, self.scope.axis, policy, pool) for note in made.notes
        ]
        notes = words.told(about, shown(made, names))
        return Work(pool, title, made, names, notes, brake)

    def _untold(
        self, pool: str, title: str, made: Plan, names: Mapping[LevelId, Name]
    ) -> Problem | None:
        """The problem of a pool that is left alone since what became of a batch can't be told."""
        entry = self.known.cache.pools.get(pool)
        problem = entry.problem if entry else None
        if problem is None or not isinstance(made.pool, Unmanaged) or not made.pool.left_alone:
            return None
        left = untold(pool, title, problem.message, shown(made, names))
        return left if problem.kind == left.kind else None


def untold(pool: str, title: str, message: str, levels: tuple[Shown, ...] = ()) -> Problem:
    """A pool that is left alone, since what became of adjustments that were sent can't be told."""
    return Problem("old_journal", pool, title, message, levels)


def shown(made: Plan, names: Mapping[LevelId, Name]) -> tuple[Shown, ...]:
    """The levels of a plan, as a problem shows them."""
    return tuple(
        Shown(level.item, names[level].sku or names[level].label, level.location, now.available)
        for level, now in made.seen.items()
    )
