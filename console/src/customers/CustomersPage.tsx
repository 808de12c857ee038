// Decision served: which people?
import { ActionIcon, Button, Menu, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate, useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CustomerRow } from '../api/types';
import { segmentsQuery } from '../segments/query';
import { useLive } from '../session/live';
import { useRight } from '../session/rights';
import { useMe } from '../session/session';
import { Avatar, Badge, EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconBrandTelegram, IconBrandViber, IconBrandWhatsapp, IconClipboardText, IconExternalLink, IconListCheck, IconMail, IconMessage, IconPencil, IconPhone, IconPlus, IconSearch, IconUpload, IconUserMinus, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { MiniStrand } from '../ui/Strand';
import { BulkBar } from '../ui/tables/BulkBar';
import { ColumnPicker } from '../ui/tables/ColumnPicker';
import { Download } from '../ui/tables/Download';
import { usePaste } from '../ui/tables/usePaste';
import { RecentChanges } from '../ui/tables/RecentChanges';
import { useArranged } from '../ui/tables/useArranged';
import { ViewTabs } from '../ui/tables/ViewTabs';
import { ChangeLists, MOST, PasteCustomers, SetTrait } from './bulk';
import { customersQuery, EVERYTHING, personQuery, type Sort, timelineQuery } from './query';
import { StageBadge, stageName } from './Stage';
import { channelName, fold } from './timeline';

/** Columns that stand in the list of columns, but are shown only when somebody asks for them. */
const OFF = ['email', 'phone', 'city', 'events', 'profiles', 'since', 'id'] as const;

const route = getRouteApi('/customers');

export const nameOf = (c: { name?: string | null; email?: string | null; phone?: string | null }, unnamed: string): string => c.name || c.email || (c.phone ? f.phone(c.phone) : '') || unnamed;

export default function CustomersPage() {
  const { t } = useTranslation();
  useTitle(t('nav.customers'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/customers' });
  const router = useRouter();
  const sort: Sort = search.sort === 'revenue' || search.sort === 'orders' ? search.sort : 'last_seen';
  const [text, setText] = useState(search.q ?? '');
  const field = useRef<HTMLInputElement>(null);
  // The address is the truth; the field runs a moment ahead of it while somebody types.
  const query = search.q ?? '';
  const typing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const type = (value: string) => {
    setText(value);
    clearTimeout(typing.current);
    typing.current = setTimeout(() => {
      // Who has opened somebody meanwhile has left, though this page stands until the next one is loaded.
      if (router.latestLocation.pathname === '/customers') void navigate({ search: (s) => ({ ...s, q: value.trim() || undefined, sel: undefined }), replace: true });
    }, 150);
  };
  useEffect(() => {
    // A view, or the way back, changes the address under the field.
    clearTimeout(typing.current);
    setText((now) => (now.trim() === query ? now : query));
  }, [query]);
  useEffect(() => () => clearTimeout(typing.current), []);
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
  const columns = useMemo<Column<CustomerRow>[]>(() => {
    const text = (id: string, title: string, of: (c: CustomerRow) => string | null | undefined, width: number): Column<CustomerRow> => ({
      id,
      header: title,
      meta: { width, value: (c) => of(c) ?? null },
      cell: ({ row: { original: c } }) => (of(c) ? <span className="el" title={of(c)!}>{of(c)}</span> : <None />),
    });
    const sorter = (key: Sort, label: string) => (
      <button type="button" className={sort === key ? 'on' : ''} aria-pressed={sort === key} onClick={() => void navigate({ search: (s) => ({ ...s, sort: key === 'last_seen' ? undefined : key }) })}>
        {label}
      </button>
    );
    return [
      {
        id: 'name',
        header: t('col.customer'),
        meta: { width: '30%', value: (c) => nameOf(c, t('person.unnamed')) },
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
        meta: { width: 104, value: (c) => c.channels.map((x) => (x === 'phone' ? t('identifier.phone') : channelName(x))).join(', ') },
        cell: ({ row: { original: c } }) => <Reach channels={c.channels} />,
      },
      {
        id: 'last',
        header: () => sorter('last_seen', t('col.lastEvent')),
        meta: { width: 128, title: t('col.lastEvent'), value: (c) => new Date(c.last_seen) },
        cell: ({ row: { original: c } }) => <When at={c.last_seen} />,
      },
      {
        id: 'segments',
        header: t('nav.segments'),
        meta: { value: (c) => c.segments.map((x) => x.name).join(', ') },
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
      { id: 'stage', header: t('col.stage'), meta: { width: 132, value: (c) => (c.stage ? stageName(c.stage) : null) }, cell: ({ row: { original: c } }) => (c.stage ? <StageBadge stage={c.stage} /> : <None why={t('customers.noStage')} />) },
      { id: 'orders', header: () => sorter('orders', t('col.orders')), meta: { right: true, width: 84, title: t('col.orders'), value: (c) => c.orders }, cell: ({ row: { original: c } }) => (c.orders ? f.number(c.orders) : <None why={t('customers.noOrders')} />) },
      {
        id: 'revenue',
        header: () => sorter('revenue', t('col.revenueIn', { sign: f.currencySign(currency) })),
        meta: { right: true, width: 116, title: t('col.revenueIn', { sign: f.currencySign(currency) }), value: (c) => (c.revenue.length === 1 && c.revenue[0]!.currency === currency ? f.amountOf(c.revenue[0]!) : f.moneyList(c.revenue, true)) },
        cell: ({ row: { original: c } }) => {
          const first = c.revenue[0];
          if (!first) return <None why={t('customers.noOrders')} />;
          return <span className="b" title={f.moneyList(c.revenue, true)}>{c.revenue.length === 1 && first.currency === currency ? f.number(Math.round(f.amountOf(first))) : f.moneyList(c.revenue)}</span>;
        },
      },
      text('email', t('field.email'), (c) => c.email, 200),
      text('phone', t('field.phone'), (c) => c.phone && f.phone(c.phone), 148),
      text('city', t('field.city'), (c) => c.city, 120),
      { id: 'events', header: t('col.events'), meta: { right: true, width: 84, value: (c) => c.events }, cell: ({ row: { original: c } }) => f.number(c.events) },
      { id: 'profiles', header: t('col.profiles'), meta: { right: true, width: 84, value: (c) => c.profiles }, cell: ({ row: { original: c } }) => f.number(c.profiles) },
      { id: 'since', header: t('person.since'), meta: { width: 120, value: (c) => new Date(c.first_seen) }, cell: ({ row: { original: c } }) => f.date(c.first_seen) },
      text('id', t('paste.personId'), (c) => c.person_id, 88),
    ];
  }, [t, sort, currency, navigate]);
  const table = useArranged('customers', columns, OFF);
  const shown = useMemo(() => (selected ? table.columns.filter((c) => !['segments', 'events'].includes(c.id!)) : table.columns), [table.columns, selected]);

  const mayEdit = useRight('customers:write');
  const mayImport = useRight('imports:write');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [act, setAct] = useState<'trait' | 'join' | 'leave' | null>(null);
  const [paste, setPaste] = useState<string | null>(null);
  const openPaste = useCallback((clip: string) => setPaste(clip), []);
  usePaste(mayEdit && act === null, openPaste);
  const people = useMemo(() => [...chosen].slice(0, MOST), [chosen]);
  const done = () => {
    setAct(null);
    setChosen(new Set());
  };
  const allRows = async (most: number): Promise<CustomerRow[]> => {
    let at: Pick<typeof list, 'data' | 'hasNextPage' | 'fetchNextPage'> = list;
    while (at.hasNextPage && (at.data?.pages.reduce((n, p) => n + p.items.length, 0) ?? 0) < most) at = await at.fetchNextPage();
    const all = at.data?.pages.flatMap((p) => p.items) ?? [];
    return chosen.size ? all.filter((r) => chosen.has(r.person_id)) : all;
  };
  const filterText = [query && t('customers.filterText', { query }), segment && `${t('filter.inSegment')} ${segment.name}`].filter(Boolean).join(' · ');

  return (
    <div className="page fill">
      <PageHeader
        title={t('nav.customers')}
        note={total != null ? t('people', { count: total, n: f.number(total) }) : rows ? t('customers.shown', { n: f.number(rows.length) }) : undefined}
        actions={
          <>
            <RecentChanges />
            {mayEdit && <Button variant="default" leftSection={<IconClipboardText />} onClick={() => setPaste('')} data-testid="paste">{t('paste.button')}</Button>}
            {mayImport && <Button variant="default" leftSection={<IconUpload />} onClick={() => void navigate({ to: '/imports/new', search: {} })}>{t('customers.import')}</Button>}
          </>
        }
      />
      <ViewTabs page="customers" all={t('customers.all')} />
      <div className="row wrap-row">
        <TextInput
          ref={field}
          aria-label={t('customers.search')}
          placeholder={t('customers.searchExample')}
          leftSection={<IconSearch />}
          rightSection={<kbd>/</kbd>}
          value={text}
          onChange={(e) => type(e.currentTarget.value)}
          style={{ width: 320 }}
          data-testid="customers-search"
        />
        <SegmentFilter segment={segment?.name ?? (search.segment ? '…' : null)} list={segments.data ?? []} onPick={(id) => void navigate({ search: (s) => ({ ...s, segment: id, sel: undefined }) })} />
        <span className="sp" />
        <span className="t12 m2">{sort === 'revenue' ? t('customers.byRevenue') : sort === 'orders' ? t('customers.byOrders') : t('customers.byLast')}</span>
        <ColumnPicker table={table} />
        <Download table={table} rows={rows} file={t('nav.customers')} filter={filterText} upTo={allRows} />
      </div>
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable
            label={t('nav.customers')}
            rows={rows}
            columns={shown}
            arranged={table}
            checks={mayEdit ? { chosen, onChange: setChosen, name: (r) => nameOf(r, t('person.unnamed')) } : undefined}
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
      <BulkBar count={chosen.size} total={total ?? rows?.length} clear={() => setChosen(new Set())}>
        {chosen.size > MOST && <span>{t('bulk.most', { n: f.number(MOST) })}</span>}
        <button type="button" onClick={() => setAct('trait')} data-testid="bulk-trait"><IconPencil className="s" />{t('bulk.setTrait')}</button>
        <button type="button" onClick={() => setAct('join')} data-testid="bulk-join"><IconListCheck className="s" />{t('bulk.join')}</button>
        <button type="button" onClick={() => setAct('leave')} data-testid="bulk-leave"><IconUserMinus className="s" />{t('bulk.leave')}</button>
      </BulkBar>
      {act === 'trait' && <SetTrait people={people} close={done} />}
      {(act === 'join' || act === 'leave') && <ChangeLists people={people} leave={act === 'leave'} close={done} />}
      <PasteCustomers opened={paste !== null} start={paste ?? ''} close={() => setPaste(null)} />
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

