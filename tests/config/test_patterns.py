import pickle
import sys
import time

import pytest

from healthcare_deid.config.patterns import compile_pattern, group_count
from healthcare_deid.errors import MissingExtraError


@pytest.mark.parametrize(
    "pattern", ["(?<=MRN )1", r"(a)\1", "a++", "(a", r"\d{1,2000}", "(?>a)", "[b-a]", "\ud800", "((a{500}){500}){500}"]
)
def test_the_error_for_a_pattern_that_re2_refuses_does_not_quote_it(
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


def test_a_compiled_pattern_can_be_pickled_to_another_process() -> None:
    pattern = pickle.loads(pickle.dumps(compile_pattern("(?i)mrn[: ]*([0-9]+)")))
    (match,) = pattern.finditer("x MRN: 42")
    assert match.span(1) == (7, 9)


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        (r"(\d+)-(\d+)", 2),
        (r"\pL+(\z)", 1),
        ("[[:alpha:]]+", 0),
        ("(?U)a+(b)", 1),
        (r"\QDr. (x\E(b)", 1),
        (r"\Q(a)(", 0),
        (r"\\Q(a)", 1),
        (r"\\z(a)", 1),
        ("(?<name>a)(?P<other>b)", 2),
        (r"[\x{41}-\x{10FFFF}](a)", 1),
        ("(a)(?i)b(?-s:c)(?s)", 1),
        (r"\(\?=(a)", 1),
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_groups_are_counted_with_and_without_re2(
    pattern: str, groups: int, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "re2", None)
    assert group_count(pattern) == groups


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "a++", "(?>a)", "(", "(?#a)", r"a\Z", "(?x)a", "(?a:b)", "\ud800"]
)
@pytest.mark.parametrize("installed", [True, False])
def test_syntax_that_re2_lacks_is_refused_with_and_without_re2(
    pattern: str, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ValueError, match="RE2 refuses"):
        group_count(pattern)


def test_a_pattern_is_carried_out_by_re2_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(MissingExtraError, match=r"healthcare-deid\[local\]"):
        compile_pattern("a")
