"""Nothing that was planted is in the output: looked for in the bytes of the file, not in what a reader makes of it."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from healthcare_deid import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_V1: dict[str, Any] = {
    "minimal": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"},
    "basic": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
    "keep list": {
        "keepList": {"tags": ["Modality", "PatientSex", "ReferencedImageSequence", "ReferencedSOPInstanceUID"]}
    },
}
_BETA: dict[str, Any] = {
    "beta unspecified": {},
    "beta minimal": {"profileType": "MINIMAL_KEEP_LIST_PROFILE"},
    "beta reset all text": {
        "profileType": "KEEP_ALL_PROFILE",
        "actions": [
            {"queries": ["LO", "SH", "ST", "LT", "UT", "PN", "UC", "CS", "AE"], "resetTag": {}},
            {"queries": ["DA", "DT", "TM"], "removeTag": {}},
            {"queries": ["UI"], "regenUidTag": {}},
            {"queries": ["UN", "OB"], "deleteTag": {}},
            {"queries": ["OverlayData", "CurveData"], "deleteTag": {}},
        ],
    },
}
_SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)


def _deidentifiers() -> dict[str, Deidentifier]:
    made = {name: Deidentifier(DeidentifyConfig.from_api({"dicom": message})) for name, message in _V1.items()}
    made |= {
        name: Deidentifier(v1beta1.DeidentifyConfig.from_api({"dicomTagConfig": message}))
        for name, message in _BETA.items()
    }
    current = DeidentifyConfig.from_api({"dicom": _V1["basic"]})
    made["basic 2026d"] = Deidentifier(current, edition="2026d")
    made["basic 2026d salted"] = Deidentifier(current, edition="2026d", uid_rule="salted", salt=b"0123456789abcdef")
    made["basic, every kept UID mapped"] = Deidentifier(current, other_uids="map")
    return made


_MADE = _deidentifiers()


def _searchable(data: bytes) -> bytes:
    """Return a file's bytes, a deflated dataset inflated behind them."""
    syntax = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).file_meta.TransferSyntaxUID
    if syntax != DeflatedExplicitVRLittleEndian:
        return data
    return data + b"".join(
        _inflate(data[offset:]) for offset in range(132, min(len(data), 700)) if _inflate(data[offset:])
    )


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, wbits=-zlib.MAX_WBITS)
    except zlib.error:
        return b""


def test_the_planted_instance_really_holds_its_markers(planted: Any) -> None:
    assert len(planted.markers) >= 66
    assert planted.found_in(planted.file()) == list(planted.markers)


@pytest.mark.parametrize("syntax", _SYNTAXES, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("name", _MADE)
def test_no_marker_is_in_the_output_file(
    name: str, syntax: str, planted: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    source = write(planted.file(syntax))

    _MADE[name].deidentify_file(source, tmp_path / "out.dcm")

    assert planted.found_in(_searchable((tmp_path / "out.dcm").read_bytes())) == []


@pytest.mark.parametrize("name", _MADE)
def test_no_marker_is_in_the_output_dataset(name: str, planted: Any, as_file: Callable[..., bytes]) -> None:
    result = _MADE[name].deidentify(pydicom.dcmread(io.BytesIO(planted.file())))

    assert planted.found_in(as_file(result.dataset)) == []


@pytest.mark.parametrize("name", _MADE)
def test_no_marker_is_in_the_record(name: str, planted: Any) -> None:
    result = _MADE[name].deidentify(planted.dataset)

    told = repr((result, result.changes, result.redactions, result.warnings)).encode()
    assert planted.found_in(told) == []


@pytest.mark.parametrize("name", _MADE)
def test_what_no_profile_removes_is_still_there(name: str, planted: Any) -> None:
    result = _MADE[name].deidentify(planted.dataset)

    assert result.dataset.PixelData == planted.dataset.PixelData
    assert result.dataset.Rows == 2
    assert str(result.dataset.SOPClassUID) == "1.2.840.10008.5.1.4.1.1.2"
