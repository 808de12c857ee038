// Decision served: who may do what here, and who changed what?
import { Button, Modal, PasswordInput, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { ApiKey, AuditEntry, User } from '../api/types';
import { ActButton, ActLink } from '../session/Guarded';
import { useIsOwner } from '../session/session';
import { Avatar, Badge, CopyButton, EmptyState, ErrorNote, Locked, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import { IconPlus } from '../ui/icons';
import { Json } from '../ui/Json';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';

const route = getRouteApi('/settings/$tab');

export default function SettingsPage() {
  const { t } = useTranslation();
  const { tab } = route.useParams();
  const owner = useIsOwner();
  const names: Record<string, string> = { users: t('settings.users'), 'api-keys': t('settings.keys'), audit: t('settings.audit') };
  useTitle(names[tab] ?? t('settings.title'));
  return (
    <div className="page fill">
      <nav className="tabs" aria-label={t('settings.title')}>
        {Object.entries(names).map(([id, name]) => <Link key={id} to="/settings/$tab" params={{ tab: id }} className={tab === id ? 'on' : ''}>{name}</Link>)}
      </nav>
      {!owner ? (
        <>
          <PageHeader title={names[tab] ?? t('settings.title')} />
          <Locked title={t('locked.ownerOnly', { name: names[tab] ?? t('settings.title') })}>{t('locked.askOwner')}</Locked>
        </>
      ) : tab === 'api-keys' ? <Keys /> : tab === 'audit' ? <Audit /> : <Users />}
    </div>
  );
}

const useRoles = () => {
  const { t } = useTranslation();
  return [{ value: 'owner', label: t('role.ownerLong') }, { value: 'analyst', label: t('role.analystLong') }];
};

function Users() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const roles = useRoles();
  const users = useQuery({ queryKey: ['users'], queryFn: () => must(api.GET('/api/v1/users')) });
  const [adding, setAdding] = useState(false);
  const [form, setForm] = useState({ email: '', name: '', password: '', role: 'analyst' });
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/users', { body: { ...form, role: form.role as 'owner' | 'analyst' } })),
    onSuccess: (u) => {
      setAdding(false);
      setForm({ email: '', name: '', password: '', role: 'analyst' });
      void client.invalidateQueries({ queryKey: ['users'] });
      say(t('users.added', { name: u.name || u.email }));
    },
  });
  const columns = useMemo<Column<User>[]>(
    () => [
      { id: 'name', header: t('field.name'), cell: ({ row: { original: u } }) => <span className="row g12"><Avatar name={u.name || u.email} /><span className="b el">{u.name || u.email}</span></span> },
      { id: 'email', header: t('field.email'), cell: ({ row: { original: u } }) => u.email },
      { id: 'role', header: t('field.role'), meta: { width: 140 }, cell: ({ row: { original: u } }) => <Badge>{u.role === 'owner' ? t('role.owner') : t('role.analyst')}</Badge> },
      { id: 'since', header: t('source.created'), meta: { width: 160, right: true }, cell: ({ row: { original: u } }) => <When at={u.created_at} className="m2" /> },
    ],
    [t],
  );
  return (
    <>
      <PageHeader title={t('settings.users')} actions={<ActButton leftSection={<IconPlus />} onClick={() => setAdding(true)}>{t('users.add')}</ActButton>} />
      <div className="card scroll"><DataTable label={t('settings.users')} rows={users.data?.items} columns={columns} rowId={(u) => u.id} error={users.error} retry={() => void users.refetch()} rowTestId="user-row" /></div>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('users.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
          <TextInput label={t('field.name')} data-autofocus value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} required withAsterisk={false} />
          <TextInput label={t('field.email')} type="email" value={form.email} onChange={(e) => setForm({ ...form, email: e.currentTarget.value })} required withAsterisk={false} />
          <PasswordInput label={t('users.password')} description={t('users.passwordHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.password} onChange={(e) => setForm({ ...form, password: e.currentTarget.value })} required withAsterisk={false} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-label': t('signin.showPassword') }} />
          <Select label={t('field.role')} value={form.role} onChange={(v) => setForm({ ...form, role: v ?? 'analyst' })} data={roles} />
          {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" variant="default" loading={add.isPending}>{t('users.add')}</Button><Button variant="subtle" onClick={() => setAdding(false)}>{t('cancel')}</Button></div>
        </form>
      </Modal>
    </>
  );
}

function Keys() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const roles = useRoles();
  const keys = useQuery({ queryKey: ['api-keys'], queryFn: () => must(api.GET('/api/v1/api-keys')) });
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>('analyst');
  const [shown, setShown] = useState<string | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/api-keys', { body: { name, role: role as 'owner' | 'analyst' } })),
    onSuccess: (k) => {
      setAdding(false);
      setName('');
      setShown(k.key ?? null);
      void client.invalidateQueries({ queryKey: ['api-keys'] });
    },
  });
  const remove = useMutation({
    mutationFn: (k: ApiKey) => must(api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id: k.id } } })),
    onSuccess: (_d, k) => {
      setRemoving(null);
      void client.invalidateQueries({ queryKey: ['api-keys'] });
      say(t('keys.removed', { name: k.name }));
    },
    onError: sayError,
  });
  const columns = useMemo<Column<ApiKey>[]>(
    () => [
      { id: 'name', header: t('field.name'), cell: ({ row: { original: k } }) => <span className="b">{k.name}</span> },
      { id: 'prefix', header: t('source.key'), cell: ({ row: { original: k } }) => <span className="mono">{k.prefix}…</span> },
      { id: 'role', header: t('field.role'), meta: { width: 140 }, cell: ({ row: { original: k } }) => <Badge>{k.role === 'owner' ? t('role.owner') : t('role.analyst')}</Badge> },
      { id: 'since', header: t('source.created'), meta: { width: 160 }, cell: ({ row: { original: k } }) => <When at={k.created_at} className="m2" /> },
      {
        id: 'act',
        header: () => <span className="hidden-text">{t('keys.remove')}</span>,
        meta: { right: true, width: 220 },
        cell: ({ row: { original: k } }) =>
          removing === k.id ? (
            <span className="row" style={{ justifyContent: 'flex-end' }}>
              <button type="button" className="chip bad-text" onClick={() => remove.mutate(k)}>{t('keys.removeDo')}</button>
              <button type="button" className="textlink m2" onClick={() => setRemoving(null)}>{t('cancel')}</button>
            </span>
          ) : (
            <ActLink onClick={() => setRemoving(k.id)}>{t('keys.remove')}</ActLink>
          ),
      },
    ],
    [t, removing],
  );
  return (
    <>
      <PageHeader title={t('settings.keys')} actions={<ActButton leftSection={<IconPlus />} onClick={() => setAdding(true)}>{t('keys.add')}</ActButton>} />
      {shown && (
        <div className="notice warn" role="status">
          <div className="col sp g4"><span className="b">{t('keys.once')}</span><code className="mono wrap">{shown}</code></div>
          <CopyButton text={shown} label={t('copy')} />
        </div>
      )}
      <div className="card scroll"><DataTable label={t('settings.keys')} rows={keys.data?.items} columns={columns} rowId={(k) => k.id} error={keys.error} retry={() => void keys.refetch()} empty={<EmptyState title={t('keys.emptyTitle')}>{t('keys.emptyText')}</EmptyState>} /></div>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('keys.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
          <TextInput label={t('field.name')} data-autofocus placeholder={t('keys.nameExample')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} />
          <Select label={t('field.role')} value={role} onChange={setRole} data={roles} />
          {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" variant="default" loading={add.isPending}>{t('keys.createKey')}</Button><Button variant="subtle" onClick={() => setAdding(false)}>{t('cancel')}</Button></div>
        </form>
      </Modal>
    </>
  );
}

function Audit() {
  const { t } = useTranslation();
  const audit = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/audit', { params: { query: { limit: 100, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  const rows = useMemo(() => audit.data?.pages.flatMap((p) => p.items), [audit.data]);
  const [sel, setSel] = useState<string | null>(null);
  const selected = rows?.find((a) => a.id === sel);
  const columns = useMemo<Column<AuditEntry>[]>(
    () => [
      { id: 'when', header: t('col.when'), meta: { width: 150 }, cell: ({ row: { original: a } }) => <When at={a.at} className="m2" /> },
      { id: 'who', header: t('audit.who'), meta: { width: '22%' }, cell: ({ row: { original: a } }) => <span className="b">{a.actor}</span> },
      { id: 'what', header: t('audit.what'), cell: ({ row: { original: a } }) => a.action.replaceAll('_', ' ') },
      { id: 'on', header: t('audit.on'), cell: ({ row: { original: a } }) => <span className="m2">{a.subject_kind.replaceAll('_', ' ')} <span className="mono">{a.subject.length > 24 ? `${a.subject.slice(0, 8)}…` : a.subject}</span></span> },
    ],
    [t],
  );
  return (
    <>
      <PageHeader title={t('settings.audit')} />
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable label={t('settings.audit')} rows={rows} columns={columns} rowId={(a) => a.id} selected={sel} onSelect={setSel} error={audit.error} retry={() => void audit.refetch()} more={{ has: audit.hasNextPage, busy: audit.isFetchingNextPage, fetch: () => void audit.fetchNextPage() }} empty={<EmptyState title={t('audit.empty')} />} />
        </div>
        {selected && (
          <aside className="card detail" aria-label={selected.action}>
            <h2>{selected.action.replaceAll('_', ' ')}</h2>
            {(['before', 'after'] as const).map((k) => (
              <div key={k} className="col g4"><h3>{k === 'before' ? t('audit.before') : t('audit.after')}</h3>{selected[k] == null ? <span className="m">{t('audit.nothing')}</span> : <Json value={selected[k]} label={k === 'before' ? t('audit.before') : t('audit.after')} />}</div>
            ))}
          </aside>
        )}
      </div>
    </>
  );
}
