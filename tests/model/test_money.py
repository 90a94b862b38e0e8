"""One figure for one amount, however many decimals it has: page, embedded data, workbook, JSON and screen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import batch_issuer
from batch_issuer.cli.screen.findings import show_findings
from batch_issuer.cli.screen.output import Output
from batch_issuer.cli.screen.verdict import show_reconciliation
from batch_issuer.messages import Messages
from batch_issuer.model import money
from batch_issuer.model.documents import Amounts
from batch_issuer.model.records import Answer, Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import Reconciliation, report_json
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from tests.reconcile.test_reconciliation import reconciled, record
from tests.reports import invented
from tests.reports.test_report_page import Page

EN = Messages("en")
AMOUNTS = st.decimals("-999999999.9999", "999999999.9999", places=4)
HALVES = [("10.125", "10.13"), ("10.135", "10.14"), ("0.005", "0.01"), ("1.005", "1.01"), ("-10.125", "-10.13"),
          ("10.1249", "10.12"), ("-0.004", "0.00"), ("2.675", "2.68")]  # fmt: skip


@pytest.mark.parametrize(("exact", "figure"), HALVES)
def test_half_a_cent_is_rounded_away_from_nothing(exact: str, figure: str) -> None:
    """As the ministry rounds. Half-even would give 10.12 for the first, and floats 1.00 and 2.67."""
    amount = Decimal(exact)
    assert money.figure(amount) == figure
    assert money.in_cents(amount) == Decimal(figure) * 100
    assert money.exact(amount) == exact
    sign, digits = ("-", figure[1:]) if figure.startswith("-") else ("", figure)
    assert (money.dollars(amount), money.grouped(amount)) == (f"{sign}${digits}", figure)


def test_thousands_signs_and_very_long_numbers() -> None:
    """A cell may hold 300 digits, and no figure is in scientific notation."""
    assert money.dollars(Decimal("-1234567.895"), minus="−") == "−$1,234,567.90"
    assert money.exact_grouped(Decimal("1234.5")) == "1,234.50"
    assert money.exact_grouped(Decimal("1234.5678")) == "1,234.5678"
    assert money.figure(Decimal("9" * 300)) == "9" * 300 + ".00"
    assert money.figure(Decimal("1E+5")) == money.exact(Decimal("1E+5")) == "100000.00"


@given(AMOUNTS)
def test_every_printer_rounds_alike(amount: Decimal) -> None:
    """Sign and thousands apart they give the same digits, which are those of the rounded amount."""
    cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert money.to_cents(amount) == Decimal(money.figure(amount)) == cents
    assert money.grouped(amount).replace(",", "") == money.figure(amount)
    assert money.dollars(amount).replace("$", "") == money.grouped(amount)
    assert money.in_cents(amount) == cents * 100


@given(st.decimals("0.01", "99999999.99", places=2))
def test_base_and_vat_make_the_total(gross: Decimal) -> None:
    """To the cent, and 13 % of the base within half a cent."""
    base, vat = money.split_vat(gross)
    assert base + vat == gross
    assert abs(base * Decimal("0.13") - vat) <= Decimal("0.0057")
    assert abs(money.with_vat(money.without_vat(gross)) - gross) < Decimal("1E-15")


def test_what_floats_and_half_even_would_make_another_cent_of() -> None:
    """Prices without VAT whose total falls on half a cent, which only Decimal sees."""
    net = Decimal("0.50")
    assert money.to_cents(money.with_vat(net)) == Decimal("0.57")
    assert (net * Decimal("1.13")).quantize(money.CENT, ROUND_HALF_EVEN) == Decimal("0.56")
    assert round(0.50 * 1.13, 2) == 0.56


def odd(reference: str, state: State, gross: str, answered: str) -> Record:
    """A document whose provider answers with three decimals in every amount."""
    return replace(
        record(reference, state, gross),
        date="2026-11-20",
        branch="Centro",
        lines=1,
        answer=Answer(
            control_number=f"DTE-01-M001P001-{int(reference[1:]):015d}",
            amounts=Amounts(
                gross=Decimal(answered), taxable=Decimal("8.965"), vat=Decimal("1.165"), retention=Decimal("0.125"),
                total=Decimal("10.005"),
            ),
        ),
    )  # fmt: skip


def an_odd_day() -> Reconciliation:
    """Two documents of three decimals: their exact sum is 20.270, and that of the rounded figures 20.28."""
    records = [odd("R1", State.STAMPED, "10.10", "10.125"), odd("R2", State.STAMPED, "10.10", "10.145")]
    made = reconciled(*records, refs=["R1", "R2"], amounts=["10.105", "10.105"])
    return replace(made, tolerance=Decimal("0.02"))


def test_page_workbook_json_and_screen_give_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Of each amount, of its difference, and of a sum, which is rounded once and never the sum of what was rounded."""
    made = an_odd_day()
    plain = json.loads("".join(report_json(made, "f")))
    assert [one["provider_gross"] for one in plain["documents_list"]] == ["10.13", "10.15"]
    assert [one["retention"] for one in plain["documents_list"]] == ["0.13", "0.13"]
    assert [one["answered"] for one in plain["differences"]] == ["10.15", "10.13"]
    assert (plain["totals"]["provider_gross"], plain["totals"]["retention"]) == ("20.27", "0.25")
    assert {step["key"]: step["gross"] for step in plain["bridge"]}["documents"] == "20.21"

    html = page_text(made, EN)
    page = Page(html).text
    for figure in ("$10.13", "$10.15", "$20.27", "$0.25", "+$0.05", "+$0.03", "$20.21"):
        assert figure in page, figure
    assert not re.search(r"\$10\.1(25|45|2\b|4\b)", page)
    columns = next(json.loads(raw) for kind, raw in Page(html).scripts if kind.get("id") == "listing")["columns"]
    assert (columns["difference"], columns["withheld"]) == ([3, 5], [13, 13])

    shown = cells_as_shown(made)
    assert {"10.13", "10.15", "20.27", "0.25", "8.97", "1.17", "10.01", "20.21"} <= shown
    assert not {"10.12", "10.14", "20.28"} & shown

    output = Output(EN, as_json=False)
    show_reconciliation(output, made)
    show_findings(output, made)
    said = capsys.readouterr().out
    for figure in ("$10.13", "$10.15", "$20.21"):
        assert figure in said, figure


def cells_as_shown(made: Reconciliation) -> set[str]:
    """What the workbook's cells of money show: the number with two decimals, half-up, as spreadsheets round."""
    book = openpyxl.load_workbook(BytesIO(workbook_content(made, EN)), data_only=True)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "0.00" in str(cell.number_format)]
    return {
        str(Decimal(repr(cell.value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
        for cell in cells
        if isinstance(cell.value, int | float)
    }


def test_every_figure_of_a_day_is_the_same_in_workbook_and_json() -> None:
    """Amounts of an ordinary day, made odd by a thousandth: every one of the JSON stands in the workbook."""
    day = invented.a_day(60)
    records = tuple(thousandth(one) for one in day.records)
    made = invented.of(list(records), list(day.runs))
    plain = json.loads("".join(report_json(made, "f")))
    wanted = {one[name] for one in plain["documents_list"] for name in ("provider_gross", "gross") if one[name]}
    assert len(wanted) > 30
    assert wanted <= cells_as_shown(made)


def thousandth(one: Record) -> Record:
    gross = one.answer.amounts.gross
    amounts = replace(one.answer.amounts, gross=None if gross is None else gross + Decimal("0.005"))
    return replace(one, answer=replace(one.answer, amounts=amounts))


def test_money_is_printed_rounded_and_taxed_in_one_module() -> None:
    """Nobody else has a printer, rounds, or knows the rate. The sandbox is of other hands on purpose."""
    own = re.compile(r":,?\.2f\}|ROUND_|\.quantize\(|1\.13\b|[^.\d]0\.13\b|1 \+ VAT_RATE|int\([a-z_.]+ \* 100\)")
    root = Path(batch_issuer.__file__).parent
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name == "model/money.py" or name.startswith("sandbox/"):
            continue
        if lines := [line.strip() for line in path.read_text("utf-8").splitlines() if own.search(line)]:
            found[name] = lines
    assert found == {}
