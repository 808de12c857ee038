// Decision served: who may do what here, and who changed what?
import { Button, Modal, MultiSelect, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { ApiKey, AuditEntry } from '../api/types';
import { ActButton, ActLink } from '../session/Guarded';
import { useMe } from '../session/session';
import { Badge, CopyButton, EmptyState, ErrorNote, Locked, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { actionName, actions, fieldName, subjectName, valueText } from './audit';
import { Guard } from './Guard';
import { Limits } from './Limits';
import { Own } from './Own';
import { People } from './People';
import { SignInSettings } from './SignInSettings';
import { Traits } from './Traits';
import { type Role, roleChoices, roleName } from './roles';

const route = getRouteApi('/settings/$tab');

const TABS: [string, string | null][] = [['own', null], ['users', 'accounts:read'], ['api-keys', 'accounts:read'], ['traits', 'settings:read'], ['limits', 'messages:read'], ['sign-in', 'accounts:read'], ['guard', 'exports:read'], ['audit', 'audit:read']];

export default function SettingsPage() {
  const { t } = useTranslation();
  const { tab } = route.useParams();
  const { rights } = useMe();
  const names: Record<string, string> = { own: t('settings.own'), users: t('settings.users'), 'api-keys': t('settings.keys'), traits: t('settings.traits'), guard: t('settings.guard'), limits: t('settings.limits'), 'sign-in': t('settings.signIn'), audit: t('settings.audit') };
  useTitle(names[tab] ?? t('settings.title'));
  const may = (right: string | null) => !right || rights.includes(right);
  const here = TABS.find(([id]) => id === tab);
  return (
    <div className={`page${tab === 'api-keys' || tab === 'audit' || tab === 'traits' ? ' fill' : ''}`}>
      <nav className="tabs" aria-label={t('settings.title')}>
        {TABS.filter(([id, right]) => may(right) || id === tab).map(([id]) => <Link key={id} to="/settings/$tab" params={{ tab: id }} className={tab === id ? 'on' : ''} aria-current={tab === id ? 'page' : undefined}>{names[id]}</Link>)}
      </nav>
      {here && !may(here[1]) ? (
        <>
          <PageHeader title={names[tab]} />
          <Locked title={tab === 'guard' || tab === 'limits' || tab === 'traits' ? t('locked.right') : t('locked.ownerOnly', { name: names[tab] ?? '' })}>{t('locked.askOwner')}</Locked>
        </>
      ) : tab === 'own' ? <Own /> : tab === 'api-keys' ? <Keys /> : tab === 'traits' ? <Traits /> : tab === 'guard' ? <Guard /> : tab === 'limits' ? <Limits /> : tab === 'sign-in' ? <SignInSettings /> : tab === 'audit' ? <Audit /> : <People />}
    </div>
  );
}

function Keys() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const me = useMe();
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState<string | null>('');
  const keys = useQuery({ queryKey: ['api-keys'], queryFn: () => must(api.GET('/api/v1/api-keys')) });
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>('analyst');
  const [shown, setShown] = useState<string | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/api-keys', { body: { name, role: role as Role, scopes, expires_days: days ? Number(days) : null } })),
    onSuccess: (k) => {
      setAdding(false);
      setName('');
      setScopes([]);
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
      { id: 'role', header: t('field.role'), meta: { width: 140 }, cell: ({ row: { original: k } }) => <Badge>{roleName(k.role)}</Badge> },
      { id: 'scopes', header: t('keys.scopes'), cell: ({ row: { original: k } }) => <span className="m2" title={k.scopes.join(', ')}>{k.scopes.length ? k.scopes.join(', ') : t('keys.allScopes')}</span> },
      { id: 'used', header: t('keys.used'), meta: { width: 120 }, cell: ({ row: { original: k } }) => (k.used_at ? <When at={k.used_at} className="m2" /> : <span className="m">{t('source.never')}</span>) },
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
            <ActLink right="accounts:write" onClick={() => setRemoving(k.id)}>{t('keys.remove')}</ActLink>
          ),
      },
    ],
    [t, removing],
  );
  return (
    <>
      <PageHeader title={t('settings.keys')} actions={<ActButton right="accounts:write" leftSection={<IconPlus />} onClick={() => setAdding(true)}>{t('keys.add')}</ActButton>} />
      {shown && (
        <div className="notice warn" role="status">
          <div className="col sp g4"><span className="b">{t('keys.once')}</span><code className="mono wrap">{shown}</code></div>
          <CopyButton text={shown} label={t('copy')} />
        </div>
      )}
      <div className="card scroll"><DataTable tools={{ name: 'api-keys' }} label={t('settings.keys')} rows={keys.data?.items} columns={columns} rowId={(k) => k.id} error={keys.error} retry={() => void keys.refetch()} empty={<EmptyState title={t('keys.emptyTitle')}>{t('keys.emptyText')}</EmptyState>} /></div>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('keys.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
          <TextInput label={t('field.name')} data-autofocus placeholder={t('keys.nameExample')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} />
          <Select label={t('field.role')} value={role} onChange={setRole} allowDeselect={false} data={roleChoices()} />
          <MultiSelect label={t('keys.scopes')} description={t('keys.scopesHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={scopes} onChange={setScopes} searchable data={me.rights.filter((r) => r !== 'own')} placeholder={scopes.length ? undefined : t('keys.allScopes')} />
          <Select label={t('keys.expires')} value={days} onChange={setDays} allowDeselect={false} data={[{ value: '', label: t('keys.never') }, { value: '30', label: t('keys.days', { n: 30 }) }, { value: '90', label: t('keys.days', { n: 90 }) }, { value: '365', label: t('keys.days', { n: 365 }) }]} />
          {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" variant="default" loading={add.isPending}>{t('keys.createKey')}</Button><Button variant="subtle" onClick={() => setAdding(false)}>{t('cancel')}</Button></div>
        </form>
      </Modal>
    </>
  );
}

function Audit() {
  const { t } = useTranslation();
  const [who, setWho] = useState('');
  const [what, setWhat] = useState<string | null>(null);
  const choices = useMemo(actions, [t]);
  const [since, setSince] = useState('');
  const [asked] = useDebouncedValue({ actor: who.trim() || undefined, action: what ?? undefined, from: since ? new Date(since).toISOString() : undefined }, 300);
  const audit = useInfiniteQuery({
    queryKey: ['audit', asked],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/audit', { params: { query: { ...asked, limit: 100, cursor: pageParam ?? undefined } } })),
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
      { id: 'what', header: t('audit.what'), cell: ({ row: { original: a } }) => <span title={a.action}>{actionName(a.action)}</span> },
      { id: 'on', header: t('audit.on'), cell: ({ row: { original: a } }) => <span className="m2" title={`${a.subject_kind} ${a.subject}`}>{subjectName(a.subject_kind)} {a.subject_name ? <span className="b">{a.subject_name}</span> : <span className="mono">{a.subject.length > 24 ? `${a.subject.slice(0, 8)}…` : a.subject}</span>}</span> },
    ],
    [t],
  );
  return (
    <>
      <PageHeader title={t('settings.audit')} actions={<Button component="a" variant="default" href="/api/v1/audit/export" download="audit.ndjson">{t('audit.export')}</Button>} />
      <div className="row wrap-row" role="search" aria-label={t('settings.audit')}>
        <TextInput aria-label={t('audit.who')} placeholder={t('audit.who')} value={who} onChange={(e) => setWho(e.currentTarget.value)} data-testid="audit-who" />
        <Select aria-label={t('audit.whatDone')} placeholder={t('audit.whatDone')} value={what} searchable clearable clearButtonProps={{ 'aria-label': t('audit.anything') }} data={choices} onChange={setWhat} data-testid="audit-what" />
        <TextInput type="date" aria-label={t('audit.since')} value={since} onChange={(e) => setSince(e.currentTarget.value)} />
      </div>
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable tools={{ name: 'audit' }} label={t('settings.audit')} rows={rows} columns={columns} rowTestId="audit-row" rowId={(a) => a.id} selected={sel} onSelect={setSel} error={audit.error} retry={() => void audit.refetch()} more={{ has: audit.hasNextPage, busy: audit.isFetchingNextPage, fetch: () => void audit.fetchNextPage() }} empty={<EmptyState title={t('audit.empty')} />} />
        </div>
        {selected && (
          <aside className="card detail" aria-label={actionName(selected.action)}>
            <h2>{actionName(selected.action)}: {subjectName(selected.subject_kind)}{selected.subject_name ? ` ${selected.subject_name}` : ''}</h2>
            <p className="m2">{selected.actor} · <When at={selected.at} /></p>
            {selected.changed?.length ? (
              <dl className="col g12">
                {selected.changed.map((d) => (
                  <div key={d.field} className="col g4"><dt className="b">{fieldName(d.field) || t('audit.value')}</dt><dd className="wrap mono"><span className="bad-text">{valueText(d.before) ?? t('audit.nothing')}</span> → <span className="good-text">{valueText(d.after) ?? t('audit.nothing')}</span></dd></div>
                ))}
              </dl>
            ) : <p className="m">{t('audit.noFields')}</p>}
          </aside>
        )}
      </div>
    </>
  );
}
