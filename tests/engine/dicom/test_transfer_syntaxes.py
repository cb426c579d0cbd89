"""The table of transfer syntaxes: one row for every syntax that DICOM defines."""

from __future__ import annotations

import pytest
from pydicom.uid import AllTransferSyntaxes

from healthcare_deid.engine.dicom.transfer_syntaxes import (
    TRANSFER_SYNTAXES,
    Coding,
    frames_are_followed,
    is_native,
    name_of,
    transfer_syntax,
)


@pytest.mark.parametrize("uid", [str(uid) for uid in AllTransferSyntaxes if not uid.is_private])
def test_every_transfer_syntax_of_pydicom_has_a_row(uid: str) -> None:
    assert uid in TRANSFER_SYNTAXES


def test_whatever_is_encoded_is_decoded_to_be_checked() -> None:
    assert all(row.decoder for row in TRANSFER_SYNTAXES.values() if row.encoder)


def test_only_native_syntaxes_store_no_fragments_and_an_unknown_one_may() -> None:
    assert is_native("")
    assert is_native("1.2.840.10008.1.2.1")
    assert not is_native("1.2.840.10008.1.2.5")
    assert not is_native("1.2.3.4")


def test_video_is_not_followed_and_jpeg_xl_and_retired_jpeg_are() -> None:
    assert not frames_are_followed("1.2.840.10008.1.2.4.100")
    assert frames_are_followed("1.2.840.10008.1.2.4.110")
    assert frames_are_followed("1.2.840.10008.1.2.4.53")


def test_a_syntax_is_named_for_a_person() -> None:
    assert name_of("1.2.840.10008.1.2.4.202") == (
        "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only) (1.2.840.10008.1.2.4.202)"
    )
    assert name_of("1.2.3.4") == "1.2.3.4"


@pytest.mark.parametrize("uid", TRANSFER_SYNTAXES)
def test_every_row_has_a_name_that_is_not_its_uid(uid: str) -> None:
    assert not name_of(uid).startswith("1.")


def test_no_named_syntax_is_implicit_vr() -> None:
    known = transfer_syntax("")
    assert known is not None
    assert known.coding is Coding.NATIVE
