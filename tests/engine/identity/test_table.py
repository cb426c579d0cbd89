"""The table of pseudonyms: valid contents, and no row lost when several runs extend it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.engine.identity.table import PseudonymTable, Row
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from pathlib import Path


def made(tmp_path: Path, text: str) -> PseudonymTable:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return PseudonymTable(path)


@pytest.mark.parametrize(
    "heading", ["old_id,new_id,days,anchor", "\ufeffOld ID,New ID,Days,Anchor date", "Old;New;Shift;Anchor"]
)
def test_headings_are_known_as_people_write_them(heading: str, tmp_path: Path) -> None:
    mark = ";" if ";" in heading else ","
    rows = (
        f"A{mark}P1{mark}-31{mark}\n",
        f"B{mark}P2{mark}{mark}2019-05-06\n",
        f"C{mark}P3{mark}{mark}20190507\n",
        "\n",
    )
    table = made(tmp_path, f"{heading}\r\n{''.join(rows)}")

    assert table.find("A") == Row("P1", "P1", -31)
    assert table.find("B") == Row("P2", "P2", None, date(2019, 5, 6))
    assert table.find("C") == Row("P3", "P3", None, date(2019, 5, 7))
    assert table.find("D") is None


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("12345,P12345", "the old ID"),
        ("12345,x-012345", "the old ID"),
        ("7,P7", "the old ID"),
        ("MRN1,mrn1", "the old ID"),
        ("A,B\nB,C", "another patient's"),
        ("12345,P1\n67890,P-12345", "another patient's"),
        ("A,P1\nA,P2", "another row"),
        ("A,P1,5\nB,P1,6", "a different date shift"),
        ("A,", "both required"),
        (",P1", "both required"),
        ("A", "number of cells"),
        ("A,P1,5,x,y", "number of cells"),
        ("A,P\\1", "ASCII"),
        ("A,Pä", "ASCII"),
        (f"A,{'P' * 65}", "ASCII"),
        ("A,P1,0", "true dates"),
        ("A,P1,x", "whole number"),
        ("A,P1,,2019-13-01", "anchor must be a date"),
        ("A,P1,5,2019-01-01", "exclude each other"),
        ('A,"P1', "CSV"),
    ],
)
def test_a_row_that_is_invalid_or_reveals_an_original_is_refused_with_its_line(
    rows: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        made(tmp_path, f"old_id,new_id,days,anchor\n{rows}\n")
    assert "line " in str(caught.value)
    assert "12345" not in str(caught.value)


def test_two_numbers_of_one_patient_may_have_one_pseudonym(tmp_path: Path) -> None:
    table = made(tmp_path, "old_id,new_id,days\nA,P1,5\nB,P1,5\n")
    assert table.find("A") == table.find("B")


def test_rows_are_appended_and_the_rest_of_the_file_stays_as_it_is(tmp_path: Path) -> None:
    text = "site,old_id,new_id,sex\nBonn,A,P1,F\n'quoted',B,P2,M"  # as people leave it: no line break at the end
    table = made(tmp_path, text)
    row = table.add("C", lambda number: f"P{number}")

    assert row == Row("P3", "P3")
    assert (tmp_path / "table.csv").read_text() == text + '\n"","C","P3",""\n'
    assert PseudonymTable(tmp_path / "table.csv").find("C") == row


def test_a_number_that_would_reveal_the_original_is_skipped(tmp_path: Path) -> None:
    table = PseudonymTable(tmp_path / "table.csv", ("old_id", "new_id"))
    assert table.add("0001", lambda number: f"SITE-{number:04}").new_id == "SITE-0002"


def _never(number: int) -> str:
    raise AssertionError(number)


def _numbered(number: int) -> str:
    return f"P{number}"


def test_another_process_sees_the_row_at_once(tmp_path: Path) -> None:
    table = made(tmp_path, "old_id,new_id\n")
    other = pickle.loads(pickle.dumps(table))
    added = table.add("A", lambda number: f"P{number}")

    assert other.find("A") == added
    assert other.add("A", _never) == added
    assert other.add("B", _numbered).new_id == "P2"


@pytest.mark.parametrize("cut", range(1, 11))
def test_the_incomplete_row_of_a_killed_process_is_dropped_and_others_stay(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = PseudonymTable(path, ("old_id", "new_id"))
    table.add("A", lambda number: f"P{number}")
    whole = path.read_bytes()
    table.add("BCD", lambda number: f"P{number}")
    torn = path.read_bytes()[: len(whole) + cut]
    path.write_bytes(torn)
    complete = torn.endswith(b'"P2"')

    again = PseudonymTable(path)
    assert again.find("A") == Row("P1", "P1")
    assert (again.find("BCD") is not None) is complete
    assert again.add("E", lambda number: f"Q{number}").new_id == ("Q3" if complete else "Q2")
    assert path.read_bytes().startswith(whole)
    assert len(PseudonymTable(path)) == (3 if complete else 2)


_WRITER = """
import sys
from pathlib import Path
from healthcare_deid.engine.identity.table import PseudonymTable
table = PseudonymTable(Path(sys.argv[1]), ("old_id", "new_id"))
for number in range(40):
    table.add(f"{sys.argv[2]}-{number}" if number % 2 else f"both-{number}", lambda n: f"SITE.{n:04}")
"""


def test_two_runs_that_add_at_once_lose_no_row_and_give_no_number_twice(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    runs = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in ("one", "two")]
    assert [run.wait(60) for run in runs] == [0, 0]

    table = PseudonymTable(path)
    assert len(table) == 60  # twenty of both, and twenty of each
    rows = [table.find(line.split('"')[1]) for line in path.read_text().splitlines()[1:]]
    assert len({row.new_id for row in rows if row}) == 60


@pytest.mark.parametrize(
    ("old", "new"),
    [("12-345-678", "12345678"), ("MRN_77", "mrn 77"), ("A.1", "A1"), ("0012/34", "0012-34")],
)
def test_other_signs_between_the_same_letters_and_digits_make_no_pseudonym(old: str, new: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the old ID"):
        made(tmp_path, f"old_id,new_id\n{old},{new}\n")


@pytest.mark.parametrize("new", ["X-ABC12345", "abc12345", "Abc12345-2"])
def test_another_patient_s_id_is_known_in_any_case(new: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another patient's old ID"):
        made(tmp_path, f"old_id,new_id\naBC12345,P1\nfoo,{new}\n")


@pytest.mark.parametrize(
    ("prefix", "digits", "patient"), [("SITE-", 4, "SITE"), ("TRIAL-7-", 4, "7"), ("S-", 12, "0000"), ("X-", 9, "x")]
)
def test_a_patient_id_that_every_number_would_reveal_fails_without_an_endless_search(
    prefix: str, digits: int, patient: str, tmp_path: Path
) -> None:
    table = PseudonymTable(tmp_path / "table.csv", ("old_id", "new_id"))
    with pytest.raises(EngineError) as caught:
        table.add(patient, lambda number: f"{prefix}{number:0{digits}}")
    assert caught.value.reason == "pseudonym-tells-original"
    assert table.add("other", lambda number: f"{prefix}{number:0{digits}}").new_id == f"{prefix}{1:0{digits}}"
