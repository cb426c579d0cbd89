"""The PS3.15 tables: equal to what other packages hold of the same edition, and applied by the rules of annex E."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from healthcare_deid.engine.options import Edition
from healthcare_deid.engine.plan.profiles import basic_plan
from healthcare_deid.engine.plan.ps315 import ProfileOption, ProfileTable, basic_codes, identifying_tags
from healthcare_deid.engine.plan.rules import Op
from healthcare_deid.errors import ConfigError

DATES = ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES
SHIFTED = ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES
SCHEMES = {"CodingSchemeURL", "URNCodeValue"}
EDITIONS: tuple[Edition, ...] = get_args(Edition)

# Codes of dicom-anonymizer's lists, by the name of the list.
_LISTS = {
    "D": "D_TAGS",
    "Z": "Z_TAGS",
    "X": "X_TAGS",
    "U": "U_TAGS",
    "Z/D": "Z_D_TAGS",
    "X/Z": "X_Z_TAGS",
    "X/D": "X_D_TAGS",
    "X/Z/D": "X_Z_D_TAGS",
    "X/Z/U*": "X_Z_U_STAR_TAGS",
}


def _dicom_anonymizer(edition: str) -> dict[int, str]:
    pytest.importorskip("dicomanonymizer")
    name = f"dicomanonymizer.dicom_anonymization_databases.dicomfields_{edition}"
    module: Any = importlib.import_module(name)
    return {
        group << 16 | element: code for code, tags in _LISTS.items() for group, element, *_ in getattr(module, tags)
    }


def test_the_current_edition_has_the_rows_that_dicom_anonymizer_has() -> None:
    theirs, ours = _dicom_anonymizer("2026c"), basic_codes("2026d")

    differing = {
        f"{tag:08X}"
        for tag in theirs
        if tag & 0xFF000000 not in (0x50000000, 0x60000000) and theirs[tag] != ours.get(tag)
    }
    assert len(theirs) > 600
    assert len(differing) <= 5, differing  # what one edition changed


def test_the_older_edition_differs_from_the_current_one_in_three_shared_rows() -> None:
    older, current = basic_codes("2018e-google"), basic_codes("2026d")

    changed = {tag for tag in older if older[tag] != current.get(tag)}
    assert changed == {0x00100020, 0x30080105, 0x300A00B2}
    assert len(current) == 653


def test_the_older_edition_has_googles_286_attributes_and_the_uids_that_its_redactor_treats_apart() -> None:
    older = basic_codes("2018e-google")

    regenerated = {0x00080018, 0x0020000D, 0x0020000E, 0x00020003}
    of_messages_and_files = {0x00001000, 0x00001001, 0x00041511}
    assert len(older) == 286 + len(regenerated | of_messages_and_files)
    assert {older[tag] for tag in regenerated} == {"U"}
    # Second-generation radiotherapy came after the list was made.
    assert not [tag for tag in older if tag >> 16 == 0x3010]


def test_the_tables_name_their_sources() -> None:
    folder = Path(sys.modules["healthcare_deid.engine.plan.ps315"].__file__ or "").parent / "data"

    for edition in EDITIONS:
        text = (folder / f"ps315_{edition.replace('-', '_')}.json").read_text("utf-8")
        assert re.search(r'"source": ".*PyPI [a-z-]+ [0-9.]+', text)


@pytest.mark.parametrize(
    ("tag", "code", "op"),
    [
        (0x00100010, "Z", Op.EMPTY),
        (0x00100020, "Z/D", Op.DUMMY),
        (0x00101040, "X", Op.DELETE),
        (0x00080018, "U", Op.UID),
        (0x00080021, "X/D", Op.DUMMY),
        (0x00080023, "Z/D", Op.DUMMY),
        (0x00080022, "X/Z", Op.EMPTY),
        (0x00081140, "X/Z/U*", Op.UID),
    ],
)
def test_the_last_code_of_a_cell_counts(tag: int, code: str, op: Op) -> None:
    assert basic_codes("2026d")[tag] == code
    assert ProfileTable("2026d").tags[tag].op is op


@pytest.mark.parametrize("options", [[], [ProfileOption.CLEAN_GRAPHICS]])
@pytest.mark.parametrize("edition", EDITIONS)
def test_curves_overlays_and_private_elements_go(edition: Edition, options: list[ProfileOption]) -> None:
    table = ProfileTable(edition, options)

    assert table.private.op is Op.DELETE
    assert {entry.value for entry in table.patterns} == {0x50000000, 0x60003000, 0x60004000, 0x60000000}
    assert {entry.rule.op for entry in table.patterns} == {Op.DELETE}


def test_an_older_edition_is_completed_by_the_current_one_unless_it_is_to_be_strict() -> None:
    encapsulated_document = 0x00420011

    assert encapsulated_document in ProfileTable("2018e-google").tags
    assert encapsulated_document not in ProfileTable("2018e-google", strict=True).tags
    assert "2018e-google" in ProfileTable("2018e-google").tags[0x00100010].reason
    assert "2026d" in ProfileTable("2018e-google").tags[encapsulated_document].reason


@pytest.mark.parametrize("edition", EDITIONS)
def test_no_name_of_a_person_no_date_and_no_address_stays_because_the_table_forgot_it(edition: Edition) -> None:
    plan, strict = basic_plan(edition), basic_plan(edition, strict=True)
    removing = {Op.DELETE, Op.EMPTY, Op.DUMMY}
    rows = {
        (tag, row[0])
        for tag, row in DicomDictionary.items()
        if tag >> 16 > 4 and row[0] in {"PN", "DA", "DT", "AE", "AS", "UR"} and row[4] not in SCHEMES
    }

    for keyword in ("PatientBirthDateInAlternativeCalendar", "HL7InstanceIdentifier", "NTPSourceAddress"):
        assert plan.rule(tag_for_keyword(keyword) or 0, "LO").op is Op.DELETE
    assert {row[4] for tag, row in DicomDictionary.items() if plan.rule(tag, row[0]).op not in removing} >= SCHEMES
    assert [f"{tag:08X}" for tag, vr in rows if plan.rule(tag, vr).op not in removing] == []
    assert [f"{tag:08X}" for tag, vr in rows if strict.rule(tag, vr).op not in removing] != []


@pytest.mark.parametrize(
    ("keyword", "op"),
    [
        ("CommentsOnTheScheduledProcedureStep", Op.DELETE),
        ("TreatmentStatusComment", Op.DELETE),
        ("ContactDisplayName", Op.DELETE),
        ("DocumentTitle", Op.EMPTY),  # Type 2
    ],
)
def test_free_text_about_one_patient_goes_although_the_table_forgot_it(keyword: str, op: Op) -> None:
    tag = tag_for_keyword(keyword) or 0

    assert tag not in basic_codes("2026d")
    assert ProfileTable("2026d").tags[tag].op is op
    assert tag not in ProfileTable("2026d", strict=True).tags
    if keyword != "ContactDisplayName":
        assert ProfileTable("2026d", [ProfileOption.CLEAN_DESCRIPTORS]).tags[tag].op is Op.TEXT


@pytest.mark.parametrize(("option", "op"), [(DATES, {Op.KEEP, Op.CHECK}), (SHIFTED, {Op.SHIFT})])
def test_dates_that_the_table_forgot_are_treated_as_those_it_lists(option: ProfileOption, op: set[Op]) -> None:
    procedure_creation_date = 0x00144076

    assert procedure_creation_date not in basic_codes("2026d")
    assert basic_plan("2026d", [option]).rule(procedure_creation_date, "DA").op in op


@pytest.mark.parametrize(
    ("option", "tag", "op"),
    [
        (ProfileOption.RETAIN_UIDS, 0x00200052, Op.KEEP),
        (ProfileOption.RETAIN_DEVICE_IDENTITY, 0x00181000, Op.KEEP),
        (ProfileOption.RETAIN_INSTITUTION_IDENTITY, 0x00080080, Op.KEEP),
        (ProfileOption.RETAIN_PATIENT_CHARACTERISTICS, 0x00101010, Op.KEEP),
        (DATES, 0x00080020, Op.KEEP),
        (SHIFTED, 0x00080020, Op.SHIFT),
        (ProfileOption.CLEAN_DESCRIPTORS, 0x00081030, Op.TEXT),
        (ProfileOption.CLEAN_STRUCTURED_CONTENT, 0x0040A730, Op.TEXT),
    ],
)
def test_an_option_is_stronger_than_the_profile(option: ProfileOption, tag: int, op: Op) -> None:
    assert ProfileTable("2026d").tags[tag].op is not op
    assert ProfileTable("2026d", [option]).tags[tag].op is op


def test_dates_cannot_be_kept_and_shifted() -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        ProfileTable("2026d", [DATES, SHIFTED])


def test_unknown_options_and_editions_are_refused() -> None:
    with pytest.raises(ConfigError, match="retain_uids"):
        ProfileTable("2026d", ["keep_everything"])
    with pytest.raises(ConfigError, match="2018e-google"):
        ProfileTable("1999a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] # a user's mistake


def test_the_identifying_tags_are_those_with_a_row() -> None:
    assert {0x00100010, 0x00100020} <= identifying_tags()
    assert 0x00280010 not in identifying_tags()


@pytest.mark.parametrize("edition", ["2018e-google", "2026d"])
def test_what_describes_a_replaced_document_goes_with_it(edition: Any) -> None:
    table = ProfileTable(edition)
    assert table.tags[0x00420011].op is Op.DUMMY
    assert (table.tags[0x00420012].op, table.tags[0x00420015].op) == (Op.DUMMY, Op.DELETE)
