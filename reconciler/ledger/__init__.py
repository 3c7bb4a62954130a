"""What we remember having done, in SQL: durable before anything is sent, and one run at a time.

SQLite in a file by default, through the standard library alone; PostgreSQL for teams, through psycopg, which is loaded
when it is needed.

**What never enters.** No secret and no file content: entries hold digests. They are keyed (HMAC-SHA-256), because a
plain hash of a short secret can be guessed.

**The key.** It comes from the environment variable `RECONCILER_KEY`, or else is 32 random bytes made with the ledger
and kept in it. The ledger always keeps a fingerprint of the key, and refuses to work with another one: every digest
would look changed, and a trigger could start twice.

* What it protects: whoever sees a report, a saved plan or a log learns nothing about content from a digest. With
  `RECONCILER_KEY` the same holds for whoever sees the ledger or a backup of it.
* What it does not protect: with a key that is kept in the ledger, whoever can read the ledger can try guesses against
  its digests. The names of agents, schedules and files, ids and times are there to read in any case. Events are
  chained by plain hashes: an edit shows, but somebody who may write can forge the whole chain anew.
* What losing it means: the digests can no longer be compared. Schedules are still found by their ids; the rest has to
  start from a new ledger, as if the old one were lost (`--accept-new-ledger`).
"""

from __future__ import annotations

from reconciler.ledger.facade import Ledger
from reconciler.ledger.lease import Lease
from reconciler.ledger.records import Event, Holder
from reconciler.model.outcome import Owner, RunRecord

__all__ = ["Event", "Holder", "Lease", "Ledger", "Owner", "RunRecord"]
