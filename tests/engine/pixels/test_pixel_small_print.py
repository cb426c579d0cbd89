from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from healthcare_deid.engine.pixels import Box, PixelRedactor
from healthcare_deid.engine.pixels.find.small_print import small_print
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope


def _rgb(picture: Any) -> Any:
    return np.repeat(np.asarray(picture, np.uint8)[:, :, np.newaxis], 3, axis=2)


@pytest.mark.parametrize("height", [5, 6, 8])
@pytest.mark.parametrize(("back", "shade"), [(20, 200), (220, 60)], ids=["bright ink", "dark ink"])
def test_a_word_of_few_pixels_is_suggested(back: int, shade: int, height: int, drawn: Any) -> None:
    picture = drawn((200, 150, "RIVERA 77120483"), height=height, back=back, shade=shade)
    rows, columns = np.nonzero(np.abs(picture.astype(int) - back) > 60)
    found = np.zeros(picture.shape, bool)
    for box in small_print(_rgb(picture), []):
        found[box.top - 1 : box.bottom + 1, box.left - 1 : box.right + 1] = True
    assert found[rows, columns].mean() > 0.9


def test_what_lies_in_a_known_line_is_not_looked_at_again(drawn: Any) -> None:
    assert small_print(_rgb(drawn((200, 150, "RIVERA"), height=6)), [Box(190, 140, 260, 170)]) == []


def test_speckle_scales_and_edges_of_organs_are_no_small_print() -> None:
    speckle = np.random.default_rng(5).rayleigh(60, (300, 400)).clip(0, 255)
    organ = Image.new("L", (400, 300), 20)
    ImageDraw.Draw(organ).ellipse((100, 60, 300, 240), fill=160)
    rule = np.zeros((300, 400), np.uint8)
    rule[100:105, 50:350] = 200
    for picture in (speckle, organ, rule):
        assert small_print(_rgb(picture), []) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 2), (20, 20)])
def test_pictures_of_any_shape_pass(shape: tuple[int, int]) -> None:
    assert small_print(np.zeros((*shape, 3), np.uint8), []) == []


def test_a_name_of_six_pixels_on_a_large_film_is_covered(drawn: Any, make_instance: Any) -> None:
    picture = drawn((700, 900, "RIVERA ANA 77120483"), size=(1800, 1400), height=6)
    report = PixelRedactor(PixelPlan(Scope.EVERYTHING), workers=1).redact(make_instance(picture), None)
    mask = np.zeros(picture.shape, bool)
    for item in report.redactions:
        mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
    assert mask[picture > 100].mean() > 0.9
    assert mask.sum() < 8000
