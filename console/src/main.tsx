import './ui/mantine';
import './ui/fonts.css';
import './ui/ui.css';
import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem, sayDetailsWith } from './api/problem';
import { startTexts } from './i18n';
import { router } from './router';
import { LiveProvider } from './session/live';
import { sessionQuery } from './session/session';
import { JoinPage } from './session/JoinPage';
import { SignIn } from './session/SignIn';
import { cssVariables, theme } from './theme';
import { ErrorNote } from './ui/base';
import { schemeManager } from './ui/scheme';

// Not on the way to the first view.
void import('./words/server').then(({ said }) => sayDetailsWith(said));

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (e) => {
      // The session ended while a page was open: sign-in takes its place, and the address stays.
      if (e instanceof Problem && e.status === 401) client.setQueryData(['session'], null);
    },
  }),
  defaultOptions: {
    queries: {
      networkMode: 'always',
      staleTime: 10_000,
      retry: (n, e) => e instanceof Problem && (e.status === 0 || e.status === 503) && n < 2,
    },
    mutations: { networkMode: 'always' },
  },
});

function App() {
  const session = useQuery({ ...sessionQuery, enabled: location.pathname !== '/join' });
  const owed = session.data?.second_factor_owed ?? false;
  // Until the second factor is set up, the server refuses all else.
  useEffect(() => {
    if (owed) void router.navigate({ to: '/settings/$tab', params: { tab: 'own' } });
  }, [owed]);
  if (location.pathname === '/join') return <JoinPage />;
  if (session.data) return <LiveProvider><RouterProvider router={router} /></LiveProvider>;
  if (session.data === null) return <SignIn />;
  if (session.error) return <main className="signin"><ErrorNote error={session.error} retry={() => void session.refetch()} /></main>;
  return null;
}

await startTexts();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" colorSchemeManager={schemeManager}>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
