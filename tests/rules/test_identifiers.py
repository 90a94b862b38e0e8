from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.rules.identifiers import (
    digits_of,
    dui_is_valid,
    dui_with_hyphen,
    email_has_shape,
    is_uuid,
    nit_has_shape,
    nit_is_valid,
    nrc_has_shape,
)

eight_digits = st.text("0123456789", min_size=8, max_size=8).filter(lambda text: text != "0" * 8)
thirteen_digits = st.builds(str.__add__, st.sampled_from("019"), st.text("0123456789", min_size=12, max_size=12))


def completed_dui(digits: str) -> str:
    return next(digits + check for check in string.digits if dui_is_valid(digits + check))


def completed_nit(digits: str) -> str:
    return next(digits + check for check in string.digits if nit_is_valid(digits + check))


def test_known_numbers_are_valid() -> None:
    """A published DUI and a published NIT pass, the NIT with a correlative of the newer weights."""
    assert dui_is_valid("000162975")
    assert nit_is_valid("06140507071048")


def test_a_dui_serves_as_nit() -> None:
    """Since December 2021 a person's DUI stands in the NIT's place."""
    assert nit_is_valid("000162975")
    assert not nit_is_valid("000162976")


@given(eight_digits)
def test_one_check_digit_fits_a_dui(digits: str) -> None:
    """Of the ten DUI that begin alike exactly one is valid."""
    assert sum(dui_is_valid(digits + check) for check in string.digits) == 1


@given(thirteen_digits)
def test_one_check_digit_fits_a_nit(digits: str) -> None:
    """Of the ten NIT that begin alike exactly one is valid, with the older weights and with the newer."""
    assert sum(nit_is_valid(digits + check) for check in string.digits) == 1


@given(eight_digits, st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_is_noticed_where_its_weight_allows(digits: str, position: int, change: int) -> None:
    """One changed digit makes a valid DUI invalid, unless weight times change is a multiple of ten."""
    dui = completed_dui(digits)
    changed = dui[:position] + str((int(dui[position]) + change) % 10) + dui[position + 1 :]
    weight = 9 - position
    assert dui_is_valid(changed) == (weight * change % 10 == 0 and changed != "0" * 9)


@given(thirteen_digits, st.integers(0, 9))
def test_a_wrong_check_digit_of_a_nit_is_noticed(digits: str, check: int) -> None:
    """Only the right last digit makes a NIT valid."""
    nit = completed_nit(digits)
    assert nit_is_valid(nit[:-1] + str(check)) == (nit[-1] == str(check))


@given(st.text(max_size=20))
def test_any_text_is_answered(text: str) -> None:
    """No text makes a check fail otherwise than by saying no."""
    for asked in (nit_is_valid, dui_is_valid, nit_has_shape, nrc_has_shape, email_has_shape, is_uuid):
        assert asked(text) in {True, False}
    bare = digits_of(text)
    assert bare == "" or (bare.isascii() and bare.isdigit())


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0614-050707-104-8", "06140507071048"),
        ("00016297-5", "000162975"),
        (" 00016297 5 ", "000162975"),
        ("00016297\N{NON-BREAKING HYPHEN}5", "000162975"),
        ("1629A-5", ""),
        ("١٢٣", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_digits_come_out_of_how_people_write_them(text: str, digits: str) -> None:
    """Hyphens, spaces and points go; a text with anything else has no digits to give."""
    assert digits_of(text) == digits


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ana@example.com", True),
        ("a@b.sv", True),
        ("ana.perez+tienda@correo.example.sv", True),
        ("ana@correo.invalida", True),
        ("ana@localhost", False),
        ("ana@@example.com", False),
        ("ana@example", False),
        ("ana@example.c", False),
        ("ana@-example.com", False),
        ("ana.@example.com", False),
        ("ana example@example.com", False),
        ("ana@example.com; luis@example.com", False),
        ("@b.sv", False),
        ("a" * 90 + "@example.com", False),
        ("ana@example.com\n", False),
        ("", False),
    ],
)
def test_email_shape(text: str, *, holds: bool) -> None:
    """One address with a domain that ends in letters, 6 to 100 characters."""
    assert email_has_shape(text) is holds


@pytest.mark.parametrize(("digits", "holds"), [("1", False), ("12", True), ("12345678", True), ("123456789", False)])
def test_nrc_shape(digits: str, *, holds: bool) -> None:
    """An NRC has two to eight digits."""
    assert nrc_has_shape(digits) is holds


def test_a_dui_travels_with_its_hyphen() -> None:
    """Type 01 demands ########-#."""
    assert dui_with_hyphen("000162975") == "00016297-5"
