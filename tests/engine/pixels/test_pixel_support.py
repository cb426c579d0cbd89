"""Doubtful lines of a first look, and what a coarse look says of them."""

from __future__ import annotations

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.find.detector import Look, ScoredBox
from healthcare_deid.engine.pixels.find.support import CROWD, supported

SURE = 0.75
NOTHING = Look([], [])


def _line(left: int, score: float) -> ScoredBox:
    box = Box(left, 0, left + 10, 10)
    return ScoredBox(box, score, box)


def _crowd(score: float) -> list[ScoredBox]:
    return [_line(20 * index, score) for index in range(CROWD + 3)]


def test_sure_lines_need_no_support_however_many_there_are() -> None:
    sure = _crowd(SURE)
    assert supported(Look(sure, []), NOTHING, SURE).lines == sure


def test_a_few_doubtful_lines_without_support_may_be_text() -> None:
    doubtful = _crowd(0.5)[:CROWD]
    assert supported(Look(doubtful, []), NOTHING, SURE).lines == doubtful


def test_many_doubtful_lines_without_support_are_texture() -> None:
    sure, doubtful = _line(900, 0.9), _crowd(0.5)
    assert supported(Look([sure, *doubtful], []), NOTHING, SURE).lines == [sure]


def test_what_the_coarse_look_sees_too_stays_among_texture() -> None:
    doubtful = _crowd(0.5)
    by_line, by_hint = doubtful[0], doubtful[2]
    coarse = Look([_line(by_line.box.left + 5, 0.6)], [by_hint.box.grown(3)])
    assert supported(Look(doubtful, []), coarse, SURE).lines == [by_line, by_hint]


def test_among_texture_hints_count_where_the_coarse_look_sees_something() -> None:
    seen, unseen = Box(0, 0, 5, 5), Box(50, 50, 55, 55)
    coarse = Look([], [Box(2, 2, 6, 8)])
    assert supported(Look(_crowd(0.5)[3:], [seen, unseen]), coarse, SURE).hints == [seen, unseen]
    assert supported(Look(_crowd(0.5), [seen, unseen]), coarse, SURE).hints == [seen]
