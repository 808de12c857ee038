// What the page of reviews asks the server for.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { components } from '../api/schema';

export type Review = components['schemas']['ReviewBody'];
export const REVIEW_STATES = ['awaiting', 'published', 'rejected'] as const;
export const SOURCES = ['own', 'import', 'marketplace'] as const;
export interface ReviewFilter { state?: string; source?: string; stars?: string; product?: string; open?: string }

export const reviewsQuery = (by: ReviewFilter) =>
  infiniteQueryOptions({
    queryKey: ['reviews', by],
    initialPageParam: null as string | null,
    getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/reviews', { params: { query: { state: by.state, source: by.source, rating: by.stars ? Number(by.stars) : undefined, product_id: by.product, unanswered: by.open ? true : undefined, limit: 50, cursor: pageParam ?? undefined } } })),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

export const ratingQuery = (product: string) =>
  queryOptions({ queryKey: ['reviews', 'rating', product], queryFn: () => must(api.GET('/api/v1/products/{id}/rating', { params: { path: { id: product } } })), staleTime: 30_000 });
