// Decision served: which price does a customer see, is it the right one, and what will this promotion do?
import { Button, Modal, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { ActButton } from '../session/Guarded';
import { useMe } from '../session/session';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel } from '../ui/base';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { Editor } from './Promotion';
import { reasonOf } from './words';

type PriceList = components['schemas']['PriceListBody'];
type Answer = components['schemas']['PriceExplained'];
type Rule = components['schemas']['RuleBody'];

export default function PricesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.prices'));
  return (
    <div className="page">
      <PageHeader title={t('nav.prices')} />
      <Why />
      <Lists />
      <Promotions />
    </div>
  );
}

function Why() {
  const { t } = useTranslation();
  const { shop } = useMe();
  const [variant, setVariant] = useState('');
  const [channel, setChannel] = useState('');
  const [store, setStore] = useState('');
  const [customer, setCustomer] = useState('');
  const [pieces, setPieces] = useState(1);
  const ask = useMutation({
    mutationFn: () =>
      must(api.POST('/api/v1/prices/explain', {
        body: { variant_id: variant, currency: shop.currency, quantity: pieces * 1000, channel: channel || null, store: store || null, customer: customer || null, country: 'UA' },
      })),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    ask.mutate();
  };
  return (
    <Panel title={t('prices.why')} testId="prices-why">
      <form className="body col g12" onSubmit={submit}>
        <p className="m2">{t('prices.whyText')}</p>
        <div className="row g12" style={{ flexWrap: 'wrap', alignItems: 'flex-end' }}>
          <TextInput label={t('prices.variant')} value={variant} onChange={(e) => setVariant(e.currentTarget.value)} required withAsterisk={false} inputMode="numeric" data-testid="why-variant" />
          <TextInput label={t('prices.channel')} value={channel} onChange={(e) => setChannel(e.currentTarget.value)} data-testid="why-channel" />
          <TextInput label={t('prices.store')} value={store} onChange={(e) => setStore(e.currentTarget.value)} />
          <TextInput label={t('prices.customer')} value={customer} onChange={(e) => setCustomer(e.currentTarget.value)} />
          <NumberInput label={t('prices.pieces')} value={pieces} min={1} max={1_000_000} hideControls onChange={(v) => setPieces(Math.max(1, Math.round(Number(v) || 1)))} style={{ width: 90 }} />
          <Button type="submit" loading={ask.isPending} data-testid="why-ask">{t('prices.ask')}</Button>
        </div>
        {ask.error && <ErrorNote error={ask.error} />}
        <div aria-live="polite">{ask.data && <Explained answer={ask.data} currency={shop.currency} />}</div>
      </form>
    </Panel>
  );
}

function Explained({ answer, currency }: { answer: Answer; currency: string }) {
  const { t } = useTranslation();
  const money = (minor: number) => f.money({ minor, currency });
  const { price, reduction } = answer;
  return (
    <div className="col g12" data-testid="why-answer">
      {price ? (
        <div className="col g4">
          <span className="row g12"><b style={{ fontSize: 20 }}>{money(price.minor)}</b>{price.sale && <Badge tone="warn">{t('prices.sale')}</Badge>}</span>
          <span>{reasonOf(price.reason)}</span>
          {price.base_minor != null && price.base_minor !== price.minor && <span className="m2">{t('prices.baseIs', { money: money(price.base_minor) })}</span>}
          {reduction && <span className="m2">{t('prices.reduced', { date: f.date(reduction.since), previous: money(reduction.previous_minor), shown: money(reduction.shown_minor) })}</span>}
          {answer.next_change_at && <span className="m2">{t('prices.next', { date: f.exact(answer.next_change_at) })}</span>}
        </div>
      ) : (
        <p>{t('prices.none')}</p>
      )}
      {answer.asked.length > 0 && (
        <section aria-label={t('prices.asked')}>
          <h3 className="label">{t('prices.asked')}</h3>
          <ul className="line-list">{answer.asked.map((l) => <li key={l.list_id} className="row g12"><span className="sp el">{l.name}</span><span className={l.has_price ? '' : 'm'}>{l.has_price ? t('prices.hasPrice') : t('prices.noPrice')}</span></li>)}</ul>
        </section>
      )}
      {answer.history.length > 1 && (
        <section aria-label={t('prices.history')}>
          <h3 className="label">{t('prices.history')}</h3>
          <ul className="line-list">{[...answer.history].reverse().map((p, n) => <li key={n} className="row g12"><span className="sp">{p.from ? f.exact(p.from) : t('prices.first')}</span><span>{p.minor == null ? t('prices.gone') : money(p.minor)}</span></li>)}</ul>
        </section>
      )}
    </div>
  );
}

function scopeText(list: PriceList, everybody: string): string {
  const { channels, regions, stores, segments, customers } = list.scope;
  return [channels, regions, stores, segments, customers].flatMap((names) => names ?? []).join(', ') || everybody;
}

function Lists() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [making, setMaking] = useState(false);
  const lists = useQuery({ queryKey: ['price-lists'], queryFn: () => must(api.GET('/api/v1/price-lists', { params: { query: { limit: 500 } } })) });
  const end = useMutation({
    mutationFn: (list: PriceList) => must(api.POST('/api/v1/price-lists/{id}/end', { params: { path: { id: list.id } }, body: {} as never })),
    onSuccess: (_d, list) => {
      void client.invalidateQueries({ queryKey: ['price-lists'] });
      say(t('prices.ended', { name: list.name }));
    },
    onError: sayError,
  });
  const over = (list: PriceList) => list.ends_at != null && Date.parse(list.ends_at) <= Date.now();
  const add = <ActButton right="prices:write" leftSection={<IconPlus />} onClick={() => setMaking(true)} data-testid="list-new">{t('prices.newList')}</ActButton>;
  return (
    <>
    <Panel title={t('prices.lists')} query={lists} right={add} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('prices.noLists')}>{t('prices.listsText')}</EmptyState>} testId="price-lists">
      {(data) => (
        <div className="tbl" tabIndex={0} role="group" aria-label={t('prices.lists')}>
          <table>
            <thead><tr><th scope="col" className="r" style={{ width: 90 }}>{t('prices.position')}</th><th scope="col">{t('field.name')}</th><th scope="col">{t('prices.holds')}</th><th scope="col">{t('prices.time')}</th><th scope="col">{t('prices.reason')}</th><th scope="col" style={{ width: 140 }}><span className="hidden-text">{t('prices.end')}</span></th></tr></thead>
            <tbody>
              {data.items.map((list) => (
                <tr key={list.id} data-testid="price-list">
                  <td className="r">{f.number(list.position)}</td>
                  <td><span className="row g12"><b className="el">{list.name}</b>{list.kind === 'sale' && <Badge tone="warn">{t('prices.sale')}</Badge>}</span></td>
                  <td className="el">{scopeText(list, t('prices.everybody'))}</td>
                  <td>{list.ends_at ? t('prices.until', { from: f.date(list.starts_at), until: f.date(list.ends_at) }) : t('prices.always', { from: f.date(list.starts_at) })}</td>
                  <td className={list.reason ? 'el' : 'm2'}>{list.reason || t('prices.unexplained')}</td>
                  <td className="r">{!over(list) && <ActButton right="prices:write" variant="subtle" size="compact-sm" onClick={() => end.mutate(list)}>{t('prices.end')}</ActButton>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
    {making && <NewList close={() => setMaking(false)} />}
    </>
  );
}

const names = (text: string): string[] => text.split(',').map((s) => s.trim()).filter(Boolean);

function NewList({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { shop } = useMe();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [position, setPosition] = useState(0);
  const [kind, setKind] = useState<'regular' | 'sale'>('regular');
  const [channels, setChannels] = useState('');
  const [stores, setStores] = useState('');
  const [reason, setReason] = useState('');
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/price-lists', { body: { name, currency: shop.currency, kind, position, reason, scope: { channels: names(channels), stores: names(stores), regions: [], segments: [], customers: [] } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['price-lists'] });
      say(t('prices.made', { name }));
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('prices.newList')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <TextInput label={t('field.name')} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} data-testid="list-name" />
        <NumberInput label={t('prices.position')} description={t('prices.positionHelp')} value={position} onChange={(v) => setPosition(Math.round(Number(v) || 0))} />
        <Select label={t('prices.kind')} allowDeselect={false} value={kind} onChange={(v) => setKind(v === 'sale' ? 'sale' : 'regular')} data={[{ value: 'regular', label: t('prices.regular') }, { value: 'sale', label: t('prices.sale') }]} />
        <TextInput label={t('prices.channels')} description={t('prices.many')} value={channels} onChange={(e) => setChannels(e.currentTarget.value)} />
        <TextInput label={t('prices.stores')} description={t('prices.many')} value={stores} onChange={(e) => setStores(e.currentTarget.value)} />
        <Textarea label={t('prices.reason')} description={t('prices.reasonHelp')} autosize minRows={2} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="subtle" type="button" onClick={close}>{t('cancel')}</Button>
          <Button type="submit" loading={save.isPending} data-testid="list-save">{t('prices.keep')}</Button>
        </div>
      </form>
    </Modal>
  );
}

interface Written { name?: string; lane?: string; coupons?: string[]; starts_at?: string; ends_at?: string }

function Promotions() {
  const { t } = useTranslation();
  const [editing, setEditing] = useState<Rule | 'new' | null>(null);
  const rules = useQuery({ queryKey: ['promotions'], queryFn: () => must(api.GET('/api/v1/promotions', { params: { query: { limit: 500 } } })) });
  const add = <ActButton right="prices:write" leftSection={<IconPlus />} onClick={() => setEditing('new')} data-testid="promotion-new">{t('prices.newPromotion')}</ActButton>;
  return (
    <>
      <Panel title={t('prices.promotions')} query={rules} right={add} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('prices.noPromotions')}>{t('prices.promotionsText')}</EmptyState>} testId="promotions">
        {(data) => (
          <div className="tbl" tabIndex={0} role="group" aria-label={t('prices.promotions')}>
            <table>
              <thead><tr><th scope="col">{t('field.name')}</th><th scope="col">{t('prices.lane')}</th><th scope="col">{t('prices.coupons')}</th><th scope="col">{t('prices.time')}</th><th scope="col" style={{ width: 110 }}><span className="hidden-text">{t('prices.edit')}</span></th></tr></thead>
              <tbody>
                {data.items.map((rule) => {
                  const d = rule.document as Written;
                  return (
                    <tr key={rule.id} data-testid="promotion">
                      <td><span className="col"><b className="el">{d.name ?? rule.id}</b><span className="t12 m mono el">{rule.id}</span></span></td>
                      <td>{d.lane ?? 'default'}</td>
                      <td className="el">{d.coupons?.join(', ') || f.NONE}</td>
                      <td>{d.ends_at ? t('prices.until', { from: d.starts_at ? f.date(d.starts_at) : '', until: f.date(d.ends_at) }) : d.starts_at ? t('prices.always', { from: f.date(d.starts_at) }) : f.NONE}</td>
                      <td className="r"><ActButton right="prices:write" variant="subtle" size="compact-sm" onClick={() => setEditing(rule)}>{t('prices.edit')}</ActButton></td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      {editing && <Editor rule={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}
