from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

FILES = ("expected.json", "ventas-kiosco.csv", "ventas-ruta.csv", "ventas.xlsx")


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "sample_data"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return expected


def parts(file: Path) -> dict[str, bytes]:
    """The content of a file; of a workbook its parts, because compression differs between machines."""
    if file.suffix != ".xlsx":
        return {file.name: file.read_bytes()}
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_sample_is_what_its_script_writes(folder: Path, tmp_path: Path) -> None:
    """Whoever changes the sample changes the script, and gets the same files as everybody."""
    subprocess.run([sys.executable, str(folder / "make.py"), str(tmp_path)], check=True, capture_output=True)
    for name in FILES:
        assert parts(tmp_path / name) == parts(folder / name), name


def test_the_readme_explains_every_document_that_is_not_sound(folder: Path, expected: dict[str, Any]) -> None:
    """No reference is explained that has nothing wrong, and none with a fault goes unexplained."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    faulty = {problem["external_ref"] for file in expected["files"] for problem in file["problems"]}
    faulty |= {sale["external_ref"] for file in expected["files"] for sale in file["rejected_by_the_sandbox"]}
    explained = {cell.strip() for row in text.splitlines() if "-" in row for cell in row.split("|")[1:2]}
    refs = {ref for cell in explained for ref in cell.split(", ") if ref.rpartition("-")[2].isdigit()}
    assert refs == faulty
