import { expect, test } from '@playwright/test';
import { inBothSchemes, Quiet, said } from './quiet';
import { enter } from './signin';

const pages = ['/', '/customers?sel=p-olena', '/customers?view=v-1', '/customers/p-olena', '/identity?sel=p-olena-p-oksana', '/identity?tab=suspects', '/identity?tab=values', '/identity?tab=rules', '/identity?tab=stitch', '/identity?tab=changes', '/segments', '/segments/seg-blankets', '/segments/new', '/products', '/products/khmara', '/products/khmara?tab=full', '/products/khmara?tab=variants', '/products/khmara?tab=history', '/products/compare?ids=khmara,barvinok', '/catalog', '/catalog?tab=attributes', '/catalog?tab=categories', '/catalog?tab=channels', '/feeds', '/messages?sel=m-2', '/jobs', '/imports', '/settings/own', '/rules?sel=r-cart', '/templates', '/templates/t-cart', '/live', '/sources?sel=s-site', '/privacy?sel=q-1', '/webhooks', '/webhooks/w-erp?sel=d-3', '/webhooks/w-old', '/settings/users', '/settings/api-keys', '/settings/traits', '/settings/limits', '/settings/sign-in', '/settings/users?sel=u-2', '/settings/audit', '/orders', '/orders/o31915x', '/orders/o31921x', '/orders/figures', '/orders/settings', '/orders/settings?part=delivery', '/orders/settings?part=places', '/orders/settings?part=sourcing', '/locations/alerts?sel=Lviv-2', '/locations/alerts?part=calendar', '/locations/alerts?part=territories', '/returns?sel=1884', '/returns/1884', '/returns/1883', '/returns/1880', '/returns/claims', '/returns/claims/502', '/returns/cases', '/returns/cases/71', '/returns/refunds', '/returns/rates', '/returns/policy', '/reviews', '/reviews?sel=41', '/stock/HM-200220', '/purchases/23', '/purchases?tab=promises&claim=601', '/stock/serials?sn=SN-00412', '/counts/tags?sel=3', '/entities', '/entities/report?from=2026-01-01&what=sold&entity=tov', '/entities/law', '/entities/law?view=text', '/erp', '/erp/bas', '/erp/bas?tab=journal', '/erp/bas?tab=differences', '/erp/bas?tab=mappings'];

// Each path in two complementary combinations with every rule; the other two combinations with what they can change.
for (const [language, scheme] of [['en', 'light'], ['uk', 'dark']] as const)
  test(`nothing for axe to say: ${language}, ${scheme} first`, async ({ page }) => {
    test.setTimeout(600_000);
    await enter(page, { language, scheme });
    expect(await inBothSchemes(page, pages, scheme, language, 'pages')).toEqual([]);
  });

test('axe says something of a page that is not clean: a colour in one scheme, a name in any', async ({ page }) => {
  await enter(page, { path: '/jobs' });
  const quiet = new Quiet(page);
  await quiet.wait();
  expect(await said(page, 'seen')).toEqual([]);
  await page.evaluate(() => document.querySelector('h1')!.insertAdjacentHTML('afterend', '<p style="color:#4B524C">faint in the dark</p><button type="button"></button>'));
  expect((await said(page, 'all')).join()).toContain('button-name');
  expect((await said(page, 'all')).join()).not.toContain('color-contrast');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await quiet.wait();
  expect((await said(page, 'seen')).join()).toContain('color-contrast');
});
