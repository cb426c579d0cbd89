"""From a config to a plan: v1beta1's `DicomTagConfig`, actions before options before profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.config.tags import VRS
from healthcare_deid.config.v1beta1.dicom import DicomTagConfig, PrimaryIdsOption, TagProfileType
from healthcare_deid.engine.plan.ps315 import Edition, ProfileOption
from healthcare_deid.engine.plan.tags import DROPPING, KEPT, TEXT_VRS, Op, Override, Plan, UidPolicy
from healthcare_deid.engine.plan.v1 import (
    CHARSET_VRS,
    SPECIFIC_CHARACTER_SET,
    basic_plan,
    contents_plan,
    keep_all_plan,
    keep_plan,
    needs_character_set,
    tags_and_patterns,
)
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.config.v1beta1.dicom import Action
    from healthcare_deid.config.v1beta1.image import ImageConfig

_PIXEL_DATA = 0x7FE00010
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


def compile_tag_config(
    config: DicomTagConfig,
    *,
    edition: Edition = "2018e-google",
    options: Collection[ProfileOption | str] = (),
    strict_edition: bool = False,
    strict_keep_list: bool = False,
) -> Plan:
    """Compile v1beta1's `DicomTagConfig`. An unspecified profile is the Basic Profile.

    Args:
        config: The message.
        edition: Which PS3.15 table the Basic Profile means.
        options: Options of that table; not part of the API. ``cleanDescriptors`` is its option too.
        strict_edition: Do not remove what only a later edition lists.
        strict_keep_list: Do not add SOPClassUID to the minimal tags.

    Raises:
        ConfigError: An action cannot be applied to what it names.
    """
    chosen = config.options
    primary = chosen is None or chosen.primary_ids != PrimaryIdsOption.KEEP
    descriptors = chosen is not None and chosen.clean_descriptors is not None
    profile = config.profile_type or TagProfileType.PROFILE_TYPE_UNSPECIFIED
    if profile in (TagProfileType.PROFILE_TYPE_UNSPECIFIED, TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE):
        chosen_options = [*options, *([ProfileOption.CLEAN_DESCRIPTORS] if descriptors else [])]
        plan = basic_plan(edition, chosen_options, primary=primary, strict=strict_edition)
    else:
        plan = _simple_plan(profile, UidPolicy(primary=primary), strict=strict_keep_list)
    overrides = tuple(_override(action, index) for index, action in enumerate(config.actions))
    keeps = any(action.op in (Op.KEEP, Op.TEXT) and not _is_for_pixels(action) for action in overrides)
    tags = plan.tags
    if any(action.op not in DROPPING and _may_be_text(action) for action in overrides):
        tags = {SPECIFIC_CHARACTER_SET: KEPT, **tags}
    return replace(
        plan,
        tags=tags,
        overrides=overrides,
        name=f"dicomTagConfig:{plan.name}",
        removes_identity=plan.removes_identity and not keeps,
    )


def image_of(config: DicomTagConfig) -> ImageConfig | None:
    """Return what an action, or else an option, says about PixelData; None where neither says anything."""
    for action in config.actions:
        if action.clean_image_tag is not None:
            return action.clean_image_tag
    return config.options.clean_image if config.options is not None else None


def _simple_plan(profile: TagProfileType, uids: UidPolicy, *, strict: bool) -> Plan:
    if profile == TagProfileType.MINIMAL_KEEP_LIST_PROFILE:
        return keep_plan(f"profile:{profile}", frozenset(), uids, strict=strict)
    if profile == TagProfileType.KEEP_ALL_PROFILE:
        return keep_all_plan(uids)
    return contents_plan(uids)


def _override(action: Action, index: int) -> Override:
    name = next((field for field in _OPS if getattr(action, field) is not None), None)
    place = f"dicomTagConfig.actions[{index}]"
    if name is None:
        raise ConfigError.of("DicomTagConfig", [(place, "one of the eight actions is needed")])
    vrs = frozenset(query for query in action.queries if query in VRS)
    tags, patterns = tags_and_patterns([query for query in action.queries if query not in VRS], f"{place}.queries")
    if name == "clean_image_tag" and (tags - {_PIXEL_DATA} or vrs or patterns):
        raise ConfigError.of("DicomTagConfig", [(f"{place}.queries", "cleanImageTag is for PixelData only")])
    allowed = _ONLY_VRS.get(name)
    if allowed is not None and vrs - allowed:
        wrong = ", ".join(sorted(vrs - allowed))
        raise ConfigError.of("DicomTagConfig", [(f"{place}.queries", f"the action cannot be applied to VR {wrong}")])
    return Override(_OPS[name], tags, vrs, f"action:{_wire_name(name)}", patterns)


def _is_for_pixels(action: Override) -> bool:
    return action.tags == frozenset({_PIXEL_DATA}) and not action.vrs and not action.patterns


def _may_be_text(action: Override) -> bool:
    """Return whether what an action keeps may be text, which cannot be read without its character set."""
    return bool(action.patterns) or any(map(needs_character_set, action.tags)) or not CHARSET_VRS.isdisjoint(action.vrs)


def _wire_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
