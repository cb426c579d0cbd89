"""New values are legal: in the instance's own character set, of an even length, and as many as there were."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.charset import python_encoding
from pydicom.dataset import Dataset, FileMetaDataset

CONTENTS = {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}


def instance(character_set: str | None) -> Dataset:
    dataset = Dataset()
    if character_set is not None:
        dataset.SpecificCharacterSet = character_set
    dataset.PatientName = "Rivera^Ana"
    dataset.StudyDescription = "CT for Ana Rivera now"
    dataset.StationAETitle = "RIVERA"
    dataset.ImageComments = "see Ana Rivera\nand go on"
    dataset.file_meta = FileMetaDataset()
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    return dataset


@pytest.mark.parametrize(
    ("character_set", "character", "fits"),
    [
        (None, "*", True),
        (None, "é", False),
        ("ISO_IR 6", "é", False),
        ("ISO_IR 100", "é", True),
        ("ISO_IR 100", "█", False),
        ("ISO_IR 13", "é", False),
        ("ISO_IR 192", "█", True),
    ],
)
def test_a_masking_character_that_the_instance_cannot_write_empties_the_value_with_a_warning(
    make: Any, character_set: str | None, character: str, fits: bool
) -> None:
    mask = {"infoTypes": ["PERSON_NAME"], "characterMaskConfig": {"maskingCharacter": character}}
    result = make(CONTENTS, text={"additionalTransformations": [mask]}).deidentify(instance(character_set))

    encoding = "ascii" if character_set in (None, "ISO_IR 6") else python_encoding[character_set or ""]
    raw = {name: result.dataset.get_item(name).value for name in ("PatientName", "StudyDescription", "ImageComments")}
    texts = {name: value.decode(encoding).rstrip(" ") for name, value in raw.items()}
    assert not [name for name, value in raw.items() if len(value) % 2]
    if fits:
        assert texts["PatientName"] == f"{character * 6}^{character * 3}"
        assert texts["StudyDescription"] == f"CT for {character * 10} now"
        assert texts["ImageComments"] == f"see {character * 10}\nand go on"
    else:
        assert set(texts.values()) == {""}
        assert any("character set" in warning for warning in result.warnings)


def test_an_application_entity_title_is_ascii_in_every_character_set(make: Any) -> None:
    mask = {"infoTypes": ["PERSON_NAME"], "characterMaskConfig": {"maskingCharacter": "é"}}
    result = make(CONTENTS, text={"additionalTransformations": [mask]}).deidentify(instance("ISO_IR 192"))

    assert result.dataset.get_item("StationAETitle").value == b""


def test_what_was_there_before_may_be_no_ascii_even_where_no_character_set_is_named(make: Any) -> None:
    dataset = instance(None)
    dataset.add_new(0x00081030, "LO", "caf\xe9 of Ana Rivera")
    redact = {"infoTypes": ["PERSON_NAME"], "redactConfig": {}}

    new = make(CONTENTS, text={"additionalTransformations": [redact]}).deidentify(dataset).dataset

    assert new.get_item("StudyDescription").value.rstrip(b" ") == b"caf\xe9 of"


def test_second_bytes_that_look_like_delimiters_delimit_nothing(make: Any) -> None:
    dataset = instance("\\ISO 2022 IR 87")
    kanji = "\u79fb\u7530^\u79c0\u6625"  # their JIS bytes have a backslash and equals signs in them
    encoded = b"^".join(part.encode("iso2022_jp") for part in kanji.split("^"))
    dataset.add_new(0x00100010, "PN", b"Utsurida^Hideharu=" + encoded)
    mask = {"infoTypes": ["PERSON_NAME"], "characterMaskConfig": {"maskingCharacter": "*"}}

    new = make(CONTENTS, text={"additionalTransformations": [mask]}).deidentify(dataset).dataset

    assert b"\\" in encoded
    assert new.get_item("PatientName").value == b"********^********=**^** "
