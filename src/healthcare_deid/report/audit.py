"""What may still identify somebody in an instance: a second look at what any tool has written. No value leaves this.

The measure is the Basic Application Level Confidentiality Profile of DICOM PS3.15 Annex E, current edition: what it
would act on, and that still holds a value. Pixels and the words inside values are not looked at, so an audit without
findings is no proof that nobody can be identified; one with findings says where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from healthcare_deid._border import border
from healthcare_deid.engine.plan.profiles import basic_plan
from healthcare_deid.engine.plan.tags import Op, TagPlan
from healthcare_deid.engine.safe_errors import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

_NAMES_A_PLACE = frozenset({0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028, 0x00020102})
"""File meta that names a machine or holds what its writer liked (PS3.10 section 7.1)."""
_BLANK_PREAMBLES = (b"", b"\0" * 128)


class Residue(StrEnum):
    """Why an element that holds a value is listed."""

    PRESENT = "present"
    """The profile removes or empties it: it has no business to hold a value."""
    PRIVATE = "private"
    """A private element: nobody but its maker knows what is in it."""
    REPLACED = "maybe replaced"
    """The profile puts a value of its own here, which nobody can tell from a real one: look."""
    UID = "uid"
    """The profile puts a new UID here, which nobody can tell from the old one."""


class BurnedIn(StrEnum):
    """What the instance says of identifying text in its pixels: (0028,0301) BurnedInAnnotation."""

    YES = "yes"
    """It says that there is some."""
    NO = "no"
    """It says that there is none."""
    UNSAID = "unsaid"
    """It has pixels and does not say."""
    NO_PIXELS = "no pixels"
    """It has no pixels."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An element that still holds a value; never the value.

    Attributes:
        path: Keywords, ``(gggg,eeee)`` where there is none, joined by ``/``; items of sequences in brackets.
        name: The last of them.
        residue: Why it is listed.
    """

    path: str
    name: str
    residue: Residue


@dataclass(frozen=True, slots=True)
class Audit:
    """What one instance still holds.

    Attributes:
        findings: Every element that the profile would act on and that holds a value, in the order of the file.
        burned_in: What the instance says of text in its pixels.
        says_deidentified: Whether (0012,0062) PatientIdentityRemoved is YES.
        preamble: Whether the 128 bytes before the dataset hold anything: another file format may be in there.
    """

    findings: tuple[Finding, ...]
    burned_in: BurnedIn
    says_deidentified: bool
    preamble: bool

    @property
    def residues(self) -> tuple[Finding, ...]:
        """The findings that no tool's replacement explains: what must not be there."""
        return tuple(item for item in self.findings if item.residue in (Residue.PRESENT, Residue.PRIVATE))

    @property
    def clean(self) -> bool:
        """Whether nothing was found that must not be there; the module's first lines say what that is not."""
        return not self.residues and not self.preamble and self.burned_in is not BurnedIn.YES


@border
def audit(dataset: Dataset) -> Audit:
    """Audit an instance.

    Args:
        dataset: The instance, with ``file_meta`` and preamble where it came from a file.

    Returns:
        What it still holds, without any value.

    Raises:
        EngineError: The instance cannot be read to its end.
    """
    return guarded(lambda: _audit(dataset))


def _audit(dataset: Dataset) -> Audit:
    meta = getattr(dataset, "file_meta", None)
    findings = [*(_meta(meta) if meta is not None else ()), *_walk(dataset, _plan(), "")]
    return Audit(
        findings=tuple(findings),
        burned_in=_burned_in(dataset),
        says_deidentified=str(dataset.get("PatientIdentityRemoved", "")).strip().upper() == "YES",
        preamble=(getattr(dataset, "preamble", None) or b"") not in _BLANK_PREAMBLES,
    )


@lru_cache(maxsize=1)
def _plan() -> TagPlan:
    return basic_plan("2026d")


def _meta(meta: Dataset) -> Iterator[Finding]:
    for element in meta:
        name = _name(element)
        if int(element.tag) == 0x00020003:
            yield Finding(name, name, Residue.UID)
        elif int(element.tag) in _NAMES_A_PLACE and not element.is_empty:
            yield Finding(name, name, Residue.PRESENT)


def _walk(dataset: Dataset, plan: TagPlan, prefix: str) -> Iterator[Finding]:
    for element in dataset:
        if _empty(element):
            continue
        name = _name(element)
        path = f"{prefix}{name}"
        rule = plan.rule(int(element.tag), str(element.VR), element.private_creator or "")
        residue = _residue(element, rule.op)
        if residue is not None:
            yield Finding(path, name, residue)
        if element.VR == "SQ" and residue is None:
            for index, item in enumerate(element.value):
                yield from _walk(item, plan, f"{path}[{index}]/")


def _residue(element: DataElement, op: Op) -> Residue | None:
    if op in (Op.DELETE, Op.EMPTY):
        if element.tag.element == 0 or element.tag.is_private_creator:
            return None  # a group's length and a block's name: not the data themselves
        return Residue.PRIVATE if element.tag.is_private else Residue.PRESENT
    if op is Op.DUMMY:
        return Residue.REPLACED
    if op in (Op.UID, Op.OWN_UID):
        return Residue.UID
    return None


def _empty(element: DataElement) -> bool:
    return element.is_empty or (element.VR == "SQ" and not any(len(item) for item in element.value))


def _name(element: DataElement) -> str:
    return keyword_for_tag(element.tag) or f"({element.tag.group:04X},{element.tag.element:04X})"


def _burned_in(dataset: Dataset) -> BurnedIn:
    said = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    if said in {"YES", "NO"}:
        return BurnedIn(said.lower())
    return (
        BurnedIn.UNSAID if any(tag in dataset for tag in (0x7FE00008, 0x7FE00009, 0x7FE00010)) else BurnedIn.NO_PIXELS
    )
