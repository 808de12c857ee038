import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { paths } from '../api/schema';

type Ok<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer T } } } } } ? T : never;
export type Webhook = Ok<'/api/v1/webhooks'>['items'][number];
export type Delivery = Ok<'/api/v1/webhooks/{id}/deliveries'>['items'][number];
export type DeliveryDetails = Ok<'/api/v1/webhook-deliveries/{id}'>;
export type DeliveryState = Delivery['state'];

export const webhooksQuery = queryOptions({ queryKey: ['webhooks'], queryFn: () => must(api.GET('/api/v1/webhooks')), refetchInterval: 5_000 });
export const webhookQuery = (id: string) => queryOptions({ queryKey: ['webhooks', id], queryFn: () => must(api.GET('/api/v1/webhooks/{id}', { params: { path: { id } } })), refetchInterval: 5_000 });
export const typesQuery = queryOptions({ queryKey: ['webhook-types'], queryFn: () => must(api.GET('/api/v1/webhook-types')), staleTime: Infinity });
