from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from healthcare_deid.engine.pixels import Box, OnnxOcr
from healthcare_deid.engine.pixels.detector import ScoredBox
from healthcare_deid.engine.pixels.glyphs import glyphs
from healthcare_deid.engine.pixels.ocr import unknown

ORGAN = Box(20, 20, 380, 280)
NAME, SPECK = Box(96, 100, 300, 136), Box(340, 250, 346, 256)


class ScriptedDetector:
    """Finds an organ, text that is written on it, and a speck of its texture."""

    def __init__(self, *, name_score: float) -> None:
        boxes = ((ORGAN, 0.96), (NAME, name_score), (SPECK, 0.45))
        self.found = [ScoredBox(box, score, box) for box, score in boxes]

    def find(self, *_: object) -> list[ScoredBox]:
        return self.found


@pytest.mark.parametrize("name_score", [0.9, 0.5], ids=["sure", "doubtful"])
@pytest.mark.parametrize("read", [True, False])
def test_text_on_an_organ_that_is_itself_taken_for_text_is_found_and_the_organs_texture_is_not(
    name_score: float, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = Image.new("L", (400, 300))
    draw = ImageDraw.Draw(canvas)
    draw.ellipse((ORGAN.left, ORGAN.top, ORGAN.right, ORGAN.bottom), fill=70)
    draw.text((100, 102), "TAKAHASHI", fill=255, font=ImageFont.load_default(size=30))
    picture = np.repeat(np.asarray(canvas)[:, :, None], 3, axis=2)
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", ScriptedDetector(name_score=name_score))

    lines = ocr.find(picture, read=read)

    assert len(lines) == 1
    assert lines[0].box.contains(NAME)
    assert not lines[0].box.contains(ORGAN)


class Overlooking:
    """A detector that finds what it is told, and nothing else."""

    def __init__(self, *boxes: Box) -> None:
        self.found = [ScoredBox(box, 0.95, box) for box in boxes]

    def find(self, *_: object) -> list[ScoredBox]:
        return self.found


def _ink(picture: np.ndarray, above: int = 60) -> Box:
    rows, columns = np.nonzero(picture > above)
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


@pytest.mark.parametrize("within", [None, Box(150, 100, 300, 220)])
def test_a_letter_that_the_detector_overlooks_is_found(
    within: Box | None, drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = drawn((200, 150, "L"), height=20)
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", Overlooking())

    (line,) = ocr.find(np.repeat(gray[:, :, None], 3, axis=2), read=True, within=within)

    assert line.box.contains(_ink(gray))
    assert line.text == "L"


def test_a_line_that_was_found_without_its_first_character_is_completed_and_read_whole(
    drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = drawn((100, 150, "L4079"), height=30)
    ink = _ink(gray)
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", Overlooking(ink._replace(left=ink.left + 20)))

    (line,) = ocr.find(np.repeat(gray[:, :, None], 3, axis=2), read=True)

    assert line.box.contains(ink)
    assert line.text == "L4079"


def test_what_has_the_shape_of_a_character_and_does_not_read_as_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = Image.new("L", (400, 300), 20)
    ImageDraw.Draw(canvas).polygon([(200, 140), (212, 146), (201, 156)], fill=200)
    picture = np.repeat(np.asarray(canvas)[:, :, None], 3, axis=2)
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", Overlooking())
    assert glyphs(picture, 1.0, [])
    assert ocr.find(picture, read=False) == []


def test_a_second_finding_counts_where_it_goes_on_from_the_first() -> None:
    first = ScoredBox(Box(0, 0, 112, 29), 0.86, Box(9, 9, 103, 20))
    longer = ScoredBox(Box(0, 0, 132, 32), 0.93, Box(10, 10, 122, 21))
    same = ScoredBox(Box(0, 0, 112, 31), 0.9, Box(8, 9, 113, 21))
    assert unknown([longer], [first]) == [longer]
    assert unknown([same], [first]) == []
