import { ActionIcon, Button, NumberInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { identifierName } from '../customers/timeline';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { ErrorNote, Panel } from '../ui/base';
import * as f from '../ui/format';
import { IconPlus, IconX } from '../ui/icons';
import { say, sayError } from '../ui/toast';
import { type Rules, type RulesInput, rulesQuery } from './query';

const FORMS = ['exact', 'lower', 'compact', 'email', 'phone'] as const;
const inputOf = (r: Rules): RulesInput => ({ kinds: r.kinds, hubs: r.hubs, stitch: r.stitch });

export function RulesForm() {
  const { t } = useTranslation();
  const rules = useQuery(rulesQuery);
  return (
    <Panel title={t('identity.tab.rules')} query={rules} skeleton={6} right={rules.data?.changed_at && <span className="t12 m">{t('idrules.changed', { who: rules.data.changed_by ?? '', when: f.ago(rules.data.changed_at) })}</span>}>
      {(r) => <Form key={r.version} rules={r} />}
    </Panel>
  );
}

function Form({ rules }: { rules: Rules }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('identity:write');
  const [draft, setDraft] = useState<RulesInput>(inputOf(rules));
  const [fresh, setFresh] = useState('');
  const changed = JSON.stringify(draft) !== JSON.stringify(inputOf(rules));
  const preview = useMutation({ mutationFn: (d: RulesInput) => must(api.POST('/api/v1/identity/rules/preview', { body: d })) });
  const save = useMutation({
    mutationFn: (d: RulesInput) => must(api.PUT('/api/v1/identity/rules', { body: d })),
    onSuccess: (after) => {
      const before = inputOf(rules);
      client.setQueryData(['identity-rules'], after);
      void client.invalidateQueries({ queryKey: ['home'] });
      say(t('idrules.saved'), () => void must(api.PUT('/api/v1/identity/rules', { body: before })).then((r) => client.setQueryData(['identity-rules'], r), sayError));
    },
  });
  const change = (next: RulesInput) => {
    setDraft(next);
    preview.reset();
  };
  type Kind = RulesInput['kinds'][number];
  const setKind = (i: number, k: Partial<Kind>) => change({ ...draft, kinds: draft.kinds.map((x, j) => (j === i ? { ...x, ...k } : x)) });
  const setLimit = (i: number, n: number, l: Partial<Kind['limits'][number]> | null) =>
    setKind(i, { limits: l ? draft.kinds[i]!.limits.map((x, j) => (j === n ? { ...x, ...l } : x)) : draft.kinds[i]!.limits.filter((_, j) => j !== n) });
  const whole = (label: string, value: number, set: (n: number) => void, min = 0, hidden = false, w = 92): ReactNode => (
    <NumberInput hideControls disabled={!may} w={hidden ? w : undefined} min={min} max={100_000} allowDecimal={false} allowNegative={false} value={value} onChange={(v) => typeof v === 'number' && set(v)} {...(hidden ? { 'aria-label': label } : { label })} />
  );
  const kindName = (k: string) => (k === '*' ? t('idrules.others') : identifierName(k));
  const p = preview.data;
  return (
    <form
      className="body col g16"
      onSubmit={(e) => {
        e.preventDefault();
        if (changed) save.mutate(draft);
      }}
    >
      {!rules.applied && <div className="notice warn" role="status">{t('idrules.pending')}</div>}
      <p className="m2">{t('idrules.lead')}</p>
      <ul className="line-list">
        {draft.kinds.map((k, i) => (
          <li key={k.kind} className="row g12 wrap-row" style={{ padding: '8px 0' }} data-testid={`rule-${k.kind}`}>
            <span className="b" style={{ width: 132 }}>{kindName(k.kind)}</span>
            <span className="row g4"><span className="t12 m">{t('idrules.priority')}</span>{whole(`${kindName(k.kind)}: ${t('idrules.priority')}`, k.priority, (n) => setKind(i, { priority: n }), 1, true, 64)}</span>
            <Select aria-label={`${kindName(k.kind)}: ${t('idrules.form')}`} disabled={!may} w={170} value={k.form} data={FORMS.map((x) => ({ value: x, label: { exact: t('idrules.form.exact'), lower: t('idrules.form.lower'), compact: t('idrules.form.compact'), email: t('idrules.form.email'), phone: t('idrules.form.phone') }[x] }))} onChange={(v) => v && setKind(i, { form: v as Kind['form'] })} />
            <div className="limits sp">
              {k.limits.map((l, n) => (
                <span key={n} className="row g4">
                  <span className="t12 m">{t('idrules.atMost')}</span>
                  {whole(`${kindName(k.kind)}: ${t('idrules.atMost')}`, l.count, (v) => setLimit(i, n, { count: v }), 1, true, 64)}
                  <Select aria-label={`${kindName(k.kind)}: ${t('idrules.window')}`} disabled={!may} w={140} value={String(l.window_days ?? 0)} data={[...new Set([0, 1, 7, 30, 90, 365, l.window_days ?? 0])].map((d) => ({ value: String(d), label: d ? t('idrules.inDays', { count: d, n: f.number(d) }) : t('idrules.ever') }))} onChange={(v) => v && setLimit(i, n, { window_days: Number(v) || null })} />
                  {may && <ActionIcon className="small" aria-label={t('idrules.dropLimit', { kind: kindName(k.kind) })} onClick={() => setLimit(i, n, null)}><IconX className="s" /></ActionIcon>}
                </span>
              ))}
              {may && <button type="button" className="chip" onClick={() => setKind(i, { limits: [...k.limits, { count: 5, window_days: 365 }] })}><IconPlus className="s" />{t('idrules.limit')}<span className="hidden-text"> {kindName(k.kind)}</span></button>}
            </div>
            {may && !rules.kinds.some((x) => x.kind === k.kind) && <button type="button" className="textlink" onClick={() => change({ ...draft, kinds: draft.kinds.filter((_, j) => j !== i) })}>{t('rule.remove')}</button>}
          </li>
        ))}
      </ul>
      {may && (
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('idrules.newKind')} placeholder="card" value={fresh} onChange={(e) => setFresh(e.currentTarget.value)} w={220} />
          <Button variant="default" disabled={!/^[a-z][a-z0-9_]*$/.test(fresh) || draft.kinds.some((k) => k.kind === fresh)} onClick={() => { change({ ...draft, kinds: [...draft.kinds, { kind: fresh, priority: 10, limits: [{ count: 5, window_days: 365 }], form: 'exact' }] }); setFresh(''); }}>{t('idrules.addKind')}</Button>
        </div>
      )}
      <div className="grid2" style={{ maxWidth: 720 }}>
        {whole(t('idrules.suspectAt'), draft.hubs.suspect_at, (n) => change({ ...draft, hubs: { ...draft.hubs, suspect_at: n } }), 2)}
        {whole(t('idrules.demoteAt'), draft.hubs.demote_at, (n) => change({ ...draft, hubs: { ...draft.hubs, demote_at: n } }))}
        {whole(t('idrules.hubWindow'), draft.hubs.window_days, (n) => change({ ...draft, hubs: { ...draft.hubs, window_days: n } }), 1)}
        {whole(t('idrules.knownWithin'), draft.stitch.known_within_days, (n) => change({ ...draft, stitch: { ...draft.stitch, known_within_days: n } }), 1)}
        <NumberInput hideControls disabled={!may} label={t('idrules.alarm')} min={0} max={100} value={draft.stitch.alarm_factor} onChange={(v) => typeof v === 'number' && change({ ...draft, stitch: { ...draft.stitch, alarm_factor: v } })} />
      </div>
      <div aria-live="polite">
        {p && (
          <dl className="kv" style={{ maxWidth: 480 }} data-testid="rules-preview">
            <dt>{t('idrules.people')}</dt><dd>{f.number(p.people)}</dd>
            <dt>{t('idrules.apart')}</dt><dd>{f.number(p.people_apart)}</dd>
            <dt>{t('idrules.joined')}</dt><dd>{f.number(p.people_joined)}</dd>
            <dt>{t('idrules.events')}</dt><dd>{f.number(p.events_moved)}</dd>
            <dt>{t('idrules.values')}</dt><dd>{f.number(p.values_moved)}</dd>
          </dl>
        )}
      </div>
      {(preview.error || save.error) && <ErrorNote error={preview.error ?? save.error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <ActButton right="identity:write" variant="default" disabled={!changed} loading={preview.isPending} onClick={() => preview.mutate(draft)} data-testid="rules-count">{t('idrules.count')}</ActButton>
        <ActButton right="identity:write" type="submit" variant="filled" disabled={!changed} loading={save.isPending} data-testid="rules-save">{t('idrules.save')}</ActButton>
        {changed && <Button variant="subtle" onClick={() => change(inputOf(rules))}>{t('idrules.reset')}</Button>}
      </div>
    </form>
  );
}
