"""The state folder as somebody left it.

What can't be relied on ends the run in one line, and is kept.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program_world import World

from invsync.state import files

FOUR = "P-S P-M P-L P-XL"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
#: Of the user `daemon`, which every Unix has.
SOMEBODY = 1

PLACES = (
    "variants.json",
    "variants.journal",
    "variants.lock",
    "variants.last",
    "locations.json",
    "history.jsonl",
    "history.jsonl.1",
    "token.json",
    "sandbox.json",
)


def put(place: Path, content: bytes | str) -> None:
    """Write a state file as invsync would have: for its owner alone."""
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    place.chmod(0o600)


def ready(world: World) -> None:
    """Two pools, adopted; one was sold from since, so that a run has something to send."""
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S", 3)


def refused(world: World, *args: str, requests: int | None = 0) -> str:
    """The line with which `invsync variants` ends.

    Nothing sent, nothing changed in the state folder.
    """
    before = listing(world)
    ran = world.run("variants", *args, exit_code=1)
    assert ran.out == ""
    assert world.batches == []
    assert world.reads(FOUR) == [27, 30, 30, 30]
    if requests is not None:
        assert len(world.asked) == requests
    assert listing(world) == before
    return ran.problem


def listing(world: World) -> dict[str, Any]:
    """What lies in the state folder, but for the lock and the records of how runs went."""
    found = {}
    for path in sorted(world.state.iterdir()):
        about = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) else None
        found[path.name] = (stat.S_IFMT(about.st_mode), about.st_uid, content)
    for name in ("variants.lock", "variants.last", "variants.told"):
        if found.get(name, (0,))[0] == stat.S_IFREG:
            del found[name]
    return found


def a_link(place: Path) -> None:
    target = place.with_name("elsewhere")
    put(target, b"")
    place.symlink_to(target)


def a_dangling_link(place: Path) -> None:
    place.symlink_to("/nowhere/at/all")


def an_endless_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_socket(place: Path) -> None:
    here = Path.cwd()
    os.chdir(place.parent)  # the path of a socket is a short one
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(place.name)
    finally:
        os.chdir(here)


def a_folder(place: Path) -> None:
    place.mkdir()


NO_FILES = (a_link, a_dangling_link, an_endless_device, a_pipe, a_socket, a_folder)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
def test_what_is_no_file_ends_the_run_before_anything_is_asked(
    world: World, name: str, make: Callable[[Path], None]
) -> None:
    ready(world)
    place = world.state / name
    place.unlink(missing_ok=True)
    make(place)
    for args in ((), ("--dry-run",), ("--init", "--reset")):
        line = refused(world, *args)
        assert line.startswith(f"{place}: is a")
        assert "not a file" in line


@pytest.mark.parametrize("name", ["variants.json", "variants.last", "variants.journal"])
@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("command", [("status",), ("explain", "Print")])
def test_status_and_explain_name_it_too(
    world: World, name: str, make: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    ready(world)
    place = world.state / name
    place.unlink(missing_ok=True)
    make(place)
    assert str(place) in world.run(*command, exit_code=1).err


def test_a_real_device_is_refused(world: World) -> None:
    ready(world)
    place = world.state / "variants.journal"
    try:
        os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    except OSError:
        pytest.skip("no devices can be made here")
    assert "is a device" in refused(world)


# --- Whose folder it is


@as_root
@pytest.mark.parametrize("args", [(), ("--init",), ("--init", "--reset"), ("--force",)])
def test_a_folder_of_another_user_is_refused_by_what_writes_root_included(
    world: World, args: tuple[str, ...]
) -> None:
    ready(world)
    os.chown(world.state, SOMEBODY, SOMEBODY)
    line = refused(world, *args)
    for part in (str(world.state), "belongs to daemon", "`sudo -u daemon ", " variants`"):
        assert part in line


@as_root
def test_it_is_refused_before_what_is_in_it_is_read(world: World) -> None:
    ready(world)
    world.place("variants").write_bytes(b"rubbish")
    os.chown(world.state, SOMEBODY, SOMEBODY)
    assert "belongs to daemon" in refused(world)


@as_root
def test_it_is_read_by_what_only_reads(world: World) -> None:
    ready(world)
    os.chown(world.state, SOMEBODY, SOMEBODY)
    before = world.files()
    assert world.variants("--dry-run")["changes"]
    world.run("status")
    world.run("explain", "Print")
    checked = world.run("check", exit_code=1)
    assert "belongs to daemon" in checked.out
    assert "variants.pools" in checked.out
    assert world.files() == before


@as_root
def test_the_sandbox_in_a_folder_of_another_user_is_left_alone(world: World) -> None:
    world.configure("shop: sandbox\nvariants:\n  product_types: [Print]\n")
    world.run("variants", "--init", exit_code=None)
    os.chown(world.state, SOMEBODY, SOMEBODY)
    world.remembers = True
    before = world.files()
    for command in (
        ("sandbox", "show"),
        ("sandbox", "sell", "P-S", "1"),
        ("variants", "--dry-run"),
    ):
        assert "belongs to daemon" in world.run(*command, exit_code=1).problem
    assert world.files() == before


@as_root
def test_a_user_without_a_name_is_told_as_sudo_takes_it(world: World) -> None:
    ready(world)
    os.chown(world.state, 54321, 54321)
    assert "`sudo -u '#54321' " in refused(world)


def test_a_folder_that_everybody_can_write_to_is_refused(world: World) -> None:
    ready(world)
    world.state.chmod(0o707)
    for args in ((), ("--dry-run",)):
        line = refused(world, *args)
        assert f"chmod 700 {world.state}" in line
    assert f"chmod 700 {world.state}" in world.run("status", exit_code=1).err
    world.state.chmod(0o700)
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_a_folder_that_is_everybodys_is_no_state_folder(world: World) -> None:
    """As the temporary folder: nobody is told to shut it to all others."""
    ready(world)
    world.state.chmod(0o1777)
    line = refused(world)
    assert "set state_dir to a folder of its own" in line
    assert "chmod" not in line
    world.state.chmod(0o700)


def test_a_folder_that_its_group_can_write_to_is_a_warning(world: World) -> None:
    ready(world)
    world.state.chmod(0o770)
    (warning,) = world.variants()["warnings"]
    assert warning["kind"] == "state_dir"
    assert f"chmod 700 {world.state}" in warning["message"]
    assert world.reads(FOUR) == [27] * 4


# --- What is in it


def damaged(place: Path, at: tuple[str, ...], value: Any) -> None:
    """Change one field of a JSON file."""
    document = inner = json.loads(place.read_bytes())
    for key in at[:-1]:
        inner = inner[next(iter(inner)) if key == "*" else key]
    inner[at[-1] if at[-1] != "*" else next(iter(inner))] = value
    put(place, json.dumps(document))


def grown(text: str) -> str:
    """The text with what no program writes in place of its names."""
    return text.replace('"10^5000"', "1" + "0" * 5_000).replace(
        '"nested"', "[" * 50_000 + "]" * 50_000
    )


WRONG: dict[str, Any] = {
    "null": None,
    "text": "thirty",
    "half a sign": "\ud800",
    "a fraction": 30.5,
    "NaN": float("nan"),
    "endless": float("inf"),
    "10^30": 10**30,
    "10^5000": "10^5000",
    "a list": [[30]],
    "an object": {"n": 30},
    "nested beyond reason": "nested",
    "the first moment": "0001-01-01T00:00:00+14:00",
    "the last moment": "9999-12-31T23:59:59-14:00",
}
FIELDS = [
    ("scanned_at",),
    ("watermark",),
    ("scan_points",),
    ("pools", "*"),
    ("pools", "*", "title"),
    ("pools", "*", "quantity"),
    ("pools", "*", "levels"),
    ("pools", "*", "levels", "*"),
    ("pools", "*", "held"),
    ("pools", "*", "problem"),
]
#: What these fields may be.
MAY_BE = {
    "scanned_at": {"null"},
    "watermark": {"null"},
    "quantity": {"null"},
    "from": {"null"},
    "title": {"text", "the first moment", "the last moment"},
    "problem": {"null"},
}


def wrong_fields(fields: list[tuple[str, ...]]) -> list[Any]:
    return [
        pytest.param(at, value, id=f"{'.'.join(at)}, {name}")
        for at in fields
        for name, value in WRONG.items()
        if name not in MAY_BE.get(at[-1], ())
    ]


@pytest.mark.parametrize(("at", "value"), wrong_fields(FIELDS))
def test_a_cache_with_a_field_that_can_not_be_is_refused_and_kept(
    world: World, at: tuple[str, ...], value: Any
) -> None:
    ready(world)
    place = world.place("variants")
    damaged(place, at, value)
    put(place, grown(place.read_text()))
    line = refused(world)
    assert str(place) in line
    assert len(line) < 600
    assert str(place) in world.run("status", exit_code=1).err


BATCH = [
    ("sent_at",),
    ("variables", "key"),
    ("variables", "input", "changes"),
    ("pools", "*"),
    ("pools", "*", "quantity"),
    ("pools", "*", "quantity", "from"),
    ("pools", "*", "levels", "*"),
    ("pools", "*", "levels", "*", "observed"),
    ("pools", "*", "moved"),
    ("pools", "*", "notes"),
    ("pools", "*", "after"),
    ("pools", "*", "after", "title"),
    ("pools", "*", "after", "quantity"),
    ("pools", "*", "after", "levels"),
    ("pools", "*", "after", "levels", "*"),
]


@pytest.mark.parametrize(("at", "value"), wrong_fields(BATCH))
def test_a_journal_with_a_field_that_can_not_be_is_refused_and_kept(
    world: World, at: tuple[str, ...], value: Any
) -> None:
    ready(world)
    world.cut_off("variants")
    place = world.place("variants", "journal")
    header, batch, _failed = place.read_text().splitlines()
    part = place.with_name("part")
    put(part, batch)
    damaged(part, at, value)
    put(place, f"{header}\n{grown(part.read_text())}\n")
    part.unlink()
    line = refused(world, requests=None)
    assert str(place) in line
    assert len(line) < 600


@pytest.mark.parametrize("key", ["delta", "changeFromQuantity"])
@pytest.mark.parametrize("number", [-7, 7])
def test_a_journal_whose_batch_makes_other_numbers_than_it_tells_of_is_not_sent(
    world: World, key: str, number: int
) -> None:
    ready(world)
    world.cut_off("variants")
    place = world.place("variants", "journal")
    header, batch, *rest = place.read_text().splitlines()
    document = json.loads(batch)
    document["variables"]["input"]["changes"][0][key] = number
    put(place, "\n".join([header, json.dumps(document), *rest, ""]))
    line = refused(world, requests=None)
    assert str(place) in line
    assert "makes other numbers than it tells of" in line


def test_a_journal_whose_after_lacks_its_quantity_leaves_the_cache_alone(world: World) -> None:
    ready(world)
    world.cut_off("variants")
    place = world.place("variants", "journal")
    header, line, _failed = place.read_text().splitlines()
    batch = json.loads(line)
    (record,) = batch["pools"].values()
    del record["after"]["quantity"]
    outcome = json.dumps({"outcome": batch["batch"], "applied": True})
    put(place, f"{header}\n{json.dumps(batch)}\n{outcome}\n")
    assert "quantity" in refused(world, requests=None)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"\x00" * 4096,
        b"rubbish",
        b"rubbish\n",
        b"\x00" * 300 + b"\n",
        b'{"journal": 1, "command": "locations"',
        b'{"journal": 1, "command": "variants", "shop": "\x00\x00\x00',
        b'{"journal": 3',
        b"\n",
        b" ",
    ],
)
def test_a_journal_with_bytes_but_without_a_beginning_is_no_empty_one(
    world: World, content: bytes
) -> None:
    ready(world)
    place = world.place("variants", "journal")
    put(place, content)
    line = refused(world, requests=None)
    assert str(place) in line
    assert "--init --reset" in line
    assert str(place) in world.run("status", exit_code=1).err


def test_a_journal_that_broke_off_in_its_first_line_was_never_acted_on(world: World) -> None:
    ready(world)
    world.cut_off("variants")
    place = world.place("variants", "journal")
    header, batch, _failed = place.read_bytes().splitlines()
    content = header + b"\n" + batch
    for length in (0, 1, 12, 60, 130, len(content)):
        put(place, content[:length])
        assert known(world)["journal"] is None
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def known(world: World) -> Any:
    """What `invsync status` tells of `variants`."""
    return world.run("status", "--json", exit_code=3).document["commands"][0]


def test_a_file_beyond_reason_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(world)
    monkeypatch.setattr(files, "LARGEST_BYTES", 100)
    line = refused(world)
    assert str(world.place("variants")) in line
    assert "larger" in line


def test_a_history_that_is_rubbish_stops_no_run_and_no_story(world: World) -> None:
    ready(world)
    world.run("variants")
    place = world.state / "history.jsonl"
    lines = place.read_bytes()
    rubbish = [
        b"\x00" * 100,
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"run": [], "batch": {}}',
        json.dumps({**json.loads(lines.splitlines()[0]), "delta": float("inf")}).encode(),
        json.dumps({**json.loads(lines.splitlines()[0]), "before": 10**30}).encode(),
        json.dumps({**json.loads(lines.splitlines()[0]), "run": []}).encode(),
        b'"' + b"x" * 3_000_000,
    ]
    put(place, b"\n".join([*rubbish, lines]))
    story = world.run("explain", "Print", "--json").document
    (pool,) = story["pools"]
    assert [event["quantity"] for event in pool["events"]] == [{"from": 30, "to": 27}]
    world.sell("P-M", 2)
    world.cut_off("variants", after=True)
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4
