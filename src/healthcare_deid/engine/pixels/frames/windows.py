"""Display windows named by the file: viewers apply them first, and some text is legible only in them.

Source: PS3.3 C.11.1 (Modality LUT), C.11.2 (VOI LUT), C.7.6.16.2.9 and C.7.6.16.2.10 (the per-frame macros).
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
"""Fraction of the value range from which a window shows nothing beyond the picture of the whole range."""
SAME = 0.8
"""Overlap, as a fraction of the union, from which two windows show the same."""
MIDDLE = 0.01
"""Fraction of the pixels at either end of the range that the narrow picture of `pictures` leaves out."""
TABLE_ENDS = 0.05
"""Fraction of a table's output range at either end that does not count as its window."""


@dataclass(frozen=True)
class Table:
    """A lookup table with the outputs for ``first`` and the inputs after it; inputs outside are clipped."""

    first: int
    outputs: Floats

    def of(self, values: Floats) -> Floats:
        """Return the outputs for an array of inputs."""
        places = np.clip(np.rint(values - self.first), 0, self.outputs.size - 1).astype(np.int64)
        found: Floats = self.outputs[places]
        return found


@dataclass(frozen=True)
class Window:
    """A range of values displayed from black to white, linearly or by a table."""

    low: float
    high: float
    table: Table | None = None

    def picture(self, values: Floats) -> Picture:
        """Return the picture of modality values, of shape (rows, columns, 3)."""
        if self.table is not None:
            shown = self.table.of(values) * 255
        else:
            shown = (values - self.low) * (255 / max(1e-6, self.high - self.low))
        gray = np.clip(np.nan_to_num(shown), 0, 255).astype(np.uint8)
        return np.repeat(gray[:, :, np.newaxis], 3, axis=2)

    def shares(self, low: float, high: float) -> float:
        """Return the overlap with a range, as a fraction of the union."""
        return max(0.0, min(self.high, high) - max(self.low, low)) / max(
            1e-6, max(self.high, high) - min(self.low, low)
        )

    def covers(self, low: float, high: float) -> float:
        """Return the fraction of a range that the window shows."""
        return max(0.0, min(self.high, high) - max(self.low, low)) / max(1e-6, high - low)


@dataclass(frozen=True)
class Display:
    """Display pipeline of a frame: the Modality LUT or rescaling, and the windows of its output."""

    slope: float = 1.0
    intercept: float = 0.0
    table: Table | None = None
    windows: tuple[Window, ...] = ()

    def values(self, stored: Words) -> Floats:
        """Convert stored values to modality values."""
        if self.table is not None:
            return self.table.of(stored.astype(np.float32))
        return np.asarray(stored * np.float32(self.slope) + np.float32(self.intercept), np.float32)


class Windows:
    """The display windows of every frame of an image.

    Args:
        layout: Layout of the frames.
        dataset: Dataset or sequence item that holds the image.
    """

    def __init__(self, layout: PixelLayout, dataset: Dataset) -> None:
        self._layout = layout
        gray = layout.samples == 1 and layout.bits_stored > 1 and layout.photometric.startswith("MONOCHROME")
        self._frames: Sequence[Display] = _displays(dataset, layout.frames) if gray else (Display(),)

    def pictures(self, frame: int, words: Words) -> list[Picture]:
        """Return a frame in those of its windows that differ from the picture of the whole range."""
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
    """Return a frame's display, taking each attribute from the first place that has it."""
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
        if width > 0:  # SIGMOID (VOI LUT Function) shows the same range with less contrast at its ends
            yield Window(center - max(width, 1) / 2, center + max(width, 1) / 2)


def _table(item: Dataset, *, scaled: bool) -> Table | None:
    """Return a lookup table, with its outputs scaled to 0 to 1 if *scaled*; None if it is invalid."""
    try:
        count, first, _ = (int(number) for number in item.LUTDescriptor)
        data: Any = item.LUTData
        entries = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
        outputs = entries[: count or 1 << 16].astype(np.float32)
        low, high = float(outputs.min()), float(outputs.max())
    except Exception:  # noqa: BLE001 - a broken table raises anything, and viewers ignore it
        return None
    return Table(first, (outputs - low) / max(1.0, high - low) if scaled else outputs)


def _numbers(place: Dataset, name: str) -> list[float]:
    try:
        value: Any = place.get(name)
        many = value if isinstance(value, MultiValue | list | tuple) else [value]
        return [float(number) for number in many if number is not None]
    except Exception:  # noqa: BLE001 - an invalid number raises anything, with its value in the text
        return []


def _first(place: Dataset | None, name: str) -> Dataset | None:
    items: Any = place.get(name) if place is not None else None
    return items[0] if items else None
