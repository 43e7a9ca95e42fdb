"""The table of the keys, and the example that shows them."""

from __future__ import annotations

import re

import pytest
from config_file import EXAMPLE

from invsync.config.keys import SECTIONS, TOP


@pytest.mark.parametrize("section", ["", "variants", "locations"])
def test_the_example_shows_every_key_of_every_section(section: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    if section:
        text = (
            re.split(r"(?m)^locations:$", text)[section == "locations"].partition("variants:\n")[2]
            or text
        )
    keys = SECTIONS[section][1] if section else TOP
    indent = "  " if section else ""
    for key in keys:
        assert re.search(rf"(?m)^{indent}(# )?{key.name}: ", text), key.name
