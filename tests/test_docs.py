"""What README and docs name in backticks exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|j2|js|css|csv|c|in|yml)))`")
"""A file of the project's own kinds, or a folder with its slash. Routes begin with a slash, options with a hyphen."""
OF_THE_USER = frozenset({"gestern.csv", "reports/", "ventas.csv"})
"""Names in examples of what is typed."""
ROOT = Path(__file__).resolve().parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def missing_in(page: Path) -> Iterator[str]:
    """Named paths that are neither at the root, nor in the package, nor beside the one named before in the line."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        beside: Path | None = None
        for name in PATH.findall(line):
            found = next((place / name for place in (ROOT, ROOT / "batch_issuer") if (place / name).exists()), None)
            if found is None and beside is not None and (beside / name).exists():
                found = beside / name
            if found is None and name not in OF_THE_USER:
                yield f"{page.relative_to(ROOT)}:{number} {name}"
            elif found is not None and found.is_file():
                beside = found.parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_is_named_exists(page: Path) -> None:
    """A file that moved takes its name in the documentation along."""
    assert list(missing_in(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    """Links and pictures with a path of their own."""
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_what_proves_a_promise_is_named_in_its_row() -> None:
    """Every promise has a test, and none is said to be proven by a file that holds no tests."""
    rows = [line for line in (ROOT / "docs" / "promises.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    for row in rows[1:]:
        promise, proof = row.strip("| ").rsplit(" | ", 1)
        assert "test_" in proof or "the same" in proof, promise


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_every_decision_says_since_when_and_whether_it_is_in_force(page: Path) -> None:
    """Whoever finds a decision knows whether to follow it: its third line has a date and where it stands."""
    assert re.match(
        r"\d{4}-\d{2}-\d{2}; (in force|replaced \d{4}-\d{2}-\d{2})\b", page.read_text("utf-8").splitlines()[2]
    )


def test_every_function_that_the_architecture_names_is_in_its_file() -> None:
    """`file.py` `name`: whoever follows the way of the data finds the name where the page says."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)`(?: \([^)]*\))? `(\w+)`", text)
    assert len(named) > 20
    package = ROOT / "batch_issuer"
    assert [
        (file, name)
        for file, name in named
        if not re.search(rf"^\s*(async )?(def|class) {name}\b", (package / file).read_text("utf-8"), re.MULTILINE)
    ] == []
