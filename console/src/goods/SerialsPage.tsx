// Decision served: where is this piece, who had it, and is it what we sold?
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlaces } from '../stock/parts';
import { isMissing } from '../stock/query';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconBarcode } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { serialQuery } from './query';

const route = getRouteApi('/stock/serials');

export default function SerialsPage() {
  const { t } = useTranslation();
  useTitle(t('sn.title'));
  const { sn = '' } = route.useSearch();
  const navigate = useNavigate({ from: '/stock/serials' });
  const places = usePlaces();
  const [text, setText] = useState(sn);
  useEffect(() => setText(sn), [sn]);
  const query = useQuery(serialQuery(sn));
  const none = isMissing(query.error) || query.data?.items.length === 0;
  return (
    <div className="page">
      <PageHeader title={t('sn.title')} note={t('sn.note')} />
      <TextInput aria-label={t('sn.find')} placeholder={t('sn.find')} leftSection={<IconBarcode />} w={320} autoFocus autoComplete="off" spellCheck={false} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter') void navigate({ search: { sn: text.trim() || undefined } }); }} data-testid="sn-find" />
      {!sn ? <div className="card"><EmptyState title={t('sn.empty')}>{t('sn.emptyText')}</EmptyState></div>
        : none ? <div className="card"><EmptyState title={t('sn.none', { sn })}>{t('sn.noneText')}</EmptyState></div>
          : query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} />
            : !query.data ? <Skeleton rows={4} />
              : query.data.items.map((s) => (
                <Panel key={s.sku} title={<Link to="/stock/$sku" params={{ sku: s.sku }} search={{}} className="plain">{s.sku}</Link>} testId="sn-one" right={<span className="row wrap-row g8">{s.places.length ? s.places.map((p) => <Badge key={`${p.location_id}${p.condition}`} tone={p.condition === 'sellable' ? 'good' : 'warn'}>{places.name(p.location_id)} · {t(`condition.${p.condition}`)}</Badge>) : <span className="m2">{t('sn.notHere')}</span>}</span>}>
                  <ol className="line-list body" style={{ listStyle: 'none' }}>
                    {[...s.history].reverse().map((h) => (
                      <li key={h.movement_id} className="row wrap-row g12" style={{ padding: '6px 0' }} data-testid="sn-step">
                        <span className="col sp"><span className="b">{places.name(h.from)} → {places.name(h.to)}</span><span className="t12 m2 el">{[h.reference, h.reason, h.actor].filter(Boolean).join(' · ')}</span></span>
                        <span className="t12 m2">{f.exact(h.at)}</span>
                      </li>
                    ))}
                  </ol>
                </Panel>
              ))}
    </div>
  );
}
