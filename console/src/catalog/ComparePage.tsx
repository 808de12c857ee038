// Decision served: which of these products is the right one, by what they say of themselves? (L5)
import { Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState, ErrorNote, PageHeader, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { compareQuery, pictureUrl } from './query';

const route = getRouteApi('/products/compare');

export default function ComparePage() {
  const { t, i18n } = useTranslation();
  useTitle(t('product.compare'));
  const { ids } = route.useSearch();
  const [differing, setDiffering] = useState(false);
  const compared = useQuery({ ...compareQuery(ids ?? '', i18n.language), enabled: Boolean(ids) });
  if (!ids) return <div className="page"><div className="card"><EmptyState title={t('product.compareNone')} action={<Link to="/products">{t('nav.products')}</Link>}>{t('product.compareNoneText')}</EmptyState></div></div>;
  if (compared.error) return <div className="page"><ErrorNote error={compared.error} /></div>;
  const c = compared.data;
  if (!c) return <div className="page"><div className="card"><Skeleton rows={8} /></div></div>;
  const rows = c.rows.filter((r) => !differing || r.differs);
  return (
    <div className="page">
      <PageHeader title={t('product.compare')} actions={<Switch label={t('product.onlyDiffering')} checked={differing} onChange={(e) => setDiffering(e.currentTarget.checked)} />} />
      <div className="card" style={{ overflowX: 'auto' }}>
        <table className="grid" data-testid="comparison">
          <thead><tr><td />{c.products.map((p) => <th key={p.id} scope="col">{p.picture && <img src={pictureUrl(p.picture, 96)} alt="" width={64} height={64} style={{ objectFit: 'contain' }} />}<div><Link to="/products/$id" params={{ id: p.id }}>{p.name}</Link></div><div className="m2">{p.prices[0] ? f.money(p.prices[0]) : f.NONE}</div></th>)}</tr></thead>
          <tbody>{rows.map((r) => <tr key={r.attribute}><th scope="row">{r.label}</th>{r.values.map((v, i) => <td key={i} className={r.differs ? 'b' : undefined}>{v ?? f.NONE}</td>)}</tr>)}</tbody>
        </table>
        {!rows.length && <EmptyState title={t('product.nothingDiffers')}>{t('product.nothingDiffersText')}</EmptyState>}
      </div>
    </div>
  );
}
