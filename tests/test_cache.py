"""State on disk.

Written whole or not at all, read back exactly, and refused with a line that says the way on.
"""

from __future__ import annotations

import json
import os
import stat
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from invsync.errors import LockHeld, StateError
from invsync.state.cache import Cache, Scans, read_cache, write_cache
from invsync.state.entries import Entry, Kept
from invsync.state.files import FORMAT, SPARE_BYTES, Command, Files, prepare
from invsync.state.history import append_history, history_lines, history_tail
from invsync.state.journal import Journal, Sent, read_journal, remove_journal
from invsync.state.last import read_last, write_last
from invsync.state.lock import lock
from invsync.state.pools import Pools
from invsync.state.records import (
    Adjusted,
    Call,
    Change,
    Counted,
    Input,
    Movement,
    Observed,
    Pending,
    Quantity,
    Told,
    line_of,
)
from invsync.sync import Echoes, Level, LevelId, Managed, Pool, Reading, Unmanaged

SHOP = "print-shop.myshopify.com"
HERE = "gid://shopify/Location/1"
PRODUCT = "gid://shopify/Product/7"
NOON = "2026-11-22T12:00:00Z"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """An empty state folder of `variants`."""
    files = Files(tmp_path / "state", "variants")
    prepare(files)
    return files


def item(number: int) -> str:
    return f"gid://shopify/InventoryItem/{number}"


def level(number: int) -> LevelId:
    return LevelId(item(number), HERE)


def in_step(quantity: int, *levels: LevelId) -> Managed:
    """A pool whose levels all read its quantity."""
    return Managed(quantity, {at: Level(Reading(quantity, quantity, 0)) for at in levels})


def filled(command: Command = "variants", **changes: Any) -> Cache:
    """A cache with one pool of two levels at 30."""
    cache = Cache(command, SHOP, (HERE,), **changes)
    cache.put(PRODUCT, cache.encode("Print", in_step(30, level(1), level(2))))
    return cache


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refusal(read: Any, *args: Any) -> str:
    """The one line with which something is refused."""
    with pytest.raises(StateError) as caught:
        read(*args)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- Pools and their entries ----------------------------------------------------------------------

units = st.integers(-10_000, 10_000)
numbers = st.integers(1, 50).map(level)
readings = st.builds(Reading, units, st.none() | units, st.none() | units)
sizes = st.integers(1, 12)
levels = st.builds(Level, readings, sizes, units, units, units, units, units)
pools = st.builds(
    Managed,
    units,
    st.dictionaries(numbers, levels, min_size=1, max_size=6),
    units,
    st.builds(Echoes, units, units, units),
    st.integers(0, 99),
) | st.builds(
    Unmanaged,
    st.dictionaries(numbers, readings, min_size=1, max_size=6),
)
pools |= st.builds(  # what another program ran down is known only of what is left alone
    Unmanaged,
    st.dictionaries(numbers, readings, min_size=1, max_size=6),
    st.just(True),
    units,
)


def again(cache: Cache, pool_id: str, pool: Pool) -> Pool | None:
    """A pool as it comes back from a file."""
    entry = msgspec.Raw(msgspec.json.encode(cache.encode("Print", pool)))
    cache.pools = Pools.read({pool_id: entry}, first=False)
    return cache.get(pool_id)


@settings(deadline=None)
@given(pools)
def test_a_pool_comes_back_as_it_was(pool: Pool) -> None:
    assert again(Cache("variants", SHOP, (HERE,)), PRODUCT, pool) == pool


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(1, 9).map(lambda n: f"gid://shopify/Location/{n}"), levels, min_size=1
    )
)
def test_a_pool_of_locations_comes_back_as_it_was(known: dict[str, Level]) -> None:
    cache = Cache("locations", SHOP, tuple(known))
    pool = Managed(5, {LevelId(item(3), place): one for place, one in known.items()})
    assert again(cache, item(3), pool) == pool


def test_an_entry_names_only_what_there_is() -> None:
    cache = filled()
    assert msgspec.to_builtins(cache.pools[PRODUCT]) == {
        "title": "Print",
        "quantity": 30,
        "levels": {item(1): [30, 30, 0], item(2): [30, 30, 0]},
    }
    assert cache.title(PRODUCT) == "Print"
    assert cache.title("gid://shopify/Product/8") == "gid://shopify/Product/8"
    assert cache.get("gid://shopify/Product/8") is None


def test_a_forgotten_pool_is_as_good_as_never_seen() -> None:
    cache = filled()
    cache.changed = False
    cache.remove("gid://shopify/Product/8")
    assert not cache.changed
    cache.remove(PRODUCT)
    assert cache.changed
    assert cache.get(PRODUCT) is None


def test_what_every_run_asks_of_all_pools_follows_each_change() -> None:
    pools = Pools()

    def noted() -> tuple[dict[str, int], set[str], set[str]]:
        assert list(pools) == ["pool"]
        return pools.quantities, pools.single, pools.unsettled

    pools["pool"] = Entry("Print", 30, {item(1): Kept(30), item(2): Kept(30)})
    assert noted() == ({"pool": 30}, set(), set())
    pools["pool"] = Entry("Print", 30, {item(1): Kept(30), item(2): Kept(29)})
    assert noted() == ({"pool": 30}, set(), {"pool"})
    pools["pool"] = Entry("Print", None, {item(1): Kept(30), item(2): Kept(29)})
    assert noted() == ({}, set(), {"pool"})
    pools["pool"] = Entry("Print", 30, {item(1): Kept(30)})
    assert noted() == ({}, {"pool"}, set())
    del pools["pool"]
    assert (pools.quantities, pools.single, pools.unsettled) == ({}, set(), set())
    assert "pool" not in pools


def test_a_file_of_many_pools_takes_little_more_memory_than_it_has_bytes(files: Files) -> None:
    cache = filled()
    for number in range(2, 20_000, 4):
        pool = in_step(30_000, *(level(10**12 + number + one) for one in range(4)))
        cache.put(f"gid://shopify/Product/{number}", cache.encode("Print", pool))
    write_cache(files, cache, "run-1")
    size = files.cache.stat().st_size
    del cache
    tracemalloc.start()
    try:
        found = read_cache(files)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is not None
    assert len(found.pools) == 5_001
    assert most < 2 * size


IN_STEP = {"title": "Print", "quantity": 30, "levels": {item(1): [30]}}
#: What can't be the entry of a pool, by what is wrong with it.
NO_ENTRIES: dict[str, dict[str, Any]] = {
    "empty": {},
    "no title": {"quantity": 30, "levels": {item(1): [30]}},
    "no levels": {"title": "Print", "quantity": 30},
    "a quantity of text": {**IN_STEP, "quantity": "30"},
    "a quantity of true": {**IN_STEP, "quantity": True},
    "half a unit": {**IN_STEP, "quantity": 1.5},
    "no such levels": {**IN_STEP, "levels": None},
    "a list of levels": {**IN_STEP, "levels": []},
    "a level of null": {**IN_STEP, "levels": {item(1): None}},
    "a level of text": {**IN_STEP, "levels": {item(1): "30"}},
    "a level as 0.1.0 wrote it": {**IN_STEP, "levels": {item(1): 30}},
    "a level without a number": {**IN_STEP, "levels": {item(1): []}},
    "a level that is none": {**IN_STEP, "levels": {"P-S": [30]}},
    "on hand of text": {**IN_STEP, "levels": {item(1): [30, "30", 0]}},
    "a huge number": {**IN_STEP, "levels": {item(1): [10**30]}},
    "held by nothing": {**IN_STEP, "held": 5},
    "a list held": {**IN_STEP, "held": {item(1): []}},
    "held of a level that it lacks": {**IN_STEP, "held": {item(2): 5}},
    "to be let through: text": {**IN_STEP, "on_release": "5"},
    "a size of 0": {**IN_STEP, "sizes": {item(1): 0}},
    "a size of a level that it lacks": {**IN_STEP, "sizes": {item(2): 6}},
    "an alarm of text": {**IN_STEP, "alarms": {item(1): ["5"]}},
    "an alarm of a level that it lacks": {**IN_STEP, "alarms": {item(2): [5]}},
    "echoes of text": {**IN_STEP, "echoes": "many"},
    "left alone by a number": {**IN_STEP, "left_alone": 1},
    "a problem of text": {**IN_STEP, "problem": "bad"},
    "a problem of no moment": {
        **IN_STEP,
        "problem": {"kind": "out_of_sync", "since": "noon", "message": "Print: differs"},
    },
}


@pytest.mark.parametrize("entry", NO_ENTRIES.values(), ids=NO_ENTRIES)
def test_an_entry_that_can_not_be_a_pool_names_the_pool_and_the_way_on(
    files: Files, entry: dict[str, Any]
) -> None:
    write_cache(files, filled(), "run")
    document = json.loads(files.cache.read_bytes())
    assert read_cache(files) is not None
    document["pools"][PRODUCT] = entry
    files.cache.write_text(json.dumps(document), encoding="utf-8")
    line = refusal(read_cache, files)
    assert PRODUCT in line
    assert "variants.json" in line
    assert "variants --init --reset" in line


# --- The cache ------------------------------------------------------------------------------------


def test_a_cache_comes_back_as_it_was_written(files: Files) -> None:
    cache = filled(
        matches=["type Print"],
        scans=Scans(NOON, 57, "2026-11-22T11:00:00Z", fed=True, trusted=False),
    )
    write_cache(files, cache, "run-1")
    assert cache.run == "run-1"
    assert not cache.changed
    assert read_cache(files) == cache


def test_there_is_no_cache_before_the_first_run(files: Files) -> None:
    assert read_cache(files) is None
    assert read_journal(files, SHOP) is None
    assert read_last(files) is None


def test_a_cache_is_json_that_a_person_can_read(files: Files) -> None:
    cache = filled()
    cache.put("gid://shopify/Product/8", cache.encode("Größe 🖼️ ملصق", in_step(1, level(3))))
    write_cache(files, cache, "run-1")
    text = files.cache.read_text(encoding="utf-8")
    assert "Größe 🖼️ ملصق" in text
    assert text.count("\n") > 15
    assert json.loads(text)["format"] == FORMAT


def test_files_and_folder_are_closed_to_others(files: Files) -> None:
    kept = os.umask(0)
    try:
        write_cache(files, filled(), "run-1")
        append_history(files, [line(1)])
        write_last(files, {"run": "run-1"})
        Journal(files, run="run-2", shop=SHOP, continues="run-1").sending(batch("k"))
        with lock(files, NOON):
            pass
    finally:
        os.umask(kept)
    assert mode(files.folder) == 0o700
    names = {path.name: mode(path) for path in files.folder.iterdir()}
    assert set(names) == {
        "variants.json",
        "variants.journal",
        "variants.lock",
        "variants.last",
        "history.jsonl",
    }
    assert set(names.values()) == {0o600}


def test_a_cache_is_replaced_in_one_step(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cache(files, filled(), "run-1")
    before = files.cache.read_bytes()
    with files.cache.open("rb") as reader:
        write_cache(files, filled(), "run-2")
        assert reader.read() == before  # who has it open still sees the old one, whole
    assert b"run-2" in files.cache.read_bytes()
    assert [path.name for path in files.folder.iterdir()] == ["variants.json"]


@pytest.mark.parametrize("function", ["write", "fsync", "open"])
def test_a_cache_that_can_not_be_written_leaves_the_old_one(
    files: Files, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cache(files, filled(), "run-1")
    before = files.cache.read_bytes()

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        line = refusal(write_cache, files, filled(), "run-2")
    assert str(files.cache) in line
    assert "No space left on device" in line
    assert files.cache.read_bytes() == before
    assert [path.name for path in files.folder.iterdir()] == ["variants.json"]


def test_a_write_that_takes_only_a_part_goes_on_with_the_rest(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(
        os, "write", lambda descriptor, content: real(descriptor, bytes(content)[:7])
    )
    write_cache(files, filled(), "run-1")
    found = read_cache(files)
    assert found is not None
    assert found.pools == filled().pools


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not a cache of invsync"),
        (b"null", "is not a cache of invsync"),
        (b"{}", "is not a cache of invsync"),
        (b'{"format": 99}', "has format 99"),
        (b'{"format": "1"}', "has format '1'"),
        (b'{"format": 1}', "is damaged"),
        (b'{"format": 1, "command": "variants", "shop": "s", "locations": 5}', "is damaged"),
    ],
)
def test_what_is_no_cache_is_refused_and_kept(files: Files, content: bytes, says: str) -> None:
    files.cache.write_bytes(content)
    line = refusal(read_cache, files)
    assert line.startswith(f"{files.cache}: ")
    assert says in line
    assert "the file was kept" in line
    assert "variants --init --reset" in line
    assert files.cache.read_bytes() == content


def test_a_cache_of_the_other_command_is_refused(files: Files) -> None:
    write_cache(files, filled(), "run-1")
    other = Files(files.folder, "locations")
    other.cache.write_bytes(files.cache.read_bytes())
    line = refusal(read_cache, other)
    assert str(other.cache) in line
    assert "locations --init --reset" in line


def test_a_folder_in_place_of_the_cache_is_refused(files: Files) -> None:
    files.cache.mkdir()
    assert str(files.cache) in refusal(read_cache, files)


# --- The journal ----------------------------------------------------------------------------------


def batch(key: str) -> Sent:
    """A batch of two levels of one pool."""
    changes = (Change(item(1), HERE, -3, None), Change(item(2), HERE, -3, None))
    call = Call(Input("available", "correction", "gid://invsync/Run/run-2", changes), key)
    pending = Pending(
        title="Print",
        why="falls",
        quantity=Quantity(30, 27),
        moved=(Movement(item=item(3), sku="P-3", name="P-3", location=HERE, movement=-3),),
        notes=(Told("several_rises", "Größe", problem=True),),
        levels={item(n): Observed(f"P-{n}", f"P-{n}", 30) for n in (1, 2)},
        after=Entry("Print", 27, {item(1): Kept(27), item(2): Kept(27)}),
    )
    return Sent(key, NOON, call, {PRODUCT: pending}, here=NOON)


def journal(files: Files) -> Journal:
    return Journal(files, run="run-2", shop=SHOP, continues="run-1")


def test_a_journal_comes_back_as_it_was_written(files: Files) -> None:
    written = journal(files)
    for key in ("a", "b", "c"):
        written.sending(batch(key))
        assert written.open
        if key != "c":
            written.outcome(key, key == "a")
            assert not written.open
    found = read_journal(files, SHOP)
    assert found is not None
    assert (found.run, found.continues) == ("run-2", "run-1")
    assert [(sent.key, sent.sent_at, sent.applied) for sent in found.batches] == [
        ("a", NOON, True),
        ("b", NOON, False),
        ("c", NOON, None),
    ]
    assert found.batches[0] == replace(batch("a"), applied=True)
    assert found.batches[2] == batch("c")
    assert [sent.key for sent in found.open] == ["c"]


def test_a_run_that_sends_nothing_leaves_no_journal(files: Files) -> None:
    written = journal(files)
    assert not written.begun
    assert not files.journal.exists()
    written.sending(batch("a"))
    assert written.begun


def test_a_batch_is_on_disk_before_its_request_leaves(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    journal(files).sending(batch("a"))
    assert "variants.journal" in synced
    assert files.folder.name in synced  # a new file is only there once its folder says so


def test_any_torn_end_of_a_journal_is_as_good_as_none(files: Files) -> None:
    written = journal(files)
    written.sending(batch("a"))
    whole = files.journal.read_bytes()
    written.outcome("a", True)
    content = files.journal.read_bytes()
    for length in [
        *range(0, len(content), 7),
        len(whole) - 1,
        len(whole),
        len(whole) + 1,
        len(content) - 1,
    ]:
        files.journal.write_bytes(content[:length])
        found = read_journal(files, SHOP)
        if length < len(whole):
            assert found is None  # the request never left
        else:
            assert found is not None
            assert found.batches[0].applied is None
    files.journal.write_bytes(content)
    found = read_journal(files, SHOP)
    assert found is not None
    assert found.batches[0].applied is True


@pytest.mark.parametrize(
    "line", [b"not json\n", b"\n", b"5\n", b"[]\n", b'"text"\n', b"\x00\x00\n"]
)
def test_a_broken_line_anywhere_else_is_refused(files: Files, line: bytes) -> None:
    journal(files).sending(batch("a"))
    header, sent = files.journal.read_bytes().splitlines(keepends=True)
    for at, content in ((1, line + header + sent), (2, header + line + sent)):
        files.journal.write_bytes(content)
        message = refusal(read_journal, files, SHOP)
        assert f"{files.journal}: line {at} " in message
        assert "kept" in message
        assert "variants --init --reset" in message
        assert files.journal.read_bytes() == content


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"journal": 99, "command": "variants", "shop": SHOP, "run": "r", "cache": ""},
        {"journal": 1, "command": "locations", "shop": SHOP, "run": "r", "cache": ""},
        {"journal": 1, "command": "variants", "shop": SHOP, "run": "r"},
        {"journal": 1, "command": "variants", "run": "r", "cache": ""},
    ],
    ids=json.dumps,
)
def test_a_journal_that_does_not_begin_as_one_is_refused(
    files: Files, header: dict[str, Any]
) -> None:
    journal(files).sending(batch("a"))
    sent = files.journal.read_bytes().splitlines(keepends=True)[1]
    files.journal.write_bytes(json.dumps(header).encode() + b"\n" + sent)
    line = refusal(read_journal, files, SHOP)
    assert line.startswith(f"{files.journal}: ")
    assert "variants --init --reset" in line


def test_a_journal_of_another_shop_is_refused(files: Files) -> None:
    journal(files).sending(batch("a"))
    line = refusal(read_journal, files, "other.myshopify.com")
    assert str(files.journal) in line
    assert SHOP in line
    assert "other.myshopify.com" in line


def test_a_removed_journal_is_gone_and_may_be_removed_again(files: Files) -> None:
    journal(files).sending(batch("a"))
    remove_journal(files)
    assert not files.journal.exists()
    remove_journal(files)


# --- The folder, the lock -------------------------------------------------------------------------


def test_preparing_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    files = Files(tmp_path / "a" / "b", "variants")
    prepare(files)
    assert mode(files.folder) == 0o700
    assert list(files.folder.iterdir()) == []
    prepare(files)


def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = Files(tmp_path / "file" / "state", "variants")
    line = refusal(prepare, files)
    assert str(files.folder) in line
    assert "Make the state folder writable" in line


def test_room_for_twice_the_cache_must_be_free(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.cache.write_bytes(b" " * 3_000_000)
    asked: list[int] = []
    monkeypatch.setattr(
        os, "posix_fallocate", lambda descriptor, start, length: asked.append(length)
    )
    prepare(files)
    assert asked == [SPARE_BYTES + 6_000_000]


def test_a_full_disk_is_refused_and_leaves_nothing_behind(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    line = refusal(prepare, files)
    assert str(files.folder) in line
    assert "No space left on device" in line
    assert list(files.folder.iterdir()) == []


def test_the_lock_is_one_run_s_at_a_time(files: Files) -> None:
    with lock(files, NOON):
        with pytest.raises(LockHeld) as caught, lock(files, NOON):
            raise AssertionError("two hold the lock")
        assert caught.value.exit_code == 75
        for part in (f"process {os.getpid()} ", NOON, "variants"):
            assert part in str(caught.value)
        with lock(Files(files.folder, "locations"), NOON):
            pass
    with lock(files, NOON):
        pass


def test_the_lock_is_let_go_of_after_an_error(files: Files) -> None:
    with pytest.raises(ZeroDivisionError), lock(files, NOON):
        raise ZeroDivisionError
    with lock(files, NOON):
        pass


# --- What happened --------------------------------------------------------------------------------


RECORD = {
    "run": "run-1",
    "started_at": NOON,
    "seconds": 1.5,
    "mode": "sync",
    "exit": 3,
    "error": None,
    "changes": 1,
    "problems": 0,
}


def test_the_last_run_comes_back_as_it_was_kept(files: Files) -> None:
    assert read_last(files) is None
    write_last(files, RECORD)
    assert read_last(files) == RECORD


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"\x00" * 50,
        b"[" * 100_000,
        *(
            json.dumps({**RECORD, **wrong}).encode()
            for wrong in (
                {"exit": "3"},
                {"exit": 10**30},
                {"seconds": []},
                {"seconds": -1},
                {"seconds": float("nan")},
                {"started_at": "9999-12-31T23:59:59Z"},
                {"error": 5},
                {"error": "\ud800"},
            )
        ),
    ],
    ids=lambda content: content[:40].decode(errors="replace"),
)
def test_a_record_that_no_run_left_is_refused_and_kept(files: Files, content: bytes) -> None:
    files.last.write_bytes(content)
    line = refusal(read_last, files)
    assert line.startswith(f"{files.last}: ")
    assert "the next run" in line.lower()
    assert files.last.read_bytes() == content


def line(units: int, title: str = "Print") -> Adjusted:
    """A line of the history."""
    return Adjusted(
        at=NOON,
        run="run-1",
        batch="key",
        pool=PRODUCT,
        title=title,
        item=item(1),
        sku="P-1",
        name="P-1",
        location=HERE,
        before=30,
        delta=units,
        after=30 + units,
        why="falls",
    )


def test_history_grows_line_by_line(files: Files) -> None:
    counted = Counted(NOON, "run-1", PRODUCT, "Größe", "falls", Quantity(None, 27), ())
    append_history(files, [line(1), line(2)])
    append_history(files, [])
    append_history(files, [counted])
    lines = files.history.read_text(encoding="utf-8").splitlines()
    assert [json.loads(text).get("delta") for text in lines] == [1, 2, None]
    assert "Größe" in lines[2]
    assert json.loads(lines[2])["quantity"] == {"from": None, "to": 27}
    assert history_tail(files) == [line(1), line(2), counted]
    assert [line_of(text) for text in history_lines(files)] == [line(1), line(2), counted]


def test_no_history_is_made_where_nothing_happened(files: Files) -> None:
    append_history(files, [])
    assert not files.history.exists()


def test_a_large_history_is_set_aside(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invsync.state.history.HISTORY_BYTES", 50)
    for number in range(10):
        append_history(files, [line(number)])
    kept = files.history.with_name("history.jsonl.1")
    assert mode(kept) == mode(files.history) == 0o600
    numbers = [
        json.loads(text)["delta"]
        for path in (kept, files.history)
        for text in path.read_text().splitlines()
    ]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 9
