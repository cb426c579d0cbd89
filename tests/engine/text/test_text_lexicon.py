from __future__ import annotations

import subprocess
import sys

import pytest

from healthcare_deid.engine.text.find import lexicon


def test_names_of_the_census_and_of_the_world_are_names() -> None:
    assert {"yolanda", "agnieszka", "james"} < lexicon.first_names()
    assert {"zimmerman", "okafor", "smith"} < lexicon.surnames()


def test_the_surnames_of_the_census_are_30000_with_the_most_common_first() -> None:
    ranked = words_of("census_surnames.txt")
    assert ranked[:5] == ["smith", "johnson", "williams", "jones", "brown"]
    assert len(set(ranked)) == len(ranked) == 30_000
    assert lexicon.common_surnames() == set(ranked[:600])


def test_the_first_names_of_the_census_are_all_there_and_sorted() -> None:
    listed = words_of("census_first_names.txt")
    assert listed == sorted(set(listed))
    assert len(listed) == 5163


def test_importing_the_engine_loads_no_large_list() -> None:
    program = (
        "from healthcare_deid.engine.text import engine; from healthcare_deid.engine.text.find import lexicon;"
        "lists = (lexicon.vocabulary, lexicon.first_names, lexicon.surnames, lexicon.places);"
        "assert not any(item.cache_info().currsize for item in lists)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


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
    vocabulary = words_of("vocabulary.txt")
    assert vocabulary == sorted(vocabulary)


def words_of(name: str) -> list[str]:
    return " ".join(lexicon.data_lines(name)).split()
