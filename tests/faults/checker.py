"""Counts what was lost, doubled or out of order, in the log and for everybody who looks.

The sets are Jepsen's: attempted ⊇ log ⊇ accepted ∪ stored. Clients send again until a message is
stored, so at the end nothing that was attempted may be missing, whatever its sender was told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.journal import Sent

Room = bytes
Message = bytes


@dataclass(frozen=True)
class Row:
    """A message in its place: in the log, or as somebody's client shows it (then it was opened)."""

    seq: int | None
    message: Message
    text: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Numbers of messages; everything from ``lost`` on is 0 for a server that keeps its word."""

    attempted: int
    accepted: int
    stored: int
    lost: int
    duplicated: int
    disordered: int
    unexpected: int
    unreadable: int

    @property
    def is_clean(self) -> bool:
        """Every promise was kept."""
        broken = (self.lost, self.duplicated, self.disordered, self.unexpected, self.unreadable)
        return broken == (0, 0, 0, 0, 0)


Logs = Mapping[Room, Sequence[Row]]
Views = Mapping[str, Logs]


def judge(
    sent: Iterable[Sent], logs: Logs, views: Views, members: Mapping[Room, set[str]]
) -> Verdict:
    """Compare everything with everything; ``logs`` are read from the store itself."""
    sent = list(sent)
    kept = {row.message for rows in logs.values() for row in rows}
    seen = [
        (sent_by_id(sent), logs.get(room, ()), views[who].get(room, ()))
        for room, people in members.items()
        for who in people
    ]
    return Verdict(
        attempted=len(sent),
        accepted=sum(bool(each.accepted) for each in sent),
        stored=len(kept),
        lost=sum(each.message not in kept for each in sent) + sum(_missing(*s[1:]) for s in seen),
        duplicated=sum(map(_doubled, logs.values())) + sum(_doubled(view) for *_, view in seen),
        disordered=sum(map(_displaced, logs.values())) + sum(_moved(*s[1:]) for s in seen),
        unexpected=len(kept - {each.message for each in sent}),
        unreadable=sum(_changed(texts, view) for texts, _, view in seen),
    )


def sent_by_id(sent: Iterable[Sent]) -> dict[Message, str]:
    """The text of each message as it was written."""
    return {each.message: each.text for each in sent}


def _missing(log: Sequence[Row], view: Sequence[Row]) -> int:
    shown = {row.message for row in view}
    return sum(row.message not in shown for row in log)


def _doubled(rows: Sequence[Row]) -> int:
    return sum(times - 1 for times in Counter(row.message for row in rows).values())


def _displaced(log: Sequence[Row]) -> int:
    """Rows of a log that do not stand behind the one before them."""
    seqs = [row.seq or 0 for row in log]
    return sum(later <= earlier for earlier, later in pairwise(seqs))


def _moved(log: Sequence[Row], view: Sequence[Row]) -> int:
    """Messages that somebody sees in another place than the log has them, or in none."""
    places = {row.message: row.seq for row in log}
    elsewhere = sum(row.seq != places.get(row.message) for row in view)
    seqs = [row.seq or 0 for row in view]
    return elsewhere + sum(b <= a for a, b in pairwise(seqs))


def _changed(texts: Mapping[Message, str], view: Sequence[Row]) -> int:
    """Messages that did not open, or not as what was written."""
    return sum(row.text != texts.get(row.message, row.text) or row.text is None for row in view)
