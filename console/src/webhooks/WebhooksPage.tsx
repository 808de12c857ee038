// Decision served: do other systems hear what happens here, and which of them does not?
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { EmptyState, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { Form, LastAnswer, SecretOnce, Spark, StateBadge } from './parts';
import { type Webhook, webhooksQuery } from './query';

const route = getRouteApi('/webhooks');

export default function WebhooksPage() {
  const { t } = useTranslation();
  useTitle(t('nav.webhooks'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/webhooks' });
  const may = useMay('settings:write');
  const webhooks = useQuery(webhooksQuery);
  const [made, setMade] = useState<Webhook | null>(null);
  const create = () => void navigate({ search: { create: true } });
  useShortcut('KeyC', create, { enabled: may });
  const rows = webhooks.data?.items;
  const columns = useMemo<Column<Webhook>[]>(
    () => [
      { id: 'name', header: t('col.name'), meta: { width: '24%' }, cell: ({ row: { original: w } }) => <Link className="plain b el" to="/webhooks/$id" params={{ id: w.id }}>{w.name}</Link> },
      { id: 'state', header: t('col.state'), meta: { width: 120 }, cell: ({ row: { original: w } }) => <StateBadge webhook={w} /> },
      { id: 'url', header: t('webhook.url'), cell: ({ row: { original: w } }) => <span className="mono el" title={w.url}>{w.url}</span> },
      { id: 'lately', header: t('webhook.latelyHead'), meta: { width: 150 }, cell: ({ row: { original: w } }) => <Spark lately={w.lately} /> },
      { id: 'answer', header: t('webhook.lastAnswer'), meta: { width: 130 }, cell: ({ row: { original: w } }) => <LastAnswer status={w.last_status} error={w.last_error} /> },
      { id: 'waiting', header: t('webhook.waiting'), meta: { width: 90, right: true }, cell: ({ row: { original: w } }) => (w.waiting ? f.number(w.waiting) : <span className="m">0</span>) },
      { id: 'last', header: t('webhook.lastAt'), meta: { width: 130, right: true }, cell: ({ row: { original: w } }) => (w.last_at ? <When at={w.last_at} className="m2" /> : <span className="m">{t('source.never')}</span>) },
    ],
    [t],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.webhooks')} note={rows ? f.number(rows.length) : undefined} actions={<ActButton right="settings:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={create} data-testid="webhook-create">{t('webhook.add')}</ActButton>} />
      {made?.secret && <div className="card" style={{ flex: 'none' }}><div className="body"><SecretOnce secret={made.secret} /></div></div>}
      <div className="ld solo">
        <div className="card scroll">
          <DataTable
            label={t('nav.webhooks')}
            rows={rows}
            columns={columns}
            rowId={(w) => w.id}
            onOpen={(w) => void navigate({ to: '/webhooks/$id', params: { id: w.id } })}
            rowTestId="webhook-row"
            error={webhooks.error}
            retry={() => void webhooks.refetch()}
            empty={<EmptyState title={t('webhook.emptyTitle')} action={<ActButton right="settings:write" leftSection={<IconPlus />} onClick={create}>{t('webhook.add')}</ActButton>}>{t('webhook.emptyText')}</EmptyState>}
          />
        </div>
      </div>
      {search.create && may && <Form close={() => void navigate({ search: {} })} done={(w) => { setMade(w); void navigate({ search: {} }); }} />}
    </div>
  );
}
