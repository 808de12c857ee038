// What follows from facts, and the facts themselves: each with why it is so.
import { Popover } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import i18next from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Person } from '../api/types';
import { useMe } from '../session/session';
import { StageBadge } from './Stage';
import { Badge, EmptyState, ErrorNote, Skeleton, When, Why } from '../ui/base';
import * as f from '../ui/format';
import { said as inWords } from '../words/server';

type Derived = Person['derived'][number];
type Seen = { value: string; at: string };

const word = (s: string): string => {
  const key = `word.${s.replaceAll(' ', '_')}`;
  return i18next.exists(key) ? i18next.t(key) : s;
};

/** What a trait says, in the reader's words and units. */
function said(d: Derived, currency: string): string | null {
  const v = d.value as unknown;
  if (v === null || v === undefined) return null;
  if (typeof v === 'boolean') return v ? i18next.t('yes') : i18next.t('no');
  if (Array.isArray(v)) return v.length ? v.map((x) => word(String(x))).join(', ') : null;
  if (typeof v !== 'number') return word(String(v));
  if (d.unit === 'money') return f.sum(v, currency) ?? f.NONE;
  if (d.unit === 'days') return i18next.t('cond.day', { count: v, n: f.number(v) });
  if (d.unit === 'hour') return `${String(v).padStart(2, '0')}:00`;
  return f.number(v);
}

const GROUPS = ['value', 'preference', 'omnichannel', 'habits'] as const;
const groupOf = (name: string): (typeof GROUPS)[number] =>
  name.startsWith('habits.') ? 'habits' : name.startsWith('omnichannel.') || name === 'app_looks_only' ? 'omnichannel' : name.startsWith('preferred_') || name === 'lost_channels' ? 'preference' : 'value';
const FIRST = ['lifecycle_stage', 'preferred_channel', 'preferred_contact_channel', 'preferred_device'];
const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
const nameOf = (d: Derived) => (i18next.exists(`derived.${d.name}`) ? i18next.t(`derived.${d.name}`) : d.name.replace(/^.*\./, '').replaceAll('_', ' '));

export function DerivedTraits({ person }: { person: Person }) {
  const { t } = useTranslation();
  const { currency } = useMe().shop;
  const [all, setAll] = useState(false);
  const rows = person.derived.map((d) => ({ d, text: said(d, currency) })).sort((a, b) => rank(a.d.name) - rank(b.d.name));
  // A plain "no" is told only to who asks for everything.
  const telling = (r: (typeof rows)[number]) => r.text !== null && (r.d.value as unknown) !== false;
  const quiet = rows.filter((r) => !telling(r)).length;
  const titles: Record<string, string> = { value: t('derived.group.value'), preference: t('derived.group.preference'), omnichannel: t('derived.group.omnichannel'), habits: t('derived.group.habits') };
  return (
    <div className="body col g12">
      {GROUPS.map((g) => {
        const here = rows.filter((r) => groupOf(r.d.name) === g && (all || telling(r)));
        if (here.length === 0) return null;
        return (
          <section key={g} aria-label={titles[g]}>
            <h3 className="t12 m">{titles[g]}</h3>
            <ul className="line-list">
              {here.map(({ d, text }) => (
                <li key={d.name} className="row g12" style={{ minHeight: 34 }} data-testid={`derived-${d.name}`}>
                  <span className="m2 sp el">{nameOf(d)}</span>
                  {text === null ? (
                    <span className="m">{t('derived.unknown')}</span>
                  ) : d.name === 'lifecycle_stage' ? (
                    <StageBadge stage={String(d.value as unknown)} />
                  ) : (
                    <span className="b el">{text}</span>
                  )}
                  <span className="t12 nw">
                    <Why
                      title={nameOf(d)}
                      badge={text === null ? undefined : <span className="b">{text}</span>}
                      sentence={inWords(d.why)}
                      steps={[]}
                      foot={[i18next.exists(`window.${d.window}`) ? t(`window.${d.window}` as 'window.ever') : d.window, t('derived.rests', { count: d.count, n: f.number(d.count) }), d.valid_until && t('derived.until', { date: f.date(d.valid_until) })].filter(Boolean).join(' · ')}
                    />
                  </span>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
      {!rows.some(telling) && !all && <p className="m2">{t('derived.empty')}</p>}
      {quiet > 0 && <button type="button" className="textlink t12" onClick={() => setAll(!all)}>{all ? t('show.fewer') : t('derived.rest', { count: quiet, n: f.number(quiet) })}</button>}
    </div>
  );
}

/** What a customer did and brought, channel by channel. */
export function StandingFacts({ person }: { person: Person }) {
  const { t } = useTranslation();
  const { channels, lost } = person.facts;
  const categories = person.facts.categories as unknown as Seen[];
  const products = person.facts.products as unknown as Seen[];
  const acts = (c: (typeof channels)[number]) => Object.values(c.acts).reduce((n, v) => n + v, 0);
  if (channels.length === 0 && lost.length === 0) return <EmptyState title={t('facts.empty')}>{t('facts.emptyText')}</EmptyState>;
  return (
    <>
      {channels.length > 0 && (
        <div className="tbl" tabIndex={0} role="group" aria-label={t('facts.title')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('facts.channel')}</th>
                <th scope="col" className="r" style={{ width: '15%' }}>{t('facts.acts')}</th>
                <th scope="col" className="r" style={{ width: '15%' }}>{t('col.orders')}</th>
                <th scope="col" className="r" style={{ width: '24%' }}>{t('col.revenue')}</th>
                <th scope="col" className="r" style={{ width: '20%' }}>{t('facts.last')}</th>
              </tr>
            </thead>
            <tbody>
              {channels.map((c) => (
                <tr key={c.channel} className="row-data">
                  <td style={{ height: 36 }} className="b">{f.capital(word(c.channel))}</td>
                  <td className="r" title={Object.entries(c.acts).map(([k, v]) => `${word(k)} ${f.number(v)}`).join(' · ')}>{f.number(acts(c))}</td>
                  <td className="r">{c.orders ? f.number(c.orders) : <span className="m">0</span>}</td>
                  <td className="r">{c.revenue.length ? f.moneyList(c.revenue) : <span className="m">{f.NONE}</span>}</td>
                  <td className="r m2">{c.last_at ? <When at={c.last_at} /> : f.NONE}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="body col g8">
        {lost.map((l) => (
          <span key={l.message_id + l.channel} className="row">
            <Badge tone={l.holds ? 'bad' : undefined}>{word(l.channel)}</Badge>
            <span className={`el sp ${l.holds ? '' : 'm'}`}>{[word(l.reason), l.address?.startsWith('+') ? f.phone(l.address) : l.address].filter(Boolean).join(' · ')}</span>
            <When at={l.at} className="t12 m nw" />
          </span>
        ))}
        {categories.length > 0 && <span className="t12 m2">{t('facts.categories', { list: categories.slice(0, 5).map((x) => x.value).join(', ') })}</span>}
        {products.length > 0 && <span className="t12 m2">{t('facts.products', { list: products.slice(0, 5).map((x) => x.value).join(', ') })}</span>}
      </div>
    </>
  );
}

/** What a trait was before, asked for when somebody wants to know. */
export function TraitPast({ id, name, label, title, show }: { id: string; name: string; label: string; title: string; show: (v: unknown) => string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const past = useQuery({
    queryKey: ['trait-history', id, name],
    queryFn: () => must(api.GET('/api/v1/customers/{person_id}/traits/{name}/history', { params: { path: { person_id: id, name } } })),
    enabled: open,
    staleTime: 0,
  });
  return (
    <Popover opened={open} onChange={setOpen} width={380} position="bottom-end" trapFocus withRoles>
      <Popover.Target>
        <button type="button" className="textlink t12 el" style={{ alignSelf: 'flex-end', maxWidth: '100%' }} onClick={() => setOpen(!open)}>
          {label}<span className="hidden-text">. {t('traits.history', { name: title })}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('traits.history', { name: title })}>
        <div className="col g8" tabIndex={0} role="region" aria-label={t('traits.history', { name: title })} style={{ maxHeight: 360, overflowY: 'auto' }} data-testid="trait-history">
          <h2>{t('traits.history', { name: title })}</h2>
          {past.error ? <ErrorNote error={past.error} retry={() => void past.refetch()} /> : !past.data ? <Skeleton rows={3} height={36} /> : past.data.items.length === 0 ? <p className="m2">{t('traits.historyEmpty')}</p> : (
            <ul className="line-list">
              {past.data.items.map((c) => (
                <li key={c.message_id} className="tr">
                  <div className="row">
                    <span className="b el sp">{(c.value as unknown) == null ? t('traits.removed') : show(c.value)}</span>
                    <When at={c.timestamp} className="t12 m nw" />
                  </div>
                  <span className="t12 m el" title={c.message_id}>{c.source.name}</span>
                </li>
              ))}
            </ul>
          )}
          {past.data && !past.data.complete && <p className="t12 m2">{t('traits.historyPart')}</p>}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
