"""What the sandbox's tests stand on: a clock, the starting shop, and a desk to ask it from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sandbox_desk import Clock, Desk

from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import starting_shop


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return starting_shop(now=clock)


@pytest.fixture
def desk(shop: Shop, clock: Clock) -> Desk:
    return Desk(shop, clock)


@pytest.fixture
def new_desk(shop: Shop, clock: Clock) -> Callable[..., Desk]:
    """Makes desks with options, at the same shop unless another is given."""

    def make(home: Shop | Path | None = None, **options: Any) -> Desk:
        return Desk(shop if home is None else home, clock, **options)

    return make
