"""``secret``, and the options for pseudonyms and dates: what they give is what the engine's arguments give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest
from tests.engine.identity.test_originals import recipient

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


def test_a_secret_file_that_does_not_exist_is_made_once_and_never_among_originals_or_results(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    secret, clean = tmp_path / "project" / "mine.secret", tmp_path / "clean"
    words = ("files", scans, clean, "--preset", "basic-profile", "--workers", "1", "--secret-file")
    for place in (scans / "x", clean / "x", tmp_path / "clean.run" / "x"):
        refused = cli(*words, place)
        assert (refused.exit_code, place.exists()) == (2, False)
        assert "secret is inside" in refused.stderr
    made = cli(*words, secret)
    assert made.exit_code == 0, made.stderr
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "a new secret was made" in made.stderr
    assert cli("secret", "show-fingerprint", secret).stdout.strip() in made.stderr
    assert secret.read_text().strip() not in made.output
    again = cli(*words, secret)
    assert (again.exit_code, "a new secret" in again.stderr) == (0, False)
    assert again.stdout == "0 de-identified, 0 failed, 2 skipped\n"
    lost = cli(*words, tmp_path / "mistyped")
    assert (lost.exit_code, (tmp_path / "mistyped").exists()) == (1, False)
    assert "was begun with a secret (fingerprint" in lost.stderr


def test_a_secret_file_is_also_a_name_in_the_key_folder_and_no_second_secret_of_a_name_is_made(
    cli: Callable[..., Result], keys: Path, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cli("secret", "new", "trial-7")
    fingerprint = cli("secret", "show-fingerprint", "trial-7").stdout.strip()
    words = ("files", scans, tmp_path / "clean", "--preset", "basic-profile", "--pseudonyms", "keyed", "--workers", "1")
    used = cli(*words, "--secret-file", "trial-7")
    assert used.exit_code == 0, used.stderr
    assert f"secret: {keys / 'trial-7.secret'}, fingerprint {fingerprint}\n" in used.stderr
    assert not (tmp_path / "trial-7").exists()
    for same in (fingerprint, keys / "trial-7.secret"):
        assert cli(*words, "--secret-file", same).stdout == "0 de-identified, 0 failed, 2 skipped\n"
    assert cli("review", tmp_path / "clean", "--secret-file", "trial-7", "--export", tmp_path / "x").exit_code == 0

    unknown = cli(*words, "--secret-file", "trial-7x")
    assert (unknown.exit_code, (tmp_path / "trial-7x").exists()) == (2, False)
    assert "'healthcare-deid secret new NAME' makes one in the key folder" in unknown.stderr

    cli("secret", "new", "--file", tmp_path / "trial-7")
    both = cli(*words, "--secret-file", "trial-7")
    assert both.exit_code == 1
    assert "another secret in the key folder" in both.stderr
    assert fingerprint in both.stderr
    (tmp_path / "trial-7").write_bytes((keys / "trial-7.secret").read_bytes())  # a copy is the same secret
    for same in ("trial-7", "./trial-7"):
        assert cli(*words, "--secret-file", same).exit_code == 0


def test_a_path_of_a_secret_that_does_not_exist_is_made_in_the_current_folder_too(
    cli: Callable[..., Result], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = cli("files", scans, tmp_path / "clean", "--preset", "basic-profile", "--secret-file", "./mine.secret")
    assert made.exit_code == 0, made.stderr
    assert "a new secret was made: mine.secret, fingerprint" in made.stderr
    assert (tmp_path / "mine.secret").exists()


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


def test_a_folder_goes_to_a_recipient_and_comes_back(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    clean, back = tmp_path / "clean", tmp_path / "back"
    made = cli("files", scans, clean, "--preset", "basic-profile", "--recipient", certificate, "--workers", "1")
    assert made.exit_code == 0, made.output
    key.chmod(0o600)
    result = cli("reidentify", clean, back, "--key", key)

    assert result.exit_code == 0, result.output
    assert "2 of 2 files (" in result.stderr
    wanted = {dataset.SOPInstanceUID: dataset for dataset in map(pydicom.dcmread, scans.rglob("*.dcm"))}
    found = {dataset.SOPInstanceUID: dataset for dataset in map(pydicom.dcmread, back.rglob("*.dcm"))}
    for dataset in (*found.values(), *wanted.values()):
        del dataset.PixelData  # what was covered in a picture does not come back
    assert found == wanted
    assert (tmp_path / "keys" / "reidentify.log").read_text().count('"restore"') == len(wanted)


def test_a_vault_tells_who_it_was(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    vault, table = tmp_path / "a.vault", tmp_path / "table.csv"
    words = ("--preset", "basic-profile", "--sequential", table, "--vault", vault, "--workers", "1")
    assert cli("files", scans, tmp_path / "clean", *words).exit_code == 0
    old = table.read_text().splitlines()[1].split('"')[1]
    result = cli("reidentify", "--vault", vault, "--who", "SITE-0001", "--log", tmp_path / "log")

    assert result.exit_code == 0, result.output
    assert f"PatientID: {old}" in result.stdout
    assert "SITE-0001" in (tmp_path / "log").read_text()
    assert cli("reidentify", "--vault", vault, "--who", "SITE-9999").exit_code == 1


@pytest.mark.parametrize("words", [(), ("--who", "P-1"), ("a", "b")])
def test_reidentify_needs_a_key_or_a_vault(words: tuple[str, ...], cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    result = cli("reidentify", *(tmp_path / word if word in "ab" else word for word in words))
    assert result.exit_code == 2
