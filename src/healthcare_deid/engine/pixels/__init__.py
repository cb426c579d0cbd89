"""Burned-in text: find it in any pixel data, choose what is sensitive, cover it exactly."""

from healthcare_deid.engine.pixels.geometry import Box
from healthcare_deid.engine.pixels.ocr import Direction, Ocr, OnnxOcr, TextLine
from healthcare_deid.engine.pixels.redactor import PixelRedactor as PixelRedactor
from healthcare_deid.engine.pixels.tesseract import TesseractOcr
from healthcare_deid.engine.records import PixelReport as PixelReport
from healthcare_deid.engine.records import ReadText as ReadText

__all__ = ["Box", "Direction", "Ocr", "OnnxOcr", "PixelRedactor", "PixelReport", "ReadText", "TesseractOcr", "TextLine"]
