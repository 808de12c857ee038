import { api, contact, must } from '../api/client';
import { Problem, problemOf } from '../api/problem';
import type { paths } from '../api/schema';

export type Upload = paths['/api/v1/uploads/{id}']['get']['responses'][200]['content']['application/json'];

const PIECE = 4 << 20;
const KEY = 'braid-uploads';
const WAITS = [500, 1000, 2000, 4000, 8000];
/** The same file again: name, size and moment of change. */
const mark = (file: File) => `${file.name}|${file.size}|${file.lastModified}`;

function kept(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}
function keep(file: File, id: string | null): void {
  try {
    const all = kept();
    if (id) all[mark(file)] = id;
    else delete all[mark(file)];
    sessionStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // not remembered: the file begins anew, that is all
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done, stop) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); stop(signal.reason as Error); }, { once: true });
  });

async function begun(file: File): Promise<Upload> {
  const id = kept()[mark(file)];
  if (id) {
    try {
      return await must(api.GET('/api/v1/uploads/{id}', { params: { path: { id } } }));
    } catch (e) {
      if (!(e instanceof Problem) || e.status !== 404) throw e;
    }
  }
  const upload = await must(api.POST('/api/v1/uploads', { body: { name: file.name, size: file.size } }));
  keep(file, upload.id);
  return upload;
}

/**
 * Brings a file in pieces and goes on where it was: after a lost connection, after a stop, after a reload of the page.
 * The server's count of bytes is the truth; ours only tells where to look.
 */
export async function bring(file: File, told: (u: Upload) => void, signal: AbortSignal): Promise<Upload> {
  let upload = await begun(file);
  let failed = 0;
  told(upload);
  while (upload.received < upload.size) {
    try {
      // After a failure only the server knows how much of the piece arrived.
      if (failed) upload = await must(api.GET('/api/v1/uploads/{id}', { params: { path: { id: upload.id } } }));
      const at = upload.received;
      if (at >= upload.size) break;
      const answer = await fetch(`/api/v1/uploads/${encodeURIComponent(upload.id)}?offset=${at}`, {
        method: 'PUT',
        body: file.slice(at, at + PIECE),
        headers: { 'content-type': 'application/octet-stream', 'x-braid-csrf': '1' },
        credentials: 'same-origin',
        signal,
      });
      contact.at = Date.now();
      if (!answer.ok) throw problemOf(await answer.json().catch(() => null), answer.status);
      upload = (await answer.json()) as Upload;
      failed = 0;
    } catch (e) {
      if (signal.aborted) throw e;
      const away = !(e instanceof Problem) || e.status === 0 || e.status === 503 || e.status === 409;
      const wait = WAITS[failed++];
      if (!away || wait === undefined) throw e instanceof Problem ? e : new Problem({ code: 'no_connection', title: '', status: 0 });
      await pause(wait, signal);
    }
    told(upload);
  }
  keep(file, null);
  return upload;
}
