"""The workbook to correct: the owner's own rows of the documents that need a hand, marked, to be issued again.

The room hides xlsxwriter. It may use `reading` for the rows as they were written, `plan` and `reconcile` for what needs
a hand.

- `gather`       which documents need a hand, out of a plan or a run, and which file must not be written over
- `corrections`  their rows, with the problems of each
- `workbook`     the rows as cells, with marks, notes and a column that says what to correct
"""
