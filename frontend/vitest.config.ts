import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    sequence: { shuffle: true },
    allowOnly: false,
    passWithNoTests: false,
    maxWorkers: 2,
  },
});
