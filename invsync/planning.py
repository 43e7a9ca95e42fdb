"""From a sight to a plan.

The rule as the configuration and the command line set it, and what it has to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from invsync import grouping
from invsync.axis import Grouped
from invsync.order import Known, Order
from invsync.pools import Name, Scope, Sight
from invsync.state.records import Account, Adjusted, Movement, Observed, Quantity, Told
from invsync.sync import (
    PLAIN,
    Adjustment,
    LevelId,
    Managed,
    Plan,
    Pool,
    Reading,
    Rules,
    Units,
    Unmanaged,
    adopt,
    align,
    as_they_stand,
    leave,
    plan,
)
from invsync.tell import words
from invsync.tell.outcome import Change, LevelChange, Problem, Shown, Warning
from invsync.tell.sentences import About

#: `whole`: as planned, or refused; `again`: it moved meanwhile, and is read and planned afresh;
#: `left`: it moved each time, and is left to the next run.
End = Literal["whole", "again", "left"]


class Given(Struct, frozen=True):
    """What a plan is made of beside the reading.

    `also_fell`: falls, in units, of levels that left the pool, or came from another one. `notes`:
    what is to be told of that. `barred`: nothing is made of it until a person has mended something;
    `brake`: the brake was on. `paused`: its product has the tag that pauses.
    """

    rules: Rules = PLAIN
    also_fell: Units = {}
    notes: tuple[Problem | Warning, ...] = ()
    barred: bool = False
    brake: bool = False
    paused: bool = False


class Work(Struct):
    """A planned pool on its way: what of it was applied, and how it ended.

    `given`: what the plan is made of; `notes`: what it has to tell; `unshown`: when a level moved
    of which the feed of changes showed nothing. `sent`: the history's lines of what was applied;
    `refused`: Shopify's message.
    """

    id: str
    title: str
    plan: Plan
    names: Mapping[LevelId, Name]
    given: Given = field(default_factory=Given)
    notes: tuple[Problem | Warning, ...] = ()
    unshown: str | None = None
    applied: set[LevelId] = set()
    sent: list[Adjusted] = []
    refused: str | None = None
    end: End = "whole"

    @property
    def brake(self) -> bool:
        """Whether the brake was on when it was planned."""
        return self.given.brake

    @property
    def goes_on(self) -> bool:
        """Whether its adjustments are still to be sent."""
        return self.refused is None and self.end == "whole"

    @property
    def paused(self) -> bool:
        """Whether its product still has the tag that pauses."""
        return self.given.paused

    @property
    def leaves(self) -> bool:
        """Whether, once that is done, it is a pool no more."""
        return self.plan.why == "leaves"

    @property
    def over(self) -> bool:
        """Whether it leaves, and all that was to be sent before that was sent."""
        return self.leaves and self.refused is None and self.end == "whole"

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
                self.given.rules.size(level),
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


class Paused(Struct, frozen=True):
    """A pool that is left alone as it was read, since a person has paused it, by `tag` or not."""

    id: str
    title: str
    seen: Mapping[LevelId, Reading]
    tag: bool


class Planning(Struct, frozen=True):
    """The rule, as the configuration and the command line set it."""

    order: Order
    scope: Scope
    known: Known

    def work(self, sight: Sight, *, brake: bool = False) -> Work | Paused | None:
        """What a reading makes of a pool; None where `--init` has nothing to say of it."""
        seen, pool = sight.seen(self.scope), self.known.cache.get(sight.id)
        if self._stands_still(sight):
            return Paused(sight.id, sight.title, seen, sight.paused)
        if barred := grouping.barred(sight, self.scope, pool):
            return self._kept(sight, pool, barred)
        first = self.order.options.init and sight.id not in self.known.doubted
        if first and isinstance(pool, Managed):
            return None
        given = self._given(sight, seen, pool)
        if not first:
            made = self._plan(pool, seen, given, brake=brake)
        else:
            made = self._first(seen, given.rules)
        # Of a level of what is adopted at a first look, nothing is told that would need its name.
        plain = first and made.why == "adopted" and not given.notes
        names = {} if plain else self._names(sight, pool)
        return self._told(sight.id, sight.title, made, names, given, brake=brake)

    def _stands_still(self, sight: Sight) -> bool:
        """Whether a pool is paused; not where a person has to say, or says, what its number is."""
        if self.order.options.as_set or sight.id in self.known.doubted:
            return False
        return sight.paused or self.known.pauses.of(sight.id) is not None

    def _plan(
        self, pool: Pool | None, seen: Mapping[LevelId, Reading], given: Given, *, brake: bool
    ) -> Plan:
        """What the rule makes of a pool, or the person's word where there is one."""
        made = as_they_stand if self.order.options.as_set else plan
        rules = self._braked(given.rules, seen, brake=brake)
        return made(pool, seen, rules, given.also_fell)

    def last(self, sight: Sight) -> Work | None:
        """A pool that is no more what is asked for: what was sold of it until then is passed on.

        None where there is nothing to send.
        """
        pool = self.known.cache.get(sight.id)
        if not isinstance(pool, Managed) or self.order.options.init or self._stands_still(sight):
            return None
        seen = {at: now for at, now in sight.left.items() if at in pool.levels}
        made = leave(pool, seen)
        if not made.adjustments:
            return None
        return self._told(sight.id, sight.title, made, self._names(sight, pool), Given())

    def _given(self, sight: Sight, seen: Mapping[LevelId, Reading], pool: Pool | None) -> Given:
        """The rules for the pool, and what its levels did that left it or came to it."""
        rules = self._rules(pool, seen, sight.sizes)
        if not isinstance(pool, Managed):
            return Given(rules, paused=sight.paused)
        members, axis = self.known.members, self.scope.axis
        if not sight.left and not isinstance(axis, Grouped):
            return Given(rules, paused=sight.paused)
        fell = {
            at: members.left(sight.id, at, now)
            for at, now in sight.left.items()
            if at in pool.levels
        }
        came = {at: home for at in seen if at not in pool.levels and (home := members.home(at))}
        fell |= {at: members.fell(home, at, seen[at]) for at, home in came.items()}
        notes = grouping.notes(sight, self.scope, came, seen, self.known.cache)
        return Given(rules, fell, notes, paused=sight.paused)

    def _names(self, sight: Sight, pool: Pool | None) -> dict[LevelId, Name]:
        """What people call the levels, also those that the pool had and that are gone."""
        gone = Name("", f"a {self.scope.axis.one} that left")
        return {**dict.fromkeys(pool.levels if pool else (), gone), **sight.names(self.scope)}

    def braked(self, work: Work) -> Work:
        """The same reading, now that the brake is on."""
        pool, seen, given = self.known.cache.get(work.id), work.plan.seen, work.given
        made = self._plan(pool, seen, given, brake=True)
        held = self._told(work.id, work.title, made, work.names, given, brake=True)
        held.unshown = work.unshown
        return held

    def unaligned(self, work: Work) -> Work:
        """The same reading, where nothing is to be aligned."""
        made = plan(None, work.plan.seen, Rules(sizes=work.given.rules.sizes))
        return self._told(work.id, work.title, made, work.names, work.given)

    def _first(self, seen: Mapping[LevelId, Reading], rules: Rules) -> Plan:
        """A pool that is not managed, in `--init`: adopted where its levels agree, nothing sent."""
        if made := adopt(seen, rules):
            return replace(made, adjustments=())
        to = self.order.options.align
        return align(seen, to, rules) if to else plan(None, seen, Rules(sizes=rules.sizes))

    def _rules(self, pool: Pool | None, seen: Mapping[LevelId, Reading], sizes: Units) -> Rules:
        """The rules in force. A single level is no pool: what is kept back of it stays so."""
        kept = pool.reserve if isinstance(pool, Managed) else 0
        known = frozenset(level.location for level in pool.levels) if pool else frozenset()
        return Rules(
            several_rises=self.order.section.several_rises,
            release=self.order.options.force,
            follow=self.scope.axis.follows,
            fresh=self.known.seeded,
            sizes=sizes,
            reserve=self.scope.reserve if len(seen) > 1 else kept,
            closed=known - self.scope.locations.keys(),
        )

    def _braked(self, rules: Rules, seen: Mapping[LevelId, Reading], *, brake: bool) -> Rules:
        return replace(rules, brake=True) if brake and len(seen) > 1 else rules

    def _kept(self, sight: Sight, pool: Pool | None, problem: Problem) -> Work:
        """A pool of which nothing is sent or counted until a person has mended it."""
        seen = {**sight.seen(self.scope), **{at: sight.left[at] for at in sight.unsized}}
        before = pool.quantity if isinstance(pool, Managed) else None
        kept = pool if isinstance(pool, Managed) else Unmanaged(seen)
        made, names = Plan(before, kept, seen), self._names(sight, pool)
        problem = replace(problem, levels=shown(made, names))
        return Work(sight.id, sight.title, made, names, Given(barred=True), (problem,))

    def aside(self, pool_id: str) -> Work:
        """A pool that no run looks at but a complete scan: what stands of it is told again."""
        entry, pool = self.known.cache.pools[pool_id], self.known.cache.get(pool_id)
        assert entry.problem is not None
        assert isinstance(pool, Unmanaged)
        problem = Problem(entry.problem.kind, pool_id, entry.title, entry.problem.message)
        made = Plan(None, pool, pool.levels)
        return Work(pool_id, entry.title, made, {}, Given(barred=True), (problem,))

    def _told(
        self,
        pool: str,
        title: str,
        made: Plan,
        names: Mapping[LevelId, Name],
        given: Given,
        *,
        brake: bool = False,
    ) -> Work:
        """A plan with what it has to tell."""
        given = replace(given, brake=brake) if brake else given
        if left := self._untold(pool, title, made, names):
            return Work(pool, title, replace(made, notes=()), names, given, (left,))
        if all(words.weight(note, made.before) == "silent" for note in made.notes):
            # nearly all pools, at `--init`
            return Work(pool, title, made, names, given, given.notes)
        labels = {level: name.label for level, name in names.items()}
        policy = self.order.section.several_rises
        about = [
            About(note, made, title, labels, self.scope.axis, policy, pool) for note in made.notes
        ]
        notes = (*words.told(about, shown(made, names)), *given.notes)
        return Work(pool, title, made, names, given, notes)

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
