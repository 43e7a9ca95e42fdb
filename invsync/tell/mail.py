"""A run's outcome as cron mails it.

A subject, then a line for each thing, then the closing line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from invsync.tell import words
from invsync.tell.lines import NAMED, addressed, clean, counted, isolated, listed
from invsync.tell.outcome import Change, Outcome, Problem

#: How a dry run calls what it would do.
_PLANNED = {"adopted": "to adopt", "adjusted": "to adjust"}


def text(outcome: Outcome, *, invsync: str = "invsync") -> str:
    """The report as a mail.

    `invsync`: how this very program and configuration are called, for the commands that a person
    copies.
    """
    return addressed("\n".join(_mail(outcome)), invsync)


def headline(outcome: Outcome) -> str:
    """What a mail about the run would have as its subject: the counts, what presses most first."""
    people = len({problem.pool or problem.message for problem in outcome.problems})
    changed = len({change.pool for change in outcome.changes})
    adopted = outcome.pools["adopted"]
    parts = ["not finished"] if outcome.error is not None else []
    if people:
        parts.append(f"{people} need{'s' if people == 1 else ''} a person")
    if changed:
        parts.append(f"{changed} {'to change' if outcome.dry_run else 'changed'}")
    if adopted:
        parts.append(f"{adopted} {'to adopt' if outcome.dry_run else 'adopted'}")
    if outcome.warnings:
        parts.append(counted(len(outcome.warnings), "warning"))
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
    unsent = [
        f"{level.label} {level.delta:+d}"
        for level in change.levels
        if level.delta and not level.applied
    ]
    parts = [quantity_of(change) if change.before != change.after else f"stays {change.after}"]
    if moved:
        parts.append(f"moved {listed(moved)}")
    if sent:
        parts.append(f"sent {listed(sent)}")
    if unsent:
        parts.append(f"{'to send' if dry_run else 'not sent'} {listed(unsent)}")
    return f"{isolated(clean(change.title))}: {clean('; '.join(parts))}"


def _mail(outcome: Outcome) -> Iterator[str]:
    """What cron mails: a subject, then a line for each thing, then the closing line."""
    sections = (
        ("To change:" if outcome.dry_run else "Changed:", change_lines(outcome)),
        ("Needs a person:", problem_lines(outcome)),
        ("To know:", warning_lines(outcome)),
    )
    if outcome.eventful:
        yield headline(outcome)
        yield ""
    for name, lines in sections:
        if lines:
            yield name
            yield from lines
            yield ""
    yield summary(outcome)


def change_lines(outcome: Outcome) -> list[str]:
    """A line a change."""
    return [change_line(change, dry_run=outcome.dry_run) for change in outcome.changes]


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
    titles = {change.pool: change.title for change in outcome.changes}
    titles.update(
        {
            problem.pool: problem.title
            for problem in outcome.problems
            if problem.pool and problem.title
        }
    )
    return [
        _named(warning.message, titles.get(warning.pool or ""), _short_id(warning.pool or ""))
        for warning in outcome.warnings
    ]


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
