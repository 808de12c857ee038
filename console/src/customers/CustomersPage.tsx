// Decision served: which people?
import { ActionIcon, Menu, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CustomerRow } from '../api/types';
import { segmentsQuery } from '../segments/query';
import { useLive } from '../session/live';
import { useMe } from '../session/session';
import { Avatar, Badge, EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconBrandTelegram, IconBrandViber, IconBrandWhatsapp, IconExternalLink, IconMail, IconMessage, IconPhone, IconPlus, IconSearch, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { MiniStrand } from '../ui/Strand';
import { customersQuery, EVERYTHING, personQuery, type Sort, timelineQuery } from './query';
import { channelName, fold } from './timeline';

const route = getRouteApi('/customers');

export const nameOf = (c: { name?: string | null; email?: string | null; phone?: string | null }, unnamed: string): string => c.name || c.email || (c.phone ? f.phone(c.phone) : '') || unnamed;

export default function CustomersPage() {
  const { t } = useTranslation();
  useTitle(t('nav.customers'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/customers' });
  const sort: Sort = search.sort === 'revenue' || search.sort === 'orders' ? search.sort : 'last_seen';
  const [text, setText] = useState(search.q ?? '');
  const [query] = useDebouncedValue(text.trim(), 150);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if ((search.q ?? '') !== query) void navigate({ search: (s) => ({ ...s, q: query || undefined, sel: undefined }), replace: true });
  }, [query]); // eslint-disable-line -- the address follows the field, not the other way round
  useShortcut('Slash', () => field.current?.focus(), { shift: false });

  const list = useInfiniteQuery({ ...customersQuery(query, search.segment, sort), placeholderData: keepPreviousData });
  const segments = useQuery(segmentsQuery);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const total = list.data?.pages[0]?.total;
  const segment = segments.data?.find((s) => s.id === search.segment);
  const selected = rows?.find((r) => r.person_id === search.sel);
  const select = (id: string | null) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true });
  const open = (r: CustomerRow) => void navigate({ to: '/customers/$id', params: { id: r.person_id }, search: {} });

  // The list is refreshed when something moves, but no more often than a person can read.
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive('counts', () => {
    due.current ??= setTimeout(() => {
      due.current = undefined;
      void list.refetch();
    }, 4000);
  });
  useEffect(() => () => clearTimeout(due.current), []);

  const currency = useMe().shop.currency;
  const narrow = Boolean(selected);
  const columns = useMemo<Column<CustomerRow>[]>(() => {
    const sorter = (key: Sort, label: string) => (
      <button type="button" className={sort === key ? 'on' : ''} aria-pressed={sort === key} onClick={() => void navigate({ search: (s) => ({ ...s, sort: key === 'last_seen' ? undefined : key }) })}>
        {label}
      </button>
    );
    return [
      {
        id: 'name',
        header: t('col.customer'),
        meta: { width: '30%' },
        cell: ({ row: { original: c } }) => {
          const name = nameOf(c, t('person.unnamed'));
          const line = [c.city, c.phone ? f.phone(c.phone) : c.email !== name ? c.email : null].filter(Boolean).join(' · ');
          return (
            <div className="row g12">
              <Avatar name={name} />
              <div className="col sp">
                <span className="row g4">
                  <Link to="/customers/$id" params={{ id: c.person_id }} search={{}} className="plain b el name">{name}</Link>
                  {c.demo && <Badge>{t('demo')}</Badge>}
                </span>
                <span className="t12 m2 el">{line || t('customers.noContacts')}</span>
              </div>
            </div>
          );
        },
      },
      {
        id: 'reach',
        header: t('col.reachable'),
        meta: { width: 104 },
        cell: ({ row: { original: c } }) => <Reach channels={c.channels} />,
      },
      {
        id: 'last',
        header: () => sorter('last_seen', t('col.lastEvent')),
        meta: { width: 128 },
        cell: ({ row: { original: c } }) => <When at={c.last_seen} />,
      },
      {
        id: 'segments',
        header: t('nav.segments'),
        cell: ({ row: { original: c } }) =>
          c.segments.length ? (
            <span className="row g4">
              <Badge>{c.segments[0]!.name}</Badge>
              {c.segments.length > 1 && <span className="t12 m" title={c.segments.map((s) => s.name).join(', ')}>{t('more', { n: f.number(c.segments.length - 1) })}</span>}
            </span>
          ) : (
            <None why={t('customers.noSegments')} />
          ),
      },
      // Beside a preview, which says it too, there is no room for it.
      ...(narrow ? [] : [{ id: 'events', header: t('col.events'), meta: { right: true, width: 84 }, cell: ({ row: { original: c } }: { row: { original: CustomerRow } }) => f.number(c.events) }]),
      { id: 'orders', header: () => sorter('orders', t('col.orders')), meta: { right: true, width: 84 }, cell: ({ row: { original: c } }) => (c.orders ? f.number(c.orders) : <None why={t('customers.noOrders')} />) },
      {
        id: 'revenue',
        header: () => sorter('revenue', t('col.revenueIn', { sign: f.currencySign(currency) })),
        meta: { right: true, width: 116 },
        cell: ({ row: { original: c } }) => {
          const first = c.revenue[0];
          if (!first) return <None why={t('customers.noOrders')} />;
          return <span className="b" title={f.moneyList(c.revenue, true)}>{c.revenue.length === 1 && first.currency === currency ? f.number(Math.round(f.amountOf(first))) : f.moneyList(c.revenue)}</span>;
        },
      },
    ];
  }, [t, sort, currency, navigate, narrow]);

  return (
    <div className="page fill">
      <PageHeader
        title={t('nav.customers')}
        note={total != null ? t('people', { count: total, n: f.number(total) }) : rows ? t('customers.shown', { n: f.number(rows.length) }) : undefined}
      />
      <div className="row wrap-row">
        <TextInput
          ref={field}
          aria-label={t('customers.search')}
          placeholder={t('customers.searchExample')}
          leftSection={<IconSearch />}
          rightSection={<kbd>/</kbd>}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          style={{ width: 320 }}
          data-testid="customers-search"
        />
        <SegmentFilter segment={segment?.name ?? (search.segment ? '…' : null)} list={segments.data ?? []} onPick={(id) => void navigate({ search: (s) => ({ ...s, segment: id, sel: undefined }) })} />
        <span className="sp" />
        <span className="t12 m">{sort === 'revenue' ? t('customers.byRevenue') : sort === 'orders' ? t('customers.byOrders') : t('customers.byLast')}</span>
      </div>
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable
            label={t('nav.customers')}
            rows={rows}
            columns={columns}
            rowId={(r) => r.person_id}
            rowHeight={44}
            selected={search.sel ?? null}
            onSelect={select}
            onOpen={open}
            rowTestId="customer-row"
            error={list.error}
            retry={() => void list.refetch()}
            more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
            empty={
              query || segment ? (
                <EmptyState
                  title={segment ? t('customers.nobodyIn', { name: segment.name, query: query || f.NONE }) : t('customers.nobody', { query })}
                  action={<button type="button" className="chip" onClick={() => { setText(''); void navigate({ search: { sort: search.sort } }); }}>{t('filter.clear')}</button>}
                >
                  {t('customers.nobodyText')}
                </EmptyState>
              ) : (
                <EmptyState title={t('customers.emptyTitle')} action={<Link to="/sources" search={{ create: true }}>{t('action.newSource')}</Link>}>{t('customers.emptyText')}</EmptyState>
              )
            }
          />
        </div>
        {selected && <Preview row={selected} close={() => select(null)} />}
      </div>
    </div>
  );
}

function SegmentFilter({ segment, list, onPick }: { segment: string | null; list: { id: string; name: string; count: number }[]; onPick: (id: string | undefined) => void }) {
  const { t } = useTranslation();
  return (
    <>
      {segment && (
        <span className="chip on">
          {t('filter.inSegment')} <b>{segment}</b>
          <button type="button" className="x" aria-label={t('filter.drop')} onClick={() => onPick(undefined)}><IconX className="s" /></button>
        </span>
      )}
      {!segment && list.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <button type="button" className="chip dash"><IconPlus className="s" />{t('filter.segment')}</button>
          </Menu.Target>
          <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
            {list.map((s) => (
              <Menu.Item key={s.id} rightSection={<span className="m t12">{f.number(s.count)}</span>} onClick={() => onPick(s.id)}>{s.name}</Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}

function Reach({ channels }: { channels: string[] }) {
  const { t } = useTranslation();
  const has = (c: string) => channels.includes(c);
  if (channels.length === 0) return <None why={t('customers.noReach')} />;
  const others = channels.filter((c) => !['email', 'phone', 'sms', 'viber', 'telegram', 'whatsapp'].includes(c));
  return (
    <span className="row" title={channels.map((c) => (c === 'phone' ? t('identifier.phone') : channelName(c))).join(', ')}>
      {has('email') && <IconMail aria-label={t('channel.email')} className="m2" />}
      {has('phone') && <IconPhone aria-label={t('identifier.phone')} className="m2" />}
      {has('sms') && <IconMessage aria-label={t('channel.sms')} className="m2" />}
      {has('viber') && <IconBrandViber aria-label="Viber" className="m2" />}
      {has('telegram') && <IconBrandTelegram aria-label="Telegram" className="m2" />}
      {has('whatsapp') && <IconBrandWhatsapp aria-label="WhatsApp" className="m2" />}
      {others.length > 0 && <span className="t12 m2">{others.join(', ')}</span>}
    </span>
  );
}

function Preview({ row, close }: { row: CustomerRow; close: () => void }) {
  const { t } = useTranslation();
  const timeline = useInfiniteQuery(timelineQuery(row.person_id, EVERYTHING, 30));
  const person = useQuery(personQuery(row.person_id));
  const name = nameOf(row, t('person.unnamed'));
  const steps = useMemo(() => fold(timeline.data?.pages[0]?.items ?? []).slice(0, 5), [timeline.data]);
  const average = person.data?.totals.average_order;
  return (
    <aside className="card detail" aria-label={name}>
      <div className="row g12">
        <Avatar name={name} size="mid" />
        <div className="col sp">
          <h2 className="el">{name}</h2>
          <span className="t12 m2 el">{[row.city, t('profiles', { count: row.profiles, n: f.number(row.profiles) })].filter(Boolean).join(' · ')}</span>
        </div>
        <ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon>
      </div>
      <Link to="/customers/$id" params={{ id: row.person_id }} search={{}} className="chip" style={{ justifyContent: 'center', height: 32 }}>
        <IconExternalLink className="s" /> <b>{t('open')}</b>
      </Link>
      <dl className="kv">
        <dt>{t('person.revenue')}</dt>
        <dd>{f.moneyList(row.revenue)}</dd>
        <dt>{t('person.average')}</dt>
        <dd>{f.moneyList(average, true)}</dd>
        <dt>{t('col.orders')}</dt>
        <dd>{f.number(row.orders)}</dd>
        <dt>{t('person.since')}</dt>
        <dd>{f.date(row.first_seen)}</dd>
      </dl>
      <div>
        <div className="row"><h3 className="sp">{t('customers.latest')}</h3><span className="t12 m">{f.number(row.events)}</span></div>
        <MiniStrand rows={steps.map((s) => ({ key: s.key, strand: s.items[0]!.strand, text: s.told.title, time: f.brief(s.items[0]!.timestamp), exact: f.exact(s.items[0]!.timestamp) }))} />
      </div>
      {row.segments.length > 0 && (
        <div className="col g8">
          <h3>{t('nav.segments')}</h3>
          <div className="row g4 wrap-row">
            {row.segments.map((s) => (
              <Link key={s.id} to="/segments/$id" params={{ id: s.id }} search={{}}><Badge>{s.name}</Badge></Link>
            ))}
          </div>
        </div>
      )}
    </aside>
  );
}

