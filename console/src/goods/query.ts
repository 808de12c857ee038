// What the pages of lots, serial numbers, companies and law ask the server for.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { components, paths } from '../api/schema';
import { GOODS } from '../stock/query';

type Schemas = components['schemas'];
type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type Lot = Schemas['LotShown'];
export type Entity = Schemas['EntityShown'];
export type EntityReport = Schemas['EntitiesReport'];
export type EntityPaper = Item<'/api/v1/legal-entities/documents'>;
export type TagSession = Schemas['SessionShown'];

export const lotsQuery = (sku: string) => queryOptions({ queryKey: [...GOODS, 'lots', sku], queryFn: () => must(api.GET('/api/v1/stock/{sku}/lots', { params: { path: { sku } } })) });
export const waitingQuery = (sku: string) => queryOptions({ queryKey: [...GOODS, 'waiting', sku], queryFn: () => must(api.GET('/api/v1/waiting-list', { params: { query: { sku, limit: 100 } } })), refetchInterval: 15_000 });
export const costQuery = (sku: string) => queryOptions({ queryKey: [...GOODS, 'cost', sku], queryFn: () => must(api.GET('/api/v1/stock/{sku}/cost', { params: { path: { sku } } })), retry: false });
export const serialQuery = (sn: string) => queryOptions({ queryKey: [...GOODS, 'serial', sn], enabled: sn !== '', retry: false, queryFn: () => must(api.GET('/api/v1/serials/{sn}', { params: { path: { sn } } })) });
export const tagsQuery = infiniteQueryOptions({
  queryKey: [...GOODS, 'tags'],
  initialPageParam: null as string | null,
  getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/rfid-sessions', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
  refetchInterval: 15_000,
});
export const tagQuery = (id: string) => queryOptions({ queryKey: [...GOODS, 'tag', id], enabled: id !== '', queryFn: () => must(api.GET('/api/v1/rfid-sessions/{id}', { params: { path: { id } } })) });
export const entitiesQuery = queryOptions({ queryKey: [...GOODS, 'entities'], queryFn: () => must(api.GET('/api/v1/legal-entities')) });
export const papersQuery = infiniteQueryOptions({
  queryKey: [...GOODS, 'entity-papers'],
  initialPageParam: null as string | null,
  getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/legal-entities/documents', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
});
export const reportQuery = (from: string, until: string) => queryOptions({ queryKey: [...GOODS, 'entity-report', from, until], queryFn: () => must(api.GET('/api/v1/legal-entities/report', { params: { query: { from, until } } })) });
export const lawQuery = (country: string) => queryOptions({ queryKey: [...GOODS, 'law', country], queryFn: () => must(api.GET('/api/v1/laws/{country}', { params: { path: { country } } })), retry: false, staleTime: 60_000 });
