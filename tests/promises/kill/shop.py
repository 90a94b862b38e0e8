"""A shop that closes its day with the real program: files, processes, and the comparison of everybody's books."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Self

import httpx

from batch_issuer.ledger.export import export_row
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[3]
KEY = "odt_" + "0123456789abcdef" * 3 + "01234567"
HEADINGS = "external_ref,description,quantity,unit_price"
OF_EVERY_TYPE = "doc_type,external_ref,name,nit,nrc,type_contributor,dui,adjusts,description,quantity,unit_price"
SETTINGS = '[source]\nprices = { "03" = "with_vat" }\n'
_TAXPAYER = "Comercial Uno,0614-050707-104-8,12345-6,1,"
_WHO = {"01": ",,,,", "03": _TAXPAYER, "11": "Jane Doe,,,,", "14": "Juan Ejemplo,,,,00016297-5", "05": ",,,,"}
_PRODUCTS = ("Café molido", "Pan dulce", "Té de manzanilla", "Azúcar 1 lb", "Queso fresco")


@dataclass(frozen=True, slots=True)
class Sale:
    """One document of the file and what it must come to."""

    ref: str
    gross: Decimal


def write_sales(
    path: Path, count: int, *, prefix: str = "V", seed: int = 1, mixed: bool = False, notes: bool = False
) -> list[Sale]:
    """A day's sales as CSV, of every type where they are mixed; totals are added up in hundredths of a cent."""
    chance, lines, sales = random.Random(seed), [OF_EVERY_TYPE if mixed else HEADINGS], []
    ccf: Sale | None = None
    for number in range(1, count + 1):
        ref, total = f"{prefix}-{number:04}", 0
        doc_type = chance.choices(["01", "03", "11", "14"], [6, 2, 1, 1])[0] if mixed else "01"
        if notes and ccf is not None and doc_type == "11":
            quarter = max(1, int(ccf.gross * 25))
            lines.append(f"05,{ref},{_WHO['05']},{ccf.ref},{chance.choice(_PRODUCTS)},1,{quarter / 100:.2f}")
            sales.append(Sale(ref=ref, gross=Decimal(quarter) / 100))
            ccf = None
            continue
        for _ in range(chance.randint(1, 3)):
            quantity, price = chance.randint(1, 9), chance.randint(100, 99999)
            total += quantity * price
            what = f"{chance.choice(_PRODUCTS)},{quantity},{price / 10000:.4f}"
            lines.append(f"{doc_type},{ref},{_WHO[doc_type]},,{what}" if mixed else f"{ref},{what}")
        cents = (Decimal(total) / 10000).quantize(Decimal("0.01"), ROUND_HALF_UP)
        sales.append(Sale(ref=ref, gross=cents))
        ccf = sales[-1] if doc_type == "03" else ccf
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.with_name("batch-issuer.toml").write_text(SETTINGS, encoding="utf-8")
    return sales


@dataclass(frozen=True, slots=True)
class Done:
    """A command that came to its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Process:
    """The program, running in a process of its own."""

    def __init__(self, pid: int, poll: Callable[[], int | None], folder: Path, name: str) -> None:
        self.pid = pid
        self.poll = poll
        """Its exit code, negative for the signal that killed it; None while it lives."""
        self._out, self._err = folder / f".{name}.out", folder / f".{name}.err"

    def signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Dead at once, as by a power cut of this one program."""
        self.signal(signal.SIGKILL)
        until(lambda: self.poll() is not None)

    def done(self, seconds: float = 120) -> Done:
        """What it said and left with, once it has ended by itself."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"it did not end in {seconds} s: {self.said()}")
            time.sleep(0.01)
        out, err = self.said()
        assert "Traceback" not in err, err
        return Done(code, out, err)

    def said(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        return self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8")


@dataclass
class Shop:
    """A folder with a day's sales, a ledger, and a provider."""

    folder: Path
    base_url: str
    sales: list[Sale]
    key: str = KEY
    environment: Mapping[str, str] = field(default_factory=dict)
    nursery: Nursery | None = None
    """Whence processes come that begin at once."""
    _started: int = 0

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def start(self, *arguments: str, wrapper: Sequence[str] = ("-m", "batch_issuer"), fresh: bool = True) -> Process:
        """The program, running; commands that send know the provider. `fresh`: a whole new interpreter."""
        if arguments[0] in ("issue", "retry", "refresh", "cancel"):
            arguments = (*arguments, "--base-url", self.base_url)
        self._started += 1
        name = f"process-{self._started}"
        environment = {"OCOTE_API_KEY": self.key, "BATCH_ISSUER_LANG": "en", **self.environment}
        if self.nursery is not None and not fresh:
            return self.nursery.start(self.folder, name, arguments, environment)
        with (self.folder / f".{name}.out").open("wb") as out, (self.folder / f".{name}.err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, *wrapper, *arguments],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )  # fmt: skip
        return Process(process.pid, process.poll, self.folder, name)

    def run(self, *arguments: str, wrapper: Sequence[str] = ("-m", "batch_issuer"), fresh: bool = True) -> Done:
        """The program, run to its end."""
        return self.start(*arguments, wrapper=wrapper, fresh=fresh).done()

    def exported(self) -> dict[str, dict[str, Any]]:
        """What the ledger says of every document, as `ledger export` gives it; the ledger verifies."""
        ledger = open_to_read(self.ledger)
        try:
            rows = [export_row(record) for record in ledger.all_records()]
            assert verify(ledger).damages == ()
        finally:
            ledger.close()
        found = {row["external_ref"]: row for row in rows}
        assert len(found) == len(rows)
        return found


_NURSERY = """
import importlib, json, os, sys
from batch_issuer.cli import main
for name in (
    "batch_issuer.cli.commands.issue", "batch_issuer.cli.commands.retry", "batch_issuer.cli.commands.refresh", "batch_issuer.cli.commands.ledger",
    "batch_issuer.cli.commands.cancel",
    "batch_issuer.reading.which_sheets",
    "batch_issuer.reports.page.page", "batch_issuer.reports.workbook.workbook", "batch_issuer.reports.fix.workbook", "pandas",
):
    importlib.import_module(name)

def born(folder, name, arguments, environment):
    os.chdir(folder)
    os.environ.update(environment)
    for number, path in enumerate((os.devnull, f".{name}.out", f".{name}.err")):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.argv[1:] = arguments
    main()

ended = {}
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if isinstance(order, int):
        if order not in ended:
            pid, status = os.waitpid(order, os.WNOHANG)
            if pid:
                ended[pid] = os.waitstatus_to_exitcode(status)
        print(json.dumps(ended.get(order)), flush=True)
        continue
    pid = os.fork()
    if not pid:
        born(*order)
    print(pid, flush=True)
"""


class Nursery:
    """A process that has loaded the program once and forks as many of it as are wanted, for tests that kill many."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self._turn = threading.Lock()
        assert self._answer() == "ready"

    def start(self, folder: Path, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        for end in ("out", "err"):
            (folder / f".{name}.{end}").touch(mode=0o600)
        pid = int(self._ask([str(folder), name, list(arguments), dict(environment)]))
        return Process(pid, lambda: self._poll(pid), folder, name)

    def stop(self) -> None:
        self._process.communicate(timeout=30)

    def _poll(self, pid: int) -> int | None:
        code: int | None = json.loads(self._ask(pid))
        return code

    def _ask(self, order: object) -> str:
        with self._turn:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def until(condition: Callable[[], object], seconds: float = 60, *, pace: float = 0.01) -> None:
    """Ask again until it is so; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(pace)


class Provider:
    """A sandbox in a process of its own, with a file in which its documents outlive it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""
        self.start()

    def start(self) -> None:
        """Serve, the second time at the same address as the first."""
        process = subprocess.Popen(
            [
                sys.executable, "-m", "batch_issuer", "sandbox", "--json", "--port", str(self._port),
                "--state", str(self._folder / "provider.jsonl"), "--no-quota", *self._options,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self._process = process
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, "the sandbox did not start"
            said += line
        self.base_url = json.loads(said)["base_url"]
        self._port = httpx.URL(self.base_url).port or 0

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def die(self) -> None:
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.communicate()
        self._process = None

    def ask(self, name: str) -> Any:
        """A question to the control plane."""
        return httpx.get(self._control(name), timeout=30).json()

    def order(self, name: str, **said: Any) -> Any:
        return httpx.post(self._control(name), json=said, timeout=30).json()

    def posts(self) -> int:
        """Requests for documents since it last began."""
        counts = self.ask("requests")["by_route"]
        return sum(sum(counts.get(route, {}).values()) for route in ("invoice", "suex", "credit-memo"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            self._process.communicate(timeout=30)

    def _control(self, name: str) -> str:
        return self.base_url.removesuffix("/api/connect") + "/_sandbox/" + name


_SAME = ("document_id", "control_number", "generation_code", "reception_stamp")
_AMOUNTS = ("taxable", "vat", "gross", "retention", "total")


def assert_books_agree(shop: Shop, provider: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """File, provider and ledger say the same of every sale, to the cent; what the ledger says is given back.

    `provider` are the sandbox's documents as its control plane tells them.
    """
    held = list(provider)
    at_provider = {one["ref"]: one for one in held}
    exported, wanted = shop.exported(), {sale.ref: sale.gross for sale in shop.sales}
    assert len(held) == len(at_provider), "the provider holds a sale twice"
    assert at_provider.keys() == exported.keys() == wanted.keys()
    for ref, row in exported.items():
        theirs = at_provider[ref]
        assert row["state"] == theirs["state"], (ref, row, theirs)
        assert {name: row[name] for name in _SAME} == {name: theirs[name] for name in _SAME}, ref
        assert Decimal(row["expected_gross"]) == wanted[ref] == Decimal(theirs["amount_gross"]), ref
        for name in _AMOUNTS:
            assert Decimal(row[f"amount_{name}"] or 0) == Decimal(theirs[f"amount_{name}"] or 0), (ref, name)
    return exported


def assert_report_agrees(shop: Shop, exported: Mapping[str, Mapping[str, Any]]) -> None:
    """The report that is made of the ledger alone counts and adds up the same."""
    wanted = {sale.ref: sale.gross for sale in shop.sales}
    done = shop.run("report", "--json", fresh=False)
    report, states = done.json, Counter(row["state"] for row in exported.values())
    assert {state: count for state, count in report["states"].items() if count} == states
    assert report["documents"] == len(wanted)
    assert Decimal(report["totals"]["expected_gross"]) == sum(wanted.values())
    assert Decimal(report["totals"]["provider_gross"]) == sum(wanted.values())
    for state in states:
        gross = sum(wanted[ref] for ref, row in exported.items() if row["state"] == state)
        assert Decimal(report["totals"][f"{state}_gross"]) == gross
    refused = states["rejected"] + states["invalid"]
    assert done.code == report["exit_code"] == (1 if refused else 0)
    assert report["needs_person"] == refused
