"""A reconciliation in which persons cannot be told: names as initials, identity numbers and addresses shortened.

Everything that a report shows comes from the value, so pages, workbook and JSON made of this one need no care of their
own. What names documents stays as it is: references, control numbers, codes and stamps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from batch_issuer.model.fields import TABLE, Mask, named
from batch_issuer.model.records import Answer, Note, Record, RunRecord
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
from batch_issuer.reports.figures import masked_name, masked_words

_MASKS = {field.key: field.mask for field in TABLE if field.mask}
_QUOTED = re.compile("«([^»]+)»")
_UNTOUCHED = (Series, SourceSummary)
"""Nothing in them is of a person."""


def masked(reconciliation: Reconciliation) -> Reconciliation:
    """The same figures about nobody in particular."""
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
            HeldBack: self._held_back,
            Missing: _customer,
            Lookalike: _customer,
            ProblemText: self._problem,
            Change: _change,
            Refusal: lambda one: {"message": masked_words(one.message)},
            Note: lambda one: {"reason": self._words(one.reason, one.external_ref)},
            RunRecord: lambda _: {"summary": None},
        }

    def of(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self.of, value)) if value and not isinstance(value[0], (str, int)) else value
        if isinstance(value, Mapping):
            return value
        if not is_dataclass(value) or isinstance(value, (type, *_UNTOUCHED)):
            return value
        found = self._done.get(id(value))
        if found is None:
            found = self._done[id(value)] = self._masked(value)
        return found

    def _masked(self, value: Any) -> Any:
        rule = self._rules.get(type(value))
        changes = rule(value) if rule else {}
        if not isinstance(value, (Record, ProblemText)):
            for one in fields(value):
                if one.name not in changes:
                    before = getattr(value, one.name)
                    after = self.of(before)
                    if after is not before:
                        changes[one.name] = after
        return replace(value, **changes) if changes else value

    def _record(self, record: Record) -> dict[str, Any]:
        changes = _customer(record)
        answer = record.answer
        if answer.detail or answer.dte_message or answer.observaciones:
            changes["answer"] = self._answer(answer, record.external_ref)
        if record.cancellation is not None and record.cancellation.words:
            changes["cancellation"] = replace(
                record.cancellation, words=self._words(record.cancellation.words, record.external_ref)
            )
        return changes

    def _answer(self, answer: Answer, reference: str) -> Answer:
        return replace(
            answer,
            detail=self._words(answer.detail, reference),
            dte_message=self._words(answer.dte_message, reference),
            observaciones=tuple(self._words(one, reference) for one in answer.observaciones),
        )

    def _held_back(self, held: HeldBack) -> dict[str, Any]:
        return {**_customer(held), "problems": tuple(self.of(one) for one in held.problems)}

    def _problem(self, problem: ProblemText) -> dict[str, Any]:
        value = self._words(_field(problem.field, problem.value), problem.external_ref)

        def said(texts: Mapping[str, str]) -> Mapping[str, str]:
            return {language: self._said(text, problem) for language, text in texts.items()}

        return {"value": value, "message": said(problem.message), "repair": said(problem.repair)}

    def _said(self, text: str, problem: ProblemText) -> str:
        if problem.field in _MASKS:
            text = _QUOTED.sub(lambda found: f"«{_field(problem.field, found[1])}»", text)
        return self._words(text, problem.external_ref)

    def _words(self, text: str, reference: str) -> str:
        name = self._names.get(reference)
        return masked_words(text.replace(name, masked_name(name)) if name else text)


def _customer(one: Any) -> dict[str, Any]:
    return {"customer": masked_name(one.customer)} if one.customer else {}


def _change(change: Change) -> dict[str, Any]:
    _, field = named(change.what)
    return {"issued": _field(field, change.issued), "file": _field(field, change.file)}


def _field(field: str, value: str) -> str:
    """A value of one of our fields: a name as initials, an identity shortened even where its form does not show it."""
    mask = _MASKS.get(field)
    if mask is Mask.INITIALS:
        return masked_name(value)
    hidden = masked_words(value)
    if mask is Mask.LAST_THREE and hidden == value:
        return f"{'•' * max(len(value) - 3, 0)}{value[-3:]}"
    return hidden
