// Decision served: is this product ready for every channel and language, and what did whoever change?
import { Button, FileButton, Select, Tabs, TextInput } from '@mantine/core';
import '@mantine/core/styles/Tabs.css';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { ratingQuery } from '../reviews/query';
import { useMay } from '../session/session';
import { Badge, EmptyState, ErrorNote, PageHeader, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { StateBadge } from './ProductsPage';
import { type Attribute, attributesQuery, channelsQuery, familiesQuery, gapsQuery, historyQuery, labelOf, linksQuery, pictureUrl, type Product, type ProductInput, productQuery, valueText } from './query';

const route = getRouteApi('/products/$id');
const empty = (id: string): ProductInput => ({ id, attributes: {}, levels: {}, variants: [] });

function useSave(id: string) {
  const { t } = useTranslation();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<ProductInput>) => must(api.POST('/api/v1/products', { body: { ...empty(id), ...change } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: ['products'] }); say(t('product.savedOne')); },
    onError: sayError,
  });
}

export default function ProductPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = useNavigate({ from: '/products/$id' });
  const product = useQuery(productQuery(id));
  useTitle(product.data?.name ?? t('nav.products'));
  if (product.error) return <div className="page"><ErrorNote error={product.error} retry={() => void product.refetch()} /></div>;
  const p = product.data;
  if (!p) return <div className="page"><div className="card"><Skeleton rows={8} /></div></div>;
  return (
    <div className="page">
      <PageHeader title={p.name} titleTestId="product-name" badge={<StateBadge state={p.state} />} note={<><span className="mono">{p.id}</span><Rating id={id} /></>} actions={<span className="m2">{t('product.version', { n: f.number(p.version) })} · <When at={p.updated_at} /></span>} />
      <Tabs value={tab ?? 'values'} onChange={(v) => void navigate({ search: { tab: v ?? undefined } })}>
        <Tabs.List>
          <Tabs.Tab value="values">{t('product.values')}</Tabs.Tab>
          <Tabs.Tab value="variants">{t('product.variants')} {f.number(p.variants.length)}</Tabs.Tab>
          <Tabs.Tab value="full">{t('product.full')}</Tabs.Tab>
          <Tabs.Tab value="media">{t('product.pictures')} {f.number(p.media.length)}</Tabs.Tab>
          <Tabs.Tab value="links">{t('product.links')}</Tabs.Tab>
          <Tabs.Tab value="history">{t('product.history')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="values" pt="md"><Values product={p} /></Tabs.Panel>
        <Tabs.Panel value="variants" pt="md"><Variants product={p} /></Tabs.Panel>
        <Tabs.Panel value="full" pt="md">{(tab === 'full') && <Full id={id} />}</Tabs.Panel>
        <Tabs.Panel value="media" pt="md"><Pictures product={p} /></Tabs.Panel>
        <Tabs.Panel value="links" pt="md">{tab === 'links' && <Links id={id} />}</Tabs.Panel>
        <Tabs.Panel value="history" pt="md">{tab === 'history' && <History id={id} />}</Tabs.Panel>
      </Tabs>
    </div>
  );
}

/** What customers think of it, leading to what they wrote. */
function Rating({ id }: { id: string }) {
  const { t } = useTranslation();
  const may = useMay('reviews:read');
  const rating = useQuery({ ...ratingQuery(id), enabled: may });
  const r = rating.data;
  if (!may || !r) return null;
  if (!r.mean) return <span className="m2" data-testid="product-rating"> · {t('product.noReviews')}</span>;
  return <> · <Link to="/reviews" search={{ product: id }} className="plain" data-testid="product-rating">★ {f.number(Number(r.mean))} ({f.number(r.count)})</Link></>;
}

/** Attributes in a channel and language; those of the family first, wanted ones marked. */
function Values({ product: p }: { product: Product }) {
  const { t, i18n } = useTranslation();
  const may = useMay('catalog:write');
  const attributes = useQuery(attributesQuery);
  const channels = useQuery(channelsQuery);
  const families = useQuery(familiesQuery);
  const [channel, setChannel] = useState<string | null>(null);
  const [locale, setLocale] = useState<string | null>(null);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const save = useSave(p.id);
  const family = families.data?.items.find((x) => x.code === p.family);
  const keyOf = (a: Attribute) => `${a.code}${a.scopable && channel ? `@${channel}` : ''}${a.localisable && locale ? `#${locale}` : ''}`;
  const own = new Set([...(family?.attributes.map((a) => a.code) ?? []), ...Object.keys(p.attributes).map((k) => k.split(/[@#]/)[0]!)]);
  const shown = (attributes.data?.items ?? []).filter((a) => own.has(a.code));
  const wanted = (code: string) => (family?.attributes.find((a) => a.code === code)?.required ?? []).some((c) => c === '*' || c === channel || !channel);
  const text = (a: Attribute) => typed[keyOf(a)] ?? valueText(p.attributes[keyOf(a)]);
  const changed = Object.entries(typed).filter(([k, v]) => v !== valueText(p.attributes[k]));
  const locales = [...new Set((channels.data?.items ?? []).flatMap((c) => c.locales))];
  const [name, setName] = useState<string | null>(null);
  return (
    <section className="card" aria-label={t('product.values')}>
      <div className="body col g12">
        <div className="row g8" style={{ flexWrap: 'wrap' }}>
          <Select label={t('product.channel')} clearable placeholder={t('product.anyChannel')} data={(channels.data?.items ?? []).map((c) => ({ value: c.code, label: labelOf(c.labels, c.code, i18n.language) }))} value={channel} onChange={setChannel} />
          <Select label={t('product.locale')} clearable placeholder={t('product.anyLocale')} data={locales} value={locale} onChange={setLocale} />
          <Select label={t('product.family')} clearable readOnly={!may} data={(families.data?.items ?? []).map((x) => ({ value: x.code, label: labelOf(x.labels, x.code, i18n.language) }))} value={p.family ?? null} onChange={(v) => save.mutate({ family: v ?? '' })} />
          <Select label={t('col.state')} readOnly={!may} allowDeselect={false} data={[{ value: 'draft', label: t('product.draft') }, { value: 'active', label: t('product.active') }, { value: 'archived', label: t('product.archived') }]} value={p.state} onChange={(v) => v && save.mutate({ state: v as Product['state'] })} />
        </div>
        <TextInput label={t('col.name')} readOnly={!may} value={name ?? p.name} onChange={(e) => setName(e.currentTarget.value)} />
        {shown.map((a) => (
          <TextInput
            key={keyOf(a)}
            label={<>{labelOf(a.labels, a.code, i18n.language)} {wanted(a.code) && <Badge tone={text(a) ? 'good' : 'warn'}>{t('product.wanted')}</Badge>}</>}
            description={[a.scopable && channel ? t('product.onlyChannel', { channel }) : '', a.localisable && locale ? t('product.onlyLocale', { locale }) : ''].filter(Boolean).join(', ') || undefined}
            placeholder={keyOf(a) === a.code ? undefined : valueText(p.attributes[a.code])}
            readOnly={!may}
            value={text(a)}
            onChange={(e) => setTyped({ ...typed, [keyOf(a)]: e.currentTarget.value })}
          />
        ))}
        {!shown.length && <EmptyState title={t('product.noValues')}>{t('product.noValuesText')}</EmptyState>}
        {save.error instanceof Problem && <ErrorNote error={save.error} />}
        {may && (
          <div className="row g8">
            <Button disabled={!changed.length && (name === null || name === p.name)} loading={save.isPending} data-testid="product-save" onClick={() => save.mutate({ ...(name !== null && name !== p.name ? { name } : {}), attributes: Object.fromEntries(changed.map(([k, v]) => [k, v || null])) as ProductInput['attributes'] }, { onSuccess: () => { setTyped({}); setName(null); } })}>{t('save')}</Button>
          </div>
        )}
      </div>
    </section>
  );
}

function Variants({ product: p }: { product: Product }) {
  const { t } = useTranslation();
  if (!p.variants.length) return <div className="card"><EmptyState title={t('product.noVariants')}>{t('product.noVariantsText')}</EmptyState></div>;
  return (
    <div className="card" style={{ overflowX: 'auto' }}>
      <table className="grid" data-testid="product-variants">
        <thead><tr><th scope="col">{t('product.sku')}</th><th scope="col">GTIN</th>{p.axes.map((a) => <th key={a} scope="col">{a}</th>)}<th scope="col">{t('product.price')}</th><th scope="col">{t('product.weight')}</th><th scope="col">{t('product.lots')}</th></tr></thead>
        <tbody>
          {p.variants.map((v) => (
            <tr key={v.number} className={v.archived ? 'm' : undefined}>
              <th scope="row" className="mono">{v.sku}</th>
              <td className="mono">{v.gtin ?? f.NONE}{v.gtin_in_store && <> <Badge>{t('product.inStore')}</Badge></>}</td>
              {p.axes.map((a) => <td key={a}>{valueText(v.attributes[a]) || f.NONE}</td>)}
              <td>{v.price ? f.money(v.price) : f.NONE}</td>
              <td>{v.weight_g ? t('product.grams', { n: f.number(v.weight_g) }) : f.NONE}</td>
              <td>{!v.tracked ? t('product.untracked') : v.lots === 'lot' ? t('product.byLot') : v.lots === 'serial' ? t('product.bySerial') : f.NONE}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Full({ id }: { id: string }) {
  const { t } = useTranslation();
  const gaps = useQuery(gapsQuery(id));
  if (gaps.error) return <ErrorNote error={gaps.error} />;
  const items = (gaps.data?.items ?? []).filter((g) => g.required > 0);
  if (gaps.data && !items.length) return <div className="card"><EmptyState title={t('product.nothingWanted')}>{t('product.nothingWantedText')}</EmptyState></div>;
  return (
    <div className="card" data-testid="product-gaps">
      {items.map((g) => (
        <div key={`${g.channel}/${g.locale}`} className="body row g12">
          <b style={{ width: 140 }}>{g.channel} · {g.locale}</b>
          <meter min={0} max={g.required} value={g.filled} aria-label={t('product.filledOf', { n: f.number(g.filled), all: f.number(g.required) })} style={{ width: 160 }} />
          <span>{f.percent(g.percent / 100, 0)}</span>
          <span className="m2">{g.missing.length ? t('product.lacks', { list: g.missing.map((m) => (m.sku ? `${m.attribute} (${m.sku})` : m.attribute)).join(', ') }) : t('product.nothingLacks')}</span>
        </div>
      ))}
    </div>
  );
}

function Pictures({ product: p }: { product: Product }) {
  const { t } = useTranslation();
  const may = useMay('catalog:write');
  const save = useSave(p.id);
  const [busy, setBusy] = useState(false);
  const add = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    try {
      const response = await fetch('/api/v1/media', { method: 'POST', body: file, headers: { 'x-braid-csrf': '1', 'content-type': 'application/octet-stream' } });
      const body = (await response.json()) as { hash?: string; detail?: string };
      if (!response.ok || !body.hash) throw new Error(body.detail ?? t('product.notKept'));
      save.mutate({ media: [...p.media, { hash: body.hash, alt: {}, skus: [] }] });
    } catch (error) {
      sayError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="card">
      <div className="body row g12" style={{ flexWrap: 'wrap' }}>
        {p.media.map((m) => (
          <figure key={m.hash} style={{ margin: 0 }}>
            <img src={pictureUrl(m.hash, 320)} alt={Object.values(m.alt)[0] ?? p.name} width={160} height={160} style={{ objectFit: 'contain' }} loading="lazy" />
            {may && <Button size="compact-sm" variant="subtle" onClick={() => save.mutate({ media: p.media.filter((x) => x.hash !== m.hash) })}>{t('product.takeOff')}</Button>}
          </figure>
        ))}
        {!p.media.length && <span className="m2">{t('product.noPictures')}</span>}
        {may && <FileButton onChange={(file) => void add(file)} accept="image/jpeg,image/png,image/webp">{(props) => <Button {...props} loading={busy} variant="default">{t('product.addPicture')}</Button>}</FileButton>}
      </div>
    </div>
  );
}

function Links({ id }: { id: string }) {
  const { t } = useTranslation();
  const links = useQuery(linksQuery(id));
  const kinds: Record<string, string> = { accompanying: t('product.link.accompanying'), spare_part: t('product.link.spare_part'), substitute: t('product.link.substitute'), upsell: t('product.link.upsell'), pack: t('product.link.pack') };
  if (links.error) return <ErrorNote error={links.error} />;
  if (links.data && !links.data.items.length) return <div className="card"><EmptyState title={t('product.noLinks')}>{t('product.noLinksText')}</EmptyState></div>;
  return (
    <div className="card">
      {links.data?.items.map((l) => <div key={`${l.kind} ${l.product_id}`} className="body row g12"><span className="m2" style={{ width: 180 }}>{kinds[l.kind] ?? l.kind}</span><Link to="/products/$id" params={{ id: l.product_id }}>{l.name}</Link>{(l.quantity ?? 1) > 1 && <span>× {f.number(l.quantity ?? 1)}</span>}</div>)}
    </div>
  );
}

function History({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('catalog:write');
  const history = useQuery(historyQuery(id));
  const back = useMutation({
    mutationFn: (version: number) => must(api.POST('/api/v1/products/{id}/roll-back', { params: { path: { id } }, body: { version } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: ['products'] }); say(t('product.wentBack')); },
    onError: sayError,
  });
  if (history.error) return <ErrorNote error={history.error} />;
  if (history.data && !history.data.items.length) return <div className="card"><EmptyState title={t('product.noHistory')}>{t('product.noHistoryText')}</EmptyState></div>;
  return (
    <div className="card" data-testid="product-history">
      {history.data?.items.map((v) => (
        <div key={v.version} className="body col g8">
          <div className="row g8"><When at={v.at} className="m2" /><b>{v.actor || t('product.aProgram')}</b><span className="sp" />{may && <Button size="compact-sm" variant="default" loading={back.isPending} onClick={() => back.mutate(v.version)}>{t('product.backTo', { n: f.number(v.version) })}</Button>}</div>
          {v.changes.map((c) => <div key={c.path} className="row g8"><span className="mono m2">{c.path}</span><s>{valueText(c.before)}</s><span>{valueText(c.after) || f.NONE}</span></div>)}
        </div>
      ))}
    </div>
  );
}
