import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../api/client';
import type { Segment } from '../api/types';

export const segmentsQuery = queryOptions({
  queryKey: ['segments'],
  queryFn: async (): Promise<Segment[]> => (await must(api.GET('/api/v1/segments'))).items,
  // While one fills, its share moves; after that the live stream says every change.
  refetchInterval: (q) => (q.state.data?.some((s) => s.state === 'filling') ? 2000 : false),
});

export const segmentQuery = (id: string) =>
  queryOptions({
    queryKey: ['segment', id],
    queryFn: () => must(api.GET('/api/v1/segments/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data?.state === 'filling' ? 2000 : false),
  });
