"""The fixtures of the tests at scale."""

from __future__ import annotations

from pathlib import Path

import pytest
from scale_world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop with three locations and no products."""
    return make_world(tmp_path)
