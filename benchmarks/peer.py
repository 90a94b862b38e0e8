"""The peer: one careful script with the usual libraries that does the same job without a ledger.

pandas reads the sheet as text, `groupby` makes the documents, every row is checked, money is exact, `httpx` sends with
a semaphore, openpyxl and jinja2 write the reports. It is what a good programmer writes in a day, and nothing is slowed
down on purpose; what it lacks is what happens when something breaks in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

PAGE = """<!DOCTYPE html><html lang="es"><head><meta charset="utf-8"><title>Documentos</title></head><body>
<h1>{{ documents | length }} documentos</h1><table>
<tr><th>Referencia<th>Cliente<th>Líneas<th>Total<th>Número de control<th>Sello</tr>
{% for one in documents %}<tr><td>{{ one.ref }}<td>{{ one.customer }}<td>{{ one.lines | length }}<td>{{ one.gross }}
<td>{{ one.answer.control_number }}<td>{{ one.answer.reception_stamp }}</tr>
{% endfor %}</table></body></html>"""


@dataclass
class Document:
    ref: str
    customer: str
    payment: str
    lines: list[dict[str, Any]]
    gross: Decimal
    problems: list[str]
    answer: dict[str, Any] = field(default_factory=dict)


def read(path: str) -> pd.DataFrame:
    if path.endswith(".xlsx"):
        return pd.read_excel(path, engine="openpyxl", dtype=str, keep_default_na=False)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def group(table: pd.DataFrame) -> list[Document]:
    documents = []
    for ref, rows in table.groupby("No. factura", sort=False):
        first = rows.iloc[0]
        lines, problems, total = [], [], Decimal(0)
        for at, row in zip(rows.index, rows.itertuples(index=False, name=None), strict=True):
            _, _, _, _, description, quantity, price, _, _ = row
            found, number, each = check(description, quantity, price)
            problems += [f"row {at + 2}: {problem}" for problem in found]
            total += number * each
            lines.append({"description": description, "quantity": float(number), "unit_price": float(each)})
        gross = total.quantize(Decimal("0.01"), ROUND_HALF_UP)
        documents.append(Document(str(ref), first["Cliente"], first["Forma de pago"], lines, gross, problems))
    return documents


def check(description: str, quantity: str, price: str) -> tuple[list[str], Decimal, Decimal]:
    """What is wrong with a row, and its two numbers."""
    problems = []
    if not description.strip() or len(description) > 1000:
        problems.append("description")
    try:
        number, each = Decimal(quantity), Decimal(price)
    except InvalidOperation:
        return [*problems, "not a number"], Decimal(0), Decimal(0)
    if number <= 0:
        problems.append("quantity must be positive")
    if each <= 0:
        problems.append("price must be positive")
    return problems, number, each


async def send(documents: list[Document], url: str, concurrency: int) -> float:
    """Issue every document; the seconds that it took."""
    semaphore = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"Authorization": f"Bearer {os.environ['OCOTE_API_KEY']}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60) as client:

        async def issue(document: Document) -> None:
            body = {"external_ref": document.ref, "doc_type": "01", "lines": document.lines}
            if document.customer:
                body["customer_name"] = document.customer
            async with semaphore:
                response = await client.post("/invoice", json=body)
            response.raise_for_status()
            document.answer = response.json()

        began = time.perf_counter()
        await asyncio.gather(*map(issue, documents))
        return time.perf_counter() - began


def report(documents: list[Document], folder: Path) -> None:
    import jinja2
    from openpyxl import Workbook

    folder.mkdir(parents=True, exist_ok=True)
    page = jinja2.Environment(autoescape=True).from_string(PAGE).render(documents=documents)
    (folder / "report.html").write_text(page, encoding="utf-8")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Documentos")
    sheet.append(["Referencia", "Cliente", "Líneas", "Total", "Número de control", "Código de generación", "Sello"])
    for one in documents:
        named = [one.answer.get(name, "") for name in ("control_number", "generation_code", "reception_stamp")]
        sheet.append([one.ref, one.customer, len(one.lines), one.gross, *named])
    book.save(folder / "report.xlsx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["check", "issue"])
    parser.add_argument("file")
    parser.add_argument("--base-url", default="")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, default=Path("reports"))
    chosen = parser.parse_args()
    documents = group(read(chosen.file))
    sound = [document for document in documents if not document.problems][: chosen.limit]
    said: dict[str, Any] = {
        "documents": len(documents),
        "to_issue": len(sound),
        "gross": str(sum(document.gross for document in sound)),
    }
    if chosen.command == "issue":
        said["seconds"] = asyncio.run(send(sound, chosen.base_url, chosen.concurrency))
        report(sound, chosen.out)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
