/** For bundlers: `import { braid } from "@braid/js"`. Importing touches nothing, so it is safe on a server too. */
import { Braid } from "./client";
import type { Scope } from "./types";

export { Braid };
export type { Call } from "./client";
export type { CartAction } from "./cart";
export type { Auto, Options, Properties } from "./types";

export const braid = new Braid(globalThis as unknown as Scope);
