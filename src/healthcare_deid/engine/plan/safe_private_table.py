"""Private attributes known to hold no identity: PS3.15 table E.3.10-1, edition 2026d.

Attributes with opaque data (pixels, volumes, meshes, files, codec content) are left out, because they cannot be
inspected and a picture may have burned-in text.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.elements import is_known_creator, is_private_creator

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Creator, group, and the last two digits of elements or ranges of elements.
_ROWS = """
ELSCINT1|00E1|21 50
ELSCINT1|01E1|26
ELSCINT1|01F1|01 07 26-27
GEIIS PACS|0903|10-12
GEMS_ACQU_01|0019|23-24 27 9E
GEMS_HELIOS_01|0045|01-02
GEMS_PARM_01|0043|27 39 6F
GEMS_SERS_01|0025|07
HOLOGIC, Inc.|7E01|01-02
NQHeader|0099|01-02 04-05 10 20-21
NQLeft|0199|01-16
NQRight|0299|01-16
Philips Imaging DD 001|2001|01-0C 0E-1F 21-51 53-5A 5D-6B 6D-6F 71-77 79-7C 7E-8C 90-94 9A-9B 9D 9F A1-A5 C0-C3 C5-C7
Philips Imaging DD 001|2001|CA-CB D0-DF E9 F1-F7 F9 FB-FD
Philips Imaging DD 002|2001|01-40 50 52-53 57-58 5A 5C-5F 63-68 6B 71-75
Philips Imaging DD 097|2001|01-08 0A-0B 0D-0F 12 17-1F 21-28 2A-2E 30-32 36-3E 40-42 44-46 49 4B-4C A1-A6 A8-AB
Philips Imaging DD 129|2001|00-09
Philips MR Imaging DD 001|2005|0D-0E
Philips PET Private Group|7053|00 09
SIEMENS MR HEADER|0019|0C-0E 27
SIEMENS Ultrasound SC2000|0119|00 02-03 05-09 10-13 21
SIEMENS Ultrasound SC2000|0129|00 02-07 09 11-12 20 30
SIEMENS Ultrasound SC2000|0139|01
SIEMENS Ultrasound SC2000|0149|01-03
SIEMENS Ultrasound SC2000|7FD1|09
SIEMENS SYNGO ULTRA-SOUND TOYON DATA STREAMING|7FD1|09
"""


@cache
def safe_private() -> frozenset[tuple[str, int, int]]:
    """Return creator, group and last two digits of each safe private attribute."""
    found: set[tuple[str, int, int]] = set()
    for row in _ROWS.strip().splitlines():
        creator, group, elements = row.split("|")
        for stretch in elements.split():
            first, _, last = stretch.partition("-")
            numbers = range(int(first, 16), int(last or first, 16) + 1)
            found |= {(creator, int(group, 16), number) for number in numbers}
    return frozenset(found)


def creator_of_a_maker(value: bytes) -> str:
    """Return a private creator that this table or the dictionaries list; any other may be a name, so it is empty."""
    if not is_known_creator(value) and value.strip(b"\0 ").decode("latin-1") not in _creators():
        return ""
    return value.strip(b"\0 ").decode("latin-1")


def makers_of(creators: AbstractSet[tuple[int, bytes]], named: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the tags of private creators, each followed by the creator if it is a maker's.

    Args:
        creators: Tags and creators as encoded.
        named: Further creators that are no secret, because the caller's options name them.
    """
    return _makers_of(frozenset(creators), named) if creators else ()


@lru_cache(maxsize=256)
def _makers_of(creators: frozenset[tuple[int, bytes]], named: frozenset[str]) -> tuple[str, ...]:
    # Nearly all instances of a series have the same ones.
    found = ((tag, value) for tag, value in creators if is_private_creator(tag))
    return tuple(sorted({f"{tag:08X} {_known_creator(value, named)}".rstrip() for tag, value in found}))


def _known_creator(value: bytes, named: frozenset[str]) -> str:
    text = value.strip(b"\0 ").decode("latin-1")
    return text if text in named else creator_of_a_maker(value)


@cache
def _creators() -> frozenset[str]:
    return frozenset(creator for creator, *_ in safe_private())
