"""What is published: wheel and sdist, built as they would be, installed where nothing else is."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from invsync import API_VERSIONS, __version__
from invsync.cli import main

PROJECT = Path(__file__).parent.parent
#: Seconds for one step that asks a package index; a slow one is no failure.
PATIENCE = 300
#: What a folder of the project may hold besides what is published.
NO_SOURCES = {".git", ".venv", "venv", "build", "dist", "__pycache__", "man"}


def python(*args: str, where: Path) -> subprocess.CompletedProcess[str]:
    """Python as a clean shell would start it: nothing of this checkout is on its path."""
    return started(Path(sys.executable), *args, where=where)


def started(program: Path, *args: str, where: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    return subprocess.run(
        [program, *args],
        cwd=where,
        env=environment | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def sources() -> list[str]:
    """Every file of the project, as git knows it; from an sdist, every file that is in there."""
    known = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if known.returncode == 0 and (PROJECT / ".git").exists():
        names = known.stdout.decode().split("\0")
    else:
        paths = (path.relative_to(PROJECT) for path in PROJECT.rglob("*"))
        names = [
            str(path)
            for path in paths
            if not NO_SOURCES & {*path.parts}
            and not path.parts[0].endswith(("_cache", ".egg-info"))
            and path.name not in ("PKG-INFO", "setup.cfg")
        ]
    return sorted(name for name in names if name and (PROJECT / name).is_file())


@dataclass(frozen=True)
class Packages:
    """A wheel and an sdist that were built from a copy of the project, and what is in them."""

    folder: Path

    @property
    def wheel(self) -> Path:
        (wheel,) = self.folder.glob("*.whl")
        return wheel

    @property
    def in_the_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as wheel:
            return set(wheel.namelist())

    @property
    def in_the_sdist(self) -> set[str]:
        (path,) = self.folder.glob("*.tar.gz")
        with tarfile.open(path) as sdist:
            return {name.partition("/")[2] for name in sdist.getnames()}


@dataclass(frozen=True)
class Installed:
    """The wheel in a virtual environment of its own, with the extra `sandbox`.

    `alone`: what `invsync demo` and a run on the sandbox did before the extra was there.
    """

    venv: Path
    alone: tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]

    def run(self, *args: str, where: Path) -> subprocess.CompletedProcess[str]:
        return started(self.venv / "bin" / "invsync", *args, where=where)


# A fixture of the session sees the environment of whoever runs the tests: their proxy, their index.


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Packages:
    """Built once, whichever of the tests' processes comes first."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent
    with (folder / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "dist").exists():
            build(folder)
    return Packages(folder / "dist")


#: Builds the sdist, and the wheel from what is in it, in one environment; ends with 77 if nothing
#: can be installed there.
BUILD = """
import subprocess, sys, tarfile
from build import ProjectBuilder
from build.env import DefaultIsolatedEnv

with DefaultIsolatedEnv() as env:
    builder = ProjectBuilder.from_isolated_env(env, "source")
    try:
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("sdist"))
        env.install(builder.get_requires_for_build("wheel"))
    except subprocess.CalledProcessError as failed:
        print(failed.stderr or failed, file=sys.stderr)
        sys.exit(77)
    with tarfile.open(builder.build("sdist", "unfinished")) as sdist:
        sdist.extractall("unpacked", filter="data")
        top = sdist.getnames()[0].partition("/")[0]
    ProjectBuilder.from_isolated_env(env, f"unpacked/{top}").build("wheel", "unfinished")
"""


def build(folder: Path) -> None:
    for name in sources():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, folder / "source" / name)
    done = python("-c", BUILD, where=folder)
    if done.returncode == 77:
        pytest.skip(f"no package index can be reached, which a build needs: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "unfinished").rename(folder / "dist")


@pytest.fixture(scope="session")
def installed(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    made = python("-m", "venv", "--without-pip", "venv", where=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    program = folder / "venv" / "bin" / "invsync"

    def install(what: str) -> None:
        pip = ("-m", "pip", "--python", "venv/bin/python", "install", "--quiet", what)
        done = python(*pip, where=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    install(str(packages.wheel))
    (folder / "config.yaml").write_text("shop: sandbox\nvariants:\n  product_types: [Print]\n")
    alone = (
        started(program, "demo", where=folder),
        started(program, "variants", "--dry-run", where=folder),
    )
    install(f"invsync[sandbox] @ {packages.wheel.as_uri()}")
    return Installed(folder / "venv", alone)


def pages(command: click.Command, name: str = "invsync") -> Iterator[str]:
    """The name of each command's man page."""
    yield f"{name}.1"
    context = click.Context(command, info_name=name)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from pages(found, f"{name}-{inner}")


def test_the_sdist_holds_every_file_of_the_project_and_the_man_pages(packages: Packages) -> None:
    assert {*sources()} - packages.in_the_sdist == set()
    assert {name for name in packages.in_the_sdist if name.startswith("man/")} == {
        f"man/{page}" for page in pages(main)
    }


def test_the_wheel_holds_every_file_of_the_package_and_nothing_of_the_tests(
    packages: Packages,
) -> None:
    ours = {name for name in sources() if name.startswith("invsync/")}
    assert "invsync/py.typed" in ours
    extra = packages.in_the_wheel - ours
    assert ours - packages.in_the_wheel == set()
    assert {name.partition("/")[0] for name in extra} == {
        f"invsync-{__version__}.dist-info",
        f"invsync-{__version__}.data",
    }


def test_the_man_pages_say_what_the_help_says(installed: Installed) -> None:
    folder = installed.venv / "share" / "man" / "man1"
    assert {path.name for path in folder.iterdir()} == {*pages(main)}
    page = (folder / "invsync-variants.1").read_text("utf-8").replace("\\-", "-")
    helped = installed.run("variants", "--help", where=installed.venv).stdout
    for line in helped.partition("Options:")[0].replace("Usage: invsync variants", "").splitlines():
        assert line.strip() in page, line
    for option in main.commands["variants"].params:
        assert isinstance(option, click.Option)
        assert f"{option.opts[-1]}" in page
        assert f"{option.help}" in page
    assert not [line for line in page.splitlines() if "\b" in line]
    for path in folder.iterdir():
        for seen in re.findall(r"See \\fB(.*?)\(1\)", path.read_text("utf-8")):
            assert (folder / f"{seen}.1").exists(), (path.name, seen)


def test_the_installed_program_tells_its_version(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("--version", where=tmp_path)
    assert told.stdout == f"invsync {__version__} (Admin API {API_VERSIONS[-1]})\n"


def test_without_the_extra_the_sandbox_says_what_to_install(installed: Installed) -> None:
    demo, run = installed.alone
    says = (
        "the sandbox needs graphql-core, which is not installed beside invsync; add it: "
        f"`uv pip install --python {installed.venv}/bin/python graphql-core`"
    )
    assert (demo.returncode, demo.stdout, demo.stderr) == (1, "", f"invsync: {says}\n")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"invsync: config.yaml: shop: {says}\n"


def test_the_installed_program_plays_its_demo(installed: Installed, tmp_path: Path) -> None:
    played = installed.run("demo", where=tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "$ invsync variants --dry-run" in played.stdout
    assert [*tmp_path.iterdir()] == []


def test_the_installed_program_goes_from_its_example_to_a_first_look(
    installed: Installed, tmp_path: Path
) -> None:
    example = installed.run("config", "example", where=tmp_path)
    assert example.stdout == (PROJECT / "config.example.yaml").read_text("utf-8")
    (tmp_path / "config.yaml").write_text(example.stdout, encoding="utf-8")
    good = installed.run("config", "validate", where=tmp_path)
    assert (good.returncode, good.stderr) == (0, ""), good.stdout + good.stderr
    ran = installed.run("variants", "--dry-run", where=tmp_path)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "Lighthouse (counts differ)" in ran.stdout
