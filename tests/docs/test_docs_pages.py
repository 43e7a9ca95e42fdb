"""The pages as such: who reads them, how long they are, and where their links lead."""

from __future__ import annotations

import re

import pytest
from docs_pages import CONNECTING, COUNTING, PAGES, PROJECT, README, Page, slug

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_readme_is_one_screen_and_a_bit() -> None:
    assert README.text.count("\n") <= 100


def test_every_page_is_played_and_named_in_the_readme() -> None:
    pages = {str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/**/*.md")}
    assert pages == {page.name for page in PAGES} - {README.name}
    assert pages <= {target.partition("#")[0] for _, target in README.links()}


@by_page
def test_links_lead_somewhere(page: Page) -> None:
    known = {other.name: other for other in PAGES}
    for line, target in page.links():
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (PROJECT / page.name).parent / name if name else PROJECT / page.name
        where = f"{page.name}, line {line}: {target}"
        assert path.exists(), where
        if anchor:
            assert anchor in known[str(path.resolve().relative_to(PROJECT))].anchors(), where


@by_page
def test_no_two_headings_of_a_page_have_one_anchor(page: Page) -> None:
    assert len(set(page.anchors())) == len(page.anchors())


def test_anchors_are_made_as_github_makes_them() -> None:
    assert slug("When a mail says …") == "when-a-mail-says-"
    assert slug("What can't be told apart") == "what-cant-be-told-apart"
    assert slug("2. Get credentials") == "2-get-credentials"


@by_page
def test_an_index_names_every_section(page: Page) -> None:
    index = re.findall(r"^- \[([^]]+)\]\(#", page.text, re.MULTILINE)
    headings = [line[3:] for _, line in page.prose() if line.startswith("## ")]
    assert index in ([], headings)


@by_page
def test_lines_can_be_read_in_an_editor(page: Page) -> None:
    long = [number for number, line in page.prose() if len(line) > 100 and line[0] not in "|#"]
    assert long == []


def test_the_owners_page_knows_no_shell() -> None:
    assert {block.language for block in COUNTING.blocks()} == {"text"}
    prose = re.sub(r"\| -[-| ]*\|", "", "\n".join(line for _, line in COUNTING.prose()))
    for word in ("terminal", "console", "cron", "--", "config.yaml", "$ "):
        assert word not in prose, word


def test_a_real_shop_and_the_sandbox_share_no_page_of_steps() -> None:
    """What is numbered on the page of a real shop never names the sandbox's commands."""
    steps = "\n".join(CONNECTING.section(heading) for heading in numbered(CONNECTING))
    assert steps
    assert "invsync sandbox" not in steps
    assert "shop: sandbox" not in steps
    assert [page.name for page in PAGES if "invsync sandbox" in "".join(lists(page))] == []


def numbered(page: Page) -> list[str]:
    return re.findall(r"^## (\d\. .*)$", page.text, re.MULTILINE)


def lists(page: Page) -> list[str]:
    """The lines of numbered lists."""
    return [line for _, line in page.prose() if re.match(r"\d+\. ", line)]
