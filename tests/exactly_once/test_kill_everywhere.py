"""`kill -9` at every request, before and after it is applied, and at every step on the disk.

The next run ends where an undisturbed run ends.

Every kill is followed by one run. Where two kills leave the very same files and the very same shop,
that run is done once: ids and times are those of the story, not of the day.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from small_world import Disk, Ended, Hook, Left, SmallWorld, Time, When

from invsync.sandbox import state
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.sandbox.shop import Shop
from invsync.state.files import Command

#: Adjustments in one call, so that the story takes several, and one pool more than one.
BATCH = 8


def shop_before(shop: Shop) -> None:
    """What is adopted before the story begins: Prints for one command, Kitchen for the other."""
    for name in ("Warehouse", "Till", "Attic"):
        shop.add_location(name)
    here, everywhere = ("Warehouse",), ("Warehouse", "Till", "Attic")
    for name in ("Fall", "Rise", "Several", "Joined", "Gone", "Left"):
        shop.add_product(
            name, [f"{name}-{n}" for n in "123"], product_type="Print", available=30, locations=here
        )
        shop.add_product(
            f"{name} cup", [f"{name}-C"], product_type="Kitchen", available=30, locations=everywhere
        )
    shop.add_product(
        "Large",
        [f"Large-{n}" for n in range(9)],
        product_type="Print",
        available=30,
        locations=here,
    )
    shop.add_product(
        "Unequal", ["U-1", "U-2"], product_type="Print", available=[4, 9], locations=here
    )


def story_of_variants(shop: Shop) -> None:
    shop.sell("Fall-1", 3)
    shop.sell("Fall-2", 2)
    shop.restock("Rise-2", 10)
    shop.restock("Several-1", 5)
    shop.restock("Several-3", 2)
    shop.sell("Large-3", 4)
    shop.add_variant(shop.product("Joined"), "Joined-4", available=7, locations=("Warehouse",))
    shop.sell("Joined-1", 1)
    shop.delete_product("Gone")
    shop.delete_variant("Left-3")
    shop.sell("Left-1", 1)
    shop.add_product(
        "New", ["New-1", "New-2"], product_type="Print", available=12, locations=("Warehouse",)
    )


def story_of_locations(shop: Shop) -> None:
    shop.sell("Fall-C", 3, "Till")
    shop.sell("Fall-C", 2, "Warehouse")
    shop.restock("Rise-C", 10, "Attic")
    shop.restock("Several-C", 5, "Till")
    shop.restock("Several-C", 2, "Attic")
    for place in ("Garage", "Cellar", "Shed"):
        shop.stock("Joined-C", shop.add_location(place), 7 if place == "Garage" else 0)
    shop.sell("Joined-C", 1, "Till")
    shop.delete_product("Gone cup")
    shop.unstock("Left-C", "Attic")
    shop.sell("Left-C", 1, "Warehouse")
    shop.add_product(
        "New cup", ["New-C"], product_type="Kitchen", available=12, locations=("Warehouse", "Till")
    )
    shop.add_product(
        "Typed in",
        ["Typed-C"],
        product_type="Kitchen",
        available=0,
        locations=("Warehouse", "Till"),
    )
    shop.set_available("Typed-C", 6, "Till")


def story_of_aligning(shop: Shop) -> None:
    shop.add_product(
        "Uneven",
        ["V-1", "V-2", "V-3"],
        product_type="Print",
        available=[8, 3, 8],
        locations=("Warehouse",),
    )
    shop.add_product(
        "Large, uneven",
        [f"W-{n}" for n in range(12)],
        product_type="Print",
        available=range(5, 17),
        locations=("Warehouse",),
    )
    shop.add_product(
        "New", ["New-1", "New-2"], product_type="Print", available=12, locations=("Warehouse",)
    )


#: What happens before the run that is killed, and how that is started.
STORIES: dict[str, tuple[Command, Callable[[Shop], None], dict[str, Any]]] = {
    "variants": ("variants", story_of_variants, {}),
    "locations": ("locations", story_of_locations, {}),
    "align": ("variants", story_of_aligning, {"init": True, "align": "lowest"}),
}


@dataclass(frozen=True)
class EndState:
    """What the shop reads, what the cache knows, and which adjustments the history tells of."""

    levels: dict[str, int]
    pools: dict[str, Any]
    history: Counter[tuple[Any, ...]]


def applied_lines(history: bytes) -> Iterator[dict[str, Any]]:
    """The adjustments in a history; a line that a kill tore is none."""
    for text in history.split(b"\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if "delta" in line:
            yield line


def end_state(world: SmallWorld, command: Command) -> EndState:
    files = world.files(command)
    assert not files.journal.exists()
    applied = [
        (line["item"], line["location"], line["before"], line["delta"])
        for line in applied_lines(files.history.read_bytes())
    ]
    return EndState(
        {
            f"{level.item.sku} @ {level.location.name}": level.available
            for level in world.shop.levels.values()
        },
        json.loads(files.cache.read_bytes())["pools"],
        Counter(applied),
    )


@dataclass
class Story:
    """What is there just before the story's run, and how that ends if nobody disturbs it."""

    command: Command
    options: dict[str, Any]
    before: Left = field(repr=False)
    world: SmallWorld = field(repr=False)
    run: Ended = field(repr=False)
    end: EndState = field(init=False, repr=False)
    points: int = 0
    wrong: list[str] = field(default_factory=list)
    known: dict[tuple[tuple[tuple[str, bytes], ...], str], str] = field(
        default_factory=dict, repr=False
    )

    def again(self, start: Left | None = None) -> SmallWorld:
        """The world before that run."""
        return (start or self.before).world(self.world.folder.with_name("again"), self.world)

    def to_the_end(self, world: SmallWorld) -> list[Ended]:
        """The run again.

        What `--init` has begun to align is managed, so that an ordinary run does the rest.
        """
        return [
            world.run(self.command, **options)
            for options in ([self.options, {}] if self.options else [{}])
        ]

    def judge(self, left: Left, told: str) -> None:
        """See what an undisturbed run makes of what a kill has left."""
        self.points += 1
        key = (tuple(sorted(left.files.items())), left.shop)
        if key not in self.known:
            self.known[key] = self._difference(left)
        if self.known[key]:
            self.wrong.append(f"killed {told}: {self.known[key]}")

    def _difference(self, left: Left) -> str:
        world = self.again(left)
        world.runs += 10
        for after in self.to_the_end(world):
            if after.exit_code not in (0, 3):
                return f"exit {after.exit_code}: {after.message}"
        found = end_state(world, self.command)
        levels = {at: units for at, units in found.levels.items() if units != self.end.levels[at]}
        pools = {
            one: entry for one, entry in found.pools.items() if entry != self.end.pools.get(one)
        }
        history = (found.history - self.end.history) + (self.end.history - found.history)
        if levels or pools or history or len(found.pools) != len(self.end.pools):
            return f"levels {levels}, pools {pools}, history {history}"
        return ""

    def verdict(self, at_least: int) -> None:
        assert not self.wrong, f"{len(self.wrong)} of {self.points} kills: " + "\n".join(
            self.wrong[:5]
        )
        assert self.points >= at_least
        # A story that can't be told apart from itself would be judged once only.
        assert len(self.known) >= at_least / 6


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest, folder: Path) -> Story:
    command, happens, options = STORIES[request.param]
    time = Time()
    world = SmallWorld(folder / "story", Shop(now=time.time), time, BATCH)
    shop_before(world.shop)
    world.run(command, init=True)
    time.pass_by(minutes=10)
    happens(world.shop)
    before = Left.by(world)
    undisturbed = before.world(folder / "undisturbed", world)
    ended = undisturbed.run(command, **options)
    assert ended.sent >= 3
    assert ended.problems("several_rises") or options
    story = Story(command, options, before, world, ended)
    if options:
        undisturbed.run(command)
    story.end = end_state(undisturbed, command)
    return story


def request_points(ended: Ended) -> Iterator[tuple[int, Phase, str]]:
    for number, name in enumerate(ended.requests, 1):
        yield number, "before", f"before request {number} ({name}) is looked at"
        yield number, "after", f"after request {number} ({name}) was applied"


def disk_points(ended: Ended) -> Iterator[tuple[int, When, str]]:
    for number, name in enumerate(ended.steps, 1):
        yield number, "before", f"before step {number} ({name})"
        if name.startswith("write"):
            yield number, "torn", f"in the middle of step {number} ({name})"
    yield len(ended.steps), "after", f"after step {len(ended.steps)} ({ended.steps[-1]})"


def at_request(disk: Disk, number: int, phase: Phase) -> Hook:
    def hook(request: Request, now: Phase) -> None:
        if request.number == number and now == phase:
            disk.kill()

    return hook


def sigkill(story: Story, hooked: Callable[[Disk], Hook | None], **point: Any) -> Left:
    """What a run leaves that is killed, in a process of its own, by SIGKILL.

    The shop is no part of that process.
    """
    world = story.again()
    survives = world.folder.with_name("shop")
    child = os.fork()
    if child == 0:

        def die() -> NoReturn:
            world.shop.account.bucket.available = world.shop.settings.bucket_size
            survives.write_text(state.dumps(world.shop))
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("still alive")

        try:
            disk = Disk(world.folder, die=die, **point)
            world.run(story.command, disk=disk, hook=hooked(disk), **story.options)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return Left.by(world, survives.read_text())


def test_sigkill_at_every_request_and_every_write(story: Story) -> None:
    for number, phase, told in request_points(story.run):
        story.judge(sigkill(story, lambda disk, n=number, p=phase: at_request(disk, n, p)), told)
    for number, when, told in disk_points(story.run):
        story.judge(sigkill(story, lambda disk: None, at=number, when=when), told)
    story.verdict(at_least=70)


def killed_at(story: Story, operation: str, nth: int, phase: Phase) -> Left:
    """What a run leaves that is killed at the n-th request of that name."""
    world = story.again()
    disk = Disk(world.folder)
    numbers = itertools.count(1)

    def hook(request: Request, now: Phase) -> None:
        if request.operation == operation and now == phase and next(numbers) == nth:
            disk.kill()

    assert world.run(story.command, disk=disk, hook=hook, **story.options).killed
    return Left.by(world)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_the_run_that_cleans_up_may_be_killed_as_well(story: Story, phase: Phase) -> None:
    left = killed_at(story, "Adjust", 2, phase)
    story.world.runs += 1
    cleaning = story.again(left).run(story.command, **story.options)
    for number, now, told in request_points(cleaning):
        world = story.again(left)
        disk = Disk(world.folder)
        assert world.run(
            story.command, disk=disk, hook=at_request(disk, number, now), **story.options
        ).killed
        story.judge(Left.by(world), told)
    for number, when, told in disk_points(cleaning):
        world = story.again(left)
        assert world.run(
            story.command, disk=Disk(world.folder, at=number, when=when), **story.options
        ).killed
        story.judge(Left.by(world), told)
    story.verdict(at_least=40)


def test_power_failure_at_every_write(story: Story) -> None:
    """What was not fsync'ed is gone as well.

    New names may have reached the disk by themselves, or not.
    """
    for number, when, told in disk_points(story.run):
        world = story.again()
        disk = Disk(world.folder, at=number, when=when)
        assert world.run(story.command, disk=disk, **story.options).killed
        shop = Left.by(world).shop
        left = {survive: Left(disk.synced(survive), shop) for survive in (False, True)}
        for names_survive, one in left.items():
            story.judge(one, f"{told}, names survive: {names_survive}")
    story.verdict(at_least=100)


SIGNALLED_WHILE_ADJUSTING = """
import os, sys
from invsync.sandbox import api

signum, wanted, asked = int(sys.argv.pop()), sys.argv.pop(), api.Sandbox._call

def call(sandbox, phase, request):
    if request.operation == "Adjust" and phase == wanted:
        os.kill(os.getpid(), signum)
    asked(sandbox, phase, request)

api.Sandbox._call = call
from invsync.cli import main
main(sys.argv[1:])
"""


@dataclass(frozen=True)
class Installation:
    """The program as a person installs it, with a shop that lives in a file."""

    folder: Path

    @property
    def shop(self) -> state.StateFile:
        return state.StateFile(self.folder / "invsync-state" / "sandbox.json")

    @property
    def journal(self) -> Path:
        return self.folder / "invsync-state" / "variants.journal"

    def start(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self._process("-m", "invsync", *self._asked, *options)

    def start_and_signal(self, signum: int, phase: Phase) -> subprocess.CompletedProcess[str]:
        """Its own process sends itself the signal at its first call that adjusts."""
        return self._process("-c", SIGNALLED_WHILE_ADJUSTING, *self._asked, phase, str(signum))

    @property
    def _asked(self) -> list[str]:
        return ["--config", str(self.folder / "config.yaml"), "variants"]

    def _process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)

    def reads(self) -> list[int]:
        with self.shop.open() as shop:
            return shop.availables("PRINT-S", "PRINT-M", "PRINT-L", "PRINT-XL")

    def sell(self, sku: str, units: int) -> None:
        with self.shop.open() as shop:
            shop.sell(sku, units)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "config.yaml").write_text("shop: sandbox\nvariants: {product_types: [Print]}\n")
    made = Installation(tmp_path)
    assert made.start("--init").returncode == 3
    made.sell("PRINT-S", 3)
    return made


@pytest.mark.parametrize("phase", ["before", "after"])
def test_the_command_line_killed_and_started_again(
    installation: Installation, phase: Phase
) -> None:
    """Once more with an interpreter of its own, from the command line on."""
    assert installation.start_and_signal(signal.SIGKILL, phase).returncode == -signal.SIGKILL
    assert installation.journal.exists()
    assert installation.reads() == ([27, 30, 30, 30] if phase == "before" else [27] * 4)
    installation.sell("PRINT-M", 1)
    after = installation.start()
    assert after.returncode == 3, after.stderr
    assert installation.reads() == [26] * 4
    assert not installation.journal.exists()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line_told_to_stop(installation: Installation, signum: int) -> None:
    """What is in flight is waited for and recorded."""
    stopped = installation.start_and_signal(signum, "before")
    assert stopped.returncode in (3, 128 + signum), stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert installation.reads() == [27] * 4
    assert not installation.journal.exists()
    assert installation.start().returncode == 3
    assert installation.reads() == [27] * 4
