import pytest

from healthcare_deid.engine.pixels import Box, TextLine
from healthcare_deid.engine.pixels.find.variants import variants


def _spellings(text: str, positions: tuple[float, ...] = ()) -> list[str]:
    return [variant.text for variant in variants(TextLine(Box(0, 0, 100, 10), text=text, positions=positions))]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ("06/07/202110:42", "06/07/2021 10:42"),
        ("Klaus M calli ster", "KlausMcallister"),
        ("Born 19800 408", "Born19800408"),
        ("RIVERA1961", "RIVERA 1961"),
        ("RiveraAna", "Rivera Ana"),
    ],
)
def test_a_spelling_with_other_spaces_is_among_them(read: str, said: str) -> None:
    assert said in _spellings(read)


def test_what_was_read_comes_first_and_no_spelling_twice() -> None:
    assert _spellings("AP") == ["AP"]


def test_a_wide_gap_between_characters_is_a_space() -> None:
    assert "AB CD" in _spellings("ABCD", (0.05, 0.15, 0.6, 0.7))


def test_a_span_of_a_spelling_is_found_in_what_was_read() -> None:
    text = "Born 19800 408"
    joined = next(item for item in variants(TextLine(Box(0, 0, 9, 9), text=text)) if item.text == "Born19800408")
    start, end = joined.span(4, 12)
    assert text[start:end] == "19800 408"
