"""Bad input gets one line that names file or mend; nothing is sent, and what is on disk stays."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program_world import World

from invsync.state.files import Files
from invsync.state.lock import lock

FOUR = "P-S P-M P-L P-XL"

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")

SCANS = ("complete", "changes", "auto")


def ready(world: World) -> None:
    """A pool that is adopted, and was then sold from: a run would have something to send."""
    world.add("Print", FOUR)
    world.run("variants", "--init")
    world.sell("P-S", 3)


def refused(world: World, *args: str, kept: Path | None = None, requests: int | None = None) -> str:
    """The line with which `invsync variants` refuses: nothing sent, the file kept byte for byte."""
    before = None if kept is None or not kept.exists() else kept.read_bytes()
    stock = world.reads(FOUR)
    ran = world.run("variants", *args, exit_code=1)
    assert ran.out == ""
    assert world.batches == []
    assert world.reads(FOUR) == stock
    if requests is not None:
        assert len(world.asked) == requests
    if kept is not None:
        assert (kept.read_bytes() if kept.exists() else None) == before
    return ran.problem


# --- The cache ------------------------------------------------------------------------------------


def damage(world: World, **changes: Any) -> Path:
    """The cache with some of its keys changed; a value of `...` leaves the key out."""
    place = world.place("variants")
    document = {**json.loads(place.read_bytes()), **changes}
    place.write_text(
        json.dumps({key: value for key, value in document.items() if value is not ...})
    )
    return place


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"not json",
        b'{"format": 1',
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'{"pools": {}}',
    ],
)
def test_a_cache_that_is_no_cache_is_kept_and_says_how_to_start_over(
    world: World, content: bytes
) -> None:
    ready(world)
    place = world.place("variants")
    place.write_bytes(content)
    for args in ((), ("--init",), ("--dry-run",), ("--force",)):
        line = refused(world, *args, kept=place, requests=0)
        assert str(place) in line
        assert "variants --init --reset`" in line


def test_starting_over_as_the_message_says_works(world: World) -> None:
    ready(world)
    world.place("variants").write_bytes(b"{")
    refused(world)
    for sku in FOUR.split():
        world.shop.set_available(sku, 27)
    world.run("variants", "--init", "--reset")
    world.sell("P-M", 2)
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4


def test_a_cache_of_another_shop_is_refused(world: World) -> None:
    ready(world)
    place = damage(world, shop="other.myshopify.com", shop_id="gid://shopify/Shop/77")
    line = refused(world, kept=place)
    for part in (str(place), "other.myshopify.com", "sandbox.myshopify.com", "state_dir"):
        assert part in line


def test_a_cache_of_another_location_is_refused(world: World) -> None:
    ready(world)
    world.configure(variants={"product_types": ["Print"], "location": "Till"})
    place = world.place("variants")
    line = refused(world, kept=place)
    assert str(place) in line
    assert "write location: Warehouse under variants" in line
    assert "--init --reset" in line


@pytest.mark.parametrize("number", [0, 3, 99, "1", None, 1.5])
def test_a_cache_of_an_unknown_format_is_refused(world: World, number: Any) -> None:
    ready(world)
    place = damage(world, format=number)
    line = refused(world, kept=place, requests=0)
    assert str(place) in line
    assert "format" in line


def test_the_cache_of_the_other_command_is_refused(world: World) -> None:
    ready(world)
    place = damage(world, command="locations")
    assert str(place) in refused(world, kept=place, requests=0)


MISSHAPEN = {
    "no pools": {"pools": ...},
    "pools is a list": {"pools": []},
    "pools is null": {"pools": None},
    "a pool is a number": {"pools": {"gid://shopify/Product/1": 5}},
    "shop is missing": {"shop": ...},
    "shop is a number": {"shop": 5},
    "locations is null": {"locations": None},
    "locations is a number": {"locations": 5},
    "locations holds a number": {"locations": [5]},
    "no run": {"run": ...},
    "run is a number": {"run": 5},
    "scanned_at is a number": {"scanned_at": 5},
    "scanned_at is no moment": {"scanned_at": "yesterday"},
    "scanned_at has no zone": {"scanned_at": "2026-11-22T12:00:00"},
    "watermark is a number": {"watermark": 5},
    "watermark is no moment": {"watermark": "yesterday"},
    "scan_points is text": {"scan_points": "many"},
    "scan_points is null": {"scan_points": None},
    "matches is a number": {"matches": 5},
}


@pytest.mark.parametrize(
    ("scan", "changes"),
    [
        pytest.param(scan, changes, id=f"{scan}, {name}")
        for scan in SCANS
        for name, changes in MISSHAPEN.items()
    ],
)
def test_a_cache_with_a_damaged_part_is_kept_unless_the_part_does_not_matter(
    world: World, scan: str, changes: dict[str, Any]
) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    ready(world)
    place = damage(world, **changes)
    before = place.read_bytes()
    ran = world.run("variants", exit_code=None)
    if ran.exit_code == 0:  # a part that this run has no use for
        assert world.reads(FOUR) == [27] * 4
        return
    assert ran.exit_code == 1
    assert str(place) in ran.problem
    assert place.read_bytes() == before
    assert world.batches == []


ENTRIES = {
    "no quantity": {"title": "Print", "levels": {}},
    "quantity is text": {"title": "Print", "quantity": "30", "levels": {}},
    "quantity is a fraction": {"title": "Print", "quantity": 30.5, "levels": {}},
    "quantity is true": {"title": "Print", "quantity": True, "levels": {}},
    "no levels": {"title": "Print", "quantity": 30},
    "levels is a list": {"title": "Print", "quantity": 30, "levels": [30]},
    "levels is null": {"title": "Print", "quantity": 30, "levels": None},
    "a level is text": {
        "title": "Print",
        "quantity": 30,
        "levels": {"gid://shopify/InventoryItem/1": "30"},
    },
    "a level is null": {
        "title": "Print",
        "quantity": 30,
        "levels": {"gid://shopify/InventoryItem/1": None},
    },
    "held is a list": {"title": "Print", "quantity": 30, "levels": {}, "held": [5]},
    "held is text": {
        "title": "Print",
        "quantity": 30,
        "levels": {},
        "held": {"gid://shopify/InventoryItem/1": "5"},
    },
    "on_release is text": {"title": "Print", "quantity": 30, "levels": {}, "on_release": "5"},
    "echoes is a number": {"title": "Print", "quantity": 30, "levels": {}, "echoes": 5},
    "alarms is a number": {"title": "Print", "quantity": 30, "levels": {}, "alarms": 5},
    "problem is text": {"title": "Print", "quantity": None, "levels": {}, "problem": "bad"},
}


@pytest.mark.parametrize(
    ("scan", "entry"),
    [
        pytest.param(scan, entry, id=f"{scan}, {name}")
        for scan in ("complete", "changes")
        for name, entry in ENTRIES.items()
    ],
)
def test_a_cache_with_a_damaged_pool_is_kept(
    world: World, scan: str, entry: dict[str, Any]
) -> None:
    world.configure(variants={"product_types": ["Print"], "scan": scan})
    ready(world)
    place = damage(world, pools={world.shop.product("Print").gid: entry})
    line = refused(world, kept=place)
    assert place.name in line
    assert world.shop.product("Print").gid in line or "damaged" in line


def test_a_cache_that_is_a_folder_is_refused(world: World) -> None:
    ready(world)
    place = world.place("variants")
    place.unlink()
    place.mkdir()
    assert str(place) in refused(world, requests=0)


@as_root
def test_a_cache_that_may_not_be_read_is_refused(world: World) -> None:
    ready(world)
    place = world.place("variants")
    place.chmod(0)
    assert str(place) in refused(world, requests=0)


def test_a_cache_nested_beyond_reason_is_refused(world: World) -> None:
    ready(world)
    place = world.place("variants")
    place.write_bytes(b'{"format": ' + b"[" * 200_000)
    assert str(place) in refused(world, kept=place, requests=0)


# --- The journal ----------------------------------------------------------------------------------


def unfinished(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cut a run off before its only batch arrives.

    The journal's two lines, its header and the batch.
    """
    ready(world)
    world.cut_off("variants")
    lines = world.place("variants", "journal").read_text(encoding="utf-8").splitlines()
    header, batch, _failed = lines
    return json.loads(header), json.loads(batch)


def journal(world: World, *lines: Any, tail: bytes = b"") -> Path:
    """Write a journal: objects as JSON, bytes as they are."""
    place = world.place("variants", "journal")
    content = b"".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
    )
    place.write_bytes(content + tail)
    return place


def test_a_journal_with_an_unsettled_batch_is_finished_first_with_the_same_key(
    world: World,
) -> None:
    _, batch = unfinished(world)
    assert world.reads(FOUR) == [27, 30, 30, 30]
    world.run("variants")
    assert world.operations.count("Adjust") == 1
    assert world.asked[world.operations.index("Adjust")].graphql["variables"] == batch["variables"]
    assert world.reads(FOUR) == [27] * 4
    assert not world.place("variants", "journal").exists()


def test_a_dry_run_leaves_an_unfinished_journal_and_says_so(world: World) -> None:
    unfinished(world)
    before = world.files()
    document = world.variants("--dry-run")
    assert [warning["kind"] for warning in document["warnings"]] == ["open_journal"]
    assert "variants.journal" in document["warnings"][0]["message"]
    assert world.files() == before


def test_a_journal_of_another_shop_is_refused(world: World) -> None:
    header, batch = unfinished(world)
    other = {"shop": "other.myshopify.com", "shop_id": "gid://shopify/Shop/77"}
    place = journal(world, {**header, **other}, batch)
    cache = world.place("variants").read_bytes()
    for args in ((), ("--init",)):
        line = refused(world, *args, kept=place)
        for part in (str(place), "other.myshopify.com", "--init --reset"):
            assert part in line
    assert world.place("variants").read_bytes() == cache


def test_a_journal_without_its_cache_is_refused(world: World) -> None:
    unfinished(world)
    place = world.place("variants", "journal")
    world.place("variants").unlink()
    line = refused(world, kept=place)
    assert str(place) in line
    assert "variants.json is missing" in line
    assert "--init --reset" in line


def test_a_cache_that_was_written_after_the_journal_is_refused(world: World) -> None:
    header, batch = unfinished(world)
    place = journal(world, {**header, "cache": "11111111-0000-4000-8000-000000000000"}, batch)
    cache = world.place("variants").read_bytes()
    line = refused(world, kept=place)
    assert str(place) in line
    assert "--init --reset" in line
    assert world.place("variants").read_bytes() == cache


def test_a_journal_whose_run_has_written_the_cache_is_done_with(world: World) -> None:
    header, batch = unfinished(world)
    document = json.loads(world.place("variants").read_bytes())
    place = journal(world, {**header, "run": document["run"], "cache": "older"}, batch)
    world.run("variants")
    (call,) = [
        request.graphql["variables"] for request in world.asked if request.operation == "Adjust"
    ]
    assert call["key"] != batch["variables"]["key"]
    assert world.reads(FOUR) == [27] * 4
    assert not place.exists()


def test_a_journal_without_a_batch_of_unknown_outcome_needs_nothing_sent(world: World) -> None:
    header, batch = unfinished(world)
    for sku in ("P-M", "P-L", "P-XL"):
        world.shop.restock(sku, -3)  # as the batch did
    place = journal(world, header, batch, {"outcome": batch["batch"], "applied": True})
    world.run("variants")
    assert world.batches == []
    assert world.reads(FOUR) == [27] * 4
    assert world.cached()["Print"]["quantity"] == 27
    assert not place.exists()


def test_a_journal_whose_batch_was_refused_changes_nothing(world: World) -> None:
    header, batch = unfinished(world)
    journal(world, header, batch, {"outcome": batch["batch"], "applied": False})
    world.run("variants")
    assert world.operations.count("Adjust") == 1
    assert world.reads(FOUR) == [27] * 4


LINES = [b"not json\n", b"\n", b"[]\n", b"5\n", b'{"batch": "a\n', b"\xff\n", b"\x00\x00\x00\n"]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("position", [0, 1])
def test_a_journal_line_in_the_middle_that_is_no_json_is_refused(
    world: World, line: bytes, position: int
) -> None:
    lines: list[Any] = list(unfinished(world))
    lines.insert(position, line)
    place = journal(world, *lines)
    message = refused(world, kept=place)
    assert f"{place}: line {position + 1}" in message
    assert "--init --reset" in message


@pytest.mark.parametrize(
    "tail", [b"{", b'{"outcome": "33333333', b"\x00" * 50, b'{"outcome": "x", "applied": true}']
)
def test_a_torn_last_line_is_as_good_as_none(world: World, tail: bytes) -> None:
    place = journal(world, *unfinished(world), tail=tail)
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert not place.exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"journal": 1, "comm'])
def test_a_journal_that_never_got_to_a_batch_is_as_good_as_none(
    world: World, content: bytes
) -> None:
    unfinished(world)
    place = journal(world, tail=content)
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4
    assert not place.exists()


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def pools_with(batch: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The batch with other parts in its pools' records."""
    return {
        **batch,
        "pools": {gid: {**record, **changes} for gid, record in batch["pools"].items()},
    }


STRANGE: dict[str, Callable[[dict[str, Any], dict[str, Any]], list[Any]]] = {
    "no journal": lambda header, batch: [{"shop": header["shop"]}, batch],
    "another format": lambda header, batch: [{**header, "journal": 99}, batch],
    "another command": lambda header, batch: [{**header, "command": "locations"}, batch],
    "no run": lambda header, batch: [without(header, "run"), batch],
    "shop is a number": lambda header, batch: [{**header, "shop": 5}, batch],
    "no key": lambda header, batch: [header, without(batch, "batch")],
    "variables is a list": lambda header, batch: [header, {**batch, "variables": []}],
    "variables is empty": lambda header, batch: [header, {**batch, "variables": {}}],
    "no changes": lambda header, batch: [
        header,
        {**batch, "variables": {**batch["variables"], "input": {}}},
    ],
    "pools is a list": lambda header, batch: [header, {**batch, "pools": []}],
    "a pool is a number": lambda header, batch: [
        header,
        {**batch, "pools": dict.fromkeys(batch["pools"], 5)},
    ],
    "a pool without after": lambda header, batch: [
        header,
        {
            **batch,
            "pools": {gid: without(record, "after") for gid, record in batch["pools"].items()},
        },
    ],
    "after is a number": lambda header, batch: [header, pools_with(batch, after=5)],
    "levels is a list": lambda header, batch: [header, pools_with(batch, levels=[])],
    "no sent_at": lambda header, batch: [header, without(batch, "sent_at")],
    "sent_at is a number": lambda header, batch: [header, {**batch, "sent_at": 5}],
    "sent_at is no moment": lambda header, batch: [header, {**batch, "sent_at": "yesterday"}],
    "sent_at has no zone": lambda header, batch: [
        header,
        {**batch, "sent_at": "2026-11-22T12:00:00"},
    ],
    "an outcome without its answer": lambda header, batch: [
        header,
        batch,
        {"outcome": batch["batch"]},
        {},
    ],
    "two headers": lambda header, batch: [header, header, batch],
}


@pytest.mark.parametrize("lines", STRANGE.values(), ids=STRANGE)
def test_a_journal_that_invsync_never_wrote_is_refused(
    world: World, lines: Callable[[dict[str, Any], dict[str, Any]], list[Any]]
) -> None:
    place = journal(world, *lines(*unfinished(world)))
    cache = world.place("variants").read_bytes()
    line = refused(world, kept=place)
    assert str(place) in line
    assert "--init --reset" in line
    assert world.place("variants").read_bytes() == cache


def test_starting_over_with_align_does_not_add_to_the_old_journal(world: World) -> None:
    header, batch = unfinished(world)
    place = journal(world, {**header, "shop": "other.myshopify.com"}, batch)
    seen: list[bytes] = []

    def look(request: Any, phase: str) -> None:
        if phase == "before" and request.operation == "Adjust":
            seen.append(place.read_bytes())

    world.hook = look
    world.run("variants", "--init", "--reset", "--align", "lowest", "--yes")
    assert world.reads(FOUR) == [27] * 4
    assert len(seen) == 1
    assert b"other.myshopify.com" not in seen[0], (
        "the journal of this run can't be read after a crash"
    )


# --- The state folder -----------------------------------------------------------------------------


def test_a_state_folder_that_is_a_file_is_refused(world: World) -> None:
    world.add("Print", FOUR)
    world.state.write_text("")
    line = refused(world, requests=0)
    assert str(world.state) in line


def test_a_state_folder_below_a_file_is_refused(world: World) -> None:
    world.add("Print", FOUR)
    world.configure(state_dir="config.yaml/state")
    assert "config.yaml/state" in refused(world, requests=0)


@pytest.mark.skipif(not Path("/proc/1").exists(), reason="needs /proc")
def test_an_unwritable_state_folder_is_refused_before_anything_is_sent(world: World) -> None:
    world.add("Print", FOUR)
    world.configure(state_dir="/proc/invsync-state")
    assert "/proc/invsync-state" in refused(world, requests=0)


@as_root
def test_a_state_folder_of_somebody_else_is_refused(world: World) -> None:
    ready(world)
    world.state.chmod(0o500)
    try:
        assert str(world.state) in refused(world, requests=0)
    finally:
        world.state.chmod(0o700)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_full_disk_is_noticed_before_anything_is_sent(
    world: World, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    before = world.files()

    def full(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", full)
    line = refused(world, requests=0)
    assert str(world.state) in line
    assert os.strerror(number) in line
    assert "room" in line
    after = world.files()
    for files in (before, after):
        files.pop("invsync-state/variants.last", None)
        files.pop("invsync-state")
    assert after == before


def failing_at(
    monkeypatch: pytest.MonkeyPatch,
    place: Path,
    function: str,
    *,
    after: int = 0,
    partly: bool = False,
) -> list[int]:
    """The disk is full for one file.

    `os.write` or `os.fsync` of it fails, from the call with number `after` on.
    """
    calls: list[int] = []
    real = getattr(os, function)

    def fails(descriptor: int, *args: Any) -> Any:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if place.name in name:
            calls.append(descriptor)
            if len(calls) > after:
                if partly and args:
                    real(descriptor, bytes(args[0])[: len(args[0]) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, *args)

    monkeypatch.setattr(os, function, fails)
    return calls


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("function", ["write", "fsync"])
def test_a_disk_that_fills_up_before_the_journal_is_written_sends_nothing(
    world: World, function: str, partly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    cache = world.place("variants")
    place = world.place("variants", "journal")
    with monkeypatch.context() as patch:
        assert failing_at(patch, place, function, partly=partly) == []
        line = refused(world, kept=cache)
    assert str(place) in line
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


@pytest.mark.parametrize("function", ["write", "fsync"])
def test_a_disk_that_fills_up_before_the_outcome_is_written_counts_once(
    world: World, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    cache = world.place("variants")
    before = cache.read_bytes()
    place = world.place("variants", "journal")
    with monkeypatch.context() as patch:
        failing_at(patch, place, function, after=1, partly=True)
        ran = world.run("variants", exit_code=1)
    assert str(place) in ran.problem
    assert world.reads(FOUR) == [27] * 4  # applied, though nobody could write it down
    assert cache.read_bytes() == before
    world.sell("P-M", 2)
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4


@pytest.mark.parametrize("function", ["write", "fsync"])
@pytest.mark.parametrize("name", ["variants.json", "history.jsonl"])
def test_a_disk_that_fills_up_at_the_end_keeps_the_old_cache_and_counts_once(
    world: World, name: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    cache = world.place("variants")
    before = cache.read_bytes()
    with monkeypatch.context() as patch:
        failing_at(patch, world.state / name, function)
        ran = world.run("variants", exit_code=1)
    assert name in ran.problem
    assert cache.read_bytes() == before
    assert [path.name for path in world.state.iterdir() if path.name.endswith(".new")] == []
    world.sell("P-M", 2)
    world.run("variants")
    assert world.reads(FOUR) == [25] * 4


# --- The lock -------------------------------------------------------------------------------------


def test_a_second_run_at_the_same_time_says_who_is_at_work(world: World) -> None:
    ready(world)
    before = world.files()
    with lock(Files(world.state, "variants"), "2026-11-22T11:59:00Z"):
        ran = world.run("variants", "--json", exit_code=75)
        assert ran.out == ""
        for part in (str(os.getpid()), "2026-11-22T11:59:00Z", " variants`"):
            assert part in ran.err
        assert world.asked == []
        world.run("variants", "--init", exit_code=75)
        world.run("variants", "--init", "--reset", exit_code=75)
        world.run("variants", "-q", exit_code=75)
        world.run("locations", exit_code=0)  # the other command has a lock of its own
    assert world.files()["invsync-state/variants.json"] == before["invsync-state/variants.json"]
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_what_an_earlier_run_left_in_the_lock_file_holds_nobody(world: World) -> None:
    ready(world)
    world.place("variants", "lock").write_text("process 1 on elsewhere since yesterday\n")
    world.run("variants")


# --- The configuration, as far as only the shop can tell ------------------------------------------


def test_a_location_that_the_shop_does_not_have(world: World) -> None:
    ready(world)
    world.configure(variants={"product_types": ["Print"], "location": "Cellar"})
    ran = world.run("variants", exit_code=2)
    for part in (str(world.config), "variants.location", "'Cellar'", "Warehouse", "Till", "Pop-up"):
        assert part in ran.problem
    assert world.operations == ["Shop"]


def test_a_location_whose_name_two_have(world: World) -> None:
    ready(world)
    other = world.shop.add_location("Till")
    world.configure(variants={"product_types": ["Print"], "location": "Till"})
    ran = world.run("variants", exit_code=2)
    assert "several" in ran.problem
    assert str(other.id) in ran.problem


@pytest.mark.parametrize("name", ["Cellar", "999999", "Pop-up"])
def test_a_named_location_that_is_closed_or_unknown(world: World, name: str) -> None:
    ready(world)
    world.shop.close_location("Pop-up")
    world.configure(locations={"locations": ["Warehouse", name]})
    ran = world.run("locations", exit_code=2)
    assert "locations.locations" in ran.problem
    assert name in ran.problem
    assert world.batches == []


def test_another_shop_than_the_one_configured(world: World) -> None:
    ready(world)
    world.configure(shop="my-shop.myshopify.com")
    line = refused(world, kept=world.place("variants"), requests=1)
    for part in ("sandbox.myshopify.com", "my-shop.myshopify.com", str(world.config)):
        assert part in line


def test_a_command_without_its_section(world: World) -> None:
    world.configure(locations=None)
    ran = world.run("locations", exit_code=2)
    assert "locations" in ran.problem
    assert str(world.config) in ran.problem
    assert world.asked == []


CONFIGS = {
    "neither types nor tags": "shop: sandbox\nvariants: {}\n",
    "both types and tags": "shop: sandbox\nvariants: {product_types: [a], product_tags: [b]}\n",
    "an unknown key": "shop: sandbox\nvariants: {product_types: [a], produkt: [b]}\n",
    "an unset variable": "shop: x.myshopify.com\naccess_token: ${NOT_SET}\nvariants: "
    "{product_types: [a]}\n",
    "a wrong type": "shop: sandbox\nvariants: {product_types: 5, max_rising: much}\n",
    "no YAML": "shop: [\n",
    "empty": "",
}


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_a_refused_configuration_sends_nothing_and_makes_nothing(world: World, text: str) -> None:
    world.configure(text)
    before = world.files()
    for args in (
        ("variants",),
        ("variants", "--json"),
        ("variants", "--dry-run"),
        ("variants", "-q"),
    ):
        ran = world.run(*args, exit_code=2)
        assert ran.out == ""
        assert ran.err.count("invsync: ") == len(ran.err.splitlines()) >= 1
        assert str(world.config) in ran.err
        assert world.asked == []
    assert world.files() == before


def test_all_mistakes_of_a_configuration_are_told_at_once(world: World) -> None:
    world.configure(
        "shop: sandbox\ncolour: red\nvariants: {max_rising: much}\nlocations: {scan: sometimes}\n"
    )
    ran = world.run("variants", exit_code=2)
    for part in ("colour", "max_rising", "scan", "product_types"):
        assert part in ran.err
    assert len(ran.err.splitlines()) == 4


def test_a_configuration_that_is_not_there(world: World) -> None:
    world.config.unlink()
    ran = world.run("variants", exit_code=2)
    assert str(world.config) in ran.problem


# --- The shop -------------------------------------------------------------------------------------


def test_a_refused_token_is_one_line_without_the_token(world: World) -> None:
    ready(world)
    world.configure(access_token="invalid-token-0123456789")
    line = refused(world, kept=world.place("variants"), requests=1)
    assert "access_token" in line
    assert "invalid-token" not in line


@pytest.mark.parametrize(
    ("scope", "missing"),
    [
        (("read_locations", "write_inventory"), "read_products"),
        (("read_products", "write_inventory"), "read_locations"),
    ],
)
def test_a_missing_scope_is_named(world: World, scope: tuple[str, ...], missing: str) -> None:
    ready(world)
    world.shop.settings.scopes = scope
    line = refused(world, kept=world.place("variants"))
    assert missing in line


def test_a_missing_scope_to_write_is_named_and_nothing_is_taken_for_applied(world: World) -> None:
    ready(world)
    world.shop.settings.scopes = ("read_products", "read_locations", "read_inventory")
    ran = world.run("variants", exit_code=1)
    assert "write_inventory" in ran.problem
    assert world.reads(FOUR) == [27, 30, 30, 30]
    world.shop.settings.scopes = ("read_products", "read_locations", "write_inventory")
    world.run("variants")
    assert world.reads(FOUR) == [27] * 4


def test_a_shop_that_can_not_be_reached(world: World) -> None:
    ready(world)
    world.configure(api_url="http://127.0.0.1:9")
    ran = world.run("variants", exit_code=1)
    assert "127.0.0.1:9 can't be reached" in ran.problem
    assert sum(world.time.slept) > 10  # tried again and again


def test_a_shop_without_a_default_location(world: World) -> None:
    ready(world)
    for location in world.shop.locations.values():
        location.primary = False
    ran = world.run("variants", exit_code=2)
    assert "variants.location" in ran.problem
    assert str(world.config) in ran.problem


def test_a_refused_product_stops_no_other(world: World) -> None:
    ready(world)
    world.add("Poster", "A-1 A-2")
    world.run("variants", "--init")
    world.sell("A-1", 2)
    item = world.shop.item("P-M")

    def vanish(request: Any, phase: str) -> None:
        if phase == "before" and request.operation == "Adjust" and item.id in world.shop.items:
            del world.shop.items[item.id]

    world.hook = vanish
    document = world.variants(exit_code=3)
    assert world.reads("A-1 A-2") == [28, 28]
    assert document["pools"]["failed"] == 1
    (problem,) = document["problems"]
    assert (problem["kind"], problem["title"]) == ("refused", "Print")
    assert "could not be found" in problem["message"]
