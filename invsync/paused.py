"""What is paused: the pools that runs look at and leave alone, while their books stand still.

By `invsync pause` for some pools or for everything, or by the tag of a product. What such a pool
sells meanwhile counts once it is resumed, since what its levels last read does not move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote

from invsync.errors import StateError
from invsync.state.cache import Cache, read_cache
from invsync.state.files import Command, Files
from invsync.state.pauses import Pauses, read_pauses
from invsync.tell.lines import counted, listed
from invsync.tell.times import local, moment, span

#: How long a pause may last before a person is reminded of it.
LONG = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Paused:
    """A pool that is paused. `since`, `until`: UTC text; `tag`: by the tag of its product."""

    pool: str
    title: str
    since: str
    until: str | None
    tag: bool


def paused_ids(cache: Cache, pauses: Pauses) -> list[str]:
    """The pools of several levels that are paused; by a tag, as far as runs have seen it."""
    pools = cache.pools
    if pauses.everything is not None:
        return [pool_id for pool_id in pools if pool_id not in pools.single]
    tagged = (pool_id for pool_id, stood in pools.paused.items() if stood.tag)
    some = dict.fromkeys((*pauses.pools, *tagged))
    return [pool_id for pool_id in some if pool_id in pools and pool_id not in pools.single]


def paused_alone(cache: Cache, pauses: Pauses) -> Iterator[Paused]:
    """Those of them that are paused by themselves, not only with everything."""
    pools = cache.pools
    for pool_id in paused_ids(cache, Pauses(None, pauses.pools)):
        title = cache.title(pool_id)
        if pause := pauses.pools.get(pool_id):
            yield Paused(pool_id, title, pause.since, pause.until, tag=False)
        else:
            yield Paused(pool_id, title, pools.paused[pool_id].since, None, tag=True)


def in_short(folder: Path, commands: Iterable[Command], now: float) -> Iterator[tuple[str, str]]:
    """Of each command what is paused, where anything is: a name for that, and a line.

    What can't be read is a line as well. `now`: by this machine's clock, seconds since the epoch.
    """
    try:
        pauses = read_pauses(folder, datetime.fromtimestamp(now, UTC))
        for command in commands:
            cache = read_cache(Files(folder, command))
            if told := cache and _in_a_line(cache, pauses):
                yield f"{command}.paused", told
    except StateError as error:
        yield "paused", str(error)


def _in_a_line(cache: Cache, pauses: Pauses) -> str | None:
    if pauses.everything is not None:
        since = moment(pauses.everything.since)
        return "everything is paused" + ("" if since is None else f" since {local(since)}")
    titles = [one.title for one in paused_alone(cache, pauses)]
    if not titles:
        return None
    return f"{counted(len(titles), 'pool')} paused: {listed(titles)}"


def reminders(
    cache: Cache, pauses: Pauses, tag: str, now: datetime
) -> Iterator[tuple[str | None, str]]:
    """What was paused for longer than a day: the pool (None: everything), and what to do.

    `tag`: the one that pauses.
    """
    everything = pauses.everything
    if everything is not None and (since := _long_since(everything.since, now)):
        yield (
            None,
            f"everything is paused {since}: nothing is sent, and what sells meanwhile is passed on "
            "only when that ends: `invsync resume --all`",
        )
    for one in paused_alone(cache, pauses):
        if since := _long_since(one.since, now):
            mend = (
                f"Take its tag {tag} off in Shopify"
                if one.tag
                else f"End that with: `invsync resume {quote(one.title)}`"
            )
            yield (
                one.pool,
                f"{one.title}: is paused {since}: nothing is sent for it, and what it sells "
                f"meanwhile is passed on only when that ends. {mend}",
            )


def _long_since(text: str, now: datetime) -> str | None:
    since = moment(text)
    if since is None or now - since < LONG:
        return None
    return f"since {local(since)} ({span(now - since)})"
