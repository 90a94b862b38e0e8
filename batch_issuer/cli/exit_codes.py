"""Exit codes: what each says, and which of them a command gives.

The help of every command ends with its own, and README's table is made of `MEANINGS` (`tools/readme_tables.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from batch_issuer.messages import N_

MEANINGS: Mapping[int, str] = {
    0: N_("nothing needs a person: everything is stamped or in contingency"),
    1: N_(
        "reached the end, and something needs a person, of this run or of one before: a problem, a rejection, "
        "a conflict, a doubt, a difference, a sale that was not sent"
    ),
    2: N_(
        "could not start: usage, a question that nobody was there to answer, settings, unreadable file, ledger damaged "
        "or held by another run. Nothing was sent"
    ),
    3: N_(
        "stopped midway: key refused, wrong environment, outage, quota wait over `--max-wait`, the same failure again "
        "and again: the ledger is good; run again. Or the ledger was exchanged during the run: put the right one back "
        "first"
    ),
    # EX_SOFTWARE of sysexits.h; then 128 and the signal's number, as shells have it.
    70: N_("a bug of ours, with a traceback"),
    130: N_("interrupted (Ctrl-C); the answers on their way were awaited and recorded"),
    143: N_("interrupted (SIGTERM); the answers on their way were awaited and recorded"),
}
"""What a run says with each. Commands that send nothing have shorter words for some of them."""

_ANY = {70: MEANINGS[70], 130: N_("interrupted (Ctrl-C)"), 143: N_("interrupted (SIGTERM)")}
_REFUSED = {2: N_("could not start: usage, settings, a file or the ledger; nothing was changed")}
_HALTED = {3: N_("stopped midway: a file or folder could not be written, or the ledger not be read to its end")}
_DONE = {0: N_("done"), 1: N_("done, but what it had to say could not be written"), **_REFUSED, **_ANY}
_WITH_LEDGER = {**_DONE, **_HALTED}

OF_COMMANDS: Mapping[str, Mapping[int, str]] = {
    "": MEANINGS,
    "demo": {**_WITH_LEDGER, 0: N_("done, whatever became of its documents")},
    "template": _DONE,
    "check": {
        **MEANINGS,
        **_HALTED,
        **_ANY,
        0: N_("every document of the files can be issued, or was"),
        1: N_("a document is held back, contradicts the ledger, or something else in the files needs a person"),
    },
    "rules": _DONE,
    "issue": MEANINGS,
    "retry": MEANINGS,
    "refresh": MEANINGS,
    "download": {
        **MEANINGS,
        0: N_("every file that exists so far was fetched and is what the ledger says"),
        1: N_("a file is missing or flawed, or says something else than the ledger"),
    },
    "cancel": {
        **MEANINGS,
        0: N_("all of them are cancelled, or the ministry has yet to answer; with --plan, none is held back"),
    },
    "reconcile": MEANINGS,
    "report": {**MEANINGS, **_HALTED, **_ANY},
    "note": _WITH_LEDGER,
    "sign-off": _WITH_LEDGER,
    "ledger": _WITH_LEDGER,
    "ledger show": _WITH_LEDGER,
    "ledger export": _WITH_LEDGER,
    "ledger verify": {
        **_WITH_LEDGER,
        0: N_("the ledger is sound"),
        2: N_("the ledger is damaged, or could not be opened; nothing was changed"),
    },
    "ledger backup": _WITH_LEDGER,
    "ledger restore": _WITH_LEDGER,
    "doctor": {
        **_DONE,
        0: N_("nothing is wrong; warnings are not counted"),
        1: N_("something needs a person, and a run could start"),
        2: N_("a run could not start like this"),
    },
    "sandbox": {
        **_DONE,
        0: N_("stopped with Ctrl-C or SIGTERM"),
        2: N_("could not start: usage, or the address is taken"),
    },
}
"""By a command's words after `batch-issuer`; the program itself has none."""


def exit_codes(command: str) -> list[tuple[int, str]]:
    """Return the exit codes of a command, given as in `OF_COMMANDS`, ascending, each with its catalog text."""
    return sorted(OF_COMMANDS[command].items())
