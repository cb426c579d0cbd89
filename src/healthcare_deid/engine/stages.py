"""The stages of an engine, made from a compiled plan and the engine's own arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from healthcare_deid.engine.identity.secret import UIDS, ProjectSecret
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.engine.options import EngineOptions
    from healthcare_deid.engine.pixels.redactor import PixelRedactor
    from healthcare_deid.engine.pixels.verification import Verification
    from healthcare_deid.engine.plan.plan import Plan
    from healthcare_deid.engine.text.engine import TextEngine
    from healthcare_deid.engine.text.find.detectors.base import Detector


def uid_mapper(options: EngineOptions, secret: ProjectSecret | None) -> UidMapper:
    """Return the mapper that was asked for: without a rule or salt of its own, a secret keys it."""
    if secret is not None and options.uid_rule is None and options.salt is None:
        return UidMapper("salted", secret.key(UIDS), options.uid_root)
    return UidMapper(options.uid_rule or "google", options.salt, options.uid_root)


def text_engine(compiled: Plan, options: EngineOptions, secret: ProjectSecret | None) -> TextEngine | None:
    """Return what finds and transforms text; None where no text is inspected."""
    if not compiled.inspects_text:
        return None
    from healthcare_deid.engine.text.engine import TextEngine

    return TextEngine(
        compiled.text,
        date_shift_days=options.date_shift_days,
        patient_keys=options.patient_keys,
        unwrapped_keys=options.unwrapped_keys,
        detectors=options.detectors,
        secret=secret,
    )


def certain_detectors(options: EngineOptions) -> list[Detector]:
    """Return the user's detectors that do not guess. Those that do, such as models, are asked about free text only."""
    if not options.detectors:
        return []
    from healthcare_deid.engine.text.find.detectors.base import GUESS  # not without detectors: it loads the text engine

    return [detector for detector in options.detectors if detector.rank < GUESS]


def redactor(compiled: Plan, options: EngineOptions) -> PixelRedactor | None:
    """Return what covers burned-in text; None where neither text nor masks ask for it."""
    if not compiled.pixels.looks and not options.masks:
        return None
    from healthcare_deid.engine.pixels.masks.mask_files import masks_of
    from healthcare_deid.engine.pixels.redactor import PixelRedactor  # not without pixel work: it loads the OCR

    return PixelRedactor(
        compiled.pixels,
        ocr=None if options.ocr == "never" else options.ocr,
        masks=masks_of(options.masks),
        unmasked_only=options.ocr == "never",
        thorough=options.thorough,
        scout=options.scout,
        every_frame=options.every_frame,
        workers=options.threads,
        max_frame_pixels=options.max_frame_pixels,
        service_limits=options.service_limits,
    )


def verification(compiled: Plan, options: EngineOptions) -> Verification | None:
    """Return what reads the pixels of results again; None where nobody asked for it."""
    match options.verify:
        case None:
            return None
        case "tesseract":
            if not compiled.pixels.looks:
                raise ConfigError("verify looks at what covering burned-in text left: the config has to ask for that")
            from healthcare_deid.engine.pixels.find.tesseract import TesseractOcr
            from healthcare_deid.engine.pixels.verification import Verification

            return Verification(compiled.pixels, TesseractOcr(), options.threads, options.max_frame_pixels)
        case _:
            assert_never(options.verify)
