"""Pausing and resuming, killed at any step on the disk and at any request.

What a person has said is said again where the process died before it was done: then all is as if it
had been said once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_world import Disk, Killed, Prints, SmallWorld, When

from invsync.commands.pause import pause, resume
from invsync.invocation import Invocation
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request


def quiet() -> Invocation:
    return Invocation(None, 0, True)


@contextmanager
def may_die() -> Iterator[list[bool]]:
    died = [False]
    try:
        yield died
    except Killed:
        died[0] = True


def say(world: SmallWorld, what: str, *, disk: Disk | None = None, at: int = 0) -> bool:
    """Pause A, or resume it as it stands.

    Whether the process died: at a step of the disk, or at request `at` (after it where negative).
    """
    disk = disk or Disk(world.folder)
    world.runs += 1
    requests = [0]

    def hook(request: Request, phase: Phase) -> None:
        requests[0] += phase == "before"
        if requests[0] == abs(at) and phase == ("before" if at > 0 else "after"):
            disk.kill()

    with world._doors(hook, ()), disk, may_die() as died:
        if what == "pause":
            pause(quiet(), world.settings, ["A"], length=None)
        else:
            resume(quiet(), world.settings, ["A"], as_set=True)
    return died[0]


def imported(prints: Prints, reserve: int) -> SmallWorld:
    """A is paused, and an import has written 50 on all of it; B goes on."""
    world = prints(A=3, B=2)
    world.configure("variants", reserve=reserve)
    world.until_rest()
    say(world, "pause")
    for sku in ("A-1", "A-2", "A-3"):
        world.shop.set_available(sku, 50)
    world.shop.sell("B-1", 1)
    world.until_rest()
    return world


def is_paused(world: SmallWorld) -> bool:
    return bool(json.loads((world.folder / "paused.json").read_bytes())["pools"])


def check_as_said_once(world: SmallWorld, reserve: int) -> None:
    """Whatever was left, the word is said again if it has to be; then three are sold."""
    world.until_rest()
    if is_paused(world):
        assert not say(world, "resume")
    assert not is_paused(world)
    world.until_rest()
    assert world.cached()["A"]["quantity"] == 50
    world.shop.sell("A-2", 3)
    world.until_rest()
    assert world.cached()["A"]["quantity"] == 47
    assert world.reads("A") == [47 - reserve] * 3
    assert world.reads("B") == [29 - reserve] * 2


#: Steps on the disk that resuming takes at most; what is beyond the last is no kill at all.
STEPS = 60


@pytest.mark.parametrize("reserve", [0, 2])
@pytest.mark.parametrize("when", ["before", "torn", "after"])
def test_killed_at_any_step_on_the_disk(prints: Prints, when: When, reserve: int) -> None:
    world = imported(prints, reserve)
    files = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    deaths = 0
    for step in range(1, STEPS):
        again = restored(world, files)
        disk = Disk(again.folder, at=step, when=when)
        deaths += say(again, "resume", disk=disk)
        check_as_said_once(again, reserve)
        if len(disk.steps) < step:
            break
    assert 10 < deaths < STEPS - 1


@pytest.mark.parametrize("reserve", [0, 2])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_request(prints: Prints, after: bool, reserve: int) -> None:
    world = imported(prints, reserve)
    files = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    deaths = 0
    for request in range(1, 20):
        again = restored(world, files)
        if not say(again, "resume", at=-request if after else request):
            break
        deaths += 1
        check_as_said_once(again, reserve)
    assert 1 < deaths < 19


@pytest.mark.parametrize("when", ["before", "torn", "after"])
def test_a_pause_is_there_or_not_whenever_its_process_dies(prints: Prints, when: When) -> None:
    world = prints(A=3)
    files = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    for step in range(1, STEPS):
        again = restored(world, files)
        disk = Disk(again.folder, at=step, when=when)
        died = say(again, "pause", disk=disk)
        again.shop.sell("A-1", 1)
        again.until_rest()
        file = again.folder / "paused.json"
        paused = file.exists() and is_paused(again)
        assert again.reads("A") == ([29, 30, 30] if paused else [29, 29, 29])
        assert died or paused
        if len(disk.steps) < step:
            break


def restored(world: SmallWorld, files: dict[str, bytes]) -> SmallWorld:
    """The same world again, beside the first."""
    from small_world import Left

    left = Left.by(world)
    folder = Path(f"{world.folder}-again")
    return Left(files, left.shop).world(folder, world)
