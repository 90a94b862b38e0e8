"""Numbers of sales that begin anew: told with the template that tells them apart, refused where they would be merged."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.messages import Messages
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import Batch, RepeatedRows, read
from batch_issuer.reading.sheets.numbering import propose_template
from batch_issuer.settings import Settings
from tests.reading.reading_samples import HEADINGS, codes, csv_file, read_lines, read_text, refs, refusal, settings

SHOP = "Número,Fecha,Sucursal,Caja,Descripción,Cantidad,Precio\n"
SHOP_COLUMNS = settings({"external_ref": "Número"})
within_a_test = effort(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def shop(folder: Path, *rows: str, till: bool = False, alike: str = "") -> Batch:
    """Rows of number, day of November, branch, till, what was sold."""
    columns = {"external_ref": "Número", **({"till": "Caja"} if till else {})}
    text = "".join(
        f"{n},2026-11-{day},{branch},{box},{what},1,2.50\n" for n, day, branch, box, what in map(str.split, rows)
    )
    return read_text(folder, SHOP + text, settings(columns, alike=alike))


def notes(batch: Batch) -> dict[str, str]:
    """Codes of the files' own problems, with the line that each proposes."""
    return {problem.code: problem.parameters.get("line", "") for problem in batch.problems}


def asked(files: Sequence[str], chosen: Settings | None = None) -> str:
    with pytest.raises(CannotStart) as caught:
        read(files, chosen or Settings())
    return refusal(caught.value)


@pytest.mark.parametrize(
    ("rows", "template"),
    [
        (["1 20 Centro 1 Café", "2 20 Centro 1 Pan", "3 20 Centro 1 Té"], "{Fecha}-{Número}"),
        (["1 20 Centro 1 Café", "2 20 Norte 1 Pan"], "{Sucursal}-{Fecha}-{Número}"),
        (["1 20 Centro 1 Café", "2 20 Centro 2 Pan"], "{Caja}-{Fecha}-{Número}"),
        (["1 20 Centro 1 Café", *(f"{at} 21 Norte 1 Té" for at in range(3, 7))], "{Sucursal}-{Fecha}-{Número}"),
    ],
)  # fmt: skip
def test_numbers_from_one_may_begin_anew(tmp_path: Path, rows: Sequence[str], template: str) -> None:
    """Told as a warning, with the line of settings over the sheet's own headings."""
    batch = shop(tmp_path, *rows)
    assert notes(batch) == {"numbers-may-restart": f'external_ref = "{template}"'}
    assert not any(problem.blocks for problem in batch.problems)
    assert codes(batch) == []


@pytest.mark.parametrize(
    "rows",
    [
        ["1 20 Centro 1 Café"],
        ["2 20 Centro 1 Café", "3 20 Centro 1 Pan"],
        ["1 20 Centro 1 Café", "3 20 Centro 1 Pan"],
        ["2 20 Centro 1 Café", "1 20 Centro 1 Pan"],
        ["F-1 20 Centro 1 Café", "F-2 20 Centro 1 Pan"],
        ["1041 20 Centro 1 Café", "1042 20 Centro 1 Pan"],
    ],
    ids=["one", "not from 1", "with gaps", "not ascending", "no numbers", "large"],
)
def test_other_numbers_are_nothing_to_tell(tmp_path: Path, rows: Sequence[str]) -> None:
    assert notes(shop(tmp_path, *rows)) == {}


def test_without_a_column_that_tells_them_apart_nothing_is_proposed(tmp_path: Path) -> None:
    assert notes(read_lines(tmp_path, "1,Café,1,2\n2,Pan,1,2\n")) == {}


def test_a_template_needs_no_other(tmp_path: Path) -> None:
    text = SHOP + "1,2026-11-20,Centro,1,Café,1,2.50\n2,2026-11-20,Centro,1,Pan,1,2.50\n"
    for template in ("{Número}", "{Fecha}-{Número}"):
        batch = read_text(tmp_path, text, settings(external_ref=template))
        assert notes(batch) == {}
        assert propose_template(batch.sources[0], ["date"]) == ""


@pytest.mark.parametrize(
    ("rows", "till", "template"),
    [
        (["1 20 A 1 Café", "2 20 A 1 Pan", "1 21 A 1 Té", "2 21 A 1 Té"], False, "{Fecha}-{Número}"),
        (["1 20 A 1 Café", "2 20 A 1 Pan", "1 20 B 1 Té", "2 20 B 1 Té"], False, "{Sucursal}-{Número}"),
        (["1 20 A 1 Café", "2 20 A 1 Pan", "1 20 B 1 Té", "2 21 A 1 Té"], False, "{Sucursal}-{Fecha}-{Número}"),
        (["1 20 A 1 Café", "2 20 A 1 Pan", "1 20 A 2 Té", "2 20 A 2 Té"], True, "{Caja}-{Número}"),
    ],
)
def test_numbers_that_begin_anew_in_one_file(tmp_path: Path, rows: Sequence[str], till: bool, template: str) -> None:
    """The documents stay held; the template that is proposed makes a document of each."""
    batch = shop(tmp_path, *rows, till=till)
    assert set(codes(batch)) == {"header-disagrees"}
    assert all(entry.held_back for entry in batch)
    assert notes(batch) == {"numbers-restart-in-file": f'external_ref = "{template}"'}
    (problem,) = batch.problems
    assert (problem.blocks, problem.parameters["count"]) == (False, "2")
    line = tomllib.loads(problem.parameters["line"])["external_ref"]
    apart = read([batch.sources[0].path], settings({"till": "Caja"} if till else {}, external_ref=line))
    assert len(apart) == 4
    assert (codes(apart), apart.problems) == ([], ())


def test_one_document_in_disagreement_is_a_slip(tmp_path: Path) -> None:
    assert notes(shop(tmp_path, "1 20 A 1 Café", "7 20 A 1 Pan", "1 21 A 1 Té")) == {}


def test_a_line_of_settings_for_the_fields_that_differ(tmp_path: Path) -> None:
    """For whoever finds the difference elsewhere, such as in the ledger."""
    source = shop(tmp_path, "7 20 A 1 Café").sources[0]
    assert propose_template(source, ["date"]) == 'external_ref = "{Fecha}-{Número}"'
    assert propose_template(source, ["till", "branch"]) == 'external_ref = "{Sucursal}-{Caja}-{Número}"'
    assert propose_template(source, []) == ""
    plain = read_lines(tmp_path, "7,Café,1,2\n").sources[0]
    assert propose_template(plain, ["date", "branch", "till"]) == ""


def test_of_equal_headings_the_letter_is_named(tmp_path: Path) -> None:
    text = 'Número,"Fecha ""real""",Nota,nota,Descripción,Cantidad,Precio\n1,2026-11-20,Centro,x,Café,1,2\n'
    chosen = {"external_ref": "Número", "date": 'Fecha "real"', "branch": "Nota (C)"}
    batch = read_text(tmp_path, text, settings(chosen))
    line = propose_template(batch.sources[0], ["branch", "date"])
    template = tomllib.loads(line)["external_ref"]
    assert template == '{Nota (C)}-{Fecha "real"}-{Número}'
    assert refs(read([batch.sources[0].path], settings({**chosen, "external_ref": ""}, external_ref=template))) == [
        "Centro-2026-11-20-1"
    ]


@within_a_test
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["20", "21"]), st.sampled_from("AB")), min_size=4, max_size=12
    )
)
def test_what_is_proposed_makes_every_sale_its_own(tmp_path: Path, sold: Sequence[tuple[int, str, str]]) -> None:
    """Whatever begins anew: under the template a sale is what has one number, day and branch."""
    rows = [f"{number} {day} {branch} 1 Cosa{at}" for at, (number, day, branch) in enumerate(sold)]
    batch = shop(tmp_path, *rows, alike="same")  # where nothing tells two sales apart, that is asked
    held = sum(entry.held_back for entry in batch)
    assert ("numbers-restart-in-file" in notes(batch)) == (held > 1)
    if held > 1:
        template = tomllib.loads(notes(batch)["numbers-restart-in-file"])["external_ref"]
        apart = read([batch.sources[0].path], settings(external_ref=template, alike="same"))
        assert not any(entry.held_back for entry in apart)


def test_two_shops_that_count_from_one_are_refused(tmp_path: Path) -> None:
    """Sale 1 of both would become one document; nothing is in the files that says otherwise."""
    files = [
        csv_file(tmp_path, HEADINGS + "".join(f"{at},{what},1,2.50\n" for at in range(1, last)), f"{what}.csv")
        for what, last in (("Café", 5), ("Pan", 9))
    ]
    text = asked(files)
    assert "Café.csv and " in text
    assert "Pan.csv both number their sales from 1, and 4 numbers stand in both, for example «1»" in text
    assert '[source]\nexternal_ref = "{Sucursal}-{Factura}"' in text
    assert "--alike same" in text
    assert set(codes(read(files, settings(alike="same")))) == {"document-in-two-files"}


def test_a_till_that_differs_is_the_column_to_add(tmp_path: Path) -> None:
    rows = "Factura,Sucursal,Caja,Descripción,Cantidad,Precio\n1,Centro,{0},{1},1,2\n2,Centro,{0},{1},1,2\n"
    files = [csv_file(tmp_path, rows.format(box, what), f"{box}.csv") for box, what in ((1, "Café"), (2, "Pan"))]
    assert 'external_ref = "{Caja}-{Factura}"' in asked(files)


def test_two_files_whose_days_differ_are_told_apart(tmp_path: Path) -> None:
    """Held back as before, and told how to read them."""
    files = [
        csv_file(tmp_path, SHOP + "".join(f"{at},2026-11-{day},A,1,Café,1,2\n" for at in (1, 2)), f"{day}.csv")
        for day in (20, 21)
    ]
    batch = read(files, SHOP_COLUMNS)
    assert all(entry.held_back for entry in batch)
    assert [(problem.code, problem.place.file) for problem in batch.problems] == [
        ("numbers-restart-in-file", file) for file in files
    ]


@pytest.mark.parametrize("second", ["5,Té,1,2\n6,Té,1,2\n", "1,Té,1,2\n11,Té,1,2\n12,Té,1,2\n", "A,Té,1,2\n1,Té,1,2\n"])
def test_a_sale_that_goes_on_in_another_file_is_none_of_it(tmp_path: Path, second: str) -> None:
    first = csv_file(tmp_path, HEADINGS + "".join(f"{at},Café,1,2.50\n" for at in range(1, 6)), "1.csv")
    assert "document-in-two-files" in codes(read([first, csv_file(tmp_path, HEADINGS + second, "2.csv")], Settings()))


WEEK = "1,Café,1,2\n2,Pan,1,1\n3,Té,1,1\n1,Pan,1,1\n2,Té,1,1\n"


def test_days_below_each_other_are_refused(tmp_path: Path) -> None:
    """A week in one sheet whose numbers begin anew each day, without a column that says the day."""
    text = asked([csv_file(tmp_path, HEADINGS + WEEK)])
    assert "in row 5 they begin at 1 again" in text
    assert '[source]\nexternal_ref = "{Sucursal}-{Factura}"' in text
    assert len(read_lines(tmp_path, WEEK, settings(alike="same"))) == 3


def test_days_of_which_one_sale_does_not_say_the_day_are_refused(tmp_path: Path) -> None:
    """The first sales of both days are held back, because their days differ; the second ones would be merged."""
    text = "Número,Fecha,Descripción,Cantidad,Precio\n1,2026-11-20,Café,1,2\n2,2026-11-20,Pan,1,2\n"
    path = csv_file(tmp_path, text + "1,2026-11-21,Té,1,2\n2,,Ron,1,2\n")
    assert "in row 4 they begin at 1 again" in asked([path], SHOP_COLUMNS)


def test_of_many_files_two_are_named(tmp_path: Path) -> None:
    """One line of settings answers for all."""
    files = [csv_file(tmp_path, HEADINGS + f"1,{what},1,2\n2,{what},1,2\n", f"{what}.csv") for what in "ABCDE"]
    assert asked(files).count("both number their sales from 1") == 1


@pytest.mark.parametrize("wanted", ["ask", "count", "once"])
def test_equal_sales_of_two_days_are_not_taken_for_pasted_ones(tmp_path: Path, wanted: str) -> None:
    """A sale is never left out because another day's was the same."""
    path = csv_file(tmp_path, HEADINGS + "1,Café,1,2\n2,Pan,1,1\n1,Café,1,2\n2,Té,1,1\n3,Té,1,2\n")
    assert "begin at 1 again" in asked([path], settings(repeated_rows=wanted))


def test_a_table_pasted_below_itself_is_asked_about_as_such(tmp_path: Path) -> None:
    rows = "1,Café,1,2\n2,Pan,1,1\n"
    with pytest.raises(RepeatedRows):
        read_lines(tmp_path, rows + rows)
    assert len(read_lines(tmp_path, rows + rows, settings(repeated_rows="once"))) == 2


@pytest.mark.parametrize("rows", ["1,Café,1,2\n2,Pan,1,1\n1,Té,1,1\n", "1,Café,1,2\n3,Pan,1,1\n1,Té,1,1\n3,Té,1,1\n"])
def test_rows_in_another_order_are_no_days(tmp_path: Path, rows: str) -> None:
    assert len(read_lines(tmp_path, rows)) == 2


def test_every_sentence_can_be_said(tmp_path: Path) -> None:
    for rows in (["1 20 A 1 Café", "2 20 A 1 Pan"], ["1 20 A 1 Café", "2 20 A 1 Pan", "1 21 A 1 Té", "2 21 A 1 Té"]):
        for problem in shop(tmp_path, *rows).problems:
            assert 'external_ref = "{Fecha}-{Número}"' in problem.repair(Messages("en"))
