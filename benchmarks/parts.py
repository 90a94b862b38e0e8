"""What is measured, part by part, against which comparison and which goal of the design."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from pathlib import Path

from benchmarks.processes import (
    HERE,
    PRODUCT,
    PYTHON,
    Measured,
    Provider,
    Run,
    Variant,
    compare,
    provider,
)
from benchmarks.results import Line, Section, against, bars
from benchmarks.sales import DOCUMENTS, MADE_BY, ROWS, SETTINGS, rows_of, write_csv, write_xlsx

NEEDS_A_PERSON = (0, 1)
"""Exit codes of a run that reached its end."""
_BARE, _PEER = (PYTHON, str(HERE / "bare.py")), (PYTHON, str(HERE / "peer.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much to measure. `SMOKE` is only to see that everything still runs."""

    rounds: int
    scale: float = 1.0
    """Of Online Retail's 541,909 rows."""
    growth: Sequence[int] = (3,)
    sending_seconds: float = 3.0
    """How long a cell of the sending table would take a perfect client."""
    latencies: Sequence[float] = (0.05, 0.0, 0.2)
    concurrencies: Sequence[int] = (1, 8, 32, 100, 256)
    most_documents: int = 6_000
    window: float = 10.0
    """Seconds of the shortened minute."""
    ledger_documents: Sequence[int] = (0, 100_000)
    windows: int = 3
    """Of the quota, whole ones."""
    peers_day: bool = False
    """Also let the peer issue a whole day, which takes minutes."""
    slow: bool = True
    """Also run what takes more than a minute: pandas with openpyxl."""
    warm: bool = False
    """Fork processes that have the libraries instead of starting new ones: nothing is measured then."""
    others: bool = True
    """Also run readers that only `make bench` installs, and Chromium."""

    @property
    def rows(self) -> int:
        return round(ROWS * self.scale)


SMOKE = Sizes(
    rounds=1, scale=0.002, growth=(), sending_seconds=0.1, latencies=(0.0,), concurrencies=(8,), most_documents=40,
    window=0.5, windows=1, ledger_documents=(40,), slow=False, others=False, peers_day=True,
    warm=True,
)  # fmt: skip


class Bench:
    """The folder with the files, made once, and the sizes."""

    def __init__(self, folder: Path, sizes: Sizes, retail: Path | None = None) -> None:
        self.folder = folder
        self.sizes = sizes
        self.retail = retail
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "batch-issuer.toml").write_text(SETTINGS, encoding="utf-8")
        (folder / "retail.toml").write_text(_RETAIL_SETTINGS, encoding="utf-8")

    def sales(self, times: float = 1, suffix: str = "csv", *, sound: bool = False) -> str:
        """The file of so many times the rows; made if it is not there yet."""
        rows = round(self.sizes.rows * times)
        return self.of_shape(rows, max(1, round(rows * DOCUMENTS / ROWS)), suffix, sound=sound)

    def of_shape(self, rows: int, documents: int, suffix: str = "csv", *, sound: bool = False) -> str:
        name = f"{'sound' if sound else 'sales'}-{rows}-{documents}-{MADE_BY}.{suffix}"
        if not (self.folder / name).exists():
            draft = self.folder / f"draft.{suffix}"
            {"csv": write_csv, "xlsx": write_xlsx}[suffix](draft, rows_of(rows, documents, sound=sound))
            draft.replace(self.folder / name)
        return name

    def bodies(self, documents: int) -> str:
        """What a bare client posts: the bodies of sound documents, a line each."""
        name = f"bodies-{documents}-{MADE_BY}.jsonl"
        if not (self.folder / name).exists():
            rows = rows_of(documents * 5, documents, sound=True)
            with (self.folder / name).open("w", encoding="utf-8") as file:
                for reference, lines in groupby(rows, key=lambda row: row[0]):
                    body = {
                        "external_ref": reference,
                        "doc_type": "01",
                        "lines": [{"description": row[4], "quantity": row[5], "unit_price": row[6]} for row in lines],
                    }
                    file.write(json.dumps(body, ensure_ascii=False) + "\n")
        return name

    def compare(
        self, variants: Mapping[str, Variant], rounds: int | None = None, *, new: bool = False
    ) -> dict[str, Measured]:
        """`new` processes always, never warm ones."""
        return compare(variants, rounds or self.sizes.rounds, self.folder, warm=self.sizes.warm and not new)

    def fresh(self, *names: str) -> Callable[[], None]:
        """Takes away what an earlier run left under these names."""

        def remove() -> None:
            for name in names:
                for path in self.folder.glob(f"{name}*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

        return remove


_RETAIL_SETTINGS = '[columns]\nexternal_ref = "InvoiceNo"\n[source]\nprices = { "01" = "with_vat" }\n'


def start_up(bench: Bench) -> Section:
    """Help, version and completion against a bare lazy click program."""
    completing = {"_BATCH_ISSUER_COMPLETE": "bash_complete", "COMP_WORDS": "batch-issuer is", "COMP_CWORD": "1"}
    found = bench.compare(
        {
            "python": Variant(command=(*_BARE, "nothing")),
            "click": Variant(command=(*_BARE, "click")),
            "`--help`": Variant(command=(*PRODUCT, "--help")),
            "`--version`": Variant(command=(*PRODUCT, "--version")),
            "completion": Variant(command=(*PRODUCT,), environment=completing),
            "a usage error": Variant(command=(*PRODUCT, "issue", "--nonsense"), codes=(2,)),
        },
        rounds=3 * bench.sizes.rounds if bench.sizes.rounds > 1 else 1,
        new=True,
    )
    bare = found.pop("click").seconds
    found.pop("python")
    lines = [
        Line(
            what=name,
            measured=f"{one.seconds * 1000:.0f} ms",
            ratio=f"{one.seconds / bare:.2f} × bare click ({bare * 1000:.0f} ms)",
            goal="≤ 150 ms",
            met=against(one.seconds, 0.15),
            memory=one.mebibytes,
        )
        for name, one in found.items()
    ]
    return Section(title="Start-up", words="Which modules are loaded is guarded by a test.", lines=tuple(lines))


def read(bench: Bench) -> Section:
    """`check` of a whole day, CSV and XLSX, and with more rows."""
    sizes = bench.sizes
    csv, xlsx = bench.sales(), bench.sales(suffix="xlsx")
    readers = {
        "polars": Variant(command=(*_BARE, "polars-xlsx", xlsx)),
        "calamine": Variant(command=(*_BARE, "calamine-xlsx", xlsx), rounds=1),
    }
    slow = {"openpyxl": Variant(command=(*_BARE, "pandas-xlsx", xlsx), rounds=1)}
    found = bench.compare(
        {
            "pandas": Variant(command=(*_BARE, "pandas-csv", csv)),
            "csv": _check(csv),
            "peer": Variant(command=(*_PEER, "check", csv), rounds=1),
            "xlsx": _check(xlsx),
            **(readers if sizes.others else {}),
            **(slow if sizes.slow else {}),
        }
    )
    rows = f"{sizes.rows:,} rows"
    lines = [
        _ratio_line(f"`check`, CSV, {rows}", found["csv"], found["pandas"], "bare `pandas.read_csv`", 3, memory=500),
        _ratio_line("", found["csv"], found["peer"], "the peer script", 0.1),
    ]
    against_readers: tuple[tuple[str, str, float | None], ...] = (
        ("polars", "bare `polars.read_excel`", 1.6),
        ("calamine", "bare `python-calamine` rows", None),
        ("openpyxl", "`pandas.read_excel` with openpyxl", 0.125),
    )
    what = f"`check`, XLSX, {rows}"
    for name, said, limit in against_readers:
        if name in found:
            lines.append(_ratio_line(what, found["xlsx"], found[name], said, limit, memory=700 if what else None))
            what = ""
    grown = {1: found["csv"]}
    for times in sizes.growth:
        grown |= {times: bench.compare({"csv": _check(bench.sales(times))}, rounds=1)["csv"]}
        lines.append(_growth_line(times, grown[1], grown[times]))
    seconds = bars([(f"{times:>2} × rows", one.seconds) for times, one in grown.items()], "s")
    memory = bars([(f"{times:>2} × rows", one.mebibytes) for times, one in grown.items()], "MiB")
    if bench.retail is not None:
        lines += _retail_lines(bench, bench.retail)
    return Section(
        title="Reading and checking",
        words="From process start to exit: read, map the columns, group, apply the rules, sum, show the plan.",
        lines=tuple(lines),
        drawing=f"\nTime and memory as the rows grow:\n{seconds}{memory}",
    )


def _check(file: str, *options: str) -> Variant:
    return Variant(command=(*PRODUCT, "check", file, *options), codes=NEEDS_A_PERSON)


def _ratio_line(
    what: str, ours: Measured, theirs: Measured, name: str, limit: float | None, *, memory: float | None = None
) -> Line:
    ratio = ours.seconds / theirs.seconds
    goal = "" if limit is None else f"≤ {limit:g} ×" if limit >= 1 else f"≤ 1/{1 / limit:.0f}"
    met = None if limit is None else against(ratio, limit) and (memory is None or against(ours.mebibytes, memory))
    return Line(
        what=what,
        measured=f"{ours.seconds:.2f} s" if what else "",
        ratio=f"{ratio:.2f} × {name} ({theirs.seconds:.2f} s, {theirs.mebibytes:.0f} MiB)"
        if ratio >= 1
        else f"1/{1 / ratio:.1f} of {name} ({theirs.seconds:.2f} s, {theirs.mebibytes:.0f} MiB)",
        goal=goal + (f", ≤ {memory:.0f} MB" if memory else ""),
        met=met,
        memory=ours.mebibytes if what else None,
    )


def _growth_line(times: int, one: Measured, more: Measured) -> Line:
    ratio = more.seconds / one.seconds
    return Line(
        what=f"`check`, CSV, {times} × the rows",
        measured=f"{more.seconds:.2f} s",
        ratio=f"{ratio:.2f} × the time of 1 ×",
        goal=f"≤ {1.1 * times:g} ×, ≤ 1 GB",
        met=against(ratio, 1.1 * times) and against(more.mebibytes, 1024),
        memory=more.mebibytes,
    )


def _retail_lines(bench: Bench, folder: Path) -> list[Line]:
    """The same with Online Retail itself, whose files somebody has."""
    lines = []
    for path in sorted(folder.iterdir()):
        part = {".csv": "pandas-csv", ".xlsx": "polars-xlsx"}.get(path.suffix)
        if part is None:
            continue
        found = bench.compare(
            {
                "bare": Variant(command=(*_BARE, part, str(path))),
                "check": _check(str(path), "--config", "retail.toml"),
            }
        )
        name = f"bare {part.partition('-')[0]}"
        what = f"`check {path.name}`"
        lines.append(_ratio_line(what, found["check"], found["bare"], name, 3 if path.suffix == ".csv" else 1.6))
    return lines


def send(bench: Bench) -> Section:
    """`issue` against the fast server, at several latencies and concurrencies, the durable ledger on."""
    lines = [
        line
        for latency in bench.sizes.latencies
        for concurrency in bench.sizes.concurrencies
        for line in _sending_lines(bench, latency, concurrency)
    ]
    return Section(
        title="Issuing",
        words=(
            "Share of what is possible (concurrency ÷ latency), as the server saw it from the first request to the "
            "last answer; without latency, documents a second. The bare client sends ready bytes over plain sockets "
            "and keeps nothing; the peer is `httpx.AsyncClient` with a semaphore, without a ledger."
        ),
        lines=tuple(lines),
    )


_SHARES = {8: (0.90, 0.95), 32: (0.75, 0.90), 100: (0.50, 0.75)}


def _sending_lines(bench: Bench, latency: float, concurrency: int) -> Iterator[Line]:
    sizes = bench.sizes
    wanted = concurrency / latency * sizes.sending_seconds if latency else sizes.most_documents
    documents = min(sizes.most_documents, ceil(wanted / concurrency) * concurrency)
    peers = min(documents, 300)  # it may manage 60 a second
    with provider("--latency", str(latency)) as server:
        found = bench.compare(
            {
                "bare": _bare_client(bench, server, concurrency, documents),
                "product": issuing(bench, server, concurrency, documents),
                "peer": _peer_client(bench, server, concurrency, peers),
            }
        )
    ours, bare, peer = found["product"], found["bare"], found["peer"]
    goal, stretch = _SHARES.get(concurrency, (None, None)) if latency == 0.05 else (None, None)
    yield Line(
        what=f"{concurrency} at once × {latency * 1000:.0f} ms",
        measured=_share(ours.figure, latency, concurrency),
        ratio=(
            f"{ours.figure / bare.figure:.2f} of the bare client ({_share(bare.figure, latency, concurrency)}); "
            f"peer {_share(peer.figure, latency, concurrency)}"
        ),
        goal=f"≥ {goal:.2f} ({stretch:.2f})" if goal and stretch else "",
        met=against(ours.figure * latency / concurrency, goal, at_least=True) if goal else None,
        memory=ours.mebibytes,
    )


def _share(rate: float, latency: float, concurrency: int) -> str:
    return f"{rate * latency / concurrency:.2f}" if latency else f"{rate:,.0f}/s"


def _rate(server: Provider, documents: int) -> Callable[[Run], float]:
    """Documents a second, as the server counted them."""

    def after(_: Run) -> float:
        counted = server.counted()
        assert (counted["posts"] or counted["requests"]) == documents, f"{counted} instead of {documents} documents"
        return documents / max(float(counted["seconds"]), 1e-9)

    return after


def issuing(bench: Bench, server: Provider, concurrency: int, documents: int, *options: str) -> Variant:
    """Issue the first so many sound documents of five lines each, into a new ledger."""
    file = bench.of_shape(bench.sizes.most_documents * 5, bench.sizes.most_documents, sound=True)
    command = (
        *PRODUCT, "issue", file, "--base-url", server.url, "--concurrency", str(concurrency), "--limit", str(documents),
        "--ledger", "sending.db", "--out", "reports", "--json", *options,
    )  # fmt: skip
    return Variant(
        command=command, before=bench.fresh("sending.db"), codes=NEEDS_A_PERSON, after=_rate(server, documents)
    )


def _bare_client(bench: Bench, server: Provider, concurrency: int, documents: int) -> Variant:
    bodies = bench.bodies(bench.sizes.most_documents)
    options = ("--port", str(server.port), "--concurrency", str(concurrency), "--limit", str(documents))
    return Variant(command=(*_BARE, "post", bodies, *options), after=_rate(server, documents))


def _peer_client(bench: Bench, server: Provider, concurrency: int, documents: int) -> Variant:
    file = bench.of_shape(bench.sizes.most_documents * 5, bench.sizes.most_documents, sound=True)
    options = ("--base-url", server.url, "--concurrency", str(concurrency), "--limit", str(documents))
    return Variant(command=(*_PEER, "issue", file, *options), after=_rate(server, documents))


def ledger(bench: Bench) -> Section:
    """What durability costs: the same sending with and without the ledger, and on a slow disk."""
    documents = min(bench.sizes.most_documents, 4_000)
    command = (PYTHON, str(HERE / "durability.py"), "--documents", str(documents))
    with provider("--latency", "0.05" if 0.05 in bench.sizes.latencies else "0") as server:
        address = ("--url", server.url)
        found = bench.compare(
            {
                name: Variant(
                    command=(*command, "--ledger", name, *address),
                    before=bench.fresh("durability.db"),
                    after=_rate(server, documents),
                )
                for name in ("none", "durable", "slow")
            }
        )
    none = found["none"].figure
    lines = []
    for name, what in (("durable", "on this disk"), ("slow", "on a disk 15 ms slower per sync")):
        share = found[name].figure / none
        lines.append(
            Line(
                what=f"100 at once × 50 ms, {what}",
                measured=f"{found[name].figure:,.0f}/s",
                ratio=f"{share:.3f} of the same without a ledger ({none:,.0f}/s)",
                memory=found[name].mebibytes,
            )
        )
    return Section(
        title="What the durable ledger costs",
        words="The product's own sender, with its ledger and with one that forgets everything.",
        lines=tuple(lines),
    )


def quota(bench: Bench) -> Section:
    """The documented 120 requests a window, in windows that are shorter than a minute."""
    window, per_window = bench.sizes.window, 120 if bench.sizes.windows > 1 else 10
    documents = bench.sizes.windows * per_window + 1
    with provider("--latency", "0.05", "--quota", str(per_window), "--window", str(window)) as server:
        counts: list[dict[str, list[int]]] = []

        def count(_: Run) -> float:
            counts.append(server.counted())
            return 0.0

        one = bench.compare({"quota": _counting(issuing(bench, server, 8, documents), count)}, rounds=1)["quota"]
    windows, refused = counts[0]["windows"], counts[0]["refused"]
    used = sum(windows[: bench.sizes.windows]) / (bench.sizes.windows * per_window)
    return Section(
        title="Issuing under the quota",
        words=f"{per_window} requests in a window of {window:g} s, and one more than fits into these windows.",
        lines=(
            Line(
                what=f"budget used over {bench.sizes.windows} windows",
                measured=f"{used:.1%}",
                ratio=f"{refused} answers of 429; the whole run {one.seconds:.1f} s",
                goal="≥ 97 %, no 429",
                met=against(used, 0.97, at_least=True) and not refused,
                memory=one.mebibytes,
            ),
        ),
    )


def _counting(variant: Variant, after: Callable[[Run], float]) -> Variant:
    return Variant(command=variant.command, before=variant.before, codes=variant.codes, after=after)


def whole(bench: Bench) -> Section:
    """The whole run of a day, running it again, and asking about what waits for its stamp."""
    file = bench.sales()
    command = (*PRODUCT, "issue", file, "--concurrency", "100", "--ledger", "whole.db", "--out", "reports", "--json")
    with provider("--latency", "0.05") as server:
        issue = Variant(
            command=(*command, "--base-url", server.url), before=bench.fresh("whole.db"), codes=NEEDS_A_PERSON
        )
        once = {"first": issue}
        if bench.sizes.peers_day:
            once["peer"] = Variant(
                command=(*_PEER, "issue", file, "--concurrency", "100", "--base-url", server.url, "--out", "peers")
            )
        runs = bench.compare(once, rounds=1)
        first, peer = runs["first"], runs.get("peer")
        server.counted()
        again = Variant(command=issue.command, codes=NEEDS_A_PERSON)
        found = bench.compare(
            {
                "check": _check(file, "--json", "--ledger", "whole.db"),
                "without": _check(file, "--json", "--ledger", "none.db"),
                "again": again,
            }
        )
        asked = server.counted()["requests"]
    sent = first.runs[0].json["sent"]
    check, without, repeated = (found[name].seconds for name in ("check", "without", "again"))
    lines = [
        Line(
            what=f"the whole run: {bench.sizes.rows:,} rows, {sent:,} documents, 100 at once × 50 ms, reports",
            measured=f"{first.seconds:.1f} s",
            ratio=f"{first.seconds / max(sent * 0.05 / 100, 1e-9):.2f} × the latency alone; one round",
            goal="≤ 35 s (22)",
            met=against(first.seconds, 35),
            memory=first.mebibytes,
        ),
        *([_beside_peer(first, peer)] if peer else []),
        Line(
            what="the same file again, everything settled",
            measured=f"{repeated:.2f} s",
            ratio=f"{repeated / check:.2f} × `check` with the same ledger ({check:.2f} s); {asked} requests",
            goal="≤ 1 ×, no request",
            met=against(repeated / check, 1) and not asked,
            memory=found["again"].mebibytes,
        ),
        Line(what="", measured="", ratio=f"{repeated / without:.2f} × `check` without a ledger ({without:.2f} s)"),
        *_refreshing(bench),
    ]
    return Section(title="The whole run, and running it again", words="", lines=tuple(lines))


def _beside_peer(ours: Measured, peer: Measured) -> Line:
    sent = peer.runs[0].json["to_issue"]
    return Line(
        what="",
        measured="",
        ratio=f"1/{peer.seconds / ours.seconds:.1f} of the peer script ({peer.seconds:.0f} s, {sent:,} documents)",
    )


def _refreshing(bench: Bench) -> Iterator[Line]:
    documents = min(bench.sizes.most_documents, 4_000)
    with provider("--latency", "0.05", "--contingency") as server:
        issue = issuing(bench, server, 100, documents)
        refresh = Variant(
            command=(*PRODUCT, "refresh", "--ledger", "sending.db", "--out", "reports", "--concurrency", "100",
                     "--base-url", server.url, "--json"),
            codes=NEEDS_A_PERSON,
            after=_rate(server, documents),
        )  # fmt: skip
        found = bench.compare({"issue": issue, "refresh": refresh}, rounds=1)["refresh"]  # it remembers what it has
    share = found.figure * 0.05 / 100
    yield Line(
        what=f"`refresh` of {documents:,} documents in contingency, 100 at once × 50 ms",
        measured=f"{share:.2f} of the possible",
        ratio=f"{found.figure:,.0f} questions a second; the process {found.seconds:.1f} s",
        memory=found.mebibytes,
    )


def reports(bench: Bench) -> Section:
    """The page and the workbook of one run of a whole day, and the page in Chromium."""
    documents = max(1, round(bench.sizes.rows * DOCUMENTS / ROWS))
    made = make_ledger(bench, "reports.db", documents, documents)
    drawing = Variant(command=(PYTHON, str(HERE / "drawing.py"), made))
    found = bench.compare({"drawing": drawing})["drawing"]
    said = [run.json for run in found.runs]
    html, excel = (_middle(one[name] for one in said) for name in ("html", "excel"))
    bare = bench.compare({"bare": Variant(command=(*_BARE, "xlsxwriter", "drawn.xlsx"), after=_own_seconds)})["bare"]
    size = (bench.folder / "drawn.html").stat().st_size / 1e6
    lines = [
        Line(
            what=f"HTML of {documents:,} documents",
            measured=f"{html:.2f} s",
            ratio=f"{size:.1f} MB",
            goal="≤ 1.5 s, ≤ 6 MB",
            met=against(html, 1.5) and against(size, 6),
            memory=found.mebibytes,
        ),
        Line(
            what="Excel",
            measured=f"{excel:.2f} s",
            ratio=f"{excel / bare.figure:.2f} × bare xlsxwriter of the same cells ({bare.figure:.2f} s)",
            goal="≤ 1.3 ×",
            met=against(excel, bare.figure * 1.3),
        ),
    ]
    if bench.sizes.others and (opened := _opened(bench)) is not None:
        lines.append(
            Line(
                what="opened in Chromium", measured=f"{opened:.2f} s", goal="≤ 1 s", met=against(opened, 1),
                ratio="to its second frame",
            )
        )  # fmt: skip
    return Section(title="Reports", words="Drawing alone, the ledger read before.", lines=tuple(lines))


def _own_seconds(run: Run) -> float:
    return float(run.json["seconds"])


def _middle(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _opened(bench: Bench) -> float | None:
    """Seconds until Chromium has drawn the page; None where there is no Chromium."""
    page = bench.folder / "drawn.html"
    variant = Variant(command=(PYTHON, str(HERE / "opening.py"), str(page)), codes=(0, 3), after=_own_seconds)
    found = bench.compare({"chromium": variant})["chromium"]
    return found.figure if found.figure >= 0 else None


def make_ledger(bench: Bench, name: str, documents: int, a_day: int) -> str:
    """A ledger of so many stamped documents, made if it is not there yet."""
    bench.compare(
        {
            "ledger": Variant(
                command=(
                    PYTHON, str(HERE / "ledgers.py"), name, "--documents", str(documents), "--day", str(a_day),
                )
            )
        },
        rounds=1,
    )  # fmt: skip
    return name


def ledger_growth(bench: Bench) -> Section:
    """What is done every day, with ledgers of any age."""
    variants: dict[str, Variant] = {}
    sizes = bench.sizes.ledger_documents
    with provider() as server:
        for size in sizes:
            source = make_ledger(bench, f"grown-{size}.db", size, 2_000) if size else ""
            variants |= _daily(bench, server, source, size)
        found = bench.compare(variants)
    first = sizes[0]
    lines = [
        Line(
            what=f"{action}, {size:,} documents in the ledger before",
            measured=f"{found[f'{action} {size}'].seconds:.2f} s",
            ratio=f"{found[f'{action} {size}'].seconds / found[f'{action} {first}'].seconds:.2f} × with {first:,}",
            memory=found[f"{action} {size}"].mebibytes,
        )
        for action in _DAILY
        for size in sizes
    ]
    drawing = "".join(
        f"\n{action}:\n" + bars([(f"{size:>9,}", found[f"{action} {size}"].seconds) for size in sizes], "s")
        for action in _DAILY
    )
    return Section(
        title="As the ledger grows",
        words="A new day of 500 documents, and what is looked up of it.",
        lines=tuple(lines),
        drawing=drawing,
    )


_DAILY = ("`issue` of a new day", "`ledger show`", "`report` of that day")


def _daily(bench: Bench, server: Provider, source: str, size: int) -> dict[str, Variant]:
    name = f"daily-{size}.db"
    documents = min(500, bench.sizes.most_documents)

    def place() -> None:
        bench.fresh(name)()
        if source:
            shutil.copyfile(bench.folder / source, bench.folder / name)
            with (bench.folder / name).open("rb+") as copied:
                os.fsync(copied.fileno())  # or the first commit would wait for the copy, too

    issue = issuing(bench, server, 32, documents)
    into = [name if part == "sending.db" else part for part in issue.command]
    common = ("--ledger", name, "--json")
    report = (*PRODUCT, "report", "--out", "reports", *common)
    show = (*PRODUCT, "ledger", "show", "F000001", *common)
    return {
        f"{_DAILY[0]} {size}": Variant(command=into, before=place, codes=NEEDS_A_PERSON, after=issue.after),
        f"{_DAILY[1]} {size}": Variant(command=show, codes=NEEDS_A_PERSON),
        f"{_DAILY[2]} {size}": Variant(command=report, codes=NEEDS_A_PERSON),
    }


PARTS: Mapping[str, Callable[[Bench], Section]] = {
    "start": start_up,
    "read": read,
    "send": send,
    "ledger": ledger,
    "quota": quota,
    "whole": whole,
    "reports": reports,
    "growth": ledger_growth,
}
