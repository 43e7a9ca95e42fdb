"""The build backend: setuptools, with man pages made from the commands themselves.

An sdist is made with them in `man/`, and a wheel installs them below `share/man`: one for each
command, as its `--help` says it. A build from an sdist takes those that are in there and needs
nothing but setuptools. PEP 517: https://peps.python.org/pep-0517/
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (  # noqa: F401 - hooks that stay as they are
    build_editable,
    get_requires_for_build_editable,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

#: Where a build runs: the folder that holds pyproject.toml.
_ROOT = Path(__file__).resolve().parent.parent
#: What the pages are made with. The commands import nothing else before they run.
_FOR_PAGES = ["click>=8.1", "click-man>=0.4.2"]


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """What an sdist is made with, beside setuptools."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_needed()]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """What a wheel is made with, beside setuptools."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_needed()]


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Make the sdist; its file's name."""
    with _pages():
        return build_meta.build_sdist(sdist_directory, config_settings)


def build_wheel(
    wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None
) -> str:
    """Make the wheel; its file's name."""
    with _pages():
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def _needed() -> list[str]:
    return [] if _in_an_sdist() else _FOR_PAGES


def _in_an_sdist() -> bool:
    return (_ROOT / "PKG-INFO").exists()


@contextmanager
def _pages() -> Iterator[None]:
    """The man pages in `man/` while something is built."""
    if _in_an_sdist():
        yield
        return
    folder = _ROOT / "man"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    sys.path[:0] = [str(_ROOT), str(_ROOT / "packaging")]
    try:
        from manpages import write_pages

        write_pages(folder)
        yield
    finally:
        del sys.path[:2]
        shutil.rmtree(folder, ignore_errors=True)
