/** For a script tag: becomes `window.braid` and takes over what the snippet kept until now. */
import { Braid, type Call } from "./client";
import type { Scope } from "./types";

const scope = globalThis as unknown as Scope & { braid?: Braid | Call[] };
const before = scope.braid;

// A page that includes the script twice keeps the first client, and with it its queue.
if (!(before && "version" in before)) {
  const client = (scope.braid = new Braid(scope));
  if (before) client.replay(before);
}
