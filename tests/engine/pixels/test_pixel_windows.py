from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.pixels.frames.layout import pixel_layout
from healthcare_deid.engine.pixels.frames.windows import Windows
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.engine.pixels.arrays import Picture

ALL_TEXT = PixelPlan(Scope.EVERYTHING)


@pytest.fixture
def faint(written_phantom: Any, make_instance: Any) -> tuple[Any, Dataset]:
    """A slice of soft tissue, air and bone with a name that is 80 units above the tissue, of a range of 2200."""
    written = written_phantom((120, 130, "KOWALCZYK MARIA"), size=(480, 320), height=18)
    random = np.random.default_rng(5)
    down, across = np.mgrid[:320, :480]
    inside = ((across - 240) / 180) ** 2 + ((down - 160) / 130) ** 2 < 1
    values = np.where(inside, 40 + random.normal(0, 8, inside.shape), -1000 + random.normal(0, 3, inside.shape))
    values[200:240, 200:260] = 1200
    values[written.ink] = 120
    return written, make_instance(values.astype(np.int16))


def _one_window(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth = 40, 200


def _several_windows(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth = [600, 40], [2800, 200]


def _rescaled(dataset: Dataset) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -24
    dataset.WindowCenter, dataset.WindowWidth = 56, 400


def _table(dataset: Dataset) -> None:
    item = Dataset()
    item.LUTDescriptor = [200, 0, 8]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.arange(200, dtype="<u2").tobytes()
    item["LUTData"].VR = "OW"
    dataset.VOILUTSequence = [item]


def _functional_groups(dataset: Dataset) -> None:
    window, group = Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth = 40, 200
    group.FrameVOILUTSequence = [window]
    dataset.NumberOfFrames = 1
    dataset.SharedFunctionalGroupsSequence = [group]


def _broken(dataset: Dataset) -> None:
    item = Dataset()
    item.LUTDescriptor = [200]
    dataset.VOILUTSequence = [item]
    _one_window(dataset)


@pytest.mark.parametrize("name", [_one_window, _several_windows, _rescaled, _table, _functional_groups, _broken])
def test_text_that_only_the_files_own_window_shows_is_covered(
    name: Callable[[Dataset], None], faint: tuple[Any, Dataset]
) -> None:
    written, dataset = faint
    name(dataset)
    report = PixelRedactor(ALL_TEXT, workers=1).redact(dataset, None)
    assert written.covered_by(report.redactions) >= 0.9


def _pictures(dataset: Dataset) -> list[Picture]:
    layout = pixel_layout(dataset, 0x7FE00010)
    return Windows(layout, dataset).pictures(0, dataset.pixel_array.view(layout.dtype))


@pytest.mark.parametrize(("center", "width", "count"), [(40, 200, 1), (100, 2300, 0), (100, 9000, 0), ("", "", 0)])
def test_a_window_is_looked_at_where_it_shows_less_than_nearly_all(
    center: Any, width: Any, count: int, faint: tuple[Any, Dataset]
) -> None:
    dataset = faint[1]
    dataset.WindowCenter, dataset.WindowWidth = center, width
    assert len(_pictures(dataset)) == count


def test_windows_that_are_nearly_the_same_are_looked_at_once(faint: tuple[Any, Dataset]) -> None:
    dataset = faint[1]
    dataset.WindowCenter, dataset.WindowWidth = [40, 45, 300], [200, 210, 600]
    assert len(_pictures(dataset)) == 2


def test_each_frame_is_looked_at_in_its_own_window(faint: tuple[Any, Dataset]) -> None:
    dataset = faint[1]
    groups = []
    for center in (40, 700):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 200
        group.FrameVOILUTSequence = [window]
        groups.append(group)
    layout = pixel_layout(dataset, 0x7FE00010)
    words = dataset.pixel_array.view(layout.dtype)
    dataset.NumberOfFrames = 2
    dataset.PerFrameFunctionalGroupsSequence = groups
    windows = Windows(pixel_layout(dataset, 0x7FE00010), dataset)
    first, second = (windows.pictures(frame, words)[0] for frame in (0, 1))
    assert first[160, 150].max() > 60
    assert second[160, 150].max() == 0


@pytest.mark.parametrize(("first", "last"), [(0, 250), (250, 0), (-5, 899)])
def test_text_among_values_that_are_called_padding_is_covered(
    first: int, last: int, written_phantom: Any, make_instance: Any
) -> None:
    one = written_phantom((20, 12, "KOWALCZYK MARIA"), size=(400, 260), height=18)
    values = np.full(one.picture.shape, 1000, np.int16)
    values[:60] = np.where(one.picture[:60] > 128, 200, 10)
    values[60:] += one.picture[60:]
    dataset = make_instance(values, bits_stored=12)
    dataset.PixelPaddingValue, dataset.PixelPaddingRangeLimit = first, last
    report = PixelRedactor(PixelPlan(Scope.EVERYTHING)).redact(dataset, None)
    assert one.covered_by(report.redactions) >= 0.9
