// One rule of law as a form: fields of its kind, what is wrong at its field, and what it changes from which day on.
import { Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf } from '../stock/forms';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { changesOf, type Dated, datedOf, type Draft, draftOf, faultsIn, FIELDS, KINDS, type Kind, type Law, POINTERS } from './law';
import { dayText, Preview, usePublish } from './LawPage';

interface Props { country: string; law: Law; version: number; kind: Kind; /** The rule that is corrected, or from which a new one is made. */ of?: Dated; /** Its place, if it is corrected. */ at?: number; choose?: (k: Kind) => void; close: () => void }

export function RuleForm({ country, law, version, kind, of, at, choose, close }: Props) {
  const { t } = useTranslation();
  const today = f.dayKey(Date.now());
  // A new rule that takes the place of one that holds begins later than that.
  const [draft, setDraft] = useState<Draft>(() => ({ ...draftOf(of, kind), ...(at === undefined ? { from: '', until: '', source: '' } : {}) }) as Draft);
  const [left, setLeft] = useState<Record<string, true>>({});
  const [tried, setTried] = useState(false);
  const publish = usePublish(country, law, version);
  const d: Draft = draft.kind === kind ? draft : ({ ...draftOf(undefined, kind), from: draft.from, until: draft.until, source: draft.source } as Draft);
  const set = (field: string, value: string) => setDraft({ ...d, [field]: value } as Draft);
  const own = faultsIn(d);
  const ok = Object.keys(own).length === 0;
  const after = ok ? law.rules.slice() : null;
  if (after) { if (at === undefined) after.push(datedOf(d)); else after[at] = datedOf(d); }
  const standard = ok && kind === 'tax' && !law.standard ? d.class!.trim() : law.standard;
  const changes = after ? changesOf(law.rules, after, today) : [];
  const place = at ?? law.rules.length;
  const faults = faultsOf(publish.error, (x) => x);
  const refused = (field: string) => faults.at(...(field === 'from' || field === 'until' || field === 'source' ? [`/document/rules/${place}/${field}`] : (POINTERS[field] ?? [field]).map((p) => `/document/rules/${place}/rule${p ? `/${p}` : ''}`)));
  const wrong: Record<string, string | undefined> = Object.fromEntries([...FIELDS[kind], 'from', 'until', 'source'].map((k) => [k, (tried || left[k]) && own[k] ? t(own[k].key, { from: own[k].from, to: own[k].to }) : refused(k)]));
  const props = (k: string) => ({ value: d[k] ?? '', error: wrong[k], /* What appears under a field would move the button away from under the pointer. */ onBlur: (e: React.FocusEvent) => (e.relatedTarget as HTMLElement | null)?.getAttribute('type') !== 'submit' && setLeft((old) => ({ ...old, [k]: true as const })), 'data-testid': `law-f-${k}` });
  const field = (k: string, more: object = {}) => <TextInput key={k} label={t(`law.f.${k}`, { sign: f.currencySign() })} {...props(k)} onChange={(e) => set(k, e.currentTarget.value)} {...more} />;
  const help = (k: string) => ({ description: t(`law.help.${k}`), inputWrapperOrder: ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[] });
  const submit = () => {
    setTried(true);
    if (after) publish.mutate({ ...law, standard, rules: after }, { onSuccess: close });
  };
  const fields: Record<Kind, React.ReactNode> = {
    tax: <><div className="grid2">{field('class', { 'data-autofocus': true, ...help('class') })}{field('letter')}</div><div className="grid2">{field('vat_percent', { inputMode: 'decimal', rightSection: <span className="m2">%</span> })}{field('excise_percent', { inputMode: 'decimal', rightSection: <span className="m2">%</span> })}</div></>,
    cash: <div className="grid2">{field('step', { inputMode: 'decimal', 'data-autofocus': true })}{field('up_from', { inputMode: 'decimal' })}</div>,
    earlier_price: <div className="grid2"><Select label={t('law.f.as')} allowDeselect={false} value={d.as ?? 'previous'} onChange={(v) => v && set('as', v)} data={['previous', 'lowest'].map((v) => ({ value: v, label: t(`law.as.${v}`) }))} data-testid="law-f-as" />{d.as === 'lowest' && field('days', { inputMode: 'numeric', label: t('law.f.lowestDays') })}</div>,
    age: <>{field('goods', help('goods'))}{field('years', { inputMode: 'numeric', w: 160 })}</>,
    stamp: field('goods', help('goods')),
    receipts: field('kept_days', { inputMode: 'numeric', w: 200 }),
    returns: <><div className="grid2">{field('days', { inputMode: 'numeric' })}{field('fault_days', { inputMode: 'numeric' })}</div><Textarea label={t('law.f.except')} {...help('except')} autosize minRows={3} maxRows={10} {...props('except')} onChange={(e) => set('except', e.currentTarget.value)} /></>,
  };
  const next = changes.find((c) => !c.back);
  return (
    <Dialog title={at === undefined ? t('law.addTitle', { country }) : t('law.editTitle', { country })} size={600} close={close} submit={submit}>
      {choose ? <Select label={t('law.what')} allowDeselect={false} value={kind} onChange={(v) => v && choose(v as Kind)} data={KINDS.map((k) => ({ value: k, label: t(`law.kind.${k}`) }))} data-testid="law-f-kind" /> : <p className="b">{t(`law.kind.${kind}`)}</p>}
      {at !== undefined && of && of.from <= today && <p className="warn-text t12">{t('law.editWarn')}</p>}
      {fields[kind]}
      <div className="grid2">
        <TextInput type="date" label={t('law.f.from')} {...props('from')} onChange={(e) => set('from', e.currentTarget.value)} />
        <TextInput type="date" label={t('law.f.untilDay')} {...help('until')} {...props('until')} onChange={(e) => set('until', e.currentTarget.value)} />
      </div>
      <Textarea label={t('law.f.source')} {...help('source')} autosize minRows={2} maxRows={5} {...props('source')} onChange={(e) => set('source', e.currentTarget.value)} />
      <Preview of={changes} before={ok ? t('law.onlyWords') : t('law.fillFirst')} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={next ? t('law.publishFrom', { day: dayText(next.from) }) : t('law.publish')} busy={publish.isPending} close={close} testId="law-do" />
    </Dialog>
  );
}
