"""The table of undocumented behavior is complete, and equal in code and docs."""

from __future__ import annotations

import re
from pathlib import Path

import healthcare_deid
from healthcare_deid.emulator import fidelity

SOURCE = Path(healthcare_deid.__file__).parent
DOCUMENT = SOURCE.parents[1] / "docs" / "fidelity.md"


def test_every_row_has_an_id_of_its_own() -> None:
    ids = [row.id for row in fidelity.TABLE]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[FO]-\d\d", name) for name in ids)


def test_rows_cited_in_the_code_are_in_the_table() -> None:
    known = {row.id for row in fidelity.TABLE}
    cited = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r"\b[FO]-\d\d\b", path.read_text())
        if path.name != "fidelity.py"
    }
    assert cited
    assert cited <= known


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert fidelity.to_markdown() in DOCUMENT.read_text()
