"""What a run is asked, and what is known as it begins."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from invsync.config.settings import LocationsSettings, Settings, VariantsSettings
from invsync.connect import section_of
from invsync.members import Members
from invsync.state.cache import Cache
from invsync.state.files import Command, Files
from invsync.state.journal import Sent
from invsync.state.pauses import NO_PAUSES, Pauses
from invsync.sync import Align


class Options(Struct, frozen=True):
    """What the person asked for on the command line.

    `only`: names of the pools to look at, and no others; empty for all. `as_set`: the ids of pools
    whose levels are right as they stand; no others are looked at.
    """

    dry_run: bool = False
    force: bool = False
    init: bool = False
    reset: bool = False
    align: Align | None = None
    only: tuple[str, ...] = ()
    as_set: tuple[str, ...] = ()

    @property
    def for_real(self) -> str:
        """As they are typed for a run that is no dry one, with a blank before each."""
        flags = {"--init": self.init, "--reset": self.reset, "--force": self.force}
        typed = [flag for flag, given in flags.items() if given]
        typed += ["--align", self.align] if self.align else []
        typed += [word for name in self.only for word in ("--only", shlex.quote(name))]
        return "".join(f" {word}" for word in typed)


class Order(Struct, frozen=True):
    """What is asked of a run, by which rules, and under which id. `started_at`: UTC text."""

    settings: Settings
    command: Command
    options: Options
    run_id: str
    started_at: str

    @property
    def files(self) -> Files:
        """Where the command keeps its state."""
        return Files(self.settings.state_dir, self.command)

    @property
    def section(self) -> VariantsSettings | LocationsSettings:
        """The configuration of the command."""
        return section_of(self.settings, self.command)


class Known(Struct, frozen=True):
    """What earlier runs have left. `on_disk`: whether the cache was there already.

    `members`: which items belong to which pools.

    `waiting`: the pools that are left alone until the outcome of a batch is known; `doubted`: those
    of which this run has found that a person has to say what their number is. `pauses`: what a
    person has paused.
    """

    cache: Cache
    members: Members
    on_disk: bool = False
    waiting: dict[str, Sent] = {}
    doubted: set[str] = set()
    pauses: Pauses = NO_PAUSES

    @property
    def batches(self) -> list[Sent]:
        """The batches that are waited for."""
        return list({batch.key: batch for batch in self.waiting.values()}.values())

    @property
    def seeded(self) -> bool:
        """Whether an unknown pool is a new one.

        What a first run that was cut off left tells nothing of that.
        """
        return self.on_disk and self.cache.scans.complete is not None

    def aside(self, pool: str) -> bool:
        """Whether only a complete scan looks at a pool."""
        return pool in self.cache.pools.aside

    def widest(self, ids: Sequence[str]) -> int:
        """How many levels the largest of these pools is known to have."""
        pools = self.cache.pools
        return max((len(pools[one].levels) for one in ids if one in pools), default=0)

    def count(self, only: Sequence[str] | None = None) -> int:
        """How many pools are known, of `only` those; a single level is none."""
        pools = self.cache.pools
        if only is None:
            return len(pools) - len(pools.single)
        return sum(one in pools and one not in pools.single for one in only)
