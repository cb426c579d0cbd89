"""What a run did not check, for the person who signs its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.engine.runs.events import Event

_FACES = "Faces: nothing here finds or removes a face that slices of a head show."
_TEXT = "Free text: names and numbers in it are found by rules and models, which miss some."
_NO_TEXT = "Free text: the config has no rule for text in attributes that stay."
_NO_PIXELS = "Pixels: nobody looked for burned-in text, which is as it was."
_MASKS_ONLY = "Pixels: on devices that a mask is of, nothing was looked for outside the mask."
_ALL_TEXT = "Pixels: small, faint and handwritten text may have been missed, wherever text was looked for."
_SENSITIVE_TEXT = "Pixels: text that was not read as sensitive was left, and small or faint text may have been missed."
_LOCAL_NAMES = "Names: results are called as in the source, whose file and folder names nobody read."
_HOW = "('healthcare-deid compare' and 'audit --against' do)"
_UNCOMPARED = f"Results: nobody compared them with their originals {_HOW}."
_CHANGED_SINCE = f"Results: they have changed since somebody compared them with their originals {_HOW}."
_UNSEEN = "Results: nobody looked at them and decided ('healthcare-deid review' shows them)."


def unchecked(
    config: ConfigParts,
    settings: Mapping[str, Any],
    counts: Mapping[str, int],
    *,
    private: int,
) -> list[str]:
    """Return what was not checked, one sentence each.

    Args:
        config: The run's config.
        settings: The manifest's settings.
        counts: Outcomes of the files of the last pass.
        private: Number of private attributes that were kept.
    """
    options: Mapping[str, Any] = settings["options"]
    told = [_pixels(config, has_masks=bool(options.get("masks")))]
    if options.get("ocr") == "never":
        told.append(_MASKS_ONLY)
    told += [_FACES, _TEXT if config.text is not None else _NO_TEXT]
    if private:
        told.append(f"Private attributes that were kept, and whose meaning only the vendor knows: {private}.")
    if settings["run"].get("names") == "source":
        told.append(_LOCAL_NAMES)
    for name, why in (
        ("failed", "failed: nothing was written, and nobody knows what they hold"),
        ("refused", "refused by a rule, and not looked into further"),
        ("ignored", "passed over, because they are no DICOM files"),
    ):
        if count := counts.get(name, 0):
            told.append(f"Files {why}: {count}.")
    return told


def looked_at(events: Sequence[Event], record: str, results: int, *, unreviewed: int | None) -> list[str]:
    """Return what nobody looked at after the run, one sentence each.

    Args:
        events: What was done after the run.
        record: SHA-256 of the record now. What was done before it changed was done with other results.
        results: Number of results.
        unreviewed: Number of results without a reviewer's decision; None if there was no review.
    """
    told: list[str] = []
    compared = max((event.compared for event in events if event.record == record), default=0)
    if not compared:
        told.append(_CHANGED_SINCE if any(event.compared for event in events) else _UNCOMPARED)
    elif compared < results:
        told.append(f"Results that nobody compared with their originals {_HOW}: {results - compared}.")
    if unreviewed is None:
        told.append(_UNSEEN)
    elif unreviewed:
        told.append(f"Results that no reviewer has decided about: {unreviewed}.")
    return told


def _pixels(config: ConfigParts, *, has_masks: bool) -> str:
    image = config.pixel_image()
    mode = str(image.value.text_redaction_mode or "") if image is not None else ""
    if mode == "REDACT_ALL_TEXT":
        return _ALL_TEXT
    if "SENSITIVE" in mode or has_masks:
        return _SENSITIVE_TEXT
    return _NO_PIXELS
