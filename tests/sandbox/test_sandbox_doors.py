"""Both doors: the transport adapter in the process, and real HTTP on loopback."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
import requests
from sandbox_desk import ADJUST, adjustment

from invsync.sandbox import server as server_module
from invsync.sandbox.server import SandboxServer, running
from invsync.sandbox.starting import generated_shop
from invsync.sandbox.state import StateFile
from invsync.sandbox.transport import SandboxAdapter, SandboxUnreadable

URL = "https://sandbox.myshopify.com"
TOKEN = {"X-Shopify-Access-Token": "shpat_test"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sandbox.json"


@pytest.fixture(params=["in the process", "over HTTP"])
def door(request, shop, clock):
    """A session and the address to send to; the shop is the starting shop."""
    with requests.Session() as session:
        session.headers.update(TOKEN)
        if request.param == "in the process":
            session.mount(URL, SandboxAdapter(shop, now=clock))
            yield session, URL
        else:
            with running(shop, now=clock) as served:
                yield session, served.url


def one_mug_less(shop):
    """A row of an adjustment."""
    place = {"inventoryItemId": shop.item("MUG").gid, "locationId": shop.primary.gid}
    return {**place, "delta": -1, "changeFromQuantity": None}


def ask(session, url, query, variables=None, version="2026-10"):
    body = {"query": query, "variables": variables or {}}
    return session.post(f"{url}/admin/api/{version}/graphql.json", json=body, timeout=10)


def test_both_doors_answer_alike(door, shop) -> None:
    session, url = door
    response = ask(session, url, "{ shop { name } }")
    assert (response.status_code, response.reason) == (200, "OK")
    assert response.json()["data"] == {"shop": {"name": "Sandbox"}}
    assert response.headers["Date"] == "Sun, 22 Nov 2026 10:00:00 GMT"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["x-shopify-api-version"] == "2026-10"
    assert response.headers["X-Request-Id"]
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert response.encoding == "utf-8"


def test_both_doors_refuse_alike(door) -> None:
    session, url = door
    assert session.get(f"{url}/nowhere", timeout=10).status_code == 404
    session.headers.clear()
    assert ask(session, url, "{ shop { name } }").status_code == 401


def test_both_doors_carry_an_adjustment_and_any_script(door, shop) -> None:
    session, url = door
    shop.retitle("Mug", "マグ ☕ “quoted”")
    row = one_mug_less(shop)
    answer = ask(session, url, ADJUST, {"key": "k", "input": adjustment([row])}).json()
    assert answer["data"]["inventoryAdjustQuantities"]["userErrors"] == []
    assert shop.available("MUG") == 19
    query = "query ($id: ID!) { product(id: $id) { title } }"
    answer = ask(session, url, query, {"id": shop.product("マグ ☕ “quoted”").gid}).json()
    assert answer["data"]["product"]["title"] == "マグ ☕ “quoted”"


def test_a_response_can_be_streamed(door) -> None:
    session, url = door
    with session.post(
        f"{url}/admin/api/2026-10/graphql.json",
        json={"query": "{shop{name}}"},
        stream=True,
        timeout=10,
    ) as got:
        assert json.loads(b"".join(got.iter_lines()))["data"]


def test_a_connection_is_kept_alive(shop) -> None:
    with running(shop) as served:
        connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=10)
        connection.connect()
        socket = connection.sock
        for _ in range(3):
            connection.request("GET", "/nowhere")
            assert connection.getresponse().read()
            assert connection.sock is socket
        connection.close()


def test_an_unreadable_state_is_a_request_exception_of_its_own(path) -> None:
    path.write_text("broken")
    session = requests.Session()
    session.mount(URL, SandboxAdapter(path))
    with pytest.raises(SandboxUnreadable, match="is not a sandbox shop"):
        session.get(f"{URL}/x", timeout=1)


def test_a_test_can_act_between_two_requests_and_inside_one(shop, clock) -> None:
    seen = []

    def hook(request, phase) -> None:
        seen.append((request.number, phase, request.operation, request.operation_names))
        if phase == "before" and request.number == 2:
            shop.sell("MUG", 3)

    session = requests.Session()
    session.headers.update(TOKEN)
    session.mount(URL, SandboxAdapter(shop, now=clock, on_request=hook))
    level = shop.level("MUG").gid
    query = (
        "query Look "
        f'{{ inventoryLevel(id: "{level}") {{ quantities(names: ["available"]) {{ quantity }} }} }}'
    )
    read = [
        ask(session, URL, query).json()["data"]["inventoryLevel"]["quantities"][0]["quantity"]
        for _ in range(2)
    ]
    assert read == [20, 17]
    assert seen[0] == (1, "before", "Look", ("Look", "inventoryLevel"))
    assert [(number, phase) for number, phase, *_ in seen] == [
        (1, "before"),
        (1, "after"),
        (2, "before"),
        (2, "after"),
    ]


class Killed(BaseException):
    """A process that dies here."""


def test_a_process_that_dies_after_the_request_was_applied_leaves_it_applied(path, clock) -> None:
    def die(request, phase) -> None:
        if phase == "after":
            raise Killed

    session = requests.Session()
    session.headers.update(TOKEN)
    session.mount(URL, SandboxAdapter(path, now=clock, on_request=die))
    with StateFile(path, now=clock).open() as shop:
        row = one_mug_less(shop)
    with pytest.raises(Killed):
        ask(session, URL, ADJUST, {"key": "k", "input": adjustment([row])})
    with StateFile(path, now=clock).open() as shop:
        assert shop.available("MUG") == 19
        assert "k" in shop.account.keys


# -- the server ------------------------------------------------------------------------------------


def test_requests_of_many_clients_are_handled_one_at_a_time(shop) -> None:
    with running(shop) as served:
        row = one_mug_less(shop)

        def sell(client: int) -> None:
            with requests.Session() as session:
                session.headers.update(TOKEN)
                for number in range(10):
                    ask(
                        session,
                        served.url,
                        ADJUST,
                        {"key": f"{client}-{number}", "input": adjustment([row])},
                    )

        clients = [threading.Thread(target=sell, args=(client,)) for client in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert shop.available("MUG") == 20 - 40


def clerk(url: str, action: str, **given):
    response = requests.post(f"{url}/sandbox/{action}", json=given, timeout=10)
    return response.status_code, response.json()


@pytest.mark.parametrize("small", [True, False])
def test_the_clerk_acts_on_the_served_shop(path, small: bool, monkeypatch) -> None:
    if not small:
        monkeypatch.setattr(server_module, "SMALL", 1)
    with running(path) as served:
        status, done = clerk(served.url, "sell", sku="PRINT-S", units=3)
        assert (status, done["before"], done["after"]) == (200, 30, 27)
        assert clerk(served.url, "set", sku="MUG", units=7, location="Till")[1]["after"] == 7
        status, refused = clerk(served.url, "sell", sku="PRINTS", units=1)
        assert (status, refused["error"][:29]) == (422, 'no variant has SKU "PRINTS"; ')
        assert clerk(served.url, "sell", sku="PRINT-S")[0] == 400
        assert clerk(served.url, "juggle")[0] == 422
        with served.shop() as shop:
            assert shop.available("PRINT-S") == 27
        ledger = path.with_name("sandbox.ledger.jsonl").read_text().splitlines()
        assert len(ledger) == 2
    with StateFile(path).open() as shop:
        assert shop.availables("PRINT-S", "PRINT-M") == [27, 30]


def test_a_served_shop_can_be_reset_to_any_size(path) -> None:
    with running(path) as served:
        with served.shop() as shop:
            shop.settings.index_lag = 9
            shop.changed()
        assert (
            clerk(served.url, "reset", products=2_000, variants=3, locations=1)[1]["variants"]
            == 6_000
        )
        assert clerk(served.url, "sell", sku="P00001-1", units=1)[1]["after"] == 29
        assert clerk(served.url, "reset")[1]["locations"] == 3
        assert clerk(served.url, "sell", sku="PRINT-S", units=1)[1]["after"] == 29
        with served.shop() as shop:
            assert shop.settings.index_lag == 9
    with StateFile(path).open() as shop:
        assert shop.available("PRINT-S") == 29


def test_a_small_served_shop_may_be_changed_in_its_file(path) -> None:
    with running(path) as served:
        with StateFile(path).open() as shop:
            shop.sell("PRINT-S", 3)
        with served.shop() as shop:
            assert shop.available("PRINT-S") == 27


def test_a_large_shop_is_written_when_the_server_stops(path) -> None:
    StateFile(path).replace(lambda now: generated_shop(1_700, 3, 1, now=now))
    with running(path) as served:
        clerk(served.url, "sell", sku="P00001-1", units=4)
    with StateFile(path).open() as shop:
        assert shop.available("P00001-1") == 26


def test_a_taken_port_is_an_error(shop) -> None:
    with running(shop) as served, pytest.raises(OSError, match="use"):
        SandboxServer(shop, port=int(served.url.rpartition(":")[2]))


SERVE = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from types import SimpleNamespace
    from invsync.sandbox.commands import sandbox
    place = SimpleNamespace(state_file=Path(sys.argv[1]), url=None, api_version="2026-10")
    sandbox(["serve", *sys.argv[2:]], obj=SimpleNamespace(sandbox_place=lambda: place))
    """
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal_and_then_writes_the_shop(path, number: int) -> None:
    StateFile(path).replace(lambda now: generated_shop(1_700, 3, 1, now=now))
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path), "--port", "0", "--index-lag", "7"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        told = re.fullmatch(r"Sandbox shop at (http://127\.0\.0\.1:\d+) \(state: (.*)\)\n", line)
        assert told, line
        assert told[2] == str(path)
        clerk(told[1], "sell", sku="P00001-1", units=4)
        process.send_signal(number)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with StateFile(path).open() as shop:
        assert shop.available("P00001-1") == 26
        assert shop.settings.index_lag == 7
