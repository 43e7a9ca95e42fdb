"""A shop, a state folder, a clock and the real program between them.

And a disk and a power switch that fail on cue.

Runs go through `invsync.run.run`, the same call that the command line makes, against the sandbox's
door in the process. A kill is either real (SIGKILL, in a forked child) or played: then `Killed`,
which nothing in the program catches for good, passes through it, and from that moment nothing more
reaches the disk.
"""

from __future__ import annotations

import errno
import functools
import itertools
import json
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, Self
from unittest import mock

from invsync import connect, errors, run
from invsync.admin import adjust
from invsync.config.settings import Settings
from invsync.config.settings import load as load_config
from invsync.order import Options
from invsync.sandbox import state, transport
from invsync.sandbox.api import Phase, as_home
from invsync.sandbox.exchange import Request
from invsync.sandbox.shop import Shop
from invsync.state.files import Command, Files
from invsync.tell.outcome import Outcome

#: 2026-11-22 12:00 UTC.
NOON = 1_795_348_800.0

#: Operations that ask the search index, which may show what was so yesterday.
SEARCHES = {
    "FindProducts",
    "FindItems",
    "ChangedLevels",
    "ChangedLevelsEverywhere",
    "ChangedProducts",
}

#: Where state folders are made: in memory if there is such a place, since thousands of renames on a
#: disk take a while.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

Hook = Callable[[Request, Phase], None]

#: The sandbox's door in the process, before anything stands in for it.
DOOR = transport.SandboxAdapter


class Time:
    """Passes only while somebody sleeps, or when a test says so.

    Stands in for the module `time` in `invsync.run`.
    """

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        return NOON + self.passed

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def pass_by(self, *, seconds: float = 0.0, minutes: float = 0.0, hours: float = 0.0) -> None:
        self.passed += seconds + 60 * minutes + 3_600 * hours


class Killed(BaseException):
    """The process is gone."""


def played() -> NoReturn:
    """A kill that is only played."""
    raise Killed


#: `before` a step on the disk, in the middle of it (a write gets half of its bytes out), or `after`
#: it.
When = Literal["before", "torn", "after"]


class Disk:
    """Counts every change that is made to the state files of a folder, and lets one go wrong.

    At step `at` (from 1): `when`, `die`. Or from step `full_from` on nothing more fits on the disk.
    What was not fsync'ed is known, so that `lose_power` can take it away.
    """

    def __init__(
        self,
        folder: Path,
        *,
        at: int = 0,
        when: When = "before",
        die: Callable[[], NoReturn] = played,
        full_from: int = 0,
    ) -> None:
        self.folder = folder
        self.steps: list[str] = []
        self.dead = False
        self._at, self._when, self._die, self._full_from = at, when, die, full_from
        self._paths: dict[int, Path] = {}
        self._synced: dict[int, bytes] = {}
        self._names: dict[str, int] = {}
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        for path in self._files():
            self._synced[path.stat().st_ino] = path.read_bytes()
        self._note_names()
        for name in (
            "open",
            "close",
            "write",
            "fsync",
            "ftruncate",
            "posix_fallocate",
            "replace",
            "unlink",
            "mkdir",
        ):
            real = getattr(os, name)
            # As the module's function would be: pathlib binds none of its own.
            self._patches.enter_context(
                mock.patch.object(os, name, functools.partial(getattr(self, f"_{name}"), real))
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def kill(self) -> NoReturn:
        """The process ends here and now."""
        self.dead = True
        self._die()

    def synced(self, names_survive: bool) -> dict[str, bytes]:
        """The files that a power failure leaves: what was fsync'ed of them.

        `names_survive`: new names and removals had reached the disk by themselves.
        """
        names = (
            {path.name: path.stat().st_ino for path in self._files()}
            if names_survive
            else self._names
        )
        return {name: self._synced.get(inode, b"") for name, inode in names.items()}

    def lose_power(self, *, names_survive: bool) -> None:
        """Leave on the disk what a power failure leaves."""
        left = self.synced(names_survive)
        for path in self._files():
            path.unlink()
        for name, content in left.items():
            (self.folder / name).write_bytes(content)

    # -- what the program calls --------------------------------------------------------------------

    def _open(self, real: Any, path: Any, flags: int, mode: int = 0o777, **rest: Any) -> int:
        if not self._ours(path):
            return int(real(path, flags, mode, **rest))
        creates = bool(flags & os.O_CREAT) and not Path(path).exists()
        if creates or flags & os.O_TRUNC:
            self._before("create", path, needs_room=creates)
        descriptor = int(real(path, flags, mode, **rest))
        self._paths[descriptor] = Path(path)
        if creates or flags & os.O_TRUNC:
            self._after()
        return descriptor

    def _close(self, real: Any, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        real(descriptor)

    def _write(self, real: Any, descriptor: int, content: Any) -> int:
        if (path := self._paths.get(descriptor)) is None:
            return int(real(descriptor, content))

        def half() -> None:
            real(descriptor, bytes(content)[: len(content) // 2])

        self._before("write", path, needs_room=True, torn=half)
        written = int(real(descriptor, content))
        self._after()
        return written

    def _fsync(self, real: Any, descriptor: int) -> None:
        if (path := self._paths.get(descriptor)) is None:
            real(descriptor)
            return
        self._before("fsync", path)
        # Nothing here loses power but this class, which knows what was synced: the real thing would
        # only take time.
        if path == self.folder:
            self._note_names()
        else:
            self._synced[os.fstat(descriptor).st_ino] = path.read_bytes()
        self._after()

    def _ftruncate(self, real: Any, descriptor: int, length: int) -> None:
        self._on_file("ftruncate", functools.partial(real, descriptor, length), descriptor)

    def _posix_fallocate(self, real: Any, descriptor: int, offset: int, length: int) -> None:
        self._on_file("fallocate", lambda: None, descriptor, needs_room=True)

    def _on_file(
        self, name: str, do: Callable[[], Any], descriptor: int, *, needs_room: bool = False
    ) -> None:
        path = self._paths.get(descriptor)
        if path is not None:
            self._before(name, path, needs_room=needs_room)
        do()
        if path is not None:
            self._after()

    def _replace(self, real: Any, source: Any, target: Any, **rest: Any) -> None:
        self._on_name("rename", functools.partial(real, source, target, **rest), target)

    def _unlink(self, real: Any, path: Any, **rest: Any) -> None:
        self._on_name("unlink", functools.partial(real, path, **rest), path)

    def _mkdir(self, real: Any, path: Any, mode: int = 0o777, **rest: Any) -> None:
        self._on_name("mkdir", functools.partial(real, path, mode, **rest), path)

    def _on_name(self, name: str, do: Callable[[], Any], path: Any) -> None:
        ours = self._ours(path)
        if ours:
            self._before(name, path)
        do()
        if ours:
            self._after()

    # -- within ------------------------------------------------------------------------------------

    def _ours(self, path: Any) -> bool:
        path = Path(os.fsdecode(path))
        state = path.parent == self.folder and not path.name.lstrip(".").startswith("sandbox")
        return state or path == self.folder

    def _files(self) -> Iterator[Path]:
        if self.folder.exists():
            yield from (
                path for path in self.folder.iterdir() if path.is_file() and self._ours(path)
            )

    def _note_names(self) -> None:
        self._names = {path.name: path.stat().st_ino for path in self._files()}

    def _before(
        self,
        name: str,
        path: Any,
        *,
        needs_room: bool = False,
        torn: Callable[[], None] | None = None,
    ) -> None:
        if self.dead:
            raise Killed
        self.steps.append(f"{name} {Path(path).name}")
        step = len(self.steps)
        if needs_room and self._full_from and step >= self._full_from:
            if torn is not None and step == self._full_from:
                torn()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if step == self._at and self._when != "after":
            if self._when == "torn" and torn is not None:
                torn()
            self.kill()

    def _after(self) -> None:
        if len(self.steps) == self._at and self._when == "after":
            self.kill()


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    By itself, turned away before it began, or killed (`outcome` and `error` are None).

    `steps`: what it did on the disk; `requests`: their operations; `keys`: the idempotency key of
    every call that adjusts.
    """

    outcome: Outcome | None
    error: errors.InvsyncError | None
    steps: Sequence[str]
    requests: Sequence[str]
    keys: Sequence[str] = ()

    @property
    def killed(self) -> bool:
        return self.outcome is None and self.error is None

    @property
    def exit_code(self) -> int | None:
        if self.outcome is not None:
            return self.outcome.exit_code
        return self.error.exit_code if self.error is not None else None

    @property
    def message(self) -> str:
        """What stands on stderr."""
        failed = self.error or (self.outcome.error if self.outcome else None)
        return str(failed) if failed else ""

    @property
    def sent(self) -> int:
        """Calls that adjust."""
        return self.requests.count("Adjust")

    def problems(self, kind: str) -> list[str]:
        assert self.outcome is not None
        return [problem.message for problem in self.outcome.problems if problem.kind == kind]

    def warnings(self, kind: str) -> list[str]:
        assert self.outcome is not None
        return [warning.message for warning in self.outcome.warnings if warning.kind == kind]


@functools.cache
def _settings() -> Settings:
    """The usual configuration, read once."""
    path = Path(__file__).with_name("config.yaml")
    return load_config(path, {})


@dataclass
class SmallWorld:
    """One shop and one installation of the program."""

    folder: Path
    shop: Shop
    time: Time = field(default_factory=Time)
    batch: int = adjust.BATCH
    #: Runs so far: the ids of each are made from its number, so that the same story leaves the same
    #: bytes.
    runs: int = 0
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = replace(_settings(), state_dir=self.folder)

    def configure(self, command: Command, **keys: Any) -> None:
        """Change keys of a command's section."""
        section = getattr(self.settings, command)
        self.settings = replace(self.settings, **{command: replace(section, **keys)})

    def files(self, command: Command = "variants") -> Files:
        return Files(self.folder, command)

    def cached(self, command: Command = "variants") -> dict[str, dict[str, Any]]:
        """The pools of the cache by title."""
        document = json.loads(self.files(command).cache.read_bytes())
        return {entry["title"]: entry for entry in document["pools"].values()}

    def reads(self, title: str) -> list[int]:
        """What the variants of a product read at the primary location."""
        return self.shop.availables(
            *(variant.item for variant in self.shop.product(title).variants)
        )

    def run(
        self,
        command: Command = "variants",
        *,
        disk: Disk | None = None,
        hook: Hook | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
        budget: float = 540.0,
        stop_at: int = 0,
        shown: Shop | None = None,
        **options: Any,
    ) -> Ended:
        """One run. `hook` is told of every request.

        `stop_at`: the request (from 1) at which SIGTERM arrives.

        `shown`: what the search index shows, where that is not the shop as it is.
        """
        requests: list[str] = []
        keys: list[str] = []
        self.runs += 1
        disk = disk or Disk(self.folder)
        clock = connect.RunClock(budget)

        def told(request: Request, phase: Phase) -> None:
            if phase == "before":
                requests.append(request.operation or request.path)
                if requests[-1] == "Adjust":
                    keys.append(request.graphql["variables"]["key"])
                if len(requests) == stop_at:
                    clock.stop(signal.SIGTERM)
                if shown is not None:
                    sandbox = doors[0].sandbox
                    sandbox.home = as_home(shown if requests[-1] in SEARCHES else self.shop)
            if hook is not None:
                hook(request, phase)

        outcome: Outcome | None = None
        error: errors.InvsyncError | None = None
        with self._doors(told, faults) as doors, disk:
            clock.deadline = self.time.monotonic() + budget
            try:
                outcome = run.run(
                    self.settings,
                    command,
                    Options(**options),
                    clock=clock,
                    confirm=lambda changes: True,
                    progress=lambda what, done, total: None,
                )
            except Killed:
                pass
            except errors.InvsyncError as turned_away:
                error = turned_away
        return Ended(outcome, error, disk.steps, requests, keys)

    @contextmanager
    def _doors(self, hook: Hook, faults: Any) -> Iterator[list[transport.SandboxAdapter]]:
        """The program with this world's clock, batch size and shop.

        The doors that it opens are given.
        """
        ids = itertools.count(self.runs << 64)
        opened: list[transport.SandboxAdapter] = []

        def open_door(path: Path) -> transport.SandboxAdapter:
            made = DOOR(
                self.shop, now=self.time.time, sleep=self.time.sleep, faults=faults, on_request=hook
            )
            opened.append(made)
            return made

        with (
            mock.patch.object(connect, "time", self.time),
            mock.patch.object(transport, "SandboxAdapter", open_door),
            mock.patch.object(adjust, "BATCH", self.batch),
            mock.patch.object(uuid, "uuid4", (uuid.UUID(int=at) for at in ids).__next__),
        ):
            yield opened

    def until_rest(
        self, command: Command = "variants", *, most: int = 8, **options: Any
    ) -> list[Ended]:
        """Undisturbed runs until one sends nothing.

        Raises AssertionError for one that fails, or for no end of it.
        """
        runs: list[Ended] = []
        while not runs or runs[-1].sent:
            assert len(runs) < most, "no end of adjusting"
            ended = self.run(command, **options)
            assert ended.exit_code in (0, 3), ended.message
            runs.append(ended)
        assert not self.files(command).journal.exists()
        return runs


@dataclass(frozen=True)
class Left:
    """What is there when no process is: the state files, and the shop."""

    files: Mapping[str, bytes]
    shop: str

    @classmethod
    def by(cls, world: SmallWorld, shop: str | None = None) -> Self:
        """What is there now. `shop`: as text, where it is not the world's own."""
        if shop is None:
            world.shop.account.bucket.available = world.shop.settings.bucket_size
            shop = state.dumps(world.shop)
        files = (
            {
                path.name: path.read_bytes()
                for path in world.folder.iterdir()
                if not path.name.endswith(".waiting")  # only who found the lock held
            }
            if world.folder.exists()
            else {}
        )
        # Who held the lock is no state: nobody does now.
        return cls(
            {name: b"" if name.endswith(".lock") else content for name, content in files.items()},
            shop,
        )

    def world(self, folder: Path, like: SmallWorld) -> SmallWorld:
        """The same again, in another folder, at the time and with the configuration of `like`."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        time = Time()
        time.passed = like.time.passed
        made = SmallWorld(
            folder, state.loads(self.shop, now=time.time), time, like.batch, like.runs
        )
        made.settings = replace(like.settings, state_dir=folder)
        return made


#: Makes a world of Prints; see the fixture `prints`.
Prints = Callable[..., SmallWorld]
