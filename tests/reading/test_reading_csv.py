"""CSV files: encodings, separators, quotation marks, and the two readers that must agree."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.reading.csv.encoding import survey_csv
from batch_issuer.reading.csv.rows import Layout, find_layout, read_carefully, read_csv, read_fast
from batch_issuer.reading.tables import Table
from batch_issuer.settings import Settings
from tests.reading.reading_samples import HEADINGS, csv_file, quantities, read_lines, read_text, refs, refusal


def nothing(_: object) -> int:
    return 0


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
    ],
)
def test_every_encoding_of_the_ladder_gives_the_same_text(tmp_path: Path, encoding: str, shown: str) -> None:
    """UTF-8 with and without mark, Windows-1252 and UTF-16 are read alike, and the source says which it was."""
    batch = read([csv_file(tmp_path, HEADINGS + "A1,Piña y café,2,3.50\n", encoding=encoding)], Settings())
    assert batch[0].document.lines[0].description == "Piña y café"
    assert batch.sources[0].encoding == shown


def test_bytes_in_no_known_encoding_are_refused(tmp_path: Path) -> None:
    """A byte that neither UTF-8 nor Windows-1252 has is not replaced by anything."""
    path = tmp_path / "ventas.csv"
    path.write_bytes(HEADINGS.encode() + b"A1,Caf\x81,2,3.50\n")
    with pytest.raises(CannotStart) as stopped:
        read([str(path)], Settings())
    assert "neither UTF-8 nor Windows-1252" in refusal(stopped.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_under_which_the_headings_are_known(tmp_path: Path, separator: str) -> None:
    """All four separators are found, also where the texts are full of another one."""
    text = 'Factura,Descripción,Cantidad,Precio\nA1,"Uno, dos; tres | cuatro",2,3.50\n'
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    batch = read_text(tmp_path, out.getvalue())
    assert batch[0].document.lines[0].description == "Uno, dos; tres | cuatro"
    assert batch.sources[0].separator == ("tab" if separator == "\t" else separator)


def test_excels_separator_line_is_no_row(tmp_path: Path) -> None:
    """After `sep=;` the headings are row 1, as Excel shows them."""
    batch = read_text(tmp_path, "sep=;\nFactura;Descripción;Cantidad;Precio\nA1;Café;2;3,50\n")
    assert batch.sources[0].header_row == 1
    assert batch.place(0).row == 2


def test_a_description_with_an_unquoted_separator_holds_its_document_back(tmp_path: Path) -> None:
    """The cells have moved, so no number of the row can be trusted."""
    batch = read_lines(tmp_path, "A1,Aceite, 1 litro,2,3.50\nA2,Café,1,2.25\n")
    assert [problem.code for problem in batch[0].problems][-1] == "row-too-long"
    assert batch[0].held_back
    assert not batch[1].problems


def test_rows_that_are_short_lack_their_last_cells(tmp_path: Path) -> None:
    """A short row has empty cells at its end."""
    batch = read_lines(tmp_path, "A1,Café\n")
    assert [problem.code for problem in batch[0].problems] == ["quantity-missing", "unit-price-missing"]


def test_a_quotation_mark_that_swallows_rows_stops(tmp_path: Path) -> None:
    """An unpaired mark would make one row of two and lose a sale, so nothing is read."""
    with pytest.raises(CannotStart) as stopped:
        read_lines(tmp_path, 'A1,"Tubo 3"",1,2.50\nA2,"Codo 3"",4,1.25\n')
    assert "row 2: a quotation mark" in refusal(stopped.value)


def test_a_quotation_mark_that_never_closes_stops(tmp_path: Path) -> None:
    """The row where the last text begins is named."""
    with pytest.raises(CannotStart) as stopped:
        read_lines(tmp_path, 'A1,Café,1,2.50\nA2,"Codo 3,4,1.25\nA3,Té,1,1\n')
    assert "row 3: a quotation mark" in refusal(stopped.value)


def test_a_text_of_several_lines_is_one_row(tmp_path: Path) -> None:
    """Rows are counted as a spreadsheet program counts them, not by lines of the file."""
    batch = read_lines(tmp_path, 'A1,"Café\nmolido",1,2.50\nA2,Té,x,1\n')
    assert batch[0].document.lines[0].description == "Café\nmolido"
    assert batch[1].problems[0].place.row == 3


@pytest.mark.parametrize("word", ["NA", "NULL", "None", "nan", "N/A", "-"])
def test_words_that_look_like_nothing_are_texts(tmp_path: Path, word: str) -> None:
    """Only a really blank cell is blank."""
    batch = read_lines(tmp_path, f"A1,{word},1,2.50\n")
    assert batch[0].document.lines[0].description == word


def test_a_pipe_is_read_like_a_file() -> None:
    """`-` is a CSV on standard input."""
    batch = read(["-"], Settings(), io.BytesIO((HEADINGS + "A1,Café,2,3.50\n").encode()))
    assert refs(batch) == ["A1"]
    assert batch.sources[0].path == "-"


def test_a_file_that_changes_between_the_two_passes_is_refused() -> None:
    """What is hashed is what is read."""

    class Growing(io.BytesIO):
        """A file to which another program adds a row as soon as it was read to the end."""

        def read(self, size: int | None = -1) -> bytes:
            block = super().read(size)
            if not block and not self.getvalue().endswith(b"A2,x,1,1\n"):
                self.write(b"A2,x,1,1\n")
            return block

    with pytest.raises(CannotStart) as stopped:
        read_csv("ventas.csv", Growing((HEADINGS + "A1,Café,2,3.50\n").encode()), nothing)
    assert refusal(stopped.value).startswith("ventas.csv changed while it was read.")


def texts_of(table: Table) -> list[list[str]]:
    return [table.cells(row) for row in range(table.rows)]


cells = st.text(alphabet=st.sampled_from('aé,;"\n\r \t1.\u00a0#NA'), max_size=6)


@effort(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_both_readers_say_the_same_of_every_written_csv(rows: list[list[str]], encoding: str) -> None:
    """What any CSV writer writes is read cell by cell as it was, by pandas and by the careful reader."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    stream = io.BytesIO(out.getvalue().encode(encoding))
    survey = survey_csv("x", stream)
    layout = Layout(separator=",", width=3, announced=False)
    careful = read_carefully("x", stream, survey, layout)
    fast = read_fast("x", stream, survey, layout)
    assert fast is not None
    assert texts_of(careful) == texts_of(fast) == rows


@effort(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from('ab,"\n\r 1'), min_size=1, max_size=40))
def test_both_readers_say_the_same_of_every_text(text: str) -> None:
    """Whatever stands in the file, pandas either refuses it or reads what the careful reader reads."""
    stream = io.BytesIO(text.encode())
    survey = survey_csv("x", stream)
    layout = find_layout(survey.sample, nothing)
    fast = read_fast("x", stream, survey, layout)
    if fast is None:
        return
    careful = read_carefully("x", stream, survey, layout)
    width = len(fast.columns)
    assert texts_of(fast) == [row + [""] * (width - len(row)) for row in texts_of(careful)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_large_file_is_read_alike_by_both(tmp_path: Path, encoding: str) -> None:
    """Rows that go over several lines are whole, also where they go from one block to the next; texts keep their order."""
    path = tmp_path / "ventas.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(
            [f"A{row}", f'Café "{row % 90}"\r\n, y ' + "té\n" * 40, row % 7] for row in range(110_000)
        )
    with path.open("rb") as stream:
        survey = survey_csv("x", stream)
        layout = Layout(separator=",", width=3, announced=False)
        careful = read_carefully("x", stream, survey, layout)
        fast = read_fast("x", stream, survey, layout)
    assert fast is not None
    assert survey.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for column, expected in zip(fast.columns, careful.columns, strict=True):
        assert column.texts == expected.texts
        assert column.codes.tolist() == expected.codes.tolist()


@pytest.mark.parametrize("read_again", [read_fast, read_carefully])
@pytest.mark.parametrize(("at", "written"), [(12, b"3"), (-2, b"3"), (-2, b"\xe1"), (0, b"\xff")])
def test_a_file_that_changes_after_its_survey_is_refused(read_again: Any, at: int, written: bytes) -> None:
    """Whatever the bytes become, and wherever they stand, by either reader."""
    content = bytearray(b"A1,x,1\n" * 1000)
    survey = survey_csv("x", io.BytesIO(content))
    content[at] = written[0]
    with pytest.raises(CannotStart) as stopped:
        read_again("x", io.BytesIO(content), survey, Layout(separator=",", width=3, announced=False))
    assert refusal(stopped.value).startswith("x changed while it was read.")


def test_quantities_of_a_large_file_are_those_of_a_small_one(tmp_path: Path) -> None:
    """The fast reader takes over where a file is large; nothing else changes."""
    lines = "".join(f"A{number},Café {number},{number % 7 + 1},2.50\n" for number in range(1500))
    padding = "".join(f"B{number},{'x' * 100_000},1,1\n" for number in range(35))
    large, small = read_lines(tmp_path, padding + lines), read_lines(tmp_path, lines)
    assert quantities(large)[35:] == quantities(small)


def test_a_row_without_end_is_no_row(tmp_path: Path) -> None:
    """Thousands of separators are not given thousands of columns."""
    with pytest.raises(CannotStart) as stopped:
        read_lines(tmp_path, "A1,Café,1,2\n" + "," * 5000 + "\n")
    assert "row 3 has 5,001 cells" in refusal(stopped.value)


def test_a_pipe_by_name_is_read(tmp_path: Path) -> None:
    """A shell's `<(command)` is a file that cannot be read twice."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes here")
    path = tmp_path / "tubo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(HEADINGS + "A1,Café,2,3.50\n",))
    writer.start()
    assert refs(read([str(path)], Settings())) == ["A1"]
    writer.join()


@pytest.mark.parametrize("rows", [0, 120_000])
def test_a_cell_without_measure_is_refused_early(tmp_path: Path, rows: int) -> None:
    """By both readers with the same words, long before memory is short."""
    lines = "A1," + "x" * 140_000 + ",1,2\n" + "B1,Café con leche y pan,1,2\n" * rows
    with pytest.raises(CannotStart, match="row 2: a cell has more than 131,072 characters"):
        read_lines(tmp_path, lines)
    with pytest.raises(CannotStart, match="a line of more than 4 MB"):
        read_lines(tmp_path, "A1," + "x" * 7_000_000 + ",1,2\n")
