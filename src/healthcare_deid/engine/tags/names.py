"""Tags by keyword or number."""

from __future__ import annotations

import re

from pydicom.datadict import tag_for_keyword

MINIMAL_KEEP_TAGS = (
    "StudyInstanceUID SeriesInstanceUID SOPInstanceUID TransferSyntaxUID MediaStorageSOPInstanceUID "
    "MediaStorageSOPClassUID PixelData Rows Columns SamplesPerPixel BitsAllocated BitsStored HighBit "
    "PhotometricInterpretation PixelRepresentation NumberOfFrames PlanarConfiguration PixelAspectRatio "
    "SmallestImagePixelValue LargestImagePixelValue RedPaletteColorLookupTableDescriptor "
    "GreenPaletteColorLookupTableDescriptor BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData "
    "GreenPaletteColorLookupTableData BluePaletteColorLookupTableData ICCProfile ColorSpace WindowCenter WindowWidth "
    "VOILUTFunction"
).split()


def tag_number(tag: str) -> int:
    """Return a tag's number."""
    text = tag.strip().removeprefix("0x").replace(",", "").strip("()")
    if re.fullmatch(r"[0-9A-Fa-f]{8}", text):
        return int(text, 16)
    number = tag_for_keyword(tag.strip())
    if number is None:
        raise ValueError("not a keyword or tag number")
    return number
