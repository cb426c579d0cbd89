"""Second run: whatever an instance's own rules would still change in it is a residue.

The engine does not change its own results, except for three things that look the same before and after: UIDs
(recognized by their form), shifted dates, and markers.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.dicom.elements import is_known_creator, is_private, is_private_creator
from healthcare_deid.engine.dicom.uids import uid_text
from healthcare_deid.engine.header.actions import MALFORMED_REASON, OWN_IDENTITY_REASON, UID_IN_TEXT_REASON
from healthcare_deid.engine.identity.pseudonyms import check_pseudonym
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.ps315 import ProfileOption
from healthcare_deid.engine.plan.rules import ENCAPSULATED_DOCUMENT
from healthcare_deid.engine.results import ChangeAction
from healthcare_deid.report.audit.elements import name_of
from healthcare_deid.report.audit.findings import Residual, Residue, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.results import Change
    from healthcare_deid.report.audit.elements import Element
    from healthcare_deid.report.audit.promise import Promise

_GOOGLE = "1.3.6.1.4.1.11129.5.1."
_UUID = "2.25."
_PYDICOM = "1.2.826.0.1.3680043.8.498."
"""Root under which pydicom creates random UIDs, also for originals."""
_COMPUTED = 34
"""Minimum digits of a number that is random, not counted."""
_ENCRYPTED = 0x04000500
_DATES = frozenset({"infoType:DATE", "infoType:DATE_OF_BIRTH"})
_SIDE_DATA = frozenset({"side-data", "after-last-frame"})
_UNSAID = frozenset({"marker", "group-length"})
_CLAIMS = {
    "00120062": frozenset({b"YES", b"NO"}),
    "00280301": frozenset({b"YES", b"NO"}),
    "00280303": frozenset({b"UNMODIFIED", b"MODIFIED", b"REMOVED"}),
}
"""Markers and the terms they may contain. Which are written depends on pixels too, which the second run skips."""
_WRITERS = frozenset({0x00020012, 0x00020013})
"""Implementation class UID and version name, which identify a program."""
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=")
"""Length of a crypto hash: base64 of 32 bytes."""
_PSEUDONYM = re.compile(r"[A-Za-z0-9._-]*[0-9A-HJKMNP-TV-Z]{15}(?![A-Za-z0-9])")
_KEYED = 15
"""Length of a keyed pseudonym, including its check character."""
_STANDS_FOR_PATIENT = frozenset({0x00100010, 0x00100020})
_STEP = re.compile(r"([0-9A-F]{8})((?:\[\d+\])?)")


def is_new_uid(uid: str) -> bool:
    """Return whether a UID is harmless: of the form of new UIDs, or registered by the standard."""
    if UidMapper.is_registered(uid) or uid.startswith(_GOOGLE):
        return True
    if not uid.startswith((_UUID, _PYDICOM)) and len(uid.rpartition(".")[2]) >= _COMPUTED:
        return True  # under a project's own root: a number that fills the UID
    number = uid.removeprefix(_UUID)
    # A random or name-based UUID. Time-based ones identify a machine and a moment (RFC 9562).
    return number != uid and number.isdigit() and (int(number) >> 76) & 0xF in (3, 4, 5, 8)


def without_pseudonyms(text: str) -> str:
    """Return a text without keyed pseudonyms, which are recognized by their check character."""
    return _PSEUDONYM.sub(lambda found: "" if check_pseudonym(found[0][-_KEYED:]) else found[0], text)


def residues(dataset: Dataset, promise: Promise, elements: Mapping[str, Element]) -> Iterator[Residual]:
    """Yield whatever the rules would still change.

    Args:
        dataset: The instance.
        promise: The rules.
        elements: Its elements by path.

    Raises:
        EngineError: The instance cannot be read to its end.
    """
    for path, terms in _CLAIMS.items():
        claim = elements.get(path)
        if claim is not None and claim.value.strip(b"\0 ") not in terms:
            severity = Severity.ERROR if promise.binding else Severity.WARNING
            why = "a marker that says something else than a marker can"
            yield Residual(severity, Residue.MALFORMED, claim.names, claim.name, shape_of(claim.value), why)
    one_name = str(dataset.get("PatientName", "") or "") == str(dataset.get("PatientID", "") or "")
    for change in promise.engine.deidentify(dataset).changes:
        if change.action is ChangeAction.ADDED or change.rule in _UNSAID or _tag_of(change) in promise.fixed:
            continue
        found = _judged(change, elements.get(change.path), promise)
        if found is not None and one_name and int(change.path[:8], 16) in _STANDS_FOR_PATIENT and promise.placeholders:
            # A pseudonym from a table is used as name and number.
            found = replace(found, severity=Severity.WARNING, why="the name is the number: a pseudonym, perhaps")
        if found is not None:
            yield found


def _judged(change: Change, element: Element | None, promise: Promise) -> Residual | None:
    value = element.value if element is not None else b""
    if change.path in _CLAIMS and value.strip(b"\0 ") in _CLAIMS[change.path]:
        return None
    if element is not None and change.rule != MALFORMED_REASON and _is_made_of_pseudonyms(element, change):
        return None
    residue, why = _residue(change, value)
    if residue is None:
        return None
    tag = _tag_of(change)
    return Residual(
        _severity(residue, change, promise),
        residue,
        named(change.path),
        name_of(tag),
        shape_of(element.texts()[0] if element is not None and element.texts() else value),
        why,
    )


def _is_made_of_pseudonyms(element: Element, change: Change) -> bool:
    """Return whether a value holds only keyed pseudonyms, or only text that other looks examine."""
    texts = element.texts()
    rest = [without_pseudonyms(text) for text in texts]
    # The look at the text reads the rest of it.
    if change.rule == OWN_IDENTITY_REASON or all(rule.startswith("infoType:") for rule in change.rule.split("+")):
        return rest != texts
    return bool(texts) and not any(text.strip(" ^=") for text in rest)


def _residue(change: Change, value: bytes) -> tuple[Residue | None, str]:
    tag = _tag_of(change)
    rules = frozenset(change.rule.split("+"))
    if change.action is ChangeAction.REGENERATED or change.rule == UID_IN_TEXT_REASON:
        parts = [uid_text(part) for part in value.split(b"\\")]
        if change.rule != UID_IN_TEXT_REASON and value and all(map(is_new_uid, parts)):
            return None, ""
        return Residue.UID, "a UID that is not of the form of new ones"
    if rules <= _SIDE_DATA:
        return Residue.SIDE_DATA, "bytes beside the pixels that no decoder needs"
    if change.rule == MALFORMED_REASON:
        return Residue.MALFORMED, "a value that its VR cannot have may say anything"
    if change.rule == OWN_IDENTITY_REASON:
        return Residue.TEXT, "a name or number of the instance's own header stands here"
    if change.action is ChangeAction.TRANSFORMED:
        return _transformed(rules, value)
    if not change.length or tag in _WRITERS or (is_private_creator(tag) and is_known_creator(value)):
        return None, ""
    return _left(change, tag)


def _left(change: Change, tag: int) -> tuple[Residue | None, str]:
    if tag >> 16 == 0x0002:
        return Residue.FILE, "the file meta information names a machine, or holds what its writer liked"
    if tag == ENCAPSULATED_DOCUMENT:
        return Residue.DOCUMENT, "a document, which may say anything"
    if change.action is ChangeAction.REPLACED:
        return Residue.REPLACED, "the rules replace this value, and this is no placeholder"
    if is_private(tag):
        return Residue.PRIVATE, "nobody but its maker knows what a private element says"
    return Residue.PRESENT, "the rules leave no value here"


def _transformed(rules: frozenset[str], value: bytes) -> tuple[Residue | None, str]:
    if rules <= _DATES:
        return Residue.DATE, "a shifted date cannot be told from the original; compare with the originals"
    if _HASH.fullmatch(value.decode("latin-1").strip(" \0")):
        return None, ""
    kinds = ", ".join(sorted(rule.removeprefix("infoType:") for rule in rules))
    return Residue.TEXT, f"found in the text: {kinds}"


def _severity(residue: Residue, change: Change, promise: Promise) -> Severity:
    if residue is Residue.DATE:
        return Severity.INFO
    if not promise.binding or (residue is Residue.UID and not promise.uids):
        return Severity.WARNING
    if not promise.placeholders and change.action in (ChangeAction.REPLACED, ChangeAction.EMPTIED):
        return Severity.WARNING  # possibly another tool's placeholder
    if int(change.path[:8], 16) == _ENCRYPTED and promise.placeholders:
        return Severity.WARNING  # encrypted original attributes, which a project may want
    if residue is Residue.PRIVATE and ProfileOption.RETAIN_SAFE_PRIVATE in promise.options:
        return Severity.WARNING  # the instance does not say which ones are safe
    return Severity.ERROR


def _tag_of(change: Change) -> int:
    return int(change.path.rpartition("/")[2], 16)


def named(path: str) -> str:
    """Return a path of 8-hex tags in keywords."""
    return _STEP.sub(lambda step: name_of(int(step[1], 16)) + step[2], path)
