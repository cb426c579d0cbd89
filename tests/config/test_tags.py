"""DICOM tags in every spelling, compared with pydicom's dictionary."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_keyword, keyword_for_tag
from pydicom.tag import Tag

from healthcare_deid.config.tags import (
    MINIMAL_KEEP_TAGS,
    entry_of,
    is_private,
    keyword_of,
    normalize,
    same_tag,
    tag_number,
    vr_of,
)
from healthcare_deid.config.v1.dicom import TagFilterList

KNOWN = sorted(tag for tag in DicomDictionary if tag >> 16 and DicomDictionary[tag][4])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(KNOWN))
def test_a_number_a_keyword_and_back_agree_with_pydicom(number: int) -> None:
    keyword = dictionary_keyword(number)
    assert keyword_of(number) == keyword
    assert tag_number(keyword) == number
    assert vr_of(keyword) == (DicomDictionary[number][0].replace(" or ", "/") or "NONE")


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(KNOWN))
def test_every_spelling_of_a_number_is_normalized_to_eight_digits(number: int) -> None:
    digits = f"{number:08X}"
    group, element = digits[:4], digits[4:]
    spellings: list[object] = [
        digits,
        digits.lower(),
        f"0x{digits.lower()}",
        f"({group},{element})",
        f"({group.lower()}, {element.lower()})",
        f"{group},{element}",
        number,
        Tag(number),
        (number >> 16, number & 0xFFFF),
    ]
    assert {normalize(spelling) for spelling in spellings} == {digits}
    assert {tag_number(normalize(spelling)) for spelling in spellings} == {number}


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 0xFFFFFFFF))
def test_a_number_is_known_private_or_refused(number: int) -> None:
    known = bool(keyword_for_tag(number)) and number >> 16 != 0
    if known or is_private(number):
        assert normalize(number) == f"{number:08X}"
    else:
        with pytest.raises(ValueError, match=r"is not a tag of DICOM PS3\.6"):
            normalize(number)


def test_a_keyword_stays_a_keyword_in_its_right_case() -> None:
    assert normalize("PatientID") == normalize(" patientid ") == "PatientID"
    assert normalize("Highbit") == "HighBit"


def test_repeating_groups_are_found_by_keyword_and_by_any_of_their_numbers() -> None:
    assert normalize("OverlayData") == "OverlayData"
    assert keyword_of(0x60023000) == "OverlayData"
    assert normalize("(601E,3000)") == "601E3000"
    assert tag_number("OverlayData") == 0x60003000


def test_private_tags_are_taken_as_numbers() -> None:
    assert normalize("00091001") == "00091001"
    assert is_private(0x00091001)
    assert entry_of(0x00091001) is None
    assert vr_of("00091001") is None


def test_two_spellings_of_one_tag_are_the_same() -> None:
    assert same_tag("PatientID", "00100020")
    assert not same_tag("PatientID", "PatientName")


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("PatientNam", "PatientNam is not a DICOM keyword: did you mean PatientName?"),
        ("StudyDat", "StudyDat is not a DICOM keyword: did you mean StudyDate?"),
        ("00100011", "00100011 is not a tag of DICOM PS3.6: did you mean 00100010 (PatientName)?"),
        ("0010,0011", "00100011 is not a tag of DICOM PS3.6: did you mean 00100010 (PatientName)?"),
        ("00000010", "00000010 is not a tag of DICOM PS3.6, which has no group 0000"),
        ("0010xxxx", "a tag must not have wildcards"),
        ("60xx3000", "a tag must not have wildcards"),
        ("00081140[0].00081155", "a path into a sequence is not a tag: use the sequence or the nested tag itself"),
        ("PN", "PN is a VR; only queries of v1beta1 tag actions accept one"),
        ("", "a tag must be a keyword, eight hexadecimal digits or (gggg,eeee)"),
        ("John Doe", "a tag must be a keyword, eight hexadecimal digits or (gggg,eeee)"),
        (3.5, "a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag"),
        (True, "a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag"),
        (-1, "a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag"),
        ((0x10, 0x10, 0x10), "a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag"),
        ((0x10, 0x10000), "a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag"),
    ],
)
def test_a_value_that_is_not_a_tag_is_refused(tag: object, text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        normalize(tag)
    assert str(refusal.value) == text


def test_a_list_takes_every_spelling_and_keeps_the_order() -> None:
    made = TagFilterList.from_api({"tags": [Tag("PatientName"), "patientid", "(0008,0020)", 0x00080060]})
    assert made.tags == ("00100010", "PatientID", "00080020", "00080060")


def test_the_minimal_keep_list_is_in_the_order_of_their_numbers() -> None:
    numbers = [tag_number(tag) for tag in MINIMAL_KEEP_TAGS]
    assert {0x7FE00008, 0x7FE00009, 0x7FE00010} <= set(numbers)
    assert numbers == sorted(set(numbers))
    assert "SOPClassUID" not in MINIMAL_KEEP_TAGS


def test_the_tag_table_equals_the_output_of_its_script() -> None:
    root = Path(__file__).parents[2]
    script = "import sys; sys.path.insert(0, 'tools'); import generate_tag_table as t; print('\\n'.join(t.lines()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    table = (root / "src" / "healthcare_deid" / "config" / "data" / "tags.txt").read_text("ascii").splitlines()
    assert table[1:] == done.stdout.splitlines()
