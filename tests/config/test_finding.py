"""Where the configuration is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from invsync.config.finding import find as find_config
from invsync.errors import ConfigError


def test_the_file_is_the_named_one_else_the_first_of_the_search_path(folder: Path) -> None:
    home, xdg = folder / "home", folder / "xdg"
    places = [
        "named.yaml",
        "variable.yaml",
        "config.yaml",
        "xdg/invsync/config.yaml",
        "home/.config/invsync/config.yaml",
    ]
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).touch()
    environ = {"INVSYNC_CONFIG": "variable.yaml", "HOME": str(home), "XDG_CONFIG_HOME": str(xdg)}

    assert find_config("named.yaml", environ, Path()) == Path("named.yaml")
    assert find_config(None, environ, Path()) == Path("variable.yaml")
    assert find_config("~/.config/invsync/config.yaml", environ, Path()) == folder / places[4]
    environ["INVSYNC_CONFIG"] = ""
    assert find_config(None, environ, Path()) == Path("config.yaml")
    Path("config.yaml").unlink()
    assert find_config(None, environ, Path()) == folder / places[3]
    environ["XDG_CONFIG_HOME"] = "relative"
    assert find_config(None, environ, Path()) == folder / places[4]


def test_no_file_anywhere_says_where_it_was_looked_for() -> None:
    if Path("/etc/invsync/config.yaml").exists():
        pytest.skip("this machine has a configuration for everyone")
    with pytest.raises(ConfigError) as caught:
        find_config(None, {"HOME": "/nowhere"}, Path())
    assert caught.value.problems == (
        "no configuration: looked for config.yaml, /nowhere/.config/invsync/config.yaml and "
        "/etc/invsync/config.yaml; run `invsync config example > config.yaml`, or name a file "
        "with --config",
    )


@pytest.mark.parametrize(
    ("explicit", "environ", "source"),
    [("gone.yaml", {}, "--config"), (None, {"INVSYNC_CONFIG": "gone.yaml"}, "INVSYNC_CONFIG")],
)
def test_a_named_file_that_is_not_there_is_not_replaced_by_another(
    explicit: str | None, environ: dict[str, str], source: str
) -> None:
    Path("config.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        find_config(explicit, environ, Path())
    assert caught.value.problems == (f"gone.yaml: there is no such file; correct {source}",)
