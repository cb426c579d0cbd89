"""Write the tables of ``docs/licenses.md``: the license of every dependency, model and word list.

    python tools/write_licenses.py

Dependencies are read from the metadata and license files of what is installed beside this script (``nox -s licenses``
installs the extras), data files from the comments at their head. The text above ``<!-- table -->`` is written by hand.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licenses.md"
DATA = ROOT / "src" / "healthcare_deid"
MARK = "<!-- table -->\n"
ELSEWHERE = {"airflow", "beam"}
"""Extras with an environment of their own; ``nox -s sbom -- beam`` lists what is in it."""
_SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_TEXTS = {
    r"neither\s+the\s+name(s|\(s\))?\s+of": "BSD-3-Clause",
    r"redistributions\s+in\s+binary\s+form": "BSD-2-Clause",
    r"permission\s+is\s+hereby\s+granted,\s+free\s+of\s+charge": "MIT",
    r"permission\s+to\s+use,\s+copy,\s+modify,\s+and(/or)?\s+distribute\s+this\s+software": "ISC",
    r"apache\s+license": "Apache-2.0",
}
"""Words by which a license file is known, where the metadata is vague."""
_VAGUE = re.compile(r"(?i)^$|unknown|^license|bsd license|license$|^bsd\b(?!-)")


def requirements() -> dict[str, list[str]]:
    """Return the extras that name each dependency; the base installation is called ``base``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted: dict[str, list[str]] = {}
    for extra, lines in {"base": project["dependencies"], **project["optional-dependencies"]}.items():
        for line in lines:
            name = _name(line)
            if name != "healthcare-deid" and extra not in ELSEWHERE:
                wanted.setdefault(name, []).append(extra)
    return wanted


def with_indirect(direct: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the direct dependencies, and what they need in turn on this machine."""
    found = dict(direct)
    left = list(direct)
    while left:
        try:
            installed = distribution(left.pop())
        except PackageNotFoundError:
            continue
        for line in installed.requires or ():
            name = _name(line)
            if name not in found and not re.search(r"\bextra\s*==", line) and _installed(name):
                found[name] = []
                left.append(name)
    return found


def license_of(installed: Distribution) -> str:
    """Return a distribution's license by its metadata, or by its license file where the metadata is vague."""
    metadata = installed.metadata
    classifiers = [line.split(" :: ")[-1] for line in metadata.get_all("Classifier", []) if line.startswith("License")]
    stated = metadata.get("License-Expression") or (metadata.get("License") or "").strip()
    if not stated or "\n" in stated or len(stated) > 60:
        stated = next((name for name in classifiers if name != "OSI Approved"), "")
    name = _SPDX.get(stated.lower(), stated)
    if not _VAGUE.search(name):
        return name
    text = _license_text(installed)
    return next(
        (known for words, known in _TEXTS.items() if re.search(words, text, re.IGNORECASE)), name or "not stated"
    )


def dependency_table() -> str:
    """Return a row for each dependency that is installed."""
    rows = ["| package | license | needed by |", "|---|---|---|"]
    for name, extras in sorted(with_indirect(requirements()).items()):
        if _installed(name):
            needed = ", ".join(f"`{extra}`" for extra in extras) or "other packages"
            rows.append(f"| [{name}](https://pypi.org/project/{name}/) | {license_of(distribution(name))} | {needed} |")
    return "\n".join(rows)


def data_table() -> str:
    """Return a row for each data file in the package, with what its own head says."""
    rows = ["| file in the package | what it is, and where it comes from |", "|---|---|"]
    for path in sorted(DATA.rglob("data/*.txt")):
        head = [line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("# ")]
        rows.append(f"| `{path.relative_to(DATA).as_posix()}` | {' '.join(head)} |")
    return "\n".join(rows)


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    head, _, _ = text.partition(MARK)
    parts = ["## Word lists and tables", data_table(), "## Dependencies", dependency_table()]
    return head + MARK + "\n" + "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the tables below the mark."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _license_text(installed: Distribution) -> str:
    files = [file for file in installed.files or () if re.search(r"licen[sc]e|copying", file.name, re.IGNORECASE)]
    return "\n".join(file.read_text() for file in files if file.suffix in {"", ".txt", ".md", ".rst"})


if __name__ == "__main__":
    main()
