"""Properties of data elements: VR from the dictionaries, private creator, multiplicity."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom._dicom_dict import DicomDictionary
from pydicom._private_dict import private_dictionaries
from pydicom.datadict import dictionary_VR, keyword_for_tag, private_dictionary_VR

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 1 << 31
# The VR depends on other attributes, such as PixelRepresentation. For the decisions made here either one suffices.
_AMBIGUOUS = {"US or SS": "US", "US or OW": "OW", "US or SS or OW": "OW", "OB or OW": "OW", "OB/OW": "OW"}


def is_private(tag: int) -> bool:
    """Return whether a tag is of an odd group."""
    return bool(tag >> 16 & 1)


def is_private_creator(tag: int) -> bool:
    """Return whether a tag reserves a block of private elements (PS3.5 section 7.8.1)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def is_known_creator(value: bytes) -> bool:
    """Return whether the dictionaries list a private creator."""
    # A listed creator is a vendor's name. Free text in its place may be a patient's.
    return value.strip(b"\0 ").decode("latin-1") in private_dictionaries


def creator_tag(tag: int) -> int:
    """Return the tag of the private creator that reserves an element's block."""
    return tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8


@lru_cache(maxsize=65536)
def known_vr(tag: int, creator: str = "") -> str:
    """Return the dictionaries' VR of a tag, or ``UN``.

    An ambiguous VR (``US or SS``) is given as one of its VRs.
    """
    if not tag & 0xFFFF:
        return "UL"  # a group length
    if is_private(tag):
        if is_private_creator(tag):
            return "LO"
        # Private blocks begin at (gggg,1000) (PS3.5 section 7.8.1).
        if not creator or tag & 0xFFFF < 0x1000:
            return "UN"
        try:
            vr = private_dictionary_VR(tag, creator)
        except KeyError:
            return "UN"
        return _AMBIGUOUS.get(vr, vr)
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return _AMBIGUOUS.get(vr, vr)


@lru_cache(maxsize=65536)
def most_values(tag: int) -> int:
    """Return the highest value multiplicity of an element (PS3.6)."""
    row = DicomDictionary.get(tag)
    most = row[1].split("-")[-1] if row else ""
    return int(most) if most.isdigit() else MANY


def effective_vr(tag: int, vr: str | None, creator: Callable[[], str]) -> str:
    """Return an element's own VR, or else the dictionary's.

    The dictionary decides if the VR is missing or UN.
    """
    if vr and vr != "UN":
        return _AMBIGUOUS.get(vr, vr)
    return known_vr(tag, creator() if is_private(tag) else "")


def keyword(tag: int) -> str:
    """Return an element's keyword, or an empty string."""
    row = DicomDictionary.get(tag)
    return row[4] if row else keyword_for_tag(tag)
