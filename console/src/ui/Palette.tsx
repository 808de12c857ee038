import { Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useMe } from '../session/session';
import { segmentsQuery } from '../segments/query';
import { Avatar } from './base';
import * as f from './format';
import { IconCirclesRelation, IconPlus, IconSearch } from './icons';
import { pageNames, usePages } from './Shell';

interface Entry {
  id: string;
  group: string;
  icon: ReactNode;
  label: ReactNode;
  to: string;
  search?: Record<string, unknown>;
}

const RECENT = 'braid-recent';
export interface Recent { id: string; name: string; note: string }
export function remember(r: Recent): void {
  try {
    const old = JSON.parse(localStorage.getItem(RECENT) ?? '[]') as Recent[];
    localStorage.setItem(RECENT, JSON.stringify([r, ...old.filter((o) => o.id !== r.id)].slice(0, 6)));
  } catch {
    // recents are a comfort; without storage there are none
  }
}
function recents(): Recent[] {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? '[]') as Recent[];
  } catch {
    return [];
  }
}

/** Marks what was typed, also when the value is written with spaces: "067 123" stands in "+380 67 123 45 67". */
function Marked({ text, query }: { text: string; query: string }) {
  const digits = query.replace(/\D/g, '').replace(/^0/, '');
  if (digits.length >= 3 && /^[\d\s()+-]+$/.test(query)) {
    const positions: number[] = [];
    for (let i = 0; i < text.length; i++) if (/\d/.test(text[i]!)) positions.push(i);
    const at = positions.map((i) => text[i]).join('').indexOf(digits);
    if (at >= 0) {
      const from = positions[at]!;
      const to = positions[at + digits.length - 1]! + 1;
      return <>{text.slice(0, from)}<mark>{text.slice(from, to)}</mark>{text.slice(to)}</>;
    }
  }
  const at = query.length > 1 ? text.toLocaleLowerCase().indexOf(query.toLocaleLowerCase()) : -1;
  if (at < 0) return <>{text}</>;
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + query.length)}</mark>{text.slice(at + query.length)}</>;
}

export default function Palette({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { rights } = useMe();
  const pages = usePages();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const actionsOnly = text.startsWith('>');
  const query = text.replace(/^>/, '').trim();
  const [asked] = useDebouncedValue(query, 80);
  const people = useQuery({
    queryKey: ['palette', asked],
    queryFn: () => must(api.GET('/api/v1/customers', { params: { query: { query: asked, limit: 6 } } })),
    enabled: asked.length > 0 && !actionsOnly,
    placeholderData: keepPreviousData,
  });
  const segments = useQuery(segmentsQuery);
  const list = useRef<HTMLDivElement>(null);

  const entries = useMemo<Entry[]>(() => {
    const fits = (s: string) => !query || s.toLocaleLowerCase().includes(query.toLocaleLowerCase());
    const out: Entry[] = [];
    if (!actionsOnly) {
      if (query && asked) {
        for (const c of people.data?.items ?? []) {
          const name = c.name || c.email || (c.phone ? f.phone(c.phone) : t('person.unnamed'));
          const note = [c.phone && f.phone(c.phone), c.email !== name && c.email, c.city].filter(Boolean).join(' · ');
          out.push({ id: c.person_id, group: t('nav.customers'), icon: <Avatar name={name} />, label: <><span className="b"><Marked text={name} query={query} /></span> <span className="m"><Marked text={note} query={query} /></span></>, to: `/customers/${c.person_id}` });
        }
      } else if (!query)
        for (const r of recents()) out.push({ id: `r${r.id}`, group: t('palette.recent'), icon: <Avatar name={r.name} />, label: <><span className="b">{r.name}</span> <span className="m">{r.note}</span></>, to: `/customers/${r.id}` });
      if (query)
        for (const s of (segments.data ?? []).filter((x) => fits(x.name)).slice(0, 6))
          out.push({ id: s.id, group: t('nav.segments'), icon: <span className="node online"><IconCirclesRelation /></span>, label: <><span className="b"><Marked text={s.name} query={query} /></span> <span className="m">{t('people', { count: s.count, n: f.number(s.count) })}</span></>, to: `/segments/${s.id}` });
      const names = pageNames(t);
      for (const p of pages) {
        const name = names[p.id];
        if (fits(name)) out.push({ id: p.id, group: t('palette.pages'), icon: <span className="av"><p.icon /></span>, label: <Marked text={name} query={query} />, to: p.to });
      }
      for (const [id, name, right] of [['users', t('settings.users'), 'accounts:read'], ['api-keys', t('settings.keys'), 'accounts:read'], ['audit', t('settings.audit'), 'audit:read']] as const)
        if (query && rights.includes(right) && fits(name)) out.push({ id, group: t('palette.pages'), icon: <span className="av"><IconSearch /></span>, label: <Marked text={name} query={query} />, to: `/settings/${id}` });
    }
    for (const [id, name, to, search, right] of [['new-segment', t('action.newSegment'), '/segments/new', undefined, 'segments:write'], ['new-template', t('action.newTemplate'), '/templates/new', undefined, 'messages:write'], ['new-rule', t('action.newRule'), '/rules', { create: true }, 'messages:write'], ['new-source', t('action.newSource'), '/sources', { create: true }, 'sources:write']] as const)
        if (rights.includes(right) && fits(name)) out.push({ id, group: t('palette.actions'), icon: <span className="av"><IconPlus /></span>, label: <Marked text={name} query={query} />, to, search });
    const seen: Record<string, number> = {};
    return out.filter((e) => (seen[e.group] = (seen[e.group] ?? 0) + 1) <= 8);
  }, [query, asked, actionsOnly, people.data, segments.data, t, rights, pages]);

  useEffect(() => setAt(0), [query]);
  const go = (e: Entry | undefined, apart: boolean) => {
    if (!e) return;
    if (apart) window.open(e.to, '_blank', 'noopener');
    else {
      close();
      void navigate({ to: e.to, search: e.search as never });
    }
  };
  let group = '';
  return (
    <Modal opened onClose={close} withCloseButton={false} transitionProps={{ duration: 0 }} size={560} padding={0} aria-label={t('palette.title')} styles={{ body: { padding: 0 } }}>
      <div data-testid="palette">
      <div className="palette-input">
        <IconSearch />
        <input
          data-autofocus
          autoFocus
          value={text}
          placeholder={t('palette.field')}
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={entries[at] ? `pi-${entries[at].id}` : undefined}
          aria-label={t('palette.title')}
          onChange={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.code === 'ArrowDown' || e.code === 'ArrowUp') {
              e.preventDefault();
              const next = (at + (e.code === 'ArrowDown' ? 1 : -1) + entries.length) % Math.max(1, entries.length);
              setAt(next);
              list.current?.querySelectorAll('.pi')[next]?.scrollIntoView({ block: 'nearest' });
            } else if (e.code === 'Enter' || e.code === 'NumpadEnter') go(entries[at], e.ctrlKey || e.metaKey);
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div className="palette-list" id="palette-list" role="listbox" aria-label={t('palette.title')} ref={list}>
        {entries.map((e, i) => {
          const head = e.group !== group;
          group = e.group;
          return (
            <div key={e.id} role="presentation">
              {head && <div className="pgroup" role="presentation">{e.group}</div>}
              <div id={`pi-${e.id}`} role="option" aria-selected={i === at} className="pi" onMouseMove={() => setAt(i)} onClick={(ev) => go(e, ev.ctrlKey || ev.metaKey)}>
                {e.icon}
                <span className="sp el">{e.label}</span>
                {i === at && <kbd>Enter</kbd>}
              </div>
            </div>
          );
        })}
        {entries.length === 0 && <p className="empty m2">{people.isFetching ? t('palette.looking') : t('palette.none', { query })}</p>}
      </div>
      </div>
    </Modal>
  );
}
