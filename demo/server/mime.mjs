// Reads a mail as far as showing it needs: headers, the text and HTML parts, names of attachments (RFC 2045 to 2047).

const MAX_DEPTH = 10;

/** `{ headers: [[name, value]], text, html, attachments: [{ name, type, bytes }] }`; never throws on a malformed mail. */
export function parseMail(raw) {
  const mail = { headers: [], text: null, html: null, attachments: [] };
  const root = splitPart(raw);
  mail.headers = root.headers.map(([name, value]) => [name, decodeWords(value)]);
  collect(root, mail, 0);
  return mail;
}

export function headerOf(headers, name) {
  return headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? "";
}

function splitPart(raw) {
  const gap = /\r?\n\r?\n/.exec(raw.toString("latin1"));
  // Headers are ASCII by rule and UTF-8 by habit.
  const head = (gap ? raw.subarray(0, gap.index) : raw).toString("utf8");
  const body = gap ? raw.subarray(gap.index + gap[0].length) : Buffer.alloc(0);
  const headers = head
    .replace(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/)
    .map((line) => /^([^:\s]+):\s*(.*)$/.exec(line))
    .filter(Boolean)
    .map(([, name, value]) => [name, value]);
  return { headers, body };
}

function collect(part, mail, depth) {
  const { value: type, params } = parseParams(headerOf(part.headers, "Content-Type") || "text/plain");
  if (type.startsWith("multipart/") && params.boundary && depth < MAX_DEPTH) {
    for (const raw of splitMultipart(part.body, params.boundary)) collect(splitPart(raw), mail, depth + 1);
    return;
  }
  const body = decodeBody(part.body, headerOf(part.headers, "Content-Transfer-Encoding"));
  const disposition = parseParams(headerOf(part.headers, "Content-Disposition"));
  const shown = disposition.value !== "attachment";
  if (shown && type === "text/plain" && mail.text === null) mail.text = toText(body, params.charset);
  else if (shown && type === "text/html" && mail.html === null) mail.html = toText(body, params.charset);
  else {
    const name = decodeWords(disposition.params.filename ?? params.name ?? "");
    mail.attachments.push({ name, type, bytes: body.length });
  }
}

function splitMultipart(body, boundary) {
  const text = body.toString("latin1");
  const pieces = text.split(new RegExp(`(?:^|\\r?\\n)--${boundary.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?:--)?[ \\t]*(?=\\r?\\n|$)`));
  // The first piece stands before the first boundary, the last one after the end.
  return pieces.slice(1, pieces.length > 2 ? -1 : undefined).map((piece) => Buffer.from(piece.replace(/^\r?\n/, ""), "latin1"));
}

function parseParams(header) {
  const params = {};
  const value = header.split(";")[0].trim().toLowerCase();
  for (const [, name, quoted, plain] of header.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/g)) {
    params[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
  }
  return { value, params };
}

function decodeBody(body, encoding) {
  switch (encoding.trim().toLowerCase()) {
    case "base64":
      return Buffer.from(body.toString("latin1"), "base64");
    case "quoted-printable":
      return decodeQuotedPrintable(body.toString("latin1").replace(/[ \t]+(?=\r?\n|$)/g, "").replace(/=\r?\n/g, ""));
    default:
      return body;
  }
}

function decodeQuotedPrintable(text) {
  return Buffer.from(text.replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), "latin1");
}

function decodeWords(text) {
  return text
    .replace(/(=\?[^?\s]+\?[bq]\?[^?\s]*\?=)\s+(?==\?[^?\s]+\?[bq]\?)/gi, "$1")
    .replace(/=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi, (_, charset, kind, value) =>
      toText(kind.toLowerCase() === "b" ? Buffer.from(value, "base64") : decodeQuotedPrintable(value.replace(/_/g, " ")), charset),
    );
}

function toText(bytes, charset = "utf-8") {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
