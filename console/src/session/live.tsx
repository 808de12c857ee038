import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { contact } from '../api/client';
import { seldom, Stream, told } from '../api/stream';
import type { Counts, Home, Segment } from '../api/types';
import * as f from '../ui/format';
import { say } from '../ui/toast';

const Live = createContext<Stream | null>(null);

/** One stream for the whole window; pages listen to it and patch what they show. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { t } = useTranslation();
  const [stream, setStream] = useState<Stream | null>(null);
  const words = useRef(t);
  words.current = t;
  useEffect(() => {
    const s = new Stream('/api/v1/live?events=false');
    setStream(s);
    let due: ReturnType<typeof setTimeout> | undefined;
    const refreshHome = () => {
      due ??= setTimeout(() => {
        due = undefined;
        void client.invalidateQueries({ queryKey: ['home'] });
      }, 3000);
    };
    s.on<{ as_of: string; counts: Counts }>('counts', ({ as_of, counts }) => {
      client.setQueryData<Home>(['home'], (old) => old && { ...old, as_of, counts });
      refreshHome();
    });
    s.on<{ id: string; count: number }>('segment', ({ id, count }) => {
      client.setQueryData<Segment>(['segment', id], (old) => old && { ...old, count });
      client.setQueryData<Segment[]>(['segments'], (old) => old?.map((x) => (x.id === id ? { ...x, count } : x)));
      client.setQueryData<Home>(['home'], (old) => old && { ...old, segments: old.segments.map((x) => (x.id === id ? { ...x, count } : x)) });
      void client.invalidateQueries({ queryKey: ['segment-members', id] });
      void client.invalidateQueries({ queryKey: ['segment-changes', id] });
    });
    // Orders, returns, claims, cases, refunds, alerts and settings are told of by this one word.
    const reload = seldom(() => void client.invalidateQueries(), 1000);
    s.on('reload', reload.call);
    const unwatch = s.watch(() => {
      const was = told.state;
      told.state = s.state === 'live' ? 'whole' : 'none';
      // Queries look at their interval when they have answered: asking once sets those of the open page going again.
      if (was === 'whole' && told.state === 'none') void client.invalidateQueries();
    });
    s.onReturn((gap) => {
      void client.invalidateQueries();
      if (gap > 0) say(words.current('live.reconnected', { n: f.number(gap) }));
    });
    return () => {
      clearTimeout(due);
      reload.stop();
      unwatch();
      told.state = 'none';
      s.close();
    };
  }, [client]);
  return <Live.Provider value={stream}>{children}</Live.Provider>;
}

export const useLiveStream = () => useContext(Live);

export function useLive<T>(event: string, handler: (data: T) => void): void {
  const stream = useContext(Live);
  const ref = useRef(handler);
  ref.current = handler;
  useEffect(() => stream?.on<T>(event, (d) => ref.current(d)), [stream, event]);
}

/** Events as they come in, narrowed by the server: a stream of the page's own, for as long as it is open. */
export function useEventStream<T>(query: string, handler: (data: T) => void): void {
  const client = useQueryClient();
  const ref = useRef(handler);
  ref.current = handler;
  useEffect(() => {
    const stream = new Stream(`/api/v1/live${query ? `?${query}` : ''}`);
    stream.on<T>('event', (d) => ref.current(d));
    stream.onReturn(() => void client.invalidateQueries({ queryKey: ['events'] }));
    return () => stream.close();
  }, [query, client]);
}

const noWatch = () => () => undefined;

/** Green and "as of" while the stream stands; how far behind, then since when stopped, when it does not. */
export function Freshness() {
  const stream = useContext(Live);
  const { t } = useTranslation();
  const state = useSyncExternalStore(stream?.watch ?? noWatch, () => stream?.state ?? 'connecting');
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const since = stream?.lostAt ?? contact.at;
  const behind = Math.max(0, now - since);
  if (state === 'live' || behind < 5000)
    return (
      <span className="fresh" data-testid="freshness" data-state="live">
        <i />
        <span>{t('fresh.asOf', { time: f.clock(state === 'live' ? now : since || now) })}</span>
      </span>
    );
  if (behind < 60_000)
    return (
      <span className="fresh late" data-testid="freshness" data-state="late">
        <i />
        <span>{t('fresh.behind', { time: f.seconds(Math.floor(behind / 1000) * 1000) })}</span>
      </span>
    );
  return (
    <span className="fresh stopped" data-testid="freshness" data-state="stopped">
      <i />
      <span>{t('fresh.stopped', { time: f.time(since) })}</span>
    </span>
  );
}
