"""The text engine.

It is a compiled text plan, bound to one instance after another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from healthcare_deid._border import border
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.engine.text.apply.keys import KeyRing
from healthcare_deid.engine.text.apply.policy import InfoTypeDecision, TransformationPolicy
from healthcare_deid.engine.text.apply.transformations import FixedToken, Subject, not_possible
from healthcare_deid.engine.text.calendar_dates import find_dates
from healthcare_deid.engine.text.find.detectors.base import read_digits
from healthcare_deid.engine.text.find.detectors.numbers import unexplained_numbers
from healthcare_deid.engine.text.find.detectors.other_scripts import unread_words
from healthcare_deid.engine.text.find.detectors.panel import Panel
from healthcare_deid.engine.text.find.detectors.registry import detectors_for
from healthcare_deid.engine.text.find.header_values import HeaderValues, ValueKind, read_header
from healthcare_deid.engine.text.find.normalization import normalize_text
from healthcare_deid.engine.text.find.spans import join_alike, resolve, without_refuted
from healthcare_deid.engine.text.find.terms import Terms
from healthcare_deid.engine.text.info_types import CONTEXT, DATE_TYPES, INFO_TYPES, broader
from healthcare_deid.engine.text.match import Match
from healthcare_deid.engine.text.vr_values import is_legal, split_padding
from healthcare_deid.engine.text.windows import in_text, windows
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.identity.pseudonyms import PatientIdentity
    from healthcare_deid.engine.identity.secret import ProjectSecret
    from healthcare_deid.engine.plan.text import TextPlan
    from healthcare_deid.engine.text.find.detectors.base import Detector
    from healthcare_deid.engine.text.find.own_pseudonyms import OwnPseudonyms, Span

_BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
_HEADER_RANK = 0
_CACHED_TEXTS = 8192
_CACHED_HEADERS = 64
_LONGEST_CACHED = 512
_UNEXPLAINED_RANK = 8
# InfoTypes that explain a number, even if the config leaves them.
_EXPLAIN_NUMBERS = DATE_TYPES | {"AGE"}
_CLEANED = InfoTypeDecision(CONTEXT, FixedToken(f"[{CONTEXT}]"), "transform")


class Transformed(NamedTuple):
    """Result of transforming one value.

    Attributes:
        value: The new value, valid for its VR.
        rules: Reasons for changes, such as ``"infoType:PERSON_NAME"``; empty if it is unchanged.
        warnings: Warnings; they never contain a value.
    """

    value: str
    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class TextEngine:
    """Finds and transforms sensitive text by a plan.

    It is created once, and bound to every instance. It can be pickled: copies in other processes shift and hash alike,
    even if the config has no key.

    Args:
        plan: The text plan.
        date_shift_days: Largest date shift in days, in either direction.
        patient_keys: Keys by patient ID, which override the config's.
        unwrapped_keys: Plain keys by ``wrappedKey`` (bytes or base64 text), for keys wrapped by Cloud KMS.
        detectors: Further detectors, for custom infoTypes or by a model.
        secret: Project secret, from which keys are derived if the config has none.

    Attributes:
        warnings: Warnings about the config.

    Raises:
        ConfigError: A wrapped key is not given in plain, or an argument is invalid.
    """

    @border
    def __init__(
        self,
        plan: TextPlan,
        *,
        date_shift_days: int = 100,
        patient_keys: Mapping[str, bytes] | None = None,
        unwrapped_keys: Mapping[str | bytes, bytes] | None = None,
        detectors: Sequence[Detector] = (),
        secret: ProjectSecret | None = None,
    ) -> None:
        if not isinstance(date_shift_days, int):  # pyright: ignore[reportUnnecessaryIsInstance] # a user's mistake
            raise ConfigError(f"date_shift_days must be a whole number, not {type(date_shift_days).__name__}")
        if date_shift_days < 1:
            raise ConfigError("date_shift_days must be at least 1, because a shift of 0 days keeps the dates")
        self._keys = KeyRing(unwrapped=unwrapped_keys, patients=patient_keys, secret=secret)
        self._plan = plan
        self._policy = TransformationPolicy(plan, self._keys, date_shift_days)
        self._own_detectors = tuple(detectors)
        self._panel = self._all_detectors()
        known = self._panel.info_types.union(INFO_TYPES)
        self.warnings = tuple(
            f"infoType {name} is not found by the local engine: pass a detector for it"
            for name in sorted((self._policy.info_types | self._plan.pixel_info_types) - known)
        )
        self._texts: dict[str, tuple[tuple[int, Match], ...]] = {}
        self._terms: dict[HeaderValues, Terms] = {}

    def __repr__(self) -> str:
        return f"TextEngine({len(self._panel)} detectors)"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_texts": {}, "_terms": {}, "_panel": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._panel = self._all_detectors()

    def _all_detectors(self) -> Panel:
        named = self._policy.info_types | self._plan.pixel_info_types
        return Panel((*self._own_detectors, *detectors_for(named)))

    @border
    def bind(
        self, dataset: Dataset, person: PatientIdentity | None = None, pseudonyms: OwnPseudonyms | None = None
    ) -> InstanceText:
        """Bind the engine to one instance, whose header values it then finds.

        Args:
            dataset: The original instance. It is read now and not kept.
            person: The patient's new identity.
            pseudonyms: Pseudonyms for the instance's own identifiers, which override the config.
        """
        return guarded(lambda: InstanceText(self, read_header(dataset), person, pseudonyms))

    @border
    def detect(self, text: str) -> tuple[tuple[int, Match], ...]:
        """Return rank and finding of every detector, including overlaps."""
        known = self._texts.get(text)
        if known is None:
            found: list[tuple[int, Match]] = []
            for start, piece in windows(text):
                found += [(rank, in_text(match, start)) for rank, match in self._panel.find(piece)]
            known = without_refuted(found, text)
            if self._plan.claims_removal:
                explained = [match for _, match in known if match.info_type in _EXPLAIN_NUMBERS]
                unexplained = (*unexplained_numbers(text, explained), *unread_words(text, explained))
                known += tuple((_UNEXPLAINED_RANK, match) for match in unexplained)
            # Long texts are reports, which rarely repeat.
            if len(text) <= _LONGEST_CACHED:
                if len(self._texts) >= _CACHED_TEXTS:
                    self._texts.clear()
                self._texts[text] = known
        return known

    def terms(self, header: HeaderValues) -> Terms:
        """Return the search terms of a header, cached for recent headers."""
        known = self._terms.get(header)
        if known is None:
            if len(self._terms) >= _CACHED_HEADERS:
                self._terms.clear()
            known = self._terms[header] = Terms(header, contextual=self._plan.contextual)
        return known

    def subject(self, header: HeaderValues, person: PatientIdentity | None = None) -> Subject:
        """Return the context that date shifts and hashes depend on."""
        return Subject(
            identity=person.shift_by if person is not None else header.patient_id or header.study_uid,
            dates=header.dates,
            key=self._keys.of_patient(header.patient_id),
            reference_year=header.study_year,
            days=person.days_to_shift if person is not None else None,
        )

    def decide(self, info_type: str) -> InfoTypeDecision:
        """Return the decision about an infoType in a data element."""
        return _CLEANED if info_type == CONTEXT else self._policy.decide(info_type)

    def decide_on_shift(self, info_type: str) -> InfoTypeDecision:
        """Return the decision to shift a date."""
        return self._policy.shift()

    def days_shifted(self, subject: Subject) -> int:
        """Return the number of days that a patient's dates are shifted by."""
        return self._policy.shift_of_dates().days(subject)

    def label_in_pixels(self, info_type: str) -> str:
        """Return the infoType to report for a finding in pixels."""
        if info_type == "ORGANIZATION_NAME" and info_type not in self._plan.pixel_info_types:
            return broader(info_type)
        return info_type

    def uses_own_keys(self, *, shifts: bool) -> bool:
        """Return whether the engine's own keys are used (`TransformationPolicy.uses_own_keys`)."""
        return self._policy.uses_own_keys(shifts=shifts)

    @property
    def cleans_descriptors(self) -> bool:
        """Whether phrases of the header are replaced by ``[CTX]`` in other elements."""
        return self._plan.contextual


class InstanceText:
    """The text engine bound to one instance; a `healthcare_deid.engine.text.match.TextInspector`."""

    def __init__(
        self,
        engine: TextEngine,
        header: HeaderValues,
        person: PatientIdentity | None = None,
        pseudonyms: OwnPseudonyms | None = None,
    ) -> None:
        self._engine = engine
        self._header = header
        self._terms = engine.terms(header)
        self._subject = engine.subject(header, person)
        self._pseudonyms = pseudonyms

    def __repr__(self) -> str:
        return f"InstanceText({self._header!r})"

    @property
    def days_shifted(self) -> int:
        """Number of days that the instance's dates are shifted by."""
        return self._engine.days_shifted(self._subject)

    @border
    def find(self, text: str) -> list[Match]:
        """Return all findings in a burned-in text, in order and without overlaps.

        Every infoType is searched, including the instance's own numbers. The caller decides which to cover.
        """
        label = self._engine.label_in_pixels
        found = [(rank, Match(item.start, item.end, label(item.info_type))) for rank, item in self._candidates(text)]
        return join_alike(resolve(found, text), text)

    @border
    def transform(self, value: str, vr: str) -> Transformed:
        """Transform one value of a data element.

        Args:
            value: One value. VRs other than AE LO LT PN SH ST UC UT DA DT AS are returned unchanged.
            vr: The VR.

        Returns:
            The result, valid for its VR. If a transformation is not possible in the VR (a hash in SH, ``[AGE]`` in AS,
            a result that is too long), the finding is erased instead.
        """
        before, inner, after = split_padding(value)
        if not inner or not inner.strip("^= "):
            return Transformed(value)
        if vr in _WHOLE:
            findings = [Match(0, len(inner), self._type_of_whole(inner, vr))]
        elif vr in _FREE:
            findings = self._findings(inner)
        else:
            return Transformed(value)
        result = self._apply(inner, vr, findings, self._engine.decide)
        if vr in _FREE and any(unread_words(result.value, ())):
            result = result._replace(warnings=(*result.warnings, _LEFT_UNREAD))
        if not result.rules:
            return Transformed(value, (), result.warnings)
        return Transformed(before + result.value + after if result.value else "", result.rules, result.warnings)

    @border
    def shift(self, value: str, vr: str) -> Transformed:
        """Shift dates, whatever the config says.

        The value has VR DA or DT, or is a text with dates.

        Returns:
            The result; empty if the value is not a valid date.
        """
        before, inner, after = split_padding(value)
        if not inner:
            return Transformed(value)
        whole = vr not in _FREE
        found = [Match(0, len(inner), "DATE")] if whole else self._dates_in(inner)
        result = self._apply(inner, vr, found, self._engine.decide_on_shift)
        if not whole and not result.rules:
            return Transformed(value, (), result.warnings)
        return result._replace(value=before + result.value + after if result.value else "")

    def _dates_in(self, text: str) -> list[Match]:
        found = [(rank, item) for rank, item in self._candidates(text) if item.info_type in DATE_TYPES]
        return join_alike(resolve(found, text), text)

    def _type_of_whole(self, value: str, vr: str) -> str:
        if vr not in {"DA", "DT"}:
            return _WHOLE[vr]
        births = {day.strftime("%Y%m%d") for day in self._header.birth_dates}
        return "DATE_OF_BIRTH" if value.replace(".", "")[:8] in births else "DATE"

    def _candidates(self, text: str) -> list[tuple[int, Match]]:
        reading = normalize_text(text)
        found = [(_HEADER_RANK, match) for match in self._terms.find(reading.text)]
        for rank, match in self._engine.detect(reading.text):
            if match.info_type == "DATE" and self._header.birth_dates and self._is_birth_date(reading.text, match):
                found.append((rank, Match(match.start, match.end, "DATE_OF_BIRTH")))
            else:
                found.append((rank, match))
        return [(rank, reading.in_original(match)) for rank, match in found] if reading.starts else found

    def _is_birth_date(self, text: str, match: Match) -> bool:
        return any(
            reading.to_date(0) in self._header.birth_dates
            for item in find_dates(read_digits(text[match.start : match.end]))
            for reading in item.readings()
            if reading.year and reading.day
        )

    def _findings(self, text: str) -> list[Match]:
        """Return the findings in a free-text value."""
        candidates = self._candidates(text)
        if self._engine.cleans_descriptors:
            dates = {*DATE_TYPES}
            candidates = [
                (
                    rank,
                    Match(item.start, item.end, CONTEXT)
                    if rank == _HEADER_RANK and item.info_type not in dates
                    else item,
                )
                for rank, item in candidates
            ]
        # A finding that the config leaves must not hide a weaker one that it transforms.
        ranked = [
            (rank if self._engine.decide(item.info_type).transformation else rank + 100, item)
            for rank, item in candidates
        ]
        return join_alike(resolve(ranked, text), text)

    def _apply(
        self, text: str, vr: str, findings: Sequence[Match], decide: Callable[[str], InfoTypeDecision]
    ) -> Transformed:
        rules: dict[str, None] = {}
        warnings: dict[str, None] = {}
        pieces: list[str] = []
        erased: list[str] = []
        position = 0
        own = self._pseudonyms.spans(text) if self._pseudonyms is not None and findings else ()
        last: Span | None = None
        for finding in findings:
            known = _pseudonym_of(finding, own)
            if known is not None:
                if known is not last:  # one pseudonym replaces all pieces of a name
                    pieces += [text[position : finding.start], known.new]
                    erased.append(text[position : finding.start])
                last, position = known, finding.end
                rules["pseudonym"] = None
                continue
            decision = decide(finding.info_type)
            if decision.transformation is None:
                if decision.outcome == "unnamed":
                    warnings[f"text of infoType {finding.info_type} was kept: no transformation covers it"] = None
                continue
            old = text[finding.start : finding.end]
            new = decision.transformation.apply(old, decision.label, vr, self._subject)
            if new is None:
                new = ""
                warnings[not_possible(decision.label, vr, finding)] = None
            if new != old:
                rules["contextual" if finding.info_type == CONTEXT else f"infoType:{decision.label}"] = None
            pieces += [text[position : finding.start], new]
            erased.append(text[position : finding.start])
            position = finding.end
        if not rules:
            return Transformed(text, (), tuple(warnings))
        value = "".join([*pieces, text[position:]])
        if not is_legal(vr, value, text):
            value = "".join([*erased, text[position:]])
            if not is_legal(vr, value, text):
                value = ""
            warnings[f"a transformed value is not valid in {vr}, so the finding was erased"] = None
        return Transformed(value.strip(" ") if vr not in _PADDED else value, tuple(rules), tuple(warnings))


def _pseudonym_of(finding: Match, own: Sequence[Span]) -> Span | None:
    """Return the instance's own identifier that a finding overlaps, or None."""
    if finding.info_type in DATE_TYPES:
        return None
    return next((span for span in own if span.start < finding.end and finding.start < span.end), None)


_LEFT_UNREAD = (
    "words in a non-Latin script were kept: among them, only the header's own values, numbers and dates are found"
)
# VRs whose values always are of one infoType.
_WHOLE = {"PN": ValueKind.NAME.value, "DA": "DATE", "DT": "DATE", "AS": "AGE"}
_FREE = frozenset({"AE", "LO", "LT", "SH", "ST", "UC", "UT"})
_PADDED = frozenset({"LT", "ST", "UT", "UC"})
