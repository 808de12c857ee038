import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Stream } from '../api/stream';
import type { TimelineItem, TimelinePage } from '../api/types';
import { EmptyState, ErrorNote, Skeleton, STRANDS, strandIcon } from '../ui/base';
import * as f from '../ui/format';
import { Json } from '../ui/Json';
import { laneX, Strand } from '../ui/Strand';
import { type HistoryFilter, timelineQuery } from './query';
import { type Entry, fold } from './timeline';

type Pages = { pages: TimelinePage[]; pageParams: (string | null)[] };

const later = (a: TimelineItem, b: TimelineItem) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : a.message_id < b.message_id ? 1 : -1);

/** Whether a step that has just happened belongs to what is shown. */
const belongs = (e: TimelineItem, { kinds, channel, from, to }: HistoryFilter): boolean => {
  const day = f.dayKey(e.timestamp);
  return (kinds.length === 0 || kinds.includes(e.kind)) && (!channel || e.strand === channel) && (!from || day >= from) && (!to || day <= to);
};

/** One customer's steps through the five lanes, newest first; new ones slide in at the top or wait while one reads below. */
export function Timeline({ id, filter, stream }: { id: string; filter: HistoryFilter; stream: Stream | null }) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const timeline = useInfiniteQuery(timelineQuery(id, filter));
  const scroller = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLOListElement>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [waiting, setWaiting] = useState<TimelineItem[]>([]);
  const [entered, setEntered] = useState<Set<string>>(new Set());
  const options = timelineQuery(id, filter);

  const insert = (items: TimelineItem[]) => {
    client.setQueryData<Pages>(options.queryKey, (old) => {
      const first = old?.pages[0];
      if (!old || !first) return old;
      const known = new Set(old.pages.flatMap((p) => p.items.map((i) => i.message_id)));
      const fresh = items.filter((i) => !known.has(i.message_id) && belongs(i, filter));
      if (fresh.length === 0) return old;
      return { ...old, pages: [{ ...first, items: [...fresh, ...first.items].sort(later) }, ...old.pages.slice(1)] };
    });
    setEntered((s) => new Set([...s, ...items.map((i) => i.message_id)]));
    setTimeout(() => setEntered((s) => new Set([...s].filter((x) => !items.some((i) => i.message_id === x)))), 1000);
  };

  useEffect(
    () =>
      stream?.on<TimelineItem>('timeline', (item) => {
        if ((scroller.current?.scrollTop ?? 0) > 60) setWaiting((w) => [item, ...w]);
        else insert([item]);
      }),
    [stream, id, options.queryKey.join()],
  );

  const list = useMemo(() => timeline.data?.pages.flatMap((p) => p.items), [timeline.data]);
  // What one request reads is bounded: with a filter a page may be short, or empty, and still have a next one.
  const short = timeline.hasNextPage && (list?.length ?? 0) < 20;
  useEffect(() => {
    if (short && !timeline.isFetchingNextPage && !timeline.error) void timeline.fetchNextPage();
  }, [short, timeline]);
  // Titles are made of words, so the language belongs to what they depend on.
  const entries = useMemo(() => fold(list ?? []), [list, i18n.language]);
  const days = useMemo(() => {
    const out: { key: string; heading: string; entries: Entry[] }[] = [];
    for (const e of entries) {
      const at = e.items[0]!.timestamp;
      const key = f.dayKey(at);
      const day = out[out.length - 1];
      if (day?.key === key) day.entries.push(e);
      else out.push({ key, heading: f.dayHeading(at), entries: [e] });
    }
    return out;
  }, [entries]);

  return (
    <>
      <div className="lanes" aria-hidden="true">
        {STRANDS.map((s) => {
          const Icon = strandIcon[s];
          return <span key={s} className={`node ${s}`} style={{ left: laneX(s) - 12, background: 'none' }}><Icon /></span>;
        })}
        <span className="t12 m el" style={{ position: 'absolute', left: 132, right: 16, top: 4 }}>{t('lanes')}</span>
      </div>
      <div
        className="tl-scroll"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={t('person.history')}
        onScroll={(e) => {
          const el = e.currentTarget;
          if (el.scrollTop < 8 && waiting.length) {
            insert(waiting);
            setWaiting([]);
          }
          if (timeline.hasNextPage && !timeline.isFetchingNextPage && el.scrollHeight - el.scrollTop - el.clientHeight < 600) void timeline.fetchNextPage();
        }}
      >
        {waiting.length > 0 && (
          <button
            type="button"
            className="chip on"
            style={{ position: 'sticky', top: 8, left: '50%', transform: 'translateX(-50%)', zIndex: 6, marginBottom: -26 }}
            onClick={() => {
              insert(waiting);
              setWaiting([]);
              scroller.current?.scrollTo({ top: 0, behavior: 'smooth' });
            }}
          >
            {t('live.new', { count: waiting.length, n: f.number(waiting.length) })}
          </button>
        )}
        {!list && timeline.error && <div className="body"><ErrorNote error={timeline.error} retry={() => void timeline.refetch()} /></div>}
        {(!list || (list.length === 0 && short)) && !timeline.error && <Skeleton rows={8} height={51} />}
        {list?.length === 0 && !short && <EmptyState title={t('tl.empty')}>{t('tl.emptyText')}</EmptyState>}
        {list && list.length > 0 && (
          <div className="tl-inner">
          <ol ref={inner}>
            {days.map((d) => (
              <li key={d.key} style={{ display: 'contents' }}>
                <h3 className="tl-day"><span>{d.heading}</span></h3>
                <ol style={{ display: 'contents' }}>
                  {d.entries.map((e) => (
                    <Row key={e.key} entry={e} open={open === e.key} entered={e.items.some((i) => entered.has(i.message_id))} toggle={() => setOpen(open === e.key ? null : e.key)} />
                  ))}
                </ol>
              </li>
            ))}
          </ol>
          <Strand box={inner} version={`${entries.length}${entries[0]?.key}${open}`} tail={timeline.hasNextPage} />
          </div>
        )}
      </div>
    </>
  );
}

function Row({ entry, open, entered, toggle }: { entry: Entry; open: boolean; entered: boolean; toggle: () => void }) {
  const { t } = useTranslation();
  const e = entry.items[0]!;
  const { told } = entry;
  return (
    <li
      className={`ent${told.off ? ' off' : ''}${entered ? ' live entering' : ''}`}
      data-testid="timeline-entry"
      data-message-id={e.message_id}
      data-strand={e.strand}
    >
      <button type="button" className="line" aria-expanded={open} onClick={toggle}>
        <span className="col sp">
          <span className="b el">{told.title}</span>
          <span className="t12 m2 el">{told.facts}</span>
        </span>
        <time className="t12 m nw" dateTime={e.timestamp} title={f.exact(e.timestamp)}>{f.time(e.timestamp)}</time>
      </button>
      <span className={`node ${e.strand}`} style={{ left: laneX(e.strand) - 12 }}><told.icon /></span>
      {open && (
        <div className="more">
          {entry.items.length > 1 && (
            <ul className="t12 m2">
              {entry.items.map((i) => (
                <li key={i.message_id} className="row"><span className="m nw">{f.time(i.timestamp)}</span><span className="el">{String(i.properties.name ?? i.properties.title ?? i.properties.path ?? i.event ?? i.type)}</span></li>
              ))}
            </ul>
          )}
          <p className="t12 m2">{t('tl.from', { source: e.source.name, time: f.exact(e.received_at) })}</p>
          <Json value={{ type: e.type, event: e.event ?? undefined, messageId: e.message_id, properties: e.properties, ...(Object.keys(e.traits ?? {}).length ? { traits: e.traits } : {}), context: e.context }} label={t('tl.payload')} />
        </div>
      )}
    </li>
  );
}
