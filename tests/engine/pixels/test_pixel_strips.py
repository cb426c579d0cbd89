from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.pixels.find.components import spread_components
from healthcare_deid.engine.pixels.find.strips import Strip, strip_of
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
NAME = "KOWALCZYK MARIA 77120483"


def _inside(strip: Strip, shape: tuple[int, int]) -> NDArray[np.bool_]:
    down, across = np.mgrid[: shape[0], : shape[1]] + 0.5
    ahead = (across - strip.x) * np.cos(strip.angle) + (down - strip.y) * np.sin(strip.angle)
    aside = (down - strip.y) * np.cos(strip.angle) - (across - strip.x) * np.sin(strip.angle)
    return np.asarray((np.abs(ahead) <= strip.length / 2) & (np.abs(aside) <= strip.thickness / 2))


@given(st.floats(-pi / 2, pi / 2), st.floats(20, 150), st.floats(4, 25))
def test_the_boxes_of_a_strip_hold_all_of_it_and_little_else(angle: float, length: float, thickness: float) -> None:
    strip = Strip(100, 100, length, thickness, angle)
    held = np.zeros((200, 200), bool)
    for box in strip.boxes():
        held[box.top : box.bottom, box.left : box.right] = True
    inside = _inside(strip, (200, 200))
    assert held[inside].all()
    assert held.sum() <= 2.5 * (length + 8) * (thickness + 8)


@pytest.mark.parametrize("degrees", [4, 15, 45, 80, -30])
def test_a_component_that_is_not_level_is_a_strip_of_its_own_length_thickness_and_angle(degrees: int) -> None:
    strip = Strip(100, 90, 140, 12, np.deg2rad(degrees))
    mask = _inside(strip, (200, 200))
    (component,) = spread_components(mask, np.ones(mask.shape, np.float32))
    assert component.spread is not None
    found = strip_of(component.spread, component.box)
    assert found is not None
    assert found.length == pytest.approx(140, rel=0.05)
    assert found.thickness == pytest.approx(12, rel=0.1)
    assert np.rad2deg(found.angle) == pytest.approx(degrees, abs=1)


def test_a_level_component_is_no_strip() -> None:
    mask = np.zeros((60, 200), bool)
    mask[20:32, 10:180] = True
    (component,) = spread_components(mask, np.ones(mask.shape, np.float32))
    assert component.spread is not None
    assert strip_of(component.spread, component.box) is None


@given(st.floats(-pi / 2, pi / 2))
def test_a_strip_of_a_turned_picture_is_turned_back(angle: float) -> None:
    strip = Strip(40, 30, 30, 6, angle)
    picture = _inside(strip, (80, 100))
    turned = np.rot90(_inside(strip.turned_back(100), (100, 80)), -1)
    assert (picture ^ turned).sum() <= 8


@pytest.mark.parametrize("turn", [2, 8, 15, 30, 45, 60, 90, 135, 180, -20])
def test_a_line_at_any_angle_is_covered_and_not_what_lies_beside_it(
    turn: int, written_phantom: Any, make_instance: Any
) -> None:
    written = written_phantom((25, 15, NAME), size=(480, 400), height=18, turn=turn)
    report = PixelRedactor(ALL_TEXT, workers=1).redact(make_instance(written.picture), None)
    assert written.covered_by(report.redactions) >= 0.95
    mask = np.zeros(written.ink.shape, bool)
    for item in report.redactions:
        mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
    assert mask.sum() <= 18 * written.ink.sum()


@pytest.mark.parametrize(("text", "face"), [("KOVAC", "latin"), ("R", "latin"), ("ЖИП", "cyrillic")])
def test_letters_of_150_pixels_are_covered_whatever_they_say(
    text: str, face: str, written_phantom: Any, make_instance: Any
) -> None:
    written = written_phantom((150, 150, text), size=(760, 512), height=150, face=face)
    report = PixelRedactor(ALL_TEXT, workers=1).redact(make_instance(written.picture), None)
    assert written.covered_by(report.redactions) >= 0.95


def test_an_organ_that_the_detector_takes_for_text_is_not_covered(written_phantom: Any, make_instance: Any) -> None:
    written = written_phantom((4, 4, "R"), size=(512, 512), height=16)
    report = PixelRedactor(ALL_TEXT, workers=1).redact(make_instance(written.picture), None)
    assert written.covered_by(report.redactions) >= 0.9
    assert sum(item.width * item.height for item in report.redactions) < 0.02 * 512 * 512
