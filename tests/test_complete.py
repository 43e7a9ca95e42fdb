"""What a shell completes where a pool is to be named, through click and through bash itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from command_line import BOTH, Place

from invsync import cli

TITLE = "Lighthouse (counts differ)"


@pytest.fixture
def known(place: Place) -> Place:
    """A place where runs have noted titles, and one SKU each of what moved."""
    place.run("variants", "--init", exit_code=3)
    with place.shop() as shop:
        shop.sell("PRINT-S", 3)
    place.run("variants", exit_code=3)
    return place


def completed(*words: str) -> list[str]:
    complete = ShellComplete(cli.main, {}, "invsync", "_INVSYNC_COMPLETE")
    return [item.value for item in complete.get_completions([*words[:-1]], words[-1])]


def titles(place: Place) -> set[str]:
    document = json.loads((place.state / "variants.json").read_text("utf-8"))
    return {entry["title"] for entry in document["pools"].values()}


def test_titles_and_skus_that_runs_have_noted(known: Place) -> None:
    found = completed("explain", "")
    assert titles(known) <= {*found}
    assert {"PRINT-S", "PRINT-M", "LIGHT-S"} <= {*found}, "of what moved, and of what was told"
    assert found == sorted(found)
    assert "MUG" not in found  # no run has noted it


def test_a_part_in_any_case_and_a_title_that_is_typed_as_words(known: Place) -> None:
    assert completed("explain", "lightho") == [TITLE]
    assert completed("explain", "Lighthouse", "") == ["(counts differ)"]
    assert completed("explain", "Lighthouse", "(co") == ["(counts differ)"]
    assert completed("explain", "print-s") == ["PRINT-S"]
    assert completed("explain", "nothing of the kind") == []
    told = known.run("explain", *completed("explain", "lightho"))
    assert TITLE in told.out


def test_the_configuration_that_is_named_counts(
    known: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert completed("explain", "lightho") == []
    assert completed("--config", str(known.config), "explain", "lightho") == [TITLE]
    monkeypatch.setenv("INVSYNC_CONFIG", str(known.config))
    assert completed("explain", "lightho") == [TITLE]


def test_secrets_that_only_cron_has_are_not_needed(known: Place) -> None:
    kept = known.folder / "kept"
    known.state.rename(kept)
    known.configure(
        "shop: my-shop.myshopify.com\naccess_token: ${ONLY_CRON_HAS_IT}\nstate_dir: kept\n"
    )
    assert completed("explain", "lightho") == [TITLE]


BROKEN = {
    "no configuration": lambda place: place.config.unlink(),
    "no yaml": lambda place: place.configure("shop: ["),
    "a list": lambda place: place.configure("- 1\n"),
    "an unset variable": lambda place: place.configure(BOTH + "state_dir: ${NOWHERE}\n"),
    "no state": lambda place: shutil.rmtree(place.state),
    "a cache that is none": lambda place: (place.state / "variants.json").write_text("{"),
    "a cache of bytes": lambda place: (place.state / "variants.json").write_bytes(b"\xff\0"),
    "a link": lambda place: (
        (place.state / "variants.json").unlink(),
        (place.state / "variants.json").symlink_to("/etc/passwd"),
    ),
    "a folder": lambda place: (
        (place.state / "variants.json").unlink(),
        (place.state / "variants.json").mkdir(),
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_completes_nothing_and_says_nothing(known: Place, broken: str) -> None:
    BROKEN[broken](known)
    done = asked_by_bash("invsync", "explain", "Li")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_names_that_would_steer_the_terminal_are_left_out(known: Place) -> None:
    cache = known.state / "variants.json"
    cache.write_text(cache.read_text("utf-8").replace(TITLE, r"Light\u001b[31m\u202e"), "utf-8")
    assert completed("explain", "") != []
    assert completed("explain", "Lightho") == []


def test_the_version_is_not_shown_amid_a_line(known: Place) -> None:
    done = asked_by_bash("invsync", "--version", "explain", "Lightho")
    assert "Admin API" not in done.stdout + done.stderr


def test_a_list_of_commands_pays_nothing_for_it() -> None:
    code = (
        "import sys; from invsync.cli import main; main(['--help'], standalone_mode=False);"
        "print('LOADED', {'invsync.complete', 'invsync.config', 'msgspec'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED set()"


# -- bash itself -----------------------------------------------------------------------------------


def asked_by_bash(*words: str) -> subprocess.CompletedProcess[str]:
    """The program as click's script for bash asks it."""
    return subprocess.run(
        [sys.executable, "-c", "from invsync.cli import main; main(prog_name='invsync')"],
        env={
            **os.environ,
            "_INVSYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@needs_bash
@pytest.mark.parametrize(
    "typed", ["Lightho", "lightho", r"Lighthouse\ \(c", '"Lightho', "'Lightho"]
)
def test_what_bash_inserts_is_the_name_as_one_word(
    known: Place, tmp_path: Path, typed: str
) -> None:
    """click's own script, played by bash: what it would insert, read as bash reads a command."""
    program = tmp_path / "bin" / "invsync"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom invsync.cli import main\nmain()\n")
    program.chmod(0o755)
    quote = typed[0] if typed[0] in "\"'" else ""
    script = """
        eval "$(_INVSYNC_COMPLETE=bash_source invsync)"
        COMP_WORDS=(invsync explain "$TYPED") COMP_CWORD=2
        _invsync_completion invsync
        echo "${#COMPREPLY[@]}"
        eval "printf '<%s>' $QUOTE${COMPREPLY[0]}$QUOTE"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "TYPED": typed,
            "QUOTE": quote,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"1\n<{TITLE}>", "")
