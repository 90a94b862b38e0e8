"""The rows of all sheets to documents. `Sales` is the door; it is the `Batch` that the room gives.

It uses `sheets` (what each gives), `cells`, `headings`, `tables`, `batch` and `kinds`. Hidden here: that a document is
built only when somebody asks for it, a block at a time, from columns.

- `sales`: the batch: its documents, each with its problems
- `rows`: where each row stands, and what its owner wrote there
- `grouping`: which rows make which document, and its value of each header field
- `alike`: references that a person would take for one another
- `whole`: what the rows of one document say against each other, or against another's
- `sums`: the sums of all documents' lines at once
- `lines`: the lines of one document, made when they are asked for
- `prices`: whether prices include VAT, by type of document
"""
