"""Edits, deletions, hidings and reactions: what one message may do to another (protocol.md §8.7).

Judged in the order of the log. A reader that judges a live copy earlier judges again when it is
stored.
"""

from dataclasses import dataclass, replace

from crypto_client.body import Body, Reference
from crypto_client.errors import ReferenceMissingError
from crypto_client.roster import ROLE_ADMIN

APPLY, KEEP = "apply", "keep"
DELETED, HIDDEN = "deleted", "hidden"


@dataclass(frozen=True)
class Reaction:
    """Who reacted how, and to which version."""

    user: bytes
    emoji: str
    c: bytes


@dataclass(frozen=True)
class Target:
    """What a device knows of one item of the log that others may refer to.

    ``versions`` holds the commitments of the original and of every edit that was applied.
    """

    device: bytes
    msg_id: bytes
    user: bytes
    is_message: bool
    versions: tuple[bytes, ...]
    gone: str | None = None
    reactions: tuple[Reaction, ...] = ()

    def reference(self) -> Reference:
        """Name the newest version, as replies and reactions do."""
        return Reference(self.device, self.msg_id, self.versions[-1])

    def origin(self) -> Reference:
        """Name the message itself, as edits, deletions and hidings do."""
        return Reference(self.device, self.msg_id, self.versions[0])


@dataclass(frozen=True)
class Author:
    """Who refers: the account and its role in the room at that point of the log."""

    user: bytes
    role: int


@dataclass(frozen=True)
class Verdict:
    """``apply`` with the target as it is from now on, or ``keep`` until the target is known."""

    verdict: str
    target: Target | None


def _ignore(unless: object, why: str) -> None:
    if not unless:
        raise ReferenceMissingError(why)


def _is_named(target: Target | None, reference: Reference) -> bool:
    # An id is unique only within a device: mallory may use alice's for a message of her own.
    name = (reference.device, reference.msg_id)
    return target is not None and (target.device, target.msg_id) == name


def judge_reference(body: Body, c: bytes, author: Author, target: Target | None) -> Verdict:
    """Say what a body with a ``target`` does; ``c`` is the commitment of the message it is in.

    ``target`` is what is known under the named device and id. A reference that breaks the rules
    is refused as ``reference``: it is ignored and counted, never an error of the message.
    """
    if body.target is None:
        raise ValueError("a body that refers to nothing")
    if target is None or not _is_named(target, body.target):
        return Verdict(KEEP, None)
    _ignore(target.is_message, "only messages are referred to")
    _ignore(target.gone is None or (target.gone, body.type) == (HIDDEN, "delete"), "it is gone")
    names = target.versions if body.type == "reaction" else target.versions[:1]
    _ignore(body.target.c in names, "another version than any that is known")
    return Verdict(APPLY, _ACTS[body.type](body, c, author, target))


def _edit(body: Body, c: bytes, author: Author, target: Target) -> Target:
    _ignore(author.user == target.user, "everybody edits their own")
    _ignore(body.members["rev"] == len(target.versions), "a revision that is not the next one")
    return replace(target, versions=(*target.versions, c))


def _delete(body: Body, c: bytes, author: Author, target: Target) -> Target:
    _ignore(author.user == target.user, "everybody deletes their own")
    return replace(target, gone=DELETED, reactions=())


def _hide(body: Body, c: bytes, author: Author, target: Target) -> Target:
    _ignore(author.role == ROLE_ADMIN, "only an admin hides")
    return replace(target, gone=HIDDEN, reactions=())


def _react(body: Body, c: bytes, author: Author, target: Target) -> Target:
    emoji = str(body.members["emoji"])
    others = tuple(
        reaction
        for reaction in target.reactions
        if (reaction.user, reaction.emoji) != (author.user, emoji)
    )
    if not body.members["set"] or body.target is None:
        return replace(target, reactions=others)
    return replace(target, reactions=(*others, Reaction(author.user, emoji, body.target.c)))


_ACTS = {"edit": _edit, "delete": _delete, "hide": _hide, "reaction": _react}


@dataclass(frozen=True)
class Quote:
    """What a reply shows of its target: ``keep`` while unknown, whether it was edited since."""

    verdict: str
    edited_since: bool


def judge_reply(reply: Reference, target: Target | None) -> Quote:
    """Say what a reply quotes; ``reference`` when it quotes what nobody wrote.

    A reply is shown whatever comes out: only the quote above it is not.
    """
    if target is None or not _is_named(target, reply):
        return Quote(KEEP, edited_since=False)
    _ignore(target.is_message, "only messages are quoted")
    _ignore(target.gone is None, "it is gone")
    _ignore(reply.c in target.versions, "another version than any that is known")
    return Quote(APPLY, edited_since=reply.c != target.versions[-1])


def why_gone(target: Target | None, *, expired: bool) -> str:
    """Say who removed a message whose sealed bytes the server no longer has.

    ``author``, ``admin``, ``expired``, or ``server``: by nobody who may, and shown as such.
    """
    if target is not None and target.gone is not None:
        return "author" if target.gone == DELETED else "admin"
    return "expired" if expired else "server"


def edit_of(target: Reference, text: str, *, rev: int) -> dict[str, object]:
    """Give the members of a body that replaces a text; ``rev`` counts its edits from 1."""
    return {"type": "edit", "target": target.members(), "rev": rev, "text": text}


def deletion_of(target: Reference) -> dict[str, object]:
    """Give the members of a body that takes an own message back."""
    return {"type": "delete", "target": target.members()}


def hiding_of(target: Reference) -> dict[str, object]:
    """Give the members of a body by which an admin hides a message."""
    return {"type": "hide", "target": target.members()}


def reaction_to(target: Reference, emoji: str, *, is_set: bool) -> dict[str, object]:
    """Give the members of a body that sets or clears a reaction."""
    return {"type": "reaction", "target": target.members(), "emoji": emoji, "set": is_set}
