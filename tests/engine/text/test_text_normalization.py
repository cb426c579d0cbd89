"""Text in any Unicode form: full width, decomposed, with invisible characters; and very long text."""
# ruff: noqa: RUF001 - characters that look like others are what is tested

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.find.normalization import normalize_text
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    import random

Found = Callable[[InstanceText, str], list[tuple[str, str]]]

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202e\u2066\u2069"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Lind\u200bqvist seen", "Lind\u200bqvist"),
        ("L\u00adi\u00adndqvist\u200d", "L\u00adi\u00adndqvist\u200d"),
        ("\u202eLindqvist\u202c", "Lindqvist\u202c"),
        ("Ｌｉｎｄｑｖｉｓｔ", "Ｌｉｎｄｑｖｉｓｔ"),
        ("Li\u0301ndqvist", "Li\u0301ndqvist"),
        ("Maria\u00a0Lindqvist", "Maria\u00a0Lindqvist"),
        ("the ﬁlms of Lindqvist", "Lindqvist"),
        ("MRN２０４８１６ again", "MRN２０４８１６"),
        ("born ０９/０７/１９６１", "０９/０７/１９６１"),
        ("call (555)\u2011010\u20114477", "(555)\u2011010\u20114477"),
    ],
)
def test_findings_do_not_depend_on_how_a_text_was_typed(
    known: InstanceText, found: Found, text: str, finding: str
) -> None:
    assert finding in [stretch for stretch, _ in found(known, text)]


@given(st.lists(st.sampled_from(INVISIBLE), max_size=6), st.randoms(use_true_random=False))
def test_invisible_characters_hide_nothing(invisible: list[str], rng: random.Random) -> None:
    letters = list("Dr. Kowalski, 2021-03-04")
    for character in invisible:
        letters.insert(rng.randrange(len(letters) + 1), character)
    text = TextEngine(TextPlan()).bind(Dataset())
    value = text.transform("".join(letters), "LO").value
    assert "owals" not in normalize_text(value).text
    assert "2021-03-04" not in normalize_text(value).text


@given(st.text(max_size=60))
def test_every_place_in_a_reading_is_one_in_the_text(text: str) -> None:
    reading = normalize_text(text)
    if reading.starts is None:
        assert reading.text == text
        return
    assert len(reading.starts) == len(reading.text) + 1
    assert list(reading.starts) == sorted(reading.starts)
    assert reading.starts[-1] == len(text)
    whole = reading.in_original(Match(0, len(reading.text), "X"))
    hidden = {"Cf", "Mn", "Mc", "Me"}
    assert all(unicodedata.category(character) in hidden for character in text[: whole.start])


# U+0149 is an apostrophe and a letter in one, and apostrophes become the ordinary one.
@example("\u0149\u00a0")
@given(st.text(alphabet=st.characters(max_codepoint=0x24F, exclude_categories=["Cf"], exclude_characters="\u0149")))
def test_reading_ordinary_text_changes_no_letter(text: str) -> None:
    plain = unicodedata.normalize("NFKC", text).replace("\u02bc", "'")
    assert normalize_text(text).text == plain or normalize_text(text).starts is None


def test_a_date_in_digits_of_another_script_is_shifted_and_written_in_plain_ones() -> None:
    config = DeidentifyConfig.builder().shift_dates("DATE", crypto_key=bytes(32)).build()
    text = TextEngine(compile_text(config)).bind(Dataset())
    plain = text.transform("seen 2021-03-04", "LO").value
    assert text.transform("seen ２０２１-０３-０４", "LO").value == plain
    assert text.transform("seen ٢٠٢١-٠٣-٠٤", "LO").value == plain


def test_words_that_no_list_covers_are_left_with_a_warning(known: InstanceText) -> None:
    result = known.transform("山田太郎 CT 2021-03-04", "LO")
    assert "山田太郎" in result.value
    assert any("non-Latin script" in warning for warning in result.warnings)
    assert known.transform("Schädel nativ", "LO").warnings == ()


class Counting:
    """A detector that finds nothing and counts what it is given."""

    info_types = frozenset({"NOTHING"})
    rank = 5

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def find(self, text: str) -> list[Match]:
        self.lengths.append(len(text))
        return []


@pytest.mark.parametrize("size", [10_000, 100_000, 1_000_000])
def test_detectors_are_given_pieces_of_bounded_length_so_that_time_grows_with_the_text_and_no_faster(size: int) -> None:
    counting = Counting()
    engine = TextEngine(TextPlan(), detectors=[counting])
    engine.bind(Dataset()).find("=" * size)
    assert max(counting.lengths) <= 4096
    assert sum(counting.lengths) <= 1.3 * size


ADVERSARIES = {
    "digits": "1",
    "digits and spaces": "1 ",
    "digits and hyphens": "12-",
    "dates that do not end": "01/01/",
    "capitals": "A",
    "names": "Anna ",
    "names and commas": "Kowalski, Anna ",
    "carets": "A^",
    "at": "a@",
    "domains": "a.a@a.",
    "colons": "a:",
    "titles": "Dr. ",
    "labels": "name: ",
    "hospitals": "St. Mary Hospital of ",
    "places": "lives in A ",
    "particles": "van der ",
    "combining": "e\u0301",
    "full width": "１",
    "zero width": "a\u200b",
    "urls": "http://a/",
    "months": "4 July ",
    "accounts": "DE89 3704 ",
    "the patient's name": "LINDQVIST ",
    "the patient's number": "MRN204816",
}


def _repeated(kind: str, size: int) -> str:
    return (ADVERSARIES[kind] * (size // len(ADVERSARIES[kind]) + 1))[:size]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADVERSARIES)
def test_a_long_text_of_one_thing_takes_seconds(known: InstanceText, kind: str) -> None:
    begun = time.process_time()
    known.find(_repeated(kind, 50_000))
    assert time.process_time() - begun < 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["digits", "the patient's number"])
def test_a_megabyte_of_one_thing_takes_no_more_for_each_of_its_parts(known: InstanceText, kind: str) -> None:
    begun = time.process_time()
    known.find(_repeated(kind, 1_000_000))
    assert time.process_time() - begun < 100
