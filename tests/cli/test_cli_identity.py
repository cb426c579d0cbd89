"""``secret``, and the options for pseudonyms and dates: what they give is what the engine's arguments give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest

from healthcare_deid.engine.identity.key_folder import VARIABLE
from healthcare_deid.engine.identity.pseudonyms import check_pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_a_secret_is_made_and_never_printed(cli: Callable[..., Result], keys: Path, tmp_path: Path) -> None:
    made = cli("secret", "new", "trial-7")
    assert made.exit_code == 0
    secret = (keys / "trial-7.secret").read_text().strip()
    fingerprint = cli("secret", "show-fingerprint", "trial-7").stdout.strip()
    assert fingerprint in made.stdout
    assert secret not in made.output
    assert cli("secret", "show-fingerprint", keys / "trial-7.secret").stdout.strip() == fingerprint

    assert cli("secret", "new", "--file", tmp_path / "mine").exit_code == 0
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
    assert cli("secret", "new", "trial-7").exit_code != 0
    assert cli("secret", "new", "a", "--file", tmp_path / "b").exit_code == 2
    assert cli("secret", "show-fingerprint").exit_code == 2
    assert cli("secret", "show-fingerprint", "trial-8").exit_code != 0


def test_files_get_pseudonyms_dates_and_values(
    cli: Callable[..., Result], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("secret", "new", "trial-7")
    monkeypatch.setenv("HEALTHCARE_DEID_SECRET_FILE", "trial-7")
    identity = ("--pseudonyms", "keyed", "--pseudonym-prefix", "T-", "--shift-dates", "--birth-year")
    values = ("--set", "ClinicalTrialProtocolID=X=17", "--replace", "Manufacturer", ".+", "Maker")
    result = cli("files", scans, tmp_path / "clean", "--preset", "basic-profile", *identity, *values, "--workers", "1")

    assert result.exit_code == 0, result.output
    found = [pydicom.dcmread(path) for path in (tmp_path / "clean").rglob("*.dcm")]
    assert found
    for dataset in found:
        assert check_pseudonym(dataset.PatientID, "T-")
        assert dataset.StudyDate
        assert dataset.ClinicalTrialProtocolID == "X=17"


def test_sequential_pseudonyms_come_from_a_table(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = cli("files", scans, tmp_path / "clean", "--preset", "basic-profile", "--sequential", table)

    assert result.exit_code == 0, result.output
    ids = {pydicom.dcmread(path).PatientID for path in (tmp_path / "clean").rglob("*.dcm")}
    assert "SITE-0001" in ids
    assert len(table.read_text().splitlines()) == 1 + len(ids)


@pytest.mark.parametrize(
    "words",
    [
        ("--pseudonyms", "keyed", "--sequential", "t.csv"),
        ("--pseudonyms", "keyed", "--missing-patients", "add"),
        ("--pseudonym-prefix", "X-"),
        ("--birth-year",),
        ("--event", "BASELINE"),
        ("--set", "PatientID"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    result = cli("files", scans, tmp_path / "clean", *words)
    assert result.exit_code == 2
    assert not (tmp_path / "clean").exists()
