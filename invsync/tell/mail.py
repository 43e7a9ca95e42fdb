"""A run's outcome as cron mails it.

A subject, then a line for each thing, then the closing line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from invsync.state.told import Failing, Open
from invsync.tell import words
from invsync.tell.lines import NAMED, addressed, clean, counted, isolated, listed
from invsync.tell.news import News
from invsync.tell.outcome import Change, Outcome, Problem, Warning
from invsync.tell.sentences import for_pools
from invsync.tell.times import local, moment

#: How a dry run calls what it would do.
_PLANNED = {"adopted": "to adopt", "adjusted": "to adjust"}


def text(outcome: Outcome, *, invsync: str = "invsync", news: News | None = None) -> str:
    """The report as a mail: all of it, or of a run that nobody asked for what is `news`.

    `invsync`: how this very program and configuration are called, for the commands that a person
    copies.
    """
    letter = _Letter.of(outcome, news)
    return addressed("\n".join(_mail(letter)), invsync)


def failed(failing: Failing) -> str:
    """The error of a run that fails like those before it."""
    if failing.runs == 1:
        return failing.message
    since = _since(failing.since)
    return f"{failing.message} (this is so since {since}, for {failing.runs} runs)"


class _Letter(Struct, frozen=True):
    """What a mail holds, part by part.

    `since`: kind and pool of a problem → since when it stands, of those that are old.
    """

    outcome: Outcome
    changes: Sequence[Change]
    fresh: Sequence[Problem]
    still: Sequence[Problem]
    over: Sequence[Open]
    warnings: Sequence[Warning]
    again: Failing | None
    since: Mapping[tuple[str, str | None], str]

    @classmethod
    def of(cls, outcome: Outcome, news: News | None) -> _Letter:
        """All of a run, or what is news; each pool once: with its problem, else with its change.

        What a dry run would send is told of all.
        """
        warnings = outcome.warnings
        if news is None:
            news = News(outcome.problems, changes=True)
        elif not news.pressing:
            warnings = []
        told: set[str | None] = set()
        if not outcome.dry_run:
            told = {one.pool for one in (*news.fresh, *news.still)}
            told |= {one.pool for one in warnings}
        return cls(
            outcome,
            [one for one in outcome.changes if news.changes and one.pool not in told],
            news.fresh,
            news.still,
            news.over,
            warnings,
            news.again,
            news.since,
        )


def headline(outcome: Outcome, news: News | None = None) -> str:
    """What a mail about the run would have as its subject: the counts, what presses most first."""
    return _subject(_Letter.of(outcome, news))


def _subject(letter: _Letter) -> str:
    outcome = letter.outcome
    people = len({problem.pool or problem.message for problem in letter.fresh})
    still = len({problem.pool or problem.message for problem in letter.still})
    changed = len({change.pool for change in letter.changes})
    adopted = outcome.pools["adopted"]
    parts = ["not finished"] if outcome.error is not None else []
    if letter.again is not None:
        parts.append("works again")
    if people:
        parts.append(f"{people} need{'s' if people == 1 else ''} a person")
    if still:
        parts.append(f"{still} still open")
    if letter.over:
        parts.append(f"{len(letter.over)} resolved")
    if changed:
        parts.append(f"{changed} {'to change' if outcome.dry_run else 'changed'}")
    if adopted:
        parts.append(f"{adopted} {'to adopt' if outcome.dry_run else 'adopted'}")
    if letter.warnings:
        parts.append(counted(len(letter.warnings), "warning"))
    dry = " (DRY RUN)" if outcome.dry_run else ""
    init = " --init" if outcome.mode == "init" else ""
    return (
        f"invsync {outcome.command}{init}, {outcome.shop}{dry}: {', '.join(parts) or 'no changes'}"
    )


def summary(outcome: Outcome) -> str:
    """The closing line: how many pools stand how, and what that took."""
    pools, calls = outcome.pools, _PLANNED if outcome.dry_run else {}
    counts = [
        f"{count} {calls.get(kind, kind.replace('_', ' '))}"
        for kind, count in pools.items()
        if count and kind != "seen"
    ]
    parts = ["DRY RUN, nothing was sent or written"] if outcome.dry_run else []
    if outcome.error is not None:
        parts.append("not finished")
    if not (outcome.changes or pools["adopted"]):
        parts.append("no changes")
    if counts or outcome.error is None:
        parts.append(f"{counted(pools['seen'], 'pool')}: {', '.join(counts) or 'none'}")
    waited = (
        f", waited {outcome.waited_seconds:.0f} s for Shopify"
        if outcome.waited_seconds >= 1
        else ""
    )
    parts.append(
        f"{counted(outcome.requests, 'request')}, {counted(outcome.points, 'point')}, "
        f"{outcome.seconds:.1f} s{waited}"
    )
    return f"{outcome.command}: {'; '.join(parts)}"


def change_line(change: Change, *, dry_run: bool) -> str:
    """A pool in one line: what it is, from and to which quantity, what moved, what was sent."""
    moved = [f"{level.label} {level.movement:+d}" for level in change.levels if level.movement]
    sent = [
        f"{level.label} {level.delta:+d}"
        for level in change.levels
        if level.delta and level.applied
    ]
    unsent = _unsent(change) if dry_run else []
    parts = [quantity_of(change) if change.before != change.after else f"stays {change.after}"]
    if moved:
        parts.append(f"moved {listed(moved)}")
    if sent:
        parts.append(f"sent {listed(sent)}")
    if unsent:
        parts.append(f"to send {listed(unsent)}")
    return f"{isolated(clean(change.title))}: {clean('; '.join(parts))}"


def unsent_line(change: Change) -> str:
    """What of a change was not sent, and will be by the next run."""
    unsent = clean(listed(_unsent(change)))
    return f"{isolated(clean(change.title))}: {unsent}; the next run tries again"


def _unsent(change: Change) -> list[str]:
    return [
        f"{level.label} {level.delta:+d}"
        for level in change.levels
        if level.delta and not level.applied
    ]


def _mail(letter: _Letter) -> Iterator[str]:
    """What cron mails: a subject, then a paragraph for each thing, then the closing line."""
    outcome = letter.outcome
    dry = outcome.dry_run
    went = [change for change in letter.changes if dry or _took_effect(change)]
    stuck = [change for change in letter.changes if not dry and _is_stuck(change)]
    sections = (
        ("Works again:", [_again(letter.again)] if letter.again else []),
        ("To change:" if dry else "Changed:", [change_line(one, dry_run=dry) for one in went]),
        ("Not sent:", [unsent_line(one) for one in stuck]),
        ("Needs a person:", paragraphs(letter.fresh)),
        ("Still open:", paragraphs(letter.still, letter.since)),
        ("Resolved:", [_resolved(one) for one in letter.over]),
        ("To know:", _warnings(letter.warnings, _titles(outcome))),
    )
    if any(lines for _, lines in sections) or outcome.pools["adopted"]:
        yield _subject(letter)
        yield ""
    for name, lines in sections:
        if lines:
            yield name
            yield from lines
            yield ""
    yield summary(outcome)


def _took_effect(change: Change) -> bool:
    """Whether anything of a change is so now."""
    sent = any(level.delta and level.applied for level in change.levels)
    return sent or not _is_stuck(change)


def _is_stuck(change: Change) -> bool:
    """Whether something of a change was not sent."""
    return any(level.delta and not level.applied for level in change.levels)


def _again(failing: Failing) -> str:
    runs = counted(failing.runs, "run")
    since = _since(failing.since)
    return clean(f"{runs} had failed since {since}; nothing is lost. It was: {failing.message}")


def _resolved(one: Open) -> str:
    where = f" ({_short_id(one.pool)})" if one.pool and one.title else ""
    kind = one.kind.replace("_", " ")
    return clean(f"{one.title or kind}{where}: {kind}, since {_since(one.since)}")


def _since(text: str) -> str:
    then = moment(text)
    return text if then is None else local(then)


def paragraphs(
    problems: Sequence[Problem], since: Mapping[tuple[str, str | None], str] | None = None
) -> list[str]:
    """A paragraph a problem; of one kind with one mend, all in one, with their names.

    `since`: of those that are old, since when. What another problem of the pool tells is left out,
    and the problems of one pool stand together.
    """
    kinds = {(problem.pool, problem.kind) for problem in problems}
    alike: dict[tuple[str, str], list[Problem]] = {}
    alone: dict[str, list[Problem]] = {}
    for problem in problems:
        meaning = words.meaning_of(problem.kind)
        if meaning and (problem.pool, meaning.told_with) in kinds:
            continue
        if problem.mend and problem.pool:
            alike.setdefault((problem.kind, problem.mend), []).append(problem)
        else:
            alone.setdefault(problem.pool or problem.message, []).append(problem)
    several = [group for group in alike.values() if len(group) > 1]
    for (one,) in (group for group in alike.values() if len(group) == 1):
        alone.setdefault(one.pool or one.message, []).append(one)
    return [
        *(_together(group, since or {}) for group in several),
        *(_of_one(group, since or {}) for group in alone.values()),
    ]


def _together(group: Sequence[Problem], since: Mapping[tuple[str, str | None], str]) -> str:
    """Problems of one kind with one mend."""
    first = group[0]
    lines = [f"{len(group)} pools, {first.kind.replace('_', ' ')}:"]
    for one in group[:NAMED]:
        what = one.message.partition(for_pools(one.mend, [one.pool or ""]))[0].rstrip(". ")
        lines.append(f"- {_named(what, one.title, _where(one))}{_open_since(one, since)}")
    if len(group) > NAMED:
        lines.append(f"- and {len(group) - NAMED} more: `invsync status`")
    pools = [one.pool or "" for one in group]
    lines.append(for_pools(first.mend, pools if len(pools) <= NAMED else []))
    return "\n".join(lines)


def _of_one(group: Sequence[Problem], since: Mapping[tuple[str, str | None], str]) -> str:
    """The problems of one pool."""
    first, *others = group
    said = f"{_named(first.message, first.title, _where(first))}{_open_since(first, since)}"
    for one in others:
        what = one.message.removeprefix(one.title or "").removeprefix(": ")
        said += f". Also: {clean(what)}{_open_since(one, since)}"
    return said


def _open_since(problem: Problem, since: Mapping[tuple[str, str | None], str]) -> str:
    then = since.get((problem.kind, problem.pool))
    return "" if then is None else f" (open since {_since(then)})"


def problem_lines(outcome: Outcome) -> list[str]:
    """A line a problem.

    What another problem of the pool tells is left out, and many are summed up.
    """
    kinds = {(problem.pool, problem.kind) for problem in outcome.problems}
    lines: list[str] = []
    alike: Counter[str] = Counter()
    for problem in outcome.problems:
        meaning = words.meaning_of(problem.kind)
        if meaning and (problem.pool, meaning.told_with) in kinds:
            continue
        many = meaning.many if meaning else None
        if many:
            alike[many] += 1
        if many is None or alike[many] <= NAMED:
            lines.append(_named(problem.message, problem.title, _where(problem)))
    summed_up = (
        f"and {count - NAMED} {many}: `invsync status`"
        for many, count in alike.items()
        if count > NAMED
    )
    return [*lines, *summed_up]


def warning_lines(outcome: Outcome) -> list[str]:
    """A line a warning."""
    return _warnings(outcome.warnings, _titles(outcome))


def _warnings(warnings: Sequence[Warning], titles: Mapping[str, str]) -> list[str]:
    return [
        _named(one.message, titles.get(one.pool or ""), _short_id(one.pool or ""))
        for one in warnings
    ]


def _titles(outcome: Outcome) -> dict[str, str]:
    """What the pools that a run tells of are called."""
    titles = {change.pool: change.title for change in outcome.changes}
    named = (problem for problem in outcome.problems if problem.pool and problem.title)
    return titles | {problem.pool or "": problem.title or "" for problem in named}


def _named(message: str, title: str | None, where: str) -> str:
    """The message, with the pool's id after its title."""
    if not title or not where:
        return clean(message)
    said = message.removeprefix(title).removeprefix(": ")
    return f"{isolated(clean(title))} ({where}): {clean(said)}"


def _where(problem: Problem) -> str:
    """Where a person finds the pool in Shopify.

    Its id, and its SKU where all its levels have the same.
    """
    labels = {level.sku for level in problem.levels}
    where = _short_id(problem.pool or "")
    one = len(labels) == 1 and len(problem.levels) > 1 and not where.startswith("sku:")
    return f"{clean(labels.pop())}, {where}" if one else where


def _short_id(pool: str) -> str:
    """`product 7` for gid://shopify/Product/7; what is no product or item goes by its own name."""
    gid = pool.partition("@gid:")[0]
    if not gid.startswith("gid:"):
        return clean(gid)
    kind, _, number = gid.removeprefix("gid://shopify/").rpartition("/")
    return f"{ {'Product': 'product', 'InventoryItem': 'item'}.get(kind, kind) } {number}".strip()


def quantity_of(change: Change) -> str:
    """The quantity of a pool before and after."""
    before = "none" if change.before is None else str(change.before)
    after = "none" if change.after is None else str(change.after)
    return after if before == after else f"{before} → {after}"
