"""The fixtures of the tests of single failures.

A place for state, and a shop of Prints, adopted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_world import MEMORY, Prints, SmallWorld, Time

from invsync.sandbox.shop import Shop


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with tempfile.TemporaryDirectory(prefix="exactly-once-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def prints(folder: Path) -> Prints:
    """Make a world: Prints (title → number of variants, named A-1, A-2, …), adopted at 30 each."""

    def make(batch: int = 250, available: int = 30, **sizes: int) -> SmallWorld:
        time = Time()
        world = SmallWorld(folder / "state", Shop(now=time.time), time, batch)
        world.shop.add_location("Warehouse")
        for title, size in sizes.items():
            skus = [f"{title}-{n}" for n in range(1, size + 1)]
            world.shop.add_product(title, skus, product_type="Print", available=available)
        assert world.run(init=True).exit_code == 0
        time.pass_by(minutes=10)
        return world

    return make
