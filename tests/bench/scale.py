"""What a run costs in a shop of 100,000 variants: `python -m tests.bench.scale [--products 25000]`.

The shop is a sandbox in another process, behind real HTTP; the program is started as cron starts
it, compiled. CPU (user and system) and peak memory are those of its whole process, from the
operating system; figures are medians, and the two sides of a ratio are measured in turns. Only the
long push runs in this process, the shop with it, on a clock that goes by what this process computes
and jumps over the waits: so it does not matter what else the machine is at.

`--products 250000` is a shop of a million variants. It is looked at by `variants` alone, for which
one location is enough; it takes half an hour, and 4 GiB.

`--pool-by sku` is a shop in which each SKU is on two products, half the catalogue apart: 50,000
pools of two listings at one location, then the same pools over three locations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from unittest import mock

from invsync import connect, run
from invsync.config.settings import load as load_config
from invsync.order import Options
from invsync.sandbox.server import SandboxServer
from tests.bench.served import old_shop

HERE = Path(__file__).parents[2]
VARIANTS, SOLD = 4, 50
MIB = 1024 * 1024

#: Where the processes keep what they have compiled, whatever the environment says of that.
COMPILED = TemporaryDirectory()
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": COMPILED.name,
}

#: The program, and the program with complete scans by pages at whatever price.
INVSYNC = (sys.executable, "-m", "invsync")
BY_PAGES = (
    *(sys.executable, "-c"),
    "from invsync import cli, find; find.DEAR_POINTS = 10**9; cli.main(prog_name='invsync')",
)
#: The sandbox answers only once it has made a bulk result, which Shopify makes in the background.
PATIENT = (
    *(sys.executable, "-c"),
    "from invsync import cli; from invsync.admin import wire; "
    "wire.READ_TIMEOUT_SECONDS = wire.ANSWER_SECONDS = 3600.0; cli.main(prog_name='invsync')",
)


@dataclass(frozen=True)
class Reach:
    """What is to be reached in a shop of some size.

    Times the CPU of parsing the same bytes, and MiB; of `--init`, and of a run in which nothing has
    changed.
    """

    init: float = 3
    init_memory: float = 300
    steady: float = 2
    steady_memory: float = 150


USUAL = Reach()
#: From as many products on, and what is to be reached there.
MANY, LARGE = 250_000, Reach(3, 700, 0.8, 300)


@dataclass(frozen=True)
class Took:
    """What one process took: seconds of CPU, bytes of memory at its peak, and what it printed."""

    cpu: float
    memory: int
    out: str = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def requests(self) -> int:
        """HTTP requests to the shop."""
        return int(self.document["api"]["requests"])

    @property
    def points(self) -> int:
        """Points that Shopify would have taken for them."""
        return int(self.document["api"]["points"])


def process(*command: str) -> Took:
    """Run a command to its end."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=HERE, env=ENVIRONMENT
    ) as started:
        assert started.stdout is not None
        out = started.stdout.read()
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(
            f"{' '.join(command[:6])} … ended with {started.returncode}: {out[-2000:]}"
        )
    return Took(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, out)


def in_turns(times: int, *sides: Callable[[], Took]) -> list[list[Took]]:
    """Each side so many times, one after the other."""
    rounds = [[side() for side in sides] for _ in range(times)]
    return [list(side) for side in zip(*rounds, strict=True)]


def cpu(took: Sequence[Took]) -> float:
    """The median."""
    return median(each.cpu for each in took)


def memory(took: Sequence[Took]) -> float:
    """The median, in MiB."""
    return median(each.memory for each in took) / MIB


class Shop:
    """A served shop, and an installation of the program that looks after it."""

    def __init__(
        self,
        folder: Path,
        products: int,
        server: subprocess.Popen[str],
        variants: Mapping[str, Any],
        *,
        shared: bool,
        **section: Any,
    ) -> None:
        self.folder = folder
        self._to_sell = products // 2 if shared else products
        self._width = max(5, len(str(products)))  # as the sandbox makes SKUs
        self._server = server
        self._sold = 0
        url = self._line()
        write_config(folder, url, variants, **section)

    def _line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def sell(self) -> None:
        """Three pieces of one variant of fifty products that were not sold before."""
        products = [1 + (self._sold + n) % self._to_sell for n in range(SOLD)]
        self._sold += SOLD
        sold = [[f"Print {p}", f"P{p:0{self._width}}-2", 3] for p in products]
        self._ask({"sell": sold})

    def result(self) -> str:
        """The file of the last bulk operation."""
        return str(self._ask({"result": True})["result"])

    def cache(self, command: str) -> Path:
        """The program's cache."""
        return self.folder / "invsync-state" / f"{command}.json"

    def run(self, *args: str, program: Sequence[str] = INVSYNC) -> Took:
        """One run of the program."""
        return process(*program, "--config", str(self.folder / "config.yaml"), *args, "--json")


@contextmanager
def served(
    products: int,
    locations: int = 3,
    variants: Mapping[str, Any] = MappingProxyType({}),
    *,
    shared: bool = False,
    **section: Any,
) -> Iterator[Shop]:
    """A shop of so many products, in a process of its own; `shared`: each SKU is on two of them.

    `variants`: what to configure for that command; `section`: for both.
    """
    size = ("--products", str(products), "--locations", str(locations))
    kind = ("--shared",) if shared else ()
    command = (sys.executable, "-m", "tests.bench.served", *size, *kind)
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            (*command, "--results", f"{folder}/results"),
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        yield Shop(Path(folder), products, server, variants, shared=shared, **section)
        assert server.stdin is not None
        server.stdin.close()


def write_config(
    folder: Path, url: str, variants: Mapping[str, Any] = MappingProxyType({}), **section: Any
) -> Path:
    """A configuration for the shop at `url`. JSON is YAML."""
    place = folder / "config.yaml"
    place.touch(mode=0o600)
    document = {
        "shop": "sandbox",
        "api_url": url,
        "access_token": "shpat_bench",
        "max_run_time": "2h",
        "variants": {"product_types": ["Print"], **variants, **section},
        "locations": {**section},
    }
    place.write_text(json.dumps(document), encoding="utf-8")
    return place


@dataclass
class Table:
    """Rows of measure, figure, reach, and whether it was met; printed as they come."""

    missed: int = 0

    def heading(self, text: str) -> None:
        """A line between rows."""
        print(f"\n{text}")

    def row(self, measure: str, figure: str, reach: str = "", met: bool | None = None) -> None:
        """One measure; without a reach it is for comparison."""
        self.missed += met is False
        print(
            f"  {measure:<66} {figure:>24}   {reach:<9} "
            f"{'' if met is None else 'yes' if met else 'NO'}",
            flush=True,
        )


# -- the measures ----------------------------------------------------------------------------------


def measure_start(table: Table, times: int) -> None:
    """Starting the program."""
    script = Path(sys.executable).with_name("invsync")
    program = (str(script),) if script.exists() else INVSYNC
    took, click = in_turns(
        times * 3,
        lambda: process(*program, "--version"),
        lambda: process(sys.executable, "-c", "import click"),
    )
    ratio = cpu(took) / cpu(click)
    figure = f"{cpu(took) * 1e3:.0f} ms / {cpu(click) * 1e3:.0f} ms = {ratio:.2f}"
    table.row("--version: CPU over `import click`", figure, "≤ 1.25", ratio <= 1.25)


def measure_init(table: Table, shop: Shop, command: str, times: int, reach: Reach) -> None:
    """`--init` of the whole shop, and of nothing else: each time with an empty cache."""
    took = [shop.run(command, "--init", "--reset", program=PATIENT)]
    assert "bulk" in took[0].document["scan_why"], took[0].document["scan_why"]
    parse = f"import json\nfor line in open({shop.result()!r}, 'rb'): json.loads(line)"
    more, parsed = in_turns(
        times,
        lambda: shop.run(command, "--init", "--reset", program=PATIENT),
        lambda: process(sys.executable, "-c", parse),
    )
    took += more
    table.row(f"{command} --init: pools", f"{took[0].document['pools']['adopted']:,}")
    table.row(f"{command} --init: requests", f"{took[0].requests}")
    table.row(f"{command} --init: points", f"{took[0].points}")
    ratio = cpu(took) / cpu(parsed)
    figure = f"{cpu(took):.2f} s / {cpu(parsed):.2f} s = {ratio:.1f}"
    table.row(
        f"{command} --init: CPU over parsing the same bytes",
        figure,
        f"≤ {reach.init:g}",
        ratio <= reach.init,
    )
    table.row(
        f"{command} --init: peak memory",
        f"{memory(took):.0f} MiB",
        f"≤ {reach.init_memory:g} MiB",
        memory(took) <= reach.init_memory,
    )


def measure_steady(table: Table, shop: Shop, command: str, times: int, reach: Reach) -> None:
    """A run in which nothing has changed."""
    parse = f"import json; json.load(open({str(shop.cache(command))!r}))"
    took, parsed = in_turns(
        times, lambda: shop.run(command), lambda: process(sys.executable, "-c", parse)
    )
    assert took[0].document["scan"] == "changes", took[0].document["scan_why"]
    requests, points = max(each.requests for each in took), max(each.points for each in took)
    table.row(f"{command}, nothing changed: requests", f"{requests}", "≤ 3", requests <= 3)
    table.row(f"{command}, nothing changed: points", f"{points}", "≤ 9", points <= 9)
    ratio = cpu(took) / cpu(parsed)
    figure = f"{cpu(took) * 1e3:.0f} ms / {cpu(parsed) * 1e3:.0f} ms = {ratio:.1f}"
    table.row(
        f"{command}, nothing changed: CPU over parsing the cache file",
        figure,
        f"≤ {reach.steady:g}",
        ratio <= reach.steady,
    )
    table.row(
        f"{command}, nothing changed: peak memory",
        f"{memory(took):.0f} MiB",
        f"≤ {reach.steady_memory:g} MiB",
        memory(took) <= reach.steady_memory,
    )


def measure_sold(shop: Shop, command: str, program: Sequence[str] = INVSYNC) -> Took:
    """A run after fifty sales."""
    shop.sell()
    took = shop.run(command, program=program)
    adjusted = len(took.document["changes"])
    assert adjusted == SOLD, f"{adjusted} of {SOLD} sales were followed"
    return took


def measure_feed(table: Table, shop: Shop, command: str) -> int:
    """Fifty sales, found by the feed, twice; returns the points of the first time."""
    first, second = measure_sold(shop, command), measure_sold(shop, command)
    for what, took, most in (("sold", first, 50), ("sold right after that", second, 90)):
        assert took.document["scan"] == "changes", took.document["scan_why"]
        table.row(
            f"{command}, {SOLD} variants {what}: requests",
            f"{took.requests}",
            "≤ 6",
            took.requests <= 6,
        )
        table.row(
            f"{command}, {SOLD} variants {what}: points",
            f"{took.points}",
            f"≤ {most}",
            took.points <= most,
        )
    return first.points


def measure_by_sku(table: Table, products: int, times: int) -> None:
    """Pools of two listings across products, at one location and over three."""
    by_sku = {"pool_by": "sku"}
    over_three = {"locations": ["Warehouse", "Till", "Pop-up"], "across_locations": True}
    for where, variants in (
        ("at one location", by_sku),
        ("over three locations", {**by_sku, **over_three}),
    ):
        table.heading(f"variants by SKU, {where}")
        with served(products, variants=variants, shared=True) as shop:
            measure_init(table, shop, "variants", min(times, 3), USUAL)
            measure_steady(table, shop, "variants", times, USUAL)
            measure_feed(table, shop, "variants")


def measure_pages(table: Table, shop: Shop, points: int) -> None:
    """Fifty sales, found by pages; `points` is what the feed took for them."""
    place = shop.folder / "config.yaml"
    kept = place.read_text("utf-8")
    place.write_text(
        kept.replace('"product_types"', '"scan": "complete", "product_types"'), "utf-8"
    )
    paged = measure_sold(shop, "variants", BY_PAGES)
    place.write_text(kept, "utf-8")
    assert paged.document["scan_why"].endswith("by pages"), paged.document["scan_why"]
    table.row("variants, the same by a complete scan in pages: requests", f"{paged.requests:,}")
    table.row("variants, the same by a complete scan in pages: points", f"{paged.points:,}")
    ratio = paged.points / points
    table.row("how many times fewer points by the feed", f"{ratio:.0f}", "≥ 100", ratio >= 100)


def measure_growth(table: Table, products: int) -> None:
    """Points of fifty sales in shops of several sizes."""
    points = []
    sizes = [max(SOLD, products // part) for part in (100, 10, 1)]
    for size in sizes:
        with served(size, scan="changes") as shop:
            shop.run("variants", "--init")
            points.append(measure_sold(shop, "variants").points)
    figure = " → ".join(map(str, points))
    of = " → ".join(f"{size * VARIANTS:,}" for size in sizes)
    table.row(
        f"points of {SOLD} sales at {of} variants", figure, "flat", max(points) <= 1.1 * min(points)
    )


class JumpingClock:
    """A time that this process computes for, and in which nobody waits: a sleep puts it forward.

    Stands in for the module `time`.
    """

    def __init__(self) -> None:
        self.began = time.time() - time.process_time()
        self.jumped = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.began + self.monotonic()

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""
        return time.process_time() + self.jumped

    def sleep(self, seconds: float) -> None:
        """Put the clock forward."""
        self.jumped += seconds


def measure_push(table: Table, products: int) -> None:
    """Two sales of each product make four adjustments.

    What the bucket forbids, over the time that it took.
    """
    bucket, rate = 1_000.0, 100.0
    clock = JumpingClock()
    shop = old_shop(products, VARIANTS, 1)
    shop.now = clock.time
    shop.settings.bucket_size = shop.account.bucket.available = bucket
    shop.settings.restore_rate = rate
    shop.account.bucket.at = clock.time()
    with TemporaryDirectory() as folder, SandboxServer(shop, sleep=clock.sleep) as server:
        settings = load_config(write_config(Path(folder), server.url), {})

        def runs(**options: Any) -> Any:
            outcome = run.run(
                settings,
                "variants",
                Options(**options),
                clock=connect.RunClock(settings.max_run_time),
                confirm=lambda changes: True,
                progress=lambda what, done, total: None,
            )
            assert outcome.exit_code == 0, outcome.error or outcome.problems[:3]
            return outcome

        with mock.patch.object(connect, "time", clock):
            runs(init=True)
            clock.sleep(3_600)
            with server.shop():
                for product in range(1, products + 1):
                    shop.sell(f"P{product:05}-1", 1)
                    shop.sell(f"P{product:05}-2", 2)
            shop.trail.ledger.clear()
            pushed = runs()
    adjustments = sum(entry["by"] not in ("customer", "clerk") for entry in shop.trail.ledger)
    assert adjustments == products * VARIANTS, adjustments
    unavoidable = (pushed.points - bucket) / rate
    share = unavoidable / pushed.seconds
    table.row(
        f"a push of {adjustments:,} adjustments: {pushed.points:,} points, unavoidable over actual "
        "time",
        f"{unavoidable:.0f} s / {pushed.seconds:.0f} s = {share:.0%}",
        "≥ 90%",
        share >= 0.9,
    )
    waited = f"{pushed.waited_seconds:.0f} s waited, throttled {pushed.throttled} times"
    table.row("  of that", waited, "", None)


def main() -> int:
    """Measure, print, and say whether every reach was met."""
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--products", type=int, default=25_000, help="of four variants each, at three locations"
    )
    parser.add_argument(
        "--pool-by", choices=("product", "sku"), default="product", help="what is one stock"
    )
    parser.add_argument("--times", type=int, default=5, help="runs of which the median is taken")
    given = parser.parse_args()
    products, times = max(SOLD * 4, given.products), given.times
    products += products % 2
    table = Table()
    table.heading(f"{products:,} products of {VARIANTS} variants; medians of {times} runs")
    if given.pool_by == "sku":
        measure_by_sku(table, products, times)
        return 1 if table.missed else 0
    if products >= MANY:
        with served(products, locations=1) as shop:
            measure_init(table, shop, "variants", min(times, 3), LARGE)
            measure_steady(table, shop, "variants", times, LARGE)
            measure_feed(table, shop, "variants")
        return 1 if table.missed else 0
    measure_start(table, times)
    for command in ("variants", "locations"):
        with served(products) as shop:
            measure_init(table, shop, command, min(times, 3), USUAL)
            measure_steady(table, shop, command, times, USUAL)
            points = measure_feed(table, shop, command)
            if command == "variants":
                measure_pages(table, shop, points)
    measure_growth(table, products)
    measure_push(table, products)
    return 1 if table.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
