"""Compare an instance with its de-identified counterpart, element by element and pixel by pixel.

Only the two instances are compared, without the engine's records, so any tool may have done the de-identification.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from healthcare_deid._border import border
from healthcare_deid._html import table, wrapped
from healthcare_deid.engine.dicom.datasets import value_bytes
from healthcare_deid.engine.dicom.elements import is_private
from healthcare_deid.engine.header.dataset_executor import creator_in
from healthcare_deid.engine.header.dummies import dummy_of
from healthcare_deid.engine.pixels.decompress import image_of, iter_frames
from healthcare_deid.engine.pixels.find.components import component_boxes
from healthcare_deid.engine.plan.rules import TEXT_VRS
from healthcare_deid.engine.plan.safe_private_table import creator_of_a_maker
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError, UnsupportedPixelsError
from healthcare_deid.report.dataframes import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pydicom.dataelem import DataElement

_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_GROUP_LENGTH = 0x0000
_NESTED = "/"
_BLOCK = 8
"""Pixels between two changes below which they belong to one rectangle."""

Rectangle = tuple[int, int, int, int]
"""Left column, top row, width and height."""
COLUMNS = ("path", "name", "vr", "verdict")
"""Columns of a table of elements."""


class Verdict(StrEnum):
    """Verdict on a data element."""

    KEPT = "kept"
    """Unchanged, with a value."""
    EMPTY = "no value"
    """Present without a value, before and after."""
    CHANGED = "changed"
    """Changed value."""
    DUMMY = "dummy"
    """The dummy value of this package for its VR, which says nothing: 19000101, ANONYMIZED."""
    EMPTIED = "emptied"
    """Present, but the value was removed."""
    REMOVED = "removed"
    """Removed."""
    ADDED = "added"
    """Added."""


@dataclass(frozen=True, slots=True)
class ElementChange:
    """Data element before and after, without its value.

    Attributes:
        path: 8-hex tags joined by ``/``, items in brackets.
        name: Keyword, or ``(gggg,eeee)`` if it has none, followed by the private creator if that is a maker's.
        vr: Value representation, of the original if present there.
        verdict: Outcome.
    """

    path: str
    name: str
    vr: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PixelChange:
    """Change of the pixels.

    Attributes:
        frames: Number of frames of the image.
        changed_frames: Number of frames with a changed pixel.
        changed_fraction: Fraction of changed pixels over all frames, 0 to 1.
        box: Smallest rectangle around every change, over all frames, ``(x, y, width, height)``; None without a change.
        boxes: Rectangles around the changes of each changed frame, by frame; nearby changes share one.
    """

    frames: int
    changed_frames: int
    changed_fraction: float
    box: Rectangle | None
    boxes: dict[int, tuple[Rectangle, ...]] = field(default_factory=dict[int, tuple["Rectangle", ...]])


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of an instance with its de-identified counterpart.

    Attributes:
        elements: Every data element of either, including nested ones and file meta, ordered by path.
        pixels: Change of the pixels; None if neither side has pixels, or they were not compared.
        note: Why the pixels could not be compared; empty otherwise.
    """

    elements: tuple[ElementChange, ...]
    pixels: PixelChange | None = None
    note: str = ""

    def count(self, verdict: Verdict) -> int:
        """Return the number of elements with this verdict."""
        return sum(1 for element in self.elements if element.verdict is verdict)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each element: path, name, VR, verdict."""
        return [{name: str(getattr(element, name)) for name in COLUMNS} for element in self.elements]

    def to_frame(self) -> Any:
        """Return the elements as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame_of(self.rows(), COLUMNS)

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in Verdict)
        changed = [row for row in self.rows() if row["verdict"] not in (Verdict.KEPT, Verdict.EMPTY)]
        return wrapped(
            f"<p>{counts}</p><p>{escape(pixels_told(self))}</p>{table(COLUMNS, [[*row.values()] for row in changed])}"
        )


def pixels_told(comparison: Comparison) -> str:
    """Return what became of the pixels, or why they were not compared; empty if there are none."""
    if comparison.pixels is not None:
        return told_of(comparison.pixels)
    return f"pixels not compared: {comparison.note}" if comparison.note else ""


def told_of(change: PixelChange) -> str:
    """Return the change of the pixels as a line of text."""
    if not change.changed_frames:
        return f"no pixel changed in {change.frames} frame{'s' * (change.frames != 1)}"
    return f"{change.changed_fraction:.1%} of the pixels changed, in {change.changed_frames} of {change.frames} frames"


@border
def compare(before: Dataset, after: Dataset, *, pixels: bool = True) -> Comparison:
    """Compare two instances.

    Args:
        before: The original, with ``file_meta`` if it has one.
        after: Its de-identified counterpart.
        pixels: Whether to decode and compare the pixels.

    Returns:
        Verdicts on every element and on the pixels, without any value.

    Raises:
        TypeError: An argument is not a dataset; read files with `pydicom.dcmread` first.
        EngineError: An instance cannot be read to its end.
    """
    for argument in (before, after):
        if not isinstance(argument, Dataset):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
            raise TypeError(
                f"compare() takes pydicom datasets, not {type(argument).__name__}: read files with pydicom.dcmread"
            )
    return guarded(lambda: _compare(before, after, pixels=pixels))


def _compare(before: Dataset, after: Dataset, *, pixels: bool) -> Comparison:
    old, new = dict(_walk(before)), dict(_walk(after))
    elements = tuple(_judge(path, old.get(path), new.get(path)) for path in sorted(old.keys() | new.keys()))
    if not pixels or not (_has_pixels(before) and _has_pixels(after)):
        return Comparison(elements)
    try:
        return Comparison(elements, _compare_pixels(before, after))
    except UnsupportedPixelsError as error:  # the comparison of tags is valid without pixels
        return Comparison(elements, note=str(error))


def summary_table(comparisons: Iterable[Comparison], *, most: int | None = None, width: int | None = None) -> str:
    """Return a text table with the count of each verdict and its tags, most frequent first, over all comparisons.

    Args:
        comparisons: Comparisons to summarize.
        most: Maximum number of tags per verdict; None lists all.
        width: Number of columns at which lists are broken; None does not break them.
    """
    by_verdict: dict[Verdict, Counter[str]] = {verdict: Counter() for verdict in Verdict}
    instances = 0
    for comparison in comparisons:
        instances += 1
        for element in comparison.elements:
            by_verdict[element.verdict][element.name] += 1
    lines = [f"{'':9}{'elements':>9}  tags ({instances} instance{'s' * (instances != 1)}; × = in how many places)"]
    for verdict, names in by_verdict.items():
        if not names:
            continue
        listed = [name if count == 1 else f"{name}×{count}" for name, count in names.most_common(most)]
        if most is not None and len(names) > most:
            listed.append(f"… {len(names) - most} more")
        lines += _broken(f"{verdict:9}{names.total():>9}  ", listed, width)
    return "\n".join(lines)


def _broken(head: str, items: list[str], width: int | None) -> Iterator[str]:
    """Yield the lines of a list that begins after a head, broken between its items."""
    line = head + items[0]
    for item in items[1:]:
        if width is not None and len(line) + len(item) + 3 > width:
            yield f"{line},"
            line = " " * len(head) + item
        else:
            line += f", {item}"
    yield line


def _walk(dataset: Dataset, prefix: str = "") -> Iterator[tuple[str, tuple[DataElement, str]]]:
    """Yield path, element and name of every element, file meta first, sequences before their items."""
    if not prefix and getattr(dataset, "file_meta", None) is not None:
        yield from _walk(dataset.file_meta, "")
    for element in dataset:
        if element.tag.element == _GROUP_LENGTH:
            continue
        path = f"{prefix}{int(element.tag):08X}"
        yield path, (element, _name(dataset, int(element.tag)))
        if element.VR == "SQ":
            for index, item in enumerate(element.value or ()):
                yield from _walk(item, f"{path}[{index}]{_NESTED}")


def _name(dataset: Dataset, tag: int) -> str:
    keyword = keyword_for_tag(tag)
    if keyword:
        return keyword
    creator = creator_of_a_maker(creator_in(dataset, tag).encode("latin-1")) if is_private(tag) else ""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {creator}".rstrip()


def _judge(path: str, before: tuple[DataElement, str] | None, after: tuple[DataElement, str] | None) -> ElementChange:
    found = before or after
    assert found is not None
    element, name = found
    old, new = before and before[0], after and after[0]
    if new is None:
        verdict = Verdict.REMOVED
    elif old is None:
        verdict = Verdict.ADDED
    elif _is_empty(old) and _is_empty(new):
        verdict = Verdict.EMPTY
    elif element.VR == "SQ":
        verdict = Verdict.EMPTIED if old.value and not new.value else Verdict.KEPT
    elif old.value == new.value:
        verdict = Verdict.KEPT
    elif new.is_empty:
        verdict = Verdict.EMPTIED
    else:
        verdict = Verdict.DUMMY if _is_dummy(new) else Verdict.CHANGED
    return ElementChange(path, name, str(element.VR), verdict)


def _is_dummy(element: DataElement) -> bool:
    # A number of zero may be anything.
    return element.VR in TEXT_VRS | {"CS", "TM"} and value_bytes(element) == dummy_of(int(element.tag), element.VR)


def _is_empty(element: DataElement) -> bool:
    return not element.value if element.VR == "SQ" else element.is_empty


def _has_pixels(dataset: Dataset) -> bool:
    return any(tag in dataset for tag in _PIXEL_TAGS)


def _compare_pixels(before: Dataset, after: Dataset) -> PixelChange:
    """Compare decoded frames one by one, so that a long cine is never in memory as a whole."""
    frames = changed_frames = changed = total = 0
    union: NDArray[np.bool_] | None = None
    boxes: dict[int, tuple[Rectangle, ...]] = {}
    for old, new in zip_longest(_frames(before, "original"), _frames(after, "result")):
        if old is None or new is None:
            raise UnsupportedPixelsError("the original and the result have different numbers of frames")
        if old.shape != new.shape:
            raise UnsupportedPixelsError("the frames of the original and the result have different shapes")
        different: NDArray[np.bool_] = np.not_equal(old, new)
        if different.ndim > 2:
            different = np.logical_or.reduce(different, axis=-1)
        if different.any():
            boxes[frames] = _boxes(different)
        frames += 1
        changed_frames += bool(different.any())
        changed += int(different.sum())
        total += different.size
        union = different if union is None else np.logical_or(union, different)
    box = _box(union) if union is not None and changed else None
    return PixelChange(frames, changed_frames, changed / total if total else 0.0, box, boxes)


def _frames(dataset: Dataset, whose: str) -> Iterator[NDArray[Any]]:
    """Yield the frames of an instance.

    Raises:
        UnsupportedPixelsError: They cannot be decoded.
    """
    try:
        yield from iter_frames(dataset)
    except Exception as error:  # noqa: BLE001 - decoders raise anything, and their texts may quote the data
        raise UnsupportedPixelsError(f"{_why(dataset, error)} (in the {whose})") from None


def _why(dataset: Any, error: Exception) -> str:
    """Return in words why a decoder failed. The engine reads pixels that pydicom has refused, to say it."""
    try:
        image = image_of(dataset)
        for index in range(image.count):
            image.words(index)
    except EngineError as ours:
        return str(ours)
    except Exception:  # noqa: BLE001, S110 - no words for it either
        pass
    return str(error) if isinstance(error, EngineError) else f"the frames cannot be decoded: {type(error).__name__}"


def _boxes(mask: NDArray[np.bool_]) -> tuple[Rectangle, ...]:
    """Return rectangles around the changes; letters and words close together share one."""
    rows, columns = mask.shape
    padded = np.pad(mask, ((0, -rows % _BLOCK), (0, -columns % _BLOCK)))
    split = padded.reshape(padded.shape[0] // _BLOCK, _BLOCK, padded.shape[1] // _BLOCK, _BLOCK)
    blocks: NDArray[np.bool_] = np.logical_or.reduce(split, axis=(1, 3))
    found: list[Rectangle] = []
    for component in component_boxes(blocks):
        left, top, right, bottom = (edge * _BLOCK for edge in component.box)
        x, y, width, height = _box(mask[top:bottom, left:right])
        found.append((left + x, top + y, width, height))
    return tuple(sorted(found, key=lambda box: (box[1], box[0])))


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
