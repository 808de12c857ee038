import { Button, Popover, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActLink } from '../session/Guarded';
import { Badge, ErrorNote, Panel, When } from '../ui/base';
import { say, sayError } from '../ui/toast';

/** What the customer wants to get, by channel and topic; a no here stops marketing at the gate. */
export function Preferences({ person }: { person: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const wants = useQuery({ queryKey: ['preferences', person], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/preferences', { params: { path: { person_id: person } } })) });
  const [open, setOpen] = useState(false);
  const [topic, setTopic] = useState<string>('*');
  const [channel, setChannel] = useState<string>('email');
  const [wanted, setWanted] = useState(false);
  const items = wants.data?.items ?? [];
  const put = useMutation({
    mutationFn: (next: { channel: string; topic: string; wanted: boolean }[]) => must(api.PUT('/api/v1/customers/{person_id}/preferences', { params: { path: { person_id: person } }, body: { items: next.map(({ channel, topic, wanted }) => ({ channel, topic, wanted })) } })),
    onSuccess: (after) => {
      client.setQueryData(['preferences', person], after);
      setOpen(false);
      say(t('preferences.saved'));
    },
  });
  const channelOf = (c: string) => (c === '*' ? t('preferences.anyChannel') : c);
  const topicOf = (x: string) => (x === '*' ? t('preferences.anyTopic') : x);
  const add = (
    <Popover opened={open} onChange={setOpen} width={320} position="bottom-end" trapFocus>
      <Popover.Target><ActLink right="consents:write" onClick={() => setOpen(!open)}>{t('preferences.add')}</ActLink></Popover.Target>
      <Popover.Dropdown aria-label={t('preferences.add')}>
        <form className="fields" onSubmit={(e) => { e.preventDefault(); put.mutate([...items.filter((i) => !(i.channel === channel && i.topic === (topic.trim() || '*'))), { channel, topic: topic.trim() || '*', wanted }]); }}>
          <Select label={t('field.channel')} value={channel} onChange={(c) => setChannel(c ?? '*')} data={[{ value: 'email', label: 'E-mail' }, { value: '*', label: t('preferences.anyChannel') }]} comboboxProps={{ withinPortal: false }} />
          <TextInput label={t('preferences.topic')} description={t('preferences.topicHelp', { list: wants.data?.topics.join(', ') || '—' })} inputWrapperOrder={['label', 'input', 'description', 'error']} value={topic} onChange={(e) => setTopic(e.currentTarget.value)} />
          <Switch label={t('preferences.wanted')} checked={wanted} onChange={(e) => setWanted(e.currentTarget.checked)} />
          {put.error && <ErrorNote error={put.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" loading={put.isPending}>{t('save')}</Button></div>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
  return (
    <Panel title={t('preferences.title')} query={wants} right={add} empty={(x) => x.items.length === 0} emptyText={<p className="body m2">{t('preferences.empty')}</p>} skeleton={1}>
      {(x) => (
        <ul className="body line-list">
          {x.items.map((i) => (
            <li key={`${i.channel} ${i.topic}`} className="row g8 wrap-row" style={{ minHeight: 40 }} data-testid="preference">
              <span className="b">{topicOf(i.topic)}</span><span className="m2">{channelOf(i.channel)}</span><span className="sp" />
              <Badge tone={i.wanted ? 'good' : 'bad'}>{i.wanted ? t('preferences.yes') : t('preferences.no')}</Badge>
              <span className="t12 m" title={i.actor ?? undefined}><When at={i.at} /></span>
              <ActLink right="consents:write" onClick={() => put.mutate(x.items.filter((o) => o !== i), { onError: sayError })}>{t('caps.remove')}</ActLink>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
