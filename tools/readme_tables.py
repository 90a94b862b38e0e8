"""Writes the tables of README.md that come from the code; `--check` only says whether they are current."""

from __future__ import annotations

import sys
from pathlib import Path

from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.reading.headings.aliases import ALIASES
from batch_issuer.rules import all_rules
from batch_issuer.settings import CUSTOMER_FIELDS, DOCUMENT_FIELDS, LINE_FIELDS

README = Path(__file__).resolve().parent.parent / "README.md"
GROUPS = {"Line": LINE_FIELDS, "Document": DOCUMENT_FIELDS, "Customer": CUSTOMER_FIELDS}


def columns_table() -> str:
    """Our fields with every heading that is recognised for them."""
    lines = ["| field | headings |", "|---|---|"]
    for group, names in GROUPS.items():
        lines.append(f"| **{group}** | |")
        lines += [f"| `{name}` | {', '.join(ALIASES[name]).replace('|', chr(92) + '|')} |" for name in names]
    return "\n".join(lines) + "\n"


def rules_table() -> str:
    """Every rule with its severity, types, words and source."""
    lines = ["| code | | types | says | because |", "|---|---|---|---|---|"]
    for rule in all_rules():
        types = "all" if rule.doc_types == DOC_TYPES else ", ".join(rule.doc_types)
        cells = (f"`{rule.code}`", rule.severity.value, types, rule.message, " ".join(rule.sources))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


TABLES = {"columns": columns_table, "rules": rules_table}


def with_tables(readme: str) -> str:
    """The README with its tables as the code has them."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: written by tools/readme_tables.py -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = f"{before}{begin}{table()}{end}{after}"
    return readme


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
