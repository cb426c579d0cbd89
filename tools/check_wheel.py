"""Check what a built wheel holds: the package, its type marker and data, and nothing else."""

from __future__ import annotations

import sys
import zipfile


def main(path: str) -> int:
    """Return 0 when the wheel at ``path`` is as it should be."""
    names = zipfile.ZipFile(path).namelist()
    foreign = [name for name in names if not name.startswith(("healthcare_deid/", "healthcare_deid-"))]
    missing = [wanted for wanted in ("healthcare_deid/py.typed", "healthcare_deid/__init__.py") if wanted not in names]
    compiled = [name for name in names if name.endswith((".pyc", ".so", ".onnx"))]
    for problem, found in (("not ours", foreign), ("missing", missing), ("must not be shipped", compiled)):
        if found:
            print(f"{path}: {problem}: {', '.join(found)}", file=sys.stderr)
    return int(bool(foreign or missing or compiled))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
