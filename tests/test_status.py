"""`invsync status`: what the state folder tells, and what it takes for a person to be needed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import BOTH, Place

from invsync.config.settings import load as load_config
from invsync.state.cache import read_cache
from invsync.state.files import Files
from invsync.state.journal import Journal, Sent
from invsync.state.last import read_last, write_last
from invsync.state.lock import holder, lock
from invsync.state.records import Call, Input
from invsync.status import read_status


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    return place


@pytest.fixture
def managed(place: Place) -> Place:
    """Both commands have run, and everything is in step."""
    with place.shop() as shop:
        shop.set_available("LIGHT-M", 10)
        shop.set_available("APRON", 8, "Till")
    place.run("variants", "--init")
    place.run("locations", "--init")
    return place


def _no_network(*_: Any) -> None:
    raise AssertionError("the network was asked")


def known(place: Place, exit_code: int = 0) -> dict[str, dict[str, Any]]:
    document = place.run("status", "--json", exit_code=exit_code).document
    assert document["exit"] == exit_code
    return {each["command"]: each for each in document["commands"]}


def journal(
    place: Place, *, continues: str | None = None, shop: str = "sandbox.myshopify.com"
) -> None:
    """What a run leaves that is cut off with the second of its two batches in flight."""
    files = Files(place.state, "variants")
    cache = read_cache(files)
    left = Journal(
        files, run="0123456789", shop=shop, continues=continues or (cache.run if cache else "")
    )
    left.sending(batch("key-1", "2026-11-22T12:00:00Z"))
    left.outcome("key-1", True)
    left.sending(batch("key-2", "2026-11-22T12:00:01Z"))


def batch(key: str, sent_at: str) -> Sent:
    return Sent(
        key,
        sent_at,
        Call(Input("available", "correction", "gid://invsync/Run/0123456789", ()), key),
        {},
    )


def test_before_the_first_run(place: Place) -> None:
    ran = place.run("status")
    assert (
        "variants: nothing is managed yet; begin with `invsync variants --init`"
        in ran.out.replace(f" --config {place.config}", "")
    )
    assert not place.state.exists()
    assert known(place)["variants"]["last_run"] is None


def test_what_is_managed_and_how_the_last_run_ended(managed: Place) -> None:
    found = known(managed)
    assert found["variants"]["pools"] == {
        "managed": 6,
        "units": 30 + 12 + 10 + 15 + 5 + 4,
        "kept_back": 0,
        "waiting": 0,
        "paused": 0,
    }
    assert found["variants"]["single"] == 1
    assert found["variants"]["last_run"]["exit"] == 0
    assert found["locations"]["pools"] == {
        "managed": 3,
        "units": 20 + 14 + 8,
        "kept_back": 0,
        "waiting": 0,
        "paused": 0,
    }
    out = managed.run("status").out
    assert (
        "variants: 6 pools managed, 76 units in all; 1 with one variant only; nothing waiting for "
        "a person" in out
    )
    assert "UTC (under 1 min ago) --init: done; 0 changes, 0 problems" in out


def test_it_writes_nothing_and_is_silent_when_asked(managed: Place) -> None:
    before = managed.state_files()
    managed.run("status")
    assert managed.run("-q", "status").out == ""
    assert managed.state_files() == before


def test_the_next_reconcile_is_a_matter_of_the_configuration(managed: Place) -> None:
    managed.configure(BOTH.replace("[Print]", "[Print]\n  reconcile_every: 2h"))
    found = known(managed)["variants"]
    assert found["scanned_at"][:13] != found["reconcile_by"][:13]
    assert "a complete scan by " in managed.run("status").out
    cache = json.loads((managed.state / "variants.json").read_bytes())
    cache["scanned_at"] = "2026-11-20T12:00:00Z"
    (managed.state / "variants.json").write_text(json.dumps(cache))
    assert known(managed)["variants"]["reconcile_by"] == "2026-11-20T14:00:00Z"


def test_what_waits_is_told_with_the_message_and_since_when_it_does(place: Place) -> None:
    place.run("variants", "--init", exit_code=3)
    first = known(place, exit_code=3)["variants"]["problems"]
    place.run("variants", exit_code=3)
    (problem,) = known(place, exit_code=3)["variants"]["problems"]
    assert (problem["kind"], problem["title"]) == ("out_of_sync", "Lighthouse (counts differ)")
    assert problem["since"] == first[0]["since"]
    assert "LIGHT-S 10, LIGHT-M 7, LIGHT-L 10" in problem["message"]
    out = place.run("status", exit_code=3).out
    assert "out of sync     since " in out
    assert "done, but a person is needed" in out


def test_the_oldest_problem_comes_first(managed: Place) -> None:
    path = managed.state / "variants.json"
    cache = json.loads(path.read_bytes())
    for at, entry in enumerate(cache["pools"].values()):
        entry["problem"] = {"kind": "held", "since": f"2026-11-{20 - at}T12:00:00Z", "message": "m"}
    path.write_text(json.dumps(cache))
    since = [problem["since"] for problem in known(managed, exit_code=3)["variants"]["problems"]]
    assert since == sorted(since)


@pytest.mark.parametrize(
    ("hours", "reads", "says"),
    [(25, (9, 9), True), (23, (9, 9), False), (25, (9, 8), False), (None, (9, 9), False)],
)
def test_a_pool_left_alone_can_be_taken_up_after_a_quiet_day(
    managed: Place, hours: int | None, reads: tuple[int, int], says: bool
) -> None:
    path = managed.state / "variants.json"
    document = json.loads(path.read_text())
    pool, entry = next(iter(document["pools"].items()))
    then = datetime.now(UTC) - timedelta(hours=hours or 0)
    heard = {} if hours is None else {"heard": then.strftime("%Y-%m-%dT%H:%M:%SZ")}
    levels = dict(zip(("gid://a", "gid://b"), ([read] for read in reads), strict=True))
    problem = {"kind": "k", "since": "2026-11-20T12:00:00Z", "message": "m", **heard}
    document["pools"] = {
        pool: {"title": entry["title"], "quantity": None, "levels": levels, "problem": problem}
    }
    path.write_text(json.dumps(document))
    (told,) = known(managed, exit_code=3)["variants"]["problems"]
    assert told["can_be_taken_up"] == says
    out = " ".join(managed.run("status", exit_code=3).out.split())
    assert (f"variants --init --only {pool.rpartition('/')[2]}`" in out) == says


def test_many_problems_are_listed_in_part(managed: Place) -> None:
    path = managed.state / "variants.json"
    cache = json.loads(path.read_bytes())
    one = next(iter(cache["pools"].values()))
    one["problem"] = {"kind": "held", "since": "2026-11-20T12:00:00Z", "message": "m"}
    cache["pools"] = {f"gid://shopify/Product/{number}": one for number in range(100)}
    path.write_text(json.dumps(cache))
    out = managed.run("status", exit_code=3).out
    assert out.count("held            since 2026-11-20 12:00 UTC (") == 30
    assert "and 70 more" in out
    assert len(known(managed, exit_code=3)["variants"]["problems"]) == 100


def test_a_failed_run_needs_a_person_and_a_stopped_one_does_not(managed: Place) -> None:
    managed.configure(BOTH.replace("Print", "Poster"))
    managed.run("variants", exit_code=1)
    assert known(managed, exit_code=3)["variants"]["last_run"]["exit"] == 1
    assert "FAILED (exit 1): nothing in the shop matches" in managed.run("status", exit_code=3).out
    files = Files(managed.state, "variants")
    last = read_last(files)
    assert last is not None
    write_last(files, {**last, "exit": 143})
    assert "stopped by signal 15" in managed.run("status").out


def test_an_open_journal_is_told(managed: Place) -> None:
    journal(managed)
    assert known(managed)["variants"]["journal"] == {
        "run": "0123456789",
        "sent_at": "2026-11-22T12:00:00Z",
        "batches": 2,
        "unsettled": 1,
    }
    out = managed.run("status").out
    assert (
        "open journal    2 batches, 1 of unknown outcome, sent from 2026-11-22 12:00 UTC on by run "
        "01234567" in out
    )
    assert "the next run settles them first" in out


def test_a_journal_that_the_cache_has_taken_in_is_not_open(managed: Place) -> None:
    cache = read_cache(Files(managed.state, "variants"))
    assert cache is not None
    journal(managed, continues="an earlier run")
    path = managed.state / "variants.journal"
    path.write_text(path.read_text().replace("0123456789", cache.run))
    assert known(managed)["variants"]["journal"] is None


def test_the_run_at_work_is_told(managed: Place) -> None:
    files = Files(managed.state, "variants")
    journal(managed)
    with lock(files, "2026-11-22T12:00:00Z"):
        found = known(managed)
        assert found["variants"]["running"] == (
            f"process {os.getpid()} on {socket.gethostname()} since 2026-11-22T12:00:00Z"
        )
        assert found["locations"]["running"] is None
        out = managed.run("status").out
        assert "at work now     process" in out
        assert "in use by the run at work" in out
    assert known(managed)["variants"]["running"] is None


@pytest.mark.parametrize("host", [socket.gethostname(), "another-machine"])
def test_a_run_that_starts_meanwhile_is_not_turned_away_by_a_look(
    managed: Place, host: str
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    files = Files(managed.state, "variants")
    files.lock.write_text(f"process {gone.pid} on {host} since 2026-11-22T12:00:00Z\n")
    assert holder(files) is None
    with lock(files, "2026-11-22T12:00:00Z"):
        pass


def test_what_is_no_longer_configured_is_still_told(managed: Place) -> None:
    managed.configure("shop: sandbox\nlocations:\n  product_types: [Kitchen]\n")
    assert known(managed)["variants"]["configured"] is False
    assert "variants (no longer in the configuration): 6 pools managed" in managed.run("status").out
    managed.configure("shop: sandbox\nstate_dir: nowhere\n")
    assert "neither variants nor locations is configured" in managed.run("status").out


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("variants.json", "{", "is not JSON"),
        ("variants.json", "[]", "is not a cache of invsync"),
        ("variants.journal", "nonsense\n{}\n", "line 1 is not what invsync writes"),
    ],
)
def test_state_that_cannot_be_read_is_exit_1_and_the_rest_is_told(
    managed: Place, name: str, content: str, says: str
) -> None:
    (managed.state / name).write_text(content)
    ran = managed.run("status", exit_code=1)
    assert says in ran.err
    assert "variants: can't be told" in ran.out
    assert "locations: 3 pools managed" in ran.out
    assert says in known(managed, exit_code=1)["variants"]["error"]


def test_state_of_another_shop_is_exit_1(managed: Place) -> None:
    managed.configure(
        BOTH.replace("sandbox", "my-shop.myshopify.com\naccess_token: ${TOKEN}").replace(
            "${TOKEN}", "t"
        )
    )
    assert "belongs to the shop sandbox.myshopify.com" in managed.run("status", exit_code=1).err
    managed.configure()
    journal(managed, shop="other.myshopify.com")
    assert "belongs to the shop other.myshopify.com" in managed.run("status", exit_code=1).err


def test_a_cache_that_somebody_changed_by_hand_is_no_traceback(managed: Place) -> None:
    path = managed.state / "variants.json"
    cache = json.loads(path.read_bytes())
    for damage in ({"quantity": "x"}, {"levels": 3}, {"problem": "p"}):
        pools = dict(cache["pools"])
        first = next(iter(pools))
        pools[first] = {**pools[first], **damage}
        path.write_text(json.dumps({**cache, "pools": pools}))
        ran = managed.run("status", exit_code=1)
        (line,) = ran.err.splitlines()
        assert str(path) in line
        assert first in line


def test_a_record_of_the_last_run_that_somebody_changed_is_named(managed: Place) -> None:
    path = managed.state / "variants.last"
    path.write_text('{"exit": "?", "seconds": []}')
    ran = managed.run("status", exit_code=1)
    assert str(path) in ran.err
    assert "3 pools managed" in ran.out  # what is known of the other command
    managed.run("variants")
    managed.run("status")


def test_a_rise_that_is_held_is_listed_from_its_first_run_on(place: Place) -> None:
    place.configure(BOTH.replace("variants:\n", "variants:\n  several_rises: hold\n"))
    place.run("variants", "--init", exit_code=3)
    with place.shop() as shop:
        shop.set_available("FOG-S", 20)
        shop.set_available("FOG-M", 25)
    place.run("variants", exit_code=3)
    assert "Fog on the river" in place.run("status", exit_code=3).out


def test_times_are_told_by_the_clock_of_their_reader_and_json_is_utc(
    managed: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = read_last(Files(managed.state, "variants")) or {}
    write_last(Files(managed.state, "variants"), {**last, "started_at": "2026-07-25T23:31:00Z"})
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    assert "last run        2026-07-26 01:31 CEST (" in managed.run("status").out
    assert known(managed)["variants"]["last_run"]["started_at"] == "2026-07-25T23:31:00Z"


def test_until_when_something_is_paused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("shop: sandbox\nvariants: {product_types: [Print]}\n", encoding="utf-8")
    settings = load_config(config, {})
    settings.state_dir.mkdir(mode=0o700)
    (settings.state_dir / "paused.json").write_text(
        '{"format": 1, "all": {"since": "2026-11-22T12:00:00Z", "until": "2026-11-22T14:00:00Z"}, '
        '"pools": {}}',
        encoding="utf-8",
    )
    before, after = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (13, 14))
    (variants,) = read_status(settings, before).commands
    assert variants.everything_paused is not None
    assert variants.everything_paused.until == "2026-11-22T14:00:00Z"
    (variants,) = read_status(settings, after).commands
    assert variants.everything_paused is None
