"""What the pages table is what the code has: keys, options, codes, fields, kinds, messages."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from docs_pages import (
    CONNECTING,
    COUNTING,
    DEVELOPING,
    PAGES,
    PROJECT,
    README,
    REFERENCE,
    RELIABILITY,
    RUNNING,
    SANDBOX,
    first_cells,
    rows,
)

from invsync import errors, find, settle
from invsync.admin import adjust
from invsync.admin.terms import SENT, Evidence
from invsync.cli import main
from invsync.config.keys import SECTIONS, TOP
from invsync.config.settings import load as load_config
from invsync.config.values import Key
from invsync.recover import KEY_LIFE
from invsync.sandbox.faults import KINDS, read_file
from invsync.state.files import HISTORY_BYTES
from invsync.tell import outcome as told
from invsync.tell import words
from invsync.tell.document import document as to_document
from tests.bench import shops


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n"
        for line in [head, ["---"] * len(head), *lines]
    )


# -- The configuration and the command line --------------------------------------------------------


def each_key(keys: Sequence[Key], below: str = "") -> Iterator[tuple[str, Key]]:
    """Every key with its name, those below another after it."""
    for key in keys:
        yield f"{below}{key.name}", key
        yield from each_key(key.keys, f"{below}{key.name}.")


def config_table(keys: Sequence[Key]) -> str:
    lines = []
    for name, key in each_key(keys):
        words = ", ".join(f"`{word}`" for word in key.allowed)
        allowed = f" {'Or' if key.kind.many else 'One of'} {words}." if words else ""
        if key.required:
            default = "required"
        elif key.default is None or key.default == ():
            default = "none"
        else:
            default = (
                f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"
            )
        lines.append([f"`{name}`", f"{key.about}{allowed}", default])
    return table(["key", "what it is", "default"], lines)


@pytest.mark.parametrize("name", ["top", *SECTIONS])
def test_every_key_of_the_configuration_is_in_its_table(name: str) -> None:
    keys = TOP if name == "top" else SECTIONS[name][1]
    assert config_table(keys) in REFERENCE.section("Configuration")


def test_every_way_to_take_several_rises_is_explained() -> None:
    (key,) = [key for key in SECTIONS["variants"][1] if key.name == "several_rises"]
    assert first_cells(REFERENCE.section("Several rises")) == list(key.allowed)


def test_no_key_is_told_that_there_is_not() -> None:
    """Dotted names in the text, and those of the task's table, are keys."""
    known = {f"{section}.{key.name}" for section, (_, keys) in SECTIONS.items() for key in keys}
    for page in PAGES:
        for number, line in page.prose():
            for name in re.findall(r"`((?:variants|locations)\.[a-z_]+)\b", line):
                if name.split(".")[1] not in ("json", "journal", "lock", "waiting", "last", "told"):
                    assert name in known, f"{page.name}, line {number}: {name}"


def all_commands() -> dict[str, tuple[click.Command, click.Context]]:
    return {name: (command, context) for name, command, context in commands(main)}


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
    lines = []
    for option in command.get_params(context):
        if isinstance(option, click.Option) and "--help" not in option.opts:
            spelled, what = option.get_help_record(context) or ("", "")
            lines.append([f"`{spelled}`", re.sub(r"  \[.*\]$", "", what)])
    return table(["option", "what it does"], lines)


@pytest.mark.parametrize("name", all_commands())
def test_every_option_is_in_the_table_of_its_command(name: str) -> None:
    command, context = all_commands()[name]
    wanted = options_table(command, context)
    text = REFERENCE.section("The command line")
    if wanted.count("\n") > 2:
        assert wanted in text
    assert f"`{name}" in text


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
    told = [row[0] for row in rows(REFERENCE.section("Exit codes"))]
    assert told == [*map(str, sorted(exit_codes())), "128+n"]


# -- The JSON document, and the kinds of what is told ----------------------------------------------


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
    text = REFERENCE.section("The JSON document").split("###")[0]
    assert first_cells(text) == list(dict.fromkeys(paths(to_document(outcome))))


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
    return {
        str(path.relative_to(PROJECT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in PROJECT.glob("invsync/**/*.py")
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
    def weighing(weight: str) -> set[str]:
        return {kind for kind, meaning in words.MEANINGS.items() if meaning.weight == weight}

    problems = weighing("problem") | kinds_given_to("Problem")
    warnings = weighing("warning") | kinds_given_to("warn") | kinds_given_to("Warning")
    assert set(first_cells(REFERENCE.section("Kinds of problems"))) == problems
    assert set(first_cells(REFERENCE.section("Kinds of warnings"))) == warnings


def in_order(parts: Sequence[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def says(message: str, texts: Sequence[str]) -> bool:
    """Whether one of the texts of the code says this; … in it stands for anything."""
    parts = [part.strip() for part in message.split("…") if part.strip()]
    return any(in_order(parts, text) for text in texts)


def test_every_message_of_the_troubles_is_one_of_the_program() -> None:
    said = [re.sub(r"\s+", " ", text) for tree in trees().values() for text in said_in(tree)]
    messages = first_cells(RUNNING.section("When something is wrong"))
    assert len(messages) > 20
    assert [message for message in messages if not says(message, said)] == []


MAILS = first_cells(COUNTING.section("When a mail says …"))
#: Notes that only packs of several units make.
OF_PACKS = {"loose_units", "size_changed"}


def test_every_message_of_the_owners_page_is_one_of_the_program() -> None:
    said = [re.sub(r"\s+", " ", text) for tree in trees().values() for text in said_in(tree)]
    assert len(MAILS) > 10
    assert [message for message in MAILS if not says(message, said)] == []


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind, meaning in words.MEANINGS.items()
        if meaning.weight != "silent" and kind not in OF_PACKS
    ],
)
def test_the_owners_page_tells_what_to_do_about_every_kind_of_note(kind: Any) -> None:
    source = textwrap.dedent(inspect.getsource(words.MEANINGS[kind].said))
    said = [re.sub(r"\s+", " ", text) for text in said_in(ast.parse(source))]
    assert any(says(message, said) for message in MAILS)


def test_every_reason_for_leaving_something_out_is_in_the_table() -> None:
    reasons = {
        value.value
        for module in ("invsync/pools.py", "invsync/ways.py")
        for function in ast.walk(trees()[module])
        if isinstance(function, ast.FunctionDef)
        and function.name in ("_unfit", "_left_out", "_in_variants", "lacks")
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
        for value in ast.walk(node)
        if isinstance(value, ast.Constant) and value.value
    }
    assert reasons
    assert set(first_cells(REFERENCE.section("What is left out"))) == reasons


# -- The sandbox's faults, the layout, figures -----------------------------------------------------


def test_every_fault_of_the_sandbox_is_in_the_table_with_its_settings() -> None:
    lines = [row for row in rows(SANDBOX.section("Served, with faults")) if len(row) == 3]
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in lines}
    assert list(told) == list(KINDS)
    assert all(KINDS[fault] <= settings for fault, settings in told.items())


def test_the_fault_file_shown_is_right(tmp_path: Any) -> None:
    (rules,) = [block.text for block in SANDBOX.blocks("yaml")]
    (tmp_path / "faults.yaml").write_text(rules, encoding="utf-8")
    assert len(read_file(tmp_path / "faults.yaml").rules) == 3


def test_every_module_has_its_line_in_the_layout() -> None:
    told = re.findall(
        r"^  (\w+)(?:\.py|/) ", DEVELOPING.section("How the code is laid out"), re.MULTILINE
    )
    parts = {
        path.stem
        for path in PROJECT.glob("invsync/[!_.]*")
        if path.suffix == ".py" or path.is_dir()
    }
    assert sorted(told) == sorted(parts)


def test_every_bench_is_named() -> None:
    told = re.findall(r"`python -m tests\.bench\.(\w+)", DEVELOPING.section("Benches"))
    benches = {
        path.stem
        for path in (PROJECT / "tests/bench").glob("[!_]*.py")
        if "__main__" in path.read_text(encoding="utf-8") and path.stem != "served"
    }
    assert sorted(told) == sorted(benches)


def test_the_tables_of_the_simulated_shops_are_those_of_the_bench() -> None:
    text = RELIABILITY.section("What can't be told apart")
    names = [row[0] for row in rows(text)]
    for worlds in (shops.everyday(), shops.odd()):
        for world in worlds:
            assert world.name in names
    for world in shops.seconds():
        assert world.name.removeprefix("second program, ") in names
    assert f"| {' | '.join(shops.HEAD)} |" in text
    assert f"| {' | '.join(shops.SECOND_HEAD)} |" in text


def test_the_rows_of_quiet_shops_are_what_the_bench_prints() -> None:
    """Played here as it plays them; the busy ones take more than a minute."""
    as_told = argparse.Namespace(only="", pools=4, weeks=1, seed=0)
    text = RELIABILITY.section("What can't be told apart")
    quiet = [world for world in (*shops.everyday(), *shops.odd()) if world.rate < 0.1]
    lines = [row.cells() for row in shops.play_all(iter(quiet), as_told, lambda _: None)]
    second = [world for world in shops.seconds() if world.rate < 0.1 and world.second < 6]
    played = shops.play_all(iter(second), as_told, lambda _: None)
    lines += [shops.second_cells(row) for row in played]
    assert len(lines) > 10
    for cells in lines:
        assert f"| {' | '.join(cells)} |\n" in text


def test_the_figures_told_are_those_of_the_code() -> None:
    speed = RELIABILITY.section("Speed and cost")
    once = RELIABILITY.section("How every unit is counted once")
    assert f"at most {find.CHEAP_POINTS} points" in speed
    assert f"more than {find.DEAR_POINTS} points" in speed
    assert f"After {KEY_LIFE.total_seconds() / 3600:.0f} hours" in once
    assert f"up to {adjust.BATCH} adjustments" in once
    assert f"at {HISTORY_BYTES // 1_000_000} MB" in REFERENCE.section("State on disk")
    assert f"at least {settle.FEW_RISES})" in RUNNING.section("When something is wrong")
    assert f"at least {settle.FEW_RISES}, would" in REFERENCE.section("Several rises")


def test_every_form_that_nobody_was_seen_to_send_is_named() -> None:
    section = RELIABILITY.section("What nobody has seen of Shopify")
    told = {(row[0].strip("`"), row[1]) for row in rows(section) if len(row) == 3}
    assert told == {(row.place, row.form) for row in SENT if row.evidence is Evidence.NONE}


# -- What is shown of files ------------------------------------------------------------------------


def test_the_configurations_shown_are_right(tmp_path: Any) -> None:
    environ = {"SHOPIFY_ACCESS_TOKEN": "shpat_x", "SHOPIFY_CLIENT_SECRET": "x"}
    shown = [block.text for page in (README, CONNECTING) for block in page.blocks("yaml")]
    assert len(shown) == 3
    for text in shown:
        assert "shop" in yaml.safe_load(text)
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        settings = load_config(tmp_path / "config.yaml", environ)
        assert settings.variants


def test_the_crontab_line_shown_is_one_of_the_example() -> None:
    example = (PROJECT / "crontab.example").read_text(encoding="utf-8").splitlines()
    (shown,) = README.blocks("crontab")
    assert [line for line in shown.text.splitlines() if line not in example] == []


def test_the_test_command_is_the_one_that_the_check_runs() -> None:
    check = PROJECT / ".ci/run"
    (shown,) = [
        line
        for block in README.blocks("console")
        for line in block.text.splitlines()
        if "[test]" in line
    ]
    for part in ("-m venv", "'.[test]'", "-m pytest"):
        assert part in shown
        assert part in check.read_text()
    assert check.stat().st_mode & 0o100


def test_the_changelog_tells_of_this_version() -> None:
    from invsync import __version__

    lines = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"## {__version__}") for line in lines)
    assert all(len(line) <= 120 for line in lines)
