"""The `Ocr` protocol and the engine's own implementation, `OnnxOcr`."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from healthcare_deid.engine.geometry import Box, merged
from healthcare_deid.engine.pixels.find.detector import (
    CUT_OUT,
    OBJECT_PIXELS,
    SURE_SCORE,
    Detector,
    Edges,
    Look,
    ScoredBox,
    object_thickness,
)
from healthcare_deid.engine.pixels.find.findings import as_lines, unknown, without_duplicates
from healthcare_deid.engine.pixels.find.glyphs import glyphs, in_a_row
from healthcare_deid.engine.pixels.find.ink import is_ink
from healthcare_deid.engine.pixels.find.models import (
    CPU,
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
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Picture


class Ocr(Protocol):
    """Finds text in a picture. Any OCR can replace the engine's own; it is called from several threads."""

    def find(self, picture: Picture, *, read: bool, within: Box | None) -> Sequence[TextLine]:
        """Return the lines of text in a picture.

        Args:
            picture: 8 bit, shape (rows, columns, 3), RGB.
            read: Whether `TextLine.text` is needed; if not, bounding boxes are enough.
            within: The only region to search; the rest is unchanged since the reference frame. None searches the whole
                picture. Returned boxes are always in the coordinates of the whole picture.
        """
        ...


ROOM_FOR_TEXT = 84
"""Smallest picture searched, in pixels: two characters of 5x7 and the space around them. In smaller pictures the
detector takes a plain gradient for a character and covers everything."""


@runtime_checkable
class Glances(Protocol):
    """An `Ocr` with a quick mode, used for further display windows of a frame it has already searched."""

    def glance(self, picture: Picture, *, read: bool, within: Box | None) -> Sequence[TextLine]:
        """Return the lines of text in a picture, as `Ocr.find` does."""
        ...


NOT_TEXT_CONFIDENCE = 0.35
"""A doubtful box read with a lower confidence than this is dropped."""
WORD_LENGTH = 3
"""Fewest characters that count as a word."""
WORD_CONFIDENCE = 0.8
"""An object-sized box is text if it reads as a word with this confidence."""
ON_OBJECT_CONFIDENCE = 0.9
"""A doubtful box inside an object is text if it reads as a word with this confidence. The bound is higher because the
texture of objects has specks that look like digits."""
LARGEST_LETTERS = 0.4
"""Largest fraction of the picture that a box may cover without reading as a word: a head in a CT reads as an O."""
SURE_SHAPE = 0.85
"""Score from which a slanted or object-sized box may be text even if it cannot be read. A spine scores 0.82."""
CLOSER = 1.5
"""Scale factor of the second look around a doubtful box."""
ALONG = 4
"""Context on both sides of a doubtful box, in box heights: a faint line is often found only in part."""
COARSE = 0.5
"""Scale factor of the coarse look, which finds large and isolated text."""
SURE_OF_SCOUT = 0.85
"""Scout score from which a line is text. 98 of 100 lines reach it, and one in ten specks."""
HINT_ROOM = 96
"""Context around a hint, in pixels; the hint's height if that is larger. With less context the network sees more false
text: at 32, 2 % more of the covered area of the benchmark was not text, and at 64 the colors of a Doppler image became
a line."""
SWOLLEN = 0.2
"""Largest fraction of a picture that an object-sized line may cover to be searched again. A head in a CT is larger."""
SMALL_SCALE = 3.0
"""Scale factor for regions that may hold small print."""
SMALL_ROOM = 16
"""Context around possible small print, in pixels."""
SMALL_LINE = 20
"""Thickest line kept from an enlarged look, in pixels. Larger lines are found without enlargement, and enlarged anatomy
looks like text."""
NEARLY_ALL = 0.7
"""Fraction of a picture from which the whole of it is searched again, rather than the regions around its hints."""
BRIGHT = 128
"""Median gray level from which a picture counts as a bright page, which is what the networks were trained on."""
BLIND_EDGE = 8
"""Width of the picture's margin, in pixels, in which the detector may give no hint of a character."""
GLYPH_MARGIN = 6
"""A character's box is grown by its height divided by this, plus two pixels, to cover smoothed edges."""
MAX_UPSCALE = 4.0
"""Largest scale factor for a small picture."""
SMALL_SIDE = 480
"""Short side, in pixels, below which a picture is enlarged."""
LARGE_SIDE = 1280
"""Long side, in pixels, above which a picture is reduced: legible text grows with the picture."""
SMALLEST_SCALE = 0.5
"""Smallest scale factor for a large picture: text of 12 pixels can still be found at it."""


class OnnxOcr:
    """The engine's own OCR: PP-OCR's detector and recognizer on onnxruntime.

    The detector runs several times, because each pass finds text that the others overlook. A dark picture is first
    inverted, to look like a printed page. Regions where that pass saw a hint but no line are searched again without
    inversion. The whole picture is also searched at half the size. Doubtful boxes are read, and dropped if they are
    clearly not text; the detector searches the surroundings of the rest once more. If there are many of them, as in
    speckle, only those that the half-size pass supports are kept. Isolated characters and characters at the end of a
    line, which the detector overlooks, are found by their ink.

    An instance holds its arguments only. Models are loaded at first use, once per process.

    Args:
        models: Folder with the model files; by default the installed packages are searched.
        thorough: Also search at twice the scale, with every installed detector, and with the picture rotated by 90°.
            Finds more tiny, faint and rotated text in at least five times the time.
        scout: Run a smaller detector first, and the full one where that is in doubt. Ordinary text is found as well, in
            about two thirds of the time; of faint text, 4 % less. Not together with ``thorough``.
        providers: onnxruntime's execution providers, in order of preference, such as
            ``("CUDAExecutionProvider", "CPUExecutionProvider")`` with ``onnxruntime-gpu``. Providers round
            differently, so results are reproducible on one kind of machine only; a warning names the provider.

    Raises:
        ModelNotFoundError: No model is installed.
        ConfigError: The installed onnxruntime lacks one of the providers.
    """

    def __init__(
        self,
        models: str | os.PathLike[str] | None = None,
        *,
        thorough: bool = False,
        scout: bool = False,
        providers: Sequence[str] = CPU,
    ) -> None:
        self._models = models
        self.providers = used = check_providers(providers)
        self._thorough = thorough
        self._scouts = scout
        if scout and thorough:
            raise ConfigError("scout saves time and thorough spends it: choose one of them")
        self._detector = Detector(find_model(Role.DETECTOR, models).path, used)
        self._reader = Reader(Recognizer(find_model(Role.RECOGNISER, models).path, used))
        others = [Detector(found.path, used) for found in find_models(Role.DETECTOR, models)] if thorough else []
        self._detectors = tuple(others)
        self._scout = Detector(find_model(Role.SCOUT, models).path, used) if scout else None

    def __reduce__(self) -> tuple[Any, ...]:
        # The unpickling machine looks for the model files again: their paths may differ there.
        return _remake, (self._models, self._thorough, self._scouts, self.providers)

    @property
    def versions(self) -> dict[str, str]:
        """Models in use: family and the first 16 hex digits of the SHA-256."""
        roles = [role for role in Role if role is not Role.SCOUT or self._scouts]
        used = {role: find_model(role, self._models).model for role in roles}
        found = {f"text {role}": _version(model) for role, model in used.items()}
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
        first, coarse = self._first_looks(picture, page, scale, area)
        found = self._texts(picture, self._looks(picture, page, scale, area, first, coarse))
        doubtful = [scored.box for scored in found if scored.score < SURE_SCORE]
        closer = self._look_closer((page,) if page is picture else (page, picture), area, scale, doubtful)
        found += unknown(self._texts(picture, closer), found)
        # A scout overlooks characters without giving a hint.
        seen = None if self._scout else [box.moved(area.left, area.top) for box in (*first.places, *coarse.places)]
        found = self._completed(picture, area, scale, as_lines(without_duplicates(found)), seen)
        return [self._line(picture, scored, read=read) for scored in found]

    def glance(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        """Return the lines of text that the first pass of the detector finds."""
        area, scale, page = within or _all_of(picture), scale_for(picture), as_page(picture)
        looks = self._looks(picture, page, scale, area, *self._first_looks(picture, page, scale, area))
        found = as_lines(self._texts(picture, islice(looks, 1)))
        return [self._line(picture, scored, read=read) for scored in found]

    def _first_looks(self, picture: Picture, page: Picture, scale: float, area: Box) -> tuple[Look, Look]:
        """Return the look at an area in full size, and the coarse one."""
        edges = _edges(picture, area)
        first = (self._scout or self._detector).look(_cut(page, area), scale, edges)
        return first, self._detector.look(_cut(picture, area), scale * COARSE, edges)

    def _looks(
        self, picture: Picture, page: Picture, scale: float, area: Box, first: Look, coarse: Look
    ) -> Iterator[list[ScoredBox]]:
        """Yield the detections of each pass over an area."""
        edges = _edges(picture, area)
        first = supported(first, coarse, SURE_OF_SCOUT if self._scout else SURE_SCORE)
        yield [scored.moved(area.left, area.top) for scored in first.lines]
        # A line detected as thick as an object may come out slender in the next pass.
        swollen = [scored.box for scored in first.lines if _is_object(scored, picture)]
        hints = [
            *first.hints,
            *(coarse.hints if self._scout else ()),
            *(box for box in swollen if box.area <= SWOLLEN * area.area),
        ]
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
        """Yield the detections in enlarged regions that may hold small print."""
        # Small print may be written on an object.
        lines = [scored for scored in known if scored.score >= SURE_SCORE and not _is_object(scored, picture)]
        sure = [part for scored in lines for part in scored.parts]
        words = [word.moved(area.left, area.top) for word in small_print(_cut(picture, area), sure)]
        for region in merged([word.grown(SMALL_ROOM).intersection(area) for word in words]):
            found = self._detector.find(_cut(page, region), SMALL_SCALE, _edges(picture, region))
            yield [scored.moved(region.left, region.top) for scored in found if scored.thickness <= SMALL_LINE]

    def _thoroughly(self, picture: Picture, page: Picture, scale: float, edges: Edges) -> Iterator[list[ScoredBox]]:
        """Yield the detections of every installed detector, at two scales and rotated."""
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
        """Yield the detections around doubtful boxes: often only part of a faint line is found at first."""
        around = [box.grown(ALONG * min(box.width, box.height), min(box.width, box.height)) for box in doubtful]
        for region in merged([box.intersection(area) for box in around]):
            for picture in shown:
                found = self._detector.find(_cut(picture, region), scale * CLOSER, CUT_OUT)
                yield [scored.moved(region.left, region.top) for scored in found]

    def _texts(self, picture: Picture, looks: Iterable[Sequence[ScoredBox]]) -> list[ScoredBox]:
        """Keep only the detections that are text."""
        found: list[ScoredBox] = []
        objects: list[Box] = []
        for look in looks:
            texts: list[ScoredBox] = []
            for scored in look:
                # Objects are set apart before boxes are merged: text written on an object lies inside its box.
                if _is_object(scored, picture) and not self._is_writing(picture, scored):
                    objects.append(scored.box)
                else:
                    texts.append(scored)
            found += unknown(texts, found)
        return [scored for scored in without_duplicates(found) if self._is_text(picture, scored, objects)]

    def _is_writing(self, picture: Picture, scored: ScoredBox) -> bool:
        """Return True if an object-sized detection is text."""
        if _is_word(self._reader.read(picture, scored).reading, WORD_CONFIDENCE):
            return True
        if scored.score < SURE_SHAPE or scored.box.area > LARGEST_LETTERS * _all_of(picture).area:
            return False
        return is_ink(_cut(picture, scored.box))  # the mask of a liver reads as a P with full confidence

    def _is_text(self, picture: Picture, scored: ScoredBox, objects: Sequence[Box]) -> bool:
        if scored.score >= SURE_SCORE:
            return True
        reading = self._reader.read(picture, scored).reading
        if any(box.contains(scored.box) for box in objects) and not _is_word(reading, ON_OBJECT_CONFIDENCE):
            return False
        return reading.confidence >= NOT_TEXT_CONFIDENCE

    def _completed(
        self, picture: Picture, area: Box, scale: float, found: list[ScoredBox], seen: Sequence[Box] | None
    ) -> list[ScoredBox]:
        """Add isolated characters, and characters missing from the ends of lines.

        A shape is read only where the detector had a hint of text, or at the edge. In 609 pictures, 65 of 72
        characters found had a hint, the other 7 lay at the edge, and two thirds of the other shapes had neither.
        """
        known = [part.moved(-area.left, -area.top) for scored in found for part in scored.parts]
        rows, columns = picture.shape[:2]
        result = list(found)
        for glyph in glyphs(_cut(picture, area), scale, known):
            box = glyph.moved(area.left, area.top).grown(2 + glyph.height // GLYPH_MARGIN).clipped(columns, rows)
            if seen is not None and area.grown(-BLIND_EDGE).contains(box) and not any(map(box.overlaps, seen)):
                continue
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
    if scored.strip is not None:
        return scored.score < SURE_SHAPE or scored.thickness > OBJECT_PIXELS
    return scored.thickness > (object_thickness(picture) if scored.score >= SURE_SCORE else OBJECT_PIXELS)


def _is_word(reading: Reading, confidence: float) -> bool:
    return len(reading.text) >= WORD_LENGTH and reading.confidence >= confidence


def scale_for(picture: Picture) -> float:
    """Return the scale factor at which a picture is searched."""
    rows, columns = picture.shape[:2]
    short, long = int(min(rows, columns)), int(max(rows, columns))
    if long > LARGE_SIDE:
        return max(SMALLEST_SCALE, LARGE_SIDE / long)
    return max(1.0, min(MAX_UPSCALE, SMALL_SIDE / short, LARGE_SIDE / long))


def as_page(picture: Picture) -> Picture:
    """Return a picture with a bright background: a dark one is inverted."""
    sample = picture.reshape(-1, 3)[:: max(1, picture.size // 30000)]
    return picture if np.median(sample) >= BRIGHT else 255 - picture


def _around(hints: Sequence[Box], area: Box) -> list[Box]:
    """Return the regions around hints, or the whole area if they cover most of it."""
    grown = [hint.grown(max(HINT_ROOM, hint.height)).intersection(area) for hint in hints]
    regions = merged(grown)
    return [area] if sum(region.area for region in regions) > NEARLY_ALL * area.area else regions


def _edges(picture: Picture, area: Box) -> Edges:
    return Edges(area.left == 0, area.top == 0, area.right == picture.shape[1], area.bottom == picture.shape[0])


def _all_of(picture: Picture) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


def _cut(picture: Picture, box: Box) -> Picture:
    return np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
