import eslint from "@eslint/js";
import tseslint from "typescript-eslint";
import imports from "./scripts/lint/arrows.js";

const shared = ["src"];
const elf = [...shared, "src/arch/machine", "src/elf"];
const host = [...shared, "src/host"];
const compiling = [...host, "src/arch", "src/elf", "src/kbuild", "src/kbuild/change", "src/source", "src/tree"];
const updates = ["apply", "create", "file", "fit", "linkage", "match", "prelink", "units", "verify"].map((name) => `src/update/${name}`);
const diffing = ["src/diff", "src/diff/atoms", "src/diff/compare", "src/diff/extract", "src/diff/listing"];

/**
 * Who imports from whom, besides itself: from the bottom to the top. A folder that is not listed belongs to the one that holds it, and what is not listed at all is free.
 * docs/architecture.md says what each is.
 */
const arrows = {
  src: [],
  "src/arch/machine": [],
  "src/elf": [...shared, "src/arch/machine"],
  "src/btf": elf,
  "src/source": shared,
  "src/arch": elf,
  "src/notes": [...shared, "src/source"],
  "src/host": shared,
  "src/signing": host,
  "src/diff": [...elf, ...diffing],
  "src/diff/atoms": [...elf, "src/arch"],
  "src/diff/compare": [...elf, "src/diff", "src/diff/atoms"],
  "src/diff/extract": [...elf, "src/diff", "src/diff/atoms", "src/diff/compare"],
  "src/diff/listing": [...elf, "src/arch"],
  "src/match": [...elf, "src/arch"],
  "src/engine": [...elf, ...host, "src/arch", "src/diff/atoms", "src/signing"],
  "src/kernel": [...elf, ...host, "src/arch", "src/engine"],
  "src/tree": [...elf, ...host, "src/arch"],
  "src/distro": [...host, "src/arch", "src/tree"],
  "src/distro/external": [...host, "src/elf", "src/kbuild", "src/tree"],
  "src/kbuild": [...host, "src/arch", "src/tree"],
  "src/kbuild/change": [...host, "src/arch", "src/source", "src/tree"],
  "src/kbuild/compile": compiling,
  "src/kbuild/module": [...host, "src/arch", "src/elf", "src/kbuild"],
  "src/kbuild/whole": [...compiling, "src/kbuild/compile", "src/kbuild/module", "src/signing"],
  "src/kbuild/reach": [...compiling, "src/kbuild/compile"],
  "src/update/file": [...elf, "src/arch", "src/diff/atoms", "src/notes"],
  "src/update/units": [...compiling, "src/kbuild/compile", "src/kbuild/reach", "src/diff"],
  "src/update/linkage": [
    ...elf,
    "src/btf",
    "src/diff",
    "src/diff/atoms",
    "src/diff/compare",
    "src/kbuild",
    "src/source",
    "src/update/units",
  ],
  "src/update/create": [
    ...compiling,
    ...diffing,
    ...["src/arch", "src/btf", "src/kbuild/compile", "src/kbuild/module", "src/kbuild/reach", "src/kbuild/whole", "src/notes"],
    ...["src/update/file", "src/update/linkage", "src/update/units"],
  ],
  "src/update/match": [...elf, "src/kbuild", "src/kernel", "src/match", "src/update/file"],
  "src/update/prelink": [
    ...[...elf, "src/arch", "src/diff/atoms", "src/engine", "src/kbuild", "src/kernel", "src/match"],
    ...["src/update/file", "src/update/match", "src/update/units"],
  ],
  "src/update/fit": [...elf, "src/engine", "src/kernel", "src/update/file", "src/update/match", "src/update/prelink"],
  "src/update/verify": [...elf, "src/engine", "src/kernel", "src/match", "src/update/file"],
  "src/update/apply": [
    ...host,
    "src/engine",
    "src/kernel",
    "src/signing",
    "src/update/file",
    "src/update/match",
    "src/update/prelink",
    "src/update/verify",
  ],
  vm: host,
  "src/rehearse": [...host, "src/kbuild", "src/kbuild/module", "src/tree", "src/update/file", "src/update/verify", "vm"],
  "src/review": [...elf, "src/diff", "src/diff/listing", "src/notes", "src/rehearse", "src/update/file"],
  "src/disk": [...host, "src/elf", "src/signing", "src/update/file"],
  "src/service": [
    ...host,
    "src/arch",
    "src/disk",
    "src/engine",
    "src/kernel",
    "src/signing",
    "src/update/apply",
    "src/update/file",
    "src/update/match",
  ],
  "src/index.ts": [
    ...[...elf, ...host, ...diffing, ...updates],
    ...[
      "src/disk",
      "src/distro",
      "src/distro/external",
      "src/engine",
      "src/kbuild/change",
      "src/kernel",
      "src/match",
      "src/notes",
      "src/rehearse",
      "src/review",
      "src/service",
      "src/signing",
    ],
  ],
  "src/cli": ["src/index.ts"],
};

const everything = Object.keys(arrows);
const tests = [...everything, "test/support"];
Object.assign(arrows, {
  lab: everything,
  demo: [...everything, "lab"],
  bench: [...everything, "lab"],
  corpus: everything,
  matrix: [...everything, "corpus"],
  packaging: everything,
  "test/support": everything,
  "test/unit": [...tests, "bench", "corpus", "demo", "matrix", "packaging"],
  "test/golden": tests,
  // They run what `npm run bench` and `npm run corpus` run.
  "test/vm": [...tests, "corpus", "lab", "packaging"],
  "test/nightly": [...tests, "bench", "corpus", "lab", "matrix", "packaging", "test/vm"],
});

/** These take bytes or text and return values: no file system, no processes, no clock, no console. */
const pure = ["arch", "btf", "diff", "elf", "match", "notes", "source"].map((name) => `src/${name}/**`);

const ofOneProcessor = [
  ...["Identifier[name=/^(R_X86_64_|EM_X86_64)/]", "Literal[value=/R_X86_64_|__x86_|x86_64-|arch\\/x86|\\b(endbr|rip)\\b/]"].map(
    (selector) => ({
      selector,
      message: "what only one processor has belongs into src/arch: src/arch/arch.ts is how the rest asks for it",
    }),
  ),
  {
    selector: "ImportDeclaration[source.value=/arch\\/(x86|machine\\/x86)/]",
    message: "ask for the architecture by src/arch/architectures.ts: another one may be meant",
  },
];

/** A library has no state of its own that lasts as long as the process: two callers would share it. */
const ofTheProcess = [
  {
    selector: "ImportDeclaration[source.value='iced-x86'][importKind!='type']",
    message: "whoever starts a command would load the decoder: src/arch/x86/iced.ts loads it when something is decoded",
  },
  ...[
    ":matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind='let']",
    ":matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Weak)?(Map|Set)$/][arguments.length=0]",
    "PropertyDefinition[static=true] > NewExpression[callee.name=/^(Weak)?(Map|Set)$/][arguments.length=0]",
  ].map((selector) => ({
    selector,
    message:
      "this lasts as long as the process: it belongs to whom it is about, or to the caller (src/memoized.ts for what is worked out of an object)",
  })),
  {
    selector: "NewExpression[callee.name='KspliceSysfs'][arguments.length=0]",
    message: "which system is meant is given from outside: src/update/apply/running-system.ts",
  },
  { selector: "CallExpression[callee.name='tmpdir']", message: "src/host/temporary.ts makes temporary directories, and removes them" },
];

/** What a command sees of its surroundings, and hands down. */
const surroundings = [
  "env",
  "cwd",
  "chdir",
  "argv",
  "on",
  "once",
  "addListener",
  "prependListener",
  "exit",
  "stdout",
  "stderr",
  "stdin",
].map((property) => ({
  object: "process",
  property,
  message: "this is the command's to see, or to do: src/cli hands it down",
}));

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "kmod/", "test/golden/", "coverage/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js", "scripts/*.{js,cjs}", "scripts/lint/*.js", "examples/*.mjs"] },
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
  {
    files: ["src/**", "vm/**", "lab/**", "demo/**", "bench/**", "corpus/**", "matrix/**", "packaging/**", "test/**/*.ts"],
    plugins: { ksplice: imports },
    rules: { "ksplice/arrows": ["error", arrows], "ksplice/no-circles": "error" },
  },
  {
    files: ["src/**", "vm/**", "corpus/**", "matrix/**"],
    ignores: ["src/arch/**"],
    rules: { "no-restricted-syntax": ["error", ...ofOneProcessor] },
  },
  {
    files: ["src/**", "vm/**"],
    ignores: ["src/arch/**", "src/cli/**"],
    rules: {
      "no-restricted-syntax": ["error", ...ofOneProcessor, ...ofTheProcess],
      "no-restricted-properties": ["error", ...surroundings],
    },
  },
  { files: ["src/arch/**"], rules: { "no-restricted-syntax": ["error", ...ofTheProcess] } },
  {
    files: pure,
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "^(node:|fs$|execa$|child_process$)", message: "this folder is pure: values in, values out" }] },
      ],
      "no-restricted-globals": ["error", "process", "performance", "setTimeout", "setInterval", "fetch"],
      "no-restricted-properties": ["error", { object: "Date", property: "now" }, ...surroundings],
    },
  },
  {
    files: ["test/**", "bench/**", "src/cli/**", "examples/**"],
    languageOptions: { globals: { console: "readonly", process: "readonly" } },
    rules: { "no-console": "off" },
  },
  { files: ["src/host/temporary.ts"], rules: { "no-restricted-syntax": ["error", ...ofOneProcessor, ...ofTheProcess.slice(0, -1)] } },
  { files: ["eslint.config.js", "scripts/**", "examples/**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["scripts/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { Buffer: "readonly", __dirname: "readonly", module: "writable", require: "readonly" },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
