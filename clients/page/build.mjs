// Builds the page into rpc/server/static, and writes down what it was built from: tests/project holds the two together.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const OUT = process.argv[2] ? resolve(process.argv[2]) : join(ROOT, "rpc/server/static");
const KIT = join(ROOT, "clients/typescript/src");
const LICENCE = "/* The page of musigd (MIT). It includes Preact, Copyright (c) 2015-present Jason Miller (MIT), and uqr, Copyright (c) Project Nayuki and (c) 2023 Anthony Fu (MIT). */";

const digest = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const inTree = (path) => relative(ROOT, path).split(sep).join("/");

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const { metafile } = await build({
  absWorkingDir: HERE,
  entryPoints: [{ in: "src/main.tsx", out: "page" }, { in: "src/page.css", out: "page" }],
  alias: { "musigd-client": join(KIT, "index.ts") },
  outdir: OUT,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  banner: { js: LICENCE },
});
for (const name of ["index.html", "icon.svg"]) copyFileSync(join(HERE, "src", name), join(OUT, name));

// Of the kit's generated files the page takes what it calls: a new method elsewhere makes it no other page.
const sources = Object.keys(metafile.inputs)
  .map((path) => inTree(resolve(HERE, path)))
  .filter((path) => !path.includes("node_modules/") && !path.includes("/src/generated/"));
sources.push(...["src/index.html", "src/icon.svg", "build.mjs", "package-lock.json", "tsconfig.json"].map((name) => `clients/page/${name}`));
const built = {
  sources: Object.fromEntries(sources.sort().map((path) => [path, digest(join(ROOT, path))])),
  files: Object.fromEntries(readdirSync(OUT).sort().map((name) => [name, digest(join(OUT, name))])),
};
writeFileSync(join(OUT, "built.json"), `${JSON.stringify(built, null, 1)}\n`);
