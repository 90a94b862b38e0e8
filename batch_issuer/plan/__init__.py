"""What a run would do, worked out before anything is done.

The room hides how a document of the files is told from one that was issued before. It is pure: of the ledger it asks
questions through small protocols, it writes nothing and sends nothing. It may use `model`, `settings`, `reading`,
`rules`, and of `provider` how a document is encoded and the reasons that it gives.

- `prepare`            files examined and encoded: candidates, held back, notes; and what the ledger is told of them
- `judge`              inside of it: every document of a batch, one after the other
- `customers`          customers that the files tell in two ways
- `touched_customers`  customers whose stored data a run would change at the provider
- `plan`               what to do with each candidate, given what the ledger has of it
- `recognise`          which sales the ledger has already, under whatever reference
- `doubts`             what may be doubted about that, and how a person is asked
- `files_again`        whether a file is an earlier one that comes again
- `lookalikes`         sales that look like others: only told
- `credit_notes`       which note may go, which waits, and never more than its CCF has left
- `cancel`             what cancelling a document would mean
"""
