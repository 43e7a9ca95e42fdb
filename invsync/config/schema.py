"""The configuration as a JSON Schema, for editors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invsync.config.keys import CREDENTIALS, FILTERS, SECTIONS, TOP
from invsync.config.values import Key, or_variable


def json_schema() -> dict[str, Any]:
    """The configuration as a JSON Schema (draft 2020-12), for editors.

    Stricter than `load` in small things: a key without a value, which counts as left out, is marked
    as unfinished.
    """
    properties = {key.name: _key_schema(key) for key in TOP}
    for name, (about, keys) in SECTIONS.items():
        properties[name] = {
            "description": about,
            **_section_schema(keys),
        }
    properties["variants"]["oneOf"] = [
        {"required": [name], "properties": {name: {"minItems": 1, "minProperties": 1}}}
        for name in FILTERS
    ]
    every = list(dict.fromkeys(name for way in CREDENTIALS for name in way))
    ways: list[dict[str, Any]] = [
        {
            "required": list(way),
            "not": {"anyOf": [{"required": [name]} for name in every if name not in way]},
        }
        for way in CREDENTIALS
    ]
    none = {"not": {"anyOf": [{"required": [name]} for name in every]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "invsync configuration",
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in TOP if key.required],
        "properties": properties,
        "if": {"properties": {"shop": {"const": "sandbox"}}},
        "then": {"oneOf": [none, *ways]},
        "else": {"oneOf": ways},
        "$defs": {
            "variable": {
                "description": "An environment variable, as the whole value or a part of it.",
                "type": "string",
                "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
            }
        },
    }


def _section_schema(keys: Sequence[Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _key_schema(key) for key in keys},
    }


def _key_schema(key: Key) -> dict[str, Any]:
    if key.keys:
        return {"description": key.about, **_section_schema(key.keys)}
    schema = _list_schema(key) if key.kind.many else _one_schema(key)
    result: dict[str, Any] = {"description": key.about, **schema}
    if key.default is not None:
        result["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    if key.example is not None:
        result["examples"] = [list(key.example) if isinstance(key.example, tuple) else key.example]
    return result


def _one_schema(key: Key) -> dict[str, Any]:
    return or_variable({"enum": list(key.allowed)}) if key.allowed else dict(key.kind.schema)


def _list_schema(key: Key) -> dict[str, Any]:
    several = {"type": "array", "items": dict(key.kind.schema), "uniqueItems": True}
    return {"anyOf": [{"enum": list(key.allowed)}, several]} if key.allowed else several
