// Decision served: do marketplaces and ads see what we sell, and what do they not see, and why?
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Badge, CopyButton, EmptyState, ErrorNote, PageHeader, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { channelsQuery, feedsQuery } from './query';

export default function FeedsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.feeds'));
  const feeds = useQuery(feedsQuery);
  const [making, setMaking] = useState(false);
  const why: Record<string, string> = { not_offered: t('feed.why.not_offered'), other_category: t('feed.why.other_category'), assortment: t('feed.why.assortment'), no_price: t('feed.why.no_price'), no_picture: t('feed.why.no_picture') };
  const make = <ActButton right="catalog:write" leftSection={<IconPlus />} onClick={() => setMaking(true)} data-testid="feed-create">{t('feed.add')}</ActButton>;
  return (
    <div className="page">
      <PageHeader title={t('nav.feeds')} note={feeds.data ? f.number(feeds.data.items.length) : undefined} actions={make} />
      {Boolean(feeds.error) && <ErrorNote error={feeds.error} />}
      {!feeds.data && !feeds.error && <div className="card"><Skeleton rows={4} /></div>}
      {feeds.data && !feeds.data.items.length && <div className="card"><EmptyState title={t('feed.none')} action={make}>{t('feed.noneText')}</EmptyState></div>}
      {feeds.data?.items.map((x) => (
        <section key={x.id} className="card" aria-label={x.name} data-testid="feed-card">
          <div className="body col g8">
            <div className="row g8"><h2>{x.name}</h2><Badge>{x.format === 'yml' ? 'YML' : 'Google Merchant'}</Badge>{x.up_to_date ? <Badge tone="good">{t('feed.upToDate')}</Badge> : <Badge tone="info">{t('feed.following')}</Badge>}<span className="sp" />{x.followed_at && <When at={x.followed_at} className="m2" />}</div>
            <div className="row g8"><span className="mono el">{x.url}</span><CopyButton text={x.url} label={t('feed.copy')} /></div>
            <span>{t('feed.shows', { n: f.number(x.items) })}{x.left_out ? `; ${t('feed.leavesOut', { n: f.number(x.left_out) })}` : ''}</span>
            {x.reasons.map((r) => <div key={r.why} className="row g8 m2"><span>{why[r.why] ?? r.why}</span><span>{f.number(r.count)}</span><span className="mono">{r.sku}</span></div>)}
          </div>
        </section>
      ))}
      {making && <NewFeed close={() => setMaking(false)} />}
    </div>
  );
}

function NewFeed({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const channels = useQuery(channelsQuery);
  const [name, setName] = useState('');
  const [format, setFormat] = useState<'google_merchant' | 'yml'>('yml');
  const [channel, setChannel] = useState<string | null>(null);
  const [link, setLink] = useState('https://');
  const chosen = channels.data?.items.find((c) => c.code === channel);
  const make = useMutation({
    mutationFn: () => must(api.POST('/api/v1/feeds', { body: { name, format, channel: channel ?? '', locale: chosen?.locales[0] ?? '', currency: chosen?.currencies[0] ?? '', link, active: true } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: ['feeds'] }); close(); },
  });
  return (
    <Modal opened onClose={close} title={t('feed.add')} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g12">
        <TextInput label={t('col.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <Select label={t('feed.format')} allowDeselect={false} data={[{ value: 'yml', label: 'YML' }, { value: 'google_merchant', label: 'Google Merchant' }]} value={format} onChange={(v) => v && setFormat(v as typeof format)} />
        <Select label={t('product.channel')} data={(channels.data?.items ?? []).map((c) => c.code)} value={channel} onChange={setChannel} />
        <TextInput label={t('feed.link')} description={t('feed.linkHelp')} value={link} onChange={(e) => setLink(e.currentTarget.value)} />
        {Boolean(make.error) && <ErrorNote error={make.error} />}
        <Button disabled={!name.trim() || !chosen || !/\{(id|sku)\}/.test(link)} loading={make.isPending} onClick={() => make.mutate()}>{t('feed.create')}</Button>
      </div>
    </Modal>
  );
}
