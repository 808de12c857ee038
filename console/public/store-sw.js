// Keeps the store app's shell, so that it opens without a connection and says so. Data is never kept here: what is asked of
// the server is always asked.
const SHELL = 'braid-store-1';
const PAGE = '/store';

self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(SHELL).then((c) => c.addAll([PAGE, '/scheme.js', '/braid.svg'])).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (e) => {
  e.waitUntil(caches.keys().then((keys) => Promise.all(keys.filter((k) => k.startsWith('braid-store-') && k !== SHELL).map((k) => caches.delete(k)))).then(() => self.clients.claim()));
});
self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== 'GET' || url.origin !== location.origin) return;
  if (e.request.mode === 'navigate') {
    // The newest page where there is a connection.
    if (url.pathname !== PAGE) return;
    e.respondWith(
      fetch(e.request)
        .then((r) => {
          if (r.ok) {
            const copy = r.clone();
            e.waitUntil(caches.open(SHELL).then((c) => c.put(PAGE, copy)));
          }
          return r;
        })
        .catch(async () => (await caches.match(PAGE)) ?? Response.error()),
    );
    return;
  }
  // Hashed names never change their content.
  if (url.pathname.startsWith('/assets/')) {
    e.respondWith(
      caches.match(e.request).then(
        (kept) =>
          kept ??
          fetch(e.request).then((r) => {
            if (r.ok) {
              const copy = r.clone();
              e.waitUntil(caches.open(SHELL).then((c) => c.put(e.request, copy)));
            }
            return r;
          }),
      ),
    );
  } else if (url.pathname === '/scheme.js' || url.pathname === '/braid.svg') e.respondWith(fetch(e.request).catch(async () => (await caches.match(e.request)) ?? Response.error()));
});
