// What is done with one SKU: moved, kept back, taken into another condition.
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { faultsOf, newKey, quantity } from './forms';
import { Amount, type Places, PlaceSelect } from './parts';
import { CONDITIONS, GOODS, type Stock } from './query';

interface Props { stock: Stock; places: Places; close: () => void; done: () => void }
type Item = Stock['items'][number];

const lies = (item: Item | undefined, condition: string): number => (!item ? 0 : condition === 'sellable' ? item.on_hand : item[condition as 'display' | 'damaged' | 'quarantine']);

export function Dialog({ title, close, submit, children, size = 480 }: { title: string; close: () => void; submit: () => void; children: ReactNode; size?: number }) {
  const { t } = useTranslation();
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    submit();
  };
  return (
    <Modal opened onClose={close} title={title} size={size} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields" style={{ maxWidth: 'none' }} onSubmit={onSubmit} noValidate>{children}</form>
    </Modal>
  );
}

export function Acts({ label, busy, disabled, close, testId }: { label: string; busy: boolean; disabled?: boolean; close: () => void; testId?: string }) {
  const { t } = useTranslation();
  return (
    <div className="form-actions">
      <Button type="submit" loading={busy} disabled={disabled} data-testid={testId}>{label}</Button>
      <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
    </div>
  );
}

interface Moving { from: string; to: string; from_condition: string; to_condition: string; quantity: number; reason: string }

/** Posts a movement, says what happened and offers the way back. */
function useMove(p: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  // One paper for one form: a repeated attempt counts once.
  const [document] = useState(newKey);
  const post = (m: Moving, key: string) => must(api.POST('/api/v1/stock/movements', { body: { sku: p.stock.sku, ...m, document: key, lot: '' } }));
  return useMutation({
    mutationFn: (m: Moving) => post(m, document),
    onSuccess: (_, m) => {
      const back: Moving = { ...m, from: m.to, to: m.from, from_condition: m.to_condition, to_condition: m.from_condition, reason: t('move.undoReason') };
      const key = newKey();
      const undo = () => void post(back, key).then(() => client.invalidateQueries({ queryKey: GOODS }), sayError);
      say(m.from === m.to ? t('condition.done', { n: f.number(m.quantity), to: t(`condition.${m.to_condition}`) }) : t('move.done', { n: f.number(m.quantity), from: p.places.name(m.from), to: p.places.name(m.to) }), undo);
      p.done();
    },
  });
}

const most = (items: Item[]): string => [...items].sort((a, b) => b.on_hand - a.on_hand)[0]?.location_id ?? '';

function ConditionSelect(p: { label: string; value: string; onChange: (v: string) => void; error?: string; testId?: string }) {
  const { t } = useTranslation();
  return <Select label={p.label} value={p.value} allowDeselect={false} onChange={(v) => v && p.onChange(v)} error={p.error} data={CONDITIONS.map((c) => ({ value: c, label: t(`condition.${c}`) }))} data-testid={p.testId} />;
}

export function MoveForm(p: Props) {
  const { t } = useTranslation();
  const [m, set] = useState<Omit<Moving, 'quantity'> & { quantity: string }>({ from: most(p.stock.items) || 'supplier', to: '', from_condition: 'sellable', to_condition: 'sellable', quantity: '1', reason: '' });
  const move = useMove(p);
  const change = (part: Partial<typeof m>) => set((old) => ({ ...old, ...part }));
  const n = quantity(m.quantity);
  const faults = faultsOf(move.error, p.places.name);
  const item = p.stock.items.find((i) => i.location_id === m.from);
  const beyond = ['supplier', 'customer', 'loss'];
  const at = { from: faults.at('/from', '/from_condition'), to: faults.at('/to', '/to_condition'), quantity: faults.at('/quantity', ''), sku: faults.at('/sku') };
  return (
    <Dialog title={t('move.title', { name: p.stock.name || p.stock.sku })} close={p.close} submit={() => { if (n !== null && m.to) move.mutate({ ...m, quantity: n, reason: m.reason.trim() }); }}>
      <div className="grid2">
        <PlaceSelect label={t('move.from')} value={m.from} onChange={(from) => change({ from })} places={p.places} virtual={beyond} error={at.from} testId="move-from" />
        <PlaceSelect label={t('move.to')} value={m.to} onChange={(to) => change({ to })} places={p.places} virtual={beyond} error={at.to} testId="move-to" autoFocus />
        <ConditionSelect label={t('move.fromCondition')} value={m.from_condition} onChange={(from_condition) => change({ from_condition, to_condition: from_condition })} />
        <ConditionSelect label={t('move.toCondition')} value={m.to_condition} onChange={(to_condition) => change({ to_condition })} />
      </div>
      <Amount label={t('stock.quantity')} value={m.quantity} onChange={(v) => change({ quantity: v })} error={at.quantity ?? at.sku} help={beyond.includes(m.from) ? undefined : t('move.there', { n: f.number(lies(item, m.from_condition)), reserved: f.number(item?.reserved ?? 0) })} testId="move-quantity" />
      <TextInput label={t('stock.reason')} placeholder={t('move.reasonExample')} value={m.reason} maxLength={200} onChange={(e) => change({ reason: e.currentTarget.value })} data-testid="move-reason" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('move.do')} busy={move.isPending} disabled={n === null || n <= 0 || !m.to} close={p.close} testId="move-do" />
    </Dialog>
  );
}

export function Condition(p: Props) {
  const { t } = useTranslation();
  const [m, set] = useState({ at: most(p.stock.items), from: 'sellable', to: 'damaged', quantity: '1', reason: '' });
  const move = useMove(p);
  const change = (part: Partial<typeof m>) => set((old) => ({ ...old, ...part }));
  const n = quantity(m.quantity);
  const faults = faultsOf(move.error, p.places.name);
  const item = p.stock.items.find((i) => i.location_id === m.at);
  const at = { place: faults.at('/from'), to: faults.at('/to', '/to_condition'), from: faults.at('/from_condition'), quantity: faults.at('/quantity', '') };
  return (
    <Dialog title={t('condition.title', { name: p.stock.name || p.stock.sku })} close={p.close} submit={() => { if (n !== null) move.mutate({ from: m.at, to: m.at, from_condition: m.from, to_condition: m.to, quantity: n, reason: m.reason.trim() }); }}>
      <PlaceSelect label={t('stock.place')} value={m.at} onChange={(at2) => change({ at: at2 })} places={p.places} error={at.place} autoFocus />
      <div className="grid2">
        <ConditionSelect label={t('condition.was')} value={m.from} onChange={(from) => change({ from })} error={at.from} />
        <ConditionSelect label={t('condition.is')} value={m.to} onChange={(to) => change({ to })} error={at.to} testId="condition-to" />
      </div>
      <Amount label={t('stock.quantity')} value={m.quantity} onChange={(v) => change({ quantity: v })} error={at.quantity} help={t('move.there', { n: f.number(lies(item, m.from)), reserved: f.number(item?.reserved ?? 0) })} testId="condition-quantity" />
      <TextInput label={t('stock.reason')} placeholder={t('condition.reasonExample')} value={m.reason} maxLength={200} onChange={(e) => change({ reason: e.currentTarget.value })} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('condition.do')} busy={move.isPending} disabled={n === null || n <= 0 || m.from === m.to || !m.at} close={p.close} testId="condition-do" />
    </Dialog>
  );
}

export function KeepBack(p: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const of = (id: string) => p.stock.items.find((i) => i.location_id === id)?.safety ?? 0;
  const [at, setAt] = useState(most(p.stock.items));
  const [text, setText] = useState(String(of(most(p.stock.items))));
  const n = quantity(text);
  const put = (location_id: string, keep: number) => must(api.PUT('/api/v1/stock/{sku}/safety', { params: { path: { sku: p.stock.sku } }, body: { location_id, quantity: keep } }));
  const save = useMutation({
    mutationFn: (v: { at: string; n: number; before: number }) => put(v.at, v.n),
    onSuccess: (_, v) => {
      say(t('safety.done', { n: f.number(v.n), place: p.places.name(v.at) }), () => void put(v.at, v.before).then(() => client.invalidateQueries({ queryKey: GOODS }), sayError));
      p.done();
    },
  });
  const faults = faultsOf(save.error, p.places.name);
  const wrong = { at: faults.at('/location_id'), quantity: faults.at('/quantity') };
  return (
    <Dialog title={t('safety.title', { name: p.stock.name || p.stock.sku })} close={p.close} submit={() => { if (n !== null) save.mutate({ at, n, before: of(at) }); }}>
      <p className="m2">{t('safety.text')}</p>
      <PlaceSelect label={t('stock.place')} value={at} onChange={(id) => { setAt(id); setText(String(of(id))); }} places={p.places} error={wrong.at} />
      <Amount label={t('stock.quantity')} value={text} onChange={setText} error={wrong.quantity} help={t('safety.help')} testId="safety-quantity" autoFocus />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={n === null || !at || n === of(at)} close={p.close} testId="safety-do" />
    </Dialog>
  );
}
