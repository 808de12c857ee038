// Decision served: is the accounting system joined, and when was it heard last?
import { Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf } from '../stock/forms';
import { EmptyState, ErrorNote, PageHeader, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { connectionsQuery, ERP } from './query';
import { Secret } from './Secret';

const route = getRouteApi('/erp');

export default function ErpPage() {
  const { t } = useTranslation();
  useTitle(t('nav.erp'));
  const { create } = route.useSearch();
  const navigate = useNavigate({ from: '/erp' });
  const list = useQuery(connectionsQuery);
  const open = (on: boolean) => void navigate({ search: on ? { create: true } : {} });
  useShortcut('KeyC', () => open(true), { enabled: !create, shift: false });
  return (
    <div className="page">
      <PageHeader title={t('nav.erp')} note={t('erp.note')} actions={<ActButton right="settings:write" rightSection={<kbd>C</kbd>} onClick={() => open(true)} data-testid="erp-create">{t('erp.create')}</ActButton>} />
      <Panel title={t('erp.connections')} count={list.data ? f.number(list.data.items.length) : undefined} query={list} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('erp.none')}>{t('erp.noneText')}</EmptyState>}>
        {(d) => (
          <ul className="line-list body">
            {d.items.map((c) => (
              <li key={c.id} className="row wrap-row g12" style={{ padding: '10px 0' }} data-testid="erp-row">
                <span className="col sp"><Link to="/erp/$name" params={{ name: c.name }} search={{}} className="plain b name">{c.name}</Link><span className="t12 m2 mono wrap">{c.address}</span></span>
                <span className="m2">{t(`erp.kind.${c.kind}`)}</span>
                <span className="t12 m2">{t('erp.changed')} <When at={c.updated_at} /></span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {create && <Create close={() => open(false)} />}
    </div>
  );
}

function Create({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<'commerceml' | 'rest'>('commerceml');
  const make = useMutation({
    mutationFn: () => must(api.POST('/api/v1/erp', { body: { name: name.trim(), kind } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ERP }),
  });
  const faults = faultsOf(make.error, (x) => x);
  const at = { name: faults.at('/name'), kind: faults.at('/kind') };
  if (make.data) return <Secret of={make.data} close={close} />;
  return (
    <Dialog title={t('erp.create')} close={close} submit={() => name.trim() && make.mutate()}>
      <TextInput label={t('erp.name')} description={t('erp.nameHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} placeholder="bas" value={name} error={at.name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus data-testid="erp-name" />
      <Select label={t('erp.speaks')} allowDeselect={false} value={kind} error={at.kind} onChange={(v) => v && setKind(v as typeof kind)} data={(['commerceml', 'rest'] as const).map((k) => ({ value: k, label: t(`erp.kind.${k}`) }))} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('erp.create')} busy={make.isPending} disabled={!name.trim()} close={close} testId="erp-do" />
    </Dialog>
  );
}
