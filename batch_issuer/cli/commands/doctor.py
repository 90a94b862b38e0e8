"""`doctor`: what is set, from where, and what is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.doctor import Check


@click.command("doctor", cls=program.Command, help=program.COMMANDS["doctor"][1])
@program.base_url_option
@program.common
@program.with_output
def command(output: Output, **options: Any) -> int:
    from batch_issuer.doctor import CHECK_NAMES, exit_code

    checks = _checks(output, options)
    names = [output.messages.text(CHECK_NAMES[check.name]) for check in checks]
    width = max(map(len, names))
    marks = {"ok": "✓", "warning": "!", "problem": "✗"}
    for name, check in zip(names, checks, strict=True):
        output.show(f"{marks[check.level.value]} {name.ljust(width)}  {check.text(output.messages)}")
        if check.level.value != "ok" and (advice := check.advice(output.messages)):
            output.show(f"  {' ' * width}  → {advice}")
    code = exit_code(checks)
    output.show()
    output.say(_VERDICTS[code])
    output.give({"checks": [check.as_json(output.messages) for check in checks], "exit_code": code})
    return code


_VERDICTS = {2: N_("A run could not start like this."), 1: N_("Something needs a person."), 0: N_("Nothing is wrong.")}
"""By the exit code, which says the same."""
_BY_SETTINGS = ("settings", "company", "address", "key", "environment", "provider")
"""What cannot be told without them."""


def _checks(output: Output, options: dict[str, Any]) -> list[Check]:
    """Return what can be told: where the settings cannot be read, everything that does not hang on them."""
    from batch_issuer.cli.session import open_session
    from batch_issuer.doctor import Subject, diagnose, settings_problem
    from batch_issuer.model.problems import CannotStart
    from batch_issuer.provider.client import DEFAULT_BASE_URL, check_base_url
    from batch_issuer.settings import Company, Settings

    url = options["base_url"] or DEFAULT_BASE_URL
    place = "default" if not options["base_url"] else "option"
    if url == os.environ.get("OCOTE_BASE_URL"):
        place = "env"
    # Settings that cannot be read must not hide the rest: ledger, disk and clock can be looked at without them.
    trouble: list[Check] = []
    settings, company, ledger = Settings(), Company(), Path(options["ledger"])
    try:
        session = open_session(output, options, tells=False)
        settings, company, ledger = session.settings, session.company, session.ledger
    except CannotStart as stop:
        trouble.append(settings_problem(stop))
    try:
        url = check_base_url(url)
    except CannotStart as stop:
        trouble.append(settings_problem(stop))
        url, place = DEFAULT_BASE_URL, "default"
    subject = Subject(settings=settings, company=company, ledger=ledger, base_url=url, base_url_from=place)
    if not trouble:
        return diagnose(subject)
    # Nothing is sent: without settings nobody knows whose address and key these are.
    found = diagnose(subject, lambda _url, _key: None)
    return [*trouble, *(check for check in found if check.name not in _BY_SETTINGS)]
