"""Files that name the wrong transfer syntax: they are read correctly, and the result names the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROFILES = ["MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "KEEP_ALL_PROFILE"]


def apart(data: bytes) -> tuple[bytes, bytes]:
    """Return a file's head, with its file meta, and its dataset."""
    start = 144 + int.from_bytes(data[140:144], "little")
    return data[:start], data[start:]


@pytest.mark.parametrize("profile_name", PROFILES)
@pytest.mark.parametrize("real", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_result_names_the_syntax_that_its_data_is_in(
    profile: Callable[..., Any], planted: Any, write: Callable[..., Path], tmp_path: Path, profile_name: str, real: str
) -> None:
    named = ExplicitVRLittleEndian if real == ImplicitVRLittleEndian else ImplicitVRLittleEndian
    wrong = write(apart(planted.file(named))[0] + apart(planted.file(real))[1])
    right = write(planted.file(real), "right.dcm")

    result = profile(profile_name).deidentify_file(wrong, tmp_path / "out.dcm")
    profile(profile_name).deidentify_file(right, tmp_path / "expected.dcm")

    new, expected = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(tmp_path / "expected.dcm")
    assert new.file_meta.TransferSyntaxUID == real
    assert new == expected
    assert [warning for warning in result.warnings if "names the wrong transfer syntax" in warning]
    assert profile(profile_name).result_name(wrong) == profile(profile_name).result_name(right)


def test_implicit_data_under_a_compressed_syntax_is_refused(
    profile: Callable[..., Any], planted: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    head = apart(planted.file(ExplicitVRLittleEndian))[0].replace(
        f"{ExplicitVRLittleEndian}\0".encode(), f"{JPEGBaseline8Bit}"[:19].encode().ljust(20, b"\0")
    )
    head = head.replace(b"1.2.840.10008.1.2.4\0", b"1.2.840.10008.1.2.4.50"[:20])
    data = apart(planted.file(ImplicitVRLittleEndian))[1]
    with pytest.raises(InvalidDicomError, match="implicit VR"):
        profile(PROFILES[0]).deidentify_file(write(head + data), tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()
