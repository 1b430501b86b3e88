import { defineConfig } from "vitest/config";

// Real software in network namespaces: one file at a time, they share the machine's ports and namespaces.
export default defineConfig({
  test: {
    include: ["test/peers/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
