from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.pixels.find.machine_codes import codes
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
SENSITIVE = PixelPlan(Scope.SENSITIVE)
FORMATS = ("QRCode", "DataMatrix", "Aztec", "PDF417", "Code128", "Code39", "ITF", "EAN13", "MicroQRCode")


def _code(name: str, scale: int = 2) -> NDArray[np.uint8]:
    text = {"EAN13": "5901234123457", "MicroQRCode": "7712", "QRCode": "PID:77120483;KOWALCZYK^MARIA"}.get(
        name, "77120483"
    )
    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, name))
    bars = np.asarray(zxingcpp.write_barcode_to_image(made, scale=scale, add_quiet_zones=True))
    return np.pad(bars, 8, constant_values=255)


def _on_phantom(written_phantom: Any, code: NDArray[np.uint8], *, low: int = 0, high: int = 255) -> tuple[Any, Any]:
    picture = written_phantom(size=(640, 480)).picture
    rows, columns = code.shape
    picture[20 : 20 + rows, 30 : 30 + columns] = low + code.astype(np.float64) / 255 * (high - low)
    ink = np.zeros(picture.shape, bool)
    ink[20 : 20 + rows, 30 : 30 + columns] = code < 128
    return picture, ink


def _covered(ink: NDArray[np.bool_], redactions: Any) -> float:
    mask = np.zeros(ink.shape, bool)
    for item in redactions:
        mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
    return float(mask[ink].mean())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("low", "high"), [(0, 255), (255, 0), (90, 170)], ids=["plain", "inverted", "pale"])
def test_a_code_is_found_as_a_whole(name: str, low: int, high: int, written_phantom: Any) -> None:
    picture, ink = _on_phantom(written_phantom, _code(name), low=low, high=high)
    found = codes(np.repeat(picture[:, :, None], 3, axis=2))
    mask = np.zeros(ink.shape, bool)
    for line in found:
        mask[line.box.top : line.box.bottom, line.box.left : line.box.right] = True
    assert mask[ink].mean() >= 0.95
    assert mask.sum() <= 1.1 * _code(name).size


@pytest.mark.parametrize("turn", [12, 30, 45, 60, 90, 180])
@pytest.mark.parametrize("name", ["QRCode", "Code128", "Code39"])
def test_a_code_is_found_at_any_angle(name: str, turn: int, written_phantom: Any) -> None:
    upright = Image.fromarray(_code(name)).rotate(turn, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=255)
    picture, ink = _on_phantom(written_phantom, np.asarray(upright))
    found = codes(np.repeat(picture[:, :, None], 3, axis=2))
    mask = np.zeros(ink.shape, bool)
    for line in found:
        mask[line.box.top : line.box.bottom, line.box.left : line.box.right] = True
    assert mask[ink].mean() >= 0.95


@pytest.mark.parametrize("plan", [ALL_TEXT, SENSITIVE], ids=["all", "sensitive"])
def test_a_code_is_covered_in_the_modes_for_all_and_for_sensitive_text(
    plan: PixelPlan, written_phantom: Any, make_instance: Any
) -> None:
    picture, ink = _on_phantom(written_phantom, _code("QRCode"))
    dataset = make_instance(picture)
    report = PixelRedactor(plan, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    assert _covered(ink, report.redactions) >= 0.95
    assert "code" in {item.rule for item in report.redactions}
    assert "KOWALCZYK" not in repr(report)


def test_a_code_that_is_there_in_some_frames_only_is_covered_in_those(written_phantom: Any, make_instance: Any) -> None:
    picture, ink = _on_phantom(written_phantom, _code("DataMatrix", 4))
    plain = written_phantom(size=(640, 480)).picture
    report = PixelRedactor(ALL_TEXT, workers=2).redact(make_instance(np.stack([plain, picture, plain])), None)
    assert {item.frame for item in report.redactions if item.rule == "code"} == {1}
    assert _covered(ink, report.redactions) >= 0.95


def test_patterns_alone_cover_a_code_only_where_its_content_matches(written_phantom: Any, make_instance: Any) -> None:
    picture, _ = _on_phantom(written_phantom, _code("QRCode"))
    for pattern, rules in ((r"PID:\d+", {"regex:0"}), ("Accession", set())):
        plan = PixelPlan(Scope.PATTERNS, patterns=((re.compile(pattern), ()),))
        report = PixelRedactor(plan, workers=1).redact(make_instance(picture), None)
        assert {item.rule for item in report.redactions if item.rule != "unreadable"} == rules


def test_a_picture_without_a_code_has_none(written_phantom: Any) -> None:
    picture = written_phantom((20, 20, "KOWALCZYK MARIA"), (20, 60, "| || ||| | ||| || |||")).picture
    assert codes(np.repeat(picture[:, :, None], 3, axis=2)) == []


def test_all_text_is_said_to_be_covered_only_where_it_was_asked_for(written_phantom: Any, make_instance: Any) -> None:
    picture = written_phantom((20, 20, "R")).picture
    for plan, said in ((ALL_TEXT, True), (SENSITIVE, False), (PixelPlan(), False)):
        dataset = make_instance(picture)
        report = PixelRedactor(plan, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
        assert report.all_text_covered is said


def test_without_the_package_a_warning_says_so_and_nothing_more_is_claimed(
    written_phantom: Any, make_instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    picture, _ = _on_phantom(written_phantom, _code("QRCode"))
    report = PixelRedactor(ALL_TEXT, workers=1).redact(make_instance(picture), None)
    assert not report.all_text_covered
    assert any("bar codes" in warning for warning in report.warnings)
