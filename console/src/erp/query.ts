// What the pages of the exchange with accounting systems ask the server for.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { whenCut } from '../api/stream';
import type { components, paths } from '../api/schema';

type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type Connection = components['schemas']['ErpConnection'];
export type Exchange = Item<'/api/v1/erp/{connection}/exchanges'>;
export type Line = Item<'/api/v1/erp/{connection}/journal'>;
export type Difference = Item<'/api/v1/erp/{connection}/differences'>;
export type Mapping = Item<'/api/v1/erp/{connection}/mappings'>;

export const ERP = ['erp'] as const;
const next = { initialPageParam: null as string | null, getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null };
const path = (connection: string) => ({ path: { connection } });

export const connectionsQuery = queryOptions({ queryKey: [...ERP, 'all'], queryFn: () => must(api.GET('/api/v1/erp')) });
export const connectionQuery = (name: string) => queryOptions({ queryKey: [...ERP, 'one', name], queryFn: () => must(api.GET('/api/v1/erp/{connection}', { params: path(name) })) });
export const exchangesQuery = (name: string) =>
  infiniteQueryOptions({ ...next, queryKey: [...ERP, 'exchanges', name], queryFn: ({ pageParam }) => must(api.GET('/api/v1/erp/{connection}/exchanges', { params: { ...path(name), query: { limit: 50, cursor: pageParam ?? undefined } } })), refetchInterval: whenCut(10_000) });
export const journalQuery = (name: string, exchange?: string) =>
  infiniteQueryOptions({ ...next, queryKey: [...ERP, 'journal', name, exchange ?? ''], queryFn: ({ pageParam }) => must(api.GET('/api/v1/erp/{connection}/journal', { params: { ...path(name), query: { exchange, limit: 50, cursor: pageParam ?? undefined } } })), refetchInterval: whenCut(10_000) });
export const differencesQuery = (name: string) =>
  infiniteQueryOptions({ ...next, queryKey: [...ERP, 'differences', name], queryFn: ({ pageParam }) => must(api.GET('/api/v1/erp/{connection}/differences', { params: { ...path(name), query: { limit: 50, cursor: pageParam ?? undefined } } })) });
export const mappingsQuery = (name: string) => queryOptions({ queryKey: [...ERP, 'mappings', name], queryFn: () => must(api.GET('/api/v1/erp/{connection}/mappings', { params: path(name) })) });
export const listsQuery = queryOptions({ queryKey: [...ERP, 'lists'], queryFn: () => must(api.GET('/api/v1/price-lists')) });
