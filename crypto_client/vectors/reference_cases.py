"""Vectors of docs/protocol.md §8.3 and §8.7: what one message may do to another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from crypto_client.body import Reference, text_body
from crypto_client.encoding import dump_json
from crypto_client.encoding import encode_base64url as b64
from crypto_client.primitives import h
from crypto_client.references import (
    DELETED,
    HIDDEN,
    Author,
    Reaction,
    Target,
    deletion_of,
    edit_of,
    hiding_of,
    reaction_to,
)
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import person
from crypto_client.vectors.replay_references import target_in


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    garden = _Garden()
    groups = (
        garden.edits(),
        garden.removals(),
        garden.reactions(),
        garden.others(),
        garden.shapes(),
        garden.replies(),
    )
    for group in groups:
        yield from (("reference", case) for case in group)


def _c(name: str) -> bytes:
    return h("vector", name.encode())


class _Garden:
    """Bob's message, edited once; alice is the admin, mallory a member."""

    def __init__(self) -> None:
        self.alice, self.bob, self.mallory = person("alice"), person("bob"), person("mallory")
        bob = self.bob
        self.plain = Target(bob.keys.device, b"\x01" * 16, bob.user, True, (_c("first"),))
        self.edited = replace(self.plain, versions=(_c("first"), _c("second")))
        self.origin, self.newest = self.edited.origin(), self.edited.reference()
        self.by_bob, self.by_mallory = Author(bob.user, 1), Author(self.mallory.user, 1)
        self.by_alice = Author(self.alice.user, 2)

    def case(
        self,
        name: str,
        comment: str,
        body: Mapping[str, Any],
        author: Author,
        target: Target | None,
        expect: str = "ok",
    ) -> Case:
        """Let somebody refer to a message."""
        given = {
            "body": b64(dump_json(body)),
            "c": b64(_c("this")),
            "author": {"user": b64(author.user), "role": author.role},
            "target": target_in(target),
        }
        return Case(name, comment, "8.7", "reference", given, expect)

    def edits(self) -> Iterator[Case]:
        """Who edits what, and in which order."""
        case, origin, plain, edited = self.case, self.origin, self.plain, self.edited
        bob, mallory, alice = self.by_bob, self.by_mallory, self.by_alice
        first, second = edit_of(origin, "a", rev=1), edit_of(origin, "b", rev=2)
        yield case("edit", "the author", first, bob, plain)
        # An account is what counts: the device that edits is no part of the question.
        why = "any device of the author's account"
        yield case("edit-by-other-device-same-account", why, second, bob, edited)
        yield case("edit-by-other-account", "not the author", first, mallory, plain, "reference")
        yield case("edit-by-admin", "an admin hides, at most", first, alice, plain, "reference")
        skipped = edit_of(origin, "c", rev=3)
        yield case("edit-rev-skipped", "one is missing", skipped, bob, edited, "reference")
        yield case("edit-rev-repeated", "the first one counts", first, bob, edited, "reference")
        by_newest = edit_of(self.newest, "b", rev=2)
        yield case("edit-names-an-edit", "it names the original", by_newest, bob, edited,
                   "reference")  # fmt: skip
        silent = replace(plain, is_message=False)
        yield case("edit-of-an-edit", "only messages", first, bob, silent, "reference")
        for gone in (DELETED, HIDDEN):
            target = replace(plain, gone=gone)
            yield case(f"edit-of-{gone}", "it is gone", first, bob, target, "reference")

    def removals(self) -> Iterator[Case]:
        """Who takes what back."""
        case, plain, edited = self.case, self.plain, self.edited
        bob, mallory, alice = self.by_bob, self.by_mallory, self.by_alice
        delete, hide = deletion_of(self.origin), hiding_of(self.origin)
        hidden, deleted = replace(plain, gone=HIDDEN), replace(plain, gone=DELETED)
        seen = replace(edited, reactions=(Reaction(self.alice.user, "👍", self.newest.c),))
        yield case("delete", "the author; reactions go with it", delete, bob, seen)
        yield case("delete-by-other", "not the author", delete, mallory, plain, "reference")
        yield case("delete-by-admin", "an admin hides", delete, alice, plain, "reference")
        yield case("delete-of-hidden", "the author may still", delete, bob, hidden)
        yield case("delete-again", "nothing is left", delete, bob, deleted, "reference")
        yield case("hide", "an admin", hide, alice, edited)
        yield case("hide-by-member", "no admin", hide, mallory, plain, "reference")
        yield case("hide-by-author", "a member deletes", hide, bob, plain, "reference")
        yield case("hide-of-deleted", "nothing is left", hide, alice, deleted, "reference")
        other = deletion_of(Reference(plain.device, plain.msg_id, _c("other")))
        yield case("delete-C-mismatch", "another text", other, bob, plain, "reference")

    def reactions(self) -> Iterator[Case]:
        """Set, cleared, repeated."""
        case, plain, edited, mallory = self.case, self.plain, self.edited, self.by_mallory
        yield case("reaction", "to what she saw", reaction_to(self.newest, "👍", is_set=True),
                   mallory, edited)  # fmt: skip
        older = reaction_to(self.origin, "👍", is_set=True)
        yield case("reaction-to-older-version", "and the screen says so", older, mallory, edited)
        mine = Reaction(mallory.user, "👍", self.origin.c)
        others = Reaction(self.bob.user, "👍", self.origin.c)
        both = replace(plain, reactions=(mine, others))
        clear = reaction_to(self.origin, "👍", is_set=False)
        yield case("reaction-cleared", "one's own alone", clear, mallory, both)
        yield case("reaction-cleared-unset", "nothing was there", clear, mallory, plain)
        yield case("reaction-again", "once for each account", older, mallory, both)
        heart = reaction_to(self.origin, "❤️", is_set=True)
        yield case("reaction-another", "two of one account", heart, mallory, both)
        unseen = reaction_to(Reference(plain.device, plain.msg_id, _c("x")), "👍", is_set=True)
        yield case("reaction-C-mismatch", "to a text that nobody wrote", unseen, mallory, edited,
                   "reference")  # fmt: skip
        gone = replace(plain, gone=DELETED)
        yield case("reaction-to-tombstone", "it is gone", older, mallory, gone, "reference")

    def others(self) -> Iterator[Case]:
        """Targets that are not there, and bodies that refer to nothing."""
        case, plain, bob = self.case, self.plain, self.by_bob
        edit = edit_of(self.origin, "a", rev=1)
        yield case("ref-unknown", "kept until it comes", edit, bob, None)
        theirs = Target(
            self.mallory.keys.device, plain.msg_id, self.mallory.user, True, (_c("theirs"),)
        )
        why = "an id is unique only within a device"
        yield case("ref-same-msgid-other-device", why, edit, bob, theirs)
        yield case("ref-other-id", "another message", edit, bob, replace(plain, msg_id=bytes(16)))
        later = {"type": "poll", "target": edit["target"]}
        yield case("ref-unknown-type", "reload to read", later, bob, plain)

    def shapes(self) -> Iterator[Case]:
        """Bodies that are not what their type says."""
        edit = edit_of(self.origin, "a", rev=1)
        reaction = reaction_to(self.origin, "👍", is_set=True)
        target = self.origin.members()
        rows: list[tuple[str, str, Mapping[str, Any]]] = [
            ("edit-without-target", "of what?", {"type": "edit", "rev": 1, "text": "a"}),
            ("edit-rev-0", "counting starts at 1", {**edit, "rev": 0}),
            ("edit-rev-text", "not a number", {**edit, "rev": "1"}),
            ("edit-without-text", "no text", {"type": "edit", "target": target, "rev": 1}),
            ("delete-target-null", "of what?", {"type": "delete", "target": None}),
            ("hide-c-31", "a short commitment",
             {"type": "hide", "target": {**target, "c": b64(bytes(31))}}),
            ("delete-id-17", "a long id",
             {"type": "delete", "target": {**target, "id": b64(bytes(17))}}),
            ("reaction-empty", "no emoji", {**reaction, "emoji": ""}),
            ("reaction-65", "too long", {**reaction, "emoji": "e" * 65}),
            ("reaction-set-1", "neither true nor false", {**reaction, "set": 1}),
            ("reaction-set-missing", "set or cleared?",
             {"type": "reaction", "target": target, "emoji": "👍"}),
        ]  # fmt: skip
        for name, comment, body in rows:
            yield self.case(name, comment, body, self.by_bob, self.plain, "body")

    def replies(self) -> Iterator[Case]:
        """What a reply quotes."""
        plain, edited = self.plain, self.edited
        unseen = Reference(plain.device, plain.msg_id, _c("x"))
        rows: list[tuple[str, str, Reference, Target | None, str]] = [
            ("reply", "to the newest version", self.newest, edited, "ok"),
            ("reply-edited-since", "to the one before", self.origin, edited, "ok"),
            ("reply-unknown", "kept until it comes", self.origin, None, "ok"),
            ("reply-C-mismatch", "words that nobody wrote", unseen, edited, "reference"),
            ("reply-to-tombstone", "it is gone", self.origin, replace(plain, gone=HIDDEN),
             "reference"),
            ("reply-to-an-edit", "only messages", self.origin, replace(plain, is_message=False),
             "reference"),
        ]  # fmt: skip
        for name, comment, reply, target, expect in rows:
            given = {"body": b64(text_body("yes", reply=reply)), "target": target_in(target)}
            yield Case(name, comment, "8.7", "reply", given, expect)
