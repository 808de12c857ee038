import createClient, { type Middleware } from 'openapi-fetch';
import { Problem, problemOf } from './problem';
import type { paths } from './schema';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The last moment when the server answered: what "as of" may honestly claim. */
export const contact = { at: 0 };

const guard: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method)) request.headers.set('x-braid-csrf', '1');
    return request;
  },
  onResponse() {
    contact.at = Date.now();
  },
  onError() {
    return new Problem({ code: 'no_connection', title: '', status: 0 });
  },
};

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin', headers: { accept: 'application/json, application/problem+json' } });
api.use(guard);

/** Turns openapi-fetch's pair into a value or a thrown Problem, which is what Query and forms want. */
export async function must<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemOf(error, response.status);
  return data as T;
}
