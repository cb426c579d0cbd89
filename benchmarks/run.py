"""Run the benchmark suites and write what they measured, with what they ran on.

A suite is a module ``bench_<name>.py`` with ``def measure() -> list[Row]``. Every comparison is measured in the same
run, alternately, and given as a median. ``nox -s perf -- client tags`` runs two suites; without arguments all run.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = (
    "faker",
    "google-api-python-client",
    "google-auth",
    "httplib2",
    "numpy",
    "onnxruntime",
    "pillow",
    "pydantic",
    "pydicom",
    "tenacity",
)


def main(names: list[str]) -> int:
    sys.path.insert(0, str(HERE))
    suites = names or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    results: dict[str, list[dict[str, object]]] = {}
    for name in suites:
        print(f"\n== {name}", flush=True)
        rows = importlib.import_module(f"bench_{name}").measure()
        results[name] = [dataclasses.asdict(row) for row in rows]
        print(_table(results[name]), flush=True)
    _write(results)
    return 0


def _table(rows: list[dict[str, object]]) -> str:
    lines = ["| what | measured | target | note |", "|---|---|---|---|"]
    for row in rows:
        value = f"{row['value']:,.4g} {row['unit']}".strip()
        lines.append(f"| {row['name']} | {value} | {row['target']} | {row['note']} |")
    return "\n".join(lines)


def _write(results: dict[str, list[dict[str, object]]]) -> None:
    folder = HERE.parent / "perf-results"
    folder.mkdir(exist_ok=True)
    machine = {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "packages": {name: _version(name) for name in PACKAGES},
    }
    (folder / "results.json").write_text(json.dumps({"machine": machine, "results": results}, indent=2))
    lines = ["# Benchmark results", "", *(f"- {key}: {value}" for key, value in machine.items())]
    for name, rows in results.items():
        lines += ["", f"## {name}", "", _table(rows)]
    (folder / "results.md").write_text("\n".join(lines) + "\n")
    print(f"\nwritten: {folder / 'results.md'} and results.json")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
