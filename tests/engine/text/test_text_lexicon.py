from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from healthcare_deid.engine.text.find import lexicon


def test_the_census_lists_are_read_without_running_the_package_they_come_in() -> None:
    program = (
        "import sys; from healthcare_deid.engine.text.find import lexicon;"
        "assert 'yolanda' in lexicon.first_names() and 'zimmerman' in lexicon.surnames();"
        "assert 'names' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_engine_loads_no_large_list() -> None:
    program = (
        "from healthcare_deid.engine.text import engine; from healthcare_deid.engine.text.find import lexicon;"
        "lists = (lexicon.vocabulary, lexicon.first_names, lexicon.surnames, lexicon.places);"
        "assert not any(item.cache_info().currsize for item in lists)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_census_package_our_own_lists_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    names = lexicon.surnames.__wrapped__()
    assert "okafor" in names
    assert "zimmerman" not in names


@pytest.mark.parametrize(
    ("word", "folded"), [("MÜLLER", "muller"), ("Łukasz", "lukasz"), ("Ångström", "angstrom"), ("ß", "ss")]
)
def test_folding_takes_case_and_accents_away(word: str, folded: str) -> None:
    assert lexicon.fold(word) == folded


@pytest.mark.parametrize("word", ["foley", "graves", "wilson", "baker", "siemens", "topogram", "lspine", "liver"])
def test_eponyms_vendors_and_body_parts_are_words(word: str) -> None:
    assert word in lexicon.vocabulary()


@pytest.mark.parametrize("word", ["smith", "johnson", "maria", "jennifer", "nguyen"])
def test_common_names_are_not_words(word: str) -> None:
    assert word not in lexicon.vocabulary()


def test_every_list_is_folded_and_sorted() -> None:
    for words in (lexicon.vocabulary(), lexicon.first_names(), lexicon.surnames()):
        assert all(lexicon.fold(word) == word for word in words)
    lines = lexicon.data_lines("vocabulary.txt")
    assert " ".join(lines).split() == sorted(" ".join(lines).split())
