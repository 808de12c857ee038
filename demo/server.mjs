#!/usr/bin/env node
// Demo shop, demo till and a mailbox that catches every mail. Needs Node 20 and nothing else. For this machine only.
import { rename, rm, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { createHttpServer } from "./server/http.mjs";
import { Mailbox } from "./server/mailbox.mjs";
import { createSmtpServer } from "./server/smtp.mjs";

const HELP = `node demo/server.mjs [options]

  --port N             web pages (default 8090; 0 takes any free port)
  --smtp-port N        mail (default 2525; 0 takes any free port)
  --braid-url URL      where Braid is (default http://127.0.0.1:8080)
  --shop-write-key K   write key of the shop's source (browser)
  --till-write-key K   write key of the till's source (server); stays in this process
  --api-key K          for finding customers at the till; stays in this process
  --console-url URL    where the pages' links to Braid lead (default: --braid-url)
  --mail-dir DIR       keep mails as files too
  --ready-file FILE    write {"url", "smtp"} there when both listen, remove it at the end
`;

/** Starts both servers and says where they are. The keys of `options` are the flags in camelCase. */
export async function start(options = {}) {
  const braidUrl = options.braidUrl ?? "http://127.0.0.1:8080";
  const config = {
    braidUrl,
    shopWriteKey: options.shopWriteKey ?? "",
    tillWriteKey: options.tillWriteKey ?? "",
    apiKey: options.apiKey ?? "",
    consoleUrl: options.consoleUrl ?? braidUrl,
  };
  const mailbox = new Mailbox(options.mailDir);
  await mailbox.open();
  const smtp = createSmtpServer({ onMail: (mail) => mailbox.add(mail), maxBytes: options.maxMailBytes });
  const http = createHttpServer({ config, mailbox });
  await listen(smtp, options.smtpPort ?? 2525);
  await listen(http, options.port ?? 8090);
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    smtp: `smtp://127.0.0.1:${smtp.address().port}`,
    mailbox,
    async close() {
      const closed = [http, smtp].map((server) => new Promise((resolve) => server.close(resolve)));
      [http, smtp].forEach((server) => server.closeAllConnections());
      await Promise.all(closed);
    },
  };
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function main() {
  const text = { type: "string" };
  const flags = ["port", "smtp-port", "braid-url", "shop-write-key", "till-write-key", "api-key", "console-url", "mail-dir", "ready-file"];
  const { values } = parseArgs({
    options: { ...Object.fromEntries(flags.map((flag) => [flag, text])), help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const options = Object.fromEntries(
    Object.entries(values).map(([flag, value]) => [flag.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()), value]),
  );
  for (const name of ["port", "smtpPort"]) {
    if (options[name] === undefined) continue;
    options[name] = Number(options[name]);
    if (!Number.isInteger(options[name]) || options[name] < 0 || options[name] > 65535) throw new Error("A port is a number from 0 to 65535.");
  }

  const server = await start(options);
  console.log(`shop ${server.url}/shop/\ntill ${server.url}/till/\nmail ${server.url}/mail/ (${server.smtp})`);
  if (options.readyFile) {
    // Written aside and renamed, so that whoever waits for it never reads half.
    await writeFile(options.readyFile + ".new", JSON.stringify({ url: server.url, smtp: server.smtp }) + "\n");
    await rename(options.readyFile + ".new", options.readyFile);
  }
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, async () => {
      if (options.readyFile) await rm(options.readyFile, { force: true });
      process.exit(0);
    });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message);
    process.exit(2);
  });
}
