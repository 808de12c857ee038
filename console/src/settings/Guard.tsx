import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useRight } from '../session/rights';
import { Badge, EmptyState, PageHeader, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { sayError } from '../ui/toast';

/** A second pair of eyes: exports that wait for approval, and people who looked at unusually many customers. */
export function Guard() {
  const { t } = useTranslation();
  useTitle(t('settings.guard'));
  const client = useQueryClient();
  const mayDecide = useRight('exports:approve');
  const mayClose = useRight('audit:write');
  const approvals = useQuery({ queryKey: ['approvals'], queryFn: () => must(api.GET('/api/v1/export-approvals', { params: { query: { limit: 100 } } })), refetchInterval: 15_000 });
  const alarms = useQuery({ queryKey: ['alarms'], queryFn: () => must(api.GET('/api/v1/view-alarms', { params: { query: { limit: 100 } } })), refetchInterval: 15_000, enabled: useRight('audit:read') });
  const decide = useMutation({
    mutationFn: (d: { id: string; approve: boolean }) => must(api.POST('/api/v1/export-approvals/{id}/decide', { params: { path: { id: d.id } }, body: { approve: d.approve } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['approvals'] }),
    onError: sayError,
  });
  const close = useMutation({ mutationFn: (id: string) => must(api.POST('/api/v1/view-alarms/{id}/close', { params: { path: { id } } })), onSuccess: () => void client.invalidateQueries({ queryKey: ['alarms'] }), onError: sayError });
  const states = { waiting: t('guard.waiting'), approved: t('guard.approved'), refused: t('guard.refused'), used: t('guard.used'), expired: t('guard.expired') };
  const tones = { waiting: 'warn', approved: 'good', refused: 'bad', used: undefined, expired: undefined } as const;
  return (
    <>
      <PageHeader title={t('settings.guard')} />
      <Panel title={t('guard.exports')} query={approvals} empty={(a) => a.items.length === 0} emptyText={<EmptyState title={t('guard.noExports')}>{t('guard.noExportsText')}</EmptyState>}>
        {(a) => (
          <div className="counts">
            {a.items.map((x) => (
              <div key={x.id} data-testid="approval-row">
                <span className="col"><b>{x.requested_by}: {x.what}, {t('guard.rows', { n: f.number(x.rows) })}</b><span className="t12 wrap">{x.reason} · <When at={x.requested_at} />{x.decided_by ? ` · ${x.decided_by}` : ''}</span></span>
                {x.state === 'waiting' && x.may_decide && mayDecide ? (
                  <span className="row"><Button size="xs" variant="default" onClick={() => decide.mutate({ id: x.id, approve: true })}>{t('guard.approve')}</Button><Button size="xs" variant="subtle" onClick={() => decide.mutate({ id: x.id, approve: false })}>{t('guard.refuse')}</Button></span>
                ) : <Badge tone={tones[x.state]}>{states[x.state]}</Badge>}
              </div>
            ))}
          </div>
        )}
      </Panel>
      <Panel title={t('guard.alarms')} query={alarms} empty={(a) => a.items.length === 0} emptyText={<EmptyState title={t('guard.noAlarms')}>{t('guard.noAlarmsText')}</EmptyState>}>
        {(a) => (
          <div className="counts">
            {a.items.map((x) => (
              <div key={x.id} data-testid="alarm-row">
                <span className="col"><b>{x.actor}: {t('guard.looked', { n: f.number(x.persons), usual: f.number(x.usual) })}</b><span className="t12"><When at={x.at} />{x.closed_by ? ` · ${t('guard.closedBy', { name: x.closed_by })}` : ''}</span></span>
                {!x.closed_at && mayClose && <Button size="xs" variant="default" onClick={() => close.mutate(x.id)}>{t('guard.close')}</Button>}
              </div>
            ))}
          </div>
        )}
      </Panel>
    </>
  );
}
