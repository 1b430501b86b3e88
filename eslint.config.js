import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["vitest*.config.ts", "dist/**", "node_modules/**", "config/shims/**", "coverage/**"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // Our interfaces are made of closures: nothing in them looks at `this`.
      "@typescript-eslint/unbound-method": "off",
      eqeqeq: ["error", "always"],
      "no-console": "error",
    },
  },
  { files: ["test/**/*.ts"], rules: { "no-console": "off" } },
);
