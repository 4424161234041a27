"""The house: imports point down, the two sides never meet, and there is no circle."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rcmon"

ROOMS = {
    "errors": set(),
    "version": set(),
    "timestamps": set(),
    "model": set(),
    "rules": {"model", "timestamps"},
    "files": {"errors"},
    "reports": {"errors", "model"},
    "docs": set(),
    "exposition": set(),
    "monitoring": set(),
    "telemetry": {"access"},
    "documents": {"errors", "model"},
    "config": {"errors", "files"},
    "log": {"errors"},
    "process": {"errors"},
    "access": {"errors", "files"},
    "steering": {"errors", "files", "model"},
    "store": {"errors", "model", "timestamps"},
    "sources": {"errors", "files", "model", "reports"},
    "render": {"documents", "exposition", "model", "rules", "timestamps"},
    "collector": {
        "documents",
        "errors",
        "files",
        "model",
        "process",
        "render",
        "reports",
        "rules",
        "sources",
        "steering",
        "store",
        "telemetry",
        "timestamps",
        "version",
    },
    "web": {
        "access",
        "docs",
        "documents",
        "errors",
        "exposition",
        "files",
        "model",
        "monitoring",
        "process",
        "reports",
        "rules",
        "steering",
        "store",
        "telemetry",
        "timestamps",
        "version",
    },
    "tools": {"access", "checking", "config", "errors", "files", "store", "version"},
    "demo": {"errors", "model", "store"},
    "checking": {
        "access",
        "config",
        "demo",
        "errors",
        "files",
        "model",
        "process",
        "sources",
        "steering",
        "store",
        "timestamps",
    },
    "service": {
        "checking",
        "collector",
        "config",
        "demo",
        "errors",
        "log",
        "process",
        "store",
        "telemetry",
        "web",
    },
    "cli": {"checking", "config", "demo", "errors", "log", "process", "service", "version"},
    "launch": {"cli"},
    "bridge": {"errors", "files", "log", "process", "version"},
    "terminal": {"errors", "timestamps", "version"},
    "__main__": {"launch"},
    "__init__": set(),
}  # fmt: skip
"""Which rooms a room may import from, besides its own."""

WINGS = {
    "access": {
        "der": set(),
        "names": {"der"},
        "chain": {"der", "names"},
        "handshake": {"der"},
        "authority": {"chain", "der", "names"},
        "identity": {"authority", "chain", "der", "names"},
        "roles": {"authority", "identity", "names"},
        "gate": {"authority", "chain", "identity", "roles"},
        "versions": set(),
        "trust": {"authority", "gate", "handshake", "roles", "versions"},
        "__init__": set(),
    },
    "access/authority": {
        "refusal": set(),
        "authorities": set(),
        "crl": {"authorities", "refusal"},
        "signing_policy": {"authorities", "refusal"},
        "voms": {"authorities", "refusal"},
        "rules": {"authorities", "crl", "signing_policy", "voms"},
        "__init__": set(),
    },
    "web": {
        "about": set(),
        "answers": set(),
        "probe": set(),
        "transport": {"answers"},
        "board": {"answers"},
        "auth": {"answers", "transport"},
        "api": {"about", "answers", "board", "transport"},
        "events": {"answers", "api", "board", "transport"},
        "telemetry": {"about", "answers", "api", "board"},
        "page": {"about", "answers", "api"},
        "bounds": {"api", "events", "telemetry", "transport"},
        "services": {
            "about", "answers", "api", "board", "bounds", "events", "page", "telemetry", "transport",
        },
        "base": {"answers", "api", "auth", "board", "services", "transport"},
        "delivery": {"answers", "auth", "base", "services", "transport"},
        "handlers": {"about", "answers", "api", "auth", "base", "events", "page"},
        "app": {"about", "answers", "api", "auth", "base", "delivery", "handlers", "services", "transport"},
        "succession": set(),
        "recording": set(),
        "worker": {
            "about", "api", "app", "board", "bounds", "events", "page", "probe", "recording", "services",
            "succession", "telemetry", "transport",
        },
        "__init__": set(),
    },
}  # fmt: skip
"""Inside a room, or one of its wings: which wings a wing may import from, besides its own."""

FACE = {
    "authority.crl",
    "authority.voms",
    "chain",
    "der.oids",
    "gate",
    "handshake.sessions",
    "identity",
    "names",
    "roles",
    "trust",
}
"""What of `access` those who serve and count see; checking and the tools look deeper."""


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Give each import of ours with the module's dotted name, also of a module taken from its package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "rcmon":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node, inner if is_module(inner) else node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "rcmon":
                    yield node, alias.name


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    room = room_of(path)
    for node, name in imports(ast.parse(path.read_text())):
        target = name.split(".")[1]
        allowed = ROOMS[room] | {room}
        assert target in allowed, f"{path}:{node.lineno}: {room} must not import {name}"


@pytest.mark.parametrize("room", WINGS)
def test_imports_inside_a_room_point_down(room):
    for path in sorted((PACKAGE / room).rglob("*.py")):
        wing = path.relative_to(PACKAGE / room).parts[0].removesuffix(".py")
        for node, name in imports(ast.parse(path.read_text())):
            inside, _, target = name.partition(f"rcmon.{room.replace('/', '.')}.")
            if target and not inside:
                allowed = WINGS[room][wing] | {wing}
                assert target.split(".")[0] in allowed, f"{path}:{node.lineno}: {room}/{wing}: not {name}"


@pytest.mark.parametrize("room", WINGS)
def test_the_wings_have_no_circle(room):
    assert not [wing for wing in WINGS[room] if wing in reach(wing, WINGS[room])]


@pytest.mark.parametrize("room", ["web", "telemetry"])
def test_those_who_serve_see_the_face_of_access(room):
    for path in sorted((PACKAGE / room).rglob("*.py")):
        for node, name in imports(ast.parse(path.read_text())):
            inner = name.removeprefix("rcmon.access.")
            seen = inner == name or any(f"{inner}.".startswith(f"{face}.") for face in FACE)
            assert seen, f"{path}:{node.lineno}: {name} is not of the face of access"


def test_transport_knows_no_handler():
    """A connection is given what answers; it must not know what that is."""
    assert not reach("transport", WINGS["web"]) & {"auth", "base", "delivery", "handlers", "app", "services"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_imported_inside_a_function(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found = [inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)]
            assert not found, f"{path}:{found[0].lineno}: imports stand at the top"


def test_the_documentation_says_what_every_room_is_for():
    said = (PACKAGE / "docs" / "development.md").read_text()
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert not [room for room in sorted(rooms) if f"`rcmon/{room}/`" not in said]


def test_the_two_sides_never_meet():
    collecting = {"sources", "collector", "render"}
    assert not reach("web") & collecting
    assert not any("web" in reach(room) for room in collecting)
    assert not reach("store") & (collecting | {"web"})


def reach(room: str, table: dict[str, set[str]] = ROOMS) -> set[str]:
    found, todo = set(), [room]
    while todo:
        for target in table[todo.pop()] - found:
            found.add(target)
            todo.append(target)
    return found


def test_the_rooms_have_no_circle():
    assert not [room for room in ROOMS if room in reach(room)]


def test_modules_have_no_circle():
    graph: dict[str, set[str]] = {}
    for path in files():
        module = ".".join(("rcmon", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        graph[module] = {name for _, name in imports(ast.parse(path.read_text()))}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for target in graph.get(module, ()):
                visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@functools.cache
def classes() -> list[tuple[Path, ast.ClassDef]]:
    return [
        (path, node)
        for path in files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]


def members(node: ast.ClassDef) -> set[str]:
    """Name what a class defines: methods, names of its own, attributes that its methods give to `self`."""
    found = set()
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(inner.name)
        elif isinstance(inner, ast.AnnAssign):
            found.add(ast.unparse(inner.target))
        elif isinstance(inner, ast.Assign):
            found.update(map(ast.unparse, inner.targets))
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            found.add(inner.attr)
    return found


def bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}


def test_no_protocol_has_one_implementation():
    """It would hide an arrow, or a circle, that the imports do not show."""
    known = {node.name: node for _, node in classes()}

    @functools.cache
    def whole(node: ast.ClassDef) -> set[str]:
        inherited = [whole(known[base]) for base in bases(node) if base in known and base != node.name]
        return members(node).union(*inherited)

    lone = []
    for path, protocol in classes():
        if "Protocol" in bases(protocol):
            needed = whole(protocol)
            others = [node for _, node in classes() if "Protocol" not in bases(node)]
            if sum(needed <= whole(node) for node in others) < 2:
                lone.append(f"{path.relative_to(PACKAGE)}: {protocol.name}")
    assert not lone


def test_no_class_name_stands_twice():
    """Whoever reads a name knows which thing is meant."""
    found: dict[str, list[str]] = {}
    for path, node in classes():
        found.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert not {name: places for name, places in found.items() if len(places) > 1}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_modules_logger_is_called_log(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("logging.getLogger("):
            assert "LOG" in map(ast.unparse, node.targets), f"{path}:{node.lineno}: a module's logger is LOG"
