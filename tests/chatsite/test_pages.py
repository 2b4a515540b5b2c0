"""The pages that Django renders: in two languages, usable with a keyboard and a screen reader."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from chatsite.messages_catalog import HANGUL, complaints, find_texts

ROOT = Path(__file__).resolve().parents[2]
OPEN_PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/logout/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-x/",
    "/accounts/password/reset/key/done/",
    "/accounts/inactive/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/x/",
    "/nowhere",
]
OWN_PAGES = [
    "/accounts/sessions/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
]
NATIVE_NAMES = {"한국어"}


class Reader(HTMLParser):
    """Collects what a screen reader needs: labels, described controls, landmarks, texts."""

    def __init__(self, page):
        super().__init__()
        self.labels, self.controls, self.ids, self.tags, self.texts = set(), [], set(), [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids.add(found.get("id"))
        if tag == "label":
            self.labels.add(found["for"])
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden":
            self.controls.append(found)

    def handle_data(self, data):
        self.texts.append(data.strip())


def read(answer):
    return Reader(answer.content.decode())


def page_of(client, path):
    return client.get(path, follow=True)


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_a_page_for_everybody_can_be_used_by_everybody(client, db, path):
    assert_usable(page_of(client, path))


@pytest.mark.parametrize("path", OWN_PAGES)
def test_an_own_page_can_be_used_by_everybody(alice, path):
    assert_usable(page_of(alice.client, path))


def assert_usable(answer):
    page = read(answer)
    assert {"main", "header", "footer", "title", "h1"} <= set(page.tags)
    assert page.tags.count("h1") == 1
    assert "main" in page.ids
    assert {control["id"] for control in page.controls} <= page.labels
    described = " ".join(control.get("aria-describedby", "") for control in page.controls)
    assert set(described.split()) <= page.ids


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_an_english_page_holds_no_korean(client, db, path):
    client.post("/language/", {"language": "en", "next": path})
    answer = page_of(client, path)

    texts = [text for text in read(answer).texts if text not in NATIVE_NAMES]
    assert '<html lang="en">' in answer.content.decode()
    assert [text for text in texts if HANGUL.search(text)] == []


@pytest.mark.parametrize("path", OWN_PAGES)
def test_an_own_english_page_holds_no_korean(alice, path):
    alice.client.post("/language/", {"language": "en", "next": path})

    texts = read(page_of(alice.client, path)).texts
    assert [text for text in texts if HANGUL.search(text) and text not in NATIVE_NAMES] == []


@pytest.mark.parametrize("path", [*OPEN_PAGES, *OWN_PAGES])
def test_a_page_is_korean_first(alice, client, path):
    answer = page_of(alice.client if path in OWN_PAGES else client, path)
    assert '<html lang="ko">' in answer.content.decode()


def test_a_wrong_field_names_its_error_for_screen_readers(client, db):
    body = {"email": "x", "nickname": "a", "password1": "correct horse battery"}
    page = client.post("/accounts/signup/", body).content.decode()

    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_email_error"' in page
    assert re.search(
        r'<ul class="errorlist" id="id_email_error">.*이메일 주소를 바르게', page, re.S
    )


def test_the_language_switch_goes_nowhere_else(client, db):
    answer = client.post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert answer.url == "/"


def test_the_translations_are_complete():
    assert complaints(ROOT) == []
    assert len(find_texts(ROOT)) > 100


def test_a_missing_translation_is_said(tmp_path):
    (tmp_path / "chatsite" / "templates").mkdir(parents=True)
    page = '{% translate "안녕하세요" %}{% blocktranslate %}수: {{ n }}{% endblocktranslate %}'
    (tmp_path / "chatsite" / "templates" / "new.html").write_text(page)
    for language in ("ko", "en"):
        folder = tmp_path / "chatsite" / "locale" / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        folder.joinpath("django.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "옛말"\nmsgstr ""\n')

    assert complaints(tmp_path) == [
        "chatsite/templates/new.html: no English for '수: %(n)s'",
        "chatsite/templates/new.html: no English for '안녕하세요'",
        "en: nobody says '옛말'",
        "unfinished: '옛말'",
        "unfinished: '옛말'",
    ]


# The chat's own page


@pytest.fixture
def built(tmp_path, settings):
    """A front end as the build leaves it."""
    manifest = {
        "src/entries/app.ts": {
            "file": "assets/app-1.js",
            "integrity": "sha384-app",
            "imports": ["_shared-2.js"],
            "css": ["assets/app-3.css"],
        },
        "_shared-2.js": {"file": "assets/shared-2.js", "integrity": "sha384-shared"},
        "assets/app-3.css": {"file": "assets/app-3.css", "integrity": "sha384-style"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    settings.FRONTEND_DIST = tmp_path


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path", ["/", "/friends", "/rooms", f"/rooms/{'0' * 8}-0000-4000-8000-{'0' * 12}", "/me"]
)
def test_every_screen_is_the_same_shell(alice, path):
    page = alice.get(path).content.decode()

    assert f'data-user-id="{alice.id}"' in page
    assert re.search(r'<meta name="csrf-token" content="\w{64}">', page)
    assert '<script type="module" src="/static/assets/app-1.js" integrity="sha384-app">' in page
    assert (
        '<link rel="modulepreload" href="/static/assets/shared-2.js" integrity="sha384-shared">'
        in page
    )
    assert (
        '<link rel="stylesheet" href="/static/assets/app-3.css" integrity="sha384-style">' in page
    )
    assert "자바스크립트가 필요해요" in page
    assert alice.user.email not in page


@pytest.mark.usefixtures("built")
def test_the_token_of_the_shell_is_good_for_the_api(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user)
    [token] = re.findall(r'"csrf-token" content="(\w+)"', browser.get("/").content.decode())

    answer = browser.post(
        "/api/devices/challenge", {}, "application/json", headers={"X-CSRFToken": token}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/friends", "/rooms", "/me"])
def test_nobody_sees_the_shell_without_signing_in(client, db, path):
    answer = client.get(path)
    assert answer.url == f"/accounts/login/?next={path}"


def test_a_server_without_its_front_end_says_so(alice, settings, tmp_path):
    settings.FRONTEND_DIST = tmp_path
    answer = alice.get("/")
    assert answer.status_code == 503
    assert "아직 준비되지 않았어요" in answer.content.decode()


def test_the_service_worker_stands_at_the_root_and_is_never_cached(client, settings, tmp_path):
    settings.FRONTEND_DIST = tmp_path
    assert client.get("/sw.js").status_code == 404
    (tmp_path / "sw.js").write_text("self.addEventListener('fetch', () => {});")

    answer = client.get("/sw.js")

    assert answer.headers["Content-Type"] == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content == (tmp_path / "sw.js").read_bytes()


# Colours


def channel(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour):
    red, green, blue = (channel(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


COLOURS = re.findall(
    r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);",
    (ROOT / "chatsite/static/site/site.css").read_text(),
)
SCHEMES = [
    {name: light for name, light, _ in COLOURS},
    {name: dark for name, _, dark in COLOURS},
]
GROUNDS = ("paper", "surface", "sunken")
PAIRS = [
    *(
        (text, ground)
        for text in ("ink", "ink-soft", "accent", "danger", "ok", "honey")
        for ground in GROUNDS
    ),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("ink", "honey-soft"),
    ("ink", "ok-soft"),
    ("ink", "danger-soft"),
    ("ink", "accent-soft"),
    ("danger", "danger-soft"),
    ("honey", "honey-soft"),
    ("ok", "ok-soft"),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_and_focus_can_be_seen(scheme, ground):
    assert contrast(scheme["edge"], scheme[ground]) >= 3
    assert contrast(scheme["focus"], scheme[ground]) >= 3
