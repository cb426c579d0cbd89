"""The map of names after a process that was killed in the middle of a row."""

from __future__ import annotations

import csv
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.engine.runs.naming import NameMap

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [("Okonkwo, Ada/1", "r1"), ('a "b"\nc/2', "r2"), ("plain/3", "r3")]


@pytest.mark.parametrize("cut", range(1, 52))
def test_a_row_that_was_cut_off_anywhere_is_written_again_and_spoils_no_other(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "names.csv"
    with closing(NameMap(path)) as names:
        for row in ROWS:
            names.add(*row)
    path.write_bytes(path.read_bytes()[:-cut])
    with closing(NameMap(path)) as names:
        for row in ROWS:
            names.add(*row)
    with path.open(newline="") as file:
        assert [tuple(row) for row in csv.reader(file)] == [("source", "result"), *ROWS]
