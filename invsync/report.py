"""A run's outcome: as a person at a terminal sees it, as cron mails it, and as JSON.

The JSON keys are a public interface. A message is one line: it begins with the pool's title, says
what happened, names levels by SKU or location, and ends with what to do next; a command to run
stands last, in backticks, so that a terminal can show it on a line of its own.
"""

from __future__ import annotations

import json
import shlex
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any, Literal, TextIO

import click

from invsync.sync import Note, Plan

#: How each pool that was looked at is counted: exactly once, by the first of these that is true of
#: it.
Standing = Literal["failed", "held", "out_of_sync", "adopted", "adjusted", "in_step"]

#: Levels that a message spells out before it only counts the rest.
_NAMED = 8
#: The narrowest screen that a table is laid out for, and the widest on which a paragraph is good to
#: read.
_NARROWEST, _WIDEST = 60, 100
#: Lines that the title of a pool may take in a table.
_TITLE_LINES = 3
#: The columns of a table that hold numbers, and so end alike; what stands between columns; how
#: heads look.
_NUMBERS = (1, 3, 4)
_GAP = "  "
_BOLD = {"bold": True}
#: How a dry run calls what it would do.
_PLANNED = {"adopted": "to adopt", "adjusted": "to adjust"}


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What one level read, how it moved since the last run, and what was sent for it. `location`: its name."""

    item: str
    sku: str
    name: str
    location: str
    observed: int
    movement: int
    delta: int
    applied: bool

    @property
    def label(self) -> str:
        """What people call the level."""
        return self.name


@dataclass(frozen=True, slots=True)
class Change:
    """A pool whose quantity changed, or for which adjustments were planned."""

    pool: str
    title: str
    before: int | None
    after: int | None
    why: str
    levels: tuple[LevelChange, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A level of a problem: its item, SKU (or, without one, its name) and location, and what it read."""

    item: str
    sku: str
    location: str
    observed: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs a person; the run exits 3. `levels`: what each reads, and what people call it."""

    kind: str
    pool: str | None
    title: str | None
    message: str
    levels: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that a person should know."""

    kind: str
    pool: str | None
    message: str


@dataclass(slots=True)
class Outcome:
    """All that a run did, filled in as it goes; `exit_code` follows from it.

    `error` is what ended it early, `left` how many pools it had still to deal with then.
    """

    command: str
    shop: str
    mode: str
    dry_run: bool
    started_at: str
    scan: str = "complete"
    scan_why: str = ""
    seconds: float = 0.0
    seen: int = 0
    left: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    requests: int = 0
    points: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    error: Exception | None = None

    @property
    def exit_code(self) -> int:
        """0 in step, 3 when a person is needed, else what the error says."""
        if self.error is not None:
            return int(getattr(self.error, "exit_code", 1))
        return 3 if self.problems else 0

    @property
    def pools(self) -> dict[str, int]:
        """How the pools stand, a pool counted once."""
        counts = {
            kind: self.standings[kind]
            for kind in ("adopted", "adjusted", "out_of_sync", "held", "failed")
        }
        return {
            "seen": self.seen,
            "in_step": max(0, self.seen - sum(counts.values()) - self.left),
            **counts,
        }

    @property
    def eventful(self) -> bool:
        """Whether there is anything that cron's mail should tell, beside the line of an error, which goes to stderr."""
        return bool(self.changes or self.problems or self.warnings or self.standings["adopted"])


def document(outcome: Outcome) -> dict[str, Any]:
    """The JSON document of a run."""
    problems = outcome.problems
    if outcome.error is not None:
        problems = [*problems, Problem("stopped", None, None, str(outcome.error))]
    return {
        "command": outcome.command,
        "shop": outcome.shop,
        "mode": outcome.mode,
        "dry_run": outcome.dry_run,
        "scan": outcome.scan,
        "scan_why": outcome.scan_why,
        "started_at": outcome.started_at,
        "seconds": round(outcome.seconds, 3),
        "pools": outcome.pools,
        "skipped": dict(sorted(outcome.skipped.items())),
        "changes": [
            {
                "pool": change.pool,
                "title": change.title,
                "quantity": {"from": change.before, "to": change.after},
                "levels": [
                    {
                        "item": level.item,
                        "sku": level.sku,
                        "location": level.location,
                        "observed": level.observed,
                        "movement": level.movement,
                        "delta": level.delta,
                        "applied": level.applied,
                    }
                    for level in change.levels
                ],
            }
            for change in outcome.changes
        ],
        "problems": [
            {
                "kind": problem.kind,
                "pool": problem.pool,
                "title": problem.title,
                "message": problem.message,
                "levels": [
                    {
                        "item": level.item,
                        "sku": level.sku,
                        "location": level.location,
                        "observed": level.observed,
                    }
                    for level in problem.levels
                ],
            }
            for problem in problems
        ],
        "warnings": [
            {"kind": warning.kind, "pool": warning.pool, "message": warning.message}
            for warning in outcome.warnings
        ],
        "api": {
            "requests": outcome.requests,
            "points": outcome.points,
            "throttled": outcome.throttled,
            "waited_seconds": round(outcome.waited_seconds, 3),
        },
    }


def to_json(outcome: Outcome, encoding: str = "utf-8") -> str:
    """The JSON document as text."""
    return json.dumps(
        document(outcome), ensure_ascii=encoding.lower().replace("-", "") != "utf8", indent=2
    )


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal that the report is laid out for. `width`: columns."""

    width: int
    colour: bool

    def style(self, words: str, **how: Any) -> str:
        """The words in colour (`how`: as `click.style` takes it), where there is colour."""
        return click.style(words, **how) if self.colour and words and how else words


def screen(stream: TextIO, environ: Mapping[str, str]) -> Screen | None:
    """The terminal behind `stream`; None if there is none. `NO_COLOR` (https://no-color.org) and TERM=dumb count."""
    if not stream.isatty():
        return None
    colour = not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
    return Screen(shutil.get_terminal_size().columns, colour)


def text(outcome: Outcome, terminal: Screen | None = None, *, invsync: str = "invsync") -> str:
    """The report: for the terminal if there is one, else as a mail.

    `invsync`: how this very program and configuration are called, for the commands that a person
    copies.
    """
    if terminal is None:
        return addressed("\n".join(_mail(outcome)), invsync)
    return "\n".join(_screenful(outcome, terminal, invsync))


def addressed(message: str, invsync: str) -> str:
    """The message with its commands as they have to be typed here; see `text`."""
    return message.replace("`invsync ", f"`{invsync} ")


def encodable(words: str, encoding: str) -> str:
    """The words as a stream of this encoding can take them: a cron with an old locale is no reason to fail."""
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        plain = words.replace("→", "->").replace("…", "...")
        return plain.encode(encoding, "replace").decode(encoding)
    return words


def summary(outcome: Outcome) -> str:
    """The closing line: how many pools stand how, and what that took."""
    pools, words = outcome.pools, _PLANNED if outcome.dry_run else {}
    counts = [
        f"{count} {words.get(kind, kind.replace('_', ' '))}"
        for kind, count in pools.items()
        if count and kind != "seen"
    ]
    parts = ["DRY RUN, nothing was sent or written"] if outcome.dry_run else []
    if outcome.error is not None:
        parts.append("not finished")
    if not (outcome.changes or pools["adopted"]):
        parts.append("no changes")
    if counts or outcome.error is None:
        parts.append(f"{_count(pools['seen'], 'pool')}: {', '.join(counts) or 'none'}")
    waited = (
        f", waited {outcome.waited_seconds:.0f} s for Shopify"
        if outcome.waited_seconds >= 1
        else ""
    )
    parts.append(
        f"{_count(outcome.requests, 'request')}, {_count(outcome.points, 'point')}, "
        f"{outcome.seconds:.1f} s{waited}"
    )
    return f"{outcome.command}: {'; '.join(parts)}"


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
        parts.append(_count(len(outcome.warnings), "warning"))
    dry = " (DRY RUN)" if outcome.dry_run else ""
    init = " --init" if outcome.mode == "init" else ""
    return (
        f"invsync {outcome.command}{init}, {outcome.shop}{dry}: {', '.join(parts) or 'no changes'}"
    )


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
    parts = [_quantity(change) if change.before != change.after else f"stays {change.after}"]
    if moved:
        parts.append(f"moved {_list(moved)}")
    if sent:
        parts.append(f"sent {_list(sent)}")
    if unsent:
        parts.append(f"{'to send' if dry_run else 'not sent'} {_list(unsent)}")
    return f"{_isolated(clean(change.title))}: {clean('; '.join(parts))}"


def table(changes: Sequence[Change], terminal: Screen, *, command: str, dry_run: bool) -> list[str]:
    """The changes as the lines of a table: a row a pool, in it a line for each level that moved or was adjusted."""
    one, send = "VARIANT" if command == "variants" else "LOCATION", "TO SEND" if dry_run else "SENT"
    head = _Row("PRODUCT", "QUANTITY", ((one, "MOVED", send),))
    rows = [
        _Row(clean(change.title), _quantity(change), tuple(_level_cells(change, dry_run)))
        for change in changes
    ]
    widths = _widths([head, *rows], terminal.width)
    lines = [
        _table_line((head.title, head.quantity, *head.levels[0]), widths, [_BOLD] * 5, terminal)
    ]
    for row in rows:
        titles = _shortened(_wrapped(row.title, widths[0]), _TITLE_LINES, widths[0])
        for at, (title, cells) in enumerate(zip_longest(titles, row.levels)):
            label, moved, sent = cells or ("", "", "")
            words = (
                title or "",
                "" if at else row.quantity,
                _middle_cut(label, widths[2]),
                moved,
                sent,
            )
            loud = {"fg": "red" if sent.startswith("not sent") else "cyan"}
            lines.append(
                _table_line(words, widths, [_BOLD, _BOLD, {}, {"fg": "yellow"}, loud], terminal)
            )
    return lines


@dataclass(frozen=True, slots=True)
class _Row:
    """A pool in the table. `levels`: what each is called, how it moved, what was sent for it."""

    title: str
    quantity: str
    levels: tuple[tuple[str, str, str], ...]


def _widths(rows: Sequence[_Row], screen_width: int) -> tuple[int, ...]:
    """How wide the columns are: as their content, but for titles and levels, which share what room there is."""
    title, quantity = (
        max(map(_width, words))
        for words in zip(*((row.title, row.quantity) for row in rows), strict=True)
    )
    level, moved, sent = (
        max(map(_width, cells)) for cells in zip(*chain(*(row.levels for row in rows)), strict=True)
    )
    room = max(screen_width, _NARROWEST) - quantity - moved - sent - 4 * len(_GAP)
    if title + level > room:
        level = max(min(level, room * 2 // 5), room - title)
        title = room - level
    return title, quantity, level, moved, sent


def _table_line(
    cells: Sequence[str],
    widths: Sequence[int],
    styles: Sequence[Mapping[str, Any]],
    terminal: Screen,
) -> str:
    printed = []
    for at, (words, width, how) in enumerate(zip(cells, widths, styles, strict=True)):
        blanks, styled = " " * (width - _width(words)), terminal.style(_isolated(words), **how)
        printed.append(blanks + styled if at in _NUMBERS else styled + blanks)
    return _GAP.join(printed).rstrip()


def _screenful(outcome: Outcome, terminal: Screen, invsync: str) -> Iterator[str]:
    """What a person at a terminal sees."""
    if outcome.dry_run:
        yield terminal.style("DRY RUN: nothing is sent or written", fg="magenta", bold=True)
        yield ""
    if outcome.changes:
        yield from table(
            outcome.changes, terminal, command=outcome.command, dry_run=outcome.dry_run
        )
        yield ""
    told = [("PROBLEM", "red", line) for line in _problem_lines(outcome)]
    told += [("WARNING", "yellow", line) for line in _warning_lines(outcome)]
    for tag, colour, line in told:
        yield from _paragraph(tag, colour, addressed(line, invsync), terminal, invsync)
        yield ""
    bad = outcome.problems or outcome.error is not None
    closing = _wrapped(summary(outcome), max(terminal.width, _NARROWEST))
    yield from (
        terminal.style(
            line, fg="red" if bad else "yellow" if outcome.warnings else "green", bold=True
        )
        for line in closing
    )


def _mail(outcome: Outcome) -> Iterator[str]:
    """What cron mails: a subject, then a line for each thing, then the closing line."""
    sections = (
        ("To change:" if outcome.dry_run else "Changed:", _change_lines(outcome)),
        ("Needs a person:", _problem_lines(outcome)),
        ("To know:", _warning_lines(outcome)),
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


def _change_lines(outcome: Outcome) -> list[str]:
    return [change_line(change, dry_run=outcome.dry_run) for change in outcome.changes]


def _problem_lines(outcome: Outcome) -> list[str]:
    """A line a problem; several rises that are held are told once, and many pools that are held are counted."""
    several = {problem.pool for problem in outcome.problems if problem.kind == "several_rises"}
    told = [
        problem
        for problem in outcome.problems
        if not (problem.kind == "held" and problem.pool in several)
    ]
    held = [problem for problem in told if problem.kind == "held"]
    counted = held[_NAMED:]
    lines = [
        _named(problem.message, problem.title, _where(problem))
        for problem in told
        if problem not in counted
    ]
    if counted:
        lines.append(f"and {len(counted)} more pools whose rises are held: `invsync status`")
    return lines


def _warning_lines(outcome: Outcome) -> list[str]:
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
    return f"{_isolated(clean(title))} ({where}): {clean(said)}"


def _where(problem: Problem) -> str:
    """Where a person finds the pool in Shopify: its id, and its SKU where all its levels have the same."""
    labels = {level.sku for level in problem.levels}
    sku = f"{clean(labels.pop())}, " if len(labels) == 1 and len(problem.levels) > 1 else ""
    return f"{sku}{_short_id(problem.pool or '')}"


def _short_id(gid: str) -> str:
    """`product 7` for gid://shopify/Product/7."""
    kind, _, number = gid.removeprefix("gid://shopify/").rpartition("/")
    return f"{ {'Product': 'product', 'InventoryItem': 'item'}.get(kind, kind) } {number}".strip()


def _paragraph(tag: str, colour: str, line: str, terminal: Screen, invsync: str) -> Iterator[str]:
    """A tagged paragraph; the command that it ends with on a line of its own, whole, to be copied."""
    said, command = line, ""
    start = line.rfind(f"`{invsync} ")
    if start > 0 and line.endswith("`"):
        said, command = line[:start].rstrip(), line[start + 1 : -1]
    margin = len(tag) + 2
    width = max(min(terminal.width, _WIDEST), _NARROWEST) - margin
    for at, part in enumerate(_wrapped(said, width)):
        yield (terminal.style(tag, fg=colour, bold=True) + "  " if at == 0 else " " * margin) + part
    if command:
        yield " " * (margin + 2) + terminal.style(command, fg="cyan", bold=True)


def _quantity(change: Change) -> str:
    before = "none" if change.before is None else str(change.before)
    after = "none" if change.after is None else str(change.after)
    return after if before == after else f"{before} → {after}"


def _level_cells(change: Change, dry_run: bool) -> Iterator[tuple[str, str, str]]:
    """What each level is called, how it moved, what was sent for it: those that moved first."""
    levels = sorted(change.levels, key=lambda level: not level.movement)
    named = levels if len(levels) <= _NAMED else levels[: _NAMED - 1]
    for level in named:
        unsent = "not sent " if not (level.applied or dry_run) else ""
        yield (
            clean(level.label),
            f"{level.movement:+d}" if level.movement else "",
            f"{unsent}{level.delta:+d}" if level.delta else "",
        )
    if len(named) < len(levels):
        yield f"and {len(levels) - len(named)} more", "", ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(parts: Sequence[str]) -> str:
    if len(parts) <= _NAMED:
        return ", ".join(parts)
    return f"{', '.join(parts[:_NAMED])} and {len(parts) - _NAMED} more"


# Columns: titles come in any script, and may hold what would steer a terminal.


def clean(words: str) -> str:
    """The words in one line, without what would steer a terminal: control characters and marks of direction."""
    kept = (
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign
        for sign in words
        if unicodedata.bidirectional(sign) not in _DIRECTING
    )
    return "".join(kept)


_DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def _isolated(words: str) -> str:
    """Words that read from right to left, fenced off, lest they turn the numbers beside them around (30 → 21).

    Unicode's isolates: https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
    """
    if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in words):
        return f"\N{FIRST STRONG ISOLATE}{words}\N{POP DIRECTIONAL ISOLATE}"
    return words


def _width(words: str) -> int:
    """The columns that the words take."""
    return sum(_sign_width(sign) for sign in words)


def _sign_width(sign: str) -> int:
    if sign.isascii():
        return 1
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1


def _cut(words: str, width: int) -> int:
    """How many signs of the words fit, with the marks that belong to the last of them."""
    used = 0
    for at, sign in enumerate(words):
        used += _sign_width(sign)
        if used > width:
            return at
    return len(words)


def _wrapped(words: str, width: int) -> list[str]:
    """The words in lines of at most `width` columns, broken at blanks where that is possible."""
    lines: list[str] = []
    line = ""
    for word in words.split():
        if line and _width(line) + 1 + _width(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while _width(word) > width:
            at = max(_cut(word, width), 1)
            lines.append(word[:at])
            word = word[at:]
        line = word
    return [*lines, line] if line or not lines else lines


def _shortened(lines: Sequence[str], limit: int, width: int) -> list[str]:
    """At most `limit` lines; the last ends with … where some are left out."""
    if len(lines) <= limit:
        return list(lines)
    last = lines[limit - 1]
    return [*lines[: limit - 1], last[: _cut(last, width - 1)].rstrip() + "…"]


def _middle_cut(words: str, width: int) -> str:
    """The words in `width` columns, cut in the middle: SKUs of one product differ at their ends."""
    if _width(words) <= width:
        return words
    start = words[: _cut(words, width // 2)]
    end = words[::-1][: _cut(words[::-1], width - 1 - _width(start))][::-1]
    while end and _sign_width(end[0]) == 0:
        end = end[1:]
    return f"{start}…{end}"


# Messages


def explain_note(
    note: Note, plan: Plan, title: str, labels: Mapping[Any, str], command: str, rule: str
) -> str:
    """What a note of the rule means for the person who reads it. `rule`: the `several_rises` in force."""
    return f"{title}: {_explained(note, plan, title, labels, command, rule)}"


def _explained(
    note: Note, plan: Plan, title: str, labels: Mapping[Any, str], command: str, rule: str
) -> str:
    units = _list([f"{labels[level]} {count}" for level, count in note.levels.items()])
    signed = _list([f"{labels[level]} {count:+d}" for level, count in note.levels.items()])
    one = "variant" if command == "variants" else "location"
    before, after = plan.before, plan.pool.quantity
    match note.kind:
        case "out_of_sync":
            lowest = labels[min(note.levels, key=lambda level: note.levels[level])]
            mend = (
                f"Set all {one}s to the right number in Shopify, and the next run takes it from "
                "there"
                if command == "variants"
                else f"Set {lowest}, the lowest, to the right number in Shopify, and the others "
                "follow"
            )
            return (
                f"its {one}s differ ({units}), so it is left alone. {mend}; or have every pool "
                "that is out of sync "
                "brought to its lowest number (you are shown which, and asked): "
                f"`invsync {command} --init --align lowest`"
            )
        case "several_rises":
            return (
                f"several {one}s rose between two runs ({signed}), "
                f"{_several_rises(note, plan, title, command, rule)}"
            )
        case "held" if plan.pool.braked:
            return (
                f"its rises are held, since too many pools rose in one run ({signed}); without "
                "them its quantity is "
                f"{after}. If they are wrong, take them back in Shopify; if all that is held is "
                "right, let it through: "
                f"`invsync {command} --force`"
            )
        case "held":
            return (
                f"its rises are held, since several {one}s rose ({signed}); without them its "
                f"quantity is {after}. Set "
                f"all its {one}s to the right number in Shopify, then run: `invsync {command}`"
            )
        case "stock_count":
            count = (after or 0) + min(note.levels.values())
            return (
                f"all its {one}s fell alike ({signed}), together by more than the {after} there "
                "were, as after a stock "
                f"count: held, nothing is counted. If it was not one, set one {one} in Shopify to "
                "what is there, and "
                "the others follow; if it was, let it through (with all that is held), and the "
                f"quantity is {count}: "
                f"`invsync {command} --force`"
            )
        case "count_believed":
            oversold = max(note.levels.values())
            return (
                f"its {one}s had all fallen alike, and then one rose: taken for a stock count that "
                "was set right "
                f"({after}). If all that had been sold instead, {oversold} units too many are "
                f"shown: lower one {one} "
                f"by {oversold} in Shopify. What led to it: `invsync explain {shlex.quote(title)}`"
            )
        case "another_program" if before is None:
            return (
                "it is left alone, since another program seemed to adjust it too; it reads "
                f"{units}. Stop that "
                f"program, set all its {one}s to the right number in Shopify, then run: `invsync "
                f"{command} --init`"
            )
        case "another_program":
            return (
                f"all its {one}s keep falling alike ({signed}): another program seems to adjust "
                "them too, so it is "
                f"left alone from now on. Stop that program, set all its {one}s to the right "
                "number in Shopify, then "
                f"run: `invsync {command} --init`"
            )
        case "fell_alike":
            read = set(plan.observed.values())
            number = f"back to {read.pop()}" if len(read) == 1 else "to the right number"
            return (
                f"all its {one}s fell alike ({signed}), counted as sales ({before} → {after}). If "
                "it was a stock "
                f"count, set one {one} {number} in Shopify: the others follow"
            )
        case "new_level_stock":
            told = (
                f"a new {one} came with stock of its own ({units}), which is not added: it is "
                f"brought to {after}"
            )
            further = sum(note.levels.values())
            mend = (
                f". If these are further units, raise one {one} by {further} in Shopify"
                if further > 0
                else ""
            )
            return told + mend
        case "raise_closed":
            return (
                f"{one}s that invsync had yet to raise rose by themselves ({signed}), which is "
                "taken for that raise "
                f"and not counted; all are brought to {after}. If these are further units, raise "
                f"one {one} by "
                f"{sum(note.levels.values())} in Shopify"
            )
        case "several_sources":
            return (
                f"several {one}s changed ({signed}) before any had set the number: the smallest is "
                f"taken, {after}. If "
                f"that is wrong, set one {one} to the right number in Shopify: the others follow"
            )
        case "adopted":
            return f"adopted at {after}"


def _several_rises(note: Note, plan: Plan, title: str, command: str, rule: str) -> str:
    one = "variant" if command == "variants" else "location"
    total, smallest = sum(note.levels.values()), min(note.levels.values())
    move = f"{plan.before} → {plan.pool.quantity}"
    story = f"What led to it: `invsync explain {shlex.quote(title)}`"
    if rule == "hold":
        return (
            f"and none is counted (several_rises: hold). Set all its {one}s to the right number in "
            "Shopify, then run: "
            f"`invsync {command}`"
        )
    if plan.pool.braked:
        return (
            "and too many pools rose in this run: none is counted yet. If they are right, let "
            "through all that "
            f"is held, and it rises by {plan.pool.pending}: `invsync {command} --force`"
        )
    if rule == "sum":
        return (
            f"and all are counted ({move}). If it was one restock, typed in at each {one}, lower "
            f"one {one} by "
            f"{total - smallest} in Shopify. {story}"
        )
    return (
        f"and only the smallest rise is counted ({move}). If they were separate restocks, raise "
        f"one {one} by "
        f"{total - plan.risen} in Shopify. {story}"
    )
