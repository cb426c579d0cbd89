"""The vault: it gives the originals to its owner or a recipient, and to nobody else."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients
from healthcare_deid.engine.identity.sealing import SessionKey
from healthcare_deid.engine.identity.vault import Vault, VaultEntry, read_vault
from healthcare_deid.engine.runs.reidentify import Restored, UseLog, restore_tree, who
from healthcare_deid.errors import ConfigError, EngineError

from .conftest import SECRET, instance
from .test_originals import recipient

if TYPE_CHECKING:
    from pathlib import Path

BASIC = presets.basic_confidentiality_profile()
ENTRY = VaultEntry("patient", "P-1", {"PatientID": "MRN4711-22", "PatientName": "Brückenmüller^Jürgen"})


def engine(**arguments: Any) -> Deidentifier:
    return Deidentifier(BASIC, secret=SECRET, pseudonyms=Pseudonyms.keyed(), dates=Dates(), **arguments)


def scans(tmp_path: Path, *instances: pydicom.Dataset) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, dataset in enumerate(instances or (instance(),)):
        pydicom.dcmwrite(folder / f"{number}.dcm", dataset, enforce_file_format=True)
    return folder


def restored_by_vault(folder: Path) -> Restored:
    return restore_tree(folder / "clean", folder / "restored", UseLog(folder / "log"), vault=folder / "a.vault")


@pytest.mark.parametrize("name", ["a.vault", "a.csv"])
def test_a_vault_says_who_a_pseudonym_was(name: str, tmp_path: Path) -> None:
    vault = tmp_path / name
    engine(vault=vault).deidentify_tree(scans(tmp_path), tmp_path / "clean", workers=1)
    (result,) = [pydicom.dcmread(path) for path in (tmp_path / "clean").rglob("*.dcm")]
    log = UseLog(tmp_path / "log")

    assert vault.stat().st_mode & 0o777 == 0o600
    for new in (result.PatientID, result.AccessionNumber, result.StudyID, result.StudyInstanceUID):
        (entry,) = who(str(new), vault, log)
        assert entry.old["PatientID"] == "MRN4711-22"
        assert entry.old["PatientName"] == "Walkenhorst^Annegret"
    (study,) = who(result.StudyInstanceUID, vault, log)
    assert (study.old["StudyDate"], study.old["AccessionNumber"]) == ("20200310", "ACC998877")
    assert int(study.old["DaysShifted"])
    assert who("P-99", vault, log) == []


def test_both_ways_through_the_engine_keep_the_same(tmp_path: Path) -> None:
    scans(tmp_path)
    engine(vault=tmp_path / "a.csv").deidentify(instance())
    engine(vault=tmp_path / "b.csv").deidentify_file(tmp_path / "scans" / "0.dcm", tmp_path / "new.dcm")

    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize("name", ["a.vault", "a.csv"])
def test_an_encrypted_vault_opens_for_its_recipient_only(name: str, tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    stranger, _ = recipient(tmp_path, "stranger")
    path = tmp_path / name
    for _ in range(2):  # each run has a key of its own
        engine(vault=path, recipients=[certificate]).deidentify(instance())
    data = b"".join(file.read_bytes() for file in tmp_path.glob(f"{name}*"))

    assert not [part for part in (b"MRN4711", b"Walkenhorst", b"Annegret", b"1.2.3.42", b"19280203") if part in data]
    entries = set(map(str, read_vault(path, RecipientKey(key))))
    assert any("MRN4711-22" in entry for entry in entries)
    with pytest.raises(ConfigError, match="pass a recipient"):
        list(read_vault(path))
    with pytest.raises(EngineError):
        list(read_vault(path, RecipientKey(stranger)))


def test_with_a_vault_the_instances_hold_the_originals_only_where_that_is_asked_for(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    apart = engine(vault=tmp_path / "a.vault", recipients=[certificate]).deidentify(instance()).dataset
    both = engine(vault=tmp_path / "b.vault", recipients=[certificate], encrypted_attributes=True)

    assert "EncryptedAttributesSequence" not in apart
    assert "EncryptedAttributesSequence" in both.deidentify(instance()).dataset
    assert any(entry.kind == "patient" for entry in read_vault(tmp_path / "b.vault", RecipientKey(key)))
    with pytest.raises(ConfigError, match="recipients"):
        engine(encrypted_attributes=True)


def test_a_vault_that_others_can_read_or_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open.vault").write_bytes(b"")
    (tmp_path / "open.vault").chmod(0o644)
    (tmp_path / "other.csv").write_text("old_id,new_id\n")
    (tmp_path / "other.vault").write_text("a text that is no database, and long enough to be taken for one" * 9)
    for name in ("other.csv", "other.vault"):
        (tmp_path / name).chmod(0o600)
    for name, why in (("open.vault", "other users"), ("other.csv", "not a vault"), ("other.vault", "not a vault")):
        with pytest.raises(ConfigError, match=why):
            Vault(tmp_path / name)


@pytest.mark.parametrize("name", ["a.vault", "a.csv"])
def test_a_vault_is_encrypted_as_a_whole_or_not_at_all(name: str, tmp_path: Path) -> None:
    _, certificate = recipient(tmp_path, "trustee")
    Vault(tmp_path / name).add([ENTRY])
    with pytest.raises(ConfigError, match="without them"):
        Vault(tmp_path / name, Recipients([certificate]))
    Vault(tmp_path / f"sealed-{name}", Recipients([certificate])).add([ENTRY])
    with pytest.raises(ConfigError, match="without them"):
        Vault(tmp_path / f"sealed-{name}")


@pytest.mark.parametrize("name", ["a.vault", "a.csv"])
def test_an_encrypted_vault_that_could_not_be_written_to_once_is_readable_after(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    vault = Vault(tmp_path / name, Recipients([certificate]))
    with monkeypatch.context() as patched:
        patched.setattr(SessionKey, "seal", _full_disk)
        with pytest.raises(EngineError, match="cannot be written"):
            vault.add([ENTRY])
    vault.add([ENTRY])
    assert list(read_vault(tmp_path / name, RecipientKey(key))) == [ENTRY]


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_torn_row_of_an_encrypted_csv_vault_does_not_damage_others(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    path, recipients = tmp_path / "a.csv", Recipients([certificate])
    Vault(path, recipients).add([ENTRY])
    with path.open("a") as file:
        file.write("key,00ff,AAAA")
    Vault(path, recipients).add([ENTRY._replace(new="P-2")])
    entries = [entry.new for entry in read_vault(path, RecipientKey(key))]

    assert entries == ["P-1", "P-2"]


@pytest.mark.parametrize("row", ["entry,00ff,AAAA", "entry,MRN4711,?", "MRN4711", "entry,{name},AAAA"])
def test_the_error_for_a_damaged_encrypted_vault_quotes_nothing_of_it(row: str, tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    path = tmp_path / "a.csv"
    Vault(path, Recipients([certificate])).add([ENTRY])
    name = path.read_text().splitlines()[1].split(",")[1]
    with path.open("a") as file:
        file.write(row.format(name=name) + "\n")
    with pytest.raises((ConfigError, EngineError), match="vault") as caught:
        list(read_vault(path, RecipientKey(key)))
    assert "MRN4711" not in str(caught.value)


@pytest.mark.parametrize("where", ["scans/a.vault", "clean/a.vault", "clean.run/a.vault"])
def test_a_vault_is_not_kept_among_originals_or_results(where: str, tmp_path: Path) -> None:
    folder = scans(tmp_path)
    (tmp_path / where).parent.mkdir(exist_ok=True)
    with pytest.raises(ValueError, match="vault is inside"):
        engine(vault=tmp_path / where).deidentify_tree(folder, tmp_path / "clean")
    table = Pseudonyms.sequential((tmp_path / where).with_name("table.csv"))
    with pytest.raises(ValueError, match="table of pseudonyms is inside"):
        Deidentifier(BASIC, pseudonyms=table).deidentify_tree(folder, tmp_path / "clean")


_WRITER = """
import sys, pickle
vault = pickle.loads(bytes.fromhex(sys.argv[1]))
from healthcare_deid.engine.identity.sealing import SessionKey
from healthcare_deid.engine.identity.vault import VaultEntry
for number in range(50):
    vault.add([VaultEntry("instance", f"{sys.argv[2]}.{number}", {"SOPInstanceUID": str(number)})])
"""


@pytest.mark.parametrize("name", ["a.vault", "a.csv"])
def test_processes_that_write_at_once_lose_nothing(name: str, tmp_path: Path) -> None:
    vault = pickle.dumps(Vault(tmp_path / name)).hex()
    runs = [subprocess.Popen([sys.executable, "-c", _WRITER, vault, number]) for number in "123"]

    assert [run.wait(90) for run in runs] == [0, 0, 0]
    assert len(list(read_vault(tmp_path / name))) == 150


def test_a_folder_is_restored_and_the_log_says_so(tmp_path: Path) -> None:
    other = instance(SOPInstanceUID="1.2.3.51", SeriesInstanceUID="1.2.3.53")
    reference = pydicom.Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3.41"
    other.SourceImageSequence = pydicom.Sequence([reference])
    folder = scans(tmp_path, instance(), other)
    engine(vault=tmp_path / "a.vault").deidentify_tree(folder, tmp_path / "clean", workers=1)
    report = restored_by_vault(tmp_path)

    assert (report.succeeded, report.failures) == (2, ())
    files = (tmp_path / "restored").rglob("*.dcm")
    found = {dataset.SOPInstanceUID: dataset for dataset in map(pydicom.dcmread, files)}
    first, second = found["1.2.3.41"], found["1.2.3.51"]
    assert (first.PatientID, str(first.PatientName)) == ("MRN4711-22", "Walkenhorst^Annegret")
    assert (first.AccessionNumber, first.StudyID, first.StudyDate) == ("ACC998877", "S7766", "20200310")
    assert (first.StudyInstanceUID, second.SeriesInstanceUID) == ("1.2.3.42", "1.2.3.53")
    assert second.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.41"
    assert "PatientIdentityRemoved" not in first
    log = (tmp_path / "log").read_text()
    assert log.count('"restore"') == 2
    assert "MRN4711" not in log
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_uid_that_is_not_in_the_vault_is_not_restored(tmp_path: Path) -> None:
    folder = scans(tmp_path)
    engine().deidentify_tree(folder, tmp_path / "clean", workers=1)
    Vault(tmp_path / "a.vault")
    report = restored_by_vault(tmp_path)

    assert [reason for _, reason in report.failures] == ["not-in-vault"]
    assert not list((tmp_path / "restored").rglob("*.dcm"))


def test_the_incomplete_row_of_a_killed_process_does_not_damage_others(tmp_path: Path) -> None:
    vault = tmp_path / "a.csv"
    Vault(vault).add([ENTRY])
    with vault.open("a") as file:
        file.write('patient,P-2,"{""Pati')
    assert list(read_vault(vault)) == [ENTRY]
    Vault(vault).add([ENTRY._replace(new="P-3")])

    assert list(read_vault(vault)) == [ENTRY, ENTRY._replace(new="P-3")]


@pytest.mark.parametrize("row", ["patient,P-2,MRN4711-22", "MRN4711-22", 'patient,"P-2"MRN4711-22,{}', "a,b,c,d"])
def test_the_error_for_a_damaged_vault_quotes_nothing_of_it(row: str, tmp_path: Path) -> None:
    vault = tmp_path / "a.csv"
    Vault(vault).add([ENTRY])
    with vault.open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(ConfigError, match="vault") as caught:
        list(read_vault(vault))
    assert "MRN4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("charset", "name"),
    [("ISO_IR 144", "Иванов^Пётр"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"), ("ISO_IR 100", "Müller^Jörg")],
)
def test_a_name_comes_back_whose_letters_the_result_s_character_set_has_not(
    charset: Any, name: str, tmp_path: Path
) -> None:
    minimal = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").build()
    folder = scans(tmp_path, instance(SpecificCharacterSet=charset, PatientName=name))
    Deidentifier(minimal, secret=SECRET, vault=tmp_path / "a.vault").deidentify_tree(folder, tmp_path / "clean")
    assert restored_by_vault(tmp_path).failures == ()
    (result,) = (tmp_path / "restored").rglob("*.dcm")

    assert pydicom.dcmread(result).PatientName == name
