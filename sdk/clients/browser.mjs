// Debian's Chromium, and a page of our own on another origin than Braid, as a shop's pages are.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";

// The console has Playwright among its tools already.
const { chromium } = createRequire(new URL("../../console/package.json", import.meta.url))("@playwright/test");
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

export function launch() {
  const folders = (process.env.PATH ?? "").split(":");
  const found = PROGRAMS.flatMap((name) => folders.map((folder) => `${folder}/${name}`)).find((path) => existsSync(path));
  return chromium.launch({
    executablePath: found,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
  });
}

/** Serves `html` as every page, and the files of `folders` (`{"/prefix/": file URL}`). */
export async function serveSite(html, folders = {}) {
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, "http://site");
    const [prefix, folder] = Object.entries(folders).find(([prefix]) => pathname.startsWith(prefix)) ?? [];
    if (!prefix) return answer.setHeader("Content-Type", "text/html; charset=utf-8").end(html);
    try {
      const file = await readFile(new URL(pathname.slice(prefix.length), folder));
      answer.setHeader("Content-Type", "text/javascript; charset=utf-8").end(file);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
