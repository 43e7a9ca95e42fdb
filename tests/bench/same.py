"""Two versions of the program on the same random worlds: do they do, write and tell the same?

    python -m tests.bench.same /path/to/a/checkout [--worlds 300] [--seed 0] [--jobs 2]
    python -m tests.bench.same /path/to/a/checkout --only 0/17    # where exactly one world differs

Each version plays in processes of its own, with the worlds of its own `tests/exactly_once`, against
one sandbox: this checkout's, or the one that `--sandbox` names. Of every run the exit code, the
JSON document, the cache, the history (its lines in any order) and the requests are compared, with
times and ids struck out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
#: Worlds that one process plays.
PORTION = 20
#: Differences that are told.
TOLD = 20

_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_PROCESSES = re.compile(r"process \d+")
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def struck_out(text: str) -> str:
    """The text without its times, ids and processes."""
    return _PROCESSES.sub("<process>", _IDS.sub("<id>", _TIMES.sub("<time>", text)))


# -- one version, in its own process


def take_program(program: Path, sandbox: Path) -> None:
    """Import `invsync` from one checkout, but its sandbox from another."""
    sys.path[:0] = [str(program), str(program / "tests" / "exactly_once")]
    package = sandbox / "invsync" / "sandbox"
    spec = importlib.util.spec_from_file_location(
        "invsync.sandbox", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["invsync.sandbox"] = module
    spec.loader.exec_module(module)

    import invsync

    assert Path(invsync.__file__).is_relative_to(program), invsync.__file__
    invsync.sandbox = module  # type: ignore[attr-defined]


def watch(told: list[dict[str, Any]]) -> None:
    """Have every run of every world written down in `told`."""
    import small_world

    real = small_world.SmallWorld.run

    def run(self: Any, command: Any = "variants", *, hook: Any = None, **rest: Any) -> Any:
        asked: list[Any] = []

        def heard(request: Any, phase: str) -> None:
            if phase == "before":
                graphql = request.graphql if request.operation else {}
                asked.append([request.operation or request.path, graphql.get("variables")])
            if hook is not None:
                hook(request, phase)

        ended = real(self, command, hook=heard, **rest)
        files = self.files(command)
        told.append(
            {
                "exit": ended.exit_code,
                "message": ended.message,
                "document": document_of(ended.outcome),
                "cache": contents(files.cache),
                "history": "\n".join(sorted(contents(files.history).splitlines())),
                "requests": json.dumps(asked),
            }
        )
        return ended

    small_world.SmallWorld.run = run  # type: ignore[method-assign]


def contents(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def document_of(outcome: Any) -> str:
    """The JSON document of a run, by whichever module makes it."""
    if outcome is None:
        return ""
    if importlib.util.find_spec("invsync.tell") is None:
        from invsync.report import document  # type: ignore[import-not-found,unused-ignore]
    else:
        from invsync.tell.document import document
    return json.dumps(document(outcome), indent=1, ensure_ascii=False)


def play(program: Path, sandbox: Path, seeds: Sequence[str]) -> None:
    """Play worlds, and print each as a JSON line: its seed, and what every run of it did."""
    take_program(program, sandbox)
    import living_shop

    runs: list[dict[str, Any]] = []
    watch(runs)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="same-", dir=memory) as top:
        # The same path for both, since messages name it.
        folder = Path(top) / "state"
        for seed in seeds:
            shutil.rmtree(folder, ignore_errors=True)
            runs.clear()
            random.seed(seed)  # back-off is jittered
            try:
                living_shop.play(folder, seed)
                wrong = ""
            except living_shop.Wrong as error:
                wrong = str(error)
            line = struck_out(json.dumps({"seed": seed, "wrong": wrong, "runs": runs}))
            print(line.replace(top, "<folder>").replace(str(program), "<program>"), flush=True)


# -- both versions, beside each other


def played(program: Path, sandbox: Path, seeds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What one version does in these worlds."""
    command = [sys.executable, __file__, str(program), "--sandbox", str(sandbox), "--play", *seeds]
    fixed = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=fixed)
    if done.returncode:
        raise SystemExit(f"{program}: {done.stderr[-3000:]}")
    return map(json.loads, done.stdout.splitlines())


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Where two plays of one world first differ: what, and how it was in each."""
    for at, (before, after) in enumerate(zip(old["runs"], new["runs"], strict=False), 1):
        differing = [name for name in before if before[name] != after[name]]
        if differing:
            for name in differing:
                yield f"run {at}: {name}", str(before[name]), str(after[name])
            return  # what follows, follows from it
    if len(old["runs"]) != len(new["runs"]):
        yield "runs", str(len(old["runs"])), str(len(new["runs"]))
    if old["wrong"] != new["wrong"]:
        yield "wrong", old["wrong"], new["wrong"]


def around(old: str, new: str) -> str:
    """The two texts where they begin to differ."""
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), -1)
    start = max(0, (at if at >= 0 else min(len(old), len(new))) - 120)
    return f"    old …{old[start : start + 300]!r}\n    new …{new[start : start + 300]!r}"


def compare(old: Path, sandbox: Path, portions: Sequence[Sequence[str]], jobs: int) -> Counter[str]:
    """Play all worlds with both, tell what differs, and count."""
    counts: Counter[str] = Counter()

    def both(seeds: Sequence[str]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return list(zip(played(old, sandbox, seeds), played(HERE, sandbox, seeds), strict=True))

    with ThreadPoolExecutor(jobs) as pool:
        for pairs in pool.map(both, portions):
            for before, after in pairs:
                counts["worlds"] += 1
                counts["runs"] += len(before["runs"])
                counts["requests"] += sum(
                    len(json.loads(run["requests"])) for run in before["runs"]
                )
                found = list(differences(before, after))
                counts["different"] += bool(found)
                for what, one, other in found if counts["different"] <= TOLD else ():
                    print(f"{before['seed']}: {what} differs\n{around(one, other)}")
    return counts


def main() -> int:
    """Compare; 1 where anything differs."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="a checkout of the other version")
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sandbox", type=Path, default=HERE, help="the checkout of the sandbox")
    parser.add_argument("--only", metavar="SEED/NUMBER")
    parser.add_argument("--play", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    old, sandbox = given.old.resolve(), given.sandbox.resolve()
    if given.play:
        play(old, sandbox, given.play)
        return 0

    seeds = [given.only] if given.only else [f"{given.seed}/{n}" for n in range(given.worlds)]
    portions = [seeds[at : at + PORTION] for at in range(0, len(seeds), PORTION)]
    counts = compare(old, sandbox, portions, given.jobs)
    print(
        f"worlds compared {counts['worlds']}, with {counts['runs']} runs and "
        f"{counts['requests']} requests; worlds that differ {counts['different']}"
    )
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
