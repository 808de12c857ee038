// What the pages about places that stand still ask the server for, and how the calendar of disruptions is changed.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { problemOf } from '../api/problem';
import type { components } from '../api/schema';
import { alertsQuery } from '../home/query';
import { type Doc, type Json, settingsQuery } from '../orders/query';

type Schemas = components['schemas'];
export type Alerts = Schemas['AlertsShown'];
export type Alert = Schemas['AlertShown'];
export type Paused = Schemas['PausedPlace'];

export { alertsQuery };

/** Lists of the order settings that say when something does not work. */
export const LISTS = ['switched_off', 'blackouts', 'closures', 'curfews'] as const;
export type List = (typeof LISTS)[number];
export interface Entry { location?: string; territory?: string; queue?: string; from: string; until?: string | null; why?: string }

export const entriesOf = (doc: Doc | undefined, list: List): Entry[] => (Array.isArray(doc?.[list]) ? (doc[list] as unknown as Entry[]) : []);
export const placeOf = (doc: Doc | undefined, id: string): Doc => (doc?.places as { [id: string]: Doc } | undefined)?.[id] ?? {};
export const feedOf = (doc: Doc | undefined): Doc => (doc?.alerts as Doc | undefined) ?? {};

/** Reads the settings as they are now, changes a part and publishes them: what others changed meanwhile stays. */
export function useChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (change: (doc: Doc) => Doc) => {
      const { doc, tag } = await client.fetchQuery({ ...settingsQuery, staleTime: 0 });
      const { data, error, response } = await api.PUT('/api/v1/order-settings', { body: change(doc) as never, headers: { 'if-match': tag } });
      if (!response.ok) throw problemOf(error, response.status);
      return { doc: data as Doc, tag: response.headers.get('etag') ?? tag };
    },
    onSuccess: (next) => {
      client.setQueryData(settingsQuery.queryKey, next);
      void client.invalidateQueries({ queryKey: alertsQuery.queryKey });
    },
  });
}

export const withEntry = (list: List, entry: Entry) => (doc: Doc): Doc => ({ ...doc, [list]: [...entriesOf(doc, list), entry] as unknown as Json });
const same = (a: Entry, b: Entry): boolean => (['location', 'territory', 'queue', 'from', 'until', 'why'] as const).every((k) => (a[k] ?? '') === (b[k] ?? ''));
export const withoutEntry = (list: List, entry: Entry) => (doc: Doc): Doc => {
  const all = entriesOf(doc, list);
  const at = all.findIndex((e) => same(e, entry));
  return { ...doc, [list]: all.filter((_, i) => i !== at) as unknown as Json };
};
