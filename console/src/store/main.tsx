// The store app: what a shop's people do for orders, on a tablet or a phone. An entry of its own beside the console.
import '../ui/mantine';
import '../ui/fonts.css';
import '../ui/ui.css';
import './store.css';
import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem, sayDetailsWith } from '../api/problem';
import { areaTexts, startTexts } from '../i18n';
import { sessionQuery } from '../session/session';
import { SignIn } from '../session/SignIn';
import { cssVariables, theme } from '../theme';
import { ErrorNote } from '../ui/base';
import { schemeManager } from '../ui/scheme';
import { Toast } from '../ui/toast';
import { said } from '../words/server';
import { StoreApp } from './StoreApp';

sayDetailsWith(said);
const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (e) => {
      if (e instanceof Problem && e.status === 401) client.setQueryData(['session'], null);
    },
  }),
  defaultOptions: {
    queries: { networkMode: 'always', staleTime: 4_000, retry: (n, e) => e instanceof Problem && (e.status === 0 || e.status === 503) && n < 2 },
    mutations: { networkMode: 'always' },
  },
});

function App() {
  const session = useQuery(sessionQuery);
  if (session.data) return <><StoreApp /><Toast /></>;
  if (session.data === null) return <SignIn />;
  if (session.error) return <main className="signin"><ErrorNote error={session.error} retry={() => void session.refetch()} /></main>;
  return null;
}

// Without it the app works as well, but not without a connection.
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/store-sw.js', { scope: '/store' }).catch(() => undefined);

await startTexts();
await Promise.all([areaTexts('orders'), areaTexts('stock')]);
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" colorSchemeManager={schemeManager}>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
