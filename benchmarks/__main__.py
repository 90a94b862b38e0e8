"""`python -m benchmarks`: measure, and write RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.parts import PARTS, SMOKE, Bench, Sizes
from benchmarks.processes import HERE, ROOT
from benchmarks.results import Section, write_results


def main() -> None:
    chosen = _arguments()
    sizes = SMOKE if chosen.smoke else Sizes(rounds=chosen.rounds, scale=chosen.scale)
    if chosen.big:
        sizes = replace(sizes, growth=(3, 10), peers_day=True)
    if chosen.million:
        sizes = replace(sizes, ledger_documents=(*sizes.ledger_documents, 1_000_000))
    if chosen.quick:
        sizes = replace(sizes, slow=False)
    began = time.monotonic()
    names = chosen.parts.split(",") if chosen.parts else list(PARTS)

    def measure(name: str) -> Section:
        folder = chosen.folder / name if chosen.smoke else chosen.folder
        section = PARTS[name](Bench(folder, sizes, chosen.retail))
        print(f"{name}: {time.monotonic() - began:.0f} s since the beginning", file=sys.stderr, flush=True)
        return section

    with ThreadPoolExecutor(4 if chosen.smoke else 1) as several:
        sections = list(several.map(measure, names))
    flags = [f"--{name}" for name in ("smoke", "quick", "big", "million") if getattr(chosen, name)]
    named = [f"--parts {chosen.parts}"] if chosen.parts else []
    named += ["--retail FOLDER"] if chosen.retail else []
    command = " ".join(["python -m benchmarks", f"--rounds {sizes.rounds} --scale {sizes.scale:g}", *flags, *named])
    write_results(chosen.output, sections, command=command, rounds=sizes.rounds, seconds=time.monotonic() - began)
    print(chosen.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of 541,909 rows")
    parser.add_argument("--parts", help=f"some of {','.join(PARTS)}; all by default")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, a few seconds: only to see that it runs")
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes to be slow")
    parser.add_argument(
        "--big", action="store_true", help="also ten times the rows and the peer's whole day (many minutes)"
    )
    parser.add_argument("--million", action="store_true", help="also a ledger of a million documents (many minutes)")
    parser.add_argument("--retail", type=Path, help="a folder with the Online Retail data set as .csv and .xlsx")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "benchmarks", help="where files are made")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
