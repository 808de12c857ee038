import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { Person } from '../api/types';
import * as f from '../ui/format';

export type Kind = 'all' | 'purchases' | 'messages' | 'online';
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

export const timelineQuery = (id: string, kind: Kind, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['timeline', id, kind, limit],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/customers/{person_id}/timeline', { params: { path: { person_id: id }, query: { kind, limit, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });

export const identityQuery = (id: string) =>
  queryOptions({ queryKey: ['identity', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/identity', { params: { path: { person_id: id } } })) });

/** The best name that the traits and identifiers give. */
export function personName(p: Person): string | null {
  const trait = (n: string) => (typeof p.traits[n] === 'string' ? (p.traits[n] as string) : '');
  const identifier = (k: string) => p.identifiers.find((i) => i.kind === k)?.value;
  const phone = identifier('phone');
  return trait('name') || [trait('first_name') || trait('firstName'), trait('last_name') || trait('lastName')].filter(Boolean).join(' ') || identifier('email') || (phone ? f.phone(phone) : null);
}
