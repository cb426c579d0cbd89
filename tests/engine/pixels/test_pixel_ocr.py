from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from healthcare_deid.engine.pixels import Box, OnnxOcr
from healthcare_deid.engine.pixels.find.detector import WHOLE, Edges, Look, ScoredBox, hints_in
from healthcare_deid.engine.pixels.find.findings import as_lines, unknown
from healthcare_deid.engine.pixels.find.glyphs import glyphs

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Picture

ORGAN = Box(20, 20, 380, 280)
NAME, SPECK = Box(96, 100, 300, 136), Box(340, 250, 346, 256)


class Told:
    """A detector that finds what it is told, and has no hint of more."""

    def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
        raise NotImplementedError

    def look(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> Look:
        return Look(self.find(picture, scale, edges), [])


class ScriptedDetector(Told):
    """Finds an organ, text that is written on it, and a speck of its texture; nothing new in a part of the picture."""

    def __init__(self, *, name_score: float) -> None:
        boxes = ((ORGAN, 0.96), (NAME, name_score), (SPECK, 0.45))
        self.found = [ScoredBox(box, score, box) for box, score in boxes]

    def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
        return self.found if picture.shape == (300, 400, 3) else []


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


class FarSighted(Told):
    """Doubts a part of a line until it looks at that alone, and larger."""

    def __init__(self, line: Box, part: Box) -> None:
        self.line, self.part = line, part
        self.regions: list[tuple[int, ...]] = []

    def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
        if picture.shape == (512, 640, 3):
            return [ScoredBox(self.part, 0.6, self.part)] if scale == 1 else []
        self.regions.append(picture.shape)
        inside = self.line.moved(-max(0, self.part.left - 4 * self.part.height), -(self.part.top - self.part.height))
        return [ScoredBox(inside, 0.9, inside)]


def test_around_a_doubtful_finding_there_is_a_closer_look_that_finds_the_whole_line(
    drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = drawn((150, 150, "MRN A4045431"), size=(640, 512), height=18)
    ink = _ink(gray).grown(3)
    detector = FarSighted(ink, ink._replace(left=ink.left + 60))
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", detector)

    (line,) = ocr.find(np.repeat(gray[:, :, None], 3, axis=2), read=False)

    assert line.box.contains(ink)
    assert detector.regions
    assert all(rows < 100 for rows, *_ in detector.regions)


class Overlooking(Told):
    """A detector that finds what it is told, and has a hint of more everywhere, or nowhere."""

    def __init__(self, *boxes: Box, hints: bool = True) -> None:
        self.found = [ScoredBox(box, 0.95, box) for box in boxes]
        self.hints = hints

    def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
        return self.found

    def look(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> Look:
        rows, columns = picture.shape[:2]
        return Look(self.found, [Box(0, 0, columns, rows)] if self.hints else [])


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


@pytest.mark.parametrize(("place", "count"), [((200, 150), 0), ((3, 150), 1)], ids=["inside", "at the edge"])
def test_a_letter_of_which_the_detector_has_no_hint_is_read_at_the_edge_of_the_picture_only(
    place: tuple[int, int], count: int, drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = drawn((*place, "L"), height=20)
    ocr = OnnxOcr()
    monkeypatch.setattr(ocr, "_detector", Overlooking(hints=False))
    assert len(ocr.find(np.repeat(gray[:, :, None], 3, axis=2), read=False)) == count


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


def test_a_sure_finding_is_not_lost_because_a_doubtful_one_lay_there_before() -> None:
    def line(score: float) -> ScoredBox:
        return ScoredBox(Box(100, 50, 180, 62), score, Box(104, 54, 176, 58))

    assert unknown([line(0.92)], [line(0.72)]) == [line(0.92)]
    for new, known in ((0.92, 0.8), (0.6, 0.92), (0.6, 0.6)):  # one that stays, or will be read all the same
        assert unknown([line(new)], [line(known)]) == []


def test_small_print_on_what_is_taken_for_an_object_is_found(drawn: Any) -> None:
    picture = np.repeat(drawn((200, 150, "RIVERA 77120483"), height=6)[:, :, np.newaxis], 3, axis=2)
    rows, columns = picture.shape[:2]
    whole = Box(0, 0, columns, rows)

    class TakesAllForText(Told):
        def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
            all_of_it = [ScoredBox(whole, 0.9, whole)] if picture.shape[:2] == (rows, columns) else []
            return all_of_it or real.find(picture, scale, edges)

    ocr = OnnxOcr()
    real = ocr._detector
    ocr._detector = TakesAllForText()  # type: ignore[assignment]
    ink = np.argwhere(picture[:, :, 0] > 100)
    found = [line.box for line in ocr.find(picture, read=False)]
    inside = [any(box.left <= x < box.right and box.top <= y < box.bottom for box in found) for y, x in ink]
    assert np.mean(inside) > 0.9
    assert all(box.height < 30 for box in found)


def test_a_line_the_size_of_an_object_leaves_hints_on_it() -> None:
    probabilities = np.full((200, 300), 0.01, np.float32)
    probabilities[100:104, 100:140] = 0.1
    thick, thin = Box(50, 50, 250, 150), Box(90, 95, 150, 109)
    assert hints_in(probabilities, [ScoredBox(thick, 0.9, thick)]) == [Box(100, 100, 140, 104)]
    assert hints_in(probabilities, [ScoredBox(thin, 0.9, thin)]) == []


def test_in_a_small_part_of_a_picture_a_line_leaves_no_hints_of_itself() -> None:
    probabilities = np.full((48, 200), 0.01, np.float32)
    probabilities[18:30, 20:180] = 0.95
    line = Box(12, 12, 188, 36)
    assert hints_in(probabilities, [ScoredBox(line, 0.95, line)]) == []


def test_findings_that_overlap_in_a_row_are_one_line_and_others_stay_apart() -> None:
    first = ScoredBox(Box(0, 0, 112, 29), 0.7, Box(9, 9, 103, 20))
    longer = ScoredBox(Box(60, 1, 150, 30), 0.93, Box(70, 10, 140, 21))
    below = ScoredBox(Box(0, 26, 150, 55), 0.9, Box(10, 34, 140, 46))
    beside = ScoredBox(Box(160, 0, 200, 29), 0.9, Box(170, 9, 190, 20))
    joined = ScoredBox(Box(0, 0, 150, 30), 0.93, Box(9, 9, 140, 21))
    assert as_lines([longer, below, beside, first]) == [joined, beside, below]
