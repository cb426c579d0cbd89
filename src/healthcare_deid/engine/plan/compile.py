"""Compile a config of either API version, and the engine's own arguments, into one plan."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

from healthcare_deid.config.root import RootConfig
from healthcare_deid.engine.plan.profiles import PATIENT_ID
from healthcare_deid.engine.plan.tags import KEPT, Op
from healthcare_deid.engine.plan.v1 import compile_v1, is_basic, text_plan
from healthcare_deid.engine.plan.v1beta1 import compile_v1beta1
from healthcare_deid.engine.plan.v1beta1 import text_plan as text_plan_v1beta1
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
    from healthcare_deid.engine.plan.plan import Plan, Settings
    from healthcare_deid.engine.plan.tags import TagPlan
    from healthcare_deid.engine.plan.text import TextPlan
    from healthcare_deid.engine.text.engine import TextEngine

_SAFE_PRIVATE = re.compile(r"(.+),([0-9A-Fa-f]{4}),(?:xx)?([0-9A-Fa-f]{2})")
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


def compile_config(config: object, settings: Settings) -> Plan:
    """Compile a config of either version.

    Raises:
        ConfigError: It cannot be carried out.
    """
    plan = _compiled(_root(config), settings)
    tags = plan.tags
    if settings.safe_private:
        tags = replace(tags, private_tags=dict.fromkeys(_safe_private(settings.safe_private), KEPT))
    if settings.other_uids != "profile":
        if settings.other_uids not in ("keep", "map"):
            raise ConfigError('other_uids is "profile", "keep" or "map"')
        mapped = settings.other_uids == "map"
        tags = replace(tags, uids=replace(tags.uids, others=mapped, own=mapped, references=mapped))
    if tags.cleans_text and plan.text.leaves_findings:
        tags = replace(tags, removes_identity=False)
    return replace(plan, tags=tags, text=replace(plan.text, claims_removal=tags.removes_identity))


def compile_text(config: object) -> TextPlan:
    """Compile what a config of either version says about text, whatever it says, or not, about tags.

    Raises:
        ConfigError: *config* is not a DeidentifyConfig.
    """
    known = _root(config)
    match known.api_version:
        case "v1":
            v1 = cast("DeidentifyConfig", known)
            return text_plan(v1.text, basic_profile=v1.dicom is not None and is_basic(v1.dicom))
        case "v1beta1":
            return text_plan_v1beta1(cast("DeidentifyConfigV1Beta1", known))
        case _:
            assert_never(known.api_version)


def _root(config: object) -> RootConfig:
    if not isinstance(config, RootConfig):
        made = "DeidentifyConfig.from_api takes a mapping, build() ends a builder"
        raise ConfigError(f"a DeidentifyConfig is needed, not {type(config).__name__}: {made}")
    return config


def _compiled(config: RootConfig, settings: Settings) -> Plan:
    match config.api_version:
        case "v1":
            return compile_v1(cast("DeidentifyConfig", config), settings)
        case "v1beta1":
            return compile_v1beta1(cast("DeidentifyConfigV1Beta1", config), settings)
        case _:
            assert_never(config.api_version)


def listed(given: Collection[object], argument: str) -> tuple[str, ...]:
    """Return an argument's texts.

    Raises:
        ConfigError: It is one text, or no collection of texts.
    """
    texts = [] if isinstance(given, str | bytes) else [text for text in given if isinstance(text, str)]
    if isinstance(given, str | bytes) or len(texts) < len(tuple(given)):
        raise ConfigError(f"{argument}: a list of texts is needed")
    return tuple(texts)


def what_stays(plan: TagPlan, text: TextEngine | None) -> tuple[str, ...]:
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


def inspected_dates(text: TextEngine | None) -> str:
    """Return what becomes of dates that are inspected as text, in the words of (0028,0303); nothing where they stay."""
    if text is None:
        return ""
    from healthcare_deid.engine.text.apply.transformations import DateShift

    transformation = text.decide("DATE").transformation
    return "" if transformation is None else "MODIFIED" if isinstance(transformation, DateShift) else "REMOVED"


def _safe_private(rules: Iterable[str]) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for index, rule in enumerate(rules):
        parts = _SAFE_PRIVATE.fullmatch(rule)
        if parts is None or not int(parts[2], 16) & 1:
            raise ConfigError(f'safe_private[{index}]: the form is "<private creator>,gggg,ee", with an odd group')
        found.append((parts[1].strip(), int(parts[2], 16), int(parts[3], 16)))
    return found
