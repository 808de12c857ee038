// Decision served: which part of the old tool can be switched off, and what is still in the way?
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { RightButton, useRight } from '../session/rights';
import { Badge, EmptyState, ErrorNote, None, PageHeader } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconCheck, IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { type Compared, moduleName, MODULES, tone, verdictName } from './words';

export default function ParallelPage() {
  const { t } = useTranslation();
  useTitle(t('nav.parallel'));
  const navigate = useNavigate();
  const may = useRight('imports:write');
  const [adding, setAdding] = useState(false);
  const list = useQuery({ queryKey: ['parallel'], queryFn: () => must(api.GET('/api/v1/parallel-run')) });
  const columns = useMemo<Column<Compared>[]>(
    () => [
      { id: 'name', header: t('col.name'), meta: { width: '28%' }, cell: ({ row: { original: m } }) => <span className="b el">{m.name}</span> },
      { id: 'module', header: t('moving.what'), cell: ({ row: { original: m } }) => moduleName(m.module) },
      { id: 'verdict', header: t('moving.verdict'), meta: { width: 150 }, cell: ({ row: { original: m } }) => (m.switched_at ? <Badge tone="info">{t('moving.switched')}</Badge> : <Badge tone={tone(m.standing.verdict)}>{verdictName(t, m.standing.verdict)}</Badge>) },
      { id: 'green', header: t('moving.green'), meta: { width: 130, right: true }, cell: ({ row: { original: m } }) => t('moving.greenOf', { n: f.number(m.standing.green_days), all: f.number(m.settings.green_days) }) },
      { id: 'open', header: t('moving.open'), meta: { width: 130, right: true }, cell: ({ row: { original: m } }) => <span className={m.standing.open_differences ? 'bad-text' : 'm'}>{f.number(m.standing.open_differences)}</span> },
      { id: 'newest', header: t('moving.newest'), meta: { width: 140, right: true }, cell: ({ row: { original: m } }) => (m.standing.newest ? f.date(`${m.standing.newest}T12:00:00Z`) : <None />) },
    ],
    [t],
  );
  const rows = list.data?.items;
  return (
    <div className="page fill">
      <PageHeader title={t('nav.parallel')} note={t('moving.note')} actions={<><Button variant="default" component={Link} to="/parallel/rollout" leftSection={<IconCheck />} data-testid="rollout-open">{t('rollout.title')}</Button><RightButton right="imports:write" leftSection={<IconPlus />} onClick={() => setAdding(true)} data-testid="parallel-new">{t('moving.add')}</RightButton></>} />
      <div className="card scroll">
        <DataTable
          label={t('nav.parallel')}
          rows={rows}
          columns={columns}
          rowId={(m) => m.id}
          onOpen={(m) => void navigate({ to: '/parallel/$id', params: { id: m.id } })}
          rowTestId="parallel-row"
          error={list.error}
          retry={() => void list.refetch()}
          empty={<EmptyState title={t('moving.emptyTitle')} action={may ? <Button leftSection={<IconPlus />} onClick={() => setAdding(true)}>{t('moving.add')}</Button> : undefined}>{t('moving.emptyText')}</EmptyState>}
        />
      </div>
      {adding && <Add close={() => setAdding(false)} />}
    </div>
  );
}

function Add({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [module, setModule] = useState('orders');
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/parallel-run', { body: { name: name.trim(), module } })),
    onSuccess: (m) => {
      void client.invalidateQueries({ queryKey: ['parallel'] });
      void navigate({ to: '/parallel/$id', params: { id: m.id } });
    },
  });
  return (
    <Modal opened onClose={close} title={t('moving.add')}>
      <form className="col g16" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
        <Select label={t('moving.what')} data={MODULES.map((m) => ({ value: m, label: moduleName(m) }))} value={module} allowDeselect={false} onChange={(m) => m && setModule(m)} data-testid="parallel-module" />
        <TextInput label={t('moving.name')} placeholder={t('moving.namePlaceholder')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} data-testid="parallel-name" />
        {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
        <div className="form-actions"><Button type="submit" loading={add.isPending} disabled={!name.trim()} data-testid="parallel-save">{t('moving.add')}</Button></div>
      </form>
    </Modal>
  );
}
