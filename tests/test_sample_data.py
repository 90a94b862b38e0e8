from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_issuer import demo
from batch_issuer import settings as settings_room
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify
from batch_issuer.model.money import CENT, total_of
from batch_issuer.model.states import State
from batch_issuer.provider.wire import encode
from batch_issuer.reading import read
from batch_issuer.reading.batch import Entry
from batch_issuer.rules import examine
from batch_issuer.sandbox import SandboxOptions, running
from tests.cli.desk import called

FILES = ("expected.json", "ventas-kiosco.csv", "ventas-ruta.csv", "ventas.xlsx")


MIXED = ("mixed/anular.csv", "mixed/compras.csv", "mixed/expected.json", "mixed/ventas.xlsx")


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
    for name in (*FILES, *MIXED):
        assert parts(tmp_path / name) == parts(folder / name), name


def test_the_readme_explains_every_document_that_is_not_sound(folder: Path, expected: dict[str, Any]) -> None:
    """No reference is explained that has nothing wrong, and none with a fault goes unexplained."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    faulty = {problem["external_ref"] for file in expected["files"] for problem in file["problems"]}
    faulty |= {sale["external_ref"] for file in expected["files"] for sale in file["rejected_by_the_sandbox"]}
    explained = {cell.strip() for row in text.splitlines() if "-" in row for cell in row.split("|")[1:2]}
    refs = {ref for cell in explained for ref in cell.split(", ") if ref.rpartition("-")[2].isdigit()}
    assert refs == faulty


@pytest.fixture(scope="module")
def entries(folder: Path) -> list[Entry]:
    """The three files as one command reads and checks them."""
    settings = settings_room.load(folder / "batch-issuer.toml")
    files = [str(folder / name) for name in FILES if name != "expected.json"]
    batch = read(files, settings)
    assert [problem.code for problem in batch.problems if problem.blocks] == []
    return [examine(batch, entry, settings.rules) for entry in batch]


def of_file(entries: list[Entry], file: dict[str, Any]) -> list[Entry]:
    """The entries of one file: their references begin with its shops."""
    shops = {"ventas-kiosco.csv": ("Kiosco-",), "ventas-ruta.csv": ("Ruta-",)}
    beginnings = shops.get(file["file"], ("Centro-", "Merliot-", "Soyapango-"))
    return [entry for entry in entries if entry.document.external_ref.startswith(beginnings)]


def test_counts_and_amounts_are_those_expected(entries: list[Entry], expected: dict[str, Any]) -> None:
    """Rows, documents, those ready and what these come to agree to the cent, file by file."""
    for file in expected["files"]:
        found = of_file(entries, file)
        ready = [entry.document for entry in found if not entry.held_back]
        assert {
            "rows": sum(len(entry.document.lines) for entry in found),
            "documents": len(found),
            "ready": len(ready),
            "held_back": len(found) - len(ready),
            "ready_gross": str(total_of(document.expected_gross for document in ready)),
        } == {key: file[key] for key in ("rows", "documents", "ready", "held_back", "ready_gross")}


def test_every_fault_is_found_in_its_cell_and_nothing_else(entries: list[Entry], expected: dict[str, Any]) -> None:
    """Code, reference, row and column of each problem agree, and sound documents have none."""
    for file in expected["files"]:
        problems = [problem for entry in of_file(entries, file) for problem in entry.problems]
        found = {
            (problem.code, problem.kind.severity.value, problem.external_ref, problem.place.row, problem.place.column)
            for problem in problems
        }
        keys = ("code", "severity", "external_ref", "row", "column")
        assert found == {tuple(problem[key] for key in keys) for problem in file["problems"]}
        assert {(Path(problem.place.file).name, problem.place.sheet) for problem in problems} <= {
            (file["file"], file["sheet"])
        }


def test_the_workbooks_total_row_is_used_as_control(folder: Path) -> None:
    """The TOTAL row is no sale, and what it says is kept to compare with."""
    settings = settings_room.load(folder / "batch-issuer.toml")
    batch = read([str(folder / "ventas.xlsx")], settings)
    (source,) = batch.sources
    assert source.control_total is not None
    assert "Vendedor" in source.ignored


def test_the_sandbox_refuses_exactly_those_expected(entries: list[Entry], expected: dict[str, Any]) -> None:
    """What is sent of the sample is stamped, with our amounts, except for the documents made to be refused."""
    ready = [entry.document for entry in entries if not entry.held_back]
    with running(SandboxOptions(minute_limit=None, hour_limit=None)) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.key}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as client:
            answers = {
                document.external_ref: client.post("/invoice", content=encode(document)).json() for document in ready
            }
    wanted = {
        sale["external_ref"]: sale["codigo_msg"]
        for file in expected["files"]
        for sale in file["rejected_by_the_sandbox"]
    }
    assert {ref: answer["codigo_msg"] for ref, answer in answers.items() if not answer["dte_success"]} == wanted
    for document in ready:
        if document.external_ref not in wanted:
            gross = Decimal(str(answers[document.external_ref]["amount_gross"]))
            assert abs(gross - document.expected_gross) <= CENT * len(document.lines)


@pytest.fixture(scope="module")
def mixed(folder: Path) -> dict[str, Any]:
    """What is expected of the second day."""
    found: dict[str, Any] = json.loads((folder / "mixed" / "expected.json").read_text(encoding="utf-8"))
    return found


def test_the_second_day_ends_as_expected(tmp_path: Path, mixed: dict[str, Any]) -> None:
    """Late rejection, credit notes of the same batch, cancellations: each document's state, reason and amounts."""
    done = called(["demo", "--mixed", "--json"], tmp_path, {"BATCH_ISSUER_LANG": "en"})
    told = done.json
    assert (done.code, told["exit_code"], told["needs_person_exit_code"]) == (0, 0, 1)
    assert (told["documents"], told["rows"]) == (mixed["documents"], mixed["rows"])
    assert {state: count for state, count in told["states"].items() if count} == mixed["states"]
    found = [
        {
            **{key: problem[key] for key in ("code", "external_ref", "row", "heading")},
            "file": Path(problem["file"]).name,
        }
        for problem in told["problems"]
        if problem["severity"] == "blocks"
    ]
    assert sorted(found, key=str) == sorted(({key: one[key] for key in found[0]} for one in mixed["problems"]), key=str)
    ledger = open_to_read(tmp_path / told["ledger"])
    with closing(ledger):
        assert verify(ledger).damages == ()
        records = {record.external_ref: record for record in ledger.all_records()}
    assert [
        {
            "external_ref": reference,
            "doc_type": record.doc_type,
            "state": record.state.value,
            "reason": record.reason if record.state is State.PLANNED else "",
            "gross": str(record.expected_gross),
            "retention": None if record.doc_type == "05" else str(record.expected_retention),
        }
        for reference, record in sorted(records.items())
    ] == sorted(mixed["settled"], key=lambda one: str(one["external_ref"]))
    for reference, record in records.items():
        gross, retention = record.answer.amounts.gross, record.answer.amounts.retention
        if record.answer.control_number:
            assert gross is not None, reference
            assert abs(gross - record.expected_gross) <= CENT * record.lines, reference
            assert record.expected_retention in (None, retention), reference
    assert {"html", "workbook", "fix_file", "fix_file_2"} <= set(told["reports"])
    assert all((tmp_path / path).is_file() for path in told["reports"].values())


def test_the_demo_knows_the_second_day(mixed: dict[str, Any]) -> None:
    """What it makes the ministry do is what the day expects of it."""
    late = dict.fromkeys(demo.ANSWERED_LATE, "stamped") | dict.fromkeys(demo.REJECTED_LATE, "rejected")
    assert late == mixed["without_answer_at_first"]


def test_the_mixed_readme_explains_every_document_that_is_not_plain(folder: Path, mixed: dict[str, Any]) -> None:
    """As the first day's does."""
    text = (folder / "mixed" / "README.md").read_text(encoding="utf-8")
    told = {problem["external_ref"] for problem in mixed["problems"]} | set(mixed["without_answer_at_first"])
    told |= {one["external_ref"] for one in mixed["settled"] if one["state"] != "stamped" or one["doc_type"] == "05"}
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    explained = {ref for row in rows for ref in row.split("|")[1].replace(",", " ").split() if ref[-1:].isdigit()}
    assert explained >= told
