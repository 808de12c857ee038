import { Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { CustomerRow } from '../api/types';
import { useRight } from '../session/rights';
import { Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { PersonSearch } from './PersonSearch';

/** Who lives with a customer: a view, nobody is joined. */
export function Household({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('customers:write');
  const [adding, setAdding] = useState(false);
  const household = useQuery({ queryKey: ['household', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/household', { params: { path: { person_id: id } } })) });
  const change = useMutation({
    mutationFn: (x: { person_id: string; together: boolean }) => must(api.POST('/api/v1/customers/{person_id}/household', { params: { path: { person_id: id } }, body: x })),
    onSuccess: (data, x) => {
      client.setQueryData(['household', id], data);
      setAdding(false);
      say(x.together ? t('household.added') : t('household.removed'));
    },
    onError: sayError,
  });
  const why = { self: '', said: t('household.said'), declared: t('household.declared'), home: t('household.home') } as Record<string, string>;
  const d = household.data;
  const others = d?.items.filter((m) => m.because !== 'self') ?? [];
  return (
    <Panel title={t('household.title')} count={d && d.members > 1 ? f.number(d.members) : undefined} query={household} testId="household" right={may && <button type="button" className="textlink" onClick={() => setAdding(!adding)}>{adding ? t('cancel') : t('household.add')}</button>}>
      {(x) => (
        <div className="body col g8">
          {adding && <PersonSearch label={t('household.add')} exclude={x.items.map((m) => m.person_id)} choose={(row: CustomerRow) => change.mutate({ person_id: row.person_id, together: true })} />}
          {others.length === 0 ? <p className="m2">{x.on ? t('household.alone') : t('household.off')}</p> : (
            <>
              <p className="m2" data-testid="household-sum">{t('household.sum', { count: x.members, n: f.number(x.members), orders: f.number(x.orders), revenue: f.moneyList(x.revenue) })}</p>
              <ul className="line-list">
                {others.map((m) => (
                  <li key={m.person_id} className="tr">
                    <div className="row">
                      <Link className="plain b sp el name" to="/customers/$id" params={{ id: m.person_id }} search={{}}>{m.name ?? t('person.unnamed')}</Link>
                      <span className="nw">{f.moneyList(m.revenue)}</span>
                    </div>
                    <div className="row t12 m2">
                      <span className="sp el">{why[m.because]}</span>
                      {m.last_order_at && <When at={m.last_order_at} />}
                      {may && <button type="button" className="textlink t12" onClick={() => change.mutate({ person_id: m.person_id, together: false })}>{t('household.remove')}</button>}
                    </div>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      )}
    </Panel>
  );
}

/** Whether the shop looks for households. */
export function HouseholdSwitch() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('settings:write');
  const settings = useQuery({ queryKey: ['household-settings'], queryFn: () => must(api.GET('/api/v1/household-settings')) });
  const change = useMutation({
    mutationFn: (on: boolean) => must(api.PUT('/api/v1/household-settings', { body: { on } })),
    onSuccess: (x) => client.setQueryData(['household-settings'], x),
    onError: sayError,
  });
  return <Switch checked={settings.data?.on ?? false} disabled={!may || !settings.data || change.isPending} onChange={(e) => change.mutate(e.currentTarget.checked)} label={t('household.look')} description={t('household.lookHelp')} data-testid="household-switch" />;
}
