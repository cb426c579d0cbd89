"""The windows that a file itself names: what viewers show at first, and text may be legible in nothing else.

Source: PS3.3 C.11.1 (Modality LUT), C.11.2 (VOI LUT), C.7.6.16.2.9 and C.7.6.16.2.10 (the same for each frame).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.multival import MultiValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Floats, Picture, Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

NEARLY_ALL = 0.8
"""A window that takes this part of the range shows nothing that the whole range does not show."""
SAME = 0.8
"""So does one that has this part in common with another one."""
MIDDLE = 0.01
"""Part of the pixels at either end that the narrow picture leaves out, as `pictures` does."""
TABLE_ENDS = 0.05
"""A table's window is where its output lies between this part and the rest."""


@dataclass(frozen=True)
class Table:
    """A lookup table: the output for ``first`` and the inputs after it; at either end it goes on."""

    first: int
    outputs: Floats

    def of(self, values: Floats) -> Floats:
        """Return the outputs for some inputs."""
        places = np.clip(np.rint(values - self.first), 0, self.outputs.size - 1).astype(np.int64)
        found: Floats = self.outputs[places]
        return found


@dataclass(frozen=True)
class Window:
    """A range of values that is shown from black to white, along a straight line or by a table."""

    low: float
    high: float
    table: Table | None = None

    def picture(self, values: Floats) -> Picture:
        """Return what it shows, of shape (rows, columns, 3)."""
        if self.table is not None:
            shown = self.table.of(values) * 255
        else:
            shown = (values - self.low) * (255 / max(1e-6, self.high - self.low))
        gray = np.clip(np.nan_to_num(shown), 0, 255).astype(np.uint8)
        return np.repeat(gray[:, :, np.newaxis], 3, axis=2)

    def shares(self, low: float, high: float) -> float:
        """Return how much it has in common with a range, of what either has."""
        return max(0.0, min(self.high, high) - max(self.low, low)) / max(
            1e-6, max(self.high, high) - min(self.low, low)
        )

    def covers(self, low: float, high: float) -> float:
        """Return which part of a range it shows."""
        return max(0.0, min(self.high, high) - max(self.low, low)) / max(1e-6, high - low)


@dataclass(frozen=True)
class Display:
    """Display of a frame: from stored values to those of the modality, and the windows of them."""

    slope: float = 1.0
    intercept: float = 0.0
    table: Table | None = None
    windows: tuple[Window, ...] = ()

    def values(self, stored: Words) -> Floats:
        """Return what stored values stand for."""
        if self.table is not None:
            return self.table.of(stored.astype(np.float32))
        return np.asarray(stored * np.float32(self.slope) + np.float32(self.intercept), np.float32)


class Windows:
    """The windows of every frame of an image.

    Args:
        layout: Of the image.
        dataset: What holds it.
    """

    def __init__(self, layout: PixelLayout, dataset: Dataset) -> None:
        self._layout = layout
        gray = layout.samples == 1 and layout.bits_stored > 1 and layout.photometric.startswith("MONOCHROME")
        self._frames: Sequence[Display] = _displays(dataset, layout.frames) if gray else (Display(),)

    def pictures(self, frame: int, words: Words) -> list[Picture]:
        """Return a frame in those of its windows that show something else than all of its range."""
        display = self._frames[min(frame, len(self._frames) - 1)]
        if not display.windows:
            return []
        stored = self._layout.values(words)
        values = display.values(stored)
        real = values[_is_real(stored, self._layout.padding)]
        if not real.size:
            return []
        low, high = float(real.min()), float(real.max())
        few = np.sort(real[:: max(1, real.size // 20000)])
        end = int(few.size * MIDDLE)
        shown = [(float(few[end]), float(few[-1 - end]))] if self._layout.bits_stored > 8 else []
        found: list[Picture] = []
        for window in display.windows:
            known = any(window.shares(*other) >= SAME for other in shown)
            if known or window.covers(low, high) >= NEARLY_ALL:
                continue
            shown.append((window.low, window.high))
            found.append(window.picture(values))
        return found


def _is_real(stored: Words, padding: tuple[int, int] | None) -> np.ndarray:
    if padding is None:
        return np.isfinite(stored)
    return (stored < padding[0]) | (stored > padding[1])


def _displays(dataset: Dataset, frames: int) -> Sequence[Display]:
    shared: Any = _first(dataset, "SharedFunctionalGroupsSequence")
    groups: Any = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if len(groups) != frames:
        return (_display([shared, dataset]),)
    return [_display([group, shared, dataset]) for group in groups]


def _display(places: Sequence[Any]) -> Display:
    """Return how a frame is shown, by the first place that says it."""
    known = [place for place in places if place is not None]
    modality = [_first(place, "PixelValueTransformationSequence") or place for place in known]
    slope, intercept, table = next(filter(None, map(_rescale, modality)), (1.0, 0.0, None))
    chosen = [_first(place, "FrameVOILUTSequence") or place for place in known]
    windows = next(filter(None, (tuple(_windows(place)) for place in chosen)), ())
    return Display(slope, intercept, table, windows)


def _rescale(place: Dataset) -> tuple[float, float, Table | None] | None:
    if (item := _first(place, "ModalityLUTSequence")) is not None and (table := _table(item, scaled=False)):
        return 1.0, 0.0, table
    slope, intercept = _numbers(place, "RescaleSlope"), _numbers(place, "RescaleIntercept")
    return (slope[0], intercept[0], None) if slope and intercept and slope[0] else None


def _windows(place: Dataset) -> Iterator[Window]:
    for item in place.get("VOILUTSequence") or ():
        if (table := _table(item, scaled=True)) is not None:
            inside = np.flatnonzero((table.outputs > TABLE_ENDS) & (table.outputs < 1 - TABLE_ENDS))
            ends = (int(inside[0]), int(inside[-1])) if inside.size else (0, table.outputs.size - 1)
            yield Window(float(table.first + ends[0]), float(table.first + ends[1]), table)
    for center, width in zip(_numbers(place, "WindowCenter"), _numbers(place, "WindowWidth"), strict=False):
        if width > 0:  # a sigmoid (VOI LUT Function) shows the same range, less of its ends
            yield Window(center - max(width, 1) / 2, center + max(width, 1) / 2)


def _table(item: Dataset, *, scaled: bool) -> Table | None:
    """Return a lookup table, its outputs as they are or from 0 to 1; None when it makes no sense."""
    try:
        count, first, _ = (int(number) for number in item.LUTDescriptor)
        data: Any = item.LUTData
        entries = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
        outputs = entries[: count or 1 << 16].astype(np.float32)
        low, high = float(outputs.min()), float(outputs.max())
    except Exception:  # noqa: BLE001 - a broken table raises anything: no viewer shows the image by it
        return None
    return Table(first, (outputs - low) / max(1.0, high - low) if scaled else outputs)


def _numbers(place: Dataset, name: str) -> list[float]:
    try:
        value: Any = place.get(name)
        many = value if isinstance(value, MultiValue | list | tuple) else [value]
        return [float(number) for number in many if number is not None]
    except Exception:  # noqa: BLE001 - what is no number raises anything, and quotes itself
        return []


def _first(place: Dataset | None, name: str) -> Dataset | None:
    items: Any = place.get(name) if place is not None else None
    return items[0] if items else None
