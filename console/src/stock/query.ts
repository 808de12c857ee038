// What the pages of goods ask the server for.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import type { components, paths } from '../api/schema';

type Schemas = components['schemas'];
type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type Location = Schemas['Location'];
export type Outlet = Schemas['StockChannel'];
export type Stock = Schemas['StockBody'];
export type Lying = Item<'/api/v1/stock'>;
export type Claim = Schemas['ClaimItem'];
export type Movement = Item<'/api/v1/stock/movements'>;
export type TransferRow = Item<'/api/v1/transfers'>;
export type Transfer = Schemas['TransferShown'];
export type CountRow = Item<'/api/v1/stock-counts'>;
export type Count = Schemas['CountShown'];
export type CountLine = Schemas['CountLineShown'];
export type PurchaseRow = Item<'/api/v1/purchase-orders'>;
export type Purchase = Schemas['PurchaseShown'];
export type Supplier = Schemas['SupplierShown'];

/** All that is about goods stands under this key, so that one act refreshes what it may have moved. */
export const GOODS = ['goods'] as const;

export const locationsQuery = queryOptions({ queryKey: [...GOODS, 'locations'], queryFn: () => must(api.GET('/api/v1/locations')) });
export const outletsQuery = queryOptions({ queryKey: [...GOODS, 'outlets'], queryFn: () => must(api.GET('/api/v1/stock-channels')) });
export const suppliersQuery = queryOptions({ queryKey: [...GOODS, 'suppliers'], queryFn: () => must(api.GET('/api/v1/suppliers')) });

const next = { initialPageParam: null as string | null, getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null };

export const lyingQuery = (location: string) =>
  infiniteQueryOptions({
    ...next,
    queryKey: [...GOODS, 'lying', location],
    enabled: location !== '',
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/stock', { params: { query: { location, limit: 100, cursor: pageParam ?? undefined } } })),
  });

export const skuQuery = (sku: string) =>
  queryOptions({
    queryKey: [...GOODS, 'sku', sku],
    queryFn: () => must(api.GET('/api/v1/stock/{sku}', { params: { path: { sku } } })),
  });

export const movementsQuery = (of: { sku?: string; document?: string }, limit = 50) =>
  infiniteQueryOptions({
    ...next,
    queryKey: [...GOODS, 'movements', of.sku ?? '', of.document ?? '', limit],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/stock/movements', { params: { query: { sku: of.sku, document: of.document, limit, cursor: pageParam ?? undefined } } })),
  });

export const transfersQuery = (all: boolean) =>
  infiniteQueryOptions({
    ...next,
    queryKey: [...GOODS, 'transfers', all],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/transfers', { params: { query: { open: all ? undefined : true, limit: 50, cursor: pageParam ?? undefined } } })),
    refetchInterval: 15_000,
  });
export const transferQuery = (id: string) =>
  queryOptions({ queryKey: [...GOODS, 'transfer', id], queryFn: () => must(api.GET('/api/v1/transfers/{id}', { params: { path: { id } } })), refetchInterval: 15_000 });

export const countsQuery = infiniteQueryOptions({
  ...next,
  queryKey: [...GOODS, 'counts'],
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/stock-counts', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
  refetchInterval: 15_000,
});
export const countQuery = (id: string) =>
  queryOptions({ queryKey: [...GOODS, 'count', id], queryFn: () => must(api.GET('/api/v1/stock-counts/{id}', { params: { path: { id } } })), refetchInterval: 10_000 });

export const purchasesQuery = infiniteQueryOptions({
  ...next,
  queryKey: [...GOODS, 'purchases'],
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/purchase-orders', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
});
export const purchaseQuery = (id: string) =>
  queryOptions({ queryKey: [...GOODS, 'purchase', id], queryFn: () => must(api.GET('/api/v1/purchase-orders/{id}', { params: { path: { id } } })) });

/** Places that goods come from and go to without being counted there; every shop has them. */
export const VIRTUAL = ['supplier', 'customer', 'loss', 'transit'];
export const CONDITIONS = ['sellable', 'display', 'damaged', 'quarantine'] as const;
export const KINDS = ['store', 'warehouse', 'micro_fulfilment', 'pickup_point', 'locker', 'partner'] as const;

export const isMissing = (e: unknown): boolean => e instanceof Problem && e.status === 404;
