import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** The folders of src/ from top to bottom; each may import only from itself, from those in its list, and src/*.ts. docs/architecture.md draws them. */
const layers = {
  cli: ["rehearse", "update", "notes", "diff", "match", "kbuild", "kernel", "distro", "btf", "x86", "elf"],
  rehearse: ["update", "distro", "kbuild", "kernel"],
  update: ["notes", "diff", "match", "kbuild", "kernel", "distro", "btf", "x86", "elf"],
  notes: [],
  diff: ["x86", "elf"],
  match: ["x86", "elf"],
  kbuild: ["elf"],
  kernel: ["match", "elf"],
  distro: ["elf"],
  btf: ["elf"],
  x86: [],
  elf: [],
};

/** These may use the virtual machines of vm/. */
const usersOfMachines = ["cli", "rehearse"];

/** These take bytes and return values: no file system, no processes, no clock, no console. */
const pureLayers = ["elf", "btf", "x86", "diff", "match", "notes"];

const layerRules = Object.entries(layers).map(([name, allowed]) => {
  const forbidden = Object.keys(layers).filter((other) => other !== name && !allowed.includes(other));
  const patterns = [
    { regex: `^(\\.\\./)+(src/)?(${forbidden.join("|")})/`, message: `src/${name} lies below: see the list of layers in eslint.config.js` },
    ...(usersOfMachines.includes(name) ? [] : [{ regex: "^(\\.\\./)+vm/", message: `src/${name} does not know of virtual machines` }]),
    ...(pureLayers.includes(name)
      ? [{ regex: "^(node:|fs$|execa$|child_process$)", message: `src/${name} is pure: bytes in, values out` }]
      : []),
  ];
  return { files: [`src/${name}/**`], rules: { "no-restricted-imports": ["error", { patterns }] } };
});

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "kmod/", "test/golden/", "coverage/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js", "scripts/*.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
    },
  },
  ...layerRules,
  {
    files: pureLayers.map((name) => `src/${name}/**`),
    rules: {
      "no-restricted-globals": ["error", "process", "setTimeout", "setInterval", "fetch"],
    },
  },
  { files: ["test/**", "bench/**", "src/cli/**"], rules: { "no-console": "off" } },
  { files: ["eslint.config.js"], ...tseslint.configs.disableTypeChecked },
);
