"""Choice of the transformation for each infoType."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from healthcare_deid.engine.text.apply.transformations import (
    CharacterMask,
    CryptoHash,
    DateShift,
    Redact,
    ReplaceWithInfoType,
    Transformation,
)
from healthcare_deid.engine.text.info_types import DATE_TYPES, INFO_TYPES, broader
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.config.v1.text import InfoTypeTransformation
    from healthcare_deid.engine.plan.text import TextPlan
    from healthcare_deid.engine.text.apply.keys import KeyRing

Outcome = Literal["transform", "excluded", "unnamed"]


@dataclass(frozen=True, slots=True)
class InfoTypeDecision:
    """Decision about one infoType.

    Attributes:
        label: InfoType to report and to replace with: its own, or the broader one that the config names.
        transformation: The transformation; None to leave the finding.
        outcome: Reason for the decision. ``excluded`` means by the config, ``unnamed`` that no transformation covers
            it.
    """

    label: str
    transformation: Transformation | None
    outcome: Outcome


class TransformationPolicy:
    """Transformations of a plan, by infoType.

    A transformation that names an infoType precedes one that names none, and the first one applies. An unnamed infoType
    follows the broader one, such as DATE_OF_BIRTH that of DATE.
    """

    def __init__(self, plan: TextPlan, keys: KeyRing, date_shift_days: int) -> None:
        self._keys = keys
        self._days = date_shift_days
        self._exclusion_wins = plan.exclusion_wins
        self._shifts_dates = plan.shifts_dates
        self._excluded = plan.excluded
        self._named: dict[str, Transformation] = {}
        self._any: Transformation | None = None
        for position, message in enumerate(plan.transformations):
            transformation = self._build(message, position)
            for name in message.info_types:
                self._named.setdefault(name, transformation)
            if not message.info_types and self._any is None:
                self._any = transformation
        self._left_by_default = {item.name for item in INFO_TYPES.values() if not item.in_tags}
        if plan.record_numbers or plan.claims_removal:
            self._left_by_default.remove("MEDICAL_RECORD_NUMBER")
        # Created even if unused, so that a worker process with the same key decides alike.
        self._basic: tuple[Transformation, Transformation] | None = (
            (DateShift(keys.dates, date_shift_days), ReplaceWithInfoType()) if plan.transforms_unnamed else None
        )
        self._decisions: dict[str, InfoTypeDecision] = {}

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that the config names, to transform or to exclude."""
        return frozenset(self._named) | self._excluded

    def decide(self, info_type: str) -> InfoTypeDecision:
        """Return the decision about findings of ``info_type``."""
        decision = self._decisions.get(info_type)
        if decision is None:
            decision = self._decide(info_type)
            if decision.transformation is None and self._shifts_dates and info_type in DATE_TYPES:
                decision = self.shift()
            self._decisions[info_type] = decision
        return decision

    def shift(self) -> InfoTypeDecision:
        """Return the decision for dates that the profile shifts.

        The config's decision about dates in text does not matter.
        """
        return InfoTypeDecision("DATE", self.shift_of_dates(), "transform")

    def shift_of_dates(self) -> DateShift:
        """Return the config's date shift, or the engine's own."""
        said = self._decide("DATE").transformation
        return said if isinstance(said, DateShift) else DateShift(self._keys.dates, self._days)

    def uses_own_keys(self, *, shifts: bool) -> bool:
        """Return whether the engine's own keys are used.

        They are used where the config has none.

        Args:
            shifts: Whether the profile shifts dates too.
        """
        decisions = [self.decide(name) for name in {*INFO_TYPES, *self._named}]
        used = {id(getattr(item.transformation, "key", None)) for item in (*decisions, *([self.shift()] * shifts))}
        return bool(used & {id(self._keys.dates), id(self._keys.hashes)})

    def _decide(self, name: str) -> InfoTypeDecision:
        wider = broader(name)
        for label in filter(None, (name, wider)):
            # v1 documents that exclusion wins. v1beta1 does not document it, so there a named transformation wins.
            if self._exclusion_wins and label in self._excluded:
                return InfoTypeDecision(label, None, "excluded")
            if label in self._named:
                return InfoTypeDecision(label, self._named[label], "transform")
            if label in self._excluded:
                return InfoTypeDecision(label, None, "excluded")
        if self._any is not None:
            return InfoTypeDecision(name, self._any, "transform")
        label = wider or name
        if self._basic is None or label in self._left_by_default:
            return InfoTypeDecision(name, None, "unnamed")
        shift, replace = self._basic
        return InfoTypeDecision(label, shift if label in DATE_TYPES else replace, "transform")

    def _build(self, message: InfoTypeTransformation, position: int) -> Transformation:
        where = f"text.additionalTransformations[{position}]"
        if message.character_mask_config is not None:
            return CharacterMask(_masking_character(message.character_mask_config.masking_character, where))
        if message.replace_with_info_type_config is not None:
            return ReplaceWithInfoType()
        if message.date_shift_config is not None:
            return DateShift(
                self._keys.key_of(message.date_shift_config, f"{where}.dateShiftConfig", default=self._keys.dates),
                self._days,
            )
        if message.crypto_hash_config is not None:
            return CryptoHash(
                self._keys.key_of(message.crypto_hash_config, f"{where}.cryptoHashConfig", default=self._keys.hashes)
            )
        return Redact()


def _masking_character(character: str | None, where: str) -> str:
    if not character:
        return "*"
    if len(character) > 1 or not character.isprintable() or character in "\\^=":
        raise ConfigError.of(
            "TextConfig",
            [
                (
                    f"{where}.characterMaskConfig.maskingCharacter",
                    "must be one printable character other than the DICOM delimiters \\ ^ =",
                )
            ],
        )
    return character
