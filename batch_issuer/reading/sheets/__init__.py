"""The sales of one sheet, and what the sheet says against itself. `read_sheet` is the door, `SheetSales` what it gives.

It uses `tables`, `headings`, `cells`, `own_sheets`, `batch` and `kinds`, and knows nothing of other sheets. Hidden
here: what a sheet holds beside its sales, and by what signs it says that a row is another thing than it looks.

- `sheet`: the order of the steps
- `fields`: what is handed on: fields with their values, `SheetSales`
- `rows`: which rows are sales, totals, notes, hidden
- `codes`: several columns of codes as one
- `notations`: decimal mark and order of dates, column by column, or a question
- `external_refs`: the reference of every row, from one column or several
- `repeated_rows`: rows equal to another row of their document: sold or pasted twice?
- `numbering`: references that are numbers counted from 1, and may begin anew
- `line_amounts`: the sheet's own amounts of each line against quantity × price
- `total_row`: the sheet's own total row against the sum of the rows
- `unmapped_columns`: columns without a field that may change what is issued
"""
