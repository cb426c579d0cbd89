"""Facts that an instance's original values show.

They concern identity, earlier de-identification, dates and faces.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import cache, cached_property
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.charsets import read_text
from healthcare_deid.engine.dicom.elements import known_vr
from healthcare_deid.engine.dicom.encoding import Malformed, Short, flat_items
from healthcare_deid.engine.header.markers import EARLIER, METHOD, METHOD_CODE_SEQUENCE, MethodCode
from healthcare_deid.engine.identity.date_settings import capped_age
from healthcare_deid.engine.identity.rewriting import by_patterns
from healthcare_deid.engine.plan.rules import DATE_VRS, GOING, Op
from healthcare_deid.engine.text.find.own_terms import OwnTerms
from healthcare_deid.engine.text.find.own_values import OwnValue, own_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthcare_deid.engine.header.fast.run_follower import Noted
    from healthcare_deid.engine.header.markers import DeidentificationClaims
    from healthcare_deid.engine.identity.rewriting import Rewrite
    from healthcare_deid.engine.text.find.detectors.base import Detector

    Patterns = Mapping[int, Sequence[Rewrite]]

FACE_LEFT = (
    "the series may show a head: a face can be reconstructed from its slices, and this engine does not remove faces"
)
OLD_AGE_LEFT = (
    "an age of more than 90 years was kept in PatientAge; HIPAA's Safe Harbor (45 CFR 164.514) calls it identifying: "
    r"dates=Dates() or replace=[('PatientAge', '(09[1-9]|1\d\d)Y', '090Y')] makes it 90"
)
_PATIENT_AGE = 0x00101010
_MODALITY = 0x00080060
# Modalities whose slices can be stacked to a volume that shows the face.
_SLICES = frozenset({b"CT", b"MR", b"PT"})
# CodeMeaning, StudyDescription, SeriesDescription, BodyPartExamined, ProtocolName.
_BODY = frozenset({0x00080104, 0x00081030, 0x0008103E, 0x00180015, 0x00181030})
_HEAD = re.compile(
    rb"\b(?:head|brain|skull|cranium|face|facial|maxillofacial|orbits?|sinus(?:es)?|neuro|cerebr\w*|kopf|sch[a\xe4]del|"
    rb"cr[a\xe2]ne|whole[ _-]?body|wholebody|iac|pituitary|mandible|tmj|temporal bones?)\b"
)
OTHER_IDS_SEQUENCE = 0x00101002
"""OtherPatientIDsSequence. A plan that deletes it does not visit its items, but the patient's IDs are in them."""
_PATIENT_ID = 0x00100020
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
# CodeValue and CodingSchemeDesignator have VR SH (PS3.5 table 6.2-1).
_LONGEST_CODE = 16
# Series that are processed at the same time share few headers, so a small cache suffices.
_MOST = 64
HEAD_TAGS = _BODY | {_MODALITY}


@cache
def noted_tags() -> frozenset[int]:
    """Return the tags whose original values claims depend on."""
    return frozenset(own_sources()) | EARLIER | HEAD_TAGS | {OTHER_IDS_SEQUENCE, _PATIENT_AGE}


class Facts:
    """Facts about one instance.

    Args:
        noted: The collected elements.
        own: The patient's own names and numbers, taken from the same elements.

    Attributes:
        own: As given.
        date_operations: Operations on dates that have a value and are not removed.
        claims: Cache of claims made from these facts. It pays because a series shares them.
    """

    def __init__(self, noted: Sequence[Noted], own: OwnTerms) -> None:
        self.own = own
        self.claims: dict[tuple[bool, bool, bool, bool], DeidentificationClaims] = {}
        self._noted = noted
        wanted = noted_tags()
        self.date_operations = frozenset(
            op
            for tag, op, value, _ in noted
            if op not in GOING and value.strip(b"\0 ") and (tag not in wanted or known_vr(tag) in DATE_VRS)
        )

    @cached_property
    def earlier_methods(self) -> tuple[str, ...]:
        """Lines of DeidentificationMethod from earlier steps.

        Lines that contain the patient's identity are left out.
        """
        lines: list[str] = []
        for tag, _, value, encodings in self._noted:
            if tag == METHOD:
                lines += (read_text(value, "LO", encodings).text or "").split("\\")
        stripped = (text.strip("\0 ") for text in lines)
        return tuple(line for line in stripped if line and not self.own.find(line))

    @cached_property
    def earlier_codes(self) -> tuple[MethodCode, ...]:
        """Codes of DeidentificationMethodCodeSequence from earlier steps.

        Malformed ones are left out.
        """
        found: list[MethodCode] = []
        for tag, _, value, encodings in self._noted:
            if tag == METHOD_CODE_SEQUENCE:
                found += filter(None, (_code(item, encodings) for item in _items(value, _CODE_VALUE)))
        return tuple(code for code in found if not self.own.find(code.meaning))

    @cached_property
    def keeps_old_age(self) -> bool:
        """Whether an age of more than 90 years stays."""
        ages = (
            read_text(value, "AS", encodings).text or ""
            for tag, op, value, encodings in self._noted
            if tag == _PATIENT_AGE and op in {Op.KEEP, Op.CHECK}
        )
        return any(capped_age(age) not in (None, age.strip("\0 ")) for age in ages)

    @cached_property
    def may_show_face(self) -> bool:
        """Whether modality and descriptions suggest a slice of a head."""
        slices = any(tag == _MODALITY and value.strip(b"\0 ").upper() in _SLICES for tag, _, value, _ in self._noted)
        return slices and any(
            tag in _BODY and _HEAD.search(value.lower().replace(b"_", b" ")) for tag, _, value, _ in self._noted
        )


class FactsOfInstances:
    """Factory and cache of facts, which is pickled empty.

    Args:
        patterns: Replacement patterns by tag. A value that one of them matches was decided by a person, so it does not
            become a search term.
        staying: Tags whose values stay when no pattern matches. These do not become search terms either.
        detectors: Detectors of the user's own identifiers.
    """

    def __init__(
        self,
        patterns: Patterns | None = None,
        staying: frozenset[int] = frozenset(),
        detectors: Sequence[Detector] = (),
    ) -> None:
        self._patterns = patterns or {}
        self._staying = staying
        self._detectors = tuple(detectors)
        self._facts: OrderedDict[tuple[Noted, ...], Facts] = OrderedDict()
        self._own: OrderedDict[tuple[OwnValue, ...], OwnTerms] = OrderedDict()

    def __reduce__(self) -> tuple[type[FactsOfInstances], tuple[Patterns, frozenset[int], tuple[Detector, ...]]]:
        return type(self), (self._patterns, self._staying, self._detectors)

    def of(self, noted: Sequence[Noted]) -> Facts:
        """Return the facts of an instance."""
        key = tuple(noted)
        known = self._facts.get(key)
        if known is None:
            values = self._own_values(key)
            own = self._own.get(values)
            if own is None:
                own = self._own[values] = OwnTerms(values, self._detectors)
            known = self._facts[key] = Facts(key, own)
            for kept in (self._facts, self._own):
                if len(kept) > _MOST:
                    kept.popitem(last=False)
        return known

    def _own_values(self, noted: Sequence[Noted]) -> tuple[OwnValue, ...]:
        """Return the identifying values, except those that stay in the result."""
        sources = own_sources()
        values = [
            OwnValue(sources[tag], value, encodings)
            for tag, op, value, encodings in noted
            if tag in sources
            and op not in (Op.KEEP, Op.CHECK)
            and value.strip(b"\0 ")
            and not self._is_decided(tag, value, encodings)
        ]
        values += [
            OwnValue(sources[_PATIENT_ID], item[_PATIENT_ID], encodings)
            for tag, op, value, encodings in noted
            if tag == OTHER_IDS_SEQUENCE and op in GOING
            for item in _items(value, _PATIENT_ID)
            if item.get(_PATIENT_ID, b"").strip(b"\0 ")
        ]
        return tuple(values)

    def _is_decided(self, tag: int, value: bytes, encodings: tuple[str, ...]) -> bool:
        """Return whether the user's patterns decide about a value."""
        patterns = self._patterns.get(tag)
        if not patterns or tag in self._staying:
            return bool(patterns)
        parts = [part.strip(" \0") for part in (read_text(value, "LO", encodings).text or "").split("\\")]
        return any(by_patterns(patterns, part) != part for part in parts)


def _code(item: dict[int, bytes], encodings: tuple[str, ...]) -> MethodCode | None:
    value, scheme = (item.get(part, b"").strip(b"\0 ") for part in (_CODE_VALUE, _SCHEME))
    meaning = read_text(item.get(_MEANING, b""), "LO", encodings).text
    if not meaning or not all(text.isalnum() and len(text) <= _LONGEST_CODE for text in (value, scheme)):
        return None
    return MethodCode(value.decode(), scheme.decode(), meaning.strip("\0 "))


def _items(value: bytes, wanted: int) -> list[dict[int, bytes]]:
    """Return the items of a sequence, in either encoding.

    The list is empty unless an item has the wanted attribute.
    """
    for explicit in (True, False):
        try:
            items = list(flat_items(value, explicit=explicit))
        except (Short, Malformed):
            continue
        if any(wanted in item for item in items):
            return items
    return []
