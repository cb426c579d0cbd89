"""Links lead somewhere: those of a page to a page and a heading that are there, those of the README also on PyPI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SITE = "https://healthcare-deid.readthedocs.io/en/latest/"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"])


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_within_the_project_leads_to_what_is_there(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        if "://" in link or link.startswith("schemas/"):  # made when the site is built
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or target.suffix != ".md" or heading in headings(target), link


def test_the_readmes_links_work_on_pypi_too() -> None:
    for link in _LINK.findall((ROOT / "README.md").read_text()):
        assert link.startswith("https://"), f"{link} is relative: PyPI has no such page"
        if link.startswith(SITE):
            path = link.removeprefix(SITE).rstrip("/")
            assert (DOCS / f"{path}.md").is_file() or (DOCS / path).is_file(), link


def test_the_words_that_people_search_for_are_in_the_docs() -> None:
    text = " ".join(page.read_text().lower() for page in DOCS.glob("*.md"))
    missing = [word for word in ("migrate", "pandas", "airflow", " zip", "docker", "bytesio") if word not in text]
    assert not missing


def test_every_page_is_in_the_navigation() -> None:
    nav = (ROOT / "mkdocs.yml").read_text()
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert {page for page in pages if f" {page}\n" not in nav} == set()
