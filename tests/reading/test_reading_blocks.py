"""A worksheet of several blocks is read by the fast expression, with odd rows in it, as by the XML parser alone."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.reading.xlsx.rows import SheetRows, read_rows
from batch_issuer.reading.xlsx.xml import DamagedSheet

ODD = {
    "formula": '<c r="A{row}"><f>1+1</f></c>',
    "formula with its result": '<c r="A{row}"><f>1+1</f><v>2</v></c>',
    "text in the sheet": '<c r="B{row}" t="inlineStr"><is><t>x {row}</t></is></c>',
    "another column": '<c r="K{row}" s="3"><v>{row}</v></c>',
    "far": '<c r="CZZ{row}"><v>1</v></c>',
    "empty": "",
    "other order": '<c s="1" r="C{row}"><v>7</v></c>',
}


def part(chance: random.Random, rows: int, odd: Sequence[str], *, hidden: bool = False, gaps: bool = False) -> bytes:
    """Rows of three columns, here and there an odd one."""
    found, number = [], 0
    for _ in range(rows):
        number += chance.randint(1, 3) if gaps else 1
        attributes = ' hidden="1"' if hidden and chance.random() < 0.001 else ""
        cells = "".join(
            f'<c r="{letter}{number}" s="{chance.randint(0, 2)}"><v>{chance.randint(0, most)}</v></c>'
            for letter, most in (("A", 10**6), ("B", 12), ("D", 1))
            if chance.random() < 0.9
        )
        if odd and chance.random() < 0.0005:
            cells = ODD[chance.choice(odd)].replace("{row}", str(number))
        found.append(f'<row r="{number}" spans="1:4"{attributes}>{cells}</row>')
    return sheet("".join(found))


def sheet(rows: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?><worksheet><cols><col min="2" max="2" hidden="1"/></cols><sheetData>'
    return (head + rows + "</sheetData><pageMargins/></worksheet>").encode()


def by_parser(content: bytes) -> SheetRows:
    """The part read with nothing but the XML parser: a comment before the rows is odd enough."""
    return read_rows(io.BytesIO(content.replace(b"?>", b"?><!-- odd -->", 1)))


def everything(rows: SheetRows) -> tuple[Any, ...]:
    """All that the sheet is made of."""
    columns = [(list(column.code_of), rows.codes(column, rows.rows).tolist()) for column in rows.columns]
    present = rows.present(rows.rows)
    return (
        columns,
        np.concatenate(rows.numbers).tolist(),
        None if present is None else present.tolist(),
        rows.hidden_rows,
        rows.hidden_columns,
    )


@effort(max_examples=6, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from([200, 9_000, 20_000]), st.lists(st.sampled_from(sorted(ODD)), max_size=3),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_whatever_the_blocks_hold_the_parser_reads_the_same(
    seed: int, rows: int, odd: list[str], hidden: bool, gaps: bool
) -> None:
    """Parts of one block or of several."""
    content = part(random.Random(seed), rows, odd, hidden=hidden, gaps=gaps)
    assert everything(read_rows(io.BytesIO(content))) == everything(by_parser(content))


def test_rows_without_numbers_follow_each_other() -> None:
    """Also from one block to the next."""
    plain = part(random.Random(1), 12_000, ())
    unnumbered = re.sub(rb'<row r="[0-9]+"', b"<row", plain)
    assert everything(read_rows(io.BytesIO(unnumbered))) == everything(read_rows(io.BytesIO(plain)))


@pytest.mark.parametrize("where", [100, 6_000, 11_900])
def test_what_is_damaged_is_refused_in_every_block(where: int) -> None:
    """A number that comes twice, a part that does not end, a comment that does not."""
    plain = part(random.Random(2), 12_000, ())
    twice = plain.replace(f'<row r="{where}"'.encode(), f'<row r="{where - 1}"'.encode())
    for content in (twice, plain[:-60], plain.replace(f'<row r="{where}"'.encode(), b"<!-- <row")):
        with pytest.raises(DamagedSheet):
            read_rows(io.BytesIO(content))


def test_blocks_out_of_order_are_refused() -> None:
    """The rows of each ascend, and those of all do not."""
    rows = part(random.Random(3), 12_000, ()).decode().partition("<sheetData>")[2].partition("</sheetData>")[0]
    at = rows.index('<row r="6000"')
    with pytest.raises(DamagedSheet):
        read_rows(io.BytesIO(sheet(rows[at:] + rows[:at])))


def test_rows_in_a_comment_are_no_rows() -> None:
    """A comment that ends is passed over."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>{}<row r="3"><c r="A3"><v>3</v></c></row>'
    hidden = '<!-- <row r="2"><c r="A2"><v>2</v></c></row> -->'
    assert everything(read_rows(io.BytesIO(sheet(rows.format(hidden))))) == everything(
        read_rows(io.BytesIO(sheet(rows.format(""))))
    )
