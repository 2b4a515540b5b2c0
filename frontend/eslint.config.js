import js from "@eslint/js";
import globals from "globals";
import noUnsanitized from "eslint-plugin-no-unsanitized";
import tseslint from "typescript-eslint";

const markupFromStrings = {
  patterns: [
    {
      regex: "^lit(-html)?/(.*/)?(directives|static)?/?(unsafe-html|unsafe-svg|unsafe-mathml|static-html|static)(\\.js)?$",
      message: "Markup from a string can carry a script: bind text instead.",
    },
  ],
};

const markupFromStringsProperties = ["innerHTML", "outerHTML", "srcdoc"].map((property) => ({
  property,
  message: "Markup from a string can carry a script: bind text instead.",
}));

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./tsconfig.worker.json", "./tsconfig.node.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "no-restricted-imports": ["error", markupFromStrings],
    },
  },
  {
    plugins: { "no-unsanitized": noUnsanitized },
    languageOptions: { globals: globals.nodeBuiltin },
    rules: {
      "no-unsanitized/method": "error",
      "no-unsanitized/property": "error",
      "no-restricted-properties": ["error", ...markupFromStringsProperties],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-console": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The twin of crypto_client computes; it never reads a page, a store or a network.
    files: ["src/crypto/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "^(\\.\\./|lit|idb)", message: "src/crypto stands alone." }] },
      ],
      "no-restricted-globals": [
        "error",
        "document",
        "window",
        "indexedDB",
        "localStorage",
        "sessionStorage",
        "fetch",
        "WebSocket",
        "XMLHttpRequest",
        "navigator",
        "location",
      ],
    },
  },
  {
    files: ["tests/**/*.ts", "plugins/**/*.ts", "*.config.ts"],
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
