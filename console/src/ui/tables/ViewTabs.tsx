import { ActionIcon, Button, Menu, Modal, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../../api/client';
import { ErrorNote } from '../base';
import { IconChevronDown, IconPlus, IconUsers } from '../icons';
import { say, sayError } from '../toast';
import { type SavedView, viewsQuery } from './query';

type Search = Record<string, string | undefined>;
// What is a person's own business of the moment is no part of a view.
const PASSING = ['sel', 'view', 'create', 'edit'];
const lasting = (s: Search): Record<string, string> => Object.fromEntries(Object.entries(s).filter(([k, v]) => v !== undefined && v !== '' && !PASSING.includes(k)).map(([k, v]) => [k, String(v)]));
const same = (a: Record<string, unknown>, b: Record<string, unknown>) => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/**
 * Views as tabs: the filter, sorting and columns of the page's address under a name. `?view=12` alone opens one; beside
 * other parts of an address it only says from which view somebody came.
 */
export function ViewTabs({ page, all, note, quiet }: { page: string; all: ReactNode; note?: ReactNode; quiet?: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search;
  const views = useQuery(viewsQuery(page));
  const [saving, setSaving] = useState(false);
  const now = lasting(search);
  const current = views.data?.find((v) => v.id === search.view);
  const changed = current !== undefined && !same(now, current.state);
  const go = (to: Record<string, unknown>) => void navigate({ to: '.', search: to as never });
  const open = (v: SavedView) => go({ ...v.state, view: v.id });

  // A link that names nothing but a view: the view says the rest.
  const opened = useRef<string>(undefined);
  useEffect(() => {
    if (!current || opened.current === current.id) return;
    opened.current = current.id;
    if (Object.keys(now).length === 0 && Object.keys(current.state).length > 0) void navigate({ to: '.', search: { ...current.state, view: current.id, sel: search.sel } as never, replace: true });
  }, [current]); // eslint-disable-line -- only when a view is first seen

  const refresh = () => client.invalidateQueries({ queryKey: ['views', page] });
  const change = useMutation({
    mutationFn: ({ view, ...to }: { view: SavedView; name?: string; shared?: boolean; state?: Record<string, unknown> }) =>
      must(api.PUT('/api/v1/views/{id}', { params: { path: { id: view.id } }, body: { page, name: to.name ?? view.name, shared: to.shared ?? view.shared, state: (to.state ?? view.state) as never } })),
    onSuccess: (v, { view, state }) => {
      void refresh();
      say(t('views.saved', { name: v.name }), state ? () => change.mutate({ view: v, state: view.state }) : undefined);
    },
    onError: sayError,
  });
  const create = useMutation({
    mutationFn: (v: { name: string; shared: boolean; state: Record<string, unknown> }) => must(api.POST('/api/v1/views', { body: { page, name: v.name, shared: v.shared, state: v.state as never } })),
    onSuccess: async (v) => {
      await refresh();
      go({ ...v.state, view: v.id });
      setSaving(false);
    },
  });
  const remove = useMutation({
    mutationFn: (v: SavedView) => must(api.DELETE('/api/v1/views/{id}', { params: { path: { id: v.id } } })),
    onSuccess: (_, v) => {
      void refresh();
      go(now);
      say(t('views.deleted', { name: v.name }), () => create.mutate({ name: v.name, shared: v.shared, state: v.state }));
    },
    onError: sayError,
  });
  const tab = (key: string, on: boolean, press: () => void, text: ReactNode, extra?: ReactNode) => (
    <button key={key} type="button" className={`tab${on ? ' on' : ''}`} aria-current={on ? 'page' : undefined} onClick={press}>
      {text}
      {extra}
    </button>
  );
  return (
    <nav className="tabs" aria-label={t('views.label')} data-testid="views">
      {(!quiet || Boolean(views.data?.length)) && tab('all', !search.view, () => go({}), all, note && <span>{note}</span>)}
      {views.data?.map((v) => tab(v.id, v.id === search.view, () => open(v), v.name, v.shared && v.id !== search.view ? <IconUsers className="s" aria-label={t('views.shared')} /> : undefined))}
      {current && (
        <Menu position="bottom-start" width={240}>
          <Menu.Target>
            <ActionIcon className="small" aria-label={t('views.menu', { name: current.name })} data-testid="view-menu"><IconChevronDown className="s" /></ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {changed && current.may_change && <Menu.Item onClick={() => change.mutate({ view: current, state: now })} data-testid="view-update">{t('views.update')}</Menu.Item>}
            {changed && <Menu.Item onClick={() => open(current)}>{t('views.revert')}</Menu.Item>}
            <Menu.Item onClick={() => setSaving(true)}>{t('views.saveAs')}</Menu.Item>
            {current.may_change && <Menu.Item onClick={() => change.mutate({ view: current, shared: !current.shared })}>{current.shared ? t('views.unshare') : t('views.share')}</Menu.Item>}
            {current.may_change && <Menu.Item className="bad-text" onClick={() => remove.mutate(current)} data-testid="view-delete">{t('views.delete')}</Menu.Item>}
          </Menu.Dropdown>
        </Menu>
      )}
      {changed && <span className="t12 m" role="status" style={{ alignSelf: 'center' }}>{t('views.changed')}</span>}
      <button type="button" className="tab" aria-label={t('views.add')} title={t('views.saveAs')} onClick={() => setSaving(true)} data-testid="view-new"><IconPlus className="s" />{quiet && !views.data?.length && <span>{t('views.add')}</span>}</button>
      <Modal opened={saving} onClose={() => setSaving(false)} title={t('views.saveAs')} size={440} closeButtonProps={{ 'aria-label': t('close') }}>
        <SaveForm busy={create.isPending} error={create.error} save={(v) => create.mutate({ ...v, state: now })} close={() => setSaving(false)} />
      </Modal>
    </nav>
  );
}

function SaveForm({ save, close, busy, error }: { save: (v: { name: string; shared: boolean }) => void; close: () => void; busy: boolean; error: unknown }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); if (name.trim()) save({ name: name.trim(), shared }); }}>
      <p className="m2">{t('views.text')}</p>
      <TextInput data-autofocus label={t('field.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid="view-name" />
      <Switch label={t('views.forAll')} checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />
      {error != null && <ErrorNote error={error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <Button type="submit" disabled={!name.trim()} loading={busy} data-testid="view-save">{t('views.save')}</Button>
        <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
      </div>
    </form>
  );
}
