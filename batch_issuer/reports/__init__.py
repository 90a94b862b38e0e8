"""The reconciliation as a person gets it: a page, a workbook and JSON; and workbooks to correct and to fill in.

Hidden here: jinja2, xlsxwriter, and openpyxl for plain sheets. The room may use `reconcile`, and what lies below it but
the provider and `send`: a report can be made without them. Totals come from `reconcile`; what is added up here are
parts of what it gave, such as the open items of one cause.

The way of the data: `reconcile.Reconciliation` → (`masking`) → `page/`, `workbook/` and the JSON of `reconcile` →
`writing` puts the three files into their folder.

- `writing`: the door for commands: a report's three files, an earlier report read again, the workbook to fill in
- `columns`: the table of columns, for the workbook's sheets and the page's list of all documents; the breakdowns
- `tasks`: what somebody has to do, and which documents and problems that is
- `wording`: names and advice for states, causes, types and reasons
- `figures`: money, days, moments, ages and rows as they are printed; texts made safe; the fingerprint of a report
- `cells`: values into the cells of xlsxwriter
- `masking`: the same reconciliation without persons
- `replacing`: a report in the place of an older one, or a sentence that says why not
- `page/`: one HTML file
- `workbook/`: the report as a workbook, and the ledger's rows as a sheet
- `fix/`: the rows that need a hand, as a workbook to correct
- `fill_in/`: the empty workbook for who has no export of sales
"""
