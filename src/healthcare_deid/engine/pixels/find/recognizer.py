"""The text recognizer: PP-OCR's line reader, and the decoding of its output.

The network reads a line scaled to 48 rows. For about every 8 columns it returns the probability of each character and
of "blank". Greedy CTC decoding takes the best class of each step, merges repeats and drops blanks (Graves et al., ICML
2006, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from healthcare_deid.engine.pixels.find.models import CPU, run, session

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.pixels.arrays import Floats, Picture

HEIGHT = 48
"""Rows of the network's input."""
MAX_WIDTH = 2400
"""Most columns of the network's input; a longer line is squeezed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Text of a line, with scores.

    Attributes:
        text: The characters.
        confidence: Mean probability of the characters, 0 to 1; 0 without characters.
        positions: Center of each character as a fraction of the line's width.
        weakest: Mean probability of the least certain quarter of the characters, spaces excluded; 0 without characters.
    """

    text: str
    confidence: float
    positions: tuple[float, ...]
    weakest: float = 0.0


class Recognizer:
    """Reads one line of text. Holds only a path: cheap to create, and safe to share and pickle."""

    def __init__(self, path: Path, providers: tuple[str, ...] = CPU) -> None:
        self._path = path
        self._providers = providers

    def read(self, line: Picture) -> Reading:
        """Read an upright line of shape (rows, columns, 3)."""
        rows, columns = line.shape[:2]
        width = min(MAX_WIDTH, max(HEIGHT // 2, round(columns * HEIGHT / rows)))
        resized = Image.fromarray(line).resize((width, HEIGHT), Image.Resampling.BILINEAR)
        pixels = np.asarray(resized, np.float32)[:, :, ::-1].transpose(2, 0, 1)
        (steps,) = run(self._path, (pixels / 127.5 - 1)[np.newaxis], self._providers)
        return decode(steps, characters(self._path))


@cache
def characters(path: Path) -> tuple[str, ...]:
    """Return the character of every class: blank, the list in the model file's metadata, then space."""
    listed = session(path).get_modelmeta().custom_metadata_map["character"]
    return ("", *listed.split("\n"), " ")


def decode(steps: Floats, alphabet: tuple[str, ...]) -> Reading:
    """Decode probabilities of shape (steps, classes) greedily."""
    classes = steps.argmax(axis=1)
    best = steps.max(axis=1)
    new = np.ones(classes.size, bool)
    new[1:] = classes[1:] != classes[:-1]
    kept = np.nonzero(new & (classes != 0))[0]
    if not kept.size:
        return Reading("", 0.0, ())
    text = "".join(_one_character(alphabet, int(classes[step])) for step in kept)
    sure = np.sort(best[kept][[not letter.isspace() for letter in text]])
    weakest = float(sure[: max(1, sure.size // 4)].mean()) if sure.size else 0.0
    return Reading(text, float(best[kept].mean()), tuple(((kept + 0.5) / classes.size).tolist()), weakest)


def _one_character(alphabet: tuple[str, ...], index: int) -> str:
    """Return a class as exactly one character, so that the text and its positions stay in step."""
    found = alphabet[index] if index < len(alphabet) else ""
    return found if len(found) == 1 else "\N{REPLACEMENT CHARACTER}"
