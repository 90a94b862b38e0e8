"""References that are all plain are taken at once; that says the same as looking at each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from batch_issuer.model.identity import alike_keys
from batch_issuer.reading.sheets.external_refs import Refs, are_plain, read_refs
from batch_issuer.reading.tables import Column

ODD = "ñ (+)"
"""Because of which every reference beside it is looked at."""

plain = st.text(alphabet="aZ09/_-", max_size=4)
any_text = st.one_of(
    plain,
    st.text(alphabet="aZ01/_-.+E='#\n\t \u00a0é", max_size=5),
    st.sampled_from(
        ["EJEMPLO-1", "example-12", "A" * 100, "A" * 101, "1E+05", "=A1", "#N/A", "12.0", "001", "0", "-00"]
    ),
)
nearly_plain = st.one_of(plain, *(st.text(alphabet=f"A0{mark}", max_size=4) for mark in " .+='\n\u00a0é"))
texts = st.one_of(*(st.lists(kind, max_size=6, unique=True) for kind in (plain, nearly_plain, any_text)))


def refs_of(column: Sequence[str]) -> Refs:
    return read_refs([Column(codes=np.arange(len(column), dtype=np.int32), texts=column)], (), ("Ref",))


@given(texts)
@example(["EJEMPLO-1"])
@example(["A" * 101])
def test_a_plain_column_is_read_as_one_of_which_each_text_is_looked_at(column: list[str]) -> None:
    """The same texts, and the same faults."""
    found, looked_at = refs_of(column), refs_of([*column, ODD])
    assert looked_at.texts == [*found.texts, ODD]
    assert looked_at.faults == found.faults


@given(texts)
@example(["0", "00", "1-001", "1-1"])
@example(["A\nB", "C"])
def test_keys_made_at_once_are_those_made_one_by_one(column: list[str]) -> None:
    """Which references look alike does not depend on the others."""
    assert alike_keys(column) == [key for text in column for key in alike_keys([text])]


def test_most_columns_are_plain() -> None:
    """What tills number with needs no second look; a heading stands in no row and is not asked."""
    assert are_plain(["F000001", "T1-20", "2026/11/25_7", "A" * 100])
    assert not are_plain(["A" * 101])
    column = Column(codes=np.array([1, 2], np.int32), texts=["No. factura", "F1", "F2"])
    assert read_refs([column], (), ("Ref",)).faults == {}
