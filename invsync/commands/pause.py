"""`invsync pause` and `invsync resume`: the safe way to count stock, or to run an import.

Both take the lock of every command: what is paused is not in the middle of anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING

from invsync import run
from invsync.commands.keep import clock_of, tell
from invsync.connect import section_of
from invsync.invocation import Invocation
from invsync.names import (
    Caches,
    Mention,
    NotFound,
    folded,
    matches,
    several,
    unknown,
)
from invsync.order import Options
from invsync.state.cache import Cache, read_cache
from invsync.state.files import COMMANDS, Command, Files, prepare, refuse_foreign
from invsync.state.journal import belongs, read_journal
from invsync.state.lock import lock
from invsync.state.pauses import NO_PAUSES, Pause, Pauses, read_pauses, write_pauses
from invsync.state.values import utc_text
from invsync.tell.lines import Paragraph, listed, number_of
from invsync.tell.times import local

if TYPE_CHECKING:
    from invsync.config.settings import Settings
    from invsync.connect import RunClock
    from invsync.tell.outcome import Outcome


@dataclass(frozen=True, slots=True)
class _Desk:
    """What both commands look at, while no run is at work. `now`: by this machine's clock."""

    settings: Settings
    clock: RunClock
    now: datetime
    caches: Mapping[Command, Cache]
    pauses: Pauses

    @property
    def files(self) -> Files:
        """The state folder."""
        return Files(self.settings.state_dir, next(iter(self.commands)))

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those that are configured."""
        return _configured(self.settings)

    def paused(self, pool: str) -> bool:
        """Whether a pool is paused, by a person or by its tag."""
        return self.pauses.of(pool) is not None or self.by_tag(pool)

    def by_tag(self, pool: str) -> bool:
        """Whether runs have found a pool to be paused by its tag."""
        marks = (cache.pools.paused.get(pool) for cache in self.caches.values())
        return any(mark is not None and mark.tag for mark in marks)

    def pause(self, pool: str) -> Pause:
        """The pause of a pool, with its title."""
        own = self.pauses.of(pool) or Pause(utc_text(self.now))
        return Pause(own.since, own.until, self.title(pool))

    def title(self, pool: str) -> str:
        """What a pool is called."""
        titles = (cache.title(pool) for cache in self.caches.values() if pool in cache.pools)
        own = self.pauses.pools.get(pool)
        return next(titles, (own and own.title) or pool)

    def meant(self, names: Sequence[str]) -> dict[str, str]:
        """Pool id → title of the pools that are called so, and of those that share their levels.

        The same stock is paused for both commands. Raises `NotFound`.
        """
        found = {pool: title for name in names for pool, title in self._called(name).items()}
        levels = {
            cache.level(pool, key)
            for cache in self.caches.values()
            for pool in found
            if pool in cache.pools
            for key in cache.pools[pool].levels
        }
        for cache in self.caches.values():
            for pool, entry in cache.pools.items() if levels else ():
                if any(cache.level(pool, key) in levels for key in entry.levels):
                    found.setdefault(pool, entry.title)
        return found

    def _called(self, name: str) -> dict[str, str]:
        known: Caches = {command: self.caches.get(command) for command in self.commands}
        exact = {
            pool: mention
            for pool, mention in matches(name, self.files, known).exact.items()
            if any(pool in cache.pools for cache in self.caches.values())
        }
        for command in self.commands:
            same = [mention for mention in exact.values() if mention.command == command]
            if len(same) > 1:
                raise NotFound(several(name, same, "give the id of one"))
        if not exact and not (exact := self._gone(name)):
            raise NotFound(unknown(name, self.files, known))
        return {pool: mention.title for pool, mention in exact.items()}

    def _gone(self, name: str) -> dict[str, Mention]:
        """Those that are paused under this name, and that no cache knows any more."""
        command, wanted = next(iter(self.commands)), folded(name)
        return {
            pool: Mention(command, pool, pause.title)
            for pool, pause in self.pauses.pools.items()
            if wanted in map(folded, (pool, number_of(pool), pause.title))
        }


def _configured(settings: Settings) -> tuple[Command, ...]:
    return tuple(command for command in COMMANDS if getattr(settings, command) is not None)


@contextmanager
def _at_rest(settings: Settings, doing: str) -> Iterator[_Desk]:
    """Everything that is remembered, while no run is at work; raises `LockHeld` where one is."""
    clock = clock_of(settings.max_run_time)
    now = datetime.fromtimestamp(clock.now(), UTC)
    commands = _configured(settings)
    if not commands:
        section_of(settings, COMMANDS[0])  # says what is missing
    refuse_foreign(settings.state_dir, f"{doing} …")
    with ExitStack() as held:
        for command in commands:
            files = Files(settings.state_dir, command)
            prepare(files)
            held.enter_context(lock(files, utc_text(now)))
        read = {one: read_cache(Files(settings.state_dir, one)) for one in commands}
        caches = {command: cache for command, cache in read.items() if cache is not None}
        yield _Desk(settings, clock, now, caches, read_pauses(settings.state_dir, now))


# --- Pausing --------------------------------------------------------------------------------------


def pause(
    invocation: Invocation,
    settings: Settings,
    names: Sequence[str],
    *,
    length: float | None,
) -> int:
    """Pause the pools that are called so, or everything where no name is given.

    `length`: seconds, None: until it is resumed. Returns the exit code. Raises `NotFound`,
    `LockHeld` and `StateError`.
    """
    invocation.warn_of(settings)
    with _at_rest(settings, "pause") as desk:
        end = None if length is None else desk.now + timedelta(seconds=length)
        until = None if end is None else utc_text(end)
        since, before = utc_text(desk.now), desk.pauses
        if names:
            found = desk.meant(names)
            old = {pool: before.pools.get(pool) for pool in found}
            new = {
                pool: Pause(((earlier := old[pool]) and earlier.since) or since, until, title)
                for pool, title in found.items()
            }
            write_pauses(settings.state_dir, Pauses(before.everything, {**before.pools, **new}))
            what, name = listed(list(found.values())), " ".join(map(quote, names))
            which = " for it" if len(found) == 1 else " for them"
        else:
            earlier = before.everything
            everything = Pause(earlier.since if earlier else since, until)
            write_pauses(settings.state_dir, Pauses(everything, before.pools))
            what, name, which = "everything", "--all", ""
        lines = [
            f"paused{'' if end is None else f' until {local(end)}'}: {what}",
            f"Nothing is sent{which}, and what is sold meanwhile counts after: "
            f"`invsync resume {name}`",
            "If all levels are right as they stand then, after a count or an import: "
            f"`invsync resume {name} --as-set`",
        ]
        lines += _unfinished(desk)
    if not invocation.quiet:
        invocation.tell(*map(Paragraph, lines))
    return 0


def _unfinished(desk: _Desk) -> Iterator[str]:
    """What may still be sent: a run that was cut off is finished by the next one."""
    for command in desk.commands:
        files = Files(desk.settings.state_dir, command)
        cache = desk.caches.get(command)
        of = (cache.shop, cache.shop_id) if cache else (desk.settings.shop, "")
        left = read_journal(files, *of)
        if left is not None and left.open and belongs(left, cache, files):
            yield (
                "An earlier run was cut off, and the next one finishes what it has sent. So before "
                f"you count, or start an import, run: `invsync {command}`"
            )


# --- Resuming -------------------------------------------------------------------------------------


def resume(
    invocation: Invocation,
    settings: Settings,
    names: Sequence[str],
    *,
    as_set: bool,
) -> int:
    """End the pause of the pools that are called so, or every one where no name is given.

    `as_set`: a person's word that levels which agree are right as they stand; they are read there
    and then. Returns the exit code. Raises `NotFound`, `LockHeld` and `StateError`.
    """
    invocation.warn_of(settings)
    with _at_rest(settings, "resume") as desk:
        pools = _paused_pools(desk, names)
        outcomes = list(_as_they_stand(invocation, desk, pools)) if as_set else []
        code = max((outcome.exit_code for outcome in outcomes), default=0)
        if code not in (0, 3):
            return code  # all stays paused: to be said again
        left = desk.pauses.without(pools) if names else NO_PAUSES
        waiting = {pool: desk.pause(pool) for pool in _waiting(outcomes)}
        write_pauses(settings.state_dir, Pauses(left.everything, {**left.pools, **waiting}))
    ended = {pool: title for pool, title in pools.items() if pool not in waiting}
    if not invocation.quiet:
        invocation.tell(*map(Paragraph, _resumed(desk, ended, as_set=as_set, every=not names)))
    return 3 if any(map(desk.by_tag, ended)) else code


def _waiting(outcomes: Sequence[Outcome]) -> list[str]:
    """The pools of which nothing could be taken, since a batch of theirs is not settled."""
    problems = (problem for outcome in outcomes for problem in outcome.problems)
    return [one.pool for one in problems if one.kind == "unsettled" and one.pool is not None]


def _paused_pools(desk: _Desk, names: Sequence[str]) -> dict[str, str]:
    """Pool id → title of those to resume. Raises `NotFound` where there is nothing to resume."""
    if not names:
        every = (pool for cache in desk.caches.values() for pool in cache.pools)
        return {pool: desk.title(pool) for pool in every if desk.paused(pool)}
    if desk.pauses.everything is not None:
        raise NotFound(
            f"everything is paused since {local(_moment(desk.pauses.everything.since))}, so no "
            "pool can be resumed by itself; end that with: `invsync resume --all`"
        )
    found = desk.meant(names)
    paused = {pool: title for pool, title in found.items() if desk.paused(pool)}
    if not paused:
        others = [pause.title for pause in desk.pauses.pools.values()]
        known = f"; paused are: {listed(others)}" if others else ", nor is anything else"
        raise NotFound(f"{listed(list(found.values()))}: is not paused{known}")
    return paused


def _as_they_stand(
    invocation: Invocation, desk: _Desk, pools: Mapping[str, str]
) -> Iterator[Outcome]:
    """Take the levels of these pools as they stand, command by command, up to one that fails."""
    for command, cache in desk.caches.items():
        ids = tuple(pool for pool in pools if pool in cache.pools)
        if not ids:
            continue
        options = Options(as_set=ids)
        outcome = _run(invocation, desk, command, options)
        tell(invocation, desk.settings, outcome, options, as_json=False)
        yield outcome
        if outcome.error is not None:
            return


def _run(invocation: Invocation, desk: _Desk, command: Command, options: Options) -> Outcome:
    with invocation.progress() as bar:
        return run.run(
            desk.settings,
            command,
            options,
            clock=desk.clock,
            confirm=lambda changes: True,
            progress=bar,
            watch=bar.watch,
            locked=True,
        )


def _resumed(desk: _Desk, pools: Mapping[str, str], *, as_set: bool, every: bool) -> Iterator[str]:
    if every and not (pools or desk.pauses.everything or desk.pauses.pools):
        yield "nothing was paused"
        return
    tagged = [title for pool, title in pools.items() if desk.by_tag(pool)]
    ended = [title for pool, title in pools.items() if desk.pauses.of(pool)]
    if every and desk.pauses.everything is not None:
        yield "resumed: everything"
    elif ended:
        yield f"resumed: {listed(ended)}"
    if tagged:
        tags = {section_of(desk.settings, command).pause_tag for command in desk.commands}
        yield (
            f"still paused by the tag {' or '.join(sorted(tags))} of their products: "
            f"{listed(tagged)}. Take it off in Shopify, and the next run goes on"
        )
    if not as_set and (ended or desk.pauses.everything is not None):
        commands = " and ".join(f"`invsync {command}`" for command in desk.commands)
        yield f"The next run counts what was sold and restocked meanwhile: {commands}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
