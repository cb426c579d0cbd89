"""Compilation of v1beta1 configs.

For tags, actions precede options, and options precede the profile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from healthcare_deid.config.tags import VRS
from healthcare_deid.config.v1beta1.dicom import DicomTagConfig, PrimaryIdsOption, TagProfileType
from healthcare_deid.config.v1beta1.text import TextProfileType
from healthcare_deid.engine.plan.pixels import PixelPlan, compiled_patterns, scope_of
from healthcare_deid.engine.plan.plan import NO_DICOM, Plan
from healthcare_deid.engine.plan.profiles import (
    CHARSET_VRS,
    SPECIFIC_CHARACTER_SET,
    basic_plan,
    contents_plan,
    keep_all_plan,
    keep_plan,
    needs_character_set,
    some_tags,
    tags_and_patterns,
)
from healthcare_deid.engine.plan.ps315 import METHOD_CODES, ProfileOption, descriptor_tags
from healthcare_deid.engine.plan.rules import DROPPING, KEPT, TEXT_VRS, Op, Override
from healthcare_deid.engine.plan.tag_decisions import TagPlan, UidPolicy
from healthcare_deid.engine.plan.text import TextPlan, transformations_of
from healthcare_deid.engine.plan.v1 import dicom_plan, is_basic
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1.dicom import Action
    from healthcare_deid.config.v1beta1.image import ImageConfig
    from healthcare_deid.engine.options import EngineOptions

_PIXEL_DATA = 0x7FE00010
_BASIC = TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE
_OPS = {
    "keep_tag": Op.KEEP,
    "remove_tag": Op.EMPTY,
    "delete_tag": Op.DELETE,
    "reset_tag": Op.DUMMY,
    "clean_text_tag": Op.TEXT,
    "clean_image_tag": Op.KEEP,
    "regen_uid_tag": Op.UID,
    "recurse_tag": Op.RECURSE,
}
_ONLY_VRS = {
    "clean_text_tag": TEXT_VRS,
    "clean_image_tag": frozenset({"OB", "OW"}),
    "regen_uid_tag": frozenset({"UI"}),
    "recurse_tag": frozenset({"SQ"}),
}


def compile_v1beta1(config: DeidentifyConfig, options: EngineOptions) -> Plan:
    """Compile a v1beta1 config.

    Raises:
        ConfigError: The config cannot be carried out.
    """
    tags = config.dicom_tag_config
    if tags is None:
        if config.dicom is None:
            raise ConfigError(NO_DICOM)
        return Plan(
            tags=dicom_plan(config.dicom, options),
            text=text_plan(config),
            pixels=pixel_plan(config.image),
        )
    if not options.nested:
        raise ConfigError("nested=False applies only to v1's lists: use the actions recurseTag and keepTag")
    if config.dicom is not None:
        raise ConfigError.of("DeidentifyConfig", [("", "dicomTagConfig and dicom exclude each other: set one")])
    return Plan(
        tags=tag_plan(tags, options),
        text=text_plan(config),
        pixels=pixel_plan(_image_of(tags) or config.image),
    )


def tag_plan(config: DicomTagConfig, options: EngineOptions) -> TagPlan:
    """Compile a `DicomTagConfig`.

    An unspecified profile is the Basic Profile. ``cleanDescriptors`` is an option of it.

    Raises:
        ConfigError: An action does not apply to a tag or VR that it names.
    """
    chosen = config.options
    primary = chosen is None or chosen.primary_ids != PrimaryIdsOption.KEEP
    plan = _profile_plan(_profile(config), options, primary=primary, descriptors=_cleans_descriptors(config))
    overrides = tuple(_override(action, index) for index, action in enumerate(config.actions))
    unclaimed = plan.unclaimed
    descriptors = descriptor_tags(options.edition) if plan.method_codes else frozenset[int]()
    if plan.removes_identity:
        unclaimed = _why_unclaimed(overrides, descriptors)
    if any(action.op is Op.TEXT and action.tags & descriptors for action in overrides):
        plan = _with_cleaned_descriptors(plan)
    tags = plan.tags
    if any(action.op not in DROPPING and _may_be_text(action) for action in overrides):
        tags = {SPECIFIC_CHARACTER_SET: KEPT, **tags}
    return replace(
        plan,
        tags=tags,
        overrides=overrides,
        name=f"dicomTagConfig:{plan.name}",
        removes_identity=plan.removes_identity and not unclaimed,
        unclaimed=unclaimed,
    )


def text_plan(config: DeidentifyConfig) -> TextPlan:
    """Compile the text part of a config.

    It includes what tags and pixels need from text.

    A transformation without infoTypes is the default for infoTypes that no other names. Transformations and
    excludeInfoTypes override the profile, which is BASIC unless EMPTY is set.
    """
    text, tags = config.text, config.dicom_tag_config
    images = [image for image in (config.image, *(_images_of(tags) if tags is not None else ())) if image is not None]
    old_basic = tags is None and config.dicom is not None and is_basic(config.dicom)
    return TextPlan(
        transformations=transformations_of(text),
        excluded=frozenset(text.exclude_info_types) if text is not None else frozenset(),
        # The API does not document an infoType that is both transformed and excluded, so the safe choice is made.
        exclusion_wins=False,
        transforms_unnamed=text is None or text.profile_type != TextProfileType.EMPTY,
        record_numbers=old_basic or (tags is not None and _profile(tags) == _BASIC),
        contextual=tags is not None and _cleans_descriptors(tags),
        pixel_info_types=frozenset(name for image in images for name in image.additional_info_types),
    )


def pixel_plan(image: ImageConfig | None) -> PixelPlan:
    """Compile an `ImageConfig`.

    Raises:
        ConfigError: A custom pattern is not a valid regular expression.
    """
    if image is None:
        return PixelPlan()
    patterns = compiled_patterns(image.custom_regexes)
    additional = frozenset(image.additional_info_types)
    return PixelPlan(
        scope=scope_of(image.text_redaction_mode, narrow=bool(patterns or additional)),
        patterns=patterns,
        excluded=frozenset(image.exclude_info_types),
        additional=additional,
    )


def _profile(config: DicomTagConfig) -> TagProfileType:
    given = config.profile_type or TagProfileType.PROFILE_TYPE_UNSPECIFIED
    return _BASIC if given == TagProfileType.PROFILE_TYPE_UNSPECIFIED else given


def _cleans_descriptors(config: DicomTagConfig) -> bool:
    return config.options is not None and config.options.clean_descriptors is not None


def _image_of(config: DicomTagConfig) -> ImageConfig | None:
    """Return the image config of an action or the options, or None."""
    return next((image for image in _images_of(config) if image is not None), None)


def _images_of(config: DicomTagConfig) -> tuple[ImageConfig | None, ...]:
    option = config.options.clean_image if config.options is not None else None
    return (*(action.clean_image_tag for action in config.actions), option)


def _profile_plan(profile: TagProfileType, options: EngineOptions, *, primary: bool, descriptors: bool) -> TagPlan:
    uids = UidPolicy(primary=primary)
    match profile:
        case TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE | TagProfileType.PROFILE_TYPE_UNSPECIFIED:
            chosen = [*options.options, *([ProfileOption.CLEAN_DESCRIPTORS] if descriptors else [])]
            return basic_plan(options.edition, chosen, primary=primary, strict=options.strict_edition)
        case TagProfileType.MINIMAL_KEEP_LIST_PROFILE:
            return keep_plan(f"profile:{profile}", frozenset(), uids, strict=options.strict_keep_list)
        case TagProfileType.KEEP_ALL_PROFILE:
            return keep_all_plan(uids)
        case TagProfileType.DEIDENTIFY_TAG_CONTENTS:
            return contents_plan(uids)
        case _:
            assert_never(profile)


def _override(action: Action, index: int) -> Override:
    name = next((field for field in _OPS if getattr(action, field) is not None), None)
    place = f"dicomTagConfig.actions[{index}]"
    if name is None:
        raise ConfigError.of("DicomTagConfig", [(place, "no action is set: set one of the eight, such as removeTag")])
    vrs = frozenset(query for query in action.queries if query in VRS)
    tags, patterns = tags_and_patterns([query for query in action.queries if query not in VRS], f"{place}.queries")
    if name == "clean_image_tag" and (tags - {_PIXEL_DATA} or vrs or patterns):
        raise ConfigError.of("DicomTagConfig", [(f"{place}.queries", "cleanImageTag applies to PixelData only")])
    allowed = _ONLY_VRS.get(name)
    if allowed is not None and vrs - allowed:
        wrong = ", ".join(sorted(vrs - allowed))
        raise ConfigError.of("DicomTagConfig", [(f"{place}.queries", f"the action cannot be applied to VR {wrong}")])
    return Override(_OPS[name], tags, vrs, f"action:{_wire_name(name)}", patterns)


def _with_cleaned_descriptors(plan: TagPlan) -> TagPlan:
    """Return the Basic Profile's plan as it describes itself with the Clean Descriptors Option.

    A result that keeps a cleaned descriptor is not that of the profile alone, which would have removed it.
    """
    option = ProfileOption.CLEAN_DESCRIPTORS
    profile, *others = plan.method
    basic, *codes = plan.method_codes
    return replace(
        plan,
        method=(profile, *sorted({*others, option.replace("_", " ")})),
        method_codes=(basic, *sorted({*codes, METHOD_CODES[option]})),
    )


def _why_unclaimed(actions: Sequence[Override], descriptors: frozenset[int]) -> str:
    """Return why actions take the profile's claim that the identity is removed; empty if they do not.

    Args:
        actions: The actions.
        descriptors: Tags that the profile's Clean Descriptors Option keeps too, with their values cleaned.
    """
    kept: set[int] = set()
    vrs: set[str] = set()
    for action in actions:
        if action.op not in (Op.KEEP, Op.TEXT) or _is_for_pixels(action):
            continue
        if action.op is Op.TEXT and not action.vrs and not action.patterns and action.tags <= descriptors:
            continue
        kept |= action.tags - (descriptors if action.op is Op.TEXT else frozenset())
        kept |= {value for _, value in action.patterns}
        vrs |= action.vrs
    if not kept and not vrs:
        return ""
    named = ", ".join(filter(None, (some_tags(sorted(kept)), *(f"VR {vr}" for vr in sorted(vrs)))))
    return (
        f"actions keep {named}; use the profile's options where they keep the same "
        "(such as retain_patient_characteristics), or leave the actions out"
    )


def _is_for_pixels(action: Override) -> bool:
    return action.tags == frozenset({_PIXEL_DATA}) and not action.vrs and not action.patterns


def _may_be_text(action: Override) -> bool:
    """Return whether an action may keep text.

    Text needs SpecificCharacterSet to be decoded.
    """
    return bool(action.patterns) or any(map(needs_character_set, action.tags)) or not CHARSET_VRS.isdisjoint(action.vrs)


def _wire_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
