"""What the noted elements of an instance tell: whose it is, what was done to it before, what became of its dates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.charsets import read_text
from healthcare_deid.engine.dicom.elements import known_vr
from healthcare_deid.engine.dicom.encoding import Malformed, Short, flat_items
from healthcare_deid.engine.header.markers import EARLIER, METHOD, METHOD_CODE_SEQUENCE, Code
from healthcare_deid.engine.plan.tags import DATE_VRS, GOING, Op
from healthcare_deid.engine.text.own_terms import OwnValue, own_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.header.fast.follower import Noted

FACE_LEFT = (
    "the series may hold a head: a face can be reconstructed from its slices, which no tag or burned-in text shows"
)
_MODALITY = 0x00080060
_SLICES = frozenset({b"CT", b"MR", b"PT"})
_BODY = frozenset({0x00080104, 0x00081030, 0x0008103E, 0x00180015, 0x00181030})
"""CodeMeaning, the study's and the series' description, BodyPartExamined, ProtocolName."""
_HEAD = re.compile(
    rb"\b(?:head|brain|skull|cranium|face|facial|maxillofacial|orbits?|sinus(?:es)?|neuro|cerebr\w*|kopf|sch[a\xe4]del|"
    rb"cr[a\xe2]ne|whole[ _-]?body|wholebody|iac|pituitary|mandible|tmj|temporal bones?)\b"
)
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_LONGEST_CODE = 16
HEAD_TAGS = _BODY | {_MODALITY}


def noted_tags() -> frozenset[int]:
    """Return the tags whose values are wanted where a result claims that identity was removed."""
    return frozenset(own_sources()) | EARLIER | HEAD_TAGS


def own_values(noted: Sequence[Noted]) -> tuple[OwnValue, ...]:
    """Return what tells whose instance it is, of elements that do not stay."""
    sources = own_sources()
    return tuple(
        OwnValue(sources[tag], value, encodings)
        for tag, op, value, encodings in noted
        if tag in sources and op not in (Op.KEEP, Op.CHECK) and value.strip(b"\0 ")
    )


def date_operations(noted: Sequence[Noted]) -> frozenset[Op]:
    """Return the operations on dates that have a value and did not simply go."""
    wanted = noted_tags()
    return frozenset(
        op
        for tag, op, value, _ in noted
        if op not in GOING and value.strip(b"\0 ") and (tag not in wanted or known_vr(tag) in DATE_VRS)
    )


def earlier_methods(noted: Sequence[Noted]) -> tuple[str, ...]:
    """Return the lines in which earlier steps said what they did."""
    lines: list[str] = []
    for tag, _, value, encodings in noted:
        if tag == METHOD:
            lines += (read_text(value, "LO", encodings).text or "").split("\\")
    return tuple(line for line in (text.strip("\0 ") for text in lines) if line)


def earlier_codes(noted: Sequence[Noted]) -> tuple[Code, ...]:
    """Return the codes in which earlier steps said what they did; what does not look like one is left out."""
    found: list[Code] = []
    for tag, _, value, encodings in noted:
        if tag == METHOD_CODE_SEQUENCE:
            for item in _items(value):
                texts = [item.get(part, b"").strip(b"\0 ") for part in (_CODE_VALUE, _SCHEME)]
                meaning = read_text(item.get(_MEANING, b""), "LO", encodings).text
                if all(text and text.isalnum() and len(text) <= _LONGEST_CODE for text in texts) and meaning:
                    found.append(Code(texts[0].decode(), texts[1].decode(), meaning.strip("\0 ")))
    return tuple(found)


def _items(value: bytes) -> list[dict[int, bytes]]:
    for explicit in (True, False):
        try:
            items = list(flat_items(value, explicit=explicit))
        except (Short, Malformed):
            continue
        if any(_CODE_VALUE in item for item in items):
            return items
    return []


def may_show_face(noted: Sequence[Noted]) -> bool:
    """Return whether an instance is a slice of a head, as far as its modality and descriptions say."""
    slices = any(tag == _MODALITY and value.strip(b"\0 ").upper() in _SLICES for tag, _, value, _ in noted)
    return slices and any(
        tag in _BODY and _HEAD.search(value.lower().replace(b"_", b" ")) for tag, _, value, _ in noted
    )
