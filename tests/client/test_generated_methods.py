"""The sync methods are generated from the async ones."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from pathlib import Path
from typing import Any

import pytest

from healthcare_deid import AsyncDeidClient, AsyncOperation, DeidClient, Operation

ROOT = Path(__file__).parents[2]
SPEC: Any = importlib.util.spec_from_file_location("generate_sync", ROOT / "tools/generate_sync.py")
generate_sync: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate_sync)


def _code(text: str) -> tuple[set[str], str]:
    """Return a module's imports as a set, and the rest of it."""
    imports: set[str] = set()

    class Take(ast.NodeTransformer):
        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            imports.update(f"{node.module}.{alias.name}" for alias in node.names)

    tree = Take().visit(ast.parse(text))
    return imports, ast.dump(tree)


@pytest.mark.parametrize(("source", "target"), generate_sync.MODULES.items())
def test_a_generated_module_is_up_to_date(source: str, target: str) -> None:
    made, committed = generate_sync.generated(source), (generate_sync.CLIENT / target).read_text()
    assert _code(made) == _code(committed), "run tools/generate_sync.py"


def _signatures(kind: type[Any]) -> dict[str, list[tuple[str, Any, Any]]]:
    public = {name: value for name, value in inspect.getmembers(kind, callable) if not name.startswith("_")}
    return {
        name: [(item.name, item.kind, item.default) for item in inspect.signature(value).parameters.values()]
        for name, value in public.items()
    }


@pytest.mark.parametrize(("one", "other"), [(DeidClient, AsyncDeidClient), (Operation, AsyncOperation)])
def test_both_kinds_have_the_same_methods_and_arguments(one: type[Any], other: type[Any]) -> None:
    assert _signatures(one) == _signatures(other)
