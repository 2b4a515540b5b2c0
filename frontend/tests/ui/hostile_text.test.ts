// @vitest-environment happy-dom
/** What people write, and what strangers call themselves, is text: it never becomes an element. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Snapshot } from "../../src/engine/contract.ts";
import type { App } from "../../src/ui/app.ts";
import { alice, FakeEngine, friend, gardenId, item, me, room } from "./fake_engine.ts";
import { everything, gardenPath, openPage, settled } from "./page.ts";

const payloads = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<a href=javascript:alert(1)>x</a>",
  "<b>굵게</b>",
  "<style>*{display:none}</style>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<meta http-equiv=refresh content='0;url=//evil.example'>",
  "<base href=//evil.example>",
  "<form action=//evil.example><input name=p></form>",
  "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
  "<object data=javascript:alert(1)></object>",
  "<embed src=javascript:alert(1)>",
  "<video><source onerror=alert(1)></video>",
  "<body onload=alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<dialog open>x</dialog>",
  "<template><img src=x onerror=alert(1)></template>",
  "<slot name=x></slot>",
  "<gamrae-app></gamrae-app>",
  "<gamrae-composer></gamrae-composer>",
  "<!-- comment --><img src=x>",
  "<![CDATA[<img src=x>]]>",
  "<?lit$123456$?>",
  "${alert(1)}",
  "{{constructor.constructor('alert(1)')()}}",
  "{{ csrf_token }}",
  "{% csrf_token %}",
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "\"><script>alert(1)</script>",
  "'><img src=x onerror=alert(1)>",
  "\" onfocus=alert(1) autofocus=\"",
  "' onmouseover='alert(1)",
  "` onmouseover=`alert(1)",
  "</textarea><script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  "</script><script>alert(1)</script>",
  "--><script>alert(1)</script>",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "<ScRiPt>alert(1)</sCrIpT>",
  "<img/src=x/onerror=alert(1)>",
  "<img\nsrc=x\nonerror=alert(1)>",
  "<a\u0000href=x>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;img src=x&#62;",
  "&amp;lt;b&amp;gt;",
  "\u003cscript\u003e",
  "＜script＞alert(1)＜/script＞",
  "\u202Egnp.exe\u202C",
  "\u2066\u202E안녕\u2069",
  "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308",
  "\uFEFF\u200B\u200D보이지 않는",
  "__proto__",
  "constructor",
  "[object Object]",
  "<x contenteditable onblur=alert(1)>x</x>",
];

interface Shape {
  elements: number;
  texts: string[];
  handlers: string[];
  broken: string[];
}

/** How the page is built: its elements, and attributes that could run something. */
function shapeOf(root: Element): Shape {
  const elements = [...root.querySelectorAll("*")];
  const attributes = elements.flatMap((element) => [...element.attributes]);
  return {
    elements: elements.length,
    texts: elements.map((element) => element.textContent),
    handlers: attributes.filter(({ name }) => name.startsWith("on") || name === "style" || name === "srcdoc").map(({ name }) => name),
    broken: attributes.filter(({ name, value }) => name === "href" && value.trim().startsWith("javascript:")).map(({ value }) => value),
  };
}

function snapshotOf(text: string): Snapshot {
  const stranger = { userId: "5714a6e4-0000-4000-8000-000000000005", nickname: text };
  return {
    ...everything,
    me: { ...me, nickname: text, statusMessage: text },
    friends: {
      friends: [friend(stranger, { statusMessage: text, email: text })],
      received: [{ id: "1", nickname: text, email: text, createdMs: 0 }],
      sent: [{ id: "2", email: text, createdMs: 0 }],
    },
    rooms: [room({ title: text, lastText: text, members: [{ ...alice, role: "admin" }, { ...stranger, role: "member" }] })],
    timeline: {
      roomId: gardenId,
      hasOlder: false,
      unreadAfter: null,
      items: [
        item({ key: text, sender: stranger, text }),
        item({ key: "2", kind: "renamed", sender: stranger, text }),
        item({ key: "3", kind: "joined", sender: stranger, about: [stranger] }),
      ],
    },
  };
}

test("the corpus has sixty payloads, all different", () => {
  expect(new Set(payloads).size).toBe(60);
});

describe.each([gardenPath, "/friends", "/me"])("on %s", (path) => {
  const engine = new FakeEngine(snapshotOf("plain"));
  let app: App;
  let plain: Shape;

  beforeAll(async () => {
    app = await openPage(path, engine);
    plain = shapeOf(app);
    expect(plain.elements).toBeGreaterThan(20);
  });

  test.each(payloads)("%j is text", async (payload) => {
    engine.show(snapshotOf(payload));
    await settled();

    const shape = shapeOf(app);

    expect(shape.texts).toContain(payload);
    expect(shape.elements).toBe(plain.elements);
    expect(shape.handlers).toEqual(plain.handlers);
    expect(shape.broken).toEqual([]);
  });
});
