"""The Native DICOM Model (PS3.19 annex A): DICOM JSON written as XML."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

_PRIVATE_KEYWORDS = {"00090097": ("FailureDetail", "GOOGLE")}
_ILLEGAL = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])
_NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def to_xml(attributes: dict[str, Any]) -> bytes:
    """Write a dataset, given as DICOM JSON."""
    body = "".join(_attribute(tag, value) for tag, value in sorted(attributes.items()))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel>{body}</NativeDicomModel>\n'.encode()


def _attribute(tag: str, attribute: dict[str, Any]) -> str:
    keyword, creator = _PRIVATE_KEYWORDS.get(tag, (keyword_for_tag(int(tag, 16)), ""))
    names = {"tag": tag, "vr": attribute["vr"], "keyword": keyword, "privateCreator": creator}
    head = "".join(f" {name}={quoteattr(value)}" for name, value in names.items() if value)
    if "BulkDataURI" in attribute:
        return f"<DicomAttribute{head}><BulkData uri={quoteattr(attribute['BulkDataURI'])}/></DicomAttribute>"
    values = enumerate(attribute.get("Value", []), start=1)
    return f"<DicomAttribute{head}>{''.join(_value(number, value) for number, value in values)}</DicomAttribute>"


def _value(number: int, value: Any) -> str:
    if value is None:
        return f'<Value number="{number}"/>'
    if not isinstance(value, dict):
        return f'<Value number="{number}">{escape(str(value).translate(_ILLEGAL))}</Value>'
    if {"Alphabetic", "Ideographic", "Phonetic"} & value.keys():
        return f'<PersonName number="{number}">{"".join(_name(*pair) for pair in value.items())}</PersonName>'
    items = "".join(_attribute(tag, attribute) for tag, attribute in sorted(value.items()))
    return f'<Item number="{number}">{items}</Item>'


def _name(group: str, text: str) -> str:
    parts = zip(_NAME_PARTS, str(text).translate(_ILLEGAL).split("^"), strict=False)
    return f"<{group}>{''.join(f'<{part}>{escape(value)}</{part}>' for part, value in parts if value)}</{group}>"
