import { Button, Modal, MultiSelect, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { segmentsQuery } from '../segments/query';
import { Badge, CopyButton, ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { type DeliveryState, typesQuery, type Webhook } from './query';
import { VERIFY } from './snippets';

export function StateBadge({ webhook: w }: { webhook: Webhook }) {
  const { t } = useTranslation();
  if (w.state === 'disabled') return <Badge tone="bad">{t('webhook.disabled')}</Badge>;
  if (w.state === 'paused') return <Badge>{t('webhook.paused')}</Badge>;
  if (w.failures > 0) return <Badge tone="warn">{t('webhook.failing')}</Badge>;
  return <Badge tone="good">{t('webhook.active')}</Badge>;
}

export function useStateName(): (s: DeliveryState) => string {
  const { t } = useTranslation();
  return (s) => ({ pending: t('delivery.pending'), delivering: t('delivery.delivering'), failed: t('delivery.failed'), delivered: t('delivery.delivered'), dead: t('delivery.dead') })[s];
}

export function DeliveryBadge({ state }: { state: DeliveryState }) {
  const name = useStateName();
  const tone = ({ pending: undefined, delivering: 'info', failed: 'warn', delivered: 'good', dead: 'bad' } as const)[state];
  return <Badge tone={tone}>{name(state)}</Badge>;
}

/** The newest deliveries as strokes, oldest at the left: a short one did not arrive. Told in words too. */
export function Spark({ lately }: { lately: boolean[] }) {
  const { t } = useTranslation();
  if (!lately.length) return <span className="m">{t('webhook.nothingYet')}</span>;
  const arrived = lately.filter(Boolean).length;
  const strokes = [...lately].reverse();
  return (
    <svg width={strokes.length * 4} height={16} role="img" aria-label={t('webhook.lately', { n: f.number(arrived), all: f.number(lately.length) })}>
      {strokes.map((ok, i) => <rect key={i} x={i * 4} y={ok ? 1 : 9} width={3} height={ok ? 14 : 6} rx={1} className={ok ? 'good-text' : 'bad-text'} fill="currentColor" />)}
    </svg>
  );
}

/** What the last attempt brought: a status, or why there was none. */
export function LastAnswer({ status, error }: { status?: number | null; error?: string | null }) {
  const { t } = useTranslation();
  if (status) return <span className={`mono ${status >= 200 && status < 300 ? '' : 'bad-text'}`}>{status}</span>;
  if (error) return <span className="bad-text el" title={error}>{error === 'erased' ? t('delivery.erased') : error === 'interrupted' ? t('delivery.interrupted') : error}</span>;
  return <span className="m">{f.NONE}</span>;
}

/** A secret, for as long as it is on the screen, with what a developer does with it. */
export function SecretOnce({ secret, until }: { secret: string; until?: string | null }) {
  const { t } = useTranslation();
  const [tab, setTab] = useState<'node' | 'python'>('node');
  return (
    <section className="col g12" aria-label={t('webhook.secretOnce')}>
      <div className="notice warn" role="status">
        <div className="col sp g8">
          <span className="b">{t('webhook.secretOnce')}</span>
          <code className="mono wrap" data-testid="webhook-secret">{secret}</code>
          <span className="t12 m2">{until ? t('webhook.secretUntil', { when: f.exact(until) }) : t('webhook.secretText')}</span>
        </div>
        <CopyButton text={secret} label={t('copy')} />
      </div>
      <div className="row">
        <h3 className="sp">{t('webhook.verify')}</h3>
        <SegmentedControl value={tab} onChange={(v) => setTab(v as 'node' | 'python')} aria-label={t('webhook.verify')} data={[{ value: 'node', label: 'Node' }, { value: 'python', label: 'Python' }]} />
      </div>
      <pre className="code soft" tabIndex={0} role="region" aria-label={t('webhook.verify')}>{VERIFY[tab]}</pre>
      <div className="row"><span className="t12 m2 sp">{t('webhook.verifyText')}</span><CopyButton text={VERIFY[tab]} label={t('copy')} /></div>
    </section>
  );
}

function useSays(): (name: string, fallback: string) => string {
  const { t } = useTranslation();
  const words: Record<string, string> = {
    'event.tracked': t('webhook.says.event'), 'message.sent': t('webhook.says.sent'), 'message.failed': t('webhook.says.failed'), 'message.suppressed': t('webhook.says.suppressed'),
    'person.merged': t('webhook.says.merged'), 'person.split': t('webhook.says.split'), 'person.erased': t('webhook.says.erased'), 'segment.entered': t('webhook.says.entered'),
    'segment.left': t('webhook.says.left'), 'consent.changed': t('webhook.says.consent'), 'import.finished': t('webhook.says.import'), 'job.finished': t('webhook.says.job'),
  };
  return (name, fallback) => words[name] ?? fallback;
}

/** Where and what. With `webhook` it is changed, without it is made. */
export function Form({ webhook: w, close, done }: { webhook?: Webhook; close: () => void; done: (w: Webhook) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const says = useSays();
  const types = useQuery(typesQuery);
  const segments = useQuery(segmentsQuery);
  const [form, setForm] = useState({
    name: w?.name ?? '', url: w?.url ?? '', types: w?.types ?? [], names: (w?.event_names ?? []).join(', '), segments: w?.segment_ids ?? [], imported: w?.imported ?? false,
  });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const has = (prefix: string) => form.types.some((x) => x.startsWith(prefix));
  const save = useMutation({
    mutationFn: () => {
      const body = {
        name: form.name.trim(), url: form.url.trim(), types: form.types, imported: form.imported,
        event_names: has('event.') ? form.names.split(',').map((n) => n.trim()).filter(Boolean) : [],
        segment_ids: has('segment.') ? form.segments : [],
      };
      return w ? must(api.PUT('/api/v1/webhooks/{id}', { params: { path: { id: w.id } }, body, headers: { 'if-match': `"v${w.version}"` } })) : must(api.POST('/api/v1/webhooks', { body }));
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['webhooks'] });
      done(made);
    },
  });
  const toggle = (name: string) => set({ types: form.types.includes(name) ? form.types.filter((x) => x !== name) : [...form.types, name] });
  return (
    <Modal opened onClose={close} title={w ? t('webhook.edit') : t('webhook.create')} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <TextInput label={t('field.name')} placeholder={t('webhook.nameExample')} data-autofocus required withAsterisk={false} value={form.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <TextInput label={t('webhook.url')} placeholder="https://example.com/hooks/braid" required withAsterisk={false} inputMode="url" value={form.url} onChange={(e) => set({ url: e.currentTarget.value })} data-testid="webhook-url" />
        <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className="b" style={{ padding: 0, marginBottom: 8 }}>{t('webhook.types')}</legend>
          {types.error && <ErrorNote error={types.error} retry={() => void types.refetch()} />}
          {types.data?.items.map((x) => (
            <label key={x.name} className="row g8" style={{ alignItems: 'flex-start', cursor: 'pointer' }}>
              <input type="checkbox" checked={form.types.includes(x.name)} onChange={() => toggle(x.name)} style={{ marginTop: 4 }} aria-describedby={`says-${x.name}`} aria-label={x.name} />
              <span className="col"><span className="mono">{x.name}</span><span className="t12 m2" id={`says-${x.name}`}>{says(x.name, x.says)}</span></span>
            </label>
          ))}
        </fieldset>
        {has('event.') && <TextInput label={t('webhook.eventNames')} description={t('webhook.eventNamesHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} placeholder="Order Completed, Order Refunded" value={form.names} onChange={(e) => set({ names: e.currentTarget.value })} />}
        {has('segment.') && <MultiSelect label={t('nav.segments')} placeholder={form.segments.length ? undefined : t('webhook.everySegment')} searchable value={form.segments} onChange={(v) => set({ segments: v })} data={(segments.data ?? []).map((s) => ({ value: s.id, label: s.name }))} />}
        {(has('event.') || has('consent.')) && <Switch label={t('webhook.imported')} description={t('webhook.importedHelp')} checked={form.imported} onChange={(e) => set({ imported: e.currentTarget.checked })} />}
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        <div className="form-actions">
          <Button type="submit" variant="default" loading={save.isPending} disabled={!form.types.length}>{w ? t('webhook.save') : t('webhook.createDo')}</Button>
          <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
        </div>
      </form>
    </Modal>
  );
}
