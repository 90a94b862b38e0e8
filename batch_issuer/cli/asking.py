"""Questions to the person at the terminal; where nobody can be asked, a question is a refusal that says its answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from batch_issuer.cli.output import Output
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart


def may_ask(output: Output) -> bool:
    """Whether somebody sits at a terminal, and the answer is not read by a program."""
    return not output.as_json and sys.stdin.isatty() and sys.stderr.isatty()


def choose(output: Output, question: CannotStart, choices: Mapping[str, str]) -> str:
    """Ask which of the choices is meant; `choices` are their names and, as catalog texts, what each of them does.

    Raises the question itself where nobody can be asked, or where the answer is empty.
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
