"""From text to value: what each kind of key takes, and what is wrong with the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from invsync.config.words import holds_secret, listed, nearest, plain, quoted, short
from invsync.text import composed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Mistake(Exception):
    """What is wrong with one value, and what to do: `what; mend`."""


class Scalar(NamedTuple):
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
        return self.secret or holds_secret(self.raw)

    @property
    def from_variable(self) -> bool:
        """Whether a variable makes up the value, or a part of it."""
        return self.text != self.raw

    @property
    def shown(self) -> str:
        """The value as a message may show it.

        What came out of a variable is never shown, only the variable.
        """
        return "the value" if self.private else quoted(self.raw)


class Kind(NamedTuple):
    """What sort of value a key takes."""

    #: From the value as written to the typed one. Raises `Mistake`.
    read: Callable[[Scalar, Key], Any]
    #: JSON Schema of one value.
    schema: Mapping[str, Any]
    #: Whether the key takes a list of such values.
    many: bool = False
    #: What takes the YAML of the value itself, where it is no single value or list of such.
    whole: Callable[[Any, Any, str, Key, int], Any] | None = None


class Key(NamedTuple):
    """One key of the configuration."""

    name: str
    kind: Kind
    #: One line, for the reference and for editors.
    about: str
    #: As it would be written in the file; None where leaving the key out means something of its
    #: own.
    default: str | bool | int | tuple[str, ...] | None = None
    example: str | tuple[str, ...] | None = None
    #: For choices: what may be written. For lists: a word that may stand in place of one.
    allowed: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False
    #: What may stand below it, where it is a section of its own.
    keys: tuple[Key, ...] = ()


_DOMAIN = r"[a-z0-9][a-z0-9-]*\.myshopify\.com"
_DURATION = r"0*([1-9][0-9]{0,5}) ?([smhd])"
_PERCENTAGE = r"(100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?) ?%"
WORD = r"[\x21-\x7e]+"
_LISTING = r"gid://shopify/Product(Variant)?/[1-9][0-9]{0,18}"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")
_YAML_TYPES = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
}


def _as_written(given: Scalar, key: Key) -> str:
    """Text that is compared or shown exactly as it stands."""
    if given.yaml_type == "str":
        return given.text
    meaning = _YAML_TYPES.get(given.yaml_type, "not text")
    if given.private:
        raise Mistake(f"is {meaning} to YAML; put it in quotes")
    raise Mistake(f"{plain(short(given.raw))} is {meaning} to YAML; write {quoted(given.raw)}")


def _as_name(given: Scalar, key: Key) -> str:
    """Text that names something of the shop: compared exactly, but for the form of its signs."""
    return composed(_as_written(given, key))


def _as_skus(given: Scalar, key: Key) -> str:
    """A SKU, or with a * at its end all that begin so."""
    text = _as_name(given, key).strip()
    if text == "*":
        raise Mistake('"*" is every SKU; write how those begin that are meant, like TEST-*')
    return text


def _as_product_or_variant(given: Scalar, key: Key) -> str:
    """The number or gid of a product or a variant. A number needs no quotes here."""
    text = given.text.strip()
    if re.fullmatch(r"(gid://shopify/(Product|ProductVariant)/)?[1-9][0-9]{0,18}", text):
        return text
    raise Mistake(
        f"{given.shown} is not the id of a product or variant; write its number, which ends its "
        "address in the Shopify admin"
    )


def _as_word(given: Scalar, key: Key) -> str:
    """Text without spaces or line breaks around it."""
    return _as_written(given, key).strip()


def _as_path(given: Scalar, key: Key) -> str:
    text = _as_word(given, key)
    if not text.isprintable():
        raise Mistake(
            f"{given.shown} holds a line break or control character; write it on one line"
        )
    return text


def _as_secret(given: Scalar, key: Key) -> str:
    text = _as_word(given, key)
    # It becomes an HTTP header or a form field; anything else would fail later, and less clearly.
    if not re.fullmatch(WORD, text):
        raise Mistake("holds a space, a line break or a character that is not ASCII; copy it again")
    return text


def _as_shop(given: Scalar, key: Key) -> str:
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
        raise Mistake(
            f"{given.shown} is not a shop's myshopify.com domain; write it like "
            "my-shop.myshopify.com "
            "(Shopify admin: Settings, Domains), or write sandbox"
        )
    raise Mistake(
        f"{given.shown} is not a shop's myshopify.com domain; write {mend}, or write sandbox"
    )


def _as_choice(given: Scalar, key: Key) -> str:
    text = given.text.strip()
    if text in key.allowed:
        return text
    near = None if given.private else nearest(given.raw, key.allowed)
    mend = f"did you mean {near}?" if near else f"write {listed(key.allowed, 'or')}"
    raise Mistake(f"{given.shown} is not one of {', '.join(key.allowed)}; {mend}")


def _as_flag(given: Scalar, key: Key) -> bool:
    text = given.text.strip().lower()
    if text in _YES + _NO and (given.yaml_type == "bool" or given.from_variable):
        return text in _YES
    if text in _YES + _NO:
        raise Mistake(
            f"{given.shown} is text; write {'true' if text in _YES else 'false'}, without quotes"
        )
    raise Mistake(f"{given.shown} is neither true nor false; write true or false")


def _as_seconds(given: Scalar, key: Key) -> float:
    text = given.text.strip()
    if found := re.fullmatch(_DURATION, text):
        return int(found[1]) * _SECONDS[found[2]]
    if re.fullmatch(r"[1-9][0-9]{0,5}", text) and not given.from_variable:
        raise Mistake(f"{text} has no unit; write {text}s, {text}m, {text}h or {text}d")
    raise Mistake(
        f"{given.shown} is not a length of time above 0; write a whole number and s, m, h or d, "
        f"like {key.default}"
    )


def _as_fraction(given: Scalar, key: Key) -> float:
    text = given.text.strip()
    if found := re.fullmatch(_PERCENTAGE, text):
        return float(found[1]) / 100
    if re.fullmatch(_PERCENTAGE, f"{text}%") and not given.from_variable:
        if "." in text and float(text) < 1:
            raise Mistake(f"{text} has no percent sign; write {float(text) * 100:g}%")
        raise Mistake(f"{text} has no percent sign; write {text}%")
    raise Mistake(
        f"{given.shown} is not a percentage from 0% to 100%; write one like {key.default}"
    )


def _as_units(given: Scalar, key: Key) -> int:
    text = given.text.strip()
    whole = re.fullmatch(r"0|[1-9][0-9]{0,5}", text)
    if whole and (given.yaml_type == "int" or given.from_variable):
        return int(text)
    if whole:
        raise Mistake(f"{given.shown} is text; write {text}, without quotes")
    raise Mistake(
        f"{given.shown} is not a number of units; write a whole number from 0 to 999999, like "
        f"{key.default}"
    )


def _as_url(given: Scalar, key: Key) -> str:
    """An address without a slash at the end: https, or http to this machine."""
    from urllib.parse import urlsplit

    text = _as_word(given, key)
    # Not everyone who parses an address agrees on where the host ends once these are in it.
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise Mistake("holds a space, a backslash or a control character; take it out")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise Mistake(f"{given.shown} is not an address; write one like {key.example}") from None
    if parts.scheme not in ("https", "http") or not host:
        raise Mistake(f"{given.shown} is not an http(s) address; write one like {key.example}")
    if "@" in parts.netloc:
        raise Mistake("holds a user name or password; take out everything up to the @")
    if parts.scheme == "http" and not is_loopback(text):
        raise Mistake(
            f"{given.shown} is not encrypted; write https:// (http only to 127.0.0.1, ::1 or "
            "localhost)"
        )
    if parts.query or parts.fragment:
        raise Mistake(
            f"{given.shown} goes on after its path; take out everything from the ? or # on"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _as_endpoint(given: Scalar, key: Key) -> str:
    """The address of an API, as the client that is to use it reads it."""
    from invsync.admin.address import address_of

    url = _as_url(given, key)
    if address_of(url) is None:
        raise Mistake(f"{given.shown} is not an address; write one like {key.example}")
    if re.search(r"[^/]/admin(/|$)", url):
        raise Mistake(
            f"{given.shown} holds a path of the Admin API; take out everything from /admin on"
        )
    return url


def _as_location(given: Scalar, key: Key) -> str:
    """A location's name, number or gid. A number needs no quotes here."""
    if given.yaml_type == "int" and re.fullmatch(r"[1-9][0-9]*", given.text):
        return given.text
    return _as_name(given, key)


def _as_sku(given: Scalar, key: Key) -> str:
    """A SKU: without blanks around it, as it is compared."""
    return _as_name(given, key).strip()


def _as_metafield(given: Scalar, key: Key) -> str:
    text = _as_word(given, key)
    if re.fullmatch(r"[A-Za-z0-9_$:-]+(\.[A-Za-z0-9_$:-]+)+", text):
        return text
    raise Mistake(
        f"{given.shown} is not a metafield's namespace and key; write them with a dot between, "
        f"like {key.example}"
    )


def _as_size(given: Scalar, key: Key) -> int:
    """Units of one piece of a listing."""
    text = given.text.strip()
    if given.yaml_type in ("int", "str") and re.fullmatch(r"[1-9][0-9]{0,5}", text):
        return int(text)
    raise Mistake(
        f"{given.shown} is not a whole number of units from 1 to 999999; write one, like 6"
    )


def _as_listing(given: Scalar, key: Key) -> str:
    """A SKU, or the id of a product or variant."""
    text = _as_sku(given, key)
    if not text.startswith("gid:") or re.fullmatch(_LISTING, text):
        return text
    raise Mistake(
        f"{given.shown} is not the id of a product or variant; write it like "
        "gid://shopify/ProductVariant/1004, or give the SKU"
    )


def or_variable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of such a value, or of text with a variable in it."""
    return {"anyOf": [dict(schema), {"$ref": "#/$defs/variable"}]}


_EXACT = {"type": "string", "pattern": r"\S"}
_URL = {
    "type": "string",
    "pattern": r"^(https://[^\s@?#]+|http://(localhost|127\.|\[::1\])[^\s@?#]*)$",
}
_PLACE = {"anyOf": [_EXACT, {"type": "integer", "minimum": 1}]}

FILE = Kind(_as_path, _EXACT)
SECRET = Kind(_as_secret, _EXACT)
SHOP = Kind(_as_shop, or_variable({"type": "string", "pattern": f"^(sandbox|{_DOMAIN})$"}))
URL = Kind(_as_url, or_variable(_URL))
ENDPOINT = Kind(_as_endpoint, or_variable(_URL))
DURATION = Kind(_as_seconds, or_variable({"type": "string", "pattern": f"^{_DURATION}$"}))
PERCENTAGE = Kind(_as_fraction, or_variable({"type": "string", "pattern": f"^{_PERCENTAGE}$"}))
UNITS = Kind(_as_units, or_variable({"type": "integer", "minimum": 0, "maximum": 999_999}))
FLAG = Kind(_as_flag, or_variable({"type": "boolean"}))
CHOICE = Kind(_as_choice, {})
NAME = Kind(_as_name, _EXACT)
NAMES = Kind(_as_name, _EXACT, many=True)
SKUS = Kind(_as_sku, _EXACT, many=True)
SIZE = Kind(_as_size, {"type": "integer", "minimum": 1, "maximum": 999999})
LISTING = Kind(_as_listing, _EXACT)
NAME = Kind(_as_name, _EXACT)
METAFIELD = Kind(_as_metafield, {"type": "string", "pattern": r"^[^.\s]+(\.[^.\s]+)+$"})
SKUS_OR_BEGINNINGS = Kind(_as_skus, _EXACT, many=True)
OBJECTS = Kind(_as_product_or_variant, _PLACE, many=True)
SECTION = Kind(_as_written, {"type": "object"})
LOCATION = Kind(_as_location, _PLACE)
LOCATION_LIST = Kind(_as_location, _PLACE, many=True)


def filled(raw: str, environ: Mapping[str, str]) -> str:
    """The text with each `${VAR}` replaced by the variable, and each `$${` by a plain `${`."""

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        name = found[1] or ""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or holds_secret(name):
            raise Mistake(
                "${ must be followed by a variable's name and }; correct it, or write $${ for a "
                "plain ${"
            )
        if name not in environ:
            raise Mistake(
                f"the environment variable {name} is not set; set it (for cron: in the crontab)"
            )
        return environ[name]

    return re.sub(r"\$\$\{|\$\{(?:([^{}]*)\})?", replace, raw)


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine."""
    from invsync.admin.address import address_of

    address = address_of(url)
    return address is not None and address.loopback
