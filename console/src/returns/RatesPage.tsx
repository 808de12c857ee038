// Decision served: what comes back too often, why, and what should the catalogue say?
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { EmptyState, ErrorNote, NumberStrip, PageHeader, Panel, Skeleton, Why } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { AfterTabs } from './parts';
import { type Group, type Rates, ratesQuery } from './query';

const route = getRouteApi('/returns/rates');
const PERIODS = [30, 90, 365];

export default function RatesPage() {
  const { t } = useTranslation();
  useTitle(t('after.tab.rates'));
  const { days = '90', by = 'categories' } = route.useSearch();
  const navigate = useNavigate({ from: '/returns/rates' });
  // The begin of a day, so that looking twice asks the same question.
  const from = useMemo(() => { const at = new Date(); at.setHours(0, 0, 0, 0); at.setDate(at.getDate() - Number(days)); return at.toISOString(); }, [days]);
  const query = useQuery(ratesQuery(from, undefined));
  const r = query.data;
  const groups = by === 'products' || by === 'sizes' ? by : 'categories';
  return (
    <div className="page">
      <PageHeader title={t('nav.returns')} note={t('after.note.rates')} />
      <AfterTabs at="rates" />
      <div className="row wrap-row g12">
        <SegmentedControl value={days} onChange={(v) => void navigate({ search: (s) => ({ ...s, days: v }), replace: true })} aria-label={t('figures.days')} data={PERIODS.map((n) => ({ value: String(n), label: t('rates.days', { n }) }))} data-testid="rates-days" />
        {r && <span className="m2">{t('figures.period', { from: f.date(r.from), to: f.date(r.to) })}</span>}
      </div>
      {!r ? (query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />) : (
        <>
          <NumberStrip label={t('after.tab.rates')} items={[
            { label: t('rates.all'), value: <span data-testid="rate-all">{rate(r.overall.all.rate)}</span>, note: counted(t, r.overall.all) },
            { label: t('rates.withTryOn'), value: rate(r.overall.with_try_on.rate), note: counted(t, r.overall.with_try_on) },
            { label: t('rates.withoutTryOn'), value: rate(r.overall.without_try_on.rate), note: counted(t, r.overall.without_try_on) },
            { label: t('rates.effect'), value: r.try_on_effect ? points(r.try_on_effect.difference) : f.NONE, note: r.try_on_effect ? t('rates.between', { low: points(r.try_on_effect.low), high: points(r.try_on_effect.high) }) : t('rates.tooFew') },
          ]} />
          <p className="t12 m2">{t('rates.notCause')}</p>
          <div className="person-two">
            <Panel title={t(`rates.by.${groups}`)} count={f.number(r[groups].length)} right={<SegmentedControl size="xs" value={groups} onChange={(v) => void navigate({ search: (s) => ({ ...s, by: v }), replace: true })} aria-label={t('rates.by')} data={['categories', 'products', 'sizes'].map((k) => ({ value: k, label: t(`rates.tab.${k}`) }))} data-testid="rates-by" />}>
              {r[groups].length ? <Groups of={r[groups]} kind={groups} /> : <EmptyState title={t('rates.none')}>{t('rates.noneText')}</EmptyState>}
            </Panel>
            <div className="col g16">
              <Hints of={r} />
              <Panel title={t('rates.reasons')}>
                {r.overall.reasons.length ? <Reasons of={r.overall} /> : <p className="body m2">{t('rates.none')}</p>}
              </Panel>
            </div>
          </div>
        </>
      )}
    </div>
  );
}

type T = ReturnType<typeof useTranslation>['t'];
const rate = (n: number | null | undefined): string => (n == null ? f.NONE : f.percent(n));
const points = (n: number): string => f.percent(n).replace(/^(?=\d)/, n > 0 ? '+' : '');
const counted = (t: T, s: Group['all']): string => t('rates.counted', { n: f.number(s.returned), all: f.number(s.delivered) });

function Groups({ of, kind }: { of: Group[]; kind: 'categories' | 'products' | 'sizes' }) {
  const { t } = useTranslation();
  const head = (text: string) => <th scope="col" className="r">{text}</th>;
  return (
    <div className="tbl" role="group" aria-label={t(`rates.by.${kind}`)} tabIndex={0}>
      <table style={{ minWidth: 496 }}>
        <colgroup><col />{[72, 88, 88, 112].map((w, n) => <col key={n} style={{ width: w }} />)}</colgroup>
        <thead><tr><th scope="col">{t(`rates.name.${kind}`)}</th>{head(t('rates.rate'))}{head(t('rates.returned'))}{head(t('rates.delivered'))}{head(t('rates.tryOnHead'))}</tr></thead>
        <tbody>
          {of.map((g) => (
            <tr key={g.key} className="row-data" data-testid="rate-row">
              <td style={{ height: 44 }}>
                <span className="col">
                  {kind === 'products' ? <Link to="/products/$id" params={{ id: g.key }} search={{}} className="plain b name el" title={g.name}>{g.name || g.key}</Link> : <span className="b el">{g.name || g.key || t('rates.without')}</span>}
                  {g.reasons[0] && <span className="t12 m2 el">{word('reason_of', g.reasons[0].reason)}: {f.number(g.reasons[0].returned)}</span>}
                </span>
              </td>
              <td className="r"><span className="b" title={g.all.low != null && g.all.high != null ? t('rates.between', { low: f.percent(g.all.low), high: f.percent(g.all.high) }) : undefined}>{rate(g.all.rate)}</span></td>
              <td className="r">{f.number(g.all.returned)}</td>
              <td className="r">{f.number(g.all.delivered)}</td>
              <td className="r m2">{rate(g.with_try_on.rate)} / {rate(g.without_try_on.rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Reasons({ of }: { of: Group }) {
  const all = of.reasons.reduce((n, r) => n + r.returned, 0);
  return (
    <ul className="line-list body">
      {of.reasons.map((r) => (
        <li key={r.reason} className="col g4" style={{ padding: '6px 0' }}>
          <span className="row"><span className="sp">{word('reason_of', r.reason)}</span><span>{f.number(r.returned)}</span></span>
          <span className="bar" aria-hidden="true"><i style={{ width: `${all ? (r.returned / all) * 100 : 0}%` }} /></span>
        </li>
      ))}
    </ul>
  );
}

function Hints({ of: r }: { of: Rates }) {
  const { t } = useTranslation();
  const name = (id: string) => r.products.find((p) => p.key === id)?.name || id;
  return (
    <Panel title={t('rates.hints')} count={f.number(r.hints.length)} testId="hints">
      {r.hints.length === 0 ? <EmptyState title={t('rates.noHints')}>{t('rates.noHintsText')}</EmptyState> : (
        <ul className="line-list body">
          {r.hints.map((h, i) => (
            <li key={i} className="col g4" style={{ padding: '8px 0' }} data-testid="hint">
              <Link to="/products/$id" params={{ id: h.product_id }} search={{}} className="plain b name">{name(h.product_id)}</Link>
              <span className="row wrap-row"><span>{h.size ? t(`rates.hint.${h.hint}.size`, { size: h.size }) : t(`rates.hint.${h.hint}`)}</span><Why title={t('rates.hints')} steps={[{ passed: true, text: t('rates.hintWhy', { n: f.number(h.pieces), of: f.number(h.of) }) }, { passed: true, text: t('rates.hintUsual', { share: f.percent(h.usual) }) }, { passed: true, text: t('rates.hintChance', { p: h.p < 0.0001 ? '< 0.0001' : String(Math.round(h.p * 10000) / 10000) }) }]} /></span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
