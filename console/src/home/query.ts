import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';

export const homeQuery = queryOptions({ queryKey: ['home'], queryFn: () => must(api.GET('/api/v1/home')), staleTime: 5_000, refetchInterval: 60_000 });
