"""Make ``engine/text/data/world_first_names.txt`` and ``world_surnames.txt``: names of many countries, from Faker.

Its providers hold, for some seventy languages, the most common first names and surnames by each country's statistics.
The package is read and not kept::

    pip install faker==40.63.0
    python tools/make_names.py

Left out are names that other lists have, and ordinary words, drugs and eponyms.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.text.find import lexicon

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(lexicon.__file__).parents[1] / "data"
HEADER = """\
# {what} of many countries, folded; made by tools/make_names.py from the lists of Faker (MIT License, Copyright (c) 2012
# Daniele Faraglia). Shortened: ordinary words, drugs and eponyms are left out, and names that other lists have.
"""
_NAME = re.compile(r"[a-z]{3,}")


def main() -> None:
    """Choose, and write both lists."""
    first = set(_listed("first_names")) - _kept("census_first_names.txt", "first_names.txt")
    last = set(_listed("last_names")) - _kept("census_surnames.txt", "surnames.txt")
    for name, what, words in (
        ("world_first_names.txt", "First names", first),
        ("world_surnames.txt", "Surnames", last),
    ):
        chosen = sorted(word for word in words if not lexicon.is_field_word(word) and word not in lexicon.eponyms())
        text = textwrap.fill(" ".join(chosen), 120)
        (DATA / name).write_text(HEADER.format(what=what) + text + "\n", "ascii")
        print(f"{len(chosen)} of {len(words)} names -> {name}")


def _kept(*files: str) -> set[str]:
    """Return the names of other lists, folded."""
    return {lexicon.fold(word) for file in files for line in lexicon.data_lines(file) for word in line.split()}


def _listed(kind: str) -> Iterator[str]:
    package: Any = importlib.import_module("faker.providers.person")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            provider: Any = importlib.import_module(module.name).Provider
        for attribute in dir(provider):
            if attribute.startswith(kind) and not isinstance(getattr(provider, attribute), property):
                for name in getattr(provider, attribute):
                    yield from filter(_NAME.fullmatch, lexicon.fold(str(name)).split())


if __name__ == "__main__":
    main()
