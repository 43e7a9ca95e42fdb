"""The README says what the program does: tables, files, messages and shown output are compared with the real thing.

A console block of the README is a session in a shell: lines after `$ ` are typed, what follows is
printed. All of them are played in their order, in one temporary folder, on the sandbox; `<!-- test:
a new folder -->` begins another. In printed lines `…` stands for anything within the line, and on a
line of its own for any number of lines. Times, ids, seconds, and how many requests and points a run
took, may differ. `| cat` takes the terminal away, as cron does. Other programs than invsync are not
run.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from invsync import API_VERSIONS, config, errors, find, settle
from invsync.admin import access, adjust
from invsync.cli import main
from invsync.config.keys import SECTIONS, TOP
from invsync.config.values import Key
from invsync.demo import play
from invsync.recover import KEY_LIFE
from invsync.sandbox.faults import KINDS, read_file
from invsync.state.files import HISTORY_BYTES
from invsync.sync import NoteKind
from invsync.tell import outcome as told
from invsync.tell import screen, words
from invsync.tell.document import document as to_document

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COLUMNS = 118


# -- The README, taken apart -----------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A fenced block. `fresh`: whether it begins in a new folder."""

    line: int
    language: str
    text: str
    fresh: bool


def blocks() -> list[Block]:
    found = []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        before = README[: match.start()]
        fresh = before.rstrip().endswith("<!-- test: a new folder -->")
        found.append(Block(before.count("\n") + 1, match[1], match[2], fresh))
    return found


def blocks_of(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]


def section(heading: str) -> str:
    """What stands below a heading, up to the next one of its rank."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL
    )
    assert found, f"the README has no section {heading!r}"
    return found[1]


def prose() -> Iterator[tuple[int, str]]:
    """Number and text of each line outside fenced blocks."""
    inside = False
    for number, line in enumerate(README.splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def first_cells(text: str) -> list[str]:
    """What stands in backticks in the first column of the tables of a text, row by row."""
    return [found[1] for line in text.splitlines() if (found := re.match(r"\| `([^`]+)` \|", line))]


# -- Tables that the code knows better -------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def config_table(keys: Sequence[Key]) -> str:
    rows = []
    for key in keys:
        allowed = (
            f" One of {', '.join(f'`{word}`' for word in key.allowed)}." if key.allowed else ""
        )
        if key.required:
            default = "required"
        elif key.default is None or key.default == ():
            default = "none"
        else:
            default = (
                f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"
            )
        rows.append([f"`{key.name}`", f"{key.about}{allowed}", default])
    return table(["key", "what it is", "default"], rows)


def commands(
    command: click.Command, name: str = "invsync"
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command with its whole name, groups before what is in them."""
    context = click.Context(command, info_name=name)
    yield name, command, context
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            assert found is not None
            yield from commands(found, f"{name} {sub}")


def options_table(command: click.Command, context: click.Context) -> str:
    rows = []
    for option in command.get_params(context):
        if isinstance(option, click.Option) and "--help" not in option.opts:
            spelled, what = option.get_help_record(context) or ("", "")
            rows.append([f"`{spelled}`", re.sub(r"  \[.*\]$", "", what)])
    return table(["option", "what it does"], rows)


@pytest.mark.parametrize("name", ["top", *SECTIONS])
def test_every_key_of_the_configuration_is_in_its_table(name: str) -> None:
    keys = TOP if name == "top" else SECTIONS[name][1]
    assert config_table(keys) in README


def all_commands() -> dict[str, tuple[click.Command, click.Context]]:
    return {name: (command, context) for name, command, context in commands(main)}


@pytest.mark.parametrize("name", all_commands())
def test_every_option_is_in_the_table_of_its_command(name: str) -> None:
    command, context = all_commands()[name]
    wanted = options_table(command, context)
    if wanted.count("\n") > 2:
        assert wanted in README
    assert f"`{name}" in section("The command line") or name == "invsync"


@pytest.mark.parametrize("name", all_commands())
def test_every_help_says_what_the_command_does_and_shows_examples(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split()[1:], "--help"], prog_name="invsync")
    assert result.exit_code == 0
    usage, description = result.output.split("\n\n")[:2]
    assert usage.startswith(f"Usage: {name}")
    assert re.fullmatch(r"  [A-Z].*\.", description, re.DOTALL)
    shown = re.search(r"Examples?:\n(.*?)\n\n", result.output, re.DOTALL)
    assert shown, "no examples"
    assert all(name.split()[-1] in line for line in shown[1].splitlines() if "$" not in line)


def exit_codes() -> set[int]:
    """Those of all errors, and the two of a run that went through."""
    found = {0, 3}
    classes: list[type[errors.InvsyncError]] = [errors.InvsyncError]
    while classes:
        kind = classes.pop()
        found.add(kind.exit_code)
        classes += kind.__subclasses__()
    return found


def test_every_exit_code_is_in_the_table() -> None:
    told = re.findall(r"^\| ([\d+n]+) \|", section("Exit codes"), re.MULTILINE)
    assert told == [*map(str, sorted(exit_codes())), "128+n"]


def test_every_fault_of_the_sandbox_is_in_the_table_with_its_settings() -> None:
    rows = [
        line.split(" | ") for line in section("The sandbox").splitlines() if line.startswith("| `")
    ]
    told = {
        fault.strip("|` "): set(re.findall(r"`(\w+)`", settings)) for fault, _, settings in rows
    }
    assert list(told) == list(KINDS)
    assert all(KINDS[fault] <= settings for fault, settings in told.items())


def test_the_fault_file_shown_is_right(tmp_path: Path) -> None:
    (rules,) = [
        block.text
        for block in blocks_of("yaml")
        if isinstance(yaml.safe_load(block.text.split("---")[0]), list)
    ]
    (tmp_path / "faults.yaml").write_text(rules, encoding="utf-8")
    assert len(read_file(tmp_path / "faults.yaml").rules) == 3


def test_every_module_has_its_line_in_the_layout() -> None:
    told = re.findall(r"^  (\w+)(?:\.py|/) ", section("How the code is laid out"), re.MULTILINE)
    parts = {
        path.stem
        for path in PROJECT.glob("invsync/[!_.]*")
        if path.suffix == ".py" or path.is_dir()
    }
    assert sorted(told) == sorted(parts)


def test_the_figures_told_are_those_of_the_code() -> None:
    speed, reliability, state = section("Speed"), section("Reliability"), section("State on disk")
    assert f"at most {find.CHEAP_POINTS} points" in speed
    assert f"more than {find.DEAR_POINTS} points" in speed
    assert f"After {KEY_LIFE.total_seconds() / 3600:.0f} hours" in reliability
    assert f"up to {adjust.BATCH} adjustments" in reliability
    assert f"at {HISTORY_BYTES // 1_000_000} MB" in state
    assert f"at least {settle.FEW_RISES})" in section("What it does to your stock")


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The keys of a document, those in lists with []."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f"{at}{key}"
            yield from paths(inner, f"{at}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at[:-1]}[].")


def test_every_key_of_the_json_document_is_in_the_table() -> None:
    level = told.LevelChange("item", "sku", "name", "place", 1, 1, 1, True)
    outcome = told.Outcome(
        command="variants",
        shop="shop",
        mode="sync",
        dry_run=False,
        started_at="now",
        changes=[told.Change("pool", "title", 1, 2, "falls", (level,))],
        problems=[
            told.Problem(
                "held", "pool", "title", "message", (told.Shown("item", "sku", "place", 1),)
            )
        ],
        warnings=[told.Warning("stale", "pool", "message")],
    )
    document = to_document(outcome)
    assert first_cells(section("The JSON document").split("###")[0]) == list(
        dict.fromkeys(paths(document))
    )


# -- Words of the code that the README lists -------------------------------------------------------


def said_in(tree: ast.AST) -> Iterator[str]:
    """Every text in the code; … where an f-string puts something in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def trees() -> dict[str, ast.AST]:
    sources = PROJECT.glob("invsync/**/*.py")
    return {
        str(path.relative_to(PROJECT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sources
    }


def kinds_given_to(name: str) -> set[str]:
    """The first arguments of calls such as `self.warn("stale", …)` and `Warning("stale", …)`."""
    return {
        node.args[0].value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        == name
    }


def test_every_kind_of_problem_and_warning_is_in_the_table() -> None:
    weighing = {kind: meaning.weight for kind, meaning in words.MEANINGS.items()}
    assert weighing.keys() == set(NoteKind.__args__)
    problems = {kind for kind in weighing if weighing[kind] == "problem"} | kinds_given_to(
        "Problem"
    )
    notes = {kind for kind in weighing if weighing[kind] == "warning"}
    warnings = kinds_given_to("warn") | kinds_given_to("Warning") | notes
    text = section("The JSON document")
    assert (
        set(first_cells(text.partition("### Kinds of problems")[2].partition("###")[0])) == problems
    )
    assert set(first_cells(text.partition("### Kinds of warnings")[2])) == warnings


def test_every_reason_for_leaving_something_out_is_in_the_table() -> None:
    tree = trees()["invsync/pools.py"]
    reasons = {
        node.value.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in ("_unfit", "_left_out")
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
        and isinstance(node.value, ast.Constant)
        and node.value.value
    }
    assert set(first_cells(section("What is left out"))) == reasons


def test_every_message_under_troubleshooting_is_one_of_the_program() -> None:
    said = [re.sub(r"\s+", " ", text) for tree in trees().values() for text in said_in(tree)]
    messages = first_cells(section("Troubleshooting"))
    assert len(messages) > 20
    for message in messages:
        parts = [part.strip() for part in message.split("…") if part.strip()]
        assert any(in_order(parts, text) for text in said), message


def in_order(parts: Sequence[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


# -- What stands in files --------------------------------------------------------------------------


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_lead_somewhere() -> None:
    headings = {slug(line.lstrip("# ")) for _, line in prose() if line.startswith("#")}
    targets = [target for _, line in prose() for target in re.findall(r"\]\(([^)\s]+)\)", line)]
    assert targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("https://"):
            assert (PROJECT / target).exists(), target


def test_the_index_names_every_section() -> None:
    headings = [line[3:] for _, line in prose() if line.startswith("## ") and line != "## Contents"]
    index = re.findall(r"^- \[([^]]+)\]\(#", README, re.MULTILINE)
    assert index == headings


def test_lines_can_be_read_in_an_editor() -> None:
    long = [number for number, line in prose() if len(line) > 120 and not line.startswith("|")]
    assert not long


def test_the_configurations_shown_are_right(tmp_path: Path) -> None:
    shown = [(block.text, list(yaml.safe_load_all(block.text))) for block in blocks_of("yaml")]
    texts = [text for text, (first, *_) in shown if "shop" in first]
    mapped = [
        one["data"]["config.yaml"] for _, all_of_it in shown for one in all_of_it if "data" in one
    ]
    assert texts
    assert mapped
    environ = {
        "SHOPIFY_ACCESS_TOKEN": "shpat_x",
        "SHOPIFY_CLIENT_SECRET": "x",
        "SHOPIFY_CLIENT_ID": "x",
    }
    secret = tmp_path / "secret"
    secret.write_text("shpat_x")
    for text in [*mapped, *texts]:
        file = tmp_path / "config.yaml"
        file.write_text(re.sub(r"(_file:) \S+", rf"\1 {secret}", text), encoding="utf-8")
        settings = config.load(file, environ)
        assert settings.variants or settings.locations


def test_the_test_command_is_the_one_that_the_check_runs() -> None:
    check = (PROJECT / ".ci/run").read_text()
    (shown,) = [
        line
        for block in blocks_of("console")
        for line in block.text.splitlines()
        if "[test]" in line
    ]
    for part in ("-m venv", "'.[test]'", "-m pytest"):
        assert part in shown
        assert part in check
    assert stat.S_IXUSR & (PROJECT / ".ci/run").stat().st_mode


def test_the_changelog_tells_of_this_version() -> None:
    from invsync import __version__

    lines = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"## {__version__}") for line in lines)
    assert all(len(line) <= 120 for line in lines)


# -- Sessions ----------------------------------------------------------------------------------------------------


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
    exit_code: int = 0

    def run(self, command: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
        """What the command prints; None for a program that is not run here."""
        piped = command.endswith(" | cat")
        words = shlex.split(command.removesuffix(" | cat"), comments=True)
        match words:
            case ["echo", "$?"]:
                return f"{self.exit_code}\n"
            case ["cp", "config.example.yaml", "config.yaml"]:
                shutil.copy(PROJECT / "config.example.yaml", self.folder / "config.yaml")
                return ""
            case ["cat", name]:
                return (self.folder / name).read_text(encoding="utf-8")
            case ["invsync", *args] if "serve" not in args:
                terminal = None if piped else screen.Screen(COLUMNS, colour=False)
                monkeypatch.setattr(screen, "screen", lambda *_: terminal)
                return self.invsync(args)
        return None

    def invsync(self, args: list[str]) -> str:
        import logging

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


def sessions() -> list[list[Block]]:
    """The console blocks, by the folder that they are played in."""
    found: list[list[Block]] = [[]]
    for block in blocks_of("console"):
        if block.fresh:
            found.append([])
        found[-1].append(block)
    return found


@pytest.mark.parametrize(
    "session", sessions(), ids=lambda session: f"line {session[0].line}" if session else "none"
)
def test_what_is_shown_is_what_is_printed(
    session: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    soon = datetime.now(UTC) + timedelta(days=328, hours=1)
    monkeypatch.setattr(
        access, "SERVED_UNTIL", dict.fromkeys(API_VERSIONS, soon)
    )  # or the calendar would end the test
    shell = Shell(tmp_path)
    played = 0
    for one in (one for block in session for one in typed(block)):
        printed = shell.run(one.command, monkeypatch)
        if printed is None:
            continue
        played += 1
        shown = "\n".join(one.shown)
        where = f"README.md, line {one.line}: {one.command}"
        assert agrees(one.shown, printed), f"{where}\n\nshown:\n{shown}\n\nprinted:\n{printed}"
    assert played


def test_the_demo_prints_what_the_first_screen_shows() -> None:
    printed: list[str] = []
    play(printed.append)
    (shown, *_) = blocks_of("text")
    assert agrees(shown.text.splitlines(), "\n".join(printed)), "\n".join(printed)


def test_the_comparison_notices_differences() -> None:
    assert agrees(["a … c", "…", "z"], "a b c\n1\n2\nz\n")
    assert agrees(["…", "z"], "z\n")
    assert not agrees(["a … c", "z"], "a b c\n1\nz\n")
    assert not agrees(["30 → 21"], "30 → 20\n")


def test_json_that_is_shown_is_json() -> None:
    for block in blocks_of("json"):
        json.loads(block.text)
