// Pieces that the pages of goods share.
import { Select, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, type Ref, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sayProblem } from '../api/problem';
import { Badge, None } from '../ui/base';
import * as f from '../ui/format';
import { IconBarcode, IconCheck, IconX } from '../ui/icons';
import { type Faults, quantity } from './forms';
import { callPlacesBy } from '../words/sourcing';
import { isMissing, type Location, locationsQuery, skuQuery, type Stock, VIRTUAL } from './query';
import { Scanned, useScanner } from './scan';

export interface Places {
  /** Where goods can lie and be sold from. */
  own: Location[];
  all: Location[];
  name: (id: string) => string;
  ready: boolean;
}

export function usePlaces(): Places {
  const { t } = useTranslation();
  const { data } = useQuery(locationsQuery);
  const places = useMemo(() => {
    const all = data?.items ?? [];
    const names = new Map(all.map((l) => [l.id, VIRTUAL.includes(l.id) ? t(`place.${l.id}`) : l.name || l.id]));
    return { all, own: all.filter((l) => !VIRTUAL.includes(l.kind)), name: (id: string) => names.get(id) ?? id, ready: data !== undefined };
  }, [data, t]);
  // Sentences of the server that name places say them as people do.
  callPlacesBy(places.name);
  return places;
}

/** Chooses a place; `virtual` are those beyond the shop that are offered too. */
export function PlaceSelect(p: { label: string; hidden?: boolean; value: string; onChange: (id: string) => void; places: Places; virtual?: string[]; error?: string; testId?: string; width?: number; autoFocus?: boolean }) {
  const data = [...(p.virtual ?? []).map((id) => ({ value: id, label: p.places.name(id) })), ...p.places.own.map((l) => ({ value: l.id, label: l.name || l.id }))];
  return (
    <Select
      label={p.hidden ? undefined : p.label}
      aria-label={p.hidden ? p.label : undefined}
      data={data}
      value={p.value || null}
      onChange={(v) => v && p.onChange(v)}
      searchable
      allowDeselect={false}
      error={p.error}
      w={p.width}
      data-testid={p.testId}
      data-autofocus={p.autoFocus || undefined}
    />
  );
}

/** A field for a quantity; Enter is left to the form or the list. */
export function Amount(p: { label: string; hidden?: boolean; value: string; onChange: (v: string) => void; error?: ReactNode; help?: ReactNode; testId?: string; width?: number; disabled?: boolean; onEnter?: () => void; autoFocus?: boolean }) {
  const { t } = useTranslation();
  const [left, setLeft] = useState(false);
  const wrong = left && p.value.trim() !== '' && quantity(p.value) === null ? t('stock.noQuantity') : undefined;
  return (
    <TextInput
      label={p.hidden ? undefined : p.label}
      aria-label={p.hidden ? p.label : undefined}
      inputMode="decimal"
      autoComplete="off"
      value={p.value}
      disabled={p.disabled}
      w={p.width}
      error={p.error ?? wrong}
      // Numbers of a column stand under each other.
      styles={p.hidden ? { input: { textAlign: 'right' } } : undefined}
      description={p.help}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      onFocus={(e) => e.currentTarget.select()}
      onBlur={() => setLeft(true)}
      onChange={(e) => p.onChange(e.currentTarget.value)}
      onKeyDown={p.onEnter && ((e) => { if (e.key === 'Enter') { e.preventDefault(); p.onEnter!(); } })}
      data-testid={p.testId}
      data-autofocus={p.autoFocus || undefined}
    />
  );
}

/** Takes an SKU by hand or by a scanner, ends with Enter and says what is wrong with it in place. */
export function SkuField(p: { /** A text that is given back says why it was not taken. */ onSku: (sku: string) => string | undefined | void | Promise<string | void>; label?: string; width?: number | string; inputRef?: Ref<HTMLInputElement>; keys?: string; testId?: string; initial?: string; autoFocus?: boolean; error?: ReactNode; /** Hears the scanner when the focus is in no field, too. */ everywhere?: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState(p.initial ?? '');
  const [wrong, setWrong] = useState<string>();
  const buffer = useRef(new Scanned());
  useEffect(() => setText(p.initial ?? ''), [p.initial]);
  const take = async (sku: string) => {
    if (!sku) return;
    setWrong(undefined);
    try {
      const refused = await p.onSku(sku);
      if (refused) setWrong(refused);
      else setText(p.initial ?? '');
    } catch (e) {
      setWrong(isMissing(e) ? t('stock.noSku', { sku }) : sayProblem(e));
    }
  };
  useScanner((sku) => {
    setText(sku);
    void take(sku);
  }, Boolean(p.everywhere));
  return (
    <TextInput
      ref={p.inputRef}
      aria-label={p.label ?? t('stock.find')}
      placeholder={p.label ?? t('stock.find')}
      leftSection={<IconBarcode />}
      rightSection={p.keys ? <kbd>{p.keys}</kbd> : undefined}
      autoComplete="off"
      spellCheck={false}
      value={text}
      error={wrong ?? p.error}
      style={{ width: p.width ?? 320 }}
      onChange={(e) => { setText(e.currentTarget.value); setWrong(undefined); }}
      onKeyDown={(e) => {
        if (e.key !== 'Enter') return buffer.current.push(e.nativeEvent);
        e.preventDefault();
        // What was scanned over a text that stood there replaces it.
        return void take(buffer.current.take(e.timeStamp) ?? text.trim());
      }}
      data-testid={p.testId ?? 'sku-field'}
      data-autofocus={p.autoFocus || undefined}
    />
  );
}

/** Whether there is such an SKU, and what is known of it; remembered by the page. */
export function useSku(): (sku: string) => Promise<Stock> {
  const client = useQueryClient();
  return useCallback((sku: string) => client.fetchQuery({ ...skuQuery(sku), staleTime: 5_000 }), [client]);
}

/** What remains until a moment, by the second. */
export function Countdown({ until, over }: { until: string; over?: () => void }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(Date.now);
  const told = useRef(false);
  const left = Date.parse(until) - now;
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (left > 0 || told.current) return;
    told.current = true;
    over?.();
  }, [left, over]);
  if (left <= 0) return <span className="m">{t('claim.over')}</span>;
  if (left > 86_400_000) return <time dateTime={until} title={f.exact(until)}>{f.dayMonth(until)}</time>;
  const s = Math.ceil(left / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const text = s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  return <time dateTime={until} title={f.exact(until)} className={left < 60_000 ? 'warn-text b' : ''} data-testid="countdown">{text}</time>;
}

/** A number of goods; nothing is quiet. */
export const Qty = ({ n, strong, tone }: { n: number; strong?: boolean; tone?: 'warn' | 'bad' }) => <span className={n === 0 && !tone ? 'm' : `${strong ? 'b' : ''} ${tone ? `${tone}-text` : ''}`}>{f.number(n)}</span>;

/** States of a paper as a small line: what is done, where it stands, what is to come. */
export function Steps({ steps, at, ended }: { steps: string[]; at: number; ended?: string }) {
  const { t } = useTranslation();
  return (
    <ol className="row wrap-row stepline" aria-label={t('stock.steps')} style={{ listStyle: 'none' }}>
      {steps.map((name, i) => {
        const done = i < at || (i === at && i === steps.length - 1);
        const now = i === at && !ended;
        return (
          <li key={name} className="row g8" aria-current={now ? 'step' : undefined}>
            <span className={`stepdot${done && !ended ? ' done' : ''}${now ? ' now' : ''}`} aria-hidden="true">{done && !ended ? <IconCheck className="s" /> : null}</span>
            <span className={now ? 'b' : 'm2'}>{name}</span>
            {i < steps.length - 1 && <span className="stepdash" aria-hidden="true" />}
          </li>
        );
      })}
      {ended && <li className="row g8" aria-current="step"><IconX className="s bad-text" aria-hidden="true" /><span className="b">{ended}</span></li>}
    </ol>
  );
}

export interface NewLine { sku: string; name: string; quantity: string; cost: string; at: number | null }

/** Lines that are asked for: each scan adds a line or one more piece, quantities are typed over. */
export function Lines(p: { lines: NewLine[]; onChange: (lines: NewLine[]) => void; faults: Faults; from?: string; cost?: string }) {
  const { t } = useTranslation();
  const look = useSku();
  const now = useRef(p.lines);
  now.current = p.lines;
  const add = async (sku: string) => {
    const known = await look(sku);
    const lines = now.current;
    const there = lines.findIndex((l) => l.sku === known.sku);
    if (there >= 0) p.onChange(lines.map((l, i) => (i === there ? { ...l, quantity: String((quantity(l.quantity) ?? 0) + 1) } : l)));
    else p.onChange([...lines, { sku: known.sku, name: known.name, quantity: '1', cost: '', at: null }]);
  };
  const change = (i: number, part: Partial<NewLine>) => p.onChange(p.lines.map((l, j) => (i === j ? { ...l, ...part } : l)));
  return (
    <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
      <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('lines.title')}</legend>
      <SkuField label={t('lines.scan')} width="100%" onSku={add} testId="lines-scan" error={p.faults.at('/lines')} />
      {p.lines.length > 0 && (
        <ul className="line-list" data-testid="lines">
          {p.lines.map((l, i) => (
            <li key={l.sku} className="row g8" style={{ padding: '6px 0', alignItems: 'flex-start' }} data-testid="line">
              <span className="col sp" style={{ paddingTop: 2 }}>
                <span className="b el">{l.name || l.sku}</span>
                <span className="t12 m2 el mono">{l.sku}{p.from && <Available sku={l.sku} at={p.from} />}</span>
                {p.faults.at(`/lines/${i}/sku`, `/lines/${i}`) && <span className="error-text" role="alert">{p.faults.at(`/lines/${i}/sku`, `/lines/${i}`)}</span>}
              </span>
              <Amount hidden label={t('lines.quantityOf', { sku: l.sku })} width={88} value={l.quantity} onChange={(v) => change(i, { quantity: v })} error={p.faults.at(`/lines/${i}/quantity`)} testId="line-quantity" />
              {p.cost && <Amount hidden label={t('lines.costOf', { sku: l.sku, sign: p.cost })} width={104} value={l.cost} onChange={(v) => change(i, { cost: v })} error={p.faults.at(`/lines/${i}/cost`)} testId="line-cost" />}
              <button type="button" className="mini" style={{ marginTop: 4 }} aria-label={t('lines.drop', { sku: l.sku })} onClick={() => p.onChange(p.lines.filter((_, j) => j !== i))}><IconX className="s" /></button>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}

function Available({ sku, at }: { sku: string; at: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({ ...skuQuery(sku), staleTime: 5_000 });
  if (!data) return null;
  return <span> · {t('lines.there', { n: f.number(data.items.find((i) => i.location_id === at)?.available ?? 0) })}</span>;
}

export const Note = (p: { label: string; value: string; onChange: (v: string) => void; error?: string }) => <Textarea label={p.label} autosize minRows={2} maxRows={5} value={p.value} error={p.error} onChange={(e) => p.onChange(e.currentTarget.value)} />;

/** A moment that may not be set. */
export const Day = ({ at, why }: { at?: string | null; why: string }) => (at ? <time dateTime={at} title={f.exact(at)}>{f.dayMonth(at)}</time> : <None why={why} />);

const TONES: Record<string, 'good' | 'warn' | 'bad' | 'info' | undefined> = { requested: 'warn', in_transit: 'info', partly_received: 'warn', received: 'good', cancelled: undefined, draft: undefined, ordered: 'info', open: 'good', paused: 'warn', closed: undefined };
/** The state of a transfer, purchase order or place. */
export function State({ of, state }: { of: 'transfer' | 'purchase' | 'place'; state: string }) {
  const { t } = useTranslation();
  return <Badge tone={TONES[state]}>{t(`${of}.state.${state}`)}</Badge>;
}
