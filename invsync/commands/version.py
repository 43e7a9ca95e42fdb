"""`invsync --version`: the version, and that of the Admin API in use."""

from __future__ import annotations

import os
from pathlib import Path

from invsync import API_VERSIONS, __version__
from invsync.config.finding import find as find_config
from invsync.errors import ConfigError


def text(config_file: str | None) -> str:
    """Both versions in a line; that of the Admin API as the configuration, if there is one, has it.

    A glance, not a reading: parsing YAML would take longer than all the rest.
    """
    in_use = API_VERSIONS[-1]
    try:
        written = find_config(config_file, os.environ, Path()).read_text(encoding="utf-8")
    except (ConfigError, OSError, ValueError):
        written = ""
    for line in written.splitlines():
        key, _colon, value = line.partition(":")
        given = value.partition("#")[0].strip(" \"'")
        if key == "api_version" and given in API_VERSIONS:
            in_use = given
    return f"invsync {__version__} (Admin API {in_use})"
