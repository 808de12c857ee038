import { queryOptions } from '@tanstack/react-query';
import { api, must } from '../../api/client';
import type { components } from '../../api/schema';

export type SavedView = components['schemas']['SavedView'];
export type BulkEdit = components['schemas']['BulkEdit'];
export type BulkEditPreview = components['schemas']['BulkEditPreview'];
export type EditRow = components['schemas']['EditRow'];

export const viewsQuery = (page: string) =>
  queryOptions({ queryKey: ['views', page], queryFn: () => must(api.GET('/api/v1/views', { params: { query: { page } } })).then((r) => r.items), staleTime: 60_000 });
export const editsQuery = queryOptions({ queryKey: ['bulk-edits'], queryFn: () => must(api.GET('/api/v1/bulk-edits', { params: { query: { limit: 12 } } })).then((r) => r.items), staleTime: 10_000 });
