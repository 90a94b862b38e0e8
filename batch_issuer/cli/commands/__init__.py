"""The commands, one file each (`ledger` a folder); `cli/program.py` lists them and imports one when it is called.

Each has its options and one function `command` that tells its story: settings, files, plan, send, reconcile, say. What
several of them need is beside this folder (`session`, `planning`, `connecting`, `ending`), and how it looks is in
`cli/screen`; no command imports another.

- `check`, `issue`, `retry`, `refresh`: the files and what becomes of them.
- `cancel`, `download`: documents that are issued.
- `reconcile`, `report`, `note`, `sign_off`: what became of every row, and who answers for it.
- `ledger/`: show, export, verify, and the copies (backup, restore).
- `doctor`, `rules`, `template`, `demo`, `sandbox`: beside the daily work.
"""
