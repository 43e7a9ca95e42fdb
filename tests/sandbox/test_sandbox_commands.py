"""`invsync sandbox …`: what the clerk types and reads."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from click.testing import CliRunner

from invsync.sandbox.commands import sandbox
from invsync.sandbox.server import running
from invsync.sandbox.state import StateFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.json"


@pytest.fixture(params=["file", "server"])
def place(request, path):
    """A sandbox in a file, or the same one served."""
    if request.param == "file":
        yield SimpleNamespace(state_file=path, url=None, api_version="2026-10")
    else:
        with running(path) as served:
            yield SimpleNamespace(
                state_file=Path("/nowhere"), url=served.url, api_version="2026-10"
            )


def call(place, *words: str):
    return CliRunner().invoke(sandbox, words, obj=SimpleNamespace(sandbox_place=lambda: place))


def test_a_customer_buys_and_a_clerk_counts(place) -> None:
    sold = call(place, "sell", "PRINT-S", "3")
    assert (sold.exit_code, sold.output) == (
        0,
        "Sold 3 of PRINT-S (Sunset over the harbour, S) at Warehouse: 30 → 27\n",
    )
    counted = call(place, "set", "MUG", "-5", "--location", "Till")
    assert (counted.exit_code, counted.output) == (0, "Set MUG (Mug) at Till: 20 → -5\n")
    untracked = call(place, "sell", "WALL-4K", "1")
    assert untracked.output.endswith("0 → 0 (not tracked: the quantity stays)\n")


def test_show_is_a_table_with_a_row_per_variant_and_a_column_per_location(place) -> None:
    call(place, "sell", "PRINT-S", "3")
    lines = call(place, "show").output.splitlines()
    assert lines[0].split() == [
        "PRODUCT",
        "VARIANT",
        "SKU",
        "TYPE",
        "STATUS",
        "Warehouse",
        "Till",
        "Pop-up",
    ]
    assert lines[1].split() == [
        "Sunset",
        "over",
        "the",
        "harbour",
        "S",
        "PRINT-S",
        "Print",
        "active",
        "27",
        "-",
        "-",
    ]
    assert any(line.split()[-3:] == ["20", "20", "-"] and "MUG" in line for line in lines)
    assert any("GALLERY-XL" in line and "(2)" in line for line in lines)
    assert any("WALL-4K" in line and line.split()[-3] == "~" for line in lines)
    assert lines[-1] == "-: not stocked there   (n): inactive there   ~: not tracked"


def test_show_as_json_tells_all(place) -> None:
    document = json.loads(call(place, "show", "--json").output)
    assert [one["name"] for one in document["locations"]] == ["Warehouse", "Till", "Pop-up"]
    (mug,) = [one for one in document["variants"] if one["sku"] == "MUG"]
    assert mug["available"] == {"Warehouse": 20, "Till": 20, "Pop-up": None}
    assert (mug["product"], mug["type"], mug["status"], mug["tracked"]) == (
        "Mug",
        "Kitchen",
        "ACTIVE",
        True,
    )


def test_reset_starts_over_with_any_size(place) -> None:
    call(place, "sell", "PRINT-S", "3")
    assert (
        call(place, "reset").output
        == "The sandbox starts over: 19 products, 37 variants, 3 locations\n"
    )
    assert "30 → 29" in call(place, "sell", "PRINT-S", "1").output
    made = call(place, "reset", "--products", "1200", "--variants", "2", "--locations", "1")
    assert made.output == "The sandbox starts over: 1,200 products, 2,400 variants, 1 location\n"
    shown = call(place, "show").output.splitlines()
    assert "P00001-1" in shown[1]
    assert shown[-1] == "… and 2,200 variants more (--json shows all)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["sell", "PRINTS", "1"],
            'no variant has SKU "PRINTS"; did you mean PRINT-S or PRINT-M or PRINT-L?',
        ),
        (
            ["sell", "MUG", "1", "--location", "Shed"],
            'no location "Shed"; the shop has "Warehouse", "Till", "Pop-up"',
        ),
        (["set", "MUG", "1", "--location", "Pop-up"], '"MUG" is not stocked at "Pop-up"'),
    ],
)
def test_a_mistake_is_one_line(place, words: list[str], message: str) -> None:
    result = call(place, *words)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"invsync: {message}\n")


@pytest.mark.parametrize(
    "words",
    [["sell", "MUG"], ["sell", "MUG", "0"], ["sell", "MUG", "many"], ["reset", "--products", "0"]],
)
def test_wrong_usage_exits_with_2(place, words: list[str]) -> None:
    assert call(place, *words).exit_code == 2


def test_an_unreadable_state_file_is_one_line_and_reset_mends_it(path) -> None:
    place = SimpleNamespace(state_file=path, url=None, api_version="2026-10")
    path.write_text("broken")
    for words in (["show"], ["sell", "MUG", "1"], ["serve", "--port", "0"]):
        result = call(place, *words)
        assert result.exit_code == 1
        assert result.stderr == (
            f"invsync: {path}: is not a sandbox shop of this version; remove it, or run `invsync "
            "sandbox reset`\n"
        )
    assert call(place, "reset").exit_code == 0
    assert call(place, "show").exit_code == 0


def test_an_address_where_nobody_serves_is_one_line(path) -> None:
    place = SimpleNamespace(state_file=path, url="http://127.0.0.1:9", api_version="2026-10")
    result = call(place, "show")
    assert result.exit_code == 1
    assert result.stderr == (
        "invsync: no sandbox answers at http://127.0.0.1:9: start one with `invsync sandbox "
        "serve`, or remove api_url\n"
    )


def test_a_taken_port_is_one_line(path) -> None:
    with running(path) as served:
        port = served.url.rpartition(":")[2]
        place = SimpleNamespace(state_file=path, url=None, api_version="2026-10")
        result = call(place, "serve", "--port", port)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"invsync: can't serve at 127.0.0.1:{port}: ")
    assert result.stderr.endswith("; choose another --port\n")


def test_a_wrong_faults_file_is_one_line(path, tmp_path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- fault: cut_after\n- fault: lag\n")
    place = SimpleNamespace(state_file=path, url=None, api_version="2026-10")
    result = call(place, "serve", "--port", "0", "--faults", str(faults))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"invsync: {faults}: rule 2: there is no fault 'lag'; ")


def test_serving_without_graphql_core_says_what_to_install(path, monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *args, **kwargs):
        if name.partition(".")[0] == "graphql":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    place = SimpleNamespace(state_file=path, url=None, api_version="2026-10")
    result = call(place, "serve", "--port", "0")
    assert (result.exit_code, result.stderr) == (
        1,
        "invsync: the sandbox needs graphql-core, which is not installed beside invsync; add it: "
        f"`{sys.executable} -m pip install graphql-core`\n",
    )


def test_the_clerks_commands_need_neither_graphql_nor_requests(path) -> None:
    program = (
        "import sys; from types import SimpleNamespace; from pathlib import Path\n"
        "from invsync.sandbox.commands import sandbox\n"
        "place = SimpleNamespace(state_file=Path(sys.argv[1]), url=None, api_version='x')\n"
        "obj = SimpleNamespace(sandbox_place=lambda: place)\n"
        "sandbox(['sell', 'MUG', '1'], obj=obj, standalone_mode=False)\n"
        "assert not {'graphql', 'requests', 'yaml', 'http.server'} & set(sys.modules), "
        "sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True)
    with StateFile(path).open() as shop:
        assert shop.available("MUG") == 19


@pytest.mark.parametrize("next_start", [("show",), ("serve",)])
def test_a_server_that_is_killed_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path, next_start: tuple[str, ...]
) -> None:
    """What it leaves in its own state folder is gone at the next start."""
    temporary, state = tmp_path / "temporary", tmp_path / "invsync-state"
    temporary.mkdir()
    (tmp_path / "config.yaml").write_text("shop: sandbox\nvariants: {product_types: [Print]}\n")
    with StateFile(state / "sandbox.json").open() as shop:
        shop.settings.bulk_queue_time = shop.settings.bulk_run_time = 0.0
        shop.changed()

    with served(tmp_path, temporary) as (process, url), streamed_result(url) as response:
        assert next(response.iter_lines())
        process.kill()
        process.wait()
    assert list(temporary.iterdir()) == []
    assert len(list((state / "sandbox-bulk").iterdir())) == 1

    if next_start == ("serve",):
        with served(tmp_path, temporary) as (process, _):
            assert not (state / "sandbox-bulk").exists()
    else:
        subprocess.run(
            [sys.executable, "-m", "invsync", "sandbox", *next_start],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    assert not (state / "sandbox-bulk").exists()
    assert list(temporary.iterdir()) == []


@contextmanager
def served(folder: Path, temporary: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`invsync sandbox serve` in a process of its own, and its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "invsync", "sandbox", "serve", "--port", "0"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield process, next(word for word in words if word.startswith("http"))
        process.kill()


def streamed_result(url: str) -> requests.Response:
    """The result of a bulk operation over all products, of which nothing is read yet."""
    session = requests.Session()
    session.headers["X-Shopify-Access-Token"] = "t"

    def ask(query: str) -> dict:
        api = f"{url}/admin/api/2026-10/graphql.json"
        return session.post(api, json={"query": query}, timeout=10).json()["data"]

    ask(
        """mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") {
        bulkOperation { id } userErrors { message } } }"""
    )
    done = ask("{ currentBulkOperation { status url } }")["currentBulkOperation"]
    assert done["status"] == "COMPLETED"
    return session.get(done["url"], stream=True, timeout=10)
