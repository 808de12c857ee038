// Decision served: can this be promised, where does it lie, who waits for it, and what do I move?
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton, ActLink } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { IconLock } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { Condition, KeepBack, MoveForm } from './acts';
import { useStockLive } from './live';
import { MovementLine } from './movement';
import { Countdown, Day, type Places, Qty, SkuField, usePlaces, useSku } from './parts';
import { type Claim, GOODS, isMissing, movementsQuery, outletsQuery, skuQuery, type Stock } from './query';
import { unlessScanned } from './scan';

const BehindSku = lazy(() => import('../goods/ForSku'));
const Ahead = lazy(() => import('./Ahead'));
const route = getRouteApi('/stock/$sku');
const ENDS_ALONE = ['cart', 'in_store', 'try_on'];

export default function SkuPage() {
  const { t } = useTranslation();
  const { sku } = route.useParams();
  const { act } = route.useSearch();
  const navigate = useNavigate({ from: '/stock/$sku' });
  const client = useQueryClient();
  const stock = useQuery(skuQuery(sku));
  const places = usePlaces();
  const s = stock.data;
  useTitle(s ? s.name || s.sku : sku);
  useStockLive();
  const look = useSku();
  const go = async (text: string) => {
    const found = await look(text);
    void navigate({ to: '/stock/$sku', params: { sku: found.sku }, search: {} });
  };
  const open = (what: string | undefined) => void navigate({ search: what ? { act: what } : {} });
  useShortcut('KeyM', () => unlessScanned(() => open('move')), { enabled: Boolean(s) && !act });
  const done = () => {
    open(undefined);
    void client.invalidateQueries({ queryKey: GOODS });
  };
  if (!s)
    return (
      <div className="page">
        {isMissing(stock.error) ? (
          <><PageHeader title={sku} /><div className="card"><EmptyState title={t('stock.noSku', { sku })} action={<SkuField everywhere onSku={go} testId="stock-find" />}>{t('stock.noSkuText')}</EmptyState></div></>
        ) : stock.error ? <ErrorNote error={stock.error} retry={() => void stock.refetch()} /> : <Skeleton rows={8} />}
      </div>
    );
  const acts = { stock: s, places, close: () => open(undefined), done };
  return (
    <div className="page">
      <PageHeader
        title={s.name || s.sku}
        titleTestId="sku-name"
        badge={<span className="mono m2" data-testid="sku-code">{s.sku}</span>}
        actions={
          <div className="row g8 wrap-row">
            <SkuField everywhere onSku={go} width={200} label={t('stock.findOther')} testId="stock-find" />
            <ActButton right="stock:write" variant="default" onClick={() => open('safety')} data-testid="act-safety">{t('safety.open')}</ActButton>
            <ActButton right="stock:write" variant="default" onClick={() => open('condition')} data-testid="act-condition">{t('condition.open')}</ActButton>
            <ActButton right="stock:write" rightSection={<kbd>M</kbd>} onClick={() => open('move')} data-testid="act-move">{t('move.open')}</ActButton>
          </div>
        }
      />
      <Promises stock={s} />
      <PlacesTable stock={s} places={places} />
      <div className="home2">
        <Moved sku={s.sku} places={places} />
        <div className="col g16">
          <Claims stock={s} places={places} />
          <Incoming stock={s} places={places} />
        </div>
      </div>
      <Suspense fallback={null}><Ahead sku={s.sku} places={places} /></Suspense>
      <Suspense fallback={null}><BehindSku sku={s.sku} places={places} /></Suspense>
      {act === 'move' && <MoveForm {...acts} />}
      {act === 'safety' && <KeepBack {...acts} />}
      {act === 'condition' && <Condition {...acts} />}
    </div>
  );
}

/** What each channel can promise, six to a line. */
function Promises({ stock: s }: { stock: Stock }) {
  const { t } = useTranslation();
  const outlets = useQuery(outletsQuery);
  const name = (id: string) => outlets.data?.items.find((o) => o.id === id)?.name || id;
  const parts = Array.from({ length: Math.ceil(s.channels.length / 6) }, (_, i) => s.channels.slice(i * 6, i * 6 + 6));
  return (
    <div className="col g8" data-testid="promise">
      <div className="row">
        <h2 className="sp">{t('promise.title')}</h2>
        <span className="fresh"><i /><span data-testid="promise-as-of">{t('fresh.asOf', { time: f.clock(s.as_of) })}</span></span>
      </div>
      {s.channels.length === 0 && <p className="m2">{t('promise.none')} <Link to="/locations" search={{ tab: 'channels' }} className="inline-link">{t('nav.locations')}</Link></p>}
      {parts.map((part) => (
        <NumberStrip key={part[0]!.channel} label={t('promise.title')} items={part.map((c) => ({ label: name(c.channel), value: <span data-value={c.available} data-testid={`promise-${c.channel}`}>{f.number(c.available)}</span>, tone: c.available > 0 ? undefined : 'warn', note: c.available > 0 ? t('promise.can') : t('promise.nothing'), to: '/locations', search: { tab: 'channels', sel: c.channel } }))} />
      ))}
    </div>
  );
}

function PlacesTable({ stock: s, places }: { stock: Stock; places: Places }) {
  const { t } = useTranslation();
  const sum = (of: (i: Stock['items'][number]) => number) => Math.round(s.items.reduce((n, i) => n + of(i), 0) * 1000) / 1000;
  const heads = [t('stock.onHand'), t('stock.reserved'), t('stock.available'), t('stock.atTill'), t('stock.display'), t('stock.damaged'), t('stock.quarantine'), t('stock.safety')];
  return (
    <Panel title={t('stock.byPlace')} count={f.number(s.items.length)} right={s.in_transit > 0 ? <Link to="/transfers" search={{}} className="t12" data-testid="in-transit">{t('stock.inTransit', { n: f.number(s.in_transit) })}</Link> : undefined} testId="by-place">
      {s.items.length === 0 ? (
        <EmptyState title={t('stock.nowhere')}>{t('stock.nowhereText')}</EmptyState>
      ) : (
        <div className="tbl" role="group" aria-label={t('stock.byPlace')} tabIndex={0}>
          <table style={{ minWidth: 1000 }}>
            <colgroup><col />{heads.map((h) => <col key={h} style={{ width: 100 }} />)}<col style={{ width: 144 }} /></colgroup>
            <thead><tr><th scope="col">{t('stock.place')}</th>{heads.map((h) => <th key={h} scope="col" className="r" title={h}>{h}</th>)}<th scope="col" className="r">{t('stock.counted')}</th></tr></thead>
            <tbody>
              {s.items.map((i) => {
                const place = places.own.find((l) => l.id === i.location_id);
                return (
                  <tr key={i.location_id} className="row-data" data-testid="place-row">
                    <td style={{ height: 40 }}><span className="row g8"><Link to="/stock" search={{ at: i.location_id }} className="plain b name el">{places.name(i.location_id)}</Link>{place && place.state !== 'open' && <Badge tone="warn">{t(`place.state.${place.state}`)}</Badge>}</span></td>
                    <td className="r"><Qty n={i.on_hand} /></td>
                    <td className="r"><Qty n={i.reserved} /></td>
                    <td className="r"><Qty n={i.available} strong tone={i.available <= 0 && i.on_hand > 0 ? 'warn' : undefined} /></td>
                    <td className="r"><Qty n={i.at_the_till} /></td>
                    <td className="r"><Qty n={i.display} /></td>
                    <td className="r"><Qty n={i.damaged} /></td>
                    <td className="r"><Qty n={i.quarantine} /></td>
                    <td className="r"><Qty n={i.safety} /></td>
                    <td className="r">{i.counted_at ? <When at={i.counted_at} className="m2" /> : <None why={t('stock.neverCounted')} />}</td>
                  </tr>
                );
              })}
              {s.items.length > 1 && (
                <tr className="sum">
                  <td style={{ height: 40 }}>{t('stock.total')}</td>
                  {([(i) => i.on_hand, (i) => i.reserved, (i) => i.available, (i) => i.at_the_till, (i) => i.display, (i) => i.damaged, (i) => i.quarantine, (i) => i.safety] as ((i: Stock['items'][number]) => number)[]).map((of, n) => <td key={n} className="r">{f.number(sum(of))}</td>)}
                  <td />
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Moved({ sku, places }: { sku: string; places: Places }) {
  const { t } = useTranslation();
  const moved = useInfiniteQuery(movementsQuery({ sku }, 12));
  const rows = useMemo(() => moved.data?.pages[0]?.items, [moved.data]);
  return (
    <Panel title={t('movements.last')} query={{ ...moved, data: rows }} right={<Link to="/stock/movements" search={{ sku }}>{t('movements.all')}</Link>} empty={(r) => r.length === 0} emptyText={<EmptyState title={t('movements.none')}>{t('movements.noneText')}</EmptyState>} testId="movements">
      {(list) => <ul className="line-list body">{list.map((m) => <li key={m.id}><MovementLine of={m} places={places} /></li>)}</ul>}
    </Panel>
  );
}

function Claims({ stock: s, places }: { stock: Stock; places: Places }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const fresh = useCallback(() => void client.invalidateQueries({ queryKey: GOODS }), [client]);
  const release = useMutation({
    mutationFn: async (c: Claim) => {
      const path = { params: { path: { id: c.reservation_id } } };
      const whole = await must(api.GET('/api/v1/reservations/{id}', path));
      await must(api.DELETE('/api/v1/reservations/{id}', path));
      return whole;
    },
    onError: sayError,
    onSettled: fresh,
    onSuccess: (whole) => {
      const seconds = whole.expires_at ? Math.floor((Date.parse(whole.expires_at) - Date.now()) / 1000) : 0;
      const lines = whole.lines.filter((l) => !l.ended).map((l) => ({ sku: l.sku, quantity: l.quantity, location_id: l.location_id }));
      // What would have ended by now is not brought back.
      const undo = seconds > 0 && lines.length ? () => void must(api.POST('/api/v1/reservations', { body: { kind: whole.kind, owner: whole.owner, lines, seconds } })).then(fresh, sayError) : undefined;
      say(t('claim.released', { owner: whole.owner }), undo);
    },
  });
  return (
    <Panel title={t('claim.title')} count={s.claims.length ? f.number(s.claims.length) : undefined} testId="claims">
      {s.claims.length === 0 ? (
        <div className="body m2">{t('claim.none')}</div>
      ) : (
        <ul className="line-list body">
          {s.claims.map((c) => (
            <li key={`${c.reservation_id}-${c.location_id}`} className="row g12" style={{ padding: '6px 0' }} data-testid="claim">
              <span className="col sp">
                <span className="row g8"><span className="b">{f.number(c.quantity)}</span><span className="el">{t(`claim.kind.${c.kind}`)}</span><span className="m2 el">{places.name(c.location_id)}</span></span>
                <span className="t12 m2 el mono">{c.owner}</span>
              </span>
              <span className="col" style={{ alignItems: 'flex-end' }}>
                {c.expires_at ? <Countdown until={c.expires_at} over={fresh} /> : <span className="m2 row g4" title={t('claim.firm')}><IconLock className="s" />{t('claim.kept')}</span>}
                {ENDS_ALONE.includes(c.kind) && <ActLink right="stock:write" className="t12" disabled={release.isPending} onClick={() => release.mutate(c)} data-testid="claim-release">{t('claim.release')}</ActLink>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Incoming({ stock: s, places }: { stock: Stock; places: Places }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('incoming.title')} testId="incoming">
      {s.incoming.length === 0 ? (
        <div className="body m2">{t('incoming.none')}</div>
      ) : (
        <ul className="line-list body">
          {s.incoming.map((i) => (
            <li key={i.purchase_order_id} className="row g8" style={{ padding: '6px 0' }}>
              <span className="b">{f.number(i.quantity)}</span>
              <Link to="/purchases/$id" params={{ id: i.purchase_order_id }}>{t('purchase.no', { id: i.purchase_order_id })}</Link>
              <span className="m2 el sp">{places.name(i.location_id)}</span>
              <Day at={i.expected_at} why={t('incoming.unknown')} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

