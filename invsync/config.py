"""The configuration: where its file is found, what may stand in it, and its typed result.

`TOP`, `VARIANTS` and `LOCATIONS` below are the one definition of the configuration: defaults,
validation and the JSON Schema for editors (`python -m invsync.config > config.schema.json`) all
come from them.

A problem is one line, `FILE:LINE: key: what is wrong; what to do`, and all problems of a file are
reported at once. No message, warning or `repr` holds the value of a secret.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from invsync import API_VERSIONS
from invsync.errors import ConfigError
from invsync.text import composed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import yaml

SeveralRises = Literal["smallest", "sum", "hold"]
Scan = Literal["auto", "complete", "changes"]


@dataclass(frozen=True, slots=True)
class VariantsSettings:
    """What `invsync variants` keeps in step.

    Exactly one of `product_types` and `product_tags` is not empty.
    """

    product_types: tuple[str, ...]
    product_tags: tuple[str, ...]
    only_active: bool
    #: `default` (the shop's default location), a location's name, its number or its gid.
    location: str
    several_rises: SeveralRises
    #: A fraction, 0 to 1.
    max_rising: float
    scan: Scan
    #: Seconds.
    reconcile_every: float


@dataclass(frozen=True, slots=True)
class LocationsSettings:
    """What `invsync locations` keeps in step."""

    #: Empty: every product.
    product_types: tuple[str, ...]
    #: Names, numbers or gids. Empty: every active location that no fulfilment service owns.
    locations: tuple[str, ...]
    several_rises: SeveralRises
    #: A fraction, 0 to 1.
    max_rising: float
    scan: Scan
    #: Seconds.
    reconcile_every: float


@dataclass(frozen=True, slots=True)
class Settings:
    """One configuration file, checked. Its `repr` holds no secret."""

    #: The file, as it was named.
    file: Path
    #: The shop's `*.myshopify.com` domain.
    shop: str
    #: Whether the shop is the sandbox inside this process: `shop: sandbox` and no `api_url`.
    sandbox: bool
    #: Where the Admin API is reached: scheme and host (and path, if any), without a slash at the
    #: end.
    endpoint: str
    api_version: str
    #: Given (or read from its file) when the credentials are a fixed token; else `client_id` and
    #: `client_secret` are.
    access_token: str | None = field(repr=False)
    client_id: str | None
    client_secret: str | None = field(repr=False)
    state_dir: Path
    ping_url: str | None = field(repr=False)
    #: Seconds.
    max_run_time: float
    #: None: the file has no such section.
    variants: VariantsSettings | None
    #: None: the file has no such section.
    locations: LocationsSettings | None
    #: One line each, for a person: what is allowed but unwise.
    warnings: tuple[str, ...] = ()


# --- The definition -------------------------------------------------------------------------------


class _Mistake(Exception):
    """What is wrong with one value, and what to do: `what; mend`."""


class _Scalar(NamedTuple):
    """One value as the file gives it."""

    #: With its variables filled in.
    text: str
    #: As written.
    raw: str
    #: What YAML takes it for: `str`, `int`, `float`, `bool`, `timestamp`…
    yaml_type: str
    secret: bool

    @property
    def private(self) -> bool:
        """Whether a message must not show the value.

        It is a secret, or may be one in the wrong place.
        """
        return self.secret or _holds_secret(self.raw)

    @property
    def from_variable(self) -> bool:
        return self.text != self.raw

    @property
    def shown(self) -> str:
        """The value as a message may show it.

        What came out of a variable is never shown, only the variable.
        """
        return "the value" if self.private else _quoted(self.raw)


class Kind(NamedTuple):
    """What sort of value a key takes."""

    #: From the value as written to the typed one. Raises `_Mistake`.
    read: Callable[[_Scalar, Key], Any]
    #: JSON Schema of one value.
    schema: Mapping[str, Any]
    #: Whether the key takes a list of such values.
    many: bool = False


class Key(NamedTuple):
    """One key of the configuration."""

    name: str
    kind: Kind
    #: One line, for the reference and for editors.
    about: str
    #: As it would be written in the file; None where leaving the key out means something of its
    #: own.
    default: str | bool | tuple[str, ...] | None = None
    example: str | tuple[str, ...] | None = None
    #: For choices: what may be written.
    allowed: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False


_DOMAIN = r"[a-z0-9][a-z0-9-]*\.myshopify\.com"
_DURATION = r"0*([1-9][0-9]{0,5}) ?([smhd])"
_PERCENTAGE = r"(100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?) ?%"
_WORD = r"[\x21-\x7e]+"
_LOOPBACK = r"localhost|127(?:\.[0-9]{1,3}){3}|::1"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")
_YAML_TYPES = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
}


def _as_written(given: _Scalar, key: Key) -> str:
    """Text that is compared or shown exactly as it stands."""
    if given.yaml_type == "str":
        return given.text
    meaning = _YAML_TYPES.get(given.yaml_type, "not text")
    if given.private:
        raise _Mistake(f"is {meaning} to YAML; put it in quotes")
    raise _Mistake(f"{_plain(_short(given.raw))} is {meaning} to YAML; write {_quoted(given.raw)}")


def _as_name(given: _Scalar, key: Key) -> str:
    """Text that names something of the shop: compared exactly, but for the form of its signs."""
    return composed(_as_written(given, key))


def _as_word(given: _Scalar, key: Key) -> str:
    """Text without spaces or line breaks around it."""
    return _as_written(given, key).strip()


def _as_path(given: _Scalar, key: Key) -> str:
    text = _as_word(given, key)
    if not text.isprintable():
        raise _Mistake(
            f"{given.shown} holds a line break or control character; write it on one line"
        )
    return text


def _as_secret(given: _Scalar, key: Key) -> str:
    text = _as_word(given, key)
    # It becomes an HTTP header or a form field; anything else would fail later, and less clearly.
    if not re.fullmatch(_WORD, text):
        raise _Mistake(
            "holds a space, a line break or a character that is not ASCII; copy it again"
        )
    return text


def _as_shop(given: _Scalar, key: Key) -> str:
    text = _as_word(given, key).lower()
    if text == "sandbox" or re.fullmatch(_DOMAIN, text):
        return text
    name = (
        re.search(r"([a-z0-9][a-z0-9-]*)\.myshopify\.com", text)
        or re.search(r"admin\.shopify\.com/store/([a-z0-9-]+)", text)
        or re.fullmatch(r"([a-z0-9][a-z0-9-]*)", text)
    )
    mend = (
        f"{name[1]}.myshopify.com"
        if name and not given.private and not given.from_variable
        else None
    )
    if mend is None:
        raise _Mistake(
            f"{given.shown} is not a shop's myshopify.com domain; write it like "
            "my-shop.myshopify.com "
            "(Shopify admin: Settings, Domains), or write sandbox"
        )
    raise _Mistake(
        f"{given.shown} is not a shop's myshopify.com domain; write {mend}, or write sandbox"
    )


def _as_choice(given: _Scalar, key: Key) -> str:
    text = given.text.strip()
    if text in key.allowed:
        return text
    near = None if given.private else _nearest(given.raw, key.allowed)
    mend = f"did you mean {near}?" if near else f"write {_listed(key.allowed, 'or')}"
    raise _Mistake(f"{given.shown} is not one of {', '.join(key.allowed)}; {mend}")


def _as_flag(given: _Scalar, key: Key) -> bool:
    text = given.text.strip().lower()
    if text in _YES + _NO and (given.yaml_type == "bool" or given.from_variable):
        return text in _YES
    if text in _YES + _NO:
        raise _Mistake(
            f"{given.shown} is text; write {'true' if text in _YES else 'false'}, without quotes"
        )
    raise _Mistake(f"{given.shown} is neither true nor false; write true or false")


def _as_seconds(given: _Scalar, key: Key) -> float:
    text = given.text.strip()
    if found := re.fullmatch(_DURATION, text):
        return int(found[1]) * _SECONDS[found[2]]
    if re.fullmatch(r"[1-9][0-9]{0,5}", text) and not given.from_variable:
        raise _Mistake(f"{text} has no unit; write {text}s, {text}m, {text}h or {text}d")
    raise _Mistake(
        f"{given.shown} is not a length of time above 0; write a whole number and s, m, h or d, "
        f"like {key.default}"
    )


def _as_fraction(given: _Scalar, key: Key) -> float:
    text = given.text.strip()
    if found := re.fullmatch(_PERCENTAGE, text):
        return float(found[1]) / 100
    if re.fullmatch(_PERCENTAGE, f"{text}%") and not given.from_variable:
        if "." in text and float(text) < 1:
            raise _Mistake(f"{text} has no percent sign; write {float(text) * 100:g}%")
        raise _Mistake(f"{text} has no percent sign; write {text}%")
    raise _Mistake(
        f"{given.shown} is not a percentage from 0% to 100%; write one like {key.default}"
    )


def _as_url(given: _Scalar, key: Key) -> str:
    """An address without a slash at the end: https, or http to this machine."""
    from urllib.parse import urlsplit

    text = _as_word(given, key)
    # Not everyone who parses an address agrees on where the host ends once these are in it.
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise _Mistake("holds a space, a backslash or a control character; take it out")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise _Mistake(f"{given.shown} is not an address; write one like {key.example}") from None
    if parts.scheme not in ("https", "http") or not host:
        raise _Mistake(f"{given.shown} is not an http(s) address; write one like {key.example}")
    if "@" in parts.netloc:
        raise _Mistake("holds a user name or password; take out everything up to the @")
    if parts.scheme == "http" and not re.fullmatch(_LOOPBACK, host):
        raise _Mistake(
            f"{given.shown} is not encrypted; write https:// (http only to 127.0.0.1, ::1 or "
            "localhost)"
        )
    if parts.query or parts.fragment:
        raise _Mistake(
            f"{given.shown} goes on after its path; take out everything from the ? or # on"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _as_endpoint(given: _Scalar, key: Key) -> str:
    url = _as_url(given, key)
    if re.search(r"[^/]/admin(/|$)", url):
        raise _Mistake(
            f"{given.shown} holds a path of the Admin API; take out everything from /admin on"
        )
    return url


def _as_location(given: _Scalar, key: Key) -> str:
    """A location's name, number or gid. A number needs no quotes here."""
    if given.yaml_type == "int" and re.fullmatch(r"[1-9][0-9]*", given.text):
        return given.text
    return _as_name(given, key)


def _or_variable(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"$ref": "#/$defs/variable"}]}


_EXACT = {"type": "string", "pattern": r"\S"}
_URL = {
    "type": "string",
    "pattern": r"^(https://[^\s@?#]+|http://(localhost|127\.|\[::1\])[^\s@?#]*)$",
}
_PLACE = {"anyOf": [_EXACT, {"type": "integer", "minimum": 1}]}

FILE = Kind(_as_path, _EXACT)
SECRET = Kind(_as_secret, _EXACT)
SHOP = Kind(_as_shop, _or_variable({"type": "string", "pattern": f"^(sandbox|{_DOMAIN})$"}))
URL = Kind(_as_url, _or_variable(_URL))
ENDPOINT = Kind(_as_endpoint, _or_variable(_URL))
DURATION = Kind(_as_seconds, _or_variable({"type": "string", "pattern": f"^{_DURATION}$"}))
PERCENTAGE = Kind(_as_fraction, _or_variable({"type": "string", "pattern": f"^{_PERCENTAGE}$"}))
FLAG = Kind(_as_flag, _or_variable({"type": "boolean"}))
CHOICE = Kind(_as_choice, {})
NAMES = Kind(_as_name, _EXACT, many=True)
LOCATION = Kind(_as_location, _PLACE)
LOCATION_LIST = Kind(_as_location, _PLACE, many=True)

_SHARED = (
    Key(
        "several_rises",
        CHOICE,
        "What to count when several levels of a pool rose between two runs: the smallest rise, the "
        "sum, or none.",
        default="smallest",
        allowed=("smallest", "sum", "hold"),
    ),
    Key(
        "max_rising",
        PERCENTAGE,
        "Hold the rises of a run in which more than this share of the pools (and at least 20) "
        "would rise.",
        default="50%",
    ),
    Key(
        "scan",
        CHOICE,
        "How a run finds what moved: the whole catalogue, or only what changed since the last run; "
        "auto picks.",
        default="auto",
        allowed=("auto", "complete", "changes"),
    ),
    Key(
        "reconcile_every",
        DURATION,
        "How often a complete scan checks what the scan for changes can't see.",
        default="6h",
    ),
)

TOP: tuple[Key, ...] = (
    Key(
        "shop",
        SHOP,
        "The shop's myshopify.com domain, or sandbox: a shop in a box, to try invsync without a "
        "shop.",
        example="my-shop.myshopify.com",
        required=True,
    ),
    Key(
        "api_version",
        CHOICE,
        "The Admin API version to speak.",
        default=API_VERSIONS[-1],
        allowed=API_VERSIONS,
    ),
    Key(
        "access_token",
        SECRET,
        "The Admin API access token of an app that was created in the Shopify admin.",
        example="${SHOPIFY_ACCESS_TOKEN}",
        secret=True,
    ),
    Key(
        "access_token_file",
        FILE,
        "A file that holds the access token and nothing else.",
        example="/run/secrets/shopify-access-token",
    ),
    Key(
        "client_id", SECRET, "The client id of a Dev Dashboard app.", example="${SHOPIFY_CLIENT_ID}"
    ),
    Key(
        "client_secret",
        SECRET,
        "The client secret of a Dev Dashboard app.",
        example="${SHOPIFY_CLIENT_SECRET}",
        secret=True,
    ),
    Key(
        "client_secret_file",
        FILE,
        "A file that holds the client secret and nothing else.",
        example="/run/secrets/shopify-client-secret",
    ),
    Key(
        "api_url",
        ENDPOINT,
        "Another address for the shop's API; plain http only to this machine.",
        example="http://127.0.0.1:8787",
    ),
    Key(
        "state_dir",
        FILE,
        "The folder for what invsync remembers between runs; relative to the folder of the "
        "configuration.",
        default="invsync-state",
    ),
    Key(
        "ping_url",
        URL,
        "Told of the start, success and failure of each run (healthchecks.io style).",
        example="https://hc-ping.com/your-check",
        secret=True,
    ),
    Key(
        "max_run_time",
        DURATION,
        "How long one run may take; what is left then is for the next run.",
        default="9m",
    ),
)

VARIANTS: tuple[Key, ...] = (
    Key(
        "product_types",
        NAMES,
        "Products of these types, compared exactly. Give this or product_tags, not both.",
        default=(),
        example=("Print",),
    ),
    Key(
        "product_tags",
        NAMES,
        "Products with one of these tags, compared exactly. Give this or product_types, not both.",
        default=(),
        example=("shared-stock",),
    ),
    Key("only_active", FLAG, "Leave out drafts and archived products.", default=False),
    Key(
        "location",
        LOCATION,
        "The location whose stock is kept in step: default (the shop's default location), a name "
        "or an id.",
        default="default",
        example="Main Street 1",
    ),
    *_SHARED,
)

LOCATIONS: tuple[Key, ...] = (
    Key(
        "product_types",
        NAMES,
        "Products of these types, compared exactly; empty: every product.",
        default=(),
        example=("Print",),
    ),
    Key(
        "locations",
        LOCATION_LIST,
        "Names or ids; empty: every active location that no fulfilment service owns.",
        default=(),
        example=("Warehouse", "Till"),
    ),
    *_SHARED,
)

#: The sections, each with what it is about and its keys.
SECTIONS: dict[str, tuple[str, tuple[Key, ...]]] = {
    "variants": ("All tracked variants of one product, at one location, are one stock.", VARIANTS),
    "locations": ("One variant, at all its locations, is one stock.", LOCATIONS),
}

#: The ways to give credentials: the keys of exactly one of these.
CREDENTIALS: tuple[tuple[str, ...], ...] = (
    ("access_token",),
    ("access_token_file",),
    ("client_id", "client_secret"),
    ("client_id", "client_secret_file"),
)

#: Of these keys of `variants`, exactly one is given and not empty.
_FILTERS = ("product_types", "product_tags")


def json_schema() -> dict[str, Any]:
    """The configuration as a JSON Schema (draft 2020-12), for editors.

    Stricter than `load` in small things: a key without a value, which counts as left out, is marked
    as unfinished.
    """
    properties = {key.name: _key_schema(key) for key in TOP}
    for name, (about, keys) in SECTIONS.items():
        properties[name] = {
            "description": about,
            "type": "object",
            "additionalProperties": False,
            "properties": {key.name: _key_schema(key) for key in keys},
        }
    properties["variants"]["oneOf"] = [
        {"required": [name], "properties": {name: {"minItems": 1}}} for name in _FILTERS
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


def _key_schema(key: Key) -> dict[str, Any]:
    one = _or_variable({"enum": list(key.allowed)}) if key.allowed else dict(key.kind.schema)
    schema = {"type": "array", "items": one, "uniqueItems": True} if key.kind.many else one
    result: dict[str, Any] = {"description": key.about, **schema}
    if key.default is not None:
        result["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    if key.example is not None:
        result["examples"] = [list(key.example) if isinstance(key.example, tuple) else key.example]
    return result


# --- Finding the file -----------------------------------------------------------------------------


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
            path = cwd / _expanded(name, environ)
            if not _present(path):
                raise ConfigError(f"{_plain(path)}: there is no such file; correct {source}")
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
        f"no configuration: looked for {_listed([_plain(path) for path in candidates], 'and')}; "
        "run `invsync config example > config.yaml`, or name a file with --config"
    )


def section_missing(settings: Settings, name: str) -> ConfigError:
    """The error of a command whose section (`variants` or `locations`) the file does not have."""
    first = SECTIONS[name][1][0]
    example = _yaml_list(first.example) if isinstance(first.example, tuple) else str(first.example)
    return ConfigError(
        f"{_plain(settings.file)}: {name}: the section is missing; add {name}: with {first.name}: "
        f"{example} under it"
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


def _expanded(name: str, environ: Mapping[str, str]) -> Path:
    """The path with `~` as the user's home.

    Nothing else would expand it in a file or under cron.
    """
    home = _home(environ) if name == "~" or name.startswith("~/") else None
    return home / name[2:] if home is not None else Path(name)


# --- Loading --------------------------------------------------------------------------------------

#: Far above any real configuration; keeps a wrong file (a log, a device) from being read into
#: memory.
_MAX_BYTES = 1 << 20


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Reads and checks the configuration, and reads the secret files that it names.

    `environ` fills in `${VAR}`. Raises `ConfigError` with every problem that was found.
    """
    reading = _Reading(path, environ)
    top = reading.entries(reading.document(), "", (*(key.name for key in TOP), *SECTIONS))
    values = reading.values(top, "", TOP)
    variants, locations = (reading.section(top.get(name), name) for name in SECTIONS)
    reading.check_filters(variants)
    sandbox, api_url = values["shop"] == "sandbox", values["api_url"]
    local = api_url is None or _is_loopback(api_url)
    # A mistaken shop may be meant to be the sandbox.
    reading.check_credentials(optional=(sandbox or values["shop"] is None) and local)
    access_token = values["access_token"] or reading.secret("access_token_file", values)
    client_secret = values["client_secret"] or reading.secret("client_secret_file", values)
    reading.raise_problems()
    if access_token is None and client_secret is None:
        access_token = "sandbox"  # noqa: S105 - any token opens the sandbox
    shop = "sandbox.myshopify.com" if sandbox else values["shop"]
    return Settings(
        file=path,
        shop=shop,
        sandbox=sandbox and api_url is None,
        endpoint=api_url or f"https://{shop}",
        api_version=values["api_version"],
        access_token=access_token,
        client_id=values["client_id"],
        client_secret=client_secret,
        state_dir=reading.beside(values["state_dir"]),
        ping_url=values["ping_url"],
        max_run_time=values["max_run_time"],
        variants=None if variants is None else VariantsSettings(**variants),
        locations=None if locations is None else LocationsSettings(**locations),
        warnings=() if sandbox and local else tuple(reading.warnings),
    )


class _Reading:
    """One configuration file while it is read, with the problems found so far."""

    def __init__(self, file: Path, environ: Mapping[str, str]) -> None:
        self.file = file
        self.environ = environ
        self.problems: list[tuple[int, str]] = []
        self.warnings: list[str] = []
        #: The line of every key that has a value, by its dotted path.
        self.lines: dict[str, int] = {}
        self.mistaken: set[str] = set()
        self.readable_by_others = False

    def problem(self, line: int, where: str, what: str) -> None:
        """Notes one problem; line 0: of no line in particular."""
        at = f"{_plain(self.file)}:{line}" if line else _plain(self.file)
        self.problems.append((line, f"{at}: {where}: {what}" if where else f"{at}: {what}"))

    def raise_problems(self) -> None:
        if self.problems:
            raise ConfigError(
                *dict.fromkeys(text for _, text in sorted(self.problems, key=lambda each: each[0]))
            )

    def fail(self, line: int, what: str) -> ConfigError:
        """The error of a file that can't be looked at any further."""
        self.problem(line, "", what)
        return ConfigError(*(text for _, text in self.problems))

    def beside(self, name: str) -> Path:
        """A path as the file names it: relative to the file's folder."""
        return self.file.parent / _expanded(name, self.environ)

    # From text to YAML's nodes. The nodes keep the text and line of every value, which messages
    # need, and leave apart what YAML would turn into something else: 1:30 is the number 90 to it,
    # and a tag `on` is true.

    def document(self) -> yaml.MappingNode:
        """The file's top mapping."""
        try:
            content, self.readable_by_others = _read(self.file)
        except FileNotFoundError:
            raise self.fail(0, "there is no such file; name another with --config") from None
        except IsADirectoryError:
            raise self.fail(0, "is a folder; name the file in it") from None
        except (OSError, ValueError) as error:
            raise self.fail(
                0, f"can't be read: {_reason(error)}; correct its permissions"
            ) from None
        if len(content) > _MAX_BYTES:
            raise self.fail(
                0, "is larger than 1 MiB and so no configuration; name another file with --config"
            )
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self.fail(line, "is not UTF-8 text; save it as UTF-8") from None
        import yaml

        try:
            # Not libyaml's loader: it would save 1 ms, and deep nesting overflows its stack and
            # kills the process.
            node = yaml.compose(text, yaml.SafeLoader)
            if node is not None:
                self.merge(node, "", set())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            if mark and (column := _tab(text, mark.line, mark.column)):
                raise ConfigError(
                    f"{_plain(self.file)}:{mark.line + 1}:{column}: a tab stands there, and YAML "
                    "takes none; put blanks in its place"
                ) from None
            reason = re.sub(r" ?'(.|[^']*)'", _unquoted, error.problem or "a mistake")
            what = f"is not valid YAML: {reason}; look at the indentation, colons and quotes there"
            at = (
                f"{_plain(self.file)}:{mark.line + 1}:{mark.column + 1}"
                if mark
                else _plain(self.file)
            )
            raise ConfigError(f"{at}: {what}") from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self.fail(line, "holds a control character; delete it") from None
        except RecursionError:
            raise self.fail(
                0, "is nested far too deeply; start again from `invsync config example`"
            ) from None
        if node is None or node.tag == _NULL:
            raise self.fail(0, "is empty; start from `invsync config example`")
        if isinstance(node, yaml.MappingNode):
            return node
        what = "a list" if isinstance(node, yaml.SequenceNode) else "one text"
        raise self.fail(
            node.start_mark.line + 1,
            f"is {what}, not keys with values; start from `invsync config example`",
        )

    def merge(self, node: yaml.Node, where: str, seen: set[int]) -> None:
        """Puts in place what `<<` merges, and notes keys given twice.

        YAML would silently take the last.
        """
        import yaml

        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for each in node.value:
                self.merge(each, where, seen)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = _name(key), key.start_mark.line + 1
                path = _joined(where, name)
                if name in lines:
                    self.problem(
                        line, path, f"is given already, on line {lines[name]}; keep one of them"
                    )
                lines.setdefault(name, line)
                self.merge(value, path, seen)
            yaml.SafeLoader("").flatten_mapping(node)

    def entries(
        self, node: yaml.MappingNode, where: str, known: Sequence[str]
    ) -> dict[str, yaml.Node]:
        """The known keys that have a value. A key without one counts as left out."""
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name, line = _name(key), key.start_mark.line + 1
            path = _joined(where, name)
            if name not in known:
                self.problem(
                    line, path, f"is not a key of invsync; {_unknown_mend(name, where, known)}"
                )
            elif value.tag != _NULL:
                found[name] = value
                self.lines[path] = line
        return found

    def section(self, node: yaml.Node | None, name: str) -> dict[str, Any] | None:
        """The values of a section; None when the file does not have it."""
        import yaml

        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            what = (
                "must be a section; indent its keys below it, as `invsync config example` shows it"
            )
            self.problem(self.lines[name], name, what)
            return None
        keys = SECTIONS[name][1]
        return self.values(self.entries(node, name, [key.name for key in keys]), name, keys)

    # From YAML's nodes to values.

    def values(
        self, entries: Mapping[str, yaml.Node], where: str, keys: Sequence[Key]
    ) -> dict[str, Any]:
        """The value of each key, or its default; None where it is mistaken, which is noted."""
        result: dict[str, Any] = {}
        for key in keys:
            path = _joined(where, key.name)
            node = entries.get(key.name)
            if node is None:
                result[key.name] = _default(key)
                if key.required:
                    self.problem(0, path, f"is missing; add {key.name}: {key.example}")
            else:
                read = self.many if key.kind.many else self.one
                result[key.name] = read(node, path, key, self.lines[path])
        return result

    def one(self, node: yaml.Node, path: str, key: Key, line: int) -> Any:
        try:
            given = self.scalar(node, key)
            value = key.kind.read(given, key)
        except _Mistake as mistake:
            self.problem(line, path, str(mistake))
            self.mistaken.add(path)
            return None
        if key.secret and key.kind is SECRET:
            self.note_literal(given.raw, key.name)
        return value

    def many(self, node: yaml.Node, path: str, key: Key, line: int) -> tuple[Any, ...]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            word = (
                node.value
                if isinstance(node, yaml.ScalarNode) and not _holds_secret(node.value)
                else None
            )
            written = _yaml_list((word,) if word else key.example or ())
            self.problem(line, path, f"must be a list; write {written}")
            self.mistaken.add(path)
            return ()
        found: list[Any] = []
        for each in node.value:
            line = each.start_mark.line + 1
            value = self.one(each, path, key, line)
            if value is not None and value in found:
                shown = "a value" if _holds_secret(each.value) else _quoted(each.value)
                self.problem(line, path, f"{shown} is listed twice; delete one of them")
                self.mistaken.add(path)
            found.append(value)
        return tuple(found)

    def scalar(self, node: yaml.Node, key: Key) -> _Scalar:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            what = "list" if isinstance(node, yaml.SequenceNode) else "section"
            raise _Mistake(f"must be one value, not a {what}; write one")
        prefix, _, yaml_type = node.tag.rpartition(":")
        if prefix != "tag:yaml.org,2002":
            raise _Mistake("has a YAML tag (!…) that invsync does not know; take it out")
        text = _filled(node.value, self.environ) if yaml_type == "str" else node.value
        given = _Scalar(text, node.value, yaml_type, key.secret)
        if not text.strip():
            if given.from_variable:
                raise _Mistake(
                    "is empty, since its environment variable is; set that, or delete the line"
                )
            raise _Mistake("is empty; give it a value, or delete it")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _Mistake(
                "holds something that is not Unicode text; write it again in UTF-8"
            ) from None
        return given

    # What several keys say together.

    def check_filters(self, variants: Mapping[str, Any] | None) -> None:
        """Of the filters of `variants`, exactly one."""
        if variants is None or self.mistaken & {f"variants.{name}" for name in _FILTERS}:
            return
        filled = [f"variants.{name}" for name in _FILTERS if variants[name]]
        if not filled:
            self.problem(
                self.lines["variants"],
                "variants",
                "neither product_types nor product_tags says which products; add product_types: "
                "[Print], say",
            )
        elif len(filled) > 1:
            first, last = sorted(filled, key=lambda path: self.lines[path])
            self.problem(
                self.lines[last],
                last,
                f"{first.rpartition('.')[2]} is given too; keep one of the two and empty the other",
            )

    def check_credentials(self, *, optional: bool) -> None:
        """The keys of exactly one way; of none, where they are optional."""
        every = dict.fromkeys(name for way in CREDENTIALS for name in way)
        given = sorted(
            (name for name in every if name in self.lines), key=lambda name: self.lines[name]
        )
        wanted = [
            name for way in CREDENTIALS if {*given} < {*way} for name in way if name not in given
        ]
        if any({*given} == {*way} for way in CREDENTIALS) or (optional and not given):
            return
        if not given:
            self.problem(0, "access_token", f"is missing; give {_CREDENTIALS_IN_WORDS}")
        elif wanted:
            self.problem(
                self.lines[given[0]], given[0], f"does not work alone; add {_listed(wanted, 'or')}"
            )
        else:
            *others, last = given
            self.problem(
                self.lines[last],
                last,
                f"{_listed(others, 'and')} {'is' if len(others) == 1 else 'are'} given too; "
                f"keep one of: {_CREDENTIALS_IN_WORDS}",
            )

    # Secrets.

    def secret(self, name: str, values: Mapping[str, Any]) -> str | None:
        """The secret in the file that the key `name` names, if it does."""
        if values[name] is None:
            return None
        path = self.beside(values[name])
        shown, line = _plain(path), self.lines[name]
        try:
            content, readable_by_others = _read(path)
            text = content.decode().strip()
        except UnicodeDecodeError:
            self.problem(line, name, f"{shown} is not text; put the secret in it, and nothing else")
            return None
        except (OSError, ValueError) as error:
            self.problem(
                line,
                name,
                f"{shown} can't be read: {_reason(error)}; correct the path or permissions",
            )
            return None
        if not re.fullmatch(_WORD, text):
            what = "holds more than one word" if text else "is empty"
            self.problem(line, name, f"{shown} {what}; put the secret in it, and nothing else")
            return None
        if readable_by_others:
            self.warn_of(path, name)
        return text

    def note_literal(self, raw: str, name: str) -> None:
        """A secret that stands in the file itself, rather than coming from a variable."""
        if self.readable_by_others and re.sub(r"\$\{[^}]*\}", "", raw).strip():
            self.warn_of(self.file, name)

    def warn_of(self, path: Path, name: str) -> None:
        from shlex import quote

        self.warnings.append(
            f"{_plain(path)}: {name}: others on this machine can read this secret; run chmod 600 "
            f"{quote(_plain(path))}"
        )


_CREDENTIALS_IN_WORDS = (
    "access_token, access_token_file, or client_id with client_secret or client_secret_file"
)


def _default(key: Key) -> Any:
    if isinstance(key.default, str):
        return key.kind.read(_Scalar(key.default, key.default, "str", key.secret), key)
    return key.default


def _read(path: Path) -> tuple[bytes, bool]:
    """The content (not much more than `_MAX_BYTES` of it), and whether others can read it."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        return file.read(_MAX_BYTES + 1), stat.S_ISREG(mode) and bool(
            mode & (stat.S_IRGRP | stat.S_IROTH)
        )


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "that is no path"


#: YAML's tag of a value that is left out, or written as null or ~.
_NULL = "tag:yaml.org,2002:null"


def _name(key: yaml.Node) -> str:
    return key.value if isinstance(key.value, str) else ""


def _tab(text: str, line: int, column: int) -> int | None:
    """The column (from 1 on) of the tab that YAML stumbled over.

    There, or in the indentation of the line.
    """
    words = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)[line]  # YAML's line breaks
    if words[column : column + 1] == "\t":
        return column + 1
    indentation = words[: len(words) - len(words.lstrip())]
    return indentation.index("\t") + 1 if "\t" in indentation else None


def _unquoted(found: re.Match[str]) -> str:
    """What the YAML parser quotes.

    A single character or the <name> of a token stays, all else may be a secret.
    """
    return found[0] if re.fullmatch(r".|<[a-z ]+>", found[1]) else ""


def _filled(raw: str, environ: Mapping[str, str]) -> str:
    """The text with each `${VAR}` replaced by the variable, and each `$${` by a plain `${`."""

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        name = found[1] or ""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or _holds_secret(name):
            raise _Mistake(
                "${ must be followed by a variable's name and }; correct it, or write $${ for a "
                "plain ${"
            )
        if name not in environ:
            raise _Mistake(
                f"the environment variable {name} is not set; set it (for cron: in the crontab)"
            )
        return environ[name]

    return re.sub(r"\$\$\{|\$\{(?:([^{}]*)\})?", replace, raw)


def _unknown_mend(name: str, where: str, known: Sequence[str]) -> str:
    """What to do about a key that is not known there."""
    places = {section: [key.name for key in keys] for section, (_, keys) in SECTIONS.items()}
    places[""] = [key.name for key in TOP]
    homes = [section for section, names in places.items() if name in names]
    if "" in homes:
        return "move it to the top level, without indentation"
    if homes:
        return f"move it under {_listed(homes, 'or')}"
    near = _nearest(name, known)
    return f"did you mean {near}?" if near else f"delete it; the keys here are {', '.join(known)}"


def _nearest(word: str, words: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower().replace("-", "_"), words, n=1)), None)


# --- Words for messages ---------------------------------------------------------------------------


def _holds_secret(text: str) -> bool:
    """Whether anything in it looks like a secret of Shopify's, or a URL with a password."""
    return re.search(r"shp[a-z]{2}_|[0-9a-f]{24}|://[^/]*@", text, re.IGNORECASE) is not None


def _plain(text: object) -> str:
    """On one line, whatever is in it."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(text)
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def _quoted(text: str) -> str:
    """As YAML's (and JSON's) double-quoted text, shortened."""
    inner = _short(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_plain(inner)}"'


def _joined(where: str, name: str) -> str:
    shown = "…" if _holds_secret(name) else _plain(_short(name)) or '""'
    return f"{where}.{shown}" if where else shown


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def _yaml_list(words: Sequence[str]) -> str:
    """As a list in the file; only plain words go without quotes."""
    return f"[{', '.join(map(yaml_text, words))}]"


def yaml_text(word: str) -> str:
    """A text as it may be written in the file."""
    return word if re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]*", word) else _quoted(word)


def _is_loopback(url: str) -> bool:
    from urllib.parse import urlsplit

    return re.fullmatch(_LOOPBACK, urlsplit(url).hostname or "") is not None


if __name__ == "__main__":
    import json
    import sys

    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
