"""The tree's rules, computed from its source: who imports whom, and who may touch what.

The ranks are those of docs/concepts/architecture.md. When a rule fails, move the code rather
than the rule; when the rule is wrong, change it there and here together.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from support.sources import ROOT, Import, Module, find_cycles, is_inside, read_modules

CLIENT = read_modules("llmaas_client")
SERVER = read_modules("llmaas_server")
EVERYTHING = CLIENT + SERVER

LOW = frozenset({"seam", "models", "settings", "errors", "log"})
FRONT_DOORS = frozenset({"api", "compat", "ui"})

# Room of the server -> rooms it may import, besides itself and llmaas_client.wire.
ROOMS: dict[str, frozenset[str]] = {
    "cli": LOW | FRONT_DOORS | {"app", "edge", "gateway", "storage"},
    "app": LOW | FRONT_DOORS | {"gateway", "storage", "backends"},
    "edge": LOW,
    "api": LOW | {"gateway", "storage"},
    "compat": LOW | {"api", "gateway", "storage"},
    "ui": LOW | {"api", "gateway", "storage"},
    "gateway": LOW | {"storage"},
    "storage": LOW,
    "backends": LOW,
    "worker": LOW | {"tasks", "runtime"},
    "tasks": LOW | {"runtime"},
    "runtime": LOW,
    "models": frozenset({"seam", "settings", "errors"}),
    "settings": frozenset({"seam", "errors"}),
    "seam": frozenset({"errors"}),
    "errors": frozenset(),
    "log": frozenset(),
}

# The parts of runtime that have no torch in them: all that tasks may import of it.
RUNTIME_DOORS = ("llmaas_server.runtime.interface", "llmaas_server.runtime.request")

WEB_ROOMS = ("app", "api", "compat", "ui")

# Package -> modules that may import it, each with all that is below it.
KEPT_IN: dict[str, tuple[str, ...]] = {
    "torch": ("llmaas_server.runtime", "llmaas_server.models.conversion"),
    "transformers": ("llmaas_server.runtime", "llmaas_server.models.conversion"),
    "starlette": tuple(f"llmaas_server.{room}" for room in WEB_ROOMS),
    "sqlalchemy": ("llmaas_server.storage",),
    "sqlite3": ("llmaas_server.storage",),
    "alembic": ("llmaas_server.storage",),
    "psycopg": ("llmaas_server.storage",),
    "opentelemetry": ("llmaas_server.gateway.otel", "llmaas_client.tracing"),
    "httpx": ("llmaas_client.http",),
    "httpcore": ("llmaas_client.http", "llmaas_client.sockets"),
    "pickle": (),
    "cloudpickle": (),
    "dill": (),
    "joblib": (),
    "shelve": (),
    "marshal": (),
}

ENVIRONMENT_READERS = ("llmaas_server.settings", "llmaas_client.config")
STATUS_OWNER = "llmaas_client.wire.errors"
PRINTERS = ("llmaas_client.cli", "llmaas_server.cli")
MOST_LINES = 400


def room_of(name: str) -> str:
    """`runtime` for `llmaas_server.runtime.engine`; empty for the package itself."""
    return name.partition(".")[2].partition(".")[0]


def rooms_of_server() -> set[str]:
    return {room_of(module.name) for module in SERVER} - {""}


def imports_of(modules: list[Module]) -> Iterator[tuple[Module, Import]]:
    return ((module, item) for module in modules for item in module.imports)


def is_in_any(name: str, packages: tuple[str, ...]) -> bool:
    return any(is_inside(name, package) for package in packages)


def report(breaches: list[str], rule: str) -> None:
    assert not breaches, f"{rule}:\n  " + "\n  ".join(breaches)


def test_there_is_something_to_check() -> None:
    assert len(CLIENT) > 10
    assert len(SERVER) > 5
    assert {"seam", "runtime", "tasks", "errors"} <= rooms_of_server()
    assert any(item.target.startswith("llmaas_client.wire") for _, item in imports_of(SERVER))


def test_every_room_has_a_rank() -> None:
    report(
        [f"llmaas_server.{room}" for room in sorted(rooms_of_server() - set(ROOMS))],
        "rooms without a row in ROOMS",
    )


def test_ranks_have_no_way_back() -> None:
    left = dict(ROOMS)
    while free := {room for room, below in left.items() if not below & set(left)}:
        left = {room: below for room, below in left.items() if room not in free}
    assert not left, f"these ranks go round in a circle: {sorted(left)}"


def test_imports_go_down() -> None:
    breaches = []
    for module, item in imports_of(SERVER):
        here, there = room_of(module.name), room_of(item.target)
        if not is_inside(item.target, "llmaas_server") or here in {"", there}:
            continue
        if there in ROOMS and there not in ROOMS.get(here, frozenset()):
            breaches.append(f"{module.where(item.line)}: {here} imports {item.target}")
    report(breaches, "imports go down the ranks only")


def test_tasks_see_the_runtime_through_its_doors() -> None:
    breaches = [
        f"{module.where(item.line)}: {item.target}"
        for module, item in imports_of(SERVER)
        if room_of(module.name) == "tasks"
        and is_inside(item.target, "llmaas_server.runtime")
        and not is_in_any(item.target, RUNTIME_DOORS)
    ]
    report(breaches, f"tasks import only {', '.join(RUNTIME_DOORS)} of the runtime")


def test_client_never_imports_the_server() -> None:
    breaches = [
        f"{module.where(item.line)}: {item.target}"
        for module, item in imports_of(CLIENT)
        if is_inside(item.target, "llmaas_server")
    ]
    report(breaches, "the client never imports the server")


def test_server_knows_only_the_wire_of_the_client() -> None:
    breaches = [
        f"{module.where(item.line)}: {item.target}"
        for module, item in imports_of(SERVER)
        if is_inside(item.target, "llmaas_client")
        and not is_inside(item.target, "llmaas_client.wire")
        and room_of(module.name) != "cli"
    ]
    report(breaches, "below cli, the server imports llmaas_client.wire only")


def test_wire_needs_pydantic_and_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"pydantic", "pydantic_core"}
    breaches = [
        f"{module.where(item.line)}: {item.target}"
        for module, item in imports_of(CLIENT)
        if is_inside(module.name, "llmaas_client.wire")
        and not is_inside(item.target, "llmaas_client.wire")
        and item.target.partition(".")[0] not in allowed
        and not is_picture(item)
    ]
    report(breaches, "wire imports pydantic and the standard library only")


def is_picture(item: Import) -> bool:
    """What a notebook shows of a result is drawn elsewhere, and loaded when it is shown."""
    return is_inside(item.target, "llmaas_client.html") and not item.at_start


@pytest.mark.parametrize("package", KEPT_IN)
def test_package_stays_where_it_belongs(package: str) -> None:
    owners = KEPT_IN[package]
    breaches = [
        f"{module.where(item.line)}: {item.target}"
        for module, item in imports_of(EVERYTHING)
        if is_inside(item.target, package) and not is_in_any(module.name, owners)
    ]
    report(breaches, f"{package} is imported only in: {', '.join(owners) or 'no module'}")


def reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr in names


def test_environment_is_read_in_settings_and_config_only() -> None:
    breaches = find_nodes(reads_environment, outside=ENVIRONMENT_READERS)
    report(breaches, f"the environment is read only in {', '.join(ENVIRONMENT_READERS)}")


ERROR_STATUSES = frozenset(status.value for status in HTTPStatus if status >= 400) | {499}


def names_status(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "HTTPStatus" for alias in node.names)
    return isinstance(node, ast.Constant) and type(node.value) is int and is_status(node.value)


def is_status(number: int) -> bool:
    return number in ERROR_STATUSES


def test_error_statuses_are_numbers_in_the_table_of_errors_only() -> None:
    breaches = find_nodes(names_status, outside=(STATUS_OWNER,))
    report(breaches, f"HTTP error statuses are written only in {STATUS_OWNER}")


def loads_unsafely(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) in {"torch.load", "yaml.load", "yaml.unsafe_load"}
    if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
        return not (isinstance(node.value, ast.Constant) and node.value.value is False)
    return False


def test_nothing_runs_code_from_a_model() -> None:
    report(find_nodes(loads_unsafely), "no torch.load, yaml.load or trust_remote_code")


def prints(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    )


def test_only_commands_print() -> None:
    report(find_nodes(prints, outside=PRINTERS), f"print only in {', '.join(PRINTERS)}")


def find_nodes(matches: Callable[[ast.AST], bool], outside: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{module.where(getattr(node, 'lineno', 0))}: {ast.unparse(node)}"
        for module in EVERYTHING
        if not is_in_any(module.name, outside)
        for node in ast.walk(module.tree)
        if matches(node)
    ]


@pytest.mark.parametrize(
    ("source", "matches"),
    [
        ("import os\nhome = os.environ['HOME']", reads_environment),
        ("from os import getenv", reads_environment),
        ("raise Refused(404)", names_status),
        ("from http import HTTPStatus", names_status),
        ("weights = torch.load(path)", loads_unsafely),
        ("AutoModel.from_pretrained(path, trust_remote_code=trust)", loads_unsafely),
        ("print('here')", prints),
    ],
)
def test_rules_see_what_they_forbid(source: str, matches: Callable[[ast.AST], bool]) -> None:
    assert any(matches(node) for node in ast.walk(ast.parse(source)))


def test_imports_are_seen_wherever_they_hide() -> None:
    source = """
from typing import TYPE_CHECKING
from . import beside
from ..up import name
if TYPE_CHECKING:
    import for_types
def function():
    import inside
    import_module(f"package.sub.{name}")
"""
    module = Module("package.sub.module", Path("module.py"), source)
    seen = {item.target: item.at_start for item in module.imports}
    assert seen == {
        "typing.TYPE_CHECKING": True,
        "package.sub.beside": True,
        "package.up.name": True,
        "for_types": False,
        "inside": False,
        "package.sub": False,
    }


@pytest.mark.parametrize("package", ["llmaas_client", "llmaas_server"])
def test_no_import_cycles(package: str) -> None:
    groups = find_cycles([module for module in EVERYTHING if is_inside(module.name, package)])
    report([" <-> ".join(group) for group in groups], "modules that import each other")


def test_cycles_are_found() -> None:
    sources = {"a": "import b", "b": "from c import x", "c": "import a", "d": "import a"}
    modules = [Module(name, Path(f"{name}.py"), text) for name, text in sources.items()]
    assert find_cycles(modules) == [["a", "b", "c"]]


def test_files_stay_small() -> None:
    folders = ("src", "tests", "examples", "benchmarks", "scripts")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in files
        if (count := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    ]
    report(long, f"no file is longer than {MOST_LINES} lines")


def modules_loaded_by(*names: str) -> set[str]:
    """Top-level modules in a fresh interpreter after importing `names`."""
    imports = "\n".join(f"import {name}" for name in names)
    code = f"{imports}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_front_starts_without_torch() -> None:
    compute = {"worker", "tasks", "runtime"}
    front = [
        module.name
        for module in SERVER
        if room_of(module.name) not in compute
        and not is_in_any(module.name, KEPT_IN["torch"])
        and not module.name.endswith("__main__")
    ]
    loaded = modules_loaded_by(*front)
    assert "llmaas_server" in loaded
    assert not loaded & {"torch", "transformers"}


def test_the_client_imports_light() -> None:
    loaded = modules_loaded_by("llmaas_client")
    assert "llmaas_client" in loaded
    heavy = {"llmaas_server", "httpx", "pydantic", "rich", "typer", "numpy", "torch"}
    assert not loaded & heavy


def test_tasks_load_without_torch() -> None:
    tasks = [module.name for module in SERVER if room_of(module.name) == "tasks"]
    assert not modules_loaded_by(*tasks) & {"torch", "transformers"}
