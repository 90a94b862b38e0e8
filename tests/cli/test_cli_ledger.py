from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from batch_issuer.sandbox import SandboxOptions, running
from tests.cli.desk import Desk, Open
from tests.ledger.histories import tamper
from tests.promises.kill.shop import KEY, ROOT, Shop, assert_books_agree, write_sales

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="file modes and limits are POSIX")
DOCUMENTED = {
    "company", "external_ref", "doc_type", "state", "fingerprint", "document_id", "control_number", "generation_code",
    "reception_stamp", "amount_taxable", "amount_vat", "amount_gross", "amount_retention", "amount_total",
    "expected_gross", "attempts", "first_sent_at", "settled_at", "source",
}  # fmt: skip


@pytest.fixture
def issued(open_desk: Open) -> Desk:
    """Three documents: one stamped, one rejected, one in contingency."""
    desk, _ = open_desk(rejected_refs="A-2", contingency_refs="A-3")
    assert desk.call("issue", "ventas.csv").code == 1
    return desk


def test_export_gives_one_document_a_line(issued: Desk) -> None:
    """With every documented field; amounts are texts."""
    done = issued.call("ledger", "export", "--format", "jsonl")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert [(row["external_ref"], row["state"]) for row in rows] == [
        ("A-1", "stamped"), ("A-2", "rejected"), ("A-3", "contingency"),
    ]  # fmt: skip
    for row in rows:
        assert row.keys() >= DOCUMENTED
        assert all(isinstance(row[name], str) for name in row if name.startswith("amount_"))
        assert row["source"] == {"file": "ventas.csv", "sheet": "", "rows": [int(row["external_ref"][-1]) + 1]}
    assert (rows[0]["amount_gross"], rows[0]["expected_gross"], rows[0]["attempts"]) == ("5.00", "5.00", 1)
    assert rows[0]["reception_stamp"]
    assert not rows[2]["reception_stamp"]


def test_export_as_one_object(issued: Desk) -> None:
    """With --json and without a file, standard output is still one object."""
    done = issued.call("ledger", "export", "--json")
    assert [row["external_ref"] for row in done.json["documents"]] == ["A-1", "A-2", "A-3"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
def test_export_into_a_file(issued: Desk, form: str) -> None:
    """The same documents in every form, for the owner only; an older file is replaced whole."""
    path = issued.folder / f"all.{form}"
    path.write_text("older")
    done = issued.call("ledger", "export", "--format", form, "--out", path.name, "--json")
    assert (done.code, done.json["documents"], done.json["file"]) == (0, 3, path.name)
    if form == "jsonl":
        assert [json.loads(line)["external_ref"] for line in path.read_text().splitlines()] == ["A-1", "A-2", "A-3"]
    elif form == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            assert [row["state"] for row in csv.DictReader(file)] == ["stamped", "rejected", "contingency"]
    else:
        assert zipfile.is_zipfile(path)
    assert not list(issued.folder.glob(".*all*"))


def test_export_into_nowhere_is_a_sentence(issued: Desk) -> None:
    """Whatever the form."""
    for form in ("jsonl", "csv", "xlsx"):
        done = issued.call("ledger", "export", "--format", form, "--out", f"no/all.{form}", "--json")
        assert (done.code, done.json["error"]) == (2, f"no/all.{form} cannot be written: No such file or directory.")


def test_show_tells_the_whole_story(issued: Desk) -> None:
    """State, numbers, source and every event."""
    done = issued.call("ledger", "show", "A-1", "--json")
    assert [event["kind"] for event in done.json["events"]] == ["planned", "sending", "answered"]
    assert done.json.keys() >= DOCUMENTED
    assert "DTE-01-M001P001-" in issued.call("ledger", "show", "A-1").out


@pytest.mark.parametrize("reference", ["A-9", "", "ñ/../x", "\udcff", "a" * 5000])
def test_an_unknown_document_is_a_sentence(issued: Desk, reference: str) -> None:
    """Whatever was typed."""
    done = issued.call("ledger", "show", "--json", "--", reference)
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert done.json["error"].startswith("The ledger ledger.db does not know «")


@pytest.mark.parametrize("run", ["nothing", "\udcff", "x" * 5000])
def test_an_unknown_run_is_a_sentence(issued: Desk, run: str) -> None:
    """With the newest ones to choose from."""
    done = issued.call("report", "--run", run, "--json")
    assert (done.code, done.json["error"].startswith("The ledger ledger.db has no run")) == (2, True)


def test_a_sound_ledger_is_0(issued: Desk) -> None:
    """With the head to keep elsewhere."""
    done = issued.call("ledger", "verify")
    assert done.code == 0
    assert done.out.startswith("ledger.db is sound: ")
    answer = issued.call("ledger", "verify", "--json").json
    assert (answer["documents"], answer["damages"], len(answer["head"])) == (3, [], 64)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE events SET body = replace(body, '2.5', '1.5') WHERE kind = 'planned'",
            "is damaged at event 3 (A-1): ",
        ),
        ("DELETE FROM events WHERE seq = 5", "is damaged at event 5: an event is missing"),
        ("UPDATE events SET seq = seq + 1000 WHERE seq = 5", "is damaged at event 5: an event is missing"),
    ],
)
def test_a_chain_that_was_changed_is_2(issued: Desk, statement: str, said: str) -> None:
    """The first bad event is named; rebuilding does not paper over it."""
    tamper(issued.ledger, statement)
    for more in ((), ("--rebuild",)):
        done = issued.call("ledger", "verify", *more)
        assert done.code == 2
        assert f"ledger.db {said}" in done.out, done.out
        assert issued.call("ledger", "verify", *more, "--json").json["exit_code"] == 2


def test_a_state_that_was_changed_is_2_and_rebuilt(issued: Desk) -> None:
    """As the message says how."""
    before = issued.records()
    tamper(issued.ledger, "UPDATE documents SET state = 'stamped'")
    done = issued.call("ledger", "verify")
    assert done.code == 2
    assert "A-2: the state does not follow from the events" in done.out
    assert "batch-issuer ledger verify --rebuild" in done.out
    assert issued.call("ledger", "verify", "--rebuild").code == 0
    assert issued.records() == before


def test_a_damaged_ledger_is_2_for_every_command(issued: Desk) -> None:
    """Nothing is sent from what cannot be trusted."""
    whole = issued.ledger.read_bytes()
    issued.ledger.write_bytes(whole[: len(whole) // 2])
    commands = (
        ("issue", "ventas.csv"), ("check", "ventas.csv"), ("retry",), ("refresh",), ("report",), ("ledger", "verify"),
        ("ledger", "verify", "--rebuild"), ("ledger", "export"), ("ledger", "show", "A-1"), ("ledger", "backup", "c.db"),
    )  # fmt: skip
    for command in commands:
        done = issued.call(*command, "--json")
        assert (done.code, done.json["exit_code"]) == (2, 2), command
        assert "The ledger ledger.db is damaged: " in done.json["error"], command
        assert "Put your newest backup in its place with `batch-issuer ledger restore BACKUP" in done.err


def test_a_backup_takes_the_place_of_a_lost_ledger(open_desk: Open) -> None:
    """What it does not know is found out: no sale twice, none lost."""
    desk, sandbox = open_desk(documents=4)
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("ledger", "backup", "copy.db").code == 0
    desk.fill(9)
    assert desk.call("issue", "ventas.csv").code == 0
    (desk.folder / "copy.db").replace(desk.ledger)
    posts = sandbox.requests().posts()
    assert desk.call("issue", "ventas.csv").code == 2, "nobody said that the ledger is an older one"
    done = desk.call("issue", "ventas.csv", "--alike", "same", "--json")
    assert (done.code, done.json["states"]["stamped"], len(sandbox.documents())) == (1, 9, 9)
    assert [one["cause"] for one in done.json["open"]] == ["look-owed"] * 4, "they may have been cancelled since"
    assert desk.call("refresh").code == 0
    assert desk.call("issue", "ventas.csv").code == 0
    assert sandbox.requests().posts() == posts


@POSIX
def test_every_file_is_its_owners_only(open_desk: Open) -> None:
    """Reports, fix file, exports, copies: all of them tell who bought what."""
    desk, _ = open_desk()
    before = os.umask(0)
    try:
        desk.write("A-1,Café,2,2.50", "A-2,Café,dos,2.50")
        assert desk.call("issue", "ventas.csv").code == 1
        assert desk.call("check", "ventas.csv", "--fix-file", "fix.xlsx").code == 1
        for form in ("jsonl", "csv", "xlsx"):
            assert desk.call("ledger", "export", "--format", form, "--out", f"all.{form}").code == 0
        assert desk.call("ledger", "backup", "copy.db").code == 0
    finally:
        os.umask(before)
    made = [file for file in desk.folder.rglob("*") if file.is_file() and file.name != "ventas.csv"]
    assert len(made) >= 10
    assert {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in made if file.stat().st_mode & 0o077} == {}


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from batch_issuer.cli import main
main()
"""


@POSIX
def test_a_disk_that_fills_up_stops_the_run(tmp_path: Path) -> None:
    """In the middle of sending: exit code 3, and nothing leaves without its intent; with room it goes on."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None)) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 150))
        assert shop.run("issue", "ventas.csv", "--limit", "1").code == 0
        size = shop.ledger.stat().st_size + 300_000
        process = shop.start("issue", "ventas.csv", "--json", wrapper=("-c", LIMITED, str(size)))
        done = process.done()
        assert (done.code, done.json["exit_code"]) == (3, 3), done.err
        assert "The ledger ledger.db could not be written: " in done.json["error"]
        held = {record.ref for record in sandbox.documents()}
        states = {ref: row["state"] for ref, row in shop.exported().items()}
        assert 1 < len(held) < 150
        assert {states[ref] for ref in held} <= {"stamped", "sending"}
        assert shop.run("issue", "ventas.csv").code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
        assert sandbox.requests().violations == ()


@POSIX
@pytest.mark.parametrize("size", [5000, 30_000])
def test_a_disk_without_room_for_a_ledger_is_2(tmp_path: Path, size: int) -> None:
    """Nothing is sent, and no half-made ledger is left."""
    with running() as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 3))
        done = shop.run("issue", "ventas.csv", "--json", wrapper=("-c", LIMITED, str(size)))
        assert (done.code, done.json["exit_code"]) == (2, 2), done.err
        assert "The ledger ledger.db cannot be made: " in done.json["error"]
        assert sandbox.requests().total == 0
        assert not [file for file in tmp_path.iterdir() if file.name.startswith("ledger")]


@POSIX
def test_whoever_stops_listening_stops_nothing(tmp_path: Path) -> None:
    """A pipe that is closed early: the day is issued all the same, and the code says how it went."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None)) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 20))
        reading_end, writing_end = os.pipe()
        os.close(reading_end)
        process = subprocess.Popen(
            [sys.executable, "-m", "batch_issuer", "issue", "ventas.csv", "--base-url", shop.base_url],
            cwd=tmp_path, stdout=writing_end, stderr=writing_end,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OCOTE_API_KEY": KEY},
        )  # fmt: skip
        os.close(writing_end)
        assert process.wait(60) == 0
        assert len(sandbox.documents()) == 20
        assert sorted(path.suffix for path in (tmp_path / "reports").iterdir()) == [".html", ".json", ".xlsx"]
