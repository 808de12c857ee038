// Decision served: what do we promise, from where do we serve it, and what happens by itself?
import { Button, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client';
import { Problem, problemOf } from '../api/problem';
import { useMay } from '../session/session';
import { type Places, PlaceSelect, usePlaces } from '../stock/parts';
import { KINDS } from '../stock/query';
import { ErrorNote, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconPlus, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { said } from '../words/server';
import { OrderTabs, word } from './parts';
import { type Doc, type Json, settingsQuery } from './query';

const route = getRouteApi('/orders/settings');
const PARTS = ['policy', 'delivery', 'places', 'sourcing', 'calendar'] as const;
type Part = (typeof PARTS)[number];
/** Which part of the page shows a field, so that a refusal opens it. */
const PART_OF: Record<string, Part> = { policy: 'policy', transfers: 'policy', carriers: 'delivery', zones: 'delivery', methods: 'delivery', places: 'places', sourcing: 'sourcing', curfews: 'calendar', blackouts: 'calendar', closures: 'calendar', switched_off: 'calendar' };

export default function SettingsPage() {
  const { t } = useTranslation();
  useTitle(t('oset.title'));
  const query = useQuery(settingsQuery);
  return (
    <div className="page">
      {query.data ? <Form key={query.data.tag} start={query.data.doc} tag={query.data.tag} /> : <><PageHeader title={t('oset.title')} /><OrderTabs at="settings" />{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}</>}
    </div>
  );
}

/** What the fields of the form need: where they stand, what is there, and what is wrong with it. */
interface Form { doc: Doc; may: boolean; get: (pointer: string) => Json | undefined; put: (pointer: string, value: Json | undefined) => void; wrong: (pointer: string) => string | undefined; places: Places }

const steps = (pointer: string): string[] => pointer.split('/').slice(1).map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
const esc = (s: string): string => s.replaceAll('~', '~0').replaceAll('/', '~1');
function read(doc: Json | undefined, path: string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, key) => (at && typeof at === 'object' ? (at as Record<string, Json>)[key] : undefined), doc);
}
function written(doc: Json | undefined, path: string[], value: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  if (Array.isArray(doc)) {
    const out = [...doc];
    if (rest.length === 0 && value === undefined) out.splice(Number(key), 1);
    else out[Number(key)] = written(doc[Number(key)], rest, value);
    return out;
  }
  const out = { ...(doc && typeof doc === 'object' ? doc : {}) } as Record<string, Json>;
  if (rest.length === 0 && value === undefined) delete out[key];
  else out[key] = written(out[key], rest, value);
  return out;
}

function Form({ start, tag }: { start: Doc; tag: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('settings:write');
  const places = usePlaces();
  const { part = 'policy' } = route.useSearch();
  const navigate = route.useNavigate();
  const [doc, setDoc] = useState(start);
  // Texts that are no JSON yet, by pointer: nothing is published meanwhile.
  const [broken, setBroken] = useState<Record<string, string>>({});
  const save = useMutation({
    mutationFn: async () => {
      const { data, error, response } = await api.PUT('/api/v1/order-settings', { body: doc as never, headers: { 'if-match': tag } });
      if (!response.ok) throw problemOf(error, response.status);
      return { doc: data as Doc, tag: response.headers.get('etag') ?? tag };
    },
    onSuccess: (next) => {
      client.setQueryData(settingsQuery.queryKey, next);
      say(t('oset.saved'));
    },
    onError: (e) => {
      // The page goes to where the first fault stands.
      const at = e instanceof Problem ? PART_OF[e.errors[0]?.pointer.split('/')[1] ?? ''] : undefined;
      if (at) void navigate({ search: { part: at }, replace: true });
    },
  });
  const errors = save.error instanceof Problem ? save.error.errors : [];
  const form: Form = {
    doc, may, places,
    get: (p) => read(doc, steps(p)),
    put: (p, value) =>
      setDoc((old) => {
        const path = steps(p);
        // A day whose hours are taken away is not named any more; without any day the place has no hours of its own.
        if (!HOURS.test(p) || !Array.isArray(value) || value.length > 0) return written(old, path, value) as Doc;
        const next = written(old, path, undefined) as Doc;
        const days = read(next, path.slice(0, -1));
        return (days && Object.keys(days).length === 0 ? written(next, path.slice(0, -1), undefined) : next) as Doc;
      }),
    wrong: (p) => broken[p] ?? errors.filter((e) => e.pointer === p || (e.pointer.startsWith(`${p}/`) && LEAF.test(p))).map((e) => said(e.detail))[0],
  };
  const known = errors.filter((e) => PART_OF[e.pointer.split('/')[1] ?? '']);
  const count = (x: Part) => known.filter((e) => PART_OF[e.pointer.split('/')[1]!] === x).length;
  const changed = JSON.stringify(doc) !== JSON.stringify(start);
  const now: Part = PARTS.find((p) => p === part) ?? 'policy';
  return (
    <form className="col g16" noValidate onSubmit={(e) => { e.preventDefault(); if (changed && Object.keys(broken).length === 0) save.mutate(); }}>
      <PageHeader title={t('oset.title')} note={may ? t('oset.note') : t('locked.right')} actions={may ? <span className="row">{changed && <Button variant="subtle" onClick={() => { setDoc(start); setBroken({}); save.reset(); }}>{t('oset.drop')}</Button>}<Button type="submit" loading={save.isPending} disabled={!changed || Object.keys(broken).length > 0} data-testid="oset-save">{t('oset.save')}</Button></span> : undefined} />
      <OrderTabs at="settings" />
      <div className="row wrap-row" role="group" aria-label={t('oset.parts')}>
        {PARTS.map((p) => <Link key={p} to="/orders/settings" search={{ part: p }} className={`chip ${p === now ? 'on' : ''}`} aria-current={p === now ? 'true' : undefined} data-testid={`oset-${p}`}>{word('oset.part', p)}{count(p) > 0 && <span className="bad-text b"> · {f.number(count(p))}</span>}</Link>)}
      </div>
      {Boolean(save.error) && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      {now === 'policy' && <PolicyPart form={form} />}
      {now === 'delivery' && <DeliveryPart form={form} />}
      {now === 'places' && <PlacesPart form={form} />}
      {now === 'sourcing' && (
        <>
          <Panel title={t('oset.weights')}><div className="body fields">
            <Fields form={form} at="/sourcing" of={[['split_penalty_minor', 'money'], ['late_penalty_minor_per_day', 'money'], ['co2_minor_per_kg', 'money'], ['last_piece', 'bool']]} />
          </div></Panel>
          <JsonPart form={form} pointer="/sourcing/rules" broken={broken} setBroken={setBroken} example={'[{"id": "no-mugs-from-shops", "when": {"kinds": ["store"], "skus": ["KS-350-Z"]}, "then": {"do": "forbid"}}]'} />
        </>
      )}
      {now === 'calendar' && (
        <>
          <p className="m2"><Link to="/locations/alerts" search={{ part: 'calendar' }} className="inline-link" data-testid="oset-forms">{t('oset.asForms')}</Link></p>
          <JsonPart form={form} pointer="/switched_off" broken={broken} setBroken={setBroken} example={'[{"location": "Lviv-1", "from": "2026-11-22T08:00:00Z", "until": null, "why": "…"}]'} />
          <JsonPart form={form} pointer="/curfews" broken={broken} setBroken={setBroken} example={'[{"territory": "27", "from": "00:00", "until": "05:00"}]'} />
          <JsonPart form={form} pointer="/blackouts" broken={broken} setBroken={setBroken} example={'[{"queue": "3.2", "from": "2026-11-22T10:00:00Z", "until": "2026-11-22T14:00:00Z"}]'} />
          <JsonPart form={form} pointer="/closures" broken={broken} setBroken={setBroken} example={'[{"territory": "27", "from": "2026-11-22T10:00:00Z", "until": null}]'} />
        </>
      )}
    </form>
  );
}

/** Fields that hold a list: what is wrong with one of its values is told at the field. */
const LEAF = /\/(words|days|delivers|holidays|from_kinds|window|territories|rules|switched_off|curfews|blackouts|closures|work\/\d|counter\/\d)$/;
const HOURS = /^\/places\/[^/]+\/(work|counter)\/\d$/;
type Kind = 'text' | 'number' | 'money' | 'bool' | 'list' | 'days' | 'kinds' | 'span' | 'begin' | 'refunds' | 'method';

function Fields({ form, at, of }: { form: Form; at: string; of: [string, Kind][] }) {
  return <>{of.map(([name, kind]) => <Field key={name} form={form} pointer={`${at}/${name}`} name={name} kind={kind} />)}</>;
}

function Field({ form, pointer, name, kind, label }: { form: Form; pointer: string; name: string; kind: Kind; label?: string }) {
  const value = form.get(pointer);
  const props = { label: label ?? word('oset.f', name === 'days' && kind === 'number' ? 'travel_days' : name), error: form.wrong(pointer), disabled: !form.may, 'data-testid': `f${pointer.replaceAll('/', '-')}` };
  if (kind === 'bool') return <Switch {...props} checked={value === true} onChange={(e) => form.put(pointer, e.currentTarget.checked)} />;
  if (kind === 'number' || kind === 'money') return <Numeric {...props} money={kind === 'money'} value={typeof value === 'number' ? value : null} onChange={(n) => form.put(pointer, n ?? undefined)} />;
  if (kind === 'list' || kind === 'span') return <Listed {...props} value={Array.isArray(value) ? value.map(String) : []} onChange={(v) => form.put(pointer, v)} sep={kind === 'span' ? /\s*[–-]\s*/ : /\s*,\s*/} joint={kind === 'span' ? '–' : ', '} />;
  if (kind === 'days') return <Days label={props.label} error={props.error} disabled={props.disabled} value={Array.isArray(value) ? value.map(Number) : []} onChange={(v) => form.put(pointer, v)} testId={props['data-testid']} />;
  if (kind === 'kinds') return <Kinds {...props} value={Array.isArray(value) ? value.map(String) : []} onChange={(v) => form.put(pointer, v)} />;
  if (kind === 'begin' || kind === 'refunds' || kind === 'method') return <Select {...props} value={typeof value === 'string' ? value : null} allowDeselect={false} onChange={(v) => v && form.put(pointer, v)} data={CHOICES[kind].map((v) => ({ value: v, label: word(`oset.${kind}`, v) }))} />;
  return <TextInput {...props} value={typeof value === 'string' ? value : ''} onChange={(e) => form.put(pointer, e.currentTarget.value)} />;
}
const CHOICES = { begin: ['placed', 'covered'], refunds: ['prorate', 'recompute'], method: ['courier', 'branch', 'locker'] };

type Plain = { label: string; error?: string; disabled?: boolean; 'data-testid'?: string };
function Numeric({ value, onChange, money, ...p }: Plain & { value: number | null; onChange: (n: number | null) => void; money: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value === null ? '' : String(money ? value / 10 ** f.minorDigits() : value).replace('.', ','));
  const parse = (s: string) => { const n = Number(s.replace(/\s/g, '').replace(',', '.')); return s.trim() === '' ? null : Number.isFinite(n) ? (money ? Math.round(n * 10 ** f.minorDigits()) : n) : undefined; };
  const wrong = parse(text) === undefined ? t('oset.noNumber') : undefined;
  return <TextInput {...p} error={p.error ?? wrong} inputMode="decimal" value={text} rightSection={money ? <span className="m2">{f.currencySign()}</span> : undefined} onChange={(e) => { setText(e.currentTarget.value); const n = parse(e.currentTarget.value); if (n !== undefined) onChange(n); }} />;
}
function Listed({ value, onChange, sep, joint, ...p }: Plain & { value: string[]; onChange: (v: string[]) => void; sep: RegExp; joint: string }) {
  const [text, setText] = useState(value.join(joint));
  return <TextInput {...p} value={text} onChange={(e) => { setText(e.currentTarget.value); onChange(e.currentTarget.value.split(sep).map((s) => s.trim()).filter(Boolean)); }} />;
}
function Chips({ label, error, disabled, items, value, toggle, testId }: { label: string; error?: string; disabled?: boolean; items: { id: string; name: string }[]; value: (id: string) => boolean; toggle: (id: string) => void; testId?: string }) {
  return (
    <fieldset className="col g4" style={{ border: 0, padding: 0, margin: 0 }} disabled={disabled} data-testid={testId}>
      <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{label}</legend>
      <span className="row wrap-row g4">{items.map((d) => <button key={d.id} type="button" className={`chip ${value(d.id) ? 'on' : ''}`} aria-pressed={value(d.id)} onClick={() => toggle(d.id)}>{d.name}</button>)}</span>
      {error && <span className="error-text" role="alert">{error}</span>}
    </fieldset>
  );
}
const weekdays = () => [1, 2, 3, 4, 5, 6, 7].map((d) => ({ id: String(d), name: word('oset.day', String(d)) }));
const Days = (p: { label: string; error?: string; disabled?: boolean; value: number[]; onChange: (v: number[]) => void; testId?: string }) => <Chips label={p.label} error={p.error} disabled={p.disabled} testId={p.testId} items={weekdays()} value={(d) => p.value.includes(Number(d))} toggle={(d) => p.onChange((p.value.includes(Number(d)) ? p.value.filter((x) => x !== Number(d)) : [...p.value, Number(d)]).sort())} />;
const Kinds = ({ value, onChange, ...p }: Plain & { value: string[]; onChange: (v: string[]) => void }) => <Chips label={p.label} error={p.error} disabled={p.disabled} testId={p['data-testid']} items={KINDS.map((k) => ({ id: k, name: word('place.kind', k) }))} value={(k) => value.includes(k)} toggle={(k) => onChange(value.includes(k) ? value.filter((x) => x !== k) : [...value, k])} />;

function PolicyPart({ form }: { form: Form }) {
  const { t } = useTranslation();
  return (
    <div className="grid2 oset">
      <Panel title={t('oset.part.policy')}><div className="body fields"><Fields form={form} at="/policy" of={[['begin', 'begin'], ['hold_carts', 'bool'], ['test_payments', 'bool'], ['keep_hours', 'number'], ['try_on_hours', 'number'], ['answer_minutes', 'number'], ['confirm_above_minor', 'money'], ['prepay_after_unclaimed', 'number'], ['prepay_percent', 'number'], ['refunds', 'refunds']]} /></div></Panel>
      <Panel title={t('oset.reviews')}><div className="body fields"><Fields form={form} at="/reviews" of={[['publish_from', 'number'], ['negative_to', 'number']]} /></div></Panel>
      <Panel title={t('oset.transfers')}><div className="body fields"><Fields form={form} at="/transfers" of={[['enabled', 'bool'], ['from_kinds', 'kinds'], ['cut_off', 'text'], ['days', 'number']]} /></div></Panel>
    </div>
  );
}

/** A list of things of one kind, each with its fields. */
function Many({ form, pointer, title, fields, fresh, children }: { form: Form; pointer: string; title: string; fields: [string, Kind][]; fresh: Json; children?: (at: string) => ReactNode }) {
  const { t } = useTranslation();
  const items = form.get(pointer);
  const list = Array.isArray(items) ? (items as Doc[]) : [];
  return (
    <Panel title={title} count={f.number(list.length)} right={form.may ? <Button variant="subtle" leftSection={<IconPlus />} onClick={() => form.put(`${pointer}/${list.length}`, fresh)} data-testid={`add${pointer.replaceAll('/', '-')}`}>{t('oset.add')}</Button> : undefined}>
      {list.map((x, i) => (
        <div key={`${i}-${list.length}`} className="body oset-item" data-testid={`item${pointer.replaceAll('/', '-')}-${i}`}>
          <div className="row"><b className="sp el">{String(x.name || x.id || t('oset.newOne'))}</b>{form.may && <button type="button" className="mini" aria-label={t('oset.remove', { name: String(x.name || x.id || i + 1) })} onClick={() => form.put(`${pointer}/${i}`, undefined)}><IconX className="s" /></button>}</div>
          <div className="oset-fields"><Fields form={form} at={`${pointer}/${i}`} of={fields} /></div>
          {form.wrong(`${pointer}/${i}`) && <span className="error-text" role="alert">{form.wrong(`${pointer}/${i}`)}</span>}
          {children?.(`${pointer}/${i}`)}
        </div>
      ))}
      {list.length === 0 && <p className="body m2">{t('oset.noneYet')}</p>}
    </Panel>
  );
}

function DeliveryPart({ form }: { form: Form }) {
  const { t } = useTranslation();
  return (
    <>
      <Many form={form} pointer="/carriers" title={t('oset.carriers')} fresh={{ id: '', name: '', cut_off: '17:00', days: [1, 2, 3, 4, 5, 6], delivers: [1, 2, 3, 4, 5, 6], holidays: [], window: ['09:00', '20:00'], late_days: 1, own: false }} fields={[['id', 'text'], ['name', 'text'], ['cut_off', 'text'], ['window', 'span'], ['late_days', 'number'], ['own', 'bool'], ['holidays', 'list'], ['days', 'days'], ['delivers', 'days']]} />
      <Many form={form} pointer="/zones" title={t('oset.zones')} fresh={{ id: '', words: [] }} fields={[['id', 'text'], ['words', 'list']]} />
      <Many form={form} pointer="/methods" title={t('oset.methods')} fresh={{ id: '', name: '', kind: 'branch', carrier: '', from_kinds: ['warehouse', 'store'], rates: [{ zone: '*', price_minor: 0, days: 1 }] }} fields={[['id', 'text'], ['name', 'text'], ['kind', 'method'], ['carrier', 'text'], ['from_kinds', 'kinds']]}>
        {(at) => <Many form={form} pointer={`${at}/rates`} title={t('oset.rates')} fresh={{ zone: '*', price_minor: 0, days: 1 }} fields={[['zone', 'text'], ['price_minor', 'money'], ['free_from_minor', 'money'], ['days', 'number'], ['cost_minor', 'money'], ['cost_per_kg_minor', 'money'], ['co2_g', 'number']]} />}
      </Many>
    </>
  );
}

function PlacesPart({ form }: { form: Form }) {
  const { t } = useTranslation();
  const set = form.get('/places');
  const ids = set && typeof set === 'object' && !Array.isArray(set) ? Object.keys(set) : [];
  const [id, setId] = useState(ids[0] ?? form.places.own[0]?.id ?? '');
  const at = `/places/${esc(id)}`;
  return (
    <Panel title={t('oset.part.places')} count={f.number(ids.length)}>
      <div className="body col g16">
        <p className="m2">{t('oset.placesText')}</p>
        <PlaceSelect label={t('stock.place')} value={id} onChange={setId} places={form.places} width={320} testId="oset-place" />
        {id && (
          <div key={id} className="col g16">
            <div className="oset-fields"><Fields form={form} at={at} of={[['prepare_minutes', 'number'], ['per_hour', 'number'], ['per_day', 'number'], ['handling_minor', 'money'], ['last_piece_minor', 'money'], ['queue', 'text'], ['territories', 'list'], ['own_power', 'bool'], ['works_in_alerts', 'bool']]} /></div>
            {(['work', 'counter'] as const).map((which) => (
              <fieldset key={which} className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
                <legend className="b" style={{ padding: 0, marginBottom: 4 }}>{word('oset.hours', which)}</legend>
                <div className="oset-days">{weekdays().map((d) => <Field key={d.id} form={form} pointer={`${at}/${which}/${d.id}`} name={which} kind="list" label={d.name} />)}</div>
              </fieldset>
            ))}
            <p className="t12 m2">{t('oset.hoursHelp')}</p>
          </div>
        )}
      </div>
    </Panel>
  );
}

/** Parts that are edited as text: checked here for being JSON, by the server for their meaning. */
function JsonPart({ form, pointer, broken, setBroken, example }: { form: Form; pointer: string; broken: Record<string, string>; setBroken: (b: Record<string, string>) => void; example: string }) {
  const { t } = useTranslation();
  const name = pointer.split('/').at(-1)!;
  const [text, setText] = useState(() => JSON.stringify(form.get(pointer) ?? [], null, 2));
  const change = (next: string) => {
    setText(next);
    const rest = { ...broken };
    delete rest[pointer];
    try {
      const value = JSON.parse(next) as Json;
      if (!Array.isArray(value)) throw new Error(t('oset.noList'));
      form.put(pointer, value);
      setBroken(rest);
    } catch (e) {
      setBroken({ ...rest, [pointer]: t('oset.noJson', { why: e instanceof Error ? e.message : '' }) });
    }
  };
  return (
    <Panel title={word('oset.f', name)}>
      <div className="body col g8">
        <p className="m2">{word('oset.help', name)}</p>
        <Textarea aria-label={word('oset.f', name)} autosize minRows={4} maxRows={20} spellCheck={false} value={text} disabled={!form.may} error={form.wrong(pointer)} onChange={(e) => change(e.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} data-testid={`json-${name}`} />
        <p className="t12 m2 wrap">{t('oset.example')} <code className="mono">{example}</code></p>
      </div>
    </Panel>
  );
}
