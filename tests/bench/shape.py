"""The shape of the code, in figures: how long, how wide, how tangled.

    python -m tests.bench.shape [--worst 5]

Counts what `ast` sees of every file of the package, the sandbox included, and prints each figure
beside its goal. A branch is an `if`, `for`, `while`, `except`, `case`, `and`, `or`, a conditional
expression, or a condition of a comprehension; a function's complexity is one more than its
branches. A line of code is one that is neither blank nor a comment nor of a docstring.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[2]
PACKAGE = HERE / "invsync"
SANDBOX = "invsync.sandbox"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True)
class File:
    """A file of the package. `name`: its module."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]


@dataclass
class Figure:
    """A figure beside its goal. `worst`: where it is furthest from that."""

    what: str
    value: float
    goal: float
    unit: str = ""
    worst: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return self.value <= self.goal


def files() -> list[File]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(HERE).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(File(path, name, text, ast.parse(text)))
    return found


# -- counting


def length(node: Function) -> int:
    """Lines from the first statement to the last, the docstring apart."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def branches(tree: ast.AST, *, within: bool = True) -> int:
    """The branches below a node; `within`: also in the functions and classes that it holds."""
    count = 0
    for child in ast.iter_child_nodes(tree):
        if not within and isinstance(child, Scopes):
            continue
        match child:
            case ast.If() | ast.For() | ast.While() | ast.ExceptHandler() | ast.IfExp():
                count += 1
            case ast.match_case():
                count += 1
            case ast.BoolOp():
                count += len(child.values) - 1
            case ast.comprehension():
                count += len(child.ifs)
        count += branches(child, within=within)
    return count


def lines_of_code(file: File) -> int:
    docstrings = set()
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Module | ast.ClassDef | Function):
            continue
        first = node.body[0] if node.body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            docstrings.update(range(first.lineno, (first.end_lineno or 0) + 1))
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code = set()
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        if token.type not in skipped and token.type != tokenize.ENDMARKER:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def is_value(node: ast.ClassDef) -> bool:
    """Whether a class is a plain value.

    Frozen, a tuple of names, or without a method that does anything.
    """
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    said = " ".join(map(ast.unparse, (*node.decorator_list, *node.keywords)))
    if bases & {"NamedTuple", "Protocol", "TypedDict", "Enum"} or "frozen=True" in said:
        return True
    methods = [each for each in node.body if isinstance(each, Function)]
    return all("property" in " ".join(map(ast.unparse, each.decorator_list)) for each in methods)


def fields_of(node: ast.ClassDef) -> set[str]:
    """What an object of the class holds: declared in its body, or assigned in a method."""
    declared = {
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and "ClassVar" not in ast.unparse(each.annotation)
    }
    return declared | {name for _, name in _assigned(node)}


def assigned_later(node: ast.ClassDef) -> set[str]:
    """The fields that a method assigns outside the constructor."""
    building = {"__init__", "__post_init__", "__new__"}
    return {name for method, name in _assigned(node) if method not in building}


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for method in (each for each in node.body if isinstance(each, Function)):
        itself = method.args.args[0].arg if method.args.args else ""
        for each in ast.walk(method):
            if not isinstance(each, ast.Attribute) or not isinstance(each.ctx, ast.Store):
                continue
            if isinstance(each.value, ast.Name) and each.value.id == itself:
                yield method.name, each.attr


def compares_a_command(node: ast.AST) -> bool:
    """Whether this asks "which command is it?": by its name, or by the class of its axis."""
    names = {"variants", "locations"}
    match node:
        case ast.Compare():
            sides = (node.left, *node.comparators)
            return any(
                isinstance(each, ast.Constant) and each.value in names
                for side in sides
                for each in (side.elts if isinstance(side, ast.Tuple | ast.Set) else (side,))
            )
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id=kind)]):
            return kind in {"ByProduct", "ByItem", "VariantsSettings", "LocationsSettings"}
        case ast.MatchValue(value=ast.Constant(value=value)):
            return value in names
    return False


def note_kinds(product: list[File]) -> set[str]:
    """The kinds of notes, as the rule declares them."""
    kinds = {
        each.value
        for file in product
        for node in file.tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NoteKind"
        for each in ast.walk(node.value)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    assert kinds, "nothing declares NoteKind"
    return kinds


#: Words that are kinds of notes, but also keys of the configuration, of the cache or of documents,
#: or standings; where these mean no note they can't be told apart here, and are not counted.
AMBIGUOUS = {"held", "adopted", "out_of_sync", "several_rises", "fell_alike"}


def named_in(product: list[File], kind: str) -> list[str]:
    """The files that name a kind; the rule is one room, whatever its files."""
    found = {
        "invsync.sync" if file.name.startswith("invsync.sync") else file.name
        for file in product
        if any(
            isinstance(node, ast.Constant) and node.value == kind for node in ast.walk(file.tree)
        )
    }
    return sorted(found)


def raw_entries(file: File) -> Iterator[int]:
    """Lines on which the entry of a pool is indexed by a key of its own."""
    keys = {"levels", "quantity", "title", "problem", "held", "braked", "pending", "left_alone"}
    for node in ast.walk(file.tree):
        key: ast.expr | None = None
        match node:
            case ast.Subscript(value=value, slice=key):
                pass
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key, *_]):
                pass
            case _:
                continue
        holder = ast.unparse(value)
        if (
            isinstance(key, ast.Constant)
            and key.value in keys
            and ("pools" in holder or holder in {"entry", "known"})
        ):
            yield node.lineno


# -- import circles


def imports(all_files: list[File]) -> dict[str, set[str]]:
    """Module → the modules of the package that it imports, as it is loaded or in a function."""
    names = {file.name for file in all_files}
    found: dict[str, set[str]] = {}
    for file in all_files:
        uses = found.setdefault(file.name, set())
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                uses.update(alias.name for alias in node.names if alias.name in names)
            elif isinstance(node, ast.ImportFrom) and node.module in names:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                uses.update(inner & names or {node.module})
    return {name: uses - {name} for name, uses in found.items()}


def across(uses: Mapping[str, set[str]]) -> list[str]:
    """What the sandbox imports of the rest: the two meet in HTTP and GraphQL only."""
    return sorted(
        f"{name} → {other}"
        for name, others in uses.items()
        for other in others
        if name.startswith(SANDBOX) and not other.startswith(SANDBOX)
    )


def circles(uses: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that import each other (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in uses.get(name, ()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for name in uses:
        if name not in index:
            visit(name)
    return found


# -- the table


def figures() -> list[Figure]:
    package = files()
    apart = [file for file in package if not file.name.startswith(SANDBOX)]
    return [
        *of_classes(package),
        *of_functions(package),
        *of_files(package),
        of_readme(),
        *of_facts(apart),
        *of_imports(imports(package)),
    ]


def of_classes(product: list[File]) -> Iterator[Figure]:
    classes = [(file, node) for file in product for node in file.classes]
    wide = sorted(
        ((len(fields_of(node)), f"{file.name}.{node.name}") for file, node in classes
         if not is_value(node)),
        reverse=True,
    )  # fmt: skip
    yield Figure("fields of a class that is no plain value, most", wide[0][0], 12, worst=told(wide))
    later = sorted(
        ((len(assigned_later(node)), f"{file.name}.{node.name}") for file, node in classes),
        reverse=True,
    )
    yield Figure("fields that a class assigns later, most", later[0][0], 5, worst=told(later))


def of_functions(product: list[File]) -> Iterator[Figure]:
    functions = [(file, node) for file in product for node in file.functions]
    lengths = sorted(
        ((length(node), f"{file.name}.{node.name}") for file, node in functions), reverse=True
    )
    yield Figure("lines of a function, median", statistics.median(n for n, _ in lengths), 7)
    yield Figure("lines of a function, most", lengths[0][0], 50, worst=told(lengths))
    complex_ones = sorted(
        (
            (1 + branches(node, within=False), f"{file.name}.{node.name}")
            for file, node in functions
        ),
        reverse=True,
    )
    share = 100 * sum(n > 10 for n, _ in complex_ones) / len(complex_ones)
    yield Figure("functions over complexity 10", share, 4, "%", told(complex_ones))


def of_files(product: list[File]) -> Iterator[Figure]:
    dense = 100 * sum(branches(file.tree) for file in product) / sum(map(lines_of_code, product))
    densest = sorted(
        (
            (round(100 * branches(file.tree) / code), file.name)
            for file in product
            if (code := lines_of_code(file)) > 50
        ),
        reverse=True,
    )
    yield Figure("branches per 100 lines of code", dense, 25, worst=told(densest))
    sizes = sorted(((file.text.count("\n"), file.name) for file in product), reverse=True)
    yield Figure("lines of a file, most", sizes[0][0], 450, worst=told(sizes))
    wide = sorted(
        ((sum(len(line) > 100 for line in file.text.split("\n")), file.name) for file in product),
        reverse=True,
    )
    total = sum(count for count, _ in wide)
    yield Figure("lines of more than 100 signs", total, 0, worst=told(wide))


def of_readme() -> Figure:
    return Figure("lines of README.md", (HERE / "README.md").read_text("utf-8").count("\n"), 100)


def of_facts(product: list[File]) -> Iterator[Figure]:
    raw = [
        (file.name, line)
        for file in product
        if not file.name.startswith("invsync.state")
        for line in raw_entries(file)
    ]
    where = [f"{name}:{line}" for name, line in raw]
    yield Figure("a pool's entry indexed outside state/", len(raw), 0, worst=where)
    asked = [
        f"{file.name}:{node.lineno}"
        for file in product
        for node in ast.walk(file.tree)
        if isinstance(node, ast.expr) and compares_a_command(node)
    ]
    yield Figure('times that "which command is it?" is asked', len(asked), 3, worst=asked)
    named = sorted(
        (
            (len(places), f"{kind}: {', '.join(places)}")
            for kind in note_kinds(product) - AMBIGUOUS
            if (places := named_in(product, kind))
        ),
        reverse=True,
    )
    yield Figure(
        "files in which one kind of note is named, most", named[0][0], 2, worst=told(named)
    )


def of_imports(uses: Mapping[str, set[str]]) -> Iterator[Figure]:
    found = [", ".join(one) for one in circles(uses)]
    yield Figure("import circles, sandbox and late ones included", len(found), 0, worst=found)
    led_out = across(uses)
    yield Figure("imports of the sandbox out of it", len(led_out), 0, worst=led_out)


def told(ranked: list[tuple[int, str]]) -> list[str]:
    return [f"{count:4} {name}" for count, name in ranked]


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worst", type=int, default=0, help="show where each figure is worst")
    given = parser.parse_args()
    missed = 0
    for figure in figures():
        missed += not figure.met
        value = f"{figure.value:.1f}".removesuffix(".0") + figure.unit
        goal = f"≤ {figure.goal}{figure.unit}"
        print(f"{figure.what:<50} {value:>8}  {goal:<7} {'' if figure.met else 'missed'}".rstrip())
        for line in figure.worst[: given.worst]:
            print(f"    {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
