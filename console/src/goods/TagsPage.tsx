// Decision served: does what the reader saw agree with the books, and do we count it?
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Qty, usePlaces } from '../stock/parts';
import { GOODS } from '../stock/query';
import { EmptyState, PageHeader, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { tagQuery, tagsQuery } from './query';

const route = getRouteApi('/counts/tags');

export default function TagsPage() {
  const { t } = useTranslation();
  useTitle(t('tags.title'));
  const { sel = '' } = route.useSearch();
  const navigate = useNavigate({ from: '/counts/tags' });
  const client = useQueryClient();
  const places = usePlaces();
  const list = useInfiniteQuery(tagsQuery);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const one = useQuery(tagQuery(sel));
  const count = useMutation({
    mutationFn: () => must(api.POST('/api/v1/rfid-sessions/{id}/count', { params: { path: { id: sel } } })),
    onSuccess: (made) => { void client.invalidateQueries({ queryKey: GOODS }); say(t('tags.counted')); void navigate({ to: '/counts/$id', params: { id: made.count_id }, search: {} }); },
    onError: sayError,
  });
  return (
    <div className="page">
      <PageHeader title={t('tags.title')} note={t('tags.note')} />
      <div className="person-two">
        <Panel title={t('tags.sessions')} query={{ ...list, data: rows }} empty={(d) => d.length === 0} emptyText={<EmptyState title={t('tags.none')}>{t('tags.noneText')}</EmptyState>}>
          {(all) => (
            <ul className="line-list body">
              {all.map((s) => (
                <li key={s.id} className="row wrap-row g12" style={{ padding: '8px 0' }} data-testid="tag-session">
                  <span className="col sp"><Link to="/counts/tags" search={{ sel: s.id }} className="plain b name" aria-current={s.id === sel ? 'true' : undefined}>{places.name(s.location_id)}</Link><span className="t12 m2 el">{s.device || s.source} · <When at={s.last_at} /></span></span>
                  {s.count_id ? <Link to="/counts/$id" params={{ id: s.count_id }} search={{}} className="t12">{t('tags.inCount', { id: s.count_id })}</Link> : null}
                </li>
              ))}
            </ul>
          )}
        </Panel>
        {sel && (
          <Panel title={t('tags.beside')} query={one} testId="tag-lines" right={one.data && !one.data.session.count_id ? <ActButton right="stock:write" size="compact-sm" loading={count.isPending} onClick={() => count.mutate()} data-testid="tag-count">{t('tags.count')}</ActButton> : undefined}>
            {(d) => (
              <>
                <div className="tbl" role="group" aria-label={t('tags.beside')} tabIndex={0}>
                  <table style={{ minWidth: 420 }}>
                    <colgroup><col />{[0, 1, 2].map((n) => <col key={n} style={{ width: 88 }} />)}</colgroup>
                    <thead><tr><th scope="col">{t('stock.sku')}</th><th scope="col" className="r">{t('tags.seen')}</th><th scope="col" className="r">{t('tags.book')}</th><th scope="col" className="r">{t('tags.diff')}</th></tr></thead>
                    <tbody>{d.lines.map((l) => <tr key={l.sku} className="row-data" data-testid="tag-line"><td style={{ height: 36 }}><Link to="/stock/$sku" params={{ sku: l.sku }} search={{}} className="plain mono el">{l.sku}</Link></td><td className="r"><Qty n={l.seen} /></td><td className="r"><Qty n={l.book} /></td><td className={`r ${l.difference ? 'warn-text b' : 'm'}`}>{f.signed(l.difference)}</td></tr>)}</tbody>
                  </table>
                </div>
                {d.unknown.length > 0 && <p className="body t12 warn-text">{t('tags.unknown', { list: f.list(d.unknown.map((u) => `${u.gtin} (${f.number(u.tags)})`)) })}</p>}
              </>
            )}
          </Panel>
        )}
      </div>
    </div>
  );
}
