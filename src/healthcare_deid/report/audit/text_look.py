"""Search for names, numbers and dates in text that the rules keep, with the engine's own detectors."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.config.presets import basic_confidentiality_profile
from healthcare_deid.engine.dicom.elements import is_known_creator, is_private_creator
from healthcare_deid.engine.header.dummies import DUMMIES
from healthcare_deid.engine.header.markers import METHOD
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.plan.profiles import basic_plan
from healthcare_deid.engine.plan.ps315 import ProfileOption
from healthcare_deid.engine.plan.rules import BINARY_VRS, CODE_TAGS, FREE_TEXT_VRS, GOING, Op
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.engine.text.find.lexicon import fold, word_set
from healthcare_deid.report.audit.findings import Residual, Residue, shape_of
from healthcare_deid.report.audit.second_run import is_new_uid, without_pseudonyms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.text.engine import InstanceText
    from healthcare_deid.report.audit.elements import Element
    from healthcare_deid.report.audit.promise import Promise

_READ_VRS = FREE_TEXT_VRS | {"PN", "CS", "UR", "UN"} | BINARY_VRS
_READ_AS = {"CS": "LO", "UR": "UT", "UN": "UT", **dict.fromkeys(BINARY_VRS, "UT")}
_LONGEST_BINARY = 65_536
_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff\r\n\t]{4,}\0*")
_UID = re.compile(r"(?<![\d.])[0-2](?:\.\d+){5,}(?![\d.])")
_TELLING = frozenset({"PERSON_NAME", "MEDICAL_RECORD_NUMBER", "PHONE_NUMBER", "EMAIL_ADDRESS", "DATE_OF_BIRTH"})
"""InfoTypes that are an error if the instance says its identity was removed. Places, dates and ages may be
anybody's."""
_OF_MAKERS = re.compile(
    r"^Manufacturer|Version|^SoftwareVersion|ModelName$|^CodingScheme|^Coding|^ContextGroup|^Mapping|^Implementation|"
    r"^ResponsibleOrg|Algorithm|^DeviceSerial|^Encapsulated|ICCProfile|UID$"
)
"""Attributes about a device, coding scheme or program, whose numbers and names are the maker's."""
_PLACEHOLDERS = frozenset(value.strip(b"\0 ") for value in DUMMIES.values())
_ACQUISITION = 0x0018
"""Group about equipment and technique. The Basic Profile removes Protocol Name and the like."""
_WORDS = re.compile(r"[^\W\d_]+")
_LABELS = word_set("number_cues") | word_set("strong_number_cues")
"""Words that label a number of somebody, such as MRN or patient."""
_BASELINE = basic_plan("2026d")
_OUR_WORDS = ("healthcare-deid ", "PS3.15 ")


def text_residues(dataset: Dataset, promise: Promise, elements: Mapping[str, Element]) -> Iterator[Residual]:
    """Yield what the detectors find.

    Args:
        dataset: The instance.
        promise: Rules of the instance. If they remove the identity, it must not contain a name.
        elements: Elements to look at, by path.
    """
    bound = reading_engine().bind(dataset)
    if _is_of_the_standard(dataset):
        promise = replace(promise, binding=False)
    for element in elements.values():
        if element.vr in _READ_VRS and not _is_said_by_us(element) and not _is_left_by_option(element, promise):
            yield from _look(element, bound, promise)


def is_binary(element: Element) -> bool:
    """Return whether an element's value is binary."""
    return element.vr in BINARY_VRS or element.vr == "UN"


@cache
def reading_engine() -> TextEngine:
    """Return the engine that finds identifying text."""
    plan = compile_text(basic_confidentiality_profile())
    return TextEngine(replace(plan, claims_removal=True))


def _look(element: Element, bound: InstanceText, promise: Promise) -> Iterator[Residual]:
    if is_binary(element) and (len(element.value) > _LONGEST_BINARY or not _PRINTABLE.fullmatch(element.value)):
        return
    texts = element.texts() or ([element.value.decode("latin-1")] if is_binary(element) else [])
    for text in filter(None, map(without_pseudonyms, texts)):
        kinds = {rule.removeprefix("infoType:") for rule in bound.transform(text, _read_as(element)).rules}
        if element.tag in CODE_TAGS:
            kinds &= _TELLING - {"MEDICAL_RECORD_NUMBER"}  # code values are numbers
        elif element.vr == "CS":
            kinds &= {"PERSON_NAME"} if len(_WORDS.findall(text)) > 1 else set()  # a single word may be any word
        if kinds:
            why = f"found in the text: {', '.join(sorted(kinds))}"
            severity = _severity(element, text, kinds, promise)
            yield Residual(severity, Residue.TEXT, element.names, element.name, shape_of(text), why)
        elif element.vr != "UI" and _has_old_uid(text, promise):
            severity = Severity.ERROR if promise.uids else Severity.WARNING
            why = "a UID in the text that is not of the form of new ones"
            yield Residual(severity, Residue.UID, element.names, element.name, shape_of(text), why)


def _read_as(element: Element) -> str:
    return _READ_AS.get(element.vr, element.vr)


def _severity(element: Element, text: str, kinds: set[str], promise: Promise) -> Severity:
    promised = promise.binding and promise.removes_identity
    by_makers = _OF_MAKERS.search(element.name) is not None
    if _is_technical(element) and _LABELS.isdisjoint(map(fold, _WORDS.findall(text))):
        kinds = kinds - {"MEDICAL_RECORD_NUMBER"}  # a code or number of equipment
    return Severity.ERROR if promised and kinds & _TELLING and not by_makers else Severity.WARNING


def _is_technical(element: Element) -> bool:
    return element.tag >> 16 == _ACQUISITION and _BASELINE.rule(element.tag, element.vr).op not in GOING


def _is_of_the_standard(dataset: Dataset) -> bool:
    """Return whether the standard publishes the instance, such as a color palette (PS3.6 annex B)."""
    uid = str(dataset.get("SOPInstanceUID", "") or "")
    return bool(uid) and UidMapper.is_registered(uid)


def _has_old_uid(text: str, promise: Promise) -> bool:
    if ProfileOption.RETAIN_UIDS in promise.options:
        return False
    return any(not is_new_uid(uid) and not UidMapper.is_registered(uid) for uid in _UID.findall(text))


def _is_left_by_option(element: Element, promise: Promise) -> bool:
    """Return whether an option keeps or sets a value that the profile alone would not, such as a device's name."""
    if not promise.removes_identity:
        return False
    if element.tag in promise.fixed:
        return True
    kept = promise.engine.plan.rule(element.tag, element.vr).op in (Op.KEEP, Op.CHECK)
    return kept and _BASELINE.rule(element.tag, element.vr).op in GOING


def _is_said_by_us(element: Element) -> bool:
    if element.value.strip(b"\0 ") in _PLACEHOLDERS:
        return True
    if element.tag == METHOD:
        return all(text.startswith(_OUR_WORDS) or text.isupper() or text.islower() for text in element.texts())
    return is_private_creator(element.tag) and is_known_creator(element.value)
