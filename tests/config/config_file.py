"""A configuration as a test writes it: what it says, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from invsync.config.settings import Settings
from invsync.config.settings import load as load_config
from invsync.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
SECRET = "shpat_0123456789abcdef"

#: The beginning of a file: a real shop, the sandbox, the sandbox with something to keep in step.
REAL = "shop: my-shop.myshopify.com\naccess_token: abc\n"
SANDBOX = "shop: sandbox\n"
VARIANTS = SANDBOX + "variants:\n  product_types: [Print]\n"


def load(text: str, **environ: str) -> Settings:
    """What the text says, as ./config.yaml."""
    path = Path("config.yaml")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_config(path, environ)


def problems(text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    assert caught.value.exit_code == 2
    return caught.value.problems
