"""Writes what README.md and docs/ say of fields and rules from the code; `--check` only says whether it is current.

README.md has a short table of the fields between two marks; `docs/columns.md` and `docs/rules.md` are written whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from batch_issuer.cli.exit_codes import MEANINGS
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.fields import TABLE, Field, Owner, Travels, ValueKind
from batch_issuer.rules import all_rules

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {Owner.LINE: "Line", Owner.DOCUMENT: "Document", Owner.CUSTOMER: "Customer"}
COLUMNS = """# Columns

Every field that a sheet may have, written by `tools/readme_tables.py` from `model/fields.py`. Capitals, accents, spaces
and punctuation of a heading do not count, nor does what stands in parentheses; Spanish and English may be mixed. A
heading that is not listed is mapped under `[columns]` in the settings: `unit_price = "Tarifa"`.

*Types* are the types of document for which the field means something; of others it is read and not sent. *Sent as* is
its name in the provider's JSON.
"""
RULES = """# Rules

What `check` and `issue` ask of every document before anything is sent, in the order in which it is asked, written by
`tools/readme_tables.py` from the code. What *blocks* holds its document back; what *warns* is sent and told.
`batch-issuer rules` says the same in your language.

"""


def row(cells: Iterable[str]) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def types(doc_types: tuple[str, ...], nothing: str = "") -> str:
    """Return types of documents as a reader wants them."""
    return "all" if doc_types == DOC_TYPES else ", ".join(doc_types) or nothing


def holds(field: Field) -> str:
    """Return what may stand in a field's cells: its kind, catalog, length and shape."""
    if field.kind is ValueKind.CODE:
        what = f"code or name: {'a list of the provider' if field.catalog == 'Ocote' else field.catalog}"
    elif field.kind is ValueKind.PLACE:
        what = f"code or name: {field.catalog}"
    else:
        what = field.kind.value
    return "; ".join(filter(None, (what, field.shape, f"at most {field.longest:,} characters" * bool(field.longest))))


def sent(field: Field) -> str:
    """Return the name in the provider's JSON with what its code does, or why it is never sent."""
    if field.travels is Travels.NEVER:
        return f"never. {field.because}"
    return f"`{field.wire}`{'. ' + field.because if field.because else ''}"


def short_table() -> Iterator[str]:
    """Yield the README's table: each field with its heading in both languages and the types."""
    yield row(("field", "heading", "in English", "types", "needed for"))
    yield row(["---"] * 5)
    for owner, title in GROUPS.items():
        yield row((f"**{title}**", "", "", "", ""))
        for field in TABLE:
            if field.owner is owner:
                needed = types(field.required)
                yield row((f"`{field.key}`", field.es[0], field.en[0], types(field.doc_types), needed))


def exit_codes_table() -> Iterator[str]:
    """Yield every exit code with what it means."""
    yield row(("code", "means"))
    yield row(["---"] * 2)
    yield from (row((str(code), meaning)) for code, meaning in sorted(MEANINGS.items()))


def columns_page() -> Iterator[str]:
    """Yield the page of columns: for each owner every field with all its headings."""
    yield COLUMNS
    for owner, title in GROUPS.items():
        yield f"\n## {title}\n\n"
        yield row(("field", "Spanish", "English", "holds", "types", "sent as"))
        yield row(["---"] * 6)
        for field in TABLE:
            if field.owner is owner:
                headings = (", ".join(field.es), ", ".join(field.en))
                yield row((f"`{field.key}`", *headings, holds(field), types(field.doc_types), sent(field)))


def rules_page() -> Iterator[str]:
    """Yield the page of rules: every code with its severity, types, words, repair and source."""
    yield RULES
    yield row(("code", "", "types", "says", "repair", "because"))
    yield row(["---"] * 6)
    for rule in all_rules():
        words = (rule.message, rule.repair, " ".join(rule.sources))
        yield row((f"`{rule.code}`", rule.severity.value, types(rule.doc_types), *words))


TABLES = {"exit codes": exit_codes_table, "columns": short_table}
"""What stands in the README between two marks, by the name in the marks."""


def pages() -> dict[Path, str]:
    """Return the pages as the code has them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: written by tools/readme_tables.py -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = f"{before}{begin}{''.join(table())}{end}{after}"
    return {
        ROOT / "README.md": readme,
        ROOT / "docs" / "columns.md": "".join(columns_page()),
        ROOT / "docs" / "rules.md": "".join(rules_page()),
    }


def main() -> int:
    """Write the pages, or say that they are old."""
    wanted = pages()
    if "--check" in sys.argv:
        return int(any(not path.exists() or path.read_text(encoding="utf-8") != text for path, text in wanted.items()))
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
