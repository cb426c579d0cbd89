"""Size limits of the service's redaction; this engine has no such limits and only warns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GIGABYTE = 1 << 30
LARGEST_FILE = GIGABYTE
"""Largest DICOM file, in bytes. Source: Cloud Healthcare API quotas, "Redact pixel data"."""
LARGEST_UNCOMPRESSED = 2 * GIGABYTE
"""Largest decoded pixel data, in bytes: frames x rows x columns x samples x bits / 8. Same source."""


def beyond_service_limits(dataset: Dataset, file_size: int | None = None) -> str | None:
    """Return the reason why the service would not redact an instance's pixels, or None.

    Args:
        dataset: The instance.
        file_size: Size of its file in bytes, if known.
    """
    if file_size is not None and file_size > LARGEST_FILE:
        return "the file is larger than 1 GB: the service does not redact its pixels"
    sizes = [dataset.get(name) for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")]
    if not all(isinstance(size, int) for size in sizes):
        return None
    frames: Any = dataset.get("NumberOfFrames") or 1
    if not isinstance(frames, int):
        return None  # not a number: `pixel_layout` refuses the instance later
    total = frames * sizes[0] * sizes[1] * sizes[2] * sizes[3] // 8
    if total > LARGEST_UNCOMPRESSED:
        return "the pixel data is larger than 2 GB uncompressed: the service does not redact it"
    return None
