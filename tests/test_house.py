"""The house as it is laid out: no module imports one that imports it; the sandbox stands apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import shape


@pytest.fixture(scope="module")
def uses() -> dict[str, set[str]]:
    """Module → the modules of the package that it imports, also late, in a function."""
    return shape.imports(shape.files())


def test_no_modules_import_each_other(uses: dict[str, set[str]]) -> None:
    assert shape.circles(uses) == []


def test_the_sandbox_imports_nothing_of_the_rest(uses: dict[str, set[str]]) -> None:
    assert shape.across(uses) == []


def test_what_talks_to_the_shop_knows_nothing_of_pools_or_caches(uses: dict[str, set[str]]) -> None:
    below = {"invsync", "invsync.errors"}
    led_out = {
        f"{name} → {other}"
        for name, others in uses.items()
        for other in others - below
        if name.startswith("invsync.admin.") and not other.startswith("invsync.admin")
    }
    assert led_out == set()


def test_what_is_wrong_would_be_seen() -> None:
    assert shape.circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    led_out = {"invsync.sandbox.shop": {"invsync.text", "invsync.sandbox.gids"}}
    assert shape.across(led_out) == ["invsync.sandbox.shop → invsync.text"]


@pytest.mark.parametrize("bench", ["fuzz", "same", "scale", "served", "worlds"])
def test_a_bench_starts_without_the_tests_around_it(bench: str, project: Path) -> None:
    module = f"tests.bench.{bench}"
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
