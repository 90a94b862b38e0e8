"""What options take beside plain text, as callbacks of click; whatever does not fit is refused with an example."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import click

from batch_issuer.cli.language import messages_of
from batch_issuer.cli.screen.durations import parse_duration
from batch_issuer.messages import N_

MOST = 10**9
"""Whole numbers stay below; none of ours comes near."""


def whole(least: int, most: int = MOST) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Make a callback that takes a whole number from `least` to `most`."""

    def read(context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
        if text is None:
            return None
        # Not `int` alone: it also reads «1_000» and « 7 ».
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        wanted = N_("«{text}» is not a whole number from {least} to {most}.")
        if most == MOST:
            wanted = N_("«{text}» is not a whole number of {least} or more.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text, least=least, most=most))

    return read


def amount(context: click.Context, _option: click.Parameter, text: str | None) -> Decimal | None:
    """Take dollars, with a point as decimal mark and commas allowed between thousands. Raises `BadParameter`."""
    if text is None:
        return None
    try:
        found = Decimal(text.replace(",", "").removeprefix("$"))
    except InvalidOperation:
        found = Decimal("NaN")  # which `Decimal` also reads, as it reads «Infinity»: both are refused below
    if not found.is_finite():
        wanted = N_("«{text}» is not an amount; write it like 1234.56.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text))
    return found


def seconds(context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Take a duration, in seconds unless it ends in s, m or h. Raises `BadParameter`."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError:
        wanted = N_("«{text}» is not a duration; write it like 90s, 10m or 2h.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text)) from None


def day(context: click.Context, _option: click.Parameter, text: str | None) -> dt.date | None:
    """Take a day of the calendar, ISO. Raises `BadParameter`."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        wanted = N_("«{text}» is not a day; write it like 2026-11-21.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text)) from None


def period(context: click.Context, _option: click.Parameter, text: str) -> tuple[str, str]:
    """Take a month, a day, or two days with `..` between; return the first and the last day, ISO.

    Raises `BadParameter` for anything else, and for an end before the beginning.
    """
    try:
        if ".." in text:
            first, last = (dt.date.fromisoformat(part.strip()) for part in text.split("..", 1))
        elif len(text.strip()) == len("2026-11"):
            first = dt.date.fromisoformat(f"{text.strip()}-01")
            # 31 days from a month's first lie in the next one, whose first follows the last day looked for.
            last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        else:
            first = last = dt.date.fromisoformat(text.strip())
    except ValueError:
        wanted = N_("«{text}» is not a period; write it like 2026-11, 2026-11-21 or 2026-11-01..2026-11-15.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text)) from None
    if last < first:
        wanted = N_("«{text}» ends before it begins.")
        raise click.BadParameter(messages_of(context).text(wanted, text=text))
    return first.isoformat(), last.isoformat()


def words(longest: int) -> Callable[[click.Context, click.Parameter, str], str]:
    """Make a callback that takes a text of at most `longest` characters, on one line."""

    def read(context: click.Context, _option: click.Parameter, text: str) -> str:
        # It stands in the ledger for good and in every report: no line ends and control characters in it.
        said = " ".join(text.split())
        if said.isprintable() and 0 < len(said) <= longest:
            return said
        wanted = N_("It must be a text of 1 to {longest} characters.")
        raise click.BadParameter(messages_of(context).text(wanted, longest=longest))

    return read


def check_order(first: dt.date | None, last: dt.date | None) -> None:
    """Raise `UsageError` where the last day comes before the first."""
    if first is not None and last is not None and last < first:
        context = click.get_current_context()
        wanted = N_("--from {first} comes after --to {last}.")
        raise click.UsageError(messages_of(context).text(wanted, first=first, last=last), context)
