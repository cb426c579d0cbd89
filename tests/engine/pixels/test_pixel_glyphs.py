from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from healthcare_deid.engine.pixels import Box
from healthcare_deid.engine.pixels.find.glyphs import MOST, glyphs


def _rgb(picture: Any) -> Any:
    return np.repeat(np.asarray(picture, np.uint8)[:, :, np.newaxis], 3, axis=2)


@pytest.mark.parametrize(("back", "shade"), [(20, 200), (220, 60)], ids=["bright ink", "dark ink"])
def test_a_letter_that_stands_alone_is_suggested_with_all_its_ink(back: int, shade: int, drawn: Any) -> None:
    picture = drawn((200, 150, "L"), back=back, shade=shade)
    rows, columns = np.nonzero(np.abs(picture.astype(int) - back) > 40)
    ink = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    assert [box for box in glyphs(_rgb(picture), 1.0, []) if box.contains(ink)]


def test_the_characters_of_a_word_are_one_suggestion(drawn: Any) -> None:
    (box,) = glyphs(_rgb(drawn((200, 150, "HTL"))), 1.0, [])
    assert box.width > 2 * box.height * 0.7


def test_what_lies_in_a_known_line_is_not_suggested(drawn: Any) -> None:
    assert glyphs(_rgb(drawn((200, 150, "L"))), 1.0, [Box(190, 140, 230, 190)]) == []


def test_a_reduced_look_gives_boxes_of_the_picture_itself(drawn: Any) -> None:
    (box,) = glyphs(_rgb(drawn((200, 150, "L"), height=48)), 0.5, [])
    assert Box(198, 150, 240, 205).contains(box)
    assert box.height > 30


def test_speckle_and_smooth_anatomy_suggest_nothing() -> None:
    speckle = np.random.default_rng(5).rayleigh(60, (300, 400)).clip(0, 255)
    organ = Image.new("L", (400, 300), 20)
    ImageDraw.Draw(organ).ellipse((100, 60, 300, 240), fill=160)
    assert glyphs(_rgb(speckle), 1.0, []) == []
    assert glyphs(_rgb(organ), 1.0, []) == []


def test_of_a_crowd_those_that_are_most_alone_are_suggested() -> None:
    picture = np.zeros((400, 400), np.uint8)
    for row in range(20, 260, 40):
        for column in range(20, 260, 40):
            picture[row : row + 12, column : column + 4] = 255
    picture[350:362, 350:354] = 255
    found = glyphs(_rgb(picture), 1.0, [])
    assert len(found) == MOST
    assert any(box.contains(Box(350, 350, 354, 362)) for box in found)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 2), (20, 20)])
def test_pictures_of_any_shape_pass(shape: tuple[int, int]) -> None:
    assert glyphs(np.zeros((*shape, 3), np.uint8), 1.0, []) == []


def test_a_pattern_of_very_many_marks_suggests_nothing() -> None:
    grid = np.full((1024, 1024), 20, np.uint8)
    for row in range(24, 976, 24):
        for column in range(24, 976, 24):
            grid[row + 6 : row + 16, column + 6 : column + 12] = 220
    assert glyphs(_rgb(grid), 1.0, []) == []
