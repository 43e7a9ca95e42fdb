"""`ping_url`: what a watchdog is told of each run, and the crontab that it watches."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from command_line import BOTH, Place

from invsync import run
from invsync.errors import OutOfTime, Stopped
from invsync.ping import Ping
from invsync.state.files import Files, prepare
from invsync.state.lock import lock

URL = "https://hc.example/3f0c-secret-uuid"


@pytest.fixture
def place(place: Place) -> Place:
    place.configure(BOTH + f"ping_url: {URL}\n")
    return place


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        for path in ("/start", "", "/fail"):
            web.post(URL + path)
        yield web


def pinged(web: responses.RequestsMock) -> list[str]:
    return [str(call.request.url).removeprefix(URL) for call in web.calls]


def body(web: responses.RequestsMock) -> str:
    found: bytes = web.calls[-1].request.body
    return found.decode()


def test_a_run_tells_of_its_start_and_its_success_with_its_closing_line(
    place: Place, web: responses.RequestsMock
) -> None:
    place.configure(
        BOTH.replace("Print", "art").replace("product_types: [art]", "product_tags: [art]")
    )
    ran = place.run("variants", "--init", exit_code=3)
    assert pinged(web) == []
    place.configure(BOTH + f"ping_url: {URL}\n")
    with place.shop() as shop:
        shop.set_available("LIGHT-M", 10)
    ran = place.run("variants", "-v")
    assert pinged(web) == ["/start", ""]
    assert body(web) == ran.out.splitlines()[-1]
    assert web.calls[-1].request.headers["User-Agent"].startswith("invsync/")


def test_pools_that_need_a_person_are_no_failure_of_the_run(
    place: Place, web: responses.RequestsMock
) -> None:
    place.run("variants", "--init", exit_code=3)
    assert pinged(web) == ["/start", ""]
    assert "1 out of sync" in body(web)


def test_a_failed_run_says_why(place: Place, web: responses.RequestsMock) -> None:
    place.configure(BOTH.replace("Print", "Poster") + f"ping_url: {URL}\n")
    place.run("variants", exit_code=1)
    assert pinged(web) == ["/start", "/fail"]
    assert body(web).startswith("nothing in the shop matches (type Poster)")
    assert body(web).splitlines()[-1].startswith("variants: not finished")


def test_a_stopped_run_is_a_failure(
    place: Place, web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> None:
        raise Stopped(15)

    monkeypatch.setattr(run, "_go", stop)
    place.run("variants", exit_code=143)
    assert pinged(web) == ["/start", "/fail"]


def test_a_run_without_a_state_folder_fails_without_having_begun(
    place: Place, web: responses.RequestsMock
) -> None:
    place.configure(BOTH + f"ping_url: {URL}\nstate_dir: config.yaml\n")
    place.run("variants", exit_code=1)
    assert pinged(web) == ["/fail"]
    assert "config.yaml" in body(web)


def test_a_fault_of_invsync_is_told_too(
    place: Place, web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(run, "_go", fail)
    with pytest.raises(AssertionError, match="a traceback would be shown"):
        place.run("variants")
    assert pinged(web) == ["/start", "/fail"]
    assert body(web) == "a fault"


def test_a_dry_run_tells_nobody(place: Place, web: responses.RequestsMock) -> None:
    place.run("variants", "--dry-run", exit_code=3)
    assert pinged(web) == []


def test_a_run_that_finds_another_at_work_leaves_the_telling_to_it(
    place: Place, web: responses.RequestsMock
) -> None:
    files = Files(place.state, "variants")
    prepare(files)
    with lock(files, "2026-11-22T12:00:00Z"):
        place.run("variants", exit_code=75)
    assert pinged(web) == []


def test_the_third_run_running_that_finds_the_same_one_at_work_tells(
    place: Place, web: responses.RequestsMock
) -> None:
    files = Files(place.state, "variants")
    prepare(files)
    with lock(files, "2026-11-22T12:00:00Z"):
        for _ in range(2):
            assert "times running" not in place.run("variants", exit_code=75).err
        assert pinged(web) == []
        place.run("locations", exit_code=3)
        web.calls.reset()
        for times in (3, 4):
            ran = place.run("variants", exit_code=75)
            assert f"so {times} times running" in ran.err
            assert f"so {times} times running" in body(web)
            assert "2026-11-22T12:00:00Z" in body(web)
    assert pinged(web) == ["/fail", "/fail"]
    with lock(files, "2026-11-22T13:00:00Z"):  # another one: counted anew
        for _ in range(2):
            place.run("variants", exit_code=75)
    assert pinged(web) == ["/fail", "/fail"]
    place.run("variants", "--init", exit_code=3)
    assert not files.waiting.exists()


def test_a_count_that_somebody_changed_counts_anew(
    place: Place, web: responses.RequestsMock
) -> None:
    files = Files(place.state, "variants")
    prepare(files)
    for content in (b"", b"\x00", b"[]", b'{"holder": 5}', b"[" * 100_000):
        files.waiting.write_bytes(content)
        with lock(files, "2026-11-22T12:00:00Z"):
            files.waiting.write_bytes(content)
            assert "times running" not in place.run("variants", exit_code=75).err
    assert pinged(web) == []


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (requests.ConnectTimeout(f"no {URL}"), "hc.example gave no answer within 5 s"),
        (
            requests.ConnectionError(f"no {URL}"),
            "hc.example could not be reached (ConnectionError)",
        ),
        (
            requests.exceptions.InvalidURL(f"no {URL}"),
            "hc.example could not be reached (InvalidURL)",
        ),
    ],
)
def test_a_ping_that_fails_is_a_warning_that_keeps_the_url_to_itself(
    place: Place, failure: Exception, says: str
) -> None:
    with responses.RequestsMock() as web:
        web.post(URL + "/start", body=failure)
        web.post(URL, body=failure)
        ran = place.run("-vv", "variants", "--init", exit_code=3)
        assert pinged(web) == ["/start", "", ""]
    assert f"ping_url: {says}: it was not told of this run's start" in ran.err
    assert f"ping_url: {says}: it was not told of this run's success" in ran.err
    assert "secret-uuid" not in ran.err + ran.out
    assert all(b"secret-uuid" not in content for content, _ in place.state_files().values())


@pytest.mark.parametrize("status", [302, 404, 503])
def test_an_answer_that_is_no_success_is_a_warning(place: Place, status: int) -> None:
    with responses.RequestsMock() as web:
        web.post(URL + "/start", status=status, headers={"Location": "https://elsewhere.example/"})
        web.post(URL, status=status, headers={"Location": "https://elsewhere.example/"})
        web.post(URL, status=200)
        ran = place.run("variants", "--init", exit_code=3)
    warnings = [line for line in ran.err.splitlines() if line.startswith("ping_url")]
    assert len(warnings) == 1
    assert f"hc.example answered {status}" in warnings[0]


def test_a_long_body_is_cut_and_any_text_can_be_sent(web: responses.RequestsMock) -> None:
    Ping(URL).end(1, "x" * 50_000, OutOfTime("\udcff"))
    assert body(web).startswith("?\nxxx")
    assert len(body(web)) == 10_000


def test_the_url_is_in_no_repr() -> None:
    assert "secret" not in repr(Ping(URL)) + str(Ping(URL))


# -- the crontab -----------------------------------------------------------------------------------


def test_the_crontab_runs_both_commands_at_minutes_of_their_own(project: Path) -> None:
    text = (project / "crontab.example").read_text("utf-8")
    jobs = [line.split(None, 5) for line in text.splitlines() if re.match(r"[\d*]", line)]
    minutes = [_minutes(job[0]) for job in jobs]
    assert [job[5].split()[-1] for job in jobs] == ["variants", "locations", "status"]
    assert all(one.isdisjoint(other) for at, one in enumerate(minutes) for other in minutes[:at])
    assert len(minutes[0]) == len(minutes[1]) == 6
    assert 0 not in minutes[0] | minutes[1]
    for job in jobs:
        assert "%" not in job[5]
        for word in re.findall(r"\S*/\S*", job[5]):
            assert word.startswith("/"), word
    assert re.search(r"^MAILTO=\S+@\S+$", text, re.MULTILINE)


def _minutes(field: str) -> set[int]:
    span, _, step = field.partition("/")
    first, _, last = span.partition("-")
    return set(range(int(first), int(last or first) + 1, int(step or 1)))


# -- what `invsync check` finds out ----------------------------------------------------------------


@dataclass
class Watchdog:
    """A watchdog over real HTTP, which answers everything alike and keeps what it was told."""

    status: int = 200
    said: bytes = b"OK"
    told: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            watchdog.told.append(f"{self.command} {self.path}")
            self.send_response(watchdog.status)
            self.send_header("Content-Length", str(len(watchdog.said)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(watchdog.said)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    watchdog.url = f"http://127.0.0.1:{server.server_port}/3f0c-secret-uuid"
    yield watchdog
    server.shutdown()
    server.server_close()
    thread.join()


def told_by_check(place: Place, exit_code: int) -> str:
    """The line that check prints of the watchdog."""
    ran = place.run("check", exit_code=exit_code)
    assert "secret-uuid" not in ran.out + ran.err
    (line,) = [line for line in ran.out.splitlines() if line.split()[1] == "ping_url"]
    return line


def test_check_leaves_a_note_and_neither_a_success_nor_a_failure(
    place: Place, watchdog: Watchdog
) -> None:
    place.configure(BOTH + f"ping_url: {watchdog.url}\n")
    line = told_by_check(place, 0)
    assert line.startswith("ok       ping_url            127.0.0.1 took a note (/log)")
    assert watchdog.told == ["POST /3f0c-secret-uuid/log"]


def test_check_says_nothing_of_a_watchdog_where_there_is_none(place: Place) -> None:
    place.configure(BOTH)
    assert "ping_url" not in place.run("check").out


@pytest.mark.parametrize("status", [404, 405])
def test_a_watchdog_that_takes_no_notes_is_never_called_well(
    place: Place, watchdog: Watchdog, status: int
) -> None:
    place.configure(BOTH + f"ping_url: {watchdog.url}\n")
    watchdog.status = status
    line = told_by_check(place, 0)
    assert line.startswith(f"warning  ping_url            127.0.0.1 answered {status} to a note")
    assert "look there after the next run" in line
    assert {*watchdog.told} == {"POST /3f0c-secret-uuid/log"}


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (200, b"OK (not found)", "127.0.0.1 knows no such check"),
        (302, b"", "127.0.0.1 answered 302"),
        (503, b"", "127.0.0.1 answered 503"),
    ],
)
def test_a_watchdog_that_would_not_hear_of_runs_fails_the_check(
    place: Place, watchdog: Watchdog, status: int, said: bytes, words: str
) -> None:
    place.configure(BOTH + f"ping_url: {watchdog.url}\n")
    watchdog.status, watchdog.said = status, said
    line = told_by_check(place, 1)
    assert line.startswith(f"FAILED   ping_url            {words}: it would not hear of runs")
    assert f"compare ping_url in {place.config}" in line


def test_a_watchdog_that_is_not_there_fails_the_check(place: Place) -> None:
    place.configure(BOTH + "ping_url: http://127.0.0.1:9/3f0c-secret-uuid\n")
    line = told_by_check(place, 1)
    assert "127.0.0.1 could not be reached (ConnectionError): it would not hear of runs" in line


def test_a_run_is_told_that_the_watchdog_knows_no_such_check(
    place: Place, watchdog: Watchdog
) -> None:
    place.configure(BOTH + f"ping_url: {watchdog.url}\n")
    watchdog.said = b"OK (not found)"
    ran = place.run("variants", "--init", exit_code=3)
    assert "ping_url: 127.0.0.1 knows no such check: it was not told of this run's start" in ran.err


def test_an_answer_without_end_does_not_hold_up_the_run() -> None:
    read: list[int] = []

    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            read.append(len(buffer))
            assert sum(read) < 1_000_000
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    with responses.RequestsMock() as web:
        web.post(URL, body=io.BufferedReader(Endless()))  # type: ignore[arg-type]
        Ping(URL).end(0, "done")
    assert sum(read) > 0
