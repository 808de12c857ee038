// Decision served: is this the group I mean, and is it moving as it should?
import { Button, Menu, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { Stream } from '../api/stream';
import type { Member, Segment } from '../api/types';
import { ActButton } from '../session/Guarded';
import { useRight } from '../session/rights';
import { Avatar, Badge, EmptyState, ErrorNote, InlineError, None, PageHeader, Panel, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconArchive, IconPencil, IconSend } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { Conditions } from './Conditions';
import { FieldChooser } from './FieldChooser';
import { segmentQuery } from './query';
import { EXAMPLE } from './SegmentsPage';

const route = getRouteApi('/segments/$id');

export default function SegmentPage() {
  const { id } = route.useParams();
  return id === 'new' ? <Editor key="new" segment={null} /> : <Existing key={id} id={id} />;
}

function Existing({ id }: { id: string }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/segments/$id' });
  const segment = useQuery(segmentQuery(id));
  if (segment.error && !segment.data)
    return <div className="page"><ErrorNote error={segment.error} retry={() => void segment.refetch()} /></div>;
  if (!segment.data) return <div className="page"><PageHeader title={'\u00a0'} /><div className="card"><Skeleton rows={6} /></div></div>;
  if (search.edit) return <Editor key={`edit${id}`} segment={segment.data} />;
  return <View segment={segment.data} edit={() => void navigate({ search: { edit: true } })} />;
}

function View({ segment, edit }: { segment: Segment; edit: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useRight('segments:write');
  useTitle(segment.name);
  useShortcut('KeyE', edit, { enabled: may });
  const [view, setView] = useState('words');

  useEffect(() => {
    const s = new Stream(`/api/v1/segments/${encodeURIComponent(segment.id)}/stream`);
    s.on<{ count: number; as_of: string }>('count', ({ count, as_of }) => {
      client.setQueryData<Segment>(['segment', segment.id], (old) => old && { ...old, count, as_of });
      void client.invalidateQueries({ queryKey: ['segment-members', segment.id] });
      void client.invalidateQueries({ queryKey: ['segment-changes', segment.id] });
    });
    s.onReturn(() => void client.invalidateQueries({ queryKey: ['segment', segment.id] }));
    return () => s.close();
  }, [segment.id, client]);

  const restore = useMutation({
    mutationFn: () => must(api.POST('/api/v1/segments/{id}/restore', { params: { path: { id: segment.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['segments'] });
      void navigate({ to: '/segments/$id', params: { id: segment.id }, search: {} });
    },
    onError: sayError,
  });
  const archive = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/segments/{id}', { params: { path: { id: segment.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['segments'] });
      void navigate({ to: '/segments' });
      say(t('segment.archived', { name: segment.name }), () => restore.mutate());
    },
    onError: sayError,
  });
  const rules = useQuery({ queryKey: ['rules'], queryFn: () => must(api.GET('/api/v1/message-rules')) });
  const used = rules.data?.items.filter((r) => r.segment_id === segment.id) ?? [];
  return (
    <div className="page">
      <PageHeader
        title={segment.name}
        badge={segment.state === 'filling' ? <Badge tone="info">{t('segment.filling', { share: f.percent(segment.progress, 0) })}</Badge> : <Badge>{t('segment.version', { n: f.number(segment.version) })}</Badge>}
        actions={
          <>
            <ActButton right="segments:write" variant="subtle" leftSection={<IconArchive className="s" />} onClick={() => archive.mutate()}>{t('segment.archive')}</ActButton>
            <ActButton right="segments:write" leftSection={<IconPencil className="s" />} rightSection={<kbd>E</kbd>} onClick={edit}>{t('segment.edit')}</ActButton>
          </>
        }
      />
      <div className="sg">
        <div className="left">
          <Panel title={t('segment.whoIsIn')} right={<SegmentedControl value={view} onChange={setView} aria-label={t('segment.view')} data={[{ value: 'words', label: t('segment.words') }, { value: 'text', label: t('segment.text') }]} />}>
            <div className="body">{view === 'words' ? <Conditions expression={segment.expression} /> : <pre className="code soft" tabIndex={0}>{segment.expression}</pre>}</div>
          </Panel>
          <Members segment={segment} />
        </div>
        <aside className="card col g16" style={{ padding: 16 }} aria-label={t('segment.now')}>
          <div>
            <div className="row"><span className="t12 m2 sp">{t('segment.now')}</span><span className="fresh"><i /><span>{t('segment.asOf', { time: f.clock(segment.as_of) })}</span></span></div>
            <div className="row" style={{ alignItems: 'baseline', marginTop: 4 }}>
              <Link className="plain big" to="/customers" search={{ segment: segment.id }} data-testid="segment-count" data-value={segment.count} aria-live="polite">{f.number(segment.count)}</Link>
              <span className="m2">{t('people.word', { count: segment.count })}</span>
            </div>
          </div>
          <Changes id={segment.id} />
          <div className="sepr">
            <h3>{t('segment.usedBy')}</h3>
            {used.length === 0 && <p className="m2">{t('segment.unused')}</p>}
            <ul>
              {used.map((r) => (
                <li key={r.id} className="row" style={{ minHeight: 32 }}>
                  <span className="node message"><IconSend /></span>
                  <Link className="plain sp el name" to="/rules" search={{ sel: r.id }}>{r.name ?? t('rule.unnamed')}</Link>
                  <Badge tone={r.enabled ? 'good' : undefined}>{r.enabled ? t('rule.on') : t('rule.off')}</Badge>
                </li>
              ))}
            </ul>
          </div>
        </aside>
      </div>
    </div>
  );
}

function causeText(cause: string | null | undefined, t: TFunction): string {
  if (!cause) return f.NONE;
  const known: Record<string, string> = { event: t('cause.event'), timer: t('cause.timer'), merge: t('cause.merge'), unmerge: t('cause.unmerge'), initial: t('cause.initial') };
  return known[cause] ?? cause.replaceAll('_', ' ');
}

function Changes({ id }: { id: string }) {
  const { t } = useTranslation();
  const changes = useQuery({ queryKey: ['segment-changes', id], queryFn: () => must(api.GET('/api/v1/segments/{id}/changes', { params: { path: { id }, query: { limit: 12 } } })), placeholderData: keepPreviousData });
  const items = changes.data?.items ?? [];
  return (
    <div className="sepr">
      <h3>{t('segment.moves')}</h3>
      {changes.data && items.length === 0 && <p className="m2">{t('segment.noMoves')}</p>}
      <ul className="line-list">
        {items.map((c, i) => (
          <li key={`${c.person_id}${c.at}${i}`} className="tr">
            <div className="row">
              <Link className="plain b el name sp" to="/customers/$id" params={{ id: c.person_id }} search={{}}>{c.name || t('person.unnamed')}</Link>
              <span className={`t12 ${c.change === 'entered' ? 'good-text' : 'm2'}`}>{c.change === 'entered' ? t('segment.entered') : t('segment.left')}</span>
              <When at={c.at} className="t12 m nw" />
            </div>
            <span className="t12 m el">{causeText(c.cause, t)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Members({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const members = useInfiniteQuery({
    queryKey: ['segment-members', segment.id],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/segments/{id}/members', { params: { path: { id: segment.id }, query: { limit: 50, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => members.data?.pages.flatMap((p) => p.items), [members.data]);
  const columns = useMemo<Column<Member>[]>(
    () => [
      {
        id: 'name',
        header: t('col.customer'),
        meta: { width: '40%' },
        cell: ({ row: { original: m } }) => {
          const name = m.name || m.email || t('person.unnamed');
          return <span className="row g12"><Avatar name={name} /><Link className="plain b el name" to="/customers/$id" params={{ id: m.person_id }} search={{}}>{name}</Link></span>;
        },
      },
      { id: 'cause', header: t('segment.why'), cell: ({ row: { original: m } }) => causeText(m.cause, t) },
      { id: 'leaves', header: t('segment.leavesHead'), meta: { width: 120, right: true }, cell: ({ row: { original: m } }) => (m.leaves_at ? <span title={f.exact(m.leaves_at)}>{f.dayMonth(m.leaves_at)}</span> : <None why={t('segment.noLeave')} />) },
      { id: 'since', header: t('segment.enteredHead'), meta: { width: 130, right: true }, cell: ({ row: { original: m } }) => <When at={m.since} className="m2" /> },
    ],
    [t],
  );
  return (
    <Panel title={t('segment.members')} count={f.number(segment.count)} right={<Link to="/customers" search={{ segment: segment.id }}>{t('segment.asList')}</Link>}>
      <DataTable
        label={t('segment.members')} tools={{ name: 'segment-members' }}
        rows={rows}
        columns={columns}
        rowId={(m) => m.person_id}
        onOpen={(m) => void navigate({ to: '/customers/$id', params: { id: m.person_id }, search: {} })}
        maxHeight={440}
        error={members.error}
        retry={() => void members.refetch()}
        more={{ has: members.hasNextPage, busy: members.isFetchingNextPage, fetch: () => void members.fetchNextPage() }}
        empty={<EmptyState title={t('segment.noMembers')}>{segment.state === 'filling' ? t('segment.fillingText') : t('segment.noMembersText')}</EmptyState>}
      />
    </Panel>
  );
}

const starters = [EXAMPLE, 'sum("Order Completed".total in last 90 days) >= 3000', 'seq("Checkout Started" then not "Order Completed" within 2 hours)', 'consent.email.marketing = "granted"', 'trait.city in ["Lviv", "Kyiv"]'];

/** A position from the server counts bytes of UTF-8; a text field counts UTF-16 units. */
function fromBytes(text: string, offset: number): number {
  let bytes = 0;
  let units = 0;
  for (const ch of text) {
    if (bytes >= offset) break;
    bytes += new TextEncoder().encode(ch).length;
    units += ch.length;
  }
  return units;
}

function Editor({ segment }: { segment: Segment | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useRight('segments:write');
  useTitle(segment ? segment.name : t('action.newSegment'));
  const [name, setName] = useState(segment?.name ?? '');
  const [expression, setExpression] = useState(segment?.expression ?? '');
  const [asked] = useDebouncedValue(expression, 250);
  const field = useRef<HTMLTextAreaElement>(null);
  const preview = useQuery({
    queryKey: ['segment-preview', asked],
    queryFn: () => must(api.POST('/api/v1/segments/preview', { body: { expression: asked } })),
    enabled: asked.trim() !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => (segment ? must(api.PUT('/api/v1/segments/{id}', { params: { path: { id: segment.id } }, body: { name, expression } })) : must(api.POST('/api/v1/segments', { body: { name, expression } }))),
    onSuccess: (s) => {
      void client.invalidateQueries({ queryKey: ['segments'] });
      client.setQueryData(['segment', s.id], s);
      void navigate({ to: '/segments/$id', params: { id: s.id }, search: {} });
      say(t('segment.saved', { name: s.name }));
    },
  });
  const problem = preview.error instanceof Problem && preview.error.code === 'bad_expression' ? preview.error : save.error instanceof Problem && save.error.code === 'bad_expression' ? save.error : null;
  const wrong = problem?.errors[0];
  const at = wrong?.offset != null ? fromBytes(asked, wrong.offset) : null;
  const good = asked.trim() !== '' && !preview.error && preview.data;
  /** Puts a condition where the cursor stands, joined to what stands before it. */
  const insert = (text: string) => {
    const [from, to] = [field.current?.selectionStart ?? expression.length, field.current?.selectionEnd ?? expression.length];
    const before = expression.slice(0, from).trimEnd();
    const joined = before === '' || /(\(|\band|\bor|\bnot)$/.test(before) ? text : `and ${text}`;
    const head = before === '' ? '' : `${before} `;
    setExpression(`${head}${joined}${expression.slice(to)}`);
    setTimeout(() => {
      const at = head.length + joined.length;
      field.current?.focus();
      field.current?.setSelectionRange(at, at);
    });
  };
  return (
    <div className="page">
      <PageHeader
        title={segment ? t('segment.editing', { name: segment.name }) : t('action.newSegment')}
        actions={
          <>
            <Button variant="subtle" onClick={() => void (segment ? navigate({ to: '/segments/$id', params: { id: segment.id }, search: {} }) : navigate({ to: '/segments' }))}>{t('cancel')}</Button>
            <ActButton right="segments:write" onClick={() => save.mutate()} loading={save.isPending} disabled={may && (!name.trim() || !good)} data-testid="segment-save">
              {good ? t('segment.saveFor', { count: preview.data!.count, n: f.number(preview.data!.count) }) : t('segment.save')}
            </ActButton>
          </>
        }
      />
      {save.error && !problem && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      <div className="sg">
        <div className="left">
          <Panel title={t('segment.whoIsIn')}>
            <div className="body col g16">
              <TextInput label={t('field.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} maw={480} data-testid="segment-name" />
              <div className="expr">
                <Textarea
                  ref={field}
                  label={t('segment.expression')}
                  autosize
                  minRows={4}
                  spellCheck={false}
                  value={expression}
                  onChange={(e) => setExpression(e.currentTarget.value)}
                  error={Boolean(problem)}
                  data-testid="segment-expression"
                  aria-describedby="expression-note"
                />
                <div id="expression-note" style={{ minHeight: 20, marginTop: 4 }} aria-live="polite">
                  {problem && (
                    <div className="col g4">
                      <InlineError>{wrong?.detail ?? problem.detail}</InlineError>
                      {at !== null && (
                        <div className="row t12">
                          <pre className="code soft sp" tabIndex={0} style={{ maxHeight: 80 }}>
                            {asked.slice(Math.max(0, at - 40), at)}
                            <mark className="err">{asked.slice(at, at + 12) || '␣'}</mark>
                            {asked.slice(at + 12, at + 40)}
                          </pre>
                          <button type="button" className="chip" onClick={() => { field.current?.focus(); field.current?.setSelectionRange(at, Math.min(asked.length, at + 12)); }}>
                            {t('segment.goTo', { n: f.number(at + 1) })}
                          </button>
                        </div>
                      )}
                    </div>
                  )}
                  {preview.error && !problem && <ErrorNote error={preview.error} retry={() => void preview.refetch()} />}
                </div>
              </div>
              <FieldChooser insert={insert} />
              {!problem && asked.trim() !== '' && <Conditions expression={asked} />}
            </div>
            <div className="note-row">
              <span>{t('segment.startFrom')}</span>
              <Menu position="bottom-start" width={520}>
                <Menu.Target><button type="button" className="chip">{t('segment.examples')}</button></Menu.Target>
                <Menu.Dropdown>
                  {starters.map((s) => (
                    <Menu.Item key={s} onClick={() => setExpression((e) => (e.trim() ? `${e.trim()} and ${s}` : s))}><span className="mono">{s}</span></Menu.Item>
                  ))}
                </Menu.Dropdown>
              </Menu>
            </div>
          </Panel>
        </div>
        <aside className="card col g16" style={{ padding: 16 }} aria-label={t('segment.wouldBe')}>
          <div aria-live="polite">
            <span className="t12 m2">{t('segment.wouldBe')}</span>
            <div className="row" style={{ alignItems: 'baseline', marginTop: 4 }}>
              <span className="big" data-testid="segment-preview-count">{good ? f.number(preview.data!.count) : f.NONE}</span>
              <span className="m2">{good ? t('segment.ofPeople', { n: f.number(preview.data!.of), share: f.percent(preview.data!.of ? preview.data!.count / preview.data!.of : 0) }) : ''}</span>
            </div>
            <span className="t12 m">{good ? t('segment.took', { time: f.seconds(preview.data!.took_ms) }) : asked.trim() ? (preview.isFetching ? t('segment.counting') : '') : t('segment.typeFirst')}</span>
            {segment && good && <p className="t12 m2">{t('segment.before', { n: f.number(segment.count), diff: f.signed(preview.data!.count - segment.count) || '0' })}</p>}
          </div>
          {good && preview.data!.sample.length > 0 && (
            <div className="sepr">
              <h3>{t('segment.sample')}</h3>
              <ul>
                {preview.data!.sample.map((c) => {
                  const who = c.name || c.email || t('person.unnamed');
                  return <li key={c.person_id} className="row" style={{ minHeight: 36 }}><Avatar name={who} /><Link className="plain el name" to="/customers/$id" params={{ id: c.person_id }} search={{}}>{who}</Link><span className="sp" /><span className="m t12">{c.city}</span></li>;
                })}
              </ul>
            </div>
          )}
        </aside>
      </div>
    </div>
  );
}
