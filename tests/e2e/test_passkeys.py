"""A passkey brings everything back to a browser that was emptied."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

PROFILES = ("solo",)

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Named:
    """The same server by a name: browsers bind passkeys to names, not to numbers."""

    address: str


@pytest.fixture
def erin(door, site):
    """Somebody who comes by the server's name."""
    number = site.address

    class ByName:
        address = number.replace("127.0.0.1", "localhost")

        def entrance_of(self, name):
            return Named(self.address)

    return door.visitor(ByName(), "erin").sign_up()


def plug_in(person, **changes):
    """Give a person's browser an authenticator; gives the browser's own account of it."""
    session = person.context.new_cdp_session(person.page)
    session.send("WebAuthn.enable")
    options = {**AUTHENTICATOR, "hasPrf": True, **changes}
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, answer["authenticatorId"]


def add_passkey(person, words):
    person.show("Me")
    person.button("Add a passkey").click()
    dialog = person.dialog("Add a passkey")
    dialog.get_by_label("Recovery key").fill(words)
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("button", name="Make a passkey").click()
    return dialog


def passkeys_of(person):
    return person.page.locator("gamrae-me-passkeys li")


def come_back_empty(person):
    """Erase everything in this browser, sign out, and sign in again with the password."""
    person.show("Me")
    person.button("Sign out").click()
    person.page.get_by_role("button", name="Erase and sign out").click()
    expect(person.page).not_to_have_url(f"{person.site.address}/me")
    person.sign_in()
    expect(person.page.locator("gamrae-app[data-phase=no_keys_here]")).to_have_count(1)


def test_a_passkey_opens_an_empty_browser_which_reads_the_past_and_talks(erin, person):
    bob = person("bob")
    erin.befriend(bob)
    erin.open_direct("bob")
    erin.say("before")
    erin.expect_stored("before")
    words = erin.write_down()
    session, authenticator = plug_in(erin)
    add_passkey(erin, words)
    expect(passkeys_of(erin)).to_have_count(1)
    credentials = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})
    assert [kept["rpId"] for kept in credentials["credentials"]] == ["localhost"]

    come_back_empty(erin)
    erin.button("Use a passkey").click()

    erin.expect_chat()
    erin.enter("bob")
    erin.expect_reads("before")
    erin.say("after")
    erin.expect_stored("after")
    bob.enter("erin")
    expect(bob.bubble("after")).to_have_count(1)
    erin.show("Me")
    expect(passkeys_of(erin)).not_to_contain_text("not used yet")


def test_an_authenticator_that_opens_nothing_is_told_of_and_not_kept(erin):
    words = erin.write_down()
    plug_in(erin, hasPrf=False)

    dialog = add_passkey(erin, words)

    expect(dialog.get_by_role("alert")).to_contain_text("cannot make a passkey")
    dialog.get_by_role("button", name="Close").click()
    expect(passkeys_of(erin)).to_have_count(0)
