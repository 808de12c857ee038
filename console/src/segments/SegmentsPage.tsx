// Decision served: which groups do we have, do they move, and which do I open?
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Segment } from '../api/types';
import { homeQuery } from '../home/query';
import { ActButton } from '../session/Guarded';
import { useRight } from '../session/rights';
import { Badge, EmptyState, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { segmentsQuery } from './query';

export const EXAMPLE = 'count("Product Viewed" where properties.category = "Blankets" in last 14 days) >= 2';

export default function SegmentsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.segments'));
  const navigate = useNavigate();
  const may = useRight('segments:write');
  const segments = useQuery(segmentsQuery);
  const home = useQuery(homeQuery);
  const create = () => void navigate({ to: '/segments/$id', params: { id: 'new' }, search: {} });
  useShortcut('KeyC', create, { enabled: may });
  const columns = useMemo<Column<Segment>[]>(() => {
    const moved = (id: string) => home.data?.segments.find((s) => s.id === id);
    return [
      {
        id: 'name',
        header: t('col.name'),
        meta: { width: '30%' },
        cell: ({ row: { original: s } }) => <Link className="plain b name" to="/segments/$id" params={{ id: s.id }} search={{}}>{s.name}</Link>,
      },
      { id: 'expression', header: t('segment.condition'), cell: ({ row: { original: s } }) => <span className="mono m2" title={s.expression}>{s.expression}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 104 }, cell: ({ row: { original: s } }) => (s.state === 'live' ? <Badge tone="good">{t('segment.live')}</Badge> : <Badge tone="info">{t('segment.filling', { share: f.percent(s.progress, 0) })}</Badge>) },
      { id: 'count', header: t('col.people'), meta: { right: true, width: 104 }, cell: ({ row: { original: s } }) => <b className="b" data-testid="segment-count" data-segment-id={s.id} data-value={s.count}>{f.number(s.count)}</b> },
      { id: 'in', header: t('col.entered'), meta: { right: true, width: 116 }, cell: ({ row: { original: s } }) => { const n = moved(s.id)?.entered_24h; return n ? <span className="good-text">{f.signed(n)}</span> : <span className="m">{n ?? f.NONE}</span>; } },
      { id: 'out', header: t('col.left'), meta: { right: true, width: 116 }, cell: ({ row: { original: s } }) => { const n = moved(s.id)?.left_24h; return n ? f.signed(-n) : <span className="m">{n ?? f.NONE}</span>; } },
      { id: 'updated', header: t('col.changed'), meta: { width: 116, right: true }, cell: ({ row: { original: s } }) => <When at={s.updated_at} className="m2" /> },
    ];
  }, [t, home.data]);
  return (
    <div className="page fill">
      <PageHeader
        title={t('nav.segments')}
        note={segments.data ? f.number(segments.data.length) : undefined}
        actions={<ActButton right="segments:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={create}>{t('action.segment')}</ActButton>}
      />
      <div className="card scroll">
        <DataTable
          tools={{ name: 'segments' }} label={t('nav.segments')}
          rows={segments.data}
          columns={columns}
          rowId={(s) => s.id}
          onOpen={(s) => void navigate({ to: '/segments/$id', params: { id: s.id }, search: {} })}
          error={segments.error}
          retry={() => void segments.refetch()}
          rowTestId="segment-row"
          empty={
            <EmptyState title={t('segments.emptyTitle')} action={<ActButton right="segments:write" leftSection={<IconPlus />} onClick={create}>{t('action.segment')}</ActButton>}>
              <p>{t('segments.emptyText')}</p>
              <p style={{ marginTop: 8 }}><code className="mono">{EXAMPLE}</code> <Badge>{t('example')}</Badge></p>
            </EmptyState>
          }
        />
      </div>
    </div>
  );
}
