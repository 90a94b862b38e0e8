"""Sales that look like another one under another reference: warned about before anything is sent.

Only sales with a named customer are compared. Anonymous consumers buy the same coffee all day long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from batch_issuer.model.problems import Kind, Problem
from batch_issuer.plan.plan import Candidate
from batch_issuer.plan.prepare import Prepared
from batch_issuer.rules.across import SAME_IN_FILES, SAME_IN_LEDGER


class Remembers(Protocol):
    """What is asked of a ledger."""

    def alike(self, company: str, likenesses: Sequence[str]) -> Mapping[str, str]:
        """Return references of documents that the ledger knows, by likeness."""


def with_repeats(prepared: Prepared, ledger: Remembers | None, company: str) -> Prepared:
    """Return the same documents, with a note for each that looks like another."""
    first: dict[str, Candidate] = {}
    notes: list[Problem] = []
    for candidate in prepared.candidates:
        if not candidate.is_named:
            continue
        other = first.setdefault(candidate.likeness, candidate)
        if other is not candidate:
            notes.append(_note(prepared, SAME_IN_FILES, candidate, other.external_ref))
    known = ledger.alike(company, list(first)) if ledger else {}
    for candidate in prepared.candidates:
        other_reference = known.get(candidate.likeness, candidate.external_ref)
        if candidate.is_named and other_reference != candidate.external_ref:
            notes.append(_note(prepared, SAME_IN_LEDGER, candidate, other_reference))
    return replace(prepared, notes=(*prepared.notes, *notes))


def _note(prepared: Prepared, kind: Kind, candidate: Candidate, other: str) -> Problem:
    return Problem(
        kind=kind,
        place=prepared.batch.place(candidate.row),
        external_ref=candidate.external_ref,
        parameters={"reference": candidate.external_ref, "other": other},
    )
