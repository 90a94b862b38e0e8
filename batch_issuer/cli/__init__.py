"""The command line: `main` runs a command, and turns failures into sentences and exit codes.

Everything that speaks click, asks a person or writes to a screen is in here; it may use every other room, and no room
uses it. `--help` has to be quick, so a command imports what it works with when it is called, and not before.

- `program`: the commands, the options that they share, and help in the reader's language.
- `exit_codes`: what each command's exit codes say.
- `option_values`: what options take beside plain text.
- `language`: the language of a call.
- `session`: settings, company and ledger of a call, and its files.
- `settings_in_use`: which settings file counts, where several lie about.
- `planning`: the files' documents against the ledger, and the questions that they raise.
- `asking`: questions to whoever sits at the terminal.
- `connecting`: where to send, as whom, and who watches.
- `ending`: reconcile, show the verdict, write the reports, give the JSON.
- `commands/`: one file a command, `ledger` a folder.
- `screen/`: how plans, progress, verdicts and findings look.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from batch_issuer.cli.language import language_of, speak
from batch_issuer.cli.program import commands_table
from batch_issuer.cli.screen.output import Output, silence
from batch_issuer.messages import N_, Messages
from batch_issuer.model.problems import Interrupted, Stop


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and leave with its exit code; `arguments` are those of the process where none are given."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    language = language_of(argv)
    speak(language)
    output = Output(Messages(language), as_json="--json" in argv)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = commands_table().main(argv, prog_name="batch-issuer", standalone_mode=False, obj=output)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        code = output.usage_error(error)
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = output.stopped(_interrupted(130))
    except Stop as stop:
        code = output.stopped(stop)
    except BrokenPipeError:  # `| head` has seen enough
        silence(sys.stdout)
        code = 0
    except Exception as bug:  # noqa: BLE001 - the one wrapper
        code = output.bug(bug)
    code = code or int(output.lost)  # what was asked for and could not be written is no success
    if arguments is None:
        _done()
    sys.exit(code)


def _done() -> None:
    """Flush what was said, and ignore signals from here on: Python would make another exit code of them."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, Interrupted, KeyboardInterrupt):
            stream.flush()  # whoever does not read it may still be left
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    # Raised wherever the program is; while it sends, the loop has its own handler, which awaits what is on its way.
    raise _interrupted(128 + number)


def _interrupted(code: int) -> Interrupted:
    """Return an interruption that came outside of sending, which has its own way to end."""
    stop = Interrupted(code)
    stop.message = N_("Interrupted. Nothing was on its way; run it again.")
    return stop


def _prepare_streams() -> None:
    """Let no console, redirection or closed stream end a run over something that cannot be shown."""
    # Whoever started the program may have closed them; the next file opened, the ledger say, would take their place.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as we run
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


__all__ = ["N_", "main"]
