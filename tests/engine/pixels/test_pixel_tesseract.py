from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from healthcare_deid.engine.pixels import Box, Ocr, PixelRedactor, TesseractOcr, TextLine
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import EngineError, ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from healthcare_deid.engine.pixels.arrays import Picture


@pytest.mark.usefixtures("independent_ocr")  # skips where the program is missing
def test_tesseract_can_take_the_place_of_the_engines_ocr(drawn: Any, make_instance: Any) -> None:
    picture = drawn((40, 60, "FERNANDEZ ROSA"))
    dataset = make_instance(picture)
    config = PixelPlan(Scope.EVERYTHING)
    report = PixelRedactor(config, ocr=TesseractOcr()).redact(dataset, None)
    assert report.redactions
    assert dataset.pixel_array[60:90, 40:240].max() <= 20


@pytest.mark.usefixtures("independent_ocr")
def test_characters_of_several_words_are_placed_in_order(drawn: Any) -> None:
    picture = np.repeat(drawn((40, 60, "FERNANDEZ ROSA"))[:, :, np.newaxis], 3, axis=2)
    (line,) = TesseractOcr().find(picture, read=True)
    assert line.text == "FERNANDEZ ROSA"
    assert len(line.positions) == len(line.text)
    assert list(line.positions) == sorted(line.positions)


def test_without_the_program_the_error_says_what_to_install() -> None:
    with pytest.raises(ModelNotFoundError, match="apt-get install tesseract-ocr"):
        TesseractOcr(program="no-such-program")


def test_a_program_that_fails_is_an_error_and_no_text(tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho SMITH >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(EngineError) as caught:
        TesseractOcr(program=str(program)).find(np.zeros((9, 9, 3), np.uint8), read=True)
    assert caught.value.reason == "ocr-failed"
    assert "SMITH" not in str(caught.value)


class TenLines:
    """An OCR of a user's own, as the documentation shows it."""

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        del picture, read, within
        return [TextLine(Box(2, 2, 20, 8), text="SMITH", text_confidence=0.9)]


def test_any_object_with_find_is_an_ocr(make_instance: Any) -> None:
    ocr: Ocr = TenLines()
    dataset = make_instance(np.arange(16 * 32, dtype=np.uint16).reshape(16, 32).astype(np.uint8) | 1)
    config = PixelPlan(Scope.EVERYTHING)
    PixelRedactor(config, ocr=ocr).redact(dataset, None)
    assert not dataset.pixel_array[2:8, 2:20].any()
    assert dataset.pixel_array[12, 30]
