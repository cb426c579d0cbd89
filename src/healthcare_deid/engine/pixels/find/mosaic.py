"""Tiled images: neighboring tiles are searched together, so that tile borders do not cut lines of text.

Source: PS3.3 C.7.6.17.3 (Dimension Organization Type), C.8.12.4 (Total Pixel Matrix), C.8.12.6.1 (Plane Position).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from healthcare_deid.engine.geometry import Box
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Picture, Words
    from healthcare_deid.engine.pixels.cover.element import PixelElement
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

WINDOW = 1536
"""Rows and columns of a window, in pixels, at most about: an OCR takes this size without much reduction."""
FEWEST_TILES = 2
"""Fewest tiles of a tiled plane, and fewest tiles along each side of a window where the plane has them."""
SMALLEST_TILE = 32
"""Smallest tile, in pixels; no scanner writes smaller ones, so smaller frames are searched one by one."""

Tile = tuple[int, int]
"""Row and column of a tile in its plane, counted in tiles from 0."""
Plane = dict[Tile, int]
"""Frame index by tile, for one focal plane and one optical path."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of tiles, searched as one picture.

    Attributes:
        tiles: Frame index by tile, counted from the window's first row and column; may have gaps.
        rows: Rows of tiles.
        columns: Columns of tiles.
    """

    tiles: Plane
    rows: int
    columns: int


class Mosaic:
    """The frames of a tiled image as windows of neighboring tiles, which overlap by one tile.

    Any two neighboring tiles share a window. A line that crosses a tile border is therefore whole in some window,
    unless it is longer than a tile and crosses the edges of two windows.

    Args:
        element: Element that holds the frames.
        planes: Position of every frame.

    Raises:
        UnsupportedPixelsError: A frame has no position, so it would not be searched.
    """

    def __init__(self, element: PixelElement, planes: list[Plane]) -> None:
        self._element = element
        self._tiles = {frame: tile for plane in planes for tile, frame in plane.items()}
        self._windows = list(_windows(planes, element.layout))
        if {frame for window in self._windows for frame in window.tiles.values()} != set(range(element.layout.frames)):
            raise UnsupportedPixelsError(
                "the tiles of the image cannot be assembled: a frame has no position and would not be searched"
            )

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self._windows)

    @property
    def columns(self) -> int:
        """Columns of a window's pictures."""
        return self._windows[0].columns * self._element.columns

    @property
    def whole(self) -> Box:
        """Bounding box of all tiles, in pixels of the whole picture."""
        down, across = (1 + max(tile[axis] for tile in self._tiles.values()) for axis in (0, 1))
        return Box(0, 0, across * self._element.columns, down * self._element.layout.rows)

    def in_whole(self, frame: int, box: Box) -> Box:
        """Map a box from a frame to the whole picture."""
        row, column = self._tiles[frame]
        return box.moved(column * self._element.columns, row * self._element.layout.rows)

    def words(self, index: int) -> Words:
        """Return a window's words; gaps between tiles are 0."""
        window = self._windows[index]
        whole: Words | None = None
        for (row, column), frame in window.tiles.items():
            tile = self._element.words(frame)
            rows, columns = tile.shape[:2]
            if whole is None:
                whole = np.zeros((rows * window.rows, columns * window.columns, *tile.shape[2:]), tile.dtype)
            whole[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = tile
        assert whole is not None
        return whole

    def pictures(self, words: Words) -> list[Picture]:
        """Return a window's pictures."""
        return self._element.pictures(words)

    def places(self, index: int, box: Box) -> list[tuple[int, Box]]:
        """Return the frames that a box in a window overlaps, each with the box in its own coordinates."""
        rows, columns = self._element.layout.rows, self._element.columns
        found: list[tuple[int, Box]] = []
        for (row, column), frame in self._windows[index].tiles.items():
            part = box.moved(-column * columns, -row * rows).clipped(columns, rows)
            if part.width > 0 and part.height > 0:
                found.append((frame, part))
        return found


def view_of(element: PixelElement, dataset: Dataset) -> PixelElement | Mosaic:
    """Return the view of an element to search: a `Mosaic` for tiles, the element itself for other frames."""
    tiled = element.count > 1 and not element.target.steps and not element.target.is_overlay
    planes = planes_of(dataset, element.layout) if tiled else []
    return Mosaic(element, planes) if planes else element


def planes_of(dataset: Dataset, layout: PixelLayout) -> list[Plane]:
    """Return the positions of a tiled image's frames; empty for other frames and for inconsistent positions."""
    if min(layout.rows, layout.columns) < SMALLEST_TILE:
        return []
    try:
        full = dataset.get("DimensionOrganizationType") == "TILED_FULL"
        planes = _full(dataset, layout) if full else _sparse(dataset, layout)
    except Exception:  # noqa: BLE001 - if the attributes are broken in any way, tiles are searched one by one
        return []
    return planes if max((len(plane) for plane in planes), default=0) >= FEWEST_TILES else []


def _full(dataset: Dataset, layout: PixelLayout) -> list[Plane]:
    """Place the tiles of TILED_FULL: from left to right, then down, then through the planes (PS3.3 C.7.6.17.3)."""
    across = -(-int(dataset.TotalPixelMatrixColumns) // layout.columns)
    down = -(-int(dataset.TotalPixelMatrixRows) // layout.rows)
    if across < 1 or down < 1 or layout.frames % (across * down):
        return []
    return [
        {divmod(index, across): first + index for index in range(across * down)}
        for first in range(0, layout.frames, across * down)
    ]


def _sparse(dataset: Dataset, layout: PixelLayout) -> list[Plane]:
    """Read the position of every tile; empty unless all lie on one grid, at distinct positions."""
    groups: Any = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    planes: dict[Hashable, Plane] = {}
    for frame, group in enumerate(groups):
        position = group.PlanePositionSlideSequence[0]
        row, above = divmod(int(position.RowPositionInTotalImagePixelMatrix) - 1, layout.rows)
        column, before = divmod(int(position.ColumnPositionInTotalImagePixelMatrix) - 1, layout.columns)
        paths = group.get("OpticalPathIdentificationSequence") or [{}]
        key = position.get("ZOffsetInSlideCoordinateSystem"), paths[0].get("OpticalPathIdentifier")
        plane = planes.setdefault(key, {})
        if above or before or row < 0 or column < 0 or (row, column) in plane:
            return []
        plane[row, column] = frame
    return list(planes.values()) if len(groups) == layout.frames else []


def _windows(planes: list[Plane], layout: PixelLayout) -> Iterator[Window]:
    """Yield windows of one size, only where there are tiles: sparse tiles may be far apart."""
    down, across = (1 + max(tile[axis] for plane in planes for tile in plane) for axis in (0, 1))
    rows = min(down, max(FEWEST_TILES, WINDOW // layout.rows))
    columns = min(across, max(FEWEST_TILES, WINDOW // layout.columns))
    for plane in planes:
        windows: dict[Tile, dict[Tile, int]] = {}
        for (row, column), frame in plane.items():
            for top in _begins(row, rows, down):
                for left in _begins(column, columns, across):
                    windows.setdefault((top, left), {})[row - top, column - left] = frame
        for begin in sorted(windows):
            yield Window(windows[begin], rows, columns)


def _begins(place: int, size: int, count: int) -> set[int]:
    """Return where the windows that hold a tile begin; each begins with the last tile of the previous one."""
    step, last = max(1, size - 1), count - size
    found = {min(index * step, last) for index in range(max(0, -(-(place - size + 1) // step)), place // step + 1)}
    return found | {last} if place >= last else found
