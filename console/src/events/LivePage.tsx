// Decision served: is data arriving whole, and what do I fix?
import { ActionIcon, Autocomplete, Button, Menu, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import i18next, { type TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Accepted, LiveEvent, Rejected, RejectSummary } from '../api/types';
import { personName, personQuery } from '../customers/query';
import { homeQuery } from '../home/query';
import { useEventStream } from '../session/live';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, Skeleton, strandIcon } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconCheck, IconPlayerPause, IconPlayerPlay, IconX } from '../ui/icons';
import { Json } from '../ui/Json';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';

const route = getRouteApi('/live');
const KEEP = 500;
const keyOf = (e: LiveEvent) => (e.status === 'accepted' ? `a${e.seq}` : `r${e.id}`);

export default function LivePage() {
  const { t } = useTranslation();
  useTitle(t('nav.live'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/live' });
  const client = useQueryClient();
  const home = useQuery(homeQuery);
  const sources = useQuery({ queryKey: ['sources'], queryFn: () => must(api.GET('/api/v1/sources')) });
  const summary = useQuery({ queryKey: ['reject-summary'], queryFn: () => must(api.GET('/api/v1/rejects/summary')) });
  const status = search.status === 'accepted' || search.status === 'rejected' ? search.status : undefined;
  const byCode = Boolean(search.code);
  const list = useInfiniteQuery({
    queryKey: ['events', status ?? '', search.source ?? '', search.code ?? '', search.event ?? '', search.kind ?? ''],
    queryFn: async ({ pageParam }): Promise<{ items: LiveEvent[]; next_cursor?: string | null }> => {
      const cursor = pageParam ?? undefined;
      if (byCode) return must(api.GET('/api/v1/rejects', { params: { query: { limit: 100, cursor, source_id: search.source, code: search.code, event: search.event } } }));
      return must(api.GET('/api/v1/events', { params: { query: { limit: 100, cursor, source_id: search.source, status, event: search.event, type: search.kind } } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    staleTime: Infinity,
  });

  // What arrived since the page was opened, newest first; on top of what was fetched.
  const [arrived, setArrived] = useState<LiveEvent[]>([]);
  const [waiting, setWaiting] = useState<LiveEvent[]>([]);
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [delay, setDelay] = useState<number | null>(null);
  const [skipped, setSkipped] = useState(0);
  const delays = useRef<number[]>([]);
  const freshKeys = useRef(new Set<string>());
  const filterKey = [status, search.source, search.code, search.event, search.kind].join('|');
  useEffect(() => {
    setArrived([]);
    setWaiting([]);
  }, [filterKey]);
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(due.current), []);

  const held = paused || scrolled || Boolean(search.sel);
  // The server tells only what is asked for: a rare event is not lost among frequent ones.
  const asked = new URLSearchParams(Object.entries({ source_id: search.source, status: byCode ? 'rejected' : status, code: search.code, event: search.event, type: search.kind }).flatMap(([k, v]) => (v ? [[k, v]] : []))).toString();
  useEventStream<LiveEvent & { skipped?: number }>(asked, (e) => {
    if (e.skipped) setSkipped((n) => n + e.skipped!);
    delays.current = [...delays.current.slice(-49), Math.max(0, Date.now() - Date.parse(e.received_at))];
    const sorted = [...delays.current].sort((a, b) => a - b);
    setDelay(sorted[Math.floor(sorted.length / 2)] ?? null);
    if (e.status === 'rejected')
      due.current ??= setTimeout(() => {
        due.current = undefined;
        void client.invalidateQueries({ queryKey: ['reject-summary'] });
        void client.invalidateQueries({ queryKey: ['home'] });
      }, 500);
    if (held) setWaiting((w) => [e, ...w].slice(0, KEEP));
    else {
      freshKeys.current.add(keyOf(e));
      setTimeout(() => freshKeys.current.delete(keyOf(e)), 400);
      setArrived((a) => [e, ...a].slice(0, KEEP));
    }
  });
  const release = () => {
    setArrived((a) => [...waiting, ...a].slice(0, KEEP));
    setWaiting([]);
  };
  const toggle = () => {
    if (paused) release();
    setPaused(!paused);
  };
  useShortcut('Space', toggle);

  const rows = useMemo(() => {
    const fetched = list.data?.pages.flatMap((p) => p.items);
    if (!fetched) return undefined;
    const seen = new Set<string>();
    return [...arrived, ...fetched].filter((e) => !seen.has(keyOf(e)) && seen.add(keyOf(e)));
  }, [list.data, arrived]);
  const names = useMemo(() => [...new Set((rows ?? []).map((e) => e.event ?? '').filter(Boolean))].sort(), [rows]);
  const selected = rows?.find((e) => keyOf(e) === search.sel);
  const select = (id: string | null) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true });
  const causes = summary.data?.items ?? [];
  const rejected = causes.reduce((n, c) => n + c.count, 0);
  const counts = home.data?.counts;
  const hours = (home.data?.hours ?? []).slice(-24);
  const top = Math.max(1, ...hours.map((h) => h.events));
  const columns = useMemo<Column<LiveEvent>[]>(
    () => [
      { id: 'time', header: t('col.time'), meta: { width: 96 }, cell: ({ row: { original: e } }) => <time className="mono m2" dateTime={e.received_at} title={f.exact(e.received_at)}>{f.clock(e.received_at)}</time> },
      {
        id: 'event',
        header: t('col.event'),
        meta: { width: '24%' },
        cell: ({ row: { original: e } }) => {
          const Icon = e.status === 'rejected' ? IconX : strandIcon[strandOf(e)];
          return <span className="row g12"><span className={`node ${e.status === 'rejected' ? 'bad-text' : strandOf(e)}`}><Icon /></span><span className="b el">{e.status === 'accepted' ? eventName(e, t) : rawName(e)}</span></span>;
        },
      },
      { id: 'content', header: t('col.content'), cell: ({ row: { original: e } }) => (e.status === 'accepted' ? <span className="m2">{e.summary}</span> : <span className="bad-text" title={e.detail}>{e.detail}</span>) },
      { id: 'who', header: t('col.whose'), meta: { width: '15%' }, cell: ({ row: { original: e } }) => (e.status === 'accepted' && e.person_id ? <Whose id={e.person_id} /> : <None why={t('live.noOwner')} />) },
      { id: 'source', header: t('col.source'), meta: { width: '16%' }, cell: ({ row: { original: e } }) => <span className="m2">{e.source.name}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 120, right: true }, cell: ({ row: { original: e } }) => (e.status === 'accepted' ? <IconCheck className="m" aria-label={t('live.accepted')} /> : <Badge tone="bad">{t('live.rejected')}</Badge>) },
    ],
    [t],
  );
  return (
    <div className="page">
      <PageHeader
        title={t('nav.live')}
        actions={
          <>
            <SegmentedControl
              value={status ?? 'all'}
              aria-label={t('live.filter')}
              onChange={(v) => void navigate({ search: (s) => ({ ...s, status: v === 'all' ? undefined : v, code: undefined, sel: undefined }) })}
              data={[{ value: 'all', label: t('kind.all') }, { value: 'accepted', label: t('live.acceptedTab') }, { value: 'rejected', label: t('live.rejectedTab') }]}
            />
            <Menu position="bottom-end">
              <Menu.Target><button type="button" className="chip" style={{ height: 32 }}>{t('col.source')} <b>{sources.data?.items.find((s) => s.id === search.source)?.name ?? t('live.allSources')}</b></button></Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => void navigate({ search: (s) => ({ ...s, source: undefined, sel: undefined }) })}>{t('live.allSources')}</Menu.Item>
                {sources.data?.items.map((s) => <Menu.Item key={s.id} onClick={() => void navigate({ search: (old) => ({ ...old, source: s.id, sel: undefined }) })}>{s.name}</Menu.Item>)}
              </Menu.Dropdown>
            </Menu>
            <Menu position="bottom-end">
              <Menu.Target><button type="button" className="chip" style={{ height: 32 }} data-testid="live-kind">{t('live.kindOf')} <b>{search.kind ? kindOf(search.kind) : t('kind.all')}</b></button></Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => void navigate({ search: (s) => ({ ...s, kind: undefined, sel: undefined }) })}>{t('kind.all')}</Menu.Item>
                {['track', 'page', 'screen', 'identify', 'group', 'alias'].map((k) => <Menu.Item key={k} onClick={() => void navigate({ search: (s) => ({ ...s, kind: k, sel: undefined }) })}>{kindOf(k)}</Menu.Item>)}
              </Menu.Dropdown>
            </Menu>
            <NameFilter value={search.event ?? ''} known={names} set={(event) => void navigate({ search: (s) => ({ ...s, event: event || undefined, sel: undefined }) })} />
            <Button variant="default" leftSection={paused ? <IconPlayerPlay className="s" /> : <IconPlayerPause className="s" />} rightSection={<kbd>{t('key.space')}</kbd>} onClick={toggle} aria-pressed={paused}>{paused ? t('live.resume') : t('live.pause')}</Button>
          </>
        }
      />
      <div className="card">
        <NumberStripFlat
          items={[
            { label: t('live.acceptedAll'), value: counts ? f.number(counts.events) : f.NONE, note: home.data ? t('live.today', { n: f.number(home.data.today.events) }) : '', to: '/live', search: { status: 'accepted' } },
            { label: t('live.rejectedAll'), value: counts ? f.number(counts.rejected) : f.NONE, note: causes.length ? t('live.causes', { count: causes.length, n: f.number(causes.length) }) : t('live.noRejects'), tone: counts?.rejected ? 'bad' : undefined, to: '/live', search: { status: 'rejected' } },
            { label: t('live.delay'), value: delay === null ? f.NONE : f.seconds(delay), note: delay === null ? t('live.delayNone') : t('live.delayNote') },
            { label: t('live.lastHour'), value: hours.length ? f.number(hours[hours.length - 1]!.events) : f.NONE, note: skipped ? t('live.skipped', { count: skipped, n: f.number(skipped) }) : t('live.notSampled') },
          ]}
        />
        {hours.length > 0 && (
          <div style={{ padding: '8px 16px 10px', borderTop: '1px solid var(--line)' }}>
            <div className="hours" role="img" aria-label={t('live.hoursSummary', { n: f.number(hours.reduce((n, h) => n + h.events, 0)) })}>
              {hours.map((h) => <i key={h.hour} style={{ height: `${(h.events / top) * 100}%` }} title={`${f.time(h.hour)} · ${f.number(h.events)}`} />)}
            </div>
            <div className="row t12 m" style={{ marginTop: 4 }}><span>{f.time(hours[0]!.hour)}</span><span className="sp" style={{ textAlign: 'center' }}>{t('live.hours')}</span><span>{f.time(hours[hours.length - 1]!.hour)}</span></div>
          </div>
        )}
      </div>
      {causes.length > 0 && (
        <Panel title={t('live.rejectsTitle')} count={f.number(rejected)}>
          <ul className="body line-list">
            {causes.map((c) => <Cause key={`${c.code}${c.pointer}${c.source.id}`} cause={c} on={search.code === c.code && search.source === c.source.id} pick={() => void navigate({ search: { status: 'rejected', code: c.code, source: c.source.id } })} />)}
          </ul>
        </Panel>
      )}
      {search.code && (
        <div><span className="chip on">{t('filter.cause')} <b>{search.code.replaceAll('_', ' ')}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => void navigate({ search: (s) => ({ ...s, code: undefined, source: undefined }) })}><IconX className="s" /></button></span></div>
      )}
      <div className={`ld${selected ? '' : ' solo'}`} style={{ minHeight: 420 }}>
        <div className="card scroll" style={{ position: 'relative' }}>
          <DataTable
            label={t('nav.live')} tools={{ name: 'live' }}
            rows={rows}
            columns={columns}
            rowId={keyOf}
            selected={search.sel ?? null}
            onSelect={select}
            onOpen={(e) => e.status === 'accepted' && e.person_id && void navigate({ to: '/customers/$id', params: { id: e.person_id }, search: {} })}
            rowTestId={(e) => (e.status === 'accepted' ? 'live-row' : 'reject-row')}
            fresh={(e) => freshKeys.current.has(keyOf(e))}
            error={list.error}
            retry={() => void list.refetch()}
            maxHeight={640}
            onScrolled={setScrolled}
            more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
            empty={status === 'rejected' ? <EmptyState title={t('live.noRejectsTitle')}>{t('live.noRejectsText')}</EmptyState> : <EmptyState title={t('live.emptyTitle')} action={<Link to="/sources" search={{ create: true }}>{t('action.newSource')}</Link>}>{t('live.emptyText')}</EmptyState>}
          />
          {held && waiting.length > 0 && (
            <button type="button" className="chip on newrows" data-testid="live-waiting" onClick={() => { release(); document.querySelector('.tbl')?.scrollTo({ top: 0 }); }}>
              {t('live.new', { count: waiting.length, n: f.number(waiting.length) })}
            </button>
          )}
        </div>
        {selected && (selected.status === 'rejected' ? <RejectDetail key={selected.id} event={selected} others={causes.find((c) => c.code === selected.code && c.source.id === selected.source.id && (c.pointer ?? null) === (selected.pointer ?? null))} close={() => select(null)} /> : <EventDetailPane key={selected.seq} event={selected} close={() => select(null)} />)}
      </div>
    </div>
  );
}

const kindOf = (kind: string) => i18next.t(`live.kind.${kind}`);

/** The whole name of an event, as it stands in the list; taken with Enter or when the field is left. */
function NameFilter({ value, known, set }: { value: string; known: string[]; set: (name: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const take = (name: string) => name.trim() !== value && set(name.trim());
  return (
    <Autocomplete
      w={190} limit={20} data={known} aria-label={t('live.name')} placeholder={t('live.name')} value={text} onChange={setText} data-testid="live-name"
      onOptionSubmit={take} onBlur={() => take(text)} onKeyDown={(e) => { if (e.key === 'Enter') take(text); }}
    />
  );
}

/** The stream carries ids only; a name is asked for once a row has stood still long enough to be read. */
function Whose({ id }: { id: string }) {
  const { t } = useTranslation();
  const [still, setStill] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setStill(true), 500);
    return () => clearTimeout(timer);
  }, []);
  const person = useQuery({ ...personQuery(id), enabled: still, staleTime: 300_000 });
  const name = person.data ? personName(person.data) : null;
  return (
    <Link className={`plain name${name ? '' : ' m2'}`} to="/customers/$id" params={{ id }} search={{}} title={id}>
      {name ?? (person.data ? `${t('person.unnamed')} ${f.middle(id, 3)}` : f.middle(id, 4))}
    </Link>
  );
}

const NumberStripFlat = (p: { items: Parameters<typeof NumberStrip>[0]['items'] }) => {
  const { t } = useTranslation();
  return <div className="flat"><NumberStrip items={p.items} label={t('live.numbers')} /></div>;
};

function strandOf(e: Accepted): keyof typeof strandIcon {
  const name = e.event ?? '';
  if (/^(Message|Push|Unsubscribed|Consent)/.test(name)) return 'message';
  if (/^(Call|Chat|Ticket|Conversation)/.test(name)) return 'talk';
  if (e.source.kind === 'browser') return 'online';
  if (/^(Order|Receipt|Store)/.test(name)) return 'store';
  return e.source.kind === 'import' ? 'partner' : 'online';
}

const eventName = (e: Accepted, t: TFunction): string =>
  e.event ?? (({ page: t('type.page'), screen: t('type.screen'), identify: t('type.identify'), group: t('type.group'), alias: t('type.alias') }) as Record<string, string>)[e.type] ?? e.type;

function parsed(raw: string): Record<string, unknown> | null {
  try {
    const v: unknown = JSON.parse(raw);
    return v && typeof v === 'object' ? (v as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function rawName(e: Rejected): string {
  const v = parsed(e.raw);
  return typeof v?.event === 'string' ? v.event : typeof v?.type === 'string' ? v.type : e.code.replaceAll('_', ' ');
}

function Cause({ cause: c, on, pick }: { cause: RejectSummary; on: boolean; pick: () => void }) {
  const { t } = useTranslation();
  return (
    <li className="row g12" style={{ minHeight: 44 }} data-testid="reject-cause" aria-current={on || undefined}>
      <b className="bad-text" style={{ minWidth: 48 }}>{f.number(c.count)}</b>
      <div className="col sp">
        <span className="b el">{rejectText(c.code, t)}{c.pointer && <span className="mono m2"> {c.pointer}</span>}</span>
        <span className="t12 m2 el">{t('live.causeFacts', { source: c.source.name, from: f.ago(c.first_at), to: f.ago(c.last_at) })}</span>
      </div>
      <button type="button" className="textlink" onClick={pick}>{t('live.showThese', { n: f.number(c.count) })}</button>
    </li>
  );
}

function rejectText(code: string, t: TFunction): string {
  return i18next.exists(`reject.${code}`) ? t(`reject.${code}`) : code.replaceAll('_', ' ');
}

function RejectDetail({ event: e, others, close }: { event: Rejected; others?: RejectSummary; close: () => void }) {
  const { t } = useTranslation();
  const value = parsed(e.raw);
  return (
    <aside className="card detail" aria-label={rawName(e)}>
      <div className="row"><h2 className="sp el">{rawName(e)}</h2><Badge tone="bad">{t('live.rejected')}</Badge><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      <div className="col g4"><span className="bb">{e.detail}</span><span className="t12 m2">{t('live.rejectKept')}</span></div>
      {value ? <Json value={value} label={t('tl.payload')} pointer={e.pointer} maxHeight={380} /> : <pre className="code soft" tabIndex={0}>{e.raw}</pre>}
      <dl className="kv">
        <dt>{t('filter.cause')}</dt><dd>{rejectText(e.code, t)}</dd>
        {e.pointer && <><dt>{t('live.pointer')}</dt><dd className="mono">{e.pointer}</dd></>}
        <dt>{t('col.source')}</dt><dd><Link to="/sources" search={{ sel: e.source.id }}>{e.source.name}</Link></dd>
        <dt>{t('live.received')}</dt><dd>{f.exact(e.received_at)}</dd>
      </dl>
      {others && others.count > 1 && <p className="sepr">{t('live.moreLikeIt', { count: others.count - 1, n: f.number(others.count - 1), source: others.source.name })}</p>}
    </aside>
  );
}

function EventDetailPane({ event: e, close }: { event: Accepted; close: () => void }) {
  const { t } = useTranslation();
  const full = useQuery({ queryKey: ['event', e.seq], queryFn: () => must(api.GET('/api/v1/events/{seq}', { params: { path: { seq: String(e.seq) } } })), staleTime: Infinity });
  return (
    <aside className="card detail" aria-label={eventName(e, t)}>
      <div className="row"><h2 className="sp el">{eventName(e, t)}</h2><Badge tone="good">{t('live.accepted')}</Badge><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      {e.summary && <span className="m2">{e.summary}</span>}
      <dl className="kv">
        <dt>{t('col.whose')}</dt><dd>{e.person_id ? <Link to="/customers/$id" params={{ id: e.person_id }} search={{}}>{t('live.openPerson')}</Link> : f.NONE}</dd>
        <dt>{t('col.source')}</dt><dd><Link to="/sources" search={{ sel: e.source.id }}>{e.source.name}</Link></dd>
        <dt>{t('live.happened')}</dt><dd>{f.exact(e.timestamp)}</dd>
        <dt>{t('live.received')}</dt><dd>{f.exact(e.received_at)}</dd>
        <dt>messageId</dt><dd className="mono el" title={e.message_id}>{f.middle(e.message_id, 10)}</dd>
      </dl>
      {full.data ? <Json value={{ type: full.data.type, event: full.data.event ?? undefined, properties: full.data.properties, traits: full.data.traits, context: full.data.context, sentAt: full.data.sent_at ?? undefined, originalTimestamp: full.data.original_timestamp ?? undefined }} label={t('tl.payload')} maxHeight={420} /> : full.error ? <ErrorNote error={full.error} retry={() => void full.refetch()} /> : <Skeleton rows={4} />}
    </aside>
  );
}
