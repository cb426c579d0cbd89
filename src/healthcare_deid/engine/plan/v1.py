"""Compilation of v1 configs: lists and profiles, text, pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterProfile
from healthcare_deid.engine.plan.pixels import PixelPlan, compiled_patterns, scope_of
from healthcare_deid.engine.plan.plan import NO_DICOM, Plan
from healthcare_deid.engine.plan.profiles import (
    basic_plan,
    contents_plan,
    keep_all_plan,
    keep_plan,
    remove_plan,
    tags_and_patterns,
)
from healthcare_deid.engine.plan.tag_decisions import TagPlan, UidPolicy
from healthcare_deid.engine.plan.text import TextPlan, transformations_of
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1.image import ImageConfig
    from healthcare_deid.config.v1.text import TextConfig
    from healthcare_deid.engine.options import EngineOptions

_BASIC = TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE


def compile_v1(config: DeidentifyConfig, options: EngineOptions) -> Plan:
    """Compile a v1 config.

    Raises:
        ConfigError: The config cannot be carried out.
    """
    if config.dicom is None:
        raise ConfigError(NO_DICOM)
    return Plan(
        tags=dicom_plan(config.dicom, options),
        text=text_plan(config.text, basic_profile=is_basic(config.dicom)),
        pixels=pixel_plan(config.image),
    )


def is_basic(config: DicomConfig) -> bool:
    """Return whether a `DicomConfig` selects the Basic Profile."""
    return config.filter_profile == _BASIC


def dicom_plan(config: DicomConfig, options: EngineOptions) -> TagPlan:
    """Compile a `DicomConfig`.

    Raises:
        ConfigError: A tag is unknown, ``removeList`` has a required tag, options are given without the Basic Profile,
            or ``nested=False`` without a list.
    """
    uids = UidPolicy(primary=not config.skip_id_redaction)
    profile = config.filter_profile or TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED
    if profile != _BASIC and (options.options or options.edition != "2018e-google"):
        raise ConfigError(
            f"edition and options apply only to filterProfile {_BASIC}: set it (--preset basic-profile), or leave "
            "them out"
        )
    plan = _list_plan(config, uids, strict=options.strict_keep_list)
    if plan is not None:
        return plan if options.nested else replace(plan, nested=False, removes_identity=False)
    if not options.nested:
        raise ConfigError("nested=False applies only to a keepList or removeList, because profiles cover sequences")
    match profile:
        case TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE:
            return keep_plan(f"profile:{profile}", frozenset(), uids, strict=options.strict_keep_list)
        case TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE:
            return basic_plan(options.edition, options.options, primary=uids.primary, strict=options.strict_edition)
        case TagFilterProfile.DEIDENTIFY_TAG_CONTENTS:
            return contents_plan(uids)
        case TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED | TagFilterProfile.KEEP_ALL_PROFILE:
            return keep_all_plan(uids)
        case _:
            assert_never(profile)


def text_plan(text: TextConfig | None, *, basic_profile: bool = False) -> TextPlan:
    """Compile a `TextConfig`.

    A transformation without infoTypes applies to any infoType, and excludeInfoTypes overrides all. Without
    transformations, dates are shifted and other findings replaced by their infoType (undocumented; v1beta1's BASIC).
    """
    given = transformations_of(text)
    return TextPlan(
        transformations=given,
        excluded=frozenset(text.exclude_info_types) if text is not None else frozenset(),
        exclusion_wins=True,
        transforms_unnamed=basic_profile or not given,
        # Under the Basic Profile text is inspected because an option cleans it, and cleaned text must not identify
        # anyone
        # (PS3.15 section E.3.5). So unnamed infoTypes and the instance's own numbers are replaced too.
        record_numbers=basic_profile,
    )


def pixel_plan(image: ImageConfig | None) -> PixelPlan:
    """Compile an `ImageConfig`.

    Raises:
        ConfigError: A custom pattern is not a valid regular expression.
    """
    if image is None:
        return PixelPlan()
    patterns = compiled_patterns(image.custom_regexes)
    return PixelPlan(scope=scope_of(image.text_redaction_mode, narrow=bool(patterns)), patterns=patterns)


def _list_plan(config: DicomConfig, uids: UidPolicy, *, strict: bool) -> TagPlan | None:
    if config.keep_list is not None and config.keep_list.tags:
        listed, patterns = tags_and_patterns(config.keep_list.tags, "keepList.tags")
        return keep_plan("keepList", listed, uids, patterns=patterns, strict=strict)
    if config.remove_list is not None and config.remove_list.tags:
        return remove_plan(*tags_and_patterns(config.remove_list.tags, "removeList.tags"), uids)
    return None
