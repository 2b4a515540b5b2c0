"""Comparing a safety number, the mark on every own browser, and names of devices."""

import json
import re
import uuid
from typing import Any

from playwright.sync_api import expect

from crypto_client.client.server import b64
from crypto_client.device_list import first_device_list
from crypto_client.identity import new_account, new_device
from crypto_client.vectors.cast import NOW


def compare(person, other):
    """Open the screen on which the number stands."""
    person.show("Friends")
    person.friend(other).click()
    profile = person.dialog(f"Profile of {other}")
    profile.get_by_role("button", name="Compare safety number").click()
    dialog = person.dialog(f"Compare the safety number with {other}")
    expect(dialog.locator(".digits").first).to_have_text(re.compile(r"^(\d{5}\s+){11}\d{5}\s*$"))
    return dialog


def close(person):
    for _ in range(2):
        person.page.keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).to_have_count(0)


def test_two_friends_compare_and_one_of_them_marks_it(alice, bob, elsewhere):
    hers, his = compare(alice, bob.name), compare(bob, alice.name)
    shown = [dialog.locator(".digits").all_inner_texts() for dialog in (hers, his)]
    assert shown[0][0] == shown[1][0]
    assert shown[0][1:] == shown[1][:0:-1]
    for dialog in (hers, his):
        dialog.locator("summary").click()
    drawn = [dialog.locator("svg.qr path").get_attribute("d") for dialog in (hers, his)]
    assert drawn[0] == drawn[1]

    hers.get_by_role("button", name="It is the same").click()
    expect(hers).to_have_count(0)
    expect(alice.dialog(f"Profile of {bob.name}")).to_contain_text("Verified")
    close(alice)
    close(bob)

    expect(alice.friend(bob.name)).to_contain_text("Verified")
    expect(bob.friend(alice.name)).not_to_contain_text("Verified")
    alice.open_direct(bob.name)
    expect(alice.page.locator(".room-head")).to_contain_text("Verified")
    words = alice.write_down()
    laptop = elsewhere(alice)
    laptop.restore(words)
    laptop.show("Friends")
    expect(laptop.friend(bob.name)).to_contain_text("Verified")
    laptop.show("Chats")
    expect(laptop.page.locator("a.room-row")).to_have_count(1)


def test_a_device_is_renamed_on_one_browser_and_has_its_name_on_the_other(alice, elsewhere):
    words = alice.write_down()
    laptop = elsewhere(alice)
    laptop.restore(words)

    laptop.show("Me")
    laptop.button("Rename “This device”").click()
    dialog = laptop.dialog("Name of the device")
    dialog.get_by_label("Name").fill("Kitchen laptop")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(laptop.page.locator("li.device").filter(has_text="Kitchen laptop")).to_have_count(1)

    alice.show("Me")
    expect(alice.page.locator("li.device").filter(has_text="Kitchen laptop")).to_have_count(1)
    alice.show("Chats")
    expect(alice.page.locator("a.room-row")).to_have_count(0)


def impostor_of(user: uuid.UUID) -> dict[str, Any]:
    """Keys that somebody else has made under a user id, as the server would hand them out."""
    account = new_account(user.bytes)
    keys = new_device(user.bytes, account.public, NOW)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))
    row = {"version": 1, "device_list": b64(devices.data), "list_sig": b64(devices.sig)}
    return {"account_key": b64(account.public), "lists": [row], "prekeys": []}


def test_a_verified_friend_with_another_key_is_a_bar_that_nobody_overlooks(alice, bob):
    alice.open_direct(bob.name)
    room = alice.room_id
    compare(alice, bob.name).get_by_role("button", name="It is the same").click()
    close(alice)
    user = uuid.UUID(json.loads(bob.fetch("/api/me")["body"])["user_id"])
    answer = json.dumps({"user_id": str(user), **impostor_of(user)})
    alice.context.route(
        f"**/api/users/{user}/keys*",
        lambda route: route.fulfill(body=answer, content_type="application/json"),
    )

    dialog = compare(alice, bob.name)
    expect(dialog.get_by_role("button", name="Go on without comparing")).to_be_visible()
    close(alice)

    alert = alice.page.get_by_role("alert").filter(
        has_text=f"The account of {bob.name} has changed"
    )
    alice.friend(bob.name).click()
    expect(alert).to_be_visible()
    close(alice)
    expect(alice.friend(bob.name)).not_to_contain_text("Verified")
    alice.enter(bob.name)
    expect(alert).to_be_visible()
    assert alice.room_id == room
    alert.get_by_role("button", name="Compare safety number").click()
    alice.dialog(f"Compare the safety number with {bob.name}").get_by_role(
        "button", name="It is the same"
    ).click()
    # The key log does not name the false list: no click takes it in.
    expect(alice.page.locator("gamrae-compare .problem")).to_be_visible()
