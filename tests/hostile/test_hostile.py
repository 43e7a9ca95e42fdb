"""Runs that would not end.

Each ends within its time, with one line, little memory and the lock free.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from command_line import Place
from hostile_shop import (
    IN_BULK,
    MIB,
    Ended,
    Handler,
    HostileShop,
    Misdeed,
    bomb,
    crumbs,
    drip,
    drip_head,
    flood,
    flood_without_end,
    fullest,
    run,
    silence,
)

from invsync.ping import PATIENCE
from invsync.sandbox.shop import Shop

#: Seconds beside `max_run_time` (2 s) that a run may take to start, to end, and on a busy machine.
SLACK = 6.0
#: Seconds for which a mutation is waited for when the run has to end.
GRACE = 8.0


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[HostileShop]:
    """A shop with one pool that was adopted at 30 and has sold 3 since."""
    shop = Shop()
    shop.add_location("Warehouse")
    shop.add_location("Till")
    shop.add_product(
        "Birch", ["B-S", "B-M"], available=30, product_type="Print", locations=(shop.primary,)
    )
    with HostileShop(tmp_path, shop).open() as hostile:
        hostile.configure(max_run_time="60s")
        Place(tmp_path).run("variants", "--init")
        hostile.configure()
        shop.sell("B-S", 3)
        yield hostile


def ends_well(hostile: HostileShop, ended: Ended, code: int, within: float) -> str:
    """Check what is so of every run that ended; the line that it left."""
    assert ended.code == code, ended
    assert ended.seconds < within
    assert ended.memory < 400 * MIB
    assert hostile.lock_is_free
    assert ended.out == ""
    return ended.line


def recovers(hostile: HostileShop) -> None:
    """The next run, with a shop that is well again, counts the sale exactly once."""
    hostile.misdeeds.clear()
    hostile.configure(max_run_time="60s")
    Place(hostile.folder).run("variants")
    assert hostile.shop.availables("B-S", "B-M", location=None) == [27, 27]


ENDLESS: dict[str, Misdeed] = {"drip": drip, "head": drip_head, "silence": silence}


@pytest.mark.parametrize(
    ("misdeed", "operation"),
    [
        ("drip", "Shop"),
        ("drip", "FindProducts"),
        ("head", "FindProducts"),
        ("silence", "ReadProducts"),
    ],
)
def test_a_read_that_does_not_end_ends_with_the_time_of_the_run(
    misdeed: str, operation: str, hostile: HostileShop
) -> None:
    hostile.misdeeds[operation] = ENDLESS[misdeed]
    ended = hostile.run("variants")
    line = ends_well(hostile, ended, 1, 2 + SLACK)
    assert "max_run_time" in line
    recovers(hostile)


def test_an_adjustment_that_is_not_answered_is_waited_for_a_little_and_counted_once(
    hostile: HostileShop,
) -> None:
    hostile.misdeeds["Adjust"] = drip
    ended = hostile.run("variants")
    line = ends_well(hostile, ended, 1, 2 + GRACE + SLACK)
    assert "max_run_time" in line
    assert (hostile.folder / "invsync-state" / "variants.journal").exists()
    recovers(hostile)


@pytest.mark.parametrize(
    ("misdeed", "operation"), [("drip", "FindProducts"), ("silence", "Shop"), ("head", "Adjust")]
)
def test_a_signal_ends_a_run_wherever_it_is(
    misdeed: str, operation: str, hostile: HostileShop
) -> None:
    hostile.configure(max_run_time="60s")
    hostile.misdeeds[operation], hostile.applied = ENDLESS[misdeed], False
    ended = hostile.run("variants", stop=signal.SIGTERM)
    assert "stopped by signal 15" in ends_well(hostile, ended, 128 + signal.SIGTERM, 10)
    recovers(hostile)


def test_a_grant_that_does_not_end_ends_with_the_time_of_the_run(hostile: HostileShop) -> None:
    hostile.configure(access_token=None, client_id="id", client_secret="secret-of-the-app")
    hostile.misdeeds["TokenGrant"] = drip
    line = ends_well(hostile, hostile.run("variants"), 1, 2 + SLACK)
    assert "max_run_time" in line


@pytest.mark.parametrize("misdeed", [flood, flood_without_end, bomb, crumbs])
@pytest.mark.parametrize("operation", ["FindProducts", "Adjust"])
def test_an_answer_beyond_reason_is_not_read_to_its_end(
    misdeed: Misdeed, operation: str, hostile: HostileShop
) -> None:
    hostile.configure(max_run_time="30s")
    hostile.misdeeds[operation] = misdeed
    line = ends_well(hostile, hostile.run("variants"), 1, 20)
    assert "answered with more than 16 MiB" in line
    assert hostile.asked.count(operation) == 1
    recovers(hostile)


@pytest.mark.parametrize("operation", ["FindProducts", "Shop"])
def test_the_fullest_answer_that_is_read_fits_in_memory(
    operation: str, hostile: HostileShop
) -> None:
    hostile.configure(max_run_time="30s")
    hostile.misdeeds[operation] = fullest
    line = ends_well(hostile, hostile.run("variants"), 1, 20)
    assert "has not the shape" in line
    recovers(hostile)


# Bulk results


@pytest.mark.parametrize("misdeed", [drip, silence])
def test_a_bulk_result_that_does_not_end_ends_with_the_time_of_the_run(
    misdeed: Misdeed, hostile: HostileShop
) -> None:
    hostile.misdeeds["Result"] = misdeed
    ended = run(hostile, [*IN_BULK, "variants"], None, {})
    assert "max_run_time" in ends_well(hostile, ended, 1, 2 + SLACK)
    recovers(hostile)


@pytest.mark.parametrize("misdeed", [flood_without_end, bomb, crumbs])
def test_a_bulk_result_beyond_reason_has_the_catalogue_read_by_pages(
    misdeed: Misdeed, hostile: HostileShop
) -> None:
    hostile.configure(max_run_time="30s")
    hostile.misdeeds["Result"] = misdeed
    ended = run(hostile, [*IN_BULK, "variants", "--json"], None, {})
    assert ended.code == 0
    assert ended.memory < 400 * MIB
    (warning,) = json.loads(ended.out)["warnings"]
    assert warning["kind"] == "bulk_failed"
    assert "not lines of JSON" in warning["message"]
    assert hostile.shop.availables("B-S", "B-M", location=None) == [27, 27]


# Pages


def test_pages_of_locations_that_repeat_end(hostile: HostileShop) -> None:
    first: list[bytes] = []

    def again(handler: Handler, body: bytes) -> None:
        page = b'"hasNextPage":true,"endCursor":"again"'
        first.append(re.sub(rb'"hasNextPage":false,"endCursor":[^}]*', page, body))
        handler.begin(Content_Length=str(len(first[0])))
        handler.wfile.write(first[0])

    hostile.misdeeds["Shop"] = again
    line = ends_well(hostile, hostile.run("variants"), 1, 2 + SLACK)
    assert "does not go on from the one before it" in line
    assert hostile.asked == ["Shop", "Shop"]


# Clocks


def test_one_absurd_date_among_others_shifts_no_moment(hostile: HostileShop) -> None:
    """The answer to the reading, right before the adjustment is written down, is a year ahead."""
    hostile.configure(max_run_time="60s")
    ahead = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    hostile.head = lambda operation: {"Date": ahead} if operation == "ReadProducts" else {}
    assert hostile.run("variants").code == 0
    state = hostile.folder / "invsync-state"
    written = (state / "history.jsonl").read_text() + (state / "variants.json").read_text()
    moments = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", written)
    years = {moment[:4] for moment in moments}
    assert years <= {str(datetime.now(UTC).year), str((datetime.now(UTC) - timedelta(days=1)).year)}
    assert len(moments) > 3


# The watchdog


@pytest.mark.parametrize("misdeed", [drip_head, silence])
@pytest.mark.parametrize("stop", [None, signal.SIGTERM])
def test_a_watchdog_that_does_not_answer_holds_up_no_run(
    misdeed: Misdeed,
    stop: int | None,
    hostile: HostileShop,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with HostileShop(tmp_path_factory.mktemp("watchdog"), Shop()).open() as watchdog:
        watchdog.misdeeds["Result"] = misdeed  # of whatever is no call of the Admin API
        hostile.configure(max_run_time="60s", ping_url=f"{watchdog.url}/ping")
        hostile.reached = watchdog.reached
        ended = hostile.run("variants", "--json", stop=stop)
    assert ended.code == (0 if stop is None else 128 + stop)
    assert ended.seconds < 2 * PATIENCE + SLACK
    assert "ping_url: 127.0.0.1 " in ended.err
    assert hostile.lock_is_free
    recovers(hostile)


# Proxies


class TestProxies:
    """What the environment says of proxies."""

    def test_a_dead_proxy_is_named_and_its_password_is_not(self, hostile: HostileShop) -> None:
        hostile.configure(shop="print-shop.myshopify.com", api_url=None)
        ended = hostile.run(
            "variants",
            "-vv",
            HTTPS_PROXY="http://me:pass-of-the-proxy@127.0.0.1:1",
            NO_PROXY="",
        )
        assert ended.code == 1
        assert "the proxy http://127.0.0.1:1 did not pass on a request" in ended.err
        assert "pass-of-the-proxy" not in ended.err + ended.out

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_what_stays_on_this_machine_passes_no_proxy(
        self, name: str, hostile: HostileShop, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with HostileShop(tmp_path_factory.mktemp("proxy"), Shop()).open() as proxy:
            ended = hostile.run("variants", **{name: proxy.url, "NO_PROXY": "", "no_proxy": ""})
            assert ended.code == 0
            assert proxy.asked == []
        assert hostile.shop.availables("B-S", "B-M", location=None) == [27, 27]
