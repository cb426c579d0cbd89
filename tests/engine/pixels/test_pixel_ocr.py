from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from healthcare_deid.engine.pixels import Box, OnnxOcr
from healthcare_deid.engine.pixels.detector import ScoredBox

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
