import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { components, paths } from '../api/schema';

type S = components['schemas'];
export type ReviewItem = S['ReviewItem'];
export type Rules = S['IdentityRules'];
export type RulesInput = S['IdentityRulesInput'];
export type Stitch = S['StitchBody'];
export type BlockMode = S['BlockMode'];
export type Decision = S['ReviewDecision'];

type ItemOf<P extends '/api/v1/identity/suspects' | '/api/v1/identity/changes'> = paths[P]['get']['responses'][200]['content']['application/json']['items'][number];
export type Suspect = ItemOf<'/api/v1/identity/suspects'>;
export type Change = ItemOf<'/api/v1/identity/changes'>;

export const reviewQuery = infiniteQueryOptions({
  queryKey: ['identity-review'],
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/identity/review', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next_cursor ?? null,
  staleTime: 5_000,
});
export const suspectsQuery = queryOptions({ queryKey: ['identity-suspects'], queryFn: () => must(api.GET('/api/v1/identity/suspects', { params: { query: { limit: 100 } } })) });
export const blockedQuery = infiniteQueryOptions({
  queryKey: ['identity-blocked'],
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/identity/blocked', { params: { query: { limit: 100, cursor: pageParam ?? undefined } } })),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next_cursor ?? null,
});
export const rulesQuery = queryOptions({ queryKey: ['identity-rules'], queryFn: () => must(api.GET('/api/v1/identity/rules')) });
export const stitchQuery = queryOptions({ queryKey: ['identity-stitch'], queryFn: () => must(api.GET('/api/v1/identity/stitch')), staleTime: 30_000 });
// A reader of changes goes on from where it was: an empty page is the end.
export const changesQuery = infiniteQueryOptions({
  queryKey: ['identity-changes'],
  queryFn: ({ pageParam }) => must(api.GET('/api/v1/identity/changes', { params: { query: { limit: 100, cursor: pageParam ?? undefined } } })),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => (last.items.length ? (last.next_cursor ?? null) : null),
});
