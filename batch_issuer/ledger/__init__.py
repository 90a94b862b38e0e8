"""The file that remembers every intent and every answer.

The room hides SQLite: SQL is spoken only here, and everything comes out as values of `model`, or as a `Stop` with a
sentence. It may use `model`, `messages` and `files`. What is told to it is durable before it says so, and is never
changed afterwards: events follow each other in a chain of hashes, and the state of each document is what its events
say.

- `schema`     the tables, how a file is opened, and what SQLite's complaints mean
- `rows`       events, documents and runs as rows of the tables, and back
- `opening`    how a ledger is opened: to read by anyone, to write by one run per company
- `lock`       the lock that lets one run per company write
- `store`      the writing half: `Ledger.append`, all or nothing, durably
- `proofs`     inside of an append: one stamp, code or number proves one document
- `questions`  the reading half, of documents
- `history`    the reading half, of events and runs
- `writer`     the thread that gathers what a run tells, and commits it together
- `verify`     whether the ledger is what was written, and the state made anew of the events
- `export`     rows for other programs, and a consistent copy
- `restore`    a backup in the ledger's place
"""
