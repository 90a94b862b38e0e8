"""Questions to the person at the terminal; where nobody can be asked, a question is a refusal that says its answer."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, together

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.plan.doubts import IdentityQuestion


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


def ask_which_sales(
    session: Session, questions: Sequence[IdentityQuestion], options: dict[str, Any], files: Sequence[str]
) -> None:
    """Ask whether sales are those that the ledger has, and put the answer where the next look finds it.

    That is `--alike` among the options, or a template of the reference in the settings. Raises the questions where
    nobody can be asked.
    """
    from batch_issuer.cli.session import keep_answer
    from batch_issuer.plan.doubts import NEW, SAME
    from batch_issuer.reading.learned import settings_path

    output = session.output
    choices = {}
    if all(SAME in one.choices for one in questions):
        choices[SAME] = N_("they are the same sales: none is issued a second time")
    line = next((one.line for one in questions if one.line), "")
    if line:
        choices[NEW] = N_("they are other sales: from now on {line}")
        questions[0].parameters["line"] = line
    elif all(NEW in one.choices for one in questions):
        choices[NEW] = N_("they are other sales: issue them under their own references")
    question = together(questions)
    if not choices:
        raise question
    answer = choose(output, question, choices)
    if answer == NEW and line:
        template = tomllib.loads(line)["external_ref"]
        keep_answer(output, settings_path(options["config"], session.settings, files), "external_ref", template)
    else:
        options["alike"] = answer
