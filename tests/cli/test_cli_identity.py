"""Which sale is which, through the real command line: what the ledger has is never taken for another, nor twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from batch_issuer.sandbox import Running
from tests.cli.desk import Desk, Open

DATED = "Número,Fecha,Descripción,Cantidad,Precio"
OF_BRANCHES = "Número,Fecha,Sucursal,Descripción,Cantidad,Precio"


def write(desk: Desk, name: str, headings: str, *rows: str) -> str:
    (desk.folder / name).write_text("\n".join([headings, *rows]) + "\n", encoding="utf-8")
    return name


def settings(desk: Desk, text: str) -> None:
    (desk.folder / "batch-issuer.toml").write_text(text, encoding="utf-8")


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
