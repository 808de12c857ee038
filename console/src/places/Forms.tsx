// What people enter by hand about places that stand still: a switch, a power cut, a curfew, a closure, a place's territories, the feed and its key.
import { PasswordInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { word } from '../orders/parts';
import type { Doc } from '../orders/query';
import { useMe } from '../session/session';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf } from '../stock/forms';
import { type Places, PlaceSelect } from '../stock/parts';
import { ErrorNote } from '../ui/base';
import { say, sayError } from '../ui/toast';
import { alertsQuery, type Entry, entriesOf, feedOf, type List, placeOf, useChange, withEntry, withoutEntry } from './query';
import { fieldOf, momentOf } from './time';

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const KEY = { switched_off: 'location', blackouts: 'queue', closures: 'territory', curfews: 'territory' } as const;

/** A new entry of one of the lists. What is wrong is told at its field, before it is sent and when it was refused. */
export function EntryForm({ list, doc, places, at = '', close }: { list: List; doc: Doc; places: Places; at?: string; close: () => void }) {
  const { t } = useTranslation();
  const zone = useMe().shop.time_zone;
  const daily = list === 'curfews';
  const key = KEY[list];
  const [subject, setSubject] = useState(at);
  const [from, setFrom] = useState(daily ? '00:00' : fieldOf(Date.now(), zone));
  const [until, setUntil] = useState(daily ? '05:00' : '');
  const [why, setWhy] = useState('');
  const [tried, setTried] = useState(false);
  const change = useChange();
  const begin = daily ? (CLOCK.test(from) ? from : null) : momentOf(from, zone);
  const end = until.trim() === '' ? '' : daily ? (CLOCK.test(until) ? until : null) : momentOf(until, zone);
  const needsEnd = list === 'blackouts' || daily;
  const own = {
    subject: subject.trim() ? undefined : t(`still.need.${key}`),
    from: begin === null ? t('still.need.from') : undefined,
    until: end === null || (needsEnd && end === '') ? t('still.need.until') : !daily && begin && end && end <= begin ? t('still.need.later') : undefined,
    why: list === 'switched_off' && !why.trim() ? t('still.need.why') : undefined,
  };
  const wrong = Object.values(own).some(Boolean);
  const entry: Entry = { [key]: subject.trim(), from: begin ?? '', ...(end ? { until: end } : {}), ...(list === 'switched_off' ? { why: why.trim() } : {}) };
  const submit = () => {
    setTried(true);
    if (!wrong) change.mutate(withEntry(list, entry), { onSuccess: () => { say(t(`still.added.${list}`, { name: key === 'location' ? places.name(subject) : subject }), () => change.mutate(withoutEntry(list, entry), { onError: sayError })); close(); } });
  };
  const faults = faultsOf(change.error, places.name);
  const n = entriesOf(doc, list).length;
  const at_ = (field: string) => faults.at(`/${list}/${n}/${field}`);
  const refused = { subject: at_(key), from: at_('from'), until: at_('until'), why: at_('why') };
  const told = (field: keyof typeof own) => (tried ? own[field] : undefined) ?? refused[field];
  const type = daily ? 'time' : 'datetime-local';
  return (
    <Dialog title={t(`still.add.${list}`)} close={close} submit={submit}>
      <p className="m2">{t(`still.help.${list}`)}</p>
      {key === 'location' ? <PlaceSelect label={t('stock.place')} value={subject} onChange={setSubject} places={places} error={told('subject')} testId="still-subject" />
        : <TextInput label={t(`still.f.${key}`)} description={t(`still.f.${key}Help`)} inputWrapperOrder={['label', 'input', 'description', 'error']} value={subject} error={told('subject')} onChange={(e) => setSubject(e.currentTarget.value)} data-testid="still-subject" data-autofocus />}
      {list === 'switched_off' && <TextInput label={t('stock.reason')} placeholder={t('still.whyExample')} value={why} error={told('why')} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="still-why" />}
      <div className="grid2">
        <TextInput type={type} label={t('still.f.from')} value={from} error={told('from')} onChange={(e) => setFrom(e.currentTarget.value)} data-testid="still-from" />
        <TextInput type={type} label={t('still.f.until')} description={needsEnd ? undefined : t('still.f.untilHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={until} error={told('until')} onChange={(e) => setUntil(e.currentTarget.value)} data-testid="still-until" />
      </div>
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t(`still.do.${list}`)} busy={change.isPending} close={close} testId="still-do" />
    </Dialog>
  );
}

const numbers = ['every_seconds', 'stale_minutes', 'usual_minutes', 'resume_minutes'] as const;
const USUAL: Record<(typeof numbers)[number], [start: number, least: number, most: number]> = { every_seconds: [30, 10, 600], stale_minutes: [20, 3, 720], usual_minutes: [60, 5, 720], resume_minutes: [5, 0, 120] };

/** Which feed is believed, how often it is asked, and what is assumed of an alert. */
export function FeedForm({ doc, close }: { doc: Doc; close: () => void }) {
  const { t } = useTranslation();
  const old = feedOf(doc);
  const [feed, setFeed] = useState(String(old.feed ?? 'off'));
  const [address, setAddress] = useState(String(old.address ?? ''));
  const [n, setN] = useState(() => Object.fromEntries(numbers.map((k) => [k, String(old[k] ?? USUAL[k][0])])) as Record<(typeof numbers)[number], string>);
  const change = useChange();
  const wrong = (k: (typeof numbers)[number]) => { const v = n[k].trim() === '' ? NaN : Number(n[k]); return Number.isInteger(v) && v >= USUAL[k][1] && v <= USUAL[k][2] ? undefined : t('still.range', { from: USUAL[k][1], to: USUAL[k][2] }); };
  const bad = feed !== 'off' && numbers.some(wrong);
  const faults = faultsOf(change.error, (x) => x);
  const at = Object.fromEntries(['feed', 'address', ...numbers].map((k) => [k, faults.at(`/alerts/${k}`)]));
  const submit = () => !bad && change.mutate((now) => ({ ...now, alerts: { ...feedOf(now), feed, address: address.trim(), ...Object.fromEntries(numbers.filter((k) => !wrong(k)).map((k) => [k, Number(n[k])])) } }), { onSuccess: () => { say(t('still.feedSaved')); close(); } });
  return (
    <Dialog title={t('still.feedChange')} close={close} submit={submit}>
      <p className="m2">{t('still.feedText')}</p>
      <Select label={t('still.feed')} value={feed} allowDeselect={false} error={at.feed} onChange={(v) => v && setFeed(v)} data={['off', 'alerts_in_ua', 'ukraine_alarm'].map((v) => ({ value: v, label: word('still.feed', v) }))} data-testid="feed-which" />
      {feed !== 'off' && (
        <>
          <TextInput label={t('still.f.address')} description={t('still.f.addressHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={address} error={at.address} onChange={(e) => setAddress(e.currentTarget.value)} data-testid="feed-address" />
          <div className="grid2">{numbers.map((k) => <TextInput key={k} inputMode="numeric" label={t(`still.f.${k}`)} value={n[k]} error={wrong(k) ?? at[k]} onChange={(e) => { const v = e.currentTarget.value; setN((all) => ({ ...all, [k]: v })); }} data-testid={`feed-${k}`} />)}</div>
        </>
      )}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={change.isPending} disabled={bad} close={close} testId="feed-do" />
    </Dialog>
  );
}

/** The key of the feed's service: it is set or taken away, and never shown. */
export function KeyForm({ has, close }: { has: boolean; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [key, setKey] = useState('');
  const put = useMutation({
    mutationFn: (value: string) => must(api.PUT('/api/v1/alerts/key', { body: { key: value } })),
    onSuccess: (after) => { void client.invalidateQueries({ queryKey: alertsQuery.queryKey }); say(after.has_key ? t('still.keySaved') : t('still.keyGone')); close(); },
  });
  const blank = /\s/.test(key.trim());
  const faults = faultsOf(put.error, (x) => x);
  const error = blank ? t('still.keyBlank') : faults.at('/key');
  return (
    <Dialog title={has ? t('still.keyChange') : t('still.keySet')} close={close} submit={() => key.trim() && !blank && put.mutate(key.trim())}>
      <p className="m2">{t('still.keyText')}</p>
      <PasswordInput label={t('still.key')} autoComplete="off" value={key} error={error} onChange={(e) => setKey(e.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': t('still.keyShow') }} data-testid="feed-key" data-autofocus />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      {has && <p><button type="button" className="textlink" disabled={put.isPending} onClick={() => put.mutate('')} data-testid="feed-key-gone">{t('still.keyRemove')}</button></p>}
      <Acts label={t('save')} busy={put.isPending} disabled={!key.trim() || blank} close={close} testId="feed-key-do" />
    </Dialog>
  );
}

/** Where a place lies, for alerts and power cuts. */
export function TerritoryForm({ id, doc, places, close }: { id: string; doc: Doc; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const old = placeOf(doc, id);
  const [territories, setTerritories] = useState(Array.isArray(old.territories) ? old.territories.join(', ') : '');
  const [queue, setQueue] = useState(String(old.queue ?? ''));
  const [power, setPower] = useState(old.own_power === true);
  const [works, setWorks] = useState(old.works_in_alerts === true);
  const change = useChange();
  const faults = faultsOf(change.error, places.name);
  const pointer = `/places/${id.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const at = { territories: faults.at(`${pointer}/territories`, `${pointer}/territories/0`), queue: faults.at(`${pointer}/queue`) };
  const list = territories.split(/[\s,;]+/).filter(Boolean);
  const submit = () => change.mutate((now) => ({ ...now, places: { ...(now.places as Doc), [id]: { ...placeOf(now, id), territories: list, queue: queue.trim() || null, own_power: power, works_in_alerts: works } } }), { onSuccess: () => { say(t('still.placeSaved', { name: places.name(id) })); close(); } });
  return (
    <Dialog title={t('still.placeTitle', { name: places.name(id) })} close={close} submit={submit}>
      <TextInput label={t('oset.f.territories')} description={t('still.f.territoryHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={territories} error={at.territories} onChange={(e) => setTerritories(e.currentTarget.value)} data-testid="place-territories" data-autofocus />
      <TextInput label={t('oset.f.queue')} description={t('still.f.queueHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={queue} error={at.queue} onChange={(e) => setQueue(e.currentTarget.value)} data-testid="place-queue" />
      <Switch label={t('oset.f.own_power')} checked={power} onChange={(e) => setPower(e.currentTarget.checked)} />
      <Switch label={t('oset.f.works_in_alerts')} checked={works} onChange={(e) => setWorks(e.currentTarget.checked)} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={change.isPending} close={close} testId="territory-do" />
    </Dialog>
  );
}
