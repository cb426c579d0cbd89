"""Side data of compressed frames.

This means comments and metadata that decoding does not need. It is found by markers and blanked in place. Blanking
keeps every length, so offset tables, tile-part lengths and packet tables stay right, and no pixel changes.
"""

from healthcare_deid.engine.dicom.sidedata.splices import Splice, Spliced, pieces_of
from healthcare_deid.engine.dicom.sidedata.value import (
    CONTRADICTION,
    EXCESS,
    EXCESS_RULE,
    PIXEL_TAGS,
    RULE,
    UNEXAMINED,
    UNREAD,
    SideData,
    changes_of,
    find_side_data,
    without_side_data,
)

__all__ = [
    "CONTRADICTION",
    "EXCESS",
    "EXCESS_RULE",
    "PIXEL_TAGS",
    "RULE",
    "UNEXAMINED",
    "UNREAD",
    "SideData",
    "Splice",
    "Spliced",
    "changes_of",
    "find_side_data",
    "pieces_of",
    "without_side_data",
]
