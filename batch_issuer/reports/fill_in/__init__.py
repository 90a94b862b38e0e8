"""The workbook to fill in, for who has no export of sales: headings, lists, an example and instructions.

The room hides xlsxwriter. Which fields it has, with headings, notes and limits, stands in `model/fields.py`.

- `template`: the workbook, sheet by sheet
- `columns`: the fields that have a column, from left to right
- `lists`: what may be chosen, and the formulas that follow a choice
- `example`: the documents of the example sheet, which are never issued
"""
