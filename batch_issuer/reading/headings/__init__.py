"""Which column is which field. It hides spelling, headings in two rows and settings; `columns.Columns` is the door.

It uses `tables`, `settings`, the model's fields, and `cells` (is this a number, a date, garbled?).

- `aliases`: the headings that are understood, and headings as they are compared
- `columns`: the row of headings, the column of each field, the columns of the reference
- `questions`: what is asked where the headings are not enough, with the lines of settings to copy
"""
