"""The configuration's file: YAML, read line by line, with everything that is wrong in it."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invsync.config.keys import SECTIONS, unknown_mend
from invsync.config.values import SECRET, Key, Mistake, Scalar, filled
from invsync.config.words import holds_secret, joined, plain, quoted, yaml_list
from invsync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import yaml

#: Far above any real configuration; keeps a wrong file (a log, a device) from being read into
#: memory.
_MAX_BYTES = 1 << 20
#: Seconds for which a pipe in a file's place is listened to.
PIPE_SECONDS = 10.0

#: YAML's tag of a value that is left out, or written as null or ~.
_NULL = "tag:yaml.org,2002:null"


class Reading:
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
        at = f"{plain(self.file)}:{line}" if line else plain(self.file)
        self.problems.append((line, f"{at}: {where}: {what}" if where else f"{at}: {what}"))

    def raise_problems(self) -> None:
        """Raises `ConfigError` with every problem that was found, in the file's order."""
        if self.problems:
            raise ConfigError(
                *dict.fromkeys(text for _, text in sorted(self.problems, key=lambda each: each[0]))
            )

    def _fail(self, line: int, what: str) -> ConfigError:
        """The error of a file that can't be looked at any further."""
        self.problem(line, "", what)
        return ConfigError(*(text for _, text in self.problems))

    # From text to YAML's nodes. The nodes keep the text and line of every value, which messages
    # need, and leave apart what YAML would turn into something else: 1:30 is the number 90 to it,
    # and a tag `on` is true.

    def document(self) -> yaml.MappingNode:
        """The file's top mapping. Raises `ConfigError` where there is none."""
        import yaml

        node = self._composed(self._text())
        if node is None or node.tag == _NULL:
            raise self._fail(0, "is empty; start from `invsync config example`")
        if isinstance(node, yaml.MappingNode):
            return node
        what = "a list" if isinstance(node, yaml.SequenceNode) else "one text"
        raise self._fail(
            node.start_mark.line + 1,
            f"is {what}, not keys with values; start from `invsync config example`",
        )

    def _text(self) -> str:
        try:
            content, self.readable_by_others = read(self.file)
        except FileNotFoundError:
            raise self._fail(0, "there is no such file; name another with --config") from None
        except IsADirectoryError:
            raise self._fail(0, "is a folder; name the file in it") from None
        except (OSError, ValueError) as error:
            raise self._fail(
                0, f"can't be read: {reason(error)}; correct its permissions"
            ) from None
        if len(content) > _MAX_BYTES:
            raise self._fail(
                0, "is larger than 1 MiB and so no configuration; name another file with --config"
            )
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self._fail(line, "is not UTF-8 text; save it as UTF-8") from None

    def _composed(self, text: str) -> yaml.Node | None:
        """The text as YAML's nodes, merged; None of an empty one."""
        import yaml

        try:
            # Not libyaml's loader: it would save 1 ms, and deep nesting overflows its stack and
            # kills the process.
            node = yaml.compose(text, yaml.SafeLoader)
            if node is not None:
                self._merge(node, "", set())
        except yaml.MarkedYAMLError as error:
            raise ConfigError(_invalid(plain(self.file), text, error)) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._fail(line, "holds a control character; delete it") from None
        except RecursionError:
            raise self._fail(
                0, "is nested far too deeply; start again from `invsync config example`"
            ) from None
        return node

    def _merge(self, node: yaml.Node, where: str, seen: set[int]) -> None:
        """Puts in place what `<<` merges, and notes keys given twice.

        YAML would silently take the last.
        """
        import yaml

        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for each in node.value:
                self._merge(each, where, seen)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = _name(key), key.start_mark.line + 1
                path = joined(where, name)
                if name in lines:
                    self.problem(
                        line, path, f"is given already, on line {lines[name]}; keep one of them"
                    )
                lines.setdefault(name, line)
                self._merge(value, path, seen)
            yaml.SafeLoader("").flatten_mapping(node)

    def entries(
        self, node: yaml.MappingNode, where: str, known: Sequence[str]
    ) -> dict[str, yaml.Node]:
        """The known keys that have a value. A key without one counts as left out."""
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name, line = _name(key), key.start_mark.line + 1
            path = joined(where, name)
            if name not in known:
                self.problem(
                    line, path, f"is not a key of invsync; {unknown_mend(name, where, known)}"
                )
            elif value.tag != _NULL:
                found[name] = value
                self.lines[path] = line
        return found

    def section(self, node: yaml.Node | None, name: str) -> dict[str, Any] | None:
        """The values of a section; None when the file does not have it."""
        if node is None:
            return None
        return self._below(node, name, SECTIONS[name][1])

    def _below(self, node: yaml.Node, path: str, keys: Sequence[Key]) -> dict[str, Any] | None:
        """The values of the keys below a key; None where it is mistaken, which is noted."""
        import yaml

        if not isinstance(node, yaml.MappingNode):
            what = (
                "must be a section; indent its keys below it, as `invsync config example` shows it"
            )
            self.problem(self.lines[path], path, what)
            return None
        return self.values(self.entries(node, path, [key.name for key in keys]), path, keys)

    # From YAML's nodes to values.

    def values(
        self, entries: Mapping[str, yaml.Node], where: str, keys: Sequence[Key]
    ) -> dict[str, Any]:
        """The value of each key, or its default; None where it is mistaken, which is noted."""
        result: dict[str, Any] = {}
        for key in keys:
            path = joined(where, key.name)
            node = entries.get(key.name)
            if node is not None and key.keys:
                result[key.name] = self._below(node, path, key.keys)
            elif key.keys:
                result[key.name] = self.values({}, path, key.keys)
            elif node is None:
                result[key.name] = _default(key)
                if key.required:
                    self.problem(0, path, f"is missing; add {key.name}: {key.example}")
            elif key.kind.whole:
                result[key.name] = key.kind.whole(self, node, path, key, self.lines[path])
            else:
                take = self._many if key.kind.many else self.one
                result[key.name] = take(node, path, key, self.lines[path])
        return result

    def one(self, node: yaml.Node, path: str, key: Key, line: int) -> Any:
        """The value of one scalar; None where it is mistaken, which is noted."""
        try:
            given = self._scalar(node, key)
            value = key.kind.read(given, key)
        except Mistake as mistake:
            self.problem(line, path, str(mistake))
            self.mistaken.add(path)
            return None
        if key.secret and key.kind is SECRET:
            self._note_literal(given.raw, key.name)
        return value

    def _many(self, node: yaml.Node, path: str, key: Key, line: int) -> tuple[Any, ...] | str:
        import yaml

        if isinstance(node, yaml.ScalarNode) and node.value.strip() in key.allowed:
            return str(node.value.strip())
        if not isinstance(node, yaml.SequenceNode):
            word = (
                node.value
                if isinstance(node, yaml.ScalarNode) and not holds_secret(node.value)
                else None
            )
            written = yaml_list((word,) if word else key.example or ())
            self.problem(line, path, f"must be a list; write {written}")
            self.mistaken.add(path)
            return ()
        found: list[Any] = []
        for each in node.value:
            line = each.start_mark.line + 1
            value = self.one(each, path, key, line)
            if value is not None and value in found:
                shown = "a value" if holds_secret(each.value) else quoted(each.value)
                self.problem(line, path, f"{shown} is listed twice; delete one of them")
                self.mistaken.add(path)
            found.append(value)
        return tuple(found)

    def _scalar(self, node: yaml.Node, key: Key) -> Scalar:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            what = "list" if isinstance(node, yaml.SequenceNode) else "section"
            raise Mistake(f"must be one value, not a {what}; write one")
        prefix, _, yaml_type = node.tag.rpartition(":")
        if prefix != "tag:yaml.org,2002":
            raise Mistake("has a YAML tag (!…) that invsync does not know; take it out")
        text = filled(node.value, self.environ) if yaml_type == "str" else node.value
        given = Scalar(text, node.value, yaml_type, key.secret)
        if not text.strip():
            if given.from_variable:
                raise Mistake(
                    "is empty, since its environment variable is; set that, or delete the line"
                )
            raise Mistake("is empty; give it a value, or delete it")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Mistake(
                "holds something that is not Unicode text; write it again in UTF-8"
            ) from None
        return given

    # Secrets.

    def _note_literal(self, raw: str, name: str) -> None:
        """A secret that stands in the file itself, rather than coming from a variable."""
        if self.readable_by_others and re.sub(r"\$\{[^}]*\}", "", raw).strip():
            self.warn_of(self.file, name)

    def warn_of(self, path: Path, name: str) -> None:
        """Notes that others can read a file with a secret, the one of the key `name`."""
        from shlex import quote

        self.warnings.append(
            f"{plain(path)}: {name}: others on this machine can read this secret; run chmod 600 "
            f"{quote(plain(path))}"
        )


def _default(key: Key) -> Any:
    if isinstance(key.default, str):
        return key.kind.read(Scalar(key.default, key.default, "str", key.secret), key)
    return key.default


def read(path: Path) -> tuple[bytes, bool]:
    """The content of a file, and whether others on this machine can read it.

    Of more than 1 MiB not much more than that. Raises `OSError`, and `ValueError` for what is no
    path.
    """
    # Opened for waiting, a pipe that nobody writes to would keep every run for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode):
            return _piped(descriptor), False
        os.set_blocking(descriptor, True)
        return file.read(_MAX_BYTES + 1), stat.S_ISREG(mode) and bool(
            mode & (stat.S_IRGRP | stat.S_IROTH)
        )


def _piped(descriptor: int) -> bytes:
    """What is written to a pipe; raises `OSError` where that takes too long."""
    content = bytearray()
    until = time.monotonic() + PIPE_SECONDS
    ready = select.poll()
    ready.register(descriptor)
    while len(content) <= _MAX_BYTES:
        if not ready.poll(max(0.0, 1000 * (until - time.monotonic()))):
            raise TimeoutError(errno.ETIMEDOUT, "it is a pipe that nobody writes to")
        piece = os.read(descriptor, _MAX_BYTES)
        if not piece:
            break
        content += piece
    return bytes(content)


def reason(error: Exception) -> str:
    """Why a file can't be read, as the system puts it."""
    return (error.strerror if isinstance(error, OSError) else None) or "that is no path"


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


def _invalid(file: str, text: str, error: yaml.MarkedYAMLError) -> str:
    """What is wrong with a text that is no YAML, and where in the file."""
    mark = error.problem_mark
    if mark and (column := _tab(text, mark.line, mark.column)):
        return (
            f"{file}:{mark.line + 1}:{column}: a tab stands there, and YAML takes none; put blanks "
            "in its place"
        )
    what = re.sub(r" ?'(.|[^']*)'", _unquoted, error.problem or "a mistake")
    at = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
    return f"{at}: is not valid YAML: {what}; look at the indentation, colons and quotes there"


def _unquoted(found: re.Match[str]) -> str:
    """What the YAML parser quotes.

    A single character or the <name> of a token stays, all else may be a secret.
    """
    return found[0] if re.fullmatch(r".|<[a-z ]+>", found[1]) else ""
