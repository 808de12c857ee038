// A receiving SMTP server (a subset of RFC 5321) for demonstrations and tests: it takes every mail and delivers none.
//
// Commands may be pipelined. Only CRLF "." CRLF ends a mail, so that a lone line feed cannot smuggle a second one in.
// Addresses that begin with "bounce" are refused for good (550) and with "later" for now (450), to show what a sender
// does then.
import { createServer } from "node:net";

const MAX_COMMAND_BYTES = 4096;
const MAX_RECIPIENTS = 1000;
const IDLE_MS = 5 * 60_000;
const CRLF = Buffer.from("\r\n");

/** `onMail({ from, to, raw })` is called before the mail is acknowledged; if it fails, the sender is told to try again. */
export function createSmtpServer({ onMail, maxBytes = 10 * 1024 * 1024, hostname = "demo.local" }) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    new Session(socket, { onMail, maxBytes, hostname });
  });
  // The name that node's HTTP server has for it.
  server.closeAllConnections = () => sockets.forEach((socket) => socket.destroy());
  return server;
}

class Session {
  constructor(socket, options) {
    Object.assign(this, options, { socket, buffer: Buffer.alloc(0), greeted: false, data: null, busy: false });
    this.reset();
    socket.setTimeout(IDLE_MS, () => this.close("421 4.4.2 Idle for too long"));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      this.buffer = this.buffer.length ? Buffer.concat([this.buffer, chunk]) : chunk;
      void this.work();
    });
    this.reply(`220 ${this.hostname} ESMTP, mail ends here`);
  }

  reset() {
    this.from = null;
    this.to = [];
    this.data = null;
  }

  reply(text) {
    if (this.socket.writable) this.socket.write(text + "\r\n");
  }

  close(text) {
    this.closed = true;
    this.reply(text);
    this.socket.end();
  }

  /** One line after the other, in order, also while an earlier mail is still being kept. */
  async work() {
    if (this.busy) return;
    this.busy = true;
    while (!this.closed) {
      const end = this.buffer.indexOf(this.data ? CRLF : "\n");
      if (end < 0) {
        if (!this.data && this.buffer.length > MAX_COMMAND_BYTES) this.close("500 5.5.2 Line too long");
        // A mail line without end must not fill the memory either.
        if (this.data && this.buffer.length > this.maxBytes + MAX_COMMAND_BYTES) this.close("552 5.3.4 Mail too large");
        break;
      }
      const line = this.buffer.subarray(0, end);
      this.buffer = this.buffer.subarray(end + (this.data ? 2 : 1));
      if (this.data) await this.dataLine(line);
      else this.command(line.toString("utf8").replace(/\r$/, ""));
    }
    this.busy = false;
  }

  command(line) {
    const [, verb, rest] = /^(\S*)\s*(.*?)\s*$/.exec(line);
    switch (verb.toUpperCase()) {
      case "EHLO":
        this.greeted = true;
        this.reset();
        return this.reply([`250-${this.hostname}`, `250-SIZE ${this.maxBytes}`, "250-PIPELINING", "250-8BITMIME", "250-ENHANCEDSTATUSCODES", "250 SMTPUTF8"].join("\r\n"));
      case "HELO":
        this.greeted = true;
        this.reset();
        return this.reply(`250 ${this.hostname}`);
      case "MAIL":
        return this.mail(rest);
      case "RCPT":
        return this.recipient(rest);
      case "DATA":
        if (!this.to.length) return this.reply(this.from === null ? "503 5.5.1 MAIL first" : "554 5.5.1 No valid recipients");
        this.data = { lines: [], bytes: 0 };
        return this.reply("354 Go on, end with a dot alone");
      case "RSET":
        this.reset();
        return this.reply("250 2.0.0 OK");
      case "NOOP":
        return this.reply("250 2.0.0 OK");
      case "VRFY":
        return this.reply("252 2.1.5 Send and see");
      case "QUIT":
        return this.close("221 2.0.0 Bye");
      default:
        return this.reply("500 5.5.1 Unknown command");
    }
  }

  mail(rest) {
    if (!this.greeted) return this.reply("503 5.5.1 EHLO first");
    if (this.from !== null) return this.reply("503 5.5.1 One MAIL at a time");
    const found = /^FROM:\s*<([^<>]*)>(.*)$/i.exec(rest);
    if (!found) return this.reply("501 5.5.4 MAIL FROM:<address>");
    const size = /\bSIZE=(\d+)/i.exec(found[2]);
    if (size && Number(size[1]) > this.maxBytes) return this.reply("552 5.3.4 Mail too large");
    this.from = found[1];
    this.reply("250 2.1.0 OK");
  }

  recipient(rest) {
    if (this.from === null) return this.reply("503 5.5.1 MAIL first");
    const found = /^TO:\s*<([^<>\s]+)>/i.exec(rest);
    if (!found) return this.reply("501 5.5.4 RCPT TO:<address>");
    const address = found[1];
    if (this.to.length >= MAX_RECIPIENTS) return this.reply("452 4.5.3 Too many recipients");
    if (/^bounce/i.test(address)) return this.reply("550 5.1.1 No such mailbox");
    if (/^later/i.test(address)) return this.reply("450 4.2.1 Mailbox busy, try later");
    this.to.push(address);
    this.reply("250 2.1.5 OK");
  }

  async dataLine(line) {
    const { data } = this;
    if (line.length === 1 && line[0] === 0x2e) {
      const mail = { from: this.from, to: this.to, raw: Buffer.concat(data.lines) };
      const tooLarge = data.bytes > this.maxBytes;
      this.reset();
      if (tooLarge) return this.reply("552 5.3.4 Mail too large");
      try {
        const id = await this.onMail(mail);
        return this.reply(`250 2.0.0 Kept as ${id}`);
      } catch (error) {
        console.error("mail not kept:", error);
        return this.reply("451 4.3.0 Could not be kept");
      }
    }
    // A dot at the beginning was doubled by the sender (RFC 5321, 4.5.2).
    const text = line[0] === 0x2e ? line.subarray(1) : line;
    data.bytes += text.length + 2;
    // Too large: read on to the end, so that the answer comes at the right place, but keep nothing more.
    if (data.bytes <= this.maxBytes) data.lines.push(text, CRLF);
    else data.lines = [];
  }
}
