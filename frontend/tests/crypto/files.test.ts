import { describe, expect, it } from "vitest";
import {
  FileChecker,
  FileSealer,
  filesOf,
  openFile,
  parseBody,
  readFiles,
  ready,
  systemRandom,
  writeBody,
} from "../../src/crypto";
import { refused } from "./refusals";

await ready;

const LIMIT = { limit: 2 ** 30 };
const CHUNK = 65_536;

function piecesOf(data: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(data.length / size);
  return Array.from({ length: count }, (_, at) => data.slice(at * size, (at + 1) * size));
}

function sealed(content: Uint8Array, size: number) {
  const sealer = new FileSealer(content.length);
  const pieces = piecesOf(content, size).map((piece) => sealer.push(piece));
  const { sealed: last, seal } = sealer.finish();
  return { data: new Uint8Array(Buffer.concat([...pieces, last])), seal };
}

describe("a file", () => {
  it.each([0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])(
    "of %d bytes comes back whatever pieces it travels in",
    (length) => {
      const content = systemRandom(length);
      for (const size of [1000, CHUNK + 17, 2 ** 20]) {
        const { data, seal } = sealed(content, size);
        expect(data.length).toBe(seal.size);
        const opened = openFile(seal, piecesOf(data, size), LIMIT);
        expect(Buffer.compare(opened, content)).toBe(0);
      }
    },
  );

  it("that changes after it was checked is refused", () => {
    const { data, seal } = sealed(systemRandom(100), 100);
    const checker = new FileChecker(seal, LIMIT);
    checker.push(data);
    const opener = checker.finish();
    opener.push(sealed(systemRandom(100), 100).data);
    expect(refused(() => opener.finish())).toBe("file");
  });

  it("is described by its message", () => {
    const { seal } = sealed(systemRandom(4), 4);
    const file = { id: systemRandom(16), seal, mime: "image/png", name: "고양이.png" };
    const body = parseBody(writeBody(filesOf([file], { text: "look" })));
    expect(readFiles(body, [file.id])).toEqual([file]);
    expect(refused(() => readFiles(body, [systemRandom(16)]))).toBe("file");
  });
});
