import { ActionIcon, Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { paths } from '../api/schema';
import type { User } from '../api/types';
import { useMe } from '../session/session';
import { RightButton, useRight } from '../session/rights';
import { Avatar, Badge, CopyButton, ErrorNote, None, PageHeader, Panel, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import { IconPlus, IconX } from '../ui/icons';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { idsOf, type Role, roleChoices, roleName } from './roles';

type LinkShown = paths['/api/v1/invitations']['post']['responses'][201]['content']['application/json'];

/** Who may come in, with which role; who was invited and has not come yet. */
export function People() {
  const { t } = useTranslation();
  useTitle(t('settings.users'));
  const client = useQueryClient();
  const may = useRight('accounts:write');
  const users = useQuery({ queryKey: ['users'], queryFn: () => must(api.GET('/api/v1/users')), refetchInterval: 15_000 });
  const waiting = useQuery({ queryKey: ['invitations'], queryFn: () => must(api.GET('/api/v1/invitations')), refetchInterval: 15_000 });
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<LinkShown | null>(null);
  const [sel, setSel] = useState<string | null>(null);
  const selected = users.data?.items.find((u) => u.id === sel);
  const beside = Boolean(selected);
  const back = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/invitations/{id}', { params: { path: { id } } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['invitations'] }),
    onError: sayError,
  });
  const show = (l: LinkShown) => {
    setInviting(false);
    setLink(l);
    void client.invalidateQueries({ queryKey: ['invitations'] });
  };
  const columns = useMemo<Column<User>[]>(
    () => [
      { id: 'name', header: t('field.name'), cell: ({ row: { original: u } }) => <span className="row g12"><Avatar name={u.name || u.email} /><span className="b el">{u.name || u.email}</span></span> },
      ...(beside ? [] : [{ id: 'email', header: t('field.email'), cell: ({ row: { original: u } }: { row: { original: User } }) => u.email }]),
      { id: 'role', header: t('field.role'), meta: { width: 150 }, cell: ({ row: { original: u } }) => (u.active ? <Badge>{roleName(u.role)}</Badge> : <Badge tone="warn">{t('users.off')}</Badge>) },
      ...(beside ? [] : [{ id: 'how', header: t('users.how'), meta: { width: 170 }, cell: ({ row: { original: u } }: { row: { original: User } }) => <span className="m2">{waysOf(u, t)}</span> }]),
      { id: 'two', header: t('users.twoFactor'), meta: { width: 130 }, cell: ({ row: { original: u } }) => (u.second_factor ? t('users.on') : <span className="m">{t('users.no')}</span>) },
      { id: 'seen', header: t('users.seen'), meta: { width: 150, right: true }, cell: ({ row: { original: u } }) => (u.seen_at ? <When at={u.seen_at} className="m2" /> : <None />) },
    ],
    [t, beside],
  );
  return (
    <>
      <PageHeader title={t('settings.users')} actions={<RightButton right="accounts:write" leftSection={<IconPlus />} onClick={() => setInviting(true)} data-testid="invite">{t('users.invite')}</RightButton>} />
      {link && <OneTime link={link} close={() => setLink(null)} />}
      <div className={`ld${selected ? '' : ' solo'}`} style={{ flex: 'none' }}>
        <div className="card scroll"><DataTable tools={{ name: 'users' }} label={t('settings.users')} rows={users.data?.items} columns={columns} rowId={(u) => u.id} selected={sel} onSelect={setSel} error={users.error} retry={() => void users.refetch()} rowTestId="user-row" /></div>
        {selected && <Person key={selected.id} user={selected} may={may} close={() => setSel(null)} onLink={show} />}
      </div>
      {waiting.data && waiting.data.items.length > 0 && (
        <Panel title={t('users.invited')} count={f.number(waiting.data.items.length)}>
          <div className="counts">
            {waiting.data.items.map((i) => (
              <div key={i.id} data-testid="invitation-row"><span><b>{i.name || i.email}</b> {i.email} · {i.for_new_password ? t('users.newPassword') : roleName(i.role)} · {t('users.until', { date: f.dayMonth(i.expires_at) })}</span>{may && <button type="button" className="textlink" onClick={() => back.mutate(i.id)}>{t('users.takeBack')}</button>}</div>
            ))}
          </div>
        </Panel>
      )}
      {inviting && <Invite close={() => setInviting(false)} done={show} />}
    </>
  );
}

/** How somebody comes in. */
const waysOf = (u: User, t: (key: string) => string): string => [u.has_password === false ? null : t('users.byPassword'), u.linked ? t('users.byProvider') : null].filter(Boolean).join(', ') || t('users.byNothing');

function OneTime({ link, close }: { link: LinkShown; close: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="notice warn" role="status">
      <div className="col sp g4">
        <span className="b">{t('users.linkOnce', { email: link.email })}</span>
        <code className="mono wrap" data-testid="invite-link">{link.link ?? t('users.linkGone')}</code>
        <span className="t12 m2">{link.mailed ? t('users.mailed') : t('users.handOver')}</span>
      </div>
      {link.link && <CopyButton text={link.link} label={t('copy')} />}
      <ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon>
    </div>
  );
}

function Invite({ close, done }: { close: () => void; done: (l: LinkShown) => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ email: '', name: '', role: 'analyst' as Role, stores: '' });
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/invitations', { body: { email: form.email.trim(), name: form.name.trim(), role: form.role, stores: form.role === 'shop_assistant' ? idsOf(form.stores) : [] } })),
    onSuccess: done,
  });
  return (
    <Modal opened onClose={close} title={t('users.invite')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields" onSubmit={(e) => { e.preventDefault(); send.mutate(); }}>
        <TextInput label={t('field.name')} data-autofocus value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} required withAsterisk={false} />
        <TextInput label={t('field.email')} type="email" value={form.email} onChange={(e) => setForm({ ...form, email: e.currentTarget.value })} required withAsterisk={false} />
        <Select label={t('field.role')} value={form.role} allowDeselect={false} onChange={(v) => v && setForm({ ...form, role: v as Role })} data={roleChoices()} />
        {form.role === 'shop_assistant' && <TextInput label={t('users.stores')} description={t('users.storesHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.stores} onChange={(e) => setForm({ ...form, stores: e.currentTarget.value })} />}
        {send.error && <ErrorNote error={send.error} kept={t('error.formKept')} />}
        <div className="form-actions"><Button type="submit" variant="default" loading={send.isPending}>{t('users.makeLink')}</Button><Button variant="subtle" onClick={close}>{t('cancel')}</Button></div>
      </form>
    </Modal>
  );
}

function Person({ user: u, may, close, onLink }: { user: User; may: boolean; close: () => void; onLink: (l: LinkShown) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const self = useMe().email === u.email;
  const [form, setForm] = useState({ name: u.name, role: u.role, stores: u.stores.join(', ') });
  const path = { params: { path: { id: u.id } } };
  const change = useMutation({
    mutationFn: (active: boolean) => must(api.PUT('/api/v1/users/{id}', { ...path, body: { name: form.name, role: form.role, active, stores: form.role === 'shop_assistant' ? idsOf(form.stores) : [] } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['users'] });
      say(t('users.saved', { name: form.name || u.email }));
    },
  });
  const reset = useMutation({
    mutationFn: (what: 'password' | 'second_factor' | 'sessions' | 'link') => must(api.POST('/api/v1/users/{id}/reset', { ...path, body: { what } })),
    onSuccess: (l) => {
      void client.invalidateQueries({ queryKey: ['users'] });
      if (l) onLink(l);
      else say(t('users.resetDone'));
    },
    onError: sayError,
  });
  const [asking, setAsking] = useState(false);
  return (
    <aside className="card detail" aria-label={u.name || u.email}>
      <div className="row"><h2 className="sp el">{u.name || u.email}</h2><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      <p className="m2 wrap">{u.email}</p>
      <p className="t12 m2 wrap" data-testid="user-how">{t('users.how')}: {waysOf(u, t)}{u.linked && <> · {u.linked.email} · <When at={u.linked.used_at} /></>}</p>
      {may && (
        <>
          <form className="fields" onSubmit={(e) => { e.preventDefault(); change.mutate(u.active); }}>
            <TextInput label={t('field.name')} value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} />
            <Select label={t('field.role')} value={form.role} disabled={self} allowDeselect={false} onChange={(v) => v && setForm({ ...form, role: v as Role })} data={roleChoices()} />
            {form.role === 'shop_assistant' && <TextInput label={t('users.stores')} description={t('users.storesHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.stores} onChange={(e) => setForm({ ...form, stores: e.currentTarget.value })} />}
            {change.error && <ErrorNote error={change.error} kept={t('error.formKept')} />}
            <div className="form-actions"><Button type="submit" variant="default" loading={change.isPending}>{t('users.save')}</Button></div>
          </form>
          {!self && (
            <div className="sepr col g8" style={{ alignItems: 'flex-start' }}>
              <button type="button" className="textlink" onClick={() => reset.mutate('password')}>{t('users.resetPassword')}</button>
              {u.second_factor && <button type="button" className="textlink" onClick={() => reset.mutate('second_factor')}>{t('users.resetSecond')}</button>}
              {u.linked && <button type="button" className="textlink" onClick={() => reset.mutate('link')} data-testid="unlink">{t('users.unlink')}</button>}
              <button type="button" className="textlink" onClick={() => reset.mutate('sessions')}>{t('users.resetSessions')}</button>
              {!u.active ? <Button variant="default" loading={change.isPending} onClick={() => change.mutate(true)}>{t('users.activate')}</Button> : asking ? (
                <div className="form-actions"><Button variant="default" className="danger" loading={change.isPending} onClick={() => { setAsking(false); change.mutate(false); }}>{t('users.deactivateDo')}</Button><Button variant="subtle" onClick={() => setAsking(false)}>{t('cancel')}</Button></div>
              ) : <Button variant="default" onClick={() => setAsking(true)}>{t('users.deactivate')}</Button>}
            </div>
          )}
        </>
      )}
    </aside>
  );
}
