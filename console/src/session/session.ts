import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import type { Me } from '../api/types';
import { setShop } from '../ui/format';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Me | null> => {
    try {
      const me = await must(api.GET('/api/v1/session'));
      setShop(me.shop);
      return me;
    } catch (e) {
      if (e instanceof Problem && e.status === 401) return null;
      throw e;
    }
  },
  staleTime: Infinity,
  refetchInterval: 60_000,
});

export function useMe(): Me {
  const me = useQueryClient().getQueryData<Me | null>(['session']);
  if (!me) throw new Error('a page was drawn without a session');
  return me;
}

/** Rights by their names in docs/roles.md. The server decides; this only keeps dead ends off the screen. */
export const useMay = (right: string): boolean => useMe().rights?.includes(right) ?? false;
