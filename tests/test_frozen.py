"""What is made or changed without a constructor is what the constructor and `replace` make."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.documents import Document, changed_document
from batch_issuer.frozen import maker

VALUES = {
    "external_ref": st.text(max_size=3),
    "doc_type": st.sampled_from(["01", "03"]),
    "lines": st.just(()),
    "prices_with_vat": st.booleans(),
    "date": st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
    "branch": st.text(max_size=3),
    "begins": st.none() | st.integers(0, 9),
}
NEEDED = ("external_ref", "doc_type", "lines", "prices_with_vat")


@given(st.fixed_dictionaries(VALUES), st.permutations(sorted(VALUES)))
def test_what_is_made_is_what_the_constructor_makes(values: dict[str, object], order: list[str]) -> None:
    """In whatever order the fields are named; those that are not have their defaults."""
    made = maker(Document, order)(values[name] for name in order)
    built = Document(**values)  # type: ignore[arg-type]
    assert (made, made.begins, made.summed) == (built, built.begins, built.summed)
    few = maker(Document, NEEDED)(values[name] for name in NEEDED)
    assert few == Document(**{name: values[name] for name in NEEDED})  # type: ignore[arg-type]


@given(st.fixed_dictionaries(VALUES), st.fixed_dictionaries({}, optional=VALUES))
def test_what_is_changed_is_what_replace_makes(values: dict[str, object], changes: dict[str, object]) -> None:
    """And the one before stays as it was."""
    before = Document(**values)  # type: ignore[arg-type]
    after, replaced = changed_document(before, **changes), replace(before, **changes)  # type: ignore[arg-type]
    assert (after, after.begins, after.summed) == (replaced, replaced.begins, replaced.summed)
    assert before == Document(**values)  # type: ignore[arg-type]
