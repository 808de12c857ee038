// What the pages of returns ask the server for.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { whenCut } from '../api/stream';
import type { components, paths } from '../api/schema';

type Schemas = components['schemas'];
type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type AfterRow = Item<'/api/v1/returns'>;
export type Return = Schemas['ReturnShown'];
export type ReturnLine = Return['lines'][number];
export type Claim = Schemas['ClaimShown'];
export type Case = Schemas['CaseShown'];
export type Refund = Schemas['RefundShown'];
export type Policy = Schemas['ReturnPolicyBody'];
export type Rates = Schemas['RatesShown'];
export type Group = Rates['overall'];
export type NewReturn = Schemas['ReturnBody'];

/** All that is after the sale stands under this key, so that one act refreshes what it may have changed. */
export const AFTER = ['after'] as const;

export const REASONS = ['too_small', 'too_large', 'not_liked', 'changed_mind', 'not_as_described', 'defect', 'damaged', 'wrong_item', 'late', 'not_collected', 'other'] as const;
export const GRADES = ['sellable', 'outlet', 'write_off'] as const;
export const RETURN_STATES = ['open', 'requested', 'approved', 'partly_received', 'received', 'refunded', 'fulfilled', 'cancelled'] as const;
export const CLAIM_STATES = ['open', 'approved', 'denied', 'resolved', 'cancelled'] as const;
export const CASE_STATES = ['running', 'open', 'accepted', 'waiting', 'in_work', 'ready', 'closed', 'refused', 'cancelled'] as const;
export const CASE_KINDS = ['warranty', 'repair', 'instructions', 'check_in'] as const;
export const REFUND_STATES = ['pending', 'failed', 'settled', 'credited'] as const;

export type Of = 'returns' | 'claims' | 'cases';
export interface AfterFilter { state?: string; kind?: string; reason?: string; place?: string; owner?: string; due?: string; q?: string }

/** What `due` of the address means: late, until tomorrow's end, within a week. */
export const dueBefore = (due: string | undefined, now = Date.now()): string | undefined => {
  if (due === 'late') return new Date(now).toISOString();
  const days = due === 'today' ? 1 : due === 'week' ? 7 : 0;
  if (!days) return undefined;
  const end = new Date(now);
  end.setHours(24 * days, 0, 0, 0);
  return end.toISOString();
};

const LISTS = { returns: '/api/v1/returns', claims: '/api/v1/claims', cases: '/api/v1/after-sale' } as const;

export const afterQuery = (of: Of, by: AfterFilter) =>
  infiniteQueryOptions({
    queryKey: [...AFTER, of, by],
    initialPageParam: null as string | null,
    getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
    queryFn: ({ pageParam }) => must(api.GET(LISTS[of], { params: { query: { state: by.state, kind: by.kind, reason: by.reason, location_id: by.place, owner: by.owner, due_before: dueBefore(by.due), q: by.q?.trim() || undefined, limit: 50, cursor: pageParam ?? undefined } } })),
    refetchInterval: whenCut(15_000),
  });

export const refundsQuery = (state: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [...AFTER, 'refunds', state ?? ''],
    initialPageParam: null as string | null,
    getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/refunds', { params: { query: { state, limit: 50, cursor: pageParam ?? undefined } } })),
    refetchInterval: whenCut(15_000),
  });

export const returnQuery = (id: string) => queryOptions({ queryKey: [...AFTER, 'return', id], queryFn: () => must(api.GET('/api/v1/returns/{id}', { params: { path: { id } } })), refetchInterval: whenCut(15_000) });
export const claimQuery = (id: string) => queryOptions({ queryKey: [...AFTER, 'claim', id], queryFn: () => must(api.GET('/api/v1/claims/{id}', { params: { path: { id } } })), refetchInterval: whenCut(15_000) });
export const caseQuery = (id: string) => queryOptions({ queryKey: [...AFTER, 'case', id], queryFn: () => must(api.GET('/api/v1/after-sale/{id}', { params: { path: { id } } })), refetchInterval: whenCut(15_000) });
export const policyQuery = queryOptions({ queryKey: [...AFTER, 'policy'], queryFn: () => must(api.GET('/api/v1/returns/policy')), staleTime: 60_000 });
export const ratesQuery = (from: string | undefined, to: string | undefined) => queryOptions({ queryKey: [...AFTER, 'rates', from ?? '', to ?? ''], queryFn: () => must(api.GET('/api/v1/returns/rates', { params: { query: { from, to, limit: 100 } } })), staleTime: 60_000 });

/** What came after one order. */
export const ofOrderQuery = (order_id: string) =>
  queryOptions({
    queryKey: [...AFTER, 'order', order_id],
    queryFn: async () => {
      const params = { params: { query: { order_id, limit: 50 } } };
      const [returns, claims, cases] = await Promise.all([must(api.GET('/api/v1/returns', params)), must(api.GET('/api/v1/claims', params)), must(api.GET('/api/v1/after-sale', params))]);
      return { returns: returns.items, claims: claims.items, cases: cases.items };
    },
    refetchInterval: whenCut(15_000),
  });

export const ofCustomerQuery = (person_id: string) => queryOptions({ queryKey: [...AFTER, 'customer', person_id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/orders', { params: { path: { person_id } } })) });

/** Pieces of a return that came, and those that nobody looked at. */
export const came = (l: ReturnLine): number => round(l.arrived.reduce((n, a) => n + a.quantity, 0));
export const ungraded = (r: Return): number => r.lines.reduce((n, l) => n + l.arrived.filter((a) => !a.grade).length, 0);
export const round = (n: number): number => Math.round(n * 1000) / 1000;

export type Step = 'approve' | 'deny' | 'cancel' | 'receive' | 'close_short' | 'refund' | 'fulfil' | 'turn';
/** What can be done with a return now, the next step first. */
export function stepsOf(r: Return): Step[] {
  const exchange = r.kind === 'exchange';
  if (r.state === 'requested') return ['approve', 'deny', 'cancel'];
  if (r.state === 'approved') return ['receive', 'cancel'];
  if (r.state === 'partly_received') return ungraded(r) ? ['receive'] : ['receive', 'close_short'];
  if (r.state !== 'received') return [];
  if (exchange) return ['fulfil', 'turn'];
  return r.refunds.length || ungraded(r) ? [] : ['refund'];
}

export type CaseDo = 'accept' | 'wait' | 'work' | 'finish' | 'cancel' | 'close' | 'refuse';
export function caseSteps(c: Case): CaseDo[] {
  const steps: Record<string, CaseDo[]> = { open: ['accept', 'close', 'refuse', 'cancel'], accepted: ['work', 'wait', 'cancel'], waiting: ['work', 'cancel'], in_work: ['finish', 'wait'], ready: ['close', 'work'] };
  // A call needs no work.
  if (c.kind === 'check_in' || c.kind === 'instructions') steps.open = ['close', 'accept', 'refuse', 'cancel'];
  return steps[c.state] ?? [];
}
