"""Draws the reports of a ledger's newest run, and says how long the page and the workbook took."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.messages import Messages
from batch_issuer.reconcile.gather import last_issue, reconcile_run
from batch_issuer.reports.page.page import write_page
from batch_issuer.reports.workbook.workbook import write_workbook
from batch_issuer.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", type=Path)
    chosen = parser.parse_args()
    settings = Settings()
    company = settings.company(None)
    ledger = open_to_read(chosen.ledger)
    reconciliation = reconcile_run(ledger, last_issue(ledger, company), company, settings)
    began = time.perf_counter()
    write_page(reconciliation, Messages("es"), Path("drawn.html"))
    drawn = time.perf_counter()
    write_workbook(reconciliation, Messages("es"), Path("drawn.xlsx"))
    print(json.dumps({"html": drawn - began, "excel": time.perf_counter() - drawn}))


if __name__ == "__main__":
    main()
