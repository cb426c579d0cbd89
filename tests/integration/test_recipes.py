"""Recipes of CTP and deid, converted and carried out: every attribute compared with what the recipe says."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from healthcare_deid.config import RecipeConversion, from_ctp_script, from_deid_recipe
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS
from healthcare_deid.engine import Deidentifier, Pseudonyms
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[1] / "config" / "data"
SECRET = bytes(range(32))
GONE = "<gone>"
EMPTY = ""
MARKERS = {
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "BurnedInAnnotation",
    "LongitudinalTemporalInformationModified",
    "RecognizableVisualFeatures",
    "DataSetTrailingPadding",
}
"""Attributes that the engine writes or removes by itself."""


def original() -> Dataset:
    """An instance with a value in every attribute that a recipe names."""
    dataset = sample_dicom()[0].dataset
    values = {
        "StudyDate": "20240315",
        "SeriesDate": "20240316",
        "AcquisitionDate": "20240317",
        "PatientID": "MRN-12345",
        "PatientName": "Miller^Jane",
        "PatientBirthDate": "19610704",
        "PatientSex": "F",
        "InstitutionName": "General Hospital",
        "InstitutionAddress": "1 Main Street",
        "ReferringPhysicianName": "Adams^Ann",
        "PhysiciansOfRecord": "Baker^Bob",
        "OperatorsName": "Clark^Cy",
        "StudyDescription": "CHEST 12 OF 34",
        "SeriesDescription": "AXIAL LUNG",
        "StationName": "CT-WEST-1",
        "AccessionNumber": "A-99",
        "StudyID": "S-7",
        "Manufacturer": "ACME",
        "DeviceSerialNumber": "SN-4711",
        "FrameOfReferenceUID": "1.3.6.1.4.1.5962.99.8",
        "KVP": "120",
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    item = Dataset()
    item.PatientName = "Miller^Jane"
    item.ScheduledProcedureStepDescription = "CHEST"
    dataset.RequestAttributesSequence = Sequence([item])
    dataset.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "MRN-12345")
    dataset.add_new(0x60000010, "US", 8)
    return dataset


def carried_out(conversion: RecipeConversion) -> tuple[Dataset, Dataset]:
    """Return the original and the result under the converted config and options."""
    options: dict[str, Any] = dict(conversion.options)
    if conversion.wants_pseudonyms:
        options["pseudonyms"] = Pseudonyms.keyed()
    before = original()
    return before, Deidentifier(conversion.config, secret=SECRET, **options).deidentify(before).dataset


def shown(dataset: Dataset, keyword: str) -> Any:
    """Return a value as text, or `GONE`."""
    if keyword not in dataset:
        return GONE
    value = dataset.get(keyword)
    return EMPTY if value in (None, "", []) else str(value)


def compare(before: Dataset, after: Dataset, expected: dict[str, Any], *, others: Callable[[str], bool]) -> None:
    """Compare each attribute with its expectation; of the others, those that satisfy *others* must be unchanged.

    Sequences are compared by the tests themselves: the engine applies a recipe in their items too.
    """
    elements = [
        element
        for element in (*before, *after)
        if element.keyword and element.VR != "SQ" and element.tag.group != 0x6000
    ]
    for keyword in sorted({element.keyword for element in elements} | expected.keys()):
        was, found = shown(before, keyword), shown(after, keyword)
        wanted = expected.get(keyword, was if others(keyword) else GONE)
        if callable(wanted):
            assert wanted(was, found), f"{keyword}: {was} became {found}"
        elif keyword not in MARKERS:
            assert found == wanted, keyword


def is_new_uid(was: str, found: str) -> bool:
    return found.startswith("1.2.826.0.1.3680043.10.999.") and found != was


def is_another_uid(was: str, found: str) -> bool:
    return found not in {was, GONE, EMPTY}


def is_shifted(was: str, found: str) -> bool:
    return len(found) == 8 and found.isdecimal() and found != was


def is_pseudonym(was: str, found: str) -> bool:
    return len(found) == 15 and was not in found


PSEUDONYMS = dict.fromkeys(("PatientID", "PatientName", "AccessionNumber", "StudyID"), is_pseudonym)
NEW_UIDS = dict.fromkeys(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), is_new_uid)
OTHER_UIDS = dict.fromkeys(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), is_another_uid)


def test_a_site_script_of_ctp() -> None:
    conversion = from_ctp_script((DATA / "site.ctp.xml").read_text("utf-8"))
    before, after = carried_out(conversion)
    expected = {
        **PSEUDONYMS,
        **NEW_UIDS,
        "FrameOfReferenceUID": is_new_uid,
        "StudyDate": is_shifted,
        "SeriesDate": is_shifted,
        "AcquisitionDate": "20240101",
        "PatientBirthDate": EMPTY,
        "InstitutionName": GONE,
        "ReferringPhysicianName": EMPTY,
        "StudyDescription": "CHEST # OF #",
        "SeriesDescription": "AXIAL",
        "ClinicalTrialSiteID": "017",
        "StationName": "SCANNER-017",
        "OperatorsName": EMPTY,
    }
    compare(before, after, expected, others=lambda _: True)
    assert [line.subject for line in conversion.unconverted] == ["OperatorsName"]
    assert date.fromisoformat(after.SeriesDate) - date.fromisoformat(after.StudyDate) == timedelta(days=1)
    assert 0x60000010 not in after
    assert not [element for element in after if element.tag.is_private]
    (item,) = after.RequestAttributesSequence
    assert "MRN-12345" not in str(after)
    assert "Miller" not in str(item)


def test_a_keep_list_of_ctp() -> None:
    conversion = from_ctp_script((DATA / "keep_list.ctp.xml").read_text("utf-8"))
    before, after = carried_out(conversion)
    kept = {"Modality", "Manufacturer", "StudyDescription", "PatientSex", "SeriesNumber", "InstanceNumber"}
    kept |= {"ImagePositionPatient", "SOPClassUID", "SpecificCharacterSet", *MINIMAL_KEEP_TAGS}
    groups = (0x0018, 0x0028, 0x6000)
    in_groups = {element.keyword for element in before if element.tag.group in groups}
    compare(
        before,
        after,
        {**NEW_UIDS, "DeviceSerialNumber": GONE},
        others=lambda keyword: keyword in kept | in_groups,
    )
    assert [line.reason for line in conversion.unconverted] == ["@quarantine selects instances"]
    assert not [element for element in after if element.tag.is_private]


def test_a_light_script_of_ctp_as_properties() -> None:
    conversion = from_ctp_script((DATA / "light.ctp.properties").read_text("utf-8"))
    before, after = carried_out(conversion)
    expected = {
        "PatientName": "X-17",
        "PatientID": "X-17-1",
        "PatientBirthDate": "19610101",
        "AccessionNumber": EMPTY,
        "InstitutionName": EMPTY,
        "PhysiciansOfRecord": GONE,
    }
    compare(before, after, expected, others=lambda _: True)
    assert conversion.unconverted == ()
    assert after[0x00091001].value == before[0x00091001].value  # the script leaves private groups


def test_a_site_recipe_of_deid() -> None:
    conversion = from_deid_recipe((DATA / "site.deid").read_text("utf-8"))
    before, after = carried_out(conversion)
    expected = {
        **PSEUDONYMS,
        **OTHER_UIDS,
        "PatientBirthDate": EMPTY,
        "ReferringPhysicianName": GONE,
        "PhysiciansOfRecord": GONE,
        "InstitutionName": GONE,
        "StudyDate": is_shifted,
        "SeriesDate": is_shifted,
        "ClinicalTrialProtocolID": "X-17",
    }
    compare(before, after, expected, others=lambda _: True)
    assert conversion.unconverted == ()
    assert not [element for element in after if element.tag.is_private]


def test_a_keep_list_of_deid() -> None:
    conversion = from_deid_recipe((DATA / "keep_list.deid").read_text("utf-8"))
    before, after = carried_out(conversion)
    kept = {"Modality", "StudyDescription", "SeriesNumber", "KVP", "SOPClassUID", "SpecificCharacterSet"}
    kept |= set(MINIMAL_KEEP_TAGS)
    expected = {"StudyDate": is_shifted, "PatientSex": "O", "StationName": EMPTY}
    compare(before, after, expected, others=lambda keyword: keyword in kept)
    assert [line.subject for line in conversion.unconverted] == ["%filter", "StationName"]


def test_field_lists_of_deid() -> None:
    conversion = from_deid_recipe((DATA / "lists.deid").read_text("utf-8"), keep_private=True)
    before, after = carried_out(conversion)
    names = {element.keyword for element in before if element.keyword.endswith("Name")}
    dates = {element.keyword for element in before if element.VR == "DA"}
    expected = {
        **dict.fromkeys(names, EMPTY),
        **dict.fromkeys(dates, GONE),
        "InstitutionAddress": EMPTY,
        "KVP": GONE,
    }
    compare(before, after, expected, others=lambda _: True)
    assert {line.subject for line in conversion.unconverted} == {"%values", "REMOVE values:"}
    (item,) = after.RequestAttributesSequence
    assert not item.PatientName


@pytest.mark.parametrize("name", ["site.ctp.xml", "keep_list.ctp.xml", "site.deid", "keep_list.deid"])
def test_the_config_alone_keeps_no_identifier(name: str) -> None:
    text = (DATA / name).read_text("utf-8")
    conversion = from_ctp_script(text) if "ctp" in name else from_deid_recipe(text)
    after = Deidentifier(conversion.config).deidentify(original()).dataset
    assert not after.get("PatientID")
    assert not after.get("PatientName")
