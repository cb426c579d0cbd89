"""Pseudonyms: the same for a patient everywhere, with nothing of the original beside them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MediaStorageDirectoryStorage

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.config.v1.dicom import TagFilterProfile
from healthcare_deid.engine import Deidentifier, Pseudonyms
from healthcare_deid.engine.identity.pseudonyms import Pseudonymizer, check_pseudonym
from healthcare_deid.engine.identity.secret import ProjectSecret
from healthcare_deid.errors import ConfigError, EngineError

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.uid import UID

    from healthcare_deid.engine import DeidentifyResult

    BothWays = Callable[[Deidentifier, Dataset], DeidentifyResult]

ORIGINALS = (b"MRN4711-22", b"4711", b"Walkenhorst", b"Annegret", b"ACC998877", b"S7766")


def profile(name: str) -> DeidentifyConfig:
    return DeidentifyConfig.builder().filter_profile(TagFilterProfile(name)).build()


def keyed(config: Any = None, **arguments: Any) -> Deidentifier:
    config = config or presets.basic_confidentiality_profile()
    return Deidentifier(config, secret=SECRET, pseudonyms=Pseudonyms.keyed("TRIAL-"), **arguments)


def tabled(folder: Path) -> Deidentifier:
    table = Pseudonyms.from_table(folder / "table.csv")
    return Deidentifier(presets.basic_confidentiality_profile(), secret=SECRET, pseudonyms=table)


def whole(result: DeidentifyResult) -> bytes:
    return str(result.dataset.to_json()).encode()


@pytest.mark.parametrize(
    "name",
    [
        "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
        "MINIMAL_KEEP_LIST_PROFILE",
        "KEEP_ALL_PROFILE",
        "DEIDENTIFY_TAG_CONTENTS",
    ],
)
def test_every_profile_gives_the_pseudonym_and_leaves_nothing_of_the_original(name: str, both_ways: BothWays) -> None:
    result = both_ways(keyed(profile(name)), instance())

    new = result.dataset.PatientID
    assert check_pseudonym(new, "TRIAL-")
    assert str(result.dataset.PatientName) == new
    assert check_pseudonym(result.dataset.AccessionNumber)
    assert check_pseudonym(result.dataset.StudyID)
    assert not [original for original in ORIGINALS if original in whole(result)]
    assert not any("erased" in warning for warning in result.warnings if "no rule inspects" in warning)


def test_the_result_still_says_that_the_identity_was_removed(both_ways: BothWays) -> None:
    result = both_ways(keyed(), instance())

    assert result.dataset.PatientIdentityRemoved == "YES"
    rules = {change.keyword: (change.action, change.rule) for change in result.changes}
    assert rules["PatientID"] == ("replaced", "pseudonym")
    assert rules["AccessionNumber"] == ("replaced", "pseudonym")


def test_text_that_names_the_patient_says_the_pseudonym(both_ways: BothWays) -> None:
    result = both_ways(keyed(options=["clean_descriptors"]), instance(StudyDescription="Annegret Walkenhorst"))

    new = result.dataset.PatientID
    assert result.dataset.StudyDescription == new
    assert result.dataset.ImageComments.startswith(f"{new} was here on")
    assert result.dataset.RequestAttributesSequence[0].RequestedProcedureDescription == f"for {new}"
    assert result.dataset.RequestAttributesSequence[0].AccessionNumber == result.dataset.AccessionNumber


def test_text_that_is_not_inspected_gets_the_pseudonym_too(both_ways: BothWays) -> None:
    result = both_ways(keyed(profile("KEEP_ALL_PROFILE")), instance())

    new = result.dataset.PatientID
    assert result.dataset.StudyDescription == f"{new} ({new})"
    assert result.dataset.ImageComments == f"{new} was here on 2020-03-08"


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "GB18030"])
def test_a_name_in_other_letters_becomes_the_pseudonym_in_every_character_set(
    charset: str, both_ways: BothWays
) -> None:
    name = "Wang^XiaoDong=王^小东" if charset == "GB18030" else "Brückenmüller^Jürgen"
    word = "王小东" if charset == "GB18030" else "Brückenmüller"
    dataset = instance(SpecificCharacterSet=charset, PatientName=name, ImageComments=f"fuer {word} am Montag")
    for config in (profile("KEEP_ALL_PROFILE"), presets.basic_confidentiality_profile()):
        result = both_ways(keyed(config), dataset)
        assert word not in str(result.dataset)
    result = both_ways(keyed(profile("KEEP_ALL_PROFILE")), dataset)
    assert result.dataset.ImageComments == f"fuer {result.dataset.PatientID} am Montag"


def test_a_pseudonym_that_does_not_fit_is_erased_and_not_truncated(both_ways: BothWays) -> None:
    long = "Walkenhorst " + "x" * 50
    result = both_ways(keyed(profile("KEEP_ALL_PROFILE")), instance(StudyDescription=long))

    assert result.dataset.StudyDescription == "x" * 50


def test_references_to_the_patient_get_the_pseudonym_and_those_to_others_reveal_nothing(both_ways: BothWays) -> None:
    own, other = Dataset(), Dataset()
    own.PatientID, own.PatientName = "MRN4711-22", "WALKENHORST^ANNEGRET^"
    other.PatientID, other.PatientName = "MRN9999-99", "Someone^Else"
    dataset = instance(SourcePatientGroupIdentificationSequence=Sequence([own, other]))
    dataset.OtherPatientIDs = ["MRN4711-22", "OLD-1"]
    result = both_ways(keyed(profile("KEEP_ALL_PROFILE")), dataset)

    first, second = result.dataset.SourcePatientGroupIdentificationSequence
    assert first.PatientID == str(first.PatientName) == result.dataset.PatientID
    assert check_pseudonym(second.PatientID, "TRIAL-")
    assert second.PatientID != result.dataset.PatientID
    assert str(second.PatientName) == ""
    assert result.dataset.OtherPatientIDs[0] == result.dataset.PatientID
    assert check_pseudonym(result.dataset.OtherPatientIDs[1], "TRIAL-")


def test_the_same_secret_gives_the_same_pseudonym_and_another_gives_another() -> None:
    first, again = keyed().deidentify(instance()).dataset, pickle.loads(pickle.dumps(keyed())).deidentify(instance())
    other = Deidentifier(
        presets.basic_confidentiality_profile(), secret=b"another secret of 16 bytes", pseudonyms=Pseudonyms.keyed()
    ).deidentify(instance())

    assert first.PatientID == again.dataset.PatientID
    assert first.AccessionNumber == again.dataset.AccessionNumber
    assert not first.PatientID.endswith(other.dataset.PatientID)


def test_patients_without_an_id_are_distinguished_by_their_study(both_ways: BothWays) -> None:
    first = both_ways(keyed(), instance(PatientID=""))
    second = both_ways(keyed(), instance(PatientID=None, StudyInstanceUID="1.2.3.99"))

    assert check_pseudonym(first.dataset.PatientID, "TRIAL-")
    assert first.dataset.PatientID != second.dataset.PatientID
    assert any("no patient ID" in warning for warning in first.warnings)
    added = [change for change in second.changes if change.keyword == "PatientID"]
    assert [change.action for change in added] == ["added"]


def test_empty_accession_numbers_stay_empty(both_ways: BothWays) -> None:
    result = both_ways(keyed(), instance(AccessionNumber="", StudyID=None))

    assert result.dataset.AccessionNumber == ""
    assert "StudyID" not in result.dataset


def test_padding_makes_no_other_patient() -> None:
    deidentifier = keyed()
    assert (
        deidentifier.deidentify(instance(PatientID=" MRN4711-22 ")).dataset.PatientID
        == deidentifier.deidentify(instance()).dataset.PatientID
    )


def test_keyed_pseudonyms_need_a_secret() -> None:
    with pytest.raises(ConfigError, match="secret"):
        Deidentifier(presets.basic_confidentiality_profile(), pseudonyms=Pseudonyms.keyed())


@pytest.mark.parametrize("prefix", ["A^B", "a\\b", "-x", "ä", "x" * 33])
def test_a_prefix_that_no_element_could_hold_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="prefix"):
        Pseudonyms.keyed(prefix)


@given(st.text(min_size=1), st.data())
def test_the_check_character_finds_every_wrong_character_and_every_exchange(patient: str, data: st.DataObject) -> None:
    new = Pseudonymizer(Pseudonyms.keyed(), ProjectSecret(SECRET)).person(patient).new_id
    place = data.draw(st.integers(0, 14))
    wrong = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
    other = data.draw(st.integers(0, 14))
    exchanged = list(new)
    exchanged[place], exchanged[other] = exchanged[other], exchanged[place]

    assert check_pseudonym(new)
    assert check_pseudonym(new.lower())
    assert check_pseudonym(new[:place] + wrong + new[place + 1 :]) is (wrong == new[place])
    assert check_pseudonym("".join(exchanged)) is ("".join(exchanged) == new)


def test_a_hundred_thousand_patients_have_as_many_pseudonyms() -> None:
    pseudonymizer = Pseudonymizer(Pseudonyms.keyed(), ProjectSecret(SECRET))
    assert len({pseudonymizer.person(str(number)).new_id for number in range(100_000)}) == 100_000


def test_a_directory_says_the_pseudonyms_of_its_patients() -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    patients: list[Dataset] = []
    for identity in ("MRN4711-22", "MRN9999-99"):
        patient = Dataset()
        patient.DirectoryRecordType, patient.PatientID, patient.PatientName = "PATIENT", identity, "Someone^Else"
        patients.append(patient)
    dataset.DirectoryRecordSequence = Sequence(patients)
    result = keyed(options=["clean_descriptors"]).deidentify(dataset).dataset

    own = keyed().deidentify(instance()).dataset.PatientID
    assert "PatientID" not in result
    assert result.DirectoryRecordSequence[0].PatientID == own
    assert check_pseudonym(result.DirectoryRecordSequence[1].PatientID, "TRIAL-")
    assert "Someone" not in str(result)


def test_a_table_gives_ids_and_names_and_a_missing_patient_is_a_failure(tmp_path: Path, both_ways: BothWays) -> None:
    table = tmp_path / "table.csv"
    table.write_text("MRN;Pseudonym;old_id;new_id;new_name;site\n;;MRN4711-22;P-001;Doe^Jane;Bonn\n")
    with pytest.raises(ConfigError, match="must name the columns"):
        Pseudonymizer(Pseudonyms.from_table(table), None)
    table.write_text("old_id;new_id;new_name;site\nMRN4711-22;P-001;Doe^Jane;Bonn\n")
    deidentifier = Deidentifier(profile("KEEP_ALL_PROFILE"), pseudonyms=Pseudonyms.from_table(table))

    result = both_ways(deidentifier, instance())
    assert (result.dataset.PatientID, str(result.dataset.PatientName)) == ("P-001", "Doe^Jane")
    assert result.dataset.StudyDescription == "Doe^Jane (P-001)"
    with pytest.raises(EngineError) as caught:
        deidentifier.deidentify(instance(PatientID="MRN0000-00"))
    assert caught.value.reason == "not-in-table"
    assert "MRN0000" not in str(caught.value)


def test_a_patient_who_is_not_in_the_table_gets_a_keyed_pseudonym_or_a_row_as_asked(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("old_id,new_id\nMRN4711-22,P-001\n")
    basic = presets.basic_confidentiality_profile()
    for missing in ("keyed", "add"):
        pseudonyms = Pseudonyms.from_table(table, missing=missing, prefix="P-")
        result = Deidentifier(basic, secret=SECRET, pseudonyms=pseudonyms).deidentify(instance(PatientID="NEW-77"))
        assert check_pseudonym(result.dataset.PatientID, "P-")
        assert ("NEW-77" in table.read_text()) is (missing == "add")
    with pytest.raises(ConfigError, match="missing"):
        Pseudonyms.from_table(table, missing="skip")


def test_a_new_name_with_a_part_of_the_original_one_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("old_id,new_id,new_name\nMRN4711-22,P-001,Walkenhorst^X\n")
    deidentifier = Deidentifier(presets.basic_confidentiality_profile(), pseudonyms=Pseudonyms.from_table(table))
    with pytest.raises(EngineError) as caught:
        deidentifier.deidentify(instance())
    assert caught.value.reason == "pseudonym-tells-original"


@pytest.mark.parametrize("name", ["KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_with_a_table_alone_no_original_accession_number_or_study_id_stays(
    name: str, both_ways: BothWays, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("old_id,new_id\nMRN4711-22,P-1\n")
    table = Pseudonyms.from_table(tmp_path / "table.csv")
    alone = both_ways(Deidentifier(profile(name), pseudonyms=table), instance())
    (request,) = alone.dataset.RequestAttributesSequence

    assert (alone.dataset.PatientID, alone.dataset.AccessionNumber, alone.dataset.StudyID) == ("P-1", "", "")
    assert request.AccessionNumber == ""
    assert b"ACC998877" not in whole(alone)
    assert any("pass secret=" in warning for warning in alone.warnings)
    with_secret = both_ways(Deidentifier(profile(name), secret=SECRET, pseudonyms=table), instance())
    assert check_pseudonym(with_secret.dataset.AccessionNumber)
    assert not any("pass secret=" in warning for warning in with_secret.warnings)


def test_a_profile_that_removes_accession_numbers_needs_no_secret_and_no_warning(
    both_ways: BothWays, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("old_id,new_id\nMRN4711-22,P-1\n")
    table = Pseudonyms.from_table(tmp_path / "table.csv")
    result = both_ways(Deidentifier(presets.basic_confidentiality_profile(), pseudonyms=table), instance())

    assert (result.dataset.PatientID, result.dataset.AccessionNumber) == ("P-1", "")
    assert not any("pass secret=" in warning for warning in result.warnings)


def test_sequential_pseudonyms_are_numbers_in_the_order_of_first_appearance(tmp_path: Path) -> None:
    table = tmp_path / "site.csv"
    basic = presets.basic_confidentiality_profile()

    def numbers(*patients: str) -> list[str]:
        deidentifier = Deidentifier(basic, pseudonyms=Pseudonyms.sequential(table, "SITE-"))
        return [deidentifier.deidentify(instance(PatientID=patient)).dataset.PatientID for patient in patients]

    assert numbers("B", "A", "B") == ["SITE-0001", "SITE-0002", "SITE-0001"]
    assert numbers("C", "A") == ["SITE-0003", "SITE-0002"]
    assert table.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EngineError) as caught:
        numbers("SITE-0002")
    assert caught.value.reason == "already-pseudonymized"


@pytest.mark.parametrize("padded", ["MRN1\t", "MRN1\u00a0", "\u3000MRN1", "MRN1 \n"])
def test_white_space_of_any_kind_makes_no_other_patient_and_breaks_no_table(padded: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    numbered = Pseudonymizer(Pseudonyms.sequential(table), None)
    keyed = Pseudonymizer(Pseudonyms.keyed(), ProjectSecret(SECRET))
    for _ in range(2):
        assert numbered.person(padded).new_id == numbered.known("MRN1") == "SITE-0001"
    assert Pseudonymizer(Pseudonyms.sequential(table), None).person("MRN1").new_id == "SITE-0001"
    assert keyed.person(padded) == keyed.person("MRN1")
    assert keyed.known(padded) == keyed.known("MRN1")


def test_a_patient_id_of_white_space_counts_as_missing() -> None:
    result = keyed().deidentify(instance(PatientID="\t"))

    assert any("no patient ID" in warning for warning in result.warnings)


def test_the_repr_of_a_new_identity_reveals_nothing_of_the_old_one() -> None:
    person = Pseudonymizer(Pseudonyms.keyed(), ProjectSecret(SECRET)).person("MRN4711-22")

    assert "MRN4711" not in repr(person)


@pytest.mark.parametrize("new_name", ["Walkenhorst_01^X", "X^walkenhorst-2", "Annegret7"])
def test_signs_and_digits_beside_the_original_name_do_not_hide_it(new_name: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(f"old_id,new_id,new_name\nMRN4711-22,S1,{new_name}\n")
    with pytest.raises(EngineError) as caught:
        tabled(tmp_path).deidentify(instance())
    assert caught.value.reason == "pseudonym-tells-original"


def test_a_pseudonym_that_reveals_the_name_gets_a_warning(tmp_path: Path, both_ways: BothWays) -> None:
    (tmp_path / "table.csv").write_text("old_id,new_id\nMRN4711-22,WALKENHORST-01\n")
    result = both_ways(tabled(tmp_path), instance())

    assert "PatientIdentityRemoved" not in result.dataset
    assert any("repeats one of the patient's own" in warning for warning in result.warnings)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("pseudonyms", [None, Pseudonyms.keyed()])
def test_other_ids_in_a_removed_sequence_are_searched_too(
    pseudonyms: Pseudonyms | None, undefined: bool, syntax: UID, both_ways: BothWays
) -> None:
    items = [Dataset(), Dataset(), Dataset()]
    items[0].PatientID, items[1].IssuerOfPatientID, items[2].PatientID = "OTHER8899", "elsewhere", "Q-556677"
    dataset = instance(OtherPatientIDsSequence=Sequence(items), ManufacturerModelName="of OTHER8899 and Q-556677")
    dataset["OtherPatientIDsSequence"].is_undefined_length = undefined
    dataset.file_meta.TransferSyntaxUID = syntax
    deidentifier = Deidentifier(
        presets.basic_confidentiality_profile(), secret=SECRET if pseudonyms else None, pseudonyms=pseudonyms
    )
    result = both_ways(deidentifier, dataset)

    assert not [other for other in (b"OTHER8899", b"556677") if other in whole(result)]
    assert result.dataset.PatientIdentityRemoved == "YES"
