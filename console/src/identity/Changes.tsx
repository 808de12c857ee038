import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import i18next from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { identifierName } from '../customers/timeline';
import { Badge, EmptyState, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { type Change, changesQuery } from './query';

const said = (prefix: string, v: string) => (i18next.exists(`${prefix}.${v}`) ? i18next.t(`${prefix}.${v}`) : v.replaceAll('_', ' '));

/** What was joined and separated, in the order in which it happened. */
export function Changes() {
  const { t } = useTranslation();
  const changes = useInfiniteQuery(changesQuery);
  const rows = useMemo(() => changes.data?.pages.flatMap((p) => p.items), [changes.data]);
  const columns = useMemo<Column<Change>[]>(
    () => [
      { id: 'when', header: t('col.when'), meta: { width: 130 }, cell: ({ row: { original: c } }) => <When at={c.at} className="m2" /> },
      { id: 'what', header: t('changes.what'), meta: { width: 150 }, cell: ({ row: { original: c } }) => <Badge tone={c.kind === 'stitch_alarm' ? 'warn' : undefined}>{said('changes.kind', c.kind)}</Badge> },
      {
        id: 'who',
        header: t('col.people'),
        cell: ({ row: { original: c } }) => {
          const list = c.after.slice(0, 4);
          return list.length ? <span>{list.map((p, i) => <span key={p.person_id}>{i > 0 && ', '}<Link className="plain name b" to="/customers/$id" params={{ id: p.person_id }} search={{}}>{t('review.visitor', { id: p.person_id })}</Link></span>)} <span className="m">{t('changes.from', { count: c.before.length, n: f.number(c.before.length) })}</span></span> : <span className="m">{f.NONE}</span>;
        },
      },
      { id: 'cause', header: t('changes.cause'), meta: { width: 170 }, cell: ({ row: { original: c } }) => said('changes.cause', c.cause) },
      {
        id: 'evidence',
        header: t('review.evidence'),
        meta: { width: '24%' },
        cell: ({ row: { original: c } }) => {
          const e = c.evidence as { kind?: string; rule?: string; message_id?: string; actor?: string };
          return <span className="m2" title={e.message_id}>{[e.kind && identifierName(e.kind), e.rule && said('review.rule', e.rule), e.actor].filter(Boolean).join(' · ') || f.NONE}</span>;
        },
      },
    ],
    [t],
  );
  return (
    <div className="card scroll">
      <DataTable tools={{ name: 'identity-changes' }} label={t('identity.tab.changes')} rows={rows} columns={columns} rowId={(c) => c.id} rowTestId="identity-change" error={changes.error} retry={() => void changes.refetch()} more={{ has: changes.hasNextPage, busy: changes.isFetchingNextPage, fetch: () => void changes.fetchNextPage() }} empty={<EmptyState title={t('changes.empty')}>{t('changes.emptyText')}</EmptyState>} maxHeight="60vh" />
    </div>
  );
}
