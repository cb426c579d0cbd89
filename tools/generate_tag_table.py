"""Write ``src/healthcare_deid/config/data/tags.txt``: the registry of DICOM data elements, PS3.6 chapters 6 to 8.

    python tools/generate_tag_table.py

pydicom, a development dependency, carries the registry; at run time the package reads only this table. Each line is
``GGGGEEEE VR Keyword``, in the order of the tags. Registry lines without a keyword, and command elements (group 0000),
which no file holds, are left out; a
repeating group (``60xx``) is one line whose tag holds the ``x``. Where a line allows several VRs they are joined by a
slash.
"""

from __future__ import annotations

from pathlib import Path

from pydicom import __version__ as pydicom_version
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

TARGET = Path(__file__).parents[1] / "src" / "healthcare_deid" / "config" / "data" / "tags.txt"


def lines() -> list[str]:
    """Return the table's lines."""
    rows = [(f"{tag:08X}", entry) for tag, entry in DicomDictionary.items() if tag >> 16]
    rows += [(mask.upper().replace("X", "x"), entry) for mask, entry in RepeatersDictionary.items()]
    return [
        f"{tag} {vr.replace(' or ', '/') or 'NONE'} {keyword}"
        for tag, (vr, _, _, _, keyword) in sorted(rows)
        if keyword
    ]


def main() -> None:
    """Write the table."""
    head = f"# DICOM PS3.6: tag, VR, keyword. Written by tools/generate_tag_table.py from pydicom {pydicom_version}."
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join([head, *lines()]) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
