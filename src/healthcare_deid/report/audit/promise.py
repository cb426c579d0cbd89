"""Promise of an instance: the rules it was de-identified by, from itself or from the run's manifest.

(0012,0062) PatientIdentityRemoved, (0012,0063) DeidentificationMethod and (0012,0064) its codes name the profile and
its options. An instance without markers is measured by the Basic Profile.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.tags import tag_number
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine.deidentifier import Deidentifier
from healthcare_deid.engine.plan.ps315 import BASIC_CODE, METHOD_CODES, ProfileOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom.dataset import Dataset

_BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
_PROFILES = ("MINIMAL_KEEP_LIST_PROFILE", "KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS")
_EDITION = re.compile(r"PS3\.15 (2018e-google|2026d) Basic Profile")
_OURS = "healthcare-deid "
_OPTION_OF = {code: option for option, code in METHOD_CODES.items()}
_SECRET = frozenset(
    {
        *("secret", "salt", "uid_rule", "uid_root", "pseudonyms", "patient_keys", "unwrapped_keys"),
        *("recipients", "vault", "encrypted_attributes"),
    }
)
"""Arguments for keys and recipients. The audit needs none of them: such values are recognized by their form."""
_UNSAID = "nothing: measured by the Basic Profile"


@dataclass(frozen=True)
class Promise:
    """Rules that an instance is measured by.

    Attributes:
        name: Name of the rules, for people.
        engine: Engine that applies the rules. Whatever it would still change is a residue.
        binding: Whether the instance was certainly made by these rules, so that a deviation is an error.
        placeholders: Whether placeholders are this package's, so that any other value is an original one.
        uids: Whether new UIDs certainly have this package's form.
        options: Options of the Basic Profile.
        removes_identity: Whether the rules remove everything that identifies the patient.
        fixed: Elements with a value set by the project.
    """

    name: str
    engine: Deidentifier = field(repr=False)
    binding: bool
    placeholders: bool
    uids: bool
    options: frozenset[str]
    removes_identity: bool
    fixed: frozenset[int] = frozenset()


def promise_of(dataset: Dataset) -> Promise:
    """Return the promise in an instance's own markers."""
    methods = _texts(dataset, "DeidentificationMethod")
    codes = {
        str(item.get("CodeValue", ""))
        for item in dataset.get("DeidentificationMethodCodeSequence", None) or ()
        if item.get("CodingSchemeDesignator", "DCM") == "DCM"
    }
    removed = str(dataset.get("PatientIdentityRemoved", "") or "").strip().upper() == "YES"
    ours = any(method.startswith(_OURS) for method in methods)
    if BASIC_CODE in codes:
        options = frozenset(str(_OPTION_OF[code]) for code in codes if code in _OPTION_OF)
        edition = next((found[1] for method in methods if (found := _EDITION.fullmatch(method))), "2018e-google")
        return _basic(options, edition, binding=removed, placeholders=ours, removed=removed)
    profile = next((method for method in methods if method in _PROFILES), None) if ours else None
    if profile is not None:
        name = profile if removed else f"{profile}, without a word that the identity was removed"
        engine = _engine(_wire(profile), ())
        return Promise(name, engine, removed, True, removed, options=frozenset(), removes_identity=removed)
    if removed or methods:
        return _basic(frozenset(), "2018e-google", binding=removed, placeholders=ours, removed=removed)
    engine = _engine(_wire(_BASIC), ())
    return Promise(_UNSAID, engine, True, True, uids=False, options=frozenset(), removes_identity=True)


def promise_by(config: Any, options: Mapping[str, Any]) -> Promise:
    """Return the promise of a run.

    Args:
        config: The run's config.
        options: The engine's keyword arguments; keys and secrets are not needed.

    Raises:
        ConfigError: The config cannot be carried out.
    """
    options = {name: value for name, value in options.items() if name not in _SECRET}
    pixels_aside = config.model_copy(update={"image": None})
    engine = Deidentifier(pixels_aside, **options)
    asked = frozenset(map(str, options.get("options", ())))
    fixed = frozenset(tag_number(tag) for tag in options.get("set_values") or ())
    return Promise(engine.plan.name, engine, True, True, True, asked, engine.plan.removes_identity, fixed)


def is_basic(config: Any) -> bool:
    """Return whether a config is a Basic Profile, whose options the markers of its results name."""
    return promise_by(config, {}).name.endswith(f"profile:{_BASIC}")


def _basic(options: frozenset[str], edition: str, *, binding: bool, placeholders: bool, removed: bool) -> Promise:
    safe_private = str(ProfileOption.RETAIN_SAFE_PRIVATE)
    engine_options: dict[str, Any] = {"edition": edition, "options": sorted(options - {safe_private})}
    if not removed:
        engine_options["strict_edition"] = True
    engine = _engine(_wire(_BASIC), tuple(sorted((name, json.dumps(value)) for name, value in engine_options.items())))
    said = ", ".join(sorted(option.replace("_", " ") for option in options))
    name = f"PS3.15 {edition} Basic Profile{f' ({said})' if said else ''}"
    return Promise(name, engine, binding, placeholders, placeholders and binding, options, removed)


@lru_cache(maxsize=64)
def _engine(config: str, options: tuple[tuple[str, str], ...]) -> Deidentifier:
    return Deidentifier(DeidentifyConfig.from_json(config), **{name: json.loads(value) for name, value in options})


def _wire(profile: str) -> str:
    return json.dumps({"dicom": {"filterProfile": profile}})


def _texts(dataset: Dataset, keyword: str) -> list[str]:
    value: Any = dataset.get(keyword, None)
    if value is None:
        return []
    return [str(value)] if isinstance(value, str) else [str(part) for part in value]
