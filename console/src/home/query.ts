import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { whenCut } from '../api/stream';

export const homeQuery = queryOptions({ queryKey: ['home'], queryFn: () => must(api.GET('/api/v1/home')), staleTime: 5_000, refetchInterval: 60_000 });

/** Which places stand still; the page of them asks the same. Home does not wait for the words of orders. */
export const alertsQuery = queryOptions({ queryKey: ['orders', 'alerts'], queryFn: () => must(api.GET('/api/v1/alerts')), refetchInterval: whenCut(15_000) });
