"""Whether a file of sales is an earlier one that comes again under other references.

Equal sales prove nothing: half of a shop's customers buy the same coffee. What is told apart here is how likely a whole
sequence of sales would be the same by chance, from how often each of them is sold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import lgamma, log, log2

_LEAST = 5
"""Sales that have to come again before anything is said."""
_CHANCE = 8.0
"""Bits: one file in 256 would be taken for another by mistake, were there one earlier file."""
_MOST_OF = 0.4
"""Share of a file's new sales that has to come again."""


def comes_again(new: Sequence[str], earlier: Sequence[str], *, of: int, files: int) -> bool:
    """Whether sales are those of an earlier file, in its order, in the opposite one, or sorted otherwise.

    `new` and `earlier` are what each sale is like, but for its reference, and hold what both files have; `of` is how
    many new sales the file has in all, `files` the earlier files that it is compared with: among many, one is like it
    by chance.
    """
    found = min(len(new), len(earlier))
    if found < _LEAST or len(new) < _MOST_OF * of:
        return False
    # What is sold often says little: a sale that is one in a hundred is a proof of 6.6 bits.
    often = Counter(new) + Counter(earlier)
    total = log2(often.total())
    wanted = _CHANCE + log2(max(files, 1))
    bits = sum(total - log2(often[one]) for one in (new if len(new) == found else earlier))
    if any(_holds(new, order) or _holds(order, new) for order in (earlier, earlier[::-1])):
        return bits >= wanted + log2(abs(len(new) - len(earlier)) + 1)
    # Sorted otherwise, they are less of a proof, by as many bits as there are orders in which these sales can stand.
    orders = (lgamma(len(new) + 1) - sum(lgamma(count + 1) for count in Counter(new).values())) / log(2)
    return Counter(new) == Counter(earlier) and bits - orders >= wanted - _CHANCE / 2


def _holds(whole: Sequence[str], part: Sequence[str]) -> bool:
    """Whether a sequence stands in another without a gap."""
    return len(part) <= len(whole) and f",{','.join(part)}," in f",{','.join(whole)},"
