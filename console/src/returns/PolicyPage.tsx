// Decision served: what do we promise about returns, beyond what the law asks?
import { Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { faultsOf } from '../stock/forms';
import { ErrorNote, PageHeader, Panel, Skeleton } from '../ui/base';
import { IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { AfterTabs } from './parts';
import { type Policy, policyQuery } from './query';

const NUMBERS = ['days', 'fault_days', 'answer_days', 'bring_days', 'check_in_days', 'warranty_months'] as const;
const TEXTS = ['class_attribute', 'size_attribute', 'warranty_attribute'] as const;

export default function PolicyPage() {
  const { t } = useTranslation();
  useTitle(t('after.tab.policy'));
  const query = useQuery(policyQuery);
  return (
    <div className="page">
      <PageHeader title={t('nav.returns')} note={t('after.note.policy')} />
      <AfterTabs at="policy" />
      {query.data ? <Form key={JSON.stringify(query.data)} of={query.data} /> : query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}
    </div>
  );
}

function Form({ of }: { of: Policy }) {
  const { t } = useTranslation();
  const may = useMay('settings:write');
  const client = useQueryClient();
  const [p, set] = useState(() => ({ ...of, numbers: Object.fromEntries(NUMBERS.map((k) => [k, String(of[k])])) as Record<(typeof NUMBERS)[number], string>, classes: Object.entries(of.class_of_category) }));
  const change = (part: Partial<typeof p>) => set((old) => ({ ...old, ...part }));
  const whole = (text: string) => (/^\d{1,5}$/.test(text.trim()) ? Number(text) : null);
  const bad = NUMBERS.some((k) => whole(p.numbers[k]) === null);
  const save = useMutation({
    mutationFn: () => {
      const { numbers, classes, ...rest } = p;
      const body: Policy = { ...rest, ...(Object.fromEntries(NUMBERS.map((k) => [k, whole(numbers[k]) ?? 0])) as Record<(typeof NUMBERS)[number], number>), class_of_category: Object.fromEntries(classes.filter(([k, v]) => k.trim() && v.trim()).map(([k, v]) => [k.trim(), v.trim()])) };
      return must(api.PUT('/api/v1/returns/policy', { body }));
    },
    onSuccess: (after) => { client.setQueryData(policyQuery.queryKey, after); say(t('policy.saved')); },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = Object.fromEntries([...NUMBERS, ...TEXTS, 'shipping', 'class_of_category'].map((k) => [k, faults.at(`/${k}`)]));
  const submit = (e: FormEvent) => { e.preventDefault(); if (!bad) save.mutate(); };
  const number = (k: (typeof NUMBERS)[number]) => <TextInput key={k} label={t(`policy.${k}`)} description={t(`policy.${k}Help`)} inputWrapperOrder={['label', 'input', 'description', 'error']} inputMode="numeric" disabled={!may} value={p.numbers[k]} error={at[k] ?? (whole(p.numbers[k]) === null ? t('policy.noNumber') : undefined)} onChange={(e) => change({ numbers: { ...p.numbers, [k]: e.currentTarget.value } })} data-testid={`policy-${k}`} />;
  return (
    <form className="col g16" style={{ maxWidth: 720 }} onSubmit={submit} noValidate>
      <Panel title={t('policy.promise')} right={<Link to="/entities/law" search={{}} className="t12">{t('policy.law')}</Link>}>
        <div className="body col g16">
          <div className="grid2">{NUMBERS.slice(0, 2).map(number)}</div>
          <Select label={t('policy.shipping')} allowDeselect={false} disabled={!may} value={p.shipping} error={at.shipping} onChange={(v) => v && change({ shipping: v })} data={['never', 'our_fault', 'all_back'].map((v) => ({ value: v, label: t(`policy.shipping.${v}`) }))} data-testid="policy-shipping" />
          <Switch label={t('policy.without_order')} checked={p.without_order} disabled={!may} onChange={(e) => change({ without_order: e.currentTarget.checked })} data-testid="policy-without" />
        </div>
      </Panel>
      <Panel title={t('policy.work')}>
        <div className="body col g16">
          <Switch label={t('policy.approve_by_rule')} checked={p.approve_by_rule} disabled={!may} onChange={(e) => change({ approve_by_rule: e.currentTarget.checked })} />
          <div className="grid2">{NUMBERS.slice(2).map(number)}</div>
        </div>
      </Panel>
      <Panel title={t('policy.attributes')}>
        <div className="body col g16">
          <div className="grid2">{TEXTS.map((k) => <TextInput key={k} label={t(`policy.${k}`)} disabled={!may} value={p[k]} error={at[k]} onChange={(e) => change({ [k]: e.currentTarget.value })} />)}</div>
          <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
            <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('policy.classes')}</legend>
            {p.classes.map(([k, v], i) => (
              <div key={i} className="row g8">
                <TextInput aria-label={t('policy.category')} placeholder={t('policy.category')} value={k} disabled={!may} className="sp" onChange={(e) => change({ classes: p.classes.map((c, j) => (i === j ? [e.currentTarget.value, c[1]] : c)) })} />
                <TextInput aria-label={t('policy.class')} placeholder={t('policy.class')} value={v} disabled={!may} className="sp" onChange={(e) => change({ classes: p.classes.map((c, j) => (i === j ? [c[0], e.currentTarget.value] : c)) })} />
                {may && <button type="button" className="mini" aria-label={t('policy.dropClass', { name: k })} onClick={() => change({ classes: p.classes.filter((_, j) => j !== i) })}><IconX className="s" /></button>}
              </div>
            ))}
            {at.class_of_category && <span className="error-text" role="alert">{at.class_of_category}</span>}
            {may && <div><button type="button" className="textlink" onClick={() => change({ classes: [...p.classes, ['', '']] })}>{t('policy.addClass')}</button></div>}
          </fieldset>
        </div>
      </Panel>
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <div className="form-actions"><ActButton right="settings:write" type="submit" loading={save.isPending} disabled={bad} data-testid="policy-save">{t('policy.save')}</ActButton></div>
    </form>
  );
}
