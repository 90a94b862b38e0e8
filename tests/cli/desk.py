"""The program called as from a shell, in this process: arguments, environment and folder in; words and exit code out."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from batch_issuer.cli import main
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Record
from batch_issuer.sandbox import Running
from tests.promises.kill.shop import KEY, Done

HEADINGS = "external_ref,description,quantity,unit_price"
SENDING = ("issue", "retry", "refresh", "cancel", "download", "doctor")


@dataclass
class Desk:
    """A folder with a file `ventas.csv`, a key, and the address of a provider."""

    folder: Path
    base_url: str
    key: str = KEY
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def write(self, *rows: str, name: str = "ventas.csv") -> Path:
        """A table of rows such as `A-1,Café,2,2.50`."""
        path = self.folder / name
        path.write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")
        return path

    def fill(self, count: int) -> Path:
        """So many documents of 5.00 each."""
        return self.write(*(f"A-{number},Café,2,2.50" for number in range(1, count + 1)))

    def call(self, *arguments: str, stdin: bytes = b"") -> Done:
        """Run a command to its end."""
        if arguments[:1] and arguments[0] in SENDING and not {"--base-url", "--help"} & set(arguments):
            arguments = (*arguments, "--base-url", self.base_url)
        environment = {"BATCH_ISSUER_LANG": "en", **({"OCOTE_API_KEY": self.key} if self.key else {})}
        return called(list(arguments), self.folder, {**environment, **self.environment}, stdin)

    def records(self, ledger: str = "ledger.db") -> dict[str, Record]:
        """What a ledger says, which must verify."""
        opened = open_to_read(self.folder / ledger)
        try:
            assert verify(opened).damages == ()
            return {record.external_ref: record for record in opened.all_records()}
        finally:
            opened.close()

    def states(self, ledger: str = "ledger.db") -> dict[str, str]:
        return {ref: record.state.value for ref, record in self.records(ledger).items()}


Open = Callable[..., tuple[Desk, Running]]


def called(arguments: list[str], folder: Path, environment: Mapping[str, str], stdin: bytes = b"") -> Done:
    """`main` with streams of its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with _elsewhere(folder, environment), _streams(io.TextIOWrapper(io.BytesIO(stdin)), out, err):
        try:
            main(arguments)
        except SystemExit as leaving:
            code = leaving.code
    assert isinstance(code, int)
    return Done(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


@contextmanager
def _elsewhere(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Another working folder, other variables; the handler of SIGTERM is put back too."""
    here, before, handler = Path.cwd(), dict(os.environ), signal.getsignal(signal.SIGTERM)
    os.chdir(folder)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _streams(stdin: io.TextIOWrapper, out: io.TextIOWrapper, err: io.TextIOWrapper) -> Iterator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = stdin, out, err
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
