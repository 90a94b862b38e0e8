"""The bare parts: what a stage costs with nothing but its reader, client or writer. Each is a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any


def pandas_csv(path: str) -> None:
    """The anchor of design.md 9 for CSV."""
    import pandas as pd

    pd.read_csv(path, engine="c", dtype=object)


def polars_xlsx(path: str) -> None:
    """The anchor of design.md 9 for workbooks."""
    import polars as pl

    pl.read_excel(path)


def calamine_xlsx(path: str) -> None:
    from python_calamine import CalamineWorkbook

    for _ in CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows():
        pass


def pandas_xlsx(path: str) -> None:
    import pandas as pd

    pd.read_excel(path, engine="openpyxl", dtype=str)


def click_help(_: str) -> None:
    """A lazy click program of as many commands that prints its help."""
    import click

    program = click.Group("program")
    for number in range(14):
        program.add_command(click.Command(f"command-{number}", short_help="Something that it does."))
    program.main(["--help"], standalone_mode=False)


def nothing(_: str) -> None:
    """The interpreter alone."""


def xlsxwriter_again(path: str) -> None:
    """Write the cells of a workbook anew, with xlsxwriter and nothing else. The reading is not counted."""
    import time

    import xlsxwriter
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    sheets = [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book]
    began = time.perf_counter()
    written = xlsxwriter.Workbook(f"{path}.again.xlsx", {"constant_memory": True, "strings_to_formulas": False})
    for title, rows in sheets:
        sheet = written.add_worksheet(title[:31])
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif isinstance(value, int | float):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, str(value))
    written.close()
    print(json.dumps({"seconds": time.perf_counter() - began}))


def post_raw(path: str, *, port: int, concurrency: int, limit: int) -> None:
    """POST the lines of a file over plain sockets: the least that Python can spend on a request."""
    bodies = Path(path).read_bytes().splitlines()[:limit]
    asyncio.run(_post_all(iter(bodies), port, concurrency))


async def _post_all(bodies: Iterator[bytes], port: int, concurrency: int) -> None:
    loop = asyncio.get_running_loop()
    clients = [_Client(bodies, loop.create_future()) for _ in range(concurrency)]
    for client in clients:
        await loop.create_connection(partial(_itself, client), "127.0.0.1", port)
    for client in clients:
        client.next()
    await asyncio.gather(*(client.done for client in clients))


def _itself(client: _Client) -> _Client:
    return client


class _Client(asyncio.Protocol):
    """One connection that sends the next body as soon as it has a whole answer."""

    def __init__(self, bodies: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self.done = done
        self._bodies = bodies
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def next(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._transport.write(
            b"POST /invoice HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, rest = self._received.partition(b"\r\n\r\n")
        if mark and len(rest) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self._received = b""
            json.loads(rest)
            self.next()


PARTS = {
    "pandas-csv": pandas_csv,
    "polars-xlsx": polars_xlsx,
    "calamine-xlsx": calamine_xlsx,
    "pandas-xlsx": pandas_xlsx,
    "xlsxwriter": xlsxwriter_again,
    "click": click_help,
    "nothing": nothing,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "post"])
    parser.add_argument("path", nargs="?", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--limit", type=int, default=1_000_000)
    chosen = parser.parse_args()
    if chosen.part == "post":
        post_raw(chosen.path, port=chosen.port, concurrency=chosen.concurrency, limit=chosen.limit)
    else:
        PARTS[chosen.part](chosen.path)


if __name__ == "__main__":
    main()
