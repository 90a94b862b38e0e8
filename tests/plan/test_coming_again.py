"""When a file is an earlier one that comes again: never for a day like any other, always for a copy."""

from __future__ import annotations

import itertools
import random

import pytest

from batch_issuer.plan.files_again import comes_again

PRODUCTS = ["coffee"] * 5 + ["bread"] * 3 + ["tea", "cake"]


def day(seed: int, sales: int) -> list[str]:
    return random.Random(seed).choices(PRODUCTS, k=sales)


@pytest.mark.parametrize("sales", [12, 60, 300])
@pytest.mark.parametrize("way", ["as it was", "newest first", "sorted"])
def test_a_copy_is_recognised(sales: int, way: str) -> None:
    """In its order, in the opposite one; and, where there is enough to tell, sorted otherwise."""
    before = [f"{one} {number % 7}" for number, one in enumerate(day(1, sales))]
    again = {"as it was": before, "newest first": before[::-1], "sorted": sorted(before)}[way]
    assert comes_again(again, before, of=sales, files=1)


def test_a_copy_with_as_many_new_sales_is_recognised() -> None:
    """A cumulative export under new references."""
    before = [f"thing {number}" for number in range(6)]
    assert comes_again(before, before, of=12, files=1)


@pytest.mark.parametrize("sales", [5, 8, 20, 300])
def test_days_of_a_shop_with_four_products_are_told_apart(sales: int) -> None:
    """Among three hundred earlier days hardly one is taken for today's: in a year, on at most a few days."""
    days = [day(seed, sales) for seed in range(300)]
    taken = sum(comes_again(days[-1], one, of=sales, files=299) for one in days[:-1])
    assert taken == 0
    mistaken = sum(comes_again(one, other, of=sales, files=1) for one, other in itertools.pairwise(days))
    assert mistaken <= 3


@pytest.mark.parametrize("sales", [["coffee"] * 59, ["coffee", "bread"], ["a", "b", "c", "d"]])
def test_what_tells_nothing_is_never_a_copy(sales: list[str]) -> None:
    """Fifty-nine equal coffees, or a handful of sales."""
    assert not comes_again(sales, sales, of=len(sales), files=1)
