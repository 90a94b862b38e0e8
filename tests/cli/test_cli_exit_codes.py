from __future__ import annotations

import json
import socket
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.desk import Open
from tests.promises.kill.shop import KEY, Done, Shop

OTHER_KEY = "odt_" + "f" * 56


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def refused(done: Done, code: int, sentence: str) -> None:
    """It ended with this code and a sentence that begins like this, in the JSON and for people."""
    assert done.code == code, done.err
    assert done.json["exit_code"] == code
    assert done.json["error"].startswith(sentence), done.json["error"]
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_everything_stamped_is_0(open_desk: Open) -> None:
    """And the object has every documented key."""
    desk, sandbox = open_desk(documents=3)
    done = desk.call("issue", "ventas.csv", "--json")
    answer = done.json
    assert done.code == answer["exit_code"] == 0
    assert (answer["documents"], answer["rows"], answer["sent"]) == (3, 3, 3)
    assert answer["states"] == {
        "planned": 0, "sending": 0, "stamped": 3, "contingency": 0, "rejected": 0, "invalid": 0, "unsure": 0,
        "cancelled": 0,
    }  # fmt: skip
    totals = answer["totals"]
    assert (totals["expected_gross"], totals["provider_gross"], totals["stamped_gross"]) == ("15.00", "15.00", "15.00")
    assert (answer["problems"], answer["conflicts"], answer["ledger"]) == ([], [], "ledger.db")
    assert answer["run"]
    assert answer["seconds"] >= 0
    assert {kind: (desk.folder / path).is_file() for kind, path in answer["reports"].items()} == {
        "html": True, "workbook": True, "json": True,
    }  # fmt: skip
    assert len(sandbox.documents()) == 3
    assert "All 3 documents are stamped." in done.err


def test_everything_in_contingency_is_0(open_desk: Open) -> None:
    """The provider goes on by itself."""
    desk, sandbox = open_desk(contingency=True)
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["contingency"], done.json["totals"]["stamped_gross"]) == (0, 3, "0.00")
    again = desk.call("issue", "ventas.csv", "--json")
    assert (again.code, again.json["sent"], again.json["asked"]) == (0, 0, 3)
    sandbox.resolve()
    refreshed = desk.call("refresh", "--json")
    assert (refreshed.code, refreshed.json["states"]["stamped"], refreshed.json["sent"]) == (0, 3, 0)
    assert sandbox.requests().violations == ()


def test_nothing_to_issue_is_0(open_desk: Open) -> None:
    """A template that nobody has filled in yet: no sales, and no wall of formatted rows."""
    desk, sandbox = open_desk()
    assert desk.call("template", "plantilla.xlsx", "--json").json["template"] == "plantilla.xlsx"
    done = desk.call("check", "plantilla.xlsx", "--json")
    assert (done.code, done.json["documents"]) == (0, 0)
    assert "left out" not in done.err
    done = desk.call("issue", "plantilla.xlsx", "--json")
    assert (done.code, done.json["sent"], sandbox.requests().total) == (0, 0, 0)


def test_a_document_held_back_is_1(open_desk: Open) -> None:
    """The others are issued, and there is a file to correct."""
    desk, sandbox = open_desk()
    desk.write("A-1,Café,2,2.50", "A-2,Café,dos,2.50", "A-3,Café,1,1.00")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["stamped"], done.json["held_back"]) == (1, 2, 1)
    (problem,) = done.json["problems"]
    assert (problem["external_ref"], problem["row"], problem["value"]) == ("A-2", 3, "dos")
    assert (desk.folder / done.json["reports"]["fix_file"]).is_file()
    assert [record.ref for record in sandbox.documents()] == ["A-1", "A-3"]
    assert desk.call("check", "ventas.csv", "--json").code == 1
    assert desk.call("report", "--json").code == 1


def test_a_rejected_document_is_1(open_desk: Open) -> None:
    """Unchanged it is not sent again; corrected it is, under the same reference."""
    desk, sandbox = open_desk(rejected_refs="A-2")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["rejected"], done.json["states"]["stamped"]) == (1, 1, 2)
    again = desk.call("issue", "ventas.csv", "--json")
    assert (again.code, again.json["sent"]) == (1, 0)
    desk.write("A-1,Café,2,2.50", "A-2,Café,2,2.75", "A-3,Café,2,2.50")
    corrected = desk.call("issue", "ventas.csv", "--json")
    assert (corrected.code, corrected.json["sent"], corrected.json["states"]["stamped"]) == (0, 1, 3)
    record, number = sandbox.document("A-2"), desk.records()["A-2"].answer.control_number
    assert record is not None
    assert (record.control_number, str(record.amounts.gross), len(sandbox.documents())) == (number, "5.50", 3)
    assert sandbox.requests().violations == ()


def test_an_invalid_document_is_1(open_desk: Open) -> None:
    """The provider refused to take it at all."""
    desk, sandbox = open_desk(max_lines=1)
    desk.write("A-1,Café,2,2.50", "A-2,Café,2,2.50", "A-2,Pan,1,1.00")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["invalid"], done.json["states"]["stamped"]) == (1, 1, 1)
    assert [record.ref for record in sandbox.documents()] == ["A-1"]
    assert desk.call("issue", "ventas.csv", "--json").json["sent"] == 0


def test_a_doubt_is_1(open_desk: Open) -> None:
    """What the provider said contradicts itself, also when asked."""
    desk, _ = open_desk("flags:ref=A-2,flags=TTTF")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["unsure"], done.json["states"]["stamped"]) == (1, 1, 2)


def test_a_conflict_is_1_and_never_sent(open_desk: Open) -> None:
    """A stamped sale that the file says otherwise is shown with both versions."""
    desk, sandbox = open_desk()
    assert desk.call("issue", "ventas.csv").code == 0
    posts = sandbox.requests().posts()
    desk.write("A-1,Café,2,2.50", "A-2,Café,3,2.50", "A-3,Café,2,2.50", "A-4,Café,1,1.00")
    for arguments in (("check", "ventas.csv", "--json"), ("issue", "ventas.csv", "--json")):
        done = desk.call(*arguments)
        (conflict,) = done.json["conflicts"]
        assert done.code == 1
        assert (conflict["external_ref"], conflict["issued_gross"], conflict["file_gross"]) == ("A-2", "5.00", "7.50")
        assert conflict["changes"] == [{"what": "lines[1].quantity", "issued": "2", "file": "3"}]
    assert sandbox.requests().posts() == posts + 1
    assert sandbox.requests().violations == ()


def test_a_difference_of_amounts_is_1(open_desk: Open) -> None:
    """Beyond the tolerance of a cent a line; within it nobody is called."""
    desk, _ = open_desk("cent:route=invoice,ref=A-2")
    assert desk.call("issue", "ventas.csv").code == 0
    (desk.folder / "batch-issuer.toml").write_text('[issue]\ntolerance = "0.00"\n')
    done = desk.call("report", "--json")
    assert done.code == 1
    assert [(one["external_ref"], one["answered"]) for one in done.json["differences"]] == [("A-2", "5.01")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("issue", "ventas.csv", "--no-such-option"), "No such option '--no-such-option'."),
        (("issue",), "Missing argument"),
        (("issue", "nothing.csv"), "There is no file nothing.csv."),
        (("issue", "ventas.csv", "--concurrency", "none"), "Invalid value for '--concurrency'"),
        (("issue", "ventas.csv", "--max-wait", "soon"), "Invalid value for '--max-wait'"),
        (("issue", "ventas.csv", "--expect-total", "much"), "Invalid value for '--expect-total'"),
        (("issue", "ventas.csv", "--expect-documents", "4"), "Documents in the files: 3; --expect-documents says 4."),
        (("issue", "ventas.csv", "--expect-total", "15.01"), "The documents of the files come to 15.00;"),
        (("issue", "ventas.csv", "--company", "nobody"), "There is no company «nobody» in the settings."),
        (("issue", "ventas.csv", "--config", "no.toml"), "There is no settings file no.toml."),
        (("issue", "ventas.csv", "--base-url", "ftp://x"), "«ftp://x» is not an address."),
        (("issue", "ventas.csv", "--base-url", "http://ocote.io"), "http:// is refused for ocote.io:"),
        (("issue", "ventas.csv", "--ledger", "ventas.csv"), "ventas.csv is not a ledger of batch_issuer."),
        (("issue", "ventas.csv", "--ledger", "."), ". is not a ledger of batch_issuer."),
        (("issue", "ventas.csv", "--ledger", "no/ledger.db"), "The ledger no/ledger.db cannot be made:"),
        (("issue", "ventas.csv", "--ledger", "x" * 300), "The ledger xxx"),
        (("check", "ventas.csv", "--ledger", "x" * 300), "The ledger xxx"),
        (("check", "ventas.csv", "--ledger", "ventas.csv"), "ventas.csv is not a ledger of batch_issuer."),
        (("template", "ventas.csv"), "The template is an Excel workbook, and ventas.csv does not end in .xlsx."),
        (("template", "ventas.csv/plantilla.xlsx"), "ventas.csv/plantilla.xlsx cannot be written:"),
        (("retry",), "There is no ledger ledger.db."),
        (("refresh",), "There is no ledger ledger.db."),
        (("report",), "There is no ledger ledger.db."),
        (("ledger", "verify"), "There is no ledger ledger.db."),
        (("ledger", "verify", "--ledger", "ventas.csv"), "ventas.csv is not a ledger of batch_issuer."),
        (("ledger", "export", "--format", "xlsx"), "--format xlsx needs --out FILE."),
        (("ledger", "no-such-command"), "No such command"),
        (("no-such-command",), "No such command"),
    ],
)
def test_what_cannot_start_is_2(open_desk: Open, arguments: tuple[str, ...], sentence: str) -> None:
    """A sentence, one JSON object, and not one request."""
    desk, sandbox = open_desk()
    refused(desk.call(*arguments, "--json"), 2, sentence)
    assert sandbox.requests().total == 0


@pytest.mark.parametrize("key", ["", "odt_with space", "llave-sin-prefijo", "odt_ñ"])
def test_a_missing_or_impossible_key_is_2(open_desk: Open, key: str) -> None:
    """It says where to put it; what was put there is not repeated."""
    desk, sandbox = open_desk()
    desk.key = key
    done = desk.call("issue", "ventas.csv", "--json")
    refused(done, 2, "The API key does not begin with odt_" if key else "There is no API key.")
    assert not key or key not in done.out + done.err
    assert sandbox.requests().total == 0
    assert desk.call("check", "ventas.csv").code == 0


def test_nothing_is_sent_of_a_batch_with_a_problem(open_desk: Open) -> None:
    """If it is all or nothing."""
    desk, sandbox = open_desk()
    desk.write("A-1,Café,2,2.50", "A-2,Café,dos,2.50")
    done = desk.call("issue", "ventas.csv", "--all-or-nothing", "--json")
    refused(done, 2, "Documents with problems: 1; --all-or-nothing refuses the whole batch.")
    assert sandbox.requests().total == 0
    desk.fill(2)
    assert desk.call("issue", "ventas.csv", "--all-or-nothing").code == 0


def test_the_expected_count_and_total_let_it_go(open_desk: Open) -> None:
    """Thousands separated or not."""
    desk, _ = open_desk()
    desk.write("A-1,Café,1000,2.50")
    done = desk.call("issue", "ventas.csv", "--expect-documents", "1", "--expect-total", "2,500.00", "--json")
    assert (done.code, done.json["sent"]) == (0, 1)


def test_another_companys_key_is_2(open_desk: Open) -> None:
    """Unless it is said that the key was changed."""
    desk, sandbox = open_desk(keys=f"{KEY}=tienda,{OTHER_KEY}=tienda")
    assert desk.call("issue", "ventas.csv").code == 0
    total = sandbox.requests().total
    desk.fill(4)
    desk.key = OTHER_KEY
    done = desk.call("issue", "ventas.csv", "--json")
    refused(done, 2, "This API key is not the one that this ledger knows for «default».")
    assert sandbox.requests().total == total
    accepted = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (accepted.code, accepted.json["sent"]) == (0, 1)
    assert desk.call("issue", "ventas.csv").code == 0
    desk.key = KEY
    refused(desk.call("retry", "--json"), 2, "This API key is not the one")


def test_a_refused_key_is_3(open_desk: Open) -> None:
    """Nothing was issued; with the right key the same command goes on."""
    desk, sandbox = open_desk(disabled_keys=OTHER_KEY)
    desk.key = OTHER_KEY
    done = desk.call("issue", "ventas.csv", "--json")
    refused(done, 3, "The provider refuses the API key: API key invalida.")
    assert (done.json["states"]["planned"], done.json["sent"] <= 3, sandbox.documents()) == (3, True, ())
    assert (desk.folder / done.json["reports"]["html"]).is_file()
    desk.key = KEY
    assert desk.call("issue", "ventas.csv").code == 0


def test_a_port_where_nothing_listens_is_3(open_desk: Open) -> None:
    """After a few tries; the documents wait in the ledger."""
    desk, sandbox = open_desk()
    url = f"http://127.0.0.1:{free_port()}/api/connect"
    done = desk.call("issue", "ventas.csv", "--base-url", url, "--json")
    refused(done, 3, f"Nothing answers at {url}.")
    assert (done.json["sent"], set(desk.states().values())) == (0, {"planned"})
    assert desk.call("retry").code == 0
    assert len(sandbox.documents()) == 3


def test_the_same_failure_again_and_again_is_3(open_desk: Open) -> None:
    """The rest is spared."""
    desk, sandbox = open_desk(documents=30, rejected_share=1.0)
    done = desk.call("issue", "ventas.csv", "--stop-after", "3", "--concurrency", "1", "--json")
    refused(done, 3, "The same failure 3 times in a row: rejected 096")
    assert len(sandbox.documents()) == 3
    assert done.json["states"]["planned"] == 27


def test_a_quota_that_takes_too_long_is_3(open_desk: Open) -> None:
    """What fits is sent; the next run sends the rest."""
    desk, sandbox = open_desk(documents=9, minute_limit=8)
    done = desk.call("issue", "ventas.csv", "--max-wait", "0s", "--json")
    refused(done, 3, "The provider's quota is used up for ")
    assert done.json["states"]["stamped"] == 5
    sandbox.change(minute_limit=None)
    assert desk.call("issue", "ventas.csv", "--json").json["sent"] == 4


def test_an_unwritable_report_folder_is_3(open_desk: Open) -> None:
    """Everything was issued, the object says so, and `report` makes them later."""
    desk, sandbox = open_desk()
    (desk.folder / "reports").write_text("a file in the place of the folder")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["stamped"], done.json["reports"]) == (3, 3, {})
    assert "cannot be written" in done.json["error"]
    assert desk.call("report", "--out", "elsewhere").code == 0
    assert len(sandbox.documents()) == 3


BROKEN = """
import batch_issuer.reading

def read(*_, **__):
    raise RuntimeError("a mistake, with Bearer {key} and ?key={key}&x=1 in it")

batch_issuer.reading.read = read
from batch_issuer.cli import main
main()
"""


def test_a_mistake_of_ours_is_70(tmp_path: Path) -> None:
    """With a traceback to report, and without the key."""
    shop = Shop(tmp_path, "http://127.0.0.1:9", [])
    (tmp_path / "ventas.csv").write_text("external_ref\n")
    process = shop.start("check", "ventas.csv", "--json", wrapper=("-c", BROKEN.format(key=KEY)))
    while process.poll() is None:
        pass
    out, err = process.said()
    assert process.poll() == 70
    assert json.loads(out) == {"error": "RuntimeError", "exit_code": 70, "settings_file": None}
    assert "Traceback (most recent call last)" in err
    assert "This is a bug of batch_issuer, not of your files." in err
    assert KEY not in err


FULL = Path("/dev/full")
ONTO = """
import os, sys
for number, path in {streams}.items():
    os.dup2(os.open(path, os.O_RDWR), number) if path else os.close(number)
os.execv(sys.executable, [sys.executable, "-m", "batch_issuer", *sys.argv[1:]])
"""


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize(
    ("streams", "code"),
    [({1: "/dev/full"}, 1), ({2: "/dev/full"}, 0), ({1: "", 2: ""}, 0), ({0: ""}, 0)],
    ids=["output on a full disk", "messages on a full disk", "both closed", "input closed"],
)
def test_a_run_goes_on_to_its_end_when_nobody_can_be_told(open_desk: Open, streams: dict[int, str], code: int) -> None:
    """Words that are lost end no run; where they were the answer, the exit code says so."""
    desk, sandbox = open_desk(documents=3)
    shop = Shop(desk.folder, desk.base_url, [])
    done = shop.run("issue", "ventas.csv", wrapper=("-c", ONTO.format(streams=streams)))
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert set(desk.states().values()) == {"stamped"}
    assert len(sandbox.documents()) == 3
    assert list((desk.folder / "reports").glob("*.html"))


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_an_export_onto_a_full_disk_is_2(open_desk: Open) -> None:
    desk, _ = open_desk(documents=1)
    assert desk.call("issue", "ventas.csv").code == 0
    done = Shop(desk.folder, desk.base_url, []).run(
        "ledger", "export", wrapper=("-c", ONTO.format(streams={1: "/dev/full"}))
    )
    assert (done.code, done.err) == (2, "The output could not be written: No space left on device.\n")


@pytest.mark.parametrize("lang", ["es", "en"])
def test_help_and_version_are_0(open_desk: Open, lang: str) -> None:
    """For the program and every command."""
    desk, _ = open_desk()
    assert desk.call("--version").code == 0
    for command in (
        (),
        ("issue",),
        ("check",),
        ("retry",),
        ("refresh",),
        ("report",),
        ("ledger",),
        ("ledger", "verify"),
    ):
        done = desk.call(*command, "--help", "--lang", lang) if command else desk.call("--lang", lang, "--help")
        assert (done.code, done.err) == (0, "")
        assert done.out


def test_a_dry_run_sends_nothing_and_writes_nothing(open_desk: Open) -> None:
    """Not even the ledger; it needs no key."""
    desk, sandbox = open_desk()
    desk.key = ""
    done = desk.call("issue", "ventas.csv", "--dry-run", "--json")
    assert (done.code, done.json["sent"], done.json["plan"]["issue"]) == (0, 0, 3)
    assert done.json["totals"]["to_issue_gross"] == "15.00"
    assert sandbox.requests().total == 0
    assert [file.name for file in desk.folder.iterdir()] == ["ventas.csv"]


def test_a_limit_and_a_choice(open_desk: Open) -> None:
    """Only the first so many, only those named; the rest is told of and goes with a later run."""
    desk, sandbox = open_desk(documents=6)
    assert desk.call("issue", "ventas.csv", "--limit", "2", "--json").json["sent"] == 2
    assert [record.ref for record in sandbox.documents()] == ["A-1", "A-2"]
    assert desk.call("issue", "ventas.csv", "--only", "A-5", "--only", "A-2", "--json").json["sent"] == 1
    assert desk.call("issue", "ventas.csv", "--only", "03", "--json").json["sent"] == 0
    assert desk.call("issue", "ventas.csv", "--limit", "0", "--json").json["sent"] == 0
    done = desk.call("issue", "ventas.csv", "--only", "01", "--json")
    assert (done.code, done.json["sent"], len(sandbox.documents())) == (0, 3, 6)


def test_canaries_go_first(open_desk: Open) -> None:
    """One that is refused spares the rest."""
    desk, sandbox = open_desk(documents=20, rejected_refs="A-2")
    done = desk.call("issue", "ventas.csv", "--canary", "3", "--json")
    refused(done, 3, "1 of the first 3 documents were not issued; the rest was spared (--canary).")
    assert sorted(record.ref for record in sandbox.documents()) == ["A-1", "A-2", "A-3"]
    sandbox.change(rejected_refs="")
    done = desk.call("issue", "ventas.csv", "--canary", "3", "--json")
    assert (done.code, done.json["states"]["stamped"]) == (1, 19)


def test_totals_are_exact(open_desk: Open) -> None:
    """Money in the object is text, to the cent, and adds up."""
    desk, sandbox = open_desk()
    desk.write("A-1,Café,3,0.335", "A-2,Café,1,1.005", "A-3,Café,7,0.0143", "A-4,Café,1,999.99")
    done = desk.call("issue", "ventas.csv", "--json")
    totals = done.json["totals"]
    wanted = sum((Decimal("1.01"), Decimal("1.01"), Decimal("0.10"), Decimal("999.99")))
    assert totals["expected_gross"] == totals["provider_gross"] == totals["stamped_gross"] == str(wanted)
    assert sum(record.amounts.gross or 0 for record in sandbox.documents()) == wanted


def test_json_comes_with_every_command(open_desk: Open) -> None:
    """Exactly one object on standard output, whatever the command."""
    desk, _ = open_desk()
    for arguments in (
        ("check", "ventas.csv"), ("issue", "ventas.csv"), ("retry",), ("refresh",), ("report",), ("ledger", "verify"),
        ("ledger", "verify", "--rebuild"), ("ledger", "show", "A-1"), ("ledger", "export"),
        ("ledger", "export", "--out", "all.jsonl"), ("ledger", "backup", "copy.db"),
        ("ledger", "restore", "copy.db", "--yes"), ("demo",),
    ):  # fmt: skip
        done = desk.call(*arguments, "--json")
        assert (done.code, done.json["exit_code"]) == (0, 0), (arguments, done.err)


def test_without_json_standard_output_is_prose(open_desk: Open) -> None:
    """And standard error is empty when nothing went wrong."""
    desk, _ = open_desk()
    done = desk.call("issue", "ventas.csv")
    assert (done.code, done.err) == (0, "")
    assert "All 3 documents are stamped." in done.out
    assert "{" not in done.out
