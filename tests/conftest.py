"""What every test of the project runs in.

No configuration, proxy or password file of whoever runs it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = tmp_path_factory.getbasetemp() / "home"
    nobody.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(nobody))
    monkeypatch.setenv("NO_PROXY", "*")
    unwanted = {"INVSYNC_CONFIG", "NO_COLOR", "FORCE_COLOR", "NETRC", "XDG_CONFIG_HOME"}
    for name in os.environ:
        if (
            name in unwanted
            or (name.upper().endswith("_PROXY") and name != "NO_PROXY")
            or name.startswith("SHOPIFY_")
        ):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _kept_signal_handlers() -> Iterator[None]:
    """The command line installs its own; a test that calls it must not leave them behind."""
    kept = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield
    for signum, handler in kept.items():
        signal.signal(signum, handler)


@pytest.fixture
def project() -> Path:
    """The top folder of the project."""
    return Path(__file__).parent.parent
