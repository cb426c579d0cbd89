"""Tesseract as an alternative OCR, through its command line program."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.lines import TextLine
from healthcare_deid.errors import EngineError, ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.pixels.arrays import Picture

_DATA_FOLDER = re.compile(r'"(.+)"')
"""Data folder in the first line that ``tesseract --list-langs`` prints."""
LINE_LEVELS = ("block_num", "par_num", "line_num")
"""Columns of Tesseract's TSV output that together identify a line."""


class TesseractOcr:
    """An `Ocr` that runs ``tesseract``. It finds less text than `OnnxOcr`, but reads more languages.

    Args:
        language: Name of the trained data, such as ``"eng"`` or ``"deu+eng"``.
        page_mode: Page segmentation mode; 11 finds sparse text in no particular order.
        scale: Enlargement of a picture; Tesseract works best with letters of at least 20 pixels.
        program: Name or path of the program.

    Raises:
        ModelNotFoundError: The program is not installed.
    """

    def __init__(
        self, language: str = "eng", *, page_mode: int = 11, scale: int = 2, program: str = "tesseract"
    ) -> None:
        if shutil.which(program) is None:
            raise ModelNotFoundError("the tesseract program is not installed: apt-get install tesseract-ocr")
        self._command = (program, "-", "-", "-l", language, "--psm", str(page_mode), "tsv")
        self._program = program
        self._language = language
        self._scale = scale

    @property
    def versions(self) -> dict[str, str]:
        """Version of the program, and the first 16 hex digits of the SHA-256 of each language's data."""
        found = {"tesseract": self._said("--version").partition("\n")[0].removeprefix("tesseract ")}
        folder = _DATA_FOLDER.search(self._said("--list-langs"))
        for language in self._language.split("+"):
            data = Path(folder[1] if folder else "") / f"{language}.traineddata"
            if data.is_file():
                found[f"tesseract {language}"] = hashlib.sha256(data.read_bytes()).hexdigest()[:16]
        return found

    def _said(self, option: str) -> str:
        done = subprocess.run((self._program, option), capture_output=True, text=True, check=False)  # noqa: S603 - no shell
        return done.stdout or done.stderr  # older versions print to standard error

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        """Return the lines of text in a picture. Tesseract always reads, and always searches the whole picture."""
        del read
        rows, columns = picture.shape[:2]
        enlarged = Image.fromarray(picture).resize(
            (columns * self._scale, rows * self._scale), Image.Resampling.BICUBIC
        )
        lines = self._lines(np.asarray(enlarged))
        return [line for line in lines if within is None or line.box.overlaps(within)]

    def _lines(self, picture: Picture) -> list[TextLine]:
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "PPM")
        done = subprocess.run(self._command, input=stream.getvalue(), capture_output=True, check=False)  # noqa: S603 - no shell
        if done.returncode:
            raise EngineError(f"tesseract failed with exit status {done.returncode}", reason="ocr-failed")
        words: dict[tuple[str, ...], list[TextLine]] = {}
        table = csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in table:
            if float(row["conf"]) < 0 or not row["text"].strip():
                continue
            left, top = int(row["left"]), int(row["top"])
            box = Box(left, top, left + int(row["width"]), top + int(row["height"])).grown(self._scale)
            confidence = float(row["conf"]) / 100
            word = TextLine(box.scaled(1 / self._scale, 1 / self._scale), confidence, row["text"], confidence)
            words.setdefault(tuple(row[level] for level in LINE_LEVELS), []).append(word)
        return [_joined(line) for line in words.values()]


def _joined(words: Sequence[TextLine]) -> TextLine:
    """Join the words of a line, with the characters of each spread evenly over its box."""
    box = words[0].box
    for word in words[1:]:
        box = box.union(word.box)
    text = " ".join(word.text or "" for word in words)
    positions: list[float] = []
    for word in words:
        count = len(word.text or "")
        if positions:  # the space is placed halfway to the next word
            positions.append((positions[-1] + (word.box.left - box.left) / box.width) / 2)
        positions += [
            (word.box.left - box.left + word.box.width * (index + 0.5) / count) / box.width for index in range(count)
        ]
    confidence = min(word.confidence for word in words)
    return TextLine(box, confidence, text, sum(word.text_confidence for word in words) / len(words), tuple(positions))
