"""Each field of each state file made wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.fuzz_bench import COMMANDS, KINDS, Bench, Tally, paths, served, spoiled


def places(bench: Bench) -> Iterator[tuple[Path, int | None]]:
    """Each state file, and each line of those that are lists of lines."""
    for path in sorted(bench.kept.iterdir()):
        if path.suffix in (".journal", ".jsonl"):
            for at in range(len(path.read_bytes().splitlines())):
                yield path, at
        elif path.suffix != ".lock":
            yield path, None


def spoil_state(bench: Bench, every: int, cases: Iterator[int], tally: Tally) -> None:
    """Spoil each field of each state file."""
    for path, at in places(bench):
        lines = path.read_bytes().splitlines()
        document = json.loads(path.read_bytes() if at is None else lines[at])
        for where in paths(document):
            for kind in KINDS:
                if next(cases) % every:
                    continue
                bench.again()
                text = spoiled(document, where, kind).encode()
                here = bench.world.state / path.name
                if at is not None:
                    text = b"\n".join([*lines[:at], text, *lines[at + 1 :]]) + b"\n"
                here.write_bytes(text)
                for args in (
                    (bench.command, "--dry-run"),
                    ("status",),
                    ("explain", "Plain"),
                    (bench.command,),
                ):
                    tally.tried += 1
                    ran = bench.run(*args)
                    case = f"{bench.command} {path.name} {at} {where} {kind} {args}"
                    bench.judge(tally, ran, case, sent=bench.sent())
                    if ran.exit_code == 1 and path.suffix != ".last" and here.read_bytes() != text:
                        tally.stories.append(f"{case}: the file was not kept")
                        tally.otherwise += 1


def state(every: int) -> Tally:
    """All state files of both commands."""
    tally = Tally()
    cases = iter(range(10**9))
    for command in COMMANDS:
        with served(command) as bench:
            bench.build()

            def cut(request: Any, phase: str) -> None:
                if request.operation == "Adjust" and phase == "after":
                    raise ConnectionResetError("cut by the bench")

            bench.world.hook = cut
            bench.run(command)
            bench.world.hook = None
            (bench.world.state / f"{command}.waiting").write_text('{"holder": "x", "times": 2}\n')
            bench.keep()
            spoil_state(bench, every, cases, tally)
    return tally
