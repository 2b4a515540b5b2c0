"""Refusals of a commit, each by the one name that docs/protocol.md (1.4) has for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.protocol import SUITE, Malformed
from accounts.refusals import Refused


class CommitRefused(Refused):
    """A commit breaks a rule that the server can see; ``outcome`` names the rule."""

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome
        super().__init__("commit_refused", outcome=outcome)


def demand(holds: bool, outcome: str) -> None:
    """Refuse the commit with ``outcome`` unless the rule holds."""
    if not holds:
        raise CommitRefused(outcome)


@contextmanager
def parsing() -> Iterator[None]:
    """Turn malformed bytes into the outcome ``parse``."""
    try:
        yield
    except Malformed as error:
        raise CommitRefused("parse") from error


def demand_suite(fields: list[bytes]) -> None:
    """Refuse another suite than ours in the second field; a wrong length of it is `Malformed`."""
    if len(fields) < 2 or len(fields[1]) != 1:
        raise Malformed("no suite")
    demand(fields[1][0] == SUITE, "suite")
