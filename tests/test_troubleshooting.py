"""The texts that the page on troubleshooting explains are texts of the package, word by word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import healthcare_deid

PAGE = Path(__file__).parents[1] / "docs" / "troubleshooting.md"
# Strings that the source breaks over lines are joined, as the compiler joins them.
SOURCE = re.sub(
    r'"\s+f?"', "", "\n".join(path.read_text() for path in Path(healthcare_deid.__file__).parent.rglob("*.py"))
)
TEXTS = re.findall(r"^\| `([^`]+)`", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("text", TEXTS)
def test_the_package_says_what_the_page_explains(text: str) -> None:
    assert text in SOURCE


def test_the_page_explains_enough_to_be_searched() -> None:
    assert len(TEXTS) > 30
