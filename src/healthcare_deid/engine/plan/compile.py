"""Compilation of a config into a plan.

It takes both API versions and the engine's options.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

from healthcare_deid.config.base.config import RootConfig
from healthcare_deid.engine.plan.ps315 import ProfileOption
from healthcare_deid.engine.plan.rules import KEPT
from healthcare_deid.engine.plan.safe_private_table import safe_private
from healthcare_deid.engine.plan.v1 import compile_v1, is_basic, text_plan
from healthcare_deid.engine.plan.v1beta1 import compile_v1beta1
from healthcare_deid.engine.plan.v1beta1 import text_plan as text_plan_v1beta1
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
    from healthcare_deid.engine.options import EngineOptions
    from healthcare_deid.engine.plan.plan import Plan
    from healthcare_deid.engine.plan.text import TextPlan

_LEFT = "the config leaves findings in cleaned text; leave out excludeInfoTypes and profile EMPTY, or transform all"
# "creator,gggg,ee" or, as in PS3.15 table E.3.10-1, "creator,gggg,xxee".
_SAFE_PRIVATE = re.compile(r"(.+),([0-9A-Fa-f]{4}),(?:xx)?([0-9A-Fa-f]{2})")


def compile_config(config: object, options: EngineOptions) -> Plan:
    """Compile a config of either version.

    Raises:
        ConfigError: The config cannot be carried out.
    """
    plan = _compiled(_root(config), options)
    if options.dates is not None:
        if plan.tags.method_codes:  # the Basic Profile's own option names the dates to shift
            shifting = (*options.options, ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES)
            plan = _compiled(_root(config), replace(options, options=shifting))
        plan = replace(plan, tags=replace(plan.tags, shifts_dates=True), text=replace(plan.text, shifts_dates=True))
    tags = plan.tags
    safe = frozenset(safe_private_rules(options.safe_private))
    if ProfileOption.RETAIN_SAFE_PRIVATE in options.options:
        safe |= safe_private()
    if safe:
        tags = replace(tags, private_tags=dict.fromkeys(sorted(safe), KEPT))
    # The option overrides the profile's UID policy.
    if options.other_uids != "profile":
        mapped = options.other_uids == "map"
        tags = replace(tags, uids=replace(tags.uids, others=mapped, own=mapped, references=mapped))
    # Findings that the config leaves may identify the patient, so nothing is claimed.
    if tags.cleans_text and plan.text.leaves_findings:
        tags = replace(
            tags, removes_identity=False, unclaimed=tags.unclaimed or (_LEFT if tags.removes_identity else "")
        )
    return replace(plan, tags=tags, text=replace(plan.text, claims_removal=tags.removes_identity))


def compile_text(config: object) -> TextPlan:
    """Compile the text part of a config, whatever its tag part is.

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
        made = "use DeidentifyConfig.from_api for a mapping, and build() for a builder"
        raise ConfigError(f"config must be a DeidentifyConfig, not {type(config).__name__}: {made}")
    return config


def _compiled(config: RootConfig, options: EngineOptions) -> Plan:
    match config.api_version:
        case "v1":
            return compile_v1(cast("DeidentifyConfig", config), options)
        case "v1beta1":
            return compile_v1beta1(cast("DeidentifyConfigV1Beta1", config), options)
        case _:
            assert_never(config.api_version)


def safe_private_rules(rules: Iterable[str]) -> list[tuple[str, int, int]]:
    """Return creator, group and last two digits of each entry of ``safe_private``.

    Raises:
        ConfigError: An entry has another form.
    """
    found: list[tuple[str, int, int]] = []
    for index, rule in enumerate(rules):
        parts = _SAFE_PRIVATE.fullmatch(rule)
        if parts is None:
            raise ConfigError(
                f'safe_private[{index}]: must be "creator,gggg,ee": the private creator, the group, and the last two '
                "hexadecimal digits of the element, such as 02 for (0019,1002); the two before them are the creator's "
                "block, which is another one in other instances"
            )
        if not int(parts[2], 16) & 1:
            raise ConfigError(f"safe_private[{index}]: private elements have an odd group")
        if parts[1].strip().startswith("<") and parts[1].strip().endswith(">"):
            raise ConfigError(f'safe_private[{index}]: write the private creator without "<" and ">"')
        found.append((parts[1].strip(), int(parts[2], 16), int(parts[3], 16)))
    return found
