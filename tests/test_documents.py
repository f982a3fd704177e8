"""The documents agree with the tree: every source path and every page that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASES = (ROOT, ROOT / "src" / "llmchat", ROOT / "tests", ROOT / "docs")
"""The folders that paths in the documents are relative to."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_SOURCE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.py))`")
_FOLDERS = {"batches/"}
"""Folders of a user, not of the source."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_source_path_in_a_document_exists(page: Path) -> None:
    named = set(_SOURCE.findall(page.read_text("utf-8"))) - _FOLDERS
    assert {path for path in named if not any((base / path).exists() for base in BASES)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_that_a_document_links_to_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_linked_to() -> None:
    texts = {page: page.read_text("utf-8") for page in PAGES}
    linked = {
        (page.parent / link).resolve()
        for page, text in texts.items()
        for link in re.findall(r"\]\(([^)#]+)", text)
    }
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {page.name for page in linked} == {
        "chat.md"
    }


def test_the_readme_fits_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_the_map_names_every_folder_of_the_source() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    folders = {path.name for path in BASES[1].iterdir() if (path / "__init__.py").exists()}
    assert {name for name in folders if f"`{name}/`" not in text} == set()
