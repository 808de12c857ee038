import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { paths } from '../api/schema';
import { moneyField } from '../ui/format';

type Ok<P extends keyof paths, M extends 'get' | 'post' = 'get'> = paths[P] extends { [K in M]: { responses: { 200: { content: { 'application/json': infer T } } } } } ? T : never;
type Body<P extends keyof paths, M extends 'post' | 'put'> = paths[P] extends { [K in M]: { requestBody: { content: { 'application/json': infer T } } } } ? T : never;

/** What the server always sends; the same shape as input may leave fields out. */
type Whole<T> = T extends (infer I)[] ? Whole<I>[] : T extends object ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> } : T;

export type Product = Whole<Ok<'/api/v1/products/{id}'>>;
export type ProductVariant = Product['variants'][number];
export type ProductInput = Body<'/api/v1/products', 'post'>;
export type Search = Body<'/api/v1/catalog/search', 'post'>;
export type Found = Ok<'/api/v1/catalog/search', 'post'>;
export type Facet = Found['facets'][number];
export type Attribute = Whole<Ok<'/api/v1/attributes'>['items'][number]>;
export type Family = Whole<Ok<'/api/v1/families'>['items'][number]>;
export type Category = Whole<Ok<'/api/v1/categories'>['items'][number]>;
export type Channel = Whole<Ok<'/api/v1/sales-channels'>['items'][number]>;
export type Feed = Ok<'/api/v1/feeds'>['items'][number];
export type Gaps = Ok<'/api/v1/products/{id}/completeness'>['items'][number];
export type Version = Ok<'/api/v1/products/{id}/history'>['items'][number];
export type Comparison = Ok<'/api/v1/catalog/compare'>;

export const searchQuery = (body: Search) => queryOptions({ queryKey: ['products', 'search', body], queryFn: async () => { const found = await must(api.POST('/api/v1/catalog/search', { body })); return { ...found, items: found.items as Product[] }; }, placeholderData: (old) => old });
export const productQuery = (id: string) => queryOptions({ queryKey: ['products', id], queryFn: () => must(api.GET('/api/v1/products/{id}', { params: { path: { id } } })) as Promise<Product> });
export const gapsQuery = (id: string) => queryOptions({ queryKey: ['products', id, 'gaps'], queryFn: () => must(api.GET('/api/v1/products/{id}/completeness', { params: { path: { id } } })) });
export const historyQuery = (id: string) => queryOptions({ queryKey: ['products', id, 'history'], queryFn: () => must(api.GET('/api/v1/products/{id}/history', { params: { path: { id } } })) });
export const linksQuery = (id: string) => queryOptions({ queryKey: ['products', id, 'links'], queryFn: () => must(api.GET('/api/v1/products/{id}/links', { params: { path: { id } } })) });
export const attributesQuery = queryOptions({ queryKey: ['attributes'], queryFn: () => must(api.GET('/api/v1/attributes')) as Promise<{ items: Attribute[] }> });
export const familiesQuery = queryOptions({ queryKey: ['families'], queryFn: () => must(api.GET('/api/v1/families')) as Promise<{ items: Family[] }> });
export const categoriesQuery = queryOptions({ queryKey: ['categories'], queryFn: () => must(api.GET('/api/v1/categories')) as Promise<{ items: Category[] }> });
export const channelsQuery = queryOptions({ queryKey: ['sales-channels'], queryFn: () => must(api.GET('/api/v1/sales-channels')) as Promise<{ items: Channel[] }> });
export const feedsQuery = queryOptions({ queryKey: ['feeds'], queryFn: () => must(api.GET('/api/v1/feeds')), refetchInterval: 5_000 });
export const compareQuery = (ids: string, locale: string) => queryOptions({ queryKey: ['compare', ids, locale], queryFn: () => must(api.GET('/api/v1/catalog/compare', { params: { query: { ids, locale } } })) });

/** The text of a thing in a language, in any, or its code. */
export const labelOf = (labels: Record<string, string>, code: string, language: string): string => labels[language] ?? Object.values(labels)[0] ?? code;

/** A value as a person reads and types it. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join('; ');
  if (typeof value === 'object') {
    const v = value as { amount?: string; unit?: string; minor?: number; currency?: string };
    if (v.amount !== undefined) return `${v.amount} ${v.unit ?? ''}`.trim();
    if (v.minor !== undefined) return `${moneyField(v.minor, v.currency)} ${v.currency ?? ''}`.trim();
    return JSON.stringify(value);
  }
  return String(value);
}

/** The least of a product's completeness, and where. */
export function leastFull(p: Product): { percent: number; place: string } | null {
  const least = [...p.completeness].sort((a, b) => a.percent - b.percent)[0];
  return least ? { percent: least.percent, place: `${least.channel}/${least.locale}` } : null;
}

/** Where a picture is fetched: of our own by its hash, of others as it stands. */
export const pictureUrl = (hash: string, side: 96 | 320 | 960): string => (/^[0-9a-f]{64}$/.test(hash) ? `/media/${hash}/${side}` : hash);
