"""The report as a workbook, with control totals that can be followed by formula; and rows of the ledger as a sheet.

The room hides xlsxwriter, and openpyxl in `export`.

- `workbook`: the file: its tables on their sheets, the same bytes for the same figures
- `sheets`: which tables there are, in the order of the page; their columns come out of `reports/columns.py`
- `summary`: the first sheet, with formulas over the others
- `export`: rows of the ledger as one flat sheet, for `ledger export` and lists that a command writes into a file
"""
