/** Where a message comes from: the page, the campaign that brought the visitor, the browser. */
import type { Properties, Scope } from "./types";

/** Taken from the address and sent under their own names. `mid` is Braid's own signed message id. */
const CLICK_IDS = ["gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "yclid", "twclid", "li_fat_id", "mid"];

export function pageOf(scope: Scope, referrer = scope.document.referrer): Properties {
  const { location, document } = scope;
  return {
    path: location.pathname,
    referrer,
    search: location.search,
    title: document.title,
    url: location.href,
  };
}

export function contextOf(scope: Scope, version: string, referrer?: string): Properties {
  const { navigator, screen, location } = scope;
  const context: Properties = {
    page: pageOf(scope, referrer),
    locale: navigator.language,
    userAgent: navigator.userAgent,
    library: { name: "braid.js", version },
  };
  try {
    context.timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    // Old browsers without time zone data: the server falls back to the shop's zone.
  }
  if (screen) context.screen = { width: screen.width, height: screen.height, density: scope.devicePixelRatio };

  const campaign: Properties = {};
  new URLSearchParams(location.search).forEach((value, key) => {
    key = key.toLowerCase();
    if (!value) return;
    if (key.startsWith("utm_") && key.length > 4) {
      const name = key.slice(4);
      campaign[name === "campaign" ? "name" : name] = value;
      context.campaign = campaign;
    } else if (CLICK_IDS.includes(key)) context[key] = value;
  });
  return context;
}
