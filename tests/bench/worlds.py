"""Random worlds, by the thousand.

Sales, restocks, imports and all that goes wrong, and not one unit lost or repeated.

    python -m tests.bench.worlds --worlds 10000 [--seed 0] [--jobs 2]
    python -m tests.bench.worlds --grouped              # of SKUs, packs and several locations only
    python -m tests.bench.worlds --only 0/4711          # one world again, with its story

A world is a shop of a few stocks, and the program at work on it; see
`tests/exactly_once/living_shop.py`. It comes to rest several times, and is judged there: whatever a
stock holds by its own count must be what every level reads.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "exactly_once"))

import living_shop
from small_world import MEMORY

#: Worlds that one process takes at a time.
PORTION = 20
#: Stories of failed worlds that are told in full.
TOLD = 3


@dataclass
class Tally:
    """What came of some worlds."""

    worlds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    repeated: int = 0
    wrong: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.worlds += other.worlds
        self.counts.update(other.counts)
        self.lost += other.lost
        self.repeated += other.repeated
        self.wrong += other.wrong


def play(seeds: list[str], grouped: bool = False) -> Tally:
    """Play these worlds."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="worlds-", dir=MEMORY) as top:
        for seed in seeds:
            folder = Path(top) / "state"
            shutil.rmtree(folder, ignore_errors=True)
            tally.worlds += 1
            try:
                tally.counts.update(living_shop.play(folder, seed, grouped=grouped).counts)
            except living_shop.Wrong as wrong:
                tally.wrong.append((seed, str(wrong), wrong.log))
                tally.lost += wrong.lost
                tally.repeated += wrong.repeated
            # The program frees nothing that it read, since its process ends; this one goes on.
            gc.unfreeze()
    return tally


def portions(seed: int, worlds: int) -> Iterator[list[str]]:
    for start in range(0, worlds, PORTION):
        yield [f"{seed}/{number}" for number in range(start, min(worlds, start + PORTION))]


def groupings(counts: Counter[str]) -> list[tuple[str, int]]:
    """How many worlds there were of each way to group."""
    return [(name, counts[name]) for name in living_shop.GROUPINGS if counts[name]]


def report(tally: Tally, seconds: float) -> None:
    """The figures."""
    counts = tally.counts
    print(
        f"worlds tried                 {tally.worlds}, with {counts['stocks']} stocks, in "
        f"{seconds:.0f} s"
    )
    print(f"runs                         {counts['runs']}")
    print(f"faults of the shop survived  {counts['faults']}")
    print(
        f"kills survived               {counts['kills']}, of them {counts['power failures']} power "
        "failures"
    )
    others = [
        "full disks",
        "runs stopped by a signal",
        "out of time",
        "second runs",
        "stale indexes",
    ]
    print(f"other disturbances           {', '.join(f'{counts[name]} {name}' for name in others)}")
    print(f"runs that ended in an error  {counts['runs that failed']}")
    print(f"changes in mid-run           {counts['in the middle of a run']}")
    print(f"units sold, restocked        {counts['units sold']}, {counts['units restocked']}")
    print(
        f"worlds by grouping           {', '.join(f'{n} {name}' for name, n in groupings(counts))}"
    )
    print(f"SKUs changed, spelled anew   {counts['SKUs changed']}, {counts['SKUs spelled anew']}")
    print(
        f"stocks checked at rest       {counts['checked']}, {counts['checked exactly']} of them to "
        "the unit"
    )
    print(f"rightly left to a person     {sum(counts[why] for why in living_shop.WAITING)}")
    print(f"units lost                   {tally.lost}")
    print(f"units repeated               {tally.repeated}")
    if tally.wrong:
        print(f"worlds that went wrong       {len(tally.wrong)}")
    for seed, what, _ in tally.wrong:
        print(f"  {seed}: {what}")
    for seed, _, log in tally.wrong[:TOLD]:
        print(f"\nworld {seed}:\n" + "\n".join(log[-40:]))


def main() -> int:
    """Play the worlds; 1 if any went wrong."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument(
        "--only", metavar="SEED/NUMBER", help="play one world again, and tell its story"
    )
    parser.add_argument(
        "--grouped", action="store_true", help="only worlds of SKUs, packs and several locations"
    )
    given = parser.parse_args()
    one = partial(play, grouped=given.grouped)
    started = time.monotonic()
    if given.only:
        tally = one([given.only])
        for _, _, log in tally.wrong:
            print("\n".join(log))
        report(
            Tally(tally.worlds, tally.counts, tally.lost, tally.repeated),
            time.monotonic() - started,
        )
        return 1 if tally.wrong else 0
    tally = Tally()
    with multiprocessing.Pool(given.jobs, maxtasksperchild=25) as pool:
        for some in pool.imap_unordered(one, portions(given.seed, given.worlds)):
            tally.add(some)
            if sys.stderr.isatty():
                print(f"\r{tally.worlds} worlds, {len(tally.wrong)} wrong", end="", file=sys.stderr)
    report(tally, time.monotonic() - started)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
