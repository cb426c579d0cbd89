"""Write docs/reference/: a page for each public package, with every name that it exports.

What a page says between the names is written by hand and kept: an introduction, and an example below each name. A name
without one is linked to the pages whose examples use it, when the site is built (tools/docs_hooks.py).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from pathlib import Path

_PACKAGES = {
    "healthcare_deid": "Clients, operations, and the messages that most programs need.",
    "healthcare_deid.config": "Every message of API version v1, what reads and writes it, and the checks.",
    "healthcare_deid.v1beta1": "The messages of API version v1beta1.",
    "healthcare_deid.presets": "Ready configs.",
    "healthcare_deid.credentials": "Credentials for `DeidClient`.",
    "healthcare_deid.engine": "De-identification on this machine.",
    "healthcare_deid.emulator": "The service over the engine, in process or on a port.",
    "healthcare_deid.report": "What was done, for people: comparison, audit, pictures.",
    "healthcare_deid.testing": "What tests need: fixtures, sample DICOM, scripted operations, faults.",
    "healthcare_deid.dicom_stores": "DICOM stores as source and destination of a run.",
    "healthcare_deid.pipelines": "Apache Beam and Airflow.",
    "healthcare_deid.errors": "Every error, and which is a kind of which.",
}
PACKAGES = {name: text for name, text in _PACKAGES.items() if importlib.util.find_spec(name) is not None}
FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_ENTRY = re.compile(r"^::: ([\w.]+)\n", re.MULTILINE)


def public_names(package: str) -> list[str]:
    """Return the names that a package exports; of a module without a list, its own classes."""
    module = importlib.import_module(package)
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [
            name for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == package
        ]
    return [name for name in listed if not name.startswith("_") and not inspect.ismodule(getattr(module, name))]


def page(package: str, written: str = "") -> str:
    """Return the page of a package.

    Args:
        package: Its name.
        written: The page as it is, whose introduction and examples are kept.
    """
    head, *parts = _ENTRY.split(written) if written else [f"# {package}\n\n{PACKAGES[package]}"]
    kept = {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
    lines = [head.strip()]
    for name in public_names(package):
        lines += [f"::: {package}.{name}", kept.get(f"{package}.{name}", "")]
    return "\n\n".join(line for line in lines if line) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for package in PACKAGES:
        path = FOLDER / f"{package.rpartition('.')[2]}.md"
        path.write_text(page(package, path.read_text("utf-8") if path.is_file() else ""), "utf-8")


if __name__ == "__main__":
    main()
