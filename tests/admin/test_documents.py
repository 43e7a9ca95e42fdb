from __future__ import annotations

from pathlib import Path

import pytest

from invsync.admin import documents
from invsync.admin.documents import Document, load

MUTATION = (
    "mutation Adjust($key: String!) { inventoryAdjustQuantities(input: {a: {b: 1}}) %s { "
    "userErrors { code } } }"
)


@pytest.mark.parametrize(
    ("text", "operation", "is_query", "repeatable"),
    [
        ("query Shop { shop { id } }", "Shop", True, True),
        ("query { shop { id } }", "doc", True, True),
        ("{ shop { id } }", "doc", True, True),
        ("# mutation in a comment {\nquery Shop { shop { id } }", "Shop", True, True),
        ('query Q { products(query: "} mutation M {") { nodes { id } } }', "Q", True, True),
        ("fragment F on Shop { id }\nquery Q { shop { ...F } }", "Q", True, True),
        ("fragment F on Shop { id }\nmutation M { a { ...F } }", "M", False, False),
        (MUTATION % "@idempotent(key: $key)", "Adjust", False, True),
        (MUTATION % "", "Adjust", False, False),
        (MUTATION % "# @idempotent(key: $key)\n", "Adjust", False, False),
        (MUTATION % "@idempotentish", "Adjust", False, False),
        ("mutation M($in: In = {a: 1}) { a(in: $in) { id } }", "M", False, False),
        (
            'mutation { bulkOperationRunQuery(query: """{ a @idempotent { b } }""") { userErrors { '
            "code } } }",
            "doc",
            False,
            False,
        ),
    ],
)
def test_only_queries_and_idempotent_mutations_may_be_repeated_blindly(
    text: str, operation: str, is_query: bool, repeatable: bool
) -> None:
    document = Document("doc", text)
    assert (document.operation, document.is_query, document.repeatable) == (
        operation,
        is_query,
        repeatable,
    )


def test_a_document_is_read_from_the_package_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up.graphql").write_text(
        "query MadeUp { shop { name } }  # ü", encoding="utf-8"
    )
    monkeypatch.setattr(documents, "files", lambda package: tmp_path)
    document = load("made_up")
    assert document == Document("made_up", "query MadeUp { shop { name } }  # ü")
    (tmp_path / "made_up.graphql").unlink()
    assert load("made_up") is document


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in Path(documents.__file__).parent.glob("*.graphql"))
)
def test_every_document_of_the_package_holds_one_named_operation(name: str) -> None:
    document = load(name)
    assert document.operation != name


def test_a_document_keeps_its_text_out_of_its_repr() -> None:
    assert repr(Document("shop", "query Shop { shop { id } }")) == "Document(name='shop')"
