import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { Segment } from '../api/types';

/** Lists that people keep by hand, by the trait that only they set. */
export const listNames = new Map<string, string>();
const LIST = /^\s*trait\.(list_\w+)\s*=\s*true\s*$/;
export const listTrait = (s: Pick<Segment, 'expression'>): string | null => LIST.exec(s.expression)?.[1] ?? null;

export const segmentsQuery = queryOptions({
  queryKey: ['segments'],
  queryFn: async (): Promise<Segment[]> => {
    const { items } = await must(api.GET('/api/v1/segments'));
    for (const s of items) {
      const trait = listTrait(s);
      if (trait) listNames.set(trait, s.name);
    }
    return items;
  },
  // While one fills, its share moves; after that the live stream says every change.
  refetchInterval: (q) => (q.state.data?.some((s) => s.state === 'filling') ? 2000 : false),
});

export const segmentQuery = (id: string) =>
  queryOptions({
    queryKey: ['segment', id],
    queryFn: () => must(api.GET('/api/v1/segments/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data?.state === 'filling' ? 2000 : false),
  });
