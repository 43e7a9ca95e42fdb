"""Where the configuration is: the file itself, and what it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invsync.config.words import listed, plain
from invsync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def find(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The configuration file to use.

    `--config` (`explicit`), else `INVSYNC_CONFIG`, else `config.yaml` in `cwd`, else
    `invsync/config.yaml` in the user's config folder, else `/etc/invsync/config.yaml`. With
    `Path()` as `cwd` a file there is named as the user would name it. Raises `ConfigError` when
    there is none, or the named one is not there.
    """
    named = [("--config", explicit), ("INVSYNC_CONFIG", environ.get("INVSYNC_CONFIG"))]
    for source, name in named:
        if name:
            path = cwd / expanded(name, environ)
            if not _present(path):
                raise ConfigError(f"{plain(path)}: there is no such file; correct {source}")
            return path
    candidates = [cwd / "config.yaml"]
    home = _home(environ)
    # https://specifications.freedesktop.org/basedir-spec: a relative path there is to be ignored.
    folder = Path(environ.get("XDG_CONFIG_HOME", ""))
    if folder.is_absolute():
        candidates.append(folder / "invsync" / "config.yaml")
    elif home is not None:
        candidates.append(home / ".config" / "invsync" / "config.yaml")
    candidates.append(Path("/etc/invsync/config.yaml"))
    for path in candidates:
        if _present(path):
            return path
    raise ConfigError(
        f"no configuration: looked for {listed([plain(path) for path in candidates], 'and')}; "
        "run `invsync config example > config.yaml`, or name a file with --config"
    )


def _present(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # something is there that may not be looked at: reading it will say what


def _home(environ: Mapping[str, str]) -> Path | None:
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        return None  # a container's user without an entry in the password file


def expanded(name: str, environ: Mapping[str, str]) -> Path:
    """The path with `~` as the user's home.

    Nothing else would expand it in a file or under cron.
    """
    home = _home(environ) if name == "~" or name.startswith("~/") else None
    return home / name[2:] if home is not None else Path(name)
