"""What of a run is news to who reads its mails. Pure.

A problem is news when it is new or has changed; then once in a while, as long as it stands; and
once more when it is over. So is a failure of the run itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from invsync.errors import Stopped
from invsync.state.told import Failing, Happened, Memory, Open
from invsync.tell import words
from invsync.tell.outcome import Outcome, Problem

#: How long what happened is remembered.
REMEMBERED = timedelta(days=7)
#: Warnings that are remembered like problems that happened.
_REMEMBERED_TOO = frozenset({"fell_alike", "released"})
#: What differs between two messages of the same failure: numbers, and the ids of requests.
_PASSING = re.compile(r"\[request [^\]]*\]|\d+")

Key = tuple[str, str | None]


class News(Struct, frozen=True):
    """What a mail has to tell.

    `fresh`: problems that are new, have changed, or have just happened; `still`: those that are
    reminded of; `over`: those that are resolved; `changes`: whether changes are news. `since`: of
    each problem that stands, since when. `failure`: runs that fail, where that is to be told now;
    `again`: those that failed before.
    """

    fresh: Sequence[Problem] = ()
    still: Sequence[Problem] = ()
    over: Sequence[Open] = ()
    since: Mapping[Key, str] = {}
    failure: Failing | None = None
    again: Failing | None = None
    changes: bool = False

    @property
    def pressing(self) -> bool:
        """Whether there is a problem to tell."""
        return bool(self.fresh or self.still)

    @property
    def any(self) -> bool:
        """Whether there is anything to tell but changes."""
        return self.pressing or bool(self.over or self.again)


def remember(before: Memory, outcome: Outcome, *, regular: bool) -> Memory:
    """What is known once a run is over.

    `regular`: it looked at all pools, as the job does; of any other, that it failed says nothing.
    """
    now = outcome.started_at
    standing = {(one.kind, one.pool): one for one in outcome.problems if words.stands(one)}
    whole = regular and outcome.error is None

    def is_over(one: Open) -> bool:
        if one.pool is None or one.pool not in outcome.known:
            return whole or one.pool in outcome.dealt
        return one.pool in outcome.dealt

    problems = [
        _followed(one, standing.pop(one.key, None), now, over=is_over(one))
        for one in before.problems
    ]
    problems += [
        Open(one.kind, one.pool, one.title, now, gist=_short(one.gist)) for one in standing.values()
    ]
    earlier = {one.key: one for one in before.warnings}
    warnings = dict.fromkeys((one.kind, one.pool) for one in outcome.warnings)
    return Memory(
        tuple(one for one in problems if one is not None),
        tuple(earlier.get(key) or Open(*key, None, now) for key in warnings),
        _happened(before.happened, outcome),
        _failing(before.failing, outcome) if regular else before.failing,
    )


def _followed(one: Open, problem: Problem | None, now: str, *, over: bool) -> Open | None:
    """What becomes of a problem that stood. `problem`: what this run tells of it.

    `over`: whether it stands no more if the run tells nothing.
    """
    if problem is None:
        if one.over is not None or not over:
            return one
        return replace(one, over=now) if one.told else None
    gist = _short(problem.gist)
    if one.over is not None:
        return Open(one.kind, one.pool, problem.title, now, gist=gist)
    told = one.told if one.gist == gist else None
    return Open(one.kind, one.pool, problem.title, one.since, gist=gist, told=told)


def _short(gist: str) -> str:
    return f"{crc32(gist.encode('utf-8', 'replace')):08x}" if gist else ""


def _happened(before: Iterable[Happened], outcome: Outcome) -> tuple[Happened, ...]:
    """What happened in the last days, the newest last."""
    titles = {change.pool: change.title for change in outcome.changes}
    new = [
        Happened(one.kind, one.pool, one.title, outcome.started_at, one.message)
        for one in outcome.problems
        if not words.stands(one)
    ]
    new += [
        Happened(one.kind, one.pool, titles.get(one.pool or ""), outcome.started_at, one.message)
        for one in outcome.warnings
        if one.kind in _REMEMBERED_TOO
    ]
    return tuple(recent([*before, *new], _moment(outcome.started_at)))


def recent(happened: Iterable[Happened], now: datetime) -> list[Happened]:
    """Of what happened, what is not too long ago."""
    return [one for one in happened if now - _moment(one.at) < REMEMBERED]


def _failing(before: Failing | None, outcome: Outcome) -> Failing | None:
    error = outcome.error
    if isinstance(error, Stopped):
        return before
    if error is None:
        if before is None or before.told is None:
            return None
        return replace(before, over=before.over or outcome.started_at)
    gist = _short(f"{type(error).__name__} {_PASSING.sub('', str(error))}")
    if before is None or before.over is not None:
        return Failing(str(error), gist, outcome.started_at)
    told = before.told if before.gist == gist else None
    return Failing(str(error), gist, before.since, before.runs + 1, told)


def news(memory: Memory, outcome: Outcome, every: timedelta, *, changes: bool) -> News:
    """What is to be told now. `every`: how often one is reminded of what stands.

    `changes`: whether what changed is news.
    """
    now = _moment(outcome.started_at)
    stand = {one.key: one for one in memory.problems if one.over is None}
    fresh: list[Problem] = []
    known: list[Problem] = []
    due = False
    for problem in outcome.problems:
        one = stand.get((problem.kind, problem.pool))
        if one is None or one.told is None or not words.stands(problem):
            fresh.append(problem)
        else:
            known.append(problem)
            due = due or _is_due(one.told, now, every)
    failing = memory.failing
    tell = failing is not None and failing.over is None and outcome.error is not None
    if tell and failing is not None and failing.told is not None:
        tell = _is_due(failing.told, now, every)
    return News(
        tuple(fresh),
        tuple(known) if due else (),
        tuple(one for one in memory.problems if one.over is not None),
        {one.key: one.since for one in stand.values()},
        failing if tell else None,
        failing if failing is not None and failing.over is not None else None,
        changes,
    )


def _is_due(told: str, now: datetime, every: timedelta) -> bool:
    """Whether it is time to remind; what was told by a clock that ran ahead is due as well."""
    ago = now - _moment(told)
    return ago >= every or ago < timedelta()


def mailed(memory: Memory, told: News, now: str) -> Memory:
    """What is remembered once a mail has told this."""
    keys = {(one.kind, one.pool) for one in (*told.fresh, *told.still)}
    problems = tuple(
        replace(one, told=now) if one.key in keys else one
        for one in memory.problems
        if one.over is None
    )
    failing = memory.failing
    if failing is not None and told.failure is not None:
        failing = replace(failing, told=now)
    elif told.again is not None:
        failing = None
    return replace(memory, problems=problems, failing=failing)


def date(outcome: Outcome, memory: Memory) -> None:
    """Tell the outcome since when what it tells is so."""
    stand = {one.key: one.since for one in memory.problems if one.over is None}
    if memory.failing is not None and outcome.error is not None:
        stand["stopped", None] = memory.failing.since
    outcome.problems_since = stand
    outcome.warnings_since = {one.key: one.since for one in memory.warnings}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
