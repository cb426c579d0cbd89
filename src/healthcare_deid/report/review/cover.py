"""One more rectangle covered in a result, exactly: nothing outside it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import UID

from healthcare_deid.engine.dicom.datasets import private_copy
from healthcare_deid.engine.dicom.files import read, write
from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.cover.rewrite import Rewriter
from healthcare_deid.engine.pixels.frames.targets import targets

if TYPE_CHECKING:
    from pathlib import Path


def cover(path: Path, frame: int, rectangle: tuple[int, int, int, int]) -> None:
    """Cover a rectangle in a frame of a file's image; the file is replaced when the new one is whole.

    Args:
        path: The result.
        frame: From 0.
        rectangle: Left column, top row, width and height.

    Raises:
        ValueError: The file has no image, or the rectangle is not in it.
        UnsupportedPixelsError: The pixels cannot be decoded or written.
    """
    dataset = read(path)[0]
    copy = private_copy(dataset)
    copy.preamble = dataset.preamble
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    image = next((item for item in targets(copy) if not item.steps and not item.is_overlay), None)
    if image is None:
        raise ValueError("the result has no image")
    element = PixelElement(image, syntax)
    x, y, width, height = rectangle
    box = Box(x, y, x + width, y + height).clipped(element.layout.columns, element.layout.rows)
    if not 0 <= frame < element.count or not box.area:
        raise ValueError("the rectangle is not in the picture")
    Rewriter(copy, syntax).rewrite([(element, {frame: [element.layout.aligned(box)]})])
    write(copy, path)
