"""What the pages show is what is printed: every session and every mail is played on the sandbox.

A console block is a session in a shell: lines after `$ ` are typed, what follows is printed. Those
of a page are played in their order, in one temporary folder; `<!-- test: a new folder -->` begins
another. In printed lines `…` stands for anything within the line, and on a line of its own for any
number of lines. Times, ids, seconds, and how many requests and points a run took, may differ.
`| cat` takes the terminal away, as cron does. Other programs than invsync are not run; what is for
a real shop (`sh`) is not run either, but has to be a command that there is.
"""

from __future__ import annotations

import json
import logging
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from docs_pages import COUNTING, PAGES, README, SANDBOX, Block, Page

from invsync import API_VERSIONS
from invsync.admin import access
from invsync.cli import main
from invsync.commands import keep
from invsync.commands.demo import play
from invsync.tell import terminal
from invsync.tell.terminal import Terminal

COLUMNS = 118

#: What has to happen before the mails of the owner's page, by the line that introduces each.
MAILS: Mapping[str, Sequence[str]] = {
    "2 and by 3:": (
        "invsync sandbox set PRINT-S 32",
        "invsync sandbox set PRINT-M 33",
        "invsync variants | cat",
    ),
    "Two were sold:": (
        "report: changes",
        "invsync sandbox sell FOG-S 2",
        "invsync variants | cat",
    ),
}


@dataclass(frozen=True)
class Typed:
    """A command of a session, and what is shown below it."""

    line: int
    command: str
    shown: tuple[str, ...]


def typed(block: Block) -> list[Typed]:
    found: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            found.append((number, line[2:], []))
        else:
            assert found, f"line {number}: a session begins with what is typed"
            found[-1][2].append(line)
    return [Typed(number, command, tuple(shown)) for number, command, shown in found]


def normal(text: str) -> str:
    """The text without what differs from run to run."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z| UTC)?", "<time>", text)
    text = re.sub(r"\d+ requests?, \d+ points?, \d+\.\d s\b", "<use>", text)
    text = re.sub(r"\d+(\.\d+)? s\b", "<seconds>", text)
    text = re.sub(r'("seconds": )[\d.]+', r"\1<seconds>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d, \d+ days from now", "<date>", text)
    text = re.sub(r"in \d+ h \d+ min", "in <span>", text)
    text = re.sub(r"  [0-9a-f]{8}$", "  <run>", text, flags=re.MULTILINE)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def agrees(shown: Sequence[str], printed: str) -> bool:
    pattern = ""
    for line in normal("\n".join(shown)).strip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("…"))) + r"\n"
    return re.fullmatch(pattern, normal(printed).strip("\n") + "\n") is not None


@dataclass
class Shell:
    """A folder, and the command line in it."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    exit_code: int = 0

    def __post_init__(self) -> None:
        self.monkeypatch.chdir(self.folder)
        self.monkeypatch.setenv("COLUMNS", str(COLUMNS))
        soon = datetime.now(UTC) + timedelta(days=328, hours=1)
        self.monkeypatch.setattr(
            access, "SERVED_UNTIL", dict.fromkeys(API_VERSIONS, soon)
        )  # or the calendar would end the test

    def run(self, command: str) -> str | None:
        """What the command prints; None for a program that is not run here."""
        piped = command.endswith(" | cat")
        match shlex.split(command.removesuffix(" | cat"), comments=True):
            case ["echo", "$?"]:
                return f"{self.exit_code}\n"
            case ["report:", how]:
                config = self.folder / "config.yaml"
                text = config.read_text(encoding="utf-8").replace(
                    "report: problems", f"report: {how}"
                )
                config.write_text(text, encoding="utf-8")
            case ["invsync", *args, ">", file]:
                (self.folder / file).write_text(self.invsync(args), encoding="utf-8")
                return ""
            case ["invsync", *args] if "serve" not in args:
                shown_on = None if piped else Terminal(COLUMNS, colour=False, moves=False)
                for room in (terminal, keep):
                    self.monkeypatch.setattr(room, "terminal_of", lambda *_: shown_on)
                return self.invsync(args)
        return None

    def invsync(self, args: list[str]) -> str:
        root = logging.getLogger()
        kept, root.handlers = root.handlers, []  # or the program would not set up its log
        try:
            result = CliRunner().invoke(main, args, prog_name="invsync", terminal_width=COLUMNS)
        finally:
            root.handlers = kept
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.exit_code = result.exit_code
        return result.output


def sessions(page: Page) -> list[list[Typed]]:
    """What is typed, by the folder that it is played in."""
    found: list[list[Typed]] = [[]]
    for block in page.blocks("console"):
        if block.fresh:
            found.append([])
        found[-1] += typed(block)
    return [session for session in found if session]


@pytest.mark.parametrize(
    ("page", "session"),
    [
        pytest.param(page, session, id=f"{page.name}:{session[0].line}")
        for page in PAGES
        for session in sessions(page)
    ],
)
def test_what_is_shown_is_what_is_printed(
    page: Page, session: list[Typed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    for one in session:
        printed = shell.run(one.command)
        if printed is None:
            assert not one.shown, f"{page.name}, line {one.line}: shown, but not played"
            continue
        shown = "\n".join(one.shown)
        where = f"{page.name}, line {one.line}: {one.command}"
        assert agrees(one.shown, printed), f"{where}\n\nshown:\n{shown}\n\nprinted:\n{printed}"


def test_the_sandbox_page_is_played() -> None:
    played = [
        one.command for session in sessions(SANDBOX) for one in session if "invsync" in one.command
    ]
    assert len(played) > 15


def test_the_mails_shown_are_those_that_cron_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    shell.run("invsync config example > config.yaml")
    shell.run("invsync variants --init --align lowest --yes")
    lines = COUNTING.text.splitlines()
    told = {lines[block.line - 3]: block.text for block in COUNTING.blocks("text")}
    assert told.keys() == MAILS.keys()
    for what, commands in MAILS.items():
        printed = [shell.run(command) for command in commands][-1] or ""
        printed = printed.replace(str(tmp_path), "/etc/invsync")
        shown = re.sub(r"\n  (?=\S)", " ", told[what])
        assert agrees(shown.splitlines(), printed), f"{what}\n\nprinted:\n{printed}"


def test_the_demo_prints_what_the_first_screen_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    play(said.append)
    printed = "\n".join(said)
    (shown,) = README.blocks("text")
    assert agrees(shown.text.splitlines(), printed), printed

    commands = set(re.findall(r"^\$ (invsync .*)$", printed, re.M))
    assert commands >= {
        "invsync variants --init",
        "invsync sandbox sell PRINT-S 3",
        "invsync variants --dry-run",
        "invsync variants",
        "invsync locations",
    }
    assert "Sunset over the harbour: 30 → 21" in printed
    table = printed.partition("$ invsync sandbox show")[2].partition("$ invsync")[0]
    assert len(re.findall(r"^ +Sunset over the harbour .* 21 .*$", table, re.M)) == 4
    assert re.search(r"^ +Mug .* 18 +18\b", printed, re.M)
    packs = printed.rpartition("$ invsync --config packs.yaml sandbox show COOKIE")[2]
    assert re.findall(r"^ +Oat cookie .* active +(\d+)\b", packs, re.M) == ["44", "7", "3"]
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_notices_differences() -> None:
    assert agrees(["a … c", "…", "z"], "a b c\n1\n2\nz\n")
    assert agrees(["…", "z"], "z\n")
    assert not agrees(["a … c", "z"], "a b c\n1\nz\n")
    assert not agrees(["30 → 21"], "30 → 20\n")


def test_json_that_is_shown_is_json() -> None:
    for page in PAGES:
        for block in page.blocks("json"):
            json.loads(block.text)


# -- Commands that are named, but not run ----------------------------------------------------------


def named() -> list[tuple[str, str]]:
    """Every command line of invsync in blocks and in the text, with where it stands."""
    found = []
    for page in PAGES:
        lines = [
            (f"{page.name}:{block.line}", line.removeprefix("$ "))
            for block in page.blocks("sh", "console", "crontab")
            for line in block.text.splitlines()
            if block.language != "console" or line.startswith("$ ")
        ]
        in_text = [
            (f"{page.name}:{number}", code)
            for number, line in page.prose()
            for code in re.findall(r"`([^`]+)`", line)
        ]
        for where, line in (*lines, *in_text):
            if command := re.search(r"(?:^|[;&] |/bin/)invsync ([a-z-].*)$", line):
                found.append((where, command[1]))
    return found


def test_every_command_that_is_named_exists() -> None:
    commands = named()
    assert len(commands) > 30
    for where, command in commands:
        words = shlex.split(command.partition(" | ")[0], comments=True)
        if any(sign in command for sign in "…[|%"):
            words = [word for word in words if not re.search(r"[…\[|%]", word)]
        known(words, where)


def known(words: list[str], where: str) -> None:
    """Go through the words of a command line: every command and option has to be one."""
    command: click.Command = main
    context = click.Context(main)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            options = {
                spelled: option
                for option in command.get_params(context)
                for spelled in option.opts
                if isinstance(option, click.Option)
            }
            name = word.partition("=")[0]
            assert name in options, f"{where}: {command.name} has no {word}"
            if not (options[name].is_flag or options[name].count) and "=" not in word:
                words = words[1:]
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found is not None, f"{where}: there is no command {word}"
            command, context = found, click.Context(found, parent=context)
