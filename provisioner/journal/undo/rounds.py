"""The undos of a journal, in the table `undos`: one row for each command, several of which can be one round.

id           its number
round        what an undo that was killed or stopped and the one that ends it have in common
permanent    whether users were to be deleted for good
started_at, finished_at   UNIX seconds; the latter is null when it was killed
good         it came to its end: whatever is undone after it is another round
summary      the JSON of its summary
"""

from __future__ import annotations

from typing import Final

ROUND: Final = "SELECT 1 + coalesce(max(round), 0) FROM undos WHERE good"
BEGIN: Final = "INSERT INTO undos (round, started_at, permanent) VALUES (:round, :now, :permanent)"
END: Final = "UPDATE undos SET finished_at = :now, good = :good, summary = :summary WHERE id = :number"
