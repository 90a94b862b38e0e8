"""A reconciliation in which persons cannot be told: names as initials, identity numbers and addresses shortened.

Everything that a report shows comes from the value, so pages, workbook and JSON made of this one need no care of their
own. What names documents stays as it is: references, control numbers, codes and stamps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from batch_issuer.model.fields import TABLE, Mask, named
from batch_issuer.model.records import Note, Record, RunRecord
from batch_issuer.reconcile import (
    Change,
    HeldBack,
    Lookalike,
    Missing,
    ProblemText,
    Reconciliation,
    Refusal,
    Series,
    SourceSummary,
)
from batch_issuer.reports.figures import masked_end, masked_name, masked_words

_MASKS = {field.key: field.mask for field in TABLE if field.mask}
_QUOTED = re.compile("«([^»]+)»")
_UNTOUCHED = (Series, SourceSummary)
"""Nothing in them is of a person."""


def masked(reconciliation: Reconciliation) -> Reconciliation:
    """Return the same figures about nobody in particular."""
    result = _Masking(reconciliation).of(reconciliation)
    assert isinstance(result, Reconciliation)  # noqa: S101 - for the type checker
    return result


class _Masking:
    """One walk through the tree. A record that stands in several places is masked once, and stays one record."""

    def __init__(self, reconciliation: Reconciliation) -> None:
        self._done: dict[int, Any] = {}
        self._names = {one.external_ref: one.customer for one in reconciliation.records if one.customer}
        self._names |= {one.external_ref: one.customer for one in reconciliation.held_back if one.customer}
        self._rules: dict[type, Callable[[Any], dict[str, Any]]] = {
            Record: self._record,
            HeldBack: lambda one: {**_customer(one), "problems": tuple(map(self.of, one.problems))},
            Missing: _customer,
            Lookalike: _customer,
            ProblemText: self._problem,
            Change: lambda one: {side: _field(named(one.what)[1], getattr(one, side)) for side in ("issued", "file")},
            Refusal: lambda one: {"message": masked_words(one.message)},
            Note: lambda one: {"reason": self._words(one.reason, one.external_ref)},
            RunRecord: lambda _: {"summary": None},  # it names the customers of what was held back
        }

    def of(self, value: Any) -> Any:
        """Return a value without what is of a person, and the value itself where nothing is."""
        if isinstance(value, tuple):  # of one kind throughout: rows and references have nothing inside
            return tuple(map(self.of, value)) if value and not isinstance(value[0], (str, int)) else value
        if isinstance(value, Mapping) or not is_dataclass(value) or isinstance(value, (type, *_UNTOUCHED)):
            return value
        # The reconciliation holds every value until the walk is over, so no two of them have the same id.
        if id(value) not in self._done:
            self._done[id(value)] = self._masked(value)
        return self._done[id(value)]

    def _masked(self, value: Any) -> Any:
        """Return a value changed as its type's rule says, and within by those of its fields."""
        rule = self._rules.get(type(value))
        changes = rule(value) if rule else {}
        if not isinstance(value, (Record, ProblemText)):  # their rules name all that is of a person in them
            for one in fields(value):
                before = getattr(value, one.name)
                if one.name not in changes and (after := self.of(before)) is not before:
                    changes[one.name] = after
        return replace(value, **changes) if changes else value

    def _record(self, record: Record) -> dict[str, Any]:
        changes, answer = _customer(record), record.answer
        words = partial(self._words, reference=record.external_ref)
        if answer.detail or answer.dte_message or answer.observaciones:
            changes["answer"] = replace(
                answer,
                detail=words(answer.detail),
                dte_message=words(answer.dte_message),
                observaciones=tuple(map(words, answer.observaciones)),
            )
        if record.cancellation is not None and record.cancellation.words:
            changes["cancellation"] = replace(record.cancellation, words=words(record.cancellation.words))
        return changes

    def _problem(self, problem: ProblemText) -> dict[str, Any]:
        def said(text: str) -> str:
            if problem.field in _MASKS:  # a sentence about a name quotes it
                text = _QUOTED.sub(lambda found: f"«{_field(problem.field, found[1])}»", text)
            return self._words(text, problem.external_ref)

        return {
            "value": self._words(_field(problem.field, problem.value), problem.external_ref),
            "message": {language: said(text) for language, text in problem.message.items()},
            "repair": {language: said(text) for language, text in problem.repair.items()},
        }

    def _words(self, text: str, reference: str) -> str:
        # The provider's words may quote the customer of their own document; of another one they know nothing.
        name = self._names.get(reference)
        return masked_words(text.replace(name, masked_name(name)) if name else text)


def _customer(one: Any) -> dict[str, Any]:
    return {"customer": masked_name(one.customer)} if one.customer else {}


def _field(field: str, value: str) -> str:
    """Return a value of a field: a name as initials, an identity shortened even where its form does not show it."""
    mask = _MASKS.get(field)
    if mask is Mask.INITIALS:
        return masked_name(value)
    hidden = masked_words(value)
    # An identity of a few digits, or with letters, is none by its form: the field says that it is one.
    if mask is Mask.LAST_THREE and hidden == value:
        return masked_end(value)
    return hidden
