// Decision served: which text do I send or mend?
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Template } from '../api/types';
import { channelName } from '../customers/timeline';
import { ActButton } from '../session/Guarded';
import { useRight } from '../session/rights';
import { EmptyState, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { rulesQuery, templatesQuery } from './query';

export default function TemplatesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.templates'));
  const navigate = useNavigate();
  const may = useRight('messages:write');
  const templates = useQuery(templatesQuery);
  const rules = useQuery(rulesQuery);
  const create = () => void navigate({ to: '/templates/$id', params: { id: 'new' } });
  useShortcut('KeyC', create, { enabled: may });
  const columns = useMemo<Column<Template>[]>(
    () => [
      { id: 'name', header: t('col.name'), meta: { width: '28%' }, cell: ({ row: { original: x } }) => <Link className="plain b name" to="/templates/$id" params={{ id: x.id }}>{x.name}</Link> },
      { id: 'subject', header: t('field.subject'), cell: ({ row: { original: x } }) => x.subject },
      { id: 'channel', header: t('field.channel'), meta: { width: 110 }, cell: ({ row: { original: x } }) => channelName(x.channel) },
      { id: 'rules', header: t('nav.rules'), meta: { right: true, width: 96 }, cell: ({ row: { original: x } }) => f.number(rules.data?.items.filter((r) => r.template_id === x.id).length ?? 0) },
      { id: 'version', header: t('col.version'), meta: { right: true, width: 96 }, cell: ({ row: { original: x } }) => f.number(x.version) },
      { id: 'updated', header: t('col.changed'), meta: { right: true, width: 130 }, cell: ({ row: { original: x } }) => <When at={x.updated_at} className="m2" /> },
    ],
    [t, rules.data],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.templates')} note={templates.data ? f.number(templates.data.items.length) : undefined} actions={<ActButton right="messages:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={create}>{t('action.template')}</ActButton>} />
      <div className="card scroll">
        <DataTable
          tools={{ name: 'templates' }} label={t('nav.templates')}
          rows={templates.data?.items}
          columns={columns}
          rowId={(x) => x.id}
          onOpen={(x) => void navigate({ to: '/templates/$id', params: { id: x.id } })}
          rowTestId="template-row"
          error={templates.error}
          retry={() => void templates.refetch()}
          empty={<EmptyState title={t('templates.emptyTitle')} action={<ActButton right="messages:write" leftSection={<IconPlus />} onClick={create}>{t('action.template')}</ActButton>}>{t('templates.emptyText')}</EmptyState>}
        />
      </div>
    </div>
  );
}
