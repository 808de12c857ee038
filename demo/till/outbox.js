// Receipts on their way to Braid. Each is kept on this till until Braid has it; its id is made here, so that sending it
// again is harmless. Nothing is ever dropped: what Braid refuses is set aside and counted.
import { readStoredJson, store } from "../assets/ui.js";

const WAITING = "till_waiting";
const REFUSED = "till_refused";
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;

/** `onChange({ waiting, refused, kept })` after each change; `kept` is false when the browser stores nothing. */
export function createOutbox(onChange) {
  // Memory is the truth of this page, storage what outlives it. Another page of the same till may have added some.
  let waiting = readStoredJson(WAITING, []);
  let refused = readStoredJson(REFUSED, []);
  let kept = true;
  let pause = FIRST_PAUSE_MS;
  let timer;
  let sending = false;
  /** What this page has settled: another page may still have it in what it writes. */
  const done = new Set();

  function save() {
    kept = store(WAITING, JSON.stringify(waiting)) && store(REFUSED, JSON.stringify(refused));
    onChange({ waiting, refused, kept });
  }

  function join() {
    const known = new Set([...waiting, ...refused].map((message) => message.messageId));
    waiting.push(...readStoredJson(WAITING, []).filter((message) => !known.has(message.messageId) && !done.has(message.messageId)));
  }

  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    while (waiting.length) {
      const message = waiting[0];
      const { status, retryAfter } = await post(message);
      const arrived = status >= 200 && status < 300;
      const hopeless = [400, 413, 422].includes(status);
      if (!arrived && !hopeless) {
        // In order, one by one: while the first does not go through, the next would not either.
        timer = setTimeout(send, Math.max(retryAfter, pause));
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
        break;
      }
      pause = FIRST_PAUSE_MS;
      done.add(message.messageId);
      waiting = waiting.filter((other) => other !== message);
      if (hopeless) refused.push(message);
      join();
      save();
    }
    sending = false;
  }

  addEventListener("online", send);
  return {
    add(message) {
      join();
      waiting.push(message);
      save();
      send();
    },
    send,
    waits: (messageId) => waiting.some((message) => message.messageId === messageId),
    start() {
      save();
      send();
    },
  };
}

async function post(message) {
  try {
    const answer = await fetch("/till/api/event", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(15_000),
    });
    return { status: answer.status, retryAfter: (Number(answer.headers.get("Retry-After")) || 0) * 1000 };
  } catch {
    return { status: 0, retryAfter: 0 };
  }
}
