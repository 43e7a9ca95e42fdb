"""What every test of the project runs in.

No configuration, proxy or password file of whoever runs it.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Place

#: What is kept of the environment: no configuration, token, proxy or colour of whoever runs the
#: tests.
KEPT = re.compile(
    "(PATH|HOME|NO_PROXY|TMPDIR|TZ|LANG|LC_.*|TERM|VIRTUAL_ENV|PYTHON.*|PYTEST.*|PIP_.*"
    "|SSL_CERT_.*|REQUESTS_CA_BUNDLE|INVSYNC_RECORDED)$"
)


@pytest.fixture(scope="session")
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary folder for the tests of this process and the processes that they start."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _nothing_left_behind(temporary_folder: Path) -> Iterator[None]:
    """No run, test or sandbox leaves anything in the temporary folder."""
    yield
    assert list(temporary_folder.iterdir()) == []


@pytest.fixture(autouse=True)
def _clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = tmp_path_factory.getbasetemp() / "home"
    nobody.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(nobody))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for name in os.environ:
        if not KEPT.match(name):
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


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder with both commands configured on the sandbox, and the tests in it."""
    monkeypatch.chdir(tmp_path)
    place = Place(tmp_path)
    place.configure()
    return place
