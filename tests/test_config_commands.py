"""`invsync config`: the example out of the program, and whether a configuration is good."""

from __future__ import annotations

import builtins
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Place

TOKEN = "shpat_c0ffee00c0ffee00c0ffee00c0ffee00"
REAL = f"shop: my-shop.myshopify.com\naccess_token: {TOKEN}\nvariants:\n  product_types: [Print]\n"


def invsync(*args: str, where: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "invsync", *args],
        cwd=where,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
    )


# -- the example -----------------------------------------------------------------------------------


def test_the_example_is_the_projects_own_to_the_last_byte(project: Path, tmp_path: Path) -> None:
    told = invsync("config", "example", where=tmp_path, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout == (project / "config.example.yaml").read_bytes()


def test_the_example_needs_no_configuration_and_heeds_no_broken_one(place: Place) -> None:
    place.configure("shop: [")
    told = place.run("config", "example").out
    place.configure(told)
    assert place.run("config", "validate").err == ""


def test_what_says_that_there_is_no_configuration_says_how_to_get_one(tmp_path: Path) -> None:
    ran = invsync("variants", where=tmp_path, HOME=str(tmp_path))
    (line,) = ran.stderr.decode().splitlines()
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert line.startswith("invsync: no configuration: looked for config.yaml, ")
    suggested = line.partition("`")[2].partition("`")[0]
    program, _, rest = suggested.partition(" ")
    assert (program, rest) == ("invsync", "config example > config.yaml")
    # As it stands, in a shell.
    said = subprocess.run(
        ["sh", "-c", f'invsync() {{ {sys.executable} -m invsync "$@"; }}; {suggested}'],
        cwd=tmp_path,
        check=True,
    )
    assert said.returncode == 0
    assert invsync("config", "validate", where=tmp_path).returncode == 0


# -- whether one is good ---------------------------------------------------------------------------


def test_a_good_one_is_called_good_and_the_next_step_is_named(place: Place) -> None:
    ran = place.run("config", "validate")
    assert ran.err == ""
    assert ran.out == (
        f"{place.config} is good: the shop is sandbox.myshopify.com, to be kept in step by "
        f"variants and locations; next, which asks the shop: `invsync --config {place.config} "
        "check`\n"
    )
    place.run("check")  # what it names


def test_quiet_leaves_the_exit_code(place: Place) -> None:
    ran = place.run("-q", "config", "validate")
    assert ran.out + ran.err == ""


def test_it_asks_nobody_and_writes_nothing(place: Place) -> None:
    place.configure(REAL)
    assert "the shop is my-shop.myshopify.com, to be kept in step by variants;" in (
        place.run("config", "validate").out
    )
    assert not place.state.exists()


MISTAKES = "shop: nowhere.example\nping_url: ftp://x\nvariants:\n  product_typs: [Print]\n"


@pytest.mark.parametrize(
    "text", [MISTAKES, "shop: [", "", "shop: my-shop.myshopify.com\nvariants: {}\n"]
)
def test_every_mistake_is_said_as_a_run_says_it(place: Place, text: str) -> None:
    place.configure(text)
    told = place.run("config", "validate", exit_code=2)
    assert told.out == ""
    assert all(line.startswith(f"invsync: {place.config}") for line in told.err.splitlines())
    assert told.err == place.run("variants", exit_code=2).err


def test_all_mistakes_are_said_at_once(place: Place) -> None:
    place.configure(MISTAKES)
    assert len(place.run("config", "validate", exit_code=2).err.splitlines()) == 4


def test_a_file_with_nothing_to_keep_in_step_is_not_good(place: Place) -> None:
    place.configure("shop: sandbox\n")
    told = place.run("config", "validate", exit_code=2)
    assert told.err == (
        f"invsync: {place.config}: has neither variants nor locations, so there is nothing to keep "
        "in step; add one of the two, as "
        f"`invsync --config {place.config} config example` shows it\n"
    )


def test_a_secret_that_others_can_read_is_told_and_the_file_is_good(place: Place) -> None:
    place.configure(REAL)
    place.config.chmod(0o644)
    ran = place.run("config", "validate")
    assert ran.err.startswith(f"{place.config}: access_token: others on this machine can read")
    assert TOKEN not in ran.out + ran.err
    assert "is good" in ran.out
    assert stat.S_IMODE(place.config.stat().st_mode) == 0o644


def test_a_sandbox_that_can_not_run_here_is_a_mistake(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "graphql":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    told = place.run("config", "validate", exit_code=2)
    assert told.err == (
        f"invsync: {place.config}: shop: the sandbox needs graphql-core, which is not installed "
        f"beside invsync; add it: `{sys.executable} -m pip install graphql-core`\n"
    )


# -- the sandbox is no real shop -------------------------------------------------------------------

SANDBOX = [
    ["show"],
    ["sell", "PRINT-S", "1"],
    ["ship", "PRINT-S"],
    ["cancel", "PRINT-S", "1"],
    ["set", "PRINT-S", "1"],
    ["close", "Till"],
    ["reset"],
    ["serve", "--port", "0"],
]


def test_every_command_of_the_sandbox_is_tried_below() -> None:
    from invsync.sandbox.commands import sandbox

    assert {words[0] for words in SANDBOX} == {*sandbox.commands}


@pytest.mark.parametrize("words", SANDBOX)
def test_a_configuration_of_a_real_shop_is_refused(place: Place, words: list[str]) -> None:
    place.configure(REAL)
    ran = place.run("sandbox", *words, exit_code=2)
    assert ran.out == ""
    assert ran.err == (
        f"invsync: {place.config}: shop is my-shop.myshopify.com, a real shop; the sandbox "
        "commands need `shop: sandbox`\n"
    )
    assert not place.state.exists()


@pytest.mark.parametrize("words", SANDBOX)
def test_a_configuration_that_can_not_be_read_is_no_leave_to_play_elsewhere(
    tmp_path: Path, words: list[str]
) -> None:
    """The user's own configuration, of a real shop, whose secret only cron has."""
    home, here = tmp_path / "home", tmp_path / "here"
    (home / ".config" / "invsync").mkdir(parents=True)
    here.mkdir()
    file = home / ".config" / "invsync" / "config.yaml"
    file.write_text(REAL.replace(TOKEN, "${ONLY_CRON_HAS_IT}"))
    ran = invsync("sandbox", *words, where=here, HOME=str(home))
    assert ran.returncode == 2
    assert f"invsync: {file}:2: access_token: " in ran.stderr.decode()
    assert [*here.iterdir()] == []


def test_without_any_configuration_the_sandbox_is_in_this_folder(tmp_path: Path) -> None:
    ran = invsync("sandbox", "sell", "PRINT-S", "1", where=tmp_path, HOME=str(tmp_path))
    assert ran.returncode == 0
    assert (tmp_path / "invsync-state" / "sandbox.json").exists()
