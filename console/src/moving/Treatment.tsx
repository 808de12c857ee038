import { Button, NumberInput, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { useRight } from '../session/rights';
import { ErrorNote, Panel } from '../ui/base';
import { say } from '../ui/toast';

type Settings = components['schemas']['ContactSettings'];
const key = ['contact-settings'];

/** What becomes of doubtful contacts, and of people who seem to be one. */
export function Treatment() {
  const may = useRight('settings:read');
  const now = useQuery({ queryKey: key, queryFn: () => must(api.GET('/api/v1/settings/contacts')), enabled: may });
  return may && now.data ? <Form now={now.data} /> : null;
}

function Form({ now }: { now: Settings }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('settings:write');
  const [blocked, setBlocked] = useState(now.blocked_services);
  const [file, setFile] = useState(Math.round(now.resolve.file_from * 100));
  const [join, setJoin] = useState(now.resolve.join_from == null ? 'never' : String(now.resolve.join_from));
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/settings/contacts', { body: { blocked_services: blocked, resolve: { file_from: file / 100, join_from: join === 'never' ? null : Number(join), at_most: now.resolve.at_most } } })),
    onSuccess: (saved) => {
      client.setQueryData(key, saved);
      say(t('quality.saved'));
    },
  });
  const joins = [...new Set(['never', '0.95', '0.99', join])];
  return (
    <Panel title={t('quality.treatment')} testId="quality-treatment">
      <form className="body col g12" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <div className="importform">
          <Select label={t('quality.blocked')} value={blocked} disabled={!may} allowDeselect={false} data={[{ value: 'stop', label: t('quality.blockedStop') }, { value: 'send', label: t('quality.blockedSend') }]} onChange={(v) => v && setBlocked(v)} />
          <NumberInput label={t('quality.fileFrom')} suffix=" %" min={10} max={100} allowDecimal={false} disabled={!may} value={file} onChange={(v) => setFile(Number(v))} />
          <Select label={t('quality.joinFrom')} value={join} disabled={!may} allowDeselect={false} data={joins.map((v) => ({ value: v, label: v === 'never' ? t('quality.never') : t('quality.fromPercent', { n: Math.round(Number(v) * 100) }) }))} onChange={(v) => v && setJoin(v)} />
        </div>
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        {may && <div className="form-actions"><Button type="submit" variant="default" loading={save.isPending} data-testid="treatment-save">{t('quality.save')}</Button></div>}
      </form>
    </Panel>
  );
}
