"""Running an instance of a run again, with the run's settings or in a stricter mode."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.engine.identity.key_folder import find_secret
from healthcare_deid.engine.options import EngineOptions, meanings
from healthcare_deid.engine.plan.compile import compile_config
from healthcare_deid.engine.runs.manifest import Manifest, settings_of
from healthcare_deid.engine.runs.run_report import config_of
from healthcare_deid.engine.runs.run_secret import with_secret
from healthcare_deid.errors import ConfigError, RunRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from healthcare_deid.config import AnyDeidentifyConfig

_TOLD = frozenset(
    {
        "date_shift_days",
        "uid_rule",
        "markers",
        "edition",
        "options",
        "safe_private",
        "other_uids",
        "strict_edition",
        "strict_keep_list",
        "nested",
        "thorough",
        "scout",
        "every_frame",
        "service_limits",
        "verify",
        "fallback_charset",
        "uid_root",
        "encrypted_attributes",
    }
)
"""Arguments whose values are in the manifest. Of the others it has fingerprints, besides `_rebuilt`."""
_KEY = re.compile(r'"key [0-9a-f]+"')
"""Fingerprint of a key in a manifest's config."""
_FLAGS = {
    "config": "--config-file",
    "pseudonyms": "--pseudonyms or --sequential",
    "salt": "--salt-file",
    "set_values": "--set",
    "replace": "--replace",
}
"""Options of the command line that `EngineOptions` does not name."""


class RerunMode(StrEnum):
    """Mode in which an instance is run again."""

    AS_RUN = "as-run"
    """With the run's settings."""
    THOROUGH = "thorough"
    """With the run's settings, looking for tiny, faint and rotated text too."""
    ALL_TEXT = "all-text"
    """With the run's settings, covering all text that is found."""


def deidentifier_of(run: Path, config: AnyDeidentifyConfig | None, options: Mapping[str, Any]) -> Deidentifier:
    """Return a deidentifier with a run's settings, verified against its manifest.

    Args:
        run: The run folder.
        config: Config of the run; None takes the manifest's, which lacks keys.
        options: Arguments of `Deidentifier` that the manifest has no values of. It has the others.

    Raises:
        RunRefused: Something is needed that is not given, or the settings differ.
        ConfigError: They cannot be carried out.
    """
    manifest = Manifest.read(run)
    if manifest is None:
        raise RunRefused("the run folder has no manifest.json: its results cannot be made again")
    made = _rebuilt(manifest, config, options)
    known, _, new_secret = with_secret(made, manifest, anew=False, adopt=False)
    now = Manifest(settings_of(known) | {"run": manifest.settings.get("run", {})})
    differences = manifest.differences(now)
    if differences:
        if new_secret is not None:
            new_secret.unlink()
        said = "\n".join(f"  - {difference}" for difference in differences)
        raise RunRefused(
            "an instance is run again only as the run did, with its options and versions; these differ:\n" + said,
            differences=differences,
        )
    assert isinstance(known, Deidentifier)
    return known


def in_mode(deidentifier: Deidentifier, mode: RerunMode) -> Deidentifier:
    """Return a deidentifier for another mode.

    Raises:
        ConfigError: The mode would change nothing.
    """
    options: dict[str, Any] = {one.name: getattr(deidentifier.options, one.name) for one in fields(EngineOptions)}
    if options["ocr"] == "never":
        options["ocr"] = None
    config = deidentifier.config
    match mode:
        case RerunMode.AS_RUN:
            return deidentifier
        case RerunMode.THOROUGH:
            if not compile_config(config, deidentifier.options).pixels.looks:
                raise ConfigError("the run's config does not look for text in pixels: cover all text instead")
            if options["ocr"] is not None:
                raise ConfigError("the run used its own OCR, which has no thorough mode")
            options |= {"thorough": True, "scout": False}
            return Deidentifier(config, **options)
        case RerunMode.ALL_TEXT:
            return Deidentifier(type(config).from_api(_covering_all(config.to_api())), **options)
        case _:
            assert_never(mode)


def _covering_all(body: dict[str, Any]) -> dict[str, Any]:
    """Return a config that covers all text, wherever it says how to treat pixels."""
    image = {"textRedactionMode": "REDACT_ALL_TEXT"}
    tags: dict[str, Any] = body.get("dicomTagConfig", {})
    if "cleanImage" in tags.get("options", {}):
        tags["options"]["cleanImage"] = image
    for action in tags.get("actions", ()):
        if "cleanImageTag" in action:
            action["cleanImageTag"] = image
    return body | {"image": image}


def _rebuilt(manifest: Manifest, config: AnyDeidentifyConfig | None, options: Mapping[str, Any]) -> Deidentifier:
    """Return a deidentifier with the settings of a manifest and what is given besides.

    Raises:
        RunRefused: The manifest has no value of a setting, and it is not given.
        ConfigError: The settings cannot be carried out.
    """
    told: dict[str, Any] = manifest.settings["options"]
    known = {name: one for name, one in told.items() if name in _TOLD and one is not None}
    if told.get("ocr") == "never":
        known["ocr"] = "never"
    if told.get("dates") is not None:
        known["dates"] = Dates(**told["dates"])
    if told.get("pseudonyms") is not None and told["pseudonyms"]["table"] is None:
        known["pseudonyms"] = Pseudonyms.keyed(told["pseudonyms"]["prefix"])
    if manifest.secret is not None and (place := find_secret(manifest.secret)) is not None:
        known["secret"] = place
    missing = [name for name, one in told.items() if _is_given(one) and name not in {*known, *options}]
    if config is None and _KEY.search(json.dumps(manifest.settings["config"])):
        missing.insert(0, "config")
    if missing:
        flags = {one.name: meaning.flag for one, meaning in meanings() if meaning.flag} | _FLAGS
        names = ", ".join(f"{flags[name]} ({name})" if name in flags else name for name in missing)
        raise RunRefused(f"give the review what the run was given and its folder has no values of: {names}")
    return Deidentifier(config if config is not None else config_of(manifest.settings), **known | dict(options))


def _is_given(told: Any) -> bool:
    """Return whether a setting, as the manifest describes it, is there at all."""
    return told not in (None, []) and not str(told).startswith("0 entries")
