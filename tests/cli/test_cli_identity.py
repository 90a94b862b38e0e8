"""Which sale is which, through the real command line: what the ledger has is never taken for another, nor twice."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.sandbox import Running
from tests.cli.desk import Desk, Open
from tests.cli.lying import NOT_FOUND, lying, stamped

DATED = "Número,Fecha,Descripción,Cantidad,Precio"
OF_BRANCHES = "Número,Fecha,Sucursal,Descripción,Cantidad,Precio"


def write(desk: Desk, name: str, headings: str, *rows: str) -> str:
    (desk.folder / name).write_text("\n".join([headings, *rows]) + "\n", encoding="utf-8")
    return name


def settings(desk: Desk, text: str) -> None:
    (desk.folder / "batch-issuer.toml").write_text(text, encoding="utf-8")


if sys.platform != "win32":
    import pty

MAPPED = '[columns]\nexternal_ref = "Número"\n'


def at_provider(sandbox: Running) -> dict[str, Decimal | None]:
    return {one.ref: one.amounts.gross for one in sandbox.documents()}


def test_numbers_that_begin_anew_each_day_are_asked_about(open_desk: Open) -> None:
    """Tuesday's 1 and 2 are no news of Monday's: nothing is settled, nothing sent, and the template answers it."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", DATED, "1,2026-11-23,Café,1,2.50", "2,2026-11-23,Pan,1,1.00")
    tuesday = write(
        desk, "martes.csv", DATED, "1,2026-11-24,Café,1,2.50", "2,2026-11-24,Pan,1,1.00", "3,2026-11-24,Té,1,2.00"
    )
    assert desk.call("issue", monday).code == 0
    total = sandbox.requests().total
    for command in (("check", tuesday), ("issue", tuesday), ("issue", tuesday, "--dry-run")):
        done = desk.call(*command, "--json")
        assert (done.code, done.json["exit_code"]) == (2, 2), done.err
        assert "23/11/2026" in done.json["error"]
        assert "24/11/2026" in done.json["error"]
        assert 'external_ref = "{Fecha}-{Número}"' in done.json["repair"]
    assert sandbox.requests().total == total
    assert "in question" in desk.call("check", tuesday).out
    refused = desk.call("issue", tuesday, "--alike", "new", "--json")
    assert (refused.code, sandbox.requests().total) == (2, total)
    compared = desk.call("reconcile", tuesday, "--json")
    assert compared.code == 1, "a sale that is in question is not «the same in both»"
    settings(desk, '[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    done = desk.call("issue", tuesday, "--json")
    assert (done.code, done.json["sent"]) == (0, 3), done.err
    assert len(sandbox.documents()) == 5


def test_after_a_template_the_old_file_is_not_issued_again(open_desk: Open) -> None:
    """Monday was issued as 1 and 2; read with the template it is 2026-11-23-1: the same sale, and it is asked about."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", DATED, "1,2026-11-23,Café,1,2.50", "2,2026-11-23,Pan,1,1.00")
    assert desk.call("issue", monday).code == 0
    settings(desk, '[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    assert desk.call("issue", monday).code == 2
    assert desk.call("issue", monday, "--alike", "same").code == 0
    assert desk.call("issue", monday).code == 0, "the answer is remembered"
    assert set(at_provider(sandbox)) == {"1", "2"}


def test_unsent_sales_are_not_overwritten_by_another_days(open_desk: Open) -> None:
    """Killed on Monday before most were sent: Tuesday's bread under the same numbers touches no television."""
    desk, sandbox = open_desk("reset-before:route=invoice,count=999", documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", DATED, *(f"{n},2026-11-23,Televisor,1,905.00" for n in range(1, 8)))
    assert desk.call("issue", monday, "--stop-after", "1").code == 3
    sandbox.clear_faults()
    before = {ref: record.fingerprint for ref, record in desk.records().items()}
    tuesday = write(desk, "martes.csv", DATED, *(f"{n},2026-11-24,Pan,1,0.25" for n in range(1, 8)))
    assert desk.call("issue", tuesday).code == 2
    assert {ref: record.fingerprint for ref, record in desk.records().items()} == before
    assert desk.call("issue", monday).code == 0
    assert set(at_provider(sandbox).values()) == {Decimal("905.00")}


@pytest.mark.parametrize(
    ("first", "second"),
    [("Centro,Caja 1", "Norte,Caja 1"), ("Centro,Caja 1", "Centro,Caja 2")],
    ids=["branch", "till"],
)
def test_a_number_of_another_branch_or_till_is_asked_about(open_desk: Open, first: str, second: str) -> None:
    """Two shops or two tills of one company count for themselves."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Sucursal,No. caja,Descripción,Cantidad,Precio"
    one = write(desk, "una.csv", headings, f"1,{first},Café,1,2.50", f"2,{first},Pan,1,1.00")
    other = write(desk, "otra.csv", headings, f"1,{second},Café,1,2.50", f"2,{second},Pan,1,1.00")
    assert desk.call("issue", one).code == 0
    done = desk.call("issue", other, "--json")
    assert done.code == 2
    assert ("{Sucursal}-{Número}" if "Norte" in second else "{No. caja}-{Número}") in done.json["repair"]
    assert len(sandbox.documents()) == 2


def test_the_same_sales_with_other_dates_are_taken_once_somebody_says_so(open_desk: Open) -> None:
    """A date that was corrected: nothing is issued twice, and the answer is remembered."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    assert desk.call("issue", write(desk, "ventas.csv", DATED, "77,2026-11-23,Café,1,2.50")).code == 0
    corrected = write(desk, "ventas.csv", DATED, "77,2026-11-24,Café,1,2.50")
    assert desk.call("issue", corrected).code == 2
    said = desk.call("issue", corrected, "--alike", "same", "--json")
    assert (said.code, said.json["sent"]) == (0, 0)
    again = desk.call("issue", corrected, "--json")
    assert (again.code, again.json["sent"]) == (0, 0)
    assert len(sandbox.documents()) == 1


def test_small_numbers_without_a_date_are_asked_about_when_another_file_has_them(open_desk: Open) -> None:
    """Nothing in the file tells Tuesday's 1 from Monday's; the file itself, given again, is no question."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Descripción,Cantidad,Precio"
    monday = write(desk, "lunes.csv", headings, "1,Café,1,2.50", "2,Pan,1,1.00")
    tuesday = write(desk, "martes.csv", headings, "1,Café,1,2.50", "2,Pan,1,1.00", "3,Té,1,2.00")
    assert desk.call("issue", monday).code == 0
    assert desk.call("issue", monday).code == 0
    done = desk.call("issue", tuesday, "--json")
    assert done.code == 2
    assert "{Fecha}" in done.json["repair"]
    assert len(sandbox.documents()) == 2
    assert desk.call("issue", tuesday, "--alike", "same").code == 0
    assert desk.call("issue", tuesday).code == 0, "the answer is remembered"
    assert len(sandbox.documents()) == 3


def test_one_sale_under_two_references_in_one_call_is_asked_about(open_desk: Open) -> None:
    """A file, and the same file after Excel: named together, no sale leaves twice; two sales that look alike do."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    file = write(desk, "ventas.csv", DATED, "0501,2026-11-23,Café,1,2.50", "0502,2026-11-23,Pan,1,1.00")
    again = write(desk, "excel.csv", DATED, "501,2026-11-23,Café,1,2.50", "502,2026-11-23,Pan,1,1.00")
    assert "refs-look-alike" in {one["code"] for one in desk.call("check", file, again, "--json").json["problems"]}
    for answer in ((), ("--alike", "same")):
        asked = desk.call("issue", file, again, *answer, "--json")
        assert (asked.code, len(sandbox.documents())) == (2, 0)
        assert ("written otherwise and everything else equal: 2" in asked.json["error"]) is True
    assert desk.call("issue", file).code == 0
    checked = desk.call("check", file, again)
    assert checked.code == 2
    assert "perhaps sales that the ledger, or these files, have already   2" in checked.out
    assert desk.call("issue", file, again, "--alike", "same").code == 2, "one of both has to go"
    assert len(sandbox.documents()) == 2
    assert desk.call("issue", file, again, "--alike", "new").code == 0
    assert desk.call("issue", file, again).code == 0, "the ledger has both"
    assert len(sandbox.documents()) == 4


def test_equal_sales_are_told_apart_by_their_time(open_desk: Open) -> None:
    """Seven equal coffees under other references, minute by minute, are Monday's; at other minutes they are others."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)

    def coffees(name: str, serie: str, *times: str) -> str:
        rows = (f"{serie}-{number},2026-11-23 {time},Café,1,2.50" for number, time in enumerate(times))
        return write(desk, name, DATED, *rows)

    times = ("07:02", "07:41", "08:15", "09:33", "10:20", "11:05", "14:48")
    assert desk.call("issue", coffees("lunes.csv", "C", *times)).code == 0
    assert desk.call("issue", coffees("otra.csv", "K", *times)).code == 2
    others = ("07:05", "07:49", "08:19", "09:35", "10:26", "11:08", "14:42")
    assert desk.call("issue", coffees("tarde.csv", "D", *others)).code == 0
    assert len(sandbox.documents()) == 14


@pytest.mark.parametrize("first", ["1,Café,1,0.00", ""])
def test_a_first_number_that_is_missing_hides_nothing(open_desk: Open, first: str) -> None:
    """It was taken out, or it has a mistake: the numbers are counted from 1 all the same."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Descripción,Cantidad,Precio"
    monday = write(desk, "lunes.csv", headings, *filter(None, [first]), "2,Café,1,2.50", "3,Pan,1,1.00")
    tuesday = write(desk, "martes.csv", headings, *filter(None, [first]), "2,Café,1,2.50", "3,Torta,1,1.25")
    both = desk.call("issue", monday, tuesday, "--json")
    assert (both.code, len(sandbox.documents())) == (2, 0)
    assert desk.call("issue", monday).code == int(bool(first))
    assert desk.call("issue", tuesday, "--json").code == 2
    assert len(sandbox.documents()) == 2


SAVED_AGAIN = [
    ("0001", "1"),
    ("v-17", "V-17"),
    ("V 17", "V17"),
    ("\u00d1-\u00e91", "N\u0303-e\u03011"),
    ("V-17", "V–17"),
    ("V-17", "V\u2011 17"),
]


@pytest.mark.parametrize(
    ("before", "after"), SAVED_AGAIN, ids=["zeros", "case", "space", "nfd", "hyphen", "hyphen and space"]
)
def test_the_same_file_after_excel_is_asked_about(open_desk: Open, before: str, after: str) -> None:
    """Written otherwise, whatever its content: nothing leaves before a person has said which sale it is."""
    desk, sandbox = open_desk(documents=1)
    desk.write(f"{before},Café,2,2.50")
    assert desk.call("issue", "ventas.csv").code == 0
    desk.write(f"{after},Café,2,2.50")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, len(sandbox.documents())) == (2, 1)
    assert f"«{before}»" in done.json["error"]
    assert "--alike" in done.json["repair"]
    assert desk.call("issue", "ventas.csv", "--alike", "same").code == 0
    assert desk.call("issue", "ventas.csv").code == 0, "the answer is remembered"
    assert desk.call("reconcile", "ventas.csv").code == 0
    assert len(sandbox.documents()) == 1
    desk.write(f"{after},Café,2,2.60")
    assert desk.call("issue", "ventas.csv").code == 1, "a conflict with the content that was issued"


def test_another_sale_with_a_reference_that_looks_alike_is_issued_once_somebody_says_so(open_desk: Open) -> None:
    """And from then on each is known by its own reference."""
    desk, sandbox = open_desk(documents=1)
    desk.write("A-01,Café,2,2.50")
    assert desk.call("issue", "ventas.csv").code == 0
    desk.write("A-1,Té,1,1.00")
    assert desk.call("issue", "ventas.csv", "--alike", "new").code == 0
    assert desk.call("issue", "ventas.csv").code == 0
    assert set(at_provider(sandbox)) == {"A-01", "A-1"}


TIMED = [f"2026-11-23,Cosa {n},1,{n}.25" for n in range(1, 9)]


def test_a_whole_file_under_other_references_is_asked_about(open_desk: Open) -> None:
    """Nobody is named, and all that is sold comes again in the same order: the file was numbered anew."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    first = write(desk, "a.csv", DATED, *(f"T-{n},{row}" for n, row in enumerate(TIMED, 101)))
    other = write(desk, "b.csv", DATED, *(f"F{n}X,{row}" for n, row in enumerate(TIMED, 5001)))
    assert desk.call("issue", first).code == 0
    done = desk.call("issue", other, "--json")
    assert (done.code, len(sandbox.documents())) == (2, 8)
    assert desk.call("issue", other, "--alike", "same").code == 0
    assert desk.call("issue", other).code == 0
    assert len(sandbox.documents()) == 8


def test_ordinary_weeks_ask_nothing(open_desk: Open) -> None:
    """Numbers that go on, regulars who buy the same coffee, with dates and without."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    number = 1000
    sold = ("Café,1,1.50", "Pan,2,0.25", "Té,1,1.00", "Café,2,1.50", "Pupusa,3,0.75")
    for day in range(23, 28):
        for dated in (True, False):
            rows = [f"{number + n}{f',2026-11-{day}' if dated else ''},{sold[n * n * day % 5]}" for n in range(30)]
            number += 30
            headings = DATED if dated else DATED.replace("Fecha,", "")
            done = desk.call("issue", write(desk, "ventas.csv", headings, *rows), "--json")
            assert (done.code, done.json["sent"]) == (0, 30), done.err
    assert len(sandbox.documents()) == 300


def test_a_second_shop_claims_no_document_of_the_first(open_desk: Open) -> None:
    """One company, two ledgers, plain numbers, the same coffee: nothing is posted, and nothing said to be stamped."""
    desk, sandbox = open_desk(documents=1)
    desk.write("1,Café,2,2.50", "2,Pan,1,1.00", "3,Té,1,2.00")
    assert desk.call("issue", "ventas.csv", "-l", "norte.db").code == 0
    posts = sandbox.requests().posts()
    for more in ((), ("--alike", "new")):
        done = desk.call("issue", "ventas.csv", "-l", "sur.db", *more, "--json")
        assert (done.code, sandbox.requests().posts()) == (2, posts)
        assert "3 of the 3 that were looked up" in done.json["error"]
        assert "stamped" not in desk.states("sur.db").values()
    settings(desk, '[source]\nexternal_ref = "{Sucursal}-{Número}"\n')
    write(desk, "sur.csv", "Sucursal,Número,Descripción,Cantidad,Precio", "Sur,1,Café,2,2.50", "Sur,2,Pan,1,1.00")
    assert desk.call("issue", "sur.csv", "-l", "sur.db").code == 0
    assert len(sandbox.documents()) == 5


def test_a_duplicate_that_nobody_expected_needs_a_person(open_desk: Open) -> None:
    """One of many numbers is another shop's: its sale is not said to be issued, both contents are shown."""
    desk, sandbox = open_desk(documents=1)
    desk.write("A-2,Televisor,1,900.00")
    assert desk.call("issue", "ventas.csv", "-l", "other.db").code == 0
    desk.fill(9)
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["stamped"], done.json["states"]["unsure"]) == (1, 8, 1)
    record = desk.records()["A-2"]
    assert (record.state.value, record.reason, record.unexpected_duplicate) == ("unsure", "other-content", True)
    (conflict,) = done.json["conflicts"]
    assert conflict["external_ref"] == "A-2"
    assert {change["what"] for change in conflict["changes"]} >= {"gross", "lines[1].description"}
    for command in (("issue", "ventas.csv"), ("refresh",), ("retry",), ("issue", "ventas.csv", "--alike", "same")):
        assert desk.call(*command).code == 1, command
        assert desk.states()["A-2"] == "unsure", command
    assert len(sandbox.documents()) == 9


def test_one_stamp_for_three_sales_proves_none(tmp_path: Path) -> None:
    """Whatever else the answers say: three documents of one stamp are three doubts."""

    def reply(method: str, ref: str, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return NOT_FOUND
        number = int(ref[2:])
        return 200, stamped(ref, number, "5.00") | {proof: value for proof, value in SAME.items() if proof == shared}

    for shared in SAME:
        folder = tmp_path / shared
        folder.mkdir()
        with lying(reply) as liar:
            desk = Desk(folder, liar.base_url)
            desk.fill(3)
            done = desk.call("issue", "ventas.csv", "--concurrency", "1", "--json")
            assert (done.code, done.json["states"]["stamped"], done.json["states"]["unsure"]) == (1, 0, 3), shared
            assert {record.reason for record in desk.records().values()} == {"shared-proof"}


SAME = {
    "reception_stamp": "2026SAME",
    "generation_code": "0A1B2C3D-0000-4000-8000-000000000001",
    "control_number": "DTE-01-M001P001-000000000000077",
}


def test_a_corrected_sale_that_is_answered_with_the_original_keeps_its_old_content(tmp_path: Path) -> None:
    """The provider kept what it got first: the ledger says so, and the file's new content is a conflict."""
    first: dict[str, dict[str, Any]] = {}

    def reply(method: str, ref: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return NOT_FOUND
        if ref not in first:
            first[ref] = stamped(ref, 1, f"{body['lines'][0]['unit_price'] * body['lines'][0]['quantity']:.2f}")
            return 400, {"detail": "Línea 1: precio"}  # it says no, and has it all the same
        return 200, first[ref] | {"is_duplicate": True}

    with lying(reply) as liar:
        desk = Desk(tmp_path, liar.base_url)
        desk.write("A-1,Café,2,2.50")
        assert desk.call("issue", "ventas.csv").code == 1
        assert desk.states() == {"A-1": "invalid"}
        desk.write("A-1,Café,2,3.50")
        done = desk.call("issue", "ventas.csv", "--json")
        record = desk.records()["A-1"]
        assert (record.state.value, str(record.expected_gross)) == ("stamped", "5.00")
        (conflict,) = done.json["conflicts"]
        assert (done.code, conflict["issued_gross"], conflict["file_gross"]) == (1, "5.00", "7.00")
        assert desk.call("issue", "ventas.csv", "--json").json["conflicts"], "and it stays one"
        desk.write("A-1,Café,2,2.50")
        assert desk.call("issue", "ventas.csv").code == 0, "what was issued is what the file says again"


def test_what_a_run_left_open_is_told_by_every_later_one(open_desk: Open) -> None:
    """Monday was cut off: Tuesday's run asks about what is in doubt, names what is left, and is not done with 0."""
    desk, sandbox = open_desk("reset-before:route=invoice,after=2", documents=1)
    desk.fill(7).rename(desk.folder / "lunes.csv")
    assert desk.call("issue", "lunes.csv", "--concurrency", "1", "--stop-after", "1").code == 3
    sandbox.clear_faults()
    desk.write("B-1,Pan,1,1.00")
    done = desk.call("issue", "ventas.csv", "--json")
    left = [one["external_ref"] for one in done.json["open"] if one["cause"] == "left-open"]
    assert (done.code, left) == (1, [f"A-{number}" for number in range(3, 8)])
    assert done.json["states"]["stamped"] == 1
    shown = desk.call("issue", "ventas.csv").out
    assert "5 of other runs are open" in shown
    assert "lunes.csv" in shown
    assert "A-3" in Path(desk.folder, done.json["reports"]["html"]).read_text(encoding="utf-8")
    assert desk.call("reconcile", "ventas.csv").code == 1
    withdrawn = desk.call("note", "A-7", "the customer left", "--by", "Ana", "--withdraw", "--json")
    assert (withdrawn.code, withdrawn.json["withdrawn"]) == (0, True)
    assert desk.call("note", "B-1", "oh", "--by", "Ana", "--withdraw").code == 2, "it is issued"
    retried = desk.call("retry")
    assert retried.code == 0, retried.err
    assert "4 × not sent yet, $20.00: lunes.csv" in retried.out
    assert {one.ref for one in sandbox.documents()} == {"B-1", *(f"A-{number}" for number in range(1, 7))}
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("issue", "lunes.csv").code == 2, "it is in the file again"
    assert desk.call("issue", "lunes.csv", "--alike", "same").code == 0
    assert desk.call("issue", "lunes.csv", "--alike", "new").code == 0
    assert len(sandbox.documents()) == 8
    assert desk.call("issue", "lunes.csv").code == 0, "it is not withdrawn any more"


def test_a_look_that_is_owed_is_taken_by_the_next_run(open_desk: Open) -> None:
    """A full credit note was stamped, and the run ended before it could ask about its CCF."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, '[source]\nprices = { "03" = "with_vat" }\n')
    headings = (
        "doc_type,external_ref,name,nit,nrc,type_contributor,adjusts,full_adjustment,description,quantity,unit_price"
    )
    ccf = "03,C-1,Comercial Uno,0614-050707-104-8,12345-6,1,,,Café,1,11.30"
    write(desk, "ventas.csv", headings, ccf)
    assert desk.call("issue", "ventas.csv").code == 0
    write(desk, "ventas.csv", headings, ccf, "05,N-1,,,,,C-1,sí,,,")
    sandbox.order("error-before:route=invalidate-status,count=99", "error-before:route=status,count=99,after=1")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.json["states"]["stamped"], done.json["states"]["cancelled"]) == (2, 0)
    assert desk.records()["C-1"].look_owed == "credited"
    sandbox.clear_faults()
    desk.write("B-1,Pan,1,1.00")
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.states() == {"C-1": "cancelled", "N-1": "stamped", "B-1": "stamped"}


def test_a_restored_ledger_asks_before_it_sends(open_desk: Open) -> None:
    """What was issued after the backup is found and recorded, in contingency too; what was cancelled is learned."""
    desk, sandbox = open_desk(documents=3)
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("ledger", "backup", "copia.db").code == 0
    sandbox.change(contingency_refs=("A-5", "A-6"))
    desk.fill(8)
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("cancel", "A-1", "--yes").code == 0
    posts = sandbox.requests().posts()
    assert desk.call("ledger", "restore", "copia.db", "--yes").code == 0
    desk.fill(9)
    done = desk.call("issue", "ventas.csv", "--json")
    assert sandbox.requests().posts() == posts + 1, "only the one that is new"
    assert sandbox.requests().violations == ()
    assert [desk.states()[f"A-{number}"] for number in (4, 5, 6, 9)] == [
        "stamped", "contingency", "contingency", "stamped",
    ]  # fmt: skip
    assert (done.code, {one["cause"] for one in done.json["open"]}) == (1, {"look-owed"})
    desk.call("refresh")
    assert desk.states()["A-1"] == "cancelled"
    assert desk.call("refresh").code == 0


@pytest.mark.parametrize("price", ["2.50", "2.60"], ids=["same", "corrected"])
def test_after_a_day_was_added_and_a_template_the_old_file_is_asked_about(open_desk: Open, price: str) -> None:
    """Monday was issued as 1, and no file said its day: the same sale, whatever its price is now."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", "Número,Descripción,Cantidad,Precio", "1,Café,1,2.50")
    assert desk.call("issue", monday).code == 0
    settings(desk, '[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    write(desk, "lunes.csv", DATED, f"1,2026-11-23,Café,1,{price}")
    assert (desk.call("issue", monday).code, len(sandbox.documents())) == (2, 1)
    assert desk.call("issue", monday, "--alike", "same").code == (0 if price == "2.50" else 1)
    assert desk.call("issue", monday).code == (0 if price == "2.50" else 1), "the answer is remembered"
    assert set(at_provider(sandbox)) == {"1"}


def test_a_corrected_sale_under_a_template_is_asked_about(open_desk: Open) -> None:
    """Both say the same day: one sale with another price, not two."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", DATED, "1,2026-11-23,Café,1,2.50")
    assert desk.call("issue", monday).code == 0
    settings(desk, '[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    write(desk, "lunes.csv", DATED, "1,2026-11-23,Café,1,2.60")
    assert (desk.call("issue", monday).code, len(sandbox.documents())) == (2, 1)


def test_another_file_that_says_just_the_same_is_asked_about(open_desk: Open) -> None:
    """Two small days may be equal to the letter; a copy of a file is, too."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Descripción,Cantidad,Precio"
    monday = write(desk, "lunes.csv", headings, "1,Café,1,2.50", "2,Pan,1,1.00")
    tuesday = write(desk, "martes.csv", headings, "1,Café,1,2.50", "2,Pan,1,1.00")
    assert desk.call("issue", monday).code == 0
    assert desk.call("issue", monday).code == 0
    assert (desk.call("issue", tuesday).code, len(sandbox.documents())) == (2, 2)
    assert desk.call("issue", tuesday, "--alike", "same").code == 0
    assert desk.call("issue", tuesday).code == 0, "the answer is remembered"
    assert len(sandbox.documents()) == 2


def test_one_till_that_begins_anew_without_dates_is_asked_about(open_desk: Open) -> None:
    """That branch and till are the same says nothing of the day."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Sucursal,No. caja,Descripción,Cantidad,Precio"
    monday = write(desk, "lunes.csv", headings, "1,Centro,1,Pan,1,1.00")
    tuesday = write(desk, "martes.csv", headings, "1,Centro,1,Pan,1,1.00", "2,Centro,1,Pan,1,1.00")
    assert desk.call("issue", monday).code == 0
    assert (desk.call("issue", tuesday).code, len(sandbox.documents())) == (2, 1)


def test_of_two_numbers_that_look_alike_a_template_finds_the_one_to_the_letter(open_desk: Open) -> None:
    """The ledger has 1 and 01, two sales: 2026-11-24-01 is asked about as 01, and one answer settles it."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    headings = "Número,Descripción,Cantidad,Precio"
    assert desk.call("issue", write(desk, "lunes.csv", headings, "1,Café,1,2.50")).code == 0
    tuesday = write(desk, "martes.csv", headings, "01,Pan,1,1.00")
    assert desk.call("issue", tuesday, "--alike", "new").code == 0
    settings(desk, '[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    write(desk, "martes.csv", DATED, "01,2026-11-24,Pan,1,1.00")
    asked = desk.call("issue", tuesday, "--json")
    assert (asked.code, "the ledger has «01»" in asked.json["error"]) == (2, True)
    assert desk.call("issue", tuesday, "--alike", "same").code == 0
    assert desk.call("issue", tuesday).code == 0, "the answer is remembered"
    assert set(at_provider(sandbox)) == {"1", "01"}


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are made with pty")
@pytest.mark.parametrize("answer", ["same", "new", ""])
def test_a_person_at_a_terminal_is_asked(open_desk: Open, answer: str) -> None:
    """The answer goes on at once: the same sales are left, the template of others is written into the settings."""
    desk, sandbox = open_desk(documents=1)
    settings(desk, MAPPED)
    monday = write(desk, "lunes.csv", DATED, "1,2026-11-23,Café,1,2.50")
    assert desk.call("issue", monday).code == 0
    write(desk, "martes.csv", DATED, "1,2026-11-24,Café,1,2.50")
    code, shown = at_a_terminal(desk, "issue", "martes.csv", answers=[answer])
    assert "The same sale, or a number that began anew?" in shown
    assert code == (0 if answer else 2)
    assert len(sandbox.documents()) == (2 if answer == "new" else 1)
    kept = (desk.folder / "batch-issuer.toml").read_text(encoding="utf-8")
    assert ('external_ref = "{Fecha}-{Número}"' in kept) == (answer == "new")
    if answer:
        assert desk.call("issue", "martes.csv").code == 0, "the answer is remembered"


def at_a_terminal(desk: Desk, *arguments: str, answers: list[str]) -> tuple[int, str]:
    """The program with a terminal of its own; each answer is typed when a question stands there."""
    terminal, theirs = pty.openpty()
    environment = {**os.environ, "OCOTE_API_KEY": desk.key, "OCOTE_BASE_URL": desk.base_url, "BATCH_ISSUER_LANG": "en"}
    process = subprocess.Popen(
        [sys.executable, "-m", "batch_issuer", *arguments],
        cwd=desk.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown, left = b"", list(answers)
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            shown += part
            if left and shown.rstrip().endswith(b"nothing is sent."):
                os.write(terminal, left.pop(0).encode() + b"\n")
    os.close(terminal)
    return process.wait(60), shown.decode()
