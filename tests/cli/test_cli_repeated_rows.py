"""Rows that repeat, at the command line: refused where nobody can be asked, answered once and kept."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from tests.cli.desk import Desk, Open

ROWS = ("A-1,Café,2,2.50", "A-2,Pan,1,1.00", "A-1,Café,2,2.50")


@pytest.fixture
def desk(open_desk: Open) -> Desk:
    return open_desk()[0]


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person at a terminal."""
    monkeypatch.setattr("batch_issuer.cli.asking.may_ask", lambda _output: True)


def amounts(desk: Desk) -> dict[str, str]:
    return {ref: str(record.expected_gross) for ref, record in desk.records().items()}


@pytest.mark.parametrize("command", ["check", "issue"])
def test_where_nobody_can_be_asked_nothing_is_sent(desk: Desk, command: str) -> None:
    desk.write(*ROWS)
    done = desk.call(command, "ventas.csv")
    assert done.code == 2
    assert "row 4 is equal in every cell to row 2 of the same document, «A-1»" in done.err
    assert not desk.ledger.exists() or desk.states() == {}


@pytest.mark.parametrize(("answer", "amount"), [("count", "10.00"), ("once", "5.00")])
def test_the_option_answers(desk: Desk, answer: str, amount: str) -> None:
    desk.write(*ROWS)
    assert desk.call("issue", "ventas.csv", "--repeated-rows", answer).code == 0
    assert amounts(desk) == {"A-1": amount, "A-2": "1.00"}


def test_what_was_left_out_is_told(desk: Desk) -> None:
    desk.write(*ROWS)
    done = desk.call("check", "ventas.csv", "--repeated-rows", "once", "--json")
    answer = json.loads(done.out)
    assert [(problem["code"], problem["row"]) for problem in answer["problems"]] == [("repeated-row-left-out", 4)]
    assert (answer["sources"][0]["rows"], answer["sources"][0]["left_out"]) == (2, 1)


@pytest.mark.usefixtures("somebody")
def test_an_answer_at_the_terminal_is_kept(desk: Desk) -> None:
    """Asked once: the next file of the source is read the same way."""
    desk.write(*ROWS)
    done = desk.call("issue", "ventas.csv", stdin=b"once\n")
    assert (done.code, amounts(desk)) == (0, {"A-1": "5.00", "A-2": "1.00"})
    assert '[source]\nrepeated_rows = "once"\n' in settings_of(desk)
    desk.write("A-3,Café,2,2.50", "A-3,Café,2,2.50")
    assert desk.call("issue", "ventas.csv").code == 0
    assert amounts(desk)["A-3"] == "5.00"


@pytest.mark.usefixtures("somebody")
def test_no_answer_stops(desk: Desk) -> None:
    desk.write(*ROWS)
    done = desk.call("check", "ventas.csv", stdin=b"perhaps\n\n")
    assert done.code == 2
    assert not (desk.folder / "batch-issuer.toml").exists()


@pytest.mark.usefixtures("somebody")
def test_lines_of_the_settings_stay(desk: Desk) -> None:
    """Who wants to be asked each time is asked each time."""
    (desk.folder / "batch-issuer.toml").write_text('[source]\nrepeated_rows = "ask"  # each time\n', encoding="utf-8")
    desk.write(*ROWS)
    assert desk.call("check", "ventas.csv", stdin=b"count\n").code == 0
    assert settings_of(desk) == '[source]\nrepeated_rows = "ask"  # each time\n'


def test_an_option_is_written_into_the_settings(desk: Desk) -> None:
    desk.write(*ROWS)
    assert desk.call("check", "ventas.csv", "--repeated-rows", "count", "--write-settings").code == 0
    assert 'repeated_rows = "count"' in settings_of(desk)
    assert desk.call("check", "ventas.csv").code == 0


def test_a_late_rejection_gives_the_workbook_without_asking_again(open_desk: Open) -> None:
    """Answered with an option when it was issued; what the ledger has is what was issued."""
    desk, sandbox = open_desk(contingency=True)
    desk.write(*ROWS)
    desk.call("issue", "ventas.csv", "--repeated-rows", "count")
    sandbox.resolve("rejected", ["A-1"])
    done = desk.call("refresh", "--json")
    assert done.json["states"]["rejected"] == 1
    book = openpyxl.load_workbook(desk.folder / done.json["reports"]["fix_file"])
    assert [row[:3] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)] == [("A-1", "Café", 2)] * 2


def settings_of(desk: Desk) -> str:
    return Path(desk.folder / "batch-issuer.toml").read_text(encoding="utf-8")
