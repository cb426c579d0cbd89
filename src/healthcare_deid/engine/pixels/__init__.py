"""Burned-in text: detection in pixel data, choice of what is sensitive, and redaction."""

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.find.ocr import Ocr, OnnxOcr
from healthcare_deid.engine.pixels.find.tesseract import TesseractOcr
from healthcare_deid.engine.pixels.lines import Direction, TextLine
from healthcare_deid.engine.pixels.redactor import PixelRedactor
from healthcare_deid.engine.results import PixelReport, ReadText

__all__ = ["Box", "Direction", "Ocr", "OnnxOcr", "PixelRedactor", "PixelReport", "ReadText", "TesseractOcr", "TextLine"]
