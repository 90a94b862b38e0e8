"""Whom a batch names to the provider, and what it says of each: by NIT or DUI, as the provider knows its customers.

A known NIT or DUI changes the fields of the stored customer that are sent; an unknown one makes a new customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from batch_issuer.model.documents import Customer, Document
from batch_issuer.model.fields import CUSTOMER_ATTRIBUTES
from batch_issuer.model.problems import Place, Problem
from batch_issuer.rules.across import CUSTOMER_CONTRADICTS

Fold = Callable[[str], str]
_COMPARED = tuple(one.name for one in fields(Customer) if one.name not in ("nit", "dui"))
_FIELDS: Mapping[str, str] = {attribute: key for key, attribute in CUSTOMER_ATTRIBUTES.items()}


def customer_id(customer: Customer) -> str:
    """Return what the provider knows a customer by: NIT, else DUI, without hyphens; empty where there is none."""
    return (customer.nit or customer.dui).replace("-", "")


def customer_name(document: Document) -> str:
    """Return who the document is for, as reports show it; empty for an anonymous consumer."""
    return document.customer.name if document.customer else document.customer_name


class Mention(NamedTuple):
    """What one document says of its customer."""

    customer: Customer
    row: int
    """The batch row on which the document begins."""
    doc_type: str
    external_ref: str


@dataclass(slots=True)
class Named:
    """One customer of the batch."""

    customer: Customer
    """Every field that some document says, the last one's where they differ."""
    row: int
    documents: int = 0
    doc_types: set[str] = field(default_factory=set)
    said: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By attribute: what was said first, and in which batch row."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two values of one field for one customer."""

    number: str
    attribute: str
    first: str
    first_row: int
    other: str
    row: int
    external_ref: str


@dataclass(slots=True)
class Customers:
    """Every customer of a batch by NIT or DUI, in the order in which they appear."""

    fold: Fold
    """What two spellings of the same have in common."""
    named: dict[str, Named] = field(default_factory=dict)
    unnumbered: int = 0
    """Documents with data of a customer who has neither NIT nor DUI: the provider stores each anew."""
    are_placed: bool = False
    """Whether any has a place or an activity, which are in catalogs."""
    contradictions: dict[tuple[str, str, str], Contradiction] = field(default_factory=dict)
    _seen: dict[str, Customer] = field(default_factory=dict)

    def add(self, mention: Mention, *, held: bool = False) -> None:
        """Take in what a document says; of one that is held back only what it contradicts."""
        customer = mention.customer
        if customer.municipality or customer.district or customer.activity_code:
            self.are_placed = True
        number = customer_id(customer)
        if not number:
            self.unnumbered += not held
            return
        known = self.named.get(number)
        if known is None:
            known = self.named[number] = Named(Customer(), mention.row)
        if not held:
            known.documents += 1
            known.doc_types.add(mention.doc_type)
        # The very same value as last time says nothing new.
        if self._seen.get(number) is not customer:
            self._seen[number] = customer
            self._say(number, known, mention, held=held)

    def _say(self, number: str, known: Named, mention: Mention, *, held: bool) -> None:
        """Note what a document contradicts, and take over what it says unless it is `held` back."""
        customer = mention.customer
        values = {name: value for name in _COMPARED if (value := getattr(customer, name))}
        for name, value in values.items():
            first, row = known.said.setdefault(name, (value, mention.row))
            if value != first and self.fold(value) != self.fold(first):
                found = Contradiction(number, name, first, row, value, mention.row, mention.external_ref)
                self.contradictions.setdefault((number, name, self.fold(value)), found)
                # Another name is another customer, of whom all the rest differs too: that need not be told.
                if name == "name":
                    break
        if not held:
            both = {
                one.name: getattr(customer, one.name) or getattr(known.customer, one.name) for one in fields(Customer)
            }
            known.customer = Customer(**both)

    def problems(self, place: Callable[[int, str], Place]) -> Iterator[Problem]:
        """Yield a note for each contradiction, where the second value stands."""
        for one in self.contradictions.values():
            name = _FIELDS[one.attribute]
            first = place(one.first_row, name)
            yield Problem(
                kind=CUSTOMER_CONTRADICTS,
                place=place(one.row, name),
                value=one.other,
                external_ref=one.external_ref,
                field=name,
                parameters={
                    "number": one.number,
                    "first": one.first,
                    "row": str(first.row or ""),
                    "file": " · ".join(filter(None, (first.file, first.sheet))),
                },
            )
