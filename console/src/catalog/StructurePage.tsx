// Decision served: what is said of products at all, what does each channel want, and which goods does it sell?
import { Tabs } from '@mantine/core';
import '@mantine/core/styles/Tabs.css';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Badge, EmptyState, ErrorNote, PageHeader, Skeleton } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { type Attribute, attributesQuery, categoriesQuery, type Category, channelsQuery, familiesQuery, labelOf } from './query';

const route = getRouteApi('/catalog');

export default function StructurePage() {
  const { t } = useTranslation();
  useTitle(t('nav.catalog'));
  const { tab } = route.useSearch();
  const navigate = useNavigate({ from: '/catalog' });
  const now = tab ?? 'families';
  return (
    <div className="page fill">
      <PageHeader title={t('nav.catalog')} />
      <Tabs value={now} onChange={(v) => void navigate({ search: { tab: v ?? undefined } })}>
        <Tabs.List>
          <Tabs.Tab value="families">{t('catalog.families')}</Tabs.Tab>
          <Tabs.Tab value="attributes">{t('catalog.attributes')}</Tabs.Tab>
          <Tabs.Tab value="categories">{t('catalog.categories')}</Tabs.Tab>
          <Tabs.Tab value="channels">{t('catalog.channels')}</Tabs.Tab>
        </Tabs.List>
      </Tabs>
      {now === 'families' && <Families />}
      {now === 'attributes' && <Attributes />}
      {now === 'categories' && <Categories />}
      {now === 'channels' && <Channels />}
    </div>
  );
}

function Families() {
  const { t, i18n } = useTranslation();
  const families = useQuery(familiesQuery);
  if (families.error) return <ErrorNote error={families.error} />;
  if (!families.data) return <div className="card"><Skeleton rows={5} /></div>;
  if (!families.data.items.length) return <div className="card"><EmptyState title={t('catalog.noFamilies')}>{t('catalog.noFamiliesText')}</EmptyState></div>;
  return (
    <div className="col g12">
      {families.data.items.map((x) => (
        <section key={x.code} className="card" aria-label={labelOf(x.labels, x.code, i18n.language)}>
          <div className="body col g8">
            <div className="row g8"><h2>{labelOf(x.labels, x.code, i18n.language)}</h2><span className="mono m2">{x.code}</span><span className="sp" /><Link to="/products" search={{ filter: `@family:${x.code}` }}>{t('catalog.itsProducts')}</Link></div>
            {x.axes.length > 0 && <span className="m2">{t('catalog.axes', { list: f.list(x.axes) })}</span>}
            <div className="row g8" style={{ flexWrap: 'wrap' }}>{x.attributes.map((a) => <Badge key={a.code} tone={a.required.length ? 'info' : undefined}>{a.code}{a.required.length ? `: ${a.required.includes('*') ? t('catalog.everywhere') : a.required.join(', ')}` : ''}</Badge>)}</div>
          </div>
        </section>
      ))}
    </div>
  );
}

function Attributes() {
  const { t, i18n } = useTranslation();
  const attributes = useQuery(attributesQuery);
  const kinds = useMemo<Record<string, string>>(() => ({ text: t('catalog.kind.text'), number: t('catalog.kind.number'), boolean: t('catalog.kind.boolean'), select: t('catalog.kind.select'), multi_select: t('catalog.kind.multi_select'), date: t('catalog.kind.date'), money: t('catalog.kind.money'), image: t('catalog.kind.image') }), [t]);
  const columns = useMemo<Column<Attribute>[]>(
    () => [
      { id: 'name', header: t('col.name'), meta: { width: '26%' }, cell: ({ row: { original: a } }) => <span className="b el">{labelOf(a.labels, a.code, i18n.language)}</span> },
      { id: 'code', header: t('catalog.code'), meta: { width: 180 }, cell: ({ row: { original: a } }) => <span className="mono el">{a.code}</span> },
      { id: 'kind', header: t('catalog.kind'), meta: { width: 150 }, cell: ({ row: { original: a } }) => <span className="el">{kinds[a.kind]}{a.unit_family ? `, ${a.unit_family}` : ''}</span> },
      { id: 'differs', header: t('catalog.differs'), cell: ({ row: { original: a } }) => <span className="el">{[a.localisable && t('catalog.byLocale'), a.scopable && t('catalog.byChannel'), a.unique && t('catalog.unique')].filter(Boolean).join(', ') || f.NONE}</span> },
      { id: 'use', header: t('catalog.use'), meta: { width: 220 }, cell: ({ row: { original: a } }) => <span className="el">{[a.facet && t('catalog.facet'), a.compared && t('catalog.compared'), a.learned && t('catalog.learned')].filter(Boolean).join(', ') || f.NONE}</span> },
    ],
    [t, i18n.language, kinds],
  );
  return <div className="ld solo"><div className="card scroll"><DataTable label={t('catalog.attributes')} rows={attributes.data?.items} columns={columns} rowId={(a) => a.code} rowTestId="attribute-row" error={attributes.error} retry={() => void attributes.refetch()} empty={<EmptyState title={t('catalog.noAttributes')}>{t('catalog.noAttributesText')}</EmptyState>} /></div></div>;
}

function Categories() {
  const { t } = useTranslation();
  const categories = useQuery(categoriesQuery);
  if (categories.error) return <ErrorNote error={categories.error} />;
  if (!categories.data) return <div className="card"><Skeleton rows={5} /></div>;
  const items = categories.data.items;
  if (!items.length) return <div className="card"><EmptyState title={t('catalog.noCategories')}>{t('catalog.noCategoriesText')}</EmptyState></div>;
  return <div className="card scroll" style={{ overflow: 'auto' }}><div className="body"><Branch items={items} parent={null} depth={0} /></div></div>;
}

function Branch({ items, parent, depth }: { items: Category[]; parent: string | null; depth: number }) {
  const { i18n } = useTranslation();
  const own = items.filter((c) => (c.parent ?? null) === parent);
  if (!own.length || depth > 12) return null;
  return (
    <ul data-testid={depth === 0 ? 'category-tree' : undefined}>
      {own.map((c) => (
        <li key={c.code}>
          <Link className={c.archived ? 'm' : 'plain'} style={{ display: 'inline-block', minWidth: 24, lineHeight: '24px' }} to="/products" search={{ filter: `@category:${c.code}` }}>{labelOf(c.labels, c.code, i18n.language)}</Link>
          <Branch items={items} parent={c.code} depth={depth + 1} />
        </li>
      ))}
    </ul>
  );
}

function Channels() {
  const { t, i18n } = useTranslation();
  const channels = useQuery(channelsQuery);
  if (channels.error) return <ErrorNote error={channels.error} />;
  if (!channels.data) return <div className="card"><Skeleton rows={5} /></div>;
  if (!channels.data.items.length) return <div className="card"><EmptyState title={t('catalog.noChannels')}>{t('catalog.noChannelsText')}</EmptyState></div>;
  return (
    <div className="col g12">
      {channels.data.items.map((c) => (
        <section key={c.code} className="card" aria-label={labelOf(c.labels, c.code, i18n.language)}>
          <div className="body col g8">
            <div className="row g8"><h2>{labelOf(c.labels, c.code, i18n.language)}</h2><span className="m2">{c.locales.join(', ')} · {c.currencies.join(', ')}{c.root ? ` · ${c.root}` : ''}</span></div>
            {c.assortment.length ? <ol>{c.assortment.map((r, i) => <li key={i}>{r.sell ? t('catalog.sells') : t('catalog.sellsNot')} {[...r.categories, ...r.brands, ...r.families, ...r.skus, ...(r.attribute ? [`${r.attribute} = ${r.values.join(', ')}`] : [])].join('; ') || t('catalog.all')}</li>)}</ol> : <span className="m2">{t('catalog.sellsAll')}</span>}
          </div>
        </section>
      ))}
    </div>
  );
}
