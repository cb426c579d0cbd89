"""Microsoft Presidio's analyzer as a detector.

It is for users who have it installed, and not a dependency.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from healthcare_deid.engine.text.find.detectors.base import MODEL
from healthcare_deid.engine.text.find.ner import pipeline_versions
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGE = "presidio-analyzer"
ENTITIES: Mapping[str, str] = {
    "CREDIT_CARD": "CREDIT_CARD_NUMBER",
    "DATE_TIME": "DATE",
    "EMAIL_ADDRESS": "EMAIL_ADDRESS",
    "IP_ADDRESS": "IP_ADDRESS",
    "LOCATION": "LOCATION",
    "PERSON": "PERSON_NAME",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "US_DRIVER_LICENSE": "US_DRIVERS_LICENSE_NUMBER",
    "US_ITIN": "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
    "US_PASSPORT": "PASSPORT",
    "US_SSN": "US_SOCIAL_SECURITY_NUMBER",
}
"""InfoTypes by Presidio's entity names."""


class _AnalyzerResult(Protocol):
    @property
    def entity_type(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def score(self) -> float: ...


class Analyzer(Protocol):
    """The used part of ``presidio_analyzer.AnalyzerEngine``."""

    def analyze(self, text: str, language: str, entities: list[str]) -> Sequence[_AnalyzerResult]:
        """Return the entities found."""
        ...


class PresidioDetector:
    """Finds entities with a Presidio analyzer.

    Args:
        analyzer: A ``presidio_analyzer.AnalyzerEngine``.
        language: Language to analyze.
        min_score: Minimum score of a finding.
        entities: InfoTypes by entity name; other entities are not requested.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        *,
        language: str = "en",
        min_score: float = 0.5,
        entities: Mapping[str, str] = ENTITIES,
    ) -> None:
        self._analyzer = analyzer
        self._language = language
        self._min_score = min_score
        self._entities = dict(entities)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of Presidio and of the pipelines that its analyzer uses."""
        found = {_PACKAGE: version(_PACKAGE)} if find_spec("presidio_analyzer") else {}
        pipelines: Any = getattr(getattr(self._analyzer, "nlp_engine", None), "nlp", None)
        for pipeline in dict(pipelines or {}).values():
            if hasattr(pipeline, "meta"):
                found |= pipeline_versions(pipeline)
        return found

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes of its entities."""
        return frozenset(self._entities.values())

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings: any rule overrides a model."""
        return MODEL

    def find(self, text: str) -> list[Match]:
        """Return the entities found, as infoTypes."""
        results = self._analyzer.analyze(text=text, language=self._language, entities=list(self._entities))
        return [
            Match(result.start, result.end, self._entities[result.entity_type])
            for result in results
            if result.score >= self._min_score and result.entity_type in self._entities
        ]
