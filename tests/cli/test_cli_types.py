"""Every document type out of one spreadsheet, through the command line and the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from batch_issuer.sandbox import Running
from tests.cli.desk import Desk, Open

HEADINGS = (
    "tipo documento,external_ref,Razón social,NIT,NRC,Tipo contribuyente,Distrito,Giro,Dirección,Correo,"
    "Documento que ajusta,Ajuste total,Descripción,Cantidad,Precio,% descuento,Es servicio,DUI"
)
TAXPAYER = '"Comercial Uno, S.A. de C.V.",0614-050707-104-8,12345-6,Grande,Santa Tecla,01111,Calle 1,uno@example.com'
NET = '[source]\nprices = { "03" = "without_vat" }\n'


def ccf(ref: str, price: str, discount: str = "") -> str:
    return f"CCF,{ref},{TAXPAYER},,,Consultoría,1,{price},{discount},,"


def note(ref: str, adjusts: str, price: str = "", full: str = "") -> str:
    what = f"Consultoría,1,{price}" if price else ",,"
    return f"NC,{ref},,,,,,,,,{adjusts},{full},{what},,,"


def purchase(ref: str, what: str, price: str, service: str) -> str:
    return f"14,{ref},Juan Pérez,,,,,,,,,,{what},1,{price},,{service},00016297-5"


def write(desk: Desk, *rows: str, settings: str = NET) -> None:
    desk.write(name="ventas.csv").write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")
    (desk.folder / "batch-issuer.toml").write_text(settings, encoding="utf-8")


def issued(desk: Desk, *more: str) -> dict[str, Any]:
    done = desk.call("issue", "ventas.csv", "--json", *more)
    assert done.code in (0, 1), done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def reasons(desk: Desk) -> dict[str, str]:
    """What holds documents that were not sent."""
    return {ref: record.reason for ref, record in desk.records().items() if record.state.value == "planned"}


def answered(desk: Desk, ref: str) -> tuple[str, ...]:
    amounts = desk.records()[ref].answer.amounts
    found = (amounts.taxable, amounts.vat, amounts.gross, amounts.retention, amounts.total)
    return tuple(f"{amount:.2f}" for amount in found)


def sent(provider: Running, ref: str) -> Any:
    """The document as the provider has it."""
    return next(document for document in provider.documents() if document.ref == ref)


def test_a_mixed_file_is_issued_whole(open_desk: Open) -> None:
    """Five types, each by its route, with the amounts of the ministry's example; the credit notes after their CCFs."""
    desk, provider = open_desk(unknown_fields="refused")
    write(
        desk,
        note("N-1", "C-1", "100.00"),
        note("N-2", "C-2", full="sí"),
        ccf("C-1", "775.00", "10"),
        ccf("C-2", "100.00"),
        "11,E-1,Jane Doe,,,,,,Main St 1,,,,Café oro 50 kg,3,250.00,,,",
        purchase("S-1", "Reparación", "100.00", "sí"),
        purchase("S-1", "Madera", "20.00", "no"),
        "01,F-1,,,,,,,,,,,Café,2,2.50,,,",
    )
    found = issued(desk)
    assert (found["exit_code"], found["sent"]) == (0, 7)
    assert (found["states"]["stamped"], found["states"]["cancelled"]) == (6, 1)
    assert answered(desk, "C-1") == ("697.50", "90.68", "788.18", "6.98", "781.20")
    assert answered(desk, "C-2") == ("100.00", "13.00", "113.00", "1.00", "112.00")
    assert answered(desk, "E-1") == ("750.00", "0.00", "750.00", "0.00", "750.00")
    assert answered(desk, "S-1") == ("120.00", "0.00", "120.00", "10.00", "110.00")
    assert answered(desk, "N-1")[2] == "113.00"
    records = desk.records()
    assert {ref: str(record.expected_retention) for ref, record in records.items()} == {
        "N-1": "None", "N-2": "None", "C-1": "6.98", "C-2": "1.00", "E-1": "0.00", "S-1": "10.00", "F-1": "0.00"
    }  # fmt: skip
    assert records["N-2"].expected_gross == Decimal("113.00")
    assert sent(provider, "C-2").standing.value == "cancelled"
    assert sent(provider, "C-1").recipient["municipality"] == "28"
    again = issued(desk)
    assert (again["sent"], again["exit_code"], provider.requests().violations) == (0, 0, ())


@pytest.mark.parametrize(("basis", "price"), [("without_vat", "100.00"), ("with_vat", "113.00")])
def test_either_price_basis_comes_back_to_the_cent(open_desk: Open, basis: str, price: str) -> None:
    """What travels includes VAT; the net price of the sheet is the provider's base."""
    desk, provider = open_desk(unknown_fields="refused")
    write(desk, ccf("C-1", price), settings=f'[source]\nprices = {{ "03" = "{basis}" }}\n')
    assert issued(desk)["exit_code"] == 0
    assert answered(desk, "C-1") == ("100.00", "13.00", "113.00", "1.00", "112.00")
    assert str(sent(provider, "C-1").sale.lines[0].unit_price.normalize()) == "113"


def test_a_credit_note_waits_for_its_ccf(open_desk: Open) -> None:
    """In contingency or rejected nothing is credited; the stamp lets the next run go on, by `retry` too."""
    desk, provider = open_desk(contingency_refs="C-1,C-2")
    write(desk, ccf("C-1", "100.00"), ccf("C-2", "100.00"), note("N-1", "C-1", "10"), note("N-2", "C-2", full="x"))
    assert issued(desk)["exit_code"] == 1
    assert reasons(desk) == {"N-1": "ccf-contingency", "N-2": "ccf-contingency"}
    assert desk.call("retry").code == 1
    assert provider.requests().count("credit-memo") == 0
    provider.change(contingency_refs=())
    provider.resolve("stamped", ["C-1"])
    provider.resolve("rejected", ["C-2"])
    assert desk.call("refresh").code == 1
    assert desk.call("retry").code == 1
    assert reasons(desk) == {"N-2": "ccf-rejected"}
    assert desk.states()["N-1"] == "stamped"
    write(desk, ccf("C-1", "100.00"), ccf("C-2", "101.00"), note("N-1", "C-1", "10"), note("N-2", "C-2", full="x"))
    found = issued(desk)
    assert found["exit_code"] == 0, (found["problems"], found["states"], found.get("differences"))
    assert desk.records()["N-2"].expected_gross == Decimal("114.13")


def test_a_rejected_ccf_holds_its_note_until_it_is_corrected(open_desk: Open) -> None:
    """In one batch: the CCF is refused and the note with it, told of in words; corrected, both go in one run."""
    desk, provider = open_desk(rejected_refs="C-1")
    write(desk, ccf("C-1", "100.00"), note("N-1", "C-1", "50.00"))
    said = desk.call("issue", "ventas.csv")
    assert said.code == 1
    assert "The CCF that the credit note adjusts was refused; correct it and issue both again." in said.out
    write(desk, ccf("C-1", "101.00"), note("N-1", "C-1", "50.00"))
    assert issued(desk)["states"]["stamped"] == 2
    assert provider.requests().count("credit-memo") == 1


def test_check_says_what_it_cannot_know_of_a_ccf(open_desk: Open) -> None:
    """What is invoiced, credited and bought stands apart; a CCF by UUID that no ledger has is looked up later, not now."""
    desk, provider = open_desk()
    write(desk, note("N-1", "0a1b2c3d-0000-4000-8000-000000000001", "10"), ccf("C-1", "100.00"))
    done = desk.call("check", "ventas.csv", "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert [problem["code"] for problem in found["problems"]] == ["credit-ccf-unknown"]
    totals = {name: found["totals"][f"to_issue_{name}"] for name in ("gross", "invoiced", "credit_notes", "retention")}
    assert totals == {"gross": "124.30", "invoiced": "113.00", "credit_notes": "11.30", "retention": "1.00"}
    assert provider.requests().total == 0


def test_a_full_credit_note_keeps_its_amount(open_desk: Open) -> None:
    """However often the file is issued and checked, and whoever learned that the CCF is cancelled by it."""
    desk, _ = open_desk()
    write(desk, ccf("C-1", "697.50"), ccf("C-2", "10.00"), note("N-1", "C-1", full="sí"))
    assert issued(desk)["totals"]["expected_gross"] == "1587.66"
    for _ in range(2):
        again = issued(desk)
        assert (again["exit_code"], again["sent"], again["totals"]["expected_gross"]) == (0, 0, "1587.66")
    checked = json.loads(desk.call("check", "ventas.csv", "--json").out)
    assert checked["totals"]["expected_gross"] == "1587.66"


def test_never_more_than_is_left_of_the_ccf(open_desk: Open) -> None:
    """Within one file, and over the files of several days; what was credited counts, what was refused does not."""
    desk, provider = open_desk(unknown_fields="refused")
    write(desk, ccf("C-1", "100.00"), note("N-1", "C-1", "60"), note("N-2", "C-1", "50"), note("N-3", "C-1", "40"))
    found = issued(desk)
    assert [problem["code"] for problem in found["problems"] if problem["severity"] == "blocks"] == ["credit-over-ccf"]
    assert desk.states() == {"C-1": "stamped", "N-1": "stamped", "N-3": "stamped"}
    write(desk, note("N-4", "C-1", "0.01"), note("N-5", "C-1", full="sí"))
    assert {problem["external_ref"] for problem in issued(desk)["problems"]} == {"N-4", "N-5"}
    assert sent(provider, "C-1").standing.value == "stamped"


def test_the_trap_is_never_sprung(open_desk: Open) -> None:
    """A note that says neither lines nor all of it, or both and not the same, is held back; nothing of it is sent."""
    desk, provider = open_desk(unknown_fields="refused")
    write(
        desk,
        ccf("C-1", "100.00"),
        note("N-1", "C-1"),
        note("N-2", "C-1", "60", full="sí"),
        note("N-3", "C-1", full="no"),
        note("N-4", "C-1", full="quizás"),
        note("N-5", "", "10"),
    )
    found = issued(desk)
    assert {problem["external_ref"] for problem in found["problems"]} == {"N-1", "N-2", "N-3", "N-4", "N-5"}
    assert provider.requests().count("credit-memo") == 0
    write(desk, ccf("C-1", "100.00"), note("N-2", "C-1", "100.00", full="sí"))
    assert issued(desk)["exit_code"] == 0
    assert sent(provider, "N-2").sale.full_adjustment


def test_a_ccf_of_another_program_is_looked_up(open_desk: Open) -> None:
    """By reference or UUID, whether the ledger knows it or only the provider; what it lacks is not credited."""
    desk, provider = open_desk(unknown_fields="refused")
    write(desk, ccf("C-1", "100.00"))
    issued(desk)
    uuid = desk.records()["C-1"].answer.document_id
    desk.ledger.rename(desk.folder / "other.db")
    write(
        desk,
        note("N-1", uuid, "10"), note("N-2", "C-1", "20"), note("N-3", uuid.upper(), "80"), note("N-4", "C-9", "1"),
        note("N-5", "C-1", "10", full="sí"),
    )  # fmt: skip
    assert issued(desk)["exit_code"] == 1
    assert reasons(desk) == {"N-3": "credit-over-ccf", "N-4": "ccf-not-found", "N-5": "credit-full-differs"}
    assert provider.requests().count("credit-memo", 400) == 0


def test_only_a_ccf_is_adjusted(open_desk: Open) -> None:
    """A factura is cancelled, not adjusted; an export and a purchase neither."""
    desk, provider = open_desk(unknown_fields="refused")
    write(desk, "01,F-1,,,,,,,,,,,Café,2,2.50,,,", note("N-1", "F-1", "1.00"), note("N-2", "F-0", "1.00"))
    assert [problem["code"] for problem in issued(desk)["problems"]] == ["credit-not-a-ccf", "credit-ccf-unknown"]
    assert provider.requests().count("credit-memo") == 0


@pytest.mark.parametrize(
    ("unsaid", "known"),
    [
        ({"amount_names": "short"}, True),
        ({"amount_names": "schema", "memo_retention": True}, True),
        ({"amount_names": "none", "subject_number": "rejected", "shared_namespace": True}, False),
    ],
    ids=str,
)
def test_whatever_the_pages_leave_unsaid_of_05_and_14(open_desk: Open, unsaid: dict[str, object], known: bool) -> None:
    """Amounts under other names are understood, and none at all are no difference; everything is issued once."""
    desk, provider = open_desk("reset-after:route=suex,count=1", "error-after:route=credit-memo,count=1", **unsaid)
    write(desk, ccf("C-1", "100.00"), note("N-1", "C-1", "50.00"), purchase("S-1", "Reparación", "100.00", "sí"))
    assert issued(desk)["exit_code"] == 0
    amounts = {ref: record.answer.amounts for ref, record in desk.records().items()}
    assert amounts["N-1"].gross == (Decimal("56.5") if known else None)
    assert (amounts["S-1"].retention, amounts["S-1"].total) == ((10, 90) if known else (None, None))
    assert {document.received for document in provider.documents()} == {1}


def test_a_provider_that_reads_prices_of_notes_otherwise_is_told_of(open_desk: Open) -> None:
    """Should it add VAT to what has it already, the difference needs a person."""
    desk, _ = open_desk(memo_prices="without-vat")
    write(desk, ccf("C-1", "100.00"), note("N-1", "C-1", "50.00"))
    assert issued(desk)["exit_code"] == 1
    assert answered(desk, "N-1")[2] == "63.85"
