from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.pixels import Box, Direction, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.find.passages import passages
from healthcare_deid.engine.pixels.find.policy import Policy
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine

SENSITIVE = PixelPlan(Scope.SENSITIVE)


def _line(text: str, left: int, top: int, height: int = 20, direction: Direction = Direction.RIGHT) -> TextLine:
    length = 6 + 12 * len(text)
    upright = direction in (Direction.RIGHT, Direction.LEFT)
    size = (length, height) if upright else (height, length)
    return TextLine(Box(left, top, left + size[0], top + size[1]), 0.9, text, 0.99, direction=direction)


def _covered(*lines: TextLine) -> set[str]:
    """Return the texts of which at least the middle is covered."""
    covers = Policy(SENSITIVE).select(lines, TextEngine(TextPlan()).bind(Dataset()))
    return {line.text or "" for line in lines if any(_holds_middle(cover.box, line.box) for cover in covers)}


def _holds_middle(box: Box, line: Box) -> bool:
    across, down = (line.left + line.right) // 2, (line.top + line.bottom) // 2
    return box.left <= across < box.right and box.top <= down < box.bottom


def test_lines_below_and_beside_each_other_are_read_together_and_distant_ones_are_not() -> None:
    lines = [_line("DOB:", 10, 10), _line("07-03-", 90, 10), _line("1961", 10, 36), _line("LEFT", 10, 200)]
    texts = {passage.text for passage in passages(lines)}
    assert {"DOB: 07-03-", "DOB: 1961", "DOB: 07-03-1961"} <= texts
    assert not any("LEFT" in text for text in texts)


def test_lines_of_another_size_are_not_read_together() -> None:
    assert list(passages([_line("DOB:", 10, 10), _line("1961", 10, 36, height=60)])) == []


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP, Direction.LEFT])
def test_lines_that_are_turned_follow_each_other_in_their_own_direction(direction: Direction) -> None:
    places = {
        Direction.DOWN: ((100, 10), (74, 10)),
        Direction.UP: ((74, 10), (100, 10)),
        Direction.LEFT: ((10, 36), (10, 10)),
    }
    (first, second) = places[direction]
    lines = [_line("07-03-", *first, direction=direction), _line("196101", *second, direction=direction)]
    assert [passage.text for passage in passages(lines)] == ["07-03-196101"]


@pytest.mark.parametrize(
    "lines",
    [
        (("DOB: 07-03-", 10, 10), ("1961", 10, 36)),
        (("DOB:", 10, 10), ("07-03-1961", 80, 10)),
        (("DOB:", 10, 10), ("07-03-", 10, 36), ("1961", 10, 62)),
        (("MRN:", 10, 10), ("A-4821", 10, 36)),
        (("Patient:", 10, 10), ("Quillfeather", 10, 36)),
    ],
)
def test_a_value_whose_cue_or_other_half_is_on_another_line_is_covered(lines: tuple[tuple[str, int, int], ...]) -> None:
    covered = _covered(*(_line(*line) for line in lines))
    assert {text for text, _, _ in lines[1:]} <= covered


def test_a_mark_below_or_above_a_name_stays() -> None:
    assert _covered(_line("AP", 10, 10), _line("PETROV^ASTRID", 10, 36)) == {"PETROV^ASTRID"}
    assert _covered(_line("Rivera, Ruth", 10, 10), _line("R", 10, 36)) == {"Rivera, Ruth"}
    assert _covered(_line("Rivera, Ruth", 10, 10), _line("LIVER", 10, 36)) == {"Rivera, Ruth"}


@pytest.mark.parametrize("page", [True, False])
def test_a_date_that_is_broken_over_two_lines_is_covered_as_a_whole(
    page: bool, written_phantom: Any, make_instance: Any
) -> None:
    written = written_phantom((15, 10, "DOB: 07-03-"), (15, 38, "1961"), size=(480, 150), height=18, page=page)
    dataset = make_instance(written.picture)
    report = PixelRedactor(SENSITIVE, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    assert written.covered_by(report.redactions) >= 0.95
