from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.text.find.detectors.base import GUESS, MODEL
from healthcare_deid.engine.text.find.spans import join_alike, resolve, without_refuted
from healthcare_deid.engine.text.match import CutMatch, Match
from healthcare_deid.engine.text.windows import windows

TEXT = "abc def, ghi 123 jkl-mno"


def made(start: int, length: int, info_type: str) -> Match:
    return Match(start, min(start + length, len(TEXT)), info_type)


MATCHES = st.builds(made, st.integers(0, len(TEXT) - 1), st.integers(1, 10), st.sampled_from(["A", "B", "C"]))


def places(matches: list[Match]) -> set[int]:
    return {index for match in matches for index in range(match.start, match.end) if TEXT[index].isalnum()}


@given(st.lists(st.tuples(st.integers(0, 9), MATCHES), max_size=12))
def test_every_finding_stays_covered_and_nothing_overlaps(candidates: list[tuple[int, Match]]) -> None:
    resolved = resolve(candidates, TEXT)
    assert places(resolved) == places([match for _, match in candidates])
    assert all(left.end <= right.start for left, right in pairwise(resolved))


def test_the_stronger_finding_gives_the_infotype() -> None:
    assert resolve([(5, Match(0, 7, "A")), (1, Match(4, 7, "B"))], TEXT) == [Match(0, 3, "A"), Match(4, 7, "B")]


def test_a_part_of_a_finding_names_what_covers_the_rest() -> None:
    part, whole = resolve([(5, Match(0, 7, "A")), (1, Match(4, 7, "B"))], TEXT)
    assert isinstance(part, CutMatch)
    assert part.cut_by == "B"
    assert not isinstance(whole, CutMatch)


def test_overlapping_findings_of_one_infotype_become_one() -> None:
    assert resolve([(5, Match(0, 7, "A")), (1, Match(4, 12, "A"))], TEXT) == [Match(0, 12, "A")]


def test_names_that_only_punctuation_separates_become_one() -> None:
    names = [Match(4, 7, "PERSON_NAME"), Match(9, 12, "PERSON_NAME")]
    assert join_alike(names, TEXT) == [Match(4, 12, "PERSON_NAME")]
    dates = [Match(4, 7, "DATE"), Match(9, 12, "DATE")]
    assert join_alike(dates, TEXT) == dates


def test_a_guess_gives_way_to_a_sure_finding_of_another_infotype() -> None:
    guess, sure = (GUESS, Match(0, 3, "PERSON_NAME")), (6, Match(0, 12, "LOCATION"))
    text = "Mercy Hospital"
    assert without_refuted([guess, sure], text) == (sure,)
    assert without_refuted([guess], text) == (guess,)


def test_a_guess_stays_if_a_name_extends_beyond_the_certain_finding() -> None:
    guess, sure = (GUESS, Match(0, 16, "PERSON_NAME")), (8, Match(0, 7, "LOCATION"))
    assert without_refuted([guess, sure], "Houston, Whitney") == (guess, sure)


def test_a_model_gives_way_to_a_rules_guess_of_another_infotype() -> None:
    model, guess = (MODEL, Match(0, 8, "LOCATION")), (GUESS, Match(0, 8, "PERSON_NAME"))
    assert without_refuted([model, guess], "Oyelaran") == (guess,)


@given(st.text("ab ", max_size=12_000))
def test_a_long_text_is_read_in_pieces_that_leave_nothing_out(text: str) -> None:
    end = 0
    for start, piece in windows(text):
        assert start <= end
        assert text[start : start + len(piece)] == piece
        assert len(piece) <= 4096
        end = start + len(piece)
    assert end == len(text)
