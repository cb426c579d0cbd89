"""Whatever attribute an identity is planted in, none of it is left where the result says that it was removed.

Every attribute of the dictionary is written with the patient's name, ID, date of birth or UID, or with raw bytes that
are no value of its VR; what is searched are the bytes of the result.
"""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.encoding import LONG_VRS
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
CLEANING = ["clean_descriptors", "clean_structured_content", "clean_graphics"]
RETAINING = ["retain_device_identity", "retain_patient_characteristics", "retain_longitudinal_modified_dates"]
CLAIMING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "minimal": ({"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, {}),
    "basic": ({"filterProfile": BASIC}, {}),
    "basic 2026d": ({"filterProfile": BASIC}, {"edition": "2026d"}),
    "basic, cleaned": ({"filterProfile": BASIC}, {"options": CLEANING}),
    "basic, cleaned and retained": ({"filterProfile": BASIC}, {"options": [*CLEANING, *RETAINING], "edition": "2026d"}),
}
NAME, IDENTITY, BIRTH, UID = b"Zebrowska^Oktawia ", b"MRN7741093", b"19610817", b"1.2.826.77.4711.20210314.3"
PLANTED = {
    "name": b"Zebrowska Oktawia ",
    "identity": b"MRN7741093",
    "birth date": b"19610817",
    "UID": UID,
    "raw bytes": b"ZEBROWSKA\xff\0 Oktawia",
}
LEFT = {
    "name": (b"zebrowska", b"oktawia"),
    "identity": (b"7741093",),
    "birth date": (b"19610817",),
    "UID": (UID,),
    "raw bytes": (b"zebrowska", b"oktawia"),
}
NEEDED = {
    0x00080016: (b"UI", b"1.2.840.10008.5.1.4.1.1.7\0"),
    0x00080018: (b"UI", UID),
    0x0020000D: (b"UI", b"1.2.826.77.4711.1\0"),
    0x0020000E: (b"UI", b"1.2.826.77.4711.2\0"),
    0x00100010: (b"PN", NAME),
    0x00100020: (b"LO", IDENTITY),
    0x00100030: (b"DA", BIRTH),
}
EVERY_VR = sorted({row[0] for row in DicomDictionary.values() if len(row[0]) == 2})
CHUNK = 120


@cache
def engine(name: str) -> Deidentifier:
    dicom, options = CLAIMING[name]
    return Deidentifier(DeidentifyConfig.from_api({"dicom": dicom}), **options)


def attributes() -> list[tuple[int, str]]:
    """Every attribute that a dataset may have beside pixels, and the first VR that the dictionary gives it."""
    return [
        (tag, row[0][:2])
        for tag, row in sorted(DicomDictionary.items())
        if 0x00080000 <= tag < 0x7FE00000 and tag not in NEEDED and row[0] != "NONE" and tag >> 16 != 0x0004
    ]


def encoded(tag: int, vr: bytes, value: bytes, *, explicit: bool) -> bytes:
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack("<I", len(value)) + value
    if vr in LONG_VRS:
        return head + vr + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + vr + struct.pack("<H", len(value)) + value


def instances(kind: str, syntax: str, *, nested: bool = False, step: int = 1, vr_of_all: str = "") -> Iterator[bytes]:
    """Yield files that have an identity in every attribute, some attributes each, under its own VR or another."""
    explicit = syntax == ExplicitVRLittleEndian
    wanted = attributes()[::step]
    for start in range(0, len(wanted), CHUNK):
        chosen = {tag: ((vr_of_all or vr).encode(), PLANTED[kind]) for tag, vr in wanted[start : start + CHUNK]}
        if nested:
            inside = b"".join(encoded(tag, vr, value, explicit=explicit) for tag, (vr, value) in sorted(chosen.items()))
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inside)) + inside
            chosen = {0x00081115: (b"SQ", item), 0x0040A730: (b"SQ", item), 0x00540016: (b"SQ", item)}
        yield instance(chosen, syntax)


def instance(elements: dict[int, tuple[bytes, bytes]], syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return a file with these elements, given by VR and value, beside those that an instance needs."""
    explicit = syntax == ExplicitVRLittleEndian
    rows = sorted({**NEEDED, **elements}.items())
    body = b"".join(encoded(tag, vr, value, explicit=explicit) for tag, (vr, value) in rows)
    syntax_element = encoded(0x00020010, b"UI", syntax.encode() + b"\0" * (len(syntax) % 2), explicit=True)
    group = encoded(0x00020000, b"UL", struct.pack("<I", len(syntax_element)), explicit=True)
    return bytes(128) + b"DICM" + group + syntax_element + body


def left_in(name: str, data: bytes, kind: str, folder: Path, *, by_dataset: bool) -> list[str]:
    """Return what is left of an identity in a result that claims removal."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    try:
        if by_dataset:
            with files.opened(source) as (dataset, _):
                files.write(engine(name).deidentify(dataset).dataset, target)
        else:
            engine(name).deidentify_file(source, target)
    except EngineError:
        return []
    result = target.read_bytes().lower()
    claims = b"\x12\x00\x62\x00CS\x04\x00YES".lower() in result or b"\x12\x00\x62\x00\x04\0\0\0YES".lower() in result
    return [
        f"{term!r} after {result[max(0, result.find(term) - 24) : result.find(term)]!r}"
        for term in LEFT[kind]
        if claims and term in result
    ]


@pytest.mark.parametrize("by_dataset", [False, True])
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", CLAIMING)
def test_no_attribute_keeps_an_identity(name: str, kind: str, by_dataset: bool, tmp_path: Path) -> None:
    found = [
        left
        for data in instances(kind, ExplicitVRLittleEndian, step=3)
        for left in left_in(name, data, kind, tmp_path, by_dataset=by_dataset)
    ]
    assert found == []


@pytest.mark.parametrize("by_dataset", [False, True])
@pytest.mark.parametrize("vr", ["OB", "OW", "UN", "UT"])
@pytest.mark.parametrize("name", ["minimal", "basic"])
def test_no_attribute_keeps_an_identity_under_a_vr_that_holds_anything(
    name: str, vr: str, by_dataset: bool, tmp_path: Path
) -> None:
    found = [
        left
        for kind in ("name", "raw bytes")
        for data in instances(kind, ExplicitVRLittleEndian, vr_of_all=vr, step=2)
        for left in left_in(name, data, kind, tmp_path, by_dataset=by_dataset)
    ]
    assert found == []


@pytest.mark.parametrize("vr", [b"OW", b"US", b"UT", b"LO"])
@pytest.mark.parametrize("tag", [0x00080008, 0x00080016, 0x00080060, 0x00180015, 0x00280010, 0x00281050, 0x00400555])
def test_what_an_attribute_of_codes_and_numbers_may_not_hold_is_emptied_whoever_is_named(
    tag: int, vr: bytes, tmp_path: Path
) -> None:
    value = b"\0\1 Dr. Hortensia Brumbleton" if vr in (b"OW", b"US") else b"Dr. Hortensia Brumbleton"
    result = engine("basic").deidentify_bytes(instance({tag: (vr, value)}))
    assert b"Brumbleton" not in result.data


@pytest.mark.parametrize("by_dataset", [False, True])
@pytest.mark.parametrize("vr", [b"CS", b"FD", b"OV", b"PN", b"UN", b"UT"])
@pytest.mark.parametrize("name", ["minimal", "basic"])
def test_pixel_data_that_is_no_picture_keeps_no_identity(
    name: str, vr: bytes, by_dataset: bool, tmp_path: Path
) -> None:
    for value in (b"seen by Oktawia Zebrowska ", PLANTED["raw bytes"] + b"\0", b"\xfe\xff\x00\xe0\x08\0\0\0Oktawia "):
        data = instance({0x00280100: (b"US", b"\x08\0"), 0x7FE00010: (vr, value)})
        assert left_in(name, data, "name", tmp_path, by_dataset=by_dataset) == []


@pytest.mark.parametrize("vr", [b"PN", b"LO", b"US", b"UT"])
def test_a_character_set_under_another_vr_is_emptied(vr: bytes) -> None:
    contents = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}))
    for deidentifier in (engine("basic"), contents):
        result = deidentifier.deidentify_bytes(instance({0x00080005: (vr, b"Zebrowska^Oktawia ")}))
        assert not pydicom.dcmread(io.BytesIO(result.data)).get("SpecificCharacterSet")


@pytest.mark.slow
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", CLAIMING)
def test_no_attribute_at_any_depth_keeps_an_identity(
    name: str, kind: str, nested: bool, syntax: str, tmp_path: Path
) -> None:
    found = [
        left
        for data in instances(kind, syntax, nested=nested)
        for by_dataset in (False, True)
        for left in left_in(name, data, kind, tmp_path, by_dataset=by_dataset)
    ]
    assert found == []


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", CLAIMING)
def test_no_vr_keeps_an_identity(name: str, kind: str, tmp_path: Path) -> None:
    """Also under a VR that is not the attribute's own: on a code, a number, a text and a sequence."""
    found: list[str] = []
    for tag in (0x00180015, 0x00181030, 0x00281050, 0x00082112, 0x00409096):
        for vr in EVERY_VR:
            rows = sorted({tag: (vr.encode(), PLANTED[kind]), **NEEDED}.items())
            body = b"".join(encoded(tag, vr, value, explicit=True) for tag, (vr, value) in rows)
            meta = encoded(0x00020010, b"UI", ExplicitVRLittleEndian.encode() + b"\0", explicit=True)
            data = bytes(128) + b"DICM" + encoded(0x00020000, b"UL", struct.pack("<I", len(meta)), explicit=True) + meta
            found += left_in(name, data + body, kind, tmp_path, by_dataset=False)
    assert found == []
