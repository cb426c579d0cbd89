"""Running an instance of a run again, with the run's settings or in a stricter mode."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.identity.key_folder import find_secret
from healthcare_deid.engine.options import EngineOptions
from healthcare_deid.engine.plan.compile import compile_config
from healthcare_deid.engine.runs.manifest import Manifest, settings_of
from healthcare_deid.engine.runs.run_report import config_of
from healthcare_deid.engine.runs.run_secret import with_secret
from healthcare_deid.errors import ConfigError, RunRefused

if TYPE_CHECKING:
    from pathlib import Path

_REMEDY = (
    "the run folder alone does not tell how to run an instance again: give the review the config and the options "
    "that the run was started with"
)
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
"""Arguments whose values are in the manifest; of the others it has fingerprints."""


class RerunMode(StrEnum):
    """Mode in which an instance is run again."""

    AS_RUN = "as-run"
    """With the run's settings."""
    THOROUGH = "thorough"
    """With the run's settings, looking for tiny, faint and rotated text too."""
    ALL_TEXT = "all-text"
    """With the run's settings, covering all text that is found."""


def deidentifier_of(run: Path, given: Deidentifier | None) -> Deidentifier:
    """Return a deidentifier with a run's settings, verified against its manifest.

    Args:
        run: The run folder.
        given: Deidentifier of the caller; None rebuilds it from the manifest.

    Raises:
        RunRefused: The settings differ, or the run's secret cannot be found.
    """
    manifest = Manifest.read(run)
    if manifest is None:
        raise RunRefused("the run folder has no manifest.json: its results cannot be made again")
    made = given if given is not None else _rebuilt(manifest)
    known, _, new_secret = with_secret(made, manifest, anew=False, adopt=False)
    now = Manifest(settings_of(known) | {"run": manifest.settings.get("run", {})})
    differences = manifest.differences(now)
    if differences:
        if new_secret is not None:
            new_secret.unlink()
        said = "\n".join(f"  - {difference}" for difference in differences)
        raise RunRefused(f"{_REMEDY}; they differ:\n{said}", differences=differences)
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


def _rebuilt(manifest: Manifest) -> Deidentifier:
    """Return a deidentifier rebuilt from a manifest. Settings it only describes are left out; comparison finds them.

    Raises:
        RunRefused: The manifest does not hold enough.
    """
    told: dict[str, Any] = manifest.settings["options"]
    given = {name: one for name, one in told.items() if name in _TOLD and one is not None}
    if told.get("ocr") == "never":
        given["ocr"] = "never"
    if manifest.secret is not None:
        given["secret"] = find_secret(manifest.secret)
    try:
        return Deidentifier(config_of(manifest.settings), **given)
    except (ConfigError, TypeError, ValueError, OSError):
        raise RunRefused(_REMEDY) from None
