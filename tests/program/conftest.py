"""The fixtures of the whole-program tests.

A world with the real command line, and a shop behind real HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from program_world import Time, World, new_shop

from invsync import connect
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test pulls the plug of this machine."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of the program and of the shop."""
    time = Time()
    monkeypatch.setattr(connect, "time", time)
    return time


def _served(shop: Shop, time: Time, folder: Path) -> Iterator[World]:
    world = World(folder, time, shop)
    with SandboxServer(shop, now=time.time, on_request=world.note) as world.server:
        world.configure()
        yield world


@pytest.fixture
def world(time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A shop with three locations and no products."""
    monkeypatch.chdir(tmp_path)
    yield from _served(new_shop(time), time, tmp_path)


@pytest.fixture
def story(time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The sandbox's starting shop."""
    monkeypatch.chdir(tmp_path)
    yield from _served(new_shop(time, story=True), time, tmp_path)
