"""Write the files that are generated from the config's code.

These are the tables of ``docs/checks.md`` and ``docs/infotypes.md`` and the JSON Schemas in the package.

    python tools/write_config_guides.py

The text above the line ``<!-- table -->`` is written by hand and kept.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from healthcare_deid.config import CHECKS, infotypes
from healthcare_deid.config.dialects.json_schema import SCHEMA_FILES
from healthcare_deid.config.infotypes import InfoType
from healthcare_deid.config.versions import config_class

DOCS = Path(__file__).parents[1] / "docs"
DATA = Path(infotypes.__file__).parent / "data"
MARK = "<!-- table -->\n"


def checks_table() -> str:
    """Return every code as a row."""
    rows = [f"| `{check.code}` | {check.severity} | {check.meaning} | {check.remedy} |" for check in CHECKS.values()]
    return "\n".join(["| code | severity | meaning | remedy |", "|---|---|---|---|", *rows])


def infotype_tables() -> str:
    """Return a table a group; the groups are the comments between the members."""
    lines: list[str] = []
    source = Path(infotypes.__file__).read_text("utf-8")
    for group, name in re.findall(r"^    (?:# (.+)|([A-Z0-9_]+) = \(?.*)$", source, re.MULTILINE):
        if group:
            lines += ["", f"## {group}", "", "| infoType | what it is |", "|---|---|"]
        elif name in InfoType.__members__:
            lines.append(f"| `{name}` | {InfoType[name].description} |")
    return "\n".join(lines).lstrip()


def main() -> None:
    """Write the tables and the schemas."""
    for name, table in (("checks.md", checks_table()), ("infotypes.md", infotype_tables())):
        path = DOCS / name
        head, _, _ = path.read_text("utf-8").partition(MARK)
        path.write_text(f"{head}{MARK}\n{table}\n", "utf-8")
    for version, name in SCHEMA_FILES.items():
        schema = config_class(version).json_schema()
        DATA.joinpath(name).write_text(f"{json.dumps(schema, indent=2)}\n", "utf-8")


if __name__ == "__main__":
    main()
