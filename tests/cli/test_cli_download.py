"""`download` as it is typed: what is chosen, where it goes, what it says, the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desk import Desk, Open


@pytest.fixture
def issued(open_desk: Open) -> Desk:
    """Three stamped documents: A-1, A-2, A-3."""
    desk, _ = open_desk()
    assert desk.call("issue", "ventas.csv").code == 0
    return desk


def test_the_newest_run_is_fetched_and_not_fetched_again(issued: Desk) -> None:
    """Three files of each document, in a folder of the day, with a manifest; English and Spanish say how many."""
    done = issued.call("download", "--json")
    assert (done.code, done.json["documents"], done.json["files"]["fetched"]) == (0, 3, 9)
    (folder,) = done.json["folders"]
    lying = {path.name for path in (issued.folder / folder).iterdir()}
    assert {"A-1-ticket.pdf", "A-1-invoice.pdf", "A-1.json", "manifest.json"} <= lying
    assert len(lying) == 10
    assert (Path(folder).parent.name, done.json["environments"]) == ("downloads", ["test"])
    again = issued.call("download", "--lang", "es")
    assert again.code == 0
    assert "ya estaban   9" in " ".join(again.out.split("\n"))


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["A-1", "A-2", "--type", "json"], 2),
        (["--file", "lista.txt", "--type", "ticket", "--type", "invoice"], 2),
        (["--from", "2026-01-01", "--type", "json"], 3),
        (["--from", "2001-01-01", "--to", "2001-12-31"], 0),
        (["--only", "A-3"], 3),
    ],
)
def test_documents_are_chosen_by_reference_list_day_or_run(issued: Desk, arguments: list[str], files: int) -> None:
    """And the kinds by `--type`; `--out` names the place."""
    (issued.folder / "lista.txt").write_text("A-3\n", encoding="utf-8")
    done = issued.call("download", *arguments, "--out", "dte", "--json")
    assert (done.code, done.json["files"]["fetched"]) == (0, files)
    assert all(folder.startswith("dte") for folder in done.json["folders"])
    assert issued.call("download", "--run", "nonsense").code == 2
    assert issued.call("download", "A-9").code == 2


def test_a_difference_with_the_ledger_needs_a_person(open_desk: Open) -> None:
    """The answer to the issuing said a cent more than the signed document: both are quoted, every time."""
    desk, _ = open_desk("cent:route=invoice,ref=A-2")
    desk.call("issue", "ventas.csv")
    for _ in range(2):
        done = desk.call("download", "A-1", "A-2")
        assert done.code == 1
        assert "✗ A-2: total with VAT: the ledger says 5.01, the signed document says 5.00." in done.out
        assert "A-1:" not in done.out


def test_files_that_do_not_come_are_told_of(open_desk: Open) -> None:
    """The others are there; what came instead of one is said, and the exit code is 1."""
    desk, sandbox = open_desk()
    desk.call("issue", "ventas.csv")
    sandbox.order("html-before:route=file,count=3")
    done = desk.call("download", "A-1", "--type", "ticket")
    assert done.code == 1
    assert "✗ A-1 · ticket: what came is not the file; nothing was kept · it is of another content type" in done.out
    assert desk.call("download", "A-1", "--type", "ticket").code == 0


def test_without_the_provider_it_stops(issued: Desk) -> None:
    """Exit 3, and it can be run again."""
    issued.base_url = "http://127.0.0.1:9/api"
    done = issued.call("download", "A-1")
    assert done.code == 3
    assert "Nothing answers at http://127.0.0.1:9/api." in done.err


def test_a_wrong_environment_is_a_difference(issued: Desk) -> None:
    """The settings expect production, and the signed document is of the test environment."""
    (issued.folder / "batch-issuer.toml").write_text('[company]\nexpect_environment = "production"\n', encoding="utf-8")
    done = issued.call("download", "A-1", "--type", "json")
    assert done.code == 1
    assert "environment: the ledger says production, the signed document says test" in done.out
