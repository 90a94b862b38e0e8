"""Spans of days as people write them."""

from __future__ import annotations

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.reports.figures import day


def days_text(output: Output, first: str, last: str) -> str:
    """Return a span of ISO days as people write it; an end that is empty is open."""
    if first == last:
        return day(first)
    if not last:
        return output.messages.text(N_("from {first} on"), first=day(first))
    if not first:
        return output.messages.text(N_("until {last}"), last=day(last))
    return f"{day(first)} – {day(last)}"
