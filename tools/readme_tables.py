"""Writes the tables of README.md that come from the code; `--check` only says whether they are current."""

from __future__ import annotations

import sys
from pathlib import Path

from batch_issuer.reading.aliases import ALIASES
from batch_issuer.settings import CUSTOMER_FIELDS, DOCUMENT_FIELDS, LINE_FIELDS

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- columns: written by tools/readme_tables.py -->\n", "<!-- end of columns -->\n"
GROUPS = {"Line": LINE_FIELDS, "Document": DOCUMENT_FIELDS, "Customer": CUSTOMER_FIELDS}


def columns_table() -> str:
    """Our fields with every heading that is recognised for them."""
    lines = ["| field | headings |", "|---|---|"]
    for group, names in GROUPS.items():
        lines.append(f"| **{group}** | |")
        lines += [f"| `{name}` | {', '.join(ALIASES[name]).replace('|', chr(92) + '|')} |" for name in names]
    return "\n".join(lines) + "\n"


def with_tables(readme: str) -> str:
    """The README with its tables as the code has them."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{columns_table()}{END}{after}"


def main() -> int:
    """Write the tables, or say that they are old."""
    current = README.read_text(encoding="utf-8")
    wanted = with_tables(current)
    if "--check" in sys.argv:
        return int(current != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
