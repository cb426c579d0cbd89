"""The layers: imports run downward only, and the top level is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import healthcare_deid

SOURCE = Path(healthcare_deid.__file__).parent

MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "__main__": {"cli"},
    "errors": set(),
    "_border": {"errors"},
    "_html": set(),
    "names": {"errors"},
    "config": {"errors", "names"},
    "presets": {"config"},
    "v1beta1": {"config"},
    "client": {"_border", "config", "errors", "names", "_version"},
    "credentials": {"client"},
    "engine": {"_border", "_html", "config", "errors", "names", "_version"},
    "emulator": {"engine", "config", "errors", "names", "_version"},
    "dicom_stores": {"client", "engine", "errors"},
    "pipelines": {"client", "dicom_stores", "engine", "config", "errors", "names", "_version"},
    "testing": {"client", "emulator", "engine", "config", "errors", "names"},
    "cli": {
        "_border",
        "client",
        "dicom_stores",
        "emulator",
        "engine",
        "config",
        "errors",
        "names",
        "presets",
        "report",
        "testing",
        "_version",
    },
    "report": {"_border", "_html", "client", "emulator", "engine", "config", "errors", "names", "testing"},
}
"""What each part of the package may import from the rest of it."""

UPWARD = {("client/http/local.py", "emulator")}
"""The one upward import: ``DeidClient.local()`` opens an emulator."""

ONLY_IN = {
    "googleapiclient": "client/http/",
    "httplib2": "client/http/",
    "google": "client/http/",
    "google_auth_httplib2": "client/http/",
    "tenacity": "client/protocol/retry.py",
}
"""Third-party packages that stay in one folder."""

CLIENT_LAYERS = ("protocol", "http", "drivers", "operation", "transfers", "calls", "")
"""Folders of the client, each of which imports from those before it; last the clients themselves."""

EMULATOR_LAYERS = (
    "errors", "clock", "fidelity", "faults", "http", "storage", "jobs", "backend", "handlers", "service", "",
)  # fmt: skip
"""Folders and modules of the emulator, each of which imports from those before it; last the package itself."""

ENGINE_LAYERS = (
    {"geometry", "options", "pool", "results", "safe_errors", "silence", "workers"},
    {"dicom"},
    {"identity"},
    {"plan"},
    {"text"},
    {"header", "pixels"},
    {"instance", "result_names", "stages", "warm_up"},
    {"deidentifier"},
    {"runs"},
)
"""Modules and folders of the engine, each of which imports from those before it."""

ENGINE_UPWARD = {
    ("engine/options.py", "pixels"): "the type of ocr=",
    ("engine/options.py", "text"): "the type of detectors=",
    ("engine/options.py", "identity"): "the types of pseudonyms=, dates= and replace=",
    ("engine/deidentifier.py", "runs"): "deidentify_tree()",
}
"""Imports that go up, for a public signature, and which."""

HEAVY_PARTS = {"engine", "emulator", "testing", "report", "cli"}


def _imports(path: Path) -> set[str]:
    """Return the modules a file imports at run time, anywhere in it."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            if node.module == "healthcare_deid":
                homes = {name: module.split(".")[0] for name, module in healthcare_deid._MODULES.items()}
                found.update(f"healthcare_deid.{homes.get(alias.name, alias.name)}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return found


PAIRS = [
    frozenset({"healthcare_deid.config.v1.builder", "healthcare_deid.config.v1.deidentify"}),
    frozenset({"healthcare_deid.config.v1beta1.builder", "healthcare_deid.config.v1beta1.deidentify"}),
    frozenset({"healthcare_deid.engine.deidentifier", "healthcare_deid.engine.runs.tree"}),
]
"""Modules that need each other for a public signature: ``DeidentifyConfig.builder()`` and ``ConfigBuilder.build()``
of each version, and ``Deidentifier.deidentify_tree()``.

No other two import each other, lazy and type-only imports included.
"""

FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    name = path.relative_to(SOURCE).as_posix()
    part = name.split("/")[0].removesuffix(".py")
    for module in _imports(path):
        top, *rest = module.split(".")
        if top == "healthcare_deid" and rest and rest[0] != part:
            allowed = rest[0] in MAY_IMPORT[part] or (name, rest[0]) in UPWARD
            assert allowed, f"{name} imports {module}; {part} may import {sorted(MAY_IMPORT[part])}"
        if top in ONLY_IN:
            assert name.startswith(ONLY_IN[top]), f"{name} imports {module}; only {ONLY_IN[top]} may"
        if top in {"numpy", "pydicom", "PIL", "onnxruntime"}:
            assert part in HEAVY_PARTS, f"{name} imports {module}, which the base install does not have"


def _modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found: dict[str, Path] = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _every_import(path: Path, modules: dict[str, Path]) -> set[str]:
    """Return the package's modules that a file imports at run time, lazily, or for type checkers only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in modules else node.module for name in names)
    return found & set(modules)


def _circles(edges: dict[str, set[str]]) -> list[frozenset[str]]:
    """Return the sets of modules that reach each other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        pending = list(edges[start])
        while pending:
            module = pending.pop()
            if module not in seen:
                seen.add(module)
                pending += edges[module]
        return seen

    reach = {module: reached(module) for module in edges}
    circles = {
        frozenset(other for other in reach[module] if module in reach[other])
        for module in edges
        if module in reach[module]
    }
    return sorted(circles, key=sorted)


def test_no_modules_import_each_other_but_the_listed_pairs() -> None:
    modules = _modules()
    edges = {name: _every_import(path, modules) - {name} for name, path in modules.items()}
    assert [sorted(circle) for circle in _circles(edges) if circle not in PAIRS] == []


def test_circles_are_found() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [frozenset({"a", "b", "c"})]


def test_a_stage_of_the_engine_imports_only_from_the_stages_before_it() -> None:
    modules = _modules()
    ranks = {part: rank for rank, parts in enumerate(ENGINE_LAYERS) for part in parts}
    paths = [path for path in (SOURCE / "engine").rglob("*.py") if path != SOURCE / "engine" / "__init__.py"]
    for path in paths:
        name = path.relative_to(SOURCE).as_posix()
        part = name.split("/")[1].removesuffix(".py")
        for module in _every_import(path, modules):
            of_engine, _, rest = module.partition("healthcare_deid.engine.")
            if of_engine == "" and rest:
                other = rest.split(".")[0]
                assert ranks[other] <= ranks[part] or (name, other) in ENGINE_UPWARD, f"{name} imports {module}"


@pytest.mark.parametrize("layer", CLIENT_LAYERS)
def test_a_folder_of_the_client_imports_only_from_the_folders_below_it(layer: str) -> None:
    modules = _modules()
    below = CLIENT_LAYERS[: CLIENT_LAYERS.index(layer) + 1]
    for path in (SOURCE / "client" / layer).glob("**/*.py" if layer else "*.py"):
        for module in _every_import(path, modules):
            parts = module.split(".")
            if parts[1:2] == ["client"] and len(parts) > 2:
                folder = parts[2] if len(parts) > 3 or parts[2] in CLIENT_LAYERS else ""
                assert folder in below, f"{path.relative_to(SOURCE)} imports {module}"


def test_a_folder_of_the_emulator_imports_only_from_what_is_below_it() -> None:
    modules = _modules()
    for name, path in modules.items():
        if not name.startswith("healthcare_deid.emulator."):
            continue
        below = EMULATOR_LAYERS[: EMULATOR_LAYERS.index(name.split(".")[2]) + 1]
        for module in _every_import(path, modules):
            parts = module.split(".")
            if parts[1:2] == ["emulator"]:
                assert "".join(parts[2:3]) in below, f"{name} imports {module}"


def _modules_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sorted(sys.modules))"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(output.stdout.split())


def test_importing_the_package_loads_neither_pydantic_nor_googles_packages() -> None:
    loaded = _modules_after("import healthcare_deid")
    assert "healthcare_deid" in loaded
    assert not {"pydantic", "httplib2", "googleapiclient", "google.auth", "tenacity", "numpy", "pydicom"} & loaded


def test_importing_the_config_loads_neither_google_nor_httplib2() -> None:
    loaded = _modules_after("from healthcare_deid import DeidentifyConfig")
    assert "pydantic" in loaded
    assert not {"httplib2", "googleapiclient", "google.auth", "tenacity", "numpy", "pydicom", "yaml"} & loaded


def test_a_client_does_not_load_the_discovery_module() -> None:
    loaded = _modules_after("from healthcare_deid import DeidClient; DeidClient(project='p', location='l')")
    assert not {"googleapiclient.discovery", "google.api_core.operation", "numpy", "pydicom"} & loaded
