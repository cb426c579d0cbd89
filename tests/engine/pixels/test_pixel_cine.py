from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from healthcare_deid.engine.pixels import Box, OnnxOcr, TextLine
from healthcare_deid.engine.pixels.find.cine import Look, changes, in_every_frame, steps
from healthcare_deid.engine.pixels.find.components import component_boxes


@dataclass
class Loop:
    """Frames in memory."""

    data: NDArray[np.uint8]

    @property
    def count(self) -> int:
        return len(self.data)

    @property
    def columns(self) -> int:
        return int(self.data.shape[2])

    def words(self, index: int) -> NDArray[np.uint8]:
        return np.asarray(self.data[index])

    def pictures(self, words: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        return [np.repeat(words[:, :, np.newaxis], 3, axis=2)]


@dataclass
class EveryBlob:
    """Finds each bright blob as a line of its own, and remembers where it looked."""

    looked_at: list[Box]

    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Box | None = None) -> list[TextLine]:
        del read
        area = within or Box(0, 0, picture.shape[1], picture.shape[0])
        self.looked_at.append(area)
        part = picture[area.top : area.bottom, area.left : area.right, 0] > 200
        return [TextLine(component.box.moved(area.left, area.top)) for component in component_boxes(part)]


def _found(data: NDArray[np.uint8], workers: int = 1) -> tuple[list[set[Box]], list[Box]]:
    ocr = EveryBlob([])
    lines = Look(ocr, read=False, workers=workers).frames(Loop(data))
    return [{line.box for line in of_frame} for of_frame in lines], ocr.looked_at


def _one_by_one(data: NDArray[np.uint8]) -> list[set[Box]]:
    return [_found(frame[np.newaxis])[0][0] for frame in data]


@pytest.fixture
def still() -> NDArray[np.uint8]:
    """Forty equal frames with a line of text."""
    data = np.zeros((40, 120, 160), np.uint8)
    data[:, 10:20, 30:90] = 255
    return data


def test_text_that_does_not_move_is_looked_for_once(still: NDArray[np.uint8]) -> None:
    boxes, looked_at = _found(still)
    assert boxes == [{Box(30, 10, 90, 20)}] * 40
    assert looked_at == [Box(0, 0, 160, 120)]


def test_a_frame_that_changed_is_looked_at_where_it_changed(still: NDArray[np.uint8]) -> None:
    still[5:, 100:104, 130:140] = 255
    boxes, looked_at = _found(still)
    assert boxes[4] == {Box(30, 10, 90, 20)}
    assert boxes[5] == {Box(30, 10, 90, 20), Box(130, 100, 140, 104)}
    assert looked_at[1].area < 160 * 120 / 3


def test_text_that_vanishes_is_gone_from_the_frames_after(still: NDArray[np.uint8]) -> None:
    still[7:] = 0
    boxes, _ = _found(still)
    assert boxes[6] == {Box(30, 10, 90, 20)}
    assert boxes[7] == set()


def test_a_line_that_changed_in_part_is_looked_at_as_a_whole(still: NDArray[np.uint8]) -> None:
    still[3:, 10:20, 88:118] = 255
    boxes, _ = _found(still)
    assert boxes[3] == {Box(30, 10, 118, 20)}


@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_looking_at_every_frame_finds_is_missed(seed: int) -> None:
    noise = np.random.default_rng(seed)
    data = np.zeros((44, 96, 128), np.uint8)
    for _ in range(25):  # text that comes, moves a little and goes, among moving dim speckle
        frame, y, x = noise.integers(0, len(data) - 6), noise.integers(0, 84), noise.integers(0, 90)
        for step in range(noise.integers(1, 6)):
            data[frame + step, y : y + 8, x + step : x + step + 30] = 255
    data[:, 60:, 60:] = np.maximum(data[:, 60:, 60:], noise.integers(0, 120, (len(data), 36, 68)).astype(np.uint8))
    followed, _ = _found(data)
    assert followed == _one_by_one(data)


def test_the_number_of_threads_changes_nothing(still: NDArray[np.uint8]) -> None:
    data = np.concatenate([still, np.roll(still, 17, axis=2), still[:, ::-1]])
    assert _found(data, workers=1)[0] == _found(data, workers=4)[0]


def test_equal_frames_far_apart_are_looked_at_once(still: NDArray[np.uint8]) -> None:
    other = still[:3].copy()
    other[:, 60:70, 10:50] = 255
    boxes, looked_at = _found(np.concatenate([still[:3], other, still[:3], other]))
    assert boxes[3] == boxes[9]
    assert len(looked_at) == 2


def test_a_blank_frame_is_not_looked_at() -> None:
    assert _found(np.full((3, 40, 40), 7, np.uint8))[1] == []


def test_boxes_of_one_frame_can_be_asked_for_in_all(still: NDArray[np.uint8]) -> None:
    still[5, 60:70, 10:50] = 255
    lines = Look(EveryBlob([]), read=False).frames(Loop(still))
    union = [{line.box for line in of_frame} for of_frame in in_every_frame(lines)]
    assert union == [{Box(30, 10, 90, 20), Box(10, 60, 50, 70)}] * 40


@pytest.mark.slow
def test_the_engines_own_ocr_finds_what_comes_and_goes_over_moving_tissue_as_it_does_frame_by_frame(drawn: Any) -> None:
    noise = np.random.default_rng(11)
    words = ("RIVERA ANA", "MRN204816", "07/09/1961", "OKAFOR D", "10:42:07", "LEFT")
    background = np.maximum(drawn((20, 20, "GENERAL HOSPITAL"), size=(448, 320), height=16, back=0), 15)
    frames = np.repeat(background[np.newaxis], 14, axis=0)
    frames[:, 120:230] += noise.integers(0, 50, (14, 110, 448)).astype(np.uint8)
    ink: list[tuple[int, Any]] = []
    for index in range(1, 14):
        place = int(noise.integers(10, 250)), int(noise.integers(125, 200)) if index % 2 else 270, words[index % 6]
        text = drawn(place, size=(448, 320), height=int(noise.integers(12, 24)), back=0)
        frames[index] = np.maximum(frames[index], text)
        ink.append((index, text > 128))
    ocr = OnnxOcr()
    looks = {
        "followed": Look(ocr, read=False).frames(Loop(frames)),
        "one by one": [Look(ocr, read=False).frames(Loop(frame[np.newaxis]))[0] for frame in frames],
    }
    covered = {name: [_part_covered(lines[index], mask) > 0.9 for index, mask in ink] for name, lines in looks.items()}
    assert sum(covered["one by one"]) >= 12  # the text can be found
    assert [by for by, alone in zip(covered["followed"], covered["one by one"], strict=True) if alone and not by] == []


def _part_covered(lines: list[TextLine], ink: NDArray[np.bool_]) -> float:
    mask = np.zeros(ink.shape, bool)
    for line in lines:
        mask[line.box.top : line.box.bottom, line.box.left : line.box.right] = True
    return float(mask[ink].mean())


def test_frames_that_all_differ_from_the_first_but_not_from_each_other_get_a_reference_of_their_own() -> None:
    noise = np.random.default_rng(4)
    data = np.zeros((40, 100, 100), np.uint8)
    data[1:, :50] = 90  # half of it changes once, and a little all the time
    data[:, 80:90, 80:90] = noise.integers(0, 99, (40, 10, 10))
    plan = list(steps(data, 100))
    own = [step.frame for step in plan if step.reference == step.frame]
    assert len(own) == 2
    assert own[1] <= 4
    assert all(sum(box.area for box in step.changed) <= 100 for step in plan[own[1] :])


def test_a_pixel_that_changed_is_in_a_box_and_what_is_around_it_in_none() -> None:
    before, now = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    now[17, 30], now[18, 33] = 1, 1
    assert changes(before, now, 64) == (Box(30, 17, 34, 19),)


def test_a_change_in_shared_chroma_is_located_in_columns_of_the_picture() -> None:
    before, now = np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 4), np.uint8)
    now[10, 40, 3] = 1
    assert changes(before, now, 128) == (Box(80, 10, 82, 11),)


def test_a_line_beside_a_change_is_not_looked_at_again_and_not_found_in_part(still: NDArray[np.uint8]) -> None:
    still[5:, 26:30, 60:64] = 255  # six rows below the line: in what is looked at with the change
    boxes, looked_at = _found(still)
    assert looked_at[1].top < 20
    assert boxes[5] == {Box(30, 10, 90, 20), Box(60, 26, 64, 30)}


def test_four_samples_a_pixel_are_not_taken_for_pairs_of_columns() -> None:
    before, now = np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 4), np.uint8)
    now[3, 20, 1] = 1
    assert changes(before, now, 32) == (Box(20, 3, 21, 4),)
