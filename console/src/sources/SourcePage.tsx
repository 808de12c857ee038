// Decision served: does this source send what we agreed on, and may things react to it?
import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useRight } from '../session/rights';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { Learned } from './Learned';
import { PlanEditor } from './Plan';
import { Rejects } from './Rejects';
import { Snippets } from './SourcesPage';

const route = getRouteApi('/sources/$id');
const TABS = ['overview', 'plan', 'learned', 'drift', 'rejects'] as const;

export default function SourcePage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const tab = route.useSearch().tab ?? 'overview';
  const path = { params: { path: { id } } };
  const detail = useQuery({ queryKey: ['source', id], queryFn: () => must(api.GET('/api/v1/sources/{id}', path)), refetchInterval: 15_000 });
  const list = useQuery({ queryKey: ['sources'], queryFn: () => must(api.GET('/api/v1/sources')), refetchInterval: 15_000 });
  const s = detail.data;
  const figures = list.data?.items.find((x) => x.id === id);
  useTitle(s?.name);
  const names: Record<string, string> = { overview: t('source.overview'), plan: t('source.plan'), learned: t('source.learned'), drift: t('source.drift'), rejects: t('source.rejects') };
  const kinds: Record<string, string> = { browser: t('source.browser'), server: t('source.server'), import: t('source.import'), system: t('source.system') };
  if (!s) return <div className="page">{detail.error ? <ErrorNote error={detail.error} retry={() => void detail.refetch()} /> : <PageHeader title="…" />}</div>;
  return (
    <div className="page">
      <PageHeader title={s.name} note={kinds[s.kind]} badge={s.observe_only ? <Badge tone="warn">{t('source.observed')}</Badge> : undefined} titleTestId="source-name" />
      <nav className="tabs" aria-label={t('source.parts')}>
        {TABS.map((x) => (
          <Link key={x} to="/sources/$id" params={{ id }} search={x === 'overview' ? {} : { tab: x }} className={tab === x ? 'on' : ''} aria-current={tab === x ? 'page' : undefined} data-testid={`source-${x}`}>
            {names[x]}{x === 'drift' && s.open_drift > 0 ? ` ${f.number(s.open_drift)}` : ''}
          </Link>
        ))}
      </nav>
      {tab === 'plan' ? <PlanEditor id={id} /> : tab === 'learned' ? <Learned id={id} /> : tab === 'drift' ? <Drift id={id} /> : tab === 'rejects' ? <Rejects id={id} /> : (
        <>
          <NumberStrip
            label={t('source.overview')}
            items={[
              { label: t('source.events'), value: figures ? f.number(figures.events_24h) : f.NONE, to: '/live', search: { source: id } },
              { label: t('source.rejected'), value: figures ? f.number(figures.rejected_24h) : f.NONE, tone: figures?.rejected_24h ? 'bad' : undefined, to: `/sources/${id}`, search: { tab: 'rejects' } },
              { label: t('col.lastEvent'), value: figures?.last_event_at ? f.ago(figures.last_event_at) : t('source.never') },
              { label: t('source.drift'), value: f.number(s.open_drift), tone: s.open_drift ? 'warn' : undefined, to: `/sources/${id}`, search: { tab: 'drift' } },
              { label: t('source.planVersion'), value: s.plan_version ? f.number(s.plan_version) : t('source.noPlan'), to: `/sources/${id}`, search: { tab: 'plan' } },
            ]}
          />
          {s.kind !== 'system' && <Observe source={s} />}
          {s.kind !== 'system' && s.kind !== 'import' && <Panel><div className="body flush-snippet"><Snippets writeKey={`${s.write_key_prefix ?? ''}…`} kind={s.kind} /></div></Panel>}
        </>
      )}
    </div>
  );
}

type Detail = { id: string; name: string; observe_only: boolean; observed_since?: string | null; would_have: { rule_id: string; rule_name?: string | null; day: string; count: number; person_id: string; at: string }[] };

function Observe({ source: s }: { source: Detail }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('sources:write');
  const set = useMutation({
    mutationFn: (observe_only: boolean) => must(api.PUT('/api/v1/sources/{id}/observe', { params: { path: { id: s.id } }, body: { observe_only } })),
    onSuccess: (o) => {
      void client.invalidateQueries({ queryKey: ['source', s.id] });
      say(o.observe_only ? t('source.observeOn') : t('source.observeOff'));
    },
    onError: sayError,
  });
  return (
    <Panel title={t('source.observe')}>
      <div className="body col g12">
        <Switch checked={s.observe_only} disabled={!may || set.isPending} label={t('source.observeOnly')} description={t('source.observeText')} onChange={(e) => set.mutate(e.currentTarget.checked)} data-testid="observe-switch" />
        {s.observe_only && s.observed_since && <p className="m2">{t('source.observedSince')} <When at={s.observed_since} /></p>}
      </div>
      {(s.observe_only || s.would_have.length > 0) && (s.would_have.length === 0 ? <EmptyState title={t('source.wouldNone')} /> : (
        <div className="tbl" style={{ maxHeight: 300 }} tabIndex={0} role="group" aria-label={t('source.would')}>
          <table>
            <thead><tr><th scope="col">{t('source.would')}</th><th scope="col">{t('source.day')}</th><th scope="col" className="r">{t('source.messages')}</th><th scope="col">{t('source.lastCase')}</th></tr></thead>
            <tbody>{s.would_have.map((w) => <tr key={`${w.rule_id}${w.day}`}><td style={{ height: 36 }}><Link to="/rules" search={{ sel: w.rule_id }}>{w.rule_name ?? w.rule_id}</Link></td><td>{f.dayMonth(w.day)}</td><td className="r">{f.number(w.count)}</td><td><Link to="/customers/$id" params={{ id: w.person_id }}>{t('col.customer')}</Link> <When at={w.at} className="m2" /></td></tr>)}</tbody>
          </table>
        </div>
      ))}
    </Panel>
  );
}

function Drift({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('sources:write');
  const drift = useQuery({ queryKey: ['drift', id], queryFn: () => must(api.GET('/api/v1/sources/{id}/drift', { params: { path: { id }, query: { limit: 200 } } })), refetchInterval: 15_000 });
  const resolve = useMutation({
    mutationFn: (drift_id: string) => must(api.POST('/api/v1/sources/{id}/drift/{drift_id}/resolve', { params: { path: { id, drift_id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['drift', id] });
      void client.invalidateQueries({ queryKey: ['source', id] });
    },
    onError: sayError,
  });
  const kinds: Record<string, string> = { new_event: t('drift.new_event'), new_property: t('drift.new_property'), type_change: t('drift.type_change'), unknown_event: t('drift.unknown_event'), missing_property: t('drift.missing_property'), wrong_kind: t('drift.wrong_kind') };
  return (
    <Panel title={t('source.drift')} query={drift} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('drift.emptyTitle')}>{t('drift.emptyText')}</EmptyState>}>
      {(d) => (
        <div className="tbl" tabIndex={0} role="group" aria-label={t('source.drift')}>
          <table>
            <thead><tr><th scope="col" style={{ width: '20%' }}>{t('drift.what')}</th><th scope="col">{t('col.event')}</th><th scope="col">{t('drift.detail')}</th><th scope="col" className="r" style={{ width: 90 }}>{t('drift.times')}</th><th scope="col" style={{ width: 120 }}>{t('drift.last')}</th><th scope="col" style={{ width: 130 }}><span className="hidden-text">{t('drift.resolve')}</span></th></tr></thead>
            <tbody>{d.items.map((x) => (
              <tr key={x.id} data-testid="drift-row">
                <td style={{ height: 44 }}>{kinds[x.kind] ?? x.kind}</td>
                <td className="b">{x.event}{x.property ? <span className="mono m2"> {x.property}</span> : null}</td>
                <td className="m2" title={x.detail}>{x.detail || <None />}</td>
                <td className="r">{f.number(x.count)}</td>
                <td><When at={x.last_at} className="m2" /></td>
                <td className="r">{may && <Button size="xs" variant="default" loading={resolve.isPending && resolve.variables === x.id} onClick={() => resolve.mutate(x.id)}>{t('drift.resolve')}</Button>}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
