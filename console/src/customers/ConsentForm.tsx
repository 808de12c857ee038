import { Button, Popover, Select, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Person } from '../api/types';
import { ActLink } from '../session/Guarded';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';

/** A consent given or taken back outside the shop's own forms: at the till, on the phone. The wording is its proof. */
export function ConsentForm({ person }: { person: Person }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const addresses = person.identifiers.filter((i) => i.kind === 'email' || i.kind === 'phone');
  const [address, setAddress] = useState<string | null>(addresses[0]?.value ?? null);
  const [purpose, setPurpose] = useState<string | null>('marketing');
  const [state, setState] = useState<string | null>('denied');
  const [wording, setWording] = useState('');
  const record = useMutation({
    mutationFn: () => {
      const kind = addresses.find((a) => a.value === address)?.kind;
      return must(api.POST('/api/v1/consents', { body: { channel: kind === 'email' ? 'email' : 'sms', address: address!, purpose: purpose!, state: state as 'granted' | 'denied', wording } }));
    },
    onSuccess: () => {
      setOpen(false);
      setWording('');
      void client.invalidateQueries({ queryKey: ['person', person.person_id] });
      say(t('consents.recorded'));
    },
  });
  if (addresses.length === 0) return null;
  return (
    <Popover opened={open} onChange={setOpen} width={360} position="bottom-end" trapFocus>
      <Popover.Target>
        <ActLink right="consents:write" onClick={() => setOpen(!open)}>{t('consents.record')}</ActLink>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('consents.record')}>
        <form
          className="fields"
          onSubmit={(e) => {
            e.preventDefault();
            record.mutate();
          }}
        >
          <Select label={t('consents.address')} value={address} onChange={setAddress} data={addresses.map((a) => ({ value: a.value, label: a.kind === 'phone' ? f.phone(a.value) : a.value }))} comboboxProps={{ withinPortal: false }} />
          <Select label={t('consents.purpose')} value={purpose} onChange={setPurpose} data={[{ value: 'marketing', label: t('purpose.marketing') }, { value: 'service', label: t('purpose.service') }]} comboboxProps={{ withinPortal: false }} />
          <Select label={t('consents.state')} value={state} onChange={setState} data={[{ value: 'granted', label: t('consents.granted') }, { value: 'denied', label: t('consents.denied') }]} comboboxProps={{ withinPortal: false }} />
          <Textarea label={t('consents.wording')} description={t('consents.wordingHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} autosize minRows={2} required withAsterisk={false} value={wording} onChange={(e) => setWording(e.currentTarget.value)} />
          {record.error && <ErrorNote error={record.error} kept={t('error.formKept')} />}
          <div className="form-actions">
            <Button type="submit" loading={record.isPending}>{t('consents.save')}</Button>
            <Button variant="subtle" onClick={() => setOpen(false)}>{t('cancel')}</Button>
          </div>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
