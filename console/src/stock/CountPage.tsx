// Decision served: how many lie there, and which difference do we believe?
import { TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { createContext, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem, sayProblem } from '../api/problem';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { Badge, ErrorNote, None, NumberStrip, PageHeader, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { detailText, quantity } from './forms';
import { SkuField, usePlaces } from './parts';
import { type Count, type CountLine, countQuery, GOODS } from './query';

const route = getRouteApi('/counts/$id');
type Show = 'all' | 'open' | 'variance';

export default function CountPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const count = useQuery(countQuery(id));
  const places = usePlaces();
  const c = count.data;
  useTitle(c ? `${places.name(c.location_id)}, № ${c.id}` : t('nav.counts'));
  if (!c) return <div className="page">{count.error ? <ErrorNote error={count.error} retry={() => void count.refetch()} /> : <Skeleton rows={8} />}</div>;
  return <Counting of={c} place={places.name(c.location_id)} names={places.name} />;
}

function Counting({ of: c, place, names }: { of: Count; place: string; names: (id: string) => string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('stock:write') && !c.closed;
  const { show = 'all' } = route.useSearch() as { show?: Show };
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [closing, setClosing] = useState(false);
  const board = useRef<HTMLDivElement>(null);
  const key = countQuery(c.id).queryKey;
  const put = useCallback((line: CountLine) => client.setQueryData<Count>(key, (old) => old && { ...old, lines: old.lines.map((l) => (l.sku === line.sku ? line : l)) }), [client, key]);
  const told = (sku: string, error: unknown) => {
    const detail = error instanceof Problem ? error.errors[0]?.detail : undefined;
    setWrong((w) => ({ ...w, [sku]: detail ? detailText(detail, names) : sayProblem(error) }));
  };
  const settle = (sku: string, broken: { owner: string }[]) => {
    setTyped(({ [sku]: _, ...rest }) => rest);
    setWrong(({ [sku]: _, ...rest }) => rest);
    if (broken.length) say(t('counting.broken', { count: broken.length, n: f.number(broken.length), who: broken.map((b) => b.owner).join(', ') }));
  };
  const enter = useMutation({
    mutationFn: (v: { sku: string; counted: number }) => must(api.PUT('/api/v1/stock-counts/{id}/lines/{sku}', { params: { path: { id: c.id, sku: v.sku } }, body: { counted: v.counted } })),
    onSuccess: (done, v) => { settle(v.sku, done.broken); put(done.line); },
    onError: (e, v) => told(v.sku, e),
  });
  const approve = useMutation({
    mutationFn: (sku: string) => must(api.POST('/api/v1/stock-counts/{id}/lines/{sku}/approve', { params: { path: { id: c.id, sku } } })),
    onSuccess: (done, sku) => { settle(sku, done.broken); put(done.line); say(t('counting.approved', { sku })); },
    onError: (e, sku) => told(sku, e),
  });
  const rows = useMemo(() => c.lines.filter((l) => show === 'all' || l.state === show), [c.lines, show]);
  const focus = (sku: string | undefined) => {
    const field = sku && board.current?.querySelector<HTMLInputElement>(`input[data-sku="${CSS.escape(sku)}"]`);
    if (field) field.focus();
    return Boolean(field);
  };
  const save = (l: CountLine) => {
    const n = quantity(typed[l.sku] ?? '');
    if (n === null || n < 0) return typed[l.sku] ? setWrong((w) => ({ ...w, [l.sku]: t('stock.noQuantity') })) : undefined;
    // The next line that is still to be counted; the list shrinks where only some are shown.
    const at = rows.findIndex((r) => r.sku === l.sku);
    const next = rows.slice(at + 1).find((r) => r.state !== 'settled') ?? rows.find((r) => r.state !== 'settled' && r.sku !== l.sku);
    enter.mutate({ sku: l.sku, counted: n });
    focus(next?.sku);
    return undefined;
  };
  const left = c.lines.filter((l) => l.state !== 'settled').length;
  const off = c.lines.filter((l) => l.state === 'variance').length;
  const open = c.lines.filter((l) => l.state === 'open').length;

  // The columns stay the same ones while somebody types: a new cell would be a new field without its focus.
  const columns = useMemo<Column<CountLine>[]>(
    () => [
      { id: 'sku', header: t('stock.sku'), cell: ({ row: { original: l } }) => <Link to="/stock/$sku" params={{ sku: l.sku }} search={{}} className="plain b name mono el">{l.sku}</Link> },
      { id: 'counted', header: t('counting.counted'), meta: { width: 132, right: true }, cell: ({ row }) => <Counted line={row.original} /> },
      { id: 'last', header: t('counting.last'), meta: { width: 112, right: true }, cell: ({ row: { original: l } }) => (l.state === 'variance' && l.counted != null ? f.number(l.counted) : <None why={t('counting.notYet')} />) },
      { id: 'book', header: t('counting.book'), meta: { width: 112, right: true }, cell: ({ row: { original: l } }) => (l.book == null ? <None why={l.state === 'open' ? t('counting.notYet') : t('counting.blindWhy')} /> : f.number(l.book)) },
      { id: 'variance', header: t('counting.variance'), meta: { width: 112, right: true }, cell: ({ row: { original: l } }) => (l.variance == null ? <None why={l.state === 'open' ? t('counting.notYet') : t('counting.blindWhy')} /> : <span className={l.variance === 0 ? 'm' : l.variance < 0 ? 'bad-text b' : 'b'}>{f.signed(l.variance)}</span>) },
      { id: 'state', header: t('col.state'), meta: { width: 128 }, cell: ({ row: { original: l } }) => <Badge tone={({ open: undefined, variance: 'warn', settled: 'good' } as const)[l.state as 'open']}>{t(`counting.line.${l.state}`)}</Badge> },
      { id: 'who', header: t('audit.who'), meta: { width: 190 }, cell: ({ row: { original: l } }) => (l.counted_by ? <span className="col"><span className="el" title={l.counted_by}>{l.counted_by}</span>{l.decided_by && l.decided_by !== l.counted_by && <span className="t12 m2 el" title={l.decided_by}>{t('counting.approvedBy', { who: l.decided_by })}</span>}</span> : <None why={t('counting.notYet')} />) },
      { id: 'act', header: t('counting.decide'), meta: { width: 248 }, cell: ({ row }) => <Decide line={row.original} /> },
    ],
    [t],
  );
  const desk: Desk = {
    may,
    closed: c.closed,
    typed,
    wrong,
    type: (sku, v) => { setTyped((x) => ({ ...x, [sku]: v })); setWrong(({ [sku]: _, ...rest }) => rest); },
    save,
    go: (l, back) => {
      const at = rows.findIndex((r) => r.sku === l.sku);
      focus((back ? rows.slice(0, at).reverse() : rows.slice(at + 1)).find((r) => r.state !== 'settled')?.sku);
    },
    approve: (sku) => approve.mutate(sku),
  };
  const tab = (name: Show, label: string, n: number) => <Link to="/counts/$id" params={{ id: c.id }} search={name === 'all' ? {} : { show: name }} className={show === name ? 'on' : ''} aria-current={show === name ? 'page' : undefined}>{label}<span>{f.number(n)}</span></Link>;
  return (
    <div className="page fill" ref={board}>
      <PageHeader
        title={place}
        titleTestId="count-name"
        badge={<span className="row g4">{c.closed ? <Badge>{t('counting.closed')}</Badge> : <Badge tone="info">{t('counting.open')}</Badge>}{c.blind && <Badge>{t('counting.blindBadge')}</Badge>}</span>}
        note={[`№ ${c.id}`, c.note, c.tolerance_permille ? t('counting.upTo', { share: f.percent(c.tolerance_permille / 1000) }) : ''].filter(Boolean).join(' · ')}
        actions={c.closed ? undefined : <ActButton right="stock:write" variant={left === 0 ? 'filled' : 'default'} onClick={() => setClosing(true)} data-testid="count-close">{t('counting.close')}</ActButton>}
      />
      <NumberStrip calm label={t('nav.counts')} items={[
        { label: t('counting.toCount'), value: <span data-testid="count-open">{f.number(open)}</span>, note: t('counting.ofLines', { count: c.lines.length, n: f.number(c.lines.length) }), to: `/counts/${c.id}`, search: { show: 'open' } },
        { label: t('counting.variances'), value: <span data-testid="count-off">{f.number(off)}</span>, tone: off ? 'warn' : undefined, note: off ? t('counting.offNote') : undefined, to: `/counts/${c.id}`, search: { show: 'variance' } },
        { label: t('counting.settled'), value: f.number(c.lines.length - left), to: `/counts/${c.id}`, search: {} },
      ]} />
      <div className="row wrap-row">
        <nav className="tabs" aria-label={t('counting.show')}>{tab('all', t('all'), c.lines.length)}{tab('open', t('counting.line.open'), open)}{tab('variance', t('counting.line.variance'), off)}</nav>
        <span className="sp" />
        {may && <SkuField everywhere label={t('counting.scan')} onSku={(sku) => (focus(c.lines.find((l) => l.sku.toLowerCase() === sku.toLowerCase())?.sku) ? undefined : t('counting.notHere', { sku }))} testId="count-find" width={280} />}
      </div>
      <div className="card scroll">
        <Desk.Provider value={desk}>
          <DataTable label={place} rows={rows} columns={columns} rowId={(l) => l.sku} rowHeight={44} rowTestId="count-line" empty={<p className="body m2">{t('counting.nothing')}</p>} />
        </Desk.Provider>
      </div>
      {closing && <Close of={c} left={left} close={() => setClosing(false)} />}
    </div>
  );
}

/** What the cells need of the page. */
interface Desk {
  may: boolean;
  closed: boolean;
  typed: Record<string, string>;
  wrong: Record<string, string>;
  type: (sku: string, text: string) => void;
  save: (l: CountLine) => void;
  go: (l: CountLine, back: boolean) => void;
  approve: (sku: string) => void;
}
const Desk = createContext<Desk | null>(null);

function Counted({ line: l }: { line: CountLine }) {
  const { t } = useTranslation();
  const desk = useContext(Desk);
  if (!desk?.may || l.state === 'settled') return l.counted == null ? <None why={t('counting.notYet')} /> : <span className="b">{f.number(l.counted)}</span>;
  return (
    <TextInput
      aria-label={t('counting.countedOf', { sku: l.sku })}
      inputMode="decimal"
      autoComplete="off"
      data-sku={l.sku}
      data-testid="counted"
      placeholder={l.state === 'variance' ? t('counting.again') : undefined}
      styles={{ input: { textAlign: 'right' } }}
      value={desk.typed[l.sku] ?? ''}
      error={Boolean(desk.wrong[l.sku])}
      onFocus={(e) => e.currentTarget.select()}
      onChange={(e) => desk.type(l.sku, e.currentTarget.value)}
      onKeyDown={(e) => {
        if (!['Enter', 'ArrowDown', 'ArrowUp'].includes(e.key)) return;
        e.preventDefault();
        e.stopPropagation();
        if (e.key === 'Enter') desk.save(l);
        else desk.go(l, e.key === 'ArrowUp');
      }}
    />
  );
}

function Decide({ line: l }: { line: CountLine }) {
  const { t } = useTranslation();
  const desk = useContext(Desk);
  const wrong = desk?.wrong[l.sku];
  if (wrong) return <span className="error-text" role="alert" title={wrong} style={{ whiteSpace: 'normal' }} data-testid="count-wrong">{wrong}</span>;
  if (l.state === 'variance' && !desk?.closed)
    return (
      <span className="row g12">
        <ActLink right="stock:write" onClick={() => desk?.approve(l.sku)} data-testid="count-approve">{t('counting.approve')}</ActLink>
        {l.recounts > 0 && <span className="t12 m2">{t('counting.recounts', { count: l.recounts, n: f.number(l.recounts) })}</span>}
      </span>
    );
  return l.counted_at ? <When at={l.counted_at} className="m2" /> : null;
}

function Close({ of: c, left, close }: { of: Count; left: number; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => must(api.POST('/api/v1/stock-counts/{id}/close', { params: { path: { id: c.id } } })),
    onSuccess: (after) => {
      client.setQueryData(countQuery(c.id).queryKey, after);
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('counting.ended', { id: c.id }));
      close();
    },
  });
  return (
    <Dialog title={t('counting.closeTitle', { id: c.id })} close={close} submit={() => end.mutate()}>
      <p className="m2">{left > 0 ? t('counting.closeLeft', { count: left, n: f.number(left) }) : t('counting.closeText')}</p>
      {end.error && <ErrorNote error={end.error} />}
      <Acts label={left > 0 ? t('counting.closeDo', { count: left, n: f.number(left) }) : t('counting.close')} busy={end.isPending} close={close} testId="count-close-do" />
    </Dialog>
  );
}

