"""How much burned-in text is found on a generated set that nothing was tuned on; the whole of it is a benchmark."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.engine.pixels import OnnxOcr, PixelRedactor
from healthcare_deid.engine.pixels.find.models import Role, find_models

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
MODULES = ("timing", "pixel_set", "bench_pixels")
SEED = 20311
PART = 0.3
"""Of the images of each kind: some 250 lines."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of ``benchmarks/`` that hold the set and what is counted."""
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks/ is not part of this installation")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
        for name in MODULES:
            patch.delitem(sys.modules, name)


@pytest.fixture(scope="module")
def images(bench: SimpleNamespace) -> list[Any]:
    return list(bench.pixel_set.labelled_set(SEED, scale=PART))


@pytest.mark.parametrize("scout", [False, True])
def test_all_text_is_covered_and_little_else(scout: bool, bench: SimpleNamespace, images: list[Any]) -> None:
    folder = os.environ.get("HEALTHCARE_DEID_TEST_SCOUT")
    if scout and not find_models(Role.SCOUT, folder):
        pytest.skip("no scout is installed: nox -s slow does it")
    ocr = OnnxOcr(folder, scout=scout)
    score = bench.bench_pixels.score(images, PixelRedactor(bench.bench_pixels.ALL_TEXT, ocr=ocr, workers=1))
    assert score.lines > 200
    assert score.found >= 0.99 * score.lines
    assert score.sensitive_found >= 0.99 * score.sensitive
    assert score.area_on_text >= (0.94 if scout else 0.95) * score.area


@pytest.mark.parametrize(("name", "least"), [("turned by 2 to 45°", 0.97), ("5 to 9 px text", 0.92)])
def test_slanted_lines_and_small_print_are_covered(name: str, least: float, bench: SimpleNamespace) -> None:
    (difficulty,) = (one for one in bench.pixel_set.HARD if one.name == name)
    images = bench.pixel_set.labelled_set(SEED, difficulty, scale=0.08)
    score = bench.bench_pixels.score(images, PixelRedactor(bench.bench_pixels.ALL_TEXT, workers=1))
    assert score.lines > 50
    assert score.found >= least * score.lines


def test_sensitive_text_is_covered_and_innocent_marks_stay(bench: SimpleNamespace, images: list[Any]) -> None:
    score = bench.bench_pixels.score_sensitive(images)
    assert score.covered >= 0.98 * score.planted
    assert score.touched <= 0.05 * score.innocent


def test_an_ocr_that_is_not_the_engines_finds_no_planted_word_afterwards(
    bench: SimpleNamespace, images: list[Any], independent_ocr: Any
) -> None:
    every_other = images[::2]  # the program takes longer than the engine
    assert bench.bench_pixels.words_left(every_other, independent_ocr) == []
