import { ActionIcon, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { type Language, switchLanguage } from '../i18n';
import { Freshness } from '../session/live';
import { useMe } from '../session/session';
import { homeQuery } from '../home/query';
import { Avatar } from './base';
import * as f from './format';
import { IconActivity, IconAdjustments, IconBuildingStore, IconCheck, IconChecklist, IconCirclesRelation, IconClipboardText, IconColumns, IconDeviceDesktop, IconDownload, IconFingerprint, IconHelp, IconHistory, IconHome, IconLock, IconLogout, IconMapPin, IconMenu2, IconMoon, IconPackage, IconPlugConnected, IconReceipt, IconReceiptRefund, IconReportAnalytics, IconScale, IconSearch, IconSend, IconServer, IconSettings, IconStar, IconSun, IconTag, IconTemplate, IconTransfer, IconTruckDelivery, IconUpload, IconUsers, IconWebhook } from './icons';
import { Logo } from './Logo';
import { useShortcut } from './shortcuts';
import { Toast } from './toast';

const loadPalette = () => import('./Palette');
const Palette = lazy(loadPalette);
const ShortcutList = lazy(() => import('./ShortcutList'));

export const PAGES = [
  { id: 'home', to: '/', icon: IconHome, group: null, key: 'H', right: 'home:read' },
  { id: 'customers', to: '/customers', icon: IconUsers, group: 'customers', key: 'C', right: 'customers:read' },
  { id: 'segments', to: '/segments', icon: IconCirclesRelation, group: 'customers', key: 'S', right: 'segments:read' },
  { id: 'identity', to: '/identity', icon: IconFingerprint, group: 'customers', key: 'I', right: 'identity:read' },
  { id: 'orders', to: '/orders', icon: IconClipboardText, group: 'orders', key: 'Y', right: 'orders:read' },
  { id: 'returns', to: '/returns', icon: IconReceiptRefund, group: 'orders', key: '1', right: 'orders:read' },
  { id: 'reviews', to: '/reviews', icon: IconStar, group: 'orders', key: '4', right: 'reviews:read' },
  { id: 'products', to: '/products', icon: IconTag, group: 'goods', key: 'G', right: 'catalog:read' },
  { id: 'catalog', to: '/catalog', icon: IconColumns, group: 'goods', key: 'K', right: 'catalog:read' },
  { id: 'feeds', to: '/feeds', icon: IconReceipt, group: 'goods', key: 'F', right: 'catalog:read' },
  { id: 'prices', to: '/prices', icon: IconScale, group: 'goods', key: 'V', right: 'prices:read' },
  { id: 'stock', to: '/stock', icon: IconPackage, group: 'goods', key: 'Z', right: 'stock:read' },
  { id: 'transfers', to: '/transfers', icon: IconTransfer, group: 'goods', key: 'X', right: 'stock:read' },
  { id: 'counts', to: '/counts', icon: IconChecklist, group: 'goods', key: 'N', right: 'stock:read' },
  { id: 'purchases', to: '/purchases', icon: IconTruckDelivery, group: 'goods', key: 'D', right: 'stock:read' },
  { id: 'locations', to: '/locations', icon: IconMapPin, group: 'goods', key: 'A', right: 'stock:read' },
  { id: 'entities', to: '/entities', icon: IconBuildingStore, group: 'goods', key: '2', right: 'stock:read' },
  { id: 'messages', to: '/messages', icon: IconSend, group: 'messages', key: 'M', right: 'messages:read' },
  { id: 'rules', to: '/rules', icon: IconAdjustments, group: 'messages', key: 'R', right: 'messages:read' },
  { id: 'templates', to: '/templates', icon: IconTemplate, group: 'messages', key: 'T', right: 'messages:read' },
  { id: 'live', to: '/live', icon: IconActivity, group: 'data', key: 'L', right: 'events:read' },
  { id: 'sources', to: '/sources', icon: IconPlugConnected, group: 'data', key: 'O', right: 'sources:read' },
  { id: 'webhooks', to: '/webhooks', icon: IconWebhook, group: 'data', key: 'W', right: 'settings:read' },
  { id: 'privacy', to: '/privacy', icon: IconLock, group: 'data', key: 'P', right: 'privacy:read' },
  { id: 'imports', to: '/imports', icon: IconUpload, group: 'data', key: 'U', right: 'imports:read' },
  { id: 'exports', to: '/exports', icon: IconDownload, group: 'data', key: 'E', right: 'exports:read' },
  { id: 'parallel', to: '/parallel', icon: IconScale, group: 'data', key: 'B', right: 'imports:read' },
  { id: 'erp', to: '/erp', icon: IconServer, group: 'data', key: '3', right: 'settings:read' },
  { id: 'quality', to: '/quality', icon: IconReportAnalytics, group: 'data', key: 'Q', right: 'imports:read' },
  { id: 'jobs', to: '/jobs', icon: IconHistory, group: 'data', key: 'J', right: 'jobs:read' },
] as const;

/** What each page is called: one list, so that no page is without a name anywhere. */
export const pageNames = (t: TFunction): Record<(typeof PAGES)[number]['id'], string> => ({
  orders: t('nav.orders'), home: t('nav.home'), customers: t('nav.customers'), segments: t('nav.segments'), identity: t('nav.identity'), privacy: t('nav.privacy'), messages: t('nav.messages'),
  rules: t('nav.rules'), templates: t('nav.templates'), live: t('nav.live'), sources: t('nav.sources'), webhooks: t('nav.webhooks'),
  products: t('nav.products'), catalog: t('nav.catalog'), feeds: t('nav.feeds'), imports: t('nav.imports'), exports: t('nav.exports'), parallel: t('nav.parallel'), quality: t('nav.quality'), prices: t('nav.prices'), jobs: t('nav.jobs'),
  stock: t('nav.stock'), transfers: t('nav.transfers'), counts: t('nav.counts'), purchases: t('nav.purchases'), locations: t('nav.locations'), returns: t('nav.returns'), reviews: t('nav.reviews'), entities: t('nav.entities'), erp: t('nav.erp'),
});

/** Pages that this person may open. */
export const usePages = () => {
  const { rights } = useMe();
  return PAGES.filter((p) => rights.includes(p.right));
};

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const [open, setOpen] = useState(false);
  const [narrow, setNarrow] = useState(false);
  // Fetched while nothing else happens, so that the first letters typed after Ctrl K are not lost.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), 600);
    return () => clearTimeout(timer);
  }, []);
  useShortcut('KeyK', () => setPalette(true), { ctrl: true, always: true });
  useShortcut('Slash', () => setKeys(true), { shift: true });
  useShortcut('BracketLeft', () => setNarrow((v) => !v));
  return (
    <>
    <div className={`app${narrow ? ' narrow' : ''}`}>
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <Navigation open={open} close={() => setOpen(false)} />
      <div className="main">
        <header className="top">
          <Crumbs burger={<ActionIcon className="burger" aria-label={t('nav.open')} onClick={() => setOpen(!open)}><IconMenu2 /></ActionIcon>} />
          <button type="button" className="cmd" onClick={() => setPalette(true)} aria-keyshortcuts="Control+K">
            <IconSearch />
            <span className="sp el">{t('palette.field')}</span>
            <kbd>Ctrl K</kbd>
          </button>
          <div className="top-right">
            <Freshness />
            <Tooltip label={t('keys.open')}>
              <ActionIcon aria-label={t('keys.open')} onClick={() => setKeys(true)}>
                <IconHelp />
              </ActionIcon>
            </Tooltip>
          </div>
        </header>
        <main id="content" style={{ display: 'contents' }} tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
    <Toast />
    <Suspense fallback={null}>
      {palette && <Palette close={() => setPalette(false)} />}
      {keys && <ShortcutList close={() => setKeys(false)} />}
    </Suspense>
    </>
  );
}

function Navigation({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const home = useQuery({ ...homeQuery, enabled: me.rights.includes('home:read') });
  const navigate = useNavigate();
  const pages = usePages();
  for (const p of PAGES) useShortcut(`G ${/\d/.test(p.key) ? 'Digit' : 'Key'}${p.key}`, () => void navigate({ to: p.to }), { enabled: pages.includes(p) });
  const rejects = home.data?.attention.find((a) => a.kind === 'rejects')?.count ?? 0;
  const unknown = home.data?.attention.find((a) => a.kind === 'unknown_messages')?.count ?? 0;
  const review = home.data?.attention.find((a) => a.kind === 'review')?.count ?? 0;
  const waiting: Record<string, { n: number; hot: boolean }> = { live: { n: rejects, hot: true }, messages: { n: unknown, hot: false }, identity: { n: review, hot: false } };
  let group: string | null = null;
  const label = pageNames(t);
  const groups: Record<string, string> = { customers: t('nav.group.customers'), orders: t('nav.group.orders'), goods: t('nav.group.goods'), messages: t('nav.group.messages'), data: t('nav.group.data') };
  return (
    <nav className={`nav${open ? ' open' : ''}`} aria-label={t('nav.label')} onClick={close}>
      <div className="brand">
        <Logo />
        <span className="el">{me.shop.name}</span>
      </div>
      {pages.map((p) => {
        const head = p.group !== group && p.group ? <div className="grp">{groups[p.group]}</div> : null;
        group = p.group;
        const on = p.to === '/' ? path === '/' : path === p.to || path.startsWith(`${p.to}/`);
        const w = waiting[p.id];
        return (
          <div key={p.id} style={{ display: 'contents' }}>
            {head}
            <Link to={p.to} className={`item${on ? ' on' : ''}`} aria-current={on ? 'page' : undefined} data-testid={`nav-${p.id}`} title={label[p.id]}>
              <p.icon />
              <span className="el">{label[p.id]}</span>
              {w && w.n > 0 && <span className={`n${w.hot ? ' hot' : ''}`}>{f.number(w.n)}</span>}
            </Link>
          </div>
        );
      })}
      <Me />
    </nav>
  );
}

function Me() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const client = useQueryClient();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const mark = (on: boolean) => (on ? <IconCheck className="s" /> : <span style={{ width: 14 }} />);
  return (
    <div className="me">
      <Avatar name={me.name || me.email} />
      <div className="col sp me-text">
        <span className="b el">{me.name || me.email}</span>
        <span className="t12 m">{t(`role.${me.role}`)}</span>
      </div>
      <Menu position="top-start" width={220}>
        <Menu.Target>
          <ActionIcon aria-label={t('nav.settings')} data-testid="nav-settings">
            <IconSettings />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('settings.title')}</Menu.Label>
          <Menu.Item onClick={() => void navigate({ to: '/settings/$tab', params: { tab: 'own' } })} data-testid="nav-own">{t('settings.own')}</Menu.Item>
          {me.rights.includes('accounts:read') && <Menu.Item onClick={() => void navigate({ to: '/settings/$tab', params: { tab: 'users' } })} data-testid="nav-users">{t('settings.users')}</Menu.Item>}
          {me.rights.includes('accounts:read') && <Menu.Item onClick={() => void navigate({ to: '/settings/$tab', params: { tab: 'api-keys' } })} data-testid="nav-api-keys">{t('settings.keys')}</Menu.Item>}
          {me.rights.includes('audit:read') && <Menu.Item onClick={() => void navigate({ to: '/settings/$tab', params: { tab: 'audit' } })} data-testid="nav-audit">{t('settings.audit')}</Menu.Item>}
          <Menu.Label>{t('settings.language')}</Menu.Label>
          {(['en', 'uk'] as Language[]).map((l) => (
            <Menu.Item key={l} lang={l} leftSection={mark(i18n.language === l)} onClick={() => void switchLanguage(l)} data-testid={`language-${l}`}>
              {l === 'en' ? 'English' : 'Українська'}
            </Menu.Item>
          ))}
          <Menu.Label>{t('settings.scheme')}</Menu.Label>
          <Menu.Item leftSection={<IconDeviceDesktop className="s" />} rightSection={mark(colorScheme === 'auto')} onClick={() => setColorScheme('auto')}>{t('scheme.auto')}</Menu.Item>
          <Menu.Item leftSection={<IconSun className="s" />} rightSection={mark(colorScheme === 'light')} onClick={() => setColorScheme('light')}>{t('scheme.light')}</Menu.Item>
          <Menu.Item leftSection={<IconMoon className="s" />} rightSection={mark(colorScheme === 'dark')} onClick={() => setColorScheme('dark')} data-testid="scheme-dark">{t('scheme.dark')}</Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconLogout className="s" />}
            onClick={() => {
              void must(api.DELETE('/api/v1/session')).finally(() => {
                client.clear();
                client.setQueryData(['session'], null);
              });
            }}
          >
            {t('session.out')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

// The last part is the object's own name, known only to its page.
const title: { text: string | null; watchers: Set<() => void> } = { text: null, watchers: new Set() };
export function useTitle(text: string | null | undefined): void {
  useEffect(() => {
    title.text = text ?? null;
    title.watchers.forEach((w) => w());
    document.title = text ? `${text} · Braid` : 'Braid';
    return () => {
      title.text = null;
      title.watchers.forEach((w) => w());
    };
  }, [text]);
}

function Crumbs({ burger }: { burger: ReactNode }) {
  const { t } = useTranslation();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const own = useSyncExternalStore((w) => {
    title.watchers.add(w);
    return () => title.watchers.delete(w);
  }, () => title.text);
  const names: Record<string, string | undefined> = { ...pageNames(t), settings: t('settings.title') };
  const parts = path.split('/').filter(Boolean);
  const area = parts[0] ?? '';
  const deep = parts.length > 1;
  return (
    <nav className="crumb" aria-label={t('nav.crumbs')}>
      {burger}
      {deep ? (
        <>
          {area === 'settings' ? <span>{names[area]}</span> : <Link to={`/${area}` as '/customers'}>{names[area] ?? area}</Link>}
          <span aria-hidden="true">/</span>
          <b className="el">{own ?? '…'}</b>
        </>
      ) : (
        <b className="el">{names[area] ?? t('nav.home')}</b>
      )}
    </nav>
  );
}
