import { Button, Popover } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Identity } from '../api/types';
import { ActLink } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { IconFingerprint, IconScissors } from '../ui/icons';
import { say } from '../ui/toast';
import { identifierName, identifierText } from './timeline';

type Profile = Identity['profiles'][number];
type Edge = Identity['edges'][number];

/** Who stays with whom once these edges are gone. */
export function split(profiles: Profile[], edges: Edge[], removed: Set<string>): Profile[][] {
  const parent = new Map(profiles.map((p) => [p.profile_id, p.profile_id]));
  const find = (id: string): string => {
    const up = parent.get(id);
    return up === undefined || up === id ? id : find(up);
  };
  for (const e of edges) if (!removed.has(e.id)) parent.set(find(e.a), find(e.b));
  const groups = new Map<string, Profile[]>();
  for (const p of profiles) groups.set(find(p.profile_id), [...(groups.get(find(p.profile_id)) ?? []), p]);
  return [...groups.values()];
}

export function Identities({ id, name, identity, list, toList }: { id: string; name: string; identity: Identity; list: boolean; toList: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="body">
      {list ? <List id={id} name={name} identity={identity} /> : <Graph identity={identity} />}
      {!list && identity.edges.length > 0 && <button type="button" className="textlink t12" style={{ marginTop: 8 }} onClick={toList}>{t('identity.howJoined', { count: identity.edges.length, n: f.number(identity.edges.length) })}</button>}
      {identity.cannot_link.length > 0 && (
        <ul style={{ marginTop: 8 }}>
          {identity.cannot_link.map((c) => (
            <li key={c.id} className="row t12 m2">
              <Badge tone="bad">{t('identity.apart')}</Badge>
              <span className="el">{t('identity.apartText', { a: f.middle(c.a, 4), b: f.middle(c.b, 4), actor: c.actor, date: f.ago(c.at) })}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const GAP = 24;
const clip = (s: string, n: number) => (s.length > n ? `${s.slice(0, n - 1)}…` : s);

/** Profiles as boxes in a row, the evidence that joins them above, their identifiers below. */
function Graph({ identity }: { identity: Identity }) {
  const { t } = useTranslation();
  const { profiles, edges } = identity;
  const W = profiles.length <= 2 ? 220 : profiles.length === 3 ? 168 : 140;
  const letters = Math.floor((W - 14) / 6.7);
  const width = Math.max(profiles.length * (W + GAP) - GAP, 560);
  const left = (width - (profiles.length * (W + GAP) - GAP)) / 2;
  const x = new Map(profiles.map((p, i) => [p.profile_id, left + i * (W + GAP)]));
  const rows = Math.min(4, Math.max(1, ...profiles.map((p) => p.identifiers.length)));
  // Edges with one piece of evidence meet in one pill.
  const groups = new Map<string, { text: string; ends: Set<string> }>();
  for (const e of edges) {
    const key = e.evidence ? `${e.evidence.kind}:${e.evidence.value}` : e.id;
    const g = groups.get(key) ?? { text: e.evidence ? shortText(e.evidence) : ruleText(e.rule), ends: new Set<string>() };
    g.ends.add(e.a).add(e.b);
    groups.set(key, g);
  }
  const pills = [...groups.entries()]
    .map(([key, g]) => {
      const ends = [...g.ends].map((p) => x.get(p)).filter((v): v is number => v !== undefined).map((v) => v + W / 2);
      const text = clip(g.text, 28);
      return { key, ends, text, w: Math.max(64, text.length * 6.8 + 20), mx: ends.reduce((a, b) => a + b, 0) / ends.length, y: 18 };
    })
    .filter((p) => p.ends.length > 1)
    .sort((a, b) => a.mx - b.mx);
  // Side by side where there is room, so that no line runs behind a pill; else one below the other.
  const oneRow = pills.reduce((n, p) => n + p.w + 16, -16) <= width;
  if (oneRow) {
    for (let i = 1; i < pills.length; i++) pills[i]!.mx = Math.max(pills[i]!.mx, pills[i - 1]!.mx + (pills[i - 1]!.w + pills[i]!.w) / 2 + 16);
    let right = width;
    for (const p of [...pills].reverse()) {
      p.mx = Math.min(p.mx, right - p.w / 2);
      right = p.mx - p.w / 2 - 16;
    }
  } else pills.forEach((p, i) => (p.y = 18 + i * 34));
  const top = pills.length ? 40 + (oneRow ? 1 : pills.length) * 34 : 8;
  const height = top + 44 + 20 + rows * 30 + 4;
  return (
    <div className="graph" tabIndex={0} role="region" aria-label={t('identity.graph')}>
      <svg width="100%" height={height} viewBox={`0 0 ${width} ${height}`} style={{ minWidth: width, display: 'block' }} role="img" aria-label={t('identity.summary', { n: f.number(profiles.length), edges: f.number(edges.length) })}>
        {pills.map(({ key, ends, mx, y }) => ends.map((ex) => <path key={`${key}${ex}`} d={`M${mx} ${y}C${mx} ${(y + top) / 2} ${ex} ${(y + top) / 2} ${ex} ${top}`} fill="none" stroke="var(--line-strong)" strokeWidth="1.5" />))}
        {pills.map(({ key, mx, y, w, text }) => (
          <g key={key}>
            <rect x={mx - w / 2} y={y - 14} width={w} height={26} rx={6} fill="var(--hover)" />
            <text x={mx} y={y + 3} textAnchor="middle" style={{ fontSize: 12, fill: 'var(--ink)' }}>{text}</text>
          </g>
        ))}
        {profiles.map((p) => {
          const px = x.get(p.profile_id)!;
          const shown = p.identifiers.slice(0, rows === 4 && p.identifiers.length > 4 ? 3 : 4);
          return (
            <g key={p.profile_id} className="gp">
              {shown.map((i, n) => {
                const y = top + 44 + 20 + n * 30;
                return (
                  <g key={`${i.kind}${i.value}`}>
                    {n === 0 && <path d={`M${px + W / 2} ${top + 44}V${y}`} stroke="var(--line-strong)" strokeWidth="1.5" />}
                    <rect x={px} y={y} width={W} height={26} rx={6} style={{ fill: 'var(--hover)', stroke: 'none' }} />
                    <text x={px + W / 2} y={y + 17} textAnchor="middle" style={{ fontSize: 12, fill: 'var(--ink)' }}>{clip(shortText(i), letters)}<title>{`${identifierName(i.kind)}: ${i.value}`}</title></text>
                  </g>
                );
              })}
              {p.identifiers.length > shown.length && (
                <text x={px + W / 2} y={top + 44 + 20 + shown.length * 30 + 17} textAnchor="middle" style={{ fontSize: 12 }}>{t('more', { n: f.number(p.identifiers.length - shown.length) })}</text>
              )}
              <rect x={px + 0.5} y={top + 0.5} width={W - 1} height={43} rx={8} />
              <text x={px + 12} y={top + 18} style={{ fontSize: 12, fontWeight: 470, fill: 'var(--ink)' }}>{clip(p.source ?? t('identity.profile'), letters - 2)}</text>
              <text x={px + 12} y={top + 34} style={{ fontSize: 12, fill: 'var(--ink-2)' }}>{f.date(p.created_at)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** Nobody reads a visitor's id: its ends tell it apart. */
const shortText = (i: { kind: string; value: string }): string => (i.kind === 'phone' ? f.phone(i.value) : i.kind === 'anonymous_id' ? `${identifierName(i.kind)} ${f.middle(i.value, 3)}` : i.value);

function ruleText(rule: string): string {
  return rule.replaceAll('_', ' ');
}

function Edges({ id, name, identity }: { id: string; name: string; identity: Identity }) {
  const { t } = useTranslation();
  const label = (pid: string) => identity.profiles.find((p) => p.profile_id === pid)?.source ?? f.middle(pid, 4);
  return (
    <ul className="line-list" style={{ marginTop: 8 }}>
      {identity.edges.map((e) => (
        <li key={e.id} className="row g12" style={{ minHeight: 48 }}>
          <IconFingerprint className="m" />
          <div className="col sp">
            <span className="el">{t('identity.joined', { a: label(e.a), b: label(e.b) })}</span>
            <span className="t12 m el">{[e.evidence ? `${identifierName(e.evidence.kind)} ${identifierText(e.evidence)}` : ruleText(e.rule), f.date(e.at), t('identity.event', { id: f.middle(e.message_id) })].join(' · ')}</span>
          </div>
          <Separate id={id} name={name} identity={identity} cut={{ edge: e }} />
        </li>
      ))}
    </ul>
  );
}

function List({ id, name, identity }: { id: string; name: string; identity: Identity }) {
  const { t } = useTranslation();
  return (
    <div className="col g12">
      {identity.edges.length > 0 && <Edges id={id} name={name} identity={identity} />}
      {identity.profiles.length === 0 && <EmptyState title={t('identity.none')} />}
      {identity.profiles.map((p) => (
        <section key={p.profile_id}>
          <h3 className="row">{p.source ?? t('identity.profile')}<span className="t12 m">{[f.date(p.created_at), f.middle(p.profile_id, 4)].join(' · ')}</span></h3>
          <ul className="line-list">
            {p.identifiers.map((i) => (
              <li key={`${i.kind}${i.value}`} className="row" style={{ minHeight: 32 }}>
                <span className="m2" style={{ width: 128, flex: 'none' }}>{identifierName(i.kind)}</span>
                <span className="b el sp" title={i.value}>{identifierText(i)}</span>
                {p.identifiers.length > 1 && <Separate id={id} name={name} identity={identity} cut={{ profile: p, identifier: i }} />}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

type Cut = { edge: Edge } | { profile: Profile; identifier: { kind: string; value: string } };

/** Shows who will result before it happens: what is cut here is kept apart for good. */
function Separate({ id, name, identity, cut }: { id: string; name: string; identity: Identity; cut: Cut }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const separate = useMutation({
    mutationFn: () =>
      must(api.POST('/api/v1/customers/{person_id}/unmerge', { params: { path: { person_id: id } }, body: 'edge' in cut ? { edges: [cut.edge.id] } : { detach: { kind: cut.identifier.kind, value: cut.identifier.value } } })),
    onSuccess: (r) => {
      setOpen(false);
      for (const key of ['person', 'identity', 'timeline', 'customers', 'person-messages']) void client.invalidateQueries({ queryKey: [key] });
      const other = r.people.find((p) => p.person_id !== id);
      say(
        <>
          {t('identity.separated', { count: r.people.length, n: f.number(r.people.length) })}{' '}
          {other && <button type="button" onClick={() => void navigate({ to: '/customers/$id', params: { id: other.person_id }, search: {} })}>{t('identity.openOther')}</button>}
        </>,
      );
    },
  });
  let sides: ReactNode;
  let count = 2;
  if ('edge' in cut) {
    const groups = split(identity.profiles, identity.edges, new Set([cut.edge.id]));
    count = groups.length;
    sides = groups.map((g, i) => (
      <Side key={i} title={i === 0 ? name : t('identity.side', { n: f.number(i + 1) })} profiles={t('profiles', { count: g.length, n: f.number(g.length) })} identifiers={g.flatMap((p) => p.identifiers)} />
    ));
  } else {
    const same = (i: { kind: string; value: string }) => i.kind === cut.identifier.kind && i.value === cut.identifier.value;
    sides = (
      <>
        <Side title={name} profiles={t('profiles', { count: identity.profiles.length, n: f.number(identity.profiles.length) })} identifiers={identity.profiles.flatMap((p) => p.identifiers).filter((i) => !same(i))} />
        <Side title={t('identity.newPerson')} profiles={t('profiles', { count: 1, n: '1' })} identifiers={[cut.identifier]} />
      </>
    );
  }
  return (
    <Popover opened={open} onChange={setOpen} width={400} position="left-start" trapFocus>
      <Popover.Target>
        <ActLink right="identity:write" onClick={() => setOpen(!open)} aria-expanded={open}>{t('identity.separate')}</ActLink>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('identity.separateTitle')}>
        <div className="col g12">
          <h2>{t('identity.separateTitle')}</h2>
          {count > 1 ? <div className="grid2">{sides}</div> : <p className="m2">{t('identity.stillJoined')}</p>}
          <p className="t12 m2">{t('identity.separateText')}</p>
          {separate.error && <ErrorNote error={separate.error} />}
          <div className="form-actions">
            <Button variant="default" className="danger" leftSection={<IconScissors className="s" />} loading={separate.isPending} onClick={() => separate.mutate()}>
              {count > 1 ? t('identity.doSeparate', { count, n: f.number(count) }) : t('identity.removeEdge')}
            </Button>
            <Button variant="subtle" onClick={() => setOpen(false)}>{t('cancel')}</Button>
          </div>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function Side({ title, profiles, identifiers }: { title: string; profiles: string; identifiers: { kind: string; value: string }[] }) {
  const { t } = useTranslation();
  return (
    <div className="col g4" style={{ minWidth: 0 }}>
      <span className="b el">{title}</span>
      <span className="t12 m2">{profiles}</span>
      <ul className="t12">
        {identifiers.slice(0, 6).map((i) => (
          <li key={`${i.kind}${i.value}`} className="el" title={i.value}><span className="m">{identifierName(i.kind)}</span> {identifierText(i)}</li>
        ))}
        {identifiers.length > 6 && <li className="m">{t('more', { n: f.number(identifiers.length - 6) })}</li>}
      </ul>
    </div>
  );
}
