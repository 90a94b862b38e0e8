"""The sums of all documents' lines at once, in whole numbers: exact to the last decimal, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import prod

import numpy as np

from batch_issuer.reading.cells.values import Value
from batch_issuer.reading.documents.grouping import Grouped, JoinedField

_LARGEST = 1 << 62
"""More is not added up in 64 bits."""
_MOST_DECIMALS = 12


def sum_lines(fields: Mapping[str, JoinedField], grouped: Grouped) -> Sequence[Decimal] | None:
    """Return quantity × price less discount, unrounded, of each document; None where 64 bits may not hold it."""
    factors = {"quantity": fields["quantity"].values, "unit_price": fields["unit_price"].values}
    if "discount_percentage" in fields and any(percentages := fields["discount_percentage"].values):
        left = [1 - value / 100 if isinstance(value, Decimal) else value for value in percentages]
        factors["discount_percentage"] = left
    decimals, bounds, amounts = 0, [len(grouped.order)], np.ones(len(grouped.order), np.int64)
    for name, values in factors.items():
        scaled = _in_whole_numbers(values)
        if scaled is None:
            return None
        whole, places = scaled
        decimals += places
        bounds.append(max(map(abs, whole), default=0))
        if prod(bounds) >= _LARGEST:  # as if every line of one document were the largest
            return None
        amounts *= np.array(whole, np.int64)[grouped.by_document(fields[name].codes)]
    sums = np.add.reduceat(amounts, grouped.starts[:-1]) if grouped.refs else amounts
    return [Decimal(one).scaleb(-decimals) for one in sums.tolist()]


def _in_whole_numbers(values: Sequence[Value]) -> tuple[list[int], int] | None:
    """Return numbers as multiples of the smallest decimal that one of them has, and how many decimals that are.

    None where one is no number, or has more decimals than are worth it.
    """
    numbers = [value for value in values if isinstance(value, Decimal) and value.is_finite()]
    if len(numbers) < len(values):
        return None
    places = max((-int(number.as_tuple().exponent) for number in numbers), default=0)
    if places > _MOST_DECIMALS:
        return None
    places = max(places, 0)  # 1E+3 has an exponent above nought
    return [int(number.scaleb(places)) for number in numbers], places
