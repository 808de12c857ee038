// The demonstration's mailbox: every mail that was sent here, the newest on top, as it comes.
import { brandMark, h, icon, languageButton, number, time, words } from "../assets/ui.js";

const t = words(
  {
    title: "Mailbox",
    note: "Mails of the demonstration end here. None goes out.",
    count: { one: "{count} mail", other: "{count} mails" },
    empty: "No mail yet",
    emptyHelp: "Whatever Braid sends by e-mail in this demonstration appears here at once.",
    pick: "Pick a mail to read it.",
    clear: "Delete all",
    deleteOne: "Delete this mail",
    noSubject: "(no subject)",
    from: "From",
    to: "To",
    html: "HTML",
    text: "Text",
    headers: "Headers",
    raw: "As received",
    shownAs: "Shown as",
    frame: "The mail as HTML",
    attachments: { one: "{count} attachment", other: "{count} attachments" },
    oneClick: "One-click unsubscribe",
    lost: "No connection; trying again",
    back: "All mails",
  },
  {
    title: "Поштова скринька",
    note: "Тут закінчуються всі листи демонстрації. Назовні не йде жоден.",
    count: { one: "{count} лист", few: "{count} листи", many: "{count} листів", other: "{count} листа" },
    empty: "Листів ще немає",
    emptyHelp: "Усе, що Braid у цій демонстрації надсилає поштою, з’являється тут одразу.",
    pick: "Виберіть лист, щоб прочитати.",
    clear: "Видалити всі",
    deleteOne: "Видалити цей лист",
    noSubject: "(без теми)",
    from: "Від",
    to: "Кому",
    html: "HTML",
    text: "Текст",
    headers: "Заголовки",
    raw: "Як надійшов",
    shownAs: "Показати як",
    frame: "Лист у вигляді HTML",
    attachments: { one: "{count} вкладення", few: "{count} вкладення", many: "{count} вкладень", other: "{count} вкладення" },
    oneClick: "Відписка одним натиском",
    lost: "Немає зв’язку, пробуємо знову",
    back: "Усі листи",
  },
);

const API = "/mail/api/messages";
const root = document.getElementById("mail");
const count = h("span", { class: "small faint", role: "status" });
const clear = h("button", { class: "button", type: "button", onclick: () => fetch(API, { method: "DELETE" }) }, icon("trash"), t("clear"));
const list = h("ul", { class: "list", "data-testid": "mail-list" });
const detail = h("article", { class: "detail", "data-testid": "mail-detail" });
let items = [];
let shown = null;
let form = "html";

document.title = t("title");
root.replaceChildren(
  h("header", { class: "top" }, h("h1", { class: "row" }, brandMark(), t("title")), count, h("span", { class: "grow" }), clear, languageButton()),
  h("main", {}, h("nav", { "aria-label": t("title") }, list), detail));
addEventListener("hashchange", open);
listen();

function listen() {
  const source = new EventSource("/mail/api/events");
  source.onmessage = refresh;
  // The browser connects again by itself; until then the list is not up to date, and says so.
  source.onerror = () => (count.textContent = t("lost"));
}

async function refresh() {
  const answer = await fetch(API);
  const body = await answer.json();
  items = body.items;
  count.textContent = t("count", { count: body.total });
  clear.disabled = !items.length;
  drawList();
  if (!shown || !items.some((item) => item.id === shown.id)) open();
}

function drawList() {
  if (!items.length) return list.replaceChildren(h("li", { class: "empty" }, h("b", {}, t("empty")), h("span", { class: "quiet small" }, t("emptyHelp"))));
  list.replaceChildren(...items.map((item) => h("li", {}, h("a", { href: "#" + item.id, "data-testid": "mail-item", "aria-current": location.hash.slice(1) === item.id ? "true" : null },
    h("span", { class: "row" }, h("b", { class: "grow cut" }, item.envelope.to.join(", ")), h("span", { class: "small faint" }, time(new Date(item.received_at)))),
    h("span", { class: "cut" }, item.subject || t("noSubject")),
    h("span", { class: "small faint cut" }, item.preview)))));
}

async function open() {
  const id = location.hash.slice(1);
  root.classList.toggle("reading", Boolean(id));
  drawList();
  shown = null;
  if (id) {
    const answer = await fetch(`${API}/${id}`);
    // Another one may have been opened meanwhile.
    if (location.hash.slice(1) !== id) return;
    if (answer.ok) shown = await answer.json();
  }
  drawDetail();
}

function drawDetail() {
  if (!shown) return detail.replaceChildren(h("p", { class: "quiet" }, items.length ? t("pick") : t("note")));
  const { subject, from, envelope, attachments, headers, html, text, id } = shown;
  if (form === "html" && html === null) form = "text";
  const tab = (name) => h("button", { type: "button", "aria-pressed": String(form === name), onclick: () => {
    form = name;
    drawDetail();
  } }, t(name));
  const oneClick = headers.some(([name]) => name.toLowerCase() === "list-unsubscribe-post");
  detail.replaceChildren(
    h("a", { class: "button plain back", href: "#" }, icon("back"), t("back")),
    h("div", { class: "row" }, h("h2", { class: "grow" }, subject || t("noSubject")), h("button", { class: "button square", type: "button", "aria-label": t("deleteOne"), onclick: async () => {
      await fetch(`${API}/${id}`, { method: "DELETE" });
      location.hash = "";
    } }, icon("trash"))),
    h("dl", {}, h("dt", {}, t("from")), h("dd", {}, from || envelope.from), h("dt", {}, t("to")), h("dd", {}, envelope.to.join(", "))),
    h("p", { class: "small quiet" }, [oneClick && t("oneClick"), attachments.length && `${t("attachments", { count: attachments.length })}: ${attachments.map(({ name, type, bytes }) => `${name || type} (${number(bytes)} B)`).join(", ")}`].filter(Boolean).join(" · ")),
    h("div", { class: "tabs" }, h("div", { role: "group", "aria-label": t("shownAs") }, html !== null && tab("html"), tab("text"), tab("headers")), h("a", { href: `${API}/${id}/raw`, target: "_blank", rel: "noopener" }, t("raw"))),
    body(id, text, headers));
}

function body(id, text, headers) {
  // No scripts and no origin for what others wrote; links may open a window of their own.
  if (form === "html") return h("iframe", { title: t("frame"), sandbox: "allow-popups allow-popups-to-escape-sandbox", src: `${API}/${id}/html`, "data-testid": "mail-html" });
  if (form === "text") return h("pre", {}, text ?? "");
  return h("table", {}, h("tbody", {}, headers.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))));
}
