"""The runs that write the ledger, and the sending behind them: the only way to issue, ask, cancel and download.

Hidden here: how many requests are under way at once, how long a run is patient, what is written before and after each
request, and what is asked when an answer is lost. The command line calls a function of `commands`, `download` or
`watch`, and gets back how the run ended; what became of each document it finds in the ledger.

From the outside in:

- `commands/`: `issue`, `retry`, `refresh`, `cancel` and `recheck`: what each chooses, and in which order it sends.
- `run`: one run: the key, the event that begins it, the event loop, signals, the event that ends it.
- `guards`, `keys`: whose key it is, and what stands before the first documents; `forgotten`: what an older copy of a
  ledger does not know is looked up before it is sent.
- `credit_notes`, `owing`: notes wait for their CCF, and what happened to one document makes another be looked at.
- `crew`: puts together those who work on a run: `issue`, `ask` and `cancel`, each over one `courier` and one `journal`.
- `courier`: the window, pauses, the budget of retries, and what ends a run; it knows no document.
- `journal`: what a run writes: intents before, answers and doubts after; `progress`: what it counts.
- `download` and `filing`: files of documents, and the folders they lie in; `recheck`: a status against what is settled.
- `watch`: short runs again and again; `live_catalogs`: the provider's catalogs beside the ledger; `naming`: documents
  by what people call them.

It may use `model`, `messages`, `settings`, `files`, `plan`, `provider`, `ledger` and of `rules` the catalogs. It is
used by the command line, `doctor` and the demonstration, and by signing for the doubts about whose document it is.

Three promises are kept here, and held by `tests/promises`: an intent is durable before its first byte leaves; what may
have arrived is asked about before it is sent again; no state is claimed that the provider did not give.
"""
