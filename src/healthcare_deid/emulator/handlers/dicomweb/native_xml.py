"""DICOM JSON as XML, the Native DICOM Model (PS3.19 Annex A)."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from pydicom.datadict import keyword_for_tag

_PRIVATE_KEYWORDS = {"00090097": ("FailureDetail", "GOOGLE")}
# Characters that are not allowed in XML 1.0. ElementTree writes them unchecked.
_ILLEGAL = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])
_NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def to_xml(attributes: dict[str, Any]) -> bytes:
    """Convert a dataset from DICOM JSON to XML."""
    root = Element("NativeDicomModel")
    _add_attributes(root, attributes)
    encoded: bytes = tostring(root, "UTF-8", xml_declaration=True)
    return encoded


def _add_attributes(parent: Element, attributes: dict[str, Any]) -> None:
    for tag, attribute in sorted(attributes.items()):
        keyword, creator = _PRIVATE_KEYWORDS.get(tag, (keyword_for_tag(int(tag, 16)), ""))
        names = {"tag": tag, "vr": attribute["vr"], "keyword": keyword, "privateCreator": creator}
        element = SubElement(parent, "DicomAttribute", {name: text for name, text in names.items() if text})
        if "BulkDataURI" in attribute:
            SubElement(element, "BulkData", uri=attribute["BulkDataURI"])
        for number, value in enumerate(attribute.get("Value", []), start=1):
            _add_value(element, str(number), value)


def _add_value(parent: Element, number: str, value: Any) -> None:
    if not isinstance(value, dict):
        element = SubElement(parent, "Value", number=number)
        element.text = None if value is None else str(value).translate(_ILLEGAL)
    elif {"Alphabetic", "Ideographic", "Phonetic"} & value.keys():
        name = SubElement(parent, "PersonName", number=number)
        for group, text in value.items():
            components = SubElement(name, group)
            # A person name may have fewer than five components.
            for part, component in zip(_NAME_PARTS, str(text).translate(_ILLEGAL).split("^"), strict=False):
                if component:
                    SubElement(components, part).text = component
    else:
        _add_attributes(SubElement(parent, "Item", number=number), value)
