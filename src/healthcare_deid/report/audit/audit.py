"""Audit of an instance written by any tool: what may still identify somebody."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.plan.rules import ENCAPSULATED_DOCUMENT
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.audit.elements import elements_of
from healthcare_deid.report.audit.findings import Residual, Residue, row_of
from healthcare_deid.report.audit.originals import Search
from healthcare_deid.report.audit.page import findings_table
from healthcare_deid.report.audit.promise import promise_by, promise_of
from healthcare_deid.report.audit.second_run import residues
from healthcare_deid.report.audit.text_look import text_residues

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.report.audit.elements import Element
    from healthcare_deid.report.audit.originals import Originals
    from healthcare_deid.report.audit.promise import Promise

_BLANK_PREAMBLES = (b"", b"\0" * 128)
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_DUMMY_DOCUMENT = b"\0\0"
_WORST_FIRST = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class BurnedIn(StrEnum):
    """Claim of an instance about identifying text in its pixels: (0028,0301) BurnedInAnnotation."""

    YES = "yes"
    """It states that there is some."""
    NO = "no"
    """It states that there is none."""
    UNSAID = "unsaid"
    """It has pixels and states nothing."""
    NO_PIXELS = "no pixels"
    """It has no pixels."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Amount that was looked at.

    Attributes:
        elements: Number of elements with a value, at every depth.
        frames: Number of frames searched for burned-in text; 0 if pixels were left out.
        with_originals: Whether the originals' names, numbers, dates and UIDs were looked for.
        with_names: Whether the names of source files were looked for.
    """

    elements: int = 0
    frames: int = 0
    with_originals: bool = False
    with_names: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings in one instance. Their absence does not prove that nobody can be identified.

    Attributes:
        findings: Findings that nobody has accepted, worst first.
        promise: Rules it was measured by.
        burned_in: Statement of the instance about text in its pixels.
        says_deidentified: Whether (0012,0062) PatientIdentityRemoved is YES.
        looked: Amount that was looked at.
        accepted: Findings that a person has accepted.
    """

    findings: tuple[Residual, ...]
    promise: str
    burned_in: BurnedIn
    says_deidentified: bool
    looked: Looked = field(default_factory=Looked)
    accepted: tuple[Residual, ...] = ()

    @property
    def errors(self) -> tuple[Residual, ...]:
        """Findings that contradict the promise."""
        return tuple(item for item in self.findings if item.severity is Severity.ERROR)

    @property
    def clean(self) -> bool:
        """Whether no finding contradicts the promise. This does not prove that nobody can be identified."""
        return not self.errors

    def count(self, severity: Severity | str) -> int:
        """Return the number of findings of a severity."""
        return sum(1 for item in self.findings if item.severity == severity)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} {severity}s" for severity in Severity)
        return f"Audit({counts}; {self.promise})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return findings_table([row_of(item) for item in (*self.findings, *self.accepted)])


@border
def audit(
    dataset: Dataset,
    *,
    config: Any = None,
    options: Mapping[str, Any] | None = None,
    originals: Originals | None = None,
    pixels: bool = False,
) -> Audit:
    """Audit an instance.

    The instance is measured by the rules it was made by, which come from its markers, (0012,0062) to (0012,0064), or
    from ``config``. Whatever an engine with these rules would still change is a finding. In addition, every text at
    every depth, including codes and private elements, is searched for names, numbers and dates.

    Args:
        dataset: The instance, with ``file_meta`` and preamble if it came from a file.
        config: Config it was made with, a `DeidentifyConfig` of either version.
        options: Engine arguments it was made with, such as ``{"options": ["clean_descriptors"]}``.
        originals: Originals whose names, numbers, dates and UIDs are searched for in every spelling.
        pixels: Whether to look for burned-in text.

    Returns:
        Findings, without any value.

    Raises:
        ConfigError: ``config`` and ``options`` cannot be carried out.
        EngineError: The instance cannot be read to its end.
    """
    promise = promise_by(config, options or {}) if config is not None else None
    return guarded(lambda: _audit(dataset, promise, originals, pixels=pixels))


def _audit(dataset: Dataset, by_config: Promise | None, originals: Originals | None, *, pixels: bool) -> Audit:
    promise = by_config or promise_of(dataset)
    elements = {element.path: element for element in elements_of(dataset)}
    search = Search.for_result(dataset, originals, promise) if originals is not None else None
    found = list(_findings(dataset, promise, elements, search))
    frames = 0
    if pixels and any(tag in dataset for tag in _PIXEL_TAGS):
        from healthcare_deid.report.audit.pixel_look import pixel_residues

        found += pixel_residues(dataset, search)
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
    return Audit(
        tuple(sorted(found, key=lambda item: _WORST_FIRST[item.severity])),
        promise.name,
        _burned_in(dataset),
        _says_deidentified(dataset),
        Looked(
            len(elements),
            frames,
            with_originals=originals is not None and originals.read_files > 0,
            with_names=originals is not None and originals.read_names > 0,
        ),
    )


def _findings(
    dataset: Dataset, promise: Promise, elements: Mapping[str, Element], search: Search | None
) -> Iterator[Residual]:
    """Yield one finding per element, the most certain one, and findings about the file."""
    seen: set[str] = set()
    looks = [
        search.residues(elements) if search is not None else (),
        residues(dataset, promise, elements),
        text_residues(dataset, promise, elements),
        _documents(elements.values(), promise),
    ]
    for look in looks:
        fresh = [item for item in look if item.path not in seen]
        seen |= {item.path for item in fresh}
        yield from fresh
    if (getattr(dataset, "preamble", None) or b"") not in _BLANK_PREAMBLES:
        why = "another file format may be in the 128 bytes before the dataset"
        yield Residual(Severity.ERROR, Residue.FILE, "preamble", "preamble", "", why)
    if _burned_in(dataset) is BurnedIn.YES:
        why = "the instance says that its pixels hold identifying text"
        yield Residual(Severity.WARNING, Residue.CLAIM, "BurnedInAnnotation", "BurnedInAnnotation", "", why)


def _documents(elements: Any, promise: Promise) -> Iterator[Residual]:
    for element in elements:
        if element.tag == ENCAPSULATED_DOCUMENT and element.value != _DUMMY_DOCUMENT:
            severity = Severity.ERROR if promise.binding and promise.removes_identity else Severity.WARNING
            why = "a document: what its pages say was not read"
            yield Residual(severity, Residue.DOCUMENT, element.names, element.name, "", why)


def _says_deidentified(dataset: Dataset) -> bool:
    return str(dataset.get("PatientIdentityRemoved", "") or "").strip().upper() == "YES"


def _burned_in(dataset: Dataset) -> BurnedIn:
    said = str(dataset.get("BurnedInAnnotation", "") or "").strip().upper()
    if said in {"YES", "NO"}:
        return BurnedIn(said.lower())
    return BurnedIn.UNSAID if any(tag in dataset for tag in _PIXEL_TAGS) else BurnedIn.NO_PIXELS
