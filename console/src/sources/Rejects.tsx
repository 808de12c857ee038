import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { RightButton, useRight } from '../session/rights';
import { EmptyState, Panel, When } from '../ui/base';
import { Chart, type ChartData } from '../ui/Chart';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';

const HOURS = 24;

/** What was refused of a source, by hour and one by one; what a mended plan would take can be tried again. */
export function Rejects({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('events:write');
  const [code, setCode] = useState<string | null>(null);
  const hours = useQuery({ queryKey: ['reject-hours', id], queryFn: () => must(api.GET('/api/v1/rejects/hours', { params: { query: { source_id: id, hours: HOURS } } })), refetchInterval: 15_000 });
  const rejects = useQuery({ queryKey: ['rejects', id, code], queryFn: () => must(api.GET('/api/v1/rejects', { params: { query: { source_id: id, limit: 200, code: code ?? undefined } } })), refetchInterval: 15_000 });
  const fresh = () => {
    void client.invalidateQueries({ queryKey: ['rejects', id] });
    void client.invalidateQueries({ queryKey: ['reject-hours', id] });
  };
  const told = (outcomes: string[]) => {
    fresh();
    const taken = outcomes.filter((o) => o === 'accepted' || o === 'duplicate').length;
    say(t('rejects.replayed', { taken: f.number(taken), all: f.number(outcomes.length) }));
  };
  const one = useMutation({ mutationFn: (r: string) => must(api.POST('/api/v1/rejects/{id}/replay', { params: { path: { id: r } } })), onSuccess: (o) => told([o.outcome]), onError: sayError });
  const many = useMutation({ mutationFn: () => must(api.POST('/api/v1/rejects/replay', { body: { source_id: id, code: code ?? undefined } })), onSuccess: (o) => told(o.items.map((i) => i.outcome)), onError: sayError });
  const codes = useMemo(() => [...new Set((hours.data?.items ?? []).map((h) => h.code))], [hours.data]);
  const chart = useMemo<ChartData>(() => {
    const top = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    const moments = Array.from({ length: HOURS }, (_, i) => top - (HOURS - 1 - i) * 3_600_000);
    const sums = new Map<number, number>();
    for (const h of hours.data?.items ?? []) if (!code || h.code === code) sums.set(Date.parse(h.hour), (sums.get(Date.parse(h.hour)) ?? 0) + h.count);
    return { categories: moments.map((m) => f.time(m)), categoryName: t('col.hour'), series: [{ name: t('source.rejects'), kind: 'bar', role: 'bad', values: moments.map((m) => sums.get(m) ?? 0) }], format: f.number, axis: f.short };
  }, [hours.data, code, t]);
  const sum = chart.series[0]!.values.reduce<number>((a, b) => a + (b ?? 0), 0);
  const replayable = rejects.data?.items.some((r) => r.replayable && !r.replayed_at) ?? false;
  return (
    <>
      <Panel title={t('rejects.hours')} query={hours}>
        <div className="body">
          {codes.length > 1 && <div className="row wrap-row" role="group" aria-label={t('col.reason')}>{[null, ...codes].map((c) => <button key={c ?? ''} type="button" className={`chip${code === c ? ' on' : ''}`} aria-pressed={code === c} onClick={() => setCode(c)}>{c ? c.replaceAll('_', ' ') : t('all')}</button>)}</div>}
          <Chart data={chart} summary={t('rejects.summary', { n: f.number(sum) })} label={t('rejects.hours')} />
        </div>
      </Panel>
      <Panel title={t('source.rejects')} count={rejects.data ? f.number(rejects.data.items.length) : undefined} right={replayable ? <RightButton right="events:write" variant="default" size="xs" loading={many.isPending} onClick={() => many.mutate()}>{t('rejects.replayAll')}</RightButton> : undefined} query={rejects} empty={(r) => r.items.length === 0} emptyText={<EmptyState title={t('rejects.emptyTitle')}>{t('rejects.emptyText')}</EmptyState>}>
        {(r) => (
          <div className="tbl" style={{ maxHeight: 520 }} tabIndex={0} role="group" aria-label={t('source.rejects')}>
            <table>
              <thead><tr><th scope="col" style={{ width: 120 }}>{t('col.when')}</th><th scope="col" style={{ width: '18%' }}>{t('col.event')}</th><th scope="col">{t('col.reason')}</th><th scope="col" style={{ width: '24%' }}>{t('rejects.raw')}</th><th scope="col" style={{ width: 150 }}><span className="hidden-text">{t('rejects.replay')}</span></th></tr></thead>
              <tbody>{r.items.map((x) => (
                <tr key={x.id} data-testid="source-reject">
                  <td style={{ height: 44 }}><When at={x.received_at} className="m2" /></td>
                  <td className="b">{x.event ?? f.NONE}</td>
                  <td title={x.detail}>{x.pointer && <span className="mono bad-text">{x.pointer} </span>}{x.detail}</td>
                  <td className="mono m2" title={x.raw}>{x.raw}</td>
                  <td className="r">{x.replayed_at ? <span className="m2">{x.replay === 'accepted' || x.replay === 'duplicate' ? t('rejects.taken') : t('rejects.again')}</span> : x.replayable && may ? <Button size="xs" variant="default" loading={one.isPending && one.variables === x.id} onClick={() => one.mutate(x.id)}>{t('rejects.replay')}</Button> : <span className="m t12">{x.replayable ? '' : t('rejects.never')}</span>}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        )}
      </Panel>
    </>
  );
}
