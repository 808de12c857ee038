// Builds both bundles and fails when a page would have to load more than we promise.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const MAX_GZIP_BYTES = 8 * 1024;
const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));

const shared = {
  bundle: true,
  minify: true,
  target: "es2019",
  define: { __VERSION__: JSON.stringify(version) },
  banner: { js: `/*! braid.js ${version}, Apache-2.0 */` },
  legalComments: "none",
  absWorkingDir: new URL("..", import.meta.url).pathname,
};

await build({ ...shared, entryPoints: ["src/global.ts"], format: "iife", outfile: "dist/braid.js" });
await build({ ...shared, entryPoints: ["src/index.ts"], format: "esm", outfile: "dist/braid.mjs" });

for (const name of ["braid.js", "braid.mjs"]) {
  const bytes = gzipSync(await readFile(new URL(`../dist/${name}`, import.meta.url)), { level: 9 }).length;
  console.log(`dist/${name}: ${bytes} bytes gzipped (limit ${MAX_GZIP_BYTES})`);
  if (bytes > MAX_GZIP_BYTES) {
    console.error(`dist/${name} is ${bytes - MAX_GZIP_BYTES} bytes over the limit`);
    process.exitCode = 1;
  }
}
