// The bar of one comparison: what still counts as the same, and for how long it must be so.
import { Button, Checkbox, NumberInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ErrorNote, Panel } from '../ui/base';
import type { Compared } from './words';

export function Thresholds({ module, may }: { module: Compared; may: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(module.name);
  const [draft, setDraft] = useState(module.settings);
  const changed = name !== module.name || JSON.stringify(draft) !== JSON.stringify(module.settings);
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/parallel-run/{id}', { params: { path: { id: module.id } }, headers: { 'if-match': `"v${module.version}"` }, body: { name: name.trim(), settings: draft } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['parallel'] }),
  });
  type Numbers = 'items_permille' | 'sum_permille' | 'green_days' | 'open_differences' | 'stale_days';
  const number = (key: Numbers, max: number, least = 0) => (
    <NumberInput hideControls disabled={!may} allowDecimal={false} allowNegative={false} min={least} max={max} label={t(`moving.set.${key}`)} value={draft[key]} onChange={(v) => typeof v === 'number' && setDraft({ ...draft, [key]: v })} data-testid={`set-${key}`} />
  );
  const flag = (key: 'day_border_counts' | 'live_only') => (
    <Checkbox disabled={!may} checked={draft[key]} label={t(`moving.set.${key}`)} onChange={(e) => setDraft({ ...draft, [key]: e.currentTarget.checked })} />
  );
  return (
    <Panel title={t('moving.thresholds')} testId="compared-thresholds">
      <form className="body col g12" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <div className="importform">
          <TextInput label={t('moving.name')} disabled={!may} value={name} onChange={(e) => setName(e.currentTarget.value)} />
          {number('items_permille', 1000)}
          {number('sum_permille', 1000)}
          {number('green_days', 365, 1)}
          {number('open_differences', 1_000_000)}
          {number('stale_days', 365, 1)}
        </div>
        {flag('day_border_counts')}
        {flag('live_only')}
        <p className="t12 m2">{t('moving.setNote')}</p>
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        {may && <div className="form-actions"><Button type="submit" loading={save.isPending} disabled={!changed || !name.trim()} data-testid="set-save">{t('moving.setSave')}</Button></div>}
      </form>
    </Panel>
  );
}
