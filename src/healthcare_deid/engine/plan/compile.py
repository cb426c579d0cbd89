"""From a config of either API version, and the engine's own arguments, to a plan for tags and a message for pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.root import RootConfig
from healthcare_deid.engine.plan.tags import KEPT, Op
from healthcare_deid.engine.plan.v1 import PATIENT_ID, compile_dicom_config
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthcare_deid.engine.plan.ps315 import Edition
    from healthcare_deid.engine.plan.tags import Plan

_SAFE_PRIVATE = re.compile(r"(.+),([0-9A-Fa-f]{4}),(?:xx)?([0-9A-Fa-f]{2})")
_NO_DICOM = (
    "the config says nothing about DICOM: the service skips DICOM stores then, and no instance is de-identified. "
    "Set dicom (v1beta1: dicomTagConfig) to a profile or a list; DicomConfig() keeps every tag and regenerates UIDs"
)
_IDS_STAY = (
    "PatientID, AccessionNumber and the like stay as they are: MEDICAL_RECORD_NUMBER is none of the infoTypes that are "
    "looked for in tags by default; a transformation that names it changes them"
)
_UNKNOWN_STAYS = (
    "private elements whose VR neither the file nor the dictionary says are not looked into, and names in them stay: a "
    "profile that removes private elements, or an action for VR UN, takes them away"
)
_NESTED_STAYS = "sequences were not looked into, names and numbers in them stay: nested=False was asked for"
_A_PRIVATE_TAG = 0x00091001
_ALL_TEXT = "REDACT_ALL_TEXT"
_NO_LOOK = frozenset({"", "TEXT_REDACTION_MODE_UNSPECIFIED", "REDACT_NO_TEXT"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's own arguments about tags, as `Deidentifier` takes them."""

    edition: Edition = "2018e-google"
    options: tuple[str, ...] = ()
    safe_private: tuple[str, ...] = ()
    other_uids: str = "profile"
    strict_edition: bool = False
    strict_keep_list: bool = False
    nested: bool = True


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a config comes to.

    Attributes:
        plan: For tags.
        image: For pixels; None where they are not looked at.
    """

    plan: Plan
    image: Any

    @property
    def covers_all_text(self) -> bool:
        """Whether every burned-in text is covered, whatever it says."""
        return self.image is not None and str(self.image.text_redaction_mode or "") == _ALL_TEXT


def compile_config(config: Any, settings: Settings) -> Compiled:
    """Compile a config of either version.

    Raises:
        ConfigError: It cannot be carried out.
    """
    if not isinstance(config, RootConfig):
        made = "DeidentifyConfig.from_api takes a mapping, build() ends a builder"
        raise ConfigError(f"a DeidentifyConfig is needed, not {type(config).__name__}: {made}")
    plan, image = _plan_and_image(config, settings)
    if settings.safe_private:
        plan = replace(plan, private_tags=dict.fromkeys(_safe_private(settings.safe_private), KEPT))
    if settings.other_uids != "profile":
        if settings.other_uids not in ("keep", "map"):
            raise ConfigError('other_uids is "profile", "keep" or "map"')
        mapped = settings.other_uids == "map"
        plan = replace(plan, uids=replace(plan.uids, others=mapped, own=mapped, references=mapped))
    if plan.cleans_text and _leaves_findings(config):
        plan = replace(plan, removes_identity=False)
    return Compiled(plan, image if _looks(image) else None)


def listed(given: Collection[object], argument: str) -> tuple[str, ...]:
    """Return an argument's texts.

    Raises:
        ConfigError: It is one text, or no collection of texts.
    """
    texts = [] if isinstance(given, str | bytes) else [text for text in given if isinstance(text, str)]
    if isinstance(given, str | bytes) or len(texts) < len(tuple(given)):
        raise ConfigError(f"{argument}: a list of texts is needed")
    return tuple(texts)


def what_stays(plan: Plan, text: Any) -> tuple[str, ...]:
    """Return a warning for each thing that a plan leaves, and that one would not expect it to leave.

    Args:
        plan: The plan.
        text: The text engine (`TextEngine`); None where the plan inspects no text.
    """
    found: list[str] = [] if plan.nested else [_NESTED_STAYS]
    if text is not None and plan.rule(PATIENT_ID, "LO").op is Op.TEXT:
        found += [_UNKNOWN_STAYS] if plan.rule(_A_PRIVATE_TAG, "UN").op is Op.KEEP else []
        found += [_IDS_STAY] if text.decide("MEDICAL_RECORD_NUMBER").transformation is None else []
    return tuple(found)


def inspected_dates(text: Any) -> str:
    """Return what becomes of dates that are inspected as text, in the words of (0028,0303); nothing where they stay."""
    if text is None:
        return ""
    from healthcare_deid.engine.text.transformations import DateShift

    transformation = text.decide("DATE").transformation
    return "" if transformation is None else "MODIFIED" if isinstance(transformation, DateShift) else "REMOVED"


def _plan_and_image(config: Any, settings: Settings) -> tuple[Plan, Any]:
    tag_config = getattr(config, "dicom_tag_config", None)
    if tag_config is None:
        if config.dicom is None:
            raise ConfigError(_NO_DICOM)
        plan = compile_dicom_config(
            config.dicom,
            edition=settings.edition,
            options=settings.options,
            strict_edition=settings.strict_edition,
            strict_keep_list=settings.strict_keep_list,
            nested=settings.nested,
        )
        return plan, config.image
    if not settings.nested:
        raise ConfigError("nested=False is for v1's lists: v1beta1 has recurseTag and keepTag")
    if config.dicom is not None:
        raise ConfigError.of("DeidentifyConfig", [("", "dicomTagConfig and dicom exclude each other: set one")])
    from healthcare_deid.engine.plan.v1beta1 import compile_tag_config, image_of

    plan = compile_tag_config(
        tag_config,
        edition=settings.edition,
        options=settings.options,
        strict_edition=settings.strict_edition,
        strict_keep_list=settings.strict_keep_list,
    )
    return plan, image_of(tag_config) or config.image


def _leaves_findings(config: Any) -> bool:
    text = config.text
    return text is not None and (bool(text.exclude_info_types) or getattr(text, "profile_type", None) == "EMPTY")


def _looks(image: Any) -> bool:
    if image is None:
        return False
    wants_more = bool(image.custom_regexes) or bool(getattr(image, "additional_info_types", ()))
    return str(image.text_redaction_mode or "") not in _NO_LOOK or wants_more


def _safe_private(rules: Iterable[str]) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for index, rule in enumerate(rules):
        parts = _SAFE_PRIVATE.fullmatch(rule)
        if parts is None or not int(parts[2], 16) & 1:
            raise ConfigError(f'safe_private[{index}]: the form is "<private creator>,gggg,ee", with an odd group')
        found.append((parts[1].strip(), int(parts[2], 16), int(parts[3], 16)))
    return found
