"""Questions to the person at the terminal; where nobody can be asked, a question is a refusal that says its answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal

import click

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars
from batch_issuer.model.problems import CannotStart

_YES = frozenset({"y", "yes", "s", "si", "sí"})
"""In both languages, whatever the screen speaks: who reads English may answer «sí»."""


def may_ask(output: Output) -> bool:
    """Whether somebody sits at a terminal, and no program reads the answer."""
    # A question goes to stderr, so that stdout can be a pipe; both ends of the talk have to be the person's.
    return not output.as_json and sys.stdin.isatty() and sys.stderr.isatty()


def choose(output: Output, question: CannotStart, choices: Mapping[str, str]) -> str:
    """Ask which of the choices is meant; `choices` are their names and, as catalog texts, what each of them does.

    Raises the question itself where nobody can be asked, or where the answer is empty: Enter alone decides nothing.
    """
    if not may_ask(output):
        raise question
    for one in (question, *question.also):
        click.echo(output.messages.text(one.message, **one.parameters), err=True)
    for name, effect in choices.items():
        click.echo(f"  {name}  {output.messages.text(effect, **question.parameters)}", err=True)
    prompt = output.messages.text(
        N_("Which one ({names})? Empty stops here, and nothing is sent."), names=" / ".join(choices)
    )
    while answer := click.prompt(prompt, default="", show_default=False, prompt_suffix=" ", err=True).strip().lower():
        if answer in choices:
            return answer
    raise question


def confirm_cancelling(output: Output, documents: int, total: Decimal) -> None:
    """Ask for a clear yes to cancel so many documents that come to `total`: it cannot be undone.

    Raises `CannotStart` without one, and where nobody sits at the terminal: that is no yes.
    """
    if not sys.stdin.isatty():
        raise CannotStart(
            N_("Cancelling needs a yes, and nobody is here to ask. Nothing was sent."),
            repair=N_("Say it with --yes, or look first with --plan."),
        )
    question = output.messages.count(
        "Cancel {n} document for {total}? It cannot be undone. Type yes:",
        "Cancel {n} documents for {total}? It cannot be undone. Type yes:",
        documents,
        total=dollars(total),
    )
    answer = click.prompt(question, default="", show_default=False, prompt_suffix=" ", err=True)
    if answer.strip().casefold() not in _YES:
        raise CannotStart(N_("Not confirmed: nothing was sent."))
