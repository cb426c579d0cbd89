"""OCR: the protocol, and the engine's own."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from healthcare_deid.engine.geometry import Box, merged
from healthcare_deid.engine.pixels.find.detector import CUT_OUT, SURE_SCORE, Detector, Edges, ScoredBox
from healthcare_deid.engine.pixels.find.findings import as_lines, unknown, without_duplicates
from healthcare_deid.engine.pixels.find.glyphs import glyphs, in_a_row
from healthcare_deid.engine.pixels.find.ink import is_ink
from healthcare_deid.engine.pixels.find.models import (
    CPU,
    FoundModel,
    KnownModel,
    Role,
    check_providers,
    find_model,
    find_models,
)
from healthcare_deid.engine.pixels.find.reader import GLYPH_CONFIDENCE, Reader, with_ends
from healthcare_deid.engine.pixels.find.recognizer import Reading, Recognizer
from healthcare_deid.engine.pixels.find.small_print import small_print
from healthcare_deid.engine.pixels.find.support import supported
from healthcare_deid.engine.pixels.lines import TextLine

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Picture


class Ocr(Protocol):
    """Finds text in a picture. Any OCR can take the place of the engine's own: it is called from several threads."""

    def find(self, picture: Picture, *, read: bool, within: Box | None) -> Sequence[TextLine]:
        """Return the lines of text in a picture.

        Args:
            picture: 8 bit, shape (rows, columns, 3), RGB.
            read: Whether `TextLine.text` is wanted; where it is not, boxes are enough.
            within: The only part that has to be looked at: the rest is as it was in the frame before. None: all of it.
                Boxes are in the coordinates of the whole picture all the same.
        """
        ...


ROOM_FOR_TEXT = 84
"""Pixels of the smallest picture that is looked at: two letters of 5x7 and the space beside them. In less, a detector
takes a plain gradient for a letter, and covers all there is."""


@runtime_checkable
class Glances(Protocol):
    """An `Ocr` that can look at a picture briefly too: at one more window of a frame that it has looked at."""

    def glance(self, picture: Picture, *, read: bool, within: Box | None) -> Sequence[TextLine]:
        """Return the lines of text in a picture, as `Ocr.find` does."""
        ...


NOT_TEXT_CONFIDENCE = 0.35
"""A doubtful box that reads worse than this is no text."""
OBJECT_SIZE = 0.2
"""A box wider and taller than this part of the picture's short side is an object, unless it reads as a word."""
OBJECT_PIXELS = 56
"""And than this: in a tiny picture text is large. It is the whole bound for a box the detector doubts."""
WORD_LENGTH = 3
WORD_CONFIDENCE = 0.8
"""An object-sized box is text when it reads as this many characters, this well."""
ON_OBJECT_CONFIDENCE = 0.9
"""So is a doubtful box on an object, when it reads this well: an object's texture has specks that look like digits."""
LARGEST_LETTERS = 0.4
"""What takes a larger part of the picture, and reads as no word, is its subject: a head in a CT reads as an O."""
SURE_SHAPE = 0.85
"""From this score on, what is not level, or as large as an object, may be text unread: a spine scores .82."""
CLOSER = 1.5
"""What is doubtful is looked at once more, so many times as large,"""
ALONG = 4
"""with so many times its height to both sides."""
COARSE = 0.5
"""A coarse look's scale: it finds what is large or alone for its surroundings."""
SURE_OF_SCOUT = 0.85
"""From this score on a scout's line is text: so are 98 of 100 lines, and a tenth of the specks."""
HINT_ROOM = 96
"""Pixels around a hint that are looked at with it; or its height, if that is more. A network that sees less around it
takes more for text: with 32, 2 % more of what was covered in the benchmark was none, and with 64 the colors of a
Doppler image were a line."""
SWOLLEN = 0.2
"""A line that a look swells to the size of an object takes no larger part of a picture; a head in a CT does."""
SMALL_SCALE = 3.0
"""Enlargement of what may be small print,"""
SMALL_ROOM = 16
"""with so many pixels of its surroundings;"""
SMALL_LINE = 20
"""Thicker boxes are dropped: larger lines are found without enlargement, and enlarged anatomy looks like text."""
NEARLY_ALL = 0.7
"""Where hints and their surroundings take a larger part of a picture, all of it is looked at again."""
BRIGHT = 128
"""A page is brighter than this in the middle: what the networks were trained on."""
GLYPH_MARGIN = 6
"""Its box is grown by its height over this, and two pixels: smoothed edges."""
MAX_UPSCALE = 4.0
SMALL_SIDE = 480
"""A picture whose short side is smaller is looked at enlarged."""
LARGE_SIDE = 1280
"""A picture whose long side is larger is looked at reduced: text that is meant to be read grows with it."""
SMALLEST_SCALE = 0.5
"""But never by more than this: 12-pixel text stays findable."""


class OnnxOcr:
    """The engine's own OCR: PP-OCR's detector and recognizer on onnxruntime.

    A dark picture is looked at as writing on a bright page; where that look left a hint of text and found none, as it
    is; and all of it at half the size. Each look finds what the others overlook. Boxes the detector doubts are read,
    and dropped when they surely are no text; around the others it looks closer. Where there are many, as in speckle,
    only those count that the look at half the size supports. Characters that the detector overlooks because they stand
    alone, or at the end of a line, are found by their ink.

    Its state is its arguments; the models are loaded at the first use, once a process.

    Args:
        models: A folder with the model files; by default the installed packages are searched.
        thorough: Look at twice the scale too, with every installed detector, and at the picture turned by 90°: for
            tiny, faint and rotated text, at five times the time or more. No scout is used.
        scout: Have a smaller detector look first, where a known one is installed: as many lines are found, in a half
            to two thirds of the time. Without one nothing changes.
        providers: onnxruntime's execution providers, the first that can do a part does it: with ``onnxruntime-gpu``
            ``("CUDAExecutionProvider", "CPUExecutionProvider")``. Other processors round otherwise: results are the
            same from run to run on one kind of machine only, and a warning names the provider.

    Raises:
        ModelNotFoundError: No model is installed.
        ConfigError: A provider is not in the installed onnxruntime.
    """

    def __init__(
        self,
        models: str | os.PathLike[str] | None = None,
        *,
        thorough: bool = False,
        scout: bool = True,
        providers: Sequence[str] = CPU,
    ) -> None:
        self._models = models
        self.providers = used = check_providers(providers)
        self._thorough = thorough
        self._scouts = scout
        self._detector = Detector(find_model(Role.DETECTOR, models).path, used)
        self._reader = Reader(Recognizer(find_model(Role.RECOGNISER, models).path, used))
        others = [Detector(found.path, used) for found in find_models(Role.DETECTOR, models)] if thorough else []
        self._detectors = tuple(others)
        found = self._found_scout
        self._scout = Detector(found.path, used) if found else None

    def __reduce__(self) -> tuple[Any, ...]:
        # Where the models are is found anew on the other machine.
        return _remake, (self._models, self._thorough, self._scouts, self.providers)

    @property
    def _found_scout(self) -> FoundModel | None:
        wanted = self._scouts and not self._thorough
        return next(iter(find_models(Role.SCOUT, self._models)), None) if wanted else None

    @property
    def versions(self) -> dict[str, str]:
        """The models in use: family and the first digits of the SHA-256."""
        used = {role: find_model(role, self._models).model for role in (Role.DETECTOR, Role.RECOGNISER)}
        found = {f"text {role}": _version(model) for role, model in used.items()}
        if (scout := self._found_scout) is not None:
            found["text scout"] = _version(scout.model)
        if self._thorough:
            others = find_models(Role.DETECTOR, self._models)
            found["text detectors, thorough"] = ", ".join(_version(other.model) for other in others)
        return found

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        """Return the lines of text in a picture."""
        rows, columns = picture.shape[:2]
        if rows * columns < ROOM_FOR_TEXT:
            return []
        scale, page = scale_for(picture), as_page(picture)
        area = within or _all_of(picture)
        found = self._texts(picture, self._looks(picture, page, scale, area))
        doubtful = [scored.box for scored in found if scored.score < SURE_SCORE]
        closer = self._look_closer((page,) if page is picture else (page, picture), area, scale, doubtful)
        found += unknown(self._texts(picture, closer), found)
        found = self._completed(picture, area, scale, as_lines(without_duplicates(found)))
        return [self._line(picture, scored, read=read) for scored in found]

    def glance(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        """Return the lines of text that the first look at a picture finds."""
        looks = self._looks(picture, as_page(picture), scale_for(picture), within or _all_of(picture))
        found = as_lines(self._texts(picture, islice(looks, 1)))
        return [self._line(picture, scored, read=read) for scored in found]

    def _looks(self, picture: Picture, page: Picture, scale: float, area: Box) -> Iterator[list[ScoredBox]]:
        """Yield what is found in an area by each look."""
        edges = _edges(picture, area)
        coarse = self._detector.look(_cut(picture, area), scale * COARSE, edges)
        first = (self._scout or self._detector).look(_cut(page, area), scale, edges)
        first = supported(first, coarse, SURE_OF_SCOUT if self._scout else SURE_SCORE)
        yield [scored.moved(area.left, area.top) for scored in first.lines]
        # A line that this look swells to the size of an object may be a slender one to the next.
        swollen = [scored.box for scored in first.lines if _is_object(scored, picture)]
        hints = [*first.hints, *(box for box in swollen if box.area <= SWOLLEN * area.area)]
        again = _around([hint.moved(area.left, area.top) for hint in hints], area) if page is not picture else []
        for region in again:
            found = self._detector.find(_cut(picture, region), scale, _edges(picture, region))
            yield [scored.moved(region.left, region.top) for scored in found]
        yield [scored.moved(area.left, area.top) for scored in coarse.lines]
        yield from self._small_print(picture, page, area, first.lines)
        if self._thorough:
            for look in self._thoroughly(_cut(picture, area), _cut(page, area), scale, edges):
                yield [scored.moved(area.left, area.top) for scored in look]

    def _small_print(
        self, picture: Picture, page: Picture, area: Box, known: Sequence[ScoredBox]
    ) -> Iterator[list[ScoredBox]]:
        """Yield what is found where there may be small print, looked at enlarged."""
        sure = [part for scored in known if scored.score >= SURE_SCORE for part in scored.parts]
        words = [word.moved(area.left, area.top) for word in small_print(_cut(picture, area), sure)]
        for region in merged([word.grown(SMALL_ROOM).intersection(area) for word in words]):
            found = self._detector.find(_cut(page, region), SMALL_SCALE, _edges(picture, region))
            yield [scored.moved(region.left, region.top) for scored in found if scored.thickness <= SMALL_LINE]

    def _thoroughly(self, picture: Picture, page: Picture, scale: float, edges: Edges) -> Iterator[list[ScoredBox]]:
        """Yield what is found by the looks of every detector."""
        rows = picture.shape[0]
        turned = np.ascontiguousarray(np.rot90(page, -1))  # clockwise: the left column becomes the top row
        for one in self._detectors:
            for shown in (page, picture):
                yield one.find(shown, scale, edges)
                yield one.find(shown, scale * 2, edges)
            yield [scored.turned_back(rows) for scored in one.find(turned, scale)]

    def _look_closer(
        self, shown: Iterable[Picture], area: Box, scale: float, doubtful: Sequence[Box]
    ) -> Iterator[list[ScoredBox]]:
        """Yield what is found around doubtful boxes: a line that is hard to see is often found in part."""
        around = [box.grown(ALONG * min(box.width, box.height), min(box.width, box.height)) for box in doubtful]
        for region in merged([box.intersection(area) for box in around]):
            for picture in shown:
                found = self._detector.find(_cut(picture, region), scale * CLOSER, CUT_OUT)
                yield [scored.moved(region.left, region.top) for scored in found]

    def _texts(self, picture: Picture, looks: Iterable[Sequence[ScoredBox]]) -> list[ScoredBox]:
        """Return what is text of what the looks found."""
        found: list[ScoredBox] = []
        objects: list[Box] = []
        for look in looks:
            texts: list[ScoredBox] = []
            for scored in look:
                # An object is judged by itself, at once: text that is written on it lies inside its box.
                if _is_object(scored, picture) and not self._is_writing(picture, scored):
                    objects.append(scored.box)
                else:
                    texts.append(scored)
            found += unknown(texts, found)
        return [scored for scored in without_duplicates(found) if self._is_text(picture, scored, objects)]

    def _is_writing(self, picture: Picture, scored: ScoredBox) -> bool:
        """Say whether what has the size of an object is text: size alone does not make it none."""
        if _is_word(self._reader.read(picture, scored).reading, WORD_CONFIDENCE):
            return True
        if scored.score < SURE_SHAPE or scored.box.area > LARGEST_LETTERS * _all_of(picture).area:
            return False
        return is_ink(_cut(picture, scored.box))  # the mask of a liver reads as a P, beyond doubt

    def _is_text(self, picture: Picture, scored: ScoredBox, objects: Sequence[Box]) -> bool:
        if scored.score >= SURE_SCORE:
            return True
        reading = self._reader.read(picture, scored).reading
        if any(box.contains(scored.box) for box in objects) and not _is_word(reading, ON_OBJECT_CONFIDENCE):
            return False
        return reading.confidence >= NOT_TEXT_CONFIDENCE

    def _completed(self, picture: Picture, area: Box, scale: float, found: list[ScoredBox]) -> list[ScoredBox]:
        """Add the characters that stand alone, and those that a line was found without."""
        known = [part.moved(-area.left, -area.top) for scored in found for part in scored.parts]
        rows, columns = picture.shape[:2]
        result = list(found)
        for glyph in glyphs(_cut(picture, area), scale, known):
            box = glyph.moved(area.left, area.top).grown(2 + glyph.height // GLYPH_MARGIN).clipped(columns, rows)
            confidence = self._reader.character(picture, box)
            if confidence < GLYPH_CONFIDENCE:
                continue
            near = [index for index, line in enumerate(result) if not line.strip and in_a_row(line.box, box)]
            if near:
                line = result[near[0]]
                result[near[0]] = replace(line, box=line.box.union(box))
            else:
                result.append(ScoredBox(box, confidence, box))
        return result

    def _line(self, picture: Picture, scored: ScoredBox, *, read: bool) -> TextLine:
        line = TextLine(scored.box, round(scored.score, 4), parts=scored.parts if scored.strip else ())
        if not read:
            return line
        reading, direction, misread = self._reader.read(picture, scored)
        return replace(
            line,
            box=line.box if line.parts else with_ends(scored.box, picture.shape[1], picture.shape[0]),
            text=reading.text,
            text_confidence=round(reading.confidence, 4),
            positions=reading.positions,
            direction=direction,
            weakest=round(reading.weakest, 4),
            misread=misread,
        )


def _version(model: KnownModel) -> str:
    return f"{model.family} {model.sha256[:16]}"


def _remake(models: str | os.PathLike[str] | None, thorough: bool, scout: bool, providers: tuple[str, ...]) -> OnnxOcr:
    return OnnxOcr(models, thorough=thorough, scout=scout, providers=providers)


def _is_object(scored: ScoredBox, picture: Picture) -> bool:
    side = max(OBJECT_PIXELS, OBJECT_SIZE * min(picture.shape[0], picture.shape[1]))
    if scored.strip is not None:
        return scored.score < SURE_SHAPE or scored.thickness > OBJECT_PIXELS
    return scored.thickness > (side if scored.score >= SURE_SCORE else OBJECT_PIXELS)


def _is_word(reading: Reading, confidence: float) -> bool:
    return len(reading.text) >= WORD_LENGTH and reading.confidence >= confidence


def scale_for(picture: Picture) -> float:
    """Return how many times its size a picture is looked at."""
    rows, columns = picture.shape[:2]
    short, long = int(min(rows, columns)), int(max(rows, columns))
    if long > LARGE_SIDE:
        return max(SMALLEST_SCALE, LARGE_SIDE / long)
    return max(1.0, min(MAX_UPSCALE, SMALL_SIDE / short, LARGE_SIDE / long))


def as_page(picture: Picture) -> Picture:
    """Return a picture as writing on a bright page: a dark one is inverted."""
    sample = picture.reshape(-1, 3)[:: max(1, picture.size // 30000)]
    return picture if np.median(sample) >= BRIGHT else 255 - picture


def _around(hints: Sequence[Box], area: Box) -> list[Box]:
    """Return the parts of an area that are looked at for its hints."""
    grown = [hint.grown(max(HINT_ROOM, hint.height)).intersection(area) for hint in hints]
    regions = merged(grown)
    return [area] if sum(region.area for region in regions) > NEARLY_ALL * area.area else regions


def _edges(picture: Picture, area: Box) -> Edges:
    return Edges(area.left == 0, area.top == 0, area.right == picture.shape[1], area.bottom == picture.shape[0])


def _all_of(picture: Picture) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


def _cut(picture: Picture, box: Box) -> Picture:
    return np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
