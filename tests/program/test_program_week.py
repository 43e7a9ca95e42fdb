"""A week of cron in short: few mails, each of which can be read alone."""

from __future__ import annotations

from pathlib import Path

from tests.bench import week


def test_a_week_makes_few_mails_each_to_be_read_alone(tmp_path: Path) -> None:
    mails = week.play(tmp_path, runs=96, sales=40, seed=0)
    assert len(mails) <= week.MOST
    firsts = [mail.text.split("\n", 1)[0] for mail in mails]
    assert [line.partition(".com: ")[2] for line in firsts if ".com: " in line] == [
        "1 needs a person",
        "1 resolved",
        "5 need a person",
        "1 needs a person",
        "works again",
    ]
    for mail, first in zip(mails, firsts, strict=True):
        assert first.startswith(("invsync variants, sandbox.myshopify.com: ", "invsync: the conn"))
        assert "Changed:" not in mail.text
        assert len(mail.text) < 4_000
    assert [mail.exit_code for mail in mails] == [3, 0, 3, 3, 1, 0]
