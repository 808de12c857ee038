// What the pages about goods that are on order ask: what can still be promised, to whom it is promised, and which promises moved.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { components, paths } from '../api/schema';
import { GOODS } from './query';

type Schemas = components['schemas'];
type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type Supply = Item<'/api/v1/stock/{sku}/incoming'>;
export type PromiseChange = Item<'/api/v1/incoming-claims/changes'>;
export type IncomingClaim = Schemas['IncomingShown'];
export type Ahead = Schemas['AheadBody'];

export const supplyQuery = (sku: string) => queryOptions({ queryKey: [...GOODS, 'supply', sku], queryFn: () => must(api.GET('/api/v1/stock/{sku}/incoming', { params: { path: { sku } } })) });
export const aheadQuery = (sku: string) => queryOptions({ queryKey: [...GOODS, 'ahead', sku], queryFn: () => must(api.GET('/api/v1/stock/{sku}/ahead', { params: { path: { sku } } })) });
export const claimOnOrderQuery = (id: string) => queryOptions({ queryKey: [...GOODS, 'incoming-claim', id], enabled: /^\d+$/.test(id), retry: false, queryFn: () => must(api.GET('/api/v1/incoming-claims/{id}', { params: { path: { id } } })) });
/** The server tells them oldest first; pages read all and show the newest first. */
export const changesQuery = infiniteQueryOptions({
  queryKey: [...GOODS, 'incoming-changes'],
  initialPageParam: null as string | null,
  getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/incoming-claims/changes', { params: { query: { limit: 500, cursor: pageParam ?? undefined } } })),
});
