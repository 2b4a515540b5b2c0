"""mallory, signed in, sees nothing; who is suspended is out at once."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

RAW_SOCKET = """([room]) => new Promise((resolve) => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws/');
  const heard = [];
  const asked = [
    { event: 'sync', ref: 'sync', rooms: { [room]: 0 } },
    { event: 'heads', ref: 'heads' },
    { event: 'cursor.move', ref: 'cursor', room_id: room, read_to: 1 },
    { event: 'message.send', ref: 'send', room_id: room, envelope: 'AAAA' },
  ];
  socket.onmessage = ({ data }) => {
    heard.push(JSON.parse(data));
    if (heard.length === 1) for (const frame of asked) socket.send(JSON.stringify(frame));
    if (heard.length === 1 + asked.length) { socket.close(); resolve(heard); }
  };
})"""


@pytest.fixture
def secret_room(alice, bob):
    """The id of a room of alice and bob in which something was said."""
    alice.make_group("garden", "bob")
    alice.say("the key lies under the pot")
    alice.expect_stored("the key lies under the pot")
    return alice.room_id


def test_a_stranger_sees_no_room_on_any_page(secret_room, alice, mallory):
    alice.page.reload()
    alice.expect_reads("the key lies under the pot")

    mallory.watch.expect("status of 404")
    mallory.go(f"/rooms/{secret_room}")

    expect(mallory.page.get_by_text("Chat not found").last).to_be_visible()
    expect(mallory.page.locator("body")).not_to_contain_text("garden")
    expect(mallory.page.locator("body")).not_to_contain_text("under the pot")


OF_A_ROOM = ["", "/commits?after=-1", "/prekeys", "/wraps?after=-1"]
OF_A_ROOM += ["/history-records?after=-1", "/items?after=0"]


def test_a_stranger_gets_nothing_from_the_api(secret_room, alice, mallory):
    addresses = [f"/api/rooms/{secret_room}{path}" for path in OF_A_ROOM]
    assert {alice.fetch(address)["status"] for address in addresses} == {200}

    mallory.watch.expect("status of 40[34]")
    answers = [json.loads(mallory.fetch(address)["body"]) for address in addresses]

    # Some ask for a proved device first; then what is not yours is not there.
    assert {answer["code"] for answer in answers} <= {"device_required", "not_found"}
    assert secret_room not in mallory.fetch("/api/rooms")["body"]


def test_a_raw_socket_without_a_proved_device_is_told_nothing(secret_room, mallory):
    heard = mallory.page.evaluate(RAW_SOCKET, [secret_room])

    assert heard[0]["event"] == "hello"
    assert {frame["event"] for frame in heard[1:]} == {"error"}
    assert {frame["code"] for frame in heard[1:]} == {"device_required"}


@pytest.fixture
def mod(site, visitor):
    """The operator, signed in to the admin."""
    mod = visitor("mod")
    names = ("--email", mod.email, "--nickname", "mod")
    site.manage("createsuperuser", "--noinput", *names, DJANGO_SUPERUSER_PASSWORD=mod.password)
    mod.sign_in()
    mod.expect_chat()
    return mod


def choose_in_admin(mod, person, action):
    """Tick somebody in the admin's list of people and do something to them."""
    mod.go(f"/admin/accounts/user/?q={person.email}")
    mod.page.locator("input.action-select").check()
    mod.page.locator("select[name=action]").select_option(action)
    mod.page.locator("button[name=index]").click()
    expect(mod.page.locator(".messagelist")).to_be_visible()


def test_a_suspended_person_is_out_within_two_seconds_and_stays_out(person, mod):
    alice = person("alice")
    alice.watch.expect("status of 40[13]|WebSocket connection to")

    choose_in_admin(mod, alice, "suspend")
    began = time.monotonic()
    expect(alice.page.get_by_role("heading", name="You are signed out")).to_be_visible()

    assert time.monotonic() - began < 2
    alice.sign_in()
    expect(alice.page.locator(".tabs")).to_have_count(0)
    assert alice.fetch("/api/me")["status"] in {401, 403}
    choose_in_admin(mod, alice, "restore")
    alice.go("/rooms")
    alice.expect_chat()


def test_the_admin_shows_rooms_and_people_and_no_content(secret_room, alice, mod):
    mod.go(f"/admin/accounts/user/?q={alice.email}")
    expect(mod.page.locator("#result_list")).to_contain_text(alice.email)

    mod.go("/admin/")
    pages = mod.page.locator("#content-main a[href*='/admin/']").evaluate_all(
        "links => links.map((link) => new URL(link.href).pathname)"
    )

    assert any("room" in page for page in pages)
    for page in pages:
        mod.go(page)
        shown = mod.page.content()
        assert "under the pot" not in shown
        assert not re.search(r"\bgarden\b", shown)
