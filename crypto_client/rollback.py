"""What a client does when the server's head is not its own (docs/protocol.md §7.5)."""

from dataclasses import dataclass

from crypto_client.epoch import RoomView
from crypto_client.errors import ForkError

SAME, FETCH, RESTORE = "same", "fetch", "restore"


@dataclass(frozen=True)
class HeadVerdict:
    """``same``, ``fetch`` what is newer, or ``restore`` these epochs to the server."""

    verdict: str
    epochs: tuple[int, ...] = ()


def judge_head(view: RoomView, served: tuple[int, bytes] | None) -> HeadVerdict:
    """Compare a server's head (epoch, commit hash; None: it has no such room) with the own view.

    Refuses ``fork`` when the server's head is no ancestor of the own one, or is older than the
    commits that this client still knows: a person has to look.
    """
    if served is None:
        return _restore(view, -1)
    epoch, commit_hash = served
    if epoch > view.epoch:
        return HeadVerdict(FETCH)
    if view.recent.get(epoch) != commit_hash:
        raise ForkError("a head that is not on the own chain")
    return HeadVerdict(SAME) if epoch == view.epoch else _restore(view, epoch)


def _restore(view: RoomView, after: int) -> HeadVerdict:
    missing = tuple(range(after + 1, view.epoch + 1))
    if any(epoch not in view.recent for epoch in missing):
        raise ForkError("the server lost more than this client knows")
    return HeadVerdict(RESTORE, missing)
