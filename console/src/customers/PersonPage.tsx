// Decision served: what do I say or do for this human now?
import { SegmentedControl } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { Stream } from '../api/stream';
import type { Person, TimelineItem } from '../api/types';
import { MessageWhy, StatusBadge } from '../messages/parts';
import { useMe } from '../session/session';
import { Avatar, Badge, CopyButton, EmptyState, ErrorNote, NumberStrip, Panel, STRANDS, When } from '../ui/base';
import * as f from '../ui/format';
import { IconMail, IconMessage, IconPhone } from '../ui/icons';
import { remember } from '../ui/Palette';
import { useTitle } from '../ui/Shell';
import { PersonActs } from './Acts';
import { ComputedTraits } from './Computed';
import { ConsentForm } from './ConsentForm';
import { Household } from './Household';
import { Preferences } from './Preferences';
import { Identities } from './Identities';
import { DerivedTraits, StandingFacts, TraitPast } from './Known';
import { History } from './History';
import { customerPageQuery, type HistoryFilter, identityQuery, personName, personQuery } from './query';
import { Files, Notes } from './Notes';
import { traitName } from './traits';
import { channelName, purposeName } from './timeline';

// Only who may see orders loads their panel.
const AfterOfCustomer = lazy(() => import('../returns/ForCustomer'));
const route = getRouteApi('/customers/$id');

/** Rights under which every kind of entries comes with the stream. */
const SEEN_BY = ['orders:read', 'service:read', 'reviews:read', 'messages:read', 'consents:read'];

export default function PersonPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/customers/$id' });
  const client = useQueryClient();
  const person = useQuery(personQuery(id));
  const pageOf = useQuery(customerPageQuery);
  const [stream, setStream] = useState<Stream | null>(null);
  const p = person.data;
  const phone = p?.identifiers.find((i) => i.kind === 'phone')?.value;
  const address = p?.identifiers.find((i) => i.kind === 'email');
  const email = address?.value;
  const flaws: Record<string, string> = { email_blocked_service: t('flaw.mark.email_blocked_service'), email_disposable: t('flaw.mark.email_disposable'), email_mistyped_domain: t('flaw.mark.email_mistyped_domain'), email_invalid: t('flaw.mark.email_invalid') };
  const trait = (n: string) => (typeof p?.traits[n] === 'string' ? (p.traits[n] as string) : '');
  const name = p ? (personName(p) ?? t('person.unnamed')) : '';
  const city = trait('city') || (p?.traits.address && typeof p.traits.address === 'object' ? String((p.traits.address as { city?: string }).city ?? '') : '');
  useTitle(name || null);
  const { rights } = useMe();
  const orders = rights.includes('orders:read');
  const sees = rights.filter((r) => SEEN_BY.includes(r)).length === SEEN_BY.length;

  useEffect(() => {
    const s = new Stream(`/api/v1/customers/${encodeURIComponent(id)}/stream`);
    setStream(s);
    let due: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      due ??= setTimeout(() => {
        due = undefined;
        for (const key of ['person', 'identity', 'person-messages', 'timeline-counts']) void client.invalidateQueries({ queryKey: [key, id] });
      }, 250);
    };
    s.on('person', refresh);
    s.on<TimelineItem>('timeline', refresh);
    // Who may not see every kind is told only that something happened.
    if (!sees) s.on('person', () => void client.invalidateQueries({ queryKey: ['timeline', id] }));
    s.onReturn(() => void client.invalidateQueries({ queryKey: ['timeline', id] }));
    return () => {
      clearTimeout(due);
      s.close();
      setStream(null);
    };
  }, [id, client, sees]);

  // Who is joined or separated brings or takes a history.
  const members = p?.profile_ids.join(' ');
  const membersBefore = useRef(members);
  useEffect(() => {
    if (membersBefore.current !== undefined && members !== undefined && membersBefore.current !== members) void client.invalidateQueries({ queryKey: ['timeline', id] });
    membersBefore.current = members;
  }, [members, id, client]);

  // An absorbed profile's id leads to the person that it belongs to now.
  useEffect(() => {
    if (p && p.person_id !== id) void navigate({ params: { id: p.person_id }, replace: true });
    else if (p) remember({ id: p.person_id, name, note: [phone && f.phone(phone), city].filter(Boolean).join(' · ') });
  }, [p, id, name, phone, city, navigate]);

  if (!p && person.error)
    return (
      <div className="page">
        {person.error instanceof Problem && person.error.status === 404 ? (
          <div className="card"><EmptyState title={t('person.notFound')} action={<Link to="/customers" search={{}}>{t('person.toList')}</Link>}>{t('person.notFoundText')}</EmptyState></div>
        ) : (
          <ErrorNote error={person.error} retry={() => void person.refetch()} />
        )}
      </div>
    );

  const totals = p?.totals;
  const filter: HistoryFilter = { kinds: search.kind?.split(',').filter(Boolean) ?? [], channel: STRANDS.find((x) => x === search.channel), from: search.from, to: search.to };
  const setFilter = (x: HistoryFilter) => void navigate({ search: { kind: x.kinds.join() || undefined, channel: x.channel, from: x.from, to: x.to }, replace: true });
  // Which panels there are is the server's to say: those of areas that the reader may not see are not named.
  const shows = (panel: string) => pageOf.data?.panels.some((x) => x.id === panel) ?? false;
  return (
    <div className="page fill person">
      <div className="head">
        {p ? <Avatar name={name} size="big" /> : <span className="av big" />}
        <div className="col sp">
          <div className="row">
            <h1 className="el" data-testid="person-name">{name || '\u00a0'}</h1>
            {p?.segments.slice(0, 2).map((s) => <Link key={s.id} to="/segments/$id" params={{ id: s.id }} search={{}}><Badge tone="good">{s.name}</Badge></Link>)}
          </div>
          <span className="m2 el">
            {p && totals ? [city, t('person.customerSince', { date: f.dateLong(totals.first_seen) }), t('person.profiles', { count: p.profile_ids.length, n: f.number(p.profile_ids.length) })].filter(Boolean).join(' · ') : '\u00a0'}
          </span>
        </div>
        {phone && <CopyButton text={phone} label={f.phone(phone)} />}
        {email && email !== name && <CopyButton text={email} label={email} />}
        {address?.flaw && <Badge tone="warn">{flaws[address.flaw] ?? address.flaw}</Badge>}
        {p && <PersonActs person={p} name={name} />}
      </div>
      <NumberStrip
        calm
        label={t('person.numbers')}
        items={[
          { label: t('person.revenue'), value: totals ? f.moneyList(totals.revenue) : f.NONE, note: totals?.refunded.length ? t('person.refunded', { sum: f.moneyList(totals.refunded) }) : t('person.noRefunds'), to: `/customers/${id}`, search: { kind: 'purchases,returns' } },
          { label: t('person.orders'), value: totals ? f.number(totals.orders) : f.NONE, note: totals?.last_order_at ? t('person.lastOrder', { when: f.ago(totals.last_order_at) }) : t('customers.noOrders'), to: `/customers/${id}`, search: { kind: 'purchases,returns' } },
          { label: t('person.average'), value: totals ? f.moneyList(totals.average_order, true) : f.NONE, note: totals ? t('person.refunds', { count: totals.refunds, n: f.number(totals.refunds) }) : '', to: `/customers/${id}`, search: { kind: 'purchases,returns' } },
          { label: t('person.events'), value: totals ? f.number(totals.events) : f.NONE, note: totals ? t('person.lastSeen', { when: f.ago(totals.last_seen) }) : '', to: `/customers/${id}`, search: {} },
        ]}
      />
      <div className="pg">
        <History id={id} events={totals?.events} filter={filter} change={setFilter} stream={stream} />
        <div className="side" tabIndex={-1}>
          {shows('identities') && <IdentityPanel id={id} name={name} />}
          <Panel title={t('facts.title')} query={person}>
            {(x) => <StandingFacts person={x} />}
          </Panel>
          <div className="person-two">
            <div className="col g16">
            <Panel title={t('derived.title')} query={person} testId="derived">
              {(x) => <DerivedTraits person={x} />}
            </Panel>
            <Panel title={t('person.known')} count={p ? f.number(Object.keys(p.traits).length) : undefined} query={person} empty={(x) => Object.keys(x.traits).length === 0} emptyText={<EmptyState title={t('traits.empty')}>{t('traits.emptyText')}</EmptyState>}>
              {(x) => <Traits person={x} />}
            </Panel>
            </div>
            <div className="col g16">
              {shows('computed') && (p?.computed.length ?? 0) > 0 && (
                <Panel title={t('computed.title')} count={p?.computed.length} query={person} testId="computed">
                  {(x) => <ComputedTraits person={x} />}
                </Panel>
              )}
              {orders && <Suspense fallback={null}><AfterOfCustomer person={id} /></Suspense>}
              {shows('household') && <Household id={id} />}
              {shows('consents') && <Panel title={t('person.consents')} query={person} right={p && <ConsentForm person={p} />}>
                {(x) => <Consents person={x} />}
              </Panel>}
              {shows('consents') && <Preferences person={id} />}
              {shows('segments') && <Panel title={t('nav.segments')} count={p?.segments.length} query={person} empty={(x) => x.segments.length === 0} emptyText={<p className="body m2">{t('customers.noSegments')}</p>}>
                {(x) => (
                  <ul className="body line-list">
                    {x.segments.map((s) => (
                      <li key={s.id} className="tr">
                        <div className="row">
                          <Link className="plain b sp el name" to="/segments/$id" params={{ id: s.id }} search={{}}>{s.name}</Link>
                          <span className="t12 m nw">{t('segment.since', { date: f.ago(s.since) })}</span>
                        </div>
                        {s.leaves_at && <span className="t12 m2">{t('segment.leaves', { date: f.date(s.leaves_at) })}</span>}
                      </li>
                    ))}
                  </ul>
                )}
              </Panel>}
              <Notes id={id} />
              <Files id={id} />
              {shows('messages') && <Messages id={id} />}
            </div>
          </div>
        </div>
      </div>
    </div>
  );
}

function IdentityPanel({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation();
  const identity = useQuery(identityQuery(id));
  const d = identity.data;
  const [view, setView] = useState<'graph' | 'list'>('graph');
  const drawable = d !== undefined && d.profiles.length > 0 && d.profiles.length <= 12;
  const count = d ? [t('profiles', { count: d.profiles.length, n: f.number(d.profiles.length) }), t('identifiers', { count: d.profiles.reduce((n, p) => n + p.identifiers.length, 0), n: f.number(d.profiles.reduce((n, p) => n + p.identifiers.length, 0)) })].join(', ') : undefined;
  return (
    <Panel
      title={t('person.who')}
      count={count}
      query={identity}
      right={drawable && <SegmentedControl value={view} onChange={(v) => setView(v as 'graph' | 'list')} aria-label={t('identity.view')} data={[{ value: 'graph', label: t('identity.graph') }, { value: 'list', label: t('identity.list') }]} />}
    >
      {(x) => <Identities id={id} name={name} identity={x} list={view === 'list' || !drawable} toList={() => setView('list')} />}
    </Panel>
  );
}

function traitText(v: unknown): string {
  if (typeof v === 'number') return f.number(v);
  if (typeof v === 'boolean') return v ? '✓' : f.NONE;
  if (Array.isArray(v)) return v.map(traitText).join(', ');
  if (v && typeof v === 'object') return Object.values(v).map(traitText).join(', ');
  return String(v);
}

function Traits({ person }: { person: Person }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const names = Object.keys(person.traits).sort(f.compareText);
  const shown = all ? names : names.slice(0, 7);
  return (
    <div className="body">
      <ul className="line-list">
        {shown.map((n) => {
          const origin = person.trait_origins.find((o) => o.name === n);
          return (
            <li key={n} className="tr">
              <div className="row">
                <span className="m2 sp nw">{traitName(n)}</span>
                <span className="b el" title={traitText(person.traits[n])}>{n === 'phone' ? f.phone(traitText(person.traits[n])) : traitText(person.traits[n])}</span>
              </div>
              {origin && <TraitPast id={person.person_id} name={n} title={traitName(n)} show={(v) => (n === 'phone' ? f.phone(traitText(v)) : traitText(v))} label={t('traits.origin', { source: origin.source, date: f.ago(origin.timestamp) })} />}
            </li>
          );
        })}
      </ul>
      {names.length > 7 && <button type="button" className="textlink t12" onClick={() => setAll(!all)}>{all ? t('show.fewer') : t('show.all', { n: f.number(names.length) })}</button>}
    </div>
  );
}

const channelIcons: Record<string, typeof IconMail> = { email: IconMail, sms: IconMessage, call: IconPhone, phone: IconPhone };

function Consents({ person }: { person: Person }) {
  const { t } = useTranslation();
  if (person.consents.length === 0) return <p className="body m2">{t('consents.none')}</p>;
  return (
    <ul className="body line-list">
      {person.consents.map((c, i) => {
        const Icon = channelIcons[c.channel] ?? IconMessage;
        const address = c.channel === 'email' ? c.address : f.phone(c.address ?? '');
        // Of one address everybody knows which it is.
        const several = new Set(person.consents.filter((o) => o.channel === c.channel).map((o) => o.address)).size > 1;
        return (
          <li key={i} className="tr">
            <div className="row">
              <Icon className="s" style={{ alignSelf: 'center' }} />
              <span className="sp el">{channelName(c.channel)}, {purposeName(c.purpose)}</span>
              <Badge tone={c.state === 'granted' ? 'good' : 'bad'}>{c.state === 'granted' ? t('consents.granted') : t('consents.denied')}</Badge>
            </div>
            <span className="t12 m el" title={[address, f.exact(c.at), c.wording].filter(Boolean).join(' · ')}>{[several && address, f.ago(c.at), c.wording || (!several && address)].filter(Boolean).join(' · ')}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Messages({ id }: { id: string }) {
  const { t } = useTranslation();
  const messages = useQuery({ queryKey: ['person-messages', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/messages', { params: { path: { person_id: id }, query: { limit: 8 } } })) });
  return (
    <Panel title={t('nav.messages')} query={messages} right={<Link to="/messages" search={{ person: id }}>{t('all')}</Link>} empty={(x) => x.items.length === 0} emptyText={<p className="body m2">{t('person.noMessages')}</p>}>
      {(x) => (
        <ul className="body line-list">
          {x.items.map((m) => (
            <li key={m.id} className="tr" data-testid="person-message">
              <div className="row">
                <span className="b el sp">{m.subject || m.template_name || m.rule_name}</span>
                <StatusBadge status={m.status} />
                <When at={m.settled_at ?? m.intended_at} className="t12 m nw" />
              </div>
              <div className="row t12 m2">
                <span className="el sp">{m.rule_name ?? channelName(m.channel)}</span>
                <MessageWhy message={m} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
