import pickle
import time

import pytest

from healthcare_deid.config.patterns import compile_pattern


@pytest.mark.parametrize(
    "pattern", ["(?<=MRN )1", r"(a)\1", "a++", "(a", r"\d{1,2000}", "(?>a)", "[b-a]", "\ud800", "((a{500}){500}){500}"]
)
def test_what_re2_refuses_is_refused_in_words_that_do_not_quote_it(
    pattern: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="RE2") as caught:
        compile_pattern(pattern)
    assert pattern not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_places_are_counted_in_characters() -> None:
    pattern = compile_pattern("(é)(x)?")
    (match,) = pattern.finditer("aßé")
    assert pattern.groups == 2
    assert (match.span(), match.span(1), match.span(2)) == ((2, 3), (2, 3), (-1, -1))


@pytest.mark.parametrize("pattern", [r"(\w+\s?)+:", "(a|a)*b", "(.*)*x", "(a?){40}a{40}$"])
def test_patterns_that_other_engines_never_finish_take_linear_time(pattern: str) -> None:
    compiled, text = compile_pattern(pattern), "DEPARTMENT OF RADIOLOGY aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " * 20
    begun = time.process_time()
    assert not [match for match in compiled.finditer(text) if match.span()[0] == 0]
    assert time.process_time() - begun < 1


def test_a_compiled_pattern_goes_to_another_process() -> None:
    pattern = pickle.loads(pickle.dumps(compile_pattern("(?i)mrn[: ]*([0-9]+)")))
    (match,) = pattern.finditer("x MRN: 42")
    assert match.span(1) == (7, 9)
