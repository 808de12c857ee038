// Decision served: which goods do we have, which of them are not ready to be sold, and what is to be put right in many at once?
import { ActionIcon, Button, Checkbox, FileButton, Menu, TextInput } from '@mantine/core';
import '@mantine/core/styles/Checkbox.css';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { bring } from '../imports/upload';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { Badge, EmptyState, ErrorNote, PageHeader } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconChevronDown, IconColumns, IconDownload, IconScale, IconSearch, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { type Facet, leastFull, pictureUrl, type Product, type Search, searchQuery, valueText } from './query';

const route = getRouteApi('/products');
const PAGE = 100;
const FILTER = /^([^:]+):(.*)$/;

/** Filters stand in the address as `colour:red|colour:blue`. */
const readFilters = (text: string | undefined): Record<string, string[]> => {
  const out: Record<string, string[]> = {};
  for (const part of (text ?? '').split('|')) {
    const m = FILTER.exec(part);
    if (m) (out[m[1]!] ??= []).push(m[2]!);
  }
  return out;
};
const writeFilters = (filters: Record<string, string[]>): string | undefined =>
  Object.entries(filters).flatMap(([kind, values]) => values.map((v) => `${kind}:${v}`)).join('|') || undefined;

export default function ProductsPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('nav.products'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/products' });
  const may = useMay('catalog:write');
  const [typed, setTyped] = useState(search.q ?? '');
  const field = useRef<HTMLInputElement>(null);
  useShortcut('Slash', () => field.current?.focus());
  useEffect(() => {
    const timer = setTimeout(() => { if (typed !== (search.q ?? '')) void navigate({ search: (s) => ({ ...s, q: typed || undefined }), replace: true }); }, 150);
    return () => clearTimeout(timer);
  }, [typed, search.q, navigate]);
  const filters = useMemo(() => readFilters(search.filter), [search.filter]);
  const [limit, setLimit] = useState(PAGE);
  const asked: Search = { q: search.q ?? '', filters, sort: (search.sort as Search['sort']) ?? 'best', offset: 0, limit: Math.min(limit, 200), facets: true, locale: i18n.language };
  const found = useQuery(searchQuery(asked));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [editing, setEditing] = useState(false);
  const setFilter = (kind: string, value: string, on: boolean) => {
    const values = (filters[kind] ?? []).filter((v) => v !== value);
    void navigate({ search: (s) => ({ ...s, filter: writeFilters({ ...filters, [kind]: on ? [...values, value] : values }) }) });
  };
  const rows = found.data?.items;
  const columns = useMemo<Column<Product>[]>(
    () => [
      { id: 'picture', header: () => <span className="hidden-text">{t('product.picture')}</span>, meta: { width: 56, title: t('product.picture') }, cell: ({ row: { original: p } }) => (p.media[0] ? <img src={pictureUrl(p.media[0].hash, 96)} alt="" width={32} height={32} loading="lazy" style={{ objectFit: 'contain' }} /> : null) },
      { id: 'name', header: t('col.name'), meta: { width: '30%', value: (p) => p.name }, cell: ({ row: { original: p } }) => <Link className="plain b el" to="/products/$id" params={{ id: p.id }}>{p.name}</Link> },
      { id: 'sku', header: t('product.sku'), meta: { width: 150, value: (p) => p.variants.map((v) => v.sku).join(', ') }, cell: ({ row: { original: p } }) => <span className="mono el">{p.variants.length > 1 ? t('product.variantsN', { n: f.number(p.variants.length) }) : p.variants[0]?.sku ?? f.NONE}</span> },
      { id: 'brand', header: t('product.brand'), meta: { width: 120, value: (p) => p.brand ?? '' }, cell: ({ row: { original: p } }) => <span className="el">{p.brand ?? f.NONE}</span> },
      { id: 'price', header: t('product.price'), meta: { width: 120, right: true, value: (p) => { const m = p.variants[0]?.price; return m ? f.money(m) : ''; } }, cell: ({ row: { original: p } }) => { const price = p.variants.find((v) => v.price)?.price; return price ? f.money(price) : <span className="m">{f.NONE}</span>; } },
      { id: 'full', header: t('product.full'), meta: { width: 130, right: true, value: (p) => leastFull(p)?.percent ?? '' }, cell: ({ row: { original: p } }) => <Fullness product={p} /> },
      { id: 'state', header: t('col.state'), meta: { width: 110, value: (p) => p.state }, cell: ({ row: { original: p } }) => <StateBadge state={p.state} /> },
    ],
    [t],
  );
  return (
    <div className="page fill">
      <PageHeader
        title={t('nav.products')}
        note={found.data ? f.number(found.data.total) : undefined}
        actions={
          <>
            {chosen.size >= 2 && chosen.size <= 10 && <Button variant="default" leftSection={<IconScale />} onClick={() => void navigate({ to: '/products/compare', search: { ids: [...chosen].join(',') } })}>{t('product.compare')}</Button>}
            {chosen.size > 0 && may && <Button variant="default" leftSection={<IconColumns />} onClick={() => setEditing(true)} data-testid="products-edit">{t('product.editN', { n: f.number(chosen.size) })}</Button>}
            <Button variant="default" component="a" href="/api/v1/catalog/export?format=xlsx" leftSection={<IconDownload />}>{t('product.export')}</Button>
            <FileIn />
          </>
        }
      />
      <div className="row g8" style={{ flexWrap: 'wrap' }}>
        <TextInput ref={field} aria-label={t('product.search')} placeholder={t('product.search')} leftSection={<IconSearch />} rightSection={typed ? <ActionIcon aria-label={t('product.clear')} onClick={() => setTyped('')}><IconX /></ActionIcon> : <kbd>/</kbd>} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} w={340} data-testid="products-search" />
        {(found.data?.facets ?? []).filter((x) => x.values.length > 1 || filters[x.kind]).slice(0, 12).map((x) => <FacetMenu key={x.kind} facet={x} on={filters[x.kind] ?? []} set={(v, on) => setFilter(x.kind, v, on)} />)}
        {search.filter && <Button variant="subtle" onClick={() => void navigate({ search: (s) => ({ ...s, filter: undefined }) })}>{t('product.noFilters')}</Button>}
      </div>
      {found.data?.understood && <p className="m2" role="status">{t('product.understood', { text: found.data.understood })}</p>}
      {editing && rows && <Grid products={rows.filter((p) => chosen.has(p.id))} close={() => setEditing(false)} />}
      <div className="ld solo">
        <div className="card scroll">
          <DataTable
            label={t('nav.products')}
            rows={rows}
            columns={columns}
            rowId={(p) => p.id}
            rowTestId="product-row"
            onOpen={(p) => void navigate({ to: '/products/$id', params: { id: p.id } })}
            checks={{ chosen, onChange: setChosen, name: (p) => p.name }}
            more={{ has: (found.data?.total ?? 0) > (rows?.length ?? 0) && limit < 200, busy: found.isFetching, fetch: () => setLimit((n) => n + PAGE) }}
            error={found.error}
            retry={() => void found.refetch()}
            empty={<EmptyState title={search.q || search.filter ? t('product.nothing') : t('product.emptyTitle')}>{search.q || search.filter ? t('product.nothingText') : t('product.emptyText')}</EmptyState>}
          />
        </div>
      </div>
    </div>
  );
}

/** A file of Shopify, WooCommerce or one's own: it goes up, becomes a job, and the page of jobs shows how far it is. */
function FileIn() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const take = useMutation({
    mutationFn: async (file: File) => {
      const upload = await bring(file, () => {}, new AbortController().signal);
      return must(api.POST('/api/v1/catalog/imports', { body: { upload: upload.id } }));
    },
    onSuccess: (begun) => void navigate({ to: '/jobs', search: { sel: begun.job_id } }),
    onError: sayError,
  });
  return <FileButton accept=".csv,.xlsx,.ndjson,.gz,.parquet" onChange={(file) => { if (file) take.mutate(file); }}>{(props) => <ActButton right="catalog:write" {...props} loading={take.isPending}>{t('product.import')}</ActButton>}</FileButton>;
}

export function StateBadge({ state }: { state: Product['state'] }) {
  const { t } = useTranslation();
  if (state === 'draft') return <Badge tone="warn">{t('product.draft')}</Badge>;
  if (state === 'archived') return <Badge>{t('product.archived')}</Badge>;
  return <Badge tone="good">{t('product.active')}</Badge>;
}

function Fullness({ product }: { product: Product }) {
  const least = leastFull(product);
  if (!least) return <span className="m">{f.NONE}</span>;
  return <span title={least.place} className={least.percent === 100 ? 'good-text' : least.percent < 50 ? 'bad-text' : 'warn-text'}>{f.percent(least.percent / 100, 0)}</span>;
}

function FacetMenu({ facet, on, set }: { facet: Facet; on: string[]; set: (value: string, on: boolean) => void }) {
  const { t } = useTranslation();
  const name = ({ '@category': t('product.category'), '@brand': t('product.brand'), '@family': t('product.family'), '@state': t('col.state'), '@complete': t('product.full') } as Record<string, string>)[facet.kind] ?? facet.label;
  return (
    <Menu closeOnItemClick={false} position="bottom-start" withinPortal>
      <Menu.Target><Button variant={on.length ? 'light' : 'default'} size="compact-sm" rightSection={<IconChevronDown />}>{name}{on.length ? `: ${f.number(on.length)}` : ''}</Button></Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        {facet.values.map((v) => (
          <Menu.Item key={v.value} component="div" onClick={() => set(v.value, !on.includes(v.value))} rightSection={<span className="m2">{f.number(v.count)}</span>}>
            <Checkbox size="xs" readOnly tabIndex={-1} style={{ pointerEvents: 'none' }} checked={on.includes(v.value)} label={facet.kind === '@complete' ? (v.value.endsWith('!') ? t('product.notFullIn', { place: v.value.slice(0, -1) }) : t('product.fullIn', { place: v.value })) : v.label} />
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

const FIELDS = ['name', 'brand', 'state', 'tax_class'] as const;

/** Cells of many products, typed or pasted from a spreadsheet; only what differs is sent, in one request. */
function Grid({ products, close }: { products: Product[]; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const keys = useMemo(() => [...FIELDS, ...[...new Set(products.flatMap((p) => Object.keys(p.attributes)))].sort()], [products]);
  const before = (p: Product, key: string) => (FIELDS.includes(key as never) ? String(p[key as (typeof FIELDS)[number]] ?? '') : valueText(p.attributes[key]));
  const [cells, setCells] = useState<Record<string, string>>({});
  const at = (p: Product, key: string) => cells[`${p.id}\n${key}`] ?? before(p, key);
  const changed = products.filter((p) => keys.some((k) => at(p, k) !== before(p, k)));
  const put = (row: number, column: number, text: string) => {
    const lines = text.replace(/\r/g, '').replace(/\n$/, '').split('\n').map((l) => l.split('\t'));
    setCells((old) => {
      const next = { ...old };
      lines.forEach((line, r) => line.forEach((value, c) => {
        const p = products[row + r], key = keys[column + c];
        if (p && key) next[`${p.id}\n${key}`] = value.trim();
      }));
      return next;
    });
  };
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/catalog/products', {
      body: {
        products: changed.map((p) => {
          const out: Record<string, unknown> = { id: p.id, attributes: {}, levels: {}, variants: [] };
          for (const k of keys) {
            if (at(p, k) === before(p, k)) continue;
            if (FIELDS.includes(k as never)) out[k] = at(p, k);
            else (out['attributes'] as Record<string, unknown>)[k] = at(p, k) || null;
          }
          return out as never;
        }),
      },
    })),
    onSuccess: (r) => {
      void client.invalidateQueries({ queryKey: ['products'] });
      const first = r.rejected[0];
      if (first) { sayError(new Error(`${changed[first.index]?.name ?? ''}: ${first.detail}`)); return; }
      say(t('product.saved', { n: f.number(r.accepted.length) }));
      close();
    },
    onError: sayError,
  });
  return (
    <section className="card" aria-label={t('product.cells')} data-testid="products-grid">
      <div className="body col g8">
        <p className="m2">{t('product.cellsHelp')}</p>
        <div style={{ overflow: 'auto', maxHeight: 360 }}>
          <table className="grid">
            <thead><tr><th scope="col">{t('col.name')}</th>{keys.map((k) => <th key={k} scope="col">{({ name: t('col.name'), brand: t('product.brand'), state: t('col.state'), tax_class: t('product.tax') } as Record<string, string>)[k] ?? k}</th>)}</tr></thead>
            <tbody>
              {products.map((p, r) => (
                <tr key={p.id}>
                  <th scope="row" className="el">{p.id}</th>
                  {keys.map((k, c) => (
                    <td key={k}>
                      <input className={`cell${at(p, k) !== before(p, k) ? ' changed' : ''}`} aria-label={`${p.name}, ${k}`} value={at(p, k)} onChange={(e) => setCells({ ...cells, [`${p.id}\n${k}`]: e.currentTarget.value })} onPaste={(e) => { const text = e.clipboardData.getData('text/plain'); if (/[\t\n]/.test(text)) { e.preventDefault(); put(r, c, text); } }} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {Boolean(save.error) && <ErrorNote error={save.error} />}
        <div className="row g8">
          <Button disabled={!changed.length} loading={save.isPending} onClick={() => save.mutate()} data-testid="products-grid-save">{t('product.saveN', { n: f.number(changed.length) })}</Button>
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
        </div>
      </div>
    </section>
  );
}
