import eslint from "@eslint/js";
import boundaries from "eslint-plugin-boundaries";
import tseslint from "typescript-eslint";

/** The folders from top to bottom; each may import only what stands in its own list. docs/architecture.md draws them. */
const layers = {
  cli: ["cli", "rehearse", "update", "diff", "match", "kbuild", "kernel", "distro", "x86", "elf", "base", "vm"],
  rehearse: ["rehearse", "update", "distro", "kbuild", "kernel", "base", "vm"],
  update: ["update", "diff", "match", "kbuild", "kernel", "x86", "elf", "base"],
  diff: ["diff", "x86", "elf", "base"],
  match: ["match", "x86", "elf", "base"],
  kbuild: ["kbuild", "elf", "base"],
  kernel: ["kernel", "match", "elf", "base"],
  distro: ["distro", "elf", "base"],
  x86: ["x86", "base"],
  elf: ["elf"],
  base: ["base"],
  vm: ["vm", "base"],
};

/** These take bytes and return values: no file system, no processes, no clock, no console. */
const pureLayers = ["elf", "x86", "diff", "match"];

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "kmod/", "test/golden/", "coverage/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] }, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { boundaries },
    settings: {
      "import/resolver": { typescript: true, node: { extensions: [".ts", ".js"] } },
      "boundaries/elements": [
        { type: "base", mode: "full", pattern: "src/*.ts" },
        { type: "vm", pattern: "vm" },
        ...Object.keys(layers)
          .filter((name) => name !== "base" && name !== "vm")
          .map((name) => ({ type: name, pattern: `src/${name}` })),
      ],
    },
    rules: {
      "boundaries/element-types": [
        "error",
        { default: "disallow", rules: Object.entries(layers).map(([from, allow]) => ({ from, allow })) },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
    },
  },
  {
    files: pureLayers.map((name) => `src/${name}/**`),
    rules: {
      "no-restricted-imports": ["error", { patterns: ["node:*", "fs", "execa", "child_process"] }],
      "no-restricted-globals": ["error", "process", "setTimeout", "setInterval", "fetch"],
    },
  },
  { files: ["test/**", "bench/**", "src/cli/**"], rules: { "no-console": "off", "boundaries/element-types": "off" } },
  { files: ["eslint.config.js"], ...tseslint.configs.disableTypeChecked },
);
