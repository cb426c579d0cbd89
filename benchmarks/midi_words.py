"""Clinical phrases of the MIDI-B-like set: frames of ``midi_phrases.txt`` with their fields filled.

The tuning seed and the held-out seed draw from different lines, for frames and for the words in them alike.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

Half = Literal["tuning", "held-out"]

HERE: Final = Path(__file__).parent
_FIELD: Final = re.compile(r"\{(\w+)\}")
_WORD: Final = re.compile(r"[^\W\d_]+")


@functools.cache
def sections(name: str) -> dict[str, list[str]]:
    """Return the lines of a text file by the heading they stand under."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            lines = found.setdefault(line[1:-1], [])
        elif line and not line.startswith("# "):
            lines.append(line)
    return found


def half_of(lines: list[str], half: Half) -> list[str]:
    """Return every other line; a lone line belongs to both halves."""
    return (lines[::2] if half == "tuning" else lines[1::2]) or lines


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the lower-case words of texts."""
    return {word.lower() for text in texts for word in _WORD.findall(text)}


@functools.cache
def vocabulary() -> frozenset[str]:
    """Return all words that stand in phrases and around planted items: what no planted name may be."""
    texts = [
        line
        for name in ("midi_phrases.txt", "midi_identity.txt")
        for lines in sections(name).values()
        for line in lines
    ]
    return frozenset(words_of(texts))


class Phrases:
    """Deals phrases: every frame of a section comes up about as often as the others.

    Args:
        rng: What draws.
        half: Which lines to draw from.
    """

    def __init__(self, rng: random.Random, half: Half) -> None:
        self._rng = rng
        self._sections = {name: half_of(lines, half) for name, lines in sections("midi_phrases.txt").items()}
        self._queues: dict[str, list[str]] = {}

    def draw(self, section: str, room: int, avoid: frozenset[str]) -> str | None:
        """Return a phrase of at most *room* characters without the words *avoid*, or None."""
        queue = self._queues.setdefault(section, [])
        if len(queue) < len(self._sections[section]):
            again = list(self._sections[section])
            self._rng.shuffle(again)
            queue.extend(again)
        for position, frame in enumerate(queue):
            text = self._fill(frame)
            if len(text) <= room and not words_of([text]) & avoid:
                del queue[position]
                return text
        return None

    def _fill(self, frame: str) -> str:
        return _FIELD.sub(lambda match: self._value(match[1]), frame)

    def _value(self, field: str) -> str:
        rng = self._rng
        if field.rstrip("2") in self._sections:
            return rng.choice(self._sections[field.rstrip("2")])
        numbers = {
            "n": rng.randint(2, 9),
            "n2": rng.randint(12, 68),
            "n3": rng.randint(105, 980),
            "grade": rng.randint(1, 4),
            "week": rng.randint(8, 40),
            "age": rng.randint(19, 86),
            "dose": rng.choice((2.5, 5, 10, 12.5, 20, 25, 40, 50, 75, 100, 150, 200)),
            "hu": rng.randint(-90, 140),
            "gleason": rng.choice(("3+3", "3+4", "4+3", "4+4", "4+5")),
            "roman": rng.choice(("I", "II", "IIF", "III", "IV")),
        }
        if field in numbers:
            return str(numbers[field])
        return f"{rng.uniform(0.6, 48):.{2 if field.startswith('dec') and rng.random() < 0.5 else 1}f}"
