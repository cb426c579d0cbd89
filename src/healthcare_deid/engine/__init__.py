"""The de-identification itself, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.engine.deidentifier import Deidentifier as Deidentifier
    from healthcare_deid.engine.geometry import Box as Box
    from healthcare_deid.engine.identity.date_settings import Dates as Dates
    from healthcare_deid.engine.identity.pseudonyms import Pseudonyms as Pseudonyms
    from healthcare_deid.engine.identity.rewriting import Replacement as Replacement
    from healthcare_deid.engine.identity.uid_mapper import UidMapper as UidMapper
    from healthcare_deid.engine.options import EngineOptions as EngineOptions
    from healthcare_deid.engine.pixels.find.ocr import Ocr as Ocr
    from healthcare_deid.engine.pixels.find.ocr import OnnxOcr as OnnxOcr
    from healthcare_deid.engine.pixels.find.tesseract import TesseractOcr as TesseractOcr
    from healthcare_deid.engine.pixels.lines import TextLine as TextLine
    from healthcare_deid.engine.pixels.masks.device_masks import DeviceMask as DeviceMask
    from healthcare_deid.engine.pixels.redactor import PixelRedactor as PixelRedactor
    from healthcare_deid.engine.plan.compile import compile_text as compile_text
    from healthcare_deid.engine.plan.pixels import PixelPlan as PixelPlan
    from healthcare_deid.engine.plan.pixels import Scope as Scope
    from healthcare_deid.engine.plan.ps315 import ProfileOption as ProfileOption
    from healthcare_deid.engine.plan.text import TextPlan as TextPlan
    from healthcare_deid.engine.results import BytesResult as BytesResult
    from healthcare_deid.engine.results import Change as Change
    from healthcare_deid.engine.results import ChangeAction as ChangeAction
    from healthcare_deid.engine.results import DeidentifyResult as DeidentifyResult
    from healthcare_deid.engine.results import Failure as Failure
    from healthcare_deid.engine.results import PictureLook as PictureLook
    from healthcare_deid.engine.results import PixelReport as PixelReport
    from healthcare_deid.engine.results import Redaction as Redaction
    from healthcare_deid.engine.results import TreeProgress as TreeProgress
    from healthcare_deid.engine.results import TreeReport as TreeReport
    from healthcare_deid.engine.runs.admission import Admission as Admission
    from healthcare_deid.engine.runs.admission import AdmissionRule as AdmissionRule
    from healthcare_deid.engine.runs.admission import Bounds as Bounds
    from healthcare_deid.engine.runs.originals import Entry as Entry
    from healthcare_deid.engine.runs.originals import Originals as Originals
    from healthcare_deid.engine.runs.originals import Trouble as Trouble
    from healthcare_deid.engine.runs.stores import StagedStore as StagedStore
    from healthcare_deid.engine.runs.stores import Store as Store
    from healthcare_deid.engine.text.engine import TextEngine as TextEngine
    from healthcare_deid.engine.text.find.detectors.base import Detector as Detector
    from healthcare_deid.engine.text.find.detectors.base import PatternDetector as PatternDetector
    from healthcare_deid.engine.text.find.detectors.custom import WordsDetector as WordsDetector
    from healthcare_deid.engine.text.find.ner import SpacyDetector as SpacyDetector
    from healthcare_deid.engine.text.find.presidio import PresidioDetector as PresidioDetector
    from healthcare_deid.engine.text.match import Match as Match

_HOMES = {
    "Admission": "runs.admission",
    "AdmissionRule": "runs.admission",
    "Bounds": "runs.admission",
    "Box": "geometry",
    "BytesResult": "results",
    "Change": "results",
    "ChangeAction": "results",
    "Dates": "identity.date_settings",
    "Deidentifier": "deidentifier",
    "DeidentifyResult": "results",
    "DeviceMask": "pixels.masks.device_masks",
    "Detector": "text.find.detectors.base",
    "EngineOptions": "options",
    "Entry": "runs.originals",
    "Failure": "results",
    "Match": "text.match",
    "Ocr": "pixels.find.ocr",
    "OnnxOcr": "pixels.find.ocr",
    "Originals": "runs.originals",
    "PatternDetector": "text.find.detectors.base",
    "PictureLook": "results",
    "PixelPlan": "plan.pixels",
    "PixelRedactor": "pixels.redactor",
    "PixelReport": "results",
    "PresidioDetector": "text.find.presidio",
    "ProfileOption": "plan.ps315",
    "Pseudonyms": "identity.pseudonyms",
    "Redaction": "results",
    "Replacement": "identity.rewriting",
    "Scope": "plan.pixels",
    "SpacyDetector": "text.find.ner",
    "StagedStore": "runs.stores",
    "Store": "runs.stores",
    "TesseractOcr": "pixels.find.tesseract",
    "TextEngine": "text.engine",
    "TextLine": "pixels.lines",
    "TextPlan": "plan.text",
    "TreeProgress": "results",
    "TreeReport": "results",
    "Trouble": "runs.originals",
    "UidMapper": "identity.uid_mapper",
    "WordsDetector": "text.find.detectors.custom",
    "compile_text": "plan.compile",
}

__all__ = [
    "Admission",
    "AdmissionRule",
    "Bounds",
    "Box",
    "BytesResult",
    "Change",
    "ChangeAction",
    "Dates",
    "Deidentifier",
    "DeidentifyResult",
    "Detector",
    "DeviceMask",
    "EngineOptions",
    "Entry",
    "Failure",
    "Match",
    "Ocr",
    "OnnxOcr",
    "Originals",
    "PatternDetector",
    "PictureLook",
    "PixelPlan",
    "PixelRedactor",
    "PixelReport",
    "PresidioDetector",
    "ProfileOption",
    "Pseudonyms",
    "Redaction",
    "Replacement",
    "Scope",
    "SpacyDetector",
    "StagedStore",
    "Store",
    "TesseractOcr",
    "TextEngine",
    "TextLine",
    "TextPlan",
    "TreeProgress",
    "TreeReport",
    "Trouble",
    "UidMapper",
    "WordsDetector",
    "compile_text",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `Deidentifier` needs pydicom."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
