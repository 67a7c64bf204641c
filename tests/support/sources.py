"""The source tree as data: modules, what they import, and where. Reads files, imports nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


@dataclass(frozen=True, slots=True)
class Import:
    """`target` is a dotted name: of a module, or of something in one."""

    target: str
    line: int
    at_start: bool
    """Whether it runs when the module is imported: not in a function, not for type checkers."""


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> list[Import]:
        return list(_imports(self.tree, self._package, at_start=True))

    @property
    def _package(self) -> str:
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def where(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


def read_modules(package: str, src: Path = SRC) -> list[Module]:
    """Every module of a package under `src`, sorted by name."""
    modules = []
    for path in sorted((src / package).rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules.append(Module(name, path, path.read_text("utf-8")))
    return modules


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def find_cycles(modules: Iterable[Module]) -> list[list[str]]:
    """Groups of modules that import each other when they are imported."""
    by_name = {module.name: module for module in modules}
    graph = {
        name: {
            found
            for item in module.imports
            if item.at_start and (found := _module_of(item.target, by_name)) and found != name
        }
        for name, module in by_name.items()
    }
    return [sorted(group) for group in _components(graph) if len(group) > 1]


def _module_of(target: str, known: Iterable[str]) -> str | None:
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target or None


def _imports(node: ast.AST, package: str, *, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_start) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, package)
            yield from (
                Import(f"{base}.{alias.name}", child.lineno, at_start) for alias in child.names
            )
        elif isinstance(child, ast.Call) and (name := _dynamic_import(child)):
            yield Import(name, child.lineno, at_start=False)
        if isinstance(child, ast.If) and _is_for_type_checkers(child.test):
            body = ast.Module(body=child.body, type_ignores=[])
            otherwise = ast.Module(body=child.orelse, type_ignores=[])
            yield from _imports(body, package, at_start=False)
            yield from _imports(otherwise, package, at_start=at_start)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, package, at_start=at_start and not is_function)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _dynamic_import(call: ast.Call) -> str | None:
    """The module of `import_module("a.b")`, or the fixed beginning of `import_module(f"a.{b}")`."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in {"import_module", "__import__"} or not call.args:
        return None
    argument: ast.expr = call.args[0]
    if isinstance(argument, ast.JoinedStr) and argument.values:
        argument = argument.values[0]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value.rstrip(".")
    return None


def _is_for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _components(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Strongly connected components: sets of nodes that reach each other."""
    reach = {node: _reachable(node, graph) for node in graph}
    seen: set[str] = set()
    for node in graph:
        if node not in seen:
            group = {node} | {other for other in reach[node] if node in reach[other]}
            seen |= group
            yield group


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = graph[todo.pop()] - found
        found |= new
        todo.extend(new)
    return found
