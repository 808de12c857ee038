import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Area, areaTexts } from './i18n';
import { EmptyState, ErrorNote } from './ui/base';
import { Shell } from './ui/Shell';

type Search = Record<string, unknown>;
/** Keeps the named parts of an address and drops what is empty or unknown. */
const texts = <K extends string>(...keys: K[]) => (s: Search): { [P in K]?: string } => {
  const out: { [P in K]?: string } = {};
  for (const k of keys) if (typeof s[k] === 'string' || typeof s[k] === 'number') out[k] = String(s[k]);
  return out;
};
const flag = <K extends string>(key: K) => (s: Search): { [P in K]?: true } => (s[key] === true || s[key] === 'true' || s[key] === 1 ? ({ [key]: true } as { [P in K]?: true }) : {});

const root = createRootRoute({
  component: () => <Shell><Outlet /></Shell>,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => <div className="page"><ErrorNote error={error} retry={reset} /></div>,
});

function NotFound() {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className="card">
        <EmptyState title={t('notfound.title')} action={<Link to="/">{t('notfound.home')}</Link>}>{t('notfound.text')}</EmptyState>
      </div>
    </div>
  );
}

/** A page whose words come with it; those about goods share theirs. */
const area = <T extends Record<string, unknown>>(load: () => Promise<T>, words: Area = 'areas') =>
  lazyRouteComponent(async () => {
    const [page] = await Promise.all([load(), areaTexts(words), ...(words === 'goods' || words === 'erp' || words === 'stock' ? [areaTexts('stock'), areaTexts('goods')] : [])]);
    return page;
  });

const home = createRoute({ getParentRoute: () => root, path: '/', component: lazyRouteComponent(() => import('./home/HomePage')) });
const customers = createRoute({
  getParentRoute: () => root,
  path: '/customers',
  validateSearch: texts('q', 'segment', 'sort', 'sel', 'view', 'cols'),
  component: area(() => import('./customers/CustomersPage'), 'customers'),
});
const person = createRoute({
  getParentRoute: () => root,
  path: '/customers/$id',
  validateSearch: texts('kind', 'channel', 'from', 'to'),
  component: area(() => import('./customers/PersonPage'), 'customers'),
});
const identity = createRoute({ getParentRoute: () => root, path: '/identity', validateSearch: texts('tab', 'sel', 'view', 'cols'), component: area(() => import('./identity/IdentityPage')) });
const segments = createRoute({ getParentRoute: () => root, path: '/segments', component: area(() => import('./segments/SegmentsPage'), 'segments'), validateSearch: texts('view', 'cols') });
const segment = createRoute({ getParentRoute: () => root, path: '/segments/$id', component: area(() => import('./segments/SegmentPage'), 'segments'), validateSearch: flag('edit') });
const messages = createRoute({
  getParentRoute: () => root,
  path: '/messages',
  validateSearch: texts('status', 'rule', 'person', 'sel', 'view', 'cols'),
  component: area(() => import('./messages/MessagesPage'), 'messages'),
});
const rules = createRoute({ getParentRoute: () => root, path: '/rules', component: area(() => import('./messages/RulesPage'), 'messages'), validateSearch: (s: Search) => ({ ...texts('sel', 'view', 'cols')(s), ...flag('create')(s) }) });
const templates = createRoute({ getParentRoute: () => root, path: '/templates', component: area(() => import('./messages/TemplatesPage'), 'messages'), validateSearch: texts('view', 'cols') });
const template = createRoute({ getParentRoute: () => root, path: '/templates/$id', component: area(() => import('./messages/TemplatePage'), 'messages') });
const live = createRoute({
  getParentRoute: () => root,
  path: '/live',
  validateSearch: texts('status', 'source', 'code', 'event', 'kind', 'sel', 'view', 'cols'),
  component: area(() => import('./events/LivePage')),
});
const sources = createRoute({ getParentRoute: () => root, path: '/sources', component: area(() => import('./sources/SourcesPage'), 'sources'), validateSearch: (s: Search) => ({ ...texts('sel', 'view', 'cols')(s), ...flag('create')(s) }) });
const source = createRoute({ getParentRoute: () => root, path: '/sources/$id', component: area(() => import('./sources/SourcePage'), 'sources'), validateSearch: texts('tab') });
const privacy = createRoute({ getParentRoute: () => root, path: '/privacy', validateSearch: texts('sel', 'view', 'cols'), component: area(() => import('./privacy/PrivacyPage')) });
const imports = createRoute({ getParentRoute: () => root, path: '/imports', component: area(() => import('./imports/ImportsPage'), 'imports'), validateSearch: texts('view', 'cols') });
const newImport = createRoute({ getParentRoute: () => root, path: '/imports/new', component: area(() => import('./imports/NewImportPage'), 'imports'), validateSearch: texts('upload') });
const importPage = createRoute({ getParentRoute: () => root, path: '/imports/$id', component: area(() => import('./imports/ImportPage'), 'imports') });
const exportsPage = createRoute({ getParentRoute: () => root, path: '/exports', component: area(() => import('./exports/ExportsPage')), validateSearch: texts('sel') });
const newExport = createRoute({ getParentRoute: () => root, path: '/exports/new', component: area(() => import('./exports/NewExportPage')), validateSearch: texts('kind', 'preset') });
const parallel = createRoute({ getParentRoute: () => root, path: '/parallel', component: area(() => import('./moving/ParallelPage')) });
const rollout = createRoute({ getParentRoute: () => root, path: '/parallel/rollout', component: area(() => import('./moving/RolloutPage')) });
const compared = createRoute({ getParentRoute: () => root, path: '/parallel/$id', component: area(() => import('./moving/ComparedPage')) });
const quality = createRoute({ getParentRoute: () => root, path: '/quality', component: area(() => import('./moving/QualityPage')), validateSearch: texts('check') });
const webhooks = createRoute({ getParentRoute: () => root, path: '/webhooks', component: area(() => import('./webhooks/WebhooksPage')), validateSearch: flag('create') });
const webhook = createRoute({ getParentRoute: () => root, path: '/webhooks/$id', component: area(() => import('./webhooks/WebhookPage')), validateSearch: texts('sel', 'state') });
const pricesPage = createRoute({ getParentRoute: () => root, path: '/prices', component: area(() => import('./prices/PricesPage'), 'prices') });
const jobs = createRoute({ getParentRoute: () => root, path: '/jobs', component: area(() => import('./jobs/JobsPage'), 'imports'), validateSearch: texts('sel', 'view', 'cols') });
const settings = createRoute({ getParentRoute: () => root, path: '/settings/$tab', component: area(() => import('./settings/SettingsPage')), validateSearch: texts('view', 'cols') });
const stock = createRoute({ getParentRoute: () => root, path: '/stock', component: area(() => import('./stock/StockPage'), 'stock'), validateSearch: texts('at', 'sel', 'view', 'cols') });
const stockMovements = createRoute({ getParentRoute: () => root, path: '/stock/movements', component: area(() => import('./stock/MovementsPage'), 'stock'), validateSearch: texts('sku', 'document', 'sel', 'view', 'cols') });
const stockSku = createRoute({ getParentRoute: () => root, path: '/stock/$sku', component: area(() => import('./stock/SkuPage'), 'stock'), validateSearch: texts('act') });
const transfers = createRoute({ getParentRoute: () => root, path: '/transfers', component: area(() => import('./stock/TransfersPage'), 'stock'), validateSearch: (s: Search) => ({ ...texts('show', 'sel')(s), ...flag('create')(s) }) });
const transfer = createRoute({ getParentRoute: () => root, path: '/transfers/$id', component: area(() => import('./stock/TransferPage'), 'stock') });
const counts = createRoute({ getParentRoute: () => root, path: '/counts', component: area(() => import('./stock/CountsPage'), 'stock'), validateSearch: (s: Search) => ({ ...texts('sel')(s), ...flag('create')(s) }) });
const count = createRoute({ getParentRoute: () => root, path: '/counts/$id', component: area(() => import('./stock/CountPage'), 'stock'), validateSearch: texts('show') });
const purchases = createRoute({ getParentRoute: () => root, path: '/purchases', component: area(() => import('./stock/PurchasesPage'), 'stock'), validateSearch: (s: Search) => ({ ...texts('tab', 'sel', 'claim')(s), ...flag('create')(s) }) });
const purchase = createRoute({ getParentRoute: () => root, path: '/purchases/$id', component: area(() => import('./stock/PurchasePage'), 'stock') });
const locations = createRoute({ getParentRoute: () => root, path: '/locations', component: area(() => import('./stock/LocationsPage'), 'stock'), validateSearch: (s: Search) => ({ ...texts('tab', 'sel')(s), ...flag('create')(s) }) });
/** Pages of orders use words of goods and returns, too. */
const ofOrders = <T extends Record<string, unknown>>(load: () => Promise<T>, ...more: Area[]) =>
  lazyRouteComponent(async () => {
    const [page] = await Promise.all([load(), ...(['orders', 'stock', 'returns', ...more] as Area[]).map(areaTexts)]);
    return page;
  });
const ordersPage = createRoute({ getParentRoute: () => root, path: '/orders', component: ofOrders(() => import('./orders/OrdersPage')), validateSearch: texts('state', 'channel', 'place', 'q', 'from', 'to', 'sel', 'view', 'cols') });
const orderFigures = createRoute({ getParentRoute: () => root, path: '/orders/figures', component: ofOrders(() => import('./orders/FiguresPage')), validateSearch: texts('from', 'to', 'at') });
const orderSettings = createRoute({ getParentRoute: () => root, path: '/orders/settings', component: ofOrders(() => import('./orders/SettingsPage')), validateSearch: texts('part') });
const orderPage = createRoute({ getParentRoute: () => root, path: '/orders/$id', component: ofOrders(() => import('./orders/OrderPage')) });
const returns = createRoute({ getParentRoute: () => root, path: '/returns', component: ofOrders(() => import('./returns/ReturnsPage')), validateSearch: texts('state', 'kind', 'reason', 'place', 'due', 'q', 'sel', 'view', 'cols') });
const claims = createRoute({ getParentRoute: () => root, path: '/returns/claims', component: ofOrders(() => import('./returns/ClaimsPage')), validateSearch: texts('state', 'reason', 'due', 'q', 'sel', 'view', 'cols') });
const cases = createRoute({ getParentRoute: () => root, path: '/returns/cases', component: ofOrders(() => import('./returns/CasesPage')), validateSearch: texts('state', 'kind', 'owner', 'due', 'q', 'sel', 'view', 'cols') });
const refunds = createRoute({ getParentRoute: () => root, path: '/returns/refunds', component: ofOrders(() => import('./returns/RefundsPage')), validateSearch: texts('state', 'sel', 'view', 'cols') });
const rates = createRoute({ getParentRoute: () => root, path: '/returns/rates', component: ofOrders(() => import('./returns/RatesPage')), validateSearch: texts('days', 'by') });
const policy = createRoute({ getParentRoute: () => root, path: '/returns/policy', component: ofOrders(() => import('./returns/PolicyPage')) });
const returnPage = createRoute({ getParentRoute: () => root, path: '/returns/$id', component: ofOrders(() => import('./returns/ReturnPage')) });
const claimPage = createRoute({ getParentRoute: () => root, path: '/returns/claims/$id', component: ofOrders(() => import('./returns/ClaimPage')) });
const casePage = createRoute({ getParentRoute: () => root, path: '/returns/cases/$id', component: ofOrders(() => import('./returns/CasePage')) });
const after = [returns, claims, cases, refunds, rates, policy, returnPage, claimPage, casePage] as const;
const stillPage = createRoute({ getParentRoute: () => root, path: '/locations/alerts', component: ofOrders(() => import('./places/AlertsPage'), 'places'), validateSearch: texts('part', 'show', 'sel', 'add', 'at') });
const serials = createRoute({ getParentRoute: () => root, path: '/stock/serials', component: area(() => import('./goods/SerialsPage'), 'goods'), validateSearch: texts('sn') });
const rfid = createRoute({ getParentRoute: () => root, path: '/counts/tags', component: area(() => import('./goods/TagsPage'), 'goods'), validateSearch: texts('sel') });
const entities = createRoute({ getParentRoute: () => root, path: '/entities', component: area(() => import('./goods/EntitiesPage'), 'goods'), validateSearch: (s: Search) => ({ ...texts('sel')(s), ...flag('create')(s) }) });
const entityReport = createRoute({ getParentRoute: () => root, path: '/entities/report', component: area(() => import('./goods/ReportPage'), 'goods'), validateSearch: texts('from', 'to', 'entity', 'what') });
const laws = createRoute({ getParentRoute: () => root, path: '/entities/law', component: area(() => import('./goods/LawPage'), 'goods'), validateSearch: texts('country', 'view', 'show', 'kind', 'sel', 'add', 'edit', 'copy') });
const erp = createRoute({ getParentRoute: () => root, path: '/erp', component: area(() => import('./erp/ErpPage'), 'erp'), validateSearch: flag('create') });
const erpOne = createRoute({ getParentRoute: () => root, path: '/erp/$name', component: area(() => import('./erp/ConnectionPage'), 'erp'), validateSearch: texts('tab', 'run', 'exchange') });
const goods = [serials, rfid, entities, entityReport, laws, erp, erpOne, stock, stockMovements, stockSku, transfers, transfer, counts, count, purchases, purchase, locations, stillPage] as const;

const reviews = createRoute({ getParentRoute: () => root, path: '/reviews', component: area(() => import('./reviews/ReviewsPage'), 'reviews'), validateSearch: texts('state', 'source', 'stars', 'product', 'open', 'sel', 'view', 'cols') });

const products = createRoute({ getParentRoute: () => root, path: '/products', component: area(() => import('./catalog/ProductsPage'), 'catalog'), validateSearch: texts('q', 'filter', 'sort', 'view', 'cols') });
const compare = createRoute({ getParentRoute: () => root, path: '/products/compare', component: area(() => import('./catalog/ComparePage'), 'catalog'), validateSearch: texts('ids') });
const product = createRoute({ getParentRoute: () => root, path: '/products/$id', component: area(() => import('./catalog/ProductPage'), 'catalog'), validateSearch: texts('tab') });
const catalog = createRoute({ getParentRoute: () => root, path: '/catalog', component: area(() => import('./catalog/StructurePage'), 'catalog'), validateSearch: texts('tab', 'view', 'cols') });
const feeds = createRoute({ getParentRoute: () => root, path: '/feeds', component: area(() => import('./catalog/FeedsPage'), 'catalog') });

export const router = createRouter({
  routeTree: root.addChildren([home, customers, person, identity, segments, segment, products, compare, product, catalog, feeds, messages, rules, templates, template, live, sources, source, webhooks, webhook, privacy, imports, newImport, importPage, exportsPage, newExport, parallel, rollout, compared, quality, pricesPage, jobs, ...goods, ...after, reviews, ordersPage, orderFigures, orderSettings, orderPage, settings]),
  defaultPreload: 'intent',
  defaultPreloadDelay: 60,
  scrollRestoration: true,
  // Plain names and values: an address is read and typed by people, so ids stand without quotes.
  parseSearch: (s) => Object.fromEntries(new URLSearchParams(s)),
  stringifySearch: (o) => {
    const list = Object.entries(o).filter(([, v]) => v !== undefined && v !== null && v !== '');
    return list.length ? `?${new URLSearchParams(list.map(([k, v]) => [k, String(v)])).toString()}` : '';
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
