"""The JSON Schema for editors."""

from __future__ import annotations

import json

from config_file import ROOT

from invsync.config.keys import SECTIONS, TOP, VARIANTS
from invsync.config.schema import json_schema


def test_the_schema_for_editors_is_up_to_date() -> None:
    written = json.loads((ROOT / "config.schema.json").read_text(encoding="utf-8"))
    assert written == json_schema(), "run: python -m invsync.config > config.schema.json"


def test_the_schema_knows_every_key_and_its_default() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {key.name for key in TOP} | set(SECTIONS)
    variants = schema["properties"]["variants"]["properties"]
    assert {key.name for key in VARIANTS} == set(variants)
    assert variants["scan"]["default"] == "auto"
    assert variants["scan"]["anyOf"][0] == {"enum": ["auto", "complete", "changes"]}
