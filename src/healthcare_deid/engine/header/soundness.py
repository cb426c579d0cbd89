"""Validity of values for their VR (PS3.5 section 6.2).

A value without it may hold anything. Broken exporters write text under numeric and code VRs, and a damaged length makes
an element swallow its neighbors. The forms accept more than the standard where devices do, such as a comma in a decimal
or a dash in a code.
"""

from __future__ import annotations

import re

from pydicom.charset import python_encoding

from healthcare_deid.engine.dicom.elements import MANY, known_vr, most_values
from healthcare_deid.engine.dicom.uids import is_uid, uid_text
from healthcare_deid.engine.plan.rules import BINARY_VRS, FREE_TEXT_VRS, NUMBER_BYTES, STRING_VRS

SPECIFIC_CHARACTER_SET = 0x00080005
_PADDING = b"\0 "
# Devices write a comma as the decimal sign, and nan or inf for missing numbers.
_NUMBER = rb" *(?:[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d{1,3})?|[+-]?(?:nan|inf)|) *"
# Besides YYYYMMDD, the ACR-NEMA form with dots and forms with other separators occur.
_DAY = rb"(?:\d{4}(?:\d\d(?:\d\d)?)?|\d{4}[./-]\d\d[./-]\d\d|\d\d[./-]\d\d[./-]\d{4})"
_TIME = rb"(?:\d{1,6}(?:\.\d{1,9})?|\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?)"
# DT in any precision, with an optional offset from UTC.
_MOMENT = rb"(?:\d{4,14}(?:\.\d{1,9})?(?: *[+-]\d{4})?)"
FORMS = {
    vr: re.compile(rb"%b(?:\\%b)*[ \0]*" % (one, one), re.IGNORECASE if vr != "CS" else 0)
    for vr, one in {
        "AS": rb" *(?:\d{1,4} *[DWMY]?)? *",
        "CS": rb"[A-Z0-9 _]{0,16}",
        "DA": rb" *%b?(?: *- *%b?)? *" % (_DAY, _DAY),
        "DS": _NUMBER,
        "DT": rb" *%b?(?: *- *%b?)? *" % (_MOMENT, _MOMENT),
        "IS": _NUMBER,
        "TM": rb" *%b?(?: *- *%b?)? *" % (_TIME, _TIME),
    }.items()
}
"""Forms of encoded string values. `_is_loose_code` accepts further values of CS."""
_WORD_OF_CODE = re.compile(r"[A-Za-z]{3,}")
_CODE_CHARACTERS = re.compile(rb"[\w .,:;/()+*&#%<>=\\-]*")
# A long or dotted number, which identifies a person or a device and does not classify.
_NUMBER_IN_CODE = re.compile(rb"\d{5}|\d+(?:\.\d+){2}")
_LONGEST_CODE = 64
# Bytes. Shorter binary values consist of printable bytes by chance.
_SHORTEST_TEXT = 12
_TEXT = re.compile(rb"[\r\n\t -~]*")
_CHARACTER_SETS = frozenset(re.sub(r"[ -]", "_", term.upper()) for term in python_encoding)


_FREE_VRS = FREE_TEXT_VRS | {"PN", "UR"}
# VRs under which nearly any bytes are valid.
_LENIENT = BINARY_VRS | NUMBER_BYTES.keys() | _FREE_VRS


def is_sound(tag: int, vr: str, value: bytes) -> bool:
    """Return whether an encoded value is valid for its VR, and for the attribute.

    Free text is always valid where the attribute may hold some.
    """
    if not _is_valid(tag, vr, value):
        return False
    return vr not in _LENIENT or _suits(known_vr(tag), tag, vr, value)


def _suits(known: str, tag: int, vr: str, value: bytes) -> bool:
    """Return whether an attribute may hold a value that its own VR does not restrict, such as a UID in OW.

    Args:
        known: VR of the attribute by the dictionary; UN for private ones.
        tag: The attribute.
        vr: VR of the element.
        value: The encoded value.
    """
    if known in ("UN", vr) or not value.strip(_PADDING):
        return True
    is_text_vr = vr not in BINARY_VRS and vr not in NUMBER_BYTES
    if known in _FREE_VRS:
        return is_text_vr
    if known in STRING_VRS:
        # Devices write decimal strings as numbers; a list without an end may be anything.
        as_numbers = vr in NUMBER_BYTES and known in ("DS", "IS") and most_values(tag) < MANY
        return as_numbers or _is_valid(tag, known, value)
    if known in NUMBER_BYTES:
        if is_text_vr:
            return FORMS["DS"].fullmatch(value) is not None
        return vr in NUMBER_BYTES or _is_valid(tag, known, value)
    return known in BINARY_VRS and not is_text_vr  # a sequence under another VR is none


def _is_valid(tag: int, vr: str, value: bytes) -> bool:
    """Return whether an encoded value is valid for a VR."""
    # A damaged length usually makes a numeric value longer than its multiplicity allows.
    size = NUMBER_BYTES.get(vr)
    if size is not None:
        return not len(value) % size and len(value) <= size * most_values(tag) and not is_text(value)
    if vr in BINARY_VRS:
        return not is_text(value)
    text = value.rstrip(_PADDING)
    if b"\0" in text:
        return False
    if tag == SPECIFIC_CHARACTER_SET:
        return all(_names_character_set(term) for term in text.split(b"\\"))
    if vr == "UI":
        return all(not uid or is_uid(uid) for uid in map(uid_text, value.split(b"\\")))
    if vr == "CS":
        return FORMS[vr].fullmatch(value) is not None or _is_loose_code(text)
    form = FORMS.get(vr)
    return form is None or form.fullmatch(value) is not None


def is_text(value: bytes) -> bool:
    """Return whether a binary value is really typed text or a UID."""
    text = value.strip(_PADDING)
    return len(text) >= _SHORTEST_TEXT and _TEXT.fullmatch(text) is not None


def _names_character_set(term: bytes) -> bool:
    name = term.strip(_PADDING).decode("latin-1").upper()
    return re.sub(r"[ -]", "_", name) in _CHARACTER_SETS


def _is_loose_code(text: bytes) -> bool:
    """Return whether an invalid CS value is still a code.

    Known words, short marks and numbers are codes.
    """
    from healthcare_deid.engine.text.find.lexicon import fold, vocabulary

    if _CODE_CHARACTERS.fullmatch(text) is None or any(len(code) > _LONGEST_CODE for code in text.split(b"\\")):
        return False
    if _NUMBER_IN_CODE.search(text):
        return False
    words = map(fold, _WORD_OF_CODE.findall(text.decode("latin-1")))
    return all(word in vocabulary() for word in words)
