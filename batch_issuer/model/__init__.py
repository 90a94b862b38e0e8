"""The nouns of the product: frozen values and pure functions about them. It opens no file and asks no clock but `days`.

It hides how a sum is rounded, when a day begins in El Salvador, how an event is hashed and what an event makes of a
document. It may use `messages` and nothing else of the product; every other room may use it.

- `documents`  a sale as it was read, and what each type of document is
- `fields`     the table of fields: columns, types, labels, lengths, who is personal; `money` and `amounts` the figures
- `states`     the table of states, and which of them are open, settled, issued
- `problems`   what is wrong, where, and how it is repaired, from the cell to the report
- `identity`   which sale is which; `days` today and the days of a time of the ledger
- `records`    a document as the ledger knows it, and `fold`; it gives on `events`, `answers` and `runs`
"""
