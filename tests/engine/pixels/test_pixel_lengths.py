"""Native lengths that contradict the attributes: read as what they fit, or refused; no picture is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_TEXT = PixelPlan(Scope.EVERYTHING)


def _color() -> NDArray[np.uint8]:
    gray = np.full((40, 64), 40, np.uint8)
    gray[8:16, 20:50] = 255
    return np.asarray(Image.fromarray(np.stack([gray] * 3, -1)).convert("YCbCr"))


@pytest.mark.parametrize("tail", [b"", b"ROE^JANE"])
@pytest.mark.parametrize("planar", [0, 1])
def test_full_chroma_with_the_label_of_shared_chroma_is_read_as_full(
    planar: int, tail: bytes, make_instance: Any, scripted_ocr: Any
) -> None:
    picture = _color()
    dataset = make_instance(picture, colour=True, photometric="YBR_FULL", planar=planar)
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PixelData += tail
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert dataset.PhotometricInterpretation == "YBR_FULL"
    assert len(dataset.PixelData) == picture.size
    (box,) = report.redactions
    mask = np.ones(picture.shape[:2], bool)
    mask[box.y : box.y + box.height, box.x : box.x + box.width] = False
    stored = np.frombuffer(dataset.PixelData, np.uint8)
    after = stored.reshape(3, 40, 64).transpose(1, 2, 0) if planar else stored.reshape(picture.shape)
    assert np.array_equal(after[mask], picture[mask])
    assert not (after[..., 0] > 200).any()
    rules = {(change.path, change.rule) for change in report.changes}
    assert ("00280004", "contradiction") in rules
    assert any("Photometric Interpretation" in warning for warning in report.warnings)
    assert (("7FE00010", "after-last-frame") in rules) is bool(tail)


def test_shared_chroma_with_the_label_of_full_chroma_is_read_as_shared(make_instance: Any, scripted_ocr: Any) -> None:
    picture = _color()
    dataset = make_instance(picture, colour=True, photometric="YBR_FULL")
    pairs = picture.reshape(40, 32, 2, 3)
    shared = np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=2)
    dataset.PixelData = shared.tobytes()
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert dataset.PhotometricInterpretation == "YBR_FULL_422"
    after = np.frombuffer(dataset.PixelData, np.uint8).reshape(shared.shape)
    (box,) = report.redactions
    mask = np.ones(shared.shape[:2], bool)
    mask[box.y : box.y + box.height, box.x // 2 : (box.x + box.width) // 2] = False
    assert np.array_equal(after[mask], shared[mask])
    assert not (after[..., :2] > 200).any()


def test_a_wrong_label_is_corrected_where_no_text_is_found(make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(np.full((40, 64, 3), 30, np.uint8), colour=True, photometric="YBR_FULL_422")
    value = dataset.PixelData
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert (dataset.PhotometricInterpretation, dataset.PixelData) == ("YBR_FULL", value)
    assert [change.path for change in report.changes] == ["00280004"]


@pytest.mark.parametrize(
    ("attributes", "length"),
    [
        ({}, 40 * 64 - 2),  # too short
        ({}, 40 * 64 * 3),  # color, or three frames, without saying so
        ({}, 40 * 64 * 2),  # 16 bits
        ({}, 40 * 64 * 2 + 16),
        ({}, 40 * 64 + 64 * 5),  # more rows
        ({"NumberOfFrames": 2}, 40 * 64 * 3),
        ({"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}, 40 * 64 * 3 // 2),  # packed
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, 40 * 64 * 3 // 2),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, 40 * 64),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "Columns": 25, "NumberOfFrames": 3, "Rows": 41}, 388),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, 40 * 64 * 2),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_PARTIAL_422"}, 40 * 64 * 3),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422", "Columns": 63}, 40 * 63 * 2),
    ],
)
def test_a_length_that_fits_no_layout_for_sure_is_refused(
    attributes: dict[str, Any], length: int, make_instance: Any, scripted_ocr: Any
) -> None:
    dataset = make_instance(np.full((40, 64), 30, np.uint8))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = b"\x1e" * length
    with pytest.raises(UnsupportedPixelsError):
        PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
