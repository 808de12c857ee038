// What can be done with a whole customer: join with another, erase for good.
import { ActionIcon, Button, Menu, Modal, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { CustomerRow, Person } from '../api/types';
import { useMay } from '../session/session';
import { Badge, ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconChevronDown, IconGitMerge, IconUserCircle } from '../ui/icons';
import { say, sayError } from '../ui/toast';
import { identifierName, identifierText } from './timeline';
import { PersonSearch, rowName } from './PersonSearch';

export function PersonActs({ person, name }: { person: Person; name: string }) {
  const { t } = useTranslation();
  const mayJoin = useMay('identity:write');
  const mayErase = useMay('privacy:write');
  const [open, setOpen] = useState<'join' | 'erase' | null>(null);
  if (!mayJoin && !mayErase) return null;
  const close = () => setOpen(null);
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <ActionIcon variant="default" aria-label={t('person.acts')} data-testid="person-acts"><IconChevronDown /></ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {mayJoin && <Menu.Item leftSection={<IconGitMerge className="s" />} onClick={() => setOpen('join')}>{t('merge.open')}</Menu.Item>}
          {mayErase && <Menu.Item className="bad-text" leftSection={<IconUserCircle className="s" />} onClick={() => setOpen('erase')}>{t('erase.open')}</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={open === 'join'} onClose={close} title={t('merge.title', { name })} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
        <Join person={person} close={close} />
      </Modal>
      <Modal opened={open === 'erase'} onClose={close} title={t('erase.title', { name })} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <Erase person={person} name={name} close={close} />
      </Modal>
    </>
  );
}

function Join({ person, close }: { person: Person; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [other, setOther] = useState<CustomerRow | null>(null);
  const path = { person_id: person.person_id };
  const preview = useQuery({ queryKey: ['merge-preview', person.person_id, other?.person_id], enabled: other !== null, staleTime: 0, queryFn: () => must(api.POST('/api/v1/customers/{person_id}/merge/preview', { params: { path }, body: { with: other!.person_id } })) });
  const refresh = () => ['person', 'identity', 'timeline', 'customers', 'person-messages', 'identity-changes'].forEach((k) => void client.invalidateQueries({ queryKey: [k] }));
  const join = useMutation({
    mutationFn: () => must(api.POST('/api/v1/customers/{person_id}/merge', { params: { path }, body: { with: other!.person_id } })),
    onSuccess: (r) => {
      close();
      refresh();
      void navigate({ to: '/customers/$id', params: { id: r.person_id }, search: {} });
      say(t('merge.done'), () => void must(api.POST('/api/v1/customers/{person_id}/unmerge', { params: { path: { person_id: r.person_id } }, body: { edges: [r.edge] } })).then(refresh, sayError));
    },
  });
  const p = preview.data;
  if (!other) return <PersonSearch label={t('merge.search')} exclude={[person.person_id]} choose={setOther} />;
  return (
    <div className="col g12" data-testid="merge-preview">
      <p className="m2">{t('merge.with', { name: rowName(other) })}</p>
      {preview.error ? <ErrorNote error={preview.error} retry={() => void preview.refetch()} /> : !p ? <Skeleton rows={4} height={32} /> : (
        <>
          <dl className="kv">
            <dt>{t('merge.profiles')}</dt><dd>{f.number(p.profile_ids.length)}</dd>
            <dt>{t('col.events')}</dt><dd>{f.number(p.events)}</dd>
            <dt>{t('person.orders')}</dt><dd>{f.number(p.orders)}</dd>
          </dl>
          <ul className="line-list" aria-label={t('merge.identifiers')}>
            {p.identifiers.slice(0, 10).map((i) => (
              <li key={i.kind + i.value} className="row" style={{ minHeight: 28 }}><span className="m2" style={{ width: 128, flex: 'none' }}>{identifierName(i.kind)}</span><span className="el">{identifierText(i)}</span></li>
            ))}
          </ul>
          {p.identifiers.length > 10 && <span className="t12 m">{t('more', { n: f.number(p.identifiers.length - 10) })}</span>}
          {(p.exceeds.length > 0 || p.was_kept_apart) && (
            <div className="notice warn" role="status">
              <div className="col sp g4">
                {p.was_kept_apart && <span>{t('merge.wasApart')}</span>}
                {p.exceeds.map((e) => <span key={e.kind + (e.window_days ?? '')}>{t('merge.exceeds', { kind: identifierName(e.kind), values: f.number(e.values), limit: f.number(e.limit) })}</span>)}
              </div>
            </div>
          )}
        </>
      )}
      {join.error && <ErrorNote error={join.error} />}
      <div className="form-actions">
        <Button disabled={!p} loading={join.isPending} onClick={() => join.mutate()} data-testid="merge-do">{t('merge.do')}</Button>
        <Button variant="subtle" onClick={() => setOther(null)}>{t('merge.back')}</Button>
      </div>
    </div>
  );
}

/** It cannot be undone, so it is asked for by typing whom. */
function Erase({ person, name, close }: { person: Person; name: string; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const erase = useMutation({
    mutationFn: () => must(api.POST('/api/v1/customers/{person_id}/erasure', { params: { path: { person_id: person.person_id } }, body: { reason: reason.trim() } })),
    onSuccess: () => {
      close();
      void navigate({ to: '/customers', search: {} }).then(() => {
        client.removeQueries({ queryKey: ['person', person.person_id] });
        for (const k of ['customers', 'home', 'erasures']) void client.invalidateQueries({ queryKey: [k] });
      });
      say(t('erase.done'));
    },
  });
  const ready = reason.trim() !== '' && typed.trim() === name;
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); if (ready) erase.mutate(); }}>
      <p className="m2">{t('erase.text', { count: person.totals.events, n: f.number(person.totals.events) })}</p>
      <p><Badge tone="bad">{t('erase.forever')}</Badge></p>
      <Textarea data-autofocus label={t('erase.reason')} description={t('erase.reasonHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} autosize minRows={2} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <TextInput label={t('erase.type', { name })} value={typed} autoComplete="off" onChange={(e) => setTyped(e.currentTarget.value)} data-testid="erase-typed" />
      {erase.error && <ErrorNote error={erase.error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <Button type="submit" variant="default" className={ready ? 'danger' : ''} disabled={!ready} loading={erase.isPending} data-testid="erase-do">{t('erase.do', { name })}</Button>
        <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
      </div>
    </form>
  );
}
