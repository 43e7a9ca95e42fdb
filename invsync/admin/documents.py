"""GraphQL documents: one operation each, kept as `.graphql` files beside this module."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

# Strings before comments, and comments before braces: each may hold what the next one looks for.
_STRING_OR_COMMENT = re.compile(r'"""(?:\\"""|[\s\S])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*')
_INNERMOST_BRACES = re.compile(r"\{[^{}]*\}")
_DEFINITION = re.compile(r"\s*(query|mutation|subscription)\b\s*(\w*)")
_IDEMPOTENT = re.compile(r"@idempotent\b")
#: Where a document takes what is asked of a variant besides.
_ALSO = re.compile(r"^( *)# ALSO\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """One operation. `name` is its file's, without the ending; `text` is what is sent."""

    name: str
    text: str = field(repr=False)

    @property
    def operation(self) -> str:
        """The operation's own name, as logs and messages give it.

        The document's name where it has none.
        """
        return _operation(self.text)[1] or self.name

    @property
    def is_query(self) -> bool:
        """Whether it only reads."""
        return _operation(self.text)[0] == "query"

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again, with the same variables, when it may have run already.

        True of a query, and of a mutation that carries `@idempotent`: Shopify then does the work
        once and answers alike again (https://shopify.dev/docs/api/usage/implementing-idempotency).
        """
        return self.is_query or _IDEMPOTENT.search(_bare(self.text)) is not None


@cache
def load(name: str, also: tuple[str, ...] = ()) -> Document:
    """The document in `<name>.graphql`; it is read once.

    `also`: selections that it takes in the line `# ALSO`. Raises `FileNotFoundError` where the
    package holds no such file.
    """
    text = files("invsync.admin").joinpath(f"{name}.graphql").read_text("utf-8")
    return Document(name, _ALSO.sub(lambda at: "".join(f"{at[1]}{one}\n" for one in also), text))


@cache
def _operation(text: str) -> tuple[str, str]:
    """The kind and the name of the operation in `text`."""
    top = _bare(text)
    while (outer := _INNERMOST_BRACES.sub(";", top)) != top:
        top = outer
    for definition in top.split(";"):
        if match := _DEFINITION.match(definition):
            return match[1], match[2]
    return "query", ""  # the shorthand: a selection and nothing before it


@cache
def _bare(text: str) -> str:
    """`text` without its strings and comments."""
    return _STRING_OR_COMMENT.sub(" ", text)
