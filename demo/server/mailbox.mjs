// The mails that came: the last 500, in memory and as files (`<id>.eml` as it came, `<id>.json` with the envelope).
import { EventEmitter } from "node:events";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headerOf, parseMail } from "./mime.mjs";

const KEEP = 500;
const PREVIEW_CHARACTERS = 140;

/** Emits `change` after each mail and each deletion. */
export class Mailbox extends EventEmitter {
  /** Oldest first. */
  mails = [];

  constructor(folder) {
    super();
    this.setMaxListeners(0);
    this.folder = folder;
  }

  async open() {
    if (!this.folder) return;
    await mkdir(this.folder, { recursive: true });
    const ids = (await readdir(this.folder)).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
    for (const id of ids.sort().slice(-KEEP)) {
      try {
        const { receivedAt, from, to } = JSON.parse(await readFile(join(this.folder, id + ".json"), "utf8"));
        this.mails.push(describe({ id, receivedAt, from, to, raw: await readFile(join(this.folder, id + ".eml")) }));
      } catch (error) {
        console.error(`mail ${id} could not be read:`, error.message);
      }
    }
  }

  async add({ from, to, raw }) {
    const receivedAt = new Date().toISOString();
    // Begins with the time, so that file names sort as the mails came.
    const id = receivedAt.replace(/\D/g, "") + "-" + randomUUID().slice(0, 8);
    if (this.folder) {
      await writeFile(join(this.folder, id + ".eml"), raw);
      await writeFile(join(this.folder, id + ".json"), JSON.stringify({ receivedAt, from, to }));
    }
    this.mails.push(describe({ id, receivedAt, from, to, raw }));
    for (const old of this.mails.splice(0, Math.max(0, this.mails.length - KEEP))) await this.removeFiles(old.id);
    this.emit("change");
    return id;
  }

  find(id) {
    return this.mails.find((mail) => mail.id === id);
  }

  /** All, or the one with this id. Returns how many went. */
  async remove(id) {
    const gone = this.mails.filter((mail) => id === undefined || mail.id === id);
    this.mails = this.mails.filter((mail) => !gone.includes(mail));
    for (const mail of gone) await this.removeFiles(mail.id);
    this.emit("change");
    return gone.length;
  }

  async removeFiles(id) {
    if (!this.folder) return;
    await Promise.all([".eml", ".json"].map((end) => rm(join(this.folder, id + end), { force: true })));
  }
}

function describe({ id, receivedAt, from, to, raw }) {
  const { headers, text, html, attachments } = parseMail(raw);
  const words = (text ?? (html ?? "").replace(/<(style|script|title)[\s\S]*?<\/\1>|<[^>]*>/gi, " ")).replace(/\s+/g, " ").trim();
  return {
    id,
    received_at: receivedAt,
    envelope: { from, to },
    from: headerOf(headers, "From"),
    to: headerOf(headers, "To"),
    subject: headerOf(headers, "Subject"),
    preview: words.slice(0, PREVIEW_CHARACTERS),
    bytes: raw.length,
    headers,
    text,
    html,
    attachments,
    raw,
  };
}
