import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { Person, Strand } from '../api/types';
import * as f from '../ui/format';

/** Which part of a history: kinds as the server registers them, a lane, days of the reader's calendar. */
export interface HistoryFilter {
  kinds: string[];
  channel: Strand | undefined;
  from: string | undefined;
  to: string | undefined;
}
/** A history without a filter. */
export const EVERYTHING: HistoryFilter = { kinds: [], channel: undefined, from: undefined, to: undefined };

export type Sort = 'last_seen' | 'revenue' | 'orders';

export const customersQuery = (query: string, segment: string | undefined, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: ['customers', query, segment ?? '', sort],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/customers', { params: { query: { query: query || undefined, segment_id: segment, sort, limit: 50, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });

export const personQuery = (id: string) =>
  queryOptions({ queryKey: ['person', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}', { params: { path: { person_id: id } } })) });

/** The moment at which a day of the reader's calendar begins; `after` days later. */
const dayStart = (day: string | undefined, after = 0): string | undefined => {
  if (!day) return undefined;
  const [y, m, d] = day.split('-').map(Number);
  const at = new Date(y!, m! - 1, d! + after);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};

export const timelineQuery = (id: string, { kinds, channel, from, to }: HistoryFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['timeline', id, kinds.join(), channel ?? '', from ?? '', to ?? '', limit],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/customers/{person_id}/timeline', { params: { path: { person_id: id }, query: { kind: kinds.join() || undefined, channel, from: dayStart(from), to: dayStart(to, 1), limit, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });

/** What the page shows to who asks: every part of Braid registers its kinds of entries and its panels. */
export const customerPageQuery = queryOptions({ queryKey: ['customer-page'], queryFn: () => must(api.GET('/api/v1/customer-page')), staleTime: 600_000 });

export const countsQuery = (id: string) =>
  queryOptions({ queryKey: ['timeline-counts', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/timeline/counts', { params: { path: { person_id: id } } })) });

export const identityQuery = (id: string) =>
  queryOptions({ queryKey: ['identity', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/identity', { params: { path: { person_id: id } } })) });

/** The best name that the traits and identifiers give. */
export function personName(p: Person): string | null {
  const trait = (n: string) => (typeof p.traits[n] === 'string' ? (p.traits[n] as string) : '');
  const identifier = (k: string) => p.identifiers.find((i) => i.kind === k)?.value;
  const phone = identifier('phone');
  return trait('name') || [trait('first_name') || trait('firstName'), trait('last_name') || trait('lastName')].filter(Boolean).join(' ') || identifier('email') || (phone ? f.phone(phone) : null);
}
