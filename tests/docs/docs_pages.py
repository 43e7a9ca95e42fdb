"""The pages of the documentation, taken apart: README.md, and what stands in docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).parents[2]
NEW_FOLDER = "<!-- test: a new folder -->"


@dataclass(frozen=True)
class Block:
    """A fenced block. `line`: where it begins; `fresh`: whether it is played in a new folder."""

    line: int
    language: str
    text: str
    fresh: bool


@dataclass(frozen=True)
class Page:
    """A page. `name`: its path from the top of the project."""

    name: str

    @cached_property
    def text(self) -> str:
        return (PROJECT / self.name).read_text(encoding="utf-8")

    def blocks(self, *languages: str) -> list[Block]:
        found = []
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL):
            before = self.text[: match.start()]
            fresh = before.rstrip().endswith(NEW_FOLDER)
            found.append(Block(before.count("\n") + 1, match[1], match[2], fresh))
        return [block for block in found if not languages or block.language in languages]

    def section(self, heading: str) -> str:
        """What stands below a heading, up to the next one of its rank or above."""
        found = re.search(rf"^(#+) {re.escape(heading)}\n", self.text, re.MULTILINE)
        assert found, f"{self.name} has no section {heading!r}"
        rest = self.text[found.end() :]
        return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]

    def prose(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line outside fenced blocks."""
        inside = False
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.startswith("```"):
                inside = not inside
            elif not inside:
                yield number, line

    def anchors(self) -> list[str]:
        """What a link can name, as GitHub makes it of each heading."""
        return [slug(line.lstrip("# ")) for _, line in self.prose() if line.startswith("#")]

    def links(self) -> list[tuple[int, str]]:
        """Line and target of each link; one that is broken over two lines counts for its last."""
        found = []
        for match in re.finditer(r"\]\(([^)\s]+)\)", self.text):
            found.append((self.text[: match.start()].count("\n") + 1, match[1]))
        return found


def slug(heading: str) -> str:
    """https://docs.github.com/en/get-started/writing-on-github (section links)."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def rows(text: str) -> list[list[str]]:
    """The cells of the tables of a text, row by row, without the heads."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("| ") and not re.match(r"\| -", line) and not re.match(r"\| -", below):
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def first_cells(text: str) -> list[str]:
    """What stands in backticks at the start of each row of the tables of a text."""
    return [found[1] for row in rows(text) if (found := re.match(r"`([^`]+)`", row[0]))]


README = Page("README.md")
COUNTING = Page("docs/counting.md")
CONNECTING = Page("docs/connecting.md")
POOLS = Page("docs/pools.md")
RUNNING = Page("docs/running.md")
REFERENCE = Page("docs/reference.md")
RELIABILITY = Page("docs/reliability.md")
SANDBOX = Page("docs/sandbox.md")
DEVELOPING = Page("docs/developing.md")
PAGES = (
    README,
    COUNTING,
    POOLS,
    CONNECTING,
    RUNNING,
    REFERENCE,
    RELIABILITY,
    SANDBOX,
    DEVELOPING,
)
