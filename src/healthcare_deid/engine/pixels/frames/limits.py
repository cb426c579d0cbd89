"""Size limits of the service's redaction: a warning here, where nothing forces such a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GIGABYTE = 1 << 30
LARGEST_FILE = GIGABYTE
"""Bytes of a DICOM file. Source: Cloud Healthcare API quotas, "Redact pixel data"."""
LARGEST_UNCOMPRESSED = 2 * GIGABYTE
"""Bytes of compressed pixel data, decoded: frames x rows x columns x samples x bits / 8. Same source."""


def beyond_service_limits(dataset: Dataset, file_size: int | None = None) -> str | None:
    """Return why the service would not redact an instance's pixels, or None.

    Args:
        dataset: The instance.
        file_size: Bytes of its file, where known.
    """
    if file_size is not None and file_size > LARGEST_FILE:
        return "the file is larger than 1 GB: the service does not redact its pixels"
    sizes = [dataset.get(name) for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")]
    if not all(isinstance(size, int) for size in sizes):
        return None
    frames: Any = dataset.get("NumberOfFrames") or 1
    if not isinstance(frames, int):
        return None  # no number: the pixels cannot be told apart, and are refused for that
    total = frames * sizes[0] * sizes[1] * sizes[2] * sizes[3] // 8
    if total > LARGEST_UNCOMPRESSED:
        return "the pixel data is larger than 2 GB uncompressed: the service does not redact it"
    return None
