"""What only a process of its own shows.

Signals, imports, `python -m invsync`, pipes, two runs at once, the demo.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program_world import World, clean_environment

from invsync import __version__
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request

FOUR = "P-S P-M P-L P-XL"
#: A process that takes longer than this hangs.
PATIENCE = 30


def invsync(world: World, *args: str, **environment: str) -> subprocess.Popen[str]:
    """Start the program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "invsync", "--config", str(world.config), *args],
        cwd=world.folder,
        env=clean_environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    return process.returncode, out, err


class Gate:
    """Holds the shop's answer back at one operation until the test lets it go."""

    def __init__(self, world: World, operation: str, phase: Phase = "after") -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.passed: list[str] = []
        self._operation, self._phase = operation, phase
        world.hook = self

    def await_reached(self, process: subprocess.Popen[str]) -> None:
        """Wait until the process stands at the gate."""
        if not self.reached.wait(PATIENCE):
            process.kill()
            raise AssertionError(process.communicate())

    def __call__(self, request: Request, phase: Phase) -> None:
        if phase == "before":
            self.passed.append(request.operation or "")
        if (
            request.operation == self._operation
            and phase == self._phase
            and not self.reached.is_set()
        ):
            self.reached.set()
            assert self.go_on.wait(PATIENCE)


@pytest.fixture
def at_real_time(world: World) -> Iterator[World]:
    """The same world; a process of its own has a clock of its own."""
    import time

    world.shop.now = time.time
    world.time.time = time.time  # type: ignore[method-assign]
    return world


def pools(world: World, count: int, size: int) -> None:
    """So many pools of so many levels, adopted, and one level of each sold from."""
    for number in range(count):
        world.add(f"Print {number}", [f"P{number}-{one:03}" for one in range(size)])
    world.run("variants", "--init")
    for number in range(count):
        world.shop.sell(f"P{number}-000", 3)


# --- Signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_batch_waits_for_it_and_records_it(
    at_real_time: World, signum: signal.Signals
) -> None:
    world = at_real_time
    pools(world, 3, 200)
    gate = Gate(world, "Adjust")
    process = invsync(world, "variants", "--json")
    gate.await_reached(process)
    process.send_signal(signum)
    gate.go_on.set()
    code, out, err = ended(process)
    assert code == 128 + signum
    assert f"signal {int(signum)}" in err
    assert len(err.splitlines()) == 1
    document = json.loads(out)
    assert document["pools"]["adjusted"] == 1
    assert gate.passed.count("Adjust") == 1
    assert not world.place("variants", "journal").exists()
    assert world.cached()["Print 0"]["quantity"] == 27
    assert world.cached()["Print 2"]["quantity"] == 30

    world.shop.sell("P0-001", 2)
    world.run("variants")
    assert {level.available for level in world.shop.levels.values()} == {25, 27}
    world.run("variants", "-q")
    assert world.batches == []


def test_a_signal_while_reading_stops_before_anything_is_sent(at_real_time: World) -> None:
    world = at_real_time
    pools(world, 2, 4)
    before = world.place("variants").read_bytes()
    gate = Gate(world, "FindProducts")
    process = invsync(world, "variants")
    gate.await_reached(process)
    process.send_signal(signal.SIGTERM)
    gate.go_on.set()
    code, *_ = ended(process)
    assert code == 143
    assert "Adjust" not in gate.passed
    assert world.place("variants").read_bytes() == before
    world.run("variants")
    assert world.reads("P0-000 P0-003 P1-001") == [27, 27, 27]


def test_a_signal_in_the_last_batch_still_says_that_it_was_stopped(at_real_time: World) -> None:
    world = at_real_time
    pools(world, 1, 4)
    gate = Gate(world, "Adjust")
    process = invsync(world, "variants")
    gate.await_reached(process)
    process.send_signal(signal.SIGTERM)
    gate.go_on.set()
    code, _, _ = ended(process)
    assert code in (0, 143)  # all was done, so both are true
    assert world.cached()["Print 0"]["quantity"] == 27
    assert not world.place("variants", "journal").exists()
    world.run("variants", "-q")
    assert world.batches == []


def test_a_killed_run_is_finished_by_the_next(at_real_time: World) -> None:
    world = at_real_time
    pools(world, 1, 4)
    gate = Gate(world, "Adjust", "after")
    process = invsync(world, "variants")
    gate.await_reached(process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    gate.go_on.set()
    assert world.place("variants", "journal").exists()
    world.shop.sell("P0-001", 2)
    world.run("variants")
    assert world.reads("P0-000 P0-001 P0-002 P0-003") == [25] * 4


# --- Two at once ----------------------------------------------------------------------------------


def test_a_second_run_at_the_same_time_exits_75_and_says_who_is_at_work(
    at_real_time: World,
) -> None:
    world = at_real_time
    pools(world, 1, 4)
    gate = Gate(world, "ReadProducts")
    process = invsync(world, "variants")
    gate.await_reached(process)
    ran = world.run("variants", exit_code=75)
    assert f"process {process.pid} " in ran.err
    gate.go_on.set()
    assert ended(process)[0] == 0
    assert world.reads("P0-000 P0-001 P0-002 P0-003") == [27] * 4


# --- A lean process -------------------------------------------------------------------------------

#: What a command that needs no shop must not pay for.
HEAVY = {
    "requests",
    "urllib3",
    "tenacity",
    "graphql",
    "rich",
    "invsync.run",
    "invsync.admin.client",
}

PROBE = """
import sys
from invsync.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("exit", end.code)
print("loaded", *sorted(name for name in sys.modules))
"""


def loaded(world: World, *args: str) -> tuple[int, set[str]]:
    """The exit code of a command, and the modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *args],
        cwd=world.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    code = re.search(r"^exit (\d+)$", done.stdout, re.M)
    modules = done.stdout.rpartition("loaded ")[2].split()
    return int(code[1]) if code else 0, set(modules)


@pytest.mark.parametrize("args", [("--version",), ("--help",), ("variants", "--help")])
def test_help_and_version_load_nothing_heavy(world: World, args: tuple[str, ...]) -> None:
    code, modules = loaded(world, *args)
    assert code == 0
    assert modules & (HEAVY | {"yaml"}) == set()


def test_a_refused_configuration_loads_nothing_heavy_and_asks_nothing(world: World) -> None:
    world.configure(colour="red")
    code, modules = loaded(world, "--config", str(world.config), "variants")
    assert code == 2
    assert modules & HEAVY == set()
    assert world.asked == []
    assert not world.state.exists()


def test_a_run_against_a_real_address_does_not_load_the_sandbox(world: World) -> None:
    world.add("Print", FOUR)
    code, modules = loaded(world, "--config", str(world.config), "variants", "-q")
    assert code == 0
    assert not any(name.startswith(("graphql", "invsync.sandbox")) for name in modules)


#: What a run may load that is not Python's own: its libraries, and what those bring along.
LIBRARIES = {"click", "msgspec", "requests", "tenacity", "yaml"} | {
    *("certifi", "chardet", "charset_normalizer", "idna", "typing_extensions", "urllib3"),
}


def test_a_run_that_cron_starts_loads_its_five_libraries_and_no_other(world: World) -> None:
    world.add("Print", FOUR)
    code, modules = loaded(world, "--config", str(world.config), "variants")
    assert code == 0
    names = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    strange = {name for name in names if not name.startswith("_") and "__mypyc" not in name}
    assert strange - {"cython_runtime", "sitecustomize"} == {"invsync"} | (LIBRARIES & names)


@pytest.mark.parametrize(
    "args",
    [
        ("variants", "-v"),
        ("variants", "--init", "--align", "lowest", "--yes"),
        ("check",),
        ("status",),
        ("explain", "P-S"),
        ("explain", "nothing of this name"),
        ("config", "validate"),
        ("variants", "--no-such-option"),
        ("sandbox", "show"),
    ],
)
def test_what_no_terminal_shows_is_printed_without_rich(
    world: World, args: tuple[str, ...]
) -> None:
    world.add("Print", FOUR)
    world.add("Apart", "A-S A-M", [3, 4])
    world.run("variants", "--init", exit_code=3)
    _, modules = loaded(world, "--config", str(world.config), *args)
    assert not any(name.split(".")[0] == "rich" for name in modules)


# --- As it is started -----------------------------------------------------------------------------


def run_in(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_python_dash_m_is_the_same_program(tmp_path: Path) -> None:
    done = run_in(tmp_path, sys.executable, "-m", "invsync", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


def test_the_example_configuration_works_as_it_stands_in_the_process(
    tmp_path: Path, project: Path
) -> None:
    (tmp_path / "config.yaml").write_bytes((project / "config.example.yaml").read_bytes())
    program = (sys.executable, "-m", "invsync")
    assert run_in(tmp_path, *program, "variants", "--init").returncode == 3
    sold = run_in(tmp_path, *program, "sandbox", "sell", "PRINT-S", "3")
    assert "30 → 27" in sold.stdout
    done = run_in(tmp_path, *program, "variants", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["changes"][0]["quantity"] == {"from": 30, "to": 27}
    assert done.stderr == ""
    assert (tmp_path / "invsync-state").stat().st_mode & 0o777 == 0o700


def test_a_demo_that_is_killed_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "invsync", "demo"],
        env=clean_environment() | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        while "$ invsync" not in demo.stdout.readline():
            pass
        assert len(list(tmp_path.iterdir())) == 1
        demo.kill()
        demo.stdout.read()  # to its end: whoever tidies up holds it open
    assert list(tmp_path.iterdir()) == []


def test_the_shop_can_be_served_and_played_with_from_the_command_line(tmp_path: Path) -> None:
    """`sandbox serve` in one process, the rest in others."""
    program = (sys.executable, "-m", "invsync")
    server = subprocess.Popen(
        [*program, "sandbox", "serve", "--port", "0"],
        cwd=tmp_path,
        env=clean_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = None
        while not address:
            line = server.stdout.readline()
            assert line, "the server ended"
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
        client = tmp_path / "client"
        client.mkdir()
        (client / "config.yaml").write_text(
            f"shop: sandbox\napi_url: {address[0]}\nvariants: {{product_types: [Print]}}\n",
            encoding="utf-8",
        )
        assert run_in(client, *program, "variants", "--init").returncode == 3
        for sku in ("PRINT-S", "PRINT-M", "PRINT-L"):
            assert run_in(client, *program, "sandbox", "sell", sku, "3").returncode == 0
        assert run_in(client, *program, "variants").returncode == 3
        shown = json.loads(run_in(client, *program, "sandbox", "show", "--json").stdout)
        reads = {one["sku"]: one["available"]["Warehouse"] for one in shown["variants"]}
        assert {sku: reads[sku] for sku in reads if sku.startswith("PRINT-")} == {
            f"PRINT-{size}": 21 for size in ("S", "M", "L", "XL")
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE)
    assert server.returncode in (0, 143)


# --- Where the text goes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "args"),
    [("ascii", ()), ("ascii", ("--json",)), ("latin-1", ("-v",)), ("latin-1", ("--json",))],
)
def test_an_output_that_knows_few_letters_is_no_traceback(
    at_real_time: World, encoding: str, args: tuple[str, ...]
) -> None:
    world = at_real_time
    world.add("Größe „L“ 🖼️ ملصق", FOUR)
    world.run("variants", "--init")
    world.sell("P-S")
    process = subprocess.run(
        [sys.executable, "-m", "invsync", "--config", str(world.config), "variants", *args],
        cwd=world.folder,
        env=clean_environment() | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"Traceback" not in process.stderr
    assert process.returncode == 0
    assert b"30" in process.stdout
    assert world.reads(FOUR) == [29] * 4


def test_a_reader_that_goes_away_early_is_no_traceback(at_real_time: World) -> None:
    world = at_real_time
    pools(world, 3, 4)
    process = invsync(world, "variants")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.wait(PATIENCE)
    assert "Traceback" not in err
    assert world.reads("P0-001 P1-001 P2-001") == [27, 27, 27]


def test_a_token_is_nowhere_in_the_process_list(
    at_real_time: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token out of a variable stays in the environment: neither output nor state holds it."""
    world = at_real_time
    world.add("Print", FOUR)
    world.configure(access_token="${PRINT_SHOP_TOKEN}")
    secret = "shpat_" + "5ec" * 10
    process = invsync(world, "variants", "-vv", "--json", PRINT_SHOP_TOKEN=secret)
    code, out, err = ended(process)
    assert code == 0
    assert secret not in out + err
    assert any(request.headers.get("x-shopify-access-token") == secret for request in world.asked)
    for path in world.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()


def test_files_and_folder_are_closed_to_others_whatever_the_umask(at_real_time: World) -> None:
    world = at_real_time
    pools(world, 1, 4)
    kept = os.umask(0)
    try:
        code, *_ = ended(invsync(world, "variants"))
    finally:
        os.umask(kept)
    assert code == 0
    modes: dict[str, Any] = {
        path.name: oct(path.stat().st_mode & 0o777) for path in world.state.iterdir()
    }
    assert set(modes.values()) == {"0o600"}, modes
    assert world.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("args", [("status",), ("variants", "--dry-run"), ("config", "validate")])
def test_a_folder_that_was_removed_under_it_is_no_traceback(
    world: World, args: tuple[str, ...]
) -> None:
    gone = world.folder / "gone"
    gone.mkdir()
    begin = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    command = [sys.executable, "-m", "invsync", "--config", "config.yaml", *args]
    done = run_in(
        world.folder,
        "sh",
        "-c",
        begin,
        "sh",
        str(gone),
        *command,
        PYTHONPATH=str(Path(__file__).parents[2]),
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("invsync: config.yaml: there is no such file; ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("status",), ("variants", "--help")])
def test_an_output_that_is_full_is_one_line(world: World, args: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "invsync", "--config", str(world.config), *args]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            env=clean_environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("invsync: the output could not be written (No space left on device)")
