"""Tax and identity numbers and e-mail addresses: their shape, and the check digits of NIT and DUI.

Pure functions over text. Importing this module loads no catalog and no library.
"""

from __future__ import annotations

import re

NIT_LENGTHS = (14, 9)
"""A NIT has 14 digits; since December 2021 a person's DUI of 9 digits stands in for it."""
NRC_LENGTHS = range(2, 9)
DUI_LENGTH = 9
EMAIL_LENGTHS = range(6, 101)
PHONE_LENGTHS = range(8, 31)

_OLD_NIT_WEIGHTS = tuple(range(14, 1, -1))
_NEW_NIT_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_DUI_WEIGHTS = tuple(range(9, 1, -1))
_LAST_OLD_CORRELATIVE = 100

_SEPARATORS = str.maketrans("", "", "- .\u00a0\u2010\u2011\u2012\u2013\u2014")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def digits_of(text: str) -> str:
    """Return the identifier without hyphens, spaces and points; empty when anything else than digits stands in it."""
    bare = text.translate(_SEPARATORS)
    return bare if is_all_digits(bare) else ""


def is_all_digits(text: str) -> bool:
    """Whether the text is one or more of the digits 0 to 9, and nothing else."""
    return text.isascii() and text.isdigit()


def nit_is_valid(digits: str) -> bool:
    """Whether 14 digits end in their check digit, or 9 digits are a valid DUI (which serves as NIT).

    The weights depend on the correlative in digits 11 to 13 (`stdnum/sv/nit.py` of python-stdnum).
    """
    if len(digits) == DUI_LENGTH:
        return dui_is_valid(digits)
    # It begins with a department (01 to 14), or with 9 (python-stdnum).
    if len(digits) != NIT_LENGTHS[0] or not is_all_digits(digits) or digits[0] not in "019":
        return False
    if int(digits[10:13]) <= _LAST_OLD_CORRELATIVE:
        check = _weighted(digits, _OLD_NIT_WEIGHTS) % 11 % 10
    else:
        check = -_weighted(digits, _NEW_NIT_WEIGHTS) % 11 % 10
    return digits[-1] == str(check)


def dui_is_valid(digits: str) -> bool:
    """Whether 9 digits end in their check digit (weights 9 to 2, complement to ten)."""
    if len(digits) != DUI_LENGTH or not is_all_digits(digits) or digits == "0" * DUI_LENGTH:
        return False
    return digits[-1] == str(-_weighted(digits, _DUI_WEIGHTS) % 10)


def nit_has_shape(digits: str) -> bool:
    """Whether there are 14 or 9 digits (`^([0-9]{14}|[0-9]{9})$` in the ministry's schemas)."""
    return len(digits) in NIT_LENGTHS and is_all_digits(digits)


def dui_has_shape(digits: str) -> bool:
    """Whether there are 9 digits."""
    return len(digits) == DUI_LENGTH and is_all_digits(digits)


def nrc_has_shape(digits: str) -> bool:
    """Whether there are 2 to 8 digits; how the last one is computed is not published."""
    return len(digits) in NRC_LENGTHS and is_all_digits(digits)


def email_has_shape(text: str) -> bool:
    """Whether it has 6 to 100 characters, one `@`, and a domain of labels that ends in letters."""
    return len(text) in EMAIL_LENGTHS and _EMAIL.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID, as the provider names its districts."""
    return _UUID.fullmatch(text) is not None


def dui_with_hyphen(digits: str) -> str:
    """Return nine digits as `########-#`, the form that type 01 demands."""
    return f"{digits[:-1]}-{digits[-1]}"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
