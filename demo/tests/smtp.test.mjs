// A sender's conversation with the mailbox, byte by byte.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { start } from "../server.mjs";

async function demo(t, options = {}) {
  const server = await start({ port: 0, smtpPort: 0, ...options });
  t.after(() => server.close());
  return server;
}

/** Says lines and waits for that many answers; answers of several lines count as one. */
async function dial(t, server) {
  const socket = connect(Number(new URL(server.smtp).port), "127.0.0.1");
  t.after(() => socket.destroy());
  let buffer = "";
  const answers = [];
  let wake = () => {};
  socket.on("data", (chunk) => {
    buffer += chunk;
    for (let end; (end = buffer.search(/^\d{3} .*\r\n/m)) >= 0; ) {
      const stop = buffer.indexOf("\r\n", end) + 2;
      answers.push(buffer.slice(0, stop).trimEnd());
      buffer = buffer.slice(stop);
    }
    wake();
  });
  const next = async () => {
    while (!answers.length) await new Promise((resolve) => (wake = resolve));
    return answers.shift();
  };
  const say = async (text, count = 1) => {
    socket.write(text);
    const got = [];
    for (let i = 0; i < count; i++) got.push(await next());
    return count === 1 ? got[0] : got;
  };
  assert.match(await next(), /^220 /);
  return { socket, say };
}

const codes = (answers) => answers.map((answer) => answer.slice(0, 3));

test("a mail arrives whole, dots and all", async (t) => {
  const server = await demo(t);
  const { say, socket } = await dial(t, server);
  assert.match(await say("EHLO sender.test\r\n"), /250-PIPELINING[\s\S]*250 /);
  assert.match(await say("MAIL FROM:<shop@example.com> BODY=8BITMIME\r\n"), /^250/);
  assert.match(await say("RCPT TO:<olena@example.com>\r\n"), /^250/);
  assert.match(await say("DATA\r\n"), /^354/);
  assert.match(await say("Subject: Dots\r\n\r\n..first\r\n...\r\nlast.\r\n.\r\n"), /^250/);
  assert.match(await say("QUIT\r\n"), /^221/);
  await once(socket, "close");

  const [mail] = server.mailbox.mails;
  assert.equal(mail.raw.toString(), "Subject: Dots\r\n\r\n.first\r\n..\r\nlast.\r\n");
  assert.deepEqual(mail.envelope, { from: "shop@example.com", to: ["olena@example.com"] });
  assert.equal(mail.subject, "Dots");
});

test("commands may come all at once, and byte by byte", async (t) => {
  const server = await demo(t);
  const { say, socket } = await dial(t, server);
  const dialogue = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nSubject: One\r\n\r\nx\r\n.\r\nMAIL FROM:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\nSubject: Two\r\n\r\ny\r\n.\r\n";
  assert.deepEqual(codes(await say(dialogue, 8)), ["250", "250", "250", "354", "250", "250", "250", "354"]);
  await say("NOOP\r\n", 2);
  socket.setNoDelay(true);
  for (const char of "MAIL FROM:<g@h.test>\r\nRCPT TO:<i@j.test>\r\nDATA\r\nSubject: Three\r\n\r\nz\r\n.\r") {
    socket.write(char);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(codes(await say("\n", 4)), ["250", "250", "354", "250"]);
  assert.deepEqual(server.mailbox.mails.map((mail) => mail.subject), ["One", "Two", "Three"]);
});

test("a lone line feed does not end a mail", async (t) => {
  const server = await demo(t);
  const { say } = await dial(t, server);
  await say("EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n", 4);
  await say("Subject: S\r\n\r\nx\n.\nMAIL FROM:<evil@b.test>\r\n.\r\n");
  assert.equal(server.mailbox.mails.length, 1);
  assert.match(server.mailbox.mails[0].raw.toString(), /MAIL FROM:<evil/);
});

test("what is out of order or unknown is refused, and the session goes on", async (t) => {
  const server = await demo(t);
  const { say } = await dial(t, server);
  const refused = ["MAIL FROM:<a@b.test>", "RCPT TO:<a@b.test>", "DATA", "STARTTLS", "EHLO a", "RCPT TO:<a@b.test>", "MAIL FROM:a@b.test", "MAIL FROM:<a@b.test>", "MAIL FROM:<a@b.test>", "RCPT TO:<bounce@b.test>", "RCPT TO:<later@b.test>", "DATA", "RSET", "DATA"];
  const answers = [];
  for (const line of refused) answers.push(await say(line + "\r\n"));
  assert.deepEqual(codes(answers), ["503", "503", "503", "500", "250", "503", "501", "250", "503", "550", "450", "554", "250", "503"]);
});

test("a mail over the limit is refused when it is announced and when it comes", async (t) => {
  const server = await demo(t, { maxMailBytes: 1000 });
  const { say } = await dial(t, server);
  await say("EHLO a\r\n");
  assert.match(await say("MAIL FROM:<a@b.test> SIZE=1001\r\n"), /^552/);
  await say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n", 3);
  assert.match(await say("Subject: S\r\n\r\n" + "x".repeat(70).concat("\r\n").repeat(20) + ".\r\n"), /^552/);
  assert.equal(server.mailbox.mails.length, 0);
  assert.match(await say("NOOP\r\n"), /^250/);
});

test("mails are kept as files, the oldest beyond 500 go, and a restart finds them", async (t) => {
  const mailDir = await mkdtemp(join(tmpdir(), "mail-"));
  const server = await start({ port: 0, smtpPort: 0, mailDir });
  for (let i = 0; i < 503; i++) await server.mailbox.add({ from: "a@b.test", to: ["c@d.test"], raw: Buffer.from(`Subject: ${i}\r\n\r\nx`) });
  await server.close();
  const files = await readdir(mailDir);
  assert.equal(files.filter((name) => name.endsWith(".eml")).length, 500);
  const again = await demo(t, { mailDir });
  assert.equal(again.mailbox.mails.length, 500);
  const { id, subject } = again.mailbox.mails.at(-1);
  assert.equal(await readFile(join(mailDir, id + ".eml"), "utf8"), `Subject: ${subject}\r\n\r\nx`);
});

test("a mail in two forms is read as people see it", async (t) => {
  const server = await demo(t);
  const html = Buffer.from("<p>Вітаємо, Олено</p><script>alert(1)</script>").toString("base64");
  await server.mailbox.add({
    from: "shop@example.com",
    to: ["olena@example.com"],
    raw: Buffer.from(
      [
        "From: =?utf-8?B?0JzQsNCz0LDQt9C40L0=?= <shop@example.com>",
        "Subject: =?utf-8?Q?=D0=9D=D0=BE?=",
        " =?utf-8?Q?=D0=B2=D0=B8=D0=BD=D0=B8?=",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        'Content-Type: multipart/alternative; boundary="=_b.1"',
        "",
        "--=_b.1",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "=D0=92=D1=96=D1=82=D0=B0=",
        "=D1=94=D0=BC=D0=BE =3D)",
        "--=_b.1",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        html,
        "--=_b.1--",
        "",
      ].join("\r\n"),
    ),
  });
  const { items, total } = await (await fetch(server.url + "/mail/api/messages?to=OLENA@example.com")).json();
  assert.equal(total, 1);
  assert.equal(items[0].subject, "Новини");
  assert.equal(items[0].from, "Магазин <shop@example.com>");
  const mail = await (await fetch(`${server.url}/mail/api/messages/${items[0].id}`)).json();
  assert.equal(mail.text, "Вітаємо =)");
  assert.match(mail.html, /Вітаємо, Олено/);
  assert.deepEqual(mail.headers.find(([name]) => name === "List-Unsubscribe-Post")[1], "List-Unsubscribe=One-Click");

  const page = await fetch(`${server.url}/mail/api/messages/${items[0].id}/html`);
  const policy = page.headers.get("Content-Security-Policy");
  assert.match(policy, /^sandbox(?!.*allow-scripts)(?!.*allow-same-origin)/);
  assert.match(policy, /default-src 'none'/);

  assert.deepEqual(await (await fetch(server.url + "/mail/api/messages", { method: "DELETE" })).json(), { deleted: 1 });
  assert.equal((await (await fetch(server.url + "/mail/api/messages")).json()).total, 0);
});
