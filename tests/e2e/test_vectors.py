"""This Chromium judges the protocol by the same vectors as Python and Node do."""

import json

from tests.e2e.site import ROOT

PROFILES = ("solo",)  # the vectors ask no server
FILES = sorted((ROOT / "crypto_client" / "vectors").glob("*/*.json"))
BUILT = ROOT / "frontend" / "dist" / "manifest.json"
REPLAY = """async ([address, vectors]) => {
  await import(address);
  const results = [];
  for (const vector of vectors) results.push(await runVector(vector));
  return results;
}"""


def differs(vector, result):
    """Whether a result is not what the vector promises."""
    promised = {name: result["out"].get(name) for name in vector["out"]}
    return (result["outcome"], promised) != (vector["expect"], vector["out"])


def test_chromium_finds_what_every_vector_promises(visitor):
    somebody = visitor()
    somebody.go("/accounts/login/")
    file = json.loads(BUILT.read_text())["src/entries/vectors.ts"]["file"]
    vectors = [json.loads(path.read_text()) for path in FILES]
    assert len(vectors) >= 100

    results = somebody.page.evaluate(REPLAY, [f"/static/{file}", vectors])

    judged = zip(FILES, vectors, results, strict=True)
    assert [path.stem for path, vector, result in judged if differs(vector, result)] == []
