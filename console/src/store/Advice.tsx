// Decision served: what of what we looked at goes into the basket, and does it go to the customer's phone now?
import { TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { cash } from '../orders/parts';
import { type ConsultationStep, consultationQuery, ORDERS } from '../orders/query';
import { useMay } from '../session/session';
import { faultsOf, useOnce } from '../stock/forms';
import { SkuField, useSku } from '../stock/parts';
import { ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconArrowLeft, IconSend } from '../ui/icons';
import { say } from '../ui/toast';
import { CameraButton } from './Camera';
import { Count } from './Work';

export function Advice({ at, id, back }: { at: string; id: string; back: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const once = useOnce();
  const may = useMay('orders:write');
  const look = useSku();
  const talk = useQuery(consultationQuery(id));
  const [who, setWho] = useState({ name: '', phone: '', email: '' });
  const [note, setNote] = useState<string | null>(null);
  const c = talk.data;
  const step = useMutation({
    mutationFn: (body: ConsultationStep) => must(api.POST('/api/v1/consultations/{id}/steps', { params: { path: { id } }, body, headers: once({ id, body, at: Math.floor(Date.now() / 2000) }) })),
    onSuccess: (after, body) => {
      client.setQueryData(consultationQuery(id).queryKey, after);
      void client.invalidateQueries({ queryKey: [...ORDERS, 'consultations', at] });
      if (body.do === 'send') say(t('store.sentTo', { who: after.phone ? f.phone(after.phone) : after.email }));
    },
  });
  useEffect(() => { if (c?.order_id) void client.invalidateQueries({ queryKey: ORDERS }); }, [c?.order_id, client]);
  if (talk.error && !c) return <div className="store-one"><ErrorNote error={talk.error} retry={() => void talk.refetch()} /></div>;
  if (!c) return <div className="store-one"><Skeleton rows={5} height={56} /></div>;
  const faults = faultsOf(step.error, (x) => x);
  const there = (sku: string) => c.lines.find((l) => l.sku === sku)?.quantity ?? 0;
  // Whatever lies in the basket or was looked at, once.
  const goods = [...c.goods, ...c.lines.filter((l) => !c.goods.some((g) => g.sku === l.sku)).map((l) => ({ sku: l.sku, name: l.name, tried: false, liked: null as boolean | null }))];
  const open = may && !c.order_id;
  const known = Boolean(c.phone || c.email);
  const put = async (text: string) => { const s = await look(text); const g = goods.find((x) => x.sku === s.sku); step.mutate({ do: 'goods', sku: s.sku, tried: true, liked: g?.liked ?? null, quantity: null }); };
  return (
    <div className="store-one wide-one bigfield" data-testid="advice">
      <div className="row g12"><button type="button" className="sbtn square" onClick={back} aria-label={t('store.back')}><IconArrowLeft /></button><span className="col sp"><h1 className="el">{c.name || (c.phone && f.phone(c.phone)) || c.email || t('store.nobodyYet')}</h1><span className="m2">{c.order_id ? t('store.talkOrdered') : c.sent_at ? t('store.talkSent', { time: f.time(c.sent_at) }) : t('store.talkBegan', { time: f.time(c.opened_at) })}</span></span><b className="sum">{cash(c.total.minor, c.total.currency)}</b></div>
      {c.order_id && <p><a className="textlink" href={`/orders/${c.order_id}`}>{t('store.openOrder')}</a></p>}
      {open && <div className="row g12 wrap-row"><SkuField onSku={put} everywhere width="min(100%, 420px)" label={t('store.showed')} testId="advice-sku" /><CameraButton label={t('store.scan')} found={(text) => void put(text).catch(() => undefined)} /></div>}
      {goods.length === 0 && <p className="m2">{t('store.showedText')}</p>}
      <ul className="store-rows">
        {goods.map((g) => (
          <li key={g.sku} className="row g12 wrap-row" data-testid="advice-row">
            <span className="col sp full-row"><b className="el">{g.name || g.sku}</b><span className="t14 m2 mono el">{g.sku}</span></span>
            {open && (
              <span className="row g8">
                <button type="button" className={`sbtn ${g.tried ? 'on' : ''}`} aria-pressed={g.tried} onClick={() => step.mutate({ do: 'goods', sku: g.sku, tried: !g.tried, liked: g.liked ?? null, quantity: null })}>{t('store.wasTried')}</button>
                <button type="button" className={`sbtn ${g.liked === true ? 'on' : ''}`} aria-pressed={g.liked === true} onClick={() => step.mutate({ do: 'goods', sku: g.sku, tried: g.tried, liked: g.liked === true ? null : true, quantity: null })} data-testid="advice-liked">{t('store.wasLiked')}</button>
                <button type="button" className={`sbtn ${g.liked === false ? 'on' : ''}`} aria-pressed={g.liked === false} onClick={() => step.mutate({ do: 'goods', sku: g.sku, tried: g.tried, liked: g.liked === false ? null : false, quantity: null })}>{t('store.notLiked')}</button>
              </span>
            )}
            {!open && <span className="m2">{[g.tried && t('store.wasTried'), g.liked === true ? t('store.wasLiked') : g.liked === false && t('store.notLiked')].filter(Boolean).join(' · ')}</span>}
            {open ? <Count n={there(g.sku)} most={99} set={(n) => step.mutate({ do: 'goods', sku: g.sku, tried: g.tried, liked: g.liked ?? null, quantity: n })} name={g.name || g.sku} /> : <span className="of"><b>{f.number(there(g.sku))}</b></span>}
          </li>
        ))}
      </ul>
      {open && !known && (
        <form className="grid2" onSubmit={(e) => { e.preventDefault(); step.mutate({ do: 'customer', customer: who as never }); }}>
          <TextInput label={t('order.name')} autoComplete="off" value={who.name} onChange={(e) => setWho({ ...who, name: e.currentTarget.value })} />
          <TextInput label={t('order.phone')} type="tel" autoComplete="off" placeholder="067 123 45 67" value={who.phone} error={faults.at('/phone', '/customer/phone')} onChange={(e) => setWho({ ...who, phone: e.currentTarget.value })} data-testid="advice-phone" />
          <TextInput label={t('field.email')} type="email" autoComplete="off" value={who.email} error={faults.at('/email', '/customer/email')} onChange={(e) => setWho({ ...who, email: e.currentTarget.value })} />
          <button type="submit" className="sbtn" disabled={!(who.phone.trim() || who.email.trim()) || step.isPending} data-testid="advice-who">{t('store.isThem')}</button>
        </form>
      )}
      {open && <Textarea label={t('store.said')} autosize minRows={2} value={note ?? c.note} onChange={(e) => setNote(e.currentTarget.value)} onBlur={() => { if (note !== null && note.trim() !== c.note) step.mutate({ do: 'note', text: note }); }} data-testid="advice-note" />}
      {!open && c.note && <p className="m2">{c.note}</p>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      {open && (
        <div className="row g16 wrap-row">
          <span className="col sp"><span className="m2">{t('store.sendText')}</span></span>
          <img className="store-qr" src={`/shop/v1/carts/${encodeURIComponent(c.cart_id)}/code.svg`} alt={t('store.qrOf')} />
          <button type="button" className="sbtn tall act" disabled={!known || c.lines.length === 0 || step.isPending} onClick={() => step.mutate({ do: 'send' })} data-testid="advice-send"><IconSend />{c.sent_at ? t('store.sendAgain') : t('store.send')}</button>
        </div>
      )}
    </div>
  );
}
