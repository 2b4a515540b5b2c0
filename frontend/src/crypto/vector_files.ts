/** The operations of vectors on attachments; see vector_runner.ts. */
import { cleanName, isShownInline, readFiles } from "./attachments";
import { parseBody } from "./body";
import { openFile, padme, sealedSize } from "./file_seal";
import type { Operation } from "./vector_operations";
import { type Bytes, type Of, raw, text } from "./vector_values";

interface FileIn extends Of<"key" | "hash" | "sealed"> {
  size: number;
  length: number;
  limit: number;
}

export const FILE_OPERATIONS: Readonly<Record<string, Operation>> = {
  file_open: (v: FileIn) => {
    const { size, length, limit } = v;
    const seal = { key: raw(v.key), hash: raw(v.hash), size, length };
    return { content: text(openFile(seal, [raw(v.sealed)], { limit })) };
  },
  file_sizes: (v: { lengths: number[] }) => ({
    padded: v.lengths.map(padme),
    sealed: v.lengths.map(sealedSize),
  }),
  files: (v: Of<"body"> & { attachments: Bytes[] }) => {
    const files = readFiles(
      parseBody(raw(v.body)),
      v.attachments.map((id) => raw(id)),
    );
    return { files: files.map((f) => [text(f.id), cleanName(f.name), isShownInline(f.mime)]) };
  },
  file_name: (v: { name: string }) => ({ name: cleanName(v.name) }),
};
