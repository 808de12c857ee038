// What the pages of orders ask the server for.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { problemOf } from '../api/problem';
import { whenCut } from '../api/stream';
import type { components, paths } from '../api/schema';

type Schemas = components['schemas'];
type Item<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': { items: (infer I)[] } } } } } } ? I : never;
export type OrderRow = Item<'/api/v1/orders'>;
export type Order = Schemas['OrderBody'];
export type OrderLine = Order['lines'][number];
export type Fulfilment = Order['fulfilments'][number];
export type Happened = Order['history'][number];
export type Queued = Item<'/api/v1/pick-queue'>;
export type Figures = Schemas['OrderFigures'];
export type PlaceFigures = Figures['places'][number];
export type OrderStep = Schemas['OrderStep'];
export type FulfilmentStep = Schemas['FulfilmentStep'];
export type NewOrder = Schemas['NewOrder'];
export type Slot = Item<'/api/v1/orders/{id}/slots'>;
export type Consultation = Schemas['ConsultationBody'];
export type ConsultationStep = Schemas['ConsultationStep'];
export type CounterCard = Schemas['CounterCard'];

/** All that is about orders stands under this key, so that one act refreshes what it may have changed. */
export const ORDERS = ['orders'] as const;

export interface OrderFilter { state?: string; channel?: string; place?: string; q?: string; from?: string; to?: string }

/** A day of the address as a moment; `end` is the begin of the next day. */
export const dayOf = (day: string | undefined, end = false): string | undefined => {
  const at = day ? new Date(`${day}T00:00:00`) : null;
  if (!at || Number.isNaN(at.getTime())) return undefined;
  if (end) at.setDate(at.getDate() + 1);
  return at.toISOString();
};

export const ordersQuery = (of: OrderFilter) =>
  infiniteQueryOptions({
    queryKey: [...ORDERS, 'list', of],
    initialPageParam: null as string | null,
    getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor ?? null,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/orders', { params: { query: { state: of.state, sales_channel: of.channel, location_id: of.place, q: of.q?.trim() || undefined, from: dayOf(of.from), to: dayOf(of.to, true), limit: 50, cursor: pageParam ?? undefined } } })),
    refetchInterval: whenCut(15_000),
  });

export const orderQuery = (id: string) =>
  queryOptions({ queryKey: [...ORDERS, 'one', id], queryFn: () => must(api.GET('/api/v1/orders/{id}', { params: { path: { id } } })), refetchInterval: whenCut(15_000) });

export const queueQuery = (location: string) =>
  queryOptions({
    queryKey: [...ORDERS, 'queue', location],
    enabled: location !== '',
    queryFn: () => must(api.GET('/api/v1/pick-queue', { params: { query: { location_id: location, limit: 200 } } })),
    refetchInterval: whenCut(8_000),
  });

export const figuresQuery = (from: string | undefined, to: string | undefined) =>
  queryOptions({ queryKey: [...ORDERS, 'figures', from ?? '', to ?? ''], queryFn: () => must(api.GET('/api/v1/orders/figures', { params: { query: { from: dayOf(from), to: dayOf(to, true) } } })), refetchInterval: whenCut(60_000) });

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Doc = { [key: string]: Json };

/** The settings with the version that a change of them has to name. */
export const settingsQuery = queryOptions({
  queryKey: [...ORDERS, 'settings'],
  queryFn: async (): Promise<{ doc: Doc; tag: string }> => {
    const { data, error, response } = await api.GET('/api/v1/order-settings');
    if (!response.ok) throw problemOf(error, response.status);
    return { doc: data as Doc, tag: response.headers.get('etag') ?? '' };
  },
  staleTime: Infinity,
});

export const STATES = ['awaiting_payment', 'on_hold', 'parked', 'confirmed', 'in_progress', 'partly_sent', 'sent', 'partly_delivered', 'delivered', 'partly_returned', 'returned', 'lost', 'cancelled'] as const;

/** Pieces that are not at an end yet. */
const EARLY = ['ordered', 'parked', 'allocated', 'released'];
export const partsOf = (o: Order) => o.lines.flatMap((l) => l.parts.map((p) => ({ ...p, line: l.line, sku: l.sku })));
export const cancellable = (o: Order) => partsOf(o).filter((p) => EARLY.includes(p.state));
/** A place picks some of it: its people have to agree to a change. */
export const worked = (o: Order): boolean => o.fulfilments.some((x) => ['in_progress', 'incomplete', 'closed'].includes(x.state));

/** What a place can do now, in the order in which it is done. */
export function stepsOf(o: Order, x: Fulfilment): FulfilmentStep['do'][] {
  const own = partsOf(o).filter((p) => p.fulfilment === x.no);
  const waits = own.some((p) => p.state === 'released');
  const out: FulfilmentStep['do'][] = [];
  if (x.state === 'open' && x.asked_at) out.push('accept', 'decline');
  if (x.state === 'in_progress' && waits) {
    if (!x.ready_at) out.push('ready', 'short');
    else if (x.kind === 'pick_up') out.push('hand_over');
    if (x.kind === 'ship' && x.ready_at) out.push('dispatch');
  }
  if (own.some((p) => p.state === 'sent')) out.push('deliver', 'bring_back');
  return out;
}

/** What goes with an order, lies at the place, and is not the customer's already. */
export const slotsQuery = (order: string, location: string) =>
  queryOptions({ queryKey: [...ORDERS, 'slots', order, location], queryFn: () => must(api.GET('/api/v1/orders/{id}/slots', { params: { path: { id: order }, query: { location_id: location } } })), staleTime: 30_000 });

export const consultationQuery = (id: string) =>
  queryOptions({ queryKey: [...ORDERS, 'consultation', id], queryFn: () => must(api.GET('/api/v1/consultations/{id}', { params: { path: { id } } })), refetchInterval: whenCut(10_000) });

export const consultationsQuery = (location: string) =>
  queryOptions({ queryKey: [...ORDERS, 'consultations', location], queryFn: () => must(api.GET('/api/v1/consultations', { params: { query: { location_id: location } } })), refetchInterval: whenCut(15_000) });

/** A customer as the counter needs them; with an SKU, what it costs for them there. */
export const counterQuery = (person: string, location: string, sku: string) =>
  queryOptions({ queryKey: [...ORDERS, 'counter', person, location, sku], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/counter', { params: { path: { person_id: person }, query: { location_id: location || undefined, sku: sku || undefined } } })) });
