"""A shop that closes its day with the real program: files, processes, and the comparison of everybody's books."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx

from batch_issuer.ledger.export import export_row
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[2]
KEY = "odt_" + "0123456789abcdef" * 3 + "01234567"
HEADINGS = "external_ref,description,quantity,unit_price"
_PRODUCTS = ("Café molido", "Pan dulce", "Té de manzanilla", "Azúcar 1 lb", "Queso fresco")


@dataclass(frozen=True, slots=True)
class Sale:
    """One document of the file and what it must come to."""

    ref: str
    gross: Decimal


def write_sales(path: Path, count: int, *, prefix: str = "V", seed: int = 1) -> list[Sale]:
    """A day's sales as CSV; totals are added up here in integers of a hundredth of a cent."""
    chance, lines, sales = random.Random(seed), [HEADINGS], []
    for number in range(1, count + 1):
        ref, total = f"{prefix}-{number:04}", 0
        for _ in range(chance.randint(1, 3)):
            quantity, price = chance.randint(1, 9), chance.randint(1, 99999)
            total += quantity * price
            lines.append(f"{ref},{chance.choice(_PRODUCTS)},{quantity},{price / 10000:.4f}")
        cents = (Decimal(total) / 10000).quantize(Decimal("0.01"), ROUND_HALF_UP)
        sales.append(Sale(ref=ref, gross=cents))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
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


@dataclass
class Shop:
    """A folder with a day's sales, a ledger, and a provider."""

    folder: Path
    base_url: str
    sales: list[Sale]
    key: str = KEY
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def start(self, *arguments: str, wrapper: Sequence[str] = ("-m", "batch_issuer")) -> subprocess.Popen[str]:
        """The program, running; commands that send know the provider."""
        if arguments[0] in ("issue", "retry", "refresh"):
            arguments = (*arguments, "--base-url", self.base_url)
        return subprocess.Popen(
            [sys.executable, *wrapper, *arguments],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8",
            env={
                **os.environ, "PYTHONPATH": str(ROOT), "OCOTE_API_KEY": self.key, "BATCH_ISSUER_LANG": "en",
                **self.environment,
            },
        )  # fmt: skip

    def run(self, *arguments: str, wrapper: Sequence[str] = ("-m", "batch_issuer")) -> Done:
        """The program, run to its end."""
        return finished(self.start(*arguments, wrapper=wrapper))

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


def finished(process: subprocess.Popen[str], seconds: float = 120) -> Done:
    """What a process said and left with."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end in {seconds} s:\n{out}\n{err}") from None
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


def killed(process: subprocess.Popen[str]) -> None:
    """Dead at once, as by a power cut of this one program."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


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
        assert self._process is not None
        killed(self._process)
        self._process = None

    def ask(self, name: str) -> Any:
        """A question to the control plane."""
        return httpx.get(self._control(name), timeout=30).json()

    def order(self, name: str, **said: Any) -> Any:
        return httpx.post(self._control(name), json=said, timeout=30).json()

    def posts(self) -> int:
        """Requests for documents since it last began."""
        return sum(self.ask("requests")["by_route"].get("invoice", {}).values())

    def stop(self) -> None:
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
    done = shop.run("report", "--json")
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
